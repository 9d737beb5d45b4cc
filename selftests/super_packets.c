// SPDX-License-Identifier: GPL-2.0
/*
 * Proves the batch walks: super-packets of mixed datagrams are judged one by
 * one, what is merged on receive comes out as it went in, and what is cut on
 * send arrives whole.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

#define INIT_SIZE 328

static struct fx fx;
static struct session s;

static void begin(void)
{
	fx = fx_open();
	s = session_gateway(&fx, 10);
}

/* A datagram of exactly @size octets with @text. */
static void sized(uint8_t *out, size_t size, uint64_t counter, const char *text)
{
	char payload[2048] = "";
	struct inner in = { .src = s.src4, .dst = "10.0.0.1", .sport = PEER_PORT,
			    .dport = INNER_PORT, .payload = payload,
			    .len = size - PEER_OVERHEAD - 28 };
	uint8_t inner[4096];

	snprintf(payload, sizeof(payload), "%s", text);
	peer_seal(&s.peer.epoch.rx, counter, inner, inner_build(inner, &in), out);
}

static void expect_text(const char *text)
{
	char buf[4096] = "";
	int got = sink_receive(fx.sink4, PATIENCE_MS, buf, sizeof(buf) - 1, NULL);

	CHECK(got >= 0, "\"%s\" was not delivered", text);
	CHECK(got < 0 || !strcmp(buf, text), "\"%s\" was delivered, not \"%s\"", buf, text);
}

/* Control and data of one size, as GRO would join them. */
static void mixed(void)
{
	static uint8_t batch[65536];
	struct nl *nl = nl_open();
	struct nl_request r;
	struct nl_reply reply;
	struct nl_view v;
	struct nl_counters before;
	char text[32];
	unsigned int i;

	begin();
	r = nl_begin(nl, JVPN_CMD_PACKET_REGISTER);
	nl_put_u32(&r, JVPN_A_PACKET_IFINDEX, fx.ifindex);
	REQUIRE(!nl_run(&r, &reply), "cannot register: %s", reply.text);
	before = fx_counters(&fx);
	for (i = 0; i < 40; i++) {
		uint8_t *at = batch + i * INIT_SIZE;

		snprintf(text, sizeof(text), "number %u", i);
		if (i % 3 == 1) {
			memset(at, i, INIT_SIZE);
			memcpy(at, "\x01\x01\0\0", 4);
		} else {
			sized(at, INIT_SIZE, 1 + i, text);
		}
	}
	peer_send_batch(&s.peer, batch, 40 * INIT_SIZE, INIT_SIZE);
	for (i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "number %u", i);
		if (i % 3 != 1) {
			expect_text(text);
			continue;
		}
		REQUIRE(nl_event(nl, PATIENCE_MS, &v) && v.cmd == JVPN_CMD_PACKET_NTF,
			"message %u did not reach the daemon", i);
		CHECK(v.payload_len == INIT_SIZE && v.payload[100] == i, "message %u was changed", i);
	}
	fx_expect_drops(&fx, &before, "rx_drop_type", 0);
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "rx_datagrams") -
		 nl_counters_of(&before, "rx_datagrams"), 40, "datagrams");
	CHECK(nl_counter(fx.nl, fx.ifindex, "rx_batches") - nl_counters_of(&before, "rx_batches") <
	      40, "the super-packet was split before the receive walk");
}

