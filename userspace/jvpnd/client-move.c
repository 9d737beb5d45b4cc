// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "core/fsm.h"
#include "log.h"
#include "refusal.h"
#include "sockets.h"

/* Between attempts of a recovery that goes on in vain. */
#define RECOVERY_PAUSE_MAX_MS 2000
#define ROUNDS_MAX 3
/* A refresh that failed is tried again after so long; the epoch's end is a minute off. */
#define REFRESH_RETRY_MS 5000
/* What was in store was for an older epoch: get it anew, when things have calmed down. */
#define STANDBY_SOON_MS 150
#define STANDBY_OFF_MS 10000
/* PROOFs from a CHALLENGE in store: for the version it names and the two that may follow. */
#define STANDBY_PROOFS 3
#define PENDING_GRACE_MS 1000

static void move_recovery_timer(uv_timer_t *timer);
static void move_standby_timer(uv_timer_t *timer);
static void move_rekey_timer(uv_timer_t *timer);

void client_move_open(struct client *c)
{
	uv_timer_t *timers[] = { &c->attempts, &c->recovery, &c->standby, &c->rekey,
				 &c->pending };

	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		uv_timer_init(c->d->loop, timers[i]);
		timers[i]->data = c;
	}
}

/* --- limits -------------------------------------------------------------------------------- */

uint64_t client_move_wait_ms(const struct client *c, bool forced)
{
	const struct jvpn_policy_def *policy = &c->session->policy;
	uint32_t most = policy->max_switches_per_minute;

	if (forced)
		return jvpn_switches_wait(&c->switches, most, 0, jvpnd_now_ms());
	/* Between two bad transports it would go on forever: half is left for deaths. */
	return jvpn_switches_wait(&c->switches, (most + 1) / 2, policy->switch_cooldown_ms,
				  jvpnd_now_ms());
}

uint32_t client_move_switches_count(const struct client *c)
{
	uint64_t now = jvpnd_now_ms();
	uint32_t count = 0;

	for (uint32_t i = 0; i < c->switches.count; i++)
		count += now - c->switches.at[i] < JVPN_SWITCHES_SPAN_MS;
	return count;
}

static struct candidate *move_bound_candidate(const struct client *c)
{
	return c->session->bound ? candidate_find_socket(c, c->session->path.socket) : NULL;
}

static uint32_t move_bound_rtt_us(const struct client *c, uint32_t *jitter_us)
{
	struct kernel_session *k = malloc(sizeof(*k));
	uint32_t rtt = 0;

	*jitter_us = 0;
	if (k && !kernel_session_get(c->d->kernel, c->session->id, k)) {
		rtt = k->health.rtt_us;
		*jitter_us = k->health.jitter_us;
	}
	free(k);
	return rtt;
}

uint32_t client_move_rto_ms(struct client *c, const struct candidate *cand)
{
	uint32_t rtt = 0, jitter;

	if (c->session && cand == move_bound_candidate(c))
		rtt = move_bound_rtt_us(c, &jitter);
	if (!rtt)
		rtt = cand->rtt_us;
	if (!rtt)
		return CLIENT_RTO_UNKNOWN_MS;
	return 2 * rtt / 1000 > CLIENT_RTO_MIN_MS ? 2 * rtt / 1000 : CLIENT_RTO_MIN_MS;
}

uint32_t client_move_echo_ms(struct client *c, uint32_t rto_ms)
{
	uint32_t jitter, rtt = move_bound_rtt_us(c, &jitter);
	uint64_t slack = 4ULL * jitter;

	if (!rtt)
		return rto_ms;
	if (slack < rtt / 2)
		slack = rtt / 2;
	if (slack < 1000 * CLIENT_ECHO_SLACK_MS)
		slack = 1000 * CLIENT_ECHO_SLACK_MS;
	return (uint32_t)((rtt + slack) / 1000) + 1;
}

/* --- recovery ------------------------------------------------------------------------------- */

static bool move_is_moving(const struct client *c)
{
	return client_reattach_busy(c, CLIENT_RECOVER) || client_reattach_busy(c, CLIENT_JUMP) ||
	       client_reattach_busy(c, CLIENT_REBIND);
}

