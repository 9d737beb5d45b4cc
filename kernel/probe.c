// SPDX-License-Identifier: GPL-2.0
#include "probe.h"

#include "compat.h"
#include "core/wire.h"
#include "device.h"
#include "notify.h"
#include "session.h"
#include "socket.h"
#include "trace.h"
#include "tx.h"

/* Round trip assumed while none is known (PROTOCOL JVPN1 2.7). */
#define RTT_UNKNOWN_NS (250 * NSEC_PER_MSEC)
/* Least time in which an echo may be expected, scheduling included. */
#define ECHO_SLACK_NS (10 * NSEC_PER_MSEC)
/* Nobody waits for anything: a path may take its time to wake up. */
#define IDLE_PATIENCE_MS 250ULL
/* Heartbeats that must go unanswered before silence means anything. */
#define SILENT_LEAST 3
#define LOSS_SAMPLES_LEAST 8
/* An interruption or two are no loss rate, however many heartbeats fall into them. */
#define LOSS_RUNS_LEAST 3
/* In jvpn_session.path, beside the size. */
#define PATH_SEARCHING BIT(31)
/* So many heartbeats may be under way before they come less often, down to 1/16. */
#define UNDER_WAY_USUAL 8
#define SLOWER_MOST 4

static struct jvpn_binding *bound_client(const struct jvpn_session *s)
{
	if (s->dead || s->role != JVPN_ROLE_CLIENT)
		return NULL;
	return rcu_dereference_protected(s->binding, lockdep_is_held(&s->lock));
}

static u64 rtt_ns(const struct jvpn_probe *p)
{
	return p->srtt_ns ? p->srtt_ns : RTT_UNKNOWN_NS;
}

/* An echo that takes longer is overdue. */
static void rtt_sample(struct jvpn_probe *p, u64 rtt)
{
	if (!p->srtt_ns) {
		p->srtt_ns = rtt;
		p->rttvar_ns = rtt / 2;
		return;
	}
	p->rttvar_ns = (3 * p->rttvar_ns + (u64)abs((s64)(p->srtt_ns - rtt))) / 4;
	p->srtt_ns = (7 * p->srtt_ns + rtt) / 8;
}

static u64 echo_ms(const struct jvpn_probe *p)
{
	u64 slack = max_t(u64, 4 * p->rttvar_ns, ECHO_SLACK_NS);

	return div_u64(rtt_ns(p) + slack, NSEC_PER_MSEC) + 1;
}

static u64 silence_ms(const struct jvpn_session *s)
{
	u64 ms = s->policy.dead_base_ms +
		 div_u64(s->policy.dead_rtts * rtt_ns(&s->probe), NSEC_PER_MSEC);

	return max(ms, echo_ms(&s->probe));
}

/* Is anything but heartbeats moving? */
static bool is_active(const struct jvpn_session *s, u64 now_ms)
{
	return now_ms < READ_ONCE(s->last_data) + 2 * s->policy.active_interval_ms;
}

static u64 next_send(const struct jvpn_session *s, u64 now_ms)
{
	const struct jvpn_probe *p = &s->probe;
	bool active = is_active(s, now_ms);
	u64 gap = active ? s->policy.active_interval_ms : s->policy.idle_interval_ms;
	u64 patience = active ? echo_ms(p) : max(echo_ms(p), IDLE_PATIENCE_MS);

	if (!p->last_sent)
		return now_ms;
	if (p->unanswered)
		gap = min(gap, patience) << min_t(u32, p->unanswered / UNDER_WAY_USUAL,
						  SLOWER_MOST);
	return p->last_sent + gap;
}

static bool is_dead(const struct jvpn_session *s, u64 now_ms)
{
	const struct jvpn_probe *p = &s->probe;

	return p->unanswered >= SILENT_LEAST &&
	       now_ms >= p->unanswered_since + silence_ms(s);
}

/* A late heartbeat says less than a threshold, which is reported even after it. */
static void report_low(struct jvpn_session *s, u32 reason)
{
	u32 before = s->probe.low;

	if (before && (before != JVPN_REASON_HEARTBEAT_LATE || before == reason))
		return;
	s->probe.low = reason;
	jvpn_notify_health(s, JVPN_EVENT_QUALITY_LOW, reason);
}

static void report_ok(struct jvpn_session *s)
{
	if (!s->probe.low)
		return;
	s->probe.low = JVPN_REASON_NONE;
	jvpn_notify_health(s, JVPN_EVENT_QUALITY_OK, JVPN_REASON_HEALTH_RECOVERED);
}

