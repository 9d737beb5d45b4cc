// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "rtnl-attr.h"
#include "rtnl-message.h"

/* Routes and rules. */

/* --- messages as structs -------------------------------------------------- */

static void route_hop_read(struct jvpn_rtnl_route *route, sa_family_t family,
			   const struct nlattr *hops)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(hops);
	const uint8_t *start = (const uint8_t *)hop;
	const struct nlattr *attr;

	if (mnl_attr_get_payload_len(hops) < sizeof(*hop) || hop->rtnh_len < sizeof(*hop) ||
	    hop->rtnh_len > mnl_attr_get_payload_len(hops))
		return;
	route->ifindex = hop->rtnh_ifindex;
	attr = (const struct nlattr *)(start + MNL_ALIGN(sizeof(*hop)));
	for (; mnl_attr_ok(attr, start + hop->rtnh_len - (const uint8_t *)attr);
	     attr = mnl_attr_next(attr)) {
		if (mnl_attr_get_type(attr) == RTA_GATEWAY)
			jvpn_rtnl_addr_read(&route->gateway, family, attr);
	}
}

static void route_attr_read(struct jvpn_rtnl_route *route, sa_family_t family,
			    const struct nlattr *attr)
{
	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		jvpn_rtnl_addr_read(&route->prefix.addr, family, attr);
		break;
	case RTA_GATEWAY:
		jvpn_rtnl_addr_read(&route->gateway, family, attr);
		break;
	case RTA_VIA:
		jvpn_rtnl_via_read(&route->gateway, attr);
		break;
	case RTA_PREFSRC:
		jvpn_rtnl_addr_read(&route->source, family, attr);
		break;
	case RTA_OIF:
		jvpn_rtnl_u32_read(&route->ifindex, attr);
		break;
	case RTA_TABLE:
		jvpn_rtnl_u32_read(&route->table, attr);
		break;
	case RTA_PRIORITY:
		jvpn_rtnl_u32_read(&route->metric, attr);
		break;
	case RTA_MULTIPATH:
		route_hop_read(route, family, attr);
		break;
	}
}

bool jvpn_rtnl_route_read(struct jvpn_rtnl_route *route, const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	if (!jvpn_rtnl_message_holds(message, sizeof(*header)) ||
	    (header->rtm_type != RTN_UNICAST && header->rtm_type != RTN_UNREACHABLE) ||
	    (header->rtm_family != AF_INET && header->rtm_family != AF_INET6) ||
	    (header->rtm_flags & RTM_F_CLONED && header->rtm_dst_len == 0))
		return false;
	*route = (struct jvpn_rtnl_route){
		.prefix = { { .family = header->rtm_family }, header->rtm_dst_len },
		.table = header->rtm_table,
		.protocol = header->rtm_protocol,
		.unreachable = header->rtm_type == RTN_UNREACHABLE,
	};
	mnl_attr_for_each(attr, message, sizeof(*header))
		route_attr_read(route, header->rtm_family, attr);
	return true;
}

static bool port_read(uint16_t *port, const struct nlattr *attr)
{
	const struct fib_rule_port_range *range = mnl_attr_get_payload(attr);

	if (mnl_attr_get_payload_len(attr) < sizeof(*range) || range->start != range->end)
		return false;
	*port = range->start;
	return true;
}

