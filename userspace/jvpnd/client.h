/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_CLIENT_H
#define JVPND_CLIENT_H

/*
 * The client role: one session with one gateway.
 *
 *   client.c            the role, which packet goes where
 *   client-remote.c     addresses of the gateway, and the paths that lead there
 *   client-resolve.c    its names
 *   client-handshake.c  INIT to RESP, over one path after the other
 *   client-reattach.c   attempts: REQUEST, CHALLENGE, PROOF, ACK, and the commit
 *   client-move.c       when to move and where to: recovery, standby, fail-back, rekey
 *   candidate.c         the transports that there are
 *   tunnel.c            inner addresses and routes
 *   inner.c             what of the gateway's advice is taken
 *
 * The kernel notices a dead transport and tells; it commits a prepared move by
 * itself when the gateway's first packet of the new epoch arrives. What is
 * decided here is where to go, and when.
 */

#include "candidate.h"
#include "core/limits.h"
#include "handshake.h"
#include "jvpnd.h"
#include "names.h"
#include "reattach.h"
#include "session.h"

#define CLIENT_REMOTES_MAX 16
/* As the configuration bounds them: by name, or found. */
#define CLIENT_TRANSPORTS_MAX 64
#define CLIENT_REFUSED_TEXT 320
#define CLIENT_NAME_TEXT 384
#define CLIENT_RTO_MIN_MS 100
#define CLIENT_RTO_UNKNOWN_MS 250
/* A gateway that asks for patience is given no more. */
#define CLIENT_RATE_WAIT_MAX_MS 60000
/* What an echo may take beyond the usual round trip, at least. */
#define CLIENT_ECHO_SLACK_MS 15
/* Names of a gateway that does not answer are asked for again after so long. */
#define CLIENT_RESOLVE_MS 5000
/* The same in another network. */
#define CLIENT_RESOLVE_LEAST_MS 1000
/* Name servers that are remembered. */
#define CLIENT_NAME_SERVERS 3
/* How often a REQUEST or PROOF is sent before its path is given up. */
#define CLIENT_SENDS_MAX 3

/* How often the system is looked at without being told; without a binding. */
#define CLIENT_WATCH_MS 30000
#define CLIENT_WATCH_SOON_MS 5000

/* An address of the gateway in use, and which endpoint of the file it is of. */
struct remote {
	struct jvpn_addr addr;
	uint16_t port;
	uint8_t endpoint;
};

enum client_purpose {
	CLIENT_RECOVER,		/* the session has no binding */
	CLIENT_JUMP,		/* from a living binding to a better or ordered one */
	CLIENT_REBIND,		/* the gateway sees us come from elsewhere */
	CLIENT_REFRESH,		/* new keys for the bound transport */
	CLIENT_STANDBY,		/* a CHALLENGE in store */
};

/**
 * struct client_try - what belongs to an attempt of the protocol library
 * @used: the attempt of the same number is ours
 * @closed: nothing is sent any longer, but the gateway may yet commit it
 * @reason: of the jump
 * @cookies: prepared bindings in the kernel, by PROOF; 0 none
 * @formers: those of PROOFs of earlier rounds, no longer in the kernel; 0 none
 * @former: where the next one goes
 * @sends: of what is being sent now
 * @next_ms: when it is sent again or given up
 * @asked_ms: when REQUEST or PROOF went out first
 * @cookie_used: a COOKIE has had what was sent last repeated
 * @request: operator who waits for the outcome, or NULL
 */
struct client_try {
	bool used;
	bool closed;
	bool cookie_used;
	enum client_purpose purpose;
	uint32_t candidate;
	struct path to;
	uint32_t reason;
	uint64_t cookies[JVPN_CLIENT_PROOFS_MAX];
	uint64_t formers[JVPN_CLIENT_FORMER_MAX];
	unsigned int former;
	unsigned int sends;
	uint64_t next_ms;
	uint64_t asked_ms;
	uint32_t rto_ms;
	struct control_request *request;
};

