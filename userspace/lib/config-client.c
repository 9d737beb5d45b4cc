// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config-read.h"

#define GATEWAYS_MAX	64
#define ENDPOINTS_MAX	16
#define TRANSPORTS_MAX	64
#define ROUTES_MAX	1024

#define LIST_CHECK(type, list_, n_list_) \
	static_assert(offsetof(type, n_list_) == offsetof(type, list_) + \
		      offsetof(struct jvpn_config_list, count), #list_ " and its count")
LIST_CHECK(struct jvpn_config_client, gateways, n_gateways);
LIST_CHECK(struct jvpn_config_client, transports, n_transports);
LIST_CHECK(struct jvpn_config_client, routes, n_routes);
LIST_CHECK(struct jvpn_config_remote, endpoints, n_endpoints);

static const char *const jvpn_config_protocol_words[] = {
	[JVPN_CONFIG_UDP4] = "udp4",
	[JVPN_CONFIG_UDP6] = "udp6",
	[JVPN_CONFIG_PROTOCOLS] = NULL,
};

const char *jvpn_config_protocol_name(enum jvpn_config_protocol protocol)
{
	return protocol < JVPN_CONFIG_PROTOCOLS ? jvpn_config_protocol_words[protocol] : "unknown";
}

static const char *const jvpn_config_sources_words[] = {
	[JVPN_CONFIG_SOURCES_ROUTES] = "routes",
	[JVPN_CONFIG_SOURCES_ANY] = "any",
	NULL,
};

static const char *const jvpn_config_inner_words[] = {
	[JVPN_CONFIG_INNER_AUTO] = "auto",
	[JVPN_CONFIG_INNER_NONE] = "none",
	NULL,
};

static const char *const jvpn_config_leak_words[] = {
	[JVPN_CONFIG_LEAK_AUTO] = "auto",
	[JVPN_CONFIG_LEAK_BLOCK] = "block",
	[JVPN_CONFIG_LEAK_ALLOW] = "allow",
	NULL,
};

const char *jvpn_config_leak_name(enum jvpn_config_leak leak)
{
	return jvpn_config_leak_words[leak];
}

const char *jvpn_config_sources_name(enum jvpn_config_sources sources)
{
	return jvpn_config_sources_words[sources];
}

const char *jvpn_config_inner_network_name(enum jvpn_config_inner_network network)
{
	return jvpn_config_inner_words[network];
}

/* Gateways. */

static const void *jvpn_config_endpoint_bytes(const void *item, size_t *size)
{
	const struct jvpn_endpoint *endpoint = item;

	*size = sizeof(*endpoint);
	return endpoint->port ? endpoint : NULL;
}

static void jvpn_config_read_endpoints(struct jvpn_config_reader *reader, yaml_node_t *node,
				       const struct jvpn_config_key *key, void *field)
{
	struct jvpn_endpoint *endpoints;
	struct jvpn_config_list list;

	if (!jvpn_config_list_make(reader, node, key, sizeof(*endpoints), field, &list))
		return;
	endpoints = list.items;
	for (size_t i = 0; i < list.count; i++) {
		yaml_node_t *item = jvpn_config_item(reader, node, i);
		size_t mark = jvpn_config_path_enter_index(reader, i);
		const char *text, *why;

		if (jvpn_config_scalar(reader, item, key, &text) &&
		    jvpn_endpoint_parse(&endpoints[i], text, &why)) {
			jvpn_config_refuse_key(reader, item, key, "'%.60s': %s", text, why);
			endpoints[i].port = 0;
		}
		jvpn_config_path_leave(reader, mark);
	}
	jvpn_config_unique(reader, node, &list, sizeof(*endpoints), jvpn_config_endpoint_bytes,
			   NULL);
}

struct jvpn_config_remote_text {
	struct jvpn_config_remote remote;
	char preshared_key_file[PATH_MAX];
};

#define REMOTE(field) offsetof(struct jvpn_config_remote_text, remote.field)

static const struct jvpn_config_key jvpn_config_remote_keys[] = {
	{ .name = "name", .read = jvpn_config_read_name, .offset = REMOTE(name), .required = true,
	  .size = JVPN_CONFIG_NAME, .allowed = "a name of at most 63 characters",
	  .example = "name: office" },
	{ .name = "public_key", .read = jvpn_config_read_public_key, .offset = REMOTE(public_key),
	  .required = true,
	  .allowed = "44 characters of base64, as 'jvpnctl pubkey' prints at the gateway",
	  .example = "public_key: 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=" },
	{ .name = "preshared_key_file", .read = jvpn_config_read_path,
	  .offset = offsetof(struct jvpn_config_remote_text, preshared_key_file),
	  .allowed = "a file of mode 600 with the output of 'jvpnctl genpsk'",
	  .example = "preshared_key_file: /etc/jvpn/office.psk" },
	{ .name = "endpoints", .read = jvpn_config_read_endpoints, .offset = REMOTE(endpoints),
	  .required = true, .min = 1, .max = ENDPOINTS_MAX,
	  .allowed = "a list of host:port and [IPv6 address]:port",
	  .example = "endpoints: [\"vpn.example.net:51900\", \"[2001:db8::1]:51900\"]" },
	{ }
};

static void jvpn_config_remote_psk(struct jvpn_config_reader *reader, yaml_node_t *node,
				   struct jvpn_config_remote_text *text)
{
	const struct jvpn_config_key *key = &jvpn_config_remote_keys[2];
	size_t mark = jvpn_config_path_enter(reader, key->name);

	text->remote.has_preshared_key = *text->preshared_key_file;
	jvpn_config_key_file(reader, jvpn_config_place(reader, node, key->name), key,
			     text->preshared_key_file, text->remote.preshared_key);
	jvpn_config_path_leave(reader, mark);
}

static void jvpn_config_remote_read(struct jvpn_config_reader *reader, yaml_node_t *node,
				    struct jvpn_config_remote *remote)
{
	struct jvpn_config_remote_text text = { };

	if (!jvpn_config_read_map(reader, node, jvpn_config_remote_keys, &text))
		return;
	jvpn_config_remote_psk(reader, node, &text);
	*remote = text.remote;
	explicit_bzero(&text, sizeof(text));
}

static const void *jvpn_config_remote_name_bytes(const void *item, size_t *size)
{
	const struct jvpn_config_remote *remote = item;

	*size = strlen(remote->name);
	return *size ? remote->name : NULL;
}

static void jvpn_config_read_remotes(struct jvpn_config_reader *reader, yaml_node_t *node,
				     const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config_remote *remotes;
	struct jvpn_config_list list;

	if (!jvpn_config_list_make(reader, node, key, sizeof(*remotes), field, &list))
		return;
	remotes = list.items;
	for (size_t i = 0; i < list.count; i++) {
		size_t mark = jvpn_config_path_enter_index(reader, i);

		jvpn_config_remote_read(reader, jvpn_config_item(reader, node, i), &remotes[i]);
		jvpn_config_path_leave(reader, mark);
	}
	jvpn_config_unique(reader, node, &list, sizeof(*remotes), jvpn_config_remote_name_bytes,
			   "name");
}

/* Transports. */

static const struct jvpn_config_key jvpn_config_transport_keys[] = {
	{ .name = "name", .read = jvpn_config_read_name, .required = true,
	  .offset = offsetof(struct jvpn_config_transport, name), .size = JVPN_CONFIG_NAME,
	  .allowed = "a name of at most 63 characters", .example = "name: wifi" },
	{ .name = "interface", .read = jvpn_config_read_ifname, .required = true,
	  .offset = offsetof(struct jvpn_config_transport, interface),
	  .size = JVPN_CONFIG_IFNAME, .allowed = "the name of a network interface",
	  .example = "interface: wlan0" },
	{ .name = "protocol", .read = jvpn_config_read_enum, .words = jvpn_config_protocol_words,
	  .offset = offsetof(struct jvpn_config_transport, protocol),
	  .allowed = "udp4, udp6", .example = "protocol: udp4" },
	{ .name = "preference", .read = jvpn_config_read_u32,
	  .offset = offsetof(struct jvpn_config_transport, preference), .max = 1000000,
	  .allowed = "0 to 1000000, the higher is preferred", .example = "preference: 100" },
	{ .name = "local_port", .read = jvpn_config_read_u16,
	  .offset = offsetof(struct jvpn_config_transport, local_port), .max = UINT16_MAX,
	  .allowed = "0 (any) to 65535", .example = "local_port: 0" },
	{ }
};

static const void *jvpn_config_transport_name_bytes(const void *item, size_t *size)
{
	const struct jvpn_config_transport *transport = item;

	*size = strlen(transport->name);
	return *size ? transport->name : NULL;
}

static bool jvpn_config_transport_same(const struct jvpn_config_transport *a,
				       const struct jvpn_config_transport *b)
{
	return *a->interface && !strcmp(a->interface, b->interface) &&
	       a->protocol == b->protocol && a->local_port == b->local_port;
}

static void jvpn_config_transport_same_check(struct jvpn_config_reader *reader, yaml_node_t *node,
					     const struct jvpn_config_transport *transports,
					     size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (!jvpn_config_transport_same(&transports[i], &transports[index]))
			continue;
		jvpn_config_refuse(reader, node, "another interface, protocol or local_port", NULL,
				   "the same path as transport '%s'", transports[i].name);
		return;
	}
}

