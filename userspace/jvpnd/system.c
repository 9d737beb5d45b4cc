// SPDX-License-Identifier: GPL-2.0
#include "system.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "lack.h"
#include "log.h"
#include "tunnel.h"

#define PERIOD_MS 30000
/* Before the main table's rule (32766), and away from those that others take by default. */
#define RULES_FIRST 31000
#define RULES_PLACES 250
/*
 * Somebody who takes away what is put back, again and again: no more than so many repairs are made
 * at once, and then one in each pause.
 */
#define REPAIRS_BURST 20
#define REPAIR_PAUSE_MS 500
/* Of what cannot be had so many are told. */
#define LACKS_MAX 16
#define PASSES_MAX 3
/* Between two looks at all routes of the system: there may be very many. */
#define SHADOWS_PAUSE_MS 1000
/* Addresses that nobody has: of documentation. */
#define SOMEWHERE_V4 "203.0.113.113"
#define SOMEWHERE_V6 "2001:db8:ffff:ffff::1"

/* A route that leads elsewhere and takes packets that ours is for; by: its table, 0 for the main one. */
struct shadow {
	struct jvpn_prefix ours;
	struct jvpn_prefix theirs;
	uint32_t ifindex;
	uint32_t by;
};

struct system {
	uv_timer_t timer;
	bool beginning;			/* not all is known that was there before */
	uint64_t repaired_ms;		/* beginning of the count */
	unsigned int repairs;
	uint64_t all_repairs;
	struct plan wanted;		/* of the last pass */
	uint64_t shadows_ms;		/* when they were looked for */
	size_t n_shadows;
	struct shadow shadows[LACKS_MAX];
	size_t n_bare;			/* looked for with them */
	uint32_t bare[LACKS_MAX];
};

/**
 * struct system_pass - one comparison
 * @expected: what the role wants has changed, so differences are no news
 * @partial: addresses have changed: look again before routes are added
 * @changes: how many there were
 * @first: one of them
 * @lacks: what could not be changed, or leads elsewhere
 */
struct system_pass {
	struct jvpnd *d;
	struct plan found;
	bool expected;
	bool partial;
	unsigned int changes;
	char first[PLAN_TEXT];
	unsigned int lacks;
};

uint32_t system_rule_priority(uint32_t number)
{
	return RULES_FIRST + number % RULES_PLACES * PLAN_RULES_SPAN;
}

static uint32_t system_number(const struct jvpnd *d)
{
	return jvpn_config_device_number(d->config->device.name);
}

uint64_t system_repairs(const struct jvpnd *d)
{
	return d->system ? d->system->all_repairs : 0;
}

/* --- what there is ---------------------------------------------------------------------------- */

static void system_addr_note(void *context, const struct jvpn_rtnl_addr *addr)
{
	struct system_pass *pass = context;
	const struct plan_item item = {
		.kind = PLAN_ADDRESS, .address = addr->prefix,
		.ours = addr->protocol == JVPN_RTNL_PROTOCOL,
	};

	if (addr->ifindex == pass->d->ifindex && !addr->link_local)
		plan_add(&pass->found, &item);
}

/* In the tables of other devices it is one of theirs. */
static bool system_route_is_ours(const struct jvpnd *d, const struct jvpn_rtnl_route *route)
{
	return (d->ifindex && route->ifindex == d->ifindex) ||
	       (route->unreachable && route->metric == system_number(d));
}

static void system_route_note(void *context, const struct jvpn_rtnl_route *route)
{
	struct system_pass *pass = context;
	const struct plan_item item = {
		.kind = PLAN_ROUTE, .ours = true,
		.route = { .prefix = route->prefix, .table = route->table,
			   .metric = route->metric, .unreachable = route->unreachable },
	};

	if (system_route_is_ours(pass->d, route))
		plan_add(&pass->found, &item);
}

/* The kernel's and other people's lead there as well, whatever they are worth. */
static void system_route_note_foreign(void *context, const struct jvpn_rtnl_route *route)
{
	struct system_pass *pass = context;
	const struct plan_item item = {
		.kind = PLAN_ROUTE,
		.route = { .prefix = route->prefix, .table = route->table,
			   .metric = plan_metric(route->prefix.addr.family) },
	};

	if (route->protocol != JVPN_RTNL_PROTOCOL && !route->unreachable)
		plan_add(&pass->found, &item);
}

