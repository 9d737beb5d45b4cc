// SPDX-License-Identifier: GPL-2.0
/* The family, and the requests about devices, sockets and control packets. */
#include "genl.h"

#include <linux/netlink.h>

#include "compat.h"
#include "core/wire.h"
#include "device.h"
#include "genl-gen.h"
#include "session.h"
#include "socket.h"

struct genl_family jvpn_genl_family __ro_after_init = {
	.name = JVPN_GENL_NAME,
	.version = JVPN_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = jvpn_genl_ops,
	.n_ops = ARRAY_SIZE(jvpn_genl_ops),
	.resv_start_op = JVPN_CMD_DEVICE_GET,
	.mcgrps = jvpn_genl_mcgrps,
	.n_mcgrps = ARRAY_SIZE(jvpn_genl_mcgrps),
};

int jvpn_genl_missing(struct genl_info *info, int attr, const char *text)
{
	if (info->extack) {
		info->extack->_msg = text;
		info->extack->miss_type = attr;
	}
	return -EINVAL;
}

struct jvpn_device *jvpn_genl_device(struct genl_info *info, int attr)
{
	struct jvpn_device *jd;

	if (!info->attrs[attr])
		return ERR_PTR(jvpn_genl_missing(info, attr,
						 "ifindex of the jvpn device is missing"));
	jd = jvpn_device_get(genl_info_net(info), nla_get_u32(info->attrs[attr]));
	if (!jd) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
				    "No jvpn device of this ifindex in this network namespace");
		return ERR_PTR(-ENODEV);
	}
	return jd;
}

/* ---- devices ---- */

static bool put_counters(struct sk_buff *msg, const struct jvpn_device *jd)
{
	u64 sum[JVPN_C_COUNT];
	int i;

	jvpn_stats_sum(jd, sum);
	for (i = 0; i < JVPN_C_COUNT; i++) {
		struct nlattr *nest = nla_nest_start(msg, JVPN_A_DEVICE_COUNTER);

		if (!nest || nla_put_string(msg, JVPN_A_COUNTER_NAME, jvpn_counter_name(i)) ||
		    nla_put_u64_64bit(msg, JVPN_A_COUNTER_VALUE, sum[i], JVPN_A_COUNTER_PAD))
			return true;
		nla_nest_end(msg, nest);
	}
	return false;
}

static u32 count_sockets(struct jvpn_device *jd)
{
	struct jvpn_socket *js;
	unsigned long id;
	u32 n = 0;

	xa_for_each(&jd->sockets, id, js)
		n++;
	return n;
}

static bool put_jvpn_device(struct sk_buff *msg, struct jvpn_device *jd, const struct net *net)
{
	u32 portid = READ_ONCE(jd->control.portid);

	return nla_put_u32(msg, JVPN_A_DEVICE_IFINDEX, jvpn_device_ifindex(jd, net)) ||
	       nla_put_string(msg, JVPN_A_DEVICE_IFNAME, jd->dev->name) ||
	       nla_put_u32(msg, JVPN_A_DEVICE_MAX_SESSIONS, READ_ONCE(jd->table.max)) ||
	       nla_put_u32(msg, JVPN_A_DEVICE_SESSIONS, READ_ONCE(jd->table.count)) ||
	       nla_put_u32(msg, JVPN_A_DEVICE_SOCKETS, count_sockets(jd)) ||
	       (portid && nla_put_u32(msg, JVPN_A_DEVICE_REGISTERED, portid)) ||
	       nla_put_u64_64bit(msg, JVPN_A_DEVICE_BOOTTIME, jvpn_now_ms(),
				 JVPN_A_DEVICE_PAD) ||
	       put_counters(msg, jd);
}

int jvpn_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct jvpn_device *jd = jvpn_genl_device(info, JVPN_A_DEVICE_IFINDEX);
	struct sk_buff *msg;
	bool full;
	void *hdr;

	if (IS_ERR(jd))
		return PTR_ERR(jd);
	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	hdr = msg ? genlmsg_put_reply(msg, info, &jvpn_genl_family, 0, JVPN_CMD_DEVICE_GET) :
		    NULL;
	full = !hdr || put_jvpn_device(msg, jd, genl_info_net(info));
	jvpn_device_put(jd);
	if (full) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/* A dump shares the policy of the single get, but takes less. */
