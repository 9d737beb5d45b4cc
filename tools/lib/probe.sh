# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# For scripts that measure with the probe; tools/guest/common.sh comes before.

# probe_build FILE: makes the program of probe.c where it is older than its source.
probe_build()
{
	local source=$JVPN_TOP/tools/lib/probe.c

	mkdir -p "${1%/*}"
	[ "$1" -nt "$source" ] && return
	"${CC:-gcc}" -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -o "$1" "$source" -pthread
}

# probe_priority: sets PRIORITY, options for run-guest. A User-Mode Linux guest is an ordinary
# process: what else this machine does would be measured as gaps of the tunnel.
probe_priority()
{
	PRIORITY=()
	! chrt -r 1 true 2> /dev/null || PRIORITY=(--prefix "chrt -r 1")
}
