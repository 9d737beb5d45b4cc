// SPDX-License-Identifier: GPL-2.0
/* Requests about sessions, bindings and epochs: read, hand to binding.c, answer. */
#include <linux/netlink.h>

#include "binding.h"
#include "compat.h"
#include "deadline.h"
#include "device.h"
#include "genl.h"
#include "genl-gen.h"
#include "session.h"
#include "socket.h"

static int keyed_run(struct sk_buff *skb, struct genl_info *info,
		     const struct nla_policy *policy,
		     int (*run)(struct sk_buff *skb, struct genl_info *info))
{
	struct nlattr *attrs[JVPN_A_SESSION_MAX + 1];

	return jvpn_genl_keyed(skb, info, attrs, JVPN_A_SESSION_MAX, policy, run);
}

/* ---- reading attributes ---- */

static int bad_attr(struct netlink_ext_ack *extack, const struct nlattr *attr, const char *text)
{
	if (extack) {
		extack->_msg = text;
		extack->bad_attr = attr;
	}
	return -EINVAL;
}

static int parse_remote(struct nlattr **tb, const struct nlattr *nest, struct jvpn_addr *a,
			struct netlink_ext_ack *extack)
{
	struct nlattr *v4 = tb[JVPN_A_TRANSPORT_REMOTE_IPV4];
	struct nlattr *v6 = tb[JVPN_A_TRANSPORT_REMOTE_IPV6];

	if (!v4 == !v6)
		return bad_attr(extack, nest, "Exactly one of remote-ipv4 and remote-ipv6 is needed");
	a->family = v4 ? AF_INET : AF_INET6;
	if (v4)
		a->v4 = nla_get_in_addr(v4);
	else
		a->v6 = nla_get_in6_addr(v6);
	if (v4 ? ipv4_is_multicast(a->v4) || ipv4_is_zeronet(a->v4) || ipv4_is_lbcast(a->v4) :
		 ipv6_addr_is_multicast(&a->v6) || ipv6_addr_any(&a->v6) ||
		 ipv6_addr_v4mapped(&a->v6))
		return bad_attr(extack, v4 ? v4 : v6, "The remote address is not a unicast address");
	if (tb[JVPN_A_TRANSPORT_REMOTE_PORT])
		a->port = nla_get_be16(tb[JVPN_A_TRANSPORT_REMOTE_PORT]);
	if (!a->port)
		return bad_attr(extack, nest, "remote-port is missing or 0");
	if (v6 && tb[JVPN_A_TRANSPORT_REMOTE_SCOPE_ID])
		a->scope = nla_get_u32(tb[JVPN_A_TRANSPORT_REMOTE_SCOPE_ID]);
	return 0;
}

static int parse_source(struct nlattr **tb, struct jvpn_transport *t,
			struct netlink_ext_ack *extack)
{
	struct nlattr *v4 = tb[JVPN_A_TRANSPORT_LOCAL_IPV4];
	struct nlattr *v6 = tb[JVPN_A_TRANSPORT_LOCAL_IPV6];

	if (!v4 && !v6)
		return 0;
	if ((v4 && v6) || (v4 ? AF_INET : AF_INET6) != t->remote.family)
		return bad_attr(extack, v4 ? v4 : v6,
				"The local address must be of the family of the remote address");
	t->local.family = t->remote.family;
	if (v4)
		t->local.v4 = nla_get_in_addr(v4);
	else
		t->local.v6 = nla_get_in6_addr(v6);
	if (tb[JVPN_A_TRANSPORT_LOCAL_IFINDEX])
		t->local.scope = nla_get_u32(tb[JVPN_A_TRANSPORT_LOCAL_IFINDEX]);
	return 0;
}

int jvpn_genl_transport(struct jvpn_device *jd, const struct nlattr *nest,
			struct jvpn_transport *t, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[JVPN_A_TRANSPORT_MAX + 1];
	int err;

	err = nla_parse_nested(tb, JVPN_A_TRANSPORT_MAX, nest, jvpn_transport_nl_policy, extack);
	if (!err)
		err = parse_remote(tb, nest, &t->remote, extack);
	if (!err)
		err = parse_source(tb, t, extack);
	if (err)
		return err;
	if (!tb[JVPN_A_TRANSPORT_SOCKET])
		return bad_attr(extack, nest, "socket is missing");
	t->socket = jvpn_socket_get(jd, nla_get_u32(tb[JVPN_A_TRANSPORT_SOCKET]));
	if (!t->socket) {
		bad_attr(extack, tb[JVPN_A_TRANSPORT_SOCKET], "No socket of this id on the device");
		return -ENOENT;
	}
	if (t->socket->family != t->remote.family) {
		jvpn_socket_put(t->socket);
		return bad_attr(extack, nest,
				"Remote address and socket are of different address families");
	}
	return 0;
}

