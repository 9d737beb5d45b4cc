#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Proves that what a path lets through is found out by heartbeats alone: narrow paths, black holes and
# one-way ones; that forged ICMP changes nothing; and that inner IPv6 passes on any path.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-pmtu.sh"

field()
{
	nlprobe get -n "$1" "$ID" "$2"
}

# Both ends know that the path lets this through, and search no more.
path_is()
{
	[ "$(field "$c" path_mtu) $(field "$c" searching)" = "$1 0" ] &&
		[ "$(field "$g" path_mtu) $(field "$g" searching)" = "$1 0" ]
}

# path_comes_to MTU: with traffic that uses the path.
path_comes_to()
{
	local end=$((SECONDS + 3 * PATIENCE))

	until path_is "$1"; do
		[ $SECONDS -lt $end ] ||
			fail "the path MTU is $(field "$c" path_mtu) and $(field "$g" path_mtu), not $1"
		in_netns "$c" ping -M dont -q -c 1 -W 1 -s 1300 10.0.0.1 > ping.out 2>&1
	done
}

fragments()
{
	in_netns "$1" cat /proc/net/snmp /proc/net/snmp6 |
		awk '$1 == "Ip6FragCreates" { n += $2 } $1 == "Ip:" && at { n += $at; at = 0 }
			$1 == "Ip:" && !seen { for (i = 2; i <= NF; i++) if ($i == "FragCreates") at = i; seen = 1 }
			END { print n + 0 }'
}

# forge AT VICTIM KIND SPORT DPORT: three of them from AT to the other end, about what that sent.
forge()
{
	local at=$1 to=$2 from=$3 mtu=68
	shift 3

	[[ $to != *:* ]] || mtu=1280
	must in_netns "$at" "$SELFTESTS/forge_icmp.py" "$to" $mtu "$1" "$to" "$2" "$from" "$3" 3
}

# forge_all NETNS ITS-ADDRESS VICTIM VICTIM-ADDRESS: of all kinds, and twice.
forge_all()
{
	local local_port remote_port n
	local_port=$(field "$3" local_port)
	remote_port=$(field "$3" remote_port)

	for n in 1 2; do
		forge "$1" "$4" "$2" udp "$local_port" "$remote_port"
		forge "$1" "$4" "$2" udp "$local_port" 9
		forge "$1" "$4" "$2" udp 9 "$remote_port"
		forge "$1" "$4" "$2" tcp 7000 7001
		forge "$1" "$4" "$2" echo 0 0
		forge "$1" "$4" "$2" reply 0 0
	done
}

# The host believes it: otherwise the case would prove nothing.
host_believes()
{
	in_netns "$1" ip route get "$2" | grep -qE 'mtu (lock )?(552|1280)'
}

# full_size ROOM: packets that fill the path pass both ways, whole.
full_size()
{
	local address

	for address in 10.0.0.1 fd00::1; do
		must pings "$1" $address "$c"
	done
	for address in 10.0.0.2 fd00::2; do
		must pings "$1" $address "$g"
	done
}

forged()
{
	local outer=$1 a=192.0.2 room before
	room=$((1500 - $(overhead "$outer")))
	[ "$outer" = 4 ] || a=2001:db8:
	local at_g=$a.1 at_c=$a.2

	[ "$outer" = 4 ] || { at_g=$a:1; at_c=$a:2; }
	tunnel_add "$outer" active-interval-ms=100
	big_devices
	path_comes_to 1500
	before="$(fragments "$c") $(fragments "$g")"
	forge_all "$g" "$at_g" "$c" "$at_c"
	forge_all "$c" "$at_c" "$g" "$at_g"
	wait_for host_believes "$c" "$at_g"
	wait_for host_believes "$g" "$at_c"
	full_size $room
	# The next verification is over: probes are of no other opinion.
	wait_for probes_again
	path_is 1500 || fail "the path MTU is $(field "$c" path_mtu) and $(field "$g" path_mtu)"
	full_size $room
	equals "$(field "$c" pmtu) $(field "$g" pmtu)" "$room $room" "what senders are told"
	equals "$(fragments "$c") $(fragments "$g")" "$before" "fragments"
	equals "$(counter "$c" tx_drop_too_big) $(counter "$g" tx_drop_too_big)" "0 0" "refused"
	equals "$(counter "$c" mtu_lost) $(counter "$g" mtu_lost)" "0 0" "sizes given up"
}

probes_again()
{
	in_netns "$c" ping -q -c 1 -W 1 -s 1300 10.0.0.1 && [ "$(counter "$c" tx_mtu_probes)" -ge 2 ]
}

# path_filter: the router tells nobody, and drops what is above this instead of cutting it.
path_filter()
{
	nft_of "$r" <<- END
		table inet path
		delete table inet path
		table inet path {
			chain out {
				type filter hook output priority 0;
				icmp type destination-unreachable drop
				icmpv6 type packet-too-big drop
			}
			chain forward {
				type filter hook forward priority 0;
				meta length > $1 drop
			}
		}
	END
}

nft_of()
{
	in_netns "$1" nft -f - 2> nft.err || skip "no packet filter here: $(head -n 1 nft.err)"
}

