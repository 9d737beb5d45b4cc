// SPDX-License-Identifier: GPL-2.0
#include "mtu.h"

static u32 smaller(u32 a, u32 b)
{
	return a < b ? a : b;
}

static void ask(struct jvpn_mtu *m, u8 phase, u32 size, u64 now_ms)
{
	m->phase = phase;
	m->probe = size;
	m->tries = 0;
	m->alive = false;
	m->wait = 0;
	m->at = now_ms;
}

static void search_begin(struct jvpn_mtu *m, u64 now_ms)
{
	m->size = 0;
	m->low = smaller(m->floor, m->max);
	m->high = m->max;
	m->doubt = false;
	ask(m, JVPN_MTU_SEARCH, m->max, now_ms);
}

static void rest(struct jvpn_mtu *m)
{
	m->phase = JVPN_MTU_DONE;
	m->probe = 0;
}

/* The search has come to its end. */
static void confirm(struct jvpn_mtu *m, u32 size, u64 now_ms)
{
	m->size = size;
	m->verified = now_ms;
	m->raise_at = size < m->max ? now_ms + m->raise_ms : 0;
	rest(m);
}

/* Between what passes and what does not: BASE_PLPMTU first, then halves. */
static void search_next(struct jvpn_mtu *m, u64 now_ms)
{
	u32 size = m->low + (m->high - m->low + 1) / 2;

	if (m->low >= m->high) {
		confirm(m, m->low, now_ms);
		return;
	}
	if (m->low == m->floor && m->low < JVPN_MTU_BASE && JVPN_MTU_BASE < m->high)
		size = JVPN_MTU_BASE;
	ask(m, JVPN_MTU_SEARCH, size, now_ms);
}

void jvpn_mtu_reset(struct jvpn_mtu *m)
{
	memset(m, 0, sizeof(*m));
}

void jvpn_mtu_begin(struct jvpn_mtu *m, u32 floor, u32 max, u64 now_ms)
{
	if (m->phase != JVPN_MTU_OFF || !max)
		return;
	m->floor = floor;
	m->max = max;
	m->raise_ms = JVPN_MTU_RAISE_MS;
	search_begin(m, now_ms);
}

void jvpn_mtu_limit(struct jvpn_mtu *m, u32 max, u64 now_ms)
{
	bool wider = max > m->max;

	if (m->phase == JVPN_MTU_OFF || max == m->max || !max)
		return;
	m->max = max;
	if (wider && m->size) {
		m->raise_at = now_ms;
		m->raise_ms = JVPN_MTU_RAISE_MS;
	} else if (wider || m->phase == JVPN_MTU_SEARCH) {
		search_begin(m, now_ms);
	} else if (m->size >= max || m->probe > max) {
		confirm(m, smaller(m->size, max), now_ms);
	}
}

static u64 verify_at(const struct jvpn_mtu *m, const struct jvpn_mtu_use *use)
{
	if (m->hint || use->large > m->verified)
		return m->verified + JVPN_MTU_VERIFY_LARGE_MS;
	return use->data > m->verified ? m->verified + JVPN_MTU_VERIFY_MS : 0;
}

/* An unused path is left alone. */
static u64 raise_at(const struct jvpn_mtu *m, const struct jvpn_mtu_use *use)
{
	return m->raise_at && use->data + m->raise_ms >= m->raise_at ? m->raise_at : 0;
}

static u64 earlier_of(u64 a, u64 b)
{
	if (!a || !b)
		return a | b;
	return a < b ? a : b;
}

u64 jvpn_mtu_next(const struct jvpn_mtu *m, const struct jvpn_mtu_use *use)
{
	if (m->phase == JVPN_MTU_OFF)
		return 0;
	if (m->probe)
		return m->at;
	return earlier_of(verify_at(m, use), raise_at(m, use));
}

