// SPDX-License-Identifier: GPL-2.0

#include "reattach.h"
#include "reattach_noise.h"
#include "reattach_client.h"

/* --- CHALLENGE ---------------------------------------------------------- */

/* A CHALLENGE that authenticated, not accepted yet. */
struct challenge_read {
	const struct jvpn_wire_challenge *msg;
	struct jvpn_noise noise;
	struct jvpn_wire_challenge_payload payload;
	u64 v;
	u32 e;
};

static enum jvpn_verdict challenge_read(const struct jvpn_client *c, const u8 *msg,
					struct challenge_read *read)
{
	const struct jvpn_wire_challenge *m = (const void *)msg;
	struct jvpn_reattach_names names = { c->rec.suite, c->rec.sid, m->nc, m->ns };
	u8 psk[JVPN_WIRE_KEY];
	bool good;

	read->msg = m;
	jvpn_reattach_psk(psk, &c->rec.keys, &names);
	jvpn_reattach_begin(&read->noise, &names, psk, c->rec.server_pub, c->public_key, m->e_s);
	jvpn_wipe(psk, sizeof(psk));
	good = jvpn_noise_decrypt(&read->noise, (u8 *)&read->payload, m->payload,
				  sizeof(m->payload));
	if (!good)
		return JVPN_VERDICT_BAD_AUTH;
	read->v = jvpn_le64_to_cpu(read->payload.v_cur);
	read->e = jvpn_le32_to_cpu(read->payload.e_cur);
	if (read->payload.flags &
	    ~(JVPN_WIRE_CHALLENGE_STALE | JVPN_WIRE_CHALLENGE_UNSOLICITED))
		return JVPN_VERDICT_BAD_FIELD;
	return JVPN_VERDICT_OK;
}

/* v_floor is what the gateway must know if it made this CHALLENGE from honest records. */
static enum jvpn_verdict challenge_fresh(const struct jvpn_client *c,
					 const struct challenge_read *read, u64 v_floor)
{
	if (jvpn_le32_to_cpu(read->payload.incarnation) != c->rec.incarnation ||
	    read->v < v_floor)
		return JVPN_VERDICT_ROLLBACK;
	return JVPN_VERDICT_OK;
}

static bool ns_seen(const struct jvpn_attempt *a, const u8 ns[JVPN_WIRE_NS])
{
	size_t i;

	for (i = 0; i < a->ns_count; i++) {
		if (!memcmp(a->ns_seen[i], ns, JVPN_WIRE_NS))
			return true;
	}
	return false;
}

static void ns_note(struct jvpn_attempt *a, const u8 ns[JVPN_WIRE_NS])
{
	memcpy(a->ns_seen[a->ns_count++], ns, JVPN_WIRE_NS);
}

/* The CHALLENGE becomes the attempt's; its state of waiting for PROOF begins. */
static void challenge_accept(struct jvpn_client *c, struct jvpn_attempt *a,
			     const struct challenge_read *read, u64 now_ms)
{
	const struct jvpn_wire_challenge *m = read->msg;
	bool stale = read->payload.flags & JVPN_WIRE_CHALLENGE_STALE;

	a->state = JVPN_ATTEMPT_CHALLENGED;
	a->v_cur = read->v;
	a->e_cur = read->e;
	a->peer_state = read->payload.state;
	a->retry_ms = jvpn_le16_to_cpu(read->payload.retry_ms);
	a->observed_transport = read->payload.observed_transport;
	a->observed = read->payload.observed;
	a->deadline_ms = now_ms + (a->standby && !stale ? JVPN_CLIENT_STANDBY_MS :
							  JVPN_CLIENT_CHALLENGE_MS);
	if (a->deadline_ms + JVPN_CLIENT_LATE_MS > a->late_ms)
		a->late_ms = a->deadline_ms + JVPN_CLIENT_LATE_MS;
	memcpy(a->ns, m->ns, JVPN_WIRE_NS);
	a->cookie = m->cookie;
	memcpy(a->e_s, m->e_s, JVPN_WIRE_KEY);
	a->noise = read->noise;
	a->stale_matches = 0;
	a->is_held = false;
	ns_note(a, m->ns);
	jvpn_client_ticket_put(c, read->payload.ticket);
	jvpn_client_saw(c, read->v);
}

static bool proof_names(const struct jvpn_attempt *a, u64 v, u32 e)
{
	size_t i;

	for (i = 0; i < a->proof_count; i++) {
		if (a->proof[i].v == v && a->proof[i].e == e)
			return true;
	}
	return false;
}

