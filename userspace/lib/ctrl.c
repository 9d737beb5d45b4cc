// SPDX-License-Identifier: GPL-2.0

#include "ctrl.h"

/* What the AEAD covers besides the plaintext: header and index. */
#define CTRL_AD_SIZE	offsetof(struct jvpn_wire_ctrl, nonce)

static const u8 *ctrl_key(const struct jvpn_epoch *epoch, enum jvpn_side sender)
{
	return sender == JVPN_SIDE_CLIENT ? epoch->ctl_c2s : epoch->ctl_s2c;
}

static u32 ctrl_idx(const struct jvpn_epoch *epoch, enum jvpn_side sender)
{
	return sender == JVPN_SIDE_CLIENT ? epoch->idx_c2s : epoch->idx_s2c;
}

/* Fields that an op does not use are zero. */
static bool ctrl_fields_valid(const struct jvpn_ctrl *ctrl)
{
	if (!ctrl->seq || !memchr(ctrl->policy, 0, sizeof(ctrl->policy)))
		return false;
	switch (ctrl->op) {
	case JVPN_WIRE_CTRL_CLOSE:
		return !ctrl->echo_seq && !ctrl->policy[0];
	case JVPN_WIRE_CTRL_POLICY:
		return !ctrl->echo_seq && !ctrl->result && ctrl->policy[0];
	case JVPN_WIRE_CTRL_RESULT:
		return ctrl->echo_seq && !ctrl->policy[0];
	default:
		return false;
	}
}

enum jvpn_verdict jvpn_ctrl_build(struct jvpn_wire_ctrl *out, const struct jvpn_epoch *epoch,
				  enum jvpn_side sender, const struct jvpn_ctrl *ctrl,
				  const struct jvpn_rng *rng)
{
	struct jvpn_wire_ctrl_payload payload = {
		.op = ctrl->op,
		.result = ctrl->result,
		.v_req = jvpn_cpu_to_le64(ctrl->v_req),
		.seq = jvpn_cpu_to_le64(ctrl->seq),
		.echo_seq = jvpn_cpu_to_le64(ctrl->echo_seq),
	};

	if (!ctrl_fields_valid(ctrl))
		return JVPN_VERDICT_MISUSE;
	memcpy(payload.policy, ctrl->policy, strlen(ctrl->policy));
	jvpn_msg_header(&out->hdr, JVPN_MSG_CTRL);
	out->idx = jvpn_cpu_to_le32(ctrl_idx(epoch, sender));
	jvpn_rng_fill(rng, out->nonce, sizeof(out->nonce));
	jvpn_xaead_seal(out->payload, ctrl_key(epoch, sender), out->nonce, out, CTRL_AD_SIZE,
			&payload, sizeof(payload));
	return JVPN_VERDICT_OK;
}

enum jvpn_verdict jvpn_ctrl_index(const u8 *msg, size_t len, u32 *idx)
{
	enum jvpn_verdict verdict = jvpn_msg_check(msg, len, JVPN_MSG_CTRL);

	if (!verdict)
		*idx = jvpn_le32_to_cpu(((const struct jvpn_wire_ctrl *)msg)->idx);
	return verdict;
}

static void ctrl_decode(struct jvpn_ctrl *ctrl, const struct jvpn_wire_ctrl_payload *in)
{
	ctrl->op = in->op;
	ctrl->result = in->result;
	ctrl->v_req = jvpn_le64_to_cpu(in->v_req);
	ctrl->seq = jvpn_le64_to_cpu(in->seq);
	ctrl->echo_seq = jvpn_le64_to_cpu(in->echo_seq);
	memcpy(ctrl->policy, in->policy, sizeof(ctrl->policy));
}

/* Does it ask the authority, the gateway, to change something? */
static bool ctrl_mutates(const struct jvpn_ctrl *ctrl, enum jvpn_side sender)
{
	return sender == JVPN_SIDE_CLIENT && ctrl->op != JVPN_WIRE_CTRL_RESULT;
}

enum jvpn_verdict jvpn_ctrl_open(const u8 *msg, size_t len, const struct jvpn_epoch *epoch,
				 enum jvpn_side sender, u64 v_cur, u64 *last_seq,
				 struct jvpn_ctrl *ctrl)
{
	const struct jvpn_wire_ctrl *m = (const void *)msg;
	struct jvpn_wire_ctrl_payload payload;
	enum jvpn_verdict verdict;
	struct jvpn_ctrl read;
	u32 idx;

	verdict = jvpn_ctrl_index(msg, len, &idx);
	if (verdict)
		return verdict;
	if (idx != ctrl_idx(epoch, sender))
		return JVPN_VERDICT_BAD_INDEX;
	if (!jvpn_xaead_open((u8 *)&payload, ctrl_key(epoch, sender), m->nonce, m, CTRL_AD_SIZE,
			     m->payload, sizeof(m->payload)))
		return JVPN_VERDICT_BAD_AUTH;
	ctrl_decode(&read, &payload);
	if (!ctrl_fields_valid(&read))
		return JVPN_VERDICT_BAD_FIELD;
	if (read.seq <= *last_seq)
		return JVPN_VERDICT_REPLAYED;
	if (ctrl_mutates(&read, sender) && read.v_req != v_cur)
		return JVPN_VERDICT_STALE_VERSION;
	*last_seq = read.seq;
	*ctrl = read;
	return JVPN_VERDICT_OK;
}
