// SPDX-License-Identifier: GPL-2.0
#include "refusal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "names-gen.h"
#include "session.h"

#define KINDS 64
#define FLUSH_MS 1000
#define RECORDS_PER_SECOND 20
/* What a record takes in the log, at most. */
#define RECORD_OCTETS 700
#define DAY_S 86400
/* So much of a day's octets may be used at once: an hour's. */
#define BURST_SHARE 24

/* One kind: same request, reason and session. */
struct refusal_kind {
	const char *request;		/* NULL: free */
	uint32_t reject;
	const char *why;
	bool has_session;
	uint8_t session_id[JVPN_SESSION_ID_SIZE];
	bool has_path;
	struct path path;
	uint32_t wait_ms;
	uint64_t pending;		/* counted, not written yet */
	uint64_t last_ms;
};

struct refusals {
	struct refusal_kind kinds[KINDS];
	struct refusal_kind others;
	struct jvpn_bucket records;
	struct jvpn_bucket octets;	/* of what comes from the network */
	uv_timer_t timer;
	uint64_t rejects[JVPN_REJECT_MAX + 1];
	uint64_t verdicts[JVPN_MSG_END][JVPN_VERDICT_END];
};

static void refusals_flush(uv_timer_t *timer);

/* --- how much ------------------------------------------------------------------ */

static uint32_t refusals_octets_burst(const struct jvpnd *d)
{
	uint32_t burst = d->config->audit.refusal_octets_per_day / BURST_SHARE;

	return burst > RECORD_OCTETS ? burst : RECORD_OCTETS;
}

static void refusals_refill(const struct jvpnd *d, struct refusals *r)
{
	jvpn_bucket_init(&r->records, RECORDS_PER_SECOND, jvpnd_now_ms());
	jvpn_bucket_init(&r->octets, refusals_octets_burst(d), jvpnd_now_ms());
}

/* Whoever may send packets here must not be able to fill the disk by it. */
static bool refusal_octets_take(const struct jvpnd *d)
{
	uint32_t per_day = d->config->audit.refusal_octets_per_day;
	uint32_t per_second = per_day / DAY_S;

	return per_day && jvpn_bucket_take(&d->refusals->octets, per_second ? per_second : 1,
					   refusals_octets_burst(d), RECORD_OCTETS,
					   jvpnd_now_ms());
}

bool refusals_room_take(struct jvpnd *d)
{
	return jvpn_bucket_take(&d->refusals->records, RECORDS_PER_SECOND, RECORDS_PER_SECOND, 1,
				jvpnd_now_ms()) && refusal_octets_take(d);
}

static bool refusal_may_write(struct jvpnd *d, const struct refusal_kind *kind)
{
	/* What this machine's own users ask for is theirs to bound. */
	return !kind->has_path || refusals_room_take(d);
}

int refusals_open(struct jvpnd *d)
{
	struct refusals *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	refusals_refill(d, r);
	r->others.request = "other";
	uv_timer_init(d->loop, &r->timer);
	r->timer.data = d;
	d->refusals = r;
	return 0;
}

void refusals_close(struct jvpnd *d)
{
	if (!d->refusals)
		return;
	free(d->refusals);
	d->refusals = NULL;
}

void refusals_finish(struct jvpnd *d)
{
	struct refusals *r = d->refusals;

	refusals_refill(d, r);
	refusals_flush(&r->timer);
}

static json_t *refusal_details(const struct refusal_kind *kind)
{
	json_t *details = json_object();

	if (kind->why)
		json_object_set_new(details, "why", json_string(kind->why));
	if (kind->wait_ms)
		json_object_set_new(details, "wait_ms", json_integer(kind->wait_ms));
	return details;
}

static void refusal_write(struct jvpnd *d, struct refusal_kind *kind)
{
	const struct session *s = kind->has_session ? session_find(d, kind->session_id) : NULL;
	struct session_transport text;
	struct jvpn_audit_refusal record = {
		.session_id = s ? s->id : NULL,
		.reject = kind->reject,
		.request = kind->request,
		.state = s ? s->state : 0,
		.version = s ? s->version : 0,
		.policy = s && s->policy_name[0] ? s->policy_name : NULL,
		.policy_version = s ? s->policy_version : 0,
		.transport = kind->has_path ? session_transport_fill(d, &kind->path, &text) : NULL,
		.count = kind->pending,
		.details = refusal_details(kind),
	};

	kind->pending = 0;
	kind->last_ms = jvpnd_now_ms();
	jvpnd_record(d, jvpn_audit_build_refusal(d->audit, &record));
}

static bool refusal_flush_one(struct jvpnd *d, struct refusal_kind *kind)
{
	if (!kind->pending)
		return false;
	if (!refusal_may_write(d, kind))
		return true;
	refusal_write(d, kind);
	return false;
}

static void refusals_flush(uv_timer_t *timer)
{
	struct jvpnd *d = timer->data;
	struct refusals *r = d->refusals;
	bool again = refusal_flush_one(d, &r->others);

	for (size_t i = 0; i < KINDS; i++)
		again |= refusal_flush_one(d, &r->kinds[i]);
	if (again)
		uv_timer_start(timer, refusals_flush, FLUSH_MS, 0);
}

static bool refusal_is(const struct refusal_kind *kind, const struct refusal *refusal)
{
	const struct session *s = refusal->session;

	return kind->request && !strcmp(kind->request, refusal->request) &&
	       kind->reject == refusal->reject && kind->why == refusal->why &&
	       kind->has_session == (s != NULL) &&
	       (!s || !memcmp(kind->session_id, s->id, sizeof(s->id)));
}

/* Of this kind, or a free one, or the one that was silent longest, or the rest. */
static struct refusal_kind *refusal_kind_find(struct refusals *r, const struct refusal *refusal)
{
	struct refusal_kind *oldest = NULL;

