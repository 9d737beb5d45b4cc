// SPDX-License-Identifier: GPL-2.0
/*
 * The client against the module itself, in a network namespace of our own.
 * Skipped where there is no module; the guests have it.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"
#include "nl.h"
#include "proto.h"
#include "rtnl.h"

#define CROWD 300

static struct jvpn_nl *nl;
static struct jvpn_rtnl *rtnl;
static struct jvpn_nl_error error;
static uint32_t ifindex;
static uint64_t device_id;
static const uint8_t id[JVPN_SESSION_ID_SIZE] = "the first one..";

static bool done(int result, const char *claim)
{
	if (result)
		tap_note("%d: %s [%s]", result, error.text, error.attr);
	return tap_ok(result == 0, "%s", claim);
}

/* --- requests ------------------------------------------------------------- */

static struct jvpn_nl_session request(const uint8_t *session)
{
	struct jvpn_nl_session s = {};

	JVPN_NL_SET(&s, ifindex, ifindex);
	s.has.id = true;
	memcpy(s.id, session, sizeof(s.id));
	return s;
}

static void keys_fill(struct jvpn_nl_session *s, uint32_t number, uint32_t index)
{
	struct jvpn_nl_epoch *keys = &s->keys;

	s->has.keys = true;
	JVPN_NL_SET(keys, number, number);
	JVPN_NL_SET(keys, suite, JVPN_SUITE_CHACHA20_POLY1305);
	JVPN_NL_SET(keys, rx_index, index);
	JVPN_NL_SET(keys, tx_index, index + 1);
	keys->has.rx_key = keys->has.rx_iv = keys->has.tx_key = keys->has.tx_iv = true;
	memset(keys->rx_key, index, sizeof(keys->rx_key));
	memset(keys->tx_key, index + 1, sizeof(keys->tx_key));
}

static void transport_fill(struct jvpn_nl_transport *t, uint32_t sock, uint16_t port)
{
	t->remote = (struct jvpn_addr){ AF_INET, { 127, 0, 0, 2 } };
	JVPN_NL_SET(t, socket, sock);
	JVPN_NL_SET(t, remote_port, port);
}

static struct jvpn_nl_session new_request(const uint8_t *session, uint32_t host)
{
	struct jvpn_nl_session s = request(session);

	JVPN_NL_SET(&s, role, JVPN_ROLE_CLIENT);
	s.n_inner = 1;
	s.inner[0].addr = (struct jvpn_addr){ AF_INET, { 10, 9, host >> 8, host } };
	JVPN_NL_SET(&s.inner[0], prefix_len, 32);
	/* Nobody answers: it must not be declared dead during the test. */
	s.has.policy = true;
	JVPN_NL_SET(&s.policy, idle_interval_ms, 600000);
	JVPN_NL_SET(&s.policy, active_interval_ms, 600000);
	JVPN_NL_SET(&s.policy, dead_base_ms, 600000);
	return s;
}

static struct jvpn_nl_session binding_request(uint32_t sock, uint64_t version, uint32_t number)
{
	struct jvpn_nl_session s = request(id);

	JVPN_NL_SET(&s, expected_version, version);
	s.has.transport = true;
	transport_fill(&s.transport, sock, 4500);
	keys_fill(&s, number, 100 + number * 2);
	JVPN_NL_SET(&s, reason, JVPN_REASON_CLIENT_JUMP);
	return s;
}

/* --- devices and sockets -------------------------------------------------- */

static void count_device(void *context, const struct jvpn_nl_device *device)
{
	*(unsigned int *)context += device->ifindex == ifindex && !strcmp(device->ifname, "test0");
}

