// SPDX-License-Identifier: GPL-2.0
#include "path.h"

#include <stdio.h>

bool path_equal(const struct path *a, const struct path *b)
{
	return a->socket == b->socket && a->remote_port == b->remote_port &&
	       a->scope_id == b->scope_id && jvpn_addr_equal(&a->remote, &b->remote);
}

bool path_to_wire(const struct path *path, struct jvpn_path *wire)
{
	struct sockaddr_storage remote, local;

	if (!jvpn_addr_to_sockaddr(&path->remote, path->remote_port, &remote) ||
	    !jvpn_addr_to_sockaddr(&path->local, path->local_port, &local))
		return false;
	return jvpn_path_set(wire, (const struct sockaddr *)&remote,
			     (const struct sockaddr *)&local);
}

const char *path_protocol(const struct path *path)
{
	return path->remote.family == AF_INET6 ? "udp6" : "udp4";
}

static char *path_end_format(const struct jvpn_addr *addr, uint16_t port, char *buf, size_t size)
{
	struct sockaddr_storage sa;

	if (!jvpn_addr_to_sockaddr(addr, port, &sa))
		snprintf(buf, size, "-");
	else
		jvpn_sockaddr_format((const struct sockaddr *)&sa, buf, size);
	return buf;
}

char *path_remote_format(const struct path *path, char *buf, size_t size)
{
	return path_end_format(&path->remote, path->remote_port, buf, size);
}

char *path_local_format(const struct path *path, char *buf, size_t size)
{
	return path_end_format(&path->local, path->local_port, buf, size);
}
