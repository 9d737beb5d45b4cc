// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that of an authentic peer only proper IP packets from its own inner
 * addresses are delivered, and that packets to it find their session by the
 * longest prefix.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

static struct fx fx;

static void expect_dropped(struct session *s, const void *inner, size_t len, const char *cause,
			   const char *what)
{
	struct nl_counters before = fx_counters(&fx);
	uint8_t buf[64];

	peer_send(&s->peer, inner, len);
	CHECK(fx_expect_drops(&fx, &before, cause, 1), "%s", what);
	CHECK(sink_receive(fx.sink4, 0, buf, sizeof(buf), NULL) < 0 &&
	      sink_receive(fx.sink6, 0, buf, sizeof(buf), NULL) < 0, "%s was delivered", what);
}

static void malformed4(void)
{
	uint8_t good[256], bad[256];
	struct iphdr *ip = (struct iphdr *)bad;
	struct session s;
	unsigned int i;
	char what[64];
	size_t len;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	len = session_text(&s, good, "proper");
	for (i = 1; i < 16; i++) {
		if (i == 4 || i == 6)
			continue;
		memcpy(bad, good, len);
		bad[0] = i << 4 | 5;
		snprintf(what, sizeof(what), "version %u", i);
		expect_dropped(&s, bad, len, "rx_drop_inner", what);
	}
	for (i = 0; i < 5; i++) {
		memcpy(bad, good, len);
		ip->ihl = i;
		snprintf(what, sizeof(what), "a header of %u words", i);
		expect_dropped(&s, bad, len, "rx_drop_inner", what);
	}
	for (i = 1; i < len; i++) {
		snprintf(what, sizeof(what), "%u octets of %zu", i, len);
		expect_dropped(&s, good, i, "rx_drop_inner", what);
	}
	memcpy(bad, good, len);
	ip->ihl = 15;
	expect_dropped(&s, bad, len, "rx_drop_inner", "a header longer than the packet");
	ip->ihl = 5;
	ip->tot_len = htons(19);
	expect_dropped(&s, bad, len, "rx_drop_inner", "a length shorter than the header");
	ip->tot_len = 0;
	expect_dropped(&s, bad, len, "rx_drop_inner", "a length of 0");
	ip->tot_len = htons(len + 1);
	expect_dropped(&s, bad, len, "rx_drop_inner", "a length beyond the packet");
	ip->tot_len = 0xffff;
	expect_dropped(&s, bad, len, "rx_drop_inner", "a length of 65535");
	session_works(&s, "proper");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
}

static void malformed6(void)
{
	uint8_t good[256], bad[256];
	struct ip6_hdr *ip = (struct ip6_hdr *)bad;
	struct session s;
	unsigned int i;
	char what[64];
	size_t len;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	len = session_text6(&s, good, "proper");
	for (i = 1; i < len; i++) {
		snprintf(what, sizeof(what), "%u octets of %zu", i, len);
		expect_dropped(&s, good, i, "rx_drop_inner", what);
	}
	memcpy(bad, good, len);
	ip->ip6_plen = htons(len - 40 + 1);
	expect_dropped(&s, bad, len, "rx_drop_inner", "a length beyond the packet");
	ip->ip6_plen = 0xffff;
	expect_dropped(&s, bad, len, "rx_drop_inner", "a length of 65535");
	peer_send(&s.peer, good, len);
	sink_expect(fx.sink6, "proper");
}

/* Zeros after the packet are padding. */
static void padded(void)
{
	static uint8_t inner[2048];
	struct session s;
	size_t len, pad;
	char text[32];

	fx = fx_open();
	s = session_gateway(&fx, 10);
	for (pad = 0; pad < 1200; pad = pad * 2 + 1) {
		snprintf(text, sizeof(text), "padded by %zu", pad);
		memset(inner, 0, sizeof(inner));
		len = session_text(&s, inner, text);
		peer_send(&s.peer, inner, len + pad);
		sink_expect(fx.sink4, text);
		len = session_text6(&s, inner, text);
		memset(inner + len, 0, pad);
		peer_send(&s.peer, inner, len + pad);
		sink_expect(fx.sink6, text);
	}
}

