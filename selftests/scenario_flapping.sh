#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two uplinks take turns every 300 ms. The session follows as often as its policy allows, then says
# that it is too much and waits until the minute of its first moves is over.
. "$(dirname "$(realpath "$0")")/lib-scenario.sh"

MOST=6

# flap ROUNDS: the one comes, the other goes. Emulated, a move may take longer than a turn: then the
# turn waits for it.
flap()
{
	local round moves

	for ((round = 0; round < $1; round++)); do
		moves=$(moves)
		if [ $((FLAPS++ % 2)) = 0 ]; then
			uplink_up b
			uplink_down a
		else
			uplink_up a
			uplink_down b
		fi
		[ $SLOW = 1 ] || until_true 1 turn_over "$moves"
		sleep 0.3
	done
}

moves()
{
	audit_count c '"reason":"REATTACH_OK"'
}

degraded()
{
	audit_has c "$(transition RECOVERING DEGRADED SWITCH_RATE_EXCEEDED)"
}

# turn_over MOVES: there is one more, or there will be none.
turn_over()
{
	degraded || [ "$(moves)" -gt "$1" ]
}

flapping_every_300_ms()
{
	POLICY="max_switches_per_minute: $MOST, transport_loss_ttl_ms: 300000, recovery_window_ms: 60000"
	POLICY+=", probe: {rx_timeout_ms: 0}"
	FLAPS=0
	scenario_begin
	until degraded; do
		[ $FLAPS -lt 40 ] || fail "no DEGRADED after $FLAPS turns"
		flap 1
	done
	note "DEGRADED after $FLAPS turns"
	flap 5
	session_read c
	equal "the client's session" "$SID $STATE" "$KEPT_SID DEGRADED"
	equal "moves" "$(moves)" $MOST
	contains "session explain" "$(ctl c session explain "$SID")" 'SWITCH_RATE_EXCEEDED'
	uplink_up a
	uplink_up b
	wait_audit c '"reason":"REATTACH_OK"' 70 $MOST
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	reach
	audit_complete g
	scenario_measure
	equal "DEGRADED" "$COOLDOWNS" 1
	at_most "moves in the busiest minute" "$(measured switches_busiest_minute)" "$MOST"
}

test_main flapping_every_300_ms
