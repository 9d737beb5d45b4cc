// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that trouble on the way out is taken for what it is: an address that is
 * gone is replaced for as long as it is gone, and memory that is short for a
 * moment is no lost route.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

static struct fx fx;

/* ---- the address to send from ---- */

#define GONE4 "198.51.100.7"
#define GONE6 "2001:db8::7"

static const char *gone_text(const struct session *s)
{
	return s->v6 ? GONE6 : GONE4;
}

static void gone_add(const struct session *s)
{
	test_shell("ip addr add %s dev lo %s", gone_text(s), s->v6 ? "nodad" : "");
}

/* Bound anew, from an address of its own. */
static void bind_to_address(struct session *s)
{
	struct nl_addr any = nl_addr(s->v6 ? "::" : "0.0.0.0", 0);
	struct nl_transport t = session_transport(s);
	struct nl_epoch e = nl_epoch(1);
	struct bind b = { .version = session_view(s).version, .reason = JVPN_REASON_CLIENT_JUMP,
			  .transport = &t, .keys = &e };
	struct nl_reply reply;

	gone_add(s);
	t.socket = nl_socket(fx.nl, fx.ifindex, &any, 0, NULL);
	t.local = nl_addr(gone_text(s), 0);
	REQUIRE(!session_bind(s, JVPN_CMD_BINDING_SET, &b, &reply), "refused: %s", reply.text);
	s->peer.epoch = e;
	peer_flush(&s->peer);
}

static bool leaves_from(struct session *s, const char *text)
{
	static struct peer_datagram d;
	struct nl_addr from = nl_addr(gone_text(s), 0);

	session_send(s, text);
	if (!CHECK(peer_receive_inner(&s->peer, PATIENCE_MS, &d), "%s: nothing left", text))
		return false;
	return s->v6 ? !memcmp(&d.from.v6, &from.v6, sizeof(from.v6)) :
		       d.from.v4.s_addr == from.v4.s_addr;
}

static void source_gone(struct session s)
{
	struct nl_counters before;

	bind_to_address(&s);
	CHECK(leaves_from(&s, "before"), "it leaves from another address");
	before = fx_counters(&fx);
	CHECK_EQ(nl_counters_of(&before, "tx_source_gone"), 0, "looks for another address");
	test_shell("ip addr del %s dev lo", gone_text(&s));
	CHECK(!leaves_from(&s, "without"), "it leaves from an address that is gone");
	CHECK(nl_counter(fx.nl, fx.ifindex, "tx_source_gone") >= 1, "nobody is told");
	gone_add(&s);
	CHECK(leaves_from(&s, "again"), "the address is back, and not used");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
}

static struct session described(bool v6, enum jvpn_role role)
{
	struct session s;

	fx = fx_open();
	s = v6 ? session_describe6(&fx, role, 10) : session_describe(&fx, role, 10);
	session_attach(&s);
	return s;
}

static void source_gone_gateway4(void)
{
	source_gone(described(false, JVPN_ROLE_GATEWAY));
}

static void source_gone_gateway6(void)
{
	source_gone(described(true, JVPN_ROLE_GATEWAY));
}

static void source_gone_client4(void)
{
	source_gone(described(false, JVPN_ROLE_CLIENT));
}

static void source_gone_client6(void)
{
	source_gone(described(true, JVPN_ROLE_CLIENT));
}

/* ---- memory ---- */

/* One after another, each allocation of a packet's way out fails; no route is remembered. */
static void memory_short(struct session s)
{
	struct nl_addr to = nl_addr(s.src4, PEER_PORT);
	unsigned int nth, failed = 0;
	struct sockaddr_storage ss;
	socklen_t len = nl_addr_sockaddr(&to, &ss);
	bool hit;

	if (!nl_can_fail())
		test_skip("this kernel cannot let allocations fail");
	for (nth = 1; nth < 60; nth++) {
		test_shell("sysctl -qw net.ipv4.route.flush=1; "
			   "ip -6 route add 2001:db8:%x::/64 dev lo", nth);
		nl_fail_begin(nth);
		sendto(fx.sink4, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&ss, len);
		hit = nl_fail_end();
		session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
		if (!hit)
			break;
		failed++;
	}
	CHECK(failed >= 3, "only %u allocations failed", failed);
	CHECK(nth < 60, "it has no end");
}

static void memory_short4(void)
{
	memory_short(described(false, JVPN_ROLE_CLIENT));
}

static void memory_short6(void)
{
	memory_short(described(true, JVPN_ROLE_CLIENT));
}

/* A prohibition is a lost route, and no memory trouble. */
static void prohibited(void)
{
	struct session s = described(false, JVPN_ROLE_CLIENT);

	test_shell("ip rule add pref 10 lookup local; ip rule del pref 0; "
		   "ip rule add pref 5 to 127.0.0.10 prohibit");
	session_send(&s, "x");
	CHECK(session_wait_state(&s, JVPN_STATE_RECOVERING), "nobody is told");
	CHECK_EQ(session_view(&s).step[1].reason, JVPN_REASON_ROUTE_LOST, "the reason");
}

/* ---- the last events ---- */

/* Sessions that go with the module end like others: whoever listens is told. */
static void told_at_the_end(void)
{
	struct session s = described(false, JVPN_ROLE_GATEWAY);
	struct nl *nl = nl_open();
	struct nl_view v;

	nl_listen(nl, "state");
	test_shell("rmmod jvpn");
	CHECK(nl_event(nl, PATIENCE_MS, &v) && v.cmd == JVPN_CMD_SESSION_NTF &&
	      v.state == JVPN_STATE_TERMINATED && !memcmp(v.id, s.id, sizeof(s.id)),
	      "the end of a session is not told");
	test_shell("modprobe jvpn 2> /dev/null || insmod $JVPN_KO");
}

static const struct test_case cases[] = {
	{ "a gateway's IPv4 address is gone and comes back", source_gone_gateway4 },
	{ "a gateway's IPv6 address is gone and comes back", source_gone_gateway6 },
	{ "a client's IPv4 address is gone and comes back", source_gone_client4 },
	{ "a client's IPv6 address is gone and comes back", source_gone_client6 },
	{ "memory that is short is no lost route, over IPv4", memory_short4 },
	{ "memory that is short is no lost route, over IPv6", memory_short6 },
	{ "a prohibited way is a lost route", prohibited },
	{ "the module's end is told to those who listen", told_at_the_end },
};

TEST_MAIN(cases)
