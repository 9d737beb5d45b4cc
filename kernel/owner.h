/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose memory a packet is charged to. An outer packet answers for the inner one's share of its
 * socket's buffer, so that a sender who fills the queues of the underlay is held back as if there
 * were no tunnel. That is for IP sockets alone: what the stack asks the socket of an outer packet
 * is what only they know, and what other owners' destructors look for, as the frame of a ring of
 * a packet socket or of AF_XDP, is in the packet that they were given with.
 */
#ifndef JVPN_OWNER_H
#define JVPN_OWNER_H

#include <linux/skbuff.h>

/* @outer is a copy of @inner and takes over its owner; another owner stays with @inner. */
void jvpn_owner_hand_over(struct sk_buff *outer, struct sk_buff *inner);

/* The packet itself becomes an outer one; no memory in it is its owner's. */
void jvpn_owner_settle(struct sk_buff *skb);

/* What a packet that waits is charged with: whoever made it may have said less than it takes. */
static inline u32 jvpn_owner_charge(const struct sk_buff *skb)
{
	return max_t(u32, skb->truesize, SKB_TRUESIZE(skb->len));
}

#endif
