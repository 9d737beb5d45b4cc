// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "config-read.h"

/* Texts of the user that are repeated in messages are cut here. */
#define SHOWN 40

size_t jvpn_config_path_enter(struct jvpn_config_reader *reader, const char *name)
{
	size_t mark = strlen(reader->path);

	if (name)
		snprintf(reader->path + mark, sizeof(reader->path) - mark, "%s%s",
			 mark ? "." : "", name);
	return mark;
}

size_t jvpn_config_path_enter_index(struct jvpn_config_reader *reader, size_t index)
{
	size_t mark = strlen(reader->path);

	snprintf(reader->path + mark, sizeof(reader->path) - mark, "[%zu]", index);
	return mark;
}

void jvpn_config_path_leave(struct jvpn_config_reader *reader, size_t mark)
{
	reader->path[mark] = '\0';
}

static void jvpn_config_vrefuse(struct jvpn_config_reader *reader, const yaml_node_t *node,
				const char *allowed, const char *example,
				const char *format, va_list args)
{
	char *problem;

	if (vasprintf(&problem, format, args) < 0)
		problem = NULL;
	jvpn_config_error_add(reader->errors, (unsigned int)node->start_mark.line + 1,
			      (unsigned int)node->start_mark.column + 1, reader->path, problem,
			      allowed, example);
	free(problem);
}

void jvpn_config_refuse(struct jvpn_config_reader *reader, const yaml_node_t *node,
			const char *allowed, const char *example, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	jvpn_config_vrefuse(reader, node, allowed, example, format, args);
	va_end(args);
}

void jvpn_config_refuse_key(struct jvpn_config_reader *reader, const yaml_node_t *node,
			    const struct jvpn_config_key *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	jvpn_config_vrefuse(reader, node, key->allowed, key->example, format, args);
	va_end(args);
}

void *jvpn_config_alloc(struct jvpn_config_reader *reader, size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory && !reader->no_memory) {
		reader->no_memory = true;
		jvpn_config_error_add(reader->errors, 0, 0, NULL, "out of memory", NULL, NULL);
	}
	return memory;
}

static const char *jvpn_config_key_text(struct jvpn_config_reader *reader,
					const yaml_node_pair_t *pair)
{
	yaml_node_t *key = yaml_document_get_node(&reader->document, pair->key);

	return key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : NULL;
}

yaml_node_t *jvpn_config_find(struct jvpn_config_reader *reader, yaml_node_t *map,
			      const char *name)
{
	if (map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = map->data.mapping.pairs.start;
	     pair < map->data.mapping.pairs.top; pair++) {
		const char *text = jvpn_config_key_text(reader, pair);

		if (text && !strcmp(text, name))
			return yaml_document_get_node(&reader->document, pair->value);
	}
	return NULL;
}

yaml_node_t *jvpn_config_place(struct jvpn_config_reader *reader, yaml_node_t *map,
			       const char *name)
{
	yaml_node_t *node = name ? jvpn_config_find(reader, map, name) : NULL;

	return node ? node : map;
}

size_t jvpn_config_length(const yaml_node_t *sequence)
{
	return (size_t)(sequence->data.sequence.items.top - sequence->data.sequence.items.start);
}

yaml_node_t *jvpn_config_item(struct jvpn_config_reader *reader, yaml_node_t *sequence,
			      size_t index)
{
	return yaml_document_get_node(&reader->document,
				      sequence->data.sequence.items.start[index]);
}

const char *jvpn_config_describe(const yaml_node_t *node, char *buf, size_t size)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type == YAML_MAPPING_NODE)
		snprintf(buf, size, "a mapping");
	else if (node->type == YAML_SEQUENCE_NODE)
		snprintf(buf, size, "a list");
	else if (!node->data.scalar.length)
		snprintf(buf, size, "nothing");
	else
		snprintf(buf, size, "'%.*s'%s", SHOWN, text, strlen(text) > SHOWN ? "..." : "");
	return buf;
}

/* Unknown keys. */

static const char *jvpn_config_key_guess(const char *word, const struct jvpn_config_key *keys)
{
	const char *names[64];
	size_t count = 0;

	for (; keys->name && count + 1 < JVPN_ARRAY_SIZE(names); keys++)
		names[count++] = keys->name;
	names[count] = NULL;
	return jvpn_util_nearest(word, names);
}

static void jvpn_config_key_list(const struct jvpn_config_key *keys, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (; keys->name && used < size; keys++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
					 keys->name);
}

