// SPDX-License-Identifier: GPL-2.0
#include "limits.h"

#define MILLI 1000ULL
#define NS_IN_MS 1000000ULL

u64 jvpn_limits_ms_to_ns(u64 ms)
{
	return ms > JVPN_NS_MAX / NS_IN_MS ? JVPN_NS_MAX : ms * NS_IN_MS;
}

void jvpn_bucket_init(struct jvpn_bucket *b, u32 burst, u64 now_ms)
{
	b->level = burst * MILLI;
	b->stamp = now_ms;
}

bool jvpn_bucket_take(struct jvpn_bucket *b, u32 per_second, u32 burst,
		      u32 tokens, u64 now_ms)
{
	u64 full = burst * MILLI;
	u64 past = now_ms > b->stamp ? now_ms - b->stamp : 0;

	/* per_second tokens a second are per_second thousandths a ms. */
	if (past >= full)
		b->level = per_second ? full : b->level;
	else
		b->level += past * per_second;
	if (b->level > full)
		b->level = full;
	if (past)
		b->stamp = now_ms;
	if (b->level < tokens * MILLI)
		return false;
	b->level -= tokens * MILLI;
	return true;
}

/* Time of the n-th newest switch, n from 1. */
static u64 switch_at(const struct jvpn_switches *s, u32 n)
{
	return s->at[(s->head + JVPN_SWITCHES_MAX - n) % JVPN_SWITCHES_MAX];
}

static u64 wait_until(u64 end, u64 now_ms)
{
	return end > now_ms ? end - now_ms : 0;
}

u64 jvpn_switches_wait(const struct jvpn_switches *s, u32 per_minute,
		       u32 cooldown_ms, u64 now_ms)
{
	u64 wait = 0, rate;

	if (!per_minute)
		return JVPN_SWITCHES_SPAN_MS;
	if (per_minute > JVPN_SWITCHES_MAX)
		per_minute = JVPN_SWITCHES_MAX;
	if (s->count)
		wait = wait_until(switch_at(s, 1) + cooldown_ms, now_ms);
	if (s->count < per_minute)
		return wait;
	rate = wait_until(switch_at(s, per_minute) + JVPN_SWITCHES_SPAN_MS, now_ms);
	return rate > wait ? rate : wait;
}

void jvpn_switches_add(struct jvpn_switches *s, u64 now_ms)
{
	s->at[s->head] = now_ms;
	s->head = (s->head + 1) % JVPN_SWITCHES_MAX;
	if (s->count < JVPN_SWITCHES_MAX)
		s->count++;
}
