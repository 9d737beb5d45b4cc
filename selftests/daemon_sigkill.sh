#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The daemons are killed, under traffic and in the middle of a jump. Traffic goes on; what starts
# again adopts the session as it is: no handshake, no version changed, no packet lost.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

KILL_ROUNDS=4

no_new_handshake()
{
	equal "handshakes in the gateway's log" "$(audit_count g '"event":"HANDSHAKE_DONE"')" 1
	equal "handshakes in the client's log" "$(audit_count c '"event":"HANDSHAKE_DONE"')" 1
}

adopted()
{
	grep -q "session ${SID:0:8} .* adopted: version $2" "$WORK/$1/log" ||
		fail "$1 has not adopted version $2"
}

# killed_under_traffic HOST...
killed_under_traffic()
{
	local host

	pair_fresh
	session_keep
	probe_start
	for host; do
		daemon_end "$host"
	done
	sleep 0.4
	for host; do
		daemon_start "$host"
	done
	sleep 0.3
	session_kept 0 0 0
	probe_stop
	equal "what was lost" "$LOST" 0
	for host; do
		adopted "$host" 1
	done
	no_new_handshake
	probe_start
	jump b
	session_kept 2 2 1
	jump a
	session_kept 4 4 2
	probe_stop
	equal "what was lost in the jumps after it" "$LOST" 0
	audit_complete c
	audit_complete g
}

# New keys are made in time by who has adopted the session.
refresh_after_a_restart()
{
	local count

	POLICY="rekey_after_ms: $((1500 * SLOW))"
	pair_fresh
	session_keep
	wait_epoch c 0
	wait_epoch g 0
	probe_start
	for host in g c; do
		daemon_end $host
		daemon_start $host
		count=$(sessions_line g | cut -d ' ' -f 5)
		wait_epoch g "$count"
		wait_epoch g $((count + 1))
	done
	session_kept 0 0
	[ "$EPOCH" -ge 4 ] || fail "the epoch is only $EPOCH"
	probe_stop
	equal "what was lost" "$LOST" 0
	no_new_handshake
	# They are counted, in the next record of the session; a line for each would be most of the log.
	equal "lines for new keys" "$(audit_count g '"event":"EPOCH"')" 0
	jump b
	wait_audit g '"rekeys":[1-9]' 5
}

# in_the_middle_of_a_jump HOST...: at some moment of it, each round another one.
in_the_middle_of_a_jump()
{
	local round host delay

	pair_up
	for ((round = 0; round < KILL_ROUNDS; round++)); do
		session_keep
		delay=$((RANDOM % (70 * SLOW)))
		on_spawn c jvpnctl --socket "$WORK/c/socket" -i $DEV session jump "$SID" > /dev/null 2>&1
		sleep "0.$(printf %03d $delay)"
		for host; do
			daemon_end "$host"
		done
		for host; do
			daemon_start "$host"
		done
		session_same
		note "killed after $delay ms: versions +$((G_VERSION - KEPT_G)) and +$((C_VERSION - KEPT_C))"
		equal "the session id" "$SID" "$KEPT_SID"
		at_most "the number of transitions at the gateway" $((G_VERSION - KEPT_G)) 4
		at_most "the number of transitions at the client" $((C_VERSION - KEPT_C)) 4
		reach
		session_keep
		jump
		session_kept 2 2
	done
	no_new_handshake
	audit_complete c
	audit_complete g
}

# Both daemons are gone while the link goes: the kernels hold on, the daemons mend it.
link_lost_without_daemons()
{
	pair_fresh
	session_keep
	daemon_end c
	daemon_end g
	uplink_down a
	sleep 0.5
	daemon_start g
	daemon_start c
	wait_attached c 2
	session_kept 2 2
	equal "the transport" "$VIA" b0
	no_new_handshake
	audit_complete c
	audit_complete g
}

test_main "killed_under_traffic g" "killed_under_traffic c" "killed_under_traffic g c" \
	"in_the_middle_of_a_jump g" "in_the_middle_of_a_jump c" "in_the_middle_of_a_jump g c" \
	refresh_after_a_restart link_lost_without_daemons