/* Returns whether the attribute says no more than the struct can. */
static bool rule_attr_read(struct jvpn_rtnl_rule *rule, const struct nlattr *attr)
{
	uint32_t number = 0;
	uint8_t small = 0;

	switch (mnl_attr_get_type(attr)) {
	case FRA_DST:
		jvpn_rtnl_addr_read(&rule->to.addr, rule->family, attr);
		return true;
	case FRA_PRIORITY:
		jvpn_rtnl_u32_read(&rule->priority, attr);
		return true;
	case FRA_TABLE:
		jvpn_rtnl_u32_read(&rule->table, attr);
		return true;
	case FRA_FWMARK:
		jvpn_rtnl_u32_read(&rule->mark, attr);
		return true;
	case FRA_FWMASK:
		jvpn_rtnl_u32_read(&rule->mask, attr);
		return true;
	case FRA_SUPPRESS_PREFIXLEN:
		jvpn_rtnl_u32_read(&number, attr);
		rule->least = number + 1;	/* none is -1 */
		return true;
	case FRA_SUPPRESS_IFGROUP:
		jvpn_rtnl_u32_read(&number, attr);
		rule->owner = number == UINT32_MAX ? 0 : number;	/* none is -1 */
		return true;
	case FRA_PROTOCOL:
		return jvpn_rtnl_u8_read(&rule->protocol, attr);
	case FRA_IP_PROTO:
		return jvpn_rtnl_u8_read(&small, attr) && small == IPPROTO_UDP;
	case FRA_DPORT_RANGE:
		return port_read(&rule->port, attr);
	case FRA_PAD:
		return true;
	default:
		/* Newer kernels say more, about what is asked for in this way already. */
		return mnl_attr_get_type(attr) > FRA_DPORT_RANGE;
	}
}

bool jvpn_rtnl_rule_read(struct jvpn_rtnl_rule *rule, const struct nlmsghdr *message)
{
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	if (!jvpn_rtnl_message_holds(message, sizeof(*header)) ||
	    (header->family != AF_INET && header->family != AF_INET6))
		return false;
	*rule = (struct jvpn_rtnl_rule){ .family = header->family, .table = header->table,
					  .to.length = header->dst_len };
	mnl_attr_for_each(attr, message, sizeof(*header))
		if (!rule_attr_read(rule, attr))
			rule->foreign = true;
	if (header->action != FR_ACT_TO_TBL)
		rule->table = 0;
	if ((header->action != FR_ACT_TO_TBL && header->action != FR_ACT_UNREACHABLE) ||
	    header->src_len || header->tos || !rule->mark != !rule->mask || !rule->mark != !(header->flags & FIB_RULE_INVERT))
		rule->foreign = true;
	return true;
}

/* --- requests ------------------------------------------------------------- */

static int rtnl_route_change(struct jvpn_rtnl *rtnl, uint16_t type, uint16_t flags,
			     const struct jvpn_rtnl_route *route, struct jvpn_nl_error *error)
{
	struct nlmsghdr *message = jvpn_nl_sock_begin(rtnl->sock, type, flags);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->rtm_family = route->prefix.addr.family;
	header->rtm_dst_len = route->prefix.length;
	header->rtm_protocol = JVPN_RTNL_PROTOCOL;
	header->rtm_type = route->unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
	header->rtm_scope = route->gateway.family || route->unreachable ||
			    header->rtm_family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	mnl_attr_put_u32(message, RTA_TABLE, route->table ? route->table : RT_TABLE_MAIN);
	if (route->prefix.length)
		jvpn_rtnl_addr_put(message, RTA_DST, &route->prefix.addr);
	jvpn_rtnl_addr_put(message, RTA_GATEWAY, &route->gateway);
	jvpn_rtnl_addr_put(message, RTA_PREFSRC, &route->source);
	if (route->ifindex)
		mnl_attr_put_u32(message, RTA_OIF, route->ifindex);
	if (route->metric)
		mnl_attr_put_u32(message, RTA_PRIORITY, route->metric);
	return jvpn_rtnl_exchange(rtnl, NULL, NULL, error);
}

int jvpn_rtnl_route_add(struct jvpn_rtnl *rtnl, const struct jvpn_rtnl_route *route,
			struct jvpn_nl_error *error)
{
	return rtnl_route_change(rtnl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route, error);
}

int jvpn_rtnl_route_del(struct jvpn_rtnl *rtnl, const struct jvpn_rtnl_route *route,
			struct jvpn_nl_error *error)
{
	int result = rtnl_route_change(rtnl, RTM_DELROUTE, 0, route, error);

