// SPDX-License-Identifier: GPL-2.0
/* Configuration files: what is accepted, what is refused, where and how it is said. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"
#include "config.h"

#define KEY_A "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="
#define KEY_B "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
#define PRIVATE "2E1TF4EA9pQmJqvLyVX6FLLnsZbQaSPGyBQgY9mlOkM="

static char folder[] = "/tmp/jvpn-config-XXXXXX";

static const char *put(const char *name, const char *text, mode_t mode)
{
	static char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
	file = fopen(path, "w");
	if (!file) {
		perror(path);
		exit(2);
	}
	fputs(text, file);
	fclose(file);
	chmod(path, mode);
	return path;
}

static struct jvpn_config *load(const char *text, struct jvpn_config_errors *errors)
{
	return jvpn_config_load(put("x.yaml", text, 0644), errors);
}

/* Every file of the tests begins with these lines; what is tested begins at line 4. */
#define GATEWAY "role: gateway\nnode: n\nprivate_key_file: private.key\n"
#define CLIENT "role: client\nnode: n\nprivate_key_file: private.key\n"
#define LISTEN "gateway:\n  listen: [{address: 0.0.0.0}]\n"
#define PEERS "  peers: []\n"
#define POOLS "  pools: [10.77.0.0/24]\n"
#define PEERS_DIR "  peers_dir: peers.d\n"
#define REMOTE "client:\n  gateways:\n  - {name: g, public_key: " KEY_A \
	       ", endpoints: ['192.0.2.1:1']}\n"

struct refusal {
	const char *claim;
	const char *text;
	unsigned int line;
	unsigned int column;
	const char *field;
	const char *problem;		/* a part of it */
	const char *help;		/* a part of allowed or example; NULL any */
};

