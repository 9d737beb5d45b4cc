/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_HEAP_H
#define JVPN_HEAP_H

/*
 * What is due first: a pairing heap of nodes that stand within what they are of. Needs no
 * memory of its own, so nothing in it can fail. Adding takes constant time, removing the
 * logarithm of the number of nodes, over a run of operations.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jvpn_heap_node {
	uint64_t key;
	struct jvpn_heap_node *child;	/* first of them */
	struct jvpn_heap_node *next;	/* sibling */
	struct jvpn_heap_node *prev;	/* sibling, or the parent of the first child */
};

struct jvpn_heap {
	struct jvpn_heap_node *root;	/* the least key; NULL: empty */
	uint64_t compared;		/* how often two nodes were: what it has cost */
};

/* node is in no heap; its key is set. */
void jvpn_heap_add(struct jvpn_heap *heap, struct jvpn_heap_node *node);
/* node is in this heap. */
void jvpn_heap_remove(struct jvpn_heap *heap, struct jvpn_heap_node *node);

#endif /* JVPN_HEAP_H */
