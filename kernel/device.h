/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device: a network interface with its sockets and its sessions.
 *
 * Locks, in the order in which they are taken:
 *   rtnl                  links come and go
 *   jvpn_device.mutex     sockets and sessions are added and removed
 *   jvpn_table.claim      sessions in birth become owners of inner prefixes
 *   jvpn_session.lock     the writer of a session: state, version, binding
 *   jvpn_table.lock       prefix table
 *   jvpn_epoch.lock       replay window and usability of an epoch
 *   jvpn_session.hold.queue.lock  packets that wait for a binding
 * The packet paths take no lock but the last two, and those once a batch. On
 * the way into a lane, jvpn_socket.rx_lock and then the lane's own are taken, on
 * the way out the lane's alone: with neither is anything else ever taken.
 * Netlink events are made and sent with none of the session's locks and no claim held.
 *
 * Lifetime: readers (packet paths, netlink) find sessions, bindings and
 * sockets under RCU and keep none of them. Whoever removes an object unlinks
 * it, stops its timers, and frees it after a grace period. A session holds its
 * device until then.
 */
#ifndef JVPN_DEVICE_H
#define JVPN_DEVICE_H

#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/xarray.h>

#include "control.h"
#include "lane.h"
#include "stats.h"
#include "table.h"

/**
 * struct jvpn_device - private data of the interface
 * @dev: the interface
 * @id: its name for good: no other device ever has it
 * @birth_net: namespace it was made in; its sockets and its daemon live there.
 *	  No reference: NULL once that namespace has ended. Changes under rtnl and
 *	  @mutex; what was read under RCU may be used under RCU
 * @birth_user: user namespace that owned it; who rules over that rules the device
 * @born: among the devices of @birth_net, under rtnl
 * @mutex: see above
 * @dying: under @mutex: nothing is added any more
 * @sockets: by socket id
 * @table: the sessions
 * @hold_max: room for packets that wait for a binding, octets of memory
 * @held_bytes: taken of it now
 * @control: channel of control packets to the daemon
 * @stats: counters
 * @lanes: received packets on their way through the walk
 */
struct jvpn_device {
	struct net_device *dev;
	u64 id;
	struct net *birth_net;
	struct user_namespace *birth_user;
	struct list_head born;
	struct mutex mutex;
	bool dying;
	struct xarray sockets;
	struct jvpn_table table;
	u32 hold_max;
	atomic_long_t held_bytes;
	struct jvpn_control control;
	struct jvpn_stats __percpu *stats;
	struct jvpn_lanes lanes;
};

/* Outer IPv6 and UDP header, jvpn header and tag: what a packet grows by at most. */
#define JVPN_OVERHEAD_MAX (40 + 8 + 32)
#define JVPN_MTU_DEFAULT (ETH_DATA_LEN - JVPN_OVERHEAD_MAX)
/* A datagram holds 65535 - 20 - 8 octets of payload at most. */
#define JVPN_MTU_MAX (65535 - 20 - 8 - 32)

/*
 * What every packet path runs under, softirq or not: BHs are off, because
 * per-processor caches are used, and objects are found under RCU.
 */
static inline void jvpn_path_enter(void)
{
	local_bh_disable();
	rcu_read_lock();
}

static inline void jvpn_path_leave(void)
{
	rcu_read_unlock();
	local_bh_enable();
}

/**
 * jvpn_device_get() - find a device for a request
 * @net: namespace of the request
 * @ifindex: index there
 *
 * Return: the device with a reference (jvpn_device_put()), or NULL.
 */
struct jvpn_device *jvpn_device_get(struct net *net, int ifindex);
void jvpn_device_put(struct jvpn_device *jd);

/* The same by its id: it must be in @net, or have been made there. */
struct jvpn_device *jvpn_device_get_by_id(struct net *net, u64 id);

/**
 * jvpn_device_next() - walk the devices that a namespace sees
 * @net: the namespace
 * @after: id that the walk has reached, 0 to begin
 *
 * Return: the device of the next higher id with a reference, or NULL.
 */
struct jvpn_device *jvpn_device_next(struct net *net, u64 after);

/* Where its events go: the namespace of birth, or NULL once that has ended. Under RCU. */
struct net *jvpn_device_net(const struct jvpn_device *jd);

/* The index by which a namespace knows the device, 0 if it is not in there. */
int jvpn_device_ifindex(const struct jvpn_device *jd, const struct net *net);

/* All devices of all namespaces; takes rtnl. */
void jvpn_device_for_each(void (*fn)(struct jvpn_device *jd));

/* Every binding of every session is given up, and what was prepared, too. */
void jvpn_device_forget_keys(struct jvpn_device *jd);

int jvpn_device_init(void);
void jvpn_device_exit(void);

/* The registered daemon's netlink port closed: every device forgets it. */
void jvpn_device_port_closed(struct net *net, u32 portid);

#endif
