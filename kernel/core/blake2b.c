// SPDX-License-Identifier: GPL-2.0
#include "blake2b.h"

#define ROUNDS 12
#define WORDS 16

/* RFC 7693 section 2.6: the same as SHA-512's. */
static const u64 iv[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* Section 2.7; rounds 10 and 11 use the first two again. */
static const u8 sigma[10][WORDS] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

static u64 rotate_right(u64 word, unsigned int bits)
{
	return word >> bits | word << (64 - bits);
}

static u64 load(const u8 *octets)
{
	u64 word = 0;
	int i;

	for (i = 7; i >= 0; i--)
		word = word << 8 | octets[i];
	return word;
}

/* Section 3.1. */
static void mix(u64 *a, u64 *b, u64 *c, u64 *d, u64 x, u64 y)
{
	*a += *b + x;
	*d = rotate_right(*d ^ *a, 32);
	*c += *d;
	*b = rotate_right(*b ^ *c, 24);
	*a += *b + y;
	*d = rotate_right(*d ^ *a, 16);
	*c += *d;
	*b = rotate_right(*b ^ *c, 63);
}

/* Section 3.2; @hashed counts octets up to the end of this block. */
static void compress(u64 h[8], const u8 block[JVPN_BLAKE2B_BLOCK], u64 hashed, bool last)
{
	u64 v[WORDS], m[WORDS];
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		m[i] = load(block + 8 * i);
	memcpy(v, h, 8 * sizeof(*h));
	memcpy(v + 8, iv, sizeof(iv));
	v[12] ^= hashed;
	if (last)
		v[14] = ~v[14];
	for (i = 0; i < ROUNDS; i++) {
		const u8 *s = sigma[i % ARRAY_SIZE(sigma)];

		mix(&v[0], &v[4], &v[8], &v[12], m[s[0]], m[s[1]]);
		mix(&v[1], &v[5], &v[9], &v[13], m[s[2]], m[s[3]]);
		mix(&v[2], &v[6], &v[10], &v[14], m[s[4]], m[s[5]]);
		mix(&v[3], &v[7], &v[11], &v[15], m[s[6]], m[s[7]]);
		mix(&v[0], &v[5], &v[10], &v[15], m[s[8]], m[s[9]]);
		mix(&v[1], &v[6], &v[11], &v[12], m[s[10]], m[s[11]]);
		mix(&v[2], &v[7], &v[8], &v[13], m[s[12]], m[s[13]]);
		mix(&v[3], &v[4], &v[9], &v[14], m[s[14]], m[s[15]]);
	}
	for (i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

void jvpn_blake2b_mac(u8 *mac, u32 mac_len, const u8 *key, u32 key_len, const u8 *data, u32 len)
{
	u64 hashed = JVPN_BLAKE2B_BLOCK;
	u8 block[JVPN_BLAKE2B_BLOCK] = { 0 };
	u64 h[8];
	u32 i, size;

	/* Parameter block, section 2.5: digest length, key length, fanout 1, depth 1. */
	memcpy(h, iv, sizeof(h));
	h[0] ^= 0x01010000 ^ key_len << 8 ^ mac_len;
	memcpy(block, key, key_len);
	compress(h, block, hashed, !len);
	for (; len; data += size, len -= size) {
		size = len < sizeof(block) ? len : sizeof(block);
		memset(block, 0, sizeof(block));
		memcpy(block, data, size);
		hashed += size;
		compress(h, block, hashed, len == size);
	}
	for (i = 0; i < mac_len; i++)
		mac[i] = h[i / 8] >> 8 * (i % 8);
}
