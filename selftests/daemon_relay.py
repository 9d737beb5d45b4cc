#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A relay for datagrams between clients and one gateway that does wrong things on order.

  daemon_relay.py ADDRESS PORT GATEWAY PORT CONTROL LOG

Each client address gets a socket of its own towards the gateway, like with a NAT. CONTROL is a
FIFO that takes lines, LOG a file that tells what happened. Once:

  drop TYPE          the next message of this type (its first octet) is lost       -> "did drop"
  dup TYPE           ... is sent twice                                             -> "did dup"
  delay TYPE MS      ... is sent so much later, others overtake it                 -> "did delay"
  swap TYPE MS       ... follows the next message in its direction, or comes after MS
  late TYPE MS       ... is sent so much later, what repeats it until then is lost -> "did late"
  elsewhere TYPE     ... comes from another port than the relay's                  -> "did elsewhere"

Until the next order:

  forge TYPE N       before each message of this type go N copies whose last octet differs
  clear              nothing is wrong any more                                     -> "cleared"
"""

import heapq
import os
import selectors
import socket
import sys
import time

CONTROL_TYPES = (1, 2, 3, 5, 6, 7, 8, 9, 10, 11)


class Relay:
    def __init__(self, address, port, gateway, gateway_port, control, log):
        self.address, self.gateway = address, (gateway, gateway_port)
        self.front = self.socket(port)
        self.other = self.socket(0)
        self.back = {}
        self.fault = None
        self.forged = None
        self.held = None
        self.later = []
        self.order = 0
        self.swapped = None
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.front, selectors.EVENT_READ, self.from_client)
        os.mkfifo(control)
        self.control = os.open(control, os.O_RDWR | os.O_NONBLOCK)
        self.selector.register(self.control, selectors.EVENT_READ, self.command)
        self.log = open(log, "w", encoding="ascii", buffering=1)
        print("ready", file=self.log)

    def socket(self, port):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((self.address, port))
        return s

    def command(self):
        for line in os.read(self.control, 4096).decode("ascii").splitlines():
            words = line.split()
            self.fault = self.forged = None
            if words[0] == "forge":
                self.forged = (int(words[1]), int(words[2]))
            elif words[0] != "clear":
                self.fault = (words[0], int(words[1]),
                              int(words[2]) / 1000 if len(words) > 2 else 0)
            print("cleared" if words[0] == "clear" else f"armed {line}", file=self.log)

    def from_client(self):
        data, client = self.front.recvfrom(65535)
        if client not in self.back:
            self.back[client] = s = self.socket(0)
            self.selector.register(s, selectors.EVENT_READ,
                                   lambda: self.from_gateway(s, client))
        back = self.back[client]
        self.pass_on("up", data, lambda what=data: back.sendto(what, self.gateway),
                     lambda: self.other.sendto(data, self.gateway))

    def from_gateway(self, back, client):
        data = back.recv(65535)
        self.pass_on("down", data, lambda what=data: self.front.sendto(what, client),
                     lambda: self.other.sendto(data, client))

    def pass_on(self, direction, data, send, elsewhere):
        if data and data[0] in CONTROL_TYPES:
            print(f"seen {data[0]}", file=self.log)
        if data == self.held:
            return
        if self.forged and data and data[0] == self.forged[0]:
            for number in range(self.forged[1]):
                send(data[:-1] + bytes([data[-1] ^ (1 + number % 255)]))
        if self.fault and data and data[0] == self.fault[1]:
            self.misbehave(direction, data, send, elsewhere)
            return
        send()
        if self.swapped and self.swapped[0] == direction:
            self.swapped[1]()
            self.swapped = None

    def misbehave(self, direction, data, send, elsewhere):
        kind, _, seconds = self.fault
        self.fault = None
        if kind == "dup":
            send()
            send()
        elif kind == "delay":
            self.send_later(seconds, send)
        elif kind == "swap":
            self.swapped = (direction, send)
            self.send_later(seconds, self.swap_end)
        elif kind == "late":
            self.held = data
            self.send_later(seconds, lambda: self.release(send))
        elif kind == "elsewhere":
            elsewhere()
        print(f"did {kind}", file=self.log)

    def release(self, send):
        self.held = None
        send()
        print("did release", file=self.log)

    def swap_end(self):
        if self.swapped:
            self.swapped[1]()
            self.swapped = None

    def send_later(self, seconds, send):
        self.order += 1
        heapq.heappush(self.later, (time.monotonic() + seconds, self.order, send))

    def run(self):
        while True:
            wait = max(0, self.later[0][0] - time.monotonic()) if self.later else None
            for key, _ in self.selector.select(wait):
                try:
                    key.data()
                except OSError as error:
                    print(f"error {error}", file=self.log)
            while self.later and self.later[0][0] <= time.monotonic():
                heapq.heappop(self.later)[2]()


def main():
    address, port, gateway, gateway_port, control, log = sys.argv[1:]
    Relay(address, int(port), gateway, int(gateway_port), control, log).run()


main()
