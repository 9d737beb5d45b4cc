#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A daemon that comes back, or reads its file again, judges each session by what the file says now:
# peer, keys, addresses, policy, transports. What is still allowed does not notice.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

# change_while_down HOST SED_SCRIPT: its file, while its daemon does not run.
change_while_down()
{
	daemon_end "$1"
	sed -i "$2" "$WORK/$1/config.yaml"
	rm -f "$WORK/pair"
	daemon_start "$1"
}

# change_and_reload HOST SED_SCRIPT
change_and_reload()
{
	sed -i "$2" "$WORK/$1/config.yaml"
	rm -f "$WORK/pair"
	ctl "$1" reload > /dev/null || fail "reload failed"
}

# ended_for HOST WHY: the session of before has ended there, for that reason.
ended_for()
{
	wait_audit "$1" "\"to\":\"TERMINATED\",\"reason\":\"POLICY_FAILURE\".*\"why\":\"[^\"]*$2" 10
	[ "$(audit_count "$1" "\"session_id\":\"$KEPT_SID\".*\"to\":\"TERMINATED\"")" = 1 ] ||
		fail "another session has ended, or this one twice"
}

# again: the client makes a new session, and does not wait after the gateway's CLOSE.
again()
{
	wait_audit c '"to":"TERMINATED"' 10
	ctl c reload > /dev/null || fail "reload failed"
	wait_attached c 2
}

begin()
{
	POLICY="transport_loss_ttl_ms: 60000"
	pair_fresh
	session_keep
}

# Nothing in the file has changed: no session ends, no packet is lost, on any way to read it.
unchanged_file_changes_nothing()
{
	local host

	begin
	probe_start
	for host in g c; do
		daemon_end $host
		daemon_start $host
		change_and_reload $host '$a # a remark'
		kill -HUP "$(daemon_pid $host)"
		wait_audit $host '"event":"CONFIG_RELOAD"' 5 1
	done
	jump
	probe_stop
	session_kept 2 2 1
	equal "lost on the way up" "$LOST_UP" 0
	reach
}

# removed HOW: the peer is not in the file any longer.
removed()
{
	begin
	$1 g '/name: client,/d; s/^  peers:/  peers: []/'
	ended_for g 'no peer of the configuration has its key'
	equal "sessions of the gateway" "$(sessions_line g | cut -d ' ' -f 1)" 0
	! ping_ok c $G_IN4 2 > /dev/null || fail "its traffic goes on"
	wait_audit c '"to":"TERMINATED"' 15
	wait_audit g "$(refusal INIT POLICY_DENIED 'no peer has this public key')" 15
	! audit_more g '"to":"ATTACHED"' 1 || fail "it has a session again"
}

peer_removed_while_the_daemon_is_down()
{
	removed change_while_down
}

peer_removed_by_reload()
{
	removed change_and_reload
}

pre_shared_key_is_another_one()
{
	( umask 077; jvpnctl genpsk > "$WORK/psk" )
	PSK=$WORK/psk
	begin
	( umask 077; jvpnctl genpsk > "$WORK/psk-new" )
	change_while_down g "s#: $WORK/psk}#: $WORK/psk-new}#"
	ended_for g 'pre-shared key of its peer'
	! audit_more g '"to":"ATTACHED"' 1 || fail "the old key is good for a new session"
	change_and_reload c "s#: $WORK/psk}#: $WORK/psk-new}#"
	wait_attached g 2
	session_same
	reach
}

# The session's address is nobody's to give any longer.
pool_is_another_one()
{
	begin
	change_while_down g 's#10.77.0.0/24#10.77.1.0/24#'
	ended_for g 'its addresses'
	again
	contains "the new address" "$(inner c)" '^10\.77\.1\.'
}

# Its address is another peer's now, by name.
address_given_to_another_peer()
{
	local address

	begin
	address=$(inner c)
	SECOND=", addresses: [$address, 'fd77::99']"
	config_gateway > "$WORK/g/config.yaml"
	ctl g reload > /dev/null || fail "reload failed"
	ended_for g "somebody else's"
	again
	[ "$(inner c)" != "$address" ] || fail "it has the address again"
}

policy_is_gone()
{
	begin
	change_while_down g 's/^  test: /  other: /; s/default_policy: test/default_policy: other/'
	ended_for g 'its policy is no longer'
	again
	contains "the new session" "$(tail -n 3 "$WORK/g/audit")" '"policy":"other"'
	session_same
	reach
}

# A record is not needed to be judged: the kernel tells whose session it is.
peer_removed_and_the_records_lost()
{
	begin
	daemon_end g
	rm -rf "$WORK/g/run"
	sed -i '/name: client,/d; s/^  peers:/  peers: []/' "$WORK/g/config.yaml"
	rm -f "$WORK/pair"
	daemon_start g
	ended_for g 'no peer of the configuration has its key'
	! ping_ok c $G_IN4 2 > /dev/null || fail "its traffic goes on"
}

# --- the client's file ----------------------------------------------------------------------

client_has_another_gateway()
{
	begin
	change_while_down c "s#$(cat "$WORK/g/pub")#$(cat "$WORK/x/pub")#"
	ended_for c 'no gateway of the configuration has its key'
	wait_audit g '"to":"TERMINATED"' 10
	equal "live sessions of the client" "$(sessions_line c | cut -d ' ' -f 1)" 0
}

# transport_removed HOW: the session goes where it may.
transport_removed()
{
	begin
	equal "the transport" "$VIA" a0
	$1 c 's/{name: a, interface: a0, protocol: udp4, preference: 200}, //'
	wait_attached c 2
	session_same
	equal "the session and its transport" "$SID $VIA" "$KEPT_SID b0"
	wait_audit c '"to":"RECOVERING","reason":"ROUTE_LOST"' 5
	reach
}

transport_removed_while_the_daemon_is_down()
{
	transport_removed change_while_down
}

transport_removed_by_reload()
{
	transport_removed change_and_reload
}

test_main unchanged_file_changes_nothing peer_removed_while_the_daemon_is_down \
	peer_removed_by_reload pre_shared_key_is_another_one pool_is_another_one \
	address_given_to_another_peer policy_is_gone peer_removed_and_the_records_lost \
	client_has_another_gateway transport_removed_while_the_daemon_is_down \
	transport_removed_by_reload
