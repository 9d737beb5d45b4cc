// SPDX-License-Identifier: GPL-2.0
/*
 * Proves the kernel's own measurements and what it does on them: heartbeats and
 * their echoes, the death of a silent path, of a link, of a route, and reports
 * when a threshold is crossed.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

static struct fx fx;

static struct nl *listen_to(const char *group)
{
	struct nl *nl = nl_open();

	REQUIRE(nl_listen(nl, group), "the kernel forbids to listen");
	return nl;
}

/* A client whose heartbeats follow one another fast. */
static struct session prober(unsigned int interval, unsigned int dead_base)
{
	struct session s = session_describe(&fx, JVPN_ROLE_CLIENT, 10);

	fx_policy_set(&s.policy, JVPN_A_POLICY_IDLE_INTERVAL_MS, interval < 100 ? 100 : interval);
	fx_policy_set(&s.policy, JVPN_A_POLICY_ACTIVE_INTERVAL_MS, interval);
	fx_policy_set(&s.policy, JVPN_A_POLICY_DEAD_BASE_MS, dead_base);
	return s;
}

static bool next_heartbeat(struct session *s, unsigned int timeout_ms, struct peer_heartbeat *h)
{
	static struct peer_datagram d;

	while (peer_receive(&s->peer, timeout_ms, &d))
		if (peer_heartbeat_read(&d, h))
			return true;
	return false;
}

/* Answer every heartbeat for some time, @delay late. */
static unsigned int answer_for(struct session *s, uint64_t ms, unsigned int delay)
{
	uint64_t end = test_now() + ms;
	struct peer_heartbeat h;
	unsigned int count = 0;

	while (test_now() < end)
		if (next_heartbeat(s, 20, &h)) {
			if (delay)
				test_sleep(delay);
			peer_heartbeat_echo(&s->peer, &h);
			count++;
		}
	return count;
}

static void first_heartbeat(void)
{
	static struct peer_datagram d;
	struct peer_heartbeat h;
	struct session s;
	struct nl_view v;

	fx = fx_open();
	s = prober(200, 60000);
	session_attach(&s);
	REQUIRE(peer_receive(&s.peer, PATIENCE_MS, &d) && peer_heartbeat_read(&d, &h),
		"no heartbeat follows the binding");
	CHECK(!h.reply && h.ts, "it is a reply, or has no time");
	CHECK_EQ(h.version, 1, "its version");
	CHECK_EQ(d.len, 224, "octets of the datagram");
	CHECK_EQ(session_view(&s).health.rtt_us, 0, "the round trip before any echo");
	test_sleep(20);
	peer_heartbeat_echo(&s.peer, &h);
	CHECK(WAIT_FOR(session_view(&s).health.rtt_us), "the echo is not measured");
	v = session_view(&s);
	CHECK(v.health.rtt_us >= 20000 && v.health.rtt_us < 20000 + test_scale(500000, 2000000),
	      "the round trip is %u us", v.health.rtt_us);
	CHECK(v.health.last_rx + 1000 > test_now(), "the last sign of life is old");
}

static void interval(void)
{
	unsigned int count;
	struct session s;

	fx = fx_open();
	s = prober(100, 60000);
	session_attach(&s);
	count = answer_for(&s, 2000, 0);
	CHECK(count >= 2000 / 100 / (test_slow() ? 4 : 2) && count <= 2000 / 100 + 5,
	      "%u heartbeats in 2 s at an interval of 100 ms", count);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	CHECK_EQ(session_view(&s).health.loss, 0, "the loss");
}

/* Nothing is sent when nothing is to be done. */
static void idle_costs_nothing(void)
{
	struct nl_counters before;
	struct session s;

	fx = fx_open();
	s = prober(60000, 60000);
	session_attach(&s);
	answer_for(&s, 300, 0);
	before = fx_counters(&fx);
	CHECK_EQ(answer_for(&s, 1000, 0), 0, "heartbeats in a second of idleness");
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "tx_datagrams"),
		 nl_counters_of(&before, "tx_datagrams"), "datagrams sent");
}

