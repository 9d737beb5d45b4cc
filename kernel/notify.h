/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Netlink events. Those of a session are noted with its lock held, with all that
 * they say, and sent without it by jvpn_notify_flush(), which follows the
 * unlock: one sender at a time takes them in order, so listeners see versions in
 * order. A listener that misses one is told so by ENOBUFS and reads everything
 * again; the device counts those that could not be made.
 */
#ifndef JVPN_NOTIFY_H
#define JVPN_NOTIFY_H

#include <linux/types.h>

struct jvpn_device;
struct jvpn_session;
struct jvpn_transport;
struct net;
struct sk_buff;

/* What one hold of the lock brings about, and as much again from others meanwhile. */
#define JVPN_NOTICES_MAX 8

/**
 * struct jvpn_health - what is measured of the bound transport
 *
 * Fields as the health attributes of the netlink interface.
 */
struct jvpn_health {
	u32 rtt_us;
	u32 jitter_us;
	u32 loss;
	u64 last_rx;
	u64 echo_counter;
	bool late;
};

/**
 * struct jvpn_notice - an event that is to be sent
 * @cmd: SESSION_NTF, EPOCH_NTF or HEALTH_NTF
 * @state: state that it describes; likewise the next two
 * @version: for SESSION_NTF also the transition, which is in the history
 * @epoch: epoch number
 * @peer_version: EPOCH_NTF; likewise the next
 * @peer_epoch: see there
 * @event: HEALTH_NTF; likewise the next two
 * @reason: see there
 * @health: see there
 */
struct jvpn_notice {
	u8 cmd;
	u32 state;
	u64 version;
	u32 epoch;
	union {
		struct {
			u64 peer_version;
			u32 peer_epoch;
		};
		struct {
			u32 event;
			u32 reason;
			struct jvpn_health health;
		};
	};
};

/**
 * struct jvpn_notices - events of a session that are to be sent, under its lock
 * @ring: the events
 * @first: the oldest
 * @count: how many
 * @lost: there was no room for some
 * @busy: somebody is sending, and goes on until nothing is left
 */
struct jvpn_notices {
	struct jvpn_notice ring[JVPN_NOTICES_MAX];
	u8 first;
	u8 count;
	bool lost;
	bool busy;
};

/* The last transition. Session locked. */
void jvpn_notify_transition(struct jvpn_session *s);

/* An epoch was installed without a transition. Session locked. */
void jvpn_notify_epoch(struct jvpn_session *s);

/* A threshold was crossed; the event and reason that the kernel proposes. Session locked. */
void jvpn_notify_health(struct jvpn_session *s, u32 event, u32 reason);

/* Send what was noted; under RCU or where the session cannot go, not locked. */
void jvpn_notify_flush(struct jvpn_session *s);

/* The machine slept, or may be one of two copies. */
void jvpn_notify_host(struct jvpn_device *jd);

void jvpn_notify_unbound(struct jvpn_session *s, const struct jvpn_transport *source, u32 index,
			 u64 counter, u32 bytes);

/* Return: false if there was no memory, or no room in the daemon's socket. */
bool jvpn_notify_packet(struct jvpn_device *jd, struct net *net, u32 portid,
			const struct jvpn_transport *from, struct sk_buff *skb, u32 off, u32 len);

#endif
