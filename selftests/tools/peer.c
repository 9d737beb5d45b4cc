// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define MSG_DATA 4
#define INNER_HEARTBEAT 1
#define HEARTBEAT_REPLY 1

/* ---- little endian ---- */

static void put_le(uint8_t *p, uint64_t value, unsigned int octets)
{
	while (octets--) {
		*p++ = value;
		value >>= 8;
	}
}

static uint64_t get_le(const uint8_t *p, unsigned int octets)
{
	uint64_t value = 0;

	while (octets--)
		value = value << 8 | p[octets];
	return value;
}

/* ---- the socket ---- */

static int udp_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, size = 8 << 20;

	REQUIRE(fd >= 0, "cannot make a UDP socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (family == AF_INET)
		setsockopt(fd, SOL_IP, IP_RECVTOS, &one, sizeof(one));
	else
		setsockopt(fd, SOL_IPV6, IPV6_RECVTCLASS, &one, sizeof(one));
	return fd;
}

static struct nl_addr from_sockaddr(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)ss;
	struct nl_addr a = { .family = ss->ss_family };

	if (a.family == AF_INET) {
		a.port = ntohs(in4->sin_port);
		a.v4 = in4->sin_addr;
	} else {
		a.port = ntohs(in6->sin6_port);
		a.v6 = in6->sin6_addr;
	}
	return a;
}

void peer_open(struct peer *p, const struct nl_addr *local, const struct nl_addr *kernel)
{
	struct sockaddr_storage ss;
	socklen_t len = nl_addr_sockaddr(local, &ss);

	REQUIRE(sodium_init() >= 0, "libsodium does not work");
	memset(p, 0, sizeof(*p));
	p->fd = udp_socket(local->family);
	REQUIRE(!bind(p->fd, (struct sockaddr *)&ss, len), "cannot bind %s: %s",
		nl_addr_text(local), strerror(errno));
	getsockname(p->fd, (struct sockaddr *)&ss, &len);
	p->local = from_sockaddr(&ss);
	p->kernel = *kernel;
}

struct peer peer_elsewhere(const struct peer *p, const struct nl_addr *local)
{
	struct peer other;

	peer_open(&other, local, &p->kernel);
	other.epoch = p->epoch;
	other.counter = p->counter;
	return other;
}

void peer_close(struct peer *p)
{
	close(p->fd);
	p->fd = -1;
}

/* ---- sealing ---- */

static void nonce_make(const struct nl_flow *flow, uint64_t counter, uint8_t nonce[JVPN_IV_SIZE])
{
	unsigned int i;

	memcpy(nonce, flow->iv, JVPN_IV_SIZE);
	for (i = 0; i < 8; i++)
		nonce[4 + i] ^= counter >> (8 * i);
}

size_t peer_seal_header(const struct nl_flow *flow, const uint8_t header[PEER_DATA_HDR],
			uint64_t counter, const void *inner, size_t len, uint8_t *out)
{
	uint8_t nonce[JVPN_IV_SIZE];
	unsigned long long sealed;

	memcpy(out, header, PEER_DATA_HDR);
	nonce_make(flow, counter, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt(out + PEER_DATA_HDR, &sealed, inner, len, header,
						  PEER_DATA_HDR, NULL, nonce, flow->key);
	return PEER_DATA_HDR + sealed;
}

size_t peer_seal(const struct nl_flow *flow, uint64_t counter, const void *inner, size_t len,
		 uint8_t *out)
{
	uint8_t header[PEER_DATA_HDR] = { MSG_DATA, 1, 0, 0 };

	put_le(header + 4, flow->index, 4);
	put_le(header + 8, counter, 8);
	return peer_seal_header(flow, header, counter, inner, len, out);
}

bool peer_open_datagram(const struct nl_flow *flow, struct peer_datagram *d)
{
	uint8_t nonce[JVPN_IV_SIZE];
	unsigned long long opened;

	d->data_message = false;
	if (d->len < PEER_OVERHEAD || d->data[0] != MSG_DATA)
		return false;
	d->index = get_le(d->data + 4, 4);
	d->counter = get_le(d->data + 8, 8);
	nonce_make(flow, d->counter, nonce);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(d->inner, &opened, NULL,
						      d->data + PEER_DATA_HDR,
						      d->len - PEER_DATA_HDR, d->data,
						      PEER_DATA_HDR, nonce, flow->key))
		return false;
	d->inner_len = opened;
	d->data_message = d->index == flow->index;
	return d->data_message;
}

