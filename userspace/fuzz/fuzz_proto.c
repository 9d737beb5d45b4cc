// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz every function that reads a JVPN1 datagram.
 *
 * libFuzzer:   clang -fsanitize=fuzzer,address,undefined -DJVPN_LIBFUZZER ...
 * standalone:  fuzz_proto FILE...      run each file, "-" is stdin (AFL: @@)
 *              fuzz_proto --random N   N pseudo-random inputs, the same every time
 *
 * The first octet of an input picks the reader and the mode: raw (the rest is
 * the datagram) or laid by XOR over a genuine datagram, so that the code
 * behind the first checks is reached. Whatever comes, a reader that refuses
 * must have changed nothing; that is checked here, memory safety by sanitizers.
 */

#include "../tests/proto/support.h"

#define FUZZ_XOR 0x80

enum fuzz_target {
	FUZZ_INIT, FUZZ_RESP, FUZZ_COOKIE, FUZZ_REQUEST, FUZZ_CHALLENGE, FUZZ_INVITATION,
	FUZZ_PROOF, FUZZ_ACK, FUZZ_REJECT, FUZZ_GONE, FUZZ_CTRL, FUZZ_DATA, FUZZ_HEARTBEAT,
	FUZZ_TARGETS
};

struct sample {
	size_t len;
	u8 msg[JVPN_WIRE_CONTROL_MAX];
};

/* What is known before any input: a session with an attempt in each state. */
static struct {
	struct world *w;
	struct jvpn_hs_client hs;
	struct jvpn_wire_init init;
	struct jvpn_client_sent sent;
	struct jvpn_path path;
	struct sample sample[FUZZ_TARGETS];
} base;

/* Scratch for one input. */
static struct world run;

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static void sample_set(enum fuzz_target target, const void *msg, size_t len)
{
	base.sample[target].len = len;
	memcpy(base.sample[target].msg, msg, len);
}

static void base_handshake(struct world *w)
{
	struct jvpn_hs_init init = init_make(w), seen;
	struct jvpn_hs_resp resp = resp_make(w);
	struct jvpn_hs_result result;
	struct jvpn_wire_cookie cookie;
	struct jvpn_wire_resp msg;
	struct jvpn_hs_server server;

	must(jvpn_hs_client_start(&base.hs, w->client_secret, w->gw.public_key, &init, &w->rng,
				  &base.init), "INIT");
	sample_set(FUZZ_INIT, &base.init, sizeof(base.init));
	must(jvpn_hs_server_open(&server, w->gw.secret, w->gw.public_key, (u8 *)&base.init,
				 sizeof(base.init), &seen), "INIT read");
	must(jvpn_hs_server_respond(&server, w->psk, &resp, &w->rng, &msg, &result), "RESP");
	sample_set(FUZZ_RESP, &msg, sizeof(msg));
	jvpn_cookie_build(&cookie, (u8 *)&base.init, sizeof(base.init), &w->gw.mac,
			  &w->gw.cookies, &base.path.remote, w->now_ms, &w->rng);
	sample_set(FUZZ_COOKIE, &cookie, sizeof(cookie));
}

static void base_reattach(struct world *w)
{
	struct jvpn_rejection reject = { .reason = JVPN_WIRE_REJECT_RATE };
	struct jvpn_attempt *a, *requested;
	struct jvpn_wire_reject reject_msg;
	struct jvpn_wire_gone gone;
	struct world later;
	struct answer answer;
	u8 nc[JVPN_WIRE_NC];

	must(jvpn_client_request(&w->client, 1, true, NULL, w->now_ms, &w->rng, &requested),
	     "REQUEST");
	sample_set(FUZZ_REQUEST, &requested->request, sizeof(requested->request));
	answer = gateway_rx(w, &requested->request, sizeof(requested->request), &base.path);
	sample_set(FUZZ_CHALLENGE, answer.msg, answer.len);
	a = client_proved(w, 2, &base.path);
	sample_set(FUZZ_PROOF, &a->proof[0].msg, sizeof(a->proof[0].msg));
	jvpn_reject_build(&reject_msg, &w->record.keys, a->nc, &reject, &w->rng);
	sample_set(FUZZ_REJECT, &reject_msg, sizeof(reject_msg));
	jvpn_gone_build(&gone, w->gw.k_gone, w->record.sid, a->nc);
	sample_set(FUZZ_GONE, &gone, sizeof(gone));
	later = *w;
	answer = prove(&later, a, 0, &base.path);
	sample_set(FUZZ_ACK, answer.msg, answer.len);

	base.sent = (struct jvpn_client_sent){ w->client_epoch.idx_c2s, 0, 10, false, 0 };
	jvpn_challenge_nc(nc, 5, w->client_epoch.idx_c2s, &w->rng);
	gateway_challenge(w, &base.path, nc, JVPN_WIRE_CHALLENGE_UNSOLICITED, false, &answer);
	sample_set(FUZZ_INVITATION, answer.msg, answer.len);
}

