// SPDX-License-Identifier: GPL-2.0
#include "rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rtnl-attr.h"
#include "rtnl-message.h"

struct jvpn_rtnl_monitor {
	struct jvpn_nl_sock *sock;
	jvpn_rtnl_event_visit visit;	/* during jvpn_rtnl_monitor_read() */
	void *context;
};

/* --- attributes ----------------------------------------------------------- */

static void text_read(char *text, size_t size, const struct nlattr *attr)
{
	if (!mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		snprintf(text, size, "%s", mnl_attr_get_str(attr));
}

/* --- messages as structs -------------------------------------------------- */

static void link_info_read(struct jvpn_rtnl_link *link, const struct nlattr *info)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			text_read(link->kind, sizeof(link->kind), attr);
	}
}

static bool link_read(struct jvpn_rtnl_link *link, const struct nlmsghdr *message)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	/* Bridges and the like announce ports by messages of another family. */
	if (!jvpn_rtnl_message_holds(message, sizeof(*header)) || header->ifi_family != AF_UNSPEC)
		return false;
	*link = (struct jvpn_rtnl_link){
		.ifindex = header->ifi_index,
		.up = header->ifi_flags & IFF_UP,
		.running = (header->ifi_flags & IFF_UP) && (header->ifi_flags & IFF_RUNNING),
		.loopback = header->ifi_flags & IFF_LOOPBACK,
		.bare = header->ifi_flags & (IFF_NOARP | IFF_POINTOPOINT),
	};
	mnl_attr_for_each(attr, message, sizeof(*header)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			text_read(link->name, sizeof(link->name), attr);
			break;
		case IFLA_MTU:
			jvpn_rtnl_u32_read(&link->mtu, attr);
			break;
		case IFLA_LINKINFO:
			link_info_read(link, attr);
			break;
		}
	}
	return true;
}

static bool address_read(struct jvpn_rtnl_addr *addr, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct jvpn_addr address = {}, local = {};
	const struct nlattr *attr;
	uint8_t protocol = 0;
	uint32_t flags;

	if (!jvpn_rtnl_message_holds(message, sizeof(*header)) ||
	    (header->ifa_family != AF_INET && header->ifa_family != AF_INET6))
		return false;
	flags = header->ifa_flags;
	mnl_attr_for_each(attr, message, sizeof(*header)) {
		switch (mnl_attr_get_type(attr)) {
		case IFA_ADDRESS:
			jvpn_rtnl_addr_read(&address, header->ifa_family, attr);
			break;
		case IFA_LOCAL:
			jvpn_rtnl_addr_read(&local, header->ifa_family, attr);
			break;
		case IFA_FLAGS:
			jvpn_rtnl_u32_read(&flags, attr);
			break;
		case IFA_PROTO:
			jvpn_rtnl_u8_read(&protocol, attr);
			break;
		}
	}
	/* On point-to-point links IFA_ADDRESS is the other end. */
	*addr = (struct jvpn_rtnl_addr){
		.ifindex = header->ifa_index,
		.prefix = { local.family ? local : address, header->ifa_prefixlen },
		.usable = !(flags & (IFA_F_TENTATIVE | IFA_F_DEPRECATED | IFA_F_DADFAILED)),
		.link_local = header->ifa_scope == RT_SCOPE_LINK,
		.protocol = protocol,
	};
	return addr->prefix.addr.family != AF_UNSPEC;
}

/* --- requests ------------------------------------------------------------- */

struct jvpn_rtnl *jvpn_rtnl_open(struct jvpn_nl_error *error)
{
	struct jvpn_rtnl *rtnl = calloc(1, sizeof(*rtnl));

	if (!rtnl) {
		jvpn_nl_error_set(error, ENOMEM, "no memory for a netlink socket");
		return NULL;
	}
	rtnl->sock = jvpn_nl_sock_open(NETLINK_ROUTE, error);
	if (rtnl->sock)
		return rtnl;
	free(rtnl);
	return NULL;
}

