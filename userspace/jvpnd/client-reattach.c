// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "core/fsm.h"
#include "log.h"
#include "record.h"
#include "refusal.h"

static const char *const purpose_names[] = {
	[CLIENT_RECOVER] = "recover", [CLIENT_JUMP] = "jump", [CLIENT_REBIND] = "rebind",
	[CLIENT_REFRESH] = "refresh", [CLIENT_STANDBY] = "standby",
};

/* --- tries -------------------------------------------------------------------------- */

static size_t reattach_slot(const struct client *c, const struct jvpn_attempt *attempt)
{
	return (size_t)(attempt - c->proto.attempt);
}

struct client_try *client_try_of(struct client *c, const struct jvpn_attempt *attempt)
{
	return &c->tries[reattach_slot(c, attempt)];
}

static struct jvpn_attempt *reattach_attempt(struct client *c, const struct client_try *try)
{
	return &c->proto.attempt[try - c->tries];
}

/* The kernel's name of a prepared binding follows from its keys. */
static uint64_t reattach_cookie(const struct jvpn_epoch *epoch)
{
	return (uint64_t)epoch->idx_c2s << 32 | epoch->idx_s2c;
}

static uint32_t reattach_path_number(const struct candidate *cand, unsigned int remote)
{
	return cand->number << 8 | remote;
}

static void try_prepared_cancel(struct client *c, struct client_try *try)
{
	struct kernel_answer answer;

	for (size_t i = 0; i < JVPN_CLIENT_PROOFS_MAX; i++) {
		if (try->cookies[i] && c->session && session_is_live(c->session))
			kernel_binding_cancel(c->d->kernel, c->session->id, try->cookies[i],
					      &answer);
		try->cookies[i] = 0;
	}
}

/*
 * Another round of PROOFs begins. Those of this one may yet be committed, but the kernel prepares
 * few: their keys stay with the protocol library.
 */
static void try_round_end(struct client *c, struct client_try *try)
{
	for (size_t i = 0; i < JVPN_CLIENT_PROOFS_MAX; i++)
		if (try->cookies[i])
			try->formers[try->former++ % JVPN_CLIENT_FORMER_MAX] = try->cookies[i];
	try_prepared_cancel(c, try);
}

static void try_request_fail(struct client_try *try, const char *why)
{
	if (try->request)
		control_fail(try->request, "JUMP_FAILED", "%s", why);
	try->request = NULL;
}

static void try_release(struct client_try *try, const char *why)
{
	try_request_fail(try, why);
	memset(try, 0, sizeof(*try));
}

static void try_end(struct client *c, struct client_try *try, const char *why)
{
	if (!try->used)
		return;
	try_prepared_cancel(c, try);
	try_release(try, why);
}

/*
 * The library only waits for its ACK: so do we. The gateway may yet commit it, on
 * a PROOF that is on its way. The kernel has nothing prepared for it any longer,
 * and is given the keys when the ACK comes.
 */
static void try_close(struct client *c, struct client_try *try, const char *why)
{
	if (!try->used)
		return;
	try_request_fail(try, why);
	try_round_end(c, try);
	try->used = false;
	try->closed = true;
	try->next_ms = 0;
}

/* The library has forgotten attempts, or closed them: so do we. */
static void tries_follow(struct client *c, const char *why)
{
	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		enum jvpn_attempt_state state = c->proto.attempt[i].state;
		struct client_try *try = &c->tries[i];

		if (state == JVPN_ATTEMPT_CLOSED) {
			try_close(c, try, why);
		} else if (state == JVPN_ATTEMPT_FREE) {
			try_end(c, try, why);
			try->closed = false;
		}
	}
}

static void try_drop(struct client *c, struct client_try *try, const char *why)
{
	struct jvpn_attempt *attempt = reattach_attempt(c, try);

	try_end(c, try, why);
	jvpn_client_drop(&c->proto, attempt);
}

static void reattach_timer_arm(struct client *c)
{
	uint64_t now = jvpnd_now_ms(), earliest = UINT64_MAX;

	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		if (c->tries[i].used && c->tries[i].next_ms && c->tries[i].next_ms < earliest)
			earliest = c->tries[i].next_ms;
		if (c->tries[i].closed && c->proto.attempt[i].deadline_ms < earliest)
			earliest = c->proto.attempt[i].deadline_ms;
	}
	if (earliest == UINT64_MAX)
		uv_timer_stop(&c->attempts);
	else
		uv_timer_start(&c->attempts, client_reattach_tick,
			       earliest > now ? earliest - now : 0, 0);
}

