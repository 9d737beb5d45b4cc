// SPDX-License-Identifier: GPL-2.0
/* REQUEST, CHALLENGE, PROOF, ACK: what must work. */

#include "support.h"

static void test_sizes(struct world *w)
{
	struct jvpn_path a = path_make("192.0.2.1", 1000);
	struct jvpn_attempt *attempt;
	struct answer answer;

	attempt = client_proved(w, 1, &a);
	answer = prove(w, attempt, 0, &a);
	tap_ok(sizeof(attempt->request) == 224 && sizeof(attempt->proof[0].msg) == 308 &&
	       answer.len == 140, "REQUEST 224, PROOF 308, ACK 140");
	tap_ok(!client_ack(w, &answer), "the first exchange completes");
}

static void test_refresh(void)
{
	struct world *w = world_new();
	struct jvpn_epoch before;

	before = w->client_epoch;
	tap_ok(epochs_equal(w), "epoch 0 is the handshake's");
	jump(w, 1, &w->bound);
	tap_equal(w->record.v, 1, "a refresh from the bound address keeps the version");
	tap_equal(w->record.e, 1, "and raises E");
	tap_ok(w->client.rec.v == 1 && w->client.rec.e == 1, "the client knows both");
	tap_ok(epochs_equal(w), "both have the new epoch");
	tap_ok(before.idx_c2s != w->client_epoch.idx_c2s &&
	       before.idx_s2c != w->client_epoch.idx_s2c &&
	       memcmp(&before.c2s, &w->client_epoch.c2s, sizeof(before.c2s)),
	       "it has new indices and keys");
	free(w);
}

static void test_jump(void)
{
	struct jvpn_path b = path_make("198.51.100.9", 2000);
	struct world *w = world_new();

	jump(w, 2, &b);
	tap_equal(w->record.v, 3, "a jump while ATTACHED is two versions");
	tap_ok(jvpn_path_equal(&w->bound, &b), "and binds the new path");
	gateway_step(w, JVPN_STATE_RECOVERING);
	jump(w, 2, &b);
	tap_equal(w->record.v, 5, "one while RECOVERING is one");
	gateway_step(w, JVPN_STATE_DEGRADED);
	jump(w, 2, &b);
	tap_equal(w->record.v, 8, "one while DEGRADED is two");
	tap_ok(epochs_equal(w) && w->installs == 3, "each installs once");
	free(w);
}

/* The ACK is lost and PROOF comes again. */
static void test_lost_ack(void)
{
	struct jvpn_path b = path_make("198.51.100.9", 2000);
	struct jvpn_path x = path_make("198.51.100.66", 2000);
	struct world *w = world_new();
	struct jvpn_attempt *attempt = client_proved(w, 2, &b);
	struct answer first = prove(w, attempt, 0, &b), again;

	again = prove(w, attempt, 0, &b);
	tap_equal(again.verdict, JVPN_VERDICT_DUPLICATE, "the same PROOF again is recognised");
	tap_ok(w->installs == 1 && w->dh_rounds == 1 && w->record.v == 3,
	       "installs nothing, costs no DH");
	tap_ok(memcmp(first.msg, again.msg, again.len), "its ACK has a nonce of its own");
	gateway_step(w, JVPN_STATE_VOLATILE);
	again = prove(w, attempt, 0, &b);
	tap_ok(!client_ack(w, &again), "and completes the client");
	tap_ok(w->client.rec.v == 3 && w->client.rec.v_seen == 4,
	       "it carries the version of the commit and the current one");
	tap_ok(epochs_equal(w), "with the same epoch");
	attempt = client_proved(w, 2, &b);
	prove(w, attempt, 0, &b);
	again = prove(w, attempt, 0, &x);
	tap_ok(again.verdict == JVPN_VERDICT_DUPLICATE_ELSEWHERE && !again.len,
	       "from another address it is met with silence");
	free(w);
}

/* The ACK is lost and the client goes elsewhere: nothing is chained, so nothing is lost. */
static void test_abandoned_commit(void)
{
	struct jvpn_path c = path_make("198.51.100.3", 3), d = path_make("198.51.100.4", 4);
	struct world *w = world_new();
	struct jvpn_attempt *lost = client_proved(w, 3, &c);
	struct jvpn_wire_proof old = lost->proof[0].msg;
	struct answer answer;

	prove(w, lost, 0, &c);
	jvpn_client_drop(&w->client, lost);
	jump(w, 4, &d);
	tap_ok(epochs_equal(w) && jvpn_path_equal(&w->bound, &d), "a new attempt elsewhere heals");
	answer = gateway_rx(w, &old, sizeof(old), &c);
	tap_ok(answer.msg[0] == JVPN_MSG_CHALLENGE && w->dh_rounds == 2 &&
	       jvpn_path_equal(&w->bound, &d), "the old PROOF earns a CHALLENGE, no DH, no change");
	free(w);
}

