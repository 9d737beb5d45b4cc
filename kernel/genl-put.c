// SPDX-License-Identifier: GPL-2.0
/* Answers and events: objects as netlink attributes. Each returns true if there is no room. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "binding.h"
#include "device.h"
#include "genl.h"
#include "session.h"
#include "socket.h"
#include "tx.h"

static bool put_u64(struct sk_buff *msg, int type, u64 value, int pad)
{
	return nla_put_u64_64bit(msg, type, value, pad);
}

static bool put_remote(struct sk_buff *msg, const struct jvpn_addr *a)
{
	if (a->family == AF_INET)
		return nla_put_in_addr(msg, JVPN_A_TRANSPORT_REMOTE_IPV4, a->v4) ||
		       nla_put_be16(msg, JVPN_A_TRANSPORT_REMOTE_PORT, a->port);
	return nla_put_in6_addr(msg, JVPN_A_TRANSPORT_REMOTE_IPV6, &a->v6) ||
	       nla_put_be16(msg, JVPN_A_TRANSPORT_REMOTE_PORT, a->port) ||
	       (a->scope && nla_put_u32(msg, JVPN_A_TRANSPORT_REMOTE_SCOPE_ID, a->scope));
}

static bool put_local(struct sk_buff *msg, const struct jvpn_addr *a)
{
	if (!a || !a->family)
		return false;
	if (nla_put_be16(msg, JVPN_A_TRANSPORT_LOCAL_PORT, a->port) ||
	    (a->scope && nla_put_u32(msg, JVPN_A_TRANSPORT_LOCAL_IFINDEX, a->scope)))
		return true;
	if (a->family == AF_INET)
		return nla_put_in_addr(msg, JVPN_A_TRANSPORT_LOCAL_IPV4, a->v4);
	return nla_put_in6_addr(msg, JVPN_A_TRANSPORT_LOCAL_IPV6, &a->v6);
}

bool jvpn_put_transport(struct sk_buff *msg, int type, u32 socket,
			const struct jvpn_addr *remote, const struct jvpn_addr *local)
{
	struct nlattr *nest = nla_nest_start(msg, type);

	if (!nest || nla_put_u32(msg, JVPN_A_TRANSPORT_SOCKET, socket) ||
	    put_remote(msg, remote) || put_local(msg, local))
		return true;
	nla_nest_end(msg, nest);
	return false;
}

bool jvpn_put_transition(struct sk_buff *msg, const struct jvpn_transition *t)
{
	struct nlattr *nest = nla_nest_start(msg, JVPN_A_SESSION_HISTORY);

	if (!nest ||
	    put_u64(msg, JVPN_A_TRANSITION_VERSION, t->version, JVPN_A_TRANSITION_PAD) ||
	    nla_put_u32(msg, JVPN_A_TRANSITION_FROM, t->from) ||
	    nla_put_u32(msg, JVPN_A_TRANSITION_TO, t->to) ||
	    nla_put_u32(msg, JVPN_A_TRANSITION_EVENT, t->event) ||
	    nla_put_u32(msg, JVPN_A_TRANSITION_REASON, t->reason) ||
	    nla_put_u32(msg, JVPN_A_TRANSITION_ORIGIN, t->origin) ||
	    nla_put_u32(msg, JVPN_A_TRANSITION_EPOCH, t->epoch) ||
	    put_u64(msg, JVPN_A_TRANSITION_TIME, t->time, JVPN_A_TRANSITION_PAD) ||
	    put_u64(msg, JVPN_A_TRANSITION_REAL_TIME, t->real_time, JVPN_A_TRANSITION_PAD) ||
	    (t->socket && jvpn_put_transport(msg, JVPN_A_TRANSITION_TRANSPORT, t->socket,
					     &t->remote, NULL)))
		return true;
	nla_nest_end(msg, nest);
	return false;
}

bool jvpn_put_health(struct sk_buff *msg, const struct jvpn_health *h)
{
	struct nlattr *nest = nla_nest_start(msg, JVPN_A_SESSION_HEALTH);

	if (!nest || nla_put_u32(msg, JVPN_A_HEALTH_RTT_US, h->rtt_us) ||
	    nla_put_u32(msg, JVPN_A_HEALTH_JITTER_US, h->jitter_us) ||
	    nla_put_u32(msg, JVPN_A_HEALTH_LOSS, h->loss) ||
	    put_u64(msg, JVPN_A_HEALTH_LAST_RX, h->last_rx, JVPN_A_HEALTH_PAD) ||
	    put_u64(msg, JVPN_A_HEALTH_ECHO_COUNTER, h->echo_counter, JVPN_A_HEALTH_PAD) ||
	    (h->late && nla_put_flag(msg, JVPN_A_HEALTH_LATE)))
		return true;
	nla_nest_end(msg, nest);
	return false;
}

bool jvpn_put_device(struct sk_buff *msg, const struct jvpn_device *jd, const struct net *net,
		     struct jvpn_genl_name name)
{
	int ifindex = jvpn_device_ifindex(jd, net);

	return (ifindex && nla_put_u32(msg, name.ifindex, ifindex)) ||
	       put_u64(msg, name.device_id, jd->id, name.pad);
}

static bool put_session_head(struct sk_buff *msg, const struct jvpn_session *s,
			     const struct net *net)
{
	return jvpn_put_device(msg, s->jd, net, JVPN_GENL_NAME_OF(SESSION)) ||
	       nla_put(msg, JVPN_A_SESSION_ID, sizeof(s->id), s->id) ||
	       nla_put_u32(msg, JVPN_A_SESSION_STATE, s->state) ||
	       put_u64(msg, JVPN_A_SESSION_VERSION, s->version, JVPN_A_SESSION_PAD) ||
	       nla_put_u32(msg, JVPN_A_SESSION_EPOCH_NUMBER, s->epoch_number);
}

static bool put_prefix(struct sk_buff *msg, const struct jvpn_prefix_key *key)
{
	struct nlattr *nest = nla_nest_start(msg, JVPN_A_SESSION_INNER);

	if (!nest)
		return true;
	if (key->family == AF_INET ?
	    nla_put_in_addr(msg, JVPN_A_INNER_IPV4, key->addr.s6_addr32[0]) :
	    nla_put_in6_addr(msg, JVPN_A_INNER_IPV6, &key->addr))
		return true;
	if (nla_put_u8(msg, JVPN_A_INNER_PREFIX_LEN, key->len))
		return true;
	nla_nest_end(msg, nest);
	return false;
}

static bool put_prefixes(struct sk_buff *msg, const struct jvpn_session *s)
{
	u32 i;

	for (i = 0; i < s->prefix_count; i++)
		if (put_prefix(msg, &s->prefixes[i].key))
			return true;
	return false;
}

static bool put_path(struct sk_buff *msg, struct jvpn_binding *b)
{
	struct jvpn_path path = jvpn_probe_path(b->session);
	u32 ip = b->transport.remote.family == AF_INET ? sizeof(struct iphdr) :
							 sizeof(struct ipv6hdr);

	if (path.size)
		path.size += ip + sizeof(struct udphdr);
	return nla_put_u32(msg, JVPN_A_TRANSPORT_PMTU, jvpn_tx_room(b)) ||
	       nla_put_u32(msg, JVPN_A_TRANSPORT_PATH_MTU, path.size) ||
	       (path.searching && nla_put_flag(msg, JVPN_A_TRANSPORT_PATH_MTU_SEARCHING));
}

static bool put_binding(struct sk_buff *msg, struct jvpn_binding *b)
{
	const struct jvpn_transport *t = &b->transport;
	struct nlattr *nest = nla_nest_start(msg, JVPN_A_SESSION_TRANSPORT);
	const struct jvpn_site site = jvpn_socket_site(t->socket);
	struct jvpn_addr local = t->local.family ? t->local : site.local;

	local.port = t->socket->port;
	if (!nest || nla_put_u32(msg, JVPN_A_TRANSPORT_SOCKET, t->socket->id) ||
	    put_remote(msg, &t->remote) || put_local(msg, &local) ||
	    nla_put_u32(msg, JVPN_A_TRANSPORT_BIND_IFINDEX, site.ifindex) ||
	    put_u64(msg, JVPN_A_TRANSPORT_VERSION, b->version, JVPN_A_TRANSPORT_PAD) ||
	    put_u64(msg, JVPN_A_TRANSPORT_SINCE, b->since, JVPN_A_TRANSPORT_PAD) ||
	    put_path(msg, b))
		return true;
	nla_nest_end(msg, nest);
	return false;
}

static bool put_epoch(struct sk_buff *msg, struct jvpn_epoch *e)
{
	struct nlattr *nest = nla_nest_start(msg, JVPN_A_SESSION_KEYS);
	u64 received;

	spin_lock(&e->lock);
	received = e->window.next ? e->window.next - 1 : 0;
	spin_unlock(&e->lock);
	if (!nest || nla_put_u32(msg, JVPN_A_EPOCH_NUMBER, e->number) ||
	    nla_put_u32(msg, JVPN_A_EPOCH_SUITE, JVPN_SUITE_CHACHA20_POLY1305) ||
	    nla_put_u32(msg, JVPN_A_EPOCH_RX_INDEX, e->rx_index) ||
	    nla_put_u32(msg, JVPN_A_EPOCH_TX_INDEX, e->tx_index) ||
	    put_u64(msg, JVPN_A_EPOCH_TX_COUNTER, atomic64_read(&e->next), JVPN_A_EPOCH_PAD) ||
	    put_u64(msg, JVPN_A_EPOCH_RX_COUNTER, received, JVPN_A_EPOCH_PAD) ||
	    put_u64(msg, JVPN_A_EPOCH_BORN, e->born, JVPN_A_EPOCH_PAD))
		return true;
	nla_nest_end(msg, nest);
	return false;
}

static bool put_policy(struct sk_buff *msg, const struct jvpn_policy *p)
{
	struct nlattr *nest = nla_nest_start(msg, JVPN_A_SESSION_POLICY);

	if (!nest || nla_put_string(msg, JVPN_A_POLICY_NAME, p->name) ||
	    nla_put_u32(msg, JVPN_A_POLICY_VERSION, p->version) ||
	    nla_put_u32(msg, JVPN_A_POLICY_TRANSPORT_LOSS_TTL_MS, p->transport_loss_ttl_ms) ||
	    nla_put_u32(msg, JVPN_A_POLICY_IDLE_INTERVAL_MS, p->idle_interval_ms) ||
	    nla_put_u32(msg, JVPN_A_POLICY_ACTIVE_INTERVAL_MS, p->active_interval_ms) ||
	    nla_put_u32(msg, JVPN_A_POLICY_DEAD_BASE_MS, p->dead_base_ms) ||
	    nla_put_u32(msg, JVPN_A_POLICY_DEAD_RTTS, p->dead_rtts) ||
	    nla_put_u32(msg, JVPN_A_POLICY_RX_TIMEOUT_MS, p->rx_timeout_ms) ||
	    nla_put_u32(msg, JVPN_A_POLICY_REJECT_AFTER_MS, p->reject_after_ms) ||
	    nla_put_u32(msg, JVPN_A_POLICY_HOLD_BYTES, p->hold_bytes) ||
	    nla_put_u32(msg, JVPN_A_POLICY_LOSS_ENTER, p->loss_enter) ||
	    nla_put_u32(msg, JVPN_A_POLICY_LOSS_LEAVE, p->loss_leave) ||
	    nla_put_u32(msg, JVPN_A_POLICY_RTT_ENTER_MS, p->rtt_enter_ms) ||
	    nla_put_u32(msg, JVPN_A_POLICY_RTT_LEAVE_MS, p->rtt_leave_ms))
		return true;
	nla_nest_end(msg, nest);
	return false;
}

static bool put_stats(struct sk_buff *msg, const struct jvpn_session *s)
{
	struct nlattr *nest = nla_nest_start(msg, JVPN_A_SESSION_STATS);
	struct jvpn_flow_sum sum;

	jvpn_session_sum(s, &sum);
	if (!nest ||
	    put_u64(msg, JVPN_A_STATS_RX_PACKETS, sum.rx_packets, JVPN_A_STATS_PAD) ||
	    put_u64(msg, JVPN_A_STATS_RX_BYTES, sum.rx_bytes, JVPN_A_STATS_PAD) ||
	    put_u64(msg, JVPN_A_STATS_TX_PACKETS, sum.tx_packets, JVPN_A_STATS_PAD) ||
	    put_u64(msg, JVPN_A_STATS_TX_BYTES, sum.tx_bytes, JVPN_A_STATS_PAD) ||
	    put_u64(msg, JVPN_A_STATS_RX_DROPS, sum.rx_drops, JVPN_A_STATS_PAD) ||
	    put_u64(msg, JVPN_A_STATS_TX_DROPS, sum.tx_drops, JVPN_A_STATS_PAD) ||
	    nla_put_u32(msg, JVPN_A_STATS_HELD_PACKETS, skb_queue_len_lockless(&s->hold.queue)) ||
	    nla_put_u32(msg, JVPN_A_STATS_HELD_BYTES, READ_ONCE(s->hold.bytes)) ||
	    put_u64(msg, JVPN_A_STATS_REFUSED, s->refused, JVPN_A_STATS_PAD))
		return true;
	nla_nest_end(msg, nest);
	return false;
}

static bool put_deadlines(struct sk_buff *msg, const struct jvpn_session *s)
{
	return put_u64(msg, JVPN_A_SESSION_SESSION_DEADLINE, s->session_deadline,
		       JVPN_A_SESSION_PAD) ||
	       put_u64(msg, JVPN_A_SESSION_LOSS_DEADLINE, s->loss_deadline,
		       JVPN_A_SESSION_PAD) ||
	       put_u64(msg, JVPN_A_SESSION_LEASE_DEADLINE, s->lease_deadline,
		       JVPN_A_SESSION_PAD) ||
	       put_u64(msg, JVPN_A_SESSION_BIRTH_DEADLINE, s->birth_deadline,
		       JVPN_A_SESSION_PAD);
}

static bool put_pending(struct sk_buff *msg, const struct jvpn_session *s)
{
	int i;

	for (i = 0; i < JVPN_PENDING_MAX; i++) {
		const struct jvpn_binding *b = s->prepared[i];

		if (b && jvpn_put_transport(msg, JVPN_A_SESSION_PENDING, b->transport.socket->id,
					    &b->transport.remote, NULL))
			return true;
	}
	return false;
}

static bool put_history(struct sk_buff *msg, const struct jvpn_session *s)
{
	u32 n = min_t(u64, s->version, JVPN_HISTORY_SIZE);

	while (n--)
		if (jvpn_put_transition(msg, jvpn_session_past(s, n)))
			return true;
	return false;
}

bool jvpn_put_session(struct sk_buff *msg, const struct jvpn_session *s, const struct net *net,
		      bool history)
{
	struct jvpn_binding *b = rcu_dereference_protected(s->binding,
							   lockdep_is_held(&s->lock));
	struct jvpn_health health;

	jvpn_probe_health_locked(s, &health);
	return put_session_head(msg, s, net) ||
	       nla_put_u32(msg, JVPN_A_SESSION_ROLE, s->role) ||
	       nla_put_string(msg, JVPN_A_SESSION_LABEL, s->label) ||
	       nla_put(msg, JVPN_A_SESSION_PEER_ID, sizeof(s->peer_id), s->peer_id) ||
	       put_u64(msg, JVPN_A_SESSION_PEER_VERSION, s->peer_version, JVPN_A_SESSION_PAD) ||
	       nla_put_u32(msg, JVPN_A_SESSION_PEER_EPOCH, s->peer_epoch) ||
	       put_u64(msg, JVPN_A_SESSION_CREATED, s->created, JVPN_A_SESSION_PAD) ||
	       put_prefixes(msg, s) || (b && (put_binding(msg, b) || put_epoch(msg, &b->epoch))) ||
	       put_policy(msg, &s->policy) || put_deadlines(msg, s) || put_stats(msg, s) ||
	       jvpn_put_health(msg, &health) || put_pending(msg, s) ||
	       (history && put_history(msg, s));
}
