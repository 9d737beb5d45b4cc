/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reattach protocol between one client and one gateway, with an adversary that loses,
 * duplicates, reorders and replays messages, also from another address; timers at every moment; a
 * daemon that dies at every moment, also between commit and install, and comes back.
 *
 * The adversary has budgets (B...), so that every run ends; what must finally be so is asserted
 * there. Keys, cookies and proofs are ideal: what cannot be forged is not.
 *
 * -DSTORE_FIRST    order of a cluster: the store's transaction is the commit, the install into the
 *                  kernel follows. Else the kernel's compare-and-swap is the commit.
 * Mutants: NO_VERSION NO_EPOCH NO_COOKIE REINSTALL ANY_ACK RATCHET FLAP REFUSAL_DROPS
 *          NO_DEADLINE SAME_INCARNATION FRESHNESS_FIRST NO_TAG ADOPT_BLINDLY SKIP_VERSION
 *          VERSION_FALLS
 */
#include "common.h"

#ifndef N
#define N 7			/* attempts of the client */
#endif
#ifndef BLOSS
#define BLOSS 1
#endif
#ifndef BREPLAY
#define BREPLAY 1
#endif
#ifndef BTIMER
#define BTIMER 1
#endif
#ifndef BCRASH
#define BCRASH 1
#endif
#ifndef BRESTORE
#define BRESTORE 0
#endif
#ifndef BJUMP
#define BJUMP 1
#endif
#define NONE 15
#define FIRST 14		/* the epoch of the handshake */

/* Gateway. The record: kernel table, or the store's record in a cluster. */
byte st = ATTACHED, V = 1, E = 0, at = 0;
byte key = FIRST, tagV = 1, tagE = 0;	/* kernel: epoch installed, its tag */
byte gen = 0, last = NONE;		/* daemon's memory: challenge ring, last PROOF committed */
byte inc = 0;				/* incarnation of the store */
bit due = 0;				/* the deadline of the lost transport has passed */
byte vOwn = 1;				/* version after the last step that was not a timer's */
/* Install messages to the kernel: of this daemon, which waits for it, and a late one of a dead daemon. */
byte inst = NONE, instV, instE, late = NONE, lateV, lateE;

/* Client. */
byte cKey = FIRST, cV = 1, cE = 0, at0 = 0, n = 0, again = 0;
bit lost = 0;				/* it has given the session up */
bit restored = 0;

/* Attempts, and the messages of each that are on the way. */
#define IDLE 0
#define ASKED 1
#define CHALLENGED 2
#define PROVED 3
#define ENDED 4
byte ph[N], path[N], pV[N], pE[N], pG[N], low[N], rounds[N];
byte chV[N], chE[N], chG[N], chI[N];
bit stale[N], timed[N];			/* it answers a PROOF; only timers made that stale */
bit fReq[N], fChal[N], fProof[N], fAck[N];
byte cmV[N], cmE[N];			/* what the commit gave; 0: none */
bit inS[N], inC[N];			/* epoch was installed: gateway, client */
byte hA = NONE, hV, hI;			/* copy of a CHALLENGE */
#ifdef RATCHET
byte root = NONE, cRoot = NONE, pR[N];
#define ROOT_FITS(a) (pR[a] == root)
#else
#define ROOT_FITS(a) 1
#endif

byte loss = BLOSS, replay = BREPLAY, timer = BTIMER, crash = BCRASH, restore = BRESTORE, jump = BJUMP;
bit went, moved;
byte v0, e0, st0, key0, a, x;

#define SYNC (BOUND(st) && key != NONE && cKey == key)
#define NEWER(v, e, V1, E1) (v > V1 || (v == V1 && e > E1))

inline counted() {
#ifdef SKIP_VERSION
	if :: st == ATTACHED :: else -> V++ fi
#else
	V++
#endif
}
#define APPLY(event, reason)								\
	x = V; TRANSITION(event, reason);						\
	if :: went -> counted(); MUST(P1, V == x + 1); moved = 1 :: else fi; x = 0

inline begin() { v0 = V; e0 = E; st0 = st; key0 = key; moved = 0 }
inline check() {
	MUST(I3, V >= v0 || restored);
	MUST(P3, moved || (V == v0 && E == e0 && st == st0 && key == key0));
	MUST(P4, st0 != TERMINATED || st == TERMINATED);
	v0 = 0; e0 = 0; st0 = 0; key0 = 0; moved = 0; went = 0; a = 0; x = 0
}

