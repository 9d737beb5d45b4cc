#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What is no reason to leave a path: one lost heartbeat, a spike of its latency, a short interruption.
. "$(dirname "$(realpath "$0")")/lib-detection.sh"

# path_kept: whatever it was, the session stayed where it was, and it is well now.
path_kept()
{
	wait_for 20 "the session is ATTACHED" session_agrees
	scenario_measure
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the gateway's version" "$G_VERSION" "$KEPT_G"
	equal "the transport" "$VIA" a0
	equal "times without a path" "$(audit_count c '"to":"RECOVERING"')" 0
	equal "the switches" "$SWITCHES" 0
}

heartbeats()
{
	on c nlprobe counter tx_heartbeats
}

heartbeats_more()
{
	[ "$(heartbeats)" -ge "$1" ]
}

# The first heartbeat that comes from uplink a is lost; a heartbeat and its headers are 252 octets.
heartbeat_lose()
{
	on r nft -f - <<- END
		table ip one_lost {
			counter lost { }
			chain forward {
				type filter hook forward priority 0
				iifname "ra" meta length 252 quota until 252 bytes counter name lost drop
			}
		}
	END
}

# When little is known yet of a path, one of nine is more than a policy's limit of loss.
one_lost_heartbeat()
{
	local before

	BASE=fast POLICY="standby_interval_ms: 1000, probe: {dead_base_ms: $((100 * SLOW))}"
	scenario_begin
	wait_for 10 "uplink b stands by" stands_by b
	before=$(heartbeats)
	wait_for 10 "ten heartbeats" heartbeats_more $((before + 10))
	heartbeat_lose
	before=$(heartbeats)
	wait_for 20 "forty heartbeats" heartbeats_more $((before + 40))
	contains "what was lost" "$(on r nft list counter ip one_lost lost)" 'packets 1 '
	path_kept
	[ $SLOW -gt 1 ] || equal "the client's version" "$VERSION" "$KEPT_C"
}

# Fifteen times its usual delay, for a moment.
spike_of_latency()
{
	BASE=default POLICY="standby_interval_ms: 1000, probe: {dead_base_ms: $((500 * SLOW))}"
	scenario_begin
	wait_for 10 "uplink b stands by" stands_by b
	sleep 1
	router_delay 300 rg
	sleep 0.3
	router_delay 10 rg
	sleep 2
	path_kept
	[ "$GAP_MS" -ge 100 ] || fail "the longest gap is $GAP_MS ms: there was no spike"
}

# Nothing for a third of a second, then all is well: a run of lost heartbeats is no loss rate.
short_interruption()
{
	BASE=default POLICY="standby_interval_ms: 1000, probe: {dead_base_ms: $((500 * SLOW))}"
	scenario_begin
	wait_for 10 "uplink b stands by" stands_by b
	sleep 3
	hole a
	sleep 0.3
	hole_end a
	sleep 2
	path_kept
	equal "why its quality was low" "$(audit_count c '"reason":"LOSS_THRESHOLD"')" 0
}

test_main one_lost_heartbeat spike_of_latency short_interruption
