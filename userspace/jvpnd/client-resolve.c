// SPDX-License-Identifier: GPL-2.0
/*
 * The gateway's names. They are asked for when the net is bad: over every interface that could lead
 * to the gateway, all at once, and never through the tunnel whose other end they name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client.h"
#include "log.h"
#include "names.h"
#include "outer.h"
#include "system.h"

#define RESOLV_CONF "/etc/resolv.conf"
/* Of systemd-resolved: who it asks itself. */
#define RESOLVED_CONF "/run/systemd/resolve/resolv.conf"
#define WAYS_MAX 12

/**
 * struct resolve_name - a host among the endpoints
 * @endpoint: the first of its endpoints
 * @names: lookup that is under way, or NULL
 * @by_file: /etc/hosts has it: nobody else is asked
 * @known: by family, whether somebody could say
 * @why: of the last failure, a literal
 */
struct resolve_name {
	struct client_resolve *resolve;
	size_t endpoint;
	struct names *names;
	bool by_file;
	bool known[2];
	const char *why;
};

/**
 * struct client_resolve - a walk over the endpoints of a gateway
 * @pending: names that are being asked for
 * @n_servers: @servers is what was asked
 */
struct client_resolve {
	struct client *c;
	size_t gateway;
	size_t pending;
	size_t n_remotes;
	struct remote remotes[CLIENT_REMOTES_MAX];
	size_t n_servers;
	struct names_server servers[NAMES_SERVERS_MAX];
	size_t n_names;
	struct resolve_name list[];
};

static const struct jvpn_endpoint *resolve_endpoint(const struct client *c, size_t number)
{
	return &client_gateway(c)->endpoints[number];
}

/* --- ways to ask --------------------------------------------------------------------------- */

static void servers_add(struct client_resolve *r, const struct names_server *server)
{
	for (size_t i = 0; i < r->n_servers; i++)
		if (jvpn_addr_equal(&r->servers[i].addr, &server->addr) &&
		    !strcmp(r->servers[i].interface, server->interface))
			return;
	if (r->n_servers < NAMES_SERVERS_MAX)
		r->servers[r->n_servers++] = *server;
}

static void servers_add_file(struct client_resolve *r, const char *path)
{
	struct names_server list[NAMES_SERVERS_MAX];
	size_t count = names_servers_read(path, list, NAMES_SERVERS_MAX);

	for (size_t i = 0; i < count; i++)
		servers_add(r, &list[i]);
}

static bool servers_any_local(const struct client_resolve *r)
{
	for (size_t i = 0; i < r->n_servers; i++)
		if (names_server_is_local(&r->servers[i]))
			return true;
	return false;
}

/*
 * A stub on this machine asks by ways of its own, which may lead into the tunnel: so those whom it
 * asks are asked, too. And so are those who answered last, for a file that names somebody inside of
 * the tunnel alone is of no use when it is gone.
 */
static void servers_find(struct client_resolve *r)
{
	const struct names_server usual = { .addr = { AF_INET, { 127, 0, 0, 1 } } };

	servers_add_file(r, RESOLV_CONF);
	if (!r->n_servers)
		servers_add(r, &usual);
	if (servers_any_local(r))
		servers_add_file(r, RESOLVED_CONF);
	for (size_t i = 0; i < r->c->n_name_servers; i++)
		servers_add(r, &r->c->name_servers[i]);
}

struct ways {
	const struct client_resolve *r;
	const struct outer *outer;
	struct names_way list[WAYS_MAX];
	size_t count;
};

static struct names_way *ways_begin(struct ways *ways, const char *interface, uint32_t mark)
{
	struct names_way *way = &ways->list[ways->count];

	*way = (struct names_way){ .mark = mark };
	snprintf(way->interface, sizeof(way->interface), "%s", interface);
	return way;
}

static void ways_add_server(struct names_way *way, const struct names_server *server)
{
	way->servers[way->n_servers++] = server->addr;
}

