// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that owners of packets that are no IP sockets are left in peace: no outer packet and none
 * that waits belongs to a packet socket, and its ring has each frame back when nothing reads it any
 * more, whether its packet leaves at once, has to wait, or is forgotten.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define FRAMES 32
#define FRAME_SIZE 2048
/* Where a frame's packet begins: behind the header, aligned as the kernel says. */
#define FRAME_DATA TPACKET2_HDRLEN

static struct fx fx;
static struct session s;

/**
 * struct ring - a packet socket that sends from shared memory
 * @fd: it
 * @frames: the memory
 * @linear: each packet begins with a description that has the kernel copy all of it
 */
struct ring {
	int fd;
	uint8_t *frames;
	bool linear;
};

static struct ring ring_open(bool linear)
{
	struct tpacket_req req = {
		.tp_block_size = FRAMES * FRAME_SIZE,
		.tp_block_nr = 1,
		.tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = FRAMES,
	};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = fx.ifindex,
	};
	struct ring r = { .linear = linear };
	int version = TPACKET_V2, on = 1;

	r.fd = socket(AF_PACKET, SOCK_RAW, 0);
	REQUIRE(r.fd >= 0, "no packet socket");
	REQUIRE(!setsockopt(r.fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) &&
		(!linear || !setsockopt(r.fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on))) &&
		!setsockopt(r.fd, SOL_PACKET, PACKET_TX_RING, &req, sizeof(req)), "no ring");
	r.frames = mmap(NULL, req.tp_block_size, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, 0);
	REQUIRE(r.frames != MAP_FAILED, "the ring cannot be mapped");
	REQUIRE(!bind(r.fd, (struct sockaddr *)&to, sizeof(to)), "cannot bind to the device");
	return r;
}

static volatile struct tpacket2_hdr *ring_header(const struct ring *r, unsigned int i)
{
	return (volatile struct tpacket2_hdr *)(r->frames + i * FRAME_SIZE);
}

static uint8_t *ring_data(const struct ring *r, unsigned int i)
{
	return r->frames + i * FRAME_SIZE + FRAME_DATA - sizeof(struct sockaddr_ll);
}

/* Write a packet with @text into frame @i, to be sent. */
static void ring_fill(const struct ring *r, unsigned int i, const char *text)
{
	struct inner in = { .src = "10.0.0.1", .dst = s.src4, .sport = INNER_PORT,
			    .dport = PEER_PORT, .payload = text, .len = strlen(text) };
	volatile struct tpacket2_hdr *h = ring_header(r, i);
	struct virtio_net_hdr said = {};
	uint8_t *data = ring_data(r, i);
	size_t before = r->linear ? sizeof(said) : 0, len;

	len = inner_build(data + before, &in);
	said.hdr_len = len;
	memcpy(data, &said, before);
	h->tp_len = before + len;
	__atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
}

static unsigned int ring_back(const struct ring *r)
{
	unsigned int i, back = 0;

	for (i = 0; i < FRAMES; i++)
		back += ring_header(r, i)->tp_status == TP_STATUS_AVAILABLE;
	return back;
}

static void ring_send(const struct ring *r, const char *what)
{
	unsigned int i;
	char text[64];

	for (i = 0; i < FRAMES; i++) {
		snprintf(text, sizeof(text), "%s %u", what, i);
		ring_fill(r, i, text);
	}
	REQUIRE(send(r->fd, NULL, 0, MSG_DONTWAIT) > 0, "the ring is not sent");
}

static void ring_expect_back(const struct ring *r, const char *what)
{
	CHECK(WAIT_FOR(ring_back(r) == FRAMES), "%s: %u of %u frames came back", what,
	      ring_back(r), FRAMES);
}

/* What is in the frames from now on is nobody's business. */
static void ring_spoil(const struct ring *r)
{
	unsigned int i;

	for (i = 0; i < FRAMES; i++)
		memset(ring_data(r, i), 0xff, FRAME_SIZE - FRAME_DATA);
}

static void expect_heard(const char *what)
{
	unsigned int i;
	char text[64];

	for (i = 0; i < FRAMES; i++) {
		snprintf(text, sizeof(text), "%s %u", what, i);
		if (!session_hears(&s, text))
			return;
	}
}

static void begin(void)
{
	fx = fx_open();
	s = session_gateway(&fx, 10);
}

static void leaves_at_once(bool linear)
{
	struct ring r;
	unsigned int round;
	char what[32];

	begin();
	r = ring_open(linear);
	for (round = 0; round < 8; round++) {
		snprintf(what, sizeof(what), "round %u", round);
		ring_send(&r, what);
		ring_expect_back(&r, what);
		expect_heard(what);
	}
}

static void pages_leave(void)
{
	leaves_at_once(false);
}

static void linear_leaves(void)
{
	leaves_at_once(true);
}

/* The outer packets wait in a queue of the underlay: by then they answer for none of it. */
static void queued(bool linear)
{
	struct ring r;

	begin();
	r = ring_open(linear);
	test_shell("tc qdisc add dev lo root tbf rate 8bit burst 2000 limit 1000000");
	ring_send(&r, "queued");
	ring_expect_back(&r, "while the underlay is slow");
}

