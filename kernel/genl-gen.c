// SPDX-License-Identifier: GPL-2.0
/* Written by tools/genl-gen from Documentation/netlink/specs/jvpn.yaml: do not edit. */
/*
 * An attribute that an array leaves out is refused ("Unsupported attribute"), because all
 * parsing of this family is strict. Big-endian numbers are declared by size: before 6.1.80
 * the kernel does not check the length of NLA_BE16 and NLA_BE32. Ranges are not const:
 * before 6.7 a policy takes no pointer to a const one.
 */
#include "compat.h"
#include "genl-gen.h"

static struct netlink_range_validation jvpn_nl_range_transport_remote_scope_id = {
	.min = 0,
	.max = S32_MAX,
};

static struct netlink_range_validation jvpn_nl_range_transport_local_ifindex = {
	.min = 0,
	.max = S32_MAX,
};

static struct netlink_range_validation jvpn_nl_range_policy_transport_loss_ttl_ms = {
	.min = 0,
	.max = S32_MAX,
};

static struct netlink_range_validation jvpn_nl_range_policy_idle_interval_ms = {
	.min = 100,
	.max = 600000,
};

static struct netlink_range_validation jvpn_nl_range_policy_active_interval_ms = {
	.min = 10,
	.max = 600000,
};

static struct netlink_range_validation jvpn_nl_range_policy_dead_base_ms = {
	.min = 10,
	.max = 600000,
};

static struct netlink_range_validation jvpn_nl_range_policy_rx_timeout_ms = {
	.min = 0,
	.max = S32_MAX,
};

static struct netlink_range_validation jvpn_nl_range_policy_reject_after_ms = {
	.min = 1000,
	.max = 180000,
};

static struct netlink_range_validation jvpn_nl_range_policy_hold_bytes = {
	.min = 0,
	.max = 16777216,
};

static struct netlink_range_validation jvpn_nl_range_policy_rtt_enter_ms = {
	.min = 0,
	.max = 600000,
};

static struct netlink_range_validation jvpn_nl_range_policy_rtt_leave_ms = {
	.min = 0,
	.max = 600000,
};

static struct netlink_range_validation jvpn_nl_range_device_max_sessions = {
	.min = 1,
	.max = 1048576,
};

static struct netlink_range_validation jvpn_nl_range_device_hold_bytes = {
	.min = 0,
	.max = 2147483647,
};

static struct netlink_range_validation jvpn_nl_range_socket_bind_ifindex = {
	.min = 0,
	.max = S32_MAX,
};

static struct netlink_range_validation jvpn_nl_range_session_session_deadline = {
	.min = 0,
	.max = JVPN_TIME_MAX,
};

static struct netlink_range_validation jvpn_nl_range_session_lease_deadline = {
	.min = 0,
	.max = JVPN_TIME_MAX,
};

static struct netlink_range_validation jvpn_nl_range_session_birth_deadline = {
	.min = 0,
	.max = JVPN_TIME_MAX,
};

const struct nla_policy jvpn_inner_nl_policy[JVPN_A_INNER_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_INNER_IPV4] = { .type = NLA_U32 },
	[JVPN_A_INNER_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[JVPN_A_INNER_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
};

const struct nla_policy jvpn_transport_nl_policy[JVPN_A_TRANSPORT_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_TRANSPORT_SOCKET] = NLA_POLICY_MIN(NLA_U32, 1),
	[JVPN_A_TRANSPORT_REMOTE_IPV4] = { .type = NLA_U32 },
	[JVPN_A_TRANSPORT_REMOTE_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[JVPN_A_TRANSPORT_REMOTE_SCOPE_ID] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_transport_remote_scope_id),
	[JVPN_A_TRANSPORT_REMOTE_PORT] = { .type = NLA_U16 },
	[JVPN_A_TRANSPORT_LOCAL_IPV4] = { .type = NLA_U32 },
	[JVPN_A_TRANSPORT_LOCAL_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[JVPN_A_TRANSPORT_LOCAL_IFINDEX] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_transport_local_ifindex),
};