/* Is a PROOF out over this candidate, or over any? It is sent again in its own time. */
static bool move_is_proving(const struct client *c, const struct candidate *cand)
{
	for (size_t i = 0; i < JVPN_CLIENT_ATTEMPTS; i++)
		if (c->tries[i].used && c->proto.attempt[i].state == JVPN_ATTEMPT_PROVED &&
		    (!cand || c->tries[i].candidate == cand->number))
			return true;
	return false;
}

/* The best candidate that has a CHALLENGE in store, or NULL. */
static struct jvpn_attempt *move_stored_challenge(struct client *c)
{
	uint64_t now = jvpnd_now_ms();
	struct jvpn_attempt *attempt;
	struct candidate *cand;

	TAILQ_FOREACH(cand, candidates_list(c), link) {
		if (move_is_proving(c, cand))
			continue;
		for (uint32_t n = 0; cand->usable && n < c->n_remotes; n++) {
			attempt = jvpn_client_standby(&c->proto, cand->number << 8 | n, now);
			if (attempt && client_try_of(c, attempt)->used)
				return attempt;
		}
	}
	return NULL;
}

static bool move_stored_use(struct client *c)
{
	struct jvpn_attempt *attempt = move_stored_challenge(c);
	/* The kernel has no room for two bundles. */
	unsigned int proofs = move_is_proving(c, NULL) ? 1 : STANDBY_PROOFS;
	struct candidate *cand;
	struct client_try *try;

	if (!attempt)
		return false;
	try = client_try_of(c, attempt);
	cand = candidate_find(c, try->candidate);
	try->purpose = CLIENT_RECOVER;
	try->reason = JVPN_REASON_CLIENT_JUMP;
	if (!client_reattach_prove(c, attempt, proofs))
		return false;
	uv_timer_start(&c->recovery, move_recovery_timer,
		       cand ? client_move_rto_ms(c, cand) : CLIENT_RTO_UNKNOWN_MS, 0);
	return true;
}

static uint64_t move_recovery_pause_ms(const struct client *c, const struct candidate *cand,
				       unsigned int count)
{
	unsigned int round = count ? c->recovery_step / count : 0;
	uint64_t ms = cand->rtt_us ? 2 * cand->rtt_us / 1000 : CLIENT_RTO_UNKNOWN_MS;

	if (ms < CLIENT_RTO_MIN_MS)
		ms = CLIENT_RTO_MIN_MS;
	ms <<= round < ROUNDS_MAX ? round : ROUNDS_MAX;
	return ms < RECOVERY_PAUSE_MAX_MS ? ms : RECOVERY_PAUSE_MAX_MS;
}

static void move_request_next(struct client *c)
{
	unsigned int path = 0, count = client_attempts_count(c);
	struct candidate *cand;

	cand = count ? client_attempt_at(c, c->recovery_step % count, &path) : NULL;
	if (!cand) {
		/* Perhaps the gateway has an address that can be reached from here. */
		client_remotes_renew(c, false);
		return;
	}
	client_reattach_request(c, cand, path, CLIENT_RECOVER, JVPN_REASON_CLIENT_JUMP, NULL);
	uv_timer_start(&c->recovery, move_recovery_timer,
		       move_recovery_pause_ms(c, cand, count), 0);
	c->recovery_step++;
	/* All were tried: perhaps the gateway has moved. */
	if (c->recovery_step % count == 0)
		client_remotes_renew(c, false);
}

void client_move_recover(struct client *c)
{
	uint64_t wait;

	if (!c->session || c->session->state != JVPN_STATE_RECOVERING)
		return;
	wait = client_move_wait_ms(c, true);
	if (wait) {
		client_move_rate_limited(c, (uint32_t)wait);
		return;
	}
	candidates_sort(c);
	if (!move_stored_use(c))
		move_request_next(c);
}

void client_move_rate_limited(struct client *c, uint32_t wait_ms)
{
	struct session *s = c->session;

	/* Advice with a bound: longer than the window of the rates makes no sense. */
	c->retry_ms = jvpnd_now_ms() +
		      (wait_ms < CLIENT_RATE_WAIT_MAX_MS ? wait_ms : CLIENT_RATE_WAIT_MAX_MS);
	if (s->state == JVPN_STATE_RECOVERING)
		session_event(c->d, s, JVPN_EVENT_BOUND_EXCEEDED,
			      JVPN_REASON_SWITCH_RATE_EXCEEDED);
}

