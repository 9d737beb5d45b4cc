// SPDX-License-Identifier: GPL-2.0
/*
 * A JVPN1 data-path peer for scripts and for trying things by hand. It makes
 * its own session on the device at the other end, so keys need no way of their
 * own, and then does line by line what its input says:
 *
 *   fakepeer GATEWAY-NETNS,DEVICE,OUTER NETNS OUTER INNER
 *
 * GATEWAY is where the device is; the peer's socket is at OUTER in NETNS, INNER
 * is its inner address (IPv4). Commands, each answered by a line that begins
 * with "ok" or "not ok":
 *
 *   send DST TEXT            UDP from INNER to port 5000 of DST
 *   send-at COUNTER DST TEXT the same with this counter
 *   send-from SRC DST TEXT   with another inner source
 *   raw HEX                  a datagram as it is
 *   tamper OCTET DST TEXT    with this octet of the datagram changed
 *   repeat                   the last datagram once more
 *   truncate N               the last datagram cut to N octets
 *   index HEX DST TEXT       with another index
 *   keepalive                an empty packet
 *   heartbeat                and wait for the echo
 *   elsewhere                the last datagram from another port
 *   receive                  the next inner packet, as text
 *   state NAME               of the session at the device
 *   drops NAME N             since the last such question
 *   sleep MS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nl.h"
#include "peer.h"
#include "test.h"

static struct nl *nl;
static uint32_t ifindex;
static uint8_t id[JVPN_SESSION_ID_SIZE];
static struct peer peer;
static char inner_address[64];
static uint8_t last[PEER_DATAGRAM_MAX];
static size_t last_len;
static struct nl_counters before;

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

static void answer(bool good, const char *format, ...)
{
	va_list args;

	printf(good ? "ok " : "not ok ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void session_make(uint32_t socket)
{
	struct nl_transport t = { .socket = socket, .remote = peer.local };
	struct nl_request r = nl_begin(nl, JVPN_CMD_SESSION_NEW);
	struct nl_reply reply;
	char prefix[80];

	test_random(id, sizeof(id));
	snprintf(prefix, sizeof(prefix), "%s/32", inner_address);
	nl_put_u32(&r, JVPN_A_SESSION_IFINDEX, ifindex);
	nl_put(&r, JVPN_A_SESSION_ID, id, sizeof(id));
	nl_put_u32(&r, JVPN_A_SESSION_ROLE, JVPN_ROLE_GATEWAY);
	nl_put_text(&r, JVPN_A_SESSION_LABEL, "fakepeer");
	nl_put_inner(&r, prefix);
	nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
	nl_put_epoch(&r, &peer.epoch);
	REQUIRE(!nl_run(&r, &reply), "cannot make the session: %s", reply.text);
}

/* GATEWAY-NETNS,DEVICE,OUTER NETNS OUTER INNER */
static void begin(char **argv)
{
	char *rest = strdup(argv[0]), *netns = strsep(&rest, ","), *device = strsep(&rest, ",");
	struct nl_addr kernel, local = nl_addr(argv[2], 0);
	uint32_t socket;

	REQUIRE(device && rest, "%s is not NETNS,DEVICE,OUTER", argv[0]);
	kernel = nl_addr(rest, 0);
	snprintf(inner_address, sizeof(inner_address), "%s", argv[3]);
	enter(netns);
	nl = nl_open();
	ifindex = nl_device(device);
	REQUIRE(ifindex, "no device %s in %s", device, netns);
	socket = nl_socket(nl, ifindex, &kernel, 0, &kernel.port);
	enter(argv[1]);
	peer_open(&peer, &local, &kernel);
	peer.epoch = nl_epoch(0);
	session_make(socket);
	nl_counters(nl, ifindex, &before);
}

static void send_last(struct peer *from)
{
	peer_send_raw(from, last, last_len);
}

/* Build a datagram; it is the last one then. */
static void build(const struct nl_flow *flow, uint64_t counter, const char *src, const char *dst,
		  const char *text)
{
	struct inner in = { .src = src, .dst = dst, .sport = 6000, .dport = 5000,
			    .payload = text, .len = strlen(text) };
	static uint8_t inner[PEER_DATAGRAM_MAX];

	last_len = peer_seal(flow, counter, inner, inner_build(inner, &in), last);
}

static void send_text(const char *src, const char *dst, const char *text)
{
	build(&peer.epoch.rx, peer.counter++, src, dst, text);
	send_last(&peer);
	answer(true, "sent counter %llu", (unsigned long long)peer.counter - 1);
}

static void send_raw(const char *hex)
{
	unsigned int octet;

	for (last_len = 0; sscanf(hex + 2 * last_len, "%2x", &octet) == 1; last_len++)
		last[last_len] = octet;
	send_last(&peer);
	answer(true, "sent %zu octets", last_len);
}

