// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that merging on receive loses nothing: what is delivered is forwarded to
 * an interface that cannot take super-packets, so that the kernel cuts it again,
 * and every packet that leaves there is, octet by octet, one that was sent into
 * the tunnel, in the same order, its hop limit one less.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/sock_diag.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "fixture.h"

#define OUT "out0"
#define SEGMENTS_MAX 40
#define PAYLOAD_MAX 600
#define OPTIONS 12
#define INNER_MAX (40 + 20 + OPTIONS + PAYLOAD_MAX)
#define FLOWS 3

/* Flags beside those of netinet/tcp.h: ECE, CWR, and AE, which was reserved. */
#define ECE 0x40
#define CWR 0x80
#define AE 0x100

static struct fx fx;
static struct session s;
static int out;

/**
 * struct segment - an inner TCP packet
 * @flow: told by its source port
 * @v6: IPv6
 * @tos: DS field
 * @ttl: hop limit
 * @df: IPv4: must not be fragmented
 * @id: IPv4: identification
 * @label: IPv6: flow label
 * @seq: and the rest as in TCP
 * @len: octets of payload
 * @damaged: IPv4: the sum of the header is wrong
 */
struct segment {
	unsigned int flow;
	bool v6;
	uint8_t tos;
	uint8_t ttl;
	bool df;
	uint16_t id;
	uint32_t label;
	uint32_t seq;
	uint32_t ack;
	uint16_t flags;
	uint16_t window;
	uint16_t urgent;
	uint32_t stamp;
	unsigned int options;
	size_t len;
	bool damaged;
};

static const struct segment plain = {
	.ttl = 64, .df = true, .id = 100, .seq = 1, .ack = 7, .flags = TH_ACK, .window = 500,
	.stamp = 1, .options = OPTIONS, .len = PAYLOAD_MAX,
};

struct packet {
	size_t len;
	uint8_t octet[INNER_MAX];
};

/* What was sent of each flow, as it must leave, and what has left. */
static struct packet sent[FLOWS][SEGMENTS_MAX], got[FLOWS][SEGMENTS_MAX];
static unsigned int sent_count[FLOWS], got_count[FLOWS];

static void begin(void)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int size = 16 << 20;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	test_shell("ip link add " OUT " type dummy && ip link set " OUT " up && "
		   "ethtool -K " OUT " tso off gso off tx off > /dev/null && "
		   "ip addr add 10.9.0.1/24 dev " OUT " && "
		   "ip addr add fd09::1/64 dev " OUT " nodad && "
		   "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
		   "net.ipv4.conf.all.rp_filter=0");
	ll.sll_ifindex = if_nametoindex(OUT);
	out = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
	REQUIRE(out >= 0 && !bind(out, (struct sockaddr *)&ll, sizeof(ll)), "cannot capture: %s",
		strerror(errno));
	setsockopt(out, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

static uint32_t ipv4_build(uint8_t *p, const struct segment *g, size_t tcp_len)
{
	struct iphdr *ip = (struct iphdr *)p;

	ip->version = 4;
	ip->ihl = 5;
	ip->tos = g->tos;
	ip->tot_len = htons(sizeof(*ip) + tcp_len);
	ip->id = htons(g->id);
	ip->frag_off = g->df ? htons(IP_DF) : 0;
	ip->ttl = g->ttl;
	ip->protocol = IPPROTO_TCP;
	ip->saddr = nl_addr(s.src4, 0).v4.s_addr;
	ip->daddr = nl_addr("10.9.0.2", 0).v4.s_addr;
	ip->check = 0;
	ip->check = test_sum_end(test_sum_add(0, ip, sizeof(*ip))) ^ g->damaged;
	return test_sum_add(IPPROTO_TCP + tcp_len, &ip->saddr, 8);
}

static uint32_t ipv6_build(uint8_t *p, const struct segment *g, size_t tcp_len)
{
	struct ip6_hdr *ip = (struct ip6_hdr *)p;

	ip->ip6_flow = htonl(6u << 28 | (uint32_t)g->tos << 20 | g->label);
	ip->ip6_plen = htons(tcp_len);
	ip->ip6_nxt = IPPROTO_TCP;
	ip->ip6_hlim = g->ttl;
	ip->ip6_src = nl_addr(s.src6, 0).v6;
	ip->ip6_dst = nl_addr("fd09::2", 0).v6;
	return test_sum_add(IPPROTO_TCP + tcp_len, &ip->ip6_src, 32);
}

/* Return: octets of the packet. */
static size_t segment_build(uint8_t *p, const struct segment *g)
{
	const size_t ip_len = g->v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr);
	const size_t hlen = 20 + g->options, tcp_len = hlen + g->len;
	struct tcphdr *th = (struct tcphdr *)(p + ip_len);
	uint8_t *t = p + ip_len;
	size_t i;

	memset(p, 0, ip_len + hlen);
	th->source = htons(1000 + g->flow);
	th->dest = htons(2000);
	th->seq = htonl(g->seq);
	th->ack_seq = htonl(g->ack);
	t[12] = hlen / 4 << 4 | (g->flags & AE ? 1 : 0);
	t[13] = g->flags;
	th->window = htons(g->window);
	th->urg_ptr = htons(g->urgent);
	if (g->options == OPTIONS)
		memcpy(t + 20, (uint8_t[]){ 1, 1, 8, 10, 0, 0, 0, g->stamp, 0, 0, 0, 9 }, OPTIONS);
	for (i = 0; i < g->len; i++)
		t[hlen + i] = g->seq + i + ((g->seq + i) >> 8);
	th->check = 0;
	th->check = test_sum_end(test_sum_add(g->v6 ? ipv6_build(p, g, tcp_len) : ipv4_build(p, g, tcp_len), t,
				    tcp_len));
	return ip_len + tcp_len;
}

