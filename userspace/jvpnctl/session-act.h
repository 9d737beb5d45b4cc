/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPNCTL_SESSION_ACT_H
#define JVPNCTL_SESSION_ACT_H

#include "ctl.h"

/*
 * Ask the daemon of a session's device to do something with the session of argument
 * 0. params (stolen) gets its session_id.
 */
int session_act(struct ctl *ctl, const char *method, json_t *params, int timeout_ms,
		void (*print)(const json_t *result));

#endif
