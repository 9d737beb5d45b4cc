// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Exit statuses of a case, as kselftest has them. */
#define CASE_PASSED 0
#define CASE_FAILED 1
#define CASE_SKIPPED 4

static bool failed;

void test_fail(const char *file, int line, const char *format, ...)
{
	const char *base = strrchr(file, '/');
	va_list args;

	failed = true;
	printf("# %s:%d: ", base ? base + 1 : file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void test_end(void)
{
	fflush(stdout);
	_exit(failed ? CASE_FAILED : CASE_PASSED);
}

/* The reason reaches the result line through the pipe that the parent reads. */
static int reason_fd = -1;

void test_skip(const char *format, ...)
{
	va_list args;

	if (failed)
		test_end();
	va_start(args, format);
	vdprintf(reason_fd, format, args);
	va_end(args);
	fflush(stdout);
	_exit(CASE_SKIPPED);
}

uint64_t test_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

bool test_slow(void)
{
	const char *slow = getenv("JVPN_SLOW");

	return slow && *slow && strcmp(slow, "0");
}

unsigned int test_scale(unsigned int fast, unsigned int slow)
{
	return test_slow() ? slow : fast;
}

void test_pause(void)
{
	usleep(2000);
}

void test_sleep(uint64_t ms)
{
	uint64_t end = test_now() + ms;

	while (test_now() < end)
		usleep(1000 * (end - test_now()) + 100);
}

void test_shell(const char *format, ...)
{
	char *command;
	va_list args;
	int status;

	va_start(args, format);
	if (vasprintf(&command, format, args) < 0)
		abort();
	va_end(args);
	fflush(stdout);
	status = system(command);
	if (status) {
		FAIL("status %d of: %s", status, command);
		test_end();
	}
	free(command);
}

void test_random(void *buf, size_t len)
{
	if (getrandom(buf, len, 0) != (ssize_t)len)
		abort();
}

static unsigned int case_seconds(void)
{
	return test_scale(60, 240);
}

/* The child: ends here. */
static void case_run(const struct test_case *c)
{
	failed = false;
	setpgid(0, 0);
	if (unshare(CLONE_NEWNET)) {
		printf("# cannot make a network namespace: %s\n", strerror(errno));
		fflush(stdout);
		_exit(CASE_FAILED);
	}
	alarm(case_seconds());
	c->run();
	test_end();
}

static void case_report(unsigned int number, const struct test_case *c, int status,
			const char *reason)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == CASE_PASSED) {
		printf("ok %u %s\n", number, c->name);
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == CASE_SKIPPED) {
		printf("ok %u %s # SKIP %s\n", number, c->name, reason);
	} else {
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
			printf("# took longer than %u s\n", case_seconds());
		else if (WIFSIGNALED(status))
			printf("# died: %s\n", strsignal(WTERMSIG(status)));
		printf("not ok %u %s\n", number, c->name);
	}
	fflush(stdout);
}

static int case_fork(unsigned int number, const struct test_case *c)
{
	char reason[256] = "";
	int status, fds[2];
	ssize_t got;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		abort();
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		close(fds[0]);
		reason_fd = fds[1];
		case_run(c);
	}
	close(fds[1]);
	waitpid(pid, &status, 0);
	/* What the case has left running goes with it. */
	kill(-pid, SIGKILL);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CASE_SKIPPED) {
		got = read(fds[0], reason, sizeof(reason) - 1);
		reason[got > 0 ? got : 0] = '\0';
	}
	close(fds[0]);
	case_report(number, c, status, reason);
	return WIFEXITED(status) ? WEXITSTATUS(status) : CASE_FAILED;
}

static bool case_selected(const struct test_case *c, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strstr(c->name, argv[i]))
			return true;
	return argc < 2;
}

int test_main(const struct test_case *cases, size_t count, int argc, char **argv)
{
	unsigned int number = 0, skipped = 0, bad = 0;
	size_t i, selected = 0;

	for (i = 0; i < count; i++)
		selected += case_selected(&cases[i], argc, argv);
	printf("TAP version 13\n1..%zu\n", selected);
	fflush(stdout);
	for (i = 0; i < count; i++) {
		if (!case_selected(&cases[i], argc, argv))
			continue;
		switch (case_fork(++number, &cases[i])) {
		case CASE_PASSED:
			break;
		case CASE_SKIPPED:
			skipped++;
			break;
		default:
			bad++;
		}
	}
	if (bad)
		return CASE_FAILED;
	return selected && skipped == selected ? CASE_SKIPPED : CASE_PASSED;
}

uint32_t test_sum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (; len > 1; len -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	return len ? sum + (p[0] << 8) : sum;
}

uint16_t test_sum_end(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}
