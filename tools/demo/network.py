# SPDX-License-Identifier: GPL-2.0
"""The demo's network: five hosts made of network namespaces.

    web --- gateway --- router --- nat --- client (uplink A)
                             \\___________/ client (uplink B)

The router delays what it sends by half the round trip, in every direction. The
delay is there and nowhere else: a packet that has left the client stays on its
way whatever happens to the client's uplink.
"""

import subprocess

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


class Failure(Exception):
    """Something the demo needs did not happen; the message is for people."""


def call(*command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode:
        raise Failure(f"'{' '.join(command)}' failed: {done.stdout.strip()}")
    return done.stdout


class Network:
    """prefix goes before the names of the namespaces, so that they collide with nobody's."""

    def __init__(self, prefix):
        self.prefix = prefix

    def name(self, host):
        return self.prefix + host

    def within(self, host, *command):
        """The command line that runs command on host."""
        return ("ip", "netns", "exec", self.name(host), *command)

    def run(self, host, *command, text=None):
        return call(*self.within(host, *command), text=text)

    def ip(self, host, *arguments):
        return call("ip", "-n", self.name(host), *arguments)

    def make(self):
        for host in HOSTS:
            call("ip", "netns", "add", self.name(host))
            self.ip(host, "link", "set", "lo", "up")
            self.run(host, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0",
                     "net.ipv4.conf.default.rp_filter=0")
        for host in (NAT, ROUTER, GATEWAY):
            self.run(host, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for cable in CABLES:
            self._connect(*cable)
        self._route()
        self._delay()
        self.run(NAT, "nft", "-f", "-", text=NAT_RULES)
        self.nat_map(0)

    def remove(self):
        for host in HOSTS:
            name = self.name(host)
            listing = subprocess.run(("ip", "netns", "pids", name), stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, text=True).stdout.split()
            if listing:
                subprocess.run(("kill", "-KILL", *listing), stderr=subprocess.DEVNULL)
            subprocess.run(("ip", "netns", "del", name), stderr=subprocess.DEVNULL)

    def _connect(self, left, left_name, left_address, right, right_name, right_address):
        call("ip", "link", "add", left_name, "netns", self.name(left), "type", "veth",
             "peer", "name", right_name, "netns", self.name(right))
        for host, name, address in ((left, left_name, left_address),
                                    (right, right_name, right_address)):
            self.ip(host, "address", "add", address, "dev", name)
            self.ip(host, "link", "set", name, "up")

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

    def rtt_ms(self, uplink):
        """Round trip between client and gateway over one uplink, outside the tunnel."""
        text = self.run(CLIENT, "ping", "-q", "-n", "-c", "5", "-i", "0.2", "-W", "2",
                        "-I", uplink, GATEWAY_OUTER)
        # the first packet also waits for address resolution: the minimum is the path's
        return float(text.rsplit("=", 1)[1].split("/")[0])
