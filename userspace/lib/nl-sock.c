// SPDX-License-Identifier: GPL-2.0
#include "nl-sock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* The kernel answers before the request's send() returns; this is for what cannot happen. */
#define NL_TIMEOUT_MS 10000
#define NL_EVENT_BUFFER (8 << 20)
#define NL_ANSWER_BUFFER (1 << 20)
#define NL_DUMP_TRIES 5

int jvpn_nl_error_set(struct jvpn_nl_error *error, int code, const char *format, ...)
{
	va_list args;

	if (!error)
		return -code;
	*error = (struct jvpn_nl_error){ .code = code };
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -code;
}

/* --- open and close ------------------------------------------------------- */

static void sock_option(struct jvpn_nl_sock *sock, int option, int value)
{
	/* All of them exist since 4.20, and without one only texts get poorer. */
	mnl_socket_setsockopt(sock->mnl, option, &value, sizeof(value));
}

static void sock_buffer_set(struct jvpn_nl_sock *sock, int octets)
{
	int fd = mnl_socket_get_fd(sock->mnl);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof(octets)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
}

struct jvpn_nl_sock *jvpn_nl_sock_open(int bus, struct jvpn_nl_error *error)
{
	struct jvpn_nl_sock *sock = calloc(1, sizeof(*sock));

	if (!sock) {
		jvpn_nl_error_set(error, ENOMEM, "no memory for a netlink socket");
		return NULL;
	}
	sock->mnl = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!sock->mnl || mnl_socket_bind(sock->mnl, 0, MNL_SOCKET_AUTOPID)) {
		jvpn_nl_error_set(error, errno, "cannot open a netlink socket: %s",
				  strerror(errno));
		jvpn_nl_sock_close(sock);
		return NULL;
	}
	sock->port = mnl_socket_get_portid(sock->mnl);
	sock_option(sock, NETLINK_EXT_ACK, 1);
	/* An error must not bring the request back, which may hold keys. */
	sock_option(sock, NETLINK_CAP_ACK, 1);
	sock_option(sock, NETLINK_GET_STRICT_CHK, 1);
	sock_buffer_set(sock, NL_ANSWER_BUFFER);
	return sock;
}

void jvpn_nl_sock_close(struct jvpn_nl_sock *sock)
{
	if (!sock)
		return;
	if (sock->mnl)
		mnl_socket_close(sock->mnl);
	sodium_memzero(sock->send, sizeof(sock->send));
	sodium_memzero(sock->receive, sizeof(sock->receive));
	free(sock);
}

int jvpn_nl_sock_fd(const struct jvpn_nl_sock *sock)
{
	return mnl_socket_get_fd(sock->mnl);
}

void jvpn_nl_sock_listen(struct jvpn_nl_sock *sock)
{
	sock_option(sock, NETLINK_NO_ENOBUFS, 0);
	sock_buffer_set(sock, NL_EVENT_BUFFER);
}

int jvpn_nl_sock_join(struct jvpn_nl_sock *sock, uint32_t group, struct jvpn_nl_error *error)
{
	if (!mnl_socket_setsockopt(sock->mnl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		return 0;
	return jvpn_nl_error_set(error, errno, "cannot join netlink multicast group %u: %s",
				 group, strerror(errno));
}

/* --- errors --------------------------------------------------------------- */

/* What an extended acknowledgement may hold. */
struct nl_extack {
	const char *text;
	bool has_offset, has_missing, has_nest;
	uint32_t offset, missing, nest;
};

static void extack_u32(const struct nlattr *attr, uint32_t *value, bool *has)
{
	if (mnl_attr_get_payload_len(attr) != sizeof(*value))
		return;
	*value = mnl_attr_get_u32(attr);
	*has = true;
}

static void extack_attr(struct nl_extack *extack, const struct nlattr *attr)
{
	const char *text = mnl_attr_get_payload(attr);
	size_t size = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case NLMSGERR_ATTR_MSG:
		if (strnlen(text, size) < size)
			extack->text = text;
		break;
	case NLMSGERR_ATTR_OFFS:
		extack_u32(attr, &extack->offset, &extack->has_offset);
		break;
	case NLMSGERR_ATTR_MISS_TYPE:
		extack_u32(attr, &extack->missing, &extack->has_missing);
		break;
	case NLMSGERR_ATTR_MISS_NEST:
		extack_u32(attr, &extack->nest, &extack->has_nest);
		break;
	}
}

static void extack_parse(struct nl_extack *extack, const struct nlmsghdr *message,
			 size_t skip)
{
	const uint8_t *start = (const uint8_t *)message + skip;
	const uint8_t *end = (const uint8_t *)message + message->nlmsg_len;
	const struct nlattr *attr = (const struct nlattr *)start;

	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || skip > message->nlmsg_len)
		return;
	for (; mnl_attr_ok(attr, end - (const uint8_t *)attr); attr = mnl_attr_next(attr))
		extack_attr(extack, attr);
}

