// SPDX-License-Identifier: GPL-2.0
/*
 * REQUEST, CHALLENGE, PROOF, ACK, REJECT, GONE: what must be refused, and
 * change nothing. An attacker sees, withholds, replays and alters packets,
 * sends from any address, and in some tests has stolen a secret.
 */

#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "reattach_noise.h"

static struct jvpn_path path_a, path_b, path_x;

/* --- every change is refused -------------------------------------------- */

/* The gateway's side of the world, for comparison. */
struct gateway_state {
	struct jvpn_reattach_session record;
	struct jvpn_proof_last last;
	struct jvpn_path bound;
	struct jvpn_epoch epoch;
	unsigned int installs;
};

static void gateway_state_get(const struct world *w, struct gateway_state *s)
{
	memset(s, 0, sizeof(*s));
	memcpy(&s->record, &w->record, sizeof(s->record));
	memcpy(&s->last, &w->last, sizeof(s->last));
	s->bound = w->bound;
	s->epoch = w->gw_epoch;
	s->installs = w->installs;
}

static bool gateway_refuses(void *ctx, const u8 *msg, size_t len)
{
	struct gateway_state before, after;
	struct world *w = ctx;
	struct answer answer;

	gateway_state_get(w, &before);
	answer = gateway_rx(w, msg, len, &path_b);
	gateway_state_get(w, &after);
	return answer.verdict && !answer.len && !memcmp(&before, &after, sizeof(before));
}

/* By a client, whatever the message is taken for. */
static bool client_refuses(void *ctx, const u8 *msg, size_t len)
{
	struct world *w = ctx;
	struct jvpn_client before = w->client;
	struct jvpn_client_commit commit = { 0 };
	struct jvpn_rejection reject = { 0 };
	struct jvpn_attempt *a = NULL;

	if (!jvpn_client_challenge(&w->client, msg, len, NULL, w->now_ms, &a) ||
	    !jvpn_client_ack(&w->client, msg, len, &commit) ||
	    !jvpn_client_reject(&w->client, msg, len, &reject, &a) ||
	    !jvpn_client_gone(&w->client, msg, len, &a))
		return false;
	return !memcmp(&before, &w->client, sizeof(before)) && !a && !reject.reason &&
	       sodium_is_zero((u8 *)&commit, sizeof(commit));
}

static void test_request_mutations(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a;

	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	tap_ok(mutations_refused(&a->request, sizeof(a->request), sizeof(a->request) - 16,
				 gateway_refuses, w),
	       "REQUEST: every bit before mac2, every length");
	free(w);
}

static void test_challenge_mutations(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a;
	struct answer answer;

	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	answer = gateway_rx(w, &a->request, sizeof(a->request), &path_b);
	/* The cookie is opaque to the client: see the next test. */
	tap_ok(mutations_refused(answer.msg, answer.len, 44, client_refuses, w),
	       "CHALLENGE: every bit before the cookie, every length");
	free(w);
}

static bool challenge_tail_refused(void *ctx, const u8 *tail, size_t len)
{
	struct answer *whole = ((void **)ctx)[1];
	u8 msg[JVPN_WIRE_CONTROL_MAX];

	if (len != JVPN_WIRE_CHALLENGE_SIZE - 68)
		return true;
	memcpy(msg, whole->msg, 68);
	memcpy(msg + 68, tail, len);
	return client_refuses(((void **)ctx)[0], msg, sizeof(struct jvpn_wire_challenge));
}

static void test_challenge_tail(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a;
	struct answer answer;
	void *ctx[] = { w, &answer };
	size_t tail = JVPN_WIRE_CHALLENGE_SIZE - 68;

	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	answer = gateway_rx(w, &a->request, sizeof(a->request), &path_b);
	tap_ok(mutations_refused(answer.msg + 68, tail, tail, challenge_tail_refused, ctx),
	       "CHALLENGE: every bit after the cookie");
	answer.msg[50] ^= 1;
	must(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &a),
	     "CHALLENGE with a changed cookie");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	answer = prove(w, a, 0, &path_b);
	tap_ok(answer.verdict == JVPN_VERDICT_STALE_COOKIE && !w->dh_rounds && !w->installs,
	       "a changed cookie is found by the gateway, before DH");
	free(w);
}

