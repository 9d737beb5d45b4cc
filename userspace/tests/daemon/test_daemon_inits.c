// SPDX-License-Identifier: GPL-2.0
/* What is remembered of INITs: each by all that its keys cover, and a bounded number. */
#include <sodium.h>

#include "../../jvpnd/inits.h"
#include "../tap.h"
#include "wire.h"

static void message_make(uint8_t message[JVPN_WIRE_INIT_SIZE], uint32_t number)
{
	memset(message, 0, JVPN_WIRE_INIT_SIZE);
	memcpy(message + 8, &number, sizeof(number));
}

static void hash_of(uint8_t hash[INITS_HASH], uint32_t number)
{
	uint8_t message[JVPN_WIRE_INIT_SIZE];

	message_make(message, number);
	inits_hash(hash, message);
}

int main(void)
{
	static const uint8_t key[JVPN_KEYS_SIZE] = { 7 };
	uint8_t message[JVPN_WIRE_INIT_SIZE], hash[INITS_HASH], other[INITS_HASH];
	struct inits *inits;
	uint32_t kept = 0;

	if (sodium_init() < 0)
		return 1;
	inits = inits_new();
	message_make(message, 1);
	inits_hash(hash, message);
	tap_ok(!inits_find(inits, hash), "nothing is known at first");
	inits_note(inits, hash, key);
	tap_ok(inits_find(inits, hash) && !memcmp(inits_find(inits, hash), key, sizeof(key)),
	       "one that was read is known, and whose it is");
	message[JVPN_WIRE_INIT_SIZE - 1] ^= 1;
	inits_hash(other, message);
	tap_ok(!memcmp(hash, other, sizeof(hash)), "with a mac2 it is the same");
	message[JVPN_WIRE_INIT_SIZE - 2 * JVPN_WIRE_MAC - 1] ^= 1;
	inits_hash(other, message);
	tap_ok(memcmp(hash, other, sizeof(hash)) && !inits_find(inits, other),
	       "with another payload it is another");
	for (uint32_t i = 0; i < 100000; i++) {
		hash_of(hash, i);
		inits_note(inits, hash, key);
	}
	for (uint32_t i = 0; i < 100000; i++) {
		hash_of(hash, i);
		kept += inits_find(inits, hash) != NULL;
	}
	tap_ok(kept > 3000 && kept <= 4096, "of 100000 so many are kept: %u", kept);
	tap_ok(inits_find(inits, hash) != NULL, "the newest among them");
	inits_free(inits);
	return tap_done();
}
