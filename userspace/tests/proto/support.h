/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_TESTS_PROTO_SUPPORT_H
#define JVPN_TESTS_PROTO_SUPPORT_H

/*
 * A gateway, a client and the gateway's record of their session, with the
 * daemon's part reduced to what the protocol asks of it: limits, commit, ACK.
 */

#include <arpa/inet.h>
#include <stdlib.h>

#include <linux/jvpn.h>

#include "../tap.h"
#include "ctrl.h"
#include "data.h"
#include "reattach.h"

#define START_MS	1000000ull
#define START_S		1700000000ull

/* --- randomness and paths ----------------------------------------------- */

struct counted {
	u64 calls;
};

static void counted_fill(void *ctx, void *out, size_t size)
{
	struct counted *counted = ctx;
	u8 seed[randombytes_SEEDBYTES] = "jvpn test";
	u64 number = htole64(counted->calls++);

	memcpy(seed + 16, &number, sizeof(number));
	randombytes_buf_deterministic(out, size, seed);
}

__attribute__((unused))
static struct jvpn_path path_make(const char *remote, u16 port)
{
	struct sockaddr_in r = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in l = { .sin_family = AF_INET, .sin_port = htons(51820) };
	struct jvpn_path path;

	inet_pton(AF_INET, remote, &r.sin_addr);
	inet_pton(AF_INET, "203.0.113.1", &l.sin_addr);
	if (!jvpn_path_set(&path, (struct sockaddr *)&r, (struct sockaddr *)&l))
		abort();
	return path;
}

/* --- the world ---------------------------------------------------------- */

struct world {
	struct counted counted;
	struct jvpn_rng rng;
	u64 now_ms;
	u64 wall_s;
	u8 client_secret[32];
	u8 client_pub[32];
	u8 psk[32];

	struct jvpn_gateway gw;
	struct jvpn_reattach_session record;
	struct jvpn_proof_last last;
	struct jvpn_path bound;
	struct jvpn_epoch gw_epoch;
	unsigned int installs;
	unsigned int dh_rounds;

	struct jvpn_client client;
	struct jvpn_epoch client_epoch;
};

/* What the gateway answered. */
struct answer {
	enum jvpn_verdict verdict;
	size_t len;
	u8 msg[JVPN_WIRE_CONTROL_MAX];
};

static void must(enum jvpn_verdict verdict, const char *what)
{
	if (!verdict)
		return;
	printf("Bail out! %s: %s\n", what, jvpn_verdict_str(verdict));
	exit(1);
}

static void answer_set(struct answer *answer, const void *msg, size_t len)
{
	memcpy(answer->msg, msg, len);
	answer->len = len;
}

static struct jvpn_hs_init init_make(struct world *w)
{
	struct jvpn_hs_init init = {
		.proto_min = 1,
		.proto_max = 1,
		.suites = JVPN_SUITE_BIT(JVPN_SUITE_CHACHA20_POLY1305),
		.policy = "default",
		.want_v4 = true,
		.want_v6 = true,
	};

	jvpn_hs_tai64n(init.tai64n, w->wall_s, 5);
	return init;
}

static struct jvpn_hs_resp resp_make(struct world *w)
{
	struct jvpn_hs_resp resp = {
		.suite = JVPN_SUITE_CHACHA20_POLY1305,
		.incarnation = 0x01020304,
		.policy_version = 7,
		.session_ttl_ms = 86400000,
		.transport_loss_ttl_ms = 60000,
		.recovery_window_ms = 10000,
		.max_switches_per_minute = 30,
		.switch_cooldown_ms = 2000,
		.v4 = { 10, 77, 0, 2 },
		.v4_prefix = 24,
		.v6 = { 0xfd, 0x77, [15] = 2 },
		.v6_prefix = 64,
	};

	jvpn_rng_fill(&w->rng, resp.sid, sizeof(resp.sid));
	jvpn_gone_token(w->gw.k_gone, resp.sid, resp.gone);
	jvpn_ticket_seal(&w->gw.tickets, resp.sid, w->now_ms / 1000, &w->rng, resp.ticket[0]);
	jvpn_ticket_seal(&w->gw.tickets, resp.sid, w->now_ms / 1000, &w->rng, resp.ticket[1]);
	return resp;
}

