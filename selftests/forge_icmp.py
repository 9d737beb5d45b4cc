#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send forged ICMP "too big" messages: forge_icmp.py TO MTU KIND SOURCE SPORT DEST DPORT [COUNT]

They go to TO and quote a packet from SOURCE to DEST: KIND udp, tcp, echo (a request) or reply.
"""

import socket
import struct
import sys


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def quoted(family, kind, source, sport, dest, dport):
    """The first octets of a packet that the victim might have sent."""
    v6 = family == socket.AF_INET6
    if kind in ('echo', 'reply'):
        request = kind == 'echo'
        proto, code = (58, 128 if request else 129) if v6 else (1, 8 if request else 0)
        body = bytes([code])
        body += struct.pack('!BHHH', 0, 0, 0x1234, 1) + bytes(56)
    elif kind == 'tcp':
        proto = 6
        body = struct.pack('!HHIIBBHHH', sport, dport, 1, 1, 0x50, 0x10, 1000, 0, 0) + bytes(44)
    else:
        proto = 17
        body = struct.pack('!HHHH', sport, dport, 1408, 0) + bytes([4, 1, 0, 0]) + bytes(52)
    addresses = socket.inet_pton(family, source) + socket.inet_pton(family, dest)
    if v6:
        return struct.pack('!IHBB', 6 << 28, 1400, proto, 64) + addresses + body
    head = struct.pack('!BBHHHBBH', 0x45, 0, 1428, 7, 0x4000, 64, proto, 0)
    return head[:10] + struct.pack('!H', checksum(head + addresses)) + addresses + body


def main():
    to, mtu, kind, source, sport, dest, dport = sys.argv[1:8]
    count = int(sys.argv[8]) if len(sys.argv) > 8 else 1
    family = socket.AF_INET6 if ':' in to else socket.AF_INET
    packet = quoted(family, kind, source, int(sport), dest, int(dport))
    if family == socket.AF_INET6:
        sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        message = struct.pack('!BBHI', 2, 0, 0, int(mtu)) + packet
    else:
        sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        message = struct.pack('!BBHHH', 3, 4, 0, 0, int(mtu)) + packet
        message = message[:2] + struct.pack('!H', checksum(message)) + message[4:]
    for _ in range(count):
        sock.sendto(message, (to, 0))


main()
