// SPDX-License-Identifier: GPL-2.0
#include "owner.h"

#include <net/sock.h>

static bool is_ip_socket(const struct sock *sk)
{
	return sk && sk_fullsock(sk) && (sk->sk_family == AF_INET || sk->sk_family == AF_INET6);
}

/* TCP has a destructor of its own, which like sock_wfree() knows nothing but size and socket. */
static bool owner_moves(const struct sk_buff *skb)
{
	return is_ip_socket(skb->sk) && (skb->destructor == sock_wfree || sk_is_tcp(skb->sk));
}

void jvpn_owner_hand_over(struct sk_buff *outer, struct sk_buff *inner)
{
	if (!inner->destructor || !owner_moves(inner))
		return;
	swap(outer->truesize, inner->truesize);
	swap(outer->destructor, inner->destructor);
	swap(outer->sk, inner->sk);
}

void jvpn_owner_settle(struct sk_buff *skb)
{
	if (!owner_moves(skb))
		skb_orphan(skb);
}
