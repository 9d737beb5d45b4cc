/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Embedded store: one sealed record for each session, and a few named values.
 *
 * The store lives in the runtime directory (a tmpfs): it survives the daemon,
 * not the machine, and no secret in it ever reaches a disk. What is in it is
 * sealed (XChaCha20-Poly1305) under a key made of the node's static private
 * key and a random salt beside the database, and bound to its name and
 * revision: a record that was swapped, renamed or altered does not open.
 *
 * Every record has a revision. A write names the revision that it replaces
 * and is refused if another one is there (compare-and-swap).
 *
 * Functions return 0 or a negative errno: -ENOENT no such record, -ESTALE
 * other revision, -EBADMSG does not open (other key or damaged), -ENOSPC
 * store full, -EMSGSIZE record too long, -EIO database failed.
 */
#ifndef JVPN_STORE_H
#define JVPN_STORE_H

#include <stddef.h>
#include <stdint.h>

#define JVPN_STORE_KEY_SIZE 32
#define JVPN_STORE_ID_SIZE 16
#define JVPN_STORE_RECORD_MAX 8192
/* Revision to name when the record must not exist yet. */
#define JVPN_STORE_NEW 0

struct jvpn_store;

/**
 * jvpn_store_open() - open or make the store of a directory
 * @dir: directory, which exists; the store makes its files in it, mode 0600
 * @secret: the node's static private key
 * @store: receives the store
 * @error: receives a sentence about what failed
 * @error_size: its size
 */
int jvpn_store_open(const char *dir, const uint8_t secret[JVPN_STORE_KEY_SIZE],
		    struct jvpn_store **store, char *error, size_t error_size);

void jvpn_store_close(struct jvpn_store *store);

/**
 * jvpn_store_put() - write a record if its revision is the expected one
 * @revision: revision that is replaced, or JVPN_STORE_NEW; receives the new one
 */
int jvpn_store_put(struct jvpn_store *store, const uint8_t id[JVPN_STORE_ID_SIZE],
		   uint64_t *revision, const void *data, size_t size);

/**
 * jvpn_store_get() - read a record
 * @data: room for JVPN_STORE_RECORD_MAX octets
 */
int jvpn_store_get(struct jvpn_store *store, const uint8_t id[JVPN_STORE_ID_SIZE],
		   uint64_t *revision, void *data, size_t *size);

/* Removing what is not there is no error. */
int jvpn_store_del(struct jvpn_store *store, const uint8_t id[JVPN_STORE_ID_SIZE]);

/**
 * typedef jvpn_store_visit - called for each record
 * @status: 0, or -EBADMSG for one that does not open (no data then)
 */
typedef void (*jvpn_store_visit)(void *context, const uint8_t id[JVPN_STORE_ID_SIZE],
				 int status, uint64_t revision, const void *data,
				 size_t size);

/* The visitor must not write to the store. */
int jvpn_store_each(struct jvpn_store *store, jvpn_store_visit visit, void *context);

/* Named values (node secrets that outlive the daemon). */
int jvpn_store_value_put(struct jvpn_store *store, const char *name, const void *data,
			 size_t size);
int jvpn_store_value_get(struct jvpn_store *store, const char *name, void *data, size_t size);

#endif
