"""A worker with one trouble, the first argument: what "listenctl diagnose" has to find."""
import errno
import os
import resource
import signal
import socket
import sys
import threading
import time

trouble = sys.argv[1]
count = int(os.environ["LISTEN_FDS"])
listeners = [socket.socket(fileno=3 + i) for i in range(count)]
listener = listeners[0]
listener.setblocking(True)


def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.connect(os.environ["NOTIFY_SOCKET"])
        to.send(text.encode())


def serve(connection):
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


def accept_for_ever(source=listener, handle=serve):
    while True:
        connection, _ = source.accept()
        threading.Thread(target=handle, args=(connection,), daemon=True).start()


def sleep():
    connection, _ = listener.accept()
    time.sleep(3600)


def compute():
    connection, _ = listener.accept()
    while True:
        pass


def descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
    held = []
    while True:
        try:
            held.append(listener.accept()[0])
        except OSError as error:
            assert error.errno == errno.EMFILE
            time.sleep(0.1)


def send(connection):
    with connection:
        while True:
            connection.sendall(bytes(1 << 20))


def tick(connection):
    while True:
        connection.sendall(b".")
        time.sleep(0.1)


def datagrams():
    while True:
        listener.recv(65536)
        time.sleep(0.2)


def close_last():
    listeners[-1].close()
    accept_for_ever()


if trouble == "draining":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

notify("READY=1")
{
    "none": accept_for_ever,
    "stopped": accept_for_ever,
    "draining": accept_for_ever,
    "first-shard": accept_for_ever,
    "sleep": sleep,
    "compute": compute,
    "descriptors": descriptors,
    "send": lambda: accept_for_ever(handle=send),
    "tick": lambda: accept_for_ever(handle=tick),
    "datagrams": datagrams,
    "close-last": close_last,
}[trouble]()