void client_reattach_drop_all(struct client *c, const char *why)
{
	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS; i++)
		if (c->tries[i].used)
			try_drop(c, &c->tries[i], why);
	uv_timer_stop(&c->attempts);
}

void client_reattach_give_up(struct client *c, const char *why)
{
	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS; i++)
		if (c->tries[i].used)
			jvpn_client_give_up(&c->proto, reattach_attempt(c, &c->tries[i]));
	tries_follow(c, why);
	reattach_timer_arm(c);
}

void client_reattach_renew(struct client *c)
{
	static const char why[] = "the machine slept or was copied";

	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		if (c->proto.attempt[i].state == JVPN_ATTEMPT_FREE)
			continue;
		try_drop(c, &c->tries[i], why);
		try_release(&c->tries[i], why);
	}
	uv_timer_stop(&c->attempts);
}

void client_reattach_drop_candidate(struct client *c, uint32_t number)
{
	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS; i++)
		if (c->tries[i].used && c->tries[i].candidate == number)
			try_drop(c, &c->tries[i], "the transport is gone");
}

bool client_reattach_busy(const struct client *c, enum client_purpose purpose)
{
	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS; i++)
		if (c->tries[i].used && c->tries[i].purpose == purpose)
			return true;
	return false;
}

bool client_reattach_jumps_to(const struct client *c, const struct candidate *cand)
{
	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS; i++)
		if (c->tries[i].used && c->tries[i].purpose == CLIENT_JUMP &&
		    c->tries[i].candidate == cand->number)
			return true;
	return false;
}

/* --- sending ---------------------------------------------------------------------------- */

/*
 * Until it is sent again, or given up. A standby REQUEST goes once, and has all the time of the
 * others: nobody waits for its answer, and that alone tells how far a far gateway is.
 */
static uint64_t try_wait_ms(const struct client_try *try)
{
	unsigned int doublings = try->purpose == CLIENT_STANDBY ? CLIENT_SENDS_MAX : try->sends;

	return (uint64_t)try->rto_ms << doublings;
}

/* REQUEST or PROOF, the same bytes each time, at 1, 2 and 4 RTO. */
static void try_send(struct client *c, struct client_try *try)
{
	struct jvpn_attempt *attempt = reattach_attempt(c, try);
	uint64_t now = jvpnd_now_ms();

	if (attempt->state == JVPN_ATTEMPT_REQUESTED)
		client_send(c, &try->to, &attempt->request, sizeof(attempt->request));
	for (size_t i = 0; attempt->state == JVPN_ATTEMPT_PROVED && i < attempt->proof_count; i++)
		client_send(c, &try->to, &attempt->proof[i].msg, sizeof(attempt->proof[i].msg));
	if (!try->sends)
		try->asked_ms = now;
	try->cookie_used = false;
	try->next_ms = now + try_wait_ms(try);
	try->sends++;
	reattach_timer_arm(c);
}

static void try_begin(struct client *c, struct client_try *try, const struct candidate *cand,
		      const struct path *to, enum client_purpose purpose, uint32_t reason)
{
	try_end(c, try, "another attempt takes its place");
	memset(try, 0, sizeof(*try));
	try->used = true;
	try->purpose = purpose;
	try->candidate = cand->number;
	try->to = *to;
	try->reason = reason;
	try->rto_ms = client_move_rto_ms(c, cand);
}

bool client_reattach_request(struct client *c, struct candidate *cand, unsigned int remote,
			     enum client_purpose purpose, uint32_t reason,
			     struct control_request *request)
{
	bool standby = purpose == CLIENT_STANDBY;
	uint64_t now = jvpnd_now_ms();
	struct jvpn_attempt *attempt;
	enum jvpn_verdict verdict;
	struct client_try *try;
	char text[PATH_TEXT];
	struct path to;

	if (!c->has_proto || !client_path_at(c, cand, remote, &to))
		return false;
	verdict = jvpn_client_request(&c->proto, reattach_path_number(cand, remote), standby,
				      jvpn_cookie_get(&cand->jar, now), now, &jvpn_rng_system,
				      &attempt);
	if (verdict) {
		jvpn_debug("no REQUEST over %s: %s", cand->name, jvpn_verdict_str(verdict));
		return false;
	}
	try = client_try_of(c, attempt);
	try_begin(c, try, cand, &to, purpose, reason);
	try->request = request;
	jvpn_debug("REQUEST (%s) to %s over %s", purpose_names[purpose],
		   path_remote_format(&to, text, sizeof(text)), cand->name);
	try_send(c, try);
	return true;
}