static void pages_queued(void)
{
	queued(false);
}

static void linear_queued(void)
{
	queued(true);
}

static void lose_binding(void)
{
	REQUIRE(!session_transition(&s, session_view(&s).version, JVPN_EVENT_TRANSPORT_DEAD,
				    JVPN_REASON_LINK_DOWN, NULL), "cannot lose the binding");
}

static void waits(bool linear)
{
	struct nl_epoch e = nl_epoch(1);
	struct ring r;

	begin();
	r = ring_open(linear);
	lose_binding();
	ring_send(&r, "waiting");
	CHECK_EQ(session_view(&s).stats[JVPN_A_STATS_HELD_PACKETS], FRAMES, "packets held");
	ring_expect_back(&r, "while they wait");
	ring_spoil(&r);
	/* Nothing of what waits is the ring's: it may end. */
	munmap(r.frames, FRAMES * FRAME_SIZE);
	close(r.fd);
	session_jump(&s, &s.peer, &e);
	expect_heard("waiting");
}

static void pages_wait(void)
{
	waits(false);
}

static void linear_waits(void)
{
	waits(true);
}

static void forgotten(void)
{
	struct ring r;

	begin();
	r = ring_open(false);
	lose_binding();
	ring_send(&r, "forgotten");
	REQUIRE(!session_transition(&s, session_view(&s).version, JVPN_EVENT_TERMINATE,
				    JVPN_REASON_OPERATOR, NULL), "cannot end the session");
	CHECK_EQ(session_view(&s).stats[JVPN_A_STATS_HELD_PACKETS], 0, "packets held");
	ring_expect_back(&r, "with the session");
}

/* ---- without a ring: the socket answers for its packets until they are handed back ---- */

static int plain_open(void)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = fx.ifindex,
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	REQUIRE(fd >= 0 && !bind(fd, (struct sockaddr *)&to, sizeof(to)), "no packet socket");
	return fd;
}

/* Of @len octets of payload: small ones are sealed where they are, large ones copied. */
static void plain_send(int fd, size_t len)
{
	static const char payload[16384];
	struct inner in = { .src = "10.0.0.1", .dst = s.src4, .sport = INNER_PORT,
			    .dport = PEER_PORT, .payload = payload, .len = len };
	uint8_t packet[sizeof(payload) + 64];
	unsigned int i;

	for (i = 0; i < 8; i++)
		REQUIRE(send(fd, packet, inner_build(packet, &in), 0) > 0, "cannot send");
}

static unsigned int plain_charged(int fd)
{
	int charged = -1;

	REQUIRE(!ioctl(fd, SIOCOUTQ, &charged), "the socket does not tell what it is charged");
	return charged;
}

static void plain_queued(void)
{
	int fd;

	begin();
	fd = plain_open();
	test_shell("ip link set " DEVICE " mtu 16000");
	test_shell("tc qdisc add dev lo root tbf rate 8bit burst 65536 limit 1000000");
	/* Large ones use the burst up, so that what follows stays in the queue. */
	plain_send(fd, 12000);
	plain_send(fd, 12000);
	CHECK_EQ(plain_charged(fd), 0, "memory charged for copies");
	plain_send(fd, 100);
	CHECK_EQ(plain_charged(fd), 0, "memory charged for outer packets");
}

static void plain_waits(void)
{
	int fd;

	begin();
	fd = plain_open();
	lose_binding();
	plain_send(fd, 100);
	CHECK_EQ(session_view(&s).stats[JVPN_A_STATS_HELD_PACKETS], 8, "packets held");
	CHECK_EQ(plain_charged(fd), 0, "memory charged for packets that wait");
}

/* A server has one socket for all its peers, and the stack one for the ICMP of all namespaces. */
static void udp_waits(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PEER_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned int i;

	begin();
	lose_binding();
	REQUIRE(fd >= 0 && inet_pton(AF_INET, s.src4, &to.sin_addr) == 1, "no socket");
	for (i = 0; i < 8; i++)
		REQUIRE(sendto(fd, "waits", 5, 0, (struct sockaddr *)&to, sizeof(to)) == 5,
			"cannot send");
	CHECK_EQ(session_view(&s).stats[JVPN_A_STATS_HELD_PACKETS], 8, "packets held");
	CHECK_EQ(plain_charged(fd), 0, "memory charged for packets that wait");
}

static const struct test_case cases[] = {
	{ "a ring has its frames back when they have left", pages_leave },
	{ "a ring has frames back that are sealed where they are", linear_leaves },
	{ "a ring has its frames back while outer packets are queued", pages_queued },
	{ "likewise those that are sealed where they are", linear_queued },
	{ "packets of a ring wait without its memory", pages_wait },
	{ "packets of a ring that are copied whole wait without it", linear_waits },
	{ "a ring has its frames back when a session ends", forgotten },
	{ "no outer packet belongs to a packet socket", plain_queued },
	{ "no packet that waits belongs to a packet socket", plain_waits },
	{ "nor to an IP socket", udp_waits },
};

TEST_MAIN(cases)