static bool is_late(const struct jvpn_session *s, u64 now_ms)
{
	const struct jvpn_probe *p = &s->probe;

	return p->unanswered >= SILENT_LEAST &&
	       now_ms >= p->unanswered_since + max(silence_ms(s) / 2, echo_ms(p));
}

/* Of the decided heartbeats, in 1/1000. */
static u32 loss_of(const struct jvpn_probe *p)
{
	return p->decided ? hweight64(p->outcomes) * 1000 / p->decided : 0;
}

void jvpn_probe_health_locked(const struct jvpn_session *s, struct jvpn_health *out)
{
	const struct jvpn_probe *p = &s->probe;

	lockdep_assert_held(&s->lock);
	out->rtt_us = div_u64(p->srtt_ns, NSEC_PER_USEC);
	out->jitter_us = div_u64(p->rttvar_ns, NSEC_PER_USEC);
	out->loss = loss_of(p);
	out->last_rx = READ_ONCE(s->last_rx);
	out->echo_counter = p->echo_counter;
	out->late = p->low;
}

/* How often heartbeats were lost, those in a row counted once. */
static u32 loss_runs(const struct jvpn_probe *p)
{
	return hweight64(p->outcomes & ~(p->outcomes << 1));
}

/* Compare with the policy's thresholds, each with its own way back. */
static void judge_quality(struct jvpn_session *s)
{
	const struct jvpn_policy *pol = &s->policy;
	u32 loss = s->probe.decided >= LOSS_SAMPLES_LEAST ? loss_of(&s->probe) / 10 : 0;
	u32 rtt = div_u64(s->probe.srtt_ns, NSEC_PER_MSEC);

	if (pol->loss_enter && loss >= pol->loss_enter && loss_runs(&s->probe) >= LOSS_RUNS_LEAST)
		report_low(s, JVPN_REASON_LOSS_THRESHOLD);
	else if (pol->rtt_enter_ms && rtt >= pol->rtt_enter_ms)
		report_low(s, JVPN_REASON_LATENCY_THRESHOLD);
	else if ((!pol->loss_enter || loss <= pol->loss_leave) &&
		 (!pol->rtt_enter_ms || rtt <= pol->rtt_leave_ms))
		report_ok(s);
}

/* Take the next heartbeat's number and note it as sent. */
static void heartbeat_take(struct jvpn_session *s, struct jvpn_wire_heartbeat *hb, u64 now_ms)
{
	struct jvpn_probe *p = &s->probe;
	u64 ts = ktime_get_boottime_ns();

	hb->type = JVPN_WIRE_INNER_HEARTBEAT;
	hb->seq = cpu_to_le32(p->seq);
	hb->ts = cpu_to_le64(ts);
	hb->version = cpu_to_le64(s->version);
	p->sent[p->seq % JVPN_PROBE_RING] = ts;
	p->seq++;
	if (!p->unanswered++)
		p->unanswered_since = now_ms;
	p->last_sent = now_ms;
}

/* It never was under way, so nobody can be silent about it. */
static void heartbeat_untake(struct jvpn_session *s, u32 seq)
{
	struct jvpn_probe *p = &s->probe;

	lockdep_assert_held(&s->lock);
	p->sent[seq % JVPN_PROBE_RING] = 0;
	if (p->unanswered)
		p->unanswered--;
}

/* ---- the path's MTU ---- */

struct jvpn_path jvpn_probe_path(const struct jvpn_session *s)
{
	u32 path = READ_ONCE(s->path);

	return (struct jvpn_path){
		.size = path & ~PATH_SEARCHING,
		.searching = path & PATH_SEARCHING,
	};
}

static void path_set(struct jvpn_session *s, u32 size, bool searching)
{
	struct jvpn_path before = jvpn_probe_path(s);

	if (before.size == size && before.searching == searching)
		return;
	WRITE_ONCE(s->path, size | (searching ? PATH_SEARCHING : 0));
	trace_jvpn_path_mtu(s->jd->dev, s->id, size, searching);
	if (size && !searching)
		jvpn_count(s->jd, JVPN_C_MTU_CONFIRMED, 1);
	else if (searching && before.size && !before.searching)
		jvpn_count(s->jd, JVPN_C_MTU_LOST, 1);
}

