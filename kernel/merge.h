/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Building inner super-packets: consecutive segments of one TCP flow become one
 * packet, under the conditions of GRO, so that cutting it again gives the same
 * segments.
 *
 * A run has the headers of its first segment once, and then the payloads. Each
 * segment is decrypted to where its payload has to be, if it should belong to
 * the run: its headers then cover the end of what is there, which is restored.
 */
#ifndef JVPN_MERGE_H
#define JVPN_MERGE_H

#include <linux/ipv6.h>

#include "batch.h"

struct jvpn_binding;

/* Headers of an inner TCP packet that are looked at: IPv6, TCP with all options. */
#define JVPN_MERGE_HEADERS_MAX (sizeof(struct ipv6hdr) + 60)

/**
 * struct jvpn_run - segments that become one packet
 * @b: binding that they came under
 * @batch: their headers once, then their payloads
 * @hlen: octets of the headers
 * @mss: payload of all but the last
 * @count: segments; the run is empty without
 * @closed: the last one was shorter, or carried PSH or FIN: nothing may follow
 * @fixed_id: IPv4: all have one identification, which does not rise
 * @next_seq: sequence number that follows
 */
struct jvpn_run {
	struct jvpn_binding *b;
	struct jvpn_batch batch;
	u32 hlen;
	u32 mss;
	u32 count;
	bool closed;
	bool fixed_id;
	u32 next_seq;
};

/**
 * struct jvpn_place - where a segment is decrypted to
 * @at: the plaintext
 * @lap: octets before the free memory that it covers: those of @saved
 * @saved: what it covers
 */
struct jvpn_place {
	u8 *at;
	u32 lap;
	u8 saved[JVPN_MERGE_HEADERS_MAX];
};

/* An empty run; @expect octets are to come. */
void jvpn_run_init(struct jvpn_run *run, u32 expect);

/* Give the memory back; for an empty run. */
void jvpn_run_release(struct jvpn_run *run);

/* Room for a segment of @len octets. Return: false without memory in this run. */
bool jvpn_place_choose(struct jvpn_run *run, struct jvpn_place *place, u32 len);

/* The segment is not wanted where it is: what it covers is as before. */
void jvpn_place_restore(const struct jvpn_place *place);

/* Octets of the headers of the IP packet @p if it may be merged with others, or 0. */
u32 jvpn_merge_headers(const u8 *p, u32 len);

/**
 * jvpn_run_join() - let a segment continue the run
 * @run: the run
 * @place: where the segment is
 * @len: its octets
 * @hlen: jvpn_merge_headers() of it
 * @b: binding that it came under
 *
 * Return: false if it does not continue the run; nothing is changed then.
 */
bool jvpn_run_join(struct jvpn_run *run, const struct jvpn_place *place, u32 len, u32 hlen,
		   struct jvpn_binding *b);

/**
 * jvpn_run_begin() - begin an empty run with a segment
 * @run: the run
 * @p: the segment, in memory of the run or elsewhere
 * @len: its octets
 * @hlen: jvpn_merge_headers() of it
 * @b: binding that it came under
 *
 * Return: false without memory.
 */
bool jvpn_run_begin(struct jvpn_run *run, const u8 *p, u32 len, u32 hlen,
		    struct jvpn_binding *b);

/* The packet; the run is empty and without memory then. NULL without memory. */
struct sk_buff *jvpn_run_finish(struct jvpn_run *run);

#endif