static void ways_end(struct ways *ways, const struct names_way *way)
{
	ways->count += way->n_servers > 0;
}

static bool ways_have(const struct ways *ways, const char *interface)
{
	for (size_t i = 0; i < ways->count; i++)
		if (!strcmp(ways->list[i].interface, interface))
			return true;
	return false;
}

static void ways_add_local(struct ways *ways)
{
	struct names_way *way = ways_begin(ways, "", 0);

	for (size_t i = 0; i < ways->r->n_servers; i++)
		if (names_server_is_local(&ways->r->servers[i]))
			ways_add_server(way, &ways->r->servers[i]);
	ways_end(ways, way);
}

static bool ways_server_fits(const struct ways *ways, const struct names_server *server,
			     const struct jvpn_link *link)
{
	struct jvpn_route_answer answer;

	return !names_server_is_local(server) &&
	       (!*server->interface || !strcmp(server->interface, link->name)) &&
	       !outer_reach(ways->outer, &server->addr, link->ifindex, &answer);
}

static void ways_add_link(struct ways *ways, const struct jvpn_link *link)
{
	struct names_way *way = ways_begin(ways, link->name, ways->outer->d->config->device.fwmark);

	/* The last place is for what is not reached over transports. */
	if (!link->running || ways->count >= WAYS_MAX - 1 || ways_have(ways, link->name))
		return;
	for (size_t i = 0; i < ways->r->n_servers; i++)
		if (ways_server_fits(ways, &ways->r->servers[i], link))
			ways_add_server(way, &ways->r->servers[i]);
	if (way->n_servers && !outer_is_inner(ways->outer, link->ifindex))
		ways_end(ways, way);
}

/* By another interface than the transports': in the network at home, while the modem is one. */
static bool ways_is_other(const struct ways *ways, const struct names_server *server)
{
	struct jvpn_route_answer answer;
	const struct jvpn_link *link;

	if (names_server_is_local(server) || *server->interface ||
	    outer_reach(ways->outer, &server->addr, 0, &answer))
		return false;
	link = jvpn_links_by_index(&ways->outer->links, answer.ifindex);
	return link && !ways_have(ways, link->name) &&
	       !outer_is_inner(ways->outer, link->ifindex);
}

static void ways_add_others(struct ways *ways)
{
	struct names_way *way = ways_begin(ways, "", ways->outer->d->config->device.fwmark);

	for (size_t i = 0; i < ways->r->n_servers; i++)
		if (ways_is_other(ways, &ways->r->servers[i]))
			ways_add_server(way, &ways->r->servers[i]);
	ways_end(ways, way);
}

static void ways_add_links(struct ways *ways, struct client *c)
{
	const struct jvpn_links *links = &ways->outer->links;
	const struct jvpn_link *link;
	struct candidate *cand;

	TAILQ_FOREACH(cand, candidates_list(c), link) {
		link = jvpn_links_by_name(links, cand->interface);
		if (link)
			ways_add_link(ways, link);
	}
	for (size_t i = 0; c->d->config->client.transports_auto && i < links->n_list; i++)
		if (outer_is_eligible(&links->list[i]))
			ways_add_link(ways, &links->list[i]);
}

static void ways_find(struct ways *ways, const struct client_resolve *r)
{
	*ways = (struct ways){ .r = r, .outer = candidates_outer(r->c) };
	ways->list[ways->count++] = (struct names_way){ .files = true };
	ways_add_local(ways);
	ways_add_links(ways, r->c);
	ways_add_others(ways);
}

/* --- what is known then -------------------------------------------------------------------- */

static void resolve_tell(struct client *c, bool changed)
{
	client_handshake_resolved(c);
	if (changed && c->session)
		client_move_candidates_changed(c);
	client_settle(c);
}

