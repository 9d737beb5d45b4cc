/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Data keys do not outlive a moment at which the machine's memory may be copied:
 * suspend, hibernation, the snapshot of a virtual machine. Two machines that go
 * on from one image would seal different packets under one key and counter.
 *
 * All bindings are given up and wiped, and while the machine is on its way to
 * sleep no new keys are taken. The sessions stay: daemons bind them again. They
 * are told (host-ntf) when the machine is back, before it takes keys: what they
 * had made to be used once may be in two machines, too.
 */
#ifndef JVPN_POWER_H
#define JVPN_POWER_H

#include <linux/types.h>

int jvpn_power_init(void);
void jvpn_power_exit(void);

/* Keys that are taken now would sleep in memory. */
bool jvpn_power_suspended(void);

#endif
