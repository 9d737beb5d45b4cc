// SPDX-License-Identifier: GPL-2.0
/*
 * This library against the Python reference (tests/reference), each as client
 * and as gateway. The reference runs as a child that answers a line for a line.
 */

#include <libgen.h>
#include <unistd.h>

#include "support.h"
#include "util.h"

#define PYTHON		"/usr/bin/python3"
#define EPOCH_BYTES	(44 + 44 + 4 + 4 + 32 + 32)
#define VALUES_MAX	8
#define LINE_MAX_BYTES	8192

/* --- the reference -------------------------------------------------------- */

static FILE *to_peer, *from_peer;
static char line[LINE_MAX_BYTES];
static const char *value[VALUES_MAX];
static unsigned int values;

static void bail(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static void peer_start(void)
{
	char self[] = __FILE__, script[4096];
	int down[2], up[2];

	snprintf(script, sizeof(script), "%s/../reference/peer.py", dirname(self));
	if (access(PYTHON, X_OK) || access(script, R_OK))
		bail(PYTHON " and tests/reference/peer.py are needed, from the source tree");
	if (pipe(down) || pipe(up))
		bail("no pipe");
	if (!fork()) {
		dup2(down[0], 0);
		dup2(up[1], 1);
		close(down[1]);
		close(up[0]);
		execl(PYTHON, PYTHON, "-B", script, NULL);
		_exit(127);
	}
	close(down[0]);
	close(up[1]);
	to_peer = fdopen(down[1], "w");
	from_peer = fdopen(up[0], "r");
}

/* One command; its values stay valid until the next. */
__attribute__((format(printf, 1, 2)))
static bool peer(const char *format, ...)
{
	char *word, *save = NULL;
	va_list args;

	va_start(args, format);
	vfprintf(to_peer, format, args);
	va_end(args);
	fputc('\n', to_peer);
	fflush(to_peer);
	if (!fgets(line, sizeof(line), from_peer))
		bail("the reference has ended");
	values = 0;
	if (strncmp(line, "ok", 2)) {
		tap_note("reference: %.*s", (int)strcspn(line, "\n"), line);
		return false;
	}
	strtok_r(line, " \n", &save);
	while (values < VALUES_MAX && (word = strtok_r(NULL, " \n", &save)))
		value[values++] = word;
	return true;
}

static void must_peer(bool good)
{
	if (!good)
		bail("the reference refused");
}

/* Hex in one of a few buffers, enough for one command. */
static const char *hex(const void *bytes, size_t size)
{
	static char buffer[6][2 * JVPN_WIRE_CONTROL_MAX + 1];
	static unsigned int next;
	char *out = buffer[next++ % 6];

	return jvpn_util_hex_encode(bytes, size, out);
}

#define HEX(x) hex(&(x), sizeof(x))

static void take(unsigned int number, void *out, size_t size)
{
	if (number >= values || !jvpn_util_hex_decode(value[number], out, size))
		bail("the reference's answer has another shape");
}

static struct answer peer_answer(unsigned int number)
{
	struct answer answer = { 0 };

	if (number >= values)
		return answer;
	answer.len = strlen(value[number]) / 2;
	if (answer.len > sizeof(answer.msg))
		bail("the reference's answer is too long");
	take(number, answer.msg, answer.len);
	return answer;
}

static void epoch_bytes(const struct jvpn_epoch *epoch, u8 out[EPOCH_BYTES])
{
	__le32 idx[2] = { jvpn_cpu_to_le32(epoch->idx_c2s), jvpn_cpu_to_le32(epoch->idx_s2c) };

	memcpy(out, epoch->c2s.key, 32);
	memcpy(out + 32, epoch->c2s.iv, 12);
	memcpy(out + 44, epoch->s2c.key, 32);
	memcpy(out + 76, epoch->s2c.iv, 12);
	memcpy(out + 88, idx, 8);
	memcpy(out + 96, epoch->ctl_c2s, 32);
	memcpy(out + 128, epoch->ctl_s2c, 32);
}

/* Is this epoch the one in the reference's value? */
static bool epoch_is(const struct jvpn_epoch *epoch, unsigned int number)
{
	u8 ours[EPOCH_BYTES];

	epoch_bytes(epoch, ours);
	return number < values && !strcmp(value[number], HEX(ours));
}

static bool result_is(const struct jvpn_hs_result *result, unsigned int number)
{
	u8 ours[EPOCH_BYTES + 96];

	epoch_bytes(&result->epoch, ours);
	memcpy(ours + EPOCH_BYTES, result->keys.req, 32);
	memcpy(ours + EPOCH_BYTES + 32, result->keys.rej, 32);
	memcpy(ours + EPOCH_BYTES + 64, result->keys.psk, 32);
	return number < values && !strcmp(value[number], HEX(ours));
}

/* --- handshake -------------------------------------------------------------- */

static void payload_fill(u8 *payload, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		payload[i] = i;
}

/* A RESP payload as the reference would send it: written down by offset. */
static void resp_payload(u8 p[224])
{
	payload_fill(p, 224);
	memset(p + 16, 0, 8);
	p[24] = 1;
	p[25] = 0;
	p[54] = 24;
	p[71] = 64;
}

static void test_handshake_client(struct world *w)
{
	u8 payload[224], said[192], sender[4] = { 9, 8, 7, 6 };
	struct jvpn_hs_result result;
	struct jvpn_hs_client hs;
	struct jvpn_wire_init msg;
	struct jvpn_hs_resp resp;
	struct jvpn_hs_init init = init_make(w);
	struct answer answer;

	must(jvpn_hs_client_start(&hs, w->client_secret, w->gw.public_key, &init, &w->rng, &msg),
	     "INIT");
	resp_payload(payload);
	tap_ok(peer("hs-server %s %s %s %s %s", HEX(w->gw.secret), HEX(w->psk), HEX(msg),
		    HEX(payload), HEX(sender)), "the reference reads our INIT");
	tap_ok(!strcmp(value[0], HEX(w->client_pub)), "and our static key in it");
	take(1, said, sizeof(said));
	tap_ok(!memcmp(said, init.tai64n, 12) && said[12] == 1 && said[13] == 1 &&
	       said[14] == 2 && !said[15] && !strcmp((char *)said + 16, "default") &&
	       said[48] == 3 && sodium_is_zero(said + 49, 143), "INIT's payload by offset");
	answer = peer_answer(2);
	tap_ok(!jvpn_hs_client_finish(&hs, w->psk, answer.msg, answer.len, &resp, &result),
	       "we read its RESP");
	tap_ok(result_is(&result, 3), "epoch 0 and the session's keys are the same");
	tap_ok(!memcmp(resp.sid, payload, 16) && resp.suite == 1 &&
	       resp.incarnation == 0x1d1c1b1a && resp.policy_version == 0x21201f1e &&
	       resp.session_ttl_ms == 0x25242322 && resp.transport_loss_ttl_ms == 0x29282726 &&
	       resp.recovery_window_ms == 0x2d2c2b2a &&
	       resp.max_switches_per_minute == 0x31302f2e && resp.v4[0] == 50 &&
	       resp.v4_prefix == 24 && resp.v6[0] == 55 && resp.v6_prefix == 64 &&
	       resp.gone[0] == 72 && resp.ticket[0][0] == 88 && resp.ticket[1][0] == 152 &&
	       resp.switch_cooldown_ms == 0xdbdad9d8, "RESP's payload by offset");
}

static void test_handshake_server(struct world *w)
{
	u8 payload[192], said[224], sender[4] = { 1, 2, 3, 4 };
	struct jvpn_hs_result result;
	struct jvpn_hs_server hs;
	struct jvpn_wire_resp msg;
	struct jvpn_hs_resp resp = resp_make(w);
	struct jvpn_hs_init init;
	struct answer answer;

	memset(payload, 0, sizeof(payload));
	payload_fill(payload, 12);
	payload[12] = payload[13] = 1;
	payload[14] = 6;
	memcpy(payload + 16, "fast", 4);
	payload[48] = 2;
	payload[70] = 64;
	must_peer(peer("hs-client-init %s %s %s %s %s", HEX(w->client_secret),
		       HEX(w->gw.public_key), HEX(w->psk), HEX(payload), HEX(sender)));
	answer = peer_answer(0);
	tap_ok(!jvpn_mac1_check(answer.msg, answer.len, &w->gw.mac) &&
	       !jvpn_hs_server_open(&hs, w->gw.secret, w->gw.public_key, answer.msg, answer.len,
				    &init), "we read the reference's INIT");
	tap_ok(!memcmp(hs.client_pub, w->client_pub, 32) && init.suites == 6 &&
	       !strcmp(init.policy, "fast") && !init.want_v4 && init.want_v6 &&
	       init.v6_prefix == 64 && !memcmp(init.tai64n, payload, 12), "and what it says");
	must(jvpn_hs_server_respond(&hs, w->psk, &resp, &w->rng, &msg, &result), "RESP");
	tap_ok(peer("hs-client-finish %s", HEX(msg)), "the reference reads our RESP");
	tap_ok(result_is(&result, 1), "epoch 0 and the session's keys are the same");
	take(0, said, sizeof(said));
	tap_ok(!memcmp(said, resp.sid, 16) && said[24] == 1 && !memcmp(said + 50, resp.v4, 4) &&
	       !memcmp(said + 72, resp.gone, 16) && !memcmp(said + 88, resp.ticket, 128),
	       "RESP's payload by offset");
}

/* --- our client, the reference's gateway -------------------------------------- */

static void reference_gateway(struct world *w)
{
	struct jvpn_client_record rec = { .suite = 1, .v_seen = 1, .v = 1, .ticket_count = 1 };
	u8 rms[32];

	must_peer(peer("server-new %s", HEX(w->client_pub)));
	take(0, rec.server_pub, 32);
	take(1, rec.sid, 16);
	take(2, rms, 32);
	take(3, rec.ticket[0], 64);
	jvpn_session_keys_from_rms(&rec.keys, rms);
	jvpn_client_resume(&w->client, w->client_secret, &rec);
}

static struct answer reference_rx(const void *msg, size_t len, const char *address)
{
	must_peer(peer("server-rx %s %s", hex(msg, len), address));
	return peer_answer(0);
}

static struct jvpn_attempt *our_attempt(struct world *w, const char *address, bool standby)
{
	struct jvpn_attempt *a;
	struct answer answer;

	must(jvpn_client_request(&w->client, 1, standby, NULL, w->now_ms, &w->rng, &a),
	     "REQUEST");
	answer = reference_rx(&a->request, sizeof(a->request), address);
	must(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &a),
	     "CHALLENGE of the reference");
	return a;
}

