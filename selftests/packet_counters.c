// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that the counters add up: netlink, ethtool -S and ip -s tell the same,
 * every datagram is counted once, and sessions sum up to their device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static struct fx fx;
static struct session a, b, client;

static uint64_t of(const struct nl_counters *c, const char *name)
{
	return nl_counters_of(c, name);
}

static uint64_t sum_drops(const struct nl_counters *c, const char *prefix)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < c->count; i++)
		if (!strncmp(c->name[i], prefix, strlen(prefix)))
			sum += c->value[i];
	return sum;
}

/* Some of everything; returns the keepalives sent, which no counter names. */
static unsigned int some_traffic(void)
{
	uint8_t inner[256], datagram[512];
	struct peer_heartbeat h = { .seq = 1, .ts = 9 };
	struct session *all[] = { &a, &b, &client };
	struct nl_addr there = nl_addr("127.0.0.19", 0);
	struct peer stranger;
	unsigned int i, keepalives = 2;
	size_t len;

	for (i = 0; i < 60; i++) {
		session_works(all[i % 3], "packet");
		session_send(all[i % 3], "answer");
		session_hears(all[i % 3], "answer");
	}
	peer_send(&a.peer, "", 0);
	keepalives++;
	peer_send(&a.peer, inner, peer_heartbeat_build(inner, &h));
	len = peer_seal(&a.peer.epoch.rx, 999, inner, session_text(&a, inner, "bad"), datagram);
	datagram[20] ^= 1;
	peer_send_raw(&a.peer, datagram, len);
	peer_send_raw(&a.peer, datagram, 10);
	peer_send_at(&a.peer, 2, inner, session_text(&a, inner, "replay"));
	peer_send(&a.peer, inner, session_text(&b, inner, "spoofed"));
	peer_send(&b.peer, "\x50", 1);
	stranger = peer_elsewhere(&a.peer, &there);
	peer_send_at(&stranger, 5000, inner, session_text(&a, inner, "stranger"));
	memset(datagram, 0, sizeof(datagram));
	datagram[0] = 1;
	datagram[1] = 1;
	peer_send_raw(&a.peer, datagram, 328);
	sink_send(fx.sink4, "10.0.0.200", PEER_PORT, "nobody", 6);
	CHECK(WAIT_FOR(nl_counter(fx.nl, fx.ifindex, "rx_drop_control_deaf") == 1),
	      "the last one is not counted");
	return keepalives;
}

static void begin(void)
{
	fx = fx_open();
	a = session_gateway(&fx, 10);
	b = session_gateway(&fx, 11);
	client = session_client(&fx, 12);
}

static void every_datagram_once(void)
{
	struct nl_counters c;
	unsigned int keepalives;

	begin();
	keepalives = some_traffic();
	c = fx_counters(&fx);
	CHECK_EQ(of(&c, "rx_packets") + of(&c, "rx_heartbeats") + of(&c, "rx_control") +
		 sum_drops(&c, "rx_drop_") + keepalives, of(&c, "rx_datagrams"),
		 "delivered, heartbeats, control, drops and keepalives together");
	CHECK_EQ(of(&c, "tx_packets") + of(&c, "tx_heartbeats"), of(&c, "tx_datagrams"),
		 "sent packets and heartbeats together");
	CHECK_EQ(of(&c, "rx_packets"), 60, "packets delivered");
	CHECK_EQ(of(&c, "tx_packets"), 60, "packets sent");
	CHECK_EQ(of(&c, "rx_bytes"), 60 * (28 + 6), "octets delivered");
	CHECK_EQ(of(&c, "tx_bytes"), 60 * (28 + 6), "octets sent");
	CHECK_EQ(sum_drops(&c, "rx_drop_"), 7, "received packets dropped");
	CHECK_EQ(sum_drops(&c, "tx_drop_"), 1, "packets to be sent dropped");
}

