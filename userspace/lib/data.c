// SPDX-License-Identifier: GPL-2.0

#include "data.h"

void jvpn_data_nonce(u8 nonce[JVPN_EPOCH_IV], const u8 iv[JVPN_EPOCH_IV], u64 ctr)
{
	__le64 wire = jvpn_cpu_to_le64(ctr);
	u8 *octets = (u8 *)&wire;
	size_t i;

	memcpy(nonce, iv, JVPN_EPOCH_IV);
	for (i = 0; i < sizeof(wire); i++)
		nonce[JVPN_EPOCH_IV - sizeof(wire) + i] ^= octets[i];
}

void jvpn_data_seal(u8 *out, const struct jvpn_epoch_dir *dir, u32 idx, u64 ctr,
		    const void *inner, size_t size)
{
	struct jvpn_wire_data *hdr = (void *)out;
	u8 nonce[JVPN_EPOCH_IV];

	jvpn_msg_header(&hdr->hdr, JVPN_MSG_DATA);
	hdr->idx = jvpn_cpu_to_le32(idx);
	hdr->ctr = jvpn_cpu_to_le64(ctr);
	jvpn_data_nonce(nonce, dir->iv, ctr);
	jvpn_aead_seal(out + sizeof(*hdr), dir->key, nonce, hdr, sizeof(*hdr), inner, size);
}

enum jvpn_verdict jvpn_data_parse(const u8 *msg, size_t len, u32 *idx, u64 *ctr)
{
	const struct jvpn_wire_data *m = (const void *)msg;

	if (len < JVPN_WIRE_DATA_OVERHEAD)
		return JVPN_VERDICT_BAD_LENGTH;
	if (m->hdr.type != JVPN_MSG_DATA)
		return JVPN_VERDICT_BAD_TYPE;
	if (m->hdr.proto != JVPN_WIRE_PROTO)
		return JVPN_VERDICT_BAD_PROTO;
	if (m->hdr.zero)
		return JVPN_VERDICT_BAD_RESERVED;
	*idx = jvpn_le32_to_cpu(m->idx);
	*ctr = jvpn_le64_to_cpu(m->ctr);
	return JVPN_VERDICT_OK;
}

enum jvpn_verdict jvpn_data_open(u8 *inner, const struct jvpn_epoch_dir *dir, u32 idx,
				 const u8 *msg, size_t len)
{
	enum jvpn_verdict verdict;
	u8 nonce[JVPN_EPOCH_IV];
	u32 found;
	u64 ctr;

	verdict = jvpn_data_parse(msg, len, &found, &ctr);
	if (verdict)
		return verdict;
	if (found != idx)
		return JVPN_VERDICT_BAD_INDEX;
	jvpn_data_nonce(nonce, dir->iv, ctr);
	if (!jvpn_aead_open(inner, dir->key, nonce, msg, sizeof(struct jvpn_wire_data),
			    msg + sizeof(struct jvpn_wire_data),
			    len - sizeof(struct jvpn_wire_data)))
		return JVPN_VERDICT_BAD_AUTH;
	return JVPN_VERDICT_OK;
}

size_t jvpn_heartbeat_build(u8 out[JVPN_WIRE_HEARTBEAT_CLIENT_SIZE],
			    const struct jvpn_heartbeat *heartbeat)
{
	struct jvpn_wire_heartbeat wire = {
		.type = JVPN_WIRE_INNER_HEARTBEAT,
		.flags = heartbeat->reply ? JVPN_WIRE_HEARTBEAT_REPLY : 0,
		.seq = jvpn_cpu_to_le32(heartbeat->seq),
		.ts = jvpn_cpu_to_le64(heartbeat->ts),
		.echo_ts = jvpn_cpu_to_le64(heartbeat->echo_ts),
		.version = jvpn_cpu_to_le64(heartbeat->version),
	};
	size_t size = heartbeat->reply ? JVPN_WIRE_HEARTBEAT_SIZE :
					 JVPN_WIRE_HEARTBEAT_CLIENT_SIZE;

	memset(out, 0, size);
	memcpy(out, &wire, sizeof(wire));
	return size;
}

enum jvpn_verdict jvpn_heartbeat_parse(struct jvpn_heartbeat *heartbeat, const u8 *inner,
				       size_t size)
{
	const struct jvpn_wire_heartbeat *wire = (const void *)inner;

	if (size < sizeof(*wire))
		return JVPN_VERDICT_BAD_LENGTH;
	if (wire->type != JVPN_WIRE_INNER_HEARTBEAT)
		return JVPN_VERDICT_BAD_TYPE;
	if (wire->zero || (wire->flags & ~JVPN_WIRE_HEARTBEAT_REPLY))
		return JVPN_VERDICT_BAD_RESERVED;
	heartbeat->reply = wire->flags & JVPN_WIRE_HEARTBEAT_REPLY;
	heartbeat->seq = jvpn_le32_to_cpu(wire->seq);
	heartbeat->ts = jvpn_le64_to_cpu(wire->ts);
	heartbeat->echo_ts = jvpn_le64_to_cpu(wire->echo_ts);
	heartbeat->version = jvpn_le64_to_cpu(wire->version);
	return JVPN_VERDICT_OK;
}
