/* SPDX-License-Identifier: GPL-2.0 */
/* Written by tools/genl-gen from Documentation/netlink/specs/jvpn.yaml: do not edit. */
#ifndef _JVPN_NAMES_GEN_H
#define _JVPN_NAMES_GEN_H

#include <stdint.h>

#include <linux/jvpn.h>

/*
 * Values of the enums as upper-case words: X_name() gives "UNKNOWN" for a number that has
 * no word, X_parse() gives -1 for a word that has no number.
 */
const char *jvpn_state_name(uint32_t value);
int jvpn_state_parse(const char *name);
const char *jvpn_event_name(uint32_t value);
int jvpn_event_parse(const char *name);
const char *jvpn_reason_name(uint32_t value);
int jvpn_reason_parse(const char *name);
const char *jvpn_reject_name(uint32_t value);
int jvpn_reject_parse(const char *name);
const char *jvpn_role_name(uint32_t value);
int jvpn_role_parse(const char *name);
const char *jvpn_origin_name(uint32_t value);
int jvpn_origin_parse(const char *name);
const char *jvpn_suite_name(uint32_t value);
int jvpn_suite_parse(const char *name);

#endif /* _JVPN_NAMES_GEN_H */
