/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rate limits: a token bucket, and the sliding window of MaxSwitchesPerMinute.
 */
#ifndef JVPN_LIMITS_H
#define JVPN_LIMITS_H

#include "core.h"

/* The latest that a timer can be set to, in nanoseconds. */
#define JVPN_NS_MAX 9223372036854775807ULL

/**
 * jvpn_limits_ms_to_ns() - a time for a timer
 * @ms: milliseconds
 *
 * Return: nanoseconds, or JVPN_NS_MAX if they are more: late, and never in the
 * past, where a product that has wrapped would be.
 */
u64 jvpn_limits_ms_to_ns(u64 ms);

/**
 * struct jvpn_bucket - token bucket
 * @level: tokens, in 1/1000
 * @stamp: time of the last refill, ms
 */
struct jvpn_bucket {
	u64 level;
	u64 stamp;
};

/**
 * jvpn_bucket_init() - fill a bucket
 * @b: the bucket
 * @burst: most tokens it holds
 * @now_ms: time now
 */
void jvpn_bucket_init(struct jvpn_bucket *b, u32 burst, u64 now_ms);

/**
 * jvpn_bucket_take() - take tokens if there are enough
 * @b: the bucket
 * @per_second: tokens that flow in each second
 * @burst: most tokens it holds
 * @tokens: how many to take
 * @now_ms: time now; a time before the last one refills nothing
 *
 * Return: true if they were there; else false and nothing is taken.
 */
bool jvpn_bucket_take(struct jvpn_bucket *b, u32 per_second, u32 burst,
		      u32 tokens, u64 now_ms);

#define JVPN_SWITCHES_MAX 64
#define JVPN_SWITCHES_SPAN_MS 60000

/**
 * struct jvpn_switches - committed switches of the last minute
 * @count: switches recorded, at most JVPN_SWITCHES_MAX
 * @head: where the next one goes
 * @at: their times, ms
 */
struct jvpn_switches {
	u32 count;
	u32 head;
	u64 at[JVPN_SWITCHES_MAX];
};

/**
 * jvpn_switches_wait() - when may the next switch be committed?
 * @s: the record
 * @per_minute: bound of the policy, 1 to JVPN_SWITCHES_MAX; 0 forbids all
 * @cooldown_ms: least time between two switches
 * @now_ms: time now
 *
 * Return: 0 for now, else milliseconds to wait (never 0 when refused).
 */
u64 jvpn_switches_wait(const struct jvpn_switches *s, u32 per_minute,
		       u32 cooldown_ms, u64 now_ms);

/**
 * jvpn_switches_add() - record a committed switch
 * @s: the record
 * @now_ms: its time
 */
void jvpn_switches_add(struct jvpn_switches *s, u64 now_ms);

#endif
