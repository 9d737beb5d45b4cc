// SPDX-License-Identifier: GPL-2.0
#include "nl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NL_HEADER GENL_HDRLEN
#define NL_GROUPS 3

/* In the order of the bits JVPN_NL_GROUP_*. */
static const char *const nl_group_names[NL_GROUPS] = {
	JVPN_MCGRP_STATE, JVPN_MCGRP_HEALTH, JVPN_MCGRP_SECURITY,
};

struct jvpn_nl {
	struct jvpn_nl_sock *sock;
	uint16_t family;
	uint32_t groups[NL_GROUPS];
};

struct jvpn_nl_listener {
	struct jvpn_nl_sock *sock;
	uint16_t family;
	jvpn_nl_event_visit visit;	/* during a call that receives */
	void *context;
	struct jvpn_nl_event event;
	size_t queued;		/* octets */
	_Alignas(struct nlmsghdr) uint8_t queue[JVPN_NL_REQUEST_MAX];
};

/* --- messages ------------------------------------------------------------- */

static struct nlmsghdr *nl_begin(struct jvpn_nl_sock *sock, uint16_t family, uint8_t command,
				 uint8_t version)
{
	struct nlmsghdr *message = jvpn_nl_sock_begin(sock, family, 0);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->cmd = command;
	header->version = version;
	return message;
}

/* NULL if the message is too short for a command. */
static const struct genlmsghdr *nl_header(const struct nlmsghdr *message)
{
	if (message->nlmsg_len < MNL_NLMSG_HDRLEN + NL_HEADER)
		return NULL;
	return mnl_nlmsg_get_payload(message);
}

static bool nl_decode(void *data, const struct jvpn_nl_object *object,
		      const struct nlmsghdr *message, char *text, size_t size)
{
	return jvpn_nl_decode(data, object, mnl_nlmsg_get_payload_offset(message, NL_HEADER),
			      message->nlmsg_len - MNL_NLMSG_HDRLEN - NL_HEADER, text, size);
}

/* --- family --------------------------------------------------------------- */

struct nl_family {
	uint16_t id;
	uint32_t groups[NL_GROUPS];
};

static void family_group_read(struct nl_family *family, const struct nlattr *group)
{
	const struct nlattr *attr;
	const char *name = "";
	uint32_t id = 0;

	mnl_attr_for_each_nested(attr, group) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME &&
		    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			name = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID &&
			 !mnl_attr_validate(attr, MNL_TYPE_U32))
			id = mnl_attr_get_u32(attr);
	}
	for (int i = 0; i < NL_GROUPS; i++) {
		if (!strcmp(name, nl_group_names[i]))
			family->groups[i] = id;
	}
}

static void family_read(void *context, const struct nlmsghdr *message)
{
	struct nl_family *family = context;
	const struct nlattr *attr, *group;

	if (!nl_header(message))
		return;
	mnl_attr_for_each(attr, message, NL_HEADER) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
		    !mnl_attr_validate(attr, MNL_TYPE_U16))
			family->id = mnl_attr_get_u16(attr);
		else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS)
			mnl_attr_for_each_nested(group, attr)
				family_group_read(family, group);
	}
}

static int nl_family_find(struct jvpn_nl *nl, struct jvpn_nl_error *error)
{
	struct nl_family family = {};
	struct jvpn_nl_exchange exchange = {
		.header = NL_HEADER, .answer = family_read, .context = &family,
	};
	struct nlmsghdr *message = nl_begin(nl->sock, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	int result;

	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, JVPN_GENL_NAME);
	result = jvpn_nl_sock_exchange(nl->sock, &exchange, error);
	if (result == -ENOENT || (!result && !family.id))
		return jvpn_nl_error_set(error, ENOENT, "the kernel module jvpn is not loaded; "
					 "load it with: modprobe jvpn");
	nl->family = family.id;
	memcpy(nl->groups, family.groups, sizeof(nl->groups));
	return result;
}

struct jvpn_nl *jvpn_nl_open(struct jvpn_nl_error *error)
{
	struct jvpn_nl *nl = calloc(1, sizeof(*nl));

