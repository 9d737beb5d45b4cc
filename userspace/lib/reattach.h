/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_REATTACH_H
#define JVPN_REATTACH_H

/*
 * REQUEST, CHALLENGE, PROOF, ACK, and REJECT, GONE:
 * Noise_KK1psk0_25519_ChaChaPoly_BLAKE2b, the gateway is the Noise initiator.
 *
 * Gateway, on REQUEST:
 *   jvpn_mac1_check(); if loaded or not owner jvpn_mac2_check() or jvpn_cookie_build()
 *   jvpn_ticket_open(jvpn_reattach_ticket(msg)) -> record; none: jvpn_gone_build()
 *   jvpn_request_open()               ROLLBACK: re-read the store, then jvpn_reject_build()
 *   jvpn_challenge_build()            changes nothing but the ring's clock
 * Gateway, on PROOF (steps of the protocol description in brackets):
 *   jvpn_ticket_open() -> record                                            [1]
 *   jvpn_proof_open()                 no DH                                 [1-4]
 *     DUPLICATE: jvpn_ack_build(); TERMINATED: jvpn_reject_build();
 *     jvpn_verdict_stale(): jvpn_challenge_build(STALE)
 *   the daemon's limits: jvpn_reject_build(RATE)                            [5]
 *   jvpn_proof_dh()                   3 DH; may run in a worker thread      [6]
 *   jvpn_proof_finish()               no DH: judges each PROOF with that gate [6-7]
 *   the daemon's commit and install                                         [8-9]
 *   jvpn_proof_remember(), jvpn_ack_build()                                 [10]
 * Client:
 *   jvpn_client_request() -> CHALLENGE -> jvpn_client_challenge()
 *   -> jvpn_client_proof() -> ACK -> jvpn_client_ack()
 *   Standby: stop after jvpn_client_challenge(), prove when the need arises.
 */

#include "cookie.h"
#include "epoch.h"
#include "handshake.h"
#include "noise.h"
#include "ring.h"
#include "ticket.h"

/* --- gateway ------------------------------------------------------------ */

/**
 * struct jvpn_gateway - the secrets of a node
 * @secret: static secret S; @public_key: its point
 * @mac: keys of mac1 and COOKIE, from @public_key
 * @cookies: R of mac2
 * @ring: challenge ring
 * @tickets: from @secret
 * @k_gone: K_gone, persisted by the caller
 */
struct jvpn_gateway {
	u8 secret[JVPN_WIRE_KEY];
	u8 public_key[JVPN_WIRE_KEY];
	struct jvpn_mac_keys mac;
	struct jvpn_cookie_secret cookies;
	struct jvpn_ring ring;
	struct jvpn_tickets tickets;
	u8 k_gone[JVPN_WIRE_KEY];
};

/* k_gone starts empty: fill it. */
void jvpn_gateway_init(struct jvpn_gateway *gw, const u8 secret[JVPN_WIRE_KEY]);
/* Erase and make what time demands; call it at least once a second. */
void jvpn_gateway_tick(struct jvpn_gateway *gw, u64 now_ms, const struct jvpn_rng *rng);
void jvpn_gateway_wipe(struct jvpn_gateway *gw);

/**
 * struct jvpn_reattach_session - what the gateway's record says now
 * @v: state_version; @e: key installs so far; the pair that PROOF must name
 * @state: enum jvpn_state
 * @client_pub: static point of the handshake
 */
struct jvpn_reattach_session {
	u8 sid[JVPN_WIRE_SID];
	u8 suite;
	u8 state;
	u32 incarnation;
	u64 v;
	u32 e;
	u8 client_pub[JVPN_WIRE_KEY];
	struct jvpn_session_keys keys;
};

void jvpn_reattach_session_wipe(struct jvpn_reattach_session *session);

/* In a REQUEST or PROOF of the right size. */
const u8 *jvpn_reattach_ticket(const u8 *msg);
const u8 *jvpn_reattach_nc(const u8 *msg);

