/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_REATTACH_CLIENT_H
#define JVPN_REATTACH_CLIENT_H

#include "proto.h"

/* What the parts of the client's reattach share. Private to the library. */

struct jvpn_attempt *jvpn_client_attempt_find(struct jvpn_client *c, const u8 nc[JVPN_WIRE_NC]);
/* A fresh attempt with a ticket of its own, in no state yet; FULL, NO_TICKET. */
enum jvpn_verdict jvpn_client_attempt_begin(struct jvpn_client *c, u32 path, u64 v_floor,
					    u64 now_ms, struct jvpn_attempt **attempt);
void jvpn_client_attempt_wipe(struct jvpn_attempt *a);
void jvpn_client_saw(struct jvpn_client *c, u64 v);
/*
 * A PROOF that is out may be committed for as long as the gateway takes its cookie, however
 * long the network held it back: until then its keys must be there.
 */
void jvpn_client_attempt_close(struct jvpn_client *c, struct jvpn_attempt *a);
unsigned int jvpn_client_attempts_proved(const struct jvpn_client *c);
/* An attempt that may still send something. */
struct jvpn_attempt *jvpn_client_attempt_find_open(struct jvpn_client *c, const u8 nc[JVPN_WIRE_NC]);
void jvpn_client_ticket_put(struct jvpn_client *c, const u8 ticket[JVPN_WIRE_TICKET]);

#endif
