// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "nl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define CHUNK_SIZE 65536
#define GROUPS_MAX 8

/* The length of a big-endian port is 16 bits, of an IPv4 address 32. */

struct nl {
	struct mnl_socket *sock;
	uint16_t family;
	uint64_t device_id;
	unsigned int groups;
	struct {
		char name[16];
		uint32_t id;
	} group[GROUPS_MAX];
	char request[NL_REQUEST_SIZE];
	char chunk[CHUNK_SIZE];
	/* events that were read together with another */
	char backlog[CHUNK_SIZE];
	int backlog_len;
	/* an allocation of the next request is to fail, see nl_fail_next() */
	unsigned int fail_nth;
	bool failed;
};

/* ---- addresses ---- */

struct nl_addr nl_addr(const char *text, uint16_t port)
{
	struct nl_addr a = { .port = port };

	if (inet_pton(AF_INET, text, &a.v4) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, &a.v6) == 1)
		a.family = AF_INET6;
	REQUIRE(a.family, "%s is not an address", text);
	return a;
}

bool nl_addr_equal(const struct nl_addr *a, const struct nl_addr *b)
{
	return a->family == b->family && a->port == b->port && a->v4.s_addr == b->v4.s_addr &&
	       IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6);
}

socklen_t nl_addr_sockaddr(const struct nl_addr *a, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *in4 = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (a->family == AF_INET) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(a->port);
		in4->sin_addr = a->v4;
		return sizeof(*in4);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	in6->sin6_addr = a->v6;
	in6->sin6_scope_id = a->scope;
	return sizeof(*in6);
}

const char *nl_addr_text(const struct nl_addr *a)
{
	static char text[4][80];
	static unsigned int turn;
	char *out = text[turn++ % 4], ip[INET6_ADDRSTRLEN];

	if (!a->family)
		return "none";
	inet_ntop(a->family, a->family == AF_INET ? (void *)&a->v4 : (void *)&a->v6, ip,
		  sizeof(ip));
	snprintf(out, sizeof(text[0]), a->family == AF_INET ? "%s:%u" : "[%s]:%u", ip, a->port);
	return out;
}

/* ---- epochs ---- */

static void flow_make(struct nl_flow *f)
{
	test_random(f, sizeof(*f));
	f->index |= 1;
}

struct nl_epoch nl_epoch(uint32_t number)
{
	struct nl_epoch e = { .number = number };

	flow_make(&e.rx);
	flow_make(&e.tx);
	return e;
}

struct nl_epoch nl_epoch_mirror(const struct nl_epoch *e)
{
	return (struct nl_epoch){ .number = e->number, .rx = e->tx, .tx = e->rx };
}

/* ---- names, in the order of the specification ---- */

static const char * const state_names[] = {
	"birth", "attached", "volatile", "recovering", "degraded", "terminated",
};

static const char * const event_names[] = {
	"none", "handshake-done", "handshake-failed", "quality-low", "quality-ok",
	"transport-dead", "jump", "reattach-commit", "bound-exceeded", "retry", "terminate",
};

static const char * const reason_names[] = {
	"none", "handshake-ok", "handshake-timeout", "handshake-rejected", "loss-threshold",
	"latency-threshold", "heartbeat-late", "health-recovered", "probe-timeout", "link-down",
	"route-lost", "socket-error", "icmp-unreachable", "client-jump", "nat-rebind",
	"operator-jump", "owner-moved", "reattach-ok", "recovery-window-exceeded",
	"switch-rate-exceeded", "cooldown-over", "candidate-appeared", "session-ttl-expired",
	"transport-loss-ttl-expired", "ownership-ambiguous", "policy-failure", "operator",
	"key-expired", "lease-lost", "host-suspended",
};

static const char * const reject_names[] = {
	"none", "unknown-session", "bad-proof", "replay", "stale-freshness", "stale-version",
	"stale-epoch", "session-expired", "terminated", "illegal-transition", "policy-denied",
	"rate-limited", "switch-rate-exceeded", "ownership-conflict", "dual-binding", "suspended",
};

#define NAME_OF(names, value) ((value) < sizeof(names) / sizeof((names)[0]) ? (names)[value] : "?")

static uint32_t value_of(const char * const *names, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return i;
	REQUIRE(false, "no such name: %s", name);
	return 0;
}

const char *nl_state_name(uint32_t state)
{
	return NAME_OF(state_names, state);
}

const char *nl_event_name(uint32_t event)
{
	return NAME_OF(event_names, event);
}

const char *nl_reason_name(uint32_t reason)
{
	return NAME_OF(reason_names, reason);
}

const char *nl_reject_name(uint32_t reject)
{
	return NAME_OF(reject_names, reject);
}

uint32_t nl_state_of(const char *name)
{
	return value_of(state_names, JVPN_STATE_MAX + 1, name);
}

uint32_t nl_event_of(const char *name)
{
	return value_of(event_names, JVPN_EVENT_MAX + 1, name);
}

uint32_t nl_reason_of(const char *name)
{
	return value_of(reason_names, JVPN_REASON_MAX + 1, name);
}

/* ---- taking messages apart ---- */

static void read_id(const struct nlattr *a, uint8_t *id)
{
	if (mnl_attr_get_payload_len(a) == JVPN_SESSION_ID_SIZE)
		memcpy(id, mnl_attr_get_payload(a), JVPN_SESSION_ID_SIZE);
}

