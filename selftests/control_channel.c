// SPDX-License-Identifier: GPL-2.0
/*
 * Proves the channel between the sockets and the daemon: what is a JVPN1
 * message of its exact length reaches the registered port and nobody else, what
 * is not is refused before, and neither a flood nor a daemon that does not read
 * costs more than a bounded queue.
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

static const struct {
	uint8_t type;
	uint16_t size;
} messages[] = {
	{ 1, 328 }, { 2, 316 }, { 3, 64 }, { 5, 224 }, { 6, 220 }, { 7, 308 }, { 8, 140 },
	{ 9, 84 }, { 10, 44 }, { 11, 112 },
};

#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

static struct fx fx;
static struct peer peer;

static void begin(void)
{
	struct nl_addr local = nl_addr("127.0.0.10", 0);

	fx = fx_open();
	peer_open(&peer, &local, &fx.addr4);
}

static const uint8_t name_key[JVPN_NAME_KEY_SIZE] = { 9, 8, 7, [15] = 1 };

static void daemon_register(struct nl *nl, const uint8_t *mac1_key)
{
	struct nl_request r = nl_begin(nl, JVPN_CMD_PACKET_REGISTER);
	struct nl_reply reply;

	nl_put_u32(&r, JVPN_A_PACKET_IFINDEX, fx.ifindex);
	if (mac1_key)
		nl_put(&r, JVPN_A_PACKET_MAC1_KEY, mac1_key, JVPN_KEY_SIZE);
	nl_put(&r, JVPN_A_PACKET_NAME_KEY, name_key, sizeof(name_key));
	REQUIRE(!nl_run(&r, &reply), "cannot register: %s", reply.text);
}

static struct nl *daemon_open(void)
{
	struct nl *nl = nl_open();

	daemon_register(nl, NULL);
	return nl;
}

static size_t message(uint8_t *out, uint8_t type, size_t size)
{
	test_random(out, size);
	out[0] = type;
	out[1] = 1;
	out[2] = 0;
	out[3] = 0;
	return size;
}

static bool arrives(struct nl *nl, const uint8_t *data, size_t len)
{
	struct nl_view v;

	return CHECK(nl_event(nl, PATIENCE_MS, &v) && v.cmd == JVPN_CMD_PACKET_NTF,
		     "a message of type %u did not reach the daemon", data[0]) &&
	       CHECK(v.payload_len == len && !memcmp(v.payload, data, len),
		     "%u octets arrived of %zu, or changed ones", v.payload_len, len) &&
	       CHECK(nl_addr_equal(&v.transport.remote, &peer.local), "it came from %s, not %s",
		     nl_addr_text(&v.transport.remote), nl_addr_text(&peer.local)) &&
	       CHECK(nl_addr_equal(&v.transport.local, &peer.kernel), "it was sent to %s, not %s",
		     nl_addr_text(&v.transport.local), nl_addr_text(&peer.kernel)) &&
	       CHECK(v.transport.socket == fx.socket4 && v.ifindex == fx.ifindex,
		     "socket %u of device %u", v.transport.socket, v.ifindex);
}

static void each_type(void)
{
	struct nl *nl;
	uint8_t data[512];
	unsigned int i;
	size_t len;

	begin();
	nl = daemon_open();
	for (i = 0; i < MESSAGES; i++) {
		len = message(data, messages[i].type, messages[i].size);
		peer_send_raw(&peer, data, len);
		arrives(nl, data, len);
	}
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "rx_control"), MESSAGES, "messages counted");
}

static void expect_dropped(const uint8_t *data, size_t len, const char *cause)
{
	struct nl_counters before = fx_counters(&fx);

	peer_send_raw(&peer, data, len);
	CHECK(fx_expect_drops(&fx, &before, cause, 1), "type %u, %zu octets", data[0], len);
}

static void prefilter(void)
{
	struct nl *nl;
	uint8_t data[2048];
	struct nl_view v;
	unsigned int i;
	size_t size;

	begin();
	nl = daemon_open();
	for (i = 0; i < MESSAGES; i++) {
		size = messages[i].size;
		message(data, messages[i].type, sizeof(data));
		expect_dropped(data, size - 1, "rx_drop_type");
		expect_dropped(data, size + 1, "rx_drop_type");
		expect_dropped(data, 4, "rx_drop_type");
		expect_dropped(data, 3, "rx_drop_runt");
		expect_dropped(data, 1, "rx_drop_runt");
		expect_dropped(data, 1500, "rx_drop_type");
		data[1] = 2;
		expect_dropped(data, size, "rx_drop_type");
		data[1] = 1;
		data[2] = 1;
		expect_dropped(data, size, "rx_drop_type");
		data[2] = 0;
		data[3] = 0x80;
		expect_dropped(data, size, "rx_drop_type");
	}
	CHECK(!nl_event(nl, 20, &v), "a message of type %u and %u octets reached the daemon",
	      v.payload[0], v.payload_len);
}

static void nobody_there(void)
{
	uint8_t data[512];

	begin();
	expect_dropped(data, message(data, 1, 328), "rx_drop_control_deaf");
}

static void last_registers(void)
{
	uint8_t data[512];
	struct nl *first, *second;
	struct nl_view v;
	struct nl_request r;
	struct nl_reply reply;
	size_t len;

	begin();
	first = daemon_open();
	second = daemon_open();
	len = message(data, 1, 328);
	peer_send_raw(&peer, data, len);
	arrives(second, data, len);
	CHECK(!nl_event(first, 20, &v), "the first to register got it too");
	r = nl_begin(fx.nl, JVPN_CMD_DEVICE_GET);
	nl_put_u32(&r, JVPN_A_DEVICE_IFINDEX, fx.ifindex);
	nl_run(&r, &reply);
	CHECK_EQ(reply.view.registered, nl_port(second), "the port that device-get tells");
	/* The port closes: nobody is there. The other one's end means nothing. */
	nl_close(second);
	expect_dropped(data, len, "rx_drop_control_deaf");
	r = nl_begin(fx.nl, JVPN_CMD_DEVICE_GET);
	nl_put_u32(&r, JVPN_A_DEVICE_IFINDEX, fx.ifindex);
	nl_run(&r, &reply);
	CHECK_EQ(reply.view.registered, 0, "the port that device-get tells");
	second = daemon_open();
	nl_close(first);
	peer_send_raw(&peer, data, len);
	arrives(second, data, len);
}

