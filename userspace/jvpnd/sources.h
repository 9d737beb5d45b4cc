/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_SOURCES_H
#define JVPND_SOURCES_H

/*
 * Rate limit for each source of control packets: an IPv4 address, an IPv6 /64 or /48.
 * A table of fixed size: a flood from many forged sources makes it forget,
 * never grow. What it must not let through then is held by the cookie and by
 * the limits of the device.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

struct sources;

/* Octets of an IPv6 address that tell sources apart. */
#define SOURCES_NETWORK 8
#define SOURCES_SITE 6

struct sources *sources_new(size_t octets);
void sources_free(struct sources *sources);

/* Take one packet of the source's share. False: over the limit, drop it. */
bool sources_take(struct sources *sources, const struct jvpn_addr *source, uint32_t per_second,
		  uint64_t now_ms);
/* The same, with more than one second's at once. */
bool sources_take_burst(struct sources *sources, const struct jvpn_addr *source,
			uint32_t per_second, uint32_t burst, uint64_t now_ms);

/* One IPv4 address, or one IPv6 /64: what one sender may have for himself. */
bool sources_one_network(const struct jvpn_addr *a, const struct jvpn_addr *b);
/* One IPv4 address, or one IPv6 /48. */
bool sources_one_site(const struct jvpn_addr *a, const struct jvpn_addr *b);

#endif
