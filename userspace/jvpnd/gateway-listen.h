/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_GATEWAY_LISTEN_H
#define JVPND_GATEWAY_LISTEN_H

/*
 * The sockets that gateway.listen names. What cannot be had now may come later: it is tried again
 * when links and addresses change, and by and by. A socket that is there already on the same port
 * is bound to the new place, with the sessions that use it.
 */

#include <stdbool.h>
#include <stddef.h>

struct jvpn_config;
struct jvpn_config_listen;
struct jvpnd;

#define GATEWAY_LISTEN_TEXT 96

/* "192.0.2.1:51900", "[::]:51900 on eth0" */
const char *gateway_listen_format(const struct jvpn_config_listen *listen, char *text, size_t size);

/* Why it is not open; NULL if it is. */
const char *gateway_listen_why(const struct jvpn_config_listen *listen);

/* All of d->config that can be had, and nothing else. */
void gateway_listen(struct jvpnd *d);

/*
 * Opens what config wants beside what is open. False, and all as before, if something of it that
 * d->config does not name cannot be had.
 */
bool gateway_listen_prepare(struct jvpnd *d, const struct jvpn_config *config, char *error,
			    size_t error_size);

#endif