static void jvpn_config_transport_protocol_check(struct jvpn_config_reader *reader,
						 yaml_node_t *node,
						 enum jvpn_config_protocol protocol)
{
	size_t mark;

	if (reader->config->client.allowed_protocols[protocol])
		return;
	mark = jvpn_config_path_enter(reader, "protocol");
	jvpn_config_refuse(reader, jvpn_config_place(reader, node, "protocol"),
			   "a protocol that client.allowed_protocols has", NULL,
			   "%s is not in allowed_protocols",
			   jvpn_config_protocol_name(protocol));
	jvpn_config_path_leave(reader, mark);
}

static void jvpn_config_transport_read(struct jvpn_config_reader *reader, yaml_node_t *node,
				       struct jvpn_config_transport *transports, size_t index)
{
	struct jvpn_config_transport *transport = &transports[index];

	transport->preference = 100;
	if (!jvpn_config_read_map(reader, node, jvpn_config_transport_keys, transport))
		return;
	jvpn_config_transport_same_check(reader, node, transports, index);
	jvpn_config_transport_protocol_check(reader, node, transport->protocol);
}

static bool jvpn_config_transports_auto(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE &&
	       !strcmp((const char *)node->data.scalar.value, "auto");
}

static void jvpn_config_read_transports(struct jvpn_config_reader *reader, yaml_node_t *node,
					const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config_transport *transports;
	struct jvpn_config_list list;

	reader->config->client.transports_auto = jvpn_config_transports_auto(node);
	if (reader->config->client.transports_auto)
		return;
	if (!jvpn_config_list_make(reader, node, key, sizeof(*transports), field, &list))
		return;
	transports = list.items;
	for (size_t i = 0; i < list.count; i++) {
		size_t mark = jvpn_config_path_enter_index(reader, i);

		jvpn_config_transport_read(reader, jvpn_config_item(reader, node, i), transports,
					   i);
		jvpn_config_path_leave(reader, mark);
	}
	jvpn_config_unique(reader, node, &list, sizeof(*transports),
			   jvpn_config_transport_name_bytes, "name");
}

