// SPDX-License-Identifier: GPL-2.0
#include "inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FACTS_STEP 32
#define NETWORK_MIN_V4 16
#define NETWORK_MIN_V6 48

struct inner_range {
	struct jvpn_prefix prefix;
	const char *what;
};

#define V4(a, b, c, d, length_) \
	{ .addr = { .family = AF_INET, .bytes = { a, b, c, d } }, .length = length_ }
#define V6(length_, ...) \
	{ .addr = { .family = AF_INET6, .bytes = { __VA_ARGS__ } }, .length = length_ }

/* No host has these, or not for others to reach. */
static const struct inner_range ranges_of_nobody[] = {
	{ V4(0, 0, 0, 0, 8), "an unspecified address" },
	{ V4(127, 0, 0, 0, 8), "a loopback address" },
	{ V4(169, 254, 0, 0, 16), "a link-local address" },
	{ V4(224, 0, 0, 0, 4), "a multicast address" },
	{ V4(240, 0, 0, 0, 4), "a reserved or broadcast address" },
	{ V6(127, 0), "an unspecified or the loopback address" },
	{ V6(96, [10] = 0xff, [11] = 0xff), "an IPv4 address in IPv6's clothes" },
	{ V6(10, 0xfe, 0x80), "a link-local address" },
	{ V6(8, 0xff), "a multicast address" },
};

static const struct jvpn_prefix ranges_private[] = {
	V4(10, 0, 0, 0, 8), V4(172, 16, 0, 0, 12), V4(192, 168, 0, 0, 16), V4(100, 64, 0, 0, 10),
	V6(7, 0xfc),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const inner_kind_names[] = {
	[INNER_ADDRESS] = "this machine's own address",
	[INNER_NETWORK] = "a network that this machine is in",
	[INNER_ROUTER] = "a router of this machine",
	[INNER_GATEWAY] = "an outer address of the gateway",
};

void inner_facts_add(struct inner_facts *facts, enum inner_kind kind,
		     const struct jvpn_addr *addr, unsigned int length)
{
	struct inner_fact *grown;

	if (facts->count == facts->room) {
		grown = realloc(facts->list, (facts->room + FACTS_STEP) * sizeof(*grown));
		if (!grown) {
			facts->torn = true;
			return;
		}
		facts->list = grown;
		facts->room += FACTS_STEP;
	}
	facts->list[facts->count++] = (struct inner_fact){
		.kind = kind,
		.prefix = { .addr = *addr, .length = (uint8_t)length },
	};
}

void inner_facts_free(struct inner_facts *facts)
{
	free(facts->list);
	*facts = (struct inner_facts){};
}

static void why_fact(const struct inner_fact *fact, const char *verb, char *why, size_t size)
{
	char text[JVPN_ADDR_TEXT];

	snprintf(why, size, "%s %s (%s)", verb, inner_kind_names[fact->kind],
		 jvpn_prefix_format(&fact->prefix, text, sizeof(text)));
}

bool inner_address_refused(const struct inner_facts *facts, const struct jvpn_addr *addr,
			   char *why, size_t size)
{
	for (size_t i = 0; i < COUNT(ranges_of_nobody); i++) {
		if (!jvpn_prefix_contains(&ranges_of_nobody[i].prefix, addr))
			continue;
		snprintf(why, size, "is %s", ranges_of_nobody[i].what);
		return true;
	}
	for (size_t i = 0; i < facts->count; i++) {
		const struct inner_fact *fact = &facts->list[i];

		if (!jvpn_prefix_contains(&fact->prefix, addr))
			continue;
		why_fact(fact, fact->kind == INNER_NETWORK ? "lies in" : "is", why, size);
		return true;
	}
	if (facts->torn)
		snprintf(why, size, "cannot be compared with this machine's own");
	return facts->torn;
}

struct jvpn_prefix inner_network(const struct jvpn_prefix *prefix)
{
	unsigned int bits = jvpn_addr_bits(&prefix->addr);
	struct jvpn_prefix network = *prefix;

	for (unsigned int bit = prefix->length; bit < bits; bit++)
		network.addr.bytes[bit / 8] &= (uint8_t)~(0x80 >> (bit % 8));
	return network;
}

static bool network_is_private(const struct jvpn_prefix *network)
{
	unsigned int least = network->addr.family == AF_INET6 ? NETWORK_MIN_V6 : NETWORK_MIN_V4;

	for (size_t i = 0; i < COUNT(ranges_private); i++)
		if (network->length >= least &&
		    jvpn_prefix_contains(&ranges_private[i], &network->addr))
			return true;
	return false;
}

bool inner_network_refused(const struct inner_facts *facts, const struct jvpn_prefix *told,
			   char *why, size_t size)
{
	struct jvpn_prefix network = inner_network(told);

	if (!network_is_private(&network)) {
		snprintf(why, size, "is not a private network of at least %u (IPv6: %u) bits",
			 NETWORK_MIN_V4, NETWORK_MIN_V6);
		return true;
	}
	for (size_t i = 0; i < facts->count; i++) {
		if (!jvpn_prefix_overlaps(&network, &facts->list[i].prefix))
			continue;
		why_fact(&facts->list[i], "holds", why, size);
		return true;
	}
	if (facts->torn)
		snprintf(why, size, "cannot be compared with this machine's own");
	return facts->torn;
}

/* --- sources --------------------------------------------------------------------- */

static int prefix_compare(const void *left, const void *right)
{
	const struct jvpn_prefix *a = left, *b = right;
	int order = (a->addr.family > b->addr.family) - (a->addr.family < b->addr.family);

	if (!order)
		order = memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes));
	return order ? order : a->length - b->length;
}