static int probe_now(struct session *s, struct nl_reply *reply)
{
	struct nl_request r = session_request(s, JVPN_CMD_BINDING_PROBE);

	return nl_run(&r, reply);
}

static void asked_for(void)
{
	struct session s, g;
	struct nl_reply reply;

	fx = fx_open();
	s = prober(60000, 60000);
	session_attach(&s);
	answer_for(&s, 300, 0);
	REQUIRE(!probe_now(&s, &reply), "refused: %s", reply.text);
	CHECK_EQ(answer_for(&s, test_scale(300, 3000), 0), 1, "heartbeats at once");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	REQUIRE(!session_transition(&s, 1, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_PROBE_TIMEOUT,
				    &reply), "cannot be given up: %s", reply.text);
	CHECK_EQ(probe_now(&s, &reply), EPROTO, "the error of a session without a binding");
	CHECK_EQ(reply.view.reject, JVPN_REJECT_ILLEGAL_TRANSITION, "its reason");
	g = session_gateway(&fx, 11);
	CHECK_EQ(probe_now(&g, &reply), EPROTO, "the error of a gateway's session");
	session_expect_state(&g, JVPN_STATE_ATTACHED, 1);
}

/* What comes down is use of the path as well as what goes up. */
static void received_is_active(void)
{
	uint64_t end = test_now() + 1500;
	unsigned int count = 0, i = 0;
	struct peer_heartbeat h;
	struct session s;

	fx = fx_open();
	s = prober(50, 60000);
	fx_policy_set(&s.policy, JVPN_A_POLICY_IDLE_INTERVAL_MS, 60000);
	session_attach(&s);
	answer_for(&s, 300, 0);
	while (test_now() < end) {
		if (i++ % 2)
			session_works(&s, "downward");
		if (next_heartbeat(&s, 5, &h)) {
			peer_heartbeat_echo(&s.peer, &h);
			count++;
		}
	}
	CHECK(count >= 1200 / 50 / (test_slow() ? 4 : 2), "%u heartbeats in 1.2 s", count);
}

/* An echo that a later one has overtaken is none that is lost. */
static void overtaken_echo(void)
{
	struct peer_heartbeat first, second;
	struct session s;
	unsigned int i;

	fx = fx_open();
	s = prober(50, 60000);
	session_attach(&s);
	for (i = 0; i < 5; i++) {
		REQUIRE(next_heartbeat(&s, PATIENCE_MS, &first), "no heartbeat");
		REQUIRE(next_heartbeat(&s, PATIENCE_MS, &second), "no second heartbeat");
		peer_heartbeat_echo(&s.peer, &second);
		if (i < 4)
			peer_heartbeat_echo(&s.peer, &first);
	}
	CHECK(WAIT_FOR(session_view(&s).health.loss), "none is lost");
	/* One of ten. */
	CHECK_EQ(session_view(&s).health.loss, 100, "the loss");
}

static void gateway_answers(void)
{
	static struct peer_datagram d;
	struct peer_heartbeat h = { .seq = 0x01020304, .ts = 0x1122334455667788, .version = 77 };
	struct peer_heartbeat r;
	uint8_t text[PEER_HEARTBEAT_CLIENT_SIZE];
	struct session s;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	peer_send(&s.peer, text, peer_heartbeat_build(text, &h));
	REQUIRE(peer_receive(&s.peer, PATIENCE_MS, &d) && peer_heartbeat_read(&d, &r),
		"the gateway does not answer");
	CHECK(r.reply && r.seq == h.seq && r.echo_ts == h.ts, "the answer is not of this heartbeat");
	CHECK_EQ(r.version, 1, "the version");
	CHECK(d.len <= 224, "the answer is longer than the question");
	/* A reply is not answered; nor does a client answer. */
	h.reply = true;
	peer_send(&s.peer, text, peer_heartbeat_build(text, &h));
	CHECK(!peer_receive(&s.peer, 50, &d), "a reply is answered");
	s = session_client(&fx, 11);
	CHECK(peer_receive(&s.peer, PATIENCE_MS, &d), "no heartbeat");
	h.reply = false;
	peer_send(&s.peer, text, peer_heartbeat_build(text, &h));
	CHECK(!peer_receive(&s.peer, 50, &d), "a client answers a heartbeat");
}