static void test_device(void)
{
	struct jvpn_nl_device device, set = {};
	unsigned int seen = 0;

	done(jvpn_nl_device_get(nl, ifindex, &device, &error), "the device is read");
	device_id = device.device_id;
	done(jvpn_nl_device_get_by_id(nl, device_id, &device, &error), "and again by its id");
	tap_equal(device.ifindex, ifindex, "with its index");
	tap_ok(!strcmp(device.ifname, "test0") && device.has.max_sessions && !device.sessions &&
	       !device.has.registered && device.n_counter > 20 && device.boottime,
	       "with its name, limits and %zu counters", device.n_counter);
	done(jvpn_nl_device_dump(nl, count_device, &seen, &error), "devices are dumped");
	tap_equal(seen, 1, "it is there once");
	JVPN_NL_SET(&set, ifindex, ifindex);
	JVPN_NL_SET(&set, max_sessions, 1000);
	done(jvpn_nl_device_set(nl, &set, &error), "its limit is changed");
	jvpn_nl_device_get(nl, ifindex, &device, NULL);
	tap_equal(device.max_sessions, 1000, "and is what was asked for");
	tap_ok(jvpn_nl_device_get(nl, 1, &device, &error) == -ENODEV &&
	       !strcmp(error.attr, "device.ifindex") && error.text[0],
	       "another kind of interface is ENODEV at device.ifindex: %s", error.text);
	set.max_sessions = 0;
	tap_ok(jvpn_nl_device_set(nl, &set, &error) == -ERANGE &&
	       !strcmp(error.attr, "device.max-sessions"), "a limit of 0 is ERANGE, and named");
}

struct sockets_seen {
	uint32_t id;
	uint16_t port;
	unsigned int count, found;
};

static void see_socket(void *context, const struct jvpn_nl_socket *sock)
{
	struct sockets_seen *seen = context;

	seen->count++;
	seen->found += sock->id == seen->id && sock->local_port == seen->port &&
		       sock->local.family == AF_INET && sock->local.bytes[0] == 127;
}

static uint32_t test_socket(uint8_t last, uint16_t *port)
{
	struct jvpn_nl_socket sock = { .local = { AF_INET, { 127, 0, 0, last } } }, made;
	struct sockets_seen seen = {};

	JVPN_NL_SET(&sock, ifindex, ifindex);
	if (!done(jvpn_nl_socket_new(nl, &sock, &made, &error), "a socket is made"))
		return 0;
	tap_ok(made.id && made.local_port && made.local.bytes[3] == last, "with id and port");
	seen.id = made.id;
	seen.port = made.local_port;
	done(jvpn_nl_socket_dump(nl, device_id, see_socket, &seen, &error), "sockets are dumped");
	tap_equal(seen.found, 1, "it is there once");
	*port = made.local_port;
	return made.id;
}

/* --- sessions ------------------------------------------------------------- */

static void see_session(void *context, const struct jvpn_nl_session *session)
{
	unsigned int *seen = context;

	*seen += session->has.id && session->has.state && session->n_inner == 1;
}

static void test_session(uint32_t sock)
{
	struct jvpn_nl_session s = new_request(id, 1), reply;

	strcpy(s.label, "a peer");
	s.has.label = true;
	done(jvpn_nl_session_new(nl, &s, &reply, &error), "a session is made");
	tap_ok(reply.has.version && !reply.version && reply.state == JVPN_STATE_BIRTH,
	       "in BIRTH, version 0");
	s = binding_request(sock, 0, 1);
	done(jvpn_nl_binding_set(nl, &s, &reply, &error), "it is bound");
	tap_ok(reply.version == 1 && reply.state == JVPN_STATE_ATTACHED && reply.n_history == 1 &&
	       reply.history[0].event == JVPN_EVENT_HANDSHAKE_DONE,
	       "ATTACHED, version 1, with its transition");
	done(jvpn_nl_session_get(nl, device_id, id, &reply, &error), "it is read");
	tap_ok(!strcmp(reply.label, "a peer") && reply.n_inner == 1 &&
	       reply.inner[0].addr.bytes[3] == 1 && reply.transport.socket == sock &&
	       reply.transport.remote_port == 4500 && reply.keys.number == 1 &&
	       !reply.keys.has.rx_key && !reply.keys.has.tx_key &&
	       reply.policy.dead_base_ms == 600000 && reply.n_history == 1,
	       "as it was made, and without its keys");
}