static void heartbeat(void)
{
	struct peer_heartbeat h = { .seq = 1, .ts = test_now() }, r;
	uint8_t text[PEER_HEARTBEAT_CLIENT_SIZE];
	static struct peer_datagram d;

	peer_send(&peer, text, peer_heartbeat_build(text, &h));
	while (peer_receive(&peer, PATIENCE_MS, &d))
		if (peer_heartbeat_read(&d, &r) && r.reply && r.echo_ts == h.ts) {
			answer(true, "echoed, version %llu", (unsigned long long)r.version);
			return;
		}
	answer(false, "no echo came");
}

static void elsewhere(void)
{
	struct nl_addr a = peer.local;
	struct peer other;

	a.port = 0;
	other = peer_elsewhere(&peer, &a);
	send_last(&other);
	answer(true, "sent from port %u", other.local.port);
	peer_close(&other);
}

static void receive(void)
{
	static struct peer_datagram d;

	if (!peer_receive_inner(&peer, PATIENCE_MS, &d))
		answer(false, "nothing came");
	else
		answer(true, "%.*s", d.inner_len > 28 ? (int)d.inner_len - 28 : 0, d.inner + 28);
}

static void state(const char *name)
{
	uint32_t wanted = nl_state_of(name);
	struct nl_view v;
	bool came = WAIT_FOR(!nl_session_get(nl, ifindex, id, &v) && v.state == wanted);

	answer(came, "the session is %s, version %llu", nl_state_name(v.state),
	       (unsigned long long)v.version);
}

static void drops(const char *name, uint64_t wanted)
{
	uint64_t had = nl_counters_of(&before, name);
	bool came = WAIT_FOR(nl_counter(nl, ifindex, name) - had == wanted);

	nl_counters(nl, ifindex, &before);
	answer(came, "%s rose by %llu", name,
	       (unsigned long long)(nl_counters_of(&before, name) - had));
}

static void command(char *line)
{
	struct nl_flow flow = peer.epoch.rx;
	char *word = strsep(&line, " "), *a, *b;

	if (!strcmp(word, "receive")) {
		receive();
	} else if (!strcmp(word, "heartbeat")) {
		heartbeat();
	} else if (!strcmp(word, "elsewhere")) {
		elsewhere();
	} else if (!strcmp(word, "keepalive")) {
		last_len = peer_seal(&flow, peer.counter++, "", 0, last);
		send_last(&peer);
		answer(true, "sent");
	} else if (!strcmp(word, "repeat")) {
		send_last(&peer);
		answer(true, "sent");
	} else if (!line) {
		answer(false, "%s is no command, or lacks its arguments", word);
	} else if (!strcmp(word, "raw")) {
		send_raw(line);
	} else if (!strcmp(word, "truncate")) {
		peer_send_raw(&peer, last, strtoul(line, NULL, 10) < last_len ?
			      strtoul(line, NULL, 10) : last_len);
		answer(true, "sent");
	} else if (!strcmp(word, "state")) {
		state(line);
	} else if (!strcmp(word, "sleep")) {
		test_sleep(strtoul(line, NULL, 10));
		answer(true, "slept");
	} else if (!strcmp(word, "drops")) {
		a = strsep(&line, " ");
		drops(a, line ? strtoull(line, NULL, 10) : 1);
	} else if (!strcmp(word, "send")) {
		a = strsep(&line, " ");
		send_text(inner_address, a, line ? line : "");
	} else if (!strcmp(word, "send-from")) {
		a = strsep(&line, " ");
		b = strsep(&line, " ");
		send_text(a, b ? b : a, line ? line : "");
	} else {
		/* The rest change something of a datagram: VALUE DST TEXT. */
		a = strsep(&line, " ");
		b = strsep(&line, " ");
		if (!b) {
			answer(false, "%s is no command, or lacks its arguments", word);
			return;
		}
		if (!strcmp(word, "index"))
			flow.index = strtoul(a, NULL, 16);
		build(&flow, !strcmp(word, "send-at") ? strtoull(a, NULL, 10) : peer.counter++,
		      inner_address, b, line ? line : "");
		if (!strcmp(word, "tamper"))
			last[strtoul(a, NULL, 10) % last_len] ^= 1;
		send_last(&peer);
		answer(!strcmp(word, "index") || !strcmp(word, "send-at") || !strcmp(word, "tamper"),
		       "sent");
	}
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (argc != 5) {
		fprintf(stderr, "usage: fakepeer GATEWAY-NETNS,DEVICE,OUTER NETNS OUTER INNER\n");
		return 2;
	}
	begin(argv + 1);
	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (*line && *line != '#')
			command(line);
	}
	free(line);
	return 0;
}
