/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets that wait for a binding: bounded in octets, the oldest goes first
 * when it is full, and they leave in order as soon as there is a binding.
 */
#ifndef JVPN_HOLD_H
#define JVPN_HOLD_H

#include <linux/types.h>

struct jvpn_session;
struct sk_buff;

/**
 * jvpn_hold_add() - let a packet wait
 * @s: the session
 * @skb: the packet; taken over if it is held
 *
 * Return: false if nothing is held any more: send it.
 */
bool jvpn_hold_add(struct jvpn_session *s, struct sk_buff *skb);

/* Send what waits, in order, then stop holding. */
void jvpn_hold_flush(struct jvpn_session *s);

/* Drop what waits, and stop holding. */
void jvpn_hold_purge(struct jvpn_session *s);

#endif
