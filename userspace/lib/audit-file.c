// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit-writer.h"
#include "log.h"
#include "util.h"

/* A line that was written, and is not remembered yet. */
struct jvpn_audit_caught {
	struct jvpn_audit *audit;
	uint64_t after;			/* lines up to this one are remembered */
};

static void jvpn_audit_line_caught(void *context, const json_t *record, uint64_t seq,
				   const char *line)
{
	const struct jvpn_audit_caught *caught = context;
	struct jvpn_audit_memory memory = { .line = line };

	if (seq > caught->after && jvpn_audit_record_session(record, memory.id))
		jvpn_audit_remember(caught->audit, &memory, 1);
}

/* Make the file end with a whole line. */
static int jvpn_audit_tail_mend(struct jvpn_audit *audit, const struct jvpn_audit_trail *tail)
{
	audit->offset = (off_t)tail->end;
	if (tail->torn_length && ftruncate(audit->fd, audit->offset))
		return -1;
	if (tail->torn_kept)
		return jvpn_audit_file_write(audit, "\n", 1);
	return 0;
}

static int jvpn_audit_file_lock(int fd, const char *path, char *err, size_t err_size)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		snprintf(err, err_size, "the audit log %s is not a regular file", path);
		return -1;
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		snprintf(err, err_size, "the audit log %s belongs to another user", path);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		snprintf(err, err_size, "the audit log %s is being written by another process; "
			 "each device needs its own", path);
		return -1;
	}
	return 0;
}

int jvpn_audit_file_open(const char *path, char *err, size_t err_size)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);

	if (fd < 0) {
		snprintf(err, err_size, "cannot open the audit log %s: %s%s", path, strerror(errno),
			 errno == ENOENT ? " (its folder must exist)" : "");
		return -1;
	}
	if (!jvpn_audit_file_lock(fd, path, err, err_size)) {
		if (jvpn_audit_trail_is_log(&(struct jvpn_audit_trail){}, fd))
			return fd;
		snprintf(err, err_size, "%s is there and is no audit log; it is left as it is",
			 path);
	}
	close(fd);
	return -1;
}

/* The file is new, or not the one that was written last: its end is where it was rotated to. */
static void jvpn_audit_rotated_read(struct jvpn_audit *audit, const struct jvpn_audit_head *head,
				    struct jvpn_audit_caught *caught)
{
	struct jvpn_audit_trail before = { .visit = jvpn_audit_line_caught, .context = caught };

	audit->seq = head->seq;
	memcpy(audit->head, head->hash, sizeof(audit->head));
	if (jvpn_audit_trail_find(&before, audit->file, audit->node, head)) {
		audit->seq = before.seq;
		memcpy(audit->head, before.hash, sizeof(audit->head));
	}
	audit->octets += before.octets;
}

/* Where the log ends, by what is remembered of it and by what is in its files. */
static int jvpn_audit_end_find(struct jvpn_audit *audit, const struct jvpn_audit_head *head,
			       struct jvpn_audit_trail *tail)
{
	struct jvpn_audit_caught caught = { .audit = audit, .after = head->seq };
	bool same = head->seq && head->device == audit->device && head->inode == audit->inode;
	struct stat st;

	tail->visit = jvpn_audit_line_caught;
	tail->context = &caught;
	if (fstat(audit->fd, &st))
		return -1;
	same = same && (uint64_t)st.st_size >= head->offset;
	if (same) {
		tail->seq = head->seq;
		memcpy(tail->hash, head->hash, sizeof(tail->hash));
	}
	if (jvpn_audit_trail_read(tail, audit->fd, same ? head->offset : 0))
		return -1;
	audit->octets += tail->octets;
	audit->seq = tail->seq;
	memcpy(audit->head, tail->hash, sizeof(audit->head));
	if (!tail->seq || tail->seq < head->seq)
		jvpn_audit_rotated_read(audit, head, &caught);
	return 0;
}

static int jvpn_audit_file_read(struct jvpn_audit *audit, const struct jvpn_audit_head *head,
				struct jvpn_audit_trail *tail, char *err, size_t err_size)
{
	int ret = jvpn_audit_end_find(audit, head, tail);

