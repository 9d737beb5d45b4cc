// SPDX-License-Identifier: GPL-2.0
#include "links.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rtnl-attr.h"

/* Where a kind of tunnel says, among what belongs to it alone, who is at the other end. */
static const struct links_kind {
	const char *name;
	uint16_t remote4, remote6, lower;	/* 0: none */
} links_kinds[] = {
	{ "vxlan", IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6, IFLA_VXLAN_LINK },
	{ "geneve", IFLA_GENEVE_REMOTE, IFLA_GENEVE_REMOTE6, 0 },
	{ "gre", IFLA_GRE_REMOTE, 0, IFLA_GRE_LINK },
	{ "gretap", IFLA_GRE_REMOTE, 0, IFLA_GRE_LINK },
	{ "erspan", IFLA_GRE_REMOTE, 0, IFLA_GRE_LINK },
	{ "ip6gre", 0, IFLA_GRE_REMOTE, IFLA_GRE_LINK },
	{ "ip6gretap", 0, IFLA_GRE_REMOTE, IFLA_GRE_LINK },
	{ "ip6erspan", 0, IFLA_GRE_REMOTE, IFLA_GRE_LINK },
	{ "ipip", IFLA_IPTUN_REMOTE, 0, IFLA_IPTUN_LINK },
	{ "sit", IFLA_IPTUN_REMOTE, 0, IFLA_IPTUN_LINK },
	{ "ip6tnl", 0, IFLA_IPTUN_REMOTE, IFLA_IPTUN_LINK },
	{ "vti", IFLA_VTI_REMOTE, 0, IFLA_VTI_LINK },
	{ "vti6", 0, IFLA_VTI_REMOTE, IFLA_VTI_LINK },
};

/* One element more, zeroed, of an array that grows; NULL without memory. */
static void *links_grow(struct jvpn_links *links, void **list, size_t *count, size_t *most,
			size_t size)
{
	size_t wanted = *most ? 2 * *most : 64;
	void *grown;

	if (*count == *most) {
		grown = reallocarray(*list, wanted, size);
		if (!grown) {
			links->torn = true;
			return NULL;
		}
		*list = grown;
		*most = wanted;
	}
	return memset((char *)*list + (*count)++ * size, 0, size);
}

/* Of a network of thousands of stations behind a few far ends, these. */
static bool links_far_known(const struct jvpn_links *links, uint32_t ifindex,
			    const struct jvpn_addr *addr)
{
	for (size_t i = links->n_far; i-- > 0;)
		if (links->far[i].ifindex == ifindex && jvpn_addr_equal(&links->far[i].addr, addr))
			return true;
	return false;
}

static void links_far_add(struct jvpn_links *links, uint32_t ifindex, sa_family_t family,
			  const struct nlattr *attr)
{
	static const uint8_t none[16];
	size_t size = family == AF_INET ? 4 : 16;
	struct jvpn_link_far *far;
	struct jvpn_addr addr = {};

	/* A tunnel to anybody has an address of zeros. */
	if (mnl_attr_get_payload_len(attr) != size ||
	    !memcmp(mnl_attr_get_payload(attr), none, size))
		return;
	addr.family = family;
	memcpy(addr.bytes, mnl_attr_get_payload(attr), size);
	if (links_far_known(links, ifindex, &addr))
		return;
	far = links_grow(links, (void **)&links->far, &links->n_far, &links->max_far,
			 sizeof(*far));
	if (far)
		*far = (struct jvpn_link_far){ ifindex, addr };
}

/* --- what the kernel says --------------------------------------------------------------- */

static const struct links_kind *links_kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(links_kinds) / sizeof(links_kinds[0]); i++)
		if (!strcmp(links_kinds[i].name, name))
			return &links_kinds[i];
	return NULL;
}

static void links_data_read(struct jvpn_links *links, struct jvpn_link *link,
			    const struct nlattr *data)
{
	const struct links_kind *kind = links_kind_find(link->kind);
	const struct nlattr *attr;

	if (!kind)
		return;
	mnl_attr_for_each_nested(attr, data) {
		uint16_t type = mnl_attr_get_type(attr);

		if (!type)
			continue;
		if (type == kind->remote4)
			links_far_add(links, link->ifindex, AF_INET, attr);
		else if (type == kind->remote6)
			links_far_add(links, link->ifindex, AF_INET6, attr);
		else if (type == kind->lower && !mnl_attr_validate(attr, MNL_TYPE_U32))
			link->lower = mnl_attr_get_u32(attr);
	}
}

static void links_info_read(struct jvpn_links *links, struct jvpn_link *link,
			    const struct nlattr *info)
{
	const struct nlattr *attr, *data = NULL;

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND &&
		    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			snprintf(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attr));
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (data)
		links_data_read(links, link, data);
}

static void links_attrs_read(struct jvpn_links *links, struct jvpn_link *link,
			     const struct nlmsghdr *message)
{
	uint32_t lower = 0;
	bool elsewhere = false;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct ifinfomsg)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			if (!mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
				snprintf(link->name, sizeof(link->name), "%s",
					 mnl_attr_get_str(attr));
			break;
		case IFLA_MASTER:
			jvpn_rtnl_u32_read(&link->master, attr);
			break;
		case IFLA_LINK:
			jvpn_rtnl_u32_read(&lower, attr);
			break;
		case IFLA_LINK_NETNSID:
			elsewhere = true;
			break;
		case IFLA_LINKINFO:
			links_info_read(links, link, attr);
			break;
		}
	}
	if (lower && !elsewhere)
		link->lower = lower;
}

