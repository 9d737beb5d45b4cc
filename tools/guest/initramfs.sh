# shellcheck shell=bash
# The initramfs of a QEMU guest: a base made of the host's programs, their libraries and python,
# built once per state of the host, and a part per run: kernel modules, the tree, the command.

INITRAMFS_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
INITRAMFS_ETC=(/etc/passwd /etc/group /etc/nsswitch.conf /etc/protocols /etc/services /etc/hosts
	/etc/host.conf /etc/iproute2 /usr/share/iproute2 /etc/ld.so.conf /etc/ld.so.conf.d
	/usr/lib/tc /usr/lib/locale/C.utf8)

# initramfs_programs: one "path" a line for every program of the lists; a missing one is an error.
initramfs_programs()
{
	local name path

	for name in $(grep -v '^#' "$GUEST_DIR/commands"); do
		path=$(PATH=$INITRAMFS_PATH type -P "$name") || die "the guest needs '$name': run tools/deps.sh guest"
		echo "$path"
	done
	for name in $(grep -v '^#' "$GUEST_DIR/optional-commands"); do
		PATH=$INITRAMFS_PATH type -P "$name" || true
	done
}

# initramfs_libraries FILE...: what the dynamic linker would load for them.
initramfs_libraries()
{
	ldd "$@" 2> /dev/null | sed -nE 's/^\t(.* => )?(\/[^ ]+) \(0x[0-9a-f]+\)$/\2/p' | sort -u
}

# initramfs_code PATH...: the files below that may be programs or libraries.
initramfs_code()
{
	[ $# -eq 0 ] || find "$@" -type f \( -perm -u+x -o -name '*.so*' \)
}

# initramfs_copy ROOT PATH...: copies with the same name; libraries and programs behind links as
# well as the links.
initramfs_copy()
{
	local root=$1 path real
	shift

	for path; do
		real=$(realpath "$path")
		[ -e "$root$real" ] || { mkdir -p "$root${real%/*}" && cp -a "$real" "$root$real"; }
		[ -e "$root$path" ] || { mkdir -p "$root${path%/*}" && ln -s "$real" "$root$path"; }
	done
}

initramfs_python()
{
	local root=$1 dir

	dir=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
	mkdir -p "$root$dir" "$root/usr/lib/python3/dist-packages"
	tar -C "$dir" --exclude=./test --exclude=./idlelib --exclude=./tkinter --exclude=./lib2to3 \
		--exclude=./ensurepip --exclude='./config-*' --exclude=./pydoc_data --exclude=./turtledemo \
		--exclude=./dist-packages --exclude=./sitecustomize.py -cf - . | tar -C "$root$dir" -xf -
	initramfs_copy "$root" /usr/lib/python3/dist-packages/{yaml,_yaml}
}

# initramfs_base_make ROOT: the tree of the base.
initramfs_base_make()
{
	local root=$1 name path
	local -a programs libraries

	mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{dev,proc,sys,run,tmp,root,mnt,etc,opt} \
		"$root"/var/{log,lib,tmp,cache} "$root"/usr/local/{bin,sbin}
	chmod 1777 "$root/tmp" "$root/var/tmp"
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$root/$name"
	done
	ln -s /run "$root/var/run"
	ln -s /proc/mounts "$root/etc/mtab"
	mapfile -t programs < <(initramfs_programs)
	initramfs_copy "$root" "${programs[@]}" /usr/bin/busybox
	initramfs_python "$root"
	for path in "${INITRAMFS_ETC[@]}"; do
		[ ! -e "$path" ] || initramfs_copy "$root" "$path"
	done
	mapfile -t libraries < <(initramfs_libraries $(initramfs_code "$root/usr"))
	# threads that are cancelled load this one by hand
	libraries+=("$(/sbin/ldconfig -p | sed -n 's/.*libgcc_s\.so\.1 .*=> //p' | head -n 1)")
	initramfs_copy "$root" "${libraries[@]}"
	initramfs_busybox "$root"
	/sbin/ldconfig -r "$root"
}

# initramfs_busybox ROOT: links for the applets that no program of the host stands for. Without
# its init, a guest whose own fails panics at once.
initramfs_busybox()
{
	local applet

	for applet in $(busybox --list | grep -vxE 'init|linuxrc'); do
		[ -e "$1/usr/bin/$applet" ] || [ -e "$1/usr/sbin/$applet" ] || ln -s busybox "$1/usr/bin/$applet"
	done
}

# initramfs_key: changes when a program of the base changes.
initramfs_key()
{
	{
		cat "${BASH_SOURCE[0]}" "$GUEST_DIR/commands" "$GUEST_DIR/optional-commands"
		initramfs_programs | xargs stat -L -c '%n %s %Y'
	} | sha256sum | cut -c 1-16
}

# initramfs_base: the path of the base archive.
initramfs_base()
{
	local key file tmp

	key=$(initramfs_key)
	file=$JVPN_CACHE/guest/base-$key.cpio
	if [ ! -f "$file" ]; then
		mkdir -p "${file%/*}"
		tmp=$(mktemp -d "$JVPN_CACHE/guest/.tmp.XXXXXX")
		initramfs_base_make "$tmp/root" || die "cannot make the guest's file system"
		(cd "$tmp/root" && find . -print0 | cpio -0 --quiet -H newc -R 0:0 -o) > "$tmp/cpio"
		(cd "$tmp/root" && find . ! -type d | sed 's|^\.||') > "$tmp/list"
		find "${file%/*}" -name 'base-*.cpio*' -mtime +7 -delete
		mv "$tmp/list" "$file.list"
		mv "$tmp/cpio" "$file"
		rm -rf "$tmp"
	fi
	echo "$file"
}

# initramfs_tree [TEST...]: the files of the tree that a guest sees and that pass the tests of
# find, as absolute paths, one a line.
initramfs_tree()
{
	local top=$JVPN_TOP build=$JVPN_TOP/build

	find "$top" \( -path "$top/.git" -o -path "$build/logs" -o -path "$build/guest" -o -name obj \
		-o -path "$build/san" -o -path "$build/kernel-*" \) -prune \
		-o -type f \( -size +20M -o -name '*.o' -o -name '*.a' \) -o "$@" -print
}

# initramfs_parents: adds to a list of absolute paths the folders that lead to them.
initramfs_parents()
{
	awk -F/ '{ path = ""; for (i = 2; i < NF; i++) { path = path "/" $i; if (!seen[path]++) print path }
		if (!seen[$0]++) print }'
}

# initramfs_extra BASE FILE...: the libraries that the files need and the base lacks.
initramfs_extra()
{
	local base=$1 library
	shift

	[ $# -gt 0 ] || return 0
	initramfs_libraries "$@" | while read -r library; do
		printf '%s\n' "$library" "$(realpath "$library")"
	done | grep -vxFf "$base.list" || true
}

# initramfs_run ROOT BASE ADDED...: the archive of a run: ROOT's files, the tree, the added files.
initramfs_run()
{
	local root=$1 base=$2
	local -a code
	shift 2

	mapfile -t code < <(initramfs_tree -path "$JVPN_TOP/build/*" -type f -perm -u+x && initramfs_code "$@")
	(cd "$root" && find . -print0 | cpio -0 --quiet -H newc -R 0:0 -o)
	{
		initramfs_tree
		initramfs_extra "$base" "${code[@]}"
		[ $# -eq 0 ] || find "$@"
	} | initramfs_parents | sed 's|^/||' | (cd / && cpio --quiet -H newc -R 0:0 -o)
}
