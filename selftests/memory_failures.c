// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that a request which finds no memory is refused and changes nothing:
 * each allocation of each request fails in turn; and that listeners know of each change, by an event
 * or by being told that one was lost. Needs a kernel with fault injection.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

/* More allocations than any request makes. */
#define NTH_MAX 200

/**
 * struct attempt - a request whose allocations are to fail
 * @run: makes it
 * @session: it needs one; else it makes one
 */
struct attempt {
	int (*run)(struct nl_reply *reply);
	bool session;
};

static struct fx fx;
/* What is tried upon, how it was before, and what must not notice. */
static struct session tried, other;
static struct nl_view before;
static struct nl_epoch keys;

static int new_session(struct nl_reply *reply)
{
	return session_new(&tried, reply);
}

static int bind_request(uint8_t cmd, struct nl_reply *reply)
{
	struct nl_transport t = session_transport(&tried);
	struct bind b = {
		.version = before.version,
		.epoch = before.epoch,
		.keys = &keys,
	};

	keys = nl_epoch(before.epoch + 1);
	if (cmd != JVPN_CMD_EPOCH_SET) {
		b.reason = JVPN_REASON_CLIENT_JUMP;
		b.transport = &t;
	}
	b.has_cookie = cmd == JVPN_CMD_BINDING_PREPARE;
	b.has_epoch = !b.has_cookie;
	return session_bind(&tried, cmd, &b, reply);
}

static int jump(struct nl_reply *reply)
{
	return bind_request(JVPN_CMD_BINDING_SET, reply);
}

static int prepare(struct nl_reply *reply)
{
	return bind_request(JVPN_CMD_BINDING_PREPARE, reply);
}

static int refresh(struct nl_reply *reply)
{
	return bind_request(JVPN_CMD_EPOCH_SET, reply);
}

static int lose_quality(struct nl_reply *reply)
{
	return session_transition(&tried, before.version, JVPN_EVENT_QUALITY_LOW,
				  JVPN_REASON_LOSS_THRESHOLD, reply);
}

static int terminate(struct nl_reply *reply)
{
	return session_transition(&tried, before.version, JVPN_EVENT_TERMINATE,
				  JVPN_REASON_OPERATOR, reply);
}

static int set_policy(struct nl_reply *reply)
{
	struct nl_request r = session_request(&tried, JVPN_CMD_SESSION_SET);

	nl_put_u64(&r, JVPN_A_SESSION_EXPECTED_VERSION, before.version);
	fx_policy_set(&tried.policy, JVPN_A_POLICY_DEAD_BASE_MS, 500000);
	fx_put_policy(&r, &tried.policy);
	return nl_run(&r, reply);
}

static int new_socket(struct nl_reply *reply)
{
	struct nl_request r = nl_begin(fx.nl, JVPN_CMD_SOCKET_NEW);
	struct nl_addr any = nl_addr("127.0.0.1", 0);

	nl_put_u32(&r, JVPN_A_SOCKET_IFINDEX, fx.ifindex);
	nl_put_addr(&r, JVPN_A_SOCKET_LOCAL_IPV4, JVPN_A_SOCKET_LOCAL_IPV6, &any);
	return nl_run(&r, reply);
}

static unsigned int sockets_count(void)
{
	struct nl_request r = nl_begin(fx.nl, JVPN_CMD_SOCKET_GET);
	struct nl_reply reply;

	nl_put_u32(&r, JVPN_A_SOCKET_IFINDEX, fx.ifindex);
	REQUIRE(!nl_dump(&r, &reply, NULL, NULL), "the dump of sockets fails: %s", reply.text);
	return reply.answers;
}

static bool tried_exists(void)
{
	struct nl_view v;

	return !nl_session_get(fx.nl, fx.ifindex, tried.id, &v);
}

/* A session as the attempt needs it, after the last one was carried out. */
static void renew(const struct attempt *a)
{
	struct nl_view v;

	if (tried.id[0] && !nl_session_get(fx.nl, fx.ifindex, tried.id, &v)) {
		session_transition(&tried, v.version, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR,
				   NULL);
		REQUIRE(!session_delete(&tried), "the session cannot be deleted");
		peer_close(&tried.peer);
	}
	tried = session_describe(&fx, a->session ? JVPN_ROLE_CLIENT : JVPN_ROLE_GATEWAY, 11);
	if (a->session)
		session_attach(&tried);
}

static void compare(const char *text, unsigned int nth)
{
	char *now = nl_session_text(fx.nl, fx.ifindex, tried.id);

	CHECK(!strcmp(text, now), "allocation %u: refused, but the session has changed:\n%s-->\n%s",
	      nth, text, now);
	free(now);
}

/* ENFILE is what sockets say of an inode that they do not get. */
static bool refused(int err)
{
	return err == ENOMEM || err == ENFILE;
}

