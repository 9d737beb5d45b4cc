/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_PEER_H
#define JVPND_PEER_H

/*
 * The peers of a gateway while it runs: one for each static key that the
 * configuration names or that still has sessions.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "core/limits.h"
#include "handshake.h"
#include "keys.h"

struct peers;
struct session;

/**
 * struct peer
 * @config: NULL: no longer in the configuration, handshakes are refused
 * @timestamp: of its last INIT
 * @handshakes: bounds its INITs
 * @half_open: its session in BIRTH, at most one
 * @sessions: of it that are not terminated, @half_open included
 * @handshaking: a worker has an INIT of it
 */
struct peer {
	struct peer *next;
	uint8_t key[JVPN_KEYS_SIZE];
	const struct jvpn_config_peer *config;
	struct jvpn_hs_timestamp timestamp;
	struct jvpn_bucket handshakes;
	struct session *half_open;
	uint32_t sessions;
	bool handshaking;
};

struct peers *peers_new(void);
void peers_free(struct peers *peers);
/* Follow a configuration. False without memory; what was found so far is kept. */
bool peers_configure(struct peers *peers, const struct jvpn_config_gateway *config,
		     uint64_t now_ms);
struct peer *peer_find(const struct peers *peers, const uint8_t key[JVPN_KEYS_SIZE]);

#endif