static void system_rule_note(void *context, const struct jvpn_rtnl_rule *rule)
{
	struct system_pass *pass = context;
	const struct plan_item item = {
		.kind = PLAN_RULE, .ours = true,
		.rule = { .family = rule->family, .priority = rule->priority,
			  .table = rule->table, .mark = rule->mark, .mask = rule->mask,
			  .least = rule->least, .to = rule->to, .port = rule->port },
	};

	if (rule->protocol == JVPN_RTNL_PROTOCOL && !rule->foreign &&
	    rule->owner == system_number(pass->d))
		plan_add(&pass->found, &item);
}

static int system_routes_read(struct system_pass *pass)
{
	const struct jvpn_rtnl_filter ours = { .protocol = JVPN_RTNL_PROTOCOL };
	const struct jvpn_rtnl_filter there = { .ifindex = pass->d->ifindex };
	struct jvpn_rtnl *rtnl = pass->d->rtnl;
	int rc = jvpn_rtnl_route_dump_of(rtnl, &ours, system_route_note, pass, NULL);
	int rest = rc;

	if (rc >= 0 && there.ifindex)
		rest = jvpn_rtnl_route_dump_of(rtnl, &there, system_route_note_foreign, pass, NULL);
	/* A device that is gone has none, and rules stay without it. */
	if (rest == -ENODEV)
		rest = 0;
	return rest ? rest : rc;
}

/* What was interrupted is incomplete, and looked at again: the change has its event. */
static bool system_read(struct system_pass *pass)
{
	struct jvpn_nl_error e = {};
	struct jvpnd *d = pass->d;
	int rc = jvpn_rtnl_addr_dump(d->rtnl, system_addr_note, pass, &e);
	int rules = rc < 0 ? rc : jvpn_rtnl_rule_dump(d->rtnl, system_rule_note, pass, &e);
	int routes = rules < 0 ? rules : system_routes_read(pass);

	pass->found.torn |= rc || rules || routes;
	if (routes >= 0)
		return true;
	lack_say(LACK_SYSTEM, "addresses and routes of the system", "they cannot be read: %s",
		 e.text[0] ? e.text : strerror(-routes));
	return false;
}

/* --- changes -------------------------------------------------------------------------------------- */

static int system_rule_apply(struct jvpnd *d, const struct plan_rule *rule, bool add,
			     struct jvpn_nl_error *e)
{
	const struct jvpn_rtnl_rule request = {
		.family = rule->family, .priority = rule->priority, .table = rule->table,
		.mark = rule->mark, .mask = rule->mask, .least = rule->least, .to = rule->to,
		.port = rule->port, .owner = system_number(d),
	};

	return add ? jvpn_rtnl_rule_add(d->rtnl, &request, e) :
		     jvpn_rtnl_rule_del(d->rtnl, &request, e);
}

static int system_route_apply(struct jvpnd *d, const struct plan_route *route, bool add,
			      struct jvpn_nl_error *e)
{
	const struct jvpn_rtnl_route request = {
		.prefix = route->prefix, .table = route->table, .metric = route->metric,
		.unreachable = route->unreachable,
		.ifindex = route->unreachable ? 0 : d->ifindex,
	};

	return add ? jvpn_rtnl_route_add(d->rtnl, &request, e) :
		     jvpn_rtnl_route_del(d->rtnl, &request, e);
}

static int system_item_apply(struct jvpnd *d, const struct plan_item *item, bool add,
			     struct jvpn_nl_error *e)
{
	switch (item->kind) {
	case PLAN_RULE:
		return system_rule_apply(d, &item->rule, add, e);
	case PLAN_ADDRESS:
		return add ? jvpn_rtnl_addr_add(d->rtnl, d->ifindex, &item->address, e) :
			     jvpn_rtnl_addr_del(d->rtnl, d->ifindex, &item->address, e);
	default:
		return system_route_apply(d, &item->route, add, e);
	}
}

