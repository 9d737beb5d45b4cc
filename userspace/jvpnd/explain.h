/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_EXPLAIN_H
#define JVPND_EXPLAIN_H

/* What the daemon has in mind for a session: sentences, for people. */

#include "session.h"

json_t *explain_session(struct jvpnd *d, struct session *s);

#endif
