// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that nothing passes the cipher but what its peer has sealed: every
 * octet of a packet counts, and so does its length; malformed packets are
 * counted by their cause.
 */
#include <stdio.h>
#include <string.h>

#include "fixture.h"

static struct fx fx;
static struct session s;

static void begin(void)
{
	fx = fx_open();
	s = session_gateway(&fx, 10);
}

static size_t sealed(uint64_t counter, uint8_t *datagram)
{
	uint8_t inner[256];

	return peer_seal(&s.peer.epoch.rx, counter, inner, session_text(&s, inner, "sealed"),
			 datagram);
}

static void expect_dropped(const uint8_t *datagram, size_t len, const char *cause, const char *what)
{
	struct nl_counters before = fx_counters(&fx);
	uint8_t buf[64];

	peer_send_raw(&s.peer, datagram, len);
	CHECK(fx_expect_drops(&fx, &before, cause, 1), "%s", what);
	CHECK(sink_receive(fx.sink4, 0, buf, sizeof(buf), NULL) < 0, "%s was delivered", what);
}

/* The cause that a changed octet at @at must be counted by. */
static const char *cause_of(size_t at)
{
	if (at < 4)
		return "rx_drop_type";
	if (at < 8)
		return "rx_drop_index";
	return "rx_drop_auth";
}

static void every_octet(void)
{
	uint8_t datagram[256];
	char what[64];
	size_t len, at;

	begin();
	len = sealed(5, datagram);
	for (at = 0; at < len; at++) {
		datagram[at] ^= 1 << at % 8;
		snprintf(what, sizeof(what), "octet %zu changed", at);
		expect_dropped(datagram, len, cause_of(at), what);
		datagram[at] ^= 1 << at % 8;
	}
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	peer_send_raw(&s.peer, datagram, len);
	sink_expect(fx.sink4, "sealed");
}

static void every_length(void)
{
	uint8_t datagram[512] = {};
	char what[64];
	size_t len, cut;

	begin();
	len = sealed(5, datagram);
	for (cut = 1; cut < len; cut++) {
		snprintf(what, sizeof(what), "%zu of %zu octets", cut, len);
		/* A single octet that says DATA is a runt, as is everything below header and tag. */
		expect_dropped(datagram, cut, cut < PEER_OVERHEAD ? "rx_drop_runt" : "rx_drop_auth",
			       what);
	}
	for (cut = len + 1; cut <= len + 32; cut++) {
		snprintf(what, sizeof(what), "%zu octets instead of %zu", cut, len);
		expect_dropped(datagram, cut, "rx_drop_auth", what);
	}
	peer_send_raw(&s.peer, datagram, len);
	sink_expect(fx.sink4, "sealed");
}

static void empty_datagram(void)
{
	begin();
	expect_dropped((uint8_t *)"", 0, "rx_drop_runt", "an empty datagram");
	session_works(&s, "after it");
}

/* The header is authenticated: with a key that fits a counter cannot be moved. */
static void moved_counter(void)
{
	uint8_t datagram[256], other[256];
	size_t len;

	begin();
	len = sealed(5, datagram);
	sealed(6, other);
	memcpy(datagram + 8, other + 8, 8);
	expect_dropped(datagram, len, "rx_drop_auth", "the counter of another packet");
}

/* Reserved octets that were sealed by the peer itself are refused all the same. */
static void reserved_octets(void)
{
	uint8_t header[PEER_DATA_HDR] = { 4, 1, 0, 0 }, datagram[256], inner[256];
	size_t inner_len, len;
	unsigned int at;

	begin();
	inner_len = session_text(&s, inner, "reserved");
	memcpy(header + 4, &s.peer.epoch.rx.index, 4);
	header[8] = 9;
	for (at = 1; at < 4; at++) {
		header[at] ^= 2;
		len = peer_seal_header(&s.peer.epoch.rx, header, 9, inner, inner_len, datagram);
		expect_dropped(datagram, len, "rx_drop_type", "a header octet of the future");
		header[at] ^= 2;
	}
	len = peer_seal_header(&s.peer.epoch.rx, header, 9, inner, inner_len, datagram);
	peer_send_raw(&s.peer, datagram, len);
	sink_expect(fx.sink4, "reserved");
}

/* Both directions have keys of their own: what the device sent does not come back in. */
static void reflected(void)
{
	static struct peer_datagram d;
	struct nl_flow flow;
	uint8_t datagram[256], inner[256];
	size_t len;

	begin();
	session_send(&s, "to the peer");
	REQUIRE(peer_receive_inner(&s.peer, PATIENCE_MS, &d), "nothing was sent");
	expect_dropped(d.data, d.len, "rx_drop_index", "a reflected packet");
	/* with the index of the other direction */
	memcpy(d.data + 4, &s.peer.epoch.rx.index, 4);
	expect_dropped(d.data, d.len, "rx_drop_auth", "a reflected packet with our index");
	flow = s.peer.epoch.tx;
	flow.index = s.peer.epoch.rx.index;
	len = peer_seal(&flow, 7, inner, session_text(&s, inner, "reflected"), datagram);
	expect_dropped(datagram, len, "rx_drop_auth", "sealed with the key of the other direction");
}

