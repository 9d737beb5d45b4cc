/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_DEVICE_H
#define JVPND_DEVICE_H

/* The jvpn link itself: made if it is not there, set up, and its inner addresses. */

#include "jvpnd.h"
#include "rtnl.h"

/* Make sure that the link exists and is up; fills d->ifindex. */
int device_open(struct jvpnd *d, struct jvpn_rtnl *rtnl, char *error, size_t error_size);
/* Put the configured addresses on it; one that cannot be had is told as lacking (lack.h). */
void device_addresses_apply(struct jvpnd *d);
/* Follow a new configuration: MTU, addresses that are not in it; device_addresses_apply() later. */
void device_reload(struct jvpnd *d, struct jvpn_rtnl *rtnl, const struct jvpn_config *config);

#endif
