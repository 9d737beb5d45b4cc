/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A JVPN1 data-path peer in userspace: a UDP socket, an epoch, and libsodium
 * as the independent cipher. It does what it is told, also what a peer must
 * not do.
 */
#ifndef JVPN_TEST_PEER_H
#define JVPN_TEST_PEER_H

#include "nl.h"

#define PEER_DATA_HDR 16
#define PEER_OVERHEAD 32
#define PEER_DATAGRAM_MAX 65536

/**
 * struct peer - one end, in userspace
 * @fd: its socket
 * @local: where it is
 * @kernel: where the module's socket is
 * @epoch: as the module has it: the peer seals with @epoch.rx, opens with @epoch.tx
 * @counter: next counter to be used
 * @shows_sizes: heartbeats that ask for a size are received like others; else they are
 *		 answered and passed over
 * @size_ts: time of the last one
 */
struct peer {
	int fd;
	struct nl_addr local;
	struct nl_addr kernel;
	struct nl_epoch epoch;
	uint64_t counter;
	bool shows_sizes;
	uint64_t size_ts;
};

/* Bind at @local (port 0: any) and name the module's socket. */
void peer_open(struct peer *p, const struct nl_addr *local, const struct nl_addr *kernel);
/* The same end at another address: a NAT rebinding, or an impostor. */
struct peer peer_elsewhere(const struct peer *p, const struct nl_addr *local);
void peer_close(struct peer *p);

/* A DATA datagram: @len octets of inner packet become @len + PEER_OVERHEAD at @out. */
size_t peer_seal(const struct nl_flow *flow, uint64_t counter, const void *inner, size_t len,
		 uint8_t *out);
/* The same with any header, which is authenticated as it is. */
size_t peer_seal_header(const struct nl_flow *flow, const uint8_t header[PEER_DATA_HDR],
			uint64_t counter, const void *inner, size_t len, uint8_t *out);

void peer_send_raw(struct peer *p, const void *datagram, size_t len);
void peer_send_raw_tos(struct peer *p, const void *datagram, size_t len, int tos);
/* One super-packet: datagrams of @segment octets each, the last may be shorter. */
void peer_send_batch(struct peer *p, const void *datagrams, size_t len, uint16_t segment);

/* Seal with the next counter, or a given one, and send. */
uint64_t peer_send(struct peer *p, const void *inner, size_t len);
void peer_send_at(struct peer *p, uint64_t counter, const void *inner, size_t len);

/**
 * struct peer_datagram - what the module has sent
 * @from: its source
 * @tos: outer DS field
 * @data: all of it, header first
 * @len: octets of @data
 * @data_message: it is DATA, and it was opened
 * @index: index in its header
 * @counter: counter in its header
 * @inner: the inner packet or message
 * @inner_len: its octets
 */
struct peer_datagram {
	struct nl_addr from;
	uint8_t tos;
	uint8_t data[PEER_DATAGRAM_MAX];
	size_t len;
	bool data_message;
	uint32_t index;
	uint64_t counter;
	uint8_t inner[PEER_DATAGRAM_MAX];
	size_t inner_len;
};

/*
 * Wait for a datagram. DATA must be of the current epoch and authentic, or the
 * case fails. Return: false if none came in time.
 */
bool peer_receive(struct peer *p, unsigned int timeout_ms, struct peer_datagram *d);
/* The same for any epoch; false also if it does not open. */
bool peer_open_datagram(const struct nl_flow *flow, struct peer_datagram *d);
/* Without opening it. */
bool peer_receive_raw(struct peer *p, unsigned int timeout_ms, struct peer_datagram *d);
/* The next one that is no heartbeat; heartbeats are passed over. */
bool peer_receive_inner(struct peer *p, unsigned int timeout_ms, struct peer_datagram *d);
/* Forget what waits in the socket. */
void peer_flush(struct peer *p);

/* ---- heartbeats ---- */

struct peer_heartbeat {
	bool reply;
	uint32_t seq;
	uint64_t ts;
	uint64_t echo_ts;
	uint64_t version;
};

#define PEER_HEARTBEAT_SIZE 32
#define PEER_HEARTBEAT_CLIENT_SIZE 192

/* Return: octets, as a client pads it. */
size_t peer_heartbeat_build(uint8_t *out, const struct peer_heartbeat *h);
bool peer_heartbeat_read(const struct peer_datagram *d, struct peer_heartbeat *h);
/* Answer it as a gateway does. */
void peer_heartbeat_echo(struct peer *p, const struct peer_heartbeat *h);
/* The same, padded to @size octets of plaintext. */
void peer_heartbeat_echo_size(struct peer *p, const struct peer_heartbeat *h, size_t size);

/* ---- inner packets ---- */

/**
 * struct inner - an inner UDP packet
 * @src: source address
 * @dst: destination address
 * @sport: source port
 * @dport: destination port
 * @tos: DS field
 * @df: IPv4: must not be fragmented
 * @payload: UDP payload
 * @len: its octets
 */
struct inner {
	const char *src;
	const char *dst;
	uint16_t sport;
	uint16_t dport;
	uint8_t tos;
	bool df;
	const void *payload;
	size_t len;
};

/* Return: octets of the packet, checksums included. */
size_t inner_build(uint8_t *out, const struct inner *in);

/* A UDP socket where inner packets end. Any address of the namespace. */
int sink_open(int family, uint16_t port);

/* Wait for a payload. Return: its octets, or -1. @tos receives the DS field. */
int sink_receive(int fd, unsigned int timeout_ms, void *buf, size_t size, uint8_t *tos);

/* Wait for exactly this text; CHECKs. */
bool sink_expect(int fd, const char *text);

/* Send from here into the tunnel. */
void sink_send(int fd, const char *dst, uint16_t port, const void *payload, size_t len);

#endif
