// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "inner.h"
#include "judge.h"
#include "log.h"
#include "record.h"
#include "refusal.h"
#include "tunnel.h"

/*
 * One INIT is out at a time: the gateway keeps one half-open session for a
 * key, so that a second INIT would take the ground from under the first. So
 * the shortest wait must be longer than the way over a satellite and back.
 */
#define INTERVAL_MS 1000
#define INTERVAL_MAX_MS 8000
#define ROUNDS_MAX 3		/* doublings of the interval */
/* Name in the store. */
#define STAMP_VALUE "init timestamp"

static void handshake_timer(uv_timer_t *timer);

static void handshake_timer_start(struct client *c, uint64_t delay_ms)
{
	uv_timer_start(&c->handshake.timer, handshake_timer, delay_ms, 0);
}

void client_handshake_stop(struct client *c)
{
	uv_timer_stop(&c->handshake.timer);
	jvpn_hs_client_wipe(&c->handshake.hs);
	c->handshake.active = false;
	/* A look-up that is under way, or is cancelled, is nobody's any more. */
	c->handshake.resolving = false;
	c->handshake.step = 0;
	c->handshake.round = 0;
}

/* Does an INIT that was sent still wait for its answer? */
static bool handshake_is_open(const struct client *c)
{
	return c->handshake.active && c->handshake.sent_ms;
}

/* --- INIT ------------------------------------------------------------------------ */

/* Later than the last one, whatever happened to the clock meanwhile, or to the daemon. */
static void handshake_stamp(struct client *c, uint8_t stamp[JVPN_HS_TAI64N])
{
	uint8_t last[JVPN_HS_TAI64N] = {};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	jvpn_hs_tai64n(stamp, (u64)now.tv_sec, (u32)now.tv_nsec);
	jvpn_store_value_get(c->d->store, STAMP_VALUE, last, sizeof(last));
	jvpn_hs_tai64n_raise(stamp, last);
	if (jvpn_store_value_put(c->d->store, STAMP_VALUE, stamp, JVPN_HS_TAI64N))
		jvpn_debug("the timestamp of INIT is not remembered");
}

static void handshake_init_fill(struct client *c, struct jvpn_hs_init *init)
{
	const struct jvpn_config_client *config = &c->d->config->client;

	memset(init, 0, sizeof(*init));
	handshake_stamp(c, init->tai64n);
	init->proto_min = JVPN_WIRE_PROTO;
	init->proto_max = JVPN_WIRE_PROTO;
	init->suites = JVPN_SUITE_BIT(JVPN_SUITE_CHACHA20_POLY1305);
	init->want_v4 = true;
	init->want_v6 = true;
	if (config->request_ipv4.family == AF_INET) {
		memcpy(init->v4, config->request_ipv4.bytes, sizeof(init->v4));
		init->v4_prefix = 32;
	}
	if (config->request_ipv6.family == AF_INET6) {
		memcpy(init->v6, config->request_ipv6.bytes, sizeof(init->v6));
		init->v6_prefix = 128;
	}
}

static uint64_t handshake_interval_ms(const struct client *c)
{
	unsigned int round = c->handshake.round < ROUNDS_MAX ? c->handshake.round : ROUNDS_MAX;
	uint64_t ms = (uint64_t)INTERVAL_MS << round;

	if (ms > INTERVAL_MAX_MS)
		ms = INTERVAL_MAX_MS;
	/* A crowd of clients must not come back in step. */
	return ms + randombytes_uniform((uint32_t)ms / 8);
}

