# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The network of lib-daemon.sh with hosts as Debian sets them up, and what the field tests share.
#
#   RP_FILTER   of every host (2, as systemd sets it; 1 is strict)
#   ROUTES      of the client     LEAK    its setting     ADDRESSES   of the gateway's device
#   PEER_MORE   members of the peer c: ", allowed_prefixes: [192.168.5.0/24]"

. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/lib-daemon.sh"

FULL='[0.0.0.0/0, "::/0"]'
# In the network of x, whom everybody reaches without a tunnel.
OUT_V4=198.18.0.1 OUT_V6=2001:db8:c::1

# Detection of duplicate addresses, and the filter of sources, are what they are on a fresh machine.
net_host()
{
	ip netns add "$NS$1"
	ip -n "$NS$1" link set lo up
	on "$1" sysctl -qw net.ipv4.conf.all.rp_filter=0 "net.ipv4.conf.default.rp_filter=${RP_FILTER:-2}"
}

config_gateway()
{
	cat <<- END
		role: gateway
		device: {name: $DEV, addresses: ${ADDRESSES:-[$G_IN4/24, $G_IN6/64]}}
		$(config_common g)
		$(policy_text "${POLICY_G-${POLICY:-}}")
		gateway:
		  listen: [{address: 0.0.0.0, port: $PORT}, {address: "::", port: $PORT}]
		  pools: ${POOLS:-[10.77.0.0/24, "fd77::/64"]}
		  default_policy: test
		  limits: {session_proofs_per_minute: 600}
		  peers:
		    - {name: client, public_key: "$(cat "$WORK/c/pub")"${PEER_MORE:-}}
	END
}

config_client()
{
	cat <<- END
		role: client
		device: {name: $DEV}
		$(config_common "$1")
		$(policy_text "${POLICY_C-${POLICY:-}}")
		client:
		  gateways: [{name: gateway, public_key: "$(cat "$WORK/g/pub")", endpoints: [${ENDPOINTS:-"\"$G_V4:$PORT\""}]}]
		  transports: [{name: a, interface: a0, protocol: udp4, preference: 200}, {name: b, interface: b0, protocol: udp4, preference: 100}]
		  routes: ${ROUTES:-[]}
		  leak: ${LEAK:-auto}
		  policy: test
		  ${CLIENT_MORE:-}
	END
}

# way HOST ADDRESS: the interface that its packets leave by, "none" if they do not.
way()
{
	local dev

	dev=$(on "$1" ip route get "$2" 2> /dev/null | sed -nE '1s/.* dev ([a-z0-9]+).*/\1/p')
	[ "$dev" != lo ] || dev=none
	echo "${dev:-none}"
}

goes_by()
{
	[ "$(way "$1" "$2")" = "$3" ]
}

full_tunnel()
{
	goes_by c $OUT_V4 $DEV && goes_by c $OUT_V6 $DEV
}

# table_of: the device's own routing table in host c.
table_of()
{
	on c ip rule show | sed -nE 's/^[0-9]+:.*not from all fwmark (0x[0-9a-f/x]+) lookup ([0-9]+).*/\2/p' | head -n 1
}

# --- a capture at the router ----------------------------------------------------------------------

# capture_start: what comes from the client's uplinks and is neither the tunnel nor the link's own.
capture_start()
{
	on r nft -f - <<- END
		table inet leaks {
			set four { type ipv4_addr . inet_proto; flags dynamic; size 64; }
			set six { type ipv6_addr . inet_proto; flags dynamic; size 64; }
			chain in {
				type filter hook prerouting priority -300;
				iifname != { ra, rb } accept
				ip daddr $G_V4 udp dport $PORT accept
				ip daddr { ${UPLINK_V4[a]}.0/24, ${UPLINK_V4[b]}.0/24, 224.0.0.0/4, 255.255.255.255 } accept
				ip6 daddr { fe80::/10, ff00::/8, ${UPLINK_V6[a]}::/64, ${UPLINK_V6[b]}::/64 } accept
				update @four { ip daddr . meta l4proto }
				update @six { ip6 daddr . meta l4proto }
			}
		}
	END
}

# captured: destinations and protocols of packets in the clear.
captured()
{
	on r nft list table inet leaks | tr -d '\n\t' | grep -oE 'elements = \{[^}]*\}' | xargs
}

# send_start: packets of both families, of programs that are bound to the uplink and of others.
send_start()
{
	on_spawn c "$PYTHON" -S -E "$LIB_DIR/field_send.py" "$WORK/sent" $OUT_V4 $OUT_V6 a0 b0
	SENDER=$SPAWNED
	wait_for 10 "packets are sent" test -s "$WORK/sent"
}

# sent_more NUMBER: the sender has tried to send so many since.
sent_more()
{
	local from now

	from=$(cat "$WORK/sent")
	now=$((from + $1))
	wait_for 20 "$1 packets are sent" sent_at_least $now
}

sent_at_least()
{
	[ "$(cat "$WORK/sent")" -ge "$1" ]
}

no_leak()
{
	equal "what leaves in the clear $1" "$(captured)" ""
}
