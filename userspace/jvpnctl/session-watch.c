// SPDX-License-Identifier: GPL-2.0
/* A live view of the kernel's table. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "kernel.h"
#include "names-gen.h"
#include "table.h"
#include "util.h"

static volatile sig_atomic_t watch_stopped;

struct watch {
	uint64_t now_ms;
	const struct kernel *kernel;
	const char *prefix;		/* "" for all */
	struct table table;
	json_t *sessions;
};

static void watch_stop(int number)
{
	(void)number;
	watch_stopped = 1;
}

static void watch_row(struct watch *watch, const struct jvpn_nl_session *s)
{
	char id[FORMAT_ID], version[24], rtt[24], loss[24], jitter[24], heard[48], held[24];
	char transport[FORMAT_TEXT], deadline[FORMAT_TEXT];

	snprintf(version, sizeof(version), "%llu", (unsigned long long)s->version);
	snprintf(held, sizeof(held), "%u", s->stats.held_packets);
	snprintf(jitter, sizeof(jitter), s->health.rtt_us ? "%u.%u ms" : "-",
		 s->health.jitter_us / 1000, s->health.jitter_us % 1000 / 100);
	table_add(&watch->table, (const char *const []) {
		format_id_short(s, id), s->label, jvpn_state_name(s->state), version,
		format_rtt(&s->health, rtt, sizeof(rtt)), jitter,
		format_loss(&s->health, loss, sizeof(loss)),
		format_when(s->health.last_rx, watch->now_ms, heard, sizeof(heard)), held,
		s->has.transport ? format_transport(&s->transport, transport, sizeof(transport)) :
				   NULL,
		format_deadline(s, watch->now_ms, deadline, sizeof(deadline)),
	});
}

static void watch_visit(void *context, const struct jvpn_nl_session *session)
{
	const struct jvpn_nl_device *device;
	struct watch *watch = context;
	char id[FORMAT_ID];

	if (strncasecmp(format_id(session, id), watch->prefix, strlen(watch->prefix)))
		return;
	device = kernel_device_of(watch->kernel, session->device_id);
	if (watch->sessions)
		json_array_append_new(watch->sessions, format_session_json(session,
			device ? device->ifname : "?", watch->now_ms));
	else
		watch_row(watch, session);
}

static int watch_show(struct watch *watch)
{
	char stamp[JVPN_UTIL_TIME_TEXT];
	uint64_t real_ms = jvpn_util_time_real_ms();

	if (watch->sessions)
		return ctl_print_json_line(json_pack("{s:I, s:O}", "ts_ms", (json_int_t)real_ms,
						     "sessions", watch->sessions));
	/* Home, and clear what was below: without a flicker. */
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	printf("%s\n", jvpn_util_time_format(real_ms, stamp, sizeof(stamp)));
	table_sort(&watch->table, 1);
	table_print(&watch->table, stdout);
	putchar('\n');
	return fflush(stdout) ? CTL_FAILED : CTL_OK;
}

static int watch_once(struct ctl *ctl, const char *prefix)
{
	static const char *const headings[] = {
		"SESSION", "PEER", "STATE", "VERSION", "RTT", "JITTER", "LOSS", "HEARD", "HELD",
		"TRANSPORT", "NEXT DEADLINE", NULL,
	};
	struct watch watch = { .now_ms = jvpn_util_time_boot_ms(), .prefix = prefix };
	struct kernel kernel;
	bool torn;
	int status = kernel_open(ctl, &kernel);

	if (status)
		return status;
	watch.kernel = &kernel;
	watch.sessions = ctl->json ? json_array() : NULL;
	table_init(&watch.table, headings);
	status = kernel_sessions_visit(ctl, &kernel, watch_visit, &watch, &torn);
	if (!status)
		status = watch_show(&watch);
	table_free(&watch.table);
	json_decref(watch.sessions);
	kernel_close(&kernel);
	return status;
}

static int session_watch_run(struct ctl *ctl)
{
	const char *prefix = ctl->n_arguments ? ctl->arguments[0] : "";
	unsigned long long interval, count;
	struct sigaction action = { .sa_handler = watch_stop };
	int status = CTL_OK;

	if (!ctl_option_number(ctl, "interval", 50, 3600000, 1000, &interval) ||
	    !ctl_option_number(ctl, "count", 1, UINT32_MAX, UINT32_MAX, &count))
		return CTL_USAGE;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	while (!status && !watch_stopped && count--) {
		struct timespec pause = { .tv_sec = (time_t)(interval / 1000),
					  .tv_nsec = (long)(interval % 1000) * 1000000 };

		status = watch_once(ctl, prefix);
		if (!status && count && !watch_stopped)
			nanosleep(&pause, NULL);
	}
	return status;
}

static const struct ctl_option session_watch_options[] = {
	{ "interval", 'n', "MS", "milliseconds between two looks (default 1000)" },
	{ "count", 'c', "N", "end after so many (default: never)" },
	{ }
};

const struct ctl_verb ctl_verb_session_watch = {
	.group = "session", .name = "watch", .arguments = "[SESSION]", .most = 1,
	.run = session_watch_run, .options = session_watch_options,
	.summary = "Show states, round-trip times, loss and deadlines as they change",
	.help = "SESSION is the beginning of an id. Works without the daemon. With --json, one\n"
		"object a line. Ends with ^C.",
};
