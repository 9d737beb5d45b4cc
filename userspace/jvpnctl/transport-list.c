// SPDX-License-Identifier: GPL-2.0
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "format.h"
#include "kernel.h"
#include "table.h"

/* With the daemon: its candidates and what it thinks of them. */

static const char *transport_list_text(const json_t *transport, const char *name, char *buf,
				       size_t size)
{
	const json_t *value = json_object_get(transport, name);

	/* The address is the kernel's choice, packet by packet; the port is known. */
	if (!value && !strcmp(name, "local"))
		value = json_object_get(transport, "local_port");
	if (json_is_integer(value))
		snprintf(buf, size, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(buf, size, "%.1f", json_real_value(value));
	else
		snprintf(buf, size, "%s", json_is_string(value) ? json_string_value(value) : "-");
	return buf;
}

static void transport_list_table(const json_t *transports)
{
	static const char *const headings[] = {
		"TRANSPORT", "STATE", "PROTOCOL", "INTERFACE", "LOCAL", "REMOTE", "PREFERENCE",
		"RTT ms", "LOSS %", "WHY", NULL,
	};
	static const char *const names[] = {
		"name", "state", "protocol", "interface", "local", "remote", "preference",
		"rtt_ms", "loss_percent", "why",
	};
	char texts[sizeof(names) / sizeof(names[0])][FORMAT_TEXT];
	const char *cells[sizeof(names) / sizeof(names[0])];
	struct table table;
	json_t *transport;
	size_t i;

	table_init(&table, headings);
	json_array_foreach(transports, i, transport) {
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			cells[j] = transport_list_text(transport, names[j], texts[j],
						       sizeof(texts[j]));
		table_add(&table, cells);
	}
	table_print(&table, stdout);
	table_free(&table);
}

static int transport_list_ask(struct ctl *ctl, struct client *client)
{
	json_t *result;
	int status = client_call(ctl, client, "transport.list", NULL, CLIENT_TIMEOUT_MS, &result);

	if (status)
		return status;
	if (ctl->json)
		return ctl_print_json(result);
	transport_list_table(json_object_get(result, "transports"));
	json_decref(result);
	return ctl_finish();
}

/* Without it: the sockets in the kernel. */

struct transport_sockets {
	struct table table;
	json_t *list;
	const char *device;
};

static void transport_socket_visit(void *context, const struct jvpn_nl_socket *s)
{
	struct transport_sockets *sockets = context;
	char name[IF_NAMESIZE] = "", local[JVPN_ADDR_TEXT], id[16];
	struct sockaddr_storage sa;

	if (s->bind_ifindex && !if_indextoname(s->bind_ifindex, name))
		snprintf(name, sizeof(name), "#%u", s->bind_ifindex % 1000000);
	jvpn_addr_to_sockaddr(&s->local, s->local_port, &sa);
	jvpn_sockaddr_format((struct sockaddr *)&sa, local, sizeof(local));
	snprintf(id, sizeof(id), "%u", s->id);
	if (sockets->list)
		json_array_append_new(sockets->list, json_pack("{s:s, s:I, s:s, s:s, s:s?}",
			"device", sockets->device, "socket", (json_int_t)s->id, "protocol",
			s->local.family == AF_INET6 ? "udp6" : "udp4", "local", local,
			"interface", *name ? name : NULL));
	else
		table_add(&sockets->table, (const char *const []) {
			sockets->device, id, s->local.family == AF_INET6 ? "udp6" : "udp4", name,
			local });
}

static int transport_sockets_read(struct ctl *ctl, struct transport_sockets *sockets)
{
	struct jvpn_nl_error error;
	struct kernel kernel;
	int status = kernel_open(ctl, &kernel);

	for (size_t i = 0; !status && i < kernel.n_devices; i++) {
		sockets->device = kernel.devices[i].ifname;
		if (jvpn_nl_socket_dump(kernel.nl, kernel.devices[i].device_id,
					transport_socket_visit, sockets, &error) < 0)
			status = ctl_fail(ctl, CTL_FAILED, "KERNEL", "%s", error.text);
	}
	kernel_close(&kernel);
	return status;
}

static int transport_list_sockets(struct ctl *ctl)
{
	static const char *const headings[] = {
		"DEVICE", "SOCKET", "PROTOCOL", "INTERFACE", "LOCAL", NULL,
	};
	struct transport_sockets sockets = { .list = ctl->json ? json_array() : NULL };
	int status;

	table_init(&sockets.table, headings);
	status = transport_sockets_read(ctl, &sockets);
	if (!status && ctl->json) {
		status = ctl_print_json(json_pack("{s:s, s:O}", "daemon", "not running", "sockets",
						  sockets.list));
	} else if (!status) {
		table_print(&sockets.table, stdout);
		printf("\ndaemon: not running; these are the kernel's sockets\n");
		status = ctl_finish();
	}
	table_free(&sockets.table);
	json_decref(sockets.list);
	return status;
}

static int transport_list_run(struct ctl *ctl)
{
	char name[16], why[256];
	struct client *client = client_try(ctl, kernel_device_guess(ctl, name, sizeof(name)), why,
					   sizeof(why));
	int status;

	if (!client)
		return transport_list_sockets(ctl);
	status = transport_list_ask(ctl, client);
	client_close(client);
	return status;
}

const struct ctl_verb ctl_verb_transport_list = {
	.group = "transport", .name = "list", .arguments = "", .run = transport_list_run,
	.summary = "List the transports that sessions use or could use",
	.help = "Without the daemon, the sockets in the kernel.",
};