struct jvpn_request {
	u8 nc[JVPN_WIRE_NC];
	bool standby;
	u64 v_seen;
};

/* ROLLBACK if the client has seen a version above session->v; request is filled then too. */
enum jvpn_verdict jvpn_request_open(const struct jvpn_reattach_session *session, const u8 *msg,
				    size_t len, struct jvpn_request *request);

struct jvpn_challenge_args {
	const u8 *nc;		/* of the REQUEST or PROOF; jvpn_challenge_nc() for DATA */
	u8 flags;		/* JVPN_WIRE_CHALLENGE_STALE, _UNSOLICITED */
	bool standby;		/* cookie lives 30 s instead of 5 */
	u16 retry_ms;
};

/* Nc of an unsolicited CHALLENGE: ctr8 || idx4 || rand12 of the packet that provoked it. */
void jvpn_challenge_nc(u8 nc[JVPN_WIRE_NC], u64 ctr, u32 idx, const struct jvpn_rng *rng);
void jvpn_challenge_build(struct jvpn_wire_challenge *out, struct jvpn_gateway *gw,
			  const struct jvpn_reattach_session *session,
			  const struct jvpn_path *path, const struct jvpn_challenge_args *args,
			  u64 now_ms, const struct jvpn_rng *rng);

/**
 * struct jvpn_proof_last - the commit that made the current epoch
 * @set: false: nothing to repeat
 * @hash: BL(16, PROOF)
 * @path: where it came from
 * @v_new: version it made; @e_new: epoch it made
 * @ctl_s2c: key of its ACK
 */
struct jvpn_proof_last {
	bool set;
	u8 hash[16];
	struct jvpn_path path;
	u64 v_new;
	u32 e_new;
	u8 ctl_s2c[JVPN_WIRE_KEY];
};


/**
 * struct jvpn_proof - a PROOF that passed everything short of DH
 * @v_req: version and @e_req: epoch that it names, to be compared again by the commit
 * @nc: for REJECT or a CHALLENGE that answers it later
 * @hash: BL(16, PROOF)
 * @gate: BL(16, what the gate covers, and the gate)
 * @path: where it came from
 *
 * The gate does not cover the payload behind it: anybody who sees a PROOF can
 * make others with the same gate. They all need the same public-key work, so
 * that it is done once for a gate.
 *
 * Self-contained (the rest is private), so that jvpn_proof_dh() may run in a
 * worker thread. Holds secrets: wipe it.
 */
struct jvpn_proof {
	u8 sid[JVPN_WIRE_SID];
	u64 v_req;
	u32 e_req;
	u8 nc[JVPN_WIRE_NC];
	u8 hash[16];
	u8 gate[16];
	struct jvpn_path path;
	/* private: */
	struct jvpn_noise noise;
	u8 e_s[JVPN_WIRE_KEY];
	u8 e_c[JVPN_WIRE_KEY];
	u8 client_pub[JVPN_WIRE_KEY];
	u8 payload[sizeof(struct jvpn_wire_proof_payload) + JVPN_WIRE_TAG];
};

void jvpn_proof_wipe(struct jvpn_proof *proof);

/*
 * Steps 1 to 4: gate, duplicate, address cookie, state, (V, E). Changes
 * nothing. BAD_GATE, BAD_FIELD, DUPLICATE, DUPLICATE_ELSEWHERE, STALE_KID,
 * STALE_COOKIE, STALE_EXPIRED, TERMINATED, STALE_VERSION, STALE_EPOCH.
 */
enum jvpn_verdict jvpn_proof_open(const struct jvpn_gateway *gw,
				  const struct jvpn_reattach_session *session,
				  const struct jvpn_proof_last *last,
				  const struct jvpn_path *path, const u8 *msg, size_t len,
				  u64 now_ms, struct jvpn_proof *proof);