static const struct jvpn_config_key *jvpn_config_key_match(const char *word,
							   const struct jvpn_config_key *keys)
{
	for (; keys->name; keys++)
		if (!strcmp(keys->name, word))
			return keys;
	return NULL;
}

static void jvpn_config_key_unknown(struct jvpn_config_reader *reader, const yaml_node_t *node,
				    const char *word, const struct jvpn_config_key *keys)
{
	const char *guess = jvpn_config_key_guess(word, keys);
	const struct jvpn_config_key *meant = guess ? jvpn_config_key_match(guess, keys) : NULL;
	char allowed[1024];

	jvpn_config_key_list(keys, allowed, sizeof(allowed));
	if (meant)
		jvpn_config_refuse(reader, node, allowed, meant->example,
				   "unknown key; did you mean '%s'?", meant->name);
	else
		jvpn_config_refuse(reader, node, allowed, NULL, "unknown key");
}

static void jvpn_config_pair_check(struct jvpn_config_reader *reader, yaml_node_t *map,
				   const yaml_node_pair_t *pair,
				   const struct jvpn_config_key *keys)
{
	yaml_node_t *node = yaml_document_get_node(&reader->document, pair->key);
	const char *word = jvpn_config_key_text(reader, pair);
	char shown[SHOWN + 1], found[64];
	size_t mark;

	if (!word) {
		jvpn_config_refuse(reader, node, NULL, NULL, "a key must be a plain word, found %s",
				   jvpn_config_describe(node, found, sizeof(found)));
		return;
	}
	snprintf(shown, sizeof(shown), "%s", word);
	mark = jvpn_config_path_enter(reader, shown);
	if (!jvpn_config_key_match(word, keys)) {
		jvpn_config_key_unknown(reader, node, word, keys);
	} else if (jvpn_config_find(reader, map, word) !=
		   yaml_document_get_node(&reader->document, pair->value)) {
		jvpn_config_refuse(reader, node, "each key once", NULL,
				   "the key stands twice in this mapping");
	}
	jvpn_config_path_leave(reader, mark);
}

static void jvpn_config_key_read(struct jvpn_config_reader *reader, yaml_node_t *map,
				 const struct jvpn_config_key *key, void *target)
{
	yaml_node_t *node = jvpn_config_find(reader, map, key->name);
	size_t mark = jvpn_config_path_enter(reader, key->name);

	if (node)
		key->read(reader, node, key, (char *)target + key->offset);
	else if (key->required)
		jvpn_config_refuse_key(reader, map, key, "required, but missing");
	jvpn_config_path_leave(reader, mark);
}

bool jvpn_config_read_map(struct jvpn_config_reader *reader, yaml_node_t *node,
			  const struct jvpn_config_key *keys, void *target)
{
	char allowed[1024], found[64];

	if (node->type != YAML_MAPPING_NODE) {
		jvpn_config_key_list(keys, allowed, sizeof(allowed));
		jvpn_config_refuse(reader, node, allowed, NULL,
				   "must be a mapping (key: value), found %s",
				   jvpn_config_describe(node, found, sizeof(found)));
		return false;
	}
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++)
		jvpn_config_pair_check(reader, node, pair, keys);
	for (const struct jvpn_config_key *key = keys; key->name; key++)
		jvpn_config_key_read(reader, node, key, target);
	return true;
}

bool jvpn_config_scalar(struct jvpn_config_reader *reader, yaml_node_t *node,
			const struct jvpn_config_key *key, const char **text)
{
	char found[64];

	if (node->type != YAML_SCALAR_NODE || !node->data.scalar.length) {
		jvpn_config_refuse_key(reader, node, key, "must be one value, found %s",
				       jvpn_config_describe(node, found, sizeof(found)));
		return false;
	}
	*text = (const char *)node->data.scalar.value;
	if (strlen(*text) != node->data.scalar.length) {
		jvpn_config_refuse_key(reader, node, key, "must not contain a NUL character");
		return false;
	}
	return true;
}

bool jvpn_config_sequence(struct jvpn_config_reader *reader, yaml_node_t *node,
			  const struct jvpn_config_key *key)
{
	char found[64];

	if (node->type != YAML_SEQUENCE_NODE) {
		jvpn_config_refuse_key(reader, node, key, "must be a list, found %s",
				       jvpn_config_describe(node, found, sizeof(found)));
		return false;
	}
	if (jvpn_config_length(node) < key->min) {
		jvpn_config_refuse_key(reader, node, key, "must have at least %llu element%s",
				       (unsigned long long)key->min, key->min == 1 ? "" : "s");
		return false;
	}
	if (key->max && jvpn_config_length(node) > key->max) {
		jvpn_config_refuse_key(reader, node, key,
				       "must have at most %llu elements, found %zu",
				       (unsigned long long)key->max, jvpn_config_length(node));
		return false;
	}
	return true;
}