static void read_ip(const struct nlattr *a, struct nl_addr *out)
{
	if (mnl_attr_get_payload_len(a) == 4) {
		out->family = AF_INET;
		memcpy(&out->v4, mnl_attr_get_payload(a), 4);
	} else {
		out->family = AF_INET6;
		memcpy(&out->v6, mnl_attr_get_payload(a), 16);
	}
}

static void read_transport(const struct nlattr *nest, struct nl_transport *t)
{
	const struct nlattr *a;

	memset(t, 0, sizeof(*t));
	mnl_attr_for_each_nested(a, nest) {
		switch (mnl_attr_get_type(a)) {
		case JVPN_A_TRANSPORT_SOCKET:
			t->socket = mnl_attr_get_u32(a);
			break;
		case JVPN_A_TRANSPORT_REMOTE_IPV4:
		case JVPN_A_TRANSPORT_REMOTE_IPV6:
			read_ip(a, &t->remote);
			break;
		case JVPN_A_TRANSPORT_REMOTE_SCOPE_ID:
			t->remote.scope = mnl_attr_get_u32(a);
			break;
		case JVPN_A_TRANSPORT_REMOTE_PORT:
			t->remote.port = ntohs(mnl_attr_get_u16(a));
			break;
		case JVPN_A_TRANSPORT_LOCAL_IPV4:
		case JVPN_A_TRANSPORT_LOCAL_IPV6:
			read_ip(a, &t->local);
			break;
		case JVPN_A_TRANSPORT_LOCAL_PORT:
			t->local.port = ntohs(mnl_attr_get_u16(a));
			break;
		case JVPN_A_TRANSPORT_BIND_IFINDEX:
			t->bind_ifindex = mnl_attr_get_u32(a);
			break;
		case JVPN_A_TRANSPORT_VERSION:
			t->version = mnl_attr_get_u64(a);
			break;
		case JVPN_A_TRANSPORT_SINCE:
			t->since = mnl_attr_get_u64(a);
			break;
		case JVPN_A_TRANSPORT_PMTU:
			t->pmtu = mnl_attr_get_u32(a);
			break;
		case JVPN_A_TRANSPORT_PATH_MTU:
			t->path_mtu = mnl_attr_get_u32(a);
			break;
		case JVPN_A_TRANSPORT_PATH_MTU_SEARCHING:
			t->searching = true;
			break;
		}
	}
}

static void read_epoch(const struct nlattr *nest, struct nl_view *v)
{
	const struct nlattr *a;

	v->keyed = true;
	mnl_attr_for_each_nested(a, nest) {
		switch (mnl_attr_get_type(a)) {
		case JVPN_A_EPOCH_NUMBER:
			v->keys.number = mnl_attr_get_u32(a);
			break;
		case JVPN_A_EPOCH_RX_INDEX:
			v->keys.rx_index = mnl_attr_get_u32(a);
			break;
		case JVPN_A_EPOCH_TX_INDEX:
			v->keys.tx_index = mnl_attr_get_u32(a);
			break;
		case JVPN_A_EPOCH_TX_COUNTER:
			v->keys.tx_counter = mnl_attr_get_u64(a);
			break;
		case JVPN_A_EPOCH_RX_COUNTER:
			v->keys.rx_counter = mnl_attr_get_u64(a);
			break;
		case JVPN_A_EPOCH_BORN:
			v->keys.born = mnl_attr_get_u64(a);
			break;
		case JVPN_A_EPOCH_SUITE:
		case JVPN_A_EPOCH_PAD:
			break;
		default:
			FAIL("the kernel tells more of an epoch than it may: attribute %u",
			     mnl_attr_get_type(a));
		}
	}
}

static void read_step(const struct nlattr *nest, struct nl_view *v)
{
	struct nl_step *s = &v->step[v->steps];
	const struct nlattr *a;

	if (v->steps == JVPN_HISTORY_SIZE) {
		FAIL("the history has more than %u transitions", JVPN_HISTORY_SIZE);
		return;
	}
	memset(s, 0, sizeof(*s));
	v->steps++;
	mnl_attr_for_each_nested(a, nest) {
		switch (mnl_attr_get_type(a)) {
		case JVPN_A_TRANSITION_VERSION:
			s->version = mnl_attr_get_u64(a);
			break;
		case JVPN_A_TRANSITION_FROM:
			s->from = mnl_attr_get_u32(a);
			break;
		case JVPN_A_TRANSITION_TO:
			s->to = mnl_attr_get_u32(a);
			break;
		case JVPN_A_TRANSITION_EVENT:
			s->event = mnl_attr_get_u32(a);
			break;
		case JVPN_A_TRANSITION_REASON:
			s->reason = mnl_attr_get_u32(a);
			break;
		case JVPN_A_TRANSITION_ORIGIN:
			s->origin = mnl_attr_get_u32(a);
			break;
		case JVPN_A_TRANSITION_EPOCH:
			s->epoch = mnl_attr_get_u32(a);
			break;
		case JVPN_A_TRANSITION_TIME:
			s->time = mnl_attr_get_u64(a);
			break;
		case JVPN_A_TRANSITION_TRANSPORT:
			read_transport(a, &s->transport);
			break;
		}
	}
}

