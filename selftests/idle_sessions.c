// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that a gateway does nothing for a session with which nothing happens: no datagram, and
 * no timer that comes again. Each session has one timer, for the first of its deadlines.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define SESSIONS 100
#define SILENCE_MS 60000

static struct fx fx;

/**
 * struct timers - the kernel's timers of one function
 * @count: how many
 * @expires: when, the earliest first; ns of the boot clock
 */
struct timers {
	unsigned int count;
	uint64_t expires[SESSIONS + 10];
};

static int earlier(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* /proc/timer_list: a line " #1: <...>, FUNCTION, S:01", then " # expires at N-N nsecs ...". */
static struct timers timers_of(const char *function)
{
	char line[512], name[64];
	struct timers t = {};
	bool wanted = false;
	FILE *f = fopen("/proc/timer_list", "r");

	REQUIRE(f, "no /proc/timer_list");
	snprintf(name, sizeof(name), ", %s", function);
	while (fgets(line, sizeof(line), f)) {
		if (wanted && t.count < SESSIONS + 10 &&
		    sscanf(line, " # expires at %" SCNu64, &t.expires[t.count]) == 1)
			t.count++;
		wanted = strstr(line, name);
	}
	fclose(f);
	qsort(t.expires, t.count, sizeof(t.expires[0]), earlier);
	return t;
}

/* Those of a case before go with its namespace, in a while. */
static struct timers timers_wait(unsigned int count)
{
	REQUIRE(WAIT_FOR(timers_of("deadline_fire").count == count), "%u timers instead of %u",
		timers_of("deadline_fire").count, count);
	return timers_of("deadline_fire");
}

static void gateway(void)
{
	struct timers before, after;
	struct nl_counters counted;
	struct session s;
	unsigned int i;

	fx = fx_open();
	for (i = 0; i < SESSIONS; i++) {
		s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10 + i);
		fx_policy_set(&s.policy, JVPN_A_POLICY_RX_TIMEOUT_MS, SILENCE_MS);
		session_attach(&s);
	}
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	counted = fx_counters(&fx);
	before = timers_wait(SESSIONS);
	CHECK_EQ(timers_of("probe_fire").count, 0, "timers of heartbeats");
	test_sleep(3000);
	after = timers_of("deadline_fire");
	CHECK(after.count == before.count &&
	      !memcmp(after.expires, before.expires, after.count * sizeof(after.expires[0])),
	      "timers went off in between");
	CHECK(after.count && after.expires[0] / 1000000 > test_now() + SILENCE_MS / 2,
	      "the next one goes off long before anything is due");
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "tx_datagrams"),
		 nl_counters_of(&counted, "tx_datagrams"), "datagrams sent");
}

/* What is heard meanwhile moves no timer: it is looked at when the timer goes off. */
static void gateway_that_hears(void)
{
	struct timers before, after;
	struct session s;
	unsigned int i;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	fx_policy_set(&s.policy, JVPN_A_POLICY_RX_TIMEOUT_MS, SILENCE_MS);
	session_attach(&s);
	before = timers_wait(1);
	for (i = 0; i < 20; i++)
		session_works(&s, "a packet");
	after = timers_of("deadline_fire");
	CHECK(after.count == 1 && after.expires[0] == before.expires[0], "a packet moved the timer");
}

static const struct test_case cases[] = {
	{ "a gateway does nothing for idle sessions", gateway },
	{ "a packet costs a gateway no timer", gateway_that_hears },
};

TEST_MAIN(cases)
