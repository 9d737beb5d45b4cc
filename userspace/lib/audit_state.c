// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lmdb.h>

#include "audit_state.h"

/* Address space, not memory: the file grows with what is in it. */
#define MAP_SIZE ((size_t)1 << 29)
#define HEAD_NAME "head"
#define LOST_NAME "lost"

struct jvpn_audit_state {
	MDB_env *env;
	MDB_dbi sessions;
	MDB_dbi head;
	pthread_mutex_t lock;		/* of every transaction: the database has none */
};

/* Of one machine and one build, as the head. */
struct jvpn_audit_state_lost {
	uint8_t stream[JVPN_AUDIT_HASH];
	uint64_t count;
};

static int jvpn_audit_state_databases_open(struct jvpn_audit_state *state)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(state->env, NULL, 0, &txn);

	if (rc)
		return rc;
	rc = mdb_dbi_open(txn, "sessions", MDB_CREATE, &state->sessions);
	if (!rc)
		rc = mdb_dbi_open(txn, "head", MDB_CREATE, &state->head);
	if (!rc)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* No fsync and no lock file, for the reasons of store.c. */
static int jvpn_audit_state_env_open(struct jvpn_audit_state *state, const char *path)
{
	const unsigned int flags = MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOLOCK | MDB_NOTLS;
	int rc = mdb_env_create(&state->env);

	if (rc)
		return rc;
	mdb_env_set_maxdbs(state->env, 2);
	mdb_env_set_mapsize(state->env, MAP_SIZE);
	rc = mdb_env_open(state->env, path, flags, 0600);
	return rc ? rc : jvpn_audit_state_databases_open(state);
}

int jvpn_audit_state_open(const char *path, struct jvpn_audit_state **out, char *err,
			  size_t err_size)
{
	struct jvpn_audit_state *state = calloc(1, sizeof(*state));
	int rc;

	*out = NULL;
	if (!state) {
		snprintf(err, err_size, "out of memory for the memory of the audit log");
		return -1;
	}
	pthread_mutex_init(&state->lock, NULL);
	rc = jvpn_audit_state_env_open(state, path);
	if (rc) {
		snprintf(err, err_size, "cannot open %s: %s; if it is damaged, remove it: sessions "
			 "are then recorded as adopted with an unknown past", path,
			 mdb_strerror(rc));
		jvpn_audit_state_close(state);
		return -1;
	}
	*out = state;
	return 0;
}

void jvpn_audit_state_close(struct jvpn_audit_state *state)
{
	if (!state)
		return;
	if (state->env)
		mdb_env_close(state->env);
	pthread_mutex_destroy(&state->lock);
	free(state);
}

/* Of the database that holds single values, by their names. */
static MDB_val jvpn_audit_state_key(const char *name)
{
	return (MDB_val){ strlen(name), (void *)(uintptr_t)name };
}

static bool jvpn_audit_state_read(struct jvpn_audit_state *state, const char *name, void *out,
				  size_t size)
{
	MDB_val key = jvpn_audit_state_key(name), value;
	MDB_txn *txn;
	bool found;

	if (mdb_txn_begin(state->env, NULL, MDB_RDONLY, &txn))
		return false;
	found = !mdb_get(txn, state->head, &key, &value) && value.mv_size == size;
	if (found)
		memcpy(out, value.mv_data, size);
	mdb_txn_abort(txn);
	return found;
}

static int jvpn_audit_state_forget_all(struct jvpn_audit_state *state)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(state->env, NULL, 0, &txn);

	if (rc)
		return rc;
	rc = mdb_drop(txn, state->sessions, 0);
	if (!rc)
		rc = mdb_drop(txn, state->head, 0);
	if (!rc)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

bool jvpn_audit_state_head(struct jvpn_audit_state *state, const uint8_t *stream,
			   struct jvpn_audit_head *head)
{
	bool good;

	pthread_mutex_lock(&state->lock);
	good = jvpn_audit_state_read(state, HEAD_NAME, head, sizeof(*head)) &&
	       !memcmp(head->stream, stream, sizeof(head->stream));
	if (!good)
		jvpn_audit_state_forget_all(state);
	pthread_mutex_unlock(&state->lock);
	return good;
}

static int jvpn_audit_state_put(struct jvpn_audit_state *state, MDB_txn *txn,
				const struct jvpn_audit_memory *memory)
{
	MDB_val key = { JVPN_AUDIT_SESSION_ID, (void *)(uintptr_t)memory->id };
	MDB_val value = { 0, (void *)(uintptr_t)memory->line };
	int rc;

	if (!memory->line) {
		rc = mdb_del(txn, state->sessions, &key, NULL);
		return rc == MDB_NOTFOUND ? 0 : rc;
	}
	value.mv_size = strlen(memory->line) + 1;
	return mdb_put(txn, state->sessions, &key, &value, 0);
}

