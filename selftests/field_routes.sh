#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the daemon has put into the system is looked after: who takes routes, rules or addresses away
# or sets the device down finds them put right again, at both ends, and the log says so. What cannot
# be had is said.
. "$(dirname "$(realpath "$0")")/lib-leak.sh"

full_pair()
{
	ROUTES=$FULL
	pair_up
	wait_for 5 "the full tunnel" full_tunnel
}

all_of_the_devices_routes_are_flushed()
{
	full_pair
	ip -n "${NS}c" route flush dev $DEV
	ip -n "${NS}c" -6 route flush dev $DEV
	ip -n "${NS}c" route flush table "$(table_of)" 2> /dev/null
	wait_for 5 "the full tunnel is back" full_tunnel
	wait_for 5 "the inner network is back" goes_by c $G_IN4 $DEV
	contains "the log" "$(cat "$WORK/c/log")" 'somebody has changed the system: .* put right again'
	reach
}

rules_are_deleted()
{
	local before

	full_pair
	before=$(on c ip rule show)
	while read -r priority _; do
		ip -n "${NS}c" rule del priority "${priority%:}"
		ip -n "${NS}c" -6 rule del priority "${priority%:}" 2> /dev/null
	done <<< "$(grep -E '^31[0-9]{3}:' <<< "$before")"
	wait_for 5 "the rules are back" same_rules "$before"
	full_tunnel || fail "the full tunnel is not back"
	reach
}

same_rules()
{
	[ "$(on c ip rule show)" = "$1" ]
}

addresses_are_taken_away()
{
	full_pair
	ip -n "${NS}c" addr flush dev $DEV
	ip -n "${NS}g" addr flush dev $DEV
	wait_for 5 "the client's are back" has_inner c
	wait_for 5 "the gateway's are back" has_inner g
	wait_for 5 "the full tunnel is back" full_tunnel
	reach
	wait_for 5 "IPv6 inside" on c ping -6 -q -c 1 -W 1 $G_IN6
}

has_inner()
{
	[ "$(ip -n "$NS$1" -o addr show dev $DEV scope global | wc -l)" = 2 ]
}

device_is_set_down()
{
	full_pair
	for host in c g; do
		ip -n "$NS$host" link set $DEV down
		wait_for 5 "$host sets it up again" has_inner $host
		contains "the log of $host" "$(cat "$WORK/$host/log")" "$DEV was set down: it is set up again"
	done
	wait_for 5 "the full tunnel is back" full_tunnel
	reach
	wait_for 5 "IPv6 inside" on c ping -6 -q -c 1 -W 1 $G_IN6
}

# One who takes away what is put back, for ever: the daemon has other work, too.
a_fight_is_not_for_ever()
{
	local table

	ROUTES=$FULL
	pair_fresh
	wait_for 5 "the full tunnel" full_tunnel
	table=$(table_of)
	for _ in {1..120}; do
		ip -n "${NS}c" route flush table "$table"
		sleep 0.02
	done
	at_most "repairs" "$(ctl c status | awk '$1 == "system_repairs" { print $2 }')" 60
	wait_for 5 "the full tunnel is back" full_tunnel
	reach
}

# A foreign hand's own routes and addresses on the device are left alone.
what_others_have_put_there_stays()
{
	local first

	full_pair
	ip -n "${NS}c" route add 10.99.0.0/16 dev $DEV proto static
	ip -n "${NS}c" addr add 10.98.0.1/32 dev $DEV
	# Another device's, whose name has led to the same place.
	first=$(on c ip rule show | sed -nE 's/^(31[0-9]{3}):.*/\1/p' | head -n 1)
	ip -n "${NS}c" rule add priority "$first" to 203.0.113.7 lookup main protocol 106 suppress_ifgroup 77
	ip -n "${NS}c" route add 10.97.0.0/16 dev b0 proto 106
	ctl c reload > /dev/null || fail "reload failed"
	contains "the routes" "$(ip -n "${NS}c" route show dev $DEV)" '^10\.99\.0\.0/16'
	contains "the addresses" "$(ip -n "${NS}c" -o addr show dev $DEV)" '10\.98\.0\.1/32'
	contains "the rules" "$(on c ip rule show priority "$first")" 203.0.113.7
	contains "the routes of another device" "$(ip -n "${NS}c" route show dev b0)" '^10\.97\.0\.0/16'
	ip -n "${NS}c" rule del priority "$first" to 203.0.113.7
	ip -n "${NS}c" route del 10.97.0.0/16 dev b0
}

