/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_RING_H
#define JVPN_RING_H

/*
 * The challenge ring of a gateway: the few short-lived secrets that make
 * CHALLENGE stateless. In RAM only; a restart makes every old cookie stale.
 */

#include "crypto.h"

#define JVPN_RING_SLOTS		3
#define JVPN_RING_STEP_MS	15000
#define JVPN_RING_LIFE_MS	(JVPN_RING_SLOTS * JVPN_RING_STEP_MS)

#define JVPN_RING_TTL_S		5	/* of a cookie */
#define JVPN_RING_TTL_STANDBY_S	30

/**
 * struct jvpn_ring_slot - secrets of 15 seconds of challenges
 * @live: slot holds secrets
 * @kid: names the slot in cookies
 * @birth_ms: erased 45 s later
 * @ck: cookie MAC key
 * @e_s: ephemeral secret of the Noise initiator, the gateway
 * @e_s_pub: its point
 */
struct jvpn_ring_slot {
	bool live;
	u8 kid;
	u64 birth_ms;
	u8 ck[JVPN_WIRE_KEY];
	u8 e_s[JVPN_WIRE_KEY];
	u8 e_s_pub[JVPN_WIRE_KEY];
};

/* Zeroed is a valid start. */
struct jvpn_ring {
	struct jvpn_ring_slot slot[JVPN_RING_SLOTS];
	u8 newest;
};

/*
 * Erase what is 45 s old, make a new slot if the newest is 15 s old. Call it
 * from a timer as well (once a second), so that secrets die in an idle gateway.
 */
void jvpn_ring_advance(struct jvpn_ring *ring, u64 now_ms, const struct jvpn_rng *rng);
void jvpn_ring_wipe(struct jvpn_ring *ring);

/* The slot that new challenges use; advances the ring. */
const struct jvpn_ring_slot *jvpn_ring_current(struct jvpn_ring *ring, u64 now_ms,
					       const struct jvpn_rng *rng);
/* The live slot of that kid, or NULL. Never one that should have been erased. */
const struct jvpn_ring_slot *jvpn_ring_find(const struct jvpn_ring *ring, u8 kid, u64 now_ms);

/* What an address cookie is bound to. */
struct jvpn_ring_binding {
	const struct jvpn_path *path;
	const u8 *sid;
	const u8 *nc;
	const u8 *ns;
	const u8 *h1;
};

void jvpn_ring_cookie_make(const struct jvpn_ring_slot *slot, u32 expiry_s,
			   const struct jvpn_ring_binding *binding,
			   struct jvpn_wire_addr_cookie *cookie);
/* STALE_KID, STALE_EXPIRED, STALE_COOKIE; on OK *slot is the cookie's. */
enum jvpn_verdict jvpn_ring_cookie_check(const struct jvpn_ring *ring,
					 const struct jvpn_wire_addr_cookie *cookie,
					 const struct jvpn_ring_binding *binding, u64 now_ms,
					 const struct jvpn_ring_slot **slot);

#endif /* JVPN_RING_H */
