// SPDX-License-Identifier: GPL-2.0
#include "control.h"

#include <linux/random.h>
#include <linux/skbuff.h>
#include <linux/string.h>

#include "addr.h"
#include "compat.h"
#include "core/blake2b.h"
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
	[JVPN_CONTROL_NAMED] = { 4000, 1000 },
	[JVPN_CONTROL_FROM_KNOWN] = { 8000, 1000 },
	[JVPN_CONTROL_FROM_ANSWERED] = { 2000, 500 },
	[JVPN_CONTROL_INIT] = { 500, 500 },
	[JVPN_CONTROL_REQUEST] = { 1000, 500 },
	[JVPN_CONTROL_PROOF] = { 1000, 500 },
	[JVPN_CONTROL_CTRL] = { 200, 100 },
	[JVPN_CONTROL_UNASKED] = { 100, 50 },
};

/*
 * What an exchange sends under one name, with all that is repeated; whoever has
 * seen it can repeat it as well.
 */
#define NAME_RATE 20
#define NAME_BURST 40

/* So that nobody in the name of one end takes the share of all. */
#define END_RATE 1000
#define END_BURST 500

/* There may be many clients behind one address. */
#define SOURCE_RATE 500
#define SOURCE_BURST 250
/* Octets of an IPv6 address that are one source: what one customer is given. */
#define SOURCE_PREFIX6 6

/* A check costs 1 us: at most so much of a processor goes to strangers' noise. */
#define MAC1_RATE 20000
#define MAC1_BURST 1000

void jvpn_control_init(struct jvpn_control *c)
{
	unsigned int i;

	spin_lock_init(&c->lock);
	jvpn_bucket_init(&c->mac1_checks, MAC1_BURST, 0);
	get_random_bytes(&c->hash_key, sizeof(c->hash_key));
	for (i = 0; i < JVPN_CONTROL_CLASSES; i++)
		jvpn_bucket_init(&c->class[i], class_limit[i].burst, 0);
	for (i = 0; i < JVPN_CONTROL_SOURCES; i++)
		jvpn_bucket_init(&c->source[i], SOURCE_BURST, 0);
	for (i = 0; i < JVPN_CONTROL_ENDS; i++)
		jvpn_bucket_init(&c->end[i], END_BURST, 0);
	for (i = 0; i < JVPN_CONTROL_NAMES; i++)
		jvpn_bucket_init(&c->name[i], NAME_BURST, 0);
}

static void keys_wipe(struct jvpn_control *c)
{
	lockdep_assert_held(&c->lock);
	c->has_name_key = false;
	memzero_explicit(&c->name_key, sizeof(c->name_key));
}

void jvpn_control_register(struct jvpn_control *c, struct net *net, u32 portid,
			   const u8 *mac1_key, const u8 *name_key)
{
	spin_lock_bh(&c->lock);
	c->net = net;
	c->portid = portid;
	c->has_mac1_key = mac1_key;
	if (mac1_key)
		memcpy(c->mac1_key, mac1_key, sizeof(c->mac1_key));
	keys_wipe(c);
	c->has_name_key = name_key;
	if (name_key) {
		c->name_key.key[0] = get_unaligned_le64(name_key);
		c->name_key.key[1] = get_unaligned_le64(name_key + 8);
	}
	spin_unlock_bh(&c->lock);
}

void jvpn_control_forget(struct jvpn_control *c, const struct net *net, u32 portid)
{
	spin_lock_bh(&c->lock);
	if (c->portid == portid && c->net == net) {
		c->portid = 0;
		c->net = NULL;
		keys_wipe(c);
	}
	spin_unlock_bh(&c->lock);
}