/* Bad ones among good ones: each judged for itself. */
static void bad_among_good(void)
{
	static uint8_t batch[65536];
	const size_t size = 300;
	struct nl_counters before, now;
	char text[32];
	unsigned int i;

	begin();
	before = fx_counters(&fx);
	for (i = 0; i < 50; i++) {
		uint8_t *at = batch + i * size;

		snprintf(text, sizeof(text), "number %u", i);
		/* 20 to 24 repeat the counters of 10 to 14 */
		sized(at, size, 1 + (i / 5 == 4 ? i - 10 : i), text);
		if (i == 3)
			at[150] ^= 1;
		if (i == 7)
			at[5] ^= 0xff;
		if (i == 9)
			at[1] = 9;
		if (i == 31)
			at[0] = 77;
	}
	/* The last one is cut short: a runt. */
	peer_send_batch(&s.peer, batch, 49 * size + 20, size);
	for (i = 0; i < 49; i++) {
		snprintf(text, sizeof(text), "number %u", i);
		if (i != 3 && i != 7 && i != 9 && i != 31 && i / 5 != 4)
			expect_text(text);
	}
	CHECK(WAIT_FOR(nl_counter(fx.nl, fx.ifindex, "rx_drop_runt") -
		       nl_counters_of(&before, "rx_drop_runt") == 1), "the last one is no runt");
	now = fx_counters(&fx);
#define ROSE(name, n) CHECK_EQ(nl_counters_of(&now, name) - nl_counters_of(&before, name), n, name)
	ROSE("rx_drop_auth", 1);
	ROSE("rx_drop_index", 1);
	ROSE("rx_drop_type", 2);
	ROSE("rx_drop_replay", 5);
	ROSE("rx_drop_runt", 1);
	ROSE("rx_packets", 40);
	ROSE("rx_datagrams", 50);
#undef ROSE
	CHECK_EQ(session_view(&s).stats[JVPN_A_STATS_RX_DROPS], 6, "drops of the session");
}

/* Too short for anything, and as many as a super-packet can have. */
static void runts(void)
{
	uint8_t batch[60 * 8] = { 4, 1 };
	struct nl_counters before;

	begin();
	before = fx_counters(&fx);
	peer_send_batch(&s.peer, batch, sizeof(batch), 8);
	fx_expect_drops(&fx, &before, "rx_drop_runt", 60);
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "rx_datagrams") -
		 nl_counters_of(&before, "rx_datagrams"), 60, "datagrams");
}

/* Several sessions in one super-packet cannot be: it has one source. Two epochs can. */
static void two_epochs(void)
{
	static uint8_t batch[65536];
	struct nl_epoch old, e = nl_epoch(1);
	struct bind b = { .version = 1, .keys = &e };
	const size_t size = 300;
	char text[32];
	unsigned int i;

	begin();
	old = s.peer.epoch;
	REQUIRE(!session_bind(&s, JVPN_CMD_EPOCH_SET, &b, NULL), "refused");
	for (i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "number %u", i);
		s.peer.epoch = i % 2 ? e : old;
		sized(batch + i * size, size, 100 + i, text);
	}
	peer_send_batch(&s.peer, batch, 20 * size, size);
	for (i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "number %u", i);
		expect_text(text);
	}
}

/* ---- merging: random segments of several flows ---- */

#define FLOWS 3
#define SEGMENTS 48
#define STREAM_MAX 65536

/* What a flow consists of, octet by octet, with the sequence number of each. */
struct stream {
	size_t len;
	uint8_t octet[STREAM_MAX];
	uint32_t seq[STREAM_MAX];
};

static struct stream sent[FLOWS], got[FLOWS];

static void stream_add(struct stream *st, const uint8_t *data, size_t len, uint32_t seq)
{
	size_t i;

	for (i = 0; i < len && st->len < STREAM_MAX; i++, st->len++) {
		st->octet[st->len] = data[i];
		st->seq[st->len] = seq + i;
	}
}

struct segment {
	unsigned int flow;
	bool v6;
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	unsigned int options;
	size_t len;
	uint8_t payload[1500];
};

