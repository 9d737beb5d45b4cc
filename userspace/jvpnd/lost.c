// SPDX-License-Identifier: GPL-2.0
#include "lost.h"

#include <errno.h>
#include <stdlib.h>

#include "core/fsm.h"
#include "session.h"

/* Two records each at most, of a queue of 8192. */
#define PART 1024
#define QUEUED_MAX 2048
#define TURN_MS 10

struct lost {
	uv_timer_t timer;
	struct jvpn_audit_cursor done;
};

static void lost_one(void *context, const struct jvpn_audit_known *known)
{
	struct jvpnd *d = context;
	struct jvpn_audit_transition record = {
		.session_id = known->session_id,
		.version = known->version + 1,
		.from = known->state,
		.to = JVPN_STATE_TERMINATED,
		.event = jvpn_fsm_event_of(SESSION_VANISHED_REASON),
		.reason = SESSION_VANISHED_REASON,
		.epoch = known->epoch,
		.policy = known->policy,
		.policy_version = known->policy_version,
		.lost = known->bound ? &known->transport : NULL,
	};

	if (session_find(d, known->session_id))
		return;
	if (known->state != JVPN_STATE_TERMINATED) {
		record.details = json_pack("{ss}", "why",
			"the kernel does not have it: its device was removed, or the machine restarted");
		jvpnd_record(d, jvpn_audit_build_transition(d->audit, &record));
	}
	jvpn_audit_forget(d->audit, known->session_id);
}

static void lost_turn(uv_timer_t *timer)
{
	struct jvpnd *d = timer->data;
	struct lost *lost = d->lost;
	struct jvpn_audit_status status;

	jvpn_audit_status(d->audit, &status);
	if (status.queued <= QUEUED_MAX &&
	    jvpn_audit_known_each(d->audit, &lost->done, PART, lost_one, d) < PART)
		return;
	uv_timer_start(timer, lost_turn, TURN_MS, 0);
}

int lost_open(struct jvpnd *d)
{
	d->lost = calloc(1, sizeof(*d->lost));
	if (!d->lost)
		return -ENOMEM;
	uv_timer_init(d->loop, &d->lost->timer);
	d->lost->timer.data = d;
	return 0;
}

void lost_record(struct jvpnd *d)
{
	lost_turn(&d->lost->timer);
}

void lost_close(struct jvpnd *d)
{
	free(d->lost);
	d->lost = NULL;
}
