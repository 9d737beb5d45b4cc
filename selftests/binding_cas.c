// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that a session changes only by compare-and-swap on its version and
 * epoch, along the transition table, one version for each step, and that a
 * refusal changes nothing at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

/* ---- the table, written down once more, from the specification ---- */

#define ANY_LIVE 0x1f
#define IN(state) (1u << JVPN_STATE_##state)

static const struct {
	enum jvpn_event event;
	uint32_t from;
	enum jvpn_state to;
	enum jvpn_reason reasons[8];
} rows[] = {
	{ JVPN_EVENT_HANDSHAKE_DONE, IN(BIRTH), JVPN_STATE_ATTACHED,
	  { JVPN_REASON_HANDSHAKE_OK } },
	{ JVPN_EVENT_HANDSHAKE_FAILED, IN(BIRTH), JVPN_STATE_TERMINATED,
	  { JVPN_REASON_HANDSHAKE_TIMEOUT, JVPN_REASON_HANDSHAKE_REJECTED } },
	{ JVPN_EVENT_QUALITY_LOW, IN(ATTACHED), JVPN_STATE_VOLATILE,
	  { JVPN_REASON_LOSS_THRESHOLD, JVPN_REASON_LATENCY_THRESHOLD,
	    JVPN_REASON_HEARTBEAT_LATE } },
	{ JVPN_EVENT_QUALITY_OK, IN(VOLATILE), JVPN_STATE_ATTACHED,
	  { JVPN_REASON_HEALTH_RECOVERED } },
	{ JVPN_EVENT_TRANSPORT_DEAD, IN(ATTACHED) | IN(VOLATILE), JVPN_STATE_RECOVERING,
	  { JVPN_REASON_PROBE_TIMEOUT, JVPN_REASON_LINK_DOWN, JVPN_REASON_ROUTE_LOST,
	    JVPN_REASON_SOCKET_ERROR, JVPN_REASON_ICMP_UNREACHABLE, JVPN_REASON_KEY_EXPIRED,
	    JVPN_REASON_HOST_SUSPENDED } },
	{ JVPN_EVENT_JUMP, IN(ATTACHED) | IN(VOLATILE), JVPN_STATE_RECOVERING,
	  { JVPN_REASON_CLIENT_JUMP, JVPN_REASON_NAT_REBIND, JVPN_REASON_OPERATOR_JUMP,
	    JVPN_REASON_OWNER_MOVED } },
	{ JVPN_EVENT_REATTACH_COMMIT, IN(RECOVERING), JVPN_STATE_ATTACHED,
	  { JVPN_REASON_REATTACH_OK } },
	{ JVPN_EVENT_BOUND_EXCEEDED, IN(RECOVERING), JVPN_STATE_DEGRADED,
	  { JVPN_REASON_RECOVERY_WINDOW_EXCEEDED, JVPN_REASON_SWITCH_RATE_EXCEEDED } },
	{ JVPN_EVENT_RETRY, IN(DEGRADED), JVPN_STATE_RECOVERING,
	  { JVPN_REASON_COOLDOWN_OVER, JVPN_REASON_CANDIDATE_APPEARED } },
	{ JVPN_EVENT_TERMINATE, ANY_LIVE, JVPN_STATE_TERMINATED,
	  { JVPN_REASON_SESSION_TTL_EXPIRED, JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED,
	    JVPN_REASON_OWNERSHIP_AMBIGUOUS, JVPN_REASON_POLICY_FAILURE, JVPN_REASON_OPERATOR,
	    JVPN_REASON_LEASE_LOST } },
};

/* What must come of it; -1: refused. Events that install a binding are not transitions. */
static int oracle(enum jvpn_state state, unsigned int event, unsigned int reason)
{
	size_t i, j;

	if (event == JVPN_EVENT_HANDSHAKE_DONE || event == JVPN_EVENT_REATTACH_COMMIT)
		return -1;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (j = 0; rows[i].event == event && j < 8; j++)
			if (rows[i].reasons[j] == reason && reason &&
			    rows[i].from & 1u << state)
				return rows[i].to;
	return -1;
}

/* ---- bringing a session into a state ---- */

static void step(struct session *s, enum jvpn_event event, enum jvpn_reason reason)
{
	uint64_t version = session_view(s).version;

	REQUIRE(!session_transition(s, version, event, reason, NULL), "cannot apply %s",
		nl_event_name(event));
}

static struct session session_in(struct fx *fx, enum jvpn_state state, unsigned int number)
{
	struct session s = session_describe(fx, JVPN_ROLE_GATEWAY, number);

