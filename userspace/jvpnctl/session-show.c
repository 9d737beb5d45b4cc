// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "format.h"
#include "kernel.h"
#include "names-gen.h"
#include "table.h"
#include "util.h"

static void session_show_line(const char *name, const char *text)
{
	printf("%-12s %s\n", name, text);
}

static void session_show_identity(const struct jvpn_nl_session *s, const char *device)
{
	char id[FORMAT_ID], text[FORMAT_TEXT], stamp[JVPN_UTIL_TIME_TEXT];

	session_show_line("session", format_id(s, id));
	session_show_line("peer", *s->label ? s->label : "-");
	snprintf(text, sizeof(text), "%s (%s)", device, jvpn_role_name(s->role));
	session_show_line("device", text);
	snprintf(text, sizeof(text), "%s, version %llu, epoch %u", jvpn_state_name(s->state),
		 (unsigned long long)s->version, s->epoch_number);
	session_show_line("state", text);
	if (s->role == JVPN_ROLE_CLIENT && s->peer_version) {
		snprintf(text, sizeof(text), "version %llu, epoch %u",
			 (unsigned long long)s->peer_version, s->peer_epoch);
		session_show_line("gateway said", text);
	}
	session_show_line("inner", format_inner(s, text, sizeof(text)));
	if (s->has.created)
		session_show_line("born", jvpn_util_time_format(s->created, stamp, sizeof(stamp)));
}

/* What heartbeats have found of the path. */
static void session_show_path_mtu(const struct jvpn_nl_transport *transport)
{
	char text[FORMAT_TEXT];

	if (!transport->has.path_mtu)
		return;
	if (!transport->path_mtu)
		snprintf(text, sizeof(text), "not known yet");
	else
		snprintf(text, sizeof(text), "%u octets, %s", transport->path_mtu,
			 transport->path_mtu_searching ? "at least" : "confirmed");
	session_show_line("  path MTU", text);
}

static void session_show_transport(const struct jvpn_nl_session *s, uint64_t now_ms)
{
	char text[FORMAT_TEXT], when[48];

	if (!s->has.transport) {
		session_show_line("transport", "none");
		return;
	}
	session_show_line("transport", format_transport(&s->transport, text, sizeof(text)));
	snprintf(text, sizeof(text), "%s, by version %llu",
		 format_when(s->transport.since, now_ms, when, sizeof(when)),
		 (unsigned long long)s->transport.version);
	session_show_line("  bound", text);
	if (s->transport.pmtu) {
		snprintf(text, sizeof(text), "%u octets", s->transport.pmtu);
		session_show_line("  inner MTU", text);
	}
	session_show_path_mtu(&s->transport);
}

static void session_show_health(const struct jvpn_nl_session *s, uint64_t now_ms)
{
	char text[FORMAT_TEXT], rtt[24], loss[24], jitter[24] = "-", when[48];

	if (s->health.rtt_us)
		snprintf(jitter, sizeof(jitter), "%u.%u ms", s->health.jitter_us / 1000,
			 s->health.jitter_us % 1000 / 100);
	snprintf(text, sizeof(text), "RTT %s, jitter %s, loss %s, heard %s%s",
		 format_rtt(&s->health, rtt, sizeof(rtt)), jitter,
		 format_loss(&s->health, loss, sizeof(loss)),
		 format_when(s->health.last_rx, now_ms, when, sizeof(when)),
		 s->health.late ? ", an echo is overdue" : "");
	session_show_line("health", text);
}

static void session_show_traffic(const struct jvpn_nl_session *s)
{
	char text[FORMAT_TEXT], rx[24], tx[24];

	snprintf(text, sizeof(text), "received %s in %llu packets, sent %s in %llu",
		 format_octets(s->stats.rx_bytes, rx, sizeof(rx)),
		 (unsigned long long)s->stats.rx_packets,
		 format_octets(s->stats.tx_bytes, tx, sizeof(tx)),
		 (unsigned long long)s->stats.tx_packets);
	session_show_line("traffic", text);
	snprintf(text, sizeof(text), "received %llu, sent %llu; held %u; requests refused %llu",
		 (unsigned long long)s->stats.rx_drops, (unsigned long long)s->stats.tx_drops,
		 s->stats.held_packets, (unsigned long long)s->stats.refused);
	session_show_line("dropped", text);
}

static void session_show_history(const struct jvpn_nl_session *s)
{
	static const char *const headings[] = {
		"VERSION", "TIME", "FROM", "TO", "REASON", "BY", "EPOCH", "TRANSPORT", NULL,
	};
	char version[24], stamp[JVPN_UTIL_TIME_TEXT], epoch[16], transport[FORMAT_TEXT];
	struct table table;

	table_init(&table, headings);
	for (size_t i = 0; i < s->n_history; i++) {
		const struct jvpn_nl_transition *t = &s->history[i];

		snprintf(version, sizeof(version), "%llu", (unsigned long long)t->version);
		snprintf(epoch, sizeof(epoch), "%u", t->epoch);
		table_add(&table, (const char *const []) {
			version, jvpn_util_time_format(t->real_time, stamp, sizeof(stamp)),
			jvpn_state_name(t->from), jvpn_state_name(t->to),
			jvpn_reason_name(t->reason), jvpn_origin_name(t->origin), epoch,
			t->has.transport ? format_transport(&t->transport, transport,
							    sizeof(transport)) : NULL,
		});
	}
	putchar('\n');
	table_print(&table, stdout);
	table_free(&table);
}

static void session_show_print(struct ctl *ctl, const struct jvpn_nl_session *s,
			       const struct jvpn_nl_device *device)
{
	uint64_t now_ms = jvpn_util_time_boot_ms();
	char text[512];

	session_show_identity(s, device->ifname);
	session_show_transport(s, now_ms);
	session_show_health(s, now_ms);
	session_show_traffic(s);
	if (s->has.policy) {
		snprintf(text, sizeof(text), "%s, version %u", s->policy.name, s->policy.version);
		session_show_line("policy", text);
	}
	session_show_line("ends", format_deadline(s, now_ms, text, sizeof(text)));
	session_show_line("daemon", kernel_daemon_state(ctl, device, text, sizeof(text)));
	session_show_history(s);
}

static int session_show_run(struct ctl *ctl)
{
	struct jvpn_nl_session *session;
	const struct jvpn_nl_device *device;
	struct kernel kernel;
	int status = kernel_open(ctl, &kernel);

	if (status)
		return status;
	status = kernel_session_find(ctl, &kernel, ctl->arguments[0], &session);
	if (status)
		goto out_close;
	device = kernel_device_of(&kernel, session->device_id);
	if (ctl->json) {
		status = ctl_print_json(format_session_json(session, device->ifname,
							    jvpn_util_time_boot_ms()));
	} else {
		session_show_print(ctl, session, device);
		status = ctl_finish();
	}
	free(session);
out_close:
	kernel_close(&kernel);
	return status;
}

const struct ctl_verb ctl_verb_session_show = {
	.group = "session", .name = "show", .arguments = "SESSION", .least = 1, .most = 1,
	.run = session_show_run,
	.summary = "Show all that the kernel knows about a session",
	.help = "SESSION is the beginning of its id. Works without the daemon.",
};
