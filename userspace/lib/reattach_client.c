// SPDX-License-Identifier: GPL-2.0

#include "reattach.h"
#include "reattach_noise.h"
#include "reattach_client.h"

/* --- PROOF -------------------------------------------------------------- */

/* The highest (V, E) known, with V raised to what else was seen of it. */
static void proof_base(const struct jvpn_client *c, const struct jvpn_attempt *a, u64 v_hint,
		       u64 *v, u32 *e)
{
	bool own = c->rec.v > a->v_cur || (c->rec.v == a->v_cur && c->rec.e > a->e_cur);

	*v = own ? c->rec.v : a->v_cur;
	*e = own ? c->rec.e : a->e_cur;
	if (c->rec.v_seen > *v)
		*v = c->rec.v_seen;
	if (v_hint > *v)
		*v = v_hint;
}

static void gate_write(const struct jvpn_client *c, const struct jvpn_attempt *a,
		       struct jvpn_client_proof *proof)
{
	struct jvpn_reattach_names names = { c->rec.suite, c->rec.sid, a->nc, a->ns };
	struct jvpn_wire_gate gate = {
		.v_req = jvpn_cpu_to_le64(proof->v),
		.e_req = jvpn_cpu_to_le32(proof->e),
	};
	struct jvpn_wire_proof *m = &proof->msg;
	u8 psk[JVPN_WIRE_KEY];
	u8 key[JVPN_WIRE_KEY];

	jvpn_reattach_psk(psk, &c->rec.keys, &names);
	jvpn_reattach_gate_key(key, psk, m->e_c);
	jvpn_aead_seal(m->gate, key, jvpn_reattach_gate_nonce, m, JVPN_GATE_AD_SIZE, &gate,
		       sizeof(gate));
	jvpn_wipe(psk, sizeof(psk));
	jvpn_wipe(key, sizeof(key));
}

static void proof_head(const struct jvpn_attempt *a, struct jvpn_wire_proof *m)
{
	jvpn_msg_header(&m->hdr, JVPN_MSG_PROOF);
	memcpy(m->ticket, a->ticket, JVPN_WIRE_TICKET);
	memcpy(m->nc, a->nc, JVPN_WIRE_NC);
	memcpy(m->ns, a->ns, JVPN_WIRE_NS);
	m->cookie = a->cookie;
	memcpy(m->h1, a->noise.h, JVPN_WIRE_HASH);
}

/*
 * Tokens e, ee, se, es and the payload. e_c lives only here: the PROOF never
 * changes and the epoch's keys are derived at once, so nothing needs it again.
 */
static enum jvpn_verdict proof_write(const struct jvpn_client *c, const struct jvpn_attempt *a,
				     struct jvpn_client_proof *proof, const struct jvpn_rng *rng)
{
	struct jvpn_wire_proof_payload payload = {
		.v_req = jvpn_cpu_to_le64(proof->v),
		.e_req = jvpn_cpu_to_le32(proof->e),
		.meaning = a->meaning,
	};
	enum jvpn_verdict verdict = JVPN_VERDICT_BAD_KEY;
	struct jvpn_wire_proof *m = &proof->msg;
	struct jvpn_noise noise = a->noise;
	u8 e_c[JVPN_WIRE_KEY];

	proof_head(a, m);
	jvpn_dh_generate(e_c, m->e_c, rng);
	jvpn_noise_mix_ephemeral(&noise, m->e_c);
	if (jvpn_noise_mix_dh(&noise, e_c, a->e_s) &&
	    jvpn_noise_mix_dh(&noise, e_c, c->rec.server_pub) &&
	    jvpn_noise_mix_dh(&noise, c->secret, a->e_s)) {
		gate_write(c, a, proof);
		jvpn_noise_encrypt(&noise, m->payload, &payload, sizeof(payload));
		jvpn_reattach_finish(&proof->epoch, &noise);
		verdict = JVPN_VERDICT_OK;
	}
	jvpn_noise_wipe(&noise);
	jvpn_wipe(e_c, sizeof(e_c));
	return verdict;
}

static enum jvpn_verdict proof_allowed(const struct jvpn_client *c,
				       const struct jvpn_attempt *a, unsigned int count,
				       u64 now_ms)
{
	if (a->state != JVPN_ATTEMPT_CHALLENGED || !count || count > JVPN_CLIENT_PROOFS_MAX)
		return JVPN_VERDICT_MISUSE;
	if (a->intent && a->intent != c->intent)
		return JVPN_VERDICT_SUPERSEDED;
	if (now_ms >= a->deadline_ms)
		return JVPN_VERDICT_STALE_EXPIRED;
	if (jvpn_client_attempts_proved(c) >= JVPN_CLIENT_PROVED_MAX)
		return JVPN_VERDICT_FULL;
	return JVPN_VERDICT_OK;
}

/* A first PROOF is a new decision; one after STALE carries on with the old one. */
static void intent_begin(struct jvpn_client *c, struct jvpn_attempt *a)
{
	if (a->intent)
		return;
	a->intent = ++c->intent;
	a->v_floor = c->rec.v_seen;
}

