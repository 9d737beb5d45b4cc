/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_POOL_H
#define JVPND_POOL_H

/*
 * Inner addresses of a gateway: who holds which.
 *
 * A peer is looked for at the place in the pool that its key hashes to, so
 * that it gets the same address again as long as nobody else has it, without
 * anything being remembered. One address may be held several times by the
 * same peer: a new session takes over the address of the one it replaces,
 * and the kernel moves it at the moment the handshake is confirmed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "keys.h"

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *pool);

/* The peer holds addr once more. False: another peer holds it, or no memory. */
bool pool_take(struct pool *pool, const struct jvpn_addr *addr,
	       const uint8_t peer[JVPN_KEYS_SIZE]);
void pool_release(struct pool *pool, const struct jvpn_addr *addr);

bool pool_is_held(const struct pool *pool, const struct jvpn_addr *addr);

/* Find a free host address of network for the peer. False: none is free. */
bool pool_choose(const struct pool *pool, const struct jvpn_prefix *network,
		 const uint8_t peer[JVPN_KEYS_SIZE], struct jvpn_addr *addr);

/* Is addr a host address of network (not its network or broadcast address)? */
bool pool_is_host_of(const struct jvpn_prefix *network, const struct jvpn_addr *addr);

#endif