/*
 * The gateway says that a PROOF named the past. Of several PROOFs naming V,
 * V+1, V+2 all but one are refused so, while the right one commits: as long as
 * one that names what is current may be under way, or has been committed, which
 * the next epoch shows, there is nothing to do.
 */
static enum jvpn_verdict stale_judge(struct jvpn_client *c, struct jvpn_attempt *a,
				     const struct challenge_read *read)
{
	jvpn_client_saw(c, read->v);
	if (a->intent != c->intent) {
		jvpn_client_attempt_wipe(a);
		return JVPN_VERDICT_SUPERSEDED;
	}
	if ((proof_names(a, read->v, read->e) || read->e == a->proof[0].e + 1) &&
	    ++a->stale_matches < a->proof_count) {
		ns_note(a, read->msg->ns);
		return JVPN_VERDICT_PENDING;
	}
	if (++a->stale_rounds > JVPN_CLIENT_STALE_MAX) {
		jvpn_client_attempt_wipe(a);
		return JVPN_VERDICT_EXHAUSTED;
	}
	return JVPN_VERDICT_OK;
}

static enum jvpn_verdict challenge_judge(struct jvpn_client *c, struct jvpn_attempt *a,
					 const struct jvpn_expected *expected,
					 const struct challenge_read *read)
{
	bool stale = read->payload.flags & JVPN_WIRE_CHALLENGE_STALE;
	enum jvpn_verdict verdict;

	/*
	 * What is of no use says nothing of the gateway's records either: a second answer to
	 * a REQUEST may be older than the version that PROOF went by.
	 */
	if (ns_seen(a, read->msg->ns) || a->ns_count == JVPN_CLIENT_NS_MAX)
		return JVPN_VERDICT_REPEATED;
	if (!stale && (a->proof_count || a->state != JVPN_ATTEMPT_REQUESTED))
		return JVPN_VERDICT_REPEATED;
	verdict = challenge_fresh(c, read, a->v_floor);
	if (verdict)
		return verdict;
	if (!a->proof_count && stale)
		return JVPN_VERDICT_BAD_FIELD;
	if (!jvpn_expected_has(expected, &read->payload.observed)) {
		a->held = *read->msg;
		a->is_held = true;
		return JVPN_VERDICT_HELD;
	}
	return a->proof_count ? stale_judge(c, a, read) : JVPN_VERDICT_OK;
}

bool jvpn_expected_has(const struct jvpn_expected *expected, const struct jvpn_wire_addr *addr)
{
	unsigned int i;

	for (i = 0; expected && i < expected->count; i++) {
		if (!memcmp(&expected->addr[i], addr, sizeof(*addr)))
			return true;
	}
	return !expected || !expected->count;
}

/* One CHALLENGE in store is enough for a path: the newest. */
static void standby_replace(struct jvpn_client *c, const struct jvpn_attempt *newest)
{
	size_t i;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct jvpn_attempt *a = &c->attempt[i];

		if (a != newest && a->state == JVPN_ATTEMPT_CHALLENGED && !a->intent &&
		    a->path == newest->path)
			jvpn_client_attempt_wipe(a);
	}
}

enum jvpn_verdict jvpn_client_challenge(struct jvpn_client *c, const u8 *msg, size_t len,
					const struct jvpn_expected *expected, u64 now_ms,
					struct jvpn_attempt **attempt)
{
	const struct jvpn_wire_challenge *m = (const void *)msg;
	enum jvpn_verdict verdict = jvpn_msg_check(msg, len, JVPN_MSG_CHALLENGE);
	struct challenge_read read;
	struct jvpn_attempt *a;

	if (verdict)
		return verdict;
	a = jvpn_client_attempt_find_open(c, m->nc);
	if (!a)
		return JVPN_VERDICT_UNKNOWN_ATTEMPT;
	verdict = challenge_read(c, msg, &read);
	if (!verdict)
		verdict = challenge_judge(c, a, expected, &read);
	if (!verdict) {
		challenge_accept(c, a, &read, now_ms);
		if (!a->intent)
			standby_replace(c, a);
	}
	if (!verdict || verdict == JVPN_VERDICT_HELD)
		*attempt = a;
	jvpn_noise_wipe(&read.noise);
	return verdict;
}