static bool move_any_usable(const struct client *c)
{
	const struct candidate *cand;

	TAILQ_FOREACH(cand, candidates_list(c), link)
		if (cand->usable)
			return true;
	return false;
}

static uint64_t move_retry_at_ms(const struct client *c)
{
	uint64_t cooled = c->session->since_ms + c->session->policy.switch_cooldown_ms;

	return cooled > c->retry_ms ? cooled : c->retry_ms;
}

static void move_degraded(struct client *c)
{
	uint64_t now = jvpnd_now_ms(), at = move_retry_at_ms(c);

	client_reattach_give_up(c, "a bound of recovery was exceeded");
	uv_timer_start(&c->recovery, move_recovery_timer, at > now ? at - now : 0, 0);
}

/* RECOVERING: the next path. DEGRADED: the cooldown is over. */
static void move_recovery_timer(uv_timer_t *timer)
{
	struct client *c = timer->data;

	if (!c->session)
		return;
	if (c->session->state == JVPN_STATE_RECOVERING)
		client_move_recover(c);
	else if (c->session->state == JVPN_STATE_DEGRADED && move_any_usable(c))
		session_event(c->d, c->session, JVPN_EVENT_RETRY, JVPN_REASON_COOLDOWN_OVER);
	client_settle(c);
}

/* --- moves by choice -------------------------------------------------------------------------- */

static bool move_answered_lately(const struct client *c, const struct candidate *cand)
{
	uint32_t interval = c->session->policy.standby_interval_ms;

	return !interval || (cand->answered_ms && !cand->asked) ||
	       (cand->answered_ms && jvpnd_now_ms() - cand->answered_ms < 2 * interval);
}

/* Fail back to what is preferred, once stable; leave what has become bad at once. */
static bool move_is_worth_it(const struct client *c, const struct candidate *to,
			     const struct candidate *from)
{
	uint64_t now = jvpnd_now_ms(), stable = c->session->policy.failback_stable_ms;

	if (!to->usable || to == from || !move_answered_lately(c, to))
		return false;
	if (c->session->state == JVPN_STATE_VOLATILE)
		return to->answered_ms && c->low_reason != JVPN_REASON_HEARTBEAT_LATE &&
		       !candidate_was_poor(to, now, stable);
	return from && candidate_preferred(to, from) && candidate_better(to, from) &&
	       candidate_is_stable(to, now, stable);
}

static void move_consider(struct client *c)
{
	struct candidate *from, *to;

	if (!c->session || !jvpn_fsm_bound(c->session->state) || move_is_moving(c) ||
	    client_move_wait_ms(c, false))
		return;
	candidates_sort(c);
	from = move_bound_candidate(c);
	TAILQ_FOREACH(to, candidates_list(c), link) {
		if (!move_is_worth_it(c, to, from))
			continue;
		jvpn_info("session %s: transport %s is better than %s, moving there",
			  session_short(c->session), to->name, from ? from->name : "?");
		if (from && c->session->state == JVPN_STATE_VOLATILE)
			candidate_poor(from, jvpnd_now_ms(),
				       c->session->policy.failback_stable_ms);
		client_reattach_request(c, to, 0, CLIENT_JUMP, JVPN_REASON_CLIENT_JUMP, NULL);
		return;
	}
}

void client_move_answered(struct client *c, struct candidate *cand)
{
	(void)cand;
	move_consider(c);
}

static void move_standby_ask(struct client *c)
{
	const struct candidate *bound = move_bound_candidate(c);
	struct candidate *cand;
	unsigned int paths;

	TAILQ_FOREACH(cand, candidates_list(c), link) {
		if (!cand->usable || cand == bound)
			continue;
		candidate_asked(cand);
		paths = client_path_count(c, cand);
		client_reattach_request(c, cand, paths ? cand->vain % paths : 0, CLIENT_STANDBY, 0,
					NULL);
	}
}

static void move_standby_arm(struct client *c, uint64_t delay_ms)
{
	uint32_t interval = c->session->policy.standby_interval_ms;

	uv_timer_start(&c->standby, move_standby_timer, delay_ms,
		       interval ? interval : STANDBY_OFF_MS);
}

