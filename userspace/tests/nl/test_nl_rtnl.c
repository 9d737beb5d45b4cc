// SPDX-License-Identifier: GPL-2.0
/*
 * Links, addresses and routes against the running kernel, in a network
 * namespace of our own. The module is not needed: a veth pair stands in.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "../tap.h"
#include "nl.h"
#include "rtnl.h"

static struct jvpn_rtnl *rtnl;
static struct jvpn_nl_error error;

static bool done(int result, const char *claim)
{
	if (result)
		tap_note("%d: %s", result, error.text);
	return tap_ok(result == 0, "%s", claim);
}

static struct jvpn_prefix prefix(const char *text)
{
	struct jvpn_prefix result;
	const char *why;

	if (jvpn_prefix_parse(&result, text, &why))
		abort();
	return result;
}

/* --- what dumps and the monitor show -------------------------------------- */

struct seen {
	uint32_t ifindex;
	struct jvpn_prefix wanted;
	unsigned int links, addrs, routes;
	unsigned int added, removed, gone;
	uint32_t mtu;
	bool up;
	uint32_t metric;
	struct jvpn_addr gateway;
};

static bool prefix_equal(const struct jvpn_prefix *a, const struct jvpn_prefix *b)
{
	return a->length == b->length && jvpn_addr_equal(&a->addr, &b->addr);
}

static void see_link(void *context, const struct jvpn_rtnl_link *link)
{
	struct seen *seen = context;

	if (link->ifindex != seen->ifindex)
		return;
	seen->links++;
	seen->mtu = link->mtu;
	seen->up = link->up;
}

static void see_addr(void *context, const struct jvpn_rtnl_addr *addr)
{
	struct seen *seen = context;

	if (addr->ifindex == seen->ifindex && prefix_equal(&addr->prefix, &seen->wanted))
		seen->addrs += addr->usable;
}

static void see_route(void *context, const struct jvpn_rtnl_route *route)
{
	struct seen *seen = context;

	if (route->ifindex != seen->ifindex || !prefix_equal(&route->prefix, &seen->wanted))
		return;
	seen->routes++;
	seen->metric = route->metric;
	seen->gateway = route->gateway;
}

static void see_event(void *context, const struct jvpn_rtnl_event *event)
{
	struct seen *seen = context, before = *seen;

	if (event->kind == JVPN_RTNL_EVENT_LINK) {
		/* Links also change by themselves: their carrier follows a little later. */
		see_link(seen, &event->link);
		seen->gone += event->removed && event->link.ifindex == seen->ifindex;
		return;
	}
	if (event->kind == JVPN_RTNL_EVENT_ADDR)
		see_addr(seen, &event->addr);
	else if (event->kind == JVPN_RTNL_EVENT_ROUTE)
		see_route(seen, &event->route);
	if (seen->addrs > before.addrs || seen->routes > before.routes) {
		seen->added += !event->removed;
		seen->removed += event->removed;
	}
}

static void monitor_drain(struct jvpn_rtnl_monitor *monitor, struct seen *seen)
{
	struct pollfd fd = { jvpn_rtnl_monitor_fd(monitor), POLLIN, 0 };

	while (poll(&fd, 1, 200) > 0)
		jvpn_rtnl_monitor_read(monitor, see_event, seen, 16);
}

/* --- tests ---------------------------------------------------------------- */

static uint32_t test_link(void)
{
	struct jvpn_rtnl_link link;
	struct seen seen = {};

	tap_ok(jvpn_rtnl_link_get(rtnl, "none0", &link, &error) == -ENODEV,
	       "an interface that is not there is ENODEV");
	if (!done(jvpn_rtnl_link_new(rtnl, "test0", "veth", 1400, &error), "a link is made"))
		return 0;
	tap_ok(jvpn_rtnl_link_new(rtnl, "test0", "veth", 0, &error) == -EEXIST,
	       "a second one of that name is EEXIST");
	tap_ok(jvpn_rtnl_link_new(rtnl, "test1", "no-such-kind", 0, &error) == -EOPNOTSUPP &&
	       error.text[0], "one of unknown type is EOPNOTSUPP with words");
	tap_ok(jvpn_rtnl_link_new(rtnl, "a-name-that-is-too-long", "veth", 0, &error) == -EINVAL,
	       "a name that is too long is EINVAL");
	done(jvpn_rtnl_link_get(rtnl, "test0", &link, &error), "it is found by its name");
	tap_text(link.kind, "veth", "with its type");
	tap_equal(link.mtu, 1400, "and its MTU");
	tap_ok(!link.up && !link.loopback && !link.bare, "it is down, and asks for neighbours");
	done(jvpn_rtnl_link_set_mtu(rtnl, link.ifindex, 1300, &error), "its MTU is changed");
	done(jvpn_rtnl_link_set_up(rtnl, link.ifindex, true, &error), "it is set up");
	seen.ifindex = link.ifindex;
	done(jvpn_rtnl_link_dump(rtnl, see_link, &seen, &error), "links are dumped");
	tap_ok(seen.links == 1 && seen.up && seen.mtu == 1300, "once, and as they are");
	return link.ifindex;
}

