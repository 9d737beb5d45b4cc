/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control packets between the sockets and the daemon: up to the netlink port
 * that registered, down by packet-send. What cannot be a JVPN1 message is
 * dropped before anything is allocated; so is what exceeds the rate limit, and
 * what the daemon's netlink socket has no room for.
 */
#ifndef JVPN_CONTROL_H
#define JVPN_CONTROL_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "core/limits.h"
#include "stats.h"

struct jvpn_device;
struct jvpn_transport;
struct net;
struct sk_buff;

/**
 * struct jvpn_control - the channel of a device
 * @lock: serialises it
 * @portid: netlink port of the daemon, 0 if there is none
 * @net: namespace of that port
 * @bucket: bounds the packets that are passed up
 * @dropped: packets dropped because the channel was full
 */
struct jvpn_control {
	spinlock_t lock;
	u32 portid;
	struct net *net;
	struct jvpn_bucket bucket;
	u64 dropped;
};

void jvpn_control_init(struct jvpn_control *c);
void jvpn_control_register(struct jvpn_control *c, struct net *net, u32 portid);

/* Forget the port if it is this one. */
void jvpn_control_forget(struct jvpn_control *c, const struct net *net, u32 portid);

/* Octets @off to @off + @len of @skb. Return: the counter that counts the packet. */
enum jvpn_counter jvpn_control_receive(struct jvpn_device *jd, const struct jvpn_transport *from,
				       struct sk_buff *skb, u32 off, u32 len);

#endif
