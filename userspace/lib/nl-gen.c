// SPDX-License-Identifier: GPL-2.0
/* Written by tools/genl-gen from Documentation/netlink/specs/jvpn.yaml: do not edit. */
#include "nl-gen.h"

static const struct jvpn_nl_field jvpn_nl_counter_fields[JVPN_A_COUNTER_MAX + 1] = {
	[JVPN_A_COUNTER_NAME] = {
		.name = "name",
		.kind = JVPN_NL_STRING,
		.offset = offsetof(struct jvpn_nl_counter, name),
		.has = offsetof(struct jvpn_nl_counter, has.name),
		.size = 31 + 1,
	},
	[JVPN_A_COUNTER_VALUE] = {
		.name = "value",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_counter, value),
		.has = offsetof(struct jvpn_nl_counter, has.value),
	},
};

const struct jvpn_nl_object jvpn_nl_counter_object = {
	.name = "counter",
	.size = sizeof(struct jvpn_nl_counter),
	.max = JVPN_A_COUNTER_MAX,
	.fields = jvpn_nl_counter_fields,
};

static const struct jvpn_nl_field jvpn_nl_device_fields[JVPN_A_DEVICE_MAX + 1] = {
	[JVPN_A_DEVICE_IFINDEX] = {
		.name = "ifindex",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_device, ifindex),
		.has = offsetof(struct jvpn_nl_device, has.ifindex),
	},
	[JVPN_A_DEVICE_IFNAME] = {
		.name = "ifname",
		.kind = JVPN_NL_STRING,
		.offset = offsetof(struct jvpn_nl_device, ifname),
		.has = offsetof(struct jvpn_nl_device, has.ifname),
		.size = 15 + 1,
	},
	[JVPN_A_DEVICE_MAX_SESSIONS] = {
		.name = "max-sessions",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_device, max_sessions),
		.has = offsetof(struct jvpn_nl_device, has.max_sessions),
	},
	[JVPN_A_DEVICE_SESSIONS] = {
		.name = "sessions",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_device, sessions),
		.has = offsetof(struct jvpn_nl_device, has.sessions),
	},
	[JVPN_A_DEVICE_SOCKETS] = {
		.name = "sockets",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_device, sockets),
		.has = offsetof(struct jvpn_nl_device, has.sockets),
	},
	[JVPN_A_DEVICE_REGISTERED] = {
		.name = "registered",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_device, registered),
		.has = offsetof(struct jvpn_nl_device, has.registered),
	},
	[JVPN_A_DEVICE_BOOTTIME] = {
		.name = "boottime",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_device, boottime),
		.has = offsetof(struct jvpn_nl_device, has.boottime),
	},
	[JVPN_A_DEVICE_COUNTER] = {
		.name = "counter",
		.kind = JVPN_NL_LIST,
		.offset = offsetof(struct jvpn_nl_device, counter),
		.size = 128,
		.count = offsetof(struct jvpn_nl_device, n_counter),
		.nested = &jvpn_nl_counter_object,
	},
	[JVPN_A_DEVICE_DEVICE_ID] = {
		.name = "device-id",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_device, device_id),
		.has = offsetof(struct jvpn_nl_device, has.device_id),
	},
	[JVPN_A_DEVICE_HOLD_BYTES] = {
		.name = "hold-bytes",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_device, hold_bytes),
		.has = offsetof(struct jvpn_nl_device, has.hold_bytes),
	},
	[JVPN_A_DEVICE_HELD_BYTES] = {
		.name = "held-bytes",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_device, held_bytes),
		.has = offsetof(struct jvpn_nl_device, has.held_bytes),
	},
};

const struct jvpn_nl_object jvpn_nl_device_object = {
	.name = "device",
	.size = sizeof(struct jvpn_nl_device),
	.max = JVPN_A_DEVICE_MAX,
	.fields = jvpn_nl_device_fields,
};

