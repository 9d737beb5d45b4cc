// SPDX-License-Identifier: GPL-2.0
/*
 * Many sessions: what an event costs does not grow with their number, and what does is done a
 * part at a time. Counted, on a table in place of the kernel's.
 */
#include <stdlib.h>
#include <unistd.h>

#include "../../jvpnd/bounds.h"
#include "../../jvpnd/gateway.h"
#include "../../jvpnd/peer.h"
#include "../../jvpnd/reconcile.h"
#include "../../jvpnd/record.h"
#include "../../jvpnd/session.h"
#include "../../jvpnd/sockets.h"
#include "../tap.h"
#include "fake_kernel.h"
#include "log.h"

#define MANY 16384

static char dir[] = "/tmp/jvpn-sessions-XXXXXX";
static char path[64];
static struct jvpn_config config;
static struct jvpnd d;
static unsigned long told;

static void role_changed(struct jvpnd *daemon, struct session *s)
{
	(void)daemon, (void)s;
	told++;
}

static void role_ignore(struct jvpnd *daemon, struct session *s)
{
	(void)daemon, (void)s;
}

static void role_adopt(struct jvpnd *daemon, struct session *s, const struct kernel_session *k)
{
	(void)daemon, (void)k;
	s->policy.recovery_window_ms = 1000;
}

static const char *role_describe(const struct jvpnd *daemon, const struct path *p)
{
	(void)daemon, (void)p;
	return NULL;
}

static const uint8_t *unwanted;		/* id of the session that the configuration forbids */

static const char *role_judge(struct jvpnd *daemon, const struct session *s)
{
	(void)daemon;
	return unwanted && !memcmp(s->id, unwanted, sizeof(s->id)) ? "for a test" : NULL;
}

static const struct role test_role = {
	.judge = role_judge, .changed = role_changed, .adopt = role_adopt, .forget = role_ignore,
	.describe = role_describe,
};

static void daemon_open(void)
{
	static const uint8_t secret[JVPN_STORE_KEY_SIZE] = { 1 };
	struct jvpn_audit_options options = {
		.sink = JVPN_AUDIT_FILE, .file = path, .node = "test", .queue_records = 4 * MANY,
	};
	static struct gateway gateway;
	char error[256];

	d = (struct jvpnd){ .loop = uv_default_loop(), .config = &config, .role = &test_role,
			    .gateway = &gateway };
	d.audit = jvpn_audit_open(&options, error, sizeof(error));
	if (!d.audit || jvpn_store_open(dir, secret, &d.store, error, sizeof(error)) ||
	    sessions_open(&d) || reconcile_open(&d) || sockets_open(&d, error, sizeof(error)))
		exit(1);
}