/* What a client says of the path behind its heartbeat. */
static void say_path(struct session *s, uint32_t seq, uint16_t size, uint8_t flags, size_t len)
{
	struct peer_heartbeat h = { .seq = seq, .ts = 5 + seq };
	static uint8_t text[2000];

	memset(text, 0, sizeof(text));
	peer_heartbeat_build(text, &h);
	text[32] = size;
	text[33] = size >> 8;
	text[34] = flags;
	peer_send(&s->peer, text, len);
}

static bool answered(struct session *s, size_t size)
{
	static struct peer_datagram d;
	struct peer_heartbeat r;

	return peer_receive(&s->peer, PATIENCE_MS, &d) && peer_heartbeat_read(&d, &r) && r.reply &&
	       d.len == size;
}

static void expect_path(struct session *s, uint32_t mtu, bool searching)
{
	struct nl_view v = session_view(s);

	CHECK(v.transport.path_mtu == mtu && v.transport.searching == searching,
	      "the path MTU is %u%s, not %u%s", v.transport.path_mtu,
	      v.transport.searching ? " and searched for" : "", mtu,
	      searching ? " and searched for" : "");
}

/* A gateway answers a long heartbeat by one as long, and goes by what its client has found. */
static void gateway_learns_size(void)
{
	struct session s;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	say_path(&s, 10, 0, 0, 192);
	CHECK(answered(&s, 64), "a usual heartbeat is not answered by a short one");
	expect_path(&s, 0, false);
	say_path(&s, 11, 0, 0, 1400);
	CHECK(answered(&s, 1432), "a long heartbeat is not answered by one as long");
	say_path(&s, 12, 1300, 0, 192);
	CHECK(answered(&s, 64), "no answer");
	expect_path(&s, 1328, false);
	CHECK_EQ(session_view(&s).transport.pmtu, 1268, "the largest inner packet");
	say_path(&s, 11, 1400, 0, 192);
	CHECK(answered(&s, 64), "no answer");
	expect_path(&s, 1328, false);
	say_path(&s, 13, 1, 0, 192);
	CHECK(answered(&s, 64), "no answer");
	expect_path(&s, 576, false);
	say_path(&s, 14, 548, 1, 192);
	CHECK(answered(&s, 64), "no answer");
	expect_path(&s, 576, true);
	CHECK(session_view(&s).transport.pmtu > 1268, "a search tells senders to send less");
	say_path(&s, 15, 0, 0, 192);
	CHECK(answered(&s, 64), "no answer");
	expect_path(&s, 0, false);
	/* An older client says nothing: its heartbeat may even end before. */
	say_path(&s, 16, 1300, 0, 32);
	CHECK(answered(&s, 64), "no answer");
	expect_path(&s, 0, false);
}

