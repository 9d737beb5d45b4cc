// SPDX-License-Identifier: GPL-2.0
#include "route-ask.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

struct route_reply {
	struct jvpn_route_answer answer;
	unsigned char type;
};

static size_t addr_size(sa_family_t family)
{
	return family == AF_INET ? 4 : 16;
}

static void addr_put(struct nlmsghdr *message, uint16_t type, const struct jvpn_addr *addr)
{
	if (addr->family != AF_UNSPEC)
		mnl_attr_put(message, type, addr_size(addr->family), addr->bytes);
}

static void addr_read(struct jvpn_addr *addr, sa_family_t family, const struct nlattr *attr)
{
	if (mnl_attr_get_payload_len(attr) != addr_size(family))
		return;
	*addr = (struct jvpn_addr){ .family = family };
	memcpy(addr->bytes, mnl_attr_get_payload(attr), addr_size(family));
}

/* A next hop of another family than the destination. */
static void via_read(struct jvpn_addr *addr, const struct nlattr *attr)
{
	const struct rtvia *via = mnl_attr_get_payload(attr);
	size_t size = mnl_attr_get_payload_len(attr);

	if (size < sizeof(*via) ||
	    (via->rtvia_family != AF_INET && via->rtvia_family != AF_INET6) ||
	    size - sizeof(*via) != addr_size(via->rtvia_family))
		return;
	*addr = (struct jvpn_addr){ .family = via->rtvia_family };
	memcpy(addr->bytes, via->rtvia_addr, addr_size(via->rtvia_family));
}

static void attr_read(struct jvpn_route_answer *answer, sa_family_t family,
		      const struct nlattr *attr)
{
	switch (mnl_attr_get_type(attr)) {
	case RTA_OIF:
		if (!mnl_attr_validate(attr, MNL_TYPE_U32))
			answer->ifindex = mnl_attr_get_u32(attr);
		break;
	case RTA_PRIORITY:
		if (!mnl_attr_validate(attr, MNL_TYPE_U32))
			answer->metric = mnl_attr_get_u32(attr);
		break;
	case RTA_PREFSRC:
		addr_read(&answer->source, family, attr);
		break;
	case RTA_GATEWAY:
		addr_read(&answer->gateway, family, attr);
		break;
	case RTA_VIA:
		via_read(&answer->gateway, attr);
		break;
	}
}

static void reply_read(void *context, const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct route_reply *reply = context;
	const struct nlattr *attr;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*header))
		return;
	reply->type = header->rtm_type;
	mnl_attr_for_each(attr, message, sizeof(*header))
		attr_read(&reply->answer, header->rtm_family, attr);
}

static int route_request(struct jvpn_nl_sock *sock, const struct jvpn_route_question *question,
			 unsigned int flags, struct route_reply *reply,
			 struct jvpn_nl_error *error)
{
	struct nlmsghdr *message = jvpn_nl_sock_begin(sock, RTM_GETROUTE, 0);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	struct jvpn_nl_exchange exchange = { .answer = reply_read, .context = reply };
	int result;

	*reply = (struct route_reply){};
	header->rtm_family = question->to.family;
	header->rtm_dst_len = (unsigned char)jvpn_addr_bits(&question->to);
	header->rtm_flags = flags;
	addr_put(message, RTA_DST, &question->to);
	if (question->source.family != AF_UNSPEC) {
		header->rtm_src_len = (unsigned char)jvpn_addr_bits(&question->source);
		addr_put(message, RTA_SRC, &question->source);
	}
	if (question->ifindex)
		mnl_attr_put_u32(message, RTA_OIF, question->ifindex);
	if (question->mark)
		mnl_attr_put_u32(message, RTA_MARK, question->mark);
	result = jvpn_nl_sock_exchange(sock, &exchange, error);
	if (!result && reply->type != RTN_UNICAST)
		result = jvpn_nl_error_set(error, ENETUNREACH, "there is no unicast route");
	return result;
}

int jvpn_route_ask(struct jvpn_nl_sock *sock, const struct jvpn_route_question *question,
		   struct jvpn_route_answer *answer, struct jvpn_nl_error *error)
{
	struct route_reply reply;
	uint32_t metric;
	int result;

	/*
	 * First as it stands in the table: where an interface is named, IPv4 takes any destination
	 * without a route for one that is on the link.
	 */
	result = route_request(sock, question, RTM_F_FIB_MATCH, &reply, error);
	metric = reply.answer.metric;
	if (!result)
		result = route_request(sock, question, 0, &reply, error);
	if (result)
		return result;
	if (question->ifindex && reply.answer.ifindex != question->ifindex)
		return jvpn_nl_error_set(error, ENETUNREACH, "the route leads elsewhere");
	*answer = reply.answer;
	answer->metric = metric;
	if (answer->source.family == AF_UNSPEC)
		answer->source = question->source;
	if (answer->source.family == AF_UNSPEC)
		return jvpn_nl_error_set(error, EADDRNOTAVAIL, "there is no address to send from");
	return 0;
}
