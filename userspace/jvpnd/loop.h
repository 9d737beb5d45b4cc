/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_LOOP_H
#define JVPND_LOOP_H

/* The event loop: what wakes the daemon up, and who is called then. */

#include "jvpnd.h"

/* From now on control packets come here. False with a sentence in error. */
bool loop_open(struct jvpnd *d, char *error, size_t error_size);
/*
 * Close every handle and let what is under way come to its end, for a quarter of a second. False
 * if something did not: a worker is still at it, and nobody may wait for the process's threads.
 */
bool loop_close(struct jvpnd *d);

#endif
