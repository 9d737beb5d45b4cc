/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One session: the transition function of kernel/core/fsm.c and the switch limits of
 * kernel/core/limits.c, driven by a network, a client, an operator and a clock that do what they
 * want. Time is relative, so the model is finite without a bound on the number of steps.
 *
 * -DLIVE           the daemons follow their rules (no raw events), for the LTL properties
 * Mutants: KEEP_OLD LATE_CLOSE ANY_SOURCE ROAM NEW_ID RESURRECT SKIP_VERSION RESET_VERSION
 *          NO_DEADLINE EXTEND_TTL NO_RATE
 */
#include "common.h"

#define SPAN 4			/* ticks in the window of the switch limit; one is 15 s */
#define SWITCHES 2		/* max_switches_per_minute */
#define WINDOW 2		/* recovery_window_ms, in ticks */
#define LOSS 7			/* transport_loss_ttl_ms, in ticks */
#define IN_TIME (gone + SPAN + 1 <= LOSS)
#define VERSIONS 4		/* the version counts modulo this; only its steps matter */

c_decl {
/* What the documents say: one entry for each row of the table. */
struct documented {
	unsigned from, event, to, reasons;
};
static const struct documented documented[] = {
\#include "table.h"
};

static int documented_next(unsigned state, unsigned event, unsigned reason)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(documented); i++)
		if (documented[i].event == event && state < 32 && reason < 32 &&
		    (documented[i].from & (1u << state)) && (documented[i].reasons & (1u << reason)))
			return documented[i].to;
	return REFUSED;
}

/* What is refused is refused by the right code, without a word about a next state. */
static int as_documented(unsigned state, unsigned event, unsigned reason)
{
	u32 next = REFUSED, reject = jvpn_fsm_next(state, event, reason, &next);

	if (next != documented_next(state, event, reason))
		return 0;
	if (next != REFUSED)
		return !reject;
	return reject == (state == JVPN_STATE_TERMINATED ? JVPN_REJECT_TERMINATED :
			  JVPN_REJECT_ILLEGAL_TRANSITION);
}

static int refused(unsigned state, unsigned event, unsigned reason)
{
	return model_next(state, event, reason) == REFUSED;
}

static int reason_belongs(unsigned event, unsigned reason)
{
	return reason != JVPN_REASON_NONE && jvpn_fsm_event_of(reason) == event;
}

\#define TICK_MS 15000
\#define NOW_MS 100000000ULL
/* Does the limit allow a switch? @ages in ticks, newest first; SPAN: longer ago. */
static int may_switch(const unsigned char *ages)
{
	struct jvpn_switches s = { 0 };
	int i;

	for (i = SWITCHES; i >= 0; i--)
		if (ages[i] < SPAN)
			jvpn_switches_add(&s, NOW_MS - ages[i] * TICK_MS);
	return !jvpn_switches_wait(&s, SWITCHES, 0, NOW_MS);
}
};

byte st = BIRTH;
byte ver;			/* state_version */
bit sid;			/* identity: only that it changes matters */
bit live[2];			/* transport has a live key and delivers */
byte to;			/* transport that the binding names, 2: none */
byte ages[SWITCHES + 1];	/* since the last switches, newest first */
byte gone;			/* transport-loss timer: ticks since the binding was lost */
byte absent;			/* the same, as an onlooker would count */
byte trying;			/* ticks in RECOVERING */
bit due_session, due_lease;	/* deadlines that have passed */
bit ordered;			/* operator or policy want the end */
bit cand[2];			/* usable transports */
bit req, rcur, rpath;		/* PROOF on the way; names the current version; its source */
bit calm;			/* from now on candidate 0 stays, and nobody interferes */
bit went;
byte steps, ver0, st0, to0;	/* since the action began */
bit sid0;
byte ev, re, i;

#define DUE_LOSS (UNBOUND(st) && gone >= LOSS)
#define DUE (st != TERMINATED && st != BIRTH && (due_session || due_lease || ordered || DUE_LOSS))
#define MAY_SWITCH ASK(may_switch(now.ages))
#define ACTIVE (live[0] + live[1])

inline begin() { steps = 0; ver0 = ver; st0 = st; to0 = to; sid0 = sid }

inline check() {
	MUST(I1, ACTIVE == ASK(jvpn_fsm_bound(now.st)));
	MUST(I1, (to < 2) == (ACTIVE == 1));
	MUST(I2, sid == sid0 || st0 == TERMINATED);
	MUST(I3, (ver0 + steps) % VERSIONS == ver || sid != sid0);
	MUST(S2, st != BIRTH || st0 == BIRTH || sid != sid0);
	MUST(S5, to == to0 || steps > 0 || sid != sid0);
	MUST(P4, st0 != TERMINATED || st == TERMINATED || sid != sid0);
	MUST(P9, absent <= LOSS);
	steps = 0; ver0 = 0; st0 = 0; to0 = 0; sid0 = 0; went = 0; ev = 0; re = 0; i = 0
}

