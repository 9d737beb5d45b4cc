/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_RTNL_MESSAGE_H
#define JVPN_RTNL_MESSAGE_H

/* What the pieces of rtnl.h share; nobody else needs it. */

#include "rtnl.h"

struct jvpn_rtnl {
	struct jvpn_nl_sock *sock;
};

/* false: it is none that the struct can be filled from. */
bool jvpn_rtnl_route_read(struct jvpn_rtnl_route *route, const struct nlmsghdr *message);
bool jvpn_rtnl_rule_read(struct jvpn_rtnl_rule *rule, const struct nlmsghdr *message);

int jvpn_rtnl_exchange(struct jvpn_rtnl *rtnl,
		       void (*answer)(void *context, const struct nlmsghdr *message),
		       void *context, struct jvpn_nl_error *error);
/* 0 for fine: an answer that is what the caller wants to be true already. */
int jvpn_rtnl_accept(int result, int fine, struct jvpn_nl_error *error);

static inline bool jvpn_rtnl_message_holds(const struct nlmsghdr *message, size_t header)
{
	return message->nlmsg_len >= MNL_NLMSG_HDRLEN + header;
}

#endif
