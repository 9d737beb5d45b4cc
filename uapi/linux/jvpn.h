/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Written by tools/genl-gen from Documentation/netlink/specs/jvpn.yaml: do not edit. */
/*
 * Control of jvpn devices: sockets, sessions, bindings and key epochs.
 *
 * A session is the anchor, a transport a replaceable attachment. A session has at most one
 * binding (the transport it uses now). Every change of a session names the state_version it
 * was decided on (compare-and-swap); a request that names any other version is refused and
 * changes nothing.
 *
 * Every operation needs CAP_NET_ADMIN in the user namespace that owns the network namespace
 * of the request, and in the one that owned the network namespace that the device was made
 * in: its sockets are there, so whoever is only given the interface rules over nothing
 * else. To receive events needs the same where they are sent: in the namespace that the
 * device was made in, and nowhere once that has ended.
 *
 * A device is named by its ifindex, which finds only what is in the network namespace of
 * the request, or by its device-id, which no other device ever has and which finds it from
 * the namespace that it is in and from the one that it was made in. Answers and events
 * carry the device-id, and the ifindex if the device is in the network namespace that they
 * go to.
 *
 * Every number of a request has a range; one that may be anything says so by u32-max or
 * u64-max.
 *
 * A refused session, binding or epoch request is answered twice: first with a message of
 * the same command that carries id, state, version, epoch and reject, so that the caller
 * learns the current version; then with the netlink error (errno and extack sentence).
 * Errors of these requests are ENOENT (unknown-session), ESTALE (stale-version),
 * EKEYREJECTED (stale-epoch), ESHUTDOWN (terminated), EPROTO (illegal-transition), ETIME
 * (session-expired), ENOLCK (ownership-conflict), EADDRINUSE (dual-binding: an index,
 * prefix or address already belongs to another session), ENOSPC (table full), ENOMEM.
 *
 * All times are milliseconds. Deadlines are absolute on CLOCK_BOOTTIME, so that they
 * survive a suspended machine; 0 means no deadline. None is above time-max.
 */
#ifndef _UAPI_LINUX_JVPN_H
#define _UAPI_LINUX_JVPN_H

#define JVPN_GENL_NAME	"jvpn"
#define JVPN_GENL_VERSION	1

/* Octets of a session id, random and immutable (PROTOCOL JVPN1, RESP). */
#define JVPN_SESSION_ID_SIZE	16
/* Octets of a ChaCha20-Poly1305 key (RFC 8439). */
#define JVPN_KEY_SIZE	32
/* Octets of the IV that each counter is combined with (RFC 8439 nonce). */
#define JVPN_IV_SIZE	12
/* Octets of a SipHash-2-4 key. */
#define JVPN_NAME_KEY_SIZE	16
/* Most sessions of a device for whose owner no capability of the initial user namespace speaks. */
#define JVPN_SESSIONS_UNPRIVILEGED_MAX	65536
/* Octets of a session label, the terminating NUL included. */
#define JVPN_LABEL_SIZE	64
/* Transitions of a session that the kernel remembers. */
#define JVPN_HISTORY_SIZE	16
/* Pending bindings that a session may have at once. */
#define JVPN_PENDING_MAX	4
/* Largest control packet in octets that passes the control channel. */
#define JVPN_PACKET_MAX	1280
/* Octets of the identity of a peer, its static public key. */
#define JVPN_PEER_ID_SIZE	32
/* Latest deadline, 2^42 - 1 ms; what is added to it in nanoseconds fits 63 bits. */
#define JVPN_TIME_MAX	4398046511103

/**
 * enum jvpn_state - Session states. ATTACHED and VOLATILE have exactly one binding, the
 * others none.
 * @JVPN_STATE_BIRTH: Made, no valid packet yet. Version 0.
 * @JVPN_STATE_ATTACHED: Bound, path healthy.
 * @JVPN_STATE_VOLATILE: Bound, path below a quality threshold.
 * @JVPN_STATE_RECOVERING: Unbound, a reattach is awaited.
 * @JVPN_STATE_DEGRADED: Unbound, a recovery bound was exceeded.
 * @JVPN_STATE_TERMINATED: Ended. Absorbing.
 */
enum jvpn_state {
	JVPN_STATE_BIRTH,
	JVPN_STATE_ATTACHED,
	JVPN_STATE_VOLATILE,
	JVPN_STATE_RECOVERING,
	JVPN_STATE_DEGRADED,
	JVPN_STATE_TERMINATED,

	/* private: */
	__JVPN_STATE_MAX,
	JVPN_STATE_MAX = (__JVPN_STATE_MAX - 1)
};

/**
 * enum jvpn_event - Inputs of the session state machine. Every applied event raises the
 * version by one.
 * @JVPN_EVENT_NONE: No event.
 * @JVPN_EVENT_HANDSHAKE_DONE: birth to attached.
 * @JVPN_EVENT_HANDSHAKE_FAILED: birth to terminated.
 * @JVPN_EVENT_QUALITY_LOW: attached to volatile.
 * @JVPN_EVENT_QUALITY_OK: volatile to attached.
 * @JVPN_EVENT_TRANSPORT_DEAD: attached or volatile to recovering.
 * @JVPN_EVENT_JUMP: attached or volatile to recovering.
 * @JVPN_EVENT_REATTACH_COMMIT: recovering to attached.
 * @JVPN_EVENT_BOUND_EXCEEDED: recovering to degraded.
 * @JVPN_EVENT_RETRY: degraded to recovering.
 * @JVPN_EVENT_TERMINATE: any but terminated to terminated.
 */
enum jvpn_event {
	JVPN_EVENT_NONE,
	JVPN_EVENT_HANDSHAKE_DONE,
	JVPN_EVENT_HANDSHAKE_FAILED,
	JVPN_EVENT_QUALITY_LOW,
	JVPN_EVENT_QUALITY_OK,
	JVPN_EVENT_TRANSPORT_DEAD,
	JVPN_EVENT_JUMP,
	JVPN_EVENT_REATTACH_COMMIT,
	JVPN_EVENT_BOUND_EXCEEDED,
	JVPN_EVENT_RETRY,
	JVPN_EVENT_TERMINATE,

	/* private: */
	__JVPN_EVENT_MAX,
	JVPN_EVENT_MAX = (__JVPN_EVENT_MAX - 1)
};

