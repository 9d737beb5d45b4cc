// SPDX-License-Identifier: GPL-2.0
#include "instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOLDER_SIZE 32

static int instance_directory_make(const char *path)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			return -1;
		*p = '/';
	}
	return mkdir(part, 0700) && errno != EEXIST ? -1 : 0;
}

/* Is it empty, or does it hold the number of a process and nothing else? */
static bool instance_file_is_ours(int fd, char holder[HOLDER_SIZE])
{
	ssize_t n = pread(fd, holder, HOLDER_SIZE - 1, 0);
	size_t digits;
	struct stat st;

	if (n < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return false;
	holder[n] = '\0';
	digits = strspn(holder, "0123456789");
	if (n && (holder[digits] != '\n' || (size_t)n != digits + 1))
		return false;
	holder[digits] = '\0';
	return true;
}

static int instance_file_lock(const char *path, char *error, size_t error_size)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = open(path, flags, 0600);
	char holder[HOLDER_SIZE] = "";

	if (fd < 0) {
		snprintf(error, error_size, "cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	if (!instance_file_is_ours(fd, holder)) {
		snprintf(error, error_size,
			 "%s is there and is no lock of a jvpnd; name another runtime_dir", path);
		close(fd);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		snprintf(error, error_size,
			 "another jvpnd (process %s) serves this device, it holds %s; stop it first",
			 holder[0] ? holder : "unknown", path);
		close(fd);
		return -1;
	}
	if (ftruncate(fd, 0) || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
		snprintf(error, error_size, "cannot write %s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int instance_lock(const char *runtime_dir, const char *device, char *error, size_t error_size)
{
	char path[PATH_MAX];

	if (instance_directory_make(runtime_dir)) {
		snprintf(error, error_size,
			 "cannot make the runtime directory %s: %s; make it, or name another one as runtime_dir",
			 runtime_dir, strerror(errno));
		return -1;
	}
	if (snprintf(path, sizeof(path), "%s/%s.lock", runtime_dir, device) >= (int)sizeof(path)) {
		snprintf(error, error_size, "runtime_dir %s is too long", runtime_dir);
		return -1;
	}
	return instance_file_lock(path, error, error_size);
}
