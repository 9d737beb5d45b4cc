// SPDX-License-Identifier: GPL-2.0
/*
 * The test of the cipher when the module is loaded: whatever this machine's
 * implementation of ChaCha20 and Poly1305 gets wrong, the module is not used.
 *
 * The text of RFC 8439 2.8.2 shows that ciphertext is what the standard says.
 * The lengths that follow lie around everything that is treated apart: blocks
 * of both primitives, the octets that are done together with the key block, and
 * what vector code does at once. For those the tag stands for the ciphertext,
 * which it covers. All tags are of another implementation (libsodium).
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "aead.h"

#define TEXT_MAX 65535
/* Packets lie anywhere. */
#define SHIFT_MAX 7

/* RFC 8439 2.8.2, with its 12 octets of associated data extended by zeros. */
static const u8 rfc_iv[JVPN_IV_SIZE] __initconst = {
	0x07, 0x00, 0x00, 0x00, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,
};

static const u8 rfc_ad[JVPN_AD_SIZE] __initconst = {
	0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
};

/* "Ladies and Gentlemen of the class of '99: ..." */
static const char rfc_text[] __initconst =
		"\x4c\x61\x64\x69\x65\x73\x20\x61\x6e\x64\x20\x47\x65\x6e\x74\x6c"
		"\x65\x6d\x65\x6e\x20\x6f\x66\x20\x74\x68\x65\x20\x63\x6c\x61\x73"
		"\x73\x20\x6f\x66\x20\x27\x39\x39\x3a\x20\x49\x66\x20\x49\x20\x63"
		"\x6f\x75\x6c\x64\x20\x6f\x66\x66\x65\x72\x20\x79\x6f\x75\x20\x6f"
		"\x6e\x6c\x79\x20\x6f\x6e\x65\x20\x74\x69\x70\x20\x66\x6f\x72\x20"
		"\x74\x68\x65\x20\x66\x75\x74\x75\x72\x65\x2c\x20\x73\x75\x6e\x73"
		"\x63\x72\x65\x65\x6e\x20\x77\x6f\x75\x6c\x64\x20\x62\x65\x20\x69"
		"\x74\x2e";

static const char rfc_sealed[] __initconst =
		"\xd3\x1a\x8d\x34\x64\x8e\x60\xdb\x7b\x86\xaf\xbc\x53\xef\x7e\xc2"
		"\xa4\xad\xed\x51\x29\x6e\x08\xfe\xa9\xe2\xb5\xa7\x36\xee\x62\xd6"
		"\x3d\xbe\xa4\x5e\x8c\xa9\x67\x12\x82\xfa\xfb\x69\xda\x92\x72\x8b"
		"\x1a\x71\xde\x0a\x9e\x06\x0b\x29\x05\xd6\xa5\xb6\x7e\xcd\x3b\x36"
		"\x92\xdd\xbd\x7f\x2d\x77\x8b\x8c\x98\x03\xae\xe3\x28\x09\x1b\x58"
		"\xfa\xb3\x24\xe4\xfa\xd6\x75\x94\x55\x85\x80\x8b\x48\x31\xd7\xbc"
		"\x3f\xf4\xde\xf0\x8e\x4b\x7a\x9d\xe5\x76\xd2\x65\x86\xce\xc6\x4b"
		"\x61\x16\x06\x93\xba\x6d\xff\xd9\x00\xa8\x9e\x68\x19\xe1\x60\x07"
		"\x5e\xa2";

/* Keys are those of the RFC throughout. */
static const u8 iv[JVPN_IV_SIZE] __initconst = {
	0xf1, 0xe2, 0xd3, 0xc4, 0xb5, 0xa6, 0x97, 0x88, 0x79, 0x6a, 0x5b, 0x4c,
};

static const u8 ad[JVPN_AD_SIZE] __initconst = {
	0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
	0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
};

struct vector {
	u32 len;
	u64 counter;
	char tag[JVPN_TAG_SIZE + 1];
};

static const struct vector vectors[] __initconst = {
	{ 0, 0x0ULL, "\x25\x35\x2a\x40\x30\x3e\xb5\xd6"
	  "\x4b\xc7\x55\x23\x3c\xf3\x90\x9c" },
	{ 1, 0x1ULL, "\xfb\x29\x26\x2b\x13\x2b\xff\x40"
	  "\x80\x6f\xb2\x0f\x41\x97\x4e\x9e" },
	{ 15, 0xffULL, "\xf0\xad\x39\xd7\xef\x96\xae\x04"
	  "\x0b\xda\x46\x61\xbf\x84\x62\x13" },
	{ 16, 0x100ULL, "\x08\x84\xf5\xd3\xd0\x56\x92\xfc"
	  "\x83\xe6\x51\x6a\x54\xa9\xb8\xdb" },
	{ 17, 0x80000000ULL, "\xd1\xd1\xe8\x04\xcd\xf8\x2e\x1d"
	  "\x4d\x19\xa9\x7d\x5a\x9b\x4f\x1a" },
	{ 63, 0x100000000ULL, "\x10\x5b\x33\x9c\x36\x36\xa9\x29"
	  "\xb4\x77\x58\xa4\x72\xe3\x1d\x0f" },
	{ 64, 0x100000000000001ULL, "\xc2\xa7\x4e\x93\x7f\xc0\xc8\x25"
	  "\xf8\x7c\x31\x88\x20\x9d\xa5\x72" },
	{ 65, 0x123456789abcdefULL, "\x23\x27\x06\x25\x06\x27\xa2\x74"
	  "\xd4\xbd\x62\xf1\xdb\xf3\x31\x1e" },
	{ 447, 0xfffffffffffffffULL, "\x3d\xbe\xa5\x1d\x05\x64\x4f\x90"
	  "\x0a\xdb\x60\x9d\x2d\x1a\x8e\x25" },
	{ 448, 0x0ULL, "\x3e\xdb\xed\xef\x51\x96\x9c\xbf"
	  "\x93\x71\xe7\xab\xc5\x26\xd8\x69" },
	{ 449, 0x1ULL, "\xbc\xe2\x3a\xd3\x2e\x4d\x74\x83"
	  "\xac\x08\x61\xdb\x3f\x22\xae\xe1" },
	{ 511, 0xffULL, "\x66\xa8\x54\x34\x47\x8a\xc8\x61"
	  "\x68\x1d\xf6\x34\x75\x54\x30\x73" },
	{ 512, 0x100ULL, "\xf9\x6a\x84\x3f\x68\x44\x15\xa2"
	  "\xd9\x62\x55\x76\x35\xc8\x09\x38" },
	{ 513, 0x80000000ULL, "\xdd\x19\xac\xec\x15\x95\xc4\x7c"
	  "\xc8\xce\x2e\xd5\xad\xb8\xda\x4c" },
	{ 1420, 0x100000000ULL, "\xa2\xc5\x7e\xb0\xb7\x91\x38\xcf"
	  "\x83\x71\x05\xab\x4b\x9b\xf5\x32" },
	{ 9000, 0x100000000000001ULL, "\xe4\x59\x5d\x11\xb9\xa8\x4e\xc7"
	  "\x6e\x95\xe4\x15\x08\x6f\x2f\x05" },
	{ 65535, 0x123456789abcdefULL, "\x7f\xb0\x61\x5c\x52\xe2\xf6\x51"
	  "\xb7\x36\xb9\xb1\x29\xe1\x74\xbf" },
};

