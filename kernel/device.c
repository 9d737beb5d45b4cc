// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/module.h>
#include <net/addrconf.h>
#include <net/ip_tunnels.h>
#include <net/netns/generic.h>

#include "binding.h"
#include "compat.h"
#include "session.h"
#include "socket.h"
#include "tx.h"

/* All devices of all namespaces; the lock only guards the list. */
static LIST_HEAD(devices);
static DEFINE_SPINLOCK(devices_lock);

static const struct net_device_ops jvpn_netdev_ops;
static struct rtnl_link_ops jvpn_link_ops;

int jvpn_device_ifindex(const struct jvpn_device *jd, const struct net *net)
{
	return net_eq(dev_net(jd->dev), net) ? jd->dev->ifindex : jd->birth_ifindex;
}

struct net *jvpn_device_net(const struct jvpn_device *jd)
{
	struct net *net = READ_ONCE(jd->birth_net);

	return net ? net : dev_net(jd->dev);
}

static bool device_visible(const struct jvpn_device *jd, const struct net *net)
{
	return net_eq(dev_net(jd->dev), net) || READ_ONCE(jd->birth_net) == net;
}

/* The reference keeps the interface, and with it the private data. */
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
	struct jvpn_device *jd, *found = NULL;

	spin_lock(&devices_lock);
	list_for_each_entry(jd, &devices, node)
		if (device_visible(jd, net) && jvpn_device_ifindex(jd, net) == ifindex) {
			found = device_hold(jd);
			break;
		}
	spin_unlock(&devices_lock);
	return found;
}

struct jvpn_device *jvpn_device_next(struct net *net, int after)
{
	struct jvpn_device *jd, *best = NULL;

	spin_lock(&devices_lock);
	list_for_each_entry(jd, &devices, node)
		if (device_visible(jd, net) && jvpn_device_ifindex(jd, net) > after &&
		    (!best || jvpn_device_ifindex(jd, net) < jvpn_device_ifindex(best, net)))
			best = jd;
	if (best)
		device_hold(best);
	spin_unlock(&devices_lock);
	return best;
}

void jvpn_device_port_closed(struct net *net, u32 portid)
{
	struct jvpn_device *jd;

	spin_lock(&devices_lock);
	list_for_each_entry(jd, &devices, node)
		jvpn_control_forget(&jd->control, net, portid);
	spin_unlock(&devices_lock);
}

/* ---- life of a device ---- */

static int device_init(struct net_device *dev)
{
	struct jvpn_device *jd = netdev_priv(dev);
	int err;

	jd->stats = netdev_alloc_pcpu_stats(struct jvpn_stats);
	if (!jd->stats)
		return -ENOMEM;
	err = jvpn_table_init(&jd->table);
	if (err)
		goto err_stats;
	jvpn_lanes_start(jd);
	return 0;

err_stats:
	free_percpu(jd->stats);
	return err;
}

/* Every session ends with a stated reason before it is forgotten. */
static void sessions_end(struct jvpn_device *jd)
{
	struct jvpn_session *s, *next;

	list_for_each_entry_safe(s, next, &jd->table.sessions, list) {
		jvpn_binding_kernel(s, NULL, JVPN_EVENT_TERMINATE, JVPN_REASON_OPERATOR);
		jvpn_session_remove(s);
	}
}

/*
 * Phases: out of the list, so that no request finds the device; no packets
 * from below, as the sockets are closed, and none from above, as the interface
 * is down; then the sessions; last the lanes, which are empty. Requests that
 * hold the device find it dying.
 */
static void device_uninit(struct net_device *dev)
{
	struct jvpn_device *jd = netdev_priv(dev);

	spin_lock(&devices_lock);
	list_del_init(&jd->node);
	spin_unlock(&devices_lock);
	mutex_lock(&jd->mutex);
	jd->dying = true;
	jvpn_socket_close_all(jd);
	sessions_end(jd);
	mutex_unlock(&jd->mutex);
	jvpn_lanes_stop(jd);
}

/* The last reference is gone. */
static void device_free(struct net_device *dev)
{
	struct jvpn_device *jd = netdev_priv(dev);

	rcu_barrier();
	jvpn_table_destroy(&jd->table);
	xa_destroy(&jd->sockets);
	free_percpu(jd->stats);
}

