// SPDX-License-Identifier: GPL-2.0
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "close.h"
#include "core/fsm.h"
#include "judge.h"
#include "log.h"
#include "names-gen.h"
#include "record.h"
#include "refusal.h"
#include "sockets.h"
#include "system.h"
#include "tunnel.h"

/*
 * After the gateway closed the session, or ended one that had hardly begun
 * (somebody else has the same key): do not come back at once.
 */
#define CLOSED_PAUSE_MS 5000
#define SHORT_LIFE_MS 10000

const struct jvpn_config_remote *client_gateway(const struct client *c)
{
	const struct jvpn_config_client *config = &c->d->config->client;

	return &config->gateways[c->gateway % config->n_gateways];
}

/* --- record ------------------------------------------------------------------- */

static bool client_is_current(const struct jvpnd *d, const struct session *s)
{
	return d->client && d->client->has_proto &&
	       !memcmp(d->client->proto.rec.sid, s->id, sizeof(s->id));
}

void client_record_fill(const struct jvpnd *d, const struct session *s,
			struct jvpn_client_record *rec)
{
	if (client_is_current(d, s))
		*rec = d->client->proto.rec;
}

void client_record_take(struct jvpnd *d, struct session *s, const struct jvpn_client_record *rec)
{
	struct client *c = d->client;

	/* Of a session that ended while its successor began: no more than a memory. */
	if (c->has_proto || memcmp(rec->sid, s->id, sizeof(s->id)))
		return;
	jvpn_client_resume(&c->proto, d->config->private_key, rec);
	c->proto.names = c->names;
	c->has_proto = true;
}

uint64_t client_peer_version(const struct jvpnd *d, const struct session *s)
{
	struct kernel_session *k = calloc(1, sizeof(*k));
	uint64_t seen = client_is_current(d, s) ? d->client->proto.rec.v_seen : 0;

	/* Heartbeats' answers carry it too, and only the kernel sees those. */
	if (k && !kernel_session_get(d->kernel, s->id, k) && k->peer_version > seen)
		seen = k->peer_version;
	free(k);
	return seen;
}

/* --- packets ------------------------------------------------------------------- */

void client_send(struct client *c, const struct path *to, const void *data, size_t size)
{
	static struct jvpn_log_limit limit = { .burst = 5 };
	int rc = kernel_packet_send(c->d->kernel, to, data, size);
	char text[PATH_TEXT];

	if (rc)
		jvpn_log_limited(&limit, JVPN_LOG_DEBUG, "cannot send to %s: %s",
				 path_remote_format(to, text, sizeof(text)), strerror(-rc));
}

static void client_packet(struct jvpnd *d, const struct kernel_packet *packet)
{
	struct client *c = d->client;

	if (!packet->size)
		return;
	switch (packet->data[0]) {
	case JVPN_MSG_RESP:
		client_handshake_resp(c, packet);
		break;
	case JVPN_MSG_COOKIE:
		if (client_handshake_cookie(c, packet))
			break;
		client_reattach_packet(c, packet);
		break;
	case JVPN_MSG_CHALLENGE:
	case JVPN_MSG_ACK:
	case JVPN_MSG_REJECT:
	case JVPN_MSG_GONE:
		client_reattach_packet(c, packet);
		break;
	case JVPN_MSG_CTRL:
		close_receive(d, packet);
		break;
	default:
		refusal_verdict_count(d, packet->data[0], JVPN_VERDICT_BAD_TYPE);
	}
}

/* --- session --------------------------------------------------------------------- */

static void client_epoch_born_read(struct client *c)
{
	struct kernel_session *k = malloc(sizeof(*k));

	c->epoch_born_ms = jvpnd_now_ms();
	if (k && !kernel_session_get(c->d->kernel, c->session->id, k) && k->keys.born_ms)
		c->epoch_born_ms = k->keys.born_ms;
	free(k);
}

/* Its gateway is the one whose addresses count from now on. */
static void client_gateway_follow(struct client *c, const struct session *s)
{
	const struct jvpn_config_client *config = &c->d->config->client;

	for (size_t i = 0; i < config->n_gateways; i++) {
		if (memcmp(config->gateways[i].public_key, s->peer_key, sizeof(s->peer_key)))
			continue;
		if (c->gateway != i)
			client_remotes_forget(c);
		c->gateway = i;
		return;
	}
}

void client_session_begin(struct client *c, struct session *s)
{
	client_gateway_follow(c, s);
	c->session = s;
	c->session_born_ms = jvpnd_now_ms();
	c->retry_ms = 0;
	c->closed_by_operator = false;
	c->low_reason = s->n_history ? s->history[s->n_history - 1].reason : JVPN_REASON_NONE;
	client_handshake_stop(c);
	client_remotes_prefer(c);
	client_epoch_born_read(c);
	client_move_epoch_changed(c);
}

static bool client_last_reason_is(const struct session *s, uint32_t reason)
{
	return s->n_history && s->history[s->n_history - 1].reason == reason;
}

