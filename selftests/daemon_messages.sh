#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each control message of handshake, move and refresh is lost, doubled, late, or overtaken by the
# next one, once. A relay between the ends does it. Whatever happens to it, the session is made or
# moves within bounds, with the versions that it has without the fault.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"
. "$LIB_DIR/lib-relay.sh"

FAULTS="drop dup delay swap"
# Longer than what is sent again waits, so that a late message meets its successor.
LATE_MS=400

# A path of its own for each uplink; nothing but what is ordered is sent.
ENDPOINTS=$RELAY
COLD="standby_interval_ms: 0"
NET_HOOK=relay_start

# Late messages have come and were judged before the next case begins.
fault_over()
{
	case $1 in
	delay | swap) sleep "$(awk "BEGIN { print $LATE_MS * $SLOW / 1000 + 0.2 }")" ;;
	esac
}

# time_start, time_at_most WHAT MS
time_start()
{
	now_ms
	TIME_START=$NOW
}

time_at_most()
{
	now_ms
	at_most "$1 (ms)" $((NOW - TIME_START)) $(($2 * SLOW))
}

# handshakes MESSAGE: a new session under each fault; what half-open ones there were have ended.
handshakes()
{
	local fault count

	POLICY=$COLD
	pair_up
	for fault in $FAULTS; do
		daemon_end c TERM
		net_client_forget
		count=$(audit_count g "$(transition BIRTH ATTACHED HANDSHAKE_OK)")
		fault_arm "$fault" "$1" $((LATE_MS * SLOW))
		time_start
		daemon_start c
		wait_audit g "$(transition BIRTH ATTACHED HANDSHAKE_OK)" 10 "$count"
		fault_happened
		time_at_most "a handshake with $1 $fault" 6000
		fault_over "$fault"
		session_same
		equal "the versions after $1 $fault" "$C_VERSION $G_VERSION" "1 1"
		traffic
	done
}

# net_client_forget: the client's old session and its memory of it are gone.
net_client_forget()
{
	ip -n "${NS}c" link del $DEV
	rm -rf "$WORK/c/run" "$WORK/c/audit"
}

# moves MESSAGE: ordered jumps, cold: REQUEST, CHALLENGE, PROOF, ACK.
moves()
{
	local fault

	POLICY=$COLD
	pair_up
	for fault in $FAULTS; do
		session_keep
		fault_arm "$fault" "$1" $((LATE_MS * SLOW))
		time_start
		jump
		fault_happened
		time_at_most "a jump with $1 $fault" 4000
		fault_over "$fault"
		session_kept 2 2 1
		traffic
	done
	moves_counted
}

traffic()
{
	wait_for 5 "an answer through the tunnel" ping_ok c $G_IN4
}

moves_counted()
{
	audit_complete c
	audit_complete g
}

# Out of a dead link with a CHALLENGE in store: PROOF and ACK only.
warm_moves()
{
	local fault up=a down=b

	POLICY="standby_interval_ms: 1000"
	pair_up
	for fault in $FAULTS; do
		session_same
		case $VIA in a0) up=a down=b ;; *) up=b down=a ;; esac
		wait_standby
		session_keep
		fault_arm "$fault" "$1" $((LATE_MS * SLOW))
		time_start
		uplink_down $up
		wait_audit c '"reason":"REATTACH_OK"' 10 "$(warm_moved)"
		fault_happened
		time_at_most "a recovery with $1 $fault" 4000
		fault_over "$fault"
		session_same
		equal "the session id" "$SID" "$KEPT_SID"
		equal "the transport" "$VIA" ${down}0
		equal "the client's version" "$C_VERSION" $((KEPT_C + 2))
		equal "the gateway's version" "$G_VERSION" $((KEPT_G + 2))
		traffic
		uplink_up $up
	done
	moves_counted
}

# warm_moved: how many moves there were before the link went down.
warm_moved()
{
	echo $(((KEPT_C - 1) / 2))
}

# wait_standby: a CHALLENGE for the other uplink is in store, made under the present keys.
wait_standby()
{
	FAULT_SINCE=$(wc -l < "$WORK/r/relay")
	wait_for 10 "a standby CHALLENGE" relay_said "seen ${TYPE[CHALLENGE]}"
	sleep "0.$((SLOW > 1 ? 5 : 1))"
}

# refreshes MESSAGE: new keys on the same transport, no new version.
refreshes()
{
	local fault

	POLICY="$COLD, rekey_after_ms: $((1000 * (SLOW > 1 ? 4 : 1)))"
	pair_up
	for fault in $FAULTS; do
		session_keep
		fault_arm "$fault" "$1" $((LATE_MS * SLOW))
		wait_for 20 "the refresh with $1 $fault" relay_said "did"
		time_start
		wait_for 15 "new keys after $1 $fault" refreshed
		fault_over "$fault"
		session_kept 0 0
		traffic
	done
	moves_counted
}

# refreshed: both ends have gone on to a later epoch, the same one.
refreshed()
{
	session_agrees && [ "$EPOCH" -gt "$KEPT_EPOCH" ]
}

test_main "handshakes INIT" "handshakes RESP" "handshakes DATA" \
	"moves REQUEST" "moves CHALLENGE" "moves PROOF" "moves ACK" \
	"warm_moves PROOF" "warm_moves ACK" \
	"refreshes REQUEST" "refreshes CHALLENGE" "refreshes PROOF" "refreshes ACK"
