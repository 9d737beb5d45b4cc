/* SPDX-License-Identifier: GPL-2.0 */
/* The send path. */
#ifndef JVPN_TX_H
#define JVPN_TX_H

#include <linux/netdevice.h>

struct jvpn_binding;
struct jvpn_session;

/* Inner TCP super-packets stay small enough for one outer UDP super-packet. */
#define JVPN_GSO_MAX_SIZE 61440

netdev_tx_t jvpn_tx_start(struct sk_buff *skb, struct net_device *dev);

/*
 * Send a packet over the binding; without one it waits or is dropped. Packets
 * that wait already are not looked at, but it is the first of them if it has
 * waited before (@again). BHs off, under RCU.
 */
void jvpn_tx_bound(struct jvpn_session *s, struct sk_buff *skb, bool again);

/**
 * jvpn_tx_message() - send an inner control message
 * @b: the binding
 * @data: plaintext
 * @len: its octets
 * @pad: pad the datagram with zeros to this size and forbid its fragmentation; 0
 *	 not to
 * @counter: receives the send counter
 *
 * BHs off, under RCU. Return: 0, or why it could not be sent: -ENOMEM, -ENOBUFS,
 * -EKEYEXPIRED, or the routing error.
 */
int jvpn_tx_message(struct jvpn_binding *b, const void *data, u32 len, u32 pad, u64 *counter);

/**
 * jvpn_tx_link() - largest datagram that the link of a binding lets through
 * @b: the binding
 * @floor: receives the largest that every path lets through
 *
 * BHs off, under RCU. Return: octets of UDP payload, 0 if there is no route.
 */
u32 jvpn_tx_link(struct jvpn_binding *b, u32 *floor);

/* Largest inner packet that is not refused for its size; 0 if there is no route. */
u32 jvpn_tx_room(struct jvpn_binding *b);

#endif
