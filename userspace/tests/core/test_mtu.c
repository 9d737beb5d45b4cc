// SPDX-License-Identifier: GPL-2.0
/* Path MTU search against a model of paths: narrow, asymmetric, changing, lossy, lied about. */
#include <stdlib.h>

#include "../tap.h"
#include "core/mtu.h"

#define UNDER_WAY_MAX 64

static u64 seed = 0x853c49e6748fea9bULL;

static u32 random_below(u32 n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * 0x2545f4914f6cdd1dULL >> 33) % n;
}

/* An echo that will come. */
struct echo {
	u64 at;
	u32 size;	/* 0: small */
	u32 round;
};

struct path {
	struct jvpn_mtu m;
	struct jvpn_mtu_use use;
	u64 now;
	u32 there;
	u32 back;
	u32 link;
	u32 rtt;
	u32 patience;	/* in which an echo is expected, 0: a little more than rtt */
	u32 loss;	/* percent, each way */
	bool dead;
	u32 large_every;	/* ms between large datagrams, 0 for none */
	u32 small_every;
	u32 forged_every;
	struct echo under_way[UNDER_WAY_MAX];
	u32 count;
	u32 round;	/* rises with each new size asked for */
	u32 probes;
	u32 most;	/* largest size ever confirmed or relied on */
	u32 least;	/* smallest size that senders were told */
};

static void path_init(struct path *p, u32 floor, u32 link, u32 there, u32 back)
{
	memset(p, 0, sizeof(*p));
	p->now = 1000;
	p->there = there;
	p->back = back;
	p->link = link;
	p->rtt = 40;
	p->large_every = 10;
	p->least = link;
	jvpn_mtu_reset(&p->m);
	jvpn_mtu_begin(&p->m, floor, link, p->now);
}

static bool passes(struct path *p, u32 size)
{
	return !p->dead && size <= p->there && size <= p->back && random_below(100) >= p->loss &&
	       random_below(100) >= p->loss;
}

static void answer(struct path *p, u32 size)
{
	if (passes(p, size) && p->count < UNDER_WAY_MAX)
		p->under_way[p->count++] = (struct echo){ p->now + p->rtt, size, p->round };
}

static void send_due(struct path *p)
{
	u64 next = jvpn_mtu_next(&p->m, &p->use);
	u32 size;

	if (!next || p->now < next)
		return;
	size = jvpn_mtu_step(&p->m, &p->use, p->patience ? p->patience : p->rtt + 10, p->now);
	if (!size)
		return;
	p->probes++;
	if (p->m.tries == 1)
		p->round++;
	answer(p, size);
	if (p->m.tries > 1)
		answer(p, 0);
}

static void receive_due(struct path *p)
{
	u32 i;

	for (i = 0; i < p->count; i++) {
		struct echo e = p->under_way[i];

		if (e.at > p->now)
			continue;
		p->under_way[i--] = p->under_way[--p->count];
		/* Only those of the size that is asked for now are recognised. */
		if (e.round != p->round || !p->m.probe)
			continue;
		if (e.size)
			jvpn_mtu_passed(&p->m, p->now);
		else
			jvpn_mtu_alive(&p->m, p->now);
	}
}

static void tick(struct path *p)
{
	if (p->large_every && !(p->now % p->large_every))
		p->use.large = p->use.data = p->now;
	if (p->small_every && !(p->now % p->small_every))
		p->use.data = p->now;
	if (p->forged_every && !(p->now % p->forged_every))
		jvpn_mtu_hint(&p->m);
	jvpn_mtu_limit(&p->m, p->link, p->now);
	receive_due(p);
	send_due(p);
	if (p->m.size > p->most)
		p->most = p->m.size;
	if (p->m.size && p->m.size < p->least)
		p->least = p->m.size;
	p->now++;
}

static void run(struct path *p, u64 ms)
{
	u64 end = p->now + ms;

	while (p->now < end)
		tick(p);
}

/* Return: time until the size was confirmed, or @most. */
static u64 run_until(struct path *p, u32 size, u64 most)
{
	u64 from = p->now;

	while (p->m.size != size && p->now < from + most)
		tick(p);
	return p->now - from;
}

/* ---- a path as it is ---- */