	return jvpn_rtnl_accept(result, -ESRCH, error);
}

static void rule_put_to(struct nlmsghdr *message, const struct jvpn_rtnl_rule *rule)
{
	const struct fib_rule_port_range port = { rule->port, rule->port };

	jvpn_rtnl_addr_put(message, FRA_DST, &rule->to.addr);
	if (!rule->port)
		return;
	mnl_attr_put_u8(message, FRA_IP_PROTO, IPPROTO_UDP);
	mnl_attr_put(message, FRA_DPORT_RANGE, sizeof(port), &port);
}

static int rtnl_rule_change(struct jvpn_rtnl *rtnl, uint16_t type, uint16_t flags,
			    const struct jvpn_rtnl_rule *rule, struct jvpn_nl_error *error)
{
	struct nlmsghdr *message = jvpn_nl_sock_begin(rtnl->sock, type, flags);
	struct fib_rule_hdr *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->family = rule->family;
	header->dst_len = rule->to.length;
	header->action = rule->table ? FR_ACT_TO_TBL : FR_ACT_UNREACHABLE;
	header->flags = rule->mark ? FIB_RULE_INVERT : 0;
	rule_put_to(message, rule);
	mnl_attr_put_u32(message, FRA_PRIORITY, rule->priority);
	if (rule->table)
		mnl_attr_put_u32(message, FRA_TABLE, rule->table);
	if (rule->mark) {
		mnl_attr_put_u32(message, FRA_FWMARK, rule->mark);
		mnl_attr_put_u32(message, FRA_FWMASK, rule->mask);
	}
	if (rule->least)
		mnl_attr_put_u32(message, FRA_SUPPRESS_PREFIXLEN, rule->least - 1);
	if (rule->owner)
		mnl_attr_put_u32(message, FRA_SUPPRESS_IFGROUP, rule->owner);
	mnl_attr_put_u8(message, FRA_PROTOCOL, JVPN_RTNL_PROTOCOL);
	return jvpn_rtnl_exchange(rtnl, NULL, NULL, error);
}

int jvpn_rtnl_rule_add(struct jvpn_rtnl *rtnl, const struct jvpn_rtnl_rule *rule,
		       struct jvpn_nl_error *error)
{
	int result = rtnl_rule_change(rtnl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule, error);

	return jvpn_rtnl_accept(result, -EEXIST, error);
}

int jvpn_rtnl_rule_del(struct jvpn_rtnl *rtnl, const struct jvpn_rtnl_rule *rule,
		       struct jvpn_nl_error *error)
{
	int result = rtnl_rule_change(rtnl, RTM_DELRULE, 0, rule, error);

	return jvpn_rtnl_accept(result, -ENOENT, error);
}

static void route_answer(void *context, const struct nlmsghdr *message)
{
	if (message->nlmsg_type == RTM_NEWROUTE)
		jvpn_rtnl_route_read(context, message);
}

int jvpn_rtnl_route_get(struct jvpn_rtnl *rtnl, const struct jvpn_addr *to, uint32_t ifindex,
			uint32_t mark, struct jvpn_rtnl_route *route,
			struct jvpn_nl_error *error)
{
	struct nlmsghdr *message = jvpn_nl_sock_begin(rtnl->sock, RTM_GETROUTE, 0);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	int result;

	header->rtm_family = to->family;
	header->rtm_dst_len = jvpn_addr_bits(to);
	/*
	 * The route as it stands in the table: without it the kernel takes any
	 * destination for on-link if an interface is named.
	 */
	header->rtm_flags = RTM_F_FIB_MATCH;
	jvpn_rtnl_addr_put(message, RTA_DST, to);
	if (ifindex)
		mnl_attr_put_u32(message, RTA_OIF, ifindex);
	if (mark)
		mnl_attr_put_u32(message, RTA_MARK, mark);
	*route = (struct jvpn_rtnl_route){};
	result = jvpn_rtnl_exchange(rtnl, route_answer, route, error);
	if (!result && (route->prefix.addr.family == AF_UNSPEC || route->unreachable))
		result = jvpn_nl_error_set(error, ENETUNREACH, "there is no unicast route");
	return result;
}

