// SPDX-License-Identifier: GPL-2.0
#include "sources.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/limits.h"

#define SETS 1024
#define WAYS 4

struct source {
	struct jvpn_addr addr;
	struct jvpn_bucket bucket;
};

struct sources {
	size_t octets;
	uint8_t key[crypto_shorthash_KEYBYTES];	/* so that nobody can aim at a set */
	struct source table[SETS][WAYS];
};

struct sources *sources_new(size_t octets)
{
	struct sources *sources = calloc(1, sizeof(*sources));

	if (!sources)
		return NULL;
	sources->octets = octets;
	randombytes_buf(sources->key, sizeof(sources->key));
	return sources;
}

void sources_free(struct sources *sources)
{
	free(sources);
}

static struct source *sources_set(struct sources *sources, const struct jvpn_addr *addr)
{
	uint8_t hash[crypto_shorthash_BYTES];

	crypto_shorthash(hash, addr->bytes, sizeof(addr->bytes), sources->key);
	return sources->table[(hash[0] | hash[1] << 8) % SETS];
}

/* The entry of addr, or the one of its set that was idle longest, made anew. */
static struct source *sources_entry(struct sources *sources, const struct jvpn_addr *addr,
				    uint32_t burst, uint64_t now_ms)
{
	struct source *set = sources_set(sources, addr), *oldest = set;

	for (struct source *s = set; s < set + WAYS; s++) {
		if (jvpn_addr_equal(&s->addr, addr))
			return s;
		if (s->bucket.stamp < oldest->bucket.stamp)
			oldest = s;
	}
	oldest->addr = *addr;
	jvpn_bucket_init(&oldest->bucket, burst, now_ms);
	return oldest;
}

static struct jvpn_addr source_cut(const struct jvpn_addr *addr, size_t octets)
{
	struct jvpn_addr cut = *addr;

	if (addr->family == AF_INET6)
		memset(cut.bytes + octets, 0, sizeof(cut.bytes) - octets);
	return cut;
}

static bool sources_equal(const struct jvpn_addr *a, const struct jvpn_addr *b, size_t octets)
{
	const struct jvpn_addr cut = source_cut(a, octets), other = source_cut(b, octets);

	return jvpn_addr_equal(&cut, &other);
}

bool sources_one_network(const struct jvpn_addr *a, const struct jvpn_addr *b)
{
	return sources_equal(a, b, SOURCES_NETWORK);
}

bool sources_one_site(const struct jvpn_addr *a, const struct jvpn_addr *b)
{
	return sources_equal(a, b, SOURCES_SITE);
}

bool sources_take_burst(struct sources *sources, const struct jvpn_addr *source,
			uint32_t per_second, uint32_t burst, uint64_t now_ms)
{
	const struct jvpn_addr addr = source_cut(source, sources->octets);
	struct source *entry = sources_entry(sources, &addr, burst, now_ms);

	return jvpn_bucket_take(&entry->bucket, per_second, burst, 1, now_ms);
}

bool sources_take(struct sources *sources, const struct jvpn_addr *source, uint32_t per_second,
		  uint64_t now_ms)
{
	return sources_take_burst(sources, source, per_second, per_second, now_ms);
}
