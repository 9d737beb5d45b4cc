// SPDX-License-Identifier: GPL-2.0
/* The embedded store: compare-and-swap, seals, and what a killed writer leaves. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"
#include "store.h"

static char dir[] = "/tmp/jvpn-store-XXXXXX";
static uint8_t key[JVPN_STORE_KEY_SIZE] = { 1 }, other_key[JVPN_STORE_KEY_SIZE] = { 2 };
static const uint8_t id_a[16] = "session a", id_b[16] = "session b";

static struct jvpn_store *store_open(const uint8_t *with)
{
	char error[256] = "";
	struct jvpn_store *store = NULL;

	if (jvpn_store_open(dir, with, &store, error, sizeof(error)))
		tap_note("%s", error);
	return store;
}

static void file_path(const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", dir, name);
}

static void files_remove(void)
{
	const char *const names[] = { "store.mdb", "store.salt" };
	char path[128];

	for (size_t i = 0; i < 2; i++) {
		file_path(names[i], path, sizeof(path));
		unlink(path);
	}
}

static void swap_is_compared(void)
{
	struct jvpn_store *store = store_open(key);
	uint8_t data[JVPN_STORE_RECORD_MAX];
	uint64_t revision = JVPN_STORE_NEW, stale = JVPN_STORE_NEW, read = 0;
	size_t size = 0;

	tap_equal(jvpn_store_put(store, id_a, &revision, "one", 3), 0, "a new record is written");
	tap_equal(revision, 1, "it has revision 1");
	tap_equal(-jvpn_store_put(store, id_a, &stale, "two", 3), ESTALE,
		  "a second new one of the same id is refused");
	tap_equal(stale, JVPN_STORE_NEW, "a refusal leaves the caller's revision alone");
	tap_equal(jvpn_store_put(store, id_a, &revision, "three", 5), 0, "the next is written");
	stale = 1;
	tap_equal(-jvpn_store_put(store, id_a, &stale, "four", 4), ESTALE,
		  "one decided on the past is refused");
	tap_ok(!jvpn_store_get(store, id_a, &read, data, &size) && read == 2 && size == 5 &&
	       !memcmp(data, "three", 5), "what is read is what was committed last");
	tap_equal(-jvpn_store_get(store, id_b, &read, data, &size), ENOENT, "no other is there");
	revision = JVPN_STORE_NEW;
	tap_equal(-jvpn_store_put(store, id_b, &revision, data, JVPN_STORE_RECORD_MAX + 1),
		  EMSGSIZE, "a record that is too long is refused");
	jvpn_store_close(store);
}

static void survives_a_reopen(void)
{
	struct jvpn_store *store = store_open(key);
	uint8_t data[JVPN_STORE_RECORD_MAX];
	uint64_t revision = 0;
	size_t size = 0;

	tap_ok(!jvpn_store_get(store, id_a, &revision, data, &size) && revision == 2,
	       "a record survives its writer");
	tap_ok(!jvpn_store_value_put(store, "number", "12345678", 8) &&
	       !jvpn_store_value_get(store, "number", data, 8) && !memcmp(data, "12345678", 8),
	       "a named value is kept");
	tap_equal(-jvpn_store_value_get(store, "number", data, 7), EBADMSG,
		  "a value of another size is none");
	jvpn_store_close(store);
}

static void other_keys_open_nothing(void)
{
	struct jvpn_store *store = store_open(other_key);
	uint8_t data[JVPN_STORE_RECORD_MAX];
	uint64_t revision = 0;
	size_t size = 0;

	tap_equal(-jvpn_store_get(store, id_a, &revision, data, &size), EBADMSG,
		  "another static key opens no record");
	tap_equal(-jvpn_store_value_get(store, "number", data, 8), EBADMSG,
		  "and no value");
	jvpn_store_close(store);
}

static bool file_has(const char *name, const char *needle)
{
	char path[128], *bytes = NULL;
	struct stat st;
	bool found = false;
	int fd;

	file_path(name, path, sizeof(path));
	fd = open(path, O_RDONLY);
	if (fd >= 0 && !fstat(fd, &st)) {
		bytes = malloc((size_t)st.st_size);
		found = bytes && read(fd, bytes, (size_t)st.st_size) == st.st_size &&
			memmem(bytes, (size_t)st.st_size, needle, strlen(needle));
	}
	free(bytes);
	close(fd);
	return found;
}

static void nothing_is_in_clear(void)
{
	struct jvpn_store *store = store_open(key);
	uint64_t revision = JVPN_STORE_NEW;
	char path[128];
	struct stat st;

	jvpn_store_put(store, id_b, &revision, "a secret nobody may read", 24);
	jvpn_store_close(store);
	tap_ok(file_has("store.mdb", "session b"), "the file is the one that is looked into");
	tap_ok(!file_has("store.mdb", "a secret nobody"), "a record is not in it in clear");
	file_path("store.mdb", path, sizeof(path));
	tap_ok(!stat(path, &st) && (st.st_mode & 0777) == 0600, "nobody else may read the file");
}

/* Flip one octet of the sealed record in the file. */
static void record_damage(void)
{
	char path[128], *bytes;
	struct stat st;
	char *at;
	int fd;

	file_path("store.mdb", path, sizeof(path));
	fd = open(path, O_RDWR);
	fstat(fd, &st);
	bytes = malloc((size_t)st.st_size);
	if (read(fd, bytes, (size_t)st.st_size) != st.st_size)
		abort();
	/* All copies: old pages may still be in the file. */
	for (at = bytes; (at = memmem(at, (size_t)(bytes + st.st_size - at), id_b, 16)); at++)
		at[16 + 8 + 24 + 5] ^= 1;
	if (pwrite(fd, bytes, (size_t)st.st_size, 0) != st.st_size)
		abort();
	free(bytes);
	close(fd);
}

