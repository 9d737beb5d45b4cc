/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ownership in a cluster: two nodes, one session, a store with leases. The commit is a transaction
 * of the store, the kernel of a node uses a binding only before its lease deadline. One clock; the
 * answers of the store come late or, for transactions, never; nodes lose their leases and take new.
 *
 * Mutants: DEADLINE_OF_ANSWER NO_FLUSH NO_INCARNATION TAKE_ALIVE ASSUME_WON NO_DEADLINE
 */
#include "common.h"

#ifndef TTL
#define TTL 2			/* of a lease */
#endif
#ifndef TIME
#define TIME 4			/* the clock stops here */
#endif
#ifndef VERSIONS
#define VERSIONS 4		/* no commit above */
#endif
byte now_t = 0;
/* The store. */
byte st = ATTACHED, V = 1, owner = 0;
byte lease[2];			/* alive while the clock is below */
/* The nodes. */
byte until[2];			/* the kernel uses bindings while the clock is below */
bit bound[2];
byte inc[2];			/* incarnation: counts the leases it had */
byte kaSent[2];
bit kaOut[2], kaBack[2], kaGood[2];
byte txV[2], txInc[2], won[2];
bit txOut[2], txBack[2], txGood[2], txLost[2];
bit went;
byte x;

#define ALIVE(n) (now_t < lease[n])
#ifdef NO_DEADLINE
#define ACTIVE(n) (bound[n])
#else
#define ACTIVE(n) (bound[n] && now_t < until[n])
#endif
#ifdef TAKE_ALIVE
#define FREE(n) 1
#else
#define FREE(n) (owner == n || !ALIVE(owner))
#endif
#ifdef NO_INCARNATION
#define SAME_LEASE(n) 1
#else
#define SAME_LEASE(n) (txInc[n] == inc[n])
#endif
#ifdef DEADLINE_OF_ANSWER
#define LEASE_FROM(n) now_t
#else
#define LEASE_FROM(n) kaSent[n]
#endif

inline check() { MUST(P5, !(ACTIVE(0) && ACTIVE(1))) }

#define APPLY(event, reason)								\
	x = V; TRANSITION(event, reason);						\
	if :: went -> V++ :: else fi; MUST(P1, !went || V == x + 1); x = 0

/* The store executes: version, owner and both leases are compared in one transaction. */
inline transact(n) {
	if
	:: txV[n] == V && FREE(n) && ALIVE(n) && txInc[n] == inc[n] ->
		if
		:: BOUND(st) && owner == n -> APPLY(JUMP, CLIENT_JUMP)
		:: BOUND(st) && owner != n -> APPLY(JUMP, OWNER_MOVED)
		:: else
		fi;
		APPLY(REATTACH_COMMIT, REATTACH_OK);
		owner = n; won[n] = V; txGood[n] = 1
	:: else -> txGood[n] = 0
	fi;
	went = 0
}

/* An answer that did not come: read again; what is not provably won is not installed. */
inline answered(n) {
	if
#ifdef ASSUME_WON
	:: txLost[n] -> txGood[n] = 1
#else
	:: txLost[n] -> txGood[n] = (owner == n && won[n] == V)
#endif
	:: else
	fi;
	if
	:: txGood[n] && SAME_LEASE(n) && now_t < until[n] ->
		bound[n] = 1;
		MUST(S4, owner == n)
	:: else
	fi;
	txLost[n] = 0; txGood[n] = 0
}

proctype Node(byte n) {
	do
	:: atomic { !kaOut[n] && !kaBack[n] && now_t < TIME -> kaSent[n] = now_t; kaOut[n] = 1 }
	:: atomic { kaOut[n] -> kaOut[n] = 0; kaBack[n] = 1; kaGood[n] = ALIVE(n);
		if :: kaGood[n] -> lease[n] = now_t + TTL :: else fi }
	:: atomic { kaBack[n] -> kaBack[n] = 0;
		if
		:: kaGood[n] -> until[n] = LEASE_FROM(n) + TTL
		:: else ->			/* a new lease: first all bindings are flushed */
#ifndef NO_FLUSH
			bound[n] = 0;
#endif
			inc[n]++; lease[n] = now_t + TTL; until[n] = now_t + TTL
		fi;
		kaGood[n] = 0; kaSent[n] = 0; check() }
	:: atomic { !txOut[n] && !txBack[n] && V < VERSIONS && now_t < TIME ->
		txV[n] = V; txInc[n] = inc[n]; txOut[n] = 1 }
	:: atomic { txOut[n] -> txOut[n] = 0; txBack[n] = 1; transact(n) }
	:: atomic { txOut[n] -> txOut[n] = 0; txBack[n] = 1; txLost[n] = 1 }	/* never arrived */
	:: atomic { txOut[n] -> txOut[n] = 0; txBack[n] = 1; transact(n); txLost[n] = 1; txGood[n] = 0 }
	:: atomic { txBack[n] -> txBack[n] = 0; answered(n); txV[n] = 0; txInc[n] = 0; check() }
	/* The owner's transport dies. */
	:: atomic { owner == n && ALIVE(n) && BOUND(st) && V < VERSIONS && now_t < TIME && bound[n] ->
		APPLY(TRANSPORT_DEAD, PROBE_TIMEOUT); bound[n] = 0; went = 0; check() }
	:: atomic { n == 0 && now_t < TIME -> now_t++; check() }
	:: now_t == TIME && !kaOut[n] && !kaBack[n] && !txOut[n] && !txBack[n] -> break
	od
}

init {
	atomic {
		lease[0] = TTL; lease[1] = TTL; until[0] = TTL; until[1] = TTL; bound[0] = 1;
		run Node(0); run Node(1)
	}
}