/* A daemon that ends by a signal is forgotten too. */
static void daemon_dies(void)
{
	uint8_t data[512];
	pid_t pid;

	begin();
	pid = fork();
	if (!pid) {
		daemon_open();
		_exit(0);
	}
	CHECK(WAIT_FOR(nl_counter(fx.nl, fx.ifindex, "rx_datagrams") == 0), "datagrams counted");
	test_sleep(200);
	expect_dropped(data, message(data, 1, 328), "rx_drop_control_deaf");
}

/* The daemon does not read: its queue is bounded, what is lost is counted and told. */
static void full_queue(void)
{
	const unsigned int most = 100000;
	unsigned int sent = 0, read = 0;
	uint64_t passed, dropped;
	struct nl *nl;
	uint8_t data[512];
	struct nl_view v;
	size_t len;

	begin();
	nl = daemon_open();
	len = message(data, 1, 328);
	while (sent < most && !nl_counter(fx.nl, fx.ifindex, "rx_drop_control_full")) {
		unsigned int i;

		for (i = 0; i < 100; i++, sent++)
			peer_send_raw(&peer, data, len);
	}
	CHECK(sent < most, "%u messages fit the queue of a daemon that does not read", most);
	CHECK(WAIT_FOR(nl_counter(fx.nl, fx.ifindex, "rx_datagrams") == sent), "packets were lost");
	passed = nl_counter(fx.nl, fx.ifindex, "rx_control");
	dropped = nl_counter(fx.nl, fx.ifindex, "rx_drop_control_full");
	dropped += nl_counter(fx.nl, fx.ifindex, "rx_drop_control_rate");
	CHECK_EQ(passed + dropped, sent, "messages passed and dropped");
	while (nl_event(nl, 20, &v))
		if (v.cmd == JVPN_CMD_PACKET_NTF)
			read++;
	CHECK_EQ(read, passed, "messages read");
	/* The next one tells how many are missing. */
	peer_send_raw(&peer, data, len);
	REQUIRE(nl_event(nl, PATIENCE_MS, &v), "the channel stays closed");
	CHECK_EQ(v.dropped, dropped, "the number of dropped messages that the next one tells");
}