/* Octets before the sealed payload are under the gate, those in it cost DH. */
static void test_proof_mutations(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_b);
	const struct jvpn_wire_proof *m = &a->proof[0].msg;
	size_t gated = offsetof(struct jvpn_wire_proof, payload);

	tap_ok(mutations_refused(m, sizeof(*m), gated, gateway_refuses, w),
	       "PROOF: every bit up to the gate, every length");
	tap_equal(w->dh_rounds, 0, "none of these costs a DH");
	tap_ok(mutations_refused(m, sizeof(*m), sizeof(*m), gateway_refuses, w),
	       "PROOF: every bit");
	tap_equal(w->dh_rounds, (sizeof(*m) - gated) * 8, "the sealed payload costs DH");
	tap_equal(prove(w, a, 0, &path_b).msg[0], JVPN_MSG_ACK, "the right one still commits");
	free(w);
}

static void test_answer_mutations(void)
{
	struct jvpn_rejection reject = { .reason = JVPN_WIRE_REJECT_RATE };
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_b);
	struct answer ack = prove(w, a, 0, &path_b);
	struct jvpn_wire_reject reject_msg;
	struct jvpn_wire_gone gone;

	tap_ok(mutations_refused(ack.msg, ack.len, ack.len, client_refuses, w),
	       "ACK: every bit, every length");
	jvpn_reject_build(&reject_msg, &w->record.keys, a->nc, &reject, &w->rng);
	tap_ok(mutations_refused(&reject_msg, sizeof(reject_msg), sizeof(reject_msg),
				 client_refuses, w), "REJECT: every bit, every length");
	must(jvpn_client_request(&w->client, 2, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	jvpn_gone_build(&gone, w->gw.k_gone, w->record.sid, a->nc);
	tap_ok(mutations_refused(&gone, sizeof(gone), sizeof(gone), client_refuses, w),
	       "GONE: every bit, every length");
	free(w);
}

/* --- reflection and replay ------------------------------------------------ */

static void test_reflection(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a;
	struct answer challenge, ack;

	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	challenge = gateway_rx(w, &a->request, sizeof(a->request), &path_b);
	tap_ok(client_refuses(w, (u8 *)&a->request, sizeof(a->request)),
	       "REQUEST sent back to the client");
	tap_ok(gateway_refuses(w, challenge.msg, challenge.len), "CHALLENGE to the gateway");
	must(jvpn_client_challenge(&w->client, challenge.msg, challenge.len, NULL, w->now_ms, &a),
	     "CHALLENGE");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	tap_ok(client_refuses(w, (u8 *)&a->proof[0].msg, sizeof(a->proof[0].msg)),
	       "PROOF to the client");
	ack = prove(w, a, 0, &path_b);
	tap_ok(gateway_refuses(w, ack.msg, ack.len), "ACK to the gateway");
	free(w);
}

static void test_replay_to_client(void)
{
	struct jvpn_rejection reject = { .reason = JVPN_WIRE_REJECT_TERMINATED };
	struct world *w = world_new();
	struct jvpn_attempt *a, *b;
	struct jvpn_wire_reject reject_msg;
	struct answer challenge, ack;

	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	challenge = gateway_rx(w, &a->request, sizeof(a->request), &path_b);
	must(jvpn_client_challenge(&w->client, challenge.msg, challenge.len, NULL, w->now_ms, &a),
	     "CHALLENGE");
	tap_equal(jvpn_client_challenge(&w->client, challenge.msg, challenge.len, NULL, w->now_ms, &b),
		  JVPN_VERDICT_REPEATED, "CHALLENGE again, before PROOF");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	tap_equal(jvpn_client_challenge(&w->client, challenge.msg, challenge.len, NULL, w->now_ms, &b),
		  JVPN_VERDICT_REPEATED, "and after: PROOF stays as it is");
	jvpn_reject_build(&reject_msg, &w->record.keys, a->nc, &reject, &w->rng);
	ack = prove(w, a, 0, &path_b);
	must(client_ack(w, &ack), "ACK");
	tap_ok(client_refuses(w, challenge.msg, challenge.len), "CHALLENGE after the exchange");
	tap_ok(client_refuses(w, ack.msg, ack.len), "ACK after the exchange");
	tap_ok(client_refuses(w, (u8 *)&reject_msg, sizeof(reject_msg)),
	       "a withheld REJECT after the exchange");
	free(w);
}

/* Genuine STALE challenges, recorded and played again, force no new PROOFs. */
static void test_replay_stale(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_b), *got;
	struct answer first, second;

	gateway_step(w, JVPN_STATE_VOLATILE);
	first = prove(w, a, 0, &path_b);
	must(jvpn_client_challenge(&w->client, first.msg, first.len, NULL, w->now_ms, &a), "STALE");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	gateway_step(w, JVPN_STATE_RECOVERING);
	second = prove(w, a, 0, &path_b);
	must(jvpn_client_challenge(&w->client, second.msg, second.len, NULL, w->now_ms, &a), "STALE");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	tap_equal(jvpn_client_challenge(&w->client, first.msg, first.len, NULL, w->now_ms, &got),
		  JVPN_VERDICT_REPEATED, "the first STALE again");
	tap_equal(jvpn_client_challenge(&w->client, second.msg, second.len, NULL, w->now_ms, &got),
		  JVPN_VERDICT_REPEATED, "the second STALE again");
	second = prove(w, a, 0, &path_b);
	tap_equal(second.msg[0], JVPN_MSG_ACK, "the PROOF that is out still commits");
	free(w);
}