	if (!nl) {
		jvpn_nl_error_set(error, ENOMEM, "no memory for a netlink socket");
		return NULL;
	}
	nl->sock = jvpn_nl_sock_open(NETLINK_GENERIC, error);
	if (nl->sock && !nl_family_find(nl, error))
		return nl;
	jvpn_nl_close(nl);
	return NULL;
}

void jvpn_nl_close(struct jvpn_nl *nl)
{
	if (!nl)
		return;
	jvpn_nl_sock_close(nl->sock);
	free(nl);
}

/* --- requests ------------------------------------------------------------- */

/* What becomes of the answers to one request. */
struct nl_call {
	uint8_t command;
	const struct jvpn_nl_object *object;
	void *reply;
	bool answered;
	char problem[JVPN_NL_TEXT];	/* of an answer that does not decode */
};

static void call_answer(void *context, const struct nlmsghdr *message)
{
	struct nl_call *call = context;
	const struct genlmsghdr *header = nl_header(message);

	if (!header || header->cmd != call->command || !call->reply)
		return;
	if (nl_decode(call->reply, call->object, message, call->problem, sizeof(call->problem)))
		call->answered = true;
}

/* Begin a request in the socket and fill in its attributes. */
static int nl_encode(struct jvpn_nl_sock *sock, uint16_t family, uint8_t command,
		     const struct jvpn_nl_object *object, const void *request,
		     struct jvpn_nl_error *error)
{
	struct nlmsghdr *message = nl_begin(sock, family, command, JVPN_GENL_VERSION);

	if (jvpn_nl_encode(message, sizeof(sock->send), object, request))
		return 0;
	sodium_memzero(sock->send, sizeof(sock->send));
	return jvpn_nl_error_set(error, EMSGSIZE,
				 "the request holds a text or list that is longer than its room");
}

/* reply: NULL if the command has no answer but the acknowledgement. */
static int nl_request(struct jvpn_nl *nl, uint8_t command, const struct jvpn_nl_object *object,
		      const void *request, void *reply, bool *answered,
		      struct jvpn_nl_error *error)
{
	struct nl_call call = { .command = command, .object = object, .reply = reply };
	struct jvpn_nl_exchange exchange = {
		.header = NL_HEADER, .object = object, .answer = call_answer, .context = &call,
	};
	int result = nl_encode(nl->sock, nl->family, command, object, request, error);

	if (!result)
		result = jvpn_nl_sock_exchange(nl->sock, &exchange, error);
	if (!result && call.problem[0])
		return jvpn_nl_error_set(error, EBADMSG, "the module's answer: %s", call.problem);
	if (!result && reply && !call.answered)
		return jvpn_nl_error_set(error, EBADMSG, "the module sent no answer");
	if (answered)
		*answered = call.answered;
	return result;
}

/* A refused request that was answered: show the session as it is. */
static void error_current_set(struct jvpn_nl_error *error, const struct jvpn_nl_session *reply)
{
	if (!error || !reply->has.version)
		return;
	error->has_current = true;
	error->reject = reply->reject;
	error->state = reply->state;
	error->version = reply->version;
	error->epoch = reply->epoch_number;
}

static int nl_session_request(struct jvpn_nl *nl, uint8_t command,
			      const struct jvpn_nl_session *request,
			      struct jvpn_nl_session *reply, struct jvpn_nl_error *error)
{
	struct jvpn_nl_session own;
	struct jvpn_nl_session *to = reply ? reply : &own;
	bool answered = false;
	int result = nl_request(nl, command, &jvpn_nl_session_object, request, to, &answered,
				error);

	if (result && answered)
		error_current_set(error, to);
	return result;
}

int jvpn_nl_device_get(struct jvpn_nl *nl, uint32_t ifindex, struct jvpn_nl_device *device,
		       struct jvpn_nl_error *error)
{
	struct jvpn_nl_device request = {};

	JVPN_NL_SET(&request, ifindex, ifindex);
	return nl_request(nl, JVPN_CMD_DEVICE_GET, &jvpn_nl_device_object, &request, device, NULL,
			  error);
}

int jvpn_nl_device_get_by_id(struct jvpn_nl *nl, uint64_t device_id,
			     struct jvpn_nl_device *device, struct jvpn_nl_error *error)
{
	struct jvpn_nl_device request = {};

