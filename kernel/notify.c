// SPDX-License-Identifier: GPL-2.0
#include "notify.h"

#include "addr.h"
#include "device.h"
#include "genl.h"
#include "genl-gen.h"
#include "session.h"
#include "socket.h"

/* So many in one go; a listener that is told more at once reads everything instead. */
#define FLUSH_BUDGET 64

/* Nobody in the group may believe that nothing happened. */
static void lost(struct jvpn_device *jd, struct net *net, u32 group)
{
	jvpn_count(jd, JVPN_C_EVENTS_LOST, 1);
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
static void event_end(struct jvpn_device *jd, struct net *net, struct sk_buff *msg, void *hdr,
		      bool full, u32 group)
{
	if (!hdr || full) {
		nlmsg_free(msg);
		lost(jd, net, group);
		return;
	}
	genlmsg_end(msg, hdr);
	genlmsg_multicast_netns(&jvpn_genl_family, net, msg, 0, group, GFP_ATOMIC);
}

/* ---- noted under the session's lock ---- */

static bool anyone(struct jvpn_device *jd, u32 group)
{
	bool heard;

	rcu_read_lock();
	heard = listeners(jd, group);
	rcu_read_unlock();
	return heard;
}

static u32 group_of(u8 cmd)
{
	return cmd == JVPN_CMD_HEALTH_NTF ? JVPN_NLGRP_HEALTH : JVPN_NLGRP_STATE;
}

/* Room for an event of what is true now; NULL if nobody listens, or there is none. */
static struct jvpn_notice *notice_add(struct jvpn_session *s, u8 cmd)
{
	struct jvpn_notices *q = &s->notices;
	struct jvpn_notice *n;

	lockdep_assert_held(&s->lock);
	if (!anyone(s->jd, group_of(cmd)))
		return NULL;
	if (q->count == JVPN_NOTICES_MAX) {
		WRITE_ONCE(q->lost, true);
		return NULL;
	}
	n = &q->ring[(q->first + q->count) % JVPN_NOTICES_MAX];
	n->cmd = cmd;
	n->state = s->state;
	n->version = s->version;
	n->epoch = s->epoch_number;
	WRITE_ONCE(q->count, q->count + 1);
	return n;
}

void jvpn_notify_transition(struct jvpn_session *s)
{
	notice_add(s, JVPN_CMD_SESSION_NTF);
}

void jvpn_notify_epoch(struct jvpn_session *s)
{
	struct jvpn_notice *n = notice_add(s, JVPN_CMD_EPOCH_NTF);

	if (!n)
		return;
	n->peer_version = s->peer_version;
	n->peer_epoch = s->peer_epoch;
}

void jvpn_notify_health(struct jvpn_session *s, u32 event, u32 reason)
{
	struct jvpn_notice *n = notice_add(s, JVPN_CMD_HEALTH_NTF);

	if (!n)
		return;
	n->event = event;
	n->reason = reason;
	jvpn_probe_health_locked(s, &n->health);
}

/* ---- sent without it ---- */

/**
 * struct sending - an event on its way
 * @n: the event
 * @step: SESSION_NTF: the transition
 * @lost: instead of an event: some had no room
 */
struct sending {
	struct jvpn_notice n;
	struct jvpn_transition step;
	bool lost;
};

/* The oldest event. Its transition is in the history, which is longer than the ring. */
static void notice_take(struct jvpn_session *s, struct sending *out)
{
	struct jvpn_notices *q = &s->notices;
	const struct jvpn_transition *t;

	out->n = q->ring[q->first];
	q->first = (q->first + 1) % JVPN_NOTICES_MAX;
	WRITE_ONCE(q->count, q->count - 1);
	if (out->n.cmd != JVPN_CMD_SESSION_NTF)
		return;
	t = jvpn_session_past(s, s->version - out->n.version);
	if (t)
		out->step = *t;
	else
		out->lost = true;
}

static void notices_forget(struct jvpn_session *s)
{
	WRITE_ONCE(s->notices.count, 0);
	WRITE_ONCE(s->notices.lost, false);
}

/*
 * The next event to be sent, after so many that were; false if there is none, or another sends
 * already. The last of a budget is the loss of all that are left, and frees the place.
 */
static bool sending_next(struct jvpn_session *s, struct sending *out, u32 sent)
{
	struct jvpn_notices *q = &s->notices;
	bool found = false;

	spin_lock(&s->lock);
	if (!sent && q->busy)
		goto out;
	found = q->count || q->lost;
	q->busy = found && sent < FLUSH_BUDGET;
	out->lost = found && (!q->count || !q->busy);
	if (out->lost)
		notices_forget(s);
	else if (found)
		notice_take(s, out);
out:
	spin_unlock(&s->lock);
	return found;
}

static bool put_head(struct sk_buff *msg, const struct jvpn_session *s, const struct net *net,
		     const struct jvpn_notice *n)
{
	return jvpn_put_device(msg, s->jd, net, JVPN_GENL_NAME_OF(SESSION)) ||
	       nla_put(msg, JVPN_A_SESSION_ID, sizeof(s->id), s->id) ||
	       nla_put_u32(msg, JVPN_A_SESSION_STATE, n->state) ||
	       nla_put_u64_64bit(msg, JVPN_A_SESSION_VERSION, n->version, JVPN_A_SESSION_PAD) ||
	       nla_put_u32(msg, JVPN_A_SESSION_EPOCH_NUMBER, n->epoch);
}

static bool put_notice(struct sk_buff *msg, const struct jvpn_session *s,
		       const struct sending *out)
{
	const struct jvpn_notice *n = &out->n;

	switch (n->cmd) {
	case JVPN_CMD_SESSION_NTF:
		return jvpn_put_transition(msg, &out->step);
	case JVPN_CMD_EPOCH_NTF:
		return nla_put_u64_64bit(msg, JVPN_A_SESSION_PEER_VERSION, n->peer_version,
					 JVPN_A_SESSION_PAD) ||
		       nla_put_u32(msg, JVPN_A_SESSION_PEER_EPOCH, n->peer_epoch);
	default:
		return nla_put_u32(msg, JVPN_A_SESSION_EVENT, n->event) ||
		       nla_put_u32(msg, JVPN_A_SESSION_REASON, n->reason) ||
		       jvpn_put_health(msg, &n->health);
	}
}

static void sending_lost(struct jvpn_session *s)
{
	struct net *net = jvpn_device_net(s->jd);

	if (!net)
		return;
	lost(s->jd, net, JVPN_NLGRP_STATE);
	lost(s->jd, net, JVPN_NLGRP_HEALTH);
}

static void sending_end(struct jvpn_session *s, const struct sending *out)
{
	u32 group = group_of(out->n.cmd);
	struct net *net = listeners(s->jd, group);
	struct sk_buff *msg;
	bool full = false;
	void *hdr;

	if (!net)
		return;
	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_ATOMIC);
	hdr = event_begin(msg, out->n.cmd);
	if (hdr)
		full = put_head(msg, s, net, &out->n) || put_notice(msg, s, out);
	event_end(s->jd, net, msg, hdr, full, group);
}