static void jvpn_config_read_protocols(struct jvpn_config_reader *reader, yaml_node_t *node,
				       const struct jvpn_config_key *key, void *field)
{
	bool *allowed = field;

	if (!jvpn_config_sequence(reader, node, key))
		return;
	memset(allowed, 0, JVPN_CONFIG_PROTOCOLS * sizeof(*allowed));
	for (size_t i = 0; i < jvpn_config_length(node); i++) {
		size_t mark = jvpn_config_path_enter_index(reader, i);
		unsigned int protocol = JVPN_CONFIG_PROTOCOLS;

		jvpn_config_read_enum(reader, jvpn_config_item(reader, node, i), key, &protocol);
		if (protocol < JVPN_CONFIG_PROTOCOLS)
			allowed[protocol] = true;
		jvpn_config_path_leave(reader, mark);
	}
}

static void jvpn_config_request_take(struct jvpn_config_reader *reader, yaml_node_t *node,
				     const struct jvpn_config_key *key,
				     struct jvpn_config_client *client,
				     const struct jvpn_addr *addr)
{
	struct jvpn_addr *slot = addr->family == AF_INET ? &client->request_ipv4 :
							   &client->request_ipv6;

	if (slot->family != AF_UNSPEC)
		jvpn_config_refuse_key(reader, node, key, "a second %s address",
				       addr->family == AF_INET ? "IPv4" : "IPv6");
	else
		*slot = *addr;
}

