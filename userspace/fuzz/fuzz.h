/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_FUZZ_H
#define JVPN_FUZZ_H

/* What the harnesses share: a claim that must hold, and an input as a file. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__attribute__((unused))
static void fuzz_demand(bool good, const char *claim)
{
	if (good)
		return;
	fprintf(stderr, "%s\n", claim);
	abort();
}

/* A file that holds the input, without a name in any folder. */
struct fuzz_file {
	int fd;
	char path[32];
};

__attribute__((unused))
static struct fuzz_file fuzz_file_make(const uint8_t *data, size_t size)
{
	struct fuzz_file f = { .fd = memfd_create("fuzz", MFD_CLOEXEC) };

	fuzz_demand(f.fd >= 0 && write(f.fd, data, size) == (ssize_t)size &&
		    !lseek(f.fd, 0, SEEK_SET), "no file in memory");
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

#endif
