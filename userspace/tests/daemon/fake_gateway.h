/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_TESTS_FAKE_GATEWAY_H
#define JVPN_TESTS_FAKE_GATEWAY_H

/*
 * A gateway with many peers, on a table in place of the kernel's: INITs and REQUESTs are put in
 * from whatever address, and what it answers is counted.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../jvpnd/gateway.h"
#include "../../jvpnd/peer.h"
#include "../../jvpnd/reconcile.h"
#include "../../jvpnd/refusal.h"
#include "../../jvpnd/session.h"
#include "../../jvpnd/sockets.h"
#include "../../lib/config.h"
#include "../tap.h"
#include "fake_kernel.h"
#include "log.h"

#define PEERS 400

static struct {
	struct jvpnd d;
	char dir[32];
	uint32_t refusal_octets;	/* audit.refusal_octets_per_day; 0: the default */
	uint8_t public_key[JVPN_WIRE_KEY];
	uint8_t secret[PEERS][JVPN_WIRE_KEY];
	uint8_t peer_key[PEERS][JVPN_WIRE_KEY];
	struct jvpn_mac_keys mac;
	/* What it sent last, and how many of each type. */
	struct path to;
	uint8_t answer[JVPN_WIRE_CONTROL_MAX];
	size_t answer_size;
	unsigned int sent[JVPN_MSG_END];
} world;

struct world_init {
	struct jvpn_hs_client hs;
	struct jvpn_wire_init message;
};

/* --- addresses ---------------------------------------------------------------------- */

static struct path path_four(uint32_t host, uint16_t port)
{
	struct path p = { .socket = 7, .remote_port = port, .local_port = 51900 };

	p.remote = (struct jvpn_addr){ .family = AF_INET,
		.bytes = { 10, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host } };
	p.local = (struct jvpn_addr){ .family = AF_INET, .bytes = { 203, 0, 113, 1 } };
	return p;
}

/* 2001:SITE:NETWORK::HOST; a site has a /48. */
__attribute__((unused))
static struct path path_six(uint16_t site, uint16_t network, uint8_t host, uint16_t port)
{
	struct path p = { .socket = 7, .remote_port = port, .local_port = 51900 };

	p.remote = (struct jvpn_addr){ .family = AF_INET6, .bytes = {
		0x20, 0x01, [4] = (uint8_t)(site >> 8), (uint8_t)site,
		(uint8_t)(network >> 8), (uint8_t)network, [15] = host } };
	p.local = (struct jvpn_addr){ .family = AF_INET6, .bytes = { 0x20, 0x02, [15] = 1 } };
	return p;
}

/* --- the gateway -------------------------------------------------------------------- */

static void world_sent(const struct path *to, const void *data, size_t size)
{
	memcpy(world.answer, data, size);
	world.answer_size = size;
	world.to = *to;
	world.sent[world.answer[0]]++;
}

static FILE *world_file(const char *name, char path[64])
{
	FILE *file;

	snprintf(path, 64, "%s/%s", world.dir, name);
	file = fopen(path, "w");
	if (!file || chmod(path, 0600))
		exit(1);
	return file;
}

static void world_keys_make(uint8_t secret[JVPN_WIRE_KEY], uint8_t public_key[JVPN_WIRE_KEY],
			    char text[JVPN_KEYS_TEXT])
{
	char error[256];

	jvpn_keys_generate_private(secret);
	jvpn_keys_derive_public(public_key, secret, error, sizeof(error));
	jvpn_keys_format(public_key, text);
}

static void world_config_write(const char *limits, char path[64])
{
	char text[JVPN_KEYS_TEXT], key_path[64];
	uint8_t secret[JVPN_WIRE_KEY];
	FILE *file = world_file("key", key_path);

	world_keys_make(secret, world.public_key, text);
	jvpn_keys_format(secret, text);
	fprintf(file, "%s\n", text);
	fclose(file);
	file = world_file("gateway.yaml", path);
	fprintf(file, "role: gateway\nprivate_key_file: %s/key\nruntime_dir: %s\n"
		      "control_socket: %s/control\naudit: {sink: file, file: %s/audit, "
		      "refusal_octets_per_day: %u}\n"
		      "device: {name: jvpn0, addresses: [10.77.0.1/16]}\ngateway:\n"
		      "  listen: [{address: 0.0.0.0, port: 51900}]\n  pools: [10.77.0.0/16]\n"
		      "  limits: {%s}\n  peers:\n", world.dir, world.dir, world.dir, world.dir,
		world.refusal_octets ? world.refusal_octets : 16777216, limits);
	for (unsigned int i = 0; i < PEERS; i++) {
		world_keys_make(world.secret[i], world.peer_key[i], text);
		fprintf(file, "    - {name: p%u, public_key: '%s'}\n", i, text);
	}
	fclose(file);
}

