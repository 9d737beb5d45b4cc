// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <net/if.h>
#include <qrencode.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "keys.h"
#include "names-gen.h"
#include "nl.h"
#include "setup.h"
#include "table.h"
#include "util.h"

#define FILE_SIZE 8192

/* A name that is a file's, too. False: reported. */
static bool peer_name_check(const struct ctl *ctl, const char *name)
{
	if (jvpn_util_name_valid(name) && !strchr(name, '/') && *name != '.' &&
	    strlen(name) < JVPN_CONFIG_NAME)
		return true;
	ctl_fail(ctl, CTL_USAGE, "USAGE",
		 "'%s' is no name for a peer: at most 63 letters, digits, '-', '_' and '.'", name);
	return false;
}

static bool peer_path(const struct jvpn_config *config, const char *name, char *path, size_t size)
{
	return snprintf(path, size, "%s/%s.yaml", config->gateway.peers_dir, name) < (int)size;
}

static int peer_gateway_check(const struct ctl *ctl, const struct jvpn_config *config)
{
	if (config->role == JVPN_CONFIG_GATEWAY)
		return CTL_OK;
	return ctl_fail(ctl, CTL_REFUSED, "NOT_AT_CLIENT", "%s is a client's; peers are a gateway's",
			config->path);
}

static const struct jvpn_config_peer *peer_find(const struct jvpn_config *config,
						const char *name, bool *own)
{
	for (size_t i = 0; i < config->gateway.n_peers; i++) {
		*own = i < config->gateway.n_own_peers;
		if (!strcmp(config->gateway.peers[i].name, name))
			return &config->gateway.peers[i];
	}
	return NULL;
}

/* --- add ------------------------------------------------------------------------------- */

struct peer_new {
	const char *name;
	uint8_t private_key[JVPN_KEYS_SIZE];
	bool made;			/* here; else the client has its own */
	char public_key[JVPN_KEYS_TEXT];
	char gateway_key[JVPN_KEYS_TEXT];
	char endpoint[SETUP_TEXT];
	char routes[SETUP_TEXT];	/* quoted */
};

static int peer_keys(struct ctl *ctl, const struct jvpn_config *config, struct peer_new *peer)
{
	const char *given = ctl_option(ctl, "public-key");
	uint8_t key[JVPN_KEYS_SIZE], gateway[JVPN_KEYS_SIZE], secret[JVPN_KEYS_SIZE];
	char err[PATH_MAX + 256];

	if (jvpn_keys_init(err, sizeof(err)))
		return ctl_fail(ctl, CTL_FAILED, "INTERNAL", "%s", err);
	if (jvpn_keys_read_file(secret, config->private_key_file, err, sizeof(err)) ||
	    jvpn_keys_derive_public(gateway, secret, err, sizeof(err)))
		return ctl_fail(ctl, errno == EACCES ? CTL_FORBIDDEN : CTL_FAILED, "KEY", "%s", err);
	sodium_memzero(secret, sizeof(secret));
	jvpn_keys_format(gateway, peer->gateway_key);
	peer->made = !given;
	if (peer->made)
		jvpn_keys_generate_private(peer->private_key);
	if (given ? jvpn_keys_parse_public(key, given, strlen(given), err, sizeof(err)) :
		    jvpn_keys_derive_public(key, peer->private_key, err, sizeof(err)))
		return ctl_fail(ctl, CTL_USAGE, "USAGE", "--public-key: %s", err);
	if (!memcmp(key, gateway, sizeof(key)))
		return ctl_fail(ctl, CTL_USAGE, "USAGE",
				"--public-key: this is the gateway's own key; the client's is what 'jvpnctl pubkey' prints there");
	jvpn_keys_format(key, peer->public_key);
	return CTL_OK;
}

