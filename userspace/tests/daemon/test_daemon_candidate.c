// SPDX-License-Identifier: GPL-2.0
/* How long a transport that was left for its quality must be good before it is preferred again. */
#include "../tap.h"
#include "../../jvpnd/candidate.h"
#include "../../jvpnd/path.h"

#define STABLE_MS 1000

static struct candidate cand;

static void answered(uint64_t now_ms)
{
	static const struct path by;

	candidate_answered(&cand, &by, now_ms, 1000);
}

static void bound(uint64_t now_ms)
{
	cand.bound_ms = now_ms;
}

static bool stable(uint64_t now_ms)
{
	return candidate_is_stable(&cand, now_ms, STABLE_MS);
}

static void reset(void)
{
	cand = (struct candidate){ .usable = true };
}

/* Left at 10 s, used again at `again`, left at `left`. */
static void leave_twice(uint64_t again, uint64_t left)
{
	reset();
	answered(1000);
	bound(1000);
	candidate_poor(&cand, 10000, STABLE_MS);
	bound(again);
	candidate_poor(&cand, left, STABLE_MS);
}

int main(void)
{
	reset();
	tap_ok(!stable(100000), "what never answered is not stable");
	answered(1000);
	tap_ok(!stable(1999) && stable(2000), "what answers is, after the time of the policy");
	bound(2000);
	candidate_poor(&cand, 10000, STABLE_MS);
	tap_ok(!stable(10999) && stable(11000), "it begins anew when it was left");
	candidate_poor(&cand, 10500, STABLE_MS);
	tap_ok(stable(11000), "a departure that is tried again is one");
	leave_twice(11000, 12500);
	tap_ok(!stable(14499) && stable(14500), "twice as long when it was left again soon");
	leave_twice(17000, 18500);
	tap_ok(!stable(20499) && stable(20500), "however long it was not used");
	leave_twice(11000, 13001);
	tap_ok(!stable(14000) && stable(14001), "as at first when it was in use twice as long as that");
	for (unsigned int i = 0; i < 40; i++) {
		bound(100000 + 100000 * i);
		candidate_poor(&cand, 101000 + 100000 * i, STABLE_MS);
	}
	tap_ok(stable(101000 + 100000 * 39 + 16 * STABLE_MS) &&
	       !stable(101000 + 100000 * 39 + 16 * STABLE_MS - 1), "16 times as long at most");
	return tap_done();
}
