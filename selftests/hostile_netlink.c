// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that wrong requests are refused with a sentence and the errno that
 * belongs to the mistake, and that nothing of them is applied; and that random
 * damage to requests does no harm.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static struct fx fx;
static struct session s;
static char *before;

static void begin(enum jvpn_role role)
{
	fx = fx_open();
	s = session_describe(&fx, role, 10);
	session_attach(&s);
	/* A client greets its gateway when it is bound; nothing follows for ten minutes. */
	if (role == JVPN_ROLE_CLIENT)
		REQUIRE(WAIT_FOR(nl_counter(fx.nl, fx.ifindex, "tx_heartbeats") == 1),
			"there is no first heartbeat");
	free(before);
	before = nl_session_text(fx.nl, fx.ifindex, s.id);
}

static struct nl_view device_view(void)
{
	struct nl_request r = nl_begin(fx.nl, JVPN_CMD_DEVICE_GET);
	struct nl_reply reply;

	nl_put_u32(&r, JVPN_A_DEVICE_IFINDEX, fx.ifindex);
	REQUIRE(!nl_run(&r, &reply), "cannot read the device: %s", reply.text);
	return reply.view;
}

/* What netlink's own validation refuses has one of two errors, by kernel. */
#define MALFORMED (-1)

static bool is_error(int found, int wanted)
{
	return wanted == MALFORMED ? found == EINVAL || found == ERANGE : found == wanted;
}

/* Run it: refused so, with a sentence. */
static void refused(struct nl_request *r, int error, const char *what)
{
	struct nl_reply reply;

	nl_run(r, &reply);
	CHECK(is_error(reply.error, error), "%s: the error is %s, not %s", what,
	      strerror(reply.error), error == MALFORMED ? "of validation" : strerror(error));
	CHECK(reply.text[0], "%s: there is no sentence", what);
}

static void nothing_changed(void)
{
	char *after = nl_session_text(fx.nl, fx.ifindex, s.id);
	struct nl_view v = device_view();

	CHECK(!strcmp(before, after), "the session was changed:\n%s\nwas\n%s", after, before);
	CHECK_EQ(v.sessions, 1, "sessions of the device");
	CHECK_EQ(v.sockets, 2, "sockets of the device");
	free(after);
}

/* ---- what a request is about ---- */

static void wrong_device(void)
{
	static const struct {
		uint8_t cmd;
		uint16_t attr;
	} cmds[] = {
		{ JVPN_CMD_DEVICE_GET, JVPN_A_DEVICE_IFINDEX },
		{ JVPN_CMD_PACKET_REGISTER, JVPN_A_PACKET_IFINDEX },
	};
	struct nl_request r;
	unsigned int i;

	begin(JVPN_ROLE_GATEWAY);
	for (i = 0; i < 2; i++) {
		r = nl_begin(fx.nl, cmds[i].cmd);
		refused(&r, EINVAL, "no ifindex");
		r = nl_begin(fx.nl, cmds[i].cmd);
		nl_put_u32(&r, cmds[i].attr, 0);
		refused(&r, ENODEV, "ifindex 0");
		r = nl_begin(fx.nl, cmds[i].cmd);
		nl_put_u32(&r, cmds[i].attr, if_nametoindex("lo"));
		refused(&r, ENODEV, "an interface that is no jvpn device");
		r = nl_begin(fx.nl, cmds[i].cmd);
		nl_put_u32(&r, cmds[i].attr, UINT32_MAX);
		refused(&r, ENODEV, "an ifindex that nobody has");
	}
	nothing_changed();
}

static const uint8_t session_cmds[] = {
	JVPN_CMD_SESSION_GET, JVPN_CMD_SESSION_SET, JVPN_CMD_SESSION_TRANSITION,
	JVPN_CMD_SESSION_DEL, JVPN_CMD_BINDING_SET, JVPN_CMD_BINDING_PREPARE,
	JVPN_CMD_BINDING_CANCEL, JVPN_CMD_BINDING_PROBE, JVPN_CMD_EPOCH_SET,
	JVPN_CMD_SESSION_NEW,
};

static void no_id(void)
{
	struct nl_request r;
	unsigned int i;

	begin(JVPN_ROLE_GATEWAY);
	for (i = 0; i < sizeof(session_cmds); i++) {
		r = nl_begin(fx.nl, session_cmds[i]);
		nl_put_u32(&r, JVPN_A_SESSION_IFINDEX, fx.ifindex);
		refused(&r, EINVAL, "no id");
		r = nl_begin(fx.nl, session_cmds[i]);
		nl_put_u32(&r, JVPN_A_SESSION_IFINDEX, fx.ifindex);
		nl_put(&r, JVPN_A_SESSION_ID, s.id, 15);
		refused(&r, MALFORMED, "an id of 15 octets");
		r = nl_begin(fx.nl, session_cmds[i]);
		nl_put_u32(&r, JVPN_A_SESSION_IFINDEX, fx.ifindex);
		nl_put(&r, JVPN_A_SESSION_ID, before, 17);
		refused(&r, MALFORMED, "an id of 17 octets");
	}
	nothing_changed();
}

static void unknown_session(void)
{
	struct session other = s;
	struct nl_transport t;
	struct nl_epoch e = nl_epoch(1);
	struct bind b = { .version = 1, .keys = &e };
	struct nl_request r;
	struct nl_reply reply;

	begin(JVPN_ROLE_GATEWAY);
	other = s;
	other.id[0] ^= 1;
	t = session_transport(&s);
	r = session_request(&other, JVPN_CMD_SESSION_GET);
	refused(&r, ENOENT, "session-get");
	r = session_request(&other, JVPN_CMD_SESSION_DEL);
	refused(&r, ENOENT, "session-del");
	CHECK_EQ(session_transition(&other, 1, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR, &reply),
		 ENOENT, "session-transition: the error");
	CHECK_EQ(reply.view.reject, JVPN_REJECT_UNKNOWN_SESSION, "reject");
	b.transport = &t;
	CHECK_EQ(session_bind(&other, JVPN_CMD_BINDING_SET, &b, &reply), ENOENT,
		 "binding-set: the error");
	CHECK_EQ(session_bind(&other, JVPN_CMD_BINDING_PREPARE, &b, &reply), ENOENT,
		 "binding-prepare: the error");
	CHECK_EQ(session_cancel(&other, NULL, &reply), ENOENT, "binding-cancel: the error");
	nothing_changed();
}

