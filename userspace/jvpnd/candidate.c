// SPDX-License-Identifier: GPL-2.0
#include "candidate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "client.h"
#include "log.h"
#include "outer.h"
#include "sockets.h"

#define PREFERENCE_USUAL 100
/* Unanswered standby REQUESTs in a row after which a path counts as bad. */
#define ASKED_BAD 2

struct candidates {
	struct candidate_list list;
	uint32_t last_number;
	struct outer outer;
};

/* --- the list -------------------------------------------------------------- */

struct candidate_list *candidates_list(const struct client *c)
{
	return &c->candidates->list;
}

struct candidate *candidate_find(const struct client *c, uint32_t number)
{
	struct candidate *cand;

	TAILQ_FOREACH(cand, &c->candidates->list, link)
		if (cand->number == number)
			return cand;
	return NULL;
}

struct candidate *candidate_find_socket(const struct client *c, uint32_t socket)
{
	struct candidate *cand;

	TAILQ_FOREACH(cand, &c->candidates->list, link)
		if (socket && cand->socket == socket)
			return cand;
	return NULL;
}

struct candidate *candidate_find_name(const struct client *c, const char *name)
{
	struct candidate *cand;

	TAILQ_FOREACH(cand, &c->candidates->list, link)
		if (!strcmp(cand->name, name))
			return cand;
	return NULL;
}

sa_family_t candidate_family(const struct candidate *cand)
{
	return cand->protocol == JVPN_CONFIG_UDP6 ? AF_INET6 : AF_INET;
}

static struct candidate *candidate_add(struct client *c, const char *name)
{
	struct candidate *cand = calloc(1, sizeof(*cand));

	if (!cand)
		return NULL;
	cand->number = ++c->candidates->last_number;
	snprintf(cand->name, sizeof(cand->name), "%s", name);
	cand->preference = PREFERENCE_USUAL;
	cand->unusable_why = "not looked at yet";
	TAILQ_INSERT_TAIL(&c->candidates->list, cand, link);
	return cand;
}

static void candidate_socket_drop(struct client *c, struct candidate *cand)
{
	if (cand->socket)
		sockets_drop(c->d, cand->socket);
	cand->socket = 0;
	jvpn_cookie_jar_wipe(&cand->jar);
}

static void candidate_remove(struct client *c, struct candidate *cand)
{
	client_candidate_gone(c, cand);
	candidate_socket_drop(c, cand);
	TAILQ_REMOVE(&c->candidates->list, cand, link);
	free(cand);
}

/* --- merit ------------------------------------------------------------------ */

/* Round trips that are a factor of two apart are told from each other, no others. */
static unsigned int candidate_rtt_class(const struct candidate *cand)
{
	uint32_t ms = cand->rtt_us / 1000;
	unsigned int class = 0;

	for (ms /= 50; ms; ms /= 2)
		class++;
	return class;
}

static bool candidate_is_bad(const struct candidate *cand)
{
	return cand->asked >= ASKED_BAD;
}

bool candidate_preferred(const struct candidate *a, const struct candidate *b)
{
	if (a->preference != b->preference)
		return a->preference > b->preference;
	return a->metric < b->metric;
}

bool candidate_better(const struct candidate *a, const struct candidate *b)
{
	if (a->usable != b->usable)
		return a->usable;
	if (candidate_is_bad(a) != candidate_is_bad(b))
		return candidate_is_bad(b);
	if (candidate_rtt_class(a) != candidate_rtt_class(b))
		return candidate_rtt_class(a) < candidate_rtt_class(b);
	if (a->preference != b->preference || a->metric != b->metric)
		return candidate_preferred(a, b);
	return strcmp(a->name, b->name) < 0;
}

const struct outer *candidates_outer(const struct client *c)
{
	return &c->candidates->outer;
}

/* A handful of elements: insertion sort. */
void candidates_sort(struct client *c)
{
	struct candidate_list *list = &c->candidates->list, sorted;
	struct candidate *cand, *at;

	TAILQ_INIT(&sorted);
	while ((cand = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, cand, link);
		TAILQ_FOREACH(at, &sorted, link)
			if (candidate_better(cand, at))
				break;
		if (at)
			TAILQ_INSERT_BEFORE(at, cand, link);
		else
			TAILQ_INSERT_TAIL(&sorted, cand, link);
	}
	TAILQ_CONCAT(list, &sorted, link);
}