static int parse_keys(const struct nlattr *nest, struct jvpn_epoch_keys *k,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[JVPN_A_EPOCH_MAX + 1];
	int err, i;

	err = nla_parse_nested(tb, JVPN_A_EPOCH_MAX, nest, jvpn_epoch_nl_policy, extack);
	if (err)
		return err;
	for (i = JVPN_A_EPOCH_NUMBER; i <= JVPN_A_EPOCH_TX_IV; i++)
		if (!tb[i])
			return bad_attr(extack, nest,
					"keys need number, suite, both indices, keys and IVs");
	k->number = nla_get_u32(tb[JVPN_A_EPOCH_NUMBER]);
	k->rx_index = nla_get_u32(tb[JVPN_A_EPOCH_RX_INDEX]);
	k->tx_index = nla_get_u32(tb[JVPN_A_EPOCH_TX_INDEX]);
	memcpy(k->rx_key, nla_data(tb[JVPN_A_EPOCH_RX_KEY]), JVPN_KEY_SIZE);
	memcpy(k->rx_iv, nla_data(tb[JVPN_A_EPOCH_RX_IV]), JVPN_IV_SIZE);
	memcpy(k->tx_key, nla_data(tb[JVPN_A_EPOCH_TX_KEY]), JVPN_KEY_SIZE);
	memcpy(k->tx_iv, nla_data(tb[JVPN_A_EPOCH_TX_IV]), JVPN_IV_SIZE);
	if (!k->rx_index)
		return bad_attr(extack, tb[JVPN_A_EPOCH_RX_INDEX], "rx-index must not be 0");
	if (!memcmp(k->rx_key, k->tx_key, JVPN_KEY_SIZE))
		return bad_attr(extack, nest, "rx-key and tx-key must differ: directions need keys of their own");
	return 0;
}

static bool prefix_has_host_bits(const struct jvpn_prefix_key *key)
{
	struct in6_addr masked;

	ipv6_addr_prefix(&masked, &key->addr, key->len);
	return !ipv6_addr_equal(&masked, &key->addr);
}

static int parse_prefix(const struct nlattr *nest, struct jvpn_prefix_key *key,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[JVPN_A_INNER_MAX + 1];
	struct nlattr *v4, *v6;
	int err;

	err = nla_parse_nested(tb, JVPN_A_INNER_MAX, nest, jvpn_inner_nl_policy, extack);
	if (err)
		return err;
	v4 = tb[JVPN_A_INNER_IPV4];
	v6 = tb[JVPN_A_INNER_IPV6];
	if (!v4 == !v6 || !tb[JVPN_A_INNER_PREFIX_LEN])
		return bad_attr(extack, nest, "inner needs exactly one of ipv4 and ipv6, and prefix-len");
	key->len = nla_get_u8(tb[JVPN_A_INNER_PREFIX_LEN]);
	key->family = v4 ? AF_INET : AF_INET6;
	if (v4)
		key->addr.s6_addr32[0] = nla_get_in_addr(v4);
	else
		key->addr = nla_get_in6_addr(v6);
	if (v4 && key->len > 32)
		return bad_attr(extack, tb[JVPN_A_INNER_PREFIX_LEN],
				"prefix-len of an IPv4 prefix is at most 32");
	if (prefix_has_host_bits(key))
		return bad_attr(extack, nest, "inner has bits set beyond prefix-len");
	return 0;
}

static bool prefix_repeats(const struct jvpn_session_params *p)
{
	u32 last = p->prefix_count - 1, i;

	for (i = 0; i < last; i++)
		if (!memcmp(&p->prefixes[i], &p->prefixes[last], sizeof(p->prefixes[i])))
			return true;
	return false;
}

static int parse_prefixes(struct genl_info *info, struct jvpn_session_params *p)
{
	struct nlattr *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != JVPN_A_SESSION_INNER)
			continue;
		if (p->prefix_count == JVPN_PREFIXES_MAX)
			return bad_attr(info->extack, attr, "A session has at most 64 inner prefixes");
		err = parse_prefix(attr, &p->prefixes[p->prefix_count], info->extack);
		if (err)
			return err;
		p->prefix_count++;
		if (prefix_repeats(p))
			return bad_attr(info->extack, attr, "This inner prefix is given twice");
	}
	if (p->prefix_count)
		return 0;
	return jvpn_genl_missing(info, JVPN_A_SESSION_INNER,
				 "A session needs at least one inner prefix");
}

static void policy_u32(struct nlattr **tb, int attr, u32 *out)
{
	if (tb[attr])
		*out = nla_get_u32(tb[attr]);
}

