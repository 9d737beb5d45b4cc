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

/*
 * Its sockets, and the addresses that its sessions tell of, are where it was
 * made: to be given the interface is not to rule over them.
 */
static bool may_rule(const struct sk_buff *skb, const struct jvpn_device *jd)
{
	return netlink_ns_capable(skb, jd->birth_user, CAP_NET_ADMIN);
}

static struct jvpn_device *device_of_request(const struct sk_buff *skb, struct net *net,
					     struct nlattr *ifindex, struct nlattr *id,
					     struct netlink_ext_ack *extack)
{
	struct jvpn_device *jd;

	if (ifindex && id) {
		NL_SET_ERR_MSG_ATTR(extack, id, "Name the device by ifindex or device-id, not both");
		return ERR_PTR(-EINVAL);
	}
	jd = id ? jvpn_device_get_by_id(net, nla_get_u64(id)) :
		  jvpn_device_get(net, nla_get_u32(ifindex));
	if (!jd) {
		NL_SET_ERR_MSG_ATTR(extack, id ? id : ifindex,
				    "No such jvpn device in this network namespace");
		return ERR_PTR(-ENODEV);
	}
	if (!may_rule(skb, jd)) {
		NL_SET_ERR_MSG_ATTR(extack, id ? id : ifindex,
				    "CAP_NET_ADMIN is needed where the device was made");
		jvpn_device_put(jd);
		return ERR_PTR(-EPERM);
	}
	return jd;
}

struct jvpn_device *jvpn_genl_device(const struct sk_buff *skb, struct genl_info *info,
				     struct jvpn_genl_name name)
{
	struct nlattr *ifindex = info->attrs[name.ifindex], *id = info->attrs[name.device_id];

	if (!ifindex && !id)
		return ERR_PTR(jvpn_genl_missing(info, name.ifindex,
						 "ifindex or device-id of the jvpn device is missing"));
	return device_of_request(skb, genl_info_net(info), ifindex, id, info->extack);
}

int jvpn_genl_keyed(struct sk_buff *skb, struct genl_info *info, struct nlattr **attrs, int max,
		    const struct nla_policy *policy,
		    int (*run)(struct sk_buff *skb, struct genl_info *info))
{
	struct nlattr **outline = info->attrs;
	int err;

	err = genlmsg_parse(info->nlhdr, &jvpn_genl_family, attrs, max, policy, info->extack);
	if (!err) {
		info->attrs = attrs;
		err = run(skb, info);
		info->attrs = outline;
	}
	memzero_explicit(genlmsg_data(info->genlhdr), genlmsg_len(info->genlhdr));
	return err;
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

	return jvpn_put_device(msg, jd, net, JVPN_GENL_NAME_OF(DEVICE)) ||
	       nla_put_string(msg, JVPN_A_DEVICE_IFNAME, jd->dev->name) ||
	       nla_put_u32(msg, JVPN_A_DEVICE_MAX_SESSIONS, READ_ONCE(jd->table.max)) ||
	       nla_put_u32(msg, JVPN_A_DEVICE_SESSIONS, READ_ONCE(jd->table.count)) ||
	       nla_put_u32(msg, JVPN_A_DEVICE_SOCKETS, count_sockets(jd)) ||
	       (portid && nla_put_u32(msg, JVPN_A_DEVICE_REGISTERED, portid)) ||
	       nla_put_u64_64bit(msg, JVPN_A_DEVICE_BOOTTIME, jvpn_now_ms(),
				 JVPN_A_DEVICE_PAD) ||
	       put_counters(msg, jd) ||
	       nla_put_u32(msg, JVPN_A_DEVICE_HOLD_BYTES, READ_ONCE(jd->hold_max)) ||
	       nla_put_u32(msg, JVPN_A_DEVICE_HELD_BYTES, atomic_long_read(&jd->held_bytes));
}

int jvpn_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct jvpn_device *jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(DEVICE));
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

