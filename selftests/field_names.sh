#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The gateway by its name, where the name server is not on the link: it is asked over the uplinks, and
# never through the tunnel whose other end is being looked for.

# Files of our own, which the daemons see in place of the machine's.
if [ -z "${JVPN_OWN_FILES:-}" ]; then
	exec env JVPN_OWN_FILES=1 unshare --mount "$0"
fi

. "$(dirname "$(realpath "$0")")/lib-field.sh"

NAME=gw.jvpn.test
SERVER=198.18.9.53
G_NEXT=192.0.2.77
ENDPOINTS="\"$NAME:$PORT\""
TTL="transport_loss_ttl_ms: $((30000 * T)), recovery_window_ms: $((5000 * T))"

mkdir -p "$WORK"

# mount_own FILE: an empty one in its place, as $WORK/NAME; what is written there is what is seen.
mount_own()
{
	mkdir -p "$(dirname "$1")"
	[ -e "$1" ] || : > "$1"
	: > "$WORK/own-$(basename "$1")"
	chmod 644 "$WORK/own-$(basename "$1")"
	mount --bind "$WORK/own-$(basename "$1")" "$1" || exit 1
}

mount_own /etc/resolv.conf
mount_own /etc/hosts
# systemd-resolved's, in a folder of our own.
mkdir -p /run/systemd/resolve "$WORK/own-resolve"
mount --bind "$WORK/own-resolve" /run/systemd/resolve || exit 1

servers()
{
	printf 'nameserver %s\n' "$@" > "$WORK/own-resolv.conf"
}

# name ADDRESS...: what the name servers know.
name()
{
	printf "$NAME %s\n" "$@" > "$WORK/names"
}

# dns_start HOST ADDRESS: a name server there.
dns_start()
{
	rm -f "$WORK/dns-$1-ready"
	on_spawn "$1" "$PYTHON" "$LIB_DIR/field_dns.py" "$2" "$WORK/names" "$WORK/dns-$1-ready" > "$WORK/dns-$1" 2>&1
	DNS_PID=$SPAWNED
	wait_for 10 "a name server" test -e "$WORK/dns-$1-ready"
}

