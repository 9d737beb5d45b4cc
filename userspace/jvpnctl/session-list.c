// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "kernel.h"
#include "names-gen.h"
#include "table.h"
#include "util.h"

struct session_list {
	const struct kernel *kernel;
	uint64_t now_ms;
	struct table table;
	json_t *sessions;		/* NULL: the table is wanted */
	bool ids;
};

static const char *session_list_device(const struct session_list *list, uint64_t device_id)
{
	const struct jvpn_nl_device *device = kernel_device_of(list->kernel, device_id);

	return device ? device->ifname : "?";
}

static void session_list_row(struct session_list *list, const struct jvpn_nl_session *s)
{
	char id[FORMAT_ID], version[24], epoch[16], rtt[24], loss[24], rx[24], tx[24], heard[48];
	char transport[FORMAT_TEXT], inner[FORMAT_TEXT];

	snprintf(version, sizeof(version), "%llu", (unsigned long long)s->version);
	snprintf(epoch, sizeof(epoch), "%u", s->epoch_number);
	table_add(&list->table, (const char *const []) {
		format_id_short(s, id), session_list_device(list, s->device_id), s->label,
		jvpn_state_name(s->state), version, epoch,
		s->has.transport ? format_transport(&s->transport, transport, sizeof(transport)) :
				   NULL,
		format_inner(s, inner, sizeof(inner)),
		format_rtt(&s->health, rtt, sizeof(rtt)),
		format_loss(&s->health, loss, sizeof(loss)),
		format_octets(s->stats.rx_bytes, rx, sizeof(rx)),
		format_octets(s->stats.tx_bytes, tx, sizeof(tx)),
		format_when(s->health.last_rx, list->now_ms, heard, sizeof(heard)),
	});
}

static void session_list_visit(void *context, const struct jvpn_nl_session *session)
{
	struct session_list *list = context;
	char id[FORMAT_ID];

	if (list->sessions)
		json_array_append_new(list->sessions, format_session_json(session,
			session_list_device(list, session->device_id), list->now_ms));
	else if (list->ids)
		printf("%s\n", format_id(session, id));
	else
		session_list_row(list, session);
}

static json_t *session_list_daemons(struct ctl *ctl, const struct kernel *kernel)
{
	json_t *daemons = json_object();
	char state[512];

	for (size_t i = 0; i < kernel->n_devices; i++)
		json_object_set_new(daemons, kernel->devices[i].ifname,
			json_string(kernel_daemon_state(ctl, &kernel->devices[i], state,
							sizeof(state))));
	return daemons;
}

static void session_list_print(struct ctl *ctl, struct session_list *list, bool torn)
{
	char state[512];

	table_sort(&list->table, 2);
	table_print(&list->table, stdout);
	putchar('\n');
	if (!list->kernel->n_devices)
		printf("no jvpn device in this network namespace\n");
	for (size_t i = 0; i < list->kernel->n_devices; i++)
		printf("%s: %zu session%s, daemon: %s\n", list->kernel->devices[i].ifname,
		       (size_t)list->kernel->devices[i].sessions,
		       list->kernel->devices[i].sessions == 1 ? "" : "s",
		       kernel_daemon_state(ctl, &list->kernel->devices[i], state, sizeof(state)));
	if (torn)
		printf("the sessions changed while they were read: some may be missing, or "
		       "stand here twice\n");
}

static int session_list_show(struct ctl *ctl, struct session_list *list, struct kernel *kernel)
{
	bool torn;
	int status = kernel_sessions_visit(ctl, kernel, session_list_visit, list, &torn);

	if (status)
		return status;
	if (list->sessions)
		return ctl_print_json(json_pack("{s:o, s:b, s:O}", "daemons",
						session_list_daemons(ctl, kernel),
						"interrupted", torn, "sessions", list->sessions));
	if (!list->ids)
		session_list_print(ctl, list, torn);
	return ctl_finish();
}

static int session_list_run(struct ctl *ctl)
{
	static const char *const headings[] = {
		"SESSION", "DEVICE", "PEER", "STATE", "VERSION", "EPOCH", "TRANSPORT", "INNER",
		"RTT", "LOSS", "RECEIVED", "SENT", "HEARD", NULL,
	};
	struct session_list list = { .now_ms = jvpn_util_time_boot_ms() };
	struct kernel kernel;
	int status = kernel_open(ctl, &kernel);

	if (status)
		return status;
	list.kernel = &kernel;
	list.ids = ctl_option(ctl, "ids") != NULL;
	list.sessions = ctl->json ? json_array() : NULL;
	table_init(&list.table, headings);
	status = session_list_show(ctl, &list, &kernel);
	table_free(&list.table);
	json_decref(list.sessions);
	kernel_close(&kernel);
	return status;
}

static const struct ctl_option session_list_options[] = {
	{ "ids", 0, NULL, "only the session ids, one a line" },
	{ }
};

const struct ctl_verb ctl_verb_session_list = {
	.group = "session", .name = "list", .arguments = "", .run = session_list_run,
	.options = session_list_options,
	.summary = "List the sessions in the kernel's table",
	.help = "Works without the daemon, and says whether it runs. Needs CAP_NET_ADMIN.",
};
