# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the tests of daemon and jvpnctl share: a network, the two ends, waiting and TAP.
#
# A network of namespaces; every way through the router takes 10 ms:
#
#   c (client)  a0 ------ ra  r (router)  rg ------ g0  g (gateway)
#               b0 ------ rb
#   x (client)  x0 ------ rx
#
# A case is a function that runs in a shell of its own. What it leaves behind is in files and
# namespaces, so that the next case can go on with it. fail ends a case. After each case both
# audit logs are verified; the last one demands that nothing is left running. (selftests/run
# unloads the module afterwards, and counts what that leaves.)
#
#   test_main CASE...            runs the cases, as a TAP test program
#   pair_up                      a network with a session, the present one if it is as wanted
#   pair_fresh                   the same, but new
#
# Settings, to be assigned before pair_up (a case has its own shell, so they last for the case):
#   POLICY     more members of the policy of both ends, such as "rekey_after_ms: 2000"
#   POLICY_G   POLICY_C, of one end            POOLS  of inner addresses
#   BASE       of the policy instead of quiet, such as "fast"
#   LIMITS     members of gateway.limits       PSK    file of c's pre-shared key, PSK_X of x's
#   SECOND     more members of the peer x, which is unknown if it is unset: ", max_sessions: 2"
#   ENDPOINTS  of the gateway, for clients     TRANSPORTS  of clients
#   LISTEN     of the gateway                  GATEWAYS  of clients, instead of the one
#   ROUTES     of clients, through the tunnel
#   NET_HOOK   a command for when the network has just been made

export LC_ALL=C LANG=C
shopt -u expand_aliases
set -u

LIB_DIR=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
PATH=$LIB_DIR/../build/bin:$PATH
PYTHON=/usr/bin/python3
DEV=jvpn0
PORT=51900
NS=jt-$$-
WORK=/run/jvpn-test-$$
# Emulated and debug kernels: limits of time grow by this factor.
SLOW=1
[ "${JVPN_SLOW:-0}" = 0 ] || [ -z "${JVPN_SLOW:-}" ] || SLOW=8

# A case that fails while the machine stood still for so long (ms) is not judged.
STANDSTILL_MS=$((150 * SLOW))

G_V4=192.0.2.1 G_V6=2001:db8:9::1 R_V4=192.0.2.254
NET_HOOK=:
G_IN4=10.77.0.1 G_IN6=fd77::1

# --- TAP -------------------------------------------------------------------------------------

# fail MESSAGE: ends the case. Not in $( ) or a pipe: it would end just that.
fail()
{
	printf '# %s\n' "$*"
	exit 1
}

note()
{
	printf '# %s\n' "$*"
}

# skip REASON: ends the case as skipped.
skip()
{
	printf '%s\n' "$*" > "$WORK/skip"
	exit 4
}

# equal WHAT FOUND EXPECTED
equal()
{
	[ "$2" = "$3" ] || fail "$1 is '$2' instead of '$3'"
}

# at_most WHAT FOUND LIMIT
at_most()
{
	[ "$2" -le "$3" ] || fail "$1 is $2, more than $3"
}

# contains WHAT TEXT PATTERN: an extended regular expression.
contains()
{
	grep -qE -e "$3" <<< "$2" || fail "$1 does not say /$3/ but: $2"
}

test_case_end()
{
	local host file

	[ "$1" = 0 ] || return "$1"
	for host in g c x; do
		file=$WORK/$host/audit
		[ ! -s "$file" ] || audit_verify "$host" || return 1
	done
	if grep -lE 'runtime error:|AddressSanitizer|LeakSanitizer|Assertion|assertion' \
	    "$WORK"/?/log "$WORK"/?/log.old 2> /dev/null; then
		note "a daemon's log holds a report"
		return 1
	fi
	return 0
}

# test_case_show: what helps to understand a case that failed.
test_case_show()
{
	local host

	for host in g c x; do
		[ -s "$WORK/$host/log" ] || continue
		note "the log of $host ends:"
		tail -n 25 "$WORK/$host/log" | cut -c 1-220 | sed 's/^/#   /'
		[ ! -s "$WORK/$host/audit" ] || grep -v '"event":"POLICY"' "$WORK/$host/audit" | tail -n 8 |
			sed -E 's/"(prev|ts)":"[^"]*",//g; s/"ts_ms":[0-9]*,//' | cut -c 1-330 | sed 's/^/#   audit /'
	done
}

