// SPDX-License-Identifier: GPL-2.0
#include "heap.h"

/* Two heaps without siblings; either may be empty. Returns what is the root of both. */
static struct jvpn_heap_node *jvpn_heap_meld(struct jvpn_heap *heap, struct jvpn_heap_node *a,
					     struct jvpn_heap_node *b)
{
	struct jvpn_heap_node *under;

	if (!a || !b)
		return a ? a : b;
	heap->compared++;
	under = b->key < a->key ? a : b;
	a = under == a ? b : a;
	under->prev = a;
	under->next = a->child;
	if (a->child)
		a->child->prev = under;
	a->child = under;
	return a;
}

/* Siblings become one heap: in pairs from the left, then the pairs from the right. */
static struct jvpn_heap_node *jvpn_heap_join(struct jvpn_heap *heap, struct jvpn_heap_node *first)
{
	struct jvpn_heap_node *pairs = NULL, *root = NULL;

	while (first) {
		struct jvpn_heap_node *a = first, *b = a->next, *pair;

		first = b ? b->next : NULL;
		a->next = NULL;
		if (b)
			b->next = NULL;
		pair = jvpn_heap_meld(heap, a, b);
		pair->next = pairs;
		pairs = pair;
	}
	while (pairs) {
		struct jvpn_heap_node *pair = pairs;

		pairs = pair->next;
		pair->next = NULL;
		root = jvpn_heap_meld(heap, root, pair);
	}
	if (root)
		root->prev = NULL;
	return root;
}

void jvpn_heap_add(struct jvpn_heap *heap, struct jvpn_heap_node *node)
{
	node->child = node->next = node->prev = NULL;
	heap->root = jvpn_heap_meld(heap, heap->root, node);
}

void jvpn_heap_remove(struct jvpn_heap *heap, struct jvpn_heap_node *node)
{
	struct jvpn_heap_node *below;

	if (node != heap->root) {
		if (node->prev->child == node)
			node->prev->child = node->next;
		else
			node->prev->next = node->next;
		if (node->next)
			node->next->prev = node->prev;
	} else {
		heap->root = NULL;
	}
	below = jvpn_heap_join(heap, node->child);
	heap->root = jvpn_heap_meld(heap, heap->root, below);
	node->child = node->next = node->prev = NULL;
}
