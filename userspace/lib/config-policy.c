// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "config-read.h"

/* Room for every field of a policy, base, version, two sections and the end. */
#define KEYS 32
#define POLICIES_MAX 256

/* The schema of one policy, made from the table in policy.c. */
struct jvpn_config_policy_schema {
	struct jvpn_config_key top[KEYS];
	struct jvpn_config_key probe[KEYS];
	struct jvpn_config_key quality[KEYS];
	size_t n_top, n_probe, n_quality;
	char texts[KEYS][2][160];
};

static struct jvpn_config_policy_schema jvpn_config_policy_schema;

static const struct jvpn_policy_field *jvpn_config_policy_field(size_t offset)
{
	const struct jvpn_policy_field *field;

	for (size_t i = 0; (field = jvpn_policy_field_at(i)); i++)
		if (field->offset == offset)
			return field;
	return NULL;
}

/* field points at the policy itself: see jvpn_config_policy_add_key(). */
static void jvpn_config_read_policy_number(struct jvpn_config_reader *reader, yaml_node_t *node,
					   const struct jvpn_config_key *key, void *field)
{
	const struct jvpn_policy_field *number = jvpn_config_policy_field(key->offset);
	struct jvpn_policy_def *policy = (void *)((char *)field - key->offset);
	struct jvpn_config_key range = *key;
	uint64_t value;

	range.min = number->zero_is_off ? 0 : number->min;
	if (!jvpn_config_number(reader, node, &range, &value))
		return;
	if (value < number->min && value != range.min)
		jvpn_config_refuse_key(reader, node, key, "%llu is out of range",
				       (unsigned long long)value);
	else
		jvpn_policy_field_set(policy, number, value);
}

static void jvpn_config_read_policy_probe(struct jvpn_config_reader *reader, yaml_node_t *node,
					  const struct jvpn_config_key *key, void *policy)
{
	(void)key;
	jvpn_config_read_map(reader, node, jvpn_config_policy_schema.probe, policy);
}

static void jvpn_config_read_policy_quality(struct jvpn_config_reader *reader, yaml_node_t *node,
					    const struct jvpn_config_key *key, void *policy)
{
	(void)key;
	jvpn_config_read_map(reader, node, jvpn_config_policy_schema.quality, policy);
}

static void jvpn_config_read_policy_version(struct jvpn_config_reader *reader, yaml_node_t *node,
					    const struct jvpn_config_key *key, void *policy)
{
	uint64_t value;

	if (jvpn_config_number(reader, node, key, &value))
		((struct jvpn_policy_def *)policy)->version = (uint32_t)value;
}

/* The base was copied before the fields are read; here only its place is checked. */
static void jvpn_config_read_policy_base(struct jvpn_config_reader *reader, yaml_node_t *node,
					 const struct jvpn_config_key *key, void *policy)
{
	const struct jvpn_policy_def *base = NULL;

	(void)policy;
	jvpn_config_read_policy_ref(reader, node, key, &base);
}

static const struct jvpn_config_key jvpn_config_policy_base_key = {
	.name = "base", .read = jvpn_config_read_policy_base,
	.allowed = "a built-in policy, or one that stands earlier in the file",
	.example = "base: fast",
};

static void jvpn_config_policy_add_key(struct jvpn_config_policy_schema *schema, size_t index,
				       const struct jvpn_policy_field *field)
{
	struct jvpn_config_key *key = !field->section ? &schema->top[schema->n_top++] :
		!strcmp(field->section, "probe") ? &schema->probe[schema->n_probe++] :
		&schema->quality[schema->n_quality++];
	char *allowed = schema->texts[index][0], *example = schema->texts[index][1];
	uint64_t usual = jvpn_policy_field_get(jvpn_policy_builtin_at(0), field);

	snprintf(allowed, sizeof(schema->texts[0][0]), "%s%llu to %llu %s (%s)",
		 field->zero_is_off ? "0 (off), or " : "", (unsigned long long)field->min,
		 (unsigned long long)field->max, field->unit, field->meaning);
	snprintf(example, sizeof(schema->texts[0][1]), "%s: %llu", field->name,
		 (unsigned long long)usual);
	*key = (struct jvpn_config_key) {
		.name = field->name, .read = jvpn_config_read_policy_number,
		.offset = field->offset, .min = field->min, .max = field->max,
		.allowed = allowed, .example = example,
	};
}

static void jvpn_config_policy_schema_make(struct jvpn_config_policy_schema *schema)
{
	const struct jvpn_policy_field *field;

	if (schema->n_top)
		return;
	schema->top[schema->n_top++] = jvpn_config_policy_base_key;
	schema->top[schema->n_top++] = (struct jvpn_config_key) {
		.name = "version", .read = jvpn_config_read_policy_version,
		.min = 1, .max = UINT32_MAX, .allowed = "1 to 4294967295; left out: a hash of "
		"the content", .example = "version: 7",
	};
	schema->top[schema->n_top++] = (struct jvpn_config_key) {
		.name = "probe", .read = jvpn_config_read_policy_probe,
		.example = "probe: {idle_interval_ms: 20000}",
	};
	schema->top[schema->n_top++] = (struct jvpn_config_key) {
		.name = "quality", .read = jvpn_config_read_policy_quality,
		.example = "quality: {loss_enter_percent: 10}",
	};
	for (size_t i = 0; (field = jvpn_policy_field_at(i)); i++)
		jvpn_config_policy_add_key(schema, i, field);
}