static void links_link_note(void *context, const struct nlmsghdr *message)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct jvpn_links *links = context;
	struct jvpn_link *link;

	if (message->nlmsg_type != RTM_NEWLINK ||
	    message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*header))
		return;
	link = links_grow(links, (void **)&links->list, &links->n_list, &links->max_list,
			  sizeof(*link));
	if (!link)
		return;
	link->ifindex = (uint32_t)header->ifi_index;
	link->running = (header->ifi_flags & IFF_UP) && (header->ifi_flags & IFF_RUNNING);
	link->loopback = header->ifi_flags & IFF_LOOPBACK;
	links_attrs_read(links, link, message);
}

/* The far ends of a VXLAN that has learned them, or was told them one by one. */
static void links_neighbour_note(void *context, const struct nlmsghdr *message)
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	struct jvpn_links *links = context;
	const struct nlattr *attr;

	if (message->nlmsg_type != RTM_NEWNEIGH ||
	    message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*header))
		return;
	mnl_attr_for_each(attr, message, sizeof(*header)) {
		if (mnl_attr_get_type(attr) == NDA_DST)
			links_far_add(links, (uint32_t)header->ndm_ifindex,
				      mnl_attr_get_payload_len(attr) == 4 ? AF_INET : AF_INET6,
				      attr);
	}
}

static bool links_have_kind(const struct jvpn_links *links, const char *kind)
{
	for (size_t i = 0; i < links->n_list; i++)
		if (!strcmp(links->list[i].kind, kind))
			return true;
	return false;
}

int jvpn_links_read(struct jvpn_links *links, struct jvpn_nl_sock *sock,
		    struct jvpn_nl_error *error)
{
	struct jvpn_nl_exchange exchange = { .answer = links_link_note, .context = links };
	struct nlmsghdr *message;
	struct ndmsg *header;
	int rc;

	links->n_list = links->n_far = 0;
	links->torn = false;
	message = jvpn_nl_sock_begin(sock, RTM_GETLINK, 0);
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	rc = jvpn_nl_sock_dump(sock, &exchange, error);
	if (rc >= 0 && links_have_kind(links, "vxlan")) {
		exchange.answer = links_neighbour_note;
		message = jvpn_nl_sock_begin(sock, RTM_GETNEIGH, 0);
		header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
		header->ndm_family = AF_BRIDGE;
		rc = jvpn_nl_sock_dump(sock, &exchange, error);
	}
	if (rc >= 0 && links->torn)
		rc = jvpn_nl_error_set(error, ENOMEM, "no memory for a list of interfaces");
	return rc < 0 ? rc : 0;
}

void jvpn_links_free(struct jvpn_links *links)
{
	free(links->list);
	free(links->far);
	*links = (struct jvpn_links){};
}

/* --- questions ---------------------------------------------------------------------------- */

const struct jvpn_link *jvpn_links_by_name(const struct jvpn_links *links, const char *name)
{
	for (size_t i = 0; i < links->n_list; i++)
		if (!strcmp(links->list[i].name, name))
			return &links->list[i];
	return NULL;
}

const struct jvpn_link *jvpn_links_by_index(const struct jvpn_links *links, uint32_t ifindex)
{
	for (size_t i = 0; i < links->n_list; i++)
		if (links->list[i].ifindex == ifindex)
			return &links->list[i];
	return NULL;
}

struct links_walk {
	const struct jvpn_links *links;
	bool *seen;
	uint32_t *next;
	size_t n_next;
};

static void links_walk_add(struct links_walk *walk, uint32_t ifindex)
{
	const struct jvpn_link *link = ifindex ? jvpn_links_by_index(walk->links, ifindex) : NULL;
	size_t at = link ? (size_t)(link - walk->links->list) : 0;

	if (!link || walk->seen[at])
		return;
	walk->seen[at] = true;
	walk->next[walk->n_next++] = ifindex;
}

static void links_walk_below(struct links_walk *walk, const struct jvpn_link *link,
			     jvpn_links_way way, void *context)
{
	const struct jvpn_links *links = walk->links;

	links_walk_add(walk, link->lower);
	for (size_t i = 0; i < links->n_list; i++)
		if (links->list[i].master == link->ifindex)
			links_walk_add(walk, links->list[i].ifindex);
	for (size_t i = 0; i < links->n_far; i++)
		if (links->far[i].ifindex == link->ifindex)
			links_walk_add(walk, way(context, &links->far[i].addr, link->lower));
}

static bool links_walk_finds(struct links_walk *walk, uint32_t own, jvpn_links_way way,
			     void *context)
{
	while (walk->n_next) {
		uint32_t ifindex = walk->next[--walk->n_next];

		if (ifindex == own)
			return true;
		links_walk_below(walk, jvpn_links_by_index(walk->links, ifindex), way, context);
	}
	return false;
}

bool jvpn_links_lead_through(const struct jvpn_links *links, uint32_t ifindex, uint32_t own,
			     jvpn_links_way way, void *context)
{
	struct links_walk walk = { .links = links };
	bool found = ifindex == own;

	walk.seen = calloc(links->n_list + 1, sizeof(*walk.seen));
	walk.next = calloc(links->n_list + 1, sizeof(*walk.next));
	if (!found && walk.seen && walk.next) {
		links_walk_add(&walk, ifindex);
		found = links_walk_finds(&walk, own, way, context);
	}
	free(walk.seen);
	free(walk.next);
	return found;
}
