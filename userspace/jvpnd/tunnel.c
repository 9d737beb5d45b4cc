// SPDX-License-Identifier: GPL-2.0
#include "tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"
#include "log.h"
#include "rtnl.h"

static size_t tunnel_slot(sa_family_t family)
{
	return family == AF_INET6 ? 1 : 0;
}

static bool tunnel_prefix_equal(const struct jvpn_prefix *a, const struct jvpn_prefix *b)
{
	return a->length == b->length && jvpn_addr_equal(&a->addr, &b->addr);
}

static void tunnel_address_set(struct client *c, const struct jvpn_prefix *prefix,
			       sa_family_t family)
{
	struct jvpn_prefix *old = &c->inner[tunnel_slot(family)];
	struct jvpn_nl_error e = {};
	char text[JVPN_ADDR_TEXT];

	if (old->addr.family != AF_UNSPEC && !tunnel_prefix_equal(old, prefix))
		jvpn_rtnl_addr_del(c->d->rtnl, c->d->ifindex, old, NULL);
	*old = *prefix;
	if (prefix->addr.family == AF_UNSPEC)
		return;
	if (jvpn_rtnl_addr_add(c->d->rtnl, c->d->ifindex, prefix, &e))
		jvpn_error("cannot put the inner address %s on the device: %s",
			   jvpn_prefix_format(prefix, text, sizeof(text)), e.text);
}

/*
 * A default route becomes two halves: they win against the system's default
 * route without displacing it, and the outer packets need it, for their
 * sockets are bound to interfaces.
 */
static size_t tunnel_route_expand(const struct jvpn_prefix *prefix, struct jvpn_prefix out[2])
{
	out[0] = *prefix;
	if (prefix->length)
		return 1;
	out[0].length = 1;
	out[1] = out[0];
	out[1].addr.bytes[0] = 0x80;
	return 2;
}

static void tunnel_route_change(struct client *c, const struct jvpn_prefix *prefix, bool add)
{
	struct jvpn_prefix parts[2];
	size_t count = tunnel_route_expand(prefix, parts);
	struct jvpn_nl_error e = {};
	char text[JVPN_ADDR_TEXT];

	for (size_t i = 0; i < count; i++) {
		const struct jvpn_rtnl_route route = { .prefix = parts[i],
						       .ifindex = c->d->ifindex };
		int rc = add ? jvpn_rtnl_route_add(c->d->rtnl, &route, &e) :
			       jvpn_rtnl_route_del(c->d->rtnl, &route, &e);

		if (rc)
			jvpn_error("cannot %s the route %s: %s", add ? "add" : "remove",
				   jvpn_prefix_format(&parts[i], text, sizeof(text)), e.text);
	}
}

static bool tunnel_family_given(const struct client *c, sa_family_t family)
{
	return c->inner[tunnel_slot(family)].addr.family != AF_UNSPEC;
}

static void tunnel_routes_add(struct client *c, const struct jvpn_config_client *config)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (tunnel_family_given(c, config->routes[i].addr.family))
			tunnel_route_change(c, &config->routes[i], true);
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

	if (!tunnel_look_is_own(look, route->ifindex))
		return;
	if (route->gateway.family != AF_UNSPEC)
		inner_facts_add(look->facts, INNER_ROUTER, &route->gateway,
				jvpn_addr_bits(&route->gateway));
	/* Half of everything, over another tunnel, is a default route. */
	else if (route->prefix.length >= NETWORK_LEAST_BITS)
		inner_facts_add(look->facts, INNER_NETWORK, &route->prefix.addr,
				route->prefix.length);
}