static void test_race(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1), q = path_make("198.51.100.2", 2);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &p), *b = client_proved(w, 2, &q);
	struct jvpn_attempt *again;
	struct answer first, second;

	first = prove(w, a, 0, &p);
	second = prove(w, b, 0, &q);
	tap_ok(first.msg[0] == JVPN_MSG_ACK && second.verdict == JVPN_VERDICT_STALE_VERSION &&
	       second.msg[0] == JVPN_MSG_CHALLENGE, "of two PROOFs for one version one commits");
	tap_ok(!jvpn_client_challenge(&w->client, second.msg, second.len, NULL, w->now_ms, &again) &&
	       again == b, "the newest intent may prove again");
	must(jvpn_client_proof(&w->client, again, 0, 1, w->now_ms, &w->rng), "PROOF");
	second = prove(w, again, 0, &q);
	tap_ok(!client_ack(w, &second) && epochs_equal(w) && jvpn_path_equal(&w->bound, &q),
	       "and wins after one more round");
	tap_equal(client_ack(w, &first), JVPN_VERDICT_UNKNOWN_ATTEMPT,
		  "the loser's ACK, late, moves nothing back");
	tap_ok(epochs_equal(w), "both still agree");
	free(w);
}

/* Every attempt that proves again after STALE would fight its rivals for ever. */
static void test_no_duel(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1), q = path_make("198.51.100.2", 2);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &p), *b = client_proved(w, 2, &q), *got;
	struct answer answer;

	prove(w, b, 0, &q);
	answer = prove(w, a, 0, &p);
	tap_equal(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &got),
		  JVPN_VERDICT_SUPERSEDED, "STALE for an older intent ends it");
	tap_equal(a->state, JVPN_ATTEMPT_FREE, "it is erased");
	tap_equal(b->state, JVPN_ATTEMPT_PROVED, "the newest is untouched");
	free(w);
}

/* The gateway committed both; their ACKs come in the order of the commits. */
static void test_both_committed(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1), q = path_make("198.51.100.2", 2);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &p), *b;
	struct answer first = prove(w, a, 0, &p), second;

	b = client_proved(w, 2, &q);
	second = prove(w, b, 0, &q);
	tap_ok(!client_ack(w, &first), "the first commit's ACK is taken");
	tap_equal(b->state, JVPN_ATTEMPT_CLOSED, "the newer attempt sends no more");
	tap_ok(!client_ack(w, &second) && epochs_equal(w), "but its ACK counts, and both agree");
	tap_equal(b->state, JVPN_ATTEMPT_FREE, "then it is erased");

	a = client_proved(w, 1, &p);
	first = prove(w, a, 0, &p);
	b = client_proved(w, 2, &q);
	prove(w, b, 0, &q);
	must(client_ack(w, &first), "ACK");
	jvpn_client_expire(&w->client, w->now_ms + JVPN_CLIENT_CHALLENGE_MS +
			   JVPN_CLIENT_LATE_MS - 1);
	tap_equal(b->state, JVPN_ATTEMPT_CLOSED, "it waits for its ACK");
	jvpn_client_expire(&w->client, w->now_ms + JVPN_CLIENT_CHALLENGE_MS +
			   JVPN_CLIENT_LATE_MS);
	tap_equal(b->state, JVPN_ATTEMPT_FREE, "for as long as a CHALLENGE lives");
	free(w);
}

static void test_reordered_acks(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1), q = path_make("198.51.100.2", 2);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &p), *b;
	struct answer first = prove(w, a, 0, &p), second;

	b = client_proved(w, 2, &q);
	second = prove(w, b, 0, &q);
	tap_ok(!client_ack(w, &second), "the newer commit's ACK comes first");
	tap_equal(client_ack(w, &first), JVPN_VERDICT_UNKNOWN_ATTEMPT, "the older one is late");
	tap_ok(epochs_equal(w) && w->client.rec.v == 5, "and does not roll the client back");
	free(w);
}

/* An ACK below the current pair is refused by the pair alone. */
static void test_old_commit(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &p);
	struct answer answer = prove(w, a, 0, &p);
	struct jvpn_epoch before = w->client_epoch;

	w->client.rec.v = 3;
	w->client.rec.e = 1;
	tap_equal(client_ack(w, &answer), JVPN_VERDICT_OLD_COMMIT,
		  "an ACK not above the current (V, E) installs nothing");
	tap_ok(!memcmp(&before, &w->client_epoch, sizeof(before)) && w->client.rec.v == 3,
	       "the client's epoch stays");
	free(w);
}

/* The gateway's own timers move V between CHALLENGE and PROOF, twice at most. */
static void test_timer_races(void)
{
	static const u8 states[] = { JVPN_STATE_VOLATILE, JVPN_STATE_RECOVERING };
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &p);
	struct answer answer;
	u8 e_c[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		memcpy(e_c, a->proof[0].msg.e_c, sizeof(e_c));
		gateway_step(w, states[i]);
		answer = prove(w, a, 0, &p);
		tap_equal(answer.verdict, JVPN_VERDICT_STALE_VERSION, "a timer made PROOF stale");
		must(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &a),
		     "STALE");
		must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
		tap_ok(memcmp(e_c, a->proof[0].msg.e_c, sizeof(e_c)),
		       "the new PROOF has an ephemeral of its own");
	}
	answer = prove(w, a, 0, &p);
	tap_ok(!client_ack(w, &answer) && epochs_equal(w) && w->record.v == 4 &&
	       w->dh_rounds == 1, "the third commits, with one DH round in all");
	free(w);
}

static void test_restart(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &p);
	struct answer answer;

	jvpn_ring_wipe(&w->gw.ring);
	jvpn_ring_advance(&w->gw.ring, w->now_ms, &w->rng);
	answer = prove(w, a, 0, &p);
	tap_ok(jvpn_verdict_stale(answer.verdict) && answer.msg[0] == JVPN_MSG_CHALLENGE,
	       "after a restart an old PROOF earns a CHALLENGE");
	must(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &a), "STALE");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	answer = prove(w, a, 0, &p);
	tap_ok(!client_ack(w, &answer) && epochs_equal(w), "which completes it");
	free(w);
}