/*
 * Step 6, what is the same for all PROOFs with this gate: DH. secret is the
 * gateway's static secret. BAD_KEY: drop them all. *noise holds secrets.
 */
enum jvpn_verdict jvpn_proof_dh(const struct jvpn_proof *proof, const u8 secret[JVPN_WIRE_KEY],
				struct jvpn_noise *noise);
/*
 * Steps 6 and 7: the payload, and the new epoch's keys. noise is of a PROOF with
 * the same gate. *meaning: enum jvpn_wire_proof_meaning. BAD_AUTH, BAD_FIELD: drop.
 */
enum jvpn_verdict jvpn_proof_finish(const struct jvpn_proof *proof,
				    const struct jvpn_noise *noise, struct jvpn_epoch *epoch,
				    u8 *meaning);
/* Step 10, after commit and install. */
void jvpn_proof_remember(struct jvpn_proof_last *last, const struct jvpn_proof *proof,
			 u64 v_new, u32 e_new, const struct jvpn_epoch *epoch);

/* First or repeated ACK of the last commit. */
void jvpn_ack_build(struct jvpn_wire_ack *out, const struct jvpn_gateway *gw,
		    const struct jvpn_reattach_session *session,
		    const struct jvpn_proof_last *last, u32 ttl_ms, u64 now_ms,
		    const struct jvpn_rng *rng);

struct jvpn_rejection {
	u8 reason;		/* enum jvpn_wire_reject_reason */
	u16 node;
	u32 wait_ms;
	u64 v_cur;
};

const char *jvpn_reject_reason_str(u8 reason);
void jvpn_reject_build(struct jvpn_wire_reject *out, const struct jvpn_session_keys *keys,
		       const u8 nc[JVPN_WIRE_NC], const struct jvpn_rejection *reject,
		       const struct jvpn_rng *rng);
/* Only for a REQUEST whose ticket opened and whose session has no live record. */
void jvpn_gone_build(struct jvpn_wire_gone *out, const u8 k_gone[JVPN_WIRE_KEY],
		     const u8 sid[JVPN_WIRE_SID], const u8 nc[JVPN_WIRE_NC]);

/* --- client ------------------------------------------------------------- */

#define JVPN_CLIENT_TICKETS	4
#define JVPN_CLIENT_PROVED_MAX	4	/* attempts whose PROOF is under way */
#define JVPN_CLIENT_ATTEMPTS	16	/* those, and REQUESTs and CHALLENGEs for standby */
#define JVPN_CLIENT_PROOFS_MAX	3	/* V, V+1, V+2 */
#define JVPN_CLIENT_STALE_MAX	4	/* rounds of an attempt; two can happen to the honest */
#define JVPN_CLIENT_FORMER_MAX	(JVPN_CLIENT_PROOFS_MAX + JVPN_CLIENT_STALE_MAX)
#define JVPN_CLIENT_NS_MAX	16	/* different CHALLENGEs of an attempt */
#define JVPN_CLIENT_CLOSED_MAX	6	/* attempts that only wait for an ACK */
#define JVPN_CLIENT_INVITE_MS	500	/* at most two invitations a second are answered */
#define JVPN_CLIENT_CHALLENGE_MS	(JVPN_RING_TTL_S * 1000)
#define JVPN_CLIENT_STANDBY_MS	(JVPN_RING_TTL_STANDBY_S * 1000)
/* Cookies count whole seconds, and CHALLENGE and ACK were on their way for a while. */
#define JVPN_CLIENT_LATE_MS	3000

/* What a client must keep to survive its own restart. Holds secrets. */
struct jvpn_client_record {
	u8 sid[JVPN_WIRE_SID];
	u8 suite;
	u32 incarnation;
	u64 v_seen;		/* highest authentic V of the gateway */
	u64 v;			/* V and E of the commit that made the current epoch */
	u32 e;
	u8 server_pub[JVPN_WIRE_KEY];
	struct jvpn_session_keys keys;
	u8 gone[JVPN_WIRE_MAC];
	u8 ticket_count;
	u8 ticket[JVPN_CLIENT_TICKETS][JVPN_WIRE_TICKET];
};