/* What is not given keeps its value. */
static int parse_policy(const struct nlattr *nest, struct jvpn_policy *p,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[JVPN_A_POLICY_MAX + 1];
	int err;

	err = nla_parse_nested(tb, JVPN_A_POLICY_MAX, nest, jvpn_policy_nl_policy, extack);
	if (err)
		return err;
	if (tb[JVPN_A_POLICY_NAME])
		nla_strscpy(p->name, tb[JVPN_A_POLICY_NAME], sizeof(p->name));
	policy_u32(tb, JVPN_A_POLICY_VERSION, &p->version);
	policy_u32(tb, JVPN_A_POLICY_TRANSPORT_LOSS_TTL_MS, &p->transport_loss_ttl_ms);
	policy_u32(tb, JVPN_A_POLICY_IDLE_INTERVAL_MS, &p->idle_interval_ms);
	policy_u32(tb, JVPN_A_POLICY_ACTIVE_INTERVAL_MS, &p->active_interval_ms);
	policy_u32(tb, JVPN_A_POLICY_DEAD_BASE_MS, &p->dead_base_ms);
	policy_u32(tb, JVPN_A_POLICY_DEAD_RTTS, &p->dead_rtts);
	policy_u32(tb, JVPN_A_POLICY_RX_TIMEOUT_MS, &p->rx_timeout_ms);
	policy_u32(tb, JVPN_A_POLICY_REJECT_AFTER_MS, &p->reject_after_ms);
	policy_u32(tb, JVPN_A_POLICY_HOLD_BYTES, &p->hold_bytes);
	policy_u32(tb, JVPN_A_POLICY_LOSS_ENTER, &p->loss_enter);
	policy_u32(tb, JVPN_A_POLICY_LOSS_LEAVE, &p->loss_leave);
	policy_u32(tb, JVPN_A_POLICY_RTT_ENTER_MS, &p->rtt_enter_ms);
	policy_u32(tb, JVPN_A_POLICY_RTT_LEAVE_MS, &p->rtt_leave_ms);
	if (p->active_interval_ms > p->idle_interval_ms)
		return bad_attr(extack, nest, "active-interval-ms must not exceed idle-interval-ms");
	if (p->loss_leave > p->loss_enter || p->rtt_leave_ms > p->rtt_enter_ms)
		return bad_attr(extack, nest, "A leave threshold must not exceed its enter threshold");
	return 0;
}

static u64 get_u64_or(struct genl_info *info, int attr, u64 otherwise)
{
	return info->attrs[attr] ? nla_get_u64(info->attrs[attr]) : otherwise;
}

static u32 get_u32_or(struct genl_info *info, int attr, u32 otherwise)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : otherwise;
}

static int parse_request(struct genl_info *info, struct jvpn_binding_request *req)
{
	struct nlattr **tb = info->attrs;

	if (!tb[JVPN_A_SESSION_ID])
		return jvpn_genl_missing(info, JVPN_A_SESSION_ID, "id of the session is missing");
	if (!tb[JVPN_A_SESSION_EXPECTED_VERSION])
		return jvpn_genl_missing(info, JVPN_A_SESSION_EXPECTED_VERSION,
					 "expected-version is missing: name the version you decided on");
	if (!tb[JVPN_A_SESSION_PEER_VERSION] != !tb[JVPN_A_SESSION_PEER_EPOCH])
		return jvpn_genl_missing(info, JVPN_A_SESSION_PEER_EPOCH,
					 "peer-version and peer-epoch go together");
	req->expected_version = nla_get_u64(tb[JVPN_A_SESSION_EXPECTED_VERSION]);
	req->has_expected_epoch = tb[JVPN_A_SESSION_EXPECTED_EPOCH];
	req->expected_epoch = get_u32_or(info, JVPN_A_SESSION_EXPECTED_EPOCH, 0);
	req->has_peer = tb[JVPN_A_SESSION_PEER_VERSION];
	req->peer_version = get_u64_or(info, JVPN_A_SESSION_PEER_VERSION, 0);
	req->peer_epoch = get_u32_or(info, JVPN_A_SESSION_PEER_EPOCH, 0);
	req->event = get_u32_or(info, JVPN_A_SESSION_EVENT, JVPN_EVENT_NONE);
	req->reason = get_u32_or(info, JVPN_A_SESSION_REASON, JVPN_REASON_NONE);
	req->has_cookie = tb[JVPN_A_SESSION_COOKIE];
	req->cookie = get_u64_or(info, JVPN_A_SESSION_COOKIE, 0);
	return 0;
}

/* ---- answering ---- */

