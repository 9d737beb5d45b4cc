// SPDX-License-Identifier: GPL-2.0

#include "epoch.h"

#define EPOCH_CTX	"JVPNep_1"
#define RMS_CTX		"JVPNrms1"

/* Numbers of the derivations under EPOCH_CTX. */
enum { EPOCH_C2S = 1, EPOCH_S2C, EPOCH_INDICES, EPOCH_CTL_C2S, EPOCH_CTL_S2C, EPOCH_RMS };
/* and under RMS_CTX. */
enum { RMS_REQ = 1, RMS_REJ, RMS_PSK };

static void epoch_derive_dir(struct jvpn_epoch_dir *dir, u64 id, const u8 *ems)
{
	u8 both[JVPN_WIRE_KEY + JVPN_EPOCH_IV];

	jvpn_kdf(both, sizeof(both), id, EPOCH_CTX, ems);
	memcpy(dir->key, both, JVPN_WIRE_KEY);
	memcpy(dir->iv, both + JVPN_WIRE_KEY, JVPN_EPOCH_IV);
	jvpn_wipe(both, sizeof(both));
}

void jvpn_epoch_derive(struct jvpn_epoch *epoch, const u8 ems[JVPN_WIRE_KEY])
{
	__le32 indices[4];

	epoch_derive_dir(&epoch->c2s, EPOCH_C2S, ems);
	epoch_derive_dir(&epoch->s2c, EPOCH_S2C, ems);
	jvpn_kdf(indices, sizeof(indices), EPOCH_INDICES, EPOCH_CTX, ems);
	epoch->idx_c2s = jvpn_le32_to_cpu(indices[0]);
	epoch->idx_s2c = jvpn_le32_to_cpu(indices[1]);
	jvpn_kdf(epoch->ctl_c2s, JVPN_WIRE_KEY, EPOCH_CTL_C2S, EPOCH_CTX, ems);
	jvpn_kdf(epoch->ctl_s2c, JVPN_WIRE_KEY, EPOCH_CTL_S2C, EPOCH_CTX, ems);
}

void jvpn_epoch_wipe(struct jvpn_epoch *epoch)
{
	jvpn_wipe(epoch, sizeof(*epoch));
}

void jvpn_session_keys_from_rms(struct jvpn_session_keys *keys, const u8 rms[JVPN_WIRE_KEY])
{
	jvpn_kdf(keys->req, JVPN_WIRE_KEY, RMS_REQ, RMS_CTX, rms);
	jvpn_kdf(keys->rej, JVPN_WIRE_KEY, RMS_REJ, RMS_CTX, rms);
	jvpn_kdf(keys->psk, JVPN_WIRE_KEY, RMS_PSK, RMS_CTX, rms);
}

void jvpn_session_keys_derive(struct jvpn_session_keys *keys, const u8 ems0[JVPN_WIRE_KEY])
{
	u8 rms[JVPN_WIRE_KEY];

	jvpn_kdf(rms, sizeof(rms), EPOCH_RMS, EPOCH_CTX, ems0);
	jvpn_session_keys_from_rms(keys, rms);
	jvpn_wipe(rms, sizeof(rms));
}