/*
 * What STALE made us prove again may be committed all the same: the network repeats what it likes,
 * so STALE may have answered a copy, while the PROOF itself is being judged. Its ACK must be of use.
 */
static void formers_keep(struct jvpn_attempt *a)
{
	size_t i;

	for (i = 0; i < a->proof_count; i++) {
		if (a->former_count == JVPN_CLIENT_FORMER_MAX) {
			memmove(a->former, a->former + 1,
				sizeof(a->former) - sizeof(a->former[0]));
			a->former_count--;
		}
		a->former[a->former_count++] = a->proof[i];
	}
}

enum jvpn_verdict jvpn_client_proof(struct jvpn_client *c, struct jvpn_attempt *attempt,
				    u64 v_hint, unsigned int count, u64 now_ms,
				    const struct jvpn_rng *rng)
{
	struct jvpn_client_proof made[JVPN_CLIENT_PROOFS_MAX] = { 0 };
	enum jvpn_verdict verdict;
	unsigned int i;
	u64 v;
	u32 e;

	verdict = proof_allowed(c, attempt, count, now_ms);
	if (verdict)
		return verdict;
	proof_base(c, attempt, v_hint, &v, &e);
	for (i = 0; i < count && !verdict; i++) {
		made[i].v = v + i;
		made[i].e = e;
		made[i].observed = attempt->observed;
		verdict = proof_write(c, attempt, &made[i], rng);
	}
	if (!verdict) {
		intent_begin(c, attempt);
		formers_keep(attempt);
		memcpy(attempt->proof, made, sizeof(made));
		attempt->proof_count = count;
		attempt->state = JVPN_ATTEMPT_PROVED;
	}
	jvpn_wipe(made, sizeof(made));
	return verdict;
}

/* --- commit ------------------------------------------------------------- */

static bool pair_above(u64 v, u32 e, u64 v_old, u32 e_old)
{
	return v > v_old || (v == v_old && e > e_old);
}

/* A commit uses up its epoch's number: only a PROOF that names the next one can follow it. */
static bool attempt_names_next(const struct jvpn_client *c, const struct jvpn_attempt *a)
{
	return a->proof_count && a->proof[0].e >= c->rec.e;
}

/*
 * Intents up to the committed one are over. The gateway may have committed what
 * followed as well, a newer intent or a later round of this one: that only waits for its ACK.
 */
static void intents_end(struct jvpn_client *c, u64 intent)
{
	size_t i;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct jvpn_attempt *a = &c->attempt[i];

		if (!a->intent)
			continue;
		if (a->intent < intent || (a->intent == intent && !attempt_names_next(c, a))) {
			jvpn_client_attempt_wipe(a);
		} else {
			jvpn_client_attempt_close(c, a);
		}
	}
}

/* commit holds all but the epoch's keys and the path. */
static enum jvpn_verdict commit_apply(struct jvpn_client *c, struct jvpn_attempt *a,
				      const struct jvpn_client_proof *proof,
				      const struct jvpn_client_commit *read,
				      struct jvpn_client_commit *commit)
{
	jvpn_client_saw(c, read->v_cur);
	if (!pair_above(read->v_new, read->e_new, c->rec.v, c->rec.e)) {
		if (!attempt_names_next(c, a))
			jvpn_client_attempt_wipe(a);
		return JVPN_VERDICT_OLD_COMMIT;
	}
	c->rec.v = read->v_new;
	c->rec.e = read->e_new;
	*commit = *read;
	commit->path = a->path;
	commit->observed = proof->observed;
	commit->epoch = proof->epoch;
	intents_end(c, a->intent);
	return JVPN_VERDICT_OK;
}

static bool ack_open(const struct jvpn_wire_ack *m, const struct jvpn_client_proof *proof,
		     struct jvpn_wire_ack_payload *payload)
{
	return jvpn_xaead_open((u8 *)payload, proof->epoch.ctl_s2c, m->nonce, m,
			       JVPN_ACK_AD_SIZE, m->payload, sizeof(m->payload));
}

/* All PROOFs of an attempt that may yet be committed, those of the newest round first. */
static const struct jvpn_client_proof *attempt_proof(const struct jvpn_attempt *a, size_t number)
{
	if (number < a->proof_count)
		return &a->proof[number];
	number -= a->proof_count;
	return number < a->former_count ? &a->former[number] : NULL;
}

/* The PROOF that an ACK belongs to: the one whose key opens it. */
static const struct jvpn_client_proof *ack_match(struct jvpn_client *c,
						 const struct jvpn_wire_ack *m,
						 struct jvpn_wire_ack_payload *payload,
						 struct jvpn_attempt **attempt)
{
	const struct jvpn_client_proof *proof;
	size_t i, j;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct jvpn_attempt *a = &c->attempt[i];

