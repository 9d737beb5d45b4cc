// SPDX-License-Identifier: GPL-2.0
/*
 * Refuses to load unless the ChaCha20-Poly1305 library of the running kernel
 * gives the answers of RFC 8439, and those of the kernel's generic C code at
 * every length up to LEN_MAX. Shows in its module parameters what the
 * processor has and how long the library takes for one packet.
 */
#include <crypto/chacha.h>
#include <crypto/chacha20poly1305.h>
#include <crypto/internal/poly1305.h>
#include <crypto/utils.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>

#define LEN_MAX		2100
#define PACKET_LEN	1420
#define TIMING_ROUNDS	20
#define TIMING_PACKETS	1000

static char *simd = "none";
module_param(simd, charp, 0444);
MODULE_PARM_DESC(simd, "widest vector instructions of the processor that the library knows");

static uint packet_ns;
module_param(packet_ns, uint, 0444);
MODULE_PARM_DESC(packet_ns, "nanoseconds to seal a packet of 1420 octets, best of several rounds");

struct scratch {
	u8 in[LEN_MAX];
	u8 out[LEN_MAX + POLY1305_DIGEST_SIZE];
	u8 want[LEN_MAX + POLY1305_DIGEST_SIZE];
};

/* RFC 8439, 2.4.2 and 2.8.2. */
static const char sunscreen[] __initconst =
	"Ladies and Gentlemen of the class of '99: If I could offer you only "
	"one tip for the future, sunscreen would be it.";
static const u8 sunscreen_nonce[12] __initconst = {
	0x07, 0x00, 0x00, 0x00, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47
};
static const u8 sunscreen_ad[12] __initconst = {
	0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7
};
static const u8 sunscreen_cipher[] __initconst = {
	0xd3, 0x1a, 0x8d, 0x34, 0x64, 0x8e, 0x60, 0xdb, 0x7b, 0x86, 0xaf, 0xbc,
	0x53, 0xef, 0x7e, 0xc2, 0xa4, 0xad, 0xed, 0x51, 0x29, 0x6e, 0x08, 0xfe,
	0xa9, 0xe2, 0xb5, 0xa7, 0x36, 0xee, 0x62, 0xd6, 0x3d, 0xbe, 0xa4, 0x5e,
	0x8c, 0xa9, 0x67, 0x12, 0x82, 0xfa, 0xfb, 0x69, 0xda, 0x92, 0x72, 0x8b,
	0x1a, 0x71, 0xde, 0x0a, 0x9e, 0x06, 0x0b, 0x29, 0x05, 0xd6, 0xa5, 0xb6,
	0x7e, 0xcd, 0x3b, 0x36, 0x92, 0xdd, 0xbd, 0x7f, 0x2d, 0x77, 0x8b, 0x8c,
	0x98, 0x03, 0xae, 0xe3, 0x28, 0x09, 0x1b, 0x58, 0xfa, 0xb3, 0x24, 0xe4,
	0xfa, 0xd6, 0x75, 0x94, 0x55, 0x85, 0x80, 0x8b, 0x48, 0x31, 0xd7, 0xbc,
	0x3f, 0xf4, 0xde, 0xf0, 0x8e, 0x4b, 0x7a, 0x9d, 0xe5, 0x76, 0xd2, 0x65,
	0x86, 0xce, 0xc6, 0x4b, 0x61, 0x16
};
static const u8 sunscreen_tag[POLY1305_DIGEST_SIZE] __initconst = {
	0x1a, 0xe1, 0x0b, 0x59, 0x4f, 0x09, 0xe2, 0x6a,
	0x7e, 0x90, 0x2e, 0xcb, 0xd0, 0x60, 0x06, 0x91
};

