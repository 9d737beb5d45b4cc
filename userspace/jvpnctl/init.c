// SPDX-License-Identifier: GPL-2.0
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys.h"
#include "setup.h"

#define FILE_SIZE 8192
#define PORT_USUAL "51900"

struct init {
	struct ctl *ctl;
	const char *device;
	char dir[PATH_MAX];
	char config[PATH_MAX];
	char key_path[PATH_MAX];
	uint8_t key[JVPN_KEYS_SIZE];
	char public_key[JVPN_KEYS_TEXT];
	bool key_made;
};

static int init_begin(struct ctl *ctl, struct init *init)
{
	const char *dir = ctl_option(ctl, "dir");

	*init = (struct init){ .ctl = ctl, .device = setup_device(ctl) };
	snprintf(init->dir, sizeof(init->dir), "%s", dir ? dir : SETUP_DIR);
	if (!setup_config_path(ctl, init->config, sizeof(init->config)) ||
	    snprintf(init->key_path, sizeof(init->key_path), "%s/%s.key", init->dir,
		     init->device) >= (int)sizeof(init->key_path))
		return CTL_USAGE;
	if (!access(init->config, F_OK))
		return ctl_fail(ctl, CTL_REFUSED, "EXISTS",
				"%s is there already and is left as it is; move it away, or name another device with -i",
				init->config);
	return setup_folder_make(ctl, init->dir) ? CTL_OK : CTL_FAILED;
}

static int init_key_make(struct init *init)
{
	char text[JVPN_KEYS_TEXT + 1], err[128];
	uint8_t public_key[JVPN_KEYS_SIZE];
	int status;

	if (jvpn_keys_init(err, sizeof(err)))
		return ctl_fail(init->ctl, CTL_FAILED, "INTERNAL", "%s", err);
	jvpn_keys_generate_private(init->key);
	if (jvpn_keys_derive_public(public_key, init->key, err, sizeof(err)))
		return ctl_fail(init->ctl, CTL_FAILED, "INTERNAL", "%s", err);
	jvpn_keys_format(public_key, init->public_key);
	jvpn_keys_format(init->key, text);
	strcat(text, "\n");
	status = setup_file_write(init->ctl, init->key_path, text, true);
	init->key_made = !status;
	sodium_memzero(text, sizeof(text));
	sodium_memzero(init->key, sizeof(init->key));
	return status;
}

static void init_key_drop(const struct init *init)
{
	if (init->key_made)
		unlink(init->key_path);
}

/* The file must be good, and this device's, or what was made goes again. */
static int init_config_write(struct init *init, const char *text)
{
	struct jvpn_config_errors errors;
	struct jvpn_config *config;
	int status = setup_file_write(init->ctl, init->config, text, false);

	if (status) {
		init_key_drop(init);
		return status;
	}
	config = jvpn_config_load(init->config, &errors);
	if (!config) {
		jvpn_config_errors_print(&errors, stderr);
		status = ctl_fail(init->ctl, CTL_INVALID, "CONFIG_INVALID",
				  "with these values the configuration is not valid; nothing was written");
	} else if (strcmp(config->device.name, init->device)) {
		status = ctl_fail(init->ctl, CTL_REFUSED, "OTHER_DEVICE",
				  "the file is for the device %s: say -i %s", config->device.name,
				  config->device.name);
	}
	if (status) {
		unlink(init->config);
		init_key_drop(init);
	}
	jvpn_config_free(config);
	jvpn_config_errors_free(&errors);
	return status;
}

/* "10.77.0.0/24" -> "10.77.0.1/24". False: reported. */
static bool init_first_address(struct init *init, const char *pool, char *text, size_t size)
{
	struct jvpn_prefix prefix;
	const char *why;

	if (jvpn_prefix_parse(&prefix, pool, &why)) {
		ctl_fail(init->ctl, CTL_USAGE, "USAGE", "--pool %s: %s", pool, why);
		return false;
	}
	prefix.addr.bytes[prefix.addr.family == AF_INET ? 3 : 15] |= 1;
	jvpn_prefix_format(&prefix, text, size);
	return true;
}

