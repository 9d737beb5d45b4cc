// SPDX-License-Identifier: GPL-2.0
/* Inner addresses: who gets which, and nobody gets another's. */
#include <sodium.h>
#include <string.h>

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

#define REST 1000

static const uint8_t one[JVPN_SESSION_ID_SIZE] = { 1 }, two[JVPN_SESSION_ID_SIZE] = { 2 };

static void same_peer_same_address(void)
{
	struct pool *pool = pool_new();
	struct jvpn_prefix network = prefix("10.1.0.0/16");
	struct jvpn_addr first, again, other = addr("10.1.200.200");

	pool_choose(pool, &network, alice, 0, &first);
	pool_hold(pool, &first, alice, one, 0);
	pool_release(pool, &first, one, 0, REST);
	pool_choose(pool, &network, alice, 1, &again);
	tap_ok(jvpn_addr_equal(&first, &again), "a peer that comes back gets its address again");
	pool_hold(pool, &other, alice, one, 2);
	pool_release(pool, &other, one, 3, REST);
	pool_choose(pool, &network, alice, 4, &again);
	tap_ok(jvpn_addr_equal(&other, &again), "the last one, wherever it was");
	tap_equal(pool_resting(pool, alice, 4), 2, "both are in quarantine");
	pool_hold(pool, &other, bob, two, REST + 3);
	pool_hold(pool, &first, bob, two, REST + 3);
	pool_choose(pool, &network, alice, REST + 4, &again);
	tap_ok(!jvpn_addr_equal(&first, &again) && !jvpn_addr_equal(&other, &again),
	       "unless somebody else has them now");
	pool_free(pool);
}

static void holding(void)
{
	struct pool *pool = pool_new();
	struct jvpn_addr a = addr("10.1.2.3");

	tap_ok(pool_hold(pool, &a, alice, one, 0), "a free address can be held");
	tap_ok(!pool_hold(pool, &a, bob, two, 0), "not by a second peer");
	tap_ok(pool_hold(pool, &a, alice, two, 0), "but by the peer's next session");
	pool_release(pool, &a, one, 5, REST);
	pool_release(pool, &a, one, 5, REST);
	tap_ok(pool_is_held(pool, &a) && !pool_may_own(pool, &a, bob, 2 * REST),
	       "the end of one takes nothing from the other");
	pool_release(pool, &a, two, 10, 0);
	tap_ok(!pool_is_held(pool, &a) && !pool_hold(pool, &a, bob, one, REST + 4),
	       "then it is in quarantine, as long as the longer one says");
	tap_ok(pool_may_own(pool, &a, alice, 11), "but for its owner");
	tap_ok(pool_hold(pool, &a, bob, one, REST + 5), "then it is free");
	tap_ok(!pool_may_own(pool, &a, alice, REST + 6), "and its first owner's no longer");
	pool_release(pool, &a, two, 0, REST);
	tap_ok(pool_is_held(pool, &a), "who does not hold it cannot release it");
	pool_free(pool);
}

static void reserving(void)
{
	struct pool *pool = pool_new();
	struct jvpn_prefix network = prefix("10.1.2.0/30");
	struct jvpn_addr a = addr("10.1.2.1"), b = addr("10.1.2.2"), chosen;

	pool_hold(pool, &a, alice, one, 0);
	pool_reserve(pool, &a, bob);
	pool_reserve(pool, &b, bob);
	tap_ok(!pool_may_own(pool, &a, bob, 1), "what a session holds it holds");
	tap_ok(!pool_may_own(pool, &a, alice, 1), "but it has no successor");
	tap_ok(!pool_choose(pool, &network, alice, 1, &chosen), "nor is another's given to it");
	pool_release(pool, &a, one, 1, REST);
	tap_ok(pool_hold(pool, &a, bob, two, 2), "who has it by name needs no quarantine");
	pool_unreserve_all(pool);
	tap_ok(pool_choose(pool, &network, alice, 2, &chosen) && jvpn_addr_equal(&chosen, &b),
	       "what the file no longer names is free");
	pool_tidy(pool, 3);
	tap_ok(pool_is_held(pool, &a), "tidying takes nothing from anybody");
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

	while (given <= hosts && pool_choose(pool, &network, alice, 0, &a)) {
		good = good && pool_is_host_of(&network, &a) && !pool_is_held(pool, &a);
		pool_hold(pool, &a, given % 2 ? alice : bob, one, 0);
		given++;
	}
	tap_ok(good, "%s: only free hosts are given", text);
	tap_equal(given, hosts, "and each of them");
	pool_free(pool);
}

/* --- against a model ------------------------------------------------------------------- */

#define HOSTS 6
#define PEERS 4
#define SESSIONS 3	/* of each peer */

/* One address: whose, held by which sessions, until when it rests. */
struct model {
	int owner;		/* -1: nobody ever */
	int reserved;		/* -1: for nobody */
	bool held[SESSIONS];
	uint64_t free_ms;
};

static uint64_t random_state = 88172645463325252u;

static unsigned int any(unsigned int limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned int)(random_state % limit);
}

static bool model_is_held(const struct model *m)
{
	for (int i = 0; i < SESSIONS; i++)
		if (m->held[i])
			return true;
	return false;
}

static bool model_may_own(const struct model *m, int peer, uint64_t now)
{
	if (m->reserved >= 0 && m->reserved != peer)
		return false;
	if (m->owner < 0 || m->owner == peer)
		return true;
	return !model_is_held(m) && (m->reserved == peer || now >= m->free_ms);
}

