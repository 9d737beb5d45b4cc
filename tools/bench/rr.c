// SPDX-License-Identifier: GPL-2.0
/*
 * Request and response of one octet over one TCP connection, one at a time.
 * The client prints the median and the 99th percentile of the round trip in
 * nanoseconds and how many round trips it counted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX (1u << 20)
#define WARM_UP_PERCENT 10

static void die(const char *what)
{
	fprintf(stderr, "rr: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void die_usage(void)
{
	fprintf(stderr, "usage: rr server ADDRESS PORT\n"
			"       rr client ADDRESS PORT SECONDS\n"
			"ADDRESS is IPv4; a server serves one client after the other.\n");
	exit(2);
}

static uint64_t time_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static struct sockaddr_in addr_parse(const char *address, const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	unsigned long number = strtoul(port, NULL, 10);

	if (inet_pton(AF_INET, address, &sin.sin_addr) != 1 || number < 1 || number > 65535)
		die_usage();
	sin.sin_port = htons((uint16_t)number);
	return sin;
}

static int socket_open(void)
{
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		die("cannot open a TCP socket");
	return fd;
}

static void server_run(struct sockaddr_in sin)
{
	int fd = socket_open();
	char octet;

	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, 4))
		die("cannot listen");
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer < 0)
			die("cannot accept");
		while (read(peer, &octet, 1) == 1 && write(peer, &octet, 1) == 1)
			;
		close(peer);
	}
}

static int sample_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void samples_print(uint64_t *samples, size_t count)
{
	if (count < 100) {
		fprintf(stderr, "rr: only %zu round trips, too few for a percentile\n", count);
		exit(1);
	}
	qsort(samples, count, sizeof(*samples), sample_compare);
	printf("%llu %llu %zu\n", (unsigned long long)samples[count / 2],
	       (unsigned long long)samples[count * 99 / 100], count);
}

static void client_run(struct sockaddr_in sin, double seconds)
{
	uint64_t *samples = calloc(SAMPLES_MAX, sizeof(*samples));
	uint64_t start, warm, end, sent, now;
	size_t count = 0;
	char octet = 1;
	int fd = socket_open();

	if (!samples)
		die("no memory for samples");
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)))
		die("cannot connect");
	start = now = time_now_ns();
	end = start + (uint64_t)(seconds * 1e9);
	warm = start + (end - start) * WARM_UP_PERCENT / 100;
	while (now < end && count < SAMPLES_MAX) {
		sent = now;
		if (write(fd, &octet, 1) != 1 || read(fd, &octet, 1) != 1)
			die("the connection broke");
		now = time_now_ns();
		if (sent >= warm)
			samples[count++] = now - sent;
	}
	samples_print(samples, count);
	free(samples);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "server"))
		server_run(addr_parse(argv[2], argv[3]));
	else if (argc == 5 && !strcmp(argv[1], "client") && atof(argv[4]) > 0)
		client_run(addr_parse(argv[2], argv[3]), atof(argv[4]));
	else
		die_usage();
	return 0;
}
