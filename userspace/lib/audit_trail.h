/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_AUDIT_TRAIL_H
#define JVPN_AUDIT_TRAIL_H

/*
 * Where an audit log ends: in its file, and in those it was rotated to. However long
 * a file is, no more of it is read than its last JVPN_AUDIT_TRAIL_MAX octets.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit_state.h"

#define JVPN_AUDIT_TRAIL_MAX	65536
/* Files that a log was rotated to, looked at; the rest is too old to be its end. */
#define JVPN_AUDIT_TRAIL_FILES	16

/* A whole line that is a record. */
typedef void (*jvpn_audit_trail_line)(void *context, const json_t *record, uint64_t seq,
				      const char *line);

/**
 * struct jvpn_audit_trail - the end of a file
 * @seq: of the last record; before: what is known already
 * @hash: of the last line; before: what is known already
 * @end: behind the last whole line
 * @torn_length: octets behind it; it is no line
 * @torn_kept: not 0: the last line was whole, but for its newline
 * @damaged: the last whole line is no record
 * @foreign: what is torn is not how a record begins
 * @node: who wrote the last record
 * @octets: read
 */
struct jvpn_audit_trail {
	uint64_t seq;
	uint8_t hash[JVPN_AUDIT_HASH];
	uint64_t end;
	size_t torn_length;
	size_t torn_kept;
	bool damaged;
	bool foreign;
	char node[64];
	uint64_t octets;
	jvpn_audit_trail_line visit;
	void *context;
};

/* From this offset to the end. 0, or -1 with errno. */
int jvpn_audit_trail_read(struct jvpn_audit_trail *trail, int fd, uint64_t from);
/* Empty, or it begins as a log does. */
bool jvpn_audit_trail_is_log(struct jvpn_audit_trail *trail, int fd);
/*
 * Among the files that path was rotated to (path.1, path-20260131, ...), the one with
 * the end of the log of this node that head is of; head->seq 0 if that is not known.
 * Reads it as jvpn_audit_trail_read() would. False if there is none.
 */
bool jvpn_audit_trail_find(struct jvpn_audit_trail *trail, const char *path, const char *node,
			   const struct jvpn_audit_head *head);

#endif /* JVPN_AUDIT_TRAIL_H */
