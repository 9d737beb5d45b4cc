// SPDX-License-Identifier: GPL-2.0
#include "inits.h"

#include <stdlib.h>
#include <string.h>

#include "crypto.h"

#define PLACES 4096

struct inits {
	struct {
		uint8_t hash[INITS_HASH];
		uint8_t key[JVPN_KEYS_SIZE];
		bool used;
	} place[PLACES];
};

struct inits *inits_new(void)
{
	return calloc(1, sizeof(struct inits));
}

void inits_free(struct inits *inits)
{
	free(inits);
}

void inits_hash(uint8_t hash[INITS_HASH], const uint8_t *message)
{
	jvpn_bl(hash, INITS_HASH, NULL, 0,
		JVPN_SLICE(message, offsetof(struct jvpn_wire_init, mac1)));
}

/* Only what authenticated gets in, so that only peers can aim, at each other's past. */
static size_t inits_place(const uint8_t hash[INITS_HASH])
{
	return (hash[0] | (size_t)hash[1] << 8) % PLACES;
}

void inits_note(struct inits *inits, const uint8_t hash[INITS_HASH],
		const uint8_t key[JVPN_KEYS_SIZE])
{
	size_t at = inits_place(hash);

	memcpy(inits->place[at].hash, hash, INITS_HASH);
	memcpy(inits->place[at].key, key, JVPN_KEYS_SIZE);
	inits->place[at].used = true;
}

const uint8_t *inits_find(const struct inits *inits, const uint8_t hash[INITS_HASH])
{
	size_t at = inits_place(hash);

	return inits->place[at].used && !memcmp(inits->place[at].hash, hash, INITS_HASH) ?
		       inits->place[at].key : NULL;
}
