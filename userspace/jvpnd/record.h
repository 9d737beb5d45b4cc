/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_RECORD_H
#define JVPND_RECORD_H

/*
 * A session's record in the store: what a restarted daemon needs to go on with
 * it, and cannot ask the kernel for. Written after the kernel's table changed
 * (the kernel's compare-and-swap is the commit), except for a new session,
 * whose record comes first: a record without a session is thrown away, a
 * session without a record cannot be reattached.
 */

#include <stdbool.h>

#include "jvpnd.h"
#include "session.h"

/* False, with the reason logged, if the session can not be recorded. */
bool record_save(struct jvpnd *d, struct session *s);
/* The same, unless the store has it as it is. */
void record_update(struct jvpnd *d, struct session *s);
/* False if there is no record that opens. Fills all that the kernel does not know. */
bool record_load(struct jvpnd *d, struct session *s);
void record_delete(struct jvpnd *d, struct session *s);

/* Throw away the records of sessions that are not in the daemon's table. */
void record_sweep(struct jvpnd *d);

#endif
