// SPDX-License-Identifier: GPL-2.0
#include "gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "close.h"
#include "gateway-listen.h"
#include "inits.h"
#include "judge.h"
#include "lack.h"
#include "log.h"
#include "peer.h"
#include "pool.h"
#include "record.h"
#include "refusal.h"
#include "session.h"
#include "sockets.h"
#include "sources.h"
#include "system.h"

#define TICK_MS 1000
#define TIDY_MS 60000

const struct jvpn_config_limits *gateway_limits(const struct gateway *gw)
{
	return &gw->d->config->gateway.limits;
}

/* --- secrets -------------------------------------------------------------- */

/*
 * It follows from the static secret, as the ticket keys do, so that nothing has
 * to be kept on a disk for sessions to be declared gone after a reboot. They
 * protect nothing but which packet belongs to which session.
 */
static void gateway_gone_key_make(struct gateway *gw)
{
	jvpn_bl(gw->proto.k_gone, sizeof(gw->proto.k_gone), gw->proto.secret,
		sizeof(gw->proto.secret), JVPN_SLICE_TEXT("jvpn gone key"));
}

/* Tickets of before a restart are known by it too. */
static void gateway_name_key_make(struct gateway *gw)
{
	struct jvpn_name_key *names = &gw->proto.tickets.names;

	jvpn_bl(names->key, sizeof(names->key), gw->proto.secret, sizeof(gw->proto.secret),
		JVPN_SLICE_TEXT("jvpn name key"));
	names->set = true;
}

static void gateway_tick(uv_timer_t *timer)
{
	struct gateway *gw = timer->data;
	uint64_t now = jvpnd_now_ms();

	gateway_reattach_tick(gw);
	jvpn_gateway_tick(&gw->proto, now, &jvpn_rng_system);
	if (now - gw->tidied_ms < TIDY_MS)
		return;
	pool_tidy(gw->pool, now);
	gw->tidied_ms = now;
}

/* --- packets -------------------------------------------------------------- */

void gateway_send(struct gateway *gw, const struct path *to, const void *data, size_t size)
{
	static struct jvpn_log_limit limit = { .burst = 5 };
	int rc = kernel_packet_queue(gw->d->kernel, to, data, size);
	char text[PATH_TEXT];

	if (rc)
		jvpn_log_limited(&limit, JVPN_LOG_DEBUG, "cannot send to %s: %s",
				 path_remote_format(to, text, sizeof(text)), strerror(-rc));
}

void gateway_refuse(struct gateway *gw, unsigned int type, enum jvpn_verdict verdict,
		    const struct session *s, const struct path *path)
{
	const struct refusal refusal = {
		.request = refusal_message_name(type),
		.reject = refusal_reject_of(verdict),
		.why = jvpn_verdict_str(verdict),
		.session = s,
		.path = path,
	};

	if (refusal.reject != JVPN_REJECT_NONE)
		refusal_note(gw->d, &refusal);
}

static void gateway_cookie_send(struct gateway *gw, const struct kernel_packet *packet,
				const struct jvpn_wire_addr *source)
{
	struct jvpn_wire_cookie out;

	jvpn_cookie_build(&out, packet->data, packet->size, &gw->proto.mac, &gw->proto.cookies,
			  source, jvpnd_now_ms(), &jvpn_rng_system);
	gateway_send(gw, &packet->from, &out, sizeof(out));
}

bool gateway_mac2_shown(struct gateway *gw, const struct kernel_packet *packet)
{
	struct jvpn_path wire;

	return path_to_wire(&packet->from, &wire) &&
	       !jvpn_mac2_check(packet->data, packet->size, &gw->proto.cookies, &wire.remote,
				jvpnd_now_ms(), &jvpn_rng_system);
}

void gateway_cookie_answer(struct gateway *gw, const struct kernel_packet *packet)
{
	struct jvpn_path wire;

	if (path_to_wire(&packet->from, &wire))
		gateway_cookie_send(gw, packet, &wire.remote);
}

bool gateway_mac1_pass(struct gateway *gw, const struct kernel_packet *packet)
{
	enum jvpn_verdict verdict = jvpn_mac1_check(packet->data, packet->size, &gw->proto.mac);

	if (verdict)
		refusal_verdict_count(gw->d, packet->data[0], verdict);
	return !verdict;
}

