// SPDX-License-Identifier: GPL-2.0

#include <linux/jvpn.h>

#include "reattach.h"
#include "reattach_noise.h"

void jvpn_gateway_init(struct jvpn_gateway *gw, const u8 secret[JVPN_WIRE_KEY])
{
	memset(gw, 0, sizeof(*gw));
	memcpy(gw->secret, secret, JVPN_WIRE_KEY);
	jvpn_dh_public(gw->public_key, secret);
	jvpn_mac_keys_derive(&gw->mac, gw->public_key);
	jvpn_tickets_init(&gw->tickets, secret);
}

void jvpn_gateway_tick(struct jvpn_gateway *gw, u64 now_ms, const struct jvpn_rng *rng)
{
	jvpn_ring_advance(&gw->ring, now_ms, rng);
}

void jvpn_gateway_wipe(struct jvpn_gateway *gw)
{
	jvpn_wipe(gw, sizeof(*gw));
}

void jvpn_reattach_session_wipe(struct jvpn_reattach_session *session)
{
	jvpn_wipe(session, sizeof(*session));
}

void jvpn_proof_wipe(struct jvpn_proof *proof)
{
	jvpn_wipe(proof, sizeof(*proof));
}

static_assert(offsetof(struct jvpn_wire_request, ticket) ==
	       offsetof(struct jvpn_wire_proof, ticket), "ticket");
static_assert(offsetof(struct jvpn_wire_request, nc) ==
	       offsetof(struct jvpn_wire_proof, nc), "nc");

const u8 *jvpn_reattach_ticket(const u8 *msg)
{
	return msg + offsetof(struct jvpn_wire_request, ticket);
}

const u8 *jvpn_reattach_nc(const u8 *msg)
{
	return msg + offsetof(struct jvpn_wire_request, nc);
}

/* --- REQUEST and CHALLENGE ---------------------------------------------- */

enum jvpn_verdict jvpn_request_open(const struct jvpn_reattach_session *session, const u8 *msg,
				    size_t len, struct jvpn_request *request)
{
	const struct jvpn_wire_request *m = (const void *)msg;
	enum jvpn_verdict verdict = jvpn_msg_check(msg, len, JVPN_MSG_REQUEST);
	struct jvpn_wire_request_payload payload;

	if (verdict)
		return verdict;
	if (!jvpn_xaead_open((u8 *)&payload, session->keys.req, m->nc, m, JVPN_REQUEST_AD_SIZE,
			     m->payload, sizeof(m->payload)))
		return JVPN_VERDICT_BAD_AUTH;
	if (payload.flags & ~JVPN_WIRE_REQUEST_STANDBY)
		return JVPN_VERDICT_BAD_FIELD;
	memcpy(request->nc, m->nc, JVPN_WIRE_NC);
	request->standby = payload.flags & JVPN_WIRE_REQUEST_STANDBY;
	request->v_seen = jvpn_le64_to_cpu(payload.v_seen);
	return request->v_seen > session->v ? JVPN_VERDICT_ROLLBACK : JVPN_VERDICT_OK;
}

/* ctr8 || idx4 || rand12 */
struct challenge_nc {
	__le64 ctr;
	__le32 idx;
	u8 random[12];
} __packed;

static_assert(sizeof(struct challenge_nc) == JVPN_WIRE_NC, "nc");

void jvpn_challenge_nc(u8 nc[JVPN_WIRE_NC], u64 ctr, u32 idx, const struct jvpn_rng *rng)
{
	struct challenge_nc made = {
		.ctr = jvpn_cpu_to_le64(ctr),
		.idx = jvpn_cpu_to_le32(idx),
	};

	jvpn_rng_fill(rng, made.random, sizeof(made.random));
	memcpy(nc, &made, sizeof(made));
}

static void challenge_fill(struct jvpn_wire_challenge_payload *payload,
			   const struct jvpn_gateway *gw,
			   const struct jvpn_reattach_session *session,
			   const struct jvpn_path *path, const struct jvpn_challenge_args *args,
			   u64 now_ms, const struct jvpn_rng *rng)
{
	*payload = (struct jvpn_wire_challenge_payload){
		.v_cur = jvpn_cpu_to_le64(session->v),
		.e_cur = jvpn_cpu_to_le32(session->e),
		.state = session->state,
		.flags = args->flags,
		.retry_ms = jvpn_cpu_to_le16(args->retry_ms),
		.observed_transport = path->transport,
		.observed = path->remote,
		.incarnation = jvpn_cpu_to_le32(session->incarnation),
	};
	jvpn_ticket_seal(&gw->tickets, session->sid, now_ms / 1000, rng, payload->ticket);
}

