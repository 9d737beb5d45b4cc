/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the audit log's writer share: its state, the sinks, and the file that it
 * writes. audit.h is for everybody else.
 *
 * Locking: audit->lock guards the queue, the counters and the flags. What the
 * thread alone uses (fd, offset, seq, head) is its own while it runs; seq and head
 * are copied under the lock for jvpn_audit_status(). Writes happen without the lock.
 */
#ifndef JVPN_AUDIT_WRITER_H
#define JVPN_AUDIT_WRITER_H

#include <pthread.h>
#include <sys/types.h>

#include "audit.h"
#include "audit_state.h"
#include "audit_trail.h"

/* Lines that can be written again if a rotation lost them. */
#define JVPN_AUDIT_RECENT 1024
#define JVPN_AUDIT_JOURNAL_PATH "/run/systemd/journal/socket"

struct jvpn_audit_item {
	char *text;			/* the record, without seq and prev; NULL: forget id */
	uint64_t lost_before;
	bool is_session;		/* of id, whose last record it is from now on */
	uint8_t id[JVPN_AUDIT_SESSION_ID];
	uint64_t seq;			/* once it is written */
};

struct jvpn_audit {
	enum jvpn_audit_sink sink;
	char *file;
	char *node;
	struct jvpn_audit_state *state;	/* NULL: nothing is remembered */
	uint8_t stream[JVPN_AUDIT_HASH];
	bool forgetful;			/* there should be a state, and is none */
	bool past_known;		/* the state tells of all sessions of the log */
	bool wait;			/* a file that cannot be opened is tried again */

	int fd;				/* file, stdout or journal socket; -1: not open yet */
	off_t offset;			/* sink file: where the next line begins */
	ino_t inode;
	dev_t device;
	uint64_t seq;
	uint8_t head[JVPN_AUDIT_HASH];
	bool torn;			/* stdout: the last write ended within a line */
	struct jvpn_audit_item recent[JVPN_AUDIT_RECENT];	/* texts by seq, for a file that is cut off */
	uint64_t octets;		/* of files, read */
	uint64_t opened_seq;		/* of the record that its opening wrote */
	bool was_empty;			/* the log, before that record */
	bool owes;			/* the state holds a number of lost records */
	struct jvpn_audit_head begun;	/* what was remembered before it was opened */

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

/* --- audit-sink.c: one record to wherever the log goes, and what is remembered of it ------- */

/* The text of a record, which is freed; NULL: no memory. The caller frees the text. */
char *jvpn_audit_text(json_t *record);
/* 0, or -1 (errno) and nothing has changed. */
int jvpn_audit_emit(struct jvpn_audit *audit, const char *text);
/* A LOST record if *lost is not 0, which it is then. -1 (errno): nothing has changed. */
int jvpn_audit_emit_lost(struct jvpn_audit *audit, uint64_t *lost);
int jvpn_audit_file_write(struct jvpn_audit *audit, const char *data, size_t length);
/* Where the log ends now, and the last records of these sessions. */
void jvpn_audit_remember(struct jvpn_audit *audit, const struct jvpn_audit_memory *list,
			 size_t count);
/* Does it tell in which state and version a session is? Then its id. */
bool jvpn_audit_record_session(const json_t *record, uint8_t id[JVPN_AUDIT_SESSION_ID]);

/* --- audit-file.c: opening a file, and continuing what is in it ----------------------------- */

int jvpn_audit_file_open(const char *path, char *err, size_t err_size);
/* fd is another file from now on. */
void jvpn_audit_file_remember(struct jvpn_audit *audit);
/* -1 with a sentence: it is as if nothing had been tried. */
int jvpn_audit_file_start(struct jvpn_audit *audit, const struct jvpn_audit_head *head,
			  char *err, size_t err_size);
/* The first record after each open: AUDIT_OPEN. */
json_t *jvpn_audit_open_build(const struct jvpn_audit *audit,
			      const struct jvpn_audit_trail *tail, const char *reason);
int jvpn_audit_open_record(struct jvpn_audit *audit, const struct jvpn_audit_trail *tail,
			   const char *reason);

/* --- audit-rotate.c: a file that was renamed, or copied and cut off, meanwhile --------------- */

void jvpn_audit_file_reopen(struct jvpn_audit *audit);
/* -1 (errno): it was cut off, and cannot be continued yet. */
int jvpn_audit_file_check(struct jvpn_audit *audit);
/* A line that was written, with its seq; its text is kept. */
void jvpn_audit_recent_add(struct jvpn_audit *audit, struct jvpn_audit_item *item);

#endif
