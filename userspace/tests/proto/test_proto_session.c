// SPDX-License-Identifier: GPL-2.0
/* What an established session sends: CTRL, DATA, heartbeats; and the prefilter. */

#include "support.h"

static struct jvpn_ctrl ctrl_make(u8 op, u64 v_req, u64 seq)
{
	struct jvpn_ctrl ctrl = { .op = op, .v_req = v_req, .seq = seq };

	if (op == JVPN_WIRE_CTRL_POLICY)
		strcpy(ctrl.policy, "fast");
	if (op == JVPN_WIRE_CTRL_RESULT)
		ctrl.echo_seq = 1;
	return ctrl;
}

static bool ctrl_equal(const struct jvpn_ctrl *a, const struct jvpn_ctrl *b)
{
	return a->op == b->op && a->result == b->result && a->v_req == b->v_req &&
	       a->seq == b->seq && a->echo_seq == b->echo_seq && !strcmp(a->policy, b->policy);
}

static bool heartbeat_equal(const struct jvpn_heartbeat *a, const struct jvpn_heartbeat *b)
{
	return a->reply == b->reply && a->seq == b->seq && a->ts == b->ts &&
	       a->echo_ts == b->echo_ts && a->version == b->version;
}

static enum jvpn_verdict ctrl_send(struct world *w, enum jvpn_side sender,
				   const struct jvpn_ctrl *ctrl, u64 v_cur, u64 *last_seq,
				   struct jvpn_ctrl *read)
{
	struct jvpn_wire_ctrl msg;

	must(jvpn_ctrl_build(&msg, &w->gw_epoch, sender, ctrl, &w->rng), "CTRL");
	return jvpn_ctrl_open((u8 *)&msg, sizeof(msg), &w->client_epoch, sender, v_cur, last_seq,
			      read);
}

static void test_ctrl(struct world *w)
{
	struct jvpn_ctrl policy = ctrl_make(JVPN_WIRE_CTRL_POLICY, 4, 10), read;
	struct jvpn_ctrl close_old = ctrl_make(JVPN_WIRE_CTRL_CLOSE, 3, 11);
	struct jvpn_ctrl result = ctrl_make(JVPN_WIRE_CTRL_RESULT, 9, 12);
	u64 last = 0;

	tap_equal(ctrl_send(w, JVPN_SIDE_CLIENT, &policy, 4, &last, &read), JVPN_VERDICT_OK,
		  "CTRL naming the current version");
	tap_ok(ctrl_equal(&read, &policy) && last == 10, "says what was sent");
	tap_equal(ctrl_send(w, JVPN_SIDE_CLIENT, &policy, 4, &last, &read),
		  JVPN_VERDICT_REPLAYED, "the same number again");
	tap_equal(ctrl_send(w, JVPN_SIDE_CLIENT, &close_old, 4, &last, &read),
		  JVPN_VERDICT_STALE_VERSION, "a withheld CLOSE that names an old version");
	tap_equal(last, 10, "has not taken a number");
	tap_equal(ctrl_send(w, JVPN_SIDE_CLIENT, &result, 4, &last, &read), JVPN_VERDICT_OK,
		  "RESULT changes nothing, so any version will do");
	last = 0;
	tap_equal(ctrl_send(w, JVPN_SIDE_GATEWAY, &close_old, 4, &last, &read), JVPN_VERDICT_OK,
		  "CLOSE from the gateway is the authority's");
}

static void test_ctrl_direction(struct world *w)
{
	struct jvpn_ctrl ctrl = ctrl_make(JVPN_WIRE_CTRL_CLOSE, 4, 1), read;
	struct jvpn_wire_ctrl_payload payload;
	struct jvpn_wire_ctrl msg;
	u64 last = 0;

	must(jvpn_ctrl_build(&msg, &w->gw_epoch, JVPN_SIDE_CLIENT, &ctrl, &w->rng), "CTRL");
	tap_equal(jvpn_ctrl_open((u8 *)&msg, sizeof(msg), &w->gw_epoch, JVPN_SIDE_GATEWAY, 4,
				 &last, &read), JVPN_VERDICT_BAD_INDEX,
		  "CTRL sent back to its sender is refused");
	must(jvpn_ctrl_build(&msg, &w->gw_epoch, JVPN_SIDE_GATEWAY, &ctrl, &w->rng), "CTRL");
	tap_ok(jvpn_le32_to_cpu(msg.idx) == w->gw_epoch.idx_s2c &&
	       jvpn_xaead_open((u8 *)&payload, w->gw_epoch.ctl_s2c, msg.nonce, &msg, 8,
			       msg.payload, sizeof(msg.payload)),
	       "each direction has its index and key");
	must(jvpn_ctrl_build(&msg, &w->gw_epoch, JVPN_SIDE_CLIENT, &ctrl, &w->rng), "CTRL");
	msg.idx = jvpn_cpu_to_le32(w->gw_epoch.idx_s2c);
	tap_equal(jvpn_ctrl_open((u8 *)&msg, sizeof(msg), &w->gw_epoch, JVPN_SIDE_GATEWAY, 4,
				 &last, &read), JVPN_VERDICT_BAD_AUTH, "whatever its index");
}

