// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "client.h"
#include "sockets.h"

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

static bool remotes_have(const struct remote *list, size_t count, const struct remote *remote)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].port == remote->port &&
		    jvpn_addr_equal(&list[i].addr, &remote->addr))
			return true;
	return false;
}

bool remotes_add(struct remote *list, size_t *count, const struct remote *remote)
{
	if (*count == CLIENT_REMOTES_MAX || remotes_have(list, *count, remote))
		return false;
	list[(*count)++] = *remote;
	return true;
}

bool remotes_equal(const struct remote *a, size_t n_a, const struct remote *b, size_t n_b)
{
	for (size_t i = 0; i < n_a; i++)
		if (!remotes_have(b, n_b, &a[i]))
			return false;
	return n_a == n_b;
}

/* A few elements: insertion sort, which leaves those of one endpoint as they are. */
void remotes_sort(struct remote *list, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct remote moved = list[i];
		size_t at = i;

		for (; at && list[at - 1].endpoint > moved.endpoint; at--)
			list[at] = list[at - 1];
		list[at] = moved;
	}
}
