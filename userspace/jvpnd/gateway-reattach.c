// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/fsm.h"
#include "gateway.h"
#include "log.h"
#include "record.h"
#include "refusal.h"
#include "session.h"

/* REQUESTs cost a twentieth of an INIT. */
#define REQUESTS_PER_INIT 20
/* Authentic ones of a session that ask for no cookie; beyond, they are like any other. */
#define SESSION_REQUESTS_PER_SECOND 20
#define SESSION_REQUESTS_BURST 40
#define INVITATIONS_PER_SECOND 2
/* A PROOF that follows an invitation this late is a move of its own. */
#define INVITED_MS 30000
#define MINUTE 60

/* What one PROOF may have behind it while it is judged. */
#define SESSION_GATES_MAX 4
#define GATE_PROOFS_MAX 16
/* Of gates whose PROOFs were all forged so far: as long as a cookie lives, and so many. */
#define GATE_KEPT_MS ((JVPN_RING_TTL_STANDBY_S + 1) * 1000)
#define GATES_KEPT_MAX 256

/**
 * struct proof_gate - PROOFs that passed all but public-key work, with one gate
 * @proofs: different ones; NULL once all were forged
 * @count: of them
 * @done: the public-key work is done, @noise holds its result
 * @until_ms: when it is forgotten
 * @renewals: the gateway's when it began
 *
 * Whoever sees a PROOF can put other octets behind its gate. All of them need
 * the same public-key work, so that copies cost none, and take nothing from the
 * genuine one, be it before or after them.
 *
 * The worker reads nothing but the first PROOF. The result is worth something
 * only if the session has the same version and epoch when it returns; the kernel
 * compares them once more.
 */
struct proof_gate {
	TAILQ_ENTRY(proof_gate) link;
	uv_work_t work;
	struct gateway *gw;
	struct path from;
	uint8_t secret[JVPN_WIRE_KEY];
	uint8_t sid[JVPN_WIRE_SID];
	uint8_t gate[16];
	struct jvpn_proof *proofs;
	unsigned int count;
	enum jvpn_verdict verdict;
	bool done;
	uint64_t until_ms;
	uint32_t renewals;
	struct jvpn_noise noise;
};

void gateway_reattach_session_begin(struct gateway *gw, struct session *s)
{
	uint64_t now = jvpnd_now_ms();

	jvpn_bucket_init(&s->gateway.requests, SESSION_REQUESTS_BURST, now);
	jvpn_bucket_init(&s->gateway.proofs, gateway_limits(gw)->session_proofs_per_minute * MINUTE,
			 now);
	jvpn_bucket_init(&s->gateway.invitations, INVITATIONS_PER_SECOND, now);
}

/* --- answers ------------------------------------------------------------------ */

static void reattach_challenge_send(struct gateway *gw, const struct session *s,
				    const struct path *to, const struct jvpn_challenge_args *args)
{
	struct jvpn_reattach_session view;
	struct jvpn_wire_challenge out;
	struct jvpn_path wire;

	if (!path_to_wire(to, &wire))
		return;
	session_reattach_view(gw->d, s, &view);
	jvpn_challenge_build(&out, &gw->proto, &view, &wire, args, jvpnd_now_ms(),
			     &jvpn_rng_system);
	jvpn_reattach_session_wipe(&view);
	gateway_send(gw, to, &out, sizeof(out));
}

static void reattach_stale_send(struct gateway *gw, const struct session *s,
				const struct path *to, const uint8_t *nc)
{
	const struct jvpn_challenge_args args = { .nc = nc, .flags = JVPN_WIRE_CHALLENGE_STALE };

	reattach_challenge_send(gw, s, to, &args);
}

static void reattach_reject_send(struct gateway *gw, const struct session *s,
				 const struct path *to, const uint8_t *nc, uint8_t reason,
				 uint32_t wait_ms)
{
	const struct jvpn_rejection rejection = { .reason = reason, .wait_ms = wait_ms,
						  .v_cur = s->version };
	struct jvpn_wire_reject out;

	jvpn_reject_build(&out, &s->keys, nc, &rejection, &jvpn_rng_system);
	gateway_send(gw, to, &out, sizeof(out));
}

