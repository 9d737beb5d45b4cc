# SPDX-License-Identifier: GPL-2.0
"""Hosts made of network namespaces, joined by cables (veth)."""

import subprocess
import time


class Failure(Exception):
    """Something that is needed did not happen; the message is for people."""


def call(*command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode:
        raise Failure(f"'{' '.join(command)}' failed: {done.stdout.strip()}")
    return done.stdout


def wait_for(what, condition, seconds=30.0):
    """The first true value of condition()."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)


class Shell:
    """A shell that stays on a host. Where each process costs, as in User-Mode Linux, what it does
    takes effect sooner than by run()."""

    END = "done with status"

    def __init__(self, within):
        self.process = subprocess.Popen((*within, "bash"), stdin=subprocess.PIPE, bufsize=1,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, script):
        self.process.stdin.write(f"{{ {script}\n}} < /dev/null; status=$?; echo; "
                                 f"echo {self.END} $status\n")
        said = []
        for line in self.process.stdout:
            if line.startswith(self.END):
                break
            said.append(line)
        else:
            raise Failure(f"the shell ended at '{script}'")
        if int(line.split()[-1]):
            raise Failure(f"'{script}' failed: {''.join(said).strip()}")


class Hosts:
    """prefix goes before the names of the namespaces, so that they collide with nobody's."""

    def __init__(self, prefix, hosts):
        self.prefix, self.hosts = prefix, tuple(hosts)

    def name(self, host):
        return self.prefix + host

    def within(self, host, *command):
        """The command line that runs command on host."""
        return ("ip", "netns", "exec", self.name(host), *command)

    def run(self, host, *command, text=None):
        return call(*self.within(host, *command), text=text)

    def ip(self, host, *arguments):
        return call("ip", "-n", self.name(host), *arguments)

    def hosts_make(self, routers):
        """All hosts, those among routers forwarding."""
        for host in self.hosts:
            call("ip", "netns", "add", self.name(host))
            self.ip(host, "link", "set", "lo", "up")
            self.run(host, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0",
                     "net.ipv4.conf.default.rp_filter=0")
        for host in routers:
            self.run(host, "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def connect(self, left, left_name, left_address, right, right_name, right_address):
        call("ip", "link", "add", left_name, "netns", self.name(left), "type", "veth",
             "peer", "name", right_name, "netns", self.name(right))
        for host, name, address in ((left, left_name, left_address),
                                    (right, right_name, right_address)):
            self.ip(host, "address", "add", address, "dev", name)
            self.ip(host, "link", "set", name, "up")

    def rtt_ms(self, host, interface, target):
        """Round trip over one interface, outside the tunnel."""
        text = self.run(host, "ping", "-q", "-n", "-c", "5", "-i", "0.2", "-W", "2",
                        "-I", interface, target)
        # the first packet also waits for address resolution: the minimum is the path's
        return float(text.rsplit("=", 1)[1].split("/")[0])

    def remove(self):
        for host in self.hosts:
            name = self.name(host)
            listing = subprocess.run(("ip", "netns", "pids", name), stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, text=True).stdout.split()
            if listing:
                subprocess.run(("kill", "-KILL", *listing), stderr=subprocess.DEVNULL)
            subprocess.run(("ip", "netns", "del", name), stderr=subprocess.DEVNULL)