static bool dump_device(struct sk_buff *skb, struct netlink_callback *cb, struct jvpn_device *jd,
			const struct net *net)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&jvpn_genl_family, NLM_F_MULTI, JVPN_CMD_DEVICE_GET);

	if (!hdr)
		return true;
	if (put_jvpn_device(skb, jd, net)) {
		genlmsg_cancel(skb, hdr);
		return true;
	}
	genlmsg_end(skb, hdr);
	return false;
}

int jvpn_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct net *net = sock_net(skb->sk);
	struct jvpn_device *jd;
	bool full = false;
	int err;

	err = dump_refuse(cb, JVPN_A_DEVICE_IFINDEX);
	if (!err)
		err = dump_refuse(cb, JVPN_A_DEVICE_DEVICE_ID);
	if (err)
		return err;
	while (!full && (jd = jvpn_device_next(net, cb->args[0]))) {
		if (may_rule(cb->skb, jd))
			full = dump_device(skb, cb, jd, net);
		if (!full)
			cb->args[0] = jd->id;
		jvpn_device_put(jd);
	}
	return skb->len;
}

/* All that takes kernel memory, and who owns a user namespace owns none of that. */
static int check_memory(const struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *max = info->attrs[JVPN_A_DEVICE_MAX_SESSIONS];
	struct nlattr *hold = info->attrs[JVPN_A_DEVICE_HOLD_BYTES];

	if (netlink_capable(skb, CAP_NET_ADMIN))
		return 0;
	if (max && nla_get_u32(max) > JVPN_SESSIONS_UNPRIVILEGED_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, max,
				    "More sessions than 65536 need CAP_NET_ADMIN in the initial user namespace");
		return -EPERM;
	}
	if (hold && nla_get_u32(hold) > jvpn_hold_default()) {
		NL_SET_ERR_MSG_ATTR(info->extack, hold,
				    "More than the default needs CAP_NET_ADMIN in the initial user namespace");
		return -EPERM;
	}
	return 0;
}

int jvpn_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *max = info->attrs[JVPN_A_DEVICE_MAX_SESSIONS];
	struct nlattr *hold = info->attrs[JVPN_A_DEVICE_HOLD_BYTES];
	struct jvpn_device *jd;
	int err;

	if (!max && !hold)
		return jvpn_genl_missing(info, JVPN_A_DEVICE_MAX_SESSIONS,
					 "max-sessions and hold-bytes are missing: nothing to set");
	err = check_memory(skb, info);
	if (err)
		return err;
	jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(DEVICE));
	if (IS_ERR(jd))
		return PTR_ERR(jd);
	mutex_lock(&jd->mutex);
	if (max && nla_get_u32(max) < jd->table.count) {
		NL_SET_ERR_MSG_ATTR(info->extack, max,
				    "The device holds more sessions than that now");
		err = -EBUSY;
	}
	if (!err && max)
		WRITE_ONCE(jd->table.max, nla_get_u32(max));
	if (!err && hold)
		WRITE_ONCE(jd->hold_max, nla_get_u32(hold));
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

static bool put_socket(struct sk_buff *msg, const struct jvpn_socket *js, const struct net *net)
{
	const struct jvpn_site site = jvpn_socket_site(js);
	const struct jvpn_addr *a = &site.local;

	return jvpn_put_device(msg, js->jd, net, JVPN_GENL_NAME_OF(SOCKET)) ||
	       nla_put_u32(msg, JVPN_A_SOCKET_ID, js->id) ||
	       (a->family == AF_INET ?
		nla_put_in_addr(msg, JVPN_A_SOCKET_LOCAL_IPV4, a->v4) :
		nla_put_in6_addr(msg, JVPN_A_SOCKET_LOCAL_IPV6, &a->v6)) ||
	       nla_put_be16(msg, JVPN_A_SOCKET_LOCAL_PORT, a->port) ||
	       nla_put_u32(msg, JVPN_A_SOCKET_BIND_IFINDEX, site.ifindex) ||
	       nla_put_u32(msg, JVPN_A_SOCKET_FWMARK, js->mark);
}