static void reattach_ack_send(struct gateway *gw, const struct session *s, const struct path *to)
{
	struct jvpn_reattach_session view;
	struct jvpn_wire_ack out;

	session_reattach_view(gw->d, s, &view);
	jvpn_ack_build(&out, &gw->proto, &view, &s->gateway.last, session_ttl_left_ms(s),
		       jvpnd_now_ms(), &jvpn_rng_system);
	jvpn_reattach_session_wipe(&view);
	gateway_send(gw, to, &out, sizeof(out));
}

/* --- REQUEST ------------------------------------------------------------------ */

static bool reattach_loaded(struct gateway *gw)
{
	uint32_t above = gateway_limits(gw)->cookie_above_per_second * REQUESTS_PER_INIT;
	uint64_t now = jvpnd_now_ms();

	if (!jvpn_bucket_take(&gw->requests, above, above, 1, now))
		gw->requests_loaded_until_ms = now + 1000;
	return now < gw->requests_loaded_until_ms;
}

/* Verdict of the ticket; *s is NULL if it opens but names no session with a record. */
static enum jvpn_verdict reattach_session_find(struct gateway *gw, const uint8_t *message,
					       uint8_t sid[JVPN_WIRE_SID], struct session **s)
{
	enum jvpn_verdict verdict = jvpn_ticket_open(&gw->proto.tickets,
						     jvpn_reattach_ticket(message),
						     jvpnd_now_ms() / 1000, sid);

	*s = verdict ? NULL : session_find(gw->d, sid);
	if (*s && (!(*s)->recorded || (*s)->vanished))
		*s = NULL;
	return verdict;
}

static void reattach_gone_send(struct gateway *gw, const struct kernel_packet *packet,
			       const uint8_t sid[JVPN_WIRE_SID])
{
	const struct refusal refusal = { .request = "REQUEST",
					 .reject = JVPN_REJECT_UNKNOWN_SESSION,
					 .path = &packet->from };
	struct jvpn_wire_gone out;

	jvpn_gone_build(&out, gw->proto.k_gone, sid, jvpn_reattach_nc(packet->data));
	gateway_send(gw, &packet->from, &out, sizeof(out));
	refusal_note(gw->d, &refusal);
}

static void reattach_request_answer(struct gateway *gw, const struct kernel_packet *packet,
				    const struct session *s, const struct jvpn_request *request,
				    enum jvpn_verdict verdict)
{
	const struct jvpn_challenge_args args = { .nc = request->nc,
						  .standby = request->standby };
	uint8_t reason = verdict == JVPN_VERDICT_ROLLBACK ? JVPN_WIRE_REJECT_ROLLBACK :
							     JVPN_WIRE_REJECT_TERMINATED;

	if (verdict == JVPN_VERDICT_OK && !session_is_served(s))
		verdict = JVPN_VERDICT_TERMINATED;
	if (verdict == JVPN_VERDICT_OK) {
		reattach_challenge_send(gw, s, &packet->from, &args);
		return;
	}
	reattach_reject_send(gw, s, &packet->from, request->nc, reason, 0);
	gateway_refuse(gw, JVPN_MSG_REQUEST, verdict, s, &packet->from);
}

/* What a REQUEST names. */
struct reattach_read {
	uint8_t sid[JVPN_WIRE_SID];
	enum jvpn_verdict ticket;
	struct session *s;		/* NULL: none with a record */
	enum jvpn_verdict verdict;	/* of what K_req covers; for a session past BIRTH */
	struct jvpn_request request;
};

static void reattach_request_open(struct gateway *gw, const struct kernel_packet *packet,
				  struct reattach_read *read)
{
	struct jvpn_reattach_session view;

	session_reattach_view(gw->d, read->s, &view);
	read->verdict = jvpn_request_open(&view, packet->data, packet->size, &read->request);
	jvpn_reattach_session_wipe(&view);
}

static bool reattach_request_is_authentic(const struct reattach_read *read)
{
	return read->s && read->s->state != JVPN_STATE_BIRTH &&
	       (!read->verdict || read->verdict == JVPN_VERDICT_ROLLBACK);
}