static void keepalives(void)
{
	struct nl_counters before;
	struct session s;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	before = fx_counters(&fx);
	peer_send(&s.peer, "", 0);
	session_works(&s, "after it");
	fx_expect_drops(&fx, &before, "rx_drop_inner", 0);
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "rx_packets") - nl_counters_of(&before, "rx_packets"),
		 1, "packets delivered");
}

static void inner_messages(void)
{
	struct peer_heartbeat h = { .seq = 1, .ts = 5 };
	uint8_t message[PEER_HEARTBEAT_CLIENT_SIZE];
	struct nl_counters before;
	struct session s;
	unsigned int type;
	char what[64];
	size_t len;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	len = peer_heartbeat_build(message, &h);
	for (type = 0; type < 16; type++) {
		if (type == 1)
			continue;
		message[0] = type;
		snprintf(what, sizeof(what), "inner message %u", type);
		expect_dropped(&s, message, len, "rx_drop_inner", what);
	}
	message[0] = 1;
	expect_dropped(&s, message, PEER_HEARTBEAT_SIZE - 1, "rx_drop_inner", "a short heartbeat");
	expect_dropped(&s, message, 1, "rx_drop_inner", "a heartbeat of one octet");
	before = fx_counters(&fx);
	peer_send(&s.peer, message, len);
	CHECK(WAIT_FOR(nl_counter(fx.nl, fx.ifindex, "rx_heartbeats") ==
		       nl_counters_of(&before, "rx_heartbeats") + 1), "a heartbeat is not counted");
}

/* ---- inner sources ---- */

static size_t from(const char *src, const char *dst, uint8_t *out, const char *text)
{
	struct inner in = { .src = src, .dst = dst, .sport = PEER_PORT, .dport = INNER_PORT,
			    .payload = text, .len = strlen(text) };

	return inner_build(out, &in);
}

static void foreign_source(void)
{
	const char *sources4[] = { "10.0.0.11", "10.0.0.12", "10.0.0.1", "0.0.0.0", "127.0.0.1",
				   "255.255.255.255", "224.0.0.1", "10.0.1.10" };
	const char *sources6[] = { "fd00::11", "fd00::12", "fd00::1", "::", "::1", "ff02::1",
				   "fe80::10", "::ffff:10.0.0.10" };
	struct session a, b;
	uint8_t inner[256];
	unsigned int i;

	fx = fx_open();
	a = session_gateway(&fx, 10);
	b = session_gateway(&fx, 11);
	for (i = 0; i < 8; i++) {
		expect_dropped(&a, inner, from(sources4[i], "10.0.0.1", inner, "foreign"),
			       "rx_drop_source", sources4[i]);
		expect_dropped(&a, inner, from(sources6[i], "fd00::1", inner, "foreign"),
			       "rx_drop_source", sources6[i]);
	}
	session_works(&a, "own");
	session_works(&b, "own");
	CHECK_EQ(session_view(&a).stats[JVPN_A_STATS_RX_DROPS], 16, "drops of the session");
	CHECK_EQ(session_view(&b).stats[JVPN_A_STATS_RX_DROPS], 0, "drops of the other session");
}

/* In a batch: the packets around it are delivered. */
static void foreign_source_batch(void)
{
	static uint8_t batch[65536];
	struct nl_counters before;
	struct session a, b;
	uint8_t inner[256];
	size_t len = 0, one = 0;
	unsigned int i;

	fx = fx_open();
	a = session_gateway(&fx, 10);
	b = session_gateway(&fx, 11);
	before = fx_counters(&fx);
	for (i = 0; i < 10; i++) {
		one = from(i == 5 ? b.src4 : a.src4, "10.0.0.1", inner, "0123456789");
		one = peer_seal(&a.peer.epoch.rx, 1 + i, inner, one, batch + len);
		len += one;
	}
	peer_send_batch(&a.peer, batch, len, one);
	fx_expect_drops(&fx, &before, "rx_drop_source", 1);
	for (i = 0; i < 9; i++)
		sink_expect(fx.sink4, "0123456789");
}

