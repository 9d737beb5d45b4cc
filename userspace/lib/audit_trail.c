// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_trail.h"
#include "util.h"

static const char jvpn_audit_record_start[] = "{\"seq\":";

/* --- lines ---------------------------------------------------------------------- */

static ssize_t jvpn_audit_trail_pread(struct jvpn_audit_trail *trail, int fd, char *data,
				      size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, data + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += (size_t)n;
	}
	trail->octets += done;
	return (ssize_t)done;
}

static bool jvpn_audit_trail_follows(const struct jvpn_audit_trail *trail, const json_t *record)
{
	const char *prev = json_string_value(json_object_get(record, "prev"));
	char wanted[2 * JVPN_AUDIT_HASH + 1];

	return prev && !strcmp(prev, jvpn_util_hex_encode(trail->hash, JVPN_AUDIT_HASH, wanted));
}

/* A whole line, without its newline. */
static void jvpn_audit_trail_take(struct jvpn_audit_trail *trail, const char *line, size_t length)
{
	json_t *record = json_loadb(line, length, 0, NULL);
	const json_t *seq = json_object_get(record, "seq");
	const char *node = json_string_value(json_object_get(record, "node"));

	trail->damaged = !json_is_integer(seq);
	if (!trail->damaged) {
		trail->seq = (uint64_t)json_integer_value(seq);
		snprintf(trail->node, sizeof(trail->node), "%s", node ? node : "");
		if (trail->visit)
			trail->visit(trail->context, record, trail->seq, line);
	}
	jvpn_audit_hash_line(line, length, trail->hash);
	json_decref(record);
}

/* What has no newline: a line that lacks just that, or the beginning of one. */
static void jvpn_audit_trail_rest(struct jvpn_audit_trail *trail, const char *line, size_t length)
{
	json_t *record = json_loadb(line, length, 0, NULL);
	size_t start = sizeof(jvpn_audit_record_start) - 1;

	if (jvpn_audit_trail_follows(trail, record)) {
		jvpn_audit_trail_take(trail, line, length);
		trail->torn_kept = length;
		trail->end += length;
	} else {
		trail->torn_length = length;
		trail->foreign = memcmp(line, jvpn_audit_record_start,
					length < start ? length : start) != 0;
	}
	json_decref(record);
}

static void jvpn_audit_trail_lines(struct jvpn_audit_trail *trail, char *data, size_t size)
{
	char *end;

	for (; (end = memchr(data, '\n', size)); size -= (size_t)(end + 1 - data), data = end + 1) {
		*end = '\0';
		jvpn_audit_trail_take(trail, data, (size_t)(end - data));
		trail->end += (uint64_t)(end + 1 - data);
	}
	if (size)
		jvpn_audit_trail_rest(trail, data, size);
}

int jvpn_audit_trail_read(struct jvpn_audit_trail *trail, int fd, uint64_t from)
{
	char *data = malloc(JVPN_AUDIT_TRAIL_MAX + 1), *line;
	uint64_t start = from;
	struct stat st;
	ssize_t size;

	if (!data || fstat(fd, &st))
		goto err_free;
	if ((uint64_t)st.st_size > from + JVPN_AUDIT_TRAIL_MAX)
		start = (uint64_t)st.st_size - JVPN_AUDIT_TRAIL_MAX;
	size = jvpn_audit_trail_pread(trail, fd, data, JVPN_AUDIT_TRAIL_MAX, start);
	if (size < 0)
		goto err_free;
	data[size] = '\0';
	/* Within the file it begins with the rest of a line. */
	line = start > from ? memchr(data, '\n', (size_t)size) : NULL;
	line = line ? line + 1 : data;
	trail->end = start + (uint64_t)(line - data);
	jvpn_audit_trail_lines(trail, line, (size_t)(data + size - line));
	free(data);
	return 0;

err_free:
	free(data);
	return -1;
}

bool jvpn_audit_trail_is_log(struct jvpn_audit_trail *trail, int fd)
{
	char start[sizeof(jvpn_audit_record_start)] = "";
	ssize_t n = jvpn_audit_trail_pread(trail, fd, start, sizeof(start) - 1, 0);

	return n >= 0 && !memcmp(start, jvpn_audit_record_start, (size_t)n);
}

