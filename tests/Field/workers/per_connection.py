"""What the cases of start = "per-connection" use: a worker, and clients.

worker: writes "PID GENERATION-ARGUMENT ADDRESS PORT" and then repeats each line of its connection.
burst PORT N: N clients at once; each sends its number and expects it back. Prints "ok" or what failed.
fair PORT N RATE GREEDY: the same with N clients, RATE in a second, each with an address of its own. In the meantime another address
opens GREEDY connections at once and keeps them. Prints also how many of these were served, and how many closed.
hold PORT N: N open connections; prints "held" once each is served. Then for each line of standard input: "check" (each still works),
"close K" (K of them), "count" (how many are open, from the server's side).
"""
import os
import selectors
import socket
import sys
import threading
import time


def worker():
    out = os.fdopen(1, "w", buffering=1)
    out.write("%d %s %s %s\n" % (
        os.getpid(), sys.argv[2] if len(sys.argv) > 2 else "-", os.environ.get("REMOTE_ADDR"), os.environ.get("REMOTE_PORT")))
    sys.stderr.write("serves %s\n" % os.environ.get("REMOTE_PORT"))
    for line in sys.stdin:
        out.write(line)


def burst(port, count, rate=None):
    selector, live, bad, done, opened = selectors.DefaultSelector(), {}, [], 0, 0
    begun = last = time.monotonic()
    while done + len(bad) < count:
        now = time.monotonic()
        target = count if rate is None else min(count, int((now - begun) * rate) + 1)
        while opened < target:
            client = socket.socket()
            client.setblocking(False)
            if rate is not None:
                client.bind(("127.1.%d.%d" % (opened // 250, opened % 250 + 1), 0))
            client.connect_ex(("127.0.0.1", port))
            live[client] = (opened, [])
            selector.register(client, selectors.EVENT_WRITE)
            opened += 1
        for key, event in selector.select(0.001 if opened < count else 1):
            client, (number, got) = key.fileobj, live[key.fileobj]
            last = time.monotonic()
            try:
                if event & selectors.EVENT_WRITE:
                    client.send(b"%d\n" % number)
                    client.shutdown(socket.SHUT_WR)
                    selector.modify(client, selectors.EVENT_READ)
                    continue
                data = client.recv(4096)
                if data:
                    got.append(data)
                    continue
                if b"".join(got) == b"%d\n" % number:
                    done += 1
                else:
                    bad.append((number, b"".join(got)))
            except OSError as error:
                bad.append((number, str(error)))
            selector.unregister(client)
            client.close()
            del live[client]
        if time.monotonic() - last > 30:
            bad.extend((number, "no answer") for number, _ in live.values())
            break
    print("ok" if not bad else "%d of %d failed: %s" % (len(bad), count, bad[:3]))


def greedy(port, count, outcome):
    clients = [socket.socket() for _ in range(count)]
    for client in clients:
        client.bind(("127.0.0.2", 0))
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))
    for client in clients:
        client.settimeout(30)
        try:
            client.sendall(b"x")
            outcome.append(client.recv(1) == b"x")
        except OSError as error:
            outcome.append("no answer" if isinstance(error, TimeoutError) else False)


def fair(port, count, rate, most):
    outcome = []
    other = threading.Thread(target=greedy, args=(port, most, outcome))
    other.start()
    burst(port, count, rate)
    other.join()
    print("served %d, closed %d" % (outcome.count(True), outcome.count(False)))


def hold(port, count):
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", port))
        client.settimeout(30)
        clients.append(client)

    def check():
        for number, client in enumerate(clients):
            client.sendall(b"%d\n" % number)
            assert client.recv(100) == b"%d\n" % number

    check()
    print("held", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "check":
            check()
        else:
            for _ in range(int(words[1])):
                clients.pop().close()
        print("done", flush=True)


if __name__ == "__main__":
    what = sys.argv[1]
    if what == "worker":
        worker()
    elif what == "burst":
        burst(int(sys.argv[2]), int(sys.argv[3]))
    elif what == "fair":
        fair(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
    else:
        hold(int(sys.argv[2]), int(sys.argv[3]))
