// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that packets wait while there is no binding, or while the daemon asked
 * for it: none is lost, their order is kept, and the queue is bounded.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static struct fx fx;

static void send_numbers(struct session *s, unsigned int from, unsigned int to)
{
	char text[32];

	for (; from < to; from++) {
		snprintf(text, sizeof(text), "number %u", from);
		session_send(s, text);
	}
}

static void hear_numbers(struct session *s, unsigned int from, unsigned int to)
{
	char text[32];

	for (; from < to; from++) {
		snprintf(text, sizeof(text), "number %u", from);
		if (!session_hears(s, text))
			return;
	}
}

static void expect_held(struct session *s, unsigned int packets)
{
	struct nl_view v = session_view(s);

	CHECK_EQ(v.stats[JVPN_A_STATS_HELD_PACKETS], packets, "packets held");
}

static void expect_silence(struct session *s)
{
	static struct peer_datagram d;

	CHECK(!peer_receive_inner(&s->peer, 20, &d), "a packet of %zu octets left", d.inner_len);
}

static void lose_binding(struct session *s)
{
	struct nl_view v = session_view(s);

	REQUIRE(!session_transition(s, v.version, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_LINK_DOWN,
				    NULL), "cannot lose the binding");
}

static void while_recovering(enum jvpn_role role)
{
	struct nl_counters before;
	struct nl_epoch e = nl_epoch(1);
	struct session s;

	fx = fx_open();
	s = session_describe(&fx, role, 10);
	session_attach(&s);
	lose_binding(&s);
	before = fx_counters(&fx);
	send_numbers(&s, 0, 200);
	expect_held(&s, 200);
	expect_silence(&s);
	session_jump(&s, &s.peer, &e);
	hear_numbers(&s, 0, 200);
	expect_held(&s, 0);
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "tx_held") - nl_counters_of(&before, "tx_held"), 200,
		 "packets counted as held");
	send_numbers(&s, 200, 210);
	hear_numbers(&s, 200, 210);
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "tx_held") - nl_counters_of(&before, "tx_held"), 200,
		 "packets counted as held");
	fx_expect_drops(&fx, &before, "tx_drop_hold_full", 0);
}

static void client_recovering(void)
{
	while_recovering(JVPN_ROLE_CLIENT);
}

static void gateway_recovering(void)
{
	while_recovering(JVPN_ROLE_GATEWAY);
}

/* ---- prepared with hold ---- */

static struct peer prepare(struct session *s, const struct nl_epoch *e, uint64_t cookie)
{
	struct nl_addr a = s->peer.local;
	struct peer to;
	struct nl_transport t;
	struct bind b = { .version = session_view(s).version, .reason = JVPN_REASON_CLIENT_JUMP,
			  .transport = &t, .keys = e, .has_cookie = true, .cookie = cookie,
			  .hold = true };
	struct nl_reply reply;

	a.port = 0;
	to = peer_elsewhere(&s->peer, &a);
	to.epoch = *e;
	to.counter = 0;
	t = (struct nl_transport){ .socket = fx.socket4, .remote = to.local };
	REQUIRE(!session_bind(s, JVPN_CMD_BINDING_PREPARE, &b, &reply), "refused: %s", reply.text);
	return to;
}

static void prepared_commit(void)
{
	struct nl_epoch e = nl_epoch(1);
	struct session s;
	struct peer to;

	fx = fx_open();
	s = session_client(&fx, 10);
	send_numbers(&s, 0, 5);
	hear_numbers(&s, 0, 5);
	to = prepare(&s, &e, 1);
	send_numbers(&s, 5, 50);
	expect_held(&s, 45);
	expect_silence(&s);
	/* Receiving goes on. */
	session_works(&s, "old path in");
	s.peer = to;
	session_works(&s, "committed");
	hear_numbers(&s, 5, 50);
	expect_held(&s, 0);
}

static void prepared_cancel(void)
{
	struct nl_epoch e = nl_epoch(1);
	uint64_t cookie = 1;
	struct session s;

	fx = fx_open();
	s = session_client(&fx, 10);
	prepare(&s, &e, cookie);
	send_numbers(&s, 0, 30);
	expect_silence(&s);
	REQUIRE(!session_cancel(&s, &cookie, NULL), "cannot cancel");
	hear_numbers(&s, 0, 30);
	send_numbers(&s, 30, 40);
	hear_numbers(&s, 30, 40);
}

