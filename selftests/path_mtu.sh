#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Proves that packets too big for the path are answered as senders expect (ICMP with the right MTU
# for those that must not be fragmented), that others are fragmented, and that a path whose MTU is
# smaller further on is learned.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-pmtu.sh"

too_big()
{
	local outer=$1 address=$2 room header=28
	room=$((1500 - $(overhead "$outer")))
	[[ $address != *:* ]] || header=48

	tunnel_add "$outer"
	big_devices
	must pings $room "$address" "$c"
	equals "$(told_mtu in_netns "$c" ping -M 'do' -c 2 -i 0.2 -W 1 -s $((room + 1 - header)) "$address")" $room \
		"the MTU told"
	# The sender's routing has learned it.
	in_netns "$c" ip route get "$address" | grep -q "mtu $room" ||
		fail "the route has not learned it: $(in_netns "$c" ip route get "$address")"
	[ "$(counter "$c" tx_drop_too_big)" -ge 1 ] || fail "no packet is counted as too big"
	equals "$(nlprobe get -n "$c" "$ID" pmtu)" $room "the session's pmtu"
	must pings $room "$address" "$c"
}

# A packet that may be fragmented is, outside, and arrives.
fragmented()
{
	local outer=$1 name frags

	tunnel_add "$outer"
	big_devices
	must in_netns "$c" ping -M dont -q -c 3 -i 0.05 -W "$PATIENCE" -s 1500 10.0.0.1 > out
	must in_netns "$c" ping -M dont -q -c 3 -i 0.05 -W "$PATIENCE" -s 8000 10.0.0.1 > out
	must in_netns "$g" ping -M dont -q -c 3 -i 0.05 -W "$PATIENCE" -s 3000 10.0.0.2 > out
	equals "$(counter "$c" tx_drop_too_big)" 0 "packets dropped as too big"
	name=Ip6FragCreates
	[ "$outer" != 4 ] || name=FragCreates
	frags=$(in_netns "$c" cat /proc/net/snmp /proc/net/snmp6 | snmp_value $name)
	[ "$frags" -ge 6 ] || fail "only $frags fragments were made"
}

# snmp_value NAME: from /proc/net/snmp (names in one line, values in the next) or snmp6.
snmp_value()
{
	awk -v name="$1" '
		$1 == "Ip:" && !seen { for (i = 2; i <= NF; i++) if ($i == name) at = i; seen = 1; next }
		$1 == "Ip:" && at { print $at; exit }
		$1 == name { print $2; exit }'
}

learned()
{
	PING_PATIENCE=$QUICK pings 1400 10.0.0.1 "$c"
	[ "$(nlprobe get -n "$c" "$ID" pmtu)" = "$1" ]
}

narrow_path()
{
	local outer=$1 mtu=1400 room got
	room=$((mtu - $(overhead "$outer")))

	router_add "$outer" $mtu
	big_devices
	wait_for learned $room
	equals "$(told_mtu in_netns "$c" ping -M 'do' -c 2 -i 0.2 -W 1 -s 1380 10.0.0.1)" $room "the MTU told"
	must pings $room 10.0.0.1 "$c"
	must pings $room fd00::1 "$c"
	# TCP finds its way, with large segments in flight when the path is learned.
	background in_netns "$g" stream listen 7000 > got
	got=$!
	wait_for tcp_listens "$g" 7000
	must timeout $((PATIENCE * 3)) ip netns exec "$c" stream send 10.0.0.1 7000 "$(scale 3000000 300000)"
	wait $got || fail "the receiver has failed"
}

# The path gets narrower while a connection runs.
narrowed_under_traffic()
{
	local octets receiver

	octets=$(scale 30000000 1500000)
	router_add 4 1500
	big_devices
	background in_netns "$g" stream listen 7000 > got
	receiver=$!
	wait_for tcp_listens "$g" 7000
	background in_netns "$c" stream send 10.0.0.1 7000 "$octets"
	wait_for traffic_some
	must ip -n "$r" link set rg mtu 1300
	wait $receiver || fail "the receiver has failed"
	equals "$(cat got)" "received $octets octets" "the receiver's result"
}

traffic_some()
{
	[ "$(counter "$g" rx_packets)" -gt 50 ]
}

# A host behind the client is told, too, by the client.
host_behind()
{
	local room=$((1500 - $(overhead 4)))

	tunnel_add 4
	big_devices
	netns_add h
	link_add "$h" vh "$c" ch
	addr_add "$h" vh 172.16.0.1/24 fd16::1/64
	addr_add "$c" ch 172.16.0.254/24 fd16::fe/64
	forwarding_on "$c"
	must ip -n "$h" route add default via 172.16.0.254
	must ip -n "$h" -6 route add default via fd16::fe
	must ip -n "$g" route add 172.16.0.0/24 via 10.0.0.2
	must ip -n "$g" -6 route add fd16::/64 via fd00::2
	must ip -n "$h" link set vh mtu 1500
	# The client's session owns its own addresses only: forwarded packets need them.
	nft_masquerade "$c" jvpn0
	must pings $room 10.0.0.1 "$h"
	equals "$(told_mtu in_netns "$h" ping -M 'do' -c 2 -i 0.2 -W 1 -s $((room + 1 - 28)) 10.0.0.1)" $room \
		"the MTU told by IPv4"
	equals "$(told_mtu in_netns "$h" ping -M 'do' -c 2 -i 0.2 -W 1 -s $((room + 1 - 48)) fd00::1)" $room \
		"the MTU told by IPv6"
}

# The interface's own limit comes first.
interface_mtu()
{
	tunnel_add 4
	equals "$(cat_mtu)" 1420 "the default MTU"
	must ip -n "$c" link set jvpn0 mtu 1300
	must pings 1300 10.0.0.1 "$c"
	! pings 1301 10.0.0.1 "$c" || fail "a packet above the interface's MTU was sent"
	must ip -n "$c" link set jvpn0 mtu 68
	! ip -n "$c" link set jvpn0 mtu 67 2> /dev/null || fail "an MTU of 67 is accepted"
	! ip -n "$c" link set jvpn0 mtu 65536 2> /dev/null || fail "an MTU of 65536 is accepted"
}

cat_mtu()
{
	ip -n "$c" -o link show jvpn0 | sed -E 's/.* mtu ([0-9]+) .*/\1/'
}

case_run "IPv4 too big with DF over IPv4: ICMP with the right MTU" too_big 4 10.0.0.1
case_run "IPv4 too big with DF over IPv6: ICMP with the right MTU" too_big 6 10.0.0.1
case_run "IPv6 too big over IPv4: ICMPv6 with the right MTU" too_big 4 fd00::1
case_run "IPv6 too big over IPv6: ICMPv6 with the right MTU" too_big 6 fd00::1
case_run "IPv4 too big without DF is fragmented over IPv4" fragmented 4
case_run "IPv4 too big without DF is fragmented over IPv6" fragmented 6
case_run "a narrow path is learned over IPv4" narrow_path 4
case_run "a narrow path is learned over IPv6" narrow_path 6
case_run "a path that gets narrower breaks no connection" narrowed_under_traffic
case_run "a host behind the client is told" host_behind
case_run "the interface's own MTU holds" interface_mtu
cases_end
