// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that a packet which found a binding before somebody else took it away
 * never brings it back, and that versions are told in order and without a gap,
 * whoever makes them at the same time.
 *
 * One processor lets a packet arrive under a prepared binding; meanwhile the
 * other does something that drops it. The packet is a large one: while its
 * cipher runs, the binding that was found for it can go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

#define INNER_SIZE 60000
#define PREPARED_COOKIE 1

/*
 * What the two threads share. They wait for one another in pipes, so that none
 * takes a processor from the other, and only begin by spinning.
 */
static struct {
	struct peer from;
	int ask[2];
	int answer[2];
	unsigned int go;
	bool done;
} meet;

static struct fx fx;
static struct session s;
static struct nl *listener;
static pthread_t thread;
static uint64_t told;
/* How long a packet takes from the socket to its binding, ns. */
static uint64_t flight;

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	REQUIRE(!sched_setaffinity(0, sizeof(set), &set), "cannot run on processor %u: %s", cpu,
		strerror(errno));
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void tell(int fd)
{
	REQUIRE(write(fd, "x", 1) == 1, "write: %s", strerror(errno));
}

static bool hear(int fd)
{
	char c;

	return read(fd, &c, 1) == 1;
}

/* Octets that open, and are no inner packet. */
static void *sender(void *arg)
{
	static uint8_t inner[INNER_SIZE], datagram[INNER_SIZE + PEER_OVERHEAD];
	unsigned int round = 0;
	size_t len;

	(void)arg;
	pin(1);
	memset(inner, 0xff, sizeof(inner));
	while (hear(meet.ask[0])) {
		round++;
		len = peer_seal(&meet.from.epoch.rx, 0, inner, sizeof(inner), datagram);
		tell(meet.answer[1]);
		while (__atomic_load_n(&meet.go, __ATOMIC_ACQUIRE) != round)
			;
		peer_send_raw(&meet.from, datagram, len);
		__atomic_store_n(&meet.done, true, __ATOMIC_RELEASE);
		tell(meet.answer[1]);
	}
	return NULL;
}

/* A packet under @e leaves now. */
static void packet_begin(const struct session *at, const struct nl_epoch *e)
{
	meet.from = at->peer;
	meet.from.epoch = *e;
	meet.done = false;
	tell(meet.ask[1]);
	hear(meet.answer[0]);
	__atomic_store_n(&meet.go, meet.go + 1, __ATOMIC_RELEASE);
}

static bool packet_under_way(void)
{
	return !__atomic_load_n(&meet.done, __ATOMIC_ACQUIRE);
}

static void packet_end(void)
{
	hear(meet.answer[0]);
}

static void begin(enum jvpn_role role)
{
	uint64_t start, took;
	unsigned int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		test_skip("needs two processors");
	REQUIRE(!pipe(meet.ask) && !pipe(meet.answer), "pipe: %s", strerror(errno));
	fx = fx_open();
	s = role == JVPN_ROLE_CLIENT ? session_client(&fx, 10) : session_gateway(&fx, 10);
	listener = nl_open();
	nl_listen(listener, "state");
	told = session_view(&s).version;
	pin(0);
	REQUIRE(!pthread_create(&thread, NULL, sender, NULL), "cannot start a thread");
	/* Under the keys in use it goes the same way; counter 0 is spent by it. */
	s.peer.counter = 1;
	for (i = 0; i < 4; i++) {
		packet_begin(&s, &s.peer.epoch);
		start = now_ns();
		while (packet_under_way())
			;
		took = now_ns() - start;
		flight = i && flight < took ? flight : took;
		packet_end();
	}
}

static void finish(void)
{
	close(meet.ask[1]);
	REQUIRE(!pthread_join(thread, NULL), "cannot wait for the thread");
}

/* All that was told since the last look continues the versions, one by one. */
static void expect_told(void)
{
	uint64_t version = session_view(&s).version;
	struct nl_view v;

	while (told < version) {
		REQUIRE(nl_event(listener, PATIENCE_MS, &v), "version %llu is not told",
			(unsigned long long)told + 1);
		REQUIRE(v.cmd, "events were lost");
		if (v.cmd == JVPN_CMD_EPOCH_NTF) {
			CHECK(v.version == told, "an epoch of version %llu is told at %llu",
			      (unsigned long long)v.version, (unsigned long long)told);
			continue;
		}
		CHECK(v.version == told + 1 && v.step[0].version == v.version,
		      "version %llu is told after %llu", (unsigned long long)v.version,
		      (unsigned long long)told);
		told = v.version;
	}
}

/* What is bound is linked: it works. */
static void expect_consistent(struct session *at)
{
	struct nl_view v = session_view(at);
	bool bound = v.state == JVPN_STATE_ATTACHED || v.state == JVPN_STATE_VOLATILE;

	CHECK(v.bound == bound && v.keyed == bound, "%s and %s", nl_state_name(v.state),
	      v.bound ? "bound" : "not bound");
	if (!bound || v.keys.number == at->peer.epoch.number)
		return;
	/* The packet was faster: its binding is the current one. */
	at->peer.epoch = meet.from.epoch;
	at->peer.counter = 1;
	REQUIRE(session_works(at, "bound"), "bound to keys that nothing is received under");
}