# standstill_watch: until the program ends; see tools/standstill.c.
standstill_watch()
{
	"${JVPN_SELFTESTS_BUILD:-$LIB_DIR/../build/selftests}/standstill" "$WORK/standstill" &
	disown
}

# standstill_since BOOT_MS: the longest standstill noticed since then, in ms.
standstill_since()
{
	awk -v since="$1" '$1 >= since && $2 > most { most = $2 } END { print most + 0 }' "$WORK/standstill"
}

# boot_now: sets BOOT_NOW, ms.
boot_now()
{
	read -r BOOT_NOW _ < /proc/uptime
	BOOT_NOW=${BOOT_NOW/./}0
}

# test_judge STATUS BOOT_MS: what fails on a machine that stood still is skipped, with that reason.
test_judge()
{
	local still

	[ "$1" != 0 ] && [ "$1" != 4 ] || return "$1"
	still=$(standstill_since "$2")
	[ "$still" -ge $STANDSTILL_MS ] || return "$1"
	echo "it failed, but this machine stood still for $still ms during it" > "$WORK/skip"
	return 4
}

# test_case_done STATUS BOOT_MS: what becomes of a case. A log that is refuted is so on any machine.
test_case_done()
{
	local status=$1

	[ "$status" != 4 ] || return 4
	( test_case_end "$status" ) && return 0
	test_case_show
	rm -f "$WORK/pair"
	[ "$status" = 0 ] && return 1
	test_judge "$status" "$2"
}

test_report()
{
	local status=$1 number=$2 name=$3

	case $status in
	0) echo "ok $number $name" ;;
	4) echo "ok $number $name # SKIP $(cat "$WORK/skip")" ;;
	*) echo "not ok $number $name"; TEST_FAILED=$((TEST_FAILED + 1)) ;;
	esac
}

# test_main CASE...: a case may be followed by arguments, in one word.
test_main()
{
	local number=0 case status program start

	program=$(basename "$0" .sh)
	TEST_FAILED=0
	mkdir -p "$WORK"
	standstill_watch
	trap test_cleanup EXIT
	trap 'exit 130' INT TERM HUP
	echo "TAP version 13"
	echo "1..$(($# + 1))"
	for case; do
		boot_now
		start=$BOOT_NOW
		# shellcheck disable=SC2086 # arguments of the case
		( $case )
		test_case_done $? "$start"
		status=$?
		test_report $status $((number += 1)) "$program: ${case//_/ }"
	done
	( net_leaves_nothing )
	test_report $? $((number + 1)) "$program: nothing is left over"
	[ $TEST_FAILED = 0 ]
	exit
}

test_cleanup()
{
	local status=$?

	net_remove
	rm -rf "$WORK"
	exit $status
}

# --- time --------------------------------------------------------------------------------------

# now_ms: sets NOW.
now_ms()
{
	NOW=${EPOCHREALTIME/./}
	NOW=$((NOW / 1000))
}

# until_true SECONDS COMMAND...: whether it became true in time, the time being scaled.
until_true()
{
	local end

	now_ms
	end=$((NOW + $1 * 1000 * SLOW))
	shift
	until "$@" > /dev/null 2>&1; do
		now_ms
		[ "$NOW" -lt "$end" ] || return 1
		sleep 0.03
	done
}

# wait_for SECONDS WHAT COMMAND...
wait_for()
{
	local seconds=$1 what=$2

	shift 2
	until_true "$seconds" "$@" || fail "$what: not within $((seconds * SLOW)) s"
}

# --- network -----------------------------------------------------------------------------------

# on HOST COMMAND...
on()
{
	nsenter --net="/run/netns/$NS$1" -- "${@:2}"
}

# on_spawn HOST COMMAND...: in the background; sets SPAWNED, its process.
on_spawn()
{
	nsenter --net="/run/netns/$NS$1" -- "${@:2}" &
	SPAWNED=$!
	disown $SPAWNED
}

# A host that answers at once and takes packets from anywhere. lib-field.sh has Debian's.
HOST_SETTINGS=(net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0)

net_host()
{
	ip netns add "$NS$1"
	ip -n "$NS$1" link set lo up
	on "$1" sysctl -qw "${HOST_SETTINGS[@]}"
}

