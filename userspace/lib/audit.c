// SPDX-License-Identifier: GPL-2.0
/*
 * The writer of the audit log.
 *
 * Locking: audit->lock guards the queue, the counters and the flags. What the
 * thread alone uses (fd, offset, seq, head) is its own while it runs; seq and head
 * are copied under the lock for jvpn_audit_status(). Writes happen without the lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "audit.h"
#include "audit_state.h"
#include "audit_trail.h"
#include "log.h"
#include "names-gen.h"
#include "util.h"

#define QUEUE_DEFAULT	8192
#define BATCH		64
/* Lines that can be written again if a rotation lost them. */
#define RECENT		1024
#define RETRY_MS	1000
#define CLOSE_MS	350
#define STOP_MS		100
#define JOURNAL		"/run/systemd/journal/socket"
#define HASH_TEXT	(2 * JVPN_AUDIT_HASH + 1)

struct jvpn_audit_item {
	char *text;			/* the record, without seq and prev; NULL: forget id */
	uint64_t lost_before;
	bool is_session;		/* of id, whose last record it is from now on */
	uint8_t id[JVPN_AUDIT_SESSION_ID];
	uint64_t seq;			/* once it is written */
};

struct jvpn_audit_batch {
	struct jvpn_audit_item items[BATCH];
	size_t count;
	uint64_t lost_after;		/* with nothing queued behind it */
};

struct jvpn_audit {
	enum jvpn_audit_sink sink;
	char *file;
	char *node;
	struct jvpn_audit_state *state;	/* NULL: nothing is remembered */
	uint8_t stream[JVPN_AUDIT_HASH];
	bool past_known;		/* the state tells of all sessions of the log */

	int fd;				/* file, stdout or journal socket */
	off_t offset;			/* sink file: where the next line begins */
	ino_t inode;
	dev_t device;
	uint64_t seq;
	uint8_t head[JVPN_AUDIT_HASH];
	bool torn;			/* stdout: the last write ended within a line */
	struct jvpn_audit_item recent[RECENT];	/* texts by seq, for a file that is cut off */
	uint64_t octets;		/* of files, read */
	uint64_t opened_seq;		/* of the record that its opening wrote */

	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t wake;		/* thread: something to do */
	pthread_cond_t idle;		/* flush: queue empty and written */
	struct jvpn_audit_item *queue;
	size_t queue_size, queue_head, queue_count;
	bool busy;			/* a batch is being written */
	bool reopen, stop;
	uint64_t lost_pending;		/* lost since the last queued record */
	struct jvpn_audit_status status;
};

const char *jvpn_audit_node(const struct jvpn_audit *audit)
{
	return audit->node;
}

void jvpn_audit_hash_line(const char *line, size_t length, uint8_t hash[JVPN_AUDIT_HASH])
{
	crypto_generichash(hash, JVPN_AUDIT_HASH, (const uint8_t *)line, length, NULL, 0);
}

/* Lines. */

/* {"seq":N,"prev":"...", and the record without its brace; seq and head move on. */
static char *jvpn_audit_line_make(const char *text, uint64_t *seq, uint8_t head[JVPN_AUDIT_HASH],
				  size_t *length)
{
	char prev[HASH_TEXT], *line;
	int size;

	jvpn_util_hex_encode(head, JVPN_AUDIT_HASH, prev);
	size = asprintf(&line, "{\"seq\":%llu,\"prev\":\"%s\",%s\n",
			(unsigned long long)*seq + 1, prev, text + 1);
	if (size < 0)
		return NULL;
	*length = (size_t)size;
	*seq += 1;
	jvpn_audit_hash_line(line, *length - 1, head);
	return line;
}

static char *jvpn_audit_text(json_t *record)
{
	char *text = record ? json_dumps(record, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

	json_decref(record);
	return text;
}

static char *jvpn_audit_lost_text(const struct jvpn_audit *audit, uint64_t count)
{
	return jvpn_audit_text(jvpn_audit_build_note(audit, "LOST", NULL,
		json_pack("{s:I}", "count", (json_int_t)count)));
}

/* Sinks. */

static int jvpn_audit_wait_writable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	return poll(&poll_fd, 1, RETRY_MS) > 0 ? 0 : -1;
}

