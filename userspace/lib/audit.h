/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_AUDIT_H
#define JVPN_AUDIT_H

/*
 * The audit log: one JSON object a line, every transition and every refusal.
 *
 * Objects: a writer (struct jvpn_audit) owns a bounded queue and one thread.
 * Callers build a record and queue it; only the thread touches the file, so a
 * slow disk never delays the caller. When the queue is full or the sink fails,
 * records are lost and a LOST record with their number takes their place.
 *
 * The thread numbers the lines (seq) and links them (prev = BLAKE2b-256 of the
 * line before, without its newline), so that a removed, altered, doubled or
 * inserted line is found by jvpn_audit_verify. The chain has no key: it shows
 * accidents and clumsy hands; against somebody who rewrites the whole file, keep
 * the head (jvpn_audit_status) elsewhere.
 *
 * The format is described in Documentation/audit.md.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"

#define JVPN_AUDIT_HASH		32
#define JVPN_AUDIT_SESSION_ID	16

struct jvpn_audit;

enum jvpn_audit_sink {
	JVPN_AUDIT_FILE,		/* appended to, mode 0640 */
	JVPN_AUDIT_STDOUT,
	JVPN_AUDIT_JOURNAL,		/* the native socket of the system journal */
};

struct jvpn_audit_options {
	enum jvpn_audit_sink sink;
	const char *file;		/* sink file only */
	const char *node;		/* in every record */
	/*
	 * Where to remember what the log holds, in memory (audit_state.h); NULL: nowhere, so
	 * that no session's past is known to a later run.
	 */
	const char *state;
	size_t queue_records;		/* 0: 8192 */
	/*
	 * A file that cannot be opened is no failure: the thread tries it again each second,
	 * records wait, and jvpn_audit_status() says why. Nor is a state that cannot be.
	 */
	bool wait;
};

/* One transport as it stands in records. address texts as of jvpn_addr_format(). */
struct jvpn_audit_transport {
	const char *name;		/* client: name of the candidate; NULL none */
	const char *protocol;		/* "udp4", "udp6" */
	const char *interface;		/* NULL if not bound to one */
	const char *local;		/* "addr:port", "[addr]:port"; NULL unknown */
	const char *remote;
};

/*
 * One applied transition. Numbers are those of uapi/linux/jvpn.h. Times are those
 * of the transition (the kernel's), 0 for now.
 */
struct jvpn_audit_transition {
	const uint8_t *session_id;	/* JVPN_AUDIT_SESSION_ID octets */
	uint64_t version;		/* after the transition */
	uint32_t from;			/* enum jvpn_state */
	uint32_t to;
	uint32_t event;			/* enum jvpn_event */
	uint32_t reason;		/* enum jvpn_reason */
	uint32_t epoch;			/* after the transition */
	bool by_kernel;			/* origin: kernel, else daemon */
	const char *policy;
	uint32_t policy_version;
	/* The binding after the transition; NULL if the state after has none. */
	const struct jvpn_audit_transport *transport;
	/* The binding that the transition ended; NULL if it ended none. */
	const struct jvpn_audit_transport *lost;
	uint64_t ts_ms;			/* CLOCK_REALTIME */
	uint64_t boot_ms;		/* CLOCK_BOOTTIME */
	json_t *details;		/* stolen; NULL none */
};

/* One refused request. What is not known stays NULL or 0. */
struct jvpn_audit_refusal {
	const uint8_t *session_id;	/* NULL: the request named none that exists */
	uint32_t reject;		/* enum jvpn_reject */
	const char *request;		/* "INIT", "REQUEST", "PROOF", "session.jump", ... */
	uint32_t state;			/* current, if session_id is set */
	uint64_t version;		/* current, if session_id is set */
	const char *policy;
	uint32_t policy_version;
	const struct jvpn_audit_transport *transport;	/* where it came from */
	uint64_t count;			/* like requests that this record stands for; 0 is 1 */
	json_t *details;		/* stolen */
};

/*
 * A session found alive in the kernel's table whose past this stream does not hold
 * (daemon restarted with a new file, or more transitions missed than the kernel
 * remembers). State, version and transport are those found.
 */
struct jvpn_audit_adoption {
	const uint8_t *session_id;
	uint32_t state;
	uint64_t version;
	uint32_t epoch;
	const char *policy;
	uint32_t policy_version;
	const struct jvpn_audit_transport *transport;
	uint64_t missed;		/* transitions known to have happened unrecorded */
	bool missed_unknown;		/* what the log holds of it is not known */
	uint64_t loss_since_boot_ms;	/* unbound states: when the binding was lost; 0 unknown */
	json_t *details;		/* stolen */
};

/*
 * Builders: the record as it will be written, but for seq and prev. NULL when out
 * of memory. For the stream of events as well as for jvpn_audit_write().
 */