/* Only an echo of what was sent confirms; that of an older gateway is short, and does too. */
static void client_asks_for_size(void)
{
	static struct peer_datagram d;
	struct peer_heartbeat h;
	struct session s;

	fx = fx_open();
	s = prober(100, 60000);
	s.peer.shows_sizes = true;
	session_attach(&s);
	REQUIRE(next_heartbeat(&s, PATIENCE_MS, &h), "no heartbeat");
	CHECK(!peer_receive(&s.peer, 20, &d) || d.inner_len <= PEER_HEARTBEAT_CLIENT_SIZE,
	      "a size is asked for before the path is known to live");
	do {
		peer_heartbeat_echo(&s.peer, &h);
		REQUIRE(peer_receive(&s.peer, PATIENCE_MS, &d) && peer_heartbeat_read(&d, &h),
			"no size is asked for");
	} while (d.inner_len <= PEER_HEARTBEAT_CLIENT_SIZE);
	h.ts -= 1;
	peer_heartbeat_echo(&s.peer, &h);
	peer_heartbeat_echo_size(&s.peer, &h, d.inner_len);
	/* Behind it, so that it was looked at. */
	REQUIRE(next_heartbeat(&s, PATIENCE_MS, &h), "no heartbeat");
	CHECK(session_view(&s).transport.path_mtu != d.len + 28, "confirmed by an echo of nothing");
	while (d.inner_len <= PEER_HEARTBEAT_CLIENT_SIZE || !peer_heartbeat_read(&d, &h))
		REQUIRE(peer_receive(&s.peer, PATIENCE_MS, &d), "it is not asked for again");
	peer_heartbeat_echo(&s.peer, &h);
	CHECK(WAIT_FOR(session_view(&s).transport.path_mtu == d.len + 28),
	      "a path MTU of %zu is not confirmed by its echo", d.len + 28);
	expect_path(&s, d.len + 28, false);
	peer_flush(&s.peer);
	REQUIRE(peer_receive(&s.peer, PATIENCE_MS, &d) && peer_heartbeat_read(&d, &h),
		"no heartbeat");
	CHECK_EQ(d.inner[32] + d.inner[33] * 256 + 28U, session_view(&s).transport.path_mtu,
		 "what the gateway is told");
	CHECK_EQ(d.inner[34], 0, "the flags");
}

/* An echo with another time than the heartbeat's measures nothing. */
static void wrong_echo(void)
{
	struct peer_heartbeat h;
	struct session s;

	fx = fx_open();
	s = prober(600000, 60000);
	session_attach(&s);
	REQUIRE(next_heartbeat(&s, PATIENCE_MS, &h), "no heartbeat");
	h.ts++;
	peer_heartbeat_echo(&s.peer, &h);
	h.ts--;
	h.seq += 5;
	peer_heartbeat_echo(&s.peer, &h);
	session_works(&s, "after them");
	CHECK_EQ(session_view(&s).health.rtt_us, 0, "the round trip");
	h.seq -= 5;
	peer_heartbeat_echo(&s.peer, &h);
	CHECK(WAIT_FOR(session_view(&s).health.rtt_us), "the right echo is not measured");
}

static void expect_dead(struct session *s, enum jvpn_reason reason)
{
	struct nl_view v;

	CHECK(session_wait_state(s, JVPN_STATE_RECOVERING), "the transport is not given up");
	v = session_view(s);
	CHECK(v.steps && v.step[v.steps - 1].reason == reason &&
	      v.step[v.steps - 1].origin == JVPN_ORIGIN_KERNEL, "given up by %s",
	      nl_reason_name(v.step[v.steps - 1].reason));
	CHECK(!v.bound, "it is still bound");
}

/* Nothing ever heard: 3 * 250 ms and the base. */
static void silent_from_the_start(void)
{
	uint64_t start;
	struct session s;
	struct nl_view v;

	fx = fx_open();
	s = prober(100, 300);
	start = test_now();
	session_attach(&s);
	nl_close(fx.nl);
	test_sleep(800);
	fx.nl = nl_open();
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	expect_dead(&s, JVPN_REASON_PROBE_TIMEOUT);
	v = session_view(&s);
	CHECK(v.step[1].time - start >= 1050 && v.step[1].time - start <= 1050 + test_scale(1500, 4000),
	      "given up after %llu ms", (unsigned long long)(v.step[1].time - start));
}

