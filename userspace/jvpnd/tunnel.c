// SPDX-License-Identifier: GPL-2.0
#include "tunnel.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"
#include "log.h"
#include "rtnl.h"
#include "system.h"

#define UNCARRIED_TEXT (JVPN_ADDR_TEXT + 128)
#define UNCARRIED_MAX 16

static size_t tunnel_slot(sa_family_t family)
{
	return family == AF_INET6 ? 1 : 0;
}

/* --- what the gateway says ------------------------------------------------------------ */

#define NETWORK_LEAST_BITS 8

/* tunnels: the jvpn devices of this machine. What they carry is not its own either. */
struct tunnel_look {
	struct inner_facts *facts;
	uint32_t *tunnels;
	size_t n_tunnels;
};

static void tunnel_look_link(void *context, const struct jvpn_rtnl_link *link)
{
	struct tunnel_look *look = context;
	uint32_t *grown;

	if (strcmp(link->kind, "jvpn"))
		return;
	grown = realloc(look->tunnels, (look->n_tunnels + 1) * sizeof(*grown));
	if (!grown) {
		look->facts->torn = true;
		return;
	}
	look->tunnels = grown;
	look->tunnels[look->n_tunnels++] = link->ifindex;
}

static bool tunnel_look_is_own(const struct tunnel_look *look, uint32_t ifindex)
{
	for (size_t i = 0; i < look->n_tunnels; i++)
		if (look->tunnels[i] == ifindex)
			return false;
	return true;
}

static void tunnel_look_addr(void *context, const struct jvpn_rtnl_addr *addr)
{
	const struct tunnel_look *look = context;
	const struct jvpn_addr *a = &addr->prefix.addr;
	struct jvpn_prefix network = inner_network(&addr->prefix);

	if (!tunnel_look_is_own(look, addr->ifindex) || addr->link_local)
		return;
	inner_facts_add(look->facts, INNER_ADDRESS, a, jvpn_addr_bits(a));
	inner_facts_add(look->facts, INNER_NETWORK, &network.addr, network.length);
}

static void tunnel_look_route(void *context, const struct jvpn_rtnl_route *route)
{
	const struct tunnel_look *look = context;

	if (route->unreachable || !tunnel_look_is_own(look, route->ifindex))
		return;
	if (route->gateway.family != AF_UNSPEC)
		inner_facts_add(look->facts, INNER_ROUTER, &route->gateway,
				jvpn_addr_bits(&route->gateway));
	/* Half of everything, over another tunnel, is a default route. */
	else if (route->prefix.length >= NETWORK_LEAST_BITS)
		inner_facts_add(look->facts, INNER_NETWORK, &route->prefix.addr,
				route->prefix.length);
}

static void tunnel_fact_gateway(struct inner_facts *facts, const struct jvpn_addr *addr)
{
	if (addr->family != AF_UNSPEC)
		inner_facts_add(facts, INNER_GATEWAY, addr, jvpn_addr_bits(addr));
}

/*
 * Of the gateway's addresses the one that it has answered from, with its key, and those that stand
 * in the file. What a name server says besides may be anything, a part of the inner network too.
 */
static void tunnel_facts_read(const struct client *c, struct inner_facts *facts,
			      const struct jvpn_addr *answered)
{
	const struct jvpn_config_remote *gateway = client_gateway(c);
	struct tunnel_look look = { .facts = facts };

	*facts = (struct inner_facts){};
	if (jvpn_rtnl_link_dump(c->d->rtnl, tunnel_look_link, &look, NULL) ||
	    jvpn_rtnl_addr_dump(c->d->rtnl, tunnel_look_addr, &look, NULL) ||
	    jvpn_rtnl_route_dump(c->d->rtnl, tunnel_look_route, &look, NULL))
		facts->torn = true;
	free(look.tunnels);
	tunnel_fact_gateway(facts, answered);
	for (size_t i = 0; i < gateway->n_endpoints; i++)
		tunnel_fact_gateway(facts, &gateway->endpoints[i].addr);
}

static const char *tunnel_address_refuse(struct client *c, const struct inner_facts *facts,
					 const struct jvpn_addr *addr)
{
	char *told = c->inner_refused[tunnel_slot(addr->family)];
	char why[CLIENT_REFUSED_TEXT / 2], text[JVPN_ADDR_TEXT];

	told[0] = '\0';
	if (!inner_address_refused(facts, addr, why, sizeof(why)))
		return NULL;
	snprintf(told, CLIENT_REFUSED_TEXT, "the inner address %s that the gateway gives %s",
		 jvpn_addr_format(addr, text, sizeof(text)), why);
	return told;
}

/* How much around the inner address is reached through the tunnel: in bits. */
static uint8_t tunnel_network_length(const struct client *c, const struct inner_facts *facts,
				     const struct jvpn_prefix *told)
{
	uint8_t alone = (uint8_t)jvpn_addr_bits(&told->addr);
	char why[CLIENT_REFUSED_TEXT / 2], text[JVPN_ADDR_TEXT];

	if (c->d->config->client.inner_network == JVPN_CONFIG_INNER_NONE ||
	    told->length >= alone)
		return alone;
	if (!inner_network_refused(facts, told, why, sizeof(why)))
		return told->length;
	jvpn_warning("the inner network of %s is not taken: it %s; client.routes may name what is to be reached",
		     jvpn_prefix_format(told, text, sizeof(text)), why);
	return alone;
}

