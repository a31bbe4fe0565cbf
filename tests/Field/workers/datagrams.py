# A load of UDP datagrams, each to be answered (workers/steered.py of the end-to-end tests).
#   datagrams.py PORT RATE STOP-FILE     until STOP-FILE exists, from 32 sockets in turn; prints how many were lost and how late
#                                        the latest answer came. Exits with 1 if one was lost or answered twice.
import os
import selectors
import socket
import sys
import time

port, rate, stop = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
selector, sockets, sent, answers, latest, generations = selectors.DefaultSelector(), [], [], {}, 0.0, set()
for _ in range(32):
    sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sockets[-1].connect(('127.0.0.1', port))
    sockets[-1].setblocking(False)
    selector.register(sockets[-1], selectors.EVENT_READ)


def receive(patience):
    global latest
    for key, _ in selector.select(patience):
        number, generation = key.fileobj.recv(256).split()[:2]
        answers[int(number)] = answers.get(int(number), 0) + 1
        generations.add(int(generation))
        latest = max(latest, time.monotonic() - sent[int(number)])


began = time.monotonic()
while not os.path.exists(stop):
    while len(sent) < (time.monotonic() - began) * rate:
        sent.append(time.monotonic())
        sockets[len(sent) % 32].send(b'%d' % (len(sent) - 1))
    receive(0.002)
ended = time.monotonic()
while len(answers) < len(sent) and time.monotonic() < ended + 5:
    receive(0.1)
lost, twice = len(sent) - len(answers), sum(count > 1 for count in answers.values())
print(f'{len(sent)} datagrams, {lost} lost, {twice} answered twice, the latest answer after {latest * 1000:.0f} ms, '
      f'generations {sorted(generations)}')
sys.exit(1 if lost or twice else 0)
