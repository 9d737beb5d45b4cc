// SPDX-License-Identifier: GPL-2.0
/* Inner addresses: who gets which, and nobody gets another's. */
#include <sodium.h>

#include "../../jvpnd/pool.h"
#include "../tap.h"

static const uint8_t alice[JVPN_KEYS_SIZE] = { 1 }, bob[JVPN_KEYS_SIZE] = { 2 };

static struct jvpn_prefix prefix(const char *text)
{
	struct jvpn_prefix p = {};
	const char *why;

	jvpn_prefix_parse(&p, text, &why);
	return p;
}

static struct jvpn_addr addr(const char *text)
{
	struct jvpn_addr a = {};
	const char *why;

	jvpn_addr_parse(&a, text, &why);
	return a;
}

static void hosts_of_a_network(void)
{
	struct jvpn_prefix v4 = prefix("10.1.2.0/24"), v6 = prefix("fd00::/64");
	struct jvpn_prefix two = prefix("10.1.2.4/31"), one = prefix("10.1.2.4/32");
	struct jvpn_addr a;

	a = addr("10.1.2.0");
	tap_ok(!pool_is_host_of(&v4, &a), "the network address is no host");
	a = addr("10.1.2.255");
	tap_ok(!pool_is_host_of(&v4, &a), "the broadcast address is no host");
	a = addr("10.1.2.254");
	tap_ok(pool_is_host_of(&v4, &a), "the last address before it is one");
	a = addr("10.1.3.1");
	tap_ok(!pool_is_host_of(&v4, &a), "an address of another network is none");
	a = addr("fd00::");
	tap_ok(!pool_is_host_of(&v6, &a), "the routers' anycast address is no host");
	a = addr("fd00::1");
	tap_ok(pool_is_host_of(&v6, &a), "the next IPv6 address is one");
	a = addr("10.1.2.4");
	tap_ok(pool_is_host_of(&two, &a) && pool_is_host_of(&one, &a),
	       "networks of two and of one address are all hosts");
}

static void same_peer_same_address(void)
{
	struct pool *pool = pool_new();
	struct jvpn_prefix network = prefix("10.1.0.0/16");
	struct jvpn_addr first, again;

	pool_choose(pool, &network, alice, &first);
	pool_take(pool, &first, alice);
	pool_release(pool, &first);
	pool_choose(pool, &network, alice, &again);
	tap_ok(jvpn_addr_equal(&first, &again), "a peer that comes back gets its address again");
	pool_take(pool, &first, bob);
	pool_choose(pool, &network, alice, &again);
	tap_ok(!jvpn_addr_equal(&first, &again), "unless somebody else has it now");
	pool_free(pool);
}

static void holding(void)
{
	struct pool *pool = pool_new();
	struct jvpn_addr a = addr("10.1.2.3");

	tap_ok(pool_take(pool, &a, alice), "a free address can be taken");
	tap_ok(!pool_take(pool, &a, bob), "not by a second peer");
	tap_ok(pool_take(pool, &a, alice), "but once more by the same, for its next session");
	pool_release(pool, &a);
	tap_ok(pool_is_held(pool, &a) && !pool_take(pool, &a, bob), "one of two holders is enough");
	pool_release(pool, &a);
	tap_ok(!pool_is_held(pool, &a) && pool_take(pool, &a, bob), "then it is free");
	pool_release(pool, &a);
	pool_release(pool, &a);
	tap_ok(!pool_is_held(pool, &a), "releasing what is free does nothing");
	pool_free(pool);
}

/* Every host of a network once, then none. */
static void exhaustion(const char *text, unsigned int hosts)
{
	struct pool *pool = pool_new();
	struct jvpn_prefix network = prefix(text);
	unsigned int given = 0;
	bool good = true;
	struct jvpn_addr a;

	while (given <= hosts && pool_choose(pool, &network, alice, &a)) {
		good = good && pool_is_host_of(&network, &a) && !pool_is_held(pool, &a);
		pool_take(pool, &a, given % 2 ? alice : bob);
		given++;
	}
	tap_ok(good, "%s: only free hosts are given", text);
	tap_equal(given, hosts, "and each of them");
	pool_free(pool);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	hosts_of_a_network();
	same_peer_same_address();
	holding();
	exhaustion("10.1.2.0/24", 254);
	exhaustion("10.1.2.248/29", 6);
	exhaustion("10.1.2.4/31", 2);
	exhaustion("10.1.2.4/32", 1);
	exhaustion("fd00::10/124", 15);
	return tap_done();
}
