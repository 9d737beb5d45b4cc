# SPDX-License-Identifier: GPL-2.0
"""The network of a volatility run: network namespaces, one more for each uplink.

    client === access-NAME (NAT, netem both ways) --- router --- gateway
          \\== access-OTHER ----------------------'

What is wrong with a path is wrong at its access node and nowhere else: a packet that has passed it
is on its way whatever happens then.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lib"))

from hosts import Hosts, Shell

CLIENT, ROUTER, GATEWAY = "client", "router", "gateway"
GATEWAY_OUTER = "192.0.2.2"
TUNNEL_NET = "10.77.0.0/24"
TUNNEL_GATEWAY = "10.77.0.1"
TUNNEL_CLIENT = "10.77.0.2"

# Addresses that a client behind an uplink, and a NAT, can have in turn.
LANS = 4
PUBLICS = 8
PORTS_FIRST, PORTS_EACH, PORTS_TURNS = 20000, 2000, 16
PACKET_BITS = 12000

# What the access node does not forward any more, by the interface that it comes in at.
SILENT = {"black_hole": ("lan", "wan"), "black_hole_up": ("lan",), "black_hole_down": ("wan",)}

RULES = """
table ip volatility {
	chain postrouting { type nat hook postrouting priority srcnat; }
	chain input {
		type filter hook input priority filter;
		iifname "wan" ct state established,related accept
		iifname "wan" drop
	}
}
"""


def netem(conditions):
    """tc's words. The queue holds what is on its way, and buffer_ms of waiting packets."""
    c = conditions
    rate = c["rate_mbit"] * 1e6
    limit = int((c["delay_ms"] + c["jitter_ms"] + c["buffer_ms"]) / 1000 * rate / PACKET_BITS) + 16
    words = ["limit", limit, "delay", f"{c['delay_ms']}ms", f"{c['jitter_ms']}ms",
             "corrupt", f"{c['corrupt_percent']}%", "duplicate", f"{c['duplicate_percent']}%",
             "rate", f"{int(rate)}bit"]
    burst = c.get("burst")
    if burst:
        words += ["loss", "gemodel", f"{burst['enter_percent']}%", f"{burst['leave_percent']}%",
                  f"{burst['loss_percent']}%", f"{c['loss_percent']}%"]
    elif c["loss_percent"]:
        words += ["loss", "random", f"{c['loss_percent']}%"]
    if c["reorder_percent"] and c["delay_ms"]:
        words += ["reorder", f"{c['reorder_percent']}%"]
    return " ".join(str(word) for word in words)


class Uplink:
    """One way out of the client: its access node, and what state it is in."""

    def __init__(self, index, name, nat):
        self.index, self.name, self.nat = index, name, nat
        self.interface, self.access, self.to = f"up-{name}", f"access-{name}", f"to-{name}"
        self.metric = 100 + index
        self.lan = self.public = self.turn = 0
        self.shell = None
        self.path = "up"

    def lan_address(self, host):
        return f"10.{self.index}.{self.lan}.{host}"

    def public_address(self):
        return f"198.18.{self.index}.{2 + self.public}"


