// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lack.h"
#include "log.h"

#define KIND "jvpn"

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

static void device_address_add(struct jvpnd *d, const struct jvpn_prefix *address)
{
	char what[JVPN_ADDR_TEXT + 8] = "address ";
	struct jvpn_nl_error e = {};

	if (!jvpn_rtnl_addr_add(d->rtnl, d->ifindex, address, &e))
		return;
	jvpn_prefix_format(address, what + 8, JVPN_ADDR_TEXT);
	if (address->addr.family == AF_INET6)
		lack_say(LACK_DEVICE, what,
			 "it cannot be put on %s: %s (is IPv6 switched off? \"sysctl net.ipv6.conf.%s.disable_ipv6\" should be 0); without it nothing inside the tunnel reaches it",
			 d->config->device.name, e.text, d->config->device.name);
	else
		lack_say(LACK_DEVICE, what, "it cannot be put on %s: %s",
			 d->config->device.name, e.text);
}

void device_addresses_apply(struct jvpnd *d)
{
	const struct jvpn_config_device *config = &d->config->device;

	lacks_begin(LACK_DEVICE);
	for (size_t i = 0; i < config->n_addresses; i++)
		device_address_add(d, &config->addresses[i]);
	lacks_end(LACK_DEVICE);
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
	if (rc)
		return rc;
	d->ifindex = link.ifindex;
	device_addresses_apply(d);
	return 0;
}

static bool device_address_wanted(const struct jvpn_config_device *config,
				  const struct jvpn_prefix *address)
{
	for (size_t i = 0; i < config->n_addresses; i++)
		if (config->addresses[i].length == address->length &&
		    jvpn_addr_equal(&config->addresses[i].addr, &address->addr))
			return true;
	return false;
}

void device_reload(struct jvpnd *d, struct jvpn_rtnl *rtnl, const struct jvpn_config *config)
{
	const struct jvpn_config_device *old = &d->config->device;
	struct jvpn_nl_error e = {};

	for (size_t i = 0; i < old->n_addresses; i++)
		if (!device_address_wanted(&config->device, &old->addresses[i]))
			jvpn_rtnl_addr_del(rtnl, d->ifindex, &old->addresses[i], NULL);
	if (config->device.mtu != old->mtu &&
	    jvpn_rtnl_link_set_mtu(rtnl, d->ifindex, config->device.mtu, &e))
		jvpn_error("cannot set the MTU to %u: %s", config->device.mtu, e.text);
}
