// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <stdbool.h>

#include <linux/jvpn.h>

#include "audit.h"
#include "names-gen.h"
#include "util.h"

static_assert(JVPN_AUDIT_SESSION_ID == JVPN_SESSION_ID_SIZE, "one size of session ids");

static json_t *jvpn_audit_session_text(const uint8_t *session_id)
{
	char hex[2 * JVPN_AUDIT_SESSION_ID + 1];

	if (!session_id)
		return json_null();
	return json_string(jvpn_util_hex_encode(session_id, JVPN_AUDIT_SESSION_ID, hex));
}

static json_t *jvpn_audit_transport_object(const struct jvpn_audit_transport *transport)
{
	if (!transport)
		return json_null();
	return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*}", "name", transport->name,
			 "protocol", transport->protocol, "interface", transport->interface,
			 "local", transport->local, "remote", transport->remote);
}

/* What every record begins with. */
static json_t *jvpn_audit_record_begin(const struct jvpn_audit *audit, const char *event,
				       const uint8_t *session_id, uint64_t ts_ms,
				       uint64_t boot_ms)
{
	char stamp[JVPN_UTIL_TIME_TEXT];

	if (!ts_ms)
		ts_ms = jvpn_util_time_real_ms();
	if (!boot_ms)
		boot_ms = jvpn_util_time_boot_ms();
	jvpn_util_time_format(ts_ms, stamp, sizeof(stamp));
	return json_pack("{s:s, s:I, s:I, s:s, s:o, s:s}", "ts", stamp,
			 "ts_ms", (json_int_t)ts_ms, "boot_ms", (json_int_t)boot_ms,
			 "event", event, "session_id", jvpn_audit_session_text(session_id),
			 "node", jvpn_audit_node(audit));
}

/* Joins the parts; frees them all and gives NULL if one is missing. */
static json_t *jvpn_audit_record_join(json_t *record, json_t *body, json_t *details)
{
	bool good = record && body && !json_object_update(record, body);

	if (good && details)
		good = !json_object_set(record, "details", details);
	json_decref(body);
	json_decref(details);
	if (good)
		return record;
	json_decref(record);
	return NULL;
}

json_t *jvpn_audit_build_transition(const struct jvpn_audit *audit,
				    const struct jvpn_audit_transition *t)
{
	json_t *record = jvpn_audit_record_begin(audit, jvpn_event_name(t->event), t->session_id,
						 t->ts_ms, t->boot_ms);
	json_t *body = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s*, s:I, s:o, s:o}",
		"from", jvpn_state_name(t->from), "to", jvpn_state_name(t->to),
		"reason", jvpn_reason_name(t->reason),
		"state_version", (json_int_t)t->version, "epoch", (json_int_t)t->epoch,
		"origin", t->by_kernel ? "KERNEL" : "DAEMON", "policy", t->policy,
		"policy_version", (json_int_t)t->policy_version,
		"transport", jvpn_audit_transport_object(t->transport),
		"lost", jvpn_audit_transport_object(t->lost));

	return jvpn_audit_record_join(record, body, t->details);
}

json_t *jvpn_audit_build_refusal(const struct jvpn_audit *audit,
				 const struct jvpn_audit_refusal *r)
{
	json_t *record = jvpn_audit_record_begin(audit, "REFUSED", r->session_id, 0, 0);
	json_t *body = json_pack("{s:s, s:s*, s:I, s:o}", "reason", jvpn_reject_name(r->reject),
		"request", r->request, "count", (json_int_t)(r->count ? r->count : 1),
		"transport", jvpn_audit_transport_object(r->transport));

	/* A refusal changes nothing: from and to are the same, and the version stands. */
	if (body && r->session_id)
		json_object_update_new(body, json_pack("{s:s, s:s, s:I, s:s*, s:I}",
			"from", jvpn_state_name(r->state), "to", jvpn_state_name(r->state),
			"state_version", (json_int_t)r->version, "policy", r->policy,
			"policy_version", (json_int_t)r->policy_version));
	return jvpn_audit_record_join(record, body, r->details);
}

json_t *jvpn_audit_build_adoption(const struct jvpn_audit *audit,
				  const struct jvpn_audit_adoption *a)
{
	json_t *record = jvpn_audit_record_begin(audit, "ADOPTED", a->session_id, 0, 0);
	json_t *missed = a->missed_unknown ? NULL : json_integer((json_int_t)a->missed);
	json_t *body = json_pack("{s:s, s:I, s:I, s:s*, s:I, s:o, s:o*, s:I}",
		"to", jvpn_state_name(a->state), "state_version", (json_int_t)a->version,
		"epoch", (json_int_t)a->epoch, "policy", a->policy,
		"policy_version", (json_int_t)a->policy_version,
		"transport", jvpn_audit_transport_object(a->transport),
		"missed", missed,
		"loss_since_boot_ms", (json_int_t)a->loss_since_boot_ms);

	return jvpn_audit_record_join(record, body, a->details);
}

json_t *jvpn_audit_build_policy(const struct jvpn_audit *audit,
				const struct jvpn_policy_def *policy)
{
	json_t *record = jvpn_audit_record_begin(audit, "POLICY", NULL, 0, 0);
	json_t *body = json_pack("{s:s, s:I}", "policy", policy->name,
				 "policy_version", (json_int_t)policy->version);

	return jvpn_audit_record_join(record, body, jvpn_policy_to_json(policy));
}

json_t *jvpn_audit_build_note(const struct jvpn_audit *audit, const char *event,
			      const uint8_t *session_id, json_t *details)
{
	json_t *record = jvpn_audit_record_begin(audit, event, session_id, 0, 0);

	return jvpn_audit_record_join(record, json_object(), details);
}