static const struct refusal refusals[] = {
	{ "empty file", "", 1, 1, "", "empty", "role" },
	{ "endpoint without a port", GATEWAY LISTEN "  endpoint: vpn.example.net\n", 6, 13,
	  "gateway.endpoint", "no endpoint", "HOST:PORT" },
	{ "not a mapping", "- a\n", 1, 1, "", "must be a mapping", "role" },
	{ "broken YAML", GATEWAY "gateway: [\n", 5, 1, "", "not YAML", NULL },
	{ "tab as indent", GATEWAY "gateway:\n\tlisten: []\n", 5, 1, "", "not YAML", NULL },
	{ "second document", GATEWAY LISTEN PEERS "---\nrole: client\n", 7, 1, "",
	  "second document", NULL },
	{ "unknown key with a guess", GATEWAY LISTEN PEERS "log_leve: info\n", 7, 1, "log_leve",
	  "did you mean 'log_level'", "log_level: info" },
	{ "unknown key without a guess", GATEWAY LISTEN PEERS "zzzzzz: 1\n", 7, 1, "zzzzzz",
	  "unknown key", "private_key_file" },
	{ "unknown key deep inside", GATEWAY LISTEN "  peers:\n  - {name: a, public_key: " KEY_A
	  ", adresses: [10.0.0.1]}\n", 7, 73, "gateway.peers[0].adresses",
	  "did you mean 'addresses'", "addresses: [" },
	{ "key twice", GATEWAY LISTEN PEERS "node: m\n", 7, 1, "node", "twice", NULL },
	{ "role missing", "private_key_file: private.key\n" LISTEN PEERS, 1, 1, "role",
	  "missing", "gateway, client" },
	{ "role unknown", "private_key_file: private.key\nrole: gatway\n" LISTEN PEERS, 2, 7,
	  "role", "did you mean 'gateway'", "client" },
	{ "section missing", GATEWAY, 1, 1, "gateway", "missing", NULL },
	{ "section of the other role", GATEWAY LISTEN PEERS "client: {gateways: []}\n", 7, 9,
	  "client", "role is gateway", NULL },
	{ "private key missing", "role: gateway\n" LISTEN PEERS, 1, 1, "private_key_file",
	  "missing", "genkey" },
	{ "private key absent", "role: gateway\nprivate_key_file: none.key\n" LISTEN PEERS, 2, 19,
	  "private_key_file", "No such file", "genkey" },
	{ "private key readable by others", "role: gateway\nprivate_key_file: open.key\n" LISTEN
	  PEERS, 2, 19, "private_key_file", "mode 0644", "mode 600" },
	{ "private key not a key", "role: gateway\nprivate_key_file: bad.key\n" LISTEN PEERS, 2,
	  19, "private_key_file", "44 characters", "genkey" },
	{ "private key empty", "role: gateway\nprivate_key_file: empty.key\n" LISTEN PEERS, 2, 19,
	  "private_key_file", "is empty", "genkey" },
	{ "private key a folder", "role: gateway\nprivate_key_file: /tmp\n" LISTEN PEERS, 2, 19,
	  "private_key_file", "not a regular file", NULL },
	{ "mapping for a text", GATEWAY LISTEN PEERS "log_level: {a: b}\n", 7, 12, "log_level",
	  "found a mapping", "info" },
	{ "empty value", GATEWAY LISTEN PEERS "log_level:\n", 7, 11, "log_level",
	  "found nothing", "info" },
	{ "device name too long", GATEWAY LISTEN PEERS "device: {name: abcdefghijklmnop}\n", 7, 16,
	  "device.name", "not an interface name", "jvpn0" },
	{ "device name with a slash", GATEWAY LISTEN PEERS "device: {name: a/b}\n", 7, 16,
	  "device.name", "not an interface name", "15" },
	{ "MTU too small", GATEWAY LISTEN PEERS "device: {mtu: 500}\n", 7, 15, "device.mtu",
	  "500 is out of range", "576" },
	{ "MTU quoted", GATEWAY LISTEN PEERS "device: {mtu: '1420'}\n", 7, 15, "device.mtu",
	  "without quotes", "mtu: 1420" },
	{ "MTU a word", GATEWAY LISTEN PEERS "device: {mtu: big}\n", 7, 15, "device.mtu",
	  "found 'big'", "mtu: 1420" },
	{ "MTU negative", GATEWAY LISTEN PEERS "device: {mtu: -1}\n", 7, 15, "device.mtu",
	  "whole number", NULL },
	{ "MTU beyond 64 bits", GATEWAY LISTEN PEERS "device: {mtu: 99999999999999999999}\n", 7,
	  15, "device.mtu", "whole number", NULL },
	{ "number that may be octal", GATEWAY LISTEN PEERS "device: {fwmark: 010}\n", 7, 18,
	  "device.fwmark", "leading zeros", NULL },
	{ "MTU too small for IPv6 inside", GATEWAY LISTEN PEERS
	  "device:\n  mtu: 1000\n  addresses: ['fd77::1/64']\n", 8, 8, "device.mtu",
	  "too small for the IPv6", "1280" },
	{ "socket path too long", GATEWAY LISTEN PEERS "control_socket: /"
	  "0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
	  "2345678901234567890123456789\n", 7, 17, "control_socket", "at most 107", NULL },
	{ "audit file without file sink", GATEWAY LISTEN PEERS
	  "audit: {sink: stdout, file: /x}\n", 7, 29, "audit.file", "sink is stdout", NULL },
	{ "listen empty", GATEWAY "gateway:\n  listen: []\n" PEERS, 5, 11, "gateway.listen",
	  "at least 1", "address" },
	{ "listen no list", GATEWAY "gateway:\n  listen: {address: 0.0.0.0}\n" PEERS, 5, 11,
	  "gateway.listen", "must be a list, found a mapping", "listen: [" },
	{ "listen address with a port", GATEWAY "gateway:\n  listen: [{address: '1.2.3.4:5'}]\n"
	  PEERS, 5, 22, "gateway.listen[0].address", "neither an IPv4", "0.0.0.0" },
	{ "listen port 0", GATEWAY "gateway:\n  listen: [{address: 0.0.0.0, port: 0}]\n" PEERS,
	  5, 37, "gateway.listen[0].port", "out of range", "51900" },
	{ "listen twice", GATEWAY "gateway:\n  listen: [{address: 0.0.0.0}, {address: 0.0.0.0}]\n"
	  PEERS, 5, 32, "gateway.listen[1]", "same as in element [0]", NULL },
	{ "pool with host bits", GATEWAY LISTEN PEERS "  pools: [10.77.0.1/24]\n", 7, 11,
	  "gateway.pools[0]", "the network is 10.77.0.0/24", NULL },
	{ "pool with a wrong length", GATEWAY LISTEN PEERS "  pools: [10.77.0.0/33]\n", 7, 11,
	  "gateway.pools[0]", "0 to 32", NULL },
	{ "a peer's network in a pool", GATEWAY LISTEN POOLS "  peers:\n"
	  "  - {name: a, allowed_prefixes: [192.168.5.0/24, 10.77.0.128/25], public_key: " KEY_A
	  "}\n", 8, 50, "gateway.peers[0].allowed_prefixes[1]",
	  "overlaps the pool 10.77.0.0/24 (line 6)", NULL },
	{ "a peer's network around a pool", GATEWAY LISTEN POOLS "  peers:\n"
	  "  - {name: a, allowed_prefixes: [10.0.0.0/8], public_key: " KEY_A "}\n", 8, 34,
	  "gateway.peers[0].allowed_prefixes[0]", "overlaps the pool 10.77.0.0/24 (line 6)", NULL },
	{ "a peer's network with the gateway in it", GATEWAY
	  "device: {addresses: ['fd77::1/64']}\n" LISTEN POOLS "  peers:\n"
	  "  - {name: a, allowed_prefixes: ['fd77::/120'], public_key: " KEY_A "}\n", 9, 34,
	  "gateway.peers[0].allowed_prefixes[0]", "the gateway's own fd77::1/64 (line 4)", NULL },
	{ "pools that overlap", GATEWAY LISTEN PEERS "  pools: [10.77.0.0/24, 10.0.0.0/8]\n", 7,
	  25, "gateway.pools[1]", "overlaps with element [0]", NULL },
	{ "peer's key too short", GATEWAY LISTEN POOLS "  peers:\n  - name: a\n"
	  "    public_key: abc\n", 9, 17, "gateway.peers[0].public_key",
	  "44 characters of base64, found 3", "pubkey" },
	{ "peer's key not base64", GATEWAY LISTEN POOLS "  peers:\n  - name: a\n"
	  "    public_key: 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK0!=\n", 9, 17,
	  "gateway.peers[0].public_key", "not base64", "pubkey" },
	{ "peer's key of low order", GATEWAY LISTEN POOLS "  peers:\n  - name: a\n"
	  "    public_key: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 9, 17,
	  "gateway.peers[0].public_key", "no secret can be agreed", "pubkey" },
	{ "peer's key missing", GATEWAY LISTEN POOLS "  peers:\n  - name: a\n", 8, 5,
	  "gateway.peers[0].public_key", "missing", "pubkey" },
	{ "peer's name not a name", GATEWAY LISTEN POOLS "  peers:\n  - name: a b\n"
	  "    public_key: " KEY_A "\n", 8, 11, "gateway.peers[0].name", "not a name", "letters" },
	{ "two peers with one key", GATEWAY LISTEN POOLS "  peers:\n"
	  "  - {name: a, public_key: " KEY_A "}\n  - {name: b, public_key: " KEY_A "}\n", 9, 27,
	  "gateway.peers[1].public_key", "same as in element [0], line 8", NULL },
	{ "two peers with one name", GATEWAY LISTEN POOLS "  peers:\n"
	  "  - {name: a, public_key: " KEY_A "}\n  - {name: a, public_key: " KEY_B "}\n", 9, 12,
	  "gateway.peers[1].name", "same as in element [0]", NULL },
	{ "two peers with one address", GATEWAY LISTEN POOLS "  peers:\n"
	  "  - {name: a, addresses: [10.0.0.1], public_key: " KEY_A "}\n"
	  "  - {name: b, addresses: [10.0.0.1], public_key: " KEY_B "}\n", 9, 27,
	  "gateway.peers[1].addresses[0]", "peer 'a' has it already (line 8)", NULL },
	{ "two peers with one network", GATEWAY LISTEN POOLS "  peers:\n"
	  "  - {name: a, allowed_prefixes: [10.1.0.0/16], public_key: " KEY_A "}\n"
	  "  - {name: b, allowed_prefixes: [10.1.0.0/16], public_key: " KEY_B "}\n", 9, 34,
	  "gateway.peers[1].allowed_prefixes[0]", "peer 'a' has it already", NULL },
	{ "peer with the gateway's address", "device: {addresses: [10.0.0.1/24]}\n" GATEWAY LISTEN
	  "  peers: [{name: a, addresses: [10.0.0.1], public_key: " KEY_A "}]\n", 7, 33,
	  "gateway.peers[0].addresses[0]", "gateway's own address", NULL },
	{ "peer's address a network", GATEWAY LISTEN "  peers:\n"
	  "  - {name: a, addresses: [10.0.0.0/24], public_key: " KEY_A "}\n", 7, 27,
	  "gateway.peers[0].addresses[0]", "must be a single address", "single inner" },
	{ "peer without any address", GATEWAY LISTEN "  peers:\n"
	  "  - {name: a, public_key: " KEY_A "}\n", 7, 5, "gateway.peers[0]",
	  "no pools", "gateway.pools" },
	{ "sessions that share an address", GATEWAY LISTEN "  peers:\n  - {name: a, public_key: "
	  KEY_A ", addresses: [10.0.0.1], max_sessions: 2}\n", 7, 110,
	  "gateway.peers[0].max_sessions", "same fixed address", "max_sessions: 1" },
	{ "peer's psk file open", GATEWAY LISTEN POOLS "  peers:\n  - {name: a, public_key: "
	  KEY_A ", preshared_key_file: open.key}\n", 8, 93,
	  "gateway.peers[0].preshared_key_file", "mode 0644", "genpsk" },
	{ "policy of a peer unknown", GATEWAY LISTEN POOLS "  peers:\n  - {name: a, public_key: "
	  KEY_A ", policy: fats}\n", 8, 81, "gateway.peers[0].policy", "did you mean 'fast'",
	  "strict" },
	{ "default policy unknown", GATEWAY LISTEN PEERS "  default_policy: nix\n", 7, 19,
	  "gateway.default_policy", "no policy is named 'nix'", "frugal" },
	{ "cookies never asked for", GATEWAY LISTEN PEERS
	  "  limits: {cookie_above_per_second: 20, handshakes_per_second: 10}\n", 7, 37,
	  "gateway.limits.cookie_above_per_second", "above handshakes_per_second", NULL },
	{ "limit below a policy's switches", GATEWAY LISTEN PEERS
	  "  limits: {session_proofs_per_minute: 5}\npolicies: {p: {}}\n", 7, 39,
	  "gateway.limits.session_proofs_per_minute", "(12) of policy 'p'", NULL },
	{ "policy number out of range", GATEWAY LISTEN PEERS
	  "policies:\n  p:\n    rekey_after_ms: 120001\n", 9, 21, "policies.p.rekey_after_ms",
	  "120001 is out of range", "120000 ms" },
	{ "policy number between 0 and its least", GATEWAY LISTEN PEERS
	  "policies: {p: {standby_interval_ms: 5}}\n", 7, 37, "policies.p.standby_interval_ms",
	  "5 is out of range", "0 (off)" },
	{ "policy field in the wrong section", GATEWAY LISTEN PEERS
	  "policies: {p: {dead_rtts: 3}}\n", 7, 16, "policies.p.dead_rtts", "unknown key",
	  "probe" },
	{ "policy redefines a built-in one", GATEWAY LISTEN PEERS
	  "policies: {fast: {hold_bytes: 1}}\n", 7, 12, "policies.fast", "built in",
	  "base: fast" },
	{ "policy with an unknown base", GATEWAY LISTEN PEERS
	  "policies: {p: {base: stict}}\n", 7, 22, "policies.p.base", "did you mean 'strict'",
	  "frugal" },
	{ "policy based on a later one", GATEWAY LISTEN PEERS
	  "policies: {p: {base: q}, q: {}}\n", 7, 22, "policies.p.base", "no policy is named 'q'",
	  NULL },
	{ "policies no mapping", GATEWAY LISTEN PEERS "policies: [fast]\n", 7, 11, "policies",
	  "found a list", NULL },
	{ "window above the loss TTL", GATEWAY LISTEN PEERS
	  "policies:\n  p:\n    transport_loss_ttl_ms: 5000\n    recovery_window_ms: 6000\n", 10,
	  25, "policies.p.recovery_window_ms", "must not exceed transport_loss_ttl_ms", NULL },
	{ "loss TTL above the session's", GATEWAY LISTEN PEERS
	  "policies:\n  p: {session_ttl_ms: 60000}\n", 8, 6, "policies.p.transport_loss_ttl_ms",
	  "must not exceed session_ttl_ms", NULL },
	{ "session TTL above a day", GATEWAY LISTEN PEERS
	  "policies:\n  p: {session_ttl_ms: 86400001}\n", 8, 23, "policies.p.session_ttl_ms",
	  "out of range", "86400000" },
	{ "cooldown above the loss TTL", GATEWAY LISTEN PEERS
	  "policies: {p: {switch_cooldown_ms: 300000}}\n", 7, 36, "policies.p.switch_cooldown_ms",
	  "below transport_loss_ttl_ms", NULL },
	{ "active probes slower than idle ones", GATEWAY LISTEN PEERS
	  "policies: {p: {probe: {active_interval_ms: 26000}}}\n", 7, 44,
	  "policies.p.probe.active_interval_ms", "must not exceed", NULL },
	{ "silence shorter than two heartbeats", GATEWAY LISTEN PEERS
	  "policies: {p: {probe: {rx_timeout_ms: 30000}}}\n", 7, 39,
	  "policies.p.probe.rx_timeout_ms", "at least twice", NULL },
	{ "no hysteresis of loss", GATEWAY LISTEN PEERS
	  "policies: {p: {quality: {loss_enter_percent: 3}}}\n", 7, 25,
	  "policies.p.quality.loss_leave_percent", "flap", NULL },
	{ "no hysteresis of latency", GATEWAY LISTEN PEERS
	  "policies: {p: {quality: {rtt_leave_ms: 800}}}\n", 7, 40,
	  "policies.p.quality.rtt_leave_ms", "flap", NULL },
	{ "client with device addresses", CLIENT REMOTE "device: {addresses: [10.0.0.1/24]}\n", 7,
	  21, "device.addresses", "from the gateway", "request_addresses" },
	{ "no gateways", CLIENT "client:\n  gateways: []\n", 5, 13, "client.gateways",
	  "at least 1", "endpoints" },
	{ "endpoint without a port", CLIENT "client:\n  gateways: [{name: g, public_key: " KEY_A
	  ", endpoints: [vpn.example.net]}]\n", 5, 94, "client.gateways[0].endpoints[0]",
	  "port is missing", "51900" },
	{ "endpoint of IPv6 without brackets", CLIENT "client:\n  gateways: [{name: g, public_key: "
	  KEY_A ", endpoints: ['2001:db8::1:51900']}]\n", 5, 94,
	  "client.gateways[0].endpoints[0]", "needs brackets", NULL },
	{ "endpoint with port 0", CLIENT "client:\n  gateways: [{name: g, public_key: " KEY_A
	  ", endpoints: ['a.b:0']}]\n", 5, 94, "client.gateways[0].endpoints[0]",
	  "1 to 65535", NULL },
	{ "endpoint with a mistyped address", CLIENT "client:\n  gateways: [{name: g, public_key: "
	  KEY_A ", endpoints: ['192.0.2.256:1']}]\n", 5, 94, "client.gateways[0].endpoints[0]",
	  "not an IPv4 address", NULL },
	{ "transports empty", CLIENT REMOTE "  transports: []\n", 7, 15, "client.transports",
	  "at least 1", "auto" },
	{ "transports a wrong word", CLIENT REMOTE "  transports: all\n", 7, 15,
	  "client.transports", "must be a list, found 'all'", "auto" },
	{ "transport without an interface", CLIENT REMOTE "  transports: [{name: a}]\n", 7, 16,
	  "client.transports[0].interface", "missing", "wlan0" },
	{ "transport of an unknown protocol", CLIENT REMOTE
	  "  transports: [{name: a, interface: e, protocol: tcp4}]\n", 7, 50,
	  "client.transports[0].protocol", "not known", "udp6" },
	{ "transport not allowed", CLIENT REMOTE "  transports: [{name: a, interface: e}]\n"
	  "  allowed_protocols: [udp6]\n", 7, 16, "client.transports[0].protocol",
	  "not in allowed_protocols", NULL },
	{ "the same transport twice", CLIENT REMOTE
	  "  transports: [{name: a, interface: e}, {name: b, interface: e}]\n", 7, 41,
	  "client.transports[1]", "same path as transport 'a'", NULL },
	{ "endpoints that no transport reaches", CLIENT REMOTE
	  "  transports: [{name: a, interface: e, protocol: udp6}]\n", 6, 84,
	  "client.gateways[0].endpoints", "no transport can reach", NULL },
	{ "route with host bits", CLIENT REMOTE "  routes: [10.0.0.1/8]\n", 7, 12,
	  "client.routes[0]", "the network is 10.0.0.0/8", NULL },
	{ "two IPv4 addresses asked for", CLIENT REMOTE
	  "  request_addresses: [10.0.0.1, 10.0.0.2]\n", 7, 33, "client.request_addresses[1]",
	  "a second IPv4", NULL },
	{ "candidates out of range", CLIENT REMOTE "  max_candidates: 0\n", 7, 19,
	  "client.max_candidates", "out of range", "1 to 64" },
	{ "NUL in a text", GATEWAY LISTEN PEERS "control_socket: \"a\\0b\"\n", 7, 17,
	  "control_socket", "NUL", NULL },
};