static void base_session(struct world *w)
{
	struct jvpn_ctrl ctrl = { .op = JVPN_WIRE_CTRL_POLICY, .v_req = 1, .seq = 1,
				  .policy = "fast" };
	struct jvpn_heartbeat heartbeat = { .seq = 1 };
	u8 inner[JVPN_WIRE_HEARTBEAT_CLIENT_SIZE], data[224];
	struct jvpn_wire_ctrl msg;

	must(jvpn_ctrl_build(&msg, &w->gw_epoch, JVPN_SIDE_CLIENT, &ctrl, &w->rng), "CTRL");
	sample_set(FUZZ_CTRL, &msg, sizeof(msg));
	jvpn_heartbeat_build(inner, &heartbeat);
	sample_set(FUZZ_HEARTBEAT, inner, sizeof(inner));
	jvpn_data_seal(data, &w->gw_epoch.c2s, w->gw_epoch.idx_c2s, 1, inner, sizeof(inner));
	sample_set(FUZZ_DATA, data, sizeof(data));
}

static void base_make(void)
{
	if (base.w)
		return;
	base.w = world_new();
	base.path = path_make("198.51.100.9", 2000);
	base_handshake(base.w);
	base_reattach(base.w);
	base_session(base.w);
}

/* --- readers ---------------------------------------------------------------- */

static void fuzz_init(const u8 *msg, size_t len)
{
	struct jvpn_hs_server hs = { 0 };
	struct jvpn_hs_init init = { 0 };

	jvpn_mac1_check(msg, len, &run.gw.mac);
	if (jvpn_hs_server_open(&hs, run.gw.secret, run.gw.public_key, msg, len, &init) &&
	    (!sodium_is_zero((u8 *)&hs, sizeof(hs)) || !sodium_is_zero((u8 *)&init, sizeof(init))))
		fail("a refused INIT left something");
}

static void fuzz_resp(const u8 *msg, size_t len)
{
	struct jvpn_hs_client before = base.hs;
	struct jvpn_hs_result result = { 0 };
	struct jvpn_hs_resp resp = { 0 };

	if (jvpn_hs_client_finish(&base.hs, run.psk, msg, len, &resp, &result) &&
	    (!sodium_is_zero((u8 *)&resp, sizeof(resp)) ||
	     !sodium_is_zero((u8 *)&result, sizeof(result))))
		fail("a refused RESP left something");
	if (memcmp(&before, &base.hs, sizeof(before)))
		fail("RESP changed the handshake");
}

static void fuzz_cookie(const u8 *msg, size_t len)
{
	struct jvpn_cookie_jar jar = { 0 };

	jvpn_client_cookie_attempt(&run.client, msg, len);
	if (jvpn_cookie_open(&jar, msg, len, (u8 *)&base.init, sizeof(base.init), &run.gw.mac,
			     run.now_ms) && jar.until_ms)
		fail("a refused COOKIE was kept");
}

static void fuzz_gateway(const u8 *msg, size_t len)
{
	struct jvpn_reattach_session before = run.record;
	struct answer answer = gateway_rx(&run, msg, len, &base.path);

	if (answer.len > len)
		fail("an answer is longer than its question");
	if (answer.verdict && memcmp(&before, &run.record, sizeof(before)))
		fail("a refused packet changed the record");
}

/* These end an attempt although they are no success. */
static bool may_change(enum jvpn_verdict verdict)
{
	return verdict == JVPN_VERDICT_OK || verdict == JVPN_VERDICT_SUPERSEDED ||
	       verdict == JVPN_VERDICT_EXHAUSTED || verdict == JVPN_VERDICT_PENDING ||
	       verdict == JVPN_VERDICT_OLD_COMMIT;
}