static void move_standby_timer(uv_timer_t *timer)
{
	struct client *c = timer->data;

	if (!c->session || !c->has_proto)
		return;
	jvpn_client_expire(&c->proto, jvpnd_now_ms());
	if (jvpn_fsm_bound(c->session->state) && c->session->policy.standby_interval_ms)
		move_standby_ask(c);
	move_consider(c);
	client_settle(c);
}

/* --- keys ----------------------------------------------------------------------------------------- */

/* Which address of the gateway the bound transport leads to. */
static bool move_bound_remote(const struct client *c, const struct candidate *cand,
			      unsigned int *remote)
{
	struct path path;

	for (*remote = 0; client_path_at(c, cand, *remote, &path); (*remote)++)
		if (path_equal(&path, &c->session->path))
			return true;
	return false;
}

static void move_refresh_start(struct client *c)
{
	struct candidate *cand = move_bound_candidate(c);
	unsigned int remote;

	if (!cand || move_is_moving(c) || client_reattach_busy(c, CLIENT_REFRESH))
		return;
	if (move_bound_remote(c, cand, &remote))
		client_reattach_request(c, cand, remote, CLIENT_REFRESH, JVPN_REASON_CLIENT_JUMP,
					NULL);
	else
		/* The name leads elsewhere now: the way to new keys is a move. */
		client_reattach_request(c, cand, 0, CLIENT_JUMP, JVPN_REASON_CLIENT_JUMP, NULL);
}

static void move_rekey_timer(uv_timer_t *timer)
{
	struct client *c = timer->data;

	if (!c->session)
		return;
	move_refresh_start(c);
	uv_timer_start(timer, move_rekey_timer, REFRESH_RETRY_MS, 0);
	client_settle(c);
}

static void move_rekey_arm(struct client *c)
{
	uint64_t now = jvpnd_now_ms(), at = c->epoch_born_ms + c->session->policy.rekey_after_ms;

	uv_timer_start(&c->rekey, move_rekey_timer, at > now ? at - now : 0, 0);
}

/* Moves that a daemon prepared before it died: their PROOFs' outcome is known by now. */
static void move_pending_timer(uv_timer_t *timer)
{
	struct client *c = timer->data;
	struct kernel_answer answer;

	c->adopted_pending = false;
	if (c->session && !move_is_moving(c))
		kernel_binding_cancel(c->d->kernel, c->session->id, 0, &answer);
}

void client_move_epoch_changed(struct client *c)
{
	move_rekey_arm(c);
	move_standby_arm(c, STANDBY_SOON_MS);
	if (c->adopted_pending)
		uv_timer_start(&c->pending, move_pending_timer, PENDING_GRACE_MS, 0);
}

/* --- what happened ------------------------------------------------------------------------------- */

/* Keys that are gone say nothing about the path. */
static bool move_path_failed(const struct session *s)
{
	const struct kernel_transition *last;

	if (!s->n_history)
		return false;
	last = &s->history[s->n_history - 1];
	return last->event == JVPN_EVENT_TRANSPORT_DEAD &&
	       last->reason != JVPN_REASON_KEY_EXPIRED &&
	       last->reason != JVPN_REASON_HOST_SUSPENDED;
}

static void move_transport_died(struct client *c)
{
	struct candidate *cand = candidate_find_socket(c, c->session->path.socket);

	if (cand && move_path_failed(c->session))
		candidate_failed(cand);
}

/* Perhaps it dies: be ready. One late echo is no reason to leave. */
static void move_is_late(struct client *c)
{
	if (c->session->policy.standby_interval_ms)
		move_standby_arm(c, 0);
}

void client_move_session_changed(struct client *c)
{
	switch (c->session->state) {
	case JVPN_STATE_ATTACHED:
	case JVPN_STATE_VOLATILE:
		uv_timer_stop(&c->recovery);
		c->recovery_step = 0;
		if (c->session->state == JVPN_STATE_VOLATILE &&
		    c->low_reason == JVPN_REASON_HEARTBEAT_LATE)
			move_is_late(c);
		else
			move_consider(c);
		break;
	case JVPN_STATE_RECOVERING:
		move_transport_died(c);
		if (!move_is_moving(c) && !uv_is_active((uv_handle_t *)&c->recovery))
			client_move_recover(c);
		break;
	case JVPN_STATE_DEGRADED:
		c->recovery_step = 0;
		move_degraded(c);
		break;
	}
}