/* Two hold: the last one lets go. */
static void prepared_twice(void)
{
	struct nl_epoch e = nl_epoch(1), f = nl_epoch(2);
	uint64_t cookie = 1;
	struct session s;

	fx = fx_open();
	s = session_client(&fx, 10);
	prepare(&s, &e, 1);
	prepare(&s, &f, 2);
	send_numbers(&s, 0, 10);
	REQUIRE(!session_cancel(&s, &cookie, NULL), "cannot cancel");
	expect_silence(&s);
	expect_held(&s, 10);
	cookie = 2;
	REQUIRE(!session_cancel(&s, &cookie, NULL), "cannot cancel");
	hear_numbers(&s, 0, 10);
}

/* If nothing comes of it packets leave on the old path. */
static void prepared_expires(void)
{
	struct nl_epoch e = nl_epoch(1);
	struct session s;
	uint64_t start;

	fx = fx_open();
	s = session_client(&fx, 10);
	prepare(&s, &e, 1);
	start = test_now();
	send_numbers(&s, 0, 10);
	CHECK(WAIT_FOR(!session_view(&s).stats[JVPN_A_STATS_HELD_PACKETS]), "held for ever");
	CHECK(test_now() - start >= 1900, "held for %llu ms only",
	      (unsigned long long)(test_now() - start));
	hear_numbers(&s, 0, 10);
	send_numbers(&s, 10, 20);
	hear_numbers(&s, 10, 20);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
}

/* ---- bounds ---- */

#define TEXT_LEN 100