	if (!ret && tail->torn_length && tail->foreign) {
		snprintf(err, err_size, "the audit log %s ends with something that is no record; it "
			 "is left as it is", audit->file);
		return -1;
	}
	if (!ret)
		ret = jvpn_audit_tail_mend(audit, tail);
	if (ret)
		snprintf(err, err_size, "cannot continue the audit log %s: %s", audit->file,
			 strerror(errno));
	return ret;
}

static json_t *jvpn_audit_boot_id(void)
{
	char id[64] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (file) {
		if (fgets(id, sizeof(id), file))
			id[strcspn(id, "\n")] = '\0';
		fclose(file);
	}
	return *id ? json_string(id) : json_null();
}

static json_t *jvpn_audit_open_details(const struct jvpn_audit *audit,
				       const struct jvpn_audit_trail *tail)
{
	json_t *details = json_pack("{s:o, s:s}", "boot_id", jvpn_audit_boot_id(),
				    "program", "jvpn " JVPN_VERSION);

	if (audit->sink == JVPN_AUDIT_FILE)
		json_object_set_new(details, "offset", json_integer((json_int_t)audit->offset));
	if (tail->torn_length)
		json_object_set_new(details, "torn_bytes",
				    json_integer((json_int_t)tail->torn_length));
	if (tail->damaged)
		json_object_set_new(details, "damaged", json_true());
	return details;
}

json_t *jvpn_audit_open_build(const struct jvpn_audit *audit,
			      const struct jvpn_audit_trail *tail, const char *reason)
{
	json_t *record = jvpn_audit_build_note(audit, "AUDIT_OPEN", NULL,
					       jvpn_audit_open_details(audit, tail));

	if (record)
		json_object_set_new(record, "reason", json_string(reason));
	return record;
}

int jvpn_audit_open_record(struct jvpn_audit *audit, const struct jvpn_audit_trail *tail,
			   const char *reason)
{
	char *text = jvpn_audit_text(jvpn_audit_open_build(audit, tail, reason));
	int ret;

	if (!text) {
		errno = ENOMEM;
		return -1;
	}
	ret = jvpn_audit_emit(audit, text);
	free(text);
	if (!ret)
		audit->opened_seq = audit->seq;
	return ret;
}

void jvpn_audit_file_remember(struct jvpn_audit *audit)
{
	struct stat st;

	if (fstat(audit->fd, &st))
		return;
	audit->inode = st.st_ino;
	audit->device = st.st_dev;
}

static int jvpn_audit_file_continue(struct jvpn_audit *audit, const struct jvpn_audit_head *head,
				    char *err, size_t err_size)
{
	struct jvpn_audit_trail tail = { };
	int ret;

	jvpn_audit_file_remember(audit);
	ret = jvpn_audit_file_read(audit, head, &tail, err, err_size);
	if (!ret && tail.torn_length)
		jvpn_warning("audit log %s: a torn last line of %zu octets was cut off",
			     audit->file, tail.torn_length);
	if (!ret && tail.damaged)
		jvpn_warning("audit log %s: the last line is not an audit record; continuing "
			     "behind it", audit->file);
	audit->was_empty = !audit->seq;
	if (!ret && jvpn_audit_open_record(audit, &tail, audit->seq ? "CONTINUED" : "NEW")) {
		snprintf(err, err_size, "cannot write the audit log %s: %s", audit->file,
			 strerror(errno));
		ret = -1;
	}
	if (!ret)
		jvpn_audit_remember(audit, NULL, 0);
	return ret;
}

int jvpn_audit_file_start(struct jvpn_audit *audit, const struct jvpn_audit_head *head,
			  char *err, size_t err_size)
{
	audit->fd = jvpn_audit_file_open(audit->file, err, err_size);
	if (audit->fd < 0)
		return -1;
	if (!jvpn_audit_file_continue(audit, head, err, err_size))
		return 0;
	close(audit->fd);
	audit->fd = -1;
	return -1;
}
