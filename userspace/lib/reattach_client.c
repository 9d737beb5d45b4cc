// SPDX-License-Identifier: GPL-2.0

#include "reattach.h"
#include "reattach_noise.h"

/* --- session ------------------------------------------------------------ */

static void client_identity(struct jvpn_client *c, const u8 secret[JVPN_WIRE_KEY])
{
	memcpy(c->secret, secret, JVPN_WIRE_KEY);
	jvpn_dh_public(c->public_key, secret);
	jvpn_mac_keys_derive(&c->mac, c->rec.server_pub);
}

void jvpn_client_init(struct jvpn_client *c, const u8 secret[JVPN_WIRE_KEY],
		      const u8 server_pub[JVPN_WIRE_KEY], const struct jvpn_hs_resp *resp,
		      const struct jvpn_hs_result *result)
{
	struct jvpn_client_record *rec = &c->rec;

	memset(c, 0, sizeof(*c));
	memcpy(rec->sid, resp->sid, JVPN_WIRE_SID);
	rec->suite = resp->suite;
	rec->incarnation = resp->incarnation;
	memcpy(rec->server_pub, server_pub, JVPN_WIRE_KEY);
	rec->keys = result->keys;
	memcpy(rec->gone, resp->gone, JVPN_WIRE_MAC);
	memcpy(rec->ticket, resp->ticket, sizeof(resp->ticket));
	rec->ticket_count = 2;
	client_identity(c, secret);
}

void jvpn_client_resume(struct jvpn_client *c, const u8 secret[JVPN_WIRE_KEY],
			const struct jvpn_client_record *rec)
{
	memset(c, 0, sizeof(*c));
	c->rec = *rec;
	if (c->rec.ticket_count > JVPN_CLIENT_TICKETS)
		c->rec.ticket_count = JVPN_CLIENT_TICKETS;
	client_identity(c, secret);
}

void jvpn_client_wipe(struct jvpn_client *c)
{
	jvpn_wipe(c, sizeof(*c));
}

void jvpn_client_commit_wipe(struct jvpn_client_commit *commit)
{
	jvpn_wipe(commit, sizeof(*commit));
}

static void client_saw(struct jvpn_client *c, u64 v)
{
	if (v > c->rec.v_seen)
		c->rec.v_seen = v;
}

/* --- tickets ------------------------------------------------------------ */

/* The newest. The last one is used again rather than none: linkable beats stranded. */
static bool ticket_take(struct jvpn_client *c, u8 out[JVPN_WIRE_TICKET])
{
	struct jvpn_client_record *rec = &c->rec;

	if (!rec->ticket_count)
		return false;
	memcpy(out, rec->ticket[rec->ticket_count - 1], JVPN_WIRE_TICKET);
	if (rec->ticket_count > 1)
		rec->ticket_count--;
	return true;
}

static void ticket_put(struct jvpn_client *c, const u8 ticket[JVPN_WIRE_TICKET])
{
	struct jvpn_client_record *rec = &c->rec;

	if (rec->ticket_count == JVPN_CLIENT_TICKETS) {
		memmove(rec->ticket[0], rec->ticket[1],
			sizeof(rec->ticket) - sizeof(rec->ticket[0]));
		rec->ticket_count--;
	}
	memcpy(rec->ticket[rec->ticket_count++], ticket, JVPN_WIRE_TICKET);
}

/* --- attempts ----------------------------------------------------------- */

static void attempt_wipe(struct jvpn_attempt *a)
{
	jvpn_wipe(a, sizeof(*a));
}

static struct jvpn_attempt *attempt_find(struct jvpn_client *c, const u8 nc[JVPN_WIRE_NC])
{
	size_t i;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct jvpn_attempt *a = &c->attempt[i];

		if (a->state != JVPN_ATTEMPT_FREE && !memcmp(a->nc, nc, JVPN_WIRE_NC))
			return a;
	}
	return NULL;
}

/* An attempt that may still send something. */
static struct jvpn_attempt *attempt_find_open(struct jvpn_client *c, const u8 nc[JVPN_WIRE_NC])
{
	struct jvpn_attempt *a = attempt_find(c, nc);

	return a && a->state != JVPN_ATTEMPT_CLOSED ? a : NULL;
}

/* Has it no PROOF out, so that nothing can come of forgetting it? */
static bool attempt_expendable(const struct jvpn_attempt *a)
{
	return !a->proof_count;
}

static struct jvpn_attempt *attempt_room(struct jvpn_client *c)
{
	struct jvpn_attempt *oldest = NULL;
	size_t i;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct jvpn_attempt *a = &c->attempt[i];

