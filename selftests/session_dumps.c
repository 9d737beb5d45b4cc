// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that a dump tells of every session that was there all the time exactly
 * once, and says so when the table changed meanwhile; that a full table refuses
 * and harms nobody; that many sessions come and go.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define MANY 400

static struct fx fx;
static uint8_t ids[MANY + 600][JVPN_SESSION_ID_SIZE];
static unsigned int seen[MANY + 600];
static unsigned int made;

/* A client's session needs no peer. */
static int session_add(struct nl *nl, unsigned int i, struct nl_reply *reply)
{
	struct nl_request r = nl_begin(nl, JVPN_CMD_SESSION_NEW);
	char prefix[32];

	test_random(ids[i], sizeof(ids[i]));
	snprintf(prefix, sizeof(prefix), "10.%u.%u.1/32", 1 + i / 250, i % 250);
	nl_put_u32(&r, JVPN_A_SESSION_IFINDEX, fx.ifindex);
	nl_put(&r, JVPN_A_SESSION_ID, ids[i], sizeof(ids[i]));
	nl_put_u32(&r, JVPN_A_SESSION_ROLE, JVPN_ROLE_CLIENT);
	nl_put_inner(&r, prefix);
	return nl_run(&r, reply);
}

static void add_many(unsigned int count)
{
	struct nl_reply reply;

	for (made = 0; made < count; made++)
		REQUIRE(!session_add(fx.nl, made, &reply), "session %u is refused: %s", made,
			reply.text);
}

static int end_one(struct nl *nl, unsigned int i)
{
	struct nl_request r = nl_begin(nl, JVPN_CMD_SESSION_TRANSITION);
	struct nl_reply reply;

	nl_put_u32(&r, JVPN_A_SESSION_IFINDEX, fx.ifindex);
	nl_put(&r, JVPN_A_SESSION_ID, ids[i], sizeof(ids[i]));
	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, 0);
	nl_put_u32(&r, JVPN_A_SESSION_EVENT, JVPN_EVENT_TERMINATE);
	nl_put_u32(&r, JVPN_A_SESSION_REASON, JVPN_REASON_OPERATOR);
	nl_run(&r, &reply);
	r = nl_begin(nl, JVPN_CMD_SESSION_DEL);
	nl_put_u32(&r, JVPN_A_SESSION_IFINDEX, fx.ifindex);
	nl_put(&r, JVPN_A_SESSION_ID, ids[i], sizeof(ids[i]));
	return nl_run(&r, &reply);
}

static void note_seen(const struct nl_view *v, void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < made; i++)
		if (!memcmp(v->id, ids[i], sizeof(ids[i]))) {
			seen[i]++;
			return;
		}
	FAIL("the dump tells of a session that never was");
}

static int dump(nl_each_fn each, void *arg, struct nl_reply *reply)
{
	struct nl_request r = nl_begin(fx.nl, JVPN_CMD_SESSION_GET);

	memset(seen, 0, sizeof(seen));
	nl_put_u32(&r, JVPN_A_SESSION_IFINDEX, fx.ifindex);
	return nl_dump(&r, reply, each, arg);
}

static void complete(void)
{
	struct nl_reply reply;
	unsigned int i;

	fx = fx_open();
	add_many(MANY);
	CHECK(!dump(note_seen, NULL, &reply), "the dump fails: %s", reply.text);
	CHECK_EQ(reply.answers, MANY, "sessions told");
	CHECK(!reply.interrupted, "an undisturbed dump says that it was interrupted");
	for (i = 0; i < MANY; i++)
		CHECK(seen[i] == 1, "session %u is told %u times", i, seen[i]);
}

/* While the dump is read sessions come and go: 10 and 11, 20 and 21 ... of every ten. */
struct churn {
	struct nl *nl;
	unsigned int told;
	unsigned int changes;
};

static bool removed(unsigned int i)
{
	return i < MANY && i % 10 < 2;
}

static void churn(const struct nl_view *v, void *arg)
{
	struct churn *c = arg;
	struct nl_reply reply;
	unsigned int i;

	note_seen(v, NULL);
	if (c->told++ % 7)
		return;
	/* One behind the reader and one before it. */
	for (i = c->changes * 10; i < c->changes * 10 + 2 && i < MANY; i++)
		CHECK(!end_one(c->nl, i), "session %u cannot be removed", i);
	if (made < MANY + 500 && !session_add(c->nl, made, &reply))
		made++;
	c->changes++;
}

static void disturbed(void)
{
	struct churn c = {};
	struct nl_reply reply;
	unsigned int i;

	fx = fx_open();
	c.nl = nl_open();
	add_many(MANY);
	CHECK(!dump(churn, &c, &reply), "the dump fails: %s", reply.text);
	CHECK(c.changes > 10, "only %u changes", c.changes);
	CHECK(reply.interrupted, "a disturbed dump does not say so");
	for (i = 0; i < MANY; i++)
		CHECK(removed(i) ? seen[i] <= 1 : seen[i] == 1, "session %u is told %u times", i,
		      seen[i]);
	/* Repeated, it is complete and says so. */
	CHECK(!dump(note_seen, NULL, &reply) && !reply.interrupted, "the repeated dump");
	for (i = 0; i < MANY; i++)
		CHECK(seen[i] == (i / 10 < c.changes && removed(i) ? 0 : 1),
		      "session %u is told %u times", i, seen[i]);
}