static void handle_close(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void daemon_close(void)
{
	uv_walk(d.loop, handle_close, NULL);
	uv_run(d.loop, UV_RUN_DEFAULT);
	sockets_close(&d);
	reconcile_close(&d);
	sessions_close(&d);
	jvpn_store_close(d.store);
	jvpn_audit_close(d.audit);
}

static void revision_add(struct jvpnd *daemon, struct session *s, void *context)
{
	(void)daemon;
	*(unsigned long *)context += s->revision;
}

/* How often a record was written, of all sessions. */
static unsigned long writes(void)
{
	unsigned long count = 0;

	session_each(&d, revision_add, &count);
	return count;
}

static void record_make(struct jvpnd *daemon, struct session *s, void *context)
{
	(void)context;
	record_save(daemon, s);
}

static struct session *session_nth(size_t n)
{
	return session_find(&d, fake.table[n].id);
}

static void step(size_t n, uint32_t event, uint32_t reason)
{
	struct kernel_transition t;

	if (fake_step(&fake.table[n], event, reason, &t))
		session_apply(&d, session_nth(n), &t, 1);
}

/* --- reading everything again ------------------------------------------------------- */

static void reconcile_test(void)
{
	unsigned long before;

	for (size_t i = 0; i < MANY; i++)
		fake_session_new(JVPN_ROLE_GATEWAY);
	reconcile_run(&d);
	tap_equal(session_count(&d), MANY, "all sessions are adopted");
	tap_ok(!session_nth(5)->recorded, "one without a record is known to have none");
	sessions_save(&d, SIZE_MAX);
	tap_ok(!session_nth(5)->recorded && !writes(),
	       "and is not given an empty one, by which it could be reattached");

	session_each(&d, record_make, NULL);
	before = writes();
	told = 0;
	reconcile_run(&d);
	sessions_save(&d, SIZE_MAX);
	tap_equal(told, 0, "read again without a difference, nobody is told");
	tap_equal(writes(), before, "and no record is written");

	fake.table[7].version++;
	fake.table[7].state = JVPN_STATE_VOLATILE;
	reconcile_run(&d);
	tap_equal(told, 1, "one differs: of that one it is told");
	session_nth(7)->gateway.ctrl_seq++;
	sessions_save(&d, SIZE_MAX);
	tap_equal(writes(), before + 1, "and its record is written");
}

static void save_test(void)
{
	unsigned long before = writes();
	unsigned int turns = 0;

	for (size_t i = 0; i < 1000; i++) {
		step(i, JVPN_EVENT_QUALITY_LOW, JVPN_REASON_LOSS_THRESHOLD);
		session_nth(i)->gateway.ctrl_seq++;
	}
	sessions_settle(&d);
	tap_equal(writes(), before, "records of sessions that changed wait for the loop");
	uv_run(d.loop, UV_RUN_NOWAIT);
	tap_ok(writes() > before && writes() <= before + 64, "which saves some in each turn");
	while (sessions_save(&d, 0) && turns++ < 1000)
		uv_run(d.loop, UV_RUN_NOWAIT);
	tap_ok(turns < 1000 && writes() >= before + 990, "until all are saved");
	before = writes();
	step(5000, JVPN_EVENT_QUALITY_LOW, JVPN_REASON_LOSS_THRESHOLD);
	sessions_settle(&d);
	sessions_save(&d, SIZE_MAX);
	tap_equal(writes(), before, "a change that no record holds writes none");
}

/* --- windows ------------------------------------------------------------------------ */

static uint64_t spent(struct bounds *bounds)
{
	return bounds->windows.compared;
}

static void window_run(struct bounds *bounds, size_t count, uint64_t end_ms)
{
	for (size_t i = 0; i < count; i++) {
		struct session *s = session_nth(i);

		/* In no order. */
		s->since_ms = end_ms - 1000 - (i * 7919) % 500;
		s->policy.recovery_window_ms = 1000;
		s->state = JVPN_STATE_RECOVERING;
		bounds_update(bounds, s);
	}
}

static void windows_leave(struct bounds *bounds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct session *s = session_nth((i * 4099) % count);

		s->state = JVPN_STATE_ATTACHED;
		bounds_update(bounds, s);
	}
}

/* Their timers stay in the loop until it ends. */
static struct bounds lasting[2];

static void windows_test(void)
{
	const uint64_t later = jvpnd_now_ms() + 3600000;
	struct bounds *bounds = &lasting[0];
	uint64_t few, many;

	bounds_open(bounds, &d);
	window_run(bounds, 1024, later);
	few = spent(bounds);
	windows_leave(bounds, 1024);
	few = spent(bounds) / 1024;
	tap_ok(!bounds->windows.root, "all windows are left");
	bounds->windows.compared = 0;
	window_run(bounds, MANY, later);
	windows_leave(bounds, MANY);
	many = spent(bounds) / MANY;
	tap_ok(many < 3 * few + 10 && many < 64, "to begin and leave a window costs %llu steps with 1024 sessions, %llu with %d",
	       (unsigned long long)few, (unsigned long long)many, MANY);
}

static void expiry_test(void)
{
	struct bounds *bounds = &lasting[1];
	unsigned int turns = 1;

	bounds_open(bounds, &d);
	for (size_t i = 0; i < 1000; i++) {
		fake.table[i].state = JVPN_STATE_RECOVERING;
		fake.table[i].version = session_nth(i)->version;
		session_nth(i)->in_window = false;
	}
	window_run(bounds, 1000, 5000);
	fake.transitions = 0;
	tap_ok(!bounds_expire(bounds, 1) && !fake.transitions, "no window has ended too early");
	tap_ok(bounds_expire(bounds, 5000), "a thousand end together: there are more than one turn takes");
	tap_equal(fake.transitions, BOUNDS_BUDGET, "which is its budget");
	while (bounds_expire(bounds, 5000))
		turns++;
	tap_ok(turns == 3 && fake.transitions == 1000, "in the end each is told once");
	tap_equal(fake.table[999].state, JVPN_STATE_DEGRADED, "and is DEGRADED");
}

/* --- one peer with many sessions ----------------------------------------------------- */

