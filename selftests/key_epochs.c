// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that each epoch is used for what it was made for and no longer:
 * distinct keys in every slot, traffic under each, old keys accepted only while
 * they drain, prepared keys committed by the peer's first packet or by the
 * daemon, and never by anything else.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static struct fx fx;

/* epoch-set with the current version and epoch. */
static int refresh(struct session *s, const struct nl_epoch *e, struct nl_reply *reply)
{
	struct nl_view v = session_view(s);
	struct bind b = { .version = v.version, .has_epoch = true, .epoch = v.epoch, .keys = e };

	return session_bind(s, JVPN_CMD_EPOCH_SET, &b, reply);
}

static void adopt(struct session *s, const struct nl_epoch *e)
{
	s->peer.epoch = *e;
	s->peer.counter = 0;
}

static void say_under(struct session *s, const struct nl_epoch *e, uint64_t counter,
		      const char *text)
{
	struct peer p = s->peer;
	uint8_t inner[256];

	p.epoch = *e;
	peer_send_at(&p, counter, inner, session_text(s, inner, text));
}

static void expect_dropped(struct session *s, const struct nl_epoch *e, uint64_t counter,
			   const char *cause, const char *what)
{
	struct nl_counters before = fx_counters(&fx);
	uint8_t buf[64];

	say_under(s, e, counter, what);
	CHECK(fx_expect_drops(&fx, &before, cause, 1), "%s", what);
	CHECK(sink_receive(fx.sink4, 0, buf, sizeof(buf), NULL) < 0, "%s was delivered", what);
}

static void refresh_keeps_version(void)
{
	struct nl *nl = nl_open();
	struct nl_epoch e = nl_epoch(4);
	struct session s;
	struct nl_reply reply;
	struct nl_view v;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	REQUIRE(nl_listen(nl, "state"), "the kernel forbids to listen");
	REQUIRE(!refresh(&s, &e, &reply), "refused: %s", reply.text);
	CHECK(reply.view.version == 1 && reply.view.epoch == 4 && !reply.view.steps,
	      "answered with version %llu, epoch %u, %u steps",
	      (unsigned long long)reply.view.version, reply.view.epoch, reply.view.steps);
	REQUIRE(nl_event(nl, PATIENCE_MS, &v), "no event");
	CHECK(v.cmd == JVPN_CMD_EPOCH_NTF && v.version == 1 && v.epoch == 4 &&
	      !memcmp(v.id, s.id, sizeof(s.id)), "another event came");
	CHECK(!nl_event(nl, 20, &v), "there is an event too many");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	v = session_view(&s);
	CHECK(v.keys.number == 4 && v.keys.rx_index == e.rx.index && v.keys.tx_index == e.tx.index,
	      "the session shows other keys");
}

static void traffic_under_each(void)
{
	struct nl_epoch old, e;
	struct session s;
	unsigned int i;
	char text[32];

	fx = fx_open();
	s = session_gateway(&fx, 10);
	session_works(&s, "epoch 0");
	for (i = 1; i <= 5; i++) {
		old = s.peer.epoch;
		e = nl_epoch(i * 3);
		REQUIRE(!refresh(&s, &e, NULL), "refresh %u is refused", i);
		/* The device sends under the new keys at once ... */
		s.peer.epoch = e;
		snprintf(text, sizeof(text), "sent under %u", i * 3);
		session_send(&s, text);
		session_hears(&s, text);
		/* ... and receives under both. */
		say_under(&s, &old, 5000, "old keys");
		sink_expect(fx.sink4, "old keys");
		s.peer.counter = 0;
		snprintf(text, sizeof(text), "received under %u", i * 3);
		session_works(&s, text);
		session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	}
}

/* No key is ever in two slots, so a packet under the wrong one must not open. */
static void wrong_slot(void)
{
	struct nl_epoch old, e = nl_epoch(1), mixed;
	struct session s;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	old = s.peer.epoch;
	REQUIRE(!refresh(&s, &e, NULL), "refresh is refused");
	mixed = e;
	mixed.rx.index = old.rx.index;
	expect_dropped(&s, &mixed, 10, "rx_drop_auth", "new key, old index");
	mixed = old;
	mixed.rx.index = e.rx.index;
	expect_dropped(&s, &mixed, 10, "rx_drop_auth", "old key, new index");
	mixed = e;
	memcpy(mixed.rx.iv, old.rx.iv, sizeof(mixed.rx.iv));
	expect_dropped(&s, &mixed, 10, "rx_drop_auth", "new key, old IV");
	mixed = e;
	mixed.rx = e.tx;
	mixed.rx.index = e.rx.index;
	expect_dropped(&s, &mixed, 10, "rx_drop_auth", "key of the other direction");
	adopt(&s, &e);
	session_works(&s, "new key, new index");
}

