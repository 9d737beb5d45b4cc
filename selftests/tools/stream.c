// SPDX-License-Identifier: GPL-2.0
/*
 * TCP and UDP for scripts: sends octets that the receiver can compute, so that
 * every one of them is checked.
 *
 *   stream listen PORT             take one connection; "received N octets" at its end
 *   stream send ADDRESS PORT N     0: until killed
 *   stream udp-listen PORT N       N datagrams, each whole and known
 *   stream udp-send ADDRESS PORT N SIZE
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK 65536

static void die(const char *what)
{
	fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* splitmix64: octets 8 * @index and on. */
static uint64_t word(uint64_t index)
{
	uint64_t z = (index + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* Octets @at and on of the stream. */
static void fill(uint8_t *buf, size_t len, uint64_t at)
{
	uint64_t w;
	size_t n, skip;

	while (len) {
		w = word(at / 8);
		skip = at % 8;
		n = len < 8 - skip ? len : 8 - skip;
		memcpy(buf, (uint8_t *)&w + skip, n);
		buf += n;
		at += n;
		len -= n;
	}
}

static void compare(const uint8_t *buf, size_t len, uint64_t at)
{
	static uint8_t wanted[BLOCK];

	fill(wanted, len, at);
	if (!memcmp(buf, wanted, len))
		return;
	fprintf(stderr, "stream: octets %llu to %llu differ\n", (unsigned long long)at,
		(unsigned long long)(at + len));
	exit(1);
}

static socklen_t address(const char *text, const char *port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in4 = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(atoi(port));
		return sizeof(*in4);
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1) {
		fprintf(stderr, "stream: %s is not an address\n", text);
		exit(2);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(atoi(port));
	return sizeof(*in6);
}

/* Both families. */
static int bound(int type, const char *port)
{
	int fd = socket(AF_INET6, type, 0), one = 1;
	struct sockaddr_storage ss;
	socklen_t len = address("::", port, &ss);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&ss, len))
		die("bind");
	return fd;
}

static void tcp_listen(char **argv)
{
	int fd = bound(SOCK_STREAM, argv[0]), conn;
	static uint8_t buf[BLOCK];
	uint64_t at = 0;
	ssize_t got;

	if (listen(fd, 1))
		die("listen");
	conn = accept(fd, NULL, NULL);
	if (conn < 0)
		die("accept");
	while ((got = read(conn, buf, sizeof(buf))) > 0) {
		compare(buf, got, at);
		at += got;
	}
	if (got < 0)
		die("read");
	printf("received %llu octets\n", (unsigned long long)at);
}

static void tcp_send(char **argv)
{
	uint64_t total = strtoull(argv[2], NULL, 10), at = 0;
	struct sockaddr_storage ss;
	socklen_t len = address(argv[0], argv[1], &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM, 0);
	static uint8_t buf[BLOCK];

	if (connect(fd, (struct sockaddr *)&ss, len))
		die("connect");
	while (!total || at < total) {
		size_t now = total && total - at < BLOCK ? total - at : BLOCK;
		size_t done = 0;

		fill(buf, now, at);
		while (done < now) {
			ssize_t n = write(fd, buf + done, now - done);

			if (n < 0)
				die("write");
			done += n;
		}
		at += now;
	}
	shutdown(fd, SHUT_WR);
	/* Until the other end has taken it all and closed. */
	if (read(fd, buf, 1) < 0)
		die("read");
}

static void udp_listen(char **argv)
{
	uint64_t wanted = strtoull(argv[1], NULL, 10), count = 0;
	int fd = bound(SOCK_DGRAM, argv[0]);
	static uint8_t buf[BLOCK];
	ssize_t got;
	uint32_t n;

	while (count < wanted) {
		got = recv(fd, buf, sizeof(buf), 0);
		if (got < (ssize_t)sizeof(n))
			die("recv");
		memcpy(&n, buf, sizeof(n));
		compare(buf + sizeof(n), got - sizeof(n), n);
		count++;
	}
	printf("received %llu datagrams\n", (unsigned long long)count);
}

static void udp_send(char **argv)
{
	uint64_t count = strtoull(argv[2], NULL, 10);
	struct sockaddr_storage ss;
	socklen_t len = address(argv[0], argv[1], &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM, 0);
	size_t size = strtoul(argv[3], NULL, 10);
	static uint8_t buf[BLOCK];
	uint32_t n;

	if (size < sizeof(n) || size > sizeof(buf))
		size = sizeof(n);
	for (n = 0; !count || n < count; n++) {
		memcpy(buf, &n, sizeof(n));
		fill(buf + sizeof(n), size - sizeof(n), n);
		if (sendto(fd, buf, size, 0, (struct sockaddr *)&ss, len) < 0 &&
		    errno != ECONNREFUSED && errno != EHOSTUNREACH)
			die("sendto");
		usleep(500);
	}
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "listen"))
		tcp_listen(argv + 2);
	else if (argc == 5 && !strcmp(argv[1], "send"))
		tcp_send(argv + 2);
	else if (argc == 4 && !strcmp(argv[1], "udp-listen"))
		udp_listen(argv + 2);
	else if (argc == 6 && !strcmp(argv[1], "udp-send"))
		udp_send(argv + 2);
	else
		return 2;
	return 0;
}
