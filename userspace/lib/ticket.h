/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_TICKET_H
#define JVPN_TICKET_H

/*
 * Tickets name a session to the gateway without telling anybody else which.
 * They carry no key: whoever steals the ticket key can link packets, no more.
 */

#include "crypto.h"

#define JVPN_TICKET_LIFE_S	86400
#define JVPN_TICKET_KEYS	2

/**
 * struct jvpn_ticket_key - one TK
 * @kid: first octet of the tickets that it seals
 * @birth_s: wall clock; 0: empty slot
 */
struct jvpn_ticket_key {
	u8 kid;
	u64 birth_s;
	u8 key[JVPN_WIRE_KEY];
};

/**
 * struct jvpn_tickets - the keys of a node or cluster
 * @key: newest first; [0] seals, all open
 *
 * Persisted by the caller (they must outlive a restart), hence plain members.
 */
struct jvpn_tickets {
	struct jvpn_ticket_key key[JVPN_TICKET_KEYS];
};

/*
 * Make the first key, or a new one once the newest is a day old (or was born
 * in the future: the clock was set back). Returns whether anything changed and
 * so must be stored again.
 */
bool jvpn_tickets_rotate(struct jvpn_tickets *tickets, u64 wall_s, const struct jvpn_rng *rng);
void jvpn_tickets_wipe(struct jvpn_tickets *tickets);

/* jvpn_tickets_rotate() must have been called before. */
void jvpn_ticket_seal(const struct jvpn_tickets *tickets, const u8 sid[JVPN_WIRE_SID],
		      u64 wall_s, const struct jvpn_rng *rng, u8 out[JVPN_WIRE_TICKET]);
/* TICKET_UNKNOWN, TICKET_FORGED, TICKET_EXPIRED. */
enum jvpn_verdict jvpn_ticket_open(const struct jvpn_tickets *tickets,
				   const u8 ticket[JVPN_WIRE_TICKET], u64 wall_s,
				   u8 sid[JVPN_WIRE_SID]);

/* BL(16, K_gone, "gone" || sid): given in RESP, proves in GONE that the session is lost. */
void jvpn_gone_token(const u8 k_gone[JVPN_WIRE_KEY], const u8 sid[JVPN_WIRE_SID],
		     u8 token[JVPN_WIRE_MAC]);

#endif /* JVPN_TICKET_H */