/* --- files that it was rotated to -------------------------------------------------- */

struct jvpn_audit_sibling {
	char path[PATH_MAX];
	struct timespec changed;
};

struct jvpn_audit_siblings {
	struct jvpn_audit_sibling list[JVPN_AUDIT_TRAIL_FILES];
	size_t count;
};

/* name.1, name-20260131, name.old; not name-of-another-log. */
static bool jvpn_audit_sibling_named(const char *name, const char *base)
{
	size_t length = strlen(base);

	if (strncmp(name, base, length) || (name[length] != '.' && name[length] != '-'))
		return false;
	return isdigit((unsigned char)name[length + 1]) || !strcmp(name + length + 1, "old");
}

static bool jvpn_audit_earlier(struct timespec a, struct timespec b)
{
	return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

/* The youngest are kept; a log may be rotated more than once in a second. */
static void jvpn_audit_sibling_add(struct jvpn_audit_siblings *s, const char *path,
				   struct timespec changed)
{
	struct jvpn_audit_sibling *place = &s->list[0];

	for (size_t i = 1; s->count == JVPN_AUDIT_TRAIL_FILES && i < s->count; i++)
		if (jvpn_audit_earlier(s->list[i].changed, place->changed))
			place = &s->list[i];
	if (s->count < JVPN_AUDIT_TRAIL_FILES)
		place = &s->list[s->count++];
	else if (!jvpn_audit_earlier(place->changed, changed))
		return;
	snprintf(place->path, sizeof(place->path), "%s", path);
	place->changed = changed;
}

static void jvpn_audit_siblings_list(struct jvpn_audit_siblings *s, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char folder[PATH_MAX] = ".", name[PATH_MAX];
	const struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path);
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (!jvpn_audit_sibling_named(entry->d_name, base) ||
		    snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name) >=
		    (int)sizeof(name))
			continue;
		if (!stat(name, &st) && S_ISREG(st.st_mode))
			jvpn_audit_sibling_add(s, name, st.st_mtim);
	}
	if (dir)
		closedir(dir);
}

/* Its end, from where it is known on if it is the file that head tells of. */
static bool jvpn_audit_sibling_read(struct jvpn_audit_trail *trail, const char *path,
				    const struct jvpn_audit_head *head)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint64_t from = 0;
	struct stat st;
	bool good;

	good = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size &&
	       !flock(fd, LOCK_SH | LOCK_NB);
	if (good && head->seq && st.st_ino == head->inode && st.st_dev == head->device &&
	    (uint64_t)st.st_size >= head->offset) {
		from = head->offset;
		trail->seq = head->seq;
		memcpy(trail->hash, head->hash, sizeof(trail->hash));
	}
	good = good && jvpn_audit_trail_is_log(trail, fd) &&
	       !jvpn_audit_trail_read(trail, fd, from);
	if (fd >= 0)
		close(fd);
	return good;
}

bool jvpn_audit_trail_find(struct jvpn_audit_trail *trail, const char *path, const char *node,
			   const struct jvpn_audit_head *head)
{
	struct jvpn_audit_siblings *siblings = calloc(1, sizeof(*siblings));
	const struct jvpn_audit_sibling *best = NULL;
	uint64_t best_seq = head->seq ? head->seq - 1 : 0;

	if (!siblings)
		return false;
	jvpn_audit_siblings_list(siblings, path);
	for (size_t i = 0; i < siblings->count; i++) {
		struct jvpn_audit_trail found = {};

		if (jvpn_audit_sibling_read(&found, siblings->list[i].path, head) &&
		    found.seq > best_seq && (!*found.node || !strcmp(found.node, node))) {
			best = &siblings->list[i];
			best_seq = found.seq;
		}
		trail->octets += found.octets;
	}
	if (best && !jvpn_audit_sibling_read(trail, best->path, head))
		best = NULL;
	free(siblings);
	return best;
}
