#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The first hour: "jvpnctl init" and "jvpnctl peer" make both ends' files, a peer comes and goes
# without a restart, and what goes wrong is said with how to mend it.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"

# Two devices: both daemons use the machine's own runtime folder.
GW=gw0 CL=cl0

tool() { on "$1" jvpnctl -i "$2" --socket "/run/jvpn/$2.sock" "${@:3}"; }
gw() { tool g $GW "$@"; }
cl() { tool c $CL "$@"; }

# start HOST DEVICE
start()
{
	on_spawn "$1" jvpnd "$WORK/$1/etc/$2.yaml" < /dev/null > "$WORK/$1/log" 2>&1
	echo "$SPAWNED" > "$WORK/$1/pid"
	until_true 10 daemon_serves "$1" || fail "the daemon of $1 does not serve: $(cat "$WORK/$1/log")"
}

# state: of the client's session, as the gateway lists its peers.
state()
{
	gw --json peer list --dir "$WORK/g/etc" | "$PYTHON" -S -E -c '
import json, sys
print(*[p["name"] + "=" + (p["state"] or "-") for p in json.load(sys.stdin)["peers"]])'
}

state_is()
{
	[ "$(state)" = "$1" ]
}

# local_audit HOST DEVICE: the log where the test looks for it.
local_audit()
{
	echo "audit: {file: $WORK/$1/audit}" >> "$WORK/$1/etc/$2.yaml"
}

both_ends()
{
	net_make
	jvpnctl -i $GW init gateway --dir "$WORK/g/etc" --endpoint $G_V4 > "$WORK/out" < /dev/null ||
		fail "init gateway failed"
	contains "init" "$(cat "$WORK/out")" "peer add NAME"
	rm -f "$WORK/laptop"
	equal "the mode of the key" "$(stat -c %a "$WORK/g/etc/$GW.key")" 600
	equal "the mode of the file" "$(stat -c %a "$WORK/g/etc/$GW.yaml")" 640
	local_audit g $GW
	start g $GW
	gw peer add laptop --dir "$WORK/g/etc" --out "$WORK/laptop" || fail "peer add failed"
	equal "the mode of the client's file" "$(stat -c %a "$WORK/laptop")" 600
	jvpnctl -i $CL init client --dir "$WORK/c/etc" --from "$WORK/laptop" > "$WORK/out" ||
		fail "init client failed"
	local_audit c $CL
	start c $CL
	wait_for 10 "the laptop's session" state_is "laptop=ATTACHED"
}

a_peer_comes_and_goes()
{
	local pid

	both_ends
	pid=$(daemon_pid g)
	gw peer add phone --dir "$WORK/g/etc" --qr > "$WORK/out" || fail "peer add failed"
	contains "the QR code" "$(cat "$WORK/out")" "█▀▀▀█"
	equal "the peers" "$(state)" "laptop=ATTACHED phone=-"
	gw peer remove laptop --dir "$WORK/g/etc" > "$WORK/out" || fail "peer remove failed"
	wait_audit g '"to":"TERMINATED","reason":"POLICY_FAILURE"' 5
	equal "the peers" "$(state)" "phone=-"
	equal "the gateway's daemon" "$(daemon_pid g)" "$pid"
	daemon_runs g || fail "the gateway's daemon has ended"
}

# A key that the client has made itself; both sides print what the other one needs.
keys_of_their_own()
{
	local key

	net_make
	jvpnctl -i $GW init gateway --dir "$WORK/g/etc" --endpoint $G_V4 > "$WORK/out" < /dev/null
	local_audit g $GW
	# Peers may come before the daemon has ever run.
	gw peer add early --dir "$WORK/g/etc" > "$WORK/early" 2>&1 ||
		fail "peer add without a daemon failed: $(cat "$WORK/early")"
	contains "what it says" "$(cat "$WORK/early")" "the daemon does not run"
	start g $GW
	key=$(sed -n 's/^public key: //p' "$WORK/out")
	jvpnctl -i $CL init client --dir "$WORK/c/etc" --gateway-key "$key" --endpoint "$G_V4:51900" \
		> "$WORK/out" < /dev/null || fail "init client failed"
	local_audit c $CL
	key=$(sed -n 's/.* --public-key //p' "$WORK/out")
	gw peer add own --dir "$WORK/g/etc" --public-key "$key" > /dev/null || fail "peer add failed"
	start c $CL
	wait_for 10 "the session" state_is "early=- own=ATTACHED"
}

