/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How large a datagram a path lets through: packetisation-layer path MTU
 * discovery (RFC 8899) with heartbeats of a size as probes.
 *
 * A size is confirmed when a probe of it was echoed, and given up when
 * JVPN_MTU_TRIES of them were not, while a small heartbeat sent after the first
 * of them was. Nothing else lowers it: an ICMP message only makes the next
 * verification come earlier.
 *
 * All sizes are octets of UDP payload, times are milliseconds. Beginning with
 * the largest size of the link, and not with BASE_PLPMTU, differs from RFC 8899
 * on purpose: until a size is confirmed the sender fragments instead of
 * refusing, and most paths are as wide as their link.
 */
#ifndef JVPN_MTU_H
#define JVPN_MTU_H

#include "core.h"

/* What every path lets through: IPv4 of 576 octets, IPv6 of 1280. */
#define JVPN_MTU_FLOOR4 (576 - 20 - 8)
#define JVPN_MTU_FLOOR6 (1280 - 40 - 8)
/* BASE_PLPMTU: asked for after the largest one. */
#define JVPN_MTU_BASE 1200
#define JVPN_MTU_TRIES 3
/* PROBE_TIMER: the time in which an echo is due, at least this. */
#define JVPN_MTU_TIMER_MS 100
/* While neither size nor small heartbeat is echoed, probes come less often, down to this. */
#define JVPN_MTU_TIMER_MOST_MS 2000
/* A confirmed size is verified while the path is used, sooner if it carries large datagrams. */
#define JVPN_MTU_VERIFY_MS 5000
#define JVPN_MTU_VERIFY_LARGE_MS 1000
/* RAISE_TIMER: first after so long, then each time twice as late. */
#define JVPN_MTU_RAISE_MS 30000
#define JVPN_MTU_RAISE_MOST_MS 600000

/**
 * enum jvpn_mtu_phase - what is being asked for
 * @JVPN_MTU_OFF: nothing: the path has not shown that it is alive
 * @JVPN_MTU_SEARCH: no size is confirmed
 * @JVPN_MTU_DONE: nothing now, a size is confirmed
 * @JVPN_MTU_VERIFY: whether the confirmed size still passes
 * @JVPN_MTU_RAISE: whether a larger one than the confirmed passes
 */
enum jvpn_mtu_phase {
	JVPN_MTU_OFF,
	JVPN_MTU_SEARCH,
	JVPN_MTU_DONE,
	JVPN_MTU_VERIFY,
	JVPN_MTU_RAISE,
};

/**
 * struct jvpn_mtu - search on one path
 * @phase: enum jvpn_mtu_phase
 * @floor: passes on any path of this address family
 * @max: largest that the link lets through
 * @size: confirmed, 0 if none is
 * @low: a search has found that it passes, or it is @floor
 * @high: a search has found that nothing larger passes, or it is @max
 * @probe: size that is being asked for, 0 for none
 * @tries: probes sent of it
 * @doubt: a probe of this search has not been echoed in time
 * @alive: a small heartbeat was echoed that was sent after the first of them
 * @hint: verify as soon as it is allowed
 * @at: when the last probe's echo is overdue
 * @wait: how long the last probe's echo is waited for
 * @verified: when the confirmed size was last asked for
 * @raise_at: when to ask for a larger one, 0 for never
 * @raise_ms: how long that was waited for
 * @lost: sizes that were confirmed and then given up, for people
 */
struct jvpn_mtu {
	u8 phase;
	u32 floor;
	u32 max;
	u32 size;
	u32 low;
	u32 high;
	u32 probe;
	u32 tries;
	bool doubt;
	bool alive;
	bool hint;
	u64 at;
	u64 wait;
	u64 verified;
	u64 raise_at;
	u64 raise_ms;
	u32 lost;
};

/**
 * struct jvpn_mtu_use - how the path is used, as the packet paths note it
 * @data: time of the last inner packet in either direction, 0 for none
 * @large: time of the last one above JVPN_MTU_BASE, 0 for none
 */
struct jvpn_mtu_use {
	u64 data;
	u64 large;
};

/* Forget everything: another path. Nothing is asked for before jvpn_mtu_begin(). */
void jvpn_mtu_reset(struct jvpn_mtu *m);

/**
 * jvpn_mtu_begin() - the path is alive; begin to search if that was not done
 * @m: the search
 * @floor: JVPN_MTU_FLOOR4 or JVPN_MTU_FLOOR6
 * @max: largest size of the link
 * @now_ms: time
 */
void jvpn_mtu_begin(struct jvpn_mtu *m, u32 floor, u32 max, u64 now_ms);

/* The link lets through another size than before: it may have changed at any time. */
void jvpn_mtu_limit(struct jvpn_mtu *m, u32 max, u64 now_ms);

/**
 * jvpn_mtu_next() - when is jvpn_mtu_step() to be called?
 * @m: the search
 * @use: how the path is used
 *
 * Return: time, 0 for never.
 */
u64 jvpn_mtu_next(const struct jvpn_mtu *m, const struct jvpn_mtu_use *use);

/**
 * jvpn_mtu_step() - do what is due
 * @m: the search
 * @use: how the path is used
 * @echo_ms: time in which an echo is to be expected
 * @now_ms: time
 *
 * Return: size of a probe to send now, 0 for none. From the second probe of a
 * size on (@m->tries > 1) a small heartbeat follows it.
 */
u32 jvpn_mtu_step(struct jvpn_mtu *m, const struct jvpn_mtu_use *use, u64 echo_ms, u64 now_ms);

/* A probe of the size that is being asked for was echoed. */
void jvpn_mtu_passed(struct jvpn_mtu *m, u64 now_ms);

/* A small heartbeat was echoed that was sent after the first probe of the present size. */
void jvpn_mtu_alive(struct jvpn_mtu *m, u64 now_ms);

/* Somebody claims that a datagram was too large. */
void jvpn_mtu_hint(struct jvpn_mtu *m);

/**
 * jvpn_mtu_sure() - up to which size may datagrams be relied on to pass?
 * @m: the search
 *
 * Return: the confirmed size; the floor while a search has reason to doubt any
 * larger one; 0 if nothing is known.
 */
u32 jvpn_mtu_sure(const struct jvpn_mtu *m);

#endif