/* Many may wait at once: the sender's and the receiver's sockets must not be what limits. */
static void widen(struct session *s)
{
	int size = 64 << 20;

	setsockopt(fx.sink4, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(s->peer.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

static struct session unbound_client(unsigned int number, uint32_t hold_bytes)
{
	struct session s = session_describe(&fx, JVPN_ROLE_CLIENT, number);

	fx_policy_set(&s.policy, JVPN_A_POLICY_HOLD_BYTES, hold_bytes);
	session_attach(&s);
	lose_binding(&s);
	widen(&s);
	return s;
}

static unsigned int held_packets(struct session *s)
{
	return session_view(s).stats[JVPN_A_STATS_HELD_PACKETS];
}

static unsigned int held_bytes(struct session *s)
{
	return session_view(s).stats[JVPN_A_STATS_HELD_BYTES];
}

static struct nl_view device_view(void)
{
	struct nl_request r = nl_begin(fx.nl, JVPN_CMD_DEVICE_GET);
	struct nl_reply reply;

	nl_put_u32(&r, JVPN_A_DEVICE_IFINDEX, fx.ifindex);
	REQUIRE(!nl_run(&r, &reply), "no device: %s", reply.text);
	return reply.view;
}

static void device_room(uint32_t bytes)
{
	struct nl_request r = nl_begin(fx.nl, JVPN_CMD_DEVICE_SET);
	struct nl_reply reply;

	nl_put_u32(&r, JVPN_A_DEVICE_IFINDEX, fx.ifindex);
	nl_put_u32(&r, JVPN_A_DEVICE_HOLD_BYTES, bytes);
	REQUIRE(!nl_run(&r, &reply), "cannot set: %s", reply.text);
	CHECK_EQ(device_view().hold_bytes, bytes, "room of the device");
}

static void expect_given_back(void)
{
	CHECK(WAIT_FOR(!device_view().held_bytes), "%u octets are never given back",
	      device_view().held_bytes);
}

static void drops_oldest(void)
{
	const unsigned int room = 32768, sent = 100;
	struct nl_counters before;
	struct nl_epoch e = nl_epoch(1);
	static struct peer_datagram d;
	char text[TEXT_LEN + 1];
	unsigned int i, held;
	struct session s;

	fx = fx_open();
	s = unbound_client(10, room);
	before = fx_counters(&fx);
	for (i = 0; i < sent; i++) {
		snprintf(text, sizeof(text), "%-*u", TEXT_LEN, i);
		session_send(&s, text);
		CHECK(held_bytes(&s) <= room, "more is held than the policy allows");
	}
	held = held_packets(&s);
	CHECK(held > 10 && held < sent, "%u of %u are held", held, sent);
	CHECK(held_bytes(&s) > room * 3 / 4, "only %u octets of %u are used", held_bytes(&s), room);
	CHECK_EQ(device_view().held_bytes, held_bytes(&s), "octets that the device counts");
	fx_expect_drops(&fx, &before, "tx_drop_hold_full", sent - held);
	session_jump(&s, &s.peer, &e);
	for (i = sent - held; i < sent; i++) {
		snprintf(text, sizeof(text), "%-*u", TEXT_LEN, i);
		if (!session_hears(&s, text))
			break;
	}
	CHECK(!peer_receive_inner(&s.peer, 20, &d), "there is a packet too many");
	expect_given_back();
}

/* What a packet takes is its buffer and its administration, not the octet in it. */
static void charges_memory(void)
{
	struct session s;
	unsigned int i;

	fx = fx_open();
	s = unbound_client(10, 1 << 20);
	for (i = 0; i < 100; i++)
		session_send(&s, "x");
	expect_held(&s, 100);
	CHECK(held_bytes(&s) >= 100 * 512, "100 packets take %u octets of memory?", held_bytes(&s));
}

static void bounded_in_packets(void)
{
	const unsigned int most = 4096, more = 50;
	struct nl_counters before;
	struct session s;
	unsigned int i;

	fx = fx_open();
	s = unbound_client(10, 16 << 20);
	before = fx_counters(&fx);
	for (i = 0; i < most + more; i++)
		session_send(&s, "x");
	expect_held(&s, most);
	fx_expect_drops(&fx, &before, "tx_drop_hold_full", more);
	REQUIRE(!session_transition(&s, 2, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR, NULL),
		"refused");
	expect_given_back();
}

/* The device's room is shared: nobody takes it all, whoever comes later has as much. */
static void shared_in_device(void)
{
	const unsigned int room = 240000, sent = 400;
	struct nl_counters before, after;
	struct session s[3];
	unsigned int i, k, sum;

	fx = fx_open();
	device_room(room);
	for (k = 0; k < 3; k++)
		s[k] = unbound_client(10 + k, 16 << 20);
	before = fx_counters(&fx);
	for (i = 0; i < sent; i++)
		session_send(&s[0], "x");
	CHECK(held_bytes(&s[0]) <= room / 2, "one session holds %u of %u", held_bytes(&s[0]), room);
	for (i = 0; i < sent; i++)
		for (k = 0; k < 3; k++)
			session_send(&s[k], "x");
	for (k = 0, sum = 0; k < 3; k++) {
		sum += held_bytes(&s[k]);
		CHECK(held_bytes(&s[k]) > room / 5 && held_bytes(&s[k]) < room / 3,
		      "session %u holds %u of %u", k, held_bytes(&s[k]), room);
	}
	CHECK_EQ(device_view().held_bytes, sum, "octets that the device counts");
	after = fx_counters(&fx);
	CHECK_EQ(nl_counters_of(&after, "tx_drop_hold_full"),
		 nl_counters_of(&before, "tx_drop_hold_full"), "drops for the session's own bound");
	CHECK(nl_counters_of(&after, "tx_drop_hold_device") >
	      nl_counters_of(&before, "tx_drop_hold_device"), "no drop for the device's bound");
	/* Without room nothing waits. */
	device_room(0);
	session_send(&s[0], "x");
	expect_held(&s[0], 0);
	/* Each way to an end gives the memory back. */
	CHECK(!session_transition(&s[0], 2, JVPN_EVENT_BOUND_EXCEEDED,
				  JVPN_REASON_RECOVERY_WINDOW_EXCEEDED, NULL), "refused");
	CHECK(!session_transition(&s[1], 2, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR, NULL),
	      "refused");
	CHECK_EQ(device_view().held_bytes, held_bytes(&s[2]), "octets that the device counts");
	CHECK(!system("ip link set " DEVICE " down"), "cannot close the interface");
	expect_held(&s[2], 0);
	expect_given_back();
}

/* ---- packets that leave, and whoever forbids it meanwhile ---- */

/*
 * As soon as the jump is committed and packets leave, another one is prepared, for which packets
 * are to wait. Return: how many wait then, one of them sent after it; -1 if that is over already.
 */
static int forbid_leaving(struct session *s, const struct nl_epoch *e, uint64_t version)
{
	struct session mine = *s;

	fx.nl = nl_open();
	mine.fx = &fx;
	while (session_view(&mine).version < version)
		;
	prepare(&mine, e, 1);
	session_send(&mine, "number 3000");
	return held_packets(&mine);
}

static void leaving_forbidden(void)
{
	struct nl_epoch e = nl_epoch(1), f = nl_epoch(2);
	uint64_t cookie = 1;
	struct session s;
	int status;
	pid_t pid;

	fx = fx_open();
	s = unbound_client(10, 16 << 20);
	send_numbers(&s, 0, 3000);
	pid = fork();
	if (!pid)
		_exit(forbid_leaving(&s, &f, 3) ? 0 : 1);
	session_jump(&s, &s.peer, &e);
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "the other one died");
	CHECK(!WEXITSTATUS(status), "a packet that was to wait has left");
	REQUIRE(!session_cancel(&s, &cookie, NULL), "cannot cancel");
	hear_numbers(&s, 0, 3001);
	expect_held(&s, 0);
	expect_given_back();
}

static void no_hold_at_all(void)
{
	struct nl_counters before;
	struct session s;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_CLIENT, 10);
	fx_policy_set(&s.policy, JVPN_A_POLICY_HOLD_BYTES, 0);
	session_attach(&s);
	lose_binding(&s);
	before = fx_counters(&fx);
	send_numbers(&s, 0, 3);
	fx_expect_drops(&fx, &before, "tx_drop_hold_full", 3);
	expect_held(&s, 0);
}

/* ---- where nothing may wait ---- */

static int connected(const char *dst)
{
	struct nl_addr to = nl_addr(dst, PEER_PORT);
	int fd = sink_open(AF_INET, 0);
	struct sockaddr_storage ss;
	socklen_t len = nl_addr_sockaddr(&to, &ss);
	int one = 1;

	setsockopt(fd, SOL_IP, IP_RECVERR, &one, sizeof(one));
	REQUIRE(!connect(fd, (struct sockaddr *)&ss, len), "cannot connect: %s", strerror(errno));
	return fd;
}

static bool told_unreachable(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err == EHOSTUNREACH;
}

static void degraded(void)
{
	struct nl_counters before;
	struct session s;
	int fd;

	fx = fx_open();
	s = session_client(&fx, 10);
	lose_binding(&s);
	send_numbers(&s, 0, 7);
	before = fx_counters(&fx);
	REQUIRE(!session_transition(&s, 2, JVPN_EVENT_BOUND_EXCEEDED,
				    JVPN_REASON_RECOVERY_WINDOW_EXCEEDED, NULL), "refused");
	fx_expect_drops(&fx, &before, "tx_drop_state", 7);
	expect_held(&s, 0);
	fd = connected(s.src4);
	before = fx_counters(&fx);
	CHECK(send(fd, "x", 1, 0) == 1, "cannot send: %s", strerror(errno));
	fx_expect_drops(&fx, &before, "tx_drop_state", 1);
	CHECK(WAIT_FOR(told_unreachable(fd)), "the sender is not told");
	/* Recovering again, packets wait again. */
	REQUIRE(!session_transition(&s, 3, JVPN_EVENT_RETRY, JVPN_REASON_COOLDOWN_OVER, NULL),
		"refused");
	send_numbers(&s, 0, 3);
	expect_held(&s, 3);
}

static void terminated(void)
{
	struct nl_counters before;
	struct session s;
	int fd;

	fx = fx_open();
	s = session_client(&fx, 10);
	lose_binding(&s);
	send_numbers(&s, 0, 7);
	before = fx_counters(&fx);
	REQUIRE(!session_transition(&s, 2, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR, NULL),
		"refused");
	fx_expect_drops(&fx, &before, "tx_drop_state", 7);
	fd = connected(s.src4);
	before = fx_counters(&fx);
	CHECK(send(fd, "x", 1, 0) == 1, "cannot send: %s", strerror(errno));
	fx_expect_drops(&fx, &before, "tx_drop_no_session", 1);
	CHECK(WAIT_FOR(told_unreachable(fd)), "the sender is not told");
}

/* ---- jump after jump under traffic: each packet once, all in order ---- */

static void traffic_child(const struct session *s, unsigned int count, unsigned int pause_us)
{
	unsigned int i;
	char text[32];

	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "number %u", i);
		sink_send(s->fx->sink4, s->src4, PEER_PORT, text, strlen(text));
		if (pause_us)
			usleep(pause_us);
	}
	_exit(0);
}