/**
 * enum jvpn_reason - Why an event happened. Each event accepts its own reasons only.
 * @JVPN_REASON_NONE: No reason.
 * @JVPN_REASON_HANDSHAKE_OK: handshake-done.
 * @JVPN_REASON_HANDSHAKE_TIMEOUT: handshake-failed.
 * @JVPN_REASON_HANDSHAKE_REJECTED: handshake-failed.
 * @JVPN_REASON_LOSS_THRESHOLD: quality-low.
 * @JVPN_REASON_LATENCY_THRESHOLD: quality-low.
 * @JVPN_REASON_HEARTBEAT_LATE: quality-low.
 * @JVPN_REASON_HEALTH_RECOVERED: quality-ok.
 * @JVPN_REASON_PROBE_TIMEOUT: transport-dead.
 * @JVPN_REASON_LINK_DOWN: transport-dead.
 * @JVPN_REASON_ROUTE_LOST: transport-dead.
 * @JVPN_REASON_SOCKET_ERROR: transport-dead.
 * @JVPN_REASON_ICMP_UNREACHABLE: transport-dead.
 * @JVPN_REASON_CLIENT_JUMP: jump.
 * @JVPN_REASON_NAT_REBIND: jump.
 * @JVPN_REASON_OPERATOR_JUMP: jump.
 * @JVPN_REASON_OWNER_MOVED: jump.
 * @JVPN_REASON_REATTACH_OK: reattach-commit.
 * @JVPN_REASON_RECOVERY_WINDOW_EXCEEDED: bound-exceeded.
 * @JVPN_REASON_SWITCH_RATE_EXCEEDED: bound-exceeded.
 * @JVPN_REASON_COOLDOWN_OVER: retry.
 * @JVPN_REASON_CANDIDATE_APPEARED: retry.
 * @JVPN_REASON_SESSION_TTL_EXPIRED: terminate.
 * @JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED: terminate.
 * @JVPN_REASON_OWNERSHIP_AMBIGUOUS: terminate.
 * @JVPN_REASON_POLICY_FAILURE: terminate.
 * @JVPN_REASON_OPERATOR: terminate.
 * @JVPN_REASON_KEY_EXPIRED: transport-dead.
 * @JVPN_REASON_LEASE_LOST: terminate.
 * @JVPN_REASON_HOST_SUSPENDED: transport-dead.
 */
enum jvpn_reason {
	JVPN_REASON_NONE,
	JVPN_REASON_HANDSHAKE_OK,
	JVPN_REASON_HANDSHAKE_TIMEOUT,
	JVPN_REASON_HANDSHAKE_REJECTED,
	JVPN_REASON_LOSS_THRESHOLD,
	JVPN_REASON_LATENCY_THRESHOLD,
	JVPN_REASON_HEARTBEAT_LATE,
	JVPN_REASON_HEALTH_RECOVERED,
	JVPN_REASON_PROBE_TIMEOUT,
	JVPN_REASON_LINK_DOWN,
	JVPN_REASON_ROUTE_LOST,
	JVPN_REASON_SOCKET_ERROR,
	JVPN_REASON_ICMP_UNREACHABLE,
	JVPN_REASON_CLIENT_JUMP,
	JVPN_REASON_NAT_REBIND,
	JVPN_REASON_OPERATOR_JUMP,
	JVPN_REASON_OWNER_MOVED,
	JVPN_REASON_REATTACH_OK,
	JVPN_REASON_RECOVERY_WINDOW_EXCEEDED,
	JVPN_REASON_SWITCH_RATE_EXCEEDED,
	JVPN_REASON_COOLDOWN_OVER,
	JVPN_REASON_CANDIDATE_APPEARED,
	JVPN_REASON_SESSION_TTL_EXPIRED,
	JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED,
	JVPN_REASON_OWNERSHIP_AMBIGUOUS,
	JVPN_REASON_POLICY_FAILURE,
	JVPN_REASON_OPERATOR,
	JVPN_REASON_KEY_EXPIRED,
	JVPN_REASON_LEASE_LOST,
	JVPN_REASON_HOST_SUSPENDED,

	/* private: */
	__JVPN_REASON_MAX,
	JVPN_REASON_MAX = (__JVPN_REASON_MAX - 1)
};

/**
 * enum jvpn_reject - Why a request was refused. A refusal changes no state, version,
 * binding, key or timer.
 * @JVPN_REJECT_NONE: Not refused.
 * @JVPN_REJECT_UNKNOWN_SESSION: No session of that id.
 * @JVPN_REJECT_BAD_PROOF: Proof of possession does not verify.
 * @JVPN_REJECT_REPLAY: Seen before.
 * @JVPN_REJECT_STALE_FRESHNESS: Challenge or cookie too old.
 * @JVPN_REJECT_STALE_VERSION: Names another version than the current one.
 * @JVPN_REJECT_STALE_EPOCH: Names another epoch, or one not above the current one.
 * @JVPN_REJECT_SESSION_EXPIRED: A deadline has passed.
 * @JVPN_REJECT_TERMINATED: The session is terminated.
 * @JVPN_REJECT_ILLEGAL_TRANSITION: No such row in the transition table.
 * @JVPN_REJECT_POLICY_DENIED: The policy forbids it.
 * @JVPN_REJECT_RATE_LIMITED: A rate limit was hit.
 * @JVPN_REJECT_SWITCH_RATE_EXCEEDED: Too many switches in the last minute.
 * @JVPN_REJECT_OWNERSHIP_CONFLICT: Another node owns the session, or the lease ended.
 * @JVPN_REJECT_DUAL_BINDING: Would make two owners of one index, prefix or transport.
 * @JVPN_REJECT_SUSPENDED: The machine is on its way to sleep, or just waking, and takes no
 *   keys.
 */
enum jvpn_reject {
	JVPN_REJECT_NONE,
	JVPN_REJECT_UNKNOWN_SESSION,
	JVPN_REJECT_BAD_PROOF,
	JVPN_REJECT_REPLAY,
	JVPN_REJECT_STALE_FRESHNESS,
	JVPN_REJECT_STALE_VERSION,
	JVPN_REJECT_STALE_EPOCH,
	JVPN_REJECT_SESSION_EXPIRED,
	JVPN_REJECT_TERMINATED,
	JVPN_REJECT_ILLEGAL_TRANSITION,
	JVPN_REJECT_POLICY_DENIED,
	JVPN_REJECT_RATE_LIMITED,
	JVPN_REJECT_SWITCH_RATE_EXCEEDED,
	JVPN_REJECT_OWNERSHIP_CONFLICT,
	JVPN_REJECT_DUAL_BINDING,
	JVPN_REJECT_SUSPENDED,

	/* private: */
	__JVPN_REJECT_MAX,
	JVPN_REJECT_MAX = (__JVPN_REJECT_MAX - 1)
};

/**
 * enum jvpn_role - Which end of the session this device is. The gateway's version is the
 * authority.
 * @JVPN_ROLE_GATEWAY: Answers handshakes and reattaches.
 * @JVPN_ROLE_CLIENT: Starts handshakes and reattaches, sends the probes.
 */
enum jvpn_role {
	JVPN_ROLE_GATEWAY,
	JVPN_ROLE_CLIENT,

	/* private: */
	__JVPN_ROLE_MAX,
	JVPN_ROLE_MAX = (__JVPN_ROLE_MAX - 1)
};

/**
 * enum jvpn_origin - Who requested a transition.
 * @JVPN_ORIGIN_DAEMON: A netlink request.
 * @JVPN_ORIGIN_KERNEL: A deadline, a packet or a device event, without the daemon.
 */
enum jvpn_origin {
	JVPN_ORIGIN_DAEMON,
	JVPN_ORIGIN_KERNEL,

