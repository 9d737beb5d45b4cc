#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A gateway that says what it must not: what it gives takes nothing of the client's machine, and
# nothing enters or leaves through the tunnel that the client's own file does not send there.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

ADDRESSES="$G_IN4/24, $G_IN6/64" PEER="" ROUTES="[]" MORE=""

config_gateway()
{
	cat <<- END
		role: gateway
		device: {name: $DEV, addresses: [$ADDRESSES]}
		$(config_common g)
		$(policy_text)
		gateway:
		  listen: [{address: 0.0.0.0, port: $PORT}, {address: "::", port: $PORT}]
		  pools: ${POOLS:-[10.77.0.0/24, "fd77::/64"]}
		  default_policy: test
		  limits: {session_proofs_per_minute: 600}
		  peers:
		    - {name: client, public_key: "$(cat "$WORK/c/pub")"$PEER}
	END
}

config_client()
{
	cat <<- END
		role: client
		device: {name: $DEV}
		$(config_common "$1")
		$(policy_text)
		client:
		  gateways: [{name: gateway, public_key: "$(cat "$WORK/g/pub")", endpoints: ["$G_V4:$PORT", "[$G_V6]:$PORT"]}]
		  transports: [{name: a, interface: a0, protocol: udp4}]
		  routes: $ROUTES
		  policy: test
		  $MORE
	END
}

# try: a network and both daemons; whether there is a session is what the case is about.
try()
{
	net_make
	$NET_HOOK
	config_write
	daemon_start g
	daemon_start c
}

# refused PATTERN...: no session, and who asks is told why.
refused()
{
	local pattern

	wait_audit c "$(refusal RESP POLICY_DENIED 'collide with this machine')" 15
	for pattern; do
		contains "the client's log" "$(cat "$WORK/c/log")" "$pattern"
		contains "the client's status" "$(ctl c status)" "$pattern"
	done
	session_read c
	equal "sessions of the client" "$LIVE" 0
	[ -z "$(ip -n "${NS}c" -o addr show dev $DEV scope global)" ] || fail "it has an inner address"
	wait_for 5 "the uplink works" ping_ok c "${UPLINK_V4[a]}.254"
	wait_for 5 "the way to the gateway works" ping_ok c $G_V4
}

routes_of()
{
	ip -n "$NS$1" "$2" route show dev $DEV
}

# Half of everything is no inner network.
network_of_half_the_internet()
{
	ADDRESSES="$G_IN4/1, $G_IN6/1" POOLS="[]" PEER=", addresses: [10.77.0.5, 'fd77::5']"
	try
	wait_attached c 1
	equal "the inner IPv4 address" "$(ip -n "${NS}c" -4 -o addr show dev $DEV | sed -nE '1s/.* inet ([0-9.]+(\/[0-9]+)?) .*/\1/p')" 10.77.0.5/32
	equal "IPv4 routes" "$(routes_of c -4)" ""
	! routes_of c -6 | grep -v '^fe80\|^ff00\|^fd77::5 ' || fail "there are IPv6 routes"
	contains "the log" "$(cat "$WORK/c/log")" 'inner network of 10.77.0.5/1 is not taken'
	contains "the log" "$(cat "$WORK/c/log")" 'inner network of fd77::5/1 is not taken'
	contains "the way out" "$(ip -n "${NS}c" route get 8.8.8.8)" 'dev a0'
}

inner_network_of_a_sensible_size()
{
	try
	wait_attached c 1
	wait_for 5 "the client reaches the gateway" ping_ok c $G_IN4
	wait_for 5 "the client reaches the gateway, IPv6" ping_ok c $G_IN6
	contains "the inner IPv4 address" "$(ip -n "${NS}c" -4 -o addr show dev $DEV)" 'inet 10\.77\.0\.[0-9]+/32 scope'
	contains "the IPv4 route" "$(routes_of c -4)" '^10\.77\.0\.0/24'
	contains "the IPv6 route" "$(routes_of c -6)" '^fd77::/64'
}

no_inner_network()
{
	MORE="inner_network: none"
	try
	wait_attached c 1
	equal "IPv4 routes" "$(routes_of c -4)" ""
	! routes_of c -6 | grep '^fd77::/64' || fail "there is an IPv6 route"
}

address_of_the_router()
{
	PEER=", addresses: [198.51.100.254, '2001:db8:a::fe']"
	try
	refused '198.51.100.254 that the gateway gives (is|lies in)' '2001:db8:a::fe that the gateway gives (is|lies in)'
}

address_of_the_gateway()
{
	PEER=", addresses: [$G_V4, '$G_V6']"
	try
	refused "$G_V4 that the gateway gives is an outer address" "$G_V6 that the gateway gives is an outer address"
}

address_that_is_none()
{
	PEER=", addresses: [224.0.0.7, '::1']"
	try
	refused '224.0.0.7 that the gateway gives is a multicast' '::1 that the gateway gives is .*loopback'
}

hotel_has_the_pools_network()
{
	ip -n "${NS}c" addr add 10.77.0.99/24 dev a0
	ip -n "${NS}c" addr add fd77::99/64 dev a0 nodad
}