static void names(int peer, int session, uint8_t key[JVPN_KEYS_SIZE],
		  uint8_t id[JVPN_SESSION_ID_SIZE])
{
	memset(key, 0, JVPN_KEYS_SIZE);
	memset(id, 0, JVPN_SESSION_ID_SIZE);
	key[0] = (uint8_t)(peer + 1);
	id[0] = (uint8_t)(peer * SESSIONS + session + 1);
}

static bool step_hold(struct pool *pool, struct model *m, const struct jvpn_addr *a, uint64_t now)
{
	int peer = (int)any(PEERS), session = (int)any(SESSIONS);
	bool may = model_may_own(m, peer, now);
	uint8_t key[JVPN_KEYS_SIZE], id[JVPN_SESSION_ID_SIZE];

	names(peer, session, key, id);
	if (pool_may_own(pool, a, key, now) != may || pool_hold(pool, a, key, id, now) != may)
		return false;
	if (!may)
		return true;
	if (m->owner != peer)
		m->free_ms = 0;
	m->owner = peer;
	m->held[session] = true;
	return true;
}

static bool step_release(struct pool *pool, struct model *m, const struct jvpn_addr *a,
			 uint64_t now)
{
	int peer = (int)any(PEERS), session = (int)any(SESSIONS);
	uint64_t rest = any(2) ? any(200) : 0;
	uint8_t key[JVPN_KEYS_SIZE], id[JVPN_SESSION_ID_SIZE];

	names(peer, session, key, id);
	pool_release(pool, a, id, now, rest);
	if (m->owner == peer && m->held[session]) {
		m->held[session] = false;
		m->free_ms = now + rest > m->free_ms ? now + rest : m->free_ms;
	}
	return pool_is_held(pool, a) == model_is_held(m);
}

static bool step_reserve(struct pool *pool, struct model *m, const struct jvpn_addr *all)
{
	uint8_t key[JVPN_KEYS_SIZE], id[JVPN_SESSION_ID_SIZE];
	int which = (int)any(HOSTS), peer = (int)any(PEERS);

	pool_unreserve_all(pool);
	for (int i = 0; i < HOSTS; i++)
		m[i].reserved = -1;
	m[which].reserved = peer;
	if (m[which].owner < 0)
		m[which].owner = peer;
	names(peer, 0, key, id);
	return pool_reserve(pool, &all[which], key);
}

/* What is chosen nobody holds, and the peer may own it. Nothing is chosen if there is nothing. */
static bool step_choose(struct pool *pool, const struct model *m, const struct jvpn_addr *all,
			const struct jvpn_prefix *network, uint64_t now)
{
	uint8_t key[JVPN_KEYS_SIZE], id[JVPN_SESSION_ID_SIZE];
	int peer = (int)any(PEERS);
	struct jvpn_addr a;
	bool some = false;

	names(peer, 0, key, id);
	if (pool_choose(pool, network, key, now, &a)) {
		for (int i = 0; i < HOSTS; i++)
			if (jvpn_addr_equal(&a, &all[i]))
				return !model_is_held(&m[i]) && m[i].reserved < 0 &&
				       model_may_own(&m[i], peer, now);
		return false;
	}
	for (int i = 0; i < HOSTS; i++)
		some |= !model_is_held(&m[i]) && m[i].reserved < 0 &&
			model_may_own(&m[i], peer, now);
	return !some;
}

static void model_tidy(struct model *m, uint64_t now)
{
	for (int i = 0; i < HOSTS; i++)
		if (m[i].reserved < 0 && !model_is_held(&m[i]) && now >= m[i].free_ms)
			m[i].owner = -1;
}

static bool step(struct pool *pool, struct model *m, const struct jvpn_addr *all,
		 const struct jvpn_prefix *network, uint64_t now)
{
	unsigned int which = any(HOSTS);

	switch (any(16)) {
	case 0:
		return step_reserve(pool, m, all);
	case 1:
		pool_tidy(pool, now);
		model_tidy(m, now);
		return true;
	case 2 ... 5:
		return step_choose(pool, m, all, network, now);
	case 6 ... 10:
		return step_release(pool, &m[which], &all[which], now);
	default:
		return step_hold(pool, &m[which], &all[which], now);
	}
}

static void against_model(void)
{
	struct pool *pool = pool_new();
	struct jvpn_prefix network = prefix("10.1.2.248/29");
	struct model m[HOSTS];
	struct jvpn_addr all[HOSTS];
	unsigned int good = 0;
	uint64_t now = 0;

	for (int i = 0; i < HOSTS; i++) {
		m[i] = (struct model){ .owner = -1, .reserved = -1 };
		all[i] = network.addr;
		all[i].bytes[3] += (uint8_t)(i + 1);
	}
	for (unsigned int i = 0; i < 200000; i++) {
		now += any(20);
		if (!step(pool, m, all, &network, now))
			break;
		good++;
	}
	tap_equal(good, 200000, "random steps: pool and model agree");
	pool_free(pool);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	hosts_of_a_network();
	same_peer_same_address();
	holding();
	reserving();
	exhaustion("10.1.2.0/24", 254);
	exhaustion("10.1.2.248/29", 6);
	exhaustion("10.1.2.4/31", 2);
	exhaustion("10.1.2.4/32", 1);
	exhaustion("fd00::10/124", 15);
	against_model();
	return tap_done();
}
