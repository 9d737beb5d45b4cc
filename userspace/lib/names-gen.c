// SPDX-License-Identifier: GPL-2.0
/* Written by tools/genl-gen from Documentation/netlink/specs/jvpn.yaml: do not edit. */
#include <stddef.h>
#include <string.h>

#include "names-gen.h"

static const char *name_of(const char *const *names, uint32_t count, uint32_t value)
{
	return value < count ? names[value] : "UNKNOWN";
}

static int value_of(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++) {
		if (!strcmp(names[i], name))
			return i;
	}
	return -1;
}

static const char *const jvpn_state_names[] = {
	[JVPN_STATE_BIRTH] = "BIRTH",
	[JVPN_STATE_ATTACHED] = "ATTACHED",
	[JVPN_STATE_VOLATILE] = "VOLATILE",
	[JVPN_STATE_RECOVERING] = "RECOVERING",
	[JVPN_STATE_DEGRADED] = "DEGRADED",
	[JVPN_STATE_TERMINATED] = "TERMINATED",
};

const char *jvpn_state_name(uint32_t value)
{
	return name_of(jvpn_state_names, __JVPN_STATE_MAX, value);
}

int jvpn_state_parse(const char *name)
{
	return value_of(jvpn_state_names, __JVPN_STATE_MAX, name);
}

static const char *const jvpn_event_names[] = {
	[JVPN_EVENT_NONE] = "NONE",
	[JVPN_EVENT_HANDSHAKE_DONE] = "HANDSHAKE_DONE",
	[JVPN_EVENT_HANDSHAKE_FAILED] = "HANDSHAKE_FAILED",
	[JVPN_EVENT_QUALITY_LOW] = "QUALITY_LOW",
	[JVPN_EVENT_QUALITY_OK] = "QUALITY_OK",
	[JVPN_EVENT_TRANSPORT_DEAD] = "TRANSPORT_DEAD",
	[JVPN_EVENT_JUMP] = "JUMP",
	[JVPN_EVENT_REATTACH_COMMIT] = "REATTACH_COMMIT",
	[JVPN_EVENT_BOUND_EXCEEDED] = "BOUND_EXCEEDED",
	[JVPN_EVENT_RETRY] = "RETRY",
	[JVPN_EVENT_TERMINATE] = "TERMINATE",
};

const char *jvpn_event_name(uint32_t value)
{
	return name_of(jvpn_event_names, __JVPN_EVENT_MAX, value);
}

int jvpn_event_parse(const char *name)
{
	return value_of(jvpn_event_names, __JVPN_EVENT_MAX, name);
}

static const char *const jvpn_reason_names[] = {
	[JVPN_REASON_NONE] = "NONE",
	[JVPN_REASON_HANDSHAKE_OK] = "HANDSHAKE_OK",
	[JVPN_REASON_HANDSHAKE_TIMEOUT] = "HANDSHAKE_TIMEOUT",
	[JVPN_REASON_HANDSHAKE_REJECTED] = "HANDSHAKE_REJECTED",
	[JVPN_REASON_LOSS_THRESHOLD] = "LOSS_THRESHOLD",
	[JVPN_REASON_LATENCY_THRESHOLD] = "LATENCY_THRESHOLD",
	[JVPN_REASON_HEARTBEAT_LATE] = "HEARTBEAT_LATE",
	[JVPN_REASON_HEALTH_RECOVERED] = "HEALTH_RECOVERED",
	[JVPN_REASON_PROBE_TIMEOUT] = "PROBE_TIMEOUT",
	[JVPN_REASON_LINK_DOWN] = "LINK_DOWN",
	[JVPN_REASON_ROUTE_LOST] = "ROUTE_LOST",
	[JVPN_REASON_SOCKET_ERROR] = "SOCKET_ERROR",
	[JVPN_REASON_ICMP_UNREACHABLE] = "ICMP_UNREACHABLE",
	[JVPN_REASON_CLIENT_JUMP] = "CLIENT_JUMP",
	[JVPN_REASON_NAT_REBIND] = "NAT_REBIND",
	[JVPN_REASON_OPERATOR_JUMP] = "OPERATOR_JUMP",
	[JVPN_REASON_OWNER_MOVED] = "OWNER_MOVED",
	[JVPN_REASON_REATTACH_OK] = "REATTACH_OK",
	[JVPN_REASON_RECOVERY_WINDOW_EXCEEDED] = "RECOVERY_WINDOW_EXCEEDED",
	[JVPN_REASON_SWITCH_RATE_EXCEEDED] = "SWITCH_RATE_EXCEEDED",
	[JVPN_REASON_COOLDOWN_OVER] = "COOLDOWN_OVER",
	[JVPN_REASON_CANDIDATE_APPEARED] = "CANDIDATE_APPEARED",
	[JVPN_REASON_SESSION_TTL_EXPIRED] = "SESSION_TTL_EXPIRED",
	[JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED] = "TRANSPORT_LOSS_TTL_EXPIRED",
	[JVPN_REASON_OWNERSHIP_AMBIGUOUS] = "OWNERSHIP_AMBIGUOUS",
	[JVPN_REASON_POLICY_FAILURE] = "POLICY_FAILURE",
	[JVPN_REASON_OPERATOR] = "OPERATOR",
	[JVPN_REASON_KEY_EXPIRED] = "KEY_EXPIRED",
	[JVPN_REASON_LEASE_LOST] = "LEASE_LOST",
	[JVPN_REASON_HOST_SUSPENDED] = "HOST_SUSPENDED",
};