static void missing_parts(void)
{
	struct nl_request r;

	begin(JVPN_ROLE_GATEWAY);
	r = session_request(&s, JVPN_CMD_SESSION_TRANSITION);
	nl_put_u32(&r, JVPN_A_SESSION_EVENT, JVPN_EVENT_TERMINATE);
	nl_put_u32(&r, JVPN_A_SESSION_REASON, JVPN_REASON_OPERATOR);
	refused(&r, EINVAL, "a transition without expected-version");
	r = session_request(&s, JVPN_CMD_SESSION_TRANSITION);
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);
	nl_put_u32(&r, JVPN_A_SESSION_EVENT, JVPN_EVENT_TERMINATE);
	refused(&r, EINVAL, "a transition without reason");
	r = session_request(&s, JVPN_CMD_SESSION_TRANSITION);
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);
	nl_put_u32(&r, JVPN_A_SESSION_REASON, JVPN_REASON_OPERATOR);
	refused(&r, EINVAL, "a transition without event");
	r = session_request(&s, JVPN_CMD_BINDING_SET);
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);
	refused(&r, EINVAL, "binding-set without anything to set");
	r = session_request(&s, JVPN_CMD_EPOCH_SET);
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);
	refused(&r, EINVAL, "epoch-set without keys");
	r = session_request(&s, JVPN_CMD_BINDING_PREPARE);
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);
	refused(&r, EINVAL, "binding-prepare without keys");
	r = session_request(&s, JVPN_CMD_SESSION_SET);
	nl_put_u64(&r, JVPN_A_SESSION_LEASE_DEADLINE, 1);
	refused(&r, EINVAL, "session-set without expected-version");
	r = session_request(&s, JVPN_CMD_SESSION_SET);
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);
	nl_put_u64(&r, JVPN_A_SESSION_PEER_VERSION, 7);
	refused(&r, EINVAL, "peer-version without peer-epoch");
	r = nl_begin(fx.nl, JVPN_CMD_DEVICE_SET);
	nl_put_u32(&r, JVPN_A_DEVICE_IFINDEX, fx.ifindex);
	refused(&r, EINVAL, "device-set with nothing to set");
	r = nl_begin(fx.nl, JVPN_CMD_SOCKET_DEL);
	nl_put_u32(&r, JVPN_A_SOCKET_IFINDEX, fx.ifindex);
	refused(&r, EINVAL, "socket-del without id");
	nothing_changed();
}

static void values_out_of_range(void)
{
	struct nl_request r;

	begin(JVPN_ROLE_GATEWAY);
#define TRANSITION(event, reason, error, what)				\
	do {								\
		r = session_request(&s, JVPN_CMD_SESSION_TRANSITION);	\
		nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);	\
		nl_put_u32(&r, JVPN_A_SESSION_EVENT, event);		\
		nl_put_u32(&r, JVPN_A_SESSION_REASON, reason);		\
		refused(&r, error, what);				\
	} while (0)
	TRANSITION(JVPN_EVENT_MAX + 1, JVPN_REASON_OPERATOR, MALFORMED, "an unknown event");
	TRANSITION(UINT32_MAX, JVPN_REASON_OPERATOR, MALFORMED, "the highest event");
	TRANSITION(JVPN_EVENT_TERMINATE, JVPN_REASON_MAX + 1, MALFORMED, "an unknown reason");
	/* Bits beyond those of a set of reasons. */
	TRANSITION(JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR + 32, MALFORMED, "reason 32 higher");
	r = session_request(&s, JVPN_CMD_SESSION_TRANSITION);
	nl_put_u32(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);
	nl_put_u32(&r, JVPN_A_SESSION_EVENT, JVPN_EVENT_TERMINATE);
	nl_put_u32(&r, JVPN_A_SESSION_REASON, JVPN_REASON_OPERATOR);
	refused(&r, MALFORMED, "a version of 4 octets");
	r = session_request(&s, JVPN_CMD_SESSION_GET);
	nl_put_u32(&r, JVPN_A_SESSION_STATE, 1);
	refused(&r, MALFORMED, "an attribute of answers");
	r = session_request(&s, JVPN_CMD_SESSION_GET);
	nl_put_u32(&r, JVPN_A_SESSION_MAX + 1, 1);
	refused(&r, MALFORMED, "an unknown attribute");
	r = session_request(&s, JVPN_CMD_SESSION_GET);
	nl_put_u32(&r, 0x3fff, 1);
	refused(&r, MALFORMED, "the highest attribute");
	nothing_changed();
}

/* ---- sockets ---- */

static struct nl_request socket_new(void)
{
	struct nl_request r = nl_begin(fx.nl, JVPN_CMD_SOCKET_NEW);

	nl_put_u32(&r, JVPN_A_SOCKET_IFINDEX, fx.ifindex);
	return r;
}

static struct nl_request socket_set(uint32_t id)
{
	struct nl_request r = nl_begin(fx.nl, JVPN_CMD_SOCKET_SET);

	nl_put_u32(&r, JVPN_A_SOCKET_IFINDEX, fx.ifindex);
	nl_put_u32(&r, JVPN_A_SOCKET_ID, id);
	return r;
}

static void wrong_sockets(void)
{
	struct nl_addr v4 = nl_addr("127.0.0.1", 0), v6 = nl_addr("fd01::1", 0);
	struct nl_addr foreign = nl_addr("198.51.100.7", 0);
	struct nl_request r;
	struct nl_view v;

	begin(JVPN_ROLE_GATEWAY);
	v = session_view(&s);
	r = socket_new();
	refused(&r, EINVAL, "no address");
	r = socket_new();
	nl_put_addr(&r, JVPN_A_SOCKET_LOCAL_IPV4, 0, &v4);
	nl_put_addr(&r, 0, JVPN_A_SOCKET_LOCAL_IPV6, &v6);
	refused(&r, EINVAL, "two addresses");
	r = socket_new();
	nl_put_addr(&r, JVPN_A_SOCKET_LOCAL_IPV4, 0, &foreign);
	refused(&r, EADDRNOTAVAIL, "an address that is not here");
	r = socket_new();
	nl_put_addr(&r, JVPN_A_SOCKET_LOCAL_IPV4, 0, &v4);
	nl_put_u16(&r, JVPN_A_SOCKET_LOCAL_PORT, htons(fx.addr4.port));
	refused(&r, EADDRINUSE, "a port that is taken");
	r = socket_new();
	nl_put_addr(&r, JVPN_A_SOCKET_LOCAL_IPV4, 0, &v4);
	nl_put_u32(&r, JVPN_A_SOCKET_BIND_IFINDEX, 9999);
	refused(&r, ENODEV, "an interface that is not there");
	r = socket_new();
	nl_put(&r, JVPN_A_SOCKET_LOCAL_IPV6, &v6.v6, 15);
	refused(&r, MALFORMED, "an IPv6 address of 15 octets");
	r = nl_begin(fx.nl, JVPN_CMD_SOCKET_DEL);
	nl_put_u32(&r, JVPN_A_SOCKET_IFINDEX, fx.ifindex);
	nl_put_u32(&r, JVPN_A_SOCKET_ID, 77);
	refused(&r, ENOENT, "closing a socket that is not there");
	r = nl_begin(fx.nl, JVPN_CMD_SOCKET_DEL);
	nl_put_u32(&r, JVPN_A_SOCKET_IFINDEX, fx.ifindex);
	nl_put_u32(&r, JVPN_A_SOCKET_ID, v.transport.socket);
	refused(&r, EBUSY, "closing the socket of a binding");
	r = socket_set(v.transport.socket);
	refused(&r, EINVAL, "moving a socket to no address");
	r = socket_set(77);
	nl_put_addr(&r, JVPN_A_SOCKET_LOCAL_IPV4, 0, &v4);
	refused(&r, ENOENT, "moving a socket that is not there");
	r = socket_set(v.transport.socket);
	nl_put_addr(&r, 0, JVPN_A_SOCKET_LOCAL_IPV6, &v6);
	refused(&r, EAFNOSUPPORT, "moving a socket to the other family");
	r = socket_set(v.transport.socket);
	nl_put_addr(&r, JVPN_A_SOCKET_LOCAL_IPV4, 0, &foreign);
	refused(&r, EADDRNOTAVAIL, "moving a socket to an address that is not here");
	r = socket_set(v.transport.socket);
	nl_put_addr(&r, JVPN_A_SOCKET_LOCAL_IPV4, 0, &v4);
	nl_put_u32(&r, JVPN_A_SOCKET_BIND_IFINDEX, 9999);
	refused(&r, ENODEV, "moving a socket to an interface that is not there");
	nothing_changed();
	session_works(&s, "unharmed");
}

