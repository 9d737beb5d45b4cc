#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What happens to the hosts: one key on two of them, clocks that are set, sleep. The session lives as
# long as its bounds allow, and never twice.
. "$(dirname "$(realpath "$0")")/lib-scenario.sh"

# sessions_born HOST: how many there are that have had a binding and have not ended. Somebody who asks
# again has one in birth meanwhile, which carries nothing.
sessions_born()
{
	ctl "$1" --json session list | grep -oE '"state": *"(ATTACHED|VOLATILE|RECOVERING|DEGRADED)"' | wc -l
}

# The host x has stolen c's key. The kernel gives the inner address to the newer handshake; whoever
# lost it waits before it tries again, so they do not chase each other at full speed.
two_clients_with_the_same_key()
{
	local round

	POLICY=$QUICK
	scenario_begin
	cp "$WORK/c/key" "$WORK/x/key"
	daemon_start x
	wait_attached x 1
	ended g POLICY_FAILURE
	for round in 1 2 3 4 5 6; do
		at_most "sessions at the gateway that are born" "$(sessions_born g)" 1
		sleep $((1 * T)).2
	done
	at_most "handshakes" "$(audit_count g "$(transition BIRTH ATTACHED HANDSHAKE_OK)")" $((2 + 3 * T))
	daemon_end x
	ended c '(LEASE_LOST|POLICY_FAILURE)'
	ip -n "${NS}x" link set x0 down
	new_session
	reach
}

# --- clocks ------------------------------------------------------------------------------------------

DAY=86400

clock_step()
{
	date -s "@$(($(date +%s) + $1))" > /dev/null || fail "the clock cannot be set"
}

# Every deadline is of a clock that cannot be set, and so is the age of a ticket.
clock_steps()
{
	local step count=0

	[ "${JVPN_LANE:-host}" != host ] || skip "the clock is the machine's own"
	POLICY="transport_loss_ttl_ms: 60000, session_ttl_ms: 600000, rekey_after_ms: $((12000 * T))"
	TRANSITIONS='"event":"(JUMP|REATTACH_COMMIT|TRANSPORT_DEAD|TERMINATE|QUALITY_LOW)"'
	scenario_begin
	for step in $((3 * DAY)) $((-6 * DAY)) $((3 * DAY)); do
		clock_step $step
		sleep 1
		equal "transitions after a step of $step s" "$(audit_count c "$TRANSITIONS") $(audit_count g "$TRANSITIONS")" "0 0"
	done
	session_kept 0 0
	for step in $((3 * DAY)) $((-6 * DAY)) $((3 * DAY)); do
		clock_step $step
		# The gateway's clockwork goes round once a second.
		sleep 1.2
		jump
		count=$((count + 2))
		session_kept $count $count
	done
	wait_epoch c "$EPOCH"
	reach
	scenario_measure
	equal "the switches" "$SWITCHES" 3
	equal "packets lost upward" "$(packets_lost up)" 0
}

# A TTL runs on, whatever the clock of the wall says.
clock_steps_without_a_binding()
{
	[ "${JVPN_LANE:-host}" != host ] || skip "the clock is the machine's own"
	POLICY="recovery_window_ms: $((500 * T)), transport_loss_ttl_ms: $((4000 * T)), $QUICK"
	scenario_begin
	hole b
	hole a
	wait_audit c '"to":"RECOVERING"' 10
	wait_audit g '"to":"RECOVERING"' 10
	clock_step 3600
	sleep 1
	[ "$(audit_count c '"to":"TERMINATED"')$(audit_count g '"to":"TERMINATED"')" = 00 ] || fail "a TTL fired"
	clock_step -7200
	ended c TRANSPORT_LOSS_TTL_EXPIRED
	ended g TRANSPORT_LOSS_TTL_EXPIRED
	clock_step 3600
	hole_end a
	hole_end b
	new_session
	equal "sessions that ended before their time" "$(early g) $(early c)" "0 0"
}

# client_reboots: what was in memory is gone, so is its device.
client_reboots()
{
	daemon_end c
	ip -n "${NS}c" link del $DEV
	rm -rf "$WORK/c/run"
	daemon_start c
}

# A client without a clock of its own boots with yesterday's date, which the gateway has seen pass.
client_boots_in_the_past()
{
	[ "${JVPN_LANE:-host}" != host ] || skip "the clock is the machine's own"
	POLICY=$QUICK
	pair_fresh
	clock_step -$DAY
	client_reboots
	wait_attached c 2
	session_same
	wait_audit g "$(refusal INIT REPLAY 'has no cookie')" 5
	reach
	# Then the time comes from the net, is lost by the next boot, and comes again.
	clock_step $DAY
	ctl c session terminate "$SID" > /dev/null || fail "terminate failed"
	wait_attached c 3
	session_same
	reach
}

# What a running client has sent is remembered, over a restart of the daemon: no cookie is needed.
client_clock_is_set_back()
{
	[ "${JVPN_LANE:-host}" != host ] || skip "the clock is the machine's own"
	POLICY=$QUICK
	pair_fresh
	clock_step -$DAY
	ctl c session terminate "$SID" > /dev/null || fail "terminate failed"
	wait_attached c 2
	ip -n "${NS}c" link del $DEV
	wait_for 10 "the daemon ends with its device" daemon_gone c
	daemon_start c
	wait_attached c 3
	! audit_has g "$(refusal INIT REPLAY)" || fail "the clock showed"
	clock_step $DAY
	session_same
	reach
}