static void remove_device(const struct nl_view *v, void *arg)
{
	unsigned int *told = arg;

	(void)v;
	if ((*told)++ == 3)
		test_shell("ip link del " DEVICE);
}

static void device_goes(void)
{
	struct nl_reply reply;
	unsigned int told = 0;

	fx = fx_open();
	add_many(MANY);
	dump(remove_device, &told, &reply);
	CHECK(told < MANY, "the dump of a removed device tells everything");
	CHECK_EQ(dump(note_seen, NULL, &reply), ENODEV, "the error after that");
}

static void socket_dump(void)
{
	struct nl_request r;
	struct nl_reply reply;
	struct nl_addr any = nl_addr("127.0.0.1", 0);
	unsigned int i;

	fx = fx_open();
	for (i = 0; i < 50; i++)
		nl_socket(fx.nl, fx.ifindex, &any, 0, NULL);
	r = nl_begin(fx.nl, JVPN_CMD_SOCKET_GET);
	nl_put_u32(&r, JVPN_A_SOCKET_IFINDEX, fx.ifindex);
	CHECK(!nl_dump(&r, &reply, NULL, NULL), "the dump fails: %s", reply.text);
	CHECK_EQ(reply.answers, 52, "sockets told");
}

static void count_device(const struct nl_view *v, void *arg)
{
	unsigned int *count = arg;

	CHECK(v->ifindex && v->label[0] && v->boottime, "a device without a name");
	(*count)++;
}

static void device_dump(void)
{
	struct nl_request r;
	struct nl_reply reply;
	unsigned int count = 0, i;

	fx = fx_open();
	for (i = 1; i < 8; i++)
		test_shell("ip link add jvpn%u type jvpn", i);
	r = nl_begin(fx.nl, JVPN_CMD_DEVICE_GET);
	CHECK(!nl_dump(&r, &reply, count_device, &count), "the dump fails: %s", reply.text);
	CHECK_EQ(count, 8, "devices told");
}

static int set_max(uint32_t max, struct nl_reply *reply)
{
	struct nl_request r = nl_begin(fx.nl, JVPN_CMD_DEVICE_SET);

	nl_put_u32(&r, JVPN_A_DEVICE_IFINDEX, fx.ifindex);
	nl_put_u32(&r, JVPN_A_DEVICE_MAX_SESSIONS, max);
	return nl_run(&r, reply);
}

static struct nl_view device_view(void)
{
	struct nl_request r = nl_begin(fx.nl, JVPN_CMD_DEVICE_GET);
	struct nl_reply reply;

	nl_put_u32(&r, JVPN_A_DEVICE_IFINDEX, fx.ifindex);
	REQUIRE(!nl_run(&r, &reply), "cannot read the device: %s", reply.text);
	return reply.view;
}

static void full_table(void)
{
	struct session a, b;
	struct nl_reply reply;
	struct nl_view v;

	fx = fx_open();
	a = session_gateway(&fx, 10);
	REQUIRE(!set_max(3, &reply), "refused: %s", reply.text);
	add_many(2);
	CHECK_EQ(session_add(fx.nl, 2, &reply), ENOSPC, "one too many: the error");
	CHECK(strstr(reply.text, "full"), "the sentence is \"%s\"", reply.text);
	CHECK_EQ(nl_session_get(fx.nl, fx.ifindex, ids[2], &v), ENOENT, "looking for it");
	b = session_describe(&fx, JVPN_ROLE_GATEWAY, 11);
	CHECK_EQ(session_new(&b, &reply), ENOSPC, "a gateway's too: the error");
	/* Nothing of it is left: not even its index. */
	{
		struct nl_counters before = fx_counters(&fx);

		peer_send(&b.peer, "", 0);
		fx_expect_drops(&fx, &before, "rx_drop_index", 1);
	}
	session_works(&a, "unharmed");
	CHECK_EQ(device_view().sessions, 3, "sessions counted");
	CHECK_EQ(set_max(2, &reply), EBUSY, "a limit below: the error");
	CHECK(reply.text[0], "refused without a sentence");
	CHECK_EQ(set_max(0, &reply), ERANGE, "a limit of 0: the error");
	CHECK_EQ(device_view().max_sessions, 3, "the limit");
	/* A terminated session counts until it is forgotten. */
	CHECK(!end_one(fx.nl, 0), "cannot forget");
	CHECK(!session_add(fx.nl, 2, &reply), "refused with room: %s", reply.text);
	CHECK(!set_max(4, &reply), "refused: %s", reply.text);
	CHECK(!session_new(&b, &reply), "refused with room: %s", reply.text);
}

