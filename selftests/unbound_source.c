// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that only packets from the bound transport are delivered, that others
 * spend nothing (no counter, no state), and that the daemon is told of an
 * authentic one, at a bounded rate.
 */
#include <stdio.h>
#include <string.h>

#include "fixture.h"

/* Octets of a CHALLENGE: what the daemon may answer must have been received first. */
#define CHALLENGE_SIZE 220

static struct nl *listen_security(void)
{
	struct nl *nl = nl_open();

	REQUIRE(nl_listen(nl, "security"), "the kernel forbids to listen");
	return nl;
}

static struct peer elsewhere(const struct session *s, const char *ip, uint16_t port)
{
	struct nl_addr a = nl_addr(ip, port);

	return peer_elsewhere(&s->peer, &a);
}

/* An inner packet of @len octets. */
static size_t packet(const struct session *s, uint8_t *out, const char *text, size_t len)
{
	char payload[2048] = "";
	struct inner in = { .src = s->src4, .dst = "10.0.0.1", .sport = PEER_PORT,
			    .dport = INNER_PORT, .payload = payload, .len = len - 28 };

	snprintf(payload, sizeof(payload), "%s", text);
	return inner_build(out, &in);
}

static void expect_event(struct nl *nl, const struct session *s, const struct peer *from,
			 uint64_t counter, enum jvpn_state state)
{
	struct nl_view v;

	if (!CHECK(nl_event(nl, PATIENCE_MS, &v) && v.cmd == JVPN_CMD_UNBOUND_NTF,
		   "the daemon is not told"))
		return;
	CHECK(!memcmp(v.id, s->id, sizeof(s->id)), "another session is named");
	CHECK(nl_addr_equal(&v.transport.remote, &from->local), "the source is %s, not %s",
	      nl_addr_text(&v.transport.remote), nl_addr_text(&from->local));
	CHECK(nl_addr_equal(&v.transport.local, &from->kernel), "it was sent to %s, not %s",
	      nl_addr_text(&v.transport.local), nl_addr_text(&from->kernel));
	CHECK_EQ(v.index, s->peer.epoch.rx.index, "the index");
	CHECK_EQ(v.counter, counter, "the counter");
	CHECK_EQ(v.state, state, "the state");
	CHECK(v.bytes >= CHALLENGE_SIZE, "told after %u octets", v.bytes);
}

static void not_delivered_from(const char *ip, bool same_port)
{
	struct fx fx = fx_open();
	struct session s = session_gateway(&fx, 10);
	struct nl *nl = listen_security();
	struct peer other = elsewhere(&s, ip, same_port ? s.peer.local.port : 0);
	struct nl_counters before;
	uint8_t inner[2048];

	session_works(&s, "bound");
	before = fx_counters(&fx);
	peer_send_at(&other, 100, inner, packet(&s, inner, "from elsewhere", 300));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 1);
	expect_event(nl, &s, &other, 100, JVPN_STATE_ATTACHED);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	CHECK_EQ(session_view(&s).keys.rx_counter, 1, "the highest counter received");
	/* That counter is still good where the session is bound. */
	peer_send_at(&s.peer, 100, inner, packet(&s, inner, "the original", 300));
	sink_expect(fx.sink4, "the original");
}

static void other_address(void)
{
	not_delivered_from("127.0.0.11", true);
}

static void other_port(void)
{
	not_delivered_from("127.0.0.10", false);
}

/* The same remote, but at another socket of the device: another transport. */
static void other_socket(void)
{
	struct fx fx = fx_open();
	struct session s = session_gateway(&fx, 10);
	struct nl_addr local = nl_addr("127.0.0.2", 0);
	struct nl *nl = listen_security();
	struct nl_counters before;
	struct peer via = s.peer;
	uint8_t inner[2048];

	nl_socket(fx.nl, fx.ifindex, &local, 0, &local.port);
	via.kernel = local;
	before = fx_counters(&fx);
	peer_send_at(&via, 50, inner, packet(&s, inner, "another door", 300));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 1);
	expect_event(nl, &s, &via, 50, JVPN_STATE_ATTACHED);
	session_works(&s, "the right door");
}

static void other_family(void)
{
	struct fx fx = fx_open();
	struct session s = session_gateway(&fx, 10);
	struct session six = session_describe6(&fx, JVPN_ROLE_GATEWAY, 11);
	struct nl *nl = listen_security();
	struct nl_counters before = fx_counters(&fx);
	uint8_t inner[2048];

	six.peer.epoch = s.peer.epoch;
	peer_send_at(&six.peer, 50, inner, packet(&s, inner, "by IPv6", 300));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 1);
	expect_event(nl, &s, &six.peer, 50, JVPN_STATE_ATTACHED);
	session_works(&s, "by IPv4");
}

