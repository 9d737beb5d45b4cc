/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The session state machine: the one transition table of jvpn.
 *
 * States, events, reasons and refusals are those of the netlink interface
 * (uapi/linux/jvpn.h). The function is total: for every state, event and
 * reason it either names the next state or the refusal; it never changes
 * anything itself. See Documentation/state-machine.md.
 */
#ifndef JVPN_FSM_H
#define JVPN_FSM_H

#include <linux/jvpn.h>

#include "core.h"

/**
 * struct jvpn_fsm_row - one row of the transition table
 * @event: the input
 * @from: set of states it applies in, as bits (1 << state)
 * @to: state after
 * @reasons: set of reason codes that the event accepts, as bits (1 << reason)
 */
struct jvpn_fsm_row {
	u8 event;
	u8 from;
	u8 to;
	u32 reasons;
};

/**
 * jvpn_fsm_next() - the transition function
 * @state: current state (enum jvpn_state)
 * @event: input (enum jvpn_event)
 * @reason: why (enum jvpn_reason)
 * @next: receives the state after; untouched on refusal
 *
 * Return: JVPN_REJECT_NONE, JVPN_REJECT_TERMINATED if @state is TERMINATED,
 * else JVPN_REJECT_ILLEGAL_TRANSITION if no row matches.
 */
u32 jvpn_fsm_next(u32 state, u32 event, u32 reason, u32 *next);

/**
 * jvpn_fsm_event_of() - the only event that accepts a reason
 * @reason: enum jvpn_reason
 *
 * Return: the event, or JVPN_EVENT_NONE for a reason that none accepts.
 */
u32 jvpn_fsm_event_of(u32 reason);

/**
 * jvpn_fsm_bound() - does a session in this state have exactly one binding?
 * @state: enum jvpn_state
 */
bool jvpn_fsm_bound(u32 state);

/**
 * jvpn_fsm_priority() - which of several triggers that are true at once wins
 * @reason: enum jvpn_reason
 *
 * Return: rank, the lowest is applied: 0 time limits, 1 ownership, 2 policy
 * and operator, 3 dead transport, 4 quality, 5 all others.
 */
u32 jvpn_fsm_priority(u32 reason);

/* The table itself, for those who print or verify it. */
extern const struct jvpn_fsm_row jvpn_fsm_table[];
extern const u32 jvpn_fsm_rows;

#endif
