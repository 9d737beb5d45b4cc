#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Proves that the receive path lives with what operators tune: sockets that poll devices, NAPI in
# threads of its own, packets steered to other processors.

. "$(dirname "$0")/lib.sh"

# Polling is a setting of the whole kernel, for sockets that are made from now on.
poll_for()
{
	sysctl -qw net.core.busy_read="$1" net.core.busy_poll="$1" 2> /dev/null
}

# second_link_add: namespace o, whose packets to 192.0.2.1 arrive at g by another interface.
second_link_add()
{
	netns_add o
	link_add "$o" vo "$g" vp
	addr_add "$o" vo 198.51.100.2/24
	addr_add "$g" vp 198.51.100.1/24
	must ip -n "$o" route add 192.0.2.1 via 198.51.100.1
}

# polled_link FROM NAME TO NAME: what is sent there is received by a NAPI, which can be polled: that
# is what veth does for GRO, if the other end sends no super-packets.
polled_link()
{
	must in_netns "$1" ethtool -K "$2" tso off
	must in_netns "$3" ethtool -K "$4" gro on
	# It keeps what GRO has, for somebody who polls it.
	must in_netns "$3" sh -c "echo 50000000 > /sys/class/net/$4/gro_flush_timeout"
	must in_netns "$3" sh -c "echo 100 > /sys/class/net/$4/napi_defer_hard_irqs"
}

# port_of NETNS ADDRESS: of the module's socket there.
port_of()
{
	in_netns "$1" ss -Hlun "src $2" | sed -n 's/.*'"${2//./\\.}"':\([0-9]*\) .*/\1/p' | head -n 1
}

drops_rise()
{
	[ "$(counter "$g" rx_drop_type)" -gt $(($1 + $2)) ]
}

# Two interfaces deliver to one socket. It remembers the first; a walk for the second that polled
# the first would be in itself.
two_interfaces()
{
	local port before i

	tunnel_add 4
	second_link_add
	polled_link "$c" vc "$g" vg
	polled_link "$o" vo "$g" vp
	port=$(port_of "$g" 192.0.2.1)
	[ -n "$port" ] || fail "the module has no socket at 192.0.2.1"
	must in_netns "$c" ping -q -c 1 -W "$PATIENCE" 10.0.0.1 > /dev/null
	background in_netns "$c" stream udp-send 192.0.2.1 "$port" 0 1000
	background in_netns "$o" stream udp-send 192.0.2.1 "$port" 0 1000
	for i in 1 2 3; do
		before=$(counter "$g" rx_drop_type)
		wait_for drops_rise "$before" "$(scale 2000 200)"
	done
	kill -KILL "${CHILDREN[@]}" 2> /dev/null
	must in_netns "$c" ping -q -c 3 -i 0.05 -W "$PATIENCE" 10.0.0.1 > /dev/null
}

# Inner sockets poll too; what they could poll are lanes, which do not offer themselves.
inner_sockets()
{
	tunnel_add 6
	polled_link "$c" vc "$g" vg
	polled_link "$g" vg "$c" vc
	traffic
	flows_on 50
}

# threaded NETNS 0|1
threaded()
{
	in_netns "$1" sh -c "echo $2 > /sys/class/net/jvpn0/threaded" ||
		skip "no NAPI in threads here"
}

lanes_in_threads()
{
	tunnel_add 4
	traffic
	threaded "$g" 1
	threaded "$c" 1
	flows_on 50
	must ip -n "$c" link set jvpn0 down
	must ip -n "$c" link set jvpn0 up
	threaded "$c" 0
	flows_on 50
	must ip -n "$g" link del jvpn0
	must ip -n "$c" link del jvpn0
}

steered()
{
	tunnel_add 4
	in_netns "$g" sh -c 'echo 3 > /sys/class/net/vg/queues/rx-0/rps_cpus &&
		echo 3 > /sys/class/net/jvpn0/queues/rx-0/rps_cpus' || skip "no steering of packets here"
	traffic
	flows_on 50
}

# flows_on N: at least so many more packets come through both ways.
flows_on()
{
	local to_g to_c

	to_g=$(counter "$g" rx_packets)
	to_c=$(counter "$c" rx_packets)
	wait_for risen "$g" $((to_g + $1))
	wait_for risen "$c" $((to_c + $1))
}

risen()
{
	[ "$(counter "$1" rx_packets)" -gt "$2" ]
}

polling_cleanup()
{
	local status=$?

	poll_for 0
	case_reset
	exit $status
}

# with_polling COMMAND...: in a case; the setting does not outlive it.
with_polling()
{
	trap polling_cleanup EXIT
	poll_for 50 || skip "this kernel has no busy polling"
	"$@"
}

case_run "sockets poll, packets of two interfaces reach one socket" with_polling two_interfaces
case_run "sockets poll, inside and outside" with_polling inner_sockets
case_run "lanes in threads of their own" lanes_in_threads
case_run "packets steered to two processors" steered
cases_end