static const struct steady {
	const char *name;
	u32 floor, link, there, back, rtt, loss, wanted, within, probes;
} steady[] = {
	{ "as wide as its link", JVPN_MTU_FLOOR4, 1472, 1472, 1472, 40, 0, 1472, 100, 1 },
	{ "wider than its link", JVPN_MTU_FLOOR6, 1452, 9000, 9000, 40, 0, 1452, 100, 1 },
	{ "of jumbo frames", JVPN_MTU_FLOOR4, 8972, 8972, 8972, 40, 0, 8972, 100, 1 },
	{ "narrow", JVPN_MTU_FLOOR4, 1472, 1372, 1372, 40, 0, 1372, 3000, 40 },
	{ "narrow by one octet", JVPN_MTU_FLOOR4, 1472, 1471, 1471, 40, 0, 1471, 4000, 40 },
	{ "narrow, IPv6", JVPN_MTU_FLOOR6, 1452, 1352, 1352, 40, 0, 1352, 3000, 40 },
	{ "of IPv6's least", JVPN_MTU_FLOOR6, 1452, 1232, 1232, 40, 0, 1232, 4000, 40 },
	{ "below the base", JVPN_MTU_FLOOR4, 1472, 900, 900, 40, 0, 900, 5000, 50 },
	{ "of the floor", JVPN_MTU_FLOOR4, 1472, 548, 548, 40, 0, 548, 6000, 50 },
	{ "below the floor", JVPN_MTU_FLOOR4, 1472, 300, 300, 40, 0, 548, 6000, 50 },
	{ "narrow on the way back", JVPN_MTU_FLOOR4, 1472, 1472, 1372, 40, 0, 1372, 3000, 40 },
	{ "narrow and far", JVPN_MTU_FLOOR4, 1472, 1372, 1372, 600, 0, 1372, 20000, 40 },
	{ "wide and lossy", JVPN_MTU_FLOOR4, 1472, 1472, 1472, 40, 5, 1472, 1000, 8 },
	{ "of a link below the floor", JVPN_MTU_FLOOR4, 400, 400, 400, 40, 0, 400, 100, 1 },
	{ "behind a wide loopback", JVPN_MTU_FLOOR4, 65507, 1472, 1472, 40, 0, 1472, 8000, 60 },
};

static void test_steady(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steady); i++) {
		const struct steady *c = &steady[i];
		struct path p;
		u64 took;

		path_init(&p, c->floor, c->link, c->there, c->back);
		p.rtt = c->rtt;
		p.loss = c->loss;
		p.large_every = 0;
		took = run_until(&p, c->wanted, 60000);
		if (!tap_ok(took <= c->within && p.probes <= c->probes,
			    "a path %s: found within %u ms by %u probes", c->name, c->within,
			    c->probes))
			tap_note("size %u after %llu ms, %u probes", p.m.size,
				 (unsigned long long)took, p.probes);
		/* Without use nothing more is asked. */
		p.probes = 0;
		run(&p, 2000000);
		tap_equal(p.probes, 0, "and left alone while it is idle");
	}
}

/* ---- a path that changes ---- */

static void test_black_hole(void)
{
	struct path p;
	u64 took;

	path_init(&p, JVPN_MTU_FLOOR4, 1472, 1472, 1472);
	run(&p, 60000);
	tap_equal(p.m.size, 1472, "a wide path");
	p.there = 1372;
	while (p.m.size && p.now < 100000)
		tick(&p);
	tap_ok(p.now - 61000 <= 1500, "that gets narrower is doubted within 1.5 s");
	tap_equal(jvpn_mtu_sure(&p.m), JVPN_MTU_FLOOR4, "only the floor is relied on meanwhile");
	took = run_until(&p, 1372, 10000);
	tap_ok(took <= 4000, "and its size is found in 4 s more: %llu ms", (unsigned long long)took);
	tap_equal(p.m.lost, 1, "it is counted once");
	tap_equal(p.least, 1372, "and nobody was told anything smaller");
	p.there = 1472;
	took = run_until(&p, 1472, 100000);
	tap_ok(took <= JVPN_MTU_RAISE_MS + 1000, "wider again: found by the first raise");
}

static void test_grows_a_little(void)
{
	struct path p;

	path_init(&p, JVPN_MTU_FLOOR4, 1472, 1272, 1272);
	run(&p, 10000);
	tap_equal(p.m.size, 1272, "a narrow path");
	p.there = p.back = 1372;
	tap_ok(run_until(&p, 1372, 100000) < JVPN_MTU_RAISE_MS + 5000,
	       "that gets a little wider is searched again");
}

/* Only in answer to small datagrams, large ones of the peer get lost: no large ones are seen. */
static void test_download(void)
{
	struct path p;
	u64 took;

	path_init(&p, JVPN_MTU_FLOOR4, 1472, 1472, 1472);
	p.large_every = 0;
	p.small_every = 300;
	run(&p, 60000);
	p.back = 1372;
	took = run_until(&p, 1372, 100000);
	tap_ok(took <= JVPN_MTU_VERIFY_MS + 4000,
	       "a download into a black hole: mended within 9 s: %llu ms",
	       (unsigned long long)took);
}

static void test_flapping(void)
{
	u32 i, wrong = 0;
	struct path p;

	path_init(&p, JVPN_MTU_FLOOR4, 1472, 1472, 1472);
	for (i = 0; i < 20; i++) {
		p.there = i % 2 ? 1472 : 1372;
		run(&p, 20000);
		/* It may be careful, it must not be wrong. */
		wrong += p.m.size > p.there || p.m.size < 1372;
	}
	tap_equal(wrong, 0, "a path that flaps each 20 s: never relied on for more than it carries");
	p.probes = 0;
	p.there = 1372;
	run(&p, 600000);
	tap_ok(p.probes < 1000, "and asked about once a second: %u probes in 600 s", p.probes);
}

