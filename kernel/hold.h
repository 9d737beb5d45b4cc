/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets that wait for a binding. The oldest goes first when there is no more room; they leave in
 * order as soon as there is a binding.
 *
 * Room is memory, not payload: what a packet takes is its truesize, for the session (its policy's
 * hold-bytes), and for all sessions of the device together. A session gets no more than the device
 * has left, so n sessions that hold all they can have an equal share each, and the next one finds
 * as much free.
 *
 * Whether packets wait (jvpn_session.holding), and whether any may leave, is decided by the writer
 * of the session, under its lock. They leave through one sender at a time, which asks for each
 * packet, so none leaves, and waiting does not end, once the writer has said otherwise.
 */
#ifndef JVPN_HOLD_H
#define JVPN_HOLD_H

#include <linux/skbuff.h>
#include <linux/workqueue.h>

struct jvpn_device;
struct jvpn_session;

/* More packets of a session than that do not wait, however small. */
#define JVPN_HOLD_PACKETS_MAX 4096

/**
 * struct jvpn_hold - packets of a session that wait
 * @queue: they; its lock is for all of this struct
 * @bytes: memory that they take
 * @shut: none may leave
 * @sending: somebody sends them
 * @sent: packets sent since that began
 * @work: goes on sending when a softirq has done its share
 */
struct jvpn_hold {
	struct sk_buff_head queue;
	u32 bytes;
	bool shut;
	bool sending;
	u32 sent;
	struct work_struct work;
};

/* Room for a device's packets, from the machine's memory. */
u32 jvpn_hold_default(void);

void jvpn_hold_init(struct jvpn_session *s);

/* Session locked: from now on packets wait, and none leaves. */
void jvpn_hold_begin_locked(struct jvpn_session *s);

/* Session locked: there is a binding, they may leave; jvpn_hold_flush() follows the unlock. */
void jvpn_hold_end_locked(struct jvpn_session *s);

/**
 * jvpn_hold_add() - let a packet wait
 * @s: the session
 * @skb: the packet; taken over if packets wait
 * @again: it has waited already, and is the first to leave
 *
 * Return: false if none waits any more: send it.
 */
bool jvpn_hold_add(struct jvpn_session *s, struct sk_buff *skb, bool again);

/* Send what waits, in order, unless that was forbidden again; then packets wait no longer. */
void jvpn_hold_flush(struct jvpn_session *s);

/* Drop what waits; the next ones wait as before. */
void jvpn_hold_drop(struct jvpn_session *s);

/* Drop what waits, and let no other wait. */
void jvpn_hold_purge(struct jvpn_session *s);

/* Purged: wait for whoever still sends. */
void jvpn_hold_stop(struct jvpn_session *s);

int jvpn_hold_start(void);
void jvpn_hold_exit(void);

#endif