/* Many sources: no limit of a source is reached before that of their class. */
#define SOURCES 64

static struct peer sources[SOURCES];

static void sources_open(void)
{
	unsigned int i;

	for (i = 0; i < SOURCES; i++) {
		char text[32];
		struct nl_addr local;

		snprintf(text, sizeof(text), "127.0.7.%u", i + 1);
		local = nl_addr(text, 0);
		peer_open(&sources[i], &local, &fx.addr4);
	}
}

/* Messages of one type from @count sources: no more than @burst and @rate a second pass. */
static void bounded(unsigned int count, uint8_t type, uint16_t size, unsigned int burst,
		    unsigned int rate)
{
	const unsigned int total = test_scale(20000, 5000);
	unsigned int read = 0, i;
	uint64_t start, past;
	struct nl *nl;
	uint8_t data[512];
	struct nl_view v;
	size_t len;

	begin();
	sources_open();
	nl = daemon_open();
	len = message(data, type, size);
	start = test_now();
	for (i = 0; i < total; i++) {
		peer_send_raw(&sources[i % count], data, len);
		while (nl_event(nl, 0, &v))
			read++;
	}
	past = test_now() - start + 20;
	CHECK(read >= burst && read <= burst + rate * past / 1000,
	      "%u messages passed in %llu ms, %u and %u a second may", read,
	      (unsigned long long)past, burst, rate);
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "rx_control") +
		 nl_counter(fx.nl, fx.ifindex, "rx_drop_control_full") +
		 nl_counter(fx.nl, fx.ifindex, "rx_drop_control_rate"), total,
		 "messages passed and dropped");
}

static const uint8_t mac1_key[JVPN_KEY_SIZE] = { 5, 6, 7 };

#define MAC 16

/* mac1 is before mac2 at the end, and covers what is before it. */
static void mac1_stamp(uint8_t *data, size_t len)
{
	size_t covered = len - 2 * MAC;

	crypto_generichash(data + covered, MAC, data, covered, mac1_key, sizeof(mac1_key));
}

static void mac1(void)
{
	static const unsigned int flipped[] = { 4, 100, 328 - 2 * MAC - 1, 328 - 2 * MAC };
	struct nl *nl = nl_open();
	uint8_t data[512];
	struct nl_view v;
	unsigned int i;
	size_t len;

	begin();
	daemon_register(nl, mac1_key);
	for (i = 0; i < MESSAGES; i++) {
		len = message(data, messages[i].type, messages[i].size);
		if (data[0] == 1 || data[0] == 5) {
			expect_dropped(data, len, "rx_drop_control_mac1");
			mac1_stamp(data, len);
		}
		peer_send_raw(&peer, data, len);
		arrives(nl, data, len);
	}
	for (i = 0; i < sizeof(flipped) / sizeof(flipped[0]); i++) {
		len = message(data, 1, 328);
		mac1_stamp(data, len);
		data[flipped[i]] ^= 1;
		expect_dropped(data, len, "rx_drop_control_mac1");
	}
	CHECK(!nl_event(nl, 20, &v), "one that was changed reached the daemon");
	daemon_register(nl, NULL);
	peer_send_raw(&peer, data, len);
	arrives(nl, data, len);
}

/* Whoever does not know the public key takes nothing from those who do. */
static void noise_is_refused_first(void)
{
	struct nl *nl = nl_open();
	uint8_t data[512];
	unsigned int i;
	size_t len;

	begin();
	sources_open();
	daemon_register(nl, mac1_key);
	len = message(data, 1, 328);
	for (i = 0; i < 800; i++)
		peer_send_raw(&sources[i % SOURCES], data, len);
	CHECK(WAIT_FOR(nl_counter(fx.nl, fx.ifindex, "rx_drop_control_mac1") == 800),
	      "only %llu were dropped as noise",
	      (unsigned long long)nl_counter(fx.nl, fx.ifindex, "rx_drop_control_mac1"));
	mac1_stamp(data, len);
	peer_send_raw(&peer, data, len);
	arrives(nl, data, len);
}

static void bounded_source(void)
{
	bounded(1, 1, 328, 250, 500);
}

