#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Paths that spoil what they carry, and none at all. The session stays the same as long as its bounds
# allow, and ends with a reason where they do not.
. "$(dirname "$(realpath "$0")")/lib-scenario.sh"

# One bit of every packet is wrong: nothing of it is accepted, the session goes elsewhere.
corruption_of_a_path()
{
	POLICY=$QUICK
	scenario_begin
	impair a corrupt 100%
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" b0
	audit_has c '"reason":"PROBE_TIMEOUT"' || fail "no PROBE_TIMEOUT at the client"
	mend a
	reach
	scenario_measure
	equal "the switches" "$SWITCHES" 1
	at_most "the recovery (ms)" "$RECOVERY_MAX_MS" $((2000 * SLOW))
}

# control_only UPLINK TYPE VERDICT...: applied to messages of this type, both ways.
control_only()
{
	on r nft -f - <<- END
		table ip control_only {
			chain forward {
				type filter hook forward priority 0
				iifname "r$1" udp dport $PORT @th,64,8 $2 ${*:3}
				oifname "r$1" udp sport $PORT @th,64,8 $2 ${*:3}
			}
		}
	END
}

control_free()
{
	on r nft delete table ip control_only
}

# jump_in_vain: the order fails, and nothing has changed.
jump_in_vain()
{
	fails 5 . ctl c session jump "$SID" b
	session_kept 0 0 0
	equal "the transport" "$VIA" a0
}

# control_spoilt VERDICT...: data goes through, messages of a move do not. Who wants to move stays
# where he is, unharmed; where only the last message is missing, he does without.
control_spoilt()
{
	local type

	scenario_begin
	for type in 5 6 7; do
		control_only b $type "$@"
		jump_in_vain
		control_free
	done
	control_only b 8 "$@"
	jump b
	session_kept 2 2 1
	control_free
	scenario_measure
	equal "the switches" "$SWITCHES" 1
	equal "packets lost upward" "$(packets_lost up)" 0
}

control_dropped()
{
	control_spoilt drop
}

# The 33rd octet of each is another one.
control_corrupted()
{
	control_spoilt @th,320,32 set 0xa5a5a5a5
}

BLACKOUT="recovery_window_ms: $((500 * T)), switch_cooldown_ms: $((500 * T)), $QUICK"

black_out()
{
	hole b
	hole a
}

light()
{
	hole_end a
	hole_end b
}

# Every path is silent. Both ends wait in DEGRADED, try again by themselves and find each other.
blackout_shorter_than_the_TTL()
{
	POLICY="$BLACKOUT, transport_loss_ttl_ms: $((30000 * T))"
	scenario_begin
	black_out
	wait_audit c "$(transition '(ATTACHED|VOLATILE)' RECOVERING PROBE_TIMEOUT)" 10
	wait_audit c "$(transition RECOVERING DEGRADED RECOVERY_WINDOW_EXCEEDED)" 10
	wait_audit g "$(transition ATTACHED RECOVERING PROBE_TIMEOUT)" 10
	wait_audit g "$(transition RECOVERING DEGRADED RECOVERY_WINDOW_EXCEEDED)" 10
	wait_audit c "$(transition DEGRADED RECOVERING COOLDOWN_OVER)" 10
	light
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "handshakes" "$(audit_count g '"event":"HANDSHAKE_DONE"')" 1
	reach
	scenario_measure
	equal "the switches" "$SWITCHES" 1
	audit_complete g
}

# The bound is kept by both kernels; what comes after it is another session, and says so.
blackout_longer_than_the_TTL()
{
	POLICY="$BLACKOUT, transport_loss_ttl_ms: $((2000 * T))"
	scenario_begin
	black_out
	ended c TRANSPORT_LOSS_TTL_EXPIRED
	ended g TRANSPORT_LOSS_TTL_EXPIRED
	light
	new_session
	reach
	equal "handshakes" "$(audit_count g '"event":"HANDSHAKE_DONE"')" 2
	scenario_measure
	equal "the switches" "$SWITCHES" 0
	at_most "longest time without a binding (ms)" "$(loss_ms)" $((2000 * T + 500 * SLOW))
}

# From the loss of the binding to the session's end, by the client's log.
loss_ms()
{
	echo $(($(boot_ms c '"to":"TERMINATED"') - $(boot_ms c '"event":"TRANSPORT_DEAD"')))
}

test_main corruption_of_a_path control_dropped control_corrupted blackout_shorter_than_the_TTL \
	blackout_longer_than_the_TTL
