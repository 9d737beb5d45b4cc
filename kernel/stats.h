/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Per-processor counters of a device: one for each cause that a packet is
 * dropped for, and what passed. Shown by ethtool -S, by device-get and, summed
 * up, by ip -s link.
 */
#ifndef JVPN_STATS_H
#define JVPN_STATS_H

#include <linux/types.h>
#include <linux/u64_stats_sync.h>

struct jvpn_device;
struct net_device;
struct rtnl_link_stats64;
struct sk_buff;

/* What passed, then drop causes by direction. Names are in stats.c. */
enum jvpn_counter {
	JVPN_C_RX_PACKETS,	/* inner packets delivered */
	JVPN_C_RX_BYTES,
	JVPN_C_TX_PACKETS,	/* inner packets sent */
	JVPN_C_TX_BYTES,
	JVPN_C_RX_DATAGRAMS,	/* from the underlay */
	JVPN_C_TX_DATAGRAMS,
	JVPN_C_RX_BATCHES,	/* walks of the receive path */
	JVPN_C_TX_BATCHES,
	JVPN_C_RX_MERGED,	/* segments merged into a super-packet */
	JVPN_C_RX_HEARTBEATS,
	JVPN_C_TX_HEARTBEATS,
	JVPN_C_RX_CONTROL,	/* control packets passed up */
	JVPN_C_TX_CONTROL,
	JVPN_C_TX_HELD,	/* waited for a binding */
	JVPN_C_TX_SOURCE_GONE,	/* looked for another address to send from */
	JVPN_C_TX_FRAGMENTED,	/* larger than the path, cut outside */
	JVPN_C_TX_MTU_PROBES,	/* heartbeats of a size */
	JVPN_C_MTU_CONFIRMED,	/* sizes that a path was found to let through */
	JVPN_C_MTU_LOST,	/* confirmed sizes that a path lets through no more */
	JVPN_C_MTU_HINTS,	/* ICMP messages about a size that were looked into */
	JVPN_C_EVENTS_LOST,	/* of sessions, for want of memory or room; listeners are told */
	JVPN_C_RX_DROP_RUNT,	/* shorter than its type */
	JVPN_C_RX_DROP_LANE_FULL,	/* waited for the walk, beyond the bound */
	JVPN_C_RX_DROP_TYPE,	/* not JVPN1, unknown type or length */
	JVPN_C_RX_DROP_CONTROL_FULL,	/* control channel full */
	JVPN_C_RX_DROP_CONTROL_DEAF,	/* no daemon */
	JVPN_C_RX_DROP_CONTROL_RATE,	/* above a rate of control packets */
	JVPN_C_RX_DROP_CONTROL_MAC1,	/* a stranger's, mac1 does not verify */
	JVPN_C_RX_DROP_INDEX,	/* unknown index */
	JVPN_C_RX_DROP_UNBOUND,	/* source is not bound */
	JVPN_C_RX_DROP_AUTH,	/* does not authenticate */
	JVPN_C_RX_DROP_REPLAY,	/* seen or too old */
	JVPN_C_RX_DROP_EXPIRED,	/* key too old */
	JVPN_C_RX_DROP_STATE,	/* session gave up the binding */
	JVPN_C_RX_DROP_INNER,	/* malformed inner packet */
	JVPN_C_RX_DROP_SOURCE,	/* inner source of another session */
	JVPN_C_RX_DROP_ECN,	/* RFC 6040 illegal combination */
	JVPN_C_RX_DROP_NOMEM,
	JVPN_C_RX_DROP_DOWN,	/* interface is down, or socket closed */
	JVPN_C_TX_DROP_PROTOCOL,	/* neither IPv4 nor IPv6, or not what is said of it */
	JVPN_C_TX_DROP_REDIRECT,	/* ICMP redirect: no peer is another's neighbour */
	JVPN_C_TX_DROP_NO_SESSION,	/* no session for it */
	JVPN_C_TX_DROP_STATE,	/* session degraded, ended, no key; interface down */
	JVPN_C_TX_DROP_TOO_BIG,	/* above the path MTU */
	JVPN_C_TX_DROP_LOOP,	/* the way out is the tunnel itself */
	JVPN_C_TX_DROP_ROUTE,	/* no route to the remote */
	JVPN_C_TX_DROP_HOLD_FULL,	/* oldest held packet, the session's room is full */
	JVPN_C_TX_DROP_HOLD_DEVICE,	/* the same, its share of the device's room is */
	JVPN_C_TX_DROP_COUNTER,	/* key exhausted or too old */
	JVPN_C_TX_DROP_NOMEM,
	JVPN_C_COUNT,
};

/**
 * struct jvpn_stats - counters of one processor
 * @syncp: readers on 32-bit machines retry
 * @value: the counters
 */
struct jvpn_stats {
	struct u64_stats_sync syncp;
	u64_stats_t value[JVPN_C_COUNT];
};

const char *jvpn_counter_name(enum jvpn_counter id);

/**
 * jvpn_count() - add to a counter of this processor; BHs are off or the
 * caller does not mind a lost count
 */
void jvpn_count(struct jvpn_device *jd, enum jvpn_counter id, u64 n);

/* Count a drop by its cause, trace it and free the packet. */
void jvpn_drop(struct jvpn_device *jd, struct sk_buff *skb, enum jvpn_counter cause);

/* The same for a super-packet. */
void jvpn_drop_packets(struct jvpn_device *jd, struct sk_buff *skb, enum jvpn_counter cause,
		       u32 packets);

void jvpn_stats_sum(const struct jvpn_device *jd, u64 sum[JVPN_C_COUNT]);
void jvpn_stats_get64(struct net_device *dev, struct rtnl_link_stats64 *out);
extern const struct ethtool_ops jvpn_ethtool_ops;

#endif