	/* private: */
	__JVPN_ORIGIN_MAX,
	JVPN_ORIGIN_MAX = (__JVPN_ORIGIN_MAX - 1)
};

/**
 * enum jvpn_suite - Cipher suites of the data path.
 * @JVPN_SUITE_NONE: Not a suite.
 * @JVPN_SUITE_CHACHA20_POLY1305: RFC 8439.
 */
enum jvpn_suite {
	JVPN_SUITE_NONE,
	JVPN_SUITE_CHACHA20_POLY1305,

	/* private: */
	__JVPN_SUITE_MAX,
	JVPN_SUITE_MAX = (__JVPN_SUITE_MAX - 1)
};

/**
 * enum jvpn_a_device - The device attributes.
 * @JVPN_A_DEVICE_IFINDEX: u32. Interface index. Every request but a dump names its device
 *   by this or by device-id.
 * @JVPN_A_DEVICE_IFNAME: string, at most 15 characters. Interface name (answers only).
 * @JVPN_A_DEVICE_MAX_SESSIONS: u32, 1 to 1048576. Most sessions that the device holds,
 *   default 65536. Never below the number it holds now. More than sessions-unprivileged-max
 *   need CAP_NET_ADMIN in the initial user namespace (EPERM).
 * @JVPN_A_DEVICE_SESSIONS: u32. Sessions that the device holds now, terminated ones
 *   included.
 * @JVPN_A_DEVICE_SOCKETS: u32. Sockets that the device holds now.
 * @JVPN_A_DEVICE_REGISTERED: u32. Netlink port of the registered daemon, absent if there is
 *   none.
 * @JVPN_A_DEVICE_BOOTTIME: u64. CLOCK_BOOTTIME now, to compare deadlines with.
 * @JVPN_A_DEVICE_COUNTER: nest, of JVPN_A_COUNTER_*, repeated. Packet counters, one per
 *   cause (also shown by ethtool -S).
 * @JVPN_A_DEVICE_PAD: Padding of 64-bit attributes.
 * @JVPN_A_DEVICE_DEVICE_ID: u64, 1 to u64-max. Given by the kernel, never to another
 *   device.
 * @JVPN_A_DEVICE_HOLD_BYTES: u32, 0 to 2147483647. Octets of memory that packets which wait
 *   for a binding may take in all sessions together; default a sixteenth of the machine's
 *   memory, 4 MB at least and 256 MB at most. A session gets no more than is left, so that
 *   sessions share it alike. More than the default needs CAP_NET_ADMIN in the initial user
 *   namespace (EPERM).
 * @JVPN_A_DEVICE_HELD_BYTES: u32. Octets of memory that they take now.
 */
enum jvpn_a_device {
	JVPN_A_DEVICE_IFINDEX = 1,
	JVPN_A_DEVICE_IFNAME,
	JVPN_A_DEVICE_MAX_SESSIONS,
	JVPN_A_DEVICE_SESSIONS,
	JVPN_A_DEVICE_SOCKETS,
	JVPN_A_DEVICE_REGISTERED,
	JVPN_A_DEVICE_BOOTTIME,
	JVPN_A_DEVICE_COUNTER,
	JVPN_A_DEVICE_PAD,
	JVPN_A_DEVICE_DEVICE_ID,
	JVPN_A_DEVICE_HOLD_BYTES,
	JVPN_A_DEVICE_HELD_BYTES,

	/* private: */
	__JVPN_A_DEVICE_MAX
};

#define JVPN_A_DEVICE_MAX	(__JVPN_A_DEVICE_MAX - 1)

/**
 * enum jvpn_a_counter - The counter attributes.
 * @JVPN_A_COUNTER_NAME: string, at most 31 characters. Name of the counter.
 * @JVPN_A_COUNTER_VALUE: u64. Packets, or octets where the name ends in _bytes.
 * @JVPN_A_COUNTER_PAD: Padding of 64-bit attributes.
 */
enum jvpn_a_counter {
	JVPN_A_COUNTER_NAME = 1,
	JVPN_A_COUNTER_VALUE,
	JVPN_A_COUNTER_PAD,

	/* private: */
	__JVPN_A_COUNTER_MAX
};

#define JVPN_A_COUNTER_MAX	(__JVPN_A_COUNTER_MAX - 1)

/**
 * enum jvpn_a_socket - The socket attributes.
 * @JVPN_A_SOCKET_IFINDEX: u32. The jvpn device, or device-id.
 * @JVPN_A_SOCKET_ID: u32, 1 to u32-max. Socket id, unique in the device, given by the
 *   kernel.
 * @JVPN_A_SOCKET_LOCAL_IPV4: __be32. Local IPv4 address, 0.0.0.0 for any. Makes an IPv4
 *   socket.
 * @JVPN_A_SOCKET_LOCAL_IPV6: binary, 16 octets. Local IPv6 address, :: for any. Makes an
 *   IPv6-only socket. Exactly one of the two addresses.
 * @JVPN_A_SOCKET_LOCAL_PORT: __be16. Local UDP port; 0 or absent lets the kernel choose,
 *   the answer names it.
 * @JVPN_A_SOCKET_BIND_IFINDEX: u32, 0 to s32-max. Underlay interface that the socket is
 *   bound to; absent or 0 for none.
 * @JVPN_A_SOCKET_FWMARK: u32. Mark of the packets sent, for policy routing.
 * @JVPN_A_SOCKET_PAD: Padding of 64-bit attributes.
 * @JVPN_A_SOCKET_DEVICE_ID: u64, 1 to u64-max. The jvpn device, or ifindex.
 */
enum jvpn_a_socket {
	JVPN_A_SOCKET_IFINDEX = 1,
	JVPN_A_SOCKET_ID,
	JVPN_A_SOCKET_LOCAL_IPV4,
	JVPN_A_SOCKET_LOCAL_IPV6,
	JVPN_A_SOCKET_LOCAL_PORT,
	JVPN_A_SOCKET_BIND_IFINDEX,
	JVPN_A_SOCKET_FWMARK,
	JVPN_A_SOCKET_PAD,
	JVPN_A_SOCKET_DEVICE_ID,

	/* private: */
	__JVPN_A_SOCKET_MAX
};

#define JVPN_A_SOCKET_MAX	(__JVPN_A_SOCKET_MAX - 1)

