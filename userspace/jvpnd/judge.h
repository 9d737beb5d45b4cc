/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_JUDGE_H
#define JVPND_JUDGE_H

/*
 * Is a session what the configuration of today allows? It was made under one
 * of its day; a daemon that adopts it, and a reload, ask before it is served
 * any further. Nothing here asks or changes anything but its arguments.
 *
 * All functions return NULL if the session is good, or why it must end (a
 * literal, to be read after "the session ends: ").
 */

#include "config.h"
#include "session.h"

#define JUDGE_PSK_ID JVPN_WIRE_MAC

/* Tells pre-shared keys apart without being one; of zeros if there is none. */
void judge_psk_id(uint8_t id[JUDGE_PSK_ID], const uint8_t psk[JVPN_KEYS_SIZE]);

/* peer: that of the session's key in config, NULL none. */
const char *judge_gateway(const struct jvpn_config *config, const struct jvpn_config_peer *peer,
			  const struct session *s);
const char *judge_client(const struct jvpn_config *config, const struct session *s);

#endif
