#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# jvpnctl as an operator and a program meet it: exit statuses, errors as JSON, events, ending
# sessions, and what audit verify says of a log that somebody touched.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

exit_statuses()
{
	local other

	pair_up
	fails 2 "unknown verb 'sesion'; did you mean 'session'" ctl c sesion list
	fails 2 'usage|unrecognized|invalid' ctl c session list --no-such-option
	fails 2 'not a session id' ctl c session show zz
	other=$(tr 0-9a-f 1-9a-f0 <<< "$SID")
	fails 3 'no session' ctl c session show "$other"
	fails 3 'no session' ctl c session jump "$other"
	fails 3 'no jvpn device' on c jvpnctl -i jvpn9 session list
	fails 4 'not running' on c jvpnctl -i $DEV --socket /nonexistent status
	fails 0 "$SID" ctl c session list --ids
	session_same
}

errors_as_JSON()
{
	local text

	pair_up
	text=$(ctl c --json session show 00000000 2> /dev/null)
	equal "the exit status" $? 3
	"$PYTHON" -c 'import json,sys; e = json.load(sys.stdin)["error"]; sys.exit(not (e["code"] == "UNKNOWN_SESSION" and e["message"]))' \
		<<< "$text" || fail "the error is '$text'"
	text=$(ctl c --json session jump "$SID" nowhere 2> /dev/null)
	equal "the exit status" $? 3
	contains "the error" "$text" '"code": "UNKNOWN_TRANSPORT"'
}

events_follow_sees_transitions()
{
	pair_up
	session_keep
	on_spawn c jvpnctl --socket "$WORK/c/socket" -i $DEV events --follow > "$WORK/events" 2>&1
	local text=$SPAWNED
	on_spawn g jvpnctl --socket "$WORK/g/socket" -i $DEV --json events -f > "$WORK/events-json" 2>&1
	sleep "0.$((SLOW > 1 ? 9 : 3))"
	jump
	session_kept 2 2 1
	wait_for 5 "the jump in the events" grep -qE "${SID:0:12} +JUMP +ATTACHED -> RECOVERING +OPERATOR_JUMP +v$((KEPT_C + 1))" "$WORK/events"
	wait_for 5 "its end in the events" grep -qE "RECOVERING -> ATTACHED +REATTACH_OK +v$((KEPT_C + 2))" "$WORK/events"
	wait_for 5 "the events of the gateway" grep -q REATTACH_OK "$WORK/events-json"
	"$PYTHON" - "$WORK/events-json" $((KEPT_G + 1)) <<- 'END' || fail "the JSON events are wrong: $(cat "$WORK/events-json")"
		import json, sys
		events = [json.loads(line) for line in open(sys.argv[1])]
		seen = [(e["state_version"], e["reason"]) for e in events if e.get("to") and e["event"] != "REFUSED"]
		first = int(sys.argv[2])
		sys.exit(seen != [(first, "CLIENT_JUMP"), (first + 1, "REATTACH_OK")])
	END
	kill -KILL "$text" "$SPAWNED"
	# Looking back needs no daemon.
	contains "events" "$(ctl c events)" 'OPERATOR_JUMP'
}

ended_by_the_gateways_operator()
{
	pair_fresh
	session_keep
	ctl g session terminate "$SID" > /dev/null || fail "terminate failed"
	wait_audit g "$(transition ATTACHED TERMINATED OPERATOR)" 5
	wait_audit c "$(transition ATTACHED TERMINATED OPERATOR)" 5
	# It comes back, but not at once, and as another session.
	wait_audit c "$(transition BIRTH ATTACHED HANDSHAKE_OK)" 20 1
	session_same
	[ "$SID" != "$KEPT_SID" ] || fail "the session is the old one"
	equal "the versions" "$C_VERSION $G_VERSION" "1 1"
	fails 5 'terminated' ctl g session terminate "$KEPT_SID"
}

ended_by_the_clients_operator_it_stays_down()
{
	pair_fresh
	session_keep
	ctl c session terminate "$SID" --stay-down > /dev/null || fail "terminate failed"
	wait_audit c "$(transition ATTACHED TERMINATED OPERATOR)" 5
	wait_audit g "$(transition ATTACHED TERMINATED OPERATOR)" 5
	sleep 2
	equal "handshakes" "$(audit_count g '"event":"HANDSHAKE_DONE"')" 1
	equal "live sessions" "$(sessions_line g c | cut -d ' ' -f 1 | tr '\n' ' ')" "0 0 "
	ctl c reload > /dev/null || fail "reload failed"
	wait_attached c 2
	session_same
	[ "$SID" != "$KEPT_SID" ] || fail "the session is the old one"
}

# refuted WHAT SED_SCRIPT PATTERN: a copy of the log, changed so.
refuted()
{
	sed -E "$2" "$WORK/g/audit" > "$WORK/forged"
	! cmp -s "$WORK/g/audit" "$WORK/forged" || fail "'$1' changes nothing"
	fails 6 "$3" jvpnctl audit verify "$WORK/forged"
	fails 6 REFUTED jvpnctl audit verify "$WORK/forged"
}

audit_verify_refutes_what_was_touched()
{
	local lines line head

	pair_up
	jump
	jump
	session_same
	wait_for 5 "the log of the jumps" audit_more g REATTACH_OK 1
	line=$(grep -n '"reason":"REATTACH_OK"' "$WORK/g/audit" | head -n 1 | cut -d : -f 1)
	lines=$(wc -l < "$WORK/g/audit")
	fails 0 '^VERIFIED' jvpnctl audit verify "$WORK/g/audit"
	refuted "a line removed" "${line}d" "forged:$line: CHAIN: "
	refuted "a line doubled" "${line}p" "forged:$((line + 1)): CHAIN: "
	refuted "a version altered" "${line}s/\"state_version\":[0-9]+/\"state_version\":77/" "forged:$line: I3: "
	refuted "a reason altered" "${line}s/REATTACH_OK/HEALTH_RECOVERED/" "forged:$line"
	refuted "two lines swapped" "${line}{h;d};$((line + 1)){G}" "forged:$line: CHAIN: "
	# Cut at its end: only who kept its head can tell.
	head=$(jvpnctl audit verify "$WORK/g/audit" | sed -n 's/^head //p')
	head -n $((lines - 1)) "$WORK/g/audit" > "$WORK/forged"
	fails 6 'REFUTED' jvpnctl audit verify --head "$head" "$WORK/forged"
	fails 0 '^VERIFIED' jvpnctl audit verify --head "$head" "$WORK/g/audit"
	fails 1 'no-such' jvpnctl audit verify "$WORK/no-such"
}

test_main exit_statuses errors_as_JSON events_follow_sees_transitions \
	audit_verify_refutes_what_was_touched ended_by_the_gateways_operator \
	ended_by_the_clients_operator_it_stays_down
