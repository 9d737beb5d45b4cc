// SPDX-License-Identifier: GPL-2.0
/*
 * Replays the records of an audit log on a model of each session. The model takes
 * its transitions from core/fsm.h; after a violation it goes on from what the record
 * says, so that one fault is reported once.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <linux/jvpn.h>

#include "audit_model.h"
#include "core/fsm.h"
#include "names-gen.h"
#include "util.h"

/* Sessions. */

static int jvpn_audit_session_compare(const void *a, const void *b)
{
	return strcmp(((const struct jvpn_audit_session *)a)->id,
		      ((const struct jvpn_audit_session *)b)->id);
}

static struct jvpn_audit_session *jvpn_audit_session_find(struct jvpn_audit_replay *replay,
							  const char *id)
{
	struct jvpn_audit_session key;
	struct jvpn_audit_session **found;

	snprintf(key.id, sizeof(key.id), "%s", id);
	found = tfind(&key, &replay->sessions, jvpn_audit_session_compare);
	return found ? *found : NULL;
}

static struct jvpn_audit_session *jvpn_audit_session_new(struct jvpn_audit_replay *replay,
							 const char *id)
{
	struct jvpn_audit_session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	snprintf(session->id, sizeof(session->id), "%s", id);
	session->state = JVPN_STATE_BIRTH;
	if (!tsearch(session, &replay->sessions, jvpn_audit_session_compare)) {
		free(session);
		return NULL;
	}
	replay->report->sessions++;
	return session;
}

static void jvpn_audit_session_free(void *item)
{
	struct jvpn_audit_session *session = item;

	json_decref(session->transport);
	free(session);
}

static void jvpn_audit_session_bind(struct jvpn_audit_session *session, json_t *transport)
{
	json_incref(transport);
	json_decref(session->transport);
	session->transport = transport;
}

static void jvpn_audit_session_remember(struct jvpn_audit_session *session)
{
	unsigned int slot = session->n_history++ % JVPN_AUDIT_HISTORY;

	session->history[slot].version = session->version;
	session->history[slot].state = session->state;
}

static void jvpn_audit_policy_learn(struct jvpn_audit_replay *replay, const json_t *record)
{
	char key[128];

	jvpn_audit_policy_key(record, key, sizeof(key));
	json_object_set(replay->policies, key, json_object_get(record, "details"));
}

static void jvpn_audit_session_deadline(struct jvpn_audit_session *session,
					const struct jvpn_audit_bounds *bounds)
{
	session->loss_deadline_ms = session->loss_ms && bounds->transport_loss_ttl_ms ?
				    session->loss_ms + bounds->transport_loss_ttl_ms : 0;
}

/* The model takes over what the record says. */
static void jvpn_audit_session_apply(struct jvpn_audit_session *session,
				     const struct jvpn_audit_entry *entry,
				     const struct jvpn_audit_bounds *bounds)
{
	bool was_bound = jvpn_fsm_bound(session->state) || jvpn_fsm_bound(entry->from);

	session->state = entry->to;
	session->version = entry->version;
	if (entry->epoch > session->epoch)
		session->epoch = entry->epoch;
	snprintf(session->node, sizeof(session->node), "%s", entry->node);
	jvpn_audit_session_bind(session, jvpn_fsm_bound(entry->to) ? entry->transport : NULL);
	if (entry->number == JVPN_EVENT_HANDSHAKE_DONE)
		session->born_ms = entry->boot_ms;
	if (jvpn_fsm_bound(entry->to))
		session->loss_ms = 0;
	else if (was_bound)
		session->loss_ms = entry->boot_ms;
	jvpn_audit_session_deadline(session, bounds);
	session->recovering_ms = entry->to == JVPN_STATE_RECOVERING ? entry->boot_ms : 0;
	jvpn_audit_session_remember(session);
}

