// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "gateway.h"
#include "log.h"
#include "peer.h"
#include "pool.h"
#include "session.h"

/* --- who holds what ------------------------------------------------------- */

bool gateway_addresses_hold(struct gateway *gw, const struct jvpn_prefix *prefixes, size_t count,
			    const uint8_t peer[JVPN_KEYS_SIZE],
			    const uint8_t session[JVPN_SESSION_ID_SIZE])
{
	bool good = true;

	for (size_t i = 0; i < count; i++)
		if (jvpn_prefix_is_host(&prefixes[i]) &&
		    !pool_hold(gw->pool, &prefixes[i].addr, peer, session, jvpnd_now_ms()))
			good = false;
	return good;
}

void gateway_addresses_release(struct gateway *gw, const struct jvpn_prefix *prefixes,
			       size_t count, const uint8_t session[JVPN_SESSION_ID_SIZE],
			       uint64_t quarantine_ms)
{
	for (size_t i = 0; i < count; i++)
		if (jvpn_prefix_is_host(&prefixes[i]))
			pool_release(gw->pool, &prefixes[i].addr, session, jvpnd_now_ms(),
				     quarantine_ms);
}

void gateway_addresses_session_release(struct gateway *gw, const struct session *s)
{
	uint64_t quarantine = gw->d->config->gateway.address_quarantine_ms;

	/* Nobody has ever sent from them; or the client may believe in them for longer. */
	if (!s->gateway.confirmed)
		quarantine = 0;
	else if (quarantine && quarantine < s->policy.transport_loss_ttl_ms)
		quarantine = s->policy.transport_loss_ttl_ms;
	gateway_addresses_release(gw, s->prefixes, s->n_prefixes, s->id, quarantine);
}

/* The device's own addresses and the fixed ones are nobody else's. */
bool gateway_addresses_configure(struct gateway *gw, const struct jvpn_config *config)
{
	bool good = true;

	if (!gw->pool)
		gw->pool = pool_new();
	if (!gw->pool)
		return false;
	pool_unreserve_all(gw->pool);
	for (size_t i = 0; i < config->device.n_addresses; i++)
		good = pool_reserve(gw->pool, &config->device.addresses[i].addr,
				    config->public_key) && good;
	for (size_t i = 0; i < config->gateway.n_peers; i++) {
		const struct jvpn_config_peer *peer = &config->gateway.peers[i];

		for (size_t j = 0; j < peer->n_addresses; j++)
			good = pool_reserve(gw->pool, &peer->addresses[j].addr,
					    peer->public_key) && good;
	}
	return good;
}

/* --- choosing -------------------------------------------------------------- */

/* The session that a new one of this peer would push out, or NULL. */
static const struct session *gateway_displaced_find(const struct peer *peer)
{
	if (peer->sessions < peer->config->max_sessions)
		return NULL;
	return gateway_handshake_oldest(peer, NULL);
}

static const struct jvpn_prefix *gateway_host_find(const struct jvpn_prefix *prefixes,
						   size_t count, sa_family_t family)
{
	for (size_t i = 0; i < count; i++)
		if (prefixes[i].addr.family == family && jvpn_prefix_is_host(&prefixes[i]))
			return &prefixes[i];
	return NULL;
}

/* How much of the inner network is on-link for who has this address. */
static uint8_t gateway_prefix_length(const struct jvpn_config *config,
				     const struct jvpn_addr *addr)
{
	for (size_t i = 0; i < config->gateway.n_pools; i++)
		if (jvpn_prefix_contains(&config->gateway.pools[i], addr))
			return config->gateway.pools[i].length;
	for (size_t i = 0; i < config->device.n_addresses; i++)
		if (jvpn_prefix_contains(&config->device.addresses[i], addr))
			return config->device.addresses[i].length;
	return (uint8_t)jvpn_addr_bits(addr);
}

/* A peer that asks for another address each time must not bring all of them into quarantine. */
static bool gateway_wanted_take(struct gateway *gw, const struct peer *peer,
				const struct jvpn_addr *wanted, struct jvpn_addr *addr)
{
	static const uint8_t any[16];
	const struct jvpn_config_gateway *config = &gw->d->config->gateway;
	uint64_t now = jvpnd_now_ms();

	if (!memcmp(wanted->bytes, any, sizeof(any)) || pool_is_held(gw->pool, wanted) ||
	    !pool_may_own(gw->pool, wanted, peer->key, now) ||
	    pool_resting(gw->pool, peer->key, now) >= POOL_RESTING_MAX)
		return false;
	for (size_t i = 0; i < config->n_pools; i++) {
		if (pool_is_host_of(&config->pools[i], wanted)) {
			*addr = *wanted;
			return true;
		}
	}
	return false;
}

