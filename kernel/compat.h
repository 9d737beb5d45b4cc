/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernels that jvpn is built for, by the probes of
 * compat/probe.mk. Everything else is written for the newest form.
 */
#ifndef JVPN_COMPAT_H
#define JVPN_COMPAT_H

#include <crypto/chacha.h>
#include <linux/hrtimer.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/ip_tunnels.h>
#include <net/route.h>
#include <net/rtnetlink.h>
#include <net/udp_tunnel.h>

#ifdef JVPN_HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif
#ifdef JVPN_HAVE_CRYPTO_UTILS
#include <crypto/utils.h>
#else
#include <crypto/algapi.h>
#endif
#ifdef JVPN_HAVE_NET_GSO
#include <net/gso.h>
#endif

#ifdef JVPN_HAVE_CHACHA_STATE
#define jvpn_chacha_words(state) (state)
#else
struct chacha_state {
	u32 x[CHACHA_STATE_WORDS];
};

#define jvpn_chacha_words(state) ((state)->x)
#endif

#ifndef JVPN_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/* Before it had a name it was the default. */
#ifndef JVPN_HAVE_WQ_PERCPU
#define WQ_PERCPU 0
#endif

#ifndef dst_rtable
#define dst_rtable(dst) container_of(dst, struct rtable, dst)
#endif

/* What iptunnel_xmit() does against tunnels that lead into one another, where it does it. */
static inline bool jvpn_tunnel_enter(void)
{
#ifdef JVPN_HAVE_TUNNEL_RECURSION
	if (dev_recursion_level() > IP_TUNNEL_RECURSION_LIMIT)
		return false;
	dev_xmit_recursion_inc();
#endif
	return true;
}

static inline void jvpn_tunnel_leave(void)
{
#ifdef JVPN_HAVE_TUNNEL_RECURSION
	dev_xmit_recursion_dec();
#endif
}

#if IS_ENABLED(CONFIG_IPV6)
static inline void jvpn_tunnel_xmit6(struct dst_entry *dst, struct sock *sk,
				     struct sk_buff *skb, struct in6_addr *src,
				     struct in6_addr *to, u8 tos, u8 ttl, __be16 sport,
				     __be16 dport)
{
#ifdef JVPN_HAVE_TUNNEL_FLAGS
	udp_tunnel6_xmit_skb(dst, sk, skb, NULL, src, to, tos, ttl, 0, sport, dport, false, 0);
#else
	udp_tunnel6_xmit_skb(dst, sk, skb, NULL, src, to, tos, ttl, 0, sport, dport, false);
#endif
}
#endif

#ifdef JVPN_HAVE_NEWLINK_PARAMS
#define JVPN_NEWLINK_ARGS						\
	struct net_device *dev, struct rtnl_newlink_params *params,	\
	struct netlink_ext_ack *extack
#define jvpn_newlink_net(params) rtnl_newlink_link_net(params)
#else
#define JVPN_NEWLINK_ARGS						\
	struct net *params, struct net_device *dev, struct nlattr *tb[],	\
	struct nlattr *data[], struct netlink_ext_ack *extack
#define jvpn_newlink_net(params) (params)
#endif

static inline int jvpn_kernel_bind(struct socket *sock, void *addr, int len)
{
#ifdef JVPN_HAVE_SOCKADDR_UNSIZED
	return kernel_bind(sock, (struct sockaddr_unsized *)addr, len);
#else
	return kernel_bind(sock, (struct sockaddr *)addr, len);
#endif
}

static inline void jvpn_netdev_set_lltx(struct net_device *dev)
{
#ifdef JVPN_HAVE_DEV_LLTX
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

/* Who may listen to events; older kernels say it by the flag of operations. */
#ifdef GENL_MCAST_CAP_NET_ADMIN
#define JVPN_MCAST_FLAGS GENL_MCAST_CAP_NET_ADMIN
#else
#define JVPN_MCAST_FLAGS GENL_UNS_ADMIN_PERM
#endif

static inline struct nlattr **jvpn_dump_attrs(struct netlink_callback *cb)
{
#ifdef JVPN_HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

#endif
