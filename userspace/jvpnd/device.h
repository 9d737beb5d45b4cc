/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_DEVICE_H
#define JVPND_DEVICE_H

/* The jvpn link itself: made if it is not there, and set up. */

#include "jvpnd.h"
#include "rtnl.h"

/* Make sure that the link exists and is up; fills d->ifindex. */
int device_open(struct jvpnd *d, struct jvpn_rtnl *rtnl, char *error, size_t error_size);
/* Set it up again, with the MTU that the configuration says, or down if it is to be. Returns whether it was not so. */
bool device_follow(struct jvpnd *d);

#endif
