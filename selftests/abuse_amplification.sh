#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Nobody can make the gateway send more to an address than was sent from it, until that address has
# shown that it receives: counted on the wire, for each type of message, from sources that are
# forged and from those of a client with a key.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"
. "$LIB_DIR/lib-abuse.sh"

SECOND=""
NUMBER=$((SLOW > 1 ? 100 : 300))
RATE=$((SLOW > 1 ? 200 : 1000))
# Of x's network, but nobody has them: nothing answers for them, and routes lead there.
VICTIMS=198.18.0.64/26

wire_counters_add()
{
	on g nft -f - <<- END || fail "no nftables here"
		table inet abuse {
			counter in { }
			counter out { }
			chain input {
				type filter hook input priority 0
				ip saddr 198.18.0.0/24 udp dport $PORT counter name in
			}
			chain output {
				type filter hook output priority 0
				ip daddr 198.18.0.0/24 udp sport $PORT counter name out
			}
		}
	END
}

NET_HOOK=wire_counters_add

# wire NAME: octets of UDP payload counted as in or out; sets WIRE.
wire()
{
	local words

	read -r -a words < <(on g nft list counter inet abuse "$1" | grep packets)
	WIRE=$((words[3] - 28 * words[1]))
}

wire_begin()
{
	on g nft reset counters > /dev/null
}

# wire_quiet: the gateway has nothing more to say.
wire_quiet()
{
	local before

	wire out
	before=$WIRE
	sleep $((SLOW > 1 ? 2 : 0)).3
	wire out
	[ "$before" = "$WIRE" ]
}

# wire_end WHAT [answered]: no more went out than came in; and something did, if it must have.
wire_end()
{
	local in

	wait_for 10 "the gateway is quiet after $1" wire_quiet
	wire in
	in=$WIRE
	wire out
	[ "$in" -gt 0 ] || fail "nothing of $1 arrived"
	at_most "octets sent for $in octets of $1" "$WIRE" "$in"
	[ -z "${2:-}" ] || [ "$WIRE" -gt 0 ] || fail "$1 was not answered at all: nothing was tested"
	note "$1: $WIRE octets out, $in in"
}

# forged_kind KIND [answered] [OPTION...]
forged_kind()
{
	local kind=$1 answered=$2

	shift 2
	wire_begin
	flood_once r -n $NUMBER -r $RATE -s $VICTIMS "$@" $G_V4 $PORT "$kind"
	wire_end "$kind" "$answered"
}

forged()
{
	local kind

	pair_up
	for kind in init resp cookie request challenge proof ack reject gone ctrl data unknown runt; do
		forged_kind $kind ""
		wire out
		equal "octets sent for forged $kind" "$WIRE" 0
	done
}

# Under load COOKIEs are sent; INIT is more than five times as long.
well_formed()
{
	local key

	LIMITS="cookie_above_per_second: 5"
	pair_up
	key=$(cat "$WORK/g/pub")
	forged_kind init answered -k "$key"
	forged_kind stranger answered -k "$key"
	forged_kind request "" -k "$key"
}

# All that the client ever sent, INIT and REQUEST and PROOF included, from another address.
replayed()
{
	NET_HOOK=wire_counters_and_capture
	pair_fresh
	jump
	reach
	capture_end
	forged_kind replay answered -f "$WORK/capture"
	forged_kind tampered "" -f "$WORK/capture"
	forged_kind ctrl-of "" -f "$WORK/capture"
	forged_kind data-of "" -f "$WORK/capture"
}

wire_counters_and_capture()
{
	wire_counters_add
	capture_begin
}

# rogue_ratio COMMAND...: what it sent and received, by itself.
rogue_ratio()
{
	rogue totals
	rogue "$@"
	note "$*: $ANSWER"
	ROGUE_ANSWERED=$(answer_of answered)
	rogue totals
	at_most "octets sent for '$*'" "$(answer_of received)" "$(answer_of sent)"
	note "$*: $ANSWER"
}

# With a key of its own: whatever it says, it may say it in the name of another address.
client_with_a_key()
{
	pair_up
	rogue_start
	rogue handshake
	wire_begin
	rogue_ratio requests $((SLOW > 1 ? 30 : 100))
	[ "$ROGUE_ANSWERED" -gt 0 ] || fail "no REQUEST was answered"
	rogue_ratio elsewhere 40 192
	[ "$ROGUE_ANSWERED" -gt 0 ] || fail "no packet from elsewhere was answered"
	rogue_ratio elsewhere 40 32
	rogue_end
}

# A session that nobody has confirmed is sent its RESP and nothing else.
half_open()
{
	local address

	pair_fresh
	rogue_start
	wire_begin
	rogue inits 1
	equal "RESPs" "$(answer_of answered)" 1
	for address in 10.77.0.{2..9}; do
		on_spawn g ping -n -q -c 3 -i 0.2 -W 1 $address > /dev/null
	done
	sleep 1
	wire_end "an INIT" answered
	rogue_end
}

test_main forged well_formed replayed client_with_a_key half_open
