// SPDX-License-Identifier: GPL-2.0
/*
 * The receive walk, in packet order: from a lane, by type, to the binding of the
 * index; source, cipher, replay window, inner packet, inner source.
 *
 * The unit is what the socket delivers: one datagram, or a super-packet of
 * equal datagrams from one source. Its segments are decrypted one behind the
 * other into fresh pages, judged one after another, and delivered as one inner
 * TCP super-packet where they are consecutive segments of one flow. What a
 * super-packet shares is looked up once: source, ECN, time.
 *
 * Order of the checks: a packet from a source that is not bound is never
 * delivered and never moves the replay window, so nobody can spend a counter
 * of a client by copying its packets to another source.
 */
#include "rx.h"

#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>

#include "binding.h"
#include "compat.h"
#include "control.h"
#include "core/wire.h"
#include "device.h"
#include "merge.h"
#include "notify.h"
#include "session.h"
#include "socket.h"

#define DATA_HDR sizeof(struct jvpn_wire_data)
#define DATA_OVERHEAD JVPN_WIRE_DATA_OVERHEAD
/* No message is shorter than one of data without any. */
#define SEGMENT_LEAST DATA_OVERHEAD
/* Authentications of packets from unbound sources, for each session. */
#define UNBOUND_VERIFY_RATE 200
#define UNBOUND_VERIFY_BURST 50
#define UNBOUND_REPORT_RATE 2
#define UNBOUND_REPORT_BURST 2

/**
 * struct recv - one packet from the socket
 * @js: the socket
 * @jd: its device
 * @napi: delivers
 * @skb: the packet, data at the UDP payload
 * @from: its source, and the address that it was sent to
 * @segment: octets of each datagram in it but the last
 * @tos: outer DS field
 * @now: time, ms
 * @b: binding of the last index looked up: mostly that of the next one too
 * @index: that index
 */
struct recv {
	struct jvpn_socket *js;
	struct jvpn_device *jd;
	struct napi_struct *napi;
	struct sk_buff *skb;
	struct jvpn_transport from;
	u32 segment;
	u8 tos;
	u64 now;
	struct jvpn_binding *b;
	__le32 index;
};

static void rx_count_drops(struct recv *r, struct jvpn_session *s, enum jvpn_counter cause,
			   u32 packets)
{
	jvpn_count(r->jd, cause, packets);
	if (s)
		jvpn_session_count_drops(s, true, packets);
}

static void rx_count_drop(struct recv *r, struct jvpn_session *s, enum jvpn_counter cause)
{
	rx_count_drops(r, s, cause, 1);
}

/* ---- inner packets ---- */

/* Octets of the IP packet at @p, or 0 if it is none. */
static u32 inner_length(const u8 *p, u32 len)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)p;
	const struct iphdr *ip4 = (const struct iphdr *)p;
	u32 total;

	if (len >= sizeof(*ip4) && p[0] >> 4 == 4) {
		total = ntohs(ip4->tot_len);
		return ip4->ihl >= 5 && total >= ip4->ihl * 4 && total <= len ? total : 0;
	}
	if (len >= sizeof(*ip6) && p[0] >> 4 == 6) {
		total = sizeof(*ip6) + ntohs(ip6->payload_len);
		return total <= len ? total : 0;
	}
	return 0;
}

/* Does the inner source belong to the session? */
static bool inner_source_ok(struct jvpn_session *s, const u8 *p)
{
	struct jvpn_table *t = &s->jd->table;

	if (p[0] >> 4 == 4)
		return jvpn_table_match4(t, ((const struct iphdr *)p)->saddr) == s;
	return jvpn_table_match6(t, &((const struct ipv6hdr *)p)->saddr) == s;
}

/* RFC 6040: false if the combination is to be dropped. */
static bool inner_ecn(struct recv *r, struct sk_buff *skb)
{
	u8 inner = ip_tunnel_get_dsfield(ip_hdr(skb), skb);

	/* 1 is odd but harmless: outer ECT for an inner packet without. */
	return INET_ECN_decapsulate(skb, r->tos, inner) <= 1;
}

static void inner_drop(struct recv *r, struct jvpn_session *s, struct sk_buff *skb,
		       enum jvpn_counter cause, u32 packets)
{
	jvpn_session_count_drops(s, true, packets);
	jvpn_drop_packets(r->jd, skb, cause, packets);
}