/* What comes after a PROOF, or for an attempt that is over, and is no STALE of its own. */
static void test_challenge_out_of_turn(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a, *b, *got;
	struct jvpn_rejection reject;
	struct answer answer, stale;

	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	gateway_challenge(w, &path_b, a->nc, JVPN_WIRE_CHALLENGE_STALE, false, &answer);
	tap_equal(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &got),
		  JVPN_VERDICT_BAD_FIELD, "STALE before any PROOF");
	jvpn_client_drop(&w->client, a);

	a = client_proved(w, 1, &path_b);
	answer = gateway_rx(w, &a->request, sizeof(a->request), &path_b);
	tap_equal(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &got),
		  JVPN_VERDICT_REPEATED, "a second answer to REQUEST after PROOF");
	answer = prove(w, a, 0, &path_b);
	b = client_proved(w, 2, &path_x);
	must(client_ack(w, &answer), "ACK");
	gateway_step(w, JVPN_STATE_VOLATILE);
	stale = prove(w, b, 0, &path_x);
	tap_ok(b->state == JVPN_ATTEMPT_CLOSED &&
	       jvpn_client_challenge(&w->client, stale.msg, stale.len, NULL, w->now_ms, &got) ==
	       JVPN_VERDICT_UNKNOWN_ATTEMPT, "STALE for a closed attempt revives nothing");
	gateway_reject(w, b->nc, JVPN_WIRE_REJECT_TERMINATED, &answer);
	tap_equal(jvpn_client_reject(&w->client, answer.msg, answer.len, &reject, &got),
		  JVPN_VERDICT_UNKNOWN_ATTEMPT, "nor does REJECT for one count");
	free(w);
}

static void test_stale_rounds(void)
{
	enum jvpn_verdict verdict = JVPN_VERDICT_OK;
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_b), *got;
	unsigned int rounds = 0;
	struct answer answer;

	while (!verdict) {
		gateway_step(w, JVPN_STATE_VOLATILE);
		answer = prove(w, a, 0, &path_b);
		verdict = jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms,
						&got);
		if (verdict)
			break;
		must(jvpn_client_proof(&w->client, got, 0, 1, w->now_ms, &w->rng), "PROOF");
		rounds++;
	}
	tap_ok(verdict == JVPN_VERDICT_EXHAUSTED && rounds == JVPN_CLIENT_STALE_MAX &&
	       sodium_is_zero((u8 *)a, sizeof(*a)), "STALE for ever ends the attempt");
	free(w);
}

static void test_replay_to_gateway(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_b);
	struct jvpn_wire_request request = a->request;
	struct jvpn_wire_proof proof = a->proof[0].msg;
	struct gateway_state before, after;
	struct answer answer = prove(w, a, 0, &path_b), again;

	must(client_ack(w, &answer), "ACK");
	gateway_state_get(w, &before);
	answer = gateway_rx(w, &request, sizeof(request), &path_x);
	again = gateway_rx(w, &request, sizeof(request), &path_x);
	tap_ok(answer.msg[0] == JVPN_MSG_CHALLENGE && again.msg[0] == JVPN_MSG_CHALLENGE,
	       "a replayed REQUEST is answered");
	tap_ok(memcmp(answer.msg + 28, again.msg + 28, 16) &&
	       memcmp(answer.msg + 100, again.msg + 100, 120),
	       "never twice with the same key and nonce: Ns enters the psk");
	tap_ok(client_refuses(w, answer.msg, answer.len), "and is of no use to anybody");
	answer = gateway_rx(w, &proof, sizeof(proof), &path_x);
	tap_ok(!answer.len, "a replayed PROOF from elsewhere is met with silence");
	jump(w, 1, &path_a);
	gateway_state_get(w, &before);
	answer = gateway_rx(w, &proof, sizeof(proof), &path_b);
	gateway_state_get(w, &after);
	tap_ok(answer.msg[0] == JVPN_MSG_CHALLENGE && !memcmp(&before, &after, sizeof(before)),
	       "after another commit it earns a CHALLENGE and changes nothing");
	free(w);
}

