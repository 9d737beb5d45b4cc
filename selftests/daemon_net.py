#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Measures a path with numbered datagrams.

  daemon_net.py echo ADDRESS PORT READY_FILE            sends back what comes; on SIGTERM prints
                                                        how many different ones there were
  daemon_net.py probe ADDRESS PORT INTERVAL_MS WAIT_S   sends until SIGTERM, waits WAIT_S for late
                                                        answers; prints SENT LOST GAP_MS, the gap
                                                        being the longest time between answers
"""

import select
import signal
import socket
import struct
import sys
import time

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


def main():
    address, port = sys.argv[2], int(sys.argv[3])
    if sys.argv[1] == "echo":
        echo(address, port, sys.argv[4])
    else:
        Probe(address, port, int(sys.argv[4]) / 1000).run(float(sys.argv[5]))


main()