/* Made but not answered for would be lost to the caller: the answer comes first. */
static int socket_new_locked(struct jvpn_device *jd, struct genl_info *info, struct sk_buff *msg,
			     const struct jvpn_socket_params *params)
{
	struct jvpn_socket *js;
	void *hdr;

	lockdep_assert_held(&jd->mutex);
	if (jd->dying) {
		NL_SET_ERR_MSG(info->extack, "The device is being removed");
		return -ENODEV;
	}
	js = jvpn_socket_open(jd, params, info->extack);
	if (IS_ERR(js))
		return PTR_ERR(js);
	hdr = genlmsg_put_reply(msg, info, &jvpn_genl_family, 0, JVPN_CMD_SOCKET_NEW);
	if (!hdr || put_socket(msg, js, genl_info_net(info))) {
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
	jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(SOCKET));
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

/* That of the id that the request names; device's mutex held. */
static struct jvpn_socket *socket_named(struct jvpn_device *jd, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[JVPN_A_SOCKET_ID];
	struct jvpn_socket *js = xa_load(&jd->sockets, nla_get_u32(attr));

	lockdep_assert_held(&jd->mutex);
	if (!js)
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "No socket of this id on the device");
	return js;
}

static int socket_set_locked(struct jvpn_device *jd, struct genl_info *info,
			     const struct jvpn_socket_params *params)
{
	struct jvpn_socket *js = socket_named(jd, info);

	if (!js)
		return -ENOENT;
	if (js->family != params->local.family) {
		NL_SET_ERR_MSG(info->extack, "A socket keeps its address family");
		return -EAFNOSUPPORT;
	}
	return jvpn_socket_move(js, *params, info->extack);
}

int jvpn_nl_socket_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct jvpn_socket_params params = {};
	struct jvpn_device *jd;
	int err;

	if (!info->attrs[JVPN_A_SOCKET_ID])
		return jvpn_genl_missing(info, JVPN_A_SOCKET_ID, "id of the socket is missing");
	err = parse_local(info, &params.local);
	if (err)
		return err;
	if (info->attrs[JVPN_A_SOCKET_BIND_IFINDEX])
		params.ifindex = nla_get_u32(info->attrs[JVPN_A_SOCKET_BIND_IFINDEX]);
	jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(SOCKET));
	if (IS_ERR(jd))
		return PTR_ERR(jd);
	mutex_lock(&jd->mutex);
	err = socket_set_locked(jd, info, &params);
	mutex_unlock(&jd->mutex);
	jvpn_device_put(jd);
	return err;
}

static int socket_del_locked(struct jvpn_device *jd, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[JVPN_A_SOCKET_ID];
	struct jvpn_socket *js = socket_named(jd, info);

	if (!js)
		return -ENOENT;
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
	jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(SOCKET));
	if (IS_ERR(jd))
		return PTR_ERR(jd);
	mutex_lock(&jd->mutex);
	err = socket_del_locked(jd, info);
	mutex_unlock(&jd->mutex);
	jvpn_device_put(jd);
	return err;
}

/*
 * The device that a dump is about, with a reference. Its name may be another's
 * before the dump ends: by its id it goes on with the one that it began with.
 */
static struct jvpn_device *dump_of(struct sk_buff *skb, struct netlink_callback *cb,
				   struct jvpn_genl_name name)
{
	struct nlattr **attrs = jvpn_dump_attrs(cb);
	struct nlattr *ifindex = attrs ? attrs[name.ifindex] : NULL;
	struct nlattr *id = attrs ? attrs[name.device_id] : NULL;
	struct net *net = sock_net(skb->sk);
	struct jvpn_device *jd;

	if (cb->args[1]) {
		jd = jvpn_device_get_by_id(net, cb->args[1]);
		return jd ? jd : ERR_PTR(-ENODEV);
	}
	if (!ifindex && !id) {
		NL_SET_ERR_MSG(cb->extack, "ifindex or device-id of the jvpn device is missing");
		return ERR_PTR(-EINVAL);
	}
	jd = device_of_request(cb->skb, net, ifindex, id, cb->extack);
	if (!IS_ERR(jd))
		cb->args[1] = jd->id;
	return jd;
}