static bool prefix_covers(const struct jvpn_prefix *a, const struct jvpn_prefix *b)
{
	return a->length <= b->length && jvpn_prefix_contains(a, &b->addr);
}

/* Sorted, so what covers a prefix is the last one that stays before it. */
static size_t prefixes_without_covered(struct jvpn_prefix *list, size_t count)
{
	size_t kept = 0;

	qsort(list, count, sizeof(*list), prefix_compare);
	for (size_t i = 0; i < count; i++)
		if (!kept || !prefix_covers(&list[kept - 1], &list[i]))
			list[kept++] = list[i];
	return kept;
}

/* The shortest prefix around both, which are of one family. */
static struct jvpn_prefix prefix_join(const struct jvpn_prefix *a, const struct jvpn_prefix *b)
{
	struct jvpn_prefix joined = *a;

	joined.length = a->length < b->length ? a->length : b->length;
	while (!jvpn_prefix_contains(&joined, &b->addr))
		joined.length--;
	return inner_network(&joined);
}

/* Neighbours that need to be widened least become one. */
static size_t prefixes_join_one(struct jvpn_prefix *list, size_t count)
{
	struct jvpn_prefix best = {};
	size_t at = 0;
	int longest = -1;

	for (size_t i = 0; i + 1 < count; i++) {
		struct jvpn_prefix joined;

		if (list[i].addr.family != list[i + 1].addr.family)
			continue;
		joined = prefix_join(&list[i], &list[i + 1]);
		if (joined.length <= longest)
			continue;
		longest = joined.length;
		best = joined;
		at = i;
	}
	list[at] = best;
	memmove(&list[at + 1], &list[at + 2], (count - at - 2) * sizeof(*list));
	return prefixes_without_covered(list, count - 1);
}

static bool family_given(const struct jvpn_prefix inner[2], sa_family_t family)
{
	return inner[0].addr.family == family || inner[1].addr.family == family;
}

static size_t sources_fill(const struct jvpn_config_client *config,
			   const struct jvpn_prefix inner[2], struct jvpn_prefix *list)
{
	size_t count = 0;

	for (int i = 0; i < 2; i++) {
		if (inner[i].addr.family == AF_UNSPEC)
			continue;
		list[count] = inner_network(&inner[i]);
		if (config->accept_sources == JVPN_CONFIG_SOURCES_ANY)
			list[count] = (struct jvpn_prefix){ .addr.family = inner[i].addr.family };
		count++;
	}
	for (size_t i = 0; i < config->n_routes; i++)
		if (family_given(inner, config->routes[i].addr.family))
			list[count++] = config->routes[i];
	return prefixes_without_covered(list, count);
}

size_t inner_sources(const struct jvpn_config_client *config, const struct jvpn_prefix inner[2],
		     struct jvpn_prefix *out, size_t room)
{
	struct jvpn_prefix *list = calloc(config->n_routes + 2, sizeof(*list));
	size_t count;

	if (!list)
		return 0;
	count = sources_fill(config, inner, list);
	while (count > room)
		count = prefixes_join_one(list, count);
	memcpy(out, list, count * sizeof(*list));
	free(list);
	return count;
}
