#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What the scenarios do to a client that an honest one does not.

  scenario_net.py record INTERFACE PORT FILE       writes down what goes to this UDP port over IPv4,
                                                   until SIGTERM: one line a datagram
  scenario_net.py replay FILE ADDRESS PORT forged  sends all of it there again, each datagram from
                                                   the address that it came from
  scenario_net.py replay FILE ADDRESS PORT own     ... from an address of this host
  scenario_net.py orders SOCKET COUNT RATE METHOD PARAMETERS
                                                   gives the daemon so many orders, so many a second
                                                   if it can; prints how many were not carried out,
                                                   and how many ms it took
"""

import json
import signal
import socket
import struct
import sys
import time

UDP = 17
# Long recordings of data are of no more use than short ones.
RECORDS_MOST = 4000
# A client does not have more moves under way.
ORDERS_UNDER_WAY = 4


def datagram_of(frame, port):
    """(source address, source port, payload) of an Ethernet frame to that port, or None."""
    if frame[12:14] != b"\x08\x00" or frame[23] != UDP:
        return None
    head = 14 + 4 * (frame[14] & 15)
    source, target, size = struct.unpack("!HHH", frame[head:head + 6])
    if target != port:
        return None
    return socket.inet_ntoa(frame[26:30]), source, frame[head + 8:head + size]


def record(interface, port, path):
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap.bind((interface, 0))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    count = 0
    with open(path, "w", encoding="ascii", buffering=1) as out:
        while count < RECORDS_MOST:
            found = datagram_of(tap.recv(65535), port)
            if found:
                print(found[0], found[1], found[2].hex(), file=out)
                count += 1


def forged(source, port, target, target_port, payload):
    """An IPv4 packet; the kernel fills in its checksum, UDP's is left out."""
    size = 28 + len(payload)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, UDP, 0,
                       socket.inet_aton(source), socket.inet_aton(target))
    return head + struct.pack("!HHHH", port, target_port, size - 20, 0) + payload


def replay(path, address, port, how):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    count = 0
    with open(path, encoding="ascii") as lines:
        for source, source_port, text in map(str.split, lines):
            payload = bytes.fromhex(text)
            if how == "forged":
                raw.sendto(forged(source, int(source_port), address, port, payload), (address, 0))
            else:
                own.sendto(payload, (address, port))
            count += 1
            time.sleep(0.001)
    print(count)


def orders(path, count, rate, method, parameters):
    control = socket.socket(socket.AF_UNIX)
    control.connect(path)
    answers = control.makefile("r", encoding="utf-8")
    start = time.monotonic()
    under_way = refused = 0
    for number in range(count):
        time.sleep(max(0, start + number / rate - time.monotonic()))
        order = {"id": number, "method": method, "params": parameters}
        control.sendall(json.dumps(order).encode() + b"\n")
        under_way += 1
        if under_way == ORDERS_UNDER_WAY:
            refused += "error" in json.loads(answers.readline())
            under_way -= 1
    for _ in range(under_way):
        refused += "error" in json.loads(answers.readline())
    print(refused, round((time.monotonic() - start) * 1000))


def main():
    what, *words = sys.argv[1:]
    if what == "record":
        record(words[0], int(words[1]), words[2])
    elif what == "replay":
        replay(words[0], words[1], int(words[2]), words[3])
    else:
        orders(words[0], int(words[1]), float(words[2]), words[3], json.loads(words[4]))


main()
