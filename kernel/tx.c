// SPDX-License-Identifier: GPL-2.0
/*
 * The send path, in packet order: whose is it, may it go now, does it fit,
 * then as a batch or alone through the cipher and out of the socket.
 *
 * An inner TCP super-packet becomes one outer UDP super-packet: its segments
 * are written one behind the other, each with its own headers, checksum,
 * counter and tag, without a packet buffer of their own. Routing, netfilter
 * and queueing are then passed once for all of them.
 */
#include "tx.h"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/icmp.h>
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>
#include <net/ip_tunnels.h>
#include <net/ndisc.h>
#include <net/tcp.h>

#include "batch.h"
#include "binding.h"
#include "compat.h"
#include "core/wire.h"
#include "device.h"
#include "hold.h"
#include "owner.h"
#include "session.h"
#include "socket.h"

#define DATA_HDR sizeof(struct jvpn_wire_data)
#define DATA_OVERHEAD JVPN_WIRE_DATA_OVERHEAD
/* UDP_MAX_SEGMENTS of the oldest kernel. */
#define SEGMENTS_MAX 64
#define OUTER_MAX (65535 - sizeof(struct ipv6hdr) - sizeof(struct udphdr))
/* Inner packets that are larger leave alone: not even one has room in a batch. */
#define SEGMENT_MAX (OUTER_MAX - DATA_OVERHEAD)

/**
 * struct send - one packet on its way out
 * @s: its session
 * @b: the binding that it leaves by
 * @skb: the inner packet
 * @route: way of the outer packets
 * @told: largest inner packet that its sender may send by what we know
 * @whole: largest one that is not fragmented outside
 * @tos: outer DS field
 * @df: outer packets that are whole must not be fragmented further on
 * @how: how the others are
 * @again: it has waited for the binding
 */
struct send {
	struct jvpn_session *s;
	struct jvpn_binding *b;
	struct sk_buff *skb;
	struct jvpn_route route;
	u32 told;
	u32 whole;
	u8 tos;
	bool df;
	bool again;
	struct jvpn_fragmenting how;
};

static void tx_drop(struct jvpn_session *s, struct sk_buff *skb, enum jvpn_counter cause)
{
	jvpn_session_count_drop(s, false);
	jvpn_drop(s->jd, skb, cause);
}

static bool is_ipv6(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IPV6);
}

static void write_header(u8 *p, const struct jvpn_epoch *e, u64 counter)
{
	struct jvpn_wire_data *h = (struct jvpn_wire_data *)p;

	h->hdr.type = JVPN_MSG_DATA;
	h->hdr.proto = JVPN_WIRE_PROTO;
	h->hdr.zero = 0;
	h->idx = cpu_to_le32(e->tx_index);
	h->ctr = cpu_to_le64(counter);
}

/* What queues of the underlay may know of an inner packet, beside its size: see outer_scrub(). */
static void copy_traits(struct sk_buff *outer, const struct sk_buff *inner)
{
	outer->priority = inner->priority;
	skb_copy_hash(outer, inner);
}

/* ---- a batch: an inner TCP super-packet ---- */

static __sum16 tcp_checksum(const u8 *ip, const struct tcphdr *th, u32 len, u32 th_len,
			    __wsum payload, bool v6)
{
	__wsum sum = csum_partial(th, th_len, payload);

	if (v6) {
		const struct ipv6hdr *ip6 = (const struct ipv6hdr *)ip;

		return tcp_v6_check(len, &ip6->saddr, &ip6->daddr, sum);
	}
	return tcp_v4_check(len, ((const struct iphdr *)ip)->saddr,
			    ((const struct iphdr *)ip)->daddr, sum);
}

/**
 * struct segmenter - cuts an inner TCP super-packet
 * @skb: the super-packet
 * @l4: offset of its TCP header
 * @hlen: octets of all its headers
 * @mss: payload of each segment but the last
 * @count: segments
 * @v6: it is IPv6
 */
