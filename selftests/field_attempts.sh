#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each further attempt of a client changes something: the transport, the gateway's address, family or
# port, its own port, the gateway. What was tried is told.

# Files of our own, which the daemons see in place of the machine's.
if [ -z "${JVPN_OWN_FILES:-}" ]; then
	exec env JVPN_OWN_FILES=1 unshare --mount "$0"
fi

. "$(dirname "$(realpath "$0")")/lib-field.sh"

TTL="transport_loss_ttl_ms: $((40000 * T)), recovery_window_ms: $((5000 * T))"
OTHER_PORT=443
LISTEN="[{address: 0.0.0.0, port: $PORT}, {address: \"::\", port: $PORT}, {address: 0.0.0.0, port: $OTHER_PORT}]"

mkdir -p "$WORK"
: > "$WORK/own-resolv.conf"
[ -e /etc/resolv.conf ] || : > /etc/resolv.conf
mount --bind "$WORK/own-resolv.conf" /etc/resolv.conf || exit 1

explained()
{
	ctl c session explain "${SID:-$KEPT_SID}" | grep -qE -e "$1"
}

# only_port UPLINK: its network lets nothing through but that port of the gateway's.
only_port()
{
	on r nft -f - <<- END
		table ip narrow { chain forward { type filter hook forward priority 0; iifname "r$1" udp dport != $OTHER_PORT drop; }; }
	END
}

# --- the gateway's port ---------------------------------------------------------------------------

# The preferred one lets only 443 pass: its standby questions find out, and the session goes there.
narrow_uplink_that_is_preferred()
{
	NET_HOOK="only_port a" ENDPOINTS="\"$G_V4:$PORT\", \"$G_V4:$OTHER_PORT\""
	POLICY="$TTL, standby_interval_ms: 1000, failback_stable_ms: 1000"
	pair_make
	session_keep
	wait_for 20 "the session is where it is preferred" bound_by a0 "$G_V4:$OTHER_PORT"
}

# bound_by INTERFACE REMOTE
bound_by()
{
	session_agrees && [ "$VIA $REMOTE" = "$1 $2" ]
}

# A session that comes to such a network is not lost.
moves_to_a_narrow_uplink()
{
	NET_HOOK="only_port b" ENDPOINTS="\"$G_V4:$PORT\", \"$G_V4:$OTHER_PORT\"" POLICY="$QUICK, $TTL, standby_interval_ms: 0"
	pair_fresh
	session_keep
	uplink_down a
	wait_for 20 "the session is on b" bound_by b0 "$G_V4:$OTHER_PORT"
	equal "the session id" "$SID" "$KEPT_SID"
}

# --- the own port ---------------------------------------------------------------------------------

# A NAT whose other half has taken over, and kept the entry of a mapping that leads nowhere any longer.
nat()
{
	on r nft -f - <<- END
		table ip nat { chain out { type nat hook postrouting priority 100; iifname "ra" oifname "rg" masquerade; }; }
	END
}