/* REKEY does not move V: a replayed one must not reinstall its epoch. */
static void test_replay_rekey(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &w->bound);
	struct jvpn_wire_proof old = a->proof[0].msg;
	struct answer answer = prove(w, a, 0, &w->bound);

	must(client_ack(w, &answer), "ACK");
	jump(w, 1, &w->bound);
	tap_equal(w->record.v, 1, "two refreshes leave V alone");
	answer = gateway_rx(w, &old, sizeof(old), &w->bound);
	tap_ok(answer.verdict == JVPN_VERDICT_STALE_EPOCH && w->installs == 2,
	       "the first one's PROOF is refused by E");
	free(w);
}

/* --- addresses -------------------------------------------------------------- */

static void test_cookie_binding(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_b);
	struct jvpn_path other[4] = { path_b, path_b, path_b, path_b };
	unsigned int i, refused = 0;

	other[0].remote.ip[15]++;
	other[1].remote.port[1]++;
	other[2].local.ip[15]++;
	other[3].transport = JVPN_WIRE_TRANSPORT_UDP6;
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		struct answer answer = prove(w, a, 0, &other[i]);

		refused += answer.verdict == JVPN_VERDICT_STALE_COOKIE &&
			   answer.msg[0] == JVPN_MSG_CHALLENGE;
	}
	tap_equal(refused, 4, "a cookie is bound to address, port, local address and transport");
	tap_ok(!w->dh_rounds && !w->installs, "no DH for any");
	free(w);
}

/* A malicious client with every secret of its session cannot bind a third party's address. */
static void test_cookie_not_forgeable(void)
{
	struct jvpn_ring_slot guess = { .live = true };
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 1, &path_b, false);
	struct jvpn_ring_binding binding = { &path_x, w->record.sid, a->nc, a->ns, a->noise.h };
	struct answer answer;

	guess.kid = a->cookie.kid;
	memcpy(guess.ck, w->record.keys.psk, 32);
	jvpn_ring_cookie_make(&guess, UINT32_MAX, &binding, &a->cookie);
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	answer = prove(w, a, 0, &path_x);
	tap_ok(answer.verdict == JVPN_VERDICT_STALE_COOKIE && !w->dh_rounds,
	       "a cookie made from the session's own secrets is refused");
	free(w);
}

static void test_cookie_of_other_exchange(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 1, &path_b, false);
	struct jvpn_attempt *b = client_challenged(w, 2, &path_b, false);
	struct answer answer;

	a->cookie = b->cookie;
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	answer = prove(w, a, 0, &path_b);
	tap_equal(answer.verdict, JVPN_VERDICT_STALE_COOKIE,
		  "a cookie of another exchange from the same address is refused");
	a = client_challenged(w, 3, &path_b, false);
	a->noise.h[0] ^= 1;
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	answer = prove(w, a, 0, &path_b);
	tap_ok(answer.verdict == JVPN_VERDICT_STALE_COOKIE && !w->dh_rounds,
	       "and one over another transcript: h1 is what it says");
	free(w);
}

/* --- time ------------------------------------------------------------------- */

static struct answer proof_after(u64 ms, bool standby)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 1, &path_b, standby);
	struct answer answer;

	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	world_pass(w, ms);
	answer = prove(w, a, 0, &path_b);
	free(w);
	return answer;
}

static void test_expiry(void)
{
	tap_equal(proof_after(5000, false).verdict, JVPN_VERDICT_OK, "PROOF after 5 s");
	tap_equal(proof_after(6000, false).verdict, JVPN_VERDICT_STALE_EXPIRED, "after 6 s");
	tap_equal(proof_after(30000, true).verdict, JVPN_VERDICT_OK, "standby: after 30 s");
	tap_equal(proof_after(31000, true).verdict, JVPN_VERDICT_STALE_EXPIRED, "after 31 s");
	tap_equal(proof_after(45000, true).verdict, JVPN_VERDICT_STALE_KID,
		  "after 45 s its slot is gone, though nobody advanced the ring");
}

static bool ring_holds(const struct jvpn_ring *ring, const u8 secret[32])
{
	return memmem(ring, sizeof(*ring), secret, 32);
}

