# A worker that accepts on each of its descriptors, sends nothing, and exits when its last client has closed.
#   leaving.py drains   on SIGTERM closes its listeners, as it should. They stay in its epoll set while another process
#                       has them open
#   leaving.py waits    ignores SIGTERM
#   leaving.py edges    the same with an edge-triggered epoll set
import os
import select
import signal
import socket
import sys

listeners = {fd: socket.socket(fileno=fd) for fd in range(3, 3 + int(os.environ['LISTEN_FDS']))}
told, wake = socket.socketpair()
wake.setblocking(False)
signal.set_wakeup_fd(wake.fileno())
signal.signal(signal.SIGTERM, lambda *_: None)
waiting = select.epoll()
waiting.register(told, select.EPOLLIN)
for fd, listener in listeners.items():
    listener.setblocking(False)
    waiting.register(fd, select.EPOLLIN | (select.EPOLLET if sys.argv[1] == 'edges' else 0))
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])
clients = {}
leaving = False


def accept_all(listener):
    # An edge-triggered set reports several connections at once.
    while True:
        try:
            client, _ = listener.accept()
        except BlockingIOError:
            return
        clients[client.fileno()] = client
        waiting.register(client, select.EPOLLIN)


while clients or not leaving:
    for fd, _ in waiting.poll():
        if fd == told.fileno():
            told.recv(1)
            if sys.argv[1] == 'drains':
                leaving = True
                for listener in listeners.values():
                    listener.close()
        elif fd in clients:
            if not clients[fd].recv(4096):
                clients.pop(fd).close()
        elif fd in listeners and not leaving:
            accept_all(listeners[fd])