/* Is there a candidate where the session is bound? A former daemon's socket may be another one. */
static bool move_bound_allowed(const struct client *c)
{
	const struct kernel_socket *sock = sockets_find(c->d, c->session->path.socket);
	const struct candidate *cand;

	TAILQ_FOREACH(cand, candidates_list(c), link)
		if (sock && cand->ifindex == sock->ifindex &&
		    candidate_family(cand) == sock->local.family)
			return true;
	return !sock;
}

/* The kernel watches the link; address and route are watched here. */
static void move_bound_lost(struct client *c)
{
	const struct candidate *cand = move_bound_candidate(c);
	uint32_t reason = cand && !cand->usable ? cand->lost_reason : JVPN_REASON_NONE;

	if (!cand && c->session->bound && !move_bound_allowed(c)) {
		jvpn_info("session %s: its transport is no longer in the configuration",
			  session_short(c->session));
		reason = JVPN_REASON_ROUTE_LOST;
	}
	if (reason)
		session_event(c->d, c->session, JVPN_EVENT_TRANSPORT_DEAD, reason);
}

void client_move_candidates_changed(struct client *c)
{
	if (!c->session || !c->has_proto)
		return;
	switch (c->session->state) {
	case JVPN_STATE_ATTACHED:
	case JVPN_STATE_VOLATILE:
		move_bound_lost(c);
		if (c->session->bound)
			move_standby_arm(c, STANDBY_SOON_MS);
		break;
	case JVPN_STATE_RECOVERING:
		c->recovery_step = 0;
		if (!move_is_moving(c))
			client_move_recover(c);
		break;
	case JVPN_STATE_DEGRADED:
		if (move_any_usable(c) && jvpnd_now_ms() >= c->retry_ms)
			session_event(c->d, c->session, JVPN_EVENT_RETRY,
				      JVPN_REASON_CANDIDATE_APPEARED);
		break;
	}
}

/* --- the operator ----------------------------------------------------------------------------------- */

static struct candidate *move_order_target(struct client *c, const char *transport,
					   struct control_request *request)
{
	const struct candidate *bound = move_bound_candidate(c);
	struct candidate *cand;

	if (transport) {
		cand = candidate_find_name(c, transport);
		if (!cand)
			control_fail(request, "UNKNOWN_TRANSPORT",
				     "there is no transport \"%s\"; jvpnctl transport list shows them",
				     transport);
		else if (!cand->usable)
			control_fail(request, "UNUSABLE_TRANSPORT",
				     "transport %s is not usable: %s", transport,
				     cand->unusable_why);
		return cand && cand->usable ? cand : NULL;
	}
	candidates_sort(c);
	TAILQ_FOREACH(cand, candidates_list(c), link)
		if (cand->usable && cand != bound)
			return cand;
	control_fail(request, "NO_TRANSPORT",
		     "there is no other usable transport; name the present one to move to it again");
	return NULL;
}

/* An order is a choice, of somebody who may use the whole bound. */
static uint64_t move_order_wait_ms(const struct client *c)
{
	const struct jvpn_policy_def *policy = &c->session->policy;

	return jvpn_switches_wait(&c->switches, policy->max_switches_per_minute,
				  c->session->bound ? policy->switch_cooldown_ms : 0,
				  jvpnd_now_ms());
}

void client_move_order(struct client *c, struct control_request *request, const char *transport)
{
	const struct jvpn_policy_def *policy = &c->session->policy;
	struct refusal refusal = { .request = "session.jump", .session = c->session,
				   .reject = JVPN_REJECT_SWITCH_RATE_EXCEEDED };
	struct candidate *cand = move_order_target(c, transport, request);
	uint64_t wait = move_order_wait_ms(c);

	if (!cand)
		return;
	if (wait) {
		refusal.wait_ms = (uint32_t)wait;
		refusal_note(c->d, &refusal);
		control_fail(request, "SWITCH_RATE_EXCEEDED",
			     "policy %s allows %u moves a minute, %u ms apart; the next one in %llu ms",
			     policy->name, policy->max_switches_per_minute,
			     policy->switch_cooldown_ms, (unsigned long long)wait);
		return;
	}
	if (!client_reattach_request(c, cand, 0, CLIENT_JUMP, JVPN_REASON_OPERATOR_JUMP, request))
		control_fail(request, "JUMP_FAILED", "no attempt can be made over %s", cand->name);
}
