// SPDX-License-Identifier: GPL-2.0
#include "hold.h"

#include "device.h"
#include "session.h"
#include "tx.h"

#define HOLD_ROUNDS_MAX 64

/* Those beyond the bound, oldest first; held.lock held. */
static void hold_trim(struct jvpn_session *s, struct sk_buff_head *out)
{
	u32 bound = READ_ONCE(s->policy.hold_bytes);

	while (s->held_bytes > bound) {
		struct sk_buff *skb = __skb_dequeue(&s->held);

		if (!skb)
			break;
		s->held_bytes -= skb->len;
		__skb_queue_tail(out, skb);
	}
}

bool jvpn_hold_add(struct jvpn_session *s, struct sk_buff *skb)
{
	struct sk_buff_head old;
	bool held;

	__skb_queue_head_init(&old);
	spin_lock_bh(&s->held.lock);
	held = s->holding;
	if (held) {
		__skb_queue_tail(&s->held, skb);
		s->held_bytes += skb->len;
		hold_trim(s, &old);
	}
	spin_unlock_bh(&s->held.lock);
	if (held)
		jvpn_count(s->jd, JVPN_C_TX_HELD, 1);
	while ((skb = __skb_dequeue(&old))) {
		jvpn_session_count_drop(s, false);
		jvpn_drop(s->jd, skb, JVPN_C_TX_DROP_HOLD_FULL);
	}
	return held;
}

/* All that waits; stops holding if that is nothing. */
static bool hold_take(struct jvpn_session *s, struct sk_buff_head *out)
{
	bool more;

	__skb_queue_head_init(out);
	spin_lock_bh(&s->held.lock);
	skb_queue_splice_init(&s->held, out);
	s->held_bytes = 0;
	more = !skb_queue_empty(out);
	if (!more)
		WRITE_ONCE(s->holding, false);
	spin_unlock_bh(&s->held.lock);
	return more;
}

/* Stop holding although packets wait; they follow those sent meanwhile. */
static void hold_release(struct jvpn_session *s)
{
	struct sk_buff_head rest;
	struct sk_buff *skb;

	WRITE_ONCE(s->holding, false);
	hold_take(s, &rest);
	while ((skb = __skb_dequeue(&rest)))
		jvpn_tx_bound(s, skb);
}

void jvpn_hold_flush(struct jvpn_session *s)
{
	int rounds = HOLD_ROUNDS_MAX;
	struct sk_buff_head batch;
	struct sk_buff *skb;

	jvpn_path_enter();
	/*
	 * What arrives meanwhile waits for the next round, so order is kept;
	 * the bound is for a sender that is as fast as this loop.
	 */
	while (rounds-- && rcu_access_pointer(s->binding) && hold_take(s, &batch))
		while ((skb = __skb_dequeue(&batch)))
			jvpn_tx_bound(s, skb);
	if (rounds < 0)
		hold_release(s);
	jvpn_path_leave();
}

void jvpn_hold_purge(struct jvpn_session *s)
{
	struct sk_buff_head all;
	struct sk_buff *skb;

	if (hold_take(s, &all))
		while ((skb = __skb_dequeue(&all))) {
			jvpn_session_count_drop(s, false);
			jvpn_drop(s->jd, skb, JVPN_C_TX_DROP_STATE);
		}
	WRITE_ONCE(s->holding, false);
}
