// SPDX-License-Identifier: GPL-2.0
/*
 * An address cookie by itself: each single thing that it was made for is asked
 * for when it comes back, whatever the messages around it would have noticed.
 */
#include <sodium.h>

#include "../tap.h"
#include "ring.h"

#define NOW_MS	(1000 * 1000ull)
#define EXPIRY	(u32)(NOW_MS / 1000 + JVPN_RING_TTL_S)

/* What a cookie is made for, in memory of its own. */
struct made_for {
	struct jvpn_path path;
	u8 sid[JVPN_WIRE_SID];
	u8 nc[JVPN_WIRE_NC];
	u8 ns[JVPN_WIRE_NS];
	u8 h1[JVPN_WIRE_HASH];
};

static const struct {
	const char *what;
	size_t offset, size;
} fields[] = {
#define FIELD(text, member) { text, offsetof(struct made_for, member), \
			      sizeof(((struct made_for *)0)->member) }
	FIELD("source", path.remote),
	FIELD("address of the gateway", path.local),
	FIELD("transport protocol", path.transport),
	FIELD("session", sid),
	FIELD("nonce of the client", nc),
	FIELD("nonce of the gateway", ns),
	FIELD("transcript", h1),
#undef FIELD
};

static struct jvpn_ring ring;

static struct jvpn_ring_binding binding_of(const struct made_for *f)
{
	return (struct jvpn_ring_binding){ &f->path, f->sid, f->nc, f->ns, f->h1 };
}

static enum jvpn_verdict check(const struct jvpn_wire_addr_cookie *cookie,
			       const struct made_for *f, u64 now_ms)
{
	struct jvpn_ring_binding binding = binding_of(f);
	const struct jvpn_ring_slot *slot = NULL;

	return jvpn_ring_cookie_check(&ring, cookie, &binding, now_ms, &slot);
}

static void make(struct made_for *f, struct jvpn_wire_addr_cookie *cookie)
{
	struct jvpn_ring_binding binding = binding_of(f);

	randombytes_buf(f, sizeof(*f));
	jvpn_ring_cookie_make(jvpn_ring_current(&ring, NOW_MS, &jvpn_rng_system), EXPIRY, &binding, cookie);
}

/* The octets of @field changed, one at a time: how many changes are noticed. */
static size_t changes_noticed(const struct made_for *f, const struct jvpn_wire_addr_cookie *cookie,
			      size_t field)
{
	size_t i, noticed = 0;

	for (i = 0; i < fields[field].size; i++) {
		struct made_for other = *f;

		((u8 *)&other)[fields[field].offset + i] ^= 1;
		noticed += check(cookie, &other, NOW_MS) == JVPN_VERDICT_STALE_COOKIE;
	}
	return noticed;
}

static void test_fields(void)
{
	struct jvpn_wire_addr_cookie cookie;
	struct made_for f;
	size_t i;

	make(&f, &cookie);
	tap_equal(check(&cookie, &f, NOW_MS), JVPN_VERDICT_OK, "a cookie comes back");
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		tap_ok(changes_noticed(&f, &cookie, i) == fields[i].size,
		       "not with another %s", fields[i].what);
}

static void test_octets(void)
{
	struct jvpn_wire_addr_cookie cookie, other;
	size_t i, noticed = 0;
	struct made_for f;

	make(&f, &cookie);
	for (i = 0; i < sizeof(cookie); i++) {
		other = cookie;
		((u8 *)&other)[i] ^= 0x80;
		noticed += check(&other, &f, NOW_MS) != JVPN_VERDICT_OK;
	}
	tap_equal(noticed, sizeof(cookie), "no octet of a cookie can be changed, the zeros included");
}

static void test_time(void)
{
	u64 end_ms = EXPIRY * 1000ull;
	struct jvpn_wire_addr_cookie cookie;
	struct made_for f;

	make(&f, &cookie);
	tap_equal(check(&cookie, &f, end_ms + 999), JVPN_VERDICT_OK,
		  "a cookie is good in the second of its end");
	tap_equal(check(&cookie, &f, end_ms + 1000), JVPN_VERDICT_STALE_EXPIRED, "not after it");
	jvpn_ring_advance(&ring, NOW_MS + JVPN_RING_LIFE_MS, &jvpn_rng_system);
	tap_equal(check(&cookie, &f, NOW_MS), JVPN_VERDICT_STALE_KID,
		  "nor once the secrets of its slot are erased");
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	test_fields();
	test_octets();
	test_time();
	return tap_done();
}