static void jvpn_config_read_request(struct jvpn_config_reader *reader, yaml_node_t *node,
				     const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config_client *client = field;

	if (!jvpn_config_sequence(reader, node, key))
		return;
	for (size_t i = 0; i < jvpn_config_length(node); i++) {
		yaml_node_t *item = jvpn_config_item(reader, node, i);
		size_t mark = jvpn_config_path_enter_index(reader, i);
		struct jvpn_addr addr = { .family = AF_UNSPEC };

		jvpn_config_read_addr(reader, item, key, &addr);
		if (addr.family != AF_UNSPEC)
			jvpn_config_request_take(reader, item, key, client, &addr);
		jvpn_config_path_leave(reader, mark);
	}
}

#define CLIENT(field) offsetof(struct jvpn_config_client, field)

/* Protocols come first: transports and gateways refer to them. */
static const struct jvpn_config_key jvpn_config_client_keys[] = {
	{ .name = "allowed_protocols", .read = jvpn_config_read_protocols,
	  .offset = CLIENT(allowed_protocols), .min = 1, .max = JVPN_CONFIG_PROTOCOLS,
	  .words = jvpn_config_protocol_words, .allowed = "a list of udp4, udp6",
	  .example = "allowed_protocols: [udp4, udp6]" },
	{ .name = "transports", .read = jvpn_config_read_transports, .offset = CLIENT(transports),
	  .min = 1, .max = TRANSPORTS_MAX,
	  .allowed = "'auto' (every usable interface), or a list of {name, interface, protocol, "
	  "preference, local_port}",
	  .example = "transports: [{name: wifi, interface: wlan0, protocol: udp4}]" },
	{ .name = "gateways", .read = jvpn_config_read_remotes, .offset = CLIENT(gateways),
	  .required = true, .min = 1, .max = GATEWAYS_MAX,
	  .allowed = "a list of {name, public_key, preshared_key_file, endpoints}",
	  .example = "gateways: [{name: office, public_key: "
	  "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=, "
	  "endpoints: [\"vpn.example.net:51900\"]}]" },
	{ .name = "routes", .read = jvpn_config_read_networks, .offset = CLIENT(routes),
	  .max = ROUTES_MAX, .allowed = "a list of networks to reach through the tunnel",
	  .example = "routes: [10.0.0.0/8, 'fd00::/8']" },
	{ .name = "accept_sources", .read = jvpn_config_read_enum,
	  .words = jvpn_config_sources_words, .offset = CLIENT(accept_sources),
	  .allowed = "routes (of the routes and the inner network), any",
	  .example = "accept_sources: routes" },
	{ .name = "inner_network", .read = jvpn_config_read_enum,
	  .words = jvpn_config_inner_words, .offset = CLIENT(inner_network),
	  .allowed = "auto (reach the network around the inner address), none",
	  .example = "inner_network: auto" },
	{ .name = "leak", .read = jvpn_config_read_enum, .words = jvpn_config_leak_words,
	  .offset = CLIENT(leak),
	  .allowed = "auto (block for 0.0.0.0/0 and ::/0, allow for other routes), block, allow",
	  .example = "leak: block" },
	{ .name = "request_addresses", .read = jvpn_config_read_request, .max = 2,
	  .allowed = "at most one IPv4 and one IPv6 address",
	  .example = "request_addresses: [10.77.0.5]" },
	{ .name = "max_candidates", .read = jvpn_config_read_u32, .offset = CLIENT(max_candidates),
	  .min = 1, .max = TRANSPORTS_MAX, .allowed = "1 to 64", .example = "max_candidates: 8" },
	{ .name = "policy", .read = jvpn_config_read_policy_ref, .offset = CLIENT(policy),
	  .example = "policy: default" },
	{ }
};