/* Name the attribute that the kernel points at, by its offset in the request. */
static void error_locate(struct jvpn_nl_error *error, const struct nl_extack *extack,
			 const struct nlmsghdr *request, const struct jvpn_nl_exchange *exchange)
{
	size_t before = MNL_NLMSG_HDRLEN + MNL_ALIGN(exchange->header);
	const uint8_t *attributes = (const uint8_t *)request + before;
	size_t size = request->nlmsg_len - before;
	size_t nest = extack->nest - before;

	if (extack->has_missing && (!extack->has_nest || extack->nest >= before))
		jvpn_nl_locate_missing(exchange->object, attributes, size,
				       extack->has_nest ? &nest : NULL, extack->missing,
				       error->attr);
	else if (extack->has_offset && extack->offset >= before)
		jvpn_nl_locate(exchange->object, attributes, size, extack->offset - before,
			       error->attr);
}

/* Words for an error that the kernel says nothing about. */
static const char *error_words(int code)
{
	switch (code) {
	case EPERM:
		return "not permitted: this needs CAP_NET_ADMIN (run it as root)";
	case EOPNOTSUPP:
		return "not supported: the kernel or module is older than this program";
	default:
		return strerror(code);
	}
}

static int error_fill(struct jvpn_nl_error *error, int code, const struct nl_extack *extack,
		      const struct nlmsghdr *request, const struct jvpn_nl_exchange *exchange)
{
	const char *text = extack->text ? extack->text : error_words(code);

	if (!error)
		return -code;
	jvpn_nl_error_set(error, code, "%s", text);
	if (exchange->object)
		error_locate(error, extack, request, exchange);
	if (error->attr[0] && extack->has_missing && !extack->text)
		snprintf(error->text, sizeof(error->text), "attribute is missing");
	return -code;
}

/* NLMSG_ERROR: 0 or a negative errno, with error filled in. */
static int error_parse(struct jvpn_nl_error *error, const struct nlmsghdr *message,
		       const struct nlmsghdr *request, const struct jvpn_nl_exchange *exchange)
{
	const struct nlmsgerr *body = mnl_nlmsg_get_payload(message);
	size_t skip = MNL_NLMSG_HDRLEN + sizeof(*body);
	struct nl_extack extack = {};

	if (message->nlmsg_len < skip)
		return jvpn_nl_error_set(error, EBADMSG, "the kernel's answer is truncated");
	if (!body->error)
		return 0;
	if (!(message->nlmsg_flags & NLM_F_CAPPED) && body->msg.nlmsg_len > sizeof(body->msg))
		skip += MNL_ALIGN(body->msg.nlmsg_len - sizeof(body->msg));
	extack_parse(&extack, message, skip);
	return error_fill(error, -body->error, &extack, request, exchange);
}

/* NLMSG_DONE: the same. */
static int done_parse(struct jvpn_nl_error *error, const struct nlmsghdr *message,
		      const struct nlmsghdr *request, const struct jvpn_nl_exchange *exchange)
{
	struct nl_extack extack = {};
	int code = 0;

	if (message->nlmsg_len >= MNL_NLMSG_HDRLEN + sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
	if (code >= 0)
		return 0;
	extack_parse(&extack, message, MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(code)));
	return error_fill(error, -code, &extack, request, exchange);
}

/* --- send and receive ----------------------------------------------------- */

