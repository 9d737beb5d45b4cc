// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/user_namespace.h>
#include <net/addrconf.h>
#include <net/ip_tunnels.h>
#include <net/netns/generic.h>

#include "binding.h"
#include "compat.h"
#include "session.h"
#include "socket.h"
#include "tx.h"

/* What a namespace has of this module. */
struct jvpn_net {
	struct list_head born;
};

static unsigned int jvpn_net_id __read_mostly;

/* All devices of all namespaces, by id. */
static DEFINE_XARRAY(devices);

static const struct net_device_ops jvpn_netdev_ops;
static struct rtnl_link_ops jvpn_link_ops;

static struct list_head *devices_born(const struct net *net)
{
	struct jvpn_net *jn = net_generic(net, jvpn_net_id);

	return &jn->born;
}

int jvpn_device_ifindex(const struct jvpn_device *jd, const struct net *net)
{
	return net_eq(dev_net(jd->dev), net) ? READ_ONCE(jd->dev->ifindex) : 0;
}

struct net *jvpn_device_net(const struct jvpn_device *jd)
{
	return READ_ONCE(jd->birth_net);
}

static bool device_visible(const struct jvpn_device *jd, const struct net *net)
{
	return net_eq(dev_net(jd->dev), net) || READ_ONCE(jd->birth_net) == net;
}

/*
 * The reference keeps the interface, and with it the private data. Under RCU: a
 * device that is taken out of the array lets a grace period pass before it
 * counts its references.
 */
static struct jvpn_device *device_hold(struct jvpn_device *jd)
{
	dev_hold(jd->dev);
	return jd;
}

void jvpn_device_put(struct jvpn_device *jd)
{
	dev_put(jd->dev);
}

struct jvpn_device *jvpn_device_get(struct net *net, int ifindex)
{
	struct jvpn_device *found = NULL;
	struct net_device *dev;

	rcu_read_lock();
	dev = dev_get_by_index_rcu(net, ifindex);
	if (dev && dev->netdev_ops == &jvpn_netdev_ops)
		found = device_hold(netdev_priv(dev));
	rcu_read_unlock();
	return found;
}

struct jvpn_device *jvpn_device_get_by_id(struct net *net, u64 id)
{
	struct jvpn_device *jd = NULL;

	rcu_read_lock();
	if (id <= ULONG_MAX)
		jd = xa_load(&devices, id);
	if (jd && !device_visible(jd, net))
		jd = NULL;
	if (jd)
		device_hold(jd);
	rcu_read_unlock();
	return jd;
}

struct jvpn_device *jvpn_device_next(struct net *net, u64 after)
{
	struct jvpn_device *jd;
	unsigned long id = after;

	rcu_read_lock();
	for (jd = xa_find_after(&devices, &id, ULONG_MAX, XA_PRESENT); jd;
	     jd = xa_find_after(&devices, &id, ULONG_MAX, XA_PRESENT))
		if (device_visible(jd, net)) {
			device_hold(jd);
			break;
		}
	rcu_read_unlock();
	return jd;
}

void jvpn_device_port_closed(struct net *net, u32 portid)
{
	struct jvpn_device *jd;
	unsigned long id;

	rcu_read_lock();
	xa_for_each(&devices, id, jd)
		jvpn_control_forget(&jd->control, net, portid);
	rcu_read_unlock();
}

/* Devices come and go under rtnl alone. */
void jvpn_device_for_each(void (*fn)(struct jvpn_device *jd))
{
	struct jvpn_device *jd;
	unsigned long id;

	rtnl_lock();
	xa_for_each(&devices, id, jd)
		fn(jd);
	rtnl_unlock();
}

static void sessions_for_each(struct jvpn_device *jd, void (*fn)(struct jvpn_session *s))
{
	struct jvpn_session *s;
	unsigned long serial;

	mutex_lock(&jd->mutex);
	xa_for_each(&jd->table.sessions, serial, s)
		fn(s);
	mutex_unlock(&jd->mutex);
}

void jvpn_device_forget_keys(struct jvpn_device *jd)
{
	sessions_for_each(jd, jvpn_binding_forget);
}

/* ---- life of a device ---- */

static int device_init(struct net_device *dev)
{
	struct jvpn_device *jd = netdev_priv(dev);
	int err;

	jd->stats = __netdev_alloc_pcpu_stats(struct jvpn_stats, GFP_KERNEL_ACCOUNT);
	if (!jd->stats)
		return -ENOMEM;
	err = jvpn_table_init(&jd->table);
	if (err)
		goto err_stats;
	jvpn_lanes_start(jd);
	jd->birth_user = get_user_ns(jd->birth_net->user_ns);
	return 0;

err_stats:
	free_percpu(jd->stats);
	return err;
}

