/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's netlink interface as the tests see it: requests attribute by
 * attribute, so that wrong ones can be made too, and answers taken apart. It
 * shares no code with the daemon's library, whose mistakes it must not repeat.
 */
#ifndef JVPN_TEST_NL_H
#define JVPN_TEST_NL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <linux/jvpn.h>

#define NL_TEXT_SIZE 160
#define NL_REQUEST_SIZE 65536

/**
 * struct nl_addr - IPv4 or IPv6 address and port
 * @family: AF_INET or AF_INET6, 0 if there is none
 */
struct nl_addr {
	int family;
	uint16_t port;
	uint32_t scope;
	struct in_addr v4;
	struct in6_addr v6;
};

struct nl_addr nl_addr(const char *text, uint16_t port);
bool nl_addr_equal(const struct nl_addr *a, const struct nl_addr *b);
socklen_t nl_addr_sockaddr(const struct nl_addr *a, struct sockaddr_storage *out);
const char *nl_addr_text(const struct nl_addr *a);

/* One direction of an epoch. */
struct nl_flow {
	uint32_t index;
	uint8_t key[JVPN_KEY_SIZE];
	uint8_t iv[JVPN_IV_SIZE];
};

/**
 * struct nl_epoch - keys of both directions
 * @rx: what the kernel receives
 * @tx: what the kernel sends
 */
struct nl_epoch {
	uint32_t number;
	struct nl_flow rx;
	struct nl_flow tx;
};

struct nl_epoch nl_epoch(uint32_t number);
/* The same from the other end. */
struct nl_epoch nl_epoch_mirror(const struct nl_epoch *e);

struct nl_transport {
	uint32_t socket;
	struct nl_addr remote;
	struct nl_addr local;
	uint64_t version;
	uint64_t since;
	uint32_t pmtu;
	uint32_t path_mtu;
	bool searching;
	uint32_t bind_ifindex;
};

struct nl_step {
	uint64_t version;
	uint32_t from;
	uint32_t to;
	uint32_t event;
	uint32_t reason;
	uint32_t origin;
	uint32_t epoch;
	uint64_t time;
	struct nl_transport transport;
};

/**
 * struct nl_view - what a message of the family says
 * @cmd: its command
 */
struct nl_view {
	uint8_t cmd;
	uint32_t ifindex;
	uint64_t device_id;
	uint8_t id[JVPN_SESSION_ID_SIZE];
	uint32_t state;
	uint64_t version;
	uint32_t epoch;
	uint32_t role;
	char label[JVPN_LABEL_SIZE];
	uint8_t peer_id[JVPN_PEER_ID_SIZE];
	uint32_t event;
	uint32_t reason;
	uint32_t reject;
	uint64_t peer_version;
	uint32_t peer_epoch;
	unsigned int inners;
	bool bound;
	struct nl_transport transport;
	bool keyed;
	struct {
		uint32_t number;
		uint32_t rx_index;
		uint32_t tx_index;
		uint64_t tx_counter;
		uint64_t rx_counter;
		uint64_t born;
	} keys;
	uint64_t session_deadline;
	uint64_t loss_deadline;
	uint64_t lease_deadline;
	uint64_t birth_deadline;
	uint64_t stats[JVPN_A_STATS_MAX + 1];
	struct {
		uint32_t rtt_us;
		uint32_t jitter_us;
		uint32_t loss;
		uint64_t last_rx;
		uint64_t echo_counter;
		bool late;
	} health;
	uint32_t policy[JVPN_A_POLICY_MAX + 1];
	char policy_name[JVPN_LABEL_SIZE];
	unsigned int steps;
	struct nl_step step[JVPN_HISTORY_SIZE];
	unsigned int pending;
	/* socket-new */
	uint32_t socket_id;
	uint16_t socket_port;
	/* unbound-ntf */
	uint32_t index;
	uint64_t counter;
	uint32_t bytes;
	/* packet-ntf */
	uint8_t payload[JVPN_PACKET_MAX];
	uint32_t payload_len;
	uint64_t dropped;
	/* device-get */
	uint32_t max_sessions;
	uint32_t sessions;
	uint32_t sockets;
	uint32_t registered;
	uint64_t boottime;
	uint32_t hold_bytes;
	uint32_t held_bytes;
};

/**
 * struct nl_reply - how a request was answered
 * @error: errno, 0 if it was done
 * @text: the extack sentence, empty if there is none
 * @attr: offset of the attribute that extack points at, 0 if none
 * @answers: messages before the end
 * @view: the last of them
 * @interrupted: one of them carried NLM_F_DUMP_INTR
 */
struct nl_reply {
	int error;
	char text[NL_TEXT_SIZE];
	uint32_t attr;
	unsigned int answers;
	struct nl_view view;
	bool interrupted;
};

struct nl;

