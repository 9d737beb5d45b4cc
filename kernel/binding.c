// SPDX-License-Identifier: GPL-2.0
#include "binding.h"

#include <linux/netlink.h>

#include "core/fsm.h"
#include "deadline.h"
#include "device.h"
#include "hold.h"
#include "notify.h"
#include "power.h"
#include "session.h"
#include "socket.h"
#include "trace.h"

atomic_t jvpn_bindings_alive = ATOMIC_INIT(0);

static const struct {
	int err;
	const char *text;
} refusals[] = {
	[JVPN_REJECT_UNKNOWN_SESSION] = { -ENOENT, "No session of this id on the device" },
	[JVPN_REJECT_STALE_VERSION] = { -ESTALE,
		"expected-version is not the current version, decide again on the answered one" },
	[JVPN_REJECT_STALE_EPOCH] = { -EKEYREJECTED,
		"Epoch is not the expected one, or not above the current one" },
	[JVPN_REJECT_SESSION_EXPIRED] = { -ETIME, "A deadline of the session has passed" },
	[JVPN_REJECT_TERMINATED] = { -ESHUTDOWN, "The session is terminated" },
	[JVPN_REJECT_ILLEGAL_TRANSITION] = { -EPROTO,
		"The transition table has no such event and reason in the current state" },
	[JVPN_REJECT_OWNERSHIP_CONFLICT] = { -ENOLCK,
		"An inner prefix belongs to a session of another peer" },
	[JVPN_REJECT_DUAL_BINDING] = { -EADDRINUSE,
		"The receive index belongs to another binding, choose other keys" },
	[JVPN_REJECT_SUSPENDED] = { -EHOSTDOWN,
		"The machine is on its way to sleep and takes no keys" },
	[JVPN_REJECT_RATE_LIMITED] = { -ENOSPC,
		"The session has as many prepared bindings as it may, cancel one" },
};

static struct jvpn_binding *current_locked(struct jvpn_session *s)
{
	return rcu_dereference_protected(s->binding, lockdep_is_held(&s->lock));
}

static struct jvpn_table *table_of(struct jvpn_session *s)
{
	return &s->jd->table;
}

struct jvpn_binding *jvpn_binding_alloc(struct jvpn_session *s,
					const struct jvpn_transport *transport,
					const struct jvpn_epoch_keys *keys)
{
	struct jvpn_binding *b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);

	if (!b)
		return NULL;
	if (dst_cache_init(&b->dst, GFP_KERNEL_ACCOUNT)) {
		kfree(b);
		return NULL;
	}
	b->session = s;
	b->transport = *transport;
	b->status = JVPN_BINDING_PREPARED;
	jvpn_epoch_init(&b->epoch, keys, jvpn_now_ms());
	atomic_inc(&jvpn_bindings_alive);
	return b;
}

static void binding_free_rcu(struct rcu_head *rcu)
{
	struct jvpn_binding *b = container_of(rcu, struct jvpn_binding, rcu);

	dst_cache_destroy(&b->dst);
	jvpn_socket_put(b->transport.socket);
	kfree_sensitive(b);
	atomic_dec(&jvpn_bindings_alive);
}

void jvpn_binding_free(struct jvpn_binding *b)
{
	call_rcu(&b->rcu, binding_free_rcu);
}

/* Where packets find it, and a client's where the loss of its link does. */
static bool binding_link(struct jvpn_session *s, struct jvpn_binding *b)
{
	jvpn_epoch_begin(&b->epoch);
	if (jvpn_table_add_binding(table_of(s), b))
		return false;
	if (s->role == JVPN_ROLE_CLIENT)
		jvpn_socket_client_add(b);
	return true;
}

static void binding_unlink(struct jvpn_session *s, struct jvpn_binding *b)
{
	jvpn_table_del_binding(table_of(s), b);
	if (s->role == JVPN_ROLE_CLIENT)
		jvpn_socket_client_del(b);
}

/* Close, unlink, free after the grace period. */
static void binding_drop(struct jvpn_session *s, struct jvpn_binding *b)
{
	if (!b)
		return;
	lockdep_assert_held(&s->lock);
	WRITE_ONCE(b->status, JVPN_BINDING_DROPPED);
	jvpn_epoch_close(&b->epoch);
	binding_unlink(s, b);
	jvpn_binding_free(b);
}

static void prepared_drop_all(struct jvpn_session *s)
{
	int i;

	for (i = 0; i < JVPN_PENDING_MAX; i++) {
		binding_drop(s, s->prepared[i]);
		s->prepared[i] = NULL;
	}
}

/* A refresh renews the keys of the bound transport; @now is what is bound, or NULL. */
static bool refresh_void(const struct jvpn_binding *b, const struct jvpn_binding *now)
{
	return b->refresh && (!now || !jvpn_transport_equal(&b->transport, &now->transport));
}