static struct answer our_proof(struct world *w, struct jvpn_attempt *a, unsigned int count,
			       const char *address)
{
	must(jvpn_client_proof(&w->client, a, 0, count, w->now_ms, &w->rng), "PROOF");
	return reference_rx(&a->proof[0].msg, sizeof(a->proof[0].msg), address);
}

static bool our_ack(struct world *w, const struct answer *answer, unsigned int v, unsigned int e)
{
	if (client_ack(w, answer) || w->client.rec.v != v || w->client.rec.e != e)
		return false;
	must_peer(peer("server-state"));
	return (unsigned int)atoi(value[0]) == v && (unsigned int)atoi(value[1]) == e &&
	       epoch_is(&w->client_epoch, 5);
}

static void test_our_client(struct world *w)
{
	struct jvpn_attempt *a;
	struct answer answer, again;

	reference_gateway(w);
	a = our_attempt(w, "A", false);
	answer = our_proof(w, a, 1, "A");
	tap_ok(our_ack(w, &answer, 1, 1), "refresh: V 1, E 1, same keys");
	a = our_attempt(w, "B", false);
	answer = our_proof(w, a, 1, "B");
	again = reference_rx(&a->proof[0].msg, sizeof(a->proof[0].msg), "X");
	tap_ok(!again.len, "the reference ignores our PROOF from elsewhere");
	again = reference_rx(&a->proof[0].msg, sizeof(a->proof[0].msg), "B");
	tap_ok(our_ack(w, &again, 3, 2), "jump, first ACK lost: V 3, E 2, same keys");
	tap_equal(client_ack(w, &answer), JVPN_VERDICT_UNKNOWN_ATTEMPT, "the lost ACK, late");
	a = our_attempt(w, "W", true);
	must_peer(peer("server-step VOLATILE"));
	answer = our_proof(w, a, 3, "W");
	again = reference_rx(&a->proof[1].msg, sizeof(a->proof[1].msg), "W");
	tap_ok(answer.msg[0] == JVPN_MSG_CHALLENGE && our_ack(w, &again, 6, 3),
	       "standby, the gateway one version ahead: V 6, E 3, same keys");
}

