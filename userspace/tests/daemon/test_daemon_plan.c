// SPDX-License-Identifier: GPL-2.0
/*
 * What the system should have, and what is changed when it has something else.
 */
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "../tap.h"
#include "../../jvpnd/plan.h"

#define NUMBER 0x6a760001u
#define FIRST 31000u
#define MARK 0x51u

static struct jvpn_prefix prefix(const char *text)
{
	struct jvpn_prefix result = {};
	const char *why;

	if (*text && jvpn_prefix_parse(&result, text, &why))
		abort();
	return result;
}

/* --- the difference ------------------------------------------------------------------------- */

#define CHANGES_MAX 32

struct changes {
	size_t count;
	struct {
		struct plan_item item;
		bool add;
	} list[CHANGES_MAX];
};

static void change_note(void *context, const struct plan_item *item, bool add)
{
	struct changes *changes = context;

	if (changes->count == CHANGES_MAX)
		abort();
	changes->list[changes->count].item = *item;
	changes->list[changes->count++].add = add;
}

static void compare(struct plan *wanted, struct plan *found, struct changes *changes)
{
	*changes = (struct changes){};
	plan_compare(wanted, found, change_note, changes);
}

static void route_add(struct plan *plan, const char *text, bool ours)
{
	struct plan_item item = {
		.kind = PLAN_ROUTE, .ours = ours,
		.route = { .prefix = prefix(text), .table = RT_TABLE_MAIN },
	};

	item.route.metric = plan_metric(item.route.prefix.addr.family);
	plan_add(plan, &item);
}

static void address_add(struct plan *plan, const char *text, bool ours)
{
	const struct plan_item item = { .kind = PLAN_ADDRESS, .ours = ours,
					.address = prefix(text) };

	plan_add(plan, &item);
}

static void test_compare(void)
{
	struct plan wanted = {}, found = {}, none = {};
	struct changes changes;

	route_add(&wanted, "10.0.0.0/8", true);
	route_add(&wanted, "fd00::/8", true);
	route_add(&wanted, "10.0.0.0/8", true);
	address_add(&wanted, "10.77.0.5", true);
	compare(&wanted, &none, &changes);
	tap_equal(changes.count, 3, "everything is added, and nothing twice");
	tap_ok(changes.list[0].item.kind == PLAN_ADDRESS && changes.list[0].add &&
	       changes.list[1].add && changes.list[2].add, "addresses before routes");

	address_add(&found, "10.77.0.5", true);
	route_add(&found, "fd00::/8", false);
	route_add(&found, "10.0.0.0/8", true);
	compare(&wanted, &found, &changes);
	tap_equal(changes.count, 0, "what is there needs nothing, whoever has put it there");

	route_add(&found, "10.9.0.0/16", true);
	route_add(&found, "10.8.0.0/16", false);
	address_add(&found, "10.77.0.6", true);
	address_add(&found, "10.77.0.7", false);
	compare(&wanted, &found, &changes);
	tap_ok(changes.count == 2 && !changes.list[0].add && !changes.list[1].add &&
	       changes.list[0].item.kind == PLAN_ROUTE &&
	       changes.list[1].item.kind == PLAN_ADDRESS,
	       "what is left over of ours is removed, routes first, and nothing else");

	found.torn = true;
	compare(&wanted, &found, &changes);
	tap_equal(changes.count, 0, "nothing is removed if not all is known");
	found.torn = false;
	compare(&none, &found, &changes);
	tap_equal(changes.count, 4, "who wants nothing has all of ours removed");
	plan_free(&wanted);
	plan_free(&found);
}

/* --- a client -------------------------------------------------------------------------------- */

struct tunnel {
	struct jvpn_prefix routes[4];
	struct jvpn_config_client config;
	struct jvpn_prefix inner[2];
	struct jvpn_prefix network[2];
	struct plan_end end;
	struct plan_tunnel plan;
};

