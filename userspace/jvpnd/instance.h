/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_INSTANCE_H
#define JVPND_INSTANCE_H

#include <stddef.h>

/*
 * One daemon for each device: an flock on <runtime_dir>/<device>.lock, which
 * the kernel lets go of however the daemon ends. Makes the directory (mode
 * 0700). Returns the locked descriptor, or -1 with a sentence in error.
 */
int instance_lock(const char *runtime_dir, const char *device, char *error, size_t error_size);

#endif
