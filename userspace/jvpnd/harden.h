/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_HARDEN_H
#define JVPND_HARDEN_H

/*
 * Keep secrets inside the process: no core dumps, no ptrace by the same user,
 * no swap for what is locked, and no capability that the daemon does not use.
 * What the system refuses is logged and not fatal, but for the core dumps.
 */
int harden_process(void);

#endif
