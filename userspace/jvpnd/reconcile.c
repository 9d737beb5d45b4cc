// SPDX-License-Identifier: GPL-2.0
#include "reconcile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "record.h"
#include "session.h"
#include "sockets.h"

#define PERIOD_MS 30000
/* After lost events: long enough for a flood to pass, short enough to matter. */
#define SOON_MS 20
/* A flood that does not pass is not waited for any longer. */
#define LATEST_MS 500
/* So many times as long as the last reading took nothing is read. */
#define REST 4

struct reconcile {
	uv_timer_t timer;
	uint64_t round;
	struct reconcile_pace pace;
};

/* The seen mark: which round found the session in the kernel. */
struct reconcile_walk {
	struct jvpnd *d;
	uint64_t round;
};

/*
 * Up to which version the log has the session; above that it is caught up from the kernel's
 * history. If nobody knows, nothing is written twice: the log says that it does not know.
 */
static uint64_t reconcile_audited(struct jvpnd *d, const struct kernel_session *k)
{
	uint64_t known = 0;

	if (jvpn_audit_version_known(d->audit, k->id, &known) != JVPN_AUDIT_PAST_UNKNOWN)
		return known;
	session_past_unknown(d, k);
	return k->version;
}

static bool peer_is_said(const struct kernel_session *k)
{
	static const uint8_t nobody[sizeof(k->peer_id)];

	return memcmp(k->peer_id, nobody, sizeof(nobody));
}

/* A daemon that did not say it yet has made the session; its record knows. */
static void reconcile_peer_say(struct jvpnd *d, struct session *s, const struct kernel_session *k)
{
	const struct kernel_session_set args = { .expected_version = k->version,
						 .peer_id = s->peer_key };
	struct kernel_answer answer;

	if (peer_is_said(k) || !session_is_live(s))
		return;
	kernel_session_set(d->kernel, s->id, &args, &answer);
	if (answer.error)
		jvpn_warning("session %s: the kernel cannot be told who the peer is: %s",
			     session_short(s), answer.text);
}

static void reconcile_adopt(struct jvpnd *d, const struct kernel_session *k)
{
	struct session *s = session_add(d, k->id, k->role);

	if (!s) {
		jvpn_error("no memory to adopt a session of %s", k->label);
		return;
	}
	if (record_load(d, s))
		s->epoch = s->ctl_epoch;
	else
		memcpy(s->peer_key, k->peer_id, sizeof(s->peer_key));
	s->audited = reconcile_audited(d, k);
	/* Versions above the audited ones are caught up from the kernel's history. */
	s->version = s->audited < k->version ? s->audited : k->version;
	s->state = k->state;
	session_mirror(d, s, k);
	if (s->recorded)
		reconcile_peer_say(d, s, k);
	jvpn_info("session %s (%s) adopted: version %llu, epoch %u", session_short(s), s->label,
		  (unsigned long long)s->version, s->epoch);
	d->role->adopt(d, s, k);
	session_judge(d, s);
}

/* The device had another role: nobody can judge or renew what it left. */
static bool reconcile_role_fits(struct jvpnd *d, const struct kernel_session *k)
{
	uint32_t role = d->gateway ? JVPN_ROLE_GATEWAY : JVPN_ROLE_CLIENT;
	struct kernel_answer answer;

	if (k->role == role)
		return true;
	if (k->state != JVPN_STATE_TERMINATED) {
		jvpn_warning("the device has a session (%s) of its former role: it ends", k->label);
		kernel_transition(d->kernel, k->id, k->version, JVPN_EVENT_TERMINATE,
				  JVPN_REASON_POLICY_FAILURE, &answer);
	}
	return false;
}

static void reconcile_found(void *context, const struct kernel_session *k)
{
	struct reconcile_walk *walk = context;
	struct session *s = session_find(walk->d, k->id);

	if (!reconcile_role_fits(walk->d, k))
		return;
	if (!s)
		reconcile_adopt(walk->d, k);
	else if (k->version >= s->version)
		session_mirror(walk->d, s, k);
	s = session_find(walk->d, k->id);
	if (s)
		s->seen = walk->round;
}

/* The dump may have begun before a session was made: ask for it by name. */
static void reconcile_missing(struct jvpnd *d, struct session *s, void *context)
{
	const struct reconcile_walk *walk = context;

	if (s->seen != walk->round && !s->vanished)
		session_sync(d, s);
}

int reconcile_run(struct jvpnd *d)
{
	struct reconcile_walk walk = { .d = d, .round = ++d->reconcile->round };
	uint64_t began = jvpnd_now_ms();
	int rc = kernel_session_each(d->kernel, reconcile_found, &walk);

	if (rc < 0) {
		jvpn_error("cannot read the kernel's sessions: %s", strerror(-rc));
		return rc;
	}
	session_each(d, reconcile_missing, &walk);
	sessions_condemned_end(d);
	reconcile_pace_done(&d->reconcile->pace, began, jvpnd_now_ms());
	/* Still disturbed after several tries: what was passed over is found next time. */
	if (rc > 0)
		reconcile_soon(d);
	sockets_drop_unwanted(d);
	sessions_settle(d);
	return 0;
}

/* --- when ------------------------------------------------------------------------- */

uint64_t reconcile_pace_ask(struct reconcile_pace *pace, uint64_t now_ms)
{
	uint64_t rested = pace->ended_ms + REST * pace->took_ms, due = now_ms + SOON_MS;

	if (!pace->asked_ms)
		pace->asked_ms = now_ms;
	if (due > pace->asked_ms + LATEST_MS)
		due = pace->asked_ms + LATEST_MS;
	return due > rested ? due : rested;
}

void reconcile_pace_done(struct reconcile_pace *pace, uint64_t began_ms, uint64_t now_ms)
{
	pace->asked_ms = 0;
	pace->ended_ms = now_ms;
	pace->took_ms = now_ms - began_ms;
}

static void reconcile_timer(uv_timer_t *timer)
{
	struct jvpnd *d = timer->data;

	uv_timer_start(timer, reconcile_timer, PERIOD_MS, 0);
	reconcile_run(d);
}

void reconcile_soon(struct jvpnd *d)
{
	uint64_t now = jvpnd_now_ms(), due = reconcile_pace_ask(&d->reconcile->pace, now);

	uv_timer_start(&d->reconcile->timer, reconcile_timer, due > now ? due - now : 0, 0);
}

int reconcile_open(struct jvpnd *d)
{
	d->reconcile = calloc(1, sizeof(*d->reconcile));
	if (!d->reconcile)
		return -ENOMEM;
	uv_timer_init(d->loop, &d->reconcile->timer);
	d->reconcile->timer.data = d;
	uv_timer_start(&d->reconcile->timer, reconcile_timer, PERIOD_MS, 0);
	return 0;
}

void reconcile_close(struct jvpnd *d)
{
	free(d->reconcile);
	d->reconcile = NULL;
}
