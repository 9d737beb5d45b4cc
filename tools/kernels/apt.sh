# shellcheck shell=bash
# Packages of any Debian suite, fetched and unpacked without touching the system: each suite set
# has an apt root of its own in the cache. Needs no root rights and no apt lists.

# apt_mirror: the archive that this machine's own apt configuration uses, whatever its format.
apt_mirror()
{
	local mirror

	mirror=$(apt-get -o Debug::NoLocking=1 --print-uris update 2> /dev/null |
		sed -nE "s|^'(.*/debian)/dists/[a-z]+/InRelease'.*|\1|p" | head -n 1)
	[ -n "$mirror" ] ||
		die "no Debian archive in this machine's apt configuration: add one to /etc/apt/sources.list"
	echo "$mirror"
}

# apt_open SUITE...: prepares the private root of these suites and refreshes its lists. To it no
# package is installed, unless APT_STATUS names the system's package database.
apt_open()
{
	local mirror suite

	APT_ROOT=$JVPN_CACHE/apt/$(IFS=+; echo "$*")
	mkdir -p "$APT_ROOT"/{lists/partial,cache/archives/partial}
	: > "$APT_ROOT/status"
	mirror=$(apt_mirror)
	for suite; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
	done > "$APT_ROOT/sources.list"
	note "reading the package lists of $*"
	apt_run apt-get -q=2 update >&2 || die "apt cannot read $* from $mirror: check the network"
}

# apt_run PROGRAM ARGUMENT...: an apt program in the root that apt_open prepared.
apt_run()
{
	local program=$1
	shift

	"$program" -o Dir::Etc::sourcelist="$APT_ROOT/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists="$APT_ROOT/lists" -o Dir::Cache="$APT_ROOT/cache" \
		-o Dir::State::status="${APT_STATUS:-$APT_ROOT/status}" -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Acquire::Languages=none \
		-o Acquire::Retries=3 "$@"
}

# apt_depends PACKAGE PATTERN: the direct dependencies of PACKAGE whose names match.
apt_depends()
{
	apt_run apt-cache show --no-all-versions "$1" | sed -n 's/^Depends: //p' | head -n 1 |
		tr ',' '\n' | awk '{ print $1 }' | grep -E "$2" || true
}

# apt_unpack DIR PACKAGE...: downloads the packages and unpacks them below DIR.
apt_unpack()
{
	local dir=$1 deb
	shift

	mkdir -p "$dir.debs" "$dir"
	note "downloading $*"
	(cd "$dir.debs" && apt_run apt-get -q=2 download "$@" >&2) || die "cannot download $*"
	for deb in "$dir.debs"/*.deb; do
		dpkg -x "$deb" "$dir"
	done
	rm -r "$dir.debs"
}