	REQUIRE(!session_new(&s, NULL), "cannot make a session");
	if (state == JVPN_STATE_BIRTH)
		return s;
	peer_send(&s.peer, "", 0);
	REQUIRE(session_wait_state(&s, JVPN_STATE_ATTACHED), "the session does not attach");
	switch (state) {
	case JVPN_STATE_VOLATILE:
		step(&s, JVPN_EVENT_QUALITY_LOW, JVPN_REASON_LOSS_THRESHOLD);
		break;
	case JVPN_STATE_RECOVERING:
		step(&s, JVPN_EVENT_JUMP, JVPN_REASON_CLIENT_JUMP);
		break;
	case JVPN_STATE_DEGRADED:
		step(&s, JVPN_EVENT_JUMP, JVPN_REASON_CLIENT_JUMP);
		step(&s, JVPN_EVENT_BOUND_EXCEEDED, JVPN_REASON_RECOVERY_WINDOW_EXCEEDED);
		break;
	case JVPN_STATE_TERMINATED:
		step(&s, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR);
		break;
	default:
		break;
	}
	return s;
}

/* ---- refusals ---- */

static char *before;

static void remember(struct session *s)
{
	free(before);
	before = nl_session_text(s->fx->nl, s->fx->ifindex, s->id);
}

/* Refused so, and everything is as it was. */
static void expect_refusal(struct session *s, const struct nl_reply *reply, int error,
			   enum jvpn_reject reject, const char *what)
{
	struct nl_view v = session_view(s);
	char *after = nl_session_text(s->fx->nl, s->fx->ifindex, s->id);

	CHECK(reply->error == error, "%s: the error is %s, not %s", what, strerror(reply->error),
	      strerror(error));
	CHECK(reply->text[0], "%s: the refusal has no sentence", what);
	if (CHECK(reply->answers == 1, "%s: %u answers carry the current version", what,
		  reply->answers)) {
		CHECK(reply->view.reject == reject, "%s: reject is %s, not %s", what,
		      nl_reject_name(reply->view.reject), nl_reject_name(reject));
		CHECK(reply->view.version == v.version && reply->view.state == v.state &&
		      reply->view.epoch == v.epoch,
		      "%s: the refusal tells another state, version or epoch than the current one",
		      what);
		CHECK(!reply->view.steps, "%s: the refusal tells of %u transitions", what,
		      reply->view.steps);
	}
	CHECK(!strcmp(before, after), "%s: the refusal changed the session:\n%s\nwas\n%s", what, after,
	      before);
	free(after);
}

/* ---- cases ---- */

/* All events with all reasons in @state, on one session until it changes. */
static void every_pair(enum jvpn_state state)
{
	unsigned int event, reason, number = 10, applied = 0, refused = 0;
	struct fx fx = fx_open();
	struct session s = session_in(&fx, state, number);
	struct nl_reply reply;

	for (event = 0; event <= JVPN_EVENT_MAX; event++) {
		for (reason = 0; reason <= JVPN_REASON_MAX; reason++) {
			int to = oracle(state, event, reason);
			uint64_t version = session_view(&s).version;

			remember(&s);
			session_transition(&s, version, event, reason, &reply);
			if (to < 0) {
				expect_refusal(&s, &reply,
					       state == JVPN_STATE_TERMINATED ? ESHUTDOWN : EPROTO,
					       state == JVPN_STATE_TERMINATED ?
					       JVPN_REJECT_TERMINATED :
					       JVPN_REJECT_ILLEGAL_TRANSITION,
					       nl_event_name(event));
				refused++;
				continue;
			}
			CHECK(!reply.error, "%s with %s is refused: %s", nl_event_name(event),
			      nl_reason_name(reason), reply.text);
			session_expect_state(&s, to, version + 1);
			CHECK(reply.view.steps == 1 && reply.view.step[0].from == state &&
			      reply.view.step[0].to == (uint32_t)to &&
			      reply.view.step[0].event == event &&
			      reply.view.step[0].reason == reason &&
			      reply.view.step[0].version == version + 1,
			      "the answer to %s tells another transition", nl_event_name(event));
			applied++;
			if (session_view(&s).state != JVPN_STATE_TERMINATED)
				step(&s, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR);
			REQUIRE(!session_delete(&s), "cannot forget the session");
			peer_close(&s.peer);
			s = session_in(&fx, state, number);
		}
	}
	CHECK_EQ(applied + refused, (JVPN_EVENT_MAX + 1) * (JVPN_REASON_MAX + 1), "pairs tried");
	CHECK(applied || state == JVPN_STATE_TERMINATED, "no transition was possible");
}

static void pairs_birth(void)
{
	every_pair(JVPN_STATE_BIRTH);
}

