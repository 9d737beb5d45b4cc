// SPDX-License-Identifier: GPL-2.0
/* Noise, HMAC and HKDF against published vectors. */

#include <jansson.h>
#include <libgen.h>
#include <stdlib.h>

#include "../tap.h"
#include "noise.h"
#include "util.h"

#define PAYLOAD_MAX 256

/* One vector, decoded. */
struct vector {
	const char *name;
	char base[8];
	int psk_at;		/* -1: none */
	u8 prologue[PAYLOAD_MAX];
	size_t prologue_size;
	u8 i_s[32], i_e[32], r_s[32], r_e[32], psk[32];
	json_t *messages;
	const char *hash;
};

static const char *const patterns[][3] = {
	{ "IK", "e es s ss", "e ee se" },
	{ "KK", "e es ss", "e ee se" },
	{ "KK1", "e", "e ee se es" },
};

static size_t hex_get(json_t *object, const char *name, u8 *out, size_t max)
{
	const char *text = json_string_value(json_object_get(object, name));
	size_t size = text ? strlen(text) / 2 : 0;

	if (size > max || (text && !jvpn_util_hex_decode(text, out, size)))
		abort();
	return size;
}

static void vector_load(struct vector *v, json_t *json)
{
	json_t *psks = json_object_get(json, "init_psks");
	const char *pattern, *psk;

	memset(v, 0, sizeof(*v));
	v->name = json_string_value(json_object_get(json, "protocol_name"));
	pattern = v->name + strlen("Noise_");
	psk = strstr(pattern, "psk");
	v->psk_at = psk ? atoi(psk + 3) : -1;
	snprintf(v->base, sizeof(v->base), "%.*s",
		 (int)((psk ? psk : strchr(pattern, '_')) - pattern), pattern);
	v->prologue_size = hex_get(json, "init_prologue", v->prologue, sizeof(v->prologue));
	hex_get(json, "init_static", v->i_s, 32);
	hex_get(json, "init_ephemeral", v->i_e, 32);
	hex_get(json, "resp_static", v->r_s, 32);
	hex_get(json, "resp_ephemeral", v->r_e, 32);
	if (psks)
		jvpn_util_hex_decode(json_string_value(json_array_get(psks, 0)), v->psk, 32);
	v->messages = json_object_get(json, "messages");
	v->hash = json_string_value(json_object_get(json, "handshake_hash"));
}

/* The same shared secret, computed from the writer's side or from the reader's. */
static bool token_dh(const struct vector *v, struct jvpn_noise *s, const char *token,
		     bool initiator)
{
	const u8 *i = token[0] == 'e' ? v->i_e : v->i_s;
	const u8 *r = token[1] == 'e' ? v->r_e : v->r_s;
	u8 point[32];

	jvpn_dh_public(point, initiator ? r : i);
	return jvpn_noise_mix_dh(s, initiator ? i : r, point);
}

static size_t token_write(const struct vector *v, struct jvpn_noise *s, const char *token,
			  int message, u8 *out)
{
	u8 point[32];

	if (!strcmp(token, "e")) {
		jvpn_dh_public(out, message ? v->r_e : v->i_e);
		if (v->psk_at >= 0)
			jvpn_noise_mix_ephemeral(s, out);
		else
			jvpn_noise_mix_hash(s, out, 32);
		return 32;
	}
	if (!strcmp(token, "s")) {
		jvpn_dh_public(point, message ? v->r_s : v->i_s);
		return jvpn_noise_encrypt(s, out, point, 32);
	}
	if (!token_dh(v, s, token, !message))
		abort();
	return 0;
}

static size_t message_write(const struct vector *v, struct jvpn_noise *s, int message,
			    const char *tokens, const u8 *payload, size_t size, u8 *out)
{
	char copy[32], *token, *save = NULL;
	size_t at = 0;

	if (v->psk_at == 0 && message == 0)
		jvpn_noise_mix_key_and_hash(s, v->psk);
	snprintf(copy, sizeof(copy), "%s", tokens);
	for (token = strtok_r(copy, " ", &save); token; token = strtok_r(NULL, " ", &save))
		at += token_write(v, s, token, message, out + at);
	if (v->psk_at == message + 1)
		jvpn_noise_mix_key_and_hash(s, v->psk);
	return at + jvpn_noise_encrypt(s, out + at, payload, size);
}