/* All probes of a size are overdue, and smaller heartbeats pass. */
static void failed(struct jvpn_mtu *m, u64 now_ms)
{
	switch (m->phase) {
	case JVPN_MTU_SEARCH:
		m->high = m->probe - 1;
		search_next(m, now_ms);
		break;
	case JVPN_MTU_VERIFY:
		/* Seen as a new path, also by asking for the same size again. */
		m->lost++;
		m->raise_ms = JVPN_MTU_RAISE_MS;
		search_begin(m, now_ms);
		m->doubt = true;
		break;
	case JVPN_MTU_RAISE:
		/* If not as wide as the link, then a little wider than before? */
		if (m->probe == m->max && m->size + 8 < m->max) {
			ask(m, JVPN_MTU_RAISE, m->size + 8, now_ms);
			break;
		}
		m->raise_ms *= 2;
		if (m->raise_ms > JVPN_MTU_RAISE_MOST_MS)
			m->raise_ms = JVPN_MTU_RAISE_MOST_MS;
		confirm(m, m->size, now_ms);
		break;
	}
}

static void begin_what_is_due(struct jvpn_mtu *m, const struct jvpn_mtu_use *use, u64 now_ms)
{
	u64 verify = verify_at(m, use), raise = raise_at(m, use);

	if (verify && now_ms >= verify) {
		m->verified = now_ms;
		m->hint = false;
		ask(m, JVPN_MTU_VERIFY, m->size, now_ms);
	} else if (raise && now_ms >= raise) {
		ask(m, JVPN_MTU_RAISE, m->max, now_ms);
	}
}

/* Later each time that nothing at all comes back: that is no matter of size. */
static void wait_for_echo(struct jvpn_mtu *m, u64 echo_ms, u64 now_ms)
{
	u64 wait = echo_ms > JVPN_MTU_TIMER_MS ? echo_ms : JVPN_MTU_TIMER_MS;

	if (m->tries > JVPN_MTU_TRIES && m->wait * 2 > wait)
		wait = m->wait * 2;
	if (wait > JVPN_MTU_TIMER_MOST_MS)
		wait = JVPN_MTU_TIMER_MOST_MS;
	m->wait = wait;
	m->at = now_ms + wait;
}

u32 jvpn_mtu_step(struct jvpn_mtu *m, const struct jvpn_mtu_use *use, u64 echo_ms, u64 now_ms)
{
	if (m->phase == JVPN_MTU_DONE)
		begin_what_is_due(m, use, now_ms);
	if (!m->probe || now_ms < m->at)
		return 0;
	if (m->tries >= JVPN_MTU_TRIES && m->alive)
		failed(m, now_ms);
	if (!m->probe)
		return 0;
	if (m->tries && m->phase == JVPN_MTU_SEARCH)
		m->doubt = true;
	m->tries++;
	wait_for_echo(m, echo_ms, now_ms);
	return m->probe;
}

void jvpn_mtu_passed(struct jvpn_mtu *m, u64 now_ms)
{
	u32 size = m->probe;

	switch (m->phase) {
	case JVPN_MTU_SEARCH:
		m->low = size;
		search_next(m, now_ms);
		break;
	case JVPN_MTU_VERIFY:
		rest(m);
		break;
	case JVPN_MTU_RAISE:
		/* Wider by an unknown amount: between this and the link. */
		m->size = size;
		m->low = size;
		m->high = size < m->max ? m->max - 1 : size;
		search_next(m, now_ms);
		break;
	}
}

void jvpn_mtu_alive(struct jvpn_mtu *m, u64 now_ms)
{
	m->alive = true;
	/* The echo of the probe before it cannot be far behind. */
	if (m->probe && m->at > now_ms + JVPN_MTU_TIMER_MS)
		m->at = now_ms + JVPN_MTU_TIMER_MS;
}

void jvpn_mtu_hint(struct jvpn_mtu *m)
{
	if (m->size)
		m->hint = true;
}

u32 jvpn_mtu_sure(const struct jvpn_mtu *m)
{
	if (m->size)
		return m->size;
	return m->doubt ? smaller(m->floor, m->max) : 0;
}
