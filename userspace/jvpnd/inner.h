/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_INNER_H
#define JVPND_INNER_H

/*
 * What a gateway says about inner addresses is advice, and has bounds: it must
 * not take anything of this machine's, nor traffic that the client's own file
 * does not send through the tunnel. Decisions only; nothing here asks or
 * changes the system.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "config.h"

/* Something that this machine has, or needs, outside of the tunnel. */
enum inner_kind {
	INNER_ADDRESS,		/* its own address */
	INNER_NETWORK,		/* a network that it is in */
	INNER_ROUTER,		/* a router that it uses */
	INNER_GATEWAY,		/* where the VPN gateway has answered, or is by the file */
};

struct inner_fact {
	enum inner_kind kind;
	struct jvpn_prefix prefix;
};

struct inner_facts {
	struct inner_fact *list;
	size_t count;
	size_t room;
	bool torn;		/* not all are known */
};

void inner_facts_add(struct inner_facts *facts, enum inner_kind kind,
		     const struct jvpn_addr *addr, unsigned int length);
void inner_facts_free(struct inner_facts *facts);

/* True: this address must not be put on the device, and why says why not. */
bool inner_address_refused(const struct inner_facts *facts, const struct jvpn_addr *addr,
			   char *why, size_t size);
/*
 * May the network around an inner address be reached through the tunnel,
 * although the file does not name it? Only a private one, of a sensible size,
 * in which this machine has nothing else.
 */
bool inner_network_refused(const struct inner_facts *facts, const struct jvpn_prefix *told,
			   char *why, size_t size);

/* prefix without its host bits. */
struct jvpn_prefix inner_network(const struct jvpn_prefix *prefix);

/*
 * Whose packets come out of the tunnel, and whose go in: the inner networks and
 * the routes, of the families given, or everything of those families if the file
 * says so. No more than room; if need be, neighbours are covered by one prefix.
 */
size_t inner_sources(const struct jvpn_config_client *config, const struct jvpn_prefix inner[2],
		     struct jvpn_prefix *out, size_t room);

#endif