/* Every session ends with a stated reason before it is forgotten. */
static void sessions_end(struct jvpn_device *jd)
{
	struct jvpn_session *s;
	unsigned long serial;

	xa_for_each(&jd->table.sessions, serial, s) {
		jvpn_binding_kernel(s, NULL, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR);
		jvpn_session_remove(s);
	}
}

/*
 * Phases: requests find the device dying; no packets from below, as the sockets
 * are closed, and none from above, as the interface is down; then the sessions;
 * last the lanes, which are empty. The namespace of the sockets may end at the
 * same time: under rtnl it finds either the device or no socket of it.
 */
static void device_uninit(struct net_device *dev)
{
	struct jvpn_device *jd = netdev_priv(dev);
	LIST_HEAD(closed);

	ASSERT_RTNL();
	mutex_lock(&jd->mutex);
	jd->dying = true;
	jvpn_socket_close_all(jd, &closed);
	jvpn_socket_release_all(&closed);
	sessions_end(jd);
	mutex_unlock(&jd->mutex);
	list_del_init(&jd->born);
	xa_erase(&devices, jd->id);
	jvpn_lanes_stop(jd);
}

/* The last reference is gone, and with it the last session. */
static void device_free(struct net_device *dev)
{
	struct jvpn_device *jd = netdev_priv(dev);

	put_user_ns(jd->birth_user);
	jvpn_table_destroy(&jd->table);
	xa_destroy(&jd->sockets);
	free_percpu(jd->stats);
	jvpn_control_wipe(&jd->control);
}

/*
 * IPv4 sends redirects by an interface if its own setting or that of all interfaces says so. For
 * this one neither may: so what is said of all is said of each of the others instead, and of those
 * to come, and nothing changes for them. Again at each opening, as the interface may have moved.
 */
static void redirects_disable(struct net_device *dev)
{
	struct in_device *in4 = __in_dev_get_rtnl(dev), *other;
	struct net *net = dev_net(dev);
	struct net_device *d;

	ASSERT_RTNL();
	if (!in4)
		return;
	if (IPV4_DEVCONF_ALL(net, SEND_REDIRECTS)) {
		for_each_netdev(net, d) {
			other = __in_dev_get_rtnl(d);
			if (other && d->netdev_ops != &jvpn_netdev_ops)
				IN_DEV_CONF_SET(other, SEND_REDIRECTS, 1);
		}
		IPV4_DEVCONF(*net->ipv4.devconf_dflt, SEND_REDIRECTS) = 1;
		IPV4_DEVCONF_ALL(net, SEND_REDIRECTS) = 0;
	}
	IN_DEV_CONF_SET(in4, SEND_REDIRECTS, 0);
}

static int device_open(struct net_device *dev)
{
	struct inet6_dev *in6 = __in6_dev_get(dev);

	/* A link-local address would make an idle device ask for routers now and then. */
	if (in6)
		in6->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	redirects_disable(dev);
	netif_carrier_on(dev);
	return 0;
}

/* Nobody expects an interface that comes up, maybe elsewhere, to send what it was given before. */
static int device_stop(struct net_device *dev)
{
	sessions_for_each(netdev_priv(dev), jvpn_hold_drop);
	return 0;
}

static const struct net_device_ops jvpn_netdev_ops = {
	.ndo_init = device_init,
	.ndo_uninit = device_uninit,
	.ndo_open = device_open,
	.ndo_stop = device_stop,
	.ndo_start_xmit = jvpn_tx_start,
	.ndo_get_stats64 = jvpn_stats_get64,
};

static const struct device_type jvpn_device_type = { .name = KBUILD_MODNAME };

static void device_setup(struct net_device *dev)
{
	const netdev_features_t features = NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_SG |
					   NETIF_F_GSO | NETIF_F_GSO_SOFTWARE |
					   NETIF_F_FRAGLIST | NETIF_F_HIGHDMA;

	dev->netdev_ops = &jvpn_netdev_ops;
	dev->ethtool_ops = &jvpn_ethtool_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	dev->hard_header_len = 0;
	dev->addr_len = 0;
	dev->needed_headroom = JVPN_HEADROOM + sizeof(u64) * 2;
	dev->needed_tailroom = JVPN_TAG_SIZE;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->features |= features;
	dev->hw_features |= features;
	dev->hw_enc_features |= features;
	jvpn_netdev_set_lltx(dev);
	dev->mtu = JVPN_MTU_DEFAULT;
	dev->min_mtu = IPV4_MIN_MTU;
	dev->max_mtu = JVPN_MTU_MAX;
	dev->needs_free_netdev = true;
	dev->priv_destructor = device_free;
	netif_keep_dst(dev);
	netif_set_tso_max_size(dev, JVPN_GSO_MAX_SIZE);
	SET_NETDEV_DEVTYPE(dev, &jvpn_device_type);
}

