// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "client.h"
#include "kernel.h"
#include "util.h"

/* Texts, one below the other. */
static void status_print_list(const json_t *list)
{
	json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
		printf("%*s%s\n", i ? 27 : 0, "", json_string_value(value));
}

/* Whatever the daemon tells: one line for each value, sections indented. */
static void status_print_object(const json_t *object, int indent)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		printf("%*s%-*s ", indent, "", 26 - indent, key);
		if (json_is_string(value) && json_string_length(value))
			printf("%s\n", json_string_value(value));
		else if (json_is_integer(value))
			printf("%lld\n", (long long)json_integer_value(value));
		else if (json_is_boolean(value))
			printf("%s\n", json_is_true(value) ? "yes" : "no");
		else if (json_is_object(value) && json_object_size(value))
			putchar('\n');
		else if (json_is_array(value) && json_array_size(value))
			status_print_list(value);
		else
			printf("-\n");
		if (json_is_object(value))
			status_print_object(value, indent + 2);
	}
}

static int status_running(struct ctl *ctl, struct client *client)
{
	json_t *result;
	int status = client_call(ctl, client, "status", NULL, CLIENT_TIMEOUT_MS, &result);

	if (status)
		return status;
	if (ctl->json) {
		json_object_set_new(result, "daemon", json_string("running"));
		return ctl_print_json(result);
	}
	printf("%-26s %s\n", "daemon", "running");
	status_print_object(result, 0);
	json_decref(result);
	return ctl_finish();
}

static void status_device(void *devices, const struct jvpn_nl_device *device)
{
	json_array_append_new(devices, json_pack("{s:s, s:I, s:I, s:b}",
		"device", device->ifname, "sessions", (json_int_t)device->sessions,
		"sockets", (json_int_t)device->sockets, "registered", device->has.registered));
}

/* The daemon does not answer: what the kernel has, if it may be asked. */
static json_t *status_devices(void)
{
	struct jvpn_nl *nl = jvpn_nl_open(NULL);
	json_t *devices = json_array();

	if (!nl)
		return devices;
	jvpn_nl_device_dump(nl, status_device, devices, NULL);
	jvpn_nl_close(nl);
	return devices;
}

static int status_stopped(struct ctl *ctl, const char *why)
{
	json_t *devices = status_devices(), *device;
	size_t i;

	if (ctl->json) {
		ctl_print_json(json_pack("{s:s, s:s, s:o}", "daemon", "not running", "why", why,
					 "devices", devices));
		return CTL_UNREACHABLE;
	}
	printf("%-26s not running\n%-26s %s\n", "daemon", "why", why);
	json_array_foreach(devices, i, device)
		printf("%-26s %lld sessions in the kernel\n",
		       json_string_value(json_object_get(device, "device")),
		       (long long)json_integer_value(json_object_get(device, "sessions")));
	json_decref(devices);
	ctl_finish();
	return CTL_UNREACHABLE;
}

static int status_run(struct ctl *ctl)
{
	char name[16], why[256];
	struct client *client = client_try(ctl, kernel_device_guess(ctl, name, sizeof(name)), why,
					   sizeof(why));
	int status;

	if (!client)
		return status_stopped(ctl, why);
	status = status_running(ctl, client);
	client_close(client);
	return status;
}

const struct ctl_verb ctl_verb_status = {
	.name = "status", .arguments = "", .run = status_run,
	.summary = "Show how the daemon is",
	.help = "Ends with status 4 if it does not run.",
};
