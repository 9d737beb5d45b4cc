/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_CANDIDATE_H
#define JVPND_CANDIDATE_H

/*
 * The transports that a client could use: from the configuration, or every
 * usable interface. Each has a kernel socket of its own, bound to its
 * interface. What the system has is looked at again when it says that something
 * changed.
 */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "config.h"
#include "cookie.h"
#include "jvpnd.h"
#include "path.h"

struct client;
struct outer;

/**
 * struct candidate
 * @number: names it for as long as the daemon runs
 * @automatic: found, not configured
 * @present: refresh found it (again)
 * @ifindex: of its interface, 0 if there is none
 * @socket: kernel socket, 0 if there is none
 * @usable: its interface is up, and the kernel reaches the gateway over it
 * @metric: of the system's route to the gateway over it
 * @source: where packets to the gateway would come from
 * @was_usable: before the system was looked at this time
 * @jar: cookie that the gateway gave to this path
 * @asked: standby REQUESTs since the last answer
 * @vain: attempts in vain since the last answer
 * @ports: of our own that were tried since then
 * @good: address and port of the gateway that answered last; AF_UNSPEC none
 * @answered_ms: when the gateway last answered over it, 0 never
 * @good_since_ms: since when it has been usable and answering, 0 is not
 * @bound_ms: since when a session is or was bound over it last, 0 never
 * @poor_ms: when it was left because of its quality, 0 never
 * @poor_count: how often, one soon after the other
 * @rtt_us: of its last answer, 0 unknown
 * @has_proven: a session was bound over it
 * @proven: where the gateway saw it come from then
 * @proven_to: that gateway
 */
struct candidate {
	TAILQ_ENTRY(candidate) link;
	uint32_t number;
	char name[JVPN_CONFIG_NAME];
	char interface[IFNAMSIZ];
	enum jvpn_config_protocol protocol;
	uint32_t preference;
	uint16_t local_port;
	bool automatic;
	bool present;
	uint32_t ifindex;
	uint32_t socket;
	bool usable;
	bool was_usable;
	uint32_t metric;
	struct jvpn_addr source;
	const char *unusable_why;	/* a literal */
	uint32_t lost_reason;		/* of TRANSPORT_DEAD if it is bound; 0 none */
	struct jvpn_cookie_jar jar;
	uint32_t asked;
	uint32_t vain;
	uint32_t ports;
	struct jvpn_addr good;
	uint16_t good_port;
	uint64_t answered_ms;
	uint64_t good_since_ms;
	uint64_t bound_ms;
	uint64_t poor_ms;
	unsigned int poor_count;
	uint32_t rtt_us;
	bool has_proven;
	struct jvpn_wire_addr proven;
	struct path proven_to;
};

TAILQ_HEAD(candidate_list, candidate);

struct candidates;

int candidates_open(struct client *c, char *error, size_t error_size);
void candidates_close(struct client *c);
/* Follow a configuration. */
void candidates_configure(struct client *c, const struct jvpn_config *config);

/* In order of merit, usable or not. Sorted anew by candidates_sort(). */
struct candidate_list *candidates_list(const struct client *c);
void candidates_sort(struct client *c);
/*
 * Look at the system again. Returns whether some became usable, or unusable;
 * client_candidates_changed() was told then.
 */
bool candidates_refresh(struct client *c);
/* The system as it was looked at. */
const struct outer *candidates_outer(const struct client *c);

struct candidate *candidate_find(const struct client *c, uint32_t number);
struct candidate *candidate_find_socket(const struct client *c, uint32_t socket);
struct candidate *candidate_find_name(const struct client *c, const char *name);
sa_family_t candidate_family(const struct candidate *cand);

/* By order of the file and of the system's routes alone: preference, then metric. */
bool candidate_preferred(const struct candidate *a, const struct candidate *b);
/* Is a better than b by what is known of them (not by preference alone)? */
bool candidate_better(const struct candidate *a, const struct candidate *b);

void candidate_asked(struct candidate *cand);
/* Its transport was bound and died: the last to be tried, until it answers. */
void candidate_failed(struct candidate *cand);
void candidate_answered(struct candidate *cand, const struct path *by, uint64_t now_ms,
			uint32_t rtt_us);
/*
 * An attempt over it was in vain. Perhaps the way back to its port is lost: then it gets another
 * one, and true is returned.
 */
bool candidate_tried(struct client *c, struct candidate *cand);

/*
 * It is left because of its quality, which answers to single questions do not show. stable_ms, how
 * long a candidate must be good before it is preferred, counts anew, doubled for each time that it
 * was left soon after.
 */
void candidate_poor(struct candidate *cand, uint64_t now_ms, uint64_t stable_ms);
bool candidate_is_stable(const struct candidate *cand, uint64_t now_ms, uint64_t stable_ms);
/* Left for its quality a moment ago: no way out of poor quality elsewhere. */
bool candidate_was_poor(const struct candidate *cand, uint64_t now_ms, uint64_t stable_ms);

#endif
