// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <sodium.h>

#include "config-read.h"

#define REFUSAL_OCTETS_DEFAULT (16 * 1024 * 1024)

#define FILE_MAX	(64 * 1024 * 1024)
#define MTU_MIN		576
#define MTU_MIN_IPV6	1280
#define MTU_MAX		65439
#define ADDRESSES_MAX	16

static_assert(offsetof(struct jvpn_config_device, n_addresses) ==
	      offsetof(struct jvpn_config_device, addresses) +
	      offsetof(struct jvpn_config_list, count), "addresses and their count");

static const char *const jvpn_config_role_words[] = {
	[JVPN_CONFIG_GATEWAY] = "gateway",
	[JVPN_CONFIG_CLIENT] = "client",
	NULL,
};

static const char *const jvpn_config_level_words[] = {
	[JVPN_LOG_ERROR] = "error",
	[JVPN_LOG_WARNING] = "warning",
	[JVPN_LOG_INFO] = "info",
	[JVPN_LOG_DEBUG] = "debug",
	NULL,
};

static const char *const jvpn_config_sink_words[] = {
	[JVPN_AUDIT_FILE] = "file",
	[JVPN_AUDIT_STDOUT] = "stdout",
	[JVPN_AUDIT_JOURNAL] = "journal",
	NULL,
};

uint32_t jvpn_config_device_number(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return JVPN_CONFIG_NUMBER_BASE | ((hash ^ hash >> 14) & ~JVPN_CONFIG_NUMBER_MASK);
}

uint32_t jvpn_config_mark_mask(uint32_t mark)
{
	return (mark & JVPN_CONFIG_NUMBER_MASK) == JVPN_CONFIG_NUMBER_BASE ?
		       JVPN_CONFIG_NUMBER_MASK : UINT32_MAX;
}

const char *jvpn_config_role_name(enum jvpn_config_role role)
{
	return jvpn_config_role_words[role];
}

static const struct jvpn_config_key jvpn_config_device_keys[] = {
	{ .name = "name", .read = jvpn_config_read_ifname, .size = JVPN_CONFIG_IFNAME,
	  .offset = offsetof(struct jvpn_config_device, name), .example = "name: jvpn0" },
	{ .name = "mtu", .read = jvpn_config_read_u32, .min = MTU_MIN, .max = MTU_MAX,
	  .offset = offsetof(struct jvpn_config_device, mtu),
	  .allowed = "576 to 65439; at least 1280 if IPv6 is used inside",
	  .example = "mtu: 1420" },
	{ .name = "fwmark", .read = jvpn_config_read_u32, .max = UINT32_MAX,
	  .offset = offsetof(struct jvpn_config_device, fwmark),
	  .allowed = "0 (chosen by the device's name) to 0xffffffff", .example = "fwmark: 0x51" },
	{ .name = "addresses", .read = jvpn_config_read_prefixes, .max = ADDRESSES_MAX,
	  .offset = offsetof(struct jvpn_config_device, addresses),
	  .allowed = "a list of addresses with prefix lengths",
	  .example = "addresses: [10.77.0.1/24, 'fd77::1/64']" },
	{ }
};

static void jvpn_config_read_device(struct jvpn_config_reader *reader, yaml_node_t *node,
				    const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config_device *device = field;
	size_t mark;

	(void)key;
	if (!jvpn_config_read_map(reader, node, jvpn_config_device_keys, device))
		return;
	if (reader->config->role != JVPN_CONFIG_CLIENT || !device->n_addresses)
		return;
	mark = jvpn_config_path_enter(reader, "addresses");
	jvpn_config_refuse(reader, jvpn_config_place(reader, node, "addresses"),
			   "nothing here; client.request_addresses asks for an address",
			   "request_addresses: [10.77.0.5]",
			   "a client gets its addresses from the gateway");
	jvpn_config_path_leave(reader, mark);
}

