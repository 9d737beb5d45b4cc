/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_COOKIE_H
#define JVPN_COOKIE_H

/*
 * mac1, mac2 and the COOKIE message: WireGuard's construction with BLAKE2b in
 * the place of BLAKE2s.
 *
 *   mac1 key   BL(32, "mac1----" || receiver's static public key)
 *   mac1       BL(16, mac1 key, message up to mac1)
 *   cookie     BL(16, R, raddr(18)), R the gateway's secret, changed every 2 minutes
 *   mac2       BL(16, cookie, message up to mac2), zero without a cookie
 *   COOKIE     XChaCha20-Poly1305, key BL(32, "cookie--" || gateway's public key), AD = mac1
 */

#include "crypto.h"

#define JVPN_COOKIE_LIFE_MS	120000	/* the gateway changes R */
/* A client stops using a cookie a little before the gateway forgets it. */
#define JVPN_COOKIE_USE_MS	(JVPN_COOKIE_LIFE_MS - 5000)

/* Keys that follow from a static public key. No secrets. */
struct jvpn_mac_keys {
	u8 mac1[JVPN_WIRE_KEY];
	u8 cookie[JVPN_WIRE_KEY];
};

void jvpn_mac_keys_derive(struct jvpn_mac_keys *keys, const u8 public_key[JVPN_WIRE_KEY]);

/*
 * INIT, RESP and REQUEST end with mac1 and mac2; len is the size of the whole
 * message. cookie may be NULL: mac2 becomes zero.
 */
void jvpn_mac_stamp(u8 *msg, size_t len, const struct jvpn_mac_keys *keys,
		    const u8 cookie[JVPN_WIRE_MAC]);
/* BAD_LENGTH, BAD_TYPE, BAD_PROTO, BAD_RESERVED, BAD_MAC1. */
enum jvpn_verdict jvpn_mac1_check(const u8 *msg, size_t len, const struct jvpn_mac_keys *keys);

/**
 * struct jvpn_cookie_secret - the gateway's R
 * @r: the secret
 * @birth_ms: when it was made
 *
 * Zeroed is a valid start: the first use makes a secret.
 */
struct jvpn_cookie_secret {
	u8 r[JVPN_WIRE_KEY];
	u64 birth_ms;
	bool set;
};


/* To be called only after jvpn_mac1_check(). NEED_COOKIE unless mac2 is right. */
enum jvpn_verdict jvpn_mac2_check(const u8 *msg, size_t len, struct jvpn_cookie_secret *secret,
				  const struct jvpn_wire_addr *source, u64 now_ms,
				  const struct jvpn_rng *rng);
/* Answer an INIT or a REQUEST whose mac1 was checked. */
void jvpn_cookie_build(struct jvpn_wire_cookie *out, const u8 *msg, size_t len,
		       const struct jvpn_mac_keys *keys, struct jvpn_cookie_secret *secret,
		       const struct jvpn_wire_addr *source, u64 now_ms,
		       const struct jvpn_rng *rng);

/**
 * struct jvpn_cookie_jar - the cookie that a client holds for one local address
 * @cookie: valid until @until_ms
 * @until_ms: 0: none
 *
 * One for each path: the cookie is bound to the source address.
 */
struct jvpn_cookie_jar {
	u8 cookie[JVPN_WIRE_MAC];
	u64 until_ms;
};

/*
 * A COOKIE arrived. sent is the INIT or REQUEST that it may answer, with its
 * mac1 in place. keys are those of the gateway's public key. On OK the jar has
 * the cookie: stamp sent again with jvpn_mac_stamp() and send it.
 */
enum jvpn_verdict jvpn_cookie_open(struct jvpn_cookie_jar *jar, const u8 *msg, size_t len,
				   const u8 *sent, size_t sent_len,
				   const struct jvpn_mac_keys *keys, u64 now_ms);
/* The cookie to stamp with, or NULL. */
const u8 *jvpn_cookie_get(const struct jvpn_cookie_jar *jar, u64 now_ms);
void jvpn_cookie_jar_wipe(struct jvpn_cookie_jar *jar);

#endif /* JVPN_COOKIE_H */