	JVPN_NL_SET(&request, device_id, device_id);
	return nl_request(nl, JVPN_CMD_DEVICE_GET, &jvpn_nl_device_object, &request, device, NULL,
			  error);
}

int jvpn_nl_device_set(struct jvpn_nl *nl, const struct jvpn_nl_device *request,
		       struct jvpn_nl_error *error)
{
	return nl_request(nl, JVPN_CMD_DEVICE_SET, &jvpn_nl_device_object, request, NULL, NULL,
			  error);
}

int jvpn_nl_socket_new(struct jvpn_nl *nl, const struct jvpn_nl_socket *request,
		       struct jvpn_nl_socket *reply, struct jvpn_nl_error *error)
{
	return nl_request(nl, JVPN_CMD_SOCKET_NEW, &jvpn_nl_socket_object, request, reply, NULL,
			  error);
}

int jvpn_nl_socket_set(struct jvpn_nl *nl, const struct jvpn_nl_socket *request,
		       struct jvpn_nl_error *error)
{
	return nl_request(nl, JVPN_CMD_SOCKET_SET, &jvpn_nl_socket_object, request, NULL, NULL,
			  error);
}

int jvpn_nl_socket_del(struct jvpn_nl *nl, uint64_t device_id, uint32_t id,
		       struct jvpn_nl_error *error)
{
	struct jvpn_nl_socket request = {};

	JVPN_NL_SET(&request, device_id, device_id);
	JVPN_NL_SET(&request, id, id);
	return nl_request(nl, JVPN_CMD_SOCKET_DEL, &jvpn_nl_socket_object, &request, NULL, NULL,
			  error);
}

int jvpn_nl_session_new(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			struct jvpn_nl_session *reply, struct jvpn_nl_error *error)
{
	return nl_session_request(nl, JVPN_CMD_SESSION_NEW, request, reply, error);
}

int jvpn_nl_session_set(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			struct jvpn_nl_session *reply, struct jvpn_nl_error *error)
{
	return nl_session_request(nl, JVPN_CMD_SESSION_SET, request, reply, error);
}

int jvpn_nl_session_transition(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			       struct jvpn_nl_session *reply, struct jvpn_nl_error *error)
{
	return nl_session_request(nl, JVPN_CMD_SESSION_TRANSITION, request, reply, error);
}

int jvpn_nl_binding_set(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			struct jvpn_nl_session *reply, struct jvpn_nl_error *error)
{
	return nl_session_request(nl, JVPN_CMD_BINDING_SET, request, reply, error);
}

int jvpn_nl_binding_prepare(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			    struct jvpn_nl_session *reply, struct jvpn_nl_error *error)
{
	return nl_session_request(nl, JVPN_CMD_BINDING_PREPARE, request, reply, error);
}

int jvpn_nl_binding_cancel(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			   struct jvpn_nl_session *reply, struct jvpn_nl_error *error)
{
	return nl_session_request(nl, JVPN_CMD_BINDING_CANCEL, request, reply, error);
}

int jvpn_nl_binding_probe(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			  struct jvpn_nl_session *reply, struct jvpn_nl_error *error)
{
	return nl_session_request(nl, JVPN_CMD_BINDING_PROBE, request, reply, error);
}

int jvpn_nl_epoch_set(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
		      struct jvpn_nl_session *reply, struct jvpn_nl_error *error)
{
	return nl_session_request(nl, JVPN_CMD_EPOCH_SET, request, reply, error);
}

static void session_name(struct jvpn_nl_session *request, uint64_t device_id,
			 const uint8_t id[JVPN_SESSION_ID_SIZE])
{
	JVPN_NL_SET(request, device_id, device_id);
	request->has.id = true;
	memcpy(request->id, id, sizeof(request->id));
}

int jvpn_nl_session_get(struct jvpn_nl *nl, uint64_t device_id,
			const uint8_t id[JVPN_SESSION_ID_SIZE], struct jvpn_nl_session *session,
			struct jvpn_nl_error *error)
{
	struct jvpn_nl_session request = {};

