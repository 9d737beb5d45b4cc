#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a flood costs those who have a session: TCP through the tunnel while a generator sends to the
# gateway's port, against the same while it sends the same datagrams to a closed port of the same
# host. TCP goes on for the whole case, the generator changes the port every slot, and the medians of
# both kinds of slots are compared. Speed means nothing on an emulated machine, so there every case
# is skipped.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"
. "$LIB_DIR/lib-abuse.sh"

ROUNDS=${JVPN_ABUSE_ROUNDS:-12}
# Seconds that TCP has to get used to the other port, and that are measured then.
SETTLE=0.1
SLOT=0.3
# Of the throughput beside the closed port, in percent.
LEAST=80
CLOSED_PORT=51999
# Both ports must be able to get as many: a generator that is throttled by its victim tells nothing.
RATE=${JVPN_ABUSE_RATE:-10000}

NET_HOOK=net_fast

# rx_bytes_read: sets RX_BYTES, of the gateway's device, without starting a program.
rx_bytes_read()
{
	local line

	while read -r -a line; do
		[ "${line[0]}" = $DEV: ] || continue
		RX_BYTES=${line[1]}
		return
	done < "/proc/$(daemon_pid g)/net/dev"
	fail "the gateway has no $DEV"
}

# slot_measure: sets KBIT, TCP in one slot.
slot_measure()
{
	local bytes start

	sleep $SETTLE
	rx_bytes_read
	bytes=$RX_BYTES start=${EPOCHREALTIME/./}
	sleep $SLOT
	rx_bytes_read
	KBIT=$(((RX_BYTES - bytes) * 8000 / (${EPOCHREALTIME/./} - start)))
}

# rounds_run: sets OPEN_KBIT and CLOSED_KBIT, the medians beside a flood to either port, and KEPT.
rounds_run()
{
	local round open=() closed=()

	for ((round = 0; round < ROUNDS; round++)); do
		slot_measure
		open+=("$KBIT")
		kill -USR1 "$FLOOD_PID"
		slot_measure
		closed+=("$KBIT")
		kill -USR1 "$FLOOD_PID"
	done
	median "${open[@]}"
	OPEN_KBIT=$MEDIAN
	median "${closed[@]}"
	CLOSED_KBIT=$MEDIAN
	[ "$CLOSED_KBIT" -gt 0 ] || fail "TCP stands still beside a flood to a closed port"
	KEPT=$((OPEN_KBIT * 100 / CLOSED_KBIT))
}

# costs KINDS [OPTION...]
costs()
{
	local kinds=$1 other

	shift
	session_keep
	iperf_start
	flood_start x -r "$RATE" -a $CLOSED_PORT "$@" $G_V4 $PORT "$kinds"
	rounds_run
	flood_stop
	iperf_stop
	session_kept 0 0
	read -r _ other _ < <(grep ^other "$WORK/flood")
	note "$((CLOSED_KBIT / 1000)) Mbit/s beside $other datagrams to a closed port," \
		"$((OPEN_KBIT / 1000)) beside $FLOOD_SENT to the gateway's: $KEPT %"
	[ "$KEPT" -ge $LEAST ] || fail "beside a flood of $kinds TCP keeps $KEPT % instead of $LEAST"
}

begin()
{
	[ $SLOW = 1 ] || skip "the speed of an emulated machine says nothing"
	pair_up
}

# Sources that nobody has, by somebody who does not know the gateway's key.
forged()
{
	begin
	costs init,resp,cookie,request,challenge,proof,ack,reject,gone,ctrl,data,unknown,runt \
		-s 198.51.0.0/16
}

# mac1 is right: the gateway has to ask for a cookie.
well_formed()
{
	begin
	costs init,request,stranger -s 198.51.0.0/16 -k "$(cat "$WORK/g/pub")"
}

replayed()
{
	begin
	capture_make
	costs replay,tampered,ctrl-of,data-of -s 198.51.0.0/16 -f "$WORK/capture"
}

# Whoever is on the path knows the address; only the cipher can tell its packets from the client's.
replayed_from_the_bound_source()
{
	begin
	capture_make
	session_same
	costs replay,tampered -S "$G_REMOTE" -f "$WORK/capture"
}

test_main forged well_formed replayed replayed_from_the_bound_source
