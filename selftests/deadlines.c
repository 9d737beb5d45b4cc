// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that the kernel ends what has ended with nobody to tell it: no process
 * holds a netlink socket or listens while the time passes. Deadlines are on
 * CLOCK_BOOTTIME.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture.h"

static struct fx fx;

/* Lets @until pass without a netlink socket. */
static void alone_until(uint64_t until)
{
	uint64_t now = test_now();

	nl_close(fx.nl);
	if (until > now)
		test_sleep(until - now);
	fx.nl = nl_open();
}

/* Time for the test itself, to be ready before a deadline. */
static uint64_t slack(void)
{
	return test_scale(200, 1500);
}

/* How late a timer may fire on a machine that does other things, too. */
static uint64_t lateness(void)
{
	return test_scale(2000, 8000);
}

/* The last transition is this one, made by the kernel, at this time. */
static void expect_last(struct session *s, enum jvpn_state state, enum jvpn_reason reason,
			uint64_t at)
{
	const struct nl_step *last;
	struct nl_view v;

	/* Reading does not make it happen. */
	session_wait_state(s, state);
	v = session_view(s);
	last = &v.step[v.steps - 1];
	REQUIRE(v.steps, "nothing happened");
	CHECK(v.state == state && last->reason == reason, "the session is %s by %s, not %s by %s",
	      nl_state_name(v.state), nl_reason_name(last->reason), nl_state_name(state),
	      nl_reason_name(reason));
	CHECK_EQ(last->origin, JVPN_ORIGIN_KERNEL, "the origin");
	CHECK(last->time >= at && last->time <= at + lateness(), "%lld ms late",
	      (long long)(last->time - at));
	CHECK_EQ(last->version, v.version, "the version of the last transition");
}

static void session_ttl(void)
{
	struct nl_counters before;
	struct session s;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	s.session_deadline = test_now() + 400 + slack();
	session_attach(&s);
	session_works(&s, "in time");
	alone_until(s.session_deadline - 100);
	if (test_now() < s.session_deadline - 60)
		session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	alone_until(s.session_deadline + 20);
	expect_last(&s, JVPN_STATE_TERMINATED, JVPN_REASON_SESSION_TTL_EXPIRED, s.session_deadline);
	CHECK_EQ(session_view(&s).version, 2, "the version");
	before = fx_counters(&fx);
	session_say(&s, "too late");
	fx_expect_drops(&fx, &before, "rx_drop_index", 1);
}

static void session_ttl_in(enum jvpn_event event, enum jvpn_reason reason)
{
	struct session s;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_CLIENT, 10);
	s.session_deadline = test_now() + 300 + slack();
	session_attach(&s);
	REQUIRE(!session_transition(&s, 1, event, reason, NULL), "refused");
	alone_until(s.session_deadline + 20);
	expect_last(&s, JVPN_STATE_TERMINATED, JVPN_REASON_SESSION_TTL_EXPIRED, s.session_deadline);
}

static void session_ttl_volatile(void)
{
	session_ttl_in(JVPN_EVENT_QUALITY_LOW, JVPN_REASON_LOSS_THRESHOLD);
}

static void session_ttl_recovering(void)
{
	session_ttl_in(JVPN_EVENT_JUMP, JVPN_REASON_CLIENT_JUMP);
}

/* From the loss of the binding, whatever happens in between. */
static void transport_loss(void)
{
	uint64_t at;
	struct session s;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_CLIENT, 10);
	fx_policy_set(&s.policy, JVPN_A_POLICY_TRANSPORT_LOSS_TTL_MS, 600);
	session_attach(&s);
	CHECK_EQ(session_view(&s).loss_deadline, 0, "the loss deadline while bound");
	REQUIRE(!session_transition(&s, 1, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_LINK_DOWN, NULL),
		"refused");
	at = session_view(&s).loss_deadline;
	CHECK(at > test_now() + 400 - slack() && at <= test_now() + 600,
	      "the loss deadline is in %lld ms", (long long)(at - test_now()));
	test_sleep(100);
	session_transition(&s, 2, JVPN_EVENT_BOUND_EXCEEDED, JVPN_REASON_RECOVERY_WINDOW_EXCEEDED,
			   NULL);
	CHECK_EQ(session_view(&s).loss_deadline, at, "the loss deadline while degraded");
	test_sleep(100);
	session_transition(&s, 3, JVPN_EVENT_RETRY, JVPN_REASON_CANDIDATE_APPEARED, NULL);
	CHECK_EQ(session_view(&s).loss_deadline, at, "the loss deadline while recovering again");
	alone_until(at + 20);
	expect_last(&s, JVPN_STATE_TERMINATED, JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED, at);
}

