// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that what is said beside a packet is not trusted where a guest, a
 * program or another tunnel has said it: offsets and sizes of a super-packet,
 * places of a checksum, notes that look like a route.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fixture.h"

static struct fx fx;

#define PAYLOAD 3000
#define BASE_SEQ 0x10203040
#define TCP_CHECK offsetof(struct tcphdr, th_sum)

/* Whoever writes to it is a guest whose packets are forwarded into the tunnel. */
static int guest_open(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	unsigned int offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "guest");
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		test_skip("no tun in this kernel");
	ioctl(fd, TUNSETOFFLOAD, offloads);
	test_shell("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; "
		   "ip addr add 10.50.0.1/24 dev guest; ip addr add fd50::1/64 dev guest nodad; "
		   "ip link set guest up");
	return fd;
}

static uint8_t pattern(unsigned int offset)
{
	return offset * 7 + offset / 251;
}

/* A TCP packet of the guest to the peer, without checksum. Return: octets of its IP header. */
static size_t guest_packet(const struct session *s, bool v6, uint8_t *out, size_t *len)
{
	size_t l4 = v6 ? 40 : 20;
	struct tcphdr *th = (struct tcphdr *)(out + l4);
	unsigned int i;

	memset(out, 0, l4 + sizeof(*th));
	*len = l4 + sizeof(*th) + PAYLOAD;
	if (v6) {
		struct ip6_hdr *ip = (struct ip6_hdr *)out;

		ip->ip6_flow = htonl(6 << 28);
		ip->ip6_plen = htons(*len - l4);
		ip->ip6_nxt = IPPROTO_TCP;
		ip->ip6_hlim = 64;
		inet_pton(AF_INET6, "fd50::2", &ip->ip6_src);
		inet_pton(AF_INET6, s->src6, &ip->ip6_dst);
	} else {
		struct iphdr *ip = (struct iphdr *)out;
		uint32_t sum = 0;

		*ip = (struct iphdr){ .version = 4, .ihl = 5, .tot_len = htons(*len), .ttl = 64,
				      .protocol = IPPROTO_TCP, .saddr = inet_addr("10.50.0.2"),
				      .daddr = inet_addr(s->src4) };
		for (i = 0; i < 10; i++)
			sum += ((uint16_t *)ip)[i];
		sum = (sum & 0xffff) + (sum >> 16);
		ip->check = ~(sum + (sum >> 16));
	}
	th->th_sport = htons(1000);
	th->th_dport = htons(2000);
	th->th_seq = htonl(BASE_SEQ);
	th->th_ack = htonl(0x50607080);
	th->th_off = 5;
	th->th_flags = TH_ACK;
	for (i = 0; i < PAYLOAD; i++)
		out[l4 + sizeof(*th) + i] = pattern(i);
	return l4;
}

/* Each segment that came must be one of the packet: right headers, right octets at its place. */
static unsigned int segments_check(struct session *s, bool v6, const char *what)
{
	size_t hlen = (v6 ? 40 : 20) + sizeof(struct tcphdr);
	static struct peer_datagram d;
	unsigned int octets = 0, i, at;

	while (peer_receive_inner(&s->peer, octets ? 50 : 150, &d)) {
		const struct tcphdr *th = (struct tcphdr *)(d.inner + hlen - sizeof(*th));

		if (!CHECK(d.inner_len > hlen && d.inner[0] >> 4 == (v6 ? 6 : 4) &&
			   th->th_sport == htons(1000) && th->th_dport == htons(2000) &&
			   th->th_ack == htonl(0x50607080), "%s: headers were changed", what))
			return octets;
		at = ntohl(th->th_seq) - BASE_SEQ;
		for (i = 0; i < d.inner_len - hlen; i++)
			if (!CHECK(at < PAYLOAD && d.inner[hlen + i] == pattern(at + i),
				   "%s: octet %u of the segment at %u is another one", what, i, at))
				return octets;
		octets += d.inner_len - hlen;
	}
	return octets;
}

static unsigned int guest_sends(struct session *s, int fd, bool v6, struct virtio_net_hdr h,
				const char *what)
{
	uint8_t buf[sizeof(h) + 40 + sizeof(struct tcphdr) + PAYLOAD];
	size_t len;

	guest_packet(s, v6, buf + sizeof(h), &len);
	memcpy(buf, &h, sizeof(h));
	/* What the kernel itself refuses is no concern of ours. */
	if (write(fd, buf, sizeof(h) + len) < 0)
		return 0;
	return segments_check(s, v6, what);
}

static struct virtio_net_hdr header(bool v6, uint16_t start)
{
	return (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = start + sizeof(struct tcphdr), .gso_size = 1000, .csum_start = start,
		.csum_offset = TCP_CHECK };
}

static void offsets_and_sizes(bool v6)
{
	const uint16_t l4 = v6 ? 40 : 20, offsets[] = { 0, 2, 6, 16, 18, 100, 2000, 65535 };
	struct session s;
	unsigned int start, i;
	char what[64];
	int fd;

	fx = fx_open();
	test_shell("ip link set " DEVICE " mtu 1420");
	s = session_gateway(&fx, 10);
	fd = guest_open();
	CHECK_EQ(guest_sends(&s, fd, v6, header(v6, l4), "honest"), PAYLOAD, "honest octets");
	for (start = 0; start < 80; start += 4) {
		snprintf(what, sizeof(what), "checksum from %u", start);
		guest_sends(&s, fd, v6, header(v6, start), what);
	}
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		struct virtio_net_hdr h = header(v6, l4);

		h.csum_offset = offsets[i];
		snprintf(what, sizeof(what), "checksum at %u", offsets[i]);
		guest_sends(&s, fd, v6, h, what);
	}
	CHECK_EQ(guest_sends(&s, fd, v6, header(v6, l4), "honest"), PAYLOAD, "honest octets");
}

