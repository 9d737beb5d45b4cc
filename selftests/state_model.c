// SPDX-License-Identifier: GPL-2.0
/*
 * Random requests, to the kernel's table and to a model of it: the project's own transition
 * function with a version, an epoch and a binding beside it. After each request both must say the
 * same. JVPN_ROUNDS tries more of them, JVPN_SEED others; the seed is printed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "core/fsm.c"

/**
 * struct model - what the session must be
 * @state: and so on, as the kernel has it
 * @transport: number of the peer address that is bound, if one is
 */
struct model {
	u32 state;
	uint64_t version;
	uint32_t epoch;
	unsigned int transport;
};

#define TRANSPORTS 3

static unsigned int number = 10;
static struct nl_transport transports[TRANSPORTS];

static unsigned int any(unsigned int below)
{
	return (unsigned int)random() % below;
}

/* Mostly right, sometimes one off, seldom anything. */
static uint64_t near(uint64_t value)
{
	switch (any(12)) {
	case 0: return value + 1;
	case 1: return value - 1;
	case 2: return value ^ (uint64_t)random() << any(33);
	default: return value;
	}
}

static void begin(struct fx *fx, struct session *s, struct model *m)
{
	unsigned int i;

	*s = session_gateway(fx, number++);
	*m = (struct model){ JVPN_STATE_ATTACHED, 1, 0, 0 };
	for (i = 0; i < TRANSPORTS; i++) {
		transports[i] = session_transport(s);
		transports[i].remote.port = transports[i].remote.port + i;
	}
}

/* ---- transitions ---- */

static u32 model_transition(struct model *m, uint64_t version, u32 event, u32 reason)
{
	u32 next, reject;

	if (m->state == JVPN_STATE_TERMINATED)
		return JVPN_REJECT_TERMINATED;
	if (version != m->version)
		return JVPN_REJECT_STALE_VERSION;
	if (event == JVPN_EVENT_HANDSHAKE_DONE || event == JVPN_EVENT_REATTACH_COMMIT)
		return JVPN_REJECT_ILLEGAL_TRANSITION;
	reject = jvpn_fsm_next(m->state, event, reason, &next);
	if (reject)
		return reject;
	m->state = next;
	m->version++;
	return JVPN_REJECT_NONE;
}

static u32 try_transition(struct session *s, struct model *m, char *what, size_t size)
{
	u32 event = any(JVPN_EVENT_MAX + 1), reason = any(JVPN_REASON_MAX + 1);
	uint64_t version = near(m->version);
	struct nl_reply reply;

	/* Half of them legal in some state; the end is for few. */
	if (any(2))
		event = jvpn_fsm_event_of(reason);
	if (event == JVPN_EVENT_TERMINATE && any(8))
		reason = JVPN_REASON_CLIENT_JUMP, event = JVPN_EVENT_JUMP;
	if (!event || !reason)
		event = JVPN_EVENT_QUALITY_LOW, reason = JVPN_REASON_LOSS_THRESHOLD;
	snprintf(what, size, "%s by %s at version %llu", nl_event_name(event),
		 nl_reason_name(reason), (unsigned long long)version);
	session_transition(s, version, event, reason, &reply);
	CHECK_EQ(reply.view.reject, model_transition(m, version, event, reason), what);
	return reply.view.reject;
}

/* ---- bindings ---- */

static u32 model_bind(struct model *m, const struct bind *b, unsigned int transport)
{
	if (m->state == JVPN_STATE_TERMINATED)
		return JVPN_REJECT_TERMINATED;
	if (b->version != m->version)
		return JVPN_REJECT_STALE_VERSION;
	if (b->has_epoch && b->epoch != m->epoch)
		return JVPN_REJECT_STALE_EPOCH;
	if (b->keys->number <= m->epoch)
		return JVPN_REJECT_STALE_EPOCH;
	if (jvpn_fsm_bound(m->state) && jvpn_fsm_event_of(b->reason) != JVPN_EVENT_JUMP)
		return JVPN_REJECT_ILLEGAL_TRANSITION;
	m->version += m->state == JVPN_STATE_RECOVERING ? 1 : 2;
	m->state = JVPN_STATE_ATTACHED;
	m->epoch = b->keys->number;
	m->transport = transport;
	return JVPN_REJECT_NONE;
}