static void resolve_install(struct client *c, const struct remote *list, size_t count)
{
	bool changed = !remotes_equal(c->remotes, c->n_remotes, list, count);

	memcpy(c->remotes, list, count * sizeof(*list));
	c->n_remotes = count;
	client_remotes_prefer(c);
	if (changed) {
		candidates_refresh(c);
		system_follow(c->d);
	}
	resolve_tell(c, changed);
}

/* New ones are of use before all is known. */
static void resolve_show(struct client *c, const struct remote *list, size_t count)
{
	struct remote all[CLIENT_REMOTES_MAX];
	size_t n_all = c->n_remotes;
	bool more = false;

	memcpy(all, c->remotes, n_all * sizeof(all[0]));
	for (size_t i = 0; i < count; i++)
		more |= remotes_add(all, &n_all, &list[i]);
	if (more)
		resolve_install(c, all, n_all);
}

static void resolve_add(struct client_resolve *r, size_t endpoint, const struct jvpn_addr *addr)
{
	const struct remote remote = { *addr, resolve_endpoint(r->c, endpoint)->port,
				       (uint8_t)endpoint };

	remotes_add(r->remotes, &r->n_remotes, &remote);
}

/* A host may be there with several ports. */
static void resolve_name_add(struct resolve_name *name, const struct jvpn_addr *addr)
{
	const struct client *c = name->resolve->c;
	const char *host = resolve_endpoint(c, name->endpoint)->host;

	for (size_t i = name->endpoint; i < client_gateway(c)->n_endpoints; i++)
		if (!strcasecmp(resolve_endpoint(c, i)->host, host))
			resolve_add(name->resolve, i, addr);
}

static const struct resolve_name *resolve_name_of(const struct client_resolve *r, size_t endpoint)
{
	for (size_t i = 0; i < r->n_names; i++)
		if (!strcasecmp(resolve_endpoint(r->c, r->list[i].endpoint)->host,
				resolve_endpoint(r->c, endpoint)->host))
			return &r->list[i];
	return NULL;
}

/* What nobody could say anything about stays as it was: names are asked for when the net is bad. */
static void resolve_keep(struct client_resolve *r)
{
	for (size_t i = 0; i < r->c->n_remotes; i++) {
		const struct remote *old = &r->c->remotes[i];
		const struct resolve_name *name = resolve_name_of(r, old->endpoint);

		if (name && !name->known[old->addr.family == AF_INET6])
			remotes_add(r->remotes, &r->n_remotes, old);
	}
}

static void resolve_name_told(const struct resolve_name *name)
{
	static struct jvpn_log_limit limit = { .burst = 5 };
	struct client *c = name->resolve->c;

	if (name->known[0] || name->known[1])
		return;
	snprintf(c->name_why, sizeof(c->name_why), "cannot resolve %s: %s",
		 resolve_endpoint(c, name->endpoint)->host,
		 name->why ? name->why : "there is no way to a name server");
	jvpn_log_limited(&limit, JVPN_LOG_WARNING, "%s", c->name_why);
}

static void resolve_end(struct client_resolve *r)
{
	struct client *c = r->c;

	*c->name_why = '\0';
	for (size_t i = 0; i < r->n_names; i++)
		resolve_name_told(&r->list[i]);
	resolve_keep(r);
	remotes_sort(r->remotes, r->n_remotes);
	c->resolve = NULL;
	if (r->n_remotes)
		resolve_install(c, r->remotes, r->n_remotes);
	else
		resolve_tell(c, false);
	free(r);
}

/* --- lookups ------------------------------------------------------------------------------- */

static void resolve_servers_note(const struct client_resolve *r)
{
	struct client *c = r->c;

	c->n_name_servers = 0;
	for (size_t i = 0; i < r->n_servers && c->n_name_servers < CLIENT_NAME_SERVERS; i++)
		if (!names_server_is_local(&r->servers[i]))
			c->name_servers[c->n_name_servers++] = r->servers[i];
}