static bool helps(const struct jvpn_config_error *error, const char *help)
{
	return !help || (error->allowed && strstr(error->allowed, help)) ||
	       (error->example && strstr(error->example, help));
}

static bool fits(const struct jvpn_config_error *error, const struct refusal *wanted)
{
	return error->line == wanted->line && error->column == wanted->column &&
	       !strcmp(error->field ? error->field : "", wanted->field) &&
	       error->problem && strstr(error->problem, wanted->problem) &&
	       helps(error, wanted->help);
}

static void test_refusal(const struct refusal *wanted)
{
	struct jvpn_config_errors errors;
	struct jvpn_config *config = load(wanted->text, &errors);
	bool good = !config && errors.count == 1 && fits(&errors.list[0], wanted);

	if (!tap_ok(good, "refused: %s", wanted->claim)) {
		tap_note("wanted %u:%u %s: %s", wanted->line, wanted->column, wanted->field,
			 wanted->problem);
		jvpn_config_errors_print(&errors, stdout);
	}
	jvpn_config_errors_free(&errors);
	jvpn_config_free(config);
}

static void test_all_errors_at_once(void)
{
	struct jvpn_config_errors errors;
	struct jvpn_config *config = load(
		"rol: gateway\nrole: gateway\ndevice: {mtu: 1, name: ''}\nlog_level: loud\n"
		"private_key_file: none\ngateway: {listen: [{port: 99999}], peers: 7}\n", &errors);
	static const unsigned int lines[] = { 1, 3, 3, 4, 5, 6, 6, 6 };
	bool sorted = errors.count == 8;

	for (size_t i = 0; sorted && i < errors.count; i++)
		sorted = errors.list[i].line == lines[i];
	if (!tap_ok(!config && sorted, "all errors of a file, in its order"))
		jvpn_config_errors_print(&errors, stdout);
	jvpn_config_errors_free(&errors);
	jvpn_config_free(config);
}