/* As a router hands it on, if it does. */
static void note_sent(const struct segment *g)
{
	struct segment hop = *g;
	struct packet *p;

	if (g->damaged)
		return;
	p = &sent[g->flow][sent_count[g->flow]++];
	hop.ttl--;
	p->len = segment_build(p->octet, &hop);
}

/* All in one super-packet; inner packets are padded to one size, as a peer may. */
static void send_all(const struct segment *g, unsigned int count)
{
	static uint8_t batch[SEGMENTS_MAX * (INNER_MAX + PEER_OVERHEAD)];
	const size_t size = INNER_MAX + PEER_OVERHEAD;
	uint8_t inner[INNER_MAX];
	unsigned int i;

	memset(sent_count, 0, sizeof(sent_count));
	memset(got_count, 0, sizeof(got_count));
	for (i = 0; i < count; i++) {
		memset(inner, 0, sizeof(inner));
		segment_build(inner, &g[i]);
		note_sent(&g[i]);
		peer_seal(&s.peer.epoch.rx, s.peer.counter++, inner, sizeof(inner),
			  batch + i * size);
	}
	peer_send_batch(&s.peer, batch, count * size, size);
}

/* Return: there was a packet. */
static bool capture_one(void)
{
	static uint8_t p[70000];
	ssize_t len = recv(out, p, sizeof(p), MSG_DONTWAIT);
	unsigned int flow;
	size_t ip_len;

	if (len < 0)
		return false;
	ip_len = p[0] >> 4 == 4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	/* Neighbour discovery and the like. */
	if (len < (ssize_t)ip_len + 20 || (p[0] >> 4 == 4 ? p[9] : p[6]) != IPPROTO_TCP)
		return true;
	flow = ntohs(((struct tcphdr *)(p + ip_len))->source) - 1000;
	REQUIRE(flow < FLOWS && got_count[flow] < SEGMENTS_MAX, "a packet of no flow has left");
	REQUIRE(len <= INNER_MAX, "a packet of %zd octets has left", len);
	memcpy(got[flow][got_count[flow]].octet, p, len);
	got[flow][got_count[flow]++].len = len;
	return true;
}

