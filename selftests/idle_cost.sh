#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a session costs on the wire when nothing happens.
. "$(dirname "$(realpath "$0")")/lib-detection.sh"

IDLE_S=40

wire_count_start()
{
	on r nft -f - <<- END
		table inet wire {
			counter up { }
			counter down { }
			chain forward {
				type filter hook forward priority 0
				udp dport $PORT counter name up
				udp sport $PORT counter name down
			}
		}
	END
}

# wire_count up|down
wire_count()
{
	on r nft list counter inet wire "$1" | sed -nE 's/.*packets ([0-9]+) .*/\1/p'
}

# Heartbeats and the other uplink's readiness, both uplinks and all messages counted.
idle_session()
{
	BASE=default
	# What else would want to talk: neighbours and routers do not count as the session's.
	pair_fresh
	wait_for 10 "uplink b stands by" stands_by b
	sleep 1
	wire_count_start
	sleep $IDLE_S
	note "in $IDLE_S s of idleness: $(wire_count up) datagrams up, $(wire_count down) down"
	at_most "datagrams up" "$(wire_count up)" $((IDLE_S / 10))
	at_most "datagrams down" "$(wire_count down)" $((IDLE_S / 10))
	[ "$(wire_count up)" -ge 1 ] || fail "nobody asks whether the path lives"
	session_same
	equal "the versions" "$C_VERSION $G_VERSION" "1 1"
}

test_main idle_session