static int device_open(struct net_device *dev)
{
	struct inet6_dev *in6 = __in6_dev_get(dev);

	/* A link-local address would make an idle device ask for routers now and then. */
	if (in6)
		in6->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	netif_carrier_on(dev);
	return 0;
}

static const struct net_device_ops jvpn_netdev_ops = {
	.ndo_init = device_init,
	.ndo_uninit = device_uninit,
	.ndo_open = device_open,
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

static int device_newlink(JVPN_NEWLINK_ARGS)
{
	struct jvpn_device *jd = netdev_priv(dev);
	int err;

	jd->dev = dev;
	jd->birth_net = jvpn_newlink_net(params);
	mutex_init(&jd->mutex);
	xa_init_flags(&jd->sockets, XA_FLAGS_ALLOC1);
	jvpn_control_init(&jd->control);
	INIT_LIST_HEAD(&jd->node);
	err = register_netdevice(dev);
	if (err)
		return err;
	/* A link made for another namespace is known where it was asked for. */
	jd->birth_ifindex = dev->ifindex;
	spin_lock(&devices_lock);
	list_add_tail(&jd->node, &devices);
	spin_unlock(&devices_lock);
	return 0;
}

static struct rtnl_link_ops jvpn_link_ops __read_mostly = {
	.kind = KBUILD_MODNAME,
	.priv_size = sizeof(struct jvpn_device),
	.setup = device_setup,
	.newlink = device_newlink,
};

/* ---- what happens to other interfaces and namespaces ---- */

/* Bindings of clients that leave by an interface that went down. */
static void sessions_link_down(struct jvpn_device *jd, int ifindex)
{
	struct jvpn_session *s;

	mutex_lock(&jd->mutex);
	list_for_each_entry(s, &jd->table.sessions, list) {
		struct jvpn_binding *b;

		rcu_read_lock();
		b = rcu_dereference(s->binding);
		if (b && s->role == JVPN_ROLE_CLIENT && b->transport.socket->ifindex == ifindex)
			jvpn_binding_kernel(s, b, JVPN_EVENT_TRANSPORT_DEAD,
					    JVPN_REASON_LINK_DOWN);
		rcu_read_unlock();
	}
	mutex_unlock(&jd->mutex);
}

static bool is_link_loss(const struct net_device *dev, unsigned long event)
{
	return event == NETDEV_GOING_DOWN || event == NETDEV_DOWN ||
	       event == NETDEV_UNREGISTER ||
	       (event == NETDEV_CHANGE && !netif_carrier_ok(dev));
}

static int netdevice_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	int after = 0;
	struct jvpn_device *jd;

	if (!is_link_loss(dev, event))
		return NOTIFY_DONE;
	while ((jd = jvpn_device_next(dev_net(dev), after))) {
		after = jvpn_device_ifindex(jd, dev_net(dev));
		if (READ_ONCE(jd->birth_net) == dev_net(dev) && jd->dev != dev)
			sessions_link_down(jd, dev->ifindex);
		jvpn_device_put(jd);
	}
	return NOTIFY_DONE;
}

static struct notifier_block netdevice_notifier = { .notifier_call = netdevice_event };

/* The namespace of the sockets ends; a device that was moved away stays, without them. */
static void net_pre_exit(struct net *net)
{
	struct jvpn_device *jd;
	int after = 0;

	while ((jd = jvpn_device_next(net, after))) {
		after = jvpn_device_ifindex(jd, net);
		if (jd->birth_net == net) {
			mutex_lock(&jd->mutex);
			jd->dying = true;
			jvpn_socket_close_all(jd);
			WRITE_ONCE(jd->birth_net, NULL);
			mutex_unlock(&jd->mutex);
		}
		jvpn_device_put(jd);
	}
}

static struct pernet_operations jvpn_net_ops = { .pre_exit = net_pre_exit };

int jvpn_device_init(void)
{
	int err;

	err = register_pernet_device(&jvpn_net_ops);
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
	unregister_pernet_device(&jvpn_net_ops);
	return err;
}

void jvpn_device_exit(void)
{
	rtnl_link_unregister(&jvpn_link_ops);
	unregister_netdevice_notifier(&netdevice_notifier);
	unregister_pernet_device(&jvpn_net_ops);
	rcu_barrier();
}