/* A packet that came: under which epoch, with which counter, which one. */
struct came {
	unsigned int epoch;
	uint64_t counter;
	unsigned int number;
};

static struct came came[20000];
static unsigned int came_count;

static void collect(struct peer *p)
{
	static struct peer_datagram d;

	while (peer_receive_inner(p, 0, &d)) {
		REQUIRE(d.inner_len > 28 + 7 && came_count < 20000, "a strange packet came");
		came[came_count++] = (struct came){
			.epoch = p->epoch.number,
			.counter = d.counter,
			.number = atoi((char *)d.inner + 28 + 7),
		};
	}
}

static int came_order(const void *a, const void *b)
{
	const struct came *x = a, *y = b;

	if (x->epoch != y->epoch)
		return x->epoch < y->epoch ? -1 : 1;
	return x->counter < y->counter ? -1 : x->counter > y->counter;
}

/*
 * The order is that of the send counters: what the underlay does to packets
 * that two processors send at the same time is not the module's.
 */
static void expect_all(unsigned int count)
{
	unsigned int i;

	CHECK_EQ(came_count, count, "packets that came");
	qsort(came, came_count, sizeof(came[0]), came_order);
	for (i = 0; i < came_count; i++)
		REQUIRE(came[i].number == i, "number %u was sent as number %u, under epoch %u",
			came[i].number, i, came[i].epoch);
}

