/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_RTNL_H
#define JVPN_RTNL_H

/*
 * Links, addresses and routes: what the daemon sets up for its device, and what
 * a client watches of the underlay. Functions return 0 or a negative errno with
 * *error filled in, as those of nl.h do; dumps JVPN_NL_INTERRUPTED, too.
 */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "nl-sock.h"

#define JVPN_RTNL_KIND 16
/* Addresses, routes and rules of ours bear it, as those of other programs bear theirs. */
#define JVPN_RTNL_PROTOCOL 106

/**
 * struct jvpn_rtnl_link - an interface
 * @ifindex: its index
 * @name: its name
 * @kind: link type ("jvpn", "veth", ...), "" for a physical one
 * @mtu: its MTU
 * @up: set up by the administrator
 * @running: up, and its carrier too
 * @loopback: is the loopback interface
 * @bare: it asks for no neighbours (a point-to-point line, no ARP): what is sent leaves
 */
struct jvpn_rtnl_link {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	char kind[JVPN_RTNL_KIND];
	uint32_t mtu;
	bool up;
	bool running;
	bool loopback;
	bool bare;
};

/**
 * struct jvpn_rtnl_addr - an address of an interface
 * @ifindex: the interface
 * @prefix: address, and the length of its network
 * @usable: neither tentative nor deprecated nor refused by duplicate detection
 * @link_local: valid on its link only
 * @protocol: who has put it there, 0 if nobody said it
 */
struct jvpn_rtnl_addr {
	uint32_t ifindex;
	struct jvpn_prefix prefix;
	bool usable;
	bool link_local;
	uint8_t protocol;
};

/**
 * struct jvpn_rtnl_route - a route
 * @prefix: destination; length 0 and the family for a default route
 * @gateway: next hop, AF_UNSPEC if on link
 * @source: preferred source address, or AF_UNSPEC
 * @ifindex: interface; of several next hops that of the first
 * @table: routing table, 0 for main in requests
 * @metric: priority, 0 for none
 * @protocol: who has put it there; requests bear JVPN_RTNL_PROTOCOL
 * @unreachable: it leads nowhere: packets are refused
 */
struct jvpn_rtnl_route {
	struct jvpn_prefix prefix;
	struct jvpn_addr gateway;
	struct jvpn_addr source;
	uint32_t ifindex;
	uint32_t table;
	uint32_t metric;
	uint8_t protocol;
	bool unreachable;
};

/**
 * struct jvpn_rtnl_rule - a policy routing rule
 * @family: AF_INET or AF_INET6
 * @priority: its place among the others
 * @table: where routes are looked up; 0: the rule says that there is none
 * @mark: of packets that it is not for; 0: it is for all
 * @mask: which bits of a packet's mark are compared with it
 * @least: only routes of at least so many bits count, 0: all
 * @to: destinations that it is for, AF_UNSPEC: any
 * @port: UDP port there, 0: any protocol
 * @owner: a number to know it by, 0 for none. (A rule has no room for a name: the kernel keeps it as
 *	a group of interfaces that the rule does not lead to, and no interface is in it.)
 * @protocol: who has put it there; requests bear JVPN_RTNL_PROTOCOL
 * @foreign: it says more than this struct does
 */
struct jvpn_rtnl_rule {
	sa_family_t family;
	uint32_t priority;
	uint32_t table;
	uint32_t mark;
	uint32_t mask;
	uint32_t least;
	struct jvpn_prefix to;
	uint16_t port;
	uint32_t owner;
	uint8_t protocol;
	bool foreign;
};

struct jvpn_rtnl;

struct jvpn_rtnl *jvpn_rtnl_open(struct jvpn_nl_error *error);
void jvpn_rtnl_close(struct jvpn_rtnl *rtnl);

/* Make a link of type kind; mtu 0: the type's default. It stays down. */
int jvpn_rtnl_link_new(struct jvpn_rtnl *rtnl, const char *name, const char *kind, uint32_t mtu,
		       struct jvpn_nl_error *error);
/* -ENODEV if there is none of that name. */
int jvpn_rtnl_link_get(struct jvpn_rtnl *rtnl, const char *name, struct jvpn_rtnl_link *link,
		       struct jvpn_nl_error *error);
int jvpn_rtnl_link_set_mtu(struct jvpn_rtnl *rtnl, uint32_t ifindex, uint32_t mtu,
			   struct jvpn_nl_error *error);
int jvpn_rtnl_link_set_up(struct jvpn_rtnl *rtnl, uint32_t ifindex, bool up,
			  struct jvpn_nl_error *error);
int jvpn_rtnl_link_del(struct jvpn_rtnl *rtnl, uint32_t ifindex, struct jvpn_nl_error *error);

/* Adding an address or rule that is there already, and deleting what is not there, succeeds. */
int jvpn_rtnl_addr_add(struct jvpn_rtnl *rtnl, uint32_t ifindex,
		       const struct jvpn_prefix *address, struct jvpn_nl_error *error);
