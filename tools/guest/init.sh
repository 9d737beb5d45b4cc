# shellcheck shell=bash
# What the first process of every guest does, QEMU or UML, after it has its file systems: run the
# command, send back what it said and wrote, end.
#
# GUEST_RUN is the folder of this run: the files command, cwd and environment are read from it.
# The caller defines guest_say LINE (a line for the runner), guest_output (the file that takes the
# command's output) and guest_return (sends the --out folder back).

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb

guest_mounts()
{
	mountpoint -q /proc || mount -t proc proc /proc
	mountpoint -q /sys || mount -t sysfs sysfs /sys
	mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
	mkdir -p /dev/pts /dev/shm /dev/net /run/netns
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	mount -t debugfs debugfs /sys/kernel/debug
	[ ! -d /sys/kernel/tracing ] || mount -t tracefs tracefs /sys/kernel/tracing
	[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
	ln -sfn /proc/self/fd /dev/fd
	ln -sfn fd/0 /dev/stdin
	ln -sfn fd/1 /dev/stdout
	ln -sfn fd/2 /dev/stderr
}

guest_settings()
{
	echo jvpn-guest > /proc/sys/kernel/hostname
	echo 8 > /proc/sys/kernel/printk
	echo 1 > /proc/sys/kernel/panic_on_oops
	ip link set lo up
}

# guest_detectors: a detector that a report of the boot has switched off would find nothing.
guest_detectors()
{
	echo "$GUEST_MARK" > /dev/kmsg
	if [ -e /proc/lockdep_stats ] && ! grep -q 'debug_locks: *1$' /proc/lockdep_stats; then
		echo "BUG: lockdep is off before the command starts" > /dev/kmsg
	fi
}

# guest_kill_rest KEEP: ends every process but this one, KEEP and the kernel's.
guest_kill_rest()
{
	local pid

	for pid in /proc/[0-9]*; do
		pid=${pid#/proc/}
		case $pid in
		$$ | "$1" | "$BASHPID") ;;
		*) [ ! -e "/proc/$pid/exe" ] || kill -KILL "$pid" 2> /dev/null ;;
		esac
	done
}

# guest_stuck: for the log, where everything stands that does not end.
guest_stuck()
{
	echo "the command did not end in time; blocked tasks and processors:" > /dev/kmsg
	echo w > /proc/sysrq-trigger
	echo l > /proc/sysrq-trigger
	ps -eo pid,ppid,stat,wchan:24,args > /dev/console
}

# guest_kmemleak: an object counts once it is 5 s old and unchanged between two scans.
guest_kmemleak()
{
	local file=/sys/kernel/debug/kmemleak

	[ -w $file ] || return 0
	echo scan > $file
	sleep 6
	echo scan > $file
	cat $file > /dev/console
}

# guest_command: runs the command with a time limit of its own, inside the runner's; a pipe
# carries its output, because a port can be opened only once.
guest_command()
{
	local pipe=/run/.jvpn-output cat_pid status=0

	guest_detectors
	mkfifo $pipe
	cat < $pipe > "$(guest_output)" &
	cat_pid=$!
	timeout -k 5 "$GUEST_TIMEOUT" bash "$GUEST_RUN/command" < /dev/null > $pipe 2>&1 || status=$?
	if [ $status = 124 ] || [ $status = 137 ]; then
		guest_stuck
		guest_say "timeout"
	fi
	guest_kill_rest $cat_pid
	wait $cat_pid
	rm $pipe
	guest_kmemleak
	guest_return
	guest_say "exit $status"
}