static void bounded_inits(void)
{
	bounded(SOURCES, 1, 328, 500, 500);
}

static void bounded_proofs(void)
{
	bounded(SOURCES, 7, 308, 500, 1000);
}

static void bounded_ctrl(void)
{
	bounded(SOURCES, 11, 112, 100, 200);
}

static void bounded_answers(void)
{
	bounded(SOURCES, 9, 84, 50, 100);
}

/* ---- down ---- */

static int packet_send(const struct nl_transport *t, const void *data, size_t len,
		       struct nl_reply *reply)
{
	struct nl_request r = nl_begin(fx.nl, JVPN_CMD_PACKET_SEND);

	nl_put_u32(&r, JVPN_A_PACKET_IFINDEX, fx.ifindex);
	if (t)
		nl_put_transport(&r, JVPN_A_PACKET_TRANSPORT, t);
	if (data)
		nl_put(&r, JVPN_A_PACKET_PAYLOAD, data, len);
	return nl_run(&r, reply);
}

/*
 * Beside a flood of strangers, how many of @rounds messages of the peer get
 * through, after the daemon has sent it a message of this type.
 */
static unsigned int heard_beside_flood(uint8_t type, uint16_t size, unsigned int rounds)
{
	struct nl_transport t;
	struct nl_reply reply;
	uint8_t data[JVPN_PACKET_MAX];
	unsigned int heard = 0, round, i;
	struct nl_view v;
	struct nl *nl = daemon_open();

	t = (struct nl_transport){ .socket = fx.socket4, .remote = peer.local };
	message(data, type, size);
	REQUIRE(!packet_send(&t, data, size, &reply), "refused: %s", reply.text);
	message(data, 1, 328);
	for (i = 0; i < 2000; i++)
		peer_send_raw(&sources[i % SOURCES], data, 328);
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < SOURCES; i++)
			peer_send_raw(&sources[i], data, 328);
		while (nl_event(nl, 0, &v))
			;
		for (i = 0; i < SOURCES; i++)
			peer_send_raw(&sources[i], data, 328);
		peer_send_raw(&peer, data, 328);
		while (nl_event(nl, 20, &v))
			heard += v.cmd == JVPN_CMD_PACKET_NTF &&
				 nl_addr_equal(&v.transport.remote, &peer.local);
	}
	return heard;
}

/* The peer is somebody else. */
static void begin_elsewhere(void)
{
	struct nl_addr local = nl_addr("127.0.0.11", 0);

	peer_close(&peer);
	peer_open(&peer, &local, &fx.addr4);
}

static void known_is_heard(void)
{
	begin();
	sources_open();
	CHECK_EQ(heard_beside_flood(2, 316, 20), 20, "messages of who was sent RESP");
	begin_elsewhere();
	CHECK_EQ(heard_beside_flood(8, 140, 20), 20, "messages of who was sent ACK");
}

static void answered_is_heard(void)
{
	begin();
	sources_open();
	CHECK_EQ(heard_beside_flood(3, 64, 20), 20, "messages of who was sent COOKIE");
	begin_elsewhere();
	CHECK_EQ(heard_beside_flood(6, 220, 20), 20, "messages of who was sent CHALLENGE");
}

/* GONE answers whoever has a copy of a REQUEST. */
static void refused_is_a_stranger(void)
{
	unsigned int heard;

	begin();
	sources_open();
	heard = heard_beside_flood(10, 44, 20);
	CHECK(heard < 15, "%u of 20 messages of who was sent GONE were heard", heard);
}

/* ---- in the name of somebody who has shown himself ---- */

#define NAME 24
#define NAME_RANDOM 16

/* Where a message carries a name that its receiver has made. */
static const struct {
	uint8_t type;
	uint16_t size;
	unsigned int at;
} named[] = {
	{ 5, 224, 5 }, { 7, 308, 5 }, { 6, 220, 4 }, { 9, 84, 4 }, { 10, 44, 4 },
};

static void name_make(uint8_t *name)
{
	crypto_shorthash_siphash24(name + NAME_RANDOM, name, NAME_RANDOM, name_key);
}

static void events_drop(struct nl *nl, unsigned int ms)
{
	struct nl_view v;

	while (nl_event(nl, ms, &v))
		;
}