json_t *jvpn_audit_build_transition(const struct jvpn_audit *audit,
				    const struct jvpn_audit_transition *transition);
json_t *jvpn_audit_build_refusal(const struct jvpn_audit *audit,
				 const struct jvpn_audit_refusal *refusal);
json_t *jvpn_audit_build_adoption(const struct jvpn_audit *audit,
				  const struct jvpn_audit_adoption *adoption);
/* The bounds of a policy, so that a verifier can hold sessions to them. Write it before use. */
json_t *jvpn_audit_build_policy(const struct jvpn_audit *audit,
				const struct jvpn_policy_def *policy);
/*
 * Anything else that belongs in the log: "DAEMON_START", "DAEMON_STOP", "CONFIG_RELOAD",
 * "EPOCH", "HEALTH", ... Not one of the names above. session_id and details may be NULL;
 * details is stolen.
 */
json_t *jvpn_audit_build_note(const struct jvpn_audit *audit, const char *event,
			      const uint8_t *session_id, json_t *details);

/*
 * NULL with a sentence in err on failure. The log is continued, wherever its last line
 * stands: in the file, or in the one that this was rotated to. Of a file no more than
 * its end is read. A torn last line is cut off and reported in the AUDIT_OPEN record
 * that each open writes. A file that is no audit log is refused and left as it is. Records that
 * the last writer could not write are told of by a LOST record.
 */
struct jvpn_audit *jvpn_audit_open(const struct jvpn_audit_options *options,
				   char *err, size_t err_size);

/*
 * Queue a record; steals it. Never blocks. Returns 0, or -1 if it was lost (counted;
 * also for record == NULL).
 */
int jvpn_audit_write(struct jvpn_audit *audit, json_t *record);

enum jvpn_audit_past {
	JVPN_AUDIT_PAST_NONE,		/* the log does not know the session */
	JVPN_AUDIT_PAST_KNOWN,
	JVPN_AUDIT_PAST_UNKNOWN,	/* it may hold records of it */
};

/*
 * The last version of a session that is in the log. Lets a restarted daemon write
 * exactly the transitions that are missing.
 */
enum jvpn_audit_past jvpn_audit_version_known(const struct jvpn_audit *audit,
					      const uint8_t *session_id, uint64_t *version);
/* Nobody will ask for this session again. */
void jvpn_audit_forget(struct jvpn_audit *audit, const uint8_t *session_id);

/* The last that the log holds of a session; it may be terminated. */
struct jvpn_audit_known {
	const uint8_t *session_id;
	uint32_t state;
	uint64_t version;
	uint32_t epoch;
	const char *policy;
	uint32_t policy_version;
	bool bound;
	struct jvpn_audit_transport transport;	/* if bound */
};

/* The visitor may write records, and ask nothing. */
typedef void (*jvpn_audit_known_visit)(void *context, const struct jvpn_audit_known *known);
/* Where a walk over the known sessions is; all zero: before the first. */
struct jvpn_audit_cursor {
	bool begun;
	uint8_t id[JVPN_AUDIT_SESSION_ID];
};

/*
 * Those behind the cursor in the order of their ids, at most so many at once: the log is not
 * written meanwhile. Returns how many there were; fewer than that: these were the last.
 */
size_t jvpn_audit_known_each(const struct jvpn_audit *audit, struct jvpn_audit_cursor *cursor,
			     size_t most, jvpn_audit_known_visit visit, void *context);

/*
 * Ask the thread to open the file anew, after rotation; nothing happens if the path
 * still names the open file. Not for signal handlers.
 */
void jvpn_audit_reopen(struct jvpn_audit *audit);

/* Wait until all that is queued is written, at most timeout_ms. 0, or -1 on timeout. */
int jvpn_audit_flush(struct jvpn_audit *audit, unsigned int timeout_ms);

/*
 * Flush (a third of a second at most), close, free. NULL is fine. False if the thread is held up in
 * a write: it and what it uses are left behind, and nobody may wait for it.
 */
bool jvpn_audit_close(struct jvpn_audit *audit);

struct jvpn_audit_status {
	uint64_t seq;			/* of the last line written */
	uint8_t head[JVPN_AUDIT_HASH];	/* its hash: what the next line's prev will be */
	size_t queued;
	uint64_t lost;			/* since open */
	uint64_t octets_read;		/* of log files, by the open */
	char error[256];		/* why the sink fails now; "" if it does not */
};

void jvpn_audit_status(struct jvpn_audit *audit, struct jvpn_audit_status *status);

const char *jvpn_audit_node(const struct jvpn_audit *audit);

/* Shared with the verifier. */
void jvpn_audit_hash_line(const char *line, size_t length, uint8_t hash[JVPN_AUDIT_HASH]);

#endif /* JVPN_AUDIT_H */