/* Let the packet paths know what the search has found. */
static void path_publish(struct jvpn_session *s)
{
	const struct jvpn_mtu *m = &s->probe.mtu;

	path_set(s, jvpn_mtu_sure(m), !m->size && jvpn_mtu_sure(m));
}

static struct jvpn_mtu_use path_use(const struct jvpn_session *s)
{
	return (struct jvpn_mtu_use){
		.data = READ_ONCE(s->last_data),
		.large = READ_ONCE(s->last_large),
	};
}

/**
 * struct todo - what a step wants sent
 * @beat: the next heartbeat, numbered
 * @beat_due: it is
 * @size: of a datagram to send as a probe, 0 for none
 * @size_ts: its ts; the small heartbeat that follows has the next one
 * @small_due: there is such a one
 * @seq: number of both
 */
struct todo {
	struct jvpn_wire_heartbeat beat;
	bool beat_due;
	u32 size;
	u64 size_ts;
	bool small_due;
	u32 seq;
};

/* The size probes of the present size, or the small heartbeats with them, by ts. */
static bool was_sent(const u64 sent[JVPN_PROBE_SIZES], u64 ts)
{
	int i;

	for (i = 0; i < JVPN_PROBE_SIZES; i++)
		if (sent[i] && sent[i] == ts)
			return true;
	return false;
}

static void size_take(struct jvpn_probe *p, struct todo *todo)
{
	u32 slot = p->mtu.tries % JVPN_PROBE_SIZES;

	if (p->mtu.tries == 1) {
		memset(p->size_sent, 0, sizeof(p->size_sent));
		memset(p->small_sent, 0, sizeof(p->small_sent));
	}
	todo->seq = p->seq;
	todo->size_ts = ktime_get_boottime_ns();
	todo->small_due = p->mtu.tries > 1;
	p->size_sent[slot] = todo->size_ts;
	p->small_sent[slot] = todo->small_due ? todo->size_ts + 1 : 0;
}

/* @link: largest datagram of the link, 0 if it is not known. */
static void mtu_step(struct jvpn_session *s, u32 link, u32 floor, u64 now_ms, struct todo *todo)
{
	struct jvpn_mtu_use use = path_use(s);
	struct jvpn_probe *p = &s->probe;

	if (p->mtu_begin)
		jvpn_mtu_begin(&p->mtu, floor, link, now_ms);
	p->mtu_begin = false;
	jvpn_mtu_limit(&p->mtu, link, now_ms);
	todo->size = jvpn_mtu_step(&p->mtu, &use, echo_ms(p), now_ms);
	if (todo->size)
		size_take(p, todo);
	path_publish(s);
}

/* An echo that is no heartbeat's: of a size, or of what went with it. */
static void mtu_echo(struct jvpn_session *s, u64 ts)
{
	struct jvpn_probe *p = &s->probe;
	bool size = was_sent(p->size_sent, ts);

	if (!size && !was_sent(p->small_sent, ts))
		return;
	/* The first heartbeat of a path may have waited for its neighbour: soon that is forgotten. */
	rtt_sample(p, ktime_get_boottime_ns() - ts);
	if (size) {
		memset(p->size_sent, 0, sizeof(p->size_sent));
		jvpn_mtu_passed(&p->mtu, jvpn_now_ms());
		path_publish(s);
	} else {
		jvpn_mtu_alive(&p->mtu, jvpn_now_ms());
	}
}

/* ---- sending; the session is not locked: it goes through the whole stack ---- */

static int client_message(struct jvpn_session *s, struct jvpn_binding *b,
			  const struct jvpn_wire_heartbeat *hb, u32 pad, u64 *counter)
{
	struct jvpn_path path = jvpn_probe_path(s);
	struct jvpn_wire_heartbeat_path said = {
		.size = cpu_to_le16(min_t(u32, path.size, JVPN_WIRE_PAYLOAD_MAX)),
		.flags = path.searching ? JVPN_WIRE_PATH_SEARCHING : 0,
	};
	u8 text[JVPN_WIRE_HEARTBEAT_CLIENT_SIZE] = {};

	memcpy(text, hb, sizeof(*hb));
	memcpy(text + sizeof(*hb), &said, sizeof(said));
	return jvpn_tx_message(b, text, sizeof(text), pad, counter);
}

