#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A client with a key of its own that does what it must not: its limits bite it alone, and nothing of
# the other client's session changes.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"
. "$LIB_DIR/lib-abuse.sh"

SECOND=""
POLICY="max_switches_per_minute: 10"

begin()
{
	pair_fresh
	session_read c
	KEPT_SID=$SID KEPT_STATE=$STATE KEPT_VERSION=$VERSION KEPT_EPOCH=$EPOCH
	rogue_start
}

# other_unchanged: the client's session, at both ends, and its traffic.
other_unchanged()
{
	session_read c
	equal "the other session" "$SID $STATE $VERSION $EPOCH" \
		"$KEPT_SID $KEPT_STATE $KEPT_VERSION $KEPT_EPOCH"
	contains "the gateway's sessions" "$(ctl g --json session list)" "$KEPT_SID"
	reach
	rogue_end
}

# It moves as often as its policy allows, then is told to wait; the other one moves on.
its_moves()
{
	begin
	rogue handshake
	rogue moves 25
	note "$ANSWER"
	at_most "its moves" "$(answer_of moved)" 10
	[ "$(answer_of rejected)" -ge 10 ] || fail "it was not rejected: $ANSWER"
	wait_audit g "$(refusal PROOF SWITCH_RATE_EXCEEDED)" 5
	other_unchanged
	jump b
}

# Public-key work in vain, beyond the gate: so many for a session, and no more.
its_broken_proofs()
{
	local start judged

	# The least that goes with max_switches_per_minute of the policy quiet.
	PROOFS=65 NET_HOOK=net_fast
	begin
	rogue handshake
	now_ms
	start=$NOW
	rogue broken 300
	now_ms
	judged=$(verdicts PROOF "does not authenticate")
	note "$ANSWER in $((NOW - start)) ms, $judged cost public-key work"
	[ "$judged" -ge 10 ] || fail "only $judged cost public-key work: nothing was tested"
	at_most "PROOFs that cost public-key work" "$judged" \
		$((PROOFS + 1 + (NOW - start) * PROOFS / 60000))
	[ "$(answer_of rejected)" -ge 5 ] || fail "it was not rejected: $ANSWER"
	other_unchanged
	jump b
}

# The PROOF that was committed, again and again: answered, installed once.
its_repeated_proof()
{
	local installed

	begin
	rogue handshake
	rogue moves 1
	equal "its moves" "$(answer_of moved)" 1
	installed=$(audit_count g '"to":"ATTACHED"')
	rogue repeat 30
	[ "$(answer_of answered)" -ge 1 ] || fail "the repeated PROOF was not answered"
	equal "records of sessions bound" "$(audit_count g '"to":"ATTACHED"')" "$installed"
	other_unchanged
}

# One half-open session for a peer, however many INITs; others find room and time.
its_handshakes()
{
	local start

	LIMITS="max_half_open: 2"
	begin
	now_ms
	start=$NOW
	rogue inits 400
	now_ms
	note "$ANSWER"
	at_most "its half-open sessions" "$(gateway_status half_open)" 1
	at_most "INITs that were answered" "$(answer_of answered)" $((21 + (NOW - start) / 500))
	other_unchanged
}

# It makes as many INITs as it can; an eighth of the handshakes is its source's, and the other client
# comes back meanwhile.
others_come_back()
{
	local start before

	LIMITS="handshakes_per_second: 8, cookie_above_per_second: 4"
	begin
	daemon_end c TERM
	ip -n "${NS}c" link del $DEV
	rm -rf "$WORK/c/run" "$WORK/c/audit"
	echo "inits 10000000" >&7
	wait_audit g "$(refusal INIT RATE_LIMITED 'too many INITs of this source')" 10
	before=$(verdicts INIT accepted)
	now_ms
	start=$NOW
	daemon_start c
	wait_audit c '"to":"ATTACHED"' 15
	wait_for 10 "some seconds of INITs" seconds_since "$start" 5
	now_ms
	# One at once and one a second, of its source and of the other client's.
	at_most "INITs that cost public-key work" $(($(verdicts INIT accepted) - before)) \
		$((4 + 2 * (NOW - start) / 1000))
	kill -KILL $ROGUE_PID
	rogue_end
}

seconds_since()
{
	now_ms
	[ $((NOW - $1)) -ge $(($2 * 1000)) ]
}

# With the other's index or ticket, and keys of its own.
in_the_others_name()
{
	local refused

	pair_fresh
	capture_make
	session_read c
	KEPT_SID=$SID KEPT_STATE=$STATE KEPT_VERSION=$VERSION KEPT_EPOCH=$EPOCH
	rogue_start
	rogue handshake
	rogue capture "$WORK/capture"
	refused=$(verdicts CTRL "from another transport than it must come from")
	rogue close-other
	wait_for 5 "CLOSE is refused" verdicts_above CTRL \
		"from another transport than it must come from" "$refused"
	counters_keep
	rogue data-other 50
	wait_for 5 "DATA is refused" cause_above rx_drop_unbound 50
	refused=$(verdicts REQUEST "does not authenticate")
	rogue ticket-other 10
	equal "REQUESTs answered" "$(answer_of answered)" 0
	wait_for 5 "REQUEST is refused" verdicts_above REQUEST "does not authenticate" "$refused"
	other_unchanged
}

verdicts_above()
{
	[ "$(verdicts "$1" "$2")" -gt "$3" ]
}

cause_above()
{
	counter_rise "$1"
	[ "$RISE" -ge "$2" ]
}

# Inner packets from the other's address, and from the gateway's.
inner_sources()
{
	local other

	begin
	rogue handshake
	other=$(inner c)
	counters_keep
	rogue spoof "$other" $G_IN4
	rogue spoof $G_IN4 "$other"
	rogue spoof 8.8.8.8 "$other"
	wait_for 5 "inner sources are refused" cause_above rx_drop_source 3
	other_unchanged
}

# It asks for the other's inner address.
inner_addresses()
{
	local other

	begin
	other=$(inner c)
	rogue handshake "$other"
	[ "$ANSWER" != "$other" ] || fail "it was given the other's address $other"
	other_unchanged
}

test_main its_moves its_broken_proofs its_repeated_proof its_handshakes others_come_back \
	in_the_others_name inner_sources inner_addresses
