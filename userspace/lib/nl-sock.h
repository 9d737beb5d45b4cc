/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_NL_SOCK_H
#define JVPN_NL_SOCK_H

/*
 * Netlink sockets: one request at a time, its answers and its error. Shared by
 * the jvpn family and the routing family.
 */

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nl-codec.h"

#define JVPN_NL_TEXT 256
#define JVPN_NL_REQUEST_MAX 16384
#define JVPN_NL_RECEIVE_MAX 65536

/**
 * struct jvpn_nl_error - why a request failed
 * @code: positive errno, 0 if it did not fail
 * @text: a sentence, the kernel's if it sent one
 * @attr: attribute that the kernel named, as "session.keys.rx-key"; else ""
 * @has_current: the rest is valid: the session as it is, nothing changed
 * @reject: enum jvpn_reject
 * @state: enum jvpn_state
 * @version: state_version
 * @epoch: epoch number
 */
struct jvpn_nl_error {
	int code;
	char text[JVPN_NL_TEXT];
	char attr[JVPN_NL_PATH];
	bool has_current;
	uint32_t reject;
	uint32_t state;
	uint64_t version;
	uint32_t epoch;
};

/* Fill error, which may be NULL. Returns -code. */
__attribute__((format(printf, 3, 4)))
int jvpn_nl_error_set(struct jvpn_nl_error *error, int code, const char *format, ...);

/**
 * struct jvpn_nl_sock - a netlink socket
 * @mnl: the socket
 * @port: its netlink port
 * @sequence: of the last request
 * @send: the request being made; wiped after it
 * @receive: what is being received; wiped before the socket is closed
 */
struct jvpn_nl_sock {
	struct mnl_socket *mnl;
	uint32_t port;
	uint32_t sequence;
	_Alignas(struct nlmsghdr) uint8_t send[JVPN_NL_REQUEST_MAX];
	_Alignas(struct nlmsghdr) uint8_t receive[JVPN_NL_RECEIVE_MAX];
};

/* bus: NETLINK_GENERIC or NETLINK_ROUTE. NULL with *error. */
struct jvpn_nl_sock *jvpn_nl_sock_open(int bus, struct jvpn_nl_error *error);
void jvpn_nl_sock_close(struct jvpn_nl_sock *sock);
int jvpn_nl_sock_fd(const struct jvpn_nl_sock *sock);

/* Make it ready for events: a large buffer, and -ENOBUFS when some were lost. */
void jvpn_nl_sock_listen(struct jvpn_nl_sock *sock);
int jvpn_nl_sock_join(struct jvpn_nl_sock *sock, uint32_t group, struct jvpn_nl_error *error);

/* Begin a request in sock->send. */
struct nlmsghdr *jvpn_nl_sock_begin(struct jvpn_nl_sock *sock, uint16_t type, uint16_t flags);

/**
 * struct jvpn_nl_exchange - what is to happen during a request
 * @header: octets between the netlink header and the attributes of the request
 * @object: its attributes, to name one in an error; NULL for none
 * @answer: each answer to the request; NULL to ignore them
 * @other: each message that is no answer to it; NULL to ignore them
 * @context: for both
 */
struct jvpn_nl_exchange {
	size_t header;
	const struct jvpn_nl_object *object;
	void (*answer)(void *context, const struct nlmsghdr *message);
	void (*other)(void *context, const struct nlmsghdr *message);
	void *context;
};

/* Send the request that was begun, and receive until its acknowledgement or error. */
int jvpn_nl_sock_exchange(struct jvpn_nl_sock *sock, const struct jvpn_nl_exchange *exchange,
			  struct jvpn_nl_error *error);

/*
 * The same for a dump: answers are given when all have arrived, none of them
 * before. A dump that was interrupted by a change is repeated some times; it is
 * JVPN_NL_INTERRUPTED, and given, if the last one was, too.
 */
#define JVPN_NL_INTERRUPTED 1

int jvpn_nl_sock_dump(struct jvpn_nl_sock *sock, const struct jvpn_nl_exchange *exchange,
		      struct jvpn_nl_error *error);

/*
 * Receive without waiting. Returns the octets in sock->receive, 0 if there is
 * nothing, or a negative errno; -ENOBUFS if messages were lost.
 */
ssize_t jvpn_nl_sock_receive(struct jvpn_nl_sock *sock);

/* Messages received at once; events and control packets are smaller than a slot. */
#define JVPN_NL_SLOTS 16
#define JVPN_NL_SLOT_SIZE (JVPN_NL_RECEIVE_MAX / JVPN_NL_SLOTS)

/*
 * The same for as many as there are slots: message i is at sock->receive + i * JVPN_NL_SLOT_SIZE.
 * Returns their number, 0 if there is none, or a negative errno. octets[i] is the size of message
 * i, 0 if it is of no use, -EMSGSIZE if it was larger than its slot.
 */
int jvpn_nl_sock_receive_many(struct jvpn_nl_sock *sock, ssize_t octets[JVPN_NL_SLOTS]);

#endif /* JVPN_NL_SOCK_H */
