"""kept.py HOST:PORT: clients send requests over connections that they keep open. Exits with 1 if a request has no answer.

Before a client sends, it looks if the server has closed the connection or announced that, as HTTP libraries do.
"""
import http.client
import select
import sys
import threading
import time

failures = []


def client(address):
    connection = None
    for _ in range(50):
        if connection and connection.sock and select.select([connection.sock], [], [], 0)[0]:
            connection.close()
        connection = connection or http.client.HTTPConnection(address, timeout=30)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                failures.append(answer.status)
        except (OSError, http.client.HTTPException) as error:
            failures.append(repr(error))
            return
        time.sleep(0.005)


clients = [threading.Thread(target=client, args=sys.argv[1:]) for _ in range(4)]
for one in clients:
    one.start()
for one in clients:
    one.join()
print(*failures, sep="\n")
sys.exit(1 if failures else 0)
