/* SPDX-License-Identifier: GPL-2.0 */
/* Written by tools/genl-gen from Documentation/netlink/specs/jvpn.yaml: do not edit. */
#ifndef _JVPN_NL_GEN_H
#define _JVPN_NL_GEN_H

/*
 * The attribute sets as structs. A member counts if its flag in .has is set; a list if its
 * n_ is not 0, an address if its family is not AF_UNSPEC, a bool if it is true. Ports are
 * in host order. The attributes X-ipv4 and X-ipv6 are the one address X.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/jvpn.h>

#include "addr.h"
#include "nl-codec.h"

/* The counter attributes. */
struct jvpn_nl_counter {
	struct {
		bool name, value;
	} has;
	char name[31 + 1];
	uint64_t value;
};

/* The device attributes. */
struct jvpn_nl_device {
	struct {
		bool ifindex, ifname, max_sessions, sessions, sockets, registered,
			boottime, device_id, hold_bytes, held_bytes;
	} has;
	uint32_t ifindex;
	char ifname[15 + 1];
	uint32_t max_sessions;
	uint32_t sessions;
	uint32_t sockets;
	uint32_t registered;
	uint64_t boottime;
	size_t n_counter;
	struct jvpn_nl_counter counter[128];
	uint64_t device_id;
	uint32_t hold_bytes;
	uint32_t held_bytes;
};

/* The socket attributes. */
struct jvpn_nl_socket {
	struct {
		bool ifindex, id, local_port, bind_ifindex, fwmark, device_id;
	} has;
	uint32_t ifindex;
	uint32_t id;
	struct jvpn_addr local;
	uint16_t local_port;
	uint32_t bind_ifindex;
	uint32_t fwmark;
	uint64_t device_id;
};

/* A concrete path. Remote address and port, and the socket that it is reached from. */
struct jvpn_nl_transport {
	struct {
		bool socket, remote_scope_id, remote_port, local_port, bind_ifindex,
			version, since, pmtu, path_mtu, local_ifindex;
	} has;
	uint32_t socket;
	struct jvpn_addr remote;
	uint32_t remote_scope_id;
	uint16_t remote_port;
	struct jvpn_addr local;
	uint16_t local_port;
	uint32_t bind_ifindex;
	uint64_t version;
	uint64_t since;
	uint32_t pmtu;
	uint32_t path_mtu;
	bool path_mtu_searching;
	uint32_t local_ifindex;
};

/* One generation of traffic keys. Keys go in and never come out. */
struct jvpn_nl_epoch {
	struct {
		bool number, suite, rx_index, tx_index, rx_key, rx_iv, tx_key, tx_iv,
			tx_counter, rx_counter, born;
	} has;
	uint32_t number;
	uint32_t suite;
	uint32_t rx_index;
	uint32_t tx_index;
	uint8_t rx_key[JVPN_KEY_SIZE];
	uint8_t rx_iv[JVPN_IV_SIZE];
	uint8_t tx_key[JVPN_KEY_SIZE];
	uint8_t tx_iv[JVPN_IV_SIZE];
	uint64_t tx_counter;
	uint64_t rx_counter;
	uint64_t born;
};

/*
 * An inner prefix of the session. Host prefixes are addresses of the peer; a prefix of
 * length 0 makes the session the default of its device.
 */
struct jvpn_nl_inner {
	struct {
		bool prefix_len;
	} has;
	struct jvpn_addr addr;
	uint8_t prefix_len;
};

/* The part of a session's policy snapshot that the kernel executes. */
struct jvpn_nl_policy {
	struct {
		bool name, version, transport_loss_ttl_ms, idle_interval_ms,
			active_interval_ms, dead_base_ms, dead_rtts, rx_timeout_ms,
			reject_after_ms, hold_bytes, loss_enter, loss_leave, rtt_enter_ms,
			rtt_leave_ms;
	} has;
	char name[63 + 1];
	uint32_t version;
	uint32_t transport_loss_ttl_ms;
	uint32_t idle_interval_ms;
	uint32_t active_interval_ms;
	uint32_t dead_base_ms;
	uint32_t dead_rtts;
	uint32_t rx_timeout_ms;
	uint32_t reject_after_ms;
	uint32_t hold_bytes;
	uint32_t loss_enter;
	uint32_t loss_leave;
	uint32_t rtt_enter_ms;
	uint32_t rtt_leave_ms;
};

/* The stats attributes. */
struct jvpn_nl_stats {
	struct {
		bool rx_packets, rx_bytes, tx_packets, tx_bytes, rx_drops, tx_drops,
			held_packets, held_bytes, refused;
	} has;
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t rx_drops;
	uint64_t tx_drops;
	uint32_t held_packets;
	uint32_t held_bytes;
	uint64_t refused;
};