static int dump_refuse(struct netlink_callback *cb, int attr)
{
	struct nlattr **attrs = jvpn_dump_attrs(cb);

	if (!attrs || !attrs[attr])
		return 0;
	NL_SET_ERR_MSG_ATTR(cb->extack, attrs[attr], "A dump does not take this attribute");
	return -EINVAL;
}

int jvpn_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct net *net = sock_net(skb->sk);
	struct jvpn_device *jd;
	int err;

	err = dump_refuse(cb, JVPN_A_DEVICE_IFINDEX);
	if (err)
		return err;
	while ((jd = jvpn_device_next(net, cb->args[0]))) {
		void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
					&jvpn_genl_family, NLM_F_MULTI, JVPN_CMD_DEVICE_GET);
		bool full = !hdr || put_jvpn_device(skb, jd, net);

		if (!full)
			cb->args[0] = jvpn_device_ifindex(jd, net);
		jvpn_device_put(jd);
		if (full && hdr)
			genlmsg_cancel(skb, hdr);
		if (full)
			break;
		genlmsg_end(skb, hdr);
	}
	return skb->len;
}

int jvpn_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *max = info->attrs[JVPN_A_DEVICE_MAX_SESSIONS];
	struct jvpn_device *jd;
	int err = 0;

	if (!max)
		return jvpn_genl_missing(info, JVPN_A_DEVICE_MAX_SESSIONS,
					 "max-sessions is missing: nothing to set");
	jd = jvpn_genl_device(info, JVPN_A_DEVICE_IFINDEX);
	if (IS_ERR(jd))
		return PTR_ERR(jd);
	mutex_lock(&jd->mutex);
	if (nla_get_u32(max) < jd->table.count) {
		NL_SET_ERR_MSG_ATTR(info->extack, max,
				    "The device holds more sessions than that now");
		err = -EBUSY;
	} else {
		WRITE_ONCE(jd->table.max, nla_get_u32(max));
	}
	mutex_unlock(&jd->mutex);
	jvpn_device_put(jd);
	return err;
}

/* ---- sockets ---- */

static int parse_local(struct genl_info *info, struct jvpn_addr *local)
{
	struct nlattr *v4 = info->attrs[JVPN_A_SOCKET_LOCAL_IPV4];
	struct nlattr *v6 = info->attrs[JVPN_A_SOCKET_LOCAL_IPV6];
	struct nlattr *port = info->attrs[JVPN_A_SOCKET_LOCAL_PORT];

	if (!v4 == !v6) {
		NL_SET_ERR_MSG(info->extack, "Exactly one of local-ipv4 and local-ipv6 is needed");
		return -EINVAL;
	}
	local->family = v4 ? AF_INET : AF_INET6;
	if (v4)
		local->v4 = nla_get_in_addr(v4);
	else
		local->v6 = nla_get_in6_addr(v6);
	if (port)
		local->port = nla_get_be16(port);
	return 0;
}

static bool put_socket(struct sk_buff *msg, const struct jvpn_socket *js, u32 ifindex)
{
	const struct jvpn_addr *a = &js->local;

	return nla_put_u32(msg, JVPN_A_SOCKET_IFINDEX, ifindex) ||
	       nla_put_u32(msg, JVPN_A_SOCKET_ID, js->id) ||
	       (a->family == AF_INET ?
		nla_put_in_addr(msg, JVPN_A_SOCKET_LOCAL_IPV4, a->v4) :
		nla_put_in6_addr(msg, JVPN_A_SOCKET_LOCAL_IPV6, &a->v6)) ||
	       nla_put_be16(msg, JVPN_A_SOCKET_LOCAL_PORT, a->port) ||
	       nla_put_u32(msg, JVPN_A_SOCKET_BIND_IFINDEX, js->ifindex) ||
	       nla_put_u32(msg, JVPN_A_SOCKET_FWMARK, js->mark);
}

