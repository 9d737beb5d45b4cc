// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "client.h"
#include "kernel.h"

static int up_run(struct ctl *ctl)
{
	char name[16];
	const char *device = ctl->n_arguments ? ctl->arguments[0] :
						kernel_device_guess(ctl, name, sizeof(name));
	json_t *result;
	int status = client_ask(ctl, device, "up", NULL, CLIENT_TIMEOUT_MS, &result);

	if (status)
		return status;
	if (ctl->json)
		return ctl_print_json(result);
	json_decref(result);
	printf("%s is up\n", device);
	return ctl_finish();
}

const struct ctl_verb ctl_verb_up = {
	.name = "up", .arguments = "[DEV]", .most = 1, .run = up_run,
	.summary = "Take a tunnel up that was taken down",
	.help = "The daemon has to run; its start does the same.",
};