/* The last step of every inner packet. It is trusted: the cipher covered it. */
static void inner_deliver(struct recv *r, struct jvpn_binding *b, struct sk_buff *skb,
			  u32 packets)
{
	struct jvpn_session *s = b->session;

	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb->dev = r->jd->dev;
	skb->protocol = ip_tunnel_parse_protocol(skb);
	if (!inner_source_ok(s, skb->data)) {
		inner_drop(r, s, skb, JVPN_C_RX_DROP_SOURCE, packets);
		return;
	}
	if (!inner_ecn(r, skb)) {
		inner_drop(r, s, skb, JVPN_C_RX_DROP_ECN, packets);
		return;
	}
	if (unlikely(!(skb->dev->flags & IFF_UP))) {
		inner_drop(r, s, skb, JVPN_C_RX_DROP_DOWN, packets);
		return;
	}
	jvpn_count(r->jd, JVPN_C_RX_PACKETS, packets);
	jvpn_count(r->jd, JVPN_C_RX_BYTES, skb->len);
	jvpn_session_count_rx(s, packets, skb->len);
	napi_gro_receive(r->napi, skb);
}

/* A single inner packet, in a buffer of its own. */
static void inner_deliver_copy(struct recv *r, struct jvpn_binding *b, const u8 *p, u32 len)
{
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + len, GFP_ATOMIC);

	if (!skb) {
		rx_count_drop(r, b->session, JVPN_C_RX_DROP_NOMEM);
		return;
	}
	skb_reserve(skb, LL_MAX_HEADER);
	skb_put_data(skb, p, len);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = ~0;
	inner_deliver(r, b, skb, 1);
}

/* ---- segments ---- */

/* Deliver the run; it is empty then. */
static void run_flush(struct recv *r, struct jvpn_run *run)
{
	const u32 count = run->count;
	struct jvpn_binding *b = run->b;
	struct sk_buff *skb;

	if (!count)
		return;
	skb = jvpn_run_finish(run);
	if (!skb) {
		rx_count_drops(r, b->session, JVPN_C_RX_DROP_NOMEM, count);
		return;
	}
	if (count > 1)
		jvpn_count(r->jd, JVPN_C_RX_MERGED, count);
	inner_deliver(r, b, skb, count);
}

/* An inner packet outside of the run's memory, behind the run: it may begin another. */
static void segment_apart(struct recv *r, struct jvpn_run *run, struct jvpn_binding *b,
			  const u8 *p, u32 len, u32 hlen)
{
	if (!hlen || !jvpn_run_begin(run, p, len, hlen, b))
		inner_deliver_copy(r, b, p, len);
}

/* Not of the run, and partly in its memory: it leaves after it. */
static void segment_break(struct recv *r, struct jvpn_run *run, struct jvpn_binding *b,
			  const struct jvpn_place *pl, u32 len, u32 hlen)
{
	u8 *copy = kmemdup(pl->at, len, GFP_ATOMIC);

	jvpn_place_restore(pl);
	run_flush(r, run);
	if (copy)
		segment_apart(r, run, b, copy, len, hlen);
	else
		rx_count_drop(r, b->session, JVPN_C_RX_DROP_NOMEM);
	kfree(copy);
}

/* An authentic inner packet at @pl->at. */
static void segment_deliver(struct recv *r, struct jvpn_run *run, struct jvpn_binding *b,
			    struct jvpn_place *pl, u32 len)
{
	u32 total = inner_length(pl->at, len), hlen;

	if (!total) {
		jvpn_place_restore(pl);
		rx_count_drop(r, b->session, JVPN_C_RX_DROP_INNER);
		return;
	}
	hlen = jvpn_merge_headers(pl->at, total);
	if (jvpn_run_join(run, pl, total, hlen, b))
		return;
	if (run->count)
		segment_break(r, run, b, pl, total, hlen);
	else
		segment_apart(r, run, b, pl->at, total, hlen);
}

/* Ciphertext at @off of the packet, contiguous, or copied to @to. */
static const u8 *segment_cipher(const struct sk_buff *skb, u32 off, u32 len, u8 *to)
{
	u32 start = skb_headlen(skb);
	int i;

	if (off + len <= start)
		return skb->data + off;
	for (i = 0; i < skb_shinfo(skb)->nr_frags && off >= start; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];
		u32 size = skb_frag_size(frag);

		if (off + len <= start + size && !PageHighMem(skb_frag_page(frag)))
			return (u8 *)skb_frag_address(frag) + off - start;
		start += size;
	}
	return skb_copy_bits(skb, off, to, len) ? NULL : to;
}

/* Window and usability, after the cipher. */
static enum jvpn_counter window_judge(struct jvpn_epoch *e, u64 counter)
{
	enum jvpn_counter cause = 0;

	spin_lock(&e->lock);
	if (e->closed)
		cause = JVPN_C_RX_DROP_STATE;
	else if (!jvpn_window_accept(&e->window, counter))
		cause = JVPN_C_RX_DROP_REPLAY;
	spin_unlock(&e->lock);
	return cause;
}

static bool source_matches(const struct recv *r, const struct jvpn_binding *b)
{
	return jvpn_transport_equal(&r->from, &b->transport);
}

