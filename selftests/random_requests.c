// SPDX-License-Identifier: GPL-2.0
/*
 * Proves that a user without privileges does no harm: in a user and network namespace of its own
 * it runs every operation of the specification with values from it, at random and at the ends of
 * their ranges. The kernel stays well (the log, the lock and memory checkers and the count of
 * objects at the end say so), every request is answered, and a tunnel made after all that works.
 *
 * JVPN_RANDOM_REQUESTS says how many, JVPN_RANDOM_SEED where to begin.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "fixture.h"

enum spec_kind {
	SPEC_U8, SPEC_U16, SPEC_U32, SPEC_U64, SPEC_FLAG, SPEC_STRING, SPEC_BINARY, SPEC_NEST,
};

/**
 * struct spec_attr - an attribute of a request
 * @size: octets of a number
 * @low: its range
 * @length: octets of a text or binary, exactly those if @exact
 * @nest: what it may hold
 */
struct spec_attr {
	const char *name;
	uint16_t type;
	enum spec_kind kind;
	unsigned int size;
	uint64_t low, high;
	unsigned int length;
	bool exact;
	const struct spec_attr *nest;
	size_t nested;
};

struct spec_op {
	const char *name;
	uint8_t cmd;
	bool dump;
	const struct spec_attr *attrs;
	size_t count;
};

#include "spec-table.h"

#define OPS (sizeof(spec_ops) / sizeof(spec_ops[0]))
#define IDS 6

static struct fx fx;
static uint64_t seed;
static uint8_t ids[IDS][JVPN_SESSION_ID_SIZE];
static unsigned int done[OPS], tried[OPS];
/* Whether the present request is meant to be applied. */
static bool tame;

static uint64_t random_next(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dULL;
}

static uint64_t below(uint64_t n)
{
	return (random_next() >> 16) % n;
}

static uint64_t random_number(const struct spec_attr *a)
{
	static const uint64_t ends[] = {
		0, 1, INT32_MAX, 1ULL << 31, UINT32_MAX, 1ULL << 32, 9223372036854, 9223372036855,
		18446744073709, 18446744073710, INT64_MAX, 1ULL << 63, UINT64_MAX,
	};

	switch (tame ? 4 + below(4) : below(8)) {
	case 0:
		return a->low - below(2);
	case 1:
		return a->high + below(2);
	case 2:
		return ends[below(sizeof(ends) / sizeof(ends[0]))];
	case 3:
		return test_now() + below(200);
	case 4:
	case 5:
		return a->low + (a->high > a->low ? below(a->high - a->low) : 0);
	default:
		return a->low + below(5);
	}
}

/* Values that mean something, so that requests come further than to a refusal. */
static bool put_known(struct nl_request *r, const struct spec_attr *a)
{
	static const char *const v4[] = { "127.0.0.1", "127.0.0.10", "0.0.0.0", "10.0.0.10" };
	static const char *const v6[] = { "fd01::1", "fd01::10", "::", "fd00::10" };
	struct nl_addr addr;

	if (!strcmp(a->name, "ifindex")) {
		nl_put_u32(r, a->type, fx.ifindex);
	} else if (!strcmp(a->name, "id") && a->length == JVPN_SESSION_ID_SIZE) {
		nl_put(r, a->type, ids[below(IDS)], JVPN_SESSION_ID_SIZE);
	} else if (strstr(a->name, "ipv4")) {
		addr = nl_addr(v4[below(4)], 0);
		nl_put(r, a->type, &addr.v4, sizeof(addr.v4));
	} else if (strstr(a->name, "ipv6")) {
		addr = nl_addr(v6[below(4)], 0);
		nl_put(r, a->type, &addr.v6, sizeof(addr.v6));
	} else if (!strcmp(a->name, "prefix-len")) {
		nl_put_u8(r, a->type, 32);
	} else if (strstr(a->name, "deadline")) {
		nl_put_u64(r, a->type, below(2) ? 0 : test_now() + below(5000));
	} else if (!strcmp(a->name, "socket")) {
		nl_put_u32(r, a->type, 1 + below(2));
	} else if (!strcmp(a->name, "number") || !strcmp(a->name, "expected-version")) {
		if (a->size == 4)
			nl_put_u32(r, a->type, below(6));
		else
			nl_put_u64(r, a->type, below(6));
	} else {
		return false;
	}
	return true;
}

