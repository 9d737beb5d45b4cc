/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_PLAN_H
#define JVPND_PLAN_H

/*
 * What the system should have of ours, compared with what it has: addresses of the device, routes
 * and rules. Decisions only; nothing here asks or changes the system.
 *
 * A plan is made anew each time from what the daemon knows, never changed in steps: what somebody
 * else has taken away is missing then, and what is no longer wanted is left over.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "config.h"

/* In the order in which they are added: what blocks comes before what carries. */
enum plan_kind {
	PLAN_RULE,
	PLAN_ADDRESS,
	PLAN_ROUTE,
};

/**
 * struct plan_rule - a policy routing rule
 * @family: AF_INET or AF_INET6
 * @priority: its place among the others
 * @table: where it looks routes up; 0: it says that there is none
 * @mark: of packets that it is not for; 0: it is for all
 * @mask: which bits of a packet's mark are compared with it
 * @least: only routes of at least so many bits count, 0: all
 * @to: destinations that it is for, AF_UNSPEC: any
 * @port: for UDP to that port, 0: for all
 */
struct plan_rule {
	sa_family_t family;
	uint32_t priority;
	uint32_t table;
	uint32_t mark;
	uint32_t mask;
	uint32_t least;
	struct jvpn_prefix to;
	uint16_t port;
};

/**
 * struct plan_route - a route to the device
 * @prefix: destination
 * @table: routing table
 * @metric: its priority
 * @unreachable: it leads nowhere instead
 */
struct plan_route {
	struct jvpn_prefix prefix;
	uint32_t table;
	uint32_t metric;
	bool unreachable;
};

/* ours: (of what the system has) this daemon has put it there, and may remove it. */
struct plan_item {
	enum plan_kind kind;
	bool ours;
	union {
		struct plan_rule rule;
		struct jvpn_prefix address;
		struct plan_route route;
	};
};

/* torn: there was no memory for all. */
struct plan {
	struct plan_item *list;
	size_t count;
	size_t room;
	bool torn;
};

/* Of routes without another: what the kernel takes for none. */
uint32_t plan_metric(sa_family_t family);

void plan_add(struct plan *plan, const struct plan_item *item);
void plan_add_rule(struct plan *plan, const struct plan_rule *rule);
void plan_add_address(struct plan *plan, const struct jvpn_prefix *address);
void plan_add_route(struct plan *plan, const struct plan_route *route);
void plan_free(struct plan *plan);

/*
 * Tell what is to be added, in order, and then what is to be removed. Both plans are sorted.
 * What is torn is known to be incomplete: then nothing is removed.
 */
typedef void (*plan_change)(void *context, const struct plan_item *item, bool add);
void plan_compare(struct plan *wanted, struct plan *found, plan_change change, void *context);

/*
 * Does a route of somebody else's in the main table take packets that ours is for? It does if it is more
 * precise, or as precise: then it is chance which of them counts. Networks go before a default route, as
 * they should; what is as large as a half of all addresses is none.
 */
bool plan_route_is_shadowed(const struct plan_route *ours, const struct jvpn_prefix *theirs);
/* Are packets of the family refused that the tunnel does not carry? */
bool plan_blocks(const struct plan *plan, sa_family_t family);
/* Is there one among the plan's that it shadows? */
bool plan_is_shadowed(const struct plan *plan, const struct jvpn_prefix *theirs);

/* "route 10.0.0.0/8 (table 7)": in buf. */
#define PLAN_TEXT 160
char *plan_item_format(const struct plan_item *item, char *buf, size_t size);

/* --- a client's routes ---------------------------------------------------------------------- */

/* Rules of one device stand together: this many priorities, from a first one on. */
#define PLAN_RULES_SPAN 4

/* An end of the outer packets: where answers come from. */
struct plan_end {
	struct jvpn_addr addr;
	uint16_t port;
};

/**
 * struct plan_tunnel - what a client's routes follow from
 * @config: the client's section
 * @number: of the device: its own table, and the metric of what leads nowhere
 * @priority: of its first rule
 * @mark: of the outer packets
 * @inner: addresses on the device; AF_UNSPEC for a family that the tunnel does not carry
 * @network: around each, to be reached through the tunnel; AF_UNSPEC: none
 * @ends: the gateway's addresses
 */
struct plan_tunnel {
	const struct jvpn_config_client *config;
	uint32_t number;
	uint32_t priority;
	uint32_t mark;
	const struct jvpn_prefix *inner;
	const struct jvpn_prefix *network;
	const struct plan_end *ends;
	size_t n_ends;
};

/* Is the network to be blocked while the tunnel does not carry it? */
bool plan_route_blocks(const struct jvpn_config_client *config, const struct jvpn_prefix *route);
void plan_add_tunnel(struct plan *plan, const struct plan_tunnel *tunnel);
/* Of all that the rules and the routes to nowhere: what can be there before the device is. */
void plan_add_guards(struct plan *plan, const struct plan_tunnel *tunnel);

/* --- a gateway's ---------------------------------------------------------------------------- */

/*
 * Routes to what is behind the peers and to their addresses, but for what the device's own networks
 * hold already. A default route is none: the gateway's own packets would go to the peer.
 */
void plan_add_gateway(struct plan *plan, const struct jvpn_config *config);

#endif