static void pairs_attached(void)
{
	every_pair(JVPN_STATE_ATTACHED);
}

static void pairs_volatile(void)
{
	every_pair(JVPN_STATE_VOLATILE);
}

static void pairs_recovering(void)
{
	every_pair(JVPN_STATE_RECOVERING);
}

static void pairs_degraded(void)
{
	every_pair(JVPN_STATE_DEGRADED);
}

static void pairs_terminated(void)
{
	every_pair(JVPN_STATE_TERMINATED);
}

static void stale_version(void)
{
	struct fx fx = fx_open();
	struct session s = session_in(&fx, JVPN_STATE_VOLATILE, 10);
	struct nl_transport t = session_transport(&s);
	struct nl_epoch e = nl_epoch(1);
	const uint64_t wrong[] = { 0, 1, 3, UINT64_MAX, 2 + (1ULL << 32) };
	struct nl_reply reply;
	unsigned int i;

	session_expect_state(&s, JVPN_STATE_VOLATILE, 2);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct bind b = { .version = wrong[i], .keys = &e };
		struct nl_request r;

		remember(&s);
		session_transition(&s, wrong[i], JVPN_EVENT_QUALITY_OK,
				   JVPN_REASON_HEALTH_RECOVERED, &reply);
		expect_refusal(&s, &reply, ESTALE, JVPN_REJECT_STALE_VERSION, "transition");
		session_bind(&s, JVPN_CMD_EPOCH_SET, &b, &reply);
		expect_refusal(&s, &reply, ESTALE, JVPN_REJECT_STALE_VERSION, "epoch-set");
		b.transport = &t;
		b.reason = JVPN_REASON_CLIENT_JUMP;
		session_bind(&s, JVPN_CMD_BINDING_PREPARE, &b, &reply);
		expect_refusal(&s, &reply, ESTALE, JVPN_REJECT_STALE_VERSION, "binding-prepare");
		session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply);
		expect_refusal(&s, &reply, ESTALE, JVPN_REJECT_STALE_VERSION, "binding-set");
		r = session_request(&s, JVPN_CMD_SESSION_SET);
		nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, wrong[i]);
		nl_put_u64(&r, JVPN_A_SESSION_LEASE_DEADLINE, test_now() + 100000);
		nl_run(&r, &reply);
		expect_refusal(&s, &reply, ESTALE, JVPN_REJECT_STALE_VERSION, "session-set");
	}
	CHECK(!session_transition(&s, 2, JVPN_EVENT_QUALITY_OK, JVPN_REASON_HEALTH_RECOVERED, NULL),
	      "the right version is refused");
}

/* binding-set and epoch-set on @s, whose version is right and whose epoch request is wrong. */
static void refuse_epoch(struct session *s, uint64_t version, bool has_epoch, uint32_t expected,
			 uint32_t number)
{
	struct nl_transport t = session_transport(s);
	struct nl_epoch e = nl_epoch(number);
	struct bind b = { .version = version, .has_epoch = has_epoch, .epoch = expected,
			  .keys = &e };
	struct nl_reply reply;

	remember(s);
	session_bind(s, JVPN_CMD_EPOCH_SET, &b, &reply);
	expect_refusal(s, &reply, EKEYREJECTED, JVPN_REJECT_STALE_EPOCH, "epoch-set");
	b.transport = &t;
	b.reason = JVPN_REASON_CLIENT_JUMP;
	session_bind(s, JVPN_CMD_BINDING_SET, &b, &reply);
	expect_refusal(s, &reply, EKEYREJECTED, JVPN_REJECT_STALE_EPOCH, "binding-set");
}

static void stale_epoch(void)
{
	struct fx fx = fx_open();
	struct session s = session_in(&fx, JVPN_STATE_ATTACHED, 10);
	struct peer there = peer_elsewhere(&s.peer, &s.peer.local);
	struct nl_epoch e = nl_epoch(7);
	struct nl_reply reply;
	struct bind b = { .version = 3, .keys = &e, .transport = &(struct nl_transport){
			  .socket = fx.socket4, .remote = s.peer.local } };

	peer_close(&there);
	session_jump(&s, &s.peer, &e);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
	CHECK_EQ(session_view(&s).epoch, 7, "the epoch");
	refuse_epoch(&s, 3, true, 6, 8);
	refuse_epoch(&s, 3, true, 8, 8);
	refuse_epoch(&s, 3, true, 0, UINT32_MAX);
	/* Not above the current one, whatever is expected. */
	refuse_epoch(&s, 3, true, 7, 7);
	refuse_epoch(&s, 3, false, 0, 7);
	refuse_epoch(&s, 3, false, 0, 6);
	refuse_epoch(&s, 3, true, 7, 0);
	remember(&s);
	b.reason = JVPN_REASON_CLIENT_JUMP;
	session_bind(&s, JVPN_CMD_BINDING_PREPARE, &b, &reply);
	expect_refusal(&s, &reply, EKEYREJECTED, JVPN_REJECT_STALE_EPOCH, "binding-prepare");
	CHECK(session_works(&s, "still here"), "the session does not work any more");
}