static void reattach_request_read(struct gateway *gw, const struct kernel_packet *packet,
				  struct reattach_read *read)
{
	memset(read, 0, sizeof(*read));
	read->ticket = reattach_session_find(gw, packet->data, read->sid, &read->s);
	if (read->s && read->s->state != JVPN_STATE_BIRTH)
		reattach_request_open(gw, packet, read);
}

/*
 * What only the session's owner can have made takes from the session's share, whoever shares his
 * address. A copy of it does so too, and when that share is used up it has to come with a cookie.
 */
static bool reattach_request_admit(struct gateway *gw, const struct kernel_packet *packet,
				   const struct reattach_read *read)
{
	return (reattach_request_is_authentic(read) &&
		jvpn_bucket_take(&read->s->gateway.requests, SESSION_REQUESTS_PER_SECOND,
				 SESSION_REQUESTS_BURST, 1, jvpnd_now_ms())) ||
	       gateway_mac2_pass(gw, packet, reattach_loaded);
}

static void reattach_request_judge(struct gateway *gw, const struct kernel_packet *packet,
				   struct reattach_read *read)
{
	/* The kernel may be ahead of what was read so far. */
	if (read->verdict == JVPN_VERDICT_ROLLBACK && session_sync(gw->d, read->s))
		reattach_request_open(gw, packet, read);
	refusal_verdict_count(gw->d, JVPN_MSG_REQUEST, read->verdict);
	if (read->verdict && read->verdict != JVPN_VERDICT_ROLLBACK)
		gateway_refuse(gw, JVPN_MSG_REQUEST, read->verdict, read->s, &packet->from);
	else
		reattach_request_answer(gw, packet, read->s, &read->request, read->verdict);
}

void gateway_reattach_request(struct gateway *gw, const struct kernel_packet *packet)
{
	struct reattach_read read;

	if (!gateway_mac1_pass(gw, packet))
		return;
	reattach_request_read(gw, packet, &read);
	if (!reattach_request_admit(gw, packet, &read))
		return;
	/* What names a session here is counted when it has been opened. */
	if (!read.s || read.s->state == JVPN_STATE_BIRTH)
		refusal_verdict_count(gw->d, JVPN_MSG_REQUEST, read.ticket);
	if (read.ticket)
		gateway_refuse(gw, JVPN_MSG_REQUEST, read.ticket, NULL, &packet->from);
	else if (!read.s)
		reattach_gone_send(gw, packet, read.sid);
	/* In BIRTH its first packet is on the way, or its handshake will time out. */
	else if (read.s->state != JVPN_STATE_BIRTH)
		reattach_request_judge(gw, packet, &read);
}

/* --- PROOF: commit ------------------------------------------------------------ */

static uint32_t reattach_jump_reason(const struct session *s, const struct path *from)
{
	if (s->gateway.invited && path_equal(&s->gateway.invited_path, from) &&
	    jvpnd_now_ms() - s->gateway.invited_ms < INVITED_MS)
		return JVPN_REASON_NAT_REBIND;
	return JVPN_REASON_CLIENT_JUMP;
}

/* A PROOF that is genuine. */
struct judged {
	const struct jvpn_proof *proof;
	const struct path *from;
	struct jvpn_epoch epoch;
	uint8_t meaning;
};

static bool reattach_is_bound_there(const struct session *s, const struct path *from)
{
	return s->state == JVPN_STATE_ATTACHED && path_equal(&s->path, from);
}

/* To another address of ours it is a move: answers must come from there. */
static bool reattach_is_no_move(const struct session *s, const struct path *from)
{
	return reattach_is_bound_there(s, from) &&
	       (s->gateway.asked_at.family == AF_UNSPEC ||
		jvpn_addr_equal(&s->gateway.asked_at, &from->local));
}

static bool reattach_is_refresh(const struct session *s, const struct judged *judged)
{
	if (judged->meaning == JVPN_WIRE_PROOF_REFRESH)
		return reattach_is_bound_there(s, judged->from);
	return reattach_is_no_move(s, judged->from);
}