/* The reader's way through a message: decrypt what the writer made. */
static bool message_read(const struct vector *v, struct jvpn_noise *s, int message,
			 const char *tokens, const u8 *in, size_t size, u8 *payload)
{
	char copy[32], *token, *save = NULL;
	u8 point[32];

	if (v->psk_at == 0 && message == 0)
		jvpn_noise_mix_key_and_hash(s, v->psk);
	snprintf(copy, sizeof(copy), "%s", tokens);
	for (token = strtok_r(copy, " ", &save); token; token = strtok_r(NULL, " ", &save)) {
		size_t used = 0;

		if (!strcmp(token, "e")) {
			used = 32;
			if (v->psk_at >= 0)
				jvpn_noise_mix_ephemeral(s, in);
			else
				jvpn_noise_mix_hash(s, in, 32);
		} else if (!strcmp(token, "s")) {
			used = 48;
			if (!jvpn_noise_decrypt(s, point, in, 48))
				return false;
		} else if (!token_dh(v, s, token, message)) {
			return false;
		}
		in += used;
		size -= used;
	}
	if (v->psk_at == message + 1)
		jvpn_noise_mix_key_and_hash(s, v->psk);
	return jvpn_noise_decrypt(s, payload, in, size);
}

static void begin(const struct vector *v, struct jvpn_noise *s)
{
	u8 point[32];

	jvpn_noise_init(s, v->name, v->prologue, v->prologue_size);
	if (v->base[0] == 'K') {
		jvpn_dh_public(point, v->i_s);
		jvpn_noise_mix_hash(s, point, 32);
	}
	jvpn_dh_public(point, v->r_s);
	jvpn_noise_mix_hash(s, point, 32);
}

static bool bytes_are(const u8 *found, size_t size, json_t *message)
{
	u8 wanted[PAYLOAD_MAX];

	return hex_get(message, "ciphertext", wanted, sizeof(wanted)) == size &&
	       !memcmp(found, wanted, size);
}

static bool transport_good(const struct vector *v, const struct jvpn_noise *s)
{
	u8 key[2][32], nonce[12] = { 0 }, payload[PAYLOAD_MAX], out[PAYLOAD_MAX];
	u64 n[2] = { 0 };
	size_t i;

	jvpn_noise_split(s, key[0], key[1]);
	for (i = 2; i < json_array_size(v->messages); i++) {
		json_t *message = json_array_get(v->messages, i);
		size_t size = hex_get(message, "payload", payload, sizeof(payload));

		nonce[4] = n[i % 2]++;
		jvpn_aead_seal(out, key[i % 2], nonce, NULL, 0, payload, size);
		if (!bytes_are(out, size + 16, message))
			return false;
	}
	return true;
}

static const char *const *pattern_find(const char *base)
{
	size_t i;

	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (!strcmp(patterns[i][0], base))
			return patterns[i];
	}
	return NULL;
}

static bool vector_good(const struct vector *v)
{
	const char *const *pattern = pattern_find(v->base);
	u8 payload[PAYLOAD_MAX], read[PAYLOAD_MAX], out[PAYLOAD_MAX], hash[64];
	struct jvpn_noise writer, reader;
	int i;

	if (!pattern)
		return false;
	begin(v, &writer);
	begin(v, &reader);
	for (i = 0; i < 2; i++) {
		json_t *message = json_array_get(v->messages, i);
		size_t size = hex_get(message, "payload", payload, sizeof(payload));
		size_t len = message_write(v, &writer, i, pattern[i + 1], payload, size, out);

		if (!bytes_are(out, len, message))
			return false;
		if (!message_read(v, &reader, i, pattern[i + 1], out, len, read) ||
		    memcmp(read, payload, size))
			return false;
	}
	if (memcmp(&writer, &reader, sizeof(writer)))
		return false;
	if (v->hash && (!jvpn_util_hex_decode(v->hash, hash, 64) || memcmp(hash, writer.h, 64)))
		return false;
	return transport_good(v, &writer);
}

static json_t *json_open(const char *name)
{
	char self[] = __FILE__, path[4096];
	json_error_t error;
	json_t *json;

	snprintf(path, sizeof(path), "%s/../vectors/%s", dirname(self), name);
	json = json_load_file(path, 0, &error);
	if (!json) {
		printf("Bail out! %s: %s\n", path, error.text);
		exit(1);
	}
	return json;
}