inline count() {
	steps++;
#ifdef SKIP_VERSION
	if :: st == DEGRADED :: else -> ver = (ver + 1) % VERSIONS fi;
#else
	ver = (ver + 1) % VERSIONS;
#endif
	MUST(P1, (ver0 + steps) % VERSIONS == ver);
	MUST(I4, ACTIVE <= 1)
}

inline lose() {
	if
	:: to < 2 ->
#if !defined(KEEP_OLD) && !defined(LATE_CLOSE)
		live[to] = 0;
#endif
		to = 2; gone = 0; absent = 0
	:: else
	fi
}

/* What a state without a new binding entails. */
inline settle() {
	if
	:: st == TERMINATED -> live[0] = 0; live[1] = 0; to = 2; gone = 0; absent = 0; req = 0
	:: UNBOUND(st) ->
#ifdef KEEP_OLD
		to = 2
#else
		lose(); live[0] = 0; live[1] = 0
#endif
	:: else
	fi;
	if :: st != RECOVERING -> trying = 0 :: else fi
}

#define APPLY(event, reason)	\
	TRANSITION(event, reason); if :: went -> count() :: else fi

inline publish(path) {
	MUST(P10, !DUE);
	live[path] = 1;
	MUST(I4, ACTIVE <= 1);
#ifdef LATE_CLOSE
	live[1 - path] = 0;
#endif
	to = path; gone = 0; absent = 0; trying = 0
#ifdef NEW_ID
	; sid = 1 - sid
#endif
#ifdef RESET_VERSION
	; ver = 1
#endif
}

/* A switch enters the record of the last ones. */
inline switched() {
	MUST(P9, ages[SWITCHES - 1] >= SPAN);
	i = SWITCHES; do :: i > 0 -> ages[i] = ages[i - 1]; i-- :: else -> break od;
	ages[0] = 0
}

/* The deadlines of the kernel. */
inline expire() {
	/* Of those that are due the one that goes first. */
	c_code {
		static const int reason[] = { JVPN_REASON_OPERATOR, JVPN_REASON_LEASE_LOST,
			JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED, JVPN_REASON_SESSION_TTL_EXPIRED };
		const int due[] = { now.ordered, now.due_lease,
			(now.st == JVPN_STATE_RECOVERING || now.st == JVPN_STATE_DEGRADED) &&
			now.gone >= LOSS, now.due_session };
		int k, best = -1, to;

		for (k = 0; k < 4; k++)
			if (due[k] && (best < 0 || jvpn_fsm_priority(reason[k]) <
				       jvpn_fsm_priority(reason[best])))
				best = k;
		now.re = best;
		now.ev = due[2] || due[3];
		to = model_next(now.st, JVPN_EVENT_TERMINATE, reason[best]);
		now.went = to != REFUSED;
		if (now.went)
			now.st = to;
	};
	MUST(PRIO, re >= 2 || !ev);		/* a time limit, if one is due */
	MUST(PRIO, re >= 1 || !due_lease);
	if :: went -> rcur = 0; count(); settle() :: else fi
}

/* Unbound to bound, through the states in between. */
inline move(path) {
	if
	:: BOUND(st) -> APPLY(JUMP, CLIENT_JUMP)
	:: st == DEGRADED -> APPLY(RETRY, CANDIDATE_APPEARED)
	:: else
	fi;
	if
	:: st == RECOVERING ->
		lose();
		APPLY(REATTACH_COMMIT, REATTACH_OK);
		if :: st == ATTACHED -> switched(); publish(path) :: else fi
	:: else
	fi
}

#ifdef NO_DEADLINE
#define DEADLINE_FIRST 0
#else
#define DEADLINE_FIRST DUE
#endif
#ifdef NO_RATE
#define RATE_KEPT 1
#else
#define RATE_KEPT MAY_SWITCH
#endif

/* A valid PROOF arrives: all of it is one critical section. */
inline commit(path) {
	if
	:: DEADLINE_FIRST -> expire()
	:: else ->
		/* rcur: it names the current version */
		if
		:: st != TERMINATED && st != BIRTH && rcur && RATE_KEPT -> move(path)
		:: else
		fi
	fi;
	req = 0; rcur = 0; rpath = 0
}

proctype Kernel() {
	do
	:: atomic { DUE -> begin(); expire(); check() }
	:: atomic { req -> begin(); commit(rpath); check() }
	od
}

proctype Client() {
	byte p;
	do
	:: atomic { !req && UNBOUND(st) && cand[0] -> req = 1; rcur = 1; rpath = 0 }
	:: atomic { !req && UNBOUND(st) && cand[1] -> req = 1; rcur = 1; rpath = 1 }
	:: atomic { !req && BOUND(st) && !calm && to < 2 && cand[1 - to] ->
		req = 1; rcur = 1; rpath = 1 - to }
	:: atomic { st == RECOVERING && trying >= WINDOW -> begin();
		APPLY(BOUND_EXCEEDED, RECOVERY_WINDOW_EXCEEDED);
		if :: went -> rcur = 0; settle() :: else fi; check() }
#ifdef EXTEND_TTL
	:: atomic { UNBOUND(st) && !DUE && gone > 0 -> gone = 0 }	/* a REQUEST starts the timer anew */
#endif
	od
}

