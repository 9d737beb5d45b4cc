// SPDX-License-Identifier: GPL-2.0
/*
 * The transition function against its specification, written down a second
 * time as the list of everything that is allowed: all states, events and
 * reasons, also such that do not exist.
 */
#include <linux/jvpn.h>

#include "../tap.h"
#include "core/fsm.h"

enum {
	BIRTH = JVPN_STATE_BIRTH,
	ATTACHED = JVPN_STATE_ATTACHED,
	VOLATILE = JVPN_STATE_VOLATILE,
	RECOVERING = JVPN_STATE_RECOVERING,
	DEGRADED = JVPN_STATE_DEGRADED,
	TERMINATED = JVPN_STATE_TERMINATED,
};

struct allowed {
	int from;
	int event;
	int reason;
	int to;
};

#define TERMINATIONS(state)							\
	{ state, JVPN_EVENT_TERMINATE, JVPN_REASON_SESSION_TTL_EXPIRED, TERMINATED }, \
	{ state, JVPN_EVENT_TERMINATE, JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED, TERMINATED }, \
	{ state, JVPN_EVENT_TERMINATE, JVPN_REASON_OWNERSHIP_AMBIGUOUS, TERMINATED }, \
	{ state, JVPN_EVENT_TERMINATE, JVPN_REASON_POLICY_FAILURE, TERMINATED },	\
	{ state, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR, TERMINATED },	\
	{ state, JVPN_EVENT_TERMINATE, JVPN_REASON_LEASE_LOST, TERMINATED }

#define LOSSES(state)								\
	{ state, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_PROBE_TIMEOUT, RECOVERING }, \
	{ state, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_LINK_DOWN, RECOVERING },	\
	{ state, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_ROUTE_LOST, RECOVERING }, \
	{ state, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_SOCKET_ERROR, RECOVERING }, \
	{ state, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_ICMP_UNREACHABLE, RECOVERING }, \
	{ state, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_KEY_EXPIRED, RECOVERING }, \
	{ state, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_HOST_SUSPENDED, RECOVERING }, \
	{ state, JVPN_EVENT_JUMP, JVPN_REASON_CLIENT_JUMP, RECOVERING },		\
	{ state, JVPN_EVENT_JUMP, JVPN_REASON_NAT_REBIND, RECOVERING },		\
	{ state, JVPN_EVENT_JUMP, JVPN_REASON_OPERATOR_JUMP, RECOVERING },	\
	{ state, JVPN_EVENT_JUMP, JVPN_REASON_OWNER_MOVED, RECOVERING }

static const struct allowed everything[] = {
	{ BIRTH, JVPN_EVENT_HANDSHAKE_DONE, JVPN_REASON_HANDSHAKE_OK, ATTACHED },
	{ BIRTH, JVPN_EVENT_HANDSHAKE_FAILED, JVPN_REASON_HANDSHAKE_TIMEOUT, TERMINATED },
	{ BIRTH, JVPN_EVENT_HANDSHAKE_FAILED, JVPN_REASON_HANDSHAKE_REJECTED, TERMINATED },
	TERMINATIONS(BIRTH),
	{ ATTACHED, JVPN_EVENT_QUALITY_LOW, JVPN_REASON_LOSS_THRESHOLD, VOLATILE },
	{ ATTACHED, JVPN_EVENT_QUALITY_LOW, JVPN_REASON_LATENCY_THRESHOLD, VOLATILE },
	{ ATTACHED, JVPN_EVENT_QUALITY_LOW, JVPN_REASON_HEARTBEAT_LATE, VOLATILE },
	LOSSES(ATTACHED),
	TERMINATIONS(ATTACHED),
	{ VOLATILE, JVPN_EVENT_QUALITY_OK, JVPN_REASON_HEALTH_RECOVERED, ATTACHED },
	LOSSES(VOLATILE),
	TERMINATIONS(VOLATILE),
	{ RECOVERING, JVPN_EVENT_REATTACH_COMMIT, JVPN_REASON_REATTACH_OK, ATTACHED },
	{ RECOVERING, JVPN_EVENT_BOUND_EXCEEDED, JVPN_REASON_RECOVERY_WINDOW_EXCEEDED, DEGRADED },
	{ RECOVERING, JVPN_EVENT_BOUND_EXCEEDED, JVPN_REASON_SWITCH_RATE_EXCEEDED, DEGRADED },
	TERMINATIONS(RECOVERING),
	{ DEGRADED, JVPN_EVENT_RETRY, JVPN_REASON_COOLDOWN_OVER, RECOVERING },
	{ DEGRADED, JVPN_EVENT_RETRY, JVPN_REASON_CANDIDATE_APPEARED, RECOVERING },
	TERMINATIONS(DEGRADED),
};

