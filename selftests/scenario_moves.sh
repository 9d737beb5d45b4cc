#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Moves that nobody ordered, or too many of them: a NAT that forgets, invitations, a flood of
# reattaches, recorded messages sent again. The session follows its client and nobody else.
. "$(dirname "$(realpath "$0")")/lib-scenario.sh"

NET="$PYTHON -S -E $LIB_DIR/scenario_net.py"

# --- a NAT -------------------------------------------------------------------------------------------

nat_make()
{
	on r nft -f - <<- END
		table ip nat_test {
			chain postrouting {
				type nat hook postrouting priority srcnat
				oifname "rg" udp dport $PORT masquerade to :20000-60000 random
			}
		}
	END
}

# Every flow gets another port from now on.
nat_forget()
{
	on r conntrack -F > /dev/null 2>&1
}

NAT_forgets_its_mapping()
{
	local round

	NET_HOOK=nat_make
	scenario_begin
	for round in 1 2 3; do
		nat_forget
		wait_attached c $((round + 1))
		session_kept $((2 * round)) $((2 * round)) $round
		equal "the transport" "$VIA" a0
	done
	equal "moves by invitation at the client" "$(audit_count c "$(transition '(ATTACHED|VOLATILE)' RECOVERING NAT_REBIND)")" 3
	equal "moves by invitation at the gateway" "$(audit_count g "$(transition ATTACHED RECOVERING NAT_REBIND)")" 3
	scenario_measure
	equal "the switches" "$SWITCHES" 3
	at_most "the gap (ms)" "$GAP_MS" $((3000 * SLOW))
	audit_complete c
	audit_complete g
}

# invitations_drop: no CHALLENGE reaches a client; they are counted.
invitations_drop()
{
	on r nft -f - <<- END
		table ip invitations {
			counter sent {}
			chain forward {
				type filter hook forward priority 0
				udp sport $PORT @th,64,8 6 counter name sent drop
			}
		}
	END
}

# counter TABLE NAME: of the router.
counter()
{
	on r nft list counter ip "$1" "$2" | sed -nE 's/.*packets ([0-9]+).*/\1/p'
}

invitations_more()
{
	[ "$(counter invitations sent)" -gt "$1" ]
}

invitations_pass()
{
	on r nft delete table ip invitations
}

PATIENT="probe: {active_interval_ms: 50, idle_interval_ms: 100, dead_base_ms: 60000, rx_timeout_ms: 60000}"
ONE_PATH="[{name: a, interface: a0, protocol: udp4}]"

# invitations_bounded A_SECOND BURST: for three seconds no more than these, and some.
invitations_bounded()
{
	local start

	nat_forget
	wait_for 10 "an invitation" invitations_more 0
	now_ms
	start=$NOW
	sleep 3
	INVITATIONS=$(counter invitations sent)
	now_ms
	at_most "invitations in $((NOW - start)) ms" "$INVITATIONS" $(($2 + ($1 * (NOW - start) + 999) / 1000))
	[ "$INVITATIONS" -ge "$1" ] || fail "only $INVITATIONS invitations"
}

# Nobody answers: the gateway asks twice a second, whatever comes. Then the client may hear it.
invitations_of_a_session_are_bounded()
{
	NET_HOOK=nat_make POLICY=$PATIENT TRANSPORTS=$ONE_PATH
	scenario_begin
	invitations_drop
	invitations_bounded 2 2
	session_read c
	equal "the client's session" "$SID $VERSION" "$KEPT_SID $((KEPT_C + (VERSION > KEPT_C)))"
	invitations_pass
	wait_audit c '"reason":"NAT_REBIND"' 5
	wait_attached g 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the gateway's version" "$G_VERSION" $((KEPT_G + 2))
	scenario_measure
	equal "the switches" "$SWITCHES" 1
}

# Two clients behind it, one invitation a second for both.
invitations_in_total_are_bounded()
{
	NET_HOOK=nat_make POLICY=$PATIENT TRANSPORTS=$ONE_PATH SECOND="" LIMITS="invitations_per_second: 1"
	scenario_begin
	x_start
	invitations_drop
	invitations_bounded 1 1
	invitations_pass
	wait_audit c '"reason":"NAT_REBIND"' 10
	wait_audit x '"reason":"NAT_REBIND"' 10
	session_read c
	equal "the client's session" "$SID" "$KEPT_SID"
	wait_for 5 "the client reaches the gateway" ping_ok c $G_IN4
	wait_for 5 "the other client reaches the gateway" ping_ok x $G_IN4
}