static int jvpn_audit_state_write(struct jvpn_audit_state *state,
				  const struct jvpn_audit_head *head,
				  const struct jvpn_audit_memory *list, size_t count)
{
	MDB_val key = jvpn_audit_state_key(HEAD_NAME);
	MDB_val value = { sizeof(*head), (void *)(uintptr_t)head };
	MDB_txn *txn;
	int rc = mdb_txn_begin(state->env, NULL, 0, &txn);

	if (rc)
		return rc;
	for (size_t i = 0; i < count && !rc; i++)
		rc = jvpn_audit_state_put(state, txn, &list[i]);
	if (!rc)
		rc = mdb_put(txn, state->head, &key, &value, 0);
	if (!rc)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static int jvpn_audit_state_error(int rc)
{
	return !rc ? 0 : rc == MDB_MAP_FULL ? -ENOSPC : rc > 0 ? -rc : -EIO;
}

uint64_t jvpn_audit_state_lost(struct jvpn_audit_state *state, const uint8_t *stream)
{
	struct jvpn_audit_state_lost lost;
	bool found;

	pthread_mutex_lock(&state->lock);
	found = jvpn_audit_state_read(state, LOST_NAME, &lost, sizeof(lost)) &&
		!memcmp(lost.stream, stream, sizeof(lost.stream));
	pthread_mutex_unlock(&state->lock);
	return found ? lost.count : 0;
}

static int jvpn_audit_state_lost_write(struct jvpn_audit_state *state,
				       struct jvpn_audit_state_lost *lost)
{
	MDB_val key = jvpn_audit_state_key(LOST_NAME), value = { sizeof(*lost), lost };
	MDB_txn *txn;
	int rc = mdb_txn_begin(state->env, NULL, 0, &txn);

	if (rc)
		return rc;
	rc = mdb_put(txn, state->head, &key, &value, 0);
	if (!rc)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

int jvpn_audit_state_lost_set(struct jvpn_audit_state *state, const uint8_t *stream,
			      uint64_t count)
{
	struct jvpn_audit_state_lost lost = { .count = count };
	int rc;

	memcpy(lost.stream, stream, sizeof(lost.stream));
	pthread_mutex_lock(&state->lock);
	rc = jvpn_audit_state_lost_write(state, &lost);
	pthread_mutex_unlock(&state->lock);
	return jvpn_audit_state_error(rc);
}

int jvpn_audit_state_change(struct jvpn_audit_state *state, const struct jvpn_audit_head *head,
			    const struct jvpn_audit_memory *list, size_t count)
{
	int rc;

	pthread_mutex_lock(&state->lock);
	rc = jvpn_audit_state_write(state, head, list, count);
	pthread_mutex_unlock(&state->lock);
	return jvpn_audit_state_error(rc);
}

char *jvpn_audit_state_get(struct jvpn_audit_state *state, const uint8_t *id)
{
	MDB_val key = { JVPN_AUDIT_SESSION_ID, (void *)(uintptr_t)id }, value;
	char *line = NULL;
	MDB_txn *txn;

	pthread_mutex_lock(&state->lock);
	if (!mdb_txn_begin(state->env, NULL, MDB_RDONLY, &txn)) {
		if (!mdb_get(txn, state->sessions, &key, &value))
			line = strndup(value.mv_data, value.mv_size);
		mdb_txn_abort(txn);
	}
	pthread_mutex_unlock(&state->lock);
	return line;
}

static int jvpn_audit_state_seek(MDB_cursor *db, const struct jvpn_audit_cursor *cursor,
				 MDB_val *key, MDB_val *value)
{
	int rc;

	if (!cursor->begun)
		return mdb_cursor_get(db, key, value, MDB_FIRST);
	*key = (MDB_val){ sizeof(cursor->id), (void *)(uintptr_t)cursor->id };
	rc = mdb_cursor_get(db, key, value, MDB_SET_RANGE);
	if (!rc && key->mv_size == sizeof(cursor->id) &&
	    !memcmp(key->mv_data, cursor->id, sizeof(cursor->id)))
		rc = mdb_cursor_get(db, key, value, MDB_NEXT);
	return rc;
}

static size_t jvpn_audit_state_walk(struct jvpn_audit_state *state, MDB_txn *txn,
				    struct jvpn_audit_cursor *cursor, size_t most,
				    jvpn_audit_state_visit visit, void *context)
{
	MDB_val key, value;
	MDB_cursor *db;
	size_t count = 0;
	int rc;

	if (mdb_cursor_open(txn, state->sessions, &db))
		return 0;
	for (rc = jvpn_audit_state_seek(db, cursor, &key, &value); !rc && count < most;
	     rc = mdb_cursor_get(db, &key, &value, MDB_NEXT), count++) {
		if (key.mv_size != JVPN_AUDIT_SESSION_ID)
			continue;
		memcpy(cursor->id, key.mv_data, sizeof(cursor->id));
		cursor->begun = true;
		if (value.mv_size && !((const char *)value.mv_data)[value.mv_size - 1])
			visit(context, key.mv_data, value.mv_data);
	}
	mdb_cursor_close(db);
	return count;
}

size_t jvpn_audit_state_each(struct jvpn_audit_state *state, struct jvpn_audit_cursor *cursor,
			     size_t most, jvpn_audit_state_visit visit, void *context)
{
	size_t count = 0;
	MDB_txn *txn;

	pthread_mutex_lock(&state->lock);
	if (!mdb_txn_begin(state->env, NULL, MDB_RDONLY, &txn)) {
		count = jvpn_audit_state_walk(state, txn, cursor, most, visit, context);
		mdb_txn_abort(txn);
	}
	pthread_mutex_unlock(&state->lock);
	return count;
}
