/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sliding replay window over 64-bit counters (RFC 6479: a ring of words, so
 * that moving the window clears whole words and never shifts).
 */
#ifndef JVPN_WINDOW_H
#define JVPN_WINDOW_H

#include "core.h"

#define JVPN_WINDOW_WORD_BITS 64
#define JVPN_WINDOW_RING_BITS 8192
#define JVPN_WINDOW_WORDS (JVPN_WINDOW_RING_BITS / JVPN_WINDOW_WORD_BITS)
/* Counters behind the highest that are still judged one by one. */
#define JVPN_WINDOW_SIZE (JVPN_WINDOW_RING_BITS - JVPN_WINDOW_WORD_BITS)
/* ChaCha20-Poly1305 limit of one key (PROTOCOL JVPN1, 2.2). */
#define JVPN_COUNTER_MAX (1ULL << 60)

/**
 * struct jvpn_window - counters seen under one key
 * @next: one above the highest counter seen, 0 if none was
 * @ring: one bit for each counter, counter modulo JVPN_WINDOW_RING_BITS
 */
struct jvpn_window {
	u64 next;
	u64 ring[JVPN_WINDOW_WORDS];
};

/**
 * jvpn_window_fresh() - would this counter be accepted? Changes nothing.
 * @w: the window
 * @counter: counter of a packet
 */
bool jvpn_window_fresh(const struct jvpn_window *w, u64 counter);

/**
 * jvpn_window_accept() - record a counter of an authenticated packet
 * @w: the window; the caller serialises
 * @counter: counter of the packet
 *
 * Return: true if it is new; false, with @w unchanged, if it was seen, is
 * older than the window or at the limit of the key.
 */
bool jvpn_window_accept(struct jvpn_window *w, u64 counter);

#endif
