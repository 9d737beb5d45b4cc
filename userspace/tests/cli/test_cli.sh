#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# jvpnctl as a program: keys, files, exit codes, help, completion. What needs the
# kernel module or the daemon is in selftests/ and in test_control.c.

set -u

ctl=${BUILD:?}/bin/jvpnctl
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

# result CONDITION-STATUS CLAIM
result() {
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/#   /' "$work/out" "$work/err" 2>/dev/null
	fi
}

# run WANTED-STATUS CLAIM COMMAND...: the output goes to $work/out and $work/err
run() {
	local wanted=$1 claim=$2 status

	shift 2
	"$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	[ "$status" -eq "$wanted" ] || echo "# status $status, wanted $wanted" >>"$work/err"
	[ "$status" -eq "$wanted" ]
	result $? "$claim (status $wanted)"
}

out_has() {
	grep -qe "$1" "$work/out"
	result $? "$2"
}

err_has() {
	grep -qe "$1" "$work/err"
	result $? "$2"
}

# --- usage ---

run 0 "--help" "$ctl" --help
out_has '^  session list ' "help lists the verbs"
cp "$work/out" "$work/help"
run 0 "--version" "$ctl" --version
out_has '^jvpnctl [0-9]' "the version"
run 2 "no verb" "$ctl"
run 2 "unknown verb" "$ctl" statsu
err_has "did you mean 'status'" "unknown verb gets a guess"
run 2 "group without a verb" "$ctl" session
err_has 'session list' "its verbs are shown"
run 2 "unknown option" "$ctl" status --frobnicate
run 2 "argument missing" "$ctl" session show
err_has 'usage: jvpnctl session show SESSION' "the usage is shown"
run 2 "too many arguments" "$ctl" config check a b
run 2 "option without its value" "$ctl" session watch --interval
run 2 "option with a bad value" "$ctl" session watch --interval fast
err_has 'number from 50' "what is allowed is shown"
run 0 "options before the verb" "$ctl" --json genkey
out_has '"private_key": "' "options before the verb count"
run 0 "options after the arguments" "$ctl" config check "$root/Documentation/examples/client.yaml" \
	--no-key-files --json
out_has '"valid": true' "options after the arguments count"

while read -r line; do
	# shellcheck disable=SC2086
	run 0 "$line --help" "$ctl" $line --help
