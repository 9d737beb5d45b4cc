/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPNCTL_FORMAT_H
#define JVPNCTL_FORMAT_H

/* Things of the kernel as people and as programs read them. Texts return buf. */

#include <jansson.h>

#include "nl.h"

#define FORMAT_ID	(2 * JVPN_SESSION_ID_SIZE + 1)
#define FORMAT_ID_SHOWN	12
#define FORMAT_TEXT	192

char *format_id(const struct jvpn_nl_session *session, char buf[FORMAT_ID]);
/* As much of it as tables show. */
char *format_id_short(const struct jvpn_nl_session *session, char buf[FORMAT_ID]);

/* "1d 3h", "12m 5s", "3.2 s", "250 ms". */
char *format_span(uint64_t ms, char *buf, size_t size);
/* "in 3.2 s", "3.2 s ago", "never" for 0; both on CLOCK_BOOTTIME. */
char *format_when(uint64_t at_ms, uint64_t now_ms, char *buf, size_t size);
char *format_octets(uint64_t octets, char *buf, size_t size);
char *format_rtt(const struct jvpn_nl_health *health, char *buf, size_t size);
char *format_loss(const struct jvpn_nl_health *health, char *buf, size_t size);

/* "203.0.113.1:51900 via eth0", "[2001:db8::1]:51900". */
char *format_transport(const struct jvpn_nl_transport *transport, char *buf, size_t size);
/* "10.77.0.5, fd77::5": host prefixes without their length. */
char *format_inner(const struct jvpn_nl_session *session, char *buf, size_t size);

/* What ends next, by which reason: "TRANSPORT_LOSS_TTL_EXPIRED in 4m 3s". */
char *format_deadline(const struct jvpn_nl_session *session, uint64_t now_ms, char *buf,
		      size_t size);

json_t *format_transport_json(const struct jvpn_nl_transport *transport);
json_t *format_transition_json(const struct jvpn_nl_transition *transition);
json_t *format_session_json(const struct jvpn_nl_session *session, const char *device,
			    uint64_t now_ms);

#endif
