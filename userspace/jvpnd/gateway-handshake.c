// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "gateway.h"
#include "inits.h"
#include "judge.h"
#include "log.h"
#include "peer.h"
#include "record.h"
#include "refusal.h"
#include "session.h"
#include "sources.h"

/* One second's worth of INITs of one peer; its burst is peer.c's. */
#define PEER_HANDSHAKES_PER_SECOND 2
#define PEER_HANDSHAKES_BURST 20
/* Of limits.handshakes_per_second, what one source may use under load: 1 of so many. */
#define HANDSHAKES_SHARE 8
/* Under load, INITs of one source that asks seldom: an IPv4 address or IPv6 /64; an IPv6 /48. */
#define SELDOM_PER_SECOND 1
#define SELDOM_BURST 4
#define SELDOM_SITE_PER_SECOND 8
#define SELDOM_SITE_BURST 32
/* See struct jvpn_bucket. */
#define BUCKET_TOKEN 1000
/* INITs of one source that are not newer than the last one of their key, and to read them again. */
#define RETURNS_PER_SECOND 2
/* Answers to one INIT whose indices turned out to be taken. */
#define RESPOND_TRIES 3
/* Answers to an INIT for senders who have not shown that they receive. */
#define ANSWERS_UNSHOWN 2
/* Answers to an INIT that take nothing from what all answers to copies may take. */
#define ANSWERS_FREE 8

/**
 * struct peer_init - an INIT that was accepted
 * @hash: of it
 * @count: how many were answered
 * @answered: where it came from
 * @age: ADMISSION_RETURNED: its source has shown itself
 *
 * Whoever sees an INIT can send a copy that arrives first. So the same INIT from
 * another source is answered too, by another session, until one of them is
 * confirmed by the client's first packet, from where its RESP went.
 */
struct peer_init {
	uint8_t hash[INITS_HASH];
	struct jvpn_hs_server hs;
	struct jvpn_hs_init init;
	unsigned int count;
	struct path answered[PEER_HALF_OPEN_MAX];
	struct gateway_addresses addresses;
	enum admission_age age;
};

struct handshake_copy {
	struct path from;
	bool shown;
};

/* An INIT, and where it came from as well while the worker reads it. */
struct handshake_copies {
	uint8_t hash[INITS_HASH];
	uint8_t message[JVPN_WIRE_INIT_SIZE];
	unsigned int count;
	struct handshake_copy copy[PEER_HALF_OPEN_MAX];
};

/**
 * struct handshake_job - an INIT on its way through the workers
 *
 * Worker: open (2 DH). Loop: who is it, may it, which addresses. Worker:
 * respond (4 DH). Loop: the session. The job holds copies of all that the
 * workers read.
 */
struct handshake_job {
	TAILQ_ENTRY(handshake_job) link;
	uv_work_t work;
	struct gateway *gw;
	struct path from;
	struct handshake_copies copies;
	uint8_t secret[JVPN_WIRE_KEY];
	uint8_t public_key[JVPN_WIRE_KEY];
	enum jvpn_verdict verdict;
	struct jvpn_hs_server hs;
	struct jvpn_hs_init init;

	struct peer *peer;
	struct gateway_addresses addresses;
	uint8_t psk[JVPN_WIRE_KEY];
	struct jvpn_policy_def policy;
	struct jvpn_hs_resp resp;
	struct jvpn_wire_resp answer;
	struct jvpn_hs_result result;
	unsigned int tries;
	uint32_t renewals;	/* the gateway's when its answer was begun */
	enum admission_age age;
};

void gateway_handshake_forget(struct peer *peer)
{
	if (!peer->init)
		return;
	sodium_memzero(peer->init, sizeof(*peer->init));
	free(peer->init);
	peer->init = NULL;
}

static bool handshake_peer_is_busy(const struct peer *peer)
{
	for (size_t i = 0; i < PEER_HALF_OPEN_MAX; i++)
		if (peer->half_open[i])
			return true;
	return peer->handshaking;
}

static void handshake_doubt_set(struct gateway *gw, struct peer *peer, bool is_doubtful)
{
	if (peer->is_doubtful)
		TAILQ_REMOVE(&gw->doubtful, peer, doubtful_link);
	peer->is_doubtful = is_doubtful;
	peer->doubtful_since_ms = jvpnd_now_ms();
	if (is_doubtful)
		TAILQ_INSERT_TAIL(&gw->doubtful, peer, doubtful_link);
}

/* After each change of what it has: room is given to peers, whatever comes of an INIT of theirs. */
static void handshake_peer_update(struct gateway *gw, struct peer *peer)
{
	bool busy = handshake_peer_is_busy(peer);

	if (busy && !peer->is_open)
		gw->peers_open++;
	if (!busy && peer->is_open)
		gw->peers_open--;
	peer->is_open = busy;
	if (busy)
		return;
	handshake_doubt_set(gw, peer, false);
	gateway_handshake_forget(peer);
}