static void tunnel_init(struct tunnel *t, const char *const routes[], const char *v4, const char *v6)
{
	*t = (struct tunnel){ .inner = { prefix(v4), prefix(v6) },
			      .end = { prefix("192.0.2.1").addr, 51900 } };
	for (; routes[t->config.n_routes]; t->config.n_routes++)
		t->routes[t->config.n_routes] = prefix(routes[t->config.n_routes]);
	t->config.routes = t->routes;
	t->plan = (struct plan_tunnel){
		.config = &t->config, .number = NUMBER, .priority = FIRST, .mark = MARK,
		.inner = t->inner, .network = t->network, .ends = &t->end, .n_ends = 1,
	};
}

struct wanted {
	unsigned int rules, blocks, ends, defaults, routes, unreachable, addresses;
};

static void wanted_count(struct wanted *w, const struct plan_item *item)
{
	w->addresses += item->kind == PLAN_ADDRESS;
	if (item->kind == PLAN_RULE) {
		w->rules++;
		w->blocks += !item->rule.table;
		w->ends += item->rule.port == 51900;
	} else if (item->kind == PLAN_ROUTE && item->route.unreachable) {
		w->unreachable++;
	} else if (item->kind == PLAN_ROUTE) {
		w->defaults += item->route.table == NUMBER && !item->route.prefix.length;
		w->routes += item->route.table == RT_TABLE_MAIN;
	}
}

static struct wanted tunnel_wanted(const struct tunnel *t)
{
	struct wanted wanted = {};
	struct plan plan = {};

	plan_add_tunnel(&plan, &t->plan);
	for (size_t i = 0; i < plan.count; i++)
		wanted_count(&wanted, &plan.list[i]);
	plan_free(&plan);
	return wanted;
}

static const char *const full[] = { "0.0.0.0/0", "::/0", NULL };
static const char *const split[] = { "10.0.0.0/8", "fd00::/8", NULL };

static void test_full_tunnel(void)
{
	struct wanted w;
	struct tunnel t;

	tunnel_init(&t, full, "", "");
	w = tunnel_wanted(&t);
	tap_ok(w.rules == 7 && w.blocks == 2 && w.ends == 1,
	       "before the session both families are blocked, but for the gateway");
	tap_ok(w.defaults == 1 && !w.routes && !w.addresses,
	       "and answers of others in IPv4 have a way that rp_filter finds");

	tunnel_init(&t, full, "10.77.0.5", "");
	w = tunnel_wanted(&t);
	tap_ok(w.defaults == 1 && w.blocks == 2 && w.addresses == 1,
	       "a family without an address stays blocked");

	tunnel_init(&t, full, "10.77.0.5", "fd77::5");
	w = tunnel_wanted(&t);
	tap_ok(w.defaults == 2 && w.blocks == 2, "what is carried is blocked as well, behind it");

	t.config.leak = JVPN_CONFIG_LEAK_ALLOW;
	w = tunnel_wanted(&t);
	tap_ok(w.rules == 5 && !w.blocks && w.defaults == 2, "if leaks are allowed nothing is");

	tunnel_init(&t, (const char *const[]){ "0.0.0.0/0", NULL }, "10.77.0.5", "fd77::5");
	w = tunnel_wanted(&t);
	tap_ok(w.rules == 4 && w.defaults == 1, "the other family is none of the file's business");
}

static void test_split_tunnel(void)
{
	struct wanted w;
	struct tunnel t;

	tunnel_init(&t, split, "10.77.0.5", "");
	t.network[0] = prefix("10.77.0.0/24");
	w = tunnel_wanted(&t);
	tap_ok(!w.rules && !w.unreachable && w.routes == 2 && w.addresses == 1,
	       "networks are routes of the main table, and the inner one is, too");
	t.config.leak = JVPN_CONFIG_LEAK_BLOCK;
	w = tunnel_wanted(&t);
	tap_ok(w.rules == 5 && w.blocks == 2 && w.ends == 1 && w.unreachable == 2 && w.routes == 2,
	       "or blocked if the file says so, behind the route");
}