static bool gateway_pool_take(struct gateway *gw, const struct peer *peer, sa_family_t family,
			      struct jvpn_addr *addr)
{
	static struct jvpn_log_limit limit = { .burst = 5 };
	const struct jvpn_config_gateway *config = &gw->d->config->gateway;
	bool any = false;

	for (size_t i = 0; i < config->n_pools; i++) {
		if (config->pools[i].addr.family != family)
			continue;
		if (pool_choose(gw->pool, &config->pools[i], peer->key, jvpnd_now_ms(), addr))
			return true;
		any = true;
	}
	if (any)
		jvpn_log_limited(&limit, JVPN_LOG_WARNING,
				 "no free %s address for %s: all of gateway.pools are held or in quarantine",
				 family == AF_INET6 ? "IPv6" : "IPv4", peer->config->name);
	return false;
}

static bool gateway_family_choose(struct gateway *gw, const struct peer *peer,
				  const struct session *displaced,
				  const struct jvpn_addr *wanted, struct jvpn_addr *addr)
{
	const struct jvpn_prefix *host;

	host = gateway_host_find(peer->config->addresses, peer->config->n_addresses,
				 wanted->family);
	if (!host && displaced)
		host = gateway_host_find(displaced->prefixes, displaced->n_prefixes,
					 wanted->family);
	if (host) {
		*addr = host->addr;
		return true;
	}
	/* A peer with fixed addresses gets no others. */
	if (peer->config->n_addresses)
		return false;
	return gateway_wanted_take(gw, peer, wanted, addr) ||
	       gateway_pool_take(gw, peer, wanted->family, addr);
}

static void gateway_prefix_add(struct gateway_addresses *out, const struct jvpn_prefix *prefix)
{
	for (size_t i = 0; i < out->n_prefixes; i++)
		if (out->prefixes[i].length == prefix->length &&
		    jvpn_addr_equal(&out->prefixes[i].addr, &prefix->addr))
			return;
	if (out->n_prefixes < KERNEL_PREFIXES_MAX)
		out->prefixes[out->n_prefixes++] = *prefix;
}

static void gateway_family_give(struct gateway *gw, const struct peer *peer,
				const struct session *displaced, const struct jvpn_addr *wanted,
				struct gateway_addresses *out, struct jvpn_prefix *told)
{
	struct jvpn_prefix host;

	memset(&host, 0, sizeof(host));
	if (!gateway_family_choose(gw, peer, displaced, wanted, &host.addr))
		return;
	host.length = (uint8_t)jvpn_addr_bits(&host.addr);
	gateway_prefix_add(out, &host);
	*told = host;
	told->length = gateway_prefix_length(gw->d->config, &host.addr);
}

const char *gateway_addresses_choose(struct gateway *gw, const struct peer *peer,
				     const struct jvpn_hs_init *init,
				     const uint8_t session[JVPN_SESSION_ID_SIZE],
				     struct gateway_addresses *out)
{
	const struct session *displaced = gateway_displaced_find(peer);
	struct jvpn_addr v4 = { .family = AF_INET }, v6 = { .family = AF_INET6 };

	memset(out, 0, sizeof(*out));
	memcpy(v4.bytes, init->v4, sizeof(init->v4));
	memcpy(v6.bytes, init->v6, sizeof(init->v6));
	if (init->want_v4)
		gateway_family_give(gw, peer, displaced, &v4, out, &out->v4);
	if (init->want_v6)
		gateway_family_give(gw, peer, displaced, &v6, out, &out->v6);
	if (!out->n_prefixes)
		return peer->config->n_addresses ?
			"the peer has no inner address of a family that it wants" :
			"no free inner address of a family that the client wants";
	for (size_t i = 0; i < peer->config->n_addresses; i++)
		gateway_prefix_add(out, &peer->config->addresses[i]);
	for (size_t i = 0; i < peer->config->n_allowed_prefixes; i++)
		gateway_prefix_add(out, &peer->config->allowed_prefixes[i]);
	if (gateway_addresses_hold(gw, out->prefixes, out->n_prefixes, peer->key, session))
		return NULL;
	gateway_addresses_release(gw, out->prefixes, out->n_prefixes, session, 0);
	return "a session of another peer still has an inner address of this one";
}
