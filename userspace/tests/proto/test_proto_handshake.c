// SPDX-License-Identifier: GPL-2.0
/* INIT, RESP and COOKIE: what they yield and what they refuse. */

#include "support.h"

/* One handshake, message by message. */
struct handshake {
	struct world *w;
	struct jvpn_hs_client client;
	struct jvpn_hs_server server;
	struct jvpn_hs_init init;
	struct jvpn_hs_resp resp;
	struct jvpn_wire_init init_msg;
	struct jvpn_wire_resp resp_msg;
	struct jvpn_hs_result server_result;
};

static void handshake_start(struct handshake *h, struct world *w)
{
	memset(h, 0, sizeof(*h));
	h->w = w;
	h->init = init_make(w);
	must(jvpn_hs_client_start(&h->client, w->client_secret, w->gw.public_key, &h->init,
				  &w->rng, &h->init_msg), "INIT");
}

static void handshake_answer(struct handshake *h)
{
	struct world *w = h->w;
	struct jvpn_hs_init seen;

	must(jvpn_hs_server_open(&h->server, w->gw.secret, w->gw.public_key,
				 (u8 *)&h->init_msg, sizeof(h->init_msg), &seen), "INIT read");
	h->resp = resp_make(w);
	must(jvpn_hs_server_respond(&h->server, w->psk, &h->resp, &w->rng, &h->resp_msg,
				    &h->server_result), "RESP");
}

static enum jvpn_verdict handshake_finish(struct handshake *h, const u8 *psk,
					  struct jvpn_hs_resp *resp,
					  struct jvpn_hs_result *result)
{
	return jvpn_hs_client_finish(&h->client, psk, (u8 *)&h->resp_msg, sizeof(h->resp_msg),
				     resp, result);
}

static bool zero(const void *data, size_t size)
{
	return sodium_is_zero(data, size);
}

static void test_agreement(struct world *w)
{
	struct jvpn_hs_result result = { 0 };
	struct jvpn_hs_resp resp = { 0 };
	struct jvpn_hs_init seen = { 0 };
	struct handshake h;

	handshake_start(&h, w);
	handshake_answer(&h);
	jvpn_hs_server_open(&h.server, w->gw.secret, w->gw.public_key, (u8 *)&h.init_msg,
			    sizeof(h.init_msg), &seen);
	tap_ok(!memcmp(&seen, &h.init, sizeof(seen)), "the gateway reads what INIT said");
	tap_ok(!memcmp(h.server.client_pub, w->client_pub, 32), "and who the client is");
	tap_ok(!handshake_finish(&h, w->psk, &resp, &result), "RESP is accepted");
	tap_ok(!memcmp(&resp, &h.resp, sizeof(resp)), "the client reads what RESP said");
	tap_ok(!memcmp(&result, &h.server_result, sizeof(result)), "both derive the same keys");
	tap_ok(result.epoch.idx_c2s != result.epoch.idx_s2c &&
	       memcmp(&result.epoch.c2s, &result.epoch.s2c, sizeof(result.epoch.c2s)) &&
	       memcmp(result.epoch.ctl_c2s, result.epoch.ctl_s2c, 32) &&
	       memcmp(result.keys.req, result.keys.rej, 32), "directions have different keys");
	tap_ok(zero(h.resp_msg.mac2, 16) && zero(h.init_msg.mac2, 16), "mac2 is zero");
}

static void test_again(struct world *w)
{
	struct jvpn_hs_result result[2], got;
	struct jvpn_wire_resp msg[2];
	struct jvpn_hs_resp resp;
	struct handshake h;

	handshake_start(&h, w);
	handshake_answer(&h);
	jvpn_hs_server_respond(&h.server, w->psk, &h.resp, &w->rng, &msg[0], &result[0]);
	jvpn_hs_server_respond(&h.server, w->psk, &h.resp, &w->rng, &msg[1], &result[1]);
	tap_ok(result[0].epoch.idx_c2s != result[1].epoch.idx_c2s,
	       "a second RESP to the same INIT has other indices");
	h.resp_msg = msg[1];
	tap_ok(!handshake_finish(&h, w->psk, &resp, &got) &&
	       !memcmp(&got, &result[1], sizeof(got)), "and completes the handshake");
}

static void test_psk(struct world *w)
{
	struct jvpn_hs_result result = { 0 };
	struct jvpn_hs_resp resp = { 0 };
	struct handshake h, before;
	u8 other[32] = { 0 };

	handshake_start(&h, w);
	handshake_answer(&h);
	before = h;
	tap_equal(handshake_finish(&h, other, &resp, &result), JVPN_VERDICT_BAD_AUTH,
		  "another psk is refused");
	tap_ok(zero(&resp, sizeof(resp)) && zero(&result, sizeof(result)) &&
	       !memcmp(&h, &before, sizeof(h)), "and has changed nothing");
	tap_ok(!handshake_finish(&h, w->psk, &resp, &result), "the right one still completes");
}

