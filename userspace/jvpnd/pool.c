// SPDX-License-Identifier: GPL-2.0
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define CHAINS 4096
/* Addresses looked at before a huge network counts as full. */
#define PROBES_MAX 65536
#define HOSTS_MAX ((uint64_t)1 << 32)

struct holder {
	struct holder *next;
	uint8_t session[JVPN_SESSION_ID_SIZE];
};

/**
 * struct lease - an address that is not simply free
 * @next: of its chain by address; @next_owned: by owner
 * @owner: holds it, or held it last
 * @reserved_for: the only one who may own it, if @reserved
 * @free_ms: without holders: others may own it from then on
 */
struct lease {
	struct lease *next;
	struct lease *next_owned;
	struct jvpn_addr addr;
	uint8_t owner[JVPN_KEYS_SIZE];
	bool reserved;
	uint8_t reserved_for[JVPN_KEYS_SIZE];
	struct holder *holders;
	uint64_t free_ms;
};

struct pool {
	struct lease *chains[CHAINS];
	struct lease *owned[CHAINS];
};

struct pool *pool_new(void)
{
	return calloc(1, sizeof(struct pool));
}

static void lease_free(struct lease *l)
{
	for (struct holder *h = l->holders, *next; h; h = next) {
		next = h->next;
		free(h);
	}
	free(l);
}

void pool_free(struct pool *pool)
{
	for (size_t i = 0; pool && i < CHAINS; i++) {
		for (struct lease *l = pool->chains[i], *next; l; l = next) {
			next = l->next;
			lease_free(l);
		}
	}
	free(pool);
}

/* Inner addresses come from our own pools, keys from our own file: nobody can aim at a chain. */
static size_t pool_hash(const uint8_t *bytes, size_t size)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash % CHAINS;
}

static struct lease **pool_chain(const struct pool *pool, const struct jvpn_addr *addr)
{
	return (struct lease **)&pool->chains[pool_hash(addr->bytes, sizeof(addr->bytes))];
}

static struct lease **pool_owner_chain(const struct pool *pool, const uint8_t *peer)
{
	return (struct lease **)&pool->owned[pool_hash(peer, JVPN_KEYS_SIZE)];
}

static struct lease *pool_find(const struct pool *pool, const struct jvpn_addr *addr)
{
	struct lease *l = *pool_chain(pool, addr);

	while (l && !jvpn_addr_equal(&l->addr, addr))
		l = l->next;
	return l;
}

static bool peer_equal(const uint8_t a[JVPN_KEYS_SIZE], const uint8_t b[JVPN_KEYS_SIZE])
{
	return !memcmp(a, b, JVPN_KEYS_SIZE);
}

static void lease_owner_unlink(struct pool *pool, struct lease *l)
{
	struct lease **p = pool_owner_chain(pool, l->owner);

	while (*p != l)
		p = &(*p)->next_owned;
	*p = l->next_owned;
}

static void lease_owner_link(struct pool *pool, struct lease *l,
			     const uint8_t peer[JVPN_KEYS_SIZE])
{
	struct lease **chain = pool_owner_chain(pool, peer);

	memcpy(l->owner, peer, JVPN_KEYS_SIZE);
	l->next_owned = *chain;
	*chain = l;
}

static struct lease *lease_get(struct pool *pool, const struct jvpn_addr *addr,
			       const uint8_t peer[JVPN_KEYS_SIZE])
{
	struct lease **chain = pool_chain(pool, addr), *l = pool_find(pool, addr);

	if (l)
		return l;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->addr = *addr;
	l->next = *chain;
	*chain = l;
	lease_owner_link(pool, l, peer);
	return l;
}

bool pool_reserve(struct pool *pool, const struct jvpn_addr *addr,
		  const uint8_t peer[JVPN_KEYS_SIZE])
{
	struct lease *l = lease_get(pool, addr, peer);

	if (!l)
		return false;
	l->reserved = true;
	memcpy(l->reserved_for, peer, JVPN_KEYS_SIZE);
	return true;
}

void pool_unreserve_all(struct pool *pool)
{
	for (size_t i = 0; i < CHAINS; i++)
		for (struct lease *l = pool->chains[i]; l; l = l->next)
			l->reserved = false;
}

static bool lease_may_own(const struct lease *l, const uint8_t peer[JVPN_KEYS_SIZE],
			  uint64_t now_ms)
{
	if (l->reserved && !peer_equal(l->reserved_for, peer))
		return false;
	if (peer_equal(l->owner, peer))
		return true;
	/* Quarantine is for those who get an address by chance. */
	return !l->holders && (l->reserved || now_ms >= l->free_ms);
}

bool pool_may_own(const struct pool *pool, const struct jvpn_addr *addr,
		  const uint8_t peer[JVPN_KEYS_SIZE], uint64_t now_ms)
{
	const struct lease *l = pool_find(pool, addr);

	return !l || lease_may_own(l, peer, now_ms);
}