	for (size_t i = 0; i < KINDS; i++) {
		struct refusal_kind *kind = &r->kinds[i];

		if (refusal_is(kind, refusal))
			return kind;
		if (!kind->pending && (!oldest || kind->last_ms < oldest->last_ms))
			oldest = kind;
	}
	if (!oldest)
		return &r->others;
	memset(oldest, 0, sizeof(*oldest));
	oldest->request = refusal->request;
	oldest->reject = refusal->reject;
	oldest->why = refusal->why;
	oldest->has_session = refusal->session != NULL;
	if (refusal->session)
		memcpy(oldest->session_id, refusal->session->id, sizeof(oldest->session_id));
	return oldest;
}

void refusal_note(struct jvpnd *d, const struct refusal *refusal)
{
	struct refusals *r = d->refusals;
	struct refusal_kind *kind = refusal_kind_find(r, refusal);
	uint64_t now = jvpnd_now_ms();
	bool fresh = now - kind->last_ms >= FLUSH_MS || !kind->last_ms;

	if (refusal->reject <= JVPN_REJECT_MAX)
		r->rejects[refusal->reject]++;
	if (kind == &r->others)
		kind->reject = refusal->reject;
	kind->pending++;
	kind->wait_ms = refusal->wait_ms;
	kind->has_path = refusal->path != NULL;
	if (refusal->path)
		kind->path = *refusal->path;
	if (fresh && refusal_may_write(d, kind)) {
		refusal_write(d, kind);
	} else if (!uv_is_active((uv_handle_t *)&r->timer)) {
		uv_timer_start(&r->timer, refusals_flush, FLUSH_MS, 0);
	}
}

void refusal_verdict_count(struct jvpnd *d, unsigned int type, enum jvpn_verdict verdict)
{
	if (type < JVPN_MSG_END)
		d->refusals->verdicts[type][verdict]++;
}

uint32_t refusal_reject_of(enum jvpn_verdict verdict)
{
	switch (verdict) {
	case JVPN_VERDICT_BAD_AUTH:
	case JVPN_VERDICT_BAD_GATE:
	case JVPN_VERDICT_BAD_KEY:
	case JVPN_VERDICT_BAD_FIELD:
		return JVPN_REJECT_BAD_PROOF;
	case JVPN_VERDICT_TICKET_FORGED:
	case JVPN_VERDICT_BAD_INDEX:
		return JVPN_REJECT_UNKNOWN_SESSION;
	case JVPN_VERDICT_TICKET_EXPIRED:
		return JVPN_REJECT_SESSION_EXPIRED;
	case JVPN_VERDICT_BAD_VERSION_RANGE:
	case JVPN_VERDICT_BAD_SUITE:
		return JVPN_REJECT_POLICY_DENIED;
	case JVPN_VERDICT_REPLAYED:
	case JVPN_VERDICT_DUPLICATE_ELSEWHERE:
	case JVPN_VERDICT_ELSEWHERE:
		return JVPN_REJECT_REPLAY;
	case JVPN_VERDICT_ROLLBACK:
		return JVPN_REJECT_STALE_VERSION;
	case JVPN_VERDICT_TERMINATED:
		return JVPN_REJECT_TERMINATED;
	case JVPN_VERDICT_STALE_KID:
	case JVPN_VERDICT_STALE_COOKIE:
	case JVPN_VERDICT_STALE_EXPIRED:
		return JVPN_REJECT_STALE_FRESHNESS;
	case JVPN_VERDICT_STALE_VERSION:
		return JVPN_REJECT_STALE_VERSION;
	case JVPN_VERDICT_STALE_EPOCH:
		return JVPN_REJECT_STALE_EPOCH;
	default:
		return JVPN_REJECT_NONE;
	}
}

const char *refusal_message_name(unsigned int type)
{
	static const char *const names[JVPN_MSG_END] = {
		[JVPN_MSG_INIT] = "INIT", [JVPN_MSG_RESP] = "RESP",
		[JVPN_MSG_COOKIE] = "COOKIE", [JVPN_MSG_DATA] = "DATA",
		[JVPN_MSG_REQUEST] = "REQUEST", [JVPN_MSG_CHALLENGE] = "CHALLENGE",
		[JVPN_MSG_PROOF] = "PROOF", [JVPN_MSG_ACK] = "ACK",
		[JVPN_MSG_REJECT] = "REJECT", [JVPN_MSG_GONE] = "GONE",
		[JVPN_MSG_CTRL] = "CTRL",
	};

	return type < JVPN_MSG_END && names[type] ? names[type] : "UNKNOWN";
}

static json_t *refusals_verdicts_json(const struct refusals *r, unsigned int type)
{
	json_t *object = json_object();

	for (unsigned int v = 0; v < JVPN_VERDICT_END; v++)
		if (r->verdicts[type][v])
			json_object_set_new(object, jvpn_verdict_str(v),
					    json_integer((json_int_t)r->verdicts[type][v]));
	return object;
}

json_t *refusals_json(const struct jvpnd *d)
{
	const struct refusals *r = d->refusals;
	json_t *rejects = json_object(), *messages = json_object();

	for (unsigned int i = 1; i <= JVPN_REJECT_MAX; i++)
		if (r->rejects[i])
			json_object_set_new(rejects, jvpn_reject_name(i),
					    json_integer((json_int_t)r->rejects[i]));
	for (unsigned int type = 0; type < JVPN_MSG_END; type++) {
		json_t *object = refusals_verdicts_json(r, type);

		if (json_object_size(object))
			json_object_set_new(messages, refusal_message_name(type), object);
		else
			json_decref(object);
	}
	return json_pack("{soso}", "refused", rejects, "messages", messages);
}
