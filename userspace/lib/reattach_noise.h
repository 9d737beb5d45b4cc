/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_REATTACH_NOISE_H
#define JVPN_REATTACH_NOISE_H

/* What both sides of a reattach compute alike. Private to the library. */

#include "epoch.h"
#include "noise.h"

/* What the prologue and the psk of one exchange are made from. */
struct jvpn_reattach_names {
	u8 suite;
	const u8 *sid;
	const u8 *nc;
	const u8 *ns;
};

/* psk_a: the psk of this challenge. */
void jvpn_reattach_psk(u8 psk[JVPN_WIRE_KEY], const struct jvpn_session_keys *keys,
		       const struct jvpn_reattach_names *names);
/* The Noise state of message 1 up to and including token e. */
void jvpn_reattach_begin(struct jvpn_noise *noise, const struct jvpn_reattach_names *names,
			 const u8 psk[JVPN_WIRE_KEY], const u8 server_pub[JVPN_WIRE_KEY],
			 const u8 client_pub[JVPN_WIRE_KEY], const u8 e_s[JVPN_WIRE_KEY]);
/* One key for each e_c, hence nonce 0. */
void jvpn_reattach_gate_key(u8 key[JVPN_WIRE_KEY], const u8 psk[JVPN_WIRE_KEY],
			    const u8 e_c[JVPN_WIRE_KEY]);
void jvpn_reattach_finish(struct jvpn_epoch *epoch, const struct jvpn_noise *noise);

extern const u8 jvpn_reattach_gate_nonce[12];

/* What the additional data covers: everything before the sealed part. */
#define JVPN_REQUEST_AD_SIZE	offsetof(struct jvpn_wire_request, nc)
#define JVPN_GATE_AD_SIZE	offsetof(struct jvpn_wire_proof, gate)
#define JVPN_ACK_AD_SIZE	sizeof(struct jvpn_wire_hdr)
#define JVPN_REJECT_AD_SIZE	offsetof(struct jvpn_wire_reject, nonce)

void jvpn_gone_mac(u8 mac[JVPN_WIRE_MAC], const u8 token[JVPN_WIRE_MAC],
		   const u8 nc[JVPN_WIRE_NC]);

#endif /* JVPN_REATTACH_NOISE_H */
