// SPDX-License-Identifier: GPL-2.0

#include "handshake.h"

#define HS_NAME		"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b"

static const char hs_prologue[] = { 'J', 'V', 'P', 'N', '1', ' ', 'h', 's', JVPN_WIRE_PROTO };

/* TAI64 counts from 2^62 at 1970 and was 10 s ahead of UTC then. */
#define TAI64_EPOCH	(0x4000000000000000ull + 10)

void jvpn_hs_resp_wipe(struct jvpn_hs_resp *resp)
{
	jvpn_wipe(resp, sizeof(*resp));
}

void jvpn_hs_result_wipe(struct jvpn_hs_result *result)
{
	jvpn_wipe(result, sizeof(*result));
}

void jvpn_hs_client_wipe(struct jvpn_hs_client *hs)
{
	jvpn_wipe(hs, sizeof(*hs));
}

void jvpn_hs_server_wipe(struct jvpn_hs_server *hs)
{
	jvpn_wipe(hs, sizeof(*hs));
}

void jvpn_hs_tai64n(u8 out[JVPN_HS_TAI64N], u64 wall_s, u32 nanoseconds)
{
	u64 seconds = htobe64(TAI64_EPOCH + wall_s);
	u32 nano = htobe32(nanoseconds);

	memcpy(out, &seconds, sizeof(seconds));
	memcpy(out + sizeof(seconds), &nano, sizeof(nano));
}

u64 jvpn_hs_tai64n_wall_s(const u8 stamp[JVPN_HS_TAI64N])
{
	u64 seconds;

	memcpy(&seconds, stamp, sizeof(seconds));
	seconds = be64toh(seconds);
	return seconds > TAI64_EPOCH ? seconds - TAI64_EPOCH : 0;
}

void jvpn_hs_tai64n_raise(u8 stamp[JVPN_HS_TAI64N], const u8 last[JVPN_HS_TAI64N])
{
	const u32 second = 1000000000;
	u64 seconds;
	u32 nano;

	if (memcmp(stamp, last, JVPN_HS_TAI64N) > 0)
		return;
	memcpy(&seconds, last, sizeof(seconds));
	memcpy(&nano, last + sizeof(seconds), sizeof(nano));
	seconds = be64toh(seconds);
	nano = be32toh(nano);
	if (nano >= second - 1) {
		seconds++;
		nano = 0;
	} else {
		nano++;
	}
	seconds = htobe64(seconds);
	nano = htobe32(nano);
	memcpy(stamp, &seconds, sizeof(seconds));
	memcpy(stamp + sizeof(seconds), &nano, sizeof(nano));
}

/* --- payloads ----------------------------------------------------------- */

static bool prefixes_valid(u8 v4_prefix, u8 v6_prefix)
{
	return v4_prefix <= 32 && v6_prefix <= 128;
}

/* NUL terminated, and zero after that: one name has one encoding. */
static bool policy_name_valid(const char name[JVPN_WIRE_POLICY_NAME])
{
	size_t i = strnlen(name, JVPN_WIRE_POLICY_NAME);

	if (i == JVPN_WIRE_POLICY_NAME)
		return false;
	for (; i < JVPN_WIRE_POLICY_NAME; i++) {
		if (name[i])
			return false;
	}
	return true;
}

static enum jvpn_verdict init_encode(struct jvpn_wire_init_payload *out,
				     const struct jvpn_hs_init *init)
{
	if (init->proto_min > init->proto_max || !init->suites ||
	    !memchr(init->policy, 0, sizeof(init->policy)) ||
	    !prefixes_valid(init->v4_prefix, init->v6_prefix))
		return JVPN_VERDICT_MISUSE;

	memset(out, 0, sizeof(*out));
	memcpy(out->tai64n, init->tai64n, sizeof(out->tai64n));
	out->proto_min = init->proto_min;
	out->proto_max = init->proto_max;
	out->suites = jvpn_cpu_to_le16(init->suites);
	memcpy(out->policy, init->policy, strlen(init->policy));
	out->inner_flags = (init->want_v4 ? JVPN_WIRE_INNER_V4 : 0) |
			   (init->want_v6 ? JVPN_WIRE_INNER_V6 : 0);
	memcpy(out->v4, init->v4, sizeof(out->v4));
	out->v4_prefix = init->v4_prefix;
	memcpy(out->v6, init->v6, sizeof(out->v6));
	out->v6_prefix = init->v6_prefix;
	return JVPN_VERDICT_OK;
}