static u32 try_bind(struct session *s, struct model *m, char *what, size_t size)
{
	static const enum jvpn_reason reasons[] = {
		JVPN_REASON_CLIENT_JUMP, JVPN_REASON_NAT_REBIND, JVPN_REASON_OPERATOR_JUMP,
		JVPN_REASON_LINK_DOWN,
	};
	struct nl_epoch keys = nl_epoch((uint32_t)near((uint64_t)m->epoch + 1) & 0xffffff);
	unsigned int transport = any(TRANSPORTS);
	struct bind b = {
		.version = near(m->version),
		.has_epoch = any(2),
		.epoch = (uint32_t)near(m->epoch),
		.reason = reasons[any(sizeof(reasons) / sizeof(reasons[0]))],
		.transport = &transports[transport],
		.keys = &keys,
	};
	struct nl_reply reply;

	snprintf(what, size, "binding to %u by %s at version %llu, epoch %u after %u", transport,
		 nl_reason_name(b.reason), (unsigned long long)b.version, keys.number, m->epoch);
	session_bind(s, JVPN_CMD_BINDING_SET, &b, &reply);
	CHECK_EQ(reply.view.reject, model_bind(m, &b, transport), what);
	return reply.view.reject;
}

/* ---- comparison ---- */

static bool agree(const struct session *s, const struct model *m, const char *what)
{
	struct nl_view v = session_view(s);
	bool bound = jvpn_fsm_bound(m->state);

	CHECK(v.state == m->state, "after %s the state is %s, not %s", what,
	      nl_state_name(v.state), nl_state_name(m->state));
	CHECK_EQ(v.version, m->version, what);
	CHECK_EQ(v.bound, bound, what);
	CHECK_EQ(v.epoch, m->epoch, what);
	if (bound && v.bound)
		CHECK(nl_addr_equal(&v.transport.remote, &transports[m->transport].remote),
		      "after %s it is bound to another transport", what);
	return v.state == m->state && v.version == m->version && v.bound == bound &&
	       v.epoch == m->epoch;
}

static unsigned int setting(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text && text[0] ? (unsigned int)strtoul(text, NULL, 0) : otherwise;
}

static void random_requests(void)
{
	unsigned int rounds = setting("JVPN_ROUNDS", test_scale(3000, 600));
	unsigned int seed = setting("JVPN_SEED", (unsigned int)test_now());
	unsigned int done[2] = { 0, 0 }, i;
	struct fx fx = fx_open();
	struct session s;
	struct model m;
	char what[160];

	printf("# JVPN_SEED=%u JVPN_ROUNDS=%u\n", seed, rounds);
	srandom(seed);
	begin(&fx, &s, &m);
	for (i = 0; i < rounds; i++) {
		u32 reject = any(2) ? try_transition(&s, &m, what, sizeof(what)) :
				      try_bind(&s, &m, what, sizeof(what));

		done[!reject]++;
		REQUIRE(agree(&s, &m, what), "round %u", i);
		if (m.state == JVPN_STATE_TERMINATED && !any(4)) {
			session_delete(&s);
			begin(&fx, &s, &m);
		}
	}
	printf("# %u refused, %u applied, %u sessions\n", done[0], done[1], number - 10);
	CHECK(done[0] > rounds / 20 && done[1] > rounds / 20, "next to nothing was tried");
}

static const struct test_case cases[] = {
	{ "random requests: the kernel's table does what the transition function says",
	  random_requests },
};

TEST_MAIN(cases)