static void forged(void)
{
	struct fx fx = fx_open();
	struct session s = session_gateway(&fx, 10);
	struct nl *nl = listen_security();
	struct peer other = elsewhere(&s, "127.0.0.11", 0);
	struct nl_counters before = fx_counters(&fx);
	uint8_t inner[2048], datagram[2048];
	struct nl_view v;
	size_t len;

	len = peer_seal(&s.peer.epoch.rx, 100, inner, packet(&s, inner, "forged", 300), datagram);
	datagram[len - 1] ^= 1;
	peer_send_raw(&other, datagram, len);
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 1);
	CHECK(!nl_event(nl, 50, &v), "the daemon is told of a forged packet");
}

static void replayed(void)
{
	struct fx fx = fx_open();
	struct session s = session_gateway(&fx, 10);
	struct nl *nl = listen_security();
	struct peer other = elsewhere(&s, "127.0.0.11", 0);
	struct nl_counters before;
	uint8_t inner[2048];
	struct nl_view v;
	size_t len = packet(&s, inner, "original", 300);

	peer_send_at(&s.peer, 20, inner, len);
	sink_expect(fx.sink4, "original");
	before = fx_counters(&fx);
	peer_send_at(&other, 20, inner, len);
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 1);
	CHECK(!nl_event(nl, 50, &v), "the daemon is told of a replayed packet");
}

/* What may be answered must not be more than what came. */
static void small_packets(void)
{
	struct fx fx = fx_open();
	struct session s = session_gateway(&fx, 10);
	struct nl *nl = listen_security();
	struct peer other = elsewhere(&s, "127.0.0.11", 0);
	struct nl_counters before = fx_counters(&fx);
	uint8_t inner[2048];
	struct nl_view v;
	unsigned int i;

	/* 3 * (40 + 32) = 216 */
	for (i = 0; i < 3; i++)
		peer_send_at(&other, 100 + i, inner, packet(&s, inner, "small", 40));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 3);
	CHECK(!nl_event(nl, 50, &v), "told after %u octets", v.bytes);
	/* Octets of one source are no credit for another. */
	peer_send_at(&s.peer, 103, "", 0);
	peer_close(&other);
	other = elsewhere(&s, "127.0.0.12", 0);
	peer_send_at(&other, 104, inner, packet(&s, inner, "small", 40));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 4);
	CHECK(!nl_event(nl, 50, &v), "told after %u octets of another source", v.bytes);
	for (i = 0; i < 3; i++)
		peer_send_at(&other, 105 + i, inner, packet(&s, inner, "small", 40));
	expect_event(nl, &s, &other, 107, JVPN_STATE_ATTACHED);
}

static void bounded_rate(void)
{
	struct fx fx = fx_open();
	struct session s = session_gateway(&fx, 10);
	struct nl *nl = listen_security();
	struct peer other = elsewhere(&s, "127.0.0.11", 0);
	struct nl_counters before = fx_counters(&fx);
	const unsigned int packets = test_scale(2000, 600);
	unsigned int i, events = 0, allowed;
	uint64_t start = test_now(), bytes = 0, most;
	uint8_t inner[2048];
	struct nl_view v;

	for (i = 0; i < packets; i++)
		peer_send_at(&other, 100 + i, inner, packet(&s, inner, "flood", 300));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", packets);
	/* The next report tells what was authenticated since the last one. */
	test_sleep(1100);
	peer_send_at(&other, 100 + i, inner, packet(&s, inner, "flood", 300));
	while (nl_event(nl, 100, &v)) {
		events++;
		bytes += v.bytes;
	}
	allowed = 2 + 2 * ((test_now() - start) / 1000 + 1);
	CHECK(events && events <= allowed, "%u reports, not between 1 and %u", events, allowed);
	/* 50 at once and 200 a second are authenticated, each 332 octets. */
	most = (50 + 200 * (test_now() - start) / 1000 + 1) * 332;
	CHECK(bytes && bytes <= most, "%llu octets were authenticated, at most %llu may be",
	      (unsigned long long)bytes, (unsigned long long)most);
	session_works(&s, "unharmed");
}