static void test_print(void)
{
	struct jvpn_config_errors errors;
	struct jvpn_config *config = load(GATEWAY LISTEN PEERS "device: {mtu: 1}\n", &errors);
	char wanted[512], found[512] = "";
	FILE *out = fmemopen(found, sizeof(found), "w");

	jvpn_config_errors_print(&errors, out);
	fclose(out);
	snprintf(wanted, sizeof(wanted), "%s/x.yaml:7:15: device.mtu: 1 is out of range\n"
		 "    allowed: 576 to 65439; at least 1280 if IPv6 is used inside\n"
		 "    example: mtu: 1420\n", folder);
	tap_text(found, wanted, "an error as it is shown");
	jvpn_config_errors_free(&errors);
	jvpn_config_free(config);
}

static void test_no_such_file(void)
{
	struct jvpn_config_errors errors;
	struct jvpn_config *config = jvpn_config_load("/nonexistent/x.yaml", &errors);

	tap_ok(!config && errors.count == 1 && strstr(errors.list[0].problem, "No such file"),
	       "no such file");
	jvpn_config_errors_free(&errors);
	config = jvpn_config_load("/tmp", &errors);
	tap_ok(!config && errors.count == 1 && strstr(errors.list[0].problem, "folder"),
	       "a folder is no file");
	jvpn_config_errors_free(&errors);
}

