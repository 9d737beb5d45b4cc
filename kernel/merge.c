// SPDX-License-Identifier: GPL-2.0
#include "merge.h"

#include <linux/ip.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

/* Of a super-packet the last segment has them, whichever brought them. */
#define LAST_FLAGS (TCP_FLAG_FIN | TCP_FLAG_PSH)
/* A segment with one of these stands for itself. */
#define LONE_FLAGS (TCP_FLAG_CWR | TCP_FLAG_URG | TCP_FLAG_RST | TCP_FLAG_SYN)

static bool is_ipv4(const u8 *p)
{
	return p[0] >> 4 == 4;
}

static struct tcphdr *tcp_of(const u8 *p)
{
	return (struct tcphdr *)(p + (is_ipv4(p) ? sizeof(struct iphdr) :
					sizeof(struct ipv6hdr)));
}

static __be32 flags_of(const u8 *p)
{
	return tcp_flag_word(tcp_of(p));
}

/* A packet takes at most so many times its own octets. */
#define SPARSE 4

/* ---- which segments ---- */

static bool ip_mergeable(const u8 *p)
{
	const struct iphdr *ip4 = (const struct iphdr *)p;

	if (!is_ipv4(p))
		return ((const struct ipv6hdr *)p)->nexthdr == IPPROTO_TCP;
	/* A header with a wrong sum is left for the stack to drop. */
	return ip4->protocol == IPPROTO_TCP && ip4->ihl == 5 && !ip_is_fragment(ip4) &&
	       !ip_fast_csum(p, 5);
}

u32 jvpn_merge_headers(const u8 *p, u32 len)
{
	const struct tcphdr *th = tcp_of(p);
	const u32 l4 = (const u8 *)th - p;
	u32 hlen;

	if (len < l4 + sizeof(*th) || !ip_mergeable(p))
		return 0;
	hlen = l4 + th->doff * 4;
	if (th->doff < 5 || len <= hlen)
		return 0;
	return (flags_of(p) & (LONE_FLAGS | TCP_FLAG_ACK)) == TCP_FLAG_ACK ? hlen : 0;
}

/* All of IP that two segments share: the identification and what a sum covers is apart. */
static bool same_ip(const u8 *a, const u8 *b)
{
	if (is_ipv4(a))
		return !memcmp(a, b, 2) && !memcmp(a + 6, b + 6, 4) && !memcmp(a + 12, b + 12, 8);
	return !memcmp(a, b, 4) && !memcmp(a + 6, b + 6, sizeof(struct ipv6hdr) - 6);
}

/* Flags with the reserved ones, window, acknowledgement, options: as GRO compares them. */
static bool same_tcp(const u8 *a, const u8 *b, u32 hlen)
{
	const struct tcphdr *ta = tcp_of(a), *tb = tcp_of(b);
	const u32 options = hlen - ((const u8 *)(ta + 1) - a);

	return ta->source == tb->source && ta->dest == tb->dest &&
	       ta->ack_seq == tb->ack_seq &&
	       !((flags_of(a) ^ flags_of(b)) & ~LAST_FLAGS) && !memcmp(ta + 1, tb + 1, options);
}

static u8 *run_headers(const struct jvpn_run *run)
{
	const struct jvpn_chunk *c = &run->batch.chunk[0];

	return (u8 *)page_address(c->page) + c->start;
}

/*
 * IPv4: cut again, segments get rising identifications, or all the same one. The
 * second segment decides which; the same one is for packets that are never
 * fragmented.
 */
static bool id_continues(struct jvpn_run *run, const u8 *p)
{
	const struct iphdr *first = (const struct iphdr *)run_headers(run);
	const struct iphdr *ip = (const struct iphdr *)p;
	const u16 rise = ntohs(ip->id) - ntohs(first->id);

	if (!is_ipv4(p))
		return true;
	if (run->count == 1)
		run->fixed_id = !rise && ip->frag_off & htons(IP_DF);
	return rise == (run->fixed_id ? 0 : (u16)run->count);
}

static bool run_accepts(struct jvpn_run *run, const u8 *p, u32 len, u32 hlen)
{
	const u8 *first = run_headers(run);

	return hlen == run->hlen && len - hlen <= run->mss &&
	       jvpn_batch_len(&run->batch) + len - hlen <= 65535 &&
	       ntohl(tcp_of(p)->seq) == run->next_seq && same_ip(first, p) &&
	       same_tcp(first, p, hlen) && id_continues(run, p);
}

static void run_note(struct jvpn_run *run, const u8 *p, u32 payload)
{
	run->count++;
	run->next_seq = ntohl(tcp_of(p)->seq) + payload;
	run->closed = payload < run->mss || flags_of(p) & LAST_FLAGS;
	tcp_flag_word(tcp_of(run_headers(run))) |= flags_of(p) & LAST_FLAGS;
}

/* ---- memory ---- */