static bool ctrl_refused(void *ctx, const u8 *msg, size_t len)
{
	struct world *w = ctx;
	struct jvpn_ctrl read = { 0 };
	u64 last = 0;

	return jvpn_ctrl_open(msg, len, &w->gw_epoch, JVPN_SIDE_CLIENT, 4, &last, &read) &&
	       !last && sodium_is_zero((u8 *)&read, sizeof(read));
}

static void test_ctrl_bad(struct world *w)
{
	struct jvpn_ctrl ctrl = ctrl_make(JVPN_WIRE_CTRL_CLOSE, 4, 1);
	struct jvpn_wire_ctrl msg;
	size_t i, refused = 0;
	struct jvpn_ctrl bad[] = {
		{ .op = 0, .seq = 1 },
		{ .op = JVPN_WIRE_CTRL_MAX + 1, .seq = 1 },
		{ .op = JVPN_WIRE_CTRL_CLOSE },
		{ .op = JVPN_WIRE_CTRL_CLOSE, .seq = 1, .policy = "x" },
		{ .op = JVPN_WIRE_CTRL_CLOSE, .seq = 1, .echo_seq = 1 },
		{ .op = JVPN_WIRE_CTRL_POLICY, .seq = 1 },
		{ .op = JVPN_WIRE_CTRL_RESULT, .seq = 1 },
	};

	must(jvpn_ctrl_build(&msg, &w->gw_epoch, JVPN_SIDE_CLIENT, &ctrl, &w->rng), "CTRL");
	tap_ok(mutations_refused(&msg, sizeof(msg), sizeof(msg), ctrl_refused, w),
	       "CTRL: every bit, every length");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refused += jvpn_ctrl_build(&msg, &w->gw_epoch, JVPN_SIDE_CLIENT, &bad[i],
					   &w->rng) == JVPN_VERDICT_MISUSE;
	tap_equal(refused, ARRAY_SIZE(bad), "CTRL that makes no sense is not built");
}

static bool data_refused(void *ctx, const u8 *msg, size_t len)
{
	struct world *w = ctx;
	u8 inner[JVPN_WIRE_CONTROL_MAX];

	return jvpn_data_open(inner, &w->gw_epoch.c2s, w->gw_epoch.idx_c2s, msg, len) !=
	       JVPN_VERDICT_OK;
}

static void test_data(struct world *w)
{
	const struct jvpn_epoch *epoch = &w->gw_epoch;
	u8 inner[40] = { 0x45, 0, 0, 40 }, msg[72], again[72], out[40];
	u32 idx;
	u64 ctr;

	jvpn_data_seal(msg, &epoch->c2s, epoch->idx_c2s, 0x0102030405060708, inner, 40);
	tap_ok(!memcmp(msg, "\x04\x01\0\0", 4) && !memcmp(msg + 8, "\x08\7\6\5\4\3\2\1", 8),
	       "DATA header");
	tap_ok(!jvpn_data_open(out, &epoch->c2s, epoch->idx_c2s, msg, sizeof(msg)) &&
	       !memcmp(out, inner, 40), "DATA opens");
	tap_ok(mutations_refused(msg, sizeof(msg), sizeof(msg), data_refused, w),
	       "DATA: every bit, every length");
	tap_equal(jvpn_data_open(out, &epoch->s2c, epoch->idx_c2s, msg, sizeof(msg)),
		  JVPN_VERDICT_BAD_AUTH, "DATA sent back is refused");
	msg[2] = 1;
	tap_equal(jvpn_data_parse(msg, sizeof(msg), &idx, &ctr), JVPN_VERDICT_BAD_RESERVED,
		  "reserved bits are refused before the AEAD");
	msg[2] = 0;
	jvpn_data_seal(again, &epoch->c2s, epoch->idx_c2s, 0x0102030405060709, inner, 40);
	tap_ok(memcmp(msg + 16, again + 16, 56), "the counter enters the nonce");
	jvpn_data_seal(msg, &epoch->c2s, epoch->idx_c2s, 1, NULL, 0);
	tap_ok(!jvpn_data_open(out, &epoch->c2s, epoch->idx_c2s, msg, 32), "an empty payload");
}

static void test_nonce(void)
{
	u8 iv[12] = { 0xf0, 0xf1, 0xf2, 0xf3, 0xff, 0, 0, 0, 0, 0, 0, 0x80 }, nonce[12];

	jvpn_data_nonce(nonce, iv, 0x80000000000000ffull);
	tap_ok(!memcmp(nonce, "\xf0\xf1\xf2\xf3\0\0\0\0\0\0\0\0", 12),
	       "nonce = iv XOR (0^4 || LE64 counter)");
}

