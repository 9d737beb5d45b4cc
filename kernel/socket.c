// SPDX-License-Identifier: GPL-2.0
#include "socket.h"

#include <linux/errqueue.h>
#include <linux/net.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ip_fib.h>
#include <net/lwtunnel.h>
#include <net/route.h>
#include <net/udp.h>

#include "binding.h"
#include "compat.h"
#include "device.h"
#include "session.h"

atomic_t jvpn_sockets_alive = ATOMIC_INIT(0);

/* What it receives waits in lanes; here while another processor takes from it. */
#define SOCKET_RCVBUF (8 << 20)

static void socket_data_ready(struct sock *sk)
{
	struct jvpn_socket *js;

	jvpn_path_enter();
	js = rcu_dereference_sk_user_data(sk);
	if (js)
		jvpn_lanes_feed(js, sk);
	jvpn_path_leave();
}

/*
 * ICMP errors end here: whether the path is dead or narrow is decided by
 * heartbeats, which cannot be forged. That something was too large makes them
 * look sooner.
 */
static void socket_error_report(struct sock *sk)
{
	struct jvpn_socket *js;
	struct sk_buff *skb;
	bool hint = false;

	sock_error(sk);
	while ((skb = sock_dequeue_err_skb(sk))) {
		hint |= SKB_EXT_ERR(skb)->ee.ee_errno == EMSGSIZE;
		consume_skb(skb);
	}
	if (!hint)
		return;
	rcu_read_lock();
	js = rcu_dereference_sk_user_data(sk);
	if (js)
		WRITE_ONCE(js->too_big, READ_ONCE(js->too_big) + 1);
	rcu_read_unlock();
}

static int socket_bind(struct socket *sock, const struct jvpn_socket_params *params)
{
	struct sockaddr_in6 a6 = {
		.sin6_family = AF_INET6,
		.sin6_port = params->local.port,
		.sin6_addr = params->local.v6,
		.sin6_scope_id = params->ifindex,
	};
	struct sockaddr_in a4 = {
		.sin_family = AF_INET,
		.sin_port = params->local.port,
		.sin_addr.s_addr = params->local.v4,
	};

	if (params->local.family == AF_INET)
		return jvpn_kernel_bind(sock, &a4, sizeof(a4));
	return jvpn_kernel_bind(sock, &a6, sizeof(a6));
}

/*
 * Who takes from it is in softirq and holds a lock: if it polled a device then,
 * that would deliver to the same socket.
 */
static void socket_never_polls(struct sock *sk)
{
#ifdef CONFIG_NET_RX_BUSY_POLL
	WRITE_ONCE(sk->sk_ll_usec, 0);
#endif
}

static int socket_option(struct socket *sock, int level, int option, int value)
{
	return sock->ops->setsockopt(sock, level, option, KERNEL_SOCKPTR(&value), sizeof(value));
}

/* What ICMP says of an MTU is heard as an error, and never limits what is sent. */
static int socket_ignore_pmtu(struct socket *sock, int family)
{
	int err;

	if (family == AF_INET)
		err = socket_option(sock, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE) ?:
		      socket_option(sock, SOL_IP, IP_RECVERR, 1);
	else
		/* With IPV6_PMTUDISC_INTERFACE the error would not be heard of. */
		err = socket_option(sock, SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) ?:
		      socket_option(sock, SOL_IPV6, IPV6_RECVERR, 1);
	return err;
}

static int socket_configure(struct socket *sock, const struct jvpn_socket_params *params)
{
	struct sock *sk = sock->sk;
	int err = 0;

	if (params->local.family == AF_INET6)
		err = ip6_sock_set_v6only(sk);
	if (!err && params->ifindex)
		err = sock_bindtoindex(sk, params->ifindex, true);
	if (!err)
		err = socket_option(sock, SOL_UDP, UDP_GRO, 1);
	if (!err)
		err = socket_ignore_pmtu(sock, params->local.family);
	lock_sock(sk);
	sk->sk_allocation = GFP_ATOMIC;
	sk->sk_mark = params->mark;
	WRITE_ONCE(sk->sk_rcvbuf, SOCKET_RCVBUF);
	WRITE_ONCE(sk->sk_sndbuf, INT_MAX);
	socket_never_polls(sk);
	release_sock(sk);
	return err;
}

