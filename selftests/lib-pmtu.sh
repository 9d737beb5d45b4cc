# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For the tests of path MTUs: a router between the ends, and pings of a size.

# Where the first ones may be lost.
QUICK=$(scale 1 4)

# Octets that the tunnel takes of a packet, by the family of the underlay.
overhead()
{
	if [ "$1" = 4 ]; then echo $((20 + 8 + 32)); else echo $((40 + 8 + 32)); fi
}

# big_devices: the interface must not be what limits.
big_devices()
{
	must ip -n "$c" link set jvpn0 mtu 9000
	must ip -n "$g" link set jvpn0 mtu 9000
}

# told_mtu COMMAND...: runs a ping that must fail, and prints the MTU that it was told.
told_mtu()
{
	"$@" 2>&1 | sed -nE 's/.*mtu ?= ?([0-9]+).*/\1/p' | tail -n 1
}

# pings SIZE ADDRESS NETNS: with DF, of this size in all.
pings()
{
	local header=28

	[[ $2 != *:* ]] || header=48
	in_netns "$3" ping -M do -c 1 -W "${PING_PATIENCE:-$PATIENCE}" -s $(($1 - header)) "$2" > ping.out 2>&1
}

# router_add OUTER MTU: g and c with a router in between; the link behind it has this MTU.
router_add()
{
	netns_add g c r
	link_add "$g" vg "$r" rg
	link_add "$c" vc "$r" rc
	addr_add "$g" vg 192.0.2.1/24 2001:db8:1::1/64
	addr_add "$r" rg 192.0.2.254/24 2001:db8:1::fe/64
	addr_add "$c" vc 198.51.100.2/24 2001:db8:2::2/64
	addr_add "$r" rc 198.51.100.254/24 2001:db8:2::fe/64
	forwarding_on "$r"
	# Errors of the router are not to be waited for.
	in_netns "$r" sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	must ip -n "$g" route add default via 192.0.2.254
	must ip -n "$c" route add default via 198.51.100.254
	must ip -n "$g" -6 route add default via 2001:db8:1::fe
	must ip -n "$c" -6 route add default via 2001:db8:2::fe
	must ip -n "$r" link set rg mtu "$2"
	must ip -n "$g" link set vg mtu "$2"
	device_add "$g"
	device_add "$c"
	addr_add "$g" jvpn0 10.0.0.1/24 fd00::1/64
	addr_add "$c" jvpn0 10.0.0.2/24 fd00::2/64
	if [ "$1" = 4 ]; then
		ID=$(nlprobe join "$(end_g 192.0.2.1)" "$(end_c 198.51.100.2)") || fail "cannot join"
	else
		ID=$(nlprobe join "$(end_g 2001:db8:1::1)" "$(end_c 2001:db8:2::2)") || fail "cannot join"
	fi
	must nlprobe wait -n "$c" "$ID" attached
	must nlprobe wait -n "$g" "$ID" attached
}

# nft_masquerade NETNS INTERFACE
nft_masquerade()
{
	in_netns "$1" nft -f - <<- END 2> nft.err || skip "no NAT here: $(head -n 1 nft.err)"
		table inet nat {
			chain out {
				type nat hook postrouting priority 100;
				oifname "$2" masquerade
			}
		}
	END
}
