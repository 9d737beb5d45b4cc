// SPDX-License-Identifier: GPL-2.0
#include "lane.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/random.h>
#include <linux/udp.h>
#include <net/udp.h>

#include "device.h"
#include "owner.h"
#include "rx.h"
#include "socket.h"

/*
 * Memory that waits, in octets of truesize. Every lane may have its share,
 * whatever the others do; beyond it the lanes have something in common, of which
 * one may take so much that a burst of super-packets fits.
 */
#define LANE_SHARE (1 << 20)
#define LANE_MOST (8 << 20)
#define LANES_MOST (16 << 20)
/* Datagrams for each unit of the NAPI budget: a super-packet has some dozen. */
#define DATAGRAMS_PER_UNIT 2
/* Packets taken from the socket for one that has come. */
#define FEED_MOST 64

/**
 * struct lane_cb - of a packet in a lane
 * @js: socket that it came from; see jvpn_lanes_forget()
 * @datagrams: in it
 */
struct lane_cb {
	struct jvpn_socket *js;
	u32 datagrams;
};

static struct lane_cb *cb_of(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct lane_cb) > sizeof(skb->cb));
	return (struct lane_cb *)skb->cb;
}

/* Senders choose their addresses and ports, but not each other's lane. */
static struct jvpn_lane *lane_of(struct jvpn_lanes *lanes, const struct sk_buff *skb)
{
	const u32 port = (__force u32)udp_hdr(skb)->source;
	u64 hash;

	if (ip_hdr(skb)->version == 4)
		hash = siphash_2u32((__force u32)ip_hdr(skb)->saddr, port, &lanes->key);
	else
		hash = siphash_2u64(siphash(&ipv6_hdr(skb)->saddr, sizeof(struct in6_addr),
					    &lanes->key), port, &lanes->key);
	return &lanes->lane[hash % JVPN_LANES];
}

/* ---- the account ---- */

static bool lane_charge(struct jvpn_lanes *lanes, struct jvpn_lane *lane, u32 truesize)
{
	u32 mine = lane->truesize + truesize;
	u32 all = atomic_add_return(truesize, &lanes->truesize);

	lockdep_assert_held(&lane->queue.lock);
	if (mine > LANE_SHARE && (mine > LANE_MOST || all > LANES_MOST)) {
		atomic_sub(truesize, &lanes->truesize);
		return false;
	}
	lane->truesize = mine;
	return true;
}

static void lane_uncharge(struct jvpn_lanes *lanes, struct jvpn_lane *lane, u32 truesize)
{
	lockdep_assert_held(&lane->queue.lock);
	lane->truesize -= truesize;
	atomic_sub(truesize, &lanes->truesize);
}

/* ---- into a lane ---- */

static void lane_drop(struct jvpn_device *jd, struct sk_buff *skb, enum jvpn_counter cause)
{
	const u32 datagrams = cb_of(skb)->datagrams;

	jvpn_count(jd, JVPN_C_RX_DATAGRAMS, datagrams);
	jvpn_drop_packets(jd, skb, cause, datagrams);
}

/* Return: false if it has no room. */
static bool lane_add(struct jvpn_lanes *lanes, struct jvpn_lane *lane, struct sk_buff *skb)
{
	bool room;

	spin_lock(&lane->queue.lock);
	room = lane_charge(lanes, lane, jvpn_owner_charge(skb));
	if (room)
		__skb_queue_tail(&lane->queue, skb);
	spin_unlock(&lane->queue.lock);
	if (room)
		napi_schedule(&lane->napi);
	return room;
}

/*
 * One packet from the socket into its lane, in one step, so that no other
 * processor overtakes. An error that is pending on the socket makes
 * __skb_recv_udp() return without a packet once, and is gone then.
 *
 * Return: false if the socket is empty.
 */
