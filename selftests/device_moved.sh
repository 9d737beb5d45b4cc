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

device_id()
{
	nlprobe device -n "$1" | sed -n s,device_id=,,p
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
	birth=$(device_id "$g")
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
	birth=$(device_id "$g")
	move "$g" "$inner"
	wait_for flows
	background in_netns "$inner" stream listen 7000 > got
	wait_for tcp_listens "$inner" 7000
	must timeout $((PATIENCE * 3)) ip netns exec "$c" stream send 10.0.0.1 7000 "$(scale 5000000 300000)"
	# The daemon outside goes on ruling it by the id it knows.
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

# two_add: namespaces birth, i1 and i2, with a device of birth in each container and a session
# between them; its id is in ID.
two_add()
{
	netns_add birth i1 i2
	must ip -n "$birth" link add up0 type dummy
	must ip -n "$birth" link set up0 up
	addr_add "$birth" lo 192.0.2.1/32 192.0.2.2/32
	must ip -n "$birth" link add jvpn0 netns "$i1" type jvpn
	must ip -n "$birth" link add jvpn0 netns "$i2" type jvpn
	container_add "$i1" 1
	container_add "$i2" 2
	ID=$(nlprobe join "$i1,jvpn0,192.0.2.1,10.0.0.1/32" \
		"$i2,jvpn0,192.0.2.2${1:+%$(index "$birth" "$1")},10.0.0.2/32" dead-base-ms=600000) ||
		fail "cannot join"
	must nlprobe wait -n "$i2" "$ID" attached
}

# index NETNS INTERFACE
index()
{
	ip -n "$1" -o link show "$2" | cut -d : -f 1
}

container_add()
{
	must ip -n "$1" link set jvpn0 addrgenmode none
	must ip -n "$1" link set jvpn0 up
	addr_add "$1" jvpn0 "10.0.0.$2/24"
}

no_sockets_in()
{
	nlprobe device -n "$1" | grep -q '^sockets=0$'
}

# Both got the same index where they were made.
two_of_one_birth()
{
	two_add
	must in_netns "$i2" ping -q -c 2 -i 0.1 -W "$PATIENCE" 10.0.0.1 > /dev/null
	[ "$(device_id "$i1")" != "$(device_id "$i2")" ] || fail "both devices have one id"
	equals "$(nlprobe device -n "$birth" -i "$(device_id "$i1")" | grep sessions=)" \
		"$(nlprobe device -n "$i1" | grep sessions=)" "what the birth namespace sees of the first"
	must ip netns del "$birth"
	wait_for no_sockets_in "$i1"
	wait_for no_sockets_in "$i2"
	! in_netns "$i2" ping -q -c 1 -W 1 10.0.0.1 > /dev/null || fail "packets leave without sockets"
	must ip -n "$i2" link del jvpn0
	equals "$(nlprobe device -n "$i1" | grep sockets=)" "sockets=0" "of the first device"
}

# The client is the second device of its birth namespace, and leaves by the interface that goes.
two_lose_a_link()
{
	two_add up0
	must ip -n "$birth" link set up0 down
	must nlprobe wait -n "$i2" "$ID" recovering
	equals "$(nlprobe get -n "$i2" "$ID" reason)" link-down "the reason"
}

# Namespaces end in every order while devices come, go and are moved, and requests hold them.
every_order()
{
	local round order name

	for round in $(seq "$(scale 2 1)"); do
		for order in "birth i1 i2" "i1 birth i2" "i2 i1 birth"; do
			two_add
			background ask "$i1"
			background ask "$birth" -i "$(device_id "$i2")"
			background move_about "$i1" "$i2"
			background make_and_delete "$birth" "$i1"
			sleep 0.0$round
			for name in $order; do
				ip netns del "${!name}" &
				[ $((round % 2)) = 0 ] || wait $!
			done
			case_reset
		done
	done
}

ask()
{
	local netns=$1

	shift
	while [ -e "/run/netns/$netns" ]; do
		nlprobe list -n "$netns" "$@"
		nlprobe device -n "$netns" "$@"
	done > /dev/null 2>&1
}

move_about()
{
	while [ -e "/run/netns/$1" ] && [ -e "/run/netns/$2" ]; do
		ip -n "$1" link set jvpn0 name jvpn9 netns "$2"
		ip -n "$2" link set jvpn9 name jvpn0 netns "$1"
	done > /dev/null 2>&1
}

make_and_delete()
{
	while [ -e "/run/netns/$1" ] && [ -e "/run/netns/$2" ]; do
		ip -n "$1" link add jvpn7 netns "$2" type jvpn
		ip -n "$2" link del jvpn7
	done > /dev/null 2>&1
}

case_run "two devices of one namespace lose their sockets with it" two_of_one_birth
case_run "the loss of a link reaches the second device of a namespace" two_lose_a_link
case_run "namespaces end in every order under requests and moves" every_order
case_run "the device is moved under traffic, there and back" moved_under_traffic
case_run "a device in a container, its sockets outside" container
case_run "the namespace of the sockets ends" underlay_gone
case_run "the namespace that it was moved to ends" home_gone
case_run "a device made for another namespace has its sockets here" made_elsewhere
cases_end
