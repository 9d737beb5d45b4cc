// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "format.h"
#include "kernel.h"
#include "session-act.h"

static void session_jump_print(const json_t *result)
{
	const char *transport = json_string_value(json_object_get(result, "transport"));

	printf("jumped%s%s, version %lld\n", transport ? " to " : "", transport ? transport : "",
	       (long long)json_integer_value(json_object_get(result, "state_version")));
}

static int session_jump_run(struct ctl *ctl)
{
	const char *transport = ctl->n_arguments > 1 ? ctl->arguments[1] : NULL;
	unsigned long long seconds;

	if (!ctl_option_number(ctl, "timeout", 1, 3600, 30, &seconds))
		return CTL_USAGE;
	return session_act(ctl, "session.jump", json_pack("{s:s*}", "transport", transport),
			   (int)seconds * 1000, session_jump_print);
}

static const struct ctl_option session_jump_options[] = {
	{ "timeout", 't', "SECONDS", "how long to wait for the jump (default 30)" },
	{ }
};

const struct ctl_verb ctl_verb_session_jump = {
	.group = "session", .name = "jump", .arguments = "SESSION [TRANSPORT]", .least = 1,
	.most = 2, .run = session_jump_run, .options = session_jump_options,
	.summary = "Move a session to another transport",
	.help = "SESSION is the beginning of its id; TRANSPORT a name that 'jvpnctl transport\n"
		"list' shows, the best other one if left out. Returns when the session is bound to it.\n"
		"Only the client can move: at a gateway the order is refused.",
};