static void draining_window(void)
{
	struct nl_epoch old, e = nl_epoch(1);
	struct session s;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	old = s.peer.epoch;
	say_under(&s, &old, 7, "before");
	sink_expect(fx.sink4, "before");
	REQUIRE(!refresh(&s, &e, NULL), "refresh is refused");
	expect_dropped(&s, &old, 7, "rx_drop_replay", "replayed under old keys");
	expect_dropped(&s, &old, 0, "rx_drop_replay", "replayed under old keys");
	say_under(&s, &old, 6, "late");
	sink_expect(fx.sink4, "late");
	expect_dropped(&s, &old, 6, "rx_drop_replay", "late twice");
	say_under(&s, &e, 7, "the same counter, new keys");
	sink_expect(fx.sink4, "the same counter, new keys");
}

static void drains_once(void)
{
	struct nl_epoch first, second = nl_epoch(1), third = nl_epoch(2);
	struct session s;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	first = s.peer.epoch;
	REQUIRE(!refresh(&s, &second, NULL) && !refresh(&s, &third, NULL), "refresh is refused");
	expect_dropped(&s, &first, 9, "rx_drop_index", "two generations old");
	say_under(&s, &second, 9, "one generation old");
	sink_expect(fx.sink4, "one generation old");
	/* A jump takes all of it away at once. */
	first = nl_epoch(3);
	session_jump(&s, &s.peer, &first);
	expect_dropped(&s, &second, 10, "rx_drop_index", "draining before the jump");
	expect_dropped(&s, &third, 10, "rx_drop_index", "current before the jump");
	session_works(&s, "after the jump");
}

/* Packets under the old keys are still under way when a client jumps to where it is. */
static void client_stays(void)
{
	struct nl_addr at = nl_addr("127.0.0.20", 0);
	struct nl_epoch first, second = nl_epoch(1), third = nl_epoch(2);
	struct session s;
	struct peer old;

	fx = fx_open();
	s = session_client(&fx, 10);
	first = s.peer.epoch;
	session_jump(&s, &s.peer, &second);
	say_under(&s, &first, 9, "from before the jump");
	sink_expect(fx.sink4, "from before the jump");
	session_works(&s, "after the jump");
	old = s.peer;
	s.peer = peer_elsewhere(&old, &at);
	session_jump(&s, &s.peer, &third);
	s.peer = old;
	expect_dropped(&s, &second, 10, "rx_drop_index", "from where the client was");
	expect_dropped(&s, &first, 10, "rx_drop_index", "from two jumps ago");
}

#define DRAIN_MS 10000

static void drain_ends(void)
{
	struct nl_epoch old, e = nl_epoch(1);
	struct session s;
	uint64_t start;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	old = s.peer.epoch;
	REQUIRE(!refresh(&s, &e, NULL), "refresh is refused");
	start = test_now();
	test_sleep(DRAIN_MS - 2000);
	if (test_now() < start + DRAIN_MS - 500) {
		say_under(&s, &old, 9, "nearly over");
		sink_expect(fx.sink4, "nearly over");
	}
	test_sleep(start + DRAIN_MS + 300 - test_now());
	expect_dropped(&s, &old, 10, "rx_drop_index", "after the drain");
	adopt(&s, &e);
	session_works(&s, "new keys");
}

static void refresh_needs_binding(void)
{
	struct nl_epoch e = nl_epoch(1);
	struct session s;
	struct nl_reply reply;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	session_transition(&s, 1, JVPN_EVENT_JUMP, JVPN_REASON_CLIENT_JUMP, NULL);
	CHECK(refresh(&s, &e, &reply), "a session without a binding takes new keys");
	CHECK(reply.text[0], "refused without a sentence");
	session_expect_state(&s, JVPN_STATE_RECOVERING, 2);
	CHECK_EQ(session_view(&s).epoch, 0, "the epoch");
}

