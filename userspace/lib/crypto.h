/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_CRYPTO_H
#define JVPN_CRYPTO_H

/*
 * The primitives of JVPN1, all on libsodium. Sizes are in octets. Functions
 * that return bool return false only for input that does not authenticate or
 * a point of low order; a false return of a function without such input is
 * impossible and aborts.
 */

#include <sodium.h>

#include "proto.h"

#define JVPN_HASH_BLOCK 128	/* of BLAKE2b */

/* A piece of a message that is hashed from several places. */
struct jvpn_slice {
	const void *data;
	size_t size;
};

#define JVPN_SLICE(pointer, octets) ((struct jvpn_slice){ (pointer), (octets) })
/* A string literal without its NUL. */
#define JVPN_SLICE_TEXT(text) ((struct jvpn_slice){ (text), sizeof(text) - 1 })

/* BL(size, key, slices...): keyed BLAKE2b; key may be NULL with key_size 0. */
void jvpn_blake2b(void *out, size_t size, const void *key, size_t key_size,
		  const struct jvpn_slice *slices, size_t count);
#define jvpn_bl(out, size, key, key_size, ...)						\
	jvpn_blake2b((out), (size), (key), (key_size),					\
		     (const struct jvpn_slice[]){ __VA_ARGS__ },				\
		     sizeof((const struct jvpn_slice[]){ __VA_ARGS__ }) /			\
		     sizeof(struct jvpn_slice))

/* HMAC (RFC 2104) with BLAKE2b-512; not the keyed mode of BLAKE2b. */
void jvpn_hmac(u8 out[JVPN_WIRE_HASH], const void *key, size_t key_size,
	       const struct jvpn_slice *slices, size_t count);
/* HKDF of the Noise specification: count (2 or 3) outputs of 64 octets. out may be ck. */
void jvpn_hkdf(u8 out[][JVPN_WIRE_HASH], size_t count, const u8 ck[JVPN_WIRE_HASH],
	       const void *ikm, size_t ikm_size);
/* crypto_kdf: size 16..64, ctx of 8 characters. */
void jvpn_kdf(void *out, size_t size, u64 id, const char ctx[8], const u8 key[JVPN_WIRE_KEY]);

/* False if point is of low order (the result would be all zero). */
bool jvpn_dh(u8 out[JVPN_WIRE_KEY], const u8 secret[JVPN_WIRE_KEY],
	     const u8 point[JVPN_WIRE_KEY]);
void jvpn_dh_public(u8 out[JVPN_WIRE_KEY], const u8 secret[JVPN_WIRE_KEY]);
void jvpn_dh_generate(u8 secret[JVPN_WIRE_KEY], u8 public_key[JVPN_WIRE_KEY],
		      const struct jvpn_rng *rng);

/*
 * AEADs. seal writes size + 16 octets, open reads size octets (tag included)
 * and writes size - 16; a failed open leaves zeros in out. In place is allowed.
 */
void jvpn_aead_seal(u8 *out, const u8 key[JVPN_WIRE_KEY], const u8 nonce[12],
		    const void *ad, size_t ad_size, const void *in, size_t size);
bool jvpn_aead_open(u8 *out, const u8 key[JVPN_WIRE_KEY], const u8 nonce[12],
		    const void *ad, size_t ad_size, const u8 *in, size_t size);
void jvpn_xaead_seal(u8 *out, const u8 key[JVPN_WIRE_KEY], const u8 nonce[JVPN_WIRE_XNONCE],
		     const void *ad, size_t ad_size, const void *in, size_t size);
bool jvpn_xaead_open(u8 *out, const u8 key[JVPN_WIRE_KEY], const u8 nonce[JVPN_WIRE_XNONCE],
		     const void *ad, size_t ad_size, const u8 *in, size_t size);

bool jvpn_equal(const void *a, const void *b, size_t size);	/* constant time */
void jvpn_wipe(void *secret, size_t size);

/**
 * struct jvpn_name_key - makes names whose maker can be told at a glance
 * @set: false: names are random throughout
 * @key: of SipHash-2-4
 *
 * A name (Nc, nonce of a ticket) is opaque to whoever it is given to: 24 octets
 * that do not repeat. Of 16 random ones the other 8 may be the hash, so that the
 * kernel knows what comes back with it from what is noise.
 */
struct jvpn_name_key {
	bool set;
	u8 key[crypto_shorthash_siphash24_KEYBYTES];
};

void jvpn_name_make(u8 name[JVPN_WIRE_NC], const struct jvpn_name_key *key,
		    const struct jvpn_rng *rng);

#endif /* JVPN_CRYPTO_H */
