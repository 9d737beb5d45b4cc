// SPDX-License-Identifier: GPL-2.0
/*
 * A session has up to six deadlines and one timer, which is set for the earliest
 * of them, and of what binding.c lets go with time.
 *
 * This file and binding.c call one another. A deadline that is due is a
 * transition, which only binding.c makes; a transition sets and clears deadlines,
 * so that binding.c sets the timer after each; and no request is judged by a
 * session whose time is up, so that what is due runs before it:
 *
 *   run_locked    due? -> jvpn_binding_kernel_locked() -> arm_locked
 *   arm_locked    reads deadlines, sets the timer; makes no transition
 *
 * So the recursion is one level deep: arming runs nothing, and what is due at
 * that moment is for the timer, a millisecond later at the earliest. The loop in
 * run_locked ends, since each deadline that it runs is cleared by its own
 * transition, which takes the binding or ends the session; one that is refused
 * ends the loop with a warning.
 *
 * Of several that are due the one of the highest priority goes first, not the
 * earliest: how late the timer is must not decide how a session ends.
 *
 * Nobody waits for the timer under the session's lock, which the timer takes:
 * there it is cancelled with hrtimer_try_to_cancel(), and if it runs already it
 * finds the session dead, or nothing due.
 */
#include "deadline.h"

#include "binding.h"
#include "compat.h"
#include "core/fsm.h"
#include "device.h"
#include "session.h"

/* Ends by time: when, and what then. */
struct deadline {
	u64 at;
	u32 reason;
};

#define DEADLINES_MAX 6

static u32 deadlines_of(const struct jvpn_session *s, struct deadline out[DEADLINES_MAX])
{
	const struct jvpn_binding *b = rcu_dereference_protected(s->binding,
								 lockdep_is_held(&s->lock));
	u32 n = 0;

	if (s->session_deadline)
		out[n++] = (struct deadline){ s->session_deadline,
					      JVPN_REASON_SESSION_TTL_EXPIRED };
	if (s->loss_deadline)
		out[n++] = (struct deadline){ s->loss_deadline,
					      JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED };
	if (s->lease_deadline)
		out[n++] = (struct deadline){ s->lease_deadline, JVPN_REASON_LEASE_LOST };
	if (s->birth_deadline && s->state == JVPN_STATE_BIRTH)
		out[n++] = (struct deadline){ s->birth_deadline, JVPN_REASON_HANDSHAKE_TIMEOUT };
	if (b)
		out[n++] = (struct deadline){ b->epoch.born + s->policy.reject_after_ms,
					      JVPN_REASON_KEY_EXPIRED };
	if (b && s->role == JVPN_ROLE_GATEWAY && s->policy.rx_timeout_ms)
		out[n++] = (struct deadline){ READ_ONCE(s->last_rx) + s->policy.rx_timeout_ms,
					      JVPN_REASON_PROBE_TIMEOUT };
	return n;
}

/* Of those that are due the one that goes first, or JVPN_REASON_NONE. */
static u32 due_first(const struct jvpn_session *s, u64 now_ms)
{
	struct deadline list[DEADLINES_MAX];
	u32 n = deadlines_of(s, list);
	u32 best = JVPN_REASON_NONE;
	u32 i;

	for (i = 0; i < n; i++) {
		if (now_ms < list[i].at)
			continue;
		if (best == JVPN_REASON_NONE ||
		    jvpn_fsm_priority(list[i].reason) < jvpn_fsm_priority(best))
			best = list[i].reason;
	}
	return best;
}

void jvpn_deadline_run_locked(struct jvpn_session *s, u64 now_ms)
{
	u32 reason;

	lockdep_assert_held(&s->lock);
	while (s->state != JVPN_STATE_TERMINATED) {
		reason = due_first(s, now_ms);
		if (reason == JVPN_REASON_NONE)
			break;
		if (WARN_ON_ONCE(!jvpn_binding_kernel_locked(s, jvpn_fsm_event_of(reason),
							     reason)))
			break;
	}
	jvpn_binding_age_locked(s, now_ms);
}

void jvpn_deadline_arm_locked(struct jvpn_session *s)
{
	struct deadline list[DEADLINES_MAX];
	u32 n, i;
	u64 next;

	lockdep_assert_held(&s->lock);
	if (s->dead || s->state == JVPN_STATE_TERMINATED) {
		hrtimer_try_to_cancel(&s->timer);
		return;
	}
	next = jvpn_binding_age_locked(s, jvpn_now_ms());
	n = deadlines_of(s, list);
	for (i = 0; i < n; i++)
		if (!next || list[i].at < next)
			next = list[i].at;
	/* Never at once: what is due and cannot be done must not keep a processor. */
	if (next)
		hrtimer_start(&s->timer, jvpn_ktime_of_ms(max(next, jvpn_now_ms() + 1)),
			      HRTIMER_MODE_ABS_SOFT);
	else
		hrtimer_try_to_cancel(&s->timer);
}

static enum hrtimer_restart deadline_fire(struct hrtimer *timer)
{
	struct jvpn_session *s = container_of(timer, struct jvpn_session, timer);
	struct jvpn_binding *ask = NULL;

	jvpn_path_enter();
	spin_lock(&s->lock);
	if (!s->dead) {
		jvpn_deadline_run_locked(s, jvpn_now_ms());
		ask = jvpn_binding_ask_locked(s, jvpn_now_ms());
		jvpn_deadline_arm_locked(s);
	}
	spin_unlock(&s->lock);
	if (ask)
		jvpn_probe_ask(ask);
	jvpn_binding_settle(s);
	jvpn_path_leave();
	return HRTIMER_NORESTART;
}

void jvpn_deadline_init(struct jvpn_session *s)
{
	hrtimer_setup(&s->timer, deadline_fire, CLOCK_BOOTTIME, HRTIMER_MODE_ABS_SOFT);
}