# The first day of all: the gateway, too, has no clock.
day_zero()
{
	local start=${EPOCHREALTIME%.*}

	[ "${JVPN_LANE:-host}" != host ] || skip "the clock is the machine's own"
	POLICY=$QUICK
	# No kernel sets its clock before its own start.
	date -s "@$(($(cut -d . -f 1 /proc/uptime) + 100))" > /dev/null || fail "the clock cannot be set"
	pair_fresh
	session_keep
	sleep 2.2
	jump
	jump
	session_kept 4 4 2
	date -s "@$start" > /dev/null || fail "the clock cannot be set"
	jump
	session_kept 6 6 3
	reach
}

# early HOST: whether less than the TTL passed without a binding.
early()
{
	[ $(($(boot_ms "$1" '"to":"TERMINATED"') - $(boot_ms "$1" '"event":"TRANSPORT_DEAD"'))) -ge $((4000 * T - 50)) ]
	echo $?
}

# --- sleep -------------------------------------------------------------------------------------------

# The client's host sleeps as its gateway sees it: no packet comes or goes, its daemon does not run.
# Its kernel cannot be put to sleep apart from the gateway's; see host_sleeps.
client_freeze()
{
	hole b
	hole a
	kill -STOP "$(daemon_pid c)"
}

client_wake()
{
	hole_end a
	hole_end b
	kill -CONT "$(daemon_pid c)"
}

client_sleeps()
{
	POLICY="recovery_window_ms: $((500 * T)), transport_loss_ttl_ms: $((30000 * T)), $QUICK"
	scenario_begin
	client_freeze
	wait_audit g "$(transition RECOVERING DEGRADED RECOVERY_WINDOW_EXCEEDED)" 10
	client_wake
	wait_attached c 2
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "handshakes" "$(audit_count g '"event":"HANDSHAKE_DONE"')" 1
	reach
	audit_complete c
	audit_complete g
	scenario_measure
	equal "the switches" "$SWITCHES" 1
}

# Longer than the TTL: the kernel of each end keeps it, the daemon that wakes learns of it.
client_sleeps_too_long()
{
	POLICY="recovery_window_ms: $((500 * T)), transport_loss_ttl_ms: $((2000 * T)), $QUICK"
	scenario_begin
	client_freeze
	ended g TRANSPORT_LOSS_TTL_EXPIRED
	wait_for 10 "the client's kernel ends it with the daemon asleep" kernel_ended
	client_wake
	ended c TRANSPORT_LOSS_TTL_EXPIRED
	new_session
	reach
}

# Nobody of the daemon can be asked: the module itself.
kernel_ended()
{
	on c jvpnctl --socket /nonexistent -i $DEV --json session list | grep -q '"state": *"TERMINATED"'
}

# The whole machine sleeps, really: both ends, every clock but the one of the deadlines. A session
# that may live longer goes on; one whose time is up meanwhile has ended when the machine wakes.
host_sleeps()
{
	local seconds=$((6 * T))

	sleep_possible || skip "a machine is suspended only if JVPN_SLEEP=1 asks for it: not each survives it"
	POLICY="recovery_window_ms: $((500 * T)), $QUICK" SECOND=""
	scenario_begin
	POLICY_C="$POLICY, session_ttl_ms: ${seconds}000, transport_loss_ttl_ms: ${seconds}000"
	config_client x > "$WORK/x/config.yaml"
	daemon_start x
	wait_attached x 1
	machine_sleep $seconds
	wait_audit x '"to":"TERMINATED","reason":"SESSION_TTL_EXPIRED"' 10
	wait_audit x "$(transition BIRTH ATTACHED HANDSHAKE_OK)" 15 1
	wait_for 10 "the client reaches the gateway" ping_ok c $G_IN4
	session_read c
	equal "the session id" "$SID $STATE" "$KEPT_SID ATTACHED"
	equal "handshakes of the client" "$(audit_count c '"event":"HANDSHAKE_DONE"')" 1
}

# Suspended to memory, a virtual machine wakes up by its clock; User-Mode Linux cannot be suspended,
# and a host is not ours.
sleep_possible()
{
	[ "${JVPN_SLEEP:-}" = 1 ] && [[ ${JVPN_LANE:-host} = @(kvm|tcg) ]] &&
		grep -qsw deep /sys/power/mem_sleep && [ -w /sys/class/rtc/rtc0/wakealarm ]
}

machine_sleep()
{
	local before

	before=$(cut -d . -f 1 /proc/uptime)
	echo deep > /sys/power/mem_sleep
	echo 0 > /sys/class/rtc/rtc0/wakealarm
	echo "+$1" > /sys/class/rtc/rtc0/wakealarm || fail "no alarm can be set"
	echo mem > /sys/power/state || fail "the machine does not go to sleep"
	[ $(($(cut -d . -f 1 /proc/uptime) - before)) -ge $(($1 - 1)) ] || fail "the machine did not sleep"
}

test_main two_clients_with_the_same_key clock_steps clock_steps_without_a_binding \
	client_boots_in_the_past client_clock_is_set_back day_zero client_sleeps \
	client_sleeps_too_long host_sleeps