/* Noise that has the form of everything, from the peer's own address and port. */
static void noise_in_its_name(struct nl *nl, unsigned int rounds)
{
	uint8_t data[512];
	unsigned int i, round;

	for (round = 0; round < rounds; round++) {
		for (i = 0; i < MESSAGES; i++) {
			message(data, messages[i].type, messages[i].size);
			peer_send_raw(&peer, data, messages[i].size);
		}
		events_drop(nl, 0);
	}
}

static bool comes_through(struct nl *nl, const uint8_t *data, size_t len)
{
	struct nl_view v;

	while (nl_event(nl, 100, &v))
		if (v.cmd == JVPN_CMD_PACKET_NTF && v.payload_len == len &&
		    !memcmp(v.payload, data, len))
			return true;
	return false;
}

static void names_are_heard(void)
{
	struct nl *nl = nl_open();
	uint8_t data[512];
	unsigned int i, round;
	size_t len;

	begin();
	daemon_register(nl, NULL);
	for (round = 0; round < 10; round++) {
		for (i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
			noise_in_its_name(nl, round ? 60 : 400);
			len = message(data, named[i].type, named[i].size);
			name_make(data + named[i].at);
			peer_send_raw(&peer, data, len);
			CHECK(comes_through(nl, data, len),
			      "round %u: noise in its name keeps a message of type %u out", round,
			      data[0]);
		}
	}
}

/* Whoever copies a name has what one exchange needs, and what anybody has. */
static void names_copied(void)
{
	const unsigned int total = test_scale(20000, 5000);
	uint8_t copy[512], data[512];
	unsigned int read = 0, i;
	uint64_t start, past;
	struct nl_view v;
	struct nl *nl;
	size_t len;

	begin();
	sources_open();
	nl = daemon_open();
	len = message(copy, 7, 308);
	name_make(copy + 5);
	start = test_now();
	for (i = 0; i < total; i++) {
		peer_send_raw(&sources[i % SOURCES], copy, len);
		while (nl_event(nl, 0, &v))
			read++;
	}
	past = test_now() - start + 20;
	CHECK(read >= 540 && read <= 540 + 1020 * past / 1000,
	      "%u copies passed in %llu ms, 540 and 1020 a second may", read,
	      (unsigned long long)past);
	message(data, 7, 308);
	name_make(data + 5);
	peer_send_raw(&peer, data, len);
	CHECK(comes_through(nl, data, len), "another name is not heard");
}

static void ends_are_apart(void)
{
	struct nl_transport t;
	struct nl_reply reply;
	unsigned int i, round;
	uint8_t data[512];
	struct nl *nl;
	size_t len;

	begin();
	sources_open();
	nl = daemon_open();
	len = message(data, 2, 316);
	for (i = 0; i < 2; i++) {
		t = (struct nl_transport){ .socket = fx.socket4,
					   .remote = i ? peer.local : sources[0].local };
		REQUIRE(!packet_send(&t, data, len, &reply), "refused: %s", reply.text);
	}
	message(data, 11, 112);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < (round ? 400 : 4000); i++) {
			peer_send_raw(&sources[0], data, 112);
			if (i % 100 == 99)
				events_drop(nl, 0);
		}
		len = message(data, 11, 112);
		peer_send_raw(&peer, data, len);
		CHECK(comes_through(nl, data, len),
		      "round %u: noise in the name of one known end keeps another out", round);
	}
}

static void no_mac1_no_charge(void)
{
	struct nl_transport t;
	struct nl_reply reply;
	struct nl *nl = nl_open();
	uint8_t data[512];
	unsigned int i;
	size_t len;

	begin();
	daemon_register(nl, mac1_key);
	t = (struct nl_transport){ .socket = fx.socket4, .remote = peer.local };
	len = message(data, 2, 316);
	REQUIRE(!packet_send(&t, data, len, &reply), "refused: %s", reply.text);
	message(data, 1, 328);
	for (i = 0; i < 900; i++)
		peer_send_raw(&peer, data, 328);
	CHECK(WAIT_FOR(nl_counter(fx.nl, fx.ifindex, "rx_drop_control_mac1") == 900),
	      "only %llu were dropped as noise",
	      (unsigned long long)nl_counter(fx.nl, fx.ifindex, "rx_drop_control_mac1"));
	for (i = 0; i < 400; i++) {
		len = message(data, 11, 112);
		peer_send_raw(&peer, data, len);
		CHECK(comes_through(nl, data, len), "noise was charged to the known end");
	}
}

