// SPDX-License-Identifier: GPL-2.0
/*
 * The receive path, in packet order: from the socket, by type, to the binding
 * of the index; source, cipher, replay window, inner packet, inner source.
 *
 * The unit is what the socket delivers: one datagram, or a super-packet of
 * equal datagrams from one source. Its segments are decrypted one behind the
 * other into fresh pages, judged by the replay window together, and delivered
 * as one inner TCP super-packet where they are consecutive segments of one
 * flow. What a super-packet shares is looked up once: source, ECN, time.
 *
 * Order of the checks: a packet from a source that is not bound is never
 * delivered and never moves the replay window, so nobody can spend a counter
 * of a client by copying its packets to another source.
 */
#include "rx.h"

#include <linux/jhash.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>
#include <net/ip_tunnels.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "batch.h"
#include "binding.h"
#include "compat.h"
#include "control.h"
#include "core/wire.h"
#include "device.h"
#include "notify.h"
#include "session.h"
#include "socket.h"

#define DATA_HDR sizeof(struct jvpn_wire_data)
#define DATA_OVERHEAD JVPN_WIRE_DATA_OVERHEAD
/* Headers of an inner TCP packet that are looked at for merging. */
#define MERGE_HEADERS_MAX (sizeof(struct ipv6hdr) + 60)
/* Authentications of packets from unbound sources, for each session. */
#define UNBOUND_VERIFY_RATE 200
#define UNBOUND_VERIFY_BURST 50
#define UNBOUND_REPORT_RATE 2
#define UNBOUND_REPORT_BURST 2

/**
 * struct recv - one packet from the socket
 * @js: the socket
 * @jd: its device
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
	struct sk_buff *skb;
	struct jvpn_transport from;
	u32 segment;
	u8 tos;
	u64 now;
	struct jvpn_binding *b;
	__le32 index;
};

/**
 * struct run - consecutive segments of one inner TCP flow that become one packet
 * @b: the binding
 * @batch: their headers once, then their payloads
 * @hlen: octets of the headers; 0 if the run is empty
 * @mss: payload of all but the last
 * @count: segments
 * @closed: the last one was shorter or carried PSH or FIN: nothing may follow
 * @next_seq: sequence number that follows
 */
struct run {
	struct jvpn_binding *b;
	struct jvpn_batch batch;
	u32 hlen;
	u32 mss;
	u32 count;
	bool closed;
	u32 next_seq;
};

static void rx_count_drop(struct recv *r, struct jvpn_session *s, enum jvpn_counter cause)
{
	jvpn_count(r->jd, cause, 1);
	if (s)
		jvpn_session_count_drop(s, true);
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
		jvpn_session_count_drop(s, true);
		jvpn_drop(r->jd, skb, JVPN_C_RX_DROP_SOURCE);
		return;
	}
	if (!inner_ecn(r, skb)) {
		jvpn_session_count_drop(s, true);
		jvpn_drop(r->jd, skb, JVPN_C_RX_DROP_ECN);
		return;
	}
	jvpn_count(r->jd, JVPN_C_RX_PACKETS, packets);
	jvpn_count(r->jd, JVPN_C_RX_BYTES, skb->len);
	jvpn_session_count_rx(s, packets, skb->len);
	if (gro_cells_receive(&r->jd->gro, skb) == NET_RX_DROP)
		jvpn_count(r->jd, JVPN_C_RX_DROP_DOWN, 1);
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

/* ---- merging ---- */

/* Headers of an inner TCP packet that may be merged, or 0. */
static u32 merge_headers(const u8 *p, u32 len)
{
	const struct iphdr *ip4 = (const struct iphdr *)p;
	const struct tcphdr *th;
	u32 l4;

	if (p[0] >> 4 == 4) {
		if (ip4->protocol != IPPROTO_TCP || ip4->ihl != 5 || ip_is_fragment(ip4))
			return 0;
		l4 = sizeof(*ip4);
	} else {
		if (((const struct ipv6hdr *)p)->nexthdr != IPPROTO_TCP)
			return 0;
		l4 = sizeof(struct ipv6hdr);
	}
	th = (const struct tcphdr *)(p + l4);
	if (len < l4 + sizeof(*th) || th->doff < 5 || len <= l4 + th->doff * 4)
		return 0;
	if (!th->ack || th->syn || th->rst || th->urg || th->cwr || th->ece)
		return 0;
	return l4 + th->doff * 4;
}