static const struct jvpn_config_key jvpn_config_audit_keys[] = {
	{ .name = "sink", .read = jvpn_config_read_enum, .words = jvpn_config_sink_words,
	  .offset = offsetof(struct jvpn_config_audit, sink),
	  .allowed = "file, stdout, journal", .example = "sink: file" },
	{ .name = "file", .read = jvpn_config_read_path,
	  .offset = offsetof(struct jvpn_config_audit, file),
	  .allowed = "the path of the audit log",
	  .example = "file: /var/log/jvpn/jvpn0.audit" },
	{ .name = "refusal_octets_per_day", .read = jvpn_config_read_u32,
	  .offset = offsetof(struct jvpn_config_audit, refusal_octets_per_day),
	  .max = UINT32_MAX, .allowed = "0 to 4294967295",
	  .example = "refusal_octets_per_day: 16777216" },
	{ }
};

static void jvpn_config_read_audit(struct jvpn_config_reader *reader, yaml_node_t *node,
				   const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config_audit *audit = field;
	size_t mark;

	(void)key;
	if (!jvpn_config_read_map(reader, node, jvpn_config_audit_keys, audit))
		return;
	if (audit->sink == JVPN_AUDIT_FILE || !*audit->file)
		return;
	mark = jvpn_config_path_enter(reader, "file");
	jvpn_config_refuse(reader, jvpn_config_place(reader, node, "file"),
			   "file only with sink: file", "sink: file",
			   "the sink is %s, so nothing would be written here",
			   jvpn_config_sink_words[audit->sink]);
	jvpn_config_path_leave(reader, mark);
}

static void jvpn_config_read_private_key(struct jvpn_config_reader *reader, yaml_node_t *node,
					 const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config *config = field;
	char why[128];

	jvpn_config_read_path(reader, node, key, config->private_key_file);
	if (!jvpn_config_key_file(reader, node, key, config->private_key_file,
				  config->private_key))
		return;
	if (jvpn_keys_derive_public(config->public_key, config->private_key, why, sizeof(why)))
		jvpn_config_refuse_key(reader, node, key, "%s", why);
}

/* For a client's file that is handed over as a whole. */
static void jvpn_config_read_private_key_text(struct jvpn_config_reader *reader, yaml_node_t *node,
					      const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config *config = reader->config;
	const char *text;
	char why[128];

	if (!jvpn_config_scalar(reader, node, key, &text))
		return;
	reader->key_given = true;
	if (jvpn_keys_parse(field, text, strlen(text), why, sizeof(why)) ||
	    jvpn_keys_derive_public(config->public_key, config->private_key, why, sizeof(why)))
		jvpn_config_refuse_key(reader, node, key, "%s", why);
	else if (reader->exposed)
		jvpn_config_refuse_key(reader, node, key,
				       "others can read this file, and the key in it; run 'chmod o-rwx %s'",
				       config->path);
}

static void jvpn_config_key_check(struct jvpn_config_reader *reader, yaml_node_t *root)
{
	size_t mark = jvpn_config_path_enter(reader, "private_key_file");

	if (!reader->key_given && !jvpn_config_find(reader, root, "private_key_file"))
		jvpn_config_refuse(reader, root,
				   "a file of mode 600 with the output of 'jvpnctl genkey'",
				   "private_key_file: /etc/jvpn/private.key",
				   "required, but missing");
	else if (reader->key_given && jvpn_config_find(reader, root, "private_key_file"))
		jvpn_config_refuse(reader, jvpn_config_place(reader, root, "private_key_file"),
				   "one of private_key and private_key_file", NULL,
				   "the key stands in private_key already");
	jvpn_config_path_leave(reader, mark);
}

