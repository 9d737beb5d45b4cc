/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_TICKET_H
#define JVPN_TICKET_H

/*
 * Tickets name a session to the gateway without telling anybody else which.
 * They carry no key: whoever steals the ticket keys can link packets, no more.
 *
 * Time is that since the machine's boot, which nobody can set: a clock that is
 * put right must not lock out those who hold a ticket already. A ticket of an
 * earlier boot opens or has expired, as it comes; its session is gone, and its
 * owner can be told so.
 */

#include "crypto.h"

#define JVPN_TICKET_LIFE_S	86400

/**
 * struct jvpn_tickets - what the ticket keys of a node or cluster are made of
 * @root: follows from the static secret, so that nothing has to be kept
 * @names: of the nonces; the caller's
 *
 * The key's number is in the ticket's first octet: the day since boot on which it was sealed.
 */
struct jvpn_tickets {
	u8 root[JVPN_WIRE_KEY];
	struct jvpn_name_key names;
};

void jvpn_tickets_init(struct jvpn_tickets *tickets, const u8 secret[JVPN_WIRE_KEY]);

void jvpn_ticket_seal(const struct jvpn_tickets *tickets, const u8 sid[JVPN_WIRE_SID],
		      u64 boot_s, const struct jvpn_rng *rng, u8 out[JVPN_WIRE_TICKET]);
/* TICKET_FORGED, TICKET_EXPIRED. */
enum jvpn_verdict jvpn_ticket_open(const struct jvpn_tickets *tickets,
				   const u8 ticket[JVPN_WIRE_TICKET], u64 boot_s,
				   u8 sid[JVPN_WIRE_SID]);

/* BL(16, K_gone, "gone" || sid): given in RESP, proves in GONE that the session is lost. */
void jvpn_gone_token(const u8 k_gone[JVPN_WIRE_KEY], const u8 sid[JVPN_WIRE_SID],
		     u8 token[JVPN_WIRE_MAC]);

#endif /* JVPN_TICKET_H */
