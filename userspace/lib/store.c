// SPDX-License-Identifier: GPL-2.0
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>
#include <sodium.h>

#define SALT_SIZE 32
#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES
#define REVISION_SIZE 8
#define SEALED_OVERHEAD (REVISION_SIZE + NONCE_SIZE + TAG_SIZE)
#define SEALED_MAX (JVPN_STORE_RECORD_MAX + SEALED_OVERHEAD)
#define NAME_MAX_SIZE 32
/* Address space, not memory: the file grows with what is in it. */
#define MAP_SIZE ((size_t)1 << 30)

struct jvpn_store {
	MDB_env *env;
	MDB_dbi records;
	MDB_dbi values;
	uint8_t kek[JVPN_STORE_KEY_SIZE];
};

static int store_error(int rc)
{
	switch (rc) {
	case 0:
		return 0;
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_MAP_FULL:
	case ENOSPC:
		return -ENOSPC;
	case ENOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

static void store_put_le64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t store_get_le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/* Additional data: what the sealed bytes are, whose they are and how new. */
struct store_label {
	uint8_t bytes[8 + NAME_MAX_SIZE + REVISION_SIZE];
	size_t size;
};

static void store_label_make(struct store_label *label, const char *kind, const MDB_val *key,
			     uint64_t revision)
{
	memset(label, 0, sizeof(*label));
	memcpy(label->bytes, kind, strnlen(kind, 8));
	memcpy(label->bytes + 8, key->mv_data, key->mv_size);
	store_put_le64(label->bytes + 8 + key->mv_size, revision);
	label->size = 8 + key->mv_size + REVISION_SIZE;
}

static size_t store_seal(const struct jvpn_store *store, const char *kind, const MDB_val *key,
			 uint64_t revision, const void *data, size_t size, uint8_t *out)
{
	uint8_t *nonce = out + REVISION_SIZE, *box = nonce + NONCE_SIZE;
	struct store_label label;
	unsigned long long len;

	store_label_make(&label, kind, key, revision);
	store_put_le64(out, revision);
	randombytes_buf(nonce, NONCE_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(box, &len, data, size, label.bytes, label.size,
						   NULL, nonce, store->kek);
	return REVISION_SIZE + NONCE_SIZE + (size_t)len;
}

static int store_unseal(const struct jvpn_store *store, const char *kind, const MDB_val *key,
			const MDB_val *sealed, uint64_t *revision, void *data, size_t *size)
{
	const uint8_t *in = sealed->mv_data, *nonce = in + REVISION_SIZE;
	struct store_label label;
	unsigned long long len;

	if (sealed->mv_size < SEALED_OVERHEAD || sealed->mv_size > SEALED_MAX)
		return -EBADMSG;
	*revision = store_get_le64(in);
	store_label_make(&label, kind, key, *revision);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(data, &len, NULL, nonce + NONCE_SIZE,
						       sealed->mv_size - REVISION_SIZE - NONCE_SIZE,
						       label.bytes, label.size, nonce,
						       store->kek))
		return -EBADMSG;
	*size = (size_t)len;
	return 0;
}

/* What is there must be a salt, or a file that was made and not written: all else is not ours. */
static int store_salt_read(int fd, uint8_t salt[SALT_SIZE])
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || (st.st_size && st.st_size != SALT_SIZE))
		return -EEXIST;
	if (st.st_size)
		return pread(fd, salt, SALT_SIZE, 0) == SALT_SIZE ? 0 : -EIO;
	randombytes_buf(salt, SALT_SIZE);
	return pwrite(fd, salt, SALT_SIZE, 0) == SALT_SIZE ? 0 : -EIO;
}

/* Bytes of a salt that another run made, or new ones. */
static int store_salt_load(const char *path, uint8_t salt[SALT_SIZE])
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = open(path, flags, 0600);
	int ret;

	if (fd < 0)
		return -errno;
	ret = store_salt_read(fd, salt);
	close(fd);
	return ret;
}

