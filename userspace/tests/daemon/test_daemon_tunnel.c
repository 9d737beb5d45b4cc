// SPDX-License-Identifier: GPL-2.0
/* Whose word takes an inner network away: the gateway's address, as the handshake has found it. */
#include <sched.h>
#include <stdlib.h>

#include "../../jvpnd/client.h"
#include "../../jvpnd/session.h"
#include "../../jvpnd/tunnel.h"
#include "../tap.h"
#include "log.h"
#include "rtnl.h"

static struct jvpn_endpoint endpoint;
static struct jvpn_config_remote gateway = { .endpoints = &endpoint, .n_endpoints = 1 };
static struct jvpn_config config;
static struct jvpnd d = { .config = &config };
static struct client client = { .d = &d };

/* Of a network that no machine is in: fd5a:9c1e:77b3:4d02::/64. */
static struct jvpn_addr inside(uint8_t host)
{
	return (struct jvpn_addr){ .family = AF_INET6, .bytes = {
		0xfd, 0x5a, 0x9c, 0x1e, 0x77, 0xb3, 0x4d, 0x02, [15] = host } };
}

/* How much around the inner address is taken; 0: nothing, not even the address. */
static unsigned int taken(void)
{
	struct jvpn_hs_resp resp = { .v6_prefix = 64 };
	struct jvpn_addr own = inside(5);
	struct jvpn_prefix inner[2];

	memcpy(resp.v6, own.bytes, sizeof(resp.v6));
	return tunnel_accept(&client, &resp, inner) ? inner[1].length : 0;
}

static void name_says(uint8_t host)
{
	client.n_remotes = 1;
	client.remotes[0] = (struct remote){ .addr = inside(host), .port = 51900 };
}

static void handshakes(void)
{
	tap_equal(taken(), 64, "the inner network is taken");
	name_says(200);
	tap_equal(taken(), 64, "though a name server has named an address in it");
	name_says(5);
	tap_equal(taken(), 64, "or the inner address");
	client.handshake.to.remote = inside(200);
	tap_equal(taken(), 128, "unless the gateway has answered from there");
	client.handshake.to.remote = inside(5);
	tap_equal(taken(), 0, "or from the inner address");
	client.handshake.to.remote = (struct jvpn_addr){};
	endpoint.addr = inside(200);
	tap_equal(taken(), 128, "or the file names the gateway there");
	endpoint.addr = (struct jvpn_addr){};
}

static void sessions(void)
{
	struct session s = { .inner = { [1] = { .addr = inside(5), .length = 64 } } };

	name_says(5);
	tap_ok(!tunnel_collision(&client, &s), "a session goes on, whatever a name server says");
	s.path.remote = inside(5);
	tap_ok(tunnel_collision(&client, &s), "unless it goes to its own inner address");
}

static struct jvpn_prefix prefix(const char *text)
{
	struct jvpn_prefix result = {};
	const char *why;

	if (jvpn_prefix_parse(&result, text, &why))
		abort();
	return result;
}

static void route_there(const char *text)
{
	const struct jvpn_rtnl_route route = { .prefix = prefix(text), .ifindex = d.ifindex };
	struct jvpn_nl_error error;

	if (jvpn_rtnl_route_add(d.rtnl, &route, &error))
		abort();
}

/* How long the network is that a former run is taken to have been told; 0: none. */
static unsigned int found(sa_family_t family)
{
	memset(client.inner, 0, sizeof(client.inner));
	memset(client.inner_network, 0, sizeof(client.inner_network));
	tunnel_find(&client);
	return client.inner_network[family == AF_INET6].length;
}

/* Without a session nobody knows which route of a former run is the inner network's. */
static void former_runs(void)
{
	const struct jvpn_prefix v4 = prefix("10.77.0.5"), v6 = prefix("fd77::5");
	struct jvpn_nl_error error;

	jvpn_rtnl_addr_add(d.rtnl, d.ifindex, &v4, &error);
	jvpn_rtnl_addr_add(d.rtnl, d.ifindex, &v6, &error);
	route_there("0.0.0.0/1");
	route_there("10.0.0.0/8");
	route_there("fd00::/8");
	tap_equal(found(AF_INET), 0, "halves of everything and other routes are no inner network");
	tap_equal(found(AF_INET6), 0, "nor are they in IPv6");
	route_there("10.77.0.0/24");
	route_there("fd77::/64");
	route_there("10.77.0.0/16");
	tap_equal(found(AF_INET), 24, "the narrowest is the inner network");
	tap_equal(found(AF_INET6), 64, "it is in IPv6");
	config.client.inner_network = JVPN_CONFIG_INNER_NONE;
	tap_equal(found(AF_INET), 0, "there is none if the file wants none");
	config.client.inner_network = JVPN_CONFIG_INNER_AUTO;
}

/* A namespace whose loopback interface is the device. */
static void former_runs_try(void)
{
	struct jvpn_nl_error error;

	jvpn_rtnl_close(d.rtnl);
	d.rtnl = NULL;
	if (unshare(CLONE_NEWNET)) {
		tap_ok(true, "routes of a former run # SKIP needs root for a namespace");
		return;
	}
	d.rtnl = jvpn_rtnl_open(&error);
	d.ifindex = 1;
	if (!d.rtnl || jvpn_rtnl_link_set_up(d.rtnl, d.ifindex, true, &error))
		abort();
	former_runs();
}

int main(void)
{
	struct jvpn_nl_error error;

	jvpn_log_init("test", JVPN_LOG_ERROR);
	config.client.gateways = &gateway;
	config.client.n_gateways = 1;
	d.rtnl = jvpn_rtnl_open(&error);
	if (!d.rtnl)
		return 1;
	handshakes();
	sessions();
	former_runs_try();
	if (d.rtnl)
		jvpn_rtnl_close(d.rtnl);
	return tap_done();
}
