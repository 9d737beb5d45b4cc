/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_GATEWAY_H
#define JVPND_GATEWAY_H

/*
 * The gateway role.
 *
 *   gateway.c            sockets, which packet goes where, load, the role
 *   gateway-handshake.c  INIT to RESP, and the sessions it makes
 *   gateway-address.c    which inner addresses a session gets
 *   gateway-reattach.c   REQUEST, PROOF; unsolicited CHALLENGE
 *
 * Order of every packet's checks: what is cheap and cannot lock anybody out
 * comes first (size, mac1), then return routability if there are too many
 * (mac2), then what is counted against a source or a session that has shown
 * itself, then public-key work, in a worker thread, then the session's change.
 * What only the owner of a session can have made is charged to the session
 * before anybody is asked where it came from.
 */

#include <sys/queue.h>

#include "core/limits.h"
#include "handshake.h"
#include "jvpnd.h"
#include "reattach.h"

struct peer;
struct peers;
struct pool;
struct sources;
struct session;
struct inits;

#define GATEWAY_HANDSHAKE_JOBS_MAX 64
#define GATEWAY_PROOF_JOBS_MAX 64

struct gateway {
	struct jvpnd *d;
	struct jvpn_gateway proto;
	struct peers *peers;
	struct pool *pool;
	struct sources *sources;	/* all packets of a source that has shown itself */
	struct sources *initiators;	/* its INITs alone */
	struct sources *seldom;		/* the same, to know who asks seldom */
	struct sources *seldom_sites;
	struct sources *returners;	/* its INITs that are not newer than the key's last */
	struct inits *inits_read;	/* so that none is read twice */
	TAILQ_HEAD(handshake_jobs, handshake_job) opening;
	struct jvpn_bucket inits;	/* empties when mac2 is to be demanded of INIT */
	struct jvpn_bucket requests;	/* the same of REQUEST */
	uint64_t inits_loaded_until_ms;
	uint64_t requests_loaded_until_ms;
	struct jvpn_bucket handshakes;
	struct jvpn_bucket copies;	/* answers to INITs that many have sent */
	struct jvpn_bucket reattaches;
	struct jvpn_bucket invitations;
	uint32_t half_open;		/* sessions */
	uint32_t peers_open;		/* peers that have some, or INITs that workers have */
	TAILQ_HEAD(doubtful_peers, peer) doubtful;	/* of these, who began first comes first */
	uint32_t handshake_jobs;
	uint32_t proof_jobs;
	TAILQ_HEAD(proof_gates, proof_gate) gates;	/* see gateway-reattach.c */
	uint32_t gates_kept;
	uint32_t renewals;	/* what a worker began before the last one is not used */
	uint64_t packets_dropped;	/* by the kernel, the channel was full */
	uint64_t tidied_ms;
	uv_timer_t tick;
};

extern const struct role gateway_role;

int gateway_open(struct jvpnd *d, char *error, size_t error_size);
void gateway_close(struct jvpnd *d);
json_t *gateway_status_json(const struct jvpnd *d);

const struct jvpn_config_limits *gateway_limits(const struct gateway *gw);
void gateway_send(struct gateway *gw, const struct path *to, const void *data, size_t size);
/* A packet that ends with mac1 and mac2: are its size and its mac1 right? If not it was counted. */
bool gateway_mac1_pass(struct gateway *gw, const struct kernel_packet *packet);
/*
 * One that passed that: under load, has it a cookie, and its source a share left? If not it was
 * answered and counted.
 */
bool gateway_mac2_pass(struct gateway *gw, const struct kernel_packet *packet,
		       bool (*loaded)(struct gateway *gw));
/* It came with a cookie of ours: whoever sent it receives there. */
bool gateway_mac2_shown(struct gateway *gw, const struct kernel_packet *packet);
void gateway_cookie_answer(struct gateway *gw, const struct kernel_packet *packet);
void gateway_refuse(struct gateway *gw, unsigned int type, enum jvpn_verdict verdict,
		    const struct session *s, const struct path *path);

/* gateway-handshake.c */
void gateway_handshake_init(struct gateway *gw, const struct kernel_packet *packet);
/* A session of this gateway was made, adopted, or has changed. */
void gateway_handshake_session_begin(struct gateway *gw, struct session *s);
void gateway_handshake_session_end(struct gateway *gw, struct session *s);
void gateway_handshake_confirmed(struct gateway *gw, struct session *s);
/* What was kept of INITs. */
void gateway_handshake_forget(struct peer *peer);
/* The oldest session of the peer that is confirmed, but for this one; NULL if there is none. */
/* Its sessions above max_sessions end, the oldest first. */
void gateway_handshake_peer_bound(struct gateway *gw, struct peer *peer);
struct session *gateway_handshake_oldest(const struct peer *peer, const struct session *but);

/* gateway-address.c */
struct gateway_addresses {
	struct jvpn_prefix prefixes[KERNEL_PREFIXES_MAX];
	size_t n_prefixes;
	struct jvpn_prefix v4;		/* as the client is told; family AF_UNSPEC: none */
	struct jvpn_prefix v6;
};

/* NULL, or why none can be given (a literal). What is chosen is held by session until released. */
const char *gateway_addresses_choose(struct gateway *gw, const struct peer *peer,
				     const struct jvpn_hs_init *init,
				     const uint8_t session[JVPN_SESSION_ID_SIZE],
				     struct gateway_addresses *out);
/* False if one of them is another peer's; the others are held all the same. */
bool gateway_addresses_hold(struct gateway *gw, const struct jvpn_prefix *prefixes, size_t count,
			    const uint8_t peer[JVPN_KEYS_SIZE],
			    const uint8_t session[JVPN_SESSION_ID_SIZE]);
void gateway_addresses_release(struct gateway *gw, const struct jvpn_prefix *prefixes,
			       size_t count, const uint8_t session[JVPN_SESSION_ID_SIZE],
			       uint64_t quarantine_ms);
void gateway_addresses_session_release(struct gateway *gw, const struct session *s);
/* Follow a configuration; false without memory. What sessions hold stays theirs. */
bool gateway_addresses_configure(struct gateway *gw, const struct jvpn_config *config);

/* gateway-reattach.c */
void gateway_reattach_request(struct gateway *gw, const struct kernel_packet *packet);
void gateway_reattach_proof(struct gateway *gw, const struct kernel_packet *packet);
/* What was computed with the challenges of before is of no use. */
void gateway_reattach_renew(struct gateway *gw);
void gateway_reattach_invite(struct gateway *gw, struct session *s,
			     const struct kernel_unbound *event);
void gateway_reattach_session_begin(struct gateway *gw, struct session *s);
/* Forget what is too old; once a second. */
void gateway_reattach_tick(struct gateway *gw);
void gateway_reattach_close(struct gateway *gw);

#endif