bool jvpn_config_list_make(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, size_t item_size, void *field,
			   struct jvpn_config_list *list)
{
	if (!jvpn_config_sequence(reader, node, key))
		return false;
	list->count = jvpn_config_length(node);
	list->items = jvpn_config_alloc(reader, list->count, item_size);
	if (!list->items)
		return false;
	memcpy(field, list, sizeof(*list));
	return true;
}

void jvpn_config_read_text(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, void *field)
{
	const char *text;

	if (!jvpn_config_scalar(reader, node, key, &text))
		return;
	if (strlen(text) >= key->size)
		jvpn_config_refuse_key(reader, node, key, "at most %zu characters, found %zu",
				       key->size - 1, strlen(text));
	else
		memcpy(field, text, strlen(text) + 1);
}

void jvpn_config_read_name(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, void *field)
{
	const char *text;

	if (!jvpn_config_scalar(reader, node, key, &text))
		return;
	if (jvpn_util_name_valid(text))
		jvpn_config_read_text(reader, node, key, field);
	else
		jvpn_config_refuse(reader, node,
				   "letters, digits, '.', '_' and '-', a letter or digit first",
				   key->example, "'%.*s' is not a name", SHOWN, text);
}

void jvpn_config_read_ifname(struct jvpn_config_reader *reader, yaml_node_t *node,
			     const struct jvpn_config_key *key, void *field)
{
	const char *text;

	if (!jvpn_config_scalar(reader, node, key, &text))
		return;
	if (jvpn_util_ifname_valid(text))
		jvpn_config_read_text(reader, node, key, field);
	else
		jvpn_config_refuse(reader, node,
				   "1 to 15 printable characters without '/', ':' and blanks",
				   key->example, "'%.*s' is not an interface name", SHOWN, text);
}

bool jvpn_config_path_resolve(const struct jvpn_config_reader *reader, const char *text,
			      char *path, size_t size)
{
	const char *slash = strrchr(reader->config->path, '/');
	int folder = text[0] != '/' && slash ? (int)(slash - reader->config->path) + 1 : 0;

	return (size_t)snprintf(path, size, "%.*s%s", folder, reader->config->path, text) < size;
}

void jvpn_config_read_path(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, void *field)
{
	const char *text;

	if (!jvpn_config_scalar(reader, node, key, &text))
		return;
	if (!jvpn_config_path_resolve(reader, text, field, PATH_MAX))
		jvpn_config_refuse_key(reader, node, key, "the path is longer than %d characters",
				       PATH_MAX - 1);
}

bool jvpn_config_number(struct jvpn_config_reader *reader, yaml_node_t *node,
			const struct jvpn_config_key *key, uint64_t *value)
{
	const char *text;
	char found[64];
	bool octal;

	if (!jvpn_config_scalar(reader, node, key, &text))
		return false;
	/* YAML 1.1 takes 010 for 8, YAML 1.2 for 10: better neither. */
	octal = text[0] == '0' && text[1] && text[1] != 'x' && text[1] != 'X';
	if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || octal ||
	    !jvpn_util_number_parse(text, UINT64_MAX, value)) {
		jvpn_config_refuse_key(reader, node, key, "must be a whole number%s, found %s",
				       octal ? " without leading zeros" :
				       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ?
				       "" : " without quotes",
				       jvpn_config_describe(node, found, sizeof(found)));
		return false;
	}
	if (*value < key->min || *value > key->max) {
		jvpn_config_refuse_key(reader, node, key, "%s is out of range", text);
		return false;
	}
	return true;
}

void jvpn_config_read_u32(struct jvpn_config_reader *reader, yaml_node_t *node,
			  const struct jvpn_config_key *key, void *field)
{
	uint64_t value;

	if (jvpn_config_number(reader, node, key, &value))
		*(uint32_t *)field = (uint32_t)value;
}

void jvpn_config_read_u16(struct jvpn_config_reader *reader, yaml_node_t *node,
			  const struct jvpn_config_key *key, void *field)
{
	uint64_t value;

	if (jvpn_config_number(reader, node, key, &value))
		*(uint16_t *)field = (uint16_t)value;
}