static void test_our_client_stale(struct world *w)
{
	struct jvpn_attempt *a;
	struct answer answer;

	reference_gateway(w);
	a = our_attempt(w, "P", false);
	must_peer(peer("server-step VOLATILE"));
	answer = our_proof(w, a, 1, "P");
	tap_ok(!jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &a) &&
	       a->v_cur == 2, "the reference's STALE is taken");
	must_peer(peer("server-restart"));
	answer = our_proof(w, a, 1, "P");
	tap_ok(!jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &a),
	       "so is the one after its restart");
	answer = our_proof(w, a, 1, "P");
	tap_ok(our_ack(w, &answer, 4, 1), "then it commits: V 4, E 1, same keys");
}

/* --- our gateway, the reference's client ----------------------------------------- */

static void reference_client(struct world *w)
{
	u8 rms[32], ticket[64];

	jvpn_rng_fill(&w->rng, rms, sizeof(rms));
	jvpn_rng_fill(&w->rng, w->record.sid, sizeof(w->record.sid));
	jvpn_session_keys_from_rms(&w->record.keys, rms);
	w->record.incarnation = 0;
	jvpn_ticket_seal(&w->gw.tickets, w->record.sid, w->now_ms / 1000, &w->rng, ticket);
	must_peer(peer("client-new %s %s %s %s %s", HEX(w->record.sid), HEX(rms),
		       HEX(w->client_secret), HEX(w->gw.public_key), HEX(ticket)));
}