static void read_stats(const struct nlattr *nest, struct nl_view *v)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == JVPN_A_STATS_HELD_PACKETS || type == JVPN_A_STATS_HELD_BYTES)
			v->stats[type] = mnl_attr_get_u32(a);
		else if (type < JVPN_A_STATS_PAD)
			v->stats[type] = mnl_attr_get_u64(a);
	}
}

static void read_health(const struct nlattr *nest, struct nl_view *v)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest) {
		switch (mnl_attr_get_type(a)) {
		case JVPN_A_HEALTH_RTT_US:
			v->health.rtt_us = mnl_attr_get_u32(a);
			break;
		case JVPN_A_HEALTH_JITTER_US:
			v->health.jitter_us = mnl_attr_get_u32(a);
			break;
		case JVPN_A_HEALTH_LOSS:
			v->health.loss = mnl_attr_get_u32(a);
			break;
		case JVPN_A_HEALTH_LAST_RX:
			v->health.last_rx = mnl_attr_get_u64(a);
			break;
		case JVPN_A_HEALTH_ECHO_COUNTER:
			v->health.echo_counter = mnl_attr_get_u64(a);
			break;
		case JVPN_A_HEALTH_LATE:
			v->health.late = true;
			break;
		}
	}
}

static void read_policy(const struct nlattr *nest, struct nl_view *v)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == JVPN_A_POLICY_NAME)
			snprintf(v->policy_name, sizeof(v->policy_name), "%s", mnl_attr_get_str(a));
		else if (type <= JVPN_A_POLICY_MAX)
			v->policy[type] = mnl_attr_get_u32(a);
	}
}

static void read_session_attr(const struct nlattr *a, struct nl_view *v)
{
	switch (mnl_attr_get_type(a)) {
	case JVPN_A_SESSION_DEVICE_ID:
		v->device_id = mnl_attr_get_u64(a);
		break;
	case JVPN_A_SESSION_IFINDEX:
		v->ifindex = mnl_attr_get_u32(a);
		break;
	case JVPN_A_SESSION_ID:
		read_id(a, v->id);
		break;
	case JVPN_A_SESSION_STATE:
		v->state = mnl_attr_get_u32(a);
		break;
	case JVPN_A_SESSION_VERSION:
		v->version = mnl_attr_get_u64(a);
		break;
	case JVPN_A_SESSION_EPOCH_NUMBER:
		v->epoch = mnl_attr_get_u32(a);
		break;
	case JVPN_A_SESSION_ROLE:
		v->role = mnl_attr_get_u32(a);
		break;
	case JVPN_A_SESSION_LABEL:
		snprintf(v->label, sizeof(v->label), "%s", mnl_attr_get_str(a));
		break;
	case JVPN_A_SESSION_PEER_ID:
		memcpy(v->peer_id, mnl_attr_get_payload(a), sizeof(v->peer_id));
		break;
	case JVPN_A_SESSION_EVENT:
		v->event = mnl_attr_get_u32(a);
		break;
	case JVPN_A_SESSION_REASON:
		v->reason = mnl_attr_get_u32(a);
		break;
	case JVPN_A_SESSION_REJECT:
		v->reject = mnl_attr_get_u32(a);
		break;
	case JVPN_A_SESSION_PEER_VERSION:
		v->peer_version = mnl_attr_get_u64(a);
		break;
	case JVPN_A_SESSION_PEER_EPOCH:
		v->peer_epoch = mnl_attr_get_u32(a);
		break;
	case JVPN_A_SESSION_INNER:
		v->inners++;
		break;
	case JVPN_A_SESSION_TRANSPORT:
		v->bound = true;
		read_transport(a, &v->transport);
		break;
	case JVPN_A_SESSION_KEYS:
		read_epoch(a, v);
		break;
	case JVPN_A_SESSION_POLICY:
		read_policy(a, v);
		break;
	case JVPN_A_SESSION_SESSION_DEADLINE:
		v->session_deadline = mnl_attr_get_u64(a);
		break;
	case JVPN_A_SESSION_LOSS_DEADLINE:
		v->loss_deadline = mnl_attr_get_u64(a);
		break;
	case JVPN_A_SESSION_LEASE_DEADLINE:
		v->lease_deadline = mnl_attr_get_u64(a);
		break;
	case JVPN_A_SESSION_BIRTH_DEADLINE:
		v->birth_deadline = mnl_attr_get_u64(a);
		break;
	case JVPN_A_SESSION_STATS:
		read_stats(a, v);
		break;
	case JVPN_A_SESSION_HEALTH:
		read_health(a, v);
		break;
	case JVPN_A_SESSION_HISTORY:
		read_step(a, v);
		break;
	case JVPN_A_SESSION_PENDING:
		v->pending++;
		break;
	}
}

static void read_unbound_attr(const struct nlattr *a, struct nl_view *v)
{
	switch (mnl_attr_get_type(a)) {
	case JVPN_A_UNBOUND_DEVICE_ID:
		v->device_id = mnl_attr_get_u64(a);
		break;
	case JVPN_A_UNBOUND_IFINDEX:
		v->ifindex = mnl_attr_get_u32(a);
		break;
	case JVPN_A_UNBOUND_ID:
		read_id(a, v->id);
		break;
	case JVPN_A_UNBOUND_TRANSPORT:
		read_transport(a, &v->transport);
		break;
	case JVPN_A_UNBOUND_INDEX:
		v->index = mnl_attr_get_u32(a);
		break;
	case JVPN_A_UNBOUND_COUNTER:
		v->counter = mnl_attr_get_u64(a);
		break;
	case JVPN_A_UNBOUND_BYTES:
		v->bytes = mnl_attr_get_u32(a);
		break;
	case JVPN_A_UNBOUND_STATE:
		v->state = mnl_attr_get_u32(a);
		break;
	}
}

