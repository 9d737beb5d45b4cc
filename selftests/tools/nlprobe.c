// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink interface for scripts: one request for each call. What it prints
 * is "name=value" lines; a refusal ends with status 1 and says errno and
 * sentence on the standard error.
 *
 *   nlprobe join GATEWAY CLIENT [NAME=VALUE]...  make a session at both ends, print its id
 *   nlprobe move ID GATEWAY CLIENT       jump to other transports, with new keys
 *   nlprobe show [-n NETNS] ID           all of a session
 *   nlprobe get [-n NETNS] ID FIELD      one value of it
 *   nlprobe list [-n NETNS]              id, state and version of all
 *   nlprobe wait [-n NETNS] ID STATE [MS]  until it is in that state
 *   nlprobe transition [-n NETNS] ID EVENT REASON [VERSION]
 *   nlprobe policy [-n NETNS] ID NAME=VALUE...  change the policy of a session
 *   nlprobe delete [-n NETNS] ID
 *   nlprobe counter [-n NETNS] NAME
 *   nlprobe device [-n NETNS]            what device-get tells
 *   nlprobe register [-n NETNS]          receive control packets until killed
 *
 * NAME is one of the policy, such as dead-base-ms.
 * An end is NETNS,DEVICE,OUTER[%INTERFACE],INNER...: where the device is, the
 * underlay address that its socket binds to (and the interface or its number), and the inner
 * prefixes of this end. Without -d DEVICE or -i DEVICE-ID (which "device" tells) the device is
 * jvpn0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nl.h"
#include "test.h"

#define INNERS_MAX 8
#define ARGS_MAX 8

struct end {
	char netns[64];
	char device[IFNAMSIZ];
	struct nl_addr outer;
	char interface[IFNAMSIZ];
	char inner[INNERS_MAX][64];
	unsigned int inners;
	struct nl *nl;
	uint32_t ifindex;
	uint32_t socket;
};

static int status;

static const char *device_name = "jvpn0";
/* Instead of the name: a device that was moved away has none in the namespace of its birth. */
static uint64_t device_id;

static void enter(const char *netns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && !setns(fd, CLONE_NEWNET), "cannot enter the namespace %s: %s", netns,
		strerror(errno));
	close(fd);
}

static void refused(const char *what, const struct nl_reply *reply)
{
	fprintf(stderr, "nlprobe: %s: %s: %s\n", what, strerrorname_np(reply->error), reply->text);
	if (reply->answers)
		fprintf(stderr, "nlprobe: state=%s version=%llu epoch=%u reject=%s\n",
			nl_state_name(reply->view.state), (unsigned long long)reply->view.version,
			reply->view.epoch, nl_reject_name(reply->view.reject));
	status = 1;
}

static void run(struct nl_request *r, const char *what)
{
	struct nl_reply reply;

	if (nl_run(r, &reply))
		refused(what, &reply);
}

static void id_parse(const char *text, uint8_t *id)
{
	unsigned int i, octet;

	for (i = 0; i < JVPN_SESSION_ID_SIZE; i++) {
		REQUIRE(sscanf(text + 2 * i, "%2x", &octet) == 1, "%s is not a session id", text);
		id[i] = octet;
	}
}

static void id_print(const uint8_t *id)
{
	unsigned int i;

	for (i = 0; i < JVPN_SESSION_ID_SIZE; i++)
		printf("%02x", id[i]);
}

/* ---- two ends ---- */

static struct end end_parse(const char *text)
{
	char copy[512], *part, *rest = copy, *percent;
	struct end e = {};