/**
 * enum jvpn_a_transport - A concrete path. Remote address and port, and the socket that it
 * is reached from.
 * @JVPN_A_TRANSPORT_SOCKET: u32, 1 to u32-max. Socket id.
 * @JVPN_A_TRANSPORT_REMOTE_IPV4: __be32. Remote IPv4 address (IPv4 sockets).
 * @JVPN_A_TRANSPORT_REMOTE_IPV6: binary, 16 octets. Remote IPv6 address (IPv6 sockets).
 * @JVPN_A_TRANSPORT_REMOTE_SCOPE_ID: u32, 0 to s32-max. Interface index of a link-local
 *   remote address.
 * @JVPN_A_TRANSPORT_REMOTE_PORT: __be16. Remote UDP port, not 0.
 * @JVPN_A_TRANSPORT_LOCAL_IPV4: __be32. Source address to send from (gateway with several
 *   addresses); absent lets routing choose.
 * @JVPN_A_TRANSPORT_LOCAL_IPV6: binary, 16 octets. The same for IPv6.
 * @JVPN_A_TRANSPORT_LOCAL_PORT: __be16. Local UDP port (answers only).
 * @JVPN_A_TRANSPORT_BIND_IFINDEX: u32. Underlay interface of the socket (answers only).
 * @JVPN_A_TRANSPORT_VERSION: u64. state_version that the binding was committed under
 *   (answers only).
 * @JVPN_A_TRANSPORT_SINCE: u64. CLOCK_BOOTTIME of the commit (answers only).
 * @JVPN_A_TRANSPORT_PMTU: u32. Largest inner packet that is not refused for its size now,
 *   octets (answers only). Inner IPv6 of up to 1280 octets, and IPv4 that may be fragmented,
 *   never is.
 * @JVPN_A_TRANSPORT_PAD: Padding of 64-bit attributes.
 * @JVPN_A_TRANSPORT_PATH_MTU: u32. Largest outer packet that heartbeats have shown to pass
 *   both ways, octets with IP header; 0 while none has (answers only).
 * @JVPN_A_TRANSPORT_PATH_MTU_SEARCHING: flag. path-mtu passes, and a larger one is being
 *   looked for: what is larger is fragmented meanwhile (answers only).
 * @JVPN_A_TRANSPORT_LOCAL_IFINDEX: u32, 0 to s32-max. With local-*: interface that packets
 *   to that address came in by (0: not known). What is sent from an unbound socket leaves by
 *   it if it has a route to the remote address; else as routing chooses.
 */
enum jvpn_a_transport {
	JVPN_A_TRANSPORT_SOCKET = 1,
	JVPN_A_TRANSPORT_REMOTE_IPV4,
	JVPN_A_TRANSPORT_REMOTE_IPV6,
	JVPN_A_TRANSPORT_REMOTE_SCOPE_ID,
	JVPN_A_TRANSPORT_REMOTE_PORT,
	JVPN_A_TRANSPORT_LOCAL_IPV4,
	JVPN_A_TRANSPORT_LOCAL_IPV6,
	JVPN_A_TRANSPORT_LOCAL_PORT,
	JVPN_A_TRANSPORT_BIND_IFINDEX,
	JVPN_A_TRANSPORT_VERSION,
	JVPN_A_TRANSPORT_SINCE,
	JVPN_A_TRANSPORT_PMTU,
	JVPN_A_TRANSPORT_PAD,
	JVPN_A_TRANSPORT_PATH_MTU,
	JVPN_A_TRANSPORT_PATH_MTU_SEARCHING,
	JVPN_A_TRANSPORT_LOCAL_IFINDEX,

	/* private: */
	__JVPN_A_TRANSPORT_MAX
};

#define JVPN_A_TRANSPORT_MAX	(__JVPN_A_TRANSPORT_MAX - 1)

/**
 * enum jvpn_a_epoch - One generation of traffic keys. Keys go in and never come out.
 * @JVPN_A_EPOCH_NUMBER: u32. Epoch number E, one per key install, rising.
 * @JVPN_A_EPOCH_SUITE: u32, enum jvpn_suite, 1 to 1. Cipher suite.
 * @JVPN_A_EPOCH_RX_INDEX: u32. Index in the header of received packets; unique in the
 *   device, not 0.
 * @JVPN_A_EPOCH_TX_INDEX: u32. Index put in the header of sent packets.
 * @JVPN_A_EPOCH_RX_KEY: binary, JVPN_KEY_SIZE octets. Receive key.
 * @JVPN_A_EPOCH_RX_IV: binary, JVPN_IV_SIZE octets. Receive IV; nonce = iv XOR (0^4 || LE64
 *   counter).
 * @JVPN_A_EPOCH_TX_KEY: binary, JVPN_KEY_SIZE octets. Send key.
 * @JVPN_A_EPOCH_TX_IV: binary, JVPN_IV_SIZE octets. Send IV.
 * @JVPN_A_EPOCH_TX_COUNTER: u64. Next send counter (answers only). The first one is the
 *   time since boot in ns, moved by a number that only the key tells.
 * @JVPN_A_EPOCH_RX_COUNTER: u64. Highest counter received (answers only).
 * @JVPN_A_EPOCH_BORN: u64. CLOCK_BOOTTIME of the install (answers only).
 * @JVPN_A_EPOCH_PAD: Padding of 64-bit attributes.
 */
enum jvpn_a_epoch {
	JVPN_A_EPOCH_NUMBER = 1,
	JVPN_A_EPOCH_SUITE,
	JVPN_A_EPOCH_RX_INDEX,
	JVPN_A_EPOCH_TX_INDEX,
	JVPN_A_EPOCH_RX_KEY,
	JVPN_A_EPOCH_RX_IV,
	JVPN_A_EPOCH_TX_KEY,
	JVPN_A_EPOCH_TX_IV,
	JVPN_A_EPOCH_TX_COUNTER,
	JVPN_A_EPOCH_RX_COUNTER,
	JVPN_A_EPOCH_BORN,
	JVPN_A_EPOCH_PAD,

	/* private: */
	__JVPN_A_EPOCH_MAX
};

#define JVPN_A_EPOCH_MAX	(__JVPN_A_EPOCH_MAX - 1)

/**
 * enum jvpn_a_inner - An inner prefix of the session. Host prefixes are addresses of the
 * peer; a prefix of length 0 makes the session the default of its device.
 * @JVPN_A_INNER_IPV4: __be32. IPv4 prefix.
 * @JVPN_A_INNER_IPV6: binary, 16 octets. IPv6 prefix. Exactly one of the two.
 * @JVPN_A_INNER_PREFIX_LEN: u8, 0 to 128. Bits that count, at most 32 for IPv4. Bits beyond
 *   it must be zero.
 */
enum jvpn_a_inner {
	JVPN_A_INNER_IPV4 = 1,
	JVPN_A_INNER_IPV6,
	JVPN_A_INNER_PREFIX_LEN,

	/* private: */
	__JVPN_A_INNER_MAX
};

#define JVPN_A_INNER_MAX	(__JVPN_A_INNER_MAX - 1)

