/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types for the pure core: code without kernel or libc services, compiled
 * into the module, the daemon, the unit tests, the fuzzers and the model.
 * Time is always an argument, never read inside.
 */
#ifndef JVPN_CORE_H
#define JVPN_CORE_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif
#endif

#endif
