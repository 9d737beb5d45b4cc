// SPDX-License-Identifier: GPL-2.0
/*
 * What each property demands of one record, given the model of its session. Nothing
 * here changes the model, but for what the check itself has to remember.
 */
#include <stdio.h>
#include <string.h>

#include <linux/jvpn.h>

#include "audit_model.h"
#include "core/fsm.h"
#include "names-gen.h"
#include "util.h"

/* Bounds. */

void jvpn_audit_policy_key(const json_t *record, char *key, size_t size)
{
	const char *name = json_string_value(json_object_get(record, "policy"));

	snprintf(key, size, "%s/%lld", name ? name : "",
		 (long long)json_integer_value(json_object_get(record, "policy_version")));
}

static void jvpn_audit_bound_override(const json_t *bounds, const char *name, uint64_t *value)
{
	const json_t *number = json_object_get(bounds, name);

	if (json_is_integer(number))
		*value = (uint64_t)json_integer_value(number);
}

/* The bounds of a session: of its policy, or those that its records state themselves. */
struct jvpn_audit_bounds jvpn_audit_bounds_of(struct jvpn_audit_replay *replay,
					      const json_t *record)
{
	const json_t *own = json_object_get(json_object_get(record, "details"), "bounds");
	struct jvpn_audit_bounds bounds = { };
	struct jvpn_policy_def policy;
	char key[128];

	jvpn_audit_policy_key(record, key, sizeof(key));
	bounds.known = jvpn_policy_from_json(json_object_get(replay->policies, key), &policy);
	if (bounds.known) {
		bounds.session_ttl_ms = policy.session_ttl_ms;
		bounds.transport_loss_ttl_ms = policy.transport_loss_ttl_ms;
		bounds.recovery_window_ms = policy.recovery_window_ms;
		bounds.max_switches_per_minute = policy.max_switches_per_minute;
	}
	jvpn_audit_bound_override(own, "session_ttl_ms", &bounds.session_ttl_ms);
	jvpn_audit_bound_override(own, "transport_loss_ttl_ms", &bounds.transport_loss_ttl_ms);
	jvpn_audit_bound_override(own, "recovery_window_ms", &bounds.recovery_window_ms);
	jvpn_audit_bound_override(own, "max_switches_per_minute", &bounds.max_switches_per_minute);
	return bounds;
}

static void jvpn_audit_bounds_undecided(struct jvpn_audit_replay *replay)
{
	static const enum jvpn_audit_property timed[] = {
		JVPN_AUDIT_L1, JVPN_AUDIT_L2, JVPN_AUDIT_L3, JVPN_AUDIT_BOUNDS,
	};

	for (size_t i = 0; i < JVPN_ARRAY_SIZE(timed); i++)
		replay->report->undecided[timed[i]] = true;
}

static bool jvpn_audit_after(const struct jvpn_audit_replay *replay, uint64_t now, uint64_t start,
			     uint64_t span)
{
	return start && span && now > start + span + replay->slack_ms;
}

static bool jvpn_audit_within(const struct jvpn_audit_replay *replay, uint64_t now, uint64_t start,
			      uint64_t span)
{
	return start && span && now + replay->slack_ms < start + span;
}

/* Transports. */

static bool jvpn_audit_text_equal(const json_t *a, const json_t *b, const char *name)
{
	const char *left = json_string_value(json_object_get(a, name));
	const char *right = json_string_value(json_object_get(b, name));

	return !left || !right || !strcmp(left, right);
}

/* What both records know must be the same. */
static bool jvpn_audit_transport_equal(const json_t *a, const json_t *b)
{
	return jvpn_audit_text_equal(a, b, "protocol") && jvpn_audit_text_equal(a, b, "local") &&
	       jvpn_audit_text_equal(a, b, "remote") && jvpn_audit_text_equal(a, b, "interface");
}

static const char *jvpn_audit_transport_text(const json_t *transport)
{
	const char *remote = json_string_value(json_object_get(transport, "remote"));

	return !transport ? "none" : remote ? remote : "unnamed";
}