/*
 * @now is committed. What was prepared for its epoch or for an older one can
 * never be; for a newer one it can: the peer may have committed that as well.
 */
static void prepared_drop_older(struct jvpn_session *s, const struct jvpn_binding *now)
{
	int i;

	for (i = 0; i < JVPN_PENDING_MAX; i++) {
		struct jvpn_binding *b = s->prepared[i];

		if (!b)
			continue;
		b->hold = false;
		if (b->epoch.number > now->epoch.number && !refresh_void(b, now))
			continue;
		binding_drop(s, b);
		s->prepared[i] = NULL;
	}
}

/* The binding is lost: there is nothing that a refresh could renew. */
static void prepared_drop_refreshes(struct jvpn_session *s)
{
	int i;

	for (i = 0; i < JVPN_PENDING_MAX; i++) {
		struct jvpn_binding *b = s->prepared[i];

		if (!b || !refresh_void(b, NULL))
			continue;
		binding_drop(s, b);
		s->prepared[i] = NULL;
	}
}

/* Take a binding out of the prepared ones; no-op if it is not there. */
static void prepared_take(struct jvpn_session *s, struct jvpn_binding *b)
{
	int i;

	for (i = 0; i < JVPN_PENDING_MAX; i++)
		if (s->prepared[i] == b)
			s->prepared[i] = NULL;
}

static bool prepared_has(const struct jvpn_session *s, const struct jvpn_binding *b)
{
	int i;

	for (i = 0; i < JVPN_PENDING_MAX; i++)
		if (s->prepared[i] == b)
			return true;
	return false;
}

static struct jvpn_binding *prepared_find(struct jvpn_session *s, u64 cookie)
{
	int i;

	for (i = 0; i < JVPN_PENDING_MAX; i++)
		if (s->prepared[i] && s->prepared[i]->cookie == cookie)
			return s->prepared[i];
	return NULL;
}

static bool prepared_holds(const struct jvpn_session *s)
{
	int i;

	for (i = 0; i < JVPN_PENDING_MAX; i++)
		if (s->prepared[i] && s->prepared[i]->hold)
			return true;
	return false;
}

/* Record a transition; the table has allowed it. */
static void history_add(struct jvpn_session *s, u32 from, u32 event, u32 reason, u32 origin,
			const struct jvpn_transport *transport)
{
	struct jvpn_transition *t = &s->history[(s->version - 1) % JVPN_HISTORY_SIZE];

	memset(t, 0, sizeof(*t));
	t->version = s->version;
	t->from = from;
	t->to = s->state;
	t->event = event;
	t->reason = reason;
	t->origin = origin;
	t->epoch = s->epoch_number;
	t->time = jvpn_now_ms();
	t->real_time = ktime_to_ms(ktime_get_real());
	if (transport) {
		t->socket = jvpn_socket_id(transport->socket);
		t->remote = transport->remote;
	}
	trace_jvpn_transition(s->jd->dev, s->id, s->version, from, s->state, event, reason);
	jvpn_notify_transition(s);
}

/* The only place that changes state and version. */
static u32 session_step(struct jvpn_session *s, u32 event, u32 reason, u32 origin,
			const struct jvpn_transport *transport)
{
	u32 from = s->state, next;
	u32 reject = jvpn_fsm_next(from, event, reason, &next);

	lockdep_assert_held(&s->lock);
	if (reject)
		return reject;
	WRITE_ONCE(s->state, next);
	s->version++;
	history_add(s, from, event, reason, origin, transport);
	return JVPN_REJECT_NONE;
}

/* The old receive key drains. */
static void binding_drain(struct jvpn_session *s, struct jvpn_binding *old)
{
	binding_drop(s, s->draining);
	s->draining = old;
	WRITE_ONCE(old->status, JVPN_BINDING_DRAINING);
	old->drain_until = jvpn_now_ms() + JVPN_DRAIN_MS;
}

/*
 * Without using it to deliver: so that a gateway can tell its client from
 * others.
 */
static void binding_retire(struct jvpn_session *s, struct jvpn_binding *b)
{
	jvpn_epoch_close(&b->epoch);
	WRITE_ONCE(b->status, JVPN_BINDING_RETIRED);
	s->retired = b;
}

/* The binding is given up. Return: it, for the caller to dispose of. */
static struct jvpn_binding *binding_take(struct jvpn_session *s)
{
	struct jvpn_binding *b = current_locked(s);

	if (!b)
		return NULL;
	jvpn_hold_begin_locked(s);
	rcu_assign_pointer(s->binding, NULL);
	binding_drop(s, s->draining);
	s->draining = NULL;
	jvpn_probe_stop_locked(s);
	if (s->policy.transport_loss_ttl_ms)
		s->loss_deadline = jvpn_now_ms() + s->policy.transport_loss_ttl_ms;
	return b;
}