/* @mine: what the other processor does, while the packet is under way. */
static void race(struct session *at, uint32_t number, bool refresh, void (*mine)(struct session *))
{
	struct nl_epoch e = nl_epoch(number);
	struct nl_transport t = session_transport(at);
	struct bind b = { .version = session_view(at).version, .transport = &t, .keys = &e,
			  .has_cookie = true, .cookie = PREPARED_COOKIE, .refresh = refresh,
			  .reason = refresh ? 0 : JVPN_REASON_CLIENT_JUMP };
	struct nl_reply reply;
	uint64_t until;

	REQUIRE(!session_bind(at, JVPN_CMD_BINDING_PREPARE, &b, &reply), "cannot prepare: %s",
		reply.text);
	packet_begin(at, &e);
	/* The request takes its time as well: mostly during the flight, now and then after it. */
	until = now_ns() + flight * (rand() % 100) / 80;
	while (now_ns() < until)
		;
	mine(at);
	packet_end();
	CHECK_EQ(session_view(at).pending, 0, "pending bindings");
	expect_consistent(at);
}

static unsigned int rounds(void)
{
	return test_scale(25, 10);
}

static void cancel(struct session *at)
{
	uint64_t cookie = PREPARED_COOKIE;

	REQUIRE(!session_cancel(at, &cookie, NULL), "cannot cancel");
}

static void cancelled(bool refresh)
{
	unsigned int i, committed = 0;

	begin(JVPN_ROLE_CLIENT);
	for (i = 1; i <= rounds(); i++) {
		race(&s, i, refresh, cancel);
		committed += s.peer.epoch.number == i;
		expect_told();
	}
	printf("# %u of %u came before the cancel\n", committed, i - 1);
	finish();
}

static void cancelled_jump(void)
{
	cancelled(false);
}

static void cancelled_refresh(void)
{
	cancelled(true);
}

/* A commit of a newer epoch supersedes what was prepared. */
static void supersede(struct session *at)
{
	struct nl_epoch e = nl_epoch(session_view(at).epoch + 1000000);
	struct nl_transport t = session_transport(at);
	struct nl_view v;
	struct bind b = { .transport = &t, .keys = &e, .reason = JVPN_REASON_CLIENT_JUMP };

	do {
		v = session_view(at);
		b.version = v.version;
	} while (session_bind(at, JVPN_CMD_BINDING_SET, &b, NULL) == ESTALE);
	at->peer.epoch = e;
	at->peer.counter = 0;
}

static void superseded(void)
{
	unsigned int i;

	begin(JVPN_ROLE_CLIENT);
	for (i = 1; i <= rounds(); i++) {
		race(&s, session_view(&s).epoch + 1, false, supersede);
		session_works(&s, "superseded");
		expect_told();
	}
	finish();
}

/* The transport is lost; what was prepared for another one may still arrive. */
static void lose(struct session *at)
{
	uint64_t cookie = PREPARED_COOKIE;
	uint64_t version;

	do {
		version = session_view(at).version;
	} while (session_transition(at, version, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_LINK_DOWN,
				    NULL) == ESTALE);
	session_cancel(at, &cookie, NULL);
}

static void lost(void)
{
	unsigned int i;

	begin(JVPN_ROLE_GATEWAY);
	for (i = 1; i <= rounds(); i++) {
		struct nl_epoch e = nl_epoch(2 * i);

		race(&s, 2 * i - 1, false, lose);
		session_jump(&s, &s.peer, &e);
		session_works(&s, "back");
		expect_told();
	}
	finish();
}

/* The session ends and is forgotten. */
static void forget(struct session *at)
{
	uint64_t version;

	do {
		version = session_view(at).version;
	} while (session_transition(at, version, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR,
				    NULL) == ESTALE);
	REQUIRE(session_view(at).state == JVPN_STATE_TERMINATED, "it does not end");
}

static void forgotten(void)
{
	unsigned int i;

	begin(JVPN_ROLE_CLIENT);
	for (i = 1; i <= rounds() / 2; i++) {
		struct session other = session_client(&fx, 11);

		race(&other, 1, false, forget);
		REQUIRE(!session_delete(&other), "cannot forget the session");
		peer_close(&other.peer);
	}
	session_works(&s, "unharmed");
	finish();
}

/* The kernel makes versions on one processor, the daemon on the other. */
static void judge(struct session *at)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		struct nl_view v = session_view(at);
		bool low = v.state == JVPN_STATE_VOLATILE;

		session_transition(at, v.version, low ? JVPN_EVENT_QUALITY_OK :
				   JVPN_EVENT_QUALITY_LOW, low ? JVPN_REASON_HEALTH_RECOVERED :
				   JVPN_REASON_LOSS_THRESHOLD, NULL);
	}
	while (packet_under_way())
		sched_yield();
}

static void told_in_order(void)
{
	unsigned int i;

	begin(JVPN_ROLE_CLIENT);
	for (i = 1; i <= rounds(); i++) {
		race(&s, i, i % 3 == 0, judge);
		CHECK_EQ(s.peer.epoch.number, i, "the epoch");
		expect_told();
	}
	finish();
}

static const struct test_case cases[] = {
	{ "a packet that arrives does not bring back a cancelled jump", cancelled_jump },
	{ "a packet that arrives does not bring back a cancelled refresh", cancelled_refresh },
	{ "a packet that arrives does not bring back a superseded binding", superseded },
	{ "a packet that arrives while the transport is lost", lost },
	{ "a packet that arrives while the session ends", forgotten },
	{ "versions are told in order, whoever makes them", told_in_order },
};

TEST_MAIN(cases)
