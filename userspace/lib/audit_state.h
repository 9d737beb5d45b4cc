/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_AUDIT_STATE_H
#define JVPN_AUDIT_STATE_H

/*
 * What the audit log holds, remembered apart from its file: where it ends (number and
 * hash of the last line, and in which file that stands), and the last record of each
 * session. So a file may be rotated while nobody writes it, and need not be read to
 * know what is in it.
 *
 * A small database in the runtime directory: it outlives the daemon, not the machine.
 * The writer's thread changes it after each batch of lines; what a killed daemon had
 * written and not remembered is at most one batch, which the end of the file tells
 * (audit_trail.h). Any thread may ask.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit.h"

struct jvpn_audit_state;

/* Where the log ends. Of one machine and one build. */
struct jvpn_audit_head {
	uint8_t stream[JVPN_AUDIT_HASH];	/* which log: sink, file and node */
	uint64_t seq;
	uint8_t hash[JVPN_AUDIT_HASH];
	uint64_t device, inode, offset;		/* sink file: behind the last line */
};

/* 0, or -1 with a sentence. */
int jvpn_audit_state_open(const char *path, struct jvpn_audit_state **state, char *err,
			  size_t err_size);
void jvpn_audit_state_close(struct jvpn_audit_state *state);

/* False if there is none, or one of another stream, of which everything is forgotten then. */
bool jvpn_audit_state_head(struct jvpn_audit_state *state, const uint8_t *stream,
			   struct jvpn_audit_head *head);

/* One session's part of a change. line NULL: it is forgotten. */
struct jvpn_audit_memory {
	uint8_t id[JVPN_AUDIT_SESSION_ID];
	const char *line;
};

/* All of it or nothing. Returns 0 or a negative errno. */
int jvpn_audit_state_change(struct jvpn_audit_state *state, const struct jvpn_audit_head *head,
			    const struct jvpn_audit_memory *list, size_t count);

/* Records that were given up when the log was closed, and are not told of in it yet. */
uint64_t jvpn_audit_state_lost(struct jvpn_audit_state *state, const uint8_t *stream);
/* Returns 0 or a negative errno. */
int jvpn_audit_state_lost_set(struct jvpn_audit_state *state, const uint8_t *stream,
			      uint64_t lost);

/* The last record of a session, to be freed; NULL if there is none. */
char *jvpn_audit_state_get(struct jvpn_audit_state *state, const uint8_t *id);

/* The visitor must not ask for more. */
typedef void (*jvpn_audit_state_visit)(void *context, const uint8_t *id, const char *line);
/* Those behind the cursor, most at once; how many there were. */
size_t jvpn_audit_state_each(struct jvpn_audit_state *state, struct jvpn_audit_cursor *cursor,
			     size_t most, jvpn_audit_state_visit visit, void *context);

#endif /* JVPN_AUDIT_STATE_H */