# x_start: it has its transport by another name.
x_start()
{
	TRANSPORTS=''
	config_client x > "$WORK/x/config.yaml"
	daemon_start x
	wait_attached x 1
	wait_for 5 "the other client reaches the gateway" ping_ok x $G_IN4
}

# --- too many ------------------------------------------------------------------------------------------

# No delay: an order is carried out in less than the hundredth of a second that it has.
net_without_delay()
{
	local port

	for port in rg ra rb; do
		tc -n "${NS}r" qdisc del dev $port root
	done
	on r nft -f - <<- END
		table ip proofs {
			counter sent {}
			chain forward {
				type filter hook forward priority 0
				udp dport $PORT @th,64,8 7 counter name sent
			}
		}
	END
}

# The client proves itself a hundred times a second; the gateway does the public-key work twice.
a_hundred_reattaches_a_second()
{
	local refused ms proofs renewed

	NET_HOOK=net_without_delay LIMITS="reattaches_per_second: 2"
	scenario_begin
	read -r refused ms <<< "$(on c $NET orders "$WORK/c/socket" 400 100 session.jump \
		"{\"session_id\": \"$SID\", \"transport\": \"a\"}")"
	proofs=$(counter proofs sent)
	session_same
	renewed=$((EPOCH - KEPT_EPOCH))
	note "400 orders in $ms ms: $proofs PROOFs, $renewed times new keys, $refused refused"
	{ [ "$proofs" -gt 200 ] && [ "$refused" -gt 200 ]; } || fail "there was no flood"
	[ "$renewed" -gt 0 ] || fail "the gateway took none"
	at_most "new keys" $renewed $((2 + 2 * (ms + 999) / 1000))
	equal "the gateway's session" "$SID $G_VERSION" "$KEPT_SID $KEPT_G"
	# Of two that the gateway took at once, the client may have followed the second alone.
	at_most "the client's transitions" $((C_VERSION - KEPT_C)) $((2 * renewed))
	reach
	wait_for 5 "the gateway's log has the refusals" refused_at_least $((proofs / 2))
	scenario_measure
	equal "the switches" "$SWITCHES" 0
	equal "packets lost upward" "$(packets_lost up)" 0
	equal "packets lost downward" "$(packets_lost down)" 0
}

# refused_at_least COUNT: records stand for several.
refused_at_least()
{
	local count

	count=$(sed -nE '/"event":"REFUSED".*"reason":"RATE_LIMITED"/ s/.*"count":([0-9]+).*/\1/p' "$WORK/g/audit" |
		awk '{ sum += $1 } END { print sum + 0 }')
	[ "$count" -ge "$1" ]
}

# --- once more --------------------------------------------------------------------------------------------

record_start()
{
	on_spawn r $NET record rg $PORT "$WORK/r/record"
	RECORDER=$SPAWNED
}

recorded()
{
	[ "$(cut -d ' ' -f 3 "$WORK/r/record" | grep -c "^$1")" -ge "$2" ]
}

# Handshake, moves and data, recorded and sent again: as they were, and from another host.
replayed_messages()
{
	local how from count

	NET_HOOK=record_start
	scenario_begin
	jump b
	jump a
	jump b
	wait_for 5 "three PROOFs are recorded" recorded 07 3
	{ recorded 01 1 && recorded 05 3 && recorded 04 10; } || fail "INIT, REQUEST and data are not recorded"
	kill -TERM "$RECORDER"
	session_keep
	for how in forged own; do
		[ $how = forged ] && from=r || from=x
		count=$(audit_count g "$(refusal INIT REPLAY)")
		note "sent again by $from: $(on $from $NET replay "$WORK/r/record" $G_V4 $PORT $how)"
		wait_audit g "$(refusal INIT REPLAY)" 10 "$count"
		reach
		session_kept 0 0 0
		contains "the transport" "$VIA $G_REMOTE" '^b0 203\.0\.113\.1:'
	done
	# Those of former commits, and the last one from where it does not belong.
	wait_audit g "$(refusal PROOF 'STALE_(VERSION|FRESHNESS)')" 10
	wait_audit g "$(refusal PROOF REPLAY)" 10
	equal "handshakes" "$(audit_count g '"event":"HANDSHAKE_DONE"')" 1
	jump a
	session_kept 2 2 1
	scenario_measure
	equal "the switches" "$SWITCHES" 4
	equal "packets lost upward" "$(packets_lost up)" 0
	equal "packets lost downward" "$(packets_lost down)" 0
	audit_complete g
}

test_main NAT_forgets_its_mapping invitations_of_a_session_are_bounded \
	invitations_in_total_are_bounded a_hundred_reattaches_a_second replayed_messages