static void socket_attach(struct jvpn_socket *js, struct socket *sock)
{
	struct sock *sk = sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_sk_user_data(sk, js);
	sk->sk_data_ready = socket_data_ready;
	sk->sk_error_report = socket_error_report;
	write_unlock_bh(&sk->sk_callback_lock);
	/* What came while it was nobody's. */
	socket_data_ready(sk);
}

/* Binding to an index does not ask whether there is such an interface. */
static bool socket_link_exists(struct net *net, int ifindex)
{
	bool found;

	rcu_read_lock();
	found = dev_get_by_index_rcu(net, ifindex);
	rcu_read_unlock();
	return found;
}

static bool is_same_site(const struct jvpn_socket *js, const struct jvpn_socket_params *params)
{
	const struct jvpn_site site = jvpn_socket_site(js);

	return site.ifindex == params->ifindex && jvpn_addr_equal(&site.local, &params->local);
}

/*
 * Sockets of one device may stand beside each other on a port, one for an
 * address and one for all: the more exact one receives. They share it as
 * SO_REUSEPORT does, that is with sockets of the same user alone, and only for
 * as long as it takes to bind: SO_REUSEADDR would let any user's socket in.
 */
static void sockets_share(struct jvpn_device *jd, const struct jvpn_socket_params *params,
			  bool share)
{
	struct jvpn_socket *js;
	struct socket *sock;
	unsigned long id;

	lockdep_assert_held(&jd->mutex);
	xa_for_each(&jd->sockets, id, js) {
		if (js->family != params->local.family || js->port != params->local.port)
			continue;
		sock = rcu_dereference_protected(js->sock, lockdep_is_held(&jd->mutex));
		lock_sock(sock->sk);
		sock->sk->sk_reuseport = share;
		release_sock(sock->sk);
	}
}

static bool sockets_hold(struct jvpn_device *jd, const struct jvpn_socket_params *params)
{
	struct jvpn_socket *js;
	unsigned long id;

	xa_for_each(&jd->sockets, id, js)
		if (js->family == params->local.family && is_same_site(js, params))
			return true;
	return false;
}

static int socket_bind_beside(struct jvpn_device *jd, struct socket *sock,
			      const struct jvpn_socket_params *params)
{
	int err;

	if (!params->local.port)
		return socket_bind(sock, params);
	if (sockets_hold(jd, params))
		return -EADDRINUSE;
	sockets_share(jd, params, true);
	sock->sk->sk_reuseport = true;
	err = socket_bind(sock, params);
	sock->sk->sk_reuseport = false;
	sockets_share(jd, params, false);
	return err;
}

static int socket_create(struct jvpn_device *jd, const struct jvpn_socket_params *params,
			 struct socket **out, struct netlink_ext_ack *extack)
{
	struct socket *sock;
	int err;

	if (params->ifindex && !socket_link_exists(jd->birth_net, params->ifindex)) {
		NL_SET_ERR_MSG(extack, "No interface of index bind-ifindex");
		return -ENODEV;
	}
	err = sock_create_kern(jd->birth_net, params->local.family, SOCK_DGRAM, IPPROTO_UDP,
			       &sock);
	if (err) {
		NL_SET_ERR_MSG(extack, "Cannot make a UDP socket of this address family");
		return err;
	}
	err = socket_configure(sock, params);
	if (err) {
		NL_SET_ERR_MSG(extack, "Cannot bind the socket to that interface");
		goto err_release;
	}
	err = socket_bind_beside(jd, sock, params);
	if (err) {
		NL_SET_ERR_MSG(extack, "Cannot bind the socket to that address and port");
		goto err_release;
	}
	*out = sock;
	return 0;

err_release:
	sock_release(sock);
	return err;
}

static struct jvpn_site *site_new(const struct jvpn_socket_params *params)
{
	struct jvpn_site *site = kzalloc(sizeof(*site), GFP_KERNEL_ACCOUNT);

	if (!site)
		return NULL;
	site->ifindex = params->ifindex;
	site->local = params->local;
	return site;
}