/* ---- prefixes ---- */

static struct session with_prefixes(unsigned int number, const char *inner4, const char *inner6)
{
	struct session s = session_describe(&fx, JVPN_ROLE_GATEWAY, number);

	snprintf(s.inner4, sizeof(s.inner4), "%s", inner4);
	snprintf(s.inner6, sizeof(s.inner6), "%s", inner6);
	session_attach(&s);
	return s;
}

static void expect_at(struct session *s, const char *dst)
{
	static struct peer_datagram d;

	sink_send(strchr(dst, ':') ? fx.sink6 : fx.sink4, dst, PEER_PORT, "where", 5);
	CHECK(peer_receive_inner(&s->peer, PATIENCE_MS, &d) && !memcmp(d.inner + d.inner_len - 5,
	      "where", 5), "a packet to %s did not reach peer %u", dst, s->number);
}

static void expect_from(struct session *s, const char *src, const char *dst, bool delivered)
{
	uint8_t inner[256];
	size_t len = from(src, dst, inner, "whose");

	if (!delivered) {
		expect_dropped(s, inner, len, "rx_drop_source", src);
		return;
	}
	peer_send(&s->peer, inner, len);
	sink_expect(strchr(src, ':') ? fx.sink6 : fx.sink4, "whose");
}

static void longest_prefix(void)
{
	struct session wide, narrow, host, rest;

	fx = fx_open();
	test_shell("ip route add 10.0.0.0/8 dev " DEVICE "; ip -6 route add fd00::/16 dev " DEVICE
		   "; ip route add default dev " DEVICE "; ip -6 route add default dev " DEVICE);
	wide = with_prefixes(10, "10.1.0.0/16", "fd00:1::/32");
	narrow = with_prefixes(11, "10.1.2.0/24", "fd00:1:2::/48");
	host = with_prefixes(12, "10.1.2.3/32", "fd00:1:2::3/128");
	rest = with_prefixes(13, "0.0.0.0/0", "::/0");
	expect_at(&wide, "10.1.1.1");
	expect_at(&wide, "10.1.255.254");
	expect_at(&narrow, "10.1.2.1");
	expect_at(&narrow, "10.1.2.4");
	expect_at(&host, "10.1.2.3");
	expect_at(&rest, "10.2.0.1");
	expect_at(&rest, "198.51.100.1");
	expect_at(&wide, "fd00:1:1::1");
	expect_at(&narrow, "fd00:1:2::4");
	expect_at(&host, "fd00:1:2::3");
	expect_at(&rest, "fd00:2::1");
	expect_at(&rest, "2001:db8::1");
	/* The same decides whose a received packet is. */
	expect_from(&wide, "10.1.1.1", "10.0.0.1", true);
	expect_from(&wide, "10.1.2.1", "10.0.0.1", false);
	expect_from(&narrow, "10.1.2.1", "10.0.0.1", true);
	expect_from(&narrow, "10.1.2.3", "10.0.0.1", false);
	expect_from(&host, "10.1.2.3", "10.0.0.1", true);
	expect_from(&rest, "10.1.2.3", "10.0.0.1", false);
	expect_from(&rest, "198.51.100.1", "10.0.0.1", true);
	expect_from(&wide, "198.51.100.1", "10.0.0.1", false);
	expect_from(&narrow, "fd00:1:2::4", "fd00::1", true);
	expect_from(&wide, "fd00:1:2::4", "fd00::1", false);
	expect_from(&rest, "2001:db8::1", "fd00::1", true);
	/* When the host's session ends the narrow one has its address. */
	REQUIRE(!session_transition(&host, 1, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR, NULL),
		"refused");
	expect_at(&narrow, "10.1.2.3");
	expect_from(&narrow, "10.1.2.3", "10.0.0.1", true);
}

