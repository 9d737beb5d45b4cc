/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_KERNEL_H
#define JVPND_KERNEL_H

/*
 * What the daemon asks of the module, in the daemon's own terms, and what the
 * module tells it. The contract is Documentation/netlink/specs/jvpn.yaml.
 *
 * Requests are answered before they return; they go over a netlink socket of
 * their own. Events come over two more, one for the multicast groups and one
 * for control packets, so that a flood of one kind cannot displace the other
 * nor an answer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/jvpn.h>

#include "epoch.h"
#include "path.h"
#include "policy.h"

#define KERNEL_PREFIXES_MAX 64
#define KERNEL_TEXT 384

struct kernel;

struct kernel_transition {
	uint64_t version;
	uint32_t from;
	uint32_t to;
	uint32_t event;
	uint32_t reason;
	uint32_t origin;
	uint32_t epoch;
	uint64_t boot_ms;
	uint64_t real_ms;
	bool has_path;
	struct path path;
};

struct kernel_keys {
	uint32_t number;
	uint32_t rx_index;
	uint32_t tx_index;
	uint64_t tx_counter;
	uint64_t rx_counter;
	uint64_t born_ms;
};

struct kernel_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, rx_drops, tx_drops;
	uint32_t held_packets, held_bytes;
	uint64_t refused;
};

struct kernel_health {
	uint32_t rtt_us;
	uint32_t jitter_us;
	uint32_t loss;			/* 1/1000 */
	uint64_t last_rx_ms;
	bool echoed;
	uint64_t echo_counter;
	bool late;
};

/* A session as session-get shows it. */
struct kernel_session {
	uint8_t id[JVPN_SESSION_ID_SIZE];
	uint32_t state;
	uint64_t version;
	uint32_t epoch;
	uint32_t role;
	char label[JVPN_LABEL_SIZE];
	uint8_t peer_id[JVPN_PEER_ID_SIZE];	/* all zero: nobody said it */
	uint64_t peer_version;
	uint32_t peer_epoch;
	size_t n_prefixes;
	struct jvpn_prefix prefixes[KERNEL_PREFIXES_MAX];
	bool bound;
	struct path path;
	uint64_t bound_since_ms;
	uint32_t pmtu;
	struct kernel_keys keys;
	char policy[JVPN_LABEL_SIZE];
	uint32_t policy_version;
	uint64_t session_deadline_ms, loss_deadline_ms, lease_deadline_ms, birth_deadline_ms;
	struct kernel_stats stats;
	struct kernel_health health;
	size_t n_history;
	struct kernel_transition history[JVPN_HISTORY_SIZE];
	size_t n_pending;
	uint64_t created_ms;		/* CLOCK_REALTIME */
};

/*
 * What a session request came to. error is 0 or a negative errno; with
 * has_current the rest is the session's state after it, also for a refusal.
 */
struct kernel_answer {
	int error;
	char text[KERNEL_TEXT];
	bool has_current;
	uint32_t reject;
	uint32_t state;
	uint64_t version;
	uint32_t epoch;
	size_t n_history;
	struct kernel_transition history[4];
};

struct kernel_socket {
	uint32_t id;
	struct jvpn_addr local;
	uint16_t port;
	uint32_t ifindex;
	uint32_t fwmark;
};

struct kernel_device {
	uint32_t ifindex;
	uint32_t max_sessions;
	uint32_t sessions;
	uint32_t sockets;
};

/* --- what the module tells ---------------------------------------------- */

struct kernel_packet {
	struct path from;
	uint64_t dropped;		/* so far, because the channel was full */
	size_t size;
	const uint8_t *data;
};

struct kernel_unbound {
	uint8_t id[JVPN_SESSION_ID_SIZE];
	struct path from;
	uint32_t index;
	uint64_t counter;
	uint32_t bytes;
	uint32_t state;
};

struct kernel_health_event {
	uint8_t id[JVPN_SESSION_ID_SIZE];
	uint64_t version;
	uint32_t event;
	uint32_t reason;
	struct kernel_health health;
};

struct kernel_handlers {
	void (*transitions)(void *context, const uint8_t *id,
			    const struct kernel_transition *list, size_t count);
	void (*epoch)(void *context, const uint8_t *id, uint32_t number);
	void (*health)(void *context, const struct kernel_health_event *event);
	void (*unbound)(void *context, const struct kernel_unbound *event);
	void (*packet)(void *context, const struct kernel_packet *packet);
	/* The machine slept, or may be one of two copies: all data keys are gone. */
	void (*host)(void *context);
	/* Events were lost: read everything again. */
	void (*overrun)(void *context, const char *why);
	void (*unsent)(void *context, const char *why);
};

/* --- requests ------------------------------------------------------------ */

/* NULL with a sentence in error. The module must be there. */
struct kernel *kernel_open(char *error, size_t error_size);
void kernel_close(struct kernel *kernel);