/* --- peers in files of their own --- */

static void test_peer_file_refused(const char *text, unsigned int line, const char *field,
				   const char *problem, const char *claim)
{
	struct jvpn_config_errors errors;
	struct jvpn_config *config;

	put("peers.d/b.yaml", text, 0644);
	config = load(GATEWAY LISTEN POOLS PEERS_DIR, &errors);
	tap_ok(!config && errors.count == 1 && errors.list[0].file &&
	       strstr(errors.list[0].file, "peers.d/b.yaml") && errors.list[0].line == line &&
	       !strcmp(errors.list[0].field ? errors.list[0].field : "", field) &&
	       strstr(errors.list[0].problem, problem), "%s", claim);
	for (size_t i = 0; i < errors.count; i++)
		tap_note("%s:%u: %s: %s", errors.list[i].file ? errors.list[i].file : "-",
			 errors.list[i].line, errors.list[i].field, errors.list[i].problem);
	jvpn_config_errors_free(&errors);
	jvpn_config_free(config);
}

static void test_peer_files(void)
{
	struct jvpn_config_errors errors;
	struct jvpn_config *config;
	char dir[256], outer[256];

	snprintf(dir, sizeof(dir), "%s/peers.d", folder);
	mkdir(dir, 0755);
	put("peers.d/a.yaml", "name: a\npublic_key: " KEY_A "\naddresses: [10.77.0.9]\n", 0644);
	put("peers.d/.half", "no: peer\n", 0644);
	put("peers.d/note.txt", "no: peer\n", 0644);
	config = load(GATEWAY LISTEN POOLS PEERS_DIR "  peers: [{name: c, public_key: " KEY_B "}]\n", &errors);
	tap_ok(config && config->gateway.n_peers == 2 && config->gateway.n_own_peers == 1 &&
	       !strcmp(config->gateway.peers[1].name, "a") &&
	       config->gateway.peers[1].max_sessions == 1 &&
	       config->gateway.peers[1].policy == config->gateway.default_policy,
	       "a peer's file counts as if it stood in the configuration");
	jvpn_config_errors_free(&errors);
	jvpn_config_free(config);
	test_peer_file_refused("", 1, "", "empty", "a peer's file that is empty");
	test_peer_file_refused("a: [\n", 2, "", "not YAML", "a peer's file that is not YAML");
	test_peer_file_refused("name: b\n", 1, "public_key", "missing", "a peer's file without a key");
	test_peer_file_refused("name: a\npublic_key: " KEY_B "\n", 1, "name", "the peer 'a'",
			       "a peer's name twice");
	test_peer_file_refused("name: b\npublic_key: " KEY_A "\n", 1, "public_key",
			       "the peer 'a'", "a peer's key twice");
	test_peer_file_refused("name: b\npublic_key: " KEY_B "\naddresses: [10.77.0.9]\n", 1,
			       "addresses", "the peer 'a'", "a peer's address twice");
	test_peer_file_refused("name: b\npublic_key: " KEY_B "\nallowed_prefixes: [10.77.0.0/16]\n", 1,
			       "allowed_prefixes", "two owners", "a peer's network over the pool");
	test_peer_file_refused("name: c\npublic_key: " KEY_B "\n", 1, "name", "is called b.yaml",
			       "a peer's file with another name");
	put("peers.d/b.yaml", "name: b\npublic_key: " KEY_B "\n", 0644);
	config = load(GATEWAY LISTEN POOLS "  peers_dir: none\n", &errors);
	tap_ok(!config && errors.count == 1 && strstr(errors.list[0].problem, "No such file"),
	       "a folder that is named and not there is an error");
	jvpn_config_errors_free(&errors);
	jvpn_config_free(config);
	config = load(GATEWAY LISTEN POOLS, &errors);
	tap_ok(config && !config->gateway.n_peers, "the usual one need not be there");
	jvpn_config_errors_free(&errors);
	jvpn_config_free(config);
	snprintf(outer, sizeof(outer), "%s.d", folder);
	mkdir(outer, 0755);
	snprintf(outer, sizeof(outer), "%s.d/jvpn0", folder);
	rename(dir, outer);
	config = load(GATEWAY LISTEN POOLS, &errors);
	tap_ok(config && config->gateway.n_peers == 2 && !config->gateway.n_own_peers,
	       "it is beside the folder of the file, by the device's name");
	jvpn_config_errors_free(&errors);
	jvpn_config_free(config);
	rename(outer, dir);
	snprintf(outer, sizeof(outer), "%s.d", folder);
	rmdir(outer);
	unlink(put("peers.d/a.yaml", "", 0644));
	unlink(put("peers.d/b.yaml", "", 0644));
	unlink(put("peers.d/.half", "", 0644));
	unlink(put("peers.d/note.txt", "", 0644));
	rmdir(dir);
}