static void sessions_sum_up(void)
{
	struct session *all[] = { &a, &b, &client };
	uint64_t sum[JVPN_A_STATS_MAX + 1] = {};
	struct nl_counters c;
	struct nl_view v;
	unsigned int i, j;

	begin();
	some_traffic();
	for (i = 0; i < 3; i++) {
		v = session_view(all[i]);
		for (j = 1; j <= JVPN_A_STATS_MAX; j++)
			sum[j] += v.stats[j];
		CHECK_EQ(v.stats[JVPN_A_STATS_RX_PACKETS], 20, "packets delivered of a session");
		CHECK_EQ(v.stats[JVPN_A_STATS_TX_PACKETS], 20, "packets sent of a session");
	}
	c = fx_counters(&fx);
	CHECK_EQ(sum[JVPN_A_STATS_RX_PACKETS], of(&c, "rx_packets"), "packets delivered");
	CHECK_EQ(sum[JVPN_A_STATS_RX_BYTES], of(&c, "rx_bytes"), "octets delivered");
	CHECK_EQ(sum[JVPN_A_STATS_TX_PACKETS], of(&c, "tx_packets"), "packets sent");
	CHECK_EQ(sum[JVPN_A_STATS_TX_BYTES], of(&c, "tx_bytes"), "octets sent");
	/* A runt and a control message are of no session. */
	CHECK_EQ(sum[JVPN_A_STATS_RX_DROPS], sum_drops(&c, "rx_drop_") - 2, "received drops");
}

/* The numbers of the interface, as /proc/net/dev and ip -s show them. */
struct link_numbers {
	unsigned long long rx_bytes, rx_packets, rx_errors, rx_drops;
	unsigned long long tx_bytes, tx_packets, tx_errors, tx_drops;
};

static struct link_numbers link_read(void)
{
	struct link_numbers n = {};
	char line[512], *at;
	FILE *in = fopen("/proc/net/dev", "r");
	bool found = false;

	REQUIRE(in, "no /proc/net/dev");
	while (!found && fgets(line, sizeof(line), in)) {
		at = strstr(line, DEVICE ":");
		found = at && sscanf(at + strlen(DEVICE) + 1,
				     "%llu %llu %llu %llu %*u %*u %*u %*u %llu %llu %llu %llu",
				     &n.rx_bytes, &n.rx_packets, &n.rx_errors, &n.rx_drops,
				     &n.tx_bytes, &n.tx_packets, &n.tx_errors, &n.tx_drops) == 8;
	}
	fclose(in);
	REQUIRE(found, "/proc/net/dev does not tell of " DEVICE);
	return n;
}

static void interface_agrees(void)
{
	struct link_numbers n;
	struct nl_counters c;

	begin();
	some_traffic();
	c = fx_counters(&fx);
	n = link_read();
	CHECK_EQ(n.rx_packets, of(&c, "rx_packets"), "packets received by the interface");
	CHECK_EQ(n.rx_bytes, of(&c, "rx_bytes"), "octets received by the interface");
	CHECK_EQ(n.tx_packets, of(&c, "tx_packets"), "packets sent by the interface");
	CHECK_EQ(n.tx_bytes, of(&c, "tx_bytes"), "octets sent by the interface");
	CHECK_EQ(n.rx_drops, sum_drops(&c, "rx_drop_"), "drops of the interface, receiving");
	CHECK_EQ(n.tx_drops, sum_drops(&c, "tx_drop_"), "drops of the interface, sending");
	CHECK_EQ(n.rx_errors, of(&c, "rx_drop_auth") + of(&c, "rx_drop_inner") +
		 of(&c, "rx_drop_runt"), "errors of the interface, receiving");
}

/* A heartbeat may be counted in between. */
static void ethtool_agrees(void)
{
	struct nl_counters before, after;
	char line[256], name[64];
	unsigned long long value;
	unsigned int i = 0;
	FILE *out;

	begin();
	some_traffic();
	before = fx_counters(&fx);
	out = popen("ethtool -S " DEVICE, "r");
	REQUIRE(out, "cannot run ethtool");
	while (fgets(line, sizeof(line), out)) {
		if (sscanf(line, " %63[a-z0-9_]: %llu", name, &value) != 2)
			continue;
		REQUIRE(i < before.count && !strcmp(name, before.name[i]),
			"ethtool names %s in place %u", name, i);
		after = fx_counters(&fx);
		CHECK(value >= before.value[i] && value <= after.value[i],
		      "ethtool tells %llu of %s, netlink %llu", value, name,
		      (unsigned long long)before.value[i]);
		i++;
	}
	pclose(out);
	CHECK_EQ(i, before.count, "the counters of ethtool");
}

static const struct test_case cases[] = {
	{ "every datagram is counted once", every_datagram_once },
	{ "sessions sum up to their device", sessions_sum_up },
	{ "the interface tells the same", interface_agrees },
	{ "ethtool tells the same", ethtool_agrees },
};

TEST_MAIN(cases)
