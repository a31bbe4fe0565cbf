"""A worker for the cases. Serves HTTP on each inherited listener with one line, PID and the text of the argument --text, and
sends READY=1. Options: --text T, --delay S (before READY=1), --slow S (each answer), --fail-after S (exits 2 so long after
READY=1), --no-ready, --notify MESSAGE (escapes of Python are read; sent before READY=1), --ignore SIGNAL (such as TERM),
--hold (accepts and never answers)."""
import argparse
import os
import signal
import socket
import sys
import threading
import time


held = []


def notify(message):
    """Sends one datagram to the supervisor."""
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect("\0" + address[1:] if address.startswith("@") else address)
        sender.send(message if isinstance(message, bytes) else message.encode())


def listeners():
    """The inherited listening sockets, from descriptor 3 on."""
    return [socket.socket(fileno=3 + number) for number in range(int(os.environ.get("LISTEN_FDS", "0")))]


def answer(connection, options):
    with connection:
        request = connection.recv(65536)
        if not request:
            return
        time.sleep(options.slow)
        body = f"{os.getpid()} {options.text}\n".encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def serve(listener, options):
    listener.setblocking(True)
    while True:
        connection, _ = listener.accept()
        connection.setblocking(True)
        if options.hold:
            held.append(connection)
            continue
        threading.Thread(target=answer, args=(connection, options), daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--text", default="")
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--slow", type=float, default=0)
    parser.add_argument("--fail-after", type=float)
    parser.add_argument("--no-ready", action="store_true")
    parser.add_argument("--notify", action="append", default=[])
    parser.add_argument("--ignore", action="append", default=[], help="a signal to ignore, such as TERM")
    parser.add_argument("--hold", action="store_true")
    options = parser.parse_args()
    for name in options.ignore:
        signal.signal(signal.Signals["SIG" + name], signal.SIG_IGN)
    for listener in listeners():
        threading.Thread(target=serve, args=(listener, options), daemon=True).start()
    time.sleep(options.delay)
    for message in options.notify:
        notify(message.encode().decode("unicode_escape").encode("latin-1"))
    if not options.no_ready:
        notify("READY=1")
    if options.fail_after is not None:
        time.sleep(options.fail_after)
        print("this release is broken", file=sys.stderr, flush=True)
        os._exit(2)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
