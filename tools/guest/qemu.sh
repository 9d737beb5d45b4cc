# shellcheck shell=bash
# The QEMU lanes.

# qemu_prepare: the initramfs of this run.
qemu_prepare()
{
	local base

	cp "$GUEST_DIR/init.sh" "$RUN/settings" "$RUN/command" "$(mkdir -p "$RUN/root/jvpn-guest" && echo "$RUN/root/jvpn-guest")"
	cp "$GUEST_DIR/init-qemu" "$RUN/root/init"
	base=$(initramfs_base)
	{ cat "$base"; initramfs_run "$RUN/root" "$base" "${ADDED[@]}"; } > "$RUN/initramfs"
	QEMU=$("$JVPN_TOP/tools/kernels/get" --qemu "$KERNEL")
}

# qemu_start: runs the guest; replaces this process.
qemu_start()
{
	local -a machine
	local port id=0

	case $LANE in
	kvm) machine=(-accel kvm -cpu host) ;;
	tcg) machine=(-accel tcg,thread=multi -cpu max) ;;
	esac
	machine+=(-device virtio-serial-pci)
	for port in output status files; do
		id=$((id + 1))
		machine+=(-chardev "file,id=$port,path=$RUN/$port" -device "virtserialport,chardev=$port,name=jvpn.$port,nr=$id")
	done
	exec "$QEMU" -M pc "${machine[@]}" -smp "$CPUS" -m "$MEMORY" -nodefaults -no-user-config -no-reboot \
		-display none -serial "file:$RUN/console" -kernel "$KERNEL_DIR/image" -initrd "$RUN/initramfs" \
		-append "console=ttyS0 loglevel=5 panic=-1 oops=panic nowatchdog tsc=reliable \
			rcupdate.rcu_cpu_stall_timeout=60 rdinit=/init"
}

# qemu_collect: what the command wrote below the --out folder.
qemu_collect()
{
	[ -z "$OUT" ] || [ ! -s "$RUN/files" ] || tar -C "$OUT" -xf "$RUN/files" || note "the --out files are damaged"
}