static enum jvpn_verdict init_decode(struct jvpn_hs_init *init,
				     const struct jvpn_wire_init_payload *in)
{
	if (in->proto_min > JVPN_WIRE_PROTO || in->proto_max < JVPN_WIRE_PROTO)
		return JVPN_VERDICT_BAD_VERSION_RANGE;
	if (!policy_name_valid(in->policy) || !prefixes_valid(in->v4_prefix, in->v6_prefix) ||
	    (in->inner_flags & ~(JVPN_WIRE_INNER_V4 | JVPN_WIRE_INNER_V6)))
		return JVPN_VERDICT_BAD_FIELD;

	memcpy(init->tai64n, in->tai64n, sizeof(init->tai64n));
	init->proto_min = in->proto_min;
	init->proto_max = in->proto_max;
	init->suites = jvpn_le16_to_cpu(in->suites);
	memcpy(init->policy, in->policy, sizeof(init->policy));
	init->want_v4 = in->inner_flags & JVPN_WIRE_INNER_V4;
	init->want_v6 = in->inner_flags & JVPN_WIRE_INNER_V6;
	memcpy(init->v4, in->v4, sizeof(init->v4));
	init->v4_prefix = in->v4_prefix;
	memcpy(init->v6, in->v6, sizeof(init->v6));
	init->v6_prefix = in->v6_prefix;
	return JVPN_VERDICT_OK;
}

static enum jvpn_verdict resp_encode(struct jvpn_wire_resp_payload *out,
				     const struct jvpn_hs_resp *resp)
{
	if (resp->version || !resp->suite || !prefixes_valid(resp->v4_prefix, resp->v6_prefix))
		return JVPN_VERDICT_MISUSE;

	memset(out, 0, sizeof(*out));
	memcpy(out->sid, resp->sid, sizeof(out->sid));
	out->suite = resp->suite;
	out->incarnation = jvpn_cpu_to_le32(resp->incarnation);
	out->policy_version = jvpn_cpu_to_le32(resp->policy_version);
	out->session_ttl_ms = jvpn_cpu_to_le32(resp->session_ttl_ms);
	out->transport_loss_ttl_ms = jvpn_cpu_to_le32(resp->transport_loss_ttl_ms);
	out->recovery_window_ms = jvpn_cpu_to_le32(resp->recovery_window_ms);
	out->max_switches_per_minute = jvpn_cpu_to_le32(resp->max_switches_per_minute);
	out->switch_cooldown_ms = jvpn_cpu_to_le32(resp->switch_cooldown_ms);
	memcpy(out->v4, resp->v4, sizeof(out->v4));
	out->v4_prefix = resp->v4_prefix;
	memcpy(out->v6, resp->v6, sizeof(out->v6));
	out->v6_prefix = resp->v6_prefix;
	memcpy(out->gone, resp->gone, sizeof(out->gone));
	memcpy(out->ticket, resp->ticket, sizeof(out->ticket));
	return JVPN_VERDICT_OK;
}