static bool put_result(struct sk_buff *msg, struct genl_info *info, const struct jvpn_device *jd,
		       const struct jvpn_binding_result *res)
{
	return jvpn_put_device(msg, jd, genl_info_net(info), JVPN_GENL_NAME_OF(SESSION)) ||
	       nla_put(msg, JVPN_A_SESSION_ID, JVPN_SESSION_ID_SIZE,
		       nla_data(info->attrs[JVPN_A_SESSION_ID])) ||
	       nla_put_u32(msg, JVPN_A_SESSION_STATE, res->state) ||
	       nla_put_u64_64bit(msg, JVPN_A_SESSION_VERSION, res->version,
				 JVPN_A_SESSION_PAD) ||
	       nla_put_u32(msg, JVPN_A_SESSION_EPOCH_NUMBER, res->epoch) ||
	       (res->reject && nla_put_u32(msg, JVPN_A_SESSION_REJECT, res->reject));
}

/*
 * The answer carries the current version, whether the request was applied or
 * not; @err then becomes the netlink error.
 */
static int answer(struct sk_buff *msg, struct genl_info *info, const struct jvpn_device *jd,
		  u8 cmd, const struct jvpn_binding_result *res,
		  const struct jvpn_transition *steps, int err)
{
	void *hdr = genlmsg_put_reply(msg, info, &jvpn_genl_family, 0, cmd);
	u32 i;

	if (!hdr || put_result(msg, info, jd, res))
		goto too_small;
	for (i = 0; i < res->steps; i++)
		if (jvpn_put_transition(msg, &steps[i]))
			goto too_small;
	genlmsg_end(msg, hdr);
	genlmsg_reply(msg, info);
	return err;

too_small:
	nlmsg_free(msg);
	return err ? err : -EMSGSIZE;
}

static int unknown_session(struct genl_info *info, struct jvpn_binding_result *res)
{
	res->reject = JVPN_REJECT_UNKNOWN_SESSION;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[JVPN_A_SESSION_ID],
			    "No session of this id on the device");
	return -ENOENT;
}

/* ---- requests that change a session ---- */

/**
 * struct change - a request that changes a session
 * @jd: the device, with a reference
 * @req: what is asked for
 * @b: new binding of the request, or NULL; taken over if it is not refused
 * @res: the result
 */
struct change {
	struct jvpn_device *jd;
	struct jvpn_binding_request req;
	struct jvpn_binding *b;
	struct jvpn_binding_result res;
};

typedef int (*change_fn)(struct jvpn_session *s, struct change *c, struct netlink_ext_ack *extack);

static struct jvpn_session *change_session(struct change *c, struct genl_info *info)
{
	return jvpn_table_session(&c->jd->table, nla_data(info->attrs[JVPN_A_SESSION_ID]));
}

/* Transitions that the request has just applied. */
static void copy_steps(struct jvpn_session *s, const struct jvpn_binding_result *res,
		       struct jvpn_transition *steps)
{
	u32 i;

	spin_lock_bh(&s->lock);
	for (i = 0; i < res->steps; i++) {
		u64 version = res->version - res->steps + 1 + i;
		const struct jvpn_transition *t = jvpn_session_past(s, s->version - version);

		if (t)
			steps[i] = *t;
	}
	spin_unlock_bh(&s->lock);
}

/* Everything that can fail for want of memory was done before. */
static int change_apply(struct change *c, struct genl_info *info, u8 cmd, change_fn fn)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	struct jvpn_transition steps[2] = {};
	struct jvpn_session *s;
	int err;

	if (!msg)
		return -ENOMEM;
	rcu_read_lock();
	s = change_session(c, info);
	if (!s) {
		err = unknown_session(info, &c->res);
	} else {
		if (c->b)
			c->b->session = s;
		err = fn(s, c, info->extack);
		if (err)
			c->res.steps = 0;
		else
			c->b = NULL;
		copy_steps(s, &c->res, steps);
	}
	rcu_read_unlock();
	return answer(msg, info, c->jd, cmd, &c->res, steps, err);
}

static int change_begin(struct change *c, const struct sk_buff *skb, struct genl_info *info)
{
	int err = parse_request(info, &c->req);

	if (err)
		return err;
	c->jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(SESSION));
	return PTR_ERR_OR_ZERO(c->jd);
}

static void change_end(struct change *c)
{
	if (c->b)
		jvpn_binding_free(c->b);
	jvpn_device_put(c->jd);
}

/* The transport of the request, or the bound one if it gives none; -ENOTCONN without both. */
static int change_transport(struct change *c, struct genl_info *info, struct jvpn_transport *t)
{
	struct nlattr *nest = info->attrs[JVPN_A_SESSION_TRANSPORT];
	struct jvpn_binding *bound;
	struct jvpn_session *s;
	int err = -ENOTCONN;

	if (nest)
		return jvpn_genl_transport(c->jd, nest, t, info->extack);
	rcu_read_lock();
	s = change_session(c, info);
	bound = s ? rcu_dereference(s->binding) : NULL;
	if (bound) {
		*t = bound->transport;
		t->socket = jvpn_socket_get(c->jd, t->socket->id);
		err = t->socket ? 0 : -ENOTCONN;
	}
	rcu_read_unlock();
	return err;
}

