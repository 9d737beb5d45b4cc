#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Proves that IPv4 and IPv6 pass through IPv4 and IPv6: pings of all sizes, TCP both ways without a
# changed octet, UDP, and jumps from one address family to the other without a broken connection.

. "$(dirname "$0")/lib.sh"

# transfer FROM TO ADDRESS OCTETS: by TCP; what arrives is what was sent.
transfer()
{
	local pid

	background in_netns "$2" stream listen 7000 > got
	pid=$!
	wait_for tcp_listens "$2" 7000
	must timeout $((PATIENCE * 3)) ip netns exec "$1" stream send "$3" 7000 "$4"
	wait $pid || fail "the receiver of $3 has failed"
	equals "$(cat got)" "received $4 octets" "the receiver's result"
}

# udp FROM TO ADDRESS
udp()
{
	local pid

	background in_netns "$2" stream udp-listen 7001 100 > got
	pid=$!
	wait_for udp_listens "$2" 7001
	must ip netns exec "$1" stream udp-send "$3" 7001 100 1000
	wait $pid || fail "the receiver of $3 has failed"
}

pings()
{
	local outer=$1 size

	tunnel_add "$outer"
	for size in 0 1 56 500 1300 1392 1393 3000 9000; do
		must in_netns "$c" ping -q -c 2 -i 0.05 -W "$PATIENCE" -s "$size" 10.0.0.1 > out
		must in_netns "$g" ping -q -c 2 -i 0.05 -W "$PATIENCE" -s "$size" fd00::2 > out
	done
	must in_netns "$c" ping -q -f -c "$(scale 2000 200)" -W "$PATIENCE" 10.0.0.1 > out
	grep -q ' 0% packet loss' out || fail "packets were lost: $(grep loss out)"
}

tcp()
{
	local octets

	tunnel_add "$1"
	octets=$(scale 20000000 1000000)
	transfer "$c" "$g" 10.0.0.1 "$octets"
	transfer "$g" "$c" 10.0.0.2 "$octets"
	transfer "$c" "$g" fd00::1 "$octets"
	transfer "$g" "$c" fd00::2 "$octets"
	udp "$c" "$g" 10.0.0.1
	udp "$g" "$c" fd00::2
	equals "$(counter "$g" rx_drop_auth)" 0 rx_drop_auth
	equals "$(counter "$g" rx_drop_replay)" 0 rx_drop_replay
	equals "$(counter "$c" rx_drop_inner)" 0 rx_drop_inner
	[ "$(counter "$g" rx_batches)" -lt "$(counter "$g" rx_datagrams)" ] ||
		note "no super-packet was received"
}

# The same connection over IPv4, then IPv6, then IPv4.
families()
{
	local jumps=0 sender receiver octets

	tunnel_add 4
	octets=$(scale 100000000 2000000)
	background in_netns "$g" stream listen 7000 > got
	receiver=$!
	wait_for tcp_listens "$g" 7000
	background in_netns "$c" stream send 10.0.0.1 7000 "$octets"
	sender=$!
	while [ $jumps -lt 6 ]; do
		if [ $((jumps % 2)) = 0 ]; then
			must nlprobe move "$ID" "$(end_g 2001:db8::1)" "$(end_c 2001:db8::2)"
		else
			must nlprobe move "$ID" "$(end_g 192.0.2.1)" "$(end_c 192.0.2.2)"
		fi
		jumps=$((jumps + 1))
		sleep 0.1
	done
	wait $sender || fail "the connection broke"
	wait $receiver || fail "the receiver has failed"
	equals "$(cat got)" "received $octets octets" "the receiver's result"
	equals "$(nlprobe get -n "$c" "$ID" version)" $((1 + 2 * jumps)) "the client's version"
	equals "$(nlprobe get -n "$g" "$ID" version)" $((1 + 2 * jumps)) "the gateway's version"
	must in_netns "$c" ping -q -c 1 -W "$PATIENCE" fd00::1 > /dev/null
}

case_run "pings of all sizes over IPv4" pings 4
case_run "pings of all sizes over IPv6" pings 6
case_run "TCP and UDP both ways over IPv4" tcp 4
case_run "TCP and UDP both ways over IPv6" tcp 6
case_run "a connection outlives six changes of address family" families
cases_end