# The provider's server is beyond the router.
provider()
{
	rm -rf "$WORK"/own-resolve/*
	: > "$WORK/own-hosts"
	ip -n "${NS}r" addr add $SERVER/32 dev lo
	servers $SERVER
	name $G_V4
	dns_start r $SERVER
	# What comes out of the tunnel reaches the Internet.
	on g sysctl -qw net.ipv4.ip_forward=1
	on g nft -f - <<- END
		table ip nat { chain out { type nat hook postrouting priority 100; oifname "g0" ip saddr 10.77.0.0/24 masquerade; }; }
	END
}

gateway_moves()
{
	ip -n "${NS}g" addr del $G_V4/24 dev g0
	ip -n "${NS}g" addr add $G_NEXT/24 dev g0
	ip -n "${NS}g" route replace default via $R_V4
	name $G_NEXT
}

found()
{
	session_agrees && [ "$REMOTE" = "$G_NEXT:$PORT" ]
}

# finds_it: the session is the same one, at the new address.
finds_it()
{
	wait_for 20 "the gateway is found where it is now" found
	equal "the session id" "$SID" "$KEPT_SID"
}

asked_from()
{
	cut -d ' ' -f 3 "$WORK/dns-r" | sort -u | xargs
}

# --- through the tunnel -------------------------------------------------------------------------

gateway_moves_under_a_full_tunnel()
{
	NET_HOOK=provider ROUTES="[0.0.0.0/0]" POLICY="$QUICK, $TTL"
	pair_fresh
	session_keep
	contains "the system's route to the name server" "$(on c ip route get $SERVER)" "dev $DEV"
	gateway_moves
	finds_it
}

# What the last run left behind leads into a tunnel that is no more.
start_under_a_full_tunnel()
{
	NET_HOOK=provider ROUTES="[0.0.0.0/0]" POLICY="$QUICK, $TTL"
	pair_fresh
	daemon_end c
	daemon_end g
	ip -n "${NS}g" link del $DEV
	rm -rf "$WORK/c/run" "$WORK/g/run"
	gateway_moves
	daemon_start g
	daemon_start c
	wait_for 20 "a session with the gateway where it is now" found
}

# --- where to ask -------------------------------------------------------------------------------

# The first uplink's network does not let the question out.
by_the_other_uplink()
{
	NET_HOOK=provider ROUTES="[0.0.0.0/0]" POLICY="$QUICK, $TTL"
	pair_fresh
	session_keep
	on r nft -f - <<- END
		table ip closed { chain in { type filter hook input priority 0; iifname "ra" udp dport 53 drop; }; }
	END
	: > "$WORK/dns-r"
	gateway_moves
	finds_it
	equal "who asked" "$(asked_from)" 203.0.113.1
}

# A server that is not there any more costs no more than a moment.
the_first_server_is_silent()
{
	NET_HOOK=provider ROUTES="[0.0.0.0/0]" POLICY="$QUICK, $TTL"
	pair_fresh
	session_keep
	servers 198.51.100.253 $SERVER
	gateway_moves
	finds_it
}

# A stub on the machine is asked as others ask it; it has the name.
a_stub_on_the_machine()
{
	NET_HOOK=provider ROUTES="[0.0.0.0/0]" POLICY="$QUICK, $TTL"
	pair_fresh
	session_keep
	servers 127.0.0.53
	kill "$DNS_PID"
	dns_start c 127.0.0.53
	gateway_moves
	finds_it
	grep -q "$NAME A 127" "$WORK/dns-c" || fail "the stub was not asked"
}

# The stub asks through the tunnel, and so gets no answer: who it asks is asked as well.
a_stub_that_is_caught_in_the_tunnel()
{
	NET_HOOK=provider ROUTES="[0.0.0.0/0]" POLICY="$QUICK, $TTL"
	pair_fresh
	session_keep
	servers 127.0.0.53
	echo "nameserver $SERVER" > "$WORK/own-resolve/resolv.conf"
	gateway_moves
	finds_it
}

# The file names a server inside of the tunnel, since the tunnel is there: who answered before is remembered.
a_server_inside_of_the_tunnel()
{
	NET_HOOK=provider ROUTES="[0.0.0.0/0]" POLICY="$QUICK, $TTL"
	pair_fresh
	session_keep
	servers $G_IN4
	gateway_moves
	finds_it
}

# The network at home has the server, and is no transport.
a_server_beyond_no_transport()
{
	NET_HOOK=at_home TRANSPORTS="[{name: a, interface: a0, protocol: udp4}]"
	POLICY="$QUICK, $TTL" ROUTES="[0.0.0.0/0]"
	pair_fresh
	session_keep
	: > "$WORK/dns-r"
	gateway_moves
	finds_it
	equal "who asked" "$(asked_from)" 203.0.113.1
}

at_home()
{
	provider
	ip -n "${NS}r" addr del $SERVER/32 dev lo
	servers 203.0.113.254
	ip -n "${NS}c" route del default dev b0
	dns_start r 203.0.113.254
	# Nobody at the other end of the modem has that address.
	on r nft -f - <<- END
		table ip home { chain in { type filter hook input priority 0; iifname "ra" ip daddr 203.0.113.254 drop; }; }
	END
}

# Nobody can say where the gateway is now: then it is where it was.
what_nobody_can_say_stays()
{
	NET_HOOK=provider ENDPOINTS="\"192.0.2.99:$PORT\", \"$NAME:$PORT\"" POLICY="$QUICK, $TTL"
	pair_fresh
	session_keep
	kill "$DNS_PID"
	hole a
	hole b
	wait_for 20 "the question fails" grep -q "cannot resolve $NAME" "$WORK/c/log"
	hole_end b
	wait_for 20 "the session is back" bound_by_b
	equal "the session id" "$SID" "$KEPT_SID"
}

bound_by_b()
{
	session_agrees && [ "$VIA $REMOTE" = "b0 $G_V4:$PORT" ]
}

# --- the hosts file -----------------------------------------------------------------------------

# It counts before all servers, whatever they say.
the_hosts_file_first()
{
	NET_HOOK=provider POLICY="$QUICK, $TTL"
	pair_fresh
	session_keep
	gateway_moves
	name 192.0.2.66
	echo "$G_NEXT other.test $NAME # comment" > "$WORK/own-hosts"
	finds_it
	ctl c transport list | grep -q 192.0.2.66 && fail "a server's answer is used in spite of the file"
	return 0
}

test_main gateway_moves_under_a_full_tunnel start_under_a_full_tunnel by_the_other_uplink \
	the_first_server_is_silent a_stub_on_the_machine a_stub_that_is_caught_in_the_tunnel \
	a_server_inside_of_the_tunnel a_server_beyond_no_transport what_nobody_can_say_stays \
	the_hosts_file_first