static const struct jvpn_nl_field jvpn_nl_socket_fields[JVPN_A_SOCKET_MAX + 1] = {
	[JVPN_A_SOCKET_IFINDEX] = {
		.name = "ifindex",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_socket, ifindex),
		.has = offsetof(struct jvpn_nl_socket, has.ifindex),
	},
	[JVPN_A_SOCKET_ID] = {
		.name = "id",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_socket, id),
		.has = offsetof(struct jvpn_nl_socket, has.id),
	},
	[JVPN_A_SOCKET_LOCAL_IPV4] = {
		.name = "local-ipv4",
		.kind = JVPN_NL_IPV4,
		.offset = offsetof(struct jvpn_nl_socket, local),
	},
	[JVPN_A_SOCKET_LOCAL_IPV6] = {
		.name = "local-ipv6",
		.kind = JVPN_NL_IPV6,
		.offset = offsetof(struct jvpn_nl_socket, local),
	},
	[JVPN_A_SOCKET_LOCAL_PORT] = {
		.name = "local-port",
		.kind = JVPN_NL_BE16,
		.offset = offsetof(struct jvpn_nl_socket, local_port),
		.has = offsetof(struct jvpn_nl_socket, has.local_port),
	},
	[JVPN_A_SOCKET_BIND_IFINDEX] = {
		.name = "bind-ifindex",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_socket, bind_ifindex),
		.has = offsetof(struct jvpn_nl_socket, has.bind_ifindex),
	},
	[JVPN_A_SOCKET_FWMARK] = {
		.name = "fwmark",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_socket, fwmark),
		.has = offsetof(struct jvpn_nl_socket, has.fwmark),
	},
	[JVPN_A_SOCKET_DEVICE_ID] = {
		.name = "device-id",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_socket, device_id),
		.has = offsetof(struct jvpn_nl_socket, has.device_id),
	},
};

const struct jvpn_nl_object jvpn_nl_socket_object = {
	.name = "socket",
	.size = sizeof(struct jvpn_nl_socket),
	.max = JVPN_A_SOCKET_MAX,
	.fields = jvpn_nl_socket_fields,
};

static const struct jvpn_nl_field jvpn_nl_transport_fields[JVPN_A_TRANSPORT_MAX + 1] = {
	[JVPN_A_TRANSPORT_SOCKET] = {
		.name = "socket",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transport, socket),
		.has = offsetof(struct jvpn_nl_transport, has.socket),
	},
	[JVPN_A_TRANSPORT_REMOTE_IPV4] = {
		.name = "remote-ipv4",
		.kind = JVPN_NL_IPV4,
		.offset = offsetof(struct jvpn_nl_transport, remote),
	},
	[JVPN_A_TRANSPORT_REMOTE_IPV6] = {
		.name = "remote-ipv6",
		.kind = JVPN_NL_IPV6,
		.offset = offsetof(struct jvpn_nl_transport, remote),
	},
	[JVPN_A_TRANSPORT_REMOTE_SCOPE_ID] = {
		.name = "remote-scope-id",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transport, remote_scope_id),
		.has = offsetof(struct jvpn_nl_transport, has.remote_scope_id),
	},
	[JVPN_A_TRANSPORT_REMOTE_PORT] = {
		.name = "remote-port",
		.kind = JVPN_NL_BE16,
		.offset = offsetof(struct jvpn_nl_transport, remote_port),
		.has = offsetof(struct jvpn_nl_transport, has.remote_port),
	},
	[JVPN_A_TRANSPORT_LOCAL_IPV4] = {
		.name = "local-ipv4",
		.kind = JVPN_NL_IPV4,
		.offset = offsetof(struct jvpn_nl_transport, local),
	},
	[JVPN_A_TRANSPORT_LOCAL_IPV6] = {
		.name = "local-ipv6",
		.kind = JVPN_NL_IPV6,
		.offset = offsetof(struct jvpn_nl_transport, local),
	},
	[JVPN_A_TRANSPORT_LOCAL_PORT] = {
		.name = "local-port",
		.kind = JVPN_NL_BE16,
		.offset = offsetof(struct jvpn_nl_transport, local_port),
		.has = offsetof(struct jvpn_nl_transport, has.local_port),
	},
	[JVPN_A_TRANSPORT_BIND_IFINDEX] = {
		.name = "bind-ifindex",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transport, bind_ifindex),
		.has = offsetof(struct jvpn_nl_transport, has.bind_ifindex),
	},
	[JVPN_A_TRANSPORT_VERSION] = {
		.name = "version",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_transport, version),
		.has = offsetof(struct jvpn_nl_transport, has.version),
	},
	[JVPN_A_TRANSPORT_SINCE] = {
		.name = "since",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_transport, since),
		.has = offsetof(struct jvpn_nl_transport, has.since),
	},
	[JVPN_A_TRANSPORT_PMTU] = {
		.name = "pmtu",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transport, pmtu),
		.has = offsetof(struct jvpn_nl_transport, has.pmtu),
	},
	[JVPN_A_TRANSPORT_PATH_MTU] = {
		.name = "path-mtu",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transport, path_mtu),
		.has = offsetof(struct jvpn_nl_transport, has.path_mtu),
	},
	[JVPN_A_TRANSPORT_PATH_MTU_SEARCHING] = {
		.name = "path-mtu-searching",
		.kind = JVPN_NL_FLAG,
		.offset = offsetof(struct jvpn_nl_transport, path_mtu_searching),
	},
	[JVPN_A_TRANSPORT_LOCAL_IFINDEX] = {
		.name = "local-ifindex",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transport, local_ifindex),
		.has = offsetof(struct jvpn_nl_transport, has.local_ifindex),
	},
};

