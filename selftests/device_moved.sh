#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Proves that a device can be moved to another network namespace under traffic: its sockets stay
# where they were made, and it is found from both.

. "$(dirname "$0")/lib.sh"

# move FROM TO: the device of the gateway, and its addresses.
move()
{
	must ip -n "$1" link set jvpn0 netns "$2"
	must ip -n "$2" link set jvpn0 addrgenmode none
	must ip -n "$2" link set jvpn0 up
	addr_add "$2" jvpn0 10.0.0.1/24 fd00::1/64
}

ifindex()
{
	ip -n "$1" -o link show jvpn0 | cut -d : -f 1
}

flows()
{
	in_netns "$c" ping -q -c 1 -W 1 10.0.0.1 && in_netns "$c" ping -q -c 1 -W 1 fd00::1
}

moved_under_traffic()
{
	local i birth

	tunnel_add 4
	netns_add inner
	traffic
	birth=$(ifindex "$g")
	for i in $(seq "$(scale 3 2)"); do
		move "$g" "$inner"
		wait_for flows
		equals "$(nlprobe get -n "$inner" "$ID" state)" attached "the state seen from the new namespace"
		equals "$(nlprobe get -n "$g" -i "$birth" "$ID" version)" 1 "the version seen from the old one"
		[ -z "$(in_netns "$inner" ss -Hlun)" ] || fail "sockets have moved with the device"
		move "$inner" "$g"
		wait_for flows
	done
	equals "$(nlprobe get -n "$c" "$ID" version)" 1 "the client's version"
}

# The way of containers: the underlay stays outside, the device is all that there is inside.
container()
{
	local birth

	tunnel_add 6
	netns_add inner
	birth=$(ifindex "$g")
	move "$g" "$inner"
	wait_for flows
	background in_netns "$inner" stream listen 7000 > got
	wait_for tcp_listens "$inner" 7000
	must timeout $((PATIENCE * 3)) ip netns exec "$c" stream send 10.0.0.1 7000 "$(scale 5000000 300000)"
	# The daemon outside goes on ruling it by the index it knows.
	must nlprobe transition -n "$g" -i "$birth" "$ID" terminate operator
	equals "$(nlprobe get -n "$inner" "$ID" state)" terminated "the state"
}

# The namespace of the sockets ends: the device stays, and cannot send any more.
underlay_gone()
{
	tunnel_add 4
	netns_add inner
	traffic_datagrams
	move "$g" "$inner"
	wait_for flows
	ip netns pids "$g" | xargs -r kill -KILL 2> /dev/null
	must ip netns del "$g"
	wait_for no_sockets
	must ip -n "$inner" link show jvpn0 > /dev/null
	! in_netns "$inner" ping -q -c 1 -W 1 10.0.0.2 > /dev/null || fail "packets leave without sockets"
	must nlprobe list -n "$inner" > list
	grep -q "$ID" list || fail "the session is gone: $(cat list)"
	must ip -n "$inner" link del jvpn0
}

no_sockets()
{
	nlprobe device -n "$inner" | grep -q '^sockets=0$'
}

# The namespace that it was moved to ends: so does the device.
home_gone()
{
	tunnel_add 4
	netns_add inner
	traffic
	move "$g" "$inner"
	wait_for flows
	must ip netns del "$inner"
	wait_for sockets_closed
}

sockets_closed()
{
	[ -z "$(in_netns "$g" ss -Hlun)" ]
}

# Made for another namespace at once: the sockets belong to the one that asked.
made_elsewhere()
{
	netns_add g c inner
	link_add "$g" vg "$c" vc
	addr_add "$g" vg 192.0.2.1/24
	addr_add "$c" vc 192.0.2.2/24
	must ip -n "$g" link add jvpn0 netns "$inner" type jvpn
	must ip -n "$inner" link set jvpn0 addrgenmode none
	must ip -n "$inner" link set jvpn0 up
	addr_add "$inner" jvpn0 10.0.0.1/24
	device_add "$c"
	addr_add "$c" jvpn0 10.0.0.2/24
	ID=$(nlprobe join "$inner,jvpn0,192.0.2.1,10.0.0.1/32" "$c,jvpn0,192.0.2.2,10.0.0.2/32") ||
		fail "cannot join"
	must in_netns "$c" ping -q -c 2 -i 0.1 -W "$PATIENCE" 10.0.0.1 > /dev/null
	[ -n "$(in_netns "$g" ss -Hlun)" ] || [ -n "$(in_netns "$g" ss -Hun)" ] ||
		fail "the socket is not in the namespace that made the device"
}

case_run "the device is moved under traffic, there and back" moved_under_traffic
case_run "a device in a container, its sockets outside" container
case_run "the namespace of the sockets ends" underlay_gone
case_run "the namespace that it was moved to ends" home_gone
case_run "a device made for another namespace has its sockets here" made_elsewhere
cases_end
