// SPDX-License-Identifier: GPL-2.0
#include "route-ask.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "rtnl-attr.h"

struct route_reply {
	struct jvpn_route_answer answer;
	unsigned char type;
};

static void attr_read(struct jvpn_route_answer *answer, sa_family_t family,
		      const struct nlattr *attr)
{
	switch (mnl_attr_get_type(attr)) {
	case RTA_OIF:
		jvpn_rtnl_u32_read(&answer->ifindex, attr);
		break;
	case RTA_PRIORITY:
		jvpn_rtnl_u32_read(&answer->metric, attr);
		break;
	case RTA_PREFSRC:
		jvpn_rtnl_addr_read(&answer->source, family, attr);
		break;
	case RTA_GATEWAY:
		jvpn_rtnl_addr_read(&answer->gateway, family, attr);
		break;
	case RTA_VIA:
		jvpn_rtnl_via_read(&answer->gateway, attr);
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
	jvpn_rtnl_addr_put(message, RTA_DST, &question->to);
	if (question->source.family != AF_UNSPEC) {
		header->rtm_src_len = (unsigned char)jvpn_addr_bits(&question->source);
		jvpn_rtnl_addr_put(message, RTA_SRC, &question->source);
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
