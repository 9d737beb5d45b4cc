#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Proves that a gateway never redirects one of its clients to another, whatever its settings say,
# and that its other interfaces redirect as before.

. "$(dirname "$0")/lib.sh"

# two_clients OUTER: c and d behind g, which forwards between them.
two_clients()
{
	local gateway=192.0.2.1 client=192.0.2.2 other=198.51.100.1 last=198.51.100.2

	[ "$1" = 4 ] || { gateway=2001:db8::1 client=2001:db8::2 other=2001:db8:1::1 last=2001:db8:1::2; }
	underlay_add
	netns_add d
	link_add "$g" wg "$d" wd
	addr_add "$g" wg 198.51.100.1/24 2001:db8:1::1/64
	addr_add "$d" wd 198.51.100.2/24 2001:db8:1::2/64
	device_add "$d"
	addr_add "$d" jvpn0 10.0.0.3/24 fd00::3/64
	forwarding_on "$g"
	FIRST=$(nlprobe join "$g,jvpn0,$gateway,0.0.0.0/0,::/0" "$c,jvpn0,$client,10.0.0.2/32,fd00::2/128") ||
		fail "cannot join"
	SECOND=$(nlprobe join "$g,jvpn0,$other,0.0.0.0/0,::/0" "$d,jvpn0,$last,10.0.0.3/32,fd00::3/128") ||
		fail "cannot join"
	must nlprobe wait -n "$g" "$FIRST" attached
	must nlprobe wait -n "$g" "$SECOND" attached
}

# redirects NETNS In|Out: of both families.
redirects()
{
	in_netns "$1" cat /proc/net/snmp /proc/net/snmp6 | awk -v name="$2Redirects" '
		$1 == "Icmp:" && !at { for (i = 2; i <= NF; i++) if ($i == name) at = i; next }
		$1 == "Icmp:" { sum += $at }
		$1 == "Icmp6" name { sum += $2 }
		END { print sum + 0 }'
}

pings_between()
{
	local address

	for address in 10.0.0.3 fd00::3; do
		must in_netns "$c" ping -c 5 -i 0.1 -W "$PATIENCE" $address > out
		! grep -i redirect out || fail "a client was redirected"
	done
	equals "$(redirects "$c" In)" 0 "redirects that the client received"
}

by_default()
{
	two_clients "$1"
	pings_between
	equals "$(redirects "$g" Out)" 0 "redirects that the gateway sent"
}

# Somebody switches on what the opening of the interface has switched off.
switched_on()
{
	two_clients "$1"
	must in_netns "$g" sysctl -qw net.ipv4.conf.all.send_redirects=1 \
		net.ipv4.conf.jvpn0.send_redirects=1
	# IPv6 sends them only by an interface that has a link-local address.
	addr_add "$g" jvpn0 fe80::1/64
	pings_between
	[ "$(redirects "$g" Out)" -gt 0 ] || fail "the gateway's stack has not tried: this tests nothing"
	[ "$(counter "$g" tx_drop_redirect)" -gt 0 ] || fail "no redirect is counted"
}

# The way on leads back where the packet came from.
others_redirect()
{
	two_clients 4
	must ip -n "$c" route add 203.0.113.0/24 via 192.0.2.1
	must ip -n "$g" route add 203.0.113.0/24 via 192.0.2.9
	in_netns "$c" ping -q -c 2 -i 0.1 -W 0.2 203.0.113.1 > /dev/null
	[ "$(redirects "$c" In)" -gt 0 ] || fail "the underlay interface of the gateway redirects nobody"
	equals "$(in_netns "$g" sysctl -n net.ipv4.conf.default.send_redirects)" 1 "the default setting"
}

case_run "by default, over IPv4" by_default 4
case_run "by default, over IPv6" by_default 6
case_run "with all settings on and a link-local address" switched_on 4
case_run "other interfaces redirect as before" others_redirect
cases_end
