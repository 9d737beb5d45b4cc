/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_REFUSAL_H
#define JVPND_REFUSAL_H

/*
 * Refusals: each one counted, and written to the audit log without letting an
 * outsider fill it. The first of a kind is written at once, those that follow
 * within a second are counted and written together. Kinds that are remembered
 * and records a second are bounded; what exceeds them is counted as one kind.
 * Records of what came from the network have a bound of octets a day besides;
 * beyond it they wait, counted, until some flow in. Other records of what
 * strangers can cause take from the same.
 */

#include "jvpnd.h"
#include "proto.h"

int refusals_open(struct jvpnd *d);
/* Write what was only counted so far. */
void refusals_finish(struct jvpnd *d);
void refusals_close(struct jvpnd *d);

struct refusal {
	const char *request;		/* "INIT", "PROOF", "session.jump"; a literal */
	uint32_t reject;		/* enum jvpn_reject */
	const char *why;		/* a literal, NULL: the reject's name says it */
	const struct session *session;	/* NULL: names none that exists */
	const struct path *path;	/* NULL: not from the network */
	uint32_t wait_ms;		/* 0: not told */
};

void refusal_note(struct jvpnd *d, const struct refusal *refusal);
/* May another record be written of what strangers have caused? It takes from the same bounds. */
bool refusals_room_take(struct jvpnd *d);

/* Control packets by type and verdict. */
void refusal_verdict_count(struct jvpnd *d, unsigned int type, enum jvpn_verdict verdict);
/* What a verdict is in the audit log; JVPN_REJECT_NONE for what is only counted. */
uint32_t refusal_reject_of(enum jvpn_verdict verdict);

const char *refusal_message_name(unsigned int type);
json_t *refusals_json(const struct jvpnd *d);

#endif