static void peer_up(void)
{
	struct jvpn_rtnl_link link;

	/* The other end of the pair: the kernel named it. */
	if (!jvpn_rtnl_link_get(rtnl, "veth0", &link, &error))
		jvpn_rtnl_link_set_up(rtnl, link.ifindex, true, &error);
}

static void test_address(uint32_t ifindex, const char *text)
{
	struct seen seen = { .ifindex = ifindex, .wanted = prefix(text) };

	done(jvpn_rtnl_addr_add(rtnl, ifindex, &seen.wanted, &error), text);
	done(jvpn_rtnl_addr_add(rtnl, ifindex, &seen.wanted, &error), "adding it twice is fine");
	done(jvpn_rtnl_addr_dump(rtnl, see_addr, &seen, &error), "addresses are dumped");
	tap_equal(seen.addrs, 1, "the address is there once, and usable at once");
}

static void test_route(uint32_t ifindex, const char *text, const char *gateway)
{
	struct jvpn_rtnl_route route = { .prefix = prefix(text), .ifindex = ifindex, .metric = 77 };
	struct seen seen = { .ifindex = ifindex, .wanted = route.prefix };
	struct jvpn_rtnl_route found;

	route.gateway = prefix(gateway).addr;
	done(jvpn_rtnl_route_add(rtnl, &route, &error), text);
	tap_ok(jvpn_rtnl_route_add(rtnl, &route, &error) == -EEXIST, "adding it twice is EEXIST");
	done(jvpn_rtnl_route_dump(rtnl, see_route, &seen, &error), "routes are dumped");
	tap_ok(seen.routes == 1 && seen.metric == 77 &&
	       jvpn_addr_equal(&seen.gateway, &route.gateway), "the route is there once");
	done(jvpn_rtnl_route_get(rtnl, &route.prefix.addr, 0, 0, &found, &error),
	     "it is looked up");
	tap_ok(found.ifindex == ifindex && jvpn_addr_equal(&found.gateway, &route.gateway),
	       "and leads to its gateway");
	done(jvpn_rtnl_route_del(rtnl, &route, &error), "it is deleted");
	done(jvpn_rtnl_route_del(rtnl, &route, &error), "deleting it twice is fine");
	tap_ok(jvpn_rtnl_route_get(rtnl, &route.prefix.addr, 0, 0, &found, &error) < 0 &&
	       error.text[0], "then there is no route, and words for it");
	route.gateway = prefix("203.0.113.77").addr;
	if (route.prefix.addr.family == AF_INET)
		tap_ok(jvpn_rtnl_route_add(rtnl, &route, &error) < 0 && error.text[0],
		       "a gateway that cannot be reached is refused: %s", error.text);
}

struct rule_search {
	const struct jvpn_rtnl_rule *wanted;
	unsigned int found;
};

static void see_rule(void *context, const struct jvpn_rtnl_rule *rule)
{
	struct rule_search *search = context;
	const struct jvpn_rtnl_rule *w = search->wanted;

	search->found += rule->family == w->family && rule->priority == w->priority &&
			 rule->table == w->table && rule->mark == w->mark &&
			 rule->mask == w->mask &&
			 rule->least == w->least && rule->owner == w->owner &&
			 rule->port == w->port &&
			 prefix_equal(&rule->to, &w->to) && !rule->foreign &&
			 rule->protocol == JVPN_RTNL_PROTOCOL;
}

