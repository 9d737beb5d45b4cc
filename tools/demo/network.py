# SPDX-License-Identifier: GPL-2.0
"""The demo's network: five hosts made of network namespaces.

    web --- gateway --- router --- nat --- client (uplink A)
                             \\___________/ client (uplink B)

The router delays what it sends by half the round trip, in every direction. The
delay is there and nowhere else: a packet that has left the client stays on its
way whatever happens to the client's uplink.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lib"))

from hosts import Hosts

HALF_RTT_MS = 10

CLIENT, NAT, ROUTER, GATEWAY, WEB = HOSTS = ("client", "nat", "router", "gateway", "web")

GATEWAY_OUTER = "192.0.2.2"
WEB_ADDRESS = "10.99.0.2"
TUNNEL_NET = "10.77.0.0/24"
TUNNEL_GATEWAY = "10.77.0.1"
TUNNEL_CLIENT = "10.77.0.2"
WEB_NET = "10.99.0.0/24"
NAT_OUTER = "198.51.100.2"

UPLINK_A, UPLINK_B = "uplink-a", "uplink-b"
# Of each uplink: the next hop, and the metric of the default route over it.
ROUTES = {UPLINK_A: ("192.168.1.1", 100), UPLINK_B: ("203.0.113.1", 200)}

# (host, interface, address, host, interface, address)
CABLES = (
    (CLIENT, UPLINK_A, "192.168.1.2/24", NAT, "lan", "192.168.1.1/24"),
    (NAT, "wan", f"{NAT_OUTER}/30", ROUTER, "to-nat", "198.51.100.1/30"),
    (CLIENT, UPLINK_B, "203.0.113.2/30", ROUTER, "to-client", "203.0.113.1/30"),
    (ROUTER, "to-gateway", "192.0.2.1/30", GATEWAY, "wan", f"{GATEWAY_OUTER}/30"),
    (GATEWAY, "lan", "10.99.0.1/24", WEB, "lan", f"{WEB_ADDRESS}/24"),
)

# What a home router does: replies come in, nothing else.
NAT_RULES = """
table ip demo {
	chain postrouting { type nat hook postrouting priority srcnat; }
	chain input {
		type filter hook input priority filter;
		iifname "wan" ct state established,related accept
		iifname "wan" drop
	}
}
"""


class Network(Hosts):
    """prefix goes before the names of the namespaces, so that they collide with nobody's."""

    def __init__(self, prefix):
        super().__init__(prefix, HOSTS)

    def make(self):
        self.hosts_make(routers=(NAT, ROUTER, GATEWAY))
        for cable in CABLES:
            self.connect(*cable)
        self._route()
        self._delay()
        self.run(NAT, "nft", "-f", "-", text=NAT_RULES)
        self.nat_map(0)

    def _route(self):
        for uplink in ROUTES:
            self._uplink_route(uplink)
        self.ip(NAT, "route", "add", "default", "via", "198.51.100.1")
        self.ip(GATEWAY, "route", "add", "default", "via", "192.0.2.1")
        self.ip(WEB, "route", "add", "default", "via", "10.99.0.1")

    def _uplink_route(self, uplink):
        hop, metric = ROUTES[uplink]
        self.ip(CLIENT, "route", "add", "default", "via", hop, "dev", uplink,
                "metric", str(metric))

    def _delay(self):
        for interface in ("to-nat", "to-client", "to-gateway"):
            self.run(ROUTER, "tc", "qdisc", "add", "dev", interface, "root", "netem",
                     "delay", f"{HALF_RTT_MS}ms", "limit", "20000")

    def web_limit(self, mbit):
        """The web server sends no faster than this from now on."""
        self.run(WEB, "tc", "qdisc", "replace", "dev", "lan", "root", "tbf",
                 "rate", f"{mbit}mbit", "burst", "128kb", "latency", "100ms")

    def uplink_down(self, uplink):
        self.ip(CLIENT, "link", "set", uplink, "down")

    def uplink_up(self, uplink):
        """The link and, as a DHCP client would do, its default route."""
        self.ip(CLIENT, "link", "set", uplink, "up")
        self._uplink_route(uplink)

    def nat_map(self, number):
        """From now on the NAT shows the client at ports of another range, old flows included."""
        first = 20000 + 5000 * number
        self.run(NAT, "nft", "-f", "-", text=rf"""
            flush chain ip demo postrouting
            add rule ip demo postrouting oifname "wan" meta l4proto udp \
                masquerade to :{first}-{first + 4999}
            add rule ip demo postrouting oifname "wan" masquerade
        """)
        self.run(NAT, "conntrack", "-F")

    def uplink_rtt_ms(self, uplink):
        """Round trip between client and gateway over one uplink, outside the tunnel."""
        return self.rtt_ms(CLIENT, uplink, GATEWAY_OUTER)