/* ---- transports and keys ---- */

static void wrong_transports(void)
{
	static const char * const remotes[] = { "0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1", "::ffff:192.0.2.1" };
	struct nl_epoch e = nl_epoch(1);
	struct nl_transport t;
	struct nl_request r;
	struct nl_addr v4 = nl_addr("127.0.0.9", 0), v6 = nl_addr("fd01::9", 0);
	unsigned int i;
	void *nest;

	begin(JVPN_ROLE_GATEWAY);
#define BIND()								\
	({								\
		r = session_request(&s, JVPN_CMD_BINDING_SET);		\
		nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);	\
		nl_put_u32(&r, JVPN_A_SESSION_REASON, JVPN_REASON_CLIENT_JUMP); \
		nl_put_epoch(&r, &e);					\
	})
#define NEST() (nest = nl_nest(&r, JVPN_A_SESSION_TRANSPORT))
#define SOCKET(id) nl_put_u32(&r, JVPN_A_TRANSPORT_SOCKET, id)
#define PORT(n) nl_put_u16(&r, JVPN_A_TRANSPORT_REMOTE_PORT, htons(n))
	for (i = 0; i < sizeof(remotes) / sizeof(remotes[0]); i++) {
		BIND();
		t = (struct nl_transport){ .remote = nl_addr(remotes[i], 4000) };
		t.socket = t.remote.family == AF_INET ? fx.socket4 : fx.socket6;
		nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
		refused(&r, EINVAL, remotes[i]);
	}
	BIND();
	NEST();
	nl_nest_end(&r, nest);
	refused(&r, EINVAL, "an empty transport");
	BIND();
	NEST();
	SOCKET(fx.socket4);
	PORT(4000);
	nl_nest_end(&r, nest);
	refused(&r, EINVAL, "no remote address");
	BIND();
	NEST();
	SOCKET(fx.socket4);
	nl_put(&r, JVPN_A_TRANSPORT_REMOTE_IPV4, &v4.v4, 4);
	nl_nest_end(&r, nest);
	refused(&r, EINVAL, "no remote port");
	BIND();
	NEST();
	SOCKET(fx.socket4);
	nl_put(&r, JVPN_A_TRANSPORT_REMOTE_IPV4, &v4.v4, 4);
	PORT(0);
	nl_nest_end(&r, nest);
	refused(&r, EINVAL, "remote port 0");
	BIND();
	NEST();
	SOCKET(fx.socket4);
	nl_put(&r, JVPN_A_TRANSPORT_REMOTE_IPV4, &v4.v4, 4);
	nl_put(&r, JVPN_A_TRANSPORT_REMOTE_IPV6, &v6.v6, 16);
	PORT(4000);
	nl_nest_end(&r, nest);
	refused(&r, EINVAL, "two remote addresses");
	BIND();
	NEST();
	nl_put(&r, JVPN_A_TRANSPORT_REMOTE_IPV4, &v4.v4, 4);
	PORT(4000);
	nl_nest_end(&r, nest);
	refused(&r, EINVAL, "no socket");
	BIND();
	NEST();
	SOCKET(4711);
	nl_put(&r, JVPN_A_TRANSPORT_REMOTE_IPV4, &v4.v4, 4);
	PORT(4000);
	nl_nest_end(&r, nest);
	refused(&r, ENOENT, "a socket that is not there");
	BIND();
	NEST();
	SOCKET(fx.socket6);
	nl_put(&r, JVPN_A_TRANSPORT_REMOTE_IPV4, &v4.v4, 4);
	PORT(4000);
	nl_nest_end(&r, nest);
	refused(&r, EINVAL, "a socket of the other family");
	BIND();
	NEST();
	SOCKET(fx.socket4);
	nl_put(&r, JVPN_A_TRANSPORT_REMOTE_IPV4, &v4.v4, 4);
	nl_put(&r, JVPN_A_TRANSPORT_LOCAL_IPV6, &v6.v6, 16);
	PORT(4000);
	nl_nest_end(&r, nest);
	refused(&r, EINVAL, "a source of the other family");
	BIND();
	NEST();
	SOCKET(fx.socket4);
	nl_put(&r, JVPN_A_TRANSPORT_REMOTE_IPV4, &v4.v4, 3);
	PORT(4000);
	nl_nest_end(&r, nest);
	refused(&r, MALFORMED, "an address of 3 octets");
	BIND();
	NEST();
	SOCKET(fx.socket4);
	nl_put(&r, JVPN_A_TRANSPORT_REMOTE_IPV4, &v4.v4, 4);
	PORT(4000);
	nl_put_u64(&r, JVPN_A_TRANSPORT_VERSION, 1);
	nl_nest_end(&r, nest);
	refused(&r, MALFORMED, "a transport with a version");
	BIND();
	nl_put_u32(&r, JVPN_A_SESSION_TRANSPORT, 1);
	refused(&r, EINVAL, "a transport that is no nest");
	nothing_changed();
	/* The sockets that were named were let go again. */
	session_works(&s, "unharmed");
}

