#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""field_send.py COUNT V4 V6 INTERFACE...: UDP, TCP and ICMP to both addresses, by the system's
choice and bound to each interface, until it is killed. What cannot be sent is not sent; COUNT has
the number of tries."""
import os
import socket
import sys
import time

COUNT, V4, V6 = sys.argv[1:4]
WAYS = [None] + sys.argv[4:]
PORT = 9


def try_one(family, kind, proto, address, way):
    try:
        with socket.socket(family, kind, proto) as sock:
            sock.setblocking(False)
            if way:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, way.encode())
            if kind == socket.SOCK_STREAM:
                sock.connect((address, PORT))
            else:
                sock.sendto(b"\x08\x00\xf7\xff\x00\x00\x00\x00" if family == socket.AF_INET
                            else b"\x80\x00\x00\x00\x00\x00\x00\x00", (address, 0 if kind == socket.SOCK_RAW else PORT))
    except OSError:
        pass


def main():
    tries = 0
    while True:
        for way in WAYS:
            for family, address, icmp in ((socket.AF_INET, V4, socket.IPPROTO_ICMP),
                                          (socket.AF_INET6, V6, socket.IPPROTO_ICMPV6)):
                try_one(family, socket.SOCK_DGRAM, 0, address, way)
                try_one(family, socket.SOCK_STREAM, 0, address, way)
                try_one(family, socket.SOCK_RAW, icmp, address, way)
                tries += 3
        with open(COUNT + ".new", "w", encoding="ascii") as out:
            print(tries, file=out)
        os.replace(COUNT + ".new", COUNT)
        time.sleep(0.005)


main()
