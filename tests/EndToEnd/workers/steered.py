# Workers of steered listeners. Each answer names the generation, the process, and whether the worker has got its stop signal.
#   steered.py tcp       accepts until it is killed, also after the stop signal; STUBBORN_SECONDS after that it exits
#   steered.py polite    accepts until the stop signal; STUBBORN_SECONDS after that it exits
#   steered.py deaf      is ready and never accepts
#   steered.py udp       answers each datagram with what it has received; on the stop signal reads all that waits, and exits
import os
import select
import signal
import socket
import sys
import time

mode = sys.argv[1]
told, wake = socket.socketpair()
wake.setblocking(False)
signal.set_wakeup_fd(wake.fileno())
signal.signal(signal.SIGTERM, lambda *_: None)
mine = socket.socket(fileno=3)
mine.setblocking(False)
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])
name = f"{os.environ['LISTEND_GENERATION']} {os.getpid()}"
leaves = None


def serve():
    while True:
        try:
            if mode == 'udp':
                text, client = mine.recvfrom(65536)
                mine.sendto(text + f" {name}".encode(), client)
            else:
                client, _ = mine.accept()
                client.sendall(f"{name} {'draining' if leaves else 'serving'}\n".encode())
                client.close()
        except (BlockingIOError, ConnectionError):
            return


while leaves is None or time.monotonic() < leaves:
    rest = None if leaves is None else max(0, leaves - time.monotonic())
    is_deaf = mode == 'deaf' or (mode == 'polite' and leaves is not None)
    seen, _, _ = select.select([told] + ([] if is_deaf else [mine]), [], [], rest)
    if told in seen and told.recv(64):
        leaves = time.monotonic() + (float(os.environ.get('STUBBORN_SECONDS', '1')) if mode in ('tcp', 'polite') else 0)
    if not is_deaf:
        serve()
