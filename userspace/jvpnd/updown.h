/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_UPDOWN_H
#define JVPND_UPDOWN_H

/*
 * The operator takes the tunnel down, and up again. Down means: no session, nobody is let in or
 * called, the device is down, and the system has no address, route or rule of ours. So nothing is
 * blocked either. It is so until it is taken up, or the daemon starts again.
 */

#include "jvpnd.h"

/* Returns how many sessions have ended. */
unsigned int updown_down(struct jvpnd *d);
void updown_up(struct jvpnd *d);

#endif