static void test_refusals(uint32_t sock)
{
	struct jvpn_nl_session s = binding_request(sock, 7, 2), reply;

	tap_ok(jvpn_nl_binding_set(nl, &s, &reply, &error) == -ESTALE && error.has_current &&
	       error.reject == JVPN_REJECT_STALE_VERSION && error.version == 1 &&
	       error.state == JVPN_STATE_ATTACHED && error.epoch == 1,
	       "a stale version is refused, and the current one told: %s", error.text);
	tap_ok(jvpn_nl_binding_set(nl, &s, NULL, &error) == -ESTALE && error.version == 1,
	       "also without room for the answer");
	tap_ok(jvpn_nl_binding_set(nl, &s, NULL, NULL) == -ESTALE, "and without room for words");
	s = binding_request(sock, 1, 2);
	s.keys.has.rx_key = false;
	tap_ok(jvpn_nl_binding_set(nl, &s, NULL, &error) == -EINVAL && !error.has_current &&
	       !strcmp(error.attr, "session.keys"), "missing keys are EINVAL: %s", error.text);
	s = binding_request(sock, 1, 2);
	s.keys.suite = 9;
	tap_ok(jvpn_nl_binding_set(nl, &s, NULL, &error) == -ERANGE &&
	       !strcmp(error.attr, "session.keys.suite"), "an attribute of a nest is named");
	JVPN_NL_SET(&s.transport, version, 4);
	tap_ok(jvpn_nl_binding_set(nl, &s, NULL, &error) == -EINVAL &&
	       !strcmp(error.attr, "session.transport.version"),
	       "one that only answers carry is refused: %s", error.text);
	tap_ok(jvpn_nl_session_get(nl, device_id, (const uint8_t *)"no such session.", &reply,
				   &error) == -ENOENT, "an unknown session is ENOENT");
	tap_ok(jvpn_nl_session_del(nl, device_id, id, &error) == -EBUSY,
	       "a session that has not ended is not forgotten: %s", error.text);
	s = request(id);
	JVPN_NL_SET(&s, expected_version, 1);
	JVPN_NL_SET(&s, event, JVPN_EVENT_RETRY);
	JVPN_NL_SET(&s, reason, JVPN_REASON_COOLDOWN_OVER);
	tap_ok(jvpn_nl_session_transition(nl, &s, NULL, &error) == -EPROTO && error.has_current &&
	       error.reject == JVPN_REJECT_ILLEGAL_TRANSITION, "a transition without row is EPROTO");
}

static void test_changes(uint32_t sock)
{
	struct jvpn_nl_session s = binding_request(sock, 1, 2), reply;

	done(jvpn_nl_binding_set(nl, &s, &reply, &error), "it jumps");
	tap_ok(reply.version == 3 && reply.n_history == 2 &&
	       reply.history[0].reason == JVPN_REASON_CLIENT_JUMP &&
	       reply.history[1].event == JVPN_EVENT_REATTACH_COMMIT,
	       "by two versions, each with its transition");
	s = request(id);
	JVPN_NL_SET(&s, expected_version, 3);
	keys_fill(&s, 3, 200);
	done(jvpn_nl_epoch_set(nl, &s, &reply, &error), "it gets new keys");
	tap_ok(reply.version == 3 && reply.epoch_number == 3, "without a new version");
	s = binding_request(sock, 3, 4);
	JVPN_NL_SET(&s, cookie, 77);
	done(jvpn_nl_binding_prepare(nl, &s, &reply, &error), "a binding is prepared");
	jvpn_nl_session_get(nl, device_id, id, &reply, NULL);
	tap_equal(reply.n_pending, 1, "and shown");
	s = request(id);
	JVPN_NL_SET(&s, cookie, 77);
	done(jvpn_nl_binding_cancel(nl, &s, NULL, &error), "and forgotten");
	jvpn_nl_session_get(nl, device_id, id, &reply, NULL);
	tap_equal(reply.n_pending, 0, "then it is gone");
	s = request(id);
	JVPN_NL_SET(&s, expected_version, 3);
	s.has.policy = true;
	JVPN_NL_SET(&s.policy, hold_bytes, 4321);
	done(jvpn_nl_session_set(nl, &s, &reply, &error), "its policy is changed");
	jvpn_nl_session_get(nl, device_id, id, &reply, NULL);
	tap_ok(reply.policy.hold_bytes == 4321 && reply.policy.dead_base_ms == 600000,
	       "where it was asked for, and nowhere else");
	strcpy(s.label, "renamed");
	s.has.label = true;
	tap_ok(jvpn_nl_session_set(nl, &s, NULL, &error) == -EINVAL &&
	       !strcmp(error.attr, "session.label"), "its label cannot be changed");
	tap_equal(reply.version, 3, "without a new version");
}

