// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "client.h"
#include "kernel.h"

static void reload_print(const json_t *result)
{
	json_t *notes = json_object_get(result, "notes"), *note;
	size_t i;

	printf("the configuration was loaded anew\n");
	json_array_foreach(notes, i, note)
		printf("%s\n", json_string_value(note));
}

static int reload_run(struct ctl *ctl)
{
	char name[16];
	json_t *result;
	int status = client_ask(ctl, kernel_device_guess(ctl, name, sizeof(name)), "reload", NULL,
				CLIENT_TIMEOUT_MS, &result);

	if (status)
		return status;
	if (ctl->json)
		return ctl_print_json(result);
	reload_print(result);
	json_decref(result);
	return ctl_finish();
}

const struct ctl_verb ctl_verb_reload = {
	.name = "reload", .arguments = "", .run = reload_run,
	.summary = "Have the daemon read its configuration again",
	.help = "It is applied as a whole or, if there is an error in it (status 6), not at all.",
};