bool pool_is_held(const struct pool *pool, const struct jvpn_addr *addr)
{
	const struct lease *l = pool_find(pool, addr);

	return l && l->holders;
}

static struct holder **lease_holder(struct lease *l,
				    const uint8_t session[JVPN_SESSION_ID_SIZE])
{
	struct holder **p = &l->holders;

	while (*p && memcmp((*p)->session, session, JVPN_SESSION_ID_SIZE))
		p = &(*p)->next;
	return p;
}

static bool lease_holder_add(struct lease *l, const uint8_t session[JVPN_SESSION_ID_SIZE])
{
	struct holder *h;

	if (*lease_holder(l, session))
		return true;
	h = calloc(1, sizeof(*h));
	if (!h)
		return false;
	memcpy(h->session, session, JVPN_SESSION_ID_SIZE);
	h->next = l->holders;
	l->holders = h;
	return true;
}

bool pool_hold(struct pool *pool, const struct jvpn_addr *addr,
	       const uint8_t peer[JVPN_KEYS_SIZE], const uint8_t session[JVPN_SESSION_ID_SIZE],
	       uint64_t now_ms)
{
	struct lease *l = lease_get(pool, addr, peer);

	if (!l || !lease_may_own(l, peer, now_ms) || !lease_holder_add(l, session))
		return false;
	if (!peer_equal(l->owner, peer)) {
		lease_owner_unlink(pool, l);
		lease_owner_link(pool, l, peer);
		l->free_ms = 0;
	}
	return true;
}

void pool_release(struct pool *pool, const struct jvpn_addr *addr,
		  const uint8_t session[JVPN_SESSION_ID_SIZE], uint64_t now_ms,
		  uint64_t quarantine_ms)
{
	struct lease *l = pool_find(pool, addr);
	struct holder **p = l ? lease_holder(l, session) : NULL, *h = p ? *p : NULL;

	if (!h)
		return;
	*p = h->next;
	free(h);
	/* An earlier holder's quarantine may be longer. */
	if (now_ms + quarantine_ms > l->free_ms)
		l->free_ms = now_ms + quarantine_ms;
}

static bool lease_rests(const struct lease *l, const uint8_t peer[JVPN_KEYS_SIZE],
			uint64_t now_ms)
{
	return peer_equal(l->owner, peer) && !l->holders && now_ms < l->free_ms;
}

unsigned int pool_resting(const struct pool *pool, const uint8_t peer[JVPN_KEYS_SIZE],
			  uint64_t now_ms)
{
	unsigned int count = 0;

	for (const struct lease *l = *pool_owner_chain(pool, peer); l; l = l->next_owned)
		count += lease_rests(l, peer, now_ms);
	return count;
}

void pool_tidy(struct pool *pool, uint64_t now_ms)
{
	for (size_t i = 0; i < CHAINS; i++) {
		for (struct lease **p = &pool->chains[i], *l; (l = *p);) {
			if (l->reserved || l->holders || now_ms < l->free_ms) {
				p = &l->next;
				continue;
			}
			*p = l->next;
			lease_owner_unlink(pool, l);
			lease_free(l);
		}
	}
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

/* What the peer had lately and nobody holds. */
static const struct lease *pool_own(const struct pool *pool, const struct jvpn_prefix *network,
				    const uint8_t peer[JVPN_KEYS_SIZE], uint64_t now_ms)
{
	const struct lease *latest = NULL;

	for (const struct lease *l = *pool_owner_chain(pool, peer); l; l = l->next_owned)
		if (peer_equal(l->owner, peer) && !l->holders && !l->reserved &&
		    pool_is_host_of(network, &l->addr) && lease_may_own(l, peer, now_ms) &&
		    (!latest || l->free_ms > latest->free_ms))
			latest = l;
	return latest;
}

bool pool_choose(const struct pool *pool, const struct jvpn_prefix *network,
		 const uint8_t peer[JVPN_KEYS_SIZE], uint64_t now_ms, struct jvpn_addr *addr)
{
	uint64_t first, hosts = pool_hosts(network, &first);
	uint64_t place = pool_place(peer) % hosts;
	uint64_t probes = hosts < PROBES_MAX ? hosts : PROBES_MAX;
	const struct lease *own = pool_own(pool, network, peer, now_ms);

	if (own) {
		*addr = own->addr;
		return true;
	}
	for (uint64_t i = 0; i < probes; i++) {
		const struct lease *l;

		*addr = pool_host_at(network, first + (place + i) % hosts);
		l = pool_find(pool, addr);
		if (!l || (!l->holders && !l->reserved && lease_may_own(l, peer, now_ms)))
			return true;
	}
	return false;
}