		if (a->state == JVPN_ATTEMPT_FREE)
			return a;
		if (attempt_expendable(a) && (!oldest || a->born_ms < oldest->born_ms))
			oldest = a;
	}
	return oldest;
}

static unsigned int attempts_proved(const struct jvpn_client *c)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++)
		count += c->attempt[i].state == JVPN_ATTEMPT_PROVED;
	return count;
}

void jvpn_client_drop(struct jvpn_client *c, struct jvpn_attempt *attempt)
{
	(void)c;
	attempt_wipe(attempt);
}

/* Few are kept: those that closed last, as their cookies live longest. */
static void closed_bound(struct jvpn_client *c)
{
	struct jvpn_attempt *first = NULL;
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct jvpn_attempt *a = &c->attempt[i];

		if (a->state != JVPN_ATTEMPT_CLOSED)
			continue;
		count++;
		if (!first || a->deadline_ms < first->deadline_ms)
			first = a;
	}
	if (count > JVPN_CLIENT_CLOSED_MAX)
		attempt_wipe(first);
}

/*
 * A PROOF that is out may be committed for as long as the gateway takes its cookie, however
 * long the network held it back: until then its keys must be there.
 */
static void attempt_close(struct jvpn_client *c, struct jvpn_attempt *a)
{
	if (a->state == JVPN_ATTEMPT_CLOSED)
		return;
	a->state = JVPN_ATTEMPT_CLOSED;
	a->deadline_ms = a->late_ms;
	closed_bound(c);
}

void jvpn_client_give_up(struct jvpn_client *c, struct jvpn_attempt *attempt)
{
	if (attempt->proof_count)
		attempt_close(c, attempt);
	else
		attempt_wipe(attempt);
}

void jvpn_client_drop_standby(struct jvpn_client *c, u32 path)
{
	size_t i;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct jvpn_attempt *a = &c->attempt[i];

		if (a->state != JVPN_ATTEMPT_FREE && a->standby && a->path == path &&
		    attempt_expendable(a))
			attempt_wipe(a);
	}
}

static bool attempt_expired(const struct jvpn_attempt *a, u64 now_ms)
{
	switch (a->state) {
	case JVPN_ATTEMPT_REQUESTED:
		return now_ms - a->born_ms >= JVPN_CLIENT_STANDBY_MS;
	case JVPN_ATTEMPT_CHALLENGED:
		return now_ms >= a->deadline_ms && attempt_expendable(a);
	case JVPN_ATTEMPT_CLOSED:
		return now_ms >= a->deadline_ms;
	default:
		return false;
	}
}

void jvpn_client_expire(struct jvpn_client *c, u64 now_ms)
{
	size_t i;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		if (attempt_expired(&c->attempt[i], now_ms))
			attempt_wipe(&c->attempt[i]);
	}
}

static bool attempt_ready(const struct jvpn_attempt *a, u32 path, u64 now_ms)
{
	return a->state == JVPN_ATTEMPT_CHALLENGED && !a->intent && a->path == path &&
	       now_ms < a->deadline_ms;
}

struct jvpn_attempt *jvpn_client_standby(struct jvpn_client *c, u32 path, u64 now_ms)
{
	struct jvpn_attempt *best = NULL;
	size_t i;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct jvpn_attempt *a = &c->attempt[i];

		if (attempt_ready(a, path, now_ms) &&
		    (!best || a->deadline_ms > best->deadline_ms))
			best = a;
	}
	return best;
}

/* --- REQUEST ------------------------------------------------------------ */

static void request_write(struct jvpn_client *c, struct jvpn_attempt *a, const u8 *cookie)
{
	struct jvpn_wire_request_payload payload = {
		.flags = a->standby ? JVPN_WIRE_REQUEST_STANDBY : 0,
		.v_seen = jvpn_cpu_to_le64(a->v_floor),
	};
	struct jvpn_wire_request *m = &a->request;

	jvpn_msg_header(&m->hdr, JVPN_MSG_REQUEST);
	memcpy(m->ticket, a->ticket, JVPN_WIRE_TICKET);
	memcpy(m->nc, a->nc, JVPN_WIRE_NC);
	jvpn_xaead_seal(m->payload, c->rec.keys.req, m->nc, m, JVPN_REQUEST_AD_SIZE, &payload,
			sizeof(payload));
	jvpn_mac_stamp((u8 *)m, sizeof(*m), &c->mac, cookie);
}

