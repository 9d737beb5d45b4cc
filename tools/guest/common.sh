# shellcheck shell=bash
# Shared by the scripts in tools/: where things are, and how they speak.
set -euo pipefail
# What these scripts build is not part of a make that called them.
unset MAKEFLAGS MFLAGS MAKELEVEL

JVPN_TOP=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
JVPN_CACHE=${JVPN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jvpn}
JVPN_JOBS=${JVPN_JOBS:-$(nproc)}

note()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	note "error: $*"
	exit 125
}

# lock_take NAME: holds an exclusive lock until this process ends.
lock_take()
{
	local fd

	mkdir -p "$JVPN_CACHE/locks"
	exec {fd}> "$JVPN_CACHE/locks/$1"
	flock -n "$fd" && return
	note "waiting for another process that prepares $1"
	flock "$fd"
}