/* The @nth allocation fails. Return: false if there is no such allocation. */
static bool try(const struct attempt *a, unsigned int nth)
{
	unsigned int sockets = sockets_count();
	struct nl_reply reply;
	char *text = NULL;
	int err;

	if (a->session) {
		before = session_view(&tried);
		text = nl_session_text(fx.nl, fx.ifindex, tried.id);
	}
	nl_fail_next(fx.nl, nth);
	err = a->run(&reply);
	if (!nl_failed(fx.nl)) {
		CHECK(!err, "refused with memory: %s, %s", strerror(err), reply.text);
		free(text);
		return false;
	}
	/* 0: it can do without. ENOBUFS: its answer was lost, so it may have been done. */
	CHECK(!err || err == ENOBUFS || refused(err), "allocation %u: the error is %s, %s", nth,
	      strerror(err), reply.text);
	if (refused(err)) {
		CHECK(tried_exists() == a->session, "allocation %u: the session is %s", nth,
		      a->session ? "gone" : "half made");
		CHECK_EQ(sockets_count(), sockets, "sockets");
		if (a->session) {
			compare(text, nth);
			CHECK(session_works(&tried, "tried"), "allocation %u: the session", nth);
		}
	} else {
		renew(a);
	}
	CHECK(session_works(&other, "other"), "allocation %u: another session", nth);
	free(text);
	return true;
}

static void each_fails(const struct attempt *a)
{
	unsigned int nth;

	if (!nl_can_fail())
		test_skip("this kernel has no fault injection");
	fx = fx_open();
	other = session_gateway(&fx, 10);
	renew(a);
	for (nth = 1; nth < NTH_MAX && try(a, nth); nth++)
		;
	CHECK(nth > 1, "no allocation failed");
	CHECK(nth < NTH_MAX, "it allocates without end");
	printf("# %u allocations\n", nth - 1);
}

#define EACH_FAILS(name, run, session)					\
	static void name##_each(void)					\
	{								\
		each_fails(&(const struct attempt){ run, session });	\
	}

EACH_FAILS(new_session, new_session, false)
EACH_FAILS(new_socket, new_socket, true)
EACH_FAILS(jump, jump, true)
EACH_FAILS(prepare, prepare, true)
EACH_FAILS(refresh, refresh, true)
EACH_FAILS(lose_quality, lose_quality, true)
EACH_FAILS(set_policy, set_policy, true)
EACH_FAILS(terminate, terminate, true)

/* How the session is now is known: by its event, or because events were lost. */
static void expect_known(struct nl *listener, unsigned int nth)
{
	uint64_t version = session_view(&tried).version;
	struct nl_view event = {};

	do {
		if (!nl_event(listener, 1000, &event)) {
			FAIL("allocation %u: nobody is told of version %llu", nth,
			     (unsigned long long)version);
			return;
		}
	} while (event.cmd &&
		 (memcmp(event.id, tried.id, sizeof(event.id)) || event.version != version));
	while (nl_event(listener, 0, &event))
		;
}

/* An event that finds no memory is told of, and counted. */
static void events_known(void)
{
	unsigned int nth = 0;
	struct nl_reply reply;
	struct nl *listener;
	bool failed;

	if (!nl_can_fail())
		test_skip("this kernel has no fault injection");
	fx = fx_open();
	listener = nl_open();
	REQUIRE(nl_listen(listener, "state"), "the kernel forbids to listen");
	do {
		renew(&(const struct attempt){ lose_quality, true });
		expect_known(listener, nth);
		before = session_view(&tried);
		nl_fail_next(fx.nl, ++nth);
		lose_quality(&reply);
		failed = nl_failed(fx.nl);
		if (session_view(&tried).version != before.version)
			expect_known(listener, nth);
	} while (failed && nth < NTH_MAX);
	CHECK(nl_counter(fx.nl, fx.ifindex, "events_lost"), "no event was lost");
}

/* ---- a namespace that cannot be made ---- */

/* More allocations than a namespace needs. */
#define NAMESPACE_MAX 20000
/* Beginning with the last: what is half made is more and more. */
#define NAMESPACE_STEP (test_slow() ? 7 : 1)

/* Return: whether an allocation failed. */
static bool namespace_fails(unsigned int nth)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		nl_can_fail();
		nl_fail_begin(nth);
		unshare(CLONE_NEWNET);
		_exit(nl_fail_end() ? 1 : 0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "the child has died");
	return WEXITSTATUS(status);
}

static void namespaces_each(void)
{
	unsigned int nth = 1;

	if (!nl_can_fail())
		test_skip("this kernel has no fault injection");
	while (nth < NAMESPACE_MAX && namespace_fails(nth))
		nth += NAMESPACE_STEP;
	CHECK(nth > 20 && nth < NAMESPACE_MAX, "a namespace is made with %u allocations", nth);
}

static const struct test_case cases[] = {
	{ "session-new", new_session_each },
	{ "socket-new", new_socket_each },
	{ "binding-set", jump_each },
	{ "binding-prepare", prepare_each },
	{ "epoch-set", refresh_each },
	{ "session-transition", lose_quality_each },
	{ "session-set", set_policy_each },
	{ "session-transition to TERMINATED", terminate_each },
	{ "an event for which there is no memory", events_known },
	{ "a network namespace", namespaces_each },
};

TEST_MAIN(cases)
