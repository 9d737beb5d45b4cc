#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every path is gone, for a while or for too long; a path goes without a word. What the bounds of
# the policy allow comes back as the same session, what they do not ends with its reason.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

T=$((SLOW > 1 ? 4 : 1))
PROBE="probe: {idle_interval_ms: 300, active_interval_ms: 200, rx_timeout_ms: $((1000 * T))}"

both_down()
{
	# The one in use last: or the session would move first.
	uplink_down b
	wait_for 5 "the client sees b go" grep -q 'transport b .* is not usable' "$WORK/c/log"
	uplink_down a
}

blackout_shorter_than_the_TTL()
{
	POLICY="recovery_window_ms: $((500 * T)), transport_loss_ttl_ms: $((30000 * T)), $PROBE"
	pair_fresh
	session_keep
	both_down
	wait_audit c "$(transition ATTACHED RECOVERING LINK_DOWN)" 5
	wait_audit c "$(transition RECOVERING DEGRADED RECOVERY_WINDOW_EXCEEDED)" 5
	wait_audit g "$(transition ATTACHED RECOVERING PROBE_TIMEOUT)" 10
	wait_audit g "$(transition RECOVERING DEGRADED RECOVERY_WINDOW_EXCEEDED)" 5
	contains "session explain" "$(ctl c session explain "$SID")" 'RECOVERY_WINDOW_EXCEEDED'
	uplink_up b
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" b0
	audit_has c "$(transition DEGRADED RECOVERING CANDIDATE_APPEARED)" || fail "no CANDIDATE_APPEARED"
	equal "the client's version" "$C_VERSION" 5
	reach
	audit_complete c
	audit_complete g
}

expired()
{
	wait_audit "$1" '"to":"TERMINATED","reason":"TRANSPORT_LOSS_TTL_EXPIRED"' 10
}

new_session_after()
{
	uplink_up a
	uplink_up b
	wait_audit c "$(transition BIRTH ATTACHED HANDSHAKE_OK)" 15 1
	wait_audit g "$(transition BIRTH ATTACHED HANDSHAKE_OK)" 15 1
	session_same
	[ "$SID" != "$KEPT_SID" ] || fail "the session id is the old one"
	equal "the versions" "$C_VERSION $G_VERSION" "1 1"
	reach
}

SHORT="recovery_window_ms: $((400 * T)), transport_loss_ttl_ms: $((1500 * T)), $PROBE"

blackout_longer_than_the_TTL()
{
	POLICY=$SHORT
	pair_fresh
	session_keep
	both_down
	expired c
	expired g
	equal "ends in the client's log" "$(audit_count c '"to":"TERMINATED"')" 1
	equal "ends in the gateway's log" "$(audit_count g '"to":"TERMINATED"')" 1
	contains "events" "$(ctl g events)" 'TRANSPORT_LOSS_TTL_EXPIRED'
	new_session_after
}

# The kernel keeps the bound by itself; the log has it afterwards, once.
blackout_without_daemons()
{
	POLICY=$SHORT
	pair_fresh
	session_keep
	daemon_end c
	daemon_end g
	uplink_down b
	uplink_down a
	wait_for 15 "both kernels end the session" all_ended
	daemon_start g
	daemon_start c
	expired c
	expired g
	equal "ends in the client's log" "$(audit_count c '"to":"TERMINATED"')" 1
	equal "ends in the gateway's log" "$(audit_count g '"to":"TERMINATED"')" 1
	new_session_after
}

all_ended()
{
	[ "$(sessions_line g c | grep -c '^0 ')" = 2 ]
}

# Carrier up, nothing comes through: uplink a becomes a black hole.
black_hole()
{
	POLICY="probe: {idle_interval_ms: 1000, active_interval_ms: 200, dead_base_ms: $((300 * T))}"
	pair_fresh
	session_keep
	probe_start
	on r nft -f - <<- END
		table inet test_hole {
			chain forward {
				type filter hook forward priority 0
				iifname "ra" drop
				oifname "ra" drop
			}
		}
	END
	wait_audit c '"reason":"REATTACH_OK"' 10
	sleep 0.3
	probe_stop
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" b0
	audit_has c '"reason":"(PROBE_TIMEOUT|HEARTBEAT_LATE)"' || fail "the client did not notice by silence"
	at_most "the gap" "$GAP" $((1500 * SLOW))
	audit_complete c
	audit_complete g
}

test_main blackout_shorter_than_the_TTL blackout_longer_than_the_TTL blackout_without_daemons \
	black_hole