struct jvpn_socket *jvpn_socket_open(struct jvpn_device *jd,
				     const struct jvpn_socket_params *params,
				     struct netlink_ext_ack *extack)
{
	struct jvpn_socket *js = kzalloc(sizeof(*js), GFP_KERNEL_ACCOUNT);
	struct jvpn_site *site = site_new(params);
	struct socket *sock;
	int err = -ENOMEM;

	if (!js || !site)
		goto err_free;
	err = socket_create(jd, params, &sock, extack);
	if (err)
		goto err_free;
	js->jd = jd;
	js->mark = params->mark;
	js->family = params->local.family;
	js->port = inet_sk(sock->sk)->inet_sport;
	site->local.port = js->port;
	RCU_INIT_POINTER(js->site, site);
	kref_init(&js->ref);
	INIT_LIST_HEAD(&js->clients);
	spin_lock_init(&js->clients_lock);
	spin_lock_init(&js->rx_lock);
	RCU_INIT_POINTER(js->sock, sock);
	/* Complete, as walkers under RCU find it from now on. */
	err = xa_alloc(&jd->sockets, &js->id, js, XA_LIMIT(1, U32_MAX), GFP_KERNEL);
	if (err)
		goto err_release;
	atomic_inc(&jvpn_sockets_alive);
	socket_attach(js, sock);
	return js;

err_release:
	sock_release(sock);
err_free:
	kfree(site);
	kfree(js);
	return ERR_PTR(err);
}

static void socket_detach(struct socket *sock)
{
	write_lock_bh(&sock->sk->sk_callback_lock);
	rcu_assign_sk_user_data(sock->sk, NULL);
	write_unlock_bh(&sock->sk->sk_callback_lock);
}

/*
 * Whoever found a route from the old site has cached it by now. Caches are told
 * apart from what emptied them by the tick, so that must have passed.
 */
static void socket_routes_forget(struct jvpn_socket *js)
{
	schedule_timeout_uninterruptible(1);
	WRITE_ONCE(js->moves, js->moves + 1);
}

int jvpn_socket_move(struct jvpn_socket *js, struct jvpn_socket_params params,
		     struct netlink_ext_ack *extack)
{
	struct jvpn_device *jd = js->jd;
	struct jvpn_site *site;
	struct socket *sock;
	int err;

	lockdep_assert_held(&jd->mutex);
	params.local.port = js->port;
	params.mark = js->mark;
	if (is_same_site(js, &params))
		return 0;
	site = site_new(&params);
	if (!site)
		return -ENOMEM;
	err = socket_create(jd, &params, &sock, extack);
	if (err) {
		kfree(site);
		return err;
	}
	socket_attach(js, sock);
	site = rcu_replace_pointer(js->site, site, lockdep_is_held(&jd->mutex));
	sock = rcu_replace_pointer(js->sock, sock, lockdep_is_held(&jd->mutex));
	/* What has been given to the old one already is received like all else. */
	sock->sk->sk_prot->unhash(sock->sk);
	synchronize_net();
	socket_detach(sock);
	sock_release(sock);
	kfree(site);
	socket_routes_forget(js);
	return 0;
}

struct jvpn_site jvpn_socket_site(const struct jvpn_socket *js)
{
	struct jvpn_site site;

	rcu_read_lock();
	site = *rcu_dereference(js->site);
	rcu_read_unlock();
	return site;
}

static void socket_release(struct kref *ref)
{
	struct jvpn_socket *js = container_of(ref, struct jvpn_socket, ref);

	atomic_dec(&jvpn_sockets_alive);
	kfree_rcu(rcu_dereference_protected(js->site, true), rcu);
	kfree_rcu(js, rcu);
}

/* Nobody finds it from now on. */
static void socket_unlink(struct jvpn_socket *js, struct list_head *closed)
{
	struct socket *sock = rcu_dereference_protected(js->sock,
							lockdep_is_held(&js->jd->mutex));

	xa_erase(&js->jd->sockets, js->id);
	socket_detach(sock);
	rcu_assign_pointer(js->sock, NULL);
	js->closing = sock;
	list_add_tail(&js->closed, closed);
}

