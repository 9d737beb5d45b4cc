/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control packets between the sockets and the daemon: up to the netlink port
 * that registered, down by packet-send.
 *
 * Before anything is allocated, these are dropped: what cannot be a JVPN1
 * message, what exceeds a rate, and what the daemon's netlink socket has no
 * room for. Anybody can send in the name of anybody: so nothing is charged to an
 * address before it is clear who may have sent it.
 *
 * What carries a name that this end made (a ticket's nonce, Nc of a REQUEST) has
 * seen this end's answers or is one: it has a share of its own, for each name.
 * Next are ends that the daemon has sent to, with a share for each and one for
 * all; then strangers, by type and by source. INIT and REQUEST must have a right
 * mac1 first (PROTOCOL JVPN1 2.3): who does not know the gateway's public key
 * takes nothing from anybody.
 */
#ifndef JVPN_CONTROL_H
#define JVPN_CONTROL_H

#include <linux/jvpn.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "core/limits.h"
#include "stats.h"

struct jvpn_addr;
struct jvpn_device;
struct jvpn_transport;
struct net;
struct sk_buff;

#define JVPN_CONTROL_SOURCES 1024
#define JVPN_CONTROL_ENDS 1024
#define JVPN_CONTROL_NAMES 1024
#define JVPN_CONTROL_KNOWN 16384
#define JVPN_CONTROL_ANSWERED 4096

/* Who sends a control packet, as far as can be told before it is read. */
enum jvpn_control_class {
	JVPN_CONTROL_NAMED,		/* carries a name of ours */
	JVPN_CONTROL_FROM_KNOWN,	/* has been sent what only an authentic end is sent */
	JVPN_CONTROL_FROM_ANSWERED,	/* has been sent COOKIE or CHALLENGE */
	JVPN_CONTROL_INIT,		/* anybody, by type */
	JVPN_CONTROL_REQUEST,
	JVPN_CONTROL_PROOF,
	JVPN_CONTROL_CTRL,
	JVPN_CONTROL_UNASKED,		/* answers of those who were not asked */
	JVPN_CONTROL_CLASSES
};

/**
 * struct jvpn_control - the channel of a device
 * @lock: serialises it
 * @portid: netlink port of the daemon, 0 if there is none
 * @net: namespace of that port
 * @dropped: packets dropped because of a rate, or because the channel was full
 * @mac1_key: of INIT and REQUEST to this end
 * @has_mac1_key: it was given
 * @mac1_checks: bounds what they cost
 * @name_key: of the names that the daemon makes
 * @has_name_key: it was given
 * @hash_key: so that nobody can aim at a place of what follows
 * @class: bounds what is passed up of each class
 * @source: bounds what is passed up of each stranger's source in a class, several sharing a place
 * @end: the same for each end that is known or answered
 * @name: the same for each name
 * @known: hashes of the addresses last sent to; a newer one takes the place of an older one
 * @answered: the same
 */
struct jvpn_control {
	spinlock_t lock;
	u32 portid;
	struct net *net;
	u64 dropped;
	u8 mac1_key[JVPN_KEY_SIZE];
	bool has_mac1_key;
	struct jvpn_bucket mac1_checks;
	siphash_key_t name_key;
	bool has_name_key;
	siphash_key_t hash_key;
	struct jvpn_bucket class[JVPN_CONTROL_CLASSES];
	struct jvpn_bucket source[JVPN_CONTROL_SOURCES];
	struct jvpn_bucket end[JVPN_CONTROL_ENDS];
	struct jvpn_bucket name[JVPN_CONTROL_NAMES];
	u32 known[JVPN_CONTROL_KNOWN];
	u32 answered[JVPN_CONTROL_ANSWERED];
};

void jvpn_control_init(struct jvpn_control *c);

/*
 * @mac1_key: JVPN_KEY_SIZE octets, or NULL: mac1 is not looked at.
 * @name_key: JVPN_NAME_KEY_SIZE octets, or NULL: nor are names.
 */
void jvpn_control_register(struct jvpn_control *c, struct net *net, u32 portid,
			   const u8 *mac1_key, const u8 *name_key);

/* Nobody is registered any more, and nobody will be. */
void jvpn_control_wipe(struct jvpn_control *c);

/* Forget the port if it is this one. */
void jvpn_control_forget(struct jvpn_control *c, const struct net *net, u32 portid);

/* The daemon has sent a message of this type there. */
void jvpn_control_sent(struct jvpn_control *c, const struct jvpn_addr *remote, u8 type);

/* Octets @off to @off + @len of @skb. Return: the counter that counts the packet. */
enum jvpn_counter jvpn_control_receive(struct jvpn_device *jd, const struct jvpn_transport *from,
				       struct sk_buff *skb, u32 off, u32 len);

#endif
