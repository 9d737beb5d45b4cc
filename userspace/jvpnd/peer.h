/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_PEER_H
#define JVPND_PEER_H

/*
 * The peers of a gateway while it runs: one for each static key that the
 * configuration names or that still has sessions.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "admission.h"
#include "config.h"
#include "core/limits.h"
#include "handshake.h"
#include "keys.h"

struct peers;
struct session;

/* Sessions that may come of one INIT. */
#define PEER_HALF_OPEN_MAX ADMISSION_ANSWERS_MAX

struct peer_init;

/**
 * struct peer
 * @config: NULL: no longer in the configuration, handshakes are refused
 * @timestamp: of its last INIT
 * @handshakes: bounds its INITs
 * @past: bounds those that were made long ago, by the clock of this machine
 * @half_open: its sessions in BIRTH, all of one INIT
 * @is_open: it has some of these, or workers have an INIT of it
 * @is_doubtful: and that INIT may be a copy of what it sent once
 * @doubtful_link: among those peers
 * @doubtful_since_ms: when it came to be so
 * @sessions: of it that are not terminated, @half_open included
 * @list: those
 * @handshaking: how often workers have an INIT of it
 * @init: the INIT that was accepted last, while its sessions are half-open, or NULL
 */
struct peer {
	struct peer *next;
	uint8_t key[JVPN_KEYS_SIZE];
	const struct jvpn_config_peer *config;
	struct jvpn_hs_timestamp timestamp;
	struct jvpn_bucket handshakes;
	struct jvpn_bucket past;
	struct session *half_open[PEER_HALF_OPEN_MAX];
	bool is_open;
	bool is_doubtful;
	TAILQ_ENTRY(peer) doubtful_link;
	uint64_t doubtful_since_ms;
	uint32_t sessions;
	TAILQ_HEAD(peer_sessions, session) list;	/* of them, oldest first */
	unsigned int handshaking;
	struct peer_init *init;
};

struct peers *peers_new(void);
void peers_free(struct peers *peers, void (*forget)(struct peer *peer));
/* Follow a configuration. False without memory; what was found so far is kept. */
bool peers_configure(struct peers *peers, const struct jvpn_config_gateway *config,
		     uint64_t now_ms);
struct peer *peer_find(const struct peers *peers, const uint8_t key[JVPN_KEYS_SIZE]);

#endif
