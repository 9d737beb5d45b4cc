/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Heartbeats: liveness, round trip, jitter and loss of the bound transport.
 *
 * Only a client sends them; the gateway answers in the receive path. One that
 * is not answered in time makes the client ask again, a few round trips apart,
 * until an answer comes or the transport is declared dead.
 *
 * Longer heartbeats find out what size of datagram the path lets through. They
 * and the small ones that go with them count for nothing else.
 */
#ifndef JVPN_PROBE_H
#define JVPN_PROBE_H

#include <linux/hrtimer.h>
#include <linux/types.h>

#include "core/mtu.h"

struct jvpn_binding;
struct jvpn_health;
struct jvpn_session;
struct jvpn_socket;

#define JVPN_PROBE_RING 32
#define JVPN_PROBE_OUTCOMES 64
/* Probes of one size whose echoes are recognised. */
#define JVPN_PROBE_SIZES (JVPN_MTU_TRIES + 1)

/**
 * struct jvpn_probe - measurements of the current binding; session's lock
 * @timer: next heartbeat, or the end of waiting for an echo
 * @seq: of the next heartbeat
 * @sent: when the heartbeat of a sequence number was sent, ns, by seq modulo
 *	  JVPN_PROBE_RING; 0 once it was echoed
 * @counter: its send counter
 * @unanswered: heartbeats sent after the newest one that was echoed
 * @unanswered_since: when the first of them was sent, ms
 * @last_sent: when the last one was sent, ms, 0 if none was on this path
 * @echo_counter: send counter of the newest heartbeat that was echoed
 * @srtt_ns: smoothed round trip (RFC 6298), 0 is unknown
 * @rttvar_ns: its mean deviation
 * @outcomes: of the last heartbeats that were decided, 1 is lost, newest lowest
 * @decided: how many, at most JVPN_PROBE_OUTCOMES
 * @first_undecided: lowest sequence number that is not in @outcomes
 * @low: reason of the quality-low that was reported, 0 if quality-ok was since
 * @mtu: search for the path's MTU
 * @mtu_begin: the path has shown that it is alive: begin with it
 * @size_sent: ts of the last probes of the size that @mtu asks for
 * @small_sent: ts of the small heartbeats that followed them
 * @hints: of the socket, those that were seen
 * @path_seq: gateway: seq of the heartbeat that said what the path lets through
 */
struct jvpn_probe {
	struct hrtimer timer;
	u32 seq;
	u64 sent[JVPN_PROBE_RING];
	u64 counter[JVPN_PROBE_RING];
	u32 unanswered;
	u64 unanswered_since;
	u64 last_sent;
	u64 echo_counter;
	u64 srtt_ns;
	u64 rttvar_ns;
	u64 outcomes;
	u32 decided;
	u32 first_undecided;
	u32 low;
	struct jvpn_mtu mtu;
	bool mtu_begin;
	u64 size_sent[JVPN_PROBE_SIZES];
	u64 small_sent[JVPN_PROBE_SIZES];
	u32 hints;
	u32 path_seq;
};

/**
 * struct jvpn_path - what the bound path lets through, as far as it is known
 * @size: octets of UDP payload that pass, 0 if nothing is known
 * @searching: larger ones may pass as well
 */
struct jvpn_path {
	u32 size;
	bool searching;
};

void jvpn_probe_init(struct jvpn_session *s);

/*
 * A binding was committed: send a heartbeat now. What was measured is kept for
 * the same path and forgotten for another. Session locked.
 */
void jvpn_probe_start_locked(struct jvpn_session *s, bool same_path);
void jvpn_probe_stop_locked(struct jvpn_session *s);

/**
 * jvpn_probe_receive() - an inner control message was received
 * @b: its binding, current
 * @data: authenticated plaintext
 * @len: its octets
 *
 * Return: false if it is malformed.
 */
bool jvpn_probe_receive(struct jvpn_binding *b, const u8 *data, unsigned int len);

/* The next heartbeat is due now. Return: false if it is no client with a binding. Session locked. */
bool jvpn_probe_soon_locked(struct jvpn_session *s);

/* An inner packet of @len octets was sent or received: the path is in use. */
void jvpn_probe_data(struct jvpn_session *s, u64 now_ms, u32 len);

/* Was there an ICMP message that something sent by this socket was too large? */
void jvpn_probe_hint(struct jvpn_session *s, const struct jvpn_socket *js);

/* No lock is needed. */
struct jvpn_path jvpn_probe_path(const struct jvpn_session *s);

/* A heartbeat under a prepared binding: an answer shows that the gateway committed. */
void jvpn_probe_ask(struct jvpn_binding *b);

/* What was measured. Session locked. */
void jvpn_probe_health_locked(const struct jvpn_session *s, struct jvpn_health *out);

#endif
