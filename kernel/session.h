/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The session: the anchor. Its id never changes; its state, version and
 * binding change in binding.c only.
 *
 * A session lives in its device's table from session-new to session-del or to
 * the end of the device. Under RCU it may be used by anyone who found it there;
 * it is freed a grace period after it was unlinked, its timers stopped and its
 * bindings unlinked before. Bindings and prefixes point back to it without a
 * reference: they go first.
 */
#ifndef JVPN_SESSION_H
#define JVPN_SESSION_H

#include <linux/hrtimer.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/timekeeping.h>
#include <linux/jvpn.h>

#include "addr.h"
#include "binding.h"
#include "core/limits.h"
#include "hold.h"
#include "notify.h"
#include "probe.h"
#include "table.h"

struct jvpn_device;

/**
 * struct jvpn_policy - the part of the policy snapshot that the kernel executes
 *
 * Fields as the policy attributes of the netlink interface.
 */
struct jvpn_policy {
	char name[JVPN_LABEL_SIZE];
	u32 version;
	u32 transport_loss_ttl_ms;
	u32 idle_interval_ms;
	u32 active_interval_ms;
	u32 dead_base_ms;
	u32 dead_rtts;
	u32 rx_timeout_ms;
	u32 reject_after_ms;
	u32 hold_bytes;
	u32 loss_enter;
	u32 loss_leave;
	u32 rtt_enter_ms;
	u32 rtt_leave_ms;
};

extern const struct jvpn_policy jvpn_policy_default;

/**
 * struct jvpn_transition - a transition that was applied
 *
 * Fields as the transition attributes of the netlink interface.
 */
struct jvpn_transition {
	u64 version;
	u32 from;
	u32 to;
	u32 event;
	u32 reason;
	u32 origin;
	u32 epoch;
	u64 time;
	u64 real_time;
	u32 socket;
	struct jvpn_addr remote;
};

/**
 * struct jvpn_flow - per-processor counters of a session
 */
struct jvpn_flow {
	struct u64_stats_sync syncp;
	u64_stats_t rx_packets;
	u64_stats_t rx_bytes;
	u64_stats_t tx_packets;
	u64_stats_t tx_bytes;
	u64_stats_t rx_drops;
	u64_stats_t tx_drops;
};

/**
 * struct jvpn_unbound - what authenticated from a source that is not bound
 * @lock: serialises this struct
 * @verify: bounds the packets that are authenticated
 * @report: bounds the reports
 * @source: the last such source
 * @bytes: octets authenticated from it since the last report
 */
struct jvpn_unbound {
	spinlock_t lock;
	struct jvpn_bucket verify;
	struct jvpn_bucket report;
	struct jvpn_transport source;
	u32 bytes;
};

/**
 * struct jvpn_session - a session
 * @node: in jvpn_table.by_id
 * @id: immutable
 * @role: immutable, enum jvpn_role
 * @jd: the device
 * @serial: key in jvpn_table.sessions, rising until it wraps; where a dump is
 * @created: CLOCK_REALTIME, ms
 * @binding: the binding in use: set in ATTACHED and VOLATILE, NULL otherwise
 * @holding: packets to be sent go to @hold; written under the lock there
 * @last_rx: CLOCK_BOOTTIME of the last authenticated packet, ms
 * @last_data: CLOCK_BOOTTIME of the last inner packet, sent or received, ms
 * @last_large: the same of one above JVPN_MTU_BASE
 * @path: what the bound path lets through, see jvpn_probe_path()
 * @flow: counters
 * @lock: the writer's lock, for all that follows
 * @dead: not complete yet, or being removed: nobody who finds it, or a binding of it, may use it,
 *	  and timers are not started
 * @state: enum jvpn_state
 * @version: state_version
 * @epoch_number: current epoch number
 * @peer_version: client: last version shown by the gateway
 * @peer_epoch: client: epoch that came with it
 * @prepared: prepared bindings, NULL where free
 * @draining: binding that a rekey replaced, or NULL
 * @retired: binding that was lost, or NULL
 * @policy: snapshot
 * @session_deadline: CLOCK_BOOTTIME, ms, 0 for none; likewise the next three
 * @loss_deadline: set while unbound
 * @lease_deadline: end of the lease
 * @birth_deadline: end of BIRTH
 * @timer: fires at the earliest of all deadlines
 * @label: name of the peer, for people
 * @peer_id: who the peer is, all zero if nobody said it
 * @history: ring of the last transitions; (version - 1) % JVPN_HISTORY_SIZE
 * @refused: refused requests
 * @notices: events that are to be sent
 * @ended_next: next of the sessions that one claim of prefixes ended
 * @probe: client: heartbeats
 * @hold: packets that wait for a binding
 * @unbound: see there
 * @rcu: frees it
 * @prefix_count: inner prefixes
 * @prefixes: immutable but for ownership
 */
