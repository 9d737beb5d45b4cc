// SPDX-License-Identifier: GPL-2.0

#include "ticket.h"

#define TICKET_AD_TEXT	"jvpn-tkt"

struct ticket_content {
	u8 sid[JVPN_WIRE_SID];
	__le32 expiry;
	u8 zero[3];
} __packed;

static_assert(sizeof(struct ticket_content) + JVPN_WIRE_TAG ==
	       sizeof(((struct jvpn_wire_ticket *)0)->box), "ticket content");

struct ticket_ad {
	u8 kid;
	char text[sizeof(TICKET_AD_TEXT) - 1];
} __packed;

static struct ticket_ad ticket_ad(u8 kid)
{
	struct ticket_ad ad = { .kid = kid };

	memcpy(ad.text, TICKET_AD_TEXT, sizeof(ad.text));
	return ad;
}

void jvpn_tickets_init(struct jvpn_tickets *tickets, const u8 secret[JVPN_WIRE_KEY])
{
	jvpn_bl(tickets->root, sizeof(tickets->root), secret, JVPN_WIRE_KEY,
		JVPN_SLICE_TEXT("jvpn ticket root"));
}

static void ticket_key(const struct jvpn_tickets *tickets, u8 kid, u8 key[JVPN_WIRE_KEY])
{
	jvpn_bl(key, JVPN_WIRE_KEY, tickets->root, sizeof(tickets->root),
		JVPN_SLICE_TEXT("jvpn ticket key"), JVPN_SLICE(&kid, 1));
}

void jvpn_ticket_seal(const struct jvpn_tickets *tickets, const u8 sid[JVPN_WIRE_SID],
		      u64 boot_s, const struct jvpn_rng *rng, u8 out[JVPN_WIRE_TICKET])
{
	struct jvpn_wire_ticket *ticket = (void *)out;
	u8 kid = (u8)(boot_s / JVPN_TICKET_LIFE_S), key[JVPN_WIRE_KEY];
	struct ticket_ad ad = ticket_ad(kid);
	struct ticket_content content = {
		.expiry = jvpn_cpu_to_le32((u32)(boot_s + JVPN_TICKET_LIFE_S)),
	};

	memcpy(content.sid, sid, JVPN_WIRE_SID);
	ticket->kid = kid;
	ticket_key(tickets, kid, key);
	jvpn_name_make(ticket->nonce, &tickets->names, rng);
	jvpn_xaead_seal(ticket->box, key, ticket->nonce, &ad, sizeof(ad), &content,
			sizeof(content));
	jvpn_wipe(key, sizeof(key));
}

enum jvpn_verdict jvpn_ticket_open(const struct jvpn_tickets *tickets,
				   const u8 ticket[JVPN_WIRE_TICKET], u64 boot_s,
				   u8 sid[JVPN_WIRE_SID])
{
	const struct jvpn_wire_ticket *t = (const void *)ticket;
	struct ticket_ad ad = ticket_ad(t->kid);
	struct ticket_content content;
	u8 key[JVPN_WIRE_KEY];
	bool good;

	ticket_key(tickets, t->kid, key);
	good = jvpn_xaead_open((u8 *)&content, key, t->nonce, &ad, sizeof(ad), t->box,
			       sizeof(t->box));
	jvpn_wipe(key, sizeof(key));
	if (!good)
		return JVPN_VERDICT_TICKET_FORGED;
	if (jvpn_le32_to_cpu(content.expiry) <= boot_s)
		return JVPN_VERDICT_TICKET_EXPIRED;
	memcpy(sid, content.sid, JVPN_WIRE_SID);
	return JVPN_VERDICT_OK;
}

void jvpn_gone_token(const u8 k_gone[JVPN_WIRE_KEY], const u8 sid[JVPN_WIRE_SID],
		     u8 token[JVPN_WIRE_MAC])
{
	jvpn_bl(token, JVPN_WIRE_MAC, k_gone, JVPN_WIRE_KEY, JVPN_SLICE_TEXT("gone"),
		JVPN_SLICE(sid, JVPN_WIRE_SID));
}