static void transport_loss_cleared(void)
{
	struct nl_epoch e = nl_epoch(1);
	struct session s;
	uint64_t at;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_CLIENT, 10);
	fx_policy_set(&s.policy, JVPN_A_POLICY_TRANSPORT_LOSS_TTL_MS, 400 + slack());
	session_attach(&s);
	session_transition(&s, 1, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_LINK_DOWN, NULL);
	at = session_view(&s).loss_deadline;
	session_jump(&s, &s.peer, &e);
	CHECK_EQ(session_view(&s).loss_deadline, 0, "the loss deadline after the reattach");
	alone_until(at + 100);
	session_works(&s, "alive");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
}

static int set_u64(struct session *s, uint16_t attr, uint64_t value, bool with_policy,
		   struct nl_reply *reply)
{
	uint64_t version = session_view(s).version;
	struct nl_request r = session_request(s, JVPN_CMD_SESSION_SET);

	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, version);
	nl_put_u64(&r, attr, value);
	if (with_policy)
		fx_put_policy(&r, &s->policy);
	return nl_run(&r, reply);
}

static void lease(void)
{
	struct nl_reply reply;
	struct session s;
	uint64_t at;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	s.lease_deadline = test_now() + 300 + slack();
	session_attach(&s);
	/* Renewed: the old time passes without effect. */
	at = s.lease_deadline + 300 + slack();
	REQUIRE(!set_u64(&s, JVPN_A_SESSION_LEASE_DEADLINE, at, false, &reply), "refused: %s",
		reply.text);
	alone_until(s.lease_deadline + 100);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	session_works(&s, "renewed");
	alone_until(at + 20);
	expect_last(&s, JVPN_STATE_TERMINATED, JVPN_REASON_LEASE_LOST, at);
}

static void birth(void)
{
	struct session s;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	s.birth_deadline = test_now() + 300;
	REQUIRE(!session_new(&s, NULL), "cannot make a session");
	alone_until(s.birth_deadline + 20);
	expect_last(&s, JVPN_STATE_TERMINATED, JVPN_REASON_HANDSHAKE_TIMEOUT, s.birth_deadline);
	CHECK_EQ(session_view(&s).version, 1, "the version");
}

static void birth_in_time(void)
{
	struct session s;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	s.birth_deadline = test_now() + 300 + slack();
	session_attach(&s);
	CHECK_EQ(session_view(&s).birth_deadline, 0, "the birth deadline once attached");
	alone_until(s.birth_deadline + 100);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
}

/* Old keys end the binding; the session waits as long as for any lost transport. */
static void key_expiry(enum jvpn_role role)
{
	struct nl_epoch e = nl_epoch(1);
	struct nl_counters before;
	struct session s;
	struct nl_view v;
	uint64_t at;

	fx = fx_open();
	s = session_describe(&fx, role, 10);
	fx_policy_set(&s.policy, JVPN_A_POLICY_REJECT_AFTER_MS, 1000 + slack());
	fx_policy_set(&s.policy, JVPN_A_POLICY_TRANSPORT_LOSS_TTL_MS, 600000);
	session_attach(&s);
	at = session_view(&s).keys.born + 1000 + slack();
	alone_until(at + 20);
	expect_last(&s, JVPN_STATE_RECOVERING, JVPN_REASON_KEY_EXPIRED, at);
	v = session_view(&s);
	CHECK(v.step[v.steps - 1].event == JVPN_EVENT_TRANSPORT_DEAD && !v.bound && v.version == 2,
	      "it is not the loss of a transport, or more than that");
	CHECK(v.loss_deadline >= at + 600000 && v.loss_deadline <= at + 600000 + lateness(),
	      "the loss deadline is in %lld ms", (long long)(v.loss_deadline - test_now()));
	before = fx_counters(&fx);
	session_say(&s, "too late");
	fx_expect_drops(&fx, &before, "rx_drop_index", 1);
	session_jump(&s, &s.peer, &e);
	session_works(&s, "new keys");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
}

