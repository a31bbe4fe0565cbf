"""A worker whose child outlives it: the child exits when the file "finish" exists, and notes in "got-term" that it got SIGTERM."""
import os
import signal
import socket
import sys
import time


def note(*_):
    open("got-term", "w").close()


if os.fork() == 0:
    signal.signal(signal.SIGTERM, note)
    while not os.path.exists("finish"):
        time.sleep(0.02)
    sys.exit(0)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
    sender.connect(os.environ["NOTIFY_SOCKET"])
    sender.send(b"READY=1")
while True:
    signal.pause()