static void handshake_job_end(struct handshake_job *job)
{
	if (job->peer) {
		job->peer->handshaking--;
		handshake_peer_update(job->gw, job->peer);
	}
	job->gw->handshake_jobs--;
	sodium_memzero(job, sizeof(*job));
	free(job);
}

static void handshake_refuse(struct handshake_job *job, uint32_t reject, const char *why)
{
	const struct refusal refusal = { .request = "INIT", .reject = reject, .why = why,
					 .path = &job->from };

	refusal_note(job->gw->d, &refusal);
	handshake_job_end(job);
}

/* --- the session ------------------------------------------------------------ */

static void handshake_half_open_enter(struct peer *peer, struct session *s)
{
	for (size_t i = 0; i < PEER_HALF_OPEN_MAX; i++) {
		if (!peer->half_open[i]) {
			peer->half_open[i] = s;
			return;
		}
	}
}

static uint32_t handshake_half_open_count(const struct peer *peer)
{
	uint32_t count = 0;

	for (size_t i = 0; i < PEER_HALF_OPEN_MAX; i++)
		count += peer->half_open[i] != NULL;
	return count;
}

static void handshake_half_open_end(struct gateway *gw, struct peer *peer)
{
	for (size_t i = 0; i < PEER_HALF_OPEN_MAX; i++)
		if (peer->half_open[i])
			session_terminate(gw->d, peer->half_open[i],
					  JVPN_REASON_HANDSHAKE_REJECTED);
}

/* By age: a new one is the youngest, but those that are adopted come in any order. */
static void handshake_peer_link(struct peer *peer, struct session *s)
{
	struct session *older = TAILQ_LAST(&peer->list, peer_sessions);

	while (older && older->born_ms > s->born_ms)
		older = TAILQ_PREV(older, peer_sessions, peer_link);
	if (older)
		TAILQ_INSERT_AFTER(&peer->list, older, s, peer_link);
	else
		TAILQ_INSERT_HEAD(&peer->list, s, peer_link);
}

struct session *gateway_handshake_oldest(const struct peer *peer, const struct session *but)
{
	struct session *s;

	TAILQ_FOREACH(s, &peer->list, peer_link)
		if (s != but && session_is_served(s) && s->gateway.confirmed)
			return s;
	return NULL;
}

void gateway_handshake_session_begin(struct gateway *gw, struct session *s)
{
	struct peer *peer = peer_find(gw->peers, s->peer_key);

	s->gateway.peer = peer;
	if (!session_is_live(s))
		return;
	s->gateway.counted = true;
	if (s->state == JVPN_STATE_BIRTH)
		gw->half_open++;
	if (!peer)
		return;
	peer->sessions++;
	handshake_peer_link(peer, s);
	if (s->state == JVPN_STATE_BIRTH)
		handshake_half_open_enter(peer, s);
	handshake_peer_update(gw, peer);
}

static void handshake_half_open_leave(struct gateway *gw, struct session *s)
{
	struct peer *peer = s->gateway.peer;

	if (gw->half_open)
		gw->half_open--;
	for (size_t i = 0; peer && i < PEER_HALF_OPEN_MAX; i++)
		if (peer->half_open[i] == s)
			peer->half_open[i] = NULL;
	if (peer)
		handshake_peer_update(gw, peer);
}

void gateway_handshake_session_end(struct gateway *gw, struct session *s)
{
	if (!s->gateway.counted)
		return;
	s->gateway.counted = false;
	if (!s->gateway.confirmed)
		handshake_half_open_leave(gw, s);
	if (s->gateway.peer) {
		s->gateway.peer->sessions--;
		TAILQ_REMOVE(&s->gateway.peer->list, s, peer_link);
	}
	s->gateway.peer = NULL;
	gateway_addresses_session_release(gw, s);
}

/* Those above max_sessions end, the oldest first; not @but. */
static void handshake_sessions_bound(struct gateway *gw, struct peer *peer,
				     const struct session *but)
{
	unsigned int alive = peer->sessions - handshake_half_open_count(peer);
	struct session *oldest;

	for (; alive > peer->config->max_sessions; alive--) {
		oldest = gateway_handshake_oldest(peer, but);
		if (!oldest)
			return;
		jvpn_info("session %s: %s has more than %u sessions, the oldest ends",
			  session_short(oldest), peer->config->name, peer->config->max_sessions);
		oldest->end_why = "its peer has more sessions than max_sessions";
		session_terminate(gw->d, oldest, JVPN_REASON_POLICY_FAILURE);
	}
}

void gateway_handshake_peer_bound(struct gateway *gw, struct peer *peer)
{
	if (peer->config)
		handshake_sessions_bound(gw, peer, NULL);
}