/* The compare-and-swap. The session is still what the PROOF names, or it is refused. */
static void reattach_commit(struct gateway *gw, struct session *s, const struct judged *judged,
			    bool refresh, struct kernel_answer *answer)
{
	const struct jvpn_proof *proof = judged->proof;
	const struct kernel_binding args = {
		.expected_version = proof->v_req,
		.has_expected_epoch = true,
		.expected_epoch = proof->e_req,
		.reason = reattach_jump_reason(s, judged->from),
		.role = JVPN_ROLE_GATEWAY,
		.path = refresh ? &s->path : judged->from,
		.epoch = &judged->epoch,
		.epoch_number = proof->e_req + 1,
	};

	if (refresh)
		kernel_epoch_set(gw->d->kernel, s->id, &args, answer);
	else
		kernel_binding_set(gw->d->kernel, s->id, &args, answer);
}

static void reattach_committed(struct gateway *gw, struct session *s, const struct judged *judged,
			       bool refresh)
{
	if (!refresh) {
		jvpn_switches_add(&s->gateway.switches, jvpnd_now_ms());
		s->gateway.asked_at = judged->from->local;
	}
	session_epoch_set(gw->d, s, judged->proof->e_req + 1);
	s->gateway.invited = false;
	jvpn_proof_remember(&s->gateway.last, judged->proof, s->version, s->epoch, &judged->epoch);
	session_ctl_set(gw->d, s, &judged->epoch, s->epoch);
	reattach_ack_send(gw, s, judged->from);
	record_save(gw->d, s);
}

static void reattach_commit_refused(struct gateway *gw, struct session *s,
				    const struct judged *judged,
				    const struct kernel_answer *answer)
{
	const struct refusal refusal = {
		.request = "PROOF", .session = s, .path = judged->from,
		.reject = answer->reject ? answer->reject : JVPN_REJECT_RATE_LIMITED,
	};

	if (!session_is_live(s))
		reattach_reject_send(gw, s, judged->from, judged->proof->nc,
				     JVPN_WIRE_REJECT_TERMINATED, 0);
	else
		reattach_stale_send(gw, s, judged->from, judged->proof->nc);
	refusal_note(gw->d, &refusal);
}

/* Did the session move while the worker was busy? */
static bool reattach_still_named(const struct jvpn_proof *proof, const struct session *s)
{
	return session_is_served(s) && s->version == proof->v_req && s->epoch == proof->e_req;
}

static void reattach_proof_use(struct gateway *gw, struct session *s, const struct judged *judged)
{
	bool refresh = reattach_is_refresh(s, judged);
	struct kernel_answer answer;

	/* Somebody carried it here: it says itself that it was not meant to move anything. */
	if (judged->meaning == JVPN_WIRE_PROOF_REFRESH && !refresh) {
		refusal_verdict_count(gw->d, JVPN_MSG_PROOF, JVPN_VERDICT_ELSEWHERE);
		gateway_refuse(gw, JVPN_MSG_PROOF, JVPN_VERDICT_ELSEWHERE, s, judged->from);
		return;
	}
	if (!reattach_still_named(judged->proof, s)) {
		gateway_refuse(gw, JVPN_MSG_PROOF, JVPN_VERDICT_STALE_VERSION, s, judged->from);
		reattach_stale_send(gw, s, judged->from, judged->proof->nc);
		return;
	}
	reattach_commit(gw, s, judged, refresh, &answer);
	if (session_answer(gw->d, s, "reattach", &answer))
		reattach_committed(gw, s, judged, refresh);
	else
		reattach_commit_refused(gw, s, judged, &answer);
}

/* --- PROOF: public-key work ---------------------------------------------------- */

static void gate_free(struct proof_gate *gate)
{
	if (gate->proofs)
		sodium_memzero(gate->proofs, GATE_PROOFS_MAX * sizeof(*gate->proofs));
	free(gate->proofs);
	sodium_memzero(gate, sizeof(*gate));
	free(gate);
}

static void gate_end(struct proof_gate *gate)
{
	TAILQ_REMOVE(&gate->gw->gates, gate, link);
	gate->gw->gates_kept -= gate->done;
	gate_free(gate);
}

