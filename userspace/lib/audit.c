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
#include "log.h"
#include "names-gen.h"
#include "util.h"

#define QUEUE_DEFAULT	8192
#define BATCH		64
#define RETRY_MS	1000
#define CLOSE_MS	350
#define STOP_MS		100
#define JOURNAL		"/run/systemd/journal/socket"
#define HASH_TEXT	(2 * JVPN_AUDIT_HASH + 1)

struct jvpn_audit_item {
	char *text;			/* the record, without seq and prev */
	uint64_t lost_before;
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
	json_t *known;			/* session id: its last record, as the file had it */

	int fd;				/* file, stdout or journal socket */
	off_t offset;			/* sink file: where the next line begins */
	ino_t inode;
	dev_t device;
	uint64_t seq;
	uint8_t head[JVPN_AUDIT_HASH];
	bool torn;			/* stdout: the last write ended within a line */

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
	int saved;

	if (jvpn_audit_write_all(audit->fd, data, length) == length) {
		audit->offset += (off_t)length;
		return 0;
	}
	saved = errno;
	if (ftruncate(audit->fd, audit->offset))
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

/* Continuing a file. */

struct jvpn_audit_tail {
	char *torn;			/* after the last newline */
	size_t torn_length;
	size_t torn_kept;		/* it was whole but for the newline */
	off_t end;			/* of the last whole line */
	bool damaged;			/* the last whole line is no record */
};

static void jvpn_audit_known_update(struct jvpn_audit *audit, const json_t *record)
{
	const char *id = json_string_value(json_object_get(record, "session_id"));
	const char *to = json_string_value(json_object_get(record, "to"));
	json_t *version = json_object_get(record, "state_version");

	if (!id || !to || !json_is_integer(version))
		return;
	if (!strcmp(to, "TERMINATED"))
		json_object_del(audit->known, id);
	else
		json_object_set(audit->known, id, (json_t *)record);
}

/* False if the line is no record. */
static bool jvpn_audit_tail_line(struct jvpn_audit *audit, const char *line, size_t length)
{
	static const char refused[] = "\"event\":\"REFUSED\"";
	json_t *record = json_loadb(line, length, 0, NULL);
	json_t *seq = json_object_get(record, "seq");
	bool good = json_is_integer(seq);

	if (good) {
		audit->seq = (uint64_t)json_integer_value(seq);
		if (!memmem(line, length, refused, sizeof(refused) - 1))
			jvpn_audit_known_update(audit, record);
	}
	json_decref(record);
	return good;
}

/* A last line that only lacks its newline is a whole record. */
static bool jvpn_audit_tail_whole(const struct jvpn_audit *audit, const char *line, size_t length)
{
	json_t *record = json_loadb(line, length, 0, NULL);
	const char *prev = json_string_value(json_object_get(record, "prev"));
	char wanted[HASH_TEXT];
	bool whole;

	jvpn_util_hex_encode(audit->head, JVPN_AUDIT_HASH, wanted);
	whole = prev && !strcmp(prev, wanted);
	json_decref(record);
	return whole;
}

static int jvpn_audit_tail_scan(struct jvpn_audit *audit, FILE *file, struct jvpn_audit_tail *tail)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, file)) > 0) {
		size_t length = (size_t)n - (line[n - 1] == '\n');

		if (length == (size_t)n && !jvpn_audit_tail_whole(audit, line, length)) {
			tail->torn = line;
			tail->torn_length = length;
			return ferror(file) ? -1 : 0;
		}
		tail->torn_kept = length == (size_t)n ? length : 0;
		tail->damaged = !jvpn_audit_tail_line(audit, line, length);
		jvpn_audit_hash_line(line, length, audit->head);
		tail->end += n;
	}
	free(line);
	return ferror(file) ? -1 : 0;
}

