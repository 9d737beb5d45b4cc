#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Which transports a client counts as such, and when it goes back to a better one by its own choice.
. "$(dirname "$(realpath "$0")")/lib-scenario.sh"

BOTH_FAMILIES="\"$G_V4:$PORT\", \"[$G_V6]:$PORT\""

uptime_ms()
{
	awk '{ printf "%d", $1 * 1000 }' /proc/uptime
}

# --- going back ---------------------------------------------------------------------------------------

# An uplink that comes and goes is not stable; the time begins anew each time.
failback_after_a_stable_time()
{
	local stable=$((2000 * T)) up

	POLICY="failback_stable_ms: $stable, standby_interval_ms: 1000"
	scenario_begin
	uplink_down a
	wait_attached c 2
	uplink_up a
	sleep $T
	uplink_down a
	wait_for 5 "the client sees a go" transport_is a unusable
	uplink_up a
	up=$(uptime_ms)
	wait_attached c 3
	session_kept 4 4 2
	equal "the transport" "$VIA" a0
	equal "moves by the client's own choice" "$(audit_count c "$(transition ATTACHED RECOVERING CLIENT_JUMP)")" 1
	up=$(($(boot_ms c "$(transition ATTACHED RECOVERING CLIENT_JUMP)") - up))
	[ $up -ge $((stable - 50)) ] || fail "it went back after $up ms of $stable"
	at_most "time until it went back (ms)" $up $((stable + 8000 * SLOW))
	scenario_measure
	equal "the switches" "$SWITCHES" 2
}

# The least time between moves holds for those by choice, not for those that must be.
cooldown()
{
	local cooldown=$((3000 * T)) between

	POLICY="switch_cooldown_ms: $cooldown, failback_stable_ms: 0, standby_interval_ms: 1000"
	scenario_begin
	uplink_down a
	wait_attached c 2
	uplink_up a
	wait_attached c 3
	session_kept 4 4 2
	equal "the transport" "$VIA" a0
	between=$(($(boot_ms c '"reason":"REATTACH_OK"' 2) - $(boot_ms c '"reason":"REATTACH_OK"' 1)))
	note "it went back $between ms after the last move"
	[ $between -ge $((cooldown - 100)) ] || fail "it went back $between ms after the last move"
	uplink_down a
	wait_attached c 4
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" b0
	between=$(($(boot_ms c '"reason":"REATTACH_OK"' 3) - $(boot_ms c '"reason":"REATTACH_OK"' 2)))
	[ $SLOW -gt 1 ] || at_most "time between the moves (ms)" $between $((cooldown - 100))
	scenario_measure
	equal "the switches" "$SWITCHES" 3
}

# --- what counts ----------------------------------------------------------------------------------------

declare -A UPLINK_V4+=([d]=198.18.5) UPLINK_V6+=([d]=2001:db8:d) UPLINK_METRIC+=([d]=5) UPLINK_HOST+=([d]=c)

# A modem is plugged in and pulled out: what the system says is enough, nothing is asked for in turns.
link_appears_and_goes()
{
	TRANSPORTS=auto
	scenario_begin
	equal "the transports" "$(transports | grep -v udp6)" "a0-udp4 active
b0-udp4 ready"
	net_cable c d0 rd 198.18.5 2001:db8:d
	uplink_route d
	wait_for 3 "the new link is a transport" transport_is d0-udp4 ready
	jump d0-udp4
	session_kept 2 2 1
	contains "the transport" "$VIA $G_REMOTE" '^d0 198\.18\.5\.1:'
	ip -n "${NS}c" link del d0
	wait_attached c 3
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	audit_has c '"event":"TRANSPORT_DEAD".*"reason":"(LINK_DOWN|SOCKET_ERROR)"' || fail "no death at the client"
	wait_for 3 "the link is forgotten" transport_unknown d0-udp4
	audit_complete c
	scenario_measure
	equal "the switches" "$SWITCHES" 2
}

# The link stays, its address goes: the daemon notices, for the kernel does not watch addresses.
address_goes()
{
	POLICY="probe: {dead_base_ms: $((10000 * SLOW))}"
	scenario_begin
	ip -n "${NS}c" addr del 198.51.100.1/24 dev a0
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" b0
	audit_has c "$(transition ATTACHED RECOVERING ROUTE_LOST)" || fail "no ROUTE_LOST at the client"
	wait_for 3 "the transport is unusable" transport_is a unusable
	ip -n "${NS}c" addr add 198.51.100.1/24 dev a0
	uplink_route a
	wait_for 3 "the transport is usable" transport_is a ready
	session_kept 2 2 1
	scenario_measure
	equal "the switches" "$SWITCHES" 1
	at_most "the recovery (ms)" "$RECOVERY_MAX_MS" $((1000 * SLOW))
}

allowed_protocols()
{
	TRANSPORTS=$'auto\n  allowed_protocols: [udp6]' ENDPOINTS=$BOTH_FAMILIES
	scenario_begin
	equal "the transports" "$(transports)" "a0-udp6 active
b0-udp6 ready"
	contains "the gateway's address" "$REMOTE" '^\[2001:db8:9::1\]:'
	uplink_down a
	wait_attached c 2
	session_kept 2 2 1
	contains "the transport" "$VIA $REMOTE" '^b0 \[2001:db8:9::1\]:'
	uplink_up a
	wait_for 3 "the uplink is a transport again" transport_is a0-udp6 ready
	equal "transports by IPv4" "$(transports | grep -c udp4)" 0
}

# Never more than these, and always those that are of use.
max_candidates()
{
	TRANSPORTS=$'auto\n  max_candidates: 2' ENDPOINTS=$BOTH_FAMILIES
	scenario_begin
	equal "the number of transports" "$(transports | wc -l)" 2
	uplink_down a
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" b0
	equal "the number of transports" "$(transports | wc -l)" 2
	uplink_up a
	sleep $T
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" b0
	equal "the number of transports" "$(transports | wc -l)" 2
	equal "transports in use" "$(transports | grep -c ' active')" 1
	daemon_end c
	daemon_start c
	wait_for 5 "the transport in use is one of them after a restart" transport_is b0-udp4 active
	equal "the number of transports" "$(transports | wc -l)" 2
	scenario_measure
	equal "the switches" "$SWITCHES" 1
}

test_main failback_after_a_stable_time cooldown link_appears_and_goes address_goes \
	allowed_protocols max_candidates
