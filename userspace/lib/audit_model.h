/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_AUDIT_MODEL_H
#define JVPN_AUDIT_MODEL_H

/*
 * What the verifier knows while it replays a log: shared by audit_replay.c, which
 * keeps it, and audit_check.c, which judges records by it.
 */

#include "audit_replay.h"
#include "core/limits.h"

#define JVPN_AUDIT_ID_TEXT		(2 * JVPN_AUDIT_SESSION_ID + 1)
#define JVPN_AUDIT_NODE_TEXT	64
#define JVPN_AUDIT_HISTORY		16

struct jvpn_audit_bounds {
	bool known;
	uint64_t session_ttl_ms;
	uint64_t transport_loss_ttl_ms;
	uint64_t recovery_window_ms;
	uint64_t max_switches_per_minute;
};

struct jvpn_audit_session {
	char id[JVPN_AUDIT_ID_TEXT];
	char node[JVPN_AUDIT_NODE_TEXT];
	uint32_t state;
	uint64_t version;
	uint64_t epoch;
	json_t *transport;		/* bound now, or NULL */
	bool baseline;			/* state and version are not known yet */
	bool rebooted;			/* ended with the boot it lived in */

	/* CLOCK_BOOTTIME; 0 is unknown. */
	uint64_t born_ms;
	uint64_t loss_ms;		/* the binding was lost */
	uint64_t loss_deadline_ms;	/* then the session ends for want of one */
	uint64_t recovering_ms;		/* RECOVERING began */
	struct jvpn_switches switches;

	/* States by version, for refusals that are recorded a little late. */
	struct { uint64_t version; uint32_t state; } history[JVPN_AUDIT_HISTORY];
	unsigned int n_history;

	/* A refusal showed a version that was not recorded yet. */
	uint64_t claimed_version;
	uint32_t claimed_state;
	uint64_t claimed_line;
};

struct jvpn_audit_replay {
	struct jvpn_audit_report *report;
	uint64_t slack_ms;
	void *sessions;			/* tree of jvpn_audit_session by id */
	json_t *policies;		/* "name/version": policy */
	bool continues;
	char boot_id[64];
	uint64_t open_ms;		/* CLOCK_BOOTTIME of the last AUDIT_OPEN */
	uint64_t now_ms;		/* CLOCK_BOOTTIME of the last record */
	uint64_t lost_budget;		/* lost records that may explain missing versions */
	const struct jvpn_audit_place *end;
};

/* One record, taken apart. */
struct jvpn_audit_entry {
	const struct jvpn_audit_place *place;
	const json_t *record;
	const char *event;
	const char *id;
	const char *node;
	uint32_t from, to, reason, number;	/* number: enum jvpn_event */
	uint64_t version, epoch, boot_ms;
	json_t *transport;			/* NULL if null or missing */
	json_t *lost;
};

#define VIOLATION(replay, entry, property, ...) \
	jvpn_audit_report_violation((replay)->report, (entry)->place, property, (entry)->id, \
				    __VA_ARGS__)

/* "name/version" of the policy that a record names. */
void jvpn_audit_policy_key(const json_t *record, char *key, size_t size);
/* The bounds of a session: of its policy, or those that its records state themselves. */
struct jvpn_audit_bounds jvpn_audit_bounds_of(struct jvpn_audit_replay *replay,
					      const json_t *record);
/* May that many missing transitions be among the records that were lost? */
bool jvpn_audit_budget_take(struct jvpn_audit_replay *replay, uint64_t missing);

/* Before the model takes the record over. */
void jvpn_audit_check_transition(struct jvpn_audit_replay *replay,
				 struct jvpn_audit_session *session,
				 const struct jvpn_audit_entry *entry,
				 const struct jvpn_audit_bounds *bounds);
void jvpn_audit_check_refused_state(struct jvpn_audit_replay *replay,
				    struct jvpn_audit_session *session,
				    const struct jvpn_audit_entry *entry, uint32_t state);
void jvpn_audit_check_refused_early(struct jvpn_audit_replay *replay,
				    const struct jvpn_audit_session *session,
				    const struct jvpn_audit_entry *entry);
void jvpn_audit_check_adopted(struct jvpn_audit_replay *replay,
			      const struct jvpn_audit_session *session,
			      const struct jvpn_audit_entry *entry, uint64_t missed);

#endif /* JVPN_AUDIT_MODEL_H */
