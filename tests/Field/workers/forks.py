"""Forks whenever the host permits it, for some seconds; then kills what it has forked."""
import os
import signal
import sys
import time

children = []
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    try:
        child = os.fork()
    except OSError:
        open(sys.argv[2], "a").close()
        time.sleep(0.001)
        continue
    if child == 0:
        time.sleep(60)
        os._exit(0)
    children.append(child)
for child in children:
    os.kill(child, signal.SIGKILL)
