#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A full tunnel never leaks: whatever becomes of session, routes, device and daemon, a capture of
# both uplinks has no packet of a tunnelled family in the clear, not even of programs that are bound
# to an uplink. The links' own traffic goes on.
. "$(dirname "$(realpath "$0")")/lib-leak.sh"

# client_alone: its daemon, and nobody who answers.
client_alone()
{
	net_make
	config_write
	daemon_start c
	capture_start
	send_start
}

attached_full()
{
	wait_attached c "$1"
	wait_for 5 "the full tunnel" full_tunnel
}

tunnel_carries()
{
	on g nft -f - <<- END
		table inet inner {
			counter four { }
			counter six { }
			chain in {
				type filter hook prerouting priority -300;
				iifname $DEV ip daddr $OUT_V4 counter name four
				iifname $DEV ip6 daddr $OUT_V6 counter name six
			}
		}
	END
	wait_for 10 "packets come through the tunnel" carried
}

carried()
{
	! on g nft list table inet inner | grep -q 'packets 0 '
}

from_before_the_session_to_its_end()
{
	ROUTES=$FULL
	client_alone
	sent_more 400
	no_leak "before the session"
	daemon_start g
	attached_full 1
	tunnel_carries
	sent_more 400
	no_leak "while ATTACHED"
	ctl c session terminate "$(ctl c --json session list | sed -nE 's/.*"session_id": ?"([0-9a-f]+)".*/\1/p' | head -n 1)" > /dev/null
	sent_more 200
	no_leak "without a session"
}

without_any_uplink_and_back()
{
	ROUTES=$FULL
	client_alone
	daemon_start g
	attached_full 1
	uplink_down a
	uplink_down b
	sent_more 200
	uplink_up b
	wait_attached c 2
	uplink_up a
	sent_more 200
	no_leak "while RECOVERING"
}

# As networkd and others do, and all at once.
routes_are_flushed()
{
	ROUTES=$FULL
	client_alone
	daemon_start g
	attached_full 1
	for _ in 1 2 3 4 5; do
		ip -n "${NS}c" route flush table "$(table_of)"
		ip -n "${NS}c" -6 route flush table "$(table_of)"
		ip -n "${NS}c" route flush dev $DEV
		ip -n "${NS}c" addr flush dev $DEV
		sent_more 40
		wait_for 5 "the full tunnel is back" full_tunnel
	done
	tunnel_carries
	no_leak "when routes are flushed"
}

link_is_set_down_and_up()
{
	ROUTES=$FULL
	client_alone
	daemon_start g
	attached_full 1
	ip -n "${NS}c" link set $DEV down
	sent_more 100
	wait_for 5 "the full tunnel is back" full_tunnel
	tunnel_carries
	no_leak "when the link is set down"
}

# Nobody is there to mend anything: what the system has must be enough.
daemon_is_killed_and_the_device_set_down()
{
	ROUTES=$FULL
	client_alone
	daemon_start g
	attached_full 1
	daemon_end c
	ip -n "${NS}c" link set $DEV down
	sent_more 200
	ip -n "${NS}c" link set $DEV up
	sent_more 200
	no_leak "without a daemon"
	daemon_start c
	wait_for 5 "the full tunnel is back" full_tunnel
	daemon_end c TERM
	sent_more 100
	daemon_start c
	sent_more 100
	tunnel_carries
	no_leak "over restarts"
}

device_is_deleted()
{
	ROUTES=$FULL
	client_alone
	daemon_start g
	attached_full 1
	ip -n "${NS}c" link del $DEV
	wait_for 10 "the daemon ends" daemon_gone c
	sent_more 200
	no_leak "without a device"
	daemon_start c
	attached_full 1
	tunnel_carries
	no_leak "when it is there again"
}

# The name of the device is taken; it might as well be the module that is missing.
a_start_that_fails()
{
	ROUTES=$FULL
	net_make
	config_write
	ip -n "${NS}c" link add $DEV type veth peer name taken
	capture_start
	fails 1 "$DEV is there already and is no jvpn device" on c jvpnd "$WORK/c/config.yaml"
	send_start
	sent_more 200
	no_leak "when the daemon cannot start"
	fails 1 "what belongs into the tunnel stays blocked without it" on c jvpnd "$WORK/c/config.yaml"
	ip -n "${NS}c" link del $DEV
	daemon_start c
	daemon_start g
	attached_full 1
	tunnel_carries
	no_leak "when it starts after all"
}

