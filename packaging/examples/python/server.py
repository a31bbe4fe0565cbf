import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import serving

assert os.environ['LISTEN_PID'] == str(os.getpid()) and os.environ['LISTEN_FDNAMES'] == 'web'
listener = socket.fromfd(3, socket.AF_INET, socket.SOCK_STREAM)
os.close(3)
serving.serve(listener, serving.http)