static void read_packet_attr(const struct nlattr *a, struct nl_view *v)
{
	switch (mnl_attr_get_type(a)) {
	case JVPN_A_PACKET_DEVICE_ID:
		v->device_id = mnl_attr_get_u64(a);
		break;
	case JVPN_A_PACKET_IFINDEX:
		v->ifindex = mnl_attr_get_u32(a);
		break;
	case JVPN_A_PACKET_TRANSPORT:
		read_transport(a, &v->transport);
		break;
	case JVPN_A_PACKET_PAYLOAD:
		v->payload_len = mnl_attr_get_payload_len(a);
		memcpy(v->payload, mnl_attr_get_payload(a), v->payload_len);
		break;
	case JVPN_A_PACKET_DROPPED:
		v->dropped = mnl_attr_get_u64(a);
		break;
	}
}

static void read_socket_attr(const struct nlattr *a, struct nl_view *v)
{
	switch (mnl_attr_get_type(a)) {
	case JVPN_A_SOCKET_ID:
		v->socket_id = mnl_attr_get_u32(a);
		break;
	case JVPN_A_SOCKET_LOCAL_PORT:
		v->socket_port = ntohs(mnl_attr_get_u16(a));
		break;
	case JVPN_A_SOCKET_LOCAL_IPV4:
	case JVPN_A_SOCKET_LOCAL_IPV6:
		read_ip(a, &v->transport.local);
		break;
	case JVPN_A_SOCKET_BIND_IFINDEX:
		v->transport.bind_ifindex = mnl_attr_get_u32(a);
		break;
	}
}

static void read_device_attr(const struct nlattr *a, struct nl_view *v)
{
	switch (mnl_attr_get_type(a)) {
	case JVPN_A_DEVICE_DEVICE_ID:
		v->device_id = mnl_attr_get_u64(a);
		break;
	case JVPN_A_DEVICE_IFINDEX:
		v->ifindex = mnl_attr_get_u32(a);
		break;
	case JVPN_A_DEVICE_IFNAME:
		snprintf(v->label, sizeof(v->label), "%s", mnl_attr_get_str(a));
		break;
	case JVPN_A_DEVICE_HOLD_BYTES:
		v->hold_bytes = mnl_attr_get_u32(a);
		break;
	case JVPN_A_DEVICE_HELD_BYTES:
		v->held_bytes = mnl_attr_get_u32(a);
		break;
	case JVPN_A_DEVICE_MAX_SESSIONS:
		v->max_sessions = mnl_attr_get_u32(a);
		break;
	case JVPN_A_DEVICE_SESSIONS:
		v->sessions = mnl_attr_get_u32(a);
		break;
	case JVPN_A_DEVICE_SOCKETS:
		v->sockets = mnl_attr_get_u32(a);
		break;
	case JVPN_A_DEVICE_REGISTERED:
		v->registered = mnl_attr_get_u32(a);
		break;
	case JVPN_A_DEVICE_BOOTTIME:
		v->boottime = mnl_attr_get_u64(a);
		break;
	}
}

static void view_read(const struct nlmsghdr *nlh, struct nl_view *v)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;

	memset(v, 0, sizeof(*v));
	v->cmd = genl->cmd;
	mnl_attr_for_each(a, nlh, sizeof(*genl)) {
		switch (genl->cmd) {
		case JVPN_CMD_DEVICE_GET:
			read_device_attr(a, v);
			break;
		case JVPN_CMD_SOCKET_NEW:
		case JVPN_CMD_SOCKET_GET:
			read_socket_attr(a, v);
			break;
		case JVPN_CMD_PACKET_NTF:
			read_packet_attr(a, v);
			break;
		case JVPN_CMD_UNBOUND_NTF:
			read_unbound_attr(a, v);
			break;
		default:
			read_session_attr(a, v);
		}
	}
}

/* ---- requests ---- */

static uint32_t sequence;

struct nl_request nl_begin(struct nl *nl, uint8_t cmd)
{
	struct nlmsghdr *nlh;
	struct genlmsghdr *genl;

	memset(nl->request, 0, 256);
	nlh = mnl_nlmsg_put_header(nl->request);
	nlh->nlmsg_type = nl->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++sequence;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = JVPN_GENL_VERSION;
	return (struct nl_request){ .nl = nl, .message = nlh };
}

void nl_use_device_id(struct nl *nl, uint64_t id)
{
	nl->device_id = id;
}

static uint16_t device_id_attr(uint8_t cmd)
{
	switch (cmd) {
	case JVPN_CMD_DEVICE_GET:
	case JVPN_CMD_DEVICE_SET:
		return JVPN_A_DEVICE_DEVICE_ID;
	case JVPN_CMD_SOCKET_NEW:
	case JVPN_CMD_SOCKET_DEL:
	case JVPN_CMD_SOCKET_SET:
	case JVPN_CMD_SOCKET_GET:
		return JVPN_A_SOCKET_DEVICE_ID;
	case JVPN_CMD_PACKET_REGISTER:
	case JVPN_CMD_PACKET_SEND:
		return JVPN_A_PACKET_DEVICE_ID;
	default:
		return JVPN_A_SESSION_DEVICE_ID;
	}
}