static void client_keeps_quiet(void)
{
	struct fx fx = fx_open();
	struct session s = session_client(&fx, 10);
	struct nl *nl = listen_security();
	struct peer other = elsewhere(&s, "127.0.0.11", 0);
	struct nl_counters before = fx_counters(&fx);
	uint8_t inner[2048];
	struct nl_view v;

	peer_send_at(&other, 100, inner, packet(&s, inner, "from elsewhere", 300));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 1);
	CHECK(!nl_event(nl, 50, &v), "a client reports an unbound source");
	session_works(&s, "bound");
}

/* The session attaches from where RESP went to, and from nowhere else. */
static void birth_elsewhere(void)
{
	struct fx fx = fx_open();
	struct session s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	struct peer other = elsewhere(&s, "127.0.0.11", 0);
	struct nl *nl = listen_security();
	struct nl_counters before = fx_counters(&fx);
	uint8_t inner[2048];
	struct nl_view v;

	REQUIRE(!session_new(&s, NULL), "cannot make a session");
	peer_send_at(&other, 0, inner, packet(&s, inner, "me first", 300));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 1);
	session_expect_state(&s, JVPN_STATE_BIRTH, 0);
	CHECK(!nl_event(nl, 50, &v), "the daemon is told of a session in birth");
	session_works(&s, "from the right address");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
}

/* Nor by a packet that is not authentic. */
static void birth_forged(void)
{
	struct fx fx = fx_open();
	struct session s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	struct nl_counters before = fx_counters(&fx);
	uint8_t datagram[64];
	size_t len;

	REQUIRE(!session_new(&s, NULL), "cannot make a session");
	len = peer_seal(&s.peer.epoch.rx, 0, "", 0, datagram);
	datagram[len - 1] ^= 0x80;
	peer_send_raw(&s.peer, datagram, len);
	fx_expect_drops(&fx, &before, "rx_drop_auth", 1);
	session_expect_state(&s, JVPN_STATE_BIRTH, 0);
	session_works(&s, "authentic");
}

/* A gateway whose session lost its binding knows the client, and delivers nothing of it. */
static void recovering_knows_its_client(void)
{
	struct fx fx = fx_open();
	struct session s = session_gateway(&fx, 10);
	struct nl *nl = listen_security();
	struct nl_counters before;
	uint8_t inner[2048];

	session_works(&s, "bound");
	REQUIRE(!session_transition(&s, 1, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_PROBE_TIMEOUT,
				    NULL), "cannot lose the binding");
	before = fx_counters(&fx);
	peer_send_at(&s.peer, 100, inner, packet(&s, inner, "too late", 300));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 1);
	expect_event(nl, &s, &s.peer, 100, JVPN_STATE_RECOVERING);
	session_expect_state(&s, JVPN_STATE_RECOVERING, 2);
	CHECK(sink_receive(fx.sink4, 20, inner, sizeof(inner), NULL) < 0,
	      "a packet was delivered without a binding");
}

/* The gateway goes on sending to the bound address, whoever else sends. */
static void sending_stays(void)
{
	struct fx fx = fx_open();
	struct session s = session_gateway(&fx, 10);
	struct peer other = elsewhere(&s, "127.0.0.11", 0);
	struct nl_counters before = fx_counters(&fx);
	static struct peer_datagram d;
	uint8_t inner[2048];

	peer_send_at(&other, 100, inner, packet(&s, inner, "send it to me", 300));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 1);
	session_send(&s, "where to?");
	session_hears(&s, "where to?");
	CHECK(!peer_receive_raw(&other, 20, &d), "%zu octets were sent to the unbound source",
	      d.len);
}

static const struct test_case cases[] = {
	{ "another address is not delivered and moves no window", other_address },
	{ "another port is not delivered and moves no window", other_port },
	{ "another socket of the device is another transport", other_socket },
	{ "another address family is another transport", other_family },
	{ "a forged packet from elsewhere is not reported", forged },
	{ "a replayed packet from elsewhere is not reported", replayed },
	{ "a source is reported once it sent as much as a CHALLENGE", small_packets },
	{ "reports and authentications are bounded in rate", bounded_rate },
	{ "a client reports no unbound source", client_keeps_quiet },
	{ "a session attaches from the address of RESP only", birth_elsewhere },
	{ "a forged packet does not attach a session", birth_forged },
	{ "a recovering gateway knows its client and delivers nothing", recovering_knows_its_client },
	{ "packets are sent to the bound address whoever else sends", sending_stays },
};

TEST_MAIN(cases)
