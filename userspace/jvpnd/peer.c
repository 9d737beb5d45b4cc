// SPDX-License-Identifier: GPL-2.0
#include "peer.h"

#include <stdlib.h>
#include <string.h>

#define CHAINS 4096
#define HANDSHAKES_BURST 20

struct peers {
	struct peer *chains[CHAINS];
};

struct peers *peers_new(void)
{
	return calloc(1, sizeof(struct peers));
}

void peers_free(struct peers *peers, void (*forget)(struct peer *peer))
{
	for (size_t i = 0; peers && i < CHAINS; i++) {
		for (struct peer *p = peers->chains[i], *next; p; p = next) {
			next = p->next;
			forget(p);
			free(p);
		}
	}
	free(peers);
}

/* Only keys from the configuration get in. */
static size_t peer_chain(const uint8_t key[JVPN_KEYS_SIZE])
{
	return (key[0] | (size_t)key[1] << 8) % CHAINS;
}

struct peer *peer_find(const struct peers *peers, const uint8_t key[JVPN_KEYS_SIZE])
{
	struct peer *p = peers->chains[peer_chain(key)];

	while (p && memcmp(p->key, key, JVPN_KEYS_SIZE))
		p = p->next;
	return p;
}

static struct peer *peer_add(struct peers *peers, const uint8_t key[JVPN_KEYS_SIZE],
			     uint64_t now_ms)
{
	struct peer **chain = &peers->chains[peer_chain(key)];
	struct peer *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	memcpy(p->key, key, JVPN_KEYS_SIZE);
	TAILQ_INIT(&p->list);
	jvpn_bucket_init(&p->handshakes, HANDSHAKES_BURST, now_ms);
	jvpn_bucket_init(&p->past, HANDSHAKES_BURST, now_ms);
	p->next = *chain;
	*chain = p;
	return p;
}

static void peers_forget_config(struct peers *peers)
{
	for (size_t i = 0; i < CHAINS; i++)
		for (struct peer *p = peers->chains[i]; p; p = p->next)
			p->config = NULL;
}

bool peers_configure(struct peers *peers, const struct jvpn_config_gateway *config,
		     uint64_t now_ms)
{
	peers_forget_config(peers);
	for (size_t i = 0; i < config->n_peers; i++) {
		const struct jvpn_config_peer *c = &config->peers[i];
		struct peer *p = peer_find(peers, c->public_key);

		if (!p)
			p = peer_add(peers, c->public_key, now_ms);
		if (!p)
			return false;
		p->config = c;
	}
	return true;
}