	session_name(&request, device_id, id);
	return nl_request(nl, JVPN_CMD_SESSION_GET, &jvpn_nl_session_object, &request, session,
			  NULL, error);
}

int jvpn_nl_session_del(struct jvpn_nl *nl, uint64_t device_id,
			const uint8_t id[JVPN_SESSION_ID_SIZE], struct jvpn_nl_error *error)
{
	struct jvpn_nl_session request = {};

	session_name(&request, device_id, id);
	return nl_request(nl, JVPN_CMD_SESSION_DEL, &jvpn_nl_session_object, &request, NULL, NULL,
			  error);
}

int jvpn_nl_packet_send(struct jvpn_nl *nl, const struct jvpn_nl_packet *packet,
			struct jvpn_nl_error *error)
{
	return nl_request(nl, JVPN_CMD_PACKET_SEND, &jvpn_nl_packet_object, packet, NULL, NULL,
			  error);
}

/* --- dumps ---------------------------------------------------------------- */

/* One dump of one kind of object. */
struct nl_dump {
	const struct jvpn_nl_object *object;
	union {
		jvpn_nl_device_visit device;
		jvpn_nl_socket_visit socket;
		jvpn_nl_session_visit session;
	} visit;
	void *context;
	char problem[JVPN_NL_TEXT];
};

static void dump_device(void *context, const struct nlmsghdr *message)
{
	struct nl_dump *dump = context;
	struct jvpn_nl_device device;

	if (nl_header(message) && nl_decode(&device, dump->object, message, dump->problem,
					    sizeof(dump->problem)))
		dump->visit.device(dump->context, &device);
}

static void dump_socket(void *context, const struct nlmsghdr *message)
{
	struct nl_dump *dump = context;
	struct jvpn_nl_socket sock;

	if (nl_header(message) && nl_decode(&sock, dump->object, message, dump->problem,
					    sizeof(dump->problem)))
		dump->visit.socket(dump->context, &sock);
}

static void dump_session(void *context, const struct nlmsghdr *message)
{
	struct nl_dump *dump = context;
	struct jvpn_nl_session session;

	if (nl_header(message) && nl_decode(&session, dump->object, message, dump->problem,
					    sizeof(dump->problem)))
		dump->visit.session(dump->context, &session);
}

static int nl_dump(struct jvpn_nl *nl, uint8_t command, const void *request,
		   struct nl_dump *dump,
		   void (*answer)(void *context, const struct nlmsghdr *message),
		   struct jvpn_nl_error *error)
{
	struct jvpn_nl_exchange exchange = {
		.header = NL_HEADER, .object = dump->object, .answer = answer, .context = dump,
	};
	int result = nl_encode(nl->sock, nl->family, command, dump->object, request, error);

	if (!result)
		result = jvpn_nl_sock_dump(nl->sock, &exchange, error);
	if (result >= 0 && dump->problem[0])
		return jvpn_nl_error_set(error, EBADMSG, "the module's answer: %s", dump->problem);
	return result;
}

int jvpn_nl_device_dump(struct jvpn_nl *nl, jvpn_nl_device_visit visit, void *context,
			struct jvpn_nl_error *error)
{
	struct nl_dump dump = {
		.object = &jvpn_nl_device_object, .visit.device = visit, .context = context,
	};
	struct jvpn_nl_device request = {};

	return nl_dump(nl, JVPN_CMD_DEVICE_GET, &request, &dump, dump_device, error);
}

int jvpn_nl_socket_dump(struct jvpn_nl *nl, uint64_t device_id, jvpn_nl_socket_visit visit,
			void *context, struct jvpn_nl_error *error)
{
	struct nl_dump dump = {
		.object = &jvpn_nl_socket_object, .visit.socket = visit, .context = context,
	};
	struct jvpn_nl_socket request = {};

	JVPN_NL_SET(&request, device_id, device_id);
	return nl_dump(nl, JVPN_CMD_SOCKET_GET, &request, &dump, dump_socket, error);
}