/* While unbound too: an epoch that was lost may not come back. */
static void stale_epoch_recovering(void)
{
	struct fx fx = fx_open();
	struct session s = session_in(&fx, JVPN_STATE_RECOVERING, 10);
	struct nl_transport t = session_transport(&s);
	struct nl_epoch same = s.peer.epoch, fresh = nl_epoch(0);
	struct bind b = { .version = 2, .transport = &t, .keys = &same };
	struct nl_reply reply;

	same.rx.index = fresh.rx.index;
	remember(&s);
	session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply);
	expect_refusal(&s, &reply, EKEYREJECTED, JVPN_REJECT_STALE_EPOCH, "the same keys again");
	b.keys = &fresh;
	session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply);
	expect_refusal(&s, &reply, EKEYREJECTED, JVPN_REJECT_STALE_EPOCH, "epoch 0 again");
	fresh.number = 1;
	CHECK(!session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply), "epoch 1 is refused: %s",
	      reply.text);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
}

static void terminated_refuses(void)
{
	struct fx fx = fx_open();
	struct session s = session_in(&fx, JVPN_STATE_TERMINATED, 10);
	struct nl_transport t = session_transport(&s);
	struct nl_epoch e = nl_epoch(1);
	struct bind b = { .version = 2, .keys = &e };
	struct nl_counters drops;
	struct nl_request r;
	struct nl_reply reply;

	remember(&s);
	session_bind(&s, JVPN_CMD_EPOCH_SET, &b, &reply);
	CHECK(reply.error, "epoch-set on a terminated session succeeds");
	b.transport = &t;
	session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply);
	expect_refusal(&s, &reply, ESHUTDOWN, JVPN_REJECT_TERMINATED, "binding-set");
	b.reason = JVPN_REASON_CLIENT_JUMP;
	session_bind(&s, JVPN_CMD_BINDING_PREPARE, &b, &reply);
	expect_refusal(&s, &reply, ESHUTDOWN, JVPN_REJECT_TERMINATED, "binding-prepare");
	session_cancel(&s, NULL, &reply);
	expect_refusal(&s, &reply, ESHUTDOWN, JVPN_REJECT_TERMINATED, "binding-cancel");
	r = session_request(&s, JVPN_CMD_SESSION_SET);
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 2);
	nl_put_u64(&r, JVPN_A_SESSION_LEASE_DEADLINE, test_now() + 100000);
	nl_run(&r, &reply);
	expect_refusal(&s, &reply, ESHUTDOWN, JVPN_REJECT_TERMINATED, "session-set");
	/* Nor do packets bring it back. */
	drops = fx_counters(&fx);
	peer_send(&s.peer, "", 0);
	fx_expect_drops(&fx, &drops, "rx_drop_index", 1);
	session_expect_state(&s, JVPN_STATE_TERMINATED, 2);
}

/* ---- commits of several steps ---- */

struct wanted {
	enum jvpn_state from, to;
	enum jvpn_event event;
	enum jvpn_reason reason;
};

static void expect_step(const struct nl_step *found, const struct wanted *w, uint64_t version,
			const char *where)
{
	CHECK(found->version == version && found->from == w->from && found->to == w->to &&
	      found->event == w->event && found->reason == w->reason,
	      "%s: version %llu, %s to %s by %s, %s; not version %llu, %s to %s by %s, %s", where,
	      (unsigned long long)found->version, nl_state_name(found->from),
	      nl_state_name(found->to), nl_event_name(found->event), nl_reason_name(found->reason),
	      (unsigned long long)version, nl_state_name(w->from), nl_state_name(w->to),
	      nl_event_name(w->event), nl_reason_name(w->reason));
}