/* What is there before the device, and stays if there is never one. */
static void test_guards(const char *const routes[], enum jvpn_config_leak leak, bool block,
			const char *what)
{
	unsigned int blocks = 0, unreachable = 0, others = 0;
	struct plan plan = {};
	struct tunnel t;

	tunnel_init(&t, routes, "", "");
	t.config.leak = leak;
	t.plan.inner = t.plan.network = NULL;
	plan_add_guards(&plan, &t.plan);
	for (size_t i = 0; i < plan.count; i++) {
		const struct plan_item *item = &plan.list[i];

		blocks += item->kind == PLAN_RULE && !item->rule.table;
		unreachable += item->kind == PLAN_ROUTE && item->route.unreachable;
		others += item->kind != PLAN_RULE &&
			  (item->kind != PLAN_ROUTE || !item->route.unreachable);
	}
	tap_ok(blocks == 2 * block && unreachable == 2 * (block && routes[0][0] != '0') && !others,
	       "before the device is there %s", what);
	plan_free(&plan);
}

/* Rules stand in the order in which they must be asked. */
static void test_rules_order(void)
{
	const struct plan_item *blocks = NULL;
	struct plan plan = {}, none = {};
	unsigned int places[4] = {};
	struct changes changes;
	struct tunnel t;

	tunnel_init(&t, full, "10.77.0.5", "fd77::5");
	plan_add_tunnel(&plan, &t.plan);
	compare(&plan, &none, &changes);
	for (size_t i = 0; i < plan.count; i++) {
		const struct plan_item *item = &plan.list[i];

		if (item->kind != PLAN_RULE || item->rule.family != AF_INET)
			continue;
		if (!item->rule.table)
			blocks = item;
		places[item->rule.table == NUMBER ? 2 : !item->rule.table ? 3 :
		       item->rule.least ? 1 : 0] = item->rule.priority;
	}
	tap_ok(places[0] < places[1] && places[1] < places[2] && places[2] < places[3] &&
	       places[3] - places[0] < PLAN_RULES_SPAN,
	       "the gateway, the links, the tunnel, nothing");
	tap_ok(blocks && blocks->rule.mark == MARK && blocks->rule.mask == UINT32_MAX,
	       "what bears the mark is not blocked");
	tap_ok(changes.list[0].item.kind == PLAN_RULE && !changes.list[0].item.rule.table,
	       "what blocks is the first to be added");
	plan_free(&plan);
}

/* Does the rule that blocks let outer packets with this mark pass? */
static bool marked_passes(uint32_t own, uint32_t mark)
{
	struct plan plan = {};
	struct tunnel t;
	bool passes = true;

	tunnel_init(&t, full, "10.77.0.5", "fd77::5");
	t.plan.mark = own;
	plan_add_tunnel(&plan, &t.plan);
	for (size_t i = 0; i < plan.count; i++) {
		const struct plan_rule *rule = &plan.list[i].rule;

		if (plan.list[i].kind == PLAN_RULE && !rule->table)
			passes &= !((mark ^ rule->mark) & rule->mask);
	}
	plan_free(&plan);
	return passes;
}

static void test_marks(void)
{
	uint32_t own = jvpn_config_device_number("jvpn0");

	tap_ok(marked_passes(own, own) &&
	       marked_passes(own, jvpn_config_device_number("a name of 15.")),
	       "outer packets of every device pass by the marks that are chosen");
	tap_ok(!marked_passes(own, 0) && !marked_passes(own, MARK) &&
	       !marked_passes(own, own ^ 0x8000), "others do not");
	tap_ok(marked_passes(MARK, MARK) && !marked_passes(MARK, own),
	       "a mark of the file stands alone");
}

/* --- a gateway ------------------------------------------------------------------------------- */

static struct wanted gateway_wanted(const struct jvpn_config *config)
{
	struct wanted wanted = {};
	struct plan plan = {}, none = {};
	struct changes changes;

	plan_add_gateway(&plan, config);
	compare(&plan, &none, &changes);
	for (size_t i = 0; i < changes.count; i++)
		wanted_count(&wanted, &changes.list[i].item);
	plan_free(&plan);
	return wanted;
}