void jvpn_run_init(struct jvpn_run *run, u32 expect)
{
	run->count = 0;
	run->closed = false;
	jvpn_batch_init(&run->batch, expect);
}

void jvpn_run_release(struct jvpn_run *run)
{
	jvpn_batch_release(&run->batch);
}

bool jvpn_place_choose(struct jvpn_run *run, struct jvpn_place *place, u32 len)
{
	u8 *room = jvpn_batch_room(&run->batch, JVPN_MERGE_HEADERS_MAX, len);

	if (!room)
		return false;
	place->lap = run->count && !run->closed ? run->hlen : 0;
	place->at = room - place->lap;
	memcpy(place->saved, place->at, place->lap);
	return true;
}

void jvpn_place_restore(const struct jvpn_place *place)
{
	memcpy(place->at, place->saved, place->lap);
}

bool jvpn_run_join(struct jvpn_run *run, const struct jvpn_place *place, u32 len, u32 hlen,
		   struct jvpn_binding *b)
{
	if (!place->lap || !hlen || run->b != b || !run_accepts(run, place->at, len, hlen))
		return false;
	run_note(run, place->at, len - hlen);
	jvpn_place_restore(place);
	jvpn_batch_add(&run->batch, len - hlen);
	return true;
}

bool jvpn_run_begin(struct jvpn_run *run, const u8 *p, u32 len, u32 hlen,
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
	run->fixed_id = false;
	run_note(run, at, len - hlen);
	return true;
}

/* ---- the packet ---- */

/* Of one segment: nothing was changed. */
static void finish_single(struct sk_buff *skb)
{
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = ~0;
}

static struct tcphdr *finish_ipv4(struct sk_buff *skb, const struct jvpn_run *run)
{
	struct iphdr *ip = (struct iphdr *)skb->data;
	struct tcphdr *th = (struct tcphdr *)(ip + 1);

	ip->tot_len = htons(skb->len);
	ip->check = 0;
	ip->check = ip_fast_csum((u8 *)ip, ip->ihl);
	th->check = ~tcp_v4_check(skb->len - sizeof(*ip), ip->saddr, ip->daddr, 0);
	skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4 | (run->fixed_id ? SKB_GSO_TCP_FIXEDID : 0);
	return th;
}

static struct tcphdr *finish_ipv6(struct sk_buff *skb)
{
	struct ipv6hdr *ip = (struct ipv6hdr *)skb->data;
	struct tcphdr *th = (struct tcphdr *)(ip + 1);
	const u32 len = skb->len - sizeof(*ip);

	ip->payload_len = htons(len);
	th->check = ~tcp_v6_check(len, &ip->saddr, &ip->daddr, 0);
	skb_shinfo(skb)->gso_type = SKB_GSO_TCPV6;
	return th;
}

/* Headers and checksum of the super-packet, as GRO would leave them. */
static void finish_super(struct sk_buff *skb, const struct jvpn_run *run)
{
	struct tcphdr *th = is_ipv4(skb->data) ? finish_ipv4(skb, run) : finish_ipv6(skb);

	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u8 *)th - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	skb_shinfo(skb)->gso_size = run->mss;
	skb_shinfo(skb)->gso_segs = run->count;
}

/*
 * The memory was sized for all that may come; what stays this small does not keep it. Not if it is
 * a super-packet: GRO may put it behind another one, and skb_segment() takes no list in which one
 * has more than a segment in its linear part.
 */
static bool is_sparse(const struct jvpn_run *run)
{
	return run->count == 1 &&
	       jvpn_batch_len(&run->batch) < jvpn_batch_size(&run->batch) / SPARSE;
}

static struct sk_buff *run_copy(const struct jvpn_run *run)
{
	const u32 len = jvpn_batch_len(&run->batch);
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + len, GFP_ATOMIC);

	if (skb) {
		skb_reserve(skb, LL_MAX_HEADER);
		jvpn_batch_copy(&run->batch, skb_put(skb, len));
	}
	return skb;
}

static struct sk_buff *run_attach(struct jvpn_run *run)
{
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + JVPN_MERGE_HEADERS_MAX, GFP_ATOMIC);

	if (skb) {
		skb_reserve(skb, LL_MAX_HEADER);
		skb_put_data(skb, run_headers(run), run->hlen);
		run->batch.chunk[0].start += run->hlen;
		jvpn_batch_attach(&run->batch, skb);
	}
	return skb;
}

struct sk_buff *jvpn_run_finish(struct jvpn_run *run)
{
	struct sk_buff *skb = is_sparse(run) ? run_copy(run) : NULL;

	if (!skb)
		skb = run_attach(run);
	if (skb) {
		if (run->count > 1)
			finish_super(skb, run);
		else
			finish_single(skb);
	}
	jvpn_run_release(run);
	jvpn_run_init(run, run->batch.expect);
	return skb;
}