struct jvpn_session {
	struct rhash_head node;
	u8 id[JVPN_SESSION_ID_SIZE];
	u32 role;
	struct jvpn_device *jd;
	u32 serial;
	u64 created;
	struct jvpn_binding __rcu *binding;
	bool holding;
	u64 last_rx;
	u64 last_data;
	u64 last_large;
	u32 path;
	struct jvpn_flow __percpu *flow;

	spinlock_t lock;
	bool dead;
	u32 state;
	u64 version;
	u32 epoch_number;
	u64 peer_version;
	u32 peer_epoch;
	struct jvpn_binding *prepared[JVPN_PENDING_MAX];
	struct jvpn_binding *draining;
	struct jvpn_binding *retired;
	struct jvpn_policy policy;
	u64 session_deadline;
	u64 loss_deadline;
	u64 lease_deadline;
	u64 birth_deadline;
	struct hrtimer timer;
	char label[JVPN_LABEL_SIZE];
	u8 peer_id[JVPN_PEER_ID_SIZE];
	struct jvpn_transition history[JVPN_HISTORY_SIZE];
	u64 refused;
	struct jvpn_notices notices;
	struct jvpn_session *ended_next;

	struct jvpn_probe probe;
	struct jvpn_hold hold;
	struct jvpn_unbound unbound;
	struct rcu_head rcu;
	u32 prefix_count;
	struct jvpn_prefix prefixes[];
};

/**
 * struct jvpn_session_params - a new session, as netlink delivers it
 */
struct jvpn_session_params {
	u8 id[JVPN_SESSION_ID_SIZE];
	u32 role;
	char label[JVPN_LABEL_SIZE];
	u8 peer_id[JVPN_PEER_ID_SIZE];
	struct jvpn_policy policy;
	u64 session_deadline;
	u64 lease_deadline;
	u64 birth_deadline;
	u64 peer_version;
	u32 peer_epoch;
	u32 prefix_count;
	struct jvpn_prefix_key prefixes[JVPN_PREFIXES_MAX];
};

static inline u64 jvpn_now_ms(void)
{
	return ktime_to_ms(ktime_get_boottime());
}

/* Cheap, up to a tick old: good enough for a sign of life. */
static inline u64 jvpn_now_coarse_ms(void)
{
	return ktime_to_ms(ktime_get_coarse_boottime());
}

/* For timers. */
static inline ktime_t jvpn_ktime_of_ms(u64 ms)
{
	return ns_to_ktime(jvpn_limits_ms_to_ns(ms));
}

struct jvpn_session *jvpn_session_alloc(struct jvpn_device *jd,
					const struct jvpn_session_params *params);

/* It is in its table and complete: whoever finds it may use it; device's mutex held. */
void jvpn_session_begin(struct jvpn_session *s);

/* A session that never was in a table: drop everything, free after a grace period. */
void jvpn_session_discard(struct jvpn_session *s);

/* Unlink, stop timers, drop everything, free after a grace period; device's mutex held. */
void jvpn_session_remove(struct jvpn_session *s);

/* Of the history, the n-th newest transition, n from 0; NULL beyond it. Locked. */
const struct jvpn_transition *jvpn_session_past(const struct jvpn_session *s, u32 n);

struct jvpn_flow_sum {
	u64 rx_packets, rx_bytes, tx_packets, tx_bytes, rx_drops, tx_drops;
};

void jvpn_session_sum(const struct jvpn_session *s, struct jvpn_flow_sum *sum);

/* Counting on the packet paths, BHs off. */
void jvpn_session_count_rx(struct jvpn_session *s, u32 packets, u64 bytes);
void jvpn_session_count_tx(struct jvpn_session *s, u32 packets, u64 bytes);
void jvpn_session_count_drop(struct jvpn_session *s, bool rx);
void jvpn_session_count_drops(struct jvpn_session *s, bool rx, u32 packets);

/* Balance of allocations over the module's life, for tests; see main.c. */
extern atomic_t jvpn_sessions_alive;
extern atomic_t jvpn_bindings_alive;
extern atomic_t jvpn_sockets_alive;

#endif
