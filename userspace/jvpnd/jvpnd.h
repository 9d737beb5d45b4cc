/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_H
#define JVPND_H

/*
 * The daemon: what all of its parts share.
 *
 * One thread runs everything but public-key work of a gateway, which goes to
 * the worker threads of libuv with copies of what it needs; its result is
 * compared with the session again before it is used. The kernel's table is
 * what is true for packets: nothing here is believed longer than the kernel
 * agrees with it.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "audit.h"
#include "config.h"
#include "control.h"
#include "kernel.h"
#include "store.h"

struct client;
struct gateway;
struct jvpn_rtnl;
struct jvpnd;
struct plan;
struct refusals;
struct session;
struct sessions;
struct sockets;
struct system;
struct reconcile;

/**
 * struct role - what a gateway and a client do differently
 * @mac1_key: of INIT and REQUEST that come here
 * @name_key: of what this end has given away, and comes back
 * @changed: transitions of a session were applied (it may be terminated now)
 * @epoch: an epoch was installed without a transition
 * @adopt: a session was found in the kernel; its record, if any, is loaded
 * @judge: NULL, or why d->config does not allow the session (a literal)
 * @forget: a session is about to be freed
 * @links: links, addresses or routes of the system changed
 * @plan: what addresses, routes and rules the system should have now
 * @describe: name of the path's transport in records, NULL none
 * @reload: config is the new configuration, d->config still the old one; cannot fail
 */
struct role {
	const uint8_t *(*mac1_key)(const struct jvpnd *d);
	const uint8_t *(*name_key)(const struct jvpnd *d);
	void (*packet)(struct jvpnd *d, const struct kernel_packet *packet);
	void (*unbound)(struct jvpnd *d, struct session *s, const struct kernel_unbound *event);
	void (*health)(struct jvpnd *d, struct session *s,
		       const struct kernel_health_event *event);
	void (*changed)(struct jvpnd *d, struct session *s);
	void (*epoch)(struct jvpnd *d, struct session *s);
	void (*adopt)(struct jvpnd *d, struct session *s, const struct kernel_session *k);
	const char *(*judge)(struct jvpnd *d, const struct session *s);
	void (*forget)(struct jvpnd *d, struct session *s);
	void (*links)(struct jvpnd *d);
	/* The machine slept, or is one of two copies: what is to be used once is made anew. */
	void (*renew)(struct jvpnd *d);
	void (*plan)(struct jvpnd *d, struct plan *plan);
	const char *(*describe)(const struct jvpnd *d, const struct path *path);
	/* Says in error why config cannot replace the current one at run time. */
	bool (*reload_check)(struct jvpnd *d, const struct jvpn_config *config, char *error,
			     size_t error_size);
	void (*reload)(struct jvpnd *d, const struct jvpn_config *config);
	/* d->config is the new configuration now. */
	void (*reloaded)(struct jvpnd *d);
	/* The daemon ends. terminate: so shall the sessions. */
	void (*stop)(struct jvpnd *d, bool terminate);
};

struct jvpnd {
	uv_loop_t *loop;
	char config_path[PATH_MAX];
	struct jvpn_config *config;
	struct jvpn_audit *audit;
	struct jvpn_store *store;
	struct kernel *kernel;
	struct control *control;
	struct sessions *sessions;
	struct sockets *sockets;
	struct refusals *refusals;
	struct reconcile *reconcile;
	struct lost *lost;
	struct system *system;
	bool down;			/* by the operator (updown.h) */
	const struct role *role;
	struct gateway *gateway;	/* role gateway only */
	struct client *client;		/* role client only */
	struct jvpn_rtnl *rtnl;
	uint32_t ifindex;
	uint32_t incarnation;		/* of the store: changes when it was lost */
	uint64_t started_ms;
	bool terminate_sessions;
	bool stopping;
	bool failed;			/* it stops because it cannot go on */
	bool hangs;			/* at the end: a thread is held up by the system */
};

/*
 * Between these two calls time stands still: packets that were read together have arrived
 * together, and to ask the clock for each costs as much as the packet, where that is a system call.
 * For the thread of the loop only, which has no use for finer times than a bundle takes.
 */
void jvpnd_time_hold(void);
void jvpnd_time_release(void);
/* CLOCK_BOOTTIME, as the kernel's deadlines. */
uint64_t jvpnd_now_ms(void);
/*
 * CLOCK_REALTIME, for people: it can be set, so nothing is decided by it but whose share an INIT
 * takes.
 */
uint64_t jvpnd_wall_s(void);

/* Queue an audit record and show it to those who follow events. Steals record. */
void jvpnd_record(struct jvpnd *d, json_t *record);
/* Only the latter. Steals record. */
void jvpnd_show(struct jvpnd *d, json_t *record);

/* Ask the loop to end; sessions go on unless they are to be terminated. */
void jvpnd_stop(struct jvpnd *d);

/* Nobody is let in, nobody is called. */
static inline bool jvpnd_is_closed(const struct jvpnd *d)
{
	return d->stopping || d->down;
}

#endif