/* A path that was well dies: found out in the base and 3 round trips, under traffic. */
static void black_hole(void)
{
	struct nl_counters before;
	uint64_t start, took;
	struct session s;
	unsigned int i;

	fx = fx_open();
	s = prober(50, 100);
	session_attach(&s);
	answer_for(&s, 500, 0);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	CHECK(session_view(&s).health.rtt_us, "no round trip is known");
	before = fx_counters(&fx);
	start = test_now();
	for (i = 0; i < 500 && session_view(&s).state == JVPN_STATE_ATTACHED; i++) {
		session_send(&s, "into the void");
		test_sleep(5);
	}
	expect_dead(&s, JVPN_REASON_PROBE_TIMEOUT);
	took = session_view(&s).step[1].time - start;
	CHECK(took <= test_scale(1500, 4000), "it took %llu ms", (unsigned long long)took);
	CHECK(nl_counter(fx.nl, fx.ifindex, "tx_heartbeats") -
	      nl_counters_of(&before, "tx_heartbeats") >= 3, "declared dead without asking");
}

/* Half of the echoes are lost: not dead. */
static void lossy_is_not_dead(void)
{
	struct peer_heartbeat h;
	uint64_t end;
	struct session s;
	unsigned int i = 0;

	fx = fx_open();
	s = prober(50, 400);
	session_attach(&s);
	end = test_now() + 2500;
	while (test_now() < end)
		if (next_heartbeat(&s, 20, &h) && i++ % 2)
			peer_heartbeat_echo(&s.peer, &h);
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	CHECK(session_view(&s).health.loss > 200, "the loss is %u of 1000",
	      session_view(&s).health.loss);
}

/* ICMP can be forged: a closed port is no death, silence is. */
static void icmp_is_no_death(void)
{
	uint64_t end;
	struct session s;

	fx = fx_open();
	s = prober(600000, 600000);
	session_attach(&s);
	peer_close(&s.peer);
	for (end = test_now() + 300; test_now() < end; test_sleep(10))
		session_send(&s, "to a closed port");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
}

/* ---- health events ---- */

static bool health_event(struct nl *nl, unsigned int timeout_ms, enum jvpn_event event,
			 enum jvpn_reason reason)
{
	struct nl_view v;

	return CHECK(nl_event(nl, timeout_ms, &v) && v.cmd == JVPN_CMD_HEALTH_NTF,
		     "%s is not proposed", nl_event_name(event)) &&
	       CHECK(v.event == event && v.reason == reason, "%s by %s is proposed, not %s by %s",
		     nl_event_name(v.event), nl_reason_name(v.reason), nl_event_name(event),
		     nl_reason_name(reason));
}

static void loss_threshold(void)
{
	struct peer_heartbeat h;
	struct nl_view v;
	struct session s;
	struct nl *nl;
	uint64_t end;
	unsigned int i = 0;

	fx = fx_open();
	nl = listen_to("health");
	s = prober(20, 60000);
	fx_policy_set(&s.policy, JVPN_A_POLICY_LOSS_ENTER, 40);
	fx_policy_set(&s.policy, JVPN_A_POLICY_LOSS_LEAVE, 10);
	session_attach(&s);
	/* Two of three are lost. */
	end = test_now() + PATIENCE_MS;
	while (test_now() < end && session_view(&s).health.loss < 600)
		if (next_heartbeat(&s, 20, &h) && !(i++ % 3))
			peer_heartbeat_echo(&s.peer, &h);
	health_event(nl, PATIENCE_MS, JVPN_EVENT_QUALITY_LOW, JVPN_REASON_LOSS_THRESHOLD);
	for (i = 0; i < 60; i++)
		if (next_heartbeat(&s, 20, &h) && !(i % 3))
			peer_heartbeat_echo(&s.peer, &h);
	CHECK(!nl_event(nl, 0, &v), "the same is proposed twice");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	/* All arrive again, for as long as the window remembers. */
	end = test_now() + 3 * PATIENCE_MS;
	while (test_now() < end && session_view(&s).health.loss > 50)
		if (next_heartbeat(&s, 20, &h))
			peer_heartbeat_echo(&s.peer, &h);
	health_event(nl, PATIENCE_MS, JVPN_EVENT_QUALITY_OK, JVPN_REASON_HEALTH_RECOVERED);
	answer_for(&s, 300, 0);
	CHECK(!nl_event(nl, 0, &v), "the same is proposed twice");
}