/* --- warm standby -------------------------------------------------------- */

static void test_standby(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 5, &p, true), *newer;
	struct answer answer;

	tap_ok(jvpn_client_standby(&w->client, 5, w->now_ms) == a, "a CHALLENGE is in store");
	tap_ok(!jvpn_client_standby(&w->client, 6, w->now_ms), "for its path only");
	world_pass(w, 15000);
	newer = client_challenged(w, 5, &p, true);
	tap_ok(a->state == JVPN_ATTEMPT_FREE && jvpn_client_standby(&w->client, 5, w->now_ms) ==
	       newer, "the next one takes its place");
	world_pass(w, 29000);
	jvpn_client_expire(&w->client, w->now_ms);
	tap_ok(jvpn_client_standby(&w->client, 5, w->now_ms) == newer, "it is good for 29 s");
	must(jvpn_client_proof(&w->client, newer, 0, 1, w->now_ms, &w->rng), "PROOF");
	answer = prove(w, newer, 0, &p);
	tap_ok(!client_ack(w, &answer) && epochs_equal(w), "and commits at once");
	client_challenged(w, 5, &p, true);
	jvpn_client_expire(&w->client, w->now_ms + JVPN_CLIENT_STANDBY_MS);
	tap_ok(!jvpn_client_standby(&w->client, 5, w->now_ms), "after 30 s it is erased");
	free(w);
}

/* The pre-fetched version is behind by i; PROOFs name V, V + 1, V + 2. */
static void standby_behind(unsigned int behind)
{
	static const u8 states[] = { JVPN_STATE_VOLATILE, JVPN_STATE_RECOVERING };
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 5, &p, true), *got;
	struct answer answer[3];
	unsigned int i, acks = 0, waits = 0;

	for (i = 0; i < behind; i++)
		gateway_step(w, states[i]);
	must(jvpn_client_proof(&w->client, a, 0, 3, w->now_ms, &w->rng), "PROOF");
	for (i = 0; i < 3; i++) {
		answer[i] = prove(w, a, i, &p);
		if (answer[i].msg[0] == JVPN_MSG_ACK)
			acks++;
		else if (i < behind)
			waits += jvpn_client_challenge(&w->client, answer[i].msg, answer[i].len, NULL,
						       w->now_ms, &got) == JVPN_VERDICT_PENDING;
	}
	tap_ok(acks == 1 && w->installs == 1 && w->dh_rounds == 1,
	       "of PROOFs naming V, V+1, V+2 one commits, gateway %u ahead", behind);
	tap_equal(waits, behind, "STALE for the others: the right one is under way");
	tap_ok(!client_ack(w, &answer[behind]) && epochs_equal(w), "and both agree");
	if (!behind)
		tap_equal(answer[2].verdict, JVPN_VERDICT_STALE_EPOCH,
			  "the jump made V+2 current; only E stops the third");
	free(w);
}

/* One has committed, its ACK is late: STALE for the others names its epoch, and is no reason. */
static void test_standby_ack_late(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 5, &p, true), *got = NULL;
	struct answer committed, stale;
	unsigned int i, waits = 0;

	must(jvpn_client_proof(&w->client, a, 0, 3, w->now_ms, &w->rng), "PROOF");
	committed = prove(w, a, 0, &p);
	for (i = 1; i < 3; i++) {
		stale = prove(w, a, i, &p);
		waits += jvpn_client_challenge(&w->client, stale.msg, stale.len, NULL, w->now_ms,
					       &got) == JVPN_VERDICT_PENDING;
	}
	tap_equal(waits, 2, "STALE for two of three, one epoch on: the third has committed");
	tap_ok(!client_ack(w, &committed) && epochs_equal(w) && w->installs == 1,
	       "its ACK completes it, late");
	free(w);
}

/* All cookies of the three have expired: each is answered STALE with the V they name. */
static void test_standby_expired(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 5, &p, true), *got = NULL;
	enum jvpn_verdict verdict = JVPN_VERDICT_OK;
	struct answer answer;
	unsigned int i;

	must(jvpn_client_proof(&w->client, a, 0, 3, w->now_ms, &w->rng), "PROOF");
	world_pass(w, 46000);
	for (i = 0; i < 3; i++) {
		answer = prove(w, a, i, &p);
		verdict = jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms,
						&got);
		if (i < 2)
			tap_equal(verdict, JVPN_VERDICT_PENDING, "one STALE may be another's");
	}
	tap_ok(!verdict && got == a, "three are not: prove again");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	answer = prove(w, a, 0, &p);
	tap_ok(!client_ack(w, &answer) && epochs_equal(w), "which completes it");
	free(w);
}

/*
 * Two of three PROOFs are refused, one of them twice, as the network made a copy. That looks as if
 * all were, while the third is being judged: the client proves again, and the third commits.
 */
static struct jvpn_attempt *proved_again(struct world *w, const struct jvpn_path *p,
					 struct jvpn_wire_proof *first)
{
	static const unsigned int order[] = { 1, 2, 1 };
	struct jvpn_attempt *a = client_challenged(w, 5, p, true), *got = NULL;
	enum jvpn_verdict verdict = JVPN_VERDICT_OK;
	struct answer answer;
	unsigned int i;

