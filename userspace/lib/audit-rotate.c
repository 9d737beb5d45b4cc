// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit-writer.h"
#include "log.h"
#include "util.h"

static bool jvpn_audit_file_moved(const struct jvpn_audit *audit)
{
	struct stat st;

	return stat(audit->file, &st) || st.st_ino != audit->inode || st.st_dev != audit->device;
}

void jvpn_audit_file_reopen(struct jvpn_audit *audit)
{
	int old = audit->fd, fd;
	struct jvpn_audit_trail tail = { };
	char err[512];

	if (!jvpn_audit_file_moved(audit))
		return;
	fd = jvpn_audit_file_open(audit->file, err, sizeof(err));
	if (fd < 0) {
		jvpn_warning("%s; going on with the file that is open", err);
		return;
	}
	audit->fd = fd;
	audit->offset = lseek(fd, 0, SEEK_END);
	jvpn_audit_file_remember(audit);
	if (jvpn_audit_open_record(audit, &tail, "REOPENED"))
		jvpn_warning("cannot write the audit log %s: %s", audit->file, strerror(errno));
	jvpn_audit_remember(audit, NULL, 0);
	close(old);
}

static struct jvpn_audit_item *jvpn_audit_recent(struct jvpn_audit *audit, uint64_t seq)
{
	struct jvpn_audit_item *item = &audit->recent[seq % JVPN_AUDIT_RECENT];

	return item->text && item->seq == seq ? item : NULL;
}

void jvpn_audit_recent_add(struct jvpn_audit *audit, struct jvpn_audit_item *item)
{
	struct jvpn_audit_item *old = &audit->recent[item->seq % JVPN_AUDIT_RECENT];

	free(old->text);
	*old = *item;
	item->text = NULL;
}

/*
 * The copy of a file that was copied and cut off: the last line that it holds; what was written
 * later is in no file any longer. Of a copy that cannot be found it is taken that it is whole.
 */
static uint64_t jvpn_audit_copy_find(struct jvpn_audit *audit, uint8_t hash[JVPN_AUDIT_HASH])
{
	struct jvpn_audit_trail copy = { };
	const struct jvpn_audit_head any = { };

	if (!jvpn_audit_trail_find(&copy, audit->file, audit->node, &any) ||
	    copy.seq >= audit->seq || copy.seq < audit->opened_seq)
		return audit->seq;
	memcpy(hash, copy.hash, sizeof(copy.hash));
	return copy.seq;
}

/* The end of the file that is written, which a rewriting that fails goes back to. */
struct jvpn_audit_end {
	int fd;
	off_t offset;
	ino_t inode;
	dev_t device;
	uint64_t seq, opened_seq;
	uint8_t head[JVPN_AUDIT_HASH];
};

static void jvpn_audit_end_get(const struct jvpn_audit *audit, struct jvpn_audit_end *end)
{
	*end = (struct jvpn_audit_end){
		.fd = audit->fd, .offset = audit->offset, .inode = audit->inode,
		.device = audit->device, .seq = audit->seq, .opened_seq = audit->opened_seq,
	};
	memcpy(end->head, audit->head, sizeof(end->head));
}

static void jvpn_audit_end_set(struct jvpn_audit *audit, const struct jvpn_audit_end *end)
{
	audit->fd = end->fd;
	audit->offset = end->offset;
	audit->inode = end->inode;
	audit->device = end->device;
	audit->seq = end->seq;
	audit->opened_seq = end->opened_seq;
	memcpy(audit->head, end->head, sizeof(audit->head));
}

/* Lines from..to again, behind the present end; those that are too old are told of in a LOST. */
static int jvpn_audit_lines_rewrite(struct jvpn_audit *audit, uint64_t from, uint64_t to)
{
	uint64_t lost = 0;

	for (uint64_t seq = from; seq <= to; seq++)
		lost += !jvpn_audit_recent(audit, seq);
	if (jvpn_audit_emit_lost(audit, &lost))
		return -1;
	for (uint64_t seq = from; seq <= to; seq++) {
		struct jvpn_audit_item *item = jvpn_audit_recent(audit, seq);

		if (item && jvpn_audit_emit(audit, item->text))
			return -1;
	}
	return 0;
}

/* They have other numbers now: lines from..to, of which the last one has the present number. */
static void jvpn_audit_recent_renumber(struct jvpn_audit *audit, uint64_t from, uint64_t to)
{
	struct jvpn_audit_item *list = calloc(JVPN_AUDIT_RECENT, sizeof(*list));
	size_t count = 0;

	for (uint64_t seq = from; list && seq <= to; seq++) {
		struct jvpn_audit_item *item = jvpn_audit_recent(audit, seq);

		if (!item)
			continue;
		list[count++] = *item;
		item->text = NULL;
	}
	for (size_t i = 0; i < count; i++) {
		list[i].seq = audit->seq - (count - 1 - i);
		jvpn_audit_recent_add(audit, &list[i]);
	}
	free(list);
}

/* A file that takes the place of the log once all is in it. */
static int jvpn_audit_successor_open(const char *path)
{
	int fd;

	unlink(path);
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int jvpn_audit_successor_write(struct jvpn_audit *audit, uint64_t from, uint64_t to)
{
	struct jvpn_audit_trail tail = { };

	audit->offset = 0;
	jvpn_audit_file_remember(audit);
	return jvpn_audit_open_record(audit, &tail, "REOPENED") ||
	       jvpn_audit_lines_rewrite(audit, from, to) ? -1 : 0;
}

/*
 * Somebody copied the file and cut it off, instead of renaming it. Lines that came between the
 * copy and the cut are in neither, and what came after the cut does not follow the copy: they are
 * written to a new file, which takes the place of the log whole or not at all.
 */
static int jvpn_audit_file_cut(struct jvpn_audit *audit)
{
	char target[PATH_MAX], path[PATH_MAX];
	struct jvpn_audit_end before;
	uint64_t from;
	int saved;

	/* Beside the log, and not over a link that leads to it. */
	if (!realpath(audit->file, target))
		return -1;
	if (snprintf(path, sizeof(path), "%s.new", target) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	jvpn_audit_end_get(audit, &before);
	audit->seq = jvpn_audit_copy_find(audit, audit->head);
	from = audit->seq + 1;
	audit->fd = jvpn_audit_successor_open(path);
	if (audit->fd >= 0 && !jvpn_audit_successor_write(audit, from, before.seq) &&
	    !rename(path, target)) {
		close(before.fd);
		jvpn_audit_recent_renumber(audit, from, before.seq);
		jvpn_audit_remember(audit, NULL, 0);
		return 0;
	}
	saved = errno;
	if (audit->fd >= 0)
		close(audit->fd);
	unlink(path);
	jvpn_audit_end_set(audit, &before);
	errno = saved;
	return -1;
}

int jvpn_audit_file_check(struct jvpn_audit *audit)
{
	struct stat st;

	if (fstat(audit->fd, &st) || st.st_size >= audit->offset)
		return 0;
	if (!jvpn_audit_file_moved(audit))
		return jvpn_audit_file_cut(audit);
	jvpn_audit_file_reopen(audit);
	return 0;
}
