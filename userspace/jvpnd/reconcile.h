/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_RECONCILE_H
#define JVPND_RECONCILE_H

/*
 * Making the daemon's table equal to the kernel's: at start, after events were
 * lost, and every 30 seconds. A difference is a normal event.
 *
 *   in the kernel, not here     adopted, with its record if there is one
 *   here and there              read again; transitions not seen are caught up
 *   here, not in the kernel     vanished: the device or somebody removed it
 *   a record without a session  thrown away
 */

#include "jvpnd.h"

/*
 * When to read everything again after events were lost: once a flood of them has passed, but after
 * half a second at the latest, and not for a larger part of the time than one fifth.
 */
struct reconcile_pace {
	uint64_t asked_ms;		/* since when somebody waits for it; 0: nobody does */
	uint64_t ended_ms;		/* the last time */
	uint64_t took_ms;		/* and how long it took */
};

/* Somebody asks. Returns when it is due. */
uint64_t reconcile_pace_ask(struct reconcile_pace *pace, uint64_t now_ms);
void reconcile_pace_done(struct reconcile_pace *pace, uint64_t began_ms, uint64_t now_ms);

int reconcile_open(struct jvpnd *d);
void reconcile_close(struct jvpnd *d);

/* Now. 0, or a negative errno if the kernel's table cannot be read. */
int reconcile_run(struct jvpnd *d);
/* When its pace says. */
void reconcile_soon(struct jvpnd *d);

#endif
