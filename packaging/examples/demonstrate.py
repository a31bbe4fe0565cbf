#!/usr/bin/env python3
"""demonstrate.py PROTOCOL [ADDRESS]: runs the listend.toml of the current directory and sends requests to its service while it
is restarted twice. Exits with 0 only if every request was answered, and by more than one process.

PROTOCOL is the service's protocol: http, fastcgi, udp or seqpacket. A reply contains the process id of its worker.
ADDRESS is where requests go instead of the first listener, for a program in front of the service.
LISTEND_BIN is the directory of listend and listenctl, by default that of "make publish". In files named *.in and in
listend.toml, @dir@ is the directory of this run, @here@ is the example's, and @python3@ is this interpreter.
LISTEND_EXAMPLE_SETTLE replaces the default of rollout.settle, for tests of many examples.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path.cwd()
BIN = pathlib.Path(os.environ.get('LISTEND_BIN') or HERE.parents[2] / 'artifacts/publish')
LIMIT = 30


def fill(text, directory):
    return text.replace('@dir@', directory).replace('@here@', str(HERE)).replace('@python3@', sys.executable)


def connect(address, kind):
    scheme, _, rest = address.partition('://')
    if scheme.startswith('unix'):
        s = socket.socket(socket.AF_UNIX, kind)
        target = '\0' + rest[1:] if rest.startswith('@') else rest
    else:
        host, _, port = rest.rpartition(':')
        s = socket.socket(socket.AF_INET, kind)
        target = (host, int(port))
    s.settimeout(LIMIT)
    s.connect(target)
    return s


def read(s):
    data = b''
    while piece := s.recv(65536):
        data += piece
    return data


def http(address):
    with connect(address, socket.SOCK_STREAM) as s:
        s.sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        answer = read(s)
    if not answer.startswith(b'HTTP/1.1 200'):
        raise OSError(f'no answer: {answer[:80]!r}')
    return answer.partition(b'\r\n\r\n')[2]


def fastcgi(address):
    def record(kind, content):
        return bytes([1, kind, 0, 1]) + len(content).to_bytes(2, 'big') + b'\0\0' + content

    script = str(HERE / 'index.php').encode()
    values = {
        b'REQUEST_METHOD': b'GET', b'SCRIPT_FILENAME': script, b'SCRIPT_NAME': b'/index.php',
        b'SERVER_PROTOCOL': b'HTTP/1.1', b'REDIRECT_STATUS': b'200',
    }

    def size(value):
        return bytes([len(value)]) if len(value) < 128 else (len(value) | 1 << 31).to_bytes(4, 'big')

    params = b''.join(size(name) + size(value) + name + value for name, value in values.items())
    with connect(address, socket.SOCK_STREAM) as s:
        s.sendall(record(1, b'\0\1\0\0\0\0\0\0') + record(4, params) + record(4, b'') + record(5, b''))
        data, body = read(s), b''
    while len(data) >= 8:
        length = int.from_bytes(data[4:6], 'big')
        body += data[8:8 + length] if data[1] == 6 else b''
        data = data[8 + length + data[6]:]
    if not body:
        raise OSError('no answer')
    return body.partition(b'\r\n\r\n')[2]


def datagram(address):
    with connect(address, socket.SOCK_DGRAM) as s:
        s.send(b'who?')
        return s.recv(65536)


def seqpacket(address):
    with connect(address, socket.SOCK_SEQPACKET) as s:
        s.send(b'who?')
        answer = s.recv(65536)
    if not answer:
        raise OSError('no answer')
    return answer


PROTOCOLS = {'http': http, 'fastcgi': fastcgi, 'udp': datagram, 'seqpacket': seqpacket}


def main():
    ask = PROTOCOLS[sys.argv[1]]
    for program in ('listend', 'listenctl'):
        if not (BIN / program).exists():
            sys.exit(f'{BIN / program} is not there; run: make publish')

    directory = tempfile.mkdtemp(prefix='listend-demo-')
    os.chmod(directory, 0o755)
    for template in HERE.glob('*.in'):
        pathlib.Path(directory, template.stem).write_text(fill(template.read_text(), directory))
    config = pathlib.Path(directory, 'listend.toml')
    text = fill(pathlib.Path('listend.toml').read_text(), directory)
    if settle := os.environ.get('LISTEND_EXAMPLE_SETTLE'):
        text = re.sub(r'(?m)^(\[service\..*\])$', rf'\1\nrollout.settle = "{settle}"', text)
    config.write_text(text)
    runtime = directory + '/run'
    log = open(directory + '/log', 'w')
    daemon = subprocess.Popen(
        [BIN / 'listend', 'run', '--config', config, '--runtime-directory', runtime, '--log-format', 'text'],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    done = False
    try:
        def control(*words):
            command = [BIN / 'listenctl', '--socket', runtime + '/control.sock', *words]
            return subprocess.run(command, capture_output=True, text=True, timeout=2 * LIMIT)

        def services():
            answer = control('status', '--json')
            return json.loads(answer.stdout)['services'] if answer.returncode == 0 else []

        # The service is up when all its workers are ready; listenctl cannot wait for a start that is in progress.
        deadline = time.monotonic() + LIMIT
        while not ((now := services()) and all(one['ready'] >= one['desired'] for one in now)):
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError('the service did not become ready')
            time.sleep(0.1)

        name = now[0]['name']
        address = fill(sys.argv[2], directory) if sys.argv[2:] else json.loads(control('listeners', '--json').stdout)[0]['effective']
        answered, failures, over = {}, [], threading.Event()

        def send_requests():
            while not over.is_set():
                try:
                    who = max(int(number) for number in re.findall(rb'\d+', ask(address)))
                    answered[who] = answered.get(who, 0) + 1
                except (OSError, ValueError) as error:
                    failures.append(error)
                time.sleep(0.002)

        clients = [threading.Thread(target=send_requests) for _ in range(4)]
        for client in clients:
            client.start()
        outcome = 0
        for _ in range(2):
            restart = control('restart', name, '--wait', '--timeout', f'{LIMIT}s')
            outcome = outcome or restart.returncode
            if restart.returncode:
                print(restart.stderr, file=sys.stderr)
            time.sleep(0.3)
        over.set()
        for client in clients:
            client.join()
        print(f'{name} at {address}: {sum(answered.values())} requests answered by {len(answered)} processes '
              f'through 2 restarts, {len(failures)} failed')
        for failure in failures[:5]:
            print(f'  {failure!r}')
        done = outcome == 0 and not failures and len(answered) >= 2
    finally:
        daemon.send_signal(signal.SIGTERM)
        done = daemon.wait(LIMIT) == 0 and done
        log.close()
        if not done:
            print(pathlib.Path(directory, 'log').read_text()[-4000:], file=sys.stderr)
        shutil.rmtree(directory)
    sys.exit(0 if done else 1)


main()