void jvpn_challenge_build(struct jvpn_wire_challenge *out, struct jvpn_gateway *gw,
			  const struct jvpn_reattach_session *session,
			  const struct jvpn_path *path, const struct jvpn_challenge_args *args,
			  u64 now_ms, const struct jvpn_rng *rng)
{
	const struct jvpn_ring_slot *slot = jvpn_ring_current(&gw->ring, now_ms, rng);
	u32 life_s = args->standby ? JVPN_RING_TTL_STANDBY_S : JVPN_RING_TTL_S;
	struct jvpn_reattach_names names = { session->suite, session->sid, out->nc, out->ns };
	struct jvpn_wire_challenge_payload payload;
	struct jvpn_ring_binding binding;
	struct jvpn_noise noise;
	u8 psk[JVPN_WIRE_KEY];

	jvpn_msg_header(&out->hdr, JVPN_MSG_CHALLENGE);
	memcpy(out->nc, args->nc, JVPN_WIRE_NC);
	jvpn_rng_fill(rng, out->ns, sizeof(out->ns));
	memcpy(out->e_s, slot->e_s_pub, JVPN_WIRE_KEY);

	jvpn_reattach_psk(psk, &session->keys, &names);
	jvpn_reattach_begin(&noise, &names, psk, gw->public_key, session->client_pub, out->e_s);
	challenge_fill(&payload, gw, session, path, args, now_ms, rng);
	jvpn_noise_encrypt(&noise, out->payload, &payload, sizeof(payload));

	binding = (struct jvpn_ring_binding){ path, session->sid, out->nc, out->ns, noise.h };
	jvpn_ring_cookie_make(slot, (u32)(now_ms / 1000) + life_s, &binding, &out->cookie);
	jvpn_noise_wipe(&noise);
	jvpn_wipe(psk, sizeof(psk));
}

/* --- PROOF -------------------------------------------------------------- */

static enum jvpn_verdict gate_open(const struct jvpn_wire_proof *m, const u8 psk[JVPN_WIRE_KEY],
				   struct jvpn_wire_gate *gate)
{
	u8 key[JVPN_WIRE_KEY];
	bool good;

	jvpn_reattach_gate_key(key, psk, m->e_c);
	good = jvpn_aead_open((u8 *)gate, key, jvpn_reattach_gate_nonce, m, JVPN_GATE_AD_SIZE,
			      m->gate, sizeof(m->gate));
	jvpn_wipe(key, sizeof(key));
	return good ? JVPN_VERDICT_OK : JVPN_VERDICT_BAD_GATE;
}

static enum jvpn_verdict proof_repeated(const struct jvpn_proof_last *last, const u8 hash[16],
					const struct jvpn_path *path)
{
	if (!last->set || !jvpn_equal(last->hash, hash, sizeof(last->hash)))
		return JVPN_VERDICT_OK;
	return jvpn_path_equal(&last->path, path) ? JVPN_VERDICT_DUPLICATE :
						    JVPN_VERDICT_DUPLICATE_ELSEWHERE;
}

static enum jvpn_verdict proof_current(const struct jvpn_reattach_session *session,
				       const struct jvpn_wire_gate *gate)
{
	if (session->state == JVPN_STATE_TERMINATED)
		return JVPN_VERDICT_TERMINATED;
	if (jvpn_le64_to_cpu(gate->v_req) != session->v)
		return JVPN_VERDICT_STALE_VERSION;
	if (jvpn_le32_to_cpu(gate->e_req) != session->e)
		return JVPN_VERDICT_STALE_EPOCH;
	return JVPN_VERDICT_OK;
}

/*
 * The Noise state after message 1, without having kept it: the chaining key
 * follows from psk and e_s, the hash is the echoed h1, which the cookie covers.
 */
static void proof_rehydrate(struct jvpn_proof *proof, const struct jvpn_gateway *gw,
			    const struct jvpn_reattach_session *session,
			    const struct jvpn_reattach_names *names, const u8 *psk,
			    const struct jvpn_ring_slot *slot, const struct jvpn_wire_proof *m)
{
	jvpn_reattach_begin(&proof->noise, names, psk, gw->public_key, session->client_pub,
			    slot->e_s_pub);
	memcpy(proof->noise.h, m->h1, JVPN_WIRE_HASH);
	memcpy(proof->e_s, slot->e_s, JVPN_WIRE_KEY);
	memcpy(proof->e_c, m->e_c, JVPN_WIRE_KEY);
	memcpy(proof->client_pub, session->client_pub, JVPN_WIRE_KEY);
	memcpy(proof->payload, m->payload, sizeof(proof->payload));
}