const struct jvpn_nl_object jvpn_nl_transport_object = {
	.name = "transport",
	.size = sizeof(struct jvpn_nl_transport),
	.max = JVPN_A_TRANSPORT_MAX,
	.fields = jvpn_nl_transport_fields,
};

static const struct jvpn_nl_field jvpn_nl_epoch_fields[JVPN_A_EPOCH_MAX + 1] = {
	[JVPN_A_EPOCH_NUMBER] = {
		.name = "number",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_epoch, number),
		.has = offsetof(struct jvpn_nl_epoch, has.number),
	},
	[JVPN_A_EPOCH_SUITE] = {
		.name = "suite",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_epoch, suite),
		.has = offsetof(struct jvpn_nl_epoch, has.suite),
	},
	[JVPN_A_EPOCH_RX_INDEX] = {
		.name = "rx-index",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_epoch, rx_index),
		.has = offsetof(struct jvpn_nl_epoch, has.rx_index),
	},
	[JVPN_A_EPOCH_TX_INDEX] = {
		.name = "tx-index",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_epoch, tx_index),
		.has = offsetof(struct jvpn_nl_epoch, has.tx_index),
	},
	[JVPN_A_EPOCH_RX_KEY] = {
		.name = "rx-key",
		.kind = JVPN_NL_BINARY,
		.offset = offsetof(struct jvpn_nl_epoch, rx_key),
		.has = offsetof(struct jvpn_nl_epoch, has.rx_key),
		.size = JVPN_KEY_SIZE,
	},
	[JVPN_A_EPOCH_RX_IV] = {
		.name = "rx-iv",
		.kind = JVPN_NL_BINARY,
		.offset = offsetof(struct jvpn_nl_epoch, rx_iv),
		.has = offsetof(struct jvpn_nl_epoch, has.rx_iv),
		.size = JVPN_IV_SIZE,
	},
	[JVPN_A_EPOCH_TX_KEY] = {
		.name = "tx-key",
		.kind = JVPN_NL_BINARY,
		.offset = offsetof(struct jvpn_nl_epoch, tx_key),
		.has = offsetof(struct jvpn_nl_epoch, has.tx_key),
		.size = JVPN_KEY_SIZE,
	},
	[JVPN_A_EPOCH_TX_IV] = {
		.name = "tx-iv",
		.kind = JVPN_NL_BINARY,
		.offset = offsetof(struct jvpn_nl_epoch, tx_iv),
		.has = offsetof(struct jvpn_nl_epoch, has.tx_iv),
		.size = JVPN_IV_SIZE,
	},
	[JVPN_A_EPOCH_TX_COUNTER] = {
		.name = "tx-counter",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_epoch, tx_counter),
		.has = offsetof(struct jvpn_nl_epoch, has.tx_counter),
	},
	[JVPN_A_EPOCH_RX_COUNTER] = {
		.name = "rx-counter",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_epoch, rx_counter),
		.has = offsetof(struct jvpn_nl_epoch, has.rx_counter),
	},
	[JVPN_A_EPOCH_BORN] = {
		.name = "born",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_epoch, born),
		.has = offsetof(struct jvpn_nl_epoch, has.born),
	},
};

const struct jvpn_nl_object jvpn_nl_epoch_object = {
	.name = "epoch",
	.size = sizeof(struct jvpn_nl_epoch),
	.max = JVPN_A_EPOCH_MAX,
	.fields = jvpn_nl_epoch_fields,
};

static const struct jvpn_nl_field jvpn_nl_inner_fields[JVPN_A_INNER_MAX + 1] = {
	[JVPN_A_INNER_IPV4] = {
		.name = "ipv4",
		.kind = JVPN_NL_IPV4,
		.offset = offsetof(struct jvpn_nl_inner, addr),
	},
	[JVPN_A_INNER_IPV6] = {
		.name = "ipv6",
		.kind = JVPN_NL_IPV6,
		.offset = offsetof(struct jvpn_nl_inner, addr),
	},
	[JVPN_A_INNER_PREFIX_LEN] = {
		.name = "prefix-len",
		.kind = JVPN_NL_U8,
		.offset = offsetof(struct jvpn_nl_inner, prefix_len),
		.has = offsetof(struct jvpn_nl_inner, has.prefix_len),
	},
};