/* --- every change is refused -------------------------------------------- */

static bool init_refused(void *ctx, const u8 *msg, size_t len)
{
	struct handshake *h = ctx;
	struct jvpn_hs_server server = { 0 };
	struct jvpn_hs_init init = { 0 };

	if (jvpn_mac1_check(msg, len, &h->w->gw.mac))
		return true;
	if (!jvpn_hs_server_open(&server, h->w->gw.secret, h->w->gw.public_key, msg, len, &init))
		return false;
	return zero(&server, sizeof(server)) && zero(&init, sizeof(init));
}

/* By one who knows the gateway's public key and so can make mac1 right again. */
static bool init_restamped_refused(void *ctx, const u8 *msg, size_t len)
{
	struct handshake *h = ctx;
	u8 stamped[JVPN_WIRE_CONTROL_MAX + 1];

	memcpy(stamped, msg, len);
	if (len == JVPN_WIRE_INIT_SIZE && memcmp(msg + 4, &h->init_msg.sender, 4))
		return true;	/* only mac1 guards the index: see below */
	if (len >= 2 * JVPN_WIRE_MAC)
		jvpn_mac_stamp(stamped, len, &h->w->gw.mac, NULL);
	return init_refused(ctx, stamped, len);
}

static bool resp_refused(void *ctx, const u8 *msg, size_t len)
{
	struct handshake *h = ctx;
	struct jvpn_hs_client before = h->client;
	struct jvpn_hs_result result = { 0 };
	struct jvpn_hs_resp resp = { 0 };

	if (!jvpn_hs_client_finish(&h->client, h->w->psk, msg, len, &resp, &result))
		return false;
	return zero(&resp, sizeof(resp)) && zero(&result, sizeof(result)) &&
	       !memcmp(&before, &h->client, sizeof(before));
}

static bool resp_restamped_refused(void *ctx, const u8 *msg, size_t len)
{
	struct handshake *h = ctx;
	struct jvpn_mac_keys keys;
	u8 stamped[JVPN_WIRE_CONTROL_MAX + 1];

	memcpy(stamped, msg, len);
	if (len == JVPN_WIRE_RESP_SIZE && memcmp(msg + 4, &h->resp_msg.sender, 4))
		return true;
	if (len >= 2 * JVPN_WIRE_MAC) {
		jvpn_mac_keys_derive(&keys, h->w->client_pub);
		jvpn_mac_stamp(stamped, len, &keys, NULL);
	}
	return resp_refused(ctx, stamped, len);
}

static void test_mutations(struct world *w)
{
	struct handshake h;

	handshake_start(&h, w);
	handshake_answer(&h);
	tap_ok(mutations_refused(&h.init_msg, sizeof(h.init_msg), sizeof(h.init_msg) - 16,
				 init_refused, &h), "INIT: every bit before mac2, every length");
	tap_ok(mutations_refused(&h.init_msg, sizeof(h.init_msg), sizeof(h.init_msg) - 32,
				 init_restamped_refused, &h),
	       "INIT: the same with mac1 made right again");
	tap_ok(mutations_refused(&h.resp_msg, sizeof(h.resp_msg), sizeof(h.resp_msg),
				 resp_refused, &h), "RESP: every bit, every length");
	tap_ok(mutations_refused(&h.resp_msg, sizeof(h.resp_msg), sizeof(h.resp_msg) - 32,
				 resp_restamped_refused, &h),
	       "RESP: the same with mac1 made right again");
}

static void test_reflection(struct world *w)
{
	struct jvpn_hs_result result;
	struct jvpn_hs_resp resp;
	struct jvpn_hs_server server;
	struct jvpn_hs_init init;
	struct handshake h;

	handshake_start(&h, w);
	handshake_answer(&h);
	tap_equal(jvpn_hs_client_finish(&h.client, w->psk, (u8 *)&h.init_msg,
					sizeof(h.init_msg), &resp, &result),
		  JVPN_VERDICT_BAD_TYPE, "INIT sent back to the client is refused");
	tap_equal(jvpn_hs_server_open(&server, w->gw.secret, w->gw.public_key,
				      (u8 *)&h.resp_msg, sizeof(h.resp_msg), &init),
		  JVPN_VERDICT_BAD_TYPE, "RESP sent back to the gateway is refused");
}