/* Make the binding that the request describes. */
static int change_binding(struct change *c, struct genl_info *info)
{
	struct jvpn_transport t = {};
	struct jvpn_epoch_keys keys;
	int err;

	if (!info->attrs[JVPN_A_SESSION_KEYS])
		return jvpn_genl_missing(info, JVPN_A_SESSION_KEYS, "keys are missing");
	err = parse_keys(info->attrs[JVPN_A_SESSION_KEYS], &keys, info->extack);
	if (!err)
		err = change_transport(c, info, &t);
	if (!err) {
		c->b = jvpn_binding_alloc(NULL, &t, &keys);
		if (!c->b) {
			jvpn_socket_put(t.socket);
			err = -ENOMEM;
		}
	}
	memzero_explicit(&keys, sizeof(keys));
	return err;
}

/* A prepared binding is meant: the request names it and describes none. */
static bool names_prepared(const struct change *c, const struct genl_info *info)
{
	return c->req.has_cookie && !info->attrs[JVPN_A_SESSION_KEYS] &&
	       !info->attrs[JVPN_A_SESSION_TRANSPORT];
}

static int change_set(struct jvpn_session *s, struct change *c, struct netlink_ext_ack *extack)
{
	return jvpn_binding_commit(s, c->b, &c->req, &c->res, extack);
}

static int binding_set(struct sk_buff *skb, struct genl_info *info)
{
	struct change c = {};
	int err = change_begin(&c, skb, info);

	if (err)
		return err;
	if (!names_prepared(&c, info)) {
		if (!info->attrs[JVPN_A_SESSION_TRANSPORT])
			err = jvpn_genl_missing(info, JVPN_A_SESSION_TRANSPORT,
						"transport is missing");
		else
			err = change_binding(&c, info);
	}
	if (!err)
		err = change_apply(&c, info, JVPN_CMD_BINDING_SET, change_set);
	change_end(&c);
	return err;
}

int jvpn_nl_binding_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return keyed_run(skb, info, jvpn_nl_binding_set_policy, binding_set);
}

/* The request counts on the bound transport, and there is none. */
static int change_unbound(struct jvpn_session *s, struct change *c, struct netlink_ext_ack *extack)
{
	int err;

	spin_lock_bh(&s->lock);
	err = jvpn_binding_check_locked(s, &c->req, &c->res, extack);
	spin_unlock_bh(&s->lock);
	jvpn_binding_settle(s);
	if (err)
		return err;
	c->res.reject = JVPN_REJECT_ILLEGAL_TRANSITION;
	NL_SET_ERR_MSG(extack, "transport is missing, and the session has no binding");
	return -EPROTO;
}

static int change_epoch(struct jvpn_session *s, struct change *c, struct netlink_ext_ack *extack)
{
	return jvpn_binding_refresh(s, c->b, &c->req, &c->res, extack);
}

static int epoch_set(struct sk_buff *skb, struct genl_info *info)
{
	struct change c = {};
	int err = change_begin(&c, skb, info);

	if (err)
		return err;
	if (!names_prepared(&c, info))
		err = change_binding(&c, info);
	if (!err)
		err = change_apply(&c, info, JVPN_CMD_EPOCH_SET, change_epoch);
	else if (err == -ENOTCONN)
		err = change_apply(&c, info, JVPN_CMD_EPOCH_SET, change_unbound);
	change_end(&c);
	return err;
}

int jvpn_nl_epoch_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return keyed_run(skb, info, jvpn_nl_epoch_set_policy, epoch_set);
}

static int change_prepare(struct jvpn_session *s, struct change *c, struct netlink_ext_ack *extack)
{
	return jvpn_binding_prepare(s, c->b, &c->req, &c->res, extack);
}

static int binding_prepare(struct sk_buff *skb, struct genl_info *info)
{
	struct change c = {};
	int err = change_begin(&c, skb, info);

	if (err)
		return err;
	err = change_binding(&c, info);
	if (!err) {
		c.b->cookie = c.req.cookie;
		c.b->reason = c.req.reason;
		c.b->peer_version = c.req.peer_version;
		c.b->peer_epoch = c.req.peer_epoch;
		c.b->hold = nla_get_flag(info->attrs[JVPN_A_SESSION_HOLD]);
		c.b->refresh = nla_get_flag(info->attrs[JVPN_A_SESSION_REFRESH]);
		err = change_apply(&c, info, JVPN_CMD_BINDING_PREPARE, change_prepare);
	} else if (err == -ENOTCONN) {
		err = change_apply(&c, info, JVPN_CMD_BINDING_PREPARE, change_unbound);
	}
	change_end(&c);
	return err;
}

