/* SPDX-License-Identifier: GPL-2.0 */
/* Underlay addresses and the transports made of them. */
#ifndef JVPN_ADDR_H
#define JVPN_ADDR_H

#include <linux/in6.h>
#include <linux/socket.h>
#include <net/ipv6.h>

struct jvpn_socket;

/**
 * struct jvpn_addr - IPv4 or IPv6 address with a UDP port
 * @family: AF_INET or AF_INET6
 * @port: UDP port
 * @scope: interface of a link-local IPv6 address, else 0; of an address of our own the interface
 *	   that a packet to it came in by, 0 if that is not known
 * @v4: address if @family is AF_INET
 * @v6: address if @family is AF_INET6
 */
struct jvpn_addr {
	u16 family;
	__be16 port;
	u32 scope;
	union {
		__be32 v4;
		struct in6_addr v6;
	};
};

/**
 * struct jvpn_transport - a concrete path
 * @socket: the socket it is reached from; who holds a transport holds a reference
 * @remote: the other end
 * @local: source address to send from, zero to let routing choose; with the interface that is
 *	   preferred if it has a route and the socket is not bound to one
 */
struct jvpn_transport {
	struct jvpn_socket *socket;
	struct jvpn_addr remote;
	struct jvpn_addr local;
};

static inline bool jvpn_addr_equal(const struct jvpn_addr *a, const struct jvpn_addr *b)
{
	if (a->family != b->family || a->port != b->port)
		return false;
	if (a->family == AF_INET)
		return a->v4 == b->v4;
	return a->scope == b->scope && ipv6_addr_equal(&a->v6, &b->v6);
}

/* Same socket and same remote: the same path as far as this end can see. */
static inline bool jvpn_transport_equal(const struct jvpn_transport *a,
					const struct jvpn_transport *b)
{
	return a->socket == b->socket && jvpn_addr_equal(&a->remote, &b->remote);
}

#endif