/* binding-set in @state applies @count steps, told in order by answer, events and history. */
static void commit_steps(enum jvpn_state state, enum jvpn_reason reason, const struct wanted *w,
			 unsigned int count)
{
	struct fx fx = fx_open();
	struct session s = session_in(&fx, state, 10);
	struct nl_addr there = nl_addr("127.0.0.11", 0);
	struct peer to = peer_elsewhere(&s.peer, &there);
	struct nl_transport t = { .socket = fx.socket4, .remote = to.local };
	struct nl_epoch e = nl_epoch(5);
	struct nl_view was = session_view(&s), v;
	struct bind b = { .version = was.version, .has_epoch = true, .transport = &t, .keys = &e,
			  .reason = reason };
	struct nl *listener = nl_open();
	struct nl_reply reply;
	unsigned int i;

	REQUIRE(nl_listen(listener, "state"), "the kernel forbids to listen");
	REQUIRE(!session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply), "refused: %s", reply.text);
	CHECK_EQ(reply.view.version, was.version + count, "the version answered");
	CHECK_EQ(reply.view.epoch, 5, "the epoch answered");
	CHECK_EQ(reply.view.steps, count, "steps answered");
	for (i = 0; i < count; i++) {
		uint64_t version = was.version + 1 + i;

		if (i < reply.view.steps)
			expect_step(&reply.view.step[i], &w[i], version, "answer");
		REQUIRE(nl_event(listener, PATIENCE_MS, &v) && v.cmd == JVPN_CMD_SESSION_NTF,
			"only %u events came", i);
		CHECK(!memcmp(v.id, s.id, sizeof(s.id)) && v.steps == 1,
		      "the event is of another session, or of %u steps", v.steps);
		CHECK_EQ(v.version, version, "the version in the event");
		CHECK_EQ(v.state, w[i].to, "the state in the event");
		expect_step(&v.step[0], &w[i], version, "event");
	}
	CHECK(!nl_event(listener, 20, &v), "there is an event too many");
	v = session_view(&s);
	session_expect_state(&s, JVPN_STATE_ATTACHED, was.version + count);
	for (i = 0; i < count; i++)
		expect_step(&v.step[was.steps + i], &w[i], was.version + 1 + i, "history");
	CHECK_EQ(v.transport.version, v.version, "the binding's version");
	CHECK(nl_addr_equal(&v.transport.remote, &to.local), "bound to %s, not to %s",
	      nl_addr_text(&v.transport.remote), nl_addr_text(&to.local));
	to.epoch = e;
	to.counter = 0;
	s.peer = to;
	session_works(&s, "from there");
	session_send(&s, "and back");
	session_hears(&s, "and back");
}

static void jump_two_steps(void)
{
	commit_steps(JVPN_STATE_ATTACHED, JVPN_REASON_NAT_REBIND, (struct wanted[]){
		{ JVPN_STATE_ATTACHED, JVPN_STATE_RECOVERING, JVPN_EVENT_JUMP,
		  JVPN_REASON_NAT_REBIND },
		{ JVPN_STATE_RECOVERING, JVPN_STATE_ATTACHED, JVPN_EVENT_REATTACH_COMMIT,
		  JVPN_REASON_REATTACH_OK } }, 2);
}

static void jump_volatile(void)
{
	commit_steps(JVPN_STATE_VOLATILE, JVPN_REASON_OPERATOR_JUMP, (struct wanted[]){
		{ JVPN_STATE_VOLATILE, JVPN_STATE_RECOVERING, JVPN_EVENT_JUMP,
		  JVPN_REASON_OPERATOR_JUMP },
		{ JVPN_STATE_RECOVERING, JVPN_STATE_ATTACHED, JVPN_EVENT_REATTACH_COMMIT,
		  JVPN_REASON_REATTACH_OK } }, 2);
}

static void reattach_one_step(void)
{
	commit_steps(JVPN_STATE_RECOVERING, 0, (struct wanted[]){
		{ JVPN_STATE_RECOVERING, JVPN_STATE_ATTACHED, JVPN_EVENT_REATTACH_COMMIT,
		  JVPN_REASON_REATTACH_OK } }, 1);
}

static void degraded_two_steps(void)
{
	commit_steps(JVPN_STATE_DEGRADED, 0, (struct wanted[]){
		{ JVPN_STATE_DEGRADED, JVPN_STATE_RECOVERING, JVPN_EVENT_RETRY,
		  JVPN_REASON_CANDIDATE_APPEARED },
		{ JVPN_STATE_RECOVERING, JVPN_STATE_ATTACHED, JVPN_EVENT_REATTACH_COMMIT,
		  JVPN_REASON_REATTACH_OK } }, 2);
}

