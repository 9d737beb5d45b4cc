/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_POLICY_H
#define JVPN_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JVPN_POLICY_NAME	32	/* NUL included */

/*
 * The bounds a session lives under. A session keeps the snapshot it began with.
 * All times are milliseconds; 0 means "never" or "off" only where said so.
 */
struct jvpn_policy_def {
	char name[JVPN_POLICY_NAME];
	uint32_t version;			/* stated, or a hash of the rest; never 0 */
	bool builtin;

	uint64_t session_ttl_ms;
	uint32_t transport_loss_ttl_ms;		/* from the loss of the binding */
	uint32_t recovery_window_ms;		/* RECOVERING longer than this: DEGRADED */
	uint32_t max_switches_per_minute;	/* committed jumps, sliding window */
	uint32_t switch_cooldown_ms;		/* DEGRADED to RECOVERING, and between own jumps */
	uint32_t handshake_timeout_ms;

	struct {
		uint32_t idle_interval_ms;	/* heartbeat when nothing flows */
		uint32_t active_interval_ms;	/* heartbeat under traffic */
		/* Dead when nothing is heard for dead_rtts * RTT + dead_base_ms. */
		uint32_t dead_rtts;
		uint32_t dead_base_ms;
		uint32_t rx_timeout_ms;		/* gateway: silence of the client; 0 never */
	} probe;

	struct {
		uint32_t loss_enter_percent;	/* 0: loss never lowers the quality */
		uint32_t loss_leave_percent;
		uint32_t rtt_enter_ms;		/* 0: latency never lowers the quality */
		uint32_t rtt_leave_ms;
	} quality;

	uint32_t rekey_after_ms;		/* most 120000; an epoch ends at 180000 */
	uint32_t hold_bytes;			/* packets that wait for a binding */
	uint32_t standby_interval_ms;		/* warm standby per candidate; 0 off */
	uint32_t failback_stable_ms;		/* a better path must be stable this long */
};

#define JVPN_POLICY_REJECT_AFTER_MS	180000

/* One number of struct jvpn_policy_def, with its range and its unit. */
struct jvpn_policy_field {
	const char *section;			/* "probe", "quality", or NULL */
	const char *name;
	size_t offset;
	bool wide;				/* uint64_t, else uint32_t */
	uint64_t min;
	uint64_t max;
	bool zero_is_off;			/* 0 is allowed below min */
	const char *unit;
	const char *meaning;
};

const struct jvpn_policy_field *jvpn_policy_field_at(size_t index);
uint64_t jvpn_policy_field_get(const struct jvpn_policy_def *policy,
			       const struct jvpn_policy_field *field);
void jvpn_policy_field_set(struct jvpn_policy_def *policy,
			   const struct jvpn_policy_field *field, uint64_t value);

/* default, fast, frugal, strict. */
size_t jvpn_policy_builtin_count(void);
const struct jvpn_policy_def *jvpn_policy_builtin_at(size_t index);
const struct jvpn_policy_def *jvpn_policy_builtin_find(const char *name);

/*
 * One rule between fields, index from 0: returns false past the last rule. *broken
 * tells whether policy breaks it; field and sentence (static) say which and why.
 */
bool jvpn_policy_rule_check(const struct jvpn_policy_def *policy, size_t index, bool *broken,
			    const char **field, const char **sentence);

/* The version of a policy that states none: a hash of every number in it. */
uint32_t jvpn_policy_hash_version(const struct jvpn_policy_def *policy);

/* All fields by name; NULL when out of memory. */
json_t *jvpn_policy_to_json(const struct jvpn_policy_def *policy);
/* The same backwards. False if json is not what jvpn_policy_to_json() makes. */
bool jvpn_policy_from_json(const json_t *json, struct jvpn_policy_def *policy);

#endif /* JVPN_POLICY_H */
