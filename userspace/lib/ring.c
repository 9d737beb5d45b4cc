// SPDX-License-Identifier: GPL-2.0

#include "ring.h"

static bool slot_expired(const struct jvpn_ring_slot *slot, u64 now_ms)
{
	return now_ms - slot->birth_ms >= JVPN_RING_LIFE_MS;
}

static void slot_wipe(struct jvpn_ring_slot *slot)
{
	jvpn_wipe(slot, sizeof(*slot));
}

static void slot_make(struct jvpn_ring_slot *slot, u8 kid, u64 now_ms,
		      const struct jvpn_rng *rng)
{
	slot->live = true;
	slot->kid = kid;
	slot->birth_ms = now_ms;
	jvpn_rng_fill(rng, slot->ck, sizeof(slot->ck));
	jvpn_dh_generate(slot->e_s, slot->e_s_pub, rng);
}

void jvpn_ring_advance(struct jvpn_ring *ring, u64 now_ms, const struct jvpn_rng *rng)
{
	struct jvpn_ring_slot *newest = &ring->slot[ring->newest];
	u8 kid = newest->kid;
	size_t i;

	if (newest->live && now_ms - newest->birth_ms < JVPN_RING_STEP_MS)
		newest = NULL;
	for (i = 0; i < JVPN_RING_SLOTS; i++) {
		if (ring->slot[i].live && slot_expired(&ring->slot[i], now_ms))
			slot_wipe(&ring->slot[i]);
	}
	if (!newest)
		return;
	ring->newest = (ring->newest + 1) % JVPN_RING_SLOTS;
	slot_make(&ring->slot[ring->newest], kid + 1, now_ms, rng);
}

void jvpn_ring_wipe(struct jvpn_ring *ring)
{
	jvpn_wipe(ring, sizeof(*ring));
}

const struct jvpn_ring_slot *jvpn_ring_current(struct jvpn_ring *ring, u64 now_ms,
					       const struct jvpn_rng *rng)
{
	jvpn_ring_advance(ring, now_ms, rng);
	return &ring->slot[ring->newest];
}

const struct jvpn_ring_slot *jvpn_ring_find(const struct jvpn_ring *ring, u8 kid, u64 now_ms)
{
	size_t i;

	for (i = 0; i < JVPN_RING_SLOTS; i++) {
		const struct jvpn_ring_slot *slot = &ring->slot[i];

		if (slot->live && slot->kid == kid && !slot_expired(slot, now_ms))
			return slot;
	}
	return NULL;
}

void jvpn_ring_cookie_make(const struct jvpn_ring_slot *slot, u32 expiry_s,
			   const struct jvpn_ring_binding *binding,
			   struct jvpn_wire_addr_cookie *cookie)
{
	const struct jvpn_path *path = binding->path;
	__le32 expiry = jvpn_cpu_to_le32(expiry_s);

	memset(cookie, 0, sizeof(*cookie));
	cookie->kid = slot->kid;
	cookie->expiry = expiry;
	jvpn_bl(cookie->mac, sizeof(cookie->mac), slot->ck, sizeof(slot->ck),
		JVPN_SLICE_TEXT("jvpn cookie"), JVPN_SLICE(&cookie->kid, 1),
		JVPN_SLICE(&expiry, sizeof(expiry)),
		JVPN_SLICE(&path->remote, sizeof(path->remote)),
		JVPN_SLICE(&path->local, sizeof(path->local)),
		JVPN_SLICE(&path->transport, 1),
		JVPN_SLICE(binding->sid, JVPN_WIRE_SID), JVPN_SLICE(binding->nc, JVPN_WIRE_NC),
		JVPN_SLICE(binding->ns, JVPN_WIRE_NS), JVPN_SLICE(binding->h1, JVPN_WIRE_HASH));
}

enum jvpn_verdict jvpn_ring_cookie_check(const struct jvpn_ring *ring,
					 const struct jvpn_wire_addr_cookie *cookie,
					 const struct jvpn_ring_binding *binding, u64 now_ms,
					 const struct jvpn_ring_slot **slot)
{
	const struct jvpn_ring_slot *found = jvpn_ring_find(ring, cookie->kid, now_ms);
	u32 expiry_s = jvpn_le32_to_cpu(cookie->expiry);
	struct jvpn_wire_addr_cookie wanted;

	if (!found)
		return JVPN_VERDICT_STALE_KID;
	jvpn_ring_cookie_make(found, expiry_s, binding, &wanted);
	if (!jvpn_equal(&wanted, cookie, sizeof(wanted)))
		return JVPN_VERDICT_STALE_COOKIE;
	if (expiry_s < now_ms / 1000)
		return JVPN_VERDICT_STALE_EXPIRED;
	*slot = found;
	return JVPN_VERDICT_OK;
}
