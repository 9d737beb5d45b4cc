// SPDX-License-Identifier: GPL-2.0
#include "bounds.h"

#include "log.h"
#include "session.h"

static void bounds_timer_arm(struct bounds *bounds);

static void bounds_leave(struct bounds *bounds, struct session *s)
{
	TAILQ_REMOVE(&bounds->windows, s, window_link);
	s->in_window = false;
	s->window_end_ms = 0;
}

static void bounds_expired(uv_timer_t *timer)
{
	struct bounds *bounds = timer->data;
	uint64_t now = jvpnd_now_ms();
	struct session *s, *next;

	for (s = TAILQ_FIRST(&bounds->windows); s; s = next) {
		next = TAILQ_NEXT(s, window_link);
		if (s->window_end_ms > now)
			continue;
		jvpn_info("session %s: no reattach within %u ms", session_short(s),
			  s->policy.recovery_window_ms);
		bounds_leave(bounds, s);
		session_event(bounds->d, s, JVPN_EVENT_BOUND_EXCEEDED,
			      JVPN_REASON_RECOVERY_WINDOW_EXCEEDED);
	}
	bounds_timer_arm(bounds);
	sessions_settle(bounds->d);
}

static void bounds_timer_arm(struct bounds *bounds)
{
	uint64_t now = jvpnd_now_ms(), earliest = UINT64_MAX;
	struct session *s;

	TAILQ_FOREACH(s, &bounds->windows, window_link)
		if (s->window_end_ms < earliest)
			earliest = s->window_end_ms;
	if (earliest == UINT64_MAX)
		uv_timer_stop(&bounds->timer);
	else
		uv_timer_start(&bounds->timer, bounds_expired,
			       earliest > now ? earliest - now : 0, 0);
}

void bounds_open(struct bounds *bounds, struct jvpnd *d)
{
	bounds->d = d;
	TAILQ_INIT(&bounds->windows);
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
		s->window_end_ms = s->since_ms + s->policy.recovery_window_ms;
		TAILQ_INSERT_TAIL(&bounds->windows, s, window_link);
	}
	bounds_timer_arm(bounds);
}