/* The first record of a session. */
static void jvpn_audit_session_begins(struct jvpn_audit_replay *replay,
				      struct jvpn_audit_session *session,
				      const struct jvpn_audit_entry *entry)
{
	snprintf(session->node, sizeof(session->node), "%s", entry->node);
	if (entry->from == JVPN_STATE_BIRTH)
		return;
	session->state = entry->from;
	session->version = entry->version - 1;
	session->baseline = true;
	if (replay->continues || jvpn_audit_budget_take(replay, entry->version - 1)) {
		jvpn_audit_report_note(replay->report, entry->place, entry->id,
			"what was before version %llu is not in this log",
			(unsigned long long)entry->version);
		return;
	}
	VIOLATION(replay, entry, JVPN_AUDIT_S2,
		  "the session appears at version %llu without a birth",
		  (unsigned long long)entry->version);
}

static void jvpn_audit_count(json_t *counters, const char *name, uint64_t count)
{
	json_int_t old = json_integer_value(json_object_get(counters, name));

	json_object_set_new(counters, name, json_integer(old + (json_int_t)count));
}

static bool jvpn_audit_entry_transition(struct jvpn_audit_replay *replay,
					struct jvpn_audit_entry *entry)
{
	const char *from = json_string_value(json_object_get(entry->record, "from"));
	const char *to = json_string_value(json_object_get(entry->record, "to"));
	const char *reason = json_string_value(json_object_get(entry->record, "reason"));
	int from_number = from ? jvpn_state_parse(from) : -1;
	int to_number = to ? jvpn_state_parse(to) : -1;
	int reason_number = reason ? jvpn_reason_parse(reason) : -1;

	if (from_number < 0 || to_number < 0) {
		VIOLATION(replay, entry, JVPN_AUDIT_FORMAT, "from or to is not a state");
		return false;
	}
	if (reason_number <= JVPN_REASON_NONE) {
		VIOLATION(replay, entry, JVPN_AUDIT_I5, "the transition has no reason code");
		return false;
	}
	if (!entry->version) {
		VIOLATION(replay, entry, JVPN_AUDIT_FORMAT, "the transition has no state_version");
		return false;
	}
	entry->from = (uint32_t)from_number;
	entry->to = (uint32_t)to_number;
	entry->reason = (uint32_t)reason_number;
	jvpn_audit_count(replay->report->reasons, reason, 1);
	return true;
}

static void jvpn_audit_replay_transition(struct jvpn_audit_replay *replay,
					 struct jvpn_audit_entry *entry)
{
	struct jvpn_audit_session *session;
	struct jvpn_audit_bounds bounds;

	replay->report->transitions++;
	if (!entry->id) {
		VIOLATION(replay, entry, JVPN_AUDIT_I2, "a transition without a session id");
		return;
	}
	if (!jvpn_audit_entry_transition(replay, entry))
		return;
	session = jvpn_audit_session_find(replay, entry->id);
	if (!session) {
		session = jvpn_audit_session_new(replay, entry->id);
		if (!session)
			return;
		jvpn_audit_session_begins(replay, session, entry);
	}
	bounds = jvpn_audit_bounds_of(replay, entry->record);
	jvpn_audit_check_transition(replay, session, entry, &bounds);
	session->rebooted = false;
	jvpn_audit_session_apply(session, entry, &bounds);
	session->baseline = false;
}

/* Refusals. */

static void jvpn_audit_replay_refusal(struct jvpn_audit_replay *replay,
				      struct jvpn_audit_entry *entry)
{
	const char *reason = json_string_value(json_object_get(entry->record, "reason"));
	const char *from = json_string_value(json_object_get(entry->record, "from"));
	const char *to = json_string_value(json_object_get(entry->record, "to"));
	json_int_t count = json_integer_value(json_object_get(entry->record, "count"));
	struct jvpn_audit_session *session;

