/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_PATH_H
#define JVPND_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "proto.h"

/* Room for "[v6%scope]:port". */
#define PATH_TEXT JVPN_ADDR_TEXT

/**
 * struct path - a concrete transport, as the kernel names it
 * @socket: kernel socket id
 * @remote: the other end; AF_UNSPEC: no path
 * @scope_id: of a link-local @remote
 * @local: address on this end; AF_UNSPEC if routing chooses
 * @local_ifindex: of what came to @local the interface that it came in by, 0 not known
 * @ifindex: interface that the socket is bound to, 0 none (answers only)
 */
struct path {
	uint32_t socket;
	struct jvpn_addr remote;
	uint16_t remote_port;
	uint32_t scope_id;
	struct jvpn_addr local;
	uint16_t local_port;
	uint32_t local_ifindex;
	uint32_t ifindex;
};

/* Same socket and remote end: the same binding for the kernel. */
bool path_equal(const struct path *a, const struct path *b);
/* The form that address cookies are bound to. False unless both ends are known. */
bool path_to_wire(const struct path *path, struct jvpn_path *wire);

const char *path_protocol(const struct path *path);
/* These return buf. */
char *path_remote_format(const struct path *path, char *buf, size_t size);
char *path_local_format(const struct path *path, char *buf, size_t size);

#endif
