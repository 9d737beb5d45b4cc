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
#define INVITATIONS_PER_SECOND 2
/* A PROOF that follows an invitation this late is a move of its own. */
#define INVITED_MS 30000
#define MINUTE 60

/**
 * struct proof_job - a PROOF that passed all but its public-key work
 *
 * The worker reads nothing but the job. Its result is worth something only if
 * the session has the same version and epoch when it returns; the kernel
 * compares them once more.
 */
struct proof_job {
	uv_work_t work;
	struct gateway *gw;
	struct path from;
	uint8_t secret[JVPN_WIRE_KEY];
	struct jvpn_proof proof;
	struct jvpn_epoch epoch;
	enum jvpn_verdict verdict;
};

void gateway_reattach_session_begin(struct gateway *gw, struct session *s)
{
	uint64_t now = jvpnd_now_ms();

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
	jvpn_challenge_build(&out, &gw->proto, &view, &wire, args, jvpnd_now_ms(), jvpnd_wall_s(),
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
		       jvpnd_wall_s(), &jvpn_rng_system);
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
						     jvpnd_wall_s(), sid);

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

	if (verdict == JVPN_VERDICT_OK && s->state == JVPN_STATE_TERMINATED)
		verdict = JVPN_VERDICT_TERMINATED;
	if (verdict == JVPN_VERDICT_OK) {
		reattach_challenge_send(gw, s, &packet->from, &args);
		return;
	}
	reattach_reject_send(gw, s, &packet->from, request->nc, reason, 0);
	gateway_refuse(gw, JVPN_MSG_REQUEST, verdict, s, &packet->from);
}

void gateway_reattach_request(struct gateway *gw, const struct kernel_packet *packet)
{
	struct jvpn_reattach_session view;
	struct jvpn_request request;
	uint8_t sid[JVPN_WIRE_SID];
	enum jvpn_verdict verdict;
	struct session *s;

	if (!gateway_macs_pass(gw, packet, reattach_loaded))
		return;
	verdict = reattach_session_find(gw, packet->data, sid, &s);
	/* What names a session here is counted when it has been opened. */
	if (!s || s->state == JVPN_STATE_BIRTH)
		refusal_verdict_count(gw->d, JVPN_MSG_REQUEST, verdict);
	if (verdict) {
		gateway_refuse(gw, JVPN_MSG_REQUEST, verdict, NULL, &packet->from);
		return;
	}
	if (!s) {
		reattach_gone_send(gw, packet, sid);
		return;
	}
	/* Its first packet is on the way, or its handshake will time out. */
	if (s->state == JVPN_STATE_BIRTH)
		return;
	session_reattach_view(gw->d, s, &view);
	verdict = jvpn_request_open(&view, packet->data, packet->size, &request);
	/* The kernel may be ahead of what was read so far. */
	if (verdict == JVPN_VERDICT_ROLLBACK && session_sync(gw->d, s)) {
		session_reattach_view(gw->d, s, &view);
		verdict = jvpn_request_open(&view, packet->data, packet->size, &request);
	}
	jvpn_reattach_session_wipe(&view);
	refusal_verdict_count(gw->d, JVPN_MSG_REQUEST, verdict);
	if (verdict && verdict != JVPN_VERDICT_ROLLBACK)
		gateway_refuse(gw, JVPN_MSG_REQUEST, verdict, s, &packet->from);
	else
		reattach_request_answer(gw, packet, s, &request, verdict);
}

/* --- PROOF: commit ------------------------------------------------------------ */

static uint32_t reattach_jump_reason(const struct session *s, const struct path *from)
{
	if (s->gateway.invited && path_equal(&s->gateway.invited_path, from) &&
	    jvpnd_now_ms() - s->gateway.invited_ms < INVITED_MS)
		return JVPN_REASON_NAT_REBIND;
	return JVPN_REASON_CLIENT_JUMP;
}

static bool reattach_is_refresh(const struct session *s, const struct path *from)
{
	return s->state == JVPN_STATE_ATTACHED && path_equal(&s->path, from);
}

/* The compare-and-swap. The session is still what the PROOF names, or it is refused. */
static void reattach_commit(struct proof_job *job, struct session *s, bool refresh,
			    struct kernel_answer *answer)
{
	const struct kernel_binding args = {
		.expected_version = job->proof.v_req,
		.has_expected_epoch = true,
		.expected_epoch = job->proof.e_req,
		.reason = reattach_jump_reason(s, &job->from),
		.role = JVPN_ROLE_GATEWAY,
		.path = refresh ? &s->path : &job->from,
		.epoch = &job->epoch,
		.epoch_number = job->proof.e_req + 1,
	};

	if (refresh)
		kernel_epoch_set(job->gw->d->kernel, s->id, &args, answer);
	else
		kernel_binding_set(job->gw->d->kernel, s->id, &args, answer);
}

static void reattach_committed(struct proof_job *job, struct session *s, bool refresh)
{
	struct gateway *gw = job->gw;

	if (!refresh)
		jvpn_switches_add(&s->gateway.switches, jvpnd_now_ms());
	session_epoch_set(gw->d, s, job->proof.e_req + 1);
	s->gateway.invited = false;
	jvpn_proof_remember(&s->gateway.last, &job->proof, s->version, s->epoch, &job->epoch);
	session_ctl_set(gw->d, s, &job->epoch, s->epoch);
	reattach_ack_send(gw, s, &job->from);
	record_save(gw->d, s);
}