bool gateway_mac2_pass(struct gateway *gw, const struct kernel_packet *packet,
		       bool (*loaded)(struct gateway *gw))
{
	uint64_t now = jvpnd_now_ms();
	enum jvpn_verdict verdict;
	struct jvpn_path wire;

	if (!loaded(gw))
		return true;
	if (!path_to_wire(&packet->from, &wire))
		return false;
	verdict = jvpn_mac2_check(packet->data, packet->size, &gw->proto.cookies, &wire.remote,
				  now, &jvpn_rng_system);
	if (verdict == JVPN_VERDICT_NEED_COOKIE)
		gateway_cookie_send(gw, packet, &wire.remote);
	else if (!sources_take(gw->sources, &packet->from.remote,
			       gateway_limits(gw)->source_packets_per_second, now))
		verdict = JVPN_VERDICT_LIMITED;
	if (verdict)
		refusal_verdict_count(gw->d, packet->data[0], verdict);
	return !verdict;
}

static void gateway_packet(struct jvpnd *d, const struct kernel_packet *packet)
{
	struct gateway *gw = d->gateway;

	gw->packets_dropped = packet->dropped;
	if (!packet->size)
		return;
	switch (packet->data[0]) {
	case JVPN_MSG_INIT:
		gateway_handshake_init(gw, packet);
		break;
	case JVPN_MSG_REQUEST:
		gateway_reattach_request(gw, packet);
		break;
	case JVPN_MSG_PROOF:
		gateway_reattach_proof(gw, packet);
		break;
	case JVPN_MSG_CTRL:
		close_receive(d, packet);
		break;
	default:
		refusal_verdict_count(d, packet->data[0], JVPN_VERDICT_BAD_TYPE);
	}
}

/* --- sessions ------------------------------------------------------------- */

static void gateway_unbound(struct jvpnd *d, struct session *s,
			    const struct kernel_unbound *event)
{
	gateway_reattach_invite(d->gateway, s, event);
}

/* Only clients measure. */
static void gateway_health(struct jvpnd *d, struct session *s,
			   const struct kernel_health_event *event)
{
	(void)d, (void)s, (void)event;
}

static void gateway_changed(struct jvpnd *d, struct session *s)
{
	if (!s->gateway.confirmed && session_is_live(s) && s->state != JVPN_STATE_BIRTH)
		gateway_handshake_confirmed(d->gateway, s);
	if (session_is_live(s))
		return;
	gateway_handshake_session_end(d->gateway, s);
	/* Nobody ever held it: there is nobody to tell. */
	if (!s->gateway.confirmed)
		session_remove(d, s);
}

static void gateway_epoch(struct jvpnd *d, struct session *s)
{
	(void)d, (void)s;
}

static const struct jvpn_policy_def *gateway_policy_find(const struct jvpnd *d, const char *name)
{
	const struct jvpn_policy_def *policy = jvpn_config_policy_find(d->config, name);

	return policy ? policy : d->config->gateway.default_policy;
}

static void gateway_adopt(struct jvpnd *d, struct session *s, const struct kernel_session *k)
{
	struct gateway *gw = d->gateway;

	if (!s->recorded) {
		jvpn_warning("session %s (%s) has no record: it goes on until its deadline, and cannot be reattached",
			     session_short(s), k->label);
		s->policy = *gateway_policy_find(d, k->policy);
	}
	s->gateway.confirmed = k->state != JVPN_STATE_BIRTH && k->version > 0;
	if (session_is_live(s))
		gateway_addresses_hold(gw, s->prefixes, s->n_prefixes, s->peer_key, s->id);
	gateway_handshake_session_begin(gw, s);
	gateway_reattach_session_begin(gw, s);
	if (!s->recorded && s->state == JVPN_STATE_BIRTH)
		session_terminate(d, s, JVPN_REASON_HANDSHAKE_REJECTED);
}

