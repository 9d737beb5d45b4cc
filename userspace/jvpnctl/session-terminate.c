// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "client.h"
#include "session-act.h"

static void session_terminate_print(const json_t *result)
{
	printf("terminated, version %lld\n",
	       (long long)json_integer_value(json_object_get(result, "state_version")));
}

static int session_terminate_run(struct ctl *ctl)
{
	json_t *params = json_pack("{s:b}", "stay_down", ctl_option(ctl, "stay-down") != NULL);

	return session_act(ctl, "session.terminate", params, CLIENT_TIMEOUT_MS,
			   session_terminate_print);
}

static const struct ctl_option session_terminate_options[] = {
	{ "stay-down", 0, NULL, "at a client: make no new session until 'jvpnctl reload'" },
	{ }
};

const struct ctl_verb ctl_verb_session_terminate = {
	.group = "session", .name = "terminate", .arguments = "SESSION", .least = 1, .most = 1,
	.run = session_terminate_run, .options = session_terminate_options,
	.summary = "End a session, for reason OPERATOR",
	.help = "SESSION is the beginning of its id. A client makes a new session by itself,\n"
		"unless told otherwise.",
};
