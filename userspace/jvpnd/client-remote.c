// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "attempt.h"
#include "client.h"
#include "sockets.h"

const struct remote *client_remote_first(const struct client *c, sa_family_t family)
{
	for (size_t i = 0; i < c->n_remotes; i++)
		if (c->remotes[i].addr.family == family)
			return &c->remotes[i];
	return NULL;
}

static bool remote_is_good(const struct candidate *cand, const struct remote *remote)
{
	return remote->port == cand->good_port && jvpn_addr_equal(&remote->addr, &cand->good);
}

/* What answered last over this candidate comes first. */
static const struct remote *remote_at(const struct client *c, const struct candidate *cand,
				      unsigned int n)
{
	for (int good = 1; good >= 0; good--)
		for (size_t i = 0; i < c->n_remotes; i++)
			if (c->remotes[i].addr.family == candidate_family(cand) &&
			    remote_is_good(cand, &c->remotes[i]) == good && !n--)
				return &c->remotes[i];
	return NULL;
}

bool client_path_at(const struct client *c, const struct candidate *cand, unsigned int n,
		    struct path *path)
{
	const struct remote *remote = remote_at(c, cand, n);

	if (!remote)
		return false;
	memset(path, 0, sizeof(*path));
	path->socket = cand->socket;
	path->remote = remote->addr;
	path->remote_port = remote->port;
	sockets_path_complete(c->d, path);
	path->local = (struct jvpn_addr){ .family = AF_UNSPEC };
	return true;
}

unsigned int client_path_count(const struct client *c, const struct candidate *cand)
{
	unsigned int count = 0;

	for (size_t i = 0; i < c->n_remotes; i++)
		count += c->remotes[i].addr.family == candidate_family(cand);
	return count;
}

struct candidate *client_attempt_at(const struct client *c, unsigned int step,
				    unsigned int *path)
{
	struct candidate *cand, *list[CLIENT_TRANSPORTS_MAX];
	unsigned int paths[CLIENT_TRANSPORTS_MAX];
	struct attempt attempt;
	size_t count = 0;

	TAILQ_FOREACH(cand, candidates_list(c), link) {
		if (!cand->usable)
			continue;
		if (count == CLIENT_TRANSPORTS_MAX)
			break;
		list[count] = cand;
		paths[count++] = client_path_count(c, cand);
	}
	if (!attempt_at(paths, count, step, &attempt))
		return NULL;
	*path = attempt.path;
	return list[attempt.transport];
}

unsigned int client_attempts_count(const struct client *c)
{
	const struct candidate *cand;
	unsigned int count = 0;

	TAILQ_FOREACH(cand, candidates_list(c), link)
		count += cand->usable ? client_path_count(c, cand) : 0;
	return count;
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