static void jvpn_config_read_socket(struct jvpn_config_reader *reader, yaml_node_t *node,
				    const struct jvpn_config_key *key, void *field)
{
	jvpn_config_read_path(reader, node, key, field);
	if (strlen(field) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		jvpn_config_refuse_key(reader, node, key,
				       "a socket's path has at most %zu characters, found %zu",
				       sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
				       strlen(field));
}

/* The policies and the role are read beforehand, whatever their place in the file. */
static void jvpn_config_read_nothing(struct jvpn_config_reader *reader, yaml_node_t *node,
				     const struct jvpn_config_key *key, void *field)
{
	(void)reader;
	(void)node;
	(void)key;
	(void)field;
}

static void jvpn_config_section_refuse(struct jvpn_config_reader *reader, yaml_node_t *node)
{
	jvpn_config_refuse(reader, node, "the section of the role only", NULL,
			   "the role is %s, so this section would not be used",
			   jvpn_config_role_name(reader->config->role));
}

static void jvpn_config_read_section_gateway(struct jvpn_config_reader *reader, yaml_node_t *node,
					     const struct jvpn_config_key *key, void *field)
{
	if (reader->config->role == JVPN_CONFIG_GATEWAY)
		jvpn_config_read_gateway(reader, node, key, field);
	else
		jvpn_config_section_refuse(reader, node);
}

static void jvpn_config_read_section_client(struct jvpn_config_reader *reader, yaml_node_t *node,
					    const struct jvpn_config_key *key, void *field)
{
	if (reader->config->role == JVPN_CONFIG_CLIENT)
		jvpn_config_read_client(reader, node, key, field);
	else
		jvpn_config_section_refuse(reader, node);
}

#define TOP(field) offsetof(struct jvpn_config, field)

static const struct jvpn_config_key jvpn_config_role_key = {
	.name = "role", .read = jvpn_config_read_enum, .offset = TOP(role), .required = true,
	.words = jvpn_config_role_words, .allowed = "gateway, client", .example = "role: gateway",
};

static const struct jvpn_config_key jvpn_config_top_keys[] = {
	{ .name = "role", .read = jvpn_config_read_nothing },
	{ .name = "device", .read = jvpn_config_read_device, .offset = TOP(device),
	  .example = "device: {name: jvpn0}" },
	{ .name = "node", .read = jvpn_config_read_name, .offset = TOP(node),
	  .size = JVPN_CONFIG_NAME, .allowed = "a name of at most 63 characters",
	  .example = "node: gw1" },
	{ .name = "private_key", .read = jvpn_config_read_private_key_text, .offset = TOP(private_key),
	  .allowed = "44 characters of base64, in a file that others cannot read; or private_key_file",
	  .example = "private_key_file: /etc/jvpn/private.key" },
	{ .name = "private_key_file", .read = jvpn_config_read_private_key,
	  .allowed = "a file of mode 600 with the output of 'jvpnctl genkey'",
	  .example = "private_key_file: /etc/jvpn/private.key" },
	{ .name = "control_socket", .read = jvpn_config_read_socket, .offset = TOP(control_socket),
	  .allowed = "the path of a socket, at most 107 characters",
	  .example = "control_socket: /run/jvpn/jvpn0.sock" },
	{ .name = "runtime_dir", .read = jvpn_config_read_path, .offset = TOP(runtime_dir),
	  .allowed = "a folder in memory (secrets go there)", .example = "runtime_dir: /run/jvpn" },
	{ .name = "audit", .read = jvpn_config_read_audit, .offset = TOP(audit),
	  .example = "audit: {sink: journal}" },
	{ .name = "log_level", .read = jvpn_config_read_enum, .words = jvpn_config_level_words,
	  .offset = TOP(log_level), .allowed = "error, warning, info, debug",
	  .example = "log_level: info" },
	{ .name = "policies", .read = jvpn_config_read_nothing,
	  .example = "policies: {office: {base: default}}" },
	{ .name = "gateway", .read = jvpn_config_read_section_gateway, .offset = TOP(gateway),
	  .example = "gateway: {listen: [{address: 0.0.0.0}], pools: [10.77.0.0/24], peers: []}" },
	{ .name = "client", .read = jvpn_config_read_section_client, .offset = TOP(client),
	  .example = "client: {transports: auto, gateways: [...]}" },
	{ }
};

/* Text buffers are as large as the default texts need; this keeps the compiler sure of it. */
static void jvpn_config_default_text(char *field, size_t size, const char *format,
				     const char *first, const char *second)
{
	if (*field)
		return;
	if ((size_t)snprintf(field, size, format, first, second) >= size)
		field[0] = '\0';
}

static void jvpn_config_node_default(struct jvpn_config *config)
{
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	/* Names here are narrower than host names may be. */
	host[JVPN_CONFIG_NAME - 1] = '\0';
	jvpn_config_default_text(config->node, sizeof(config->node), "%s%s",
				 jvpn_util_name_valid(host) ? host : "node", "");
}

static void jvpn_config_defaults_early(struct jvpn_config *config)
{
	snprintf(config->device.name, sizeof(config->device.name), "jvpn0");
	config->device.mtu = 1420;
	config->log_level = JVPN_LOG_INFO;
	config->audit.sink = JVPN_AUDIT_FILE;
	config->audit.refusal_octets_per_day = REFUSAL_OCTETS_DEFAULT;
}

static void jvpn_config_defaults_late(struct jvpn_config *config)
{
	jvpn_config_node_default(config);
	jvpn_config_default_text(config->runtime_dir, sizeof(config->runtime_dir), "%s%s",
				 "/run/jvpn", "");
	jvpn_config_default_text(config->control_socket, sizeof(config->control_socket),
				 "%s/%s.sock", config->runtime_dir, config->device.name);
	if (config->audit.sink == JVPN_AUDIT_FILE)
		jvpn_config_default_text(config->audit.file, sizeof(config->audit.file),
					 "%s/%s.audit", "/var/log/jvpn", config->device.name);
}

static bool jvpn_config_prefixes_ipv6(const struct jvpn_prefix *prefixes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (prefixes[i].addr.family == AF_INET6)
			return true;
	return false;
}

static bool jvpn_config_uses_ipv6(const struct jvpn_config *config)
{
	if (config->client.request_ipv6.family == AF_INET6 ||
	    jvpn_config_prefixes_ipv6(config->device.addresses, config->device.n_addresses) ||
	    jvpn_config_prefixes_ipv6(config->gateway.pools, config->gateway.n_pools) ||
	    jvpn_config_prefixes_ipv6(config->client.routes, config->client.n_routes))
		return true;
	for (size_t i = 0; i < config->gateway.n_peers; i++)
		if (jvpn_config_prefixes_ipv6(config->gateway.peers[i].addresses,
					      config->gateway.peers[i].n_addresses))
			return true;
	return false;
}

static void jvpn_config_check_mtu(struct jvpn_config_reader *reader, yaml_node_t *root)
{
	yaml_node_t *device = jvpn_config_place(reader, root, "device");

	if (reader->config->device.mtu >= MTU_MIN_IPV6 || !jvpn_config_uses_ipv6(reader->config))
		return;
	jvpn_config_path_enter(reader, "device.mtu");
	jvpn_config_refuse(reader, jvpn_config_place(reader, device, "mtu"),
			   "at least 1280", "mtu: 1420",
			   "%u is too small for the IPv6 addresses inside the tunnel",
			   reader->config->device.mtu);
	jvpn_config_path_leave(reader, 0);
}

static void jvpn_config_check_section(struct jvpn_config_reader *reader, yaml_node_t *root)
{
	const char *name = jvpn_config_role_name(reader->config->role);
	size_t mark;

	if (jvpn_config_find(reader, root, name))
		return;
	mark = jvpn_config_path_enter(reader, name);
	jvpn_config_refuse(reader, root, "a section of the role's name", NULL,
			   "required because the role is %s, but missing", name);
	jvpn_config_path_leave(reader, mark);
}

static bool jvpn_config_read_role(struct jvpn_config_reader *reader, yaml_node_t *root)
{
	yaml_node_t *node = jvpn_config_find(reader, root, "role");
	size_t before = reader->errors->count;
	size_t mark = jvpn_config_path_enter(reader, "role");

	if (node)
		jvpn_config_read_enum(reader, node, &jvpn_config_role_key, &reader->config->role);
	else
		jvpn_config_refuse_key(reader, root, &jvpn_config_role_key,
				       "required, but missing");
	jvpn_config_path_leave(reader, mark);
	if (reader->errors->count == before)
		return true;
	/* The sections tell what was meant, so that the rest can be checked. */
	reader->config->role = jvpn_config_find(reader, root, "client") &&
		!jvpn_config_find(reader, root, "gateway") ? JVPN_CONFIG_CLIENT :
							     JVPN_CONFIG_GATEWAY;
	return false;
}

static void jvpn_config_read_root(struct jvpn_config_reader *reader, yaml_node_t *root)
{
	struct jvpn_config *config = reader->config;
	bool role_known = false;

	jvpn_config_defaults_early(config);
	if (root->type == YAML_MAPPING_NODE)
		role_known = jvpn_config_read_role(reader, root);
	jvpn_config_read_policies(reader, jvpn_config_find(reader, root, "policies"));
	if (config->role == JVPN_CONFIG_GATEWAY)
		jvpn_config_defaults_gateway(config);
	else
		jvpn_config_defaults_client(config);
	if (!jvpn_config_read_map(reader, root, jvpn_config_top_keys, config))
		return;
	jvpn_config_key_check(reader, root);
	if (role_known)
		jvpn_config_check_section(reader, root);
	jvpn_config_check_mtu(reader, root);
	jvpn_config_check_networks(reader, root);
	if (!config->device.fwmark)
		config->device.fwmark = jvpn_config_device_number(config->device.name);
	jvpn_config_defaults_late(config);
}

/* Files and YAML. */

static void jvpn_config_refuse_file(struct jvpn_config_reader *reader, const char *what)
{
	char problem[PATH_MAX + 256];

	snprintf(problem, sizeof(problem), "cannot read the configuration: %s", what);
	jvpn_config_error_add(reader->errors, 0, 0, NULL, problem, NULL, NULL);
}

static FILE *jvpn_config_open(struct jvpn_config_reader *reader, const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat st;

	if (!file) {
		jvpn_config_refuse_file(reader, strerror(errno));
		return NULL;
	}
	if (!fstat(fileno(file), &st) && !S_ISDIR(st.st_mode) && st.st_size <= FILE_MAX) {
		reader->exposed = st.st_mode & 07;
		return file;
	}
	jvpn_config_refuse_file(reader, S_ISDIR(st.st_mode) ? "it is a folder" :
				"it is larger than 64 MiB");
	fclose(file);
	return NULL;
}

void jvpn_config_refuse_yaml(struct jvpn_config_reader *reader, const yaml_parser_t *parser)
{
	bool reading = parser->error == YAML_READER_ERROR;
	char problem[512];

	snprintf(problem, sizeof(problem), "not YAML: %s%s%s",
		 parser->problem ? parser->problem : "out of memory",
		 parser->context ? ", " : "", parser->context ? parser->context : "");
	jvpn_config_error_add(reader->errors,
			      reading ? 0 : (unsigned int)parser->problem_mark.line + 1,
			      reading ? 0 : (unsigned int)parser->problem_mark.column + 1, NULL,
			      problem, reading ? "UTF-8 text" : NULL, NULL);
}

static void jvpn_config_refuse_second(struct jvpn_config_reader *reader, yaml_parser_t *parser)
{
	yaml_document_t second;

	if (!yaml_parser_load(parser, &second)) {
		jvpn_config_refuse_yaml(reader, parser);
		return;
	}
	if (yaml_document_get_root_node(&second))
		jvpn_config_error_add(reader->errors, (unsigned int)second.start_mark.line + 1,
				      (unsigned int)second.start_mark.column + 1, NULL,
				      "a second document begins here", "one document a file",
				      NULL);
	yaml_document_delete(&second);
}

static void jvpn_config_read_document(struct jvpn_config_reader *reader, yaml_parser_t *parser)
{
	yaml_node_t *root;

	if (!yaml_parser_load(parser, &reader->document)) {
		jvpn_config_refuse_yaml(reader, parser);
		return;
	}
	root = yaml_document_get_root_node(&reader->document);
	if (root)
		jvpn_config_read_root(reader, root);
	else
		jvpn_config_error_add(reader->errors, 1, 1, NULL, "the file is empty",
				      "see jvpn.yaml(5)", "role: gateway");
	if (root)
		jvpn_config_refuse_second(reader, parser);
	yaml_document_delete(&reader->document);
	if (reader->config->role == JVPN_CONFIG_GATEWAY && !reader->errors->count)
		jvpn_config_read_peer_files(reader);
}

static void jvpn_config_read_file(struct jvpn_config_reader *reader, FILE *file)
{
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser)) {
		jvpn_config_refuse_file(reader, "out of memory");
		return;
	}
	yaml_parser_set_input_file(&parser, file);
	jvpn_config_read_document(reader, &parser);
	yaml_parser_delete(&parser);
}

