// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "config.h"
#include "kernel.h"
#include "rtnl.h"

/* What a daemon has left in the system that does not run any longer. */
struct down {
	uint32_t number;
	struct jvpn_rtnl_rule *rules;
	size_t n_rules;
	struct jvpn_rtnl_route *routes;
	size_t n_routes;
	bool no_memory;
};

static void down_rule(void *context, const struct jvpn_rtnl_rule *rule)
{
	struct down *down = context;
	struct jvpn_rtnl_rule *grown;

	if (rule->protocol != JVPN_RTNL_PROTOCOL || rule->foreign || rule->owner != down->number)
		return;
	grown = realloc(down->rules, (down->n_rules + 1) * sizeof(*grown));
	down->no_memory |= !grown;
	if (!grown)
		return;
	down->rules = grown;
	down->rules[down->n_rules++] = *rule;
}

/* Those to the device go with it. */
static void down_route(void *context, const struct jvpn_rtnl_route *route)
{
	struct down *down = context;
	struct jvpn_rtnl_route *grown;

	if (!route->unreachable || route->metric != down->number)
		return;
	grown = realloc(down->routes, (down->n_routes + 1) * sizeof(*grown));
	down->no_memory |= !grown;
	if (!grown)
		return;
	down->routes = grown;
	down->routes[down->n_routes] = *route;
	/* The kernel calls it the loopback's. */
	down->routes[down->n_routes++].ifindex = 0;
}

static int down_read(struct jvpn_rtnl *rtnl, struct down *down, struct jvpn_nl_error *error)
{
	const struct jvpn_rtnl_filter ours = { .protocol = JVPN_RTNL_PROTOCOL };
	int rc = jvpn_rtnl_rule_dump(rtnl, down_rule, down, error);

	rc = rc < 0 ? rc : jvpn_rtnl_route_dump_of(rtnl, &ours, down_route, down, error);
	if (rc >= 0 && down->no_memory)
		return jvpn_nl_error_set(error, ENOMEM, "no memory");
	return rc;
}

static int down_clear(struct jvpn_rtnl *rtnl, const char *device, const struct down *down,
		      struct jvpn_nl_error *error)
{
	struct jvpn_rtnl_link link;
	int rc = jvpn_rtnl_link_get(rtnl, device, &link, error);

	if (!rc)
		rc = jvpn_rtnl_link_del(rtnl, link.ifindex, error);
	rc = rc == -ENODEV ? 0 : rc;
	for (size_t i = 0; i < down->n_routes && !rc; i++)
		rc = jvpn_rtnl_route_del(rtnl, &down->routes[i], error);
	for (size_t i = 0; i < down->n_rules && !rc; i++)
		rc = jvpn_rtnl_rule_del(rtnl, &down->rules[i], error);
	return rc;
}

static int down_fail(const struct ctl *ctl, const struct jvpn_nl_error *error)
{
	bool forbidden = error->code == EPERM || error->code == EACCES;

	return ctl_fail(ctl, forbidden ? CTL_FORBIDDEN : CTL_FAILED,
			forbidden ? "PERMISSION" : "KERNEL", "%s", error->text);
}

/* The device itself has to be one of ours: it is deleted. */
static int down_without_daemon(struct ctl *ctl, const char *device)
{
	struct down down = { .number = jvpn_config_device_number(device) };
	struct jvpn_nl_error error = {};
	struct jvpn_rtnl_link link;
	struct jvpn_rtnl *rtnl = jvpn_rtnl_open(&error);
	int rc, status = CTL_OK;

	if (!rtnl)
		return down_fail(ctl, &error);
	rc = jvpn_rtnl_link_get(rtnl, device, &link, &error);
	if (!rc && strcmp(link.kind, "jvpn"))
		status = ctl_fail(ctl, CTL_NOT_FOUND, "UNKNOWN_DEVICE",
				  "%s is no jvpn device", device);
	else if (down_read(rtnl, &down, &error) < 0)
		status = down_fail(ctl, &error);
	else if (rc == -ENODEV && !down.n_rules && !down.n_routes)
		status = ctl_fail(ctl, CTL_NOT_FOUND, "UNKNOWN_DEVICE",
				  "there is no device %s, and nothing of it in the system", device);
	else if (down_clear(rtnl, device, &down, &error))
		status = down_fail(ctl, &error);
	free(down.rules);
	free(down.routes);
	jvpn_rtnl_close(rtnl);
	return status;
}

static int down_tell(const struct ctl *ctl, const char *device, json_t *result, const char *how)
{
	if (ctl->json)
		return ctl_print_json(result);
	json_decref(result);
	printf("%s is down: %s\n", device, how);
	return ctl_finish();
}

static int down_of_daemon(struct ctl *ctl, struct client *client, const char *device)
{
	json_t *result;
	char how[160];
	int status = client_call(ctl, client, "down", NULL, CLIENT_TIMEOUT_MS, &result);

	if (status)
		return status;
	snprintf(how, sizeof(how), "%lld sessions have ended; 'jvpnctl up' or the daemon's next start takes it up again",
		 (long long)json_integer_value(json_object_get(result, "ended")));
	return down_tell(ctl, device, result, how);
}

static int down_run(struct ctl *ctl)
{
	char guess[16], why[256];
	const char *device = ctl->n_arguments ? ctl->arguments[0] :
						kernel_device_guess(ctl, guess, sizeof(guess));
	struct client *client = client_try(ctl, device, why, sizeof(why));
	int status;

	if (client) {
		status = down_of_daemon(ctl, client, device);
		client_close(client);
		return status;
	}
	if (kernel_daemon_runs(device))
		return ctl_fail(ctl, CTL_UNREACHABLE, "DAEMON_UNREACHABLE",
				"the daemon of %s runs, but cannot be asked: %s", device, why);
	status = down_without_daemon(ctl, device);
	if (status)
		return status;
	return down_tell(ctl, device, json_pack("{sb}", "deleted", 1),
			 "no daemon runs; the device, its sessions, routes and rules are deleted");
}

const struct ctl_verb ctl_verb_down = {
	.name = "down", .arguments = "[DEV]", .most = 1, .run = down_run,
	.summary = "End all sessions and take addresses, routes and rules away",
	.help = "Nothing is blocked any longer either. Without a daemon the device is deleted, and with it\n"
		"what a daemon has left behind that was killed or removed.",
};