/* --endpoint, that of the configuration, or what this machine looks like from outside. */
static int peer_endpoint(struct ctl *ctl, const struct jvpn_config *config, struct peer_new *peer)
{
	const char *given = ctl_option(ctl, "endpoint"), *why;
	struct jvpn_endpoint endpoint;
	char guess[SETUP_TEXT];

	if (given && jvpn_endpoint_parse(&endpoint, given, &why))
		return ctl_fail(ctl, CTL_USAGE, "USAGE", "--endpoint %s: %s", given, why);
	if (given || *config->gateway.endpoint) {
		snprintf(peer->endpoint, sizeof(peer->endpoint), "%s",
			 given ? given : config->gateway.endpoint);
		return CTL_OK;
	}
	if (!*setup_address_guess(guess, sizeof(guess)))
		return ctl_fail(ctl, CTL_USAGE, "USAGE",
				"how do clients reach this gateway? Give --endpoint HOST:PORT, or gateway.endpoint in %s",
				config->path);
	snprintf(peer->endpoint, sizeof(peer->endpoint), "%.200s:%u", guess,
		 config->gateway.listen[0].port);
	fprintf(stderr, "jvpnctl: the client is told to send to %s; if it cannot, give --endpoint\n",
		peer->endpoint);
	return CTL_OK;
}

/* False: reported. */
static bool peer_option_list(const struct ctl *ctl, const char *option, char *text, size_t size)
{
	const char *given = ctl_option(ctl, option);

	if (setup_list_quote(given ? given : "", text, size))
		return true;
	ctl_fail(ctl, CTL_USAGE, "USAGE", "--%s is too long", option);
	return false;
}

static int peer_file_write(struct ctl *ctl, const struct peer_new *peer, const char *path)
{
	const char *policy = ctl_option(ctl, "policy");
	char text[FILE_SIZE], addresses[SETUP_TEXT];

	if (!peer_option_list(ctl, "address", addresses, sizeof(addresses)))
		return CTL_USAGE;
	snprintf(text, sizeof(text), "name: %s\npublic_key: '%s'\n%s%s%s%s%s%s", peer->name,
		 peer->public_key, *addresses ? "addresses: [" : "", addresses,
		 *addresses ? "]\n" : "", policy ? "policy: '" : "", policy ? policy : "",
		 policy ? "'\n" : "");
	return setup_file_write(ctl, path, text, false);
}

static void peer_client_text(const struct peer_new *peer, char *text, size_t size)
{
	char key[JVPN_KEYS_TEXT];

	jvpn_keys_format(peer->private_key, key);
	snprintf(text, size,
		 "# %s: jvpnctl init client --from THIS_FILE, and keep it secret\n"
		 "role: client\n"
		 "private_key: %s\n"
		 "client:\n"
		 "  gateways:\n"
		 "    - {name: gateway, public_key: '%s', endpoints: ['%s']}\n"
		 "  transports: auto\n"
		 "  routes: [%s]\n",
		 peer->name, key, peer->gateway_key, peer->endpoint,
		 peer->routes);
	sodium_memzero(key, sizeof(key));
}

/* Two rows of modules in a line of text, with the margin that readers need. */
static void peer_qr_print(const QRcode *code)
{
	static const char *const blocks[] = { "\u2588", "\u2584", "\u2580", " " };
	int margin = 2;

	for (int y = -margin; y < code->width + margin; y += 2) {
		for (int x = -margin; x < code->width + margin; x++) {
			unsigned int dark = 0;

			for (int i = 0; i < 2; i++)
				if (x >= 0 && x < code->width && y + i >= 0 && y + i < code->width &&
				    code->data[(y + i) * code->width + x] & 1)
					dark |= i ? 1 : 2;
			fputs(blocks[dark], stdout);
		}
		putchar('\n');
	}
}

/* The client's file has to be somewhere before the client is let in: its key is nowhere else. */
static int peer_client_keep(struct ctl *ctl, const struct peer_new *peer)
{
	const char *out = ctl_option(ctl, "out");
	char text[FILE_SIZE];
	int status;

	if (!out)
		return CTL_OK;
	peer_client_text(peer, text, sizeof(text));
	status = setup_file_write(ctl, out, text, true);
	sodium_memzero(text, sizeof(text));
	return status;
}

