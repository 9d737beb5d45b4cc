// SPDX-License-Identifier: GPL-2.0
/* A session that was made under another configuration: does it go on under this one? */
#include <sodium.h>
#include <string.h>

#include "../../jvpnd/judge.h"
#include "../tap.h"

static struct jvpn_prefix prefix(const char *text)
{
	struct jvpn_prefix p = {};
	const char *why;

	jvpn_prefix_parse(&p, text, &why);
	return p;
}

/* One peer with one fixed address of each family or pools, and a network. */
struct world {
	struct jvpn_config config;
	struct jvpn_policy_def policies[2];
	struct jvpn_prefix pools[2], addresses[2], networks[2];
	struct jvpn_config_peer peer;
	struct jvpn_config_remote remote;
	struct session session;
};

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	w->pools[0] = prefix("10.77.0.0/24");
	w->pools[1] = prefix("fd77::/64");
	w->addresses[0] = prefix("10.77.0.5/32");
	w->addresses[1] = prefix("fd77::5/128");
	w->networks[0] = prefix("192.168.0.0/16");
	w->networks[1] = prefix("fd05::/48");
	snprintf(w->policies[0].name, sizeof(w->policies[0].name), "default");
	snprintf(w->policies[1].name, sizeof(w->policies[1].name), "office");
	w->config.policies = w->policies;
	w->config.n_policies = 2;
	w->config.gateway.pools = w->pools;
	w->config.gateway.n_pools = 2;
	w->peer.allowed_prefixes = w->networks;
	w->peer.n_allowed_prefixes = 2;
	w->config.client.gateways = &w->remote;
	w->config.client.n_gateways = 1;
	w->remote.public_key[0] = 7;
	w->session.peer_key[0] = 7;
	w->session.recorded = true;
	judge_psk_id(w->session.psk_id, w->peer.preshared_key);
	snprintf(w->session.policy_name, sizeof(w->session.policy_name), "office");
	w->session.n_prefixes = 3;
	w->session.prefixes[0] = w->addresses[0];
	w->session.prefixes[1] = w->addresses[1];
	w->session.prefixes[2] = prefix("192.168.5.0/24");
	return w;
}

static const char *judged(const struct world *w)
{
	return judge_gateway(&w->config, &w->peer, &w->session);
}

static void says(const char *found, const char *part, const char *claim)
{
	tap_ok(part ? found && strstr(found, part) : !found, "%s", claim);
}

static void peers(void)
{
	struct world *w = world_new();

	says(judged(w), NULL, "nothing has changed");
	says(judge_gateway(&w->config, NULL, &w->session), "no peer", "the peer is gone");
	w->peer.preshared_key[31] = 1;
	says(judged(w), "pre-shared key", "it has another pre-shared key");
	w->session.recorded = false;
	says(judged(w), NULL, "which is not known of a session without a record");
	free(w);
}

static void policies(void)
{
	struct world *w = world_new();

	w->policies[1].rekey_after_ms = 5;
	says(judged(w), NULL, "a policy was changed");
	w->config.n_policies = 1;
	says(judged(w), "policy", "the policy is gone");
	w->session.policy_name[0] = '\0';
	says(judged(w), NULL, "a session that names none");
	free(w);
}

static void addresses(void)
{
	struct world *w = world_new();

	w->pools[0] = prefix("10.78.0.0/24");
	says(judged(w), "addresses", "the IPv4 pool is another one");
	w->pools[0] = prefix("10.77.0.0/24");
	w->pools[1] = prefix("fd78::/64");
	says(judged(w), "addresses", "the IPv6 pool is another one");
	w->pools[0] = prefix("10.0.0.0/8");
	w->pools[1] = prefix("fd77::/48");
	says(judged(w), NULL, "pools were widened");
	w->peer.addresses = w->addresses;
	w->peer.n_addresses = 2;
	says(judged(w), NULL, "the addresses are fixed now, the same");
	w->addresses[1] = prefix("fd77::6/128");
	says(judged(w), "addresses", "one of the fixed ones is another one");
	w->peer.n_addresses = 1;
	says(judged(w), "addresses", "a family was taken away");
	free(w);
}

static void networks(void)
{
	struct world *w = world_new();

	w->networks[0] = prefix("192.168.0.0/20");
	says(judged(w), NULL, "a network was narrowed around the session's");
	w->networks[0] = prefix("192.168.5.0/25");
	says(judged(w), "networks", "it is narrower than the session's");
	w->networks[0] = prefix("192.168.6.0/24");
	says(judged(w), "networks", "it is another one");
	w->peer.n_allowed_prefixes = 0;
	says(judged(w), "networks", "there is none any longer");
	w->session.n_prefixes = 2;
	says(judged(w), NULL, "but the session has none either");
	w->session.prefixes[0] = prefix("10.77.0.0/24");
	says(judged(w), "networks", "a whole pool is nobody's");
	free(w);
}

static void gateways(void)
{
	struct world *w = world_new();

	w->session.inner[0] = prefix("10.77.0.5/24");
	w->session.n_prefixes = 2;
	w->session.prefixes[0] = prefix("192.168.0.0/16");
	w->session.prefixes[1] = prefix("10.77.0.0/24");
	w->config.client.routes = w->networks;
	w->config.client.n_routes = 2;
	says(judge_client(&w->config, &w->session), NULL, "client: nothing has changed");
	w->networks[0] = prefix("192.168.0.0/20");
	says(judge_client(&w->config, &w->session), "routes", "client: a route was narrowed");
	w->config.client.n_routes = 0;
	says(judge_client(&w->config, &w->session), "routes", "client: it has none any longer");
	w->networks[0] = prefix("192.168.0.0/16");
	w->config.client.n_routes = 2;
	w->config.client.accept_sources = JVPN_CONFIG_SOURCES_ANY;
	says(judge_client(&w->config, &w->session), "routes", "client: it takes everything now");
	w->config.client.accept_sources = JVPN_CONFIG_SOURCES_ROUTES;
	w->remote.preshared_key[0] = 1;
	says(judge_client(&w->config, &w->session), "pre-shared key",
	     "client: another pre-shared key");
	w->remote.preshared_key[0] = 0;
	w->remote.public_key[31] = 1;
	says(judge_client(&w->config, &w->session), "no gateway", "client: another gateway");
	w->remote.public_key[31] = 0;
	w->config.n_policies = 1;
	says(judge_client(&w->config, &w->session), "policy", "client: the policy is gone");
	free(w);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	peers();
	policies();
	addresses();
	networks();
	gateways();
	return tap_done();
}
