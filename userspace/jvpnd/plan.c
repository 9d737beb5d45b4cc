// SPDX-License-Identifier: GPL-2.0
#include "plan.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"

#define PLAN_STEP 32
/* What the kernel takes for an IPv6 route without one. */
#define METRIC_V6 1024
/* Networks have at least so many bits. */
#define NETWORK_BITS_V4 8
#define NETWORK_BITS_V6 16

/* --- lists ------------------------------------------------------------------------------------ */

void plan_add(struct plan *plan, const struct plan_item *item)
{
	struct plan_item *grown;

	if (plan->count == plan->room) {
		size_t room = plan->room ? 2 * plan->room : PLAN_STEP;

		grown = realloc(plan->list, room * sizeof(*grown));
		if (!grown) {
			plan->torn = true;
			return;
		}
		plan->list = grown;
		plan->room = room;
	}
	plan->list[plan->count++] = *item;
}

void plan_add_rule(struct plan *plan, const struct plan_rule *rule)
{
	plan_add(plan, &(struct plan_item){ .kind = PLAN_RULE, .ours = true, .rule = *rule });
}

void plan_add_address(struct plan *plan, const struct jvpn_prefix *address)
{
	plan_add(plan, &(struct plan_item){ .kind = PLAN_ADDRESS, .ours = true,
					    .address = *address });
}

void plan_add_route(struct plan *plan, const struct plan_route *route)
{
	plan_add(plan, &(struct plan_item){ .kind = PLAN_ROUTE, .ours = true, .route = *route });
}

void plan_free(struct plan *plan)
{
	free(plan->list);
	*plan = (struct plan){};
}

/* --- order -------------------------------------------------------------------------------------- */

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int addr_compare(const struct jvpn_addr *a, const struct jvpn_addr *b)
{
	int order = ORDER(a->family, b->family);

	return order ? order : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int prefix_compare(const struct jvpn_prefix *a, const struct jvpn_prefix *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : ORDER(a->length, b->length);
}

static int rule_compare(const struct plan_rule *a, const struct plan_rule *b)
{
	int order = ORDER(a->family, b->family);

	/* What has the greatest priority number blocks. */
	order = order ? order : ORDER(b->priority, a->priority);
	order = order ? order : ORDER(a->table, b->table);
	order = order ? order : ORDER(a->mark, b->mark);
	order = order ? order : ORDER(a->mask, b->mask);
	order = order ? order : ORDER(a->least, b->least);
	order = order ? order : ORDER(a->port, b->port);
	return order ? order : prefix_compare(&a->to, &b->to);
}

static int route_compare(const struct plan_route *a, const struct plan_route *b)
{
	int order = ORDER(b->unreachable, a->unreachable);

	order = order ? order : ORDER(a->table, b->table);
	order = order ? order : ORDER(a->metric, b->metric);
	return order ? order : prefix_compare(&a->prefix, &b->prefix);
}

static int item_compare(const void *left, const void *right)
{
	const struct plan_item *a = left, *b = right;
	int order = ORDER(a->kind, b->kind);

	if (order)
		return order;
	switch (a->kind) {
	case PLAN_RULE:
		return rule_compare(&a->rule, &b->rule);
	case PLAN_ADDRESS:
		return prefix_compare(&a->address, &b->address);
	default:
		return route_compare(&a->route, &b->route);
	}
}

static void plan_sort(struct plan *plan)
{
	if (plan->count)
		qsort(plan->list, plan->count, sizeof(*plan->list), item_compare);
}

static bool plan_has(const struct plan *plan, const struct plan_item *item)
{
	return plan->count &&
	       bsearch(item, plan->list, plan->count, sizeof(*plan->list), item_compare);
}

void plan_compare(struct plan *wanted, struct plan *found, plan_change change, void *context)
{
	plan_sort(wanted);
	plan_sort(found);
	for (size_t i = 0; i < wanted->count; i++) {
		const struct plan_item *item = &wanted->list[i];

		/* The same may follow from two lines of a file. */
		if (i && !item_compare(&wanted->list[i - 1], item))
			continue;
		if (!plan_has(found, item))
			change(context, item, true);
	}
	if (wanted->torn || found->torn)
		return;
	/* What carries goes before what blocks. */
	for (size_t i = found->count; i-- > 0;)
		if (found->list[i].ours && !plan_has(wanted, &found->list[i]))
			change(context, &found->list[i], false);
}

/* --- others -------------------------------------------------------------------------------------- */

bool plan_route_is_shadowed(const struct plan_route *ours, const struct jvpn_prefix *theirs)
{
	bool v6 = theirs->addr.family == AF_INET6;

	if (ours->unreachable || ours->prefix.addr.family != theirs->addr.family || !theirs->length)
		return false;
	if (!ours->prefix.length)
		return theirs->length < (v6 ? NETWORK_BITS_V6 : NETWORK_BITS_V4);
	return theirs->length >= ours->prefix.length &&
	       jvpn_prefix_contains(&ours->prefix, &theirs->addr);
}

bool plan_is_shadowed(const struct plan *plan, const struct jvpn_prefix *theirs)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->list[i].kind == PLAN_ROUTE &&
		    plan_route_is_shadowed(&plan->list[i].route, theirs))
			return true;
	return false;
}