static void test_crowd(void)
{
	struct jvpn_nl_session s;
	unsigned int seen = 0, made = 0;
	uint8_t name[JVPN_SESSION_ID_SIZE] = "one of a crowd";

	for (uint32_t i = 0; i < CROWD; i++) {
		name[0] = i;
		name[1] = i >> 8;
		s = new_request(name, i + 2);
		made += !jvpn_nl_session_new(nl, &s, NULL, &error);
	}
	tap_equal(made, CROWD, "a crowd of sessions is made");
	done(jvpn_nl_session_dump(nl, device_id, see_session, &seen, &error), "all are dumped");
	tap_equal(seen, CROWD + 1, "none is missing or doubled");
	tap_ok(jvpn_nl_session_dump(nl, 1, see_session, &seen, &error) == -ENODEV && error.text[0],
	       "a dump of another kind of interface is ENODEV: %s", error.text);
}

static void see_crowd(void *context, const struct jvpn_nl_session *session)
{
	unsigned int *seen = context;

	*seen += !memcmp(session->id + 2, "e of a crowd", 12);
}

/* Sessions come and go until the parent closes the pipe. */
static void churn(int stop)
{
	struct jvpn_nl *own = jvpn_nl_open(NULL);
	struct jvpn_nl_session s = new_request((const uint8_t *)"comes and goes..", 2000), end;
	struct pollfd fd = { stop, POLLIN, 0 };

	end = request(s.id);
	JVPN_NL_SET(&end, expected_version, 0);
	JVPN_NL_SET(&end, event, JVPN_EVENT_TERMINATE);
	JVPN_NL_SET(&end, reason, JVPN_REASON_OPERATOR);
	while (!poll(&fd, 1, 0)) {
		jvpn_nl_session_new(own, &s, NULL, NULL);
		jvpn_nl_session_transition(own, &end, NULL, NULL);
		jvpn_nl_session_del(own, device_id, s.id, NULL);
	}
	_exit(0);
}

/* A dump while others change the table: consistent, or it says that it is not. */
static void test_churn(void)
{
	unsigned int seen, wrong = 0, good = 0, failed = 0, interrupted = 0;
	int stop[2];
	pid_t child;

	if (pipe(stop))
		abort();
	child = fork();
	if (!child) {
		close(stop[1]);
		churn(stop[0]);
	}
	for (int i = 0; i < 60; i++) {
		int result;

		seen = 0;
		result = jvpn_nl_session_dump(nl, device_id, see_crowd, &seen, &error);
		failed += result < 0;
		interrupted += result == JVPN_NL_INTERRUPTED;
		good += result == 0;
		wrong += result == 0 && seen != CROWD;
	}
	close(stop[1]);
	waitpid(child, NULL, 0);
	tap_ok(!failed && !wrong, "dumps under change: %u consistent, %u said to be interrupted",
	       good, interrupted);
	seen = 0;
	done(jvpn_nl_session_dump(nl, device_id, see_crowd, &seen, &error), "then it is quiet again");
	tap_equal(seen, CROWD, "and all are there");
}

static void test_missing(void)
{
	struct jvpn_nl_session s = { .has.ifindex = true, .ifindex = ifindex };

	tap_ok(jvpn_nl_session_set(nl, &s, NULL, &error) == -EINVAL &&
	       !strcmp(error.attr, "session.id"), "a missing attribute is named: %s", error.text);
}