# Those that daemon.md has for a machine that boots.
guard_rules()
{
	for family in 4 6; do
		on c ip -$family rule add priority 32000 lookup main suppress_prefixlength 0
		on c ip -$family rule add priority 32001 not fwmark 0x6a760000/0xffffc000 unreachable
	done
}

before_the_first_start()
{
	ROUTES=$FULL
	net_make
	config_write
	guard_rules
	capture_start
	send_start
	sent_more 200
	no_leak "before the first start"
	daemon_start c
	daemon_start g
	attached_full 1
	tunnel_carries
	ctl c down > /dev/null || fail "down failed"
	sent_more 100
	no_leak "when it is taken down"
}

# daemon_start_at HOST DIR: one more in the host, whose files are those of DIR.
daemon_start_at()
{
	on_spawn "$1" jvpnd "$WORK/$2/config.yaml" < /dev/null > "$WORK/$2/log" 2>&1
	echo "$SPAWNED" > "$WORK/$2/pid"
	wait_for 10 "the second daemon of $1 serves" daemon_serves "$2"
}

# The full tunnel's rules are not for what is outside of any tunnel.
second_client_of_the_host()
{
	ROUTES=$FULL
	net_make
	key_make x
	PEER_MORE="}
    - {name: second, public_key: \"$(cat "$WORK/x/pub")\""
	config_write
	sed -i "s/name: $DEV/name: jvpn1/; s/routes: .*/routes: []/" "$WORK/x/config.yaml"
	daemon_start g
	daemon_start c
	attached_full 1
	capture_start
	send_start
	daemon_start_at c x
	DEV=jvpn1 wait_attached x 1
	sent_more 200
	full_tunnel || fail "the full tunnel is gone"
	no_leak "beside a second client"
}

# Its answers go out where they belong, and not into the full tunnel.
gateway_of_the_host()
{
	ROUTES=$FULL
	net_make
	key_make r
	config_write
	sed "s#$WORK/g/#$WORK/r/#; s#$(cat "$WORK/c/pub")#$(cat "$WORK/x/pub")#; s/name: $DEV/name: jvpn1/; s/$PORT/51910/g; s/10\.77\./10.78./g; s/fd77/fd78/g" \
		"$WORK/g/config.yaml" > "$WORK/r/config.yaml"
	sed -i "s#$(cat "$WORK/g/pub")#$(cat "$WORK/r/pub")#; s/$G_V4:$PORT/${UPLINK_V4[a]}.1:51910/; s/routes: .*/routes: []/; s/transports: .*/transports: [{name: x, interface: x0, protocol: udp4}]/" \
		"$WORK/x/config.yaml"
	daemon_start g
	daemon_start c
	attached_full 1
	daemon_start_at c r
	daemon_start x
	wait_attached x 1
	wait_for 5 "the second gateway answers" ping_ok x 10.78.0.1
	full_tunnel || fail "the full tunnel is gone"
}

# Who says that sessions are to end wants the machine as it was.
daemon_ends_with_its_sessions()
{
	ROUTES=$FULL DAEMON_OPTIONS=--terminate-sessions
	client_alone
	daemon_start g
	attached_full 1
	for host in c g; do
		daemon_end $host TERM
		equal "rules of $host" "$(on $host ip rule show | grep -c '^31')" 0
		equal "IPv6 rules of $host" "$(on $host ip -6 rule show | grep -c '^31')" 0
		equal "routes of $host" "$(on $host ip route show proto 106; on $host ip -6 route show proto 106)" ""
		equal "addresses of $host" "$(on $host ip -o addr show dev $DEV scope global)" ""
	done
	equal "the way" "$(way c $OUT_V4)" a0
}

gateway_without_IPv6()
{
	ROUTES=$FULL POOLS="[10.77.0.0/24]" ADDRESSES="[$G_IN4/24]"
	client_alone
	daemon_start g
	wait_attached c 1
	wait_for 5 "the full tunnel, IPv4" goes_by c $OUT_V4 $DEV
	equal "the way of IPv6" "$(way c $OUT_V6)" none
	sent_more 400
	no_leak "of IPv6"
	contains "the client's status" "$(ctl c status)" '::/0 is blocked: the tunnel has no IPv6 address'
	contains "the client's log" "$(cat "$WORK/c/log")" '::/0 is blocked: the tunnel has no IPv6 address'
}

# The capture sees what is allowed, and so would see what is not.
leak_allowed()
{
	ROUTES=$FULL POOLS="[10.77.0.0/24]" ADDRESSES="[$G_IN4/24]" LEAK=allow
	client_alone
	sent_more 100
	contains "what leaves before the session" "$(captured)" "$OUT_V4 \. "
	daemon_start g
	wait_attached c 1
	wait_for 5 "the full tunnel, IPv4" goes_by c $OUT_V4 $DEV
	contains "what leaves of IPv6" "$(captured)" "$OUT_V6 \. "
	contains "the client's status" "$(ctl c status)" '::/0 is not routed into the tunnel'
}

one_network_is_blocked_if_the_file_says_so()
{
	ROUTES="[198.18.0.0/16, 'fd05::/48', '2001:db8:c::/48']" LEAK=block POOLS="[10.77.0.0/24]" ADDRESSES="[$G_IN4/24]"
	client_alone
	sent_more 100
	no_leak "before the session"
	daemon_start g
	wait_attached c 1
	wait_for 5 "the route" goes_by c $OUT_V4 $DEV
	equal "the way of IPv6" "$(way c $OUT_V6)" none
	equal "the way of others" "$(way c 192.0.2.77)" a0
	sent_more 100
	no_leak "of the network"
	ip -n "${NS}c" link set $DEV down
	sent_more 100
	no_leak "while the device is down"
}

broadcasts()
{
	on c "$PYTHON" -S -E -c '
import socket
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
four.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
four.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"a0")
four.sendto(b"discover", ("255.255.255.255", 67))
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
six.sendto(b"solicit", ("ff02::1:2", 547, 0, socket.if_nametoindex("a0")))'
}

