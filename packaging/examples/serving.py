"""Shared by the Python workers of these examples: readiness, and an accept loop that finishes its requests on SIGTERM."""
import os
import selectors
import signal
import socket


def ready():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])


def serve(listener, answer, ready=ready):
    """Accepts until SIGTERM. A sibling may take the connection that woke this worker, so accept() must not wait."""
    leaving, wake = socket.socketpair()
    wake.setblocking(False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno())
    listener.setblocking(False)
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    waiting.register(leaving, selectors.EVENT_READ)
    ready()
    while not any(key.fileobj is leaving for key, _ in waiting.select()):
        try:
            answer(listener)
        except BlockingIOError:
            pass
    listener.close()


def http(listener):
    connection, _ = listener.accept()
    with connection:
        connection.setblocking(True)
        request = b''
        while b'\r\n\r\n' not in request:
            piece = connection.recv(4096)
            if not piece:
                return
            request += piece
        body = b'python %d\n' % os.getpid()
        connection.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' % (len(body), body))
