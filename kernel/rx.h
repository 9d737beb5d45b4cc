/* SPDX-License-Identifier: GPL-2.0 */
/* The receive walk: what becomes of a packet that has waited in a lane. */
#ifndef JVPN_RX_H
#define JVPN_RX_H

#include <linux/skbuff.h>

struct jvpn_socket;
struct napi_struct;

/* Datagrams in a packet: more than one in a super-packet. */
static inline u32 jvpn_rx_datagrams(const struct sk_buff *skb)
{
	return skb_is_gso(skb) ? DIV_ROUND_UP(skb->len, skb_shinfo(skb)->gso_size) : 1;
}

/**
 * jvpn_rx_walk() - handle a packet
 * @js: socket that it came from
 * @napi: delivers what is in it
 * @skb: the packet, data at the UDP payload; stays the caller's
 *
 * From the poll function of @napi, under RCU.
 */
void jvpn_rx_walk(struct jvpn_socket *js, struct napi_struct *napi, struct sk_buff *skb);

#endif
