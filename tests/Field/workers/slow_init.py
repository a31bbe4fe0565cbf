"""The parent of the daemon and of its orphans, which reaps only when asked: the commands "start" and "reap" come from a FIFO."""
import ctypes
import os
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
fifo, program = sys.argv[1], sys.argv[2:]
while True:
    with open(fifo) as commands:
        for command in commands.read().split():
            if command == "start":
                with open("daemon.log", "ab") as log:
                    subprocess.Popen(program, stderr=log)
                continue
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                pass
