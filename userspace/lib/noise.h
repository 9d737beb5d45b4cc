/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_NOISE_H
#define JVPN_NOISE_H

/*
 * The SymmetricState of the Noise specification (revision 34) for 25519,
 * ChaChaPoly and BLAKE2b. Patterns are spelt by their callers, token by token.
 */

#include "crypto.h"

/**
 * struct jvpn_noise - SymmetricState
 * @ck: chaining key
 * @h: hash of everything that both sides have seen
 * @k: key of the next encryption, valid if @has_key
 * @n: its nonce
 */
struct jvpn_noise {
	u8 ck[JVPN_WIRE_HASH];
	u8 h[JVPN_WIRE_HASH];
	u8 k[JVPN_WIRE_KEY];
	u64 n;
	bool has_key;
};

void jvpn_noise_init(struct jvpn_noise *s, const char *name, const void *prologue, size_t size);
void jvpn_noise_wipe(struct jvpn_noise *s);

void jvpn_noise_mix_hash(struct jvpn_noise *s, const void *data, size_t size);
void jvpn_noise_mix_key(struct jvpn_noise *s, const void *ikm, size_t size);
void jvpn_noise_mix_key_and_hash(struct jvpn_noise *s, const u8 psk[JVPN_WIRE_KEY]);
/* Token "e" of patterns with a psk: MixHash, then MixKey. */
void jvpn_noise_mix_ephemeral(struct jvpn_noise *s, const u8 e[JVPN_WIRE_KEY]);
/* MixKey(DH(secret, point)). False for a point of low order, state unusable then. */
bool jvpn_noise_mix_dh(struct jvpn_noise *s, const u8 secret[JVPN_WIRE_KEY],
		       const u8 point[JVPN_WIRE_KEY]);

/* EncryptAndHash: writes size octets, and 16 more once there is a key; returns how many. */
size_t jvpn_noise_encrypt(struct jvpn_noise *s, u8 *out, const void *in, size_t size);
/* DecryptAndHash: size includes the tag. False: state unusable. */
bool jvpn_noise_decrypt(struct jvpn_noise *s, u8 *out, const u8 *in, size_t size);
void jvpn_noise_split(const struct jvpn_noise *s, u8 k1[JVPN_WIRE_KEY], u8 k2[JVPN_WIRE_KEY]);

/* EMS = BL(32, k1 || k2, "JVPN1 ems" || h): the secret of an epoch, after the last message. */
void jvpn_noise_ems(const struct jvpn_noise *s, u8 ems[JVPN_WIRE_KEY]);

#endif /* JVPN_NOISE_H */