enum jvpn_verdict jvpn_client_challenge_held(struct jvpn_client *c, struct jvpn_attempt *held,
					     u64 now_ms, struct jvpn_attempt **attempt)
{
	struct jvpn_wire_challenge msg = held->held;

	if (!held->is_held)
		return JVPN_VERDICT_UNKNOWN_ATTEMPT;
	held->is_held = false;
	return jvpn_client_challenge(c, (const u8 *)&msg, sizeof(msg), NULL, now_ms, attempt);
}

/* --- unsolicited CHALLENGE ---------------------------------------------- */

bool jvpn_client_challenge_solicited(const struct jvpn_client *c, const u8 *msg, size_t len)
{
	const struct jvpn_wire_challenge *m = (const void *)msg;

	return !jvpn_msg_check(msg, len, JVPN_MSG_CHALLENGE) &&
	       jvpn_client_attempt_find_open((struct jvpn_client *)c, m->nc);
}

static enum jvpn_verdict invitation_trigger(const u8 nc[JVPN_WIRE_NC],
					    const struct jvpn_client_sent *sent)
{
	__le64 wire_ctr;
	__le32 wire_idx;
	u64 ctr;

	memcpy(&wire_ctr, nc, sizeof(wire_ctr));
	memcpy(&wire_idx, nc + sizeof(wire_ctr), sizeof(wire_idx));
	ctr = jvpn_le64_to_cpu(wire_ctr);
	if (jvpn_le32_to_cpu(wire_idx) != sent->idx || ctr < sent->ctr_from ||
	    ctr >= sent->ctr_next)
		return JVPN_VERDICT_NOT_SENT;
	if (sent->echoed && sent->ctr_echoed >= ctr)
		return JVPN_VERDICT_PATH_ALIVE;
	return JVPN_VERDICT_OK;
}

u64 jvpn_client_invited_counter(const struct jvpn_attempt *attempt)
{
	__le64 ctr;

	memcpy(&ctr, attempt->nc, sizeof(ctr));
	return jvpn_le64_to_cpu(ctr);
}

static enum jvpn_verdict invitation_read(const struct jvpn_client *c, const u8 *msg, u64 now_ms,
					 struct challenge_read *read)
{
	enum jvpn_verdict verdict = challenge_read(c, msg, read);

	if (verdict)
		return verdict;
	if (read->payload.flags != JVPN_WIRE_CHALLENGE_UNSOLICITED)
		return JVPN_VERDICT_BAD_FIELD;
	/* The packet that it answers was sent in this epoch: after this epoch's commit. */
	verdict = challenge_fresh(c, read, c->rec.v);
	if (verdict)
		return verdict;
	if (c->invited && now_ms - c->invited_ms < JVPN_CLIENT_INVITE_MS)
		return JVPN_VERDICT_LIMITED;
	return JVPN_VERDICT_OK;
}

static enum jvpn_verdict invitation_accept(struct jvpn_client *c, u32 path,
					   const struct challenge_read *read, u64 now_ms,
					   struct jvpn_attempt **attempt)
{
	struct jvpn_attempt *a;
	enum jvpn_verdict verdict = jvpn_client_attempt_begin(c, path, c->rec.v, now_ms, &a);

	if (verdict)
		return verdict;
	a->unsolicited = true;
	memcpy(a->nc, read->msg->nc, JVPN_WIRE_NC);
	challenge_accept(c, a, read, now_ms);
	c->invited = true;
	c->invited_ms = now_ms;
	*attempt = a;
	return JVPN_VERDICT_OK;
}

enum jvpn_verdict jvpn_client_invited(struct jvpn_client *c, const u8 *msg, size_t len,
				      u32 path, const struct jvpn_client_sent *sent, u64 now_ms,
				      struct jvpn_attempt **attempt)
{
	const struct jvpn_wire_challenge *m = (const void *)msg;
	enum jvpn_verdict verdict = jvpn_msg_check(msg, len, JVPN_MSG_CHALLENGE);
	struct challenge_read read;

	if (verdict)
		return verdict;
	verdict = invitation_trigger(m->nc, sent);
	if (verdict)
		return verdict;
	if (jvpn_client_attempt_find(c, m->nc))
		return JVPN_VERDICT_REPEATED;
	verdict = invitation_read(c, msg, now_ms, &read);
	if (!verdict)
		verdict = invitation_accept(c, path, &read, now_ms, attempt);
	jvpn_noise_wipe(&read.noise);
	return verdict;
}