address_in_a_network_of_its_own()
{
	NET_HOOK=hotel_has_the_pools_network
	try
	refused 'lies in a network that this machine is in .10.77.0.0/24' 'lies in a network that this machine is in .fd77::/64'
}

# It moves there with a session: it goes on, and says what is wrong.
network_of_its_own_comes_later()
{
	try
	wait_attached c 1
	session_read c
	hotel_has_the_pools_network
	wait_for 5 "the log tells of it" grep -q 'collides with this machine' "$WORK/c/log"
	contains "explain" "$(ctl c session explain "$SID")" 'lies in a network that this machine is in .10.77.0.0/24'
	equal "sessions of the client" "$LIVE $STATE" "1 ATTACHED"
	ctl c reload > /dev/null || fail "reload failed"
	wait_audit c '"to":"TERMINATED","reason":"POLICY_FAILURE".*collides with this machine' 5
	refused 'lies in a network that this machine is in .10.77.0.0/24'
}

# The gateway's route to what it gives would lead its own answers into the tunnel.
answers_find_their_way()
{
	ip -n "${NS}g" route add default via $R_V4 table 77
	ip -n "${NS}g" rule add to 198.51.100.1 ipproto udp lookup 77
}

# What is good of it is taken.
one_family_is_refused()
{
	NET_HOOK=answers_find_their_way
	PEER=", addresses: [198.51.100.1, 'fd77::5']"
	try
	wait_attached c 1
	wait_for 5 "the client reaches the gateway, IPv6" ping_ok c $G_IN6
	equal "IPv4 addresses" "$(inner c)" ""
	session_same
	contains "explain" "$(ctl c session explain "$SID")" "198.51.100.1 that the gateway gives is this machine's own address"
	wait_for 5 "the uplink works" ping_ok c 198.51.100.254
}

# --- whose packets come out of the tunnel ------------------------------------------------------

# strangers: packets to the client's inner addresses from networks that it does not route there.
strangers()
{
	ip -n "${NS}g" addr add 172.31.9.9/32 dev lo
	ip -n "${NS}g" addr add fdee::9/128 dev lo
	on c nft -f - <<- END
		table inet count {
			counter four { }
			counter six { }
			chain in {
				type filter hook input priority 0;
				iifname $DEV ip saddr 172.31.9.9 counter name four
				iifname $DEV ip6 saddr fdee::9 counter name six
			}
		}
	END
	on g ping -n -q -c 3 -i 0.2 -W 1 -I 172.31.9.9 "$(inner c)" > /dev/null
	on g ping -n -q -c 3 -i 0.2 -W 1 -I fdee::9 "$(inner6 c)" > /dev/null
	# What came after them is there.
	wait_for 5 "the gateway reaches the client" ping_ok g "$(inner c)"
	wait_for 5 "the gateway reaches the client, IPv6" ping_ok g "$(inner6 c)"
}

inner6()
{
	on "$1" ip -6 -o addr show dev $DEV scope global | sed -nE '1s/.* inet6 ([0-9a-f:]+).*/\1/p'
}

counted()
{
	on c nft list counter inet count "$1" | sed -nE 's/.*packets ([0-9]+).*/\1/p'
}

split_tunnel_takes_its_routes_only()
{
	ROUTES="[192.168.0.0/16, 'fd05::/48']"
	try
	wait_attached c 1
	strangers
	equal "packets of strangers, IPv4" "$(counted four)" 0
	equal "packets of strangers, IPv6" "$(counted six)" 0
}

what_is_routed_is_taken()
{
	ROUTES="[172.31.0.0/16, 'fdee::/16']"
	try
	wait_attached c 1
	strangers
	equal "packets, IPv4" "$(counted four)" 3
	equal "packets, IPv6" "$(counted six)" 3
	wait_for 5 "the client reaches what is routed" ping_ok c 172.31.9.9
	wait_for 5 "the client reaches what is routed, IPv6" ping_ok c fdee::9
}

everything_if_the_file_says_so()
{
	MORE="accept_sources: any"
	try
	wait_attached c 1
	strangers
	equal "packets, IPv4" "$(counted four)" 3
	equal "packets, IPv6" "$(counted six)" 3
}

# A route more or less: the kernel's session is made anew for it.
routes_change_by_reload()
{
	ROUTES="[172.31.0.0/16]"
	try
	wait_attached c 1
	ip -n "${NS}g" addr add 172.31.9.9/32 dev lo
	wait_for 5 "the client reaches what is routed" ping_ok c 172.31.9.9
	sed -i 's#172.31.0.0/16#172.30.0.0/16#' "$WORK/c/config.yaml"
	ctl c reload > /dev/null || fail "reload failed"
	wait_audit c '"to":"TERMINATED","reason":"POLICY_FAILURE".*routes other networks' 5
	wait_attached c 2
	! ping_ok c 172.31.9.9 || fail "it is still routed"
	reach
}

test_main network_of_half_the_internet inner_network_of_a_sensible_size no_inner_network \
	address_of_the_router address_of_the_gateway address_that_is_none \
	address_in_a_network_of_its_own network_of_its_own_comes_later one_family_is_refused \
	split_tunnel_takes_its_routes_only what_is_routed_is_taken everything_if_the_file_says_so \
	routes_change_by_reload