const char *jvpn_reason_name(uint32_t value)
{
	return name_of(jvpn_reason_names, __JVPN_REASON_MAX, value);
}

int jvpn_reason_parse(const char *name)
{
	return value_of(jvpn_reason_names, __JVPN_REASON_MAX, name);
}

static const char *const jvpn_reject_names[] = {
	[JVPN_REJECT_NONE] = "NONE",
	[JVPN_REJECT_UNKNOWN_SESSION] = "UNKNOWN_SESSION",
	[JVPN_REJECT_BAD_PROOF] = "BAD_PROOF",
	[JVPN_REJECT_REPLAY] = "REPLAY",
	[JVPN_REJECT_STALE_FRESHNESS] = "STALE_FRESHNESS",
	[JVPN_REJECT_STALE_VERSION] = "STALE_VERSION",
	[JVPN_REJECT_STALE_EPOCH] = "STALE_EPOCH",
	[JVPN_REJECT_SESSION_EXPIRED] = "SESSION_EXPIRED",
	[JVPN_REJECT_TERMINATED] = "TERMINATED",
	[JVPN_REJECT_ILLEGAL_TRANSITION] = "ILLEGAL_TRANSITION",
	[JVPN_REJECT_POLICY_DENIED] = "POLICY_DENIED",
	[JVPN_REJECT_RATE_LIMITED] = "RATE_LIMITED",
	[JVPN_REJECT_SWITCH_RATE_EXCEEDED] = "SWITCH_RATE_EXCEEDED",
	[JVPN_REJECT_OWNERSHIP_CONFLICT] = "OWNERSHIP_CONFLICT",
	[JVPN_REJECT_DUAL_BINDING] = "DUAL_BINDING",
	[JVPN_REJECT_SUSPENDED] = "SUSPENDED",
};

const char *jvpn_reject_name(uint32_t value)
{
	return name_of(jvpn_reject_names, __JVPN_REJECT_MAX, value);
}

int jvpn_reject_parse(const char *name)
{
	return value_of(jvpn_reject_names, __JVPN_REJECT_MAX, name);
}

static const char *const jvpn_role_names[] = {
	[JVPN_ROLE_GATEWAY] = "GATEWAY",
	[JVPN_ROLE_CLIENT] = "CLIENT",
};

const char *jvpn_role_name(uint32_t value)
{
	return name_of(jvpn_role_names, __JVPN_ROLE_MAX, value);
}

int jvpn_role_parse(const char *name)
{
	return value_of(jvpn_role_names, __JVPN_ROLE_MAX, name);
}

static const char *const jvpn_origin_names[] = {
	[JVPN_ORIGIN_DAEMON] = "DAEMON",
	[JVPN_ORIGIN_KERNEL] = "KERNEL",
};

const char *jvpn_origin_name(uint32_t value)
{
	return name_of(jvpn_origin_names, __JVPN_ORIGIN_MAX, value);
}

int jvpn_origin_parse(const char *name)
{
	return value_of(jvpn_origin_names, __JVPN_ORIGIN_MAX, name);
}

static const char *const jvpn_suite_names[] = {
	[JVPN_SUITE_NONE] = "NONE",
	[JVPN_SUITE_CHACHA20_POLY1305] = "CHACHA20_POLY1305",
};

const char *jvpn_suite_name(uint32_t value)
{
	return name_of(jvpn_suite_names, __JVPN_SUITE_MAX, value);
}

int jvpn_suite_parse(const char *name)
{
	return value_of(jvpn_suite_names, __JVPN_SUITE_MAX, name);
}
