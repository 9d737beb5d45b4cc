// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include <linux/jvpn.h>

#include "core/limits.h"
#include "policy.h"
#include "util.h"

#define DAY_MS 86400000

static_assert(JVPN_POLICY_NAME <= JVPN_LABEL_SIZE, "the kernel takes every policy name");

#define NARROW(section_, name_, member_, min_, max_, off_, unit_, meaning_) { \
	.section = section_, .name = name_, .min = min_, .max = max_, .zero_is_off = off_, \
	.offset = offsetof(struct jvpn_policy_def, member_), .unit = unit_, .meaning = meaning_ }
#define TOP(name_, min_, max_, off_, unit_, meaning_) \
	NARROW(NULL, #name_, name_, min_, max_, off_, unit_, meaning_)
#define PROBE(name_, min_, max_, off_, unit_, meaning_) \
	NARROW("probe", #name_, probe.name_, min_, max_, off_, unit_, meaning_)
#define QUALITY(name_, min_, max_, off_, unit_, meaning_) \
	NARROW("quality", #name_, quality.name_, min_, max_, off_, unit_, meaning_)

static const struct jvpn_policy_field jvpn_policy_fields[] = {
	{ .name = "session_ttl_ms", .offset = offsetof(struct jvpn_policy_def, session_ttl_ms),
	  .wide = true, .min = 1000, .max = DAY_MS, .unit = "ms",
	  .meaning = "life of a session, from its birth" },
	TOP(transport_loss_ttl_ms, 500, DAY_MS, false, "ms",
	    "life of a session without a binding"),
	TOP(recovery_window_ms, 100, 3600000, false, "ms",
	    "time in RECOVERING before DEGRADED"),
	TOP(max_switches_per_minute, 1, JVPN_SWITCHES_MAX, false, "switches",
	    "committed jumps in any 60 s"),
	TOP(switch_cooldown_ms, 0, 600000, false, "ms",
	    "least time between jumps by choice, and in DEGRADED before a retry"),
	TOP(handshake_timeout_ms, 500, 120000, false, "ms",
	    "time in BIRTH before the handshake has failed"),
	PROBE(idle_interval_ms, 100, 600000, false, "ms",
	      "between heartbeats when nothing flows"),
	PROBE(active_interval_ms, 10, 600000, false, "ms",
	      "between heartbeats under traffic"),
	PROBE(dead_rtts, 0, 100, false, "round trips",
	      "of silence, plus dead_base_ms, until a transport is dead"),
	PROBE(dead_base_ms, 10, 600000, false, "ms",
	      "of silence, plus dead_rtts round trips, until a transport is dead"),
	PROBE(rx_timeout_ms, 1000, DAY_MS, true, "ms",
	      "gateway: silence of a client until its transport is dead"),
	QUALITY(loss_enter_percent, 1, 100, true, "percent",
		"of heartbeats lost makes a session VOLATILE"),
	QUALITY(loss_leave_percent, 0, 99, false, "percent",
		"of heartbeats lost, or less, makes it ATTACHED again"),
	QUALITY(rtt_enter_ms, 1, 60000, true, "ms",
		"round-trip time that makes a session VOLATILE"),
	QUALITY(rtt_leave_ms, 0, 60000, false, "ms",
		"round-trip time below which it is ATTACHED again"),
	TOP(rekey_after_ms, 1000, 120000, false, "ms",
	    "age of a key epoch at which new keys are made"),
	TOP(hold_bytes, 0, 16777216, false, "octets",
	    "of memory of packets that wait for a binding"),
	TOP(standby_interval_ms, 1000, 20000, true, "ms",
	    "between preparations of each other candidate"),
	TOP(failback_stable_ms, 0, 3600000, false, "ms",
	    "a better candidate must be stable before it is used"),
};

static struct jvpn_policy_def jvpn_policy_builtins[] = {
	{
		.name = "default",
		.session_ttl_ms = DAY_MS,
		.transport_loss_ttl_ms = 300000,
		.recovery_window_ms = 15000,
		.max_switches_per_minute = 12,
		.switch_cooldown_ms = 1000,
		.handshake_timeout_ms = 10000,
		/* Heartbeat and one standby candidate: less than a packet each way in 10 s. */
		.probe = { .idle_interval_ms = 25000, .active_interval_ms = 250,
			   .dead_rtts = 3, .dead_base_ms = 500, .rx_timeout_ms = 60000 },
		.quality = { .loss_enter_percent = 10, .loss_leave_percent = 3,
			     .rtt_enter_ms = 800, .rtt_leave_ms = 500 },
		.rekey_after_ms = 120000,
		.hold_bytes = 1048576,
		.standby_interval_ms = 20000,
		.failback_stable_ms = 30000,
	}, {
		.name = "fast",
		.session_ttl_ms = DAY_MS,
		.transport_loss_ttl_ms = 120000,
		.recovery_window_ms = 5000,
		.max_switches_per_minute = 30,
		.switch_cooldown_ms = 250,
		.handshake_timeout_ms = 5000,
		/* Dead within 3 round trips and 100 ms, the wait for the next heartbeat included. */
		.probe = { .idle_interval_ms = 5000, .active_interval_ms = 25,
			   .dead_rtts = 3, .dead_base_ms = 75, .rx_timeout_ms = 15000 },
		.quality = { .loss_enter_percent = 5, .loss_leave_percent = 1,
			     .rtt_enter_ms = 400, .rtt_leave_ms = 250 },
		.rekey_after_ms = 120000,
		.hold_bytes = 2097152,
		.standby_interval_ms = 10000,
		.failback_stable_ms = 10000,
	}, {
		.name = "frugal",
		.session_ttl_ms = DAY_MS,
		.transport_loss_ttl_ms = 900000,
		.recovery_window_ms = 60000,
		.max_switches_per_minute = 4,
		.switch_cooldown_ms = 10000,
		.handshake_timeout_ms = 20000,
		/* Still often enough for the mapping of an ordinary NAT (30 s). */
		.probe = { .idle_interval_ms = 25000, .active_interval_ms = 3000,
			   .dead_rtts = 4, .dead_base_ms = 2000, .rx_timeout_ms = 180000 },
		.quality = { .loss_enter_percent = 20, .loss_leave_percent = 10 },
		.rekey_after_ms = 120000,
		.hold_bytes = 262144,
		.failback_stable_ms = 120000,
	}, {
		.name = "strict",
		.session_ttl_ms = 28800000,
		.transport_loss_ttl_ms = 30000,
		.recovery_window_ms = 5000,
		.max_switches_per_minute = 4,
		.switch_cooldown_ms = 2000,
		.handshake_timeout_ms = 5000,
		.probe = { .idle_interval_ms = 5000, .active_interval_ms = 500,
			   .dead_rtts = 3, .dead_base_ms = 400, .rx_timeout_ms = 15000 },
		.quality = { .loss_enter_percent = 5, .loss_leave_percent = 1,
			     .rtt_enter_ms = 250, .rtt_leave_ms = 150 },
		.rekey_after_ms = 60000,
		.hold_bytes = 262144,
		.standby_interval_ms = 15000,
		.failback_stable_ms = 60000,
	},
};

const struct jvpn_policy_field *jvpn_policy_field_at(size_t index)
{
	return index < JVPN_ARRAY_SIZE(jvpn_policy_fields) ? &jvpn_policy_fields[index] : NULL;
}

uint64_t jvpn_policy_field_get(const struct jvpn_policy_def *policy,
			       const struct jvpn_policy_field *field)
{
	const char *at = (const char *)policy + field->offset;
	uint64_t wide;
	uint32_t narrow;

	if (field->wide) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return narrow;
}

void jvpn_policy_field_set(struct jvpn_policy_def *policy,
			   const struct jvpn_policy_field *field, uint64_t value)
{
	char *at = (char *)policy + field->offset;
	uint32_t narrow = (uint32_t)value;

	if (field->wide)
		memcpy(at, &value, sizeof(value));
	else
		memcpy(at, &narrow, sizeof(narrow));
}

/* Idempotent: the version is a function of the numbers. */
static void jvpn_policy_builtin_finish(struct jvpn_policy_def *policy)
{
	policy->builtin = true;
	policy->version = jvpn_policy_hash_version(policy);
}

size_t jvpn_policy_builtin_count(void)
{
	return JVPN_ARRAY_SIZE(jvpn_policy_builtins);
}

const struct jvpn_policy_def *jvpn_policy_builtin_at(size_t index)
{
	if (index >= JVPN_ARRAY_SIZE(jvpn_policy_builtins))
		return NULL;
	jvpn_policy_builtin_finish(&jvpn_policy_builtins[index]);
	return &jvpn_policy_builtins[index];
}

const struct jvpn_policy_def *jvpn_policy_builtin_find(const char *name)
{
	for (size_t i = 0; i < JVPN_ARRAY_SIZE(jvpn_policy_builtins); i++)
		if (!strcmp(jvpn_policy_builtins[i].name, name))
			return jvpn_policy_builtin_at(i);
	return NULL;
}

static bool jvpn_policy_breaks_window(const struct jvpn_policy_def *p)
{
	return p->recovery_window_ms > p->transport_loss_ttl_ms;
}

static bool jvpn_policy_breaks_loss_ttl(const struct jvpn_policy_def *p)
{
	return p->transport_loss_ttl_ms > p->session_ttl_ms;
}

static bool jvpn_policy_breaks_handshake(const struct jvpn_policy_def *p)
{
	return p->handshake_timeout_ms > p->session_ttl_ms;
}

static bool jvpn_policy_breaks_cooldown(const struct jvpn_policy_def *p)
{
	return p->switch_cooldown_ms >= p->transport_loss_ttl_ms;
}

static bool jvpn_policy_breaks_intervals(const struct jvpn_policy_def *p)
{
	return p->probe.active_interval_ms > p->probe.idle_interval_ms;
}

static bool jvpn_policy_breaks_rx_timeout(const struct jvpn_policy_def *p)
{
	return p->probe.rx_timeout_ms &&
	       p->probe.rx_timeout_ms < 2 * (uint64_t)p->probe.idle_interval_ms;
}

static bool jvpn_policy_breaks_loss(const struct jvpn_policy_def *p)
{
	return p->quality.loss_enter_percent &&
	       p->quality.loss_leave_percent >= p->quality.loss_enter_percent;
}

static bool jvpn_policy_breaks_rtt(const struct jvpn_policy_def *p)
{
	return p->quality.rtt_enter_ms && p->quality.rtt_leave_ms >= p->quality.rtt_enter_ms;
}

static const struct {
	bool (*broken)(const struct jvpn_policy_def *policy);
	const char *field;
	const char *sentence;
} jvpn_policy_rules[] = {
	{ jvpn_policy_breaks_window, "recovery_window_ms",
	  "recovery_window_ms must not exceed transport_loss_ttl_ms: "
	  "the session would end before it could become DEGRADED" },
	{ jvpn_policy_breaks_loss_ttl, "transport_loss_ttl_ms",
	  "transport_loss_ttl_ms must not exceed session_ttl_ms" },
	{ jvpn_policy_breaks_handshake, "handshake_timeout_ms",
	  "handshake_timeout_ms must not exceed session_ttl_ms" },
	{ jvpn_policy_breaks_cooldown, "switch_cooldown_ms",
	  "switch_cooldown_ms must be below transport_loss_ttl_ms: "
	  "a DEGRADED session would end before its first retry" },
	{ jvpn_policy_breaks_intervals, "probe.active_interval_ms",
	  "probe.active_interval_ms must not exceed probe.idle_interval_ms" },
	{ jvpn_policy_breaks_rx_timeout, "probe.rx_timeout_ms",
	  "probe.rx_timeout_ms must be at least twice probe.idle_interval_ms (or 0): "
	  "an idle client would be taken for dead" },
	{ jvpn_policy_breaks_loss, "quality.loss_leave_percent",
	  "quality.loss_leave_percent must be below quality.loss_enter_percent, "
	  "so that the state does not flap" },
	{ jvpn_policy_breaks_rtt, "quality.rtt_leave_ms",
	  "quality.rtt_leave_ms must be below quality.rtt_enter_ms, "
	  "so that the state does not flap" },
};

bool jvpn_policy_rule_check(const struct jvpn_policy_def *policy, size_t index, bool *broken,
			    const char **field, const char **sentence)
{
	if (index >= JVPN_ARRAY_SIZE(jvpn_policy_rules))
		return false;
	*broken = jvpn_policy_rules[index].broken(policy);
	*field = jvpn_policy_rules[index].field;
	*sentence = jvpn_policy_rules[index].sentence;
	return true;
}

uint32_t jvpn_policy_hash_version(const struct jvpn_policy_def *policy)
{
	crypto_generichash_state state;
	uint8_t hash[16];
	uint32_t version;
	char line[96];

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	for (size_t i = 0; i < JVPN_ARRAY_SIZE(jvpn_policy_fields); i++) {
		const struct jvpn_policy_field *field = &jvpn_policy_fields[i];
		int length = snprintf(line, sizeof(line), "%s=%llu\n", field->name,
			(unsigned long long)jvpn_policy_field_get(policy, field));

		crypto_generichash_update(&state, (const uint8_t *)line, (size_t)length);
	}
	crypto_generichash_final(&state, hash, sizeof(hash));
	version = (uint32_t)hash[0] | (uint32_t)hash[1] << 8 | (uint32_t)hash[2] << 16 |
		  (uint32_t)hash[3] << 24;
	return version ? version : 1;
}

static int jvpn_policy_json_add(json_t *policy, const struct jvpn_policy_field *field,
				uint64_t value)
{
	json_t *into = policy;

	if (field->section) {
		into = json_object_get(policy, field->section);
		if (!into) {
			into = json_object();
			if (json_object_set_new(policy, field->section, into))
				return -1;
		}
	}
	return json_object_set_new(into, field->name, json_integer((json_int_t)value));
}

json_t *jvpn_policy_to_json(const struct jvpn_policy_def *policy)
{
	json_t *json = json_pack("{s:s, s:I, s:b}", "name", policy->name,
				 "version", (json_int_t)policy->version,
				 "builtin", policy->builtin);

	for (size_t i = 0; json && i < JVPN_ARRAY_SIZE(jvpn_policy_fields); i++) {
		const struct jvpn_policy_field *field = &jvpn_policy_fields[i];

		if (jvpn_policy_json_add(json, field, jvpn_policy_field_get(policy, field))) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

bool jvpn_policy_from_json(const json_t *json, struct jvpn_policy_def *policy)
{
	const char *name = json_string_value(json_object_get(json, "name"));

	memset(policy, 0, sizeof(*policy));
	if (!name || strlen(name) >= sizeof(policy->name))
		return false;
	strcpy(policy->name, name);
	policy->version = (uint32_t)json_integer_value(json_object_get(json, "version"));
	policy->builtin = json_is_true(json_object_get(json, "builtin"));
	for (size_t i = 0; i < JVPN_ARRAY_SIZE(jvpn_policy_fields); i++) {
		const struct jvpn_policy_field *field = &jvpn_policy_fields[i];
		const json_t *from = field->section ? json_object_get(json, field->section) : json;
		const json_t *value = json_object_get(from, field->name);

		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return false;
		jvpn_policy_field_set(policy, field, (uint64_t)json_integer_value(value));
	}
	return true;
}