static enum jvpn_verdict proof_judge(const struct jvpn_gateway *gw,
				     const struct jvpn_reattach_session *session,
				     const struct jvpn_proof_last *last,
				     const struct jvpn_path *path,
				     const struct jvpn_wire_proof *m, u64 now_ms, const u8 *psk,
				     struct jvpn_wire_gate *gate, u8 hash[16],
				     const struct jvpn_ring_slot **slot)
{
	struct jvpn_ring_binding binding = { path, session->sid, m->nc, m->ns, m->h1 };
	enum jvpn_verdict verdict;

	verdict = gate_open(m, psk, gate);
	if (verdict)
		return verdict;
	jvpn_bl(hash, 16, NULL, 0, JVPN_SLICE(m, sizeof(*m)));
	verdict = proof_repeated(last, hash, path);
	if (verdict)
		return verdict;
	verdict = jvpn_ring_cookie_check(&gw->ring, &m->cookie, &binding, now_ms, slot);
	if (verdict)
		return verdict;
	return proof_current(session, gate);
}

enum jvpn_verdict jvpn_proof_open(const struct jvpn_gateway *gw,
				  const struct jvpn_reattach_session *session,
				  const struct jvpn_proof_last *last,
				  const struct jvpn_path *path, const u8 *msg, size_t len,
				  u64 now_ms, struct jvpn_proof *proof)
{
	const struct jvpn_wire_proof *m = (const void *)msg;
	enum jvpn_verdict verdict = jvpn_msg_check(msg, len, JVPN_MSG_PROOF);
	const struct jvpn_ring_slot *slot = NULL;
	struct jvpn_reattach_names names;
	struct jvpn_wire_gate gate;
	u8 psk[JVPN_WIRE_KEY];
	u8 hash[16];

	if (verdict)
		return verdict;
	names = (struct jvpn_reattach_names){ session->suite, session->sid, m->nc, m->ns };
	jvpn_reattach_psk(psk, &session->keys, &names);
	verdict = proof_judge(gw, session, last, path, m, now_ms, psk, &gate, hash, &slot);
	if (!verdict) {
		memcpy(proof->sid, session->sid, JVPN_WIRE_SID);
		proof->v_req = jvpn_le64_to_cpu(gate.v_req);
		proof->e_req = jvpn_le32_to_cpu(gate.e_req);
		memcpy(proof->nc, m->nc, JVPN_WIRE_NC);
		memcpy(proof->hash, hash, sizeof(proof->hash));
		jvpn_bl(proof->gate, sizeof(proof->gate), NULL, 0,
			JVPN_SLICE(m, offsetof(struct jvpn_wire_proof, payload)));
		proof->path = *path;
		proof_rehydrate(proof, gw, session, &names, psk, slot, m);
	}
	jvpn_wipe(psk, sizeof(psk));
	return verdict;
}

/* Tokens e, ee, se, es; the gateway is the Noise initiator. */
enum jvpn_verdict jvpn_proof_dh(const struct jvpn_proof *proof, const u8 secret[JVPN_WIRE_KEY],
				struct jvpn_noise *noise)
{
	*noise = proof->noise;
	jvpn_noise_mix_ephemeral(noise, proof->e_c);
	if (jvpn_noise_mix_dh(noise, proof->e_s, proof->e_c) &&
	    jvpn_noise_mix_dh(noise, secret, proof->e_c) &&
	    jvpn_noise_mix_dh(noise, proof->e_s, proof->client_pub))
		return JVPN_VERDICT_OK;
	jvpn_noise_wipe(noise);
	return JVPN_VERDICT_BAD_KEY;
}

static enum jvpn_verdict proof_read(struct jvpn_noise *noise, const struct jvpn_proof *proof,
				    struct jvpn_wire_proof_payload *payload)
{
	if (!jvpn_noise_decrypt(noise, (u8 *)payload, proof->payload, sizeof(proof->payload)))
		return JVPN_VERDICT_BAD_AUTH;
	/* The gate's word is only as good as K_psk; this one is authoritative. */
	if (jvpn_le64_to_cpu(payload->v_req) != proof->v_req ||
	    jvpn_le32_to_cpu(payload->e_req) != proof->e_req ||
	    payload->meaning > JVPN_WIRE_PROOF_MEANING_MAX)
		return JVPN_VERDICT_BAD_FIELD;
	return JVPN_VERDICT_OK;
}

