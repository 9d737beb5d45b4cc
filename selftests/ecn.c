// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that congestion marks cross the tunnel as RFC 6040 says, for IPv4 and
 * IPv6 inside and outside, and that nothing else of the inner DS field shows.
 */
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

enum { NOT_ECT, ECT1, ECT0, CE };

#define DROP (-1)

static const char * const names[] = { "Not-ECT", "ECT(1)", "ECT(0)", "CE" };

/* RFC 6040, figure 4: inner by row, outer by column. */
static const int decapsulated[4][4] = {
	[NOT_ECT] = { [NOT_ECT] = NOT_ECT, [ECT1] = NOT_ECT, [ECT0] = NOT_ECT, [CE] = DROP },
	[ECT1] = { [NOT_ECT] = ECT1, [ECT1] = ECT1, [ECT0] = ECT1, [CE] = CE },
	[ECT0] = { [NOT_ECT] = ECT0, [ECT1] = ECT1, [ECT0] = ECT0, [CE] = CE },
	[CE] = { [NOT_ECT] = CE, [ECT1] = CE, [ECT0] = CE, [CE] = CE },
};

static struct fx fx;

static size_t packet(const struct session *s, bool v6, uint8_t tos, uint8_t *out)
{
	struct inner in = { .src = v6 ? s->src6 : s->src4, .dst = v6 ? "fd00::1" : "10.0.0.1",
			    .sport = PEER_PORT, .dport = INNER_PORT, .tos = tos, .payload = "ecn",
			    .len = 3 };

	return inner_build(out, &in);
}

static void receive_one(struct session *s, bool inner6, int inner_ecn, int outer_ecn)
{
	const int want = decapsulated[inner_ecn][outer_ecn];
	/* A DSCP inside, to see that it stays, and another outside, to see that it does not. */
	const uint8_t inner_tos = 0x28 << 2 | inner_ecn, outer_tos = 0x0a << 2 | outer_ecn;
	struct nl_counters before = fx_counters(&fx);
	uint8_t inner[256], datagram[512], buf[16], tos;
	size_t len;
	int got;

	len = packet(s, inner6, inner_tos, inner);
	len = peer_seal(&s->peer.epoch.rx, s->peer.counter++, inner, len, datagram);
	peer_send_raw_tos(&s->peer, datagram, len, outer_tos);
	if (want == DROP) {
		CHECK(fx_expect_drops(&fx, &before, "rx_drop_ecn", 1), "%s in %s",
		      names[inner_ecn], names[outer_ecn]);
		return;
	}
	got = sink_receive(inner6 ? fx.sink6 : fx.sink4, PATIENCE_MS, buf, sizeof(buf), &tos);
	if (!CHECK(got == 3, "%s in %s was not delivered", names[inner_ecn], names[outer_ecn]))
		return;
	CHECK((tos & 3) == want, "%s in %s becomes %s, not %s", names[inner_ecn],
	      names[outer_ecn], names[tos & 3], names[want]);
	CHECK(tos >> 2 == 0x28, "the inner DSCP becomes %#x", tos >> 2);
}

static void receive_all(bool outer6, bool inner6)
{
	struct session s;
	int inner, outer;

	fx = fx_open();
	s = outer6 ? session_describe6(&fx, JVPN_ROLE_GATEWAY, 10) :
		     session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	session_attach(&s);
	for (inner = 0; inner < 4; inner++)
		for (outer = 0; outer < 4; outer++)
			receive_one(&s, inner6, inner, outer);
}

static void receive_4in4(void)
{
	receive_all(false, false);
}

static void receive_6in4(void)
{
	receive_all(false, true);
}

static void receive_4in6(void)
{
	receive_all(true, false);
}

static void receive_6in6(void)
{
	receive_all(true, true);
}

/* RFC 6040, normal mode: the outer header has the inner mark, and no DSCP. */
static void send_all(bool outer6, bool inner6)
{
	static struct peer_datagram d;
	struct session s;
	int ecn, tos, fd;

	fx = fx_open();
	s = outer6 ? session_describe6(&fx, JVPN_ROLE_GATEWAY, 10) :
		     session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	session_attach(&s);
	fd = inner6 ? fx.sink6 : fx.sink4;
	for (ecn = 0; ecn < 4; ecn++) {
		tos = 0x28 << 2 | ecn;
		if (inner6)
			setsockopt(fd, SOL_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
		else
			setsockopt(fd, SOL_IP, IP_TOS, &tos, sizeof(tos));
		sink_send(fd, inner6 ? s.src6 : s.src4, PEER_PORT, "ecn", 3);
		REQUIRE(peer_receive_inner(&s.peer, PATIENCE_MS, &d), "%s did not leave",
			names[ecn]);
		CHECK((d.tos & 3) == ecn, "%s inside is %s outside", names[ecn], names[d.tos & 3]);
		CHECK(!(d.tos >> 2), "the DSCP %#x shows outside", d.tos >> 2);
		if (inner6)
			CHECK((d.inner[0] & 0xf) == tos >> 4 && d.inner[1] >> 4 == (tos & 0xf),
			      "the inner traffic class was changed");
		else
			CHECK(d.inner[1] == tos, "the inner DS field was changed");
	}
}

static void send_4in4(void)
{
	send_all(false, false);
}

static void send_6in4(void)
{
	send_all(false, true);
}

static void send_4in6(void)
{
	send_all(true, false);
}

static void send_6in6(void)
{
	send_all(true, true);
}

static const struct test_case cases[] = {
	{ "received marks, IPv4 in IPv4", receive_4in4 },
	{ "received marks, IPv6 in IPv4", receive_6in4 },
	{ "received marks, IPv4 in IPv6", receive_4in6 },
	{ "received marks, IPv6 in IPv6", receive_6in6 },
	{ "sent marks, IPv4 in IPv4", send_4in4 },
	{ "sent marks, IPv6 in IPv4", send_6in4 },
	{ "sent marks, IPv4 in IPv6", send_4in6 },
	{ "sent marks, IPv6 in IPv6", send_6in6 },
};

TEST_MAIN(cases)