static struct answer our_challenge(struct world *w, const struct jvpn_path *path,
				   const char *kind)
{
	struct answer request;

	must_peer(peer("client-request P %s", kind));
	request = peer_answer(0);
	return gateway_rx(w, request.msg, request.len, path);
}

static struct answer their_proof(struct world *w, const struct answer *challenge,
				 unsigned int ahead, const struct jvpn_path *path)
{
	struct answer proof;

	must_peer(peer("client-challenge %s %u", hex(challenge->msg, challenge->len), ahead));
	proof = peer_answer(0);
	return gateway_rx(w, proof.msg, proof.len, path);
}

static bool their_ack(struct world *w, const struct answer *ack, unsigned int v)
{
	return peer("client-ack %s", hex(ack->msg, ack->len)) && (unsigned int)atoi(value[0]) == v &&
	       epoch_is(&w->gw_epoch, 2);
}

static void test_our_gateway(struct world *w)
{
	struct jvpn_path p = path_make("198.51.100.1", 1), x = path_make("198.51.100.9", 9);
	struct answer answer, stale;

	reference_client(w);
	answer = our_challenge(w, &w->bound, "cold");
	tap_equal(answer.msg[0], JVPN_MSG_CHALLENGE, "the reference's REQUEST is answered");
	answer = their_proof(w, &answer, 0, &w->bound);
	tap_ok(answer.msg[0] == JVPN_MSG_ACK && their_ack(w, &answer, 1) && w->record.e == 1,
	       "refresh: V 1, E 1, same keys");
	answer = our_challenge(w, &p, "cold");
	answer = their_proof(w, &answer, 0, &p);
	tap_ok(their_ack(w, &answer, 3) && w->record.e == 2, "jump: V 3, E 2, same keys");
	answer = our_challenge(w, &p, "cold");
	gateway_step(w, JVPN_STATE_VOLATILE);
	stale = their_proof(w, &answer, 0, &p);
	tap_equal(stale.verdict, JVPN_VERDICT_STALE_VERSION, "its PROOF of the past is STALE");
	stale = their_proof(w, &stale, 0, &x);
	tap_ok(stale.verdict == JVPN_VERDICT_STALE_COOKIE, "one from another address too");
	answer = their_proof(w, &stale, 0, &x);
	tap_ok(their_ack(w, &answer, 6) && w->record.e == 3, "then it commits: V 6, E 3");
}

static void test_our_gateway_standby(struct world *w)
{
	struct jvpn_path p = path_make("198.51.100.2", 2);
	struct answer challenge, answer;

	reference_client(w);
	w->record.v = 10;
	w->record.state = JVPN_STATE_ATTACHED;
	challenge = our_challenge(w, &p, "standby");
	world_pass(w, 29000);
	gateway_step(w, JVPN_STATE_VOLATILE);
	gateway_step(w, JVPN_STATE_RECOVERING);
	answer = their_proof(w, &challenge, 1, &p);
	tap_equal(answer.verdict, JVPN_VERDICT_STALE_VERSION, "standby: V+1 is not it");
	answer = their_proof(w, &challenge, 2, &p);
	tap_ok(their_ack(w, &answer, 13), "V+2 commits after 29 s: V 13, same keys");
}

int main(void)
{
	struct world *w = world_new();

	peer_start();
	test_handshake_client(w);
	test_handshake_server(w);
	test_our_client(w);
	test_our_client_stale(w);
	test_our_gateway(w);
	test_our_gateway_standby(w);
	free(w);
	return tap_done();
}
