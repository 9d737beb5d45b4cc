#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Configuration: errors name file, line and field; what is wrong is not applied, not even in part.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

samples_are_valid()
{
	local file

	for file in "$LIB_DIR"/../Documentation/examples/*.yaml; do
		jvpnctl config check --no-key-files "$file" > /dev/null || fail "$file is refused"
	done
}

errors_name_file_line_and_field()
{
	local file=$WORK/bad.yaml text

	cat > "$file" <<- 'END'
		role: gateway
		device: {name: jvpn0, addresses: [10.77.0.1/24]}
		private_key_file: /nonexistent/key
		gateway:
		  listen: [{address: 0.0.0.0, port: 99999}]
		  pols: [10.77.0.0/24]
		  peers:
		    - {name: a, public_key: "short"}
	END
	text=$(jvpnctl config check "$file" 2>&1)
	equal "the exit status" $? 6
	contains "the key file's error" "$text" "^$file:3:[0-9]+: private_key_file: .*/nonexistent/key"
	contains "the port's error" "$text" "^$file:5:[0-9]+: gateway.listen\[0\].port:"
	contains "the unknown key's error" "$text" "^$file:6:[0-9]+: gateway.pols: .*did you mean 'pools'"
	contains "the public key's error" "$text" "^$file:8:[0-9]+: gateway.peers\[0\].public_key:"
	contains "the errors" "$text" '^    allowed: '
	contains "the errors" "$text" '^    example: '
	fails 6 '"valid": false' jvpnctl --json config check "$file"
	echo 'role: [' > "$file"
	fails 6 "^$file:[0-9]+:" jvpnctl config check "$file"
	fails 6 'no-such' jvpnctl config check "$WORK/no-such.yaml"
}

daemon_refuses_a_broken_file()
{
	net_make
	config_write
	sed -i 's/^role: gateway/role: gatway/' "$WORK/g/config.yaml"
	fails 6 "config.yaml:1:[0-9]+: role:" on g jvpnd "$WORK/g/config.yaml"
	[ -z "$(ip -n "${NS}g" -o link show type jvpn)" ] || fail "it has made a device"
}

key_files_that_others_can_read()
{
	net_make
	config_write
	chmod 644 "$WORK/g/key"
	fails 6 'mode 0644: others can reach the key; run .chmod 600' jvpnctl config check "$WORK/g/config.yaml"
	fails 6 'mode 0644: others can reach the key' on g jvpnd "$WORK/g/config.yaml"
	chmod 600 "$WORK/g/key"
	jvpnctl config check "$WORK/g/config.yaml" > /dev/null || fail "mode 0600 is refused"
}

second_instance_is_refused()
{
	pair_up
	session_keep
	fails 1 "another jvpnd \(process $(daemon_pid c)\) serves this device" \
		on c jvpnd "$WORK/c/config.yaml"
	fails 1 "another jvpnd" on g jvpnd "$WORK/g/config.yaml"
	session_kept 0 0 0
	jump
	session_kept 2 2 1
}

# config_change HOST SED_SCRIPT: of the file; config_restore brings it back.
config_change()
{
	[ -e "$WORK/$1/config.good" ] || cp "$WORK/$1/config.yaml" "$WORK/$1/config.good"
	sed -i "$2" "$WORK/$1/config.yaml"
	rm -f "$WORK/pair"
}

config_restore()
{
	mv "$WORK/$1/config.good" "$WORK/$1/config.yaml"
}

broken_reload_changes_nothing()
{
	local line

	pair_up
	session_keep
	# The good half of the change (no peer any more) must not be applied either.
	config_change g 's/^    - {name: client.*/    - {name: other, public_key: "nonsense"}/'
	line=$(grep -n 'name: other' "$WORK/g/config.yaml" | cut -d : -f 1)
	fails 6 "config.yaml:$line:[0-9]+: gateway.peers\[0\].public_key:" ctl g reload
	session_kept 0 0 0
	kill -HUP "$(daemon_pid g)"
	wait_for 5 "SIGHUP is answered in the log" grep -q 'the old configuration stays' "$WORK/g/log"
	session_kept 0 0 0
	jump
	session_kept 2 2 1
	! audit_has g '"event":"CONFIG_RELOAD"' || fail "the log says that it was loaded"
	config_restore g
	ctl g reload > /dev/null || fail "the good file is refused"
	wait_audit g '"event":"CONFIG_RELOAD"' 5
	session_kept 2 2 1
}

what_cannot_change_is_refused()
{
	pair_up
	session_keep
	config_change g 's/^node: .*/node: renamed/'
	fails 6 'node cannot be changed while the daemon runs' ctl g reload
	config_restore g
	config_change g "s/name: $DEV/name: jvpn9/"
	fails 6 'device.name cannot be changed' ctl g reload
	config_restore g
	session_kept 0 0 0
}

reload_applies()
{
	pair_fresh
	session_keep
	daemon_start x
	wait_audit g "$(refusal INIT POLICY_DENIED 'no peer has this public key')" 15
	SECOND=""
	config_gateway > "$WORK/g/config.yaml"
	ctl g reload > /dev/null || fail "reload failed"
	wait_attached x 1
	session_read x
	equal "the new peer's session" "$STATE $VERSION" "ATTACHED 1"
	# The first peer goes: its session ends, the other one stays.
	sed -i '/name: client,/d' "$WORK/g/config.yaml"
	ctl g reload > /dev/null || fail "reload failed"
	wait_audit g '"to":"TERMINATED","reason":"POLICY_FAILURE"' 5
	session_read g
	equal "sessions of the gateway" "$LIVE" 1
	equal "the session that is left" "$(ctl g session list | grep -c second)" 1
	wait_for 5 "the new peer's traffic" ping_ok x $G_IN4
}

# rename HOST OLD NEW reload|restart: the peer of HOST gets another name; the session does not notice.
rename()
{
	sed -i "s/{name: $2,/{name: $3,/" "$WORK/$1/config.yaml"
	grep -q "{name: $3," "$WORK/$1/config.yaml" || fail "nothing was renamed"
	if [ "$4" = reload ]; then
		ctl "$1" reload > /dev/null || fail "reload failed"
	else
		daemon_end "$1"
		daemon_start "$1"
	fi
	session_kept 0 0 0
	reach
}

# Who has lost all memory makes a new handshake, which takes over what the old session had.
client_begins_anew()
{
	local before

	before=$(attached c)
	session_keep
	daemon_end c
	ip -n "${NS}c" link del "$DEV"
	rm -r "$WORK/c/run"
	daemon_start c
	wait_attached c $((before + 1))
	session_same
	[ "$SID" != "$KEPT_SID" ] || fail "the session is the old one"
	audit_has g "$(transition ATTACHED TERMINATED POLICY_FAILURE)" || fail "the old session goes on"
	! audit_has g OWNERSHIP_AMBIGUOUS || fail "the client is taken for somebody else"
	reach
}

renamed_peers_keep_their_sessions()
{
	local inner

	pair_fresh
	session_keep
	inner=$(inner c)
	rename g client laptop reload
	rename g laptop phone restart
	rename c gateway office reload
	rename c office home restart
	client_begins_anew
	equal "the client's inner address" "$(inner c)" "$inner"
	jump
	session_same
	rm -f "$WORK/pair"
}

test_main samples_are_valid errors_name_file_line_and_field daemon_refuses_a_broken_file \
	key_files_that_others_can_read second_instance_is_refused broken_reload_changes_nothing \
	what_cannot_change_is_refused reload_applies renamed_peers_keep_their_sessions
