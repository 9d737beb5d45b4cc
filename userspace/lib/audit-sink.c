// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "audit-writer.h"
#include "log.h"
#include "util.h"

#define RETRY_MS	1000
#define HASH_TEXT	(2 * JVPN_AUDIT_HASH + 1)

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

char *jvpn_audit_text(json_t *record)
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
int jvpn_audit_file_write(struct jvpn_audit *audit, const char *data, size_t length)
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
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JVPN_AUDIT_JOURNAL_PATH };
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
int jvpn_audit_emit(struct jvpn_audit *audit, const char *text)
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

/* On failure what is left of the batch stays in it. */
int jvpn_audit_emit_lost(struct jvpn_audit *audit, uint64_t *lost)
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
	if (ret)
		return ret;
	*lost = 0;
	if (audit->owes)
		audit->owes = jvpn_audit_state_lost_set(audit->state, audit->stream, 0);
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

void jvpn_audit_remember(struct jvpn_audit *audit, const struct jvpn_audit_memory *list,
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
bool jvpn_audit_record_session(const json_t *record, uint8_t id[JVPN_AUDIT_SESSION_ID])
{
	const char *hex = json_string_value(json_object_get(record, "session_id"));
	const char *event = json_string_value(json_object_get(record, "event"));

	return hex && event && strcmp(event, "REFUSED") && json_object_get(record, "to") &&
	       json_is_integer(json_object_get(record, "state_version")) &&
	       jvpn_util_hex_decode(hex, id, JVPN_AUDIT_SESSION_ID);
}