static const struct tcphdr *tcp_of(const u8 *p)
{
	return (const struct tcphdr *)(p + (p[0] >> 4 == 4 ? sizeof(struct iphdr) :
					    sizeof(struct ipv6hdr)));
}

/* All that two segments of one flow share: addresses, ports, ack, options. */
static bool same_flow(const u8 *a, const u8 *b, u32 hlen)
{
	const struct tcphdr *ta = tcp_of(a), *tb = tcp_of(b);
	const u32 l4 = (const u8 *)ta - a;

	if (a[0] != b[0] || a[1] != b[1])
		return false;
	if (l4 == sizeof(struct iphdr)) {
		/* frag_off and ttl, protocol, then addresses */
		if (memcmp(a + 6, b + 6, 4) || memcmp(a + 12, b + 12, 8))
			return false;
	} else if (memcmp(a, b, 4) || memcmp(a + 6, b + 6, l4 - 6)) {
		return false;
	}
	return ta->source == tb->source && ta->dest == tb->dest &&
	       ta->ack_seq == tb->ack_seq && ta->doff == tb->doff && ta->window == tb->window &&
	       !memcmp(ta + 1, tb + 1, hlen - l4 - sizeof(*ta));
}

static void run_init(struct run *run, u32 expect)
{
	run->b = NULL;
	run->hlen = 0;
	run->count = 0;
	run->closed = false;
	jvpn_batch_init(&run->batch, expect);
}

static u8 *run_headers(const struct run *run)
{
	const struct jvpn_chunk *c = &run->batch.chunk[0];

	return (u8 *)page_address(c->page) + c->start;
}

/* Headers and checksum of the super-packet, as GRO would leave them. */
static void run_finish_headers(struct sk_buff *skb, const struct run *run)
{
	u32 len = skb->len;
	struct tcphdr *th;
	u32 l4;

	if (skb->data[0] >> 4 == 4) {
		struct iphdr *ip = (struct iphdr *)skb->data;

		l4 = sizeof(*ip);
		ip->tot_len = htons(len);
		ip->check = 0;
		ip->check = ip_fast_csum((u8 *)ip, ip->ihl);
		th = (struct tcphdr *)(skb->data + l4);
		th->check = ~tcp_v4_check(len - l4, ip->saddr, ip->daddr, 0);
		skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4;
	} else {
		struct ipv6hdr *ip = (struct ipv6hdr *)skb->data;

		l4 = sizeof(*ip);
		ip->payload_len = htons(len - l4);
		th = (struct tcphdr *)(skb->data + l4);
		th->check = ~tcp_v6_check(len - l4, &ip->saddr, &ip->daddr, 0);
		skb_shinfo(skb)->gso_type = SKB_GSO_TCPV6;
	}
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + l4;
	skb->csum_offset = offsetof(struct tcphdr, check);
	skb_shinfo(skb)->gso_size = run->mss;
	skb_shinfo(skb)->gso_segs = run->count;
}

/* Deliver the run; it is empty then. */
static void run_flush(struct recv *r, struct run *run)
{
	struct sk_buff *skb;

	if (!run->count)
		return;
	skb = alloc_skb(LL_MAX_HEADER + MERGE_HEADERS_MAX, GFP_ATOMIC);
	if (!skb) {
		rx_count_drop(r, run->b->session, JVPN_C_RX_DROP_NOMEM);
		jvpn_batch_release(&run->batch);
	} else {
		skb_reserve(skb, LL_MAX_HEADER);
		skb_put_data(skb, run_headers(run), run->hlen);
		run->batch.chunk[0].start += run->hlen;
		jvpn_batch_attach(&run->batch, skb);
		if (run->count > 1) {
			run_finish_headers(skb, run);
			jvpn_count(r->jd, JVPN_C_RX_MERGED, run->count);
		} else {
			skb->ip_summed = CHECKSUM_UNNECESSARY;
			skb->csum_level = ~0;
		}
		inner_deliver(r, run->b, skb, run->count);
	}
	run->count = 0;
	run->hlen = 0;
	run->closed = false;
}

/* Deliver the run, and begin an empty one. */
static void run_restart(struct recv *r, struct run *run)
{
	u32 expect = run->batch.expect;

	run_flush(r, run);
	jvpn_batch_release(&run->batch);
	run_init(run, expect);
}

static bool run_accepts(const struct run *run, struct jvpn_binding *b, const u8 *p, u32 len,
			u32 hlen)
{
	return run->count && !run->closed && run->b == b && hlen == run->hlen &&
	       len - hlen <= run->mss && run->count < 0xffff &&
	       jvpn_batch_len(&run->batch) + len - hlen <= 65535 &&
	       ntohl(tcp_of(p)->seq) == run->next_seq && same_flow(run_headers(run), p, hlen);
}