static void test_interrupted(void)
{
	struct path p;

	path_init(&p, JVPN_MTU_FLOOR4, 1472, 1472, 1472);
	run(&p, 10000);
	p.dead = true;
	p.probes = 0;
	run(&p, 60000);
	tap_equal(p.m.size, 1472, "nothing comes back at all: no matter of size");
	tap_ok(p.probes <= 60, "and asked less often: %u probes in 60 s", p.probes);
	p.dead = false;
	run(&p, 5000);
	tap_equal(p.m.size, 1472, "the size holds when it is back");
	tap_equal(p.m.lost, 0, "and never was given up");
}

static void test_link(void)
{
	struct path p;

	path_init(&p, JVPN_MTU_FLOOR4, 1472, 1472, 1472);
	run(&p, 5000);
	p.link = 1372;
	tick(&p);
	tap_equal(p.m.size, 1372, "a link that gets narrower is known at once");
	p.there = p.back = p.link = 1472;
	tap_ok(run_until(&p, 1472, 10000) < 1000, "one that gets wider is looked into at once");
}

/* ---- lies ---- */

static void test_forged(void)
{
	struct path p;

	path_init(&p, JVPN_MTU_FLOOR4, 1472, 1472, 1472);
	p.forged_every = 1;
	p.large_every = 0;
	run(&p, 100);
	p.probes = 0;
	run(&p, 600000);
	tap_equal(p.m.size, 1472, "1000 forged messages a second for 10 min: the size is as it was");
	tap_equal(p.least, 1472, "at all times");
	tap_equal(p.m.lost, 0, "and was never doubted");
	tap_ok(p.probes >= 500 && p.probes <= 601, "they cost a probe a second: %u", p.probes);
}

static void test_hint_is_fast(void)
{
	struct path p;
	u64 from;

	path_init(&p, JVPN_MTU_FLOOR4, 1472, 1472, 1472);
	p.large_every = 0;
	p.small_every = 300;
	run(&p, 10000);
	while (p.m.verified + 1 != p.now)
		tick(&p);
	p.there = 1372;
	from = p.now;
	jvpn_mtu_hint(&p.m);
	while (p.m.size && p.now < from + 60000)
		tick(&p);
	tap_ok(p.now - from < 1500, "a true message makes it look at once: %llu ms",
	       (unsigned long long)(p.now - from));
}

static void test_lossy_use(void)
{
	u32 lost = 0, i;

	for (i = 0; i < 20; i++) {
		struct path p;

		path_init(&p, JVPN_MTU_FLOOR4, 1472, 1472, 1472);
		p.loss = 2;
		run(&p, 60000);
		lost += p.least < 1472;
	}
	tap_ok(lost <= 1, "20 min on a path that loses 4 %%: told too little %u times", lost);
}

/* Everything at random: what holds at any time. */
/* The first heartbeat waited for a neighbour, so echoes are expected late: the small ones tell better. */
static void test_late_first_echo(void)
{
	struct path p;
	u64 begin;

	path_init(&p, JVPN_MTU_FLOOR6, 1452, 1332, 1332);
	p.patience = 3000;
	for (begin = p.now; !p.m.size && p.now < begin + 60000;)
		run(&p, 10);
	tap_equal(p.m.size, 1332, "a path whose first echo was late is searched");
	tap_ok(p.now - begin <= 15000, "one late echo for each size is waited for, not three (%llu ms)",
	       (unsigned long long)(p.now - begin));
}

static void test_invariants(void)
{
	u32 i, bad = 0;
	struct path p;

	path_init(&p, JVPN_MTU_FLOOR4, 1472, 1472, 1472);
	for (i = 0; i < 20000; i++) {
		switch (random_below(8)) {
		case 0:
			p.there = 500 + random_below(1000);
			break;
		case 1:
			p.back = 500 + random_below(1000);
			break;
		case 2:
			p.link = 600 + random_below(1000);
			break;
		case 3:
			p.dead = !p.dead;
			break;
		case 4:
			p.loss = random_below(60);
			break;
		case 5:
			p.forged_every = random_below(50);
			break;
		}
		run(&p, 1 + random_below(500));
		bad += p.m.size > p.link || (p.m.size && p.m.size < JVPN_MTU_FLOOR4);
		bad += p.m.probe > p.link;
		bad += p.m.phase == JVPN_MTU_DONE && (!p.m.size || p.m.probe);
		bad += p.m.phase != JVPN_MTU_DONE && !p.m.probe;
	}
	tap_equal(bad, 0, "a random life: sizes stay between the floor and the link");
}

int main(void)
{
	test_steady();
	test_black_hole();
	test_grows_a_little();
	test_download();
	test_flapping();
	test_interrupted();
	test_link();
	test_forged();
	test_hint_is_fast();
	test_lossy_use();
	test_late_first_echo();
	test_invariants();
	return tap_done();
}