static void fuzz_client(enum fuzz_target target, const u8 *msg, size_t len)
{
	struct jvpn_client_commit commit;
	struct jvpn_rejection reject;
	enum jvpn_verdict verdict;
	struct jvpn_attempt *a;

	if (target == FUZZ_CHALLENGE)
		verdict = jvpn_client_challenge(&run.client, msg, len, NULL, run.now_ms, &a);
	else if (target == FUZZ_INVITATION)
		verdict = jvpn_client_invited(&run.client, msg, len, 3, &base.sent, run.now_ms,
					      &a);
	else if (target == FUZZ_ACK)
		verdict = jvpn_client_ack(&run.client, msg, len, &commit);
	else if (target == FUZZ_REJECT)
		verdict = jvpn_client_reject(&run.client, msg, len, &reject, &a);
	else
		verdict = jvpn_client_gone(&run.client, msg, len, &a);
	if (!may_change(verdict) && memcmp(&run.client, &base.w->client, sizeof(run.client)))
		fail("a refused packet changed the client");
}

static void fuzz_session(enum fuzz_target target, const u8 *msg, size_t len)
{
	u8 inner[sizeof(base.sample[0].msg)];
	struct jvpn_heartbeat heartbeat;
	struct jvpn_ctrl ctrl;
	u64 last_seq = 0;

	if (target == FUZZ_CTRL) {
		if (jvpn_ctrl_open(msg, len, &run.gw_epoch, JVPN_SIDE_CLIENT, 1, &last_seq,
				   &ctrl) && last_seq)
			fail("a refused CTRL took a number");
	} else if (target == FUZZ_DATA) {
		jvpn_data_open(inner, &run.gw_epoch.c2s, run.gw_epoch.idx_c2s, msg, len);
	} else {
		jvpn_heartbeat_parse(&heartbeat, msg, len);
	}
}

static void fuzz_dispatch(enum fuzz_target target, const u8 *msg, size_t len)
{
	switch (target) {
	case FUZZ_INIT:
		fuzz_init(msg, len);
		break;
	case FUZZ_RESP:
		fuzz_resp(msg, len);
		break;
	case FUZZ_COOKIE:
		fuzz_cookie(msg, len);
		break;
	case FUZZ_REQUEST:
	case FUZZ_PROOF:
		fuzz_gateway(msg, len);
		break;
	case FUZZ_CTRL:
	case FUZZ_DATA:
	case FUZZ_HEARTBEAT:
		fuzz_session(target, msg, len);
		break;
	default:
		fuzz_client(target, msg, len);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* The datagram is on the heap, of its exact size, so that sanitizers see every overrun. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	enum fuzz_target target;
	size_t len, i;
	u8 *msg;

	base_make();
	if (!size || size > JVPN_WIRE_CONTROL_MAX)
		return 0;
	target = (data[0] & ~FUZZ_XOR) % FUZZ_TARGETS;
	len = data[0] & FUZZ_XOR ? base.sample[target].len : size - 1;
	msg = malloc(len ? len : 1);
	if (!msg)
		return 0;
	for (i = 0; i < len; i++) {
		msg[i] = i + 1 < size ? data[i + 1] : 0;
		if (data[0] & FUZZ_XOR)
			msg[i] ^= base.sample[target].msg[i];
	}
	run = *base.w;
	fuzz_dispatch(target, msg, len);
	free(msg);
	return 0;
}

#ifndef JVPN_LIBFUZZER

static int run_file(const char *name)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "rb") : stdin;
	u8 data[JVPN_WIRE_CONTROL_MAX + 1];
	size_t size;

	if (!file) {
		perror(name);
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	if (file != stdin)
		fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	return 0;
}

/* Few bits set, many or few octets: XOR mode gets near misses as well as noise. */
static void run_random(u64 count)
{
	struct counted counted = { 0 };
	u8 data[JVPN_WIRE_CONTROL_MAX], shape[8];
	u64 i, j;

	for (i = 0; i < count; i++) {
		counted_fill(&counted, shape, sizeof(shape));
		counted_fill(&counted, data, sizeof(data));
		if (shape[0] & 1) {
			for (j = 1; j < sizeof(data); j++)
				data[j] = j % 64 == shape[1] % 64 && j / 64 == shape[2] % 6 ?
					  data[j] & shape[3] : 0;
		}
		LLVMFuzzerTestOneInput(data, 1 + (shape[4] | shape[5] << 8) % sizeof(data));
	}
	printf("%llu inputs, no finding\n", (unsigned long long)count);
}

int main(int argc, char **argv)
{
	int i, status = 0;

	if (argc == 3 && !strcmp(argv[1], "--random")) {
		run_random(strtoull(argv[2], NULL, 0));
		return 0;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE... | --random N\n", argv[0]);
		return 2;
	}
	for (i = 1; i < argc; i++)
		status |= run_file(argv[i]);
	return status;
}

#endif