struct nlmsghdr *jvpn_nl_sock_begin(struct jvpn_nl_sock *sock, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(sock->send);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	return message;
}

ssize_t jvpn_nl_sock_receive(struct jvpn_nl_sock *sock)
{
	struct sockaddr_nl from = {};
	struct iovec iov = { sock->receive, sizeof(sock->receive) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	ssize_t got;

	do {
		got = recvmsg(jvpn_nl_sock_fd(sock), &msg, 0);
		/* Only the kernel speaks for the kernel. */
	} while ((got < 0 && errno == EINTR) || (got >= 0 && from.nl_pid));
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : got;
}

int jvpn_nl_sock_receive_many(struct jvpn_nl_sock *sock, ssize_t octets[JVPN_NL_SLOTS])
{
	struct mmsghdr msgs[JVPN_NL_SLOTS] = {};
	struct sockaddr_nl from[JVPN_NL_SLOTS];
	struct iovec iov[JVPN_NL_SLOTS];
	int got;

	for (size_t i = 0; i < JVPN_NL_SLOTS; i++) {
		iov[i] = (struct iovec){ sock->receive + i * JVPN_NL_SLOT_SIZE,
					 JVPN_NL_SLOT_SIZE };
		msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i], .msg_namelen = sizeof(from[i]),
			.msg_iov = &iov[i], .msg_iovlen = 1,
		};
	}
	do {
		got = recvmmsg(jvpn_nl_sock_fd(sock), msgs, JVPN_NL_SLOTS, 0, NULL);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	for (int i = 0; i < got; i++) {
		octets[i] = msgs[i].msg_len;
		if (from[i].nl_pid)
			octets[i] = 0;
		else if (msgs[i].msg_hdr.msg_flags & MSG_TRUNC)
			octets[i] = -EMSGSIZE;
	}
	return got;
}

static int sock_send(struct jvpn_nl_sock *sock, struct jvpn_nl_error *error)
{
	struct nlmsghdr *message = (struct nlmsghdr *)sock->send;

	message->nlmsg_seq = ++sock->sequence;
	message->nlmsg_pid = sock->port;
	if (mnl_socket_sendto(sock->mnl, message, message->nlmsg_len) >= 0)
		return 0;
	return jvpn_nl_error_set(error, errno, "cannot send a netlink request: %s",
				 strerror(errno));
}

/* Wait for something to receive. */
static ssize_t sock_wait(struct jvpn_nl_sock *sock, struct jvpn_nl_error *error)
{
	struct pollfd poll_fd = { .fd = jvpn_nl_sock_fd(sock), .events = POLLIN };
	ssize_t got = jvpn_nl_sock_receive(sock);
	int ready = 1;

	while (!got && ready) {
		ready = poll(&poll_fd, 1, NL_TIMEOUT_MS);
		got = jvpn_nl_sock_receive(sock);
	}
	if (!got)
		return jvpn_nl_error_set(error, ETIMEDOUT, "the kernel does not answer");
	if (got == -ENOBUFS)
		return jvpn_nl_error_set(error, ENOBUFS,
					 "the kernel's answer was lost for lack of memory");
	if (got < 0)
		return jvpn_nl_error_set(error, -got, "cannot receive from netlink: %s",
					 strerror(-got));
	return got;
}

/* State of one exchange. */
struct nl_turn {
	struct jvpn_nl_sock *sock;
	const struct jvpn_nl_exchange *exchange;
	struct jvpn_nl_error *error;
	bool finished;
	bool interrupted;
	int result;
};

static void turn_message(struct nl_turn *turn, const struct nlmsghdr *message)
{
	const struct nlmsghdr *request = (const struct nlmsghdr *)turn->sock->send;
	const struct jvpn_nl_exchange *exchange = turn->exchange;

	if (message->nlmsg_seq != turn->sock->sequence || message->nlmsg_pid != turn->sock->port) {
		if (exchange->other)
			exchange->other(exchange->context, message);
		return;
	}
	turn->interrupted |= !!(message->nlmsg_flags & NLM_F_DUMP_INTR);
	if (message->nlmsg_type == NLMSG_ERROR) {
		turn->finished = true;
		turn->result = error_parse(turn->error, message, request, exchange);
	} else if (message->nlmsg_type == NLMSG_DONE) {
		turn->finished = true;
		turn->result = done_parse(turn->error, message, request, exchange);
	} else if (message->nlmsg_type >= NLMSG_MIN_TYPE && exchange->answer) {
		exchange->answer(exchange->context, message);
	}
}

