import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import serving


def answer(listener):
    connection, _ = listener.accept()
    with connection:
        connection.setblocking(True)
        if connection.recv(65536):
            connection.send(b'seqpacket %d' % os.getpid())


serving.serve(socket.socket(fileno=3), answer)