static size_t segment_build(uint8_t *out, const struct segment *g)
{
	size_t ip_len = g->v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr);
	struct tcphdr *th = (struct tcphdr *)(out + ip_len);
	size_t tcp_len = 20 + 4 * g->options + g->len;
	uint32_t pseudo = IPPROTO_TCP + tcp_len;

	memset(out, 0, ip_len + 60);
	th->source = htons(1000 + g->flow);
	th->dest = htons(2000);
	th->seq = htonl(g->seq);
	th->ack_seq = htonl(g->ack);
	th->doff = 5 + g->options;
	th->window = htons(512);
	((uint8_t *)th)[13] = g->flags;
	memset(th + 1, 1, 4 * g->options);
	memcpy((uint8_t *)th + 20 + 4 * g->options, g->payload, g->len);
	if (g->v6) {
		struct ip6_hdr *ip = (struct ip6_hdr *)out;

		ip->ip6_flow = htonl(6u << 28);
		ip->ip6_plen = htons(tcp_len);
		ip->ip6_nxt = IPPROTO_TCP;
		ip->ip6_hlim = 64;
		ip->ip6_src = nl_addr(s.src6, 0).v6;
		ip->ip6_dst = nl_addr("fd00::1", 0).v6;
		pseudo = test_sum_add(pseudo, &ip->ip6_src, 32);
	} else {
		struct iphdr *ip = (struct iphdr *)out;

		ip->version = 4;
		ip->ihl = 5;
		ip->tot_len = htons(ip_len + tcp_len);
		ip->frag_off = htons(IP_DF);
		ip->ttl = 64;
		ip->protocol = IPPROTO_TCP;
		ip->saddr = nl_addr(s.src4, 0).v4.s_addr;
		ip->daddr = nl_addr("10.0.0.1", 0).v4.s_addr;
		ip->check = test_sum_end(test_sum_add(0, ip, sizeof(*ip)));
		pseudo = test_sum_add(pseudo, &ip->saddr, 8);
	}
	th->check = test_sum_end(test_sum_add(pseudo, th, tcp_len));
	return ip_len + tcp_len;
}