#define ALLOWED (sizeof(everything) / sizeof(everything[0]))
#define UNTOUCHED 0xdeadbeef

/* Beyond the highest value, far beyond, and around the width of a bit set. */
static const u32 strange[] = { 6, 7, 8, 11, 12, 30, 31, 32, 33, 63, 64, 65, 255, 256, 65536,
			       0x7fffffff, 0x80000000, 0xffffffff };

#define STRANGE (sizeof(strange) / sizeof(strange[0]))

static const struct allowed *allowed_find(u32 state, u32 event, u32 reason)
{
	size_t i;

	for (i = 0; i < ALLOWED; i++)
		if ((u32)everything[i].from == state && (u32)everything[i].event == event &&
		    (u32)everything[i].reason == reason)
			return &everything[i];
	return NULL;
}

/* One triple. Return: it behaves. */
static bool triple_ok(u32 state, u32 event, u32 reason)
{
	const struct allowed *a = allowed_find(state, event, reason);
	u32 next = UNTOUCHED;
	u32 reject = jvpn_fsm_next(state, event, reason, &next);
	u32 wanted = state == TERMINATED ? JVPN_REJECT_TERMINATED : JVPN_REJECT_ILLEGAL_TRANSITION;

	if (a && !reject && next == (u32)a->to)
		return true;
	if (!a && reject == wanted && next == UNTOUCHED)
		return true;
	tap_note("state %u, event %u, reason %u: reject %u, next %u", state, event, reason, reject,
		 next);
	return false;
}

static void test_total(void)
{
	unsigned int bad = 0, tried = 0, applied = 0;
	u32 state, event, reason, next;

	for (state = 0; state <= JVPN_STATE_MAX; state++)
		for (event = 0; event <= JVPN_EVENT_MAX; event++)
			for (reason = 0; reason <= JVPN_REASON_MAX; reason++, tried++) {
				bad += !triple_ok(state, event, reason);
				applied += !jvpn_fsm_next(state, event, reason, &next);
			}
	tap_equal(tried, 6 * 11 * 30, "every state, event and reason is tried");
	tap_equal(bad, 0, "all do what the specification allows, and nothing else");
	tap_equal(applied, ALLOWED, "as many transitions as the specification has");
}

static void test_strange(void)
{
	unsigned int bad = 0;
	u32 i, j, other;

	for (i = 0; i < STRANGE; i++)
		for (j = 0; j < 40; j++)
			for (other = 0; other < 40; other++) {
				if (strange[i] > JVPN_STATE_MAX)
					bad += !triple_ok(strange[i], j, other);
				if (strange[i] > JVPN_EVENT_MAX)
					bad += !triple_ok(j % 6, strange[i], other);
				if (strange[i] > JVPN_REASON_MAX)
					bad += !triple_ok(j % 6, other, strange[i]);
			}
	tap_equal(bad, 0, "what does not exist is refused");
}

static void test_terminated(void)
{
	unsigned int bad = 0;
	u32 event, reason, next = UNTOUCHED;

	for (event = 0; event < 300; event++)
		for (reason = 0; reason < 300; reason++)
			bad += jvpn_fsm_next(TERMINATED, event, reason, &next) !=
			       JVPN_REJECT_TERMINATED;
	tap_ok(!bad && next == UNTOUCHED, "TERMINATED is absorbing");
}

/* Every state can be reached, and from every one there is a way to the end. */
static void test_reachable(void)
{
	bool reached[JVPN_STATE_MAX + 1] = { [BIRTH] = true };
	unsigned int round, state;
	size_t i;

	for (round = 0; round <= JVPN_STATE_MAX; round++)
		for (i = 0; i < ALLOWED; i++)
			if (reached[everything[i].from])
				reached[everything[i].to] = true;
	for (state = 0; state <= JVPN_STATE_MAX; state++)
		tap_ok(reached[state], "state %u can be reached", state);
}