const struct jvpn_nl_object jvpn_nl_inner_object = {
	.name = "inner",
	.size = sizeof(struct jvpn_nl_inner),
	.max = JVPN_A_INNER_MAX,
	.fields = jvpn_nl_inner_fields,
};

static const struct jvpn_nl_field jvpn_nl_policy_fields[JVPN_A_POLICY_MAX + 1] = {
	[JVPN_A_POLICY_NAME] = {
		.name = "name",
		.kind = JVPN_NL_STRING,
		.offset = offsetof(struct jvpn_nl_policy, name),
		.has = offsetof(struct jvpn_nl_policy, has.name),
		.size = 63 + 1,
	},
	[JVPN_A_POLICY_VERSION] = {
		.name = "version",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, version),
		.has = offsetof(struct jvpn_nl_policy, has.version),
	},
	[JVPN_A_POLICY_TRANSPORT_LOSS_TTL_MS] = {
		.name = "transport-loss-ttl-ms",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, transport_loss_ttl_ms),
		.has = offsetof(struct jvpn_nl_policy, has.transport_loss_ttl_ms),
	},
	[JVPN_A_POLICY_IDLE_INTERVAL_MS] = {
		.name = "idle-interval-ms",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, idle_interval_ms),
		.has = offsetof(struct jvpn_nl_policy, has.idle_interval_ms),
	},
	[JVPN_A_POLICY_ACTIVE_INTERVAL_MS] = {
		.name = "active-interval-ms",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, active_interval_ms),
		.has = offsetof(struct jvpn_nl_policy, has.active_interval_ms),
	},
	[JVPN_A_POLICY_DEAD_BASE_MS] = {
		.name = "dead-base-ms",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, dead_base_ms),
		.has = offsetof(struct jvpn_nl_policy, has.dead_base_ms),
	},
	[JVPN_A_POLICY_DEAD_RTTS] = {
		.name = "dead-rtts",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, dead_rtts),
		.has = offsetof(struct jvpn_nl_policy, has.dead_rtts),
	},
	[JVPN_A_POLICY_RX_TIMEOUT_MS] = {
		.name = "rx-timeout-ms",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, rx_timeout_ms),
		.has = offsetof(struct jvpn_nl_policy, has.rx_timeout_ms),
	},
	[JVPN_A_POLICY_REJECT_AFTER_MS] = {
		.name = "reject-after-ms",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, reject_after_ms),
		.has = offsetof(struct jvpn_nl_policy, has.reject_after_ms),
	},
	[JVPN_A_POLICY_HOLD_BYTES] = {
		.name = "hold-bytes",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, hold_bytes),
		.has = offsetof(struct jvpn_nl_policy, has.hold_bytes),
	},
	[JVPN_A_POLICY_LOSS_ENTER] = {
		.name = "loss-enter",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, loss_enter),
		.has = offsetof(struct jvpn_nl_policy, has.loss_enter),
	},
	[JVPN_A_POLICY_LOSS_LEAVE] = {
		.name = "loss-leave",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, loss_leave),
		.has = offsetof(struct jvpn_nl_policy, has.loss_leave),
	},
	[JVPN_A_POLICY_RTT_ENTER_MS] = {
		.name = "rtt-enter-ms",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, rtt_enter_ms),
		.has = offsetof(struct jvpn_nl_policy, has.rtt_enter_ms),
	},
	[JVPN_A_POLICY_RTT_LEAVE_MS] = {
		.name = "rtt-leave-ms",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_policy, rtt_leave_ms),
		.has = offsetof(struct jvpn_nl_policy, has.rtt_leave_ms),
	},
};

const struct jvpn_nl_object jvpn_nl_policy_object = {
	.name = "policy",
	.size = sizeof(struct jvpn_nl_policy),
	.max = JVPN_A_POLICY_MAX,
	.fields = jvpn_nl_policy_fields,
};

