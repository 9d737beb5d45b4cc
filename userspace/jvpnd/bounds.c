// SPDX-License-Identifier: GPL-2.0
#include "bounds.h"

#include <stddef.h>

#include "log.h"
#include "session.h"

static void bounds_timer_arm(struct bounds *bounds);

static struct session *bounds_session(struct jvpn_heap_node *node)
{
	return (struct session *)((char *)node - offsetof(struct session, window));
}

static void bounds_leave(struct bounds *bounds, struct session *s)
{
	jvpn_heap_remove(&bounds->windows, &s->window);
	s->in_window = false;
}

bool bounds_expire(struct bounds *bounds, uint64_t now_ms)
{
	struct jvpn_heap_node *first;

	for (unsigned int i = 0; i < BOUNDS_BUDGET; i++) {
		struct session *s;

		first = bounds->windows.root;
		if (!first || first->key > now_ms)
			return false;
		s = bounds_session(first);
		jvpn_info("session %s: no reattach within %u ms", session_short(s),
			  s->policy.recovery_window_ms);
		bounds_leave(bounds, s);
		session_event(bounds->d, s, JVPN_EVENT_BOUND_EXCEEDED,
			      JVPN_REASON_RECOVERY_WINDOW_EXCEEDED);
	}
	first = bounds->windows.root;
	return first && first->key <= now_ms;
}

static void bounds_expired(uv_timer_t *timer)
{
	struct bounds *bounds = timer->data;

	bounds->armed_ms = 0;
	bounds_expire(bounds, jvpnd_now_ms());
	bounds_timer_arm(bounds);
	sessions_settle(bounds->d);
}

static void bounds_timer_arm(struct bounds *bounds)
{
	uint64_t now = jvpnd_now_ms(), end = bounds->windows.root ? bounds->windows.root->key : 0;

	if (end == bounds->armed_ms)
		return;
	bounds->armed_ms = end;
	if (!end)
		uv_timer_stop(&bounds->timer);
	else
		uv_timer_start(&bounds->timer, bounds_expired, end > now ? end - now : 0, 0);
}

void bounds_open(struct bounds *bounds, struct jvpnd *d)
{
	bounds->d = d;
	uv_timer_init(d->loop, &bounds->timer);
	bounds->timer.data = bounds;
}

void bounds_update(struct bounds *bounds, struct session *s)
{
	bool within = s->state == JVPN_STATE_RECOVERING && !s->vanished;

	if (within == s->in_window)
		return;
	if (!within) {
		bounds_leave(bounds, s);
	} else {
		s->in_window = true;
		s->window.key = s->since_ms + s->policy.recovery_window_ms;
		jvpn_heap_add(&bounds->windows, &s->window);
	}
	bounds_timer_arm(bounds);
}