/* The host alone, as it was asked for: a name or an address, bracketed or not. False: reported. */
static bool init_endpoint_make(struct init *init, const char *host, const char *port, char *text,
			       size_t size)
{
	bool bare = strchr(host, ':') && host[0] != '[';
	struct jvpn_endpoint endpoint;
	const char *why;

	snprintf(text, size, "%s%s%s:%s", bare ? "[" : "", host, bare ? "]" : "", port);
	if (!jvpn_endpoint_parse(&endpoint, text, &why))
		return true;
	ctl_fail(init->ctl, CTL_USAGE, "USAGE",
		 "--endpoint %s --port %s: %s (the endpoint is a name or an address alone)", host, port,
		 why);
	return false;
}

static void init_pool6_draw(char *text, size_t size)
{
	uint8_t id[5];

	randombytes_buf(id, sizeof(id));
	snprintf(text, size, "fd%02x:%02x%02x:%02x%02x::/64", id[0], id[1], id[2], id[3], id[4]);
}

static int init_done(const struct init *init, const char *next)
{
	if (init->ctl->json)
		return ctl_print_json(json_pack("{s:s, s:s, s:s}", "file", init->config,
						"private_key_file", init->key_path, "public_key",
						init->public_key));
	printf("wrote %s and %s\n"
	       "public key: %s\n\n"
	       "%s\n"
	       "start it:   systemctl enable --now jvpnd@%s\n",
	       init->config, init->key_path, init->public_key, next, init->device);
	return ctl_finish();
}

static int init_gateway_run(struct ctl *ctl)
{
	char endpoint[SETUP_TEXT], guess[SETUP_TEXT], port[16], pool4[64], pool6[64];
	char own4[JVPN_ADDR_TEXT], own6[JVPN_ADDR_TEXT], text[FILE_SIZE], next[512];
	char full[2 * SETUP_TEXT];
	struct init init;
	int status = init_begin(ctl, &init);

	if (status)
		return status;
	setup_address_guess(guess, sizeof(guess));
	setup_ask(ctl, "endpoint", "address or name that clients reach this machine by",
		  *guess ? guess : "vpn.example.net", endpoint, sizeof(endpoint));
	setup_ask(ctl, "port", "UDP port", PORT_USUAL, port, sizeof(port));
	setup_ask(ctl, "pool", "network inside the tunnel", "10.77.0.0/24", pool4, sizeof(pool4));
	init_pool6_draw(pool6, sizeof(pool6));
	if (!init_endpoint_make(&init, endpoint, port, full, sizeof(full)))
		return CTL_USAGE;
	if (!init_first_address(&init, pool4, own4, sizeof(own4)) ||
	    !init_first_address(&init, pool6, own6, sizeof(own6)))
		return CTL_USAGE;
	status = init_key_make(&init);
	if (status)
		return status;
	snprintf(text, sizeof(text),
		 "# A jvpn gateway, see jvpn.yaml(5). Clients are added by: jvpnctl peer add NAME\n"
		 "role: gateway\n"
		 "device:\n"
		 "  name: %s\n"
		 "  addresses: [%s, '%s']\n"
		 "private_key_file: %s.key\n"
		 "gateway:\n"
		 "  listen: [{address: 0.0.0.0, port: %s}, {address: '::', port: %s}]\n"
		 "  # What clients are told to send to.\n"
		 "  endpoint: '%s'\n"
		 "  pools: [%s, '%s']\n",
		 init.device, own4, own6, init.device, port, port,
		 full, pool4, pool6);
	status = init_config_write(&init, text);
	if (status)
		return status;
	snprintf(next, sizeof(next), "each client: jvpnctl%s%s peer add NAME   (prints the client's file)",
		 strcmp(init.device, "jvpn0") ? " -i " : "",
		 strcmp(init.device, "jvpn0") ? init.device : "");
	return init_done(&init, next);
}

static const struct ctl_option init_gateway_options[] = {
	{ "endpoint", 0, "HOST", "address or name that clients reach this machine by" },
	{ "port", 0, "PORT", "UDP port (51900)" },
	{ "pool", 0, "NET", "IPv4 network inside the tunnel (10.77.0.0/24)" },
	{ "dir", 0, "DIR", "where the files go (/etc/jvpn)" },
	{ }
};

const struct ctl_verb ctl_verb_init_gateway = {
	.group = "init", .name = "gateway", .arguments = "", .run = init_gateway_run,
	.options = init_gateway_options,
	.summary = "Make a gateway's key and configuration",
	.help = "Asks for what is not given, at a terminal. Nothing that is there is overwritten.",
};

/* --- client ---------------------------------------------------------------------------- */

