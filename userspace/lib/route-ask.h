/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_ROUTE_ASK_H
#define JVPN_ROUTE_ASK_H

/*
 * Asks the kernel whether and how a destination is reached. No table is read and none of its
 * rules is guessed: the answer is what a packet would meet.
 */

#include <stdint.h>

#include "addr.h"
#include "nl-sock.h"

/**
 * struct jvpn_route_question - a packet that might be sent
 * @to: its destination
 * @source: its source, AF_UNSPEC if routing chooses
 * @ifindex: interface that its socket is bound to, 0 none
 * @mark: its mark
 */
struct jvpn_route_question {
	struct jvpn_addr to;
	struct jvpn_addr source;
	uint32_t ifindex;
	uint32_t mark;
};

/**
 * struct jvpn_route_answer - what would become of it
 * @ifindex: interface that it leaves by
 * @source: its source, AF_UNSPEC if there is no address that it could have
 * @gateway: next hop, AF_UNSPEC if the destination is on the link
 * @metric: of the route, 0 for none; the lower one is preferred
 */
struct jvpn_route_answer {
	uint32_t ifindex;
	struct jvpn_addr source;
	struct jvpn_addr gateway;
	uint32_t metric;
};

/*
 * sock is one of NETLINK_ROUTE. Returns 0, or a negative errno with *error (may be NULL):
 * -ENETUNREACH and the like if there is no route, -EADDRNOTAVAIL if there is no source.
 */
int jvpn_route_ask(struct jvpn_nl_sock *sock, const struct jvpn_route_question *question,
		   struct jvpn_route_answer *answer, struct jvpn_nl_error *error);

#endif