static void binding_lose(struct jvpn_session *s)
{
	struct jvpn_binding *b = binding_take(s);

	prepared_drop_refreshes(s);
	if (b && s->role == JVPN_ROLE_GATEWAY)
		binding_retire(s, b);
	else
		binding_drop(s, b);
}

/* Everything that must not outlive the session's last transition. */
static void session_end(struct jvpn_session *s)
{
	u32 i;

	binding_drop(s, binding_take(s));
	binding_drop(s, s->retired);
	s->retired = NULL;
	prepared_drop_all(s);
	for (i = 0; i < s->prefix_count; i++)
		jvpn_table_del_prefix(table_of(s), &s->prefixes[i]);
	s->session_deadline = 0;
	s->loss_deadline = 0;
	s->lease_deadline = 0;
	s->birth_deadline = 0;
	jvpn_hold_purge(s);
}

/* What a transition without a new binding entails. */
static void transition_effects(struct jvpn_session *s)
{
	switch (s->state) {
	case JVPN_STATE_TERMINATED:
		session_end(s);
		break;
	case JVPN_STATE_RECOVERING:
		binding_lose(s);
		jvpn_hold_begin_locked(s);
		break;
	case JVPN_STATE_DEGRADED:
		jvpn_hold_purge(s);
		break;
	}
	jvpn_deadline_arm_locked(s);
}

/*
 * Publish @b. Its version is the one under which its transport was bound: that
 * of the last step, or, for new keys on the same path, that of @renewed.
 */
static void binding_publish(struct jvpn_session *s, struct jvpn_binding *b,
			    const struct jvpn_binding *renewed)
{
	WARN_ON_ONCE(b->status != JVPN_BINDING_PREPARED || s->dead);
	/* A path never changes without a transition. */
	WARN_ON_ONCE(renewed && !jvpn_transport_equal(&b->transport, &renewed->transport));
	prepared_take(s, b);
	prepared_drop_older(s, b);
	binding_drop(s, s->retired);
	s->retired = NULL;
	s->epoch_number = b->epoch.number;
	if (b->peer_version > s->peer_version) {
		s->peer_version = b->peer_version;
		s->peer_epoch = b->peer_epoch;
	}
	b->version = renewed ? renewed->version : s->version;
	b->since = renewed ? renewed->since : jvpn_now_ms();
	WRITE_ONCE(b->status, JVPN_BINDING_CURRENT);
	s->loss_deadline = 0;
	s->birth_deadline = 0;
	WRITE_ONCE(s->last_rx, jvpn_now_ms());
	rcu_assign_pointer(s->binding, b);
	jvpn_probe_start_locked(s, renewed);
	jvpn_deadline_arm_locked(s);
}

/* A peer is its static public key, whatever people call it; a session without one is nobody's. */
static bool same_peer(const struct jvpn_session *a, const struct jvpn_session *b)
{
	return memchr_inv(a->peer_id, 0, sizeof(a->peer_id)) &&
	       !memcmp(a->peer_id, b->peer_id, sizeof(a->peer_id));
}

/* Is every inner prefix free, or owned by sessions of the same peer? */
static bool claim_allowed(struct jvpn_session *s)
{
	u32 i;

	for (i = 0; i < s->prefix_count; i++) {
		struct jvpn_session *owner = jvpn_table_owner(table_of(s), &s->prefixes[i].key);

		if (owner && !same_peer(owner, s))
			return false;
	}
	return true;
}

static bool owner_end(struct jvpn_session *owner)
{
	bool applied;

	spin_lock_nested(&owner->lock, SINGLE_DEPTH_NESTING);
	applied = jvpn_binding_kernel_locked(owner, JVPN_EVENT_TERMINATE,
					     JVPN_REASON_POLICY_FAILURE);
	spin_unlock(&owner->lock);
	return applied;
}

/*
 * Become the owner of the inner prefixes. Their owners so far, sessions of the
 * same peer, end: their peer has shown that it begins anew. Under the claim
 * lock nobody else holds two sessions' locks, and an owner is never in birth,
 * so the nesting has one order. @ended receives them: claim_settle().
 */
static bool claim_prefixes(struct jvpn_session *s, struct jvpn_session **ended)
{
	u32 i;

	lockdep_assert_held(&table_of(s)->claim);
	for (i = 0; i < s->prefix_count; i++) {
		struct jvpn_session *owner = jvpn_table_owner(table_of(s), &s->prefixes[i].key);

		if (owner && owner_end(owner)) {
			owner->ended_next = *ended;
			*ended = owner;
		}
		if (jvpn_table_add_prefix(table_of(s), &s->prefixes[i]))
			return false;
	}
	return true;
}

/*
 * Without the locks. A session ends once, so the list is this claim's alone; under RCU, as those
 * that are on it may be forgotten.
 */
static void claim_settle(struct jvpn_session *ended)
{
	for (; ended; ended = ended->ended_next)
		jvpn_notify_flush(ended);
}

