// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "client.h"
#include "format.h"
#include "kernel.h"
#include "session-act.h"

static int session_act_ask(struct ctl *ctl, const char *device, const char *method,
			   json_t *params, int timeout_ms, void (*print)(const json_t *result))
{
	json_t *result;
	int status = client_ask(ctl, device, method, params, timeout_ms, &result);

	if (status)
		return status;
	if (ctl->json)
		return ctl_print_json(result);
	print(result);
	json_decref(result);
	return ctl_finish();
}

int session_act(struct ctl *ctl, const char *method, json_t *params, int timeout_ms,
		void (*print)(const json_t *result))
{
	struct jvpn_nl_session *session;
	char id[FORMAT_ID], device[16];
	struct kernel kernel;
	int status = kernel_open(ctl, &kernel);

	if (status) {
		json_decref(params);
		return status;
	}
	status = kernel_session_find(ctl, &kernel, ctl->arguments[0], &session);
	if (!status) {
		snprintf(device, sizeof(device), "%s",
			 kernel_device_of(&kernel, session->device_id)->ifname);
		json_object_set_new(params, "session_id", json_string(format_id(session, id)));
		free(session);
	}
	kernel_close(&kernel);
	if (!status)
		return session_act_ask(ctl, device, method, params, timeout_ms, print);
	json_decref(params);
	return status;
}