static void other_key(void)
{
	struct session other;
	uint8_t datagram[256], inner[256];
	struct nl_flow flow;
	size_t len;

	begin();
	other = session_gateway(&fx, 11);
	flow = other.peer.epoch.rx;
	flow.index = s.peer.epoch.rx.index;
	len = peer_seal(&flow, 7, inner, session_text(&s, inner, "other key"), datagram);
	expect_dropped(datagram, len, "rx_drop_auth", "sealed with the key of another session");
	/* The right key with another IV is another nonce. */
	flow = s.peer.epoch.rx;
	flow.iv[0] ^= 1;
	len = peer_seal(&flow, 7, inner, session_text(&s, inner, "other nonce"), datagram);
	expect_dropped(datagram, len, "rx_drop_auth", "sealed with another IV");
	flow.iv[0] ^= 1;
	flow.iv[11] ^= 0x80;
	len = peer_seal(&flow, 7, inner, session_text(&s, inner, "other nonce"), datagram);
	expect_dropped(datagram, len, "rx_drop_auth", "sealed with another IV");
	session_works(&s, "unharmed");
}

static void unknown_index(void)
{
	struct nl_flow flow;
	uint8_t datagram[256], inner[256];
	size_t len;

	begin();
	flow = s.peer.epoch.rx;
	flow.index = 0;
	len = peer_seal(&flow, 7, inner, session_text(&s, inner, "index 0"), datagram);
	expect_dropped(datagram, len, "rx_drop_index", "index 0");
	flow.index = s.peer.epoch.rx.index ^ 0x80000000;
	len = peer_seal(&flow, 7, inner, session_text(&s, inner, "unknown"), datagram);
	expect_dropped(datagram, len, "rx_drop_index", "an unknown index");
}

static void unknown_types(void)
{
	uint8_t datagram[512] = {};
	unsigned int type;
	char what[64];

	begin();
	datagram[1] = 1;
	for (type = 0; type < 256; type++) {
		if (type == 4)
			continue;
		datagram[0] = type;
		snprintf(what, sizeof(what), "type %u, 100 octets", type);
		expect_dropped(datagram, 100, "rx_drop_type", what);
	}
}

/* Largest datagrams that IPv4 can carry. */
static void oversized(void)
{
	static uint8_t inner[65536], datagram[65536];
	struct nl_counters before;
	size_t len;

	begin();
	inner[0] = 0x45;
	before = fx_counters(&fx);
	len = peer_seal(&s.peer.epoch.rx, 9, inner, 65507 - PEER_OVERHEAD, datagram);
	peer_send_raw(&s.peer, datagram, len);
	/* Authentic, but its inner length says nothing of the kind. */
	fx_expect_drops(&fx, &before, "rx_drop_inner", 1);
	before = fx_counters(&fx);
	datagram[60000] ^= 1;
	peer_send_raw(&s.peer, datagram, len);
	fx_expect_drops(&fx, &before, "rx_drop_auth", 1);
	session_works(&s, "unharmed");
}

/* Large inner packets pass as they are. */
static void large(void)
{
	static char payload[65536], buf[65536];
	static uint8_t inner[65536];
	struct inner in = { .src = "10.0.0.10", .dst = "10.0.0.1", .sport = PEER_PORT,
			    .dport = INNER_PORT, .payload = payload };
	unsigned int sizes[] = { 0, 1, 1371, 1372, 1373, 4095, 4096, 9000, 20000, 40000, 65000 };
	unsigned int i;
	int got;

	begin();
	test_random(payload, sizeof(payload));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		in.len = sizes[i];
		peer_send(&s.peer, inner, inner_build(inner, &in));
		got = sink_receive(fx.sink4, PATIENCE_MS, buf, sizeof(buf), NULL);
		CHECK(got == (int)sizes[i] && !memcmp(buf, payload, sizes[i]),
		      "%u octets: %d were delivered", sizes[i], got);
	}
}

static const struct test_case cases[] = {
	{ "every octet of a packet counts", every_octet },
	{ "every length but the right one is refused", every_length },
	{ "an empty datagram is a runt", empty_datagram },
	{ "a counter cannot be moved to another packet", moved_counter },
	{ "reserved octets must be zero", reserved_octets },
	{ "what the device sent does not come back in", reflected },
	{ "keys of another session or nonce do not open", other_key },
	{ "an unknown index is counted as such", unknown_index },
	{ "an unknown type is counted as such", unknown_types },
	{ "the largest datagrams are refused properly", oversized },
	{ "large inner packets pass", large },
};

TEST_MAIN(cases)
