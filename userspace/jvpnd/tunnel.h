/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_TUNNEL_H
#define JVPND_TUNNEL_H

/*
 * What a client's device carries: the inner addresses that the gateway gave,
 * and the configured routes. They stay while there is no session, so that what
 * belongs into the tunnel does not leave by another way.
 */

#include "client.h"

void tunnel_configure(struct client *c, const struct jvpn_hs_resp *resp);
/* Find out what a former run of the daemon has put there. */
void tunnel_adopt(struct client *c);
/* d->config is still the old configuration. */
void tunnel_reload(struct client *c, const struct jvpn_config *config);
void tunnel_remove(struct client *c);

#endif
