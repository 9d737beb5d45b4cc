/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_TUNNEL_H
#define JVPND_TUNNEL_H

/*
 * What a client's device carries: the inner addresses that the gateway gave, the
 * network around each, and the configured routes. They stay while there is no session, so that what
 * belongs into the tunnel does not leave by another way.
 */

#include "client.h"
#include "plan.h"

/*
 * What RESP says that can be taken: an address of each family, AF_UNSPEC for none, with the length
 * of the network around it that is reached through the tunnel. False: nothing; c->inner_refused
 * says why.
 */
bool tunnel_accept(struct client *c, const struct jvpn_hs_resp *resp, struct jvpn_prefix inner[2]);
/* NULL, or why the session's addresses cannot be taken any longer (a literal). */
const char *tunnel_collision(struct client *c, const struct session *s);
void tunnel_configure(struct client *c, const struct jvpn_prefix inner[2]);
/* Find out what a former run of the daemon has put there, before anything is decided. */
void tunnel_find(struct client *c);
/* Sessions were adopted: follow the one that there is. */
void tunnel_adopt(struct client *c);
/* What the system should have. */
void tunnel_plan(struct jvpnd *d, struct plan *plan);
/* The part of it that follows from the file alone, and needs neither client nor device. */
void tunnel_plan_guards(const struct jvpnd *d, struct plan *plan);
/*
 * Uplinks that ask for no neighbours. Where no route leads over the interface that a program is bound
 * to, the kernel takes what it sends over IPv4 for a neighbour's; over these it leaves.
 */
size_t tunnel_bare_uplinks(const struct client *c, uint32_t *ifindexes, size_t room);
/* Sentences about routes that the tunnel does not carry now. */
json_t *tunnel_uncarried_json(const struct client *c);

#endif