static void sends(void)
{
	static struct peer_datagram d;
	struct nl_transport t;
	struct peer six;
	struct nl_addr local6;
	struct nl_reply reply;
	uint8_t data[JVPN_PACKET_MAX];
	unsigned int i;

	begin();
	t = (struct nl_transport){ .socket = fx.socket4, .remote = peer.local };
	for (i = 0; i < MESSAGES; i++) {
		message(data, messages[i].type, messages[i].size);
		REQUIRE(!packet_send(&t, data, messages[i].size, &reply), "refused: %s",
			reply.text);
		REQUIRE(peer_receive_raw(&peer, PATIENCE_MS, &d), "it did not arrive");
		CHECK(d.len == messages[i].size && !memcmp(d.data, data, d.len), "it was changed");
		CHECK(nl_addr_equal(&d.from, &fx.addr4), "it came from %s", nl_addr_text(&d.from));
	}
	local6 = nl_addr("fd01::10", 0);
	peer_open(&six, &local6, &fx.addr6);
	t = (struct nl_transport){ .socket = fx.socket6, .remote = six.local };
	message(data, 2, 316);
	REQUIRE(!packet_send(&t, data, 316, &reply), "refused: %s", reply.text);
	REQUIRE(peer_receive_raw(&six, PATIENCE_MS, &d), "it did not arrive by IPv6");
	CHECK(nl_addr_equal(&d.from, &fx.addr6), "it came from %s", nl_addr_text(&d.from));
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "tx_control"), MESSAGES + 1, "messages counted");
}

/* Neither family leads back into the device. */
static void sends_in_circles(void)
{
	struct nl_addr to4 = nl_addr("192.0.2.7", 1000), to6 = nl_addr("2001:db8::7", 1000);
	struct nl_addr any4 = nl_addr("0.0.0.0", 0), any6 = nl_addr("::", 0);
	struct nl_transport t = { .remote = to4 };
	uint8_t data[JVPN_PACKET_MAX];
	struct nl_counters before;
	struct nl_reply reply;

	begin();
	test_shell("ip route add 192.0.2.0/24 dev " DEVICE "; ip -6 route add 2001:db8::/64 dev " DEVICE);
	before = fx_counters(&fx);
	message(data, 2, 316);
	t.socket = nl_socket(fx.nl, fx.ifindex, &any4, 0, NULL);
	CHECK_EQ(packet_send(&t, data, 316, &reply), ELOOP, "IPv4: the error");
	CHECK(strstr(reply.text, "itself"), "the sentence is \"%s\"", reply.text);
	t = (struct nl_transport){ .socket = nl_socket(fx.nl, fx.ifindex, &any6, 0, NULL),
				   .remote = to6 };
	CHECK_EQ(packet_send(&t, data, 316, &reply), ELOOP, "IPv6: the error");
	fx_expect_drops(&fx, &before, "tx_drop_no_session", 0);
	CHECK_EQ(nl_counter(fx.nl, fx.ifindex, "tx_control"), 0, "messages counted");
}

/* From which address, if the gateway has several. */
static void sends_from(void)
{
	static struct peer_datagram d;
	struct nl_addr any = nl_addr("0.0.0.0", 0);
	struct nl_transport t;
	struct nl_reply reply;
	uint8_t data[512];

	begin();
	t = (struct nl_transport){ .remote = peer.local, .local = nl_addr("127.0.0.77", 0) };
	t.socket = nl_socket(fx.nl, fx.ifindex, &any, 0, NULL);
	message(data, 8, 140);
	REQUIRE(!packet_send(&t, data, 140, &reply), "refused: %s", reply.text);
	REQUIRE(peer_receive_raw(&peer, PATIENCE_MS, &d), "it did not arrive");
	CHECK(d.from.v4.s_addr == t.local.v4.s_addr, "it came from %s", nl_addr_text(&d.from));
}