void jvpn_rtnl_close(struct jvpn_rtnl *rtnl)
{
	if (!rtnl)
		return;
	jvpn_nl_sock_close(rtnl->sock);
	free(rtnl);
}

int jvpn_rtnl_exchange(struct jvpn_rtnl *rtnl,
			 void (*answer)(void *context, const struct nlmsghdr *message),
			 void *context, struct jvpn_nl_error *error)
{
	struct jvpn_nl_exchange exchange = { .answer = answer, .context = context };

	return jvpn_nl_sock_exchange(rtnl->sock, &exchange, error);
}

/* An answer that is what the caller wants to be true already. */
int jvpn_rtnl_accept(int result, int fine, struct jvpn_nl_error *error)
{
	if (result != fine)
		return result;
	if (error)
		*error = (struct jvpn_nl_error){};
	return 0;
}

static struct nlmsghdr *link_begin(struct jvpn_rtnl *rtnl, uint16_t type, uint16_t flags,
				   const struct ifinfomsg *header)
{
	struct nlmsghdr *message = jvpn_nl_sock_begin(rtnl->sock, type, flags);

	memcpy(mnl_nlmsg_put_extra_header(message, sizeof(*header)), header, sizeof(*header));
	return message;
}

int jvpn_rtnl_link_new(struct jvpn_rtnl *rtnl, const char *name, const char *kind, uint32_t mtu,
		       struct jvpn_nl_error *error)
{
	struct ifinfomsg header = {};
	struct nlmsghdr *message = link_begin(rtnl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					      &header);
	struct nlattr *info;

	if (strlen(name) >= IFNAMSIZ || strlen(kind) >= JVPN_RTNL_KIND)
		return jvpn_nl_error_set(error, EINVAL,
					 "interface name \"%.32s\" is longer than %d octets", name,
					 IFNAMSIZ - 1);
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	if (mtu)
		mnl_attr_put_u32(message, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(message, info);
	return jvpn_rtnl_exchange(rtnl, NULL, NULL, error);
}

static void link_answer(void *context, const struct nlmsghdr *message)
{
	if (message->nlmsg_type == RTM_NEWLINK)
		link_read(context, message);
}

int jvpn_rtnl_link_get(struct jvpn_rtnl *rtnl, const char *name, struct jvpn_rtnl_link *link,
		       struct jvpn_nl_error *error)
{
	struct ifinfomsg header = {};
	struct nlmsghdr *message = link_begin(rtnl, RTM_GETLINK, 0, &header);
	int result;

	*link = (struct jvpn_rtnl_link){};
	if (strlen(name) >= IFNAMSIZ)
		return jvpn_nl_error_set(error, ENODEV, "there is no interface \"%.32s\"", name);
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	result = jvpn_rtnl_exchange(rtnl, link_answer, link, error);
	if (!result && !link->ifindex)
		result = jvpn_nl_error_set(error, ENODEV, "there is no interface \"%s\"", name);
	return result;
}

int jvpn_rtnl_link_set_mtu(struct jvpn_rtnl *rtnl, uint32_t ifindex, uint32_t mtu,
			   struct jvpn_nl_error *error)
{
	struct ifinfomsg header = { .ifi_index = ifindex };
	struct nlmsghdr *message = link_begin(rtnl, RTM_NEWLINK, 0, &header);

	mnl_attr_put_u32(message, IFLA_MTU, mtu);
	return jvpn_rtnl_exchange(rtnl, NULL, NULL, error);
}

int jvpn_rtnl_link_set_up(struct jvpn_rtnl *rtnl, uint32_t ifindex, bool up,
			  struct jvpn_nl_error *error)
{
	struct ifinfomsg header = {
		.ifi_index = ifindex, .ifi_change = IFF_UP, .ifi_flags = up ? IFF_UP : 0,
	};

