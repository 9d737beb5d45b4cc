// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEERS_LAST 29

static void addresses_add(void)
{
	char script[4096] = "";
	size_t at = 0;
	int i;

	at += snprintf(script + at, sizeof(script) - at,
		       "link set lo up\n"
		       "addr add fd01::1/128 dev lo nodad\n"
		       "link add " DEVICE " type jvpn\n"
		       "link set " DEVICE " addrgenmode none\n"
		       "addr add 10.0.0.1/24 dev " DEVICE "\n"
		       "addr add fd00::1/64 dev " DEVICE " nodad\n"
		       "link set " DEVICE " up\n");
	for (i = 10; i <= PEERS_LAST; i++)
		at += snprintf(script + at, sizeof(script) - at, "addr add fd01::%d/128 dev lo nodad\n",
			       i);
	test_shell("ip -batch - <<'END'\n%sEND", script);
}

struct fx fx_open(void)
{
	struct fx fx = { .nl = nl_open() };

	addresses_add();
	fx.ifindex = nl_device(DEVICE);
	fx.addr4 = nl_addr("127.0.0.1", 0);
	fx.addr6 = nl_addr("fd01::1", 0);
	fx.socket4 = nl_socket(fx.nl, fx.ifindex, &fx.addr4, 0, &fx.addr4.port);
	fx.socket6 = nl_socket(fx.nl, fx.ifindex, &fx.addr6, 0, &fx.addr6.port);
	fx.sink4 = sink_open(AF_INET, INNER_PORT);
	fx.sink6 = sink_open(AF_INET6, INNER_PORT);
	return fx;
}

/* ---- policies ---- */

void fx_policy_set(struct fx_policy *p, uint16_t attr, uint32_t value)
{
	unsigned int i;

	for (i = 0; i < p->count; i++)
		if (p->attr[i] == attr)
			break;
	REQUIRE(i < POLICY_MAX, "too many policy attributes");
	p->attr[i] = attr;
	p->value[i] = value;
	if (i == p->count)
		p->count++;
}

struct fx_policy fx_policy_quiet(void)
{
	struct fx_policy p = {};

	fx_policy_set(&p, JVPN_A_POLICY_IDLE_INTERVAL_MS, 600000);
	fx_policy_set(&p, JVPN_A_POLICY_ACTIVE_INTERVAL_MS, 600000);
	fx_policy_set(&p, JVPN_A_POLICY_DEAD_BASE_MS, 600000);
	fx_policy_set(&p, JVPN_A_POLICY_RX_TIMEOUT_MS, 0);
	fx_policy_set(&p, JVPN_A_POLICY_TRANSPORT_LOSS_TTL_MS, 0);
	return p;
}

void fx_put_policy(struct nl_request *r, const struct fx_policy *p)
{
	void *nest = nl_nest(r, JVPN_A_SESSION_POLICY);
	unsigned int i;

	for (i = 0; i < p->count; i++)
		nl_put_u32(r, p->attr[i], p->value[i]);
	nl_nest_end(r, nest);
}

/* ---- sessions ---- */

static struct session describe(struct fx *fx, enum jvpn_role role, unsigned int number, bool v6)
{
	struct session s = { .fx = fx, .role = role, .number = number, .v6 = v6 };
	char text[40];
	struct nl_addr local;

	test_random(s.id, sizeof(s.id));
	snprintf(s.label, sizeof(s.label), "peer%u", number);
	snprintf(s.src4, sizeof(s.src4), "10.0.0.%u", number);
	snprintf(s.src6, sizeof(s.src6), "fd00::%u", number);
	snprintf(s.inner4, sizeof(s.inner4), "%s/32", s.src4);
	snprintf(s.inner6, sizeof(s.inner6), "%s/128", s.src6);
	snprintf(text, sizeof(text), v6 ? "fd01::%u" : "127.0.0.%u", number);
	local = nl_addr(text, 0);
	peer_open(&s.peer, &local, v6 ? &fx->addr6 : &fx->addr4);
	s.peer.epoch = nl_epoch(0);
	s.policy = fx_policy_quiet();
	return s;
}

struct session session_describe(struct fx *fx, enum jvpn_role role, unsigned int number)
{
	return describe(fx, role, number, false);
}

struct session session_describe6(struct fx *fx, enum jvpn_role role, unsigned int number)
{
	return describe(fx, role, number, true);
}

struct nl_transport session_transport(const struct session *s)
{
	return (struct nl_transport){
		.socket = s->v6 ? s->fx->socket6 : s->fx->socket4,
		.remote = s->peer.local,
	};
}

struct nl_request session_request(struct session *s, uint8_t cmd)
{
	struct nl_request r = nl_begin(s->fx->nl, cmd);

	nl_put_device(&r, s->fx->ifindex);
	nl_put(&r, JVPN_A_SESSION_ID, s->id, sizeof(s->id));
	return r;
}