	snprintf(copy, sizeof(copy), "%s", text);
	part = strsep(&rest, ",");
	snprintf(e.netns, sizeof(e.netns), "%s", part);
	part = strsep(&rest, ",");
	REQUIRE(part && rest, "%s is not NETNS,DEVICE,OUTER,INNER", text);
	snprintf(e.device, sizeof(e.device), "%s", part);
	part = strsep(&rest, ",");
	percent = strchr(part, '%');
	if (percent) {
		*percent = '\0';
		snprintf(e.interface, sizeof(e.interface), "%s", percent + 1);
	}
	e.outer = nl_addr(part, 0);
	while ((part = strsep(&rest, ",")) && e.inners < INNERS_MAX)
		snprintf(e.inner[e.inners++], sizeof(e.inner[0]), "%s", part);
	return e;
}

/* By name, or by the number that it has where the device was made. */
static uint32_t interface_index(const char *name)
{
	return *name >= '0' && *name <= '9' ? (uint32_t)atoi(name) : if_nametoindex(name);
}

static void end_open(struct end *e)
{
	uint32_t bind_ifindex = 0;

	enter(e->netns);
	e->ifindex = nl_device(e->device);
	REQUIRE(e->ifindex, "no device %s in %s", e->device, e->netns);
	if (*e->interface)
		bind_ifindex = interface_index(e->interface);
	e->nl = nl_open();
	e->socket = nl_socket(e->nl, e->ifindex, &e->outer, bind_ifindex, &e->outer.port);
}

static struct nl_request end_request(struct end *e, uint8_t cmd, const uint8_t *id)
{
	struct nl_request r = nl_begin(e->nl, cmd);

	nl_put_u32(&r, JVPN_A_SESSION_IFINDEX, e->ifindex);
	nl_put(&r, JVPN_A_SESSION_ID, id, JVPN_SESSION_ID_SIZE);
	return r;
}

static struct nl_transport end_transport(const struct end *e, const struct end *peer)
{
	return (struct nl_transport){ .socket = e->socket, .remote = peer->outer };
}

/* In the order of the attributes, from JVPN_A_POLICY_VERSION. */
static const char * const policy_names[] = {
	"version", "transport-loss-ttl-ms", "idle-interval-ms", "active-interval-ms",
	"dead-base-ms", "dead-rtts", "rx-timeout-ms", "reject-after-ms", "hold-bytes",
	"loss-enter", "loss-leave", "rtt-enter-ms", "rtt-leave-ms",
};

static void put_policy_value(struct nl_request *r, const char *text)
{
	const char *value = strchr(text, '=');
	unsigned int i;

	REQUIRE(value, "%s is not NAME=VALUE", text);
	for (i = 0; i < sizeof(policy_names) / sizeof(policy_names[0]); i++)
		if (strlen(policy_names[i]) == (size_t)(value - text) &&
		    !strncmp(policy_names[i], text, value - text)) {
			nl_put_u32(r, JVPN_A_POLICY_VERSION + i, strtoul(value + 1, NULL, 10));
			return;
		}
	REQUIRE(false, "a policy has no %s", text);
}

static void put_policy(struct nl_request *r, char **values)
{
	void *nest = nl_nest(r, JVPN_A_SESSION_POLICY);

	while (*values)
		put_policy_value(r, *values++);
	nl_nest_end(r, nest);
}

static struct nl_request end_session_new(struct end *e, const struct end *peer, const uint8_t *id,
					 enum jvpn_role role, char **policy)
{
	struct nl_request r = end_request(e, JVPN_CMD_SESSION_NEW, id);
	unsigned int i;

	nl_put_u32(&r, JVPN_A_SESSION_ROLE, role);
	nl_put_text(&r, JVPN_A_SESSION_LABEL, peer->netns);
	for (i = 0; i < peer->inners; i++)
		nl_put_inner(&r, peer->inner[i]);
	put_policy(&r, policy);
	return r;
}

static void end_bind(struct end *e, const struct end *peer, const uint8_t *id,
		     const struct nl_view *v, const struct nl_epoch *keys, const char *what)
{
	struct nl_request r = end_request(e, JVPN_CMD_BINDING_SET, id);
	struct nl_transport t = end_transport(e, peer);

	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, v->version);
	nl_put_u32(&r, JVPN_A_SESSION_EXPECTED_EPOCH, v->epoch);
	nl_put_u32(&r, JVPN_A_SESSION_REASON, JVPN_REASON_OPERATOR_JUMP);
	nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
	nl_put_epoch(&r, keys);
	run(&r, what);
}

