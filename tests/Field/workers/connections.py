# A load of TCP connections, each to be answered by one line (workers/steered.py of the end-to-end tests).
#   connections.py PORT RATE STOP-FILE RESULT-FILE     until STOP-FILE exists; a line of RESULT-FILE for each connection:
#                                                      began, connected, answered (seconds of time.time()) and the answer
# Exits with 1 if a connection was refused or reset, or had no answer within 20 seconds.
import os
import select
import socket
import sys
import time

port, rate, stop, result = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4]
PATIENCE = 20
waiting, failures, poll = {}, [], select.epoll()
out = open(result, 'w')
began, count, looked, stopping = time.monotonic(), 0, 0, False


def begin():
    client = socket.socket()
    client.setblocking(False)
    at = time.time()
    client.connect_ex(('127.0.0.1', port))
    # On loopback the handshake is complete when the call returns.
    waiting[client.fileno()] = (client, at, time.time())
    poll.register(client, select.EPOLLIN)


def end(number):
    client, at, connected = waiting.pop(number)
    poll.unregister(number)
    try:
        answer = client.recv(256)
        out.write(f'{at:.6f} {connected:.6f} {time.time():.6f} {answer.decode().strip()}\n')
        if not answer:
            failures.append('an empty answer')
    except OSError as error:
        failures.append(str(error))
    client.close()


while waiting or not stopping:
    now = time.monotonic()
    while not stopping and count < (now - began) * rate:
        begin()
        count += 1
        if count % 50 == 0:
            break
    for number, _ in poll.poll(0.001):
        end(number)
    if now - looked > 0.1:
        looked = now
        stopping = os.path.exists(stop)
        late = [one for one in waiting.values() if time.time() - one[1] > PATIENCE]
        if late:
            failures.append(f'{len(late)} without an answer')
            break
out.close()
print(f'{count} connections, {len(failures)} failed, such as {failures[:1]}')
sys.exit(1 if failures else 0)