/* What is measured of the bound transport, from heartbeats and their echoes. */
struct jvpn_nl_health {
	struct {
		bool rtt_us, jitter_us, loss, last_rx, echo_counter;
	} has;
	uint32_t rtt_us;
	uint32_t jitter_us;
	uint32_t loss;
	uint64_t last_rx;
	uint64_t echo_counter;
	bool late;
};

/* One applied transition. */
struct jvpn_nl_transition {
	struct {
		bool version, from, to, event, reason, origin, epoch, time, real_time,
			transport;
	} has;
	uint64_t version;
	uint32_t from;
	uint32_t to;
	uint32_t event;
	uint32_t reason;
	uint32_t origin;
	uint32_t epoch;
	uint64_t time;
	uint64_t real_time;
	struct jvpn_nl_transport transport;
};

/* The session attributes. */
struct jvpn_nl_session {
	struct {
		bool ifindex, id, state, version, epoch_number, role, label,
			expected_version, expected_epoch, event, reason, reject, peer_version,
			peer_epoch, transport, keys, policy, session_deadline, loss_deadline,
			lease_deadline, birth_deadline, stats, health, cookie, created,
			device_id, peer_id;
	} has;
	uint32_t ifindex;
	uint8_t id[JVPN_SESSION_ID_SIZE];
	uint32_t state;
	uint64_t version;
	uint32_t epoch_number;
	uint32_t role;
	char label[63 + 1];
	uint64_t expected_version;
	uint32_t expected_epoch;
	uint32_t event;
	uint32_t reason;
	uint32_t reject;
	uint64_t peer_version;
	uint32_t peer_epoch;
	size_t n_inner;
	struct jvpn_nl_inner inner[64];
	struct jvpn_nl_transport transport;
	struct jvpn_nl_epoch keys;
	struct jvpn_nl_policy policy;
	uint64_t session_deadline;
	uint64_t loss_deadline;
	uint64_t lease_deadline;
	uint64_t birth_deadline;
	struct jvpn_nl_stats stats;
	struct jvpn_nl_health health;
	size_t n_history;
	struct jvpn_nl_transition history[JVPN_HISTORY_SIZE];
	size_t n_pending;
	struct jvpn_nl_transport pending[JVPN_PENDING_MAX];
	bool hold;
	bool refresh;
	uint64_t cookie;
	uint64_t created;
	uint64_t device_id;
	uint8_t peer_id[JVPN_PEER_ID_SIZE];
};

/* A control packet (any JVPN1 message but DATA). */
struct jvpn_nl_packet {
	struct {
		bool ifindex, transport, payload, dropped, mac1_key, device_id, name_key;
	} has;
	uint32_t ifindex;
	struct jvpn_nl_transport transport;
	size_t payload_size;
	uint8_t payload[JVPN_PACKET_MAX];
	uint64_t dropped;
	uint8_t mac1_key[JVPN_KEY_SIZE];
	uint64_t device_id;
	uint8_t name_key[JVPN_NAME_KEY_SIZE];
};

/*
 * An authenticated, fresh packet of a session came from a source that is not bound. It was
 * not delivered.
 */
struct jvpn_nl_unbound {
	struct {
		bool ifindex, id, transport, index, counter, bytes, state, device_id;
	} has;
	uint32_t ifindex;
	uint8_t id[JVPN_SESSION_ID_SIZE];
	struct jvpn_nl_transport transport;
	uint32_t index;
	uint64_t counter;
	uint32_t bytes;
	uint32_t state;
	uint64_t device_id;
};

extern const struct jvpn_nl_object jvpn_nl_device_object;
extern const struct jvpn_nl_object jvpn_nl_counter_object;
extern const struct jvpn_nl_object jvpn_nl_socket_object;
extern const struct jvpn_nl_object jvpn_nl_transport_object;
extern const struct jvpn_nl_object jvpn_nl_epoch_object;
extern const struct jvpn_nl_object jvpn_nl_inner_object;
extern const struct jvpn_nl_object jvpn_nl_policy_object;
extern const struct jvpn_nl_object jvpn_nl_stats_object;
extern const struct jvpn_nl_object jvpn_nl_health_object;
extern const struct jvpn_nl_object jvpn_nl_transition_object;
extern const struct jvpn_nl_object jvpn_nl_session_object;
extern const struct jvpn_nl_object jvpn_nl_packet_object;
extern const struct jvpn_nl_object jvpn_nl_unbound_object;

#endif /* _JVPN_NL_GEN_H */