static void try_give_up(struct client *c, struct client_try *try)
{
	enum client_purpose purpose = try->purpose;
	struct candidate *cand = candidate_find(c, try->candidate);

	jvpn_debug("no answer over %s to an attempt to %s", cand ? cand->name : "?",
		   purpose_names[purpose]);
	if (cand && purpose != CLIENT_STANDBY)
		candidate_asked(cand);
	jvpn_client_give_up(&c->proto, reattach_attempt(c, try));
	tries_follow(c, "the gateway does not answer over this transport");
	if (cand)
		candidate_tried(c, cand);
	if (purpose == CLIENT_RECOVER || purpose == CLIENT_JUMP || purpose == CLIENT_REBIND)
		client_move_recover(c);
}

static void reattach_held_use(struct client *c, struct client_try *try);
static void reattach_invited_use(struct client *c, struct client_try *try);

void client_reattach_tick(uv_timer_t *timer)
{
	struct client *c = timer->data;
	uint64_t now = jvpnd_now_ms();

	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS && c->session; i++) {
		struct client_try *try = &c->tries[i];

		if (!try->used || !try->next_ms || try->next_ms > now)
			continue;
		if (c->proto.attempt[i].is_held)
			reattach_held_use(c, try);
		else if (c->proto.attempt[i].state == JVPN_ATTEMPT_CHALLENGED)
			reattach_invited_use(c, try);
		/* A standby REQUEST that is lost is made anew when its time comes. */
		else if (try->sends >= CLIENT_SENDS_MAX || try->purpose == CLIENT_STANDBY)
			try_give_up(c, try);
		else
			try_send(c, try);
	}
	if (c->session) {
		jvpn_client_expire(&c->proto, now);
		tries_follow(c, "the CHALLENGE has expired");
		reattach_timer_arm(c);
	}
	client_settle(c);
}

/* --- PROOF ---------------------------------------------------------------------------------- */

/* From the address that the gateway has bound already: new keys, and no move. */
static bool reattach_is_refresh_there(const struct client *c, const struct jvpn_attempt *attempt,
				      const struct client_try *try)
{
	return attempt->peer_state == JVPN_STATE_ATTACHED &&
	       (try->purpose == CLIENT_REFRESH ||
		(try->purpose == CLIENT_JUMP && c->session->bound &&
		 path_equal(&c->session->path, &try->to)));
}

/* What the gateway's version will be at least, if it commits this PROOF. */
static uint64_t reattach_version_expected(const struct client *c,
					  const struct jvpn_attempt *attempt,
					  const struct jvpn_client_proof *proof,
					  const struct client_try *try)
{
	if (reattach_is_refresh_there(c, attempt, try))
		return proof->v;
	if (proof->v > attempt->v_cur || attempt->peer_state == JVPN_STATE_RECOVERING)
		return proof->v + 1;
	return proof->v + 2;
}

/* Without a binding there is nothing to renew. */
static bool try_refreshes(const struct client *c, const struct client_try *try)
{
	return try->purpose == CLIENT_REFRESH && c->session->bound;
}

static int reattach_prepare_one(struct client *c, struct client_try *try, size_t number)
{
	struct jvpn_attempt *attempt = reattach_attempt(c, try);
	const struct jvpn_client_proof *proof = &attempt->proof[number];
	struct session *s = c->session;
	const struct kernel_binding args = {
		.expected_version = s->version,
		.reason = try->reason,
		.role = JVPN_ROLE_CLIENT,
		.path = &try->to,
		.epoch = &proof->epoch,
		.epoch_number = proof->e + 1,
		.peer_version = reattach_version_expected(c, attempt, proof, try),
		.peer_epoch = proof->e + 1,
		.cookie = reattach_cookie(&proof->epoch),
		.hold = !try_refreshes(c, try),
		.refresh = try_refreshes(c, try),
	};
	struct kernel_answer answer;

	kernel_binding_prepare(c->d->kernel, s->id, &args, &answer);
	if (session_answer(c->d, s, "binding-prepare", &answer)) {
		try->cookies[number] = args.cookie;
		return 0;
	}
	return answer.error;
}

/* Bound meanwhile, by another PROOF: a recovery has nothing left to do. */
static bool reattach_still_wanted(const struct client *c, const struct client_try *try)
{
	return session_is_live(c->session) &&
	       (try->purpose != CLIENT_RECOVER || !jvpn_fsm_bound(c->session->state));
}

/* Before a PROOF leaves, the kernel must be able to understand the answer. */
static bool reattach_prepare(struct client *c, struct client_try *try)
{
	struct jvpn_attempt *attempt = reattach_attempt(c, try);
	int rc;

	for (size_t i = 0; i < attempt->proof_count; i++) {
		rc = reattach_prepare_one(c, try, i);
		/* The session moved a moment ago; session_answer() has read it again. */
		if (rc == -ESTALE && reattach_still_wanted(c, try))
			rc = reattach_prepare_one(c, try, i);
		if (rc) {
			jvpn_debug("cannot prepare a binding: %s", strerror(-rc));
			return false;
		}
	}
	return true;
}