static bool all_left(void)
{
	unsigned int f;

	while (capture_one())
		;
	for (f = 0; f < FLOWS; f++)
		if (got_count[f] < sent_count[f])
			return false;
	return true;
}

/*
 * Until 6.18 the kernel's GRO says of every super-packet that it is given with DF that all its
 * segments have one identification. Where DF is set it means nothing (RFC 6864 4.1).
 */
static bool gro_keeps_ids(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname kernel;

	REQUIRE(!uname(&kernel) && sscanf(kernel.release, "%u.%u", &major, &minor) == 2, "uname");
	return major > 6 || (major == 6 && minor >= 18);
}

/* The identification and, with it, the sum of the header. */
static bool means_nothing(const struct packet *w, size_t at)
{
	bool fragment_never = w->octet[0] >> 4 == 4 && w->octet[6] & 0x40;

	return fragment_never && (at / 2 == 2 || at / 2 == 5) && !gro_keeps_ids();
}

static void compare(const char *what, const struct packet *g, const struct packet *w, unsigned int i)
{
	size_t at;

	REQUIRE(g->len == w->len, "%s: packet %u has %zu octets, not %zu", what, i, g->len, w->len);
	for (at = 0; at < g->len; at++)
		if (g->octet[at] != w->octet[at] && !means_nothing(w, at))
			break;
	REQUIRE(at == g->len, "%s: packet %u: octet %zu is %02x, not %02x", what, i, at,
		g->octet[at], w->octet[at]);
}

/* Return: how many segments were merged. */
static uint64_t through(const char *what, const struct segment *g, unsigned int count)
{
	const uint64_t before = nl_counter(fx.nl, fx.ifindex, "rx_merged");
	unsigned int f, i;

	send_all(g, count);
	CHECK(WAIT_FOR(all_left()), "%s: not all packets have left", what);
	for (f = 0; f < FLOWS; f++) {
		CHECK_EQ(got_count[f], sent_count[f], "packets that have left");
		for (i = 0; i < got_count[f] && i < sent_count[f]; i++)
			compare(what, &got[f][i], &sent[f][i], i);
	}
	return nl_counter(fx.nl, fx.ifindex, "rx_merged") - before;
}

/* @count segments of one flow, one behind the other. */
static void train(struct segment *g, unsigned int count, bool v6)
{
	uint32_t seq = plain.seq;
	unsigned int i;

	for (i = 0; i < count; i++) {
		g[i] = plain;
		g[i].v6 = v6;
		g[i].id = plain.id + i;
		g[i].seq = seq;
		seq += g[i].len;
	}
}

/* ---- one thing after the other ---- */

#define TRAIN 6

static void each_flag_in(bool v6)
{
	static const uint16_t flags[] = {
		TH_FIN, TH_PUSH, TH_FIN | TH_PUSH, TH_URG, ECE, CWR, AE, ECE | CWR, AE | ECE,
		AE | CWR, AE | ECE | CWR, TH_FIN | ECE, TH_PUSH | AE, TH_RST, TH_SYN,
	};
	struct segment g[TRAIN];
	unsigned int f, at, len;
	char what[64];

	for (f = 0; f < sizeof(flags) / sizeof(flags[0]); f++)
		for (at = 0; at < TRAIN; at++)
			for (len = 0; len < 3; len++) {
				train(g, TRAIN, v6);
				g[at].flags |= flags[f];
				g[at].urgent = flags[f] & TH_URG ? 1 : 0;
				/* with data, with less, alone */
				if (len)
					g[at].len = len == 1 ? 1 : 0;
				if (at + 1 < TRAIN && len)
					g[at + 1].seq = g[at].seq + g[at].len;
				snprintf(what, sizeof(what), "flags %03x in %u of %u, %zu octets",
					 flags[f], at, TRAIN, g[at].len);
				through(what, g, TRAIN);
			}
}

static void each_flag(void)
{
	begin();
	each_flag_in(false);
}

static void each_flag6(void)
{
	begin();
	each_flag_in(true);
}

