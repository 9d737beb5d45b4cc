// SPDX-License-Identifier: GPL-2.0
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define CHAINS 4096
/* Addresses looked at before a huge network counts as full. */
#define PROBES_MAX 65536
#define HOSTS_MAX ((uint64_t)1 << 32)

struct holding {
	struct holding *next;
	struct jvpn_addr addr;
	uint8_t peer[JVPN_KEYS_SIZE];
	unsigned int count;
};

struct pool {
	struct holding *chains[CHAINS];
};

struct pool *pool_new(void)
{
	return calloc(1, sizeof(struct pool));
}

void pool_free(struct pool *pool)
{
	for (size_t i = 0; pool && i < CHAINS; i++) {
		for (struct holding *h = pool->chains[i], *next; h; h = next) {
			next = h->next;
			free(h);
		}
	}
	free(pool);
}

/* Inner addresses come from our own pools: nobody can aim at a chain. */
static size_t pool_chain(const struct jvpn_addr *addr)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < sizeof(addr->bytes); i++)
		hash = (hash ^ addr->bytes[i]) * 16777619u;
	return hash % CHAINS;
}

static struct holding **pool_find(const struct pool *pool, const struct jvpn_addr *addr)
{
	struct holding **p = (struct holding **)&pool->chains[pool_chain(addr)];

	while (*p && !jvpn_addr_equal(&(*p)->addr, addr))
		p = &(*p)->next;
	return p;
}

bool pool_take(struct pool *pool, const struct jvpn_addr *addr,
	       const uint8_t peer[JVPN_KEYS_SIZE])
{
	struct holding **p = pool_find(pool, addr), *h = *p;

	if (h && memcmp(h->peer, peer, JVPN_KEYS_SIZE))
		return false;
	if (!h) {
		h = calloc(1, sizeof(*h));
		if (!h)
			return false;
		h->addr = *addr;
		memcpy(h->peer, peer, JVPN_KEYS_SIZE);
		*p = h;
	}
	h->count++;
	return true;
}

void pool_release(struct pool *pool, const struct jvpn_addr *addr)
{
	struct holding **p = pool_find(pool, addr), *h = *p;

	if (!h || --h->count)
		return;
	*p = h->next;
	free(h);
}

bool pool_is_held(const struct pool *pool, const struct jvpn_addr *addr)
{
	return *pool_find(pool, addr);
}

/* Hosts of a network: IPv4 without its first and last address, IPv6 without its first. */
static uint64_t pool_hosts(const struct jvpn_prefix *network, uint64_t *first)
{
	unsigned int bits = jvpn_addr_bits(&network->addr) - network->length;
	uint64_t size = bits >= 32 ? HOSTS_MAX : (uint64_t)1 << bits;
	bool is_ipv4 = network->addr.family == AF_INET;

	*first = bits >= 2 ? 1 : 0;
	return bits >= 2 ? size - (is_ipv4 ? 2 : 1) : size;
}

static uint32_t pool_low_word(const struct jvpn_addr *addr)
{
	const uint8_t *low = addr->bytes + jvpn_addr_bits(addr) / 8 - 4;

	return (uint32_t)low[0] << 24 | (uint32_t)low[1] << 16 | (uint32_t)low[2] << 8 | low[3];
}

static struct jvpn_addr pool_host_at(const struct jvpn_prefix *network, uint64_t offset)
{
	struct jvpn_addr addr = network->addr;
	uint8_t *low = addr.bytes + jvpn_addr_bits(&addr) / 8 - 4;
	uint32_t word = pool_low_word(&addr) + (uint32_t)offset;

	for (int i = 0; i < 4; i++)
		low[i] = (uint8_t)(word >> (24 - 8 * i));
	return addr;
}

bool pool_is_host_of(const struct jvpn_prefix *network, const struct jvpn_addr *addr)
{
	uint64_t first, hosts = pool_hosts(network, &first), offset;

	if (!jvpn_prefix_contains(network, addr))
		return false;
	offset = (uint32_t)(pool_low_word(addr) - pool_low_word(&network->addr));
	return offset >= first && offset < first + hosts;
}

static uint64_t pool_place(const uint8_t peer[JVPN_KEYS_SIZE])
{
	static const uint8_t key[crypto_shorthash_KEYBYTES] = "jvpn inner addr";
	uint64_t place;

	crypto_shorthash((uint8_t *)&place, peer, JVPN_KEYS_SIZE, key);
	return place;
}

bool pool_choose(const struct pool *pool, const struct jvpn_prefix *network,
		 const uint8_t peer[JVPN_KEYS_SIZE], struct jvpn_addr *addr)
{
	uint64_t first, hosts = pool_hosts(network, &first);
	uint64_t place = pool_place(peer) % hosts;
	uint64_t probes = hosts < PROBES_MAX ? hosts : PROBES_MAX;

	for (uint64_t i = 0; i < probes; i++) {
		*addr = pool_host_at(network, first + (place + i) % hosts);
		if (!pool_is_held(pool, addr))
			return true;
	}
	return false;
}
