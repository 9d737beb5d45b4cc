#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A name server.

  field_dns.py ADDRESS NAMES READY_FILE

NAMES has lines "NAME ADDRESS" and is read anew for each question. What was asked is printed, a line
for each question: the name, A or AAAA, and who asked.
"""

import ipaddress
import socket
import struct
import sys

TYPES = {1: ("A", 4), 28: ("AAAA", 6)}


def addresses_of(path):
    found = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            name, address = line.split()
            found.setdefault(name.lower(), []).append(ipaddress.ip_address(address))
    return found


def question_of(query):
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1:at + 3])[0]
    return ".".join(labels).lower(), kind, query[12:at + 5]


def answer(query, path, source):
    name, kind, question = question_of(query)
    known = addresses_of(path)
    text, version = TYPES.get(kind, (str(kind), None))
    found = [a for a in known.get(name, []) if a.version == version]
    print(name, text, source, flush=True)
    out = query[:2] + struct.pack("!HHHHH", 0x8180 if name in known else 0x8183, 1, len(found), 0, 0)
    out += question
    for a in found:
        out += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(a.packed)) + a.packed
    return out


def main():
    address, path, ready = sys.argv[1:]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind((address, 53))
    with open(ready, "w", encoding="ascii"):
        pass
    while True:
        query, source = s.recvfrom(512)
        try:
            s.sendto(answer(query, path, source[0]), source)
        except (IndexError, ValueError, OSError) as e:
            print("bad", e, flush=True)


main()