/* birth to attached; the claim lock is held. */
static u32 commit_birth(struct jvpn_session *s, struct jvpn_binding *b, u32 origin,
			struct jvpn_session **ended)
{
	u32 reject;

	if (!claim_allowed(s))
		return JVPN_REJECT_OWNERSHIP_CONFLICT;
	if (!claim_prefixes(s, ended)) {
		jvpn_binding_kernel_locked(s, JVPN_EVENT_TERMINATE, JVPN_REASON_POLICY_FAILURE);
		return JVPN_REJECT_TERMINATED;
	}
	s->epoch_number = b->epoch.number;
	reject = session_step(s, JVPN_EVENT_HANDSHAKE_DONE, JVPN_REASON_HANDSHAKE_OK, origin,
			      &b->transport);
	if (!reject)
		binding_publish(s, b, NULL);
	return reject;
}

/*
 * A client that jumps to where it is: its gateway sees a rekey, and packets of
 * the old epoch are under way on the transport that stays.
 */
static bool jump_stays(const struct jvpn_session *s, const struct jvpn_binding *old,
		       const struct jvpn_binding *b)
{
	return old && s->role == JVPN_ROLE_CLIENT &&
	       jvpn_transport_equal(&b->transport, &old->transport);
}

/*
 * Unbound to bound, through the states in between: each its own version. The
 * old binding is gone before the new one is published.
 */
static u32 commit_reattach(struct jvpn_session *s, struct jvpn_binding *b, u32 jump_reason,
			   u32 origin, u32 *steps)
{
	struct jvpn_binding *old = current_locked(s);
	u32 reject = JVPN_REJECT_NONE;

	*steps = s->state == JVPN_STATE_RECOVERING ? 1 : 2;
	if (jvpn_fsm_bound(s->state))
		reject = session_step(s, JVPN_EVENT_JUMP, jump_reason, origin, &old->transport);
	else if (s->state == JVPN_STATE_DEGRADED)
		reject = session_step(s, JVPN_EVENT_RETRY, JVPN_REASON_CANDIDATE_APPEARED, origin,
				      NULL);
	if (reject)
		return reject;
	binding_take(s);
	if (jump_stays(s, old, b))
		binding_drain(s, old);
	else
		binding_drop(s, old);
	s->epoch_number = b->epoch.number;
	reject = session_step(s, JVPN_EVENT_REATTACH_COMMIT, JVPN_REASON_REATTACH_OK, origin,
			      &b->transport);
	if (WARN_ON_ONCE(reject))
		return reject;
	binding_publish(s, b, NULL);
	return JVPN_REJECT_NONE;
}

/* Same transport, new keys: no transition. */
static void commit_refresh(struct jvpn_session *s, struct jvpn_binding *b)
{
	struct jvpn_binding *old = current_locked(s);

	binding_drain(s, old);
	binding_publish(s, b, old);
	jvpn_notify_epoch(s);
}

/*
 * What was prepared while there was no binding may find one, committed from
 * another attempt: over the same transport it brings new keys, over another it
 * is a jump of the client.
 */
static u32 commit_prepared(struct jvpn_session *s, struct jvpn_binding *b, u32 origin,
			   u32 *steps)
{
	bool bound = jvpn_fsm_bound(s->state);
	u32 reason = b->reason;

	*steps = 0;
	if (bound && jvpn_fsm_event_of(reason) != JVPN_EVENT_JUMP) {
		if (jvpn_transport_equal(&b->transport, &current_locked(s)->transport)) {
			commit_refresh(s, b);
			return JVPN_REJECT_NONE;
		}
		reason = JVPN_REASON_CLIENT_JUMP;
	}
	return commit_reattach(s, b, reason, origin, steps);
}

static u32 check_common(struct jvpn_session *s, const struct jvpn_binding_request *req)
{
	/* Found before it was unlinked: nothing may be linked to it any more. */
	if (s->dead)
		return JVPN_REJECT_UNKNOWN_SESSION;
	jvpn_deadline_run_locked(s, jvpn_now_ms());
	if (s->state == JVPN_STATE_TERMINATED)
		return JVPN_REJECT_TERMINATED;
	if (s->version != req->expected_version)
		return JVPN_REJECT_STALE_VERSION;
	if (req->has_expected_epoch && s->epoch_number != req->expected_epoch)
		return JVPN_REJECT_STALE_EPOCH;
	return JVPN_REJECT_NONE;
}

static u32 check_binding(struct jvpn_session *s, const struct jvpn_binding *b)
{
	if (s->state != JVPN_STATE_BIRTH && b->epoch.number <= s->epoch_number)
		return JVPN_REJECT_STALE_EPOCH;
	return JVPN_REJECT_NONE;
}