static void world_keys(struct world *w)
{
	u8 secret[32];

	w->rng = (struct jvpn_rng){ counted_fill, &w->counted };
	w->now_ms = START_MS;
	w->wall_s = START_S;
	jvpn_rng_fill(&w->rng, secret, sizeof(secret));
	jvpn_gateway_init(&w->gw, secret);
	jvpn_rng_fill(&w->rng, w->gw.k_gone, sizeof(w->gw.k_gone));
	jvpn_gateway_tick(&w->gw, w->now_ms, &w->rng);
	jvpn_dh_generate(w->client_secret, w->client_pub, &w->rng);
	jvpn_rng_fill(&w->rng, w->psk, sizeof(w->psk));
}

/* The record after the handshake and the first DATA: ATTACHED, V 1, E 0. */
static void world_attach(struct world *w, const struct jvpn_hs_resp *resp,
			 const struct jvpn_hs_result *server,
			 const struct jvpn_hs_result *client)
{
	struct jvpn_reattach_session *r = &w->record;

	memcpy(r->sid, resp->sid, sizeof(r->sid));
	r->suite = resp->suite;
	r->state = JVPN_STATE_ATTACHED;
	r->incarnation = resp->incarnation;
	r->v = 1;
	memcpy(r->client_pub, w->client_pub, 32);
	r->keys = server->keys;
	w->gw_epoch = server->epoch;
	jvpn_client_init(&w->client, w->client_secret, w->gw.public_key, resp, client);
	w->client_epoch = client->epoch;
}

__attribute__((unused))
static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	struct jvpn_hs_result server, client;
	struct jvpn_hs_client hs_client;
	struct jvpn_hs_server hs_server;
	struct jvpn_hs_resp resp, seen;
	struct jvpn_wire_init init_msg;
	struct jvpn_wire_resp resp_msg;
	struct jvpn_hs_init init;

	if (!w || sodium_init() < 0)
		abort();
	world_keys(w);
	init = init_make(w);
	must(jvpn_hs_client_start(&hs_client, w->client_secret, w->gw.public_key, &init, &w->rng,
				  &init_msg), "INIT");
	must(jvpn_hs_server_open(&hs_server, w->gw.secret, w->gw.public_key, (u8 *)&init_msg,
				 sizeof(init_msg), &init), "INIT read");
	resp = resp_make(w);
	must(jvpn_hs_server_respond(&hs_server, w->psk, &resp, &w->rng, &resp_msg, &server),
	     "RESP");
	must(jvpn_hs_client_finish(&hs_client, w->psk, (u8 *)&resp_msg, sizeof(resp_msg), &seen,
				   &client), "RESP read");
	w->bound = path_make("192.0.2.1", 1000);
	world_attach(w, &seen, &server, &client);
	return w;
}

__attribute__((unused))
static void world_pass(struct world *w, u64 ms)
{
	w->now_ms += ms;
	w->wall_s += ms / 1000;
}

/* --- the gateway's daemon ----------------------------------------------- */

static void gateway_step(struct world *w, u8 state)
{
	w->record.state = state;
	w->record.v++;
}

static void gateway_challenge(struct world *w, const struct jvpn_path *path, const u8 *nc,
			      u8 flags, bool standby, struct answer *answer)
{
	struct jvpn_challenge_args args = { .nc = nc, .flags = flags, .standby = standby };
	struct jvpn_wire_challenge challenge;

	jvpn_challenge_build(&challenge, &w->gw, &w->record, path, &args, w->now_ms,
			     &w->rng);
	answer_set(answer, &challenge, sizeof(challenge));
}

static void gateway_reject(struct world *w, const u8 *nc, u8 reason, struct answer *answer)
{
	struct jvpn_rejection reject = { .reason = reason, .v_cur = w->record.v };
	struct jvpn_wire_reject msg;

	jvpn_reject_build(&msg, &w->record.keys, nc, &reject, &w->rng);
	answer_set(answer, &msg, sizeof(msg));
}