/* The kernel gives the binding up; later installs must name what comes after. */
inline unbind() { key = NONE; at = 2; tagV = V; tagE = E }

inline expire() { APPLY(TERMINATE, TRANSPORT_LOSS_TTL_EXPIRED); if :: went -> unbind() :: else fi }

inline install(k, v, e) {
	if
#ifdef NO_TAG
	:: 1 ->
#else
	:: NEWER(v, e, tagV, tagE) && st != TERMINATED ->
#endif
		MUST(P11, NEWER(v, e, tagV, tagE));
		MUST(P6, !inS[k]);
		key = k; tagV = v; tagE = e; inS[k] = 1; moved = 1
#ifndef NO_TAG
	:: else
#endif
	fi
}

inline challenge(k, answers) {
	chV[k] = V; chE[k] = E; chG[k] = gen; chI[k] = inc; stale[k] = answers; timed[k] = 0; fChal[k] = 1
}

inline gw_request(k) {
	begin();
	if
	:: st == TERMINATED || !ROOT_FITS(k) -> skip
	:: else -> challenge(k, 0)
	fi;
	check()
}

/* A new daemon: a new ring, nothing remembered. It compares its record with the kernel. */
inline restart() {
	crash--; gen++; last = NONE;
#ifdef STORE_FIRST
	/* What the dead daemon has sent to the kernel may still arrive, or not. */
	if
	:: inst != NONE -> late = inst; lateV = instV; lateE = instE
	:: else
	fi;
	inst = NONE; instV = 0; instE = 0;
#ifndef ADOPT_BLINDLY
	if
	:: BOUND(st) && (key == NONE || tagV != V || tagE != E) ->
		APPLY(TRANSPORT_DEAD, SOCKET_ERROR);
		vOwn = V;
		if :: went -> unbind() :: else fi
	:: else
	fi;
#endif
#endif
#ifdef VERSION_FALLS
	V = 1;
#endif
	MUST(P12, !BOUND(st) || (key != NONE && tagE == E))
}

inline commit(k) {
	MUST(P2, pV[k] == V && pE[k] == E);
	MUST(P10, !due);
	MUST(S3, !cmE[k]);
	MUST(S2, !restored);		/* what is older than it says takes no client */
	moved = 1;
	if
	:: st == ATTACHED && at == path[k] && key != NONE -> skip	/* REFRESH */
	:: else ->
		if :: BOUND(st) -> APPLY(JUMP, CLIENT_JUMP) :: else fi;
		APPLY(REATTACH_COMMIT, REATTACH_OK);
		at = path[k]
	fi;
	E++; vOwn = V; cmV[k] = V; cmE[k] = E;
#ifdef RATCHET
	root = k;
#endif
#ifdef STORE_FIRST
	inst = k; instV = V; instE = E; last = k;
#else
	install(k, V, E); last = k; fAck[k] = 1;
#endif
	if
	:: crash > 0 -> restart(); fAck[k] = 0			/* before anything else */
	:: 1
	fi
}

#ifdef NO_VERSION
#define NAMES(k) (pE[k] == E)
#elif defined(NO_EPOCH)
#define NAMES(k) (pV[k] == V)
#else
#define NAMES(k) (pV[k] == V && pE[k] == E)
#endif

/* A PROOF refused as stale. */
inline refuse(k) {
	challenge(k, 1);
#ifdef REFUSAL_DROPS
	if :: key != NONE -> key = NONE :: else fi;
#endif
	timed[k] = (pV[k] >= vOwn && pV[k] < V)
}

inline gw_proof(k, src) {
	begin();
	if
	:: last == k && src == path[k] ->
#ifdef REINSTALL
		MUST(P6, !inS[k]);
#endif
		fAck[k] = (inS[k] == 1)
	:: last == k && src != path[k] -> skip
	:: last != k && (!ROOT_FITS(k) || st == TERMINATED) -> skip
#ifdef NO_COOKIE
	:: last != k && src != path[k] && ROOT_FITS(k) && st != TERMINATED && NAMES(k) ->
		MUST(S3, src == path[k])
	:: last != k && src != path[k] && ROOT_FITS(k) && st != TERMINATED && !NAMES(k) -> skip
#else
	:: last != k && src != path[k] && ROOT_FITS(k) && st != TERMINATED -> skip
#endif
	:: last != k && src == path[k] && ROOT_FITS(k) && st != TERMINATED ->
		if
		:: pG[k] != gen -> challenge(k, 1)
#ifndef NO_DEADLINE
		:: pG[k] == gen && due -> expire()
		:: pG[k] == gen && !due && !NAMES(k) -> refuse(k)
		:: pG[k] == gen && !due && NAMES(k) -> commit(k)
#else
		:: pG[k] == gen && !NAMES(k) -> refuse(k)
		:: pG[k] == gen && NAMES(k) -> commit(k)
#endif
		fi
	fi;
	check()
}

