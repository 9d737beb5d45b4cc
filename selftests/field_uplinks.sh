#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Which uplinks a client can use: those over which the kernel reaches the gateway, whatever their
# addresses, their number and their names are, and none that leads through the tunnel.
. "$(dirname "$(realpath "$0")")/lib-field.sh"

# moves_to_b: the session leaves a for b, and is the same one.
moves_to_b()
{
	wait_for 10 "b can be used" transport_is b ready
	uplink_down a
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" b0
}

# --- many ---------------------------------------------------------------------------------------

many()
{
	local i

	for ((i = 0; i < 300; i++)); do
		echo "link add d$i type dummy"
	done > "$WORK/batch"
	ip -n "${NS}c" -batch "$WORK/batch"
	ip -n "${NS}c" link del b0
	net_cable c b0 rb 203.0.113 2001:db8:b
	uplink_route b
}

# Containers, VLANs: the modem that is plugged in late is far down the list.
the_last_of_300_interfaces()
{
	NET_HOOK=many POLICY=$QUICK
	pair_fresh
	session_keep
	moves_to_b
}

# --- addresses ----------------------------------------------------------------------------------

# The provider routes an address to the line, which has none of its own.
unnumbered()
{
	ip -n "${NS}c" addr flush dev b0
	ip -n "${NS}c" addr add 198.18.7.1/32 dev lo
	ip -n "${NS}c" route add default via 203.0.113.254 dev b0 onlink metric 20
	ip -n "${NS}r" route add 198.18.7.1/32 dev rb
}

an_uplink_without_an_address()
{
	NET_HOOK=unnumbered POLICY=$QUICK
	pair_fresh
	session_keep
	moves_to_b
	contains "the client's address" "$G_REMOTE" '^198\.18\.7\.1:'
}

# A router with a delegated prefix: the line has a link-local address alone. The other one has IPv4.
delegated()
{
	ip -n "${NS}c" -6 addr flush dev b0 scope global
	ip -n "${NS}c" -6 addr flush dev a0 scope global
	ip -n "${NS}c" link add lan type dummy
	ip -n "${NS}c" addr add 2001:db8:d::1/64 dev lan nodad
	ip -n "${NS}c" link set lan up
	ip -n "${NS}r" -6 addr add fe80::fe/64 dev rb nodad
	ip -n "${NS}c" -6 addr add fe80::1/64 dev b0 nodad
	ip -n "${NS}c" -6 route replace default via fe80::fe dev b0 metric 20
	ip -n "${NS}r" -6 route add 2001:db8:d::/64 via fe80::1 dev rb
}

an_uplink_with_a_link_local_address()
{
	NET_HOOK=delegated POLICY=$QUICK ENDPOINTS="\"$G_V4:$PORT\", \"[$G_V6]:$PORT\""
	TRANSPORTS="[{name: a, interface: a0, protocol: udp4, preference: 200}, {name: b, interface: b0, protocol: udp6}]"
	pair_fresh
	session_keep
	on c ping -q -c 1 -W $((2 * SLOW)) -I b0 $G_V6 > /dev/null || fail "the uplink itself does not work"
	moves_to_b
	contains "the client's address" "$G_REMOTE" '^\[2001:db8:d::1\]:'
}

# A prefix that is being renumbered: its addresses are used for as long as there is no other.
a_deprecated_address()
{
	POLICY="" ENDPOINTS="\"[$G_V6]:$PORT\""
	TRANSPORTS="[{name: a, interface: a0, protocol: udp6}]"
	pair_fresh
	session_keep
	ip -n "${NS}c" addr change 2001:db8:a::1/64 dev a0 preferred_lft 0 valid_lft 600
	on c ip -6 addr show dev a0 | grep -q deprecated || fail "the address is not deprecated"
	ctl c reload > /dev/null || fail "reload"
	session_kept 0 0 0
	equal "the transport" "$(transports)" "a active"
}

# --- choosing by itself -------------------------------------------------------------------------

# An overlay that runs inside of the tunnel, and one that does not.
overlays()
{
	ip -n "${NS}c" -batch - <<- END
		link add br1 type bridge
		link add vx1 master br1 type vxlan id 8 dstport 4790
		link set vx1 up
	END
	bridge -n "${NS}c" fdb append 00:00:00:00:00:00 dev vx1 dst $G_IN4
	ip -n "${NS}c" -batch - <<- END
		addr add 10.98.0.2/24 dev br1
		link set br1 up
		route add $G_V4/32 via 10.98.0.1 dev br1 metric 2
		link add vx0 type vxlan id 7 remote $G_IN4 dstport 4789
		addr add 10.99.0.2/24 dev vx0
		link set vx0 up
		route add $G_V4/32 via 10.99.0.1 dev vx0 metric 1
		link add vx2 type vxlan id 9 remote $R_V4 dstport 4791
		addr add 10.97.0.2/24 dev vx2
		link set vx2 up
		route add $G_V4/32 via 10.97.0.1 dev vx2 metric 500
	END
}