# net_cable HOST INTERFACE ROUTERS_INTERFACE V4_NET V6_NET
net_cable()
{
	ip link add "$2" netns "${NS}$1" type veth peer name "$3" netns "${NS}r"
	ip -n "$NS$1" -batch - <<- END
		addr add $4.1/24 dev $2
		addr add $5::1/64 dev $2 nodad
		link set $2 up
	END
	ip -n "${NS}r" -batch - <<- END
		addr add $4.254/24 dev $3
		addr add $5::fe/64 dev $3 nodad
		link set $3 up
	END
	tc -n "${NS}r" qdisc add dev "$3" root netem delay 10ms limit 10000
}

declare -A UPLINK_V4=([a]=198.51.100 [b]=203.0.113 [x]=198.18.0)
declare -A UPLINK_V6=([a]=2001:db8:a [b]=2001:db8:b [x]=2001:db8:c)
declare -A UPLINK_METRIC=([a]=10 [b]=20 [x]=10)
declare -A UPLINK_HOST=([a]=c [b]=c [x]=x)

# uplink_route NAME: what a DHCP client and a router advertisement would bring.
uplink_route()
{
	ip -n "$NS${UPLINK_HOST[$1]}" -batch - <<- END
		route replace default via ${UPLINK_V4[$1]}.254 dev ${1}0 metric ${UPLINK_METRIC[$1]}
		route replace ::/0 via ${UPLINK_V6[$1]}::fe dev ${1}0 metric ${UPLINK_METRIC[$1]}
	END
}

uplink_down()
{
	ip -n "$NS${UPLINK_HOST[$1]}" link set "${1}0" down
}

uplink_up()
{
	local host=$NS${UPLINK_HOST[$1]}

	ip -n "$host" link set "${1}0" up
	# IPv6 addresses went with the link.
	ip -n "$host" addr replace "${UPLINK_V6[$1]}::1/64" dev "${1}0" nodad
	uplink_route "$1"
}

net_make()
{
	local host uplink

	net_remove
	for host in g r c x; do
		mkdir -p "$WORK/$host"
		net_host $host
	done
	on r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	net_cable g g0 rg 192.0.2 2001:db8:9
	ip -n "${NS}g" route add default via $R_V4
	ip -n "${NS}g" -6 route add default via 2001:db8:9::fe
	for uplink in a b x; do
		net_cable "${UPLINK_HOST[$uplink]}" ${uplink}0 r$uplink "${UPLINK_V4[$uplink]}" \
			"${UPLINK_V6[$uplink]}"
		uplink_route $uplink
	done
}

net_remove()
{
	local host pids

	rm -f "$WORK/pair"
	for host in g r c x; do
		[ -e "/run/netns/$NS$host" ] || continue
		pids=$(ip netns pids "$NS$host")
		# shellcheck disable=SC2086 # numbers
		[ -z "$pids" ] || kill -KILL $pids 2> /dev/null
		ip netns del "$NS$host"
	done
	rm -rf "$WORK"/[grcx]
}

net_leaves_nothing()
{
	net_remove
	[ -z "$(ls -d /run/netns/"$NS"* 2> /dev/null)" ] || fail "namespaces are left over"
	[ -z "$(pgrep -f "jvpnd $WORK/")" ] || fail "a daemon is left over"
}

# --- the ends ------------------------------------------------------------------------------------

# key_make HOST
key_make()
{
	[ -e "$WORK/$1/key" ] || ( umask 077; jvpnctl genkey > "$WORK/$1/key" ) || fail "genkey"
	jvpnctl pubkey < "$WORK/$1/key" > "$WORK/$1/pub" || fail "pubkey"
}

policy_text()
{
	# Nothing happens by itself unless a case asks for it: no quality, no failback, late death.
	local own="switch_cooldown_ms: 0, failback_stable_ms: 3600000, max_switches_per_minute: 64"
	local probe="idle_interval_ms: 1000, active_interval_ms: 200, dead_base_ms: $((3000 * SLOW))"

	echo "policies:"
	echo "  quiet: {base: fast, $own,"
	echo "          probe: {$probe, rx_timeout_ms: $((15000 * SLOW))},"
	echo "          quality: {loss_enter_percent: 0, loss_leave_percent: 0, rtt_enter_ms: 0, rtt_leave_ms: 0}}"
	echo "  test: {base: ${BASE:-quiet}${1:+, $1}}"
}