void jvpn_notify_flush(struct jvpn_session *s)
{
	struct sending out = {};
	u32 sent;

	lockdep_assert_not_held(&s->lock);
	lockdep_assert_not_held(&s->jd->table.claim);
	if (!READ_ONCE(s->notices.count) && !READ_ONCE(s->notices.lost))
		return;
	/* BHs off: who sends is not put aside while others leave their events to it. */
	jvpn_path_enter();
	for (sent = 0; sent <= FLUSH_BUDGET && sending_next(s, &out, sent); sent++) {
		if (out.lost)
			sending_lost(s);
		else
			sending_end(s, &out);
	}
	jvpn_path_leave();
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
	event_end(s->jd, net, msg, hdr, full, JVPN_NLGRP_SECURITY);
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

static void notify_host(struct net *net, struct jvpn_device *jd)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_GOODSIZE, GFP_ATOMIC);
	void *hdr = event_begin(msg, JVPN_CMD_HOST_NTF);
	bool full = false;

	if (hdr)
		full = jvpn_put_device(msg, jd, net, JVPN_GENL_NAME_OF(DEVICE));
	event_end(jd, net, msg, hdr, full, JVPN_NLGRP_STATE);
}

void jvpn_notify_host(struct jvpn_device *jd)
{
	struct net *net;

	rcu_read_lock();
	net = listeners(jd, JVPN_NLGRP_STATE);
	if (net)
		notify_host(net, jd);
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