	if (!reason || jvpn_reject_parse(reason) <= JVPN_REJECT_NONE) {
		VIOLATION(replay, entry, JVPN_AUDIT_I5, "a refusal without a known reason");
		return;
	}
	jvpn_audit_count(replay->report->refused, reason, count > 0 ? (uint64_t)count : 1);
	if (from && to && strcmp(from, to)) {
		VIOLATION(replay, entry, JVPN_AUDIT_S3, "a refusal that changes the state from %s "
			  "to %s", from, to);
		return;
	}
	session = entry->id ? jvpn_audit_session_find(replay, entry->id) : NULL;
	if (!session || !from || jvpn_state_parse(from) < 0)
		return;
	jvpn_audit_check_refused_state(replay, session, entry, (uint32_t)jvpn_state_parse(from));
	if (!strcmp(reason, "SESSION_EXPIRED"))
		jvpn_audit_check_refused_early(replay, session, entry);
}

/* Sessions found in the kernel by a daemon that started. */

static void jvpn_audit_session_adopt(struct jvpn_audit_session *session,
				     const struct jvpn_audit_entry *entry,
				     const struct jvpn_audit_bounds *bounds)
{
	const json_t *loss = json_object_get(entry->record, "loss_since_boot_ms");

	session->state = entry->to;
	session->version = entry->version;
	session->rebooted = false;
	if (entry->epoch > session->epoch)
		session->epoch = entry->epoch;
	snprintf(session->node, sizeof(session->node), "%s", entry->node);
	jvpn_audit_session_bind(session, jvpn_fsm_bound(entry->to) ? entry->transport : NULL);
	session->loss_ms = jvpn_fsm_bound(entry->to) ? 0 : (uint64_t)json_integer_value(loss);
	jvpn_audit_session_deadline(session, bounds);
	session->recovering_ms = 0;
	jvpn_audit_session_remember(session);
}

static void jvpn_audit_replay_adoption(struct jvpn_audit_replay *replay,
				       struct jvpn_audit_entry *entry)
{
	const char *to = json_string_value(json_object_get(entry->record, "to"));
	const json_t *told = json_object_get(entry->record, "missed");
	json_int_t missed = json_integer_value(told);
	struct jvpn_audit_session *session;
	struct jvpn_audit_bounds bounds;

	if (!entry->id || !to || jvpn_state_parse(to) < 0) {
		VIOLATION(replay, entry, JVPN_AUDIT_FORMAT, "ADOPTED without session or state");
		return;
	}
	entry->to = (uint32_t)jvpn_state_parse(to);
	if (jvpn_fsm_bound(entry->to) != !!entry->transport)
		VIOLATION(replay, entry, JVPN_AUDIT_I1, "%s with%s a transport", to,
			  entry->transport ? "" : "out");
	session = jvpn_audit_session_find(replay, entry->id);
	/* Who wrote it did not know what the log holds; its reader does. */
	if (session && !told && entry->version > session->version)
		missed = (json_int_t)(entry->version - session->version);
	if (session) {
		jvpn_audit_check_adopted(replay, session, entry, (uint64_t)missed);
		replay->report->missed += (uint64_t)missed;
	} else {
		session = jvpn_audit_session_new(replay, entry->id);
		jvpn_audit_report_note(replay->report, entry->place, entry->id,
			"adopted at version %llu; its past is not in this log",
			(unsigned long long)entry->version);
	}
	if (missed)
		jvpn_audit_report_note(replay->report, entry->place, entry->id,
			"%lld transitions happened unrecorded while the daemon was away",
			(long long)missed);
	bounds = jvpn_audit_bounds_of(replay, entry->record);
	if (session)
		jvpn_audit_session_adopt(session, entry, &bounds);
}

/* The stream itself. */

static void jvpn_audit_session_reboot(const void *node, VISIT visit, void *closure)
{
	struct jvpn_audit_session *session = *(struct jvpn_audit_session *const *)node;

	if (visit != postorder && visit != leaf)
		return;
	if (session->state != JVPN_STATE_TERMINATED && !session->rebooted) {
		session->rebooted = true;
		++*(uint64_t *)closure;
	}
}