config_common()
{
	cat <<- END
		node: $1
		private_key_file: $WORK/$1/key
		runtime_dir: $WORK/$1/run
		control_socket: $WORK/$1/socket
		audit: {sink: file, file: $WORK/$1/audit}
		log_level: debug
	END
}

config_second()
{
	[ -z "${SECOND+set}" ] || echo "- {name: second, public_key: \"$(cat "$WORK/x/pub")\"$SECOND}"
}

config_gateway()
{
	cat <<- END
		role: gateway
		device: {name: $DEV, addresses: [$G_IN4/24, $G_IN6/64]}
		$(config_common g)
		$(policy_text "${POLICY_G-${POLICY:-}}")
		gateway:
		  listen: ${LISTEN:-"[{address: 0.0.0.0, port: $PORT}, {address: \"::\", port: $PORT}]"}
		  pools: ${POOLS:-[10.77.0.0/24, "fd77::/64"]}
		  default_policy: test
		  limits: {session_proofs_per_minute: ${PROOFS:-600}${LIMITS:+, $LIMITS}}
		  peers:
		    - {name: client, public_key: "$(cat "$WORK/c/pub")"${PSK:+, preshared_key_file: $PSK}}
		    $(config_second)
	END
}

# gateway_text NAME HOST ENDPOINTS [PSK_FILE]: one of GATEWAYS.
gateway_text()
{
	echo "{name: $1, public_key: \"$(cat "$WORK/$2/pub")\", endpoints: [$3]${4:+, preshared_key_file: $4}}"
}

# config_client HOST
config_client()
{
	local host=$1 transports=${TRANSPORTS:-} gateways=${GATEWAYS:-} psk

	[ -n "$transports" ] || case $host in
	c) transports="[{name: a, interface: a0, protocol: udp4, preference: 200}, {name: b, interface: b0, protocol: udp4, preference: 100}]" ;;
	*) transports="[{name: x, interface: x0, protocol: udp4}]" ;;
	esac
	[ "$host" = c ] && psk=${PSK:-} || psk=${PSK_X:-}
	[ -n "$gateways" ] || gateways="[$(gateway_text gateway g "${ENDPOINTS:-"\"$G_V4:$PORT\""}" "$psk")]"
	cat <<- END
		role: client
		device: {name: $DEV}
		$(config_common "$host")
		$(policy_text "${POLICY_C-${POLICY:-}}")
		client:
		  gateways: $gateways
		  transports: $transports
		  routes: ${ROUTES:-[]}
		  policy: test
	END
}

config_write()
{
	key_make g; key_make c; key_make x
	config_gateway > "$WORK/g/config.yaml"
	config_client c > "$WORK/c/config.yaml"
	config_client x > "$WORK/x/config.yaml"
}

daemon_pid()
{
	cat "$WORK/$1/pid" 2> /dev/null
}

daemon_runs()
{
	local pid

	pid=$(daemon_pid "$1") && [ -e "/proc/$pid/exe" ]
}

# daemon_spawn HOST: starts it, with DAEMON_OPTIONS, and does not wait.
daemon_spawn()
{
	local host=$1

	[ ! -e "$WORK/$host/log" ] || cat "$WORK/$host/log" >> "$WORK/$host/log.old"
	# shellcheck disable=SC2086
	on_spawn "$host" jvpnd ${DAEMON_OPTIONS:-} "$WORK/$host/config.yaml" < /dev/null > "$WORK/$host/log" 2>&1
	echo "$SPAWNED" > "$WORK/$host/pid"
}

daemon_serves()
{
	grep -q ': serving ' "$WORK/$1/log"
}

daemon_start()
{
	daemon_spawn "$1"
	until_true 10 daemon_serves "$1" || fail "the daemon of $1 does not serve: $(tail -n 3 "$WORK/$1/log")"
}

daemon_gone()
{
	! daemon_runs "$1"
}

# daemon_end HOST [SIGNAL]: KILL by default.
daemon_end()
{
	kill "-${2:-KILL}" "$(daemon_pid "$1")" || fail "the daemon of $1 does not run"
	wait_for 10 "the daemon of $1 ends" daemon_gone "$1"
}

# ctl HOST ARGUMENT...
ctl()
{
	on "$1" jvpnctl --socket "$WORK/$1/socket" -i $DEV "${@:2}"
}

pair_alive()
{
	[ -e "$WORK/pair" ] && daemon_runs g && daemon_runs c
}