static void beat_send(struct jvpn_session *s, struct jvpn_binding *b,
		      const struct jvpn_wire_heartbeat *hb)
{
	u32 seq = le32_to_cpu(hb->seq);
	u64 counter;
	int err;

	err = client_message(s, b, hb, 0, &counter);
	spin_lock(&s->lock);
	if (!err)
		s->probe.counter[seq % JVPN_PROBE_RING] = counter;
	else if (err == -ENOMEM || err == -ENOBUFS)
		heartbeat_untake(s, seq);
	spin_unlock(&s->lock);
}

static void size_send(struct jvpn_session *s, struct jvpn_binding *b, const struct todo *todo)
{
	struct jvpn_wire_heartbeat hb = {
		.type = JVPN_WIRE_INNER_HEARTBEAT,
		.seq = cpu_to_le32(todo->seq),
		.ts = cpu_to_le64(todo->size_ts),
		.version = cpu_to_le64(READ_ONCE(s->version)),
	};
	u64 counter;

	jvpn_count(s->jd, JVPN_C_TX_MTU_PROBES, 1);
	client_message(s, b, &hb, todo->size, &counter);
	if (!todo->small_due)
		return;
	hb.ts = cpu_to_le64(todo->size_ts + 1);
	client_message(s, b, &hb, 0, &counter);
}

static void todo_send(struct jvpn_session *s, const struct todo *todo)
{
	struct jvpn_binding *b = rcu_dereference(s->binding);

	if (!b)
		return;
	if (todo->beat_due)
		beat_send(s, b, &todo->beat);
	if (todo->size)
		size_send(s, b, todo);
}

void jvpn_probe_ask(struct jvpn_binding *b)
{
	u8 text[JVPN_WIRE_HEARTBEAT_CLIENT_SIZE] = {};
	struct jvpn_wire_heartbeat hb = {
		.type = JVPN_WIRE_INNER_HEARTBEAT,
		.version = cpu_to_le64(READ_ONCE(b->session->version)),
	};
	u64 counter;

	memcpy(text, &hb, sizeof(hb));
	jvpn_tx_message(b, text, sizeof(text), 0, &counter);
}

static void arm(struct jvpn_session *s, u64 now_ms)
{
	struct jvpn_mtu_use use = path_use(s);
	u64 next = next_send(s, now_ms);
	u64 mtu = s->probe.mtu_begin ? now_ms : jvpn_mtu_next(&s->probe.mtu, &use);

	if (s->probe.unanswered >= SILENT_LEAST)
		next = min(next, s->probe.unanswered_since + silence_ms(s));
	if (mtu)
		next = min(next, mtu);
	hrtimer_start(&s->probe.timer, jvpn_ktime_of_ms(max(next, now_ms + 1)), HRTIMER_MODE_ABS_SOFT);
}

/* While this machine slept or stood still nobody could have heard an answer: that is no silence. */
static void forgive_standstill(struct jvpn_probe *p, u64 now_ms)
{
	u64 due = ktime_to_ms(hrtimer_get_expires(&p->timer));

	if (p->unanswered && now_ms > due + ECHO_SLACK_NS / NSEC_PER_MSEC)
		p->unanswered_since += now_ms - due;
}

static void probe_step(struct jvpn_session *s, u32 link, u32 floor, struct todo *todo)
{
	u64 now = jvpn_now_ms();

	if (!bound_client(s))
		return;
	forgive_standstill(&s->probe, now);
	if (is_dead(s, now)) {
		jvpn_binding_kernel_locked(s, JVPN_EVENT_TRANSPORT_DEAD,
					   JVPN_REASON_PROBE_TIMEOUT);
		return;
	}
	if (is_late(s, now))
		report_low(s, JVPN_REASON_HEARTBEAT_LATE);
	todo->beat_due = now >= next_send(s, now);
	if (todo->beat_due)
		heartbeat_take(s, &todo->beat, now);
	mtu_step(s, link, floor, now, todo);
	arm(s, now);
}

static enum hrtimer_restart probe_fire(struct hrtimer *timer)
{
	struct jvpn_session *s = container_of(timer, struct jvpn_session, probe.timer);
	struct jvpn_binding *b;
	struct todo todo = {};
	u32 link, floor = 0;

	jvpn_path_enter();
	b = rcu_dereference(s->binding);
	link = b ? jvpn_tx_link(b, &floor) : 0;
	spin_lock(&s->lock);
	probe_step(s, link, floor, &todo);
	spin_unlock(&s->lock);
	jvpn_notify_flush(s);
	todo_send(s, &todo);
	jvpn_path_leave();
	return HRTIMER_NORESTART;
}

