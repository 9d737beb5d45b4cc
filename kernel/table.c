// SPDX-License-Identifier: GPL-2.0
#include "table.h"

#include <linux/bitmap.h>
#include <linux/inetdevice.h>

#include "binding.h"
#include "session.h"

static const struct rhashtable_params id_params = {
	.head_offset = offsetof(struct jvpn_session, node),
	.key_offset = offsetof(struct jvpn_session, id),
	.key_len = JVPN_SESSION_ID_SIZE,
	.automatic_shrinking = true,
};

static const struct rhashtable_params index_params = {
	.head_offset = offsetof(struct jvpn_binding, node),
	.key_offset = offsetof(struct jvpn_binding, epoch.rx_index),
	.key_len = sizeof(u32),
	.automatic_shrinking = true,
};

static const struct rhashtable_params prefix_params = {
	.head_offset = offsetof(struct jvpn_prefix, node),
	.key_offset = offsetof(struct jvpn_prefix, key),
	.key_len = sizeof(struct jvpn_prefix_key),
	.automatic_shrinking = true,
};

int jvpn_table_init(struct jvpn_table *t)
{
	int err;

	spin_lock_init(&t->lock);
	spin_lock_init(&t->claim);
	xa_init_flags(&t->sessions, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	t->max = JVPN_SESSIONS_DEFAULT;
	t->generation = 1;
	err = rhashtable_init(&t->by_id, &id_params);
	if (err)
		return err;
	err = rhashtable_init(&t->by_index, &index_params);
	if (err)
		goto err_id;
	err = rhashtable_init(&t->prefixes, &prefix_params);
	if (err)
		goto err_index;
	return 0;

err_index:
	rhashtable_destroy(&t->by_index);
err_id:
	rhashtable_destroy(&t->by_id);
	return err;
}

void jvpn_table_destroy(struct jvpn_table *t)
{
	WARN_ON_ONCE(t->count);
	xa_destroy(&t->sessions);
	rhashtable_destroy(&t->prefixes);
	rhashtable_destroy(&t->by_index);
	rhashtable_destroy(&t->by_id);
}

struct jvpn_session *jvpn_table_session(struct jvpn_table *t,
					const u8 id[JVPN_SESSION_ID_SIZE])
{
	return rhashtable_lookup_fast(&t->by_id, id, id_params);
}

struct jvpn_binding *jvpn_table_binding(struct jvpn_table *t, u32 index)
{
	return rhashtable_lookup(&t->by_index, &index, index_params);
}

struct jvpn_session *jvpn_table_owner(struct jvpn_table *t, const struct jvpn_prefix_key *key)
{
	struct jvpn_prefix *p = rhashtable_lookup_fast(&t->prefixes, key, prefix_params);

	return p ? p->session : NULL;
}

static struct jvpn_session *match_key(struct jvpn_table *t, const struct jvpn_prefix_key *key)
{
	struct jvpn_prefix *p = rhashtable_lookup(&t->prefixes, key, prefix_params);

	return p ? p->session : NULL;
}

/* The next shorter length in use, below @len; negative at the end. */
static int shorter(const unsigned long *used, int len)
{
	unsigned long last = len > 0 ? find_last_bit(used, len) : 0;

	return len > 0 && last < len ? (int)last : -1;
}

struct jvpn_session *jvpn_table_match4(struct jvpn_table *t, __be32 addr)
{
	struct jvpn_prefix_key key = { .family = AF_INET };
	int len;

	for (len = shorter(t->used4, 33); len >= 0; len = shorter(t->used4, len)) {
		struct jvpn_session *s;

		key.len = len;
		key.addr.s6_addr32[0] = addr & inet_make_mask(len);
		s = match_key(t, &key);
		if (s)
			return s;
	}
	return NULL;
}

struct jvpn_session *jvpn_table_match6(struct jvpn_table *t, const struct in6_addr *addr)
{
	struct jvpn_prefix_key key = { .family = AF_INET6 };
	int len;

	for (len = shorter(t->used6, 129); len >= 0; len = shorter(t->used6, len)) {
		struct jvpn_session *s;

		key.len = len;
		ipv6_addr_prefix(&key.addr, addr, len);
		s = match_key(t, &key);
		if (s)
			return s;
	}
	return NULL;
}

/* After the change that it tells of. 0 would say that nobody counts. */
static void generation_change(struct jvpn_table *t)
{
	u32 next = t->generation + 1;

	/* Pairs with the dump's: who reads the number finds what it tells of. */
	smp_store_release(&t->generation, next ? next : 1);
}

int jvpn_table_add_session(struct jvpn_table *t, struct jvpn_session *s)
{
	int err;

	if (t->count >= t->max)
		return -ENOSPC;
	err = rhashtable_lookup_insert_fast(&t->by_id, &s->node, id_params);
	if (err)
		return err;
	err = xa_alloc_cyclic(&t->sessions, &s->serial, s, XA_LIMIT(1, U32_MAX - 1),
			      &t->serial, GFP_KERNEL);
	if (err < 0) {
		rhashtable_remove_fast(&t->by_id, &s->node, id_params);
		return err;
	}
	t->count++;
	generation_change(t);
	return 0;
}

void jvpn_table_del_session(struct jvpn_table *t, struct jvpn_session *s)
{
	rhashtable_remove_fast(&t->by_id, &s->node, id_params);
	xa_erase(&t->sessions, s->serial);
	t->count--;
	generation_change(t);
}

int jvpn_table_add_binding(struct jvpn_table *t, struct jvpn_binding *b)
{
	return rhashtable_lookup_insert_fast(&t->by_index, &b->node, index_params);
}

void jvpn_table_del_binding(struct jvpn_table *t, struct jvpn_binding *b)
{
	rhashtable_remove_fast(&t->by_index, &b->node, index_params);
}

static u32 *prefix_count(struct jvpn_table *t, const struct jvpn_prefix_key *key,
			 unsigned long **used)
{
	if (key->family == AF_INET) {
		*used = t->used4;
		return &t->count4[key->len];
	}
	*used = t->used6;
	return &t->count6[key->len];
}

int jvpn_table_add_prefix(struct jvpn_table *t, struct jvpn_prefix *p)
{
	unsigned long *used;
	u32 *count;
	int err;

	spin_lock_bh(&t->lock);
	err = rhashtable_lookup_insert_fast(&t->prefixes, &p->node, prefix_params);
	if (!err) {
		p->owned = true;
		count = prefix_count(t, &p->key, &used);
		if (!(*count)++)
			set_bit(p->key.len, used);
	}
	spin_unlock_bh(&t->lock);
	return err;
}

void jvpn_table_del_prefix(struct jvpn_table *t, struct jvpn_prefix *p)
{
	unsigned long *used;
	u32 *count;

	spin_lock_bh(&t->lock);
	if (p->owned) {
		rhashtable_remove_fast(&t->prefixes, &p->node, prefix_params);
		p->owned = false;
		count = prefix_count(t, &p->key, &used);
		if (!--(*count))
			clear_bit(p->key.len, used);
	}
	spin_unlock_bh(&t->lock);
}
