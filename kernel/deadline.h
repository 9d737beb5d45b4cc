/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deadlines: what ends by time alone, without the daemon. One timer for each
 * session, on CLOCK_BOOTTIME so that a suspended machine does not stretch them.
 */
#ifndef JVPN_DEADLINE_H
#define JVPN_DEADLINE_H

#include <linux/types.h>

struct jvpn_session;

void jvpn_deadline_init(struct jvpn_session *s);

/* Start the timer for the earliest deadline. Session locked. */
void jvpn_deadline_arm_locked(struct jvpn_session *s);

/* Apply whatever is due, in the order of priority. Session locked. */
void jvpn_deadline_run_locked(struct jvpn_session *s, u64 now_ms);

#endif