	link_begin(rtnl, RTM_NEWLINK, 0, &header);
	return jvpn_rtnl_exchange(rtnl, NULL, NULL, error);
}

int jvpn_rtnl_link_del(struct jvpn_rtnl *rtnl, uint32_t ifindex, struct jvpn_nl_error *error)
{
	struct ifinfomsg header = { .ifi_index = ifindex };

	link_begin(rtnl, RTM_DELLINK, 0, &header);
	return jvpn_rtnl_exchange(rtnl, NULL, NULL, error);
}

static int rtnl_address_change(struct jvpn_rtnl *rtnl, uint16_t type, uint16_t flags,
			       uint32_t ifindex, const struct jvpn_prefix *address,
			       struct jvpn_nl_error *error)
{
	struct nlmsghdr *message = jvpn_nl_sock_begin(rtnl->sock, type, flags);
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->ifa_family = address->addr.family;
	header->ifa_prefixlen = address->length;
	header->ifa_index = ifindex;
	/* There is nobody on the link to ask whether it is a duplicate. */
	header->ifa_flags = address->addr.family == AF_INET6 ? IFA_F_NODAD : 0;
	jvpn_rtnl_addr_put(message, IFA_LOCAL, &address->addr);
	jvpn_rtnl_addr_put(message, IFA_ADDRESS, &address->addr);
	mnl_attr_put_u8(message, IFA_PROTO, JVPN_RTNL_PROTOCOL);
	return jvpn_rtnl_exchange(rtnl, NULL, NULL, error);
}

int jvpn_rtnl_addr_add(struct jvpn_rtnl *rtnl, uint32_t ifindex,
		       const struct jvpn_prefix *address, struct jvpn_nl_error *error)
{
	int result = rtnl_address_change(rtnl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex,
					 address, error);

	return jvpn_rtnl_accept(result, -EEXIST, error);
}

int jvpn_rtnl_addr_del(struct jvpn_rtnl *rtnl, uint32_t ifindex,
		       const struct jvpn_prefix *address, struct jvpn_nl_error *error)
{
	int result = rtnl_address_change(rtnl, RTM_DELADDR, 0, ifindex, address, error);

	return jvpn_rtnl_accept(result, -EADDRNOTAVAIL, error);
}

/* --- dumps ---------------------------------------------------------------- */

struct rtnl_dump {
	union {
		jvpn_rtnl_link_visit link;
		jvpn_rtnl_addr_visit addr;
	} visit;
	void *context;
};

static void dump_link(void *context, const struct nlmsghdr *message)
{
	const struct rtnl_dump *dump = context;
	struct jvpn_rtnl_link link;

	if (message->nlmsg_type == RTM_NEWLINK && link_read(&link, message))
		dump->visit.link(dump->context, &link);
}

static void dump_addr(void *context, const struct nlmsghdr *message)
{
	const struct rtnl_dump *dump = context;
	struct jvpn_rtnl_addr addr;

	if (message->nlmsg_type == RTM_NEWADDR && address_read(&addr, message))
		dump->visit.addr(dump->context, &addr);
}

int jvpn_rtnl_link_dump(struct jvpn_rtnl *rtnl, jvpn_rtnl_link_visit visit, void *context,
			struct jvpn_nl_error *error)
{
	struct rtnl_dump dump = { .visit.link = visit, .context = context };
	struct jvpn_nl_exchange exchange = { .answer = dump_link, .context = &dump };
	struct ifinfomsg header = {};

	link_begin(rtnl, RTM_GETLINK, 0, &header);
	return jvpn_nl_sock_dump(rtnl->sock, &exchange, error);
}

int jvpn_rtnl_addr_dump(struct jvpn_rtnl *rtnl, jvpn_rtnl_addr_visit visit, void *context,
			struct jvpn_nl_error *error)
{
	struct rtnl_dump dump = { .visit.addr = visit, .context = context };
	struct jvpn_nl_exchange exchange = { .answer = dump_addr, .context = &dump };
	struct nlmsghdr *message = jvpn_nl_sock_begin(rtnl->sock, RTM_GETADDR, 0);

