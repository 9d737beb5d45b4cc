#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Proves the data path against a peer that is another program, over a real link: what it seals is
# delivered, what it does wrong is dropped by its cause, and it reads what the device sends.

. "$(dirname "$0")/lib.sh"

# talk LINE...: each line must be answered with "ok".
talk()
{
	printf '%s\n' "$@" | fakepeer "$g,jvpn0,$OUTER_G" "$c" "$OUTER_C" 10.0.0.2 > said
	[ "$(grep -c '^ok ' said)" = $# ] || fail "the peer says: $(grep -v '^ok ' said | tr '\n' ';') (of $# lines)"
}

use()
{
	underlay_add
	# The peer is no jvpn device.
	must ip -n "$c" link del jvpn0
	OUTER_G=192.0.2.1 OUTER_C=192.0.2.2
	[ "$1" = 4 ] || OUTER_G=2001:db8::1 OUTER_C=2001:db8::2
}

# Nobody listens at the port, so what is delivered is answered by an ICMP error: both ways work.
delivered()
{
	use "$1"
	talk keepalive "state attached" "send 10.0.0.1 hello" receive "send 10.0.0.1 again" receive heartbeat
	equals "$(counter "$g" rx_packets)" 2 "packets delivered"
	equals "$(counter "$g" tx_packets)" 2 "packets sent"
}

wrong()
{
	use "$1"
	talk keepalive "state attached" \
		"tamper 3 10.0.0.1 x" "drops rx_drop_type 1" \
		"tamper 5 10.0.0.1 x" "drops rx_drop_index 1" \
		"tamper 9 10.0.0.1 x" "drops rx_drop_auth 1" \
		"tamper 40 10.0.0.1 x" "drops rx_drop_auth 1" \
		"send 10.0.0.1 once" repeat "drops rx_drop_replay 1" \
		"truncate 20" "drops rx_drop_runt 1" \
		"truncate 50" "drops rx_drop_auth 1" \
		"index 0 10.0.0.1 x" "drops rx_drop_index 1" \
		"send-from 10.0.0.9 10.0.0.1 x" "drops rx_drop_source 1" \
		"send 10.0.0.1 again" elsewhere "drops rx_drop_unbound 1" \
		"raw 0401000000" "drops rx_drop_runt 1" \
		"raw 63010000aaaaaaaaaaaa" "drops rx_drop_type 1" \
		"raw 01010000" "drops rx_drop_type 1" \
		"send-at 1152921504606846976 10.0.0.1 x" "drops rx_drop_replay 1" \
		"state attached" heartbeat
}

heard()
{
	local pid

	use "$1"
	(
		sleep 0.3
		# A peer in birth owns no address yet, so pings begin when it is attached.
		ip netns exec "$g" ping -q -c 20 -i 0.1 -W 1 10.0.0.2 > /dev/null
	) &
	pid=$!
	talk keepalive "state attached" receive receive
	kill $pid 2> /dev/null
	true
}

case_run "a foreign peer's packets are delivered over IPv4" delivered 4
case_run "a foreign peer's packets are delivered over IPv6" delivered 6
case_run "what a foreign peer does wrong is dropped by its cause, IPv4" wrong 4
case_run "what a foreign peer does wrong is dropped by its cause, IPv6" wrong 6
case_run "a foreign peer reads what the device sends, IPv4" heard 4
case_run "a foreign peer reads what the device sends, IPv6" heard 6
cases_end