static u32 check_jump_reason(const struct jvpn_session *s, u32 reason)
{
	if (jvpn_fsm_bound(s->state) && jvpn_fsm_event_of(reason) != JVPN_EVENT_JUMP)
		return JVPN_REJECT_ILLEGAL_TRANSITION;
	return JVPN_REJECT_NONE;
}

static void result_fill(const struct jvpn_session *s, u32 reject, u32 steps,
			struct jvpn_binding_result *res)
{
	res->reject = reject;
	res->state = s->state;
	res->version = s->version;
	res->epoch = s->epoch_number;
	res->steps = steps;
}

/* End of every request: the answer, the error. */
static int request_end(struct jvpn_session *s, u32 reject, u32 steps,
		       struct jvpn_binding_result *res, struct netlink_ext_ack *extack)
{
	result_fill(s, reject, steps, res);
	if (!reject)
		return 0;
	s->refused++;
	if (extack && !extack->_msg)
		extack->_msg = refusals[reject].text;
	return refusals[reject].err;
}

static void peer_remember(struct jvpn_session *s, const struct jvpn_binding_request *req)
{
	if (!req->has_peer || req->peer_version < s->peer_version)
		return;
	s->peer_version = req->peer_version;
	s->peer_epoch = req->peer_epoch;
}

/* The binding that a request means: its own, or the prepared one it names. */
static u32 request_binding(struct jvpn_session *s, struct jvpn_binding **b,
			   const struct jvpn_binding_request *req)
{
	if (*b)
		return JVPN_REJECT_NONE;
	*b = prepared_find(s, req->cookie);
	return *b ? JVPN_REJECT_NONE : JVPN_REJECT_ILLEGAL_TRANSITION;
}

static u32 link_if_new(struct jvpn_session *s, struct jvpn_binding *b, bool is_new)
{
	if (is_new && jvpn_power_suspended())
		return JVPN_REJECT_SUSPENDED;
	if (is_new && !binding_link(s, b))
		return JVPN_REJECT_DUAL_BINDING;
	return JVPN_REJECT_NONE;
}

static u32 check_commit(struct jvpn_session *s, const struct jvpn_binding *b, bool is_new,
			const struct jvpn_binding_request *req)
{
	u32 reject;

	if (b->refresh)
		return JVPN_REJECT_ILLEGAL_TRANSITION;
	reject = check_binding(s, b);
	if (reject)
		return reject;
	reject = is_new ? check_jump_reason(s, req->reason) : JVPN_REJECT_NONE;
	if (reject)
		return reject;
	if (s->state == JVPN_STATE_BIRTH && !claim_allowed(s))
		return JVPN_REJECT_OWNERSHIP_CONFLICT;
	return JVPN_REJECT_NONE;
}

static u32 commit_locked(struct jvpn_session *s, struct jvpn_binding *b, bool is_new,
			 const struct jvpn_binding_request *req, u32 *steps,
			 struct jvpn_session **ended)
{
	u32 reject;

	lockdep_assert_held(&s->lock);
	reject = check_common(s, req);
	if (reject)
		return reject;
	reject = request_binding(s, &b, req);
	if (reject)
		return reject;
	reject = check_commit(s, b, is_new, req);
	if (reject)
		return reject;
	reject = link_if_new(s, b, is_new);
	if (reject)
		return reject;
	*steps = 1;
	if (s->state == JVPN_STATE_BIRTH)
		reject = commit_birth(s, b, JVPN_ORIGIN_DAEMON, ended);
	else if (is_new)
		reject = commit_reattach(s, b, req->reason, JVPN_ORIGIN_DAEMON, steps);
	else
		reject = commit_prepared(s, b, JVPN_ORIGIN_DAEMON, steps);
	if (reject && is_new)
		binding_unlink(s, b);
	return reject;
}

static int commit(struct jvpn_session *s, struct jvpn_binding *b,
		  const struct jvpn_binding_request *req, struct jvpn_binding_result *res,
		  struct netlink_ext_ack *extack, struct jvpn_session **ended)
{
	u32 reject, steps = 0;
	int err;

	spin_lock_bh(&s->lock);
	reject = commit_locked(s, b, !!b, req, &steps, ended);
	if (!reject)
		peer_remember(s, req);
	err = request_end(s, reject, steps, res, extack);
	spin_unlock_bh(&s->lock);
	return err;
}

/* Only a birth claims prefixes, and no session returns to birth. */
static bool may_claim(const struct jvpn_session *s)
{
	return READ_ONCE(s->state) == JVPN_STATE_BIRTH;
}

int jvpn_binding_commit(struct jvpn_session *s, struct jvpn_binding *b,
			const struct jvpn_binding_request *req,
			struct jvpn_binding_result *res, struct netlink_ext_ack *extack)
{
	struct jvpn_session *ended = NULL;
	int err;

	if (may_claim(s)) {
		spin_lock_bh(&table_of(s)->claim);
		err = commit(s, b, req, res, extack, &ended);
		spin_unlock_bh(&table_of(s)->claim);
	} else {
		err = commit(s, b, req, res, extack, &ended);
	}
	jvpn_binding_settle(s);
	claim_settle(ended);
	return err;
}