/* --- dumps ---------------------------------------------------------------- */

struct route_dump {
	jvpn_rtnl_route_visit visit;
	void *context;
};

static void dump_route(void *context, const struct nlmsghdr *message)
{
	const struct route_dump *dump = context;
	struct jvpn_rtnl_route route;

	if (message->nlmsg_type == RTM_NEWROUTE && jvpn_rtnl_route_read(&route, message))
		dump->visit(dump->context, &route);
}

int jvpn_rtnl_route_dump(struct jvpn_rtnl *rtnl, jvpn_rtnl_route_visit visit, void *context,
			 struct jvpn_nl_error *error)
{
	struct route_dump dump = { visit, context };
	struct jvpn_nl_exchange exchange = { .answer = dump_route, .context = &dump };
	struct nlmsghdr *message = jvpn_nl_sock_begin(rtnl->sock, RTM_GETROUTE, 0);

	mnl_nlmsg_put_extra_header(message, sizeof(struct rtmsg));
	return jvpn_nl_sock_dump(rtnl->sock, &exchange, error);
}

static int route_dump_family(struct jvpn_rtnl *rtnl, sa_family_t family,
			     const struct jvpn_rtnl_filter *filter,
			     const struct jvpn_nl_exchange *exchange, struct jvpn_nl_error *error)
{
	struct nlmsghdr *message = jvpn_nl_sock_begin(rtnl->sock, RTM_GETROUTE, 0);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	int result;

	header->rtm_family = family;
	header->rtm_protocol = filter->protocol;
	if (filter->ifindex)
		mnl_attr_put_u32(message, RTA_OIF, filter->ifindex);
	if (filter->table)
		mnl_attr_put_u32(message, RTA_TABLE, filter->table);
	result = jvpn_nl_sock_dump(rtnl->sock, exchange, error);
	/* A table that has never had a route. */
	return jvpn_rtnl_accept(result, -ENOENT, error);
}

int jvpn_rtnl_route_dump_of(struct jvpn_rtnl *rtnl, const struct jvpn_rtnl_filter *filter,
			    jvpn_rtnl_route_visit visit, void *context, struct jvpn_nl_error *error)
{
	struct route_dump dump = { visit, context };
	struct jvpn_nl_exchange exchange = { .answer = dump_route, .context = &dump };
	int v4 = route_dump_family(rtnl, AF_INET, filter, &exchange, error);
	int v6 = v4 < 0 ? v4 : route_dump_family(rtnl, AF_INET6, filter, &exchange, error);

	return v6 ? v6 : v4;
}

struct rule_dump {
	jvpn_rtnl_rule_visit visit;
	void *context;
};

static void dump_rule(void *context, const struct nlmsghdr *message)
{
	const struct rule_dump *dump = context;
	struct jvpn_rtnl_rule rule;

	if (message->nlmsg_type == RTM_NEWRULE && jvpn_rtnl_rule_read(&rule, message))
		dump->visit(dump->context, &rule);
}

int jvpn_rtnl_rule_dump(struct jvpn_rtnl *rtnl, jvpn_rtnl_rule_visit visit, void *context,
			struct jvpn_nl_error *error)
{
	struct rule_dump dump = { visit, context };
	struct jvpn_nl_exchange exchange = { .answer = dump_rule, .context = &dump };
	struct nlmsghdr *message = jvpn_nl_sock_begin(rtnl->sock, RTM_GETRULE, 0);

	mnl_nlmsg_put_extra_header(message, sizeof(struct fib_rule_hdr));
	return jvpn_nl_sock_dump(rtnl->sock, &exchange, error);
}
