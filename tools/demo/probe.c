// SPDX-License-Identifier: GPL-2.0
/*
 * Sends a small numbered UDP packet every few milliseconds between two network
 * namespaces, in both directions at once, and writes when each was sent and
 * when it arrived. One process holds both ends, so that one clock
 * (CLOCK_MONOTONIC) times everything.
 *
 * Started before the events that are to be measured, ended by SIGTERM or
 * SIGINT: it then stops sending, waits for what is under way, and writes one
 * line per packet: direction,number,sent_ns,arrived_ns (0: it never came).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT		5400
#define PACKETS_MAX	100000
#define LATE_MS		1000
#define PAYLOAD		64

struct direction {
	const char *name;
	int from, to;				/* sockets */
	struct sockaddr_in target;
	uint64_t sent[PACKETS_MAX];
	_Atomic uint64_t arrived[PACKETS_MAX];
	uint32_t duplicates;			/* the receiving thread's own */
	uint32_t failed;			/* sends that the kernel refused */
};

static struct direction directions[2];		/* up, down */
static volatile sig_atomic_t stopped;

static _Noreturn void die(const char *what, const char *which)
{
	fprintf(stderr, "probe: cannot %s %s: %s\n", what, which, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec when = { .tv_sec = (time_t)(ns / 1000000000),
				 .tv_nsec = (long)(ns % 1000000000) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}

static void netns_enter(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("enter the network namespace", netns);
	close(fd);
}

/* The socket stays in the namespace that it was made in. */
static int end_open(const char *netns, const char *address, struct sockaddr_in *own)
{
	int fd;

	*own = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons(PORT) };
	if (inet_pton(AF_INET, address, &own->sin_addr) != 1) {
		errno = EINVAL;
		die("use the address", address);
	}
	netns_enter(netns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)own, sizeof(*own)))
		die("bind to", address);
	return fd;
}

static void packet_send(struct direction *way, uint32_t number)
{
	uint32_t payload[PAYLOAD / sizeof(uint32_t)] = { htonl(number) };

	way->sent[number] = now_ns();
	if (sendto(way->from, payload, sizeof(payload), MSG_DONTWAIT,
		   (struct sockaddr *)&way->target, sizeof(way->target)) < 0)
		way->failed++;
}

static void *direction_receive(void *argument)
{
	struct direction *way = argument;
	uint32_t payload[PAYLOAD / sizeof(uint32_t)];

	for (;;) {
		ssize_t length = recv(way->to, payload, sizeof(payload), 0);
		uint64_t now = now_ns(), never = 0;
		uint32_t number = ntohl(payload[0]);

		if (length != sizeof(payload) || number >= PACKETS_MAX)
			continue;
		if (!atomic_compare_exchange_strong(&way->arrived[number], &never, now))
			way->duplicates++;
	}
	return NULL;
}

static uint32_t packets_send(uint64_t interval)
{
	uint64_t next = now_ns();
	uint32_t number = 0;

	while (!stopped && number < PACKETS_MAX) {
		packet_send(&directions[0], number);
		packet_send(&directions[1], number);
		number++;
		next += interval;
		sleep_until(next);
	}
	return number;
}

static void result_write(FILE *out, uint32_t count)
{
	fprintf(out, "direction,number,sent_ns,arrived_ns\n");
	for (const struct direction *way = directions; way < directions + 2; way++)
		for (uint32_t i = 0; i < count; i++)
			fprintf(out, "%s,%u,%llu,%llu\n", way->name, i,
				(unsigned long long)way->sent[i],
				(unsigned long long)way->arrived[i]);
}

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* A late wake-up of ours would look like a gap of the tunnel. */
static void priority_raise(void)
{
	struct sched_param priority = { .sched_priority = 10 };

	if (sched_setscheduler(0, SCHED_FIFO, &priority))
		fprintf(stderr, "probe: without real-time priority (%s)\n", strerror(errno));
}

static void signals_catch(void)
{
	struct sigaction action = { .sa_handler = stop };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

static void receivers_start(void)
{
	pthread_t thread;

	for (int i = 0; i < 2; i++) {
		errno = pthread_create(&thread, NULL, direction_receive, &directions[i]);
		if (errno)
			die("start a thread for", directions[i].name);
	}
}

int main(int argc, char **argv)
{
	struct direction *up = &directions[0], *down = &directions[1];
	unsigned long interval_ms;
	uint32_t count;
	FILE *out;

	interval_ms = argc == 7 ? strtoul(argv[5], NULL, 10) : 0;
	if (!interval_ms) {
		fprintf(stderr,
			"usage: probe CLIENT-NETNS ADDRESS GATEWAY-NETNS ADDRESS INTERVAL-MS FILE\n"
			"The addresses are the inner IPv4 addresses of the tunnel's two ends.\n");
		return 2;
	}
	out = fopen(argv[6], "we");
	if (!out)
		die("write", argv[6]);
	up->name = "up";
	down->name = "down";
	up->from = down->to = end_open(argv[1], argv[2], &down->target);
	up->to = down->from = end_open(argv[3], argv[4], &up->target);
	signals_catch();
	priority_raise();
	receivers_start();
	count = packets_send((uint64_t)interval_ms * 1000000);
	sleep_until(now_ns() + LATE_MS * 1000000ull);
	result_write(out, count);
	if (fclose(out))
		die("write", argv[6]);
	fprintf(stderr, "probe: %u packets each way, refused up %u, down %u, duplicates %u\n",
		count, up->failed, down->failed, up->duplicates + down->duplicates);
	return 0;
}
