#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Floods change nothing: no state, no version, no key, no memory. Each datagram is refused for its
# cause and counted. Meanwhile the client moves, and a new client makes its handshake, through
# cookies.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"
. "$LIB_DIR/lib-abuse.sh"

# Datagrams a second; what an emulated machine can carry.
RATE=$((SLOW > 1 ? 300 : 4000))
NUMBER=$((SLOW > 1 ? 200 : 1000))
# Of nobody; packets that are sent there are lost.
ANYBODY=198.51.0.0/17

SECOND=""

# daemon_refuses KIND MESSAGE WHY [OPTION...]: the kernel passes some of them and drops the rest by
# rate; the daemon refuses all that it gets.
daemon_refuses()
{
	local kind=$1 message=$2 why=$3 before dropped passed

	shift 3
	before=$(verdicts "$message" "$why")
	counters_keep
	flood_once r -n $NUMBER -r $RATE -s $ANYBODY "$@" $G_V4 $PORT "$kind"
	equal "the number sent" "$FLOOD_SENT" $NUMBER
	wait_for 10 "the gateway counts all of $kind" all_counted
	counter_rise rx_drop_control_rate
	dropped=$RISE
	counter_rise rx_control
	passed=$RISE
	[ "$passed" -gt 0 ] || fail "none of $kind reached the daemon"
	wait_for 10 "the daemon refuses $kind: $why" refusals_are "$message" "$why" $((before + 20))
	note "$kind: $dropped dropped by rate, $passed judged, $(($(verdicts "$message" "$why") - before)): $why"
}

all_counted()
{
	counter_rise rx_datagrams
	[ "$RISE" -ge "$FLOOD_SENT" ]
}

refusals_are()
{
	[ "$(verdicts "$1" "$2")" -ge "$3" ]
}

# kernel_refuses KIND COUNTER [OPTION...]: every one of them, for this cause.
kernel_refuses()
{
	local kind=$1 cause=$2

	shift 2
	counters_keep
	flood_once r -n $NUMBER -r $RATE "$@" $G_V4 $PORT "$kind"
	wait_for 10 "all of $kind are $cause" cause_is "$cause" "$NUMBER"
}

cause_is()
{
	counter_rise "$1"
	[ "$RISE" -ge "$2" ]
}

begin()
{
	pair_up
	session_keep
}

unchanged()
{
	session_kept 0 0 0
	equal "half-open sessions" "$(gateway_status half_open)" 0
	reach
}

forged()
{
	begin
	kernel_refuses unknown rx_drop_type -s $ANYBODY
	kernel_refuses runt rx_drop_runt -s $ANYBODY
	kernel_refuses data rx_drop_index -s $ANYBODY
	kernel_refuses init rx_drop_control_mac1 -s $ANYBODY
	kernel_refuses request rx_drop_control_mac1 -s $ANYBODY
	daemon_refuses proof PROOF "ticket does not authenticate"
	daemon_refuses ctrl CTRL "index names nothing here"
	unchanged
}

# Answers that nobody asked for: the kernel lets a few of them pass, the daemon refuses each type.
unasked()
{
	local type

	begin
	counters_keep
	flood_once r -n 1000 -r 20000 -s $ANYBODY $G_V4 $PORT resp,cookie,challenge,ack,reject,gone
	wait_for 10 "the gateway counts all of them" all_counted
	counter_rise rx_drop_control_rate
	[ "$RISE" -ge 500 ] || fail "only $RISE of 1000 were dropped by rate"
	for type in RESP COOKIE CHALLENGE ACK REJECT GONE; do
		wait_for 10 "the daemon refuses $type" refusals_are $type "not the message type expected here" 1
	done
	unchanged
}

# Whoever knows the gateway's public key is asked to show that it receives at its address.
well_formed()
{
	local key

	begin
	key=$(cat "$WORK/g/pub")
	daemon_refuses init,stranger INIT "mac2 is missing or does not verify" -k "$key"
	unchanged
}

replayed()
{
	begin
	capture_make
	session_keep
	kernel_refuses data-of rx_drop_unbound -s $ANYBODY -f "$WORK/capture"
	flood_once r -n $NUMBER -r $RATE -s $ANYBODY -f "$WORK/capture" $G_V4 $PORT replay,tampered
	flood_once r -n $NUMBER -r $RATE -S "$G_REMOTE" -f "$WORK/capture" $G_V4 $PORT replay,tampered,ctrl-of
	kernel_refuses data-of rx_drop_auth -S "$G_REMOTE" -f "$WORK/capture"
	unchanged
}