static void wrong_keys(void)
{
	struct nl_epoch e = nl_epoch(1);
	struct nl_transport t;
	struct nl_request r;
	unsigned int skip;
	void *nest;

	begin(JVPN_ROLE_GATEWAY);
	t = session_transport(&s);
#define PART(attr, put)							\
	do {								\
		if (skip != (attr))					\
			put;						\
	} while (0)
#define KEYS()								\
	do {								\
		r = session_request(&s, JVPN_CMD_BINDING_SET);		\
		nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);	\
		nl_put_u32(&r, JVPN_A_SESSION_REASON, JVPN_REASON_CLIENT_JUMP); \
		nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);	\
		nest = nl_nest(&r, JVPN_A_SESSION_KEYS);		\
		PART(JVPN_A_EPOCH_NUMBER, nl_put_u32(&r, JVPN_A_EPOCH_NUMBER, e.number)); \
		PART(JVPN_A_EPOCH_SUITE, nl_put_u32(&r, JVPN_A_EPOCH_SUITE, 1)); \
		PART(JVPN_A_EPOCH_RX_INDEX, nl_put_u32(&r, JVPN_A_EPOCH_RX_INDEX, e.rx.index)); \
		PART(JVPN_A_EPOCH_TX_INDEX, nl_put_u32(&r, JVPN_A_EPOCH_TX_INDEX, e.tx.index)); \
		PART(JVPN_A_EPOCH_RX_KEY, nl_put(&r, JVPN_A_EPOCH_RX_KEY, e.rx.key, 32)); \
		PART(JVPN_A_EPOCH_RX_IV, nl_put(&r, JVPN_A_EPOCH_RX_IV, e.rx.iv, 12)); \
		PART(JVPN_A_EPOCH_TX_KEY, nl_put(&r, JVPN_A_EPOCH_TX_KEY, e.tx.key, 32)); \
		PART(JVPN_A_EPOCH_TX_IV, nl_put(&r, JVPN_A_EPOCH_TX_IV, e.tx.iv, 12)); \
	} while (0)
	for (skip = JVPN_A_EPOCH_NUMBER; skip <= JVPN_A_EPOCH_TX_IV; skip++) {
		KEYS();
		nl_nest_end(&r, nest);
		refused(&r, EINVAL, "keys without one of their parts");
	}
	skip = JVPN_A_EPOCH_SUITE;
	KEYS();
	nl_put_u32(&r, JVPN_A_EPOCH_SUITE, 2);
	nl_nest_end(&r, nest);
	refused(&r, MALFORMED, "an unknown suite");
	KEYS();
	nl_put_u32(&r, JVPN_A_EPOCH_SUITE, 0);
	nl_nest_end(&r, nest);
	refused(&r, MALFORMED, "suite none");
	skip = JVPN_A_EPOCH_RX_INDEX;
	KEYS();
	nl_put_u32(&r, JVPN_A_EPOCH_RX_INDEX, 0);
	nl_nest_end(&r, nest);
	refused(&r, EINVAL, "index 0");
	skip = JVPN_A_EPOCH_RX_KEY;
	KEYS();
	nl_put(&r, JVPN_A_EPOCH_RX_KEY, e.rx.key, 31);
	nl_nest_end(&r, nest);
	refused(&r, MALFORMED, "a key of 31 octets");
	KEYS();
	nl_put(&r, JVPN_A_EPOCH_RX_KEY, e.tx.key, 32);
	nl_nest_end(&r, nest);
	refused(&r, EINVAL, "one key for both directions");
	skip = 0;
	KEYS();
	nl_put_u64(&r, JVPN_A_EPOCH_TX_COUNTER, 5);
	nl_nest_end(&r, nest);
	refused(&r, MALFORMED, "keys with a counter");
	nothing_changed();
	session_works(&s, "unharmed");
}

/* ---- new sessions ---- */

static struct nl_request new_session(struct session *n, bool with_inner)
{
	struct nl_request r;

	*n = s;
	n->id[1] ^= 0xff;
	r = session_request(n, JVPN_CMD_SESSION_NEW);
	nl_put_u32(&r, JVPN_A_SESSION_ROLE, JVPN_ROLE_CLIENT);
	if (with_inner)
		nl_put_inner(&r, "10.9.0.1/32");
	return r;
}

static void wrong_sessions(void)
{
	static const char * const inners[] = { "10.9.0.1/24", "10.9.0.1/0", "fd09::1/64", "0.0.0.1/31" };
	struct nl_transport t;
	struct nl_epoch e = nl_epoch(0);
	struct nl_addr v4 = nl_addr("10.9.0.0", 0), v6 = nl_addr("fd09::", 0);
	char label[80], prefix[32];
	struct nl_request r;
	struct session n;
	unsigned int i;
	void *nest;

	begin(JVPN_ROLE_CLIENT);
	t = session_transport(&s);
	r = new_session(&n, false);
	refused(&r, EINVAL, "no inner prefix");
	for (i = 0; i < 4; i++) {
		r = new_session(&n, false);
		nl_put_inner(&r, inners[i]);
		refused(&r, EINVAL, inners[i]);
	}
	r = new_session(&n, true);
	nl_put_inner(&r, "10.9.0.1/32");
	refused(&r, EINVAL, "an inner prefix twice");
	r = new_session(&n, false);
	for (i = 0; i < 65; i++) {
		snprintf(prefix, sizeof(prefix), "10.9.%u.0/24", i);
		nl_put_inner(&r, prefix);
	}
	refused(&r, EINVAL, "65 inner prefixes");
#define INNER(body)							\
	do {								\
		r = new_session(&n, false);				\
		nest = nl_nest(&r, JVPN_A_SESSION_INNER);		\
		body;							\
		nl_nest_end(&r, nest);					\
	} while (0)
	INNER(nl_put_u8(&r, JVPN_A_INNER_PREFIX_LEN, 32));
	refused(&r, EINVAL, "inner without address");
	INNER(nl_put(&r, JVPN_A_INNER_IPV4, &v4.v4, 4));
	refused(&r, EINVAL, "inner without prefix-len");
	INNER({
		nl_put(&r, JVPN_A_INNER_IPV4, &v4.v4, 4);
		nl_put(&r, JVPN_A_INNER_IPV6, &v6.v6, 16);
		nl_put_u8(&r, JVPN_A_INNER_PREFIX_LEN, 32);
	});
	refused(&r, EINVAL, "inner with two addresses");
	INNER({
		nl_put(&r, JVPN_A_INNER_IPV4, &v4.v4, 4);
		nl_put_u8(&r, JVPN_A_INNER_PREFIX_LEN, 33);
	});
	refused(&r, EINVAL, "an IPv4 prefix of 33 bits");
	INNER({
		nl_put(&r, JVPN_A_INNER_IPV6, &v6.v6, 16);
		nl_put_u8(&r, JVPN_A_INNER_PREFIX_LEN, 129);
	});
	refused(&r, MALFORMED, "an IPv6 prefix of 129 bits");
	r = new_session(&n, true);
	nl_put_u32(&r, JVPN_A_SESSION_ROLE, 2);
	refused(&r, MALFORMED, "an unknown role");
	r = session_request(&n, JVPN_CMD_SESSION_NEW);
	nl_put_inner(&r, "10.9.0.1/32");
	refused(&r, EINVAL, "no role");
	memset(label, 'x', sizeof(label));
	label[79] = '\0';
	r = new_session(&n, true);
	nl_put_text(&r, JVPN_A_SESSION_LABEL, label);
	refused(&r, MALFORMED, "a label of 79 letters");
	r = new_session(&n, true);
	nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
	nl_put_epoch(&r, &e);
	refused(&r, EINVAL, "a client with a transport");
	r = session_request(&n, JVPN_CMD_SESSION_NEW);
	nl_put_u32(&r, JVPN_A_SESSION_ROLE, JVPN_ROLE_GATEWAY);
	nl_put_inner(&r, "10.9.0.1/32");
	refused(&r, EINVAL, "a gateway without transport and keys");
	nothing_changed();
}