/* Every flag in all of them: those that may be merged are. */
static void same_flags(void)
{
	struct segment g[TRAIN];
	unsigned int v6, i, flags;
	char what[64];

	begin();
	for (v6 = 0; v6 < 2; v6++)
		for (flags = 0; flags < 0x200; flags += 0x40) {
			uint64_t merged;

			train(g, TRAIN, v6);
			for (i = 0; i < TRAIN; i++)
				g[i].flags |= flags;
			snprintf(what, sizeof(what), "flags %03x in all", flags);
			merged = through(what, g, TRAIN);
			if (!(flags & CWR))
				CHECK_EQ(merged, TRAIN, what);
		}
}

/* A connection's end: what has all its data also has its end. */
static void end_with_data(void)
{
	struct segment g[TRAIN];
	unsigned int v6;

	begin();
	for (v6 = 0; v6 < 2; v6++) {
		train(g, TRAIN, v6);
		g[TRAIN - 1].flags |= TH_FIN | TH_PUSH;
		g[TRAIN - 1].len = 10;
		CHECK_EQ(through("FIN with the last data", g, TRAIN), TRAIN, "segments merged");
	}
}

/* What segments may not differ in. */
static void differences(void)
{
	struct segment g[TRAIN];
	unsigned int v6, at, what;
	char text[64];

	begin();
	for (v6 = 0; v6 < 2; v6++)
		for (what = 0; what < 9; what++)
			for (at = 0; at < TRAIN; at++) {
				train(g, TRAIN, v6);
				switch (what) {
				case 0: g[at].tos = 2; break;
				case 1: g[at].ttl = 63; break;
				case 2: g[at].df = false; break;
				case 3: g[at].id += 7; break;
				case 4: g[at].label = 5; break;
				case 5: g[at].ack++; break;
				case 6: g[at].window++; break;
				case 7: g[at].stamp++; break;
				case 8: g[at].options = 0; break;
				}
				snprintf(text, sizeof(text), "difference %u in %u of %u", what, at,
					 TRAIN);
				through(text, g, TRAIN);
			}
}

/* Identifications: rising, the same, falling, wrapping, with and without DF. */
static void identifications(void)
{
	static const int rise[] = { 1, 0, -1, 2, 256 };
	struct segment g[TRAIN];
	unsigned int r, df, i;
	uint64_t merged;
	char what[64];

	begin();
	for (df = 0; df < 2; df++)
		for (r = 0; r < sizeof(rise) / sizeof(rise[0]); r++) {
			train(g, TRAIN, false);
			for (i = 0; i < TRAIN; i++) {
				g[i].id = 0xfffe + i * rise[r];
				g[i].df = df;
			}
			snprintf(what, sizeof(what), "identifications rise by %d, DF %u", rise[r], df);
			merged = through(what, g, TRAIN);
			CHECK_EQ(merged, rise[r] == 1 || (!rise[r] && df) ? TRAIN : 0, what);
		}
}

/* What a router would have dropped is not mended. */
static void damaged(void)
{
	struct segment g[TRAIN];
	unsigned int at;

	begin();
	for (at = 0; at < TRAIN; at++) {
		train(g, TRAIN, false);
		g[at].damaged = true;
		through("a wrong sum of a header", g, TRAIN);
	}
}

/* ---- everything at once ---- */

static uint32_t random_below(uint32_t n)
{
	uint32_t r;

	test_random(&r, sizeof(r));
	return r % n;
}

static bool once_in(uint32_t n)
{
	return !random_below(n);
}

static uint16_t random_flags(void)
{
	static const uint16_t one[] = { TH_FIN, TH_PUSH, TH_URG, ECE, CWR, AE, TH_RST, TH_SYN };
	uint16_t flags = once_in(60) ? 0 : TH_ACK;

	while (once_in(6))
		flags |= one[random_below(sizeof(one) / sizeof(one[0]))];
	return flags;
}