static void test_ring(void)
{
	struct jvpn_ring ring = { 0 };
	struct world *w = world_new();
	u8 e_s[3][32];
	unsigned int i;

	for (i = 0; i < 3; i++)
		memcpy(e_s[i], jvpn_ring_current(&ring, 1000 + i * 15000, &w->rng)->e_s, 32);
	tap_ok(memcmp(e_s[0], e_s[1], 32) && memcmp(e_s[1], e_s[2], 32),
	       "every 15 s have secrets of their own");
	tap_ok(!memcmp(jvpn_ring_current(&ring, 1000 + 44999, &w->rng)->e_s, e_s[2], 32) &&
	       ring_holds(&ring, e_s[0]), "the oldest is kept for 45 s");
	jvpn_ring_advance(&ring, 1000 + 45000, &w->rng);
	tap_ok(!ring_holds(&ring, e_s[0]) && ring_holds(&ring, e_s[1]), "and erased then");
	jvpn_ring_advance(&ring, 1000 + 500000, &w->rng);
	tap_ok(!ring_holds(&ring, e_s[1]) && !ring_holds(&ring, e_s[2]),
	       "after a long sleep all are erased");
	tap_ok(jvpn_ring_find(&ring, ring.slot[ring.newest].kid, 1000 + 500000) &&
	       !jvpn_ring_find(&ring, ring.slot[ring.newest].kid - 1, 1000 + 500000),
	       "only the new slot is found");
	jvpn_ring_advance(&ring, 5, &w->rng);
	tap_ok(!jvpn_ring_find(&ring, ring.slot[ring.newest].kid - 1, 5),
	       "a clock that went back keeps nothing");
	free(w);
}

/* --- tickets ----------------------------------------------------------------- */

#define DAY_S 86400u

static void test_tickets(void)
{
	struct world *w = world_new();
	struct jvpn_tickets *t = &w->gw.tickets, other = *t;
	u8 ticket[64], next[64], sid[16] = { 1, 2 }, seen[16] = { 0 };
	unsigned int i, refused = 0;

	jvpn_ticket_seal(t, sid, 7, &w->rng, ticket);
	tap_ok(!jvpn_ticket_open(t, ticket, 7, seen) && !memcmp(seen, sid, 16),
	       "a ticket opens");
	memset(seen, 0, sizeof(seen));
	for (i = 0; i < 512; i++) {
		ticket[i / 8] ^= 1u << (i % 8);
		refused += jvpn_ticket_open(t, ticket, 7, seen) != JVPN_VERDICT_OK;
		ticket[i / 8] ^= 1u << (i % 8);
	}
	tap_ok(refused == 512 && sodium_is_zero(seen, 16), "every changed bit is refused");
	other.root[3] ^= 4;
	tap_equal(jvpn_ticket_open(&other, ticket, 7, seen), JVPN_VERDICT_TICKET_FORGED,
		  "another gateway cannot open it");
	tap_equal(jvpn_ticket_open(t, ticket, DAY_S + 6, seen), JVPN_VERDICT_OK,
		  "it is good for a day");
	tap_equal(jvpn_ticket_open(t, ticket, DAY_S + 7, seen), JVPN_VERDICT_TICKET_EXPIRED,
		  "and no longer");
	jvpn_ticket_seal(t, sid, DAY_S + 7, &w->rng, next);
	tap_ok(next[0] != ticket[0], "each day has its key");
	jvpn_ticket_seal(t, sid, 400 * DAY_S, &w->rng, next);
	tap_equal(jvpn_ticket_open(t, next, 400 * DAY_S + 1, seen), JVPN_VERDICT_OK,
		  "there are days enough");
	tap_equal(jvpn_ticket_open(t, next, 3, seen), JVPN_VERDICT_OK,
		  "one of an earlier boot opens");
	free(w);
}

/* --- rollback ------------------------------------------------------------------ */

static void test_rollback(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a;
	struct answer answer;

	w->client.rec.v_seen = 5;
	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	answer = gateway_rx(w, &a->request, sizeof(a->request), &path_b);
	tap_ok(answer.verdict == JVPN_VERDICT_ROLLBACK && answer.msg[0] == JVPN_MSG_REJECT,
	       "a gateway that has lost versions is told so");
	gateway_challenge(w, &path_b, a->nc, 0, false, &answer);
	tap_equal(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &a),
		  JVPN_VERDICT_ROLLBACK, "and one that goes on regardless is not followed");
	w->record.v = 5;
	w->record.incarnation++;
	gateway_challenge(w, &path_b, a->nc, 0, false, &answer);
	tap_equal(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &a),
		  JVPN_VERDICT_ROLLBACK, "nor one whose lost versions were caught up");
	free(w);
}

