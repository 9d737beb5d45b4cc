// SPDX-License-Identifier: GPL-2.0

#include "cookie.h"

void jvpn_mac_keys_derive(struct jvpn_mac_keys *keys, const u8 public_key[JVPN_WIRE_KEY])
{
	jvpn_bl(keys->mac1, JVPN_WIRE_KEY, NULL, 0, JVPN_SLICE_TEXT("mac1----"),
		JVPN_SLICE(public_key, JVPN_WIRE_KEY));
	jvpn_bl(keys->cookie, JVPN_WIRE_KEY, NULL, 0, JVPN_SLICE_TEXT("cookie--"),
		JVPN_SLICE(public_key, JVPN_WIRE_KEY));
}

static size_t mac1_offset(size_t len)
{
	return len - 2 * JVPN_WIRE_MAC;
}

static size_t mac2_offset(size_t len)
{
	return len - JVPN_WIRE_MAC;
}

static void mac1_compute(u8 mac[JVPN_WIRE_MAC], const u8 *msg, size_t len,
			 const struct jvpn_mac_keys *keys)
{
	jvpn_bl(mac, JVPN_WIRE_MAC, keys->mac1, JVPN_WIRE_KEY,
		JVPN_SLICE(msg, mac1_offset(len)));
}

static void mac2_compute(u8 mac[JVPN_WIRE_MAC], const u8 *msg, size_t len,
			 const u8 cookie[JVPN_WIRE_MAC])
{
	jvpn_bl(mac, JVPN_WIRE_MAC, cookie, JVPN_WIRE_MAC, JVPN_SLICE(msg, mac2_offset(len)));
}

void jvpn_mac_stamp(u8 *msg, size_t len, const struct jvpn_mac_keys *keys,
		    const u8 cookie[JVPN_WIRE_MAC])
{
	mac1_compute(msg + mac1_offset(len), msg, len, keys);
	if (cookie)
		mac2_compute(msg + mac2_offset(len), msg, len, cookie);
	else
		memset(msg + mac2_offset(len), 0, JVPN_WIRE_MAC);
}

static bool mac_is_carried_by(u8 type)
{
	return type == JVPN_MSG_INIT || type == JVPN_MSG_RESP || type == JVPN_MSG_REQUEST;
}

enum jvpn_verdict jvpn_mac1_check(const u8 *msg, size_t len, const struct jvpn_mac_keys *keys)
{
	enum jvpn_verdict verdict;
	u8 mac[JVPN_WIRE_MAC];

	if (!len)
		return JVPN_VERDICT_BAD_LENGTH;
	if (!mac_is_carried_by(msg[0]))
		return JVPN_VERDICT_BAD_TYPE;
	verdict = jvpn_msg_check(msg, len, msg[0]);
	if (verdict)
		return verdict;
	mac1_compute(mac, msg, len, keys);
	return jvpn_equal(mac, msg + mac1_offset(len), sizeof(mac)) ? JVPN_VERDICT_OK :
								      JVPN_VERDICT_BAD_MAC1;
}

static void cookie_secret_rotate(struct jvpn_cookie_secret *secret, u64 now_ms,
				 const struct jvpn_rng *rng)
{
	if (secret->set && now_ms - secret->birth_ms < JVPN_COOKIE_LIFE_MS)
		return;
	jvpn_rng_fill(rng, secret->r, sizeof(secret->r));
	secret->birth_ms = now_ms;
	secret->set = true;
}

static void cookie_compute(u8 cookie[JVPN_WIRE_MAC], struct jvpn_cookie_secret *secret,
			   const struct jvpn_wire_addr *source, u64 now_ms,
			   const struct jvpn_rng *rng)
{
	cookie_secret_rotate(secret, now_ms, rng);
	jvpn_bl(cookie, JVPN_WIRE_MAC, secret->r, sizeof(secret->r),
		JVPN_SLICE(source, sizeof(*source)));
}

enum jvpn_verdict jvpn_mac2_check(const u8 *msg, size_t len, struct jvpn_cookie_secret *secret,
				  const struct jvpn_wire_addr *source, u64 now_ms,
				  const struct jvpn_rng *rng)
{
	u8 cookie[JVPN_WIRE_MAC];
	u8 mac[JVPN_WIRE_MAC];

	cookie_compute(cookie, secret, source, now_ms, rng);
	mac2_compute(mac, msg, len, cookie);
	jvpn_wipe(cookie, sizeof(cookie));
	return jvpn_equal(mac, msg + mac2_offset(len), sizeof(mac)) ? JVPN_VERDICT_OK :
								      JVPN_VERDICT_NEED_COOKIE;
}

/* How a COOKIE names the message that it answers. */
static __le32 cookie_receiver(const u8 *msg)
{
	__le32 idx;

	if (msg[0] == JVPN_MSG_INIT)
		return ((const struct jvpn_wire_init *)msg)->sender;
	memcpy(&idx, ((const struct jvpn_wire_request *)msg)->nc, sizeof(idx));
	return idx;
}

void jvpn_cookie_build(struct jvpn_wire_cookie *out, const u8 *msg, size_t len,
		       const struct jvpn_mac_keys *keys, struct jvpn_cookie_secret *secret,
		       const struct jvpn_wire_addr *source, u64 now_ms,
		       const struct jvpn_rng *rng)
{
	u8 cookie[JVPN_WIRE_MAC];

	cookie_compute(cookie, secret, source, now_ms, rng);
	jvpn_msg_header(&out->hdr, JVPN_MSG_COOKIE);
	out->receiver = cookie_receiver(msg);
	jvpn_rng_fill(rng, out->nonce, sizeof(out->nonce));
	jvpn_xaead_seal(out->cookie, keys->cookie, out->nonce, msg + mac1_offset(len),
			JVPN_WIRE_MAC, cookie, sizeof(cookie));
	jvpn_wipe(cookie, sizeof(cookie));
}

enum jvpn_verdict jvpn_cookie_open(struct jvpn_cookie_jar *jar, const u8 *msg, size_t len,
				   const u8 *sent, size_t sent_len,
				   const struct jvpn_mac_keys *keys, u64 now_ms)
{
	const struct jvpn_wire_cookie *m = (const void *)msg;
	enum jvpn_verdict verdict = jvpn_msg_check(msg, len, JVPN_MSG_COOKIE);
	u8 cookie[JVPN_WIRE_MAC];

	if (verdict)
		return verdict;
	if (m->receiver != cookie_receiver(sent))
		return JVPN_VERDICT_BAD_INDEX;
	if (!jvpn_xaead_open(cookie, keys->cookie, m->nonce, sent + mac1_offset(sent_len),
			     JVPN_WIRE_MAC, m->cookie, sizeof(m->cookie)))
		return JVPN_VERDICT_BAD_AUTH;
	memcpy(jar->cookie, cookie, sizeof(cookie));
	jar->until_ms = now_ms + JVPN_COOKIE_USE_MS;
	jvpn_wipe(cookie, sizeof(cookie));
	return JVPN_VERDICT_OK;
}

const u8 *jvpn_cookie_get(const struct jvpn_cookie_jar *jar, u64 now_ms)
{
	return now_ms < jar->until_ms ? jar->cookie : NULL;
}

void jvpn_cookie_jar_wipe(struct jvpn_cookie_jar *jar)
{
	jvpn_wipe(jar, sizeof(*jar));
}