static const struct jvpn_nl_field jvpn_nl_stats_fields[JVPN_A_STATS_MAX + 1] = {
	[JVPN_A_STATS_RX_PACKETS] = {
		.name = "rx-packets",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_stats, rx_packets),
		.has = offsetof(struct jvpn_nl_stats, has.rx_packets),
	},
	[JVPN_A_STATS_RX_BYTES] = {
		.name = "rx-bytes",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_stats, rx_bytes),
		.has = offsetof(struct jvpn_nl_stats, has.rx_bytes),
	},
	[JVPN_A_STATS_TX_PACKETS] = {
		.name = "tx-packets",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_stats, tx_packets),
		.has = offsetof(struct jvpn_nl_stats, has.tx_packets),
	},
	[JVPN_A_STATS_TX_BYTES] = {
		.name = "tx-bytes",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_stats, tx_bytes),
		.has = offsetof(struct jvpn_nl_stats, has.tx_bytes),
	},
	[JVPN_A_STATS_RX_DROPS] = {
		.name = "rx-drops",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_stats, rx_drops),
		.has = offsetof(struct jvpn_nl_stats, has.rx_drops),
	},
	[JVPN_A_STATS_TX_DROPS] = {
		.name = "tx-drops",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_stats, tx_drops),
		.has = offsetof(struct jvpn_nl_stats, has.tx_drops),
	},
	[JVPN_A_STATS_HELD_PACKETS] = {
		.name = "held-packets",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_stats, held_packets),
		.has = offsetof(struct jvpn_nl_stats, has.held_packets),
	},
	[JVPN_A_STATS_HELD_BYTES] = {
		.name = "held-bytes",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_stats, held_bytes),
		.has = offsetof(struct jvpn_nl_stats, has.held_bytes),
	},
	[JVPN_A_STATS_REFUSED] = {
		.name = "refused",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_stats, refused),
		.has = offsetof(struct jvpn_nl_stats, has.refused),
	},
};

const struct jvpn_nl_object jvpn_nl_stats_object = {
	.name = "stats",
	.size = sizeof(struct jvpn_nl_stats),
	.max = JVPN_A_STATS_MAX,
	.fields = jvpn_nl_stats_fields,
};

static const struct jvpn_nl_field jvpn_nl_health_fields[JVPN_A_HEALTH_MAX + 1] = {
	[JVPN_A_HEALTH_RTT_US] = {
		.name = "rtt-us",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_health, rtt_us),
		.has = offsetof(struct jvpn_nl_health, has.rtt_us),
	},
	[JVPN_A_HEALTH_JITTER_US] = {
		.name = "jitter-us",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_health, jitter_us),
		.has = offsetof(struct jvpn_nl_health, has.jitter_us),
	},
	[JVPN_A_HEALTH_LOSS] = {
		.name = "loss",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_health, loss),
		.has = offsetof(struct jvpn_nl_health, has.loss),
	},
	[JVPN_A_HEALTH_LAST_RX] = {
		.name = "last-rx",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_health, last_rx),
		.has = offsetof(struct jvpn_nl_health, has.last_rx),
	},
	[JVPN_A_HEALTH_ECHO_COUNTER] = {
		.name = "echo-counter",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_health, echo_counter),
		.has = offsetof(struct jvpn_nl_health, has.echo_counter),
	},
	[JVPN_A_HEALTH_LATE] = {
		.name = "late",
		.kind = JVPN_NL_FLAG,
		.offset = offsetof(struct jvpn_nl_health, late),
	},
};

const struct jvpn_nl_object jvpn_nl_health_object = {
	.name = "health",
	.size = sizeof(struct jvpn_nl_health),
	.max = JVPN_A_HEALTH_MAX,
	.fields = jvpn_nl_health_fields,
};

static const struct jvpn_nl_field jvpn_nl_transition_fields[JVPN_A_TRANSITION_MAX + 1] = {
	[JVPN_A_TRANSITION_VERSION] = {
		.name = "version",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_transition, version),
		.has = offsetof(struct jvpn_nl_transition, has.version),
	},
	[JVPN_A_TRANSITION_FROM] = {
		.name = "from",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transition, from),
		.has = offsetof(struct jvpn_nl_transition, has.from),
	},
	[JVPN_A_TRANSITION_TO] = {
		.name = "to",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transition, to),
		.has = offsetof(struct jvpn_nl_transition, has.to),
	},
	[JVPN_A_TRANSITION_EVENT] = {
		.name = "event",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transition, event),
		.has = offsetof(struct jvpn_nl_transition, has.event),
	},
	[JVPN_A_TRANSITION_REASON] = {
		.name = "reason",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transition, reason),
		.has = offsetof(struct jvpn_nl_transition, has.reason),
	},
	[JVPN_A_TRANSITION_ORIGIN] = {
		.name = "origin",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transition, origin),
		.has = offsetof(struct jvpn_nl_transition, has.origin),
	},
	[JVPN_A_TRANSITION_EPOCH] = {
		.name = "epoch",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_transition, epoch),
		.has = offsetof(struct jvpn_nl_transition, has.epoch),
	},
	[JVPN_A_TRANSITION_TIME] = {
		.name = "time",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_transition, time),
		.has = offsetof(struct jvpn_nl_transition, has.time),
	},
	[JVPN_A_TRANSITION_REAL_TIME] = {
		.name = "real-time",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_transition, real_time),
		.has = offsetof(struct jvpn_nl_transition, has.real_time),
	},
	[JVPN_A_TRANSITION_TRANSPORT] = {
		.name = "transport",
		.kind = JVPN_NL_NEST,
		.offset = offsetof(struct jvpn_nl_transition, transport),
		.has = offsetof(struct jvpn_nl_transition, has.transport),
		.nested = &jvpn_nl_transport_object,
	},
};