/* May that many missing transitions be among the records that were lost? */
bool jvpn_audit_budget_take(struct jvpn_audit_replay *replay, uint64_t missing)
{
	if (!missing || missing > replay->lost_budget)
		return false;
	replay->lost_budget -= missing;
	return true;
}

/* Transitions: each check for one group of properties. */

static void jvpn_audit_check_version(struct jvpn_audit_replay *replay,
				     const struct jvpn_audit_session *session,
				     const struct jvpn_audit_entry *entry)
{
	uint64_t wanted = session->version + 1, gap = entry->version - wanted;

	if (entry->version == wanted)
		return;
	if (entry->version > wanted && jvpn_audit_budget_take(replay, gap)) {
		jvpn_audit_report_note(replay->report, entry->place, entry->id,
			"%llu transition%s not in the log (versions %llu to %llu), as its LOST "
			"records admit", (unsigned long long)gap, gap == 1 ? " is" : "s are",
			(unsigned long long)wanted, (unsigned long long)entry->version - 1);
		return;
	}
	VIOLATION(replay, entry, JVPN_AUDIT_I3, "version goes from %llu to %llu, not to %llu",
		  (unsigned long long)session->version, (unsigned long long)entry->version,
		  (unsigned long long)wanted);
}

/* True if the record continues the state that the model is in. */
static bool jvpn_audit_check_from(struct jvpn_audit_replay *replay,
				  const struct jvpn_audit_session *session,
				  const struct jvpn_audit_entry *entry)
{
	if (session->state == entry->from)
		return true;
	/* Versions that are missing may have passed through any state. */
	if (entry->version > session->version + 1)
		return false;
	if (session->state == JVPN_STATE_TERMINATED)
		VIOLATION(replay, entry, JVPN_AUDIT_S2,
			  "%s after the session was TERMINATED at version %llu", entry->event,
			  (unsigned long long)session->version);
	else
		VIOLATION(replay, entry, JVPN_AUDIT_S5, "the record goes from %s, but the session "
			  "is %s at version %llu", jvpn_state_name(entry->from),
			  jvpn_state_name(session->state), (unsigned long long)session->version);
	return false;
}

static void jvpn_audit_check_row(struct jvpn_audit_replay *replay,
				 const struct jvpn_audit_entry *entry)
{
	uint32_t next = entry->from;
	uint32_t refusal = jvpn_fsm_next(entry->from, entry->number, entry->reason, &next);

	if (jvpn_fsm_event_of(entry->reason) != entry->number)
		VIOLATION(replay, entry, JVPN_AUDIT_I5, "reason %s is none of event %s",
			  jvpn_reason_name(entry->reason), entry->event);
	else if (refusal)
		VIOLATION(replay, entry, JVPN_AUDIT_S5, "illegal transition: %s in state %s",
			  entry->event, jvpn_state_name(entry->from));
	else if (next != entry->to)
		VIOLATION(replay, entry, JVPN_AUDIT_S5, "illegal transition: %s leads from %s to "
			  "%s, not to %s", entry->event, jvpn_state_name(entry->from),
			  jvpn_state_name(next), jvpn_state_name(entry->to));
}

static void jvpn_audit_dual(struct jvpn_audit_replay *replay, const struct jvpn_audit_entry *entry,
			    const json_t *current)
{
	static const enum jvpn_audit_property broken[] = {
		JVPN_AUDIT_I1, JVPN_AUDIT_I4, JVPN_AUDIT_S1,
	};

	for (size_t i = 0; i < JVPN_ARRAY_SIZE(broken); i++)
		VIOLATION(replay, entry, broken[i], "%s becomes active while %s still is",
			  jvpn_audit_transport_text(entry->transport),
			  jvpn_audit_transport_text(current));
}