static uint64_t client_pause_ms(const struct client *c, const struct session *s)
{
	if (client_last_reason_is(s, JVPN_REASON_SESSION_TTL_EXPIRED))
		return 0;
	if (client_last_reason_is(s, JVPN_REASON_OPERATOR) ||
	    jvpnd_now_ms() - c->session_born_ms < SHORT_LIFE_MS)
		return CLOSED_PAUSE_MS;
	return 0;
}

void client_session_end(struct client *c, struct session *s)
{
	if (c->session != s)
		return;
	client_reattach_drop_all(c, "the session has ended");
	c->session = NULL;
	jvpn_client_wipe(&c->proto);
	c->has_proto = false;
	memset(&c->switches, 0, sizeof(c->switches));
	uv_timer_stop(&c->recovery);
	uv_timer_stop(&c->standby);
	uv_timer_stop(&c->rekey);
	if (c->d->stopping || c->d->down || c->closed_by_operator)
		return;
	/* It was asked for as long as the policy allows: the next one. */
	if (client_last_reason_is(s, JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED) &&
	    client_attempts_count(c))
		client_handshake_elsewhere(c);
	client_handshake_start_in(c, client_pause_ms(c, s));
}

static void client_changed(struct jvpnd *d, struct session *s)
{
	struct client *c = d->client;

	if (s != c->session)
		return;
	if (!session_is_live(s)) {
		client_session_end(c, s);
		return;
	}
	if (s->epoch != s->ctl_epoch && s->bound)
		client_reattach_confirm(c);
	if (c->session == s)
		client_move_session_changed(c);
}

static void client_epoch(struct jvpnd *d, struct session *s)
{
	if (s == d->client->session)
		client_reattach_confirm(d->client);
}

static void client_unbound(struct jvpnd *d, struct session *s,
			   const struct kernel_unbound *event)
{
	(void)d, (void)s, (void)event;
}

/* The kernel measures and proposes; the transition is taken here. */
static void client_health(struct jvpnd *d, struct session *s,
			  const struct kernel_health_event *event)
{
	struct client *c = d->client;
	uint32_t next;

	if (s == c->session && event->event == JVPN_EVENT_QUALITY_LOW)
		c->low_reason = event->reason;
	if (!jvpn_fsm_next(s->state, event->event, event->reason, &next))
		session_event(d, s, event->event, event->reason);
	else if (s == c->session && s->state == JVPN_STATE_VOLATILE)
		client_move_session_changed(c);	/* as low as before, for a graver reason */
}

static void client_adopt(struct jvpnd *d, struct session *s, const struct kernel_session *k)
{
	struct client *c = d->client;

	if (!s->recorded) {
		const struct jvpn_policy_def *policy = jvpn_config_policy_find(d->config,
									       k->policy);

		s->policy = *(policy ? policy : d->config->client.policy);
	}
	if (!session_is_live(s))
		return;
	if (!s->recorded || !c->has_proto || c->session) {
		jvpn_warning("session %s has no record: it is replaced by a new handshake",
			     session_short(s));
		return;
	}
	/* Of moves that were under way nothing is known any longer. */
	c->adopted_pending = k->n_pending > 0;
	client_session_begin(c, s);
}

static const char *client_judge(struct jvpnd *d, const struct session *s)
{
	const char *why = judge_client(d->config, s);

	if (!why && s == d->client->session)
		why = tunnel_collision(d->client, s);
	return why;
}

static void client_forget(struct jvpnd *d, struct session *s)
{
	if (d->client->session == s)
		client_session_end(d->client, s);
}

/* The machine has come to where its inner address means something else: it is told, once. */
static void client_collision_watch(struct client *c)
{
	const char *why = c->session ? tunnel_collision(c, c->session) : NULL;

	if (why && !c->colliding)
		jvpn_warning("session %s: %s: %s%s%s", session_short(c->session), why,
			     c->inner_refused[0], c->inner_refused[0][0] ? "; " : "",
			     c->inner_refused[1]);
	c->colliding = why;
}

static void client_links(struct jvpnd *d)
{
	if (candidates_refresh(d->client))
		client_remotes_renew(d->client, true);
	client_collision_watch(d->client);
}

static bool client_is_well(const struct client *c)
{
	return c->session && c->session->bound;
}

/*
 * The system does not tell of everything: rules, next hops, what a tunnel has learned. So it is
 * looked at again without being told, soon if the gateway is out of reach.
 */
static void client_watch(uv_timer_t *timer)
{
	struct client *c = timer->data;

	client_links(c->d);
	if (!client_is_well(c) && !c->d->down)
		client_remotes_renew(c, false);
	client_settle(c);
	uv_timer_start(timer, client_watch,
		       client_is_well(c) ? CLIENT_WATCH_MS : CLIENT_WATCH_SOON_MS, 0);
}

static const char *client_describe(const struct jvpnd *d, const struct path *path)
{
	const struct candidate *cand =
		d->client && d->client->candidates ?
			candidate_find_socket(d->client, path->socket) : NULL;

	return cand ? cand->name : NULL;
}

void client_settle(struct client *c)
{
	sessions_settle(c->d);
}

/* --- candidates --------------------------------------------------------------------- */

