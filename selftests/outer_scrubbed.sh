#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Proves that what the machine has decided about an inner packet (its connection, zone,
# marks) is not found in the outer one, nor the other way round, so that clients and gateways may
# translate addresses and mark packets; and that senders still feel the queues of the underlay.

. "$(dirname "$0")/lib.sh"

# nft_load NETNS: a ruleset from standard input; skipped where the kernel cannot do what it says.
nft_load()
{
	in_netns "$1" nft -f - 2> nft.err || skip "no $2 in this kernel: $(head -n 1 nft.err)"
}

# nft_count NETNS NAME: packets of a named counter.
nft_count()
{
	in_netns "$1" nft list counter inet t "$2" | awk '$1 == "packets" { print $2 }'
}

# site_add: h behind c (10.9.0.2, fd09::2), k behind g (10.8.0.2, fd08::2); both ends forward.
site_add()
{
	netns_add h k
	link_add "$c" hc "$h" vh
	link_add "$g" kg "$k" vk
	addr_add "$c" hc 10.9.0.1/24 fd09::1/64
	addr_add "$h" vh 10.9.0.2/24 fd09::2/64
	addr_add "$g" kg 10.8.0.1/24 fd08::1/64
	addr_add "$k" vk 10.8.0.2/24 fd08::2/64
	must ip -n "$h" route add default via 10.9.0.1
	must ip -n "$h" -6 route add default via fd09::1
	forwarding_on "$c"
	forwarding_on "$g"
	must ip -n "$c" route add 10.8.0.0/24 dev jvpn0
	must ip -n "$c" -6 route add fd08::/64 dev jvpn0
}

# tunnel_wide OUTER: as tunnel_add; the gateway's inner networks are everything.
tunnel_wide()
{
	local gateway=192.0.2.1 client=192.0.2.2

	[ "$1" = 4 ] || { gateway=2001:db8::1 client=2001:db8::2; }
	underlay_add
	ID=$(nlprobe join "$g,jvpn0,$gateway,0.0.0.0/0,::/0" "$(end_c $client)") || fail "cannot join"
	must nlprobe wait -n "$g" "$ID" attached
	site_add
}

# all_answered NETNS ADDRESS...: 20 pings each.
all_answered()
{
	local netns=$1 address
	shift

	for address; do
		in_netns "$netns" ping -q -c 20 -i 0.01 -W "$PATIENCE" "$address" > out ||
			fail "$address: $(grep received out)"
		grep -q ' 20 received' out || fail "$address: $(grep received out)"
	done
}

# transfer FROM ADDRESS PORT RECEIVER
transfer()
{
	local receiver

	background in_netns "$4" stream listen "$3" > got
	receiver=$!
	wait_for tcp_listens "$4" "$3"
	must timeout $((PATIENCE * 3)) ip netns exec "$1" stream send "$2" "$3" 200000
	wait $receiver || fail "the receiver has failed"
}

# ---- translated addresses ----

# The client and the gateway translate inner addresses, the gateway those of the underlay, too.
translated()
{
	tunnel_wide "$1"
	must in_netns "$c" nft -f - <<- END
		table inet t {
			chain pre {
				type nat hook prerouting priority dstnat
				iifname "jvpn0" tcp dport 7300 dnat ip6 to fd09::2
			}
			chain post {
				type nat hook postrouting priority srcnat
				oifname "jvpn0" masquerade
			}
		}
	END
	must in_netns "$g" nft -f - <<- END
		table inet t {
			chain post {
				type nat hook postrouting priority srcnat
				oifname { "kg", "vg" } masquerade
			}
		}
	END
	all_answered "$h" 10.0.0.1 fd00::1
	# Through both: to a host that knows neither.
	all_answered "$h" 10.8.0.2 fd08::2
	transfer "$h" 10.8.0.2 7200 "$k"
	# And from outside to the host behind the client.
	transfer "$g" fd00::2 7300 "$h"
	equals "$(nlprobe get -n "$c" "$ID" version)" 1 "the version"
}

# ---- marks ----

# What is decided about inner packets at c, and seen there of outer ones; at g the other way round.
leaks_rules()
{
	must in_netns "$c" nft -f - <<- END
		table inet t {
			counter inner { }
			counter marked { }
			counter connection { }
			chain post {
				type filter hook postrouting priority mangle
				oifname "jvpn0" meta mark set 0x42 counter name inner
				oifname "vc" meta l4proto udp meta mark != 0 counter name marked
				oifname "vc" meta l4proto udp ct original protocol != udp counter name connection
			}
		}
	END
	must in_netns "$g" nft -f - <<- END
		table inet t {
			counter outer { }
			counter marked { }
			counter connection { }
			chain pre {
				type filter hook prerouting priority mangle
				iifname "vg" meta l4proto udp meta mark set 0x55 counter name outer
				iifname "jvpn0" meta mark != 0 counter name marked
				iifname "jvpn0" meta l4proto { icmp, icmpv6 } ct original protocol udp counter name connection
			}
		}
	END
}

