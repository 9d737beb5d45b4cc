/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPNCTL_KERNEL_H
#define JVPNCTL_KERNEL_H

/* What the kernel's table says, whether the daemon runs or not. */

#include "ctl.h"
#include "nl.h"

struct kernel {
	struct jvpn_nl *nl;
	struct jvpn_nl_device *devices;	/* those of -i, or all */
	size_t n_devices;
};

/* CTL_OK, or the exit code of what was reported. */
int kernel_open(const struct ctl *ctl, struct kernel *kernel);
void kernel_close(struct kernel *kernel);

/* Visit the sessions of all these devices. *torn: they changed all the time. */
int kernel_sessions_visit(const struct ctl *ctl, struct kernel *kernel,
			  jvpn_nl_session_visit visit, void *context, bool *torn);

/*
 * The session whose id begins so. Fails with a report if there is none, or more than
 * one. session is large: it is allocated, and the caller's.
 */
int kernel_session_find(const struct ctl *ctl, struct kernel *kernel, const char *prefix,
			struct jvpn_nl_session **session);

const struct jvpn_nl_device *kernel_device_of(const struct kernel *kernel, uint64_t device_id);

/*
 * The device for verbs that ask the daemon: of -i, else the only one there is, else
 * jvpn0. Never fails: the socket will tell.
 */
const char *kernel_device_guess(const struct ctl *ctl, char *name, size_t size);

/* Has somebody registered for this device's control packets? Whatever his socket does. */
bool kernel_daemon_runs(const char *device);

/* "running", or why not. Returns buf. */
const char *kernel_daemon_state(const struct ctl *ctl, const struct jvpn_nl_device *device,
				char *buf, size_t size);

#endif