static void offsets_and_sizes4(void)
{
	offsets_and_sizes(false);
}

static void offsets_and_sizes6(void)
{
	offsets_and_sizes(true);
}

/* One packet must not become thousands. */
static void shredded(void)
{
	struct virtio_net_hdr h = header(false, 20);
	uint64_t before;
	struct session s;
	int fd;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	fd = guest_open();
	before = nl_counter(fx.nl, fx.ifindex, "tx_packets");
	h.gso_size = 1;
	guest_sends(&s, fd, false, h, "one octet each");
	/* Some kernels raise the size to the smallest that TCP knows; it is refused in the others. */
	CHECK(nl_counter(fx.nl, fx.ifindex, "tx_packets") - before <= PAYLOAD / 8,
	      "it became %llu packets",
	      (unsigned long long)(nl_counter(fx.nl, fx.ifindex, "tx_packets") - before));
}

/*
 * Segments for which an outer super-packet has no room, but an outer packet has: with the headers
 * of IPv4 it may be 20 octets larger.
 */
static void enormous(void)
{
	enum { SEGMENT = 65430, ALL = 65490 };
	static uint8_t buf[sizeof(struct virtio_net_hdr) + 40 + ALL];
	struct virtio_net_hdr h = header(false, 20);
	uint8_t *packet = buf + sizeof(h);
	struct iphdr *ip = (struct iphdr *)packet;
	static struct peer_datagram d;
	unsigned int octets = 0;
	struct session s;
	size_t len;
	int fd;

	fx = fx_open();
	test_shell("ip link set " DEVICE " mtu 65475");
	s = session_gateway(&fx, 10);
	fd = guest_open();
	guest_packet(&s, false, packet, &len);
	len = sizeof(*ip) + sizeof(struct tcphdr) + ALL;
	ip->tot_len = htons(len);
	ip->check = 0;
	ip->check = test_sum_end(test_sum_add(0, ip, sizeof(*ip)));
	h.gso_size = SEGMENT;
	memcpy(buf, &h, sizeof(h));
	REQUIRE(write(fd, buf, sizeof(h) + len) > 0, "the guest cannot send: %s", strerror(errno));
	while (octets < ALL && peer_receive_inner(&s.peer, PATIENCE_MS, &d))
		octets += d.inner_len - sizeof(*ip) - sizeof(struct tcphdr);
	CHECK_EQ(octets, ALL, "octets that came");
}

/* ---- notes of another tunnel ---- */

static void vxlan_send(const char *from, const char *to, const void *inner, size_t len)
{
	uint8_t buf[8 + 14 + 256] = { 0x08 };
	struct nl_addr src = nl_addr(from, 0), dst = nl_addr(to, 4789);
	struct sockaddr_storage ss;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t ss_len = nl_addr_sockaddr(&src, &ss);

	REQUIRE(!bind(fd, (struct sockaddr *)&ss, ss_len), "cannot bind to %s", from);
	memset(buf + 8, 2, 12);
	buf[20] = 0x08;
	memcpy(buf + 22, inner, len);
	ss_len = nl_addr_sockaddr(&dst, &ss);
	CHECK(sendto(fd, buf, 22 + len, 0, (struct sockaddr *)&ss, ss_len) > 0, "cannot send");
	close(fd);
}

/*
 * A packet that came out of VXLAN carries that tunnel's addresses where a route has its next hop:
 * 2.0.0.2 makes that an IPv4 address, which is the other session's.
 */
static void notes_are_no_route(void)
{
	static struct peer_datagram d;
	struct session s, other;
	uint8_t packet[256];
	struct inner in = { .src = "10.50.0.2", .sport = 1, .dport = 2, .payload = "mine", .len = 4 };

	fx = fx_open();
	s = session_gateway(&fx, 10);
	other = session_gateway(&fx, 11);
	if (system("ip link add vx type vxlan external dstport 4789 2> /dev/null"))
		test_skip("no VXLAN in this kernel");
	test_shell("ip addr add 2.0.0.2/32 dev lo; ip addr add %s/32 dev lo; ip link set vx up; "
		   "tc qdisc add dev vx clsact; "
		   "tc filter add dev vx ingress matchall action mirred egress redirect dev " DEVICE,
		   other.src4);
	in.dst = s.src4;
	vxlan_send("2.0.0.2", other.src4, packet, inner_build(packet, &in));
	CHECK(peer_receive_inner(&s.peer, PATIENCE_MS, &d), "it did not reach its session");
	CHECK(!peer_receive_inner(&other.peer, 20, &d), "it reached another session");
	/* And one that nobody is behind: no answer that follows a wrong route. */
	in.dst = "10.77.77.77";
	vxlan_send("2.0.0.2", other.src4, packet, inner_build(packet, &in));
	CHECK(WAIT_FOR(nl_counter(fx.nl, fx.ifindex, "tx_drop_no_session") == 1), "it is not counted");
}

static const struct test_case cases[] = {
	{ "offsets of a guest's IPv4 super-packets", offsets_and_sizes4 },
	{ "offsets of a guest's IPv6 super-packets", offsets_and_sizes6 },
	{ "a super-packet of tiny segments", shredded },
	{ "a super-packet of enormous segments", enormous },
	{ "notes of another tunnel are no route", notes_are_no_route },
};

TEST_MAIN(cases)