static void peer_test(void)
{
	struct jvpn_config_peer peer_config = { .name = "p", .max_sessions = 10 };
	struct jvpn_config_gateway gateway_config = { .peers = &peer_config, .n_peers = 1 };
	struct peer *peer;
	size_t order[] = { 40, 20, 60, 30, 50 };

	d.gateway->d = &d;
	d.gateway->peers = peers_new();
	peers_configure(d.gateway->peers, &gateway_config, 0);
	peer = peer_find(d.gateway->peers, peer_config.public_key);
	for (size_t i = 0; i < 5; i++) {
		struct session *s = session_nth(2000 + order[i]);

		s->state = JVPN_STATE_ATTACHED;
		s->gateway.confirmed = true;
		s->born_ms = order[i];
		gateway_handshake_session_begin(d.gateway, s);
	}
	tap_ok(gateway_handshake_oldest(peer, NULL) == session_nth(2020),
	       "the oldest session of a peer is known, in whatever order they were adopted");
	tap_ok(gateway_handshake_oldest(peer, session_nth(2020)) == session_nth(2030),
	       "and the next one");
	session_nth(2020)->gateway.confirmed = false;
	tap_ok(gateway_handshake_oldest(peer, NULL) == session_nth(2030),
	       "one that is not confirmed does not count");
	session_nth(2020)->gateway.confirmed = true;
	gateway_handshake_session_end(d.gateway, session_nth(2020));
	tap_ok(gateway_handshake_oldest(peer, NULL) == session_nth(2030) && peer->sessions == 4,
	       "one that has ended is forgotten");
	peers_free(d.gateway->peers, gateway_handshake_forget);
}

/* max_sessions was lowered. */
static void peer_bound_test(void)
{
	struct jvpn_config_peer peer_config = { .name = "p", .max_sessions = 5 };
	struct jvpn_config_gateway gateway_config = { .peers = &peer_config, .n_peers = 1 };
	unsigned int alive = 0;
	struct peer *peer;

	d.gateway->peers = peers_new();
	peers_configure(d.gateway->peers, &gateway_config, 0);
	peer = peer_find(d.gateway->peers, peer_config.public_key);
	for (size_t i = 0; i < 5; i++) {
		struct session *s = session_nth(3000 + i);

		s->gateway.confirmed = true;
		s->born_ms = i;
		gateway_handshake_session_begin(d.gateway, s);
	}
	peer_config.max_sessions = 2;
	gateway_handshake_peer_bound(d.gateway, peer);
	for (size_t i = 0; i < 5; i++)
		alive += session_is_live(session_nth(3000 + i));
	tap_ok(alive == 2 && session_is_live(session_nth(3004)) &&
	       session_is_live(session_nth(3003)),
	       "a lowered number of sessions holds at once, the youngest stay");
	for (size_t i = 0; i < 5; i++)
		gateway_handshake_session_end(d.gateway, session_nth(3000 + i));
	peers_free(d.gateway->peers, gateway_handshake_forget);
}

/* --- sessions that have to end ------------------------------------------------------- */

static void condemned_test(void)
{
	struct session *s = session_nth(4000);
	struct jvpn_reattach_session view;

	unwanted = s->id;
	fake.refuses = true;
	sessions_judge(&d);
	tap_ok(session_is_live(s) && !session_is_served(s),
	       "a session that the kernel does not end is not served");
	session_reattach_view(&d, s, &view);
	tap_equal(view.state, JVPN_STATE_TERMINATED, "nor reattached");
	reconcile_run(&d);
	tap_ok(session_is_live(s), "while the kernel refuses it lives");
	fake.refuses = false;
	reconcile_run(&d);
	tap_equal(fake.table[4000].state, JVPN_STATE_TERMINATED, "and ends at the next occasion");
	tap_ok(session_is_served(session_nth(4001)), "another one does not");
	unwanted = NULL;
}

static void former_role_test(void)
{
	fake.table[4002].role = JVPN_ROLE_CLIENT;
	reconcile_run(&d);
	tap_equal(fake.table[4002].state, JVPN_STATE_TERMINATED,
		  "a session of the device's former role ends");
}

int main(void)
{
	if (sodium_init() < 0 || !mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/audit", dir);
	jvpn_log_init("test", JVPN_LOG_ERROR);
	daemon_open();
	reconcile_test();
	save_test();
	windows_test();
	expiry_test();
	peer_test();
	peer_bound_test();
	condemned_test();
	former_role_test();
	daemon_close();
	unlink(path);
	for (const char *const *name = (const char *const[]){ "store.mdb", "store.salt", NULL };
	     *name; name++) {
		snprintf(path, sizeof(path), "%s/%s", dir, *name);
		unlink(path);
	}
	rmdir(dir);
	return tap_done();
}
