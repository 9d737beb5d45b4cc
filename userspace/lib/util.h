/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_UTIL_H
#define JVPN_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define JVPN_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define JVPN_UTIL_TIME_TEXT	32	/* "2026-01-02T03:04:05.678Z" and NUL */

uint64_t jvpn_util_time_real_ms(void);		/* CLOCK_REALTIME */
uint64_t jvpn_util_time_boot_ms(void);		/* CLOCK_BOOTTIME */
/* CLOCK_MONOTONIC, ms from now: for condition variables of that clock. */
void jvpn_util_deadline(struct timespec *at, unsigned int ms);
char *jvpn_util_time_format(uint64_t real_ms, char *buf, size_t size);

/* hex must have room for 2 * size + 1. Returns hex. */
char *jvpn_util_hex_encode(const uint8_t *bytes, size_t size, char *hex);
/* Exactly 2 * size digits. Returns false for anything else. */
bool jvpn_util_hex_decode(const char *hex, uint8_t *bytes, size_t size);

/* Whole text must be a decimal number (or 0x...) within [0, max]. */
bool jvpn_util_number_parse(const char *text, uint64_t max, uint64_t *value);

/* Edits between two words; both at most 63 characters, else a large number. */
unsigned int jvpn_util_distance(const char *a, const char *b);
/* The candidate nearest to word, or NULL if none is near. List ends with NULL. */
const char *jvpn_util_nearest(const char *word, const char *const *candidates);

/*
 * Replace control characters and what is not UTF-8 by '?': text of unknown origin must
 * neither reach a terminal nor break JSON. Returns text, which may be NULL.
 */
char *jvpn_util_text_clean(char *text);

/* A name as people give to peers, policies, devices: letters, digits, ._- */
bool jvpn_util_name_valid(const char *name);
/* An interface name as the kernel takes it. */
bool jvpn_util_ifname_valid(const char *name);

#endif /* JVPN_UTIL_H */