void jvpn_socket_release_all(struct list_head *closed)
{
	struct jvpn_socket *js, *next;

	if (list_empty(closed))
		return;
	/* Senders, and what feeds the lanes, are under RCU. */
	synchronize_net();
	list_for_each_entry_safe(js, next, closed, closed) {
		list_del(&js->closed);
		jvpn_lanes_forget(js);
		sock_release(js->closing);
		kref_put(&js->ref, socket_release);
	}
}

void jvpn_socket_close(struct jvpn_socket *js)
{
	LIST_HEAD(closed);

	socket_unlink(js, &closed);
	jvpn_socket_release_all(&closed);
}

void jvpn_socket_close_all(struct jvpn_device *jd, struct list_head *closed)
{
	struct jvpn_socket *js;
	unsigned long id;

	lockdep_assert_held(&jd->mutex);
	xa_for_each(&jd->sockets, id, js)
		socket_unlink(js, closed);
}

/* ---- the clients' bindings of a socket ---- */

void jvpn_socket_client_add(struct jvpn_binding *b)
{
	struct jvpn_socket *js = b->transport.socket;

	spin_lock_bh(&js->clients_lock);
	list_add_rcu(&b->on_socket, &js->clients);
	spin_unlock_bh(&js->clients_lock);
}

void jvpn_socket_client_del(struct jvpn_binding *b)
{
	struct jvpn_socket *js = b->transport.socket;

	spin_lock_bh(&js->clients_lock);
	list_del_rcu(&b->on_socket);
	spin_unlock_bh(&js->clients_lock);
}

/* Only that of the session that is in use counts. Under RCU. */
static void socket_clients_lost(struct jvpn_socket *js)
{
	struct jvpn_binding *b;

	list_for_each_entry_rcu(b, &js->clients, on_socket)
		if (rcu_access_pointer(b->session->binding) == b)
			jvpn_binding_kernel(b->session, b, JVPN_EVENT_TRANSPORT_DEAD,
					    JVPN_REASON_LINK_DOWN);
}

void jvpn_socket_link_lost(struct jvpn_device *jd, int ifindex)
{
	struct jvpn_socket *js;
	unsigned long id;

	rcu_read_lock();
	xa_for_each(&jd->sockets, id, js)
		if (rcu_dereference(js->site)->ifindex == ifindex)
			socket_clients_lost(js);
	rcu_read_unlock();
}

struct jvpn_socket *jvpn_socket_get(struct jvpn_device *jd, u32 id)
{
	struct jvpn_socket *js;

	rcu_read_lock();
	js = xa_load(&jd->sockets, id);
	if (js && !kref_get_unless_zero(&js->ref))
		js = NULL;
	if (js)
		atomic_inc(&js->users);
	rcu_read_unlock();
	return js;
}

void jvpn_socket_put(struct jvpn_socket *js)
{
	atomic_dec(&js->users);
	kref_put(&js->ref, socket_release);
}

static struct sock *socket_sk(const struct jvpn_socket *js)
{
	struct socket *sock = rcu_dereference(js->sock);

	return sock ? sock->sk : NULL;
}

/* Under RCU. */
static const struct jvpn_site *site_of(const struct jvpn_transport *t)
{
	return rcu_dereference(t->socket->site);
}

/*
 * Of a host with several providers each answers for its own address alone: an answer leaves by the
 * interface that the question came in by. 0 if that is no matter.
 */
static int route_way_back(const struct jvpn_transport *t, const struct dst_entry *dst)
{
	int way = site_of(t)->ifindex ? 0 : t->local.scope;

	return dst->dev->ifindex == way ? 0 : way;
}

static void flow4_init(struct flowi4 *fl, const struct jvpn_transport *t, __be32 saddr, int oif)
{
	*fl = (struct flowi4) {
		.daddr = t->remote.v4,
		.saddr = saddr,
		.fl4_dport = t->remote.port,
		.fl4_sport = t->socket->port,
		.flowi4_oif = oif,
		.flowi4_mark = t->socket->mark,
		.flowi4_proto = IPPROTO_UDP,
	};
}

static struct rtable *lookup4(struct sock *sk, const struct jvpn_transport *t, __be32 *saddr)
{
	struct rtable *rt;
	struct flowi4 fl;

	flow4_init(&fl, t, *saddr, site_of(t)->ifindex);
	rt = ip_route_output_flow(sock_net(sk), &fl, sk);
	*saddr = fl.saddr;
	return rt;
}

