#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The rows of the state machine (Documentation/state-machine.md), each reached on real traffic by what
# happens to the network, with its state, exactly one version more, and its reason in the audit log of
# the end concerned. What other tests drive in that way already is not driven again:
#
#   1  HANDSHAKE_OK                      every test with daemons, daemon_basic
#   2  HANDSHAKE_TIMEOUT                 here
#      HANDSHAKE_REJECTED                daemon_limits (wrong PSK)
#   3  LOSS_THRESHOLD                    here; with somewhere to go, scenario_paths
#      LATENCY_THRESHOLD, HEARTBEAT_LATE here
#   4  HEALTH_RECOVERED                  here, from all three
#   5  PROBE_TIMEOUT                     detection (client), daemon_recovery (gateway)
#      LINK_DOWN                         daemon_jump, daemon_recovery
#      ROUTE_LOST                        here by the route, scenario_candidates by the address
#      SOCKET_ERROR, ICMP_UNREACHABLE    no end raises them; that ICMP is no death: here
#      HOST_SUSPENDED                    daemon_away
#      KEY_EXPIRED                       daemon_away; to the millisecond, deadlines
#   6  CLIENT_JUMP, NAT_REBIND, OPERATOR_JUMP    daemon_jump
#      OWNER_MOVED                       needs a second node
#   7  REATTACH_OK                       daemon_jump
#   8  RECOVERY_WINDOW_EXCEEDED          daemon_recovery (both ends)
#      SWITCH_RATE_EXCEEDED              scenario_flapping by the client's policy, here by the gateway's
#   9  COOLDOWN_OVER                     scenario_blackouts
#      CANDIDATE_APPEARED                daemon_recovery
#  10  SESSION_TTL_EXPIRED               here
#      TRANSPORT_LOSS_TTL_EXPIRED        daemon_recovery
#      POLICY_FAILURE                    daemon_config, daemon_limits, scenario_hosts
#      OPERATOR                          daemon_cli
#      LEASE_LOST                        scenario_hosts (a gateway that lost its memory)
#      OWNERSHIP_AMBIGUOUS               binding_cas: two sessions never claim the same address by daemons
#
# Priorities between triggers that are true at once: here for the session's end against everything
# below it; by the kernel's own clock, to the millisecond, in deadlines.
. "$(dirname "$(realpath "$0")")/lib-scenario.sh"

ONE_UPLINK="[{name: a, interface: a0, protocol: udp4}]"
# A path that is bad is not dead: silence must last.
PATIENT="probe: {active_interval_ms: 50, dead_base_ms: $((4000 * T))}"

# row HOST FROM TO REASON VERSION: it is in the log, with that version and no other.
row()
{
	wait_audit "$1" "$(transition "$2" "$3" "$4").*\"state_version\":$5," 15
}

# state_is HOST STATE VERSION: now, by the daemon.
state_is()
{
	session_read "$1"
	[ "$STATE $VERSION" = "$2 $3" ]
}

# --- rows 3 and 4 --------------------------------------------------------------------------------------

quality_low_and_back()
{
	row c ATTACHED VOLATILE "$1" 2
	wait_for 5 "VOLATILE, version 2" state_is c VOLATILE 2
	mend a
	row c VOLATILE ATTACHED HEALTH_RECOVERED 3
	session_kept 0 2 0
	reach
}

loss_and_back()
{
	POLICY="$PATIENT, quality: {loss_enter_percent: 20, loss_leave_percent: 8}"
	TRANSPORTS=$ONE_UPLINK
	scenario_begin
	impair a loss 35%
	quality_low_and_back LOSS_THRESHOLD
}

HIGH=$((400 * T)) BETWEEN=$((150 * T))

# Between the two thresholds nothing changes, whichever side it comes from.
latency_and_back_with_hysteresis()
{
	POLICY="$PATIENT, quality: {rtt_enter_ms: $((300 * T)), rtt_leave_ms: $((90 * T))}"
	TRANSPORTS=$ONE_UPLINK
	scenario_begin
	impair a delay $((BETWEEN / 2))ms
	wait_for 10 "the round trip is between" rtt_is_between
	sleep $T
	session_kept 0 0 0
	impair a delay $((HIGH / 2))ms
	row c ATTACHED VOLATILE LATENCY_THRESHOLD 2
	impair a delay $((BETWEEN / 2))ms
	wait_for 10 "the round trip is between" rtt_is_between
	sleep $T
	state_is c VOLATILE 2 || fail "it is $STATE, version $VERSION, between the thresholds"
	quality_low_and_back LATENCY_THRESHOLD
}

rtt_is_between()
{
	local rtt

	rtt=$(on c nlprobe get "$SID" rtt_us)
	[ "$rtt" -gt $((110 * T * 1000)) ] && [ "$rtt" -lt $((260 * T * 1000)) ]
}

# Silence of more than half of the time to death, and less than all of it.
late_heartbeats_and_back()
{
	POLICY="$PATIENT, quality: {loss_enter_percent: 0}"
	TRANSPORTS=$ONE_UPLINK
	scenario_begin
	hole a
	row c ATTACHED VOLATILE HEARTBEAT_LATE 2
	hole_end a
	row c VOLATILE ATTACHED HEALTH_RECOVERED 3
	session_kept 0 2 0
	reach
}

# --- row 5 -----------------------------------------------------------------------------------------------