static int peer_client_show(struct ctl *ctl, const struct peer_new *peer)
{
	bool qr = ctl_option(ctl, "qr");
	char text[FILE_SIZE];
	QRcode *code = NULL;

	if (!peer->made || (ctl_option(ctl, "out") && !qr)) {
		fprintf(stderr, "jvpnctl: '%s' is let in\n", peer->name);
		return CTL_OK;
	}
	peer_client_text(peer, text, sizeof(text));
	if (qr)
		code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	if (code)
		peer_qr_print(code);
	else if (!qr)
		fputs(text, stdout);
	sodium_memzero(text, sizeof(text));
	QRcode_free(code);
	if (qr && !code)
		return ctl_fail(ctl, CTL_FAILED, "QR", "the file is too large for a QR code");
	return ctl_finish();
}

/* The daemon, or without it the file's reader, has the last word. */
static int peer_accepted(struct ctl *ctl, const struct jvpn_config *config)
{
	int status = CTL_OK;

	switch (setup_reload(ctl, config, &status)) {
	case SETUP_RELOADED:
	case SETUP_REFUSED:
		return status;
	case SETUP_UNKNOWN:
		fprintf(stderr, "jvpnctl: the daemon may have let the peer in; 'jvpnctl peer remove' takes it out\n");
		return status;
	case SETUP_NO_DAEMON:
		break;
	}
	jvpn_config_free(setup_config_load(ctl, &status));
	if (!status)
		fprintf(stderr, "jvpnctl: the daemon does not run; it knows the peer when it starts\n");
	return status;
}

/* Nothing of it stays: neither access with a key that nobody has, nor a key without access. */
static void peer_take_back(struct ctl *ctl, const struct jvpn_config *config, const char *path)
{
	const char *out = ctl_option(ctl, "out");
	int status;

	unlink(path);
	if (out)
		unlink(out);
	if (setup_reload(ctl, config, &status) == SETUP_UNKNOWN)
		fprintf(stderr, "jvpnctl: %s is gone, but the daemon has not said that it knows\n", path);
}

static int peer_let_in(struct ctl *ctl, const struct jvpn_config *config,
		       const struct peer_new *peer, const char *path)
{
	int status = peer_client_keep(ctl, peer);
	bool made;

	if (status)
		return status;
	status = peer_file_write(ctl, peer, path);
	made = !status;
	if (made)
		status = peer_accepted(ctl, config);
	if (!status)
		status = peer_client_show(ctl, peer);
	if (status && made)
		peer_take_back(ctl, config, path);
	else if (status && ctl_option(ctl, "out"))
		unlink(ctl_option(ctl, "out"));
	return status;
}

static int peer_add(struct ctl *ctl, const struct jvpn_config *config)
{
	struct peer_new peer = { .name = ctl->arguments[0] };
	char path[PATH_MAX + 80];
	bool own;
	int status = peer_gateway_check(ctl, config);

	if (status)
		return status;
	if (ctl_option(ctl, "public-key") && (ctl_option(ctl, "out") || ctl_option(ctl, "qr")))
		return ctl_fail(ctl, CTL_USAGE, "USAGE",
				"a client with a key of its own makes its own file: 'jvpnctl init client' there");
	if (!peer_name_check(ctl, peer.name) || !peer_path(config, peer.name, path, sizeof(path)) ||
	    !peer_option_list(ctl, "routes", peer.routes, sizeof(peer.routes)))
		return CTL_USAGE;
	if (peer_find(config, peer.name, &own))
		return ctl_fail(ctl, CTL_REFUSED, "EXISTS", "there is a peer '%s' already", peer.name);
	status = peer_keys(ctl, config, &peer);
	if (!status)
		status = peer_endpoint(ctl, config, &peer);
	if (!status && !setup_folders_make(ctl, config->gateway.peers_dir))
		status = CTL_FAILED;
	if (!status)
		status = peer_let_in(ctl, config, &peer, path);
	sodium_memzero(peer.private_key, sizeof(peer.private_key));
	return status;
}

static int peer_run(struct ctl *ctl, int (*run)(struct ctl *ctl, const struct jvpn_config *config))
{
	int status;
	struct jvpn_config *config = setup_config_load(ctl, &status);

	if (!config)
		return status;
	status = run(ctl, config);
	jvpn_config_free(config);
	return status;
}