/*
 * Replaces the route by one over the way back, if there is one. The table is asked first: where an
 * interface is named, any destination without a route is taken for one that is on the link.
 */
static struct rtable *route4_back(struct sock *sk, const struct jvpn_transport *t,
				  struct rtable *rt, __be32 saddr)
{
	int way = route_way_back(t, &rt->dst);
	struct net *net = sock_net(sk);
	struct fib_result res;
	struct rtable *back;
	struct flowi4 fl;

	if (!way)
		return rt;
	flow4_init(&fl, t, saddr, way);
	fl.flowi4_iif = LOOPBACK_IFINDEX;
	if (fib_lookup(net, &fl, &res, 0) || res.type != RTN_UNICAST)
		return rt;
	flow4_init(&fl, t, saddr, way);
	back = ip_route_output_flow(net, &fl, sk);
	if (IS_ERR(back))
		return rt;
	ip_rt_put(rt);
	return back;
}

/*
 * The address to send from may be gone. Then any other is better than silence: what comes from
 * there shows the other end that this one has moved. It is not cached, so that the right one is
 * used again as soon as it is back.
 */
static struct dst_entry *route4(struct sock *sk, const struct jvpn_transport *t,
				struct dst_cache *cache, __be32 *saddr)
{
	const __be32 wanted = t->local.family == AF_INET ? t->local.v4 : site_of(t)->local.v4;
	struct rtable *rt = cache ? dst_cache_get_ip4(cache, saddr) : NULL;

	if (rt)
		return &rt->dst;
	*saddr = wanted;
	rt = lookup4(sk, t, saddr);
	if (!IS_ERR(rt)) {
		rt = route4_back(sk, t, rt, *saddr);
		if (cache)
			dst_cache_set_ip4(cache, &rt->dst, *saddr);
		return &rt->dst;
	}
	if (!wanted || inet_addr_type(sock_net(sk), wanted) == RTN_LOCAL)
		return ERR_CAST(rt);
	*saddr = 0;
	rt = lookup4(sk, t, saddr);
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	jvpn_count(t->socket->jd, JVPN_C_TX_SOURCE_GONE, 1);
	return &rt->dst;
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *lookup6(struct sock *sk, const struct jvpn_transport *t,
				 struct in6_addr *saddr)
{
	struct flowi6 fl = {
		.daddr = t->remote.v6,
		.saddr = *saddr,
		.fl6_dport = t->remote.port,
		.fl6_sport = t->socket->port,
		.flowi6_oif = t->remote.scope ? t->remote.scope : site_of(t)->ifindex,
		.flowi6_mark = t->socket->mark,
		.flowi6_proto = IPPROTO_UDP,
	};
	struct dst_entry *dst = ip6_dst_lookup_flow(sock_net(sk), sk, &fl, NULL);

	*saddr = fl.saddr;
	return dst;
}

/* As route4_back(). */
static struct dst_entry *route6_back(struct sock *sk, const struct jvpn_transport *t,
				     struct dst_entry *dst, const struct in6_addr *saddr)
{
	int way = route_way_back(t, dst);
	struct net *net = sock_net(sk);
	struct dst_entry *back;
	struct flowi6 fl = {
		.daddr = t->remote.v6,
		.saddr = *saddr,
		.fl6_dport = t->remote.port,
		.fl6_sport = t->socket->port,
		.flowi6_oif = way,
		.flowi6_mark = t->socket->mark,
		.flowi6_proto = IPPROTO_UDP,
	};