static void equal_keys(void)
{
	struct nl_epoch e = nl_epoch(1);
	struct session s;
	struct nl_reply reply;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	memcpy(e.tx.key, e.rx.key, sizeof(e.tx.key));
	CHECK_EQ(refresh(&s, &e, &reply), EINVAL, "the error");
	CHECK(strstr(reply.text, "rx-key"), "the sentence is \"%s\"", reply.text);
	session_works(&s, "unharmed");
}

static void hex(const uint8_t *data, size_t len, char *out)
{
	size_t i;

	for (i = 0; i < len; i++)
		sprintf(out + 2 * i, "%02x", data[i]);
}

static void keys_stay_inside(void)
{
	char *text, key[2 * JVPN_KEY_SIZE + 1];
	struct session s;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	text = nl_session_text(fx.nl, fx.ifindex, s.id);
	hex(s.peer.epoch.rx.key, 8, key);
	CHECK(!strstr(text, key), "the receive key comes out");
	hex(s.peer.epoch.tx.key, 8, key);
	CHECK(!strstr(text, key), "the send key comes out");
	hex(s.peer.epoch.tx.iv, 8, key);
	CHECK(!strstr(text, key), "the IV comes out");
	free(text);
}

/* Counters of the device rise by one, also in the next epoch, where they begin elsewhere. */
static void counters_once(void)
{
	static struct peer_datagram d;
	struct nl_epoch e = nl_epoch(1);
	uint64_t i, first = 0, before = 0;
	struct session s;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	for (i = 0; i < 100; i++) {
		if (i == 50) {
			REQUIRE(!refresh(&s, &e, NULL), "refresh is refused");
			adopt(&s, &e);
		}
		session_send(&s, "count");
		REQUIRE(peer_receive_inner(&s.peer, PATIENCE_MS, &d), "packet %llu is missing",
			(unsigned long long)i);
		if (i % 50 == 0) {
			before = first;
			first = d.counter;
		}
		CHECK_EQ(d.counter, first + i % 50, "the counter");
		CHECK(d.counter < 1ULL << 60, "the counter is beyond those of a key");
		CHECK_EQ(d.index, s.peer.epoch.tx.index, "the index");
	}
	/* Two that tell nothing are so near each other once in half a million times. */
	CHECK(first > before ? first - before > 1ULL << 40 : before - first > 1ULL << 40,
	      "the counters of two epochs begin %lld apart", (long long)(first - before));
}

/* ---- prepared bindings ---- */

struct prepared {
	struct peer peer;
	struct nl_transport transport;
	struct nl_epoch epoch;
};

static struct prepared prepared_make(struct session *s, const char *ip, uint32_t number)
{
	struct nl_addr a = nl_addr(ip, 0);
	struct prepared p = { .peer = peer_elsewhere(&s->peer, &a), .epoch = nl_epoch(number) };

	p.peer.epoch = p.epoch;
	p.peer.counter = 0;
	p.transport = (struct nl_transport){ .socket = fx.socket4, .remote = p.peer.local };
	return p;
}

static int prepare(struct session *s, const struct prepared *p, uint64_t cookie, bool hold,
		   struct nl_reply *reply)
{
	struct bind b = { .version = session_view(s).version, .reason = JVPN_REASON_CLIENT_JUMP,
			  .transport = &p->transport, .keys = &p->epoch, .has_cookie = true,
			  .cookie = cookie, .has_peer = true, .peer_version = 20 + cookie,
			  .peer_epoch = 3, .hold = hold };

	return session_bind(s, JVPN_CMD_BINDING_PREPARE, &b, reply);
}

static void expect_jumped(struct session *s, struct nl *nl, enum jvpn_origin origin)
{
	struct nl_view v;
	unsigned int i;

	REQUIRE(WAIT_FOR(session_view(s).version == 3), "not committed");
	session_expect_state(s, JVPN_STATE_ATTACHED, 3);
	for (i = 0; i < 2; i++) {
		REQUIRE(nl_event(nl, PATIENCE_MS, &v) && v.cmd == JVPN_CMD_SESSION_NTF,
			"no event for step %u", i);
		CHECK(v.version == 2 + i && v.step[0].origin == origin &&
		      v.step[0].event == (i ? JVPN_EVENT_REATTACH_COMMIT : JVPN_EVENT_JUMP) &&
		      v.step[0].reason == (i ? JVPN_REASON_REATTACH_OK : JVPN_REASON_CLIENT_JUMP),
		      "event %u: version %llu, %s by %s", i, (unsigned long long)v.version,
		      nl_event_name(v.step[0].event), nl_reason_name(v.step[0].reason));
	}
}

