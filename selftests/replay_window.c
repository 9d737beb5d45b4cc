// SPDX-License-Identifier: GPL-2.0
/*
 * Proves the replay window of the receive path, by packets: every counter is
 * delivered at most once, and every one that is new and not too old is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

/* As the module has it: 8192 counters less a word. At least 2048 are asked for. */
#define WINDOW 8128ULL
#define LIMIT (1ULL << 60)

static struct fx fx;
static struct session s;

static void begin(void)
{
	fx = fx_open();
	s = session_gateway(&fx, 10);
}

/* Send @counter; it must be delivered. */
static void fresh(uint64_t counter)
{
	char text[64];
	uint8_t inner[128];

	snprintf(text, sizeof(text), "counter %llu", (unsigned long long)counter);
	peer_send_at(&s.peer, counter, inner, session_text(&s, inner, text));
	sink_expect(fx.sink4, text);
}

static void refused(uint64_t counter)
{
	struct nl_counters before = fx_counters(&fx);
	uint64_t highest = session_view(&s).keys.rx_counter;
	uint8_t inner[128], buf[64];

	peer_send_at(&s.peer, counter, inner, session_text(&s, inner, "not this one"));
	CHECK(fx_expect_drops(&fx, &before, "rx_drop_replay", 1), "counter %llu",
	      (unsigned long long)counter);
	CHECK(sink_receive(fx.sink4, 0, buf, sizeof(buf), NULL) < 0, "counter %llu was delivered",
	      (unsigned long long)counter);
	CHECK_EQ(session_view(&s).keys.rx_counter, highest, "the highest counter received");
}

static void duplicates(void)
{
	uint64_t i;

	begin();
	/* 0 attached the session */
	refused(0);
	for (i = 1; i < 5; i++) {
		fresh(i);
		refused(i);
	}
	refused(1);
}

static void edges(void)
{
	const uint64_t top = 1000000;

	begin();
	fresh(top);
	/* next is top + 1: WINDOW counters below it are judged one by one. */
	fresh(top + 1 - WINDOW);
	refused(top + 1 - WINDOW);
	refused(top - WINDOW);
	refused(top - WINDOW - 1);
	fresh(top + 2 - WINDOW);
	fresh(top - 1);
	refused(top);
	refused(0);
	refused(1);
	/* One further, and the oldest is out. */
	fresh(top + 1);
	refused(top + 1 - WINDOW);
	fresh(top + 3 - WINDOW);
}

static void size_at_least(void)
{
	begin();
	fresh(5000);
	fresh(5000 - 2047);
	refused(5000 - 2047);
}

/* From empty: the window does not reach below zero. */
static void small_counters(void)
{
	begin();
	fresh(2);
	fresh(1);
	refused(0);
	fresh(WINDOW);
	refused(0);
	refused(1);
	fresh(3);
	refused(3);
	fresh(WINDOW + 3);
	refused(3);
	fresh(4);
}

static void far_ahead(void)
{
	begin();
	fresh(100);
	fresh(1ULL << 40);
	refused(101);
	refused(1ULL << 40);
	fresh((1ULL << 40) - 1);
	/* All that lies between is new, whatever the ring held before. */
	fresh((1ULL << 40) - 64);
	fresh((1ULL << 40) + 8192);
	fresh((1ULL << 40) + 8192 - WINDOW + 1);
	refused(1ULL << 40);
}

/* 2^60 packets is the limit of a key. */
static void limit(void)
{
	begin();
	fresh(50);
	refused(LIMIT);
	refused(LIMIT + 1);
	refused(UINT64_MAX);
	refused(UINT64_MAX - 1);
	fresh(LIMIT - 1);
	refused(LIMIT);
	refused(LIMIT - 1);
	fresh(LIMIT - 2);
}

/* What does not authenticate moves nothing, so that a forger cannot close the window. */
static void forged_ahead(void)
{
	uint8_t inner[128], datagram[256];
	struct nl_counters before;
	size_t len;

	begin();
	fresh(10);
	before = fx_counters(&fx);
	len = peer_seal(&s.peer.epoch.rx, 1ULL << 50, inner, session_text(&s, inner, "forged"),
			datagram);
	datagram[20] ^= 4;
	peer_send_raw(&s.peer, datagram, len);
	fx_expect_drops(&fx, &before, "rx_drop_auth", 1);
	CHECK_EQ(session_view(&s).keys.rx_counter, 10, "the highest counter received");
	fresh(11);
	fresh(5);
}

/* A set of all that was delivered, against random counters around the edges. */
#define SPAN 20000
static bool seen[SPAN + 1];

static bool wanted(uint64_t counter, uint64_t next)
{
	return !seen[counter] && (counter >= next || next - counter <= WINDOW);
}

static void random_order(void)
{
	const unsigned int rounds = test_scale(20000, 4000);
	uint64_t next = 1, counter, drops = 0, got = 0;
	struct nl_counters before;
	uint8_t inner[128], buf[64];
	uint32_t random;
	unsigned int i;

	begin();
	before = fx_counters(&fx);
	seen[0] = true;
	for (i = 0; i < rounds; i++) {
		test_random(&random, sizeof(random));
		switch (random % 4) {
		case 0:
			counter = next + (random >> 8) % 8;
			break;
		case 1:
			counter = next - (random >> 8) % (next < 64 ? next : 64);
			break;
		case 2:
			counter = next > WINDOW + 8 ? next - WINDOW - 8 + (random >> 8) % 16 :
			random % next;
			break;
		default:
			counter = random / 4 % next;
		}
		if (counter >= SPAN)
			break;
		peer_send_at(&s.peer, counter, inner, session_text(&s, inner, "x"));
		if (wanted(counter, next)) {
			got++;
			REQUIRE(sink_receive(fx.sink4, PATIENCE_MS, buf, sizeof(buf), NULL) == 1,
				"counter %llu is new (next is %llu) and was not delivered",
				(unsigned long long)counter, (unsigned long long)next);
			seen[counter] = true;
			if (counter >= next)
				next = counter + 1;
		} else {
			drops++;
			REQUIRE(sink_receive(fx.sink4, 0, buf, sizeof(buf), NULL) < 0,
				"counter %llu is not new (next is %llu) and was delivered",
				(unsigned long long)counter, (unsigned long long)next);
		}
	}
	fx_expect_drops(&fx, &before, "rx_drop_replay", drops);
	CHECK(got > 100 && drops > 100, "only %llu delivered and %llu refused",
	      (unsigned long long)got, (unsigned long long)drops);
}

/* A new epoch begins with a window of its own. */
static void new_epoch(void)
{
	struct nl_epoch e;

	begin();
	fresh(100000);
	e = nl_epoch(1);
	session_jump(&s, &s.peer, &e);
	fresh(0);
	refused(0);
	fresh(1);
}

static const struct test_case cases[] = {
	{ "a duplicate is not delivered", duplicates },
	{ "the edges of the window are exact", edges },
	{ "the window is of at least 2048", size_at_least },
	{ "the first counters of a key", small_counters },
	{ "a counter far ahead moves the window", far_ahead },
	{ "counters from 2^60 are refused", limit },
	{ "a forged counter does not move the window", forged_ahead },
	{ "random counters are each delivered at most once", random_order },
	{ "a new epoch has a window of its own", new_epoch },
};

TEST_MAIN(cases)
