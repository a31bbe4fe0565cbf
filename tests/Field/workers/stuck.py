"""A worker that can be stuck in the kernel: it sends READY=1, and at SIGTERM it writes to the file that its argument names. On a
frozen file system it waits there in state D, and not even SIGKILL ends it."""
import os
import signal
import socket
import sys


def write(*_):
    with open(sys.argv[1], "w") as file:
        file.write("x")
        file.flush()
        os.fsync(file.fileno())
    sys.exit(0)


signal.signal(signal.SIGTERM, write)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
    sender.connect(os.environ["NOTIFY_SOCKET"])
    sender.send(b"READY=1")
while True:
    signal.pause()
