# shellcheck shell=bash
# A stock Debian kernel and its headers, unpacked privately: the user's system, its boot loader
# and its package database are left alone.

# stock_stamp VERSION: what a finished kernel in the cache was made from.
stock_stamp()
{
	echo "stock ${STOCK_SUITE[$1]} 1"
}

# stock_make VERSION DIR FINAL: builds the cache entry in DIR, to be moved to FINAL.
stock_make()
{
	local version=$1 dir=$2 final=$3 image headers release

	rm -rf "$dir" && mkdir -p "$dir"
	apt_open "${STOCK_SUITE[$version]}"
	image=$(apt_depends linux-image-cloud-amd64 '^linux-image-')
	headers=$(apt_depends linux-headers-cloud-amd64 '^linux-headers-')
	[ -n "$image" ] && [ -n "$headers" ] || die "suite ${STOCK_SUITE[$version]} has no cloud kernel"
	release=${image#linux-image-}
	[[ $release == "$version".* ]] ||
		die "suite ${STOCK_SUITE[$version]} has kernel $release, not $version: update tools/kernels/versions"
	# shellcheck disable=SC2046 # package names hold no spaces
	apt_unpack "$dir/root" "$image" "$headers" \
		$(apt_depends "$headers" '^linux-(headers|kbuild)-')
	stock_headers_move "$dir/root" "$final/root" "$release"
	mkdir -p "$dir/modules/lib"
	mv "$dir/root/lib/modules" "$dir/modules/lib/modules"
	rm -f "$dir/modules/lib/modules/$release"/{build,source}
	ln -s "root/boot/vmlinuz-$release" "$dir/image"
	ln -s "root/usr/src/linux-headers-$release" "$dir/headers"
	echo "$release" > "$dir/release"
}

# stock_headers_move ROOT FINAL RELEASE: the headers name absolute paths; make them the cache's.
stock_headers_move()
{
	local root=$1 final=$2 release=$3 link

	sed -i "s|/usr/src/|$final/usr/src/|g" "$root/usr/src/linux-headers-$release/Makefile"
	for link in "$root"/usr/src/linux-kbuild-*; do
		[ -L "$link" ] && ln -sfn "../lib/${link##*/}" "$link"
	done
	find "$root/usr/src" -type l -lname '/usr/*' | while read -r link; do
		ln -sfn "$final$(readlink "$link")" "$link"
	done
}

# qemu_major: the major version of the system's QEMU, 0 when there is none.
qemu_major()
{
	local major

	major=$(qemu-system-x86_64 --version 2> /dev/null | sed -nE 's/.*version ([0-9]+)\..*/\1/p')
	echo "${major:-0}"
}

# qemu_make DIR: QEMU with every library that the system lacks, unpacked in DIR.
qemu_make()
{
	local dir=$1 plan APT_STATUS=/var/lib/dpkg/status
	local -a packages

	rm -rf "$dir" && mkdir -p "$dir"
	apt_open "$QEMU_BASE_SUITE" "$QEMU_SUITE"
	plan=$(apt_run apt-get -q=2 --no-install-recommends -y -t "$QEMU_SUITE" --simulate \
		install qemu-system-x86) || die "apt cannot resolve qemu-system-x86 of $QEMU_SUITE"
	mapfile -t packages < <(sed -nE 's/^Inst ([^ ]+) (\[[^]]*\] )?\(([^ ]+) .*/\1=\3/p' <<< "$plan")
	[ ${#packages[@]} -gt 0 ] || die "suite $QEMU_SUITE offers no newer QEMU"
	apt_unpack "$dir/root" "${packages[@]}"
	cat > "$dir/qemu-system-x86_64" <<-'EOF'
	#!/bin/sh
	# The private QEMU, with its own libraries and firmware.
	root=$(dirname "$(readlink -f "$0")")/root/usr
	LD_LIBRARY_PATH=$root/lib/x86_64-linux-gnu exec "$root/bin/qemu-system-x86_64" \
		-L "$root/share/qemu" -L "$root/share/seabios" "$@"
	EOF
	chmod +x "$dir/qemu-system-x86_64"
	"$dir/qemu-system-x86_64" --version > /dev/null || die "the unpacked QEMU does not start"
}
