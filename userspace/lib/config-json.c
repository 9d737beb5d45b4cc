// SPDX-License-Identifier: GPL-2.0
#include "config-read.h"

static json_t *jvpn_config_json_addr(const struct jvpn_addr *addr)
{
	char text[JVPN_ADDR_TEXT];

	if (addr->family == AF_UNSPEC)
		return json_null();
	return json_string(jvpn_addr_format(addr, text, sizeof(text)));
}

static json_t *jvpn_config_json_prefixes(const struct jvpn_prefix *prefixes, size_t count)
{
	json_t *list = json_array();
	char text[JVPN_ADDR_TEXT];

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(jvpn_prefix_format(&prefixes[i], text,
									   sizeof(text))));
	return list;
}

static json_t *jvpn_config_json_key(const uint8_t key[JVPN_KEYS_SIZE])
{
	char text[JVPN_KEYS_TEXT];

	jvpn_keys_format(key, text);
	return json_string(text);
}

static json_t *jvpn_config_json_listen(const struct jvpn_config_gateway *gateway)
{
	json_t *list = json_array();

	for (size_t i = 0; i < gateway->n_listen; i++)
		json_array_append_new(list, json_pack("{s:o, s:i, s:s}",
			"address", jvpn_config_json_addr(&gateway->listen[i].address),
			"port", gateway->listen[i].port,
			"interface", gateway->listen[i].interface));
	return list;
}

static json_t *jvpn_config_json_peers(const struct jvpn_config_gateway *gateway)
{
	json_t *list = json_array();

	for (size_t i = 0; i < gateway->n_peers; i++) {
		const struct jvpn_config_peer *peer = &gateway->peers[i];

		json_array_append_new(list, json_pack("{s:s, s:o, s:b, s:o, s:o, s:s, s:i}",
			"name", peer->name,
			"public_key", jvpn_config_json_key(peer->public_key),
			"preshared_key", peer->has_preshared_key,
			"addresses", jvpn_config_json_prefixes(peer->addresses, peer->n_addresses),
			"allowed_prefixes", jvpn_config_json_prefixes(peer->allowed_prefixes,
								      peer->n_allowed_prefixes),
			"policy", peer->policy->name,
			"max_sessions", (int)peer->max_sessions));
	}
	return list;
}

static json_t *jvpn_config_json_limits(const struct jvpn_config_limits *limits)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"max_sessions", (json_int_t)limits->max_sessions,
		"max_half_open", (json_int_t)limits->max_half_open,
		"handshakes_per_second", (json_int_t)limits->handshakes_per_second,
		"cookie_above_per_second", (json_int_t)limits->cookie_above_per_second,
		"reattaches_per_second", (json_int_t)limits->reattaches_per_second,
		"session_proofs_per_minute", (json_int_t)limits->session_proofs_per_minute,
		"source_packets_per_second", (json_int_t)limits->source_packets_per_second,
		"invitations_per_second", (json_int_t)limits->invitations_per_second);
}

static json_t *jvpn_config_json_gateway(const struct jvpn_config_gateway *gateway)
{
	return json_pack("{s:o, s:o, s:I, s:o, s:s, s:o}",
		"listen", jvpn_config_json_listen(gateway),
		"pools", jvpn_config_json_prefixes(gateway->pools, gateway->n_pools),
		"address_quarantine_ms", (json_int_t)gateway->address_quarantine_ms,
		"peers", jvpn_config_json_peers(gateway),
		"default_policy", gateway->default_policy->name,
		"limits", jvpn_config_json_limits(&gateway->limits));
}

static json_t *jvpn_config_json_endpoints(const struct jvpn_config_remote *remote)
{
	char text[JVPN_HOST_MAX + 16];
	json_t *list = json_array();

	for (size_t i = 0; i < remote->n_endpoints; i++)
		json_array_append_new(list, json_string(jvpn_endpoint_format(&remote->endpoints[i],
							text, sizeof(text))));
	return list;
}

