#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The operator takes a tunnel down and up: down means that the machine is as it would be without it,
# at both ends, for as long as it is said, and without a daemon too.
. "$(dirname "$(realpath "$0")")/lib-leak.sh"

full_pair()
{
	ROUTES=$FULL
	pair_fresh
	wait_for 5 "the full tunnel" full_tunnel
}

# left HOST: what the system has of the tunnel.
left()
{
	on "$1" ip rule show | grep '^31'
	on "$1" ip -6 rule show | grep '^31'
	on "$1" ip route show proto 106
	on "$1" ip -6 route show proto 106
	on "$1" ip -o addr show dev $DEV scope global
	on "$1" ip -o link show dev $DEV up
}

nothing_left()
{
	[ -z "$(left "$1")" ]
}

at_the_client()
{
	local before

	full_pair
	before=$(attached c)
	contains "the answer" "$(ctl c down $DEV)" "^$DEV is down: 1 sessions have ended"
	equal "what is left" "$(left c)" ""
	equal "the way" "$(way c $OUT_V4)" a0
	equal "the way, IPv6" "$(way c $OUT_V6)" a0
	contains "status" "$(ctl c status)" '^down  *yes'
	wait_for 5 "the gateway is told" audit_has g "$(transition ATTACHED TERMINATED OPERATOR)"
	# Neither a reload nor somebody else brings it back.
	ctl c reload > /dev/null || fail "reload failed"
	ip -n "${NS}c" link set $DEV up
	wait_for 5 "it is set down again" nothing_left c
	contains "status" "$(ctl c status)" 'handshaking  *no'
	equal "sessions" "$(attached c)" "$before"
	ctl c up $DEV > /dev/null || fail "it cannot be taken up"
	wait_attached c $((before + 1))
	wait_for 5 "the full tunnel" full_tunnel
	reach
}

at_the_gateway()
{
	local before tries

	full_pair
	before=$(attached g)
	ctl g down > /dev/null || fail "it cannot be taken down"
	equal "what is left" "$(left g)" ""
	tries=$(tries_of_client)
	wait_for 20 "the client tries" tried_more $((tries + 2))
	equal "sessions" "$(attached g)" "$before"
	ctl g up > /dev/null || fail "it cannot be taken up"
	wait_attached g $((before + 1))
	wait_for 5 "the full tunnel" full_tunnel
	reach
}

tries_of_client()
{
	grep -c 'debug: INIT to' "$WORK/c/log"
}

tried_more()
{
	[ "$(tries_of_client)" -ge "$1" ]
}

without_a_daemon()
{
	full_pair
	daemon_end c TERM
	contains "the log" "$(cat "$WORK/c/log")" 'stay: what belongs into the tunnel stays blocked without it; "jvpnctl -i jvpn0 down" takes them away'
	full_tunnel || fail "the tunnel is gone with the daemon"
	contains "the answer" "$(ctl c down $DEV)" "^$DEV is down: no daemon runs"
	equal "what is left" "$(left c 2> /dev/null)" ""
	fails 3 "there is no device $DEV" ctl c down $DEV
	equal "the way" "$(way c $OUT_V4)" a0
	daemon_start c
	wait_for 10 "the full tunnel" full_tunnel
	daemon_end c
	# What is left when somebody has deleted the device by hand.
	ip -n "${NS}c" link del $DEV
	equal "the way" "$(way c $OUT_V4)" none
	ctl c down $DEV > /dev/null || fail "rules are not taken away"
	equal "the way" "$(way c $OUT_V4)" a0
	fails 3 "a0 is no jvpn device" ctl c down a0
	ip -n "${NS}c" link show a0 > /dev/null || fail "a0 was deleted"
}

test_main at_the_client at_the_gateway without_a_daemon