int jvpn_nl_binding_prepare_doit(struct sk_buff *skb, struct genl_info *info)
{
	return keyed_run(skb, info, jvpn_nl_binding_prepare_policy, binding_prepare);
}

static int change_cancel(struct jvpn_session *s, struct change *c, struct netlink_ext_ack *extack)
{
	return jvpn_binding_cancel(s, &c->req, &c->res, extack);
}

int jvpn_nl_binding_cancel_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct change c = {};
	int err;

	if (!info->attrs[JVPN_A_SESSION_ID])
		return jvpn_genl_missing(info, JVPN_A_SESSION_ID, "id of the session is missing");
	c.req.has_cookie = info->attrs[JVPN_A_SESSION_COOKIE];
	c.req.cookie = get_u64_or(info, JVPN_A_SESSION_COOKIE, 0);
	c.jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(SESSION));
	if (IS_ERR(c.jd))
		return PTR_ERR(c.jd);
	err = change_apply(&c, info, JVPN_CMD_BINDING_CANCEL, change_cancel);
	change_end(&c);
	return err;
}

static int change_probe(struct jvpn_session *s, struct change *c, struct netlink_ext_ack *extack)
{
	return jvpn_binding_probe(s, &c->res, extack);
}

int jvpn_nl_binding_probe_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct change c = {};
	int err;

	if (!info->attrs[JVPN_A_SESSION_ID])
		return jvpn_genl_missing(info, JVPN_A_SESSION_ID, "id of the session is missing");
	c.jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(SESSION));
	if (IS_ERR(c.jd))
		return PTR_ERR(c.jd);
	err = change_apply(&c, info, JVPN_CMD_BINDING_PROBE, change_probe);
	change_end(&c);
	return err;
}

static int change_transition(struct jvpn_session *s, struct change *c,
			     struct netlink_ext_ack *extack)
{
	return jvpn_binding_transition(s, &c->req, &c->res, extack);
}

int jvpn_nl_session_transition_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct change c = {};
	int err;

	if (!info->attrs[JVPN_A_SESSION_EVENT] || !info->attrs[JVPN_A_SESSION_REASON])
		return jvpn_genl_missing(info, JVPN_A_SESSION_EVENT,
					 "event and reason are needed: every transition has one");
	err = change_begin(&c, skb, info);
	if (err)
		return err;
	err = change_apply(&c, info, JVPN_CMD_SESSION_TRANSITION, change_transition);
	change_end(&c);
	return err;
}

/* ---- session-set ---- */

/**
 * struct settings - what session-set changes
 * @c: the request
 * @info: the message
 */
struct settings {
	struct change c;
	struct genl_info *info;
};

/* Who the peer is may be said once: a daemon that adopts a session may know. */
static bool peer_id_changes(const struct jvpn_session *s, const struct nlattr *attr)
{
	return attr && memchr_inv(s->peer_id, 0, sizeof(s->peer_id)) &&
	       memcmp(s->peer_id, nla_data(attr), sizeof(s->peer_id));
}

static int settings_check(struct jvpn_session *s, struct genl_info *info,
			  struct jvpn_policy *policy)
{
	struct nlattr *deadline = info->attrs[JVPN_A_SESSION_SESSION_DEADLINE];
	struct nlattr *nest = info->attrs[JVPN_A_SESSION_POLICY];
	u64 wanted, now;

	*policy = s->policy;
	if (nest && parse_policy(nest, policy, info->extack))
		return -EINVAL;
	if (peer_id_changes(s, info->attrs[JVPN_A_SESSION_PEER_ID]))
		return bad_attr(info->extack, info->attrs[JVPN_A_SESSION_PEER_ID],
				"The session is another peer's, and peer-id is immutable");
	if (!deadline || nest)
		return 0;
	wanted = nla_get_u64(deadline);
	now = s->session_deadline;
	if (now && (!wanted || wanted > now))
		return bad_attr(info->extack, deadline,
				"session-deadline may be raised only together with a policy");
	return 0;
}

static void settings_apply(struct jvpn_session *s, struct genl_info *info,
			   const struct jvpn_policy *policy)
{
	const struct nlattr *peer_id = info->attrs[JVPN_A_SESSION_PEER_ID];

	s->policy = *policy;
	if (peer_id)
		memcpy(s->peer_id, nla_data(peer_id), sizeof(s->peer_id));
	s->session_deadline = get_u64_or(info, JVPN_A_SESSION_SESSION_DEADLINE,
					 s->session_deadline);
	s->lease_deadline = get_u64_or(info, JVPN_A_SESSION_LEASE_DEADLINE, s->lease_deadline);
	jvpn_deadline_arm_locked(s);
}