# Halves of everything, as other VPNs and hostile DHCP servers set them, and rules before ours.
what_goes_before_a_full_tunnel_is_told()
{
	full_pair
	ip -n "${NS}c" route add 128.0.0.0/1 via "${UPLINK_V4[b]}.254" dev b0
	wait_for 10 "status says so" in_the_way 'route 0.0.0.0/0: it leads into the tunnel, but 128.0.0.0/1 of it is reached over b0'
	ip -n "${NS}c" route del 128.0.0.0/1 dev b0
	wait_for 10 "it is well again" nothing_in_the_way
	ip -n "${NS}c" -6 route add default via "${UPLINK_V6[b]}::fe" dev b0 table 99
	ip -n "${NS}c" -6 rule add priority 100 lookup 99
	wait_for 10 "status says so" in_the_way 'route ::/0: it leads into the tunnel, but rules that go before ask table 99, which sends ::/0 over b0'
	ip -n "${NS}c" -6 rule del priority 100
	wait_for 10 "it is well again" nothing_in_the_way
}

# Over such a line IPv4 packets of programs that are bound to it leave, whatever the rules say.
uplink_without_neighbours_is_told()
{
	full_pair
	ip -n "${NS}c" link set b0 arp off
	wait_for 10 "status says so" in_the_way 'interface b0: it asks for no neighbours'
	session_read c
	contains "explain" "$(ctl c session explain "$SID")" 'interface b0: it asks for no neighbours'
	ip -n "${NS}c" link set b0 arp on
	wait_for 10 "it is well again" neighbours_asked_for
}

neighbours_asked_for()
{
	! in_the_way 'it asks for no neighbours'
}

in_the_way()
{
	ctl c status | grep -qF "$1"
}

routes_follow_the_file()
{
	ROUTES="[172.30.0.0/16, 'fdee::/16']"
	pair_fresh
	wait_for 5 "the route" goes_by c 172.30.0.1 $DEV
	sed -i 's#172.30.0.0/16#172.31.0.0/16#' "$WORK/c/config.yaml"
	ctl c reload > /dev/null || fail "reload failed"
	wait_for 10 "the new route" goes_by c 172.31.0.1 $DEV
	equal "the way of the old one" "$(way c 172.30.0.1)" a0
	daemon_end c TERM
	sed -i 's#172.31.0.0/16#172.29.0.0/16#' "$WORK/c/config.yaml"
	daemon_start c
	wait_for 10 "the new route" goes_by c 172.29.0.1 $DEV
	equal "the way of the one before" "$(way c 172.31.0.1)" a0
	equal "rules" "$(on c ip rule show | grep -c '^31')" 0
}

# The hotel's network is the one that the file sends through the tunnel.
network_of_the_hotel()
{
	ROUTES="[172.30.0.0/16]"
	pair_fresh
	wait_for 5 "the route" goes_by c 172.30.0.1 $DEV
	# No look is due for what has changed before.
	sleep 2
	ip -n "${NS}c" addr add 172.30.5.99/24 dev a0
	wait_for 5 "the log says so" grep -q 'route 172.30.0.0/16: it leads into the tunnel, but 172.30.5.0/24 of it is reached over a0' "$WORK/c/log"
	session_read c
	contains "explain" "$(ctl c session explain "$SID")" '172.30.5.0/24 of it is reached over a0'
	contains "status" "$(ctl c status)" '172.30.5.0/24 of it is reached over a0'
	ip -n "${NS}c" addr del 172.30.5.99/24 dev a0
	wait_for 5 "it is well again" nothing_in_the_way
}

nothing_in_the_way()
{
	! ctl c status | grep -q 'it leads into the tunnel, but'
}

test_main all_of_the_devices_routes_are_flushed rules_are_deleted addresses_are_taken_away \
	device_is_set_down what_others_have_put_there_stays \
	what_goes_before_a_full_tunnel_is_told uplink_without_neighbours_is_told a_fight_is_not_for_ever \
	routes_follow_the_file network_of_the_hotel