/* Nobody brings new keys: then the transport-loss time ends it. */
static void key_expiry_lasting(void)
{
	struct session s;
	uint64_t at;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_CLIENT, 10);
	fx_policy_set(&s.policy, JVPN_A_POLICY_REJECT_AFTER_MS, 1000);
	fx_policy_set(&s.policy, JVPN_A_POLICY_TRANSPORT_LOSS_TTL_MS, 500);
	session_attach(&s);
	REQUIRE(session_wait_state(&s, JVPN_STATE_TERMINATED), "it does not end");
	at = session_view(&s).step[1].time;
	expect_last(&s, JVPN_STATE_TERMINATED, JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED, at + 500);
	CHECK_EQ(session_view(&s).version, 3, "the version");
}

static void key_expiry_gateway(void)
{
	key_expiry(JVPN_ROLE_GATEWAY);
}

static void key_expiry_client(void)
{
	key_expiry(JVPN_ROLE_CLIENT);
}

/* A refresh in time keeps the session; the old key does not outlive its own age. */
static void key_refreshed(void)
{
	struct nl_epoch old, e = nl_epoch(1);
	struct nl_counters before;
	uint8_t inner[128];
	struct session s;
	struct bind b = { .version = 1, .keys = &e };
	uint64_t born;
	struct peer p;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	fx_policy_set(&s.policy, JVPN_A_POLICY_REJECT_AFTER_MS, 1000 + slack());
	session_attach(&s);
	born = session_view(&s).keys.born;
	old = s.peer.epoch;
	test_sleep(600);
	REQUIRE(!session_bind(&s, JVPN_CMD_EPOCH_SET, &b, NULL), "refused");
	alone_until(born + 1000 + slack() + 50);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	before = fx_counters(&fx);
	p = s.peer;
	p.epoch = old;
	peer_send_at(&p, 90, inner, session_text(&s, inner, "expired"));
	fx_expect_drops(&fx, &before, "rx_drop_index", 1);
	s.peer.epoch = e;
	session_works(&s, "young");
}

/* A gateway that hears nothing gives the binding up; traffic puts it off. */
static void silence(void)
{
	const unsigned int timeout = 400 + slack();
	uint64_t last;
	struct session s;
	unsigned int i;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	fx_policy_set(&s.policy, JVPN_A_POLICY_RX_TIMEOUT_MS, timeout);
	session_attach(&s);
	for (i = 0; i < 4; i++) {
		test_sleep(timeout / 2);
		session_works(&s, "here");
	}
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	last = session_view(&s).health.last_rx;
	alone_until(last + timeout + 20);
	expect_last(&s, JVPN_STATE_RECOVERING, JVPN_REASON_PROBE_TIMEOUT, last + timeout);
	CHECK(!session_view(&s).bound, "the session is still bound");
}

/* What does not authenticate is no sign of life. */
static void silence_forged(void)
{
	const unsigned int timeout = 300 + slack();
	uint8_t inner[128], datagram[256];
	struct session s;
	uint64_t end;
	size_t len;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	fx_policy_set(&s.policy, JVPN_A_POLICY_RX_TIMEOUT_MS, timeout);
	session_attach(&s);
	len = peer_seal(&s.peer.epoch.rx, 9, inner, session_text(&s, inner, "forged"), datagram);
	datagram[len - 1] ^= 1;
	/* They do not end before the session's patience does. */
	end = test_now() + 10 * timeout;
	while (test_now() < end && session_view(&s).state != JVPN_STATE_RECOVERING) {
		peer_send_raw(&s.peer, datagram, len);
		test_sleep(20);
	}
	session_expect_state(&s, JVPN_STATE_RECOVERING, 2);
}

static void no_timeouts(void)
{
	struct session s;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	alone_until(test_now() + 500);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	session_works(&s, "quiet, not dead");
}

/* When several are due the order of the design decides. */
static void priorities(void)
{
	struct session a, b;
	uint64_t at;

	fx = fx_open();
	a = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	b = session_describe(&fx, JVPN_ROLE_GATEWAY, 11);
	at = test_now() + 400 + slack();
	a.session_deadline = at;
	a.lease_deadline = at;
	session_attach(&a);
	b.lease_deadline = at;
	/* Silence would be due at the same time: ownership goes first. */
	session_attach(&b);
	alone_until(at + 20);
	expect_last(&a, JVPN_STATE_TERMINATED, JVPN_REASON_SESSION_TTL_EXPIRED, at);
	expect_last(&b, JVPN_STATE_TERMINATED, JVPN_REASON_LEASE_LOST, at);
}