static int change_settings(struct jvpn_session *s, struct change *c,
			   struct netlink_ext_ack *extack)
{
	struct settings *set = container_of(c, struct settings, c);
	struct jvpn_policy policy;
	int err;

	spin_lock_bh(&s->lock);
	err = settings_check(s, set->info, &policy);
	if (!err)
		err = jvpn_binding_check_locked(s, &c->req, &c->res, extack);
	if (!err)
		settings_apply(s, set->info, &policy);
	spin_unlock_bh(&s->lock);
	jvpn_binding_settle(s);
	return err;
}

int jvpn_nl_session_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct settings set = { .info = info };
	int err = change_begin(&set.c, skb, info);

	if (err)
		return err;
	err = change_apply(&set.c, info, JVPN_CMD_SESSION_SET, change_settings);
	change_end(&set.c);
	return err;
}

/* ---- session-new ---- */

static int parse_new(struct genl_info *info, struct jvpn_session_params *p)
{
	struct nlattr **tb = info->attrs;
	int err;

	if (!tb[JVPN_A_SESSION_ID])
		return jvpn_genl_missing(info, JVPN_A_SESSION_ID, "id of the session is missing");
	if (!tb[JVPN_A_SESSION_ROLE])
		return jvpn_genl_missing(info, JVPN_A_SESSION_ROLE, "role is missing");
	memcpy(p->id, nla_data(tb[JVPN_A_SESSION_ID]), sizeof(p->id));
	p->role = nla_get_u32(tb[JVPN_A_SESSION_ROLE]);
	if (tb[JVPN_A_SESSION_LABEL])
		nla_strscpy(p->label, tb[JVPN_A_SESSION_LABEL], sizeof(p->label));
	if (tb[JVPN_A_SESSION_PEER_ID])
		memcpy(p->peer_id, nla_data(tb[JVPN_A_SESSION_PEER_ID]), sizeof(p->peer_id));
	p->session_deadline = get_u64_or(info, JVPN_A_SESSION_SESSION_DEADLINE, 0);
	p->lease_deadline = get_u64_or(info, JVPN_A_SESSION_LEASE_DEADLINE, 0);
	p->birth_deadline = get_u64_or(info, JVPN_A_SESSION_BIRTH_DEADLINE, 0);
	p->peer_version = get_u64_or(info, JVPN_A_SESSION_PEER_VERSION, 0);
	p->peer_epoch = get_u32_or(info, JVPN_A_SESSION_PEER_EPOCH, 0);
	p->policy = jvpn_policy_default;
	err = tb[JVPN_A_SESSION_POLICY] ?
	      parse_policy(tb[JVPN_A_SESSION_POLICY], &p->policy, info->extack) : 0;
	return err ? err : parse_prefixes(info, p);
}

/* A gateway's session waits for its client at a transport; a client's is bound later. */
static int check_new(struct genl_info *info, const struct jvpn_session_params *p)
{
	bool given = info->attrs[JVPN_A_SESSION_TRANSPORT] && info->attrs[JVPN_A_SESSION_KEYS];

	if (p->role == JVPN_ROLE_GATEWAY && !given)
		return jvpn_genl_missing(info, JVPN_A_SESSION_TRANSPORT,
					 "A gateway's session needs transport and keys");
	if (p->role == JVPN_ROLE_CLIENT &&
	    (info->attrs[JVPN_A_SESSION_TRANSPORT] || info->attrs[JVPN_A_SESSION_KEYS])) {
		NL_SET_ERR_MSG(info->extack,
			       "A client's session gets transport and keys by binding-set");
		return -EINVAL;
	}
	return 0;
}

static int session_publish(struct jvpn_device *jd, struct jvpn_session *s,
			   struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&jd->mutex);
	if (jd->dying) {
		NL_SET_ERR_MSG(extack, "The device is being removed");
		return -ENODEV;
	}
	err = jvpn_table_add_session(&jd->table, s);
	if (err == -ENOSPC)
		NL_SET_ERR_MSG(extack, "The table is full: terminate sessions or raise max-sessions");
	if (err == -EEXIST)
		NL_SET_ERR_MSG(extack, "A session of this id exists");
	return err;
}

/*
 * Device's mutex held. Nobody finds a session without what it waits for, and until all of it is
 * there it is dead to whoever finds a part. Discards @s on failure.
 */
static int session_add(struct change *c, struct jvpn_session *s, struct netlink_ext_ack *extack)
{
	int err = 0;

	if (c->b)
		err = jvpn_binding_await(s, c->b, extack);
	if (!err) {
		c->b = NULL;
		err = session_publish(c->jd, s, extack);
	}
	if (err)
		jvpn_session_discard(s);
	else
		jvpn_session_begin(s);
	return err;
}

