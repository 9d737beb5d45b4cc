# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The models, what holds in them, and the mistakes that must be found. Sourced by spin.sh.

model machine machine.pml
property machine TABLE "the function is the documented table, total, refusals say why and nothing else"
property machine PRIO "of several deadlines the documented one goes first"
property machine I1 "a bound session has exactly one active transport, others none"
property machine I2 "the identity of a session never changes"
property machine I3 "the version changes with transitions and by nothing else"
property machine I4 "at no instant inside a commit are two transports active"
property machine I5 "every transition has one reason, which belongs to its event"
property machine S1 "only the bound transport delivers"
property machine S2 "a session begins anew only under another identity"
property machine S5 "the transport changes only by transitions"
property machine P1 "each transition raises the version by one"
property machine P4 "TERMINATED is absorbing"
property machine P9 "switches within the limit; nothing extends the transport-loss TTL"
property machine P10 "nothing is committed after a deadline"
mutant machine TABLE fsm.c 's/(QUALITY_OK, S\(VOLATILE\)), JVPN_STATE_ATTACHED/\1, JVPN_STATE_RECOVERING/' \
	"recovered health leads elsewhere"
mutant machine TABLE fsm.c 's/^(\t\tif \(!row_accepts)/\t\t*next = row->to;\n\1/' \
	"a refusal names a next state"
mutant machine PRIO fsm.c '/^\tcase JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED:/d' \
	"the transport-loss TTL has no priority"
mutant machine I1 -DKEEP_OLD "the old transport stays open"
mutant machine I1 fsm.c 's/ \|\| state == JVPN_STATE_VOLATILE//' "VOLATILE counts as unbound"
mutant machine I2 -DNEW_ID "a reattach makes a new identity"
mutant machine I3 -DRESET_VERSION "a reattach starts the version anew"
mutant machine I4 -DLATE_CLOSE "the old transport is closed after the new one is open"
mutant machine I5 fsm.c 's/return reason < 32 .*;/return true;/' "any reason will do"
mutant machine S1 -DANY_SOURCE "packets of other transports are delivered"
mutant machine S2 -DRESURRECT "a terminated session comes back"
mutant machine S5 -DROAM "the binding follows the last authentic packet"
mutant machine P1 -DSKIP_VERSION "a transition keeps the version"
mutant machine P4 fsm.c '/if \(state == JVPN_STATE_TERMINATED\)/,+1d; s/RETRY, S\(DEGRADED\)/RETRY, S(DEGRADED) | S(TERMINATED)/' \
	"a terminated session may retry"
mutant machine P9 -DNO_RATE "the switch limit is not asked"
mutant machine P9 limits.c 's/switch_at\(s, per_minute\)/switch_at(s, per_minute + 1)/' \
	"the window of the limit is one switch too long"
mutant machine P9 -DEXTEND_TTL "a REQUEST starts the transport-loss TTL anew"
mutant machine P10 -DNO_DEADLINE "a commit does not look at the deadlines"

model liveness machine.pml -DLIVE
property liveness L1 "with a candidate in time the session is bound again"
property liveness L2 "without a candidate, and within the TTL, it waits unbound"
property liveness L3 "unbound it does not stay: bound in time, or terminated"
mutant liveness L1 fsm.c 's/RETRY, S\(DEGRADED\), JVPN_STATE_RECOVERING/RETRY, 0, JVPN_STATE_RECOVERING/' \
	"DEGRADED has no way back"
mutant liveness L2 fsm.c 's/(BOUND_EXCEEDED, S\(RECOVERING\)), JVPN_STATE_DEGRADED/\1, JVPN_STATE_TERMINATED/' \
	"the recovery window ends the session"
mutant liveness L3 fsm.c 's/ \| S\(DEGRADED\)\)/)/' "a DEGRADED session cannot be terminated"
mutant liveness L3 -DEXTEND_TTL "a REQUEST starts the transport-loss TTL anew"

model reattach reattach.pml
property reattach I3 "the version never falls"
property reattach S3 "no replay, from whatever address, mutates the session"
property reattach P1 "each transition raises the version by one"
property reattach P2 "a message mutates only if it names the current version and epoch"
property reattach P3 "a refused, duplicated or replayed message changes nothing"
property reattach P6 "an epoch is installed once on each side; the client's epochs rise"
property reattach P7 "with a finite adversary both sides finally have one epoch, or the end"
mutant reattach I3 -DVERSION_FALLS "a new daemon takes an old version"
mutant reattach S3 -DNO_COOKIE "the cookie does not bind the address"
mutant reattach P1 -DSKIP_VERSION "a transition keeps the version"
mutant reattach P2 -DNO_VERSION "the commit does not compare the version"
mutant reattach P2 -DNO_EPOCH "the commit does not compare the epoch"
mutant reattach P3 -DREFUSAL_DROPS "a refused PROOF closes the binding"
mutant reattach P6 -DREINSTALL "the copy of a committed PROOF installs again"
mutant reattach P6 -DANY_ACK "the client installs whatever ACK comes last"
mutant reattach P7 -DRATCHET "the shared secret is chained from epoch to epoch"

model reattach-timers reattach.pml -DBTIMER=3 -DBCRASH=0
property reattach-timers P8 "timers alone make a PROOF stale at most twice"
property reattach-timers P10 "nothing is committed after a deadline"
mutant reattach-timers P10 -DNO_DEADLINE "a commit does not look at the deadlines"
mutant reattach-timers P8 -DFLAP "recovered health raises the version without a bound"

model reattach-parallel reattach.pml -DBJUMP=2 -DBLOSS=0 -DBCRASH=0
property reattach-parallel P7 "attempts side by side end in one epoch, and no late CHALLENGE ends the session"
mutant reattach-parallel P7 -DFRESHNESS_FIRST "a CHALLENGE of no use is judged by its version"

model reattach-cluster reattach.pml -DSTORE_FIRST
property reattach-cluster P7 "with a finite adversary both sides finally have one epoch, or the end"
property reattach-cluster P11 "the kernel's tag only rises: a late install loses"
property reattach-cluster P12 "after a crash between commit and install the session recovers"
mutant reattach-cluster P7 -DRATCHET "the shared secret is chained from epoch to epoch"
mutant reattach-cluster P11 -DNO_TAG "the kernel installs whatever comes"
mutant reattach-cluster P12 -DADOPT_BLINDLY "a new daemon believes the record"

model reattach-restored reattach.pml -DBRESTORE=1 -DBTIMER=2 -DBLOSS=0 -DBREPLAY=0 -DBCRASH=0
property reattach-restored S2 "a session restored from an old copy takes no client"
mutant reattach-restored S2 -DSAME_INCARNATION "a restored store keeps its incarnation"

model cluster cluster.pml
property cluster P5 "at most one node uses a binding of the session"
property cluster S4 "a node that does not provably own the session installs nothing"
mutant cluster P5 -DDEADLINE_OF_ANSWER "the deadline counts from the arrival of the answer"
mutant cluster P5 -DNO_FLUSH "a new lease leaves old bindings in the kernel"
mutant cluster P5 -DTAKE_ALIVE "a takeover does not look at the owner's lease"
mutant cluster P5 -DNO_DEADLINE "the kernel has no deadline"
mutant cluster S4 -DNO_INCARNATION "an answer to an older lease is used"
mutant cluster S4 -DASSUME_WON "a transaction without an answer counts as won"