static void committed_by_packet(void)
{
	struct nl *nl = nl_open();
	struct prepared p;
	struct session s;
	struct nl_reply reply;
	struct nl_view v;

	fx = fx_open();
	s = session_client(&fx, 10);
	REQUIRE(nl_listen(nl, "state"), "the kernel forbids to listen");
	p = prepared_make(&s, "127.0.0.11", 5);
	REQUIRE(!prepare(&s, &p, 1, false, &reply), "refused: %s", reply.text);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	CHECK_EQ(session_view(&s).pending, 1, "pending bindings");
	CHECK_EQ(session_view(&s).epoch, 0, "the epoch");
	/* Until then the old one is used, both ways. */
	session_works(&s, "old path in");
	session_send(&s, "old path out");
	session_hears(&s, "old path out");
	/* The gateway has committed: its first packet says so, and is delivered. */
	s.peer = p.peer;
	session_works(&s, "first of the new epoch");
	expect_jumped(&s, nl, JVPN_ORIGIN_KERNEL);
	v = session_view(&s);
	CHECK(v.epoch == 5 && !v.pending, "epoch %u, %u pending", v.epoch, v.pending);
	CHECK(v.peer_version == 21 && v.peer_epoch == 3, "peer-version %llu, peer-epoch %u",
	      (unsigned long long)v.peer_version, v.peer_epoch);
	session_send(&s, "new path out");
	session_hears(&s, "new path out");
}

/* Only from its own transport, only if authentic, only once. */
static void committed_by_nothing_else(void)
{
	struct nl_counters before;
	uint8_t inner[256], datagram[512];
	struct prepared p;
	struct session s;
	struct peer liar;
	size_t len;

	fx = fx_open();
	s = session_client(&fx, 10);
	p = prepared_make(&s, "127.0.0.11", 5);
	REQUIRE(!prepare(&s, &p, 1, false, NULL), "refused");
	before = fx_counters(&fx);
	len = peer_seal(&p.epoch.rx, 0, inner, session_text(&s, inner, "forged"), datagram);
	datagram[len - 1] ^= 1;
	peer_send_raw(&p.peer, datagram, len);
	fx_expect_drops(&fx, &before, "rx_drop_auth", 1);
	liar = peer_elsewhere(&p.peer, &(struct nl_addr){ .family = AF_INET,
			      .v4 = nl_addr("127.0.0.12", 0).v4 });
	before = fx_counters(&fx);
	peer_send_at(&liar, 0, inner, session_text(&s, inner, "copied"));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 1);
	before = fx_counters(&fx);
	liar = p.peer;
	liar.epoch.rx.index = s.peer.epoch.rx.index;
	peer_send_at(&liar, 0, inner, session_text(&s, inner, "wrong index"));
	fx_expect_drops(&fx, &before, "rx_drop_unbound", 1);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	session_works(&s, "still the old path");
	peer_send_at(&p.peer, 0, inner, session_text(&s, inner, "the right one"));
	sink_expect(fx.sink4, "the right one");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
	before = fx_counters(&fx);
	peer_send_at(&p.peer, 0, inner, session_text(&s, inner, "again"));
	fx_expect_drops(&fx, &before, "rx_drop_replay", 1);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
}

static void committed_by_daemon(void)
{
	struct nl *nl = nl_open();
	struct bind b = { .version = 1, .has_cookie = true, .cookie = 8 };
	struct prepared p;
	struct session s;
	struct nl_reply reply;

	fx = fx_open();
	s = session_client(&fx, 10);
	REQUIRE(nl_listen(nl, "state"), "the kernel forbids to listen");
	p = prepared_make(&s, "127.0.0.11", 5);
	REQUIRE(!prepare(&s, &p, 7, false, NULL), "refused");
	CHECK_EQ(session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply), EPROTO,
		 "an unknown cookie: the error");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	b.cookie = 7;
	CHECK(!session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply), "refused: %s", reply.text);
	expect_jumped(&s, nl, JVPN_ORIGIN_DAEMON);
	s.peer = p.peer;
	session_works(&s, "new path");
	CHECK(session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply) == ESTALE, "committed twice");
}

