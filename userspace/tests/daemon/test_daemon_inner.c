// SPDX-License-Identifier: GPL-2.0
/* What a gateway says about inner addresses: what of it does a client take? */
#include <string.h>

#include "../../jvpnd/inner.h"
#include "../tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct jvpn_prefix prefix(const char *text)
{
	struct jvpn_prefix p = {};
	const char *why;

	if (jvpn_prefix_parse(&p, text, &why))
		printf("# %s: %s\n", text, why);
	return p;
}

static void fact(struct inner_facts *facts, enum inner_kind kind, const char *text)
{
	struct jvpn_prefix p = prefix(text);

	inner_facts_add(facts, kind, &p.addr, p.length);
}

static struct inner_facts laptop(void)
{
	struct inner_facts facts = {};

	fact(&facts, INNER_ADDRESS, "192.168.1.20");
	fact(&facts, INNER_NETWORK, "192.168.1.0/24");
	fact(&facts, INNER_ROUTER, "192.168.1.1");
	fact(&facts, INNER_ADDRESS, "2001:db8:a::20");
	fact(&facts, INNER_NETWORK, "2001:db8:a::/64");
	fact(&facts, INNER_ROUTER, "10.9.9.9");
	fact(&facts, INNER_ROUTER, "fd99::1");
	fact(&facts, INNER_GATEWAY, "203.0.113.1");
	fact(&facts, INNER_GATEWAY, "2001:db8:9::1");
	return facts;
}

static void address(const char *text, const char *part)
{
	struct inner_facts facts = laptop();
	struct jvpn_prefix p = prefix(text);
	char why[200] = "";
	bool refused = inner_address_refused(&facts, &p.addr, why, sizeof(why));

	tap_ok(part ? refused && strstr(why, part) : !refused, "address %s: %s%s", text,
	       part ? "refused, " : "taken", part ? part : "");
	inner_facts_free(&facts);
}

static void addresses(void)
{
	struct jvpn_prefix p = prefix("10.77.0.5");
	struct inner_facts torn = { .torn = true };
	char why[200];

	address("10.77.0.5", NULL);
	address("100.64.3.3", NULL);
	address("198.51.100.7", NULL);
	address("fd77::5", NULL);
	address("2001:db8:77::5", NULL);
	address("192.168.1.20", "own address");
	address("192.168.1.77", "network that this machine is in");
	address("192.168.1.1", "this machine");
	address("10.9.9.9", "router");
	address("fd99::1", "router");
	address("203.0.113.1", "outer address of the gateway");
	address("2001:db8:9::1", "outer address of the gateway");
	address("2001:db8:a::20", "own address");
	address("2001:db8:a::21", "network that this machine is in");
	address("0.0.0.0", "unspecified");
	address("0.1.2.3", "unspecified");
	address("127.0.0.1", "loopback");
	address("169.254.3.3", "link-local");
	address("224.0.0.1", "multicast");
	address("255.255.255.255", "broadcast");
	address("::", "unspecified");
	address("::1", "loopback");
	address("::ffff:10.77.0.5", "clothes");
	address("fe80::5", "link-local");
	address("ff02::1", "multicast");
	tap_ok(inner_address_refused(&torn, &p.addr, why, sizeof(why)),
	       "nothing is taken while not all is known");
}

static void network(const char *text, const char *part)
{
	struct inner_facts facts = laptop();
	struct jvpn_prefix p = prefix(text);
	char why[200] = "";
	bool refused = inner_network_refused(&facts, &p, why, sizeof(why));

	tap_ok(part ? refused && strstr(why, part) : !refused, "network %s: %s%s", text,
	       part ? "refused, " : "taken", part ? part : "");
	inner_facts_free(&facts);
}

static void networks(void)
{
	network("10.77.0.5/24", NULL);
	network("10.77.0.5/16", NULL);
	network("172.20.3.3/20", NULL);
	network("100.64.3.3/24", NULL);
	network("fd77::5/64", NULL);
	network("10.77.0.5/15", "not a private network");
	network("10.77.0.5/1", "not a private network");
	network("10.77.0.5/0", "not a private network");
	network("198.51.100.7/24", "not a private network");
	network("172.32.0.1/24", "not a private network");
	network("fd77::5/47", "not a private network");
	network("2001:db8:77::5/64", "not a private network");
	network("192.168.0.7/16", "holds this machine's own address");
	network("10.9.9.1/24", "holds a router");
	network("fd99::7/64", "holds a router");
}

