// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <linux/jvpn.h>

#include "config-read.h"

#define LISTEN_MAX	64
#define PREFIXES_MAX	64	/* of a session, as many as the kernel takes */
#define PEERS_MAX	65536
#define PORT_DEFAULT	51900

static_assert(JVPN_CONFIG_NAME <= JVPN_LABEL_SIZE, "a peer's name is its sessions' label");

/* A list and its count stand together, as jvpn_config_list_make() stores them. */
#define LIST_CHECK(type, list_, n_list_) \
	static_assert(offsetof(type, n_list_) == offsetof(type, list_) + \
		      offsetof(struct jvpn_config_list, count), #list_ " and its count")
LIST_CHECK(struct jvpn_config_gateway, listen, n_listen);
LIST_CHECK(struct jvpn_config_gateway, pools, n_pools);
LIST_CHECK(struct jvpn_config_gateway, peers, n_peers);
LIST_CHECK(struct jvpn_config_peer, addresses, n_addresses);
LIST_CHECK(struct jvpn_config_peer, allowed_prefixes, n_allowed_prefixes);

/* A peer as the file has it: its fields, and the name of the file of its key. */
struct jvpn_config_peer_text {
	struct jvpn_config_peer peer;
	char preshared_key_file[PATH_MAX];
};

#define PEER(field) offsetof(struct jvpn_config_peer_text, peer.field)

static const struct jvpn_config_key jvpn_config_peer_keys[] = {
	{ .name = "name", .read = jvpn_config_read_name, .offset = PEER(name), .required = true,
	  .size = JVPN_CONFIG_NAME, .allowed = "a name of at most 63 characters",
	  .example = "name: alice" },
	{ .name = "public_key", .read = jvpn_config_read_public_key, .offset = PEER(public_key),
	  .required = true,
	  .allowed = "44 characters of base64, as 'jvpnctl pubkey' prints at the peer",
	  .example = "public_key: 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=" },
	{ .name = "preshared_key_file", .read = jvpn_config_read_path,
	  .offset = offsetof(struct jvpn_config_peer_text, preshared_key_file),
	  .allowed = "a file of mode 600 with the output of 'jvpnctl genpsk'",
	  .example = "preshared_key_file: /etc/jvpn/alice.psk" },
	{ .name = "addresses", .read = jvpn_config_read_hosts, .offset = PEER(addresses),
	  .max = PREFIXES_MAX, .allowed = "a list of single inner addresses",
	  .example = "addresses: [10.77.0.5, 'fd77::5']" },
	{ .name = "allowed_prefixes", .read = jvpn_config_read_networks,
	  .offset = PEER(allowed_prefixes), .max = PREFIXES_MAX,
	  .allowed = "a list of networks behind the peer",
	  .example = "allowed_prefixes: [192.168.5.0/24]" },
	{ .name = "policy", .read = jvpn_config_read_policy_ref, .offset = PEER(policy),
	  .example = "policy: default" },
	{ .name = "max_sessions", .read = jvpn_config_read_u32, .offset = PEER(max_sessions),
	  .min = 1, .max = 1024, .allowed = "1 to 1024", .example = "max_sessions: 1" },
	{ }
};

static const void *jvpn_config_peer_name_bytes(const void *item, size_t *size)
{
	const struct jvpn_config_peer *peer = item;

	*size = strlen(peer->name);
	return *size ? peer->name : NULL;
}

static const void *jvpn_config_peer_key_bytes(const void *item, size_t *size)
{
	static const uint8_t none[JVPN_KEYS_SIZE];
	const struct jvpn_config_peer *peer = item;

	*size = sizeof(peer->public_key);
	return memcmp(peer->public_key, none, sizeof(none)) ? peer->public_key : NULL;
}

static void jvpn_config_peer_sessions_check(struct jvpn_config_reader *reader, yaml_node_t *node,
					    const struct jvpn_config_peer *peer)
{
	size_t mark;

	if (peer->max_sessions <= 1 || !peer->n_addresses)
		return;
	mark = jvpn_config_path_enter(reader, "max_sessions");
	jvpn_config_refuse(reader, jvpn_config_place(reader, node, "max_sessions"),
			   "1, or no fixed addresses (they then come from the pools)",
			   "max_sessions: 1",
			   "two sessions cannot own the same fixed address");
	jvpn_config_path_leave(reader, mark);
}

static void jvpn_config_peer_psk(struct jvpn_config_reader *reader, yaml_node_t *node,
				 struct jvpn_config_peer_text *text)
{
	const struct jvpn_config_key *key = &jvpn_config_peer_keys[2];
	size_t mark = jvpn_config_path_enter(reader, key->name);

	text->peer.has_preshared_key = *text->preshared_key_file;
	jvpn_config_key_file(reader, jvpn_config_place(reader, node, key->name), key,
			     text->preshared_key_file, text->peer.preshared_key);
	jvpn_config_path_leave(reader, mark);
}

static void jvpn_config_peer_read(struct jvpn_config_reader *reader, yaml_node_t *node,
				  struct jvpn_config_peer *peer)
{
	const struct jvpn_config_gateway *gateway = &reader->config->gateway;
	size_t before = reader->errors->count;
	struct jvpn_config_peer_text text = {
		.peer = { .policy = gateway->default_policy, .max_sessions = 1 },
	};

	if (!jvpn_config_read_map(reader, node, jvpn_config_peer_keys, &text))
		return;
	jvpn_config_peer_psk(reader, node, &text);
	jvpn_config_peer_sessions_check(reader, node, &text.peer);
	if (reader->errors->count == before && !text.peer.n_addresses && !gateway->n_pools)
		jvpn_config_refuse(reader, node, "addresses here, or gateway.pools",
				   "addresses: [10.77.0.5]",
				   "the peer has no addresses, and there are no pools "
				   "to take one from");
	*peer = text.peer;
	explicit_bzero(&text, sizeof(text));
}

/* One inner prefix belongs to one session, so to one peer. */

struct jvpn_config_owner {
	struct jvpn_prefix prefix;
	size_t peer;
	size_t index;
	bool fixed;		/* of addresses, else of allowed_prefixes */
};

static int jvpn_config_owner_compare(const void *left, const void *right)
{
	const struct jvpn_config_owner *a = left, *b = right;
	int order = memcmp(&a->prefix, &b->prefix, sizeof(a->prefix));

	if (order)
		return order;
	return a->peer < b->peer ? -1 : a->peer > b->peer;
}

static void jvpn_config_owner_report(struct jvpn_config_reader *reader, yaml_node_t *peers,
				     const struct jvpn_config_owner *first,
				     const struct jvpn_config_owner *second)
{
	const char *list = second->fixed ? "addresses" : "allowed_prefixes";
	yaml_node_t *peer = jvpn_config_item(reader, peers, second->peer);
	yaml_node_t *sequence = jvpn_config_place(reader, peer, list);
	size_t mark = jvpn_config_path_enter_index(reader, second->peer);

	jvpn_config_path_enter(reader, list);
	jvpn_config_path_enter_index(reader, second->index);
	jvpn_config_refuse(reader, jvpn_config_item(reader, sequence, second->index),
			   "each address and prefix at one peer", NULL,
			   "peer '%s' has it already (line %zu)",
			   reader->config->gateway.peers[first->peer].name,
			   jvpn_config_item(reader, peers, first->peer)->start_mark.line + 1);
	jvpn_config_path_leave(reader, mark);
}

static size_t jvpn_config_owner_fill(const struct jvpn_config_gateway *gateway,
				     struct jvpn_config_owner *owners)
{
	size_t count = 0;

	for (size_t i = 0; i < gateway->n_peers; i++) {
		const struct jvpn_config_peer *peer = &gateway->peers[i];

		for (size_t j = 0; j < peer->n_addresses; j++)
			owners[count++] = (struct jvpn_config_owner) {
				peer->addresses[j], i, j, true };
		for (size_t j = 0; j < peer->n_allowed_prefixes; j++)
			owners[count++] = (struct jvpn_config_owner) {
				peer->allowed_prefixes[j], i, j, false };
	}
	return count;
}

static void jvpn_config_owners_check(struct jvpn_config_reader *reader, yaml_node_t *peers)
{
	const struct jvpn_config_gateway *gateway = &reader->config->gateway;
	struct jvpn_config_owner *owners;
	size_t count = 0;

	for (size_t i = 0; i < gateway->n_peers; i++)
		count += gateway->peers[i].n_addresses + gateway->peers[i].n_allowed_prefixes;
	owners = jvpn_config_alloc(reader, count, sizeof(*owners));
	if (!owners)
		return;
	count = jvpn_config_owner_fill(gateway, owners);
	qsort(owners, count, sizeof(*owners), jvpn_config_owner_compare);
	for (size_t i = 1; i < count; i++)
		if (owners[i].prefix.addr.family != AF_UNSPEC &&
		    owners[i].peer != owners[i - 1].peer &&
		    !memcmp(&owners[i].prefix, &owners[i - 1].prefix, sizeof(owners->prefix)))
			jvpn_config_owner_report(reader, peers, &owners[i - 1], &owners[i]);
	free(owners);
}

/* Nobody gets an address that the gateway itself has. */
static void jvpn_config_peer_own_check(struct jvpn_config_reader *reader, yaml_node_t *node,
				       const struct jvpn_config_peer *peer)
{
	const struct jvpn_config_device *device = &reader->config->device;
	yaml_node_t *addresses = jvpn_config_find(reader, node, "addresses");

	for (size_t i = 0; i < peer->n_addresses; i++) {
		for (size_t j = 0; j < device->n_addresses; j++) {
			size_t mark;

			if (!jvpn_addr_equal(&peer->addresses[i].addr, &device->addresses[j].addr))
				continue;
			mark = jvpn_config_path_enter(reader, "addresses");
			jvpn_config_path_enter_index(reader, i);
			jvpn_config_refuse(reader, jvpn_config_item(reader, addresses, i),
					   "an address that device.addresses does not have", NULL,
					   "this is the gateway's own address");
			jvpn_config_path_leave(reader, mark);
		}
	}
}

/*
 * One owner for each address. A pool's addresses are given to whoever comes; the gateway's own are
 * its own. A default route through a peer is no owner of anything in particular.
 */

static void jvpn_config_network_refuse(struct jvpn_config_reader *reader, yaml_node_t *item,
				       const struct jvpn_prefix *other, const yaml_node_t *place,
				       const char *what)
{
	char text[JVPN_ADDR_TEXT];

	jvpn_config_refuse(reader, item, "networks that overlap neither gateway.pools nor "
			   "device.addresses, or the default route", NULL,
			   "overlaps %s %s (line %zu): its addresses would have two owners", what,
			   jvpn_prefix_format(other, text, sizeof(text)),
			   place->start_mark.line + 1);
}

static void jvpn_config_network_check(struct jvpn_config_reader *reader, yaml_node_t *root,
				      yaml_node_t *item, const struct jvpn_prefix *network)
{
	const struct jvpn_config *config = reader->config;
	yaml_node_t *pools = jvpn_config_place(reader, jvpn_config_place(reader, root, "gateway"),
					       "pools");
	yaml_node_t *device = jvpn_config_place(reader, jvpn_config_place(reader, root, "device"),
						"addresses");

	if (network->addr.family == AF_UNSPEC || !network->length)
		return;
	for (size_t i = 0; i < config->gateway.n_pools; i++)
		if (config->gateway.pools[i].addr.family != AF_UNSPEC &&
		    jvpn_prefix_overlaps(network, &config->gateway.pools[i]))
			jvpn_config_network_refuse(reader, item, &config->gateway.pools[i],
						   jvpn_config_item(reader, pools, i),
						   "the pool");
	for (size_t i = 0; i < config->device.n_addresses; i++)
		if (jvpn_prefix_contains(network, &config->device.addresses[i].addr))
			jvpn_config_network_refuse(reader, item, &config->device.addresses[i],
						   jvpn_config_item(reader, device, i),
						   "the gateway's own");
}

static void jvpn_config_networks_check(struct jvpn_config_reader *reader, yaml_node_t *root,
				       yaml_node_t *node, const struct jvpn_config_peer *peer)
{
	yaml_node_t *networks = jvpn_config_find(reader, node, "allowed_prefixes");
	size_t mark = jvpn_config_path_enter(reader, "allowed_prefixes");

	for (size_t i = 0; i < peer->n_allowed_prefixes; i++) {
		size_t inner = jvpn_config_path_enter_index(reader, i);

		jvpn_config_network_check(reader, root, jvpn_config_item(reader, networks, i),
					  &peer->allowed_prefixes[i]);
		jvpn_config_path_leave(reader, inner);
	}
	jvpn_config_path_leave(reader, mark);
}

void jvpn_config_check_networks(struct jvpn_config_reader *reader, yaml_node_t *root)
{
	const struct jvpn_config_gateway *gateway = &reader->config->gateway;
	yaml_node_t *peers = jvpn_config_place(reader, jvpn_config_place(reader, root, "gateway"),
					       "peers");
	size_t mark = jvpn_config_path_enter(reader, "gateway.peers");

	for (size_t i = 0; i < gateway->n_peers; i++) {
		size_t inner = jvpn_config_path_enter_index(reader, i);

		jvpn_config_networks_check(reader, root, jvpn_config_item(reader, peers, i),
					   &gateway->peers[i]);
		jvpn_config_path_leave(reader, inner);
	}
	jvpn_config_path_leave(reader, mark);
}

static void jvpn_config_read_endpoint(struct jvpn_config_reader *reader, yaml_node_t *node,
				      const struct jvpn_config_key *key, void *field)
{
	struct jvpn_endpoint endpoint;
	const char *text, *why;

	if (!jvpn_config_scalar(reader, node, key, &text))
		return;
	if (jvpn_endpoint_parse(&endpoint, text, &why))
		jvpn_config_refuse_key(reader, node, key, "'%s' is no endpoint: %s", text, why);
	else
		jvpn_config_read_text(reader, node, key, field);
}

void jvpn_config_read_peer(struct jvpn_config_reader *reader, yaml_node_t *node,
			   struct jvpn_config_peer *peer)
{
	jvpn_config_peer_read(reader, node, peer);
	jvpn_config_peer_own_check(reader, node, peer);
}

static void jvpn_config_read_peers(struct jvpn_config_reader *reader, yaml_node_t *node,
				   const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config_peer *peers;
	struct jvpn_config_list list;

	if (!jvpn_config_list_make(reader, node, key, sizeof(*peers), field, &list))
		return;
	peers = list.items;
	for (size_t i = 0; i < list.count; i++) {
		yaml_node_t *item = jvpn_config_item(reader, node, i);
		size_t mark = jvpn_config_path_enter_index(reader, i);

		jvpn_config_read_peer(reader, item, &peers[i]);
		jvpn_config_path_leave(reader, mark);
	}
	jvpn_config_unique(reader, node, &list, sizeof(*peers), jvpn_config_peer_name_bytes,
			   "name");
	jvpn_config_unique(reader, node, &list, sizeof(*peers), jvpn_config_peer_key_bytes,
			   "public_key");
	jvpn_config_owners_check(reader, node);
}

static const struct jvpn_config_key jvpn_config_listen_keys[] = {
	{ .name = "address", .read = jvpn_config_read_addr,
	  .offset = offsetof(struct jvpn_config_listen, address), .required = true,
	  .allowed = "an address of this host, 0.0.0.0 for all of IPv4, '::' for all of IPv6",
	  .example = "address: 0.0.0.0" },
	{ .name = "port", .read = jvpn_config_read_u16,
	  .offset = offsetof(struct jvpn_config_listen, port), .min = 1, .max = UINT16_MAX,
	  .allowed = "1 to 65535", .example = "port: 51900" },
	{ .name = "interface", .read = jvpn_config_read_ifname, .size = JVPN_CONFIG_IFNAME,
	  .offset = offsetof(struct jvpn_config_listen, interface),
	  .example = "interface: eth0" },
	{ }
};

static const void *jvpn_config_listen_bytes(const void *item, size_t *size)
{
	const struct jvpn_config_listen *listen = item;

	*size = sizeof(*listen);
	return listen->address.family == AF_UNSPEC ? NULL : listen;
}

static void jvpn_config_read_listen(struct jvpn_config_reader *reader, yaml_node_t *node,
				    const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config_listen *listen;
	struct jvpn_config_list list;

	if (!jvpn_config_list_make(reader, node, key, sizeof(*listen), field, &list))
		return;
	listen = list.items;
	for (size_t i = 0; i < list.count; i++) {
		size_t mark = jvpn_config_path_enter_index(reader, i);

		listen[i].port = PORT_DEFAULT;
		jvpn_config_read_map(reader, jvpn_config_item(reader, node, i),
				     jvpn_config_listen_keys, &listen[i]);
		jvpn_config_path_leave(reader, mark);
	}
	jvpn_config_unique(reader, node, &list, sizeof(*listen), jvpn_config_listen_bytes, NULL);
}

static void jvpn_config_read_pools(struct jvpn_config_reader *reader, yaml_node_t *node,
				   const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config_gateway *gateway = &reader->config->gateway;

	jvpn_config_read_networks(reader, node, key, field);
	for (size_t i = 1; i < gateway->n_pools; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct jvpn_prefix *a = &gateway->pools[i], *b = &gateway->pools[j];
			size_t mark;

			if (a->addr.family == AF_UNSPEC || !memcmp(a, b, sizeof(*a)) ||
			    !jvpn_prefix_overlaps(a, b))
				continue;
			mark = jvpn_config_path_enter_index(reader, i);
			jvpn_config_refuse(reader, jvpn_config_item(reader, node, i),
					   "pools that do not overlap", NULL,
					   "overlaps with element [%zu]", j);
			jvpn_config_path_leave(reader, mark);
		}
	}
}

