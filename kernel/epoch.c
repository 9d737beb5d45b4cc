// SPDX-License-Identifier: GPL-2.0
#include "epoch.h"

#include <linux/ktime.h>

#include "compat.h"
#include "core/blake2b.h"

/* Of this and the time since boot the sum is below JVPN_COUNTER_MAX for 18 years. */
#define COUNTER_HIDDEN_MAX (JVPN_COUNTER_MAX / 2)

/*
 * What a key's counters are moved by, so that nobody reads from them how long the machine has been
 * up, or knows it by that on another path. For one key it is always the same.
 */
static u64 counter_hidden(const struct jvpn_epoch_keys *keys)
{
	static const u8 label[] = "jvpn first counter";
	u8 mac[sizeof(u64)];

	jvpn_blake2b_mac(mac, sizeof(mac), keys->tx_key, sizeof(keys->tx_key), label,
			 sizeof(label) - 1);
	return get_unaligned_le64(mac) % COUNTER_HIDDEN_MAX;
}

void jvpn_epoch_init(struct jvpn_epoch *e, const struct jvpn_epoch_keys *keys, u64 now_ms)
{
	e->number = keys->number;
	e->rx_index = keys->rx_index;
	e->tx_index = keys->tx_index;
	jvpn_key_load(&e->rx, keys->rx_key, keys->rx_iv);
	jvpn_key_load(&e->tx, keys->tx_key, keys->tx_iv);
	e->born = now_ms;
	atomic64_set(&e->next, counter_hidden(keys));
	spin_lock_init(&e->lock);
}

void jvpn_epoch_begin(struct jvpn_epoch *e)
{
	atomic64_add(ktime_get_boottime_ns(), &e->next);
}

bool jvpn_epoch_reserve(struct jvpn_epoch *e, unsigned int n, u64 *first)
{
	u64 end = atomic64_add_return(n, &e->next);

	*first = end - n;
	return end <= JVPN_COUNTER_MAX;
}

void jvpn_epoch_close(struct jvpn_epoch *e)
{
	spin_lock_bh(&e->lock);
	e->closed = true;
	spin_unlock_bh(&e->lock);
}
