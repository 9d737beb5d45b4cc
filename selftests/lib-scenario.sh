# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scenarios share: a session that carries a packet each 10 ms each way while something
# happens to its network, and what both audit logs and those packets say about it afterwards.
#
# A scenario is a case (lib-daemon.sh) that begins with scenario_begin. However it ends, it is
# measured by tools/volatility/measure.py; a passed one has no instant with two bindings and no
# session that was reset without a word. With JVPN_SCENARIO_OUT=DIR the measures and both logs are
# left there, for tools/scenarios/report.
#
#   scenario_begin        after POLICY and the like
#   scenario_measure      ends the packets; sets GAP_MS, RECOVERY_MAX_MS, SWITCHES, COOLDOWNS
#   impair, mend, hole, hole_end    what happens to a path

. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/lib-daemon.sh"

PATH=${JVPN_SELFTESTS_BUILD:-$LIB_DIR/../build/selftests}:$PATH
MEASURE=$LIB_DIR/../tools/volatility/measure.py
PACKET_MS=10

# Times of a policy on a slow machine: its processors may be away for a while, the tests are not
# to take eight times as long.
T=$((SLOW > 1 ? 4 : 1))
# A silent path is noticed soon, and by the gateway too.
QUICK="probe: {idle_interval_ms: 300, active_interval_ms: 200, dead_base_ms: $((500 * T)), rx_timeout_ms: $((1500 * T))}"

scenario_begin()
{
	SCENARIO=${case// /_}
	MEASURED=''
	rm -f "$WORK"/measures "$WORK"/packets*
	trap 'scenario_end $?' EXIT
	pair_fresh
	session_keep
	packets_start
}

packets_start()
{
	probe "${NS}c" "$(inner c)" "${NS}g" $G_IN4 $PACKET_MS "$WORK/packets" 2> "$WORK/packets-log" &
	PACKETS_PID=$!
	disown $PACKETS_PID
	sleep 0.3
	packets_run || fail "the packets do not start: $(cat "$WORK/packets-log")"
}

packets_run()
{
	[ -n "${PACKETS_PID:-}" ] && [ -e "/proc/$PACKETS_PID/exe" ]
}

packets_end()
{
	! packets_run
}

# packets_lost up|down: how many never came.
packets_lost()
{
	awk -F , -v way="$1" '$1 == way && $4 == 0 { lost++ } END { print lost + 0 }' "$WORK/packets"
}

scenario_measure()
{
	[ -z "$MEASURED" ] || return 0
	MEASURED=1
	if packets_run; then
		kill -TERM "$PACKETS_PID"
		wait_for 10 "the packets' result" packets_end
	fi
	[ -s "$WORK/packets" ] || fail "there is no result of the packets: $(cat "$WORK/packets-log")"
	"$MEASURE" --audit-gateway "$WORK/g/audit" --audit-client "$WORK/c/audit" \
		--probe "$WORK/packets" > "$WORK/measures" || fail "the logs cannot be measured"
	read -r GAP_MS RECOVERY_MAX_MS SWITCHES COOLDOWNS <<< \
		"$(measured gap_ms recovery_ms.max switches cooldowns)"
}

# measured NAME...: whole numbers, - where there is none.
measured()
{
	"$PYTHON" -S -E -c '
import functools, json, sys
measures = json.load(open(sys.argv[1]))
for name in sys.argv[2:]:
    value = functools.reduce(dict.get, name.split("."), measures)
    print("-" if value is None else round(value), end=" ")' "$WORK/measures" "$@"
}

# Runs when the case's shell ends, passed or not.
scenario_end()
{
	local status=$1

	trap - EXIT
	( scenario_measure ) || { [ "$status" != 0 ] || status=1; }
	[ "$status" != 0 ] || ( scenario_sound ) || status=1
	scenario_save
	exit "$status"
}

scenario_sound()
{
	equal "instants with two bindings, sessions reset silently, ambiguous owners" \
		"$(measured dual_binding silent_reset ambiguous_ownership)" "0 0 0 "
}

scenario_save()
{
	local host to=${JVPN_SCENARIO_OUT:-}

	[ -n "$to" ] || return 0
	to=$to/$(basename "$0" .sh)/$SCENARIO
	mkdir -p "$to"
	for host in g c; do
		[ ! -s "$WORK/$host/audit" ] || cp "$WORK/$host/audit" "$to/$host.audit"
	done
	[ ! -s "$WORK/measures" ] || cp "$WORK/measures" "$to/measures.json"
}

# --- what happens to a path ------------------------------------------------------------------------

# impair UPLINK NETEM...: both directions.
impair()
{
	tc -n "${NS}r" qdisc replace dev "r$1" root netem limit 10000 delay 10ms "${@:2}"
	tc -n "$NS${UPLINK_HOST[$1]}" qdisc replace dev "${1}0" root netem limit 10000 "${@:2}"
}

# mend UPLINK: what is under way in the delayed path stays there.
mend()
{
	tc -n "${NS}r" qdisc replace dev "r$1" root netem limit 10000 delay 10ms
	tc -n "$NS${UPLINK_HOST[$1]}" qdisc replace dev "${1}0" root netem limit 10000
}

# hole UPLINK: its carrier is there, and nothing comes through.
hole()
{
	on r nft -f - <<- END
		table inet hole_$1 {
			chain forward {
				type filter hook forward priority 0
				iifname "r$1" drop
				oifname "r$1" drop
			}
		}
	END
}

hole_end()
{
	on r nft delete table inet "hole_$1"
}

# --- what has become of the session ------------------------------------------------------------------


# new_session: the kept one has ended; another one is bound at both ends, by a handshake.
new_session()
{
	wait_for 30 "a new session at both ends" session_is_new
	equal "the versions" "$C_VERSION $G_VERSION" "1 1"
}

session_is_new()
{
	session_agrees && [ "$SID" != "$KEPT_SID" ]
}

# ended HOST REASON: the kept session, there, once.
ended()
{
	# What asks for a session that has ended is refused, and that record says TERMINATED twice.
	wait_audit "$1" "\"to\":\"TERMINATED\",\"reason\":\"$2\".*$KEPT_SID|$KEPT_SID.*\"to\":\"TERMINATED\",\"reason\":\"$2\"" 15
	equal "ends of the session in the log of $1" \
		"$(grep "$KEPT_SID" "$WORK/$1/audit" | grep '"to":"TERMINATED"' | grep -vc '"event":"REFUSED"')" 1
}

# boot_ms HOST PATTERN [NUMBER]: when the log tells of it, by the clock that nobody sets.
boot_ms()
{
	grep -E -e "$2" "$WORK/$1/audit" | sed -nE "${3:-1}s/.*\"boot_ms\":([0-9]+).*/\1/p"
}

# transports: a line "NAME STATE" for each candidate of c, in order of names.
transports()
{
	ctl c transport list | awk 'NR > 1 { print $1, $2 }' | sort
}

transport_is()
{
	transports | grep -qx "$1 $2"
}

transport_unknown()
{
	! transports | grep -q "^$1 "
}
