/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_HARDEN_H
#define JVPND_HARDEN_H

/*
 * What the daemon gives up, so that who takes it over has little: dumps, swap, privileges and
 * system calls that it does not use. All of it holds for the thread that calls, so it comes
 * before any other thread is made.
 */

#include <stdbool.h>

#include "config.h"

/* No core dumps, no ptrace by the same user, no new privileges. False: they cannot be had. */
bool harden_process(void);
/* What has been touched stays out of swap: keys lie in sessions, stacks, buffers. Else says so. */
void harden_memory(void);
/*
 * Root becomes this user (NULL: jvpn if there is one), and what is there of this configuration
 * becomes the user's; whoever it is keeps the capabilities that the configuration needs. False
 * with the reason logged.
 */
bool harden_user(const struct jvpn_config *config, const char *user);
/* System calls that no part of the daemon needs are refused, EPERM. */
void harden_syscalls(void);

#endif