static bool gateway_addresses_own(const struct gateway *gw, const struct session *s)
{
	for (size_t i = 0; i < s->n_prefixes; i++)
		if (jvpn_prefix_is_host(&s->prefixes[i]) &&
		    !pool_may_own(gw->pool, &s->prefixes[i].addr, s->peer_key, jvpnd_now_ms()))
			return false;
	return true;
}

static const char *gateway_judge(struct jvpnd *d, const struct session *s)
{
	const struct peer *peer = peer_find(d->gateway->peers, s->peer_key);
	const char *why = judge_gateway(d->config, peer ? peer->config : NULL, s);

	if (!why && !gateway_addresses_own(d->gateway, s))
		why = "an address of it is somebody else's now";
	return why;
}

static void gateway_forget(struct jvpnd *d, struct session *s)
{
	gateway_handshake_session_end(d->gateway, s);
}

/* An interface or address that is named in listen may have come (back). */
static void gateway_links(struct jvpnd *d)
{
	gateway_listen(d);
}

static void gateway_plan(struct jvpnd *d, struct plan *plan)
{
	plan_add_gateway(plan, d->config);
}

static const char *gateway_describe(const struct jvpnd *d, const struct path *path)
{
	(void)d, (void)path;
	return NULL;
}

/* --- reload ---------------------------------------------------------------- */

static bool gateway_reload_check(struct jvpnd *d, const struct jvpn_config *config, char *error,
				 size_t error_size)
{
	/* The new ones are opened first; gateway_reloaded() closes those that nobody wants then. */
	return gateway_listen_prepare(d, config, error, error_size);
}

static void gateway_device_limit_set(struct jvpnd *d, const struct jvpn_config *config)
{
	char error[KERNEL_TEXT];

	if (kernel_device_set(d->kernel, config->gateway.limits.max_sessions, error,
			      sizeof(error)))
		jvpn_warning("gateway.limits.max_sessions: %s", error);
}

static void gateway_reload(struct jvpnd *d, const struct jvpn_config *config)
{
	struct gateway *gw = d->gateway;

	if (!peers_configure(gw->peers, &config->gateway, jvpnd_now_ms()) ||
	    !gateway_addresses_configure(gw, config))
		jvpn_error("no memory for all peers of the new configuration");
	gateway_device_limit_set(d, config);
}

static void gateway_reloaded(struct jvpnd *d)
{
	const struct jvpn_config_gateway *config = &d->config->gateway;

	gateway_listen(d);
	for (size_t i = 0; i < config->n_peers; i++)
		gateway_handshake_peer_bound(d->gateway, peer_find(d->gateway->peers,
								   config->peers[i].public_key));
}

/* --- begin and end ----------------------------------------------------------- */

static void gateway_session_stop(struct jvpnd *d, struct session *s, void *context)
{
	(void)context;
	if (!session_is_live(s))
		return;
	close_send(d, s);
	session_terminate(d, s, JVPN_REASON_OPERATOR);
}

static void gateway_stop(struct jvpnd *d, bool terminate)
{
	uv_timer_stop(&d->gateway->tick);
	if (terminate)
		session_each(d, gateway_session_stop, NULL);
	sessions_settle(d);
}

static void gateway_buckets_init(struct gateway *gw)
{
	const struct jvpn_config_limits *limits = gateway_limits(gw);
	uint64_t now = jvpnd_now_ms();

	jvpn_bucket_init(&gw->inits, limits->cookie_above_per_second, now);
	jvpn_bucket_init(&gw->requests, limits->cookie_above_per_second, now);
	jvpn_bucket_init(&gw->handshakes, limits->handshakes_per_second, now);
	jvpn_bucket_init(&gw->copies, limits->handshakes_per_second, now);
	jvpn_bucket_init(&gw->reattaches, limits->reattaches_per_second, now);
	jvpn_bucket_init(&gw->invitations, limits->invitations_per_second, now);
}