static void __init load_key(struct jvpn_key *key, const u8 *from)
{
	u8 raw[JVPN_KEY_SIZE];
	int i;

	for (i = 0; i < JVPN_KEY_SIZE; i++)
		raw[i] = 0x80 + i;
	jvpn_key_load(key, raw, from);
}

static u8 __init octet(u32 i)
{
	return i ^ i >> 8;
}

static void __init text_write(u8 *p, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		p[i] = octet(i);
}

static bool __init text_is(const u8 *p, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (p[i] != octet(i))
			return false;
	return true;
}

/* Changed in one bit it does not open, and nothing of it comes out. */
static bool __init refuses(const struct jvpn_key *key, u64 counter, u8 *sealed, u32 len, u32 at,
			   u8 *out)
{
	bool refused;

	memset(out, 0xee, len);
	sealed[at] ^= 0x80;
	refused = !jvpn_aead_open(key, counter, ad, out, sealed, len) &&
		  !memchr_inv(out, 0xee, len);
	sealed[at] ^= 0x80;
	return refused;
}

static bool __init forgeries_refused(const struct jvpn_key *key, u64 counter, u8 *sealed, u32 len,
				     u8 *out)
{
	u8 wrong[JVPN_AD_SIZE];

	memcpy(wrong, ad, sizeof(wrong));
	wrong[JVPN_AD_SIZE - 1] ^= 1;
	return refuses(key, counter, sealed, len, 0, out) &&
	       refuses(key, counter, sealed, len, len / 2, out) &&
	       refuses(key, counter, sealed, len, len, out) &&
	       refuses(key, counter, sealed, len, len + JVPN_TAG_SIZE - 1, out) &&
	       !jvpn_aead_open(key, counter ^ 1, ad, out, sealed, len) &&
	       !jvpn_aead_open(key, counter ^ 1ULL << 63, ad, out, sealed, len) &&
	       !jvpn_aead_open(key, counter, wrong, out, sealed, len);
}

static bool __init vector_holds(const struct jvpn_key *key, u32 i, u8 *sealed, u8 *out)
{
	const u32 len = vectors[i].len;
	const u64 counter = vectors[i].counter;

	text_write(sealed, len);
	jvpn_aead_seal(key, counter, ad, sealed, len);
	if (memcmp(sealed + len, vectors[i].tag, JVPN_TAG_SIZE))
		return false;
	if (!forgeries_refused(key, counter, sealed, len, out))
		return false;
	return jvpn_aead_open(key, counter, ad, out, sealed, len) && text_is(out, len) &&
	       jvpn_aead_open(key, counter, ad, sealed, sealed, len) && text_is(sealed, len);
}

static bool __init vectors_hold(u8 *sealed, u8 *out)
{
	struct jvpn_key key;
	u32 i;

	load_key(&key, iv);
	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		if (!vector_holds(&key, i, sealed + i % (SHIFT_MAX + 1),
				  out + (i + 3) % (SHIFT_MAX + 1)))
			return false;
	return true;
}

static bool __init rfc_holds(u8 *buf)
{
	const u32 len = sizeof(rfc_text) - 1;
	struct jvpn_key key;

	load_key(&key, rfc_iv);
	memcpy(buf, rfc_text, len);
	jvpn_aead_seal(&key, 0, rfc_ad, buf, len);
	return !memcmp(buf, rfc_sealed, len + JVPN_TAG_SIZE) &&
	       jvpn_aead_open(&key, 0, rfc_ad, buf, buf, len) && !memcmp(buf, rfc_text, len);
}

int __init jvpn_aead_selftest(void)
{
	const size_t size = TEXT_MAX + JVPN_TAG_SIZE + SHIFT_MAX;
	u8 *sealed = kvmalloc(size, GFP_KERNEL), *out = kvmalloc(size, GFP_KERNEL);
	int err = -ENOMEM;

	if (sealed && out)
		err = rfc_holds(sealed) && vectors_hold(sealed, out) ? 0 : -ENODEV;
	kvfree(sealed);
	kvfree(out);
	return err;
}