/* RFC 8439, A.5: its nonce fits the library's 64-bit nonce. */
static const u8 draft_key[CHACHA20POLY1305_KEY_SIZE] __initconst = {
	0x1c, 0x92, 0x40, 0xa5, 0xeb, 0x55, 0xd3, 0x8a, 0xf3, 0x33, 0x88, 0x86,
	0x04, 0xf6, 0xb5, 0xf0, 0x47, 0x39, 0x17, 0xc1, 0x40, 0x2b, 0x80, 0x09,
	0x9d, 0xca, 0x5c, 0xbc, 0x20, 0x70, 0x75, 0xc0
};
static const u64 draft_nonce __initconst = 0x0807060504030201ULL;
static const u8 draft_ad[12] __initconst = {
	0xf3, 0x33, 0x88, 0x86, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x4e, 0x91
};
static const char draft[] __initconst =
	"Internet-Drafts are draft documents valid for a maximum of six months "
	"and may be updated, replaced, or obsoleted by other documents at any "
	"time. It is inappropriate to use Internet-Drafts as reference material "
	"or to cite them other than as /\xe2\x80\x9cwork in progress./\xe2\x80\x9d";
static const u8 draft_tag[POLY1305_DIGEST_SIZE] __initconst = {
	0xee, 0xad, 0x9d, 0x67, 0x89, 0x0c, 0xbb, 0x22,
	0x39, 0x23, 0x36, 0xfe, 0xa1, 0x85, 0x1f, 0x38
};

static int __init report(bool ok, const char *what, unsigned int len)
{
	if (ok)
		return 0;
	pr_err("crypto_check: %s is wrong at length %u: do not benchmark with it\n", what, len);
	return -EBADMSG;
}

static void __init state_init(struct chacha_state *state, const u8 key[32],
			      u32 counter, const u8 nonce[12])
{
	u32 words[CHACHA_KEY_WORDS];
	u8 iv[CHACHA_IV_SIZE];
	int i;

	for (i = 0; i < CHACHA_KEY_WORDS; i++)
		words[i] = get_unaligned_le32(key + 4 * i);
	put_unaligned_le32(counter, iv);
	memcpy(iv + 4, nonce, 12);
	chacha_init(state, words, iv);
}

static int __init check_parts(struct scratch *s)
{
	static const u8 zero[POLY1305_KEY_SIZE];
	const unsigned int len = sizeof(sunscreen) - 1;
	struct poly1305_desc_ctx poly;
	struct chacha_state state;
	u8 key[32], poly_key[POLY1305_KEY_SIZE], tag[POLY1305_DIGEST_SIZE];
	__le64 lens[2] = { cpu_to_le64(sizeof(sunscreen_ad)), cpu_to_le64(len) };
	int i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = 0x80 + i;
	state_init(&state, key, 0, sunscreen_nonce);
	chacha20_crypt(&state, poly_key, zero, sizeof(poly_key));
	state_init(&state, key, 1, sunscreen_nonce);
	chacha20_crypt(&state, s->out, sunscreen, len);
	if (report(!memcmp(s->out, sunscreen_cipher, len), "ChaCha20 (RFC 8439, 2.8.2)", len))
		return -EBADMSG;

	poly1305_init(&poly, poly_key);
	poly1305_update(&poly, sunscreen_ad, sizeof(sunscreen_ad));
	poly1305_update(&poly, zero, -sizeof(sunscreen_ad) & 15);
	poly1305_update(&poly, s->out, len);
	poly1305_update(&poly, zero, -len & 15);
	poly1305_update(&poly, (u8 *)lens, sizeof(lens));
	poly1305_final(&poly, tag);
	return report(!memcmp(tag, sunscreen_tag, sizeof(tag)), "Poly1305 (RFC 8439, 2.8.2)", len);
}

static int __init check_aead(struct scratch *s)
{
	const unsigned int len = sizeof(draft) - 1;
	bool ok;

	chacha20poly1305_encrypt(s->out, draft, len, draft_ad, sizeof(draft_ad),
				 draft_nonce, draft_key);
	ok = !memcmp(s->out + len, draft_tag, sizeof(draft_tag));
	ok = ok && chacha20poly1305_decrypt(s->in, s->out, len + sizeof(draft_tag), draft_ad,
					    sizeof(draft_ad), draft_nonce, draft_key);
	ok = ok && !memcmp(s->in, draft, len);
	s->out[len / 2] ^= 1;
	ok = ok && !chacha20poly1305_decrypt(s->in, s->out, len + sizeof(draft_tag), draft_ad,
					     sizeof(draft_ad), draft_nonce, draft_key);
	return report(ok, "ChaCha20-Poly1305 (RFC 8439, A.5)", len);
}

