// SPDX-License-Identifier: GPL-2.0
#include "control.h"

#include <linux/random.h>
#include <linux/skbuff.h>

#include "addr.h"
#include "core/wire.h"
#include "device.h"
#include "notify.h"
#include "session.h"

/*
 * Packets a second, and at once. A packet costs the daemon 5 us if it is refused
 * at first sight, 10 us if it is answered by a COOKIE and ten times as much if it
 * needs public-key work, which the daemon bounds by itself. Nobody is known yet
 * after a restart, so strangers alone must be able to make as many reattaches as
 * the daemon does by default.
 */
static const struct {
	u32 rate;
	u32 burst;
} class_limit[JVPN_CONTROL_CLASSES] = {
	[JVPN_CONTROL_FROM_KNOWN] = { 8000, 1000 },
	[JVPN_CONTROL_FROM_ANSWERED] = { 2000, 500 },
	[JVPN_CONTROL_INIT] = { 1000, 500 },
	[JVPN_CONTROL_REQUEST] = { 1000, 500 },
	[JVPN_CONTROL_PROOF] = { 1000, 500 },
	[JVPN_CONTROL_CTRL] = { 200, 100 },
	[JVPN_CONTROL_UNASKED] = { 100, 50 },
};

/* There may be many clients behind one address. */
#define SOURCE_RATE 500
#define SOURCE_BURST 250
/* Octets of an IPv6 address that are one source: what one customer is given. */
#define SOURCE_PREFIX6 6

void jvpn_control_init(struct jvpn_control *c)
{
	unsigned int i;

	spin_lock_init(&c->lock);
	get_random_bytes(&c->hash_key, sizeof(c->hash_key));
	for (i = 0; i < JVPN_CONTROL_CLASSES; i++)
		jvpn_bucket_init(&c->class[i], class_limit[i].burst, 0);
	for (i = 0; i < JVPN_CONTROL_SOURCES; i++)
		jvpn_bucket_init(&c->source[i], SOURCE_BURST, 0);
}

void jvpn_control_register(struct jvpn_control *c, struct net *net, u32 portid)
{
	spin_lock_bh(&c->lock);
	c->net = net;
	c->portid = portid;
	spin_unlock_bh(&c->lock);
}

void jvpn_control_forget(struct jvpn_control *c, const struct net *net, u32 portid)
{
	spin_lock_bh(&c->lock);
	if (c->portid == portid && c->net == net) {
		c->portid = 0;
		c->net = NULL;
	}
	spin_unlock_bh(&c->lock);
}

/* ---- who sends ---- */

static u64 hash_of_endpoint(const struct jvpn_control *c, const struct jvpn_addr *a)
{
	if (a->family == AF_INET)
		return siphash_2u32((__force u32)a->v4, (__force u32)a->port, &c->hash_key);
	return siphash_3u64(siphash(&a->v6, sizeof(a->v6), &c->hash_key), a->scope,
			    (__force u16)a->port, &c->hash_key);
}

static struct jvpn_bucket *bucket_of_source(struct jvpn_control *c, const struct jvpn_addr *a)
{
	u64 hash;

	if (a->family == AF_INET)
		hash = siphash_1u32((__force u32)a->v4, &c->hash_key);
	else
		hash = siphash(&a->v6, SOURCE_PREFIX6, &c->hash_key);
	return &c->source[hash % JVPN_CONTROL_SOURCES];
}

/* The place is told by the lower half of a hash, its owner by the upper one. */
static void endpoint_note(u32 *places, u32 count, u64 hash)
{
	places[hash % count] = hash >> 32;
}

static bool endpoint_noted(const u32 *places, u32 count, u64 hash)
{
	return places[hash % count] == hash >> 32;
}

/*
 * RESP, ACK and CTRL go to authentic ends, INIT, REQUEST and PROOF to a gateway
 * of the configuration. A COOKIE or CHALLENGE may have been provoked by a copied
 * packet with a forged source: worth something, as its receiver will answer, but
 * not at the cost of the others.
 */