/**
 * enum jvpn_a_policy - The part of a session's policy snapshot that the kernel executes.
 * @JVPN_A_POLICY_NAME: string, at most 63 characters. Name of the policy, for people.
 * @JVPN_A_POLICY_VERSION: u32. Version of the policy, for people and the audit log.
 * @JVPN_A_POLICY_TRANSPORT_LOSS_TTL_MS: u32, 0 to s32-max. From the loss of the binding to
 *   transport-loss-ttl-expired; 0 is no limit.
 * @JVPN_A_POLICY_IDLE_INTERVAL_MS: u32, 100 to 600000. Client: heartbeat interval when the
 *   tunnel is idle, default 10000.
 * @JVPN_A_POLICY_ACTIVE_INTERVAL_MS: u32, 10 to 600000. Client: heartbeat interval under
 *   traffic, default 1000.
 * @JVPN_A_POLICY_DEAD_BASE_MS: u32, 10 to 600000. Client: with something outstanding and
 *   nothing heard for dead-rtts * RTT + dead-base-ms the transport is dead, default 700.
 * @JVPN_A_POLICY_DEAD_RTTS: u32, 0 to 100. Client: see dead-base-ms, default 3.
 * @JVPN_A_POLICY_RX_TIMEOUT_MS: u32, 0 to s32-max. Gateway: silence of the client after
 *   which the transport is dead, default 45000; 0 is never.
 * @JVPN_A_POLICY_REJECT_AFTER_MS: u32, 1000 to 180000. Age at which an epoch is no longer
 *   used, default and most 180000.
 * @JVPN_A_POLICY_HOLD_BYTES: u32, 0 to 16777216. Most octets of memory (packets and what
 *   they are kept in) that wait for a binding, oldest dropped first, default 1048576; at most
 *   4096 packets.
 * @JVPN_A_POLICY_LOSS_ENTER: u32, 0 to 100. Client: percent of lost heartbeats that is
 *   reported as quality-low; 0 is never.
 * @JVPN_A_POLICY_LOSS_LEAVE: u32, 0 to 100. Client: percent below which it is reported as
 *   quality-ok.
 * @JVPN_A_POLICY_RTT_ENTER_MS: u32, 0 to 600000. Client: smoothed RTT that is reported as
 *   quality-low; 0 is never.
 * @JVPN_A_POLICY_RTT_LEAVE_MS: u32, 0 to 600000. Client: smoothed RTT below which it is
 *   reported as quality-ok.
 */
enum jvpn_a_policy {
	JVPN_A_POLICY_NAME = 1,
	JVPN_A_POLICY_VERSION,
	JVPN_A_POLICY_TRANSPORT_LOSS_TTL_MS,
	JVPN_A_POLICY_IDLE_INTERVAL_MS,
	JVPN_A_POLICY_ACTIVE_INTERVAL_MS,
	JVPN_A_POLICY_DEAD_BASE_MS,
	JVPN_A_POLICY_DEAD_RTTS,
	JVPN_A_POLICY_RX_TIMEOUT_MS,
	JVPN_A_POLICY_REJECT_AFTER_MS,
	JVPN_A_POLICY_HOLD_BYTES,
	JVPN_A_POLICY_LOSS_ENTER,
	JVPN_A_POLICY_LOSS_LEAVE,
	JVPN_A_POLICY_RTT_ENTER_MS,
	JVPN_A_POLICY_RTT_LEAVE_MS,

	/* private: */
	__JVPN_A_POLICY_MAX
};

#define JVPN_A_POLICY_MAX	(__JVPN_A_POLICY_MAX - 1)

/**
 * enum jvpn_a_stats - The stats attributes.
 * @JVPN_A_STATS_RX_PACKETS: u64. Inner packets delivered.
 * @JVPN_A_STATS_RX_BYTES: u64. Inner octets delivered.
 * @JVPN_A_STATS_TX_PACKETS: u64. Inner packets sent.
 * @JVPN_A_STATS_TX_BYTES: u64. Inner octets sent.
 * @JVPN_A_STATS_RX_DROPS: u64. Received packets of this session that were refused.
 * @JVPN_A_STATS_TX_DROPS: u64. Packets to this session that were not sent.
 * @JVPN_A_STATS_HELD_PACKETS: u32. Packets that wait for a binding now.
 * @JVPN_A_STATS_HELD_BYTES: u32. Octets of memory that they take.
 * @JVPN_A_STATS_REFUSED: u64. Refused netlink requests.
 * @JVPN_A_STATS_PAD: Padding of 64-bit attributes.
 */
enum jvpn_a_stats {
	JVPN_A_STATS_RX_PACKETS = 1,
	JVPN_A_STATS_RX_BYTES,
	JVPN_A_STATS_TX_PACKETS,
	JVPN_A_STATS_TX_BYTES,
	JVPN_A_STATS_RX_DROPS,
	JVPN_A_STATS_TX_DROPS,
	JVPN_A_STATS_HELD_PACKETS,
	JVPN_A_STATS_HELD_BYTES,
	JVPN_A_STATS_REFUSED,
	JVPN_A_STATS_PAD,

	/* private: */
	__JVPN_A_STATS_MAX
};

#define JVPN_A_STATS_MAX	(__JVPN_A_STATS_MAX - 1)

/**
 * enum jvpn_a_health - What is measured of the bound transport, from heartbeats and their
 * echoes.
 * @JVPN_A_HEALTH_RTT_US: u32. Smoothed round trip, microseconds (RFC 6298); 0 is unknown.
 * @JVPN_A_HEALTH_JITTER_US: u32. Mean deviation of the round trip, microseconds (RFC 6298).
 * @JVPN_A_HEALTH_LOSS: u32. Heartbeats lost of the last 64, in 1/1000.
 * @JVPN_A_HEALTH_LAST_RX: u64. CLOCK_BOOTTIME of the last authenticated packet.
 * @JVPN_A_HEALTH_ECHO_COUNTER: u64. Client: send counter of the newest heartbeat that was
 *   echoed. A packet with a lower counter was sent before the path was last seen alive both
 *   ways.
 * @JVPN_A_HEALTH_LATE: flag. An echo is overdue.
 * @JVPN_A_HEALTH_PAD: Padding of 64-bit attributes.
 */
enum jvpn_a_health {
	JVPN_A_HEALTH_RTT_US = 1,
	JVPN_A_HEALTH_JITTER_US,
	JVPN_A_HEALTH_LOSS,
	JVPN_A_HEALTH_LAST_RX,
	JVPN_A_HEALTH_ECHO_COUNTER,
	JVPN_A_HEALTH_LATE,
	JVPN_A_HEALTH_PAD,

	/* private: */
	__JVPN_A_HEALTH_MAX
};

#define JVPN_A_HEALTH_MAX	(__JVPN_A_HEALTH_MAX - 1)

/**
 * enum jvpn_a_transition - One applied transition.
 * @JVPN_A_TRANSITION_VERSION: u64. state_version after the transition.
 * @JVPN_A_TRANSITION_FROM: u32, enum jvpn_state. State before.
 * @JVPN_A_TRANSITION_TO: u32, enum jvpn_state. State after.
 * @JVPN_A_TRANSITION_EVENT: u32, enum jvpn_event. Event applied.
 * @JVPN_A_TRANSITION_REASON: u32, enum jvpn_reason. Its reason.
 * @JVPN_A_TRANSITION_ORIGIN: u32, enum jvpn_origin. Who requested it.
 * @JVPN_A_TRANSITION_EPOCH: u32. Epoch after the transition.
 * @JVPN_A_TRANSITION_TIME: u64. CLOCK_BOOTTIME.
 * @JVPN_A_TRANSITION_REAL_TIME: u64. CLOCK_REALTIME, milliseconds since 1970.
 * @JVPN_A_TRANSITION_TRANSPORT: nest, of JVPN_A_TRANSPORT_*. Transport bound by, or lost
 *   by, the transition.
 * @JVPN_A_TRANSITION_PAD: Padding of 64-bit attributes.
 */