/* Here peers of one name are one peer, and one without a name is nobody. */
void session_put_peer_id(struct nl_request *r, const char *name)
{
	uint8_t id[JVPN_PEER_ID_SIZE];

	if (!name[0])
		return;
	crypto_generichash(id, sizeof(id), (const uint8_t *)name, strlen(name), NULL, 0);
	nl_put(r, JVPN_A_SESSION_PEER_ID, id, sizeof(id));
}

int session_new(struct session *s, struct nl_reply *reply)
{
	struct nl_request r = session_request(s, JVPN_CMD_SESSION_NEW);
	struct nl_transport t = session_transport(s);
	struct nl_reply ignored;

	nl_put_u32(&r, JVPN_A_SESSION_ROLE, s->role);
	nl_put_text(&r, JVPN_A_SESSION_LABEL, s->label);
	session_put_peer_id(&r, s->label);
	nl_put_inner(&r, s->inner4);
	nl_put_inner(&r, s->inner6);
	fx_put_policy(&r, &s->policy);
	if (s->role == JVPN_ROLE_GATEWAY) {
		nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
		nl_put_epoch(&r, &s->peer.epoch);
	}
	if (s->session_deadline)
		nl_put_u64(&r, JVPN_A_SESSION_SESSION_DEADLINE, s->session_deadline);
	if (s->lease_deadline)
		nl_put_u64(&r, JVPN_A_SESSION_LEASE_DEADLINE, s->lease_deadline);
	if (s->birth_deadline)
		nl_put_u64(&r, JVPN_A_SESSION_BIRTH_DEADLINE, s->birth_deadline);
	return nl_run(&r, reply ? reply : &ignored);
}

static void attach_gateway(struct session *s)
{
	peer_send(&s->peer, "", 0);
	REQUIRE(session_wait_state(s, JVPN_STATE_ATTACHED),
		"the first valid packet does not attach the session");
}

static void attach_client(struct session *s)
{
	struct nl_transport t = session_transport(s);
	struct bind b = {
		.has_epoch = true,
		.transport = &t,
		.keys = &s->peer.epoch,
	};
	struct nl_reply reply;

	REQUIRE(!session_bind(s, JVPN_CMD_BINDING_SET, &b, &reply),
		"cannot bind the client's session: %s", reply.text);
}

void session_attach(struct session *s)
{
	struct nl_reply reply;

	REQUIRE(!session_new(s, &reply), "cannot make a session: %s, %s", strerror(reply.error),
		reply.text);
	if (s->role == JVPN_ROLE_GATEWAY)
		attach_gateway(s);
	else
		attach_client(s);
}

struct session session_gateway(struct fx *fx, unsigned int number)
{
	struct session s = session_describe(fx, JVPN_ROLE_GATEWAY, number);

	session_attach(&s);
	return s;
}

struct session session_client(struct fx *fx, unsigned int number)
{
	struct session s = session_describe(fx, JVPN_ROLE_CLIENT, number);

	session_attach(&s);
	return s;
}

struct nl_view session_view(const struct session *s)
{
	struct nl_view v;
	int err = nl_session_get(s->fx->nl, s->fx->ifindex, s->id, &v);

	REQUIRE(!err, "cannot read the session: %s", strerror(err));
	return v;
}

int session_transition(struct session *s, uint64_t version, enum jvpn_event event,
		       enum jvpn_reason reason, struct nl_reply *reply)
{
	struct nl_request r = session_request(s, JVPN_CMD_SESSION_TRANSITION);
	struct nl_reply ignored;

	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, version);
	nl_put_u32(&r, JVPN_A_SESSION_EVENT, event);
	nl_put_u32(&r, JVPN_A_SESSION_REASON, reason);
	return nl_run(&r, reply ? reply : &ignored);
}

int session_bind(struct session *s, uint8_t cmd, const struct bind *b, struct nl_reply *reply)
{
	struct nl_request r = session_request(s, cmd);
	struct nl_reply ignored;

	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, b->version);
	if (b->has_epoch)
		nl_put_u32(&r, JVPN_A_SESSION_EXPECTED_EPOCH, b->epoch);
	if (b->reason)
		nl_put_u32(&r, JVPN_A_SESSION_REASON, b->reason);
	if (b->transport)
		nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, b->transport);
	if (b->keys)
		nl_put_epoch(&r, b->keys);
	if (b->has_cookie)
		nl_put_u64(&r, JVPN_A_SESSION_COOKIE, b->cookie);
	if (b->has_peer) {
		nl_put_u64(&r, JVPN_A_SESSION_PEER_VERSION, b->peer_version);
		nl_put_u32(&r, JVPN_A_SESSION_PEER_EPOCH, b->peer_epoch);
	}
	if (b->hold)
		nl_put(&r, JVPN_A_SESSION_HOLD, NULL, 0);
	if (b->refresh)
		nl_put(&r, JVPN_A_SESSION_REFRESH, NULL, 0);
	return nl_run(&r, reply ? reply : &ignored);
}