/*
 * The handshake is confirmed. Sessions of the peer above its max_sessions end,
 * the oldest first. (Those whose inner address the new one took over were
 * ended by the kernel in the same step.)
 */
void gateway_handshake_confirmed(struct gateway *gw, struct session *s)
{
	struct peer *peer = s->gateway.peer;

	handshake_half_open_leave(gw, s);
	s->gateway.confirmed = true;
	/* What else came of its INIT was for somebody who copied it. */
	if (peer) {
		handshake_half_open_end(gw, peer);
		gateway_handshake_forget(peer);
	}
	if (peer && peer->config)
		handshake_sessions_bound(gw, peer, s);
}

static void handshake_session_fill(struct handshake_job *job, struct session *s)
{
	uint64_t now = jvpnd_now_ms();

	snprintf(s->label, sizeof(s->label), "%s", job->peer->config->name);
	memcpy(s->peer_key, job->peer->key, sizeof(s->peer_key));
	judge_psk_id(s->psk_id, job->psk);
	s->suite = job->resp.suite;
	s->policy = job->policy;
	snprintf(s->policy_name, sizeof(s->policy_name), "%s", job->policy.name);
	s->policy_version = job->policy.version;
	s->keys = job->result.keys;
	s->created_ms = jvpnd_wall_s() * 1000;
	s->born_ms = now;
	s->gateway.doubtful = job->age != ADMISSION_RECENT;
	s->session_deadline_ms = now + job->policy.session_ttl_ms;
	s->birth_deadline_ms = now + job->policy.handshake_timeout_ms;
	s->n_prefixes = job->addresses.n_prefixes;
	memcpy(s->prefixes, job->addresses.prefixes, sizeof(s->prefixes));
	s->path = job->from;
	s->gateway.asked_at = job->from.local;
	session_ctl_set(job->gw->d, s, &job->result.epoch, 0);
}

static void handshake_session_new(struct handshake_job *job, const struct session *s,
				  struct kernel_answer *answer)
{
	const struct kernel_session_new args = {
		.id = s->id,
		.role = JVPN_ROLE_GATEWAY,
		.label = s->label,
		.peer_id = s->peer_key,
		.prefixes = s->prefixes,
		.n_prefixes = s->n_prefixes,
		.path = &job->from,
		.epoch = &job->result.epoch,
		.policy = &s->policy,
		.session_deadline_ms = s->session_deadline_ms,
		.birth_deadline_ms = s->birth_deadline_ms,
	};

	kernel_session_new(job->gw->d->kernel, &args, answer);
}

/* Record first, then the kernel: see record.h. Returns a negative errno. */
static int handshake_session_make(struct handshake_job *job)
{
	struct jvpnd *d = job->gw->d;
	struct session *s = session_add(d, job->resp.sid, JVPN_ROLE_GATEWAY);
	struct kernel_answer answer;

	if (!s)
		return -ENOMEM;
	handshake_session_fill(job, s);
	gateway_handshake_session_begin(job->gw, s);
	gateway_reattach_session_begin(job->gw, s);
	if (record_save(d, s))
		handshake_session_new(job, s, &answer);
	else
		answer = (struct kernel_answer){ .error = -EIO };
	if (!answer.error)
		return 0;
	if (answer.error != -EADDRINUSE)
		jvpn_error("the kernel refused a session of %s: %s%s%s", s->label,
			   strerror(-answer.error), answer.text[0] ? ": " : "", answer.text);
	/* The addresses stay held for another try; the job releases them. */
	s->n_prefixes = 0;
	session_remove(d, s);
	return answer.error;
}

/* --- the exchange ------------------------------------------------------------ */

static void handshake_respond_work(uv_work_t *work)
{
	struct handshake_job *job = work->data;

	job->verdict = jvpn_hs_server_respond(&job->hs, job->psk, &job->resp, &jvpn_rng_system,
					      &job->answer, &job->result);
}

static void handshake_respond_done(uv_work_t *work, int status);

/* Ticket and GONE token name the session, so they follow its id. */
static void handshake_resp_seal(struct handshake_job *job)
{
	struct jvpn_gateway *proto = &job->gw->proto;
	uint64_t now_s = jvpnd_now_ms() / 1000;

	jvpn_gone_token(proto->k_gone, job->resp.sid, job->resp.gone);
	for (int i = 0; i < 2; i++)
		jvpn_ticket_seal(&proto->tickets, job->resp.sid, now_s, &jvpn_rng_system,
				 job->resp.ticket[i]);
}

static void handshake_fail(struct handshake_job *job, uint32_t reject, const char *why)
{
	gateway_addresses_release(job->gw, job->addresses.prefixes, job->addresses.n_prefixes,
				  job->resp.sid, 0);
	handshake_refuse(job, reject, why);
}

