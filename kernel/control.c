// SPDX-License-Identifier: GPL-2.0
#include "control.h"

#include <linux/skbuff.h>

#include "core/wire.h"
#include "device.h"
#include "notify.h"
#include "session.h"

/*
 * What a daemon can be expected to judge: a handshake costs it 150 us of
 * public-key work, a reattach 110 us, a forged one a few.
 */
#define CONTROL_RATE 20000
#define CONTROL_BURST 2000

void jvpn_control_init(struct jvpn_control *c)
{
	spin_lock_init(&c->lock);
	jvpn_bucket_init(&c->bucket, CONTROL_BURST, 0);
}

void jvpn_control_register(struct jvpn_control *c, struct net *net, u32 portid)
{
	spin_lock_bh(&c->lock);
	c->net = net;
	c->portid = portid;
	spin_unlock_bh(&c->lock);
}

void jvpn_control_forget(struct jvpn_control *c, const struct net *net, u32 portid)
{
	spin_lock_bh(&c->lock);
	if (c->portid == portid && c->net == net) {
		c->portid = 0;
		c->net = NULL;
	}
	spin_unlock_bh(&c->lock);
}

static bool may_pass(struct jvpn_control *c, struct net **net, u32 *portid,
		     enum jvpn_counter *cause)
{
	bool pass = false;

	spin_lock_bh(&c->lock);
	*portid = c->portid;
	*net = c->net;
	if (!c->portid) {
		*cause = JVPN_C_RX_DROP_CONTROL_DEAF;
	} else if (!jvpn_bucket_take(&c->bucket, CONTROL_RATE, CONTROL_BURST, 1,
				     jvpn_now_coarse_ms())) {
		*cause = JVPN_C_RX_DROP_CONTROL_FULL;
		c->dropped++;
	} else {
		pass = true;
	}
	spin_unlock_bh(&c->lock);
	return pass;
}

static void note_full(struct jvpn_control *c)
{
	spin_lock_bh(&c->lock);
	c->dropped++;
	spin_unlock_bh(&c->lock);
}

enum jvpn_counter jvpn_control_receive(struct jvpn_device *jd, const struct jvpn_transport *from,
				       struct sk_buff *skb, u32 off, u32 len)
{
	struct jvpn_wire_hdr hdr;
	enum jvpn_counter cause;
	struct net *net;
	u32 portid;

	if (len < sizeof(hdr) || skb_copy_bits(skb, off, &hdr, sizeof(hdr)))
		return JVPN_C_RX_DROP_RUNT;
	if (hdr.proto != JVPN_WIRE_PROTO || hdr.zero || jvpn_wire_control_size(hdr.type) != len)
		return JVPN_C_RX_DROP_TYPE;
	if (!may_pass(&jd->control, &net, &portid, &cause))
		return cause;
	if (!jvpn_notify_packet(jd, net, portid, from, skb, off, len)) {
		note_full(&jd->control);
		return JVPN_C_RX_DROP_CONTROL_FULL;
	}
	return JVPN_C_RX_CONTROL;
}
