/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_NL_H
#define JVPN_NL_H

/*
 * Client of the module's netlink interface. Requests and events use sockets of
 * their own, so that neither can displace the other. The structs are those of
 * nl-gen.h, which mirror the specification; what a request may hold is said
 * there, and in <linux/jvpn.h>.
 *
 * Set a member together with its flag:
 *	struct jvpn_nl_session request = {};
 *
 *	JVPN_NL_SET(&request, expected_version, version);
 *
 * Functions return 0, or a negative errno with *error filled in. error may be
 * NULL. Structs that hold keys are the caller's to wipe; copies made here are
 * wiped here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nl-gen.h"
#include "nl-sock.h"

#define JVPN_NL_SET(object, member, value) \
	((object)->has.member = true, (object)->member = (value))

struct jvpn_nl;

/* NULL with a sentence in *error if the module is not there. */
struct jvpn_nl *jvpn_nl_open(struct jvpn_nl_error *error);
void jvpn_nl_close(struct jvpn_nl *nl);

/* --- devices -------------------------------------------------------------- */

/*
 * An interface is asked for its id once. Everything else is asked by that: the
 * device may be moved to another network namespace, and its index be another's.
 */
int jvpn_nl_device_get(struct jvpn_nl *nl, uint32_t ifindex, struct jvpn_nl_device *device,
		       struct jvpn_nl_error *error);
int jvpn_nl_device_get_by_id(struct jvpn_nl *nl, uint64_t device_id,
			     struct jvpn_nl_device *device, struct jvpn_nl_error *error);
int jvpn_nl_device_set(struct jvpn_nl *nl, const struct jvpn_nl_device *request,
		       struct jvpn_nl_error *error);

/*
 * Dumps visit after the whole of it was received. One that the kernel marks as
 * interrupted is repeated; JVPN_NL_INTERRUPTED (positive) is returned if it
 * still was the last time: entries may be missing or doubled. The visitor may
 * make requests.
 */
typedef void (*jvpn_nl_device_visit)(void *context, const struct jvpn_nl_device *device);
typedef void (*jvpn_nl_socket_visit)(void *context, const struct jvpn_nl_socket *sock);
typedef void (*jvpn_nl_session_visit)(void *context, const struct jvpn_nl_session *session);

int jvpn_nl_device_dump(struct jvpn_nl *nl, jvpn_nl_device_visit visit, void *context,
			struct jvpn_nl_error *error);

/* --- sockets -------------------------------------------------------------- */

/* reply: what was made, with its id and port. */
int jvpn_nl_socket_new(struct jvpn_nl *nl, const struct jvpn_nl_socket *request,
		       struct jvpn_nl_socket *reply, struct jvpn_nl_error *error);
/* id and place of request: bound elsewhere, under what uses it. */
int jvpn_nl_socket_set(struct jvpn_nl *nl, const struct jvpn_nl_socket *request,
		       struct jvpn_nl_error *error);
int jvpn_nl_socket_del(struct jvpn_nl *nl, uint64_t device_id, uint32_t id,
		       struct jvpn_nl_error *error);
int jvpn_nl_socket_dump(struct jvpn_nl *nl, uint64_t device_id, jvpn_nl_socket_visit visit,
			void *context, struct jvpn_nl_error *error);

/* --- sessions ------------------------------------------------------------- */

/*
 * The answer to a request that changes a session. It is there also if the
 * request was refused, as far as the session exists: *error then says the same
 * in reject, state, version and epoch. reply may be NULL, and may be request.
 */
int jvpn_nl_session_new(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			struct jvpn_nl_session *reply, struct jvpn_nl_error *error);
int jvpn_nl_session_set(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			struct jvpn_nl_session *reply, struct jvpn_nl_error *error);
int jvpn_nl_session_transition(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			       struct jvpn_nl_session *reply, struct jvpn_nl_error *error);
int jvpn_nl_binding_set(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			struct jvpn_nl_session *reply, struct jvpn_nl_error *error);
int jvpn_nl_binding_prepare(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			    struct jvpn_nl_session *reply, struct jvpn_nl_error *error);
int jvpn_nl_binding_cancel(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			   struct jvpn_nl_session *reply, struct jvpn_nl_error *error);
int jvpn_nl_binding_probe(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			  struct jvpn_nl_session *reply, struct jvpn_nl_error *error);
int jvpn_nl_epoch_set(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
		      struct jvpn_nl_session *reply, struct jvpn_nl_error *error);

