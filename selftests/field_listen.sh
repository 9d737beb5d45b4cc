#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a gateway listens on: sockets that are there are handed over, under their sessions, when it
# changes; what cannot be had now is told, shown in "status" and taken when it comes.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"
. "$LIB_DIR/lib-warnings.sh"

LATE=192.0.2.77
ALL4="{address: 0.0.0.0, port: $PORT}"
ALL6="{address: \"::\", port: $PORT}"

# listen_set LIST
listen_set()
{
	sed -i "s/listen: .*/listen: [$1]/" "$WORK/g/config.yaml"
}

# listener ADDRESS: the gateway has a socket there, as the system sees it.
listener()
{
	on g ss -Huln "sport = :$PORT" | grep -qF " $1:$PORT "
}

no_listener()
{
	! listener "$1"
}

# listens_at INTERFACE: one of the device's sockets is bound to it, as the module says.
listens_at()
{
	on g jvpnctl --socket "$WORK/none" -i $DEV --json transport list | grep -q "\"interface\": *\"$1\""
}

# takes_over LIST STEP: LIST is listened on after STEP, under a session that notices nothing.
takes_over()
{
	listen_set "$1"
	$2
	wait_for 5 "it listens on all of $1" warns_nothing g
	session_kept 0 0 0
}

step_reload()
{
	ctl g reload > "$WORK/out" 2>&1 || fail "the reload is refused: $(cat "$WORK/out")"
}

step_restart()
{
	daemon_end g TERM
	daemon_start g
}

# --- listening ---------------------------------------------------------------------------------

# From all addresses to one, to an interface, to both, and back to all: by STEP each time.
listen_handed_over()
{
	local step=$1

	pair_fresh
	session_keep
	probe_start
	takes_over "{address: $G_V4, port: $PORT}" "$step"
	listener $G_V4 || fail "there is no listener on $G_V4"
	no_listener 0.0.0.0 || fail "the old listener is still there: $(on g ss -Huln)"
	takes_over "{address: 0.0.0.0, port: $PORT, interface: g0}" "$step"
	listens_at g0 || fail "there is no listener on g0"
	takes_over "{address: $G_V4, port: $PORT, interface: g0}, {address: 127.0.0.1, port: $PORT}" "$step"
	listener 127.0.0.1 || fail "there is no listener on 127.0.0.1"
	takes_over "$ALL4, $ALL6" "$step"
	listener 0.0.0.0 || fail "there is no listener on 0.0.0.0"
	probe_stop
	equal "datagrams lost of $SENT" "$LOST" 0
	session_kept 0 0 0
}

# binds ADDRESS [OPTION]: Python that binds a socket to our port as another user, one who would share it.
binds()
{
	cat <<- END
		import os, socket, time
		os.setuid(65534)
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		${2:+s.setsockopt(socket.SOL_SOCKET, socket.$2, 1)}
		s.bind(('$1', $PORT))
	END
}

# A port of ours is nobody else's, not even for those who would share it.
listen_not_shared()
{
	local option

	pair_up
	for option in "" SO_REUSEADDR SO_REUSEPORT; do
		fails 1 "in use" on g "$PYTHON" -S -E -c "$(binds $G_V4 $option)"
	done
	listen_set "{address: $G_V4, port: $PORT}"
	step_reload
	for option in "" SO_REUSEADDR SO_REUSEPORT; do
		fails 1 "in use" on g "$PYTHON" -S -E -c "$(binds 0.0.0.0 $option)"
	done
	rm -f "$WORK/pair"
}

# An address and an interface that come when the gateway serves already.
listen_comes_later()
{
	net_make
	config_write
	listen_set "$ALL6, {address: $G_V4, port: $PORT}, {address: $LATE, port: $PORT}, {address: 0.0.0.0, port: $PORT, interface: late0}"
	daemon_start g
	daemon_start c
	wait_attached c 1
	warns g "$LATE:$PORT: no interface has this address" || fail "warnings: $(warnings g)"
	warns g "on late0: there is no interface late0" || fail "warnings: $(warnings g)"
	contains "the transports" "$(ctl g transport list 2>&1)" "unusable"
	# What lacks already does not keep other changes out.
	ctl g reload > /dev/null || fail "a reload is refused for what was lacking before"
	ip -n "${NS}g" addr add $LATE/24 dev g0
	wait_for 5 "it listens on the address" listener $LATE
	ip -n "${NS}g" link add late0 type dummy
	wait_for 5 "it listens on the interface" listens_at late0
	wait_for 5 "nothing is lacking" warns_nothing g
	contains "the log" "$(cat "$WORK/g/log")" "$LATE:$PORT: it is no longer missing"
	equal "warnings of the late address" "$(grep -c "warning: listen $LATE" "$WORK/g/log")" 1
}

# port_is_taken
port_is_taken()
{
	[ -n "$(on g ss -Huln "sport = :$PORT")" ]
}

# listen_on_a_busy_port ADDRESS [OPTION]: another user was there first.
listen_on_a_busy_port()
{
	local holder

	net_make
	config_write
	on_spawn g "$PYTHON" -S -E -c "$(binds "$@")
time.sleep(600)"
	holder=$SPAWNED
	wait_for 10 "the port is taken" port_is_taken
	daemon_start g
	warns g "0.0.0.0:$PORT: another program uses this port .*ss -ulpn" || fail "warnings: $(warnings g)"
	kill "$holder"
	wait_for 10 "it takes the port" warns_nothing g
	daemon_start c
	wait_attached c 1
}

test_main "listen_handed_over step_reload" "listen_handed_over step_restart" listen_not_shared \
	listen_comes_later "listen_on_a_busy_port 0.0.0.0" \
	"listen_on_a_busy_port $G_V4 SO_REUSEADDR" "listen_on_a_busy_port $G_V4 SO_REUSEPORT"
