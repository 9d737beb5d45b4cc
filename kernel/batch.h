/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output memory of a batch: pages that are filled one segment after another
 * and become the fragments of one packet.
 */
#ifndef JVPN_BATCH_H
#define JVPN_BATCH_H

#include <linux/skbuff.h>

/* Leaves a fragment for whoever adds one more. */
#define JVPN_CHUNKS_MAX (MAX_SKB_FRAGS - 1)

/**
 * struct jvpn_chunk - physically contiguous memory
 * @page: compound page
 * @size: its octets
 * @start: first octet of the packet in it
 * @end: end of the octets of the packet
 */
struct jvpn_chunk {
	struct page *page;
	u32 size;
	u32 start;
	u32 end;
};

/**
 * struct jvpn_batch - memory of one packet that is being built
 * @count: chunks in use, the last one is being filled
 * @expect: octets still to come, to size the next chunk
 * @chunk: the chunks
 */
struct jvpn_batch {
	u32 count;
	u32 expect;
	struct jvpn_chunk chunk[JVPN_CHUNKS_MAX];
};

static inline void jvpn_batch_init(struct jvpn_batch *batch, u32 expect)
{
	batch->count = 0;
	batch->expect = expect;
}

/**
 * jvpn_batch_room() - where the next segment goes
 * @batch: the batch
 * @before: octets to keep free in front of it if it begins a new chunk
 * @len: octets of the segment
 *
 * Return: address of the segment, or NULL without memory or chunks.
 */
u8 *jvpn_batch_room(struct jvpn_batch *batch, u32 before, u32 len);

/* @len octets from the last jvpn_batch_room() belong to the packet. */
void jvpn_batch_add(struct jvpn_batch *batch, u32 len);

/* Octets of the packet so far. */
u32 jvpn_batch_len(const struct jvpn_batch *batch);

/* Octets of its memory. */
u32 jvpn_batch_size(const struct jvpn_batch *batch);

/* Copy the packet so far to @to. */
void jvpn_batch_copy(const struct jvpn_batch *batch, u8 *to);

/* Move all to the fragments of @skb; the batch is empty then. */
void jvpn_batch_attach(struct jvpn_batch *batch, struct sk_buff *skb);

/* Give the memory back. */
void jvpn_batch_release(struct jvpn_batch *batch);

#endif