enum jvpn_attempt_state {
	JVPN_ATTEMPT_FREE,
	JVPN_ATTEMPT_REQUESTED,		/* REQUEST is out */
	JVPN_ATTEMPT_CHALLENGED,	/* holds a CHALLENGE; jvpn_client_proof() may follow */
	JVPN_ATTEMPT_PROVED,		/* PROOFs are out */
	/*
	 * An older intent's ACK came, or it was given up: sends nothing more, but its own ACK
	 * still counts, for the gateway may have committed it as well, or may yet.
	 */
	JVPN_ATTEMPT_CLOSED
};

/*
 * Addresses that the gateway may see us at: our own, and the one it has bound before.
 * count 0: nothing is known, any is as good.
 */
#define JVPN_EXPECTED_MAX 2

struct jvpn_expected {
	unsigned int count;
	struct jvpn_wire_addr addr[JVPN_EXPECTED_MAX];
};

/**
 * struct jvpn_client_proof - one PROOF and what it will yield
 * @v: version and @e: epoch that it names
 * @observed: the address that it binds
 * @msg: the datagram; never changes, is repeated as it is
 * @epoch: keys if it is the one that commits. Install them as pending receive keys.
 */
struct jvpn_client_proof {
	u64 v;
	u32 e;
	struct jvpn_wire_addr observed;
	struct jvpn_wire_proof msg;
	struct jvpn_epoch epoch;
};

/**
 * struct jvpn_attempt - one exchange
 * @path: the caller's number of the path that it uses
 * @intent: rises with each decision to move; 0 before the first PROOF
 * @deadline_ms: CHALLENGED: the cookie is of no use after this; CLOSED: time to forget
 * @request: the REQUEST; repeated as it is (mac2 may be stamped)
 * @meaning: of its PROOFs, enum jvpn_wire_proof_meaning; the caller's
 * @is_held: a CHALLENGE to an unexpected address waits for jvpn_client_challenge_held()
 * @v_cur: from CHALLENGE, like all that follow
 */
struct jvpn_attempt {
	enum jvpn_attempt_state state;
	u32 path;
	bool standby;
	bool unsolicited;
	u64 intent;
	u64 born_ms;
	u64 deadline_ms;
	struct jvpn_wire_request request;
	u8 nc[JVPN_WIRE_NC];	/* names the attempt for good; its place is used again */
	u8 meaning;
	bool is_held;

	u64 v_cur;
	u32 e_cur;
	u8 peer_state;
	u16 retry_ms;
	u8 observed_transport;
	struct jvpn_wire_addr observed;

	u8 proof_count;
	struct jvpn_client_proof proof[JVPN_CLIENT_PROOFS_MAX];

	/* private: */
	struct jvpn_wire_challenge held;
	u64 late_ms;		/* no PROOF of it can be committed after this */
	u8 former_count;
	struct jvpn_client_proof former[JVPN_CLIENT_FORMER_MAX]; /* of rounds before */
	u8 ticket[JVPN_WIRE_TICKET];
	u8 ns[JVPN_WIRE_NS];
	struct jvpn_wire_addr_cookie cookie;
	u8 e_s[JVPN_WIRE_KEY];
	struct jvpn_noise noise;
	u64 v_floor;
	u8 stale_rounds;
	u8 stale_matches;
	u8 ns_count;
	u8 ns_seen[JVPN_CLIENT_NS_MAX][JVPN_WIRE_NS];
};

/* One session, seen from the client. */
struct jvpn_client {
	struct jvpn_client_record rec;
	u8 secret[JVPN_WIRE_KEY];
	u8 public_key[JVPN_WIRE_KEY];
	struct jvpn_mac_keys mac;	/* of the gateway */
	struct jvpn_name_key names;	/* of Nc; the caller's */
	u64 intent;
	u64 invited_ms;
	bool invited;
	struct jvpn_attempt attempt[JVPN_CLIENT_ATTEMPTS];
};