#define JUMPS 100

static void jumps_under_traffic(void)
{
	const unsigned int count = test_scale(8000, 2000);
	struct peer peer[JUMPS + 1];
	struct nl_epoch e;
	struct session s;
	unsigned int i, jumps;
	pid_t pid;

	fx = fx_open();
	s = session_client(&fx, 10);
	pid = fork();
	if (!pid)
		traffic_child(&s, count, test_scale(300, 1500));
	peer[0] = s.peer;
	for (jumps = 0; jumps < JUMPS && came_count < count; jumps++) {
		e = nl_epoch(jumps + 1);
		peer[jumps + 1] = prepare(&s, &e, jumps);
		test_sleep(1);
		peer_send(&peer[jumps + 1], "", 0);
		REQUIRE(WAIT_FOR(session_view(&s).version == 1 + 2 * (jumps + 1)), "not committed");
		s.peer = peer[jumps + 1];
		test_sleep(1);
		for (i = 0; i <= jumps + 1; i++)
			collect(&peer[i]);
	}
	CHECK(jumps > 10, "only %u jumps under traffic", jumps);
	WAIT_FOR(({
		for (i = 0; i <= jumps; i++)
			collect(&peer[i]);
		came_count >= count;
	}));
	expect_all(count);
	CHECK(nl_counter(fx.nl, fx.ifindex, "tx_held") > jumps, "hardly a packet waited");
}

static const struct test_case cases[] = {
	{ "a recovering client's packets wait and leave in order", client_recovering },
	{ "a recovering gateway's packets wait and leave in order", gateway_recovering },
	{ "prepared with hold: packets leave on the new path after the commit", prepared_commit },
	{ "prepared with hold: packets leave on the old path after a cancel", prepared_cancel },
	{ "two holds: packets wait for the last one", prepared_twice },
	{ "a hold ends by itself", prepared_expires },
	{ "the oldest goes when the bound is reached", drops_oldest },
	{ "a bound of 0 holds nothing", no_hold_at_all },
	{ "what waits is charged for the memory that it takes", charges_memory },
	{ "no more than so many packets wait, however small", bounded_in_packets },
	{ "the device's room is shared alike, and given back", shared_in_device },
	{ "what begins to wait while others leave does wait", leaving_forbidden },
	{ "nothing waits while degraded, and the sender is told", degraded },
	{ "nothing waits for a terminated session", terminated },
	{ "jumps under traffic: every packet once and in order", jumps_under_traffic },
};

TEST_MAIN(cases)
