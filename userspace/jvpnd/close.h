/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_CLOSE_H
#define JVPND_CLOSE_H

/*
 * CTRL messages of an established session: CLOSE, by which one end tells the
 * other that the session is over. It is sent once: if it is lost, the other
 * end finds out by itself, later.
 */

#include "jvpnd.h"

/* Before the session is terminated. */
void close_send(struct jvpnd *d, struct session *s);
void close_receive(struct jvpnd *d, const struct kernel_packet *packet);

#endif