static void note_status(void *context, const uint8_t id[16], int status, uint64_t revision,
			const void *data, size_t size)
{
	int *statuses = context;

	(void)revision, (void)data, (void)size;
	statuses[memcmp(id, id_a, 16) ? 1 : 0] = status;
}

static void damage_is_noticed(void)
{
	struct jvpn_store *store;
	uint8_t data[JVPN_STORE_RECORD_MAX];
	int statuses[2] = { 1, 1 };
	uint64_t revision = 0;
	size_t size = 0;

	record_damage();
	store = store_open(key);
	tap_equal(-jvpn_store_get(store, id_b, &revision, data, &size), EBADMSG,
		  "an altered record does not open");
	tap_ok(!jvpn_store_each(store, note_status, statuses) && !statuses[0] &&
	       statuses[1] == -EBADMSG, "a walk tells good records from bad ones");
	tap_ok(!jvpn_store_del(store, id_b) && !jvpn_store_del(store, id_b),
	       "it can be deleted, and again");
	jvpn_store_close(store);
}

/* A writer that is killed: the reader finds some whole revision. */
static void killed_writer(void)
{
	struct jvpn_store *store;
	uint8_t data[JVPN_STORE_RECORD_MAX];
	uint64_t revision = 0;
	bool whole = true;
	size_t size = 0;
	int status;

	for (int round = 0; round < 20 && whole; round++) {
		pid_t pid = fork();

		if (!pid) {
			store = store_open(key);
			if (jvpn_store_get(store, id_a, &revision, data, &size))
				_exit(1);
			for (;;) {
				memset(data, (int)(revision + 1), 1000);
				jvpn_store_put(store, id_a, &revision, data, 1000);
			}
		}
		usleep(5000 + 1000 * (useconds_t)round);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		whole = WIFSIGNALED(status);
		store = store_open(key);
		whole = whole && store && !jvpn_store_get(store, id_a, &revision, data, &size) &&
			(size != 1000 || (data[0] == (uint8_t)revision &&
					  !memcmp(data, data + 1, 999)));
		jvpn_store_close(store);
	}
	tap_ok(whole, "a killed writer leaves a whole record");
	tap_ok(revision > 20, "the writers did write (revision %llu)",
	       (unsigned long long)revision);
}

int main(void)
{
	if (sodium_init() < 0 || !mkdtemp(dir))
		return 1;
	swap_is_compared();
	survives_a_reopen();
	other_keys_open_nothing();
	nothing_is_in_clear();
	damage_is_noticed();
	killed_writer();
	files_remove();
	rmdir(dir);
	return tap_done();
}