/* Both due at once, in one look of the kernel: the deadline lies in the past. */
static void priorities_past(void)
{
	struct session s;
	struct nl_view v;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_CLIENT, 10);
	s.lease_deadline = 1;
	s.session_deadline = 2;
	s.birth_deadline = 3;
	REQUIRE(!session_new(&s, NULL), "cannot make a session");
	CHECK(session_wait_state(&s, JVPN_STATE_TERMINATED), "past deadlines do not end it");
	v = session_view(&s);
	CHECK(v.steps == 1 && v.step[0].reason == JVPN_REASON_SESSION_TTL_EXPIRED,
	      "%u transitions, the first by %s", v.steps, nl_reason_name(v.step[0].reason));
}

static void raised_only_with_policy(void)
{
	struct nl_reply reply;
	struct session s;
	uint64_t at;
	char *before, *after;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	at = test_now() + 3600000;
	s.session_deadline = at;
	session_attach(&s);
	before = nl_session_text(fx.nl, fx.ifindex, s.id);
	CHECK_EQ(set_u64(&s, JVPN_A_SESSION_SESSION_DEADLINE, at + 1, false, &reply), EINVAL,
		 "raising: the error");
	CHECK(reply.text[0], "refused without a sentence");
	CHECK_EQ(set_u64(&s, JVPN_A_SESSION_SESSION_DEADLINE, 0, false, &reply), EINVAL,
		 "removing: the error");
	after = nl_session_text(fx.nl, fx.ifindex, s.id);
	CHECK(!strcmp(before, after), "a refusal changed the session");
	CHECK(!set_u64(&s, JVPN_A_SESSION_SESSION_DEADLINE, at - 1, false, &reply),
	      "lowering is refused: %s", reply.text);
	CHECK_EQ(session_view(&s).session_deadline, at - 1, "the deadline");
	CHECK(!set_u64(&s, JVPN_A_SESSION_SESSION_DEADLINE, at + 5, true, &reply),
	      "raising with a policy is refused: %s", reply.text);
	CHECK_EQ(session_view(&s).session_deadline, at + 5, "the deadline");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
}

/* A step of the wall clock is no passing of time. */
static void clock_steps(void)
{
	const char *lane = getenv("JVPN_LANE");
	struct timespec real, shifted;
	struct session s;

	if (!lane || !strcmp(lane, "host"))
		test_skip("would set the clock of this host");
	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	s.session_deadline = test_now() + 600 + 2 * slack();
	session_attach(&s);
	clock_gettime(CLOCK_REALTIME, &real);
	shifted = real;
	shifted.tv_sec += 3600;
	if (clock_settime(CLOCK_REALTIME, &shifted))
		test_skip("the clock cannot be set: %s", strerror(errno));
	test_sleep(50);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	shifted.tv_sec -= 7200;
	clock_settime(CLOCK_REALTIME, &shifted);
	test_sleep(50);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	clock_settime(CLOCK_REALTIME, &real);
	alone_until(s.session_deadline + 20);
	expect_last(&s, JVPN_STATE_TERMINATED, JVPN_REASON_SESSION_TTL_EXPIRED, s.session_deadline);
}

/* Many at once, and the table is still in order. */
static void many_at_once(void)
{
	const unsigned int count = 20;
	struct session s[20];
	unsigned int i;
	uint64_t at;

	fx = fx_open();
	at = test_now() + 1000 + slack();
	for (i = 0; i < count; i++) {
		s[i] = session_describe(&fx, JVPN_ROLE_GATEWAY, 10 + i);
		s[i].session_deadline = at;
		session_attach(&s[i]);
	}
	alone_until(at + 20);
	for (i = 0; i < count; i++) {
		expect_last(&s[i], JVPN_STATE_TERMINATED, JVPN_REASON_SESSION_TTL_EXPIRED, at);
		CHECK(!session_delete(&s[i]), "cannot forget session %u", i);
	}
}

static int deadline_new(uint16_t attr, uint64_t value, unsigned int number,
			struct nl_reply *reply)
{
	struct session s = session_describe(&fx, JVPN_ROLE_CLIENT, number);
	struct nl_request r = session_request(&s, JVPN_CMD_SESSION_NEW);