static void jump_wrong_reason(void)
{
	struct fx fx = fx_open();
	struct session s = session_in(&fx, JVPN_STATE_ATTACHED, 10);
	struct nl_transport t = session_transport(&s);
	struct nl_epoch e = nl_epoch(1);
	unsigned int reason;
	struct nl_reply reply;

	for (reason = 0; reason <= JVPN_REASON_MAX; reason++) {
		struct bind b = { .version = 1, .transport = &t, .keys = &e, .reason = reason };

		if (reason >= JVPN_REASON_CLIENT_JUMP && reason <= JVPN_REASON_OWNER_MOVED)
			continue;
		remember(&s);
		session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply);
		expect_refusal(&s, &reply, EPROTO, JVPN_REJECT_ILLEGAL_TRANSITION, "binding-set");
		session_bind(&s, JVPN_CMD_BINDING_PREPARE, &b, &reply);
		expect_refusal(&s, &reply, EPROTO, JVPN_REJECT_ILLEGAL_TRANSITION,
			       "binding-prepare");
	}
}

/* Two requests decided on one version: one of them wins. */
static void one_of_two(void)
{
	struct fx fx = fx_open();
	struct session s = session_in(&fx, JVPN_STATE_RECOVERING, 10);
	struct nl_transport t = session_transport(&s);
	struct nl_epoch first = nl_epoch(1), second = nl_epoch(2);
	struct bind b = { .version = 2, .has_epoch = true, .transport = &t, .keys = &first };
	struct nl_reply reply;

	CHECK(!session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply), "the first is refused: %s",
	      reply.text);
	remember(&s);
	b.keys = &second;
	session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply);
	expect_refusal(&s, &reply, ESTALE, JVPN_REJECT_STALE_VERSION, "the second");
	session_bind(&s, JVPN_CMD_BINDING_SET, &(struct bind){ .version = 2, .has_epoch = true,
		     .transport = &t, .keys = &first }, &reply);
	expect_refusal(&s, &reply, ESTALE, JVPN_REJECT_STALE_VERSION, "the first, repeated");
	s.peer.epoch = first;
	s.peer.counter = 0;
	session_works(&s, "the first holds");
}

/* ---- dual owners ---- */

static void duplicate_index(void)
{
	struct fx fx = fx_open();
	struct session a = session_in(&fx, JVPN_STATE_ATTACHED, 10);
	struct session b = session_in(&fx, JVPN_STATE_RECOVERING, 11);
	struct session c = session_describe(&fx, JVPN_ROLE_GATEWAY, 12);
	struct nl_transport t = session_transport(&b);
	struct nl_epoch e = nl_epoch(1);
	struct bind bind = { .version = 2, .transport = &t, .keys = &e };
	struct nl_view v;
	struct nl_reply reply;

	e.rx.index = a.peer.epoch.rx.index;
	remember(&b);
	session_bind(&b, JVPN_CMD_BINDING_SET, &bind, &reply);
	expect_refusal(&b, &reply, EADDRINUSE, JVPN_REJECT_DUAL_BINDING, "binding-set");
	session_bind(&b, JVPN_CMD_BINDING_PREPARE, &bind, &reply);
	expect_refusal(&b, &reply, EADDRINUSE, JVPN_REJECT_DUAL_BINDING, "binding-prepare");
	/* A new session with that index is not made, nor half made. */
	c.peer.epoch.rx.index = a.peer.epoch.rx.index;
	CHECK_EQ(session_new(&c, &reply), EADDRINUSE, "the error of session-new");
	CHECK_EQ(nl_session_get(fx.nl, fx.ifindex, c.id, &v), ENOENT, "looking for it");
	c.peer.epoch.rx.index ^= 0x10;
	CHECK(!session_new(&c, &reply), "the corrected request is refused: %s", reply.text);
	session_works(&a, "unharmed");
}

static void duplicate_prefix(void)
{
	struct fx fx = fx_open();
	struct session a = session_in(&fx, JVPN_STATE_ATTACHED, 10);
	struct session b = session_describe(&fx, JVPN_ROLE_GATEWAY, 11);
	struct nl_view v;

	/* Another peer that wants the same address is refused when it attaches. */
	strcpy(b.inner4, a.inner4);
	REQUIRE(!session_new(&b, NULL), "cannot make the second session");
	peer_send(&b.peer, "", 0);
	CHECK(session_wait_state(&b, JVPN_STATE_TERMINATED), "two peers own one address");
	v = session_view(&b);
	CHECK(v.steps == 1 && v.step[0].reason == JVPN_REASON_OWNERSHIP_AMBIGUOUS,
	      "the second session did not end by ownership-ambiguous");
	session_expect_state(&a, JVPN_STATE_ATTACHED, 1);
	session_works(&a, "mine");
	session_send(&a, "still mine");
	session_hears(&a, "still mine");
}

