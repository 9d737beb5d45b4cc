/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lanes: where received packets wait for the receive walk.
 *
 * All packets of one source are in one lane, so that they are handled in order,
 * by one processor at a time, while those of other sources are handled by
 * others. A lane is a NAPI of the device: it runs on the processor that filled
 * it when it was empty, with the budget of every NAPI, in a thread of its own
 * where the device is told so, and it delivers through GRO.
 *
 * A packet has left the account of its socket when it comes here, so lanes have
 * one of their own: what exceeds it is dropped, the newest first.
 */
#ifndef JVPN_LANE_H
#define JVPN_LANE_H

#include <linux/netdevice.h>
#include <linux/siphash.h>
#include <linux/skbuff.h>

struct jvpn_device;
struct jvpn_socket;
struct sock;

#define JVPN_LANES 16

/**
 * struct jvpn_lane - packets of some sources
 * @napi: handles them
 * @queue: the packets; its lock also serialises @truesize
 * @truesize: memory of what is in @queue
 */
struct jvpn_lane {
	struct napi_struct napi;
	struct sk_buff_head queue;
	u32 truesize;
} ____cacheline_aligned_in_smp;

/**
 * struct jvpn_lanes - the lanes of a device
 * @key: of the hash that finds the lane of a source
 * @truesize: memory of what is in all of them
 * @lane: the lanes
 */
struct jvpn_lanes {
	siphash_key_t key;
	atomic_t truesize;
	struct jvpn_lane lane[JVPN_LANES];
};

/* With the interface: after init, before uninit is over. No socket is open outside of it. */
void jvpn_lanes_start(struct jvpn_device *jd);
void jvpn_lanes_stop(struct jvpn_device *jd);

/* Move what the socket has received into lanes; under RCU with BHs off. */
void jvpn_lanes_feed(struct jvpn_socket *js, struct sock *sk);

/* Drop what waits of a socket that is fed no more. */
void jvpn_lanes_forget(struct jvpn_socket *js);

#endif
