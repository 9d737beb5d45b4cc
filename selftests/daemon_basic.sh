#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The first use: a session over IPv4 and over IPv6, traffic both ways, and what jvpnctl says of it.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

BOTH='[{name: a, interface: a0, protocol: PROTO, preference: 200}, {name: b, interface: b0, protocol: PROTO, preference: 100}]'

inner_both_ways()
{
	local v4 v6

	v4=$(inner c)
	v6=$(on c ip -6 -o addr show dev $DEV scope global | sed -nE '1s/.* inet6 ([0-9a-f:]+).*/\1/p')
	[ -n "$v4" ] && [ -n "$v6" ] || fail "the client's inner addresses are '$v4' and '$v6'"
	for address in $G_IN4 $G_IN6; do
		wait_for 5 "an answer of $address" ping_ok c $address 2
	done
	for address in $v4 $v6; do
		wait_for 5 "an answer of $address" ping_ok g "$address" 2
	done
}

handshake_over_IPv4()
{
	pair_fresh
	equal "the version" "$C_VERSION $G_VERSION" "1 1"
	contains "the gateway's transport" "$G_REMOTE" '^198\.51\.100\.1:'
	inner_both_ways
	audit_has g "$(transition BIRTH ATTACHED HANDSHAKE_OK)" || fail "no HANDSHAKE_OK at the gateway"
	audit_has c "$(transition BIRTH ATTACHED HANDSHAKE_OK)" || fail "no HANDSHAKE_OK at the client"
}

handshake_over_IPv6()
{
	TRANSPORTS=${BOTH//PROTO/udp6} ENDPOINTS="\"[$G_V6]:$PORT\""
	pair_fresh
	equal "the version" "$C_VERSION $G_VERSION" "1 1"
	contains "the gateway's transport" "$G_REMOTE" '^\[2001:db8:a::1\]:'
	inner_both_ways
}

jump_from_IPv4_to_IPv6()
{
	TRANSPORTS='[{name: a, interface: a0, protocol: udp4, preference: 200}, {name: b, interface: b0, protocol: udp6, preference: 100}]'
	ENDPOINTS="\"$G_V4:$PORT\", \"[$G_V6]:$PORT\""
	pair_fresh
	session_keep
	jump b
	session_kept 2 2 1
	contains "the gateway's transport" "$G_REMOTE" '^\[2001:db8:b::1\]:'
	inner_both_ways
	jump a
	session_kept 4 4 2
}

# fetch FROM_HOST ADDRESS: a file of some size over TCP, compared by its hash.
fetch()
{
	local got want

	want=$(sha256sum < "$WORK/web/file")
	got=$(on "$1" curl -sSf -m $((20 * SLOW)) "http://$2:8080/file" | sha256sum)
	equal "the hash of what $1 got" "$got" "$want"
}

TCP_transfer_both_ways()
{
	local address

	pair_up
	mkdir -p "$WORK/web"
	head -c $((SLOW > 1 ? 500000 : 8000000)) /dev/urandom > "$WORK/web/file"
	for host in g c; do
		on_spawn $host "$PYTHON" -m http.server -d "$WORK/web" 8080 > /dev/null 2>&1
	done
	address=$(inner c)
	wait_for 10 "a web server" on c curl -sfI -m 2 "http://$G_IN4:8080/file"
	wait_for 10 "a web server" on g curl -sfI -m 2 "http://$address:8080/file"
	fetch c $G_IN4
	fetch g "$address"
	session_same
	equal "the version" "$C_VERSION $G_VERSION" "1 1"
}

session_list_and_show_and_explain()
{
	local text

	pair_up
	text=$(ctl c session list) || fail "session list failed"
	contains "session list" "$text" "^${SID:0:12} .*gateway .*ATTACHED +1 "
	contains "session list" "$text" "daemon: running$"
	text=$(ctl g session list) || fail "session list failed"
	contains "session list of the gateway" "$text" "^${SID:0:12} .*client .*ATTACHED +1 .*10\.77\.0\."
	text=$(ctl c session show "${SID:0:6}") || fail "session show failed"
	contains "session show" "$text" "^session +$SID"
	contains "session show" "$text" "HANDSHAKE_OK"
	text=$(ctl c session explain "$SID") || fail "session explain failed"
	contains "session explain" "$text" "is ATTACHED at version 1"
	contains "session explain" "$text" "handshake"
}

JSON_is_JSON()
{
	local verb

	pair_up
	for verb in "session list" "session show $SID" "session explain $SID" status \
	    "transport list" "policy list" events; do
		# shellcheck disable=SC2086 # words
		ctl c --json $verb > "$WORK/out" || fail "'$verb --json' failed"
		"$PYTHON" -c 'import json,sys; [json.loads(l) for l in sys.stdin] if sys.argv[1] == "events" else json.load(sys.stdin)' \
			"$verb" < "$WORK/out" || fail "'$verb --json' is not JSON: $(head -c 300 "$WORK/out")"
	done
}

the_kernels_table_without_the_daemon()
{
	local text status=0

	pair_up
	session_keep
	daemon_end c
	text=$(ctl c session list) || fail "session list needs the daemon"
	contains "session list" "$text" "^${SID:0:12} .*ATTACHED +1 "
	contains "session list" "$text" "daemon: not running"
	ctl c session show "$SID" > /dev/null || fail "session show needs the daemon"
	text=$(ctl c session explain "$SID") || fail "session explain needs the daemon"
	contains "session explain" "$text" "daemon"
	text=$(ctl c status) || status=$?
	equal "the exit status of status" $status 4
	contains "status" "$text" "not running"
	ctl c session jump "$SID" > /dev/null 2>&1
	equal "the exit status of a jump without the daemon" $? 4
	wait_for 5 "traffic goes on without the daemon" ping_ok c $G_IN4 3
	daemon_start c
	session_kept 0 0 0
}

test_main handshake_over_IPv6 jump_from_IPv4_to_IPv6 handshake_over_IPv4 TCP_transfer_both_ways \
	session_list_and_show_and_explain JSON_is_JSON the_kernels_table_without_the_daemon
