// SPDX-License-Identifier: GPL-2.0
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "names-gen.h"
#include "notify.h"
#include "reconcile.h"
#include "reload.h"
#include "rtnl.h"
#include "session.h"
#include "system.h"

/* Messages handled before the loop looks elsewhere. */
#define EVENTS_BUDGET 256
#define PACKETS_BUDGET 128
/*
 * Above so many control packets a second they are read in bundles: to be woken for each costs more
 * than to refuse it, and that at the expense of the sessions' own packets.
 */
#define PACKETS_FEW 500
#define PACKETS_FEW_BURST 50
#define PACKETS_BUNDLE_MS 5
/* Address and route follow a link within moments: look once, when they all are there. */
#define LINKS_SETTLE_MS 5
/* At the end: for work that was begun. */
#define CLOSE_MS 250

static struct {
	uv_poll_t events;
	uv_poll_t packets;
	uv_timer_t bundle;
	uv_prepare_t send;
	struct jvpn_bucket few;
	uv_poll_t links;
	uv_timer_t settle;
	bool concerned;			/* what the system has of ours may have changed */
	bool urgent;			/* a rule has gone: packets may leave in the clear */
	struct jvpn_rtnl_monitor *monitor;
	uv_signal_t stop;
	uv_signal_t interrupt;
	uv_signal_t hangup;
	uv_timer_t watchdog;
} loop;

/* --- what the kernel tells ------------------------------------------------------- */

static void loop_transitions(void *context, const uint8_t *id,
			     const struct kernel_transition *list, size_t count)
{
	struct jvpnd *d = context;
	struct session *s = session_find(d, id);

	if (s)
		session_apply(d, s, list, count);
	else
		reconcile_soon(d);
}

static void loop_epoch(void *context, const uint8_t *id, uint32_t number)
{
	struct jvpnd *d = context;
	struct session *s = session_find(d, id);

	if (!s || s->epoch == number)
		return;
	session_epoch_set(d, s, number);
	d->role->epoch(d, s);
}

static void loop_health(void *context, const struct kernel_health_event *event)
{
	struct jvpnd *d = context;
	struct session *s = session_find(d, event->id);

	if (s)
		d->role->health(d, s, event);
}

static void loop_unbound(void *context, const struct kernel_unbound *event)
{
	struct jvpnd *d = context;
	struct session *s = session_find(d, event->id);

	if (s)
		d->role->unbound(d, s, event);
}

static void loop_packet(void *context, const struct kernel_packet *packet)
{
	struct jvpnd *d = context;

	if (!jvpnd_is_closed(d))
		d->role->packet(d, packet);
}

static void loop_host(void *context)
{
	struct jvpnd *d = context;

	jvpn_info("the machine slept or was copied: what is to be used once is made anew");
	if (!d->stopping)
		d->role->renew(d);
}

static void loop_overrun(void *context, const char *why)
{
	static struct jvpn_log_limit limit = { .burst = 3 };

	jvpn_log_limited(&limit, JVPN_LOG_WARNING,
			 "events of the kernel were lost (%s): reading everything again",
			 why ? why : "no reason given");
	reconcile_soon(context);
}

static void loop_unsent(void *context, const char *why)
{
	static struct jvpn_log_limit limit = { .burst = 5 };

	(void)context;
	jvpn_log_limited(&limit, JVPN_LOG_DEBUG, "a control packet cannot be sent: %s", why);
}

static const struct kernel_handlers loop_handlers = {
	.transitions = loop_transitions,
	.epoch = loop_epoch,
	.health = loop_health,
	.unbound = loop_unbound,
	.packet = loop_packet,
	.host = loop_host,
	.overrun = loop_overrun,
	.unsent = loop_unsent,
};

static void loop_events_readable(uv_poll_t *poll, int status, int events)
{
	struct jvpnd *d = poll->data;

	(void)status, (void)events;
	kernel_events_read(d->kernel, &loop_handlers, d, EVENTS_BUDGET);
	sessions_settle(d);
}

