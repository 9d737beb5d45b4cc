// SPDX-License-Identifier: GPL-2.0
/*
 * Known answers: every message and every key of a session made with a counted
 * random stream, compared with tests/vectors/jvpn1.json. The file also lists
 * the random octets in the order of their use, so that another implementation
 * can be held against it. With --print, writes the file's content anew.
 */

#include <jansson.h>
#include <libgen.h>

#include "support.h"
#include "util.h"

static json_t *answers, *randoms;

static void text_add(json_t *array, const void *bytes, size_t size)
{
	char text[2 * JVPN_WIRE_CONTROL_MAX + 1];

	json_array_append_new(array, json_string(jvpn_util_hex_encode(bytes, size, text)));
}

static void answer_add(const char *name, const void *bytes, size_t size)
{
	char text[2 * JVPN_WIRE_CONTROL_MAX + 1];

	json_object_set_new(answers, name, json_string(jvpn_util_hex_encode(bytes, size, text)));
}

#define ADD(name, x) answer_add(name, &(x), sizeof(x))

static void recorded_fill(void *ctx, void *out, size_t size)
{
	counted_fill(ctx, out, size);
	text_add(randoms, out, size);
}

static void epoch_add(const char *name, const struct jvpn_epoch *epoch)
{
	char field[64];

#define EPOCH_ADD(suffix, x) \
	(snprintf(field, sizeof(field), "%s_" suffix, name), ADD(field, x))
	EPOCH_ADD("c2s_key", epoch->c2s.key);
	EPOCH_ADD("c2s_iv", epoch->c2s.iv);
	EPOCH_ADD("s2c_key", epoch->s2c.key);
	EPOCH_ADD("s2c_iv", epoch->s2c.iv);
	EPOCH_ADD("ctl_c2s", epoch->ctl_c2s);
	EPOCH_ADD("ctl_s2c", epoch->ctl_s2c);
#undef EPOCH_ADD
	snprintf(field, sizeof(field), "%s_idx_c2s", name);
	json_object_set_new(answers, field, json_integer(epoch->idx_c2s));
	snprintf(field, sizeof(field), "%s_idx_s2c", name);
	json_object_set_new(answers, field, json_integer(epoch->idx_s2c));
}

static void begin(struct world *w)
{
	world_keys(w);
	w->rng.fill = recorded_fill;
	ADD("server_secret", w->gw.secret);
	ADD("server_public", w->gw.public_key);
	ADD("client_secret", w->client_secret);
	ADD("client_public", w->client_pub);
	ADD("psk", w->psk);
	ADD("k_gone", w->gw.k_gone);
	ADD("ticket_root", w->gw.tickets.root);
	ADD("ring_ck", w->gw.ring.slot[w->gw.ring.newest].ck);
	ADD("ring_e_s", w->gw.ring.slot[w->gw.ring.newest].e_s);
	w->bound = path_make("192.0.2.1", 1000);
}

static void handshake(struct world *w)
{
	struct jvpn_hs_result server, client;
	struct jvpn_hs_client hs_client;
	struct jvpn_hs_server hs_server;
	struct jvpn_wire_init init_msg;
	struct jvpn_wire_resp resp_msg;
	struct jvpn_wire_cookie cookie;
	struct jvpn_hs_resp resp;
	struct jvpn_hs_init init = init_make(w);

	must(jvpn_hs_client_start(&hs_client, w->client_secret, w->gw.public_key, &init, &w->rng,
				  &init_msg), "INIT");
	ADD("INIT", init_msg);
	jvpn_cookie_build(&cookie, (u8 *)&init_msg, sizeof(init_msg), &w->gw.mac,
			  &w->gw.cookies, &w->bound.remote, w->now_ms, &w->rng);
	ADD("cookie_secret", w->gw.cookies.r);
	ADD("COOKIE", cookie);
	must(jvpn_hs_server_open(&hs_server, w->gw.secret, w->gw.public_key, (u8 *)&init_msg,
				 sizeof(init_msg), &init), "INIT read");
	resp = resp_make(w);
	must(jvpn_hs_server_respond(&hs_server, w->psk, &resp, &w->rng, &resp_msg, &server),
	     "RESP");
	ADD("RESP", resp_msg);
	must(jvpn_hs_client_finish(&hs_client, w->psk, (u8 *)&resp_msg, sizeof(resp_msg), &resp,
				   &client), "RESP read");
	world_attach(w, &resp, &server, &client);
	ADD("sid", resp.sid);
	ADD("k_req", client.keys.req);
	ADD("k_rej", client.keys.rej);
	ADD("k_psk", client.keys.psk);
	epoch_add("epoch0", &client.epoch);
}