/* Time passes when nothing is due; in calm times, when nothing can be done at once. */
proctype Clock() {
	do
	:: atomic { !DUE && st != TERMINATED && !(calm && UNBOUND(st) && MAY_SWITCH) ->
		i = 0; do :: i <= SWITCHES -> if :: ages[i] < SPAN -> ages[i]++ :: else fi; i++
			  :: else -> break od;
		i = 0;
		if :: UNBOUND(st) -> gone++; if :: absent <= LOSS -> absent++ :: else fi :: else fi;
		if :: st == RECOVERING && trying < WINDOW -> trying++ :: else fi;
		MUST(P9, absent <= LOSS) }
	od
}

proctype World() {
	do
	:: atomic { !calm -> cand[0] = 1 - cand[0] }
	:: atomic { !calm -> cand[1] = 1 - cand[1] }
	:: atomic { !calm && req -> req = 0; rcur = 0; rpath = 0 }		/* lost */
	:: atomic { !calm && !req -> req = 1; rcur = 0; rpath = 0 }		/* replayed */
	:: atomic { !calm && !req -> req = 1; rcur = 0; rpath = 1 }
	:: atomic { !calm && st != BIRTH && st != TERMINATED -> due_session = 1 }
	:: atomic { !calm && st != BIRTH && st != TERMINATED -> ordered = 1 }
	:: atomic { st == BIRTH -> begin(); APPLY(HANDSHAKE_DONE, HANDSHAKE_OK);
		if :: went -> publish(0) :: else fi; check() }
#ifdef LIVE
	:: atomic { !calm && BOUND(st) -> begin(); APPLY(TRANSPORT_DEAD, PROBE_TIMEOUT);
		if :: went -> rcur = 0; settle() :: else fi; check() }
	:: atomic { !calm && !due_session && !ordered -> calm = 1; cand[0] = 1 }
	:: st == TERMINATED -> skip				/* no deadlock: the end */
#else
	:: atomic { st != BIRTH && st != TERMINATED -> due_lease = 1 }
	/* Any reason with its event, but those that come with a binding. */
	:: atomic { begin(); select(re : 0 .. REASONS);
		c_code {
			int event = jvpn_fsm_event_of(now.re);
			int to = event == JVPN_EVENT_HANDSHAKE_DONE ||
				 event == JVPN_EVENT_REATTACH_COMMIT ?
				 REFUSED : model_next(now.st, event, now.re);

			now.went = to != REFUSED;
			if (now.went)
				now.st = to;
		};
		if :: went -> rcur = 0; count(); settle() :: else fi;
		check() }
	/* An authentic packet of the client, from any transport. */
	:: atomic { begin(); select(i : 0 .. 1);
		if
#ifdef ANY_SOURCE
		:: BOUND(st) -> MUST(S1, to == i)
#else
		:: BOUND(st) && live[i] -> MUST(S1, to == i)
#endif
#ifdef ROAM
		:: BOUND(st) && !live[i] -> live[1 - i] = 0; live[i] = 1; to = i
#endif
		:: else
		fi;
		check() }
	/* The client starts anew. */
	:: atomic { st == TERMINATED -> begin(); st = BIRTH; ver = 0; due_session = 0; due_lease = 0;
		ordered = 0;
#ifndef RESURRECT
		sid = 1 - sid;
#endif
		check() }
#endif
	od
}

/* The function itself, over all inputs, also such that do not exist. */
inline table() {
	st0 = 0;
	do
	:: st0 <= STATES + 2 ->
		ev = 0;
		do
		:: ev <= EVENTS + 2 ->
			re = 0;
			do
			:: re <= 40 ->
				MUST(TABLE, ASK(as_documented(now.st0, now.ev, now.re)));
				MUST(I5, ASK(refused(now.st0, now.ev, now.re) ||
						  reason_belongs(now.ev, now.re)));
				MUST(P4, st0 != TERMINATED ||
					 ASK(refused(now.st0, now.ev, now.re)));
				re++
			:: else -> break
			od;
			ev++
		:: else -> break
		od;
		st0++
	:: else -> break
	od;
	st0 = 0; ev = 0; re = 0
}

init {
	d_step { table() };
	atomic {
		to = 2; i = 0;
		do :: i <= SWITCHES -> ages[i] = SPAN; i++ :: else -> break od; i = 0;
		run Kernel(); run Client(); run Clock(); run World()
	}
}

#ifdef LIVE
#define unbound UNBOUND(st)
#define bound BOUND(st)
#define ended (due_session || ordered)
#define due (UNBOUND(st) && gone >= LOSS)
ltl L1 { [] ((calm && unbound && IN_TIME && !ended) -> <> bound) }
ltl L2 { [] ((unbound && !req && !cand[0] && !cand[1] && !due && !ended) ->
	     (unbound W (req || cand[0] || cand[1] || due || ended))) }
ltl L3 { [] (unbound -> <> (bound || st == TERMINATED)) && [] (due -> <> (st == TERMINATED)) }
#endif
