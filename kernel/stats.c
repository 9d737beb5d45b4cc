// SPDX-License-Identifier: GPL-2.0
#include "stats.h"

#include <linux/ethtool.h>
#include <linux/netdevice.h>

#include "device.h"
#include "trace.h"

static const char * const counter_names[JVPN_C_COUNT] = {
	[JVPN_C_RX_PACKETS] = "rx_packets",
	[JVPN_C_RX_BYTES] = "rx_bytes",
	[JVPN_C_TX_PACKETS] = "tx_packets",
	[JVPN_C_TX_BYTES] = "tx_bytes",
	[JVPN_C_RX_DATAGRAMS] = "rx_datagrams",
	[JVPN_C_TX_DATAGRAMS] = "tx_datagrams",
	[JVPN_C_RX_BATCHES] = "rx_batches",
	[JVPN_C_TX_BATCHES] = "tx_batches",
	[JVPN_C_RX_MERGED] = "rx_merged",
	[JVPN_C_RX_HEARTBEATS] = "rx_heartbeats",
	[JVPN_C_TX_HEARTBEATS] = "tx_heartbeats",
	[JVPN_C_RX_CONTROL] = "rx_control",
	[JVPN_C_TX_CONTROL] = "tx_control",
	[JVPN_C_TX_HELD] = "tx_held",
	[JVPN_C_TX_SOURCE_GONE] = "tx_source_gone",
	[JVPN_C_TX_FRAGMENTED] = "tx_fragmented",
	[JVPN_C_TX_MTU_PROBES] = "tx_mtu_probes",
	[JVPN_C_MTU_CONFIRMED] = "mtu_confirmed",
	[JVPN_C_MTU_LOST] = "mtu_lost",
	[JVPN_C_MTU_HINTS] = "mtu_hints",
	[JVPN_C_EVENTS_LOST] = "events_lost",
	[JVPN_C_RX_DROP_RUNT] = "rx_drop_runt",
	[JVPN_C_RX_DROP_LANE_FULL] = "rx_drop_lane_full",
	[JVPN_C_RX_DROP_TYPE] = "rx_drop_type",
	[JVPN_C_RX_DROP_CONTROL_FULL] = "rx_drop_control_full",
	[JVPN_C_RX_DROP_CONTROL_DEAF] = "rx_drop_control_deaf",
	[JVPN_C_RX_DROP_CONTROL_RATE] = "rx_drop_control_rate",
	[JVPN_C_RX_DROP_CONTROL_MAC1] = "rx_drop_control_mac1",
	[JVPN_C_RX_DROP_INDEX] = "rx_drop_index",
	[JVPN_C_RX_DROP_UNBOUND] = "rx_drop_unbound",
	[JVPN_C_RX_DROP_AUTH] = "rx_drop_auth",
	[JVPN_C_RX_DROP_REPLAY] = "rx_drop_replay",
	[JVPN_C_RX_DROP_EXPIRED] = "rx_drop_expired",
	[JVPN_C_RX_DROP_STATE] = "rx_drop_state",
	[JVPN_C_RX_DROP_INNER] = "rx_drop_inner",
	[JVPN_C_RX_DROP_SOURCE] = "rx_drop_source",
	[JVPN_C_RX_DROP_ECN] = "rx_drop_ecn",
	[JVPN_C_RX_DROP_NOMEM] = "rx_drop_nomem",
	[JVPN_C_RX_DROP_DOWN] = "rx_drop_down",
	[JVPN_C_TX_DROP_PROTOCOL] = "tx_drop_protocol",
	[JVPN_C_TX_DROP_REDIRECT] = "tx_drop_redirect",
	[JVPN_C_TX_DROP_NO_SESSION] = "tx_drop_no_session",
	[JVPN_C_TX_DROP_STATE] = "tx_drop_state",
	[JVPN_C_TX_DROP_TOO_BIG] = "tx_drop_too_big",
	[JVPN_C_TX_DROP_LOOP] = "tx_drop_loop",
	[JVPN_C_TX_DROP_ROUTE] = "tx_drop_route",
	[JVPN_C_TX_DROP_HOLD_FULL] = "tx_drop_hold_full",
	[JVPN_C_TX_DROP_HOLD_DEVICE] = "tx_drop_hold_device",
	[JVPN_C_TX_DROP_COUNTER] = "tx_drop_counter",
	[JVPN_C_TX_DROP_NOMEM] = "tx_drop_nomem",
};