static void test_heartbeat(void)
{
	struct jvpn_heartbeat ask = { .seq = 7, .ts = 1234567, .version = 3 }, read;
	struct jvpn_heartbeat reply = { .reply = true, .seq = 7, .echo_ts = 1234567 };
	u8 out[JVPN_WIRE_HEARTBEAT_CLIENT_SIZE];

	memset(out, 0xee, sizeof(out));
	tap_equal(jvpn_heartbeat_build(out, &ask), 192, "a client's heartbeat is padded");
	tap_ok(sodium_is_zero(out + 32, 160), "with zeros");
	tap_ok(!jvpn_heartbeat_parse(&read, out, 192) && heartbeat_equal(&read, &ask),
	       "and reads back");
	tap_equal(jvpn_heartbeat_build(out, &reply), 32, "a reply is not");
	tap_ok(!jvpn_heartbeat_parse(&read, out, 32) && heartbeat_equal(&read, &reply),
	       "and reads back");
	tap_equal(jvpn_heartbeat_parse(&read, out, 31), JVPN_VERDICT_BAD_LENGTH, "too short");
	out[1] = 2;
	tap_equal(jvpn_heartbeat_parse(&read, out, 32), JVPN_VERDICT_BAD_RESERVED,
		  "an unknown flag");
	out[0] = 2;
	tap_equal(jvpn_heartbeat_parse(&read, out, 32), JVPN_VERDICT_BAD_TYPE, "another type");
}

static void test_prefilter(void)
{
	u8 msg[JVPN_WIRE_CONTROL_MAX + 1] = { 0, JVPN_WIRE_PROTO };
	unsigned int type, len, gateway = 0, client = 0;

	for (type = 0; type < 256; type++) {
		for (len = 0; len <= sizeof(msg); len++) {
			msg[0] = type;
			gateway += jvpn_wire_control_valid(JVPN_WIRE_TO_GATEWAY, msg, len);
			client += jvpn_wire_control_valid(JVPN_WIRE_TO_CLIENT, msg, len);
		}
	}
	tap_equal(gateway, 4, "a gateway takes INIT, REQUEST, PROOF, CTRL of one length each");
	tap_equal(client, 7, "a client takes RESP, COOKIE, CHALLENGE, ACK, REJECT, GONE, CTRL");
	msg[0] = JVPN_MSG_INIT;
	msg[1] = 2;
	tap_ok(!jvpn_wire_control_valid(JVPN_WIRE_TO_GATEWAY, msg, JVPN_WIRE_INIT_SIZE),
	       "another protocol version is not taken");
	msg[1] = 1;
	msg[3] = 1;
	tap_ok(!jvpn_wire_control_valid(JVPN_WIRE_TO_GATEWAY, msg, JVPN_WIRE_INIT_SIZE),
	       "nor one with reserved bits");
}

static void test_paths(void)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(0x1234) };
	struct sockaddr_in6 mapped = v6;
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(0x1234) };
	struct sockaddr other = { .sa_family = AF_UNIX };
	struct jvpn_path a, b, before;

	inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr);
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.sin6_addr);
	inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr);
	tap_ok(jvpn_path_set(&a, (void *)&v4, (void *)&v4) &&
	       jvpn_path_set(&b, (void *)&mapped, (void *)&mapped) && jvpn_path_equal(&a, &b) &&
	       a.transport == JVPN_WIRE_TRANSPORT_UDP4, "a mapped address is the IPv4 address");
	tap_ok(!memcmp(a.remote.port, "\x12\x34", 2), "ports stand in network order");
	tap_ok(jvpn_path_set(&b, (void *)&v6, (void *)&v6) &&
	       b.transport == JVPN_WIRE_TRANSPORT_UDP6 && !jvpn_path_equal(&a, &b), "IPv6");
	b = a;
	b.transport = JVPN_WIRE_TRANSPORT_MAX;
	tap_ok(!jvpn_path_equal(&a, &b), "another transport is another path");
	before = b;
	tap_ok(!jvpn_path_set(&b, (void *)&v6, (void *)&v4) &&
	       !jvpn_path_set(&b, &other, &other) && !memcmp(&b, &before, sizeof(b)),
	       "mixed and foreign families are refused");
}

static void test_texts(void)
{
	unsigned int i, named = 0, stale = 0;

	for (i = 0; i < JVPN_VERDICT_END; i++) {
		const char *text = jvpn_verdict_str(i);

		named += text && *text && strcmp(text, "unknown");
		stale += jvpn_verdict_stale(i);
	}
	tap_equal(named, JVPN_VERDICT_END, "every verdict has a text");
	tap_equal(stale, 5, "five verdicts are stale");
	tap_text(jvpn_verdict_str(JVPN_VERDICT_END), "unknown", "what is none has another");
}

int main(void)
{
	struct world *w = world_new();

	test_ctrl(w);
	test_ctrl_direction(w);
	test_ctrl_bad(w);
	test_data(w);
	test_nonce();
	test_heartbeat();
	test_prefilter();
	test_paths();
	test_texts();
	free(w);
	return tap_done();
}