static int capture_open(void)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL)), size = 32 << 20;
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = fx.ifindex };

	REQUIRE(fd >= 0 && !bind(fd, (struct sockaddr *)&ll, sizeof(ll)), "cannot capture: %s",
		strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

/* Takes a captured packet apart. Return: it was one of ours. */
static bool capture_one(int fd, unsigned int *merged)
{
	static uint8_t p[70000];
	struct sockaddr_ll from;
	socklen_t from_len = sizeof(from);
	const struct tcphdr *th;
	size_t ip_len, hlen;
	unsigned int flow;
	ssize_t len = recvfrom(fd, p, sizeof(p), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);

	if (len < 0)
		return false;
	/* Resets that the stack answers with leave. */
	if (from.sll_pkttype == PACKET_OUTGOING || len < 60 - 20)
		return true;
	ip_len = p[0] >> 4 == 4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	th = (const struct tcphdr *)(p + ip_len);
	hlen = ip_len + 4 * th->doff;
	flow = ntohs(th->source) - 1000;
	REQUIRE(flow < FLOWS && (ssize_t)hlen <= len, "a packet of no flow was delivered");
	if (p[0] >> 4 == 4)
		CHECK(ntohs(((struct iphdr *)p)->tot_len) == len &&
		      !test_sum_end(test_sum_add(0, p, sizeof(struct iphdr))), "a wrong IPv4 header");
	else
		CHECK(ntohs(((struct ip6_hdr *)p)->ip6_plen) + 40 == len, "a wrong IPv6 header");
	stream_add(&got[flow], p + hlen, len - hlen, ntohl(th->seq));
	if (len > 1600)
		(*merged)++;
	return true;
}

static uint32_t random_below(uint32_t n)
{
	uint32_t r;

	test_random(&r, sizeof(r));
	return r % n;
}

/* The next segment: mostly the next of the same flow, of the same size. */
static void segment_next(struct segment *g, uint32_t seq[FLOWS], size_t mss)
{
	if (!random_below(6))
		g->flow = random_below(FLOWS);
	g->v6 = g->flow == 2;
	g->options = g->flow == 1 ? 3 : 0;
	g->ack = random_below(20) ? 7 : 8;
	g->flags = TH_ACK | (random_below(10) ? 0 : TH_PUSH) | (random_below(50) ? 0 : TH_FIN) |
		   (random_below(60) ? 0 : TH_URG);
	g->len = random_below(8) ? mss : 1 + random_below(mss);
	if (!random_below(30))
		g->len = 0;
	/* Sometimes out of order. */
	g->seq = seq[g->flow] + (random_below(15) ? 0 : random_below(5000));
	test_random(g->payload, g->len);
	seq[g->flow] = g->seq + g->len;
}

/*
 * One super-packet needs datagrams of one size; a shorter inner packet is
 * padded, as a peer may.
 */
static void send_round(uint64_t *counter)
{
	static uint8_t batch[65536];
	uint8_t inner[2048];
	uint32_t seq[FLOWS] = { random_below(UINT32_MAX), UINT32_MAX - 3000, 100 };
	size_t mss = 100 + random_below(900);
	const size_t size = 40 + 32 + mss, segment = size + PEER_OVERHEAD;
	struct segment g = {};
	unsigned int i;
	size_t len;

	memset(sent, 0, sizeof(sent));
	memset(got, 0, sizeof(got));
	for (i = 0; i < SEGMENTS; i++) {
		segment_next(&g, seq, mss);
		memset(inner, 0, size);
		len = segment_build(inner, &g);
		REQUIRE(len <= size, "the test's segment is too long");
		stream_add(&sent[g.flow], g.payload, g.len, g.seq);
		peer_seal(&s.peer.epoch.rx, (*counter)++, inner, size, batch + i * segment);
	}
	peer_send_batch(&s.peer, batch, SEGMENTS * segment, segment);
}

static bool all_came(void)
{
	unsigned int i;

	for (i = 0; i < FLOWS; i++)
		if (got[i].len < sent[i].len)
			return false;
	return true;
}

static void compare_streams(unsigned int round)
{
	unsigned int i;

	for (i = 0; i < FLOWS; i++) {
		REQUIRE(got[i].len == sent[i].len, "round %u: %zu octets of flow %u came, not %zu",
			round, got[i].len, i, sent[i].len);
		REQUIRE(!memcmp(got[i].octet, sent[i].octet, got[i].len),
			"round %u: octets of flow %u were changed", round, i);
		REQUIRE(!memcmp(got[i].seq, sent[i].seq, 4 * got[i].len),
			"round %u: sequence numbers of flow %u were changed", round, i);
	}
}

static void merged_right(void)
{
	const unsigned int rounds = test_scale(1500, 150);
	unsigned int round, merged = 0;
	struct nl_counters before;
	uint64_t counter = 1;
	int fd;

	begin();
	fd = capture_open();
	before = fx_counters(&fx);
	for (round = 0; round < rounds; round++) {
		send_round(&counter);
		WAIT_FOR(({
			while (capture_one(fd, &merged))
				;
			all_came();
		}));
		compare_streams(round);
	}
	CHECK(merged > rounds / 2, "only %u super-packets were delivered in %u rounds", merged,
	      rounds);
	CHECK(nl_counter(fx.nl, fx.ifindex, "rx_merged") > rounds, "hardly a segment was merged");
	fx_expect_drops(&fx, &before, "rx_drop_inner", 0);
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "rx_packets") - nl_counters_of(&before, "rx_packets"),
		 rounds * SEGMENTS, "packets delivered");
}

/* ---- cutting: a TCP connection whose segments the peer puts together ---- */

static void expect_checksum(const struct peer_datagram *d)
{
	const struct iphdr *ip = (const struct iphdr *)d->inner;
	uint16_t tcp_len = d->inner_len - sizeof(*ip);
	uint32_t sum = test_sum_add(IPPROTO_TCP + tcp_len, &ip->saddr, 8);

	CHECK(!test_sum_end(test_sum_add(0, ip, sizeof(*ip))), "a wrong checksum of the IPv4 header");
	CHECK(!test_sum_end(test_sum_add(sum, d->inner + sizeof(*ip), tcp_len)), "a wrong TCP checksum");
	CHECK_EQ(ntohs(ip->tot_len), d->inner_len, "the length in the IPv4 header");
}