static void put_octets(struct nl_request *r, const struct spec_attr *a)
{
	uint8_t octets[4096];
	unsigned int length = a->exact && (tame || below(8)) ? a->length :
			      below(a->length + (tame ? 1 : 2));

	test_random(octets, sizeof(octets));
	if (a->kind == SPEC_STRING)
		for (unsigned int i = 0; i < length; i++)
			octets[i] = i + 1 < length ? 'a' + octets[i] % 26 : 0;
	/* CTRL, the control message that both ends may send. */
	if (tame && !strcmp(a->name, "payload")) {
		memcpy(octets, (uint8_t[]){ 11, 1, 0, 0 }, 4);
		length = 112;
	}
	nl_put(r, a->type, octets, length);
}

static void put_attrs(struct nl_request *r, const struct spec_attr *attrs, size_t count);

static void put_one(struct nl_request *r, const struct spec_attr *a)
{
	uint64_t value = random_number(a);
	void *nest;

	if ((tame || below(8)) && put_known(r, a))
		return;
	switch (a->kind) {
	case SPEC_FLAG:
		nl_put(r, a->type, NULL, 0);
		break;
	case SPEC_STRING:
	case SPEC_BINARY:
		put_octets(r, a);
		break;
	case SPEC_NEST:
		nest = nl_nest(r, a->type);
		put_attrs(r, a->nest, a->nested);
		nl_nest_end(r, nest);
		break;
	default:
		nl_put(r, a->type, &value, a->size);
	}
}

/* Mostly those that are needed: one of two addresses, one of two names. */
static bool left_out(const struct spec_attr *a)
{
	if (!strcmp(a->name, "device-id"))
		return tame || below(16);
	if (strstr(a->name, "ipv6"))
		return tame || below(4);
	if (strstr(a->name, "local-ipv4"))
		return below(2);
	if (!strcmp(a->name, "policy"))
		return below(tame ? 8 : 2);
	return !tame && !below(6);
}

static void put_attrs(struct nl_request *r, const struct spec_attr *attrs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!left_out(&attrs[i]))
			put_one(r, &attrs[i]);
}

static void run_one(void)
{
	unsigned int which = below(OPS);
	const struct spec_op *op = &spec_ops[which];
	struct nl_request r = nl_begin(fx.nl, op->cmd);
	struct nl_reply reply;

	tame = below(2);
	put_attrs(&r, op->attrs, op->count);
	tried[which]++;
	done[which] += !(op->dump ? nl_dump(&r, &reply, NULL, NULL) : nl_run(&r, &reply));
}

/* Nobody, and root in namespaces of its own. */
static void be_nobody(void)
{
	int fd;

	REQUIRE(!setgid(65534) && !setuid(65534), "cannot drop privileges");
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		test_skip("no user namespaces here: %s", strerror(errno));
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && write(fd, "0 65534 1", 9) == 9, "cannot map root: %s", strerror(errno));
	close(fd);
}

static unsigned int number_of(const char *name, unsigned int usual)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : usual;
}

static void anything(void)
{
	unsigned int left = number_of("JVPN_RANDOM_REQUESTS", test_scale(20000, 2000));
	struct session after;
	unsigned int i;

	test_random(&seed, sizeof(seed));
	seed = number_of("JVPN_RANDOM_SEED", seed % 1000000) | 1ULL << 40;
	printf("# JVPN_RANDOM_SEED=%llu\n", (unsigned long long)(seed & 0xffffffff));
	be_nobody();
	fx = fx_open();
	test_random(ids, sizeof(ids));
	while (left--) {
		run_one();
		if (!(left % 16)) {
			after = (struct session){ .fx = &fx, .src4 = "10.0.0.10" };
			session_send(&after, "into the tunnel, if there is one");
		}
		/* A socket of one's own, where the last registration is forgotten with it. */
		if (!(left % 500)) {
			nl_close(fx.nl);
			fx.nl = nl_open();
		}
	}
	for (i = 0; i < OPS; i++) {
		printf("# %s%s: %u of %u applied\n", spec_ops[i].name, spec_ops[i].dump ? " (dump)" : "",
		       done[i], tried[i]);
		CHECK(tried[i], "%s was not tried", spec_ops[i].name);
	}
	test_shell("ip link del " DEVICE);
	nl_close(fx.nl);
	close(fx.sink4);
	close(fx.sink6);
	for (i = 10; i < 30; i++)
		test_shell("ip addr del fd01::%u/128 dev lo", i);
	test_shell("ip addr del fd01::1/128 dev lo");
	fx = fx_open();
	after = session_gateway(&fx, 10);
	session_works(&after, "as if nothing had happened");
}

static const struct test_case cases[] = {
	{ "a user without privileges does no harm with any request", anything },
};

TEST_MAIN(cases)
