#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What is behind a client is reached from the gateway as its file says: routes come with the peer,
# and go with it.
. "$(dirname "$(realpath "$0")")/lib-leak.sh"

SITE=", allowed_prefixes: [192.168.5.0/24, 'fd05:5::/48']"

branch()
{
	ip -n "${NS}c" link add lan0 type dummy
	ip -n "${NS}c" link set lan0 up
	ip -n "${NS}c" addr add 192.168.5.1/24 dev lan0
	ip -n "${NS}c" addr add fd05:5::1/48 dev lan0 nodad
	on c sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

site_is_reached()
{
	ping_ok g 192.168.5.1 && on g ping -6 -q -c 1 -W 1 fd05:5::1
}

site_is_reached_both_ways()
{
	NET_HOOK=branch PEER_MORE=$SITE
	pair_fresh
	wait_for 5 "the branch" site_is_reached
	on c ping -q -c 1 -W 2 -I 192.168.5.1 $G_IN4 > /dev/null || fail "the branch does not reach the gateway"
}

routes_go_with_the_peer()
{
	NET_HOOK=branch PEER_MORE=$SITE
	pair_up
	wait_for 5 "the branch" site_is_reached
	ip -n "${NS}g" route flush dev $DEV
	wait_for 5 "the branch, after a flush" site_is_reached
	sed -i 's#192.168.5.0/24#192.168.6.0/24#' "$WORK/g/config.yaml"
	ctl g reload > /dev/null || fail "reload failed"
	equal "the way to the new network" "$(way g 192.168.6.1)" $DEV
	equal "the way to the old one" "$(way g 192.168.5.1)" g0
	sed -i 's#allowed_prefixes: .*\]#max_sessions: 1#' "$WORK/g/config.yaml"
	ctl g reload > /dev/null || fail "reload failed"
	equal "the way without" "$(way g 192.168.6.1)" g0
	equal "the way without, IPv6" "$(way g fd05:5::1)" g0
}

# A pool beside the device's own network, and a network that the gateway is in itself.
pools_elsewhere_and_what_cannot_be_had()
{
	POOLS="[10.78.0.0/24, 'fd77::/64']" ROUTES="[10.77.0.0/24]" PEER_MORE=", allowed_prefixes: [192.0.2.0/24, 0.0.0.0/0]"
	pair_fresh
	equal "the way to the pool" "$(way g 10.78.0.9)" $DEV
	wait_for 5 "the client" ping_ok g "$(inner c)"
	equal "the way out of the gateway" "$(way g 198.18.0.1)" g0
	contains "the log" "$(cat "$WORK/g/log")" 'route 192.0.2.0/24: it cannot be had: another interface has the same'
	contains "status" "$(ctl g status)" 'route 192.0.2.0/24: it cannot be had'
	session_read g
	contains "explain" "$(ctl g session explain "$SID")" 'route 192.0.2.0/24: it cannot be had'
}

test_main site_is_reached_both_ways routes_go_with_the_peer pools_elsewhere_and_what_cannot_be_had
