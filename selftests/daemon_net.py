#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Measures a path with numbered datagrams.

  daemon_net.py echo ADDRESS PORT READY_FILE            sends back what comes; on SIGTERM prints
                                                        how many different ones there were
  daemon_net.py probe ADDRESS PORT INTERVAL_MS WAIT_S   sends until SIGTERM, waits WAIT_S for late
                                                        answers; prints SENT LOST GAP_MS, the gap
                                                        being the longest time between answers
  daemon_net.py gaps FILE LEAST_MS                      of what tools/lib/probe.c wrote: "up" or
                                                        "down" and the length, in ms, of each time
                                                        without an arrival, if it is that long;
                                                        "late" and how late, apart from those,
                                                        a packet was sent or arrived at most
"""

import select
import signal
import socket
import struct
import sys
import time
from os.path import dirname, join, realpath

sys.path.insert(0, join(dirname(realpath(__file__)), "../tools/lib"))

PROBE = struct.Struct("!Q")


def echo(address, port, ready):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, port))
    heard = set()

    def finish(*_):
        print(len(heard), flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, finish)
    with open(ready, "w", encoding="ascii"):
        pass
    while True:
        data, peer = s.recvfrom(2048)
        heard.add(data)
        try:
            s.sendto(data, peer)
        except OSError:
            pass


class Probe:
    def __init__(self, address, port, interval):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((address, port))
        self.interval = interval
        self.sent = 0
        self.answered = set()
        self.gap = 0.0
        self.heard = None
        self.stopping = False
        signal.signal(signal.SIGTERM, self.stop)

    def stop(self, *_):
        self.stopping = True

    def listen(self, until):
        """Takes answers until then."""
        while True:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return
            try:
                data = self.socket.recv(2048)
            except OSError:
                continue
            now = time.monotonic()
            if self.heard:
                self.gap = max(self.gap, now - self.heard)
            self.heard = now
            self.answered.add(PROBE.unpack(data)[0])

    def run(self, wait):
        due = time.monotonic()
        while not self.stopping:
            try:
                self.socket.send(PROBE.pack(self.sent))
            except OSError:
                pass
            self.sent += 1
            due = max(due + self.interval, time.monotonic())
            self.listen(due)
        end = time.monotonic() + wait
        while len(self.answered) < self.sent and time.monotonic() < end:
            self.listen(min(end, time.monotonic() + 0.05))
        print(self.sent, self.sent - len(self.answered), round(self.gap * 1000), flush=True)


def late(probe, holes):
    """How late the machine was at most, sending or carrying what no hole had anything to do with."""
    def is_apart(sent):
        return not any(begin - 0.5 < sent < end + 0.2 for _, begin, end in holes)

    sent = probe.sent["up"]
    steps = sorted(b - a for a, b in zip(sent, sent[1:]))
    worst = steps[-1] - steps[len(steps) // 2]
    for way in ("up", "down"):
        took = sorted(arrived - sent for sent, arrived in probe.packets(way)
                      if arrived and is_apart(sent))
        # Holes everywhere: nobody can tell.
        worst = max(worst, took[-1] - took[0] if took else 10)
    return worst


def gaps(path, least):
    from probe import DIRECTIONS, Probe  # needed here alone

    probe = Probe(path)
    found = {way: probe.gaps(way, least / 1000) for way in DIRECTIONS}
    for way in DIRECTIONS:
        for length, _, _ in found[way]:
            print(way, round(length * 1000))
    print("late", round(late(probe, found["up"] + found["down"]) * 1000))


def main():
    if sys.argv[1] == "gaps":
        gaps(sys.argv[2], int(sys.argv[3]))
        return
    address, port = sys.argv[2], int(sys.argv[3])
    if sys.argv[1] == "echo":
        echo(address, port, sys.argv[4])
    else:
        Probe(address, port, int(sys.argv[4]) / 1000).run(float(sys.argv[5]))


main()