struct segmenter {
	struct sk_buff *skb;
	u32 l4;
	u32 hlen;
	u32 mss;
	u32 count;
	bool v6;
};

static u32 segment_payload(const struct segmenter *seg, u32 i)
{
	return min(seg->mss, seg->skb->len - seg->hlen - i * seg->mss);
}

static void segment_ip(const struct segmenter *seg, u8 *ip, u32 i, u32 len)
{
	struct iphdr *ip4 = (struct iphdr *)ip;

	if (seg->v6) {
		((struct ipv6hdr *)ip)->payload_len = htons(len - sizeof(struct ipv6hdr));
		return;
	}
	ip4->tot_len = htons(len);
	ip4->id = htons(ntohs(ip4->id) + i);
	ip4->check = 0;
	ip4->check = ip_fast_csum(ip, ip4->ihl);
}

/* Write segment @i, complete with checksums, to @out. Return: its octets. */
static u32 segment_write(const struct segmenter *seg, u32 i, u8 *out)
{
	struct tcphdr *th = (struct tcphdr *)(out + seg->l4);
	u32 payload = segment_payload(seg, i);
	u32 len = seg->hlen + payload;
	__wsum sum;

	memcpy(out, seg->skb->data, seg->hlen);
	sum = skb_copy_and_csum_bits(seg->skb, seg->hlen + i * seg->mss, out + seg->hlen,
				     payload);
	segment_ip(seg, out, i, len);
	th->seq = htonl(ntohl(th->seq) + i * seg->mss);
	if (i + 1 < seg->count) {
		th->fin = 0;
		th->psh = 0;
	}
	if (i)
		th->cwr = 0;
	th->check = 0;
	th->check = tcp_checksum(out, th, len - seg->l4, seg->hlen - seg->l4, sum, seg->v6);
	return len;
}

/* Segments [@from, @to) as one outer packet; NULL without memory. */
static struct sk_buff *batch_build(const struct send *send, const struct segmenter *seg,
				   u32 from, u32 to, u64 counter)
{
	u32 size = DATA_OVERHEAD + seg->hlen + seg->mss;
	struct jvpn_epoch *e = &send->b->epoch;
	struct jvpn_batch batch;
	struct sk_buff *outer;
	u32 i, len;
	u8 *p;

	jvpn_batch_init(&batch, (to - from) * size);
	for (i = from; i < to; i++) {
		p = jvpn_batch_room(&batch, 0, size);
		if (!p)
			goto err;
		len = segment_write(seg, i, p + DATA_HDR);
		write_header(p, e, counter + i);
		jvpn_aead_seal(&e->tx, counter + i, p, p + DATA_HDR, len);
		jvpn_batch_add(&batch, len + DATA_OVERHEAD);
	}
	outer = alloc_skb(JVPN_HEADROOM, GFP_ATOMIC);
	if (!outer)
		goto err;
	skb_reserve(outer, JVPN_HEADROOM);
	jvpn_batch_attach(&batch, outer);
	copy_traits(outer, send->skb);
	if (to - from > 1) {
		skb_shinfo(outer)->gso_size = size;
		skb_shinfo(outer)->gso_segs = to - from;
		skb_shinfo(outer)->gso_type = SKB_GSO_UDP_L4;
	}
	return outer;

err:
	jvpn_batch_release(&batch);
	return NULL;
}

/* Where nothing may be lost for its size, DF is left to those who ask for it. */
static void send_outer(struct send *send, struct sk_buff *outer, u32 len)
{
	static const struct jvpn_fragmenting never;
	bool whole = len <= send->whole;

	if (!whole)
		jvpn_count(send->s->jd, JVPN_C_TX_FRAGMENTED, 1);
	jvpn_socket_send(send->b, &send->route, outer, send->tos,
			 whole && send->df ? &never : &send->how);
}