static u32 refresh_locked(struct jvpn_session *s, struct jvpn_binding *b, bool is_new,
			  const struct jvpn_binding_request *req)
{
	u32 reject;

	lockdep_assert_held(&s->lock);
	reject = check_common(s, req);
	if (reject)
		return reject;
	if (!jvpn_fsm_bound(s->state))
		return JVPN_REJECT_ILLEGAL_TRANSITION;
	reject = request_binding(s, &b, req);
	if (reject)
		return reject;
	if (!is_new && !b->refresh)
		return JVPN_REJECT_ILLEGAL_TRANSITION;
	if (!jvpn_transport_equal(&b->transport, &current_locked(s)->transport))
		return JVPN_REJECT_ILLEGAL_TRANSITION;
	reject = check_binding(s, b);
	if (reject)
		return reject;
	reject = link_if_new(s, b, is_new);
	if (reject)
		return reject;
	commit_refresh(s, b);
	return JVPN_REJECT_NONE;
}

int jvpn_binding_refresh(struct jvpn_session *s, struct jvpn_binding *b,
			 const struct jvpn_binding_request *req,
			 struct jvpn_binding_result *res, struct netlink_ext_ack *extack)
{
	u32 reject;
	int err;

	spin_lock_bh(&s->lock);
	reject = refresh_locked(s, b, !!b, req);
	if (!reject)
		peer_remember(s, req);
	err = request_end(s, reject, 0, res, extack);
	spin_unlock_bh(&s->lock);
	jvpn_binding_settle(s);
	return err;
}

static u32 check_prepare(struct jvpn_session *s, const struct jvpn_binding *b)
{
	u32 reject;

	if (s->state == JVPN_STATE_BIRTH)
		return JVPN_REJECT_ILLEGAL_TRANSITION;
	if (refresh_void(b, current_locked(s)))
		return JVPN_REJECT_ILLEGAL_TRANSITION;
	reject = check_binding(s, b);
	if (reject)
		return reject;
	reject = b->refresh ? JVPN_REJECT_NONE : check_jump_reason(s, b->reason);
	if (reject)
		return reject;
	if (prepared_find(s, b->cookie))
		return JVPN_REJECT_DUAL_BINDING;
	return JVPN_REJECT_NONE;
}

static u32 prepare_locked(struct jvpn_session *s, struct jvpn_binding *b,
			  const struct jvpn_binding_request *req)
{
	int slot = 0;
	u32 reject;

	lockdep_assert_held(&s->lock);
	reject = check_common(s, req);
	if (reject)
		return reject;
	reject = check_prepare(s, b);
	if (reject)
		return reject;
	while (slot < JVPN_PENDING_MAX && s->prepared[slot])
		slot++;
	if (slot == JVPN_PENDING_MAX)
		return JVPN_REJECT_RATE_LIMITED;
	reject = link_if_new(s, b, true);
	if (reject)
		return reject;
	s->prepared[slot] = b;
	b->prepared_at = jvpn_now_ms();
	b->ask_at = s->role == JVPN_ROLE_CLIENT ? b->prepared_at + JVPN_ASK_MS : 0;
	if (b->hold)
		jvpn_hold_begin_locked(s);
	jvpn_deadline_arm_locked(s);
	return JVPN_REJECT_NONE;
}

int jvpn_binding_prepare(struct jvpn_session *s, struct jvpn_binding *b,
			 const struct jvpn_binding_request *req,
			 struct jvpn_binding_result *res, struct netlink_ext_ack *extack)
{
	int err;

	spin_lock_bh(&s->lock);
	err = request_end(s, prepare_locked(s, b, req), 0, res, extack);
	spin_unlock_bh(&s->lock);
	jvpn_binding_settle(s);
	return err;
}

int jvpn_binding_await(struct jvpn_session *s, struct jvpn_binding *b,
		       struct netlink_ext_ack *extack)
{
	u32 reject;

	spin_lock_bh(&s->lock);
	reject = link_if_new(s, b, true);
	if (!reject)
		s->prepared[0] = b;
	else if (extack)
		extack->_msg = refusals[reject].text;
	spin_unlock_bh(&s->lock);
	return refusals[reject].err;
}

int jvpn_binding_cancel(struct jvpn_session *s, const struct jvpn_binding_request *req,
			struct jvpn_binding_result *res, struct netlink_ext_ack *extack)
{
	struct jvpn_binding *b;
	u32 reject = JVPN_REJECT_NONE;
	int err;