/* The index is the first attribute of every set. */
void nl_put_device(struct nl_request *r, uint32_t ifindex)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(r->message);

	if (r->nl->device_id)
		nl_put_u64(r, device_id_attr(genl->cmd), r->nl->device_id);
	else
		nl_put_u32(r, JVPN_A_SESSION_IFINDEX, ifindex);
}

void nl_flag(struct nl_request *r, uint16_t flag)
{
	((struct nlmsghdr *)r->message)->nlmsg_flags |= flag;
}

void nl_put(struct nl_request *r, uint16_t type, const void *data, size_t len)
{
	mnl_attr_put(r->message, type, len, data);
}

void nl_put_u8(struct nl_request *r, uint16_t type, uint8_t value)
{
	nl_put(r, type, &value, sizeof(value));
}

void nl_put_u16(struct nl_request *r, uint16_t type, uint16_t value)
{
	nl_put(r, type, &value, sizeof(value));
}

void nl_put_u32(struct nl_request *r, uint16_t type, uint32_t value)
{
	nl_put(r, type, &value, sizeof(value));
}

void nl_put_u64(struct nl_request *r, uint16_t type, uint64_t value)
{
	nl_put(r, type, &value, sizeof(value));
}

void nl_put_text(struct nl_request *r, uint16_t type, const char *text)
{
	nl_put(r, type, text, strlen(text) + 1);
}

void nl_put_addr(struct nl_request *r, uint16_t v4, uint16_t v6, const struct nl_addr *a)
{
	if (a->family == AF_INET)
		nl_put(r, v4, &a->v4, 4);
	else if (a->family == AF_INET6)
		nl_put(r, v6, &a->v6, 16);
}

void *nl_nest(struct nl_request *r, uint16_t type)
{
	return mnl_attr_nest_start(r->message, type);
}

void nl_nest_end(struct nl_request *r, void *nest)
{
	mnl_attr_nest_end(r->message, nest);
}

void nl_put_transport(struct nl_request *r, uint16_t type, const struct nl_transport *t)
{
	void *nest = nl_nest(r, type);

	nl_put_u32(r, JVPN_A_TRANSPORT_SOCKET, t->socket);
	nl_put_addr(r, JVPN_A_TRANSPORT_REMOTE_IPV4, JVPN_A_TRANSPORT_REMOTE_IPV6, &t->remote);
	if (t->remote.scope)
		nl_put_u32(r, JVPN_A_TRANSPORT_REMOTE_SCOPE_ID, t->remote.scope);
	nl_put_u16(r, JVPN_A_TRANSPORT_REMOTE_PORT, htons(t->remote.port));
	nl_put_addr(r, JVPN_A_TRANSPORT_LOCAL_IPV4, JVPN_A_TRANSPORT_LOCAL_IPV6, &t->local);
	nl_nest_end(r, nest);
}

void nl_put_epoch(struct nl_request *r, const struct nl_epoch *e)
{
	void *nest = nl_nest(r, JVPN_A_SESSION_KEYS);

	nl_put_u32(r, JVPN_A_EPOCH_NUMBER, e->number);
	nl_put_u32(r, JVPN_A_EPOCH_SUITE, JVPN_SUITE_CHACHA20_POLY1305);
	nl_put_u32(r, JVPN_A_EPOCH_RX_INDEX, e->rx.index);
	nl_put_u32(r, JVPN_A_EPOCH_TX_INDEX, e->tx.index);
	nl_put(r, JVPN_A_EPOCH_RX_KEY, e->rx.key, JVPN_KEY_SIZE);
	nl_put(r, JVPN_A_EPOCH_RX_IV, e->rx.iv, JVPN_IV_SIZE);
	nl_put(r, JVPN_A_EPOCH_TX_KEY, e->tx.key, JVPN_KEY_SIZE);
	nl_put(r, JVPN_A_EPOCH_TX_IV, e->tx.iv, JVPN_IV_SIZE);
	nl_nest_end(r, nest);
}

void nl_put_inner(struct nl_request *r, const char *prefix)
{
	char text[64];
	struct nl_addr a;
	char *slash;
	void *nest;

	snprintf(text, sizeof(text), "%s", prefix);
	slash = strchr(text, '/');
	REQUIRE(slash, "%s is not a prefix", prefix);
	*slash = '\0';
	a = nl_addr(text, 0);
	nest = nl_nest(r, JVPN_A_SESSION_INNER);
	nl_put_addr(r, JVPN_A_INNER_IPV4, JVPN_A_INNER_IPV6, &a);
	nl_put_u8(r, JVPN_A_INNER_PREFIX_LEN, atoi(slash + 1));
	nl_nest_end(r, nest);
}

/* ---- answers ---- */

static void extack_read(const struct nlmsghdr *nlh, struct nl_reply *reply)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);
	const struct nlattr *a;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(err->msg.nlmsg_len - sizeof(err->msg));
	mnl_attr_for_each(a, nlh, skip) {
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG)
			snprintf(reply->text, sizeof(reply->text), "%s", mnl_attr_get_str(a));
		else if (mnl_attr_get_type(a) == NLMSGERR_ATTR_OFFS)
			reply->attr = mnl_attr_get_u32(a);
	}
}