	must(jvpn_client_proof(&w->client, a, 0, 3, w->now_ms, &w->rng), "PROOF");
	*first = a->proof[0].msg;
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		answer = prove(w, a, order[i], p);
		verdict = jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms,
						&got);
	}
	tap_ok(!verdict && got == a, "a copy's STALE counts: prove again");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	return a;
}

static void test_former_round_commits(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_wire_proof first;
	struct jvpn_attempt *a = proved_again(w, &p, &first);
	struct answer committed, stale;

	committed = gateway_rx(w, &first, sizeof(first), &p);
	tap_equal(committed.msg[0], JVPN_MSG_ACK, "the PROOF of the former round commits");
	stale = prove(w, a, 0, &p);
	tap_ok(jvpn_verdict_stale(stale.verdict), "so that of the newer one is of the past");
	tap_ok(!client_ack(w, &committed) && epochs_equal(w), "the former one's ACK is of use");
	tap_ok(w->installs == 1 && a->state == JVPN_ATTEMPT_FREE, "one commit, and it is over");
	free(w);
}

/* The ACK of the former round is late: the newer round has committed as well. */
static void test_both_rounds_commit(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_wire_proof first;
	struct jvpn_attempt *a = proved_again(w, &p, &first), *got = NULL;
	struct answer former, newer, stale;

	former = gateway_rx(w, &first, sizeof(first), &p);
	stale = prove(w, a, 0, &p);
	must(jvpn_client_challenge(&w->client, stale.msg, stale.len, NULL, w->now_ms, &got), "STALE");
	must(jvpn_client_proof(&w->client, got, 0, 1, w->now_ms, &w->rng), "PROOF");
	newer = prove(w, a, 0, &p);
	tap_equal(newer.msg[0], JVPN_MSG_ACK, "both rounds commit");
	tap_ok(!client_ack(w, &former) && a->state == JVPN_ATTEMPT_CLOSED,
	       "after the former's ACK the newer only waits for its own");
	tap_equal(client_ack(w, &former), JVPN_VERDICT_OLD_COMMIT, "a copy of it changes nothing");
	tap_ok(!client_ack(w, &newer) && epochs_equal(w), "and both agree on the newer one");
	free(w);
}

/* A refresh after the pre-fetch has moved E. */
static void test_standby_after_refresh(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 5, &p, true);
	struct answer answer;

	jump(w, 1, &w->bound);
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	tap_ok(a->proof[0].v == 1 && a->proof[0].e == 1, "PROOF names the newest known pair");
	answer = prove(w, a, 0, &p);
	tap_ok(!client_ack(w, &answer) && epochs_equal(w), "and commits");
	a = client_challenged(w, 5, &p, true);
	gateway_step(w, JVPN_STATE_VOLATILE);
	must(jvpn_client_proof(&w->client, a, w->record.v, 1, w->now_ms, &w->rng), "PROOF");
	answer = prove(w, a, 0, &p);
	tap_ok(!client_ack(w, &answer) && epochs_equal(w), "a heartbeat's version is a good hint");
	free(w);
}

/* A CHALLENGE of another path shows a newer version than the one in store. */
static void test_standby_version_seen(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1), q = path_make("198.51.100.2", 2);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 5, &p, true);
	struct answer answer;
	bool named;

	gateway_step(w, JVPN_STATE_VOLATILE);
	client_challenged(w, 6, &q, true);
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	named = a->v_cur == 1 && a->proof[0].v == 2;
	answer = prove(w, a, 0, &p);
	tap_ok(named && !client_ack(w, &answer) && epochs_equal(w), "PROOF names the newest version seen on any path");
	free(w);
}

/* REQUEST was sent twice; the second answer is older than what PROOF went by. */
static void test_second_challenge_late(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1), q = path_make("198.51.100.2", 2);
	struct world *w = world_new();
	struct jvpn_attempt *a, *found;
	struct answer first, second, answer;

	must(jvpn_client_request(&w->client, 7, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	first = gateway_rx(w, &a->request, sizeof(a->request), &p);
	second = gateway_rx(w, &a->request, sizeof(a->request), &p);
	must(jvpn_client_challenge(&w->client, first.msg, first.len, NULL, w->now_ms, &a), "CHALLENGE");
	gateway_step(w, JVPN_STATE_VOLATILE);
	client_challenged(w, 8, &q, true);
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	tap_equal(jvpn_client_challenge(&w->client, second.msg, second.len, NULL, w->now_ms, &found),
		  JVPN_VERDICT_REPEATED, "a late second CHALLENGE is no rollback");
	answer = prove(w, a, 0, &p);
	tap_ok(!client_ack(w, &answer) && epochs_equal(w), "and the attempt goes on");
	free(w);
}

/* --- confirmation by traffic --------------------------------------------- */

static void test_confirm(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &p);
	struct jvpn_client_commit commit;
	struct answer answer = prove(w, a, 0, &p);

	tap_equal(jvpn_client_confirm(&w->client, w->gw_epoch.idx_s2c + 1, &commit),
		  JVPN_VERDICT_UNKNOWN_ATTEMPT, "another index confirms nothing");
	tap_ok(!jvpn_client_confirm(&w->client, w->gw_epoch.idx_s2c, &commit) &&
	       !memcmp(&commit.epoch, &w->gw_epoch, sizeof(commit.epoch)) && commit.path == 1,
	       "a packet of the new epoch is as good as its ACK");
	tap_equal(client_ack(w, &answer), JVPN_VERDICT_UNKNOWN_ATTEMPT, "which then is late");
	free(w);
}

