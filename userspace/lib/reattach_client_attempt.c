// SPDX-License-Identifier: GPL-2.0

#include "reattach.h"
#include "reattach_noise.h"
#include "reattach_client.h"

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

void jvpn_client_saw(struct jvpn_client *c, u64 v)
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

void jvpn_client_ticket_put(struct jvpn_client *c, const u8 ticket[JVPN_WIRE_TICKET])
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

void jvpn_client_attempt_wipe(struct jvpn_attempt *a)
{
	jvpn_wipe(a, sizeof(*a));
}

struct jvpn_attempt *jvpn_client_attempt_find(struct jvpn_client *c, const u8 nc[JVPN_WIRE_NC])
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
struct jvpn_attempt *jvpn_client_attempt_find_open(struct jvpn_client *c, const u8 nc[JVPN_WIRE_NC])
{
	struct jvpn_attempt *a = jvpn_client_attempt_find(c, nc);

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

unsigned int jvpn_client_attempts_proved(const struct jvpn_client *c)
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
	jvpn_client_attempt_wipe(attempt);
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
		jvpn_client_attempt_wipe(first);
}

/*
 * A PROOF that is out may be committed for as long as the gateway takes its cookie, however
 * long the network held it back: until then its keys must be there.
 */
void jvpn_client_attempt_close(struct jvpn_client *c, struct jvpn_attempt *a)
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
		jvpn_client_attempt_close(c, attempt);
	else
		jvpn_client_attempt_wipe(attempt);
}

void jvpn_client_drop_standby(struct jvpn_client *c, u32 path)
{
	size_t i;

	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++) {
		struct jvpn_attempt *a = &c->attempt[i];

		if (a->state != JVPN_ATTEMPT_FREE && a->standby && a->path == path &&
		    attempt_expendable(a))
			jvpn_client_attempt_wipe(a);
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
			jvpn_client_attempt_wipe(&c->attempt[i]);
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

enum jvpn_verdict jvpn_client_attempt_begin(struct jvpn_client *c, u32 path, u64 v_floor,
					    u64 now_ms, struct jvpn_attempt **attempt)
{
	struct jvpn_attempt *a = attempt_room(c);
	u8 ticket[JVPN_WIRE_TICKET];

	if (!a)
		return JVPN_VERDICT_FULL;
	if (!ticket_take(c, ticket))
		return JVPN_VERDICT_NO_TICKET;
	jvpn_client_attempt_wipe(a);
	a->path = path;
	a->born_ms = now_ms;
	a->v_floor = v_floor;
	memcpy(a->ticket, ticket, JVPN_WIRE_TICKET);
	*attempt = a;
	return JVPN_VERDICT_OK;
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
	struct jvpn_attempt *a;
	enum jvpn_verdict verdict = jvpn_client_attempt_begin(c, path, c->rec.v_seen, now_ms, &a);

	if (verdict)
		return verdict;
	a->state = JVPN_ATTEMPT_REQUESTED;
	a->standby = standby;
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