bool plan_blocks(const struct plan *plan, sa_family_t family)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->list[i].kind == PLAN_RULE && !plan->list[i].rule.table &&
		    plan->list[i].rule.family == family)
			return true;
	return false;
}

/* --- texts ---------------------------------------------------------------------------------------- */

static char *rule_format(const struct plan_rule *rule, char *buf, size_t size)
{
	snprintf(buf, size, "rule %u (IPv%d)", rule->priority,
		 rule->family == AF_INET6 ? 6 : 4);
	return buf;
}

char *plan_item_format(const struct plan_item *item, char *buf, size_t size)
{
	const struct plan_route *route = &item->route;
	char text[JVPN_ADDR_TEXT];

	if (item->kind == PLAN_RULE)
		return rule_format(&item->rule, buf, size);
	if (item->kind == PLAN_ADDRESS) {
		snprintf(buf, size, "address %s",
			 jvpn_prefix_format(&item->address, text, sizeof(text)));
		return buf;
	}
	jvpn_prefix_format(&route->prefix, text, sizeof(text));
	if (route->table == RT_TABLE_MAIN)
		snprintf(buf, size, "%sroute %s", route->unreachable ? "unreachable " : "", text);
	else
		snprintf(buf, size, "route %s (table %u)", text, route->table);
	return buf;
}

/* --- a client ---------------------------------------------------------------------------------------- */

static size_t family_slot(sa_family_t family)
{
	return family == AF_INET6 ? 1 : 0;
}

uint32_t plan_metric(sa_family_t family)
{
	return family == AF_INET6 ? METRIC_V6 : 0;
}

bool plan_route_blocks(const struct jvpn_config_client *config, const struct jvpn_prefix *route)
{
	if (config->leak == JVPN_CONFIG_LEAK_AUTO)
		return !route->length;
	return config->leak == JVPN_CONFIG_LEAK_BLOCK;
}

/* A strict rp_filter asks for the way back to the gateway, and has no mark to ask with. */
static void tunnel_add_ends(struct plan *plan, const struct plan_tunnel *t, sa_family_t family)
{
	for (size_t i = 0; i < t->n_ends; i++) {
		const struct jvpn_addr *addr = &t->ends[i].addr;
		const struct plan_rule rule = {
			.family = family, .priority = t->priority, .table = RT_TABLE_MAIN,
			.to = { *addr, (uint8_t)jvpn_addr_bits(addr) }, .port = t->ends[i].port,
		};

		if (addr->family == family)
			plan_add_rule(plan, &rule);
	}
}

/*
 * Everything but what is on the links and what bears the mark. That of another device of this machine
 * passes, too: bound to its uplink it would find no way here.
 */
static void tunnel_add_default_rules(struct plan *plan, const struct plan_tunnel *t,
				     sa_family_t family, bool block)
{
	const uint32_t mask = jvpn_config_mark_mask(t->mark), mark = t->mark & mask;
	const struct plan_rule links = { .family = family, .priority = t->priority + 1,
					 .table = RT_TABLE_MAIN, .mark = mark, .mask = mask,
					 .least = 1 };
	const struct plan_rule tunnel = { .family = family, .priority = t->priority + 2,
					  .table = t->number, .mark = mark, .mask = mask };
	const struct plan_rule nothing = { .family = family, .priority = t->priority + 3,
					   .mark = mark, .mask = mask };

	plan_add_rule(plan, &links);
	plan_add_rule(plan, &tunnel);
	if (block)
		plan_add_rule(plan, &nothing);
}