void candidate_asked(struct candidate *cand)
{
	if (++cand->asked >= ASKED_BAD)
		cand->good_since_ms = 0;
}

void candidate_failed(struct candidate *cand)
{
	cand->asked = ASKED_BAD;
	cand->good_since_ms = 0;
}

void candidate_answered(struct candidate *cand, const struct path *by, uint64_t now_ms,
			uint32_t rtt_us)
{
	cand->asked = 0;
	cand->vain = cand->ports = 0;
	cand->good = by->remote;
	cand->good_port = by->remote_port;
	cand->answered_ms = now_ms;
	if (rtt_us)
		cand->rtt_us = rtt_us;
	if (!cand->good_since_ms)
		cand->good_since_ms = now_ms;
}

/* Doublings of the time that a candidate must be stable. */
#define POOR_DOUBLINGS_MAX 4
/* So long at most is it not used to get out of poor quality elsewhere. */
#define POOR_MS 30000

static uint64_t candidate_probation_ms(const struct candidate *cand, uint64_t stable_ms)
{
	unsigned int doublings = cand->poor_count ? cand->poor_count - 1 : 0;

	return stable_ms << (doublings < POOR_DOUBLINGS_MAX ? doublings : POOR_DOUBLINGS_MAX);
}

bool candidate_was_poor(const struct candidate *cand, uint64_t now_ms, uint64_t stable_ms)
{
	return cand->poor_ms && now_ms - cand->poor_ms < (stable_ms < POOR_MS ? stable_ms : POOR_MS);
}

void candidate_poor(struct candidate *cand, uint64_t now_ms, uint64_t stable_ms)
{
	/* The same departure, tried again. */
	if (candidate_was_poor(cand, now_ms, stable_ms))
		return;
	/* It was in use, and good, for twice as long as was asked of it before: forget the past. */
	if (now_ms - cand->bound_ms > 2 * candidate_probation_ms(cand, stable_ms))
		cand->poor_count = 0;
	cand->poor_count++;
	cand->poor_ms = now_ms;
	cand->good_since_ms = now_ms;
}

bool candidate_is_stable(const struct candidate *cand, uint64_t now_ms, uint64_t stable_ms)
{
	return cand->good_since_ms &&
	       now_ms - cand->good_since_ms >= candidate_probation_ms(cand, stable_ms);
}

/* --- what the system has ------------------------------------------------------ */

static const char *candidate_unreached_why(int error)
{
	return error == -EADDRNOTAVAIL ? "there is no address to send from over it" :
					 "there is no route to the gateway";
}

/* The kernel's own judgement, of any of the gateway's addresses. */
static const char *candidate_reach(struct client *c, struct candidate *cand, uint32_t ifindex)
{
	const char *why = "the gateway has no address of the family";
	struct jvpn_route_answer answer;
	int rc;

	for (size_t i = 0; i < c->n_remotes; i++) {
		if (c->remotes[i].addr.family != candidate_family(cand))
			continue;
		rc = outer_reach(&c->candidates->outer, &c->remotes[i].addr, ifindex, &answer);
		if (!rc) {
			cand->metric = answer.metric;
			cand->source = answer.source;
			return NULL;
		}
		why = candidate_unreached_why(rc);
	}
	return c->n_remotes ? why : NULL;
}

static const char *candidate_unusable_why(struct client *c, struct candidate *cand,
					  const struct jvpn_link *link)
{
	const char *why;

	cand->lost_reason = JVPN_REASON_LINK_DOWN;
	if (!link)
		return "there is no such interface";
	if (!link->running)
		return "the interface is down";
	cand->lost_reason = JVPN_REASON_ROUTE_LOST;
	why = candidate_reach(c, cand, link->ifindex);
	if (!why && outer_is_inner(&c->candidates->outer, link->ifindex))
		return "it leads through the tunnel itself";
	/* An address that the gateway does not have cannot be lost. */
	if (!why || !client_remote_first(c, candidate_family(cand)))
		cand->lost_reason = JVPN_REASON_NONE;
	return why;
}

/* "transports: auto": what is there already is judged as the others are. */
static void candidates_auto_add(struct client *c, const struct jvpn_link *link,
				enum jvpn_config_protocol protocol)
{
	struct candidate probe = { .protocol = protocol };
	char name[JVPN_CONFIG_NAME];
	struct candidate *cand;

