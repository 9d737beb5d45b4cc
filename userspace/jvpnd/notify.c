// SPDX-License-Identifier: GPL-2.0
#include "notify.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct {
	int fd;
	struct sockaddr_un address;
	socklen_t address_size;
	uint64_t watchdog_ms;
} notify = { .fd = -1 };

static uint64_t notify_number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : 0;
}

static void notify_watchdog_read(void)
{
	uint64_t pid = notify_number("WATCHDOG_PID");

	if (!pid || pid == (uint64_t)getpid())
		notify.watchdog_ms = notify_number("WATCHDOG_USEC") / 1000 / 2;
}

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;

	if (!length || length >= sizeof(notify.address.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	notify.address.sun_family = AF_UNIX;
	memcpy(notify.address.sun_path, path, length);
	if (path[0] == '@')
		notify.address.sun_path[0] = '\0';
	notify.address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	notify.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	notify_watchdog_read();
	unsetenv("NOTIFY_SOCKET");
}

void notify_close(void)
{
	if (notify.fd >= 0)
		close(notify.fd);
	notify.fd = -1;
}

/* Best effort: a manager that does not listen must not stop a tunnel. */
static void notify_send(const char *text)
{
	if (notify.fd < 0)
		return;
	(void)!sendto(notify.fd, text, strlen(text), MSG_NOSIGNAL,
		      (const struct sockaddr *)&notify.address, notify.address_size);
}

void notify_ready(void)
{
	notify_send("READY=1");
}

void notify_reloading(void)
{
	struct timespec now;
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	notify_send(text);
}

void notify_stopping(void)
{
	notify_send("STOPPING=1");
}

void notify_status(const char *format, ...)
{
	char text[256] = "STATUS=";
	va_list args;

	va_start(args, format);
	vsnprintf(text + 7, sizeof(text) - 7, format, args);
	va_end(args);
	notify_send(text);
}

void notify_watchdog(void)
{
	notify_send("WATCHDOG=1");
}

uint64_t notify_watchdog_interval_ms(void)
{
	return notify.fd < 0 ? 0 : notify.watchdog_ms;
}