heard()
{
	on r nft list table inet heard | grep -c 'packets [1-9]'
}

the_links_own_traffic_goes_on()
{
	ROUTES=$FULL
	net_make
	config_write
	daemon_start c
	on r nft -f - <<- END
		table inet heard {
			counter four { }
			counter six { }
			chain in {
				type filter hook prerouting priority -300;
				iifname ra ip daddr 255.255.255.255 udp dport 67 counter name four
				iifname ra ip6 daddr ff02::1:2 udp dport 547 counter name six
			}
		}
	END
	broadcasts || fail "they cannot be sent"
	equal "of broadcast and multicast arrive" "$(heard)" 2
	ip -n "${NS}c" neigh flush dev a0
	wait_for 5 "the router answers" ping_ok c "${UPLINK_V4[a]}.254"
	wait_for 5 "the router answers, IPv6" on c ping -6 -q -c 1 -W 1 "${UPLINK_V6[a]}::fe"
	wait_for 5 "the router answers, link-local" on c ping -6 -q -c 1 -W 1 "$(on r ip -6 -o addr show dev ra scope link | sed -nE 's/.* inet6 (fe80[0-9a-f:]+).*/\1/p')%a0"
}

# Answers of the gateway come by the uplink, and the way to it is not looked for in the tunnel.
strict_rp_filter()
{
	RP_FILTER=1 ROUTES=$FULL POLICY="probe: {idle_interval_ms: 200, active_interval_ms: 100, dead_base_ms: $((400 * SLOW))}"
	client_alone
	daemon_start g
	attached_full 1
	tunnel_carries
	until_true 3 state_is_not_attached && fail "it does not stay ATTACHED"
	wait_for 5 "the gateway answers" ping_ok c $G_IN4
	uplink_down a
	wait_attached c 2
	wait_for 5 "the gateway answers over the other uplink" ping_ok c $G_IN4
	no_leak "with a strict filter"
}

state_is_not_attached()
{
	session_read c
	[ "$STATE" != ATTACHED ]
}

test_main from_before_the_session_to_its_end without_any_uplink_and_back routes_are_flushed \
	link_is_set_down_and_up daemon_is_killed_and_the_device_set_down device_is_deleted \
	daemon_ends_with_its_sessions a_start_that_fails before_the_first_start \
	second_client_of_the_host gateway_of_the_host gateway_without_IPv6 \
	leak_allowed one_network_is_blocked_if_the_file_says_so the_links_own_traffic_goes_on \
	strict_rp_filter