void jvpn_config_read_enum(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, void *field)
{
	const char *text, *guess;

	if (!jvpn_config_scalar(reader, node, key, &text))
		return;
	for (unsigned int i = 0; key->words[i]; i++) {
		if (!strcmp(key->words[i], text)) {
			*(unsigned int *)field = i;
			return;
		}
	}
	guess = jvpn_util_nearest(text, key->words);
	jvpn_config_refuse_key(reader, node, key, "'%.*s' is not known%s%s%s", SHOWN, text,
			       guess ? "; did you mean '" : "", guess ? guess : "",
			       guess ? "'?" : "");
}

void jvpn_config_read_public_key(struct jvpn_config_reader *reader, yaml_node_t *node,
				 const struct jvpn_config_key *key, void *field)
{
	const char *text;
	char why[128];

	if (!jvpn_config_scalar(reader, node, key, &text))
		return;
	/* The text is not repeated: somebody will paste a private key here one day. */
	if (jvpn_keys_parse_public(field, text, strlen(text), why, sizeof(why)))
		jvpn_config_refuse_key(reader, node, key, "%s", why);
}

bool jvpn_config_key_file(struct jvpn_config_reader *reader, yaml_node_t *node,
			  const struct jvpn_config_key *key, const char *path, uint8_t *secret)
{
	char why[PATH_MAX + 256];

	if (!*path || (reader->flags & JVPN_CONFIG_NO_KEY_FILES))
		return false;
	if (!jvpn_keys_read_file(secret, path, why, sizeof(why)))
		return true;
	reader->errors->missing += access(path, F_OK) && errno == ENOENT;
	jvpn_config_refuse_key(reader, node, key, "%s", why);
	return false;
}

void jvpn_config_read_addr(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, void *field)
{
	const char *text, *why;

	if (!jvpn_config_scalar(reader, node, key, &text))
		return;
	if (jvpn_addr_parse(field, text, &why))
		jvpn_config_refuse_key(reader, node, key, "'%.*s': %s", SHOWN, text, why);
}

typedef void (*jvpn_config_prefix_check_fn)(struct jvpn_config_reader *reader,
					    yaml_node_t *node,
					    const struct jvpn_config_key *key,
					    const struct jvpn_prefix *prefix);

static void jvpn_config_prefix_read(struct jvpn_config_reader *reader, yaml_node_t *node,
				    const struct jvpn_config_key *key,
				    struct jvpn_prefix *prefix,
				    jvpn_config_prefix_check_fn check)
{
	const char *text, *why;

	if (!jvpn_config_scalar(reader, node, key, &text))
		return;
	if (jvpn_prefix_parse(prefix, text, &why))
		jvpn_config_refuse_key(reader, node, key, "'%.*s': %s", SHOWN, text, why);
	else if (check)
		check(reader, node, key, prefix);
}

static const void *jvpn_config_prefix_bytes(const void *item, size_t *size)
{
	const struct jvpn_prefix *prefix = item;

	*size = sizeof(*prefix);
	return prefix->addr.family == AF_UNSPEC ? NULL : prefix;
}

static void jvpn_config_prefix_list(struct jvpn_config_reader *reader, yaml_node_t *node,
				    const struct jvpn_config_key *key, void *field,
				    jvpn_config_prefix_check_fn check)
{
	struct jvpn_config_list list;
	struct jvpn_prefix *prefixes;

	if (!jvpn_config_list_make(reader, node, key, sizeof(*prefixes), field, &list))
		return;
	prefixes = list.items;
	for (size_t i = 0; i < list.count; i++) {
		size_t mark = jvpn_config_path_enter_index(reader, i);

		jvpn_config_prefix_read(reader, jvpn_config_item(reader, node, i), key,
					&prefixes[i], check);
		jvpn_config_path_leave(reader, mark);
	}
	jvpn_config_unique(reader, node, &list, sizeof(*prefixes), jvpn_config_prefix_bytes, NULL);
}

static void jvpn_config_network_check(struct jvpn_config_reader *reader, yaml_node_t *node,
				      const struct jvpn_config_key *key,
				      const struct jvpn_prefix *prefix)
{
	struct jvpn_prefix network = *prefix;
	char text[JVPN_ADDR_TEXT];

	if (!jvpn_prefix_has_host_bits(prefix))
		return;
	for (unsigned int bit = prefix->length; bit < jvpn_addr_bits(&prefix->addr); bit++)
		network.addr.bytes[bit / 8] &= (uint8_t)~(0x80 >> (bit % 8));
	jvpn_config_refuse_key(reader, node, key,
			       "has bits set beyond its length; the network is %s",
			       jvpn_prefix_format(&network, text, sizeof(text)));
}