bool client_reattach_prove(struct client *c, struct jvpn_attempt *attempt, unsigned int count)
{
	struct client_try *try = client_try_of(c, attempt);
	const struct candidate *cand = candidate_find(c, try->candidate);
	enum jvpn_verdict verdict;

	try_round_end(c, try);
	attempt->meaning = try->purpose == CLIENT_REFRESH ? JVPN_WIRE_PROOF_REFRESH :
							    JVPN_WIRE_PROOF_JUMP;
	verdict = jvpn_client_proof(&c->proto, attempt, 0, count, jvpnd_now_ms(),
				    &jvpn_rng_system);
	if (verdict) {
		jvpn_debug("no PROOF: %s", jvpn_verdict_str(verdict));
		try_drop(c, try, jvpn_verdict_str(verdict));
		return false;
	}
	if (!reattach_prepare(c, try)) {
		try_drop(c, try, "the kernel refused to prepare the binding");
		return false;
	}
	try->sends = 0;
	jvpn_debug("%u PROOF (%s) over %s, V %llu, E %u", count, purpose_names[try->purpose],
		   cand ? cand->name : "?", (unsigned long long)attempt->proof[0].v,
		   attempt->proof[0].e);
	try_send(c, try);
	return true;
}

/* --- CHALLENGE ------------------------------------------------------------------------------ */

static void reattach_session_lost(struct client *c, uint32_t reason, const char *why)
{
	jvpn_warning("session %s ends: %s", session_short(c->session), why);
	session_terminate(c->d, c->session, reason);
}

static uint32_t reattach_rtt_us(const struct client_try *try)
{
	/* Karn: what was sent more than once measures nothing. */
	if (try->sends != 1)
		return 0;
	return (uint32_t)(jvpnd_now_ms() - try->asked_ms) * 1000 + 500;
}

/*
 * Another attempt's PROOF is out and still has its chance; or it was committed,
 * which the epoch in this CHALLENGE shows, and only its ACK is missing.
 */
static bool reattach_another_proved(const struct client *c, const struct jvpn_attempt *attempt)
{
	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		const struct jvpn_attempt *other = &c->proto.attempt[i];

		if (other != attempt && c->tries[i].used &&
		    other->state == JVPN_ATTEMPT_PROVED &&
		    (c->tries[i].sends <= 1 || attempt->e_cur > other->proof[0].e))
			return true;
	}
	return false;
}

/* A CHALLENGE is there: what was it for? */
static void reattach_challenged(struct client *c, struct jvpn_attempt *attempt)
{
	struct client_try *try = client_try_of(c, attempt);
	bool bound = jvpn_fsm_bound(c->session->state);

	try->next_ms = 0;
	switch (try->purpose) {
	case CLIENT_STANDBY:
		return;
	case CLIENT_RECOVER:
		/* Bound again meanwhile; or another path is a step ahead: keep it in store. */
		if (bound || reattach_another_proved(c, attempt))
			try->purpose = CLIENT_STANDBY;
		else
			client_reattach_prove(c, attempt, 1);
		return;
	case CLIENT_REFRESH:
		if (!bound || !path_equal(&c->session->path, &try->to)) {
			try_drop(c, try, "the session has moved");
			return;
		}
		/* Bound nowhere, as the gateway sees it: there is nothing to refresh. */
		if (attempt->peer_state != JVPN_STATE_ATTACHED)
			try->purpose = CLIENT_JUMP;
		client_reattach_prove(c, attempt, 1);
		return;
	case CLIENT_JUMP:
	case CLIENT_REBIND:
		client_reattach_prove(c, attempt, 1);
		return;
	}
}

/*
 * Where the gateway may have seen us: at the address that the answer came to, if it is one of the
 * whole Internet, and where it saw us when a session was bound over this path. Somebody beside the
 * path can copy our packets and carry the answers to us, but from an address of his own.
 */
static void reattach_expected_fill(const struct candidate *cand, const struct path *answer,
				   struct jvpn_expected *expected)
{
	struct jvpn_path wire;

	expected->count = 0;
	if (cand && cand->has_proven && path_equal(&cand->proven_to, answer))
		expected->addr[expected->count++] = cand->proven;
	if (path_to_wire(answer, &wire) && !jvpn_wire_addr_is_private(&wire.local))
		expected->addr[expected->count++] = wire.local;
}