static void jvpn_audit_replay_boot(struct jvpn_audit_replay *replay,
				   const struct jvpn_audit_entry *entry, const char *boot_id)
{
	uint64_t ended = 0;

	if (*replay->boot_id && strcmp(replay->boot_id, boot_id)) {
		twalk_r(replay->sessions, jvpn_audit_session_reboot, &ended);
		jvpn_audit_report_note(replay->report, entry->place, NULL,
			"the machine was restarted; %llu session%s ended with it",
			(unsigned long long)ended, ended == 1 ? "" : "s");
	}
	snprintf(replay->boot_id, sizeof(replay->boot_id), "%s", boot_id);
}

static void jvpn_audit_replay_open(struct jvpn_audit_replay *replay,
				   const struct jvpn_audit_entry *entry)
{
	const json_t *details = json_object_get(entry->record, "details");
	const char *boot_id = json_string_value(json_object_get(details, "boot_id"));
	const char *reason = json_string_value(json_object_get(entry->record, "reason"));

	if (boot_id)
		jvpn_audit_replay_boot(replay, entry, boot_id);
	/* Rotation does not interrupt the daemon. */
	if (!reason || strcmp(reason, "REOPENED"))
		replay->open_ms = entry->boot_ms;
}

static void jvpn_audit_replay_lost(struct jvpn_audit_replay *replay,
				   const struct jvpn_audit_entry *entry)
{
	const json_t *details = json_object_get(entry->record, "details");
	json_int_t count = json_integer_value(json_object_get(details, "count"));

	if (count <= 0)
		return;
	replay->lost_budget += (uint64_t)count;
	replay->report->lost += (uint64_t)count;
	jvpn_audit_report_note(replay->report, entry->place, NULL, "%lld record%s lost here",
			       (long long)count, count == 1 ? " was" : "s were");
}

/* Keys that were renewed without a transition. */
static void jvpn_audit_replay_epoch(struct jvpn_audit_replay *replay,
				    const struct jvpn_audit_entry *entry)
{
	const json_t *details = json_object_get(entry->record, "details");
	uint64_t epoch = (uint64_t)json_integer_value(json_object_get(details, "epoch"));
	struct jvpn_audit_session *session = entry->id ?
		jvpn_audit_session_find(replay, entry->id) : NULL;

	if (session && epoch > session->epoch)
		session->epoch = epoch;
}

static void jvpn_audit_replay_note(struct jvpn_audit_replay *replay,
				   const struct jvpn_audit_entry *entry)
{
	if (json_object_get(entry->record, "to") || json_object_get(entry->record, "state_version"))
		VIOLATION(replay, entry, JVPN_AUDIT_S5,
			  "'%.40s' is no event of the state machine, but claims a state",
			  entry->event);
}

static bool jvpn_audit_entry_read(struct jvpn_audit_replay *replay, struct jvpn_audit_entry *entry)
{
	const json_t *record = entry->record;
	uint8_t id[JVPN_AUDIT_SESSION_ID];

	entry->event = json_string_value(json_object_get(record, "event"));
	entry->id = json_string_value(json_object_get(record, "session_id"));
	entry->node = json_string_value(json_object_get(record, "node"));
	entry->version = (uint64_t)json_integer_value(json_object_get(record, "state_version"));
	entry->epoch = (uint64_t)json_integer_value(json_object_get(record, "epoch"));
	entry->boot_ms = (uint64_t)json_integer_value(json_object_get(record, "boot_ms"));
	entry->transport = json_object_get(record, "transport");
	entry->lost = json_object_get(record, "lost");
	if (!json_is_object(entry->transport))
		entry->transport = NULL;
	if (!json_is_object(entry->lost))
		entry->lost = NULL;
	if (!entry->event || !entry->node ||
	    !json_is_integer(json_object_get(record, "ts_ms")) || !entry->boot_ms) {
		entry->id = NULL;
		VIOLATION(replay, entry, JVPN_AUDIT_FORMAT,
			  "event, node, ts_ms or boot_ms is missing");
		return false;
	}
	if (entry->id && !jvpn_util_hex_decode(entry->id, id, sizeof(id))) {
		entry->id = NULL;
		VIOLATION(replay, entry, JVPN_AUDIT_I2, "malformed session id");
		return false;
	}
	return true;
}