		for (j = 0; (proof = attempt_proof(a, j)); j++) {
			if (ack_open(m, proof, payload)) {
				*attempt = a;
				return proof;
			}
		}
	}
	return NULL;
}

/* A commit raises E by one and V by none (refresh), one or two. */
static bool ack_plausible(const struct jvpn_client_commit *read,
			  const struct jvpn_client_proof *proof)
{
	return read->e_new == proof->e + 1 && read->v_new >= proof->v &&
	       read->v_new - proof->v <= 2 && read->v_cur >= read->v_new;
}

enum jvpn_verdict jvpn_client_ack(struct jvpn_client *c, const u8 *msg, size_t len,
				  struct jvpn_client_commit *commit)
{
	const struct jvpn_wire_ack *m = (const void *)msg;
	enum jvpn_verdict verdict = jvpn_msg_check(msg, len, JVPN_MSG_ACK);
	struct jvpn_wire_ack_payload payload;
	struct jvpn_client_commit read = { 0 };
	const struct jvpn_client_proof *proof;
	struct jvpn_attempt *a = NULL;

	if (verdict)
		return verdict;
	proof = ack_match(c, m, &payload, &a);
	if (!proof)
		return JVPN_VERDICT_UNKNOWN_ATTEMPT;
	read.v_new = jvpn_le64_to_cpu(payload.v_new);
	read.v_cur = jvpn_le64_to_cpu(payload.v_cur);
	read.e_new = jvpn_le32_to_cpu(payload.e_new);
	read.ttl_ms = jvpn_le32_to_cpu(payload.ttl_ms);
	read.peer_state = payload.state;
	if (!ack_plausible(&read, proof))
		return JVPN_VERDICT_BAD_FIELD;
	jvpn_client_ticket_put(c, payload.ticket);
	return commit_apply(c, a, proof, &read, commit);
}

enum jvpn_verdict jvpn_client_confirm(struct jvpn_client *c, u32 idx_s2c,
				      struct jvpn_client_commit *commit)
{
	const struct jvpn_client_proof *proof;
	size_t i, j;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct jvpn_attempt *a = &c->attempt[i];

		for (j = 0; (proof = attempt_proof(a, j)); j++) {
			struct jvpn_client_commit read = {
				.v_new = proof->v,
				.v_cur = proof->v,
				.e_new = proof->e + 1,
			};

			if (proof->epoch.idx_s2c == idx_s2c)
				return commit_apply(c, a, proof, &read, commit);
		}
	}
	return JVPN_VERDICT_UNKNOWN_ATTEMPT;
}

/* --- REJECT and GONE ---------------------------------------------------- */

enum jvpn_verdict jvpn_client_reject(struct jvpn_client *c, const u8 *msg, size_t len,
				     struct jvpn_rejection *reject,
				     struct jvpn_attempt **attempt)
{
	const struct jvpn_wire_reject *m = (const void *)msg;
	enum jvpn_verdict verdict = jvpn_msg_check(msg, len, JVPN_MSG_REJECT);
	struct jvpn_wire_reject_payload payload;
	struct jvpn_attempt *a;

	if (verdict)
		return verdict;
	a = jvpn_client_attempt_find_open(c, m->nc);
	if (!a)
		return JVPN_VERDICT_UNKNOWN_ATTEMPT;
	if (!jvpn_xaead_open((u8 *)&payload, c->rec.keys.rej, m->nonce, m, JVPN_REJECT_AD_SIZE,
			     m->payload, sizeof(m->payload)))
		return JVPN_VERDICT_BAD_AUTH;
	if (!payload.reason || payload.reason > JVPN_WIRE_REJECT_MAX)
		return JVPN_VERDICT_BAD_FIELD;
	reject->reason = payload.reason;
	reject->node = jvpn_le16_to_cpu(payload.node);
	reject->wait_ms = jvpn_le32_to_cpu(payload.wait_ms);
	reject->v_cur = jvpn_le64_to_cpu(payload.v_cur);
	*attempt = a;
	return JVPN_VERDICT_OK;
}

enum jvpn_verdict jvpn_client_gone(struct jvpn_client *c, const u8 *msg, size_t len,
				   struct jvpn_attempt **attempt)
{
	const struct jvpn_wire_gone *m = (const void *)msg;
	enum jvpn_verdict verdict = jvpn_msg_check(msg, len, JVPN_MSG_GONE);
	u8 mac[JVPN_WIRE_MAC];
	struct jvpn_attempt *a;

	if (verdict)
		return verdict;
	a = jvpn_client_attempt_find_open(c, m->nc);
	/* A CHALLENGE was the answer: whoever made it has the session. */
	if (!a || a->state != JVPN_ATTEMPT_REQUESTED)
		return JVPN_VERDICT_UNKNOWN_ATTEMPT;
	jvpn_gone_mac(mac, c->rec.gone, m->nc);
	if (!jvpn_equal(mac, m->mac, sizeof(mac)))
		return JVPN_VERDICT_BAD_AUTH;
	*attempt = a;
	return JVPN_VERDICT_OK;
}