/* A netlink socket in the current network namespace; REQUIREs the module. */
struct nl *nl_open(void);
void nl_close(struct nl *nl);
uint32_t nl_port(const struct nl *nl);
int nl_fd(const struct nl *nl);
uint16_t nl_family(const struct nl *nl);

/*
 * Receive the events of a multicast group: "state", "health" or "security". Return: false if the
 * kernel does not permit it.
 */
bool nl_listen(struct nl *nl, const char *group);

/**
 * nl_event() - wait for an event
 * @nl: a socket that listens, or is registered for control packets
 * @timeout_ms: most to wait
 * @view: receives it
 *
 * Return: false if none came. A lost event (ENOBUFS) sets @view->cmd to 0.
 */
bool nl_event(struct nl *nl, unsigned int timeout_ms, struct nl_view *view);

/* ---- requests ---- */

/**
 * struct nl_request - a message that is being made
 */
struct nl_request {
	struct nl *nl;
	void *message;
};

/* One at a time for each socket. */
struct nl_request nl_begin(struct nl *nl, uint8_t cmd);
void nl_flag(struct nl_request *r, uint16_t flag);
void nl_put(struct nl_request *r, uint16_t type, const void *data, size_t len);
void nl_put_u8(struct nl_request *r, uint16_t type, uint8_t value);
void nl_put_u16(struct nl_request *r, uint16_t type, uint16_t value);
void nl_put_u32(struct nl_request *r, uint16_t type, uint32_t value);
void nl_put_u64(struct nl_request *r, uint16_t type, uint64_t value);
void nl_put_text(struct nl_request *r, uint16_t type, const char *text);
void nl_put_addr(struct nl_request *r, uint16_t v4, uint16_t v6, const struct nl_addr *a);
void *nl_nest(struct nl_request *r, uint16_t type);
void nl_nest_end(struct nl_request *r, void *nest);

/*
 * The device that a request is about: by the ifindex, or by the id that was given for the socket,
 * which finds a device that was moved to another namespace.
 */
void nl_put_device(struct nl_request *r, uint32_t ifindex);
void nl_use_device_id(struct nl *nl, uint64_t id);

void nl_put_transport(struct nl_request *r, uint16_t type, const struct nl_transport *t);
void nl_put_epoch(struct nl_request *r, const struct nl_epoch *e);
/* @prefix: "10.0.0.2/32" */
void nl_put_inner(struct nl_request *r, const char *prefix);

/* Send it and read all that answers it. Return: the error, 0 if it was done. */
int nl_run(struct nl_request *r, struct nl_reply *reply);

/* Called for each message of a dump. */
typedef void (*nl_each_fn)(const struct nl_view *view, void *arg);
int nl_dump(struct nl_request *r, struct nl_reply *reply, nl_each_fn each, void *arg);

/* ---- memory that runs out ---- */

/* Whether this kernel can let allocations fail (fault injection). */
bool nl_can_fail(void);

/*
 * The @nth allocation that the kernel makes for the next request fails. The
 * answer is an error then: the request's own, or ENOBUFS if it was the answer
 * that was lost, and the request may have been carried out.
 */
void nl_fail_next(struct nl *nl, unsigned int nth);

/* The same for whatever this thread does between the two. Return: whether it came to that. */
void nl_fail_begin(unsigned int nth);
bool nl_fail_end(void);

/* Whether the last request had that many allocations. */
bool nl_failed(const struct nl *nl);

/* ---- the usual ones ---- */

/* In network namespace terms: 0 if there is no such device. */
uint32_t nl_device(const char *name);

/* Make a socket. Return: its id; @port receives its port, if not NULL. */
uint32_t nl_socket(struct nl *nl, uint32_t ifindex, const struct nl_addr *local,
		   uint32_t bind_ifindex, uint16_t *port);

/* @return the error; @view says what the session is */
int nl_session_get(struct nl *nl, uint32_t ifindex, const uint8_t *id, struct nl_view *view);

/*
 * All that the kernel tells of a session, but the count of refusals, as text to
 * compare. The caller frees it.
 */
char *nl_session_text(struct nl *nl, uint32_t ifindex, const uint8_t *id);

/* A counter of the device. */
uint64_t nl_counter(struct nl *nl, uint32_t ifindex, const char *name);

#define NL_COUNTERS_MAX 64
struct nl_counters {
	unsigned int count;
	char name[NL_COUNTERS_MAX][32];
	uint64_t value[NL_COUNTERS_MAX];
};

void nl_counters(struct nl *nl, uint32_t ifindex, struct nl_counters *out);
uint64_t nl_counters_of(const struct nl_counters *c, const char *name);

const char *nl_state_name(uint32_t state);
const char *nl_event_name(uint32_t event);
const char *nl_reason_name(uint32_t reason);
const char *nl_reject_name(uint32_t reject);
uint32_t nl_state_of(const char *name);
uint32_t nl_event_of(const char *name);
uint32_t nl_reason_of(const char *name);

#endif