static void test_key_in_file(void)
{
	static const char text[] = "role: client\nprivate_key: " PRIVATE "\n" REMOTE;
	struct jvpn_config_errors errors;
	struct jvpn_config *config = jvpn_config_load(put("x.yaml", text, 0640), &errors);

	tap_ok(config && !errors.count, "a key in a file that others cannot read");
	jvpn_config_errors_free(&errors);
	jvpn_config_free(config);
	config = jvpn_config_load(put("x.yaml", text, 0644), &errors);
	tap_ok(!config && errors.count == 1 && errors.list[0].line == 2 &&
	       strstr(errors.list[0].problem, "chmod o-rwx") &&
	       !strstr(errors.list[0].problem, PRIVATE), "not in one that they can");
	jvpn_config_errors_free(&errors);
	jvpn_config_free(config);
	config = jvpn_config_load(put("x.yaml", CLIENT "private_key: " PRIVATE "\n" REMOTE, 0600),
				  &errors);
	tap_ok(!config && errors.count == 1 && strstr(errors.list[0].problem, "already"),
	       "and not in two places");
	jvpn_config_errors_free(&errors);
	jvpn_config_free(config);
}

static struct jvpn_config *load_good(const char *text, const char *claim)
{
	struct jvpn_config_errors errors;
	struct jvpn_config *config = load(text, &errors);

