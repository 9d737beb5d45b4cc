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

int reconcile_open(struct jvpnd *d);
void reconcile_close(struct jvpnd *d);

/* Now. 0, or a negative errno if the kernel's table cannot be read. */
int reconcile_run(struct jvpnd *d);
/* Once this turn of the loop is over. */
void reconcile_soon(struct jvpnd *d);

#endif