const struct jvpn_nl_object jvpn_nl_transition_object = {
	.name = "transition",
	.size = sizeof(struct jvpn_nl_transition),
	.max = JVPN_A_TRANSITION_MAX,
	.fields = jvpn_nl_transition_fields,
};

static const struct jvpn_nl_field jvpn_nl_session_fields[JVPN_A_SESSION_MAX + 1] = {
	[JVPN_A_SESSION_IFINDEX] = {
		.name = "ifindex",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_session, ifindex),
		.has = offsetof(struct jvpn_nl_session, has.ifindex),
	},
	[JVPN_A_SESSION_ID] = {
		.name = "id",
		.kind = JVPN_NL_BINARY,
		.offset = offsetof(struct jvpn_nl_session, id),
		.has = offsetof(struct jvpn_nl_session, has.id),
		.size = JVPN_SESSION_ID_SIZE,
	},
	[JVPN_A_SESSION_STATE] = {
		.name = "state",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_session, state),
		.has = offsetof(struct jvpn_nl_session, has.state),
	},
	[JVPN_A_SESSION_VERSION] = {
		.name = "version",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_session, version),
		.has = offsetof(struct jvpn_nl_session, has.version),
	},
	[JVPN_A_SESSION_EPOCH_NUMBER] = {
		.name = "epoch-number",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_session, epoch_number),
		.has = offsetof(struct jvpn_nl_session, has.epoch_number),
	},
	[JVPN_A_SESSION_ROLE] = {
		.name = "role",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_session, role),
		.has = offsetof(struct jvpn_nl_session, has.role),
	},
	[JVPN_A_SESSION_LABEL] = {
		.name = "label",
		.kind = JVPN_NL_STRING,
		.offset = offsetof(struct jvpn_nl_session, label),
		.has = offsetof(struct jvpn_nl_session, has.label),
		.size = 63 + 1,
	},
	[JVPN_A_SESSION_EXPECTED_VERSION] = {
		.name = "expected-version",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_session, expected_version),
		.has = offsetof(struct jvpn_nl_session, has.expected_version),
	},
	[JVPN_A_SESSION_EXPECTED_EPOCH] = {
		.name = "expected-epoch",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_session, expected_epoch),
		.has = offsetof(struct jvpn_nl_session, has.expected_epoch),
	},
	[JVPN_A_SESSION_EVENT] = {
		.name = "event",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_session, event),
		.has = offsetof(struct jvpn_nl_session, has.event),
	},
	[JVPN_A_SESSION_REASON] = {
		.name = "reason",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_session, reason),
		.has = offsetof(struct jvpn_nl_session, has.reason),
	},
	[JVPN_A_SESSION_REJECT] = {
		.name = "reject",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_session, reject),
		.has = offsetof(struct jvpn_nl_session, has.reject),
	},
	[JVPN_A_SESSION_PEER_VERSION] = {
		.name = "peer-version",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_session, peer_version),
		.has = offsetof(struct jvpn_nl_session, has.peer_version),
	},
	[JVPN_A_SESSION_PEER_EPOCH] = {
		.name = "peer-epoch",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_session, peer_epoch),
		.has = offsetof(struct jvpn_nl_session, has.peer_epoch),
	},
	[JVPN_A_SESSION_INNER] = {
		.name = "inner",
		.kind = JVPN_NL_LIST,
		.offset = offsetof(struct jvpn_nl_session, inner),
		.size = 64,
		.count = offsetof(struct jvpn_nl_session, n_inner),
		.nested = &jvpn_nl_inner_object,
	},
	[JVPN_A_SESSION_TRANSPORT] = {
		.name = "transport",
		.kind = JVPN_NL_NEST,
		.offset = offsetof(struct jvpn_nl_session, transport),
		.has = offsetof(struct jvpn_nl_session, has.transport),
		.nested = &jvpn_nl_transport_object,
	},
	[JVPN_A_SESSION_KEYS] = {
		.name = "keys",
		.kind = JVPN_NL_NEST,
		.offset = offsetof(struct jvpn_nl_session, keys),
		.has = offsetof(struct jvpn_nl_session, has.keys),
		.nested = &jvpn_nl_epoch_object,
	},
	[JVPN_A_SESSION_POLICY] = {
		.name = "policy",
		.kind = JVPN_NL_NEST,
		.offset = offsetof(struct jvpn_nl_session, policy),
		.has = offsetof(struct jvpn_nl_session, has.policy),
		.nested = &jvpn_nl_policy_object,
	},
	[JVPN_A_SESSION_SESSION_DEADLINE] = {
		.name = "session-deadline",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_session, session_deadline),
		.has = offsetof(struct jvpn_nl_session, has.session_deadline),
	},
	[JVPN_A_SESSION_LOSS_DEADLINE] = {
		.name = "loss-deadline",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_session, loss_deadline),
		.has = offsetof(struct jvpn_nl_session, has.loss_deadline),
	},
	[JVPN_A_SESSION_LEASE_DEADLINE] = {
		.name = "lease-deadline",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_session, lease_deadline),
		.has = offsetof(struct jvpn_nl_session, has.lease_deadline),
	},
	[JVPN_A_SESSION_BIRTH_DEADLINE] = {
		.name = "birth-deadline",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_session, birth_deadline),
		.has = offsetof(struct jvpn_nl_session, has.birth_deadline),
	},
	[JVPN_A_SESSION_STATS] = {
		.name = "stats",
		.kind = JVPN_NL_NEST,
		.offset = offsetof(struct jvpn_nl_session, stats),
		.has = offsetof(struct jvpn_nl_session, has.stats),
		.nested = &jvpn_nl_stats_object,
	},
	[JVPN_A_SESSION_HEALTH] = {
		.name = "health",
		.kind = JVPN_NL_NEST,
		.offset = offsetof(struct jvpn_nl_session, health),
		.has = offsetof(struct jvpn_nl_session, has.health),
		.nested = &jvpn_nl_health_object,
	},
	[JVPN_A_SESSION_HISTORY] = {
		.name = "history",
		.kind = JVPN_NL_LIST,
		.offset = offsetof(struct jvpn_nl_session, history),
		.size = JVPN_HISTORY_SIZE,
		.count = offsetof(struct jvpn_nl_session, n_history),
		.nested = &jvpn_nl_transition_object,
	},
	[JVPN_A_SESSION_PENDING] = {
		.name = "pending",
		.kind = JVPN_NL_LIST,
		.offset = offsetof(struct jvpn_nl_session, pending),
		.size = JVPN_PENDING_MAX,
		.count = offsetof(struct jvpn_nl_session, n_pending),
		.nested = &jvpn_nl_transport_object,
	},
	[JVPN_A_SESSION_HOLD] = {
		.name = "hold",
		.kind = JVPN_NL_FLAG,
		.offset = offsetof(struct jvpn_nl_session, hold),
	},
	[JVPN_A_SESSION_REFRESH] = {
		.name = "refresh",
		.kind = JVPN_NL_FLAG,
		.offset = offsetof(struct jvpn_nl_session, refresh),
	},
	[JVPN_A_SESSION_COOKIE] = {
		.name = "cookie",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_session, cookie),
		.has = offsetof(struct jvpn_nl_session, has.cookie),
	},
	[JVPN_A_SESSION_CREATED] = {
		.name = "created",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_session, created),
		.has = offsetof(struct jvpn_nl_session, has.created),
	},
	[JVPN_A_SESSION_DEVICE_ID] = {
		.name = "device-id",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_session, device_id),
		.has = offsetof(struct jvpn_nl_session, has.device_id),
	},
	[JVPN_A_SESSION_PEER_ID] = {
		.name = "peer-id",
		.kind = JVPN_NL_BINARY,
		.offset = offsetof(struct jvpn_nl_session, peer_id),
		.has = offsetof(struct jvpn_nl_session, has.peer_id),
		.size = JVPN_PEER_ID_SIZE,
	},
};