/* Can any transport reach this endpoint? A name may have addresses of either kind. */
static bool jvpn_config_endpoint_usable(const struct jvpn_config_client *client,
					const struct jvpn_endpoint *endpoint)
{
	enum jvpn_config_protocol wanted = endpoint->addr.family == AF_INET6 ? JVPN_CONFIG_UDP6 :
									       JVPN_CONFIG_UDP4;

	if (endpoint->addr.family == AF_UNSPEC)
		return true;
	if (client->transports_auto)
		return client->allowed_protocols[wanted];
	for (size_t i = 0; i < client->n_transports; i++)
		if (client->transports[i].protocol == wanted)
			return true;
	return false;
}

static void jvpn_config_remote_usable_check(struct jvpn_config_reader *reader, yaml_node_t *node,
					    size_t index)
{
	const struct jvpn_config_client *client = &reader->config->client;
	const struct jvpn_config_remote *remote = &client->gateways[index];
	size_t mark;

	if (!remote->n_endpoints || (!client->transports_auto && !client->n_transports))
		return;
	for (size_t i = 0; i < remote->n_endpoints; i++)
		if (!remote->endpoints[i].port ||
		    jvpn_config_endpoint_usable(client, &remote->endpoints[i]))
			return;
	mark = jvpn_config_path_enter_index(reader, index);
	jvpn_config_path_enter(reader, "endpoints");
	jvpn_config_refuse(reader, jvpn_config_place(reader, node, "endpoints"),
			   "at least one endpoint of a protocol that a transport has", NULL,
			   "no transport can reach any of these endpoints (IPv4 and IPv6 do not "
			   "match)");
	jvpn_config_path_leave(reader, mark);
}

void jvpn_config_defaults_client(struct jvpn_config *config)
{
	config->client.transports_auto = true;
	config->client.max_candidates = 8;
	config->client.allowed_protocols[JVPN_CONFIG_UDP4] = true;
	config->client.allowed_protocols[JVPN_CONFIG_UDP6] = true;
	config->client.policy = jvpn_config_policy_find(config, "default");
}

void jvpn_config_read_client(struct jvpn_config_reader *reader, yaml_node_t *node,
			     const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config_client *client = field;
	yaml_node_t *gateways;
	size_t mark;

	(void)key;
	if (!jvpn_config_read_map(reader, node, jvpn_config_client_keys, client))
		return;
	gateways = jvpn_config_find(reader, node, "gateways");
	mark = jvpn_config_path_enter(reader, "gateways");
	for (size_t i = 0; i < client->n_gateways; i++)
		jvpn_config_remote_usable_check(reader, jvpn_config_item(reader, gateways, i), i);
	jvpn_config_path_leave(reader, mark);
}

void jvpn_config_free_client(struct jvpn_config_client *client)
{
	for (size_t i = 0; i < client->n_gateways; i++) {
		explicit_bzero(client->gateways[i].preshared_key, JVPN_KEYS_SIZE);
		free(client->gateways[i].endpoints);
	}
	free(client->gateways);
	free(client->transports);
	free(client->routes);
}
