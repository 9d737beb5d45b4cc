// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "audit-writer.h"
#include "names-gen.h"
#include "util.h"

static const char *jvpn_audit_known_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void jvpn_audit_known_fill(struct jvpn_audit_known *known, const json_t *record)
{
	const json_t *transport = json_object_get(record, "transport");

	known->version = (uint64_t)json_integer_value(json_object_get(record, "state_version"));
	known->epoch = (uint32_t)json_integer_value(json_object_get(record, "epoch"));
	known->policy = jvpn_audit_known_text(record, "policy");
	known->policy_version =
		(uint32_t)json_integer_value(json_object_get(record, "policy_version"));
	known->bound = json_is_object(transport);
	known->transport = (struct jvpn_audit_transport){
		.name = jvpn_audit_known_text(transport, "name"),
		.protocol = jvpn_audit_known_text(transport, "protocol"),
		.interface = jvpn_audit_known_text(transport, "interface"),
		.local = jvpn_audit_known_text(transport, "local"),
		.remote = jvpn_audit_known_text(transport, "remote"),
	};
}

struct jvpn_audit_walk {
	jvpn_audit_known_visit visit;
	void *context;
};

static void jvpn_audit_known_one(void *context, const uint8_t *id, const char *line)
{
	const struct jvpn_audit_walk *walk = context;
	json_t *record = json_loads(line, 0, NULL);
	const char *to = jvpn_audit_known_text(record, "to");
	struct jvpn_audit_known known = { .session_id = id };
	int state = to ? jvpn_state_parse(to) : -1;

	if (state >= 0) {
		known.state = (uint32_t)state;
		jvpn_audit_known_fill(&known, record);
		walk->visit(walk->context, &known);
	}
	json_decref(record);
}

size_t jvpn_audit_known_each(const struct jvpn_audit *audit, struct jvpn_audit_cursor *cursor,
			     size_t most, jvpn_audit_known_visit visit, void *context)
{
	struct jvpn_audit_walk walk = { visit, context };

	if (!audit->state)
		return 0;
	return jvpn_audit_state_each(audit->state, cursor, most, jvpn_audit_known_one, &walk);
}