/* The session has gone on, or they are too old: what they hold is of no use. */
static void gates_forget(struct gateway *gw, const struct session *s, uint64_t now)
{
	struct proof_gate *gate, *next;

	for (gate = TAILQ_FIRST(&gw->gates); gate; gate = next) {
		next = TAILQ_NEXT(gate, link);
		if (gate->done && (now >= gate->until_ms ||
				   (s && !memcmp(gate->sid, s->id, sizeof(gate->sid)))))
			gate_end(gate);
	}
}

void gateway_reattach_tick(struct gateway *gw)
{
	gates_forget(gw, NULL, jvpnd_now_ms());
}

/* Those that a worker has go when it is done. */
void gateway_reattach_renew(struct gateway *gw)
{
	gates_forget(gw, NULL, UINT64_MAX);
}

void gateway_reattach_close(struct gateway *gw)
{
	gates_forget(gw, NULL, UINT64_MAX);
}

/* All were forged: the next one with this gate costs no public-key work either. */
static void gate_keep(struct proof_gate *gate)
{
	struct gateway *gw = gate->gw;
	struct proof_gate *oldest;

	sodium_memzero(gate->proofs, GATE_PROOFS_MAX * sizeof(*gate->proofs));
	free(gate->proofs);
	gate->proofs = NULL;
	gate->done = true;
	gate->until_ms = jvpnd_now_ms() + GATE_KEPT_MS;
	TAILQ_REMOVE(&gw->gates, gate, link);
	TAILQ_INSERT_TAIL(&gw->gates, gate, link);
	if (gw->gates_kept++ < GATES_KEPT_MAX)
		return;
	oldest = TAILQ_FIRST(&gw->gates);
	while (!oldest->done)
		oldest = TAILQ_NEXT(oldest, link);
	gate_end(oldest);
}

/* True if it was genuine, and has been used. */
static bool gate_judge(struct proof_gate *gate, struct session *s, const struct jvpn_proof *proof)
{
	struct judged judged = { .proof = proof, .from = &gate->from };
	struct gateway *gw = gate->gw;
	enum jvpn_verdict verdict;

	verdict = jvpn_proof_finish(proof, &gate->noise, &judged.epoch, &judged.meaning);
	refusal_verdict_count(gw->d, JVPN_MSG_PROOF, verdict);
	if (verdict)
		gateway_refuse(gw, JVPN_MSG_PROOF, verdict, s, &gate->from);
	else
		reattach_proof_use(gw, s, &judged);
	jvpn_epoch_wipe(&judged.epoch);
	return !verdict;
}

static void gate_work(uv_work_t *work)
{
	struct proof_gate *gate = work->data;

	gate->verdict = jvpn_proof_dh(&gate->proofs[0], gate->secret, &gate->noise);
	sodium_memzero(gate->secret, sizeof(gate->secret));
}

static void gate_worked(struct proof_gate *gate, struct session *s)
{
	struct gateway *gw = gate->gw;
	bool used = false;

	if (gate->verdict) {
		refusal_verdict_count(gw->d, JVPN_MSG_PROOF, gate->verdict);
		gateway_refuse(gw, JVPN_MSG_PROOF, gate->verdict, s, &gate->from);
		gate_end(gate);
		return;
	}
	for (unsigned int i = 0; i < gate->count && !used; i++)
		used = gate_judge(gate, s, &gate->proofs[i]);
	if (!used) {
		gate_keep(gate);
		return;
	}
	gate_end(gate);
	gates_forget(gw, s, 0);
}

static void gate_done(uv_work_t *work, int status)
{
	struct proof_gate *gate = work->data;
	struct gateway *gw = gate->gw;
	struct session *s = session_find(gw->d, gate->sid);

	gw->proof_jobs--;
	if (s && s->gateway.proving)
		s->gateway.proving--;
	if (status || !s || gw->d->stopping || gate->renewals != gw->renewals) {
		gate_end(gate);
		return;
	}
	gate_worked(gate, s);
	sessions_settle(gw->d);
}

static struct proof_gate *gate_find(struct gateway *gw, const struct jvpn_proof *proof)
{
	struct proof_gate *gate;

	TAILQ_FOREACH(gate, &gw->gates, link)
		if (!memcmp(gate->gate, proof->gate, sizeof(gate->gate)) &&
		    !memcmp(gate->sid, proof->sid, sizeof(gate->sid)))
			return gate;
	return NULL;
}