static void policy_refused(uint16_t attr, uint32_t value, int error, const char *what)
{
	struct nl_request r = session_request(&s, JVPN_CMD_SESSION_SET);
	struct fx_policy p = {};

	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);
	fx_policy_set(&p, attr, value);
	fx_put_policy(&r, &p);
	refused(&r, error, what);
}

static void wrong_policies(void)
{
	begin(JVPN_ROLE_CLIENT);
	policy_refused(JVPN_A_POLICY_IDLE_INTERVAL_MS, 99, MALFORMED, "idle-interval-ms 99");
	policy_refused(JVPN_A_POLICY_IDLE_INTERVAL_MS, 600001, MALFORMED, "idle-interval-ms 600001");
	policy_refused(JVPN_A_POLICY_ACTIVE_INTERVAL_MS, 9, MALFORMED, "active-interval-ms 9");
	policy_refused(JVPN_A_POLICY_DEAD_BASE_MS, 0, MALFORMED, "dead-base-ms 0");
	policy_refused(JVPN_A_POLICY_DEAD_RTTS, 101, MALFORMED, "dead-rtts 101");
	policy_refused(JVPN_A_POLICY_REJECT_AFTER_MS, 180001, MALFORMED, "reject-after-ms 180001");
	policy_refused(JVPN_A_POLICY_REJECT_AFTER_MS, 0, MALFORMED, "reject-after-ms 0");
	policy_refused(JVPN_A_POLICY_HOLD_BYTES, 16777217, MALFORMED, "hold-bytes beyond 16 MiB");
	policy_refused(JVPN_A_POLICY_LOSS_ENTER, 101, MALFORMED, "loss-enter 101");
	policy_refused(JVPN_A_POLICY_LOSS_LEAVE, 50, EINVAL, "loss-leave above loss-enter");
	policy_refused(JVPN_A_POLICY_RTT_LEAVE_MS, 50, EINVAL, "rtt-leave-ms above rtt-enter-ms");
	/* The session has 600000 for both. */
	policy_refused(JVPN_A_POLICY_IDLE_INTERVAL_MS, 1000, EINVAL, "idle below active interval");
	policy_refused(JVPN_A_POLICY_MAX + 1, 1, MALFORMED, "an unknown policy attribute");
	nothing_changed();
}


/* ---- random damage ---- */

/* Complete requests that a damage is done to. */
static struct nl_request sample(unsigned int i)
{
	struct nl_epoch e = nl_epoch(1);
	struct nl_transport t = session_transport(&s);
	struct nl_request r;

	switch (i % 5) {
	case 0:
		r = session_request(&s, JVPN_CMD_BINDING_SET);
		nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 99);
		nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
		nl_put_epoch(&r, &e);
		break;
	case 1:
		r = session_request(&s, JVPN_CMD_BINDING_PREPARE);
		nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 99);
		nl_put_epoch(&r, &e);
		nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
		nl_put_u64(&r, JVPN_A_SESSION_COOKIE, 5);
		nl_put(&r, JVPN_A_SESSION_HOLD, NULL, 0);
		break;
	case 2:
		r = session_request(&s, JVPN_CMD_SESSION_SET);
		nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 99);
		fx_put_policy(&r, &s.policy);
		nl_put_u64(&r, JVPN_A_SESSION_LEASE_DEADLINE, 1ULL << 40);
		break;
	case 3:
		r = session_request(&s, JVPN_CMD_SESSION_TRANSITION);
		nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 99);
		nl_put_u32(&r, JVPN_A_SESSION_EVENT, JVPN_EVENT_JUMP);
		nl_put_u32(&r, JVPN_A_SESSION_REASON, JVPN_REASON_CLIENT_JUMP);
		break;
	default:
		r = session_request(&s, JVPN_CMD_EPOCH_SET);
		nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 99);
		nl_put_epoch(&r, &e);
	}
	return r;
}

static uint32_t random_below(uint32_t n)
{
	uint32_t x;

	test_random(&x, sizeof(x));
	return x % n;
}

/*
 * The version in the samples is wrong, so whatever the damage makes of them is
 * refused, unless it makes another request of them: then only reading ones and
 * sockets remain, by the command.
 */
static void damage(void)
{
	const unsigned int rounds = test_scale(20000, 3000);
	struct nl_view device;
	unsigned int i, j, refusals = 0;
	struct nl_reply reply;

	begin(JVPN_ROLE_GATEWAY);
	for (i = 0; i < rounds; i++) {
		struct nl_request r = sample(i);
		struct nlmsghdr *nlh = r.message;
		uint8_t *payload = (uint8_t *)(nlh + 1) + 4;
		unsigned int len = nlh->nlmsg_len - sizeof(*nlh) - 4;

		for (j = 1 + random_below(4); j; j--) {
			unsigned int at = random_below(len);

			/* Not the version itself. */
			if (at < 40)
				at += 40;
			if (at < len)
				payload[at] = random_below(3) ? (uint8_t)random_below(256) :
					      (uint8_t)(payload[at] ^ 1 << random_below(8));
		}
		if (!random_below(4))
			nlh->nlmsg_len -= random_below(len);
		nl_run(&r, &reply);
		refusals += reply.error != 0;
		/* A whole attribute may have become another one: what is applied then is lawful. */
		if (!reply.error)
			CHECK(i % 5 == 2 || session_view(&s).version < 99, "a request with the "
			      "wrong version was applied");
	}
	CHECK(refusals > rounds * 9 / 10, "only %u of %u were refused", refusals, rounds);
	device = device_view();
	CHECK_EQ(device.sessions, 1, "sessions of the device");
	CHECK_EQ(device.sockets, 2, "sockets of the device");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	session_works(&s, "unharmed");
}

