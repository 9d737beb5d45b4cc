// SPDX-License-Identifier: GPL-2.0
/*
 * What interfaces stand on, by tables; and in a network namespace of our own what the kernel says
 * of hundreds of them, and of ways to a destination.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "links.h"
#include "route-ask.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- what leads where, by tables ---------------------------------------------------------- */

#define OWN 10

/* 20: VLAN on 10; 21: bridge with port 22, a VXLAN to far end .1; 23: VXLAN to .2; 24: a ring. */
static struct jvpn_link links_list[] = {
	{ .ifindex = 1, .name = "lo" },
	{ .ifindex = 2, .name = "eth0" },
	{ .ifindex = OWN, .name = "jvpn0", .kind = "jvpn" },
	{ .ifindex = 20, .lower = OWN, .name = "vlan" },
	{ .ifindex = 21, .name = "bridge" },
	{ .ifindex = 22, .master = 21, .name = "inside" },
	{ .ifindex = 23, .name = "outside" },
	{ .ifindex = 24, .lower = 25, .name = "ring0" },
	{ .ifindex = 25, .lower = 24, .name = "ring1" },
	{ .ifindex = 26, .lower = 20, .name = "on the vlan" },
	{ .ifindex = 27, .lower = 99, .name = "on what is gone" },
	{ .ifindex = 28, .lower = 2, .name = "by eth0" },
};

static struct jvpn_link_far links_far[] = {
	{ 22, { AF_INET, { 192, 0, 2, 1 } } },
	{ 23, { AF_INET, { 192, 0, 2, 2 } } },
	/* Bound to eth0: what the table says of .1 is no matter. */
	{ 28, { AF_INET, { 192, 0, 2, 1 } } },
};

static uint32_t way(void *context, const struct jvpn_addr *to, uint32_t lower)
{
	(void)context;
	if (lower)
		return lower;
	return to->bytes[3] == 1 ? OWN : 2;
}

static void leads(uint32_t ifindex, bool expected, const char *claim)
{
	const struct jvpn_links links = {
		.list = links_list, .n_list = COUNT(links_list),
		.far = links_far, .n_far = COUNT(links_far),
	};

	tap_ok(jvpn_links_lead_through(&links, ifindex, OWN, way, NULL) == expected, "%s", claim);
}

static void test_leads(void)
{
	leads(OWN, true, "the tunnel leads through itself");
	leads(2, false, "a physical interface does not");
	leads(20, true, "a VLAN on the tunnel does");
	leads(26, true, "and what is on that VLAN");
	leads(22, true, "a tunnel whose far end is reached through ours does");
	leads(21, true, "and a bridge that it is a port of");
	leads(23, false, "a tunnel whose far end is outside does not");
	leads(28, false, "nor one that is bound to an interface outside");
	leads(24, false, "a ring ends");
	leads(27, false, "what stands on nothing leads nowhere");
	leads(99, false, "nor does what does not exist");
}

/* --- the kernel --------------------------------------------------------------------------- */

static struct jvpn_nl_sock *sock;

static bool run(const char *command)
{
	int rc = system(command);

	if (rc)
		tap_note("%s: status %d", command, rc);
	return !rc;
}

static struct jvpn_addr address(const char *text)
{
	struct jvpn_addr addr;
	const char *why;

	if (jvpn_addr_parse(&addr, text, &why))
		abort();
	return addr;
}

static void test_many(struct jvpn_links *links)
{
	struct jvpn_nl_error error = {};
	const struct jvpn_link *last;

	if (system("ip link add d0 type dummy 2> /dev/null")) {
		tap_ok(true, "hundreds of interfaces # SKIP the kernel has no dummies");
		return;
	}
	run("for i in $(seq 300); do echo link add d$i type dummy; done | ip -batch -");
	tap_equal(jvpn_links_read(links, sock, &error), 0, "hundreds of interfaces are read");
	tap_ok(links->n_list >= 301, "all of them: %zu", links->n_list);
	last = jvpn_links_by_name(links, "d300");
	tap_ok(last && last->ifindex > 256 && !strcmp(last->kind, "dummy") && !last->running &&
	       jvpn_links_by_index(links, last->ifindex) == last,
	       "the last one is found by its name and by its index");
	run("ip link show type dummy | sed -n 's/.*: \\(d[0-9]*\\):.*/link del \\1/p' | ip -batch -");
	tap_equal(jvpn_links_read(links, sock, &error), 0, "they are read again");
	tap_ok(!jvpn_links_by_name(links, "d300"), "and are gone");
}

static bool has_far(const struct jvpn_links *links, const char *name, const char *text)
{
	const struct jvpn_link *link = jvpn_links_by_name(links, name);
	struct jvpn_addr addr = address(text);

	for (size_t i = 0; link && i < links->n_far; i++)
		if (links->far[i].ifindex == link->ifindex &&
		    jvpn_addr_equal(&links->far[i].addr, &addr))
			return true;
	return false;
}

