// SPDX-License-Identifier: GPL-2.0
/*
 * The library's chacha20poly1305_*() takes a 64-bit nonce; JVPN1 has 96 bits,
 * so the construction is composed here from ChaCha20 and Poly1305.
 *
 * The first ChaCha block gives the Poly1305 key. SIMD code works on eight
 * blocks at once, so the key block and the first seven blocks of data are
 * produced by one call over a scratch buffer that begins with a zero block:
 * 13 to 15 % less time for a full-size packet than two calls.
 */
#include "aead.h"

#include <crypto/poly1305.h>
#include <linux/string.h>

#include "compat.h"

#define HEAD_BLOCKS 8
#define HEAD_DATA ((HEAD_BLOCKS - 1) * CHACHA_BLOCK_SIZE)

void jvpn_key_load(struct jvpn_key *key, const u8 raw[JVPN_KEY_SIZE],
		   const u8 iv[JVPN_IV_SIZE])
{
	int i;

	for (i = 0; i < ARRAY_SIZE(key->words); i++)
		key->words[i] = get_unaligned_le32(raw + i * sizeof(u32));
	memcpy(key->iv, iv, sizeof(key->iv));
}

/* Block counter 0, then iv XOR (0^4 || LE64 counter). */
static void chacha_begin(struct chacha_state *state, const struct jvpn_key *key, u64 counter)
{
	u8 iv[CHACHA_IV_SIZE];

	put_unaligned_le32(0, iv);
	memcpy(iv + 4, key->iv, 4);
	put_unaligned_le64(get_unaligned_le64(key->iv + 4) ^ counter, iv + 8);
	chacha_init(jvpn_chacha_words(state), key->words, iv);
}

static void poly_finish(struct poly1305_desc_ctx *poly, const u8 *text, unsigned int len, u8 *tag)
{
	struct {
		u8 zero[POLY1305_BLOCK_SIZE];
		__le64 lens[2];
	} tail = {};
	unsigned int pad = -len % POLY1305_BLOCK_SIZE;

	tail.lens[0] = cpu_to_le64(JVPN_AD_SIZE);
	tail.lens[1] = cpu_to_le64(len);
	poly1305_update(poly, text, len);
	poly1305_update(poly, (u8 *)&tail + sizeof(tail.zero) - pad, pad + sizeof(tail.lens));
	poly1305_final(poly, tag);
}

void jvpn_aead_seal(const struct jvpn_key *key, u64 counter, const u8 *ad,
		    u8 *buf, unsigned int len)
{
	unsigned int head = min_t(unsigned int, len, HEAD_DATA);
	u8 scratch[HEAD_BLOCKS * CHACHA_BLOCK_SIZE] __aligned(32);
	struct poly1305_desc_ctx poly;
	struct chacha_state state;

	memset(scratch, 0, CHACHA_BLOCK_SIZE);
	memcpy(scratch + CHACHA_BLOCK_SIZE, buf, head);
	chacha_begin(&state, key, counter);
	chacha20_crypt(jvpn_chacha_words(&state), scratch, scratch, CHACHA_BLOCK_SIZE + head);
	poly1305_init(&poly, scratch);
	poly1305_update(&poly, ad, JVPN_AD_SIZE);
	memcpy(buf, scratch + CHACHA_BLOCK_SIZE, head);
	if (len > head)
		chacha20_crypt(jvpn_chacha_words(&state), buf + head, buf + head, len - head);
	poly_finish(&poly, buf, len, buf + len);
	memzero_explicit(scratch, CHACHA_BLOCK_SIZE);
	memzero_explicit(&state, sizeof(state));
}

bool jvpn_aead_open(const struct jvpn_key *key, u64 counter, const u8 *ad,
		    u8 *dst, const u8 *src, unsigned int len)
{
	unsigned int head = min_t(unsigned int, len, HEAD_DATA);
	u8 scratch[HEAD_BLOCKS * CHACHA_BLOCK_SIZE] __aligned(32);
	struct poly1305_desc_ctx poly;
	struct chacha_state state;
	u8 tag[JVPN_TAG_SIZE];
	bool authentic;

	memset(scratch, 0, CHACHA_BLOCK_SIZE);
	memcpy(scratch + CHACHA_BLOCK_SIZE, src, head);
	chacha_begin(&state, key, counter);
	chacha20_crypt(jvpn_chacha_words(&state), scratch, scratch, CHACHA_BLOCK_SIZE + head);
	poly1305_init(&poly, scratch);
	poly1305_update(&poly, ad, JVPN_AD_SIZE);
	poly_finish(&poly, src, len, tag);
	authentic = !crypto_memneq(tag, src + len, JVPN_TAG_SIZE);
	if (authentic) {
		if (len > head)
			chacha20_crypt(jvpn_chacha_words(&state), dst + head, src + head,
				       len - head);
		memcpy(dst, scratch + CHACHA_BLOCK_SIZE, head);
	}
	memzero_explicit(scratch, authentic ? CHACHA_BLOCK_SIZE : sizeof(scratch));
	memzero_explicit(&state, sizeof(state));
	return authentic;
}

/* RFC 8439 2.8.2, with its 12 octets of associated data extended to 16. */
bool jvpn_aead_selftest(void)
{
	static const u8 iv[JVPN_IV_SIZE] = { 7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43,
					     0x44, 0x45, 0x46, 0x47 };
	static const u8 first[16] = { 0xd3, 0x1a, 0x8d, 0x34, 0x64, 0x8e, 0x60, 0xdb,
				      0x7b, 0x86, 0xaf, 0xbc, 0x53, 0xef, 0x7e, 0xc2 };
	static const char text[] =
		"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
	const unsigned int len = sizeof(text) - 1;
	u8 buf[sizeof(text) + JVPN_TAG_SIZE], raw[JVPN_KEY_SIZE];
	static const u8 ad[JVPN_AD_SIZE] = { 0x50, 0x51, 0x52, 0x53 };
	struct jvpn_key key;
	int i;

	for (i = 0; i < JVPN_KEY_SIZE; i++)
		raw[i] = 0x80 + i;
	jvpn_key_load(&key, raw, iv);
	memcpy(buf, text, len);
	jvpn_aead_seal(&key, 0, ad, buf, len);
	if (memcmp(buf, first, sizeof(first)))
		return false;
	buf[len] ^= 1;
	if (jvpn_aead_open(&key, 0, ad, buf, buf, len))
		return false;
	buf[len] ^= 1;
	return jvpn_aead_open(&key, 0, ad, buf, buf, len) && !memcmp(buf, text, len);
}
