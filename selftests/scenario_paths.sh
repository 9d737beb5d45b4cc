#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Bad paths: death, loss, jitter, delay. The session stays the same and moves no more often than it
# must.
. "$(dirname "$(realpath "$0")")/lib-scenario.sh"

# The interface goes for good. One move, and then nothing more.
single_death()
{
	scenario_begin
	ip -n "${NS}c" link del a0
	wait_attached c 2
	session_kept 2 2 1
	equal "the transport" "$VIA" b0
	audit_has c "$(transition ATTACHED RECOVERING '(LINK_DOWN|SOCKET_ERROR)')" || fail "no death at the client"
	audit_has g "$(transition ATTACHED RECOVERING CLIENT_JUMP)" || fail "no jump at the gateway"
	sleep $((2 * T))
	session_kept 2 2 1
	scenario_measure
	equal "the switches" "$SWITCHES" 1
	at_most "the recovery (ms)" "$RECOVERY_MAX_MS" $((1000 * SLOW))
	at_most "the gap (ms)" "$GAP_MS" $((3000 * SLOW))
}

# stayed: no death, no move; the client may have found its heartbeats late.
stayed()
{
	session_same
	equal "the session" "$SID $VIA v$G_VERSION" "$KEPT_SID a0 v$KEPT_G"
	equal "deaths of the transport" "$(audit_count c '"event":"TRANSPORT_DEAD"')$(audit_count g '"event":"TRANSPORT_DEAD"')" 00
}

# Without a limit of quality it is no reason to do anything.
loss_of_30_percent_for_3_s()
{
	scenario_begin
	impair a loss 30%
	sleep 3
	mend a
	stayed
	reach
	scenario_measure
	equal "the switches" "$SWITCHES" 0
	[ "$(packets_lost up)" -gt 10 ] || fail "nothing was lost: there was no loss"
}

# With one, the better path is taken, once, and kept.
loss_of_30_percent_with_a_better_path()
{
	POLICY="probe: {active_interval_ms: 50}, standby_interval_ms: 1000"
	POLICY+=", quality: {loss_enter_percent: 15, loss_leave_percent: 5}"
	scenario_begin
	impair a loss 30%
	wait_audit c "$(transition ATTACHED VOLATILE LOSS_THRESHOLD)" 10
	wait_audit c "$(transition VOLATILE RECOVERING CLIENT_JUMP)" 10
	wait_attached c 2
	mend a
	sleep $((2 * T))
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" b0
	scenario_measure
	equal "the switches" "$SWITCHES" 1
}

# The preferred path answers questions, but goes on losing packets: it must be stable again before
# it is used again, and twice as long when that was a mistake.
lasting_loss_of_the_preferred_path()
{
	local stable=$((2000 * T)) away n

	POLICY="probe: {active_interval_ms: 50}, standby_interval_ms: 1000, failback_stable_ms: $stable"
	POLICY+=", quality: {loss_enter_percent: 15, loss_leave_percent: 5}"
	scenario_begin
	impair a loss 20%
	wait_audit c '"reason":"REATTACH_OK"' $((60 * T)) 3
	for n in 1 2; do
		away=$(($(boot_ms c '"reason":"REATTACH_OK"' $((2 * n))) - $(boot_ms c '"reason":"REATTACH_OK"' $((2 * n - 1)))))
		note "away from the lossy path for $away ms"
		# It counts from when the client decides to leave, not from when it has left.
		[ $away -ge $((n * stable - stable / 4)) ] || fail "it went back after $away ms, the ${n}. time"
	done
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "deaths of the transport" "$(audit_count g '"event":"TRANSPORT_DEAD"')" 0
	scenario_measure
}

# Silence that is shorter than what makes a death.
burst_loss()
{
	local round

	scenario_begin
	for round in 1 2 3 4 5 6; do
		impair a loss 100%
		sleep 0.3
		mend a
		sleep 0.4
	done
	stayed
	reach
	scenario_measure
	equal "the switches" "$SWITCHES" 0
	[ "$GAP_MS" -ge 250 ] || fail "the longest gap is $GAP_MS ms: there was no burst"
}

# Packets overtake each other by up to 50 ms: none is taken for lost or replayed.
jitter()
{
	scenario_begin
	impair a delay 30ms 25ms
	sleep 3
	stayed
	jump b
	sleep 1
	session_same
	equal "the session" "$SID $VIA v$G_VERSION" "$KEPT_SID b0 v$((KEPT_G + 2))"
	mend a
	reach
	scenario_measure
	equal "the switches" "$SWITCHES" 1
	# Those of the old path that arrive after the jump are dropped, none before.
	at_most "packets lost upward" "$(packets_lost up)" $((10 * SLOW))
	at_most "packets lost downward" "$(packets_lost down)" $((10 * SLOW))
}

LATENCY="probe: {active_interval_ms: 50, dead_base_ms: $((3000 * T))}"
LATENCY+=", quality: {rtt_enter_ms: $((150 * T)), rtt_leave_ms: $((80 * T))}"

# Somebody delays the path as he likes: the session leaves it once and is not lured back and forth.
latency_manipulation()
{
	local round

	POLICY="$LATENCY, standby_interval_ms: 1000, failback_stable_ms: 20000"
	scenario_begin
	impair a delay $((150 * T))ms
	wait_audit c "$(transition ATTACHED VOLATILE LATENCY_THRESHOLD)" 10
	wait_audit c "$(transition VOLATILE RECOVERING CLIENT_JUMP)" 15
	wait_attached c 2
	for round in 1 2 3; do
		mend a
		sleep 0.7
		impair a delay $((150 * T))ms
		sleep 0.7
	done
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" b0
	scenario_measure
	equal "the switches" "$SWITCHES" 1
}

# Nowhere else to go: it says how it is, and when it is over.
latency_without_another_path()
{
	POLICY=$LATENCY
	TRANSPORTS="[{name: a, interface: a0, protocol: udp4}]"
	scenario_begin
	impair a delay $((150 * T))ms
	wait_audit c "$(transition ATTACHED VOLATILE LATENCY_THRESHOLD)" 15
	mend a
	wait_audit c "$(transition VOLATILE ATTACHED HEALTH_RECOVERED)" 15
	session_kept 0 2 0
	scenario_measure
	equal "the switches" "$SWITCHES" 0
	equal "packets lost upward" "$(packets_lost up)" 0
}

test_main single_death loss_of_30_percent_for_3_s loss_of_30_percent_with_a_better_path lasting_loss_of_the_preferred_path burst_loss \
	jitter latency_manipulation latency_without_another_path