static void batch_count(struct send *send, u32 segments, u32 bytes)
{
	jvpn_count(send->s->jd, JVPN_C_TX_BATCHES, 1);
	jvpn_count(send->s->jd, JVPN_C_TX_DATAGRAMS, segments);
	jvpn_count(send->s->jd, JVPN_C_TX_PACKETS, segments);
	jvpn_count(send->s->jd, JVPN_C_TX_BYTES, bytes);
	jvpn_session_count_tx(send->s, segments, bytes);
}

static void send_batch(struct send *send, const struct segmenter *seg)
{
	u32 most = min_t(u32, SEGMENTS_MAX, OUTER_MAX / (DATA_OVERHEAD + seg->hlen + seg->mss));
	struct sk_buff *outer;
	u64 counter;
	u32 i, n;

	if (!jvpn_epoch_reserve(&send->b->epoch, seg->count, &counter)) {
		tx_drop(send->s, send->skb, JVPN_C_TX_DROP_COUNTER);
		return;
	}
	for (i = 0; i < seg->count; i += n) {
		n = min(most, seg->count - i);
		outer = batch_build(send, seg, i, i + n, counter);
		if (!outer) {
			tx_drop(send->s, send->skb, JVPN_C_TX_DROP_NOMEM);
			return;
		}
		batch_count(send, n, outer->len - n * DATA_OVERHEAD);
		if (i + n == seg->count)
			jvpn_owner_hand_over(outer, send->skb);
		send_outer(send, outer, seg->hlen + seg->mss);
	}
	consume_skb(send->skb);
}

/* Offset of the TCP header by what the IP header says, 0 if there is none. */
static u32 tcp_offset(const struct sk_buff *skb)
{
	u8 proto;
	__be16 frag_off;
	int l4;

	if (!is_ipv6(skb)) {
		const struct iphdr *ip = ip_hdr(skb);

		return ip->ihl >= 5 && ip->protocol == IPPROTO_TCP && !ip_is_fragment(ip) ?
		       ip_hdrlen(skb) : 0;
	}
	proto = ipv6_hdr(skb)->nexthdr;
	l4 = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), &proto, &frag_off);
	return l4 > 0 && proto == IPPROTO_TCP && !frag_off ? l4 : 0;
}

/*
 * Can this super-packet be cut here? What cannot is left to the stack. Where its headers are is
 * read from the packet: if it comes from a guest or a program (SKB_GSO_DODGY), whatever is said
 * beside it may be wrong.
 */
static bool segmenter_init(struct segmenter *seg, struct sk_buff *skb)
{
	const int known = SKB_GSO_TCPV4 | SKB_GSO_TCPV6 | SKB_GSO_TCP_ECN | SKB_GSO_DODGY;
	const int type = skb_shinfo(skb)->gso_type;

	if (!(type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6)) || (type & ~known) ||
	    skb->encapsulation || skb->ip_summed != CHECKSUM_PARTIAL ||
	    skb_has_frag_list(skb))
		return false;
	seg->skb = skb;
	seg->v6 = is_ipv6(skb);
	seg->l4 = tcp_offset(skb);
	if (!seg->l4 || skb_checksum_start_offset(skb) != seg->l4 ||
	    skb->csum_offset != offsetof(struct tcphdr, check) ||
	    !(type & (seg->v6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4)))
		return false;
	if (!pskb_may_pull(skb, seg->l4 + sizeof(struct tcphdr)))
		return false;
	seg->hlen = seg->l4 + 4 * ((struct tcphdr *)(skb->data + seg->l4))->doff;
	if (seg->hlen < seg->l4 + sizeof(struct tcphdr) || !pskb_may_pull(skb, seg->hlen))
		return false;
	seg->mss = skb_shinfo(skb)->gso_size;
	if (!seg->mss || skb->len <= seg->hlen)
		return false;
	seg->count = DIV_ROUND_UP(skb->len - seg->hlen, seg->mss);
	return true;
}

/* ---- alone ---- */

