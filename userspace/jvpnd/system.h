/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_SYSTEM_H
#define JVPND_SYSTEM_H

/*
 * The system's side of the tunnel: addresses, routes and rules. The role says what there should be
 * (plan.h); here it is compared with what there is, and made so: whenever that changes, whenever
 * the system's links, addresses, routes or rules do, and every now and then. What cannot be had is
 * told as lacking (lack.h).
 */

#include "jvpnd.h"
#include "plan.h"
#include "rtnl.h"

int system_open(struct jvpnd *d);
void system_close(struct jvpnd *d);

/*
 * Before anything that can fail, the device too: what the file says must not leave in the clear does
 * not from here on, whatever becomes of this start. Takes nothing away.
 */
void system_guard(struct jvpnd *d);
/* At the start, before all is known: add what is missing, take nothing away. */
void system_begin(struct jvpnd *d);
/* What the role wants has changed: make it so now. */
void system_follow(struct jvpnd *d);
/* Something in the system has changed: look whether it is still as it should be. */
void system_look(struct jvpnd *d);
/* Is this event one of what this daemon keeps? */
bool system_is_concerned(const struct jvpnd *d, const struct jvpn_rtnl_event *event);
/* The daemon ends: say what it leaves behind. */
void system_stay_tell(const struct jvpnd *d);
/* Take away all that is of this device. */
void system_clear(struct jvpnd *d);

/* The first rule's priority, of PLAN_RULES_SPAN, for the device of this number. */
uint32_t system_rule_priority(uint32_t number);

/* How often something of ours was missing, or was there that should not be. */
uint64_t system_repairs(const struct jvpnd *d);
#endif