static int store_kek_make(struct jvpn_store *store, const char *dir,
			  const uint8_t secret[JVPN_STORE_KEY_SIZE])
{
	static const char context[] = "jvpn store kek";
	uint8_t message[sizeof(context) - 1 + SALT_SIZE];
	char path[PATH_MAX];
	int ret;

	if (snprintf(path, sizeof(path), "%s/store.salt", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	memcpy(message, context, sizeof(context) - 1);
	ret = store_salt_load(path, message + sizeof(context) - 1);
	if (ret)
		return ret;
	crypto_generichash(store->kek, sizeof(store->kek), message, sizeof(message), secret,
			   JVPN_STORE_KEY_SIZE);
	return 0;
}

static int store_databases_open(struct jvpn_store *store)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, 0, &txn);

	if (rc)
		return rc;
	rc = mdb_dbi_open(txn, "records", MDB_CREATE, &store->records);
	if (!rc)
		rc = mdb_dbi_open(txn, "values", MDB_CREATE, &store->values);
	if (rc) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

/*
 * No fsync: the page cache outlives a killed daemon, and the machine's own
 * death ends every session anyway. No lock file: one daemon owns the
 * directory, which its instance lock enforces.
 */
static int store_env_open(struct jvpn_store *store, const char *dir)
{
	const unsigned int flags = MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOLOCK | MDB_NOTLS;
	char path[PATH_MAX];
	int rc;

	if (snprintf(path, sizeof(path), "%s/store.mdb", dir) >= (int)sizeof(path))
		return ENAMETOOLONG;
	rc = mdb_env_create(&store->env);
	if (rc)
		return rc;
	mdb_env_set_maxdbs(store->env, 2);
	mdb_env_set_mapsize(store->env, MAP_SIZE);
	rc = mdb_env_open(store->env, path, flags, 0600);
	return rc ? rc : store_databases_open(store);
}

int jvpn_store_open(const char *dir, const uint8_t secret[JVPN_STORE_KEY_SIZE],
		    struct jvpn_store **out, char *error, size_t error_size)
{
	struct jvpn_store *store = calloc(1, sizeof(*store));
	int ret, rc;

	*out = NULL;
	if (!store) {
		snprintf(error, error_size, "no memory for the store");
		return -ENOMEM;
	}
	ret = store_kek_make(store, dir, secret);
	if (ret) {
		snprintf(error, error_size, "cannot read or make %s/store.salt: %s", dir,
			 strerror(-ret));
		goto err_free;
	}
	rc = store_env_open(store, dir);
	if (rc) {
		snprintf(error, error_size,
			 "cannot open %s/store.mdb: %s; if it is damaged, remove it: sessions whose records are lost go on until the kernel ends them",
			 dir, mdb_strerror(rc));
		ret = store_error(rc);
		goto err_free;
	}
	*out = store;
	return 0;
err_free:
	jvpn_store_close(store);
	return ret;
}

void jvpn_store_close(struct jvpn_store *store)
{
	if (!store)
		return;
	if (store->env)
		mdb_env_close(store->env);
	sodium_memzero(store->kek, sizeof(store->kek));
	free(store);
}

/* Revision there now, JVPN_STORE_NEW if there is none. Plain: the seal covers it. */
static int store_revision_read(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, uint64_t *revision)
{
	MDB_val sealed;
	int rc = mdb_get(txn, dbi, key, &sealed);

	*revision = JVPN_STORE_NEW;
	if (rc == MDB_NOTFOUND)
		return 0;
	if (!rc && sealed.mv_size >= REVISION_SIZE)
		*revision = store_get_le64(sealed.mv_data);
	return rc;
}

static int store_write(struct jvpn_store *store, MDB_txn *txn, MDB_val *key, uint64_t *revision,
		       const void *data, size_t size)
{
	uint8_t sealed[SEALED_MAX];
	uint64_t current;
	MDB_val value = { .mv_data = sealed };
	int rc = store_revision_read(txn, store->records, key, &current);

	if (rc)
		return store_error(rc);
	if (current != *revision)
		return -ESTALE;
	value.mv_size = store_seal(store, "record", key, current + 1, data, size, sealed);
	return store_error(mdb_put(txn, store->records, key, &value, 0));
}

int jvpn_store_put(struct jvpn_store *store, const uint8_t id[JVPN_STORE_ID_SIZE],
		   uint64_t *revision, const void *data, size_t size)
{
	MDB_val key = { JVPN_STORE_ID_SIZE, (void *)(uintptr_t)id };
	MDB_txn *txn;
	int ret;

	if (size > JVPN_STORE_RECORD_MAX)
		return -EMSGSIZE;
	ret = store_error(mdb_txn_begin(store->env, NULL, 0, &txn));
	if (ret)
		return ret;
	ret = store_write(store, txn, &key, revision, data, size);
	if (ret) {
		mdb_txn_abort(txn);
		return ret;
	}
	ret = store_error(mdb_txn_commit(txn));
	if (!ret)
		(*revision)++;
	return ret;
}

int jvpn_store_get(struct jvpn_store *store, const uint8_t id[JVPN_STORE_ID_SIZE],
		   uint64_t *revision, void *data, size_t *size)
{
	MDB_val key = { JVPN_STORE_ID_SIZE, (void *)(uintptr_t)id }, sealed;
	MDB_txn *txn;
	int ret = store_error(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn));

	if (ret)
		return ret;
	ret = store_error(mdb_get(txn, store->records, &key, &sealed));
	if (!ret)
		ret = store_unseal(store, "record", &key, &sealed, revision, data, size);
	mdb_txn_abort(txn);
	return ret;
}