static void system_lack(struct jvpnd *d, const struct plan_item *item, const char *text, int rc,
			bool add, const struct jvpn_nl_error *e)
{
	const char *name = d->config->device.name;

	if (!add)
		lack_say(LACK_SYSTEM, text, "it cannot be taken away: %s", e->text);
	else if (rc == -EEXIST)
		lack_say(LACK_SYSTEM, text, "it cannot be had: another interface has the same");
	else if (item->kind == PLAN_ADDRESS && item->address.addr.family == AF_INET6)
		lack_say(LACK_SYSTEM, text,
			 "it cannot be put on %s: %s (is IPv6 switched off? \"sysctl net.ipv6.conf.%s.disable_ipv6\" should be 0); without it nothing inside the tunnel reaches it",
			 name, e->text, name);
	else
		lack_say(LACK_SYSTEM, text, "it cannot be put on %s: %s", name, e->text);
}

/* A kernel without IPv6 has nothing that could leave. */
static bool system_is_without(const struct plan_item *item, int rc)
{
	return (rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP) &&
	       (item->kind == PLAN_RULE || (item->kind == PLAN_ROUTE && item->route.unreachable));
}

static void system_change(void *context, const struct plan_item *item, bool add)
{
	struct system_pass *pass = context;
	struct jvpn_nl_error e = {};
	char text[PLAN_TEXT];
	int rc;

	if (pass->partial && add && item->kind == PLAN_ROUTE)
		return;
	plan_item_format(item, text, sizeof(text));
	rc = system_item_apply(pass->d, item, add, &e);
	if (!rc) {
		if (!pass->changes++)
			snprintf(pass->first, sizeof(pass->first), "%s", text);
		/* Networks come and go with addresses. */
		pass->partial |= item->kind == PLAN_ADDRESS;
		return;
	}
	if (!system_is_without(item, rc) && pass->lacks++ < LACKS_MAX)
		system_lack(pass->d, item, text, rc, add, &e);
}

static void system_timer(uv_timer_t *timer);

static void system_look_within(struct system *sys, uint64_t ms)
{
	if (uv_timer_get_due_in(&sys->timer) > ms)
		uv_timer_start(&sys->timer, system_timer, ms, 0);
}

/* --- what is in the way ----------------------------------------------------------------------------- */

/* One of each is enough. */
static void system_shadow_add(struct system *sys, const struct shadow *shadow)
{
	for (size_t i = 0; i < sys->n_shadows; i++)
		if (sys->shadows[i].ours.length == shadow->ours.length &&
		    jvpn_addr_equal(&sys->shadows[i].ours.addr, &shadow->ours.addr))
			return;
	if (sys->n_shadows < LACKS_MAX)
		sys->shadows[sys->n_shadows++] = *shadow;
}

static void system_shadow_note(void *context, const struct jvpn_rtnl_route *route)
{
	const struct jvpnd *d = context;
	const struct plan *wanted = &d->system->wanted;

	if (route->unreachable || route->ifindex == d->ifindex)
		return;
	for (size_t i = 0; i < wanted->count; i++) {
		const struct plan_item *item = &wanted->list[i];
		const struct shadow shadow = { item->route.prefix, route->prefix,
						route->ifindex, 0 };

		if (item->kind == PLAN_ROUTE && plan_route_is_shadowed(&item->route, &route->prefix))
			system_shadow_add(d->system, &shadow);
	}
}

/* Rules of others may go before ours: where would a packet to somewhere go? */
static void system_detour_find(struct jvpnd *d, const struct plan_route *ours)
{
	bool v6 = ours->prefix.addr.family == AF_INET6;
	struct jvpn_prefix somewhere;
	struct jvpn_rtnl_route route;
	const char *why;

	if (ours->unreachable || ours->prefix.length ||
	    jvpn_prefix_parse(&somewhere, v6 ? SOMEWHERE_V6 : SOMEWHERE_V4, &why) ||
	    jvpn_rtnl_route_get(d->rtnl, &somewhere.addr, 0, 0, &route, NULL) ||
	    route.ifindex == d->ifindex || route.table == RT_TABLE_MAIN)
		return;
	system_shadow_add(d->system, &(struct shadow){ ours->prefix, route.prefix, route.ifindex,
						       route.table });
}