	if (!way || t->remote.scope)
		return dst;
	back = ip6_route_output_flags(net, sk, &fl, RT6_LOOKUP_F_IFACE);
	if (!back->error && back->dev->ifindex == way) {
		back = xfrm_lookup_route(net, back, flowi6_to_flowi(&fl), sk, 0);
		if (IS_ERR(back))
			return dst;
		swap(back, dst);
	}
	dst_release(back);
	return dst;
}

/* Also an address that is local by a route alone. */
static bool is_local6(struct net *net, const struct jvpn_transport *t, const struct in6_addr *a)
{
	struct rt6_info *rt;
	bool local;

	if (ipv6_chk_addr(net, a, NULL, 0))
		return true;
	rt = rt6_lookup(net, a, NULL, site_of(t)->ifindex, NULL, 0);
	local = rt && rt->rt6i_flags & RTF_LOCAL;
	ip6_rt_put(rt);
	return local;
}

/* As route4(); IPv6 itself would send from an address that is not ours. */
static struct dst_entry *route6(struct sock *sk, const struct jvpn_transport *t,
				struct dst_cache *cache, struct in6_addr *saddr)
{
	const struct in6_addr *wanted = t->local.family == AF_INET6 ? &t->local.v6 :
								      &site_of(t)->local.v6;
	struct dst_entry *dst = cache ? dst_cache_get_ip6(cache, saddr) : NULL;
	bool gone;

	if (dst)
		return dst;
	gone = !ipv6_addr_any(wanted) && !is_local6(sock_net(sk), t, wanted);
	*saddr = gone ? in6addr_any : *wanted;
	dst = lookup6(sk, t, saddr);
	if (IS_ERR(dst))
		return dst;
	if (gone) {
		jvpn_count(t->socket->jd, JVPN_C_TX_SOURCE_GONE, 1);
		return dst;
	}
	dst = route6_back(sk, t, dst, saddr);
	if (cache)
		dst_cache_set_ip6(cache, dst, saddr);
	return dst;
}
#else
static struct dst_entry *route6(struct sock *sk, const struct jvpn_transport *t,
				struct dst_cache *cache, struct in6_addr *saddr)
{
	return ERR_PTR(-EAFNOSUPPORT);
}
#endif

/* Of IPv4 what ICMP says is kept apart from the metrics. */
static u32 route_metric4(const struct dst_entry *dst)
{
	return dst_metric_raw(dst, RTAX_MTU);
}

#if IS_ENABLED(CONFIG_IPV6)
static const struct rt6_info *rt6_of(const struct dst_entry *dst)
{
	return container_of(dst, struct rt6_info, dst);
}

/* Of IPv6 it replaces the metric: what the operator wrote is in the route that it came from. */
static u32 route_metric6(const struct dst_entry *dst)
{
	const struct rt6_info *rt = rt6_of(dst);
	const struct fib6_info *from;
	u32 mtu = 0;

	if (!(rt->rt6i_flags & RTF_MODIFIED))
		return dst_metric_raw(dst, RTAX_MTU);
	rcu_read_lock();
	from = rcu_dereference(rt->from);
	if (from)
		mtu = from->fib6_metrics->metrics[RTAX_MTU - 1];
	rcu_read_unlock();
	return mtu;
}

static u32 link_mtu6(const struct net_device *dev)
{
	const struct inet6_dev *idev;
	u32 mtu = READ_ONCE(dev->mtu);

	rcu_read_lock();
	idev = __in6_dev_get(dev);
	if (idev)
		mtu = min_t(u32, mtu, READ_ONCE(idev->cnf.mtu6));
	rcu_read_unlock();
	return mtu;
}
#else
static u32 route_metric6(const struct dst_entry *dst)
{
	return 0;
}

static u32 link_mtu6(const struct net_device *dev)
{
	return READ_ONCE(dev->mtu);
}
#endif

/* MTU of the link, or of the route by the operator; an IPsec transform knows better. */
static u32 route_mtu(const struct dst_entry *dst, int family)
{
	u32 metric, mtu;

	if (dst_xfrm(dst))
		return dst_mtu(dst);
	metric = family == AF_INET ? route_metric4(dst) : route_metric6(dst);
	mtu = family == AF_INET ? READ_ONCE(dst->dev->mtu) : link_mtu6(dst->dev);
	if (metric)
		mtu = min(mtu, metric);
	mtu = min_t(u32, mtu, IP_MAX_MTU);
	return mtu - lwtunnel_headroom(dst->lwtstate, mtu);
}

static int route_find(struct sock *sk, const struct jvpn_transport *t,
		      struct dst_cache *cache, struct jvpn_route *route)
{
	if (t->remote.family == AF_INET) {
		route->dst = route4(sk, t, cache, &route->source.v4);
		route->overhead = sizeof(struct iphdr) + sizeof(struct udphdr);
	} else {
		route->dst = route6(sk, t, cache, &route->source.v6);
		route->overhead = sizeof(struct ipv6hdr) + sizeof(struct udphdr);
	}
	if (IS_ERR(route->dst))
		return PTR_ERR(route->dst);
	/* Through the tunnel itself it would come back for ever. */
	if (route->dst->dev == t->socket->jd->dev) {
		dst_release(route->dst);
		return -ELOOP;
	}
	route->mtu = route_mtu(route->dst, t->remote.family);
	return 0;
}

/* A route from where the socket was before is none of its own. */
static void route_check(struct jvpn_binding *b)
{
	const u32 moves = READ_ONCE(b->transport.socket->moves);

	if (likely(READ_ONCE(b->moves) == moves))
		return;
	dst_cache_reset(&b->dst);
	WRITE_ONCE(b->moves, moves);
}

int jvpn_socket_route(struct jvpn_binding *b, struct jvpn_route *route)
{
	route_check(b);
	route->sk = socket_sk(b->transport.socket);
	if (!route->sk)
		return -ENOTCONN;
	return route_find(route->sk, &b->transport, &b->dst, route);
}

/* A UDP super-packet is checksummed by whoever splits it. */
static void gso_prepare(struct sk_buff *skb)
{
	if (!skb_is_gso(skb)) {
		skb->ip_summed = CHECKSUM_NONE;
		return;
	}
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) - sizeof(struct udphdr);
	skb->csum_offset = offsetof(struct udphdr, check);
}

