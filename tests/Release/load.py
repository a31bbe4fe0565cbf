"""Makes requests on new connections in four threads until SIGTERM: load.py http://HOST:PORT FILE. Writes {"answers", "failures"} to
FILE. Exit status 1: a request was lost, or there were too few."""
import json
import signal
import socket
import sys
import threading
import time
import urllib.parse


def work(address, answers, failures, end):
    while not end.is_set():
        try:
            with socket.create_connection(address, timeout=30) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = b""
                while chunk := connection.recv(65536):
                    answer += chunk
            if not answer.startswith(b"HTTP/1.1 200"):
                raise OSError(f"answer {answer[:40]!r}")
            answers.append(None)
        except OSError as error:
            failures.append(f"{type(error).__name__}: {error}")
        time.sleep(0.01)


def main(url, path):
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    parts = urllib.parse.urlsplit(url)
    answers, failures = [], []
    threads = [threading.Thread(target=work, args=((parts.hostname, parts.port), answers, failures, end)) for _ in range(4)]
    for thread in threads:
        thread.start()
    while not answers and not failures:
        time.sleep(0.01)
    open(path + ".begun", "w").close()
    end.wait()
    for thread in threads:
        thread.join()
    with open(path, "w") as file:
        json.dump({"answers": len(answers), "failures": failures[:5]}, file)
    return 1 if failures or len(answers) < 20 else 0


sys.exit(main(*sys.argv[1:]))