static void refuses_to_send(void)
{
	static struct peer_datagram d;
	struct nl_transport t;
	struct nl_reply reply;
	uint8_t data[JVPN_PACKET_MAX + 1];

	begin();
	t = (struct nl_transport){ .socket = fx.socket4, .remote = peer.local };
	message(data, 4, 100);
	CHECK_EQ(packet_send(&t, data, 100, &reply), EINVAL, "DATA: the error");
	CHECK(strstr(reply.text, "DATA"), "the sentence is \"%s\"", reply.text);
	CHECK_EQ(packet_send(&t, data, 0, &reply), EINVAL, "nothing: the error");
	CHECK_EQ(packet_send(&t, NULL, 0, &reply), EINVAL, "no payload: the error");
	message(data, 1, sizeof(data));
	CHECK(packet_send(&t, data, sizeof(data), &reply), "%zu octets are sent", sizeof(data));
	/* Nobody else is spoken to: neither in another language nor beside the point. */
	CHECK_EQ(packet_send(&t, "GET / HTTP/1.0\r\n", 16, &reply), EINVAL, "text: the error");
	CHECK(reply.text[0], "refused without a sentence");
	message(data, 1, 328);
	CHECK_EQ(packet_send(&t, data, 327, &reply), EINVAL, "one octet less: the error");
	CHECK_EQ(packet_send(&t, data, 329, &reply), EINVAL, "one octet more: the error");
	data[1]++;
	CHECK_EQ(packet_send(&t, data, 328, &reply), EINVAL, "another protocol: the error");
	data[1]--;
	data[3] = 1;
	CHECK_EQ(packet_send(&t, data, 328, &reply), EINVAL, "a reserved octet: the error");
	data[3] = 0;
	data[0] = 99;
	CHECK_EQ(packet_send(&t, data, 328, &reply), EINVAL, "an unknown type: the error");
	data[0] = 1;
	CHECK_EQ(packet_send(NULL, data, 328, &reply), EINVAL, "no transport: the error");
	t.socket = 99;
	CHECK_EQ(packet_send(&t, data, 328, &reply), ENOENT, "no such socket: the error");
	t.socket = fx.socket6;
	CHECK_EQ(packet_send(&t, data, 328, &reply), EINVAL, "a socket of the other family: the error");
	CHECK(!peer_receive_raw(&peer, 20, &d), "%zu octets were sent", d.len);
	test_shell("ip route add unreachable 203.0.113.0/24");
	t.socket = fx.socket4;
	t.remote = nl_addr("203.0.113.1", 9);
	CHECK(packet_send(&t, data, 328, &reply) && reply.text[0], "sent without a route");
}

static const struct test_case cases[] = {
	{ "every message type reaches the daemon", each_type },
	{ "what is no message is refused before", prefilter },
	{ "without a daemon messages are dropped as such", nobody_there },
	{ "the last to register receives, until its port closes", last_registers },
	{ "a daemon that died is forgotten", daemon_dies },
	{ "a daemon that does not read loses messages, and is told how many", full_queue },
	{ "a stranger's INIT and REQUEST need a right mac1", mac1 },
	{ "noise takes nothing from who knows the public key", noise_is_refused_first },
	{ "the rate of a source is bounded", bounded_source },
	{ "the rate of INIT from many sources is bounded", bounded_inits },
	{ "the rate of PROOF from many sources is bounded", bounded_proofs },
	{ "the rate of CTRL from many sources is bounded", bounded_ctrl },
	{ "the rate of answers that nobody asked for is bounded", bounded_answers },
	{ "an end that the daemon knows is heard beside a flood", known_is_heard },
	{ "who was sent a COOKIE or CHALLENGE is heard beside a flood", answered_is_heard },
	{ "who was refused is a stranger", refused_is_a_stranger },
	{ "who brings a name back is heard beside noise in its own name", names_are_heard },
	{ "a name that is copied has its share, and no more", names_copied },
	{ "noise in the name of a known end takes nothing from another", ends_are_apart },
	{ "what has no mac1 is charged to nobody", no_mac1_no_charge },
	{ "the daemon's messages are sent as they are", sends },
	{ "nothing is sent into the device itself", sends_in_circles },
	{ "the daemon chooses the source address", sends_from },
	{ "what may not be sent is refused", refuses_to_send },
};

TEST_MAIN(cases)
