#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The configuration is read again while the daemon runs: whatever way the file was replaced,
# whenever the signal comes; and what is refused has changed nothing on the way.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

loaded()
{
	grep -c 'configuration loaded anew' "$WORK/$1/log"
}

loaded_more()
{
	[ "$(loaded "$1")" -gt "$2" ]
}

policies()
{
	ctl g --json policy list | grep -c '"later"'
}

# linked_file SWAP: the file is reached over links, as by NixOS, stow or a ConfigMap; SWAP makes
# them lead to the other version.
linked_file()
{
	local dir=$WORK/g/links

	pair_fresh
	session_keep
	daemon_end g TERM
	mkdir -p "$dir/v1" "$dir/v2"
	cp "$WORK/g/config.yaml" "$dir/v1/config.yaml"
	sed 's/^policies:$/&\n  later: {base: fast}/' "$WORK/g/config.yaml" > "$dir/v2/config.yaml"
	ln -s v1 "$dir/..data"
	ln -sf links/..data/config.yaml "$WORK/g/config.yaml"
	daemon_start g
	equal "policies of the second version before it is there" "$(policies)" 0
	$1 "$dir"
	kill -HUP "$(daemon_pid g)"
	wait_for 5 "it is loaded" loaded_more g 0
	equal "policies of the second version" "$(policies)" 1
	session_kept 0 0 0
	rm -f "$WORK/pair" "$WORK/g/config.yaml"
}

# What kubelet does.
folder_swap()
{
	ln -s v2 "$1/..new"
	mv -T "$1/..new" "$1/..data"
}

# What stow and NixOS do; the old file is gone.
file_swap()
{
	ln -sf links/v2/config.yaml "$WORK/g/config.yaml"
	rm -rf "$1/v1"
}

# blocks_or_serves HOST: it has come so far that it minds SIGHUP, or is through.
blocks_or_serves()
{
	local mask

	daemon_serves "$1" && return
	[ "$(readlink "/proc/$(daemon_pid "$1")/exe")" != "${PATH%%:*}/jvpnd" ] && return 1
	mask=$(sed -n 's/^SigBlk:\t//p' "/proc/$(daemon_pid "$1")/status")
	[ $((16#$mask & 1)) = 1 ]
}

signal_during_the_start()
{
	local before

	pair_fresh
	session_keep
	daemon_end g
	daemon_spawn g
	wait_for 10 "the daemon begins" blocks_or_serves g
	before=$(loaded g)
	kill -HUP "$(daemon_pid g)"
	wait_for 10 "the daemon serves" daemon_serves g
	wait_for 5 "it has read the file again" loaded_more g "$before"
	session_kept 0 0 0
	# And when it stops.
	kill -HUP "$(daemon_pid g)"
	daemon_end g TERM
	contains "the end of the audit log" "$(tail -n 1 "$WORK/g/audit")" DAEMON_STOP
	rm -f "$WORK/pair"
}

sockets()
{
	on g jvpnctl --socket "$WORK/none" -i $DEV --json transport list
}

# The second listener has no session on it: nothing but the configuration keeps it open.
refused_listeners()
{
	local before listen="listen: [{address: 0.0.0.0, port: $PORT}, {address: \"::\", port: $PORT}"

	pair_fresh
	session_keep
	before=$(sockets)
	contains "the sockets" "$before" '::'
	sed -i "s/listen: .*/listen: [{address: 192.0.2.77, port: $PORT}, {address: 0.0.0.0, port: $((PORT + 1))}]/" \
		"$WORK/g/config.yaml"
	fails 6 . ctl g reload
	equal "the sockets after it" "$(sockets)" "$before"
	session_kept 0 0 0
	sed -i "s/listen: .*/$listen, {address: 0.0.0.0, port: $((PORT + 1))}]/" "$WORK/g/config.yaml"
	ctl g reload > /dev/null || fail "a configuration with one more listener is refused"
	contains "the sockets" "$(sockets)" $((PORT + 1))
	sed -i "s/listen: .*/$listen]/" "$WORK/g/config.yaml"
	ctl g reload > /dev/null || fail "the first configuration is refused"
	equal "the sockets in the end" "$(sockets)" "$before"
}

test_main "linked_file folder_swap" "linked_file file_swap" signal_during_the_start refused_listeners
