// SPDX-License-Identifier: GPL-2.0
#include "sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "log.h"

struct socket_entry {
	SLIST_ENTRY(socket_entry) link;
	struct kernel_socket sock;
	bool wanted;
	bool was_wanted;		/* before sockets_unwant_all() */
	bool is_new;			/* made since */
	bool moved;			/* since, from this place */
	struct kernel_socket before;
};

struct sockets {
	SLIST_HEAD(, socket_entry) list;
};

static struct socket_entry *sockets_add(struct sockets *sockets, const struct kernel_socket *sock)
{
	struct socket_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->sock = *sock;
	SLIST_INSERT_HEAD(&sockets->list, entry, link);
	return entry;
}

static void sockets_found(void *context, const struct kernel_socket *sock)
{
	struct jvpnd *d = context;

	if (!sockets_add(d->sockets, sock))
		jvpn_error("no memory for socket %u of the device", sock->id);
}

int sockets_open(struct jvpnd *d, char *error, size_t error_size)
{
	int rc;

	d->sockets = calloc(1, sizeof(*d->sockets));
	if (!d->sockets) {
		snprintf(error, error_size, "no memory for the list of sockets");
		return -ENOMEM;
	}
	rc = kernel_socket_each(d->kernel, sockets_found, d);
	if (rc)
		snprintf(error, error_size, "cannot list the sockets of %s: %s",
			 d->config->device.name, strerror(-rc));
	return rc;
}

void sockets_close(struct jvpnd *d)
{
	struct socket_entry *entry;

	if (!d->sockets)
		return;
	while ((entry = SLIST_FIRST(&d->sockets->list))) {
		SLIST_REMOVE_HEAD(&d->sockets->list, link);
		free(entry);
	}
	free(d->sockets);
	d->sockets = NULL;
}

static struct socket_entry *sockets_entry(const struct jvpnd *d, uint32_t id)
{
	struct socket_entry *entry;

	SLIST_FOREACH(entry, &d->sockets->list, link)
		if (entry->sock.id == id)
			return entry;
	return NULL;
}

const struct kernel_socket *sockets_find(const struct jvpnd *d, uint32_t id)
{
	const struct socket_entry *entry = sockets_entry(d, id);

	return entry ? &entry->sock : NULL;
}

/*
 * A gateway's may have none from a run that gave it none: a socket keeps its mark, and to close it
 * would end its sessions.
 */
static bool sockets_mark_fits(const struct jvpnd *d, const struct kernel_socket *sock)
{
	return sock->fwmark == d->config->device.fwmark ||
	       (!sock->fwmark && d->config->role == JVPN_CONFIG_GATEWAY);
}

static bool sockets_fits(const struct jvpnd *d, const struct socket_entry *entry,
			 const struct jvpn_addr *local, uint16_t port, uint32_t ifindex)
{
	const struct kernel_socket *sock = &entry->sock;

	return jvpn_addr_equal(&sock->local, local) && (!port || sock->port == port) &&
	       sock->ifindex == ifindex && sockets_mark_fits(d, sock) &&
	       !(entry->wanted && !port);
}

static struct socket_entry *sockets_fitting(struct jvpnd *d, const struct jvpn_addr *local,
					    uint16_t port, uint32_t ifindex)
{
	struct socket_entry *entry;

	SLIST_FOREACH(entry, &d->sockets->list, link)
		if (sockets_fits(d, entry, local, port, ifindex))
			return entry;
	return NULL;
}

bool sockets_hold(struct jvpnd *d, const struct jvpn_addr *local, uint16_t port, uint32_t ifindex)
{
	struct socket_entry *entry = sockets_fitting(d, local, port, ifindex);

	if (entry)
		entry->wanted = true;
	return entry;
}

static bool sockets_movable(const struct jvpnd *d, const struct socket_entry *entry,
			    const struct jvpn_addr *local, uint16_t port)
{
	return !entry->wanted && entry->sock.port == port &&
	       entry->sock.local.family == local->family &&
	       sockets_mark_fits(d, &entry->sock);
}

static int sockets_entry_move(struct jvpnd *d, struct socket_entry *entry,
			      const struct kernel_socket *to, char *error, size_t error_size)
{
	int rc = kernel_socket_move(d->kernel, to, error, error_size);

	if (rc)
		return rc;
	if (!entry->moved)
		entry->before = entry->sock;
	entry->moved = true;
	entry->wanted = true;
	entry->sock = *to;
	return 0;
}