/* Only a client: a gateway is in networks of its peers on purpose. */
static void system_shadows_find(struct jvpnd *d)
{
	const struct jvpn_rtnl_filter main_table = { .table = RT_TABLE_MAIN };
	struct system *sys = d->system;
	uint64_t now = jvpnd_now_ms();

	if (!d->client)
		return;
	if (sys->shadows_ms && now - sys->shadows_ms < SHADOWS_PAUSE_MS) {
		system_look_within(sys, SHADOWS_PAUSE_MS);
		return;
	}
	sys->shadows_ms = now;
	sys->n_shadows = 0;
	jvpn_rtnl_route_dump_of(d->rtnl, &main_table, system_shadow_note, d, NULL);
	for (size_t i = 0; i < sys->wanted.count; i++)
		if (sys->wanted.list[i].kind == PLAN_ROUTE)
			system_detour_find(d, &sys->wanted.list[i].route);
	sys->n_bare = 0;
	if (plan_blocks(&sys->wanted, AF_INET))
		sys->n_bare = tunnel_bare_uplinks(d->client, sys->bare, LACKS_MAX);
}

static void system_shadow_say(const struct shadow *shadow)
{
	char ours[JVPN_ADDR_TEXT], theirs[JVPN_ADDR_TEXT], name[IF_NAMESIZE], what[PLAN_TEXT];
	const char *over = if_indextoname(shadow->ifindex, name) ? name : "an interface";

	snprintf(what, sizeof(what), "route %s",
		 jvpn_prefix_format(&shadow->ours, ours, sizeof(ours)));
	jvpn_prefix_format(&shadow->theirs, theirs, sizeof(theirs));
	if (shadow->by)
		lack_say(LACK_SYSTEM, what,
			 "it leads into the tunnel, but rules that go before ask table %u, which sends %s over %s",
			 shadow->by, theirs, over);
	else
		lack_say(LACK_SYSTEM, what,
			 "it leads into the tunnel, but %s of it is reached over %s", theirs, over);
}

static void system_bare_say(uint32_t ifindex)
{
	char name[IF_NAMESIZE], what[PLAN_TEXT];

	if (!if_indextoname(ifindex, name))
		return;
	snprintf(what, sizeof(what), "interface %s", name);
	lack_say(LACK_SYSTEM, what,
		 "it asks for no neighbours, so routes and rules do not hold back IPv4 packets of programs that are bound to it");
}

static void system_shadows_say(struct system_pass *pass)
{
	const struct system *sys = pass->d->system;

	for (size_t i = 0; i < sys->n_shadows && pass->lacks++ < LACKS_MAX; i++)
		system_shadow_say(&sys->shadows[i]);
	for (size_t i = 0; i < sys->n_bare && pass->lacks++ < LACKS_MAX; i++)
		system_bare_say(sys->bare[i]);
}

/* --- passes ------------------------------------------------------------------------------------------ */

static void system_repairs_count(struct system *sys, const struct system_pass *pass)
{
	static struct jvpn_log_limit limit = { .burst = 5 };
	uint64_t now = jvpnd_now_ms();

	if (pass->expected || !pass->changes)
		return;
	if (now - sys->repaired_ms > PERIOD_MS) {
		sys->repaired_ms = now;
		sys->repairs = 0;
	}
	sys->repairs++;
	sys->all_repairs++;
	jvpn_log_limited(&limit, JVPN_LOG_WARNING,
			 "somebody has changed the system: %s%s put right again", pass->first,
			 pass->changes > 1 ? " and others" : "");
}

/* Returns whether another pass is due. */
static bool system_pass_run(struct jvpnd *d, bool expected)
{
	struct system_pass pass = { .d = d, .expected = expected,
				    .found.torn = d->system->beginning };
	struct system *sys = d->system;

	plan_free(&sys->wanted);
	if (!d->down)
		d->role->plan(d, &sys->wanted);
	pass.changes = device_follow(d);
	if (pass.changes)
		snprintf(pass.first, sizeof(pass.first), "device %s", d->config->device.name);
	if (system_read(&pass)) {
		plan_compare(&sys->wanted, &pass.found, system_change, &pass);
		system_shadows_find(d);
		system_shadows_say(&pass);
	}
	system_repairs_count(sys, &pass);
	plan_free(&pass.found);
	return pass.partial;
}

