/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_RETRY_H
#define JVPND_RETRY_H

struct jvpnd;

/* Open what is optional, and try what cannot be had (lack.h) again and again. */
void retry_start(struct jvpnd *d);

#endif