static int peer_add_run(struct ctl *ctl) { return peer_run(ctl, peer_add); }

static const struct ctl_option peer_add_options[] = {
	{ "qr", 0, NULL, "print the client's file as a QR code" },
	{ "out", 0, "FILE", "write the client's file there, mode 600" },
	{ "public-key", 0, "KEY", "the client has a key of its own" },
	{ "endpoint", 0, "HOST:PORT", "where the client sends to (gateway.endpoint)" },
	{ "address", 0, "ADDR,...", "always these inner addresses" },
	{ "routes", 0, "NET,...", "what the client reaches through the tunnel" },
	{ "policy", 0, "NAME", "of its sessions" },
	{ "dir", 0, "DIR", "where the configuration is (/etc/jvpn)" },
	{ }
};

const struct ctl_verb ctl_verb_peer_add = {
	.group = "peer", .name = "add", .arguments = "NAME", .least = 1, .most = 1,
	.run = peer_add_run, .options = peer_add_options,
	.summary = "Let a client in, and print its whole configuration",
	.help = "Writes gateway.peers_dir/NAME.yaml; the daemon takes it up at once, sessions go on.\n"
		"The client's private key is in what is printed, and nowhere here.",
};

/* --- remove ---------------------------------------------------------------------------- */

/* Its file has another name until the daemon has said that it is out. */
static int peer_shut_out(struct ctl *ctl, const struct jvpn_config *config, const char *name,
			 const char *path)
{
	char aside[PATH_MAX + 96];
	bool running = true;
	int status = CTL_OK;

	snprintf(aside, sizeof(aside), "%s/.%s.removed", config->gateway.peers_dir, name);
	if (rename(path, aside))
		return ctl_fail(ctl, errno == EACCES ? CTL_FORBIDDEN : CTL_FAILED, "FILE",
				"cannot remove %s: %s", path, strerror(errno));
	switch (setup_reload(ctl, config, &status)) {
	case SETUP_REFUSED:
		rename(aside, path);
		return status;
	case SETUP_UNKNOWN:
		unlink(aside);
		fprintf(stderr, "jvpnctl: %s is gone, but the daemon has not said that it knows; 'jvpnctl reload' tells\n",
			path);
		return status;
	case SETUP_NO_DAEMON:
		running = false;
		break;
	case SETUP_RELOADED:
		break;
	}
	unlink(aside);
	printf("%s is gone%s\n", name, running ? ", and its sessions with it" :
	       "; the daemon does not run, and ends its sessions when it starts");
	return ctl_finish();
}

static int peer_remove(struct ctl *ctl, const struct jvpn_config *config)
{
	const char *name = ctl->arguments[0];
	char path[PATH_MAX + 80];
	bool own = false;
	int status = peer_gateway_check(ctl, config);

	if (status)
		return status;
	if (!peer_name_check(ctl, name) || !peer_path(config, name, path, sizeof(path)))
		return CTL_USAGE;
	if (!peer_find(config, name, &own))
		return ctl_fail(ctl, CTL_NOT_FOUND, "UNKNOWN_PEER",
				"there is no peer '%s'; 'jvpnctl peer list' shows them", name);
	if (own)
		return ctl_fail(ctl, CTL_REFUSED, "IN_FILE",
				"'%s' stands in %s: take it out there, then 'jvpnctl reload'", name,
				config->path);
	return peer_shut_out(ctl, config, name, path);
}

static int peer_remove_run(struct ctl *ctl)
{
	int status = peer_run(ctl, peer_remove);

	if (status == CTL_INVALID || status == CTL_REFUSED || status == CTL_UNREACHABLE)
		fprintf(stderr, "jvpnctl: '%s' still has access, as before; mend this first\n",
			ctl->arguments[0]);
	return status;
}

static const struct ctl_option peer_dir_options[] = {
	{ "dir", 0, "DIR", "where the configuration is (/etc/jvpn)" },
	{ }
};

const struct ctl_verb ctl_verb_peer_remove = {
	.group = "peer", .name = "remove", .arguments = "NAME", .least = 1, .most = 1,
	.run = peer_remove_run, .options = peer_dir_options,
	.summary = "Shut a client out that 'peer add' has let in",
	.help = "Its sessions end at once.",
};