/*
 * Whatever is known of the inner packet was decided about the inner packet: conntrack entry and
 * zone, mark, extensions, trace, routes, times, queue. None of it may be taken for a decision
 * about the outer one, which looks the same whether it is the inner one's buffer or a copy. The
 * owner stays, so that a sender feels the queues of the underlay; so do priority and flow hash.
 */
static void outer_scrub(struct sk_buff *skb, u32 mark)
{
	skb_scrub_packet(skb, true);
	skb_reset_redirect(skb);
	skb_set_queue_mapping(skb, 0);
#ifdef CONFIG_NET_SCHED
	skb->tc_index = 0;
#endif
	skb->encapsulation = 0;
	skb->mark = mark;
	/* The outer packet is not of the tunnel device: its statistics are ours. */
	skb->dev = NULL;
}

static void push_udp(struct sk_buff *skb, const struct jvpn_transport *t)
{
	struct udphdr *uh = __skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	uh->source = t->socket->port;
	uh->dest = t->remote.port;
	uh->len = htons(skb->len);
}

/*
 * As iptunnel_xmit() does it, but neither a lock that ICMP put on the route's MTU
 * decides about DF nor the MTU alone about the size of fragments.
 */
static void xmit4(const struct jvpn_transport *t, const struct jvpn_route *route,
		  struct sk_buff *skb, u8 tos, u32 fragment)
{
	struct net *net = sock_net(route->sk);
	struct iphdr *ip;

	if (!jvpn_tunnel_enter()) {
		dst_release(route->dst);
		kfree_skb(skb);
		return;
	}
	push_udp(skb, t);
	udp_set_csum(false, skb, route->source.v4, t->remote.v4, skb->len);
	skb_clear_hash_if_not_l4(skb);
	skb_dst_set(skb, route->dst);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	ip = __skb_push(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tos = tos;
	ip->frag_off = fragment ? 0 : htons(IP_DF);
	ip->ttl = ip4_dst_hoplimit(route->dst);
	ip->protocol = IPPROTO_UDP;
	ip->saddr = route->source.v4;
	ip->daddr = t->remote.v4;
	if (fragment && skb->len > fragment)
		IPCB(skb)->frag_max_size = fragment;
	__ip_select_ident(net, ip, skb_shinfo(skb)->gso_segs ?: 1);
	ip_local_out(net, route->sk, skb);
	jvpn_tunnel_leave();
}

#if IS_ENABLED(CONFIG_IPV6)
/*
 * The same way with an MTU of our own: that of the route may be a stranger's
 * word, or too large for the path. It lives as long as the packet.
 */
static struct dst_entry *route6_with_mtu(struct dst_entry *dst, u32 mtu)
{
	const struct rt6_info *rt = rt6_of(dst);
	struct net_device *dev = dst->dev;
	struct rt6_info *own;