static void test_published(void)
{
	json_t *json = json_open("noise-blake2b.json");
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(json, "vectors"), i, entry) {
		struct vector v;

		vector_load(&v, entry);
		tap_ok(vector_good(&v), "%s", v.name);
	}
	tap_equal(i, 5, "all published vectors were there");
	json_decref(json);
}

static void test_kk1psk0(void)
{
	json_t *json = json_open("kk1psk0.json");
	struct vector v;

	vector_load(&v, json);
	tap_ok(vector_good(&v), "%s", v.name);
	v.psk[0] ^= 1;
	tap_ok(!vector_good(&v), "another psk gives other bytes");
	json_decref(json);
}

static bool hex_is(const u8 *found, size_t size, const char *wanted)
{
	u8 bytes[128];

	return jvpn_util_hex_decode(wanted, bytes, size) && !memcmp(found, bytes, size);
}

/* From Python's hmac module with hashlib.blake2b. */
#define HMAC_JEFE	\
	"6ff884f8ddc2a6586b3c98a4cd6ebdf14ec10204b6710073eb5865ade37a2643"	\
	"b8807c1335d107ecdb9ffeaeb6828c4625ba172c66379efcd222c2de11727ab4"
#define HMAC_LONG	\
	"93bbbf00b4b1d2ae6ecb4e3b58701722dea28ad8512444f443bd6fe63d126836"	\
	"7ffed525668d372d367dddd4daeda642e1fb4afd185c9bdfa412928ebb021e5e"

static void test_hmac(void)
{
	struct jvpn_slice data[] = { JVPN_SLICE_TEXT("what do ya want "),
				     JVPN_SLICE_TEXT("for nothing?") };
	u8 key[200], mac[64];

	jvpn_hmac(mac, "Jefe", 4, data, 2);
	tap_ok(hex_is(mac, 64, HMAC_JEFE), "HMAC-BLAKE2b, short key");
	memset(key, 0xaa, sizeof(key));
	jvpn_hmac(mac, key, sizeof(key), data, 2);
	tap_ok(hex_is(mac, 64, HMAC_LONG), "HMAC-BLAKE2b, key longer than a block");
}

static const char *const low_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static void test_low_order(void)
{
	u8 secret[32] = { 1, 2, 3 }, point[32], out[32];
	struct jvpn_noise s, before;
	size_t i, refused = 0;

	jvpn_noise_init(&s, "x", NULL, 0);
	before = s;
	for (i = 0; i < sizeof(low_order) / sizeof(low_order[0]); i++) {
		jvpn_util_hex_decode(low_order[i], point, 32);
		refused += !jvpn_dh(out, secret, point) &&
			   !jvpn_noise_mix_dh(&s, secret, point) &&
			   !memcmp(&s, &before, sizeof(s));
	}
	tap_equal(refused, i, "points of low order are refused");
}

static void test_tamper(void)
{
	u8 text[8] = "payload", sealed[24], out[8];
	struct jvpn_noise a, b;
	size_t i, refused = 0;

	jvpn_noise_init(&a, "x", NULL, 0);
	jvpn_noise_mix_key(&a, "key", 3);
	b = a;
	jvpn_noise_encrypt(&a, sealed, text, sizeof(text));
	for (i = 0; i < sizeof(sealed); i++) {
		struct jvpn_noise copy = b;

		sealed[i] ^= 0x10;
		refused += !jvpn_noise_decrypt(&copy, out, sealed, sizeof(sealed));
		sealed[i] ^= 0x10;
	}
	tap_equal(refused, i, "every changed octet of a Noise payload is refused");
	tap_ok(!jvpn_noise_decrypt(&(struct jvpn_noise){ .has_key = true }, out, sealed, 15),
	       "less than a tag is refused");
	tap_ok(jvpn_noise_decrypt(&b, out, sealed, sizeof(sealed)) && !memcmp(&a, &b, sizeof(a)),
	       "the right one opens and both sides agree");
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	test_published();
	test_kk1psk0();
	test_hmac();
	test_low_order();
	test_tamper();
	return tap_done();
}
