/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_AUDIT_REPLAY_H
#define JVPN_AUDIT_REPLAY_H

/* The session part of the verifier. Private to the audit_*.c files. */

#include "audit_verify.h"

struct jvpn_audit_replay;

/* Where the record that is being looked at stands. */
struct jvpn_audit_place {
	const char *file;
	uint64_t line;
};

struct jvpn_audit_replay *jvpn_audit_replay_new(struct jvpn_audit_report *report,
						uint64_t slack_ms);
void jvpn_audit_replay_free(struct jvpn_audit_replay *replay);

/* One record in the order of the log. */
void jvpn_audit_replay_record(struct jvpn_audit_replay *replay,
			      const struct jvpn_audit_place *place, const json_t *record);
/* The log began in an earlier file: sessions may be known from there. */
void jvpn_audit_replay_continues(struct jvpn_audit_replay *replay);
/* What must be true at the end. */
void jvpn_audit_replay_end(struct jvpn_audit_replay *replay,
			   const struct jvpn_audit_place *place);

__attribute__((format(printf, 5, 6)))
void jvpn_audit_report_violation(struct jvpn_audit_report *report,
				 const struct jvpn_audit_place *place,
				 enum jvpn_audit_property property, const char *session,
				 const char *format, ...);
__attribute__((format(printf, 4, 5)))
void jvpn_audit_report_note(struct jvpn_audit_report *report,
			    const struct jvpn_audit_place *place, const char *session,
			    const char *format, ...);

#endif /* JVPN_AUDIT_REPLAY_H */
