#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything at once, for as long as it is told: a session with traffic while at random uplinks come
# and go, daemons are killed, reloaded and started, sessions are ended, another client comes and goes,
# floods arrive, and devices are made, moved and lost with their namespaces.
#
#   SOAK_SECONDS   how long (60)
#   SOAK_SEED      what is drawn, below 32768 (any; it is printed)
#
# An act may be refused: nothing is claimed of it. What is claimed: in between the client always
# reaches its gateway again, both audit logs are verified, and at the end all is gone.
. "$(dirname "$(realpath "$0")")/lib-scenario.sh"
. "$LIB_DIR/lib-abuse.sh"

SECONDS_WANTED=${SOAK_SECONDS:-60}
SEED=${SOAK_SEED:-$RANDOM}
# Its limits of time are wide enough for a machine that stands still.
STANDSTILL_MS=1000000
# How long the client may take to come back after the worst that happens here.
BACK_S=30
SECOND=", max_sessions: 2"
POLICY="$QUICK, rekey_after_ms: $((3000 * T)), recovery_window_ms: $((1000 * T))"
POLICY+=", transport_loss_ttl_ms: $((6000 * T)), standby_interval_ms: 1000"
ACTS=(jump jump jump flap_a flap_b hole_a loss delay kill_client kill_gateway stop_client stop_gateway
	reload_client reload_gateway terminate_here terminate_there second_comes second_goes flood
	replay data devices devices namespaces device_of_client)

# any WORD...: sets ANY, one of them.
any()
{
	local -a of=("$@")

	ANY=${of[RANDOM % $#]}
}

# pause MOST_MS: anything up to that.
pause()
{
	local ms=$((RANDOM % $1 + 1))

	sleep $((ms / 1000)).$(printf %03d $((ms % 1000)))
}

# --- the session's own ------------------------------------------------------------------------------

act_jump() { any a b; ctl c session jump "$(current_session)" "$ANY"; }
act_flap_a() { uplink_down a; pause 1500; uplink_up a; }
act_flap_b() { uplink_down b; pause 1500; uplink_up b; }
act_hole_a() { hole a; pause 2000; hole_end a; }
act_loss() { any a b; impair $ANY loss 30%; pause 2000; mend $ANY; }
act_delay() { any a b; impair $ANY delay 40ms 30ms; pause 1500; mend $ANY; }
act_terminate_here() { ctl c session terminate "$(current_session)"; }
act_terminate_there() { ctl g session terminate "$(current_session)"; }

current_session()
{
	sessions_line c | cut -d ' ' -f 2
}

# --- daemons ------------------------------------------------------------------------------------------

# again HOST: a daemon that has ended comes back, at once or a little later.
again()
{
	any 0 0 800
	[ "$ANY" = 0 ] || pause "$ANY"
	daemon_start "$1"
}

act_kill_client() { daemon_end c KILL; again c; }
act_kill_gateway() { daemon_end g KILL; again g; }
act_stop_client() { daemon_end c TERM; again c; }
act_stop_gateway() { daemon_end g TERM; again g; }
act_reload_client() { reload c; }
act_reload_gateway() { reload g; }
act_second_comes() { daemon_runs x || daemon_start x; }
act_second_goes() { any TERM KILL; ! daemon_runs x || daemon_end x $ANY; }

# reload HOST: with another bound in its policy.
reload()
{
	sed -i "s/rekey_after_ms: [0-9]*/rekey_after_ms: $(((RANDOM % 4000 + 1000) * T))/" "$WORK/$1/config.yaml"
	ctl "$1" reload
}

# --- strangers ----------------------------------------------------------------------------------------

act_flood()
{
	any init request proof ctrl data,unknown,runt stranger init,request,proof,ack,gone
	flood_burst -k "$(cat "$WORK/g/pub")" -s 198.18.0.0/24 $G_V4 $PORT $ANY
}

act_replay() { any replay tampered; [ ! -s "$WORK/capture" ] || flood_burst -f "$WORK/capture" $G_V4 $PORT $ANY; }

flood_burst()
{
	on x timeout 20 "$BUILD/flood" -r 2000 -n $((1000 / SLOW)) "$@"
}

# --- traffic -------------------------------------------------------------------------------------------

act_data()
{
	on c timeout $((2 * T)) ping -n -q -f -s "$((RANDOM % 3000))" -c 500 $G_IN4
	on g timeout $((2 * T)) ping -n -q -f -s "$((RANDOM % 1300))" -c 200 "$(inner c)"
}

# --- devices and namespaces ----------------------------------------------------------------------------

# space_add NAME: a namespace with a loopback.
space_add()
{
	ip netns add "$NS$1" && ip -n "$NS$1" link set lo up
}

# Two devices of a third namespace, a session between them, traffic; then all of it goes in any order.
devices_join()
{
	local n

	for n in birth one two; do
		space_add $n
	done
	ip -n "${NS}birth" addr add 192.0.2.1/32 dev lo
	ip -n "${NS}birth" addr add 192.0.2.2/32 dev lo
	ip -n "${NS}birth" link add jvpn0 netns "${NS}one" type jvpn
	ip -n "${NS}birth" link add jvpn0 netns "${NS}two" type jvpn
	for n in one:1 two:2; do
		ip -n "$NS${n%:*}" link set jvpn0 up
		ip -n "$NS${n%:*}" addr add 10.0.0.${n#*:}/24 dev jvpn0
	done
	nlprobe join "${NS}one,jvpn0,192.0.2.1,10.0.0.1/32" "${NS}two,jvpn0,192.0.2.2,10.0.0.2/32"
	ip netns exec "${NS}two" timeout 5 ping -n -q -f -c 200 10.0.0.1
}

act_devices()
{
	local gone

	devices_join
	ip netns exec "${NS}two" timeout 10 ping -n -q -f 10.0.0.1 &
	for gone in $(shuf -e --random-source=<(yes $RANDOM) link-one link-two birth one two); do
		pause 100
		case $gone in
		link-*) ip -n "$NS${gone#link-}" link del jvpn0 ;;
		*) ip netns del "$NS$gone" ;;
		esac
	done
	wait $!
}

# A device that wanders while packets flow.
act_namespaces()
{
	devices_join
	space_add three
	for n in three birth one; do
		ip -n "$(device_space)" link set jvpn0 netns "$NS$n"
		pause 50
	done
	for n in $(shuf -e --random-source=<(yes $RANDOM) birth one two three); do
		ip netns del "$NS$n"
	done
}

# device_space: where the first device of devices_join is.
device_space()
{
	local n

	for n in one three birth; do
		! ip -n "$NS$n" link show jvpn0 || { echo "$NS$n"; return; }
	done > /dev/null 2>&1
}

act_device_of_client()
{
	any down delete
	case $ANY in
	down) ip -n "${NS}c" link set $DEV down; pause 300; ip -n "${NS}c" link set $DEV up ;;
	delete) daemon_end c TERM; ip -n "${NS}c" link del $DEV; daemon_start c ;;
	esac
}