static void jvpn_audit_check_binding(struct jvpn_audit_replay *replay,
				     const struct jvpn_audit_session *session,
				     const struct jvpn_audit_entry *entry, bool continuous)
{
	bool bound = jvpn_fsm_bound(entry->to);
	/* Versions that are missing may have bound any transport. */
	bool gap = entry->version > session->version + 1;
	json_t *current = continuous ? session->transport : NULL;

	if (bound && !entry->transport)
		VIOLATION(replay, entry, JVPN_AUDIT_I1, "%s without a transport",
			  jvpn_state_name(entry->to));
	if (!bound && entry->transport)
		VIOLATION(replay, entry, JVPN_AUDIT_I1, "%s with a transport (%s)",
			  jvpn_state_name(entry->to), jvpn_audit_transport_text(entry->transport));
	if (bound && entry->transport && session->transport && !entry->lost && !gap &&
	    !jvpn_audit_transport_equal(session->transport, entry->transport))
		jvpn_audit_dual(replay, entry, session->transport);
	if (!bound && jvpn_fsm_bound(entry->from) && !entry->lost)
		VIOLATION(replay, entry, JVPN_AUDIT_I5, "the transport that was lost is not named");
	if (entry->lost && current && !jvpn_audit_transport_equal(current, entry->lost))
		VIOLATION(replay, entry, JVPN_AUDIT_S5, "lost %s, but %s was bound",
			  jvpn_audit_transport_text(entry->lost),
			  jvpn_audit_transport_text(current));
	if (entry->lost && !jvpn_fsm_bound(entry->from))
		VIOLATION(replay, entry, JVPN_AUDIT_S5, "lost %s in state %s, which has none",
			  jvpn_audit_transport_text(entry->lost), jvpn_state_name(entry->from));
}

static void jvpn_audit_check_node(struct jvpn_audit_replay *replay,
				  const struct jvpn_audit_session *session,
				  const struct jvpn_audit_entry *entry)
{
	static const enum jvpn_audit_property broken[] = { JVPN_AUDIT_I4, JVPN_AUDIT_S4 };

	if (!strcmp(session->node, entry->node) || !jvpn_fsm_bound(session->state) ||
	    entry->reason == JVPN_REASON_OWNER_MOVED)
		return;
	for (size_t i = 0; i < JVPN_ARRAY_SIZE(broken); i++)
		VIOLATION(replay, entry, broken[i],
			  "node %s acts on a session that is bound at node %s", entry->node,
			  session->node);
}

static void jvpn_audit_check_epoch(struct jvpn_audit_replay *replay,
				   const struct jvpn_audit_session *session,
				   const struct jvpn_audit_entry *entry)
{
	if (entry->number != JVPN_EVENT_REATTACH_COMMIT || entry->epoch > session->epoch)
		return;
	VIOLATION(replay, entry, JVPN_AUDIT_S3,
		  "reattached under epoch %llu although epoch %llu was used: a replay",
		  (unsigned long long)entry->epoch, (unsigned long long)session->epoch);
}

static void jvpn_audit_check_early(struct jvpn_audit_replay *replay,
				   const struct jvpn_audit_session *session,
				   const struct jvpn_audit_entry *entry,
				   const struct jvpn_audit_bounds *bounds)
{
	uint64_t now = entry->boot_ms;

	if (entry->reason == JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED &&
	    jvpn_audit_within(replay, now, session->loss_ms, bounds->transport_loss_ttl_ms))
		VIOLATION(replay, entry, JVPN_AUDIT_L2, "ended %llu ms after the loss, before its "
			  "transport_loss_ttl_ms of %llu",
			  (unsigned long long)(now - session->loss_ms),
			  (unsigned long long)bounds->transport_loss_ttl_ms);
	if (entry->reason == JVPN_REASON_RECOVERY_WINDOW_EXCEEDED &&
	    jvpn_audit_within(replay, now, session->recovering_ms, bounds->recovery_window_ms))
		VIOLATION(replay, entry, JVPN_AUDIT_BOUNDS, "DEGRADED after %llu ms, before its "
			  "recovery_window_ms of %llu",
			  (unsigned long long)(now - session->recovering_ms),
			  (unsigned long long)bounds->recovery_window_ms);
}

