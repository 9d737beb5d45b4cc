// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that received packets wait within bounds: what two processors send to
 * one lane takes no more memory than it may, is counted to the last datagram,
 * keeps no timer from firing and no other source from being served.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

#define SENDERS 2
#define DATAGRAMS 46
#define DATAGRAM_SIZE 1400
/* What one lane and a socket may hold, and what else moves meanwhile. */
#define MEMORY_MOST_KB (40 << 10)
#define BYSTANDERS 8

static struct fx fx;
static struct session s;

/* Super-packets that each sender has sent. */
static uint64_t *sent;
static pid_t sender[SENDERS];

static void begin(void)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < SENDERS)
		test_skip("needs two processors");
	fx = fx_open();
	s = session_gateway(&fx, 10);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	REQUIRE(!sched_setaffinity(0, sizeof(set), &set), "cannot choose processor %d: %s", cpu,
		strerror(errno));
}

static void unpin(void)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	sched_setaffinity(0, sizeof(set), &set);
}

/* As costly for the receiver as it can be without a key: authentic but for one octet. */
static void sender_run(int cpu)
{
	static uint8_t batch[DATAGRAMS * DATAGRAM_SIZE];
	uint8_t inner[DATAGRAM_SIZE - PEER_OVERHEAD] = "";
	int i;

	pin(cpu);
	peer_seal(&s.peer.epoch.rx, 1000, inner, sizeof(inner), batch);
	batch[DATAGRAM_SIZE - 1] ^= 1;
	for (i = 1; i < DATAGRAMS; i++)
		memcpy(batch + i * DATAGRAM_SIZE, batch, DATAGRAM_SIZE);
	for (;;) {
		peer_send_batch(&s.peer, batch, sizeof(batch), DATAGRAM_SIZE);
		__atomic_add_fetch(&sent[cpu], 1, __ATOMIC_SEQ_CST);
	}
}

/* From one socket, so that all of it is one source. */
static void flood_begin(void)
{
	int i;

	sent = mmap(NULL, sizeof(*sent) * SENDERS, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(sent != MAP_FAILED, "no memory");
	for (i = 0; i < SENDERS; i++) {
		sender[i] = fork();
		REQUIRE(sender[i] >= 0, "cannot fork");
		if (!sender[i])
			sender_run(i);
	}
}

/* A sender that is killed between the call and its count is one behind. */
static uint64_t flood_end(void)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < SENDERS; i++)
		kill(sender[i], SIGKILL);
	for (i = 0; i < SENDERS; i++) {
		waitpid(sender[i], NULL, 0);
		sum += sent[i];
	}
	return sum;
}

static long memory_free_kb(void)
{
	char line[128];
	long kb = -1;
	FILE *in = fopen("/proc/meminfo", "r");

	REQUIRE(in, "no /proc/meminfo");
	while (kb < 0 && fgets(line, sizeof(line), in))
		sscanf(line, "MemFree: %ld kB", &kb);
	fclose(in);
	return kb;
}

/* Packets that were dropped before they came to the socket. */
static uint64_t backlog_drops(void)
{
	unsigned int one;
	uint64_t sum = 0;
	char line[256];
	FILE *in = fopen("/proc/net/softnet_stat", "r");

	REQUIRE(in, "no /proc/net/softnet_stat");
	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "%*x %x", &one) == 1)
			sum += one;
	fclose(in);
	return sum;
}

/* Packets that the module's socket has dropped. */
static uint64_t socket_drops(void)
{
	unsigned int port, drops;
	uint64_t sum = 0;
	char line[256];
	FILE *in = fopen("/proc/net/udp", "r");

	REQUIRE(in, "no /proc/net/udp");
	while (fgets(line, sizeof(line), in))
		if (sscanf(line, " %*d: %*x:%x %*x:%*x %*x %*x:%*x %*x:%*x %*x %*u %*u %*u %*u %*s %u",
			   &port, &drops) == 2 && port == fx.addr4.port)
			sum += drops;
	fclose(in);
	return sum;
}

static uint64_t drops_of(const struct nl_counters *c)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < c->count; i++)
		if (!strncmp(c->name[i], "rx_drop_", 8))
			sum += c->value[i];
	return sum;
}

