#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A session moves: ordered, because its link went, because its NAT forgot, because a better uplink
# is back. The session stays the same and takes exactly two versions for each move.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

jump_there_and_back_loses_nothing()
{
	pair_up
	session_keep
	probe_start
	jump b
	session_kept 2 2 1
	contains "the transport" "$VIA $G_REMOTE" '^b0 203\.0\.113\.1:'
	jump
	session_kept 4 4 2
	contains "the transport" "$VIA $G_REMOTE" '^a0 198\.51\.100\.1:'
	probe_stop
	equal "what was lost" "$LOST" 0
	equal "jumps in the client's log" "$(audit_count c "$(transition ATTACHED RECOVERING OPERATOR_JUMP)")" 2
	equal "jumps in the gateway's log" "$(audit_count g "$(transition ATTACHED RECOVERING CLIENT_JUMP)")" 2
	audit_complete c
	audit_complete g
}

# To where it is: the client moves, the gateway sees new keys on the transport that it has.
jump_to_the_present_transport()
{
	local remote

	pair_up
	session_keep
	remote=$G_REMOTE
	probe_start
	jump a
	probe_stop
	session_kept 0 2 1
	equal "the gateway's transport" "$G_REMOTE" "$remote"
	equal "what was lost" "$LOST" 0
}

link_down()
{
	pair_fresh
	session_keep
	probe_start
	uplink_down a
	wait_attached c 2
	sleep 0.3
	probe_stop
	session_kept 2 2 1
	equal "the transport" "$VIA" b0
	audit_has c "$(transition ATTACHED RECOVERING LINK_DOWN)" || fail "no LINK_DOWN at the client"
	audit_has g "$(transition ATTACHED RECOVERING CLIENT_JUMP)" || fail "no CLIENT_JUMP at the gateway"
	equal "what was lost upward" "$LOST_UP" 0
	at_most "the gap" "$GAP" $((500 * SLOW))
}

better_uplink_returns()
{
	POLICY="failback_stable_ms: 300, standby_interval_ms: 1000"
	pair_fresh
	session_keep
	uplink_down a
	wait_attached c 2
	session_kept 2 2 1
	probe_start
	uplink_up a
	wait_attached c 3
	sleep 0.3
	probe_stop
	session_kept 4 4 2
	equal "the transport" "$VIA" a0
	equal "what was lost" "$LOST" 0
	equal "moves by the client's own choice" "$(audit_count c "$(transition ATTACHED RECOVERING CLIENT_JUMP)")" 1
}

# Half of the moves that are allowed is for those that must be.
moves_by_choice_leave_some()
{
	POLICY="max_switches_per_minute: 4, failback_stable_ms: 0, standby_interval_ms: 1000"
	pair_fresh
	session_keep
	uplink_down a
	wait_attached c 2
	uplink_up a
	wait_attached c 3
	uplink_down a
	wait_attached c 4
	uplink_up a
	wait_for 5 "an answer over uplink a" stands_by a
	session_kept 6 6 3
	equal "the transport" "$VIA" b0
	uplink_down b
	wait_attached c 5
	session_kept 8 8 4
	equal "the transport" "$VIA" a0
	equal "moves by the client's own choice" "$(audit_count c "$(transition ATTACHED RECOVERING CLIENT_JUMP)")" 1
}

far_b()
{
	tc -n "${NS}r" qdisc replace dev rb root netem delay 400ms limit 10000
}

# Nothing is known of its round trip before its first answer, which comes late.
far_uplink_stands_by()
{
	NET_HOOK=far_b
	POLICY="standby_interval_ms: 1000"
	pair_fresh
	wait_for 5 "an answer over the far uplink" stands_by b
}

# nat_map FIRST_PORT: from now on the NAT before uplink a uses these ports, for old flows too.
nat_map()
{
	on r nft -f - <<- END
		table ip test_nat
		flush table ip test_nat
		table ip test_nat {
			chain postrouting {
				type nat hook postrouting priority srcnat
				ip saddr 198.51.100.0/24 oifname "rg" udp dport $PORT masquerade to :$1-$(($1 + 999))
			}
		}
	END
	on r conntrack -F > /dev/null 2>&1
}

nat_before()
{
	nat_map 20000
}

NAT_rebinding()
{
	NET_HOOK=nat_before
	pair_fresh
	contains "the gateway's transport" "$G_REMOTE" '^192\.0\.2\.254:20'
	session_keep
	probe_start
	nat_map 30000
	wait_attached c 2
	sleep 0.5
	probe_stop
	session_kept 2 2 1
	contains "the gateway's transport" "$G_REMOTE" '^192\.0\.2\.254:30'
	equal "the transport" "$VIA" a0
	audit_has c "$(transition ATTACHED RECOVERING NAT_REBIND)" || fail "no NAT_REBIND at the client"
	audit_has g "$(transition ATTACHED RECOVERING NAT_REBIND)" || fail "no NAT_REBIND at the gateway"
	equal "invitations taken" "$(grep -c 'the gateway sees another address' "$WORK/c/log")" 1
	at_most "the gap" "$GAP" $((1000 * SLOW))
	audit_complete c
	audit_complete g
}

# The path is given up before the invitation, to an address that nobody expected, has waited its time:
# then it is taken all the same, and nothing else is waited for.
NAT_rebinding_of_a_path_that_dies_soon()
{
	NET_HOOK=nat_before POLICY="probe: {active_interval_ms: 50, dead_base_ms: $((50 * SLOW))}, recovery_window_ms: 20000"
	TRANSPORTS="[{name: a, interface: a0, protocol: udp4}]"
	pair_fresh
	session_keep
	probe_start
	nat_map 30000
	wait_attached c 2
	probe_stop
	session_same
	equal "the session and its transport" "$SID $VIA" "$KEPT_SID a0"
	equal "times that it was degraded" "$(audit_count c '"to":"DEGRADED"')" 0
	at_most "the gap" "$GAP" $((2000 * SLOW))
}

# A jump ordered at the gateway is the client's to make: refused, nothing moves.
jump_ordered_at_the_gateway_is_refused()
{
	local text

	pair_up
	session_keep
	text=$(ctl g session jump "$SID" 2>&1)
	equal "the exit status" $? 5
	contains "the refusal" "$text" 'client'
	text=$(ctl c session jump "$SID" nowhere 2>&1)
	equal "the exit status for an unknown transport" $? 3
	uplink_down b
	wait_for 5 "the transport is seen as unusable" grep -q 'transport b .* is not usable' "$WORK/c/log"
	text=$(ctl c session jump "$SID" b 2>&1)
	equal "the exit status for an unusable transport" $? 5
	contains "the refusal" "$text" 'interface is down'
	session_kept 0 0 0
	uplink_up b
	rm "$WORK/pair"
}

test_main jump_there_and_back_loses_nothing jump_to_the_present_transport \
	jump_ordered_at_the_gateway_is_refused link_down better_uplink_returns \
	moves_by_choice_leave_some far_uplink_stands_by NAT_rebinding \
	NAT_rebinding_of_a_path_that_dies_soon