static void reattach_wait(struct client *c, struct client_try *try, uint64_t ms)
{
	uint64_t soon = jvpnd_now_ms() + ms;

	if (!try->next_ms || try->next_ms > soon)
		try->next_ms = soon;
	reattach_timer_arm(c);
}

static void reattach_challenge_use(struct client *c, struct candidate *cand,
				   struct jvpn_attempt *attempt, enum jvpn_verdict verdict)
{
	refusal_verdict_count(c->d, JVPN_MSG_CHALLENGE, verdict);
	if (verdict == JVPN_VERDICT_ROLLBACK) {
		reattach_session_lost(c, JVPN_REASON_OWNERSHIP_AMBIGUOUS,
				      "the gateway has lost a part of its past");
		return;
	}
	tries_follow(c, jvpn_verdict_str(verdict));
	/* The expected one is given a round trip to come. */
	if (verdict == JVPN_VERDICT_HELD)
		reattach_wait(c, client_try_of(c, attempt), client_try_of(c, attempt)->rto_ms);
	if (verdict == JVPN_VERDICT_SUPERSEDED || verdict == JVPN_VERDICT_EXHAUSTED)
		client_move_recover(c);
	if (verdict)
		return;
	if (cand)
		candidate_answered(cand, &client_try_of(c, attempt)->to, jvpnd_now_ms(),
				   reattach_rtt_us(client_try_of(c, attempt)));
	reattach_challenged(c, attempt);
	if (cand)
		client_move_answered(c, cand);
}

static void reattach_challenge(struct client *c, const struct kernel_packet *packet)
{
	struct candidate *cand = candidate_find_socket(c, packet->from.socket);
	struct jvpn_attempt *attempt = NULL;
	struct jvpn_expected expected;
	enum jvpn_verdict verdict;

	reattach_expected_fill(cand, &packet->from, &expected);
	verdict = jvpn_client_challenge(&c->proto, packet->data, packet->size, &expected,
					jvpnd_now_ms(), &attempt);
	reattach_challenge_use(c, cand, attempt, verdict);
}

/* No other came. */
static void reattach_held_use(struct client *c, struct client_try *try)
{
	struct candidate *cand = candidate_find(c, try->candidate);
	struct jvpn_attempt *attempt = NULL;
	enum jvpn_verdict verdict;

	jvpn_debug("no CHALLENGE to an expected address over %s: the other one is used",
		   cand ? cand->name : "?");
	try->next_ms = 0;
	verdict = jvpn_client_challenge_held(&c->proto, reattach_attempt(c, try), jvpnd_now_ms(),
					     &attempt);
	reattach_challenge_use(c, cand, attempt, verdict);
	/* It was of no use: what is out is sent again in its time. */
	if (verdict && try->used && !try->next_ms)
		try_send(c, try);
}

/*
 * What we know of our own packets. The kernel declares a transport dead before
 * an unanswered packet is older than the protocol's limit, so that the newest
 * echo bounds what was sent lately.
 */
static bool reattach_sent_read(struct client *c, struct jvpn_client_sent *sent)
{
	struct kernel_session *k = malloc(sizeof(*k));
	bool good = k && !kernel_session_get(c->d->kernel, c->session->id, k) && k->bound;

	if (good)
		*sent = (struct jvpn_client_sent){
			.idx = k->keys.tx_index,
			.ctr_from = k->health.echo_counter,
			.ctr_next = k->keys.tx_counter,
			.echoed = k->health.echoed,
			.ctr_echoed = k->health.echo_counter,
		};
	free(k);
	return good;
}

/* An answer that has come since shows that the bound path lives; one that was given up is dead. */
static bool reattach_path_lives(struct client *c, const struct client_try *try,
				const struct jvpn_attempt *attempt)
{
	struct kernel_session *k = malloc(sizeof(*k));
	bool lives = true;

	if (k && !kernel_session_get(c->d->kernel, c->session->id, k))
		lives = k->bound &&
			(k->health.last_rx_ms > try->asked_ms ||
			 (k->health.echoed &&
			  k->health.echo_counter >= jvpn_client_invited_counter(attempt)));
	free(k);
	return lives;
}

/* Time has passed since we were invited to where the gateway sees us. */
static void reattach_invited_use(struct client *c, struct client_try *try)
{
	struct jvpn_attempt *attempt = reattach_attempt(c, try);

	try->next_ms = 0;
	if (reattach_path_lives(c, try, attempt)) {
		refusal_verdict_count(c->d, JVPN_MSG_CHALLENGE, JVPN_VERDICT_PATH_ALIVE);
		try_drop(c, try, jvpn_verdict_str(JVPN_VERDICT_PATH_ALIVE));
		return;
	}
	jvpn_info("session %s: the gateway sees another address, moving there",
		  session_short(c->session));
	client_reattach_prove(c, attempt, 1);
}