static void join(char **argv)
{
	struct end gateway = end_parse(argv[0]), client = end_parse(argv[1]);
	struct nl_epoch keys = nl_epoch(0), mirror = nl_epoch_mirror(&keys);
	uint8_t id[JVPN_SESSION_ID_SIZE];
	struct nl_view fresh = {};
	struct nl_transport t;
	struct nl_request r;

	test_random(id, sizeof(id));
	end_open(&gateway);
	end_open(&client);
	r = end_session_new(&gateway, &client, id, JVPN_ROLE_GATEWAY, argv + 2);
	t = end_transport(&gateway, &client);
	nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
	nl_put_epoch(&r, &keys);
	run(&r, "the gateway's session");
	r = end_session_new(&client, &gateway, id, JVPN_ROLE_CLIENT, argv + 2);
	run(&r, "the client's session");
	end_bind(&client, &gateway, id, &fresh, &mirror, "the client's binding");
	id_print(id);
	putchar('\n');
}

static void move(char **argv)
{
	struct end gateway = end_parse(argv[1]), client = end_parse(argv[2]);
	uint8_t id[JVPN_SESSION_ID_SIZE];
	struct nl_epoch keys, mirror;
	struct nl_view g, c;

	id_parse(argv[0], id);
	end_open(&gateway);
	end_open(&client);
	REQUIRE(!nl_session_get(gateway.nl, gateway.ifindex, id, &g) &&
		!nl_session_get(client.nl, client.ifindex, id, &c), "no such session");
	keys = nl_epoch((g.epoch > c.epoch ? g.epoch : c.epoch) + 1);
	mirror = nl_epoch_mirror(&keys);
	end_bind(&gateway, &client, id, &g, &keys, "the gateway's binding");
	end_bind(&client, &gateway, id, &c, &mirror, "the client's binding");
}

/* ---- one session ---- */

struct probe {
	struct nl *nl;
	uint32_t ifindex;
	uint8_t id[JVPN_SESSION_ID_SIZE];
};

static struct probe probe_open(const char *id)
{
	struct probe p = { .nl = nl_open() };

	if (device_id)
		nl_use_device_id(p.nl, device_id);
	else
		p.ifindex = nl_device(device_name);
	REQUIRE(device_id || p.ifindex, "no device %s here", device_name);
	if (id)
		id_parse(id, p.id);
	return p;
}

static struct nl_view probe_get(struct probe *p)
{
	struct nl_view v;
	int err = nl_session_get(p->nl, p->ifindex, p->id, &v);

	REQUIRE(!err, "no such session: %s", strerror(err));
	return v;
}