static void test_end(void)
{
	struct jvpn_nl_session s = request(id), reply;

	JVPN_NL_SET(&s, expected_version, 3);
	JVPN_NL_SET(&s, event, JVPN_EVENT_TERMINATE);
	JVPN_NL_SET(&s, reason, JVPN_REASON_OPERATOR);
	done(jvpn_nl_session_transition(nl, &s, &reply, &error), "the session is ended");
	tap_ok(reply.version == 4 && reply.state == JVPN_STATE_TERMINATED, "TERMINATED, version 4");
	s.expected_version = 4;
	tap_ok(jvpn_nl_session_transition(nl, &s, NULL, &error) == -ESHUTDOWN &&
	       error.reject == JVPN_REJECT_TERMINATED, "and stays so");
	done(jvpn_nl_session_del(nl, device_id, id, &error), "it is forgotten");
}

/* --- events --------------------------------------------------------------- */

struct events_seen {
	unsigned int sessions, epochs, packets, lost, other;
	uint64_t version;
	size_t payload_size;
	uint8_t first;
	uint16_t port;
};

static void see_event(void *context, const struct jvpn_nl_event *event)
{
	struct events_seen *seen = context;

	switch (event->kind) {
	case JVPN_NL_EVENT_SESSION:
		/* Each has the transitions that follow what was seen. */
		if (event->session.n_history && event->session.history[0].version == seen->version + 1)
			seen->version = event->session.version;
		seen->sessions++;
		break;
	case JVPN_NL_EVENT_EPOCH:
		seen->epochs++;
		break;
	case JVPN_NL_EVENT_PACKET:
		seen->packets++;
		seen->payload_size = event->packet.payload_size;
		seen->first = event->packet.payload[0];
		seen->port = event->packet.transport.remote_port;
		break;
	case JVPN_NL_EVENT_LOST:
		seen->lost++;
		break;
	default:
		seen->other++;
	}
}

static void listener_drain(struct jvpn_nl_listener *listener, struct events_seen *seen)
{
	struct pollfd fd = { jvpn_nl_listener_fd(listener), POLLIN, 0 };

	while (poll(&fd, 1, 300) > 0)
		jvpn_nl_listener_read(listener, see_event, seen, 4);
}

/* More than leave in one call. */
#define PACKETS_QUEUED 60

static void test_packets(uint32_t from, uint16_t from_port, uint16_t to_port)
{
	struct jvpn_nl_listener *listener = jvpn_nl_listener_open(nl, 0, &error);
	/* What passes the kernel's filter as an INIT. */
	struct jvpn_nl_packet packet = { .payload_size = JVPN_WIRE_INIT_SIZE };
	struct jvpn_nl_device device;
	struct events_seen seen = {};
	unsigned int failed = 0;

	if (!tap_ok(listener, "a listener for packets is opened"))
		return;
	done(jvpn_nl_packet_register(listener, device_id, NULL, NULL, see_event, &seen, &error),
	     "it is registered");
	jvpn_nl_device_get(nl, ifindex, &device, NULL);
	tap_ok(device.has.registered, "and the device says so");
	JVPN_NL_SET(&packet, ifindex, ifindex);
	packet.has.payload = packet.has.transport = true;
	packet.payload[0] = JVPN_MSG_INIT;
	packet.payload[1] = JVPN_WIRE_PROTO;
	transport_fill(&packet.transport, from, to_port);
	done(jvpn_nl_packet_send(nl, &packet, &error), "a control packet is sent");
	listener_drain(listener, &seen);
	tap_ok(seen.packets == 1 && seen.payload_size == JVPN_WIRE_INIT_SIZE &&
	       seen.first == JVPN_MSG_INIT && seen.port == from_port, "and arrives, once, from the port it was sent from");
	seen.packets = 0;
	for (unsigned int i = 0; i < PACKETS_QUEUED; i++)
		failed += !!jvpn_nl_packet_queue(listener, &packet, &error);
	failed += !!jvpn_nl_packet_flush(listener);
	listener_drain(listener, &seen);
	tap_ok(!failed && seen.packets == PACKETS_QUEUED, "%u of %u that were queued arrive",
	       seen.packets, PACKETS_QUEUED);
	jvpn_nl_listener_close(listener);
	jvpn_nl_device_get(nl, ifindex, &device, NULL);
	tap_ok(!device.has.registered, "a closed listener is registered no more");
	packet.payload_size = 0;
	tap_ok(jvpn_nl_packet_send(nl, &packet, &error) == -EINVAL &&
	       !strcmp(error.attr, "packet.payload"), "an empty one is refused: %s", error.text);
}

