/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bindings: the one place where a session changes.
 *
 * A binding is a transport together with the epoch that was agreed for it. It
 * is immutable once published and replaced whole; a rekey is a new binding for
 * the same transport. A session has one pointer to the binding in use, so
 * there is never a second active one. All writers are in binding.c, hold the
 * session's lock and compare the version first.
 *
 * Life of a binding:
 *   PREPARED  keys are known, the peer has not used them yet. The first valid
 *             packet, or the daemon, commits it.
 *   CURRENT   session->binding.
 *   DRAINING  replaced by a rekey of the same transport, or by a client's jump
 *             to where it was; received packets are accepted for JVPN_DRAIN_MS
 *             more.
 *   RETIRED   gateway: the session lost its binding. Kept to recognise the
 *             client, so that it can be invited to reattach; delivers nothing.
 *   DROPPED   unlinked, its epoch closed; freed after a grace period. A packet
 *             path that still holds it under RCU finds the epoch closed.
 *
 * Who finds a binding or a session without the lock may act on it only after
 * asking, with the lock and after everything else that may drop it, whether it
 * is still linked: a binding in one of the session's pointers, a session not
 * dead.
 */
#ifndef JVPN_BINDING_H
#define JVPN_BINDING_H

#include <linux/rhashtable.h>
#include <net/dst_cache.h>

#include "addr.h"
#include "epoch.h"

struct jvpn_session;
struct netlink_ext_ack;

#define JVPN_DRAIN_MS 10000
/*
 * A prepared binding is asked for by heartbeats under its keys, so that the
 * gateway's commit is learned without the daemon and without its ACK. Packets
 * wait for it no longer than JVPN_HOLD_MS; it is forgotten when the challenge
 * that it answers cannot be valid any more (PROTOCOL JVPN1 2.5: 30 s).
 */
#define JVPN_ASK_MS 100
#define JVPN_HOLD_MS 2000
#define JVPN_PREPARED_MS 35000

enum jvpn_binding_status {
	JVPN_BINDING_PREPARED,
	JVPN_BINDING_CURRENT,
	JVPN_BINDING_DRAINING,
	JVPN_BINDING_RETIRED,
	JVPN_BINDING_DROPPED,
};

/**
 * struct jvpn_binding - a transport and its epoch
 * @node: in jvpn_table.by_index
 * @on_socket: client: in jvpn_socket.clients
 * @session: whose it is; outlives the binding
 * @transport: the path
 * @dst: route to @transport, per processor
 * @moves: those of the socket that @dst knows
 * @epoch: keys
 * @status: see above; written under the session's lock
 * @hold: PREPARED: packets to be sent wait for it
 * @refresh: PREPARED: for the bound transport, no transition
 * @reason: PREPARED: reason of the jump that precedes the commit
 * @cookie: PREPARED: the daemon's name for it
 * @peer_version: PREPARED: the gateway's version once it is committed, or 0
 * @peer_epoch: PREPARED: the gateway's epoch with it
 * @version: state_version that it was committed under
 * @since: CLOCK_BOOTTIME of the commit, ms
 * @prepared_at: PREPARED: since when, ms
 * @ask_at: PREPARED: next heartbeat under its keys, ms
 * @drain_until: DRAINING: end of acceptance, ms
 * @rcu: frees it
 */
struct jvpn_binding {
	struct rhash_head node;
	struct list_head on_socket;
	struct jvpn_session *session;
	struct jvpn_transport transport;
	struct dst_cache dst;
	u32 moves;
	struct jvpn_epoch epoch;
	enum jvpn_binding_status status;
	bool hold;
	bool refresh;
	u32 reason;
	u64 cookie;
	u64 peer_version;
	u32 peer_epoch;
	u64 version;
	u64 since;
	u64 prepared_at;
	u64 ask_at;
	u64 drain_until;
	struct rcu_head rcu;
};

/**
 * struct jvpn_binding_request - what a netlink request asks for
 * @expected_version: version that it was decided on
 * @expected_epoch: epoch number that it was decided on
 * @has_expected_epoch: compare it
 * @peer_version: the gateway's version to remember
 * @peer_epoch: the gateway's epoch to remember
 * @has_peer: both are given
 * @event: transition requested (jvpn_binding_transition())
 * @reason: of the event, or of the jump that precedes a commit
 * @cookie: name of a prepared binding
 * @has_cookie: it is given
 */
struct jvpn_binding_request {
	u64 expected_version;
	u32 expected_epoch;
	bool has_expected_epoch;
	u64 peer_version;
	u32 peer_epoch;
	bool has_peer;
	u32 event;
	u32 reason;
	u64 cookie;
	bool has_cookie;
};

