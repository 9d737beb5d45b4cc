/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_INITS_H
#define JVPND_INITS_H

/*
 * INITs that were read lately, and whose they are: one that comes again, from
 * wherever, costs a hash and no public-key work. What is remembered is bounded;
 * a newer one takes the place of an older one.
 */

#include <stdint.h>

#include "keys.h"

#define INITS_HASH 16

struct inits;

struct inits *inits_new(void);
void inits_free(struct inits *inits);
/* What tells INITs apart: all of it but mac1 and mac2. */
void inits_hash(uint8_t hash[INITS_HASH], const uint8_t *message);
void inits_note(struct inits *inits, const uint8_t hash[INITS_HASH],
		const uint8_t key[JVPN_KEYS_SIZE]);
/* The key of who made it; NULL: it is not remembered. */
const uint8_t *inits_find(const struct inits *inits, const uint8_t hash[INITS_HASH]);

#endif
