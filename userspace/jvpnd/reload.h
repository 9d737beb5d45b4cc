/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_RELOAD_H
#define JVPND_RELOAD_H

#include "jvpnd.h"

/*
 * Read the configuration again: as a whole, or not at all with a sentence in
 * error. Sessions keep the policy that they began with.
 */
int reload_run(struct jvpnd *d, char *error, size_t error_size);

/* The bounds of all policies, for those who read the audit log. */
void reload_policies_record(struct jvpnd *d, const struct jvpn_config *config);

#endif