/* --- client --- */

inline ask(p) {
	path[n] = p; ph[n] = ASKED; low[n] = cV; fReq[n] = 1; at0 = p; n++; again = 0;
#ifdef RATCHET
	pR[n - 1] = cRoot
#else
	skip
#endif
}

inline give_up() {
	x = 0;
	do :: x < n -> if :: ph[x] < ENDED -> ph[x] = ENDED :: else fi; x++ :: else -> break od;
	x = 0
}

/* Names the highest known; from now on the gateway must know what the client knows. */
inline prove(k, v, e) {
	pV[k] = (v > cV -> v : cV); pE[k] = (e > cE -> e : cE); pG[k] = chG[k];
	low[k] = cV; ph[k] = PROVED; fProof[k] = 1
}

#define NEWEST(k) (k == n - 1)

/* A CHALLENGE that shows a past: the session ends. */
inline roll_back() { lost = 1; give_up(); MUST(P7, restored) }

/* An answer to the REQUEST is of use once, and only before the PROOF; a copy never in this model. */
#define OF_USE(k, answers, copy) (!copy && (answers || ph[k] == ASKED))
#define OPEN(k) (!lost && ph[k] != IDLE && ph[k] != ENDED)

inline cl_challenge(k, v, i, answers, copy) {
	if
#ifdef FRESHNESS_FIRST
	:: OPEN(k) && (v < low[k] || i != 0) -> roll_back()
#else
	:: OPEN(k) && OF_USE(k, answers, copy) && (v < low[k] || i != 0) -> roll_back()
#endif
	:: OPEN(k) && OF_USE(k, answers, copy) && v >= low[k] && i == 0 ->
		if :: v > cV -> cV = v :: else fi;
		if
		:: ph[k] == ASKED -> ph[k] = CHALLENGED
		:: ph[k] == PROVED && !NEWEST(k) -> ph[k] = ENDED	/* only the newest intent goes on */
		:: ph[k] == PROVED && NEWEST(k) && n < N ->
			/* A new PROOF has a fresh ephemeral: another attempt in this model. */
			ph[k] = ENDED; path[n] = path[k]; rounds[n] = rounds[k] + timed[k];
			MUST(P8, rounds[n] <= 2);
#ifdef RATCHET
			pR[n] = cRoot;
#endif
			chG[n] = chG[k]; x = low[k]; n++; again = 0;
			prove((n - 1), chV[k], chE[k]); low[n - 1] = x; x = 0
		:: else
		fi
	:: else
	fi
}

inline cl_ack(k) {
	if
	:: !lost && ph[k] == PROVED &&
#ifdef ANY_ACK
	   1 ->
#else
	   cmE[k] > cE ->
#endif
		MUST(P6, cmE[k] > cE && !inC[k]);
		inC[k] = 1; cE = cmE[k]; cKey = k; ph[k] = ENDED;
		if :: cmV[k] > cV -> cV = cmV[k] :: else fi;
#ifdef RATCHET
		cRoot = k;
#endif
#ifndef ANY_ACK
		give_up()
#endif
	:: else -> if :: ph[k] == PROVED -> ph[k] = ENDED :: else fi
	fi
}

/* --- everything at once --- */

#define ON_THE_WAY(k) (fReq[k] || fChal[k] || fProof[k] || fAck[k])
#define QUIET (!(ON_THE_WAY(0) || ON_THE_WAY(1) || ON_THE_WAY(2) || ON_THE_WAY(3) || ON_THE_WAY(4) || \
	ON_THE_WAY(5) || ON_THE_WAY(6)) && inst == NONE && late == NONE && hA == NONE &&		\
	(n == 0 || ph[n - 1] != CHALLENGED))