static json_t *jvpn_config_json_remotes(const struct jvpn_config_client *client)
{
	json_t *list = json_array();

	for (size_t i = 0; i < client->n_gateways; i++)
		json_array_append_new(list, json_pack("{s:s, s:o, s:b, s:o}",
			"name", client->gateways[i].name,
			"public_key", jvpn_config_json_key(client->gateways[i].public_key),
			"preshared_key", client->gateways[i].has_preshared_key,
			"endpoints", jvpn_config_json_endpoints(&client->gateways[i])));
	return list;
}

static json_t *jvpn_config_json_transports(const struct jvpn_config_client *client)
{
	json_t *list;

	if (client->transports_auto)
		return json_string("auto");
	list = json_array();
	for (size_t i = 0; i < client->n_transports; i++) {
		const struct jvpn_config_transport *transport = &client->transports[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:i, s:i}",
			"name", transport->name, "interface", transport->interface,
			"protocol", jvpn_config_protocol_name(transport->protocol),
			"preference", (int)transport->preference,
			"local_port", transport->local_port));
	}
	return list;
}

static json_t *jvpn_config_json_protocols(const struct jvpn_config_client *client)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < JVPN_CONFIG_PROTOCOLS; i++)
		if (client->allowed_protocols[i])
			json_array_append_new(list, json_string(jvpn_config_protocol_name(i)));
	return list;
}

static json_t *jvpn_config_json_client(const struct jvpn_config_client *client)
{
	return json_pack("{s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:i, s:o, s:s}",
		"gateways", jvpn_config_json_remotes(client),
		"transports", jvpn_config_json_transports(client),
		"routes", jvpn_config_json_prefixes(client->routes, client->n_routes),
		"accept_sources", jvpn_config_sources_name(client->accept_sources),
		"inner_network", jvpn_config_inner_network_name(client->inner_network),
		"leak", jvpn_config_leak_name(client->leak),
		"request_ipv4", jvpn_config_json_addr(&client->request_ipv4),
		"request_ipv6", jvpn_config_json_addr(&client->request_ipv6),
		"max_candidates", (int)client->max_candidates,
		"allowed_protocols", jvpn_config_json_protocols(client),
		"policy", client->policy->name);
}

static json_t *jvpn_config_json_policies(const struct jvpn_config *config)
{
	json_t *list = json_array();

	for (size_t i = 0; i < config->n_policies; i++)
		json_array_append_new(list, jvpn_policy_to_json(&config->policies[i]));
	return list;
}

static json_t *jvpn_config_json_device(const struct jvpn_config_device *device)
{
	return json_pack("{s:s, s:i, s:I, s:o}", "name", device->name, "mtu", (int)device->mtu,
		"fwmark", (json_int_t)device->fwmark,
		"addresses", jvpn_config_json_prefixes(device->addresses, device->n_addresses));
}

static json_t *jvpn_config_json_audit(const struct jvpn_config_audit *audit)
{
	static const char *const sinks[] = {
		[JVPN_AUDIT_FILE] = "file",
		[JVPN_AUDIT_STDOUT] = "stdout",
		[JVPN_AUDIT_JOURNAL] = "journal",
	};

	return json_pack("{s:s, s:s, s:I}", "sink", sinks[audit->sink], "file", audit->file,
			 "refusal_octets_per_day", (json_int_t)audit->refusal_octets_per_day);
}

json_t *jvpn_config_to_json(const struct jvpn_config *config)
{
	bool gateway = config->role == JVPN_CONFIG_GATEWAY;
	json_t *section = gateway ? jvpn_config_json_gateway(&config->gateway) :
				    jvpn_config_json_client(&config->client);

	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:s, s:s, s:o, s:o, s:o}",
		"file", config->path,
		"role", jvpn_config_role_name(config->role),
		"node", config->node,
		"device", jvpn_config_json_device(&config->device),
		"private_key_file", config->private_key_file,
		"public_key", jvpn_config_json_key(config->public_key),
		"control_socket", config->control_socket,
		"runtime_dir", config->runtime_dir,
		"audit", jvpn_config_json_audit(&config->audit),
		"policies", jvpn_config_json_policies(config),
		gateway ? "gateway" : "client", section);
}