/* Random attributes after a proper head, to every command. */
static void noise(void)
{
	const unsigned int rounds = test_scale(20000, 3000);
	struct nl_reply reply;
	uint8_t junk[512];
	unsigned int i;

	begin(JVPN_ROLE_GATEWAY);
	for (i = 0; i < rounds; i++) {
		struct nl_request r = nl_begin(fx.nl, random_below(32));
		struct nlmsghdr *nlh = r.message;
		unsigned int len = random_below(sizeof(junk));

		test_random(junk, len);
		memcpy((uint8_t *)nlh + nlh->nlmsg_len, junk, len);
		nlh->nlmsg_len += len;
		CHECK(nl_run(&r, &reply), "noise of %u octets was applied", len);
	}
	nothing_changed();
	session_works(&s, "unharmed");
}

/* ---- who may ---- */

static const uint8_t all_cmds[] = {
	JVPN_CMD_DEVICE_GET, JVPN_CMD_DEVICE_SET, JVPN_CMD_SOCKET_NEW, JVPN_CMD_SOCKET_DEL,
	JVPN_CMD_SOCKET_SET, JVPN_CMD_SESSION_NEW, JVPN_CMD_SESSION_GET, JVPN_CMD_SESSION_SET,
	JVPN_CMD_SESSION_TRANSITION, JVPN_CMD_SESSION_DEL, JVPN_CMD_BINDING_SET,
	JVPN_CMD_BINDING_PREPARE, JVPN_CMD_BINDING_CANCEL, JVPN_CMD_EPOCH_SET,
	JVPN_CMD_BINDING_PROBE, JVPN_CMD_PACKET_REGISTER, JVPN_CMD_PACKET_SEND,
};

static int run_child(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		fn();
		test_end();
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void ask_unprivileged(void)
{
	struct nl_reply reply;
	unsigned int i;

	REQUIRE(!setgid(65534) && !setuid(65534), "cannot drop privileges");
	for (i = 0; i < sizeof(all_cmds); i++) {
		struct nl *nl = nl_open();
		struct nl_request r = nl_begin(nl, all_cmds[i]);

		nl_put_u32(&r, 1, fx.ifindex);
		CHECK_EQ(nl_run(&r, &reply), EPERM, "the error");
		nl_close(nl);
	}
}

static void unprivileged(void)
{
	begin(JVPN_ROLE_GATEWAY);
	CHECK_EQ(run_child(ask_unprivileged), 0, "the unprivileged child's status");
	nothing_changed();
}

/* Without a mapping the first program that is started would have no capability. */
static void be_root(void)
{
	int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && write(fd, "0 0 1", 5) == 5, "cannot map root: %s", strerror(errno));
	close(fd);
}

/* root of a user namespace rules over the devices of its network namespace, and no other. */
static void rule_own(void)
{
	struct nl_request r;
	struct nl_reply reply;
	struct session own;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		test_skip("no user namespaces here: %s", strerror(errno));
	be_root();
	fx = fx_open();
	own = session_gateway(&fx, 10);
	session_works(&own, "in a user namespace");
	r = nl_begin(fx.nl, JVPN_CMD_DEVICE_SET);
	nl_put_device(&r, fx.ifindex);
	nl_put_u32(&r, JVPN_A_DEVICE_MAX_SESSIONS, JVPN_SESSIONS_UNPRIVILEGED_MAX);
	CHECK(!nl_run(&r, &reply), "refused: %s", reply.text);
	r = nl_begin(fx.nl, JVPN_CMD_DEVICE_SET);
	nl_put_device(&r, fx.ifindex);
	nl_put_u32(&r, JVPN_A_DEVICE_MAX_SESSIONS, JVPN_SESSIONS_UNPRIVILEGED_MAX + 1);
	refused(&r, EPERM, "more sessions than the owner of a namespace may have");
	r = nl_begin(fx.nl, JVPN_CMD_DEVICE_SET);
	nl_put_device(&r, fx.ifindex);
	nl_put_u32(&r, JVPN_A_DEVICE_HOLD_BYTES, INT32_MAX);
	refused(&r, EPERM, "more memory for what waits than by default");
	CHECK(!session_transition(&own, 1, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR, &reply),
	      "refused: %s", reply.text);
}

static void user_namespace(void)
{
	struct nl_request r;
	struct nl_reply reply;
	int status;

	begin(JVPN_ROLE_GATEWAY);
	status = run_child(rule_own);
	if (status == 4)
		test_skip("no user namespaces here");
	CHECK_EQ(status, 0, "the child's status");
	nothing_changed();
	/* Root here may have more. */
	r = nl_begin(fx.nl, JVPN_CMD_DEVICE_SET);
	nl_put_device(&r, fx.ifindex);
	nl_put_u32(&r, JVPN_A_DEVICE_MAX_SESSIONS, JVPN_SESSIONS_UNPRIVILEGED_MAX + 1);
	CHECK(!nl_run(&r, &reply), "refused: %s", reply.text);
}

/* A device is not seen from another namespace. */
static void ask_from_elsewhere(void)
{
	struct nl_request r;
	struct nl_reply reply;
	struct nl *nl;

	REQUIRE(!unshare(CLONE_NEWNET), "cannot make a namespace");
	nl = nl_open();
	r = nl_begin(nl, JVPN_CMD_DEVICE_GET);
	nl_put_u32(&r, JVPN_A_DEVICE_IFINDEX, fx.ifindex);
	CHECK_EQ(nl_run(&r, &reply), ENODEV, "the error");
	r = nl_begin(nl, JVPN_CMD_DEVICE_GET);
	CHECK(!nl_dump(&r, &reply, NULL, NULL) && !reply.answers, "%u devices are told of",
	      reply.answers);
}

static void other_namespace(void)
{
	begin(JVPN_ROLE_GATEWAY);
	CHECK_EQ(run_child(ask_from_elsewhere), 0, "the child's status");
}

static void listen_unprivileged(void)
{
	static const char *const groups[] = { "state", "health", "security" };
	unsigned int i;

	REQUIRE(!setgid(65534) && !setuid(65534), "cannot drop privileges");
	for (i = 0; i < 3; i++)
		CHECK(!nl_listen(nl_open(), groups[i]), "nobody may listen to %s", groups[i]);
}

static void listening(void)
{
	begin(JVPN_ROLE_GATEWAY);
	CHECK(nl_listen(nl_open(), "state"), "root may not listen");
	CHECK_EQ(run_child(listen_unprivileged), 0, "the unprivileged child's status");
}

/* ---- a container that was given the device ---- */

/* A request that is complete, to find out who may make it. */
static struct nl_request container_request(struct nl *nl, uint8_t cmd)
{
	struct nl_addr local = nl_addr("127.0.0.1", 0);
	struct nl_transport t = session_transport(&s);
	struct nl_request r = nl_begin(nl, cmd);
	uint8_t packet[64] = { 1 };