	spin_lock_bh(&s->lock);
	if (s->dead) {
		reject = JVPN_REJECT_UNKNOWN_SESSION;
	} else if (s->state == JVPN_STATE_TERMINATED) {
		reject = JVPN_REJECT_TERMINATED;
	} else if (s->state == JVPN_STATE_BIRTH) {
		reject = JVPN_REJECT_ILLEGAL_TRANSITION;
	} else if (!req->has_cookie) {
		prepared_drop_all(s);
	} else {
		b = prepared_find(s, req->cookie);
		if (b) {
			prepared_take(s, b);
			binding_drop(s, b);
		}
	}
	err = request_end(s, reject, 0, res, extack);
	spin_unlock_bh(&s->lock);
	jvpn_binding_settle(s);
	return err;
}

int jvpn_binding_probe(struct jvpn_session *s, struct jvpn_binding_result *res,
		       struct netlink_ext_ack *extack)
{
	u32 reject = JVPN_REJECT_NONE;
	int err;

	spin_lock_bh(&s->lock);
	if (s->dead)
		reject = JVPN_REJECT_UNKNOWN_SESSION;
	else if (s->state == JVPN_STATE_TERMINATED)
		reject = JVPN_REJECT_TERMINATED;
	else if (!jvpn_probe_soon_locked(s))
		reject = JVPN_REJECT_ILLEGAL_TRANSITION;
	err = request_end(s, reject, 0, res, extack);
	spin_unlock_bh(&s->lock);
	return err;
}

static u32 transition_locked(struct jvpn_session *s, const struct jvpn_binding_request *req)
{
	struct jvpn_binding *b;
	u32 reject;

	lockdep_assert_held(&s->lock);
	reject = check_common(s, req);
	if (reject)
		return reject;
	b = current_locked(s);
	/* These install a binding: binding-set. */
	if (req->event == JVPN_EVENT_HANDSHAKE_DONE || req->event == JVPN_EVENT_REATTACH_COMMIT)
		return JVPN_REJECT_ILLEGAL_TRANSITION;
	reject = session_step(s, req->event, req->reason, JVPN_ORIGIN_DAEMON,
			      b ? &b->transport : NULL);
	if (!reject)
		transition_effects(s);
	return reject;
}

int jvpn_binding_transition(struct jvpn_session *s, const struct jvpn_binding_request *req,
			    struct jvpn_binding_result *res, struct netlink_ext_ack *extack)
{
	u32 reject;
	int err;

	spin_lock_bh(&s->lock);
	reject = transition_locked(s, req);
	err = request_end(s, reject, 1, res, extack);
	spin_unlock_bh(&s->lock);
	jvpn_binding_settle(s);
	return err;
}

int jvpn_binding_check_locked(struct jvpn_session *s, const struct jvpn_binding_request *req,
			      struct jvpn_binding_result *res, struct netlink_ext_ack *extack)
{
	u32 reject;

	lockdep_assert_held(&s->lock);
	reject = check_common(s, req);
	if (!reject)
		peer_remember(s, req);
	return request_end(s, reject, 0, res, extack);
}

bool jvpn_binding_kernel_locked(struct jvpn_session *s, u32 event, u32 reason)
{
	struct jvpn_binding *b = current_locked(s);

	lockdep_assert_held(&s->lock);
	if (session_step(s, event, reason, JVPN_ORIGIN_KERNEL, b ? &b->transport : NULL))
		return false;
	transition_effects(s);
	return true;
}

bool jvpn_binding_kernel(struct jvpn_session *s, const struct jvpn_binding *only,
			 u32 event, u32 reason)
{
	bool applied = false;

	spin_lock_bh(&s->lock);
	if (!s->dead && (!only || current_locked(s) == only))
		applied = jvpn_binding_kernel_locked(s, event, reason);
	spin_unlock_bh(&s->lock);
	jvpn_notify_flush(s);
	return applied;
}

static bool arrived_birth(struct jvpn_session *s, struct jvpn_binding *b,
			  struct jvpn_session **ended)
{
	u32 reject = commit_birth(s, b, JVPN_ORIGIN_KERNEL, ended);

	if (reject == JVPN_REJECT_OWNERSHIP_CONFLICT)
		jvpn_binding_kernel_locked(s, JVPN_EVENT_TERMINATE,
					   JVPN_REASON_OWNERSHIP_AMBIGUOUS);
	return !reject;
}

static bool arrived_locked(struct jvpn_session *s, struct jvpn_binding *b,
			   struct jvpn_session **ended)
{
	u32 steps = 0;

	lockdep_assert_held(&s->lock);
	if (s->dead)
		return false;
	jvpn_deadline_run_locked(s, jvpn_now_ms());
	/* Last, after all that may drop it: the packet found it without the lock. */
	if (!prepared_has(s, b))
		return current_locked(s) == b;
	if (s->state == JVPN_STATE_BIRTH)
		return arrived_birth(s, b, ended);
	if (check_binding(s, b))
		return false;
	if (b->refresh) {
		commit_refresh(s, b);
		return true;
	}
	return !commit_prepared(s, b, JVPN_ORIGIN_KERNEL, &steps);
}

