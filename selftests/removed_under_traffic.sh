#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Proves that device, namespace and module can go at any moment, with traffic in both directions,
# and leave nothing behind.

. "$(dirname "$0")/lib.sh"

device_deleted()
{
	local outer=$1 i

	for i in $(seq "$(scale 3 1)"); do
		tunnel_add "$outer"
		traffic
		must ip -n "$g" link del jvpn0
		must ip -n "$c" link del jvpn0
		case_reset
	done
}

# The peer's end goes on when one end is gone.
one_end_deleted()
{
	tunnel_add 4
	traffic
	must ip -n "$g" link del jvpn0
	must nlprobe wait -n "$c" "$ID" recovering $((PATIENCE * 1000))
	equals "$(nlprobe get -n "$c" "$ID" reason)" probe-timeout "the reason"
}

device_down_up()
{
	local i before

	tunnel_add 4
	traffic
	for i in $(seq "$(scale 10 2)"); do
		must ip -n "$c" link set jvpn0 down
		must ip -n "$c" link set jvpn0 up
		addr_add "$c" jvpn0 fd00::2/64
	done
	equals "$(nlprobe get -n "$c" "$ID" state)" attached "the client's state"
	before=$(counter "$g" rx_packets)
	wait_for rises "$before"
	must in_netns "$c" ping -q -c 1 -W "$PATIENCE" 10.0.0.1 > /dev/null
}

rises()
{
	[ "$(counter "$g" rx_packets)" -gt $(($1 + 20)) ]
}

netns_deleted()
{
	local i

	for i in $(seq "$(scale 3 1)"); do
		tunnel_add 4
		traffic_datagrams
		# The processes in it keep it alive until they end.
		ip netns pids "$g" | xargs -r kill -KILL 2> /dev/null
		must ip netns del "$g"
		ip netns pids "$c" | xargs -r kill -KILL 2> /dev/null
		must ip netns del "$c"
		case_reset
	done
}

module_unloaded()
{
	local i

	for i in $(seq "$(scale 3 1)"); do
		tunnel_add 4
		traffic
		module_unload
		[ -z "$(ip -n "$g" link show type jvpn)" ] || fail "a device outlived the module"
		case_reset
		module_load
	done
}

# Packets that wait, timers that run, bindings that are prepared: all of it goes, too.
module_unloaded_recovering()
{
	tunnel_add 4
	traffic
	must nlprobe transition -n "$c" "$ID" transport-dead link-down
	must nlprobe transition -n "$g" "$ID" transport-dead probe-timeout
	wait_for holds
	module_unload
	case_reset
	module_load
}

holds()
{
	[ "$(nlprobe get -n "$c" "$ID" held_packets)" -gt 0 ]
}

# Netlink requests are in flight all the time.
deleted_under_requests()
{
	local i

	tunnel_add 4
	background sh -c "while :; do nlprobe list -n $c; nlprobe show -n $c $ID; done > /dev/null 2>&1"
	background sh -c "while :; do nlprobe transition -n $c $ID quality-low heartbeat-late; nlprobe transition -n $c $ID quality-ok health-recovered; done > /dev/null 2>&1"
	traffic
	for i in $(seq 5); do
		sleep 0.1
		equals "$(nlprobe get -n "$g" "$ID" state)" attached "the gateway's state"
	done
	must ip -n "$c" link del jvpn0
}

case_run "the device is deleted under traffic over IPv4" device_deleted 4
case_run "the device is deleted under traffic over IPv6" device_deleted 6
case_run "one end is deleted, the other recovers" one_end_deleted
case_run "the device goes down and up under traffic" device_down_up
case_run "the namespaces are deleted under traffic" netns_deleted
case_run "the module is unloaded under traffic" module_unloaded
case_run "the module is unloaded with packets waiting" module_unloaded_recovering
case_run "the device is deleted under netlink requests" deleted_under_requests
cases_end