enum jvpn_a_transition {
	JVPN_A_TRANSITION_VERSION = 1,
	JVPN_A_TRANSITION_FROM,
	JVPN_A_TRANSITION_TO,
	JVPN_A_TRANSITION_EVENT,
	JVPN_A_TRANSITION_REASON,
	JVPN_A_TRANSITION_ORIGIN,
	JVPN_A_TRANSITION_EPOCH,
	JVPN_A_TRANSITION_TIME,
	JVPN_A_TRANSITION_REAL_TIME,
	JVPN_A_TRANSITION_TRANSPORT,
	JVPN_A_TRANSITION_PAD,

	/* private: */
	__JVPN_A_TRANSITION_MAX
};

#define JVPN_A_TRANSITION_MAX	(__JVPN_A_TRANSITION_MAX - 1)

/**
 * enum jvpn_a_session - The session attributes.
 * @JVPN_A_SESSION_IFINDEX: u32. The jvpn device, or device-id.
 * @JVPN_A_SESSION_ID: binary, JVPN_SESSION_ID_SIZE octets. Session id.
 * @JVPN_A_SESSION_STATE: u32, enum jvpn_state. Current state (answers only).
 * @JVPN_A_SESSION_VERSION: u64. Current state_version (answers only).
 * @JVPN_A_SESSION_EPOCH_NUMBER: u32. Current epoch number E (answers only).
 * @JVPN_A_SESSION_ROLE: u32, enum jvpn_role, 0 to 1. Role of this end.
 * @JVPN_A_SESSION_LABEL: string, at most 63 characters. Name of the peer when the session
 *   was made, for people.
 * @JVPN_A_SESSION_EXPECTED_VERSION: u64. Version that the request was decided on. Required
 *   to change a session.
 * @JVPN_A_SESSION_EXPECTED_EPOCH: u32. Epoch number that the request was decided on.
 * @JVPN_A_SESSION_EVENT: u32, enum jvpn_event. Event requested.
 * @JVPN_A_SESSION_REASON: u32, enum jvpn_reason. Reason of the event; for binding requests
 *   the reason of the jump that precedes the commit.
 * @JVPN_A_SESSION_REJECT: u32, enum jvpn_reject. Why the request was refused (answers
 *   only).
 * @JVPN_A_SESSION_PEER_VERSION: u64. Client: last state_version that the gateway showed, by
 *   its daemon or in a heartbeat. Never lowered.
 * @JVPN_A_SESSION_PEER_EPOCH: u32. Client: epoch that came with peer-version.
 * @JVPN_A_SESSION_INNER: nest, of JVPN_A_INNER_*, repeated. Inner prefixes, at least one
 *   for a new session, at most 64.
 * @JVPN_A_SESSION_TRANSPORT: nest, of JVPN_A_TRANSPORT_*. Transport to bind (requests);
 *   current binding (answers).
 * @JVPN_A_SESSION_KEYS: nest, of JVPN_A_EPOCH_*. Epoch to install (requests); current epoch
 *   without keys (answers).
 * @JVPN_A_SESSION_POLICY: nest, of JVPN_A_POLICY_*. Policy snapshot.
 * @JVPN_A_SESSION_SESSION_DEADLINE: u64, 0 to time-max. Then session-ttl-expired. May be
 *   lowered; raised only together with a policy.
 * @JVPN_A_SESSION_LOSS_DEADLINE: u64. Then transport-loss-ttl-expired; set by the kernel
 *   when the binding is lost (answers only).
 * @JVPN_A_SESSION_LEASE_DEADLINE: u64, 0 to time-max. Then lease-lost. 0 is no lease
 *   (single gateway).
 * @JVPN_A_SESSION_BIRTH_DEADLINE: u64, 0 to time-max. Then handshake-timeout, if still in
 *   birth.
 * @JVPN_A_SESSION_STATS: nest, of JVPN_A_STATS_*. Counters.
 * @JVPN_A_SESSION_HEALTH: nest, of JVPN_A_HEALTH_*. Measurements of the binding.
 * @JVPN_A_SESSION_HISTORY: nest, of JVPN_A_TRANSITION_*, repeated. Last transitions, oldest
 *   first; also the transitions that one request applied.
 * @JVPN_A_SESSION_PENDING: nest, of JVPN_A_TRANSPORT_*, repeated. Transports that are
 *   prepared (answers only).
 * @JVPN_A_SESSION_HOLD: flag. binding-prepare: hold packets to be sent until the commit or
 *   cancel.
 * @JVPN_A_SESSION_REFRESH: flag. binding-prepare: keys for the bound transport, no
 *   transition.
 * @JVPN_A_SESSION_COOKIE: u64. binding-prepare and binding-cancel: the caller's name for
 *   the prepared binding.
 * @JVPN_A_SESSION_CREATED: u64. CLOCK_REALTIME in milliseconds when the session was made
 *   (answers only).
 * @JVPN_A_SESSION_PAD: Padding of 64-bit attributes.
 * @JVPN_A_SESSION_DEVICE_ID: u64, 1 to u64-max. The jvpn device, or ifindex.
 * @JVPN_A_SESSION_PEER_ID: binary, JVPN_PEER_ID_SIZE octets. Identity of the peer, its
 *   static public key; all zero or absent is nobody's. A session that is bound takes over
 *   inner prefixes from sessions of the same peer only. Immutable once it is set.
 */
enum jvpn_a_session {
	JVPN_A_SESSION_IFINDEX = 1,
	JVPN_A_SESSION_ID,
	JVPN_A_SESSION_STATE,
	JVPN_A_SESSION_VERSION,
	JVPN_A_SESSION_EPOCH_NUMBER,
	JVPN_A_SESSION_ROLE,
	JVPN_A_SESSION_LABEL,
	JVPN_A_SESSION_EXPECTED_VERSION,
	JVPN_A_SESSION_EXPECTED_EPOCH,
	JVPN_A_SESSION_EVENT,
	JVPN_A_SESSION_REASON,
	JVPN_A_SESSION_REJECT,
	JVPN_A_SESSION_PEER_VERSION,
	JVPN_A_SESSION_PEER_EPOCH,
	JVPN_A_SESSION_INNER,
	JVPN_A_SESSION_TRANSPORT,
	JVPN_A_SESSION_KEYS,
	JVPN_A_SESSION_POLICY,
	JVPN_A_SESSION_SESSION_DEADLINE,
	JVPN_A_SESSION_LOSS_DEADLINE,
	JVPN_A_SESSION_LEASE_DEADLINE,
	JVPN_A_SESSION_BIRTH_DEADLINE,
	JVPN_A_SESSION_STATS,
	JVPN_A_SESSION_HEALTH,
	JVPN_A_SESSION_HISTORY,
	JVPN_A_SESSION_PENDING,
	JVPN_A_SESSION_HOLD,
	JVPN_A_SESSION_REFRESH,
	JVPN_A_SESSION_COOKIE,
	JVPN_A_SESSION_CREATED,
	JVPN_A_SESSION_PAD,
	JVPN_A_SESSION_DEVICE_ID,
	JVPN_A_SESSION_PEER_ID,

