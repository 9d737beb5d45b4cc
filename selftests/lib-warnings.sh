# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What a daemon cannot have now, as "jvpnctl status" says it; after lib-daemon.sh.

warnings()
{
	ctl "$1" --json status |
		"$PYTHON" -S -E -c 'import json, sys; print(*json.load(sys.stdin)["warnings"], sep="\n")'
}

# warns HOST PATTERN
warns()
{
	warnings "$1" | grep -qE -e "$2"
}

warns_nothing()
{
	[ -z "$(warnings "$1")" ]
}