	snprintf(name, sizeof(name), "%s-%s", link->name, jvpn_config_protocol_name(protocol));
	cand = candidate_find_name(c, name);
	if (!cand && (!outer_is_eligible(link) ||
		      !client_remote_first(c, candidate_family(&probe)) ||
		      candidate_unusable_why(c, &probe, link)))
		return;
	if (!cand)
		cand = candidate_add(c, name);
	if (!cand)
		return;
	cand->automatic = cand->present = true;
	cand->protocol = protocol;
	snprintf(cand->interface, sizeof(cand->interface), "%s", link->name);
}

static void candidates_auto_find(struct client *c, const struct jvpn_config_client *config)
{
	const struct jvpn_links *links = &c->candidates->outer.links;

	for (size_t i = 0; i < links->n_list; i++)
		for (int p = 0; p < JVPN_CONFIG_PROTOCOLS; p++)
			if (config->allowed_protocols[p])
				candidates_auto_add(c, &links->list[i], p);
}

static void candidate_socket_follow(struct client *c, struct candidate *cand)
{
	const struct jvpn_addr any = { .family = candidate_family(cand) };
	char error[KERNEL_TEXT];

	if (cand->socket || !cand->ifindex)
		return;
	cand->socket = sockets_get(c->d, &any, cand->local_port, cand->ifindex, error,
				   sizeof(error));
	if (!cand->socket)
		jvpn_warning("transport %s: no socket: %s", cand->name, error);
}

static bool candidate_is_bound(const struct client *c, const struct candidate *cand);

/* The old one goes with what is under way over it, and is no longer to be had. */
static bool candidate_port_change(struct client *c, struct candidate *cand)
{
	const struct jvpn_addr any = { .family = candidate_family(cand) };
	char error[KERNEL_TEXT];
	uint32_t socket;

	/* An earlier one may have been in use when it was to go. */
	sockets_drop_unwanted(c->d);
	socket = sockets_make(c->d, &any, 0, cand->ifindex, error, sizeof(error));
	if (!socket) {
		jvpn_warning("transport %s: no other port: %s", cand->name, error);
		return false;
	}
	client_candidate_gone(c, cand);
	candidate_socket_drop(c, cand);
	cand->socket = socket;
	cand->has_proven = false;
	cand->ports++;
	jvpn_debug("transport %s: %u attempts in vain, another port", cand->name, cand->vain);
	return true;
}

bool candidate_tried(struct client *c, struct candidate *cand)
{
	cand->vain++;
	/* A jump may still be answered, while a standby question is in vain. */
	return !cand->local_port && cand->socket && !candidate_is_bound(c, cand) &&
	       !client_reattach_jumps_to(c, cand) &&
	       attempt_port_due(cand->vain, client_path_count(c, cand)) &&
	       candidate_port_change(c, cand);
}

/* What the system has for it, before anything is made for it. */
static void candidate_look(struct client *c, struct candidate *cand)
{
	const struct jvpn_link *link = jvpn_links_by_name(&c->candidates->outer.links,
							  cand->interface);
	uint32_t ifindex = link ? link->ifindex : 0;

	if (cand->ifindex != ifindex) {
		candidate_socket_drop(c, cand);
		cand->ifindex = ifindex;
	}
	cand->unusable_why = candidate_unusable_why(c, cand, link);
	cand->was_usable = cand->usable;
	cand->usable = !cand->unusable_why;
}

/* Returns whether its usability changed. */
static bool candidate_follow(struct client *c, struct candidate *cand)
{
	candidate_socket_follow(c, cand);
	if (!cand->unusable_why && !cand->socket)
		cand->unusable_why = "its socket could not be made";
	cand->usable = !cand->unusable_why;
	if (cand->was_usable == cand->usable)
		return false;
	cand->asked = 0;
	cand->vain = cand->ports = 0;
	cand->good_since_ms = cand->usable ? jvpnd_now_ms() : 0;
	/* It may be another network now. */
	cand->poor_ms = 0;
	cand->poor_count = 0;
	jvpn_info("transport %s (%s) is %s%s%s", cand->name, cand->interface,
		  cand->usable ? "usable" : "not usable", cand->usable ? "" : ": ",
		  cand->usable ? "" : cand->unusable_why);
	return true;
}

static void candidates_automatic_forget(struct client *c)
{
	struct candidate *cand, *next;

	for (cand = TAILQ_FIRST(&c->candidates->list); cand; cand = next) {
		next = TAILQ_NEXT(cand, link);
		if (cand->automatic && !cand->present)
			candidate_remove(c, cand);
	}
}

