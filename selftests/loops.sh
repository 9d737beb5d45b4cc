#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Proves that a tunnel whose way out is the tunnel itself drops its packets, that a tunnel in a
# tunnel works, and that two tunnels that lead into one another do no harm.

. "$(dirname "$0")/lib.sh"

# The route to the gateway leads into the tunnel.
into_itself()
{
	local outer=$1 address=192.0.2.1

	[ "$outer" = 4 ] || address=2001:db8::1
	tunnel_add "$outer" dead-base-ms=60000
	must in_netns "$c" ping -q -c 1 -W "$PATIENCE" 10.0.0.1 > /dev/null
	must ip -n "$c" route add "$address" dev jvpn0
	in_netns "$c" ping -q -c 3 -i 0.1 -W 0.3 10.0.0.1 > /dev/null && fail "pings come through a loop"
	[ "$(counter "$c" tx_drop_loop)" -ge 3 ] || fail "tx_drop_loop is $(counter "$c" tx_drop_loop)"
	# A loop is no loss of the route: the binding stays until heartbeats say so.
	must ip -n "$c" route del "$address" dev jvpn0
	must in_netns "$c" ping -q -c 1 -W "$PATIENCE" 10.0.0.1 > /dev/null
	equals "$(nlprobe get -n "$c" "$ID" version)" 1 "the version"
}

# second_tunnel: jvpn1, its underlay inside jvpn0; 10.1.0.0/24.
second_tunnel()
{
	local netns

	for netns in "$g" "$c"; do
		device_add "$netns" jvpn1
	done
	addr_add "$g" jvpn1 10.1.0.1/24
	addr_add "$c" jvpn1 10.1.0.2/24
	SECOND=$(nlprobe join "$g,jvpn1,10.0.0.1,10.1.0.1/32" "$c,jvpn1,10.0.0.2,10.1.0.2/32") ||
		fail "cannot join"
	must nlprobe wait -n "$g" -d jvpn1 "$SECOND" attached
}

nested()
{
	local receiver

	tunnel_add 4
	second_tunnel
	must in_netns "$c" ping -q -c 3 -i 0.05 -W "$PATIENCE" -s 1200 10.1.0.1 > /dev/null
	background in_netns "$g" stream listen 7000 > got
	receiver=$!
	wait_for tcp_listens "$g" 7000
	must timeout $((PATIENCE * 3)) ip netns exec "$c" stream send 10.1.0.1 7000 "$(scale 5000000 300000)"
	wait $receiver || fail "the receiver has failed"
}

# The underlay of each is routed into the other: the stack's own limit ends it.
crossed()
{
	local i

	tunnel_add 4
	second_tunnel
	must in_netns "$c" ping -q -c 1 -W "$PATIENCE" 10.1.0.1 > /dev/null
	# The first tunnel's session takes anything; its gateway lies behind the second one.
	must ip -n "$c" route add 192.0.2.1/32 via 10.1.0.1 dev jvpn1
	for i in 1 2 3; do
		in_netns "$c" ping -q -c 1 -W 0.3 -s 1000 10.0.0.1 > /dev/null && fail "pings come through a loop"
		in_netns "$c" ping -q -c 1 -W 0.3 -s 1000 10.1.0.1 > /dev/null && fail "pings come through a loop"
	done
	must ip -n "$c" route del 192.0.2.1/32 via 10.1.0.1 dev jvpn1
}

case_run "into itself over IPv4" into_itself 4
case_run "into itself over IPv6" into_itself 6
case_run "a tunnel in a tunnel" nested
case_run "two tunnels into one another" crossed
cases_end