static void resolve_found(struct resolve_name *name, const struct names_answer *answer)
{
	struct client_resolve *r = name->resolve;

	if (answer->way->files)
		name->by_file = name->known[0] = name->known[1] = true;
	else if (*answer->way->interface)
		resolve_servers_note(r);
	for (size_t i = 0; i < answer->count; i++)
		resolve_name_add(name, &answer->list[i]);
	jvpn_debug("%s has %zu addresses of family %s, by %s",
		   resolve_endpoint(r->c, name->endpoint)->host, answer->count,
		   answer->family == AF_INET6 ? "IPv6" : "IPv4",
		   answer->way->files ? "file" : answer->way->interface);
	resolve_show(r->c, r->remotes, r->n_remotes);
}

static void resolve_answer(void *context, const struct names_answer *answer)
{
	struct resolve_name *name = context;
	struct client_resolve *r = name->resolve;

	if (!answer) {
		name->names = NULL;
		if (!--r->pending)
			resolve_end(r);
		return;
	}
	/* A file that does not have it says nothing. */
	if (name->by_file || (answer->way->files && answer->result != NAMES_FOUND))
		return;
	if (answer->result == NAMES_FAILED)
		name->why = answer->why;
	else
		name->known[answer->family == AF_INET6] = true;
	if (answer->result == NAMES_FOUND)
		resolve_found(name, answer);
}

static void resolve_later(uv_timer_t *timer)
{
	client_remotes_resolve(timer->data);
}

static void resolve_cancel(struct client *c)
{
	struct client_resolve *r = c->resolve;

	for (size_t i = 0; r && i < r->n_names; i++)
		names_cancel(r->list[i].names);
	free(r);
	c->resolve = NULL;
}

static void resolve_names_find(struct client_resolve *r)
{
	const struct jvpn_config_remote *gw = client_gateway(r->c);

	for (size_t i = 0; i < gw->n_endpoints; i++)
		if (gw->endpoints[i].addr.family != AF_UNSPEC)
			resolve_add(r, i, &gw->endpoints[i].addr);
		else if (!resolve_name_of(r, i))
			r->list[r->n_names++] = (struct resolve_name){ .resolve = r,
								       .endpoint = i };
}

static void resolve_ask(struct client_resolve *r)
{
	struct ways ways;

	servers_find(r);
	ways_find(&ways, r);
	for (size_t i = 0; i < r->n_names; i++) {
		r->list[i].names = names_ask(r->c->d->loop,
					     resolve_endpoint(r->c, r->list[i].endpoint)->host,
					     ways.list, ways.count, resolve_answer, &r->list[i]);
		r->pending += !!r->list[i].names;
	}
}

void client_remotes_resolve(struct client *c)
{
	struct client_resolve *r;

	resolve_cancel(c);
	uv_timer_stop(&c->resolve_later);
	c->resolved_ms = jvpnd_now_ms();
	r = calloc(1, sizeof(*r) + client_gateway(c)->n_endpoints * sizeof(r->list[0]));
	if (!r) {
		resolve_tell(c, false);
		return;
	}
	r->c = c;
	c->resolve = r;
	resolve_names_find(r);
	if (r->n_names)
		resolve_ask(r);
	/* Addresses that need no asking are of use at once. */
	if (r->pending)
		resolve_show(c, r->remotes, r->n_remotes);
	else
		resolve_end(r);
}

void client_remotes_renew(struct client *c, bool elsewhere)
{
	uint64_t since = jvpnd_now_ms() - c->resolved_ms;
	uint64_t least = elsewhere ? CLIENT_RESOLVE_LEAST_MS : CLIENT_RESOLVE_MS;

	if (c->d->stopping || (!c->session && !c->handshake.active) || (c->resolve && !elsewhere))
		return;
	if (since >= least)
		client_remotes_resolve(c);
	else if (elsewhere)
		uv_timer_start(&c->resolve_later, resolve_later, least - since, 0);
}

void client_remotes_forget(struct client *c)
{
	resolve_cancel(c);
	uv_timer_stop(&c->resolve_later);
	c->n_remotes = 0;
}