static bool feed_one(struct jvpn_socket *js, struct sock *sk)
{
	struct jvpn_device *jd = js->jd;
	struct sk_buff *skb;
	int off = 0, err;
	bool added = true;

	spin_lock(&js->rx_lock);
	skb = __skb_recv_udp(sk, MSG_DONTWAIT, &off, &err);
	if (skb) {
		cb_of(skb)->js = js;
		cb_of(skb)->datagrams = jvpn_rx_datagrams(skb);
		added = lane_add(&jd->lanes, lane_of(&jd->lanes, skb), skb);
	}
	spin_unlock(&js->rx_lock);
	if (!added)
		lane_drop(jd, skb, JVPN_C_RX_DROP_LANE_FULL);
	return skb || err != -EAGAIN;
}

/*
 * The socket calls once for each packet, so what is left here for now, because
 * others receive as fast as this loop, is taken by the calls to come.
 */
void jvpn_lanes_feed(struct jvpn_socket *js, struct sock *sk)
{
	int i;

	for (i = 0; i < FEED_MOST; i++)
		if (!feed_one(js, sk))
			break;
}

/* ---- out of a lane ---- */

static struct sk_buff *lane_next(struct jvpn_lanes *lanes, struct jvpn_lane *lane)
{
	struct sk_buff *skb;

	spin_lock(&lane->queue.lock);
	skb = __skb_dequeue(&lane->queue);
	if (skb)
		lane_uncharge(lanes, lane, jvpn_owner_charge(skb));
	spin_unlock(&lane->queue.lock);
	return skb;
}

static int lane_poll(struct napi_struct *napi, int budget)
{
	struct jvpn_lane *lane = container_of(napi, struct jvpn_lane, napi);
	struct jvpn_device *jd = netdev_priv(napi->dev);
	const u32 most = budget * DATAGRAMS_PER_UNIT;
	struct sk_buff *skb;
	u32 done = 0;

	rcu_read_lock();
	while (done < most && (skb = lane_next(&jd->lanes, lane))) {
		done += cb_of(skb)->datagrams;
		jvpn_rx_walk(cb_of(skb)->js, napi, skb);
		consume_skb(skb);
	}
	rcu_read_unlock();
	if (done >= most)
		return budget;
	done = DIV_ROUND_UP(done, DATAGRAMS_PER_UNIT);
	napi_complete_done(napi, done);
	return done;
}

/* ---- life ---- */

/*
 * A walk that has begun goes on for the length of a section under RCU, as does
 * the life of the socket.
 */
void jvpn_lanes_forget(struct jvpn_socket *js)
{
	struct jvpn_lanes *lanes = &js->jd->lanes;
	struct sk_buff *skb, *next;
	struct sk_buff_head gone;
	int i;

	__skb_queue_head_init(&gone);
	for (i = 0; i < JVPN_LANES; i++) {
		struct jvpn_lane *lane = &lanes->lane[i];

		spin_lock_bh(&lane->queue.lock);
		skb_queue_walk_safe(&lane->queue, skb, next) {
			if (cb_of(skb)->js != js)
				continue;
			__skb_unlink(skb, &lane->queue);
			lane_uncharge(lanes, lane, jvpn_owner_charge(skb));
			__skb_queue_tail(&gone, skb);
		}
		spin_unlock_bh(&lane->queue.lock);
	}
	while ((skb = __skb_dequeue(&gone)))
		lane_drop(js->jd, skb, JVPN_C_RX_DROP_DOWN);
}

/* Nobody can poll for a source that shares its lane with others. */
void jvpn_lanes_start(struct jvpn_device *jd)
{
	int i;

	get_random_bytes(&jd->lanes.key, sizeof(jd->lanes.key));
	for (i = 0; i < JVPN_LANES; i++) {
		struct jvpn_lane *lane = &jd->lanes.lane[i];

		skb_queue_head_init(&lane->queue);
		set_bit(NAPI_STATE_NO_BUSY_POLL, &lane->napi.state);
		netif_napi_add(jd->dev, &lane->napi, lane_poll);
		napi_enable(&lane->napi);
	}
}

void jvpn_lanes_stop(struct jvpn_device *jd)
{
	int i;

	for (i = 0; i < JVPN_LANES; i++) {
		napi_disable(&jd->lanes.lane[i].napi);
		__netif_napi_del(&jd->lanes.lane[i].napi);
	}
	WARN_ON_ONCE(atomic_read(&jd->lanes.truesize));
}