static void random_next(struct segment *g, struct segment state[FLOWS], unsigned int flow)
{
	struct segment *n = &state[flow];

	n->flags = random_flags();
	n->urgent = n->flags & TH_URG ? 1 : 0;
	n->len = once_in(8) ? random_below(PAYLOAD_MAX + 1) : PAYLOAD_MAX;
	n->tos = once_in(30) ? random_below(256) & ~3 : n->tos;
	n->ttl = once_in(40) ? 2 + random_below(250) : n->ttl;
	n->df = once_in(40) ? !n->df : n->df;
	n->id = once_in(40) ? random_below(65536) : n->id;
	n->ack += once_in(30) ? 10 : 0;
	n->window = once_in(30) ? random_below(65536) : n->window;
	n->stamp += once_in(30) ? 1 : 0;
	n->options = once_in(40) ? OPTIONS - n->options : n->options;
	n->seq += once_in(40) ? 5000 : 0;
	*g = *n;
	n->seq += n->len;
	n->id += flow != 1;
}

/*
 * Flow 0 has rising identifications, flow 1 the same one, flow 2 is IPv6. Its
 * label stays: to GRO a packet with another one is of another flow.
 */
static void at_random(void)
{
	const unsigned int rounds = test_scale(1500, 100);
	struct segment g[SEGMENTS_MAX], state[FLOWS];
	unsigned int round, i, flow = 0;
	uint64_t merged = 0;

	begin();
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < FLOWS; i++) {
			state[i] = plain;
			state[i].flow = i;
			state[i].v6 = i == 2;
			state[i].seq = once_in(4) ? UINT32_MAX - 3000 : random_below(UINT32_MAX);
		}
		for (i = 0; i < SEGMENTS_MAX; i++) {
			flow = once_in(8) ? random_below(FLOWS) : flow;
			random_next(&g[i], state, flow);
		}
		merged += through("at random", g, SEGMENTS_MAX);
	}
	CHECK(merged > rounds * SEGMENTS_MAX / 4, "only %llu segments were merged",
	      (unsigned long long)merged);
}

/* ---- memory ---- */

/* What waits at a socket for packets of the device is charged to it. */
static uint32_t charged(int fd)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t len = sizeof(info);

	REQUIRE(!getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len), "no SO_MEMINFO");
	return info[SK_MEMINFO_RMEM_ALLOC];
}

/* Small segments of two flows in turn, in datagrams for which a lot of memory was taken. */
static void small_ones(void)
{
	struct segment g[SEGMENTS_MAX];
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), most = 4 << 20;
	uint64_t before;
	unsigned int i;

	begin();
	at.sll_ifindex = fx.ifindex;
	REQUIRE(!setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &most, sizeof(most)) &&
		!bind(fd, (struct sockaddr *)&at, sizeof(at)), "no packet socket");
	before = nl_counter(fx.nl, fx.ifindex, "rx_packets");
	for (i = 0; i < SEGMENTS_MAX; i++) {
		g[i] = plain;
		g[i].flow = i % 2;
		g[i].id = plain.id + i;
		g[i].len = 60;
	}
	send_all(g, SEGMENTS_MAX);
	REQUIRE(WAIT_FOR(nl_counter(fx.nl, fx.ifindex, "rx_packets") - before == SEGMENTS_MAX),
		"not all were received");
	CHECK(WAIT_FOR(charged(fd) > 0), "the socket has none");
	CHECK(charged(fd) < SEGMENTS_MAX * 2048, "%u segments of 60 octets take %u octets of memory",
	      SEGMENTS_MAX, charged(fd));
}

static const struct test_case cases[] = {
	{ "each TCP flag in each place, IPv4", each_flag },
	{ "each TCP flag in each place, IPv6", each_flag6 },
	{ "flags that all segments have", same_flags },
	{ "the end comes with the last data", end_with_data },
	{ "segments that differ", differences },
	{ "IPv4 identifications", identifications },
	{ "a wrong sum of an IPv4 header", damaged },
	{ "segments at random", at_random },
	{ "small segments do not keep the memory of large ones", small_ones },
};

TEST_MAIN(cases)
