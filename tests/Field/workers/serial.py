"""A worker that serves one connection after the other, each for 20 ms, so that connections wait. Sends READY=1, and exits on SIGTERM
after the connection that it serves."""
import os
import signal
import socket
import time

import notify

stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
listener = notify.listeners()[0]
listener.settimeout(0.05)
notify.notify("READY=1")
while not stopping:
    try:
        connection, _ = listener.accept()
    except TimeoutError:
        continue
    connection.settimeout(5)
    with connection:
        connection.recv(65536)
        time.sleep(0.02)
        body = b"%d\n" % os.getpid()
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