/* No id is no peer: two such sessions have nothing in common. */
static void duplicate_prefix_nobody(void)
{
	struct fx fx = fx_open();
	struct session a = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	struct session b = session_describe(&fx, JVPN_ROLE_GATEWAY, 11);

	a.label[0] = '\0';
	b.label[0] = '\0';
	strcpy(b.inner4, a.inner4);
	session_attach(&a);
	REQUIRE(!session_new(&b, NULL), "cannot make the second session");
	peer_send(&b.peer, "", 0);
	CHECK(session_wait_state(&b, JVPN_STATE_TERMINATED), "it took the other's address");
	session_works(&a, "mine");
}

/* The same for a client, where the daemon binds. */
static void duplicate_prefix_client(void)
{
	struct fx fx = fx_open();
	struct session a = session_in(&fx, JVPN_STATE_ATTACHED, 10);
	struct session b = session_describe(&fx, JVPN_ROLE_CLIENT, 11);
	struct nl_transport t = session_transport(&b);
	struct bind bind = { .transport = &t, .keys = &b.peer.epoch };
	struct nl_reply reply;

	strcpy(b.inner6, a.inner6);
	REQUIRE(!session_new(&b, NULL), "cannot make the second session");
	remember(&b);
	session_bind(&b, JVPN_CMD_BINDING_SET, &bind, &reply);
	expect_refusal(&b, &reply, ENOLCK, JVPN_REJECT_OWNERSHIP_CONFLICT, "binding-set");
	session_works(&a, "unharmed");
}

/* A peer that begins anew takes its addresses over from its old session. */
static void same_peer_anew(void)
{
	struct fx fx = fx_open();
	struct session a = session_in(&fx, JVPN_STATE_ATTACHED, 10);
	struct session b = session_describe(&fx, JVPN_ROLE_GATEWAY, 11);
	struct nl_view v;

	strcpy(b.inner4, a.inner4);
	strcpy(b.src4, a.src4);
	strcpy(b.label, a.label);
	REQUIRE(!session_new(&b, NULL), "cannot make the second session");
	session_works(&a, "until the new one is confirmed");
	peer_send(&b.peer, "", 0);
	REQUIRE(session_wait_state(&b, JVPN_STATE_ATTACHED), "the new session does not attach");
	v = session_view(&a);
	CHECK(v.state == JVPN_STATE_TERMINATED && v.step[v.steps - 1].reason ==
	      JVPN_REASON_POLICY_FAILURE, "the old session is %s", nl_state_name(v.state));
	session_works(&b, "the new one");
	session_send(&b, "to the new one");
	session_hears(&b, "to the new one");
}

static int peer_id_set(struct session *s, const char *name, struct nl_reply *reply)
{
	uint64_t version = session_view(s).version;
	struct nl_request r = session_request(s, JVPN_CMD_SESSION_SET);

	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, version);
	session_put_peer_id(&r, name);
	return nl_run(&r, reply);
}

/* Two sessions that want the same address; @label is what the second peer is called. */
static void two_called(struct fx *fx, struct session *a, struct session *b, const char *id,
		       const char *label)
{
	struct nl_transport t;
	struct nl_request r;
	struct nl_reply reply;

	*a = session_in(fx, JVPN_STATE_ATTACHED, 10);
	*b = session_describe(fx, JVPN_ROLE_GATEWAY, 11);
	t = session_transport(b);
	r = session_request(b, JVPN_CMD_SESSION_NEW);
	nl_put_u32(&r, JVPN_A_SESSION_ROLE, JVPN_ROLE_GATEWAY);
	nl_put_text(&r, JVPN_A_SESSION_LABEL, label);
	session_put_peer_id(&r, id);
	nl_put_inner(&r, a->inner4);
	nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
	nl_put_epoch(&r, &b->peer.epoch);
	REQUIRE(!nl_run(&r, &reply), "cannot make the second session: %s", reply.text);
	peer_send(&b->peer, "", 0);
}

static void peer_renamed(void)
{
	struct fx fx = fx_open();
	struct session a, b;

	two_called(&fx, &a, &b, "peer10", "another name");
	CHECK(session_wait_state(&b, JVPN_STATE_ATTACHED), "a renamed peer is locked out");
	session_expect_state(&a, JVPN_STATE_TERMINATED, 2);
}

static void peer_of_the_same_name(void)
{
	struct fx fx = fx_open();
	struct session a, b;

	two_called(&fx, &a, &b, "peer11", "peer10");
	CHECK(session_wait_state(&b, JVPN_STATE_TERMINATED), "it took the other's address");
	session_works(&a, "mine");
}

