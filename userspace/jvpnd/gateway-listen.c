// SPDX-License-Identifier: GPL-2.0
#include "gateway-listen.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "jvpnd.h"
#include "lack.h"
#include "sockets.h"

const char *gateway_listen_format(const struct jvpn_config_listen *listen, char *text, size_t size)
{
	char address[JVPN_ADDR_TEXT];
	struct sockaddr_storage sa;

	jvpn_addr_to_sockaddr(&listen->address, listen->port, &sa);
	jvpn_sockaddr_format((const struct sockaddr *)&sa, address, sizeof(address));
	snprintf(text, size, "%s%s%s", address, listen->interface[0] ? " on " : "",
		 listen->interface);
	return text;
}

/* What errno says, and what to do about it; text: what the kernel says. */
static void gateway_listen_explain(const struct jvpn_config_listen *listen, int error,
				   const char *text, char *why, size_t size)
{
	switch (error) {
	case EADDRNOTAVAIL:
		snprintf(why, size,
			 "no interface has this address (\"ip address\" lists them); it is taken as soon as one has");
		break;
	case EADDRINUSE:
		snprintf(why, size,
			 "another program uses this port (\"ss -ulpn sport = :%u\" shows it); stop that one, or change gateway.listen",
			 listen->port);
		break;
	case EAFNOSUPPORT:
		snprintf(why, size,
			 "this machine was started without IPv6 (ipv6.disable=1); take it out of gateway.listen if that is meant");
		break;
	case EACCES:
	case EPERM:
		snprintf(why, size, "not permitted (ports below 1024 need CAP_NET_BIND_SERVICE)");
		break;
	default:
		snprintf(why, size, "%s", text);
	}
}

static bool gateway_listen_open(struct jvpnd *d, const struct jvpn_config_listen *listen,
				char *why, size_t size)
{
	uint32_t ifindex = listen->interface[0] ? if_nametoindex(listen->interface) : 0;
	char error[KERNEL_TEXT] = "";

	if (listen->interface[0] && !ifindex) {
		snprintf(why, size,
			 "there is no interface %s (\"ip link\" lists them); it is used as soon as it comes",
			 listen->interface);
		return false;
	}
	if (sockets_move(d, &listen->address, listen->port, ifindex, error, sizeof(error)) ||
	    sockets_get(d, &listen->address, listen->port, ifindex, error, sizeof(error)))
		return true;
	gateway_listen_explain(listen, errno, error, why, size);
	return false;
}

/* Those that are as they shall be stay so, whatever becomes of the others. */
static void gateway_listen_hold(struct jvpnd *d, const struct jvpn_config *config)
{
	sockets_unwant_all(d);
	for (size_t i = 0; i < config->gateway.n_listen; i++) {
		const struct jvpn_config_listen *listen = &config->gateway.listen[i];

		sockets_hold(d, &listen->address, listen->port,
			     listen->interface[0] ? if_nametoindex(listen->interface) : 0);
	}
}

static const char *gateway_listen_what(const struct jvpn_config_listen *listen,
				       char what[GATEWAY_LISTEN_TEXT])
{
	memcpy(what, "listen ", 7);
	gateway_listen_format(listen, what + 7, GATEWAY_LISTEN_TEXT - 7);
	return what;
}

const char *gateway_listen_why(const struct jvpn_config_listen *listen)
{
	char what[GATEWAY_LISTEN_TEXT];

	return lack_why(LACK_LISTEN, gateway_listen_what(listen, what));
}

void gateway_listen(struct jvpnd *d)
{
	char what[GATEWAY_LISTEN_TEXT], why[KERNEL_TEXT];

	lacks_begin(LACK_LISTEN);
	gateway_listen_hold(d, d->config);
	for (size_t i = 0; i < d->config->gateway.n_listen; i++) {
		const struct jvpn_config_listen *listen = &d->config->gateway.listen[i];

		if (!gateway_listen_open(d, listen, why, sizeof(why)))
			lack_say(LACK_LISTEN, gateway_listen_what(listen, what), "%s", why);
	}
	sockets_drop_unwanted(d);
	lacks_end(LACK_LISTEN);
}

static bool gateway_listen_named(const struct jvpn_config *config,
				 const struct jvpn_config_listen *listen)
{
	for (size_t i = 0; i < config->gateway.n_listen; i++) {
		const struct jvpn_config_listen *other = &config->gateway.listen[i];

		if (other->port == listen->port && !strcmp(other->interface, listen->interface) &&
		    jvpn_addr_equal(&other->address, &listen->address))
			return true;
	}
	return false;
}

bool gateway_listen_prepare(struct jvpnd *d, const struct jvpn_config *config, char *error,
			    size_t error_size)
{
	char text[GATEWAY_LISTEN_TEXT], why[KERNEL_TEXT];

	gateway_listen_hold(d, config);
	for (size_t i = 0; i < config->gateway.n_listen; i++) {
		const struct jvpn_config_listen *listen = &config->gateway.listen[i];

		if (gateway_listen_open(d, listen, why, sizeof(why)) ||
		    gateway_listen_named(d->config, listen))
			continue;
		snprintf(error, error_size, "gateway.listen[%zu] (%s): %s", i,
			 gateway_listen_format(listen, text, sizeof(text)), why);
		sockets_want_again(d);
		return false;
	}
	return true;
}
