# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A relay between the ends that does wrong things on order (daemon_relay.py), beside lib-daemon.sh.
# With NET_HOOK=relay_start and ENDPOINTS as below all clients go through it.

declare -A TYPE=([INIT]=1 [RESP]=2 [DATA]=4 [REQUEST]=5 [CHALLENGE]=6 [PROOF]=7 [ACK]=8 [CTRL]=11)
RELAY="\"$R_V4:$PORT\""

relay_start()
{
	on_spawn r "$PYTHON" -S -E "$LIB_DIR/daemon_relay.py" $R_V4 $PORT $G_V4 $PORT \
		"$WORK/r/control" "$WORK/r/relay"
	wait_for 10 "the relay" grep -qs ready "$WORK/r/relay"
}

# fault_arm KIND MESSAGE [ARGUMENT]
fault_arm()
{
	FAULT_SINCE=$(wc -l < "$WORK/r/relay")
	echo "$1 ${TYPE[$2]} ${3:-}" > "$WORK/r/control"
	wait_for 5 "the relay is ready for '$1 $2'" relay_said "armed $1"
}

relay_said()
{
	tail -n "+$((FAULT_SINCE + 1))" "$WORK/r/relay" | grep -q "^$1"
}

# fault_happened [WHAT]
fault_happened()
{
	wait_for 5 "the relay can do it" relay_said "did${1:+ $1}"
}

# relay_count WHAT: how often it said so since the last order.
relay_count()
{
	tail -n "+$((FAULT_SINCE + 1))" "$WORK/r/relay" | grep -c "^$1"
}