static void gateway_ack(struct world *w, struct answer *answer)
{
	struct jvpn_wire_ack ack;

	jvpn_ack_build(&ack, &w->gw, &w->record, &w->last, 1000, w->now_ms, &w->rng);
	answer_set(answer, &ack, sizeof(ack));
}

/* The one compare-and-swap. */
static bool gateway_commit(struct world *w, const struct jvpn_proof *proof,
			   const struct jvpn_epoch *epoch)
{
	struct jvpn_reattach_session *r = &w->record;

	if (r->v != proof->v_req || r->e != proof->e_req || r->state == JVPN_STATE_TERMINATED)
		return false;
	if (r->state != JVPN_STATE_ATTACHED || !jvpn_path_equal(&w->bound, &proof->path)) {
		if (r->state != JVPN_STATE_RECOVERING)
			gateway_step(w, JVPN_STATE_RECOVERING);
		gateway_step(w, JVPN_STATE_ATTACHED);
	}
	r->e++;
	w->bound = proof->path;
	w->gw_epoch = *epoch;
	w->installs++;
	jvpn_proof_remember(&w->last, proof, r->v, r->e, epoch);
	return true;
}

static void gateway_on_proof(struct world *w, const u8 *msg, size_t len,
			     const struct jvpn_path *path, struct answer *answer)
{
	struct jvpn_proof proof;
	struct jvpn_noise noise;
	struct jvpn_epoch epoch;
	u8 meaning;

	answer->verdict = jvpn_proof_open(&w->gw, &w->record, &w->last, path, msg, len,
					  w->now_ms, &proof);
	if (answer->verdict == JVPN_VERDICT_DUPLICATE) {
		gateway_ack(w, answer);
	} else if (answer->verdict == JVPN_VERDICT_TERMINATED) {
		gateway_reject(w, jvpn_reattach_nc(msg), JVPN_WIRE_REJECT_TERMINATED, answer);
	} else if (jvpn_verdict_stale(answer->verdict)) {
		gateway_challenge(w, path, jvpn_reattach_nc(msg), JVPN_WIRE_CHALLENGE_STALE,
				  false, answer);
	}
	if (answer->verdict)
		return;
	w->dh_rounds++;
	answer->verdict = jvpn_proof_dh(&proof, w->gw.secret, &noise);
	if (!answer->verdict)
		answer->verdict = jvpn_proof_finish(&proof, &noise, &epoch, &meaning);
	if (!answer->verdict && gateway_commit(w, &proof, &epoch))
		gateway_ack(w, answer);
	jvpn_proof_wipe(&proof);
	jvpn_epoch_wipe(&epoch);
}

static void gateway_on_request(struct world *w, const u8 *msg, size_t len,
			       const struct jvpn_path *path, struct answer *answer)
{
	struct jvpn_request request;

	answer->verdict = jvpn_mac1_check(msg, len, &w->gw.mac);
	if (!answer->verdict)
		answer->verdict = jvpn_request_open(&w->record, msg, len, &request);
	if (answer->verdict == JVPN_VERDICT_ROLLBACK)
		gateway_reject(w, request.nc, JVPN_WIRE_REJECT_ROLLBACK, answer);
	else if (!answer->verdict && w->record.state == JVPN_STATE_TERMINATED)
		gateway_reject(w, request.nc, JVPN_WIRE_REJECT_TERMINATED, answer);
	else if (!answer->verdict)
		gateway_challenge(w, path, request.nc, 0, request.standby, answer);
}

/* A datagram arrives at the gateway. */
__attribute__((unused))
static struct answer gateway_rx(struct world *w, const void *msg, size_t len,
				const struct jvpn_path *path)
{
	const u8 *octets = msg;
	struct answer answer = { 0 };
	u8 sid[JVPN_WIRE_SID];

	if (!len || (octets[0] != JVPN_MSG_REQUEST && octets[0] != JVPN_MSG_PROOF)) {
		answer.verdict = JVPN_VERDICT_BAD_TYPE;
		return answer;
	}
	answer.verdict = jvpn_msg_check(octets, len, octets[0]);
	if (!answer.verdict)
		answer.verdict = jvpn_ticket_open(&w->gw.tickets, jvpn_reattach_ticket(octets),
						  w->now_ms / 1000, sid);
	if (!answer.verdict && memcmp(sid, w->record.sid, sizeof(sid)))
		abort();
	if (answer.verdict)
		return answer;
	if (octets[0] == JVPN_MSG_REQUEST)
		gateway_on_request(w, octets, len, path, &answer);
	else
		gateway_on_proof(w, octets, len, path, &answer);
	return answer;
}