static void test_far(struct jvpn_links *links, const char *make, const char *name,
		     const char *remote)
{
	struct jvpn_nl_error error = {};

	if (system(make)) {
		tap_ok(true, "the far end of %s # SKIP the kernel cannot make it", name);
		return;
	}
	jvpn_links_read(links, sock, &error);
	tap_ok(has_far(links, name, remote), "the far end of %s is %s", name, remote);
}

static void test_stacked(struct jvpn_links *links)
{
	const struct jvpn_link *lower, *upper;
	struct jvpn_nl_error error = {};

	if (!run("ip link add e0 type veth peer name e1 && ip link add mac0 link e0 type macvlan &&"
		 "ip link add br0 type bridge && ip link set e1 master br0"))
		return;
	jvpn_links_read(links, sock, &error);
	lower = jvpn_links_by_name(links, "e0");
	upper = jvpn_links_by_name(links, "mac0");
	tap_ok(lower && upper && upper->lower == lower->ifindex, "an interface on another one");
	lower = jvpn_links_by_name(links, "e1");
	upper = jvpn_links_by_name(links, "br0");
	tap_ok(lower && upper && lower->master == upper->ifindex, "the port of a bridge");
	test_far(links, "ip link add vx0 type vxlan id 1 remote 192.0.2.1 dstport 4789", "vx0",
		 "192.0.2.1");
	test_far(links, "ip link add vx1 type vxlan id 2 dstport 4790 && bridge fdb append "
		 "00:00:00:00:00:00 dev vx1 dst 192.0.2.3", "vx1", "192.0.2.3");
	test_far(links, "ip link add vx6 type vxlan id 3 remote 2001:db8::7 dstport 4791", "vx6",
		 "2001:db8::7");
	test_far(links, "ip link add gre7 type gre remote 192.0.2.4 2> /dev/null", "gre7",
		 "192.0.2.4");
	test_far(links, "ip link add tun7 type ipip remote 192.0.2.5 2> /dev/null", "tun7",
		 "192.0.2.5");
}

static int ask(const char *to, const char *interface, uint32_t mark,
	       struct jvpn_route_answer *answer)
{
	struct jvpn_route_question question = {
		.to = address(to), .ifindex = if_nametoindex(interface), .mark = mark,
	};

	*answer = (struct jvpn_route_answer){};
	return jvpn_route_ask(sock, &question, answer, NULL);
}

static void test_ask(void)
{
	struct jvpn_route_answer answer;
	struct jvpn_addr addr;

	if (!run("ip link set lo up; ip link set e0 up; ip link set e1 up; ip link set br0 up;"
		 "ip route add default dev e0 metric 7"))
		return;
	tap_equal(ask("192.0.2.9", "e0", 0, &answer), -EADDRNOTAVAIL,
		  "a route without an address to send from is none");
	run("ip addr add 203.0.113.1/32 dev lo");
	tap_equal(ask("192.0.2.9", "e0", 0, &answer), 0, "one of another interface will do");
	addr = address("203.0.113.1");
	tap_ok(jvpn_addr_equal(&answer.source, &addr) && answer.metric == 7 &&
	       answer.ifindex == if_nametoindex("e0"), "and is told, with metric and interface");
	tap_ok(ask("192.0.2.9", "br0", 0, &answer) < 0,
	       "an interface without a route does not reach everybody");
	tap_ok(ask("203.0.113.1", "", 0, &answer) < 0, "nor is our own address any way out");
	run("ip rule add fwmark 0x5 lookup 5 && ip route add unreachable default table 5");
	tap_ok(ask("192.0.2.9", "e0", 5, &answer) < 0, "what a mark forbids is not reached");
	run("ip route add 192.0.2.0/24 via 203.0.113.9 dev br0 onlink");
	tap_equal(ask("192.0.2.9", "", 0, &answer), 0, "without an interface");
	addr = address("203.0.113.9");
	tap_ok(jvpn_addr_equal(&answer.gateway, &addr) &&
	       answer.ifindex == if_nametoindex("br0"), "the best route is told, and its next hop");
}

static void test_ask6(void)
{
	struct jvpn_route_answer answer;
	struct jvpn_addr addr = address("2001:db8:d::1");

	run("ip addr add 2001:db8:d::1/64 dev br0 nodad; ip -6 route add default dev e0 metric 9");
	tap_equal(ask("2001:db8:9::1", "e0", 0, &answer), 0,
		  "an interface with a link-local address reaches the world");
	tap_ok(jvpn_addr_equal(&answer.source, &addr) && answer.metric == 9,
	       "from an address of another one");
	tap_ok(ask("2001:db8:9::1", "br0", 0, &answer) < 0, "one without a route does not");
}

int main(void)
{
	struct jvpn_links links = {};
	struct jvpn_nl_error error = {};

	test_leads();
	if (unshare(CLONE_NEWNET)) {
		tap_ok(true, "interfaces and routes # SKIP needs root for a namespace");
		return tap_done();
	}
	sock = jvpn_nl_sock_open(NETLINK_ROUTE, &error);
	if (!tap_ok(sock, "a socket is opened"))
		return tap_done();
	test_many(&links);
	test_stacked(&links);
	test_ask();
	test_ask6();
	jvpn_links_free(&links);
	jvpn_nl_sock_close(sock);
	return tap_done();
}