const struct nla_policy jvpn_epoch_nl_policy[JVPN_A_EPOCH_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_EPOCH_NUMBER] = { .type = NLA_U32 },
	[JVPN_A_EPOCH_SUITE] = NLA_POLICY_RANGE(NLA_U32, 1, 1),
	[JVPN_A_EPOCH_RX_INDEX] = { .type = NLA_U32 },
	[JVPN_A_EPOCH_TX_INDEX] = { .type = NLA_U32 },
	[JVPN_A_EPOCH_RX_KEY] = NLA_POLICY_EXACT_LEN(JVPN_KEY_SIZE),
	[JVPN_A_EPOCH_RX_IV] = NLA_POLICY_EXACT_LEN(JVPN_IV_SIZE),
	[JVPN_A_EPOCH_TX_KEY] = NLA_POLICY_EXACT_LEN(JVPN_KEY_SIZE),
	[JVPN_A_EPOCH_TX_IV] = NLA_POLICY_EXACT_LEN(JVPN_IV_SIZE),
};

const struct nla_policy jvpn_policy_nl_policy[JVPN_A_POLICY_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_POLICY_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[JVPN_A_POLICY_VERSION] = { .type = NLA_U32 },
	[JVPN_A_POLICY_TRANSPORT_LOSS_TTL_MS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_policy_transport_loss_ttl_ms),
	[JVPN_A_POLICY_IDLE_INTERVAL_MS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_policy_idle_interval_ms),
	[JVPN_A_POLICY_ACTIVE_INTERVAL_MS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_policy_active_interval_ms),
	[JVPN_A_POLICY_DEAD_BASE_MS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_policy_dead_base_ms),
	[JVPN_A_POLICY_DEAD_RTTS] = NLA_POLICY_MAX(NLA_U32, 100),
	[JVPN_A_POLICY_RX_TIMEOUT_MS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_policy_rx_timeout_ms),
	[JVPN_A_POLICY_REJECT_AFTER_MS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_policy_reject_after_ms),
	[JVPN_A_POLICY_HOLD_BYTES] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_policy_hold_bytes),
	[JVPN_A_POLICY_LOSS_ENTER] = NLA_POLICY_MAX(NLA_U32, 100),
	[JVPN_A_POLICY_LOSS_LEAVE] = NLA_POLICY_MAX(NLA_U32, 100),
	[JVPN_A_POLICY_RTT_ENTER_MS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_policy_rtt_enter_ms),
	[JVPN_A_POLICY_RTT_LEAVE_MS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_policy_rtt_leave_ms),
};

static const struct nla_policy jvpn_nl_device_get_policy[JVPN_A_DEVICE_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_DEVICE_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_DEVICE_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy jvpn_nl_device_set_policy[JVPN_A_DEVICE_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_DEVICE_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_DEVICE_MAX_SESSIONS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_device_max_sessions),
	[JVPN_A_DEVICE_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
	[JVPN_A_DEVICE_HOLD_BYTES] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_device_hold_bytes),
};