/* The bound path is asked whether it lives, and has as long as an answer usually takes. */
static void reattach_path_ask(struct client *c, struct client_try *try)
{
	struct kernel_answer answer;

	kernel_binding_probe(c->d->kernel, c->session->id, &answer);
	if (answer.error || answer.reject)
		jvpn_debug("session %s: no heartbeat can be sent", session_short(c->session));
	reattach_wait(c, try, client_move_echo_ms(c, try->rto_ms));
}

/*
 * The gateway sees authentic packets of ours come from an address it has not bound. If that is one
 * we expect to be seen at, we go there. If not, somebody may have copied a packet of ours and
 * carried the invitation here: we go if the bound path is silent meanwhile.
 */
static void reattach_invited(struct client *c, const struct kernel_packet *packet)
{
	struct candidate *cand = candidate_find_socket(c, packet->from.socket);
	struct jvpn_attempt *attempt = NULL;
	struct jvpn_expected expected;
	struct jvpn_client_sent sent;
	enum jvpn_verdict verdict;
	struct client_try *try;

	/* The question comes to the address that we send from, or it is not ours. */
	if (!cand || !jvpn_fsm_bound(c->session->state) ||
	    packet->from.socket != c->session->path.socket ||
	    client_reattach_busy(c, CLIENT_REBIND) || !reattach_sent_read(c, &sent))
		return;
	if (client_move_wait_ms(c, true))
		return;
	verdict = jvpn_client_invited(&c->proto, packet->data, packet->size,
				      reattach_path_number(cand, 0), &sent, jvpnd_now_ms(),
				      &attempt);
	refusal_verdict_count(c->d, JVPN_MSG_CHALLENGE, verdict);
	if (verdict == JVPN_VERDICT_ROLLBACK)
		reattach_session_lost(c, JVPN_REASON_OWNERSHIP_AMBIGUOUS,
				      "the gateway has lost a part of its past");
	if (verdict)
		return;
	try = client_try_of(c, attempt);
	try_begin(c, try, cand, &c->session->path, CLIENT_REBIND, JVPN_REASON_NAT_REBIND);
	try->asked_ms = jvpnd_now_ms();
	reattach_expected_fill(cand, &packet->from, &expected);
	if (expected.count && jvpn_expected_has(&expected, &attempt->observed))
		client_reattach_prove(c, attempt, 1);
	else
		reattach_path_ask(c, try);
}

/* --- commit --------------------------------------------------------------------------------- */

static bool cookie_among(const uint64_t *cookies, size_t count, uint64_t cookie)
{
	for (size_t i = 0; i < count; i++)
		if (cookies[i] == cookie)
			return true;
	return false;
}

static bool try_is_former(const struct client_try *try, const struct jvpn_epoch *epoch)
{
	return cookie_among(try->formers, JVPN_CLIENT_FORMER_MAX, reattach_cookie(epoch));
}

static struct client_try *reattach_try_of_epoch(struct client *c, const struct jvpn_epoch *epoch)
{
	uint64_t cookie = reattach_cookie(epoch);

	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct client_try *try = &c->tries[i];

		if ((try->used || try->closed) &&
		    (try_is_former(try, epoch) ||
		     cookie_among(try->cookies, JVPN_CLIENT_PROOFS_MAX, cookie)))
			return try;
	}
	return NULL;
}

static void reattach_jump_reply(struct client *c, struct client_try *try)
{
	const struct session *s = c->session;
	char hex[SESSION_HEX];

	if (!try->request)
		return;
	control_reply(try->request,
		      json_pack("{sssIsIss?}", "session_id", session_hex(s, hex),
				"state_version", (json_int_t)s->version, "epoch",
				(json_int_t)s->epoch, "transport",
				c->d->role->describe(c->d, &s->path)));
	try->request = NULL;
}

/* It is in the kernel: everything that was meant to lead here is over. */
static void reattach_committed(struct client *c, const struct jvpn_client_commit *commit,
			       struct client_try *try)
{
	struct session *s = c->session;
	struct candidate *cand = try ? candidate_find(c, try->candidate) : NULL;

