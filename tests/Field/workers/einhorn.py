"""A worker of Einhorn: einhorn.py ACK, with ACK one of
yaml (a block mapping over EINHORN_SOCK_PATH, as Einhorn's gem writes it), json (its README), fd (JSON over EINHORN_SOCK_FD),
other (over the socket of the worker whose EINHORN_SOCK_PATH is in the file "path"), pid (names another process), command (another than
worker:ack), flood (never a line break), rights (with a descriptor), idle (connects, and sends nothing).
Serves HTTP on EINHORN_FD_0 with its slot. On SIGUSR1 it acknowledges with "json"; on SIGUSR2 it exits, as workers of Einhorn do."""
import array
import json
import os
import signal
import socket
import sys
import threading

MASTER = int(os.environ["EINHORN_MASTER_PID"])
assert MASTER == os.getppid() and os.environ["EINHORN_CHILD_INDEX"] == os.environ["LISTEND_WORKER"]
held = []


def connect(path=None):
    command = socket.socket(socket.AF_UNIX)
    command.connect(path or os.environ["EINHORN_SOCK_PATH"])
    held.append(command)
    return command


def line(command="worker:ack", pid=None):
    return (json.dumps({"command": command, "pid": pid or os.getpid()}) + "\n").encode()


def acknowledge(how):
    if how == "yaml":
        with connect() as command:
            command.sendall(b"---%0Acommand: worker:ack%0Apid: " + str(os.getpid()).encode() + b"%0A\n")
    elif how == "json":
        with connect() as command:
            command.sendall(line())
    elif how == "fd":
        with socket.socket(fileno=os.dup(int(os.environ["EINHORN_SOCK_FD"]))) as command:
            command.sendall(line())
    elif how == "other":
        connect(open("path").read()).sendall(line())
    elif how == "pid":
        connect().sendall(line(pid=MASTER))
    elif how == "command":
        connect().sendall(line("die"))
    elif how == "flood":
        for _ in range(20):
            command = connect()
            command.setblocking(False)
            try:
                while True:
                    command.send(b"x" * 1000)
            except OSError:
                pass
    elif how == "rights":
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))
        connect().sendmsg([line()], [rights])
    elif how == "idle":
        for _ in range(12):
            connect()


signal.signal(signal.SIGUSR2, lambda *_: os._exit(0))
signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=acknowledge, args=("json",)).start())
listener = socket.socket(fileno=int(os.environ["EINHORN_FD_0"]))
acknowledge(sys.argv[1])
if sys.argv[1] == "yaml":
    open("path", "w").write(os.environ["EINHORN_SOCK_PATH"])
while True:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n%d\n" % int(os.environ["LISTEND_WORKER"]))