static struct jvpn_prefix tunnel_judge(struct client *c, const struct inner_facts *facts,
				       const struct jvpn_prefix *told)
{
	static struct jvpn_log_limit limit = { .burst = 3 };
	struct jvpn_prefix taken = *told;
	const char *why;

	if (told->addr.family == AF_UNSPEC)
		return taken;
	why = tunnel_address_refuse(c, facts, &told->addr);
	if (why) {
		jvpn_log_limited(&limit, JVPN_LOG_ERROR, "%s", why);
		return (struct jvpn_prefix){};
	}
	taken.length = tunnel_network_length(c, facts, told);
	return taken;
}

bool tunnel_accept(struct client *c, const struct jvpn_hs_resp *resp, struct jvpn_prefix inner[2])
{
	struct jvpn_prefix v4 = {}, v6 = {};
	struct inner_facts facts;

	if (resp->v4_prefix) {
		v4.addr.family = AF_INET;
		memcpy(v4.addr.bytes, resp->v4, sizeof(resp->v4));
		v4.length = resp->v4_prefix;
	}
	if (resp->v6_prefix) {
		v6.addr.family = AF_INET6;
		memcpy(v6.addr.bytes, resp->v6, sizeof(resp->v6));
		v6.length = resp->v6_prefix;
	}
	memset(c->inner_refused, 0, sizeof(c->inner_refused));
	tunnel_facts_read(c, &facts, &c->handshake.to.remote);
	inner[0] = tunnel_judge(c, &facts, &v4);
	inner[1] = tunnel_judge(c, &facts, &v6);
	inner_facts_free(&facts);
	return inner[0].addr.family != AF_UNSPEC || inner[1].addr.family != AF_UNSPEC;
}

const char *tunnel_collision(struct client *c, const struct session *s)
{
	const char *why = NULL;
	struct inner_facts facts;

	tunnel_facts_read(c, &facts, &s->path.remote);
	for (int i = 0; i < 2 && !facts.torn; i++)
		if (s->inner[i].addr.family != AF_UNSPEC &&
		    tunnel_address_refuse(c, &facts, &s->inner[i].addr))
			why = "its inner address collides with this machine's own networks";
	inner_facts_free(&facts);
	return why;
}

/* --- what the device carries ---------------------------------------------------------- */

/* The address alone is the device's; the network around it is a route as the others are. */
static void tunnel_family_set(struct client *c, const struct jvpn_prefix *inner,
			      sa_family_t family)
{
	struct jvpn_prefix *address = &c->inner[tunnel_slot(family)];
	struct jvpn_prefix *network = &c->inner_network[tunnel_slot(family)];

	*address = *inner;
	address->length = (uint8_t)jvpn_addr_bits(&inner->addr);
	*network = (struct jvpn_prefix){};
	if (inner->length < address->length)
		*network = inner_network(inner);
}

static void tunnel_address_note(void *context, const struct jvpn_rtnl_addr *addr)
{
	struct client *c = context;

	if (addr->ifindex == c->d->ifindex && !addr->link_local &&
	    addr->protocol == JVPN_RTNL_PROTOCOL)
		c->inner[tunnel_slot(addr->prefix.addr.family)] = addr->prefix;
}

static bool tunnel_route_is_configured(const struct client *c, const struct jvpn_prefix *route)
{
	const struct jvpn_config_client *config = &c->d->config->client;

	for (size_t i = 0; i < config->n_routes; i++)
		if (config->routes[i].length == route->length &&
		    jvpn_addr_equal(&config->routes[i].addr, &route->addr))
			return true;
	return false;
}

/* One that the gateway may have named. Others may be of a file that was another then. */
static bool tunnel_network_is_possible(const struct client *c, const struct jvpn_prefix *route)
{
	const struct inner_facts none = {};
	char why[CLIENT_REFUSED_TEXT / 2];

	return c->d->config->client.inner_network != JVPN_CONFIG_INNER_NONE &&
	       !tunnel_route_is_configured(c, route) &&
	       !inner_network_refused(&none, route, why, sizeof(why));
}

/*
 * Which of the networks is the one around the inner address only the session's record knows, until
 * that ends. Without one it is the narrowest.
 */
static void tunnel_network_note(void *context, const struct jvpn_rtnl_route *route)
{
	struct client *c = context;
	size_t slot = tunnel_slot(route->prefix.addr.family);
	struct jvpn_prefix *network = &c->inner_network[slot];

	if (route->table == RT_TABLE_MAIN && c->inner[slot].addr.family != AF_UNSPEC &&
	    jvpn_prefix_contains(&route->prefix, &c->inner[slot].addr) &&
	    route->prefix.length < c->inner[slot].length &&
	    route->prefix.length > network->length &&
	    tunnel_network_is_possible(c, &route->prefix))
		*network = route->prefix;
}

