"""A worker for the cases. Serves HTTP on descriptor 3 by one event loop, and sends READY=1. GET /hang stops the loop for ever, GET
/ill makes /healthz answer 503 from now on, GET /leak keeps 8 MiB more, GET /burn computes for two seconds, GET /fork starts processes
until that fails and answers how many, and other paths answer the pid."""
import errno
import os
import selectors
import signal
import socket
import sys
import time

from notify import notify

state = {"ill": False, "leaked": [], "ends": False}


def fork_until_refused():
    """How many processes could be started, at most 1,000, and the error. They exit again."""
    children, error = [], None
    while error is None and len(children) < 1000:
        try:
            pid = os.fork()
        except OSError as refused:
            error = errno.errorcode[refused.errno]
        else:
            if pid == 0:
                signal.pause()
                os._exit(0)
            children.append(pid)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return len(children), error


def respond(connection):
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        part = connection.recv(65536)
        if not part:
            return
        request += part
    path = request.split(b" ")[1]
    if path == b"/hang":
        while True:
            time.sleep(0.1)
    if path == b"/ill":
        state["ill"] = True
    if path == b"/leak":
        state["leaked"].append(b"x" * (8 << 20))
    body = b"%d\n" % os.getpid()
    if path == b"/burn":
        end = time.monotonic() + 2
        while time.monotonic() < end:
            pass
    if path == b"/fork":
        body = "{} {}\n".format(*fork_until_refused()).encode()
    status = b"503 ill" if path == b"/healthz" and state["ill"] else b"200 OK"
    connection.sendall(b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))


def stop(*_):
    state["ends"] = True


def main():
    signal.signal(signal.SIGTERM, stop)
    listener = socket.socket(fileno=3)
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    notify("READY=1")
    while not state["ends"] or len(selector.get_map()) > 0:
        if state["ends"] and listener.fileno() >= 0:
            selector.unregister(listener)
            listener.close()
            continue
        for key, _ in selector.select(0.1):
            if key.fileobj is listener:
                try:
                    connection, _ = listener.accept()
                except BlockingIOError:
                    continue
                selector.register(connection, selectors.EVENT_READ)
            else:
                selector.unregister(key.fileobj)
                key.fileobj.setblocking(True)
                with key.fileobj:
                    respond(key.fileobj)
    sys.exit(0)


main()