/* Made but not answered for would be lost to the caller: the answer comes first. */
static int socket_new_locked(struct jvpn_device *jd, struct genl_info *info, struct sk_buff *msg,
			     const struct jvpn_socket_params *params)
{
	struct jvpn_socket *js;
	void *hdr;

	if (jd->dying) {
		NL_SET_ERR_MSG(info->extack, "The device is being removed");
		return -ENODEV;
	}
	js = jvpn_socket_open(jd, params, info->extack);
	if (IS_ERR(js))
		return PTR_ERR(js);
	hdr = genlmsg_put_reply(msg, info, &jvpn_genl_family, 0, JVPN_CMD_SOCKET_NEW);
	if (!hdr || put_socket(msg, js, nla_get_u32(info->attrs[JVPN_A_SOCKET_IFINDEX]))) {
		jvpn_socket_close(js);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

int jvpn_nl_socket_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct jvpn_socket_params params = {};
	struct jvpn_device *jd;
	struct sk_buff *msg;
	int err;

	err = parse_local(info, &params.local);
	if (err)
		return err;
	if (info->attrs[JVPN_A_SOCKET_BIND_IFINDEX])
		params.ifindex = nla_get_u32(info->attrs[JVPN_A_SOCKET_BIND_IFINDEX]);
	if (info->attrs[JVPN_A_SOCKET_FWMARK])
		params.mark = nla_get_u32(info->attrs[JVPN_A_SOCKET_FWMARK]);
	jd = jvpn_genl_device(info, JVPN_A_SOCKET_IFINDEX);
	if (IS_ERR(jd))
		return PTR_ERR(jd);
	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	err = -ENOMEM;
	if (!msg)
		goto out;
	mutex_lock(&jd->mutex);
	err = socket_new_locked(jd, info, msg, &params);
	mutex_unlock(&jd->mutex);
	if (err)
		nlmsg_free(msg);
	else
		err = genlmsg_reply(msg, info);
out:
	jvpn_device_put(jd);
	return err;
}

static int socket_del_locked(struct jvpn_device *jd, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[JVPN_A_SOCKET_ID];
	struct jvpn_socket *js = xa_load(&jd->sockets, nla_get_u32(attr));

	if (!js) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "No socket of this id on the device");
		return -ENOENT;
	}
	if (atomic_read(&js->users)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "The socket is used by a binding, jump or terminate first");
		return -EBUSY;
	}
	jvpn_socket_close(js);
	return 0;
}

int jvpn_nl_socket_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct jvpn_device *jd;
	int err;

	if (!info->attrs[JVPN_A_SOCKET_ID])
		return jvpn_genl_missing(info, JVPN_A_SOCKET_ID, "id of the socket is missing");
	jd = jvpn_genl_device(info, JVPN_A_SOCKET_IFINDEX);
	if (IS_ERR(jd))
		return PTR_ERR(jd);
	mutex_lock(&jd->mutex);
	err = socket_del_locked(jd, info);
	mutex_unlock(&jd->mutex);
	jvpn_device_put(jd);
	return err;
}

static int dump_device(struct sk_buff *skb, struct netlink_callback *cb, int attr,
		       struct jvpn_device **jd)
{
	struct nlattr **attrs = jvpn_dump_attrs(cb);

	if (!attrs || !attrs[attr]) {
		NL_SET_ERR_MSG(cb->extack, "ifindex of the jvpn device is missing");
		return -EINVAL;
	}
	*jd = jvpn_device_get(sock_net(skb->sk), nla_get_u32(attrs[attr]));
	if (*jd)
		return 0;
	NL_SET_ERR_MSG_ATTR(cb->extack, attrs[attr],
			    "No jvpn device of this ifindex in this network namespace");
	return -ENODEV;
}

int jvpn_nl_socket_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct jvpn_device *jd;
	struct jvpn_socket *js;
	unsigned long id;
	int err;

	err = dump_device(skb, cb, JVPN_A_SOCKET_IFINDEX, &jd);
	if (err)
		return err;
	mutex_lock(&jd->mutex);
	xa_for_each_start(&jd->sockets, id, js, cb->args[0]) {
		void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
					&jvpn_genl_family, NLM_F_MULTI, JVPN_CMD_SOCKET_GET);

		if (!hdr)
			break;
		if (put_socket(skb, js, jvpn_device_ifindex(jd, sock_net(skb->sk)))) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		cb->args[0] = id + 1;
	}
	mutex_unlock(&jd->mutex);
	jvpn_device_put(jd);
	return skb->len;
}

/* ---- sessions: dump ---- */