static bool sealable_in_place(const struct sk_buff *skb)
{
	return !skb_is_nonlinear(skb) && !skb_cloned(skb) && !skb_shared(skb) &&
	       skb_headroom(skb) >= JVPN_HEADROOM + DATA_HDR &&
	       skb_tailroom(skb) >= JVPN_TAG_SIZE;
}

/* A packet buffer whose data is the inner packet and which may be overwritten. */
static struct sk_buff *outer_of(struct sk_buff *skb)
{
	u32 head = JVPN_HEADROOM + DATA_HDR;
	struct sk_buff *outer;

	if (sealable_in_place(skb)) {
		skb_zcopy_clear(skb, false);
		jvpn_owner_settle(skb);
		return skb;
	}
	outer = alloc_skb(head + skb->len + JVPN_TAG_SIZE, GFP_ATOMIC);
	if (!outer)
		return NULL;
	skb_reserve(outer, head);
	if (skb_copy_bits(skb, 0, skb_put(outer, skb->len), skb->len)) {
		kfree_skb(outer);
		return NULL;
	}
	copy_traits(outer, skb);
	jvpn_owner_hand_over(outer, skb);
	consume_skb(skb);
	return outer;
}

static void seal_skb(struct sk_buff *skb, struct jvpn_epoch *e, u64 counter)
{
	u32 len = skb->len;
	u8 *p;

	skb_put(skb, JVPN_TAG_SIZE);
	p = skb_push(skb, DATA_HDR);
	write_header(p, e, counter);
	jvpn_aead_seal(&e->tx, counter, p, p + DATA_HDR, len);
}

/* Where the checksum is to be may have been said by a guest or a program. */
static int finish_checksum(struct sk_buff *skb)
{
	int start = skb_checksum_start_offset(skb);
	int end = start + skb->csum_offset + sizeof(__sum16);

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return 0;
	if (start < 0 || end > skb->len)
		return -EINVAL;
	if (!pskb_may_pull(skb, end))
		return -ENOMEM;
	return skb_checksum_help(skb);
}

static void drop_unfit(struct jvpn_session *s, struct sk_buff *skb, int err)
{
	tx_drop(s, skb, err == -ENOMEM ? JVPN_C_TX_DROP_NOMEM : JVPN_C_TX_DROP_PROTOCOL);
}

static void send_single(struct send *send, struct sk_buff *skb)
{
	int err = finish_checksum(skb);
	struct sk_buff *outer;
	u32 len = skb->len;
	u64 counter;

	if (err) {
		drop_unfit(send->s, skb, err);
		return;
	}
	if (!jvpn_epoch_reserve(&send->b->epoch, 1, &counter)) {
		tx_drop(send->s, skb, JVPN_C_TX_DROP_COUNTER);
		return;
	}
	outer = outer_of(skb);
	if (!outer) {
		tx_drop(send->s, skb, JVPN_C_TX_DROP_NOMEM);
		return;
	}
	seal_skb(outer, &send->b->epoch, counter);
	batch_count(send, 1, len);
	send_outer(send, outer, len);
}

/* ---- what applies to both ---- */

/*
 * RFC 8200 section 5: an IPv6 sender need not go below 1280, so what is that
 * small is fragmented outside (RFC 2473 section 7.1). IPv4 without DF always is.
 */
static u32 most_accepted(const struct send *send, const struct sk_buff *skb)
{
	if (is_ipv6(skb))
		return max_t(u32, send->told, IPV6_MIN_MTU);
	return ip_hdr(skb)->frag_off & htons(IP_DF) ? send->told : U32_MAX;
}

static void refuse_too_big(struct send *send, struct sk_buff *skb, u32 mtu)
{
	if (is_ipv6(skb))
		icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	else
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
	tx_drop(send->s, skb, JVPN_C_TX_DROP_TOO_BIG);
}

/*
 * May the sender be told to send less if this does not pass? Then DF finds out.
 * Not before a size is confirmed: the network may have to cut what is larger.
 */