	/* private: */
	__JVPN_A_SESSION_MAX
};

#define JVPN_A_SESSION_MAX	(__JVPN_A_SESSION_MAX - 1)

/**
 * enum jvpn_a_packet - A control packet (any JVPN1 message but DATA).
 * @JVPN_A_PACKET_IFINDEX: u32. The jvpn device, or device-id.
 * @JVPN_A_PACKET_TRANSPORT: nest, of JVPN_A_TRANSPORT_*. Where it came from, or goes to.
 *   local-* of a received packet is the address it was sent to.
 * @JVPN_A_PACKET_PAYLOAD: binary, at most JVPN_PACKET_MAX octets. The UDP payload. What is
 *   sent must be a message of JVPN1 but DATA, with the size of its type.
 * @JVPN_A_PACKET_DROPPED: u64. Control packets dropped so far because the channel was full
 *   (received packets).
 * @JVPN_A_PACKET_PAD: Padding of 64-bit attributes.
 * @JVPN_A_PACKET_MAC1_KEY: binary, JVPN_KEY_SIZE octets. BLAKE2b-256("mac1----" || static
 *   public key of this end): INIT and REQUEST of strangers are passed up only if mac1
 *   verifies under it (packet-register). Without it mac1 is not looked at.
 * @JVPN_A_PACKET_DEVICE_ID: u64, 1 to u64-max. The jvpn device, or ifindex.
 * @JVPN_A_PACKET_NAME_KEY: binary, JVPN_NAME_KEY_SIZE octets. SipHash-2-4 key of the names
 *   that this end gives away: nonces of tickets, and Nc of REQUEST. Their last 8 octets are
 *   the hash of the 16 before. Packets that carry such a name have a share of their own
 *   (packet-register).
 */
enum jvpn_a_packet {
	JVPN_A_PACKET_IFINDEX = 1,
	JVPN_A_PACKET_TRANSPORT,
	JVPN_A_PACKET_PAYLOAD,
	JVPN_A_PACKET_DROPPED,
	JVPN_A_PACKET_PAD,
	JVPN_A_PACKET_MAC1_KEY,
	JVPN_A_PACKET_DEVICE_ID,
	JVPN_A_PACKET_NAME_KEY,

	/* private: */
	__JVPN_A_PACKET_MAX
};

#define JVPN_A_PACKET_MAX	(__JVPN_A_PACKET_MAX - 1)

/**
 * enum jvpn_a_unbound - An authenticated, fresh packet of a session came from a source that
 * is not bound. It was not delivered.
 * @JVPN_A_UNBOUND_IFINDEX: u32. The jvpn device.
 * @JVPN_A_UNBOUND_ID: binary, JVPN_SESSION_ID_SIZE octets. Session id.
 * @JVPN_A_UNBOUND_TRANSPORT: nest, of JVPN_A_TRANSPORT_*. Source of the packet; local-* is
 *   the address it was sent to.
 * @JVPN_A_UNBOUND_INDEX: u32. Index in its header.
 * @JVPN_A_UNBOUND_COUNTER: u64. Counter in its header.
 * @JVPN_A_UNBOUND_BYTES: u32. UDP payload octets authenticated from that source since the
 *   last report: the most that may be sent to it before it is validated.
 * @JVPN_A_UNBOUND_STATE: u32, enum jvpn_state. State of the session.
 * @JVPN_A_UNBOUND_PAD: Padding of 64-bit attributes.
 * @JVPN_A_UNBOUND_DEVICE_ID: u64. The jvpn device.
 */
enum jvpn_a_unbound {
	JVPN_A_UNBOUND_IFINDEX = 1,
	JVPN_A_UNBOUND_ID,
	JVPN_A_UNBOUND_TRANSPORT,
	JVPN_A_UNBOUND_INDEX,
	JVPN_A_UNBOUND_COUNTER,
	JVPN_A_UNBOUND_BYTES,
	JVPN_A_UNBOUND_STATE,
	JVPN_A_UNBOUND_PAD,
	JVPN_A_UNBOUND_DEVICE_ID,

	/* private: */
	__JVPN_A_UNBOUND_MAX
};

#define JVPN_A_UNBOUND_MAX	(__JVPN_A_UNBOUND_MAX - 1)

/*
 * Commands, and the attributes that they carry. Every command that is not an event needs
 * CAP_NET_ADMIN.
 */