/* While the worker is busy: it is judged when the work for its gate is done. */
static void gate_add(struct proof_gate *gate, const struct jvpn_proof *proof)
{
	for (unsigned int i = 0; i < gate->count; i++)
		if (!memcmp(gate->proofs[i].hash, proof->hash, sizeof(proof->hash)))
			return;
	if (gate->count < GATE_PROOFS_MAX)
		gate->proofs[gate->count++] = *proof;
}

static void gate_start(struct gateway *gw, struct session *s, const struct path *from,
		       const struct jvpn_proof *proof)
{
	struct proof_gate *gate = calloc(1, sizeof(*gate));

	if (!gate)
		return;
	gate->proofs = calloc(GATE_PROOFS_MAX, sizeof(*gate->proofs));
	if (!gate->proofs) {
		free(gate);
		return;
	}
	gate->gw = gw;
	gate->from = *from;
	gate->renewals = gw->renewals;
	gate->work.data = gate;
	memcpy(gate->sid, proof->sid, sizeof(gate->sid));
	memcpy(gate->gate, proof->gate, sizeof(gate->gate));
	memcpy(gate->secret, gw->proto.secret, sizeof(gate->secret));
	gate_add(gate, proof);
	if (uv_queue_work(gw->d->loop, &gate->work, gate_work, gate_done)) {
		gate_free(gate);
		return;
	}
	TAILQ_INSERT_TAIL(&gw->gates, gate, link);
	gw->proof_jobs++;
	s->gateway.proving++;
}

/* --- PROOF: checks ------------------------------------------------------------ */

static bool reattach_dh_take(struct gateway *gw, struct session *s, uint64_t now)
{
	const struct jvpn_config_limits *limits = gateway_limits(gw);

	/* The bucket counts sixtieths, so that n a minute are n a second of them. */
	return jvpn_bucket_take(&s->gateway.proofs, limits->session_proofs_per_minute,
				limits->session_proofs_per_minute * MINUTE, MINUTE, now) &&
	       jvpn_bucket_take(&gw->reattaches, limits->reattaches_per_second,
				limits->reattaches_per_second, 1, now);
}

/* Step 5 of the protocol, for moves: 0, or how long to wait. */
static uint32_t reattach_switch_wait(const struct session *s, const struct path *from)
{
	if (reattach_is_no_move(s, from))
		return 0;
	return (uint32_t)jvpn_switches_wait(&s->gateway.switches,
					    s->policy.max_switches_per_minute, 0, jvpnd_now_ms());
}

/* The same for public-key work. */
static uint32_t reattach_work_wait(struct gateway *gw, struct session *s)
{
	if (gw->proof_jobs >= GATEWAY_PROOF_JOBS_MAX || !reattach_dh_take(gw, s, jvpnd_now_ms()))
		return 1000;
	return 0;
}

static void reattach_proof_wait(struct gateway *gw, struct session *s, const struct path *from,
				const struct jvpn_proof *proof, uint32_t reject, uint32_t wait_ms)
{
	const struct refusal refusal = { .request = "PROOF", .session = s, .path = from,
					 .reject = reject, .wait_ms = wait_ms };

	reattach_reject_send(gw, s, from, proof->nc, JVPN_WIRE_REJECT_RATE, wait_ms);
	refusal_note(gw->d, &refusal);
}

/* It could be the one: is there a share left for its public-key work, if it needs any? */
static void reattach_proof_admit(struct gateway *gw, struct session *s, const struct path *from,
				 const struct jvpn_proof *proof)
{
	uint32_t wait = reattach_switch_wait(s, from);
	struct proof_gate *gate = gate_find(gw, proof);

	if (wait) {
		reattach_proof_wait(gw, s, from, proof, JVPN_REJECT_SWITCH_RATE_EXCEEDED, wait);
	} else if (gate && !gate->done) {
		gate_add(gate, proof);
	} else if (gate) {
		if (gate_judge(gate, s, proof))
			gates_forget(gw, s, 0);
	} else if (s->gateway.proving < SESSION_GATES_MAX) {
		wait = reattach_work_wait(gw, s);
		if (wait)
			reattach_proof_wait(gw, s, from, proof, JVPN_REJECT_RATE_LIMITED, wait);
		else
			gate_start(gw, s, from, proof);
	}
}