static bool dump_socket(struct sk_buff *skb, struct netlink_callback *cb,
			const struct jvpn_socket *js)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&jvpn_genl_family, NLM_F_MULTI, JVPN_CMD_SOCKET_GET);

	if (!hdr)
		return true;
	if (put_socket(skb, js, sock_net(skb->sk))) {
		genlmsg_cancel(skb, hdr);
		return true;
	}
	genlmsg_end(skb, hdr);
	return false;
}

int jvpn_nl_socket_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct jvpn_device *jd = dump_of(skb, cb, JVPN_GENL_NAME_OF(SOCKET));
	struct jvpn_socket *js;
	unsigned long id;

	if (IS_ERR(jd))
		return PTR_ERR(jd);
	rcu_read_lock();
	xa_for_each_start(&jd->sockets, id, js, cb->args[0]) {
		if (dump_socket(skb, cb, js))
			break;
		cb->args[0] = id + 1;
	}
	rcu_read_unlock();
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
	spin_lock_bh(&s->lock);
	full = jvpn_put_session(skb, s, sock_net(skb->sk), history);
	spin_unlock_bh(&s->lock);
	if (full)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return full;
}

/*
 * By serial number from where the last message ended, under RCU: nobody waits
 * for a dump. A session that comes or goes meanwhile changes the generation, at
 * the latest by the time of the next message, which then says so.
 */
int jvpn_nl_session_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct jvpn_device *jd;
	struct jvpn_session *s;
	unsigned long serial;
	int err;

	err = dump_refuse(cb, JVPN_A_SESSION_ID);
	if (err)
		return err;
	jd = dump_of(skb, cb, JVPN_GENL_NAME_OF(SESSION));
	if (IS_ERR(jd))
		return PTR_ERR(jd);
	rcu_read_lock();
	/* Pairs with that of generation_change(): what comes later is seen or counts. */
	cb->seq = smp_load_acquire(&jd->table.generation);
	xa_for_each_start(&jd->table.sessions, serial, s, cb->args[0]) {
		/* One that fills a message of its own goes without its history. */
		if (dump_session(skb, cb, s, true) &&
		    (skb->len || dump_session(skb, cb, s, false))) {
			err = skb->len ? 0 : -EMSGSIZE;
			break;
		}
		cb->args[0] = serial + 1;
	}
	rcu_read_unlock();
	jvpn_device_put(jd);
	return err ? err : skb->len;
}

/* ---- control packets ---- */

static int packet_register(struct sk_buff *skb, struct genl_info *info)
{
	struct jvpn_device *jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(PACKET));
	const struct nlattr *mac1, *name;

	if (IS_ERR(jd))
		return PTR_ERR(jd);
	mac1 = info->attrs[JVPN_A_PACKET_MAC1_KEY];
	name = info->attrs[JVPN_A_PACKET_NAME_KEY];
	jvpn_control_register(&jd->control, genl_info_net(info), info->snd_portid,
			      mac1 ? nla_data(mac1) : NULL, name ? nla_data(name) : NULL);
	jvpn_device_put(jd);
	return 0;
}

int jvpn_nl_packet_register_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[JVPN_A_PACKET_MAX + 1];

	return jvpn_genl_keyed(skb, info, attrs, JVPN_A_PACKET_MAX,
			       jvpn_nl_packet_register_policy, packet_register);
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
	if (err == -ELOOP)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[JVPN_A_PACKET_TRANSPORT],
				    "The route to the remote leads through the device itself");
	else if (err)
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
	/* Data keys never leave the kernel, and no other service's language is spoken. */
	if (!jvpn_wire_control_valid(JVPN_WIRE_TO_GATEWAY | JVPN_WIRE_TO_CLIENT, nla_data(payload),
				     nla_len(payload))) {
		NL_SET_ERR_MSG_ATTR(info->extack, payload,
				    "The payload must be a control message of exact size, not DATA");
		return -EINVAL;
	}
	jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(PACKET));
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