static void world_open(const char *limits)
{
	struct jvpn_audit_options options = { .sink = JVPN_AUDIT_FILE, .node = "test" };
	struct jvpn_config_errors errors = {};
	struct jvpnd *d = &world.d;
	char error[512], path[64];

	snprintf(world.dir, sizeof(world.dir), "/tmp/jvpn-gateway-XXXXXX");
	if (!mkdtemp(world.dir) || jvpn_keys_init(error, sizeof(error)))
		exit(1);
	world_config_write(limits, path);
	fake.socket = 7;
	fake.sent = world_sent;
	d->loop = uv_default_loop();
	d->role = &gateway_role;
	d->config = jvpn_config_load(path, &errors);
	if (!d->config) {
		jvpn_config_errors_print(&errors, stdout);
		exit(1);
	}
	options.file = d->config->audit.file;
	d->audit = jvpn_audit_open(&options, error, sizeof(error));
	if (!d->audit || jvpn_store_open(world.dir, d->config->private_key, &d->store, error,
					 sizeof(error)) ||
	    sessions_open(d) || refusals_open(d) || reconcile_open(d) ||
	    sockets_open(d, error, sizeof(error)) || gateway_open(d, error, sizeof(error))) {
		printf("Bail out! %s\n", error);
		exit(1);
	}
	jvpn_mac_keys_derive(&world.mac, world.public_key);
}

static void world_handle_close(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void world_close(void)
{
	struct jvpnd *d = &world.d;
	char command[64];

	uv_walk(d->loop, world_handle_close, NULL);
	uv_run(d->loop, UV_RUN_DEFAULT);
	gateway_close(d);
	sockets_close(d);
	reconcile_close(d);
	refusals_close(d);
	sessions_close(d);
	jvpn_store_close(d->store);
	jvpn_audit_close(d->audit);
	jvpn_config_free(d->config);
	snprintf(command, sizeof(command), "rm -rf %s", world.dir);
	if (system(command))
		exit(1);
	memset(&world, 0, sizeof(world));
	fake.count = 0;
}

static void world_drain(void)
{
	while (world.d.gateway->handshake_jobs)
		uv_run(world.d.loop, UV_RUN_ONCE);
}

__attribute__((unused))
static struct peer *world_peer(unsigned int number)
{
	return peer_find(world.d.gateway->peers, world.peer_key[number]);
}

/* --- INITs -------------------------------------------------------------------------- */

static void init_make(struct world_init *init, unsigned int peer, uint64_t wall_s)
{
	struct jvpn_hs_init fields = {
		.proto_min = JVPN_WIRE_PROTO, .proto_max = JVPN_WIRE_PROTO,
		.suites = JVPN_SUITE_BIT(JVPN_SUITE_CHACHA20_POLY1305), .want_v4 = true,
	};

	jvpn_hs_tai64n(fields.tai64n, wall_s, 0);
	if (jvpn_hs_client_start(&init->hs, world.secret[peer], world.public_key, &fields,
				 &jvpn_rng_system, &init->message))
		exit(1);
	jvpn_mac_stamp((u8 *)&init->message, sizeof(init->message), &world.mac, NULL);
}

static void packet_put(void (*receive)(struct gateway *gw, const struct kernel_packet *packet),
		       struct path from, const void *data, size_t size)
{
	const struct kernel_packet packet = { .from = from, .data = data, .size = size };

	receive(world.d.gateway, &packet);
	world_drain();
}

/* True: it was answered by RESP, there. */
static bool init_put(struct path from, const struct world_init *init)
{
	unsigned int before = world.sent[JVPN_MSG_RESP];

	packet_put(gateway_handshake_init, from, &init->message, sizeof(init->message));
	return world.sent[JVPN_MSG_RESP] > before && path_equal(&world.to, &from);
}

/* The message again, with the COOKIE that came last. */
static bool cookie_stamp(void *message, size_t size)
{
	struct jvpn_cookie_jar jar = {};

	if (jvpn_cookie_open(&jar, world.answer, world.answer_size, message, size, &world.mac,
			     jvpnd_now_ms()))
		return false;
	jvpn_mac_stamp(message, size, &world.mac, jar.cookie);
	return true;
}

/* Whoever is there answers a COOKIE. */
__attribute__((unused))
static bool init_put_shown(struct path from, const struct world_init *init)
{
	unsigned int before = world.sent[JVPN_MSG_COOKIE];
	struct world_init with = *init;

	if (init_put(from, init))
		return true;
	return world.sent[JVPN_MSG_COOKIE] > before &&
	       cookie_stamp(&with.message, sizeof(with.message)) && init_put(from, &with);
}

/* The client's first packet has come. */
__attribute__((unused))
static struct session *init_confirm(const struct world_init *init, unsigned int peer,
				    struct jvpn_client *client)
{
	static const uint8_t no_psk[JVPN_WIRE_KEY];
	struct jvpn_hs_result result;
	struct jvpn_hs_resp resp;
	struct kernel_transition t;
	struct session *s;

	if (jvpn_hs_client_finish(&init->hs, no_psk, world.answer, world.answer_size, &resp,
				  &result))
		return NULL;
	jvpn_client_init(client, world.secret[peer], world.public_key, &resp, &result);
	s = session_find(&world.d, resp.sid);
	if (!s || !fake_step(fake_find(s->id), JVPN_EVENT_HANDSHAKE_DONE, JVPN_REASON_HANDSHAKE_OK,
			     &t))
		return NULL;
	session_apply(&world.d, s, &t, 1);
	sessions_settle(&world.d);
	return s;
}

#endif /* JVPN_TESTS_FAKE_GATEWAY_H */
