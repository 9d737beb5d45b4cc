#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Somebody beside the path who sees what the client sends and is faster than the network: while the
# genuine answers arrive, nothing moves to him, no handshake is kept out, and nobody is made to
# flood. Over both families.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"
. "$LIB_DIR/lib-abuse.sh"

NET_HOOK=aside_cable
POLICY="standby_interval_ms: 0"
X4=192.0.9.254 X6=2001:db8:99::fe

# aside_cable: to the gateway, without delay.
aside_cable()
{
	ip link add gz netns "${NS}g" type veth peer name rz netns "${NS}r"
	ip -n "${NS}g" -batch - <<- END
		addr add 192.0.9.1/24 dev gz
		addr add 2001:db8:99::1/64 dev gz nodad
		link set gz up
	END
	ip -n "${NS}r" -batch - <<- END
		addr add $X4/24 dev rz
		addr add $X6/64 dev rz nodad
		link set rz up
	END
}

# family_set 4|6
family_set()
{
	X=$X4 XG=192.0.9.1
	[ "$1" = 6 ] || return 0
	X=$X6 XG=2001:db8:99::1
	ENDPOINTS="\"[$G_V6]:$PORT\""
	TRANSPORTS="[{name: a, interface: a0, protocol: udp6, preference: 200}, {name: b, interface: b0, protocol: udp6, preference: 100}]"
}

# aside_start MODE [KEY]
aside_start()
{
	rm -f "$WORK/r/aside"
	on_spawn r "$PYTHON" -S -E "$LIB_DIR/abuse_aside.py" "$1" ra,rb $X $XG $PORT "$WORK/r/aside" ${2:+"$2"}
	ASIDE_PID=$SPAWNED
	wait_for 10 "the one beside the path" grep -qs ready "$WORK/r/aside"
}

aside_stop()
{
	kill -KILL "$ASIDE_PID"
}

# aside_count WHAT
aside_count()
{
	grep -c "^$1" "$WORK/r/aside"
}

# bound_to_x: how often the session was bound to him, or is.
bound_to_x()
{
	echo $(($(audit_count g "\"to\":\"ATTACHED\".*$X") + $(ctl g --json session list | grep -c "$X")))
}

# carried_jumps 4|6: he copies REQUEST and PROOF, and carries his CHALLENGE to the client.
carried_jumps()
{
	local i

	family_set "$1"
	pair_fresh
	aside_start carry
	session_keep
	for i in 1 2 3; do
		jump b
		jump a
	done
	aside_stop
	[ "$(aside_count "carried 6")" -ge 6 ] || fail "he carried nothing: nothing was tested"
	equal "bindings to the one beside" "$(bound_to_x)" 0
	session_kept 12 12 6
	reach
}

carried_refreshes()
{
	family_set "$1"
	POLICY="$POLICY, rekey_after_ms: $((1000 * (SLOW > 1 ? 4 : 1)))"
	pair_fresh
	aside_start carry
	session_keep
	wait_for 30 "new keys" refreshed 5
	aside_stop
	[ "$(aside_count "carried 6")" -ge 4 ] || fail "he carried nothing: nothing was tested"
	equal "bindings to the one beside" "$(bound_to_x)" 0
	session_kept 0 0
	reach
}

# refreshed COUNT
refreshed()
{
	session_agrees && [ "$EPOCH" -ge $((KEPT_EPOCH + $1)) ]
}

# copied_inits 4|6: his copy of each INIT is there first.
copied_inits()
{
	family_set "$1"
	net_make
	$NET_HOOK
	config_write
	daemon_start g
	aside_start init
	daemon_start c
	wait_attached c 1
	wait_attached g 1
	aside_stop
	[ "$(aside_count "copied 1")" -ge 1 ] || fail "he copied nothing: nothing was tested"
	at_most "INITs that were needed" "$(aside_count "seen 1")" $((SLOW > 1 ? 4 : 2))
	equal "bindings to the one beside" "$(bound_to_x)" 0
	session_same
	reach
}

# What the client sent once is sent again and again: it costs its owner nothing, and the next
# handshake is as fast as any.
replayed_inits()
{
	local seen refused

	family_set 4
	net_make
	$NET_HOOK
	config_write
	daemon_start g
	aside_start replay
	daemon_start c
	wait_attached c 1
	wait_attached g 1
	refused=$(verdicts INIT "not newer than the last one accepted")
	wait_for 10 "replays" replayed $((refused + 90))
	daemon_end c TERM
	ip -n "${NS}c" link del $DEV
	rm -rf "$WORK/c/run" "$WORK/c/audit"
	seen=$(aside_count "seen 1")
	daemon_start c
	wait_attached c 1
	at_most "INITs that were needed" $(($(aside_count "seen 1") - seen)) $((SLOW > 1 ? 4 : 2))
	aside_stop
	session_same
	reach
}

replayed()
{
	[ "$(verdicts INIT "not newer than the last one accepted")" -ge "$1" ]
}

# forged_cookies 4|6: each buys at most one repetition of what was sent.
forged_cookies()
{
	local before

	family_set "$1"
	net_make
	$NET_HOOK
	config_write
	daemon_start g
	aside_start cookie "$(cat "$WORK/g/pub")"
	daemon_start c
	wait_attached c 1
	wait_attached g 1
	at_most "INITs that were sent" "$(aside_count "seen 1")" $((SLOW > 1 ? 8 : 4))
	session_same
	before=$(aside_count "seen 5")
	jump b
	at_most "REQUESTs that were sent" $(($(aside_count "seen 5") - before)) $((SLOW > 1 ? 6 : 4))
	aside_stop
	reach
}

test_main "carried_jumps 4" "carried_jumps 6" "carried_refreshes 4" "carried_refreshes 6" \
	"copied_inits 4" "copied_inits 6" replayed_inits "forged_cookies 4" "forged_cookies 6"
