#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs test programs that speak TAP, passes their lines through and ends with
# "N passed, N failed". A program that dies, hangs, or does not keep to its own plan
# counts as a failure; one that plans nothing ("1..0 # SKIP why") is skipped.
#
# usage: run.sh PATTERN TEST...

set -u

pattern=$1
shift
limit=${TEST_TIMEOUT:-120}
ran=0
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

judge() {
	local name=$1 status=$2 ok not_ok plan

	ok=$(grep -c '^ok ' "$log")
	not_ok=$(grep -c '^not ok ' "$log")
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log" | head -n 1)
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	if [ "$status" -ne 0 ] && [ "$not_ok" -eq 0 ]; then
		echo "not ok - $name ended with status $status"
		failed=$((failed + 1))
	elif [ -z "$plan" ] || [ "$plan" -ne $((ok + not_ok)) ]; then
		echo "not ok - $name planned ${plan:-nothing} and ran $((ok + not_ok))"
		failed=$((failed + 1))
	fi
}

for test in "$@"; do
	name=$(basename "$test")
	[[ $name == *"$pattern"* ]] || continue
	echo "# $name"
	ran=$((ran + 1))
	case $test in
	*.sh) timeout "$limit" bash "$test" ;;
	*) timeout "$limit" "$test" ;;
	esac | tee "$log"
	judge "$name" "${PIPESTATUS[0]}"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$ran" -gt 0 ]
