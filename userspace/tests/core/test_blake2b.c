// SPDX-License-Identifier: GPL-2.0
/* The core's BLAKE2b against the vectors of its authors, and against libsodium's. */
#include <sodium.h>

#include "../tap.h"
#include "core/blake2b.h"

/* blake2-kat.h of the reference implementation: key 00..3f, input 00.. of each length. */
static const struct {
	unsigned int len;
	const char *mac;
} vectors[] = {
	{ 0, "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
	     "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568" },
	{ 1, "961f6dd1e4dd30f63901690c512e78e4b45e4742ed197c3c5e45c549fd25f2e4"
	     "187b0bc9fe30492b16b0d0bc4ef9b0f34c7003fac09a5ef1532e69430234cebd" },
};

static void test_vectors(void)
{
	u8 key[64], data[1] = { 0 }, mac[64], wanted[64];
	size_t i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = i;
	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		sodium_hex2bin(wanted, sizeof(wanted), vectors[i].mac, 128, NULL, NULL, NULL);
		jvpn_blake2b_mac(mac, sizeof(mac), key, sizeof(key), data, vectors[i].len);
		tap_ok(!memcmp(mac, wanted, sizeof(mac)), "the authors' vector of %u octets",
		       vectors[i].len);
	}
}

static void test_lengths(void)
{
	u8 key[64], data[600], mac[64], wanted[64];
	unsigned int len, differ = 0;

	randombytes_buf(key, sizeof(key));
	randombytes_buf(data, sizeof(data));
	for (len = 0; len <= sizeof(data); len++) {
		u32 mac_len = 16 + len % 49, key_len = 16 + len % 49;

		crypto_generichash(wanted, mac_len, data, len, key, key_len);
		jvpn_blake2b_mac(mac, mac_len, key, key_len, data, len);
		differ += !!memcmp(mac, wanted, mac_len);
	}
	tap_equal(differ, 0, "messages of 0 to 600 octets, as libsodium");
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	test_vectors();
	test_lengths();
	return tap_done();
}
