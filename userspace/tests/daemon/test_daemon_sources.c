// SPDX-License-Identifier: GPL-2.0
/* Limits of each source, and that no flood takes another's share. */
#include <sodium.h>

#include "../../jvpnd/sources.h"
#include "../tap.h"

static struct jvpn_addr v4(uint32_t number)
{
	struct jvpn_addr a = { .family = AF_INET };

	memcpy(a.bytes, &number, sizeof(number));
	return a;
}

static unsigned int taken(struct sources *s, const struct jvpn_addr *a, unsigned int tries,
			  uint64_t now)
{
	unsigned int count = 0;

	while (tries--)
		count += sources_take(s, a, 10, now);
	return count;
}

int main(void)
{
	struct sources *s;
	struct jvpn_addr a = v4(1), b = v4(2);
	struct jvpn_addr six = { .family = AF_INET6, .bytes = { 0xfd, [15] = 1 } };
	struct jvpn_addr neighbour = { .family = AF_INET6, .bytes = { 0xfd, [15] = 2 } };
	struct jvpn_addr other = { .family = AF_INET6, .bytes = { 0xfd, [7] = 1, [15] = 1 } };
	struct jvpn_addr far = { .family = AF_INET6, .bytes = { 0xfd, [5] = 1, [15] = 1 } };
	bool known = true;

	if (sodium_init() < 0)
		return 1;
	s = sources_new(SOURCES_SITE);
	tap_equal(taken(s, &six, 100, 1000), 10, "a site gets its share");
	tap_equal(taken(s, &other, 100, 1000), 0, "all networks of it share it");
	tap_equal(taken(s, &far, 100, 1000), 10, "those of another one do not");
	sources_free(s);
	s = sources_new(SOURCES_NETWORK);
	tap_equal(taken(s, &a, 100, 1000), 10, "a source gets its share");
	tap_equal(taken(s, &b, 100, 1000), 10, "another one its own");
	tap_equal(taken(s, &a, 100, 1500), 5, "it fills with time");
	tap_equal(taken(s, &a, 100, 60000), 10, "and not above one second's");
	tap_equal(taken(s, &six, 100, 1000), 10, "an IPv6 source gets its share");
	tap_equal(taken(s, &neighbour, 100, 1000), 0, "addresses of one /64 share it");
	tap_equal(taken(s, &other, 100, 1000), 10, "those of another /64 do not");
	tap_ok(sources_one_network(&six, &neighbour) && !sources_one_network(&six, &other) &&
	       !sources_one_network(&a, &b) && sources_one_network(&a, &a),
	       "a network is an address, or a /64");
	tap_ok(sources_one_site(&six, &other) && !sources_one_site(&six, &far) &&
	       !sources_one_site(&a, &b) && !sources_one_site(&a, &six),
	       "a site is an address, or a /48");
	/* A flood of sources makes the table forget; a flood is what it is forgotten by. */
	for (uint32_t i = 100; i < 2000000; i++) {
		struct jvpn_addr flood = v4(i);

		known = known && sources_take(s, &flood, 10, 70000);
	}
	tap_ok(known, "a million sources are served, the table does not grow");
	tap_ok(sources_take(s, &b, 10, 70001), "and one that was silent is served, too");
	sources_free(s);
	return tap_done();
}