/* Returns what was written, less than length on an error (errno). */
static size_t jvpn_audit_write_all(int fd, const char *data, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = write(fd, data + done, length - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN && !jvpn_audit_wait_writable(fd))
			continue;
		else if (errno != EINTR)
			break;
	}
	return done;
}

/* A line that was written in part is taken back: the file holds whole lines only. */
static int jvpn_audit_file_write(struct jvpn_audit *audit, const char *data, size_t length)
{
	struct stat st;
	int saved;

	if (jvpn_audit_write_all(audit->fd, data, length) == length) {
		audit->offset += (off_t)length;
		return 0;
	}
	saved = errno;
	/* Not if somebody else has cut it off meanwhile: that would make it longer. */
	if (!fstat(audit->fd, &st) && st.st_size > audit->offset &&
	    ftruncate(audit->fd, audit->offset))
		jvpn_warning("audit log %s: cannot take back a torn line: %s", audit->file,
			     strerror(errno));
	errno = saved;
	return -1;
}

static int jvpn_audit_stdout_write(struct jvpn_audit *audit, const char *data, size_t length)
{
	size_t done;

	if (audit->torn && jvpn_audit_write_all(audit->fd, "\n", 1) != 1)
		return -1;
	done = jvpn_audit_write_all(audit->fd, data, length);
	audit->torn = done && done < length;
	return done == length ? 0 : -1;
}