int jvpn_nl_session_dump(struct jvpn_nl *nl, uint64_t device_id, jvpn_nl_session_visit visit,
			 void *context, struct jvpn_nl_error *error)
{
	struct nl_dump dump = {
		.object = &jvpn_nl_session_object, .visit.session = visit, .context = context,
	};
	struct jvpn_nl_session request = {};

	JVPN_NL_SET(&request, device_id, device_id);
	return nl_dump(nl, JVPN_CMD_SESSION_GET, &request, &dump, dump_session, error);
}

/* --- events --------------------------------------------------------------- */

/* What a command announces; LOST for one that is no event. */
static enum jvpn_nl_event_kind event_kind(uint8_t command)
{
	switch (command) {
	case JVPN_CMD_SESSION_NTF:
		return JVPN_NL_EVENT_SESSION;
	case JVPN_CMD_EPOCH_NTF:
		return JVPN_NL_EVENT_EPOCH;
	case JVPN_CMD_HEALTH_NTF:
		return JVPN_NL_EVENT_HEALTH;
	case JVPN_CMD_UNBOUND_NTF:
		return JVPN_NL_EVENT_UNBOUND;
	case JVPN_CMD_PACKET_NTF:
		return JVPN_NL_EVENT_PACKET;
	case JVPN_CMD_HOST_NTF:
		return JVPN_NL_EVENT_HOST;
	default:
		return JVPN_NL_EVENT_LOST;
	}
}

static const struct jvpn_nl_object *event_object(enum jvpn_nl_event_kind kind)
{
	if (kind == JVPN_NL_EVENT_UNBOUND)
		return &jvpn_nl_unbound_object;
	if (kind == JVPN_NL_EVENT_PACKET)
		return &jvpn_nl_packet_object;
	if (kind == JVPN_NL_EVENT_HOST)
		return &jvpn_nl_device_object;
	return &jvpn_nl_session_object;
}

bool jvpn_nl_event_decode(struct jvpn_nl_event *event, const struct nlmsghdr *message)
{
	const struct genlmsghdr *header = nl_header(message);
	char text[JVPN_NL_TEXT];

	if (!header || event_kind(header->cmd) == JVPN_NL_EVENT_LOST)
		return false;
	event->kind = event_kind(header->cmd);
	event->why = NULL;
	if (!nl_decode(&event->session, event_object(event->kind), message, text, sizeof(text))) {
		event->kind = JVPN_NL_EVENT_LOST;
		event->why = "the module sent an event that cannot be decoded";
	}
	return true;
}

struct jvpn_nl_listener *jvpn_nl_listener_open(struct jvpn_nl *nl, unsigned int groups,
					       struct jvpn_nl_error *error)
{
	struct jvpn_nl_listener *listener = calloc(1, sizeof(*listener));
	int result = 0;

	if (!listener) {
		jvpn_nl_error_set(error, ENOMEM, "no memory for a netlink socket");
		return NULL;
	}
	listener->family = nl->family;
	listener->sock = jvpn_nl_sock_open(NETLINK_GENERIC, error);
	if (!listener->sock)
		goto fail;
	jvpn_nl_sock_listen(listener->sock);
	for (int i = 0; i < NL_GROUPS && !result; i++) {
		if (groups & 1u << i)
			result = jvpn_nl_sock_join(listener->sock, nl->groups[i], error);
	}
	if (!result)
		return listener;
fail:
	jvpn_nl_listener_close(listener);
	return NULL;
}

void jvpn_nl_listener_close(struct jvpn_nl_listener *listener)
{
	if (!listener)
		return;
	jvpn_nl_sock_close(listener->sock);
	free(listener);
}

int jvpn_nl_listener_fd(const struct jvpn_nl_listener *listener)
{
	return jvpn_nl_sock_fd(listener->sock);
}

/* The kernel could not send a packet that was queued; it does not say which. */
static void listener_unsent(struct jvpn_nl_listener *listener, const struct nlmsghdr *message)
{
	const struct nlmsgerr *body = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*body) || !body->error)
		return;
	listener->event.kind = JVPN_NL_EVENT_UNSENT;
	listener->event.why = strerror(-body->error);
	listener->visit(listener->context, &listener->event);
}

