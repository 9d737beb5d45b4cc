/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_DATA_H
#define JVPN_DATA_H

/*
 * DATA as the kernel sends and receives it, for tests and tools. No replay
 * window here: that is kernel/core/window.h.
 */

#include "epoch.h"

/* Nonce = iv XOR (0^4 || LE64 counter). */
void jvpn_data_nonce(u8 nonce[JVPN_EPOCH_IV], const u8 iv[JVPN_EPOCH_IV], u64 ctr);
/* Writes size + JVPN_WIRE_DATA_OVERHEAD octets. */
void jvpn_data_seal(u8 *out, const struct jvpn_epoch_dir *dir, u32 idx, u64 ctr,
		    const void *inner, size_t size);
/* Header and minimum length; BAD_LENGTH, BAD_TYPE, BAD_PROTO, BAD_RESERVED. */
enum jvpn_verdict jvpn_data_parse(const u8 *msg, size_t len, u32 *idx, u64 *ctr);
/* Writes len - JVPN_WIRE_DATA_OVERHEAD octets to inner; BAD_INDEX, BAD_AUTH. */
enum jvpn_verdict jvpn_data_open(u8 *inner, const struct jvpn_epoch_dir *dir, u32 idx,
				 const u8 *msg, size_t len);

struct jvpn_heartbeat {
	bool reply;
	u32 seq;
	u64 ts;
	u64 echo_ts;
	u64 version;
};

/* Returns the octets written: 32, or 192 (padded) for a client's heartbeat. */
size_t jvpn_heartbeat_build(u8 out[JVPN_WIRE_HEARTBEAT_CLIENT_SIZE],
			    const struct jvpn_heartbeat *heartbeat);
enum jvpn_verdict jvpn_heartbeat_parse(struct jvpn_heartbeat *heartbeat, const u8 *inner,
				       size_t size);

#endif /* JVPN_DATA_H */