static void reattach(struct world *w)
{
	struct jvpn_path b = path_make("198.51.100.9", 2000);
	struct jvpn_attempt *a;
	struct answer answer;

	must(jvpn_client_request(&w->client, 1, false, NULL, w->now_ms, &w->rng, &a), "REQUEST");
	ADD("REQUEST", a->request);
	answer = gateway_rx(w, &a->request, sizeof(a->request), &b);
	answer_add("CHALLENGE", answer.msg, answer.len);
	must(jvpn_client_challenge(&w->client, answer.msg, answer.len, NULL, w->now_ms, &a),
	     "CHALLENGE");
	must(jvpn_client_proof(&w->client, a, 0, 1, w->now_ms, &w->rng), "PROOF");
	ADD("PROOF", a->proof[0].msg);
	answer = prove(w, a, 0, &b);
	answer_add("ACK", answer.msg, answer.len);
	must(client_ack(w, &answer), "ACK");
	epoch_add("epoch1", &w->client_epoch);
}

static void rest(struct world *w)
{
	struct jvpn_rejection reject = { JVPN_WIRE_REJECT_RATE, 0, 2500, 3 };
	struct jvpn_ctrl ctrl = { JVPN_WIRE_CTRL_POLICY, 0, 3, 1, 0, "fast" };
	struct jvpn_heartbeat heartbeat = { .seq = 1, .ts = 1000000000, .version = 3 };
	u8 inner[JVPN_WIRE_HEARTBEAT_CLIENT_SIZE], data[224], nc[JVPN_WIRE_NC];
	struct jvpn_wire_reject reject_msg;
	struct jvpn_wire_ctrl ctrl_msg;
	struct jvpn_wire_gone gone;

	jvpn_rng_fill(&w->rng, nc, sizeof(nc));
	jvpn_reject_build(&reject_msg, &w->record.keys, nc, &reject, &w->rng);
	ADD("REJECT", reject_msg);
	jvpn_gone_build(&gone, w->gw.k_gone, w->record.sid, nc);
	ADD("GONE", gone);
	must(jvpn_ctrl_build(&ctrl_msg, &w->client_epoch, JVPN_SIDE_CLIENT, &ctrl, &w->rng),
	     "CTRL");
	ADD("CTRL", ctrl_msg);
	jvpn_data_seal(data, &w->client_epoch.c2s, w->client_epoch.idx_c2s, 5, inner,
		       jvpn_heartbeat_build(inner, &heartbeat));
	ADD("DATA", data);
}

static json_t *answers_make(void)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w || sodium_init() < 0)
		abort();
	answers = json_object();
	randoms = json_array();
	begin(w);
	handshake(w);
	reattach(w);
	rest(w);
	json_object_set_new(answers, "random", randoms);
	free(w);
	return answers;
}

static json_t *answers_load(void)
{
	char self[] = __FILE__, path[4096];
	json_error_t error;
	json_t *json;

	snprintf(path, sizeof(path), "%s/../vectors/jvpn1.json", dirname(self));
	json = json_load_file(path, 0, &error);
	if (!json) {
		printf("Bail out! %s: %s\n", path, error.text);
		exit(1);
	}
	return json;
}

int main(int argc, char **argv)
{
	json_t *made = answers_make(), *known, *value;
	const char *name;

	if (argc > 1 && !strcmp(argv[1], "--print"))
		return json_dumpf(made, stdout, JSON_INDENT(1)) || putchar('\n') != '\n';
	known = answers_load();
	json_object_foreach(known, name, value)
		tap_ok(json_equal(value, json_object_get(made, name)), "%s", name);
	tap_equal(json_object_size(known), json_object_size(made), "nothing is missing");
	json_decref(known);
	json_decref(made);
	return tap_done();
}
