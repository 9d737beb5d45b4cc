/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_AUDIT_VERIFY_H
#define JVPN_AUDIT_VERIFY_H

/*
 * Replays an audit log against the state machine (core/fsm.h) and proves or refutes,
 * line by line, the properties that the log can show. Documentation/audit.md tells
 * what each of them means for a log.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "audit.h"

enum jvpn_audit_property {
	JVPN_AUDIT_CHAIN,	/* no line removed, altered, doubled, inserted */
	JVPN_AUDIT_FORMAT,	/* every line is a complete record */
	JVPN_AUDIT_I1,
	JVPN_AUDIT_I2,
	JVPN_AUDIT_I3,
	JVPN_AUDIT_I4,
	JVPN_AUDIT_I5,
	JVPN_AUDIT_S1,
	JVPN_AUDIT_S2,
	JVPN_AUDIT_S3,
	JVPN_AUDIT_S4,
	JVPN_AUDIT_S5,
	JVPN_AUDIT_L1,
	JVPN_AUDIT_L2,
	JVPN_AUDIT_L3,
	JVPN_AUDIT_BOUNDS,	/* recovery window and switches per minute */
	JVPN_AUDIT_PROPERTIES,
};

/* One thing that a line shows: a violation, or something that the reader should know. */
struct jvpn_audit_finding {
	char *file;
	uint64_t line;				/* from 1; 0 for the file as a whole */
	enum jvpn_audit_property property;
	char session[2 * JVPN_AUDIT_SESSION_ID + 1];	/* "" for none */
	char *text;
};

struct jvpn_audit_findings {
	struct jvpn_audit_finding *list;
	size_t count;				/* in list */
	uint64_t total;				/* found; the list stops at a thousand */
};

struct jvpn_audit_report {
	struct jvpn_audit_findings violations;
	struct jvpn_audit_findings notes;
	uint64_t by_property[JVPN_AUDIT_PROPERTIES];	/* violations */
	bool undecided[JVPN_AUDIT_PROPERTIES];		/* what it needs is not in the log */

	uint64_t lines;
	uint64_t transitions;
	uint64_t sessions;
	uint64_t live;				/* not TERMINATED at the end */
	uint64_t lost;				/* records that the log says were lost */
	uint64_t missed;			/* transitions that it says were not recorded */
	uint64_t seq;				/* of the last line */
	uint8_t head[JVPN_AUDIT_HASH];		/* its hash */
	json_t *refused;			/* {reason: count} */
	json_t *reasons;			/* {reason: transitions} */
};

struct jvpn_audit_verify_options {
	uint64_t slack_ms;			/* tolerance of time bounds; 0: 5000 */
	/* The line that must be the last one, as jvpn_audit_status() gave it. */
	bool has_head;
	uint64_t head_seq;
	uint8_t head[JVPN_AUDIT_HASH];
};

/*
 * Files are one stream, the oldest first; "-" is standard input. Returns 0 when all of
 * it was read, whatever the verdict; -1 with a sentence in err otherwise. The report
 * is filled in either case and must be freed.
 */
int jvpn_audit_verify(const char *const *files, size_t n_files,
		      const struct jvpn_audit_verify_options *options,
		      struct jvpn_audit_report *report, char *err, size_t err_size);
void jvpn_audit_report_free(struct jvpn_audit_report *report);

bool jvpn_audit_report_refuted(const struct jvpn_audit_report *report);
const char *jvpn_audit_property_name(enum jvpn_audit_property property);
const char *jvpn_audit_property_meaning(enum jvpn_audit_property property);

void jvpn_audit_report_print(const struct jvpn_audit_report *report, FILE *out);
json_t *jvpn_audit_report_to_json(const struct jvpn_audit_report *report);

#endif /* JVPN_AUDIT_VERIFY_H */
