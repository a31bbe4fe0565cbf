import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import serving


def answer(listener):
    _, sender = listener.recvfrom(65536)
    listener.sendto(b'udp %d' % os.getpid(), sender)


serving.serve(socket.socket(fileno=3), answer)