static void tunnel_facts_read(const struct client *c, struct inner_facts *facts)
{
	struct tunnel_look look = { .facts = facts };

	*facts = (struct inner_facts){};
	if (jvpn_rtnl_link_dump(c->d->rtnl, tunnel_look_link, &look, NULL) ||
	    jvpn_rtnl_addr_dump(c->d->rtnl, tunnel_look_addr, &look, NULL) ||
	    jvpn_rtnl_route_dump(c->d->rtnl, tunnel_look_route, &look, NULL))
		facts->torn = true;
	free(look.tunnels);
	for (size_t i = 0; i < c->n_remotes; i++)
		inner_facts_add(facts, INNER_GATEWAY, &c->remotes[i].addr,
				jvpn_addr_bits(&c->remotes[i].addr));
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
	tunnel_facts_read(c, &facts);
	inner[0] = tunnel_judge(c, &facts, &v4);
	inner[1] = tunnel_judge(c, &facts, &v6);
	inner_facts_free(&facts);
	return inner[0].addr.family != AF_UNSPEC || inner[1].addr.family != AF_UNSPEC;
}

const char *tunnel_collision(struct client *c, const struct session *s)
{
	const char *why = NULL;
	struct inner_facts facts;

	tunnel_facts_read(c, &facts);
	for (int i = 0; i < 2 && !facts.torn; i++)
		if (s->inner[i].addr.family != AF_UNSPEC &&
		    tunnel_address_refuse(c, &facts, &s->inner[i].addr))
			why = "its inner address collides with this machine's own networks";
	inner_facts_free(&facts);
	return why;
}

/* --- what the device carries ---------------------------------------------------------- */

/* The address alone is the device's; the network around it is a route as the others are. */
static void tunnel_family_apply(struct client *c, const struct jvpn_prefix *inner,
				sa_family_t family)
{
	struct jvpn_prefix *network = &c->inner_network[tunnel_slot(family)];
	struct jvpn_prefix host = *inner, wanted = {};

	host.length = (uint8_t)jvpn_addr_bits(&host.addr);
	if (inner->length < host.length)
		wanted = inner_network(inner);
	if (network->addr.family != AF_UNSPEC && !tunnel_prefix_equal(network, &wanted))
		tunnel_route_change(c, network, false);
	tunnel_address_set(c, &host, family);
	*network = wanted;
	if (network->addr.family != AF_UNSPEC)
		tunnel_route_change(c, network, true);
}

void tunnel_configure(struct client *c, const struct jvpn_prefix inner[2])
{
	tunnel_family_apply(c, &inner[0], AF_INET);
	tunnel_family_apply(c, &inner[1], AF_INET6);
	tunnel_routes_add(c, &c->d->config->client);
}

static void tunnel_address_note(void *context, const struct jvpn_rtnl_addr *addr)
{
	struct client *c = context;

	if (addr->ifindex == c->d->ifindex && !addr->link_local)
		c->inner[tunnel_slot(addr->prefix.addr.family)] = addr->prefix;
}

void tunnel_adopt(struct client *c)
{
	jvpn_rtnl_addr_dump(c->d->rtnl, tunnel_address_note, c, NULL);
	if (c->session)
		tunnel_configure(c, c->session->inner);
}

static bool tunnel_route_wanted(const struct jvpn_config_client *config,
				const struct jvpn_prefix *route)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (tunnel_prefix_equal(&config->routes[i], route))
			return true;
	return false;
}

void tunnel_reload(struct client *c, const struct jvpn_config *config)
{
	const struct jvpn_config_client *old = &c->d->config->client;

	for (size_t i = 0; i < old->n_routes; i++)
		if (!tunnel_route_wanted(&config->client, &old->routes[i]))
			tunnel_route_change(c, &old->routes[i], false);
	for (int i = 0; i < 2; i++)
		if (c->inner_network[i].addr.family != AF_UNSPEC)
			tunnel_route_change(c, &c->inner_network[i], true);
	tunnel_routes_add(c, &config->client);
}

void tunnel_remove(struct client *c)
{
	const struct jvpn_config_client *config = &c->d->config->client;
	const struct jvpn_prefix none = {};

	for (size_t i = 0; i < config->n_routes; i++)
		if (tunnel_family_given(c, config->routes[i].addr.family))
			tunnel_route_change(c, &config->routes[i], false);
	tunnel_family_apply(c, &none, AF_INET);
	tunnel_family_apply(c, &none, AF_INET6);
}