void jvpn_probe_init(struct jvpn_session *s)
{
	hrtimer_setup(&s->probe.timer, probe_fire, CLOCK_BOOTTIME, HRTIMER_MODE_ABS_SOFT);
}

void jvpn_probe_start_locked(struct jvpn_session *s, bool same_path)
{
	struct jvpn_probe *p = &s->probe;

	lockdep_assert_held(&s->lock);
	p->path_seq = 0;
	if (!same_path) {
		jvpn_mtu_reset(&p->mtu);
		p->mtu_begin = false;
		path_set(s, 0, false);
	}
	if (!bound_client(s))
		return;
	if (!same_path) {
		p->srtt_ns = 0;
		p->rttvar_ns = 0;
		p->outcomes = 0;
		p->decided = 0;
		p->low = JVPN_REASON_NONE;
	}
	/* What is under way may be answered under keys that are gone: it says nothing. */
	memset(p->sent, 0, sizeof(p->sent));
	p->first_undecided = p->seq;
	/* Send counters begin again with every epoch. */
	memset(p->counter, 0, sizeof(p->counter));
	p->echo_counter = 0;
	p->unanswered = 0;
	p->last_sent = 0;
	hrtimer_start(&p->timer, jvpn_ktime_of_ms(jvpn_now_ms()), HRTIMER_MODE_ABS_SOFT);
}

void jvpn_probe_stop_locked(struct jvpn_session *s)
{
	lockdep_assert_held(&s->lock);
	hrtimer_try_to_cancel(&s->probe.timer);
}

bool jvpn_probe_soon_locked(struct jvpn_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!bound_client(s))
		return false;
	s->probe.last_sent = 0;
	hrtimer_start(&s->probe.timer, jvpn_ktime_of_ms(jvpn_now_ms()), HRTIMER_MODE_ABS_SOFT);
	return true;
}

void jvpn_probe_data(struct jvpn_session *s, u64 now_ms, u32 len)
{
	u64 before = READ_ONCE(s->last_data);

	if (len > JVPN_MTU_BASE && READ_ONCE(s->last_large) != now_ms)
		WRITE_ONCE(s->last_large, now_ms);
	if (now_ms <= before)
		return;
	WRITE_ONCE(s->last_data, now_ms);
	if (s->role != JVPN_ROLE_CLIENT ||
	    now_ms - before <= READ_ONCE(s->policy.active_interval_ms))
		return;
	/* After a pause: the timer is set for an idle path. */
	spin_lock_bh(&s->lock);
	if (bound_client(s))
		arm(s, jvpn_now_ms());
	spin_unlock_bh(&s->lock);
}

void jvpn_probe_hint(struct jvpn_session *s, const struct jvpn_socket *js)
{
	struct jvpn_probe *p = &s->probe;
	u32 hints = READ_ONCE(js->too_big);

	if (s->role != JVPN_ROLE_CLIENT || hints == READ_ONCE(p->hints))
		return;
	spin_lock_bh(&s->lock);
	if (bound_client(s) && !p->mtu.hint) {
		jvpn_mtu_hint(&p->mtu);
		jvpn_count(s->jd, JVPN_C_MTU_HINTS, p->mtu.hint);
		arm(s, jvpn_now_ms());
	}
	WRITE_ONCE(p->hints, hints);
	spin_unlock_bh(&s->lock);
}

/* RFC 6298 section 2. */
static void outcome_add(struct jvpn_probe *p, bool lost)
{
	p->outcomes = p->outcomes << 1 | lost;
	if (p->decided < JVPN_PROBE_OUTCOMES)
		p->decided++;
}

/* It came after all, overtaken by a later one: not lost. */
static void outcome_mend(struct jvpn_probe *p, u32 age)
{
	if (age < JVPN_PROBE_OUTCOMES)
		p->outcomes &= ~BIT_ULL(age);
}

/* What was sent after the newest one that was echoed is still out. */
static void unanswered_count(struct jvpn_probe *p)
{
	p->unanswered = p->seq - p->first_undecided;
	if (p->unanswered)
		p->unanswered_since = div_u64(p->sent[p->first_undecided % JVPN_PROBE_RING],
					      NSEC_PER_MSEC);
}