/*
 * A packet of the session from elsewhere: if it is authentic and fresh, the
 * daemon may invite its sender to reattach. Both the ciphers and the reports
 * are bounded for each session; the window is asked, never moved.
 */
static void unbound_receive(struct recv *r, struct jvpn_binding *b,
			    const struct jvpn_wire_data *h, const u8 *cipher, u32 len, u8 *to)
{
	struct jvpn_session *s = b->session;
	struct jvpn_unbound *u = &s->unbound;
	struct jvpn_transport source = r->from;
	u64 counter = le64_to_cpu(h->ctr);
	u32 bytes = 0;
	bool fresh;

	rx_count_drop(r, s, JVPN_C_RX_DROP_UNBOUND);
	if (s->role != JVPN_ROLE_GATEWAY || READ_ONCE(s->state) == JVPN_STATE_BIRTH)
		return;
	spin_lock(&b->epoch.lock);
	fresh = jvpn_window_fresh(&b->epoch.window, counter);
	spin_unlock(&b->epoch.lock);
	if (!fresh)
		return;
	spin_lock(&u->lock);
	fresh = jvpn_bucket_take(&u->verify, UNBOUND_VERIFY_RATE, UNBOUND_VERIFY_BURST, 1,
				 r->now);
	spin_unlock(&u->lock);
	if (!fresh || !jvpn_aead_open(&b->epoch.rx, counter, (const u8 *)h, to, cipher, len))
		return;
	spin_lock(&u->lock);
	if (!jvpn_transport_equal(&u->source, &source)) {
		u->source = source;
		u->bytes = 0;
	}
	u->bytes += len + DATA_OVERHEAD;
	if (u->bytes >= JVPN_WIRE_CHALLENGE_SIZE &&
	    jvpn_bucket_take(&u->report, UNBOUND_REPORT_RATE, UNBOUND_REPORT_BURST, 1, r->now))
		swap(bytes, u->bytes);
	spin_unlock(&u->lock);
	if (bytes)
		jvpn_notify_unbound(s, &source, le32_to_cpu(h->idx), counter, bytes);
}

/* Decrypt and judge one segment. Return: false if it is not to be delivered. */
static bool segment_open(struct recv *r, struct jvpn_binding *b, const struct jvpn_wire_data *h,
			 const u8 *cipher, u32 len, u8 *to)
{
	u64 counter = le64_to_cpu(h->ctr);
	enum jvpn_counter cause;

	if (!jvpn_aead_open(&b->epoch.rx, counter, (const u8 *)h, to, cipher, len)) {
		rx_count_drop(r, b->session, JVPN_C_RX_DROP_AUTH);
		return false;
	}
	if (READ_ONCE(b->status) == JVPN_BINDING_PREPARED && !jvpn_binding_arrived(b)) {
		rx_count_drop(r, b->session, JVPN_C_RX_DROP_STATE);
		return false;
	}
	cause = window_judge(&b->epoch, counter);
	if (cause) {
		rx_count_drop(r, b->session, cause);
		return false;
	}
	WRITE_ONCE(b->session->last_rx, r->now);
	return true;
}

static bool is_inner_message(const u8 *p, u32 len)
{
	return !len || p[0] < JVPN_WIRE_INNER_CONTROL_END;
}

static void inner_message(struct recv *r, struct jvpn_binding *b, const u8 *p, u32 len)
{
	if (!len)
		return;
	if (jvpn_probe_receive(b, p, len))
		jvpn_count(r->jd, JVPN_C_RX_HEARTBEATS, 1);
	else
		rx_count_drop(r, b->session, JVPN_C_RX_DROP_INNER);
}

static bool data_header_ok(const struct jvpn_wire_data *h)
{
	return h->hdr.type == JVPN_MSG_DATA && h->hdr.proto == JVPN_WIRE_PROTO && !h->hdr.zero;
}

static struct jvpn_binding *binding_of(struct recv *r, __le32 index)
{
	if (!r->b || r->index != index) {
		r->b = jvpn_table_binding(&r->jd->table, le32_to_cpu(index));
		r->index = index;
	}
	return r->b;
}