static int jvpn_audit_journal_write(struct jvpn_audit *audit, char *line, size_t length)
{
	static char head[] = "SYSLOG_IDENTIFIER=jvpn-audit\nPRIORITY=6\nMESSAGE=";
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL };
	struct iovec parts[] = {
		{ .iov_base = head, .iov_len = sizeof(head) - 1 },
		{ .iov_base = line, .iov_len = length },
	};
	struct msghdr message = {
		.msg_name = &address, .msg_namelen = sizeof(address),
		.msg_iov = parts, .msg_iovlen = JVPN_ARRAY_SIZE(parts),
	};
	ssize_t n;

	do {
		n = sendmsg(audit->fd, &message, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

static int jvpn_audit_sink_write(struct jvpn_audit *audit, char *line, size_t length)
{
	switch (audit->sink) {
	case JVPN_AUDIT_FILE:
		return jvpn_audit_file_write(audit, line, length);
	case JVPN_AUDIT_STDOUT:
		return jvpn_audit_stdout_write(audit, line, length);
	case JVPN_AUDIT_JOURNAL:
		return jvpn_audit_journal_write(audit, line, length);
	}
	errno = EINVAL;
	return -1;
}

/* One record to the sink. On failure nothing has changed. */
static int jvpn_audit_emit(struct jvpn_audit *audit, const char *text)
{
	uint8_t head[JVPN_AUDIT_HASH];
	uint64_t seq = audit->seq;
	size_t length;
	char *line;
	int ret;

	memcpy(head, audit->head, sizeof(head));
	line = jvpn_audit_line_make(text, &seq, head, &length);
	if (!line) {
		errno = ENOMEM;
		return -1;
	}
	ret = jvpn_audit_sink_write(audit, line, length);
	free(line);
	if (ret)
		return -1;
	audit->seq = seq;
	memcpy(audit->head, head, sizeof(head));
	return 0;
}

/* What is remembered. */

static void jvpn_audit_head_fill(const struct jvpn_audit *audit, struct jvpn_audit_head *head)
{
	memset(head, 0, sizeof(*head));
	memcpy(head->stream, audit->stream, sizeof(head->stream));
	head->seq = audit->seq;
	memcpy(head->hash, audit->head, sizeof(head->hash));
	head->device = audit->device;
	head->inode = audit->inode;
	head->offset = (uint64_t)audit->offset;
}

static void jvpn_audit_remember(struct jvpn_audit *audit, const struct jvpn_audit_memory *list,
				size_t count)
{
	static struct jvpn_log_limit limit = { .burst = 1 };
	struct jvpn_audit_head head;
	int rc;

	if (!audit->state)
		return;
	jvpn_audit_head_fill(audit, &head);
	rc = jvpn_audit_state_change(audit->state, &head, list, count);
	if (rc)
		jvpn_log_limited(&limit, JVPN_LOG_WARNING,
				 "what the audit log holds cannot be remembered (%s): after a restart records may be missing or doubled",
				 strerror(-rc));
}

/* Does it tell in which state and version a session is? Then its id. */
static bool jvpn_audit_record_session(const json_t *record, uint8_t id[JVPN_AUDIT_SESSION_ID])
{
	const char *hex = json_string_value(json_object_get(record, "session_id"));
	const char *event = json_string_value(json_object_get(record, "event"));

	return hex && event && strcmp(event, "REFUSED") && json_object_get(record, "to") &&
	       json_is_integer(json_object_get(record, "state_version")) &&
	       jvpn_util_hex_decode(hex, id, JVPN_AUDIT_SESSION_ID);
}

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

/* Continuing a file. */

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

static int jvpn_audit_file_open(const char *path, char *err, size_t err_size)
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

/* The first record after each open: AUDIT_OPEN. */
static json_t *jvpn_audit_open_build(const struct jvpn_audit *audit,
				     const struct jvpn_audit_trail *tail, const char *reason)
{
	json_t *record = jvpn_audit_build_note(audit, "AUDIT_OPEN", NULL,
					       jvpn_audit_open_details(audit, tail));

	if (record)
		json_object_set_new(record, "reason", json_string(reason));
	return record;
}

static int jvpn_audit_open_record(struct jvpn_audit *audit, const struct jvpn_audit_trail *tail,
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

static void jvpn_audit_file_remember(struct jvpn_audit *audit)
{
	struct stat st;

	if (fstat(audit->fd, &st))
		return;
	audit->inode = st.st_ino;
	audit->device = st.st_dev;
}

static int jvpn_audit_file_start(struct jvpn_audit *audit, const struct jvpn_audit_head *head,
				 char *err, size_t err_size)
{
	struct jvpn_audit_trail tail = { };
	int ret;

	audit->fd = jvpn_audit_file_open(audit->file, err, err_size);
	if (audit->fd < 0)
		return -1;
	jvpn_audit_file_remember(audit);
	ret = jvpn_audit_file_read(audit, head, &tail, err, err_size);
	if (!ret && tail.torn_length)
		jvpn_warning("audit log %s: a torn last line of %zu octets was cut off",
			     audit->file, tail.torn_length);
	if (!ret && tail.damaged)
		jvpn_warning("audit log %s: the last line is not an audit record; continuing "
			     "behind it", audit->file);
	audit->past_known = head->seq || !audit->seq;
	if (!ret && jvpn_audit_open_record(audit, &tail, audit->seq ? "CONTINUED" : "NEW")) {
		snprintf(err, err_size, "cannot write the audit log %s: %s", audit->file,
			 strerror(errno));
		ret = -1;
	}
	if (!ret)
		jvpn_audit_remember(audit, NULL, 0);
	return ret;
}

/* The first record is the thread's: who reads it may take his time. */
static int jvpn_audit_stream_start(struct jvpn_audit *audit, const struct jvpn_audit_head *head,
				   char *err, size_t err_size)
{
	audit->fd = audit->sink == JVPN_AUDIT_STDOUT ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) :
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	audit->seq = head->seq;
	memcpy(audit->head, head->hash, sizeof(audit->head));
	audit->past_known = true;
	if (audit->fd >= 0 &&
	    !jvpn_audit_write(audit, jvpn_audit_open_build(audit, &(struct jvpn_audit_trail){},
							   audit->seq ? "CONTINUED" : "NEW")))
		return 0;
	snprintf(err, err_size, "cannot write the audit log to %s: %s",
		 audit->sink == JVPN_AUDIT_STDOUT ? "standard output" : "the journal (" JOURNAL ")",
		 strerror(errno));
	return -1;
}

/* On failure what is left of the batch stays in it. */
static int jvpn_audit_emit_lost(struct jvpn_audit *audit, uint64_t *lost)
{
	char *text;
	int ret;

	if (!*lost)
		return 0;
	text = jvpn_audit_lost_text(audit, *lost);
	if (!text) {
		errno = ENOMEM;
		return -1;
	}
	ret = jvpn_audit_emit(audit, text);
	free(text);
	if (!ret)
		*lost = 0;
	return ret;
}

/* Rotation. */

static bool jvpn_audit_file_moved(const struct jvpn_audit *audit)
{
	struct stat st;

	return stat(audit->file, &st) || st.st_ino != audit->inode || st.st_dev != audit->device;
}

static void jvpn_audit_file_reopen(struct jvpn_audit *audit)
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
	struct jvpn_audit_item *item = &audit->recent[seq % RECENT];

	return item->text && item->seq == seq ? item : NULL;
}

static void jvpn_audit_recent_add(struct jvpn_audit *audit, struct jvpn_audit_item *item)
{
	struct jvpn_audit_item *old = &audit->recent[item->seq % RECENT];

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
	struct jvpn_audit_item *list = calloc(RECENT, sizeof(*list));
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

static int jvpn_audit_file_check(struct jvpn_audit *audit)
{
	struct stat st;

	if (fstat(audit->fd, &st) || st.st_size >= audit->offset)
		return 0;
	if (!jvpn_audit_file_moved(audit))
		return jvpn_audit_file_cut(audit);
	jvpn_audit_file_reopen(audit);
	return 0;
}

/* The thread. */

static void jvpn_audit_batch_take(struct jvpn_audit *audit, struct jvpn_audit_batch *batch)
{
	batch->count = 0;
	while (audit->queue_count && batch->count < BATCH) {
		batch->items[batch->count++] = audit->queue[audit->queue_head];
		audit->queue_head = (audit->queue_head + 1) % audit->queue_size;
		audit->queue_count--;
	}
	batch->lost_after = audit->queue_count ? 0 : audit->lost_pending;
	if (batch->lost_after)
		audit->lost_pending = 0;
}

static int jvpn_audit_item_write(struct jvpn_audit *audit, struct jvpn_audit_item *item)
{
	if (jvpn_audit_emit_lost(audit, &item->lost_before))
		return -1;
	if (!item->text)
		return 0;
	if (jvpn_audit_emit(audit, item->text))
		return -1;
	item->seq = audit->seq;
	return 0;
}

static void jvpn_audit_batch_remember(struct jvpn_audit *audit, struct jvpn_audit_batch *batch,
				      size_t count)
{
	struct jvpn_audit_memory list[BATCH];
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (!batch->items[i].is_session)
			continue;
		memcpy(list[n].id, batch->items[i].id, sizeof(list[n].id));
		list[n++].line = batch->items[i].text;
	}
	jvpn_audit_remember(audit, list, n);
	for (size_t i = 0; i < count; i++)
		if (batch->items[i].text)
			jvpn_audit_recent_add(audit, &batch->items[i]);
}

static int jvpn_audit_batch_write(struct jvpn_audit *audit, struct jvpn_audit_batch *batch)
{
	size_t done = 0;
	int ret = 0;

	while (done < batch->count && !ret) {
		ret = jvpn_audit_item_write(audit, &batch->items[done]);
		done += !ret;
	}
	if (!ret)
		ret = jvpn_audit_emit_lost(audit, &batch->lost_after);
	jvpn_audit_batch_remember(audit, batch, done);
	batch->count -= done;
	memmove(batch->items, batch->items + done, batch->count * sizeof(*batch->items));
	return ret;
}

static void jvpn_audit_status_update(struct jvpn_audit *audit, int failed, int reason)
{
	struct jvpn_audit_status *status = &audit->status;

	status->seq = audit->seq;
	status->octets_read = audit->octets;
	memcpy(status->head, audit->head, sizeof(status->head));
	if (failed && !*status->error)
		jvpn_warning("the audit log cannot be written: %s; records wait and are then lost",
			     strerror(reason));
	if (failed)
		snprintf(status->error, sizeof(status->error), "%s", strerror(reason));
	else
		status->error[0] = '\0';
}

static bool jvpn_audit_work(const struct jvpn_audit *audit, const struct jvpn_audit_batch *batch)
{
	return batch->count || batch->lost_after || audit->queue_count || audit->lost_pending;
}

/* Write outside the lock; true if the sink took all of it. */
static bool jvpn_audit_turn(struct jvpn_audit *audit, struct jvpn_audit_batch *batch)
{
	bool reopen = audit->reopen;
	int failed, reason;

	if (!batch->count && !batch->lost_after)
		jvpn_audit_batch_take(audit, batch);
	audit->reopen = false;
	audit->busy = true;
	pthread_mutex_unlock(&audit->lock);

	if (reopen && audit->sink == JVPN_AUDIT_FILE)
		jvpn_audit_file_reopen(audit);
	failed = audit->sink == JVPN_AUDIT_FILE ? jvpn_audit_file_check(audit) : 0;
	if (!failed)
		failed = jvpn_audit_batch_write(audit, batch);
	reason = failed ? errno : 0;

	pthread_mutex_lock(&audit->lock);
	audit->busy = false;
	jvpn_audit_status_update(audit, failed, reason);
	return !failed;
}

static void jvpn_audit_batch_drop(struct jvpn_audit *audit, struct jvpn_audit_batch *batch)
{
	audit->status.lost += batch->count + audit->queue_count;
	for (size_t i = 0; i < batch->count; i++)
		free(batch->items[i].text);
	for (; audit->queue_count; audit->queue_count--) {
		free(audit->queue[audit->queue_head].text);
		audit->queue_head = (audit->queue_head + 1) % audit->queue_size;
	}
}

static void *jvpn_audit_run(void *argument)
{
	struct jvpn_audit *audit = argument;
	struct jvpn_audit_batch batch = { };
	struct timespec at;
	bool good = true;

	pthread_mutex_lock(&audit->lock);
	for (;;) {
		if (!good && !audit->stop) {
			jvpn_util_deadline(&at, RETRY_MS);
			pthread_cond_timedwait(&audit->wake, &audit->lock, &at);
		}
		while (!audit->stop && !audit->reopen && !jvpn_audit_work(audit, &batch)) {
			pthread_cond_broadcast(&audit->idle);
			pthread_cond_wait(&audit->wake, &audit->lock);
		}
		if (audit->stop && (!good || !jvpn_audit_work(audit, &batch)))
			break;
		good = jvpn_audit_turn(audit, &batch);
	}
	jvpn_audit_batch_drop(audit, &batch);
	pthread_cond_broadcast(&audit->idle);
	pthread_mutex_unlock(&audit->lock);
	return NULL;
}

/* Interface. */

static int jvpn_audit_start_thread(struct jvpn_audit *audit, char *err, size_t err_size)
{
	sigset_t all, saved;
	int error;

	/* Signals are for the caller's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	error = pthread_create(&audit->thread, NULL, jvpn_audit_run, audit);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);

	if (error) {
		snprintf(err, err_size, "cannot start the audit thread: %s", strerror(error));
		return -1;
	}
	audit->running = true;
	return 0;
}

static struct jvpn_audit *jvpn_audit_alloc(const struct jvpn_audit_options *options)
{
	struct jvpn_audit *audit = calloc(1, sizeof(*audit));
	pthread_condattr_t monotonic;

	if (!audit)
		return NULL;
	audit->fd = -1;
	audit->sink = options->sink;
	audit->file = options->file ? strdup(options->file) : NULL;
	audit->node = strdup(options->node ? options->node : "");
	audit->queue_size = options->queue_records ? options->queue_records : QUEUE_DEFAULT;
	audit->queue = calloc(audit->queue_size, sizeof(*audit->queue));
	pthread_mutex_init(&audit->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&audit->wake, &monotonic);
	pthread_cond_init(&audit->idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (audit->node && audit->queue && (audit->file || !options->file))
		return audit;
	jvpn_audit_close(audit);
	return NULL;
}

static void jvpn_audit_stream_name(struct jvpn_audit *audit)
{
	char name[PATH_MAX + 256];

	snprintf(name, sizeof(name), "%d %s %s", (int)audit->sink, audit->node,
		 audit->file ? audit->file : "");
	crypto_generichash(audit->stream, sizeof(audit->stream), (const uint8_t *)name,
			   strlen(name), NULL, 0);
}

static int jvpn_audit_state_begin(struct jvpn_audit *audit,
				  const struct jvpn_audit_options *options,
				  struct jvpn_audit_head *head, char *err, size_t err_size)
{
	jvpn_audit_stream_name(audit);
	if (!options->state)
		return 0;
	if (jvpn_audit_state_open(options->state, &audit->state, err, err_size))
		return -1;
	if (!jvpn_audit_state_head(audit->state, audit->stream, head))
		memset(head, 0, sizeof(*head));
	return 0;
}

struct jvpn_audit *jvpn_audit_open(const struct jvpn_audit_options *options, char *err,
				   size_t err_size)
{
	struct jvpn_audit *audit = jvpn_audit_alloc(options);
	struct jvpn_audit_head head = { };

	if (!audit) {
		snprintf(err, err_size, "out of memory for the audit log");
		return NULL;
	}
	if (jvpn_audit_state_begin(audit, options, &head, err, err_size))
		goto err_close;
	if (options->sink == JVPN_AUDIT_FILE ?
	    jvpn_audit_file_start(audit, &head, err, err_size) :
	    jvpn_audit_stream_start(audit, &head, err, err_size))
		goto err_close;
	jvpn_audit_status_update(audit, 0, 0);
	if (jvpn_audit_start_thread(audit, err, err_size))
		goto err_close;
	return audit;

err_close:
	jvpn_audit_close(audit);
	return NULL;
}

/* Steals the text of the item if it finds room. */
static bool jvpn_audit_enqueue(struct jvpn_audit *audit, const struct jvpn_audit_item *new_item)
{
	struct jvpn_audit_item *item;

	if (audit->queue_count == audit->queue_size) {
		audit->lost_pending++;
		audit->status.lost++;
		return false;
	}
	item = &audit->queue[(audit->queue_head + audit->queue_count) % audit->queue_size];
	*item = *new_item;
	item->lost_before = audit->lost_pending;
	audit->lost_pending = 0;
	audit->queue_count++;
	return true;
}

static bool jvpn_audit_hand_over(struct jvpn_audit *audit, const struct jvpn_audit_item *item)
{
	bool queued;

	pthread_mutex_lock(&audit->lock);
	queued = jvpn_audit_enqueue(audit, item);
	/* While the sink fails the thread keeps to its own pace. */
	if (!*audit->status.error)
		pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
	return queued;
}

static void jvpn_audit_lose(struct jvpn_audit *audit)
{
	pthread_mutex_lock(&audit->lock);
	audit->lost_pending++;
	audit->status.lost++;
	pthread_mutex_unlock(&audit->lock);
}

int jvpn_audit_write(struct jvpn_audit *audit, json_t *record)
{
	struct jvpn_audit_item item = { };

	item.is_session = jvpn_audit_record_session(record, item.id);
	item.text = jvpn_audit_text(record);
	if (!item.text)
		jvpn_audit_lose(audit);
	else if (jvpn_audit_hand_over(audit, &item))
		return 0;
	free(item.text);
	return -1;
}

void jvpn_audit_forget(struct jvpn_audit *audit, const uint8_t *session_id)
{
	struct jvpn_audit_item item = { .is_session = true };

	memcpy(item.id, session_id, sizeof(item.id));
	pthread_mutex_lock(&audit->lock);
	/* Nothing is lost if there is no room: what is left over is found at the next start. */
	if (audit->state && audit->queue_count < audit->queue_size) {
		jvpn_audit_enqueue(audit, &item);
		pthread_cond_signal(&audit->wake);
	}
	pthread_mutex_unlock(&audit->lock);
}

enum jvpn_audit_past jvpn_audit_version_known(const struct jvpn_audit *audit,
					      const uint8_t *session_id, uint64_t *version)
{
	char *line = audit->state ? jvpn_audit_state_get(audit->state, session_id) : NULL;
	json_t *record = line ? json_loads(line, 0, NULL) : NULL;
	const json_t *known = json_object_get(record, "state_version");
	enum jvpn_audit_past past = audit->past_known ? JVPN_AUDIT_PAST_NONE :
							JVPN_AUDIT_PAST_UNKNOWN;

	if (json_is_integer(known)) {
		*version = (uint64_t)json_integer_value(known);
		past = JVPN_AUDIT_PAST_KNOWN;
	}
	json_decref(record);
	free(line);
	return past;
}

static const char *jvpn_audit_known_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void jvpn_audit_known_fill(struct jvpn_audit_known *known, const json_t *record)
{
	const json_t *transport = json_object_get(record, "transport");

	known->version = (uint64_t)json_integer_value(json_object_get(record, "state_version"));
	known->epoch = (uint32_t)json_integer_value(json_object_get(record, "epoch"));
	known->policy = jvpn_audit_known_text(record, "policy");
	known->policy_version =
		(uint32_t)json_integer_value(json_object_get(record, "policy_version"));
	known->bound = json_is_object(transport);
	known->transport = (struct jvpn_audit_transport){
		.name = jvpn_audit_known_text(transport, "name"),
		.protocol = jvpn_audit_known_text(transport, "protocol"),
		.interface = jvpn_audit_known_text(transport, "interface"),
		.local = jvpn_audit_known_text(transport, "local"),
		.remote = jvpn_audit_known_text(transport, "remote"),
	};
}

struct jvpn_audit_walk {
	jvpn_audit_known_visit visit;
	void *context;
};

static void jvpn_audit_known_one(void *context, const uint8_t *id, const char *line)
{
	const struct jvpn_audit_walk *walk = context;
	json_t *record = json_loads(line, 0, NULL);
	const char *to = jvpn_audit_known_text(record, "to");
	struct jvpn_audit_known known = { .session_id = id };
	int state = to ? jvpn_state_parse(to) : -1;

	if (state >= 0) {
		known.state = (uint32_t)state;
		jvpn_audit_known_fill(&known, record);
		walk->visit(walk->context, &known);
	}
	json_decref(record);
}

void jvpn_audit_known_each(const struct jvpn_audit *audit, jvpn_audit_known_visit visit,
			   void *context)
{
	struct jvpn_audit_walk walk = { visit, context };

	if (audit->state)
		jvpn_audit_state_each(audit->state, jvpn_audit_known_one, &walk);
}

void jvpn_audit_reopen(struct jvpn_audit *audit)
{
	pthread_mutex_lock(&audit->lock);
	audit->reopen = true;
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
}

static bool jvpn_audit_drained(const struct jvpn_audit *audit)
{
	return !audit->queue_count && !audit->lost_pending && !audit->busy && !audit->reopen &&
	       !*audit->status.error;
}

int jvpn_audit_flush(struct jvpn_audit *audit, unsigned int timeout_ms)
{
	struct timespec at;
	bool drained;
	int error = 0;

	jvpn_util_deadline(&at, timeout_ms);
	pthread_mutex_lock(&audit->lock);
	pthread_cond_signal(&audit->wake);
	while (!(drained = jvpn_audit_drained(audit)) && !error)
		error = pthread_cond_timedwait(&audit->idle, &audit->lock, &at);
	pthread_mutex_unlock(&audit->lock);
	return drained ? 0 : -1;
}

void jvpn_audit_status(struct jvpn_audit *audit, struct jvpn_audit_status *status)
{
	pthread_mutex_lock(&audit->lock);
	*status = audit->status;
	status->queued = audit->queue_count;
	pthread_mutex_unlock(&audit->lock);
}

/* False if the thread does not end. */
static bool jvpn_audit_stop(struct jvpn_audit *audit)
{
	struct timespec at;

	if (jvpn_audit_flush(audit, CLOSE_MS))
		jvpn_warning("the audit log was closed with records that could not be written");
	pthread_mutex_lock(&audit->lock);
	audit->stop = true;
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
	jvpn_util_deadline(&at, STOP_MS);
	return !pthread_clockjoin_np(audit->thread, NULL, CLOCK_MONOTONIC, &at);
}

bool jvpn_audit_close(struct jvpn_audit *audit)
{
	if (!audit)
		return true;
	if (audit->running && !jvpn_audit_stop(audit))
		return false;
	if (audit->fd >= 0)
		close(audit->fd);
	pthread_cond_destroy(&audit->idle);
	pthread_cond_destroy(&audit->wake);
	pthread_mutex_destroy(&audit->lock);
	jvpn_audit_state_close(audit->state);
	for (size_t i = 0; i < RECENT; i++)
		free(audit->recent[i].text);
	for (; audit->queue_count; audit->queue_count--) {
		free(audit->queue[audit->queue_head].text);
		audit->queue_head = (audit->queue_head + 1) % audit->queue_size;
	}
	free(audit->queue);
	free(audit->node);
	free(audit->file);
	free(audit);
	return true;
}