/* What "peer add" printed at the gateway: key and all. */
static int init_client_import(struct ctl *ctl, const char *from)
{
	FILE *in = strcmp(from, "-") ? fopen(from, "re") : stdin;
	char text[FILE_SIZE] = "", whole[FILE_SIZE + 64];
	struct init init;
	size_t length;
	int status;

	if (!in)
		return ctl_fail(ctl, CTL_NOT_FOUND, "FILE", "cannot open %s", from);
	length = fread(text, 1, sizeof(text) - 1, in);
	text[length] = '\0';
	if (in != stdin)
		fclose(in);
	status = init_begin(ctl, &init);
	/* What "peer add" makes is for any device. */
	if (strstr(text, "\ndevice:") || !strncmp(text, "device:", 7))
		snprintf(whole, sizeof(whole), "%s", text);
	else
		snprintf(whole, sizeof(whole), "%s\ndevice: {name: %s}\n", text, init.device);
	if (!status)
		status = init_config_write(&init, whole);
	sodium_memzero(text, sizeof(text));
	sodium_memzero(whole, sizeof(whole));
	if (status)
		return status;
	if (ctl->json)
		return ctl_print_json(json_pack("{s:s}", "file", init.config));
	printf("wrote %s\nstart it:   systemctl enable --now jvpnd@%s\n", init.config,
	       init.device);
	return ctl_finish();
}

static int init_client_make(struct ctl *ctl)
{
	char endpoint[SETUP_TEXT], gateway[SETUP_TEXT], routes[SETUP_TEXT], host[64] = "";
	char text[FILE_SIZE], next[512], quoted[2 * SETUP_TEXT];
	struct init init;
	int status = init_begin(ctl, &init);

	if (status)
		return status;
	setup_ask(ctl, "gateway-key", "the gateway's public key", "", gateway, sizeof(gateway));
	setup_ask(ctl, "endpoint", "the gateway's address or name, and port", "", endpoint,
		  sizeof(endpoint));
	setup_ask(ctl, "routes", "networks to reach through it, besides its own", "", routes,
		  sizeof(routes));
	if (!*gateway || !*endpoint)
		return ctl_fail(ctl, CTL_USAGE, "USAGE",
				"--gateway-key and --endpoint are needed; 'jvpnctl peer add NAME' at the gateway prints a whole file instead, for 'jvpnctl init client --from FILE'");
	if (!setup_list_quote(routes, quoted, sizeof(quoted)))
		return ctl_fail(ctl, CTL_USAGE, "USAGE", "--routes is too long");
	status = init_key_make(&init);
	if (status)
		return status;
	snprintf(text, sizeof(text),
		 "# A jvpn client, see jvpn.yaml(5).\n"
		 "role: client\n"
		 "device: {name: %s}\n"
		 "private_key_file: %s.key\n"
		 "client:\n"
		 "  gateways:\n"
		 "    - {name: gateway, public_key: '%s', endpoints: ['%s']}\n"
		 "  transports: auto\n"
		 "  routes: [%s]\n",
		 init.device, init.device, gateway, endpoint, quoted);
	status = init_config_write(&init, text);
	if (status)
		return status;
	gethostname(host, sizeof(host) - 1);
	snprintf(next, sizeof(next), "at the gateway: jvpnctl peer add %s --public-key %s",
		 *host ? host : "NAME", init.public_key);
	return init_done(&init, next);
}

static int init_client_run(struct ctl *ctl)
{
	const char *from = ctl_option(ctl, "from");

	return from ? init_client_import(ctl, from) : init_client_make(ctl);
}

static const struct ctl_option init_client_options[] = {
	{ "from", 0, "FILE", "the file that 'peer add' made at the gateway, - for standard input" },
	{ "gateway-key", 0, "KEY", "the gateway's public key" },
	{ "endpoint", 0, "HOST:PORT", "where the gateway is" },
	{ "routes", 0, "NET,...", "networks to reach through it" },
	{ "dir", 0, "DIR", "where the files go (/etc/jvpn)" },
	{ }
};

const struct ctl_verb ctl_verb_init_client = {
	.group = "init", .name = "client", .arguments = "", .run = init_client_run,
	.options = init_client_options,
	.summary = "Make a client's key and configuration, or take over a whole file",
	.help = "Prints the command for the gateway. Asks for what is not given, at a terminal.\n"
		"Nothing that is there is overwritten.",
};