/* Small buffer, many events: told once, and the socket goes on. */
static void test_lost(void)
{
	struct jvpn_nl_listener *listener = jvpn_nl_listener_open(nl, JVPN_NL_GROUP_STATE, &error);
	struct jvpn_nl_session s = new_request((const uint8_t *)"the last one....", 1000);
	struct events_seen seen = {};
	int octets = 1;

	setsockopt(jvpn_nl_listener_fd(listener), SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
	for (int i = 0; i < 40; i++) {
		jvpn_nl_session_new(nl, &s, NULL, NULL);
		struct jvpn_nl_session end = request(s.id);

		JVPN_NL_SET(&end, expected_version, 0);
		JVPN_NL_SET(&end, event, JVPN_EVENT_TERMINATE);
		JVPN_NL_SET(&end, reason, JVPN_REASON_OPERATOR);
		jvpn_nl_session_transition(nl, &end, NULL, NULL);
		jvpn_nl_session_del(nl, device_id, s.id, NULL);
	}
	listener_drain(listener, &seen);
	tap_ok(seen.lost >= 1 && seen.sessions < 40, "lost events are told (%u of 40 arrived)",
	       seen.sessions);
	jvpn_nl_listener_close(listener);
}

static void test_all(void)
{
	struct jvpn_nl_listener *events = jvpn_nl_listener_open(nl, JVPN_NL_GROUPS_ALL, &error);
	struct events_seen seen = {};
	uint16_t first_port, second_port;
	uint32_t first, second;

	if (!tap_ok(events, "a listener for events is opened"))
		return;
	test_device();
	first = test_socket(1, &first_port);
	second = test_socket(2, &second_port);
	test_packets(first, first_port, second_port);
	test_session(first);
	test_refusals(first);
	test_changes(first);
	test_missing();
	test_crowd();
	test_churn();
	test_end();
	listener_drain(events, &seen);
	tap_ok(seen.version == 4 && seen.sessions >= 3 && seen.epochs == 1 && !seen.lost,
	       "events told of every version, in order (%u, %u)", seen.sessions, seen.epochs);
	jvpn_nl_listener_close(events);
	test_lost();
	tap_ok(jvpn_nl_socket_del(nl, device_id, 999, &error) == -ENOENT,
	       "an unknown socket is ENOENT: %s", error.text);
	done(jvpn_nl_socket_del(nl, device_id, second, &error), "a socket is closed");
}

int main(void)
{
	struct jvpn_rtnl_link link;
	int result;

	if (unshare(CLONE_NEWNET)) {
		tap_ok(true, "the client against the module # SKIP needs root for a namespace");
		return tap_done();
	}
	rtnl = jvpn_rtnl_open(&error);
	jvpn_rtnl_link_set_up(rtnl, 1, true, &error);
	result = jvpn_rtnl_link_new(rtnl, "test0", "jvpn", 0, &error);
	if (result == -EOPNOTSUPP) {
		tap_ok(true, "the client against the module # SKIP there is no module jvpn");
		return tap_done();
	}
	done(result, "a device is made");
	done(jvpn_rtnl_link_get(rtnl, "test0", &link, &error), "and found");
	tap_text(link.kind, "jvpn", "with its type");
	ifindex = link.ifindex;
	nl = jvpn_nl_open(&error);
	if (tap_ok(nl, "the family is found"))
		test_all();
	done(jvpn_rtnl_link_del(rtnl, ifindex, &error), "the device is deleted");
	jvpn_nl_close(nl);
	jvpn_rtnl_close(rtnl);
	return tap_done();
}