	session_ctl_set(c->d, s, &commit->epoch, commit->e_new);
	c->epoch_born_ms = jvpnd_now_ms();
	if (try && try->purpose != CLIENT_REFRESH) {
		jvpn_switches_add(&c->switches, jvpnd_now_ms());
		if (cand)
			cand->bound_ms = jvpnd_now_ms();
	}
	if (cand) {
		candidate_answered(cand, &try->to, jvpnd_now_ms(), reattach_rtt_us(try));
		cand->has_proven = true;
		cand->proven = commit->observed;
		cand->proven_to = try->to;
	}
	if (try) {
		/* The kernel has dropped what was prepared for this epoch or an older one. */
		memset(try->cookies, 0, sizeof(try->cookies));
		reattach_jump_reply(c, try);
	}
	tries_follow(c, "another attempt was faster");
	client_remotes_prefer(c);
	record_save(c->d, s);
	client_move_epoch_changed(c);
	reattach_timer_arm(c);
}

/* New keys for the transport that is bound. */
static bool try_is_refresh(const struct client *c, const struct client_try *try)
{
	return try && try_refreshes(c, try) &&
	       (!try->closed || path_equal(&c->session->path, &try->to));
}

/*
 * The gateway's ACK. The kernel may have committed already, on its first packet.
 * try is NULL if nothing is known of the attempt but its keys.
 */
static bool reattach_kernel_commit(struct client *c, const struct jvpn_client_commit *commit,
				   const struct client_try *try)
{
	struct session *s = c->session;
	struct kernel_binding args = {
		.expected_version = s->version,
		.reason = try ? try->reason : JVPN_REASON_CLIENT_JUMP,
		.peer_version = commit->v_new,
		.peer_epoch = commit->e_new,
		.cookie = reattach_cookie(&commit->epoch),
	};
	struct kernel_answer answer;

	/* The kernel has forgotten a refresh of a binding that it lost meanwhile. */
	if (try && (try_is_former(try, &commit->epoch) ||
		    (try->purpose == CLIENT_REFRESH && !s->bound))) {
		args.cookie = 0;
		args.role = JVPN_ROLE_CLIENT;
		args.path = &try->to;
		args.epoch = &commit->epoch;
		args.epoch_number = commit->e_new;
	}
	for (int i = 0; i < 2 && session_is_live(s); i++) {
		args.expected_version = s->version;
		if (try_is_refresh(c, try))
			kernel_epoch_set(c->d->kernel, s->id, &args, &answer);
		else
			kernel_binding_set(c->d->kernel, s->id, &args, &answer);
		if (session_answer(c->d, s, "commit", &answer))
			return true;
		session_sync(c->d, s);
		if (s->bound && s->epoch == commit->e_new)
			return true;
	}
	return false;
}

static void reattach_ack(struct client *c, const struct kernel_packet *packet)
{
	struct jvpn_client_commit commit;
	enum jvpn_verdict verdict;
	struct client_try *try;

	verdict = jvpn_client_ack(&c->proto, packet->data, packet->size, &commit);
	refusal_verdict_count(c->d, JVPN_MSG_ACK, verdict);
	if (verdict) {
		tries_follow(c, jvpn_verdict_str(verdict));
		return;
	}
	try = reattach_try_of_epoch(c, &commit.epoch);
	if (reattach_kernel_commit(c, &commit, try))
		reattach_committed(c, &commit, try);
	else
		jvpn_warning("session %s: the gateway has moved, the kernel did not follow",
			     session_short(c->session));
	jvpn_client_commit_wipe(&commit);
}

void client_reattach_confirm(struct client *c)
{
	struct kernel_session *k = malloc(sizeof(*k));
	struct jvpn_client_commit commit;
	enum jvpn_verdict verdict = JVPN_VERDICT_UNKNOWN_ATTEMPT;

	if (k && !kernel_session_get(c->d->kernel, c->session->id, k) && k->bound) {
		/* Mirroring marks a session as changed, which leads here again. */
		if (k->version != c->session->version || k->epoch != c->session->epoch)
			session_mirror(c->d, c->session, k);
		verdict = jvpn_client_confirm(&c->proto, k->keys.rx_index, &commit);
	}
	free(k);
	if (verdict)
		return;
	reattach_committed(c, &commit, reattach_try_of_epoch(c, &commit.epoch));
	jvpn_client_commit_wipe(&commit);
}

/* --- REJECT, GONE, COOKIE ----------------------------------------------------------------------- */

/* An answer comes from where the question went. */
static bool try_is_answered_by(const struct client_try *try, const struct kernel_packet *packet)
{
	return path_equal(&try->to, &packet->from);
}