class Network(Hosts):
    """uplinks: {name: profile's uplink}."""

    def __init__(self, prefix, uplinks):
        self.uplinks = {name: Uplink(index, name, uplink["nat"])
                        for index, (name, uplink) in enumerate(uplinks.items(), 1)}
        self.accesses = [uplink.access for uplink in self.uplinks.values()]
        super().__init__(prefix, (CLIENT, *self.accesses, ROUTER, GATEWAY))

    def make(self):
        self.hosts_make(routers=(*self.accesses, ROUTER, GATEWAY))
        self.connect(ROUTER, "to-gateway", "192.0.2.1/30", GATEWAY, "wan", f"{GATEWAY_OUTER}/30")
        self.ip(GATEWAY, "route", "add", "default", "via", "192.0.2.1")
        self.client = Shell(self.within(CLIENT))
        for uplink in self.uplinks.values():
            self._uplink_make(uplink)

    def _uplink_make(self, uplink):
        self.connect(CLIENT, uplink.interface, f"{uplink.lan_address(2)}/24",
                     uplink.access, "lan", f"{uplink.lan_address(1)}/24")
        self.connect(ROUTER, uplink.to, f"198.18.{uplink.index}.1/24",
                     uplink.access, "wan", f"198.18.{uplink.index}.2/24")
        self.ip(uplink.access, "route", "add", "default", "via", f"198.18.{uplink.index}.1")
        self.ip(ROUTER, "route", "add", f"10.{uplink.index}.0.0/16",
                "via", f"198.18.{uplink.index}.2")
        for turn in range(1, LANS):
            self.ip(uplink.access, "address", "add", f"10.{uplink.index}.{turn}.1/24",
                    "dev", "lan")
        for turn in range(1, PUBLICS):
            self.ip(uplink.access, "address", "add", f"198.18.{uplink.index}.{2 + turn}/24",
                    "dev", "wan")
        self.run(uplink.access, "nft", "-f", "-", text=RULES)
        uplink.shell = Shell(self.within(uplink.access))
        if uplink.nat:
            self._nat_map(uplink)
        self._route_add(uplink)

    def _route_add(self, uplink):
        self.client.run(f"ip route replace default via {uplink.lan_address(1)} "
                        f"dev {uplink.interface} metric {uplink.metric}")

    def _nat_map(self, uplink):
        first = PORTS_FIRST + PORTS_EACH * uplink.turn
        address = uplink.public_address()
        ports = f"{first}-{first + PORTS_EACH - 1}"
        uplink.shell.run(f"""nft -f - <<'END'
            flush chain ip volatility postrouting
            add rule ip volatility postrouting oifname "wan" meta l4proto udp snat to {address}:{ports}
            add rule ip volatility postrouting oifname "wan" snat to {address}
END""")

    # ---- what a timeline can do ----

    def conditions(self, uplink, up, down):
        """up: towards the gateway, so of what leaves the access node there."""
        uplink.shell.run("tc -batch - <<'END'\n" + "\n".join(
            f"qdisc replace dev {interface} root handle 1: netem {netem(way)}"
            for interface, way in (("wan", up), ("lan", down))) + "\nEND")

    def nat_rotate(self, uplink):
        uplink.turn = (uplink.turn + 1) % PORTS_TURNS
        uplink.public = (uplink.public + 1) % PUBLICS
        self._nat_map(uplink)
        uplink.shell.run("conntrack -F 2> /dev/null")

    def address_change(self, uplink):
        """As by DHCP in another network: the old address and its routes go, others come."""
        old = uplink.lan_address(2)
        uplink.lan = (uplink.lan + 1) % LANS
        self.client.run(f"ip address del {old}/24 dev {uplink.interface} && "
                        f"ip address add {uplink.lan_address(2)}/24 dev {uplink.interface}")
        if uplink.path not in ("link_down", "route_lost"):
            self._route_add(uplink)

    def path(self, uplink, path):
        """From whatever the path is to the path named."""
        if path != uplink.path:
            self._path_mend(uplink)
            self._path_break(uplink, path)
            uplink.path = path

    def _path_break(self, uplink, path):
        if path == "carrier_down":
            uplink.shell.run("ip link set lan down")
        elif path == "link_down":
            self.client.run(f"ip link set {uplink.interface} down")
        elif path == "route_lost":
            self.client.run(f"ip route del default dev {uplink.interface}")
        elif path in SILENT:
            self._forward(uplink, SILENT[path], 0)

    def _path_mend(self, uplink):
        if uplink.path == "carrier_down":
            uplink.shell.run("ip link set lan up")
        elif uplink.path == "link_down":
            self.client.run(f"ip link set {uplink.interface} up")
            self._route_add(uplink)
        elif uplink.path == "route_lost":
            self._route_add(uplink)
        elif uplink.path in SILENT:
            self._forward(uplink, SILENT[uplink.path], 1)

    def _forward(self, uplink, interfaces, value):
        """What comes in there and is not for this node vanishes without a word, or no more. A
        shell writes that itself, so that it counts from this moment."""
        uplink.shell.run("; ".join(f"echo {value} > /proc/sys/net/ipv4/conf/{name}/forwarding"
                                   for name in interfaces))