what_runs_inside_of_the_tunnel()
{
	TRANSPORTS=auto POLICY="standby_interval_ms: 0"
	pair_fresh
	session_keep
	overlays
	wait_for 5 "the overlay outside of the tunnel is seen" transport_is vx2-udp4 ready
	equal "the transports" "$(transports)" "a0-udp4 active
b0-udp4 ready
vx2-udp4 ready"
	session_kept 0 0 0
}

# The same, by the file: it is there, and refused with the reason.
a_transport_inside_of_the_tunnel()
{
	TRANSPORTS="[{name: a, interface: a0, protocol: udp4}, {name: v, interface: vx0, protocol: udp4}]"
	pair_fresh
	session_keep
	overlays
	wait_for 5 "the overlay is seen" transport_is v unusable
	wait_for 5 "the reason is told" told_that_it_leads_inside
	ctl c session jump "$SID" v > "$WORK/jump" 2>&1 && fail "it jumped into itself"
	session_kept 0 0 0
}

told_that_it_leads_inside()
{
	ctl c transport list | grep -qE '^v .*through the tunnel itself'
}

# What the system prefers is preferred: first, and when it changes its mind.
route_metrics()
{
	TRANSPORTS=auto POLICY="failback_stable_ms: 1000, standby_interval_ms: 1000"
	NET_HOOK=b_is_better
	pair_make
	session_keep
	equal "the transport" "$VIA" b0
	ip -n "${NS}c" route del default dev a0 metric 10
	ip -n "${NS}c" route add default via 198.51.100.254 dev a0 metric 3
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the transport" "$VIA" a0
}

b_is_better()
{
	ip -n "${NS}c" route del default dev b0 metric 20
	ip -n "${NS}c" route add default via 203.0.113.254 dev b0 metric 5
}

# --- the gateway's own ----------------------------------------------------------------------------

# Of two providers the second has the worse route; each lets only its own addresses out.
two_providers()
{
	net_cable g g1 rh 192.0.3 2001:db8:e
	ip -n "${NS}g" route add default via 192.0.3.254 dev g1 metric 100
	ip -n "${NS}g" -6 route add default via 2001:db8:e::fe dev g1 metric 5000
	on r sysctl -qw net.ipv4.conf.rg.rp_filter=1 net.ipv4.conf.rh.rp_filter=1
	on r nft -f - <<- END
		table ip6 providers {
			chain in {
				type filter hook prerouting priority 0
				iifname "rg" ip6 saddr 2001:db8:e::/64 drop
				iifname "rh" ip6 saddr 2001:db8:9::/64 drop
			}
		}
	END
}

# Who is asked at the second provider's address answers by way of the second provider.
a_gateway_with_two_providers()
{
	NET_HOOK=two_providers ENDPOINTS="\"192.0.3.1:$PORT\""
	TRANSPORTS="[{name: a, interface: a0, protocol: udp4}]"
	pair_fresh
	session_keep
	reach
	equal "the gateway's address" "$REMOTE" "192.0.3.1:$PORT"
}

the_same_by_IPv6()
{
	NET_HOOK=two_providers ENDPOINTS="\"[2001:db8:e::1]:$PORT\""
	TRANSPORTS="[{name: a, interface: a0, protocol: udp6}]"
	pair_fresh
	session_keep
	reach
	equal "the gateway's address" "$REMOTE" "[2001:db8:e::1]:$PORT"
}

# Where the question came in by there is no way back: what is not known there is not on that link.
one_way()
{
	net_cable g g1 rh 192.0.3 2001:db8:e
}

a_gateway_that_answers_by_another_way()
{
	NET_HOOK=one_way ENDPOINTS="\"192.0.3.1:$PORT\""
	TRANSPORTS="[{name: a, interface: a0, protocol: udp4}]"
	pair_fresh
	session_keep
	reach
	equal "the gateway's address" "$REMOTE" "192.0.3.1:$PORT"
}

# The first one fails: the client asks at the other address, from where it was, and is answered from there.
the_gateways_provider_fails()
{
	NET_HOOK=two_providers ENDPOINTS="\"$G_V4:$PORT\", \"192.0.3.1:$PORT\"" POLICY=$QUICK
	TRANSPORTS="[{name: a, interface: a0, protocol: udp4}]"
	pair_fresh
	session_keep
	equal "the gateway's address" "$REMOTE" "$G_V4:$PORT"
	on r nft -f - <<- END
		table ip failed { chain forward { type filter hook forward priority 0; iifname "rg" drop; oifname "rg" drop; }; }
	END
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the gateway's address" "$REMOTE" "192.0.3.1:$PORT"
	reach
}

test_main the_last_of_300_interfaces an_uplink_without_an_address \
	an_uplink_with_a_link_local_address a_deprecated_address what_runs_inside_of_the_tunnel \
	a_transport_inside_of_the_tunnel route_metrics a_gateway_with_two_providers the_same_by_IPv6 \
	a_gateway_that_answers_by_another_way the_gateways_provider_fails