int jvpn_nl_session_get(struct jvpn_nl *nl, uint64_t device_id,
			const uint8_t id[JVPN_SESSION_ID_SIZE], struct jvpn_nl_session *session,
			struct jvpn_nl_error *error);
int jvpn_nl_session_dump(struct jvpn_nl *nl, uint64_t device_id, jvpn_nl_session_visit visit,
			 void *context, struct jvpn_nl_error *error);
int jvpn_nl_session_del(struct jvpn_nl *nl, uint64_t device_id,
			const uint8_t id[JVPN_SESSION_ID_SIZE], struct jvpn_nl_error *error);

/* --- control packets ------------------------------------------------------ */

int jvpn_nl_packet_send(struct jvpn_nl *nl, const struct jvpn_nl_packet *packet,
			struct jvpn_nl_error *error);

/* --- events --------------------------------------------------------------- */

enum jvpn_nl_event_kind {
	JVPN_NL_EVENT_LOST,	/* some events did not arrive: read everything again */
	JVPN_NL_EVENT_SESSION,	/* .session: transitions in history */
	JVPN_NL_EVENT_EPOCH,	/* .session */
	JVPN_NL_EVENT_HEALTH,	/* .session */
	JVPN_NL_EVENT_UNBOUND,	/* .unbound */
	JVPN_NL_EVENT_PACKET,	/* .packet */
	JVPN_NL_EVENT_HOST,	/* .device */
	JVPN_NL_EVENT_UNSENT,	/* a packet that was queued could not be sent */
};

struct jvpn_nl_event {
	enum jvpn_nl_event_kind kind;
	const char *why;	/* LOST: a sentence; UNSENT: the error in words */
	union {
		struct jvpn_nl_session session;
		struct jvpn_nl_unbound unbound;
		struct jvpn_nl_packet packet;
		struct jvpn_nl_device device;
	};
};

typedef void (*jvpn_nl_event_visit)(void *context, const struct jvpn_nl_event *event);

#define JVPN_NL_GROUP_STATE	0x1
#define JVPN_NL_GROUP_HEALTH	0x2
#define JVPN_NL_GROUP_SECURITY	0x4
#define JVPN_NL_GROUPS_ALL	0x7

struct jvpn_nl_listener;

/* A socket for the events of some groups; none (0) for one that receives control packets. */
struct jvpn_nl_listener *jvpn_nl_listener_open(struct jvpn_nl *nl, unsigned int groups,
					       struct jvpn_nl_error *error);
void jvpn_nl_listener_close(struct jvpn_nl_listener *listener);
/* To poll for reading. */
int jvpn_nl_listener_fd(const struct jvpn_nl_listener *listener);

/*
 * Receive the control packets of a device here, until the listener is closed.
 * Packets that arrive before the answer are visited at once. mac1_key: INIT and
 * REQUEST must verify under it; name_key: tells names that this end has made. NULL: the
 * kernel does not look.
 */
int jvpn_nl_packet_register(struct jvpn_nl_listener *listener, uint64_t device_id,
			    const uint8_t mac1_key[JVPN_KEY_SIZE],
			    const uint8_t name_key[JVPN_NAME_KEY_SIZE], jvpn_nl_event_visit visit,
			    void *context, struct jvpn_nl_error *error);

/*
 * Control packets that go out together, in one call: those queued since the last flush, or fewer
 * if the room is used up; then queue returns what a flush returns, 0 or -errno. A packet that the
 * kernel takes and cannot send is an event of the listener (UNSENT).
 */
int jvpn_nl_packet_queue(struct jvpn_nl_listener *listener, const struct jvpn_nl_packet *packet,
			 struct jvpn_nl_error *error);
int jvpn_nl_packet_flush(struct jvpn_nl_listener *listener);

/*
 * Visit what has arrived, without waiting, until budget messages have been visited or a few more,
 * as they are received together. Returns their number.
 */
unsigned int jvpn_nl_listener_read(struct jvpn_nl_listener *listener,
				   jvpn_nl_event_visit visit, void *context,
				   unsigned int budget);

/* One message as an event; exposed for tests. False if it is of no known kind. */
bool jvpn_nl_event_decode(struct jvpn_nl_event *event, const struct nlmsghdr *message);

#endif /* JVPN_NL_H */
