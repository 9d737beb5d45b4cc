/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_SESSION_H
#define JVPND_SESSION_H

/*
 * Sessions as the daemon sees them: a mirror of the kernel's table, kept up to
 * date by its events, and what the daemon alone knows (secrets of reattach,
 * policy, who the peer is).
 *
 * Only session_apply() changes the mirror, in the order of versions, without
 * gaps: each transition is written to the audit log there, once. A terminated
 * session stays for a while, so that its peer can be told and people can ask.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/limits.h"
#include "heap.h"
#include "jvpnd.h"
#include "kernel.h"
#include "keys.h"
#include "reattach.h"

/* How long a terminated session is remembered, and how many of them at most. */
#define SESSION_LINGER_MS 60000
#define SESSION_LINGER_MAX 1024

#define RECORD_DIGEST 16

/* Of sessions that the kernel lost with their device: nothing holds them any longer. */
#define SESSION_VANISHED_REASON JVPN_REASON_LEASE_LOST

#define SESSION_HEX (2 * JVPN_SESSION_ID_SIZE + 1)

struct peer;

/* What a gateway keeps for each session. */
struct session_gateway {
	struct peer *peer;		/* NULL: not in the configuration (any longer) */
	struct jvpn_proof_last last;
	struct jvpn_switches switches;
	struct jvpn_bucket requests;	/* authentic ones */
	struct jvpn_bucket proofs;
	struct jvpn_bucket invitations;
	uint64_t ctrl_seq;
	unsigned int proving;		/* PROOFs of this session that workers have */
	bool confirmed;			/* was ATTACHED once */
	bool counted;			/* among its peer's sessions; holds its addresses */
	bool doubtful;			/* its INIT may be a copy of the past */
	bool invited;			/* an unsolicited CHALLENGE went to invited_path */
	uint64_t invited_ms;
	struct path invited_path;
	struct jvpn_addr asked_at;	/* address of ours that it was bound at; AF_UNSPEC not known */
};

/**
 * struct session
 * @audited: highest version in the audit log
 * @created_ms: nothing is decided by it
 * @since_ms: when the current state began, CLOCK_BOOTTIME
 * @history: last transitions, oldest first
 * @recorded: the store has its record, so that it can be reattached
 * @revision: of the record
 * @vanished: the kernel lost it without a transition (its device went)
 * @ctl: keys of control messages of the current epoch, without data keys
 * @ctl_epoch: which epoch these are of
 */
struct session {
	struct session *next_by_id;
	struct session *next_by_index;
	TAILQ_ENTRY(session) changed_link;
	TAILQ_ENTRY(session) ended_link;
	TAILQ_ENTRY(session) unsaved_link;
	TAILQ_ENTRY(session) peer_link;		/* gateway: among those of its peer */
	struct jvpn_heap_node window;		/* RECOVERING: when BOUND_EXCEEDED is due */
	bool is_changed;
	bool is_ended;
	bool is_unsaved;
	bool in_window;

	uint8_t id[JVPN_SESSION_ID_SIZE];
	uint32_t role;
	char label[JVPN_LABEL_SIZE];
	uint64_t created_ms;		/* CLOCK_REALTIME, to be shown */
	uint64_t born_ms;		/* CLOCK_BOOTTIME; 0: not known, long ago */

	uint32_t state;
	uint64_t version;
	uint32_t epoch;
	uint64_t audited;
	bool bound;
	struct path path;
	uint64_t since_ms;
	uint64_t ended_ms;
	uint64_t session_deadline_ms;
	uint64_t loss_deadline_ms;
	uint64_t birth_deadline_ms;
	size_t n_history;
	struct kernel_transition history[JVPN_HISTORY_SIZE];
	size_t n_prefixes;
	struct jvpn_prefix prefixes[KERNEL_PREFIXES_MAX];
	struct jvpn_prefix inner[2];	/* client: see tunnel_accept(); AF_UNSPEC: none */
	char policy_name[JVPN_LABEL_SIZE];
	uint32_t policy_version;

	uint64_t seen;			/* by which round of reconcile.c */
	bool vanished;
	bool recorded;
	uint32_t rekeys;		/* without a transition, since its last record in the log */
	uint64_t revision;
	uint8_t saved[RECORD_DIGEST];	/* of the record as it stands in the store */
	uint8_t suite;
	uint8_t peer_key[JVPN_KEYS_SIZE];
	uint8_t psk_id[JVPN_WIRE_MAC];	/* of the handshake's pre-shared key, see judge.h */
	const char *end_why;		/* condemned: why it has to end; a literal, NULL none */
	struct jvpn_policy_def policy;
	struct jvpn_session_keys keys;
	struct jvpn_epoch ctl;
	uint32_t ctl_epoch;

