#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Somebody between the ends, or a gateway that is not the session's: what they can copy, hold back,
# change at the end or carry elsewhere ends no session, and takes nothing from the genuine one.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"
. "$LIB_DIR/lib-abuse.sh"
. "$LIB_DIR/lib-relay.sh"

ELSEWHERE="from another transport than it must come from"

# Nothing moves by itself.
ENDPOINTS=$RELAY
NET_HOOK=relay_start
POLICY="standby_interval_ms: 0"

reach_now()
{
	wait_for 2 "traffic through the tunnel" ping_ok c $G_IN4
}

# A PROOF comes when the client has long given it up, within the life of its cookie: the gateway
# moves, and the client with it, at once.
late_proof()
{
	pair_up
	session_keep
	fault_arm late PROOF 3500
	if ctl c session jump "$SID" > /dev/null 2>&1; then
		fail "the jump succeeded though its PROOF was held back"
	fi
	wait_for 10 "the PROOF is released" relay_said "did release"
	wait_for $((SLOW > 1 ? 2 : 1)) "the client goes where its PROOF went" late_committed
	session_kept 2 2 1
	reach_now
}

late_committed()
{
	session_agrees && [ "$EPOCH" = $((KEPT_EPOCH + 1)) ]
}

# Copies of each PROOF with another payload behind the gate come before it: they cost no public-key
# work of their own, and the genuine one moves the session.
forged_proofs()
{
	local i refused=0

	PROOFS=65
	pair_fresh
	session_keep
	fault_arm forge PROOF 60
	for i in 1 2 3 4 5 6; do
		jump
		session_kept $((2 * i)) $((2 * i)) "$i"
		reach_now
	done
	refused=$(verdicts PROOF "does not authenticate")
	[ "$refused" -ge 20 ] || fail "only $refused copies were judged: nothing was tested"
	note "$refused copies were judged"
}

# An authentic CLOSE that comes from elsewhere ends nothing, at either end.
carried_close()
{
	local from

	for from in c g; do
		pair_fresh
		session_keep
		fault_arm elsewhere CTRL
		ctl $from session terminate "$SID" > /dev/null || fail "terminate"
		fault_happened elsewhere
		[ $from = c ] && from=g || from=c
		wait_for 5 "it is refused" close_refused $from
		session_read $from
		equal "the session of $from" "$LIVE $SID $STATE" "1 $KEPT_SID ATTACHED"
	done
}

# close_refused HOST
close_refused()
{
	ctl "$1" --json status | grep -q "$ELSEWHERE"
}

# The client's second uplink leads to a machine that has the gateway's key and not its sessions. It
# says so, truthfully: that ends no session which lives; and one that nothing else is left of.
another_gateway()
{
	ENDPOINTS="\"$G_V4:$PORT\"" NET_HOOK=other_gateway_route
	POLICY="standby_interval_ms: 1000"
	pair_fresh
	other_gateway_start
	session_keep
	wait_for 10 "the other gateway is asked" other_gateway_answered 2
	session_kept 0 0 0
	fails 5 "does not have it" ctl c session jump "$SID" b
	session_kept 0 0 0
	reach_now
	uplink_down a
	wait_audit c "LEASE_LOST" 20
	wait_attached c 2
	daemon_end x
}

other_gateway_route()
{
	ip -n "${NS}x" addr add $G_V4/32 dev lo
	ip -n "${NS}r" route add $G_V4/32 via "${UPLINK_V4[x]}.1" table 7
	ip -n "${NS}r" rule add iif rb to $G_V4/32 table 7
}

other_gateway_start()
{
	sed "s#$WORK/g/#$WORK/x/#g" "$WORK/g/config.yaml" > "$WORK/x/config.yaml"
	cp "$WORK/g/key" "$WORK/x/key"
	daemon_start x
}

# other_gateway_answered COUNT: it has told the client so often that it does not know the session.
other_gateway_answered()
{
	[ "$(ctl c --json status | gone_count)" -ge "$1" ]
}

gone_count()
{
	"$PYTHON" -S -E -c '
import json, sys
print(sum(json.load(sys.stdin).get("messages", {}).get("GONE", {}).values()))'
}

test_main late_proof forged_proofs carried_close another_gateway