# The address and the link stay; the kernel finds no way for the next packet, before the daemon
# has heard anything.
route_goes()
{
	POLICY="probe: {dead_base_ms: $((10000 * SLOW))}"
	scenario_begin
	ip -n "${NS}c" route del default dev a0
	row c ATTACHED RECOVERING ROUTE_LOST 2
	row c RECOVERING ATTACHED REATTACH_OK 3
	row g ATTACHED RECOVERING CLIENT_JUMP 2
	session_kept 2 2 1
	equal "the transport" "$VIA" b0
	scenario_measure
	at_most "the gap (ms)" "$GAP_MS" $((500 * SLOW))
}

# Anybody can forge an ICMP error: what ends a path is that nothing is heard.
ICMP_errors_are_no_death()
{
	POLICY="probe: {active_interval_ms: 50, dead_base_ms: $((3000 * T))}"
	scenario_begin
	on r nft -f - <<- END
		table ip refusing {
			chain forward {
				type filter hook forward priority 0
				iifname "ra" counter reject with icmp type port-unreachable
			}
		}
	END
	sleep $T
	state_is c ATTACHED 1 || fail "it is $STATE, version $VERSION, after refusals"
	contains "the refusals" "$(on r nft list table ip refusing)" 'packets [1-9][0-9]'
	wait_audit c "$(transition '(ATTACHED|VOLATILE)' RECOVERING PROBE_TIMEOUT)" 10
	wait_attached c 2
	session_same
	equal "the transport" "$VIA" b0
}

# --- row 8 -----------------------------------------------------------------------------------------------

# The client would, the gateway's policy refuses: DEGRADED at the client, nothing at the gateway.
switch_rate_of_the_gateway()
{
	POLICY_C="transport_loss_ttl_ms: 300000, recovery_window_ms: 60000"
	POLICY_G="transport_loss_ttl_ms: 300000, max_switches_per_minute: 1, probe: {rx_timeout_ms: 0}"
	scenario_begin
	uplink_down a
	row c RECOVERING ATTACHED REATTACH_OK 3
	session_kept 2 2 1
	uplink_up a
	wait_for 10 "uplink a can be used" uplink_ready a
	uplink_down b
	row c ATTACHED RECOVERING LINK_DOWN 4
	row c RECOVERING DEGRADED SWITCH_RATE_EXCEEDED 5
	wait_audit g "$(refusal PROOF SWITCH_RATE_EXCEEDED)" 10
	state_is g ATTACHED 3 || fail "the gateway's session is $STATE, version $VERSION"
	equal "the gateway's session" "$SID" "$KEPT_SID"
}

uplink_ready()
{
	ctl c transport list | grep -qE "^$1 +ready"
}

# --- rows 2 and 10 -----------------------------------------------------------------------------------------

# RESP arrives, no packet of the client's does: for the gateway it was never born.
birth_without_a_packet()
{
	POLICY="handshake_timeout_ms: $((1000 * T))"
	net_make
	on r nft -f - <<- END
		table ip no_data {
			chain forward {
				type filter hook forward priority 0
				udp dport $PORT @th,64,8 4 drop
			}
		}
	END
	config_write
	daemon_start g
	daemon_start c
	row g BIRTH TERMINATED HANDSHAKE_TIMEOUT 1
	row c BIRTH ATTACHED HANDSHAKE_OK 1
	on r nft delete table ip no_data
	wait_attached g 1
	wait_for 30 "both ends agree on a session" session_agrees
	reach
}

# The time of the session is over in the midst of traffic: both ends, then a new one.
session_TTL_under_traffic()
{
	POLICY="session_ttl_ms: $((4000 * T)), transport_loss_ttl_ms: $((4000 * T)), recovery_window_ms: 500, handshake_timeout_ms: $((2000 * T))"
	scenario_begin
	row g ATTACHED TERMINATED SESSION_TTL_EXPIRED 2
	row c ATTACHED TERMINATED SESSION_TTL_EXPIRED 2
	ended g SESSION_TTL_EXPIRED
	ended c SESSION_TTL_EXPIRED
	new_session
}

# Neither death nor DEGRADED delays it, nor the transport-loss time, which is as long and began later.
session_TTL_goes_first()
{
	local ttl=$((5000 * T))

	POLICY="session_ttl_ms: $ttl, transport_loss_ttl_ms: $ttl, recovery_window_ms: $((300 * T))"
	POLICY+=", switch_cooldown_ms: 100, probe: {dead_base_ms: $((300 * T)), idle_interval_ms: 300, rx_timeout_ms: $((1000 * T))}"
	scenario_begin
	hole a
	hole b
	wait_audit c "$(transition '(ATTACHED|VOLATILE)' RECOVERING PROBE_TIMEOUT)" 10
	wait_audit g "$(transition ATTACHED RECOVERING PROBE_TIMEOUT)" 10
	ended g SESSION_TTL_EXPIRED
	ended c SESSION_TTL_EXPIRED
	equal "ends by the loss" "$(audit_count c TRANSPORT_LOSS_TTL)$(audit_count g TRANSPORT_LOSS_TTL)" 00
	hole_end a
	hole_end b
	new_session
}

test_main loss_and_back latency_and_back_with_hysteresis late_heartbeats_and_back route_goes \
	ICMP_errors_are_no_death switch_rate_of_the_gateway birth_without_a_packet \
	session_TTL_under_traffic session_TTL_goes_first