static void listener_message(void *context, const struct nlmsghdr *message)
{
	struct jvpn_nl_listener *listener = context;

	if (message->nlmsg_type == NLMSG_ERROR)
		listener_unsent(listener, message);
	else if (message->nlmsg_type == listener->family &&
		 jvpn_nl_event_decode(&listener->event, message))
		listener->visit(listener->context, &listener->event);
}

static void listener_lost(struct jvpn_nl_listener *listener, int code)
{
	listener->event.kind = JVPN_NL_EVENT_LOST;
	listener->event.why = code == -ENOBUFS ? "events came faster than they were read" :
						 "events could not be received";
	listener->visit(listener->context, &listener->event);
}

int jvpn_nl_packet_register(struct jvpn_nl_listener *listener, uint64_t device_id,
			    const uint8_t mac1_key[JVPN_KEY_SIZE],
			    const uint8_t name_key[JVPN_NAME_KEY_SIZE], jvpn_nl_event_visit visit,
			    void *context, struct jvpn_nl_error *error)
{
	struct jvpn_nl_packet request = {};
	struct jvpn_nl_exchange exchange = {
		.header = NL_HEADER, .object = &jvpn_nl_packet_object,
		.other = listener_message, .context = listener,
	};
	int result;

	JVPN_NL_SET(&request, device_id, device_id);
	if (mac1_key) {
		request.has.mac1_key = true;
		memcpy(request.mac1_key, mac1_key, sizeof(request.mac1_key));
	}
	if (name_key) {
		request.has.name_key = true;
		memcpy(request.name_key, name_key, sizeof(request.name_key));
	}
	listener->visit = visit;
	listener->context = context;
	result = nl_encode(listener->sock, listener->family, JVPN_CMD_PACKET_REGISTER,
			   &jvpn_nl_packet_object, &request, error);
	if (!result)
		result = jvpn_nl_sock_exchange(listener->sock, &exchange, error);
	return result;
}

int jvpn_nl_packet_flush(struct jvpn_nl_listener *listener)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	size_t octets = listener->queued;

	/* Control packets are lost on the way as well, and repeated: no reason to keep them. */
	listener->queued = 0;
	if (octets && sendto(jvpn_nl_sock_fd(listener->sock), listener->queue, octets, 0,
			     (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return 0;
}

int jvpn_nl_packet_queue(struct jvpn_nl_listener *listener, const struct jvpn_nl_packet *packet,
			 struct jvpn_nl_error *error)
{
	struct nlmsghdr *message = (struct nlmsghdr *)listener->sock->send;
	size_t size;
	int result = nl_encode(listener->sock, listener->family, JVPN_CMD_PACKET_SEND,
			       &jvpn_nl_packet_object, packet, error);

	if (result)
		return result;
	message->nlmsg_pid = listener->sock->port;
	size = MNL_ALIGN(message->nlmsg_len);
	if (size > sizeof(listener->queue) - listener->queued)
		result = jvpn_nl_packet_flush(listener);
	memcpy(listener->queue + listener->queued, message, size);
	listener->queued += size;
	return result;
}

/* Visit all messages of one receive. */
static unsigned int listener_batch(struct jvpn_nl_listener *listener, const uint8_t *data,
				   ssize_t octets)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)data;
	unsigned int count = 0;
	int left = octets;

	if (octets < 0) {
		listener_lost(listener, octets);
		return 1;
	}
	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		listener_message(listener, message);
		count++;
	}
	return count;
}

unsigned int jvpn_nl_listener_read(struct jvpn_nl_listener *listener,
				   jvpn_nl_event_visit visit, void *context,
				   unsigned int budget)
{
	ssize_t octets[JVPN_NL_SLOTS];
	unsigned int count = 0;
	int got = JVPN_NL_SLOTS;

	listener->visit = visit;
	listener->context = context;
	/* Fewer than there is room for: nothing is left, which asking again would only confirm. */
	while (count < budget && got == JVPN_NL_SLOTS) {
		got = jvpn_nl_sock_receive_many(listener->sock, octets);
		if (got < 0) {
			listener_lost(listener, got);
			count++;
		}
		for (int i = 0; i < got; i++)
			count += listener_batch(listener,
						listener->sock->receive + i * JVPN_NL_SLOT_SIZE,
						octets[i]);
	}
	return count;
}