static int store_remove(struct jvpn_store *store, MDB_dbi dbi, MDB_val *key)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, 0, &txn);

	if (rc)
		return store_error(rc);
	rc = mdb_del(txn, dbi, key, NULL);
	if (rc) {
		mdb_txn_abort(txn);
		return rc == MDB_NOTFOUND ? 0 : store_error(rc);
	}
	return store_error(mdb_txn_commit(txn));
}

int jvpn_store_del(struct jvpn_store *store, const uint8_t id[JVPN_STORE_ID_SIZE])
{
	MDB_val key = { JVPN_STORE_ID_SIZE, (void *)(uintptr_t)id };

	return store_remove(store, store->records, &key);
}

static void store_visit_one(struct jvpn_store *store, MDB_val *key, MDB_val *sealed,
			    jvpn_store_visit visit, void *context)
{
	uint8_t data[JVPN_STORE_RECORD_MAX];
	uint64_t revision = 0;
	size_t size = 0;
	int status;

	if (key->mv_size != JVPN_STORE_ID_SIZE)
		return;
	status = store_unseal(store, "record", key, sealed, &revision, data, &size);
	visit(context, key->mv_data, status, revision, status ? NULL : data, size);
	sodium_memzero(data, sizeof(data));
}

int jvpn_store_each(struct jvpn_store *store, jvpn_store_visit visit, void *context)
{
	MDB_val key, sealed;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);

	if (rc)
		return store_error(rc);
	rc = mdb_cursor_open(txn, store->records, &cursor);
	if (rc)
		goto out_abort;
	while (!(rc = mdb_cursor_get(cursor, &key, &sealed, MDB_NEXT)))
		store_visit_one(store, &key, &sealed, visit, context);
	mdb_cursor_close(cursor);
out_abort:
	mdb_txn_abort(txn);
	return rc == MDB_NOTFOUND ? 0 : store_error(rc);
}

int jvpn_store_value_put(struct jvpn_store *store, const char *name, const void *data,
			 size_t size)
{
	MDB_val key = { strlen(name), (void *)(uintptr_t)name }, value;
	uint8_t sealed[SEALED_MAX];
	MDB_txn *txn;
	int rc;

	if (size > JVPN_STORE_RECORD_MAX || key.mv_size > NAME_MAX_SIZE)
		return -EMSGSIZE;
	value.mv_data = sealed;
	value.mv_size = store_seal(store, "value", &key, 1, data, size, sealed);
	rc = mdb_txn_begin(store->env, NULL, 0, &txn);
	if (rc)
		return store_error(rc);
	rc = mdb_put(txn, store->values, &key, &value, 0);
	if (rc) {
		mdb_txn_abort(txn);
		return store_error(rc);
	}
	return store_error(mdb_txn_commit(txn));
}

int jvpn_store_value_get(struct jvpn_store *store, const char *name, void *data, size_t size)
{
	MDB_val key = { strlen(name), (void *)(uintptr_t)name }, sealed;
	uint8_t plain[JVPN_STORE_RECORD_MAX];
	uint64_t revision;
	size_t len = 0;
	MDB_txn *txn;
	int ret = store_error(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn));

	if (ret)
		return ret;
	ret = store_error(mdb_get(txn, store->values, &key, &sealed));
	if (!ret)
		ret = store_unseal(store, "value", &key, &sealed, &revision, plain, &len);
	mdb_txn_abort(txn);
	if (!ret && len != size)
		ret = -EBADMSG;
	if (!ret)
		memcpy(data, plain, size);
	sodium_memzero(plain, sizeof(plain));
	return ret;
}