static bool wants_df(const struct send *send, const struct sk_buff *skb, u32 len)
{
	if (send->how.learned || send->whole < send->told)
		return false;
	return is_ipv6(skb) ? len > IPV6_MIN_MTU : !!(ip_hdr(skb)->frag_off & htons(IP_DF));
}

static void send_one(struct send *send, struct sk_buff *skb)
{
	u32 most = most_accepted(send, skb);

	if (skb->len > most) {
		refuse_too_big(send, skb, most);
		return;
	}
	send->df = wants_df(send, skb, skb->len);
	send_single(send, skb);
}

/* Super-packets of other kinds are cut by the stack. */
static void send_split(struct send *send)
{
	struct sk_buff *segs = skb_gso_segment(send->skb, 0), *skb, *next;

	if (IS_ERR_OR_NULL(segs)) {
		drop_unfit(send->s, send->skb, PTR_ERR_OR_ZERO(segs));
		return;
	}
	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		send_one(send, skb);
	}
	/* Last: they share its pages, which may be a ring's that is written to again. */
	consume_skb(send->skb);
}

/* No TCP makes such segments: somebody wants one packet to become tens of thousands. */
static bool is_shredded(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6) &&
	       skb_shinfo(skb)->gso_size < TCP_MIN_GSO_SIZE;
}

static void send_fitting(struct send *send)
{
	u32 most = most_accepted(send, send->skb);
	struct segmenter seg;

	if (!skb_is_gso(send->skb)) {
		send_one(send, send->skb);
	} else if (is_shredded(send->skb)) {
		drop_unfit(send->s, send->skb, -EINVAL);
	} else if (!segmenter_init(&seg, send->skb)) {
		send_split(send);
	} else if (seg.hlen + seg.mss > most) {
		refuse_too_big(send, send->skb, most);
	} else if (seg.hlen + seg.mss > min_t(u32, send->whole, SEGMENT_MAX)) {
		send_split(send);
	} else {
		send->df = wants_df(send, send->skb, seg.hlen + seg.mss);
		send_batch(send, &seg);
	}
}

/* Does it mean that there is no way out, and not only that none was found this time? */
static bool route_is_lost(int err)
{
	switch (err) {
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -ENETDOWN:
	case -EACCES:		/* prohibited */
	case -EINVAL:		/* a black hole */
	case -EADDRNOTAVAIL:	/* no address to send from */
	case -ENODEV:
	case -ENOTCONN:		/* the socket is closed */
		return true;
	default:
		return false;
	}
}

static enum jvpn_counter route_cause(int err)
{
	if (err == -ELOOP)
		return JVPN_C_TX_DROP_LOOP;
	return err == -ENOMEM || err == -ENOBUFS ? JVPN_C_TX_DROP_NOMEM : JVPN_C_TX_DROP_ROUTE;
}

static u32 inner_of(u32 payload)
{
	return payload - min_t(u32, payload, DATA_OVERHEAD);
}

/* What fits, by the link and by what heartbeats have found. */
static void send_measure(struct send *send)
{
	u32 link = send->route.mtu - min(send->route.mtu, send->route.overhead);
	struct jvpn_path path = jvpn_probe_path(send->s);
	u32 payload = path.size ? min(path.size, link) : link;

	send->whole = inner_of(payload);
	send->told = path.searching ? inner_of(link) : send->whole;
	send->how = jvpn_fragment_at(&send->route, path.size ? payload : 0);
}

/* The way out is gone: the client's kernel knows it first, and says so. */
static void route_failed(struct send *send, int err)
{
	struct jvpn_session *s = send->s;

	if (s->role == JVPN_ROLE_CLIENT && route_is_lost(err) &&
	    jvpn_binding_kernel(s, send->b, JVPN_EVENT_TRANSPORT_DEAD,
				JVPN_REASON_ROUTE_LOST) &&
	    jvpn_hold_add(s, send->skb, send->again))
		return;
	tx_drop(s, send->skb, route_cause(err));
}

