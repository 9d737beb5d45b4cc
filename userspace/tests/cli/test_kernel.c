// SPDX-License-Identifier: GPL-2.0
/*
 * jvpnctl on the kernel's own table, without a daemon. Needs the module and root; a
 * network namespace of its own keeps it apart. Skipped where there is no module.
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "../tap.h"
#include "nl.h"

#define DEVICE "jvpntest0"

static struct jvpn_nl *nl;
static struct jvpn_nl_error error;
static uint32_t ifindex, sock, next_index = 1;
static char output[262144];

__attribute__((format(printf, 1, 2)))
static int ctl(const char *format, ...)
{
	char arguments[256], command[1024];
	va_list args;
	FILE *pipe;
	size_t n;

	va_start(args, format);
	vsnprintf(arguments, sizeof(arguments), format, args);
	va_end(args);
	snprintf(command, sizeof(command), "%s/bin/jvpnctl %s 2>&1",
		 getenv("BUILD") ? getenv("BUILD") : "../build", arguments);
	pipe = popen(command, "r");
	if (!pipe)
		return -1;
	n = fread(output, 1, sizeof(output) - 1, pipe);
	output[n] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

/* A failure here is none of jvpnctl: the test cannot go on. */
static void must(int ret, const char *what)
{
	if (!ret)
		return;
	printf("Bail out! %s: %s [%s]\n", what, error.text, error.attr);
	exit(2);
}

static void id_make(uint8_t id[JVPN_SESSION_ID_SIZE], uint8_t number)
{
	memset(id, 0x11 * (number & 15), JVPN_SESSION_ID_SIZE);
	/* A twin: the same but for its end. */
	if (number > 15)
		id[JVPN_SESSION_ID_SIZE - 1] = 0xff;
}

static void address_parse(struct jvpn_addr *addr, const char *text)
{
	const char *why;

	must(jvpn_addr_parse(addr, text, &why), text);
}

static void socket_make(void)
{
	struct jvpn_nl_socket request = { }, reply;

	JVPN_NL_SET(&request, ifindex, ifindex);
	address_parse(&request.local, "0.0.0.0");
	must(jvpn_nl_socket_new(nl, &request, &reply, &error), "socket");
	sock = reply.id;
}

static void session_make(uint8_t number)
{
	struct jvpn_nl_session *s = calloc(1, sizeof(*s));
	char address[32];

	JVPN_NL_SET(s, ifindex, ifindex);
	s->has.id = true;
	id_make(s->id, number);
	JVPN_NL_SET(s, role, JVPN_ROLE_CLIENT);
	s->has.label = true;
	snprintf(s->label, sizeof(s->label), "peer%u", number);
	s->n_inner = 1;
	snprintf(address, sizeof(address), "10.77.0.%u", number);
	address_parse(&s->inner[0].addr, address);
	JVPN_NL_SET(&s->inner[0], prefix_len, 32);
	s->has.policy = true;
	s->policy.has.name = true;
	strcpy(s->policy.name, "default");
	JVPN_NL_SET(&s->policy, version, 7);
	JVPN_NL_SET(&s->policy, transport_loss_ttl_ms, 100000);
	must(jvpn_nl_session_new(nl, s, NULL, &error), "session");
	free(s);
}

static void session_bind(uint8_t number)
{
	struct jvpn_nl_session *s = calloc(1, sizeof(*s));

	JVPN_NL_SET(s, ifindex, ifindex);
	s->has.id = true;
	id_make(s->id, number);
	JVPN_NL_SET(s, expected_version, 0);
	JVPN_NL_SET(s, expected_epoch, 0);
	JVPN_NL_SET(s, reason, JVPN_REASON_HANDSHAKE_OK);
	s->has.transport = true;
	JVPN_NL_SET(&s->transport, socket, sock);
	address_parse(&s->transport.remote, "192.0.2.7");
	JVPN_NL_SET(&s->transport, remote_port, 4000);
	s->has.keys = true;
	JVPN_NL_SET(&s->keys, number, 0);
	JVPN_NL_SET(&s->keys, suite, JVPN_SUITE_CHACHA20_POLY1305);
	JVPN_NL_SET(&s->keys, rx_index, next_index++);
	JVPN_NL_SET(&s->keys, tx_index, next_index++);
	s->keys.has.rx_key = s->keys.has.rx_iv = s->keys.has.tx_key = s->keys.has.tx_iv = true;
	memset(s->keys.rx_key, number, sizeof(s->keys.rx_key));
	memset(s->keys.tx_key, 0x80 + number, sizeof(s->keys.tx_key));
	must(jvpn_nl_binding_set(nl, s, NULL, &error), "binding");
	free(s);
}

static void session_step(uint8_t number, uint64_t version, uint32_t event, uint32_t reason)
{
	struct jvpn_nl_session *s = calloc(1, sizeof(*s));

	JVPN_NL_SET(s, ifindex, ifindex);
	s->has.id = true;
	id_make(s->id, number);
	JVPN_NL_SET(s, expected_version, version);
	JVPN_NL_SET(s, event, event);
	JVPN_NL_SET(s, reason, reason);
	must(jvpn_nl_session_transition(nl, s, NULL, &error), "transition");
	free(s);
}

static void test_empty(void)
{
	tap_equal((unsigned int)ctl("session list"), 0, "session list without sessions");
	tap_contains(output, DEVICE ": 0 sessions, daemon: not running",
		     "the device is there, the daemon is not");
	tap_equal((unsigned int)ctl("-i nope session list"), 3, "a device that is not there");
	tap_equal((unsigned int)ctl("events"), 0, "events of no session");
}