# pair_make: a network, both daemons, a session.
pair_make()
{
	net_make
	$NET_HOOK
	config_write
	daemon_start g
	daemon_start c
	wait_attached c 1
	wait_attached g 1
	cat "$WORK/g/config.yaml" "$WORK/c/config.yaml" > "$WORK/pair"
	session_same
}

# Cases count on the session beginning on uplink a. Where the clock cannot be trusted the gateway
# may be slower than the client's patience with its first choice: then once more.
pair_fresh()
{
	local try

	for try in 1 2 3; do
		pair_make
		[ $SLOW -gt 1 ] && [ "$VIA" = b0 ] && [[ ${TRANSPORTS:-name: a,} == *"name: a,"* ]] || return 0
		note "the session began on the second choice, try $try"
	done
}

pair_up()
{
	if pair_alive; then
		config_write
		if cat "$WORK/g/config.yaml" "$WORK/c/config.yaml" | cmp -s - "$WORK/pair"; then
			session_same
			return
		fi
	fi
	pair_fresh
}

# --- sessions and audit ----------------------------------------------------------------------------

# stands_by UPLINK: the client does not use it, and it answered when it was asked last.
stands_by()
{
	ctl c --json transport list | "$PYTHON" -S -E "$LIB_DIR/daemon_json.py" standby "$1"
}

# sessions_line HOST...: one line for each, see daemon_json.py.
sessions_line()
{
	local host

	for host; do
		ctl "$host" --json session list
	done | "$PYTHON" -S -E "$LIB_DIR/daemon_json.py" session
}

# session_read HOST: sets LIVE (their number), and of the newest live session SID STATE VERSION
# EPOCH PEER_VERSION REMOTE VIA; "-" if there is none.
session_read()
{
	local line

	line=$(sessions_line "$1") || fail "session list of $1 cannot be read"
	read -r LIVE SID STATE VERSION EPOCH PEER_VERSION REMOTE VIA <<< "$line"
}

# session_same: both ends have one session, the same one, bound, under the same keys; sets the
# variables G_VERSION, C_VERSION and those of session_read (of c).
session_same()
{
	local end

	now_ms
	end=$((NOW + 10000 * SLOW))
	until session_agrees; do
		now_ms
		[ "$NOW" -lt "$end" ] || fail "the ends do not agree: g has $G_SEEN, c has $C_SEEN"
		sleep 0.05
	done
}

session_agrees()
{
	local lines live sid state epoch peer via

	lines=$(sessions_line g c) || fail "the session lists cannot be read"
	{
		read -r live sid state G_VERSION epoch peer G_REMOTE via
		read -r LIVE SID STATE VERSION EPOCH PEER_VERSION REMOTE VIA
	} <<< "$lines"
	C_VERSION=$VERSION
	G_SEEN="$live $sid $state v$G_VERSION e$epoch" C_SEEN="$LIVE $SID $STATE v$VERSION e$EPOCH"
	[ "$live $state" = "1 ATTACHED" ] && [ "$LIVE $STATE $SID $EPOCH" = "1 ATTACHED $sid $epoch" ]
}

# session_keep: remembers the session for session_kept.
session_keep()
{
	session_same
	KEPT_SID=$SID KEPT_G=$G_VERSION KEPT_C=$C_VERSION KEPT_EPOCH=$EPOCH
}

