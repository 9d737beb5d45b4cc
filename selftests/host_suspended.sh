#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The machine is on its way to sleep: no data key outlives that. Sessions stay, and come back by a
# PROOF with new keys, without a handshake. Both ends are in this machine, so both lose their keys.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

RTC=/sys/class/rtc/rtc0/wakealarm
COUNT=/sys/power/wakeup_count

# A host is not ours, and User-Mode Linux cannot be suspended.
suspend_possible()
{
	[[ ${JVPN_LANE:-host} = @(kvm|tcg) ]] && grep -qsw freeze /sys/power/state && [ -w $RTC ] &&
		[ -w $COUNT ]
}

alarm_rang()
{
	[ "$(cat $COUNT)" != "$1" ]
}

# An alarm has rung since the machine was asked whether it may sleep: so it goes as far as to freeze
# all processes, having told everybody, and turns back. That works in every emulator.
suspend_begin()
{
	local count

	count=$(cat $COUNT)
	echo 0 > $RTC
	echo "$count" > $COUNT || fail "the machine must not sleep now"
	echo +1 > $RTC || fail "no alarm can be set"
	wait_for 20 "the alarm rings" alarm_rang "$count"
	! echo freeze 2> /dev/null > /sys/power/state || fail "the machine slept, in spite of the alarm"
}

keys_wiped()
{
	local host

	suspend_possible || skip "this kernel cannot be suspended"
	pair_fresh
	session_keep
	suspend_begin
	for host in g c; do
		wait_audit $host "$(transition ATTACHED RECOVERING HOST_SUSPENDED)" 10
		wait_audit $host "$(transition RECOVERING ATTACHED REATTACH_OK)" 20
		# No key was taken on the way down.
		equal "how often $host was bound" "$(attached $host)" 2
		grep -q "made anew" "$WORK/$host/log" || fail "$host does not know that the machine slept"
	done
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "handshakes" "$(audit_count c '"event":"HANDSHAKE_DONE"')" 1
	reach
	audit_complete c
	audit_complete g
}

test_main keys_wiped
