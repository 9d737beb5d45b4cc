// SPDX-License-Identifier: GPL-2.0
#include "hold.h"

#include <linux/mm.h>
#include <linux/sizes.h>

#include "compat.h"
#include "device.h"
#include "owner.h"
#include "session.h"
#include "tx.h"

/*
 * What is sent in one go: the rest is left to a work item, which others can interrupt. It stays on
 * its processor: packets that leave by the queues of two overtake each other there. And it has no
 * precedence over those who empty these queues: what they leave no room for is lost.
 */
#define HOLD_BUDGET_PACKETS 64
#define HOLD_BUDGET_BYTES SZ_256K
/*
 * So many may be sent while later ones wait behind them. Who sends as fast as they leave would
 * make that last for ever: then later ones overtake those that are left.
 */
#define HOLD_CHASE_MAX (4 * JVPN_HOLD_PACKETS_MAX)

static struct workqueue_struct *hold_workqueue;

u32 jvpn_hold_default(void)
{
	u64 memory = (u64)totalram_pages() << PAGE_SHIFT;

	return clamp_t(u64, memory / 16, SZ_4M, SZ_256M);
}

static struct sk_buff *hold_dequeue(struct jvpn_session *s)
{
	struct sk_buff *skb = __skb_dequeue(&s->hold.queue);

	lockdep_assert_held(&s->hold.queue.lock);
	if (skb) {
		s->hold.bytes -= jvpn_owner_charge(skb);
		atomic_long_sub(jvpn_owner_charge(skb), &s->jd->held_bytes);
	}
	return skb;
}

/* Return: the bound that leaves no room for @size, or 0 if it is charged. */
static enum jvpn_counter hold_charge(struct jvpn_session *s, u32 size)
{
	struct jvpn_hold *h = &s->hold;
	struct jvpn_device *jd = s->jd;

	if (h->bytes + size > READ_ONCE(s->policy.hold_bytes) ||
	    skb_queue_len(&h->queue) >= JVPN_HOLD_PACKETS_MAX)
		return JVPN_C_TX_DROP_HOLD_FULL;
	if (atomic_long_add_return(size, &jd->held_bytes) + h->bytes > READ_ONCE(jd->hold_max)) {
		atomic_long_sub(size, &jd->held_bytes);
		return JVPN_C_TX_DROP_HOLD_DEVICE;
	}
	h->bytes += size;
	return 0;
}

/*
 * Queue a packet; what has to make room for it, oldest first, or has none, goes to @out.
 *
 * Return: the bound that was met, 0 if none was.
 */
static enum jvpn_counter hold_queue(struct jvpn_session *s, struct sk_buff *skb, bool again,
				    struct sk_buff_head *out)
{
	enum jvpn_counter bound, met = 0;

	while ((bound = hold_charge(s, jvpn_owner_charge(skb)))) {
		/* One that waited before is the oldest itself. */
		struct sk_buff *oldest = again ? NULL : hold_dequeue(s);

		met = bound;
		__skb_queue_tail(out, oldest ? oldest : skb);
		if (!oldest)
			return met;
	}
	if (again)
		__skb_queue_head(&s->hold.queue, skb);
	else
		__skb_queue_tail(&s->hold.queue, skb);
	return met;
}

static void drop_all(struct jvpn_session *s, struct sk_buff_head *list, enum jvpn_counter cause)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(list))) {
		jvpn_session_count_drop(s, false);
		jvpn_drop(s->jd, skb, cause);
	}
}

/*
 * It may wait for minutes: nobody's memory, socket, namespace or module must wait with it. One
 * socket may have to answer many peers, or, for ICMP, all namespaces.
 */
static bool hold_detach(struct sk_buff *skb)
{
	nf_reset_ct(skb);
	if (skb_orphan_frags_rx(skb, GFP_ATOMIC))
		return false;
	skb_orphan(skb);
	return true;
}

bool jvpn_hold_add(struct jvpn_session *s, struct sk_buff *skb, bool again)
{
	enum jvpn_counter cause = 0;
	struct sk_buff_head out;
	bool held;

	__skb_queue_head_init(&out);
	spin_lock_bh(&s->hold.queue.lock);
	held = s->holding;
	if (held && hold_detach(skb)) {
		cause = hold_queue(s, skb, again, &out);
	} else if (held) {
		cause = JVPN_C_TX_DROP_NOMEM;
		__skb_queue_tail(&out, skb);
	}
	spin_unlock_bh(&s->hold.queue.lock);
	if (held && !again)
		jvpn_count(s->jd, JVPN_C_TX_HELD, 1);
	drop_all(s, &out, cause);
	return held;
}

