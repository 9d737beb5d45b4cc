# shellcheck shell=bash
# The User-Mode Linux lane.

uml_prepare()
{
	mkdir -p "$RUN/uml"
}

# uml_start: runs the guest; replaces this process.
uml_start()
{
	ulimit -c 0
	exec "${PREFIX[@]}" "$KERNEL_DIR/image" seccomp=on mem="$MEMORY" ncpus="$CPUS" uml_dir="$RUN/uml/" umid=guest \
		root=/dev/root rootfstype=hostfs rootflags=/ ro init="$GUEST_DIR/init-uml" con=null con0=null,fd:1 \
		loglevel=5 panic=-1 kasan_multi_shot rcupdate.rcu_cpu_stall_timeout=60 \
		JVPN_GUEST_DIR="$GUEST_DIR" JVPN_GUEST_RUN="$RUN" JVPN_GUEST_OUT="$OUT" > "$RUN/console" 2>&1
}

uml_collect()
{
	:
}
