#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The gateway is killed, or boots. What its kernel kept goes on as the same session; what it forgot
# ends with a reason, at both ends, and a handshake begins another one.
. "$(dirname "$(realpath "$0")")/lib-scenario.sh"

# Its daemon dies, the client's path too, before the daemon is back.
gateway_killed()
{
	POLICY="recovery_window_ms: $((500 * T)), switch_cooldown_ms: $((300 * T)), $QUICK"
	scenario_begin
	daemon_end g
	uplink_down a
	wait_audit c "$(transition RECOVERING DEGRADED RECOVERY_WINDOW_EXCEEDED)" 10
	daemon_start g
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" b0
	equal "handshakes" "$(audit_count g '"event":"HANDSHAKE_DONE"')" 1
	reach
	audit_complete g
	scenario_measure
	equal "the switches" "$SWITCHES" 1
}

# gateway_off: as a boot does it: no process, no module state, no file in memory; key, configuration
# and audit log are on the disk. (The kernel is the client's too, so its boot id stays the same.)
gateway_off()
{
	daemon_end g
	ip -n "${NS}g" link del $DEV
	ip -n "${NS}g" link set g0 down
	rm -rf "$WORK/g/run" "$WORK/g/socket"
}

gateway_on()
{
	ip -n "${NS}g" link set g0 up
	ip -n "${NS}g" addr replace 2001:db8:9::1/64 dev g0 nodad
	ip -n "${NS}g" route replace default via $R_V4
	ip -n "${NS}g" -6 route replace default via 2001:db8:9::fe
	daemon_start g
}

# It says that it knows nothing of the session any more; the client believes it, for it is signed.
gateway_boots()
{
	POLICY=$QUICK
	scenario_begin
	gateway_off
	wait_audit c '"reason":"PROBE_TIMEOUT"' 10
	gateway_on
	ended g LEASE_LOST
	ended c LEASE_LOST
	new_session
	reach
	equal "handshakes" "$(audit_count g '"event":"HANDSHAKE_DONE"')" 2
}

gateway_boots_for_too_long()
{
	POLICY="recovery_window_ms: $((500 * T)), transport_loss_ttl_ms: $((2000 * T)), $QUICK"
	scenario_begin
	gateway_off
	ended c TRANSPORT_LOSS_TTL_EXPIRED
	gateway_on
	ended g LEASE_LOST
	new_session
	reach
}

test_main gateway_killed gateway_boots gateway_boots_for_too_long