/* --- invitations ---------------------------------------------------------- */

struct invitation {
	struct jvpn_client_sent sent;
	struct jvpn_path path;
	struct answer answer;
};

static void invite(struct world *w, struct invitation *i, u64 ctr, u8 flags)
{
	u8 nc[JVPN_WIRE_NC];

	i->path = path_make("198.51.100.77", 7);
	i->sent = (struct jvpn_client_sent){
		.idx = w->client_epoch.idx_c2s,
		.ctr_from = 100,
		.ctr_next = 200,
	};
	jvpn_challenge_nc(nc, ctr, w->gw_epoch.idx_c2s, &w->rng);
	gateway_challenge(w, &i->path, nc, flags, false, &i->answer);
}

static enum jvpn_verdict invited(struct world *w, const struct invitation *i,
				 struct jvpn_attempt **a)
{
	return jvpn_client_invited(&w->client, i->answer.msg, i->answer.len, 1, &i->sent,
				   w->now_ms, a);
}

static void test_invited(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = NULL;
	struct invitation i;
	struct answer answer;

	invite(w, &i, 150, JVPN_WIRE_CHALLENGE_UNSOLICITED);
	tap_ok(!jvpn_client_challenge_solicited(&w->client, i.answer.msg, i.answer.len),
	       "an invitation answers no REQUEST");
	tap_equal(jvpn_client_challenge(&w->client, i.answer.msg, i.answer.len, NULL, w->now_ms, &a),
		  JVPN_VERDICT_UNKNOWN_ATTEMPT, "and is not taken for an answer");
	tap_ok(!invited(w, &i, &a), "it is taken");
	tap_ok(a->unsolicited && a->observed_transport == JVPN_WIRE_TRANSPORT_UDP4 &&
	       !memcmp(&a->observed, &i.path.remote, sizeof(a->observed)),
	       "it says which address the gateway sees");
	tap_equal(invited(w, &i, &a), JVPN_VERDICT_REPEATED, "once");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	answer = prove(w, a, 0, &i.path);
	tap_ok(!client_ack(w, &answer) && epochs_equal(w) &&
	       jvpn_path_equal(&w->bound, &i.path), "PROOF binds the new address");
	free(w);
}

static void test_invitation_refused(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a = NULL;
	struct invitation i;

	invite(w, &i, 99, JVPN_WIRE_CHALLENGE_UNSOLICITED);
	tap_equal(invited(w, &i, &a), JVPN_VERDICT_NOT_SENT, "for a packet of long ago");
	invite(w, &i, 200, JVPN_WIRE_CHALLENGE_UNSOLICITED);
	tap_equal(invited(w, &i, &a), JVPN_VERDICT_NOT_SENT, "for one not sent yet");
	i.sent.idx++;
	invite(w, &i, 150, JVPN_WIRE_CHALLENGE_UNSOLICITED);
	i.sent.idx++;
	tap_equal(invited(w, &i, &a), JVPN_VERDICT_NOT_SENT, "for another epoch");
	invite(w, &i, 150, JVPN_WIRE_CHALLENGE_UNSOLICITED);
	i.sent.echoed = true;
	i.sent.ctr_echoed = 150;
	tap_equal(invited(w, &i, &a), JVPN_VERDICT_PATH_ALIVE, "while the path is proved alive");
	i.sent.ctr_echoed = 149;
	i.answer.msg[150] ^= 1;
	tap_equal(invited(w, &i, &a), JVPN_VERDICT_BAD_AUTH, "a forged one");
	i.answer.msg[150] ^= 1;
	tap_ok(!invited(w, &i, &a), "does not count against the limit");
	invite(w, &i, 151, JVPN_WIRE_CHALLENGE_UNSOLICITED);
	tap_equal(invited(w, &i, &a), JVPN_VERDICT_LIMITED, "more than two a second");
	world_pass(w, JVPN_CLIENT_INVITE_MS);
	invite(w, &i, 152, 0);
	tap_equal(invited(w, &i, &a), JVPN_VERDICT_BAD_FIELD, "one without its flag");
	invite(w, &i, 152, JVPN_WIRE_CHALLENGE_UNSOLICITED);
	tap_ok(!invited(w, &i, &a), "half a second later another is taken");
	free(w);
}

/* --- other answers --------------------------------------------------------- */

static void test_reject(void)
{
	struct jvpn_rejection sent = { JVPN_WIRE_REJECT_REDIRECT, 513, 70000, 9 }, read;
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_proved(w, 1, &p), *got = NULL;
	struct jvpn_wire_reject msg;
	struct answer answer;

	jvpn_reject_build(&msg, &w->record.keys, a->nc, &sent, &w->rng);
	tap_ok(!jvpn_client_reject(&w->client, (u8 *)&msg, sizeof(msg), &read, &got) &&
	       got == a && read.reason == sent.reason && read.node == 513 &&
	       read.wait_ms == 70000 && read.v_cur == 9, "REJECT says what was sent");
	tap_equal(a->state, JVPN_ATTEMPT_PROVED, "the attempt stays open");
	sent.reason = JVPN_WIRE_REJECT_MAX + 1;
	jvpn_reject_build(&msg, &w->record.keys, a->nc, &sent, &w->rng);
	tap_equal(jvpn_client_reject(&w->client, (u8 *)&msg, sizeof(msg), &read, &got),
		  JVPN_VERDICT_BAD_FIELD, "an unknown reason is refused");
	gateway_step(w, JVPN_STATE_TERMINATED);
	answer = prove(w, a, 0, &p);
	tap_ok(answer.verdict == JVPN_VERDICT_TERMINATED &&
	       !jvpn_client_reject(&w->client, answer.msg, answer.len, &read, &got) &&
	       read.reason == JVPN_WIRE_REJECT_TERMINATED && !w->dh_rounds,
	       "PROOF to a terminated session is answered without DH");
	free(w);
}

