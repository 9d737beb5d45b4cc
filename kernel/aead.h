/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ChaCha20-Poly1305 (RFC 8439) with a 96-bit nonce over contiguous buffers.
 */
#ifndef JVPN_AEAD_H
#define JVPN_AEAD_H

#include <linux/types.h>
#include <linux/jvpn.h>

#define JVPN_TAG_SIZE 16
#define JVPN_AD_SIZE 16

/**
 * struct jvpn_key - key and IV of one direction of an epoch
 * @words: the key as ChaCha loads it
 * @iv: first bytes as they are, the last eight combined with the counter
 */
struct jvpn_key {
	u32 words[JVPN_KEY_SIZE / sizeof(u32)];
	u8 iv[JVPN_IV_SIZE];
};

void jvpn_key_load(struct jvpn_key *key, const u8 raw[JVPN_KEY_SIZE],
		   const u8 iv[JVPN_IV_SIZE]);

/**
 * jvpn_aead_seal() - encrypt in place and append the tag
 * @key: key of the sending direction
 * @counter: never used before under this key
 * @ad: header that is authenticated, JVPN_AD_SIZE octets
 * @buf: plaintext, becomes ciphertext; JVPN_TAG_SIZE octets more are written
 * @len: octets of plaintext
 */
void jvpn_aead_seal(const struct jvpn_key *key, u64 counter, const u8 *ad,
		    u8 *buf, unsigned int len);

/**
 * jvpn_aead_open() - verify, and decrypt if it is authentic
 * @key: key of the receiving direction
 * @counter: from the header
 * @ad: header that is authenticated, JVPN_AD_SIZE octets
 * @dst: receives the plaintext; may be @src; untouched if not authentic
 * @src: ciphertext, followed by the tag
 * @len: octets of ciphertext without the tag
 *
 * Return: true if it is authentic.
 */
bool jvpn_aead_open(const struct jvpn_key *key, u64 counter, const u8 *ad,
		    u8 *dst, const u8 *src, unsigned int len);

/* Known answers. Return: 0, -ENODEV if this machine's cipher is wrong, or -ENOMEM. */
int jvpn_aead_selftest(void);

#endif