struct answer {
	struct nl_reply *reply;
	nl_each_fn each;
	void *arg;
	/* as text, if wanted */
	FILE *text;
};

static void text_attrs(FILE *out, const struct nlattr *first, size_t len, unsigned int depth,
		       bool stats);

/* Return: true at the end of the answer. */
static bool answer_read(struct answer *answer, const struct nlmsghdr *nlh)
{
	struct nl_reply *reply = answer->reply;
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		reply->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		reply->error = -err->error;
		extack_read(nlh, reply);
		return true;
	}
	if (nlh->nlmsg_type == NLMSG_DONE) {
		reply->error = -*(int *)mnl_nlmsg_get_payload(nlh);
		return true;
	}
	reply->answers++;
	view_read(nlh, &reply->view);
	if (answer->each)
		answer->each(&reply->view, answer->arg);
	if (answer->text)
		text_attrs(answer->text,
			   mnl_nlmsg_get_payload_offset(nlh, sizeof(struct genlmsghdr)),
			   mnl_nlmsg_get_payload_len(nlh) - sizeof(struct genlmsghdr), 0, false);
	return false;
}

static void backlog_add(struct nl *nl, const struct nlmsghdr *nlh)
{
	if (nl->backlog_len + NLMSG_ALIGN(nlh->nlmsg_len) > sizeof(nl->backlog))
		return;
	memcpy(nl->backlog + nl->backlog_len, nlh, nlh->nlmsg_len);
	nl->backlog_len += NLMSG_ALIGN(nlh->nlmsg_len);
}

/* ---- memory that runs out ---- */

#define FAIL_NTH "/proc/thread-self/fail-nth"
#define FAILSLAB "/sys/kernel/debug/failslab/ignore-gfp-wait"

static void file_write(const char *path, unsigned int value)
{
	FILE *f = fopen(path, "w");

	REQUIRE(f && fprintf(f, "%u", value) > 0 && !fclose(f), "cannot write %s: %s", path,
		strerror(errno));
}

/* Kept open: to open it takes memory. */
static int fail_fd = -1;

bool nl_can_fail(void)
{
	fail_fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (fail_fd < 0)
		return false;
	if (access(FAILSLAB, W_OK))
		test_shell("mount -t debugfs none /sys/kernel/debug");
	/* Allocations that may wait fail as well. Without fail-nth this alone does nothing. */
	file_write(FAILSLAB, 0);
	return true;
}

/* Return: how many allocations are left until one fails. */
static unsigned int fail_swap(unsigned int nth)
{
	char left[16] = "", text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	REQUIRE(pread(fail_fd, left, sizeof(left) - 1, 0) > 0, "cannot read " FAIL_NTH ": %s",
		strerror(errno));
	REQUIRE(pwrite(fail_fd, text, len, 0) == len, "cannot write " FAIL_NTH ": %s",
		strerror(errno));
	return atoi(left);
}

void nl_fail_begin(unsigned int nth)
{
	fail_swap(nth);
}

bool nl_fail_end(void)
{
	return !fail_swap(0);
}

void nl_fail_next(struct nl *nl, unsigned int nth)
{
	nl->fail_nth = nth;
}

bool nl_failed(const struct nl *nl)
{
	return nl->failed;
}

/* Send a request, which the kernel carries out before this returns. */
static bool request_send(struct nl *nl, const struct nlmsghdr *nlh)
{
	unsigned int nth = nl->fail_nth;
	bool sent;
	int err;

	nl->fail_nth = 0;
	nl->failed = false;
	if (nth)
		fail_swap(nth);
	sent = mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) > 0;
	err = errno;
	if (nth)
		nl->failed = !fail_swap(0);
	errno = err;
	return sent;
}

static int exchange(struct nl_request *r, struct answer *answer)
{
	struct nlmsghdr *nlh = r->message;
	struct nl *nl = r->nl;
	uint32_t seq = nlh->nlmsg_seq;
	bool done = false;

	memset(answer->reply, 0, sizeof(*answer->reply));
	if (!request_send(nl, nlh)) {
		REQUIRE(nl->failed, "cannot send to netlink: %s", strerror(errno));
		return answer->reply->error = errno;
	}
	while (!done) {
		ssize_t got = mnl_socket_recvfrom(nl->sock, nl->chunk, sizeof(nl->chunk));
		int left = got;

		/* The answer itself is what there was no memory for. */
		if (got < 0 && errno == ENOBUFS && nl->failed)
			return answer->reply->error = ENOBUFS;
		if (got < 0 && errno == ENOBUFS)
			continue;
		REQUIRE(got > 0, "cannot receive from netlink: %s", strerror(errno));
		for (nlh = (struct nlmsghdr *)nl->chunk; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq == seq)
				done |= answer_read(answer, nlh);
			else if (!nlh->nlmsg_seq)
				backlog_add(nl, nlh);
		}
	}
	return answer->reply->error;
}

int nl_run(struct nl_request *r, struct nl_reply *reply)
{
	struct answer answer = { .reply = reply };

	return exchange(r, &answer);
}