static void test_foreign(struct world *w)
{
	struct handshake a, b;
	struct jvpn_hs_result result;
	struct jvpn_hs_resp resp;
	struct jvpn_hs_server server;
	struct jvpn_mac_keys keys;
	u8 secret[32], public_key[32];

	handshake_start(&a, w);
	handshake_answer(&a);
	handshake_start(&b, w);
	a.client = b.client;
	tap_equal(handshake_finish(&a, w->psk, &resp, &result), JVPN_VERDICT_BAD_INDEX,
		  "RESP to another INIT is refused");
	a.client.sender = jvpn_le32_to_cpu(a.resp_msg.receiver);
	tap_equal(handshake_finish(&a, w->psk, &resp, &result), JVPN_VERDICT_BAD_AUTH,
		  "even with the same index");

	jvpn_dh_generate(secret, public_key, &w->rng);
	jvpn_mac_keys_derive(&keys, public_key);
	tap_equal(jvpn_mac1_check((u8 *)&b.init_msg, sizeof(b.init_msg), &keys),
		  JVPN_VERDICT_BAD_MAC1, "INIT for another gateway fails at mac1");
	jvpn_mac_stamp((u8 *)&b.init_msg, sizeof(b.init_msg), &keys, NULL);
	tap_equal(jvpn_hs_server_open(&server, secret, public_key, (u8 *)&b.init_msg,
				      sizeof(b.init_msg), &b.init), JVPN_VERDICT_BAD_AUTH,
		  "and at its static key");
}

static void test_low_order(struct world *w)
{
	struct jvpn_hs_client client = { 0 };
	struct jvpn_wire_init msg = { 0 };
	struct jvpn_hs_server server;
	struct jvpn_hs_init init;
	struct handshake h;
	u8 point[32] = { 1 };

	handshake_start(&h, w);
	tap_equal(jvpn_hs_client_start(&client, w->client_secret, point, &h.init, &w->rng, &msg),
		  JVPN_VERDICT_BAD_KEY, "a gateway key of low order is refused");
	tap_ok(zero(&client, sizeof(client)) && zero(&msg, sizeof(msg)), "and nothing is built");
	memcpy(h.init_msg.e, point, 32);
	tap_equal(jvpn_hs_server_open(&server, w->gw.secret, w->gw.public_key,
				      (u8 *)&h.init_msg, sizeof(h.init_msg), &init),
		  JVPN_VERDICT_BAD_KEY, "an ephemeral point of low order is refused");
	handshake_start(&h, w);
	handshake_answer(&h);
	memcpy(h.server.client_e, point, 32);
	tap_equal(jvpn_hs_server_respond(&h.server, w->psk, &h.resp, &w->rng, &h.resp_msg,
					 &h.server_result), JVPN_VERDICT_BAD_KEY,
		  "no RESP is made from one");
}

/* --- fields -------------------------------------------------------------- */

static enum jvpn_verdict init_with(struct world *w, const struct jvpn_hs_init *init)
{
	struct jvpn_hs_client client;
	struct jvpn_hs_server server;
	struct jvpn_wire_init msg;
	struct jvpn_hs_init seen;
	enum jvpn_verdict verdict;

	verdict = jvpn_hs_client_start(&client, w->client_secret, w->gw.public_key, init,
				       &w->rng, &msg);
	if (verdict)
		return verdict;
	return jvpn_hs_server_open(&server, w->gw.secret, w->gw.public_key, (u8 *)&msg,
				   sizeof(msg), &seen);
}

static void test_init_fields(struct world *w)
{
	struct jvpn_hs_init init = init_make(w);

	init.proto_min = 2;
	init.proto_max = 3;
	tap_equal(init_with(w, &init), JVPN_VERDICT_BAD_VERSION_RANGE,
		  "a client of later versions only is refused");
	init.proto_min = 1;
	tap_equal(init_with(w, &init), JVPN_VERDICT_OK, "one that still knows this one is not");
	init.proto_max = 0;
	tap_equal(init_with(w, &init), JVPN_VERDICT_MISUSE, "an empty version range");
	init = init_make(w);
	memset(init.policy, 'x', sizeof(init.policy));
	tap_equal(init_with(w, &init), JVPN_VERDICT_MISUSE, "a policy name without an end");
	init = init_make(w);
	init.v4_prefix = 33;
	tap_equal(init_with(w, &init), JVPN_VERDICT_MISUSE, "an impossible prefix");
	init = init_make(w);
	init.suites = 0;
	tap_equal(init_with(w, &init), JVPN_VERDICT_MISUSE, "no suite");
}