static void test_list(void)
{
	tap_equal((unsigned int)ctl("session list"), 0, "session list");
	tap_contains(output, "peer1  ATTACHED    1        0      192.0.2.7:4000  10.77.0.1",
		     "a bound session");
	tap_contains(output, "peer2  RECOVERING  2        0      -               10.77.0.2",
		     "one without a binding");
	tap_contains(output, "daemon: not running", "and the state of the daemon");
	tap_equal((unsigned int)ctl("--json session list"), 0, "session list for programs");
	tap_contains(output, "\"" DEVICE "\": \"not running\"", "the state of the daemon");
	tap_contains(output, "\"session_id\": \"11111111111111111111111111111111\"", "whole ids");
	tap_equal((unsigned int)ctl("session list --ids"), 0, "session list --ids");
	tap_contains(output, "22222222222222222222222222222222\n", "one id a line");
}

static void test_show(void)
{
	tap_equal((unsigned int)ctl("session show 1111"), 0, "session show");
	tap_contains(output, "state        ATTACHED, version 1, epoch 0", "its state");
	tap_contains(output, "BIRTH  ATTACHED  HANDSHAKE_OK  DAEMON", "its history");
	tap_contains(output, "daemon       not running", "and the state of the daemon");
	tap_equal((unsigned int)ctl("session show --json 2222"), 0, "session show for programs");
	tap_contains(output, "\"reason\": \"LINK_DOWN\"", "the history with its reasons");
	tap_equal((unsigned int)ctl("session show abcd"), 3, "a session that is not there");
	tap_equal((unsigned int)ctl("session show 11"), 2, "too few digits");
	tap_equal((unsigned int)ctl("session show 1111zz"), 2, "no digits");
	session_make(1 + 16);
	tap_equal((unsigned int)ctl("session show 1111"), 3, "an id that two sessions begin with");
	tap_contains(output, "2 sessions begin with '1111': give more digits", "is explained");
	tap_equal((unsigned int)ctl("session show 111111111111111111111111111111ff"), 0,
		  "a whole id is always one");
}

static void test_explain(void)
{
	tap_equal((unsigned int)ctl("session explain 11111111111111111111111111111111"), 0,
		  "session explain");
	tap_contains(output, "is ATTACHED at version 1", "where it is");
	tap_contains(output, "by HANDSHAKE_OK: the handshake was done", "what happened");
	tap_contains(output, "Next: a heartbeat every", "what comes next");
	tap_equal((unsigned int)ctl("session explain 2222"), 0, "of one that lost its transport");
	tap_contains(output, "ATTACHED to RECOVERING by LINK_DOWN: its interface went down",
		     "why it did");
	tap_contains(output, "TRANSPORT_LOSS_TTL_EXPIRED in 1m 39s", "when it ends");
	tap_contains(output, "The daemon cannot be asked", "what it cannot tell");
	tap_equal((unsigned int)ctl("session explain 3333"), 0, "of one that ended");
	tap_contains(output, "TERMINATED is final", "that it is final");
}

static void test_watch(void)
{
	tap_equal((unsigned int)ctl("session watch -n 50 -c 2"), 0, "session watch");
	tap_contains(output, "TRANSPORT_LOSS_TTL_EXPIRED in", "the next deadline");
	tap_equal((unsigned int)ctl("--json session watch 1111 -c 1"), 0, "of some, for programs");
	tap_ok(strstr(output, "1111") && !strstr(output, "22222222"), "the others left out");
}

static void test_others(void)
{
	tap_equal((unsigned int)ctl("transport list"), 0, "transport list");
	tap_contains(output, "udp4      -          0.0.0.0:", "the kernel's socket");
	tap_equal((unsigned int)ctl("events"), 0, "events");
	tap_contains(output, "222222222222  TRANSPORT_DEAD  ATTACHED -> RECOVERING  LINK_DOWN  v2",
		     "what the kernel remembers");
	tap_equal((unsigned int)ctl("status"), 4, "status");
	tap_contains(output, "sessions in the kernel", "what is there without a daemon");
	tap_equal((unsigned int)ctl("session jump 2222"), 4, "session jump needs the daemon");
	tap_equal((unsigned int)ctl("session terminate 2222"), 4, "session terminate too");
	tap_equal((unsigned int)ctl("session jump abcd"), 3, "but not to know the session");
	tap_equal((unsigned int)ctl("events >/dev/full"), 1, "a full disk is noticed");
}

static void test_forbidden(void)
{
	char command[512];
	int status;

	snprintf(command, sizeof(command), "setpriv --reuid 65534 --clear-groups "
		 "%s/bin/jvpnctl session list >/dev/null 2>&1",
		 getenv("BUILD") ? getenv("BUILD") : "../build");
	status = system(command);
	tap_equal((unsigned int)WEXITSTATUS(status), 7, "session list without the right to it");
}

int main(void)
{
	if (unshare(CLONE_NEWNET)) {
		printf("1..0 # SKIP no network namespace of its own: %s\n", strerror(errno));
		return 0;
	}
	nl = jvpn_nl_open(&error);
	if (!nl) {
		printf("1..0 # SKIP %s\n", error.text);
		return 0;
	}
	if (system("ip link add " DEVICE " type jvpn")) {
		puts("Bail out! cannot make a device");
		return 2;
	}
	ifindex = if_nametoindex(DEVICE);
	test_empty();
	socket_make();
	for (uint8_t number = 1; number <= 3; number++) {
		session_make(number);
		session_bind(number);
	}
	session_step(2, 1, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_LINK_DOWN);
	session_step(3, 1, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR);
	test_list();
	test_show();
	test_explain();
	test_watch();
	test_others();
	test_forbidden();
	jvpn_nl_close(nl);
	tap_ok(!system("ip link del " DEVICE), "the device is gone");
	return tap_done();
}