static enum jvpn_verdict resp_decode(struct jvpn_hs_resp *resp,
				     const struct jvpn_wire_resp_payload *in, u16 suites)
{
	if (in->suite >= 16 || !(suites & JVPN_SUITE_BIT(in->suite)))
		return JVPN_VERDICT_BAD_SUITE;
	if (in->version || in->flags || !prefixes_valid(in->v4_prefix, in->v6_prefix))
		return JVPN_VERDICT_BAD_FIELD;

	memcpy(resp->sid, in->sid, sizeof(resp->sid));
	resp->version = 0;
	resp->suite = in->suite;
	resp->incarnation = jvpn_le32_to_cpu(in->incarnation);
	resp->policy_version = jvpn_le32_to_cpu(in->policy_version);
	resp->session_ttl_ms = jvpn_le32_to_cpu(in->session_ttl_ms);
	resp->transport_loss_ttl_ms = jvpn_le32_to_cpu(in->transport_loss_ttl_ms);
	resp->recovery_window_ms = jvpn_le32_to_cpu(in->recovery_window_ms);
	resp->max_switches_per_minute = jvpn_le32_to_cpu(in->max_switches_per_minute);
	resp->switch_cooldown_ms = jvpn_le32_to_cpu(in->switch_cooldown_ms);
	memcpy(resp->v4, in->v4, sizeof(resp->v4));
	resp->v4_prefix = in->v4_prefix;
	memcpy(resp->v6, in->v6, sizeof(resp->v6));
	resp->v6_prefix = in->v6_prefix;
	memcpy(resp->gone, in->gone, sizeof(resp->gone));
	memcpy(resp->ticket, in->ticket, sizeof(resp->ticket));
	return JVPN_VERDICT_OK;
}

/* --- both sides --------------------------------------------------------- */

static void hs_noise_init(struct jvpn_noise *noise, const u8 server_pub[JVPN_WIRE_KEY])
{
	jvpn_noise_init(noise, HS_NAME, hs_prologue, sizeof(hs_prologue));
	jvpn_noise_mix_hash(noise, server_pub, JVPN_WIRE_KEY);
}

static void hs_result_derive(struct jvpn_hs_result *result, const struct jvpn_noise *noise)
{
	u8 ems[JVPN_WIRE_KEY];

	jvpn_noise_ems(noise, ems);
	jvpn_epoch_derive(&result->epoch, ems);
	jvpn_session_keys_derive(&result->keys, ems);
	jvpn_wipe(ems, sizeof(ems));
}

static void hs_stamp(u8 *msg, size_t len, const u8 receiver_pub[JVPN_WIRE_KEY])
{
	struct jvpn_mac_keys keys;

	jvpn_mac_keys_derive(&keys, receiver_pub);
	jvpn_mac_stamp(msg, len, &keys, NULL);
}

/* --- client ------------------------------------------------------------- */

/* Tokens e, es, s, ss and the payload. */
static bool init_write(struct jvpn_hs_client *hs, struct jvpn_wire_init *out,
		       const struct jvpn_wire_init_payload *payload)
{
	struct jvpn_noise *noise = &hs->noise;

	jvpn_noise_mix_ephemeral(noise, out->e);
	if (!jvpn_noise_mix_dh(noise, hs->e, hs->server_pub))
		return false;
	jvpn_noise_encrypt(noise, out->s, hs->client_pub, JVPN_WIRE_KEY);
	if (!jvpn_noise_mix_dh(noise, hs->client, hs->server_pub))
		return false;
	jvpn_noise_encrypt(noise, out->payload, payload, sizeof(*payload));
	return true;
}

enum jvpn_verdict jvpn_hs_client_start(struct jvpn_hs_client *hs,
				       const u8 client[JVPN_WIRE_KEY],
				       const u8 server_pub[JVPN_WIRE_KEY],
				       const struct jvpn_hs_init *init,
				       const struct jvpn_rng *rng, struct jvpn_wire_init *out)
{
	struct jvpn_wire_init_payload payload;
	struct jvpn_hs_client made = { .suites = init->suites };
	struct jvpn_wire_init msg = { 0 };
	enum jvpn_verdict verdict;

	verdict = init_encode(&payload, init);
	if (verdict)
		return verdict;
	memcpy(made.client, client, JVPN_WIRE_KEY);
	jvpn_dh_public(made.client_pub, client);
	memcpy(made.server_pub, server_pub, JVPN_WIRE_KEY);
	jvpn_rng_fill(rng, &made.sender, sizeof(made.sender));
	jvpn_dh_generate(made.e, msg.e, rng);

	jvpn_msg_header(&msg.hdr, JVPN_MSG_INIT);
	msg.sender = jvpn_cpu_to_le32(made.sender);
	hs_noise_init(&made.noise, server_pub);
	if (init_write(&made, &msg, &payload)) {
		hs_stamp((u8 *)&msg, sizeof(msg), server_pub);
		*hs = made;
		*out = msg;
	} else {
		verdict = JVPN_VERDICT_BAD_KEY;
	}
	jvpn_hs_client_wipe(&made);
	return verdict;
}

