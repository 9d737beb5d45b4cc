// SPDX-License-Identifier: GPL-2.0

#include "reattach_noise.h"

#define REATTACH_NAME	"Noise_KK1psk0_25519_ChaChaPoly_BLAKE2b"

static const char reattach_text[] = { 'J', 'V', 'P', 'N', '1', ' ', 'r', 'e', 'a', 't', 't', 'a',
				      'c', 'h' };

struct reattach_prologue {
	char text[sizeof(reattach_text)];
	u8 suite;
	u8 sid[JVPN_WIRE_SID];
	u8 nc[JVPN_WIRE_NC];
	u8 ns[JVPN_WIRE_NS];
} __packed;

const u8 jvpn_reattach_gate_nonce[12];

void jvpn_reattach_psk(u8 psk[JVPN_WIRE_KEY], const struct jvpn_session_keys *keys,
		       const struct jvpn_reattach_names *names)
{
	jvpn_bl(psk, JVPN_WIRE_KEY, keys->psk, JVPN_WIRE_KEY, JVPN_SLICE_TEXT("jvpn psk"),
		JVPN_SLICE(names->sid, JVPN_WIRE_SID), JVPN_SLICE(names->nc, JVPN_WIRE_NC),
		JVPN_SLICE(names->ns, JVPN_WIRE_NS));
}

void jvpn_reattach_begin(struct jvpn_noise *noise, const struct jvpn_reattach_names *names,
			 const u8 psk[JVPN_WIRE_KEY], const u8 server_pub[JVPN_WIRE_KEY],
			 const u8 client_pub[JVPN_WIRE_KEY], const u8 e_s[JVPN_WIRE_KEY])
{
	struct reattach_prologue prologue = { .suite = names->suite };

	memcpy(prologue.text, reattach_text, sizeof(reattach_text));
	memcpy(prologue.sid, names->sid, JVPN_WIRE_SID);
	memcpy(prologue.nc, names->nc, JVPN_WIRE_NC);
	memcpy(prologue.ns, names->ns, JVPN_WIRE_NS);
	jvpn_noise_init(noise, REATTACH_NAME, &prologue, sizeof(prologue));
	jvpn_noise_mix_hash(noise, server_pub, JVPN_WIRE_KEY);
	jvpn_noise_mix_hash(noise, client_pub, JVPN_WIRE_KEY);
	jvpn_noise_mix_key_and_hash(noise, psk);
	jvpn_noise_mix_ephemeral(noise, e_s);
}

void jvpn_reattach_gate_key(u8 key[JVPN_WIRE_KEY], const u8 psk[JVPN_WIRE_KEY],
			    const u8 e_c[JVPN_WIRE_KEY])
{
	jvpn_bl(key, JVPN_WIRE_KEY, psk, JVPN_WIRE_KEY, JVPN_SLICE_TEXT("jvpn gate"),
		JVPN_SLICE(e_c, JVPN_WIRE_KEY));
}

void jvpn_reattach_finish(struct jvpn_epoch *epoch, const struct jvpn_noise *noise)
{
	u8 ems[JVPN_WIRE_KEY];

	jvpn_noise_ems(noise, ems);
	jvpn_epoch_derive(epoch, ems);
	jvpn_wipe(ems, sizeof(ems));
}

void jvpn_gone_mac(u8 mac[JVPN_WIRE_MAC], const u8 token[JVPN_WIRE_MAC],
		   const u8 nc[JVPN_WIRE_NC])
{
	jvpn_bl(mac, JVPN_WIRE_MAC, token, JVPN_WIRE_MAC, JVPN_SLICE_TEXT("gone"),
		JVPN_SLICE(nc, JVPN_WIRE_NC));
}
