# shellcheck shell=bash
# The host lane: the command runs here, and the kernel's log is checked from there.

host_prepare()
{
	echo "$MARK" > /dev/kmsg
}

# host_start: runs the command; replaces this process.
host_start()
{
	local status=0

	echo booted > "$RUN/status"
	timeout -k 5 "$TIMEOUT" bash "$RUN/command" < /dev/null > "$RUN/output" 2>&1 || status=$?
	[ $status != 124 ] && [ $status != 137 ] || echo timeout >> "$RUN/status"
	dmesg > "$RUN/console"
	echo "exit $status" >> "$RUN/status"
}

host_collect()
{
	:
}