enum jvpn_cmd {
	/*
	 * One device, or all that are in the namespace or were made in it.
	 * - do request: ifindex, device-id.
	 * - do reply: ifindex, ifname, max-sessions, sessions, sockets, registered,
	 *   boottime, counter, device-id, hold-bytes, held-bytes.
	 * - dump reply: ifindex, ifname, max-sessions, sessions, sockets, registered,
	 *   boottime, counter, device-id, hold-bytes, held-bytes.
	 */
	JVPN_CMD_DEVICE_GET = 1,
	/*
	 * Change limits of a device, at least one of them.
	 * - do request: ifindex, max-sessions, device-id, hold-bytes.
	 */
	JVPN_CMD_DEVICE_SET,
	/*
	 * Make a UDP socket, owned by the device, in the namespace that the device was made
	 * in. Answers with its id and port. EADDRINUSE, EADDRNOTAVAIL, ENODEV as bind(2);
	 * beside other sockets of the device on the same port, if not on the same address
	 * and interface.
	 * - do request: ifindex, local-ipv4, local-ipv6, local-port, bind-ifindex, fwmark,
	 *   device-id.
	 * - do reply: ifindex, id, local-ipv4, local-ipv6, local-port, bind-ifindex,
	 *   fwmark, device-id.
	 */
	JVPN_CMD_SOCKET_NEW,
	/*
	 * Close a socket. EBUSY while a binding or prepared binding uses it.
	 * - do request: ifindex, id, device-id.
	 */
	JVPN_CMD_SOCKET_DEL,
	/*
	 * The sockets of a device.
	 * - dump request: ifindex, device-id.
	 * - dump reply: ifindex, id, local-ipv4, local-ipv6, local-port, bind-ifindex,
	 *   fwmark, device-id.
	 */
	JVPN_CMD_SOCKET_GET,
	/*
	 * Make a session in state birth, version 0. A gateway's session names the transport
	 * that RESP goes to and epoch 0: the first valid packet from there is
	 * handshake-done. A client's session goes to attached with binding-set. EEXIST if
	 * the id exists.
	 * - do request: ifindex, id, role, label, peer-version, peer-epoch, inner,
	 *   transport, keys, policy, session-deadline, lease-deadline, birth-deadline,
	 *   device-id, peer-id.
	 * - do reply: ifindex, id, state, version, epoch-number, device-id.
	 */
	JVPN_CMD_SESSION_NEW,
	/*
	 * One session, or all of a device. A dump that was interrupted by a change carries
	 * NLM_F_DUMP_INTR and is to be repeated.
	 * - do request: ifindex, id, device-id.
	 * - do reply: ifindex, id, state, version, epoch-number, role, label, peer-version,
	 *   peer-epoch, inner, transport, keys, policy, session-deadline, loss-deadline,
	 *   lease-deadline, birth-deadline, stats, health, history, pending, created,
	 *   device-id, peer-id.
	 * - dump request: ifindex, device-id.
	 * - dump reply: ifindex, id, state, version, epoch-number, role, label,
	 *   peer-version, peer-epoch, inner, transport, keys, policy, session-deadline,
	 *   loss-deadline, lease-deadline, birth-deadline, stats, health, history, pending,
	 *   created, device-id, peer-id.
	 */
	JVPN_CMD_SESSION_GET,
	/*
	 * Change deadlines, policy snapshot or the peer's version, or say who the peer of a
	 * session without one is. No transition, no new version; expected-version is
	 * compared.
	 * - do request: ifindex, id, expected-version, peer-version, peer-epoch, policy,
	 *   session-deadline, lease-deadline, device-id, peer-id.
	 * - do reply: ifindex, id, state, version, epoch-number, reject, device-id.
	 */
	JVPN_CMD_SESSION_SET,
	/*
	 * Apply one event that installs no binding (quality-low, quality-ok,
	 * transport-dead, jump, bound-exceeded, retry, handshake-failed, terminate).
	 * - do request: ifindex, id, expected-version, event, reason, device-id.
	 * - do reply: ifindex, id, state, version, epoch-number, reject, history,
	 *   device-id.
	 */
	JVPN_CMD_SESSION_TRANSITION,
	/*
	 * Forget a terminated session. EBUSY for any other.
	 * - do request: ifindex, id, device-id.
	 */
	JVPN_CMD_SESSION_DEL,
	/*
	 * Commit a transport and an epoch under (expected-version, expected-epoch). From
	 * birth this is handshake-done; from recovering reattach-commit; from attached and
	 * volatile jump (reason) and reattach-commit; from degraded retry
	 * (candidate-appeared) and reattach-commit: each step its own version and event,
	 * all in one instant. keys.number must be above the current epoch, except from
	 * birth. With a cookie, transport and keys may be left out: the prepared binding of
	 * that cookie is committed. Packets held so far leave at once.
	 * - do request: ifindex, id, expected-version, expected-epoch, reason,
	 *   peer-version, peer-epoch, transport, keys, cookie, device-id.
	 * - do reply: ifindex, id, state, version, epoch-number, reject, history,
	 *   device-id.
	 */
	JVPN_CMD_BINDING_SET,
	/*
	 * Client: prepare a binding that the kernel commits by itself on the first valid
	 * packet that arrives under its keys (the gateway has committed), or that
	 * binding-set or epoch-set with its cookie commits (ACK). With hold, packets to be
	 * sent wait until then.
	 * - do request: ifindex, id, expected-version, reason, peer-version, peer-epoch,
	 *   transport, keys, hold, refresh, cookie, device-id.
	 * - do reply: ifindex, id, state, version, epoch-number, reject, device-id.
	 */
	JVPN_CMD_BINDING_PREPARE,
	/*
	 * Forget the prepared binding of the cookie, or all of them without one. Held
	 * packets leave if the session is bound.
	 * - do request: ifindex, id, cookie, device-id.
	 * - do reply: ifindex, id, state, version, epoch-number, reject, device-id.
	 */
	JVPN_CMD_BINDING_CANCEL,
	/*
	 * Install new keys for the bound transport (REFRESH). No transition, no new
	 * version. The old receive key stays for 10 s.
	 * - do request: ifindex, id, expected-version, expected-epoch, peer-version,
	 *   peer-epoch, keys, cookie, device-id.
	 * - do reply: ifindex, id, state, version, epoch-number, reject, device-id.
	 */
	JVPN_CMD_EPOCH_SET,
	/*
	 * Receive the control packets of the device at this netlink port, until the port
	 * closes. The last one to register wins.
	 * - do request: ifindex, mac1-key, device-id, name-key.
	 */
	JVPN_CMD_PACKET_REGISTER,
	/*
	 * Send a control packet.
	 * - do request: ifindex, transport, payload, device-id.
	 */
	JVPN_CMD_PACKET_SEND,
	/*
	 * A control packet arrived (to the registered port only).
	 * - event: ifindex, transport, payload, dropped, device-id.
	 */
	JVPN_CMD_PACKET_NTF,
	/*
	 * A transition was applied; history holds it. Sent after the change is visible.
	 * - event: ifindex, id, state, version, epoch-number, history, device-id.
	 * - to group JVPN_MCGRP_STATE.
	 */
	JVPN_CMD_SESSION_NTF,
	/*
	 * An epoch was installed without a transition.
	 * - event: ifindex, id, state, version, epoch-number, peer-version, peer-epoch,
	 *   device-id.
	 * - to group JVPN_MCGRP_STATE.
	 */
	JVPN_CMD_EPOCH_NTF,
	/*
	 * A policy threshold was crossed; event and reason are what the kernel proposes.
	 * Never sent twice in a row with the same event.
	 * - event: ifindex, id, state, version, epoch-number, event, reason, health,
	 *   device-id.
	 * - to group JVPN_MCGRP_HEALTH.
	 */
	JVPN_CMD_HEALTH_NTF,
	/*
	 * See the unbound attributes. At most a few a second for a session.
	 * - event: ifindex, id, transport, index, counter, bytes, state, device-id.
	 * - to group JVPN_MCGRP_SECURITY.
	 */
	JVPN_CMD_UNBOUND_NTF,
	/*
	 * Client, bound session. Send a heartbeat over the active binding at once, whatever
	 * its interval says; its echo shows in health (last-rx, echo-counter). Changes no
	 * state.
	 * - do request: ifindex, id, device-id.
	 * - do reply: ifindex, id, state, version, epoch-number, reject, device-id.
	 */
	JVPN_CMD_BINDING_PROBE,
	/*
	 * Bind a socket to another address or interface, under the bindings that use it;
	 * family, port and mark stay. What comes to the old and the new place is not
	 * missed. ENOENT, EAFNOSUPPORT for the other family, and as socket-new; then
	 * nothing has changed.
	 * - do request: ifindex, id, local-ipv4, local-ipv6, bind-ifindex, device-id.
	 */
	JVPN_CMD_SOCKET_SET,
	/*
	 * The machine is back from sleep, or goes on from a snapshot, perhaps not it alone.
	 * All data keys are gone; a daemon renews what it has made to be used once and not
	 * used yet (ephemeral keys, cookie secrets).
	 * - event: ifindex, device-id.
	 * - to group JVPN_MCGRP_STATE.
	 */
	JVPN_CMD_HOST_NTF,

	/* private: */
	__JVPN_CMD_MAX
};

#define JVPN_CMD_MAX	(__JVPN_CMD_MAX - 1)

#define JVPN_MCGRP_STATE	"state"
#define JVPN_MCGRP_HEALTH	"health"
#define JVPN_MCGRP_SECURITY	"security"

#endif /* _UAPI_LINUX_JVPN_H */
