/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the Promela models: the properties, and the project's own transition function.
 *
 * names.h (states and counts, from uapi/linux/jvpn.h) and table.h (the table of
 * Documentation/state-machine.md) are written by tools/model/run beside a copy of this file.
 */
#include "names.h"

/* A run asserts all properties, or with -DONLY=PROP_x that one alone. */
#define PROP_ALL 0
#define PROP_NONE 99
#define PROP_I1 1
#define PROP_I2 2
#define PROP_I3 3
#define PROP_I4 4
#define PROP_I5 5
#define PROP_S1 11
#define PROP_S2 12
#define PROP_S3 13
#define PROP_S4 14
#define PROP_S5 15
#define PROP_P1 21
#define PROP_P2 22
#define PROP_P3 23
#define PROP_P4 24
#define PROP_P5 25
#define PROP_P6 26
#define PROP_P7 27
#define PROP_P8 28
#define PROP_P9 29
#define PROP_P10 30
#define PROP_P11 31
#define PROP_P12 32
#define PROP_TABLE 41
#define PROP_PRIO 42
#ifndef ONLY
#define ONLY PROP_ALL
#endif
#define MUST(p, e) assert(!(ONLY == PROP_ALL || ONLY == PROP_##p) || (e))

c_decl {
\#include "fsm.h"
\#include "limits.h"

/* The project's function; here a refused transition is told apart by REFUSED. */
\#define REFUSED 255
static int model_next(int state, int event, int reason)
{
	u32 next = REFUSED;

	return jvpn_fsm_next(state, event, reason, &next) ? REFUSED : (int)next;
}
};

/* Applies a transition to the variable "st"; "went" tells whether the table has it. */
#define TRANSITION(event, reason)							\
	c_code {									\
		int to = model_next(now.st, JVPN_EVENT_##event, JVPN_REASON_##reason);	\
											\
		now.went = to != REFUSED;						\
		if (now.went)								\
			now.st = to;							\
	}
/* Value of a C function without side effects; Spin wants the brackets. */
#define ASK(call) c_expr { (call) }

#define BOUND(state) (state == ATTACHED || state == VOLATILE)
#define UNBOUND(state) (state == RECOVERING || state == DEGRADED)
