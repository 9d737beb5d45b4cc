# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For the tests that are scripts: cases, namespaces with random names, tunnels between them,
# waiting for conditions, and an end that leaves nothing behind. Output is KTAP.
#
# A script calls
#   case_run "the claim" function [argument...]
# for each case. The function runs in a subshell with "set -e" in effect for failing helpers:
# fail MESSAGE ends it, skip REASON too. Its namespaces go with it.

set -u

SELFTESTS=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
BUILD=${JVPN_SELFTESTS_BUILD:-$SELFTESTS/../build/selftests}
PATH=$BUILD:$PATH

CASE_NUMBER=0
CASES_FAILED=0
CASES_PASSED=0
CASE_DIR=''
NAMESPACES=()
CHILDREN=()

slow()
{
	[ -n "${JVPN_SLOW:-}" ] && [ "${JVPN_SLOW:-}" != 0 ]
}

# scale FAST SLOW: the first on a machine at full speed, the second on an emulated one.
scale()
{
	if slow; then echo "$2"; else echo "$1"; fi
}

# How long to wait for what must happen, in seconds.
PATIENCE=$(scale 10 40)

note()
{
	printf '# %s\n' "$*"
}

# Wherever the output of what has failed goes to.
exec 3>&1

fail()
{
	printf '# %s: %s\n' "${BASH_SOURCE[-1]##*/}:${BASH_LINENO[-3]}" "$*" >&3
	exit 1
}

skip()
{
	echo "$*" > "$CASE_DIR/skip"
	exit 4
}

# must COMMAND...: it must succeed.
must()
{
	"$@" || fail "status $?: $*"
}

# wait_for COMMAND...: until it succeeds; fails after PATIENCE.
wait_for()
{
	local end=$((SECONDS + PATIENCE))

	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "in $PATIENCE s this did not come true: $*"
		sleep 0.02
	done
}

equals()
{
	[ "$1" = "$2" ] || fail "${3:-value} is '$1', not '$2'"
}

# ---- namespaces ----

# netns_add NAME...: makes namespaces of random names and puts the names into variables.
netns_add()
{
	local name real

	for name; do
		real="jt-$name-$$-$RANDOM"
		must ip netns add "$real"
		NAMESPACES+=("$real")
		printf -v "$name" '%s' "$real"
		must ip -n "$real" link set lo up
	done
}

# link_add NETNS_A NAME_A NETNS_B NAME_B: a veth pair, up.
link_add()
{
	must ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	must ip -n "$1" link set "$2" up
	must ip -n "$3" link set "$4" up
}

# addr_add NETNS INTERFACE ADDRESS...
addr_add()
{
	local netns=$1 interface=$2 address
	shift 2

	for address; do
		case $address in
		*:*) must ip -n "$netns" addr add "$address" dev "$interface" nodad ;;
		*) must ip -n "$netns" addr add "$address" dev "$interface" ;;
		esac
	done
}

# forwarding_on NETNS: a router asks for its neighbours from link-local addresses, which it has once
# nobody else claims them (DAD, 1 to 2 s after a link is up).
forwarding_on()
{
	must in_netns "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	wait_for addresses_are_own "$1"
}

addresses_are_own()
{
	[ -z "$(ip -n "$1" -6 addr show tentative)" ]
}

# device_add NETNS [NAME]
device_add()
{
	must ip -n "$1" link add "${2:-jvpn0}" type jvpn
	must ip -n "$1" link set "${2:-jvpn0}" addrgenmode none
	must ip -n "$1" link set "${2:-jvpn0}" up
}

in_netns()
{
	local netns=$1
	shift

	ip netns exec "$netns" "$@"
}

# background COMMAND...: runs it until the case ends; its process is in $!.
background()
{
	"$@" &
	CHILDREN+=("$!")
}

# ---- tunnels ----

# underlay_add: namespaces g (gateway) and c (client), joined by vg and vc: 192.0.2.0/24 and
# 2001:db8::/64, .1 and ::1 at g, .2 and ::2 at c; a device jvpn0 in each with 10.0.0.1 and
# fd00::1 at g, 10.0.0.2 and fd00::2 at c.
underlay_add()
{
	netns_add g c
	must ip link add vg netns "$g" type veth peer name vc netns "$c"
	end_add "$g" vg 1
	end_add "$c" vc 2
}

# end_add NETNS INTERFACE NUMBER
end_add()
{
	must ip -n "$1" -batch - <<- END
		link set $2 up
		addr add 192.0.2.$3/24 dev $2
		addr add 2001:db8::$3/64 dev $2 nodad
		link add jvpn0 type jvpn
		link set jvpn0 addrgenmode none
		addr add 10.0.0.$3/24 dev jvpn0
		addr add fd00::$3/64 dev jvpn0 nodad
		link set jvpn0 up
	END
}