static void test_rule(const struct jvpn_rtnl_rule *rule, const char *claim)
{
	struct rule_search search = { .wanted = rule };

	done(jvpn_rtnl_rule_add(rtnl, rule, &error), claim);
	done(jvpn_rtnl_rule_add(rtnl, rule, &error), "adding it twice is fine");
	done(jvpn_rtnl_rule_dump(rtnl, see_rule, &search, &error), "rules are dumped");
	tap_equal(search.found, 1, "it is there once, as it was asked for");
	done(jvpn_rtnl_rule_del(rtnl, rule, &error), "it is deleted");
	done(jvpn_rtnl_rule_del(rtnl, rule, &error), "deleting it twice is fine");
}

static void test_rules(void)
{
	const struct jvpn_rtnl_rule rules[] = {
		{ .family = AF_INET, .priority = 31000, .table = 254, .port = 51900,
		  .to = prefix("192.0.2.1") },
		{ .family = AF_INET6, .priority = 31000, .table = 254, .port = 51900,
		  .to = prefix("2001:db8::1") },
		{ .family = AF_INET, .priority = 31001, .table = 254, .mark = 7,
		  .mask = UINT32_MAX, .least = 1, .owner = 70001 },
		{ .family = AF_INET6, .priority = 31002, .table = 70000, .mark = 0x7000,
		  .mask = 0xf000 },
		{ .family = AF_INET6, .priority = 31003, .mark = 7, .mask = UINT32_MAX,
		  .owner = 70001 },
		{ .family = AF_INET6, .priority = 31001, .table = 254, .least = 48,
		  .to = prefix("2001:db8:7::/48") },
	};

	test_rule(&rules[0], "a rule for a host and port");
	test_rule(&rules[1], "the same of IPv6");
	test_rule(&rules[2], "a rule without default routes");
	test_rule(&rules[3], "a rule for a table, and some bits of a mark");
	test_rule(&rules[4], "a rule that refuses");
	test_rule(&rules[5], "a rule for a network, and routes as precise");
}

/* What leads nowhere, and what one interface has. */
static void test_routes_of(uint32_t ifindex)
{
	struct jvpn_rtnl_route nowhere = { .prefix = prefix("203.0.113.0/24"), .metric = 9,
					   .unreachable = true };
	struct jvpn_rtnl_route route = { .prefix = prefix("203.0.112.0/24"), .ifindex = ifindex };
	const struct jvpn_rtnl_filter filter = { .ifindex = ifindex };
	const struct jvpn_rtnl_filter ours = { .protocol = JVPN_RTNL_PROTOCOL };
	const struct jvpn_rtnl_filter none = { .table = 70001 };
	struct seen seen = { .ifindex = ifindex, .wanted = route.prefix };
	struct jvpn_rtnl_route found;

	done(jvpn_rtnl_route_add(rtnl, &nowhere, &error), "a route to nowhere");
	done(jvpn_rtnl_route_add(rtnl, &route, &error), "and one to the interface");
	done(jvpn_rtnl_route_dump_of(rtnl, &filter, see_route, &seen, &error),
	     "an interface's routes are dumped");
	tap_equal(seen.routes, 1, "the interface's is among them");
	seen = (struct seen){ .wanted = nowhere.prefix };
	jvpn_rtnl_route_dump_of(rtnl, &filter, see_route, &seen, &error);
	tap_equal(seen.routes, 0, "the other is not");
	done(jvpn_rtnl_route_dump_of(rtnl, &ours, see_route, &seen, &error), "ours are dumped");
	tap_equal(seen.routes, 1, "the other is among them");
	seen = (struct seen){ .ifindex = ifindex, .wanted = prefix("192.0.2.0/24") };
	jvpn_rtnl_route_dump_of(rtnl, &ours, see_route, &seen, &error);
	tap_equal(seen.routes, 0, "the kernel's is not");
	done(jvpn_rtnl_route_dump_of(rtnl, &none, see_route, &seen, &error),
	     "a table without routes is no error");
	seen = (struct seen){ .wanted = nowhere.prefix };
	jvpn_rtnl_route_dump(rtnl, see_route, &seen, &error);
	tap_equal(seen.routes, 1, "but is among all");
	tap_ok(jvpn_rtnl_route_get(rtnl, &nowhere.prefix.addr, 0, 0, &found, &error) < 0,
	       "and nothing is reached by it");
	done(jvpn_rtnl_route_del(rtnl, &nowhere, &error), "it is deleted");
	done(jvpn_rtnl_route_del(rtnl, &route, &error), "so is the other");
}