static void reattach_proof_judge(struct gateway *gw, struct session *s,
				 const struct kernel_packet *packet, const struct jvpn_proof *proof,
				 enum jvpn_verdict verdict)
{
	const uint8_t *nc = jvpn_reattach_nc(packet->data);

	if (verdict == JVPN_VERDICT_OK) {
		reattach_proof_admit(gw, s, &packet->from, proof);
		return;
	}
	if (verdict == JVPN_VERDICT_DUPLICATE) {
		reattach_ack_send(gw, s, &packet->from);
		return;
	}
	if (verdict == JVPN_VERDICT_TERMINATED)
		reattach_reject_send(gw, s, &packet->from, nc, JVPN_WIRE_REJECT_TERMINATED, 0);
	else if (jvpn_verdict_stale(verdict))
		reattach_stale_send(gw, s, &packet->from, nc);
	gateway_refuse(gw, JVPN_MSG_PROOF, verdict, s, &packet->from);
}

void gateway_reattach_proof(struct gateway *gw, const struct kernel_packet *packet)
{
	struct jvpn_reattach_session view;
	struct jvpn_proof proof;
	struct jvpn_path wire;
	uint8_t sid[JVPN_WIRE_SID];
	enum jvpn_verdict verdict = jvpn_msg_check(packet->data, packet->size, JVPN_MSG_PROOF);
	struct session *s = NULL;

	if (!verdict)
		verdict = reattach_session_find(gw, packet->data, sid, &s);
	if (verdict)
		gateway_refuse(gw, JVPN_MSG_PROOF, verdict, NULL, &packet->from);
	if (verdict || !s || s->state == JVPN_STATE_BIRTH || !path_to_wire(&packet->from, &wire)) {
		refusal_verdict_count(gw->d, JVPN_MSG_PROOF, verdict);
		return;
	}
	session_reattach_view(gw->d, s, &view);
	verdict = jvpn_proof_open(&gw->proto, &view, &s->gateway.last, &wire, packet->data,
				  packet->size, jvpnd_now_ms(), &proof);
	jvpn_reattach_session_wipe(&view);
	/* What passes is counted when its public-key work is done. */
	if (verdict)
		refusal_verdict_count(gw->d, JVPN_MSG_PROOF, verdict);
	reattach_proof_judge(gw, s, packet, &proof, verdict);
	jvpn_proof_wipe(&proof);
}

/* --- unsolicited CHALLENGE ---------------------------------------------------- */

static bool reattach_invitation_take(struct gateway *gw, struct session *s)
{
	uint32_t total = gateway_limits(gw)->invitations_per_second;
	uint64_t now = jvpnd_now_ms();

	return jvpn_bucket_take(&s->gateway.invitations, INVITATIONS_PER_SECOND,
				INVITATIONS_PER_SECOND, 1, now) &&
	       jvpn_bucket_take(&gw->invitations, total, total, 1, now);
}

/*
 * An authentic packet came from an address that is not bound: perhaps the
 * client's NAT has changed its mapping. Ask whoever is there for a PROOF; the
 * answer is no larger than what came.
 */
void gateway_reattach_invite(struct gateway *gw, struct session *s,
			     const struct kernel_unbound *event)
{
	struct jvpn_challenge_args args = { .flags = JVPN_WIRE_CHALLENGE_UNSOLICITED };
	uint8_t nc[JVPN_WIRE_NC];

	if (event->bytes < sizeof(struct jvpn_wire_challenge) || s->state == JVPN_STATE_BIRTH ||
	    !session_is_served(s) || !s->recorded || s->gateway.proving)
		return;
	if (!reattach_invitation_take(gw, s))
		return;
	jvpn_challenge_nc(nc, event->counter, event->index, &jvpn_rng_system);
	args.nc = nc;
	s->gateway.invited = true;
	s->gateway.invited_ms = jvpnd_now_ms();
	s->gateway.invited_path = event->from;
	reattach_challenge_send(gw, s, &event->from, &args);
}