/* Many heartbeats of one interruption are lost once; three interruptions are a rate. */
static void interruptions(void)
{
	struct peer_heartbeat h;
	unsigned int i, round;
	struct nl_view v;
	struct session s;
	struct nl *nl;

	fx = fx_open();
	nl = listen_to("health");
	s = prober(20, 60000);
	fx_policy_set(&s.policy, JVPN_A_POLICY_LOSS_ENTER, 5);
	fx_policy_set(&s.policy, JVPN_A_POLICY_LOSS_LEAVE, 1);
	session_attach(&s);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 10; i++) {
			REQUIRE(next_heartbeat(&s, PATIENCE_MS, &h), "no heartbeat");
			peer_heartbeat_echo(&s.peer, &h);
		}
		CHECK(!nl_event(nl, 0, &v), "it is proposed to be VOLATILE after %u", round);
		for (i = 0; i < 3; i++)
			REQUIRE(next_heartbeat(&s, PATIENCE_MS, &h), "no heartbeat to lose");
	}
	answer_for(&s, 100, 0);
	health_event(nl, PATIENCE_MS, JVPN_EVENT_QUALITY_LOW, JVPN_REASON_LOSS_THRESHOLD);
}

static void latency_threshold(void)
{
	const unsigned int delay = test_scale(80, 600);
	struct session s;
	struct nl *nl;
	uint64_t end;
	struct nl_view v;

	fx = fx_open();
	nl = listen_to("health");
	s = prober(50, 60000);
	fx_policy_set(&s.policy, JVPN_A_POLICY_RTT_ENTER_MS, delay / 2);
	fx_policy_set(&s.policy, JVPN_A_POLICY_RTT_LEAVE_MS, delay / 4);
	session_attach(&s);
	end = test_now() + PATIENCE_MS;
	while (test_now() < end && session_view(&s).health.rtt_us < delay * 800)
		answer_for(&s, 100, delay);
	health_event(nl, PATIENCE_MS, JVPN_EVENT_QUALITY_LOW, JVPN_REASON_LATENCY_THRESHOLD);
	while (test_now() < end && session_view(&s).health.rtt_us > delay * 200)
		answer_for(&s, 100, 0);
	health_event(nl, PATIENCE_MS, JVPN_EVENT_QUALITY_OK, JVPN_REASON_HEALTH_RECOVERED);
	CHECK(!nl_event(nl, 0, &v), "the same is proposed twice");
}

static void late_heartbeat(void)
{
	struct session s;
	struct nl *nl;

	fx = fx_open();
	nl = listen_to("health");
	s = prober(50, 1500);
	session_attach(&s);
	answer_for(&s, 300, 0);
	/* Nothing more: late at half of the time to death. */
	health_event(nl, PATIENCE_MS, JVPN_EVENT_QUALITY_LOW, JVPN_REASON_HEARTBEAT_LATE);
	if (!test_slow())
		session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	expect_dead(&s, JVPN_REASON_PROBE_TIMEOUT);
}

/* ---- links and routes ---- */

static struct session by_interface(const char *interface, enum jvpn_role role, unsigned int number)
{
	struct session s = session_describe(&fx, role, number);
	struct nl_addr local = nl_addr("192.0.2.1", 0);
	struct nl_transport t;
	struct bind b = { .transport = &t, .keys = &s.peer.epoch };
	struct nl_reply reply;

