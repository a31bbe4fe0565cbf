# A worker that answers one connection at a time on every descriptor of LISTEN_FDS. On SIGUSR1 it stops accepting without an
# exit, so new connections wait in the queue. On SIGTERM it answers its accepted connections.
import os
import selectors
import signal
import socket

count = int(os.environ['LISTEN_FDS'])
listeners = [socket.socket(fileno=3 + i) for i in range(count)]
state = {'paused': False, 'leaving': False}
signal.signal(signal.SIGUSR1, lambda *_: state.update(paused=True))
signal.signal(signal.SIGTERM, lambda *_: state.update(leaving=True))
wake, woken = socket.socketpair()
wake.setblocking(False)
signal.set_wakeup_fd(wake.fileno())
waiting = selectors.DefaultSelector()
waiting.register(woken, selectors.EVENT_READ)
for listener in listeners:
    listener.setblocking(False)
    waiting.register(listener, selectors.EVENT_READ)
ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ready.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])
body = b'%d %s\n' % (os.getpid(), os.environ['LISTEN_FDNAMES'].encode())
answer = b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' % (len(body), body)
while not state['leaving']:
    ripe = [key.fileobj for key, _ in waiting.select()]
    if woken in ripe:
        woken.recv(64)
    for listener in ripe:
        if listener is woken or state['paused'] or state['leaving']:
            continue
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            continue
        with connection:
            connection.setblocking(True)
            connection.recv(4096)
            connection.sendall(answer)
    if state['paused']:
        for listener in listeners:
            if listener in waiting.get_map():
                waiting.unregister(listener)