struct client_handshake {
	bool active;		/* an INIT is out, or its next one is due */
	bool resolving;
	struct jvpn_hs_client hs;
	struct jvpn_wire_init init;
	struct path to;
	uint32_t candidate;
	unsigned int step;	/* which pair of remote and candidate */
	unsigned int round;	/* how often all were tried in vain */
	uint64_t sent_ms;
	bool cookie_used;	/* a COOKIE has had the INIT repeated */
	uv_timer_t timer;
};

struct client {
	struct jvpnd *d;
	struct candidates *candidates;
	size_t gateway;		/* which of the configured ones */
	struct jvpn_mac_keys mac;	/* of the gateway */
	struct jvpn_mac_keys own_mac;
	struct jvpn_name_key names;	/* of what answers bring back */
	size_t n_remotes;
	struct remote remotes[CLIENT_REMOTES_MAX];
	uint64_t resolved_ms;
	struct client_resolve *resolve;	/* names are being asked for, or NULL */
	uv_timer_t resolve_later;
	char name_why[CLIENT_NAME_TEXT];	/* why a name is not known, "" if all are */
	size_t n_name_servers;		/* who could say it last */
	struct names_server name_servers[CLIENT_NAME_SERVERS];

	struct session *session;	/* NULL: none, a handshake is under way or due */
	uint64_t session_born_ms;	/* or adopted */
	struct jvpn_client proto;	/* of session, if it has a record */
	bool has_proto;
	bool adopted_pending;		/* the kernel has moves prepared by a daemon that died */
	bool closed_by_operator;	/* no handshake until the operator says so */
	uint64_t epoch_born_ms;
	struct jvpn_switches switches;
	uint32_t low_reason;		/* why its quality was low, when it was last */

	struct client_handshake handshake;
	struct client_try tries[JVPN_CLIENT_ATTEMPTS];
	uv_timer_t attempts;		/* resend, give up */
	uv_timer_t recovery;		/* next candidate; DEGRADED: retry */
	uv_timer_t standby;
	uv_timer_t rekey;
	uv_timer_t pending;	/* end of what a former daemon had prepared */
	uv_timer_t watch;		/* looks at the system without being told */
	uint64_t retry_ms;		/* DEGRADED: not before */
	unsigned int recovery_step;
	struct jvpn_prefix inner[2];	/* on the device; family AF_UNSPEC: none */
	struct jvpn_prefix inner_network[2];	/* routed to it; likewise */
	char inner_refused[2][CLIENT_REFUSED_TEXT];	/* why what was offered last is not there */
	bool colliding;			/* its inner addresses mean something else here */
};

extern const struct role client_role;

int client_open(struct jvpnd *d, char *error, size_t error_size);
/* After the kernel's sessions were adopted. */
void client_start(struct jvpnd *d);
/* A new session, if there is none, whatever the operator said before. */
void client_begin(struct client *c);
void client_close(struct jvpnd *d);
json_t *client_status_json(const struct jvpnd *d);

const struct jvpn_config_remote *client_gateway(const struct client *c);
/* The record's part, and back. */
void client_record_fill(const struct jvpnd *d, const struct session *s,
			struct jvpn_client_record *rec);
void client_record_take(struct jvpnd *d, struct session *s,
			const struct jvpn_client_record *rec);
/* Version of the gateway, as it was last shown; 0 if it is not known. */
uint64_t client_peer_version(const struct jvpnd *d, const struct session *s);
void client_send(struct client *c, const struct path *to, const void *data, size_t size);
/* Tell the role what changed, and do what is due then. */
void client_settle(struct client *c);

/* The session is over: forget its secrets, and begin anew unless the operator ended it. */
void client_session_end(struct client *c, struct session *s);
void client_session_begin(struct client *c, struct session *s);

/* Candidates tell. */
void client_candidate_gone(struct client *c, const struct candidate *cand);
void client_candidates_changed(struct client *c);

/* client-remote.c */
const struct remote *client_remote_first(const struct client *c, sa_family_t family);
/* The n-th path over a candidate; false if there are not so many. */
bool client_path_at(const struct client *c, const struct candidate *cand, unsigned int n,
		    struct path *path);