static void run_note(struct run *run, const u8 *p, u32 payload)
{
	const struct tcphdr *th = tcp_of(p);

	run->count++;
	run->next_seq = ntohl(th->seq) + payload;
	run->closed = payload < run->mss || th->psh || th->fin;
}

/* ---- segments ---- */

/**
 * struct place - where a segment is decrypted to
 * @at: the plaintext
 * @lap: octets before the free memory that it covers: those of @saved
 * @saved: what it covers
 */
struct place {
	u8 *at;
	u32 lap;
	u8 saved[MERGE_HEADERS_MAX];
};

/*
 * A segment that continues a run is put so that its headers cover the end of
 * the last payload: then the payloads are contiguous, and only the covered
 * octets have to be restored.
 */
static bool place_choose(struct run *run, struct place *pl, u32 len)
{
	u8 *room = jvpn_batch_room(&run->batch, MERGE_HEADERS_MAX, len);

	if (!room)
		return false;
	pl->lap = run->count && !run->closed ? run->hlen : 0;
	pl->at = room - pl->lap;
	memcpy(pl->saved, pl->at, pl->lap);
	return true;
}

static void place_restore(const struct place *pl)
{
	memcpy(pl->at, pl->saved, pl->lap);
}

/* The segment joins the run: only its payload is kept. */
static void place_join(struct run *run, struct place *pl, u32 len, u32 hlen)
{
	run_note(run, pl->at, len - hlen);
	place_restore(pl);
	jvpn_batch_add(&run->batch, len - hlen);
}

/* A new run begins with this segment, in memory of its own. */
static bool place_begin(struct run *run, const u8 *p, u32 len, u32 hlen,
			struct jvpn_binding *b)
{
	u8 *at = jvpn_batch_room(&run->batch, 0, len);

	if (!at)
		return false;
	if (at != p)
		memmove(at, p, len);
	jvpn_batch_add(&run->batch, len);
	run->b = b;
	run->hlen = hlen;
	run->mss = len - hlen;
	run_note(run, at, len - hlen);
	/* A single short segment may well be followed by others. */
	run->closed = tcp_of(at)->psh || tcp_of(at)->fin;
	return true;
}

/* An authentic inner packet at @pl->at. */
static void segment_deliver(struct recv *r, struct run *run, struct jvpn_binding *b,
			    struct place *pl, u32 len)
{
	u32 total = inner_length(pl->at, len), hlen;

