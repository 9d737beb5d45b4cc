/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_POOL_H
#define JVPND_POOL_H

/*
 * Inner addresses of a gateway: each has one owner, always.
 *
 * The owner is a peer, by its key. Its sessions hold the address, each for
 * itself: a new session takes over that of the one it replaces, and the end of
 * one takes nothing from the other. When nobody holds it any longer it is in
 * quarantine: late packets of the former owner's connections must not reach
 * somebody else. Its owner gets it back at any time.
 *
 * A peer is looked for among what it owned lately, then at the place in the
 * pool that its key hashes to, so that it gets the same address again as long
 * as nobody else has it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/jvpn.h>

#include "addr.h"
#include "keys.h"

/* What a peer may leave in quarantine and still choose; then it gets that back. */
#define POOL_RESTING_MAX 2

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *pool);

/*
 * The configuration says whose it is, from now on: nobody else gets it, not
 * even after its present holder. False without memory.
 */
bool pool_reserve(struct pool *pool, const struct jvpn_addr *addr,
		  const uint8_t peer[JVPN_KEYS_SIZE]);
void pool_unreserve_all(struct pool *pool);

/* May the peer own addr now? It may be that a session of it holds it already. */
bool pool_may_own(const struct pool *pool, const struct jvpn_addr *addr,
		  const uint8_t peer[JVPN_KEYS_SIZE], uint64_t now_ms);
bool pool_is_held(const struct pool *pool, const struct jvpn_addr *addr);

/* A session of the peer holds addr. False: it must not, or there is no memory. */
bool pool_hold(struct pool *pool, const struct jvpn_addr *addr,
	       const uint8_t peer[JVPN_KEYS_SIZE], const uint8_t session[JVPN_SESSION_ID_SIZE],
	       uint64_t now_ms);
/* The session lets go; nothing happens if it does not hold addr. */
void pool_release(struct pool *pool, const struct jvpn_addr *addr,
		  const uint8_t session[JVPN_SESSION_ID_SIZE], uint64_t now_ms,
		  uint64_t quarantine_ms);

/* How many addresses the peer let go of that are still in quarantine. */
unsigned int pool_resting(const struct pool *pool, const uint8_t peer[JVPN_KEYS_SIZE],
			  uint64_t now_ms);

/* Find a host address of network for the peer that nobody holds. False: there is none. */
bool pool_choose(const struct pool *pool, const struct jvpn_prefix *network,
		 const uint8_t peer[JVPN_KEYS_SIZE], uint64_t now_ms, struct jvpn_addr *addr);

/* Is addr a host address of network (not its network or broadcast address)? */
bool pool_is_host_of(const struct jvpn_prefix *network, const struct jvpn_addr *addr);

/* Forget what is free for everybody. Call it now and then. */
void pool_tidy(struct pool *pool, uint64_t now_ms);

#endif
