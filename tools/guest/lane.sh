# shellcheck shell=bash
# Which lane a run takes.

# lane_host_problem: why this host cannot run the module itself; nothing if it can.
lane_host_problem()
{
	local capabilities

	[ "$(id -u)" = 0 ] || { echo "not root"; return; }
	[ -e /proc/modules ] || { echo "its kernel loads no modules"; return; }
	[ "$(cat /proc/sys/kernel/modules_disabled)" = 0 ] || { echo "module loading is switched off"; return; }
	capabilities=$(sed -n 's/^CapEff:\t//p' /proc/self/status)
	(( 0x$capabilities >> 16 & 1 )) || { echo "no right to load modules (container?)"; return; }
	[ "$(cat /sys/module/module/parameters/sig_enforce 2> /dev/null)" != Y ] || { echo "only signed modules are allowed"; return; }
	! grep -qs '\[\(integrity\|confidentiality\)\]' /sys/kernel/security/lockdown || { echo "its kernel is locked down"; return; }
	[ -e "/lib/modules/$(uname -r)/build/Makefile" ] || echo "no headers for $(uname -r)"
}

# lane_kvm_works: a stock kernel boots under KVM. Having /dev/kvm is not enough: nested, it may
# hang. The answer is kept until the host boots again.
lane_kvm_works()
{
	local answer=$JVPN_CACHE/guest/kvm known boot

	[ -w /dev/kvm ] || return
	boot="$(cat /proc/sys/kernel/random/boot_id) $(uname -r)"
	known=$(cat "$answer" 2> /dev/null || true)
	if [ "${known% *}" != "$boot" ]; then
		note "trying whether a guest boots under KVM"
		if "$JVPN_TOP/tools/run-guest" --probe; then known=yes; else known=no; fi
		mkdir -p "${answer%/*}"
		echo "$boot $known" > "$answer"
	fi
	[ "${known##* }" = yes ]
}

# lane_emulated: the lane for a stock kernel.
lane_emulated()
{
	if lane_kvm_works; then echo kvm; else echo tcg; fi
}

# lane_native: one whose clock can be trusted.
lane_native()
{
	if [ -z "$(lane_host_problem)" ]; then
		echo host
	elif lane_kvm_works; then
		echo kvm
	else
		echo uml
	fi
}

# lane_choose LANE KERNEL: sets LANE and KERNEL, of which either may be left to us.
lane_choose()
{
	local problem

	LANE=$1 KERNEL=$2
	case $LANE:$KERNEL in
	auto:uml*) LANE=uml ;;
	auto:host) LANE=host ;;
	auto:?*) LANE=$(lane_emulated) ;;
	auto:)
		if [ -z "$(lane_host_problem)" ]; then LANE=host; else LANE=$(lane_emulated); fi
		;;
	native:) LANE=$(lane_native) ;;
	host: | host:host | uml: | uml:uml* | kvm: | tcg: | kvm:[0-9]* | tcg:[0-9]*) ;;
	host:* | uml:* | kvm:* | tcg:*) die "kernel '$KERNEL' does not run in lane '$LANE'" ;;
	*) die "unknown lane '$LANE': one of auto native host kvm tcg uml" ;;
	esac
	case $LANE in
	host)
		problem=$(lane_host_problem)
		[ -z "$problem" ] || die "this host cannot run the module: $problem. Take LANE=tcg or LANE=uml"
		KERNEL=host
		;;
	uml) KERNEL=${KERNEL:-uml} ;;
	*) KERNEL=${KERNEL:-$KERNEL_DEFAULT} ;;
	esac
}