/* One that was found anew has no socket yet. */
static bool candidate_is_bound(const struct client *c, const struct candidate *cand)
{
	const struct kernel_socket *sock = c->session && c->session->bound ?
		sockets_find(c->d, c->session->path.socket) : NULL;

	return sock && sock->ifindex == cand->ifindex &&
	       sock->local.family == candidate_family(cand);
}

/*
 * Of those found by themselves, no more than the configuration allows, the best;
 * the one in use is always among them.
 */
static void candidates_limit(struct client *c, uint32_t most)
{
	struct candidate *cand, *next;
	uint32_t count = 0;

	candidates_sort(c);
	TAILQ_FOREACH(cand, &c->candidates->list, link)
		count += candidate_is_bound(c, cand);
	for (cand = TAILQ_FIRST(&c->candidates->list); cand; cand = next) {
		next = TAILQ_NEXT(cand, link);
		if (!candidate_is_bound(c, cand) && ++count > most && cand->automatic)
			candidate_remove(c, cand);
	}
}

bool candidates_refresh(struct client *c)
{
	const struct jvpn_config_client *config = &c->d->config->client;
	struct candidate *cand;
	bool changed = false;

	/* What is not known is not lost. */
	if (!outer_look(&c->candidates->outer))
		return false;
	TAILQ_FOREACH(cand, &c->candidates->list, link)
		cand->present = !cand->automatic;
	if (config->transports_auto)
		candidates_auto_find(c, config);
	candidates_automatic_forget(c);
	TAILQ_FOREACH(cand, &c->candidates->list, link)
		candidate_look(c, cand);
	candidates_limit(c, config->max_candidates);
	TAILQ_FOREACH(cand, &c->candidates->list, link)
		changed |= candidate_follow(c, cand);
	if (changed)
		client_candidates_changed(c);
	return changed;
}

/* --- configuration ------------------------------------------------------------ */

static bool candidate_is_configured(const struct candidate *cand,
				    const struct jvpn_config_transport *t)
{
	return !strcmp(cand->name, t->name) && !strcmp(cand->interface, t->interface) &&
	       cand->protocol == t->protocol && cand->local_port == t->local_port;
}

static void candidates_configure_one(struct client *c, const struct jvpn_config_transport *t)
{
	struct candidate *cand = candidate_find_name(c, t->name);

	if (cand && !candidate_is_configured(cand, t)) {
		candidate_remove(c, cand);
		cand = NULL;
	}
	if (!cand)
		cand = candidate_add(c, t->name);
	if (!cand)
		return;
	cand->automatic = false;
	cand->present = true;
	cand->preference = t->preference;
	cand->protocol = t->protocol;
	cand->local_port = t->local_port;
	snprintf(cand->interface, sizeof(cand->interface), "%s", t->interface);
}

void candidates_configure(struct client *c, const struct jvpn_config *config)
{
	struct candidate *cand, *next;

	TAILQ_FOREACH(cand, &c->candidates->list, link)
		cand->present = cand->automatic && config->client.transports_auto;
	for (size_t i = 0; i < config->client.n_transports; i++)
		candidates_configure_one(c, &config->client.transports[i]);
	for (cand = TAILQ_FIRST(&c->candidates->list); cand; cand = next) {
		next = TAILQ_NEXT(cand, link);
		if (!cand->present)
			candidate_remove(c, cand);
	}
}

int candidates_open(struct client *c, char *error, size_t error_size)
{
	int rc;

	c->candidates = calloc(1, sizeof(*c->candidates));
	if (!c->candidates) {
		snprintf(error, error_size, "no memory for transports");
		return -ENOMEM;
	}
	TAILQ_INIT(&c->candidates->list);
	rc = outer_open(&c->candidates->outer, c->d, error, error_size);
	if (rc)
		return rc;
	candidates_configure(c, c->d->config);
	candidates_refresh(c);
	return 0;
}

void candidates_close(struct client *c)
{
	struct candidates *t = c->candidates;
	struct candidate *cand;

	if (!t)
		return;
	/* The sockets stay: the session uses one of them. */
	while ((cand = TAILQ_FIRST(&t->list))) {
		TAILQ_REMOVE(&t->list, cand, link);
		free(cand);
	}
	outer_close(&t->outer);
	free(t);
	c->candidates = NULL;
}