/* --- the client's daemon ------------------------------------------------ */

/* REQUEST over path, and the CHALLENGE taken. */
__attribute__((unused))
static struct jvpn_attempt *client_challenged(struct world *w, u32 number,
					      const struct jvpn_path *path, bool standby)
{
	struct jvpn_attempt *attempt;
	struct answer answer;

	must(jvpn_client_request(&w->client, number, standby, NULL, w->now_ms, &w->rng,
				 &attempt), "REQUEST");
	answer = gateway_rx(w, &attempt->request, sizeof(attempt->request), path);
	must(answer.verdict, "CHALLENGE");
	must(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &attempt),
	     "CHALLENGE read");
	return attempt;
}

/* The same with a PROOF built. */
__attribute__((unused))
static struct jvpn_attempt *client_proved(struct world *w, u32 number,
					  const struct jvpn_path *path)
{
	struct jvpn_attempt *attempt = client_challenged(w, number, path, false);

	must(jvpn_client_proof(&w->client, attempt, 0, 1, w->now_ms, &w->rng), "PROOF");
	return attempt;
}

/* An ACK arrives at the client; its epoch is installed. */
__attribute__((unused))
static enum jvpn_verdict client_ack(struct world *w, const struct answer *answer)
{
	struct jvpn_client_commit commit;
	enum jvpn_verdict verdict = jvpn_client_ack(&w->client, answer->msg, answer->len, &commit);

	if (!verdict)
		w->client_epoch = commit.epoch;
	return verdict;
}

__attribute__((unused))
static bool epochs_equal(const struct world *w)
{
	return !memcmp(&w->gw_epoch, &w->client_epoch, sizeof(w->gw_epoch));
}

/* A whole jump or refresh. */
__attribute__((unused))
static void jump(struct world *w, u32 number, const struct jvpn_path *path)
{
	struct jvpn_attempt *attempt = client_proved(w, number, path);
	struct answer answer = gateway_rx(w, &attempt->proof[0].msg,
					  sizeof(attempt->proof[0].msg), path);

	must(answer.verdict, "PROOF read");
	must(client_ack(w, &answer), "ACK read");
}

__attribute__((unused))
static struct answer prove(struct world *w, struct jvpn_attempt *attempt, unsigned int proof,
			   const struct jvpn_path *path)
{
	return gateway_rx(w, &attempt->proof[proof].msg, sizeof(attempt->proof[proof].msg), path);
}

/* --- mutations ---------------------------------------------------------- */

/*
 * Feed every datagram that differs from msg in one bit, and every length
 * from 0 to len + 1, to reader. It returns whether the datagram was refused
 * and nothing changed. Octets from skip on may change unnoticed.
 */
__attribute__((unused))
static bool mutations_refused(const void *msg, size_t len, size_t skip,
			      bool (*reader)(void *ctx, const u8 *msg, size_t len), void *ctx)
{
	u8 bad[JVPN_WIRE_CONTROL_MAX + 1] = { 0 };
	size_t i, bit;

	for (i = 0; i < skip; i++) {
		for (bit = 0; bit < 8; bit++) {
			memcpy(bad, msg, len);
			bad[i] ^= 1u << bit;
			if (!reader(ctx, bad, len)) {
				tap_note("octet %zu, bit %zu", i, bit);
				return false;
			}
		}
	}
	memcpy(bad, msg, len);
	for (i = 0; i <= len + 1; i++) {
		if (i != len && !reader(ctx, bad, i)) {
			tap_note("length %zu", i);
			return false;
		}
	}
	return true;
}

#endif /* JVPN_TESTS_PROTO_SUPPORT_H */
