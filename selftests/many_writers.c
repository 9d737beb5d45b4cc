// SPDX-License-Identifier: GPL-2.0
/*
 * Many processes change the same sessions at once, each by compare-and-swap on what it has just
 * read, while others send whatever they like. From the stream of events alone it is proved that no
 * version is missing or double, that each transition begins where the last one ended, and that a
 * binding is only ever taken when there is none.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

#define SESSIONS 3
#define WRITERS 4

/**
 * struct seen - a session, as its events tell it
 * @version: the last one
 * @state: after it
 * @bound: since the last event that took a transport
 * @steps: transitions in all
 */
struct seen {
	uint64_t version;
	uint32_t state;
	bool bound;
	uint64_t steps;
};

static struct session sessions[SESSIONS];
static struct seen seen[SESSIONS];

static bool state_bound(uint32_t state)
{
	return state == JVPN_STATE_ATTACHED || state == JVPN_STATE_VOLATILE;
}

/* ---- writers ---- */

static int write_binding(struct session *s, const struct nl_view *v)
{
	struct nl_transport t = session_transport(s);
	struct nl_epoch keys = nl_epoch(v->epoch + 1);
	struct bind b = {
		.version = v->version,
		.has_epoch = true,
		.epoch = v->epoch,
		.reason = JVPN_REASON_CLIENT_JUMP,
		.transport = &t,
		.keys = &keys,
	};

	t.remote.port = (uint16_t)(20000 + random() % 8);
	return session_bind(s, JVPN_CMD_BINDING_SET, &b, NULL);
}

static int write_any(struct session *s, const struct nl_view *v)
{
	switch (v->state) {
	case JVPN_STATE_ATTACHED:
		if (random() % 3 == 0)
			return session_transition(s, v->version, JVPN_EVENT_QUALITY_LOW,
						  JVPN_REASON_LOSS_THRESHOLD, NULL);
		break;
	case JVPN_STATE_VOLATILE:
		if (random() % 2)
			return session_transition(s, v->version, JVPN_EVENT_TRANSPORT_DEAD,
						  JVPN_REASON_PROBE_TIMEOUT, NULL);
		break;
	case JVPN_STATE_RECOVERING:
		if (random() % 4 == 0)
			return session_transition(s, v->version, JVPN_EVENT_BOUND_EXCEEDED,
						  JVPN_REASON_SWITCH_RATE_EXCEEDED, NULL);
		break;
	}
	return write_binding(s, v);
}

/* Exit status: 0 if what it met was success or a version that another had taken. */
static void writer(unsigned int rounds)
{
	unsigned int won = 0;
	struct nl *nl = nl_open();
	unsigned int i;

	srandom((unsigned int)getpid());
	for (i = 0; i < rounds; i++) {
		struct session *s = &sessions[random() % SESSIONS];
		struct fx fx = *s->fx;
		struct session mine = *s;
		struct nl_view v;
		int err;

		fx.nl = nl;
		mine.fx = &fx;
		v = session_view(&mine);
		err = write_any(&mine, &v);
		won += !err;
		if (err && err != ESTALE && err != EKEYREJECTED) {
			printf("# a writer met %s\n", strerror(err));
			fflush(stdout);
			_exit(1);
		}
	}
	_exit(won ? 0 : 2);
}

/* Octets with the index of some epoch, from anywhere. */
static void noise(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct session *s = &sessions[random() % SESSIONS];

		peer_send(&s->peer, "", 0);
		usleep(200);
	}
}

/* ---- the checker ---- */

static int session_of(const struct nl_view *v)
{
	int i;

	for (i = 0; i < SESSIONS; i++)
		if (!memcmp(sessions[i].id, v->id, sizeof(v->id)))
			return i;
	return -1;
}

static void judge_step(struct seen *s, const struct nl_step *step)
{
	CHECK_EQ(step->version, s->version + 1, "the version of the next event");
	CHECK(step->from == s->state, "a transition begins in %s, the last one ended in %s",
	      nl_state_name(step->from), nl_state_name(s->state));
	CHECK(!(step->to == JVPN_STATE_ATTACHED && step->event == JVPN_EVENT_REATTACH_COMMIT &&
		s->bound), "a binding is taken while there is one");
	s->version = step->version;
	s->state = step->to;
	s->bound = state_bound(step->to);
	s->steps++;
}

/* Return: false once no event comes any more. */
static bool judge_next(struct nl *listener, unsigned int timeout_ms)
{
	struct nl_view v;
	unsigned int i;
	int which;

	if (!nl_event(listener, timeout_ms, &v))
		return false;
	REQUIRE(v.cmd, "an event was lost: nothing can be proved");
	which = session_of(&v);
	if (v.cmd != JVPN_CMD_SESSION_NTF || which < 0)
		return true;
	REQUIRE(v.steps, "an event without a transition");
	for (i = 0; i < v.steps; i++)
		judge_step(&seen[which], &v.step[i]);
	CHECK_EQ(v.version, seen[which].version, "the version of the event as a whole");
	return true;
}

static void race(void)
{
	unsigned int rounds = test_scale(600, 150), i;
	const int room = 32 << 20;
	struct nl *listener;
	struct fx fx = fx_open();
	uint64_t steps = 0;
	pid_t noisy;
	int status, left = WRITERS;

	listener = nl_open();
	/* All that the writers may cause while this process does not run. */
	REQUIRE(!setsockopt(nl_fd(listener), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)),
		"no room for events: %s", strerror(errno));
	for (i = 0; i < SESSIONS; i++) {
		sessions[i] = session_gateway(&fx, 10 + i);
		seen[i] = (struct seen){ .version = 1, .state = JVPN_STATE_ATTACHED, .bound = true };
	}
	nl_listen(listener, "state");
	noisy = fork();
	if (!noisy)
		noise();
	for (i = 0; i < WRITERS; i++)
		if (!fork())
			writer(rounds);
	while (left) {
		judge_next(listener, 10);
		if (waitpid(0, &status, WNOHANG) > 0) {
			CHECK(!status, "a writer ended with status %d", WEXITSTATUS(status));
			left--;
		}
	}
	kill(noisy, SIGKILL);
	waitpid(noisy, &status, 0);
	while (judge_next(listener, 200))
		;
	for (i = 0; i < SESSIONS; i++) {
		struct nl_view v = session_view(&sessions[i]);

		CHECK_EQ(v.version, seen[i].version, "the version after the last event");
		CHECK(v.state == seen[i].state, "the state is %s, events end in %s",
		      nl_state_name(v.state), nl_state_name(seen[i].state));
		CHECK_EQ(v.bound, seen[i].bound, "whether there is a binding");
		steps += seen[i].steps;
	}
	printf("# %llu transitions of %u requests\n", (unsigned long long)steps, WRITERS * rounds);
	CHECK(steps > rounds, "the writers hardly changed anything");
}

static const struct test_case cases[] = {
	{ "writers at once: no version missing or double, no two bindings", race },
};

TEST_MAIN(cases)
