# shellcheck shell=bash
# User-Mode Linux kernels, built from a Debian source package with our config fragments.

# uml_source: the unpacked and patched source tree, fetched when it is not there.
uml_source()
{
	(
		lock_take linux-source
		uml_source_known || uml_source_fetch
	)
}

uml_source_known()
{
	local dir

	for dir in "$JVPN_CACHE/src/$UML_SOURCE" "$JVPN_CACHE"/src/linux-source-*; do
		if cmp -s "$dir/.jvpn-patch" "$UML_PATCH"; then
			echo "$dir"
			return
		fi
	done
	return 1
}

uml_source_fetch()
{
	local names name=$UML_SOURCE

	apt_open "$UML_SUITE"
	names=$(apt_run apt-cache pkgnames linux-source- | grep -E "$UML_SOURCE_PATTERN" | sort -V || true)
	if ! grep -qx "$UML_SOURCE" <<< "$names"; then
		name=$(tail -n 1 <<< "$names")
		[ -n "$name" ] || die "suite $UML_SUITE has no $UML_SOURCE nor a newer one"
		note "$UML_SOURCE is gone, taking $name"
	fi
	uml_source_unpack "$name"
	echo "$JVPN_CACHE/src/$name"
}

uml_source_unpack()
{
	local name=$1 dir=$JVPN_CACHE/src/$1 tmp=$JVPN_CACHE/src/.tmp

	rm -rf "$tmp" "$dir" && mkdir -p "$tmp"
	apt_unpack "$tmp/deb" "$name"
	note "unpacking $name"
	tar -C "$tmp" -xf "$tmp/deb/usr/src/$name.tar.xz"
	patch -d "$tmp/$name" -p1 -s < "$UML_PATCH" >&2 ||
		die "${UML_PATCH##*/} does not apply to $name: port it"
	cp "$UML_PATCH" "$tmp/$name/.jvpn-patch"
	mv "$tmp/$name" "$dir"
	rm -rf "$tmp"
}

# uml_stamp NAME: everything that decides what the kernel is, but for the source's point release.
uml_stamp()
{
	local fragments=${UML_FRAGMENTS[$1]}

	# shellcheck disable=SC2086 # a list of file names
	echo "uml $UML_SUITE $(cd "$KERNELS_DIR" && cat $fragments "${UML_PATCH##*/}" | sha256sum | cut -c 1-16)"
}

# uml_config_check BUILD FRAGMENT...: every option that a fragment asks for must have been taken.
uml_config_check()
{
	local build=$1 missing
	shift

	missing=$(cat "$@" | grep -E '^CONFIG_[A-Z0-9_]+=[ym]$' | awk -F= '{ last[$1] = $2 }
		END { for (name in last) print name "=" last[name] }' |
		grep -vxFf "$build/.config" || true)
	[ -z "$missing" ] || die "the kernel's Kconfig refuses: ${missing//$'\n'/ }"
}

# uml_make NAME DIR FINAL: builds in DIR, which an interrupted run may have left half done.
uml_make()
{
	local name=$1 dir=$2 final=$3 source build=$2/build stamp fragment
	local -a fragments=()

	source=$(uml_source)
	stamp=$(uml_stamp "$name")
	if [ "$(cat "$dir/building" 2> /dev/null)" != "$stamp" ]; then
		rm -rf "$dir"
		mkdir -p "$build"
	fi
	for fragment in ${UML_FRAGMENTS[$name]}; do
		fragments+=("$KERNELS_DIR/$fragment")
	done
	note "building kernel $name from ${source##*/}: takes some minutes, once; log in $dir/build.log"
	{
		uml_run_make "$source" "$build" defconfig
		"$source/scripts/kconfig/merge_config.sh" -m -O "$build" "$build/.config" "${fragments[@]}"
		uml_run_make "$source" "$build" olddefconfig
		uml_config_check "$build" "${fragments[@]}"
		echo "$stamp" > "$dir/building"
		uml_run_make "$source" "$build" -j "$JVPN_JOBS"
		rm -rf "$dir/modules"
		uml_run_make "$source" "$build" INSTALL_MOD_PATH="$dir/modules" modules_install
	} > "$dir/build.log" 2>&1 || { tail -n 20 "$dir/build.log" >&2; die "building kernel $name failed"; }
	cp "$build/include/config/kernel.release" "$dir/release"
	strip -o "$dir/image" "$build/linux"
	rm -f "$dir/modules/lib/modules/$(cat "$dir/release")"/{build,source}
	uml_prune "$build"
	sed -i "s|$build|$final/build|" "$build/Makefile"
	ln -sfn build "$dir/headers"
	rm -f "$dir/building"
}

uml_run_make()
{
	local source=$1 build=$2
	shift 2

	nice -n 10 make -C "$source" O="$build" ARCH=um "$@"
}

# uml_prune BUILD: what building modules does not need is nine tenths of the size.
uml_prune()
{
	find "$1" -path "$1/scripts" -prune -o -path "$1/tools" -prune -o \
		-type f \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' -o -name '.tmp_vmlinux*' \
		-o -name 'vmlinux.unstripped' -o -name '*.ko' \) -exec rm -f {} +
	rm -f "$1/linux"
}