	nl_put_device(&r, nl_device(DEVICE));
	if (cmd == JVPN_CMD_SOCKET_NEW || cmd == JVPN_CMD_SOCKET_SET)
		nl_put_addr(&r, JVPN_A_SOCKET_LOCAL_IPV4, JVPN_A_SOCKET_LOCAL_IPV6, &local);
	if (cmd == JVPN_CMD_SOCKET_DEL)
		nl_put_u32(&r, JVPN_A_SOCKET_ID, fx.socket6);
	if (cmd == JVPN_CMD_SOCKET_SET)
		nl_put_u32(&r, JVPN_A_SOCKET_ID, fx.socket4);
	if (cmd == JVPN_CMD_DEVICE_SET)
		nl_put_u32(&r, JVPN_A_DEVICE_MAX_SESSIONS, 7);
	if (cmd == JVPN_CMD_PACKET_SEND) {
		nl_put_transport(&r, JVPN_A_PACKET_TRANSPORT, &t);
		nl_put(&r, JVPN_A_PACKET_PAYLOAD, packet, sizeof(packet));
	}
	return r;
}

static bool is_whole(uint8_t cmd)
{
	return cmd == JVPN_CMD_DEVICE_GET || cmd == JVPN_CMD_DEVICE_SET ||
	       cmd == JVPN_CMD_SOCKET_NEW || cmd == JVPN_CMD_SOCKET_DEL ||
	       cmd == JVPN_CMD_SOCKET_SET ||
	       cmd == JVPN_CMD_PACKET_REGISTER;
}

static void container_asks(void)
{
	struct nl_request r;
	struct nl_reply reply;
	struct nl *nl = nl_open();
	unsigned int i;

	for (i = 0; i < sizeof(all_cmds); i++) {
		if (!is_whole(all_cmds[i]))
			continue;
		r = container_request(nl, all_cmds[i]);
		CHECK_EQ(nl_run(&r, &reply), EPERM, "the error of a container's request");
		CHECK(reply.text[0], "refused without a sentence");
	}
	r = session_request(&s, JVPN_CMD_SESSION_GET);
	r.nl = nl;
	CHECK_EQ(nl_run(&r, &reply), EPERM, "session-get: the error");
	r = nl_begin(nl, JVPN_CMD_SESSION_GET);
	nl_put_device(&r, nl_device(DEVICE));
	CHECK_EQ(nl_dump(&r, &reply, NULL, NULL), EPERM, "the dump of sessions: the error");
	r = nl_begin(nl, JVPN_CMD_SOCKET_GET);
	nl_put_device(&r, nl_device(DEVICE));
	CHECK_EQ(nl_dump(&r, &reply, NULL, NULL), EPERM, "the dump of sockets: the error");
	r = nl_begin(nl, JVPN_CMD_DEVICE_GET);
	CHECK(!nl_dump(&r, &reply, NULL, NULL) && !reply.answers, "%u devices are told of",
	      reply.answers);
}

static int to_container[2], to_host[2];

static void say(const int *pipe)
{
	REQUIRE(write(pipe[1], "x", 1) == 1, "cannot write to a pipe");
}

static void hear(const int *pipe)
{
	char c;

	REQUIRE(read(pipe[0], &c, 1) == 1, "the other end has ended");
}

/* Root of user and network namespace of its own: it is given the device, and hears nothing. */
static void be_container(void)
{
	struct nl_view v;
	struct nl *nl;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		test_skip("no user namespaces here: %s", strerror(errno));
	be_root();
	nl = nl_open();
	REQUIRE(nl_listen(nl, "state"), "root may not listen in its own namespace");
	say(to_host);
	hear(to_container);
	s.fx->nl = nl_open();
	s.fx->ifindex = nl_device(DEVICE);
	REQUIRE(s.fx->ifindex, "the device has not come");
	container_asks();
	test_shell("ip link set " DEVICE " mtu 1300");
	say(to_host);
	hear(to_container);
	CHECK(!nl_event(nl, 200, &v), "the container hears event %u of its device", v.cmd);
}

static void container(void)
{
	struct nl_view v = {};
	int status;
	pid_t pid;

	begin(JVPN_ROLE_GATEWAY);
	v = device_view();
	nl_use_device_id(fx.nl, v.device_id);
	REQUIRE(!pipe(to_container) && !pipe(to_host), "cannot make pipes");
	pid = fork();
	if (!pid) {
		be_container();
		test_end();
	}
	close(to_host[1]);
	close(to_container[0]);
	hear(to_host);
	test_shell("ip link set " DEVICE " netns %d", pid);
	say(to_container);
	hear(to_host);
	/* Whoever rules where it was made still does. */
	v = session_view(&s);
	CHECK(v.state == JVPN_STATE_ATTACHED && v.device_id && !v.ifindex, "the session is %s",
	      nl_state_name(v.state));
	CHECK(!session_transition(&s, 1, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR, NULL),
	      "the host may not end it");
	say(to_container);
	waitpid(pid, &status, 0);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (status == 4)
		test_skip("no user namespaces here");
	CHECK_EQ(status, 0, "the container's status");
}

/* An index is what is here, not what has been here. */
static void index_of_another(void)
{
	uint32_t ifindex;
	struct nl_request r;
	struct nl_reply reply;
	struct nl_view v;
	struct nl *nl = nl_open();
	pid_t pid;

	begin(JVPN_ROLE_GATEWAY);
	v = device_view();
	ifindex = fx.ifindex;
	REQUIRE(!pipe(to_container) && !pipe(to_host), "cannot make pipes");
	pid = fork();
	if (!pid) {
		close(to_container[1]);
		REQUIRE(!unshare(CLONE_NEWNET), "cannot make a namespace");
		say(to_host);
		if (read(to_container[0], to_container, 1)) {
		}
		_exit(0);
	}
	hear(to_host);
	test_shell("ip link set " DEVICE " netns %d", pid);
	r = nl_begin(nl, JVPN_CMD_DEVICE_GET);
	nl_put_device(&r, ifindex);
	CHECK_EQ(nl_run(&r, &reply), ENODEV, "the index that it had: the error");
	test_shell("ip link add jvpn1 index %u type jvpn", ifindex);
	r = nl_begin(nl, JVPN_CMD_DEVICE_GET);
	nl_put_device(&r, ifindex);
	CHECK(!nl_run(&r, &reply), "refused: %s", reply.text);
	CHECK(reply.view.device_id > v.device_id && !reply.view.sessions && !reply.view.sockets,
	      "the index means device %llu with %u sessions",
	      (unsigned long long)reply.view.device_id, reply.view.sessions);
	r = nl_begin(nl, JVPN_CMD_DEVICE_GET);
	CHECK(!nl_dump(&r, &reply, NULL, NULL) && reply.answers == 2, "%u devices are told of",
	      reply.answers);
	/* Both names at once are one too many. */
	r = nl_begin(nl, JVPN_CMD_DEVICE_GET);
	nl_put_u32(&r, JVPN_A_DEVICE_IFINDEX, ifindex);
	nl_put_u64(&r, JVPN_A_DEVICE_DEVICE_ID, v.device_id);
	refused(&r, EINVAL, "a device with two names");
	nl_use_device_id(nl, v.device_id);
	r = nl_begin(nl, JVPN_CMD_DEVICE_GET);
	nl_put_device(&r, 0);
	CHECK(!nl_run(&r, &reply) && reply.view.sessions == 1 && !reply.view.ifindex,
	      "by its id: %u sessions, %s", reply.view.sessions, reply.text);
	nl_use_device_id(nl, v.device_id + 1000);
	r = nl_begin(nl, JVPN_CMD_DEVICE_GET);
	nl_put_device(&r, 0);
	refused(&r, ENODEV, "an id that nobody has");
	close(to_container[1]);
	waitpid(pid, NULL, 0);
}