# --- the whole -----------------------------------------------------------------------------------------

# What happened is done: the client has its ways, its daemon and its session.
all_well()
{
	local host uplink

	for host in g c; do
		daemon_runs $host || daemon_start $host
	done
	for uplink in a b; do
		mend $uplink
	done
	until_true $BACK_S ping_ok c $G_IN4 || {
		note "after '$DONE' the client does not reach its gateway within $((BACK_S * SLOW)) s"
		ctl c session list 2>&1 | sed 's/^/# c: /'
		ctl g session list 2>&1 | sed 's/^/# g: /'
		return 1
	}
}

soak()
{
	local end=$((SECONDS + SECONDS_WANTED)) acts=0

	note "SOAK_SEED=$SEED SOAK_SECONDS=$SECONDS_WANTED"
	RANDOM=$SEED
	pair_fresh
	capture_make
	DONE=
	while [ $SECONDS -lt $end ]; do
		any "${ACTS[@]}"
		DONE="${DONE##* } $ANY"
		echo "$((acts += 1)) $ANY" >> "$WORK/acts"
		( "act_$ANY" ) > "$WORK/act" 2>&1
		[ $((acts % 3)) != 0 ] || all_well || fail "act $acts, $(tail -n 6 "$WORK/acts" | xargs)"
		[ $((acts % 50)) != 0 ] || note "$acts acts, $((end - SECONDS)) s to go"
	done
	all_well || fail "at the end"
	note "$acts acts"
}

test_main soak
