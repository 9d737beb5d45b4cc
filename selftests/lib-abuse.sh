# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the tests of abuse share, beside lib-daemon.sh: floods, captures, memory, counters.

BUILD=${JVPN_SELFTESTS_BUILD:-$LIB_DIR/../build/selftests}

# net_fast: for NET_HOOK, a network without delay.
net_fast()
{
	local link

	for link in rg ra rb rx; do
		tc -n "${NS}r" qdisc del dev $link root
	done
}

# flood_start HOST ARGUMENT...: see tools/flood.c; it sends when this returns.
flood_start()
{
	rm -f "$WORK/flood"
	on_spawn "$1" "$BUILD/flood" "${@:2}" > "$WORK/flood" 2> "$WORK/flood-errors"
	FLOOD_PID=$SPAWNED
	until_true 10 grep -q sending "$WORK/flood" ||
		fail "there is no flood: $(cat "$WORK/flood-errors")"
}

# flood_stop: sets FLOOD_SENT, datagrams.
flood_stop()
{
	kill -TERM "$FLOOD_PID" 2> /dev/null
	wait_for 10 "the end of the flood" grep -q ^sent "$WORK/flood"
	read -r _ FLOOD_SENT _ < <(grep ^sent "$WORK/flood")
}

# flood_once HOST ARGUMENT...: one that ends by itself (-n).
flood_once()
{
	flood_start "$@"
	wait_for 60 "the end of the flood" grep -q ^sent "$WORK/flood"
	read -r _ FLOOD_SENT _ < <(grep ^sent "$WORK/flood")
}

# capture_begin, capture_end: all that is sent to the gateway's port goes to $WORK/capture.
capture_begin()
{
	on_spawn g tcpdump -q -U -s 0 -i g0 -w "$WORK/capture" "udp dst port $PORT" 2> "$WORK/tcpdump"
	echo "$SPAWNED" > "$WORK/tcpdump-pid"
	wait_for 10 "tcpdump" grep -q 'listening on' "$WORK/tcpdump"
}

capture_end()
{
	wait_for 10 "the capture of a jump" capture_has_jump
	kill -INT "$(cat "$WORK/tcpdump-pid")"
	wait_for 10 "the end of tcpdump" test ! -e "/proc/$(cat "$WORK/tcpdump-pid")/exe"
}

# capture_make: what c sends for traffic and a jump, in $WORK/capture.
capture_make()
{
	capture_begin
	reach
	jump
	reach
	capture_end
}

# A PROOF is told by its length. Behind it there must be DATA of the new epoch, by its length too: a
# ping of 84 octets.
capture_has_jump()
{
	tcpdump -n -r "$WORK/capture" 2> /dev/null |
		awk '/length 308/ { proof = 1; data = 0 } /length 116/ && proof { data++ } END { exit !data }'
}

# iperf_start: TCP from client to gateway through the tunnel, until iperf_stop.
iperf_start()
{
	on_spawn g iperf3 -s -p 5201 > "$WORK/iperf-server" 2>&1
	IPERF_SERVER=$SPAWNED
	wait_for 10 "the server of iperf3" iperf_listens
	on_spawn c iperf3 -c $G_IN4 -p 5201 -P 4 -t 600 > "$WORK/iperf" 2>&1
	IPERF_CLIENT=$SPAWNED
	wait_for 10 "TCP through the tunnel" iperf_flows
}

iperf_listens()
{
	[ -n "$(on g ss -Hltn "sport = :5201")" ]
}

iperf_flows()
{
	[ "$(counter g rx_bytes)" -gt 5000000 ]
}

iperf_stop()
{
	kill -KILL "$IPERF_CLIENT" "$IPERF_SERVER"
}

# median NUMBER...: sets MEDIAN.
median()
{
	local sorted

	mapfile -t sorted < <(printf '%s\n' "$@" | sort -n)
	MEDIAN=${sorted[$(($# / 2))]}
}

# counter HOST NAME: of the device.
counter()
{
	on "$1" ethtool -S $DEV | awk -v name="$2:" '$1 == name { print $2 }'
}

# counters_keep: remembers the gateway's counters for counter_rise.
counters_keep()
{
	on g ethtool -S $DEV > "$WORK/counters"
}

# counter_rise NAME: sets RISE, since counters_keep.
counter_rise()
{
	local before

	before=$(awk -v name="$1:" '$1 == name { print $2 }' "$WORK/counters")
	RISE=$(($(counter g "$1") - before))
}

# verdicts MESSAGE WHY: how often the gateway's daemon has refused that message so.
verdicts()
{
	ctl g --json status | "$PYTHON" -S -E -c '
import json, sys
messages = json.load(sys.stdin).get("messages", {})
print(messages.get(sys.argv[1], {}).get(sys.argv[2], 0))' "$1" "$2"
}

# gateway_status NAME: a number of its status, wherever it stands.
gateway_status()
{
	ctl g --json status | "$PYTHON" -S -E -c '
import json, sys
def find(tree, name):
    if isinstance(tree, dict):
        if name in tree:
            return tree[name]
        for value in tree.values():
            found = find(value, name)
            if found is not None:
                return found
print(json.dumps(find(json.load(sys.stdin), sys.argv[1])))' "$1"
}

# rss HOST: kB of its daemon.
rss()
{
	awk '/^VmRSS:/ { print $2 }' "/proc/$(daemon_pid "$1")/status"
}

# kernel_memory: kB that the kernel holds for itself.
kernel_memory()
{
	awk '/^(SUnreclaim|Percpu|KernelStack):/ { sum += $2 } END { print sum }' /proc/meminfo
}

# rogue_start: x as tools/rogue.c, with its own key, until rogue_end.
rogue_start()
{
	rm -f "$WORK/rogue-in" "$WORK/rogue"
	mkfifo "$WORK/rogue-in"
	nsenter --net="/run/netns/${NS}x" -- "$BUILD/rogue" $G_V4 $PORT "$WORK/x/key" \
		"$(cat "$WORK/g/pub")" < "$WORK/rogue-in" > "$WORK/rogue" 2>&1 &
	ROGUE_PID=$!
	disown $ROGUE_PID
	exec 7> "$WORK/rogue-in"
}

rogue_end()
{
	exec 7>&-
}

# rogue COMMAND...: sets ANSWER, what it says after "ok".
rogue()
{
	local lines

	lines=$(wc -l < "$WORK/rogue")
	echo "$*" >&7
	wait_for 60 "the rogue does '$*'" rogue_has_said "$lines"
	ANSWER=$(tail -n 1 "$WORK/rogue")
	[[ $ANSWER == "ok "* ]] || fail "the rogue cannot do '$*': $ANSWER"
	ANSWER=${ANSWER#ok }
}

rogue_has_said()
{
	[ "$(wc -l < "$WORK/rogue")" -gt "$1" ]
}

# answer_of NAME: the number behind that word of ANSWER.
answer_of()
{
	local words

	read -r -a words <<< "$ANSWER"
	while [ ${#words[@]} -gt 1 ]; do
		[ "${words[0]}" != "$1" ] || { echo "${words[1]}"; return; }
		words=("${words[@]:1}")
	done
}