# What comes from the ports that were used until now is lost.
nat_fails_over()
{
	local port

	port=$(ctl c --json transport list | "$PYTHON" -c 'import json, sys
print(next(t["local_port"] for t in json.load(sys.stdin)["transports"] if t["name"] == "a"))')
	on r nft -f - <<- END
		table ip stale { chain forward { type filter hook forward priority 0; iifname "ra" udp sport $port drop; oifname "ra" udp dport $port drop; }; }
	END
}

nat_that_keeps_a_dead_mapping()
{
	NET_HOOK=nat TRANSPORTS="[{name: a, interface: a0, protocol: udp4}]" POLICY="$QUICK, $TTL"
	pair_fresh
	session_keep
	nat_fails_over
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
}

# The same for handshakes: the mapping is dead before there is a session.
nat_that_keeps_a_dead_mapping_at_the_start()
{
	NET_HOOK=nat TRANSPORTS="[{name: a, interface: a0, protocol: udp4}]"
	net_make
	$NET_HOOK
	config_write
	daemon_start c
	wait_for 10 "a port" nat_fails_over
	daemon_start g
	wait_attached g 1
	session_same
}

# A port that the file names is the operator's; what was tried is told.
a_port_that_the_file_names_stays()
{
	NET_HOOK=nat TRANSPORTS="[{name: a, interface: a0, protocol: udp4, local_port: 51999}]" POLICY="$QUICK, $TTL"
	pair_fresh
	session_keep
	nat_fails_over
	wait_for 20 "the attempts are told" explained "Transport a: [0-9]+ attempts in vain since .* to $G_V4:$PORT\."
	equal "the port" "$(on c ss -Hulnp 'sport = :51999' | wc -l)" 1
	SID=$KEPT_SID
}

# --- the family ------------------------------------------------------------------------------------

# Out of a network with IPv4 into one with IPv6 alone. The name has both.
from_IPv4_to_IPv6()
{
	ENDPOINTS="\"$G_V4:$PORT\", \"[$G_V6]:$PORT\""
	TRANSPORTS="[{name: a, interface: a0, protocol: udp4, preference: 200}, {name: six, interface: a0, protocol: udp6}]"
	POLICY="$QUICK, $TTL" NET_HOOK=four_alone
	pair_fresh
	session_keep
	ip -n "${NS}c" addr flush dev a0
	ip -n "${NS}c" addr add 2001:db8:a::1/64 dev a0
	ip -n "${NS}c" route add ::/0 via 2001:db8:a::fe dev a0
	wait_for 20 "the session goes on by IPv6" bound_by a0 "[$G_V6]:$PORT"
	equal "the session id" "$SID" "$KEPT_SID"
}

four_alone()
{
	ip -n "${NS}c" -6 addr flush dev a0
}

# --- the gateway -----------------------------------------------------------------------------------

# The first gateway is gone: its session ends by its bound, as the policy says, and then the second
# one is asked at once.
the_second_gateway()
{
	NET_HOOK=two_gateways POLICY="$QUICK, transport_loss_ttl_ms: $((4000 * T)), recovery_window_ms: $((2000 * T))"
	pair_fresh
	session_keep
	daemon_end g
	ip -n "${NS}g" link set g0 down
	wait_audit c '"to":"TERMINATED","reason":"TRANSPORT_LOSS_TTL_EXPIRED"' 20
	wait_for 5 "the second gateway is asked" grep -q "INIT to $G_V4:$OTHER_PORT" "$WORK/c/log"
	equal "questions to the first one meanwhile" "$(sed -n '/TRANSPORT_LOSS_TTL/,$p' "$WORK/c/log" | grep -m 1 -o 'INIT to [0-9.:]*')" "INIT to $G_V4:$OTHER_PORT"
}

two_gateways()
{
	key_make x
	key_make g
	GATEWAYS="[$(gateway_text one g "\"$G_V4:$PORT\""), $(gateway_text two x "\"$G_V4:$OTHER_PORT\"")]"
}

standbys_over_b()
{
	grep -c "REQUEST (standby) .* over b" "$WORK/c/log"
}

asked_again()
{
	[ "$(standbys_over_b)" -gt "$1" ]
}

long_way_over_b()
{
	tc -n "${NS}r" qdisc change dev rb root netem delay 200ms limit 10000
}

# The daemon of the gateway is away. A standby question over b is in vain while a jump to b has been
# asked for: that one is answered on the port that it went from, and is not thrown away.
a_jump_under_way_keeps_its_port()
{
	NET_HOOK=long_way_over_b POLICY="$QUICK, $TTL, standby_interval_ms: 1000"
	pair_fresh
	session_keep
	wait_for 20 "an answer over b" stands_by b
	kill -STOP "$(daemon_pid g)"
	wait_for 20 "a standby question" asked_again "$(standbys_over_b)"
	sleep 1.5
	on_spawn c jvpnctl --socket "$WORK/c/socket" -i $DEV session jump "$SID" b > "$WORK/order" 2>&1
	wait_for 20 "it is in vain" grep -q "no answer over b to an attempt to standby" "$WORK/c/log"
	kill -CONT "$(daemon_pid g)"
	wait_for 20 "the session is on b" bound_by b0 "$G_V4:$PORT"
	contains "the order" "$(cat "$WORK/order")" "jumped to b"
}

test_main narrow_uplink_that_is_preferred moves_to_a_narrow_uplink nat_that_keeps_a_dead_mapping \
	nat_that_keeps_a_dead_mapping_at_the_start a_port_that_the_file_names_stays from_IPv4_to_IPv6 \
	the_second_gateway a_jump_under_way_keeps_its_port
