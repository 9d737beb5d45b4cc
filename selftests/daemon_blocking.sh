#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Nothing that others take their time with stops the daemon: nobody reads its messages, a name
# server does not answer.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

# Its standard error is a pipe that is full; it has the reading end itself, so that it stays open.
MUTE='
import os, fcntl, sys
r, w = os.pipe()
os.set_inheritable(r, True)
flags = fcntl.fcntl(w, fcntl.F_GETFL)
fcntl.fcntl(w, fcntl.F_SETFL, flags | os.O_NONBLOCK)
try:
    while True:
        os.write(w, b"x")
except BlockingIOError:
    fcntl.fcntl(w, fcntl.F_SETFL, flags)
os.dup2(w, 1)
os.dup2(w, 2)
os.execvp(sys.argv[1], sys.argv[1:])
'

# answers HOST
answers()
{
	ctl "$1" status
}

# muted_start HOST
muted_start()
{
	on_spawn "$1" "$PYTHON" -S -E -c "$MUTE" jvpnd "$WORK/$1/config.yaml" < /dev/null
	echo "$SPAWNED" > "$WORK/$1/pid"
	wait_for 10 "the daemon of $1 answers" answers "$1"
}

messages_that_nobody_reads()
{
	local host round

	pair_fresh
	session_keep
	for host in g c; do
		daemon_end $host
		muted_start $host
	done
	jump b
	jump a
	session_kept 4 4 2
	for round in 1 2 3 4 5; do
		ctl g reload > /dev/null || fail "the gateway does not reload"
	done
	ctl g session terminate "$SID" > /dev/null || fail "the session cannot be ended"
	wait_attached g 4
	reach
	for host in g c; do
		kill -TERM "$(daemon_pid $host)"
		wait_for 3 "the daemon of $host ends" daemon_gone $host
	done
	rm -f "$WORK/pair"
}

# What a name server does that is there and says nothing.
DNS='
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
open(sys.argv[2] + "-ready", "w").close()
s.recvfrom(512)
open(sys.argv[2], "w").close()
s.recvfrom(512)
import signal
signal.pause()
'

SPAWN_WITH_DNS='mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/nsswitch.conf && exec jvpnd "$3"'

name_server_that_is_silent()
{
	ENDPOINTS="\"gateway.example:$PORT\""
	net_make
	config_write
	daemon_start g
	on_spawn g "$PYTHON" -S -E -c "$DNS" $G_V4 "$WORK/asked"
	wait_for 10 "the name server is there" test -e "$WORK/asked-ready"
	printf 'nameserver %s\noptions timeout:30 attempts:1\n' $G_V4 > "$WORK/resolv.conf"
	echo "hosts: dns" > "$WORK/nsswitch.conf"
	# shellcheck disable=SC2016 # for the other shell
	on_spawn c unshare -m sh -c "$SPAWN_WITH_DNS" sh "$WORK/resolv.conf" "$WORK/nsswitch.conf" \
		"$WORK/c/config.yaml" < /dev/null > "$WORK/c/log" 2>&1
	echo "$SPAWNED" > "$WORK/c/pid"
	wait_for 10 "the name is asked for" test -e "$WORK/asked"
	ctl c status > /dev/null || fail "the daemon does not answer meanwhile"
	kill -TERM "$(daemon_pid c)"
	wait_for 2 "the daemon ends" daemon_gone c
	contains "the audit log" "$(tail -n 1 "$WORK/c/audit")" DAEMON_STOP
	daemon_end g TERM
}

test_main messages_that_nobody_reads name_server_that_is_silent