/* ---- sending ---- */

static void send_message(struct peer *p, const void *data, size_t len, int level, int type,
			 const void *option, size_t option_len)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct sockaddr_storage to;
	struct msghdr msg = {
		.msg_name = &to,
		.msg_namelen = nl_addr_sockaddr(&p->kernel, &to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	if (option) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(option_len);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = level;
		c->cmsg_type = type;
		c->cmsg_len = CMSG_LEN(option_len);
		memcpy(CMSG_DATA(c), option, option_len);
	}
	/* An ICMP error for an earlier packet ends the first attempt. */
	if (sendmsg(p->fd, &msg, 0) < 0 && sendmsg(p->fd, &msg, 0) < 0)
		FAIL("cannot send %zu octets to %s: %s", len, nl_addr_text(&p->kernel),
		     strerror(errno));
}

void peer_send_raw(struct peer *p, const void *datagram, size_t len)
{
	send_message(p, datagram, len, 0, 0, NULL, 0);
}

void peer_send_raw_tos(struct peer *p, const void *datagram, size_t len, int tos)
{
	if (p->local.family == AF_INET)
		send_message(p, datagram, len, SOL_IP, IP_TOS, &tos, sizeof(tos));
	else
		send_message(p, datagram, len, SOL_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}

void peer_send_batch(struct peer *p, const void *datagrams, size_t len, uint16_t segment)
{
	send_message(p, datagrams, len, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
}

void peer_send_at(struct peer *p, uint64_t counter, const void *inner, size_t len)
{
	static uint8_t datagram[PEER_DATAGRAM_MAX];

	peer_send_raw(p, datagram, peer_seal(&p->epoch.rx, counter, inner, len, datagram));
}

uint64_t peer_send(struct peer *p, const void *inner, size_t len)
{
	peer_send_at(p, p->counter, inner, len);
	return p->counter++;
}

/* ---- receiving ---- */

bool peer_receive_raw(struct peer *p, unsigned int timeout_ms, struct peer_datagram *d)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	struct iovec iov = { .iov_base = d->data, .iov_len = sizeof(d->data) };
	uint64_t end = test_now() + timeout_ms;
	char control[CMSG_SPACE(sizeof(int))];
	struct sockaddr_storage from;
	struct cmsghdr *c;
	ssize_t got;

	do {
		struct msghdr msg = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		uint64_t now = test_now();

		if (poll(&pfd, 1, end > now ? end - now : 0) <= 0)
			return false;
		got = recvmsg(p->fd, &msg, MSG_DONTWAIT);
		if (got < 0)
			continue;
		d->tos = 0;
		c = CMSG_FIRSTHDR(&msg);
		if (c)
			d->tos = *CMSG_DATA(c);
		d->from = from_sockaddr(&from);
		d->len = got;
		d->data_message = false;
		d->inner_len = 0;
		return true;
	} while (test_now() < end);
	return false;
}

static bool receive_any(struct peer *p, unsigned int timeout_ms, struct peer_datagram *d)
{
	if (!peer_receive_raw(p, timeout_ms, d))
		return false;
	if (d->len && d->data[0] == MSG_DATA)
		CHECK(peer_open_datagram(&p->epoch.tx, d),
		      "the module sent DATA of %zu octets that does not open under epoch %u",
		      d->len, p->epoch.number);
	return true;
}

/* A heartbeat that asks whether its size passes, or what goes with it. */
static bool asks_for_size(struct peer *p, const struct peer_datagram *d)
{
	struct peer_heartbeat h;

	if (!peer_heartbeat_read(d, &h) || h.reply)
		return false;
	if (d->inner_len > PEER_HEARTBEAT_CLIENT_SIZE)
		p->size_ts = h.ts;
	return p->size_ts && (h.ts == p->size_ts || h.ts == p->size_ts + 1);
}

bool peer_receive(struct peer *p, unsigned int timeout_ms, struct peer_datagram *d)
{
	uint64_t end = test_now() + timeout_ms, now;
	struct peer_heartbeat h;

	do {
		now = test_now();
		if (!receive_any(p, end > now ? end - now : 0, d))
			return false;
		if (p->shows_sizes || !asks_for_size(p, d))
			return true;
		peer_heartbeat_read(d, &h);
		peer_heartbeat_echo_size(p, &h, d->inner_len);
	} while (true);
}

bool peer_receive_inner(struct peer *p, unsigned int timeout_ms, struct peer_datagram *d)
{
	uint64_t end = test_now() + timeout_ms, now;

	do {
		now = test_now();
		if (!peer_receive(p, end > now ? end - now : 0, d))
			return false;
	} while (!d->data_message || !d->inner_len || d->inner[0] < 0x10);
	return true;
}

void peer_flush(struct peer *p)
{
	static struct peer_datagram d;

	while (peer_receive_raw(p, 0, &d))
		;
}

/* ---- heartbeats: type, flags, 0(2), seq 4, ts 8, echo 8, version 8 ---- */

size_t peer_heartbeat_build(uint8_t *out, const struct peer_heartbeat *h)
{
	memset(out, 0, PEER_HEARTBEAT_CLIENT_SIZE);
	out[0] = INNER_HEARTBEAT;
	out[1] = h->reply ? HEARTBEAT_REPLY : 0;
	put_le(out + 4, h->seq, 4);
	put_le(out + 8, h->ts, 8);
	put_le(out + 16, h->echo_ts, 8);
	put_le(out + 24, h->version, 8);
	return h->reply ? PEER_HEARTBEAT_SIZE : PEER_HEARTBEAT_CLIENT_SIZE;
}

bool peer_heartbeat_read(const struct peer_datagram *d, struct peer_heartbeat *h)
{
	const uint8_t *p = d->inner;

	if (!d->data_message || d->inner_len < PEER_HEARTBEAT_SIZE || p[0] != INNER_HEARTBEAT)
		return false;
	h->reply = p[1] & HEARTBEAT_REPLY;
	h->seq = get_le(p + 4, 4);
	h->ts = get_le(p + 8, 8);
	h->echo_ts = get_le(p + 16, 8);
	h->version = get_le(p + 24, 8);
	return true;
}

void peer_heartbeat_echo(struct peer *p, const struct peer_heartbeat *h)
{
	peer_heartbeat_echo_size(p, h, 0);
}

void peer_heartbeat_echo_size(struct peer *p, const struct peer_heartbeat *h, size_t size)
{
	static uint8_t text[PEER_DATAGRAM_MAX];
	struct peer_heartbeat reply = {
		.reply = true,
		.seq = h->seq,
		.ts = test_now() * 1000000,
		.echo_ts = h->ts,
		.version = h->version,
	};
	size_t len;

	memset(text, 0, sizeof(text));
	len = peer_heartbeat_build(text, &reply);
	peer_send(p, text, size > len ? size : len);
}

/* ---- inner packets ---- */

static void udp_build(uint8_t *out, const struct inner *in, uint32_t pseudo)
{
	struct udphdr *uh = (struct udphdr *)out;
	uint16_t len = sizeof(*uh) + in->len;

	uh->uh_sport = htons(in->sport);
	uh->uh_dport = htons(in->dport);
	uh->uh_ulen = htons(len);
	uh->uh_sum = 0;
	memcpy(uh + 1, in->payload, in->len);
	uh->uh_sum = test_sum_end(test_sum_add(pseudo + IPPROTO_UDP + len, out, len));
	if (!uh->uh_sum)
		uh->uh_sum = 0xffff;
}

static size_t inner_build4(uint8_t *out, const struct inner *in)
{
	struct iphdr *ip = (struct iphdr *)out;

	memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->tos = in->tos;
	ip->tot_len = htons(sizeof(*ip) + 8 + in->len);
	ip->frag_off = in->df ? htons(IP_DF) : 0;
	ip->ttl = 64;
	ip->protocol = IPPROTO_UDP;
	ip->saddr = nl_addr(in->src, 0).v4.s_addr;
	ip->daddr = nl_addr(in->dst, 0).v4.s_addr;
	ip->check = test_sum_end(test_sum_add(0, ip, sizeof(*ip)));
	udp_build(out + sizeof(*ip), in, test_sum_add(0, &ip->saddr, 8));
	return sizeof(*ip) + 8 + in->len;
}

static size_t inner_build6(uint8_t *out, const struct inner *in)
{
	struct ip6_hdr *ip = (struct ip6_hdr *)out;

	memset(ip, 0, sizeof(*ip));
	ip->ip6_flow = htonl(6u << 28 | (uint32_t)in->tos << 20);
	ip->ip6_plen = htons(8 + in->len);
	ip->ip6_nxt = IPPROTO_UDP;
	ip->ip6_hlim = 64;
	ip->ip6_src = nl_addr(in->src, 0).v6;
	ip->ip6_dst = nl_addr(in->dst, 0).v6;
	udp_build(out + sizeof(*ip), in, test_sum_add(0, &ip->ip6_src, 32));
	return sizeof(*ip) + 8 + in->len;
}

size_t inner_build(uint8_t *out, const struct inner *in)
{
	return strchr(in->dst, ':') ? inner_build6(out, in) : inner_build4(out, in);
}

int sink_open(int family, uint16_t port)
{
	struct sockaddr_storage ss;
	struct nl_addr any = nl_addr(family == AF_INET ? "0.0.0.0" : "::", port);
	int fd = udp_socket(family);
	int one = 1;

	if (family == AF_INET6)
		setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	REQUIRE(!bind(fd, (struct sockaddr *)&ss, nl_addr_sockaddr(&any, &ss)),
		"cannot bind port %u: %s", port, strerror(errno));
	return fd;
}

int sink_receive(int fd, unsigned int timeout_ms, void *buf, size_t size, uint8_t *tos)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t got;

	if (poll(&pfd, 1, timeout_ms) <= 0)
		return -1;
	got = recvmsg(fd, &msg, MSG_DONTWAIT);
	c = got < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	if (tos)
		*tos = c ? *CMSG_DATA(c) : 0;
	return got;
}

bool sink_expect(int fd, const char *text)
{
	char buf[2048] = "";
	int got = sink_receive(fd, PATIENCE_MS, buf, sizeof(buf) - 1, NULL);

	if (got >= 0)
		buf[got] = '\0';
	return CHECK(got >= 0, "\"%s\" was not delivered", text) &&
	       CHECK(!strcmp(buf, text), "\"%s\" was delivered, not \"%s\"", buf, text);
}

void sink_send(int fd, const char *dst, uint16_t port, const void *payload, size_t len)
{
	struct nl_addr to = nl_addr(dst, port);
	struct sockaddr_storage ss;
	socklen_t ss_len = nl_addr_sockaddr(&to, &ss);

	if (sendto(fd, payload, len, 0, (struct sockaddr *)&ss, ss_len) < 0 &&
	    sendto(fd, payload, len, 0, (struct sockaddr *)&ss, ss_len) < 0)
		FAIL("cannot send %zu octets to %s: %s", len, dst, strerror(errno));
}
