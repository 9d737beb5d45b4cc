/* SPDX-License-Identifier: GPL-2.0 */
/* One generation of traffic keys: send counter, replay window, age. */
#ifndef JVPN_EPOCH_H
#define JVPN_EPOCH_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/spinlock.h>

#include "aead.h"
#include "core/window.h"

/**
 * struct jvpn_epoch_keys - what an epoch is made of, as netlink delivers it
 */
struct jvpn_epoch_keys {
	u32 number;
	u32 rx_index;
	u32 tx_index;
	u8 rx_key[JVPN_KEY_SIZE];
	u8 rx_iv[JVPN_IV_SIZE];
	u8 tx_key[JVPN_KEY_SIZE];
	u8 tx_iv[JVPN_IV_SIZE];
};

/**
 * struct jvpn_epoch - part of exactly one binding, never shared or re-used
 * @number: epoch number E
 * @rx_index: index of received packets
 * @tx_index: index of sent packets
 * @rx: receive key
 * @tx: send key
 * @born: CLOCK_BOOTTIME of the install, ms
 * @next: next send counter
 * @lock: serialises @window and @closed
 * @closed: nothing more is accepted; set before the next binding is published
 * @window: counters received
 */
struct jvpn_epoch {
	u32 number;
	u32 rx_index;
	u32 tx_index;
	struct jvpn_key rx;
	struct jvpn_key tx;
	u64 born;
	atomic64_t next ____cacheline_aligned_in_smp;
	spinlock_t lock ____cacheline_aligned_in_smp;
	bool closed;
	struct jvpn_window window;
};

void jvpn_epoch_init(struct jvpn_epoch *e, const struct jvpn_epoch_keys *keys, u64 now_ms);

/**
 * jvpn_epoch_begin() - the epoch may be used from now on
 * @e: the epoch, just initialised; none with its receive index is linked
 *
 * A key that was used may come again: its binding was given up before it was committed, and is
 * installed anew. No counter comes again with it, since they count on from the time since boot
 * in ns, which keys do not outlive and no sender catches up with.
 */
void jvpn_epoch_begin(struct jvpn_epoch *e);

/**
 * jvpn_epoch_reserve() - take send counters for a batch
 * @e: the epoch
 * @n: how many
 * @first: receives the first of them
 *
 * Return: false if the key is exhausted.
 */
bool jvpn_epoch_reserve(struct jvpn_epoch *e, unsigned int n, u64 *first);

/* Nothing is accepted under this epoch once this has returned. */
void jvpn_epoch_close(struct jvpn_epoch *e);

static inline bool jvpn_epoch_expired(const struct jvpn_epoch *e, u32 reject_after_ms, u64 now_ms)
{
	return now_ms >= e->born + reject_after_ms;
}

#endif