const char *jvpn_counter_name(enum jvpn_counter id)
{
	return counter_names[id];
}

void jvpn_count(struct jvpn_device *jd, enum jvpn_counter id, u64 n)
{
	struct jvpn_stats *stats = get_cpu_ptr(jd->stats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->value[id], n);
	u64_stats_update_end(&stats->syncp);
	put_cpu_ptr(jd->stats);
}

static enum skb_drop_reason reason_of(enum jvpn_counter cause)
{
	switch (cause) {
	case JVPN_C_RX_DROP_LANE_FULL:
		return SKB_DROP_REASON_SOCKET_RCVBUFF;
	case JVPN_C_RX_DROP_NOMEM:
	case JVPN_C_TX_DROP_NOMEM:
		return SKB_DROP_REASON_NOMEM;
	default:
		return SKB_DROP_REASON_NOT_SPECIFIED;
	}
}

void jvpn_drop_packets(struct jvpn_device *jd, struct sk_buff *skb, enum jvpn_counter cause,
		       u32 packets)
{
	trace_jvpn_drop(jd->dev, skb, counter_names[cause]);
	jvpn_count(jd, cause, packets);
	kfree_skb_reason(skb, reason_of(cause));
}

void jvpn_drop(struct jvpn_device *jd, struct sk_buff *skb, enum jvpn_counter cause)
{
	jvpn_drop_packets(jd, skb, cause, 1);
}

void jvpn_stats_sum(const struct jvpn_device *jd, u64 sum[JVPN_C_COUNT])
{
	u64 value[JVPN_C_COUNT];
	unsigned int start;
	int cpu, i;

	memset(sum, 0, sizeof(value));
	for_each_possible_cpu(cpu) {
		const struct jvpn_stats *stats = per_cpu_ptr(jd->stats, cpu);

		do {
			start = u64_stats_fetch_begin(&stats->syncp);
			for (i = 0; i < JVPN_C_COUNT; i++)
				value[i] = u64_stats_read(&stats->value[i]);
		} while (u64_stats_fetch_retry(&stats->syncp, start));
		for (i = 0; i < JVPN_C_COUNT; i++)
			sum[i] += value[i];
	}
}

static u64 sum_of(const u64 *sum, enum jvpn_counter first, enum jvpn_counter last)
{
	u64 total = 0;

	for (; first <= last; first++)
		total += sum[first];
	return total;
}

void jvpn_stats_get64(struct net_device *dev, struct rtnl_link_stats64 *out)
{
	u64 sum[JVPN_C_COUNT];

	jvpn_stats_sum(netdev_priv(dev), sum);
	out->rx_packets = sum[JVPN_C_RX_PACKETS];
	out->rx_bytes = sum[JVPN_C_RX_BYTES];
	out->tx_packets = sum[JVPN_C_TX_PACKETS];
	out->tx_bytes = sum[JVPN_C_TX_BYTES];
	out->rx_dropped = sum_of(sum, JVPN_C_RX_DROP_RUNT, JVPN_C_RX_DROP_DOWN);
	out->tx_dropped = sum_of(sum, JVPN_C_TX_DROP_PROTOCOL, JVPN_C_TX_DROP_NOMEM);
	out->rx_errors = sum[JVPN_C_RX_DROP_AUTH] + sum[JVPN_C_RX_DROP_INNER] +
			 sum[JVPN_C_RX_DROP_RUNT];
	out->rx_crc_errors = sum[JVPN_C_RX_DROP_AUTH];
	out->rx_length_errors = sum[JVPN_C_RX_DROP_RUNT];
	out->tx_errors = sum[JVPN_C_TX_DROP_ROUTE] + sum[JVPN_C_TX_DROP_LOOP];
}

static void get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
}

static int get_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? JVPN_C_COUNT : -EOPNOTSUPP;
}

static void get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	int i;

	for (i = 0; sset == ETH_SS_STATS && i < JVPN_C_COUNT; i++)
		strscpy((char *)data + i * ETH_GSTRING_LEN, counter_names[i],
			ETH_GSTRING_LEN);
}

static void get_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	jvpn_stats_sum(netdev_priv(dev), data);
}

const struct ethtool_ops jvpn_ethtool_ops = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = get_sset_count,
	.get_strings = get_strings,
	.get_ethtool_stats = get_stats,
};