static void reattach_reject(struct client *c, const struct kernel_packet *packet)
{
	struct jvpn_attempt *attempt = NULL;
	struct jvpn_rejection reject;
	enum client_purpose purpose;
	enum jvpn_verdict verdict;

	verdict = jvpn_client_reject(&c->proto, packet->data, packet->size, &reject, &attempt);
	if (!verdict && !try_is_answered_by(client_try_of(c, attempt), packet))
		verdict = JVPN_VERDICT_ELSEWHERE;
	refusal_verdict_count(c->d, JVPN_MSG_REJECT, verdict);
	if (verdict)
		return;
	purpose = client_try_of(c, attempt)->purpose;
	jvpn_info("session %s: the gateway refuses an attempt to %s: %s, wait %u ms",
		  session_short(c->session), purpose_names[purpose],
		  jvpn_reject_reason_str(reject.reason), reject.wait_ms);
	if (reject.reason == JVPN_WIRE_REJECT_TERMINATED) {
		reattach_session_lost(c, JVPN_REASON_POLICY_FAILURE,
				      "the gateway says that it is over");
		return;
	}
	if (reject.reason == JVPN_WIRE_REJECT_ROLLBACK) {
		reattach_session_lost(c, JVPN_REASON_OWNERSHIP_AMBIGUOUS,
				      "the gateway has lost a part of its past");
		return;
	}
	try_drop(c, client_try_of(c, attempt), jvpn_reject_reason_str(reject.reason));
	if (reject.reason == JVPN_WIRE_REJECT_RATE && purpose != CLIENT_STANDBY)
		client_move_rate_limited(c, reject.wait_ms);
}

/*
 * Whoever answers does not have the session; that need not be who has. A binding
 * is proof of the contrary for as long as its heartbeats are echoed: the kernel
 * watches that, and when it gives the transport up the next GONE is believed.
 */
static void reattach_gone(struct client *c, const struct kernel_packet *packet)
{
	const char *why = "the gateway does not have it any longer";
	struct jvpn_attempt *attempt = NULL;
	enum jvpn_verdict verdict;
	struct client_try *try;

	verdict = jvpn_client_gone(&c->proto, packet->data, packet->size, &attempt);
	try = verdict ? NULL : client_try_of(c, attempt);
	if (try && !try_is_answered_by(try, packet))
		verdict = JVPN_VERDICT_ELSEWHERE;
	else if (try && jvpn_fsm_bound(c->session->state))
		verdict = JVPN_VERDICT_PATH_ALIVE;
	refusal_verdict_count(c->d, JVPN_MSG_GONE, verdict);
	if (verdict == JVPN_VERDICT_PATH_ALIVE)
		try_drop(c, try, why);
	else if (!verdict && try->purpose == CLIENT_STANDBY)
		try_drop(c, try, why);
	else if (!verdict)
		reattach_session_lost(c, JVPN_REASON_LEASE_LOST, why);
}

static void reattach_cookie_take(struct client *c, const struct kernel_packet *packet)
{
	struct jvpn_attempt *attempt = jvpn_client_cookie_attempt(&c->proto, packet->data,
								  packet->size);
	struct client_try *try = attempt ? client_try_of(c, attempt) : NULL;
	struct candidate *cand = try ? candidate_find(c, try->candidate) : NULL;
	uint64_t now = jvpnd_now_ms();

	enum jvpn_verdict verdict = JVPN_VERDICT_UNKNOWN_ATTEMPT;

	if (cand && !try_is_answered_by(try, packet))
		verdict = JVPN_VERDICT_ELSEWHERE;
	else if (cand)
		verdict = jvpn_cookie_open(&cand->jar, packet->data, packet->size,
					   (const u8 *)&attempt->request,
					   sizeof(attempt->request), &c->proto.mac, now);
	refusal_verdict_count(c->d, JVPN_MSG_COOKIE, verdict);
	if (verdict)
		return;
	jvpn_mac_stamp((u8 *)&attempt->request, sizeof(attempt->request), &c->proto.mac,
		       jvpn_cookie_get(&cand->jar, now));
	/* Whoever sees a REQUEST can make a COOKIE: it buys one more, then time decides. */
	if (try->cookie_used)
		return;
	try->cookie_used = true;
	client_send(c, &try->to, &attempt->request, sizeof(attempt->request));
}

void client_reattach_packet(struct client *c, const struct kernel_packet *packet)
{
	if (!c->session || !c->has_proto || !session_is_live(c->session))
		return;
	switch (packet->data[0]) {
	case JVPN_MSG_CHALLENGE:
		if (jvpn_client_challenge_solicited(&c->proto, packet->data, packet->size))
			reattach_challenge(c, packet);
		else
			reattach_invited(c, packet);
		break;
	case JVPN_MSG_ACK:
		reattach_ack(c, packet);
		break;
	case JVPN_MSG_REJECT:
		reattach_reject(c, packet);
		break;
	case JVPN_MSG_GONE:
		reattach_gone(c, packet);
		break;
	case JVPN_MSG_COOKIE:
		reattach_cookie_take(c, packet);
		break;
	}
	client_settle(c);
}
