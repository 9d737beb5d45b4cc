/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables of a device: sessions by id, bindings by receive index, and inner
 * prefixes, which say whose a packet is in both directions.
 *
 * Longest-prefix match is one hash lookup for each prefix length in use,
 * longest first: usually one or two.
 */
#ifndef JVPN_TABLE_H
#define JVPN_TABLE_H

#include <linux/in6.h>
#include <linux/jvpn.h>
#include <linux/rhashtable.h>
#include <linux/xarray.h>

struct jvpn_binding;
struct jvpn_session;

#define JVPN_PREFIXES_MAX 64
#define JVPN_SESSIONS_DEFAULT 65536

/**
 * struct jvpn_prefix_key - hash key of an inner prefix, bits beyond it zero
 * @family: AF_INET or AF_INET6
 * @len: bits that count
 * @addr: IPv4 in the first four octets
 */
struct jvpn_prefix_key {
	u16 family;
	u16 len;
	struct in6_addr addr;
};

/**
 * struct jvpn_prefix - an inner prefix of a session
 * @node: in jvpn_table.prefixes while the session owns it
 * @key: the prefix
 * @session: who it belongs to
 * @owned: it is in the table; under jvpn_table.lock
 */
struct jvpn_prefix {
	struct rhash_head node;
	struct jvpn_prefix_key key;
	struct jvpn_session *session;
	bool owned;
};

/**
 * struct jvpn_table - sessions of a device
 * @by_id: sessions by id
 * @by_index: bindings by receive index
 * @prefixes: inner prefixes of sessions past birth
 * @lock: writers of @prefixes and what follows it
 * @claim: serialises births, which claim prefixes; outside of any session's lock
 * @used4: IPv4 prefix lengths in use
 * @used6: IPv6 prefix lengths in use
 * @count4: prefixes of each length
 * @count6: prefixes of each length
 * @sessions: all of them by serial number; writers under the device's mutex
 * @serial: next serial number for a session; under the device's mutex
 * @generation: changes after a session was added or removed, marks dumps
 * @count: sessions held
 * @max: most sessions held
 */
struct jvpn_table {
	struct rhashtable by_id;
	struct rhashtable by_index;
	struct rhashtable prefixes;
	spinlock_t lock;
	spinlock_t claim;
	DECLARE_BITMAP(used4, 33);
	DECLARE_BITMAP(used6, 129);
	u32 count4[33];
	u32 count6[129];
	struct xarray sessions;
	u32 serial;
	u32 generation;
	u32 count;
	u32 max;
};

int jvpn_table_init(struct jvpn_table *t);
void jvpn_table_destroy(struct jvpn_table *t);

/* Readers: under rcu_read_lock(). */
struct jvpn_session *jvpn_table_session(struct jvpn_table *t,
					const u8 id[JVPN_SESSION_ID_SIZE]);
struct jvpn_binding *jvpn_table_binding(struct jvpn_table *t, u32 index);
struct jvpn_session *jvpn_table_match4(struct jvpn_table *t, __be32 addr);
struct jvpn_session *jvpn_table_match6(struct jvpn_table *t, const struct in6_addr *addr);
/* The owner of exactly this prefix. */
struct jvpn_session *jvpn_table_owner(struct jvpn_table *t, const struct jvpn_prefix_key *key);

/* Writers: sessions under the device's mutex, the rest under the session's lock. */
int jvpn_table_add_session(struct jvpn_table *t, struct jvpn_session *s);
void jvpn_table_del_session(struct jvpn_table *t, struct jvpn_session *s);
int jvpn_table_add_binding(struct jvpn_table *t, struct jvpn_binding *b);
void jvpn_table_del_binding(struct jvpn_table *t, struct jvpn_binding *b);
int jvpn_table_add_prefix(struct jvpn_table *t, struct jvpn_prefix *p);
void jvpn_table_del_prefix(struct jvpn_table *t, struct jvpn_prefix *p);

#endif
