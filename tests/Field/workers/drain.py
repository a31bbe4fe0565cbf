"""A worker that drains: on SIGTERM it stops accepting, finishes its answers and exits with status 0. Serves HTTP with one line, its
pid. Options: --slow S (each answer), --grace S (it stays so long after its last answer), --write-pid FILE, --mainpid (it names itself
by MAINPID=), --no-ready."""
import argparse
import os
import select
import signal
import socket
import threading
import time


def notify(message):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(os.environ["NOTIFY_SOCKET"])
        sender.send(message.encode())


def answer(connection, options):
    with connection:
        if connection.recv(65536):
            time.sleep(options.slow)
            body = f"{os.getpid()}\n".encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--slow", type=float, default=0)
    parser.add_argument("--grace", type=float, default=0)
    parser.add_argument("--write-pid")
    parser.add_argument("--mainpid", action="store_true")
    parser.add_argument("--no-ready", action="store_true")
    options = parser.parse_args()
    woken, wake = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(wake, b"x"))
    listener = socket.socket(fileno=3)
    listener.setblocking(False)
    if options.write_pid:
        with open(options.write_pid, "w") as file:
            file.write(str(os.getpid()))
    if options.mainpid:
        notify(f"MAINPID={os.getpid()}")
    if not options.no_ready:
        notify("READY=1")
    busy = []
    while woken not in select.select([listener, woken], [], [])[0]:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            continue
        connection.setblocking(True)
        busy.append(threading.Thread(target=answer, args=(connection, options)))
        busy[-1].start()
    listener.close()
    for thread in busy:
        thread.join()
    time.sleep(options.grace)


if __name__ == "__main__":
    main()
