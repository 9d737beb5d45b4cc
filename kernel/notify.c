// SPDX-License-Identifier: GPL-2.0
#include "notify.h"

#include "addr.h"
#include "device.h"
#include "genl.h"
#include "genl-gen.h"
#include "session.h"
#include "socket.h"

/* Nobody in the group may believe that nothing happened. */
static void lost(struct net *net, u32 group)
{
	genl_set_err(&jvpn_genl_family, net, 0, group, -ENOBUFS);
}

/*
 * Where somebody listens, or NULL. Events tell of the underlay: those who rule
 * over it hear them, and nobody in the namespace that a device was moved to.
 */
static struct net *listeners(struct jvpn_device *jd, u32 group)
{
	struct net *net = jvpn_device_net(jd);

	return net && genl_has_listeners(&jvpn_genl_family, net, group) ? net : NULL;
}

static void *event_begin(struct sk_buff *msg, u8 cmd)
{
	return msg ? genlmsg_put(msg, 0, 0, &jvpn_genl_family, 0, cmd) : NULL;
}

/* Send what is complete; otherwise tell the group that something was lost. */
static void event_end(struct net *net, struct sk_buff *msg, void *hdr, bool full, u32 group)
{
	if (!hdr || full) {
		nlmsg_free(msg);
		lost(net, group);
		return;
	}
	genlmsg_end(msg, hdr);
	genlmsg_multicast_netns(&jvpn_genl_family, net, msg, 0, group, GFP_ATOMIC);
}

static void notify_transition(struct net *net, struct jvpn_session *s,
			      const struct jvpn_transition *t)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_GOODSIZE, GFP_ATOMIC);
	void *hdr = event_begin(msg, JVPN_CMD_SESSION_NTF);
	bool full = false;

	if (hdr)
		full = jvpn_put_device(msg, s->jd, net, JVPN_GENL_NAME_OF(SESSION)) ||
		       nla_put(msg, JVPN_A_SESSION_ID, sizeof(s->id), s->id) ||
		       nla_put_u32(msg, JVPN_A_SESSION_STATE, t->to) ||
		       nla_put_u64_64bit(msg, JVPN_A_SESSION_VERSION, t->version,
					 JVPN_A_SESSION_PAD) ||
		       nla_put_u32(msg, JVPN_A_SESSION_EPOCH_NUMBER, t->epoch) ||
		       jvpn_put_transition(msg, t);
	event_end(net, msg, hdr, full, JVPN_NLGRP_STATE);
}

void jvpn_notify_transitions(struct jvpn_session *s, u32 steps)
{
	struct net *net;

	lockdep_assert_held(&s->lock);
	rcu_read_lock();
	net = listeners(s->jd, JVPN_NLGRP_STATE);
	while (net && steps--)
		notify_transition(net, s, jvpn_session_past(s, steps));
	rcu_read_unlock();
}

static void notify_epoch(struct net *net, struct jvpn_session *s)
{
	struct sk_buff *msg;
	bool full = false;
	void *hdr;

	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_ATOMIC);
	hdr = event_begin(msg, JVPN_CMD_EPOCH_NTF);
	if (hdr)
		full = jvpn_put_session_head(msg, s, net) ||
		       nla_put_u64_64bit(msg, JVPN_A_SESSION_PEER_VERSION, s->peer_version,
					 JVPN_A_SESSION_PAD) ||
		       nla_put_u32(msg, JVPN_A_SESSION_PEER_EPOCH, s->peer_epoch);
	event_end(net, msg, hdr, full, JVPN_NLGRP_STATE);
}

void jvpn_notify_epoch(struct jvpn_session *s)
{
	struct net *net;

	rcu_read_lock();
	net = listeners(s->jd, JVPN_NLGRP_STATE);
	if (net)
		notify_epoch(net, s);
	rcu_read_unlock();
}