/* A CHALLENGE that was made before a jump and comes after it is old, not a rollback. */
static void test_no_false_rollback(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *slow, *got;
	struct answer late, answer;

	must(jvpn_client_request(&w->client, 9, false, NULL, w->now_ms, &w->rng, &slow),
	     "REQUEST");
	late = gateway_rx(w, &slow->request, sizeof(slow->request), &path_x);
	jump(w, 1, &path_b);
	tap_equal(jvpn_client_challenge(&w->client, late.msg, late.len, NULL, w->now_ms, &got),
		  JVPN_VERDICT_OK, "a late CHALLENGE of before the jump is no rollback");
	must(jvpn_client_proof(&w->client, got, 0, 1, w->now_ms, &w->rng), "PROOF");
	answer = prove(w, got, 0, &path_x);
	tap_ok(!client_ack(w, &answer) && epochs_equal(w),
	       "its PROOF names what is known since, and commits");
	free(w);
}

/* --- stolen and mixed-up secrets ------------------------------------------------ */

/* K_psk is stolen from the store; the static keys are not. */
static void test_stolen_record(void)
{
	struct world *w = world_new();
	struct jvpn_client thief = { 0 };
	struct jvpn_epoch epoch;
	struct jvpn_noise noise;
	struct jvpn_attempt *a;
	struct jvpn_proof proof;
	struct answer answer;
	u8 meaning;
	u8 secret[32], public_key[32];

	jvpn_dh_generate(secret, public_key, &w->rng);
	jvpn_client_resume(&thief, secret, &w->client.rec);
	must(jvpn_client_request(&thief, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	answer = gateway_rx(w, &a->request, sizeof(a->request), &path_x);
	tap_equal(jvpn_client_challenge(&thief, answer.msg, answer.len, NULL, w->now_ms, &a),
		  JVPN_VERDICT_BAD_AUTH, "without the client's static key CHALLENGE stays shut");
	memcpy(thief.public_key, w->client_pub, 32);
	must(jvpn_client_challenge(&thief, answer.msg, answer.len, NULL, w->now_ms, &a), "CHALLENGE");
	must(jvpn_client_proof(&thief, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	must(jvpn_proof_open(&w->gw, &w->record, &w->last, &path_x, (u8 *)&a->proof[0].msg,
			     sizeof(a->proof[0].msg), w->now_ms, &proof), "gate");
	must(jvpn_proof_dh(&proof, w->gw.secret, &noise), "DH");
	tap_equal(jvpn_proof_finish(&proof, &noise, &epoch, &meaning), JVPN_VERDICT_BAD_AUTH,
		  "with its public half the gate opens, the commit does not follow");
	free(w);
}

static void gate_reseal(struct world *w, struct jvpn_wire_proof *m, u64 v, u32 e)
{
	struct jvpn_reattach_names names = { w->record.suite, w->record.sid, m->nc, m->ns };
	struct jvpn_wire_gate gate = { jvpn_cpu_to_le64(v), jvpn_cpu_to_le32(e), { 0 } };
	u8 psk[32], key[32];

	jvpn_reattach_psk(psk, &w->record.keys, &names);
	jvpn_reattach_gate_key(key, psk, m->e_c);
	jvpn_aead_seal(m->gate, key, jvpn_reattach_gate_nonce, m, JVPN_GATE_AD_SIZE, &gate,
		       sizeof(gate));
}

/* A gate that says one thing and a sealed payload that says another. */
static void test_gate_against_payload(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 1, &path_b, false);
	struct answer answer;

	must(jvpn_client_proof(&w->client, a, 7, 1, w->now_ms, &w->rng), "PROOF");
	gate_reseal(w, &a->proof[0].msg, w->record.v, w->record.e);
	answer = prove(w, a, 0, &path_b);
	tap_ok(answer.verdict == JVPN_VERDICT_BAD_FIELD && !w->installs,
	       "the sealed (V, E) must be the gate's");
	free(w);
}

static void test_low_order(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_b);
	struct jvpn_wire_proof *m = &a->proof[0].msg;
	struct answer answer;

	memset(m->e_c, 0, sizeof(m->e_c));
	answer = prove(w, a, 0, &path_b);
	tap_equal(answer.verdict, JVPN_VERDICT_BAD_GATE, "the gate is bound to e_c");
	gate_reseal(w, m, w->record.v, w->record.e);
	answer = prove(w, a, 0, &path_b);
	tap_ok(answer.verdict == JVPN_VERDICT_BAD_KEY && !w->installs,
	       "an all-zero DH result is refused, even behind a good gate");
	free(w);
}

/* A gateway (or who holds its secrets) that sends an e_s of low order. */
static void test_low_order_challenge(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a, before;
	struct answer answer;

	jvpn_ring_current(&w->gw.ring, w->now_ms, &w->rng);
	memset(w->gw.ring.slot[w->gw.ring.newest].e_s_pub, 0, 32);
	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	answer = gateway_rx(w, &a->request, sizeof(a->request), &path_b);
	must(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &a),
	     "CHALLENGE");
	before = *a;
	tap_ok(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng) ==
	       JVPN_VERDICT_BAD_KEY && !memcmp(&before, a, sizeof(before)),
	       "the client builds no PROOF on it");
	free(w);
}

