#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tools/genl-gen: the generated files are up to date, a difference is found, and
# a fault of the specification is reported with its line.

set -u

top=$(cd "$(dirname "$0")/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
spec=Documentation/netlink/specs/jvpn.yaml
count=0
failed=0

ok() {
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		failed=$((failed + 1))
		echo "not ok $count - $2"
		sed 's/^/#   /' "$work/said"
	fi
}

copy() {
	rm -rf "$work/tree"
	mkdir -p "$work/tree/tools" "$work/tree/Documentation/netlink/specs"
	cp "$top/tools/genl-gen" "$work/tree/tools/"
	cp "$top/$spec" "$work/tree/$spec"
}

# spoil WORDS SED CLAIM: after the edit, genl-gen must fail with a line number and these words.
spoil() {
	local status=1

	copy
	sed -i "$2" "$work/tree/$spec"
	if ! cmp -s "$top/$spec" "$work/tree/$spec" &&
	   ! "$work/tree/tools/genl-gen" > "$work/said" 2>&1 &&
	   grep -q "jvpn.yaml:[0-9]*: .*$1" "$work/said" && [ ! -e "$work/tree/uapi" ]; then
		status=0
	fi
	ok $status "$3"
}

"$top/tools/genl-gen" --check > "$work/said" 2>&1
ok $? "what is committed is what the specification says"

copy
"$work/tree/tools/genl-gen" > "$work/said" 2>&1
ok $? "a tree without generated files gets them"
"$work/tree/tools/genl-gen" --check > "$work/said" 2>&1
ok $? "and they are up to date"
echo >> "$work/tree/uapi/linux/jvpn.h"
! "$work/tree/tools/genl-gen" --check > "$work/said" 2>&1 && grep -q '^+++ .*jvpn.h' "$work/said"
ok $? "a changed file is found, with the difference"
rm "$work/tree/kernel/genl-gen.c"
! "$work/tree/tools/genl-gen" --check > "$work/said" 2>&1
ok $? "a missing one too"

spoil "unknown key 'colour'" 's/^uapi-header:/colour: red\nuapi-header:/' "an unknown key"
spoil "no enum 'states'" 's/enum: state,/enum: states,/' "an enum that is not there"
spoil "no const 'key-length'" 's/exact-len: key-size/exact-len: key-length/' \
	"a constant that is not there"
spoil "unknown type 'u33'" 's/name: fwmark, type: u32/name: fwmark, type: u33/' "an unknown type"
spoil "attribute set 'socket' has no 'port'" 's/device-id, id, local-ipv4/device-id, port, local-ipv4/' \
	"an attribute that the set does not have"
spoil "defined twice" 's/name: fwmark,/name: bind-ifindex,/' "an attribute of a name that is taken"
spoil "do not fit u8" 's/type: u8, checks: { max: 128 }/type: u8, checks: { max: 300 }/' \
	"a limit that does not fit its type"
spoil "does not apply" 's/checks: { max: 128 }/checks: { max-len: 128 }/' \
	"a limit of another kind of type"
spoil "no multicast group" 's/mcgrp: security/mcgrp: secure/' "a group that is not there"
spoil "uns-admin-perm" '0,/flags: \[ uns-admin-perm \]/s//flags: [ ]/' \
	"an operation that anybody may do"
spoil "lacks a doc" 's/, doc: "Socket id\."//' "an attribute without a doc"
spoil "not YAML" 's/^name: jvpn$/name: [ jvpn/' "broken YAML"

echo "1..$count"
[ $failed -eq 0 ]
