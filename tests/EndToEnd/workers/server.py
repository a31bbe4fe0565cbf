# A Python worker on socket.fromfd(), without a library: a thread for each connection and readiness by a
# datagram. On SIGTERM it stops accepting and answers its accepted connections.
import os
import re
import selectors
import signal
import socket
import threading
import time

listener = socket.fromfd(3, socket.AF_INET, socket.SOCK_STREAM)
os.close(3)
leaving, wake = socket.socketpair()
wake.setblocking(False)
signal.signal(signal.SIGTERM, lambda *_: None)
signal.set_wakeup_fd(wake.fileno())


def serve(connection):
    with connection:
        request = b''
        while b'\r\n\r\n' not in request:
            piece = connection.recv(4096)
            if not piece:
                return
            request += piece
        slow = re.match(rb'GET /slow\?ms=(\d+)', request)
        if slow:
            time.sleep(int(slow[1]) / 1000)
        body = b'python %d\n' % os.getpid()
        connection.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' % (len(body), body))


# The listener is shared: another worker may take the connection that woke this one, so accept() must not block.
listener.setblocking(False)
ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ready.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])
waiting = selectors.DefaultSelector()
waiting.register(listener, selectors.EVENT_READ)
waiting.register(leaving, selectors.EVENT_READ)
threads = []
while not any(key.fileobj is leaving for key, _ in waiting.select()):
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        continue
    connection.setblocking(True)
    thread = threading.Thread(target=serve, args=(connection,))
    thread.start()
    threads = [t for t in threads if t.is_alive()] + [thread]
listener.close()
for thread in threads:
    thread.join()