static const struct nla_policy jvpn_nl_socket_new_policy[JVPN_A_SOCKET_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SOCKET_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SOCKET_LOCAL_IPV4] = { .type = NLA_U32 },
	[JVPN_A_SOCKET_LOCAL_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[JVPN_A_SOCKET_LOCAL_PORT] = { .type = NLA_U16 },
	[JVPN_A_SOCKET_BIND_IFINDEX] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_socket_bind_ifindex),
	[JVPN_A_SOCKET_FWMARK] = { .type = NLA_U32 },
	[JVPN_A_SOCKET_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy jvpn_nl_socket_del_policy[JVPN_A_SOCKET_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SOCKET_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SOCKET_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[JVPN_A_SOCKET_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy jvpn_nl_socket_get_policy[JVPN_A_SOCKET_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SOCKET_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SOCKET_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

const struct nla_policy jvpn_nl_session_new_policy[JVPN_A_SESSION_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SESSION_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SESSION_ID] = NLA_POLICY_EXACT_LEN(JVPN_SESSION_ID_SIZE),
	[JVPN_A_SESSION_ROLE] = NLA_POLICY_MAX(NLA_U32, 1),
	[JVPN_A_SESSION_LABEL] = { .type = NLA_NUL_STRING, .len = 63 },
	[JVPN_A_SESSION_PEER_VERSION] = { .type = NLA_U64 },
	[JVPN_A_SESSION_PEER_EPOCH] = { .type = NLA_U32 },
	[JVPN_A_SESSION_INNER] = NLA_POLICY_NESTED(jvpn_inner_nl_policy),
	[JVPN_A_SESSION_TRANSPORT] = NLA_POLICY_NESTED(jvpn_transport_nl_policy),
	[JVPN_A_SESSION_KEYS] = NLA_POLICY_NESTED(jvpn_epoch_nl_policy),
	[JVPN_A_SESSION_POLICY] = NLA_POLICY_NESTED(jvpn_policy_nl_policy),
	[JVPN_A_SESSION_SESSION_DEADLINE] =
		NLA_POLICY_FULL_RANGE(NLA_U64, &jvpn_nl_range_session_session_deadline),
	[JVPN_A_SESSION_LEASE_DEADLINE] =
		NLA_POLICY_FULL_RANGE(NLA_U64, &jvpn_nl_range_session_lease_deadline),
	[JVPN_A_SESSION_BIRTH_DEADLINE] =
		NLA_POLICY_FULL_RANGE(NLA_U64, &jvpn_nl_range_session_birth_deadline),
	[JVPN_A_SESSION_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
	[JVPN_A_SESSION_PEER_ID] = NLA_POLICY_EXACT_LEN(JVPN_PEER_ID_SIZE),
};

static const struct nla_policy jvpn_nl_session_get_policy[JVPN_A_SESSION_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SESSION_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SESSION_ID] = NLA_POLICY_EXACT_LEN(JVPN_SESSION_ID_SIZE),
	[JVPN_A_SESSION_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy jvpn_nl_session_set_policy[JVPN_A_SESSION_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SESSION_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SESSION_ID] = NLA_POLICY_EXACT_LEN(JVPN_SESSION_ID_SIZE),
	[JVPN_A_SESSION_EXPECTED_VERSION] = { .type = NLA_U64 },
	[JVPN_A_SESSION_PEER_VERSION] = { .type = NLA_U64 },
	[JVPN_A_SESSION_PEER_EPOCH] = { .type = NLA_U32 },
	[JVPN_A_SESSION_POLICY] = NLA_POLICY_NESTED(jvpn_policy_nl_policy),
	[JVPN_A_SESSION_SESSION_DEADLINE] =
		NLA_POLICY_FULL_RANGE(NLA_U64, &jvpn_nl_range_session_session_deadline),
	[JVPN_A_SESSION_LEASE_DEADLINE] =
		NLA_POLICY_FULL_RANGE(NLA_U64, &jvpn_nl_range_session_lease_deadline),
	[JVPN_A_SESSION_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
	[JVPN_A_SESSION_PEER_ID] = NLA_POLICY_EXACT_LEN(JVPN_PEER_ID_SIZE),
};

static const struct nla_policy jvpn_nl_session_transition_policy[JVPN_A_SESSION_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SESSION_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SESSION_ID] = NLA_POLICY_EXACT_LEN(JVPN_SESSION_ID_SIZE),
	[JVPN_A_SESSION_EXPECTED_VERSION] = { .type = NLA_U64 },
	[JVPN_A_SESSION_EVENT] = NLA_POLICY_MAX(NLA_U32, JVPN_EVENT_MAX),
	[JVPN_A_SESSION_REASON] = NLA_POLICY_MAX(NLA_U32, JVPN_REASON_MAX),
	[JVPN_A_SESSION_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy jvpn_nl_session_del_policy[JVPN_A_SESSION_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SESSION_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SESSION_ID] = NLA_POLICY_EXACT_LEN(JVPN_SESSION_ID_SIZE),
	[JVPN_A_SESSION_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

const struct nla_policy jvpn_nl_binding_set_policy[JVPN_A_SESSION_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SESSION_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SESSION_ID] = NLA_POLICY_EXACT_LEN(JVPN_SESSION_ID_SIZE),
	[JVPN_A_SESSION_EXPECTED_VERSION] = { .type = NLA_U64 },
	[JVPN_A_SESSION_EXPECTED_EPOCH] = { .type = NLA_U32 },
	[JVPN_A_SESSION_REASON] = NLA_POLICY_MAX(NLA_U32, JVPN_REASON_MAX),
	[JVPN_A_SESSION_PEER_VERSION] = { .type = NLA_U64 },
	[JVPN_A_SESSION_PEER_EPOCH] = { .type = NLA_U32 },
	[JVPN_A_SESSION_TRANSPORT] = NLA_POLICY_NESTED(jvpn_transport_nl_policy),
	[JVPN_A_SESSION_KEYS] = NLA_POLICY_NESTED(jvpn_epoch_nl_policy),
	[JVPN_A_SESSION_COOKIE] = { .type = NLA_U64 },
	[JVPN_A_SESSION_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

const struct nla_policy jvpn_nl_binding_prepare_policy[JVPN_A_SESSION_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SESSION_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SESSION_ID] = NLA_POLICY_EXACT_LEN(JVPN_SESSION_ID_SIZE),
	[JVPN_A_SESSION_EXPECTED_VERSION] = { .type = NLA_U64 },
	[JVPN_A_SESSION_REASON] = NLA_POLICY_MAX(NLA_U32, JVPN_REASON_MAX),
	[JVPN_A_SESSION_PEER_VERSION] = { .type = NLA_U64 },
	[JVPN_A_SESSION_PEER_EPOCH] = { .type = NLA_U32 },
	[JVPN_A_SESSION_TRANSPORT] = NLA_POLICY_NESTED(jvpn_transport_nl_policy),
	[JVPN_A_SESSION_KEYS] = NLA_POLICY_NESTED(jvpn_epoch_nl_policy),
	[JVPN_A_SESSION_HOLD] = { .type = NLA_FLAG },
	[JVPN_A_SESSION_REFRESH] = { .type = NLA_FLAG },
	[JVPN_A_SESSION_COOKIE] = { .type = NLA_U64 },
	[JVPN_A_SESSION_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy jvpn_nl_binding_cancel_policy[JVPN_A_SESSION_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SESSION_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SESSION_ID] = NLA_POLICY_EXACT_LEN(JVPN_SESSION_ID_SIZE),
	[JVPN_A_SESSION_COOKIE] = { .type = NLA_U64 },
	[JVPN_A_SESSION_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

const struct nla_policy jvpn_nl_epoch_set_policy[JVPN_A_SESSION_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SESSION_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SESSION_ID] = NLA_POLICY_EXACT_LEN(JVPN_SESSION_ID_SIZE),
	[JVPN_A_SESSION_EXPECTED_VERSION] = { .type = NLA_U64 },
	[JVPN_A_SESSION_EXPECTED_EPOCH] = { .type = NLA_U32 },
	[JVPN_A_SESSION_PEER_VERSION] = { .type = NLA_U64 },
	[JVPN_A_SESSION_PEER_EPOCH] = { .type = NLA_U32 },
	[JVPN_A_SESSION_KEYS] = NLA_POLICY_NESTED(jvpn_epoch_nl_policy),
	[JVPN_A_SESSION_COOKIE] = { .type = NLA_U64 },
	[JVPN_A_SESSION_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

const struct nla_policy jvpn_nl_packet_register_policy[JVPN_A_PACKET_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_PACKET_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_PACKET_MAC1_KEY] = NLA_POLICY_EXACT_LEN(JVPN_KEY_SIZE),
	[JVPN_A_PACKET_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
	[JVPN_A_PACKET_NAME_KEY] = NLA_POLICY_EXACT_LEN(JVPN_NAME_KEY_SIZE),
};

static const struct nla_policy jvpn_nl_packet_send_policy[JVPN_A_PACKET_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_PACKET_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_PACKET_TRANSPORT] = NLA_POLICY_NESTED(jvpn_transport_nl_policy),
	[JVPN_A_PACKET_PAYLOAD] = { .type = NLA_BINARY, .len = JVPN_PACKET_MAX },
	[JVPN_A_PACKET_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy jvpn_nl_binding_probe_policy[JVPN_A_SESSION_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SESSION_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SESSION_ID] = NLA_POLICY_EXACT_LEN(JVPN_SESSION_ID_SIZE),
	[JVPN_A_SESSION_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy jvpn_nl_socket_set_policy[JVPN_A_SOCKET_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SOCKET_IFINDEX] = { .type = NLA_U32 },
	[JVPN_A_SOCKET_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[JVPN_A_SOCKET_LOCAL_IPV4] = { .type = NLA_U32 },
	[JVPN_A_SOCKET_LOCAL_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[JVPN_A_SOCKET_BIND_IFINDEX] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &jvpn_nl_range_socket_bind_ifindex),
	[JVPN_A_SOCKET_DEVICE_ID] = NLA_POLICY_MIN(NLA_U64, 1),
};

/*
 * Of requests that hold secrets: netlink refuses nothing of them before they are where they
 * can be wiped. The real policy is asked for then.
 */
static const struct nla_policy jvpn_nl_session_outline[JVPN_A_SESSION_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_SESSION_IFINDEX] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_ID] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_STATE] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_VERSION] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_EPOCH_NUMBER] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_ROLE] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_LABEL] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_EXPECTED_VERSION] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_EXPECTED_EPOCH] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_EVENT] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_REASON] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_REJECT] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_PEER_VERSION] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_PEER_EPOCH] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_INNER] = { .type = NLA_NESTED },
	[JVPN_A_SESSION_TRANSPORT] = { .type = NLA_NESTED },
	[JVPN_A_SESSION_KEYS] = { .type = NLA_NESTED },
	[JVPN_A_SESSION_POLICY] = { .type = NLA_NESTED },
	[JVPN_A_SESSION_SESSION_DEADLINE] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_LOSS_DEADLINE] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_LEASE_DEADLINE] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_BIRTH_DEADLINE] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_STATS] = { .type = NLA_NESTED },
	[JVPN_A_SESSION_HEALTH] = { .type = NLA_NESTED },
	[JVPN_A_SESSION_HISTORY] = { .type = NLA_NESTED },
	[JVPN_A_SESSION_PENDING] = { .type = NLA_NESTED },
	[JVPN_A_SESSION_HOLD] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_REFRESH] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_COOKIE] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_CREATED] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_PAD] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_DEVICE_ID] = { .type = NLA_BINARY },
	[JVPN_A_SESSION_PEER_ID] = { .type = NLA_BINARY },
};