void jvpn_control_wipe(struct jvpn_control *c)
{
	spin_lock_bh(&c->lock);
	keys_wipe(c);
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

/* Of each class another, so that what is cheap to make takes nothing from what is not. */
static struct jvpn_bucket *bucket_of_source(struct jvpn_control *c, const struct jvpn_addr *a,
					    enum jvpn_control_class class)
{
	u64 hash;

	if (a->family == AF_INET)
		hash = siphash_2u32((__force u32)a->v4, class, &c->hash_key);
	else
		hash = siphash_2u64(siphash(&a->v6, SOURCE_PREFIX6, &c->hash_key), class,
				    &c->hash_key);
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

/* A packet on its way up. */
struct passing {
	struct jvpn_control *c;
	const struct jvpn_addr *remote;
	u8 type;
	enum jvpn_control_class class;
	struct net *net;
	u32 portid;
	bool check_mac1;
	u8 mac1_key[JVPN_KEY_SIZE];
	bool has_name;
	u8 name[JVPN_WIRE_NC];
};

static bool class_allows(struct passing *p, u64 now)
{
	return jvpn_bucket_take(&p->c->class[p->class], class_limit[p->class].rate,
				class_limit[p->class].burst, 1, now);
}

/* Where a packet of this type carries a name that its receiver has made; 0 nowhere. */
static u32 name_offset(u8 type)
{
	switch (type) {
	case JVPN_MSG_REQUEST:
	case JVPN_MSG_PROOF:
		return offsetof(struct jvpn_wire_request, ticket) +
		       offsetof(struct jvpn_wire_ticket, nonce);
	case JVPN_MSG_CHALLENGE:
	case JVPN_MSG_REJECT:
	case JVPN_MSG_GONE:
		return offsetof(struct jvpn_wire_challenge, nc);
	default:
		return 0;
	}
}

/*
 * A name is 16 random octets and their hash: nobody else can make one, anybody
 * can copy one. So it gives a share, for as many packets as an exchange may need,
 * and takes none: beyond that the packet is judged like any other.
 */
static bool name_allows(struct passing *p, u64 now)
{
	struct jvpn_control *c = p->c;

	if (!p->has_name || !c->has_name_key ||
	    siphash(p->name, JVPN_WIRE_NAME_RANDOM, &c->name_key) !=
		    get_unaligned_le64(p->name + JVPN_WIRE_NAME_RANDOM))
		return false;
	p->class = JVPN_CONTROL_NAMED;
	return jvpn_bucket_take(&c->name[siphash(p->name, JVPN_WIRE_NAME_RANDOM, &c->hash_key) %
					 JVPN_CONTROL_NAMES], NAME_RATE, NAME_BURST, 1, now) &&
	       class_allows(p, now);
}

/* Its own first: what it is refused takes nothing from others. */
static bool shares_allow(struct passing *p, u64 now)
{
	struct jvpn_control *c = p->c;
	bool own;

	if (p->class == JVPN_CONTROL_FROM_KNOWN || p->class == JVPN_CONTROL_FROM_ANSWERED)
		own = jvpn_bucket_take(&c->end[hash_of_endpoint(c, p->remote) % JVPN_CONTROL_ENDS],
				       END_RATE, END_BURST, 1, now);
	else
		own = jvpn_bucket_take(bucket_of_source(c, p->remote, p->class), SOURCE_RATE,
				       SOURCE_BURST, 1, now);
	return own && class_allows(p, now);
}

/* What must show a mac1 takes from no share before it has. */
static bool rates_allow(struct passing *p)
{
	struct jvpn_control *c = p->c;
	u64 now = jvpn_now_coarse_ms();

	if (name_allows(p, now))
		return true;
	p->class = class_of(c, p->remote, p->type);
	p->check_mac1 = c->has_mac1_key &&
			(p->type == JVPN_MSG_INIT || p->type == JVPN_MSG_REQUEST);
	if (!p->check_mac1)
		return shares_allow(p, now);
	memcpy(p->mac1_key, c->mac1_key, sizeof(p->mac1_key));
	return jvpn_bucket_take(&c->mac1_checks, MAC1_RATE, MAC1_BURST, 1, now);
}

/* Return: JVPN_C_RX_CONTROL, or the cause to drop it. */
static enum jvpn_counter may_pass(struct passing *p)
{
	enum jvpn_counter cause = JVPN_C_RX_CONTROL;
	struct jvpn_control *c = p->c;

	spin_lock_bh(&c->lock);
	p->portid = c->portid;
	p->net = c->net;
	if (!c->portid) {
		cause = JVPN_C_RX_DROP_CONTROL_DEAF;
	} else if (!rates_allow(p)) {
		cause = JVPN_C_RX_DROP_CONTROL_RATE;
		c->dropped++;
	}
	spin_unlock_bh(&c->lock);
	return cause;
}

/* The last two fields of INIT and REQUEST are mac1 and mac2; mac1 covers all before it. */
static bool mac1_verifies(const struct passing *p, const struct sk_buff *skb, u32 off, u32 len)
{
	union {
		struct jvpn_wire_init init;
		struct jvpn_wire_request request;
		u8 octets[1];
	} msg;
	u32 covered = len - 2 * JVPN_WIRE_MAC;
	u8 mac[JVPN_WIRE_MAC];

	if (WARN_ON_ONCE(len > sizeof(msg)) || skb_copy_bits(skb, off, &msg, len))
		return false;
	jvpn_blake2b_mac(mac, sizeof(mac), p->mac1_key, sizeof(p->mac1_key), msg.octets, covered);
	return !crypto_memneq(mac, msg.octets + covered, sizeof(mac));
}

static enum jvpn_counter mac1_judge(struct passing *p, const struct sk_buff *skb, u32 off, u32 len)
{
	enum jvpn_counter cause = JVPN_C_RX_CONTROL;
	struct jvpn_control *c = p->c;

	if (!mac1_verifies(p, skb, off, len))
		return JVPN_C_RX_DROP_CONTROL_MAC1;
	spin_lock_bh(&c->lock);
	if (!shares_allow(p, jvpn_now_coarse_ms())) {
		cause = JVPN_C_RX_DROP_CONTROL_RATE;
		c->dropped++;
	}
	spin_unlock_bh(&c->lock);
	return cause;
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
	struct passing p = { .c = &jd->control, .remote = &from->remote };
	struct jvpn_wire_hdr hdr;
	enum jvpn_counter cause;
	u32 name;

	if (len < sizeof(hdr) || skb_copy_bits(skb, off, &hdr, sizeof(hdr)))
		return JVPN_C_RX_DROP_RUNT;
	if (hdr.proto != JVPN_WIRE_PROTO || hdr.zero || jvpn_wire_control_size(hdr.type) != len)
		return JVPN_C_RX_DROP_TYPE;
	p.type = hdr.type;
	name = name_offset(hdr.type);
	p.has_name = name && !skb_copy_bits(skb, off + name, p.name, sizeof(p.name));
	cause = may_pass(&p);
	if (cause == JVPN_C_RX_CONTROL && p.check_mac1)
		cause = mac1_judge(&p, skb, off, len);
	if (cause != JVPN_C_RX_CONTROL)
		return cause;
	if (!jvpn_notify_packet(jd, p.net, p.portid, from, skb, off, len)) {
		note_full(&jd->control);
		return JVPN_C_RX_DROP_CONTROL_FULL;
	}
	return JVPN_C_RX_CONTROL;
}
