// SPDX-License-Identifier: GPL-2.0
#include "window.h"

static u64 word_of(u64 counter)
{
	return counter / JVPN_WINDOW_WORD_BITS;
}

static u64 bit_of(u64 counter)
{
	return 1ULL << (counter % JVPN_WINDOW_WORD_BITS);
}

bool jvpn_window_fresh(const struct jvpn_window *w, u64 counter)
{
	if (counter >= JVPN_COUNTER_MAX)
		return false;
	if (counter >= w->next)
		return true;
	if (w->next - counter > JVPN_WINDOW_SIZE)
		return false;
	return !(w->ring[word_of(counter) % JVPN_WINDOW_WORDS] & bit_of(counter));
}

/* Empty the words between the highest counter so far and @counter. */
static void window_advance(struct jvpn_window *w, u64 counter)
{
	u64 last = w->next ? word_of(w->next - 1) : 0;
	u64 steps = word_of(counter) - last;
	u64 i;

	if (steps > JVPN_WINDOW_WORDS)
		steps = JVPN_WINDOW_WORDS;
	for (i = 1; i <= steps; i++)
		w->ring[(last + i) % JVPN_WINDOW_WORDS] = 0;
	w->next = counter + 1;
}

bool jvpn_window_accept(struct jvpn_window *w, u64 counter)
{
	if (!jvpn_window_fresh(w, counter))
		return false;
	if (counter >= w->next)
		window_advance(w, counter);
	w->ring[word_of(counter) % JVPN_WINDOW_WORDS] |= bit_of(counter);
	return true;
}