static bool arrived(struct jvpn_session *s, struct jvpn_binding *b, struct jvpn_session **ended)
{
	bool current_now;

	spin_lock_bh(&s->lock);
	current_now = arrived_locked(s, b, ended);
	spin_unlock_bh(&s->lock);
	return current_now;
}

bool jvpn_binding_arrived(struct jvpn_binding *b)
{
	struct jvpn_session *s = b->session, *ended = NULL;
	bool current_now;

	if (may_claim(s)) {
		spin_lock_bh(&table_of(s)->claim);
		current_now = arrived(s, b, &ended);
		spin_unlock_bh(&table_of(s)->claim);
	} else {
		current_now = arrived(s, b, &ended);
	}
	jvpn_binding_settle(s);
	claim_settle(ended);
	return current_now;
}

void jvpn_binding_settle(struct jvpn_session *s)
{
	bool release;

	jvpn_notify_flush(s);
	spin_lock_bh(&s->lock);
	release = !s->dead && jvpn_fsm_bound(s->state) && !prepared_holds(s);
	if (release)
		jvpn_hold_end_locked(s);
	spin_unlock_bh(&s->lock);
	if (release && READ_ONCE(s->holding))
		jvpn_hold_flush(s);
}

static void earlier(u64 *next, u64 at)
{
	if (!*next || at < *next)
		*next = at;
}

/* Keys that may not be used any longer must not be had any longer. */
static u64 keys_end(const struct jvpn_session *s, const struct jvpn_binding *b)
{
	return b->epoch.born + s->policy.reject_after_ms;
}

/* Drop a binding at @end. Return: the binding, or NULL. */
static struct jvpn_binding *binding_age(struct jvpn_session *s, struct jvpn_binding *b, u64 end,
					u64 now_ms, u64 *next)
{
	if (!b)
		return NULL;
	end = min(end, keys_end(s, b));
	if (now_ms >= end) {
		binding_drop(s, b);
		return NULL;
	}
	earlier(next, end);
	return b;
}

static void prepared_age(struct jvpn_session *s, int slot, u64 now_ms, u64 *next)
{
	/* What a session in birth awaits has that one's deadline, and that of all keys. */
	u64 end = s->state == JVPN_STATE_BIRTH ? U64_MAX :
		  s->prepared[slot]->prepared_at + JVPN_PREPARED_MS;
	struct jvpn_binding *b = binding_age(s, s->prepared[slot], end, now_ms, next);

	s->prepared[slot] = b;
	if (!b)
		return;
	if (b->hold && now_ms >= b->prepared_at + JVPN_HOLD_MS)
		b->hold = false;
	if (b->hold)
		earlier(next, b->prepared_at + JVPN_HOLD_MS);
	if (b->ask_at)
		earlier(next, b->ask_at);
}

u64 jvpn_binding_age_locked(struct jvpn_session *s, u64 now_ms)
{
	u64 next = 0;
	int i;

	lockdep_assert_held(&s->lock);
	if (s->draining)
		s->draining = binding_age(s, s->draining, s->draining->drain_until, now_ms, &next);
	s->retired = binding_age(s, s->retired, U64_MAX, now_ms, &next);
	for (i = 0; i < JVPN_PENDING_MAX; i++)
		if (s->prepared[i])
			prepared_age(s, i, now_ms, &next);
	return next;
}

struct jvpn_binding *jvpn_binding_ask_locked(struct jvpn_session *s, u64 now_ms)
{
	int i;

	lockdep_assert_held(&s->lock);
	for (i = 0; i < JVPN_PENDING_MAX; i++) {
		struct jvpn_binding *b = s->prepared[i];

		if (!b || !b->ask_at || now_ms < b->ask_at)
			continue;
		b->ask_at = now_ms < b->prepared_at + JVPN_HOLD_MS ? now_ms + JVPN_ASK_MS : 0;
		return b;
	}
	return NULL;
}

void jvpn_binding_purge(struct jvpn_session *s)
{
	spin_lock_bh(&s->lock);
	session_end(s);
	spin_unlock_bh(&s->lock);
}

void jvpn_binding_forget(struct jvpn_session *s)
{
	spin_lock_bh(&s->lock);
	if (s->state == JVPN_STATE_BIRTH)
		jvpn_binding_kernel_locked(s, JVPN_EVENT_HANDSHAKE_FAILED,
					   JVPN_REASON_HANDSHAKE_TIMEOUT);
	else if (jvpn_fsm_bound(s->state))
		jvpn_binding_kernel_locked(s, JVPN_EVENT_TRANSPORT_DEAD,
					   JVPN_REASON_HOST_SUSPENDED);
	prepared_drop_all(s);
	binding_drop(s, s->retired);
	s->retired = NULL;
	spin_unlock_bh(&s->lock);
	jvpn_binding_settle(s);
}