/* A daemon that adopts a session may say who its peer is, once. */
static void peer_said_later(void)
{
	struct fx fx = fx_open();
	struct session a = session_describe(&fx, JVPN_ROLE_GATEWAY, 10), b;
	struct nl_reply reply;

	a.label[0] = '\0';
	session_attach(&a);
	CHECK(!peer_id_set(&a, "peer10", &reply), "refused: %s", reply.text);
	CHECK(!peer_id_set(&a, "peer10", &reply), "the same again is refused: %s", reply.text);
	CHECK_EQ(peer_id_set(&a, "peer11", &reply), EINVAL, "another: the error");
	CHECK(reply.text[0], "refused without a sentence");
	b = session_describe(&fx, JVPN_ROLE_GATEWAY, 11);
	strcpy(b.label, "peer10");
	strcpy(b.inner4, a.inner4);
	strcpy(b.inner6, a.inner6);
	session_attach(&b);
	session_expect_state(&a, JVPN_STATE_TERMINATED, 2);
}

/* ---- the peer's version ---- */

static void peer_version_rises(void)
{
	struct fx fx = fx_open();
	struct session s = session_client(&fx, 10);
	struct nl_request r;
	struct nl_reply reply;
	struct nl_view v;

	r = session_request(&s, JVPN_CMD_SESSION_SET);
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);
	nl_put_u64(&r, JVPN_A_SESSION_PEER_VERSION, 9);
	nl_put_u32(&r, JVPN_A_SESSION_PEER_EPOCH, 4);
	CHECK(!nl_run(&r, &reply), "peer-version is refused: %s", reply.text);
	r = session_request(&s, JVPN_CMD_SESSION_SET);
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 1);
	nl_put_u64(&r, JVPN_A_SESSION_PEER_VERSION, 8);
	nl_put_u32(&r, JVPN_A_SESSION_PEER_EPOCH, 3);
	nl_run(&r, &reply);
	v = session_view(&s);
	CHECK(v.peer_version == 9 && v.peer_epoch == 4, "peer-version was lowered to %llu, %u",
	      (unsigned long long)v.peer_version, v.peer_epoch);
	CHECK_EQ(v.version, 1, "the version");
}

/* The history keeps the last 16 transitions; versions go on. */
static void long_history(void)
{
	struct fx fx = fx_open();
	struct session s = session_in(&fx, JVPN_STATE_ATTACHED, 10);
	struct nl_view v;
	unsigned int i;

	for (i = 0; i < 50; i++)
		step(&s, i % 2 ? JVPN_EVENT_QUALITY_OK : JVPN_EVENT_QUALITY_LOW,
		     i % 2 ? JVPN_REASON_HEALTH_RECOVERED : JVPN_REASON_HEARTBEAT_LATE);
	v = session_view(&s);
	CHECK_EQ(v.version, 51, "the version");
	CHECK_EQ(v.steps, JVPN_HISTORY_SIZE, "transitions remembered");
	for (i = 0; i < v.steps; i++) {
		CHECK_EQ(v.step[i].version, 51 - v.steps + 1 + i, "a version in the history");
		CHECK(!i || v.step[i].time >= v.step[i - 1].time, "time runs backwards");
	}
}

static const struct test_case cases[] = {
	{ "every event and reason in birth", pairs_birth },
	{ "every event and reason in attached", pairs_attached },
	{ "every event and reason in volatile", pairs_volatile },
	{ "every event and reason in recovering", pairs_recovering },
	{ "every event and reason in degraded", pairs_degraded },
	{ "terminated is absorbing", pairs_terminated },
	{ "a stale version is refused and changes nothing", stale_version },
	{ "a stale epoch is refused and changes nothing", stale_epoch },
	{ "an epoch that was lost does not come back", stale_epoch_recovering },
	{ "a terminated session refuses every request", terminated_refuses },
	{ "a jump is two versions and two events, in order", jump_two_steps },
	{ "a jump from volatile is two versions and two events", jump_volatile },
	{ "a reattach from recovering is one version", reattach_one_step },
	{ "a reattach from degraded is two versions", degraded_two_steps },
	{ "a jump needs a reason of a jump", jump_wrong_reason },
	{ "of two commits decided on one version one wins", one_of_two },
	{ "an index has one owner", duplicate_index },
	{ "an inner prefix has one owner", duplicate_prefix },
	{ "sessions of nobody share no prefix", duplicate_prefix_nobody },
	{ "a peer of another name is the same peer", peer_renamed },
	{ "another peer of the same name is another peer", peer_of_the_same_name },
	{ "who the peer is may be said later, once", peer_said_later },
	{ "a client's prefix has one owner", duplicate_prefix_client },
	{ "a peer that begins anew takes its prefixes over", same_peer_anew },
	{ "the peer's version never falls", peer_version_rises },
	{ "the history keeps the last sixteen versions", long_history },
};

TEST_MAIN(cases)