#define LIMIT(field, least, most, usual) \
	{ .name = #field, .read = jvpn_config_read_u32, \
	  .offset = offsetof(struct jvpn_config_limits, field), .min = least, .max = most, \
	  .allowed = #least " to " #most, .example = #field ": " #usual }

static const struct jvpn_config_key jvpn_config_limit_keys[] = {
	LIMIT(max_sessions, 1, 1048576, 65536),
	LIMIT(max_half_open, 1, 65536, 256),
	LIMIT(handshakes_per_second, 1, 100000, 200),
	LIMIT(cookie_above_per_second, 0, 100000, 50),
	LIMIT(reattaches_per_second, 1, 100000, 1000),
	LIMIT(session_proofs_per_minute, 1, 6000, 40),
	LIMIT(source_packets_per_second, 1, 100000, 200),
	LIMIT(invitations_per_second, 0, 100000, 200),
	{ }
};

/* Jumps within the bound of the policy must not be stopped by the limit on public-key work. */
static void jvpn_config_limits_proofs_check(struct jvpn_config_reader *reader, yaml_node_t *node,
					    const struct jvpn_config_limits *limits)
{
	const struct jvpn_config *config = reader->config;
	size_t mark = jvpn_config_path_enter(reader, "session_proofs_per_minute");

	for (size_t i = 0; i < config->n_policies; i++) {
		const struct jvpn_policy_def *policy = &config->policies[i];

		if (policy->builtin ||
		    limits->session_proofs_per_minute > policy->max_switches_per_minute)
			continue;
		jvpn_config_refuse(reader,
				   jvpn_config_place(reader, node, "session_proofs_per_minute"),
				   "more than max_switches_per_minute of every policy",
				   "session_proofs_per_minute: 80",
				   "%u is not above max_switches_per_minute (%u) of policy '%s'",
				   limits->session_proofs_per_minute,
				   policy->max_switches_per_minute, policy->name);
	}
	jvpn_config_path_leave(reader, mark);
}

static void jvpn_config_read_limits(struct jvpn_config_reader *reader, yaml_node_t *node,
				    const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config_limits *limits = field;
	size_t mark;

	(void)key;
	jvpn_config_read_map(reader, node, jvpn_config_limit_keys, limits);
	if (limits->cookie_above_per_second <= limits->handshakes_per_second)
		return;
	mark = jvpn_config_path_enter(reader, "cookie_above_per_second");
	jvpn_config_refuse(reader, jvpn_config_place(reader, node, "cookie_above_per_second"),
			   "at most handshakes_per_second", "cookie_above_per_second: 50",
			   "%u is above handshakes_per_second (%u): no cookie would be asked for",
			   limits->cookie_above_per_second, limits->handshakes_per_second);
	jvpn_config_path_leave(reader, mark);
}

#define GATEWAY(field) offsetof(struct jvpn_config_gateway, field)

/* Peers come last: they refer to the pools and the default policy. */
static const struct jvpn_config_key jvpn_config_gateway_keys[] = {
	{ .name = "listen", .read = jvpn_config_read_listen, .offset = GATEWAY(listen),
	  .required = true, .min = 1, .max = LISTEN_MAX,
	  .allowed = "a list of {address, port, interface}",
	  .example = "listen: [{address: 0.0.0.0, port: 51900}, {address: '::', port: 51900}]" },
	{ .name = "pools", .read = jvpn_config_read_pools, .offset = GATEWAY(pools),
	  .max = PREFIXES_MAX, .allowed = "a list of IPv4 and IPv6 networks",
	  .example = "pools: [10.77.0.0/24, 'fd77::/64']" },
	{ .name = "address_quarantine_ms", .read = jvpn_config_read_u32, .max = 86400000,
	  .offset = GATEWAY(address_quarantine_ms),
	  .allowed = "0 (none) to 86400000 ms before an address goes to another peer",
	  .example = "address_quarantine_ms: 300000" },
	{ .name = "default_policy", .read = jvpn_config_read_policy_ref,
	  .offset = GATEWAY(default_policy), .example = "default_policy: default" },
	{ .name = "limits", .read = jvpn_config_read_limits, .offset = GATEWAY(limits),
	  .example = "limits: {max_sessions: 1000}" },
	{ .name = "endpoint", .read = jvpn_config_read_endpoint, .offset = GATEWAY(endpoint),
	  .size = JVPN_CONFIG_ENDPOINT, .allowed = "HOST:PORT, for what 'jvpnctl peer add' prints",
	  .example = "endpoint: vpn.example.net:51900" },
	{ .name = "peers_dir", .read = jvpn_config_read_path, .offset = GATEWAY(peers_dir),
	  .allowed = "a folder of files NAME.yaml, each with one peer",
	  .example = "peers_dir: /etc/jvpn.d/jvpn0" },
	{ .name = "peers", .read = jvpn_config_read_peers, .offset = GATEWAY(peers), .max = PEERS_MAX, .allowed = "a list of {name, public_key, "
	  "preshared_key_file, addresses, allowed_prefixes, policy, max_sessions}",
	  .example = "peers: [{name: alice, public_key: "
	  "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=}]" },
	{ }
};

void jvpn_config_defaults_gateway(struct jvpn_config *config)
{
	config->gateway.default_policy = jvpn_config_policy_find(config, "default");
	config->gateway.address_quarantine_ms = 300000;
	config->gateway.limits = (struct jvpn_config_limits) {
		.max_sessions = 65536,
		.max_half_open = 256,
		.handshakes_per_second = 200,
		.cookie_above_per_second = 50,
		.reattaches_per_second = 1000,
		.session_proofs_per_minute = 40,
		.source_packets_per_second = 200,
		.invitations_per_second = 200,
	};
}

void jvpn_config_read_gateway(struct jvpn_config_reader *reader, yaml_node_t *node,
			      const struct jvpn_config_key *key, void *field)
{
	struct jvpn_config_gateway *gateway = field;
	yaml_node_t *limits;
	size_t mark;

	(void)key;
	if (!jvpn_config_read_map(reader, node, jvpn_config_gateway_keys, gateway))
		return;
	limits = jvpn_config_place(reader, node, "limits");
	mark = jvpn_config_path_enter(reader, "limits");
	jvpn_config_limits_proofs_check(reader, limits, &gateway->limits);
	jvpn_config_path_leave(reader, mark);
	gateway->n_own_peers = gateway->n_peers;
}

void jvpn_config_free_gateway(struct jvpn_config_gateway *gateway)
{
	for (size_t i = 0; i < gateway->n_peers; i++) {
		explicit_bzero(gateway->peers[i].preshared_key, JVPN_KEYS_SIZE);
		free(gateway->peers[i].addresses);
		free(gateway->peers[i].allowed_prefixes);
	}
	free(gateway->peers);
	free(gateway->pools);
	free(gateway->listen);
}
