/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_EPOCH_H
#define JVPN_EPOCH_H

/*
 * The key schedule: what follows from a handshake and from each reattach.
 */

#include "crypto.h"

#define JVPN_EPOCH_IV	12

/* One direction of the data path. */
struct jvpn_epoch_dir {
	u8 key[JVPN_WIRE_KEY];
	u8 iv[JVPN_EPOCH_IV];
};

/**
 * struct jvpn_epoch - everything that one EMS yields
 * @c2s: client to gateway data
 * @s2c: gateway to client data
 * @idx_c2s: index in the header of DATA and CTRL that the client sends
 * @idx_s2c: index in the header of DATA and CTRL that the gateway sends
 * @ctl_c2s: key of CTRL that the client sends
 * @ctl_s2c: key of ACK, and of CTRL that the gateway sends
 *
 * Both sides derive the indices, the handshake's epoch 0 included; the random
 * sender indices of INIT and RESP have nothing to do with them.
 */
struct jvpn_epoch {
	struct jvpn_epoch_dir c2s;
	struct jvpn_epoch_dir s2c;
	u32 idx_c2s;
	u32 idx_s2c;
	u8 ctl_c2s[JVPN_WIRE_KEY];
	u8 ctl_s2c[JVPN_WIRE_KEY];
};

void jvpn_epoch_derive(struct jvpn_epoch *epoch, const u8 ems[JVPN_WIRE_KEY]);
void jvpn_epoch_wipe(struct jvpn_epoch *epoch);

/* What is kept of RMS for the session's life: the only secrets worth persisting. */
struct jvpn_session_keys {
	u8 req[JVPN_WIRE_KEY];	/* client to gateway: REQUEST */
	u8 rej[JVPN_WIRE_KEY];	/* gateway to client: REJECT */
	u8 psk[JVPN_WIRE_KEY];	/* psk of each reattach */
};

/* From the handshake's EMS0; RMS never leaves this function. */
void jvpn_session_keys_derive(struct jvpn_session_keys *keys, const u8 ems0[JVPN_WIRE_KEY]);
/* The step from RMS, for known-answer tests. */
void jvpn_session_keys_from_rms(struct jvpn_session_keys *keys, const u8 rms[JVPN_WIRE_KEY]);

#endif /* JVPN_EPOCH_H */