static void jvpn_config_host_check(struct jvpn_config_reader *reader, yaml_node_t *node,
				   const struct jvpn_config_key *key,
				   const struct jvpn_prefix *prefix)
{
	if (!jvpn_prefix_is_host(prefix))
		jvpn_config_refuse_key(reader, node, key,
				       "must be a single address, found a network; networks "
				       "behind a peer go into allowed_prefixes");
}

void jvpn_config_read_prefixes(struct jvpn_config_reader *reader, yaml_node_t *node,
			       const struct jvpn_config_key *key, void *field)
{
	jvpn_config_prefix_list(reader, node, key, field, NULL);
}

void jvpn_config_read_networks(struct jvpn_config_reader *reader, yaml_node_t *node,
			       const struct jvpn_config_key *key, void *field)
{
	jvpn_config_prefix_list(reader, node, key, field, jvpn_config_network_check);
}

void jvpn_config_read_hosts(struct jvpn_config_reader *reader, yaml_node_t *node,
			    const struct jvpn_config_key *key, void *field)
{
	jvpn_config_prefix_list(reader, node, key, field, jvpn_config_host_check);
}

static const char *jvpn_config_policy_guess(const struct jvpn_config *config, const char *word)
{
	const char **names = calloc(config->n_policies + 1, sizeof(*names));
	const char *guess = NULL;

	if (!names)
		return NULL;
	for (size_t i = 0; i < config->n_policies; i++)
		names[i] = config->policies[i].name;
	guess = jvpn_util_nearest(word, names);
	free(names);
	return guess;
}

static void jvpn_config_policy_names(const struct jvpn_config *config, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < config->n_policies && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
					 config->policies[i].name);
}

void jvpn_config_read_policy_ref(struct jvpn_config_reader *reader, yaml_node_t *node,
				 const struct jvpn_config_key *key, void *field)
{
	const struct jvpn_policy_def *policy;
	const char *text, *guess;
	char names[512];

	if (!jvpn_config_scalar(reader, node, key, &text))
		return;
	policy = jvpn_config_policy_find(reader->config, text);
	if (policy) {
		*(const struct jvpn_policy_def **)field = policy;
		return;
	}
	jvpn_config_policy_names(reader->config, names, sizeof(names));
	guess = jvpn_config_policy_guess(reader->config, text);
	jvpn_config_refuse(reader, node, names, key->example, "no policy is named '%.*s'%s%s%s",
			   SHOWN, text, guess ? "; did you mean '" : "", guess ? guess : "",
			   guess ? "'?" : "");
}

/* Doubles. */

struct jvpn_config_entry {
	const void *bytes;
	size_t size;
	size_t index;
};

static int jvpn_config_entry_compare(const void *left, const void *right)
{
	const struct jvpn_config_entry *a = left, *b = right;
	int order;

	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	order = memcmp(a->bytes, b->bytes, a->size);
	if (order)
		return order;
	return a->index < b->index ? -1 : a->index > b->index;
}

static void jvpn_config_double_report(struct jvpn_config_reader *reader, yaml_node_t *sequence,
				      const struct jvpn_config_entry *first,
				      const struct jvpn_config_entry *second, const char *name)
{
	yaml_node_t *item = jvpn_config_item(reader, sequence, second->index);
	size_t mark = jvpn_config_path_enter_index(reader, second->index);

	jvpn_config_path_enter(reader, name);
	jvpn_config_refuse(reader, jvpn_config_place(reader, item, name), "each value once", NULL,
			   "the same as in element [%zu], line %zu", first->index,
			   jvpn_config_item(reader, sequence, first->index)->start_mark.line + 1);
	jvpn_config_path_leave(reader, mark);
}

void jvpn_config_unique(struct jvpn_config_reader *reader, yaml_node_t *sequence,
			const struct jvpn_config_list *list, size_t item_size,
			jvpn_config_bytes_fn bytes_of, const char *name)
{
	struct jvpn_config_entry *entries, *first;
	size_t count = 0;

	entries = jvpn_config_alloc(reader, list->count, sizeof(*entries));
	if (!entries)
		return;
	for (size_t i = 0; i < list->count; i++) {
		struct jvpn_config_entry *entry = &entries[count];

		entry->index = i;
		entry->bytes = bytes_of((const char *)list->items + i * item_size, &entry->size);
		count += entry->bytes != NULL;
	}
	qsort(entries, count, sizeof(*entries), jvpn_config_entry_compare);
	first = entries;
	for (size_t i = 1; i < count; i++) {
		if (entries[i].size == first->size &&
		    !memcmp(entries[i].bytes, first->bytes, first->size))
			jvpn_config_double_report(reader, sequence, first, &entries[i], name);
		else
			first = &entries[i];
	}
	free(entries);
}
