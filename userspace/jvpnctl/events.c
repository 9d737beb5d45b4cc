// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "format.h"
#include "kernel.h"
#include "names-gen.h"
#include "util.h"

/* Following the daemon. */

static const char *events_text(const json_t *event, const char *name, const char *none)
{
	const char *text = json_string_value(json_object_get(event, name));

	return text ? text : none;
}

static void events_print_transport(const json_t *event, const char *name, const char *label)
{
	const json_t *transport = json_object_get(event, name);

	if (json_is_object(transport))
		printf("  %s%s", label, events_text(transport, "remote", "?"));
	if (json_is_object(transport) && json_object_get(transport, "interface"))
		printf(" via %s", events_text(transport, "interface", "?"));
}

static void events_print(const json_t *event)
{
	const char *from = events_text(event, "from", NULL);
	const char *to = events_text(event, "to", NULL);
	const json_t *version = json_object_get(event, "state_version");

	printf("%s  %.12s  %s", events_text(event, "ts", "-"),
	       events_text(event, "session_id", "-           "), events_text(event, "event", "?"));
	if (from && to && strcmp(from, to))
		printf("  %s -> %s", from, to);
	else if (to)
		printf("  %s", to);
	printf("  %s", events_text(event, "reason", ""));
	if (json_is_integer(version))
		printf("  v%lld", (long long)json_integer_value(version));
	events_print_transport(event, "lost", "lost ");
	events_print_transport(event, "transport", "");
	putchar('\n');
	fflush(stdout);
}

static int events_follow(struct ctl *ctl)
{
	char name[16];
	int status = CTL_OK;
	struct client *client = client_open(ctl, kernel_device_guess(ctl, name, sizeof(name)),
					    &status);
	json_t *event, *result;

	if (!client)
		return status;
	status = client_call(ctl, client, "events.follow", NULL, CLIENT_TIMEOUT_MS, &result);
	if (!status) {
		json_decref(result);
		while (!status && (event = client_event(client))) {
			if (ctl->json)
				status = ctl_print_json_line(event);
			else
				events_print(event);
			if (!ctl->json)
				json_decref(event);
			status = status || ferror(stdout) ? CTL_FAILED : CTL_OK;
		}
		if (!status)
			status = ctl_fail(ctl, CTL_UNREACHABLE, "DAEMON_GONE",
					  "the daemon closed the stream");
	}
	client_close(client);
	return status;
}

/* Looking back, in the kernel. */

struct events_past {
	struct {
		uint64_t time;
		char id[FORMAT_ID];
		struct jvpn_nl_transition transition;
	} *list;
	size_t count;
	bool no_memory;
};

static void events_past_visit(void *context, const struct jvpn_nl_session *session)
{
	struct events_past *past = context;
	void *list = realloc(past->list, (past->count + session->n_history) * sizeof(*past->list));

	if (!list && session->n_history) {
		past->no_memory = true;
		return;
	}
	if (list)
		past->list = list;
	for (size_t i = 0; i < session->n_history; i++) {
		past->list[past->count].time = session->history[i].time;
		past->list[past->count].transition = session->history[i];
		format_id(session, past->list[past->count++].id);
	}
}

static int events_past_compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static void events_past_print(const char *id, const struct jvpn_nl_transition *t)
{
	char stamp[JVPN_UTIL_TIME_TEXT], transport[FORMAT_TEXT] = "";

	if (t->has.transport)
		format_transport(&t->transport, transport, sizeof(transport));
	printf("%s  %.12s  %s  %s -> %s  %s  v%llu  %s\n",
	       jvpn_util_time_format(t->real_time, stamp, sizeof(stamp)), id,
	       jvpn_event_name(t->event), jvpn_state_name(t->from), jvpn_state_name(t->to),
	       jvpn_reason_name(t->reason), (unsigned long long)t->version, transport);
}

static int events_past_print_json(const char *id, const struct jvpn_nl_transition *t)
{
	json_t *event = format_transition_json(t);

	json_object_set_new(event, "session_id", json_string(id));
	return ctl_print_json_line(event);
}

static int events_past(struct ctl *ctl)
{
	struct events_past past = { };
	struct kernel kernel;
	bool torn;
	int status = kernel_open(ctl, &kernel);

	if (status)
		return status;
	status = kernel_sessions_visit(ctl, &kernel, events_past_visit, &past, &torn);
	if (!status && past.no_memory)
		status = ctl_fail(ctl, CTL_FAILED, "INTERNAL", "out of memory");
	if (past.count)
		qsort(past.list, past.count, sizeof(*past.list), events_past_compare);
	for (size_t i = 0; !status && i < past.count; i++) {
		if (ctl->json)
			status = events_past_print_json(past.list[i].id, &past.list[i].transition);
		else
			events_past_print(past.list[i].id, &past.list[i].transition);
	}
	free(past.list);
	kernel_close(&kernel);
	return status ? status : ctl_finish();
}

static int events_run(struct ctl *ctl)
{
	return ctl_option(ctl, "follow") ? events_follow(ctl) : events_past(ctl);
}

static const struct ctl_option events_options[] = {
	{ "follow", 'f', NULL, "events as they happen, from the daemon" },
	{ }
};

const struct ctl_verb ctl_verb_events = {
	.name = "events", .arguments = "", .run = events_run, .options = events_options,
	.summary = "Show what happened to the sessions, or follow it",
	.help = "Without --follow, the last transitions that the kernel remembers of each session\n"
		"(works without the daemon). With --json, one object a line.",
};