/* One is committed: older ones are gone; a newer one the gateway may have committed as well. */
static void siblings(void)
{
	struct prepared p[3];
	struct session s;
	struct nl_counters before;
	uint8_t inner[256];
	unsigned int i;
	char ip[16];

	fx = fx_open();
	s = session_client(&fx, 10);
	for (i = 0; i < 3; i++) {
		snprintf(ip, sizeof(ip), "127.0.0.%u", 11 + i);
		p[i] = prepared_make(&s, ip, 5 + i);
		REQUIRE(!prepare(&s, &p[i], i, false, NULL), "refused");
	}
	peer_send(&p[1].peer, inner, session_text(&s, inner, "the second"));
	sink_expect(fx.sink4, "the second");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
	CHECK_EQ(session_view(&s).pending, 1, "pending bindings");
	before = fx_counters(&fx);
	peer_send(&p[0].peer, inner, session_text(&s, inner, "too late"));
	fx_expect_drops(&fx, &before, "rx_drop_index", 1);
	peer_send(&p[2].peer, inner, session_text(&s, inner, "the third"));
	sink_expect(fx.sink4, "the third");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 5);
	CHECK_EQ(session_view(&s).epoch, 7, "the epoch");
	CHECK_EQ(session_view(&s).pending, 0, "pending bindings");
	before = fx_counters(&fx);
	peer_send(&p[1].peer, inner, session_text(&s, inner, "too late"));
	fx_expect_drops(&fx, &before, "rx_drop_index", 1);
}

/*
 * Two attempts while there is no binding, both committed by the gateway: the
 * second brings new keys if it is over the same transport, else it is a jump.
 */
static void second_attempt(void)
{
	struct nl_epoch e = nl_epoch(6);
	struct prepared first, other;
	struct bind b = { .version = 2, .has_cookie = true };
	struct session s;

	fx = fx_open();
	s = session_client(&fx, 10);
	session_transition(&s, 1, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_LINK_DOWN, NULL);
	first = prepared_make(&s, "127.0.0.11", 5);
	other = prepared_make(&s, "127.0.0.12", 7);
	b.transport = &first.transport;
	b.keys = &first.epoch;
	REQUIRE(!session_bind(&s, JVPN_CMD_BINDING_PREPARE, &b, NULL), "refused");
	b.keys = &e;
	b.cookie = 1;
	REQUIRE(!session_bind(&s, JVPN_CMD_BINDING_PREPARE, &b, NULL), "refused");
	b.transport = &other.transport;
	b.keys = &other.epoch;
	b.cookie = 2;
	REQUIRE(!session_bind(&s, JVPN_CMD_BINDING_PREPARE, &b, NULL), "refused");
	s.peer = first.peer;
	session_works(&s, "first attempt");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
	adopt(&s, &e);
	session_works(&s, "second attempt, the same transport");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
	CHECK_EQ(session_view(&s).epoch, 6, "the epoch");
	s.peer = other.peer;
	session_works(&s, "third attempt, another transport");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 5);
	CHECK_EQ(session_view(&s).step[3].reason, JVPN_REASON_CLIENT_JUMP, "the reason of the jump");
}

static void prepared_bounds(void)
{
	struct prepared p[6];
	struct session s;
	struct nl_reply reply;
	uint64_t cookie;
	unsigned int i;
	char ip[16];

	fx = fx_open();
	s = session_client(&fx, 10);
	for (i = 0; i < 6; i++) {
		snprintf(ip, sizeof(ip), "127.0.0.%u", 11 + i);
		p[i] = prepared_make(&s, ip, 5 + i);
	}
	for (i = 0; i < JVPN_PENDING_MAX; i++)
		CHECK(!prepare(&s, &p[i], i, false, &reply), "%u is refused: %s", i, reply.text);
	CHECK_EQ(prepare(&s, &p[4], 4, false, &reply), ENOSPC, "one too many: the error");
	CHECK_EQ(reply.view.reject, JVPN_REJECT_RATE_LIMITED, "one too many: reject");
	cookie = 2;
	CHECK(!session_cancel(&s, &cookie, &reply), "cancel is refused: %s", reply.text);
	CHECK_EQ(session_view(&s).pending, 3, "pending bindings");
	CHECK_EQ(prepare(&s, &p[4], 1, false, &reply), EADDRINUSE, "a cookie twice: the error");
	CHECK(!prepare(&s, &p[4], 4, false, &reply), "refused after cancel: %s", reply.text);
	CHECK(!session_cancel(&s, NULL, &reply), "cancel of all is refused: %s", reply.text);
	CHECK_EQ(session_view(&s).pending, 0, "pending bindings");
	/* A cancelled key opens nothing. */
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	expect_dropped(&s, &p[0].epoch, 0, "rx_drop_index", "cancelled");
	session_works(&s, "unharmed");
}