static void test_monitor(uint32_t ifindex)
{
	struct seen seen = { .ifindex = ifindex, .wanted = prefix("198.51.100.9/32") };
	struct jvpn_rtnl_monitor *monitor = jvpn_rtnl_monitor_open(&error);

	if (!tap_ok(monitor, "a monitor is opened"))
		return;
	tap_equal(jvpn_rtnl_monitor_read(monitor, see_event, &seen, 16), 0,
		  "reading does not wait");
	jvpn_rtnl_addr_add(rtnl, ifindex, &seen.wanted, NULL);
	jvpn_rtnl_addr_del(rtnl, ifindex, &seen.wanted, NULL);
	monitor_drain(monitor, &seen);
	tap_ok(seen.added == 1 && seen.removed == 1, "it shows an address come and go");
	seen = (struct seen){ .ifindex = ifindex };
	jvpn_rtnl_link_set_up(rtnl, ifindex, false, NULL);
	monitor_drain(monitor, &seen);
	tap_ok(seen.links >= 1 && !seen.up, "and a link go down");
	jvpn_rtnl_link_del(rtnl, ifindex, NULL);
	monitor_drain(monitor, &seen);
	tap_ok(seen.gone >= 1, "and vanish");
	jvpn_rtnl_monitor_close(monitor);
}

static void see_lost(void *context, const struct jvpn_rtnl_event *event)
{
	*(unsigned int *)context += event->kind == JVPN_RTNL_EVENT_LOST;
}

/* More changes than the buffer holds: it must say so, and go on. */
static void test_overrun(uint32_t ifindex)
{
	struct seen seen = { .ifindex = ifindex, .wanted = prefix("198.51.100.10/32") };
	struct jvpn_rtnl_monitor *monitor = jvpn_rtnl_monitor_open(&error);
	int octets = 4096;
	unsigned int lost = 0;

	setsockopt(jvpn_rtnl_monitor_fd(monitor), SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
	for (int i = 0; i < 200; i++) {
		jvpn_rtnl_addr_add(rtnl, ifindex, &seen.wanted, NULL);
		jvpn_rtnl_addr_del(rtnl, ifindex, &seen.wanted, NULL);
	}
	while (jvpn_rtnl_monitor_read(monitor, see_lost, &lost, 64))
		;
	tap_ok(lost >= 1, "an overrun is told");
	jvpn_rtnl_addr_add(rtnl, ifindex, &seen.wanted, NULL);
	monitor_drain(monitor, &seen);
	tap_equal(seen.added, 1, "what comes after it is not lost");
	jvpn_rtnl_monitor_close(monitor);
}

/* A machine without the module gets an error that says what to do. */
static void test_family_missing(void)
{
	struct jvpn_nl *nl;

	if (!access("/sys/module/jvpn", F_OK)) {
		tap_ok(true, "the missing module is reported # SKIP the module is loaded");
		return;
	}
	nl = jvpn_nl_open(&error);
	tap_ok(!nl && error.code == ENOENT, "without the module there is no client");
	tap_contains(error.text, "modprobe jvpn", "and the error says what to do");
	jvpn_nl_close(nl);
}

int main(void)
{
	uint32_t ifindex;

	test_family_missing();
	if (unshare(CLONE_NEWNET)) {
		tap_ok(true, "links, addresses and routes # SKIP needs root for a namespace");
		return tap_done();
	}
	rtnl = jvpn_rtnl_open(&error);
	if (!tap_ok(rtnl, "a routing socket is opened"))
		return tap_done();
	ifindex = test_link();
	if (ifindex) {
		peer_up();
		test_address(ifindex, "192.0.2.1/24");
		test_address(ifindex, "2001:db8::1/64");
		test_route(ifindex, "198.51.100.0/24", "192.0.2.254");
		test_route(ifindex, "2001:db8:5::/48", "2001:db8::fe");
		test_routes_of(ifindex);
		test_rules();
		test_overrun(ifindex);
		test_monitor(ifindex);
	}
	jvpn_rtnl_close(rtnl);
	return tap_done();
}