/* Returns whether they come so fast that they should be read in bundles. */
static bool loop_packets_read(struct jvpnd *d)
{
	unsigned int count;
	bool many;

	jvpnd_time_hold();
	count = kernel_packets_read(d->kernel, &loop_handlers, d, PACKETS_BUDGET);
	sessions_settle(d);
	many = !jvpn_bucket_take(&loop.few, PACKETS_FEW, PACKETS_FEW_BURST, count, jvpnd_now_ms());
	jvpnd_time_release();
	return many;
}

static void loop_packets_readable(uv_poll_t *poll, int status, int events);

static void loop_packets_bundle(uv_timer_t *timer)
{
	if (loop_packets_read(timer->data))
		return;
	uv_timer_stop(timer);
	uv_poll_start(&loop.packets, UV_READABLE, loop_packets_readable);
}

static void loop_packets_readable(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	if (!loop_packets_read(poll->data))
		return;
	uv_poll_stop(poll);
	uv_timer_start(&loop.bundle, loop_packets_bundle, PACKETS_BUNDLE_MS, PACKETS_BUNDLE_MS);
}

/* Answers of one turn of the loop leave together. */
static void loop_send(uv_prepare_t *prepare)
{
	struct jvpnd *d = prepare->data;
	int rc = kernel_packets_flush(d->kernel);

	if (rc)
		loop_unsent(d, strerror(-rc));
}

/* --- what the system tells --------------------------------------------------------- */

/* A device that moved to another namespace is still found by its old index. */
static void loop_device_check(struct jvpnd *d)
{
	struct kernel_device device;
	int rc;

	if (d->stopping)
		return;
	rc = kernel_device_get(d->kernel, &device);
	/* Any other error says nothing of the device. */
	if (rc != -ENODEV && rc != -ENOENT)
		return;
	jvpn_error("the device %s was removed, and its sessions with it", d->config->device.name);
	sessions_vanish(d);
	d->failed = true;
	jvpnd_stop(d);
}

static void loop_links_settled(uv_timer_t *timer)
{
	struct jvpnd *d = timer->data;

	loop_device_check(d);
	if (d->stopping)
		return;
	if (loop.concerned)
		system_look(d);
	loop.concerned = false;
	d->role->links(d);
	sessions_settle(d);
}

static void loop_link(void *context, const struct jvpn_rtnl_event *event)
{
	loop.concerned |= system_is_concerned(context, event);
	loop.urgent |= event->kind == JVPN_RTNL_EVENT_RULE && event->removed &&
		       event->rule.protocol == JVPN_RTNL_PROTOCOL;
	if (!uv_is_active((uv_handle_t *)&loop.settle))
		uv_timer_start(&loop.settle, loop_links_settled, LINKS_SETTLE_MS, 0);
}

static void loop_links_readable(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	jvpn_rtnl_monitor_read(loop.monitor, loop_link, poll->data, EVENTS_BUDGET);
	if (loop.urgent)
		system_look(poll->data);
	loop.urgent = false;
}

/* --- signals ----------------------------------------------------------------------- */

void jvpnd_stop(struct jvpnd *d)
{
	if (d->stopping)
		return;
	jvpn_info("stopping; sessions %s",
		  d->terminate_sessions ? "are terminated" : "go on in the kernel");
	if (!d->terminate_sessions)
		system_stay_tell(d);
	d->role->stop(d, d->terminate_sessions);
	if (d->terminate_sessions)
		system_clear(d);
	d->stopping = true;
	uv_stop(d->loop);
}

static void loop_signal_stop(uv_signal_t *signal, int number)
{
	(void)number;
	jvpnd_stop(signal->data);
}

static void loop_signal_hangup(uv_signal_t *signal, int number)
{
	char error[1024];

	(void)number;
	reload_run(signal->data, error, sizeof(error));
}

static void loop_watchdog(uv_timer_t *timer)
{
	struct jvpnd *d = timer->data;

	notify_watchdog();
	notify_status("%zu sessions", session_count(d));
}

/* --- open and close ------------------------------------------------------------------- */

static int loop_signal_add(struct jvpnd *d, uv_signal_t *signal, uv_signal_cb callback, int number)
{
	uv_signal_init(d->loop, signal);
	signal->data = d;
	return uv_signal_start(signal, callback, number);
}

