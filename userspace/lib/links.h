/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_LINKS_H
#define JVPN_LINKS_H

/*
 * All interfaces of the system, however many, and what each of them stands on: the one below it,
 * its ports, and where it sends what it encapsulates.
 */

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "nl-sock.h"

#define JVPN_LINKS_KIND 16

/**
 * struct jvpn_link - an interface
 * @ifindex: its index
 * @lower: the interface below it, 0 none or not in this namespace
 * @master: bridge, bond or the like of which it is a port, 0 none
 * @name: its name
 * @kind: link type ("vxlan", "bridge", ...), "" for a physical one
 * @running: up, and its carrier too
 * @loopback: is the loopback interface
 */
struct jvpn_link {
	uint32_t ifindex;
	uint32_t lower;
	uint32_t master;
	char name[IFNAMSIZ];
	char kind[JVPN_LINKS_KIND];
	bool running;
	bool loopback;
};

/* A tunnel's far end. */
struct jvpn_link_far {
	uint32_t ifindex;
	struct jvpn_addr addr;
};

struct jvpn_links {
	struct jvpn_link *list;
	size_t n_list, max_list;
	struct jvpn_link_far *far;
	size_t n_far, max_far;
	bool torn;			/* memory was short: something is missing */
};

/* Read them anew; links was zeroed, or read before. Returns 0 or a negative errno. */
int jvpn_links_read(struct jvpn_links *links, struct jvpn_nl_sock *sock,
		    struct jvpn_nl_error *error);
void jvpn_links_free(struct jvpn_links *links);

const struct jvpn_link *jvpn_links_by_name(const struct jvpn_links *links, const char *name);
const struct jvpn_link *jvpn_links_by_index(const struct jvpn_links *links, uint32_t ifindex);

/* The interface by which a packet to a tunnel's far end leaves, lower its own (0 any); 0 none. */
typedef uint32_t (*jvpn_links_way)(void *context, const struct jvpn_addr *to, uint32_t lower);

/*
 * Does what is sent over ifindex leave through own, directly or by way of other interfaces? Tunnels
 * that do not tell where they lead (those of programs, WireGuard) are taken for an end.
 */
bool jvpn_links_lead_through(const struct jvpn_links *links, uint32_t ifindex, uint32_t own,
			     jvpn_links_way way, void *context);

#endif