	if (!total) {
		place_restore(pl);
		rx_count_drop(r, b->session, JVPN_C_RX_DROP_INNER);
		return;
	}
	hlen = merge_headers(pl->at, total);
	if (pl->lap && hlen && run_accepts(run, b, pl->at, total, hlen)) {
		place_join(run, pl, total, hlen);
		return;
	}
	if (!run->count && hlen && hlen <= MERGE_HEADERS_MAX &&
	    place_begin(run, pl->at, total, hlen, b))
		return;
	/* Not of the run: it leaves alone, after the run if there is one. */
	if (run->count) {
		u8 *copy = kmemdup(pl->at, total, GFP_ATOMIC);

		place_restore(pl);
		run_restart(r, run);
		if (!copy) {
			rx_count_drop(r, b->session, JVPN_C_RX_DROP_NOMEM);
			return;
		}
		if (!hlen || hlen > MERGE_HEADERS_MAX ||
		    !place_begin(run, copy, total, hlen, b))
			inner_deliver_copy(r, b, copy, total);
		kfree(copy);
		return;
	}
	inner_deliver_copy(r, b, pl->at, total);
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

static void segment_receive(struct recv *r, struct run *run, u32 off, u32 size)
{
	u32 len = size - DATA_OVERHEAD;
	struct jvpn_wire_data h;
	struct jvpn_binding *b;
	const u8 *cipher;
	struct place pl;

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
	if (!place_choose(run, &pl, len + JVPN_TAG_SIZE)) {
		run_restart(r, run);
		if (!place_choose(run, &pl, len + JVPN_TAG_SIZE)) {
			rx_count_drop(r, b->session, JVPN_C_RX_DROP_NOMEM);
			return;
		}
	}
	cipher = segment_cipher(r->skb, off + DATA_HDR, len + JVPN_TAG_SIZE, pl.at);
	if (!cipher) {
		place_restore(&pl);
		rx_count_drop(r, b->session, JVPN_C_RX_DROP_RUNT);
		return;
	}
	if (!source_matches(r, b) || READ_ONCE(b->status) == JVPN_BINDING_RETIRED) {
		unbound_receive(r, b, &h, cipher, len, pl.at);
		place_restore(&pl);
		return;
	}
	if (!segment_open(r, b, &h, cipher, len, pl.at)) {
		place_restore(&pl);
		return;
	}
	if (is_inner_message(pl.at, len)) {
		inner_message(r, b, pl.at, len);
		place_restore(&pl);
		return;
	}
	jvpn_probe_data(b->session, r->now);
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
	struct run run;
	u8 type;

	source_of(r);
	run_init(&run, r->skb->len);
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
	jvpn_batch_release(&run.batch);
}

static void socket_receive(struct jvpn_socket *js, struct sk_buff *skb)
{
	struct recv r = {
		.js = js,
		.jd = js->jd,
		.skb = skb,
		.segment = skb_is_gso(skb) ? skb_shinfo(skb)->gso_size : skb->len,
		.now = jvpn_now_coarse_ms(),
	};

	jvpn_count(r.jd, JVPN_C_RX_BATCHES, 1);
	if (!skb->len) {
		jvpn_count(r.jd, JVPN_C_RX_DROP_RUNT, 1);
		return;
	}
	jvpn_count(r.jd, JVPN_C_RX_DATAGRAMS, DIV_ROUND_UP(skb->len, r.segment));
	packet_receive(&r);
}

/*
 * Packets of one source are handled one after another, in order, by whichever
 * processor came first; those of other sources by others at the same time.
 */
static struct jvpn_rx_lane *lane_of(struct jvpn_socket *js, const struct sk_buff *skb)
{
	const struct udphdr *uh = udp_hdr(skb);
	u32 hash;

	if (ip_hdr(skb)->version == 4)
		hash = jhash_2words((__force u32)ip_hdr(skb)->saddr, (__force u32)uh->source, 0);
	else
		hash = jhash_2words(ipv6_addr_hash(&ipv6_hdr(skb)->saddr),
				    (__force u32)uh->source, 0);
	return &js->lanes[hash % JVPN_RX_LANES];
}

/* Next packet of a lane that is this processor's; NULL ends that. */
static struct sk_buff *lane_next(struct jvpn_socket *js, struct jvpn_rx_lane *lane)
{
	struct sk_buff *skb;

	spin_lock(&js->rx_lock);
	skb = __skb_dequeue(&lane->queue);
	if (!skb)
		lane->busy = false;
	spin_unlock(&js->rx_lock);
	return skb;
}

static void lane_run(struct jvpn_socket *js, struct jvpn_rx_lane *lane)
{
	struct sk_buff *skb;

	while ((skb = lane_next(js, lane))) {
		socket_receive(js, skb);
		consume_skb(skb);
	}
}

/*
 * Take one packet from the socket and put it into its lane, in one step, so
 * that no other processor overtakes.
 *
 * Return: the lane if it is this processor's now, NULL if another has it; @err
 * is set if there was no packet. An error that is pending on the socket makes
 * __skb_recv_udp() return without a packet once, and is gone then.
 */
static struct jvpn_rx_lane *lane_feed(struct jvpn_socket *js, struct sock *sk, int *err)
{
	struct jvpn_rx_lane *lane = NULL;
	struct sk_buff *skb;
	int off = 0;

	*err = 0;
	spin_lock(&js->rx_lock);
	skb = __skb_recv_udp(sk, MSG_DONTWAIT, &off, err);
	if (skb) {
		*err = 0;
		lane = lane_of(js, skb);
		__skb_queue_tail(&lane->queue, skb);
		if (lane->busy)
			lane = NULL;
		else
			lane->busy = true;
	}
	spin_unlock(&js->rx_lock);
	return lane;
}

void jvpn_rx_drain(struct jvpn_socket *js, struct sock *sk)
{
	struct jvpn_rx_lane *lane;
	int err;

	do {
		lane = lane_feed(js, sk, &err);
		if (lane)
			lane_run(js, lane);
	} while (err != -EAGAIN);
}

void jvpn_rx_init(struct jvpn_socket *js)
{
	int i;

	spin_lock_init(&js->rx_lock);
	for (i = 0; i < JVPN_RX_LANES; i++)
		__skb_queue_head_init(&js->lanes[i].queue);
}