static void jvpn_audit_check_late(struct jvpn_audit_replay *replay,
				  const struct jvpn_audit_session *session,
				  const struct jvpn_audit_entry *entry,
				  const struct jvpn_audit_bounds *bounds)
{
	uint64_t now = entry->boot_ms;
	bool commit = entry->number == JVPN_EVENT_REATTACH_COMMIT;

	if (entry->to != JVPN_STATE_TERMINATED &&
	    jvpn_audit_after(replay, now, session->born_ms, bounds->session_ttl_ms))
		VIOLATION(replay, entry, JVPN_AUDIT_L3, "%s %llu ms after birth, beyond its "
			  "session_ttl_ms of %llu", entry->event,
			  (unsigned long long)(now - session->born_ms),
			  (unsigned long long)bounds->session_ttl_ms);
	if (entry->to != JVPN_STATE_TERMINATED && !jvpn_fsm_bound(entry->from) &&
	    jvpn_audit_after(replay, now, session->loss_ms, bounds->transport_loss_ttl_ms))
		VIOLATION(replay, entry, JVPN_AUDIT_L3, "%s %llu ms after the loss, beyond its "
			  "transport_loss_ttl_ms of %llu", entry->event,
			  (unsigned long long)(now - session->loss_ms),
			  (unsigned long long)bounds->transport_loss_ttl_ms);
	/* A daemon that was away could not see the window pass. */
	if (commit && session->recovering_ms > replay->open_ms &&
	    jvpn_audit_after(replay, now, session->recovering_ms, bounds->recovery_window_ms))
		VIOLATION(replay, entry, JVPN_AUDIT_BOUNDS, "RECOVERING for %llu ms, beyond its "
			  "recovery_window_ms of %llu, without becoming DEGRADED",
			  (unsigned long long)(now - session->recovering_ms),
			  (unsigned long long)bounds->recovery_window_ms);
}

static void jvpn_audit_check_switches(struct jvpn_audit_replay *replay,
				      struct jvpn_audit_session *session,
				      const struct jvpn_audit_entry *entry,
				      const struct jvpn_audit_bounds *bounds)
{
	uint32_t most = (uint32_t)bounds->max_switches_per_minute;

	if (entry->number != JVPN_EVENT_REATTACH_COMMIT)
		return;
	/* No slack here: both ends of the minute are the same clock. */
	if (most && most <= JVPN_SWITCHES_MAX &&
	    jvpn_switches_wait(&session->switches, most, 0, entry->boot_ms))
		VIOLATION(replay, entry, JVPN_AUDIT_BOUNDS,
			  "more than %u switches within a minute", most);
	jvpn_switches_add(&session->switches, entry->boot_ms);
}

static void jvpn_audit_check_times(struct jvpn_audit_replay *replay,
				   struct jvpn_audit_session *session,
				   const struct jvpn_audit_entry *entry,
				   const struct jvpn_audit_bounds *bounds)
{
	if (!bounds->known && !replay->report->undecided[JVPN_AUDIT_BOUNDS]) {
		jvpn_audit_report_note(replay->report, entry->place, entry->id,
			"no POLICY record for its policy and version: time bounds are not checked");
		jvpn_audit_bounds_undecided(replay);
	}
	jvpn_audit_check_early(replay, session, entry, bounds);
	jvpn_audit_check_late(replay, session, entry, bounds);
	jvpn_audit_check_switches(replay, session, entry, bounds);
}

/* A version that a refusal showed before its transition was recorded. */
static void jvpn_audit_check_claim(struct jvpn_audit_replay *replay,
				   struct jvpn_audit_session *session,
				   const struct jvpn_audit_entry *entry)
{
	if (!session->claimed_version || entry->version < session->claimed_version)
		return;
	if (entry->version > session->claimed_version || entry->to != session->claimed_state)
		VIOLATION(replay, entry, JVPN_AUDIT_S3, "the refusal in line %llu showed %s at "
			  "version %llu, which the session never was",
			  (unsigned long long)session->claimed_line,
			  jvpn_state_name(session->claimed_state),
			  (unsigned long long)session->claimed_version);
	session->claimed_version = 0;
}

