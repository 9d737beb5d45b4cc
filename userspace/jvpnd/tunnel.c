// SPDX-License-Identifier: GPL-2.0
#include "tunnel.h"

#include <string.h>

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

void tunnel_configure(struct client *c, const struct jvpn_hs_resp *resp)
{
	struct jvpn_prefix v4 = {}, v6 = {};

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
	tunnel_address_set(c, &v4, AF_INET);
	tunnel_address_set(c, &v6, AF_INET6);
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
		tunnel_routes_add(c, &c->d->config->client);
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
	tunnel_routes_add(c, &config->client);
}

void tunnel_remove(struct client *c)
{
	const struct jvpn_config_client *config = &c->d->config->client;
	const struct jvpn_prefix none = {};

	for (size_t i = 0; i < config->n_routes; i++)
		if (tunnel_family_given(c, config->routes[i].addr.family))
			tunnel_route_change(c, &config->routes[i], false);
	tunnel_address_set(c, &none, AF_INET);
	tunnel_address_set(c, &none, AF_INET6);
}
