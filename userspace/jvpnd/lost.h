/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_LOST_H
#define JVPND_LOST_H

#include "jvpnd.h"

/*
 * Sessions that are alive in the audit log and that the kernel does not have: their end is
 * recorded, a part of them in each turn of the loop and no faster than the log is written. What
 * the daemon's own end cuts short the next start finds again.
 */
int lost_open(struct jvpnd *d);
/* Once the kernel's sessions are adopted. */
void lost_record(struct jvpnd *d);
void lost_close(struct jvpnd *d);

#endif
