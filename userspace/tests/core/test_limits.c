// SPDX-License-Identifier: GPL-2.0
/* Token bucket and switch window against models that remember everything. */
#include <stdlib.h>

#include "../tap.h"
#include "core/limits.h"

static u64 seed = 0x853c49e6748fea9bULL;

static u64 random_next(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dULL;
}

/* ---- bucket ---- */

/* The bucket in exact arithmetic: millitokens, one millisecond after the other. */
struct slow_bucket {
	u64 level;
	u64 stamp;
};

static bool slow_take(struct slow_bucket *b, u64 rate, u64 burst, u64 tokens, u64 now)
{
	for (; b->stamp < now; b->stamp++) {
		b->level += rate;
		if (b->level > burst * 1000)
			b->level = burst * 1000;
	}
	if (b->level < tokens * 1000)
		return false;
	b->level -= tokens * 1000;
	return true;
}

static void test_bucket_random(u32 rate, u32 burst)
{
	struct slow_bucket slow = { .level = burst * 1000ULL, .stamp = 1000 };
	unsigned int i, bad = 0, given = 0, refused = 0;
	u64 now = 1000, spent = 0;
	struct jvpn_bucket b;

	jvpn_bucket_init(&b, burst, now);
	for (i = 0; i < 100000; i++) {
		u32 tokens = 1 + random_next() % 3;
		bool got, wanted;

		if (!(random_next() % 3))
			now += random_next() % (random_next() % 50 ? 7 : 3000);
		wanted = slow_take(&slow, rate, burst, tokens, now);
		got = jvpn_bucket_take(&b, rate, burst, tokens, now);
		bad += got != wanted;
		if (got) {
			given++;
			spent += tokens;
		} else {
			refused++;
		}
	}
	tap_ok(!bad, "%u a second, %u at once: %u given, %u refused, as the model says", rate,
	       burst, given, refused);
	tap_ok(given && refused, "both happened");
	tap_ok(spent <= burst + rate * (now - 1000) / 1000, "never more than the rate");
}

static void test_bucket_edges(void)
{
	struct jvpn_bucket b, before;

	jvpn_bucket_init(&b, 3, 5000);
	tap_ok(jvpn_bucket_take(&b, 1, 3, 3, 5000), "a new bucket is full");
	tap_ok(!jvpn_bucket_take(&b, 1, 3, 1, 5000), "and then empty");
	before = b;
	tap_ok(!jvpn_bucket_take(&b, 1, 3, 1, 5000) && !memcmp(&b, &before, sizeof(b)),
	       "a refusal takes nothing");
	tap_ok(!jvpn_bucket_take(&b, 1, 3, 1, 4000), "a time before the last refills nothing");
	tap_ok(!jvpn_bucket_take(&b, 1, 3, 1, 5999), "a token is not there early");
	tap_ok(jvpn_bucket_take(&b, 1, 3, 1, 6000), "a token is there in time");
	tap_ok(!jvpn_bucket_take(&b, 0, 3, 1, 1ULL << 50), "a rate of 0 never refills");
	tap_ok(jvpn_bucket_take(&b, 1, 3, 3, UINT64_MAX - 1), "after ages it is full");
	tap_ok(!jvpn_bucket_take(&b, 1, 3, 1, UINT64_MAX - 1), "and not more than full");
	tap_ok(!jvpn_bucket_take(&b, 1, 3, 4, UINT64_MAX), "more than the burst is never there");
	memset(&b, 0, sizeof(b));
	tap_ok(jvpn_bucket_take(&b, UINT32_MAX, UINT32_MAX, 1, 1000), "the highest rate");
}

/* ---- switches ---- */

#define REMEMBERED 100000

struct slow_switches {
	unsigned int count;
	u64 at[REMEMBERED];
};

static struct slow_switches all;

/* The first time from @now on at which a switch is allowed, found by trying. */
static bool slow_allowed(u32 per_minute, u32 cooldown, u64 now)
{
	unsigned int i, recent = 0;

	for (i = all.count; i && recent < per_minute; i--)
		recent += all.at[i - 1] + 60000 > now;
	if (recent >= per_minute)
		return false;
	return !all.count || all.at[all.count - 1] + cooldown <= now;
}