	if (!tap_ok(config && !errors.count, "%s", claim))
		jvpn_config_errors_print(&errors, stdout);
	jvpn_config_errors_free(&errors);
	return config;
}

static void test_defaults_gateway(void)
{
	struct jvpn_config *config = load_good(GATEWAY LISTEN PEERS, "smallest gateway");

	if (!config)
		return;
	tap_text(config->device.name, "jvpn0", "device jvpn0");
	tap_equal(config->device.mtu, 1420, "MTU 1420");
	tap_equal(config->device.fwmark, jvpn_config_device_number("jvpn0"), "mark of the device");
	tap_text(config->control_socket, "/run/jvpn/jvpn0.sock", "socket of the device");
	tap_text(config->audit.file, "/var/log/jvpn/jvpn0.audit", "audit file of the device");
	tap_equal(config->gateway.listen[0].port, 51900, "port 51900");
	tap_text(config->gateway.default_policy->name, "default", "policy default");
	tap_equal(config->gateway.limits.max_sessions, 65536, "65536 sessions");
	tap_equal(config->n_policies, 4, "four built-in policies");
	jvpn_config_free(config);
}

static void test_defaults_client(void)
{
	struct jvpn_config *config = load_good(CLIENT REMOTE "runtime_dir: /tmp/r\n"
					       "device: {name: vpn9}\n", "smallest client");

	if (!config)
		return;
	tap_ok(config->client.transports_auto && !config->client.n_transports, "transports auto");
	tap_ok(config->client.allowed_protocols[JVPN_CONFIG_UDP4] &&
	       config->client.allowed_protocols[JVPN_CONFIG_UDP6], "both protocols");
	tap_text(config->control_socket, "/tmp/r/vpn9.sock", "socket follows folder and device");
	tap_equal(config->client.n_routes, 0, "no routes");
	jvpn_config_free(config);
}

static void test_values(void)
{
	struct jvpn_config *config = load_good(
		"device: {name: tun7, mtu: 1300, fwmark: 0x51, addresses: [10.77.0.1/24]}\n"
		"policies:\n  own:\n    base: fast\n    version: 9\n    failback_stable_ms: 100\n"
		"    probe: {dead_base_ms: 200}\n  more: {base: own, hold_bytes: 0}\n"
		GATEWAY "gateway:\n  listen: [{address: '::', port: 1, interface: eth0}]\n"
		"  default_policy: own\n  limits: {max_sessions: 9}\n"
		"  peers:\n  - {name: a, public_key: " KEY_A ", addresses: [10.77.0.2, 'fd00::2'],"
		" allowed_prefixes: [192.168.0.0/16], preshared_key_file: psk.key}\n"
		"  - {name: b, public_key: " KEY_B ", addresses: [10.77.0.3/32], policy: more}\n",
		"a file with everything");
	const struct jvpn_config_peer *a, *b;
	char text[JVPN_ADDR_TEXT];

	if (!config)
		return;
	a = &config->gateway.peers[0];
	b = &config->gateway.peers[1];
	tap_equal(config->device.fwmark, 0x51, "hexadecimal mark");
	tap_text(a->policy->name, "own", "policy read before it is referred to");
	tap_equal(a->policy->version, 9, "stated policy version");
	tap_equal(a->policy->failback_stable_ms, 100, "policy value");
	tap_equal(a->policy->probe.dead_base_ms, 200, "policy value in a section");
	tap_equal(a->policy->max_switches_per_minute, 30, "policy value of the base");
	tap_equal(b->policy->hold_bytes, 0, "value on top of an own base");
	tap_equal(b->policy->failback_stable_ms, 100, "value of an own base");
	tap_ok(b->policy->version != 9 && b->policy->version, "derived policy has its own version");
	tap_ok(a->has_preshared_key && !b->has_preshared_key && a->preshared_key[0],
	       "pre-shared key read for the one that has it");
	tap_text(jvpn_prefix_format(&a->addresses[1], text, sizeof(text)), "fd00::2/128",
		 "fixed address is a host prefix");
	tap_ok(jvpn_config_peer_find(config, b->public_key) == b, "peer found by key");
	tap_ok(!jvpn_config_peer_find(config, config->public_key), "unknown key not found");
	jvpn_config_free(config);
}

