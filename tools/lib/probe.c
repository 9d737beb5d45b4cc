// SPDX-License-Identifier: GPL-2.0
/*
 * Sends a small numbered UDP packet every few milliseconds between two network
 * namespaces, in both directions at once, and writes when each was sent and
 * when it arrived. One process holds both ends, so that one clock
 * (CLOCK_MONOTONIC) times everything.
 *
 * Started before the events that are to be measured, ended by SIGTERM or
 * SIGINT: it then stops sending and waits for what is under way. For each
 * packet there is a line: direction,number,sent_ns,arrived_ns (0: it never
 * came). Lines are written while it runs, UNDER_WAY packets late, so that it
 * can run for days and leaves its lines if it is killed.
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
/* How many packets of a direction are waited for: at 10 ms, those of 40 s. */
#define UNDER_WAY	4096
#define LATE_MS		1000
#define PAYLOAD		64

struct packet {
	uint64_t sent;
	_Atomic uint64_t arrived;
};

struct direction {
	const char *name;
	int from, to;				/* sockets */
	struct sockaddr_in target;
	struct packet packets[UNDER_WAY];	/* number modulo UNDER_WAY */
	_Atomic uint32_t next;			/* number of the next one to be sent */
	uint32_t duplicates;			/* the receiving thread's own */
	uint32_t late;				/* the same: came after its line was written */
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

static void packet_write(FILE *out, const struct direction *way, uint32_t number)
{
	const struct packet *packet = &way->packets[number % UNDER_WAY];

	fprintf(out, "%s,%u,%llu,%llu\n", way->name, number, (unsigned long long)packet->sent,
		(unsigned long long)packet->arrived);
}

static void packet_send(FILE *out, struct direction *way, uint32_t number)
{
	struct packet *packet = &way->packets[number % UNDER_WAY];
	uint32_t payload[PAYLOAD / sizeof(uint32_t)] = { htonl(number) };

	if (number >= UNDER_WAY)
		packet_write(out, way, number - UNDER_WAY);
	packet->arrived = 0;
	packet->sent = now_ns();
	way->next = number + 1;
	if (sendto(way->from, payload, sizeof(payload), MSG_DONTWAIT,
		   (struct sockaddr *)&way->target, sizeof(way->target)) < 0)
		way->failed++;
}

static void packet_arrived(struct direction *way, uint32_t number, uint64_t now)
{
	uint32_t age = way->next - number;
	uint64_t never = 0;

	if (age >= UNDER_WAY)
		way->late++;
	else if (age && !atomic_compare_exchange_strong(&way->packets[number % UNDER_WAY].arrived,
							&never, now))
		way->duplicates++;
}

static void *direction_receive(void *argument)
{
	struct direction *way = argument;
	uint32_t payload[PAYLOAD / sizeof(uint32_t)];

	for (;;) {
		ssize_t length = recv(way->to, payload, sizeof(payload), 0);
		uint64_t now = now_ns();

		if (length == sizeof(payload))
			packet_arrived(way, ntohl(payload[0]), now);
	}
	return NULL;
}

static uint32_t packets_send(FILE *out, uint64_t interval)
{
	uint64_t next = now_ns();
	uint32_t number = 0;

	while (!stopped) {
		packet_send(out, &directions[0], number);
		packet_send(out, &directions[1], number);
		number++;
		next += interval;
		sleep_until(next);
	}
	return number;
}

static void rest_write(FILE *out, uint32_t count)
{
	uint32_t first = count > UNDER_WAY ? count - UNDER_WAY : 0;

	for (const struct direction *way = directions; way < directions + 2; way++)
		for (uint32_t number = first; number < count; number++)
			packet_write(out, way, number);
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
	fprintf(out, "direction,number,sent_ns,arrived_ns\n");
	count = packets_send(out, (uint64_t)interval_ms * 1000000);
	sleep_until(now_ns() + LATE_MS * 1000000ull);
	rest_write(out, count);
	if (fclose(out))
		die("write", argv[6]);
	fprintf(stderr,
		"probe: %u packets each way, refused up %u, down %u, duplicates %u, too late %u\n",
		count, up->failed, down->failed, up->duplicates + down->duplicates,
		up->late + down->late);
	return 0;
}