static void test_gone(void)
{
	struct world *w = world_new();
	struct jvpn_attempt *a, *got = NULL;
	struct jvpn_wire_gone msg;
	u8 other[32] = { 1 };

	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	jvpn_gone_build(&msg, other, w->record.sid, a->nc);
	tap_equal(jvpn_client_gone(&w->client, (u8 *)&msg, sizeof(msg), &got),
		  JVPN_VERDICT_BAD_AUTH, "GONE under another secret is refused");
	jvpn_gone_build(&msg, w->gw.k_gone, w->record.sid, a->nc);
	tap_ok(!jvpn_client_gone(&w->client, (u8 *)&msg, sizeof(msg), &got) && got == a,
	       "the right one is believed, for its attempt");
	jvpn_client_drop(&w->client, a);
	tap_equal(jvpn_client_gone(&w->client, (u8 *)&msg, sizeof(msg), &got),
		  JVPN_VERDICT_UNKNOWN_ATTEMPT, "but not unasked");
	a = client_challenged(w, 1, &w->bound, false);
	jvpn_gone_build(&msg, w->gw.k_gone, w->record.sid, a->nc);
	tap_equal(jvpn_client_gone(&w->client, (u8 *)&msg, sizeof(msg), &got),
		  JVPN_VERDICT_UNKNOWN_ATTEMPT, "nor of who was answered by a CHALLENGE");
	free(w);
}

static void test_cookie(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_cookie_jar jar = { 0 };
	struct jvpn_wire_cookie cookie;
	struct jvpn_attempt *a;
	const size_t len = sizeof(a->request);
	u8 *msg;

	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	msg = (u8 *)&a->request;
	tap_equal(jvpn_mac2_check(msg, len, &w->gw.cookies, &p.remote, w->now_ms, &w->rng),
		  JVPN_VERDICT_NEED_COOKIE, "REQUEST to a loaded gateway");
	jvpn_cookie_build(&cookie, msg, len, &w->gw.mac, &w->gw.cookies, &p.remote, w->now_ms,
			  &w->rng);
	tap_ok(jvpn_client_cookie_attempt(&w->client, (u8 *)&cookie, sizeof(cookie)) == a,
	       "COOKIE finds its attempt");
	must(jvpn_cookie_open(&jar, (u8 *)&cookie, sizeof(cookie), msg, len, &w->client.mac,
			      w->now_ms), "COOKIE read");
	jvpn_mac_stamp(msg, len, &w->client.mac, jvpn_cookie_get(&jar, w->now_ms));
	tap_equal(jvpn_mac2_check(msg, len, &w->gw.cookies, &p.remote, w->now_ms, &w->rng),
		  JVPN_VERDICT_OK, "the same REQUEST with mac2");
	tap_equal(gateway_rx(w, msg, len, &p).msg[0], JVPN_MSG_CHALLENGE, "is answered");
	free(w);
}

/* --- the client's store ---------------------------------------------------- */

static void test_tickets(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_client_record *rec = &w->client.rec;
	struct jvpn_attempt *a, *b, *c;
	unsigned int i;

	tap_equal(rec->ticket_count, 2, "RESP gives two tickets");
	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	must(jvpn_client_request(&w->client, 2, false, NULL, w->now_ms, &w->rng, &b), "REQUEST");
	must(jvpn_client_request(&w->client, 3, false, NULL, w->now_ms, &w->rng, &c), "REQUEST");
	tap_ok(memcmp(a->ticket, b->ticket, 64), "two attempts show two tickets");
	tap_ok(!memcmp(b->ticket, c->ticket, 64), "the last one is shown again rather than none");
	for (i = 0; i < 6; i++)
		jump(w, 1, &p);
	tap_equal(rec->ticket_count, JVPN_CLIENT_TICKETS, "the pool is bounded");
	rec->ticket_count = 0;
	tap_equal(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a),
		  JVPN_VERDICT_NO_TICKET, "without a ticket there is no REQUEST");
	free(w);
}

static void test_resume(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_client_record stored;

	jump(w, 1, &p);
	stored = w->client.rec;
	jvpn_client_wipe(&w->client);
	tap_ok(sodium_is_zero((u8 *)&w->client, sizeof(w->client)), "a wiped client is all zero");
	jvpn_client_resume(&w->client, w->client_secret, &stored);
	jump(w, 1, &w->bound);
	tap_ok(epochs_equal(w), "a restarted client goes on from its record");
	free(w);
}

