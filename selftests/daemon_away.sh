#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A daemon is away, killed or stopped, for longer than the keys of its sessions live, or keys are
# wiped because a machine slept (that the kernel does so: host_suspended). The session waits, as for any transport that is lost, and comes back by a PROOF: the same session, without a
# handshake, every version in both logs.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

NLPROBE=$LIB_DIR/../build/selftests/nlprobe

no_new_handshake()
{
	equal "handshakes in the gateway's log" "$(audit_count g '"event":"HANDSHAKE_DONE"')" 1
	equal "handshakes in the client's log" "$(audit_count c '"event":"HANDSHAKE_DONE"')" 1
}

# keys_age HOST MS: how old the kernel of HOST lets keys become.
keys_age()
{
	on "$1" "$NLPROBE" policy "$SID" "reject-after-ms=$2"
}

recovers()
{
	[ "$(on "$1" "$NLPROBE" get "$SID" state)" = recovering ]
}

# Both kernels give up keys that nobody renews: for the same time, but in a test's patience.
keys_expire()
{
	local host

	for host in g c; do
		keys_age $host 1000
	done
	sleep 0.2
	for host in g c; do
		wait_for 10 "the keys of $host expire" recovers $host
		keys_age $host 180000
	done
}

# came_back REASON HOST...: each lost the binding for it, and has it again; all else is as it was.
came_back()
{
	local host

	for host in "${@:2}"; do
		wait_audit "$host" "$(transition ATTACHED RECOVERING "$1")" 10
		wait_audit "$host" "$(transition RECOVERING ATTACHED REATTACH_OK)" 20
	done
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	no_new_handshake
	reach
	audit_complete c
	audit_complete g
}

# keys_expired HOW HOST...: the daemons of these hosts are away (killed or stopped) for longer than
# keys live. The session waits, as for any transport that is lost, and comes back by a PROOF.
keys_expired()
{
	local how=$1 host

	shift
	pair_fresh
	session_keep
	for host; do
		if [ "$how" = killed ]; then
			daemon_end "$host"
		else
			kill -STOP "$(daemon_pid "$host")"
		fi
	done
	keys_expire
	for host; do
		if [ "$how" = killed ]; then
			daemon_start "$host"
		else
			kill -CONT "$(daemon_pid "$host")"
		fi
	done
	came_back KEY_EXPIRED g c
}

# keys_wiped HOST...: as the kernel of each says when its machine is about to sleep.
keys_wiped()
{
	local host

	pair_fresh
	session_keep
	for host; do
		on "$host" "$NLPROBE" transition "$SID" transport-dead host-suspended > /dev/null
	done
	came_back HOST_SUSPENDED "$@"
}

test_main "keys_expired killed g" "keys_expired killed c" "keys_expired killed g c" \
	"keys_expired stopped c" "keys_expired stopped g" "keys_wiped c" "keys_wiped g c"