static enum jvpn_verdict resp_check(const struct jvpn_hs_client *hs, const u8 *msg, size_t len)
{
	const struct jvpn_wire_resp *m = (const void *)msg;
	enum jvpn_verdict verdict = jvpn_msg_check(msg, len, JVPN_MSG_RESP);
	struct jvpn_mac_keys keys;

	if (verdict)
		return verdict;
	if (jvpn_le32_to_cpu(m->receiver) != hs->sender)
		return JVPN_VERDICT_BAD_INDEX;
	if (!sodium_is_zero(m->mac2, sizeof(m->mac2)))
		return JVPN_VERDICT_BAD_RESERVED;
	jvpn_mac_keys_derive(&keys, hs->client_pub);
	return jvpn_mac1_check(msg, len, &keys);
}

/* Tokens e, ee, se, psk and the payload. */
static enum jvpn_verdict resp_read(struct jvpn_noise *noise, const struct jvpn_hs_client *hs,
				   const u8 psk[JVPN_WIRE_KEY], const struct jvpn_wire_resp *m,
				   struct jvpn_wire_resp_payload *payload)
{
	jvpn_noise_mix_ephemeral(noise, m->e);
	if (!jvpn_noise_mix_dh(noise, hs->e, m->e) ||
	    !jvpn_noise_mix_dh(noise, hs->client, m->e))
		return JVPN_VERDICT_BAD_KEY;
	jvpn_noise_mix_key_and_hash(noise, psk);
	if (!jvpn_noise_decrypt(noise, (u8 *)payload, m->payload, sizeof(m->payload)))
		return JVPN_VERDICT_BAD_AUTH;
	return JVPN_VERDICT_OK;
}

enum jvpn_verdict jvpn_hs_client_finish(const struct jvpn_hs_client *hs,
					const u8 psk[JVPN_WIRE_KEY], const u8 *msg, size_t len,
					struct jvpn_hs_resp *resp,
					struct jvpn_hs_result *result)
{
	struct jvpn_wire_resp_payload payload = { 0 };
	enum jvpn_verdict verdict = resp_check(hs, msg, len);
	struct jvpn_noise noise;

	if (verdict)
		return verdict;
	noise = hs->noise;
	verdict = resp_read(&noise, hs, psk, (const void *)msg, &payload);
	if (!verdict)
		verdict = resp_decode(resp, &payload, hs->suites);
	if (!verdict)
		hs_result_derive(result, &noise);
	jvpn_noise_wipe(&noise);
	jvpn_wipe(&payload, sizeof(payload));
	return verdict;
}

/* --- gateway ------------------------------------------------------------ */

static enum jvpn_verdict init_read(struct jvpn_hs_server *hs, const u8 server[JVPN_WIRE_KEY],
				   const struct jvpn_wire_init *m,
				   struct jvpn_wire_init_payload *payload)
{
	struct jvpn_noise *noise = &hs->noise;

	jvpn_noise_mix_ephemeral(noise, m->e);
	if (!jvpn_noise_mix_dh(noise, server, m->e))
		return JVPN_VERDICT_BAD_KEY;
	if (!jvpn_noise_decrypt(noise, hs->client_pub, m->s, sizeof(m->s)))
		return JVPN_VERDICT_BAD_AUTH;
	if (!jvpn_noise_mix_dh(noise, server, hs->client_pub))
		return JVPN_VERDICT_BAD_KEY;
	if (!jvpn_noise_decrypt(noise, (u8 *)payload, m->payload, sizeof(m->payload)))
		return JVPN_VERDICT_BAD_AUTH;
	return JVPN_VERDICT_OK;
}