static void handshake_respond_start(struct handshake_job *job)
{
	job->tries++;
	job->renewals = job->gw->renewals;
	if (uv_queue_work(job->gw->d->loop, &job->work, handshake_respond_work,
			  handshake_respond_done))
		handshake_fail(job, JVPN_REJECT_RATE_LIMITED, "no worker");
}

/* The id is taken. Its addresses go over to the next one. */
static void handshake_rename(struct handshake_job *job)
{
	const struct gateway_addresses *a = &job->addresses;
	uint8_t old[JVPN_WIRE_SID];

	memcpy(old, job->resp.sid, sizeof(old));
	randombytes_buf(job->resp.sid, sizeof(job->resp.sid));
	gateway_addresses_hold(job->gw, a->prefixes, a->n_prefixes, job->peer->key, job->resp.sid);
	gateway_addresses_release(job->gw, a->prefixes, a->n_prefixes, old, 0);
}

static void handshake_respond_done(uv_work_t *work, int status)
{
	struct handshake_job *job = work->data;
	struct session *s;
	int rc;

	if (status || jvpnd_is_closed(job->gw->d) || !job->peer->config) {
		handshake_fail(job, JVPN_REJECT_POLICY_DENIED, "the gateway is being changed");
		return;
	}
	if (job->renewals != job->gw->renewals) {
		handshake_fail(job, JVPN_REJECT_SUSPENDED, "the machine slept or was copied");
		return;
	}
	if (job->verdict != JVPN_VERDICT_OK) {
		handshake_fail(job, JVPN_REJECT_BAD_PROOF, jvpn_verdict_str(job->verdict));
		return;
	}
	rc = handshake_session_make(job);
	if (rc == -EADDRINUSE && job->tries < RESPOND_TRIES) {
		handshake_rename(job);
		handshake_resp_seal(job);
		handshake_respond_start(job);
		return;
	}
	if (rc) {
		handshake_fail(job, JVPN_REJECT_RATE_LIMITED, "the session could not be made");
		return;
	}
	s = session_find(job->gw->d, job->resp.sid);
	/* The configuration may have changed meanwhile. */
	session_judge(job->gw->d, s);
	if (session_is_live(s))
		gateway_send(job->gw, &job->from, &job->answer, sizeof(job->answer));
	sessions_settle(job->gw->d);
	handshake_job_end(job);
}