static void reattach_commit_refused(struct proof_job *job, struct session *s,
				    const struct kernel_answer *answer)
{
	struct gateway *gw = job->gw;
	const struct refusal refusal = {
		.request = "PROOF", .session = s, .path = &job->from,
		.reject = answer->reject ? answer->reject : JVPN_REJECT_RATE_LIMITED,
	};

	if (!session_is_live(s))
		reattach_reject_send(gw, s, &job->from, job->proof.nc,
				     JVPN_WIRE_REJECT_TERMINATED, 0);
	else
		reattach_stale_send(gw, s, &job->from, job->proof.nc);
	refusal_note(gw->d, &refusal);
}

/* Did the session move while the worker was busy? */
static bool reattach_still_named(const struct proof_job *job, const struct session *s)
{
	return session_is_live(s) && s->version == job->proof.v_req &&
	       s->epoch == job->proof.e_req;
}

static void reattach_proof_use(struct proof_job *job, struct session *s)
{
	bool refresh = reattach_is_refresh(s, &job->from);
	struct kernel_answer answer;

	if (!reattach_still_named(job, s)) {
		gateway_refuse(job->gw, JVPN_MSG_PROOF, JVPN_VERDICT_STALE_VERSION, s, &job->from);
		reattach_stale_send(job->gw, s, &job->from, job->proof.nc);
		return;
	}
	reattach_commit(job, s, refresh, &answer);
	if (session_answer(job->gw->d, s, "reattach", &answer))
		reattach_committed(job, s, refresh);
	else
		reattach_commit_refused(job, s, &answer);
}

static void proof_job_end(struct proof_job *job)
{
	job->gw->proof_jobs--;
	sodium_memzero(job, sizeof(*job));
	free(job);
}

static void proof_job_work(uv_work_t *work)
{
	struct proof_job *job = work->data;

	job->verdict = jvpn_proof_finish(&job->proof, job->secret, &job->epoch);
}

static void proof_job_done(uv_work_t *work, int status)
{
	struct proof_job *job = work->data;
	struct gateway *gw = job->gw;
	struct session *s = session_find(gw->d, job->proof.sid);

	if (s)
		s->gateway.proving = false;
	if (!status && s && !gw->d->stopping) {
		refusal_verdict_count(gw->d, JVPN_MSG_PROOF, job->verdict);
		if (job->verdict)
			gateway_refuse(gw, JVPN_MSG_PROOF, job->verdict, s, &job->from);
		else
			reattach_proof_use(job, s);
		sessions_settle(gw->d);
	}
	proof_job_end(job);
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

/* Step 5 of the protocol: 0, or how long to wait. */
static uint32_t reattach_limits_wait(struct gateway *gw, struct session *s,
				     const struct path *from, uint32_t *reject)
{
	uint64_t now = jvpnd_now_ms(), wait = 0;

	*reject = JVPN_REJECT_SWITCH_RATE_EXCEEDED;
	if (!reattach_is_refresh(s, from))
		wait = jvpn_switches_wait(&s->gateway.switches, s->policy.max_switches_per_minute,
					  0, now);
	if (wait)
		return (uint32_t)wait;
	*reject = JVPN_REJECT_RATE_LIMITED;
	if (gw->proof_jobs >= GATEWAY_PROOF_JOBS_MAX || !reattach_dh_take(gw, s, now))
		return 1000;
	return 0;
}

static void reattach_proof_start(struct gateway *gw, struct session *s, const struct path *from,
				 const struct jvpn_proof *proof)
{
	struct proof_job *job = calloc(1, sizeof(*job));

	if (!job)
		return;
	job->gw = gw;
	job->from = *from;
	job->work.data = job;
	job->proof = *proof;
	memcpy(job->secret, gw->proto.secret, sizeof(job->secret));
	gw->proof_jobs++;
	s->gateway.proving = true;
	if (!uv_queue_work(gw->d->loop, &job->work, proof_job_work, proof_job_done))
		return;
	s->gateway.proving = false;
	proof_job_end(job);
}

/* It could be the one: is there a share left for its public-key work? */
static void reattach_proof_admit(struct gateway *gw, struct session *s, const struct path *from,
				 const struct jvpn_proof *proof)
{
	struct refusal refusal = { .request = "PROOF", .session = s, .path = from };

	/* Its copy, or one of a bundle naming other versions, is under way. */
	if (s->gateway.proving)
		return;
	refusal.wait_ms = reattach_limits_wait(gw, s, from, &refusal.reject);
	if (!refusal.wait_ms) {
		reattach_proof_start(gw, s, from, proof);
		return;
	}
	reattach_reject_send(gw, s, from, proof->nc, JVPN_WIRE_REJECT_RATE, refusal.wait_ms);
	refusal_note(gw->d, &refusal);
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
	    !session_is_live(s) || !s->recorded || s->gateway.proving)
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