/* The daemon may be dead by then: the client asks under the prepared keys itself. */
static void asked_for(void)
{
	static struct peer_datagram d;
	struct peer_heartbeat h;
	struct prepared p;
	struct session s;

	fx = fx_open();
	s = session_client(&fx, 10);
	p = prepared_make(&s, "127.0.0.11", 5);
	REQUIRE(!prepare(&s, &p, 1, false, NULL), "refused");
	REQUIRE(peer_receive(&p.peer, PATIENCE_MS, &d), "the gateway is not asked");
	CHECK(peer_heartbeat_read(&d, &h) && !h.reply, "it is asked by something else");
	CHECK_EQ(d.len, 224, "octets of the datagram");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	peer_heartbeat_echo(&p.peer, &h);
	CHECK(WAIT_FOR(session_view(&s).version == 3), "the echo does not commit it");
}

/* What was prepared, asked for and given up may come again: with new counters. */
static void keys_come_again(void)
{
	static struct peer_datagram d;
	uint64_t last = 0, cookie = 1;
	struct prepared p;
	struct session s;
	unsigned int i;

	fx = fx_open();
	s = session_client(&fx, 10);
	p = prepared_make(&s, "127.0.0.11", 5);
	for (i = 0; i < 5; i++) {
		REQUIRE(!prepare(&s, &p, cookie, false, NULL), "refused");
		REQUIRE(peer_receive(&p.peer, PATIENCE_MS, &d), "the gateway is not asked");
		CHECK_EQ(d.index, p.epoch.tx.index, "the index");
		CHECK(d.counter > last, "round %u: counter %llu after %llu", i,
		      (unsigned long long)d.counter, (unsigned long long)last);
		REQUIRE(!session_cancel(&s, &cookie, NULL), "cannot cancel");
		/* Nothing else is under way. */
		last = d.counter;
		while (peer_receive(&p.peer, 0, &d))
			last = d.counter;
	}
	session_jump(&s, &p.peer, &p.epoch);
	s.peer = p.peer;
	session_send(&s, "the same keys");
	REQUIRE(peer_receive(&s.peer, PATIENCE_MS, &d), "nothing came");
	CHECK(d.counter > last, "bound: counter %llu after %llu", (unsigned long long)d.counter,
	      (unsigned long long)last);
}

/* ---- keys that may not be used any longer are gone ---- */

#define REJECT_MS 2000

static struct session short_lived(enum jvpn_role role)
{
	struct session s;

	fx = fx_open();
	s = session_describe(&fx, role, 10);
	fx_policy_set(&s.policy, JVPN_A_POLICY_REJECT_AFTER_MS, REJECT_MS);
	session_attach(&s);
	return s;
}

static void expect_gone(struct session *s, const struct nl_epoch *e, const char *what)
{
	test_sleep(REJECT_MS + 200);
	expect_dropped(s, e, 900, "rx_drop_index", what);
}

static void retired_end(void)
{
	struct session s = short_lived(JVPN_ROLE_GATEWAY);

	REQUIRE(!session_transition(&s, 1, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_PROBE_TIMEOUT,
				    NULL), "cannot lose the binding");
	expect_gone(&s, &s.peer.epoch, "retired for longer than keys may be used");
}

static void draining_end(void)
{
	struct session s = short_lived(JVPN_ROLE_GATEWAY);
	struct nl_epoch old = s.peer.epoch, e = nl_epoch(1);

	REQUIRE(!refresh(&s, &e, NULL), "refresh is refused");
	expect_gone(&s, &old, "draining for longer than keys may be used");
}

static void prepared_end(void)
{
	struct session s = short_lived(JVPN_ROLE_CLIENT);
	struct prepared p = prepared_make(&s, "127.0.0.11", 5);

	REQUIRE(!prepare(&s, &p, 1, false, NULL), "refused");
	expect_gone(&s, &p.epoch, "prepared for longer than keys may be used");
	CHECK_EQ(session_view(&s).pending, 0, "pending bindings");
}