/* The place of a rule's field: "probe.rx_timeout_ms" within the policy. */
static yaml_node_t *jvpn_config_policy_place(struct jvpn_config_reader *reader, yaml_node_t *node,
					     const char *field)
{
	const char *dot = strchr(field, '.');
	char section[32];

	if (!dot)
		return jvpn_config_place(reader, node, field);
	snprintf(section, sizeof(section), "%.*s", (int)(dot - field), field);
	return jvpn_config_place(reader, jvpn_config_place(reader, node, section), dot + 1);
}

static void jvpn_config_policy_rules(struct jvpn_config_reader *reader, yaml_node_t *node,
				     const struct jvpn_policy_def *policy)
{
	const char *field, *sentence;
	bool broken;

	for (size_t i = 0; jvpn_policy_rule_check(policy, i, &broken, &field, &sentence); i++) {
		size_t mark = jvpn_config_path_enter(reader, field);

		if (broken)
			jvpn_config_refuse(reader, jvpn_config_policy_place(reader, node, field),
					   NULL, NULL, "%s", sentence);
		jvpn_config_path_leave(reader, mark);
	}
}

static const struct jvpn_policy_def *
jvpn_config_policy_base(struct jvpn_config_reader *reader, yaml_node_t *node)
{
	yaml_node_t *base = jvpn_config_find(reader, node, "base");
	const struct jvpn_policy_def *policy = NULL;

	if (base && base->type == YAML_SCALAR_NODE)
		policy = jvpn_config_policy_find(reader->config,
						 (const char *)base->data.scalar.value);
	return policy ? policy : jvpn_policy_builtin_find("default");
}

static void jvpn_config_policy_read(struct jvpn_config_reader *reader, yaml_node_t *node,
				    struct jvpn_policy_def *policy)
{
	char name[JVPN_POLICY_NAME];
	size_t before = reader->errors->count;

	memcpy(name, policy->name, sizeof(name));
	*policy = *jvpn_config_policy_base(reader, node);
	memcpy(policy->name, name, sizeof(name));
	policy->builtin = false;
	policy->version = 0;
	jvpn_config_read_map(reader, node, jvpn_config_policy_schema.top, policy);
	if (reader->errors->count == before)
		jvpn_config_policy_rules(reader, node, policy);
	if (!policy->version)
		policy->version = jvpn_policy_hash_version(policy);
}

static bool jvpn_config_policy_name(struct jvpn_config_reader *reader, yaml_node_t *node,
				    struct jvpn_policy_def *policy)
{
	static const struct jvpn_config_key key = {
		.size = JVPN_POLICY_NAME, .allowed = "a name of at most 31 characters",
		.example = "office: {base: default}",
	};
	size_t before = reader->errors->count;

	jvpn_config_read_name(reader, node, &key, policy->name);
	if (reader->errors->count > before)
		return false;
	if (jvpn_policy_builtin_find(policy->name)) {
		jvpn_config_refuse(reader, node, "a name that no built-in policy has",
				   "my-fast: {base: fast}",
				   "'%s' is built in and cannot be changed; derive one from it",
				   policy->name);
		return false;
	}
	if (jvpn_config_policy_find(reader->config, policy->name)) {
		jvpn_config_refuse(reader, node, "each name once", NULL,
				   "there is a policy '%s' already", policy->name);
		return false;
	}
	return true;
}

static void jvpn_config_policy_pair(struct jvpn_config_reader *reader,
				    const yaml_node_pair_t *pair)
{
	struct jvpn_config *config = reader->config;
	struct jvpn_policy_def *policy = &config->policies[config->n_policies];
	yaml_node_t *key = yaml_document_get_node(&reader->document, pair->key);
	yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
	char found[64];
	size_t mark;

	jvpn_config_describe(key, found, sizeof(found));
	mark = jvpn_config_path_enter(reader, key->type == YAML_SCALAR_NODE ?
				      (const char *)key->data.scalar.value : found);
	if (jvpn_config_policy_name(reader, key, policy)) {
		jvpn_config_policy_read(reader, value, policy);
		config->n_policies++;
	}
	jvpn_config_path_leave(reader, mark);
}

static size_t jvpn_config_policy_pairs(struct jvpn_config_reader *reader, yaml_node_t *node)
{
	char found[64];
	size_t count;

	if (!node)
		return 0;
	if (node->type != YAML_MAPPING_NODE) {
		jvpn_config_refuse(reader, node, "a mapping of names to policies",
				   "policies: {office: {base: default, hold_bytes: 0}}",
				   "must be a mapping, found %s",
				   jvpn_config_describe(node, found, sizeof(found)));
		return 0;
	}
	count = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	if (count <= POLICIES_MAX)
		return count;
	jvpn_config_refuse(reader, node, "at most 256 policies", NULL, "found %zu policies", count);
	return 0;
}

void jvpn_config_read_policies(struct jvpn_config_reader *reader, yaml_node_t *node)
{
	size_t mark = jvpn_config_path_enter(reader, "policies");
	size_t count = jvpn_config_policy_pairs(reader, node);
	struct jvpn_config *config = reader->config;

	jvpn_config_policy_schema_make(&jvpn_config_policy_schema);
	/* Allocated once: peers point into it. */
	config->policies = jvpn_config_alloc(reader, jvpn_policy_builtin_count() + count,
					     sizeof(*config->policies));
	if (!config->policies)
		goto out;
	while (config->n_policies < jvpn_policy_builtin_count()) {
		config->policies[config->n_policies] = *jvpn_policy_builtin_at(config->n_policies);
		config->n_policies++;
	}
	for (size_t i = 0; i < count; i++)
		jvpn_config_policy_pair(reader, node->data.mapping.pairs.start + i);
out:
	jvpn_config_path_leave(reader, mark);
}