void jvpn_hold_begin_locked(struct jvpn_session *s)
{
	lockdep_assert_held(&s->lock);
	spin_lock_bh(&s->hold.queue.lock);
	s->hold.shut = true;
	WRITE_ONCE(s->holding, true);
	spin_unlock_bh(&s->hold.queue.lock);
}

void jvpn_hold_end_locked(struct jvpn_session *s)
{
	lockdep_assert_held(&s->lock);
	spin_lock_bh(&s->hold.queue.lock);
	s->hold.shut = false;
	spin_unlock_bh(&s->hold.queue.lock);
}

/* Return: true if it is this caller's to send what waits. */
static bool flush_begin(struct jvpn_session *s)
{
	struct jvpn_hold *h = &s->hold;
	bool begin;

	spin_lock_bh(&h->queue.lock);
	begin = s->holding && !h->shut && !h->sending;
	if (begin) {
		h->sending = true;
		h->sent = 0;
	}
	spin_unlock_bh(&h->queue.lock);
	return begin;
}

/* The next one to leave; NULL ends the sending, and the waiting if nothing is left. */
static struct sk_buff *flush_next(struct jvpn_session *s)
{
	struct jvpn_hold *h = &s->hold;
	struct sk_buff *skb = NULL;

	spin_lock_bh(&h->queue.lock);
	if (!h->shut) {
		skb = hold_dequeue(s);
		if (!skb || ++h->sent == HOLD_CHASE_MAX)
			WRITE_ONCE(s->holding, false);
	}
	if (!skb)
		h->sending = false;
	spin_unlock_bh(&h->queue.lock);
	return skb;
}

/* Not after a purge, so that jvpn_hold_stop() leaves nothing behind. */
static void flush_later(struct jvpn_session *s)
{
	spin_lock_bh(&s->hold.queue.lock);
	if (s->hold.shut)
		s->hold.sending = false;
	else
		queue_work(hold_workqueue, &s->hold.work);
	spin_unlock_bh(&s->hold.queue.lock);
}

static void flush_some(struct jvpn_session *s)
{
	u32 packets = 0, bytes = 0;
	struct sk_buff *skb = NULL;

	jvpn_path_enter();
	while (packets++ < HOLD_BUDGET_PACKETS && bytes < HOLD_BUDGET_BYTES) {
		skb = flush_next(s);
		if (!skb)
			break;
		bytes += skb->len;
		jvpn_tx_bound(s, skb, true);
	}
	if (skb)
		flush_later(s);
	jvpn_path_leave();
}

static void hold_work(struct work_struct *work)
{
	flush_some(container_of(work, struct jvpn_session, hold.work));
}

void jvpn_hold_flush(struct jvpn_session *s)
{
	if (flush_begin(s))
		flush_some(s);
}

void jvpn_hold_drop(struct jvpn_session *s)
{
	struct sk_buff_head all;
	struct sk_buff *skb;

	__skb_queue_head_init(&all);
	spin_lock_bh(&s->hold.queue.lock);
	while ((skb = hold_dequeue(s)))
		__skb_queue_tail(&all, skb);
	spin_unlock_bh(&s->hold.queue.lock);
	drop_all(s, &all, JVPN_C_TX_DROP_STATE);
}

void jvpn_hold_purge(struct jvpn_session *s)
{
	spin_lock_bh(&s->hold.queue.lock);
	s->hold.shut = true;
	WRITE_ONCE(s->holding, false);
	spin_unlock_bh(&s->hold.queue.lock);
	jvpn_hold_drop(s);
}

void jvpn_hold_init(struct jvpn_session *s)
{
	skb_queue_head_init(&s->hold.queue);
	INIT_WORK(&s->hold.work, hold_work);
	s->hold.shut = true;
	s->holding = true;
}

void jvpn_hold_stop(struct jvpn_session *s)
{
	cancel_work_sync(&s->hold.work);
}

int jvpn_hold_start(void)
{
	hold_workqueue = alloc_workqueue("jvpn_hold", WQ_PERCPU | WQ_MEM_RECLAIM, 0);
	return hold_workqueue ? 0 : -ENOMEM;
}

void jvpn_hold_exit(void)
{
	destroy_workqueue(hold_workqueue);
}