static void handshake_init_send(struct client *c, struct candidate *cand, const struct path *to)
{
	struct client_handshake *h = &c->handshake;
	struct jvpn_hs_init init;
	enum jvpn_verdict verdict;
	char text[PATH_TEXT];

	handshake_init_fill(c, &init);
	jvpn_hs_client_wipe(&h->hs);
	verdict = jvpn_hs_client_start(&h->hs, c->d->config->private_key,
				       client_gateway(c)->public_key, &init, &jvpn_rng_system,
				       &h->init);
	if (verdict) {
		jvpn_error("cannot make a handshake with %s: %s", client_gateway(c)->name,
			   jvpn_verdict_str(verdict));
		return;
	}
	jvpn_mac_stamp((u8 *)&h->init, sizeof(h->init), &c->mac,
		       jvpn_cookie_get(&cand->jar, jvpnd_now_ms()));
	h->to = *to;
	h->candidate = cand->number;
	h->sent_ms = jvpnd_now_ms();
	h->cookie_used = false;
	jvpn_debug("INIT to %s over %s", path_remote_format(to, text, sizeof(text)), cand->name);
	client_send(c, to, &h->init, sizeof(h->init));
}

/* The INIT that was out has had its time. */
static void handshake_in_vain(struct client *c)
{
	struct candidate *cand = handshake_is_open(c) ? candidate_find(c, c->handshake.candidate) :
							NULL;

	if (cand)
		candidate_tried(c, cand);
	c->handshake.sent_ms = 0;
}

static void handshake_gateway_next(struct client *c)
{
	size_t count = c->d->config->client.n_gateways;

	c->handshake.step = 0;
	if (++c->gateway >= count) {
		c->gateway = 0;
		c->handshake.round++;
	}
	if (count > 1)
		client_remotes_forget(c);
	jvpn_mac_keys_derive(&c->mac, client_gateway(c)->public_key);
}

void client_handshake_elsewhere(struct client *c)
{
	if (c->d->config->client.n_gateways > 1)
		handshake_gateway_next(c);
}

void client_handshake_resolved(struct client *c)
{
	if (!c->handshake.resolving)
		return;
	c->handshake.resolving = false;
	if (!c->handshake.active)
		return;
	/* Names may be unknown because there is no path to ask over. */
	if (!c->n_remotes) {
		handshake_gateway_next(c);
		handshake_timer_start(c, handshake_interval_ms(c));
		return;
	}
	handshake_timer_start(c, 0);
}

static void handshake_next(struct client *c)
{
	struct client_handshake *h = &c->handshake;
	struct candidate *cand;
	unsigned int path = 0;
	struct path to;

	if (h->resolving)
		return;
	if (!c->n_remotes) {
		h->resolving = true;
		if (!c->resolve)
			client_remotes_resolve(c);
		return;
	}
	client_remotes_renew(c, false);
	handshake_in_vain(c);
	candidates_sort(c);
	cand = client_attempt_at(c, h->step, &path);
	if (!cand && h->step) {
		handshake_gateway_next(c);
		handshake_timer_start(c, 0);
		return;
	}
	h->step++;
	if (cand && client_path_at(c, cand, path, &to))
		handshake_init_send(c, cand, &to);
	else
		handshake_gateway_next(c);
	handshake_timer_start(c, handshake_interval_ms(c));
}

static void handshake_timer(uv_timer_t *timer)
{
	struct client *c = timer->data;

	c->handshake.active = true;
	handshake_next(c);
}

void client_handshake_start_in(struct client *c, uint64_t delay_ms)
{
	if (c->d->stopping || c->d->down)
		return;
	client_handshake_stop(c);
	c->handshake.active = true;
	c->handshake.sent_ms = 0;
	jvpn_mac_keys_derive(&c->mac, client_gateway(c)->public_key);
	handshake_timer_start(c, delay_ms);
}

void client_handshake_start(struct client *c)
{
	client_handshake_start_in(c, 0);
}

/* A path more: begin with the best again, at once. */
void client_handshake_candidates_changed(struct client *c)
{
	if (!c->handshake.active || c->handshake.resolving)
		return;
	c->handshake.step = 0;
	c->handshake.round = 0;
	handshake_timer_start(c, 0);
}