# A black hole, at the start and while a connection runs; nobody says a word.
black_hole()
{
	local outer=$1 octets receiver room
	octets=$(scale 2000000 500000)

	router_add "$outer" 1500
	big_devices
	path_filter 1380
	path_comes_to 1380
	path_filter 65535
	path_filter 1340
	background in_netns "$g" stream listen 7000 > got
	receiver=$!
	wait_for tcp_listens "$g" 7000
	must timeout $((PATIENCE * 3)) ip netns exec "$c" stream send 10.0.0.1 7000 "$octets"
	wait $receiver || fail "the receiver has failed"
	path_comes_to 1340
	room=$((1340 - $(overhead "$outer")))
	equals "$(field "$c" pmtu) $(field "$g" pmtu)" "$room $room" "what senders are told"
	[ "$(counter "$c" mtu_lost)" -ge 1 ] || fail "the loss of a size is not counted"
	# The other way there is nothing but what the client has found out.
	path_filter 1320
	background in_netns "$c" stream listen 7001 > got
	receiver=$!
	wait_for tcp_listens "$c" 7001
	must timeout $((PATIENCE * 3)) ip netns exec "$g" stream send fd00::2 7001 "$octets"
	wait $receiver || fail "the receiver has failed"
}

# Only the way back is narrow.
one_way()
{
	router_add 4 1500
	big_devices
	must ip -n "$r" link set rc mtu 1400
	path_comes_to 1400
	must pings 1340 10.0.0.2 "$g"
}

# ipv6_passes: inner IPv6 of up to 1280 octets, both ways.
ipv6_passes()
{
	local PING_PATIENCE=$QUICK

	pings 1280 fd00::1 "$c" && pings 1280 fd00::2 "$g" && pings 1250 fd00::1 "$c"
}

# Inner IPv6 of 1280 octets passes on every path, and nobody is told less.
narrow_ipv6()
{
	local outer=$1 mtu
	shift

	router_add "$outer" 1500
	big_devices
	path_comes_to 1500
	for mtu; do
		must ip -n "$r" link set rg mtu "$mtu"
		must ip -n "$r" link set rc mtu "$mtu"
		wait_for ipv6_passes
		path_comes_to "$mtu"
		must ipv6_passes
		in_netns "$c" ip -6 route flush cache
		equals "$(told_mtu in_netns "$c" ping -M 'do' -c 2 -i 0.2 -W 1 -s 1400 fd00::1)" \
			$((mtu - $(overhead "$outer") > 1280 ? mtu - $(overhead "$outer") : 1280)) "the MTU told"
		must in_netns "$c" ping -M dont -q -c 1 -W "$PATIENCE" -s 3000 10.0.0.1 > out
	done
	[ "$(counter "$c" tx_fragmented)" -ge 3 ] || fail "nothing is counted as fragmented"
}

# The same at once on a new path, before anything is known of it.
narrow_ipv6_new()
{
	router_add "$1" "$2"
	must ipv6_passes
}

# Forwarded packets are no socket's: what may be fragmented must not depend on a sender's wish.
fragmented_forwarded()
{
	local a=192.0.2. b=172.16.0

	[ "$1" = 4 ] || a=2001:db8::
	underlay_add
	ID=$(nlprobe join "$(end_g ${a}1)" "$(end_c ${a}2),$b.0/24") || fail "cannot join"
	must nlprobe wait -n "$c" "$ID" attached
	must nlprobe wait -n "$g" "$ID" attached
	big_devices
	netns_add h
	link_add "$h" vh "$c" ch
	addr_add "$h" vh $b.1/24
	addr_add "$c" ch $b.254/24
	must in_netns "$c" sysctl -qw net.ipv4.ip_forward=1
	must ip -n "$h" link set vh mtu 9000
	must ip -n "$c" link set ch mtu 9000
	must ip -n "$h" route add default via $b.254
	must ip -n "$g" route add $b.0/24 via 10.0.0.2
	must in_netns "$h" ping -M dont -q -c 3 -i 0.05 -W "$PATIENCE" -s 1450 10.0.0.1 > out
	must in_netns "$h" ping -M dont -q -c 3 -i 0.05 -W "$PATIENCE" -s 4000 10.0.0.1 > out
	equals "$(counter "$c" tx_drop_too_big)" 0 "packets refused"
}

case_run "forged ICMP changes nothing over IPv4" forged 4
case_run "forged ICMP changes nothing over IPv6" forged 6
case_run "a black hole is found and mended over IPv4" black_hole 4
case_run "a black hole is found and mended over IPv6" black_hole 6
case_run "a path that is narrow on the way back only" one_way
case_run "inner IPv6 is never lost on narrow IPv4 paths" narrow_ipv6 4 1400 1339 1280 1000 576
case_run "inner IPv6 is never lost on narrow IPv6 paths" narrow_ipv6 6 1400 1359 1280
case_run "inner IPv6 passes at once on a narrow IPv4 path" narrow_ipv6_new 4 600
case_run "inner IPv6 passes at once on a narrow IPv6 path" narrow_ipv6_new 6 1300
case_run "forwarded packets are fragmented over IPv4" fragmented_forwarded 4
case_run "forwarded packets are fragmented over IPv6" fragmented_forwarded 6
cases_end