/* A ticket of one session with the PROOF of another; a suite that was not agreed. */
static void test_mixed_sessions(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_b);
	struct jvpn_reattach_session other = w->record;
	struct jvpn_proof proof;
	struct answer answer;
	const u8 *m = (const u8 *)&a->proof[0].msg;

	jvpn_rng_fill(&w->rng, other.sid, sizeof(other.sid));
	tap_equal(jvpn_proof_open(&w->gw, &other, &w->last, &path_b, m, sizeof(a->proof[0].msg),
				  w->now_ms, &proof), JVPN_VERDICT_BAD_GATE,
		  "a session id enters the gate");
	other = w->record;
	jvpn_rng_fill(&w->rng, &other.keys, sizeof(other.keys));
	tap_equal(jvpn_proof_open(&w->gw, &other, &w->last, &path_b, m, sizeof(a->proof[0].msg),
				  w->now_ms, &proof), JVPN_VERDICT_BAD_GATE,
		  "and the session's secret");
	tap_equal(jvpn_request_open(&other, (u8 *)&a->request, sizeof(a->request),
				    &(struct jvpn_request){ 0 }), JVPN_VERDICT_BAD_AUTH,
		  "so does REQUEST");
	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	w->record.suite++;
	answer = gateway_rx(w, &a->request, sizeof(a->request), &path_b);
	tap_equal(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &a),
		  JVPN_VERDICT_BAD_AUTH, "both must mean the same suite");
	free(w);
}

/* Other octets behind the gate: the same public-key work judges copies and the genuine one. */
static void test_one_gate(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_b), *b;
	struct jvpn_wire_proof forged = a->proof[0].msg;
	struct jvpn_proof copy, genuine, other;
	struct jvpn_noise noise;
	struct jvpn_epoch epoch;
	u8 meaning = 9;

	forged.payload[sizeof(forged.payload) - 1] ^= 1;
	must(jvpn_proof_open(&w->gw, &w->record, &w->last, &path_b, (u8 *)&forged,
			     sizeof(forged), w->now_ms, &copy), "gate");
	must(jvpn_proof_open(&w->gw, &w->record, &w->last, &path_b, (u8 *)&a->proof[0].msg,
			     sizeof(forged), w->now_ms, &genuine), "gate");
	tap_ok(!memcmp(copy.gate, genuine.gate, sizeof(copy.gate)) &&
	       memcmp(copy.hash, genuine.hash, sizeof(copy.hash)),
	       "a copy with another payload has the same gate and is another PROOF");
	must(jvpn_proof_dh(&copy, w->gw.secret, &noise), "DH");
	tap_equal(jvpn_proof_finish(&copy, &noise, &epoch, &meaning), JVPN_VERDICT_BAD_AUTH,
		  "the copy is refused");
	tap_ok(!jvpn_proof_finish(&genuine, &noise, &epoch, &meaning) &&
	       !memcmp(&epoch, &a->proof[0].epoch, sizeof(epoch)),
	       "the same public-key work opens the genuine one");
	tap_equal(meaning, JVPN_WIRE_PROOF_UNSTATED, "which does not say what it means");
	b = client_proved(w, 2, &path_b);
	must(jvpn_proof_open(&w->gw, &w->record, &w->last, &path_b, (u8 *)&b->proof[0].msg,
			     sizeof(forged), w->now_ms, &other), "gate");
	tap_ok(memcmp(other.gate, genuine.gate, sizeof(other.gate)), "another attempt's differs");
	free(w);
}