/* An echo decides all heartbeats up to it: those that were not echoed are lost. */
static void outcomes_decide(struct jvpn_probe *p, u32 seq)
{
	u32 behind = seq - p->first_undecided;

	if ((s32)behind < 0) {
		outcome_mend(p, -behind - 1);
		return;
	}
	if (behind > JVPN_PROBE_RING)
		p->first_undecided = seq - JVPN_PROBE_RING;
	for (; p->first_undecided != seq; p->first_undecided++)
		outcome_add(p, p->sent[p->first_undecided % JVPN_PROBE_RING]);
	outcome_add(p, false);
	p->first_undecided = seq + 1;
	unanswered_count(p);
}

/* A client's heartbeat came back. */
static void echo_receive(struct jvpn_session *s, const struct jvpn_wire_heartbeat *hb)
{
	struct jvpn_probe *p = &s->probe;
	u32 seq = le32_to_cpu(hb->seq), slot = seq % JVPN_PROBE_RING;
	u64 ts = le64_to_cpu(hb->echo_ts);

	spin_lock_bh(&s->lock);
	if (bound_client(s) && ts && p->sent[slot] == ts) {
		p->mtu_begin = p->mtu.phase == JVPN_MTU_OFF;
		rtt_sample(p, ktime_get_boottime_ns() - ts);
		outcomes_decide(p, seq);
		p->sent[slot] = 0;
		p->echo_counter = max(p->echo_counter, p->counter[slot]);
		s->peer_version = max(s->peer_version, le64_to_cpu(hb->version));
		judge_quality(s);
		arm(s, jvpn_now_ms());
	} else if (bound_client(s) && ts) {
		mtu_echo(s, ts);
		arm(s, jvpn_now_ms());
	}
	spin_unlock_bh(&s->lock);
	jvpn_notify_flush(s);
}

/* Answer at once, in the receive path: a probe of a size by the same size. */
static void echo_send(struct jvpn_binding *b, const struct jvpn_wire_heartbeat *hb, u32 len)
{
	u32 pad = len > JVPN_WIRE_HEARTBEAT_CLIENT_SIZE ? len + JVPN_WIRE_DATA_OVERHEAD : 0;
	struct jvpn_session *s = b->session;
	struct jvpn_binding *out = rcu_dereference(s->binding);
	struct jvpn_wire_heartbeat reply = {
		.type = JVPN_WIRE_INNER_HEARTBEAT,
		.flags = JVPN_WIRE_HEARTBEAT_REPLY,
		.seq = hb->seq,
		.ts = cpu_to_le64(ktime_get_boottime_ns()),
		.echo_ts = hb->ts,
		.version = cpu_to_le64(READ_ONCE(s->version)),
	};
	u64 counter;

	if (out)
		jvpn_tx_message(out, &reply, sizeof(reply), pad, &counter);
}

/* The client knows what the path lets through: it asks, and what it says counts here. */
static void path_learn(struct jvpn_binding *b, const struct jvpn_wire_heartbeat *hb,
		       const u8 *data, u32 len)
{
	struct jvpn_session *s = b->session;
	struct jvpn_wire_heartbeat_path said = {};
	u32 seq = le32_to_cpu(hb->seq), size;

	if (len >= sizeof(*hb) + sizeof(said))
		memcpy(&said, data + sizeof(*hb), sizeof(said));
	size = le16_to_cpu(said.size);
	if (size)
		size = max_t(u32, size, b->transport.remote.family == AF_INET ?
					JVPN_MTU_FLOOR4 : JVPN_MTU_FLOOR6);
	spin_lock_bh(&s->lock);
	/* One that was overtaken says nothing. */
	if (rcu_access_pointer(s->binding) == b && (s32)(seq - s->probe.path_seq) >= 0) {
		s->probe.path_seq = seq;
		path_set(s, size, size && (said.flags & JVPN_WIRE_PATH_SEARCHING));
	}
	spin_unlock_bh(&s->lock);
}

bool jvpn_probe_receive(struct jvpn_binding *b, const u8 *data, unsigned int len)
{
	struct jvpn_wire_heartbeat hb;
	bool reply;

	if (len < sizeof(hb) || data[0] != JVPN_WIRE_INNER_HEARTBEAT)
		return false;
	memcpy(&hb, data, sizeof(hb));
	reply = hb.flags & JVPN_WIRE_HEARTBEAT_REPLY;
	if (b->session->role == JVPN_ROLE_GATEWAY && !reply) {
		path_learn(b, &hb, data, len);
		echo_send(b, &hb, len);
	} else if (b->session->role == JVPN_ROLE_CLIENT && reply) {
		echo_receive(b->session, &hb);
	}
	return true;
}