void jvpn_audit_replay_record(struct jvpn_audit_replay *replay,
			      const struct jvpn_audit_place *place, const json_t *record)
{
	struct jvpn_audit_entry entry = { .place = place, .record = record };
	int number;

	if (!jvpn_audit_entry_read(replay, &entry))
		return;
	number = jvpn_event_parse(entry.event);
	if (number > JVPN_EVENT_NONE) {
		entry.number = (uint32_t)number;
		jvpn_audit_replay_transition(replay, &entry);
	} else if (!strcmp(entry.event, "REFUSED")) {
		jvpn_audit_replay_refusal(replay, &entry);
	} else if (!strcmp(entry.event, "ADOPTED")) {
		jvpn_audit_replay_adoption(replay, &entry);
	} else if (!strcmp(entry.event, "POLICY")) {
		jvpn_audit_policy_learn(replay, record);
	} else if (!strcmp(entry.event, "LOST")) {
		jvpn_audit_replay_lost(replay, &entry);
	} else if (!strcmp(entry.event, "AUDIT_OPEN")) {
		jvpn_audit_replay_open(replay, &entry);
	} else if (!strcmp(entry.event, "EPOCH")) {
		jvpn_audit_replay_epoch(replay, &entry);
	} else {
		jvpn_audit_replay_note(replay, &entry);
	}
	replay->now_ms = entry.boot_ms;
}

/* The end. */

static void jvpn_audit_session_end(const void *node, VISIT visit, void *closure)
{
	const struct jvpn_audit_session *session = *(struct jvpn_audit_session *const *)node;
	struct jvpn_audit_replay *replay = closure;

	if (visit != postorder && visit != leaf)
		return;
	if (session->state == JVPN_STATE_TERMINATED || session->rebooted)
		return;
	replay->report->live++;
	if (session->claimed_version && session->claimed_version > session->version)
		jvpn_audit_report_note(replay->report, replay->end, session->id,
			"the refusal in line %llu shows version %llu; the log ends before it",
			(unsigned long long)session->claimed_line,
			(unsigned long long)session->claimed_version);
	if (session->loss_deadline_ms) {
		/* The kernel ends it without the daemon, but only the daemon can say so. */
		uint64_t since = session->loss_deadline_ms > replay->open_ms ?
				 session->loss_deadline_ms : replay->open_ms;

		if (replay->now_ms > since + replay->slack_ms)
			jvpn_audit_report_violation(replay->report, replay->end, JVPN_AUDIT_L3,
				session->id, "still %s %llu ms after its transport_loss_ttl_ms "
				"passed", jvpn_state_name(session->state),
				(unsigned long long)(replay->now_ms - session->loss_deadline_ms));
	}
}

struct jvpn_audit_replay *jvpn_audit_replay_new(struct jvpn_audit_report *report,
						uint64_t slack_ms)
{
	struct jvpn_audit_replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return NULL;
	replay->report = report;
	replay->slack_ms = slack_ms;
	replay->policies = json_object();
	if (replay->policies)
		return replay;
	free(replay);
	return NULL;
}

void jvpn_audit_replay_continues(struct jvpn_audit_replay *replay)
{
	replay->continues = true;
}

void jvpn_audit_replay_end(struct jvpn_audit_replay *replay, const struct jvpn_audit_place *place)
{
	replay->end = place;
	twalk_r(replay->sessions, jvpn_audit_session_end, replay);
}

void jvpn_audit_replay_free(struct jvpn_audit_replay *replay)
{
	if (!replay)
		return;
	tdestroy(replay->sessions, jvpn_audit_session_free);
	json_decref(replay->policies);
	free(replay);
}
