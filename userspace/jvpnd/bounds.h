/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_BOUNDS_H
#define JVPND_BOUNDS_H

/*
 * The recovery window: a session that is RECOVERING for longer than its policy
 * allows becomes DEGRADED. One timer, armed for the earliest window; sessions
 * in any other state cost nothing. (The time limits of a session's life are
 * the kernel's.)
 */

#include <sys/queue.h>
#include <uv.h>

#include "jvpnd.h"

TAILQ_HEAD(bounds_list, session);

struct bounds {
	struct jvpnd *d;
	struct bounds_list windows;	/* in no order */
	uv_timer_t timer;
};

void bounds_open(struct bounds *bounds, struct jvpnd *d);

/* The session's state may have changed. */
void bounds_update(struct bounds *bounds, struct session *s);

#endif
