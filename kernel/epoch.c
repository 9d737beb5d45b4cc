// SPDX-License-Identifier: GPL-2.0
#include "epoch.h"

void jvpn_epoch_init(struct jvpn_epoch *e, const struct jvpn_epoch_keys *keys, u64 now_ms)
{
	e->number = keys->number;
	e->rx_index = keys->rx_index;
	e->tx_index = keys->tx_index;
	jvpn_key_load(&e->rx, keys->rx_key, keys->rx_iv);
	jvpn_key_load(&e->tx, keys->tx_key, keys->tx_iv);
	e->born = now_ms;
	atomic64_set(&e->next, 0);
	spin_lock_init(&e->lock);
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