/* Never one that was given before. Room is made for it, so that to use it cannot fail. */
static int device_id_take(u64 *id)
{
	static u64 last;
	int err;

	ASSERT_RTNL();
	if (last == ULONG_MAX)
		return -ENOSPC;
	err = xa_reserve(&devices, last + 1, GFP_KERNEL);
	if (!err)
		*id = ++last;
	return err;
}

static int device_newlink(JVPN_NEWLINK_ARGS)
{
	struct jvpn_device *jd = netdev_priv(dev);
	int err;

	err = device_id_take(&jd->id);
	if (err)
		return err;
	jd->dev = dev;
	jd->birth_net = jvpn_newlink_net(params);
	mutex_init(&jd->mutex);
	xa_init_flags(&jd->sockets, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	jd->hold_max = jvpn_hold_default();
	jvpn_control_init(&jd->control);
	INIT_LIST_HEAD(&jd->born);
	err = register_netdevice(dev);
	if (err) {
		xa_release(&devices, jd->id);
		return err;
	}
	/* The namespaces of the request cannot end before it has. */
	list_add_tail(&jd->born, devices_born(jd->birth_net));
	xa_store(&devices, jd->id, jd, GFP_KERNEL);
	return 0;
}

static struct rtnl_link_ops jvpn_link_ops __read_mostly = {
	.kind = KBUILD_MODNAME,
	.priv_size = sizeof(struct jvpn_device),
	.setup = device_setup,
	.newlink = device_newlink,
};

/* ---- what happens to other interfaces and namespaces ---- */

static bool is_link_loss(const struct net_device *dev, unsigned long event)
{
	return event == NETDEV_GOING_DOWN || event == NETDEV_DOWN ||
	       event == NETDEV_UNREGISTER ||
	       (event == NETDEV_CHANGE && !netif_carrier_ok(dev));
}

static int netdevice_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct jvpn_device *jd;

	if (!is_link_loss(dev, event))
		return NOTIFY_DONE;
	ASSERT_RTNL();
	list_for_each_entry(jd, devices_born(dev_net(dev)), born)
		if (jd->dev != dev)
			jvpn_socket_link_lost(jd, dev->ifindex);
	return NOTIFY_DONE;
}

static struct notifier_block netdevice_notifier = { .notifier_call = netdevice_event };

static int net_begin(struct net *net)
{
	INIT_LIST_HEAD(devices_born(net));
	return 0;
}

/*
 * The namespace of the sockets ends; a device that was moved away stays, without
 * them. Those in it go later, with their interfaces.
 */
static void net_pre_exit(struct net *net)
{
	struct jvpn_device *jd, *next;
	LIST_HEAD(closed);

	rtnl_lock();
	list_for_each_entry_safe(jd, next, devices_born(net), born) {
		mutex_lock(&jd->mutex);
		jd->dying = true;
		jvpn_socket_close_all(jd, &closed);
		WRITE_ONCE(jd->birth_net, NULL);
		mutex_unlock(&jd->mutex);
		list_del_init(&jd->born);
	}
	jvpn_socket_release_all(&closed);
	rtnl_unlock();
}

/*
 * Of the subsystems, not of the devices: a namespace has this before its first interface, as long
 * as its last one, and also while it is given up half made.
 */
static struct pernet_operations jvpn_net_ops = {
	.init = net_begin,
	.pre_exit = net_pre_exit,
	.id = &jvpn_net_id,
	.size = sizeof(struct jvpn_net),
};

int jvpn_device_init(void)
{
	int err;

	err = register_pernet_subsys(&jvpn_net_ops);
	if (err)
		return err;
	err = register_netdevice_notifier(&netdevice_notifier);
	if (err)
		goto err_net;
	err = rtnl_link_register(&jvpn_link_ops);
	if (err)
		goto err_notifier;
	return 0;

err_notifier:
	unregister_netdevice_notifier(&netdevice_notifier);
err_net:
	unregister_pernet_subsys(&jvpn_net_ops);
	return err;
}

void jvpn_device_exit(void)
{
	rtnl_link_unregister(&jvpn_link_ops);
	unregister_netdevice_notifier(&netdevice_notifier);
	unregister_pernet_subsys(&jvpn_net_ops);
	rcu_barrier();
}
