#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Installs the Debian packages that a group of targets needs; says nothing when all are there.
#
#   tools/deps.sh GROUP...      "all" is every group
#   tools/deps.sh --list GROUP  prints the packages and installs nothing
#
# Groups are named for what needs them: see the table below.
#
# JVPN_NO_DEPS=1 skips it all, for machines that are prepared in another way.

set -euo pipefail

declare -A GROUPS_OF=(
	# module and programs
	[build]="gcc make libc6-dev pkg-config python3 python3-yaml libsodium-dev libuv1-dev
		libyaml-dev liblmdb-dev libjansson-dev libmnl-dev libnl-3-dev libnl-genl-3-dev
		libnl-route-3-dev libsystemd-dev libc-ares-dev libqrencode-dev"
	# what a command in a guest, or the host lane, may call
	[guest]="bash coreutils util-linux procps psmisc kmod iproute2 nftables ethtool iputils-ping
		iperf3 curl tcpdump conntrack netcat-openbsd python3 python3-yaml grep sed mawk
		findutils diffutils tar gzip cpio file busybox-static hostname"
	# stock kernels: fetching, building modules for them, emulating them
	[stock-kernel]="gcc make libc6-dev libelf1 pahole xz-utils kmod cpio qemu-system-x86 seabios
		debian-archive-keyring"
	# User-Mode Linux kernels
	[uml-kernel]="gcc make libc6-dev patch bison flex bc libelf-dev libssl-dev xz-utils kmod perl
		debian-archive-keyring"
	[lint]="sparse perl python3"
	[model]="gcc libc6-dev maude mawk spin"
	[fuzz]="clang libclang-rt-dev"
	[demo]="python3 python3-yaml curl"
	[volatility]="gcc libc6-dev python3 python3-yaml"
	[bench]="gcc make libc6-dev perl iperf3 ethtool iproute2 python3 libmnl-dev wireguard-tools"
)

deps_fail()
{
	echo "deps.sh: error: $*" >&2
	exit 125
}

deps_check()
{
	local group

	for group; do
		[ "$group" = all ] || [ -n "${GROUPS_OF[$group]:-}" ] ||
			deps_fail "unknown group '$group': one of all ${!GROUPS_OF[*]}"
	done
}

deps_list()
{
	local group

	[ "$*" != all ] || set -- "${!GROUPS_OF[@]}"
	for group; do
		# shellcheck disable=SC2086 # a list of names
		printf '%s\n' ${GROUPS_OF[$group]}
	done | sort -u
}

deps_missing()
{
	deps_list "$@" | while read -r package; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed ||
			echo "$package"
	done
}

deps_install()
{
	local -a root=()
	local log

	if [ "$(id -u)" != 0 ]; then
		command -v sudo > /dev/null ||
			deps_fail "install as root: apt-get install --no-install-recommends $*"
		root=(sudo)
	fi
	echo "deps.sh: installing: $*" >&2
	log=$(mktemp)
	if ! { "${root[@]}" apt-get -q update && "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends install "$@"; } > "$log" 2>&1; then
		cat "$log" >&2
		rm "$log"
		deps_fail "apt-get cannot install them: see above"
	fi
	rm "$log"
}

main()
{
	local -a missing

	if [ "${1:-}" = --list ]; then
		shift
		deps_check "$@"
		deps_list "$@"
		return
	fi
	deps_check "$@"
	[ $# -gt 0 ] || { sed -n '3,8s/^# \{0,1\}//p' "$0" >&2; exit 125; }
	[ -z "${JVPN_NO_DEPS:-}" ] || return 0
	command -v dpkg-query > /dev/null || deps_fail "not a Debian machine: install the" \
		"equivalents of these packages and set JVPN_NO_DEPS=1: $(deps_list "$@" | xargs)"
	mapfile -t missing < <(deps_missing "$@")
	[ ${#missing[@]} -eq 0 ] || deps_install "${missing[@]}"
}

main "$@"