static int session_make(struct change *c, struct genl_info *info,
			const struct jvpn_session_params *p)
{
	struct jvpn_binding_result res = { .state = JVPN_STATE_BIRTH };
	struct sk_buff *msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	struct jvpn_session *s;
	int err = -ENOMEM;

	if (!msg)
		return err;
	s = jvpn_session_alloc(c->jd, p);
	if (!s)
		goto err_free;
	if (c->b)
		c->b->session = s;
	mutex_lock(&c->jd->mutex);
	err = session_add(c, s, info->extack);
	mutex_unlock(&c->jd->mutex);
	if (!err)
		return answer(msg, info, c->jd, JVPN_CMD_SESSION_NEW, &res, NULL, 0);
err_free:
	nlmsg_free(msg);
	return err;
}

static int session_new(struct sk_buff *skb, struct genl_info *info)
{
	struct jvpn_session_params *p = kzalloc(sizeof(*p), GFP_KERNEL);
	struct change c = {};
	int err;

	if (!p)
		return -ENOMEM;
	err = parse_new(info, p);
	if (!err)
		err = check_new(info, p);
	if (err)
		goto out;
	c.jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(SESSION));
	err = PTR_ERR_OR_ZERO(c.jd);
	if (err)
		goto out;
	if (p->role == JVPN_ROLE_GATEWAY)
		err = change_binding(&c, info);
	if (!err)
		err = session_make(&c, info, p);
	change_end(&c);
out:
	kfree(p);
	return err;
}

int jvpn_nl_session_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	return keyed_run(skb, info, jvpn_nl_session_new_policy, session_new);
}

/* ---- session-get, session-del ---- */

/* Room for 64 prefixes and the whole history. */
#define SESSION_MSG_SIZE (8 << 10)

static bool put_found(struct sk_buff *msg, struct jvpn_session *s, struct genl_info *info)
{
	bool full;

	spin_lock_bh(&s->lock);
	full = jvpn_put_session(msg, s, genl_info_net(info), true);
	spin_unlock_bh(&s->lock);
	return full;
}

static int session_get(struct jvpn_device *jd, struct genl_info *info, struct sk_buff *msg)
{
	struct jvpn_binding_result res = {};
	struct jvpn_session *s;
	int err = -EMSGSIZE;
	void *hdr;

	hdr = genlmsg_put_reply(msg, info, &jvpn_genl_family, 0, JVPN_CMD_SESSION_GET);
	if (!hdr)
		return err;
	rcu_read_lock();
	s = jvpn_table_session(&jd->table, nla_data(info->attrs[JVPN_A_SESSION_ID]));
	if (!s)
		err = unknown_session(info, &res);
	else if (!put_found(msg, s, info))
		err = 0;
	rcu_read_unlock();
	if (!err)
		genlmsg_end(msg, hdr);
	return err;
}

int jvpn_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct jvpn_device *jd;
	struct sk_buff *msg;
	int err = -ENOMEM;

	if (!info->attrs[JVPN_A_SESSION_ID])
		return jvpn_genl_missing(info, JVPN_A_SESSION_ID, "id of the session is missing");
	jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(SESSION));
	if (IS_ERR(jd))
		return PTR_ERR(jd);
	msg = genlmsg_new(SESSION_MSG_SIZE, GFP_KERNEL);
	if (msg)
		err = session_get(jd, info, msg);
	jvpn_device_put(jd);
	if (!err)
		return genlmsg_reply(msg, info);
	nlmsg_free(msg);
	return err;
}

static int session_del_locked(struct jvpn_device *jd, struct genl_info *info)
{
	struct nlattr *id = info->attrs[JVPN_A_SESSION_ID];
	struct jvpn_session *s = jvpn_table_session(&jd->table, nla_data(id));

	lockdep_assert_held(&jd->mutex);
	if (!s) {
		NL_SET_ERR_MSG_ATTR(info->extack, id, "No session of this id on the device");
		return -ENOENT;
	}
	if (READ_ONCE(s->state) != JVPN_STATE_TERMINATED) {
		NL_SET_ERR_MSG_ATTR(info->extack, id,
				    "Only a terminated session can be forgotten: terminate it first");
		return -EBUSY;
	}
	jvpn_session_remove(s);
	return 0;
}

int jvpn_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct jvpn_device *jd;
	int err;

	if (!info->attrs[JVPN_A_SESSION_ID])
		return jvpn_genl_missing(info, JVPN_A_SESSION_ID, "id of the session is missing");
	jd = jvpn_genl_device(skb, info, JVPN_GENL_NAME_OF(SESSION));
	if (IS_ERR(jd))
		return PTR_ERR(jd);
	mutex_lock(&jd->mutex);
	err = session_del_locked(jd, info);
	mutex_unlock(&jd->mutex);
	jvpn_device_put(jd);
	return err;
}