const struct jvpn_nl_object jvpn_nl_session_object = {
	.name = "session",
	.size = sizeof(struct jvpn_nl_session),
	.max = JVPN_A_SESSION_MAX,
	.fields = jvpn_nl_session_fields,
};

static const struct jvpn_nl_field jvpn_nl_packet_fields[JVPN_A_PACKET_MAX + 1] = {
	[JVPN_A_PACKET_IFINDEX] = {
		.name = "ifindex",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_packet, ifindex),
		.has = offsetof(struct jvpn_nl_packet, has.ifindex),
	},
	[JVPN_A_PACKET_TRANSPORT] = {
		.name = "transport",
		.kind = JVPN_NL_NEST,
		.offset = offsetof(struct jvpn_nl_packet, transport),
		.has = offsetof(struct jvpn_nl_packet, has.transport),
		.nested = &jvpn_nl_transport_object,
	},
	[JVPN_A_PACKET_PAYLOAD] = {
		.name = "payload",
		.kind = JVPN_NL_SIZED,
		.offset = offsetof(struct jvpn_nl_packet, payload),
		.has = offsetof(struct jvpn_nl_packet, has.payload),
		.size = JVPN_PACKET_MAX,
		.count = offsetof(struct jvpn_nl_packet, payload_size),
	},
	[JVPN_A_PACKET_DROPPED] = {
		.name = "dropped",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_packet, dropped),
		.has = offsetof(struct jvpn_nl_packet, has.dropped),
	},
	[JVPN_A_PACKET_MAC1_KEY] = {
		.name = "mac1-key",
		.kind = JVPN_NL_BINARY,
		.offset = offsetof(struct jvpn_nl_packet, mac1_key),
		.has = offsetof(struct jvpn_nl_packet, has.mac1_key),
		.size = JVPN_KEY_SIZE,
	},
	[JVPN_A_PACKET_DEVICE_ID] = {
		.name = "device-id",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_packet, device_id),
		.has = offsetof(struct jvpn_nl_packet, has.device_id),
	},
	[JVPN_A_PACKET_NAME_KEY] = {
		.name = "name-key",
		.kind = JVPN_NL_BINARY,
		.offset = offsetof(struct jvpn_nl_packet, name_key),
		.has = offsetof(struct jvpn_nl_packet, has.name_key),
		.size = JVPN_NAME_KEY_SIZE,
	},
};