static void test_gateway(void)
{
	struct jvpn_prefix device[] = { prefix("10.77.0.1/24"), prefix("fd77::1/64") };
	struct jvpn_prefix pools[] = { prefix("10.77.0.0/24"), prefix("10.78.0.0/16") };
	struct jvpn_prefix hosts[] = { prefix("10.77.0.5"), prefix("10.99.0.5") };
	struct jvpn_prefix behind[] = { prefix("192.168.5.0/24"), prefix("0.0.0.0/0") };
	struct jvpn_config_peer peer = { .addresses = hosts, .n_addresses = 2,
					 .allowed_prefixes = behind, .n_allowed_prefixes = 2 };
	struct jvpn_config config = {
		.device = { .addresses = device, .n_addresses = 2 },
		.gateway = { .pools = pools, .n_pools = 2, .peers = &peer, .n_peers = 1 },
	};
	struct wanted w = gateway_wanted(&config);

	tap_equal(w.addresses, 2, "the device has its addresses");
	tap_equal(w.routes, 5, "their networks, pools and peers elsewhere, and what is behind peers are routed");
	tap_ok(!w.defaults && !w.rules, "but never everything");
	config.gateway.n_peers = 0;
	w = gateway_wanted(&config);
	tap_equal(w.routes, 3, "a peer's routes go with it");
}

static void test_numbers(void)
{
	uint32_t seen[16];
	bool distinct = true;
	char name[16];

	for (unsigned int i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "jvpn%u", i);
		seen[i] = jvpn_config_device_number(name);
		for (unsigned int j = 0; j < i; j++)
			distinct &= seen[i] % 250 != seen[j] % 250;
	}
	tap_ok(distinct, "devices do not come into each other's rules");
	tap_ok(!(seen[0] & 0xc000) && seen[0] > 255, "numbers keep away from others' tables and marks");
}

/* --- others --------------------------------------------------------------------------------- */

static void test_shadow(const char *ours, const char *theirs, bool is)
{
	const struct plan_route route = { .prefix = prefix(ours), .table = RT_TABLE_MAIN };
	const struct jvpn_prefix other = prefix(theirs);

	tap_ok(plan_route_is_shadowed(&route, &other) == is, "%s %s %s", theirs,
	       is ? "takes packets of" : "is nothing to", ours);
}

static void test_shadows(void)
{
	struct plan plan = {};

	test_shadow("172.30.0.0/16", "172.30.5.0/24", true);
	test_shadow("172.30.0.0/16", "172.30.0.0/16", true);
	test_shadow("172.30.0.0/16", "172.16.0.0/12", false);
	test_shadow("172.30.0.0/16", "172.31.5.0/24", false);
	test_shadow("172.30.0.0/16", "0.0.0.0/0", false);
	test_shadow("fd05::/48", "fd05::/64", true);
	test_shadow("fd05::/48", "172.30.5.0/24", false);
	test_shadow("0.0.0.0/0", "10.0.0.0/8", false);
	test_shadow("0.0.0.0/0", "128.0.0.0/1", true);
	test_shadow("0.0.0.0/0", "0.0.0.0/0", false);
	test_shadow("::/0", "fd00::/16", false);
	test_shadow("::/0", "2000::/3", true);
	route_add(&plan, "10.0.0.0/8", true);
	tap_ok(plan_is_shadowed(&plan, &(struct jvpn_prefix){ prefix("10.1.0.0/16").addr, 16 }),
	       "a plan's route is found");
	tap_ok(!plan_is_shadowed(&plan, &(struct jvpn_prefix){ prefix("11.1.0.0/16").addr, 16 }),
	       "there is none for others");
	plan_free(&plan);
}

int main(void)
{
	test_compare();
	test_full_tunnel();
	test_split_tunnel();
	test_guards(full, JVPN_CONFIG_LEAK_AUTO, true, "a full tunnel is blocked");
	test_guards(full, JVPN_CONFIG_LEAK_ALLOW, false, "it is not if leaks are allowed");
	test_guards(split, JVPN_CONFIG_LEAK_BLOCK, true, "networks are if the file says so");
	test_guards(split, JVPN_CONFIG_LEAK_AUTO, false, "and are not if it does not");
	test_rules_order();
	test_marks();
	test_gateway();
	test_numbers();
	test_shadows();
	return tap_done();
}
