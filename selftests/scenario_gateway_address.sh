#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The gateway moves: its name leads to another address, of the same family or the other one. The
# client asks for the name again and the session goes on there.

# A hosts file of our own, which the daemons see in place of the machine's.
if [ -z "${JVPN_OWN_HOSTS:-}" ]; then
	[ -e /etc/hosts ] || : > /etc/hosts
	exec env JVPN_OWN_HOSTS=1 unshare --mount "$0"
fi

. "$(dirname "$(realpath "$0")")/lib-scenario.sh"

G_NEXT=192.0.2.77
NAME=gateway.jvpn.test
ENDPOINTS="\"$NAME:$PORT\""
TRANSPORTS="[{name: a, interface: a0, protocol: udp4, preference: 200}"
TRANSPORTS+=", {name: b, interface: b0, protocol: udp4}"
TRANSPORTS+=", {name: six, interface: a0, protocol: udp6, preference: 50}]"

HOSTS=$WORK/hosts
mkdir -p "$WORK"
: > "$HOSTS"
mount --bind "$HOSTS" /etc/hosts || exit 1

# gateway_name ADDRESS: in the same file, which is what is mounted.
gateway_name()
{
	echo "$1 $NAME" > "$HOSTS"
}

name_first()
{
	gateway_name $G_V4
}

gateway_address_goes()
{
	ip -n "${NS}g" addr del $G_V4/24 dev g0
}

gateway_address_comes()
{
	ip -n "${NS}g" addr add "$1/24" dev g0
	ip -n "${NS}g" route replace default via $R_V4
}

# The operator does not wait: reload asks for the name at once.
gateway_address_changes()
{
	NET_HOOK=name_first POLICY=$QUICK
	scenario_begin
	gateway_address_goes
	gateway_address_comes $G_NEXT
	wait_audit c '"reason":"PROBE_TIMEOUT"' 10
	gateway_name $G_NEXT
	ctl c reload > /dev/null || fail "reload failed"
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the gateway's address" "$REMOTE" "$G_NEXT:$PORT"
	reach
	scenario_measure
	equal "the switches" "$SWITCHES" 1
}

# Nobody orders anything: a client without an answer asks for the name again by itself.
gateway_goes_from_IPv4_to_IPv6()
{
	NET_HOOK=name_first POLICY=$QUICK
	scenario_begin
	gateway_address_goes
	gateway_name $G_V6
	wait_audit c '"reason":"REATTACH_OK"' 30
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the gateway's address" "$REMOTE" "[$G_V6]:$PORT"
	reach
	scenario_measure
	equal "the switches" "$SWITCHES" 1
}

test_main gateway_address_changes gateway_goes_from_IPv4_to_IPv6