	nl_put_u32(&r, JVPN_A_SESSION_ROLE, s.role);
	nl_put_inner(&r, s.inner4);
	nl_put_u64(&r, attr, value);
	return nl_run(&r, reply);
}

static int deadline_set(struct session *s, uint16_t attr, uint64_t value, struct nl_reply *reply)
{
	struct nl_request r = session_request(s, JVPN_CMD_SESSION_SET);

	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);
	nl_put_u64(&r, attr, value);
	return nl_run(&r, reply);
}

/* In nanoseconds these wrap to the past, to now, or below zero, where a timer would never rest. */
static void no_timer_holds_them(void)
{
	static const uint64_t wrong[] = {
		JVPN_TIME_MAX + 1, 9223372036855, 18446744073709, 18446744073710, 18446744073711,
		INT64_MAX, INT64_MAX + 1ULL, UINT64_MAX - 1000, UINT64_MAX,
	};
	static const uint16_t attrs[] = {
		JVPN_A_SESSION_SESSION_DEADLINE, JVPN_A_SESSION_LEASE_DEADLINE,
		JVPN_A_SESSION_BIRTH_DEADLINE,
	};
	struct nl_reply reply;
	struct session s;
	unsigned int i, j;

	fx = fx_open();
	s = session_client(&fx, 10);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		for (j = 0; j < 3; j++) {
			CHECK_EQ(deadline_new(attrs[j], wrong[i], 11, &reply), ERANGE, "session-new");
			if (attrs[j] != JVPN_A_SESSION_BIRTH_DEADLINE)
				CHECK_EQ(deadline_set(&s, attrs[j], wrong[i], &reply), ERANGE,
					 "session-set");
		}
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
}

/* The latest that can be said is waited for, and nothing else suffers. */
static void latest(void)
{
	struct nl_reply reply;
	struct session s;

	fx = fx_open();
	CHECK(!deadline_new(JVPN_A_SESSION_SESSION_DEADLINE, JVPN_TIME_MAX, 11, &reply) &&
	      !deadline_new(JVPN_A_SESSION_LEASE_DEADLINE, JVPN_TIME_MAX, 12, &reply) &&
	      !deadline_new(JVPN_A_SESSION_BIRTH_DEADLINE, JVPN_TIME_MAX, 13, &reply),
	      "refused: %s", reply.text);
	s = session_client(&fx, 10);
	CHECK(!deadline_set(&s, JVPN_A_SESSION_SESSION_DEADLINE, JVPN_TIME_MAX, &reply),
	      "refused: %s", reply.text);
	test_sleep(50);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	session_works(&s, "with all the time of the world");
	CHECK_EQ(session_view(&s).session_deadline, JVPN_TIME_MAX, "the deadline");
}

static const struct test_case cases[] = {
	{ "the session's time ends it while attached", session_ttl },
	{ "the session's time ends it while volatile", session_ttl_volatile },
	{ "the session's time ends it while recovering", session_ttl_recovering },
	{ "the transport-loss time runs from the loss and is never restarted", transport_loss },
	{ "a reattach stops the transport-loss time", transport_loss_cleared },
	{ "a lease that is not renewed ends the session", lease },
	{ "birth ends in time", birth },
	{ "a birth in time is none of the deadline's business", birth_in_time },
	{ "an old key ends a gateway's binding, not its session", key_expiry_gateway },
	{ "an old key ends a client's binding, not its session", key_expiry_client },
	{ "after an old key the transport-loss time ends the session", key_expiry_lasting },
	{ "a refresh in time keeps it, and the old key expires alone", key_refreshed },
	{ "silence makes a gateway give the binding up", silence },
	{ "forged packets are no sign of life", silence_forged },
	{ "no deadline, no end", no_timeouts },
	{ "of two deadlines due the session's own goes first", priorities },
	{ "past deadlines end a session in the order of priority", priorities_past },
	{ "the session's time is raised only with a policy", raised_only_with_policy },
	{ "steps of the wall clock are no passing of time", clock_steps },
	{ "many deadlines at once", many_at_once },
	{ "a deadline that no timer holds is refused", no_timer_holds_them },
	{ "the latest deadline is waited for", latest },
};

TEST_MAIN(cases)