static void notify_health(struct net *net, struct jvpn_session *s, u32 event, u32 reason)
{
	struct sk_buff *msg;
	bool full = false;
	void *hdr;

	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_ATOMIC);
	hdr = event_begin(msg, JVPN_CMD_HEALTH_NTF);
	if (hdr)
		full = jvpn_put_session_head(msg, s, net) ||
		       nla_put_u32(msg, JVPN_A_SESSION_EVENT, event) ||
		       nla_put_u32(msg, JVPN_A_SESSION_REASON, reason) ||
		       jvpn_put_health(msg, s);
	event_end(net, msg, hdr, full, JVPN_NLGRP_HEALTH);
}

void jvpn_notify_health(struct jvpn_session *s, u32 event, u32 reason)
{
	struct net *net;

	rcu_read_lock();
	net = listeners(s->jd, JVPN_NLGRP_HEALTH);
	if (net)
		notify_health(net, s, event, reason);
	rcu_read_unlock();
}

static void notify_unbound(struct net *net, struct jvpn_session *s,
			   const struct jvpn_transport *source, u32 index, u64 counter,
			   u32 bytes)
{
	struct sk_buff *msg;
	bool full = false;
	void *hdr;

	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_ATOMIC);
	hdr = event_begin(msg, JVPN_CMD_UNBOUND_NTF);
	if (hdr)
		full = jvpn_put_device(msg, s->jd, net, JVPN_GENL_NAME_OF(UNBOUND)) ||
		       nla_put(msg, JVPN_A_UNBOUND_ID, sizeof(s->id), s->id) ||
		       jvpn_put_transport(msg, JVPN_A_UNBOUND_TRANSPORT, source->socket->id,
					  &source->remote, &source->local) ||
		       nla_put_u32(msg, JVPN_A_UNBOUND_INDEX, index) ||
		       nla_put_u64_64bit(msg, JVPN_A_UNBOUND_COUNTER, counter,
					 JVPN_A_UNBOUND_PAD) ||
		       nla_put_u32(msg, JVPN_A_UNBOUND_BYTES, bytes) ||
		       nla_put_u32(msg, JVPN_A_UNBOUND_STATE, READ_ONCE(s->state));
	event_end(net, msg, hdr, full, JVPN_NLGRP_SECURITY);
}

void jvpn_notify_unbound(struct jvpn_session *s, const struct jvpn_transport *source, u32 index,
			 u64 counter, u32 bytes)
{
	struct net *net;

	rcu_read_lock();
	net = listeners(s->jd, JVPN_NLGRP_SECURITY);
	if (net)
		notify_unbound(net, s, source, index, counter, bytes);
	rcu_read_unlock();
}

static bool put_payload(struct sk_buff *msg, struct sk_buff *skb, u32 off, u32 len)
{
	struct nlattr *a = nla_reserve(msg, JVPN_A_PACKET_PAYLOAD, len);

	return !a || skb_copy_bits(skb, off, nla_data(a), len);
}

bool jvpn_notify_packet(struct jvpn_device *jd, struct net *net, u32 portid,
			const struct jvpn_transport *from, struct sk_buff *skb, u32 off, u32 len)
{
	struct sk_buff *msg = genlmsg_new(len + 256, GFP_ATOMIC);
	void *hdr = event_begin(msg, JVPN_CMD_PACKET_NTF);

	if (!hdr ||
	    jvpn_put_device(msg, jd, net, JVPN_GENL_NAME_OF(PACKET)) ||
	    jvpn_put_transport(msg, JVPN_A_PACKET_TRANSPORT, from->socket->id, &from->remote,
			       &from->local) ||
	    put_payload(msg, skb, off, len) ||
	    nla_put_u64_64bit(msg, JVPN_A_PACKET_DROPPED, READ_ONCE(jd->control.dropped),
			      JVPN_A_PACKET_PAD)) {
		nlmsg_free(msg);
		return false;
	}
	genlmsg_end(msg, hdr);
	return !genlmsg_unicast(net, msg, portid);
}