#define NET(k)										\
	:: atomic { fReq[k] -> fReq[k] = 0; gw_request(k) }				\
	:: atomic { fChal[k] -> fChal[k] = 0; cl_challenge(k, chV[k], chI[k], stale[k], 0); x = 0 }	\
	:: atomic { fProof[k] && inst == NONE -> fProof[k] = 0; gw_proof(k, path[k]) }			\
	:: atomic { fAck[k] -> fAck[k] = 0; cl_ack(k); x = 0 }				\
	:: atomic { ph[k] == CHALLENGED && !lost -> prove(k, chV[k], chE[k]) }		\
	:: atomic { loss > 0 && fReq[k] -> loss--; fReq[k] = 0 }			\
	:: atomic { loss > 0 && fChal[k] -> loss--; fChal[k] = 0 }			\
	:: atomic { loss > 0 && fProof[k] -> loss--; fProof[k] = 0 }			\
	:: atomic { loss > 0 && fAck[k] -> loss--; fAck[k] = 0 }			\
	:: atomic { replay > 0 && ph[k] != IDLE && !pV[k] && !fReq[k] -> replay--; gw_request(k) }	\
	:: atomic { replay > 0 && pV[k] && inst == NONE -> replay--; gw_proof(k, path[k]) }		\
	:: atomic { replay > 0 && pV[k] && inst == NONE -> replay--; gw_proof(k, (1 - path[k])) }	\
	:: atomic { replay > 0 && hA == NONE && fChal[k] && !stale[k] ->		\
		replay--; hA = k; hV = chV[k]; hI = chI[k] }				\
	:: atomic { hA == k -> hA = NONE; cl_challenge(k, hV, hI, 0, 1); hV = 0; hI = 0; x = 0 }

#define TIMER(guard) atomic { timer > 0 && guard -> timer--; begin()
/* The client notices by heartbeats that its epoch is not the gateway's. */
#define NOTICED (QUIET && !SYNC && st != TERMINATED && !lost)

active proctype Everything() {
	do
	NET(0) NET(1) NET(2) NET(3) NET(4) NET(5) NET(6)
	/* New intents, for the other path or for new keys: older ones given up, or kept. */
	:: atomic { jump > 0 && n < N && !lost -> jump--; give_up(); ask((1 - at0)) }
	:: atomic { jump > 0 && n < N && !lost -> jump--; ask((1 - at0)) }
	:: atomic { jump > 0 && n < N && !lost && SYNC -> jump--; ask(at0) }
	:: atomic { NOTICED && n > 0 && ph[n - 1] == PROVED && again < 2 -> again++; fProof[n - 1] = 1 }
	:: atomic { NOTICED && n < N && (n == 0 || ph[n - 1] != PROVED || again == 2) -> give_up(); ask(at0) }
	/* Timers of the gateway. */
	:: TIMER(st == ATTACHED); APPLY(QUALITY_LOW, LOSS_THRESHOLD); check() }
	:: TIMER(BOUND(st)); APPLY(TRANSPORT_DEAD, PROBE_TIMEOUT);
		if :: went -> unbind() :: else fi; check() }
	:: TIMER(st == RECOVERING && !due); due = 1; check() }
	:: atomic { due && st == RECOVERING -> begin(); expire(); check() }
#ifdef FLAP
	:: TIMER(st == VOLATILE); APPLY(QUALITY_OK, HEALTH_RECOVERED); check() }
#endif
	/* The daemon dies and comes back. */
	:: atomic { crash > 0 && st != TERMINATED -> begin(); restart(); moved = 1; check() }
#ifdef STORE_FIRST
	:: atomic { inst != NONE -> begin(); install(inst, instV, instE); fAck[inst] = 1;
		inst = NONE; instV = 0; instE = 0; moved = 1; check() }
	:: atomic { late != NONE -> begin(); install(late, lateV, lateE); late = NONE;
		lateV = 0; lateE = 0; moved = 1; check() }
	:: atomic { late != NONE -> late = NONE; lateV = 0; lateE = 0 }
#endif
	/* The store is restored from an old copy. */
	:: atomic { restore > 0 && st != TERMINATED -> restore--; restored = 1; gen++; last = NONE;
		V = 1; E = 0; st = RECOVERING; vOwn = V; inst = NONE; late = NONE; unbind();
#ifndef SAME_INCARNATION
		inc++
#endif
		}
	:: else -> break
	od;
	/* The adversary has nothing left: one epoch on both sides, or the end. */
	MUST(P7, st == TERMINATED || SYNC || (lost && restored))
}