	t = (struct nl_transport){ .remote = nl_addr("192.0.2.9", 4000 + number) };
	t.socket = nl_socket(fx.nl, fx.ifindex, &local, interface ? nl_device(interface) : 0, NULL);
	REQUIRE(!session_new(&s, NULL), "cannot make a session");
	REQUIRE(!session_bind(&s, JVPN_CMD_BINDING_SET, &b, &reply), "cannot bind: %s", reply.text);
	return s;
}

static void interfaces_add(void)
{
	test_shell("ip link add up0 type dummy && ip addr add 192.0.2.1/24 dev up0 && "
		   "ip link set up0 up && ip link add up1 type dummy && ip link set up1 up");
}

static void link_lost(const char *command)
{
	struct session bound, other, gateway;

	fx = fx_open();
	interfaces_add();
	bound = by_interface("up0", JVPN_ROLE_CLIENT, 10);
	other = by_interface("up1", JVPN_ROLE_CLIENT, 11);
	gateway = session_gateway(&fx, 12);
	session_expect_state(&bound, JVPN_STATE_ATTACHED, 1);
	test_shell("%s", command);
	expect_dead(&bound, JVPN_REASON_LINK_DOWN);
	session_expect_state(&other, JVPN_STATE_ATTACHED, 1);
	session_works(&gateway, "unharmed");
}

static void link_down(void)
{
	link_lost("ip link set up0 down");
}

static void link_deleted(void)
{
	link_lost("ip link del up0");
}

static void carrier_lost(void)
{
	link_lost("ip link set up0 carrier off");
}

static void route_lost(void)
{
	struct nl_counters before;
	struct session s;

	fx = fx_open();
	interfaces_add();
	s = by_interface(NULL, JVPN_ROLE_CLIENT, 10);
	session_send(&s, "a route is there");
	session_expect_state(&s, JVPN_STATE_ATTACHED, 1);
	test_shell("ip addr del 192.0.2.1/24 dev up0; ip route add unreachable 192.0.2.0/24");
	before = fx_counters(&fx);
	session_send(&s, "no route is there");
	expect_dead(&s, JVPN_REASON_ROUTE_LOST);
	/* The packet that found it out waits, as those after it do. */
	session_send(&s, "nor now");
	CHECK_EQ(session_view(&s).stats[JVPN_A_STATS_HELD_PACKETS], 2, "packets held");
	fx_expect_drops(&fx, &before, "tx_drop_route", 0);
}

static const struct test_case cases[] = {
	{ "a heartbeat follows the binding, and its echo is measured", first_heartbeat },
	{ "heartbeats keep the interval of the policy", interval },
	{ "an idle session sends nothing", idle_costs_nothing },
	{ "a heartbeat that is asked for leaves at once", asked_for },
	{ "packets from the other end alone keep heartbeats coming", received_is_active },
	{ "an echo that was overtaken is not lost", overtaken_echo },
	{ "one interruption or two are no loss rate", interruptions },
	{ "a gateway answers heartbeats, a client does not", gateway_answers },
	{ "a gateway goes by the size that its client has found", gateway_learns_size },
	{ "a client asks for the size of its link", client_asks_for_size },
	{ "a wrong echo measures nothing", wrong_echo },
	{ "a path that is silent from the start is dead", silent_from_the_start },
	{ "a path that falls silent is dead soon", black_hole },
	{ "a path that loses half is not dead", lossy_is_not_dead },
	{ "ICMP errors kill no path", icmp_is_no_death },
	{ "loss beyond the threshold is reported once, and its end", loss_threshold },
	{ "latency beyond the threshold is reported once, and its end", latency_threshold },
	{ "a late heartbeat is reported before the death", late_heartbeat },
	{ "the interface of a client goes down", link_down },
	{ "the interface of a client is deleted", link_deleted },
	{ "the interface of a client loses its carrier", carrier_lost },
	{ "a client whose route is gone knows it at once", route_lost },
};

TEST_MAIN(cases)
