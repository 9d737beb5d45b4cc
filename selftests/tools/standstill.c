// SPDX-License-Identifier: GPL-2.0
/*
 * Notes when the machine stood still: on each processor something wants to run
 * every 10 ms, and when it comes 50 ms or more too late that is written.
 *
 *   standstill FILE     until it is ended, or its parent is
 *
 * A line is: when it was noticed (CLOCK_BOOTTIME, ms), and how late (ms). A shared
 * machine that does not run for a while makes paths silent, heartbeats late and
 * limits of time pass: what a test then finds says nothing about jvpn.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define STEP_MS	10
#define NOTE_MS	50

static int out;

static int64_t boot_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void note(int64_t now, int64_t late)
{
	char line[64];
	int size = snprintf(line, sizeof(line), "%lld %lld\n", (long long)now, (long long)late);

	if (write(out, line, (size_t)size) != size)
		exit(1);
}

static void *watch(void *processor)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
	int64_t before, now;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((uintptr_t)processor, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (before = boot_ms();; before = now) {
		nanosleep(&step, NULL);
		now = boot_ms();
		if (now - before - STEP_MS >= NOTE_MS)
			note(now, now - before - STEP_MS);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread;
	long i;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	out = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (out < 0) {
		perror(argv[1]);
		return 1;
	}
	for (i = 1; i < processors; i++)
		if (pthread_create(&thread, NULL, watch, (void *)(uintptr_t)i))
			return 1;
	watch(NULL);
	return 0;
}