static void __init chacha_generic(struct chacha_state *state, u8 *dst, const u8 *src,
				  unsigned int len)
{
	u8 block[CHACHA_BLOCK_SIZE] __aligned(sizeof(long));

	while (len) {
		unsigned int n = min_t(unsigned int, len, sizeof(block));

		chacha20_block(state, block);
		crypto_xor_cpy(dst, src, block, n);
		dst += n;
		src += n;
		len -= n;
	}
}

static void __init poly1305_generic(const u8 key[POLY1305_KEY_SIZE], const u8 *src,
				    unsigned int len, u8 *tag)
{
	struct poly1305_core_key core_key;
	struct poly1305_state state;
	u8 last[POLY1305_BLOCK_SIZE] = {};
	unsigned int blocks = len / POLY1305_BLOCK_SIZE;
	unsigned int rest = len % POLY1305_BLOCK_SIZE;
	u32 nonce[4];
	int i;

	for (i = 0; i < 4; i++)
		nonce[i] = get_unaligned_le32(key + 16 + 4 * i);
	poly1305_core_setkey(&core_key, key);
	poly1305_core_init(&state);
	poly1305_core_blocks(&state, &core_key, src, blocks, 1);
	if (rest) {
		memcpy(last, src + blocks * POLY1305_BLOCK_SIZE, rest);
		last[rest] = 1;
		poly1305_core_blocks(&state, &core_key, last, 1, 0);
	}
	poly1305_core_emit(&state, nonce, tag);
}

static int __init check_length(struct scratch *s, unsigned int len)
{
	struct chacha_state state, want_state;
	struct poly1305_desc_ctx poly;

	state_init(&want_state, s->in, len, s->in + 32);
	chacha_generic(&want_state, s->want, s->in, len);
	state_init(&state, s->in, len, s->in + 32);
	chacha20_crypt(&state, s->out, s->in, len);
	if (report(!memcmp(s->out, s->want, len) && !memcmp(&state, &want_state, sizeof(state)),
		   "ChaCha20, compared with generic C,", len))
		return -EBADMSG;

	poly1305_generic(s->in, s->in, len, s->want);
	poly1305_init(&poly, s->in);
	poly1305_update(&poly, s->in, len);
	poly1305_final(&poly, s->out);
	return report(!memcmp(s->out, s->want, POLY1305_DIGEST_SIZE),
		      "Poly1305, compared with generic C,", len);
}

static int __init check_lengths(struct scratch *s)
{
	unsigned int len;
	int i, err;

	for (i = 0; i < LEN_MAX; i++)
		s->in[i] = 151 * i + (i >> 8) + 7;
	for (len = 0; len <= LEN_MAX; len++) {
		err = check_length(s, len);
		if (err)
			return err;
	}
	return 0;
}

static void __init time_packet(struct scratch *s)
{
	u64 best = U64_MAX;
	int round, i;

	for (round = 0; round < TIMING_ROUNDS; round++) {
		u64 start = ktime_get_ns();

		for (i = 0; i < TIMING_PACKETS; i++)
			chacha20poly1305_encrypt(s->out, s->in, PACKET_LEN, NULL, 0, i, draft_key);
		best = min(best, ktime_get_ns() - start);
	}
	packet_ns = div_u64(best, TIMING_PACKETS);
}

static void __init name_simd(void)
{
	if (boot_cpu_has(X86_FEATURE_AVX2) && boot_cpu_has(X86_FEATURE_AVX512VL) &&
	    boot_cpu_has(X86_FEATURE_AVX512BW))
		simd = "avx512vl";
	else if (boot_cpu_has(X86_FEATURE_AVX2))
		simd = "avx2";
	else if (boot_cpu_has(X86_FEATURE_SSSE3))
		simd = "ssse3";
}

static int __init crypto_check_init(void)
{
	struct scratch *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int err;

	if (!s)
		return -ENOMEM;
	err = check_parts(s);
	err = err ?: check_aead(s);
	err = err ?: check_lengths(s);
	if (!err) {
		time_packet(s);
		name_simd();
	}
	kfree(s);
	return err;
}

static void __exit crypto_check_exit(void)
{
}

module_init(crypto_check_init);
module_exit(crypto_check_exit);
MODULE_DESCRIPTION("RFC 8439 check and timing of the ChaCha20-Poly1305 library");
MODULE_LICENSE("GPL");