static void test_limits(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a[JVPN_CLIENT_PROVED_MAX + 1], *extra = NULL;
	unsigned int i;

	for (i = 0; i < JVPN_CLIENT_PROVED_MAX; i++)
		a[i] = client_proved(w, i, &p);
	a[i] = client_challenged(w, i, &p, false);
	tap_equal(jvpn_client_proof(&w->client, a[i], 0, 1, w->now_ms, &w->rng),
		  JVPN_VERDICT_FULL, "at most four attempts prove at once");
	jvpn_client_drop(&w->client, a[0]);
	tap_equal(jvpn_client_proof(&w->client, a[i], 0, 1, w->now_ms, &w->rng),
		  JVPN_VERDICT_OK, "until one of them is dropped");
	for (i = 0; i < 3 * JVPN_CLIENT_ATTEMPTS; i++) {
		world_pass(w, 1);
		must(jvpn_client_request(&w->client, i, true, NULL, w->now_ms, &w->rng, &extra),
		     "REQUEST");
	}
	tap_ok(a[1]->state == JVPN_ATTEMPT_PROVED && a[4]->state == JVPN_ATTEMPT_PROVED,
	       "REQUESTs never push out a PROOF");
	jvpn_client_drop_standby(&w->client, extra->path);
	tap_equal(extra->state, JVPN_ATTEMPT_FREE, "standby attempts of a path can be dropped");
	tap_equal(jvpn_client_proof(&w->client, a[1], 0, 1, w->now_ms, &w->rng),
		  JVPN_VERDICT_MISUSE, "a PROOF is not built twice");
	free(w);
}

static void test_expiry(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 1, &p, false);

	world_pass(w, JVPN_CLIENT_CHALLENGE_MS);
	tap_equal(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng),
		  JVPN_VERDICT_STALE_EXPIRED, "a CHALLENGE is of no use after 5 s");
	jvpn_client_expire(&w->client, w->now_ms);
	tap_ok(sodium_is_zero((u8 *)a, sizeof(*a)), "and is erased");
	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	jvpn_client_expire(&w->client, w->now_ms + JVPN_CLIENT_STANDBY_MS - 1);
	tap_equal(a->state, JVPN_ATTEMPT_REQUESTED, "a REQUEST waits");
	jvpn_client_expire(&w->client, w->now_ms + JVPN_CLIENT_STANDBY_MS);
	tap_equal(a->state, JVPN_ATTEMPT_FREE, "for half a minute");
	free(w);
}

/* Somebody copied the REQUEST: his CHALLENGE comes first, and the expected one is taken. */
static void test_expected(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1), x = path_make("203.0.113.66", 6);
	struct jvpn_expected expected = { .count = 1, .addr = { p.remote } };
	struct world *w = world_new();
	struct answer carried, genuine;
	struct jvpn_attempt *a, *got = NULL;

	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	carried = gateway_rx(w, &a->request, sizeof(a->request), &x);
	genuine = gateway_rx(w, &a->request, sizeof(a->request), &p);
	tap_ok(jvpn_client_challenge(&w->client, carried.msg, carried.len, &expected, w->now_ms,
				     &got) == JVPN_VERDICT_HELD && got == a && a->is_held,
	       "a CHALLENGE to an unexpected address is held");
	tap_equal(a->state, JVPN_ATTEMPT_REQUESTED, "the attempt waits for the expected one");
	tap_ok(!jvpn_client_challenge(&w->client, genuine.msg, genuine.len, &expected, w->now_ms,
				      &got) && !a->is_held, "which is taken");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	carried = prove(w, a, 0, &x);
	tap_equal(carried.verdict, JVPN_VERDICT_STALE_COOKIE, "a copy of its PROOF is refused");
	tap_equal(jvpn_client_challenge(&w->client, carried.msg, carried.len, &expected,
					w->now_ms, &got), JVPN_VERDICT_HELD,
		  "and STALE, carried here, held");
	genuine = prove(w, a, 0, &p);
	tap_ok(!client_ack(w, &genuine) && epochs_equal(w), "the genuine one commits");
	free(w);
}

static void test_held_used(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1), x = path_make("203.0.113.66", 6);
	struct jvpn_expected expected = { .count = 1, .addr = { p.remote } }, none = { 0 };
	struct world *w = world_new();
	struct jvpn_client_commit commit;
	struct jvpn_attempt *a, *got = NULL;
	struct answer answer;

	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	answer = gateway_rx(w, &a->request, sizeof(a->request), &x);
	jvpn_client_challenge(&w->client, answer.msg, answer.len, &expected, w->now_ms, &got);
	tap_ok(!jvpn_client_challenge_held(&w->client, a, w->now_ms, &got) && got == a &&
	       a->state == JVPN_ATTEMPT_CHALLENGED, "if no other comes, the one held is used");
	tap_equal(jvpn_client_challenge_held(&w->client, a, w->now_ms, &got),
		  JVPN_VERDICT_UNKNOWN_ATTEMPT, "once");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	answer = prove(w, a, 0, &x);
	tap_ok(!jvpn_client_ack(&w->client, answer.msg, answer.len, &commit) &&
	       !memcmp(&commit.observed, &x.remote, sizeof(x.remote)),
	       "the commit tells what is bound");
	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	answer = gateway_rx(w, &a->request, sizeof(a->request), &x);
	tap_ok(!jvpn_client_challenge(&w->client, answer.msg, answer.len, &none, w->now_ms, &got),
	       "where nothing is expected any will do");
	free(w);
}