int nl_dump(struct nl_request *r, struct nl_reply *reply, nl_each_fn each, void *arg)
{
	struct answer answer = { .reply = reply, .each = each, .arg = arg };

	/* NLM_F_ACK would add an acknowledgement that nobody reads. */
	((struct nlmsghdr *)r->message)->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	return exchange(r, &answer);
}

/* ---- the socket ---- */

static void groups_read(struct nl *nl, const struct nlattr *nest)
{
	const struct nlattr *one, *a;

	mnl_attr_for_each_nested(one, nest) {
		mnl_attr_for_each_nested(a, one) {
			if (mnl_attr_get_type(a) == CTRL_ATTR_MCAST_GRP_NAME)
				snprintf(nl->group[nl->groups].name, sizeof(nl->group[0].name),
					 "%s", mnl_attr_get_str(a));
			else if (mnl_attr_get_type(a) == CTRL_ATTR_MCAST_GRP_ID)
				nl->group[nl->groups].id = mnl_attr_get_u32(a);
		}
		if (nl->groups < GROUPS_MAX - 1)
			nl->groups++;
	}
}

static void family_read(struct nl *nl)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->request);
	struct genlmsghdr *genl;
	const struct nlattr *a;
	ssize_t got;

	nlh->nlmsg_type = GENL_ID_CTRL;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = ++sequence;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = CTRL_CMD_GETFAMILY;
	genl->version = 1;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, JVPN_GENL_NAME);
	mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len);
	got = mnl_socket_recvfrom(nl->sock, nl->chunk, sizeof(nl->chunk));
	nlh = (struct nlmsghdr *)nl->chunk;
	REQUIRE(got > 0 && nlh->nlmsg_type == GENL_ID_CTRL,
		"no netlink family \"jvpn\": is the module loaded?");
	mnl_attr_for_each(a, nlh, sizeof(*genl)) {
		if (mnl_attr_get_type(a) == CTRL_ATTR_FAMILY_ID)
			nl->family = mnl_attr_get_u16(a);
		else if (mnl_attr_get_type(a) == CTRL_ATTR_MCAST_GROUPS)
			groups_read(nl, a);
	}
}

struct nl *nl_open(void)
{
	struct nl *nl = calloc(1, sizeof(*nl));
	int one = 1;

	REQUIRE(nl, "no memory");
	nl->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	REQUIRE(nl->sock && !mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID),
		"cannot open a netlink socket: %s", strerror(errno));
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	family_read(nl);
	return nl;
}

void nl_close(struct nl *nl)
{
	mnl_socket_close(nl->sock);
	free(nl);
}

uint32_t nl_port(const struct nl *nl)
{
	return mnl_socket_get_portid(nl->sock);
}

int nl_fd(const struct nl *nl)
{
	return mnl_socket_get_fd(nl->sock);
}

uint16_t nl_family(const struct nl *nl)
{
	return nl->family;
}

bool nl_listen(struct nl *nl, const char *group)
{
	unsigned int i;
	int err;

	for (i = 0; i < nl->groups; i++)
		if (!strcmp(nl->group[i].name, group))
			break;
	REQUIRE(i < nl->groups, "no multicast group %s", group);
	err = mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &nl->group[i].id,
				    sizeof(nl->group[i].id)) ? errno : 0;
	REQUIRE(!err || err == EPERM, "cannot join the group %s: %s", group, strerror(err));
	return !err;
}

static bool backlog_take(struct nl *nl, struct nl_view *view)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)nl->backlog;
	int len;

	if (!nl->backlog_len)
		return false;
	view_read(nlh, view);
	len = NLMSG_ALIGN(nlh->nlmsg_len);
	nl->backlog_len -= len;
	memmove(nl->backlog, nl->backlog + len, nl->backlog_len);
	return true;
}

bool nl_event(struct nl *nl, unsigned int timeout_ms, struct nl_view *view)
{
	struct pollfd pfd = { .fd = nl_fd(nl), .events = POLLIN };
	struct nlmsghdr *nlh;
	ssize_t got;
	int left;

	if (backlog_take(nl, view))
		return true;
	if (poll(&pfd, 1, timeout_ms) <= 0)
		return false;
	got = mnl_socket_recvfrom(nl->sock, nl->chunk, sizeof(nl->chunk));
	if (got < 0 && errno == ENOBUFS) {
		memset(view, 0, sizeof(*view));
		return true;
	}
	REQUIRE(got > 0, "cannot receive from netlink: %s", strerror(errno));
	left = got;
	for (nlh = (struct nlmsghdr *)nl->chunk; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left))
		if (nlh->nlmsg_type == nl->family)
			backlog_add(nl, nlh);
	return backlog_take(nl, view);
}

/* ---- the usual requests ---- */

uint32_t nl_device(const char *name)
{
	return if_nametoindex(name);
}

uint32_t nl_socket(struct nl *nl, uint32_t ifindex, const struct nl_addr *local,
		   uint32_t bind_ifindex, uint16_t *port)
{
	struct nl_request r = nl_begin(nl, JVPN_CMD_SOCKET_NEW);
	struct nl_reply reply;

	nl_put_device(&r, ifindex);
	nl_put_addr(&r, JVPN_A_SOCKET_LOCAL_IPV4, JVPN_A_SOCKET_LOCAL_IPV6, local);
	if (local->port)
		nl_put_u16(&r, JVPN_A_SOCKET_LOCAL_PORT, htons(local->port));
	if (bind_ifindex)
		nl_put_u32(&r, JVPN_A_SOCKET_BIND_IFINDEX, bind_ifindex);
	REQUIRE(!nl_run(&r, &reply), "cannot make a socket at %s: %s, %s", nl_addr_text(local),
		strerror(reply.error), reply.text);
	REQUIRE(reply.view.socket_id && reply.view.socket_port,
		"socket-new does not answer with id and port");
	if (port)
		*port = reply.view.socket_port;
	return reply.view.socket_id;
}