	mnl_nlmsg_put_extra_header(message, sizeof(struct ifaddrmsg));
	return jvpn_nl_sock_dump(rtnl->sock, &exchange, error);
}

/* --- changes -------------------------------------------------------------- */

static bool event_read(struct jvpn_rtnl_event *event, const struct nlmsghdr *message)
{
	*event = (struct jvpn_rtnl_event){};
	switch (message->nlmsg_type) {
	case RTM_DELLINK:
		event->removed = true;
		/* fallthrough */
	case RTM_NEWLINK:
		event->kind = JVPN_RTNL_EVENT_LINK;
		return link_read(&event->link, message);
	case RTM_DELADDR:
		event->removed = true;
		/* fallthrough */
	case RTM_NEWADDR:
		event->kind = JVPN_RTNL_EVENT_ADDR;
		return address_read(&event->addr, message);
	case RTM_DELROUTE:
		event->removed = true;
		/* fallthrough */
	case RTM_NEWROUTE:
		event->kind = JVPN_RTNL_EVENT_ROUTE;
		return jvpn_rtnl_route_read(&event->route, message);
	case RTM_DELRULE:
		event->removed = true;
		/* fallthrough */
	case RTM_NEWRULE:
		event->kind = JVPN_RTNL_EVENT_RULE;
		return jvpn_rtnl_rule_read(&event->rule, message);
	default:
		return false;
	}
}

static const uint32_t monitor_groups[] = {
	RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
	RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
};

struct jvpn_rtnl_monitor *jvpn_rtnl_monitor_open(struct jvpn_nl_error *error)
{
	struct jvpn_rtnl_monitor *monitor = calloc(1, sizeof(*monitor));
	int result = 0;

	if (!monitor) {
		jvpn_nl_error_set(error, ENOMEM, "no memory for a netlink socket");
		return NULL;
	}
	monitor->sock = jvpn_nl_sock_open(NETLINK_ROUTE, error);
	if (!monitor->sock)
		goto fail;
	jvpn_nl_sock_listen(monitor->sock);
	for (size_t i = 0; i < MNL_ARRAY_SIZE(monitor_groups) && !result; i++)
		result = jvpn_nl_sock_join(monitor->sock, monitor_groups[i], error);
	if (!result)
		return monitor;
fail:
	jvpn_rtnl_monitor_close(monitor);
	return NULL;
}

void jvpn_rtnl_monitor_close(struct jvpn_rtnl_monitor *monitor)
{
	if (!monitor)
		return;
	jvpn_nl_sock_close(monitor->sock);
	free(monitor);
}

int jvpn_rtnl_monitor_fd(const struct jvpn_rtnl_monitor *monitor)
{
	return jvpn_nl_sock_fd(monitor->sock);
}

static unsigned int monitor_batch(struct jvpn_rtnl_monitor *monitor, size_t octets)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)monitor->sock->receive;
	struct jvpn_rtnl_event event;
	unsigned int count = 0;
	int left = octets;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (event_read(&event, message))
			monitor->visit(monitor->context, &event);
		count++;
	}
	return count;
}

unsigned int jvpn_rtnl_monitor_read(struct jvpn_rtnl_monitor *monitor,
				    jvpn_rtnl_event_visit visit, void *context,
				    unsigned int budget)
{
	const struct jvpn_rtnl_event lost = { .kind = JVPN_RTNL_EVENT_LOST };
	unsigned int count = 0;

	monitor->visit = visit;
	monitor->context = context;
	while (count < budget) {
		ssize_t got = jvpn_nl_sock_receive(monitor->sock);

		if (!got)
			break;
		if (got > 0) {
			count += monitor_batch(monitor, got);
		} else {
			visit(context, &lost);
			count++;
		}
	}
	return count;
}