static uint32_t handshake_clamp(uint64_t ms)
{
	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

static void handshake_resp_fill(struct handshake_job *job, uint8_t suite)
{
	struct gateway *gw = job->gw;
	struct jvpn_hs_resp *resp = &job->resp;

	resp->suite = suite;
	resp->incarnation = gw->d->incarnation;
	resp->policy_version = job->policy.version;
	resp->session_ttl_ms = handshake_clamp(job->policy.session_ttl_ms);
	resp->transport_loss_ttl_ms = job->policy.transport_loss_ttl_ms;
	resp->recovery_window_ms = job->policy.recovery_window_ms;
	resp->max_switches_per_minute = job->policy.max_switches_per_minute;
	resp->switch_cooldown_ms = job->policy.switch_cooldown_ms;
	memcpy(resp->v4, job->addresses.v4.addr.bytes, sizeof(resp->v4));
	resp->v4_prefix = job->addresses.v4.length;
	memcpy(resp->v6, job->addresses.v6.addr.bytes, sizeof(resp->v6));
	resp->v6_prefix = job->addresses.v6.length;
}

/* Has whoever sent it a cookie for its address? If not, it is sent one. */
static bool handshake_source_shown(struct handshake_job *job)
{
	const struct kernel_packet packet = { .from = job->from, .data = job->copies.message,
					      .size = sizeof(job->copies.message) };

	if (gateway_mac2_shown(job->gw, &packet))
		return true;
	gateway_cookie_answer(job->gw, &packet);
	return false;
}

/* Something newer is being answered, or something as old has not had its time. */
static bool handshake_return_waits(const struct peer *peer, uint64_t now)
{
	for (size_t i = 0; i < PEER_HALF_OPEN_MAX; i++) {
		const struct session *s = peer->half_open[i];

		if (s && (!s->gateway.doubtful || now - s->born_ms < ADMISSION_DOUBTFUL_MS))
			return true;
	}
	return false;
}

/*
 * Not newer than the last INIT of the key: a copy, or its owner's clock was set back, which must
 * not lock him out. The session is only born by its first packet, so all that a copy can do is to
 * be in the way. So it gets its own share, by source, and never takes the place of a newer INIT.
 */
static const char *handshake_return_check(struct handshake_job *job, const struct peer *peer)
{
	uint64_t now = jvpnd_now_ms();

	if (!handshake_source_shown(job))
		return "INIT is not newer than the last one, and has no cookie";
	if (handshake_return_waits(peer, now))
		return "INIT is not newer than the one that is being answered";
	if (!sources_take(job->gw->returners, &job->from.remote, RETURNS_PER_SECOND, now))
		return "too many INITs of this source that are not newer than the last one";
	return NULL;
}

/* Nothing of the peer is spent for what is not fresh: it may be a copy of what it sent once. */
static const char *handshake_fresh_check(struct handshake_job *job, const struct peer *peer)
{
	bool is_newer = !jvpn_hs_timestamp_check(&peer->timestamp, job->init.tai64n,
						 jvpnd_now_ms());

	job->age = admission_age(is_newer, jvpn_hs_tai64n_wall_s(job->init.tai64n),
				 jvpnd_wall_s());
	return job->age == ADMISSION_RETURNED ? handshake_return_check(job, peer) : NULL;
}

/* What may be a copy of the past takes nothing from what the peer sends today. */
static bool handshake_peer_take(const struct handshake_job *job, struct peer *peer)
{
	struct jvpn_bucket *share = job->age == ADMISSION_PAST ? &peer->past : &peer->handshakes;

	return job->age == ADMISSION_RETURNED ||
	       jvpn_bucket_take(share, PEER_HANDSHAKES_PER_SECOND, PEER_HANDSHAKES_BURST, 1,
				jvpnd_now_ms());
}

/* Of the doubtful ones the first that no worker has; NULL: none. */
static struct peer *handshake_doubtful_oldest(const struct gateway *gw)
{
	struct peer *peer;

	TAILQ_FOREACH(peer, &gw->doubtful, doubtful_link)
		if (!peer->handshaking)
			return peer;
	return NULL;
}

static bool handshake_room_make(struct gateway *gw, bool is_doubtful)
{
	struct peer *oldest = handshake_doubtful_oldest(gw);
	const struct admission_room room = {
		.peers = gw->peers_open,
		.max = gateway_limits(gw)->max_half_open,
		.has_doubtful = oldest != NULL,
		.doubtful_ms = oldest ? jvpnd_now_ms() - oldest->doubtful_since_ms : 0,
	};
	enum admission admission = admission_judge(&room, is_doubtful);

	if (admission != ADMISSION_INSTEAD)
		return admission == ADMISSION_IN;
	handshake_half_open_end(gw, oldest);
	sessions_settle(gw->d);
	return gw->peers_open < room.max;
}

static const char *handshake_share_take(struct handshake_job *job, struct peer *peer)
{
	if (peer->handshaking)
		return "an INIT of this peer is being answered";
	if (!handshake_peer_take(job, peer))
		return "too many INITs of this peer";
	if (!peer->is_open && !handshake_room_make(job->gw, job->age != ADMISSION_RECENT))
		return "limits.max_half_open is reached";
	return NULL;
}

/* NULL: the peer may have a session now. */
static const char *handshake_peer_check(struct handshake_job *job, struct peer **found,
					uint32_t *reject)
{
	struct peer *peer = peer_find(job->gw->peers, job->hs.client_pub);
	const char *why;

	*reject = JVPN_REJECT_POLICY_DENIED;
	if (!peer || !peer->config)
		return "no peer has this public key";
	inits_note(job->gw->inits_read, job->copies.hash, peer->key);
	*reject = JVPN_REJECT_REPLAY;
	why = handshake_fresh_check(job, peer);
	if (why)
		return why;
	*reject = JVPN_REJECT_RATE_LIMITED;
	why = handshake_share_take(job, peer);
	if (why)
		return why;
	jvpn_hs_timestamp_accept(&peer->timestamp, job->init.tai64n, jvpnd_now_ms());
	*found = peer;
	return NULL;
}

/* A new INIT takes the place of the one before. */
static bool handshake_peer_begin(struct handshake_job *job, struct peer *peer)
{
	handshake_half_open_end(job->gw, peer);
	sessions_settle(job->gw->d);
	gateway_handshake_forget(peer);
	peer->init = calloc(1, sizeof(*peer->init));
	if (!peer->init)
		return false;
	memcpy(peer->init->hash, job->copies.hash, sizeof(job->copies.hash));
	peer->init->hs = job->hs;
	peer->init->init = job->init;
	peer->init->age = job->age;
	handshake_doubt_set(job->gw, peer, job->age != ADMISSION_RECENT);
	return true;
}

/* Those who are answered the same INIT are offered the same: one of them will have it. */
static const char *handshake_addresses(struct handshake_job *job, struct peer_init *init)
{
	const struct gateway_addresses *a = &init->addresses;
	const char *why = NULL;

	randombytes_buf(job->resp.sid, sizeof(job->resp.sid));
	if (!a->n_prefixes) {
		why = gateway_addresses_choose(job->gw, job->peer, &job->init, job->resp.sid,
					       &init->addresses);
	} else if (!gateway_addresses_hold(job->gw, a->prefixes, a->n_prefixes, job->peer->key,
					   job->resp.sid)) {
		gateway_addresses_release(job->gw, a->prefixes, a->n_prefixes, job->resp.sid, 0);
		why = "its inner address has another owner now";
	}
	if (!why)
		job->addresses = init->addresses;
	return why;
}

/* The job is the peer's from now on. */
static const char *handshake_prepare(struct handshake_job *job, struct peer *peer, uint8_t suite)
{
	const struct jvpn_config_peer *config = peer->config;
	const char *why;

	job->peer = peer;
	peer->handshaking++;
	handshake_peer_update(job->gw, peer);
	peer->init->answered[peer->init->count++] = job->from;
	why = handshake_addresses(job, peer->init);
	if (why)
		return why;
	job->policy = *(config->policy ? config->policy :
					 job->gw->d->config->gateway.default_policy);
	memcpy(job->psk, config->preshared_key, sizeof(job->psk));
	handshake_resp_fill(job, suite);
	handshake_resp_seal(job);
	return NULL;
}

static uint8_t handshake_suite(const struct jvpn_hs_init *init)
{
	return jvpn_hs_suite_choose(init->suites, JVPN_SUITE_BIT(JVPN_SUITE_CHACHA20_POLY1305));
}

static const char *handshake_accept(struct handshake_job *job, uint32_t *reject)
{
	struct peer *peer = NULL;
	const char *why = handshake_peer_check(job, &peer, reject);

	if (why)
		return why;
	*reject = JVPN_REJECT_POLICY_DENIED;
	if (job->init.proto_min > JVPN_WIRE_PROTO || job->init.proto_max < JVPN_WIRE_PROTO)
		return jvpn_verdict_str(JVPN_VERDICT_BAD_VERSION_RANGE);
	if (!handshake_suite(&job->init))
		return jvpn_verdict_str(JVPN_VERDICT_BAD_SUITE);
	if (!handshake_peer_begin(job, peer))
		return "no memory";
	return handshake_prepare(job, peer, handshake_suite(&job->init));
}

/* --- the same INIT from elsewhere ------------------------------------------------ */

static struct handshake_job *handshake_job_new(struct gateway *gw, const struct path *from,
					       const uint8_t *message,
					       const uint8_t hash[INITS_HASH])
{
	struct handshake_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->gw = gw;
	job->from = *from;
	job->work.data = job;
	memcpy(job->copies.message, message, sizeof(job->copies.message));
	memcpy(job->copies.hash, hash, sizeof(job->copies.hash));
	gw->handshake_jobs++;
	return job;
}

static void handshake_answer_add(struct admission_answers *answers, const struct path *to,
				 const struct path *from)
{
	answers->total++;
	answers->network += sources_one_network(&to->remote, &from->remote);
	answers->site += sources_one_site(&to->remote, &from->remote);
}

/* NULL: it may be answered there as well. *cookie: if its sender shows that it receives. */
static const char *handshake_copy_check(const struct peer_init *init,
					const struct handshake_copy *copy, bool *cookie)
{
	struct admission_answers answers = {};

	for (unsigned int i = 0; i < init->count; i++) {
		if (path_equal(&init->answered[i], &copy->from))
			return "this INIT was answered";
		handshake_answer_add(&answers, &init->answered[i], &copy->from);
	}
	if (!admission_answer(&answers))
		return "this INIT was answered to others";
	*cookie = init->count >= ANSWERS_UNSHOWN && !copy->shown;
	return NULL;
}

/* NULL: there is time for the public-key work of one more answer. */
static const char *handshake_copy_take(struct gateway *gw, const struct peer_init *init)
{
	uint32_t rate = gateway_limits(gw)->handshakes_per_second;
	/* Beyond the usual, as work for others: half of the places are for those who ask seldom. */
	uint32_t most = init->count < ANSWERS_UNSHOWN ? GATEWAY_HANDSHAKE_JOBS_MAX :
							GATEWAY_HANDSHAKE_JOBS_MAX / 2;

	if (gw->handshake_jobs >= most)
		return "too many handshakes at once";
	if (init->count >= ANSWERS_FREE &&
	    !jvpn_bucket_take(&gw->copies, rate, rate, 1, jvpnd_now_ms()))
		return "too many copies of INITs";
	return NULL;
}

static void handshake_copy_refuse(struct gateway *gw, const struct handshake_copy *copy,
				  uint32_t reject, const char *why)
{
	const struct refusal refusal = { .request = "INIT", .reject = reject, .why = why,
					 .path = &copy->from };

	refusal_note(gw->d, &refusal);
}

static void handshake_copy_answer(struct gateway *gw, struct peer *peer,
				  const struct handshake_copy *copy, const uint8_t *message)
{
	struct handshake_job *job = handshake_job_new(gw, &copy->from, message, peer->init->hash);
	const char *why;

	if (!job)
		return;
	job->hs = peer->init->hs;
	job->init = peer->init->init;
	job->age = peer->init->age;
	why = handshake_prepare(job, peer, handshake_suite(&job->init));
	if (why)
		handshake_refuse(job, JVPN_REJECT_POLICY_DENIED, why);
	else
		handshake_respond_start(job);
}

static bool handshake_is_answered(const struct peer *peer, const uint8_t hash[INITS_HASH])
{
	return peer->config && peer->init && !memcmp(peer->init->hash, hash, INITS_HASH);
}

/* An INIT that was read before has come. */
static void handshake_copy_judge(struct gateway *gw, struct peer *peer,
				 const uint8_t hash[INITS_HASH],
				 const struct handshake_copy *copy, const uint8_t *message)
{
	const struct kernel_packet packet = { .from = copy->from, .data = message,
					      .size = JVPN_WIRE_INIT_SIZE };
	const char *why = "INIT is not newer than the last one";
	bool cookie = false;

	refusal_verdict_count(gw->d, JVPN_MSG_INIT, JVPN_VERDICT_REPLAYED);
	if (handshake_is_answered(peer, hash))
		why = handshake_copy_check(peer->init, copy, &cookie);
	if (why) {
		handshake_copy_refuse(gw, copy, JVPN_REJECT_REPLAY, why);
		return;
	}
	if (cookie) {
		gateway_cookie_answer(gw, &packet);
		return;
	}
	why = handshake_copy_take(gw, peer->init);
	if (why)
		handshake_copy_refuse(gw, copy, JVPN_REJECT_RATE_LIMITED, why);
	else
		handshake_copy_answer(gw, peer, copy, message);
}

static struct peer *handshake_read_find(struct gateway *gw, const uint8_t hash[INITS_HASH])
{
	const uint8_t *key = inits_find(gw->inits_read, hash);

	return key ? peer_find(gw->peers, key) : NULL;
}

/* While a worker reads it: as many as may be answered then, by the same rule. */
static void handshake_copy_wait(struct handshake_job *job, const struct kernel_packet *packet,
				const struct handshake_copy *copy)
{
	struct handshake_copies *copies = &job->copies;
	struct admission_answers answers = {};

	if (copies->count >= ANSWERS_UNSHOWN && !copy->shown) {
		gateway_cookie_answer(job->gw, packet);
		return;
	}
	handshake_answer_add(&answers, &job->from, &copy->from);
	for (unsigned int i = 0; i < copies->count; i++)
		handshake_answer_add(&answers, &copies->copy[i].from, &copy->from);
	if (copies->count < PEER_HALF_OPEN_MAX && admission_answer(&answers))
		copies->copy[copies->count++] = *copy;
}

/* Was it read before, or is it being read? Then that is all it costs. */
static bool handshake_is_copy(struct gateway *gw, const struct kernel_packet *packet,
			      const uint8_t hash[INITS_HASH])
{
	struct handshake_copy copy = { .from = packet->from };
	struct peer *peer = handshake_read_find(gw, hash);
	struct handshake_job *job;

	TAILQ_FOREACH(job, &gw->opening, link)
		if (!memcmp(job->copies.hash, hash, INITS_HASH))
			break;
	if (!job && !peer)
		return false;
	copy.shown = gateway_mac2_shown(gw, packet);
	/* It was refused, for want of a cookie perhaps: it is read once more. */
	if (!job && copy.shown && !handshake_is_answered(peer, hash) &&
	    sources_take(gw->returners, &packet->from.remote, RETURNS_PER_SECOND, jvpnd_now_ms()))
		return false;
	if (job)
		handshake_copy_wait(job, packet, &copy);
	else
		handshake_copy_judge(gw, peer, hash, &copy, packet->data);
	return true;
}

static void handshake_copies_judge(struct gateway *gw, const struct handshake_copies *copies)
{
	struct peer *peer = handshake_read_find(gw, copies->hash);

	for (unsigned int i = 0; peer && i < copies->count; i++)
		handshake_copy_judge(gw, peer, copies->hash, &copies->copy[i], copies->message);
}

/* --- reading ------------------------------------------------------------------------ */

static void handshake_open_work(uv_work_t *work)
{
	struct handshake_job *job = work->data;

	job->verdict = jvpn_hs_server_open(&job->hs, job->secret, job->public_key, job->copies.message,
					   sizeof(job->copies.message), &job->init);
}

/* The job may be gone when it returns. */
static void handshake_opened(struct handshake_job *job)
{
	uint32_t reject = JVPN_REJECT_NONE;
	const char *why;

	refusal_verdict_count(job->gw->d, JVPN_MSG_INIT, job->verdict);
	if (job->verdict != JVPN_VERDICT_OK) {
		handshake_refuse(job, refusal_reject_of(job->verdict),
				 jvpn_verdict_str(job->verdict));
		return;
	}
	why = handshake_accept(job, &reject);
	if (why)
		handshake_refuse(job, reject, why);
	else
		handshake_respond_start(job);
}

static void handshake_open_done(uv_work_t *work, int status)
{
	struct handshake_job *job = work->data;
	struct gateway *gw = job->gw;
	struct handshake_copies copies;

	TAILQ_REMOVE(&gw->opening, job, link);
	if (status || jvpnd_is_closed(gw->d)) {
		handshake_job_end(job);
		return;
	}
	copies = job->copies;
	handshake_opened(job);
	handshake_copies_judge(gw, &copies);
}

/*
 * Under load the source has shown that it receives there, so that nobody else
 * can use up its share; otherwise there is enough for all.
 */
static bool handshake_source_take(struct gateway *gw, const struct path *from, uint64_t now)
{
	uint32_t share = gateway_limits(gw)->handshakes_per_second / HANDSHAKES_SHARE;

	return now >= gw->inits_loaded_until_ms ||
	       sources_take(gw->initiators, &from->remote, share ? share : 1, now);
}

static bool handshake_source_is_seldom(struct gateway *gw, const struct path *from, uint64_t now)
{
	if (now >= gw->inits_loaded_until_ms)
		return true;
	return sources_take_burst(gw->seldom, &from->remote, SELDOM_PER_SECOND, SELDOM_BURST,
				  now) &&
	       (from->remote.family == AF_INET ||
		sources_take_burst(gw->seldom_sites, &from->remote, SELDOM_SITE_PER_SECOND,
				   SELDOM_SITE_BURST, now));
}

/* NULL: there is room and time for its public-key work. */
static const char *handshake_limits_check(struct gateway *gw, const struct path *from)
{
	uint32_t rate = gateway_limits(gw)->handshakes_per_second;
	struct admission_work work = {
		.per_second = rate,
		.jobs = gw->handshake_jobs,
		.jobs_max = GATEWAY_HANDSHAKE_JOBS_MAX,
	};
	uint64_t now = jvpnd_now_ms();

	if (!handshake_source_take(gw, from, now))
		return "too many INITs of this source";
	if (gw->handshake_jobs >= GATEWAY_HANDSHAKE_JOBS_MAX)
		return "too many handshakes at once";
	jvpn_bucket_take(&gw->handshakes, rate, rate, 0, now);
	work.left = (uint32_t)(gw->handshakes.level / BUCKET_TOKEN);
	if (!admission_work(&work, handshake_source_is_seldom(gw, from, now)))
		return "limits.handshakes_per_second is reached";
	jvpn_bucket_take(&gw->handshakes, rate, rate, 1, now);
	return NULL;
}

static void handshake_start(struct gateway *gw, const struct kernel_packet *packet,
			    const uint8_t hash[INITS_HASH])
{
	struct handshake_job *job = handshake_job_new(gw, &packet->from, packet->data, hash);

	if (!job)
		return;
	memcpy(job->secret, gw->proto.secret, sizeof(job->secret));
	memcpy(job->public_key, gw->proto.public_key, sizeof(job->public_key));
	if (uv_queue_work(gw->d->loop, &job->work, handshake_open_work, handshake_open_done))
		handshake_job_end(job);
	else
		TAILQ_INSERT_TAIL(&gw->opening, job, link);
}

static bool handshake_loaded(struct gateway *gw)
{
	uint32_t above = gateway_limits(gw)->cookie_above_per_second;
	uint64_t now = jvpnd_now_ms();

	if (!jvpn_bucket_take(&gw->inits, above, above, 1, now) ||
	    gw->handshake_jobs >= GATEWAY_HANDSHAKE_JOBS_MAX / 2)
		gw->inits_loaded_until_ms = now + 1000;
	return now < gw->inits_loaded_until_ms;
}

void gateway_handshake_init(struct gateway *gw, const struct kernel_packet *packet)
{
	struct refusal refusal = { .request = "INIT", .reject = JVPN_REJECT_RATE_LIMITED,
				   .path = &packet->from };
	uint8_t hash[INITS_HASH];

	if (packet->size != JVPN_WIRE_INIT_SIZE)
		return;
	inits_hash(hash, packet->data);
	if (handshake_is_copy(gw, packet, hash) || !gateway_mac1_pass(gw, packet) ||
	    !gateway_mac2_pass(gw, packet, handshake_loaded))
		return;
	refusal.why = handshake_limits_check(gw, &packet->from);
	if (refusal.why)
		refusal_note(gw->d, &refusal);
	else
		handshake_start(gw, packet, hash);
}
