# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# How long traffic stands still when its path dies without a word: carrier up, nothing comes
# through, a second uplink is well.
#
# A packet each 10 ms, each way, independent of the other way, goes through the tunnel. The path in
# use becomes a hole again and again, at any time between two heartbeats; the longest time without an
# arrival counts, of both ways. The bounds are times of a machine that runs: where packets are late
# that no hole has anything to do with, a longer time proves nothing and the case is skipped.
#
#   black_hole POLICY RTT_MS both|up|down LIMIT_MS    a case

. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/lib-scenario.sh"

REPEAT=5
# Shorter ones are none of a hole's.
GAP_LEAST_MS=80
# A packet is that late by itself on a machine that has other things to do.
LATE_MOST_MS=20
# The policies as they are, but for what would move the session for another reason, or not at all.
ALTERNATE="failback_stable_ms: 3600000, max_switches_per_minute: 64, standby_interval_ms: 1000"
ALTERNATE+=", quality: {loss_enter_percent: 0, loss_leave_percent: 0, rtt_enter_ms: 0, rtt_leave_ms: 0}"

# hole_of UPLINK both|up|down: as hole() of lib-scenario.sh, and of one way only.
hole_of()
{
	on r nft -f - <<- END
		table inet hole_$1 {
			chain forward {
				type filter hook forward priority 0
				$([ "$2" = down ] || echo "iifname \"r$1\" drop")
				$([ "$2" = up ] || echo "oifname \"r$1\" drop")
			}
		}
	END
}

# router_delay MS INTERFACE...
router_delay()
{
	local interface

	for interface in "${@:2}"; do
		tc -n "${NS}r" qdisc replace dev "$interface" root netem delay "$1ms" limit 10000
	done
}

long_way()
{
	router_delay 100 ra rb rg
}

silences()
{
	audit_count c '"to":"RECOVERING","reason":"PROBE_TIMEOUT"'
}

# fall_in_hole KIND: the uplink in use.
fall_in_hole()
{
	local uplink other=a before

	session_same
	uplink=${VIA%0}
	[ $uplink != a ] || other=b
	wait_for 10 "uplink $other stands by" stands_by $other
	sleep 0.$((RANDOM % 300 + 200))
	before=$(attached c)
	hole_of $uplink "$1"
	wait_attached c $((before + 1))
	hole_end $uplink
}

# holes_measure KIND: sets GAPS and LATE.
holes_measure()
{
	local i

	scenario_begin
	# So that the round trip is known and the first samples of quality are there.
	sleep 1
	for ((i = 0; i < REPEAT; i++)); do
		fall_in_hole "$1"
	done
	sleep 0.5
	scenario_measure
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	GAPS=$("$PYTHON" -S -E "$LIB_DIR/daemon_net.py" gaps "$WORK/packets" $GAP_LEAST_MS)
	LATE=$(sed -n 's/^late //p' <<< "$GAPS")
}

# gaps_of WAY: tells the holes' ones; sets WORST.
gaps_of()
{
	local list

	mapfile -t list < <(sed -n "s/^$1 //p" <<< "$GAPS" | sort -n | tail -n $REPEAT)
	[ ${#list[@]} -gt 0 ] || list=(0)
	WORST=${list[-1]}
	note "$NAME: without an arrival $1 (min/median/max): ${list[0]} ${list[${#list[@]} / 2]} $WORST ms"
}

# black_hole POLICY RTT_MS both|up|down LIMIT_MS
black_hole()
{
	local up moves

	[ $SLOW = 1 ] || skip "the bound is one of real time"
	BASE=$1 POLICY=$ALTERNATE NAME="$1, $2 ms, $3"
	[ "$2" = 20 ] || NET_HOOK=long_way
	holes_measure "$3"
	gaps_of up
	up=$WORST
	gaps_of down
	moves="$SWITCHES moves, $(silences) by silence"
	[ "$up" -gt "$4" ] || [ "$WORST" -gt "$4" ] ||
		[ "$moves" != "$REPEAT moves, $REPEAT by silence" ] || return 0
	[ "$LATE" -gt $LATE_MOST_MS ] ||
		fail "$moves, $up and $WORST ms instead of $4 on a machine late by no more than $LATE ms"
	skip "the machine is busy: packets are late by $LATE ms"
}