static void send_over(struct jvpn_session *s, struct jvpn_binding *b, struct sk_buff *skb,
		      bool again)
{
	struct send send = { .s = s, .b = b, .skb = skb, .again = again };
	u64 now = jvpn_now_coarse_ms();
	u32 len = skb_is_gso(skb) ? U32_MAX : skb->len;
	int err;

	if (jvpn_epoch_expired(&b->epoch, READ_ONCE(s->policy.reject_after_ms), now)) {
		tx_drop(s, skb, JVPN_C_TX_DROP_COUNTER);
		return;
	}
	err = jvpn_socket_route(b, &send.route);
	if (err) {
		route_failed(&send, err);
		return;
	}
	send_measure(&send);
	/* RFC 6040 normal mode: the mark as it is, also CE, and no DSCP. */
	send.tos = ip_tunnel_get_dsfield(ip_hdr(skb), skb) & INET_ECN_MASK;
	/* While it can be read: queues of the underlay keep the flows of a tunnel apart. */
	skb_get_hash(skb);
	send_fitting(&send);
	jvpn_route_put(&send.route);
	jvpn_probe_data(s, now, len);
	jvpn_probe_hint(s, b->transport.socket);
}

static void report_unreachable(struct sk_buff *skb)
{
	if (is_ipv6(skb))
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
	else
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
}

void jvpn_tx_bound(struct jvpn_session *s, struct sk_buff *skb, bool again)
{
	struct jvpn_binding *b = rcu_dereference(s->binding);

	if (b) {
		send_over(s, b, skb, again);
	} else if (!jvpn_hold_add(s, skb, again)) {
		report_unreachable(skb);
		tx_drop(s, skb, JVPN_C_TX_DROP_STATE);
	}
}

/* The next hop if the route has one, else the destination, finds the session. */
static struct jvpn_session *session_of4(struct jvpn_table *t, const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	struct jvpn_session *s = NULL;

	if (rt && rt->rt_gw_family == AF_INET)
		s = jvpn_table_match4(t, rt->rt_gw4);
	else if (rt && rt->rt_gw_family == AF_INET6)
		s = jvpn_table_match6(t, &rt->rt_gw6);
	return s ? s : jvpn_table_match4(t, ip_hdr(skb)->daddr);
}

static struct jvpn_session *session_of6(struct jvpn_table *t, const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);
	const struct in6_addr *daddr = &ipv6_hdr(skb)->daddr;
	struct jvpn_session *s = NULL;

	if (dst) {
		const struct rt6_info *rt = container_of(dst, struct rt6_info, dst);

		if (rt->rt6i_flags & RTF_GATEWAY)
			s = jvpn_table_match6(t, &rt->rt6i_gateway);
	}
	return s ? s : jvpn_table_match6(t, daddr);
}

/* What another tunnel has noted about the packet looks like a route, but is of no family. */
static bool is_routed(const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	return dst && dst->ops->family == (is_ipv6(skb) ? AF_INET6 : AF_INET);
}

static bool is_inner_ip(struct sk_buff *skb)
{
	if (skb_network_offset(skb))
		return false;
	if (skb->protocol == htons(ETH_P_IP))
		return pskb_network_may_pull(skb, sizeof(struct iphdr)) &&
		       ip_hdr(skb)->version == 4;
	if (skb->protocol == htons(ETH_P_IPV6))
		return pskb_network_may_pull(skb, sizeof(struct ipv6hdr)) &&
		       ipv6_hdr(skb)->version == 6;
	return false;
}

/*
 * Peers behind one interface are no neighbours: none can reach another but through this end, so
 * nobody can follow a redirect. What the settings of the interface do not prevent ends here.
 */
static bool is_redirect(struct sk_buff *skb)
{
	u32 len = is_ipv6(skb) ? sizeof(struct ipv6hdr) : ip_hdrlen(skb);

	if (is_ipv6(skb) ? ipv6_hdr(skb)->nexthdr != IPPROTO_ICMPV6 :
	    ip_hdr(skb)->protocol != IPPROTO_ICMP || ip_hdr(skb)->frag_off & htons(IP_OFFSET))
		return false;
	if (!pskb_network_may_pull(skb, len + sizeof(u8)))
		return false;
	return skb_network_header(skb)[len] ==
	       (is_ipv6(skb) ? NDISC_REDIRECT : ICMP_REDIRECT);
}