/**
 * struct jvpn_binding_result - what is true after a request, also a refused one
 * @reject: why it was refused, or JVPN_REJECT_NONE
 * @state: current state
 * @version: current version
 * @epoch: current epoch number
 * @steps: transitions applied, the last ones of the history
 */
struct jvpn_binding_result {
	u32 reject;
	u32 state;
	u64 version;
	u32 epoch;
	u32 steps;
};

/**
 * jvpn_binding_alloc() - make a binding that is not linked anywhere
 * @s: its session
 * @transport: its path; the socket reference moves into the binding
 * @keys: its epoch
 *
 * Return: the binding, or NULL without memory (the reference stays).
 */
struct jvpn_binding *jvpn_binding_alloc(struct jvpn_session *s,
					const struct jvpn_transport *transport,
					const struct jvpn_epoch_keys *keys);

/* A binding that is not linked; freed after a grace period. */
void jvpn_binding_free(struct jvpn_binding *b);

/*
 * The requests. Each takes over @b if, and only if, it is not refused; the
 * result tells. Errors are those of the netlink interface, with an extack
 * sentence.
 */
int jvpn_binding_commit(struct jvpn_session *s, struct jvpn_binding *b,
			const struct jvpn_binding_request *req,
			struct jvpn_binding_result *res, struct netlink_ext_ack *extack);
int jvpn_binding_refresh(struct jvpn_session *s, struct jvpn_binding *b,
			 const struct jvpn_binding_request *req,
			 struct jvpn_binding_result *res, struct netlink_ext_ack *extack);
int jvpn_binding_prepare(struct jvpn_session *s, struct jvpn_binding *b,
			 const struct jvpn_binding_request *req,
			 struct jvpn_binding_result *res, struct netlink_ext_ack *extack);
int jvpn_binding_cancel(struct jvpn_session *s, const struct jvpn_binding_request *req,
			struct jvpn_binding_result *res, struct netlink_ext_ack *extack);
int jvpn_binding_probe(struct jvpn_session *s, struct jvpn_binding_result *res,
		       struct netlink_ext_ack *extack);
int jvpn_binding_transition(struct jvpn_session *s, const struct jvpn_binding_request *req,
			    struct jvpn_binding_result *res, struct netlink_ext_ack *extack);

/**
 * jvpn_binding_await() - link what a gateway's session waits for
 * @s: the session, just made, not alive yet
 * @b: its first valid packet is the end of the handshake
 *
 * Return: 0, and @b is taken over, or an error.
 */
int jvpn_binding_await(struct jvpn_session *s, struct jvpn_binding *b,
		       struct netlink_ext_ack *extack);

/**
 * jvpn_binding_check_locked() - compare versions for a request that is no transition
 * @s: the session, locked
 */
int jvpn_binding_check_locked(struct jvpn_session *s, const struct jvpn_binding_request *req,
			      struct jvpn_binding_result *res, struct netlink_ext_ack *extack);

/**
 * jvpn_binding_arrived() - a valid packet came under a prepared binding
 * @b: the binding, under RCU; the packet came from its transport
 *
 * Return: true if the binding is current now and the packet may be delivered.
 */
bool jvpn_binding_arrived(struct jvpn_binding *b);

/**
 * jvpn_binding_kernel() - apply an event that the kernel itself decides
 * @s: the session
 * @only: apply only if this is still its binding, NULL for any
 * @event: the event
 * @reason: its reason
 *
 * Return: true if it was applied.
 */
bool jvpn_binding_kernel(struct jvpn_session *s, const struct jvpn_binding *only,
			 u32 event, u32 reason);

/* The same with the session's lock held; jvpn_binding_settle() follows the unlock. */
bool jvpn_binding_kernel_locked(struct jvpn_session *s, u32 event, u32 reason);
void jvpn_binding_settle(struct jvpn_session *s);

/**
 * jvpn_binding_age_locked() - let bindings that are not current go with time
 * @s: the session, locked
 * @now_ms: time
 *
 * Return: when to look again, 0 for never.
 */
u64 jvpn_binding_age_locked(struct jvpn_session *s, u64 now_ms);

/* A prepared binding that is to be asked for now, or NULL; session locked, under RCU. */
struct jvpn_binding *jvpn_binding_ask_locked(struct jvpn_session *s, u64 now_ms);

/* The machine's memory may be copied: no key stays. A handshake that is not done ends. */
void jvpn_binding_forget(struct jvpn_session *s);

/* Unlink and free everything; the session is being removed. */
void jvpn_binding_purge(struct jvpn_session *s);

#endif