static int jvpn_config_error_compare(const void *left, const void *right)
{
	const struct jvpn_config_error *a = left, *b = right;

	if (a->file || b->file)
		return a->file && b->file ? strcmp(a->file, b->file) : a->file ? 1 : -1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->column < b->column ? -1 : a->column > b->column;
}

static void jvpn_config_begin(const char *path, struct jvpn_config_reader *reader)
{
	char why[128];

	if (strlen(path) >= PATH_MAX)
		jvpn_config_refuse_file(reader, "its path is too long");
	else
		snprintf(reader->config->path, sizeof(reader->config->path), "%s", path);
	if (jvpn_keys_init(why, sizeof(why)))
		jvpn_config_refuse_file(reader, why);
}

struct jvpn_config *jvpn_config_load_flags(const char *path, unsigned int flags,
					   struct jvpn_config_errors *errors)
{
	struct jvpn_config_reader reader = { .errors = errors, .flags = flags };
	FILE *file;

	memset(errors, 0, sizeof(*errors));
	snprintf(errors->file, sizeof(errors->file), "%s", path);
	reader.config = jvpn_config_alloc(&reader, 1, sizeof(*reader.config));
	if (!reader.config)
		return NULL;
	jvpn_config_begin(path, &reader);
	file = errors->count ? NULL : jvpn_config_open(&reader, path);
	if (file) {
		jvpn_config_read_file(&reader, file);
		fclose(file);
	}
	if (!errors->count && !reader.no_memory)
		return reader.config;
	qsort(errors->list, errors->count, sizeof(*errors->list), jvpn_config_error_compare);
	jvpn_config_free(reader.config);
	return NULL;
}

struct jvpn_config *jvpn_config_load(const char *path, struct jvpn_config_errors *errors)
{
	return jvpn_config_load_flags(path, 0, errors);
}

void jvpn_config_free(struct jvpn_config *config)
{
	if (!config)
		return;
	jvpn_config_free_gateway(&config->gateway);
	jvpn_config_free_client(&config->client);
	free(config->device.addresses);
	free(config->policies);
	sodium_memzero(config, sizeof(*config));
	free(config);
}

const struct jvpn_policy_def *jvpn_config_policy_find(const struct jvpn_config *config,
						      const char *name)
{
	for (size_t i = 0; i < config->n_policies; i++)
		if (!strcmp(config->policies[i].name, name))
			return &config->policies[i];
	return NULL;
}

const struct jvpn_config_peer *jvpn_config_peer_find(const struct jvpn_config *config,
						     const uint8_t public_key[JVPN_KEYS_SIZE])
{
	for (size_t i = 0; i < config->gateway.n_peers; i++)
		if (!sodium_memcmp(config->gateway.peers[i].public_key, public_key, JVPN_KEYS_SIZE))
			return &config->gateway.peers[i];
	return NULL;
}