void jvpn_control_sent(struct jvpn_control *c, const struct jvpn_addr *remote, u8 type)
{
	u64 hash = hash_of_endpoint(c, remote);

	spin_lock_bh(&c->lock);
	switch (type) {
	case JVPN_MSG_INIT:
	case JVPN_MSG_REQUEST:
	case JVPN_MSG_PROOF:
	case JVPN_MSG_RESP:
	case JVPN_MSG_ACK:
	case JVPN_MSG_CTRL:
		endpoint_note(c->known, JVPN_CONTROL_KNOWN, hash);
		break;
	case JVPN_MSG_COOKIE:
	case JVPN_MSG_CHALLENGE:
		endpoint_note(c->answered, JVPN_CONTROL_ANSWERED, hash);
		break;
	}
	spin_unlock_bh(&c->lock);
}

/* ---- what may pass ---- */

static enum jvpn_control_class class_by_type(u8 type)
{
	switch (type) {
	case JVPN_MSG_INIT:
		return JVPN_CONTROL_INIT;
	case JVPN_MSG_REQUEST:
		return JVPN_CONTROL_REQUEST;
	case JVPN_MSG_PROOF:
		return JVPN_CONTROL_PROOF;
	case JVPN_MSG_CTRL:
		return JVPN_CONTROL_CTRL;
	default:
		return JVPN_CONTROL_UNASKED;
	}
}

static enum jvpn_control_class class_of(const struct jvpn_control *c,
					const struct jvpn_addr *remote, u8 type)
{
	u64 hash = hash_of_endpoint(c, remote);

	if (endpoint_noted(c->known, JVPN_CONTROL_KNOWN, hash))
		return JVPN_CONTROL_FROM_KNOWN;
	if (endpoint_noted(c->answered, JVPN_CONTROL_ANSWERED, hash))
		return JVPN_CONTROL_FROM_ANSWERED;
	return class_by_type(type);
}

/* The source first: what it is refused takes nothing from its class. */
static bool rates_allow(struct jvpn_control *c, const struct jvpn_addr *remote, u8 type)
{
	enum jvpn_control_class class = class_of(c, remote, type);
	u64 now = jvpn_now_coarse_ms();

	return jvpn_bucket_take(bucket_of_source(c, remote), SOURCE_RATE, SOURCE_BURST, 1, now) &&
	       jvpn_bucket_take(&c->class[class], class_limit[class].rate,
				class_limit[class].burst, 1, now);
}

static bool may_pass(struct jvpn_control *c, const struct jvpn_addr *remote, u8 type,
		     struct net **net, u32 *portid, enum jvpn_counter *cause)
{
	bool pass = false;

	spin_lock_bh(&c->lock);
	*portid = c->portid;
	*net = c->net;
	if (!c->portid) {
		*cause = JVPN_C_RX_DROP_CONTROL_DEAF;
	} else if (!rates_allow(c, remote, type)) {
		*cause = JVPN_C_RX_DROP_CONTROL_RATE;
		c->dropped++;
	} else {
		pass = true;
	}
	spin_unlock_bh(&c->lock);
	return pass;
}

static void note_full(struct jvpn_control *c)
{
	spin_lock_bh(&c->lock);
	c->dropped++;
	spin_unlock_bh(&c->lock);
}

enum jvpn_counter jvpn_control_receive(struct jvpn_device *jd, const struct jvpn_transport *from,
				       struct sk_buff *skb, u32 off, u32 len)
{
	struct jvpn_wire_hdr hdr;
	enum jvpn_counter cause;
	struct net *net;
	u32 portid;

	if (len < sizeof(hdr) || skb_copy_bits(skb, off, &hdr, sizeof(hdr)))
		return JVPN_C_RX_DROP_RUNT;
	if (hdr.proto != JVPN_WIRE_PROTO || hdr.zero || jvpn_wire_control_size(hdr.type) != len)
		return JVPN_C_RX_DROP_TYPE;
	if (!may_pass(&jd->control, &from->remote, hdr.type, &net, &portid, &cause))
		return cause;
	if (!jvpn_notify_packet(jd, net, portid, from, skb, off, len)) {
		note_full(&jd->control);
		return JVPN_C_RX_DROP_CONTROL_FULL;
	}
	return JVPN_C_RX_CONTROL;
}