/* A handshake that is not done in time, of a session that may wait for ever. */
static void awaited_end(void)
{
	struct session s;

	fx = fx_open();
	s = session_describe(&fx, JVPN_ROLE_GATEWAY, 10);
	s.birth_deadline = 0;
	fx_policy_set(&s.policy, JVPN_A_POLICY_REJECT_AFTER_MS, REJECT_MS);
	REQUIRE(!session_new(&s, NULL), "refused");
	expect_gone(&s, &s.peer.epoch, "awaited for longer than keys may be used");
	session_expect_state(&s, JVPN_STATE_BIRTH, 0);
}

/* From recovering it is one step. */
static void prepared_recovering(void)
{
	struct prepared p;
	struct session s;

	fx = fx_open();
	s = session_client(&fx, 10);
	REQUIRE(!session_transition(&s, 1, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_LINK_DOWN, NULL),
		"refused");
	p = prepared_make(&s, "127.0.0.11", 5);
	REQUIRE(!prepare(&s, &p, 1, true, NULL), "refused");
	s.peer = p.peer;
	session_works(&s, "back");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
	CHECK_EQ(session_view(&s).steps, 3, "transitions");
}

/* A rekey is prepared in the same way: no transition. */
static void prepared_refresh(void)
{
	struct bind b = { .version = 1, .has_cookie = true, .cookie = 1, .refresh = true };
	struct nl_epoch old, e = nl_epoch(2), other = nl_epoch(3);
	struct nl *nl = nl_open();
	struct session s;
	struct nl_reply reply;
	struct nl_view v;

	fx = fx_open();
	s = session_client(&fx, 10);
	REQUIRE(nl_listen(nl, "state"), "the kernel forbids to listen");
	b.keys = &e;
	REQUIRE(!session_bind(&s, JVPN_CMD_BINDING_PREPARE, &b, &reply), "refused: %s",
		reply.text);
	old = s.peer.epoch;
	session_works(&s, "old keys");
	adopt(&s, &e);
	session_works(&s, "new keys");
	REQUIRE(nl_event(nl, PATIENCE_MS, &v), "no event");
	CHECK(v.cmd == JVPN_CMD_EPOCH_NTF && v.epoch == 2 && v.version == 1, "another event");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	say_under(&s, &old, 900, "draining");
	sink_expect(fx.sink4, "draining");
	/* epoch-set with a cookie does the same; binding-set does not take it. */
	b.keys = &other;
	b.cookie = 2;
	REQUIRE(!session_bind(&s, JVPN_CMD_BINDING_PREPARE, &b, &reply), "refused: %s",
		reply.text);
	b.keys = NULL;
	b.refresh = false;
	CHECK_EQ(session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply), EPROTO,
		 "binding-set of a refresh: the error");
	CHECK(!session_bind(&s, JVPN_CMD_EPOCH_SET, &b, &reply), "refused: %s", reply.text);
	adopt(&s, &other);
	session_works(&s, "third keys");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
}

/* ---- a refresh and what may come between it and its arrival ---- */

static struct nl_epoch refresh_prepare(struct session *s, uint32_t number)
{
	struct nl_epoch e = nl_epoch(number);
	struct bind b = { .version = session_view(s).version, .keys = &e, .has_cookie = true,
			  .cookie = 1, .refresh = true };
	struct nl_reply reply;

	REQUIRE(!session_bind(s, JVPN_CMD_BINDING_PREPARE, &b, &reply), "refused: %s", reply.text);
	return e;
}

/* Neither a packet from @from nor the daemon commits it any more. */
static void expect_void(struct session *s, const struct peer *from, const struct nl_epoch *e)
{
	char *before, *after;
	struct nl_counters drops = fx_counters(&fx);
	struct bind b = { .version = session_view(s).version, .has_cookie = true, .cookie = 1 };
	struct session other = *s;
	struct nl_reply reply;

	before = nl_session_text(fx.nl, fx.ifindex, s->id);
	other.peer = *from;
	say_under(&other, e, 0, "void");
	fx_expect_drops(&fx, &drops, "rx_drop_index", 1);
	CHECK_EQ(session_bind(s, JVPN_CMD_EPOCH_SET, &b, &reply), EPROTO, "epoch-set: the error");
	after = nl_session_text(fx.nl, fx.ifindex, s->id);
	CHECK(!strcmp(before, after), "the session was changed:\n%s\nwas\n%s", after, before);
	CHECK_EQ(session_view(s).pending, 0, "pending bindings");
	free(before);
	free(after);
}