const struct jvpn_nl_object jvpn_nl_packet_object = {
	.name = "packet",
	.size = sizeof(struct jvpn_nl_packet),
	.max = JVPN_A_PACKET_MAX,
	.fields = jvpn_nl_packet_fields,
};

static const struct jvpn_nl_field jvpn_nl_unbound_fields[JVPN_A_UNBOUND_MAX + 1] = {
	[JVPN_A_UNBOUND_IFINDEX] = {
		.name = "ifindex",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_unbound, ifindex),
		.has = offsetof(struct jvpn_nl_unbound, has.ifindex),
	},
	[JVPN_A_UNBOUND_ID] = {
		.name = "id",
		.kind = JVPN_NL_BINARY,
		.offset = offsetof(struct jvpn_nl_unbound, id),
		.has = offsetof(struct jvpn_nl_unbound, has.id),
		.size = JVPN_SESSION_ID_SIZE,
	},
	[JVPN_A_UNBOUND_TRANSPORT] = {
		.name = "transport",
		.kind = JVPN_NL_NEST,
		.offset = offsetof(struct jvpn_nl_unbound, transport),
		.has = offsetof(struct jvpn_nl_unbound, has.transport),
		.nested = &jvpn_nl_transport_object,
	},
	[JVPN_A_UNBOUND_INDEX] = {
		.name = "index",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_unbound, index),
		.has = offsetof(struct jvpn_nl_unbound, has.index),
	},
	[JVPN_A_UNBOUND_COUNTER] = {
		.name = "counter",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_unbound, counter),
		.has = offsetof(struct jvpn_nl_unbound, has.counter),
	},
	[JVPN_A_UNBOUND_BYTES] = {
		.name = "bytes",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_unbound, bytes),
		.has = offsetof(struct jvpn_nl_unbound, has.bytes),
	},
	[JVPN_A_UNBOUND_STATE] = {
		.name = "state",
		.kind = JVPN_NL_U32,
		.offset = offsetof(struct jvpn_nl_unbound, state),
		.has = offsetof(struct jvpn_nl_unbound, has.state),
	},
	[JVPN_A_UNBOUND_DEVICE_ID] = {
		.name = "device-id",
		.kind = JVPN_NL_U64,
		.offset = offsetof(struct jvpn_nl_unbound, device_id),
		.has = offsetof(struct jvpn_nl_unbound, has.device_id),
	},
};

const struct jvpn_nl_object jvpn_nl_unbound_object = {
	.name = "unbound",
	.size = sizeof(struct jvpn_nl_unbound),
	.max = JVPN_A_UNBOUND_MAX,
	.fields = jvpn_nl_unbound_fields,
};
