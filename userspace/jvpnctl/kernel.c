// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "kernel.h"
#include "util.h"

#define PREFIX_LEAST 4

static int kernel_fail(const struct ctl *ctl, const struct jvpn_nl_error *error)
{
	if (error->code == EPERM || error->code == EACCES)
		return ctl_fail(ctl, CTL_FORBIDDEN, "PERMISSION",
				"reading the kernel's table needs CAP_NET_ADMIN: %s", error->text);
	if (error->code == ENOENT || error->code == ENODEV)
		return ctl_fail(ctl, CTL_UNREACHABLE, "MODULE_NOT_LOADED", "%s", error->text);
	return ctl_fail(ctl, CTL_FAILED, "KERNEL", "%s", error->text);
}

struct kernel_collect {
	const struct ctl *ctl;
	struct kernel *kernel;
	bool no_memory;
};

static void kernel_device_collect(void *context, const struct jvpn_nl_device *device)
{
	struct kernel_collect *collect = context;
	struct kernel *kernel = collect->kernel;
	struct jvpn_nl_device *devices;

	if (collect->ctl->device && strcmp(collect->ctl->device, device->ifname))
		return;
	devices = realloc(kernel->devices, (kernel->n_devices + 1) * sizeof(*devices));
	if (!devices) {
		collect->no_memory = true;
		return;
	}
	kernel->devices = devices;
	devices[kernel->n_devices++] = *device;
}

int kernel_open(const struct ctl *ctl, struct kernel *kernel)
{
	struct kernel_collect collect = { .ctl = ctl, .kernel = kernel };
	struct jvpn_nl_error error;
	int ret;

	memset(kernel, 0, sizeof(*kernel));
	kernel->nl = jvpn_nl_open(&error);
	if (!kernel->nl)
		return kernel_fail(ctl, &error);
	ret = jvpn_nl_device_dump(kernel->nl, kernel_device_collect, &collect, &error);
	if (ret < 0)
		ret = kernel_fail(ctl, &error);
	else if (collect.no_memory)
		ret = ctl_fail(ctl, CTL_FAILED, "INTERNAL", "out of memory");
	else if (ctl->device && !kernel->n_devices)
		ret = ctl_fail(ctl, CTL_NOT_FOUND, "UNKNOWN_DEVICE",
			       "there is no jvpn device '%s' in this network namespace",
			       ctl->device);
	else
		return CTL_OK;
	kernel_close(kernel);
	return ret;
}

void kernel_close(struct kernel *kernel)
{
	if (kernel->nl)
		jvpn_nl_close(kernel->nl);
	free(kernel->devices);
	memset(kernel, 0, sizeof(*kernel));
}

int kernel_sessions_visit(const struct ctl *ctl, struct kernel *kernel,
			  jvpn_nl_session_visit visit, void *context, bool *torn)
{
	struct jvpn_nl_error error;

	*torn = false;
	for (size_t i = 0; i < kernel->n_devices; i++) {
		int ret = jvpn_nl_session_dump(kernel->nl, kernel->devices[i].device_id, visit,
					       context, &error);

		if (ret < 0)
			return kernel_fail(ctl, &error);
		*torn |= ret == JVPN_NL_INTERRUPTED;
	}
	return CTL_OK;
}

struct kernel_match {
	const char *prefix;
	struct jvpn_nl_session *session;
	size_t count;
	bool no_memory;
};

static void kernel_session_match(void *context, const struct jvpn_nl_session *session)
{
	struct kernel_match *match = context;
	char hex[2 * JVPN_SESSION_ID_SIZE + 1];

	jvpn_util_hex_encode(session->id, sizeof(session->id), hex);
	if (strncasecmp(hex, match->prefix, strlen(match->prefix)) || match->count++)
		return;
	match->session = malloc(sizeof(*match->session));
	match->no_memory = !match->session;
	if (match->session)
		*match->session = *session;
}

static bool kernel_prefix_valid(const char *prefix)
{
	size_t length = strspn(prefix, "0123456789abcdefABCDEF");

	return !prefix[length] && length >= PREFIX_LEAST && length <= 2 * JVPN_SESSION_ID_SIZE;
}

int kernel_session_find(const struct ctl *ctl, struct kernel *kernel, const char *prefix,
			struct jvpn_nl_session **session)
{
	struct kernel_match match = { .prefix = prefix };
	bool torn;
	int status;

	if (!kernel_prefix_valid(prefix))
		return ctl_fail(ctl, CTL_USAGE, "USAGE", "'%s' is not a session id: give its first "
				"%d to 32 hexadecimal digits ('jvpnctl session list' shows them)",
				prefix, PREFIX_LEAST);
	status = kernel_sessions_visit(ctl, kernel, kernel_session_match, &match, &torn);
	if (!status && match.no_memory)
		status = ctl_fail(ctl, CTL_FAILED, "INTERNAL", "out of memory");
	if (!status && !match.count)
		status = ctl_fail(ctl, CTL_NOT_FOUND, "UNKNOWN_SESSION", "no session '%s'", prefix);
	if (!status && match.count > 1)
		status = ctl_fail(ctl, CTL_NOT_FOUND, "AMBIGUOUS_SESSION",
				  "%zu sessions begin with '%s': give more digits", match.count,
				  prefix);
	if (status)
		free(match.session);
	else
		*session = match.session;
	return status;
}

const struct jvpn_nl_device *kernel_device_of(const struct kernel *kernel, uint64_t device_id)
{
	for (size_t i = 0; i < kernel->n_devices; i++)
		if (kernel->devices[i].device_id == device_id)
			return &kernel->devices[i];
	return NULL;
}

struct kernel_guess {
	char name[16];
	size_t count;
};

static void kernel_device_count(void *context, const struct jvpn_nl_device *device)
{
	struct kernel_guess *guess = context;

	if (!guess->count++)
		snprintf(guess->name, sizeof(guess->name), "%s", device->ifname);
}

const char *kernel_device_guess(const struct ctl *ctl, char *name, size_t size)
{
	struct kernel_guess guess = { };
	struct jvpn_nl *nl;

	if (ctl->device)
		return ctl->device;
	nl = jvpn_nl_open(NULL);
	if (nl) {
		jvpn_nl_device_dump(nl, kernel_device_count, &guess, NULL);
		jvpn_nl_close(nl);
	}
	snprintf(name, size, "%s", guess.count == 1 ? guess.name : "jvpn0");
	return name;
}

const char *kernel_daemon_state(const struct ctl *ctl, const struct jvpn_nl_device *device,
				char *buf, size_t size)
{
	char why[256];
	struct client *client = client_try(ctl, device->ifname, why, sizeof(why));

	if (client)
		snprintf(buf, size, "running");
	else if (device->has.registered)
		snprintf(buf, size, "running, but: %s (another path? see --socket)", why);
	else
		snprintf(buf, size, "not running");
	client_close(client);
	return buf;
}

static void kernel_registered(void *context, const struct jvpn_nl_device *device)
{
	const char **name = context;

	if (*name && !strcmp(device->ifname, *name) && device->has.registered)
		*name = NULL;
}

bool kernel_daemon_runs(const char *device)
{
	struct jvpn_nl *nl = jvpn_nl_open(NULL);
	const char *name = device;

	if (!nl)
		return false;
	jvpn_nl_device_dump(nl, kernel_registered, &name, NULL);
	jvpn_nl_close(nl);
	return !name;
}
