/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_METHODS_H
#define JVPND_METHODS_H

/* What can be asked over the control socket; context is struct jvpnd. */

#include "control.h"

extern const struct control_method methods[];

#endif