static void refresh_then_jump(void)
{
	struct nl_epoch e, jump = nl_epoch(1);
	struct nl_addr there = nl_addr("127.0.0.11", 0);
	struct session s;
	struct peer old;

	fx = fx_open();
	s = session_client(&fx, 10);
	e = refresh_prepare(&s, 2);
	old = s.peer;
	s.peer = peer_elsewhere(&old, &there);
	session_jump(&s, &s.peer, &jump);
	session_works(&s, "there");
	expect_void(&s, &old, &e);
	expect_void(&s, &s.peer, &e);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
	session_works(&s, "still there");
	/* Nor is it valid again once the session is back where it was prepared. */
	jump = nl_epoch(3);
	s.peer = old;
	session_jump(&s, &s.peer, &jump);
	expect_void(&s, &s.peer, &e);
	session_works(&s, "here again");
}

static void refresh_then_prepared_jump(void)
{
	struct nl_epoch e;
	struct prepared p;
	struct session s;
	struct peer old;

	fx = fx_open();
	s = session_client(&fx, 10);
	p = prepared_make(&s, "127.0.0.11", 2);
	REQUIRE(!prepare(&s, &p, 7, true, NULL), "refused");
	old = s.peer;
	e = refresh_prepare(&s, 3);
	s.peer = p.peer;
	session_works(&s, "there");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
	expect_void(&s, &old, &e);
	session_works(&s, "still there");
}

static void refresh_then_loss(void)
{
	struct nl_epoch e, again = nl_epoch(1);
	struct session s;

	fx = fx_open();
	s = session_client(&fx, 10);
	e = refresh_prepare(&s, 2);
	REQUIRE(!session_transition(&s, 1, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_LINK_DOWN, NULL),
		"refused");
	expect_void(&s, &s.peer, &e);
	session_expect_state(&s, JVPN_STATE_RECOVERING, 2);
	session_jump(&s, &s.peer, &again);
	expect_void(&s, &s.peer, &e);
	session_works(&s, "back");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
}

/* The transport stays: what was agreed for it stays, too. */
static void refresh_then_jump_in_place(void)
{
	struct nl_epoch e, jump = nl_epoch(1);
	struct session s;

	fx = fx_open();
	s = session_client(&fx, 10);
	e = refresh_prepare(&s, 2);
	session_jump(&s, &s.peer, &jump);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
	adopt(&s, &e);
	session_works(&s, "new keys");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 3);
	CHECK_EQ(session_view(&s).epoch, 2, "the epoch");
	CHECK_EQ(session_view(&s).transport.version, 3, "the version of the binding");
}

static const struct test_case cases[] = {
	{ "a refresh keeps version and state, and is told", refresh_keeps_version },
	{ "traffic under each of six epochs, and under the one before", traffic_under_each },
	{ "a key opens nothing in another slot", wrong_slot },
	{ "a draining epoch keeps its replay window", draining_window },
	{ "only the last epoch drains, and none after a jump", drains_once },
	{ "a client that jumps to where it is drains, one that leaves does not", client_stays },
	{ "draining ends after ten seconds", drain_ends },
	{ "a refresh needs a binding", refresh_needs_binding },
	{ "both directions cannot have one key", equal_keys },
	{ "keys do not come out", keys_stay_inside },
	{ "send counters rise by one, and tell nothing from epoch to epoch", counters_once },
	{ "keys that come again have no counter again", keys_come_again },
	{ "retired keys go when they may not be used any longer", retired_end },
	{ "so do draining ones", draining_end },
	{ "so do prepared ones", prepared_end },
	{ "so do those that a session in birth waits for", awaited_end },
	{ "the first valid packet commits a prepared binding", committed_by_packet },
	{ "nothing else commits a prepared binding", committed_by_nothing_else },
	{ "the daemon commits a prepared binding by its cookie", committed_by_daemon },
	{ "a commit takes older prepared bindings away and keeps newer ones", siblings },
	{ "a second attempt that was committed as well", second_attempt },
	{ "prepared bindings are bounded and can be cancelled", prepared_bounds },
	{ "the gateway is asked under prepared keys", asked_for },
	{ "a prepared binding ends recovering in one step", prepared_recovering },
	{ "a prepared refresh is committed without a transition", prepared_refresh },
	{ "a refresh is void once the session has jumped away", refresh_then_jump },
	{ "a refresh is void once a prepared jump was committed", refresh_then_prepared_jump },
	{ "a refresh is void once the binding is lost", refresh_then_loss },
	{ "a refresh survives a jump to where it is", refresh_then_jump_in_place },
};

TEST_MAIN(cases)
