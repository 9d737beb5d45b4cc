// SPDX-License-Identifier: GPL-2.0
#include "outer.h"

#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "jvpnd.h"
#include "log.h"

int outer_open(struct outer *outer, const struct jvpnd *d, char *error, size_t error_size)
{
	struct jvpn_nl_error e = {};

	outer->d = d;
	outer->sock = jvpn_nl_sock_open(NETLINK_ROUTE, &e);
	if (outer->sock)
		return 0;
	snprintf(error, error_size, "cannot ask for routes: %s", e.text);
	return -e.code;
}

void outer_close(struct outer *outer)
{
	jvpn_links_free(&outer->links);
	if (outer->sock)
		jvpn_nl_sock_close(outer->sock);
	outer->sock = NULL;
}

bool outer_look(struct outer *outer)
{
	static struct jvpn_log_limit limit = { .burst = 3 };
	struct jvpn_nl_error e = {};

	if (!jvpn_links_read(&outer->links, outer->sock, &e))
		return true;
	jvpn_log_limited(&limit, JVPN_LOG_WARNING, "cannot read the system's interfaces: %s",
			 e.text);
	return false;
}

/* Other tunnels' packets have no mark of ours. */
static uint32_t outer_way(void *context, const struct jvpn_addr *to, uint32_t lower)
{
	const struct jvpn_route_question question = { .to = *to, .ifindex = lower };
	const struct outer *outer = context;
	struct jvpn_route_answer answer;

	return jvpn_route_ask(outer->sock, &question, &answer, NULL) ? 0 : answer.ifindex;
}

bool outer_is_inner(const struct outer *outer, uint32_t ifindex)
{
	return jvpn_links_lead_through(&outer->links, ifindex, outer->d->ifindex, outer_way,
				       (void *)outer);
}

int outer_reach(const struct outer *outer, const struct jvpn_addr *to, uint32_t ifindex,
		struct jvpn_route_answer *answer)
{
	const struct jvpn_route_question question = {
		.to = *to, .ifindex = ifindex, .mark = outer->d->config->device.fwmark,
	};

	return jvpn_route_ask(outer->sock, &question, answer, NULL);
}

bool outer_is_eligible(const struct jvpn_link *link)
{
	return link->running && !link->loopback && strcmp(link->kind, "jvpn");
}