what_goes_wrong()
{
	local key

	both_ends
	fails 5 "there already and is left as it is" jvpnctl -i $GW init gateway --dir "$WORK/g/etc"
	fails 5 "there is a peer 'laptop' already" gw peer add laptop --dir "$WORK/g/etc"
	fails 2 "no name for a peer" gw peer add ../x --dir "$WORK/g/etc"
	fails 3 "there is no peer 'nobody'" gw peer remove nobody --dir "$WORK/g/etc"
	key=$(sed -n "s/.*public_key: '\([^']*\)'.*/\1/p" "$WORK/laptop")
	fails 2 "gateway's own key" gw peer add me --dir "$WORK/g/etc" --public-key "$key"
	fails 3 "init gateway" tool g other peer list --dir "$WORK/g/etc"
	fails 2 "alone" jvpnctl -i gw9 init gateway --dir "$WORK/g/etc" --endpoint vpn.example.net:51900
	# A key that is there is not lost to a file that is not good.
	mkdir -p "$WORK/k"
	echo precious > "$WORK/k/$CL.key"
	echo "role: nobody" > "$WORK/nobody"
	fails 6 "nothing was written" jvpnctl -i $CL init client --dir "$WORK/k" --from "$WORK/nobody"
	equal "the key" "$(cat "$WORK/k/$CL.key")" precious
	# Nobody is let in whose key would be lost.
	fails 5 "is there already" gw peer add lost --dir "$WORK/g/etc" --out "$WORK/laptop"
	equal "the peers" "$(state)" "laptop=ATTACHED"
	fails 4 "cannot be asked" on g jvpnctl -i $GW --socket /nowhere peer remove laptop --dir "$WORK/g/etc"
	equal "the peers" "$(state)" "laptop=ATTACHED"
	# What the daemon refuses leaves nothing behind.
	fails 6 "addresses" gw peer add twin --dir "$WORK/g/etc" --address 10.77.0.1
	[ ! -e "$WORK/g/etc.d/$GW/twin.yaml" ] || fail "a refused peer's file is left over"
	# A file that somebody has broken: the old peers stay, and the file is named.
	printf 'name: bad\npublic_key: nonsense\n' > "$WORK/g/etc.d/$GW/bad.yaml"
	fails 6 "$GW/bad.yaml:2:[0-9]+: public_key: " gw reload
	# Whoever is to go and cannot be shut out keeps his access, and is told of.
	fails 6 "'laptop' still has access" gw peer remove laptop --dir "$WORK/g/etc"
	[ -e "$WORK/g/etc.d/$GW/laptop.yaml" ] || fail "the peer is gone here, and not at the daemon"
	rm "$WORK/g/etc.d/$GW/bad.yaml"
	# The same for what only the daemon knows: this cannot change while it runs.
	echo "node: other" >> "$WORK/g/etc/$GW.yaml"
	fails 6 "'laptop' still has access" gw peer remove laptop --dir "$WORK/g/etc"
	[ -e "$WORK/g/etc.d/$GW/laptop.yaml" ] || fail "the peer is gone here, and not at the daemon"
	sed -i '/^node: other/d' "$WORK/g/etc/$GW.yaml"
	equal "the peers" "$(state)" "laptop=ATTACHED"
}

test_main a_peer_comes_and_goes keys_of_their_own what_goes_wrong