int jvpn_rtnl_addr_del(struct jvpn_rtnl *rtnl, uint32_t ifindex,
		       const struct jvpn_prefix *address, struct jvpn_nl_error *error);
/* -EEXIST also if the route is another one's, which may lead elsewhere. */
int jvpn_rtnl_route_add(struct jvpn_rtnl *rtnl, const struct jvpn_rtnl_route *route,
			struct jvpn_nl_error *error);
int jvpn_rtnl_route_del(struct jvpn_rtnl *rtnl, const struct jvpn_rtnl_route *route,
			struct jvpn_nl_error *error);

int jvpn_rtnl_rule_add(struct jvpn_rtnl *rtnl, const struct jvpn_rtnl_rule *rule,
		       struct jvpn_nl_error *error);
int jvpn_rtnl_rule_del(struct jvpn_rtnl *rtnl, const struct jvpn_rtnl_rule *rule,
		       struct jvpn_nl_error *error);

/*
 * The route to an address as the kernel would choose it now, for packets with
 * mark that leave by ifindex (0: any). -ENETUNREACH and the like if there is none.
 */
int jvpn_rtnl_route_get(struct jvpn_rtnl *rtnl, const struct jvpn_addr *to, uint32_t ifindex,
			uint32_t mark, struct jvpn_rtnl_route *route,
			struct jvpn_nl_error *error);

typedef void (*jvpn_rtnl_link_visit)(void *context, const struct jvpn_rtnl_link *link);
typedef void (*jvpn_rtnl_addr_visit)(void *context, const struct jvpn_rtnl_addr *addr);
typedef void (*jvpn_rtnl_route_visit)(void *context, const struct jvpn_rtnl_route *route);
typedef void (*jvpn_rtnl_rule_visit)(void *context, const struct jvpn_rtnl_rule *rule);

int jvpn_rtnl_link_dump(struct jvpn_rtnl *rtnl, jvpn_rtnl_link_visit visit, void *context,
			struct jvpn_nl_error *error);
int jvpn_rtnl_addr_dump(struct jvpn_rtnl *rtnl, jvpn_rtnl_addr_visit visit, void *context,
			struct jvpn_nl_error *error);
/* Unicast and unreachable routes of all tables. */
int jvpn_rtnl_route_dump(struct jvpn_rtnl *rtnl, jvpn_rtnl_route_visit visit, void *context,
			 struct jvpn_nl_error *error);

/**
 * struct jvpn_rtnl_filter - which routes are asked for
 * @ifindex: those to this interface; 0: to any
 * @table: those of this table; 0: of any
 * @protocol: those that bear it; 0: any
 */
struct jvpn_rtnl_filter {
	uint32_t ifindex;
	uint32_t table;
	uint8_t protocol;
};

/* The kernel passes the others over, of which there may be a million. */
int jvpn_rtnl_route_dump_of(struct jvpn_rtnl *rtnl, const struct jvpn_rtnl_filter *filter,
			    jvpn_rtnl_route_visit visit, void *context,
			    struct jvpn_nl_error *error);
int jvpn_rtnl_rule_dump(struct jvpn_rtnl *rtnl, jvpn_rtnl_rule_visit visit, void *context,
			struct jvpn_nl_error *error);

/* --- changes -------------------------------------------------------------- */

enum jvpn_rtnl_event_kind {
	JVPN_RTNL_EVENT_LOST,	/* some changes did not arrive: dump again */
	JVPN_RTNL_EVENT_LINK,
	JVPN_RTNL_EVENT_ADDR,
	JVPN_RTNL_EVENT_ROUTE,
	JVPN_RTNL_EVENT_RULE,
};

struct jvpn_rtnl_event {
	enum jvpn_rtnl_event_kind kind;
	bool removed;
	union {
		struct jvpn_rtnl_link link;
		struct jvpn_rtnl_addr addr;
		struct jvpn_rtnl_route route;
		struct jvpn_rtnl_rule rule;
	};
};

typedef void (*jvpn_rtnl_event_visit)(void *context, const struct jvpn_rtnl_event *event);

struct jvpn_rtnl_monitor;

/* Open it before the first dump, so that no change falls between. */
struct jvpn_rtnl_monitor *jvpn_rtnl_monitor_open(struct jvpn_nl_error *error);
void jvpn_rtnl_monitor_close(struct jvpn_rtnl_monitor *monitor);
int jvpn_rtnl_monitor_fd(const struct jvpn_rtnl_monitor *monitor);
/* Visit what has arrived, at most budget messages, without waiting. Returns their number. */
unsigned int jvpn_rtnl_monitor_read(struct jvpn_rtnl_monitor *monitor,
				    jvpn_rtnl_event_visit visit, void *context,
				    unsigned int budget);

#endif /* JVPN_RTNL_H */
