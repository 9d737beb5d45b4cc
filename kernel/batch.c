// SPDX-License-Identifier: GPL-2.0
#include "batch.h"

#include <linux/gfp.h>
#include <linux/mm.h>

/* What the page allocator serves from per-processor lists. */
#define CHUNK_ORDER_MAX 3
#define CHUNK_GFP (GFP_ATOMIC | __GFP_COMP | __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC)

static bool chunk_alloc(struct jvpn_chunk *c, u32 want, u32 least)
{
	int order = min_t(int, get_order(want), CHUNK_ORDER_MAX);

	if (get_order(least) > order)
		order = get_order(least);
	for (; order >= get_order(least); order--) {
		c->page = alloc_pages(CHUNK_GFP, order);
		if (c->page) {
			c->size = PAGE_SIZE << order;
			return true;
		}
	}
	return false;
}

static struct jvpn_chunk *chunk_next(struct jvpn_batch *batch, u32 before, u32 len)
{
	struct jvpn_chunk *c = &batch->chunk[batch->count];

	if (batch->count == JVPN_CHUNKS_MAX)
		return NULL;
	if (!chunk_alloc(c, max(batch->expect, len) + before, len + before))
		return NULL;
	c->start = before;
	c->end = before;
	batch->count++;
	return c;
}

u8 *jvpn_batch_room(struct jvpn_batch *batch, u32 before, u32 len)
{
	struct jvpn_chunk *c = NULL;

	if (batch->count)
		c = &batch->chunk[batch->count - 1];
	if (!c || c->size - c->end < len)
		c = chunk_next(batch, before, len);
	return c ? (u8 *)page_address(c->page) + c->end : NULL;
}

void jvpn_batch_add(struct jvpn_batch *batch, u32 len)
{
	batch->chunk[batch->count - 1].end += len;
	batch->expect -= min(batch->expect, len);
}

u32 jvpn_batch_len(const struct jvpn_batch *batch)
{
	u32 i, len = 0;

	for (i = 0; i < batch->count; i++)
		len += batch->chunk[i].end - batch->chunk[i].start;
	return len;
}

u32 jvpn_batch_size(const struct jvpn_batch *batch)
{
	u32 i, size = 0;

	for (i = 0; i < batch->count; i++)
		size += batch->chunk[i].size;
	return size;
}

void jvpn_batch_copy(const struct jvpn_batch *batch, u8 *to)
{
	u32 i;

	for (i = 0; i < batch->count; i++) {
		const struct jvpn_chunk *c = &batch->chunk[i];

		memcpy(to, (u8 *)page_address(c->page) + c->start, c->end - c->start);
		to += c->end - c->start;
	}
}

void jvpn_batch_attach(struct jvpn_batch *batch, struct sk_buff *skb)
{
	u32 i;

	for (i = 0; i < batch->count; i++) {
		struct jvpn_chunk *c = &batch->chunk[i];

		if (c->end == c->start)
			__free_pages(c->page, get_order(c->size));
		else
			skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, c->page, c->start,
					c->end - c->start, c->size);
	}
	batch->count = 0;
}

void jvpn_batch_release(struct jvpn_batch *batch)
{
	while (batch->count) {
		struct jvpn_chunk *c = &batch->chunk[--batch->count];

		__free_pages(c->page, get_order(c->size));
	}
}