/* A route's next hop names the session; the destination may be anything. */
static void next_hop(void)
{
	struct session a, b;

	fx = fx_open();
	a = session_gateway(&fx, 10);
	b = session_gateway(&fx, 11);
	test_shell("ip route add 172.16.0.0/16 via 10.0.0.10; ip route add 172.17.0.0/16 via 10.0.0.11;"
		   " ip -6 route add fd05::/64 via fd00::11");
	expect_at(&a, "172.16.3.4");
	expect_at(&b, "172.17.3.4");
	expect_at(&b, "fd05::9");
}

static void no_session(void)
{
	struct nl_counters before;

	fx = fx_open();
	before = fx_counters(&fx);
	sink_send(fx.sink4, "10.0.0.77", PEER_PORT, "x", 1);
	fx_expect_drops(&fx, &before, "tx_drop_no_session", 1);
	before = fx_counters(&fx);
	sink_send(fx.sink6, "fd00::77", PEER_PORT, "x", 1);
	fx_expect_drops(&fx, &before, "tx_drop_no_session", 1);
}

/* A session in birth owns nothing yet. */
static void birth_owns_nothing(void)
{
	struct nl_counters before;
	struct session s;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	REQUIRE(!session_new(&s, NULL), "cannot make a session");
	before = fx_counters(&fx);
	session_send(&s, "too early");
	fx_expect_drops(&fx, &before, "tx_drop_no_session", 1);
	session_works(&s, "attached");
	session_send(&s, "now");
	session_hears(&s, "now");
}

static void most_prefixes(void)
{
	struct session s;
	struct nl_request r;
	struct nl_transport t;
	struct nl_reply reply;
	struct nl_view v;
	char prefix[32];
	unsigned int i;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	r = session_request(&s, JVPN_CMD_SESSION_NEW);
	t = session_transport(&s);
	nl_put_u32(&r, JVPN_A_SESSION_ROLE, JVPN_ROLE_GATEWAY);
	for (i = 0; i < 64; i++) {
		snprintf(prefix, sizeof(prefix), "10.0.%u.0/24", i);
		nl_put_inner(&r, prefix);
	}
	nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
	nl_put_epoch(&r, &s.peer.epoch);
	REQUIRE(!nl_run(&r, &reply), "64 prefixes are refused: %s", reply.text);
	peer_send(&s.peer, "", 0);
	REQUIRE(session_wait_state(&s, JVPN_STATE_ATTACHED), "the session does not attach");
	v = session_view(&s);
	CHECK_EQ(v.inners, 64, "prefixes");
	session_works(&s, "from the first");
	test_shell("ip route add 10.0.63.0/24 dev " DEVICE);
	expect_at(&s, "10.0.63.9");
}

static const struct test_case cases[] = {
	{ "malformed inner IPv4 packets are dropped as such", malformed4 },
	{ "malformed inner IPv6 packets are dropped as such", malformed6 },
	{ "padding is removed", padded },
	{ "an empty packet is a keepalive", keepalives },
	{ "unknown and short inner messages are dropped", inner_messages },
	{ "an inner source of anybody else is dropped", foreign_source },
	{ "a foreign inner source in a batch is dropped alone", foreign_source_batch },
	{ "the longest prefix decides, in both directions", longest_prefix },
	{ "the next hop of a route names the session", next_hop },
	{ "without a session packets are dropped as such", no_session },
	{ "a session in birth owns no address", birth_owns_nothing },
	{ "a session may have 64 prefixes", most_prefixes },
};

TEST_MAIN(cases)