/* After a handshake: V and E are 0 and follow the gateway from then on. */
void jvpn_client_init(struct jvpn_client *c, const u8 secret[JVPN_WIRE_KEY],
		      const u8 server_pub[JVPN_WIRE_KEY], const struct jvpn_hs_resp *resp,
		      const struct jvpn_hs_result *result);
/* After a restart, from the stored record. */
void jvpn_client_resume(struct jvpn_client *c, const u8 secret[JVPN_WIRE_KEY],
			const struct jvpn_client_record *rec);
void jvpn_client_wipe(struct jvpn_client *c);

/*
 * Begin an attempt on a path. On OK *attempt holds the REQUEST to send. Takes
 * the room of the oldest attempt without a PROOF if there is none left; FULL
 * if all have one. NO_TICKET. cookie may be NULL.
 */
enum jvpn_verdict jvpn_client_request(struct jvpn_client *c, u32 path, bool standby,
				      const u8 *cookie, u64 now_ms, const struct jvpn_rng *rng,
				      struct jvpn_attempt **attempt);
/* The attempt whose REQUEST a COOKIE answers, or NULL; then jvpn_cookie_open(). */
struct jvpn_attempt *jvpn_client_cookie_attempt(struct jvpn_client *c, const u8 *msg,
						size_t len);

/*
 * A CHALLENGE to a REQUEST or PROOF of ours. On OK *attempt is CHALLENGED. For
 * an attempt that was PROVED (STALE), OK means that a new PROOF is due.
 * ROLLBACK: the gateway lost history: end the session, make a new handshake.
 * SUPERSEDED, EXHAUSTED: the attempt is gone. PENDING: go on waiting. After these three
 * v_seen may have risen.
 * UNKNOWN_ATTEMPT, BAD_AUTH, REPEATED: ignore.
 * HELD: the gateway saw the REQUEST or PROOF come from an address that is not among those
 * expected (NULL: any is). *attempt keeps the CHALLENGE, the newest of such, in case no other
 * comes: somebody may have copied our packet, and carries the answer to us.
 */
enum jvpn_verdict jvpn_client_challenge(struct jvpn_client *c, const u8 *msg, size_t len,
					const struct jvpn_expected *expected, u64 now_ms,
					struct jvpn_attempt **attempt);
/* No other came: take the one that is held. */
enum jvpn_verdict jvpn_client_challenge_held(struct jvpn_client *c, struct jvpn_attempt *held,
					     u64 now_ms, struct jvpn_attempt **attempt);
bool jvpn_expected_has(const struct jvpn_expected *expected, const struct jvpn_wire_addr *addr);
/* The counter of the packet that an invitation names. */
u64 jvpn_client_invited_counter(const struct jvpn_attempt *attempt);

/**
 * struct jvpn_client_sent - what the client knows of its own packets
 * @idx: idx_c2s of the epoch that it sends with
 * @ctr_from: first counter sent in the last 5 s
 * @ctr_next: counter of the next packet
 * @echoed: a heartbeat was echoed in this epoch
 * @ctr_echoed: counter of the newest heartbeat that was echoed
 */
struct jvpn_client_sent {
	u32 idx;
	u64 ctr_from;
	u64 ctr_next;
	bool echoed;
	u64 ctr_echoed;
};

/*
 * An unsolicited CHALLENGE: the gateway saw our packet come from an address
 * that is not bound. On OK *attempt is a new one, CHALLENGED, on that path.
 * NOT_SENT, PATH_ALIVE, LIMITED, REPEATED, ROLLBACK, FULL, NO_TICKET.
 */