static void segment_receive(struct recv *r, struct jvpn_run *run, u32 off, u32 size)
{
	u32 len = size - DATA_OVERHEAD;
	struct jvpn_wire_data h;
	struct jvpn_binding *b;
	const u8 *cipher;
	struct jvpn_place pl;

	if (size < DATA_OVERHEAD || skb_copy_bits(r->skb, off, &h, sizeof(h))) {
		rx_count_drop(r, NULL, JVPN_C_RX_DROP_RUNT);
		return;
	}
	if (!data_header_ok(&h)) {
		rx_count_drop(r, NULL, JVPN_C_RX_DROP_TYPE);
		return;
	}
	b = binding_of(r, h.idx);
	if (!b) {
		rx_count_drop(r, NULL, JVPN_C_RX_DROP_INDEX);
		return;
	}
	if (jvpn_epoch_expired(&b->epoch, READ_ONCE(b->session->policy.reject_after_ms), r->now)) {
		rx_count_drop(r, b->session, JVPN_C_RX_DROP_EXPIRED);
		return;
	}
	/* The tag lies behind the ciphertext, so a copy needs room for both. */
	if (!jvpn_place_choose(run, &pl, len + JVPN_TAG_SIZE)) {
		run_flush(r, run);
		if (!jvpn_place_choose(run, &pl, len + JVPN_TAG_SIZE)) {
			rx_count_drop(r, b->session, JVPN_C_RX_DROP_NOMEM);
			return;
		}
	}
	cipher = segment_cipher(r->skb, off + DATA_HDR, len + JVPN_TAG_SIZE, pl.at);
	if (!cipher) {
		jvpn_place_restore(&pl);
		rx_count_drop(r, b->session, JVPN_C_RX_DROP_RUNT);
		return;
	}
	if (!source_matches(r, b) || READ_ONCE(b->status) == JVPN_BINDING_RETIRED) {
		unbound_receive(r, b, &h, cipher, len, pl.at);
		jvpn_place_restore(&pl);
		return;
	}
	if (!segment_open(r, b, &h, cipher, len, pl.at)) {
		jvpn_place_restore(&pl);
		return;
	}
	if (is_inner_message(pl.at, len)) {
		inner_message(r, b, pl.at, len);
		jvpn_place_restore(&pl);
		return;
	}
	jvpn_probe_data(b->session, r->now, len);
	segment_deliver(r, run, b, &pl, len);
}

/* ---- from the socket ---- */

static void source_of(struct recv *r)
{
	const struct sk_buff *skb = r->skb;
	const struct udphdr *uh = udp_hdr(skb);
	struct jvpn_addr *remote = &r->from.remote, *local = &r->from.local;

	r->from.socket = r->js;
	remote->port = uh->source;
	local->port = uh->dest;
	local->scope = skb->skb_iif;
	if (ip_hdr(skb)->version == 4) {
		remote->family = AF_INET;
		remote->v4 = ip_hdr(skb)->saddr;
		local->family = AF_INET;
		local->v4 = ip_hdr(skb)->daddr;
		r->tos = ip_hdr(skb)->tos;
		return;
	}
	remote->family = AF_INET6;
	remote->v6 = ipv6_hdr(skb)->saddr;
	if (ipv6_addr_type(&remote->v6) & IPV6_ADDR_LINKLOCAL)
		remote->scope = skb->skb_iif;
	local->family = AF_INET6;
	local->v6 = ipv6_hdr(skb)->daddr;
	r->tos = ipv6_get_dsfield(ipv6_hdr(skb));
}

static void control_receive(struct recv *r, u32 off, u32 size)
{
	jvpn_count(r->jd, jvpn_control_receive(r->jd, &r->from, r->skb, off, size), 1);
}

/* GRO joins datagrams by size and source, so each is asked for its type. */
static void packet_receive(struct recv *r)
{
	u32 off, size;
	struct jvpn_run run;
	u8 type;

	source_of(r);
	jvpn_run_init(&run, r->skb->len);
	for (off = 0; off < r->skb->len; off += size) {
		size = min(r->segment, r->skb->len - off);
		if (skb_copy_bits(r->skb, off, &type, sizeof(type)))
			break;
		if (type == JVPN_MSG_DATA)
			segment_receive(r, &run, off, size);
		else
			control_receive(r, off, size);
	}
	run_flush(r, &run);
	jvpn_run_release(&run);
}

void jvpn_rx_walk(struct jvpn_socket *js, struct napi_struct *napi, struct sk_buff *skb)
{
	struct recv r = {
		.js = js,
		.jd = js->jd,
		.napi = napi,
		.skb = skb,
		.segment = skb_is_gso(skb) ? skb_shinfo(skb)->gso_size : skb->len,
		.now = jvpn_now_coarse_ms(),
	};

	jvpn_count(r.jd, JVPN_C_RX_BATCHES, 1);
	jvpn_count(r.jd, JVPN_C_RX_DATAGRAMS, jvpn_rx_datagrams(skb));
	/* None of such segments can be anything, and there may be very many of them. */
	if (!skb->len || (jvpn_rx_datagrams(skb) > 1 && r.segment < SEGMENT_LEAST))
		rx_count_drops(&r, NULL, JVPN_C_RX_DROP_RUNT, jvpn_rx_datagrams(skb));
	else
		packet_receive(&r);
}