static void test_private_addresses(void)
{
	static const struct {
		const char *text;
		bool private;
	} addresses[] = {
		{ "10.1.2.3", true }, { "11.0.0.1", false }, { "100.64.0.1", true },
		{ "100.127.255.255", true }, { "100.128.0.1", false }, { "172.16.0.1", true },
		{ "172.31.9.9", true }, { "172.32.0.1", false }, { "192.168.7.7", true },
		{ "192.169.0.1", false }, { "169.254.1.1", true }, { "198.51.100.1", false },
		{ "fd00::1", true }, { "fc00::1", true }, { "fe80::1", true },
		{ "2001:db8::1", false }, { "fec0::1", false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct jvpn_wire_addr addr = { .ip = { [10] = 0xff, [11] = 0xff } };

		if (inet_pton(AF_INET, addresses[i].text, addr.ip + 12) != 1)
			inet_pton(AF_INET6, addresses[i].text, addr.ip);
		tap_ok(jvpn_wire_addr_is_private(&addr) == addresses[i].private,
		       "%s is%s private", addresses[i].text, addresses[i].private ? "" : " not");
	}
}

/* What a PROOF means is authentic. */
static void test_meaning(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	unsigned int meaning;

	for (meaning = 0; meaning <= JVPN_WIRE_PROOF_MEANING_MAX + 1; meaning++) {
		struct jvpn_attempt *a = client_challenged(w, meaning, &p, false);
		struct jvpn_proof proof;
		struct jvpn_noise noise;
		struct jvpn_epoch epoch;
		enum jvpn_verdict verdict;
		u8 read = 99;

		a->meaning = meaning;
		must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
		must(jvpn_proof_open(&w->gw, &w->record, &w->last, &p, (u8 *)&a->proof[0].msg,
				     sizeof(a->proof[0].msg), w->now_ms, &proof), "gate");
		must(jvpn_proof_dh(&proof, w->gw.secret, &noise), "DH");
		verdict = jvpn_proof_finish(&proof, &noise, &epoch, &read);
		if (meaning <= JVPN_WIRE_PROOF_MEANING_MAX)
			tap_ok(!verdict && read == meaning, "PROOF says %u", meaning);
		else
			tap_equal(verdict, JVPN_VERDICT_BAD_FIELD, "an unknown meaning is refused");
	}
	free(w);
}

/* A PROOF that the network holds back for as long as its cookie lives commits, and is of use. */
static void late_proof(bool standby, u64 life_ms)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a = client_challenged(w, 1, &p, standby);
	struct jvpn_wire_proof held;
	struct answer answer;

	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	held = a->proof[0].msg;
	world_pass(w, 700);
	jvpn_client_give_up(&w->client, a);
	world_pass(w, life_ms - 700);
	jvpn_client_expire(&w->client, w->now_ms);
	answer = gateway_rx(w, &held, sizeof(held), &p);
	tap_ok(answer.msg[0] == JVPN_MSG_ACK, "a PROOF that is %llu ms late commits",
	       (unsigned long long)life_ms);
	tap_ok(!client_ack(w, &answer) && epochs_equal(w), "and the client has its keys");
	tap_ok(sodium_is_zero((u8 *)a, sizeof(*a)), "once");
	free(w);
}

static void test_late_proofs(void)
{
	struct jvpn_path p = path_make("198.51.100.1", 1);
	struct world *w = world_new();
	struct jvpn_attempt *a;
	unsigned int i, kept = 0;

	late_proof(false, JVPN_CLIENT_CHALLENGE_MS);
	late_proof(true, JVPN_CLIENT_STANDBY_MS);
	for (i = 0; i < 2 * JVPN_CLIENT_ATTEMPTS; i++) {
		world_pass(w, 10);
		jvpn_client_give_up(&w->client, client_proved(w, i, &p));
	}
	for (i = 0; i < JVPN_CLIENT_ATTEMPTS; i++)
		kept += w->client.attempt[i].state == JVPN_ATTEMPT_CLOSED;
	tap_equal(kept, JVPN_CLIENT_CLOSED_MAX, "so many that were given up are kept");
	jvpn_client_expire(&w->client, w->now_ms + JVPN_CLIENT_CHALLENGE_MS +
			   JVPN_CLIENT_LATE_MS);
	tap_ok(sodium_is_zero((u8 *)w->client.attempt, sizeof(w->client.attempt)),
	       "then they are erased");
	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	jvpn_client_give_up(&w->client, a);
	tap_equal(a->state, JVPN_ATTEMPT_FREE, "of a REQUEST nothing is kept");
	free(w);
}

int main(void)
{
	struct world *w = world_new();
	unsigned int i;

	test_sizes(w);
	free(w);
	test_refresh();
	test_jump();
	test_lost_ack();
	test_abandoned_commit();
	test_race();
	test_no_duel();
	test_both_committed();
	test_reordered_acks();
	test_old_commit();
	test_timer_races();
	test_restart();
	test_standby();
	for (i = 0; i < 3; i++)
		standby_behind(i);
	test_standby_ack_late();
	test_standby_expired();
	test_former_round_commits();
	test_both_rounds_commit();
	test_standby_after_refresh();
	test_standby_version_seen();
	test_second_challenge_late();
	test_confirm();
	test_invited();
	test_invitation_refused();
	test_reject();
	test_gone();
	test_cookie();
	test_tickets();
	test_resume();
	test_limits();
	test_expiry();
	test_late_proofs();
	test_expected();
	test_held_used();
	test_private_addresses();
	test_meaning();
	return tap_done();
}