uint32_t sockets_move(struct jvpnd *d, const struct jvpn_addr *local, uint16_t port,
		      uint32_t ifindex, char *error, size_t error_size)
{
	struct socket_entry *entry;
	int rc = -ENOENT;

	if (sockets_fitting(d, local, port, ifindex))
		return 0;
	SLIST_FOREACH(entry, &d->sockets->list, link) {
		struct kernel_socket to = entry->sock;

		if (!sockets_movable(d, entry, local, port))
			continue;
		to.local = *local;
		to.ifindex = ifindex;
		rc = sockets_entry_move(d, entry, &to, error, error_size);
		if (!rc)
			return to.id;
	}
	errno = -rc;
	return 0;
}

uint32_t sockets_get(struct jvpnd *d, const struct jvpn_addr *local, uint16_t port,
		     uint32_t ifindex, char *error, size_t error_size)
{
	struct socket_entry *entry = sockets_fitting(d, local, port, ifindex);

	if (entry) {
		entry->wanted = true;
		return entry->sock.id;
	}
	return sockets_make(d, local, port, ifindex, error, error_size);
}

uint32_t sockets_make(struct jvpnd *d, const struct jvpn_addr *local, uint16_t port,
		      uint32_t ifindex, char *error, size_t error_size)
{
	struct kernel_socket sock = { .local = *local, .port = port, .ifindex = ifindex,
				      .fwmark = d->config->device.fwmark };
	struct socket_entry *entry;
	int rc = kernel_socket_new(d->kernel, &sock, error, error_size);

	errno = -rc;
	if (rc)
		return 0;
	entry = sockets_add(d->sockets, &sock);
	if (!entry) {
		kernel_socket_del(d->kernel, sock.id);
		snprintf(error, error_size, "no memory for a socket");
		errno = ENOMEM;
		return 0;
	}
	entry->wanted = true;
	entry->is_new = true;
	return sock.id;
}

/* Busy ones stay until sockets_drop_unwanted() is called again. */
static void sockets_entry_drop(struct jvpnd *d, struct socket_entry *entry)
{
	int rc = kernel_socket_del(d->kernel, entry->sock.id);

	entry->wanted = false;
	if (rc && rc != -ENOENT)
		return;
	SLIST_REMOVE(&d->sockets->list, entry, socket_entry, link);
	free(entry);
}

void sockets_drop(struct jvpnd *d, uint32_t id)
{
	struct socket_entry *entry = sockets_entry(d, id);

	if (entry)
		sockets_entry_drop(d, entry);
}

void sockets_unwant_all(struct jvpnd *d)
{
	struct socket_entry *entry;

	SLIST_FOREACH(entry, &d->sockets->list, link) {
		entry->was_wanted = entry->wanted;
		entry->wanted = false;
		entry->is_new = false;
		entry->moved = false;
	}
}

static void sockets_entry_move_back(struct jvpnd *d, struct socket_entry *entry)
{
	char error[KERNEL_TEXT];

	if (kernel_socket_move(d->kernel, &entry->before, error, sizeof(error)))
		jvpn_error("socket %u cannot be bound where it was before: %s", entry->sock.id,
			   error);
	else
		entry->sock = entry->before;
	entry->moved = false;
}

void sockets_want_again(struct jvpnd *d)
{
	struct socket_entry *entry, *next;

	for (entry = SLIST_FIRST(&d->sockets->list); entry; entry = next) {
		next = SLIST_NEXT(entry, link);
		entry->wanted = entry->was_wanted;
		if (entry->moved)
			sockets_entry_move_back(d, entry);
		if (entry->is_new)
			sockets_entry_drop(d, entry);
	}
}

void sockets_drop_unwanted(struct jvpnd *d)
{
	struct socket_entry *entry, *next;

	for (entry = SLIST_FIRST(&d->sockets->list); entry; entry = next) {
		next = SLIST_NEXT(entry, link);
		if (!entry->wanted)
			sockets_entry_drop(d, entry);
	}
}

void sockets_path_complete(const struct jvpnd *d, struct path *path)
{
	const struct kernel_socket *sock = sockets_find(d, path->socket);

	if (!sock)
		return;
	path->ifindex = sock->ifindex;
	path->local_port = sock->port;
	if (path->local.family == AF_UNSPEC)
		path->local = sock->local;
}
