/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Netlink events. Those of a session are sent with its lock held, after the
 * change is visible, so that listeners see versions in order. A listener that
 * misses one is told so by ENOBUFS and reads everything again.
 */
#ifndef JVPN_NOTIFY_H
#define JVPN_NOTIFY_H

#include <linux/types.h>

struct jvpn_device;
struct jvpn_session;
struct jvpn_transport;
struct net;
struct sk_buff;

/* The last @steps transitions, one event each. Session locked. */
void jvpn_notify_transitions(struct jvpn_session *s, u32 steps);

/* An epoch was installed without a transition. Session locked. */
void jvpn_notify_epoch(struct jvpn_session *s);

/* A threshold was crossed; the event and reason that the kernel proposes. Session locked. */
void jvpn_notify_health(struct jvpn_session *s, u32 event, u32 reason);

void jvpn_notify_unbound(struct jvpn_session *s, const struct jvpn_transport *source, u32 index,
			 u64 counter, u32 bytes);

/* Return: false if there was no memory, or no room in the daemon's socket. */
bool jvpn_notify_packet(struct jvpn_device *jd, struct net *net, u32 portid,
			const struct jvpn_transport *from, struct sk_buff *skb, u32 off, u32 len);

#endif
