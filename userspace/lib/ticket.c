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

bool jvpn_tickets_rotate(struct jvpn_tickets *tickets, u64 wall_s, const struct jvpn_rng *rng)
{
	struct jvpn_ticket_key *newest = &tickets->key[0];
	u8 kid = newest->kid;

	/* A clock that was set back makes the difference huge. */
	if (newest->birth_s && wall_s - newest->birth_s < JVPN_TICKET_LIFE_S)
		return false;
	tickets->key[1] = *newest;
	newest->kid = kid + 1;
	newest->birth_s = wall_s ? wall_s : 1;
	jvpn_rng_fill(rng, newest->key, sizeof(newest->key));
	return true;
}

void jvpn_tickets_wipe(struct jvpn_tickets *tickets)
{
	jvpn_wipe(tickets, sizeof(*tickets));
}

void jvpn_ticket_seal(const struct jvpn_tickets *tickets, const u8 sid[JVPN_WIRE_SID],
		      u64 wall_s, const struct jvpn_rng *rng, u8 out[JVPN_WIRE_TICKET])
{
	const struct jvpn_ticket_key *tk = &tickets->key[0];
	struct jvpn_wire_ticket *ticket = (void *)out;
	struct ticket_ad ad = ticket_ad(tk->kid);
	struct ticket_content content = {
		.expiry = jvpn_cpu_to_le32((u32)(wall_s + JVPN_TICKET_LIFE_S)),
	};

	memcpy(content.sid, sid, JVPN_WIRE_SID);
	ticket->kid = tk->kid;
	jvpn_rng_fill(rng, ticket->nonce, sizeof(ticket->nonce));
	jvpn_xaead_seal(ticket->box, tk->key, ticket->nonce, &ad, sizeof(ad), &content,
			sizeof(content));
}

static const struct jvpn_ticket_key *ticket_key_find(const struct jvpn_tickets *tickets, u8 kid)
{
	size_t i;

	for (i = 0; i < JVPN_TICKET_KEYS; i++) {
		if (tickets->key[i].birth_s && tickets->key[i].kid == kid)
			return &tickets->key[i];
	}
	return NULL;
}

enum jvpn_verdict jvpn_ticket_open(const struct jvpn_tickets *tickets,
				   const u8 ticket[JVPN_WIRE_TICKET], u64 wall_s,
				   u8 sid[JVPN_WIRE_SID])
{
	const struct jvpn_wire_ticket *t = (const void *)ticket;
	const struct jvpn_ticket_key *tk = ticket_key_find(tickets, t->kid);
	struct ticket_ad ad = ticket_ad(t->kid);
	struct ticket_content content;

	if (!tk)
		return JVPN_VERDICT_TICKET_UNKNOWN;
	if (!jvpn_xaead_open((u8 *)&content, tk->key, t->nonce, &ad, sizeof(ad), t->box,
			     sizeof(t->box)))
		return JVPN_VERDICT_TICKET_FORGED;
	if (jvpn_le32_to_cpu(content.expiry) <= wall_s)
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
