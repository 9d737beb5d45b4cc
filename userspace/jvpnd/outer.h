/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_OUTER_H
#define JVPND_OUTER_H

/*
 * The networks that a client's outer packets could take: the interfaces of the system, and what the
 * kernel says of the way to a destination over one of them.
 */

#include "links.h"
#include "route-ask.h"

struct jvpnd;

/**
 * struct outer - the system as it was looked at last
 * @d: the daemon, for its device and its mark
 * @sock: for questions
 * @links: all interfaces
 */
struct outer {
	const struct jvpnd *d;
	struct jvpn_nl_sock *sock;
	struct jvpn_links links;
};

int outer_open(struct outer *outer, const struct jvpnd *d, char *error, size_t error_size);
void outer_close(struct outer *outer);
/* Look at the interfaces again. False, with a warning, if that failed: they are not known then. */
bool outer_look(struct outer *outer);

/* What is sent over it passes through our own device, directly or through others. */
bool outer_is_inner(const struct outer *outer, uint32_t ifindex);
/*
 * Would an outer packet to that address be sent, over that interface (0: any)? Returns 0 with how,
 * or a negative errno: -EADDRNOTAVAIL if nothing but an address to send from is missing.
 */
int outer_reach(const struct outer *outer, const struct jvpn_addr *to, uint32_t ifindex,
		struct jvpn_route_answer *answer);
/* By its kind an interface that could lead to the outside, for a client that looks for some. */
bool outer_is_eligible(const struct jvpn_link *link);

#endif
