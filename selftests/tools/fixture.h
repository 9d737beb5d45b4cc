/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The usual scene: one namespace whose loopback is the underlay. The device
 * jvpn0 has 10.0.0.1/24 and fd00::1/64; its sockets are at 127.0.0.1 and
 * fd01::1. Peers are at 127.0.0.10, .11 ... and fd01::10, ::11 ...; their inner
 * addresses are 10.0.0.10 and fd00::10 and so on.
 */
#ifndef JVPN_TEST_FIXTURE_H
#define JVPN_TEST_FIXTURE_H

#include "nl.h"
#include "peer.h"
#include "test.h"

#define DEVICE "jvpn0"
/* Inner UDP ports: packets to the device's end go to INNER_PORT. */
#define INNER_PORT 5000
#define PEER_PORT 6000

/**
 * struct fx - the scene
 * @nl: for requests
 * @ifindex: of the device
 * @socket4: id of the IPv4 socket; its address
 * @socket6: id of the IPv6 socket; its address
 * @sink4: inner UDP socket, port INNER_PORT
 * @sink6: the same for IPv6
 */
struct fx {
	struct nl *nl;
	uint32_t ifindex;
	uint32_t socket4;
	struct nl_addr addr4;
	uint32_t socket6;
	struct nl_addr addr6;
	int sink4;
	int sink6;
};

struct fx fx_open(void);

/* A policy that leaves everything to the test: no silence is long, no heartbeat due. */
#define POLICY_MAX 16
struct fx_policy {
	uint16_t attr[POLICY_MAX];
	uint32_t value[POLICY_MAX];
	unsigned int count;
};

struct fx_policy fx_policy_quiet(void);
void fx_policy_set(struct fx_policy *p, uint16_t attr, uint32_t value);
void fx_put_policy(struct nl_request *r, const struct fx_policy *p);

/**
 * struct session - a session of the device and its peer
 * @fx: the scene
 * @id: session id
 * @role: of the device's end
 * @number: of the peer, 10 and up
 * @v6: the underlay is IPv6
 * @peer: the other end
 * @src4: inner address of the peer
 * @src6: the same for IPv6
 */
struct session {
	struct fx *fx;
	uint8_t id[JVPN_SESSION_ID_SIZE];
	enum jvpn_role role;
	unsigned int number;
	bool v6;
	struct peer peer;
	char label[JVPN_LABEL_SIZE];
	char src4[16];
	char src6[40];
	char inner4[24];
	char inner6[48];
	uint64_t session_deadline;
	uint64_t lease_deadline;
	uint64_t birth_deadline;
	struct fx_policy policy;
};

/* Describe a session and open its peer; the device does not know it yet. */
struct session session_describe(struct fx *fx, enum jvpn_role role, unsigned int number);
struct session session_describe6(struct fx *fx, enum jvpn_role role, unsigned int number);

/* Who the peer is, made of a name. */
void session_put_peer_id(struct nl_request *r, const char *name);

/* session-new. Return: the error. */
int session_new(struct session *s, struct nl_reply *reply);

/* In state ATTACHED, version 1, epoch 0; the peer's counter 0 is used (gateway). */
struct session session_gateway(struct fx *fx, unsigned int number);
struct session session_client(struct fx *fx, unsigned int number);
void session_attach(struct session *s);

struct nl_transport session_transport(const struct session *s);
struct nl_view session_view(const struct session *s);
/* A request about it: command, ifindex, id. */
struct nl_request session_request(struct session *s, uint8_t cmd);

/* The requests. Each returns the error; @reply may be NULL. */
int session_transition(struct session *s, uint64_t version, enum jvpn_event event,
		       enum jvpn_reason reason, struct nl_reply *reply);

/**
 * struct bind - a request for a binding
 * @version: expected version
 * @epoch: expected epoch, and whether it is given
 * @reason: reason of the jump
 * @transport: where to, NULL to leave it out
 * @keys: epoch to install, NULL to leave it out
 * @cookie: and whether it is given; likewise the peer's version
 */
struct bind {
	uint64_t version;
	bool has_epoch;
	uint32_t epoch;
	enum jvpn_reason reason;
	const struct nl_transport *transport;
	const struct nl_epoch *keys;
	bool has_cookie;
	uint64_t cookie;
	bool has_peer;
	uint64_t peer_version;
	uint32_t peer_epoch;
	bool hold;
	bool refresh;
};

/* @cmd: binding-set, binding-prepare or epoch-set */
int session_bind(struct session *s, uint8_t cmd, const struct bind *b, struct nl_reply *reply);

/* Jump to @peer with @keys, from whatever state; REQUIREs success. */
void session_jump(struct session *s, struct peer *to, const struct nl_epoch *keys);

int session_cancel(struct session *s, const uint64_t *cookie, struct nl_reply *reply);
int session_delete(struct session *s);
void session_expect_state(const struct session *s, enum jvpn_state state, uint64_t version);
/* Wait until it is reached. */
bool session_wait_state(const struct session *s, enum jvpn_state state);

/* An inner packet with text from the peer to the device's end. Return: octets. */
size_t session_text(const struct session *s, uint8_t *out, const char *text);
size_t session_text6(const struct session *s, uint8_t *out, const char *text);
/* Send it with the next counter. */
uint64_t session_say(struct session *s, const char *text);
/* Say it, and see it delivered: the session works, and nothing came before it. */
bool session_works(struct session *s, const char *text);
/* The device's end says it: the peer must receive it, and nothing before it. */
bool session_hears(struct session *s, const char *text);
void session_send(struct session *s, const char *text);

/* ---- drops ---- */

/* Counters before a deed. */
struct nl_counters fx_counters(struct fx *fx);

/**
 * fx_expect_drops() - compare with what is counted now
 * @fx: the scene
 * @before: counters before
 * @cause: the counter that must have risen
 * @n: by how much; all other drop counters must not have risen
 *
 * Waits for it.
 */
bool fx_expect_drops(struct fx *fx, const struct nl_counters *before, const char *cause,
		     uint64_t n);

#endif