static bool dump_session(struct sk_buff *skb, struct netlink_callback *cb,
			 struct jvpn_session *s, bool history)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&jvpn_genl_family, NLM_F_MULTI, JVPN_CMD_SESSION_GET);
	bool full;

	if (!hdr)
		return true;
	genl_dump_check_consistent(cb, hdr);
	rcu_read_lock();
	spin_lock_bh(&s->lock);
	full = jvpn_put_session(skb, s, jvpn_device_ifindex(s->jd, sock_net(skb->sk)), history);
	spin_unlock_bh(&s->lock);
	rcu_read_unlock();
	if (full)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return full;
}

int jvpn_nl_session_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct jvpn_device *jd;
	struct jvpn_session *s;
	int err;

	err = dump_refuse(cb, JVPN_A_SESSION_ID);
	if (!err)
		err = dump_device(skb, cb, JVPN_A_SESSION_IFINDEX, &jd);
	if (err)
		return err;
	mutex_lock(&jd->mutex);
	cb->seq = jd->table.generation;
	list_for_each_entry(s, &jd->table.sessions, list) {
		if (s->serial <= cb->args[0])
			continue;
		/* One that fills a message of its own goes without its history. */
		if (dump_session(skb, cb, s, true) &&
		    (skb->len || dump_session(skb, cb, s, false)))
			break;
		cb->args[0] = s->serial;
	}
	mutex_unlock(&jd->mutex);
	jvpn_device_put(jd);
	return skb->len;
}

/* ---- control packets ---- */

int jvpn_nl_packet_register_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct jvpn_device *jd = jvpn_genl_device(info, JVPN_A_PACKET_IFINDEX);
	const struct nlattr *key;

	if (IS_ERR(jd))
		return PTR_ERR(jd);
	key = info->attrs[JVPN_A_PACKET_MAC1_KEY];
	jvpn_control_register(&jd->control, genl_info_net(info), info->snd_portid,
			      key ? nla_data(key) : NULL);
	jvpn_device_put(jd);
	return 0;
}

static int packet_send(struct jvpn_device *jd, struct genl_info *info)
{
	struct nlattr *payload = info->attrs[JVPN_A_PACKET_PAYLOAD];
	struct jvpn_transport t = {};
	int err;

	err = jvpn_genl_transport(jd, info->attrs[JVPN_A_PACKET_TRANSPORT], &t, info->extack);
	if (err)
		return err;
	/* Noted before it leaves, or the answer may be faster. */
	jvpn_control_sent(&jd->control, &t.remote, *(u8 *)nla_data(payload));
	err = jvpn_socket_send_control(&t, nla_data(payload), nla_len(payload));
	jvpn_socket_put(t.socket);
	if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[JVPN_A_PACKET_TRANSPORT],
				    "No route to the remote from this socket");
	else
		jvpn_count(jd, JVPN_C_TX_CONTROL, 1);
	return err;
}

int jvpn_nl_packet_send_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *payload = info->attrs[JVPN_A_PACKET_PAYLOAD];
	struct jvpn_device *jd;
	int err;

	if (!payload || !info->attrs[JVPN_A_PACKET_TRANSPORT])
		return jvpn_genl_missing(info, JVPN_A_PACKET_PAYLOAD,
					 "transport and payload are needed");
	/* Data keys never leave the kernel, so nobody else has data to send. */
	if (!nla_len(payload) || *(u8 *)nla_data(payload) == JVPN_MSG_DATA) {
		NL_SET_ERR_MSG_ATTR(info->extack, payload,
				    "The payload must be a control message, not DATA or empty");
		return -EINVAL;
	}
	jd = jvpn_genl_device(info, JVPN_A_PACKET_IFINDEX);
	if (IS_ERR(jd))
		return PTR_ERR(jd);
	err = packet_send(jd, info);
	jvpn_device_put(jd);
	return err;
}

/* ---- the family ---- */

static int port_closed(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct netlink_notify *n = ptr;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC)
		jvpn_device_port_closed(n->net, n->portid);
	return NOTIFY_DONE;
}

static struct notifier_block port_notifier = { .notifier_call = port_closed };

int __init jvpn_genl_init(void)
{
	int err = netlink_register_notifier(&port_notifier);

	if (err)
		return err;
	err = genl_register_family(&jvpn_genl_family);
	if (err)
		netlink_unregister_notifier(&port_notifier);
	return err;
}

void jvpn_genl_exit(void)
{
	genl_unregister_family(&jvpn_genl_family);
	netlink_unregister_notifier(&port_notifier);
}