static size_t reply_build(uint8_t *out, const struct peer_datagram *d, uint32_t seq, uint32_t ack,
			  uint8_t flags)
{
	const struct tcphdr *from = (const struct tcphdr *)(d->inner + sizeof(struct iphdr));
	struct segment g = { .seq = seq, .ack = ack, .flags = flags };
	size_t len = segment_build(out, &g);
	struct tcphdr *th = (struct tcphdr *)(out + sizeof(struct iphdr));
	struct iphdr *ip = (struct iphdr *)out;

	th->source = from->dest;
	th->dest = from->source;
	th->window = htons(65535);
	th->check = 0;
	th->check = test_sum_end(test_sum_add(test_sum_add(IPPROTO_TCP + 20, &ip->saddr, 8), th, 20));
	return len;
}

/*
 * The peer answers a connection by hand: SYN with SYN and ACK, then an ACK for
 * everything, so that the stack sends ever larger super-packets.
 */
static void cut_right(void)
{
	const size_t total = test_scale(2000000, 200000);
	static struct peer_datagram d;
	struct nl_addr to = nl_addr("10.0.0.10", 2000);
	struct nl_counters before;
	struct sockaddr_storage ss;
	uint8_t *data = malloc(total), *came = calloc(1, total), packet[256];
	const struct tcphdr *th = (const struct tcphdr *)(d.inner + sizeof(struct iphdr));
	uint64_t last_counter = 0, end;
	uint32_t first = 0, high = 0;
	size_t at;
	int fd;

	begin();
	test_random(data, total < 1000000 ? total : 1000000);
	before = fx_counters(&fx);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(fd, (struct sockaddr *)&ss, nl_addr_sockaddr(&to, &ss));
	REQUIRE(peer_receive_inner(&s.peer, PATIENCE_MS, &d) && th->syn, "no SYN came");
	first = ntohl(th->seq) + 1;
	peer_send(&s.peer, packet, reply_build(packet, &d, 1000, first, TH_SYN | TH_ACK));
	for (at = 0, end = test_now() + 2 * PATIENCE_MS; high < total && test_now() < end;) {
		struct pollfd pfd = { .fd = fd, .events = POLLOUT };
		ssize_t n;

		if (at < total && poll(&pfd, 1, 0) == 1) {
			n = write(fd, data + at, total - at);
			at += n > 0 ? n : 0;
		}
		while (peer_receive_inner(&s.peer, 1, &d)) {
			size_t hlen = sizeof(struct iphdr) + 4 * th->doff, len = d.inner_len - hlen;
			uint32_t off = ntohl(th->seq) - first;

			expect_checksum(&d);
			CHECK(!last_counter || d.counter > last_counter, "a counter fell back");
			last_counter = d.counter;
			if (!len)
				continue;
			REQUIRE(off + len <= total, "octets beyond the end came");
			memcpy(came + off, d.inner + hlen, len);
			if (off <= high && off + len > high)
				high = off + len;
		}
		peer_send(&s.peer, packet, reply_build(packet, &d, 1001, first + high, TH_ACK));
	}
	CHECK_EQ(high, total, "octets that came");
	CHECK(!memcmp(data, came, total), "octets were changed");
	CHECK(nl_counter(fx.nl, fx.ifindex, "tx_datagrams") - nl_counters_of(&before, "tx_datagrams") >
	      2 * (nl_counter(fx.nl, fx.ifindex, "tx_batches") -
		   nl_counters_of(&before, "tx_batches")), "hardly a super-packet was sent");
	fx_expect_drops(&fx, &before, "tx_drop_nomem", 0);
	close(fd);
}

static const struct test_case cases[] = {
	{ "control and data in one super-packet", mixed },
	{ "bad datagrams among good ones", bad_among_good },
	{ "a super-packet of runts", runts },
	{ "two epochs in one super-packet", two_epochs },
	{ "random segments are merged without a changed octet", merged_right },
	{ "a TCP connection is cut without a changed octet", cut_right },
};

TEST_MAIN(cases)
