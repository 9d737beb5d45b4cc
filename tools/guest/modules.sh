# shellcheck shell=bash
# The kernel modules that a guest can load: those of the kernel, and ours.

# modules_wanted ROOT RELEASE: the names of the modules of the list "modules".
modules_wanted()
{
	local expression

	expression=$(grep -v '^#' "$GUEST_DIR/modules" | paste -sd '|')
	(cd "$1/lib/modules/$2/kernel" && find . -name '*.ko*') | grep -E "^\./($expression)" |
		sed -E 's|.*/([^/]+)\.ko(\..*)?$|\1|'
}

# modules_base_make KERNEL_DIR ROOT: ROOT/lib/modules/RELEASE with the wanted modules and what they
# need, uncompressed.
modules_base_make()
{
	local from=$1/modules root=$2 release file to
	release=$(< "$1/release")

	mkdir -p "$root/lib/modules/$release"
	cp "$from/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$root/lib/modules/$release/"
	[ -f "$from/lib/modules/$release/modules.dep.bin" ] || depmod -b "$from" "$release"
	modules_wanted "$from" "$release" |
		xargs -r modprobe -d "$from" -S "$release" --show-depends -a |
		sed -nE 's/^insmod ([^ ]+).*/\1/p' | sort -u | while read -r file; do
			to=$root/${file#"$from/"}
			mkdir -p "${to%/*}"
			cp "$file" "$to"
			[[ $file != *.xz ]] || xz -d "$to"
		done
	depmod -b "$root" "$release"
}

# modules_base KERNEL_DIR: the folder that modules_base_make made; cached with the kernel.
modules_base()
{
	local dir=$1/guest-modules

	(
		lock_take "modules-${1##*/}"
		cmp -s "$GUEST_DIR/modules" "$dir/list" && exit
		rm -rf "$dir"
		modules_base_make "$1" "$dir"
		cp "$GUEST_DIR/modules" "$dir/list"
	) || die "cannot collect the modules of kernel ${1##*/}"
	echo "$dir"
}

# modules_install KERNEL_DIR ROOT MODULE: ROOT gets the kernel's modules and ours, so that modprobe
# and the kernel's own requests find them.
modules_install()
{
	local base release
	release=$(< "$1/release")

	base=$(modules_base "$1")
	mkdir -p "$2/usr/lib"
	# as in the guest's own root, which a folder of that name would replace
	ln -s usr/lib "$2/lib"
	cp -a "$base/lib/modules" "$2/lib/"
	[ -n "$3" ] || return 0
	install -D -m 644 "$3" "$2/lib/modules/$release/updates/${3##*/}"
	depmod -b "$2" "$release"
}
