#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A start is not all or nothing: what is optional or comes later is told, shown in "status" and
# tried again, while all else works. Only what can never work ends the daemon.
. "$(dirname "$(realpath "$0")")/lib-daemon.sh"
. "$LIB_DIR/lib-warnings.sh"

# --- the audit log -----------------------------------------------------------------------------

audit_prepare()
{
	net_make
	config_write
	sed -i "s|file: $WORK/c/audit|file: $1|" "$WORK/c/config.yaml"
	daemon_start g
}

# audit_waits PATTERN: the session is there, and the audit log is not.
audit_waits()
{
	daemon_start c
	wait_attached g 1
	reach
	wait_for 5 "status says that the audit is not written" warns c "the audit log is not written: .*$1"
	contains "the log" "$(cat "$WORK/c/log")" "warning: the audit log is not written: .*$1"
}

# audit_caught_up FILE: everything since the start is in it.
audit_caught_up()
{
	wait_for 10 "nothing is lacking" warns_nothing c
	cp "$1" "$WORK/c/audit"
	audit_has c DAEMON_START || fail "the start is not in the log"
	audit_complete c
	[ "$(audit_count c '"event":"LOST"')" = 0 ] || fail "records were lost"
	audit_verify c || fail "the log is refuted"
}

disk_end()
{
	umount -l "$WORK/disk"
}

audit_disk_full()
{
	audit_prepare "$WORK/disk/audit"
	mkdir -p "$WORK/disk"
	mount -t tmpfs -o size=64k tmpfs "$WORK/disk"
	trap disk_end EXIT
	dd if=/dev/zero of="$WORK/disk/fill" bs=4k 2> /dev/null
	audit_waits "No space left"
	rm "$WORK/disk/fill"
	audit_caught_up "$WORK/disk/audit"
	daemon_end c
}

audit_disk_read_only()
{
	audit_prepare "$WORK/disk/audit"
	mkdir -p "$WORK/disk"
	mount -t tmpfs -o size=1m tmpfs "$WORK/disk"
	trap disk_end EXIT
	: > "$WORK/disk/audit"
	mount -o remount,ro "$WORK/disk"
	audit_waits "Read-only file system"
	mount -o remount,rw "$WORK/disk"
	audit_caught_up "$WORK/disk/audit"
	daemon_end c
}

audit_folder_missing()
{
	audit_prepare "$WORK/nowhere/audit"
	audit_waits "its folder must exist"
	mkdir "$WORK/nowhere"
	audit_caught_up "$WORK/nowhere/audit"
}

# What was never written is told of by the next start.
audit_gap()
{
	audit_prepare "$WORK/gone/audit"
	audit_waits "its folder must exist"
	daemon_end c TERM
	mkdir "$WORK/gone"
	daemon_start c
	wait_for 10 "nothing is lacking" warns_nothing c
	cp "$WORK/gone/audit" "$WORK/c/audit"
	audit_has c '"event":"LOST"' || fail "the log does not tell of the records that were lost"
	audit_verify c || fail "the log is refuted"
	equal "how often it tells of them" "$(audit_count c '"event":"LOST"')" 1
	daemon_end c TERM
	daemon_start c
	reach
	equal "how often it tells of them later" "$(grep -c '"event":"LOST"' "$WORK/gone/audit")" 1
}

# --- IPv6 --------------------------------------------------------------------------------------

# Both ends' files name both families, as the examples do.
without_ipv6()
{
	local host

	net_make
	for host in $1; do
		on "$host" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	done
	TRANSPORTS="[{name: a6, interface: a0, protocol: udp6, preference: 300}, {name: a, interface: a0, protocol: udp4, preference: 200}]"
	ENDPOINTS="\"[2001:db8:9::1]:$PORT\", \"$G_V4:$PORT\"" config_write
	daemon_start g
	daemon_start c
	wait_attached c 1
	reach
}

ipv6_off_at_both_ends()
{
	without_ipv6 "g c"
	warns g "$G_IN6/64: .*IPv6 switched off" || fail "warnings: $(warnings g)"
	on g sysctl -qw net.ipv6.conf.all.disable_ipv6=0
	wait_for 10 "nothing is lacking" warns_nothing g
	on g ip -6 addr show dev $DEV | grep -qF "$G_IN6/64" || fail "the address is not on the device"
}

ipv6_off_at_the_client() { without_ipv6 c; }

# --- other things that come late ---------------------------------------------------------------

socket_there()
{
	[ -S "$WORK/later/socket" ]
}

control_folder_missing()
{
	net_make
	config_write
	sed -i "s|control_socket: $WORK/c/socket|control_socket: $WORK/later/socket|" "$WORK/c/config.yaml"
	daemon_start g
	daemon_start c
	wait_attached c 1
	contains "the log" "$(cat "$WORK/c/log")" "warning: control socket: .*$WORK/later/socket"
	mkdir "$WORK/later"
	wait_for 10 "the control socket is there" socket_there
	on c jvpnctl --socket "$WORK/later/socket" -i $DEV status > /dev/null || fail "it does not answer"
	rm -rf "$WORK/later"
}

# What can never work ends it, in the sight of all, and is not tried again by the manager.
never_works()
{
	local unit=$LIB_DIR/../userspace/systemd/jvpnd@.service

	net_make
	config_write
	echo "nonsense: 1" >> "$WORK/c/config.yaml"
	fails 6 "config.yaml:[0-9]+:[0-9]+: nonsense: " jvpnd "$WORK/c/config.yaml"
	contains "its line in the journal" \
		"$(JOURNAL_STREAM=1:1 jvpnd "$WORK/c/config.yaml" 2>&1)" "^<3>.*nonsense: "
	contains "the unit" "$(cat "$unit")" "^RestartPreventExitStatus=2 6$"
}

# A key that is on a disk which comes later.
key_comes_later()
{
	net_make
	config_write
	mv "$WORK/c/key" "$WORK/c/key-later"
	fails 1 "private_key_file: .*No such file" on c jvpnd "$WORK/c/config.yaml"
}

test_main audit_disk_full audit_disk_read_only audit_folder_missing audit_gap \
	ipv6_off_at_both_ends ipv6_off_at_the_client control_folder_missing never_works key_comes_later
