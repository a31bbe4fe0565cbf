# A worker that changes the shared listener as its first argument names, reports that it is ready, and answers each
# connection with its process id. With "later" as a second argument it makes the change on SIGUSR1.
import os
import signal
import socket
import struct
import sys

listener = socket.socket(fileno=3)


def meddle(*_):
    for what in sys.argv[1].split(','):
        name, _, value = what.partition('=')
        if name == 'backlog':
            listener.listen(int(value))
        elif name == 'keep_alive':
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(value))
        elif name == 'receive':
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(value))
        elif name == 'non_blocking':
            listener.setblocking(False)
        elif name == 'shutdown':
            listener.shutdown(socket.SHUT_RD)


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
if sys.argv[2:] == ['later']:
    signal.signal(signal.SIGUSR1, meddle)
else:
    meddle()
ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ready.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])
while True:
    try:
        connection, _ = listener.accept()
    except OSError:
        signal.pause()
        continue
    with connection:
        connection.setblocking(True)
        connection.recv(4096)
        body = b'%d\n' % os.getpid()
        connection.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' % (len(body), body))