static void print_view(FILE *out, const struct nl_view *v)
{
	const struct nl_step *last = v->steps ? &v->step[v->steps - 1] : NULL;

	fprintf(out, "state=%s\nversion=%llu\nepoch=%u\nrole=%s\nlabel=%s\n", nl_state_name(v->state),
		(unsigned long long)v->version, v->epoch, v->role ? "client" : "gateway",
		v->label);
	fprintf(out, "reason=%s\n", last ? nl_reason_name(last->reason) : "none");
	fprintf(out, "origin=%s\n", !last ? "none" : last->origin ? "kernel" : "daemon");
	fprintf(out, "remote=%s\n", nl_addr_text(&v->transport.remote));
	fprintf(out, "local=%s\n", nl_addr_text(&v->transport.local));
	fprintf(out, "local_port=%u\nremote_port=%u\n", v->transport.local.port,
		v->transport.remote.port);
	fprintf(out, "socket=%u\npmtu=%u\npath_mtu=%u\nsearching=%d\n", v->transport.socket,
		v->transport.pmtu, v->transport.path_mtu, v->transport.searching);
	fprintf(out, "rx_packets=%llu\ntx_packets=%llu\nrx_drops=%llu\ntx_drops=%llu\n",
		(unsigned long long)v->stats[JVPN_A_STATS_RX_PACKETS],
		(unsigned long long)v->stats[JVPN_A_STATS_TX_PACKETS],
		(unsigned long long)v->stats[JVPN_A_STATS_RX_DROPS],
		(unsigned long long)v->stats[JVPN_A_STATS_TX_DROPS]);
	fprintf(out, "rx_bytes=%llu\ntx_bytes=%llu\nheld_packets=%llu\n",
		(unsigned long long)v->stats[JVPN_A_STATS_RX_BYTES],
		(unsigned long long)v->stats[JVPN_A_STATS_TX_BYTES],
		(unsigned long long)v->stats[JVPN_A_STATS_HELD_PACKETS]);
	fprintf(out, "rtt_us=%u\nloss=%u\npending=%u\n", v->health.rtt_us, v->health.loss,
		v->pending);
}

static void show(char **argv)
{
	struct probe p = probe_open(argv[0]);
	struct nl_view v = probe_get(&p);

	print_view(stdout, &v);
}

static void get(char **argv)
{
	struct probe p = probe_open(argv[0]);
	struct nl_view v = probe_get(&p);
	char *text = NULL, *line, *rest;
	size_t len, name = strlen(argv[1]);
	FILE *out = open_memstream(&text, &len);

	print_view(out, &v);
	fclose(out);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, argv[1], name) && line[name] == '=') {
			puts(line + name + 1);
			return;
		}
	REQUIRE(false, "a session has no %s", argv[1]);
}

static void list_one(const struct nl_view *v, void *arg)
{
	(void)arg;
	id_print(v->id);
	printf(" %s %llu\n", nl_state_name(v->state), (unsigned long long)v->version);
}

static void list(char **argv)
{
	struct probe p = probe_open(NULL);
	struct nl_request r = nl_begin(p.nl, JVPN_CMD_SESSION_GET);
	struct nl_reply reply;

	(void)argv;
	nl_put_device(&r, p.ifindex);
	if (nl_dump(&r, &reply, list_one, NULL))
		refused("list", &reply);
}

static void wait_state(char **argv)
{
	uint64_t end = test_now() + (argv[2] ? strtoull(argv[2], NULL, 10) : PATIENCE_MS);
	enum jvpn_state state = nl_state_of(argv[1]);
	struct probe p = probe_open(argv[0]);
	struct nl_view v;

	do {
		v = probe_get(&p);
		if (v.state == state)
			return;
		test_pause();
	} while (test_now() < end);
	fprintf(stderr, "nlprobe: the session is %s, version %llu, not %s\n",
		nl_state_name(v.state), (unsigned long long)v.version, argv[1]);
	status = 1;
}

static void transition(char **argv)
{
	struct probe p = probe_open(argv[0]);
	uint64_t version = argv[3] ? strtoull(argv[3], NULL, 10) : probe_get(&p).version;
	struct nl_request r = nl_begin(p.nl, JVPN_CMD_SESSION_TRANSITION);

	nl_put_device(&r, p.ifindex);
	nl_put(&r, JVPN_A_SESSION_ID, p.id, sizeof(p.id));
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, version);
	nl_put_u32(&r, JVPN_A_SESSION_EVENT, nl_event_of(argv[1]));
	nl_put_u32(&r, JVPN_A_SESSION_REASON, nl_reason_of(argv[2]));
	run(&r, "transition");
}

static void policy(char **argv)
{
	struct probe p = probe_open(argv[0]);
	uint64_t version = probe_get(&p).version;
	struct nl_request r = nl_begin(p.nl, JVPN_CMD_SESSION_SET);

	nl_put_u32(&r, JVPN_A_SESSION_IFINDEX, p.ifindex);
	nl_put(&r, JVPN_A_SESSION_ID, p.id, sizeof(p.id));
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, version);
	put_policy(&r, argv + 1);
	run(&r, "policy");
}