enum jvpn_verdict jvpn_proof_finish(const struct jvpn_proof *proof,
				    const struct jvpn_noise *noise, struct jvpn_epoch *epoch,
				    u8 *meaning)
{
	struct jvpn_wire_proof_payload payload;
	struct jvpn_noise read = *noise;
	enum jvpn_verdict verdict;

	verdict = proof_read(&read, proof, &payload);
	if (!verdict) {
		jvpn_reattach_finish(epoch, &read);
		*meaning = payload.meaning;
	}
	jvpn_noise_wipe(&read);
	return verdict;
}

void jvpn_proof_remember(struct jvpn_proof_last *last, const struct jvpn_proof *proof,
			 u64 v_new, u32 e_new, const struct jvpn_epoch *epoch)
{
	last->set = true;
	memcpy(last->hash, proof->hash, sizeof(last->hash));
	last->path = proof->path;
	last->v_new = v_new;
	last->e_new = e_new;
	memcpy(last->ctl_s2c, epoch->ctl_s2c, JVPN_WIRE_KEY);
}

/* --- answers ------------------------------------------------------------ */

void jvpn_ack_build(struct jvpn_wire_ack *out, const struct jvpn_gateway *gw,
		    const struct jvpn_reattach_session *session,
		    const struct jvpn_proof_last *last, u32 ttl_ms, u64 now_ms,
		    const struct jvpn_rng *rng)
{
	struct jvpn_wire_ack_payload payload = {
		.v_new = jvpn_cpu_to_le64(last->v_new),
		.v_cur = jvpn_cpu_to_le64(session->v),
		.e_new = jvpn_cpu_to_le32(last->e_new),
		.ttl_ms = jvpn_cpu_to_le32(ttl_ms),
		.state = session->state,
	};

	jvpn_ticket_seal(&gw->tickets, session->sid, now_ms / 1000, rng, payload.ticket);
	jvpn_msg_header(&out->hdr, JVPN_MSG_ACK);
	jvpn_rng_fill(rng, out->nonce, sizeof(out->nonce));
	jvpn_xaead_seal(out->payload, last->ctl_s2c, out->nonce, out, JVPN_ACK_AD_SIZE, &payload,
			sizeof(payload));
}

void jvpn_reject_build(struct jvpn_wire_reject *out, const struct jvpn_session_keys *keys,
		       const u8 nc[JVPN_WIRE_NC], const struct jvpn_rejection *reject,
		       const struct jvpn_rng *rng)
{
	struct jvpn_wire_reject_payload payload = {
		.reason = reject->reason,
		.node = jvpn_cpu_to_le16(reject->node),
		.wait_ms = jvpn_cpu_to_le32(reject->wait_ms),
		.v_cur = jvpn_cpu_to_le64(reject->v_cur),
	};

	jvpn_msg_header(&out->hdr, JVPN_MSG_REJECT);
	memcpy(out->nc, nc, JVPN_WIRE_NC);
	jvpn_rng_fill(rng, out->nonce, sizeof(out->nonce));
	jvpn_xaead_seal(out->payload, keys->rej, out->nonce, out, JVPN_REJECT_AD_SIZE, &payload,
			sizeof(payload));
}

const char *jvpn_reject_reason_str(u8 reason)
{
	switch (reason) {
	case JVPN_WIRE_REJECT_RATE:
		return "too many switches, ask again later";
	case JVPN_WIRE_REJECT_TERMINATED:
		return "the session is terminated";
	case JVPN_WIRE_REJECT_ROLLBACK:
		return "the gateway's record is older than what the client saw";
	case JVPN_WIRE_REJECT_REDIRECT:
		return "another gateway owns the session";
	default:
		return "unknown";
	}
}

void jvpn_gone_build(struct jvpn_wire_gone *out, const u8 k_gone[JVPN_WIRE_KEY],
		     const u8 sid[JVPN_WIRE_SID], const u8 nc[JVPN_WIRE_NC])
{
	u8 token[JVPN_WIRE_MAC];

	jvpn_gone_token(k_gone, sid, token);
	jvpn_msg_header(&out->hdr, JVPN_MSG_GONE);
	memcpy(out->nc, nc, JVPN_WIRE_NC);
	jvpn_gone_mac(out->mac, token, nc);
	jvpn_wipe(token, sizeof(token));
}