static void test_bound(void)
{
	u32 state;

	for (state = 0; state <= JVPN_STATE_MAX; state++)
		tap_ok(jvpn_fsm_bound(state) == (state == ATTACHED || state == VOLATILE),
		       "state %u has a binding, or has none", state);
	tap_ok(!jvpn_fsm_bound(6) && !jvpn_fsm_bound(UINT32_MAX),
	       "a state that does not exist has none");
}

static void test_event_of(void)
{
	unsigned int bad = 0;
	u32 reason;
	size_t i;

	for (i = 0; i < ALLOWED; i++)
		bad += jvpn_fsm_event_of(everything[i].reason) != (u32)everything[i].event;
	tap_equal(bad, 0, "every reason names its event");
	bad = 0;
	for (reason = JVPN_REASON_MAX + 1; reason < 300; reason++)
		bad += jvpn_fsm_event_of(reason) != JVPN_EVENT_NONE;
	bad += jvpn_fsm_event_of(JVPN_REASON_NONE) != JVPN_EVENT_NONE;
	bad += jvpn_fsm_event_of(UINT32_MAX) != JVPN_EVENT_NONE;
	tap_equal(bad, 0, "what is no reason names none");
}

/* Time limits, ownership, policy and operator, dead transport, quality. */
static void test_priority(void)
{
	static const u32 order[] = {
		JVPN_REASON_SESSION_TTL_EXPIRED, JVPN_REASON_LEASE_LOST, JVPN_REASON_OPERATOR,
		JVPN_REASON_PROBE_TIMEOUT, JVPN_REASON_LOSS_THRESHOLD,
	};
	static const u32 same[][2] = {
		{ JVPN_REASON_SESSION_TTL_EXPIRED, JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED },
		{ JVPN_REASON_SESSION_TTL_EXPIRED, JVPN_REASON_HANDSHAKE_TIMEOUT },
		{ JVPN_REASON_LEASE_LOST, JVPN_REASON_OWNERSHIP_AMBIGUOUS },
		{ JVPN_REASON_LEASE_LOST, JVPN_REASON_OWNER_MOVED },
		{ JVPN_REASON_OPERATOR, JVPN_REASON_POLICY_FAILURE },
		{ JVPN_REASON_OPERATOR, JVPN_REASON_OPERATOR_JUMP },
		{ JVPN_REASON_PROBE_TIMEOUT, JVPN_REASON_LINK_DOWN },
		{ JVPN_REASON_PROBE_TIMEOUT, JVPN_REASON_ROUTE_LOST },
		{ JVPN_REASON_PROBE_TIMEOUT, JVPN_REASON_SOCKET_ERROR },
		{ JVPN_REASON_PROBE_TIMEOUT, JVPN_REASON_ICMP_UNREACHABLE },
		{ JVPN_REASON_PROBE_TIMEOUT, JVPN_REASON_KEY_EXPIRED },
		{ JVPN_REASON_PROBE_TIMEOUT, JVPN_REASON_HOST_SUSPENDED },
		{ JVPN_REASON_LOSS_THRESHOLD, JVPN_REASON_LATENCY_THRESHOLD },
		{ JVPN_REASON_LOSS_THRESHOLD, JVPN_REASON_HEARTBEAT_LATE },
		{ JVPN_REASON_LOSS_THRESHOLD, JVPN_REASON_HEALTH_RECOVERED },
	};
	unsigned int bad = 0;
	u32 reason;
	size_t i;

	for (i = 0; i + 1 < sizeof(order) / sizeof(order[0]); i++)
		tap_ok(jvpn_fsm_priority(order[i]) < jvpn_fsm_priority(order[i + 1]),
		       "reason %u goes before reason %u", order[i], order[i + 1]);
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		bad += jvpn_fsm_priority(same[i][0]) != jvpn_fsm_priority(same[i][1]);
	tap_equal(bad, 0, "reasons of one kind are equal");
	bad = 0;
	for (reason = 0; reason < 300; reason++)
		bad += jvpn_fsm_priority(reason) > 5;
	tap_equal(bad, 0, "there is a rank for everything");
}

int main(void)
{
	test_total();
	test_strange();
	test_terminated();
	test_reachable();
	test_bound();
	test_event_of();
	test_priority();
	return tap_done();
}