static struct nl_request session_get(struct nl *nl, uint32_t ifindex, const uint8_t *id)
{
	struct nl_request r = nl_begin(nl, JVPN_CMD_SESSION_GET);

	nl_put_device(&r, ifindex);
	nl_put(&r, JVPN_A_SESSION_ID, id, JVPN_SESSION_ID_SIZE);
	return r;
}

int nl_session_get(struct nl *nl, uint32_t ifindex, const uint8_t *id, struct nl_view *view)
{
	struct nl_request r = session_get(nl, ifindex, id);
	struct nl_reply reply;

	nl_run(&r, &reply);
	*view = reply.view;
	return reply.error;
}

static bool is_nest(uint16_t type)
{
	return type == JVPN_A_SESSION_INNER || type == JVPN_A_SESSION_TRANSPORT ||
	       type == JVPN_A_SESSION_KEYS || type == JVPN_A_SESSION_POLICY ||
	       type == JVPN_A_SESSION_STATS || type == JVPN_A_SESSION_HEALTH ||
	       type == JVPN_A_SESSION_HISTORY || type == JVPN_A_SESSION_PENDING;
}

static void text_attrs(FILE *out, const struct nlattr *first, size_t len, unsigned int depth,
		       bool stats)
{
	const struct nlattr *a = first;
	size_t i;

	for (; mnl_attr_ok(a, (const char *)first + len - (const char *)a);
	     a = mnl_attr_next(a)) {
		uint16_t type = mnl_attr_get_type(a);

		if (stats && type == JVPN_A_STATS_REFUSED)
			continue;
		fprintf(out, "%*s%u:", depth, "", type);
		if (!depth && is_nest(type)) {
			fputc('\n', out);
			text_attrs(out, mnl_attr_get_payload(a), mnl_attr_get_payload_len(a), 1,
				   type == JVPN_A_SESSION_STATS);
			continue;
		}
		for (i = 0; i < mnl_attr_get_payload_len(a); i++)
			fprintf(out, "%02x", ((uint8_t *)mnl_attr_get_payload(a))[i]);
		fputc('\n', out);
	}
}

char *nl_session_text(struct nl *nl, uint32_t ifindex, const uint8_t *id)
{
	struct nl_request r = session_get(nl, ifindex, id);
	struct nl_reply reply;
	struct answer answer = { .reply = &reply };
	char *text = NULL;
	size_t len;

	answer.text = open_memstream(&text, &len);
	REQUIRE(!exchange(&r, &answer), "cannot read the session: %s", reply.text);
	fclose(answer.text);
	return text;
}

static void counter_read(const struct nlattr *nest, struct nl_counters *out)
{
	const struct nlattr *a;

	if (out->count == NL_COUNTERS_MAX)
		return;
	mnl_attr_for_each_nested(a, nest) {
		if (mnl_attr_get_type(a) == JVPN_A_COUNTER_NAME)
			snprintf(out->name[out->count], sizeof(out->name[0]), "%s",
				 mnl_attr_get_str(a));
		else if (mnl_attr_get_type(a) == JVPN_A_COUNTER_VALUE)
			out->value[out->count] = mnl_attr_get_u64(a);
	}
	out->count++;
}

/* Counters are many and wanted by few, so they are no part of the view. */
void nl_counters(struct nl *nl, uint32_t ifindex, struct nl_counters *out)
{
	struct nl_request r = nl_begin(nl, JVPN_CMD_DEVICE_GET);
	struct nlmsghdr *nlh = r.message;
	const struct nlattr *a;
	uint32_t seq = nlh->nlmsg_seq;
	ssize_t got;

	memset(out, 0, sizeof(*out));
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nl_put_device(&r, ifindex);
	mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len);
	do {
		got = mnl_socket_recvfrom(nl->sock, nl->chunk, sizeof(nl->chunk));
		nlh = (struct nlmsghdr *)nl->chunk;
		if (got > 0 && !nlh->nlmsg_seq)
			backlog_add(nl, nlh);
	} while (got < 0 ? errno == ENOBUFS : nlh->nlmsg_seq != seq);
	REQUIRE(got > 0 && nlh->nlmsg_type == nl->family, "cannot read the counters");
	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(a) == JVPN_A_DEVICE_COUNTER)
			counter_read(a, out);
	REQUIRE(out->count, "the device has no counters");
}

uint64_t nl_counters_of(const struct nl_counters *c, const char *name)
{
	unsigned int i;

	for (i = 0; i < c->count; i++)
		if (!strcmp(c->name[i], name))
			return c->value[i];
	REQUIRE(false, "the device has no counter %s", name);
	return 0;
}

uint64_t nl_counter(struct nl *nl, uint32_t ifindex, const char *name)
{
	struct nl_counters c;

	nl_counters(nl, ifindex, &c);
	return nl_counters_of(&c, name);
}