/* ---- keys ---- */

static bool holds(const uint8_t *data, size_t size, const uint8_t *key)
{
	size_t i;

	for (i = 0; i + JVPN_KEY_SIZE <= size; i++)
		if (!memcmp(data + i, key, JVPN_KEY_SIZE))
			return true;
	return false;
}

/* A refusal brings the request back, as of anybody who does not say that it shall not. */
static void expect_wiped(struct nl_request *r, const struct nl_epoch *e, const char *what)
{
	static uint8_t answer[65536];
	struct nlmsghdr *nlh = r->message;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	bool refused_at_last = false;
	ssize_t got;

	nlh->nlmsg_pid = 0;
	REQUIRE(fd >= 0 && sendto(fd, nlh, nlh->nlmsg_len, 0, (struct sockaddr *)&kernel,
				  sizeof(kernel)) == (ssize_t)nlh->nlmsg_len, "cannot send");
	while (!refused_at_last && (got = recv(fd, answer, sizeof(answer), 0)) > 0) {
		const struct nlmsghdr *reply = (const struct nlmsghdr *)answer;

		refused_at_last = reply->nlmsg_type == NLMSG_ERROR;
		CHECK(!refused_at_last || reply->nlmsg_len >= nlh->nlmsg_len,
		      "%s: the request does not come back", what);
		CHECK(!holds(answer, got, e->rx.key) && !holds(answer, got, e->tx.key),
		      "%s: the keys come back", what);
	}
	CHECK(refused_at_last, "%s: no refusal", what);
	close(fd);
}

static struct nl_request keyed_request(uint8_t cmd, const struct nl_epoch *e)
{
	struct nl_transport t = session_transport(&s);
	struct nl_request r = session_request(&s, cmd);

	if (cmd == JVPN_CMD_SESSION_NEW) {
		nl_put_u32(&r, JVPN_A_SESSION_ROLE, JVPN_ROLE_GATEWAY);
		nl_put_inner(&r, "10.0.0.99/32");
	} else {
		nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 99);
	}
	if (cmd != JVPN_CMD_EPOCH_SET)
		nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
	nl_put_epoch(&r, e);
	return r;
}

static void keys_wiped(void)
{
	static const uint8_t cmds[] = {
		JVPN_CMD_SESSION_NEW, JVPN_CMD_BINDING_SET, JVPN_CMD_BINDING_PREPARE,
		JVPN_CMD_EPOCH_SET,
	};
	struct nl_epoch e = nl_epoch(1);
	struct nl_request r;
	unsigned int i;

	begin(JVPN_ROLE_GATEWAY);
	for (i = 0; i < sizeof(cmds); i++) {
		r = keyed_request(cmds[i], &e);
		expect_wiped(&r, &e, "refused by the module");
		r = keyed_request(cmds[i], &e);
		nl_put_u32(&r, JVPN_A_SESSION_ROLE, 77);
		expect_wiped(&r, &e, "a number out of range");
		r = keyed_request(cmds[i], &e);
		nl_put(&r, JVPN_A_SESSION_ID, s.id, 15);
		expect_wiped(&r, &e, "an id of 15 octets");
		r = keyed_request(cmds[i], &e);
		nl_put_u32(&r, JVPN_A_SESSION_STATE, 1);
		expect_wiped(&r, &e, "an attribute of answers");
		r = keyed_request(cmds[i], &e);
		nl_put_u64(&r, JVPN_A_SESSION_DEVICE_ID, 1);
		expect_wiped(&r, &e, "a device with two names");
	}
	nothing_changed();
}

/* The key of names is as secret: who has it makes names that are given a share. */
static void name_key_wiped(void)
{
	struct nl_epoch e = nl_epoch(1);
	struct nl_request r;
	unsigned int i;

	begin(JVPN_ROLE_GATEWAY);
	for (i = 0; i < 2; i++) {
		r = nl_begin(fx.nl, JVPN_CMD_PACKET_REGISTER);
		nl_put_u32(&r, JVPN_A_PACKET_IFINDEX, i ? fx.ifindex : 12345);
		/* Of the length that is looked for; too long for one of these, where nothing else is wrong. */
		nl_put(&r, JVPN_A_PACKET_MAC1_KEY, e.rx.key, JVPN_KEY_SIZE);
		nl_put(&r, JVPN_A_PACKET_NAME_KEY, e.tx.key, i ? JVPN_KEY_SIZE : JVPN_NAME_KEY_SIZE);
		expect_wiped(&r, &e, i ? "a key that is too long" : "no such device");
	}
	nothing_changed();
}

static const struct test_case cases[] = {
	{ "requests for no device or the wrong one", wrong_device },
	{ "requests without a session id, or with a wrong one", no_id },
	{ "requests for a session that is not there", unknown_session },
	{ "requests that lack a part", missing_parts },
	{ "values and attributes out of range", values_out_of_range },
	{ "wrong sockets", wrong_sockets },
	{ "wrong transports", wrong_transports },
	{ "wrong keys", wrong_keys },
	{ "wrong new sessions", wrong_sessions },
	{ "wrong policies", wrong_policies },
	{ "damaged requests do no harm", damage },
	{ "noise does no harm", noise },
	{ "nobody without the capability may ask anything", unprivileged },
	{ "root of a user namespace rules over its own devices", user_namespace },
	{ "a device is not seen from another namespace", other_namespace },
	{ "nobody without the capability hears events", listening },
	{ "root of a container rules over its interface, not over the tunnel", container },
	{ "an index means what is there, an id always the same device", index_of_another },
	{ "refused requests come back without their keys", keys_wiped },
	{ "likewise without the key of names", name_key_wiped },
};

TEST_MAIN(cases)
