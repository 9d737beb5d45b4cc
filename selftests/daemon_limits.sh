#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What is too much or not allowed is refused, with its reason in the log, and nothing of those
# who are there already changes.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

# stranger_refused PATTERN: x tries; the gateway's log has a refusal; c goes on as it was.
stranger_refused()
{
	pair_fresh
	session_keep
	daemon_start x
	wait_audit g "$1" 15
	session_read x
	equal "the sessions of the other client" "$LIVE" 0
	session_read g
	equal "the sessions of the gateway" "$LIVE" 1
	session_kept 0 0 0
	reach
}

unknown_key()
{
	stranger_refused "$(refusal INIT POLICY_DENIED 'no peer has this public key')"
}

pool_exhausted()
{
	SECOND="" POOLS="[10.77.0.0/30]"
	stranger_refused "$(refusal INIT POLICY_DENIED 'no free inner address')"
}

# The last address is free again, but not for somebody else yet: its owner gets it back.
address_in_quarantine()
{
	local address

	SECOND="" POOLS="[10.77.0.0/30]"
	pair_fresh
	address=$(inner c)
	ctl c session terminate "$SID" --stay-down > /dev/null || fail "terminate failed"
	wait_audit g '"to":"TERMINATED","reason":"OPERATOR"' 5
	daemon_start x
	wait_audit g "$(refusal INIT POLICY_DENIED 'no free inner address')" 15
	grep -q 'no free IPv4 address for second: .*quarantine' "$WORK/g/log" || fail "the log does not say why"
	ctl c reload > /dev/null || fail "reload failed"
	wait_attached c 2
	equal "the address" "$(inner c)" "$address"
	reach
}

too_many_sessions()
{
	SECOND="" LIMITS="max_sessions: 1"
	stranger_refused "$(refusal INIT RATE_LIMITED 'session could not be made')"
}

psk_make()
{
	( umask 077; jvpnctl genpsk > "$WORK/psk-$1" )
}

wrong_PSK()
{
	psk_make g
	psk_make x
	SECOND=", preshared_key_file: $WORK/psk-g" PSK_X=$WORK/psk-x
	POLICY="handshake_timeout_ms: 1000"
	pair_fresh
	session_keep
	daemon_start x
	wait_audit g '"to":"TERMINATED","reason":"HANDSHAKE_(TIMEOUT|REJECTED)"' 15
	session_read x
	equal "the sessions of the other client" "$LIVE" 0
	contains "the other client's status" "$(ctl x status)" "authenticate|authentic"
	daemon_end x
	wait_for 10 "the half-open session ends" live_at_gateway 1
	! audit_has g '"to":"ATTACHED".*"second"' || fail "the gateway has attached it"
	session_kept 0 0 0
	reach
}

# live_at_gateway NUMBER
live_at_gateway()
{
	[ "$(sessions_line g | cut -d ' ' -f 1)" = "$1" ]
}

# With the right one it works: the test above is about the key.
right_PSK()
{
	psk_make g
	SECOND=", preshared_key_file: $WORK/psk-g" PSK_X=$WORK/psk-g
	pair_fresh
	daemon_start x
	wait_attached x 1
	equal "sessions of the gateway" "$(sessions_line g | cut -d ' ' -f 1)" 2
	wait_for 5 "the other client reaches the gateway" ping_ok x $G_IN4
}

# rate_exceeded: two jumps are allowed, the third is refused at c with this pattern.
rate_exceeded()
{
	pair_fresh
	session_keep
	jump b
	jump a
	fails 5 "$1" ctl c session jump "$SID" b
	session_kept 4 4 2
	equal "the transport" "$VIA" a0
	reach
}

switch_rate_of_the_client()
{
	POLICY_C="max_switches_per_minute: 2" POLICY_G=""
	rate_exceeded 'allows 2 moves a minute'
	wait_audit c "$(refusal session.jump SWITCH_RATE_EXCEEDED)" 5
}

# The gateway's REJECT(RATE): no state, no version, no key of either end changes.
switch_rate_of_the_gateway()
{
	POLICY_C="" POLICY_G="max_switches_per_minute: 2"
	rate_exceeded .
	wait_audit g "$(refusal PROOF SWITCH_RATE_EXCEEDED)" 5
}

cooldown_of_the_client()
{
	POLICY_C="switch_cooldown_ms: 60000" POLICY_G=""
	pair_fresh
	session_keep
	jump b
	fails 5 '60000 ms apart' ctl c session jump "$SID" a
	session_kept 2 2 1
}

# Two hosts with one key: one of them at a time, and a third client does not feel it.
two_clients_with_the_same_key()
{
	local round

	SECOND=""
	pair_fresh
	session_keep
	daemon_start x
	wait_attached x 1
	twin_start
	wait_audit g '"to":"TERMINATED","reason":"POLICY_FAILURE"' 10
	for round in 1 2 3 4 5 6; do
		at_most "live sessions" "$(sessions_line g | cut -d ' ' -f 1)" 2
		sleep 0.2
	done
	kill -KILL "$TWIN"
	at_most "handshakes of the key" "$(audit_count g '"to":"ATTACHED".*"second"')" 8
	sessions_of_c=$(audit_count g '"event":"TERMINATE".*"peer":"client"')
	equal "ends of the other client's session" "$sessions_of_c" 0
	session_read c
	equal "the session of the other client" "$SID $STATE $VERSION" "$KEPT_SID ATTACHED $KEPT_C"
	wait_for 5 "traffic of the other client" ping_ok c $G_IN4
}

# twin_start: a second daemon on x, for another device, with the same key.
twin_start()
{
	sed -e "s#name: $DEV#name: ${DEV}t#; s#/x/run#/x/run-twin#; s#/x/socket#/x/socket-twin#" \
		-e "s#/x/audit#/x/audit-twin#" "$WORK/x/config.yaml" > "$WORK/x/twin.yaml"
	on_spawn x jvpnd "$WORK/x/twin.yaml" < /dev/null > "$WORK/x/log-twin" 2>&1
	TWIN=$SPAWNED
}

test_main unknown_key pool_exhausted address_in_quarantine too_many_sessions wrong_PSK right_PSK \
	switch_rate_of_the_client switch_rate_of_the_gateway cooldown_of_the_client two_clients_with_the_same_key