/*
 * Of requests that hold secrets: netlink refuses nothing of them before they are where they
 * can be wiped. The real policy is asked for then.
 */
static const struct nla_policy jvpn_nl_packet_outline[JVPN_A_PACKET_MAX + 1] = {
	[0] = { .strict_start_type = 1 },
	[JVPN_A_PACKET_IFINDEX] = { .type = NLA_BINARY },
	[JVPN_A_PACKET_TRANSPORT] = { .type = NLA_NESTED },
	[JVPN_A_PACKET_PAYLOAD] = { .type = NLA_BINARY },
	[JVPN_A_PACKET_DROPPED] = { .type = NLA_BINARY },
	[JVPN_A_PACKET_PAD] = { .type = NLA_BINARY },
	[JVPN_A_PACKET_MAC1_KEY] = { .type = NLA_BINARY },
	[JVPN_A_PACKET_DEVICE_ID] = { .type = NLA_BINARY },
	[JVPN_A_PACKET_NAME_KEY] = { .type = NLA_BINARY },
};

const struct genl_ops jvpn_genl_ops[JVPN_GENL_OPS_COUNT] = {
	{
		.cmd = JVPN_CMD_DEVICE_GET,
		.doit = jvpn_nl_device_get_doit,
		.dumpit = jvpn_nl_device_get_dumpit,
		.policy = jvpn_nl_device_get_policy,
		.maxattr = JVPN_A_DEVICE_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_DEVICE_SET,
		.doit = jvpn_nl_device_set_doit,
		.policy = jvpn_nl_device_set_policy,
		.maxattr = JVPN_A_DEVICE_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_SOCKET_NEW,
		.doit = jvpn_nl_socket_new_doit,
		.policy = jvpn_nl_socket_new_policy,
		.maxattr = JVPN_A_SOCKET_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_SOCKET_DEL,
		.doit = jvpn_nl_socket_del_doit,
		.policy = jvpn_nl_socket_del_policy,
		.maxattr = JVPN_A_SOCKET_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_SOCKET_GET,
		.dumpit = jvpn_nl_socket_get_dumpit,
		.policy = jvpn_nl_socket_get_policy,
		.maxattr = JVPN_A_SOCKET_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_SESSION_NEW,
		.doit = jvpn_nl_session_new_doit,
		.policy = jvpn_nl_session_outline,
		.maxattr = JVPN_A_SESSION_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_SESSION_GET,
		.doit = jvpn_nl_session_get_doit,
		.dumpit = jvpn_nl_session_get_dumpit,
		.policy = jvpn_nl_session_get_policy,
		.maxattr = JVPN_A_SESSION_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_SESSION_SET,
		.doit = jvpn_nl_session_set_doit,
		.policy = jvpn_nl_session_set_policy,
		.maxattr = JVPN_A_SESSION_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_SESSION_TRANSITION,
		.doit = jvpn_nl_session_transition_doit,
		.policy = jvpn_nl_session_transition_policy,
		.maxattr = JVPN_A_SESSION_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_SESSION_DEL,
		.doit = jvpn_nl_session_del_doit,
		.policy = jvpn_nl_session_del_policy,
		.maxattr = JVPN_A_SESSION_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_BINDING_SET,
		.doit = jvpn_nl_binding_set_doit,
		.policy = jvpn_nl_session_outline,
		.maxattr = JVPN_A_SESSION_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_BINDING_PREPARE,
		.doit = jvpn_nl_binding_prepare_doit,
		.policy = jvpn_nl_session_outline,
		.maxattr = JVPN_A_SESSION_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_BINDING_CANCEL,
		.doit = jvpn_nl_binding_cancel_doit,
		.policy = jvpn_nl_binding_cancel_policy,
		.maxattr = JVPN_A_SESSION_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_EPOCH_SET,
		.doit = jvpn_nl_epoch_set_doit,
		.policy = jvpn_nl_session_outline,
		.maxattr = JVPN_A_SESSION_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_PACKET_REGISTER,
		.doit = jvpn_nl_packet_register_doit,
		.policy = jvpn_nl_packet_outline,
		.maxattr = JVPN_A_PACKET_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_PACKET_SEND,
		.doit = jvpn_nl_packet_send_doit,
		.policy = jvpn_nl_packet_send_policy,
		.maxattr = JVPN_A_PACKET_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_BINDING_PROBE,
		.doit = jvpn_nl_binding_probe_doit,
		.policy = jvpn_nl_binding_probe_policy,
		.maxattr = JVPN_A_SESSION_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = JVPN_CMD_SOCKET_SET,
		.doit = jvpn_nl_socket_set_doit,
		.policy = jvpn_nl_socket_set_policy,
		.maxattr = JVPN_A_SOCKET_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	},
};

const struct genl_multicast_group jvpn_genl_mcgrps[__JVPN_NLGRP_COUNT] = {
	[JVPN_NLGRP_STATE] = { .name = JVPN_MCGRP_STATE, .flags = JVPN_MCAST_FLAGS },
	[JVPN_NLGRP_HEALTH] = { .name = JVPN_MCGRP_HEALTH, .flags = JVPN_MCAST_FLAGS },
	[JVPN_NLGRP_SECURITY] = { .name = JVPN_MCGRP_SECURITY, .flags = JVPN_MCAST_FLAGS },
};