# Nothing is kept of what was refused: the second flood needs no memory beyond the first.
memory_is_flat()
{
	local daemon kernel kinds=init,stranger,request,proof,ctrl,resp,data,unknown key

	begin
	key=$(cat "$WORK/g/pub")
	flood_once r -n $((NUMBER * 8)) -r $RATE -s $ANYBODY -k "$key" $G_V4 $PORT $kinds
	daemon=$(rss g) kernel=$(kernel_memory)
	flood_once r -n $((NUMBER * 8)) -r $RATE -s $ANYBODY -k "$key" $G_V4 $PORT $kinds
	note "the daemon: $daemon kB, then $(rss g); the kernel: $kernel kB, then $(kernel_memory)"
	at_most "what the daemon grew by (kB)" $(($(rss g) - daemon)) 512
	at_most "what the kernel grew by (kB)" $(($(kernel_memory) - kernel)) 4096
	unchanged
}

# flood_begin: of all that a stranger can make, until flood_stop.
flood_begin()
{
	flood_start r -r $RATE -s $ANYBODY -k "$(cat "$WORK/g/pub")" $G_V4 $PORT \
		init,stranger,request,proof,ctrl,resp,challenge,data
}

client_moves()
{
	local moved down

	begin
	moved=$(audit_count c '"reason":"REATTACH_OK"')
	flood_begin
	jump_twice
	session_kept 4 4 2
	down=${VIA%0}
	uplink_down "$down"
	wait_audit c '"reason":"REATTACH_OK"' 10 $((moved + 2))
	flood_stop
	uplink_up "$down"
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	[ "$VIA" != "${down}0" ] || fail "the session is on the dead uplink"
	reach
}

# jump_twice: to the other uplink and back.
jump_twice()
{
	case $VIA in
	a0) jump b; jump a ;;
	*) jump a; jump b ;;
	esac
}

new_client_comes()
{
	LIMITS="cookie_above_per_second: 5"
	pair_fresh
	session_keep
	flood_begin
	wait_for 10 "cookies are demanded" demanded
	daemon_start x
	wait_audit x '"to":"ATTACHED"' 30
	contains "the log of the new client" "$(cat "$WORK/x/log")" "[Cc][Oo][Oo][Kk][Ii][Ee]"
	wait_for 10 "the new client reaches the gateway" ping_ok x $G_IN4
	flood_stop
	daemon_end x
	session_read c
	equal "the session of the other client" "$SID $STATE $VERSION" "$KEPT_SID ATTACHED $KEPT_C"
}

# floods_in_its_name: in the name of the client, of its address and port on both uplinks and of its
# address alone, to the gateway; and in the gateway's name to the client.
floods_in_its_name()
{
	local key port_a port_b all=init,request,proof,ctrl,resp,challenge

	key=$(cat "$WORK/g/pub")
	session_same
	port_a=${G_REMOTE##*:}
	jump b
	session_same
	port_b=${G_REMOTE##*:}
	jump a
	FLOODS=()
	own_flood -S "${UPLINK_V4[a]}.1:$port_a" -k "$key" $G_V4 $PORT $all
	own_flood -S "${UPLINK_V4[b]}.1:$port_b" -k "$key" $G_V4 $PORT $all
	own_flood -s "${UPLINK_V4[a]}.1" -k "$key" $G_V4 $PORT $all
	own_flood -s "${UPLINK_V4[b]}.1" -k "$key" $G_V4 $PORT $all
	own_flood -S "$G_V4:$PORT" "${UPLINK_V4[a]}.1" "$port_a" cookie,challenge,ack,reject,gone,ctrl
	own_flood -S "$G_V4:$PORT" "${UPLINK_V4[b]}.1" "$port_b" cookie,challenge,ack,reject,gone,ctrl
}

own_flood()
{
	flood_start r -r $((RATE / 2)) "$@"
	FLOODS+=("$FLOOD_PID")
}

# In its own name, too, anybody can send: it moves on.
moves_in_its_own_name()
{
	local i

	POLICY="standby_interval_ms: 0"
	pair_fresh
	floods_in_its_name
	session_keep
	for i in 1 2 3 4 5; do
		jump_twice
	done
	kill -TERM "${FLOODS[@]}"
	session_kept 20 20 10
	reach
}

# And gets its new keys.
refreshes_in_its_own_name()
{
	POLICY="standby_interval_ms: 0, rekey_after_ms: $((1500 * (SLOW > 1 ? 4 : 1)))"
	pair_fresh
	floods_in_its_name
	session_keep
	wait_for 15 "new keys" refreshed 5
	kill -TERM "${FLOODS[@]}"
	session_kept 0 0
	reach
}

# refreshed COUNT
refreshed()
{
	session_agrees && [ "$EPOCH" -ge $((KEPT_EPOCH + $1)) ]
}

demanded()
{
	[ "$(gateway_status cookies_demanded)" = true ]
}

# One address, however much it sends, takes nothing from the others.
one_source()
{
	local before

	begin
	before=$(attached c)
	flood_start x -r $((RATE * 4)) -k "$(cat "$WORK/g/pub")" $G_V4 $PORT init,request,proof
	jump_twice
	flood_stop
	session_kept 4 4 2
	equal "moves" "$(attached c)" $((before + 2))
	reach
}

test_main forged unasked well_formed replayed memory_is_flat client_moves one_source moves_in_its_own_name \
	refreshes_in_its_own_name new_client_comes