enum jvpn_verdict jvpn_client_invited(struct jvpn_client *c, const u8 *msg, size_t len,
				      u32 path, const struct jvpn_client_sent *sent, u64 now_ms,
				      struct jvpn_attempt **attempt);
/* Is this CHALLENGE solicited (its Nc is that of an open attempt)? */
bool jvpn_client_challenge_solicited(const struct jvpn_client *c, const u8 *msg, size_t len);

/*
 * Build count (1..3) PROOFs that name V, V+1, ... from a CHALLENGED attempt, as
 * a new intent or, after STALE, for the newest one. V is the highest of what
 * the CHALLENGE said, the current epoch's, and v_hint (0: none; else e.g. the
 * version of a heartbeat's reply). Send attempt->proof[i].msg. FULL if too many
 * PROOFs are out; STALE_EXPIRED if the CHALLENGE is too old.
 */
enum jvpn_verdict jvpn_client_proof(struct jvpn_client *c, struct jvpn_attempt *attempt,
				    u64 v_hint, unsigned int count, u64 now_ms,
				    const struct jvpn_rng *rng);

/* What an ACK or a valid packet of a new epoch means. Holds secrets. */
struct jvpn_client_commit {
	u32 path;
	struct jvpn_wire_addr observed;	/* what the gateway has bound */
	u64 v_new;		/* after a packet: what its PROOF named, a lower bound */
	u64 v_cur;
	u32 e_new;
	u32 ttl_ms;		/* 0 after a packet */
	u8 peer_state;		/* 0 after a packet */
	struct jvpn_epoch epoch;	/* to be installed */
};

void jvpn_client_commit_wipe(struct jvpn_client_commit *commit);

/*
 * An ACK. OK: install commit->epoch for both directions; the attempt and all
 * older intents are erased, newer ones only wait for their own ACK.
 * OLD_COMMIT: authentic, but not above the current epoch: the attempt is erased, nothing
 * is to be installed.
 */
enum jvpn_verdict jvpn_client_ack(struct jvpn_client *c, const u8 *msg, size_t len,
				  struct jvpn_client_commit *commit);
/* The kernel authenticated a packet with idx_s2c of a pending epoch: the same as its ACK. */
enum jvpn_verdict jvpn_client_confirm(struct jvpn_client *c, u32 idx_s2c,
				      struct jvpn_client_commit *commit);

/*
 * A REJECT for an open attempt, which stays open: drop it as fits. TERMINATED
 * and ROLLBACK end the session.
 */
enum jvpn_verdict jvpn_client_reject(struct jvpn_client *c, const u8 *msg, size_t len,
				     struct jvpn_rejection *reject,
				     struct jvpn_attempt **attempt);
/*
 * OK: who got the REQUEST of *attempt does not have the session: end it, unless something shows
 * that it lives. The attempt stays open: drop it.
 */
enum jvpn_verdict jvpn_client_gone(struct jvpn_client *c, const u8 *msg, size_t len,
				   struct jvpn_attempt **attempt);

/*
 * No answer comes: forget the attempt, or, if its PROOF is out, only wait for its ACK, for as
 * long as the gateway may commit it. Of many the last ones are kept.
 */
void jvpn_client_give_up(struct jvpn_client *c, struct jvpn_attempt *attempt);
/* Forget an attempt; all standby attempts of a path that have sent no PROOF. */
void jvpn_client_drop(struct jvpn_client *c, struct jvpn_attempt *attempt);
void jvpn_client_drop_standby(struct jvpn_client *c, u32 path);
/*
 * Erase REQUESTs that nobody answered for 30 s, challenges that are too old and
 * closed attempts; call it every few seconds. Proved attempts are the caller's to drop.
 */
void jvpn_client_expire(struct jvpn_client *c, u64 now_ms);
/* The newest unexpired standby CHALLENGE of a path, or NULL. */
struct jvpn_attempt *jvpn_client_standby(struct jvpn_client *c, u32 path, u64 now_ms);

#endif /* JVPN_REATTACH_H */