void session_jump(struct session *s, struct peer *to, const struct nl_epoch *keys)
{
	struct nl_view v = session_view(s);
	struct nl_transport t = { .socket = s->v6 ? s->fx->socket6 : s->fx->socket4,
				  .remote = to->local };
	struct bind b = {
		.version = v.version,
		.has_epoch = true,
		.epoch = v.epoch,
		.reason = JVPN_REASON_CLIENT_JUMP,
		.transport = &t,
		.keys = keys,
	};
	struct nl_reply reply;

	/* A client's heartbeats under the old keys are of no interest any more. */
	peer_flush(to);
	REQUIRE(!session_bind(s, JVPN_CMD_BINDING_SET, &b, &reply), "cannot jump: %s, %s",
		strerror(reply.error), reply.text);
	to->epoch = *keys;
	to->counter = 0;
}

int session_cancel(struct session *s, const uint64_t *cookie, struct nl_reply *reply)
{
	struct nl_request r = session_request(s, JVPN_CMD_BINDING_CANCEL);
	struct nl_reply ignored;

	if (cookie)
		nl_put_u64(&r, JVPN_A_SESSION_COOKIE, *cookie);
	return nl_run(&r, reply ? reply : &ignored);
}

int session_delete(struct session *s)
{
	struct nl_request r = session_request(s, JVPN_CMD_SESSION_DEL);
	struct nl_reply reply;

	return nl_run(&r, &reply);
}

void session_expect_state(const struct session *s, enum jvpn_state state, uint64_t version)
{
	struct nl_view v = session_view(s);

	CHECK(v.state == state && v.version == version, "the session is %s, version %llu, not %s, %llu",
	      nl_state_name(v.state), (unsigned long long)v.version, nl_state_name(state),
	      (unsigned long long)version);
}

bool session_wait_state(const struct session *s, enum jvpn_state state)
{
	return WAIT_FOR(session_view(s).state == state);
}

/* ---- packets ---- */

static size_t text_build(const char *src, const char *dst, uint8_t *out, const char *text)
{
	struct inner in = {
		.src = src,
		.dst = dst,
		.sport = PEER_PORT,
		.dport = INNER_PORT,
		.payload = text,
		.len = strlen(text),
	};

	return inner_build(out, &in);
}

size_t session_text(const struct session *s, uint8_t *out, const char *text)
{
	return text_build(s->src4, "10.0.0.1", out, text);
}

size_t session_text6(const struct session *s, uint8_t *out, const char *text)
{
	return text_build(s->src6, "fd00::1", out, text);
}

uint64_t session_say(struct session *s, const char *text)
{
	uint8_t inner[2048];

	return peer_send(&s->peer, inner, session_text(s, inner, text));
}

bool session_works(struct session *s, const char *text)
{
	session_say(s, text);
	return sink_expect(s->fx->sink4, text);
}

void session_send(struct session *s, const char *text)
{
	sink_send(s->fx->sink4, s->src4, PEER_PORT, text, strlen(text));
}

/* IPv4 and UDP header lie before the text. */
#define TEXT_OFFSET 28

bool session_hears(struct session *s, const char *text)
{
	static struct peer_datagram d;
	size_t len = strlen(text);

	if (!CHECK(peer_receive_inner(&s->peer, PATIENCE_MS, &d),
		   "\"%s\" did not reach the peer", text))
		return false;
	return CHECK(d.inner_len == TEXT_OFFSET + len && !memcmp(d.inner + TEXT_OFFSET, text, len),
		     "the peer got \"%.*s\", not \"%s\"",
		     d.inner_len > TEXT_OFFSET ? (int)(d.inner_len - TEXT_OFFSET) : 0,
		     d.inner + TEXT_OFFSET, text);
}

/* ---- drops ---- */

struct nl_counters fx_counters(struct fx *fx)
{
	struct nl_counters c;

	nl_counters(fx->nl, fx->ifindex, &c);
	return c;
}

bool fx_expect_drops(struct fx *fx, const struct nl_counters *before, const char *cause,
		     uint64_t n)
{
	uint64_t had = nl_counters_of(before, cause);
	struct nl_counters now;
	bool good;
	unsigned int i;

	good = CHECK(WAIT_FOR(nl_counter(fx->nl, fx->ifindex, cause) >= had + n),
		     "%s rose by %llu, not by %llu", cause,
		     (unsigned long long)(nl_counter(fx->nl, fx->ifindex, cause) - had),
		     (unsigned long long)n);
	now = fx_counters(fx);
	for (i = 0; i < now.count; i++) {
		uint64_t wanted = before->value[i] + (strcmp(now.name[i], cause) ? 0 : n);

		if (strstr(now.name[i], "_drop_"))
			good &= CHECK(now.value[i] == wanted, "%s rose by %llu, not by %llu",
				      now.name[i],
				      (unsigned long long)(now.value[i] - before->value[i]),
				      (unsigned long long)(wanted - before->value[i]));
	}
	return good;
}