done < <(sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' "$work/help")

run 1 "full disk" bash -c "'$ctl' genpsk > /dev/full"

# --- keys ---

run 0 "genkey" "$ctl" genkey
[ "$(wc -c <"$work/out")" -eq 45 ] && grep -qE '^[A-Za-z0-9+/]{43}=$' "$work/out"
result $? "a key is one line of base64"
cp "$work/out" "$work/key"
run 0 "genkey again" "$ctl" genkey
! cmp -s "$work/out" "$work/key"
result $? "two keys differ"
run 0 "genpsk" "$ctl" genpsk

# RFC 7748, section 6.1
run 0 "pubkey" bash -c "echo dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo= | '$ctl' pubkey"
out_has '^hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=$' "public key of the published vector"
run 6 "pubkey of nothing" "$ctl" pubkey
run 6 "pubkey of a short key" bash -c "echo abc= | '$ctl' pubkey"
err_has '44 characters of base64, found 4' "what is wrong is said"
run 6 "pubkey of garbage" bash -c "printf '%044d\n' 0 | tr 0 ! | '$ctl' pubkey"
! grep -q '!' "$work/out" "$work/err"
result $? "a bad key is not repeated"
(umask 022; "$ctl" genkey >"$work/open" 2>"$work/err")
err_has 'others can read' "a warning if others can read the file"
(umask 077; "$ctl" genkey >"$work/closed" 2>"$work/err")
[ ! -s "$work/err" ]
result $? "no warning if they cannot"

# --- config check ---

for role in gateway client; do
	sed "s|/etc/jvpn/private.key|$work/closed|" "$root/Documentation/examples/$role.yaml" \
		>"$work/$role.yaml"
	run 0 "config check $role" "$ctl" config check "$work/$role.yaml"
	out_has "valid: $role" "it says what it found"
done
run 0 "config check --json" "$ctl" --json config check "$work/gateway.yaml"
! grep -qF "$(cat "$work/closed")" "$work/out"
result $? "no private key in it"
grep -qF "$("$ctl" pubkey <"$work/closed")" "$work/out"
result $? "but the public one"
sed -i 's/^  name: jvpn0/  nam: jvpn0/' "$work/gateway.yaml"
line=$(grep -n '^  nam: ' "$work/gateway.yaml" | cut -d: -f1)
run 6 "config check of a bad file" "$ctl" config check "$work/gateway.yaml"
err_has "gateway.yaml:$line:3: device.nam: unknown key; did you mean 'name'" "file, line, field"
err_has 'example: name: jvpn0' "and an example"
run 6 "the same for programs" "$ctl" --json config check "$work/gateway.yaml"
out_has "\"line\": $line" "the line as a number"
run 6 "config check of no file" "$ctl" config check /nonexistent

# --- audit verify ---

run 0 "audit verify" "$ctl" audit verify "$here/good.audit"
out_has '^VERIFIED$' "the verdict"
head=$(sed -n 's/^head //p' "$work/out")
run 0 "audit verify from standard input" bash -c "'$ctl' audit verify - < '$here/good.audit'"
run 0 "audit verify with its head" "$ctl" audit verify --head "$head" "$here/good.audit"
sed 5d "$here/good.audit" >"$work/removed"
run 6 "audit verify of a log with a line removed" "$ctl" audit verify "$work/removed"
out_has 'removed:5: CHAIN: 1 line was removed' "file and line"
out_has '^REFUTED$' "the verdict"
run 6 "the same for programs" "$ctl" audit verify --json "$work/removed"
out_has '"verified": false' "the verdict"
out_has '"line": 5' "the line as a number"
sed 5p "$here/good.audit" >"$work/doubled"
run 6 "audit verify of a log with a line doubled" "$ctl" audit verify "$work/doubled"
sed '5s/PROBE_TIMEOUT/LINK_DOWN/' "$here/good.audit" >"$work/altered"
run 6 "audit verify of a log with a line altered" "$ctl" audit verify "$work/altered"
out_has 'altered:5: CHAIN: the line was altered' "file and line"
sed '$d' "$here/good.audit" >"$work/cut"
run 6 "audit verify of a cut log with its head" "$ctl" audit verify --head "$head" "$work/cut"
run 2 "audit verify with a bad head" "$ctl" audit verify --head 5 "$here/good.audit"
run 2 "audit verify of nothing" "$ctl" audit verify
run 1 "audit verify of no file" "$ctl" audit verify /nonexistent
run 1 "audit verify of a folder" "$ctl" audit verify /tmp

# --- no daemon ---

run 4 "status without a daemon" "$ctl" --socket "$work/none.sock" status
out_has 'not running' "it says so"
run 4 "the same for programs" "$ctl" --socket "$work/none.sock" --json status
out_has '"daemon": "not running"' "it says so"
run 4 "reload without a daemon" "$ctl" --socket "$work/none.sock" reload
run 4 "events --follow without a daemon" "$ctl" --socket "$work/none.sock" events --follow
run 0 "policy list without a daemon" "$ctl" --socket "$work/none.sock" policy list
out_has 'recovery_window_ms' "the built-in policies"
out_has 'daemon: not running' "it says so"
missing=$(sed 's/ *$//; /^$/d; /^daemon:/d' "$work/out" |
	grep -vxFf "$root/Documentation/configuration.md")
[ -z "$missing" ]
result $? "the numbers in Documentation/configuration.md are these"
touch "$work/file.sock"
run 4 "a file in place of a socket" "$ctl" --socket "$work/file.sock" reload

# --- completion ---

completion=$here/../../jvpnctl/completion/jvpnctl.bash
bash -n "$completion"
result $? "the completion script is bash"

# complete WORDS...: what is offered for the last one
complete_words() {
	bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		_jvpnctl; printf "%s\n" "${COMPREPLY[@]}"' _ "$completion" "$@"
}

missing=$(sed -n 's/^  \([a-z]\+\)\( [a-z]\+\)\?  .*/\1/p' "$work/help" | sort -u |
	grep -vxFf <(complete_words jvpnctl ""))
[ -z "$missing" ]
result $? "it knows every verb"
while read -r group verb; do
	complete_words jvpnctl "$group" "" | grep -qx "$verb"
	result $? "it completes $group $verb"
done < <(sed -n 's/^  \([a-z]\+\) \([a-z]\+\)  .*/\1 \2/p' "$work/help")
while read -r line; do
	# shellcheck disable=SC2086
	missing=$("$ctl" $line --help | grep -oE -- '--[a-z-]+' | sort -u |
		grep -vxFf <(complete_words jvpnctl $line --))
	[ -z "$missing" ]
	result $? "it knows the options of $line"
done < <(sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' "$work/help")

echo "1..$count"
