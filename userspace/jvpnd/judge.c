// SPDX-License-Identifier: GPL-2.0
#include "judge.h"

#include <string.h>

#include "crypto.h"
#include "inner.h"

void judge_psk_id(uint8_t id[JUDGE_PSK_ID], const uint8_t psk[JVPN_KEYS_SIZE])
{
	jvpn_bl(id, JUDGE_PSK_ID, psk, JVPN_KEYS_SIZE, JVPN_SLICE_TEXT("jvpn psk id"));
}

/* Without a record it is not known; what cannot be reattached needs no key either. */
static bool judge_psk_same(const struct session *s, const uint8_t psk[JVPN_KEYS_SIZE])
{
	uint8_t id[JUDGE_PSK_ID];

	judge_psk_id(id, psk);
	return !s->recorded || !memcmp(s->psk_id, id, sizeof(id));
}

/* A policy may be changed: the session keeps its own. One that is gone stands for nothing. */
static bool judge_policy_exists(const struct jvpn_config *config, const struct session *s)
{
	return !s->policy_name[0] || jvpn_config_policy_find(config, s->policy_name);
}

static bool judge_contained(const struct jvpn_prefix *prefix, const struct jvpn_prefix *list,
			    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].length <= prefix->length &&
		    jvpn_prefix_contains(&list[i], &prefix->addr))
			return true;
	return false;
}

static bool judge_address_fits(const struct jvpn_config *config,
			       const struct jvpn_config_peer *peer,
			       const struct jvpn_prefix *prefix)
{
	if (!jvpn_prefix_is_host(prefix))
		return false;
	if (peer->n_addresses)
		return judge_contained(prefix, peer->addresses, peer->n_addresses);
	return judge_contained(prefix, config->gateway.pools, config->gateway.n_pools);
}

static bool judge_prefixes_fit(const struct jvpn_config *config,
			       const struct jvpn_config_peer *peer, const struct session *s)
{
	for (size_t i = 0; i < s->n_prefixes; i++)
		if (!judge_address_fits(config, peer, &s->prefixes[i]) &&
		    !judge_contained(&s->prefixes[i], peer->allowed_prefixes,
				     peer->n_allowed_prefixes))
			return false;
	return true;
}

const char *judge_gateway(const struct jvpn_config *config, const struct jvpn_config_peer *peer,
			  const struct session *s)
{
	if (!peer)
		return "no peer of the configuration has its key";
	if (!judge_psk_same(s, peer->preshared_key))
		return "the pre-shared key of its peer is another one now";
	if (!judge_prefixes_fit(config, peer, s))
		return "the configuration no longer gives its addresses and networks to its peer";
	if (!judge_policy_exists(config, s))
		return "its policy is no longer in the configuration";
	return NULL;
}

static bool judge_listed(const struct jvpn_prefix *prefix, const struct jvpn_prefix *list,
			 size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].length == prefix->length &&
		    jvpn_addr_equal(&list[i].addr, &prefix->addr))
			return true;
	return false;
}

/* The kernel's session has the prefixes it was born with. */
static bool judge_sources_same(const struct jvpn_config *config, const struct session *s)
{
	struct jvpn_prefix list[KERNEL_PREFIXES_MAX];
	size_t count = inner_sources(&config->client, s->inner, list, KERNEL_PREFIXES_MAX);

	for (size_t i = 0; i < count; i++)
		if (!judge_listed(&list[i], s->prefixes, s->n_prefixes))
			return false;
	return count == s->n_prefixes;
}

static const struct jvpn_config_remote *judge_remote_find(const struct jvpn_config *config,
							  const struct session *s)
{
	for (size_t i = 0; i < config->client.n_gateways; i++)
		if (!memcmp(config->client.gateways[i].public_key, s->peer_key,
			    sizeof(s->peer_key)))
			return &config->client.gateways[i];
	return NULL;
}

const char *judge_client(const struct jvpn_config *config, const struct session *s)
{
	const struct jvpn_config_remote *remote = judge_remote_find(config, s);

	if (!remote)
		return "no gateway of the configuration has its key";
	if (!judge_psk_same(s, remote->preshared_key))
		return "the pre-shared key of its gateway is another one now";
	if (!judge_policy_exists(config, s))
		return "its policy is no longer in the configuration";
	if (s->recorded && !judge_sources_same(config, s))
		return "the configuration routes other networks through it now";
	return NULL;
}
