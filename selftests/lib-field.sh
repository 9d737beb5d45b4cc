# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Situations of real networks: what lib-scenario.sh has, on hosts as Debian leaves them (reverse
# paths are checked loosely, IPv6 addresses are probed for duplicates), and with more settings:
#
#   LISTEN     of the gateway instead of both families
#   GATEWAYS   of the client instead of the one
#   ROUTES     of the client, through the tunnel
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/lib-scenario.sh"

net_host()
{
	ip netns add "$NS$1"
	ip -n "$NS$1" link set lo up
	on "$1" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=2 \
		net.ipv6.conf.all.accept_dad=1 net.ipv6.conf.default.accept_dad=1
}

config_gateway()
{
	cat <<- END
		role: gateway
		device: {name: $DEV, addresses: [$G_IN4/24, $G_IN6/64]}
		$(config_common g)
		$(policy_text "${POLICY_G-${POLICY:-}}")
		gateway:
		  listen: ${LISTEN:-"[{address: 0.0.0.0, port: $PORT}, {address: \"::\", port: $PORT}]"}
		  pools: [10.77.0.0/24, "fd77::/64"]
		  default_policy: test
		  limits: {session_proofs_per_minute: 600}
		  peers:
		    - {name: client, public_key: "$(cat "$WORK/c/pub")"}
	END
}

# gateway_text NAME HOST ENDPOINTS: one of GATEWAYS.
gateway_text()
{
	echo "{name: $1, public_key: \"$(cat "$WORK/$2/pub")\", endpoints: [$3]}"
}

config_client()
{
	local host=$1 transports=${TRANSPORTS:-} gateways=${GATEWAYS:-}

	[ -n "$gateways" ] || gateways="[$(gateway_text gateway g "${ENDPOINTS:-"\"$G_V4:$PORT\""}")]"
	[ -n "$transports" ] || case $host in
	c) transports="[{name: a, interface: a0, protocol: udp4, preference: 200}, {name: b, interface: b0, protocol: udp4, preference: 100}]" ;;
	*) transports="[{name: x, interface: x0, protocol: udp4}]" ;;
	esac
	cat <<- END
		role: client
		device: {name: $DEV}
		$(config_common "$host")
		$(policy_text "${POLICY_C-${POLICY:-}}")
		client:
		  gateways: $gateways
		  transports: $transports
		  routes: ${ROUTES:-[]}
		  policy: test
	END
}

# transports: a line "NAME STATE" for each candidate of c, in order of names.
transports()
{
	ctl c transport list | awk 'NR > 1 { print $1, $2 }' | sort
}

transport_is()
{
	transports | grep -qx "$1 $2"
}

transport_unknown()
{
	! transports | grep -q "^$1 "
}