static void test_resp_fields(struct world *w)
{
	struct jvpn_hs_result result;
	struct jvpn_hs_resp resp;
	struct handshake h;

	handshake_start(&h, w);
	handshake_answer(&h);
	h.resp.suite = 2;
	jvpn_hs_server_respond(&h.server, w->psk, &h.resp, &w->rng, &h.resp_msg,
			       &h.server_result);
	tap_equal(handshake_finish(&h, w->psk, &resp, &result), JVPN_VERDICT_BAD_SUITE,
		  "a suite that was not offered is refused");
	h.resp.version = 1;
	tap_equal(jvpn_hs_server_respond(&h.server, w->psk, &h.resp, &w->rng, &h.resp_msg,
					 &h.server_result), JVPN_VERDICT_MISUSE,
		  "a session is born with version 0");
	tap_equal(jvpn_hs_suite_choose(0x0006, 0x0002), 1, "the common suite is chosen");
	tap_equal(jvpn_hs_suite_choose(0x0006, 0x0006), 2, "the highest of several");
	tap_equal(jvpn_hs_suite_choose(0x0004, 0x0002), 0, "none if there is none");
}

static void test_timestamps(void)
{
	struct jvpn_hs_timestamp last = { 0 };
	u8 t1[12], t2[12];

	jvpn_hs_tai64n(t1, START_S, 1);
	jvpn_hs_tai64n(t2, START_S, 2);
	tap_equal(jvpn_hs_timestamp_accept(&last, t1, 0), JVPN_VERDICT_OK, "a first timestamp");
	tap_equal(jvpn_hs_timestamp_accept(&last, t1, 5), JVPN_VERDICT_REPLAYED, "the same");
	tap_ok(!jvpn_hs_timestamp_check(&last, t2, 5) && !jvpn_hs_timestamp_check(&last, t2, 5),
	       "to ask remembers nothing");
	tap_equal(jvpn_hs_timestamp_accept(&last, t2, 5), JVPN_VERDICT_OK, "one ns later");
	tap_equal(jvpn_hs_timestamp_accept(&last, t1, 6), JVPN_VERDICT_REPLAYED, "the older one");
	tap_equal(jvpn_hs_timestamp_accept(&last, t1, 5 + JVPN_HS_TIMESTAMP_MS - 1),
		  JVPN_VERDICT_REPLAYED, "still refused just before an hour");
	tap_equal(jvpn_hs_timestamp_accept(&last, t1, 5 + JVPN_HS_TIMESTAMP_MS),
		  JVPN_VERDICT_OK, "forgotten after an hour: a clock set back heals");
	tap_ok(jvpn_hs_tai64n_wall_s(t1) == START_S &&
	       !jvpn_hs_tai64n_wall_s((u8[JVPN_HS_TAI64N]){ }),
	       "a timestamp says when it was made, or that it is of no time");
	jvpn_hs_tai64n(t1, START_S - 86400, 5);
	jvpn_hs_tai64n_raise(t1, t2);
	tap_equal(jvpn_hs_timestamp_accept(&last, t2, 10 * JVPN_HS_TIMESTAMP_MS), JVPN_VERDICT_OK,
		  "later, and");
	tap_equal(jvpn_hs_timestamp_accept(&last, t1, 10 * JVPN_HS_TIMESTAMP_MS), JVPN_VERDICT_OK,
		  "a clock that was set back by a day does not show");
	jvpn_hs_tai64n(t2, START_S, 999999999);
	jvpn_hs_tai64n_raise(t1, t2);
	jvpn_hs_tai64n(t2, START_S + 1, 0);
	tap_ok(!memcmp(t1, t2, sizeof(t1)), "nor does the second's end");
	jvpn_hs_tai64n(t2, START_S, 7);
	jvpn_hs_tai64n_raise(t1, t2);
	tap_ok(memcmp(t1, t2, sizeof(t1)) > 0, "what is later stays");
	jvpn_hs_tai64n(t1, 0, 0);
	tap_ok(!memcmp(t1, "\x40\0\0\0\0\0\0\x0a\0\0\0\0", 12), "1970 in TAI64N");
}

/* --- cookies -------------------------------------------------------------- */

struct cookie_test {
	struct world *w;
	struct jvpn_wire_init init;
	struct jvpn_wire_cookie msg;
	struct jvpn_path path;
};

static enum jvpn_verdict mac2(struct cookie_test *t, const struct jvpn_path *path)
{
	return jvpn_mac2_check((u8 *)&t->init, sizeof(t->init), &t->w->gw.cookies,
			       &path->remote, t->w->now_ms, &t->w->rng);
}

