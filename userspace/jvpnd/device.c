// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define KIND "jvpn"
#define DEVICE_TEXT 384

static int device_make(struct jvpn_rtnl *rtnl, const struct jvpn_config_device *config,
		       struct jvpn_rtnl_link *link, char *error, size_t error_size)
{
	struct jvpn_nl_error e = {};
	int rc = jvpn_rtnl_link_new(rtnl, config->name, KIND, config->mtu, &e);

	if (!rc)
		rc = jvpn_rtnl_link_get(rtnl, config->name, link, &e);
	if (rc)
		snprintf(error, error_size,
			 "cannot make the device %s: %s; is the module loaded (modprobe jvpn)?",
			 config->name, e.text);
	return rc;
}

static int device_find(struct jvpn_rtnl *rtnl, const struct jvpn_config_device *config,
		       struct jvpn_rtnl_link *link, char *error, size_t error_size)
{
	struct jvpn_nl_error e = {};
	int rc = jvpn_rtnl_link_get(rtnl, config->name, link, &e);

	if (rc == -ENODEV)
		return device_make(rtnl, config, link, error, error_size);
	if (rc) {
		snprintf(error, error_size, "cannot look for the device %s: %s", config->name,
			 e.text);
		return rc;
	}
	if (!strcmp(link->kind, KIND))
		return 0;
	snprintf(error, error_size,
		 "%s is there already and is no jvpn device; give device.name another name",
		 config->name);
	return -EEXIST;
}

static int device_settings_apply(struct jvpn_rtnl *rtnl, const struct jvpn_rtnl_link *link,
				 const struct jvpn_config_device *config, char *error,
				 size_t error_size)
{
	struct jvpn_nl_error e = {};
	int rc = 0;

	if (link->mtu != config->mtu)
		rc = jvpn_rtnl_link_set_mtu(rtnl, link->ifindex, config->mtu, &e);
	if (!rc && !link->up)
		rc = jvpn_rtnl_link_set_up(rtnl, link->ifindex, true, &e);
	if (rc)
		snprintf(error, error_size, "cannot set %s up with MTU %u: %s", config->name,
			 config->mtu, e.text);
	return rc;
}

int device_open(struct jvpnd *d, struct jvpn_rtnl *rtnl, char *error, size_t error_size)
{
	const struct jvpn_config_device *config = &d->config->device;
	struct jvpn_rtnl_link link;
	int rc = device_find(rtnl, config, &link, error, error_size);

	if (!rc)
		rc = device_settings_apply(rtnl, &link, config, error, error_size);
	d->ifindex = rc ? 0 : link.ifindex;
	return rc;
}

/* Whoever has set it down had better say so to the daemon, which would not put it up again then. */
bool device_follow(struct jvpnd *d)
{
	static struct jvpn_log_limit limit = { .burst = 3 }, failure = { .burst = 3 };
	const struct jvpn_config_device *config = &d->config->device;
	struct jvpn_rtnl_link link;
	char error[DEVICE_TEXT];

	if (jvpn_rtnl_link_get(d->rtnl, config->name, &link, NULL) || link.ifindex != d->ifindex)
		return false;
	if (d->down)
		return link.up && !jvpn_rtnl_link_set_up(d->rtnl, d->ifindex, false, NULL);
	if (link.up && link.mtu == config->mtu)
		return false;
	if (!link.up)
		jvpn_log_limited(&limit, JVPN_LOG_WARNING, "%s was set down: it is set up again",
				 config->name);
	if (device_settings_apply(d->rtnl, &link, config, error, sizeof(error)))
		jvpn_log_limited(&failure, JVPN_LOG_ERROR, "%s", error);
	return true;
}
