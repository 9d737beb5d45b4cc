// SPDX-License-Identifier: GPL-2.0
#include "session.h"

#include "compat.h"
#include "deadline.h"
#include "device.h"
#include "hold.h"

atomic_t jvpn_sessions_alive = ATOMIC_INIT(0);

const struct jvpn_policy jvpn_policy_default = {
	.name = "default",
	.version = 0,
	.transport_loss_ttl_ms = 120000,
	.idle_interval_ms = 10000,
	.active_interval_ms = 1000,
	.dead_base_ms = 700,
	.dead_rtts = 3,
	.rx_timeout_ms = 45000,
	.reject_after_ms = 180000,
	.hold_bytes = 1 << 20,
};

struct jvpn_session *jvpn_session_alloc(struct jvpn_device *jd,
					const struct jvpn_session_params *params)
{
	struct jvpn_session *s;
	u32 i;

	s = kzalloc(struct_size(s, prefixes, params->prefix_count), GFP_KERNEL_ACCOUNT);
	if (!s)
		return NULL;
	s->flow = __netdev_alloc_pcpu_stats(struct jvpn_flow, GFP_KERNEL_ACCOUNT);
	if (!s->flow) {
		kfree(s);
		return NULL;
	}
	memcpy(s->id, params->id, sizeof(s->id));
	memcpy(s->label, params->label, sizeof(s->label));
	memcpy(s->peer_id, params->peer_id, sizeof(s->peer_id));
	s->dead = true;
	s->role = params->role;
	s->jd = jd;
	s->created = ktime_to_ms(ktime_get_real());
	s->policy = params->policy;
	s->session_deadline = params->session_deadline;
	s->lease_deadline = params->lease_deadline;
	s->birth_deadline = params->birth_deadline;
	s->peer_version = params->peer_version;
	s->peer_epoch = params->peer_epoch;
	s->state = JVPN_STATE_BIRTH;
	s->prefix_count = params->prefix_count;
	for (i = 0; i < params->prefix_count; i++) {
		s->prefixes[i].key = params->prefixes[i];
		s->prefixes[i].session = s;
	}
	spin_lock_init(&s->lock);
	spin_lock_init(&s->unbound.lock);
	jvpn_hold_init(s);
	jvpn_deadline_init(s);
	jvpn_probe_init(s);
	dev_hold(jd->dev);
	atomic_inc(&jvpn_sessions_alive);
	return s;
}

static void session_free(struct jvpn_session *s)
{
	struct net_device *dev = s->jd->dev;

	free_percpu(s->flow);
	kfree_sensitive(s);
	atomic_dec(&jvpn_sessions_alive);
	dev_put(dev);
}

static void session_free_rcu(struct rcu_head *rcu)
{
	struct jvpn_session *s = container_of(rcu, struct jvpn_session, rcu);

	/* Whoever still held it may have let a packet wait. */
	jvpn_hold_purge(s);
	session_free(s);
}

void jvpn_session_begin(struct jvpn_session *s)
{
	lockdep_assert_held(&s->jd->mutex);
	spin_lock_bh(&s->lock);
	s->dead = false;
	jvpn_deadline_arm_locked(s);
	spin_unlock_bh(&s->lock);
}

void jvpn_session_discard(struct jvpn_session *s)
{
	jvpn_binding_purge(s);
	call_rcu(&s->rcu, session_free_rcu);
}

void jvpn_session_remove(struct jvpn_session *s)
{
	lockdep_assert_held(&s->jd->mutex);
	/* Unlinked: no request and, its bindings gone, no packet finds it. */
	jvpn_table_del_session(&s->jd->table, s);
	spin_lock_bh(&s->lock);
	s->dead = true;
	spin_unlock_bh(&s->lock);
	jvpn_binding_purge(s);
	/* Dead: the timers that run now are not started again. */
	hrtimer_cancel(&s->timer);
	hrtimer_cancel(&s->probe.timer);
	jvpn_hold_stop(s);
	call_rcu(&s->rcu, session_free_rcu);
}

const struct jvpn_transition *jvpn_session_past(const struct jvpn_session *s, u32 n)
{
	if (n >= JVPN_HISTORY_SIZE || n >= s->version)
		return NULL;
	return &s->history[(s->version - 1 - n) % JVPN_HISTORY_SIZE];
}

void jvpn_session_sum(const struct jvpn_session *s, struct jvpn_flow_sum *sum)
{
	struct jvpn_flow_sum one;
	unsigned int start;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct jvpn_flow *f = per_cpu_ptr(s->flow, cpu);

		do {
			start = u64_stats_fetch_begin(&f->syncp);
			one.rx_packets = u64_stats_read(&f->rx_packets);
			one.rx_bytes = u64_stats_read(&f->rx_bytes);
			one.tx_packets = u64_stats_read(&f->tx_packets);
			one.tx_bytes = u64_stats_read(&f->tx_bytes);
			one.rx_drops = u64_stats_read(&f->rx_drops);
			one.tx_drops = u64_stats_read(&f->tx_drops);
		} while (u64_stats_fetch_retry(&f->syncp, start));
		sum->rx_packets += one.rx_packets;
		sum->rx_bytes += one.rx_bytes;
		sum->tx_packets += one.tx_packets;
		sum->tx_bytes += one.tx_bytes;
		sum->rx_drops += one.rx_drops;
		sum->tx_drops += one.tx_drops;
	}
}

void jvpn_session_count_rx(struct jvpn_session *s, u32 packets, u64 bytes)
{
	struct jvpn_flow *f = this_cpu_ptr(s->flow);

	u64_stats_update_begin(&f->syncp);
	u64_stats_add(&f->rx_packets, packets);
	u64_stats_add(&f->rx_bytes, bytes);
	u64_stats_update_end(&f->syncp);
}

void jvpn_session_count_tx(struct jvpn_session *s, u32 packets, u64 bytes)
{
	struct jvpn_flow *f = this_cpu_ptr(s->flow);

	u64_stats_update_begin(&f->syncp);
	u64_stats_add(&f->tx_packets, packets);
	u64_stats_add(&f->tx_bytes, bytes);
	u64_stats_update_end(&f->syncp);
}

void jvpn_session_count_drops(struct jvpn_session *s, bool rx, u32 packets)
{
	struct jvpn_flow *f = get_cpu_ptr(s->flow);

	u64_stats_update_begin(&f->syncp);
	u64_stats_add(rx ? &f->rx_drops : &f->tx_drops, packets);
	u64_stats_update_end(&f->syncp);
	put_cpu_ptr(s->flow);
}

void jvpn_session_count_drop(struct jvpn_session *s, bool rx)
{
	jvpn_session_count_drops(s, rx, 1);
}
