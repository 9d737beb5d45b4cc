/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_NAMES_H
#define JVPND_NAMES_H

/*
 * Asks name servers over chosen interfaces. getaddrinfo() asks where routing leads, which is the
 * tunnel whose other end is being looked for.
 */

#include <net/if.h>
#include <stdbool.h>
#include <uv.h>

#include "addr.h"

#define NAMES_SERVERS_MAX 6
/* Addresses taken of one family from one way: one network must not drown the others' answers. */
#define NAMES_ANSWERS_MAX 4
/* A server that says nothing is asked again after so long, then after twice that. */
#define NAMES_TIMEOUT_MS 1000
#define NAMES_TRIES 2

/**
 * struct names_server - where to ask
 * @addr: its address
 * @interface: the only one by which it is reached (link-local addresses), "" for any
 */
struct names_server {
	struct jvpn_addr addr;
	char interface[IFNAMSIZ];
};

/* Read the "nameserver" lines of a resolv.conf. Returns how many were added, at most most. */
size_t names_servers_parse(const char *text, struct names_server *list, size_t most);
/* The same from a file; one that is not there has none. */
size_t names_servers_read(const char *path, struct names_server *list, size_t most);
/* On this machine: asked as any program asks, by whatever way it has itself. */
bool names_server_is_local(const struct names_server *server);

/**
 * struct names_way - a way to ask
 * @files: /etc/hosts alone; nobody is asked
 * @interface: that the questions leave by, "" where routing chooses
 * @mark: of the questions
 * @servers: to be asked in this order
 */
struct names_way {
	bool files;
	char interface[IFNAMSIZ];
	uint32_t mark;
	struct jvpn_addr servers[NAMES_SERVERS_MAX];
	size_t n_servers;
};

/**
 * enum names_result - what came of a question
 * @NAMES_FOUND: addresses
 * @NAMES_NONE: the name has none of the family
 * @NAMES_FAILED: nobody could say
 */
enum names_result {
	NAMES_FOUND,
	NAMES_NONE,
	NAMES_FAILED,
};

struct names_answer {
	const struct names_way *way;
	enum names_result result;
	sa_family_t family;
	struct jvpn_addr list[NAMES_ANSWERS_MAX];
	size_t count;
	const char *why;	/* of a failure */
};

struct names;

/*
 * Once for each way and family; then once with answer NULL, after which the lookup is gone. None of
 * it comes before names_ask() has returned, and none after names_cancel().
 */
typedef void (*names_visit)(void *context, const struct names_answer *answer);

/* All ways are asked at once. NULL without memory. */
struct names *names_ask(uv_loop_t *loop, const char *host, const struct names_way *ways,
			size_t n_ways, names_visit visit, void *context);
void names_cancel(struct names *names);

#endif