	if (dst_xfrm(dst))
		return NULL;
	own = ip6_dst_alloc(dev_net(dev), dev, DST_NOCOUNT);
	if (!own)
		return NULL;
	/* A way to an address of this host leads back in. */
	own->dst.input = dst->input;
	own->dst.output = dst->output;
	own->dst.lwtstate = lwtstate_get(dst->lwtstate);
	own->rt6i_idev = in6_dev_get(dev);
	own->rt6i_flags = rt->rt6i_flags & (RTF_UP | RTF_GATEWAY | RTF_LOCAL | RTF_ANYCAST);
	own->rt6i_gateway = rt->rt6i_gateway;
	own->rt6i_dst = rt->rt6i_dst;
	dst_metric_set(&own->dst, RTAX_MTU, mtu);
	return &own->dst;
}

/* Octets of the largest datagram in it, with headers. */
static u32 largest_of(const struct sk_buff *skb, u32 overhead)
{
	return overhead + (skb_is_gso(skb) ? skb_shinfo(skb)->gso_size : skb->len);
}

/* What the route's MTU must be for this packet to be treated as wanted; replaces the route. */
static void route6_adapt(struct jvpn_route *route, const struct sk_buff *skb, u32 fragment,
			 bool learned)
{
	u32 wanted = fragment ? min(fragment, route->mtu) : route->mtu;
	u32 size = largest_of(skb, route->overhead), mtu = dst_mtu(route->dst);
	struct dst_entry *own;

	if (learned && mtu < wanted)
		return;
	if (size <= wanted ? size <= mtu : mtu == wanted)
		return;
	own = route6_with_mtu(route->dst, wanted);
	if (!own)
		return;
	dst_release(route->dst);
	route->dst = own;
}

static void xmit6(const struct jvpn_transport *t, struct jvpn_route *route, struct sk_buff *skb,
		  u8 tos, u32 fragment, bool learned)
{
	u8 ttl = ip6_dst_hoplimit(route->dst);

	route6_adapt(route, skb, fragment, learned);
	skb->ignore_df = !!fragment;
	jvpn_tunnel_xmit6(route->dst, route->sk, skb, &route->source.v6,
			  (struct in6_addr *)&t->remote.v6, tos, ttl, t->socket->port,
			  t->remote.port);
}
#else
static void xmit6(const struct jvpn_transport *t, struct jvpn_route *route, struct sk_buff *skb,
		  u8 tos, u32 fragment, bool learned)
{
	dst_release(route->dst);
	kfree_skb(skb);
}
#endif

/* Consumes the packet and a reference of the route. */
static void socket_xmit(const struct jvpn_transport *t, struct jvpn_route route,
			struct sk_buff *skb, u8 tos, const struct jvpn_fragmenting *how)
{
	outer_scrub(skb, t->socket->mark);
	gso_prepare(skb);
	if (t->remote.family == AF_INET)
		xmit4(t, &route, skb, tos, how->size);
	else
		xmit6(t, &route, skb, tos, how->size, how->learned);
}

void jvpn_socket_send(struct jvpn_binding *b, const struct jvpn_route *route,
		      struct sk_buff *skb, u8 tos, const struct jvpn_fragmenting *how)
{
	dst_hold(route->dst);
	socket_xmit(&b->transport, *route, skb, tos, how);
}

void jvpn_route_put(struct jvpn_route *route)
{
	dst_release(route->dst);
}

int jvpn_socket_send_control(const struct jvpn_transport *t, const void *data, u32 len)
{
	struct jvpn_fragmenting how;
	struct jvpn_route route;
	struct sk_buff *skb;
	int err = -ENOTCONN;

	skb = alloc_skb(JVPN_HEADROOM + len, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	skb_reserve(skb, JVPN_HEADROOM);
	skb_put_data(skb, data, len);
	jvpn_path_enter();
	route.sk = socket_sk(t->socket);
	if (route.sk)
		err = route_find(route.sk, t, NULL, &route);
	if (!err) {
		how = jvpn_fragment_at(&route, 0);
		socket_xmit(t, route, skb, 0, &how);
	}
	jvpn_path_leave();
	if (err)
		kfree_skb(skb);
	return err;
}