/* Make the file end with a whole line. */
static int jvpn_audit_tail_mend(struct jvpn_audit *audit, const struct jvpn_audit_tail *tail)
{
	audit->offset = tail->end;
	if (tail->torn_length && ftruncate(audit->fd, tail->end))
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
	if (!jvpn_audit_file_lock(fd, path, err, err_size))
		return fd;
	close(fd);
	return -1;
}

static int jvpn_audit_file_read(struct jvpn_audit *audit, struct jvpn_audit_tail *tail, char *err,
				size_t err_size)
{
	int copy = fcntl(audit->fd, F_DUPFD_CLOEXEC, 0);
	FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
	int ret;

	if (!file) {
		snprintf(err, err_size, "cannot read the audit log %s: %s", audit->file,
			 strerror(errno));
		if (copy >= 0)
			close(copy);
		return -1;
	}
	ret = jvpn_audit_tail_scan(audit, file, tail) || jvpn_audit_tail_mend(audit, tail) ? -1 : 0;
	if (ret)
		snprintf(err, err_size, "cannot continue the audit log %s: %s", audit->file,
			 strerror(errno));
	fclose(file);
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
				       const struct jvpn_audit_tail *tail)
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
static int jvpn_audit_open_record(struct jvpn_audit *audit, const struct jvpn_audit_tail *tail,
				  const char *reason)
{
	json_t *record = jvpn_audit_build_note(audit, "AUDIT_OPEN", NULL,
					       jvpn_audit_open_details(audit, tail));
	char *text;
	int ret;

	if (record)
		json_object_set_new(record, "reason", json_string(reason));
	text = jvpn_audit_text(record);
	if (!text) {
		errno = ENOMEM;
		return -1;
	}
	ret = jvpn_audit_emit(audit, text);
	free(text);
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

static int jvpn_audit_file_start(struct jvpn_audit *audit, char *err, size_t err_size)
{
	struct jvpn_audit_tail tail = { };
	int ret;

	audit->fd = jvpn_audit_file_open(audit->file, err, err_size);
	if (audit->fd < 0)
		return -1;
	jvpn_audit_file_remember(audit);
	ret = jvpn_audit_file_read(audit, &tail, err, err_size);
	if (!ret && tail.torn_length)
		jvpn_warning("audit log %s: a torn last line of %zu octets was cut off",
			     audit->file, tail.torn_length);
	if (!ret && tail.damaged)
		jvpn_warning("audit log %s: the last line is not an audit record; continuing "
			     "behind it", audit->file);
	if (!ret && jvpn_audit_open_record(audit, &tail, tail.end ? "CONTINUED" : "NEW")) {
		snprintf(err, err_size, "cannot write the audit log %s: %s", audit->file,
			 strerror(errno));
		ret = -1;
	}
	free(tail.torn);
	return ret;
}

static int jvpn_audit_stream_start(struct jvpn_audit *audit, char *err, size_t err_size)
{
	const struct jvpn_audit_tail tail = { };

	audit->fd = audit->sink == JVPN_AUDIT_STDOUT ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) :
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (audit->fd >= 0 && !jvpn_audit_open_record(audit, &tail, "NEW"))
		return 0;
	snprintf(err, err_size, "cannot write the audit log to %s: %s",
		 audit->sink == JVPN_AUDIT_STDOUT ? "standard output" : "the journal (" JOURNAL ")",
		 strerror(errno));
	return -1;
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
	struct jvpn_audit_tail tail = { };
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
	close(old);
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

static int jvpn_audit_batch_write(struct jvpn_audit *audit, struct jvpn_audit_batch *batch)
{
	size_t done = 0;
	int ret = 0;

	for (; done < batch->count && !ret; done++) {
		struct jvpn_audit_item *item = &batch->items[done];

		ret = jvpn_audit_emit_lost(audit, &item->lost_before) ||
		      jvpn_audit_emit(audit, item->text) ? -1 : 0;
		if (ret)
			break;
		free(item->text);
	}
	batch->count -= done;
	memmove(batch->items, batch->items + done, batch->count * sizeof(*batch->items));
	return ret ? ret : jvpn_audit_emit_lost(audit, &batch->lost_after);
}

static void jvpn_audit_status_update(struct jvpn_audit *audit, int failed, int reason)
{
	struct jvpn_audit_status *status = &audit->status;

	status->seq = audit->seq;
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
	failed = jvpn_audit_batch_write(audit, batch);
	reason = errno;

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
	audit->known = json_object();
	audit->queue_size = options->queue_records ? options->queue_records : QUEUE_DEFAULT;
	audit->queue = calloc(audit->queue_size, sizeof(*audit->queue));
	pthread_mutex_init(&audit->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&audit->wake, &monotonic);
	pthread_cond_init(&audit->idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (audit->node && audit->known && audit->queue && (audit->file || !options->file))
		return audit;
	jvpn_audit_close(audit);
	return NULL;
}

struct jvpn_audit *jvpn_audit_open(const struct jvpn_audit_options *options, char *err,
				   size_t err_size)
{
	struct jvpn_audit *audit = jvpn_audit_alloc(options);

	if (!audit) {
		snprintf(err, err_size, "out of memory for the audit log");
		return NULL;
	}
	if (options->sink == JVPN_AUDIT_FILE ? jvpn_audit_file_start(audit, err, err_size) :
					       jvpn_audit_stream_start(audit, err, err_size))
		goto err_close;
	jvpn_audit_status_update(audit, 0, 0);
	if (jvpn_audit_start_thread(audit, err, err_size))
		goto err_close;
	return audit;

err_close:
	jvpn_audit_close(audit);
	return NULL;
}

static bool jvpn_audit_enqueue(struct jvpn_audit *audit, char *text)
{
	struct jvpn_audit_item *item;

	if (!text || audit->queue_count == audit->queue_size) {
		audit->lost_pending++;
		audit->status.lost++;
		return false;
	}
	item = &audit->queue[(audit->queue_head + audit->queue_count) % audit->queue_size];
	item->text = text;
	item->lost_before = audit->lost_pending;
	audit->lost_pending = 0;
	audit->queue_count++;
	return true;
}

int jvpn_audit_write(struct jvpn_audit *audit, json_t *record)
{
	char *text = jvpn_audit_text(record);
	bool queued;

	pthread_mutex_lock(&audit->lock);
	queued = jvpn_audit_enqueue(audit, text);
	/* While the sink fails the thread keeps to its own pace. */
	if (!*audit->status.error)
		pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
	if (queued)
		return 0;
	free(text);
	return -1;
}

bool jvpn_audit_version_known(const struct jvpn_audit *audit, const uint8_t *session_id,
			      uint64_t *version)
{
	char hex[2 * JVPN_AUDIT_SESSION_ID + 1];
	const json_t *known;

	jvpn_util_hex_encode(session_id, JVPN_AUDIT_SESSION_ID, hex);
	known = json_object_get(audit->known, hex);
	if (!known)
		return false;
	*version = (uint64_t)json_integer_value(json_object_get(known, "state_version"));
	return true;
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

void jvpn_audit_known_each(const struct jvpn_audit *audit, jvpn_audit_known_visit visit,
			   void *context)
{
	uint8_t session_id[JVPN_AUDIT_SESSION_ID];
	const char *hex;
	json_t *record;

	json_object_foreach(audit->known, hex, record) {
		struct jvpn_audit_known known = { .session_id = session_id };
		int state = jvpn_state_parse(jvpn_audit_known_text(record, "to"));

		if (state < 0 || !jvpn_util_hex_decode(hex, session_id, sizeof(session_id)))
			continue;
		known.state = (uint32_t)state;
		jvpn_audit_known_fill(&known, record);
		visit(context, &known);
	}
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
	json_decref(audit->known);
	free(audit->queue);
	free(audit->node);
	free(audit->file);
	free(audit);
	return true;
}
