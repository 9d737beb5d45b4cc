/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_LACK_H
#define JVPND_LACK_H

/*
 * What is configured and cannot be had now: a listen address that is not there yet, a route
 * that another interface has, an audit log on a full disk. None of it keeps the daemon from
 * serving what it can. Each is told once when it begins and when it ends, stands in "status"
 * meanwhile, and is tried again.
 */

#include <jansson.h>
#include <stdbool.h>

struct jvpnd;

enum lack_kind {
	LACK_LISTEN,
	LACK_SYSTEM,
	LACK_CONTROL,
	LACK_KINDS,
};

/* Between these two all of a kind is said anew: what is not said any longer has ended. */
void lacks_begin(enum lack_kind kind);
void lacks_end(enum lack_kind kind);

/*
 * what: "listen 192.0.2.1:51900"; why: how it fails and how to mend it. What is said first of the
 * same counts.
 */
__attribute__((format(printf, 3, 4)))
void lack_say(enum lack_kind kind, const char *what, const char *why, ...);
/* NULL: it is not lacking. */
const char *lack_why(enum lack_kind kind, const char *what);
bool lacks_any(enum lack_kind kind);

/* Sentences, for people. */
json_t *lacks_json_of(enum lack_kind kind);
/* All of them. */
json_t *lacks_json(const struct jvpnd *d);
void lacks_free(void);

#endif