# The ends, as nlprobe takes them, by IPv4 and by IPv6.
end_g() { echo "$g,jvpn0,$1,10.0.0.1/32,fd00::1/128"; }
end_c() { echo "$c,jvpn0,$1,10.0.0.2/32,fd00::2/128"; }

# tunnel_add 4|6 [NAME=VALUE...]: underlay_add and a session over IPv4 or IPv6; its id is in ID.
tunnel_add()
{
	local outer=$1
	shift

	underlay_add
	if [ "$outer" = 4 ]; then
		ID=$(nlprobe join "$(end_g 192.0.2.1)" "$(end_c 192.0.2.2)" "$@") || fail "cannot join"
	else
		ID=$(nlprobe join "$(end_g 2001:db8::1)" "$(end_c 2001:db8::2)" "$@") || fail "cannot join"
	fi
	must nlprobe wait -n "$c" "$ID" attached
	must nlprobe wait -n "$g" "$ID" attached
}

# counter NETNS NAME
counter()
{
	nlprobe counter -n "$1" "$2"
}

# traffic: pings, TCP and UDP through the tunnel of g and c until the case ends; it flows when
# this returns.
traffic()
{
	traffic_datagrams
	background in_netns "$g" stream listen 7100 > /dev/null 2>&1
	background in_netns "$c" stream listen 7100 > /dev/null 2>&1
	wait_for tcp_listens "$g" 7100
	wait_for tcp_listens "$c" 7100
	background in_netns "$c" stream send 10.0.0.1 7100 0 > /dev/null 2>&1
	background in_netns "$g" stream send fd00::2 7100 0 > /dev/null 2>&1
	wait_for traffic_flows
}

# The same without TCP, whose orphaned connections would keep a namespace alive.
traffic_datagrams()
{
	background in_netns "$c" ping -q -i 0.002 10.0.0.1 > /dev/null 2>&1
	background in_netns "$g" ping -q -i 0.002 fd00::2 > /dev/null 2>&1
	background in_netns "$c" stream udp-send fd00::1 7101 0 1000 > /dev/null 2>&1
	wait_for traffic_flows
}

tcp_listens()
{
	[ -n "$(in_netns "$1" ss -Hltn "sport = :$2")" ]
}

udp_listens()
{
	[ -n "$(in_netns "$1" ss -Hlun "sport = :$2")" ]
}

traffic_flows()
{
	[ "$(counter "$g" rx_packets)" -gt 200 ] && [ "$(counter "$c" rx_packets)" -gt 200 ]
}

# ---- the module ----

module_load()
{
	[ -d /sys/module/jvpn ] || modprobe jvpn 2> /dev/null || must insmod "${JVPN_KO:?modprobe finds no jvpn}"
}

# module_unload: it must go, and must have freed everything.
module_unload()
{
	must rmmod jvpn
	dmesg | grep 'jvpn: unloaded' | tail -n 1 |
		grep -q 'left over: 0 sessions, 0 bindings, 0 sockets' ||
		fail "left over: $(dmesg | grep 'jvpn: unloaded' | tail -n 1)"
}

# ---- cases ----

# case_reset: away with all that the case has made so far.
case_reset()
{
	local netns

	{
		[ ${#CHILDREN[@]} = 0 ] || kill -KILL "${CHILDREN[@]}"
		for netns in "${NAMESPACES[@]}"; do
			ip netns pids "$netns" | xargs -r kill -KILL
			ip netns del "$netns"
		done
		wait
	} 2> /dev/null
	NAMESPACES=() CHILDREN=()
}

case_cleanup()
{
	local status=$?

	case_reset
	exit $status
}

case_run()
{
	local claim=$1 status=0
	shift

	CASE_NUMBER=$((CASE_NUMBER + 1))
	CASE_DIR=$(mktemp -d)
	(
		trap case_cleanup EXIT
		trap 'exit 1' INT TERM
		cd "$CASE_DIR" || exit 1
		"$@"
	) || status=$?
	case $status in
	0)
		CASES_PASSED=$((CASES_PASSED + 1))
		echo "ok $CASE_NUMBER $claim"
		;;
	4)
		echo "ok $CASE_NUMBER $claim # SKIP $(cat "$CASE_DIR/skip")"
		;;
	*)
		CASES_FAILED=$((CASES_FAILED + 1))
		echo "not ok $CASE_NUMBER $claim"
		;;
	esac
	rm -rf "$CASE_DIR"
}

# cases_end: the plan, and the exit status of the script.
cases_end()
{
	echo "1..$CASE_NUMBER"
	[ $CASES_FAILED -eq 0 ] || exit 1
	[ $CASES_PASSED -gt 0 ] || exit 4
	exit 0
}