/* All requests below are about this device. */
int kernel_device_use(struct kernel *kernel, uint32_t ifindex, char *error, size_t error_size);
int kernel_device_get(struct kernel *kernel, struct kernel_device *device);
int kernel_device_set(struct kernel *kernel, uint32_t max_sessions, char *error,
		      size_t error_size);

/* Descriptors to poll for reading, and what to call then; handles at most budget messages. */
int kernel_events_fd(const struct kernel *kernel);
int kernel_packets_fd(const struct kernel *kernel);
void kernel_events_read(struct kernel *kernel, const struct kernel_handlers *handlers,
			void *context, unsigned int budget);
unsigned int kernel_packets_read(struct kernel *kernel, const struct kernel_handlers *handlers,
				 void *context, unsigned int budget);
/* From now on control packets come here. The keys: see jvpn_nl_packet_register(). */
int kernel_packets_register(struct kernel *kernel, const uint8_t *mac1_key,
			    const uint8_t *name_key,
			    const struct kernel_handlers *handlers, void *context, char *error,
			    size_t error_size);
int kernel_packet_send(struct kernel *kernel, const struct path *to, const void *data,
		       size_t size);
/* To be sent with others by the next flush; the handler "unsent" is told if that fails. */
int kernel_packet_queue(struct kernel *kernel, const struct path *to, const void *data,
			size_t size);
int kernel_packets_flush(struct kernel *kernel);

/* local.family chooses the family; port 0: any. Fills id and port. */
int kernel_socket_new(struct kernel *kernel, struct kernel_socket *sock, char *error,
		      size_t error_size);
/* Binds sock->id to sock->local and sock->ifindex, under the bindings that use it. */
int kernel_socket_move(struct kernel *kernel, const struct kernel_socket *sock, char *error,
		       size_t error_size);
int kernel_socket_del(struct kernel *kernel, uint32_t id);
typedef void (*kernel_socket_visit)(void *context, const struct kernel_socket *sock);
int kernel_socket_each(struct kernel *kernel, kernel_socket_visit visit, void *context);

struct kernel_session_new {
	const uint8_t *id;
	uint32_t role;
	const char *label;
	const uint8_t *peer_id;
	const struct jvpn_prefix *prefixes;
	size_t n_prefixes;
	const struct path *path;		/* gateway */
	const struct jvpn_epoch *epoch;		/* gateway, epoch 0 */
	const struct jvpn_policy_def *policy;
	uint64_t session_deadline_ms;
	uint64_t birth_deadline_ms;
};

void kernel_session_new(struct kernel *kernel, const struct kernel_session_new *args,
			struct kernel_answer *answer);
/* 0, -ENOENT or another negative errno. */
int kernel_session_get(struct kernel *kernel, const uint8_t *id, struct kernel_session *session);
/* 0, 1 if sessions came or went meanwhile, or a negative errno. */
typedef void (*kernel_session_visit)(void *context, const struct kernel_session *session);
int kernel_session_each(struct kernel *kernel, kernel_session_visit visit, void *context);
int kernel_session_del(struct kernel *kernel, const uint8_t *id);

struct kernel_session_set {
	uint64_t expected_version;
	const uint8_t *peer_id;			/* NULL: as it is */
	const struct jvpn_policy_def *policy;	/* NULL: as it is */
	uint64_t session_deadline_ms;		/* 0: as it is */
	uint64_t peer_version;			/* 0: as it is */
	uint32_t peer_epoch;
};

void kernel_session_set(struct kernel *kernel, const uint8_t *id,
			const struct kernel_session_set *args, struct kernel_answer *answer);
void kernel_transition(struct kernel *kernel, const uint8_t *id, uint64_t expected_version,
		       uint32_t event, uint32_t reason, struct kernel_answer *answer);

/* Which half of an epoch this end receives with. */
struct kernel_binding {
	uint64_t expected_version;
	bool has_expected_epoch;
	uint32_t expected_epoch;
	uint32_t reason;
	uint32_t role;
	const struct path *path;		/* NULL: the prepared one of cookie */
	const struct jvpn_epoch *epoch;		/* likewise */
	uint32_t epoch_number;
	uint64_t peer_version;			/* 0: none */
	uint32_t peer_epoch;
	uint64_t cookie;			/* 0: none */
	bool hold;
	bool refresh;
};

void kernel_binding_set(struct kernel *kernel, const uint8_t *id,
			const struct kernel_binding *args, struct kernel_answer *answer);
void kernel_binding_prepare(struct kernel *kernel, const uint8_t *id,
			    const struct kernel_binding *args, struct kernel_answer *answer);
void kernel_epoch_set(struct kernel *kernel, const uint8_t *id,
		      const struct kernel_binding *args, struct kernel_answer *answer);
/* cookie 0: all. */
void kernel_binding_cancel(struct kernel *kernel, const uint8_t *id, uint64_t cookie,
			   struct kernel_answer *answer);
/* A heartbeat over the active binding, now. */
void kernel_binding_probe(struct kernel *kernel, const uint8_t *id, struct kernel_answer *answer);

#endif
