/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_CONFIG_H
#define JVPN_CONFIG_H

/*
 * One YAML file describes one device. jvpn_config_load() gives a complete,
 * checked model or all the errors of the file; nothing is half-applied. The
 * model is immutable after loading and holds secrets: jvpn_config_free() wipes
 * them. Defaults are filled in, so that equal files give equal models.
 */

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "addr.h"
#include "audit.h"
#include "keys.h"
#include "log.h"
#include "policy.h"

#define JVPN_CONFIG_IFNAME	16	/* IFNAMSIZ */
#define JVPN_CONFIG_ENDPOINT	262	/* "name:port" */
#define JVPN_CONFIG_NAME	64	/* names of peers, gateways, transports, node */

enum jvpn_config_role {
	JVPN_CONFIG_GATEWAY,
	JVPN_CONFIG_CLIENT,
};

enum jvpn_config_protocol {
	JVPN_CONFIG_UDP4,
	JVPN_CONFIG_UDP6,
	JVPN_CONFIG_PROTOCOLS,
};

/* Whose packets a client takes from its gateway. */
enum jvpn_config_sources {
	JVPN_CONFIG_SOURCES_ROUTES,
	JVPN_CONFIG_SOURCES_ANY,
};

enum jvpn_config_inner_network {
	JVPN_CONFIG_INNER_AUTO,
	JVPN_CONFIG_INNER_NONE,
};

/* What becomes of packets for a route that the tunnel does not carry (yet). */
enum jvpn_config_leak {
	JVPN_CONFIG_LEAK_AUTO,			/* default routes are blocked, others leave */
	JVPN_CONFIG_LEAK_BLOCK,
	JVPN_CONFIG_LEAK_ALLOW,
};

struct jvpn_config_device {
	char name[JVPN_CONFIG_IFNAME];
	uint32_t mtu;				/* inner MTU, default 1420 */
	uint32_t fwmark;			/* mark of outer packets; not 0 */
	struct jvpn_prefix *addresses;		/* gateway: put on the device */
	size_t n_addresses;
};

struct jvpn_config_audit {
	enum jvpn_audit_sink sink;
	char file[PATH_MAX];			/* sink file only */
	uint32_t refusal_octets_per_day;	/* of what the network's senders were refused */
};

struct jvpn_config_listen {
	struct jvpn_addr address;
	uint16_t port;
	char interface[JVPN_CONFIG_IFNAME];	/* "" for any */
};

struct jvpn_config_peer {
	char name[JVPN_CONFIG_NAME];
	uint8_t public_key[JVPN_KEYS_SIZE];
	bool has_preshared_key;
	uint8_t preshared_key[JVPN_KEYS_SIZE];	/* zeros if none */
	struct jvpn_prefix *addresses;		/* fixed inner hosts; none: from the pools */
	size_t n_addresses;
	struct jvpn_prefix *allowed_prefixes;	/* networks behind the peer */
	size_t n_allowed_prefixes;
	const struct jvpn_policy_def *policy;	/* into jvpn_config.policies */
	uint32_t max_sessions;
};

struct jvpn_config_limits {
	uint32_t max_sessions;			/* of the device */
	uint32_t max_half_open;			/* peers with sessions in BIRTH */
	uint32_t handshakes_per_second;		/* public-key work for INIT, in total */
	uint32_t cookie_above_per_second;	/* INITs per second above which mac2 is demanded */
	uint32_t reattaches_per_second;		/* public-key work for PROOF, in total */
	uint32_t session_proofs_per_minute;	/* public-key work for PROOF, per session */
	uint32_t source_packets_per_second;	/* control packets of one source address */
	uint32_t invitations_per_second;	/* unsolicited CHALLENGEs, in total */
};

struct jvpn_config_gateway {
	struct jvpn_config_listen *listen;
	size_t n_listen;
	struct jvpn_prefix *pools;		/* its own addresses are not given out */
	size_t n_pools;
	uint32_t address_quarantine_ms;		/* before one goes to another peer; 0 off */
	struct jvpn_config_peer *peers;		/* of the file, then those of peers_dir */
	size_t n_peers;
	size_t n_own_peers;			/* of the file */
	char endpoint[JVPN_CONFIG_ENDPOINT];	/* what clients are told; "" unknown */
	char peers_dir[PATH_MAX];		/* default peers.d beside the file */
	const struct jvpn_policy_def *default_policy;
	struct jvpn_config_limits limits;
};

struct jvpn_config_remote {			/* a gateway, as the client sees it */
	char name[JVPN_CONFIG_NAME];
	uint8_t public_key[JVPN_KEYS_SIZE];
	bool has_preshared_key;
	uint8_t preshared_key[JVPN_KEYS_SIZE];
	struct jvpn_endpoint *endpoints;
	size_t n_endpoints;
};

