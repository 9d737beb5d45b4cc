// SPDX-License-Identifier: GPL-2.0
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "log.h"
#include "sockets.h"

/* One walk over the endpoints of a gateway; names are asked for one after the other. */
struct resolve {
	uv_getaddrinfo_t request;
	struct client *c;
	client_resolved done;
	size_t gateway;
	size_t next;			/* endpoint */
	size_t n_remotes;
	struct remote remotes[CLIENT_REMOTES_MAX];
};

const struct remote *client_remote_first(const struct client *c, sa_family_t family)
{
	for (size_t i = 0; i < c->n_remotes; i++)
		if (c->remotes[i].addr.family == family)
			return &c->remotes[i];
	return NULL;
}

bool client_path_at(const struct client *c, const struct candidate *cand, unsigned int n,
		    struct path *path)
{
	for (size_t i = 0; i < c->n_remotes; i++) {
		if (c->remotes[i].addr.family != candidate_family(cand) || n--)
			continue;
		memset(path, 0, sizeof(*path));
		path->socket = cand->socket;
		path->remote = c->remotes[i].addr;
		path->remote_port = c->remotes[i].port;
		sockets_path_complete(c->d, path);
		path->local = (struct jvpn_addr){ .family = AF_UNSPEC };
		return true;
	}
	return false;
}

static void resolve_add(struct resolve *r, const struct jvpn_addr *addr, uint16_t port)
{
	for (size_t i = 0; i < r->n_remotes; i++)
		if (r->remotes[i].port == port && jvpn_addr_equal(&r->remotes[i].addr, addr))
			return;
	if (r->n_remotes < CLIENT_REMOTES_MAX)
		r->remotes[r->n_remotes++] = (struct remote){ *addr, port };
}

static void resolve_add_sockaddr(struct resolve *r, const struct sockaddr *sa, uint16_t port)
{
	struct jvpn_addr addr = { .family = sa->sa_family };

	if (sa->sa_family == AF_INET)
		memcpy(addr.bytes, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	else if (sa->sa_family == AF_INET6)
		memcpy(addr.bytes, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
	else
		return;
	resolve_add(r, &addr, port);
}

static void resolve_install(struct resolve *r)
{
	struct client *c = r->c;

	memcpy(c->remotes, r->remotes, sizeof(c->remotes));
	c->n_remotes = r->n_remotes;
	client_remotes_prefer(c);
	candidates_refresh(c);
}

static void resolve_tell(struct resolve *r)
{
	if (r->done)
		r->done(r->c);
	r->done = NULL;
	client_settle(r->c);
}

/* What was known stays if nothing is found: names are asked for when the net is bad. */
static void resolve_end(struct resolve *r)
{
	if (r->n_remotes && r->gateway == r->c->gateway)
		resolve_install(r);
	r->c->resolving--;
	resolve_tell(r);
	free(r);
}

static void resolve_next(struct resolve *r);

static void resolve_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct resolve *r = request->data;
	const struct jvpn_config_remote *gw = client_gateway(r->c);
	bool same = r->next <= gw->n_endpoints && r->gateway == r->c->gateway;

	if (r->c->d->stopping || !same) {
		uv_freeaddrinfo(list);
		r->n_remotes = 0;
		resolve_end(r);
		return;
	}
	if (status)
		jvpn_warning("cannot resolve %s: %s", gw->endpoints[r->next - 1].host,
			     uv_strerror(status));
	for (struct addrinfo *a = list; a; a = a->ai_next)
		resolve_add_sockaddr(r, a->ai_addr, gw->endpoints[r->next - 1].port);
	uv_freeaddrinfo(list);
	resolve_next(r);
}

static void resolve_next(struct resolve *r)
{
	const struct jvpn_config_remote *gw = client_gateway(r->c);
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };

	while (r->next < gw->n_endpoints) {
		const struct jvpn_endpoint *e = &gw->endpoints[r->next++];

		if (e->addr.family == AF_UNSPEC &&
		    !uv_getaddrinfo(r->c->d->loop, &r->request, resolve_answer, e->host, NULL,
				    &hints))
			return;
	}
	resolve_end(r);
}

/* Addresses that need no asking are of use at once, and come first. */
static void resolve_literals(struct resolve *r)
{
	const struct jvpn_config_remote *gw = client_gateway(r->c);

	for (size_t i = 0; i < gw->n_endpoints; i++)
		if (gw->endpoints[i].addr.family != AF_UNSPEC)
			resolve_add(r, &gw->endpoints[i].addr, gw->endpoints[i].port);
	if (r->c->n_remotes || !r->n_remotes)
		return;
	resolve_install(r);
	resolve_tell(r);
}

void client_remotes_resolve(struct client *c, client_resolved done)
{
	struct resolve *r = calloc(1, sizeof(*r));

	if (!r) {
		if (done)
			done(c);
		return;
	}
	r->c = c;
	r->done = done;
	r->gateway = c->gateway;
	r->request.data = r;
	c->resolved_ms = jvpnd_now_ms();
	c->resolving++;
	resolve_literals(r);
	resolve_next(r);
}

void client_remotes_prefer(struct client *c)
{
	const struct session *s = c->session;

	for (size_t i = 1; s && i < c->n_remotes; i++) {
		struct remote found = c->remotes[i];

		if (found.port != s->path.remote_port ||
		    !jvpn_addr_equal(&found.addr, &s->path.remote))
			continue;
		memmove(c->remotes + 1, c->remotes, i * sizeof(found));
		c->remotes[0] = found;
		return;
	}
}

void client_remotes_renew(struct client *c)
{
	/* A name server that does not answer holds a worker for long: one is enough. */
	if (!c->resolving && jvpnd_now_ms() - c->resolved_ms > CLIENT_RESOLVE_MS)
		client_remotes_resolve(c, NULL);
}