/* A route to nowhere does not hold programs back that are bound to an uplink; a rule does. */
static void tunnel_add_block(struct plan *plan, const struct plan_tunnel *t,
			     const struct jvpn_prefix *prefix)
{
	const struct plan_route route = { .prefix = *prefix, .table = RT_TABLE_MAIN,
					  .metric = t->number, .unreachable = true };
	struct plan_rule rule = { .family = prefix->addr.family, .priority = t->priority + 1,
				  .table = RT_TABLE_MAIN, .least = prefix->length, .to = *prefix };

	plan_add_route(plan, &route);
	plan_add_rule(plan, &rule);
	rule.priority = t->priority + 3;
	rule.table = rule.least = 0;
	plan_add_rule(plan, &rule);
}

/* What stands without the device. */
static void tunnel_add_guards(struct plan *plan, const struct plan_tunnel *t,
			      const struct jvpn_prefix *prefix)
{
	sa_family_t family = prefix->addr.family;
	bool block = plan_route_blocks(t->config, prefix);

	if (block || !prefix->length)
		tunnel_add_ends(plan, t, family);
	if (!prefix->length)
		tunnel_add_default_rules(plan, t, family, block);
	else if (block)
		tunnel_add_block(plan, t, prefix);
}

void plan_add_guards(struct plan *plan, const struct plan_tunnel *t)
{
	for (size_t i = 0; i < t->config->n_routes; i++)
		tunnel_add_guards(plan, t, &t->config->routes[i]);
}

/*
 * What is blocked leads to the device all the same if it is IPv4: rp_filter refuses what comes in
 * from where no way leads, a name server's answers for example, and asks without the mark.
 */
static void tunnel_add_route(struct plan *plan, const struct plan_tunnel *t,
			     const struct jvpn_prefix *prefix)
{
	sa_family_t family = prefix->addr.family;
	const struct plan_route route = {
		.prefix = *prefix, .metric = plan_metric(family),
		.table = prefix->length ? RT_TABLE_MAIN : t->number,
	};
	bool block = plan_route_blocks(t->config, prefix);

	tunnel_add_guards(plan, t, prefix);
	if (t->inner[family_slot(family)].addr.family != AF_UNSPEC || (block && family == AF_INET))
		plan_add_route(plan, &route);
}

void plan_add_tunnel(struct plan *plan, const struct plan_tunnel *t)
{
	for (int i = 0; i < 2; i++) {
		const struct plan_route network = {
			.prefix = t->network[i], .table = RT_TABLE_MAIN,
			.metric = plan_metric(t->network[i].addr.family),
		};

		if (t->inner[i].addr.family != AF_UNSPEC)
			plan_add_address(plan, &t->inner[i]);
		if (t->network[i].addr.family != AF_UNSPEC)
			plan_add_route(plan, &network);
	}
	for (size_t i = 0; i < t->config->n_routes; i++)
		tunnel_add_route(plan, t, &t->config->routes[i]);
}

/* --- a gateway ------------------------------------------------------------------------------------------ */

static bool device_holds(const struct jvpn_config_device *device, const struct jvpn_prefix *prefix)
{
	for (size_t i = 0; i < device->n_addresses; i++)
		if (device->addresses[i].length <= prefix->length &&
		    jvpn_prefix_contains(&device->addresses[i], &prefix->addr))
			return true;
	return false;
}

/* The network comes with the address, and can be taken away without it. */
static void device_add_address(struct plan *plan, const struct jvpn_prefix *address)
{
	const struct plan_route route = {
		.prefix = inner_network(address), .table = RT_TABLE_MAIN,
		.metric = plan_metric(address->addr.family),
	};

	plan_add_address(plan, address);
	if (!jvpn_prefix_is_host(address))
		plan_add_route(plan, &route);
}

static void gateway_add_routes(struct plan *plan, const struct jvpn_config_device *device,
			       const struct jvpn_prefix *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct plan_route route = {
			.prefix = list[i], .table = RT_TABLE_MAIN,
			.metric = plan_metric(list[i].addr.family),
		};

		if (list[i].length && !device_holds(device, &list[i]))
			plan_add_route(plan, &route);
	}
}

void plan_add_gateway(struct plan *plan, const struct jvpn_config *config)
{
	const struct jvpn_config_gateway *gateway = &config->gateway;
	const struct jvpn_config_device *device = &config->device;

	for (size_t i = 0; i < device->n_addresses; i++)
		device_add_address(plan, &device->addresses[i]);
	gateway_add_routes(plan, device, gateway->pools, gateway->n_pools);
	for (size_t i = 0; i < gateway->n_peers; i++) {
		const struct jvpn_config_peer *peer = &gateway->peers[i];

		gateway_add_routes(plan, device, peer->addresses, peer->n_addresses);
		gateway_add_routes(plan, device, peer->allowed_prefixes,
				   peer->n_allowed_prefixes);
	}
}