static void bounded(void)
{
	const uint64_t enough = test_scale(6000, 600), until = test_now() + 4 * PATIENCE_MS;
	uint64_t lost = backlog_drops(), packets, datagrams;
	long before, least;
	struct nl_counters c;

	begin();
	before = least = memory_free_kb();
	flood_begin();
	for (; sent[0] + sent[1] < enough && test_now() < until; test_sleep(20)) {
		long now = memory_free_kb();

		least = now < least ? now : least;
	}
	packets = flood_end();
	lost = backlog_drops() - lost + socket_drops();
	CHECK(before - least < MEMORY_MOST_KB, "the flood took %ld kB", before - least);
	CHECK(WAIT_FOR(({
		c = fx_counters(&fx);
		datagrams = nl_counters_of(&c, "rx_datagrams") - 1 + lost * DATAGRAMS;
		datagrams >= packets * DATAGRAMS &&
			drops_of(&c) == nl_counters_of(&c, "rx_datagrams") - 1;
	})), "%llu of %llu datagrams are counted, %llu of them as drops",
	      (unsigned long long)datagrams, (unsigned long long)packets * DATAGRAMS,
	      (unsigned long long)drops_of(&c));
	CHECK(datagrams <= (packets + SENDERS) * DATAGRAMS, "%llu datagrams are counted, not %llu",
	      (unsigned long long)datagrams, (unsigned long long)packets * DATAGRAMS);
	CHECK(nl_counters_of(&c, "rx_drop_auth"), "nothing came through to the cipher");
	session_works(&s, "afterwards");
	printf("# %llu super-packets, %llu datagrams had no room, %llu packets lost before, %ld kB\n",
	       (unsigned long long)packets,
	       (unsigned long long)(drops_of(&c) - nl_counters_of(&c, "rx_drop_auth")),
	       (unsigned long long)lost, before - least);
}

/* One session for each processor, whose timer it has. */
static void deadlines_fire(void)
{
	const unsigned int late = test_scale(1000, 3000), flood = test_scale(2500, 9000);
	struct session ends[SENDERS];
	uint64_t end;
	int i;

	begin();
	end = test_now() + flood / 5;
	for (i = 0; i < SENDERS; i++) {
		pin(i);
		ends[i] = session_describe(&fx, JVPN_ROLE_GATEWAY, 11 + i);
		ends[i].session_deadline = end;
		session_attach(&ends[i]);
	}
	unpin();
	flood_begin();
	test_sleep(flood);
	flood_end();
	for (i = 0; i < SENDERS; i++) {
		struct nl_view v;

		session_wait_state(&ends[i], JVPN_STATE_TERMINATED);
		v = session_view(&ends[i]);
		REQUIRE(v.steps && v.state == JVPN_STATE_TERMINATED, "the deadline did not fire");
		CHECK(v.step[v.steps - 1].time <= end + late, "processor %d: %lld ms late", i,
		      (long long)(v.step[v.steps - 1].time - end));
	}
}

/* Some of them may share the lane of the flood, but not half of them. */
static void others_served(void)
{
	struct session other[BYSTANDERS];
	unsigned int i, round, served = 0;
	struct nl_view v;

	begin();
	for (i = 0; i < BYSTANDERS; i++)
		other[i] = session_gateway(&fx, 11 + i);
	flood_begin();
	for (round = 0; round < 30; round++) {
		test_sleep(test_scale(20, 100));
		for (i = 0; i < BYSTANDERS; i++)
			session_say(&other[i], "bystander");
	}
	for (i = 0; i < BYSTANDERS; i++) {
		v = session_view(&other[i]);
		served += v.stats[JVPN_A_STATS_RX_PACKETS] > 0;
	}
	flood_end();
	CHECK(served > BYSTANDERS / 2, "%u of %u sources were served", served, BYSTANDERS);
}

static const struct test_case cases[] = {
	{ "two processors fill one lane: memory is bounded, every datagram counted", bounded },
	{ "two processors fill one lane: deadlines fire", deadlines_fire },
	{ "two processors fill one lane: other sources are served", others_served },
};

TEST_MAIN(cases)
