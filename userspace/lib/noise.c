// SPDX-License-Identifier: GPL-2.0

#include "noise.h"

static void noise_nonce(u8 nonce[12], u64 n)
{
	__le64 wire = jvpn_cpu_to_le64(n);

	memset(nonce, 0, 4);
	memcpy(nonce + 4, &wire, 8);
}

void jvpn_noise_init(struct jvpn_noise *s, const char *name, const void *prologue, size_t size)
{
	size_t length = strlen(name);

	memset(s, 0, sizeof(*s));
	if (length <= JVPN_WIRE_HASH)
		memcpy(s->h, name, length);
	else
		jvpn_bl(s->h, JVPN_WIRE_HASH, NULL, 0, JVPN_SLICE(name, length));
	memcpy(s->ck, s->h, JVPN_WIRE_HASH);
	jvpn_noise_mix_hash(s, prologue, size);
}

void jvpn_noise_wipe(struct jvpn_noise *s)
{
	jvpn_wipe(s, sizeof(*s));
}

void jvpn_noise_mix_hash(struct jvpn_noise *s, const void *data, size_t size)
{
	jvpn_bl(s->h, JVPN_WIRE_HASH, NULL, 0, JVPN_SLICE(s->h, JVPN_WIRE_HASH),
		JVPN_SLICE(data, size));
}

static void noise_set_key(struct jvpn_noise *s, const u8 *key)
{
	memcpy(s->k, key, JVPN_WIRE_KEY);
	s->n = 0;
	s->has_key = true;
}

void jvpn_noise_mix_key(struct jvpn_noise *s, const void *ikm, size_t size)
{
	u8 out[2][JVPN_WIRE_HASH];

	jvpn_hkdf(out, 2, s->ck, ikm, size);
	memcpy(s->ck, out[0], JVPN_WIRE_HASH);
	noise_set_key(s, out[1]);
	jvpn_wipe(out, sizeof(out));
}

void jvpn_noise_mix_key_and_hash(struct jvpn_noise *s, const u8 psk[JVPN_WIRE_KEY])
{
	u8 out[3][JVPN_WIRE_HASH];

	jvpn_hkdf(out, 3, s->ck, psk, JVPN_WIRE_KEY);
	memcpy(s->ck, out[0], JVPN_WIRE_HASH);
	jvpn_noise_mix_hash(s, out[1], JVPN_WIRE_HASH);
	noise_set_key(s, out[2]);
	jvpn_wipe(out, sizeof(out));
}

void jvpn_noise_mix_ephemeral(struct jvpn_noise *s, const u8 e[JVPN_WIRE_KEY])
{
	jvpn_noise_mix_hash(s, e, JVPN_WIRE_KEY);
	jvpn_noise_mix_key(s, e, JVPN_WIRE_KEY);
}

bool jvpn_noise_mix_dh(struct jvpn_noise *s, const u8 secret[JVPN_WIRE_KEY],
		       const u8 point[JVPN_WIRE_KEY])
{
	u8 shared[JVPN_WIRE_KEY];

	if (!jvpn_dh(shared, secret, point))
		return false;
	jvpn_noise_mix_key(s, shared, sizeof(shared));
	jvpn_wipe(shared, sizeof(shared));
	return true;
}

size_t jvpn_noise_encrypt(struct jvpn_noise *s, u8 *out, const void *in, size_t size)
{
	u8 nonce[12];

	if (!s->has_key) {
		memcpy(out, in, size);
	} else {
		noise_nonce(nonce, s->n++);
		jvpn_aead_seal(out, s->k, nonce, s->h, sizeof(s->h), in, size);
		size += JVPN_WIRE_TAG;
	}
	jvpn_noise_mix_hash(s, out, size);
	return size;
}

bool jvpn_noise_decrypt(struct jvpn_noise *s, u8 *out, const u8 *in, size_t size)
{
	u8 h[JVPN_WIRE_HASH];
	u8 nonce[12];

	memcpy(h, s->h, sizeof(h));
	jvpn_noise_mix_hash(s, in, size);
	if (!s->has_key) {
		memcpy(out, in, size);
		return true;
	}
	noise_nonce(nonce, s->n++);
	return jvpn_aead_open(out, s->k, nonce, h, sizeof(h), in, size);
}

void jvpn_noise_split(const struct jvpn_noise *s, u8 k1[JVPN_WIRE_KEY], u8 k2[JVPN_WIRE_KEY])
{
	u8 out[2][JVPN_WIRE_HASH];

	jvpn_hkdf(out, 2, s->ck, NULL, 0);
	memcpy(k1, out[0], JVPN_WIRE_KEY);
	memcpy(k2, out[1], JVPN_WIRE_KEY);
	jvpn_wipe(out, sizeof(out));
}

void jvpn_noise_ems(const struct jvpn_noise *s, u8 ems[JVPN_WIRE_KEY])
{
	u8 keys[2 * JVPN_WIRE_KEY];

	jvpn_noise_split(s, keys, keys + JVPN_WIRE_KEY);
	jvpn_bl(ems, JVPN_WIRE_KEY, keys, sizeof(keys), JVPN_SLICE_TEXT("JVPN1 ems"),
		JVPN_SLICE(s->h, JVPN_WIRE_HASH));
	jvpn_wipe(keys, sizeof(keys));
}