/* The commit compares again what may have moved while DH was under way. */
static void test_commit_compares(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_b);
	struct jvpn_proof proof;
	struct jvpn_noise noise;
	struct jvpn_epoch epoch;
	u8 meaning;

	must(jvpn_proof_open(&w->gw, &w->record, &w->last, &path_b, (u8 *)&a->proof[0].msg,
			     sizeof(a->proof[0].msg), w->now_ms, &proof), "gate");
	must(jvpn_proof_dh(&proof, w->gw.secret, &noise), "DH");
	must(jvpn_proof_finish(&proof, &noise, &epoch, &meaning), "payload");
	gateway_step(w, JVPN_STATE_VOLATILE);
	tap_ok(!gateway_commit(w, &proof, &epoch) && !w->installs,
	       "a version that moved during DH stops the commit");
	jvpn_proof_wipe(&proof);
	tap_ok(sodium_is_zero((u8 *)&proof, sizeof(proof)), "a wiped PROOF is all zero");
	free(w);
}

static void test_implausible_ack(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_b);
	struct answer answer;

	prove(w, a, 0, &path_b);
	w->last.v_new = 7;
	gateway_ack(w, &answer);
	tap_ok(client_refuses(w, answer.msg, answer.len), "an ACK of a version out of reach");
	w->last.v_new = 3;
	w->last.e_new = 5;
	gateway_ack(w, &answer);
	tap_ok(client_refuses(w, answer.msg, answer.len), "an ACK of an epoch out of reach");
	w->last.e_new = 1;
	w->record.v = 2;
	gateway_ack(w, &answer);
	tap_ok(client_refuses(w, answer.msg, answer.len), "an ACK from before its own commit");
	free(w);
}

/* --- what an observer sees -------------------------------------------------------- */

static void test_unlinkable(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_a);
	struct jvpn_wire_request first = a->request;
	struct jvpn_epoch before = w->gw_epoch;
	struct answer answer = prove(w, a, 0, &path_a);

	must(client_ack(w, &answer), "ACK");
	a = client_proved(w, 2, &path_b);
	tap_ok(memcmp(first.ticket, a->request.ticket, 64) && memcmp(first.nc, a->nc, 24) &&
	       memcmp(first.payload, a->request.payload, 100),
	       "REQUESTs on two paths have nothing in common");
	tap_ok(before.idx_c2s != w->gw_epoch.idx_c2s && before.idx_s2c != w->gw_epoch.idx_s2c,
	       "nor have the indices of two epochs");
	free(w);
}

static void test_erased(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &path_a);
	struct answer answer = prove(w, a, 0, &path_a);
	u8 key[32];

	memcpy(key, a->proof[0].epoch.c2s.key, sizeof(key));
	must(client_ack(w, &answer), "ACK");
	tap_ok(!memmem(&w->client, sizeof(w->client), key, sizeof(key)) &&
	       sodium_is_zero((u8 *)a, sizeof(*a)), "after its ACK an attempt is erased");
	free(w);
}

/* Two copies of a machine, here of a process: none has drawn what the other draws. */
static void test_copies(void)
{
	static const size_t sizes[] = { 4, 16, 24, 32 };
	unsigned int equal = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		u8 mine[32] = {}, other[32] = {};
		int ends[2];
		pid_t pid;

		/* A nonce was needed before. */
		jvpn_rng_fill(&jvpn_rng_system, mine, sizes[i]);
		if (pipe(ends) || (pid = fork()) < 0)
			abort();
		jvpn_rng_fill(&jvpn_rng_system, mine, sizes[i]);
		if (!pid)
			_exit(write(ends[1], mine, sizes[i]) != (ssize_t)sizes[i]);
		if (read(ends[0], other, sizes[i]) != (ssize_t)sizes[i] || waitpid(pid, NULL, 0) < 0)
			abort();
		equal += !memcmp(mine, other, sizes[i]);
		close(ends[0]);
		close(ends[1]);
	}
	tap_equal(equal, 0, "no random octets are drawn ahead of their use");
}

int main(void)
{
	path_a = path_make("198.51.100.10", 10);
	path_b = path_make("198.51.100.20", 20);
	path_x = path_make("198.51.100.66", 66);

	test_request_mutations();
	test_challenge_mutations();
	test_challenge_tail();
	test_proof_mutations();
	test_answer_mutations();
	test_reflection();
	test_replay_to_client();
	test_replay_stale();
	test_challenge_out_of_turn();
	test_stale_rounds();
	test_replay_to_gateway();
	test_replay_rekey();
	test_cookie_binding();
	test_cookie_not_forgeable();
	test_cookie_of_other_exchange();
	test_expiry();
	test_ring();
	test_tickets();
	test_rollback();
	test_no_false_rollback();
	test_stolen_record();
	test_gate_against_payload();
	test_low_order();
	test_low_order_challenge();
	test_mixed_sessions();
	test_one_gate();
	test_commit_compares();
	test_implausible_ack();
	test_unlinkable();
	test_erased();
	test_copies();
	return tap_done();
}