static void test_client_values(void)
{
	struct jvpn_config *config = load_good(CLIENT "client:\n  gateways:\n"
		"  - {name: g, public_key: " KEY_A ", endpoints: ['vpn.example.net:51900', "
		"'[2001:db8::1]:7']}\n  transports:\n  - {name: w, interface: wlan0, "
		"protocol: udp6, preference: 5, local_port: 77}\n  routes: ['::/0']\n"
		"  request_addresses: ['fd00::9', 10.0.0.9]\n  policy: strict\n",
		"a client with everything");
	const struct jvpn_config_client *client;
	char text[JVPN_ADDR_TEXT];

	if (!config)
		return;
	client = &config->client;
	tap_text(client->gateways[0].endpoints[0].host, "vpn.example.net", "name of an endpoint");
	tap_equal(client->gateways[0].endpoints[0].addr.family, AF_UNSPEC, "is to be resolved");
	tap_text(jvpn_endpoint_format(&client->gateways[0].endpoints[1], text, sizeof(text)),
		 "[2001:db8::1]:7", "IPv6 endpoint");
	tap_equal(client->transports[0].protocol, JVPN_CONFIG_UDP6, "protocol of a transport");
	tap_equal(client->transports[0].preference, 5, "preference of a transport");
	tap_equal(client->transports[0].local_port, 77, "port of a transport");
	tap_text(jvpn_addr_format(&client->request_ipv4, text, sizeof(text)), "10.0.0.9",
		 "address asked for");
	tap_text(client->policy->name, "strict", "policy of the client");
	jvpn_config_free(config);
}

static void test_deterministic(void)
{
	struct jvpn_config *one = load_good(GATEWAY LISTEN PEERS, "first reading");
	struct jvpn_config *two = load_good(GATEWAY LISTEN PEERS, "second reading");
	json_t *a = one ? jvpn_config_to_json(one) : NULL;
	json_t *b = two ? jvpn_config_to_json(two) : NULL;
	char *text = a ? json_dumps(a, 0) : NULL;

	tap_ok(a && b && json_equal(a, b), "equal files give equal models");
	tap_ok(text && !strstr(text, PRIVATE), "the model as JSON holds no secret");
	free(text);
	json_decref(a);
	json_decref(b);
	jvpn_config_free(one);
	jvpn_config_free(two);
}

static void test_policies(void)
{
	const struct jvpn_policy_def *policy;

	for (size_t i = 0; (policy = jvpn_policy_builtin_at(i)); i++) {
		const struct jvpn_policy_field *field;
		const char *name, *sentence;
		bool broken, good = true;

		for (size_t j = 0; (field = jvpn_policy_field_at(j)); j++) {
			uint64_t value = jvpn_policy_field_get(policy, field);

			good &= (value >= field->min && value <= field->max) ||
				(!value && field->zero_is_off);
		}
		for (size_t j = 0;
		     jvpn_policy_rule_check(policy, j, &broken, &name, &sentence); j++)
			good &= !broken;
		tap_ok(good && policy->version, "built-in policy %s keeps to its own rules",
		       policy->name);
	}
	policy = jvpn_policy_builtin_find("fast");
	tap_ok(policy->probe.dead_rtts == 3 &&
	       policy->probe.active_interval_ms + policy->probe.dead_base_ms == 100,
	       "policy fast finds a black hole in 3 round trips and 100 ms");
}

static void test_policy_version(void)
{
	struct jvpn_policy_def policy = *jvpn_policy_builtin_find("default");
	const struct jvpn_policy_field *field;
	uint32_t version = policy.version;
	bool every = true;

	for (size_t i = 0; (field = jvpn_policy_field_at(i)); i++) {
		struct jvpn_policy_def changed = policy;

		jvpn_policy_field_set(&changed, field, jvpn_policy_field_get(&policy, field) + 1);
		every &= jvpn_policy_hash_version(&changed) != version;
	}
	tap_ok(every, "every number of a policy counts for its version");
	tap_equal(jvpn_policy_hash_version(&policy), version, "the same numbers, the same version");
}

static void test_examples(void)
{
	static const char *const names[] = { "gateway.yaml", "client.yaml" };
	const char *source = getenv("JVPN_EXAMPLES");
	struct jvpn_config_errors errors;
	struct jvpn_config *config;
	char path[512];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s",
			 source ? source : "../Documentation/examples", names[i]);
		config = jvpn_config_load_flags(path, JVPN_CONFIG_NO_KEY_FILES, &errors);
		if (!tap_ok(config && !errors.count, "example %s", names[i]))
			jvpn_config_errors_print(&errors, stdout);
		jvpn_config_errors_free(&errors);
		jvpn_config_free(config);
	}
}

int main(void)
{
	if (!mkdtemp(folder))
		return 2;
	put("private.key", PRIVATE "\n", 0600);
	put("psk.key", PRIVATE "\n", 0400);
	put("open.key", PRIVATE "\n", 0644);
	put("bad.key", "secret\n", 0600);
	put("empty.key", "\n", 0600);

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		test_refusal(&refusals[i]);
	test_all_errors_at_once();
	test_print();
	test_no_such_file();
	test_peer_files();
	test_key_in_file();
	test_defaults_gateway();
	test_defaults_client();
	test_values();
	test_client_values();
	test_deterministic();
	test_policies();
	test_policy_version();
	test_examples();

	for (const char *const *name = (const char *const []) { "private.key", "psk.key",
	     "open.key", "bad.key", "empty.key", "x.yaml", NULL }; *name; name++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", folder, *name);
		unlink(path);
	}
	tap_ok(!rmdir(folder), "nothing is left behind");
	return tap_done();
}