/* --- list ------------------------------------------------------------------------------ */

/* name: [state, inner], of the kernel's table. */
static void peer_session_visit(void *context, const struct jvpn_nl_session *session)
{
	char inner[FORMAT_TEXT];

	if (session->state == JVPN_STATE_TERMINATED)
		return;
	json_object_set_new(context, session->label,
			    json_pack("{s:s, s:s}", "state", jvpn_state_name(session->state),
				      "inner", format_inner(session, inner, sizeof(inner))));
}

/* NULL: the kernel does not tell (no device yet, not permitted). */
static json_t *peer_sessions_read(const struct ctl *ctl)
{
	struct jvpn_nl *nl = jvpn_nl_open(NULL);
	unsigned int ifindex = if_nametoindex(setup_device(ctl));
	json_t *sessions = json_object();
	struct jvpn_nl_device device;
	int rc = -1;

	if (nl && ifindex && !jvpn_nl_device_get(nl, ifindex, &device, NULL))
		rc = jvpn_nl_session_dump(nl, device.device_id, peer_session_visit, sessions,
					  NULL);
	if (nl)
		jvpn_nl_close(nl);
	if (rc >= 0)
		return sessions;
	json_decref(sessions);
	return NULL;
}

static const char *peer_addresses(const struct jvpn_config_peer *peer, const json_t *session,
				  char *text, size_t size)
{
	const char *inner = json_string_value(json_object_get(session, "inner"));
	char one[JVPN_ADDR_TEXT];

	snprintf(text, size, "%s", inner ? inner : "");
	for (size_t i = 0; !inner && i < peer->n_addresses; i++)
		snprintf(text + strlen(text), size - strlen(text), "%s%s", i ? ", " : "",
			 jvpn_addr_format(&peer->addresses[i].addr, one, sizeof(one)));
	return text;
}

static json_t *peer_json(const struct jvpn_config *config, size_t i, const json_t *session)
{
	const struct jvpn_config_peer *peer = &config->gateway.peers[i];
	char key[JVPN_KEYS_TEXT], addresses[512];

	jvpn_keys_format(peer->public_key, key);
	return json_pack("{s:s, s:s, s:s?, s:s, s:s}", "name", peer->name, "public_key", key,
			 "state", json_string_value(json_object_get(session, "state")),
			 "inner", peer_addresses(peer, session, addresses, sizeof(addresses)),
			 "from", i < config->gateway.n_own_peers ? "configuration" : "peers_dir");
}

static int peer_list(struct ctl *ctl, const struct jvpn_config *config)
{
	static const char *const headings[] = { "PEER", "STATE", "INNER", "FROM", NULL };
	json_t *sessions, *list = json_array();
	struct table table;
	int status = peer_gateway_check(ctl, config);

	if (status)
		return status;
	sessions = peer_sessions_read(ctl);
	table_init(&table, headings);
	for (size_t i = 0; i < config->gateway.n_peers; i++) {
		const struct jvpn_config_peer *peer = &config->gateway.peers[i];
		json_t *json = peer_json(config, i, json_object_get(sessions, peer->name));

		table_add(&table, (const char *const []) { peer->name,
			  json_string_value(json_object_get(json, "state")),
			  json_string_value(json_object_get(json, "inner")),
			  json_string_value(json_object_get(json, "from")) });
		json_array_append_new(list, json);
	}
	if (ctl->json)
		status = ctl_print_json(json_pack("{s:O}", "peers", list));
	else
		table_print(&table, stdout);
	if (!ctl->json && !sessions)
		printf("\nwithout a device, or without CAP_NET_ADMIN, there are no states\n");
	table_free(&table);
	json_decref(list);
	json_decref(sessions);
	return status ? status : ctl_finish();
}

static int peer_list_run(struct ctl *ctl) { return peer_run(ctl, peer_list); }

const struct ctl_verb ctl_verb_peer_list = {
	.group = "peer", .name = "list", .arguments = "", .run = peer_list_run,
	.options = peer_dir_options,
	.summary = "List the clients that are let in, and their sessions",
};