void tunnel_find(struct client *c)
{
	const struct jvpn_rtnl_filter filter = { .ifindex = c->d->ifindex,
						 .protocol = JVPN_RTNL_PROTOCOL };

	jvpn_rtnl_addr_dump(c->d->rtnl, tunnel_address_note, c, NULL);
	jvpn_rtnl_route_dump_of(c->d->rtnl, &filter, tunnel_network_note, c, NULL);
}

/* --- what the system is to have ---------------------------------------------------------- */

static size_t tunnel_ends(const struct client *c, struct plan_end *ends)
{
	size_t count = 0;

	for (size_t i = 0; i < c->n_remotes; i++)
		ends[count++] = (struct plan_end){ c->remotes[i].addr, c->remotes[i].port };
	/* Names may not have been resolved (again) yet. */
	if (c->session && c->session->bound)
		ends[count++] = (struct plan_end){ c->session->path.remote,
						   c->session->path.remote_port };
	return count;
}

static struct plan_tunnel tunnel_of_file(const struct jvpnd *d)
{
	uint32_t number = jvpn_config_device_number(d->config->device.name);

	return (struct plan_tunnel){
		.config = &d->config->client, .number = number,
		.priority = system_rule_priority(number), .mark = d->config->device.fwmark,
	};
}

void tunnel_plan(struct jvpnd *d, struct plan *plan)
{
	const struct client *c = d->client;
	struct plan_end ends[CLIENT_REMOTES_MAX + 1];
	struct plan_tunnel tunnel = tunnel_of_file(d);

	tunnel.inner = c->inner;
	tunnel.network = c->inner_network;
	tunnel.ends = ends;
	tunnel.n_ends = tunnel_ends(c, ends);
	plan_add_tunnel(plan, &tunnel);
}

void tunnel_plan_guards(const struct jvpnd *d, struct plan *plan)
{
	const struct plan_tunnel tunnel = tunnel_of_file(d);

	plan_add_guards(plan, &tunnel);
}

static bool tunnel_uplink_is_bare(const struct client *c, const struct candidate *cand)
{
	struct jvpn_rtnl_link link;

	return cand->ifindex &&
	       !jvpn_rtnl_link_get(c->d->rtnl, cand->interface, &link, NULL) && link.bare;
}

size_t tunnel_bare_uplinks(const struct client *c, uint32_t *ifindexes, size_t room)
{
	const struct candidate *cand;
	size_t count = 0;

	TAILQ_FOREACH(cand, candidates_list(c), link)
		if (count < room && tunnel_uplink_is_bare(c, cand))
			ifindexes[count++] = cand->ifindex;
	return count;
}

/* What a route asks for and the tunnel does not carry; NULL: it does. */
static const char *tunnel_uncarried(const struct client *c, const struct jvpn_prefix *route,
				    char *text, size_t size)
{
	bool v6 = route->addr.family == AF_INET6;
	char prefix[JVPN_ADDR_TEXT];

	if (c->inner[v6].addr.family != AF_UNSPEC || c->d->down)
		return NULL;
	snprintf(text, size, "%s is %s: the tunnel has no IPv%d address%s",
		 jvpn_prefix_format(route, prefix, sizeof(prefix)),
		 plan_route_blocks(&c->d->config->client, route) ? "blocked" :
								   "not routed into the tunnel",
		 v6 ? 6 : 4,
		 c->inner[!v6].addr.family != AF_UNSPEC ? ", the gateway has given none" : " yet");
	return text;
}

static void tunnel_uncarried_tell(const struct client *c)
{
	static struct jvpn_log_limit limit = { .burst = 5 };
	const struct jvpn_config_client *config = &c->d->config->client;
	char text[UNCARRIED_TEXT];

	for (size_t i = 0; i < config->n_routes; i++)
		if (tunnel_uncarried(c, &config->routes[i], text, sizeof(text)))
			jvpn_log_limited(&limit, JVPN_LOG_WARNING, "%s", text);
}

json_t *tunnel_uncarried_json(const struct client *c)
{
	const struct jvpn_config_client *config = &c->d->config->client;
	json_t *list = json_array();
	char text[UNCARRIED_TEXT];

	for (size_t i = 0; i < config->n_routes && json_array_size(list) < UNCARRIED_MAX; i++)
		if (tunnel_uncarried(c, &config->routes[i], text, sizeof(text)))
			json_array_append_new(list, json_string(text));
	return list;
}

void tunnel_configure(struct client *c, const struct jvpn_prefix inner[2])
{
	tunnel_family_set(c, &inner[0], AF_INET);
	tunnel_family_set(c, &inner[1], AF_INET6);
	tunnel_uncarried_tell(c);
	system_follow(c->d);
}

void tunnel_adopt(struct client *c)
{
	if (c->session)
		tunnel_configure(c, c->session->inner);
	else
		system_follow(c->d);
}