static void test_switches_random(u32 per_minute, u32 cooldown)
{
	struct jvpn_switches s = {};
	unsigned int i, bad = 0, allowed = 0, refused = 0;
	u64 now = 100000, wait;

	memset(&all, 0, sizeof(all));
	for (i = 0; i < 20000 && all.count < REMEMBERED; i++) {
		now += random_next() % (random_next() % 20 ? 900 : 40000);
		wait = jvpn_switches_wait(&s, per_minute, cooldown, now);
		if ((wait == 0) != slow_allowed(per_minute, cooldown, now))
			bad++;
		/* The time that it names is the first one. */
		if (wait && (!slow_allowed(per_minute, cooldown, now + wait) ||
			     slow_allowed(per_minute, cooldown, now + wait - 1)))
			bad++;
		if (wait) {
			refused++;
			continue;
		}
		allowed++;
		jvpn_switches_add(&s, now);
		all.at[all.count++] = now;
	}
	tap_ok(!bad, "%u a minute, %u ms apart: %u allowed, %u refused, as the model says",
	       per_minute, cooldown, allowed, refused);
	tap_ok(allowed && refused, "both happened");
}

static void test_switches_edges(void)
{
	struct jvpn_switches s = {};
	unsigned int i;

	tap_ok(jvpn_switches_wait(&s, 0, 0, 0) > 0, "0 a minute forbids the first");
	tap_ok(jvpn_switches_wait(&s, 1, 60000, 0) == 0, "the first needs no cooldown");
	jvpn_switches_add(&s, 1000);
	tap_equal(jvpn_switches_wait(&s, 10, 500, 1200), 300, "the cooldown's rest");
	tap_equal(jvpn_switches_wait(&s, 10, 500, 1500), 0, "the cooldown's end");
	tap_equal(jvpn_switches_wait(&s, 1, 500, 1500), 59500, "the minute's rest");
	tap_equal(jvpn_switches_wait(&s, 1, 0, 61000), 0, "the minute's end");
	for (i = 1; i < JVPN_SWITCHES_MAX; i++)
		jvpn_switches_add(&s, 1000 + i);
	tap_ok(jvpn_switches_wait(&s, JVPN_SWITCHES_MAX, 0, 2000) > 0, "a full record refuses");
	tap_ok(jvpn_switches_wait(&s, UINT32_MAX, 0, 2000) > 0,
	       "no policy allows more than the record holds");
	tap_equal(jvpn_switches_wait(&s, JVPN_SWITCHES_MAX, 0, 61000), 0,
		  "the oldest of a full record counts for a minute");
}

static void test_ms_to_ns(void)
{
	const u64 last = JVPN_NS_MAX / 1000000;

	tap_ok(jvpn_limits_ms_to_ns(0) == 0 && jvpn_limits_ms_to_ns(7) == 7000000,
	       "milliseconds are a million nanoseconds");
	tap_ok(jvpn_limits_ms_to_ns(last) == last * 1000000, "up to the last that fits");
	tap_ok(jvpn_limits_ms_to_ns(last + 1) == JVPN_NS_MAX &&
	       jvpn_limits_ms_to_ns(18446744073710ULL) == JVPN_NS_MAX &&
	       jvpn_limits_ms_to_ns(~0ULL) == JVPN_NS_MAX, "more is as late as can be");
}

int main(void)
{
	test_ms_to_ns();
	test_bucket_edges();
	test_bucket_random(1, 1);
	test_bucket_random(3, 10);
	test_bucket_random(200, 50);
	test_bucket_random(2, 2);
	test_bucket_random(1500, 20);
	test_switches_edges();
	test_switches_random(1, 0);
	test_switches_random(10, 1000);
	test_switches_random(30, 0);
	test_switches_random(5, 20000);
	test_switches_random(JVPN_SWITCHES_MAX, 100);
	return tap_done();
}