static bool cookie_refused(void *ctx, const u8 *msg, size_t len)
{
	struct cookie_test *t = ctx;
	struct jvpn_cookie_jar jar = { 0 };

	return jvpn_cookie_open(&jar, msg, len, (u8 *)&t->init, sizeof(t->init), &t->w->gw.mac,
				t->w->now_ms) && zero(&jar, sizeof(jar));
}

static void cookie_begin(struct cookie_test *t, struct world *w)
{
	struct handshake h;

	handshake_start(&h, w);
	t->w = w;
	t->init = h.init_msg;
	t->path = path_make("192.0.2.7", 4000);
	jvpn_cookie_build(&t->msg, (u8 *)&t->init, sizeof(t->init), &w->gw.mac, &w->gw.cookies,
			  &t->path.remote, w->now_ms, &w->rng);
}

static void test_cookie(struct world *w)
{
	struct jvpn_path other_port = path_make("192.0.2.7", 4001);
	struct jvpn_path other_addr = path_make("192.0.2.8", 4000);
	struct jvpn_cookie_jar jar = { 0 };
	struct cookie_test t;

	cookie_begin(&t, w);
	tap_equal(mac2(&t, &t.path), JVPN_VERDICT_NEED_COOKIE, "INIT without mac2");
	tap_ok(mutations_refused(&t.msg, sizeof(t.msg), sizeof(t.msg), cookie_refused, &t),
	       "COOKIE: every bit, every length");
	tap_ok(!jvpn_cookie_open(&jar, (u8 *)&t.msg, sizeof(t.msg), (u8 *)&t.init,
				 sizeof(t.init), &w->gw.mac, w->now_ms), "COOKIE is accepted");
	jvpn_mac_stamp((u8 *)&t.init, sizeof(t.init), &w->gw.mac,
		       jvpn_cookie_get(&jar, w->now_ms));
	tap_equal(mac2(&t, &t.path), JVPN_VERDICT_OK, "INIT with the cookie");
	tap_equal(mac2(&t, &other_port), JVPN_VERDICT_NEED_COOKIE, "from another port");
	tap_equal(mac2(&t, &other_addr), JVPN_VERDICT_NEED_COOKIE, "from another address");
	t.init.mac2[3] ^= 1;
	tap_equal(mac2(&t, &t.path), JVPN_VERDICT_NEED_COOKIE, "with a changed mac2");
	t.init.mac2[3] ^= 1;
	tap_ok(!jvpn_cookie_get(&jar, w->now_ms + JVPN_COOKIE_USE_MS),
	       "the client stops using it in time");
	world_pass(w, JVPN_COOKIE_LIFE_MS);
	tap_equal(mac2(&t, &t.path), JVPN_VERDICT_NEED_COOKIE, "two minutes later");
}

static void test_cookie_other_message(struct world *w)
{
	struct jvpn_cookie_jar jar = { 0 };
	struct cookie_test a, b;

	cookie_begin(&a, w);
	cookie_begin(&b, w);
	tap_equal(jvpn_cookie_open(&jar, (u8 *)&a.msg, sizeof(a.msg), (u8 *)&b.init,
				   sizeof(b.init), &w->gw.mac, w->now_ms),
		  JVPN_VERDICT_BAD_INDEX, "COOKIE for another INIT");
	b.init.sender = a.init.sender;
	tap_equal(jvpn_cookie_open(&jar, (u8 *)&a.msg, sizeof(a.msg), (u8 *)&b.init,
				   sizeof(b.init), &w->gw.mac, w->now_ms),
		  JVPN_VERDICT_BAD_AUTH, "even with the same index: it is bound to mac1");
}

static void test_mac1_types(struct world *w)
{
	u8 msg[JVPN_WIRE_PROOF_SIZE] = { JVPN_MSG_PROOF, 1 };

	tap_equal(jvpn_mac1_check(msg, sizeof(msg), &w->gw.mac), JVPN_VERDICT_BAD_TYPE,
		  "only INIT, RESP and REQUEST carry mac1");
	tap_equal(jvpn_mac1_check(msg, 0, &w->gw.mac), JVPN_VERDICT_BAD_LENGTH,
		  "nothing at all");
}

int main(void)
{
	struct world *w = world_new();

	test_agreement(w);
	test_again(w);
	test_psk(w);
	test_mutations(w);
	test_reflection(w);
	test_foreign(w);
	test_low_order(w);
	test_init_fields(w);
	test_resp_fields(w);
	test_timestamps();
	test_cookie(w);
	test_cookie_other_message(w);
	test_mac1_types(w);
	free(w);
	return tap_done();
}
