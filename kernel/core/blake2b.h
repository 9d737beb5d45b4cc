/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keyed BLAKE2b of a short message (RFC 7693), for mac1 of control packets. Most
 * kernels that we build for have none with a digest of 16 octets; and the length
 * of the digest is hashed too, so a longer one cannot be cut.
 */
#ifndef JVPN_CORE_BLAKE2B_H
#define JVPN_CORE_BLAKE2B_H

#include "core.h"

#define JVPN_BLAKE2B_BLOCK 128
#define JVPN_BLAKE2B_DIGEST_MAX 64
#define JVPN_BLAKE2B_KEY_MAX 64

/**
 * jvpn_blake2b_mac() - BLAKE2b(message, key) of RFC 7693 section 3.3
 * @mac: result
 * @mac_len: its octets, 1 to JVPN_BLAKE2B_DIGEST_MAX
 * @key: key
 * @key_len: its octets, 1 to JVPN_BLAKE2B_KEY_MAX
 * @data: message
 * @len: its octets, less than 2^32
 */
void jvpn_blake2b_mac(u8 *mac, u32 mac_len, const u8 *key, u32 key_len, const u8 *data, u32 len);

#endif