# session_kept G C [EPOCH]: the same session, versions higher by G and C (and the epoch by EPOCH).
session_kept()
{
	session_same
	equal "the session id" "$SID" "$KEPT_SID"
	equal "the gateway's version" "$G_VERSION" $((KEPT_G + $1))
	equal "the client's version" "$C_VERSION" $((KEPT_C + $2))
	[ $# -lt 3 ] || equal "the epoch" "$EPOCH" $((KEPT_EPOCH + $3))
	equal "the gateway's version, as the client has heard," "$PEER_VERSION" "$G_VERSION"
}

# epoch_is_above HOST EPOCH
epoch_is_above()
{
	local epoch

	epoch=$(sessions_line "$1" | cut -d ' ' -f 5)
	[ "$epoch" != - ] && [ "${epoch:-0}" -gt "$2" ]
}

# wait_epoch HOST EPOCH: its session has keys of a later one.
wait_epoch()
{
	wait_for 20 "keys after epoch $2 at $1" epoch_is_above "$1" "$2"
}

# audit_count HOST PATTERN: how many records match, as an extended regular expression.
audit_count()
{
	grep -cE -e "$2" "$WORK/$1/audit" 2> /dev/null || true
}

audit_has()
{
	grep -qE -e "$2" "$WORK/$1/audit"
}

audit_more()
{
	[ "$(audit_count "$1" "$2")" -gt "$3" ]
}

# wait_audit HOST PATTERN SECONDS [COUNT]: a record beyond the first COUNT.
wait_audit()
{
	until_true "$3" audit_more "$1" "$2" "${4:-0}" ||
		fail "no record /$2/ in the log of $1 within $(($3 * SLOW)) s"
}

# wait_attached HOST COUNT: it was bound for the COUNT-th time.
wait_attached()
{
	wait_audit "$1" '"to":"ATTACHED"' 15 $(($2 - 1))
}

# attached HOST: how often it was bound.
attached()
{
	audit_count "$1" '"to":"ATTACHED"'
}

# transition FROM TO REASON: the pattern of a transition in the audit log.
transition()
{
	printf '"from":"%s","to":"%s","reason":"%s"' "$1" "$2" "$3"
}

# refusal REQUEST REASON [WHY]
refusal()
{
	printf '"event":"REFUSED".*"reason":"%s","request":"%s"%s' "$2" "$1" "${3:+.*$3}"
}

audit_verify()
{
	local text

	text=$(jvpnctl audit verify "$WORK/$1/audit" 2>&1) && return
	note "the audit log of $1 is refuted:"
	grep -vE '^[A-Z0-9]+ +holds' <<< "$text" | sed 's/^/#   /'
	return 1
}

# audit_complete HOST: each transition that the kernel remembers is in the log exactly once.
audit_complete()
{
	local text

	text=$(ctl "$1" --json session list | "$PYTHON" -S -E "$LIB_DIR/daemon_json.py" history "$WORK/$1/audit") ||
		fail "the log of $1 and the kernel's history differ: $text"
}

# fails STATUS PATTERN COMMAND...: the command ends so, and says so.
fails()
{
	local status=$1 pattern=$2 text found

	shift 2
	text=$("$@" 2>&1)
	found=$?
	[ $found = "$status" ] || fail "'$*' ended with status $found instead of $status: $text"
	contains "'$*'" "$text" "$pattern"
}

# jump [TRANSPORT]: by the client's operator.
jump()
{
	local text

	text=$(ctl c session jump "$SID" "$@" 2>&1) || fail "the jump failed: $text"
}

# --- traffic -----------------------------------------------------------------------------------------

# inner HOST: its first inner IPv4 address.
inner()
{
	on "$1" ip -4 -o addr show dev $DEV | sed -nE '1s/.* inet ([0-9.]+).*/\1/p'
}

ping_ok()
{
	on "$1" ping -n -q -c "${3:-1}" -i 0.2 -W $((2 * SLOW)) "$2"
}

# reach: both ways, within a while.
reach()
{
	wait_for 5 "the client reaches the gateway" ping_ok c $G_IN4
	wait_for 5 "the gateway reaches the client" ping_ok g "$(inner c)"
}

# probe_start: a datagram each 10 ms from client to gateway and back, until probe_stop.
probe_start()
{
	rm -f "$WORK/probe" "$WORK/echo" "$WORK/echo-ready"
	on_spawn g "$PYTHON" -S -E "$LIB_DIR/daemon_net.py" echo $G_IN4 7000 "$WORK/echo-ready" > "$WORK/echo"
	ECHO_PID=$SPAWNED
	wait_for 10 "the echo is ready" test -e "$WORK/echo-ready"
	on_spawn c "$PYTHON" -S -E "$LIB_DIR/daemon_net.py" probe $G_IN4 7000 10 $((1 * SLOW)) > "$WORK/probe"
	PROBE_PID=$SPAWNED
	sleep $((SLOW > 1 ? 3 : 0)).5
}

# probe_stop: sets SENT, LOST (no answer), LOST_UP (never arrived), GAP (ms, between answers).
probe_stop()
{
	kill -TERM $PROBE_PID
	wait_for 15 "the probe's result" test -s "$WORK/probe"
	kill -TERM $ECHO_PID
	wait_for 15 "the echo's result" test -s "$WORK/echo"
	read -r SENT LOST GAP < "$WORK/probe"
	LOST_UP=$((SENT - $(cat "$WORK/echo")))
	[ "$SENT" -gt 20 ] || fail "the probe sent only $SENT"
}