struct jvpn_config_transport {
	char name[JVPN_CONFIG_NAME];
	char interface[JVPN_CONFIG_IFNAME];
	enum jvpn_config_protocol protocol;
	uint32_t preference;			/* higher is better, default 100 */
	uint16_t local_port;			/* 0: the kernel chooses */
};

struct jvpn_config_client {
	struct jvpn_config_remote *gateways;	/* tried in this order */
	size_t n_gateways;
	bool transports_auto;			/* any interface; transports is empty */
	struct jvpn_config_transport *transports;
	size_t n_transports;
	struct jvpn_prefix *routes;		/* installed through the tunnel */
	size_t n_routes;
	enum jvpn_config_sources accept_sources;
	enum jvpn_config_inner_network inner_network;
	enum jvpn_config_leak leak;
	struct jvpn_addr request_ipv4;		/* AF_UNSPEC: whatever the gateway gives */
	struct jvpn_addr request_ipv6;
	uint32_t max_candidates;
	bool allowed_protocols[JVPN_CONFIG_PROTOCOLS];
	const struct jvpn_policy_def *policy;
};

struct jvpn_config {
	char path[PATH_MAX];
	struct jvpn_config_device device;
	enum jvpn_config_role role;
	char node[JVPN_CONFIG_NAME];
	char private_key_file[PATH_MAX];	/* "": it stands in the file */
	uint8_t private_key[JVPN_KEYS_SIZE];
	uint8_t public_key[JVPN_KEYS_SIZE];	/* of private_key */
	char control_socket[PATH_MAX];		/* default <runtime_dir>/<device>.sock */
	char runtime_dir[PATH_MAX];		/* default /run/jvpn */
	struct jvpn_config_audit audit;
	enum jvpn_log_level log_level;
	struct jvpn_policy_def *policies;	/* the built-in ones, then the file's */
	size_t n_policies;
	struct jvpn_config_gateway gateway;	/* role gateway only */
	struct jvpn_config_client client;	/* role client only */
};

/* One thing that is wrong. Unset texts are NULL; line and column count from 1, 0 unknown. */
struct jvpn_config_error {
	char *file;				/* NULL: that of the configuration */
	unsigned int line;
	unsigned int column;
	char *field;				/* "gateway.peers[2].public_key" */
	char *problem;				/* what was found, and why it is refused */
	char *allowed;				/* what would be accepted */
	char *example;				/* a line that would be accepted */
};

struct jvpn_config_errors {
	char file[PATH_MAX];
	struct jvpn_config_error *list;		/* in the order of the file */
	size_t count;
	size_t missing;		/* of them, key files that are not there: they may come later */
};

/* Flags of jvpn_config_load_flags(). */
#define JVPN_CONFIG_NO_KEY_FILES	0x1	/* do not open key files: keys stay zero */

/*
 * Returns NULL and at least one error, or a model and no error. errors is
 * cleared first and must be freed in either case.
 */
struct jvpn_config *jvpn_config_load(const char *path, struct jvpn_config_errors *errors);
struct jvpn_config *jvpn_config_load_flags(const char *path, unsigned int flags,
					   struct jvpn_config_errors *errors);
void jvpn_config_free(struct jvpn_config *config);

/* Errors as people read them, "file:line:column: field: problem" and two lines of help. */
void jvpn_config_errors_print(const struct jvpn_config_errors *errors, FILE *out);
json_t *jvpn_config_errors_to_json(const struct jvpn_config_errors *errors);
void jvpn_config_errors_free(struct jvpn_config_errors *errors);

const struct jvpn_policy_def *jvpn_config_policy_find(const struct jvpn_config *config,
						      const char *name);
const struct jvpn_config_peer *
jvpn_config_peer_find(const struct jvpn_config *config,
		      const uint8_t public_key[JVPN_KEYS_SIZE]);

/*
 * A number that follows from a device's name: of its routing table, and the mark of its outer packets if
 * the file does not say another. Bits that others use in marks are not in it.
 */
uint32_t jvpn_config_device_number(const char *name);
/*
 * Which bits of an outer packet's mark say that it is one: what all chosen marks have in common, so
 * that those of all devices are known by it, or all of them if the file has another mark. ("jv", and
 * 14 bits of the name: bits 14 and 15 have a meaning for Kubernetes.)
 */
#define JVPN_CONFIG_NUMBER_BASE 0x6a760000u
#define JVPN_CONFIG_NUMBER_MASK 0xffffc000u
uint32_t jvpn_config_mark_mask(uint32_t mark);

const char *jvpn_config_role_name(enum jvpn_config_role role);
const char *jvpn_config_sources_name(enum jvpn_config_sources sources);
const char *jvpn_config_inner_network_name(enum jvpn_config_inner_network network);
const char *jvpn_config_leak_name(enum jvpn_config_leak leak);
const char *jvpn_config_protocol_name(enum jvpn_config_protocol protocol);

/* The whole model without secrets. */
json_t *jvpn_config_to_json(const struct jvpn_config *config);

#endif /* JVPN_CONFIG_H */