static void forget(void)
{
	struct nl_request r;
	struct nl_reply reply;
	struct session s;

	fx = fx_open();
	s = session_gateway(&fx, 10);
	r = session_request(&s, JVPN_CMD_SESSION_DEL);
	CHECK_EQ(nl_run(&r, &reply), EBUSY, "a living session: the error");
	CHECK(strstr(reply.text, "terminate"), "the sentence is \"%s\"", reply.text);
	session_works(&s, "unharmed");
	session_transition(&s, 1, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR, NULL);
	CHECK(!session_delete(&s), "a terminated session cannot be forgotten");
	CHECK_EQ(session_delete(&s), ENOENT, "forgotten twice: the error");
	/* The id is free again. */
	s.peer.counter = 0;
	CHECK(!session_new(&s, &reply), "refused: %s", reply.text);
}

static void same_id(void)
{
	struct nl_reply reply;
	struct session a, b;

	fx = fx_open();
	a = session_gateway(&fx, 10);
	b = session_describe(&fx, JVPN_ROLE_GATEWAY, 11);
	memcpy(b.id, a.id, sizeof(b.id));
	CHECK_EQ(session_new(&b, &reply), EEXIST, "the error");
	CHECK(reply.text[0], "refused without a sentence");
	session_works(&a, "unharmed");
	CHECK_EQ(device_view().sessions, 1, "sessions counted");
}

/* 1000 sessions, each bound, used, ended and forgotten. */
static void thousand(void)
{
	const unsigned int count = test_scale(1000, 250);
	static struct nl_epoch epochs[1000];
	struct nl_addr local = nl_addr("127.0.0.10", 0);
	static struct session s;
	struct nl_transport t;
	struct nl_request r;
	struct nl_reply reply;
	struct nl_view v;
	uint8_t inner[256];
	unsigned int i;

	fx = fx_open();
	test_shell("ip route add 10.0.0.0/8 dev " DEVICE);
	s.fx = &fx;
	peer_open(&s.peer, &local, &fx.addr4);
	t = session_transport(&s);
	for (i = 0; i < count; i++) {
		test_random(ids[i], sizeof(ids[i]));
		epochs[i] = nl_epoch(0);
		memcpy(s.id, ids[i], sizeof(s.id));
		snprintf(s.inner4, sizeof(s.inner4), "10.%u.%u.1/32", 1 + i / 250, i % 250);
		r = session_request(&s, JVPN_CMD_SESSION_NEW);
		nl_put_u32(&r, JVPN_A_SESSION_ROLE, JVPN_ROLE_GATEWAY);
		nl_put_text(&r, JVPN_A_SESSION_LABEL, s.inner4);
		nl_put_inner(&r, s.inner4);
		nl_put_transport(&r, JVPN_A_SESSION_TRANSPORT, &t);
		nl_put_epoch(&r, &epochs[i]);
		REQUIRE(!nl_run(&r, &reply), "session %u is refused: %s", i, reply.text);
	}
	for (i = 0; i < count; i++) {
		struct inner in = { .src = s.src4, .dst = "10.0.0.1", .sport = PEER_PORT,
				    .dport = INNER_PORT, .payload = "one of many", .len = 11 };

		s.peer.epoch = epochs[i];
		snprintf(s.src4, sizeof(s.src4), "10.%u.%u.1", 1 + i / 250, i % 250);
		peer_send_at(&s.peer, 0, inner, inner_build(inner, &in));
		REQUIRE(sink_expect(fx.sink4, "one of many"), "session %u", i);
	}
	CHECK_EQ(device_view().sessions, count, "sessions counted");
	for (i = 0; i < count; i++) {
		memcpy(s.id, ids[i], sizeof(s.id));
		REQUIRE(!session_transition(&s, 1, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR,
					    &reply), "session %u: %s", i, reply.text);
		REQUIRE(!session_delete(&s), "session %u cannot be forgotten", i);
	}
	CHECK_EQ(device_view().sessions, 0, "sessions counted");
	CHECK_EQ(nl_session_get(fx.nl, fx.ifindex, ids[0], &v), ENOENT, "looking for one");
}

/* And 1000 that go with the device. */
static void thousand_with_device(void)
{
	fx = fx_open();
	add_many(test_scale(900, 250));
	test_shell("ip link del " DEVICE);
}

static const struct test_case cases[] = {
	{ "a dump tells of every session once", complete },
	{ "a disturbed dump misses no survivor and says so", disturbed },
	{ "the device goes during a dump", device_goes },
	{ "a dump of sockets is complete", socket_dump },
	{ "a dump of devices is complete", device_dump },
	{ "a full table refuses and harms nobody", full_table },
	{ "only a terminated session can be forgotten", forget },
	{ "an id has one session", same_id },
	{ "a thousand sessions come, are used and go", thousand },
	{ "a thousand sessions go with their device", thousand_with_device },
};

TEST_MAIN(cases)