static int turn_run(struct nl_turn *turn)
{
	turn->finished = false;
	turn->interrupted = false;
	turn->result = sock_send(turn->sock, turn->error);
	if (turn->result)
		return turn->result;
	while (!turn->finished) {
		ssize_t got = sock_wait(turn->sock, turn->error);
		const struct nlmsghdr *message = (const struct nlmsghdr *)turn->sock->receive;
		int left = got;

		if (got < 0)
			return got;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			turn_message(turn, message);
	}
	return turn->result;
}

int jvpn_nl_sock_exchange(struct jvpn_nl_sock *sock, const struct jvpn_nl_exchange *exchange,
			  struct jvpn_nl_error *error)
{
	struct nl_turn turn = { .sock = sock, .exchange = exchange, .error = error };
	struct nlmsghdr *request = (struct nlmsghdr *)sock->send;
	int result;

	if (error)
		*error = (struct jvpn_nl_error){};
	request->nlmsg_flags |= NLM_F_ACK;
	result = turn_run(&turn);
	sodium_memzero(sock->send, request->nlmsg_len);
	return result;
}

/* --- dumps ---------------------------------------------------------------- */

/* Messages of a dump, one after the other. */
struct nl_pile {
	uint8_t *data;
	size_t used;
	size_t room;
	bool failed;
};

static bool pile_grow(struct nl_pile *pile, size_t octets)
{
	size_t room = pile->room ? pile->room : JVPN_NL_RECEIVE_MAX;
	uint8_t *data;

	while (room - pile->used < octets)
		room *= 2;
	if (room == pile->room)
		return true;
	data = realloc(pile->data, room);
	if (!data)
		return false;
	pile->data = data;
	pile->room = room;
	return true;
}

static void pile_add(void *context, const struct nlmsghdr *message)
{
	struct nl_pile *pile = context;
	size_t octets = MNL_ALIGN(message->nlmsg_len);

	if (pile->failed || !pile_grow(pile, octets)) {
		pile->failed = true;
		return;
	}
	memcpy(pile->data + pile->used, message, message->nlmsg_len);
	pile->used += octets;
}

static void pile_visit(const struct nl_pile *pile, const struct jvpn_nl_exchange *exchange)
{
	for (size_t at = 0; at < pile->used;) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(pile->data + at);

		exchange->answer(exchange->context, message);
		at += MNL_ALIGN(message->nlmsg_len);
	}
}

static int dump_collect(struct jvpn_nl_sock *sock, const struct jvpn_nl_exchange *exchange,
			struct nl_pile *pile, struct jvpn_nl_error *error)
{
	struct jvpn_nl_exchange collect = *exchange;
	struct nl_turn turn = { .sock = sock, .exchange = &collect, .error = error };
	int result;

	collect.answer = pile_add;
	collect.context = pile;
	collect.other = NULL;
	pile->used = 0;
	result = turn_run(&turn);
	if (result)
		return result;
	if (pile->failed)
		return jvpn_nl_error_set(error, ENOMEM, "no memory for a netlink dump");
	return turn.interrupted ? JVPN_NL_INTERRUPTED : 0;
}

int jvpn_nl_sock_dump(struct jvpn_nl_sock *sock, const struct jvpn_nl_exchange *exchange,
		      struct jvpn_nl_error *error)
{
	struct nlmsghdr *request = (struct nlmsghdr *)sock->send;
	struct nl_pile pile = {};
	int result = JVPN_NL_INTERRUPTED;

	if (error)
		*error = (struct jvpn_nl_error){};
	request->nlmsg_flags |= NLM_F_DUMP;
	for (int i = 0; i < NL_DUMP_TRIES && result == JVPN_NL_INTERRUPTED; i++)
		result = dump_collect(sock, exchange, &pile, error);
	if (result >= 0)
		pile_visit(&pile, exchange);
	free(pile.data);
	return result;
}