static void delete(char **argv)
{
	struct probe p = probe_open(argv[0]);
	struct nl_request r = nl_begin(p.nl, JVPN_CMD_SESSION_DEL);

	nl_put_device(&r, p.ifindex);
	nl_put(&r, JVPN_A_SESSION_ID, p.id, sizeof(p.id));
	run(&r, "delete");
}

static void counter(char **argv)
{
	struct probe p = probe_open(NULL);

	printf("%llu\n", (unsigned long long)nl_counter(p.nl, p.ifindex, argv[0]));
}

static void device(char **argv)
{
	struct probe p = probe_open(NULL);
	struct nl_request r = nl_begin(p.nl, JVPN_CMD_DEVICE_GET);
	struct nl_reply reply;

	(void)argv;
	nl_put_device(&r, p.ifindex);
	if (nl_run(&r, &reply)) {
		refused("device", &reply);
		return;
	}
	printf("device_id=%llu\nifindex=%u\n", (unsigned long long)reply.view.device_id,
	       reply.view.ifindex);
	printf("sessions=%u\nsockets=%u\nmax_sessions=%u\nregistered=%u\n", reply.view.sessions,
	       reply.view.sockets, reply.view.max_sessions, reply.view.registered);
}

static void reg(char **argv)
{
	struct probe p = probe_open(NULL);
	struct nl_request r = nl_begin(p.nl, JVPN_CMD_PACKET_REGISTER);
	struct nl_view v;

	(void)argv;
	nl_put_device(&r, p.ifindex);
	run(&r, "register");
	while (!status)
		if (nl_event(p.nl, 1000, &v) && v.cmd == JVPN_CMD_PACKET_NTF) {
			printf("type=%u len=%u from=%s\n", v.payload[0], v.payload_len,
			       nl_addr_text(&v.transport.remote));
			fflush(stdout);
		}
}

static const struct {
	const char *name;
	int least;
	int most;
	void (*run)(char **argv);
} verbs[] = {
	{ "join", 2, ARGS_MAX, join },
	{ "move", 3, 3, move },
	{ "show", 1, 1, show },
	{ "get", 2, 2, get },
	{ "list", 0, 0, list },
	{ "wait", 2, 3, wait_state },
	{ "transition", 3, 4, transition },
	{ "policy", 2, ARGS_MAX, policy },
	{ "delete", 1, 1, delete },
	{ "counter", 1, 1, counter },
	{ "device", 0, 0, device },
	{ "register", 0, 0, reg },
};

static int usage(void)
{
	fprintf(stderr, "usage: nlprobe VERB [-n NETNS] [-d DEVICE | -i DEVICE-ID] ARGUMENT...\nverbs:");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(stderr, " %s", verbs[i].name);
	fputc('\n', stderr);
	return 2;
}

int main(int argc, char **argv)
{
	char *args[ARGS_MAX + 1] = {};
	int count = 0, i;

	if (argc < 2)
		return usage();
	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "-n") && i + 1 < argc)
			enter(argv[++i]);
		else if (!strcmp(argv[i], "-d") && i + 1 < argc)
			device_name = argv[++i];
		else if (!strcmp(argv[i], "-i") && i + 1 < argc)
			device_id = strtoull(argv[++i], NULL, 10);
		else if (count < ARGS_MAX)
			args[count++] = argv[i];
		else
			return usage();
	}
	for (i = 0; i < (int)(sizeof(verbs) / sizeof(verbs[0])); i++) {
		if (strcmp(verbs[i].name, argv[1]))
			continue;
		if (count < verbs[i].least || count > verbs[i].most)
			return usage();
		verbs[i].run(args);
		return status;
	}
	return usage();
}
