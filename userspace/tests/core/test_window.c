// SPDX-License-Identifier: GPL-2.0
/*
 * The replay window against a model that cannot be wrong in the same way: a
 * list of all counters accepted so far.
 */
#include <stdlib.h>

#include "../tap.h"
#include "core/window.h"

#define LIMIT (1ULL << 60)

/* Every counter accepted, in a hash of open addressing. */
#define MODEL_SIZE (1u << 20)

struct model {
	u64 highest;
	bool any;
	bool used[MODEL_SIZE];
	u64 counter[MODEL_SIZE];
};

static struct model model;

static size_t model_slot(u64 counter)
{
	size_t at = (counter * 0x9e3779b97f4a7c15ULL) >> 44;

	while (model.used[at] && model.counter[at] != counter)
		at = (at + 1) % MODEL_SIZE;
	return at;
}

static void model_clear(void)
{
	memset(&model, 0, sizeof(model));
}

/* New, below the limit, and not further behind than the window is wide. */
static bool model_fresh(u64 counter)
{
	if (counter >= LIMIT || model.used[model_slot(counter)])
		return false;
	return !model.any || counter > model.highest ||
	       model.highest - counter < JVPN_WINDOW_SIZE;
}

static bool model_accept(u64 counter)
{
	size_t at = model_slot(counter);

	if (!model_fresh(counter))
		return false;
	model.used[at] = true;
	model.counter[at] = counter;
	if (!model.any || counter > model.highest)
		model.highest = counter;
	model.any = true;
	return true;
}

/* xorshift64*: the same numbers in every run. */
static u64 seed = 88172645463325252ULL;

static u64 random_next(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dULL;
}

static struct jvpn_window window;
static unsigned int bad, accepted, refused;

/* One counter, asked for and offered. */
static void offer(u64 counter)
{
	struct jvpn_window before = window;
	bool wanted = model_fresh(counter);
	bool fresh = jvpn_window_fresh(&window, counter), taken;

	if (memcmp(&before, &window, sizeof(window))) {
		tap_note("asking for %llu changed the window", (unsigned long long)counter);
		bad++;
	}
	taken = jvpn_window_accept(&window, counter);
	model_accept(counter);
	if (fresh != wanted || taken != wanted) {
		if (bad < 5)
			tap_note("counter %llu, highest %llu: fresh %d, accepted %d, not %d",
				 (unsigned long long)counter, (unsigned long long)model.highest,
				 fresh, taken, wanted);
		bad++;
	}
	if (!taken && memcmp(&before, &window, sizeof(window))) {
		tap_note("refusing %llu changed the window", (unsigned long long)counter);
		bad++;
	}
	if (taken)
		accepted++;
	else
		refused++;
}

static void begin(u64 start)
{
	memset(&window, 0, sizeof(window));
	model_clear();
	bad = 0;
	accepted = 0;
	refused = 0;
	if (start)
		offer(start);
}

static u64 clamp(u64 counter)
{
	return counter > (1ULL << 63) ? 0 : counter;
}

/* A counter where something may go wrong: near the edges, or anywhere. */
static u64 counter_pick(void)
{
	u64 r = random_next(), near = r >> 8, top = model.highest;

	switch (r % 8) {
	case 0:
		return top + 1 + near % 3;
	case 1:
		return clamp(top - near % 130);
	case 2:
		return clamp(top - JVPN_WINDOW_SIZE + 5 - near % 10);
	case 3:
		return clamp(top - near % (JVPN_WINDOW_SIZE + 100));
	case 4:
		return top + near % (2 * JVPN_WINDOW_RING_BITS) * !(near % 16);
	case 5:
		return clamp(top - near % JVPN_WINDOW_WORD_BITS * JVPN_WINDOW_WORD_BITS);
	case 6:
		return clamp(top / JVPN_WINDOW_RING_BITS * JVPN_WINDOW_RING_BITS - near % 3);
	default:
		return clamp(top - near % 4);
	}
}

static void test_random(u64 start, const char *claim)
{
	unsigned int i;

	begin(start);
	for (i = 0; i < 400000; i++)
		offer(counter_pick());
	tap_ok(!bad, "%s: %u accepted, %u refused, as the model says", claim, accepted, refused);
	tap_ok(accepted > 10000 && refused > 10000, "%s: both happened often", claim);
}

static void test_in_order(void)
{
	u64 i;

	begin(0);
	for (i = 0; i < 50000; i++)
		offer(i);
	tap_ok(!bad && accepted == 50000, "in order all are accepted");
	for (i = 0; i < 50000; i++)
		offer(i);
	tap_ok(!bad && refused == 50000, "and none of them again");
}

static void test_backwards(void)
{
	u64 i;

	begin(100000);
	for (i = 100000 - 1; i > 100000 - 3 * JVPN_WINDOW_SIZE; i--)
		offer(i);
	tap_ok(!bad && accepted == JVPN_WINDOW_SIZE, "backwards exactly the window is accepted");
}

static void test_steps(void)
{
	unsigned int step;
	u64 i;

	for (step = 1; step < 3 * JVPN_WINDOW_RING_BITS && !bad; step = step * 2 + 1) {
		begin(0);
		for (i = 0; i < 300; i++) {
			offer(i * step);
			offer(i * step);
			if (i)
				offer(i * step - 1);
		}
	}
	tap_equal(bad, 0, "steps of every width empty what they pass");
}

static void test_limit(void)
{
	static const u64 strange[] = { LIMIT, LIMIT + 1, UINT64_MAX, UINT64_MAX - 1, 1ULL << 63,
				       (1ULL << 63) - 1 };
	size_t i;

	begin(0);
	for (i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		offer(strange[i]);
	tap_ok(!bad && !accepted && !window.next, "the limit and beyond: refused by an empty window");
	offer(LIMIT - 1);
	for (i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		offer(strange[i]);
	offer(LIMIT - 1);
	offer(LIMIT - 2);
	offer(LIMIT - JVPN_WINDOW_SIZE);
	offer(LIMIT - JVPN_WINDOW_SIZE - 1);
	offer(0);
	tap_ok(!bad && accepted == 3, "the limit and beyond: refused by a full one");
}

static void test_size(void)
{
	tap_ok(JVPN_WINDOW_SIZE >= 2048, "the window is of at least 2048");
	tap_ok(JVPN_COUNTER_MAX == LIMIT, "the limit of a key is 2^60");
}

int main(void)
{
	test_size();
	test_in_order();
	test_backwards();
	test_steps();
	test_random(0, "random counters from 0");
	test_random(JVPN_WINDOW_SIZE - 1, "random counters around the first window");
	test_random(1ULL << 32, "random counters around 2^32");
	test_random(LIMIT - 300000, "random counters up to the limit");
	test_limit();
	return tap_done();
}