enum jvpn_verdict jvpn_client_request(struct jvpn_client *c, u32 path, bool standby,
				      const u8 *cookie, u64 now_ms, const struct jvpn_rng *rng,
				      struct jvpn_attempt **attempt)
{
	struct jvpn_attempt *a = attempt_room(c);
	u8 ticket[JVPN_WIRE_TICKET];

	if (!a)
		return JVPN_VERDICT_FULL;
	if (!ticket_take(c, ticket))
		return JVPN_VERDICT_NO_TICKET;
	attempt_wipe(a);
	a->state = JVPN_ATTEMPT_REQUESTED;
	a->path = path;
	a->standby = standby;
	a->born_ms = now_ms;
	a->v_floor = c->rec.v_seen;
	memcpy(a->ticket, ticket, JVPN_WIRE_TICKET);
	jvpn_name_make(a->nc, &c->names, rng);
	request_write(c, a, cookie);
	*attempt = a;
	return JVPN_VERDICT_OK;
}

struct jvpn_attempt *jvpn_client_cookie_attempt(struct jvpn_client *c, const u8 *msg, size_t len)
{
	const struct jvpn_wire_cookie *m = (const void *)msg;
	size_t i;

	if (jvpn_msg_check(msg, len, JVPN_MSG_COOKIE))
		return NULL;
	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct jvpn_attempt *a = &c->attempt[i];

		if (a->state == JVPN_ATTEMPT_REQUESTED &&
		    !memcmp(a->nc, &m->receiver, sizeof(m->receiver)))
			return a;
	}
	return NULL;
}

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
	ticket_put(c, read->payload.ticket);
	client_saw(c, read->v);
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
	client_saw(c, read->v);
	if (a->intent != c->intent) {
		attempt_wipe(a);
		return JVPN_VERDICT_SUPERSEDED;
	}
	if ((proof_names(a, read->v, read->e) || read->e == a->proof[0].e + 1) &&
	    ++a->stale_matches < a->proof_count) {
		ns_note(a, read->msg->ns);
		return JVPN_VERDICT_PENDING;
	}
	if (++a->stale_rounds > JVPN_CLIENT_STALE_MAX) {
		attempt_wipe(a);
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
			attempt_wipe(a);
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
	a = attempt_find_open(c, m->nc);
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
	       attempt_find_open((struct jvpn_client *)c, m->nc);
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
	struct jvpn_attempt *a = attempt_room(c);
	u8 ticket[JVPN_WIRE_TICKET];

	if (!a)
		return JVPN_VERDICT_FULL;
	if (!ticket_take(c, ticket))
		return JVPN_VERDICT_NO_TICKET;
	attempt_wipe(a);
	a->path = path;
	a->unsolicited = true;
	a->born_ms = now_ms;
	a->v_floor = c->rec.v;
	memcpy(a->ticket, ticket, JVPN_WIRE_TICKET);
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
	if (attempt_find(c, m->nc))
		return JVPN_VERDICT_REPEATED;
	verdict = invitation_read(c, msg, now_ms, &read);
	if (!verdict)
		verdict = invitation_accept(c, path, &read, now_ms, attempt);
	jvpn_noise_wipe(&read.noise);
	return verdict;
}

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
	if (attempts_proved(c) >= JVPN_CLIENT_PROVED_MAX)
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
			attempt_wipe(a);
		} else {
			attempt_close(c, a);
		}
	}
}

/* commit holds all but the epoch's keys and the path. */
static enum jvpn_verdict commit_apply(struct jvpn_client *c, struct jvpn_attempt *a,
				      const struct jvpn_client_proof *proof,
				      const struct jvpn_client_commit *read,
				      struct jvpn_client_commit *commit)
{
	client_saw(c, read->v_cur);
	if (!pair_above(read->v_new, read->e_new, c->rec.v, c->rec.e)) {
		if (!attempt_names_next(c, a))
			attempt_wipe(a);
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
	ticket_put(c, payload.ticket);
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
	a = attempt_find_open(c, m->nc);
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
	a = attempt_find_open(c, m->nc);
	/* A CHALLENGE was the answer: whoever made it has the session. */
	if (!a || a->state != JVPN_ATTEMPT_REQUESTED)
		return JVPN_VERDICT_UNKNOWN_ATTEMPT;
	jvpn_gone_mac(mac, c->rec.gone, m->nc);
	if (!jvpn_equal(mac, m->mac, sizeof(mac)))
		return JVPN_VERDICT_BAD_AUTH;
	*attempt = a;
	return JVPN_VERDICT_OK;
}
