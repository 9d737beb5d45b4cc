// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>

#include "crypto.h"

/* For calls that can only fail by a mistake in this library. */
static void crypto_must(int result)
{
	if (result)
		abort();
}

void jvpn_blake2b(void *out, size_t size, const void *key, size_t key_size,
		  const struct jvpn_slice *slices, size_t count)
{
	crypto_generichash_state state;
	size_t i;

	crypto_must(crypto_generichash_init(&state, key, key_size, size));
	for (i = 0; i < count; i++)
		crypto_must(crypto_generichash_update(&state, slices[i].data, slices[i].size));
	crypto_must(crypto_generichash_final(&state, out, size));
	jvpn_wipe(&state, sizeof(state));
}

static void hmac_pad(u8 block[JVPN_HASH_BLOCK], u8 value)
{
	size_t i;

	for (i = 0; i < JVPN_HASH_BLOCK; i++)
		block[i] ^= value;
}

void jvpn_hmac(u8 out[JVPN_WIRE_HASH], const void *key, size_t key_size,
	       const struct jvpn_slice *slices, size_t count)
{
	crypto_generichash_state state;
	u8 block[JVPN_HASH_BLOCK] = { 0 };
	u8 inner[JVPN_WIRE_HASH];
	size_t i;

	if (key_size > sizeof(block))
		jvpn_bl(block, JVPN_WIRE_HASH, NULL, 0, JVPN_SLICE(key, key_size));
	else if (key_size)
		memcpy(block, key, key_size);

	hmac_pad(block, 0x36);
	crypto_must(crypto_generichash_init(&state, NULL, 0, sizeof(inner)));
	crypto_must(crypto_generichash_update(&state, block, sizeof(block)));
	for (i = 0; i < count; i++)
		crypto_must(crypto_generichash_update(&state, slices[i].data, slices[i].size));
	crypto_must(crypto_generichash_final(&state, inner, sizeof(inner)));

	hmac_pad(block, 0x36 ^ 0x5c);
	jvpn_bl(out, JVPN_WIRE_HASH, NULL, 0, JVPN_SLICE(block, sizeof(block)),
		JVPN_SLICE(inner, sizeof(inner)));

	jvpn_wipe(&state, sizeof(state));
	jvpn_wipe(block, sizeof(block));
	jvpn_wipe(inner, sizeof(inner));
}

void jvpn_hkdf(u8 out[][JVPN_WIRE_HASH], size_t count, const u8 ck[JVPN_WIRE_HASH],
	       const void *ikm, size_t ikm_size)
{
	struct jvpn_slice input = JVPN_SLICE(ikm, ikm_size);
	u8 temp[JVPN_WIRE_HASH];
	u8 number;

	jvpn_hmac(temp, ck, JVPN_WIRE_HASH, &input, 1);
	for (number = 1; number <= count; number++) {
		struct jvpn_slice step[] = {
			JVPN_SLICE(number > 1 ? out[number - 2] : NULL,
				   number > 1 ? JVPN_WIRE_HASH : 0),
			JVPN_SLICE(&number, 1),
		};

		jvpn_hmac(out[number - 1], temp, sizeof(temp), step, 2);
	}
	jvpn_wipe(temp, sizeof(temp));
}

void jvpn_kdf(void *out, size_t size, u64 id, const char ctx[8], const u8 key[JVPN_WIRE_KEY])
{
	crypto_must(crypto_kdf_derive_from_key(out, size, id, ctx, key));
}

bool jvpn_dh(u8 out[JVPN_WIRE_KEY], const u8 secret[JVPN_WIRE_KEY],
	     const u8 point[JVPN_WIRE_KEY])
{
	return !crypto_scalarmult(out, secret, point);
}

void jvpn_dh_public(u8 out[JVPN_WIRE_KEY], const u8 secret[JVPN_WIRE_KEY])
{
	crypto_must(crypto_scalarmult_base(out, secret));
}

void jvpn_dh_generate(u8 secret[JVPN_WIRE_KEY], u8 public_key[JVPN_WIRE_KEY],
		      const struct jvpn_rng *rng)
{
	jvpn_rng_fill(rng, secret, JVPN_WIRE_KEY);
	jvpn_dh_public(public_key, secret);
}

void jvpn_aead_seal(u8 *out, const u8 key[JVPN_WIRE_KEY], const u8 nonce[12],
		    const void *ad, size_t ad_size, const void *in, size_t size)
{
	crypto_must(crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in, size, ad, ad_size,
							      NULL, nonce, key));
}

bool jvpn_aead_open(u8 *out, const u8 key[JVPN_WIRE_KEY], const u8 nonce[12],
		    const void *ad, size_t ad_size, const u8 *in, size_t size)
{
	return !crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, in, size, ad, ad_size,
							  nonce, key);
}

void jvpn_xaead_seal(u8 *out, const u8 key[JVPN_WIRE_KEY], const u8 nonce[JVPN_WIRE_XNONCE],
		     const void *ad, size_t ad_size, const void *in, size_t size)
{
	crypto_must(crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, in, size, ad, ad_size,
							       NULL, nonce, key));
}

bool jvpn_xaead_open(u8 *out, const u8 key[JVPN_WIRE_KEY], const u8 nonce[JVPN_WIRE_XNONCE],
		     const void *ad, size_t ad_size, const u8 *in, size_t size)
{
	return !crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, in, size, ad,
							   ad_size, nonce, key);
}

bool jvpn_equal(const void *a, const void *b, size_t size)
{
	return !sodium_memcmp(a, b, size);
}

void jvpn_wipe(void *secret, size_t size)
{
	sodium_memzero(secret, size);
}

void jvpn_name_make(u8 name[JVPN_WIRE_NC], const struct jvpn_name_key *key,
		    const struct jvpn_rng *rng)
{
	static_assert(JVPN_WIRE_NAME_RANDOM + crypto_shorthash_siphash24_BYTES == JVPN_WIRE_NC,
		      "name");

	if (!key->set) {
		jvpn_rng_fill(rng, name, JVPN_WIRE_NC);
		return;
	}
	jvpn_rng_fill(rng, name, JVPN_WIRE_NAME_RANDOM);
	crypto_shorthash_siphash24(name + JVPN_WIRE_NAME_RANDOM, name, JVPN_WIRE_NAME_RANDOM,
				   key->key);
}