unsigned int client_path_count(const struct client *c, const struct candidate *cand);
/* The step-th attempt of a round over all usable candidates (see attempt.h), NULL if it is over. */
struct candidate *client_attempt_at(const struct client *c, unsigned int step,
				    unsigned int *path);
unsigned int client_attempts_count(const struct client *c);
/* The address that the session uses comes first. */
void client_remotes_prefer(struct client *c);

/* Lists of them: false if it is there, or they are too many; the same in any order; by endpoint. */
bool remotes_add(struct remote *list, size_t *count, const struct remote *remote);
bool remotes_equal(const struct remote *a, size_t n_a, const struct remote *b, size_t n_b);
void remotes_sort(struct remote *list, size_t count);

/* client-resolve.c */
/* Look the gateway's names up, anew if that is under way. Literal addresses are there at once. */
void client_remotes_resolve(struct client *c);
/* The same, if it was long ago; a moment ago is long enough in another network. */
void client_remotes_renew(struct client *c, bool elsewhere);
/* It is about another gateway from now on, or about none. */
void client_remotes_forget(struct client *c);

/* client-handshake.c */
/* There are addresses, or all names were asked for. */
void client_handshake_resolved(struct client *c);
void client_handshake_start(struct client *c);
void client_handshake_start_in(struct client *c, uint64_t delay_ms);
void client_handshake_stop(struct client *c);
/* Begin with the next gateway, if there is another one. */
void client_handshake_elsewhere(struct client *c);
void client_handshake_resp(struct client *c, const struct kernel_packet *packet);
/* True if the COOKIE was for the INIT that is out. */
bool client_handshake_cookie(struct client *c, const struct kernel_packet *packet);
void client_handshake_candidates_changed(struct client *c);

/* client-reattach.c */
struct client_try *client_try_of(struct client *c, const struct jvpn_attempt *attempt);
bool client_reattach_request(struct client *c, struct candidate *cand, unsigned int remote,
			     enum client_purpose purpose, uint32_t reason,
			     struct control_request *request);
/* Prove from a CHALLENGE in store. */
bool client_reattach_prove(struct client *c, struct jvpn_attempt *attempt, unsigned int count);
void client_reattach_packet(struct client *c, const struct kernel_packet *packet);
/* The kernel committed something by itself. */
void client_reattach_confirm(struct client *c);
/* Is a PROOF of this purpose under way? */
bool client_reattach_busy(const struct client *c, enum client_purpose purpose);
/* Is a jump to this transport under way? */
bool client_reattach_jumps_to(const struct client *c, const struct candidate *cand);
void client_reattach_drop_all(struct client *c, const char *why);
/* Nothing more is sent; what is out and is committed late is still taken. */
void client_reattach_give_up(struct client *c, const char *why);
/* No attempt of before may bring keys any more, not even by an answer that is on its way. */
void client_reattach_renew(struct client *c);
void client_reattach_drop_candidate(struct client *c, uint32_t number);
void client_reattach_tick(uv_timer_t *timer);

/* client-move.c */
void client_move_open(struct client *c);
void client_move_session_changed(struct client *c);
void client_move_epoch_changed(struct client *c);
void client_move_candidates_changed(struct client *c);
void client_move_answered(struct client *c, struct candidate *cand);
/* An attempt to recover failed, or its CHALLENGE is in store: go on. */
void client_move_recover(struct client *c);
void client_move_rate_limited(struct client *c, uint32_t wait_ms);
/* Milliseconds until a jump is allowed; forced ones need no cooldown, and have the whole bound. */
uint64_t client_move_wait_ms(const struct client *c, bool forced);
uint32_t client_move_switches_count(const struct client *c);
uint32_t client_move_rto_ms(struct client *c, const struct candidate *cand);
/* By when an echo over the bound path has usually come; rto_ms while its round trip is unknown. */
uint32_t client_move_echo_ms(struct client *c, uint32_t rto_ms);
/* Operator's order; answers the request now or later. */
void client_move_order(struct client *c, struct control_request *request, const char *transport);

#endif
