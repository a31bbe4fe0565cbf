import json
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import serving

# As in Einhorn's libraries: the variables are only for children of the master.
assert int(os.environ['EINHORN_MASTER_PID']) == os.getppid() and os.environ['EINHORN_FD_COUNT'] == '1'
family = getattr(socket, os.environ['EINHORN_FD_FAMILY_0'])


def acknowledge():
    with socket.socket(socket.AF_UNIX) as master:
        master.connect(os.environ['EINHORN_SOCK_PATH'])
        master.sendall(json.dumps({'command': 'worker:ack', 'pid': os.getpid()}).encode() + b'\n')


serving.serve(socket.socket(family, socket.SOCK_STREAM, fileno=int(os.environ['EINHORN_FD_0'])), serving.http, acknowledge)
