/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_BOUNDS_H
#define JVPND_BOUNDS_H

/*
 * The recovery window: a session that is RECOVERING for longer than its policy
 * allows becomes DEGRADED. One timer, armed for the earliest window; sessions
 * in any other state cost nothing, those that are RECOVERING the logarithm of
 * their number. (The time limits of a session's life are the kernel's.)
 */

#include <uv.h>

#include "heap.h"
#include "jvpnd.h"

/* Windows that may end in one turn of the loop: a gateway's sessions lose their uplink together. */
#define BOUNDS_BUDGET 256

struct bounds {
	struct jvpnd *d;
	struct jvpn_heap windows;	/* by their ends */
	uint64_t armed_ms;		/* for which end; 0: for none */
	uv_timer_t timer;
};

void bounds_open(struct bounds *bounds, struct jvpnd *d);

/* The session's state may have changed. */
void bounds_update(struct bounds *bounds, struct session *s);

/* Windows that have ended, BOUNDS_BUDGET at most. Returns whether there are more. */
bool bounds_expire(struct bounds *bounds, uint64_t now_ms);

#endif
