#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the running daemons have given up: as root, and as the user that root becomes.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

NET_ADMIN=0000000000001000
USER_ID=9733

# status HOST FIELD: of the process.
status()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$(daemon_pid "$1")/status"
}

# given_up HOST: what holds whoever it is.
given_up()
{
	local set pid

	pid=$(daemon_pid "$1")
	for set in CapPrm CapEff CapBnd; do
		equal "$set of $1" "$(status "$1" $set)" $NET_ADMIN
	done
	for set in CapInh CapAmb; do
		equal "$set of $1" "$(status "$1" $set)" 0000000000000000
	done
	equal "NoNewPrivs of $1" "$(status "$1" NoNewPrivs)" 1
	contains "the limits of $1" "$(cat "/proc/$pid/limits")" 'Max core file size +0 +0'
	[ "$(status "$1" VmLck)" != "0 kB" ] || fail "the memory of $1 may be swapped"
	[ -z "$(status "$1" Seccomp)" ] || equal "the filter of system calls of $1" "$(status "$1" Seccomp)" 2
}

as_root()
{
	local host

	pair_fresh
	for host in g c; do
		given_up $host
		equal "the user of $host" "$(status $host Uid | cut -f 1)" 0
	done
	jump b
	reach
}

# shellcheck disable=SC2016 # for the other shell
WITH_USER='mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/nsswitch.conf && exec jvpnd "$3"'

# user_start HOST: as root does, on a system with the user jvpn.
user_start()
{
	local host=$1

	[ ! -e "$WORK/$host/log" ] || cat "$WORK/$host/log" >> "$WORK/$host/log.old"
	on_spawn "$host" unshare -m sh -c "$WITH_USER" sh "$WORK/passwd" "$WORK/nsswitch.conf" \
		"$WORK/$host/config.yaml" < /dev/null > "$WORK/$host/log" 2>&1
	echo "$SPAWNED" > "$WORK/$host/pid"
	until_true 10 daemon_serves "$host" || fail "the daemon of $host does not serve: $(tail -n 3 "$WORK/$host/log")"
}

owner()
{
	stat -c %u "$1"
}

as_its_own_user()
{
	local host file

	pair_fresh
	session_keep
	echo "root:x:0:0::/:/bin/sh" > "$WORK/passwd"
	echo "jvpn:x:$USER_ID:$USER_ID::/:/usr/sbin/nologin" >> "$WORK/passwd"
	echo "passwd: files" > "$WORK/nsswitch.conf"
	# From root's daemon to the user's: what root has left is given to the user.
	for host in g c; do
		daemon_end $host TERM
		# Of the control socket, which is not in the runtime folder here.
		chown $USER_ID "$WORK/$host"
		user_start $host
		given_up $host
		equal "the users of $host" "$(status $host Uid)" "$(printf '%s\t%s\t%s\t%s' $USER_ID $USER_ID $USER_ID $USER_ID)"
		equal "the groups of $host" "$(status $host Groups | tr -d ' ')" ""
		# What can be dumped belongs to its user.
		equal "the owner of what is in /proc of $host" "$(owner "/proc/$(daemon_pid $host)/environ")" 0
		for file in run run/$DEV run/$DEV/store.mdb run/$DEV/audit.mdb run/$DEV.lock audit socket; do
			equal "the owner of $file of $host" "$(owner "$WORK/$host/$file")" $USER_ID
		done
		chown $USER_ID "$WORK/$host/key"
	done
	session_kept 0 0 0
	jump b
	session_kept 2 2 1
	reach
	# It can do alone what it does at run time.
	ctl g reload > /dev/null || fail "the gateway does not reload"
	daemon_end g
	user_start g
	session_kept 2 2 1
	ctl g session terminate "$SID" > /dev/null || fail "the session cannot be ended"
	wait_attached c 3
	reach
	rm -f "$WORK/pair"
}

test_main as_root as_its_own_user