bool client_handshake_cookie(struct client *c, const struct kernel_packet *packet)
{
	struct client_handshake *h = &c->handshake;
	struct candidate *cand = candidate_find_socket(c, packet->from.socket);
	enum jvpn_verdict verdict;

	if (!handshake_is_open(c) || !cand || cand->number != h->candidate ||
	    !path_equal(&h->to, &packet->from))
		return false;
	verdict = jvpn_cookie_open(&cand->jar, packet->data, packet->size, (const u8 *)&h->init,
				   sizeof(h->init), &c->mac, jvpnd_now_ms());
	refusal_verdict_count(c->d, JVPN_MSG_COOKIE, verdict);
	if (verdict)
		return false;
	/* Whoever sees an INIT can make a COOKIE: it buys one more, and the next INIT has it. */
	if (h->cookie_used)
		return true;
	h->cookie_used = true;
	jvpn_debug("the gateway is loaded: INIT again over %s, with its cookie", cand->name);
	jvpn_mac_stamp((u8 *)&h->init, sizeof(h->init), &c->mac,
		       jvpn_cookie_get(&cand->jar, jvpnd_now_ms()));
	client_send(c, &h->to, &h->init, sizeof(h->init));
	/* It is alive, and slow: leave it more time than usual. */
	handshake_timer_start(c, 2 * handshake_interval_ms(c));
	return true;
}

/* --- the session --------------------------------------------------------------------- */

static uint64_t handshake_ttl_ms(const struct session *s, const struct jvpn_hs_resp *resp)
{
	uint64_t own = s->policy.session_ttl_ms;

	if (resp->session_ttl_ms == UINT32_MAX || resp->session_ttl_ms > own)
		return own;
	return resp->session_ttl_ms;
}

static void handshake_session_fill(struct client *c, struct session *s,
				   const struct jvpn_hs_resp *resp,
				   const struct jvpn_hs_result *result,
				   const struct jvpn_prefix inner[2])
{
	uint64_t now = jvpnd_now_ms();

	snprintf(s->label, sizeof(s->label), "%s", client_gateway(c)->name);
	memcpy(s->peer_key, client_gateway(c)->public_key, sizeof(s->peer_key));
	judge_psk_id(s->psk_id, client_gateway(c)->preshared_key);
	s->suite = resp->suite;
	s->policy = *c->d->config->client.policy;
	snprintf(s->policy_name, sizeof(s->policy_name), "%s", s->policy.name);
	s->policy_version = s->policy.version;
	s->keys = result->keys;
	s->created_ms = jvpnd_wall_s() * 1000;
	s->born_ms = now;
	s->session_deadline_ms = now + handshake_ttl_ms(s, resp);
	s->birth_deadline_ms = now + s->policy.handshake_timeout_ms;
	memcpy(s->inner, inner, sizeof(s->inner));
	s->n_prefixes = inner_sources(&c->d->config->client, inner, s->prefixes,
				      KERNEL_PREFIXES_MAX);
	session_ctl_set(c->d, s, &result->epoch, 0);
}

/* BIRTH, then the binding: ATTACHED; the kernel's first heartbeat tells the gateway. */
static int handshake_kernel_install(struct client *c, struct session *s,
				    const struct jvpn_hs_result *result)
{
	const struct kernel_session_new make = {
		.id = s->id, .role = JVPN_ROLE_CLIENT, .label = s->label,
		.peer_id = s->peer_key,
		.prefixes = s->prefixes, .n_prefixes = s->n_prefixes, .policy = &s->policy,
		.session_deadline_ms = s->session_deadline_ms,
		.birth_deadline_ms = s->birth_deadline_ms,
	};
	const struct kernel_binding bind = {
		.role = JVPN_ROLE_CLIENT, .has_expected_epoch = true, .path = &c->handshake.to,
		.epoch = &result->epoch, .peer_version = 1,
	};
	struct kernel_answer answer;

	kernel_session_new(c->d->kernel, &make, &answer);
	if (!answer.error)
		kernel_binding_set(c->d->kernel, s->id, &bind, &answer);
	if (answer.error)
		jvpn_error("the kernel refused the session: %s%s%s", strerror(-answer.error),
			   answer.text[0] ? ": " : "", answer.text);
	else
		session_apply(c->d, s, answer.history, answer.n_history);
	return answer.error;
}