void client_candidate_gone(struct client *c, const struct candidate *cand)
{
	client_reattach_drop_candidate(c, cand->number);
}

void client_candidates_changed(struct client *c)
{
	client_handshake_candidates_changed(c);
	if (c->session)
		client_move_candidates_changed(c);
}

/* --- begin, reload, end ---------------------------------------------------------------- */

static bool client_reload_check(struct jvpnd *d, const struct jvpn_config *config, char *error,
				size_t error_size)
{
	(void)d, (void)config, (void)error, (void)error_size;
	return true;
}

/* Called before d->config changes: candidates are configured from what is to come. */
static void client_reload(struct jvpnd *d, const struct jvpn_config *config)
{
	struct client *c = d->client;

	candidates_configure(c, config);
	c->closed_by_operator = false;
}

static void client_reloaded(struct jvpnd *d)
{
	struct client *c = d->client;

	client_remotes_forget(c);
	c->gateway = 0;
	if (c->session)
		client_gateway_follow(c, c->session);
	candidates_refresh(c);
	if (!c->session)
		client_handshake_start(c);
	else
		client_remotes_resolve(c);
}

/* Of two clients that go on from one image each makes its own ephemeral keys. */
static void client_renew(struct jvpnd *d)
{
	struct client *c = d->client;

	if (c->handshake.active)
		client_handshake_start(c);
	client_reattach_renew(c);
	if (c->session && c->has_proto)
		client_move_recover(c);
}

static void client_stop(struct jvpnd *d, bool terminate)
{
	struct client *c = d->client;

	client_handshake_stop(c);
	client_remotes_forget(c);
	if (terminate && c->session) {
		c->closed_by_operator = true;
		close_send(d, c->session);
		session_terminate(d, c->session, JVPN_REASON_OPERATOR);
	}
	sessions_settle(d);
}

int client_open(struct jvpnd *d, char *error, size_t error_size)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		snprintf(error, error_size, "no memory");
		return -ENOMEM;
	}
	d->client = c;
	c->d = d;
	sodium_mlock(&c->proto, sizeof(c->proto));
	jvpn_mac_keys_derive(&c->own_mac, d->config->public_key);
	randombytes_buf(c->names.key, sizeof(c->names.key));
	c->names.set = true;
	uv_timer_init(d->loop, &c->handshake.timer);
	c->handshake.timer.data = c;
	uv_timer_init(d->loop, &c->watch);
	c->watch.data = c;
	uv_timer_init(d->loop, &c->resolve_later);
	c->resolve_later.data = c;
	client_move_open(c);
	sockets_unwant_all(d);
	tunnel_find(c);
	return candidates_open(c, error, error_size);
}

void client_start(struct jvpnd *d)
{
	struct client *c = d->client;

	tunnel_adopt(c);
	uv_timer_start(&c->watch, client_watch, CLIENT_WATCH_SOON_MS, 0);
	if (c->session)
		client_remotes_resolve(c);
	else
		client_handshake_start(c);
}

void client_begin(struct client *c)
{
	c->closed_by_operator = false;
	if (!c->session)
		client_handshake_start(c);
}

void client_close(struct jvpnd *d)
{
	struct client *c = d->client;

	if (!c)
		return;
	candidates_close(c);
	jvpn_client_wipe(&c->proto);
	jvpn_hs_client_wipe(&c->handshake.hs);
	sodium_munlock(&c->proto, sizeof(c->proto));
	free(c);
	d->client = NULL;
}

static json_t *client_refused_json(const struct client *c)
{
	json_t *list = json_array();

	for (int i = 0; i < 2; i++)
		if (c->inner_refused[i][0])
			json_array_append_new(list, json_string(c->inner_refused[i]));
	return list;
}

json_t *client_status_json(const struct jvpnd *d)
{
	const struct client *c = d->client;

	return json_pack("{sssbsbsIsosssosI}", "gateway", client_gateway(c)->name,
			 "handshaking", c->handshake.active, "stopped", c->closed_by_operator,
			 "switches_last_minute", (json_int_t)client_move_switches_count(c),
			 "refused_addresses", client_refused_json(c),
			 "leak", jvpn_config_leak_name(d->config->client.leak),
			 "uncarried_routes", tunnel_uncarried_json(c),
			 "system_repairs", (json_int_t)system_repairs(d));
}

static const uint8_t *client_mac1_key(const struct jvpnd *d)
{
	return d->client->own_mac.mac1;
}

static const uint8_t *client_name_key(const struct jvpnd *d)
{
	return d->client->names.key;
}

const struct role client_role = {
	.mac1_key = client_mac1_key,
	.name_key = client_name_key,
	.packet = client_packet,
	.unbound = client_unbound,
	.health = client_health,
	.changed = client_changed,
	.epoch = client_epoch,
	.adopt = client_adopt,
	.judge = client_judge,
	.forget = client_forget,
	.links = client_links,
	.renew = client_renew,
	.plan = tunnel_plan,
	.describe = client_describe,
	.reload_check = client_reload_check,
	.reload = client_reload,
	.reloaded = client_reloaded,
	.stop = client_stop,
};