enum jvpn_verdict jvpn_hs_server_open(struct jvpn_hs_server *hs,
				      const u8 server[JVPN_WIRE_KEY],
				      const u8 server_pub[JVPN_WIRE_KEY],
				      const u8 *msg, size_t len, struct jvpn_hs_init *init)
{
	const struct jvpn_wire_init *m = (const void *)msg;
	enum jvpn_verdict verdict = jvpn_msg_check(msg, len, JVPN_MSG_INIT);
	struct jvpn_wire_init_payload payload;
	struct jvpn_hs_server made = { 0 };

	if (verdict)
		return verdict;
	hs_noise_init(&made.noise, server_pub);
	verdict = init_read(&made, server, m, &payload);
	if (!verdict)
		verdict = init_decode(init, &payload);
	if (!verdict) {
		memcpy(made.client_e, m->e, JVPN_WIRE_KEY);
		made.receiver = jvpn_le32_to_cpu(m->sender);
		*hs = made;
	}
	jvpn_hs_server_wipe(&made);
	return verdict;
}

/* Tokens e, ee, se, psk and the payload. */
static bool resp_write(struct jvpn_noise *noise, const struct jvpn_hs_server *hs, const u8 *e,
		       const u8 psk[JVPN_WIRE_KEY], struct jvpn_wire_resp *out,
		       const struct jvpn_wire_resp_payload *payload)
{
	jvpn_noise_mix_ephemeral(noise, out->e);
	if (!jvpn_noise_mix_dh(noise, e, hs->client_e) ||
	    !jvpn_noise_mix_dh(noise, e, hs->client_pub))
		return false;
	jvpn_noise_mix_key_and_hash(noise, psk);
	jvpn_noise_encrypt(noise, out->payload, payload, sizeof(*payload));
	return true;
}

enum jvpn_verdict jvpn_hs_server_respond(const struct jvpn_hs_server *hs,
					 const u8 psk[JVPN_WIRE_KEY],
					 const struct jvpn_hs_resp *resp,
					 const struct jvpn_rng *rng, struct jvpn_wire_resp *out,
					 struct jvpn_hs_result *result)
{
	struct jvpn_wire_resp_payload payload;
	struct jvpn_wire_resp msg = { 0 };
	struct jvpn_noise noise;
	enum jvpn_verdict verdict;
	u8 e[JVPN_WIRE_KEY];

	verdict = resp_encode(&payload, resp);
	if (verdict)
		return verdict;
	noise = hs->noise;
	jvpn_rng_fill(rng, &msg.sender, sizeof(msg.sender));
	jvpn_dh_generate(e, msg.e, rng);
	jvpn_msg_header(&msg.hdr, JVPN_MSG_RESP);
	msg.receiver = jvpn_cpu_to_le32(hs->receiver);
	if (resp_write(&noise, hs, e, psk, &msg, &payload)) {
		hs_stamp((u8 *)&msg, sizeof(msg), hs->client_pub);
		*out = msg;
		hs_result_derive(result, &noise);
	} else {
		verdict = JVPN_VERDICT_BAD_KEY;
	}
	jvpn_noise_wipe(&noise);
	jvpn_wipe(&payload, sizeof(payload));
	jvpn_wipe(e, sizeof(e));
	return verdict;
}

u8 jvpn_hs_suite_choose(u16 offered, u16 supported)
{
	u16 both = offered & supported;
	u8 suite;

	for (suite = 15; suite; suite--) {
		if (both & JVPN_SUITE_BIT(suite))
			return suite;
	}
	return 0;
}

enum jvpn_verdict jvpn_hs_timestamp_check(const struct jvpn_hs_timestamp *last,
					  const u8 tai64n[JVPN_HS_TAI64N], u64 now_ms)
{
	bool remembered = last->set && now_ms - last->seen_ms < JVPN_HS_TIMESTAMP_MS;

	return remembered && memcmp(tai64n, last->tai64n, JVPN_HS_TAI64N) <= 0 ?
		       JVPN_VERDICT_REPLAYED : JVPN_VERDICT_OK;
}

enum jvpn_verdict jvpn_hs_timestamp_accept(struct jvpn_hs_timestamp *last,
					   const u8 tai64n[JVPN_HS_TAI64N], u64 now_ms)
{
	enum jvpn_verdict verdict = jvpn_hs_timestamp_check(last, tai64n, now_ms);

	if (verdict)
		return verdict;
	memcpy(last->tai64n, tai64n, JVPN_HS_TAI64N);
	last->seen_ms = now_ms;
	last->set = true;
	return JVPN_VERDICT_OK;
}