/* --- sources ----------------------------------------------------------------------------- */

static void sources(const char *claim, const char *v4, const char *v6, const char *const *routes,
		    size_t n_routes, enum jvpn_config_sources accept, const char *expected)
{
	struct jvpn_prefix inner[2] = {}, list[8], out[64];
	struct jvpn_config_client config = { .routes = list, .n_routes = n_routes,
					     .accept_sources = accept };
	char text[512] = "", one[JVPN_ADDR_TEXT];
	size_t count;

	if (v4)
		inner[0] = prefix(v4);
	if (v6)
		inner[1] = prefix(v6);
	for (size_t i = 0; i < n_routes; i++)
		list[i] = prefix(routes[i]);
	count = inner_sources(&config, inner, out, COUNT(out));
	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 jvpn_prefix_format(&out[i], one, sizeof(one)));
	tap_text(text, expected, claim);
}

#define ROUTES JVPN_CONFIG_SOURCES_ROUTES
#define TEXTS(...) ((const char *const[]){ __VA_ARGS__ })
#define LIST(...) TEXTS(__VA_ARGS__), COUNT(TEXTS(__VA_ARGS__))

static void whose_packets(void)
{
	sources("the inner networks", "10.77.0.5/24", "fd77::5/64", NULL, 0, ROUTES,
		"10.77.0.0/24 fd77::/64");
	sources("the inner address alone", "10.77.0.5/32", NULL, NULL, 0, ROUTES, "10.77.0.5/32");
	sources("routes of both families", "10.77.0.5/24", "fd77::5/64",
		LIST("192.168.0.0/16", "fd05::/48"), ROUTES,
		"10.77.0.0/24 192.168.0.0/16 fd05::/48 fd77::/64");
	sources("no routes of a family that is not given", "10.77.0.5/24", NULL,
		LIST("192.168.0.0/16", "::/0"), ROUTES, "10.77.0.0/24 192.168.0.0/16");
	sources("a full tunnel", "10.77.0.5/24", "fd77::5/64", LIST("0.0.0.0/0", "::/0"), ROUTES,
		"0.0.0.0/0 ::/0");
	sources("what covers and what is covered", "10.77.0.5/24", NULL,
		LIST("10.0.0.0/8", "10.77.0.0/16", "9.0.0.0/8"), ROUTES, "9.0.0.0/8 10.0.0.0/8");
	sources("everything, if the file says so", "10.77.0.5/24", "fd77::5/64",
		LIST("192.168.0.0/16"), JVPN_CONFIG_SOURCES_ANY, "0.0.0.0/0 ::/0");
}

static bool covered(const struct jvpn_prefix *what, const struct jvpn_prefix *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].length <= what->length && jvpn_prefix_contains(&list[i], &what->addr))
			return true;
	return false;
}

/* More routes than the kernel takes prefixes: each is covered, and not by everything. */
static void many_routes(void)
{
	static struct jvpn_prefix list[1024];
	struct jvpn_prefix inner[2] = { prefix("10.77.0.5/24"), prefix("fd77::5/64") }, out[64];
	struct jvpn_config_client config = { .routes = list, .n_routes = COUNT(list) };
	size_t count, good = 0;
	bool narrow = true;

	for (size_t i = 0; i < COUNT(list); i++) {
		list[i] = prefix(i % 2 ? "10.0.0.0/24" : "fd05::/48");
		list[i].addr.bytes[i % 2 ? 1 : 4] = (uint8_t)(i * 37);
		list[i].addr.bytes[i % 2 ? 2 : 5] = (uint8_t)(i / 7);
	}
	count = inner_sources(&config, inner, out, COUNT(out));
	for (size_t i = 0; i < COUNT(list); i++)
		good += covered(&list[i], out, count);
	for (size_t i = 0; i < count; i++)
		narrow = narrow && out[i].length >= 8 && !jvpn_prefix_has_host_bits(&out[i]);
	tap_ok(count && count <= COUNT(out), "no more than there is room for");
	tap_equal(good, COUNT(list), "each route is covered");
	tap_ok(narrow, "by nothing that is much wider");
}

int main(void)
{
	addresses();
	networks();
	whose_packets();
	many_routes();
	return tap_done();
}
