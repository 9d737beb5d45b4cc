/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UDP sockets, made and owned by the module in the namespace that the device
 * was made in. No encapsulation hook: with UDP_GRO a plain socket receives
 * whole super-packets, where a hook would get single segments.
 */
#ifndef JVPN_SOCKET_H
#define JVPN_SOCKET_H

#include <linux/kref.h>
#include <linux/skbuff.h>

#include "addr.h"

struct jvpn_binding;
struct jvpn_device;
struct netlink_ext_ack;
struct socket;

/**
 * struct jvpn_site - where a socket is bound; replaced as a whole
 * @ifindex: underlay interface, or 0
 * @local: address and port
 * @rcu: frees it
 */
struct jvpn_site {
	int ifindex;
	struct jvpn_addr local;
	struct rcu_head rcu;
};

/**
 * struct jvpn_socket - a UDP socket of a device
 * @jd: the device
 * @sock: the socket; NULL once it is closed
 * @site: where it is bound, or was last
 * @moves: how often it was bound elsewhere: routes found before are not its own any longer
 * @id: socket id
 * @mark: mark of the packets sent
 * @family: address family, for life
 * @port: local port, for life
 * @ref: one of the device while open, one of each transport
 * @users: transports that use it; it cannot be closed by request meanwhile
 * @too_big: ICMP messages that claim that a packet was too large
 * @rx_lock: serialises taking from the socket into a lane
 * @clients: linked bindings of clients' sessions; readers under RCU
 * @clients_lock: its writers, inside of a session's lock
 * @closed: among those that are being closed
 * @closing: what @sock was
 * @rcu: frees it
 */
struct jvpn_socket {
	struct jvpn_device *jd;
	struct socket __rcu *sock;
	struct jvpn_site __rcu *site;
	u32 moves;
	u32 id;
	u32 mark;
	u16 family;
	__be16 port;
	struct kref ref;
	atomic_t users;
	u32 too_big;
	spinlock_t rx_lock;
	struct list_head clients;
	spinlock_t clients_lock;
	struct list_head closed;
	struct socket *closing;
	struct rcu_head rcu;
};

/**
 * struct jvpn_socket_params - a new socket, as netlink delivers it
 * @local: address, port 0 to choose one
 * @ifindex: interface to bind to, or 0
 * @mark: mark of the packets sent
 */
struct jvpn_socket_params {
	struct jvpn_addr local;
	int ifindex;
	u32 mark;
};

/* Device's mutex held. Return: the socket without a reference, or an ERR_PTR. */
struct jvpn_socket *jvpn_socket_open(struct jvpn_device *jd,
				     const struct jvpn_socket_params *params,
				     struct netlink_ext_ack *extack);

/**
 * jvpn_socket_move() - bind a socket elsewhere, under its transports
 * @js: the socket
 * @params: where to; family, port and mark are those of the socket
 * @extack: receives why not
 *
 * The new site may overlap the old one, which is given up once the new one is
 * had: nothing that comes to both is missed. Device's mutex held.
 *
 * Return: 0, or an error and nothing has changed.
 */
int jvpn_socket_move(struct jvpn_socket *js, struct jvpn_socket_params params,
		     struct netlink_ext_ack *extack);

/* Where it is bound now. */
struct jvpn_site jvpn_socket_site(const struct jvpn_socket *js);

/* Close; transports that use it fail from now on. Device's mutex held. */
void jvpn_socket_close(struct jvpn_socket *js);

/*
 * Close all of a device, up to where readers have to be waited for; device's
 * mutex held. jvpn_socket_release_all() waits once for all that are in @closed.
 */
void jvpn_socket_close_all(struct jvpn_device *jd, struct list_head *closed);
void jvpn_socket_release_all(struct list_head *closed);

/* A client's binding was linked, is unlinked; session locked. */
void jvpn_socket_client_add(struct jvpn_binding *b);
void jvpn_socket_client_del(struct jvpn_binding *b);

/* An interface went down: clients whose sockets are bound to it lose their bindings. */
void jvpn_socket_link_lost(struct jvpn_device *jd, int ifindex);

/* For a transport: reference and use. NULL if there is no socket of that id. */
struct jvpn_socket *jvpn_socket_get(struct jvpn_device *jd, u32 id);
void jvpn_socket_put(struct jvpn_socket *js);

static inline u32 jvpn_socket_id(const struct jvpn_socket *js)
{
	return js->id;
}

/**
 * struct jvpn_route - the way of a batch
 * @sk: socket it leaves from
 * @dst: route, with a reference
 * @overhead: octets that the outer IP and UDP headers take
 * @mtu: of the link and the operator's routes; nothing that ICMP said
 * @source: outer source address
 */
struct jvpn_route {
	struct sock *sk;
	struct dst_entry *dst;
	u32 overhead;
	u32 mtu;
	union {
		__be32 v4;
		struct in6_addr v6;
	} source;
};

/**
 * jvpn_socket_route() - find the route of a binding, cached there
 * @b: the binding
 * @route: receives it; jvpn_route_put() ends it
 *
 * Under RCU with BHs off. Return: 0, or -ELOOP if the way out is the tunnel
 * itself, -ENOTCONN if the socket is closed, or the routing error.
 */
int jvpn_socket_route(struct jvpn_binding *b, struct jvpn_route *route);
void jvpn_route_put(struct jvpn_route *route);

/**
 * struct jvpn_fragmenting - what becomes of an outer packet that is too large
 * @size: it is cut into fragments of at most so many octets, 0 to forbid it
 * @learned: IPv6: also into those of an MTU that ICMP told the host
 */
struct jvpn_fragmenting {
	u32 size;
	bool learned;
};

/**
 * jvpn_fragment_at() - outer packets may be fragmented
 * @route: their route
 * @payload: UDP payload that passes whole, 0 if that is not known: what the
 *	     network says is listened to, since nothing is refused for it
 */
static inline struct jvpn_fragmenting jvpn_fragment_at(const struct jvpn_route *route, u32 payload)
{
	return (struct jvpn_fragmenting){
		.size = payload ? min(payload + route->overhead, route->mtu) : route->mtu,
		.learned = !payload,
	};
}

/**
 * jvpn_socket_send() - send an outer packet
 * @b: the binding
 * @route: its route
 * @skb: UDP payload with room for outer headers, consumed; a UDP super-packet
 *	 if its gso_size is set
 * @tos: outer DS field
 * @how: whether and how it may be fragmented
 */
void jvpn_socket_send(struct jvpn_binding *b, const struct jvpn_route *route,
		      struct sk_buff *skb, u8 tos, const struct jvpn_fragmenting *how);

/* Send a control packet, outside of any binding. */
int jvpn_socket_send_control(const struct jvpn_transport *t, const void *data, u32 len);

/* Room for everything in front of the UDP payload. */
#define JVPN_HEADROOM (LL_MAX_HEADER + sizeof(struct ipv6hdr) + sizeof(struct udphdr))

#endif
