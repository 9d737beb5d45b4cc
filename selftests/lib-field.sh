# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Situations of real networks: what lib-scenario.sh has, on hosts as Debian leaves them (reverse
# paths are checked loosely, IPv6 addresses are probed for duplicates).
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/lib-scenario.sh"

# shellcheck disable=SC2034
HOST_SETTINGS=(net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=2
	net.ipv6.conf.all.accept_dad=1 net.ipv6.conf.default.accept_dad=1)