static void handshake_previous_end(struct jvpnd *d, struct session *s, void *context)
{
	const struct session *next = context;

	/* One of the same gateway is ended by the kernel when the new one is bound. */
	if (s != next && session_is_live(s) &&
	    memcmp(s->peer_key, next->peer_key, sizeof(s->peer_key)))
		session_terminate(d, s, JVPN_REASON_POLICY_FAILURE);
}

static bool handshake_session_make(struct client *c, const struct jvpn_hs_resp *resp,
				   const struct jvpn_hs_result *result,
				   const struct jvpn_prefix inner[2])
{
	struct session *s = session_add(c->d, resp->sid, JVPN_ROLE_CLIENT);

	if (!s)
		return false;
	handshake_session_fill(c, s, resp, result, inner);
	jvpn_client_init(&c->proto, c->d->config->private_key, s->peer_key, resp, result);
	c->proto.names = c->names;
	c->has_proto = true;
	session_each(c->d, handshake_previous_end, s);
	tunnel_configure(c, inner);
	if (!record_save(c->d, s) || handshake_kernel_install(c, s, result)) {
		jvpn_client_wipe(&c->proto);
		c->has_proto = false;
		session_terminate(c->d, s, JVPN_REASON_HANDSHAKE_REJECTED);
		session_remove(c->d, s);
		return false;
	}
	client_session_begin(c, s);
	return true;
}

static void handshake_answered_note(struct client *c)
{
	struct candidate *cand = candidate_find(c, c->handshake.candidate);
	uint64_t now = jvpnd_now_ms();

	if (!cand)
		return;
	candidate_answered(cand, &c->handshake.to, now,
			   (uint32_t)(now - c->handshake.sent_ms) * 1000);
	cand->bound_ms = now;
}

static bool handshake_resp_sane(const struct jvpn_hs_resp *resp)
{
	return resp->suite == JVPN_SUITE_CHACHA20_POLY1305 &&
	       (resp->v4_prefix || resp->v6_prefix);
}

/* What an earlier session had put on the device must not stay where it collides. */
static void handshake_inner_refuse(struct client *c, const struct kernel_packet *packet,
				   const struct jvpn_prefix none[2])
{
	const struct refusal refusal = {
		.request = "RESP", .reject = JVPN_REJECT_POLICY_DENIED, .path = &packet->from,
		.why = "its inner addresses collide with this machine's own",
	};

	refusal_note(c->d, &refusal);
	tunnel_configure(c, none);
}

void client_handshake_resp(struct client *c, const struct kernel_packet *packet)
{
	struct jvpn_prefix inner[2];
	struct jvpn_hs_result result;
	struct jvpn_hs_resp resp;
	enum jvpn_verdict verdict = JVPN_VERDICT_UNKNOWN_ATTEMPT;

	if (handshake_is_open(c))
		verdict = jvpn_hs_client_finish(&c->handshake.hs,
						client_gateway(c)->preshared_key, packet->data,
						packet->size, &resp, &result);
	refusal_verdict_count(c->d, JVPN_MSG_RESP, verdict);
	if (verdict)
		return;
	handshake_answered_note(c);
	/* Used up, whatever comes of it: its keys must never be installed twice. */
	jvpn_hs_client_wipe(&c->handshake.hs);
	c->handshake.sent_ms = 0;
	if (!handshake_resp_sane(&resp))
		jvpn_error("the gateway %s offers nothing that can be used: no inner address",
			   client_gateway(c)->name);
	else if (!tunnel_accept(c, &resp, inner))
		handshake_inner_refuse(c, packet, inner);
	else if (!handshake_session_make(c, &resp, &result, inner))
		jvpn_warning("the handshake is made again");
	jvpn_hs_result_wipe(&result);
	jvpn_hs_resp_wipe(&resp);
	client_settle(c);
}