marks()
{
	tunnel_wide "$1"
	must ip -n "$g" route add 10.9.0.0/24 dev jvpn0
	must in_netns "$c" nft add table inet nat
	must in_netns "$c" nft -f - <<- END
		table inet nat {
			chain post {
				type nat hook postrouting priority srcnat
				oifname "jvpn0" masquerade
			}
		}
	END
	leaks_rules
	all_answered "$h" 10.0.0.1
	all_answered "$c" fd00::1
	transfer "$h" 10.0.0.1 7200 "$g"
	[ "$(nft_count "$c" inner)" -gt 40 ] || fail "hardly an inner packet was marked"
	[ "$(nft_count "$g" outer)" -gt 40 ] || fail "hardly an outer packet was marked"
	equals "$(nft_count "$c" marked)" 0 "outer packets with the inner mark"
	equals "$(nft_count "$c" connection)" 0 "outer packets with the inner connection"
	equals "$(nft_count "$g" marked)" 0 "inner packets with the outer mark"
	equals "$(nft_count "$g" connection)" 0 "inner packets with the outer connection"
}

connmarks()
{
	tunnel_wide "$1"
	nft_load "$c" "connection marks" <<- END
		table inet t {
			counter inner { }
			counter leaked { }
			chain post {
				type filter hook postrouting priority mangle
				oifname "jvpn0" ct mark set 0x42 counter name inner
				oifname "vc" ct mark 0x42 counter name leaked
			}
		}
	END
	nft_load "$g" "connection marks" <<- END
		table inet t {
			counter outer { }
			counter leaked { }
			chain pre {
				type filter hook prerouting priority mangle
				iifname "vg" meta l4proto udp ct mark set 0x55 counter name outer
				iifname "jvpn0" ct mark 0x55 counter name leaked
			}
		}
	END
	all_answered "$c" 10.0.0.1 fd00::1
	[ "$(nft_count "$c" inner)" -gt 0 ] || fail "no inner connection was marked"
	[ "$(nft_count "$g" outer)" -gt 0 ] || fail "no outer connection was marked"
	equals "$(nft_count "$c" leaked)" 0 "outer packets with the mark of the inner connection"
	equals "$(nft_count "$g" leaked)" 0 "inner packets with the mark of the outer connection"
}

zones()
{
	tunnel_wide "$1"
	nft_load "$c" "connection zones" <<- END
		table inet t {
			counter inner { }
			counter leaked { }
			chain pre {
				type filter hook prerouting priority raw
				iifname { "hc", "jvpn0" } ct zone set 7 counter name inner
			}
			chain post {
				type nat hook postrouting priority srcnat
				oifname "jvpn0" masquerade
			}
			chain late {
				type filter hook postrouting priority mangle
				oifname "vc" ct zone 7 counter name leaked
			}
		}
	END
	all_answered "$h" 10.0.0.1 fd00::1
	[ "$(nft_count "$c" inner)" -gt 0 ] || fail "no inner packet was in the zone"
	equals "$(nft_count "$c" leaked)" 0 "outer packets in the inner zone"
}

# ---- the owner stays ----

queued()
{
	in_netns "$c" tc -s qdisc show dev vc | awk '
		$1 == "backlog" { n = $2; sub("b", "", n); if (sub("K", "", n)) n *= 1024; if (sub("M", "", n)) n *= 1048576; print int(n); exit }'
}

something_waits()
{
	[ "$(queued)" -gt 0 ]
}

# A sender's own limit (TCP small queues) counts what waits in the underlay: the queue of a slow
# link holds some super-packets of it, not its whole window.
small_queues()
{
	local most=0 now i

	tunnel_add "$1" dead-base-ms=60000
	must in_netns "$c" tc qdisc add dev vc root handle 1: htb default 1
	must in_netns "$c" tc class add dev vc parent 1: classid 1:1 htb rate "$(scale 20mbit 4mbit)" burst 100k cburst 100k
	must in_netns "$c" tc qdisc add dev vc parent 1:1 handle 2: pfifo limit 10000
	must in_netns "$c" sysctl -qw net.ipv4.tcp_wmem="4096 8000000 8000000"
	must in_netns "$g" sysctl -qw net.ipv4.tcp_rmem="4096 8000000 8000000"
	background in_netns "$g" stream listen 7400 > got
	wait_for tcp_listens "$g" 7400
	background in_netns "$c" stream send 10.0.0.1 7400 0 > /dev/null
	# A slow machine takes its time until it sends faster than the link.
	wait_for something_waits
	for i in $(seq 40); do
		sleep 0.05
		now=$(queued)
		[ "$now" -le $most ] || most=$now
	done
	note "at most $most octets in the queue of the underlay"
	[ $most -gt 0 ] || fail "nothing ever waited: this tests nothing"
	[ $most -lt 600000 ] || fail "$most octets of one sender in the queue of the underlay"
}

for outer in 4 6; do
	case_run "addresses are translated, over IPv$outer" translated $outer
	case_run "marks and connections stay in their layer, over IPv$outer" marks $outer
	case_run "connection marks stay in their layer, over IPv$outer" connmarks $outer
	case_run "connection zones stay in their layer, over IPv$outer" zones $outer
	case_run "a sender feels the queue of the underlay, over IPv$outer" small_queues $outer
done
cases_end