/* From here on it is the handler's; one that came before is delivered now. */
static void loop_hangup_release(void)
{
	sigset_t hangup;

	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &hangup, NULL);
}

static int loop_poll_add(struct jvpnd *d, uv_poll_t *poll, int fd, uv_poll_cb callback)
{
	int rc = uv_poll_init(d->loop, poll, fd);

	poll->data = d;
	return rc ? rc : uv_poll_start(poll, UV_READABLE, callback);
}

static void loop_watchdog_start(struct jvpnd *d)
{
	uint64_t interval = notify_watchdog_interval_ms();

	uv_timer_init(d->loop, &loop.watchdog);
	loop.watchdog.data = d;
	if (interval)
		uv_timer_start(&loop.watchdog, loop_watchdog, 0, interval);
}

static bool loop_links_watch(struct jvpnd *d, char *error, size_t error_size)
{
	struct jvpn_nl_error e = {};

	loop.monitor = jvpn_rtnl_monitor_open(&e);
	uv_timer_init(d->loop, &loop.settle);
	loop.settle.data = d;
	if (loop.monitor && !loop_poll_add(d, &loop.links, jvpn_rtnl_monitor_fd(loop.monitor),
					   loop_links_readable))
		return true;
	snprintf(error, error_size, "cannot follow the system's links: %s", e.text);
	return false;
}

bool loop_open(struct jvpnd *d, char *error, size_t error_size)
{
	const struct jvpn_rtnl_event unknown = { .kind = JVPN_RTNL_EVENT_LOST };
	int rc = loop_signal_add(d, &loop.stop, loop_signal_stop, SIGTERM);

	rc = rc ? rc : loop_signal_add(d, &loop.interrupt, loop_signal_stop, SIGINT);
	rc = rc ? rc : loop_signal_add(d, &loop.hangup, loop_signal_hangup, SIGHUP);
	rc = rc ? rc : loop_poll_add(d, &loop.events, kernel_events_fd(d->kernel),
				     loop_events_readable);
	rc = rc ? rc : loop_poll_add(d, &loop.packets, kernel_packets_fd(d->kernel),
				     loop_packets_readable);
	if (rc) {
		snprintf(error, error_size, "cannot set the event loop up: %s", uv_strerror(rc));
		return false;
	}
	loop_hangup_release();
	jvpn_bucket_init(&loop.few, PACKETS_FEW_BURST, jvpnd_now_ms());
	uv_timer_init(d->loop, &loop.bundle);
	loop.bundle.data = d;
	uv_prepare_init(d->loop, &loop.send);
	loop.send.data = d;
	uv_prepare_start(&loop.send, loop_send);
	loop_watchdog_start(d);
	if (!loop_links_watch(d, error, error_size))
		return false;
	/* What changed before is not told. */
	loop_link(d, &unknown);
	return !kernel_packets_register(d->kernel, d->role->mac1_key(d), d->role->name_key(d),
					&loop_handlers, d, error, error_size);
}

static void loop_handle_close(uv_handle_t *handle, void *limit)
{
	if (handle != limit && !uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void loop_limit_passed(uv_timer_t *limit)
{
	uv_stop(limit->loop);
}

/*
 * What workers have begun is waited for, but not for ever: a name server that does not answer
 * holds one for many seconds. Returns whether all of it came to its end.
 */
static bool loop_run_down(uv_loop_t *uv)
{
	uv_timer_t limit;
	bool done;

	uv_timer_init(uv, &limit);
	uv_walk(uv, loop_handle_close, &limit);
	uv_timer_start(&limit, loop_limit_passed, CLOSE_MS, 0);
	uv_unref((uv_handle_t *)&limit);
	uv_run(uv, UV_RUN_DEFAULT);
	done = !uv_loop_alive(uv);
	uv_close((uv_handle_t *)&limit, NULL);
	uv_run(uv, UV_RUN_NOWAIT);
	return done && !uv_loop_close(uv);
}

bool loop_close(struct jvpnd *d)
{
	bool done = loop_run_down(d->loop);

	if (loop.monitor)
		jvpn_rtnl_monitor_close(loop.monitor);
	return done;
}
