// SPDX-License-Identifier: GPL-2.0
/* When the kernel's table is read again: soon, and a flood of lost events does not change that. */
#include "../../jvpnd/reconcile.h"
#include "../tap.h"

/* A flood asks each millisecond, each reading takes took_ms. Returns the readings in span_ms. */
static unsigned int flood_run(uint64_t span_ms, uint64_t took_ms, uint64_t *longest_ms)
{
	struct reconcile_pace pace = {};
	uint64_t due = 0, last = 1;
	unsigned int readings = 0;

	*longest_ms = 0;
	for (uint64_t now = 1; now < span_ms; now++) {
		if (due && now >= due) {
			reconcile_pace_done(&pace, now, now + took_ms);
			now += took_ms;
			*longest_ms = now - last > *longest_ms ? now - last : *longest_ms;
			last = now;
			readings++;
		}
		due = reconcile_pace_ask(&pace, now);
	}
	return readings;
}

int main(void)
{
	struct reconcile_pace pace = {};
	uint64_t longest;
	unsigned int readings;

	tap_equal(reconcile_pace_ask(&pace, 1000), 1020, "one lost event: read again after 20 ms");
	tap_equal(reconcile_pace_ask(&pace, 1010), 1030, "another one is waited for");
	reconcile_pace_done(&pace, 1030, 1031);
	tap_equal(reconcile_pace_ask(&pace, 5000), 5020, "the next time begins anew");

	readings = flood_run(10000, 1, &longest);
	tap_ok(readings >= 19, "a steady flood: read %u times in 10 s", readings);
	tap_ok(longest <= 510, "and never later than half a second after the last time (%llu ms)",
	       (unsigned long long)longest);
	readings = flood_run(100000, 1000, &longest);
	tap_ok(readings >= 15 && readings <= 21,
	       "where reading takes a second, it takes a fifth of the time (%u times in 100 s)", readings);
	return tap_done();
}
