// SPDX-License-Identifier: GPL-2.0
#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "log.h"
#include "util.h"

#define RECORD_MAGIC 0x6a76706e
/* To be raised with every change of the structures below, or of those they hold. */
#define RECORD_FORMAT 3

struct record_gateway {
	struct jvpn_proof_last last;
	struct jvpn_switches switches;
	uint64_t ctrl_seq;
	uint8_t confirmed;
};

/* Of one machine and one build: no need for a portable encoding. */
struct record {
	uint32_t magic;
	uint16_t format;
	uint8_t role;
	uint8_t suite;
	uint64_t born_ms;
	uint32_t ctl_epoch;
	uint8_t peer_key[JVPN_KEYS_SIZE];
	uint8_t psk_id[JVPN_WIRE_MAC];
	struct jvpn_prefix inner[2];
	struct jvpn_policy_def policy;
	struct jvpn_session_keys keys;
	struct jvpn_epoch ctl;
	union {
		struct record_gateway gateway;
		struct jvpn_client_record client;
	};
};

static_assert(sizeof(struct record) <= JVPN_STORE_RECORD_MAX, "a record fits the store");

static void record_gateway_fill(struct record_gateway *r, const struct session_gateway *g)
{
	r->last = g->last;
	r->switches = g->switches;
	r->ctrl_seq = g->ctrl_seq;
	r->confirmed = g->confirmed;
}

static void record_fill(struct jvpnd *d, const struct session *s, struct record *r)
{
	memset(r, 0, sizeof(*r));
	r->magic = RECORD_MAGIC;
	r->format = RECORD_FORMAT;
	r->role = (uint8_t)s->role;
	r->suite = s->suite;
	r->born_ms = s->born_ms;
	r->ctl_epoch = s->ctl_epoch;
	memcpy(r->peer_key, s->peer_key, sizeof(r->peer_key));
	memcpy(r->psk_id, s->psk_id, sizeof(r->psk_id));
	memcpy(r->inner, s->inner, sizeof(r->inner));
	r->policy = s->policy;
	r->keys = s->keys;
	r->ctl = s->ctl;
	if (s->role == JVPN_ROLE_GATEWAY)
		record_gateway_fill(&r->gateway, &s->gateway);
	else
		client_record_fill(d, s, &r->client);
}

static void record_digest(const struct record *r, uint8_t digest[RECORD_DIGEST])
{
	crypto_generichash(digest, RECORD_DIGEST, (const uint8_t *)r, sizeof(*r), NULL, 0);
}

static int record_put(struct jvpnd *d, struct session *s, const struct record *r)
{
	int rc = jvpn_store_put(d->store, s->id, &s->revision, r, sizeof(*r));

	if (!rc)
		record_digest(r, s->saved);
	return rc;
}

static bool record_saved(struct session *s, int rc)
{
	if (!rc) {
		s->recorded = true;
		return true;
	}
	jvpn_error("session %s: its record cannot be written (%s): it would not survive a restart of the daemon with its keys",
		   session_short(s), strerror(-rc));
	return false;
}

bool record_save(struct jvpnd *d, struct session *s)
{
	struct record r;
	int rc;

	record_fill(d, s, &r);
	rc = record_put(d, s, &r);
	sodium_memzero(&r, sizeof(r));
	return record_saved(s, rc);
}

void record_update(struct jvpnd *d, struct session *s)
{
	uint8_t digest[RECORD_DIGEST];
	struct record r;
	int rc = 0;

	record_fill(d, s, &r);
	record_digest(&r, digest);
	if (memcmp(digest, s->saved, sizeof(digest)))
		rc = record_put(d, s, &r);
	sodium_memzero(&r, sizeof(r));
	record_saved(s, rc);
}

static void record_gateway_take(struct session_gateway *g, const struct record_gateway *r)
{
	g->last = r->last;
	g->switches = r->switches;
	g->ctrl_seq = r->ctrl_seq;
	g->confirmed = r->confirmed;
}

static void record_take(struct jvpnd *d, struct session *s, const struct record *r)
{
	s->suite = r->suite;
	s->born_ms = r->born_ms;
	memcpy(s->peer_key, r->peer_key, sizeof(s->peer_key));
	memcpy(s->psk_id, r->psk_id, sizeof(s->psk_id));
	memcpy(s->inner, r->inner, sizeof(s->inner));
	s->policy = r->policy;
	s->keys = r->keys;
	session_ctl_set(d, s, &r->ctl, r->ctl_epoch);
	if (s->role == JVPN_ROLE_GATEWAY)
		record_gateway_take(&s->gateway, &r->gateway);
	else
		client_record_take(d, s, &r->client);
}

static bool record_fits(const struct session *s, const struct record *r, size_t size)
{
	return size == sizeof(*r) && r->magic == RECORD_MAGIC && r->format == RECORD_FORMAT &&
	       r->role == s->role;
}

bool record_load(struct jvpnd *d, struct session *s)
{
	union {
		struct record r;
		uint8_t bytes[JVPN_STORE_RECORD_MAX];
	} *buffer = calloc(1, sizeof(*buffer));
	size_t size = 0;
	int rc;

	if (!buffer)
		return false;
	rc = jvpn_store_get(d->store, s->id, &s->revision, buffer, &size);
	if (!rc && record_fits(s, &buffer->r, size)) {
		record_take(d, s, &buffer->r);
		record_digest(&buffer->r, s->saved);
		s->recorded = true;
	} else if (rc != -ENOENT) {
		jvpn_warning("session %s: its record does not open (%s)", session_short(s),
			     rc ? strerror(-rc) : "written by another version of jvpnd");
		jvpn_store_del(d->store, s->id);
		s->revision = JVPN_STORE_NEW;
	}
	sodium_memzero(buffer, sizeof(*buffer));
	free(buffer);
	return s->recorded;
}

void record_delete(struct jvpnd *d, struct session *s)
{
	int rc = jvpn_store_del(d->store, s->id);

	if (rc)
		jvpn_warning("session %s: its record cannot be deleted: %s", session_short(s),
			     strerror(-rc));
	s->recorded = false;
	s->revision = JVPN_STORE_NEW;
}

/* The store must not be written while it is walked: collect first. */
struct record_orphans {
	struct jvpnd *d;
	uint8_t (*ids)[JVPN_SESSION_ID_SIZE];
	size_t count;
	size_t room;
};

static void record_orphan_note(void *context, const uint8_t id[JVPN_STORE_ID_SIZE], int status,
			       uint64_t revision, const void *data, size_t size)
{
	struct record_orphans *o = context;
	void *grown;

	(void)status, (void)revision, (void)data, (void)size;
	if (session_find(o->d, id))
		return;
	if (o->count == o->room) {
		grown = realloc(o->ids, (o->room + 64) * sizeof(o->ids[0]));
		if (!grown)
			return;
		o->ids = grown;
		o->room += 64;
	}
	memcpy(o->ids[o->count++], id, JVPN_SESSION_ID_SIZE);
}

void record_sweep(struct jvpnd *d)
{
	struct record_orphans o = { .d = d };
	char hex[SESSION_HEX];
	int rc = jvpn_store_each(d->store, record_orphan_note, &o);

	if (rc)
		jvpn_warning("cannot walk the store: %s", strerror(-rc));
	for (size_t i = 0; i < o.count; i++) {
		jvpn_info("record of session %.8s thrown away: the kernel has no such session",
			  jvpn_util_hex_encode(o.ids[i], JVPN_SESSION_ID_SIZE, hex));
		jvpn_store_del(d->store, o.ids[i]);
	}
	free(o.ids);
}