	struct session_gateway gateway;
};

int sessions_open(struct jvpnd *d);
/* Save all records, and write to the log what was only counted so far. */
void sessions_finish(struct jvpnd *d);
void sessions_close(struct jvpnd *d);

/* NULL without memory, or if the id is taken. */
struct session *session_add(struct jvpnd *d, const uint8_t id[JVPN_SESSION_ID_SIZE],
			    uint32_t role);
struct session *session_find(const struct jvpnd *d, const uint8_t id[JVPN_SESSION_ID_SIZE]);
/* By the index in the header of CTRL messages that come to this end. */
struct session *session_find_index(const struct jvpnd *d, uint32_t index);
/* Forget it: here, in the store, and in the kernel, where it must be terminated or unknown. */
void session_remove(struct jvpnd *d, struct session *s);

typedef void (*session_visit)(struct jvpnd *d, struct session *s, void *context);
/* The visitor may remove the session that it is called for. */
void session_each(struct jvpnd *d, session_visit visit, void *context);
size_t session_count(const struct jvpnd *d);

/*
 * Transitions that the kernel says were applied, oldest first. Those known are
 * skipped; if some are missing, the session is read from the kernel. The role
 * hears of it from sessions_settle().
 */
void session_apply(struct jvpnd *d, struct session *s, const struct kernel_transition *list,
		   size_t count);
/* Make the mirror equal to what the kernel shows. */
void session_mirror(struct jvpnd *d, struct session *s, const struct kernel_session *k);
/* It is adopted, and nobody knows what the log holds of it: the log says so. */
void session_past_unknown(struct jvpnd *d, const struct kernel_session *k);
/* Read it from the kernel. False if the kernel has no such session (any longer). */
bool session_sync(struct jvpnd *d, struct session *s);
/* Take over what a request came to. True if it was applied. */
bool session_answer(struct jvpnd *d, struct session *s, const char *what,
		    const struct kernel_answer *answer);
/*
 * Tell the role about sessions that changed; remove those that ended long ago. Their records
 * are saved when the loop has nothing else to do, some at a time.
 */
void sessions_settle(struct jvpnd *d);
/* Save records that differ from what is in the store: count of them. False: that was all. */
bool sessions_save(struct jvpnd *d, size_t count);

/* The device is gone: so are all sessions. */
void sessions_vanish(struct jvpnd *d);
/* At start, after adoption: sessions that the audit log holds and nobody has end there. */

/*
 * Does the configuration of today allow the sessions? Those that it does not end, with the reason
 * POLICY_FAILURE.
 */
void session_judge(struct jvpnd *d, struct session *s);
void sessions_judge(struct jvpnd *d);
void sessions_condemned_end(struct jvpnd *d);

/* Ask the kernel for an event, decided on the mirror's version. True if applied. */
bool session_event(struct jvpnd *d, struct session *s, uint32_t event, uint32_t reason);
bool session_terminate(struct jvpnd *d, struct session *s, uint32_t reason);

/* The session has these keys now; if no transition brought them, the log tells of them. */
void session_epoch_set(struct jvpnd *d, struct session *s, uint32_t number);
/* Keys of control messages follow the epoch; data keys in epoch are not kept. */
void session_ctl_set(struct jvpnd *d, struct session *s, const struct jvpn_epoch *epoch,
		     uint32_t number);

bool session_is_live(const struct session *s);
/* Alive, and nothing of today's configuration is against it. */
bool session_is_served(const struct session *s);
char *session_hex(const struct session *s, char hex[SESSION_HEX]);
/* First digits, for messages. */
const char *session_short(const struct session *s);

/* For reattach: what the gateway's record says now. */
void session_reattach_view(const struct jvpnd *d, const struct session *s,
			   struct jvpn_reattach_session *view);
uint32_t session_ttl_left_ms(const struct session *s);

/* The texts of a path in audit records. */
struct session_transport {
	struct jvpn_audit_transport audit;
	char interface[16];
	char local[PATH_TEXT];
	char remote[PATH_TEXT];
};

const struct jvpn_audit_transport *session_transport_fill(const struct jvpnd *d,
							  const struct path *path,
							  struct session_transport *out);
json_t *session_transport_json(const struct jvpnd *d, const struct path *path);

#endif
