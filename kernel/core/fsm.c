// SPDX-License-Identifier: GPL-2.0
#include "fsm.h"

#define S(state) (1u << JVPN_STATE_##state)
#define R(reason) (1u << JVPN_REASON_##reason)
#define BOUND (S(ATTACHED) | S(VOLATILE))
#define LIVE (S(BIRTH) | BOUND | S(RECOVERING) | S(DEGRADED))

const struct jvpn_fsm_row jvpn_fsm_table[] = {
	{ JVPN_EVENT_HANDSHAKE_DONE, S(BIRTH), JVPN_STATE_ATTACHED,
	  R(HANDSHAKE_OK) },
	{ JVPN_EVENT_HANDSHAKE_FAILED, S(BIRTH), JVPN_STATE_TERMINATED,
	  R(HANDSHAKE_TIMEOUT) | R(HANDSHAKE_REJECTED) },
	{ JVPN_EVENT_QUALITY_LOW, S(ATTACHED), JVPN_STATE_VOLATILE,
	  R(LOSS_THRESHOLD) | R(LATENCY_THRESHOLD) | R(HEARTBEAT_LATE) },
	{ JVPN_EVENT_QUALITY_OK, S(VOLATILE), JVPN_STATE_ATTACHED,
	  R(HEALTH_RECOVERED) },
	{ JVPN_EVENT_TRANSPORT_DEAD, BOUND, JVPN_STATE_RECOVERING,
	  R(PROBE_TIMEOUT) | R(LINK_DOWN) | R(ROUTE_LOST) | R(SOCKET_ERROR) |
	  R(ICMP_UNREACHABLE) | R(KEY_EXPIRED) | R(HOST_SUSPENDED) },
	{ JVPN_EVENT_JUMP, BOUND, JVPN_STATE_RECOVERING,
	  R(CLIENT_JUMP) | R(NAT_REBIND) | R(OPERATOR_JUMP) | R(OWNER_MOVED) },
	{ JVPN_EVENT_REATTACH_COMMIT, S(RECOVERING), JVPN_STATE_ATTACHED,
	  R(REATTACH_OK) },
	{ JVPN_EVENT_BOUND_EXCEEDED, S(RECOVERING), JVPN_STATE_DEGRADED,
	  R(RECOVERY_WINDOW_EXCEEDED) | R(SWITCH_RATE_EXCEEDED) },
	{ JVPN_EVENT_RETRY, S(DEGRADED), JVPN_STATE_RECOVERING,
	  R(COOLDOWN_OVER) | R(CANDIDATE_APPEARED) },
	{ JVPN_EVENT_TERMINATE, LIVE, JVPN_STATE_TERMINATED,
	  R(SESSION_TTL_EXPIRED) | R(TRANSPORT_LOSS_TTL_EXPIRED) |
	  R(OWNERSHIP_AMBIGUOUS) | R(POLICY_FAILURE) | R(OPERATOR) |
	  R(LEASE_LOST) },
};

const u32 jvpn_fsm_rows = ARRAY_SIZE(jvpn_fsm_table);

static bool row_accepts(const struct jvpn_fsm_row *row, u32 reason)
{
	return reason < 32 && (row->reasons & (1u << reason));
}

u32 jvpn_fsm_next(u32 state, u32 event, u32 reason, u32 *next)
{
	u32 i;

	if (state == JVPN_STATE_TERMINATED)
		return JVPN_REJECT_TERMINATED;
	if (state > JVPN_STATE_TERMINATED)
		return JVPN_REJECT_ILLEGAL_TRANSITION;
	for (i = 0; i < jvpn_fsm_rows; i++) {
		const struct jvpn_fsm_row *row = &jvpn_fsm_table[i];

		if (row->event != event || !(row->from & (1u << state)))
			continue;
		if (!row_accepts(row, reason))
			break;
		*next = row->to;
		return JVPN_REJECT_NONE;
	}
	return JVPN_REJECT_ILLEGAL_TRANSITION;
}

u32 jvpn_fsm_event_of(u32 reason)
{
	u32 i;

	for (i = 0; i < jvpn_fsm_rows; i++)
		if (row_accepts(&jvpn_fsm_table[i], reason))
			return jvpn_fsm_table[i].event;
	return JVPN_EVENT_NONE;
}

bool jvpn_fsm_bound(u32 state)
{
	return state == JVPN_STATE_ATTACHED || state == JVPN_STATE_VOLATILE;
}

u32 jvpn_fsm_priority(u32 reason)
{
	switch (reason) {
	case JVPN_REASON_SESSION_TTL_EXPIRED:
	case JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED:
	case JVPN_REASON_HANDSHAKE_TIMEOUT:
		return 0;
	case JVPN_REASON_LEASE_LOST:
	case JVPN_REASON_OWNERSHIP_AMBIGUOUS:
	case JVPN_REASON_OWNER_MOVED:
		return 1;
	case JVPN_REASON_POLICY_FAILURE:
	case JVPN_REASON_OPERATOR:
	case JVPN_REASON_OPERATOR_JUMP:
		return 2;
	default:
		break;
	}
	switch (jvpn_fsm_event_of(reason)) {
	case JVPN_EVENT_TRANSPORT_DEAD:
		return 3;
	case JVPN_EVENT_QUALITY_LOW:
	case JVPN_EVENT_QUALITY_OK:
		return 4;
	default:
		return 5;
	}
}