static void route_inner(struct jvpn_device *jd, struct sk_buff *skb)
{
	struct jvpn_session *s;

	s = is_ipv6(skb) ? session_of6(&jd->table, skb) : session_of4(&jd->table, skb);
	if (!s) {
		report_unreachable(skb);
		jvpn_drop(jd, skb, JVPN_C_TX_DROP_NO_SESSION);
		return;
	}
	if (!READ_ONCE(s->holding) || !jvpn_hold_add(s, skb, false))
		jvpn_tx_bound(s, skb, false);
}

netdev_tx_t jvpn_tx_start(struct sk_buff *skb, struct net_device *dev)
{
	struct jvpn_device *jd = netdev_priv(dev);

	if (!is_inner_ip(skb)) {
		jvpn_drop(jd, skb, JVPN_C_TX_DROP_PROTOCOL);
		return NETDEV_TX_OK;
	}
	if (!is_routed(skb))
		skb_dst_drop(skb);
	if (is_redirect(skb)) {
		jvpn_drop(jd, skb, JVPN_C_TX_DROP_REDIRECT);
		return NETDEV_TX_OK;
	}
	rcu_read_lock();
	route_inner(jd, skb);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

static int message_send(struct jvpn_binding *b, const void *data, u32 len, u32 pad,
			const struct jvpn_route *route, const struct jvpn_fragmenting *how,
			u64 *counter)
{
	struct jvpn_device *jd = b->session->jd;
	u32 size = max(len, pad);
	struct sk_buff *skb;

	skb = alloc_skb(JVPN_HEADROOM + DATA_OVERHEAD + size, GFP_ATOMIC);
	if (!skb)
		return -ENOMEM;
	if (!jvpn_epoch_reserve(&b->epoch, 1, counter)) {
		kfree_skb(skb);
		return -EKEYEXPIRED;
	}
	skb_reserve(skb, JVPN_HEADROOM + DATA_HDR);
	skb_put_data(skb, data, len);
	skb_put_zero(skb, size - len);
	seal_skb(skb, &b->epoch, *counter);
	jvpn_count(jd, JVPN_C_TX_DATAGRAMS, 1);
	jvpn_count(jd, JVPN_C_TX_HEARTBEATS, 1);
	jvpn_socket_send(b, route, skb, 0, how);
	return 0;
}

int jvpn_tx_message(struct jvpn_binding *b, const void *data, u32 len, u32 pad, u64 *counter)
{
	struct jvpn_fragmenting how = {};
	struct jvpn_route route;
	int err;

	err = jvpn_socket_route(b, &route);
	if (err) {
		jvpn_count(b->session->jd, route_cause(err), 1);
		return err;
	}
	/* A small one always passes; a padded one is there to show whether it does. */
	if (!pad)
		how = jvpn_fragment_at(&route, 0);
	err = message_send(b, data, len, inner_of(pad), &route, &how, counter);
	jvpn_route_put(&route);
	return err;
}

u32 jvpn_tx_link(struct jvpn_binding *b, u32 *floor)
{
	struct jvpn_route route;
	u32 link;

	if (jvpn_socket_route(b, &route))
		return 0;
	link = route.mtu - min(route.mtu, route.overhead);
	jvpn_route_put(&route);
	*floor = b->transport.remote.family == AF_INET ? JVPN_MTU_FLOOR4 : JVPN_MTU_FLOOR6;
	return link;
}

u32 jvpn_tx_room(struct jvpn_binding *b)
{
	struct send send = { .s = b->session, .b = b };

	if (jvpn_socket_route(b, &send.route))
		return 0;
	send_measure(&send);
	jvpn_route_put(&send.route);
	return send.told;
}