int gateway_open(struct jvpnd *d, char *error, size_t error_size)
{
	struct gateway *gw = calloc(1, sizeof(*gw));

	if (!gw)
		goto err_memory;
	d->gateway = gw;
	gw->d = d;
	TAILQ_INIT(&gw->gates);
	TAILQ_INIT(&gw->opening);
	TAILQ_INIT(&gw->doubtful);
	sodium_mlock(&gw->proto, sizeof(gw->proto));
	gw->sources = sources_new(SOURCES_NETWORK);
	gw->initiators = sources_new(SOURCES_NETWORK);
	gw->seldom = sources_new(SOURCES_NETWORK);
	gw->seldom_sites = sources_new(SOURCES_SITE);
	gw->returners = sources_new(SOURCES_NETWORK);
	gw->inits_read = inits_new();
	gw->peers = peers_new();
	if (!gw->sources || !gw->initiators || !gw->seldom || !gw->seldom_sites ||
	    !gw->returners || !gw->inits_read || !gw->peers ||
	    !peers_configure(gw->peers, &d->config->gateway, jvpnd_now_ms()) ||
	    !gateway_addresses_configure(gw, d->config))
		goto err_memory;
	jvpn_gateway_init(&gw->proto, d->config->private_key);
	gateway_gone_key_make(gw);
	gateway_name_key_make(gw);
	gateway_buckets_init(gw);
	uv_timer_init(d->loop, &gw->tick);
	gw->tick.data = gw;
	uv_timer_start(&gw->tick, gateway_tick, 0, TICK_MS);
	gateway_device_limit_set(d, d->config);
	gateway_listen(d);
	return 0;
err_memory:
	snprintf(error, error_size, "no memory for %zu peers", d->config->gateway.n_peers);
	return -ENOMEM;
}

void gateway_close(struct jvpnd *d)
{
	struct gateway *gw = d->gateway;

	if (!gw)
		return;
	gateway_reattach_close(gw);
	jvpn_gateway_wipe(&gw->proto);
	sodium_munlock(&gw->proto, sizeof(gw->proto));
	sources_free(gw->sources);
	sources_free(gw->initiators);
	sources_free(gw->seldom);
	sources_free(gw->seldom_sites);
	sources_free(gw->returners);
	inits_free(gw->inits_read);
	peers_free(gw->peers, gateway_handshake_forget);
	pool_free(gw->pool);
	free(gw);
	d->gateway = NULL;
}

json_t *gateway_status_json(const struct jvpnd *d)
{
	const struct gateway *gw = d->gateway;
	uint64_t now = jvpnd_now_ms();

	return json_pack("{sIsIsIsbsbsIsI}", "half_open", (json_int_t)gw->half_open,
			 "handshake_jobs", (json_int_t)gw->handshake_jobs,
			 "proof_jobs", (json_int_t)gw->proof_jobs,
			 "cookies_demanded", now < gw->inits_loaded_until_ms,
			 "reattach_cookies_demanded", now < gw->requests_loaded_until_ms,
			 "control_packets_dropped", (json_int_t)gw->packets_dropped,
			 "system_repairs", (json_int_t)system_repairs(d));
}

static const uint8_t *gateway_mac1_key(const struct jvpnd *d)
{
	return d->gateway->proto.mac.mac1;
}

static const uint8_t *gateway_name_key(const struct jvpnd *d)
{
	return d->gateway->proto.tickets.names.key;
}

/*
 * Two gateways with one ring would commit one PROOF, and seal under the same keys. Cookies of one
 * would be good at the other.
 */
static void gateway_renew(struct jvpnd *d)
{
	struct gateway *gw = d->gateway;

	gw->renewals++;
	jvpn_ring_wipe(&gw->proto.ring);
	sodium_memzero(&gw->proto.cookies, sizeof(gw->proto.cookies));
	gateway_reattach_renew(gw);
}

const struct role gateway_role = {
	.mac1_key = gateway_mac1_key,
	.name_key = gateway_name_key,
	.packet = gateway_packet,
	.unbound = gateway_unbound,
	.health = gateway_health,
	.changed = gateway_changed,
	.epoch = gateway_epoch,
	.adopt = gateway_adopt,
	.judge = gateway_judge,
	.forget = gateway_forget,
	.links = gateway_links,
	.renew = gateway_renew,
	.plan = gateway_plan,
	.describe = gateway_describe,
	.reload_check = gateway_reload_check,
	.reload = gateway_reload,
	.reloaded = gateway_reloaded,
	.stop = gateway_stop,
};