void jvpn_audit_check_transition(struct jvpn_audit_replay *replay,
				 struct jvpn_audit_session *session,
				 const struct jvpn_audit_entry *entry,
				 const struct jvpn_audit_bounds *bounds)
{
	bool continuous;

	if (session->rebooted)
		VIOLATION(replay, entry, JVPN_AUDIT_S2,
			  "the session ended when the machine was restarted");
	jvpn_audit_check_version(replay, session, entry);
	continuous = jvpn_audit_check_from(replay, session, entry);
	jvpn_audit_check_row(replay, entry);
	jvpn_audit_check_binding(replay, session, entry, continuous && !session->baseline);
	jvpn_audit_check_node(replay, session, entry);
	jvpn_audit_check_epoch(replay, session, entry);
	jvpn_audit_check_times(replay, session, entry, bounds);
	jvpn_audit_check_claim(replay, session, entry);
}

/* Refusals, and sessions that a starting daemon found. */

static bool jvpn_audit_session_was(const struct jvpn_audit_session *session, uint64_t version,
				   uint32_t state)
{
	for (unsigned int i = 0; i < JVPN_AUDIT_HISTORY && i < session->n_history; i++)
		if (session->history[i].version == version && session->history[i].state == state)
			return true;
	return false;
}

void jvpn_audit_check_refused_state(struct jvpn_audit_replay *replay,
				    struct jvpn_audit_session *session,
				    const struct jvpn_audit_entry *entry, uint32_t state)
{
	if (entry->version == session->version && state == session->state)
		return;
	if (entry->version > session->version) {
		session->claimed_version = entry->version;
		session->claimed_state = state;
		session->claimed_line = entry->place->line;
		return;
	}
	if (!jvpn_audit_session_was(session, entry->version, state))
		VIOLATION(replay, entry, JVPN_AUDIT_S3, "the refusal shows %s at version %llu, but "
			  "the session is %s at version %llu: a refusal changes nothing",
			  jvpn_state_name(state), (unsigned long long)entry->version,
			  jvpn_state_name(session->state), (unsigned long long)session->version);
}

void jvpn_audit_check_refused_early(struct jvpn_audit_replay *replay,
				    const struct jvpn_audit_session *session,
				    const struct jvpn_audit_entry *entry)
{
	struct jvpn_audit_bounds bounds = jvpn_audit_bounds_of(replay, entry->record);

	if (session->state == JVPN_STATE_RECOVERING && bounds.known &&
	    jvpn_audit_within(replay, entry->boot_ms, session->loss_ms,
			      bounds.transport_loss_ttl_ms))
		VIOLATION(replay, entry, JVPN_AUDIT_L1, "refused as SESSION_EXPIRED %llu ms after "
			  "the loss, within its transport_loss_ttl_ms of %llu",
			  (unsigned long long)(entry->boot_ms - session->loss_ms),
			  (unsigned long long)bounds.transport_loss_ttl_ms);
}

void jvpn_audit_check_adopted(struct jvpn_audit_replay *replay,
			      const struct jvpn_audit_session *session,
			      const struct jvpn_audit_entry *entry, uint64_t missed)
{
	if (session->state == JVPN_STATE_TERMINATED)
		VIOLATION(replay, entry, JVPN_AUDIT_S2, "adopted after it was TERMINATED");
	else if (entry->version != session->version + missed)
		VIOLATION(replay, entry, JVPN_AUDIT_I3, "adopted at version %llu with %llu missed, "
			  "but the log holds version %llu", (unsigned long long)entry->version,
			  (unsigned long long)missed, (unsigned long long)session->version);
	else if (!missed && entry->to != session->state)
		VIOLATION(replay, entry, JVPN_AUDIT_S5, "adopted as %s, but it was %s at the same "
			  "version", jvpn_state_name(entry->to), jvpn_state_name(session->state));
	else if (!missed && session->transport && entry->transport &&
		 !jvpn_audit_transport_equal(session->transport, entry->transport))
		VIOLATION(replay, entry, JVPN_AUDIT_S5, "adopted with %s bound, but it was %s at "
			  "the same version", jvpn_audit_transport_text(entry->transport),
			  jvpn_audit_transport_text(session->transport));
}