static void system_run(struct jvpnd *d, bool expected)
{
	bool again = true;

	for (int i = 0; i < PASSES_MAX && again; i++) {
		lacks_begin(LACK_SYSTEM);
		again = system_pass_run(d, expected);
	}
	lacks_end(LACK_SYSTEM);
}

void system_guard(struct jvpnd *d)
{
	struct system_pass pass = { .d = d, .expected = true, .found.torn = true };
	struct plan *wanted = &d->system->wanted;

	if (d->config->role != JVPN_CONFIG_CLIENT)
		return;
	tunnel_plan_guards(d, wanted);
	/* What cannot be read is taken to be missing. */
	system_read(&pass);
	plan_compare(wanted, &pass.found, system_change, &pass);
	plan_free(&pass.found);
}

void system_begin(struct jvpnd *d)
{
	d->system->beginning = true;
	system_run(d, true);
	d->system->beginning = false;
}

void system_follow(struct jvpnd *d)
{
	if (d->system && d->ifindex)
		system_run(d, true);
}

static void system_timer(uv_timer_t *timer)
{
	struct jvpnd *d = timer->data;

	uv_timer_start(timer, system_timer, PERIOD_MS, 0);
	if (d->stopping || !d->ifindex)
		return;
	if (d->system->repairs > REPAIRS_BURST)
		d->system->repairs--;
	system_run(d, false);
}

void system_look(struct jvpnd *d)
{
	struct system *sys = d->system;

	if (!sys || !d->ifindex)
		return;
	if (sys->repairs <= REPAIRS_BURST)
		system_run(d, false);
	else
		system_look_within(sys, REPAIR_PAUSE_MS);
}

/* IPv4 routes go with their link, and nobody says so: a client looks what is in the way then. */
static bool system_is_concerned_by_link(const struct jvpnd *d, const struct jvpn_rtnl_link *link)
{
	return d->client || link->ifindex == d->ifindex ||
	       !strcmp(link->name, d->config->device.name);
}

static bool system_is_concerned_by_route(const struct jvpnd *d,
					 const struct jvpn_rtnl_route *route)
{
	return route->ifindex == d->ifindex || route->protocol == JVPN_RTNL_PROTOCOL ||
	       (d->client && route->table == RT_TABLE_MAIN &&
		plan_is_shadowed(&d->system->wanted, &route->prefix));
}

bool system_is_concerned(const struct jvpnd *d, const struct jvpn_rtnl_event *event)
{
	switch (event->kind) {
	case JVPN_RTNL_EVENT_LINK:
		return system_is_concerned_by_link(d, &event->link);
	case JVPN_RTNL_EVENT_ADDR:
		return event->addr.ifindex == d->ifindex;
	case JVPN_RTNL_EVENT_ROUTE:
		return system_is_concerned_by_route(d, &event->route);
	case JVPN_RTNL_EVENT_RULE:
		return d->client || event->rule.protocol == JVPN_RTNL_PROTOCOL;
	default:
		return true;
	}
}

void system_stay_tell(const struct jvpnd *d)
{
	const struct plan *wanted = &d->system->wanted;
	bool blocks = plan_blocks(wanted, AF_INET) || plan_blocks(wanted, AF_INET6);

	if (wanted->count)
		jvpn_info("addresses, routes and rules of %s stay%s; \"jvpnctl -i %s down\" takes them away",
			  d->config->device.name,
			  blocks ? ": what belongs into the tunnel stays blocked without it" : "",
			  d->config->device.name);
}

void system_clear(struct jvpnd *d)
{
	struct system_pass pass = { .d = d, .expected = true };
	struct plan nothing = {};

	if (d->system && system_read(&pass))
		plan_compare(&nothing, &pass.found, system_change, &pass);
	plan_free(&pass.found);
}

int system_open(struct jvpnd *d)
{
	d->system = calloc(1, sizeof(*d->system));
	if (!d->system)
		return -ENOMEM;
	uv_timer_init(d->loop, &d->system->timer);
	d->system->timer.data = d;
	uv_timer_start(&d->system->timer, system_timer, PERIOD_MS, 0);
	return 0;
}

void system_close(struct jvpnd *d)
{
	if (d->system)
		plan_free(&d->system->wanted);
	free(d->system);
	d->system = NULL;
}
