"""The scenarios of the systemd bench, run inside the container as a unit.

Each is an act upon the running daemon while connections are made; afterwards it is compared what was lost (requests that
were refused, reset or not answered), and what was kept: the daemon's pid, the workers' pids, the listeners' inodes.
A line for each: "ok NAME", "not ok NAME: why", or "open NAME: why" for one that is known not to hold yet; one that does
says so.
"""
import glob
import json
import os
import socket
import subprocess
import threading
import time

# What does not hold yet, by scenario. Remove an entry when its work has landed.
OPEN = {}

CONFIG = """
[listener.web]
address = "tcp://127.0.0.1:8080"

[listener.local]
address = "unix:///run/hello.sock"
unix = { remove_stale = true }

[service.hello]
command = ["/bench/hello"]
listeners = ["web", "local"]
workers = 2
user = "nobody"
environment = { HOME = "/" }
"""


def run(*command, check=True, timeout=120):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, text=True)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {result.returncode}: {result.stdout.strip()[-600:]}")
    return result.stdout


def client(what):
    result = subprocess.run(["listenctl", "--json", what], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=30)
    return json.loads(result.stdout)


def ready(deadline=20):
    """Waits until the service has its workers; the daemon itself may be away meanwhile."""
    end = time.monotonic() + deadline
    last = None
    while time.monotonic() < end:
        try:
            service = client("status")["services"][0]
            last = service
            if service["state"] == "running" and service["ready"] == service["desired"]:
                return
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired, ValueError) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"the service did not get ready: {last}")


class State:
    def __init__(self):
        status = client("status")
        self.daemon = status["daemon"]["pid"]
        self.workers = sorted(worker["pid"] for worker in status["services"][0]["workers"])
        self.inodes = {listener["name"]: listener["inode"] for listener in client("listeners")}


class Load:
    """Connections one after the other in a few threads, about 400 a second together."""

    def __init__(self):
        self.failures, self.answers, self.leaving = [], 0, False
        self.threads = [threading.Thread(target=self.work) for _ in range(4)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        time.sleep(0.5)
        self.leaving = True
        for thread in self.threads:
            thread.join()

    def work(self):
        while not self.leaving:
            began = time.monotonic()
            try:
                with socket.create_connection(("127.0.0.1", 8080), timeout=30) as connection:
                    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    answer = b""
                    while chunk := connection.recv(65536):
                        answer += chunk
                if not answer.startswith(b"HTTP/1.1 200"):
                    raise OSError(f"answer {answer[:40]!r}")
                self.answers += 1
            except OSError as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            time.sleep(max(0, 0.01 - (time.monotonic() - began)))


def kept(before, after, *what):
    for name in what:
        was, now = getattr(before, name), getattr(after, name)
        assert was == now, f"{name}: {was} before, {now} after"


def under_load(act, *what):
    before = State()
    with Load() as load:
        act()
        ready()
    assert not load.failures, f"{len(load.failures)} of {load.answers + len(load.failures)} requests failed, such as {load.failures[0]}"
    assert load.answers > 20, f"only {load.answers} answers: the load did not run"
    kept(before, State(), *what)


def install():
    said = run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "-i", sorted(glob.glob("/bench/listend_*.deb"), key=len)[0])
    assert "write /etc/listend/listend.toml" in said, said
    assert run("systemctl", "is-enabled", "listend").strip() == "enabled"
    with open("/etc/listend/conf.d/hello.toml", "w") as file:
        file.write(CONFIG)


def start():
    run("systemctl", "start", "listend")
    ready()
    assert run("systemctl", "is-active", "listend").strip() == "active"
    assert State().inodes.keys() == {"web", "local"}


def roll_out():
    under_load(lambda: run("listenctl", "restart", "hello", "--wait"), "daemon", "inodes")


def reload():
    under_load(lambda: run("systemctl", "reload", "listend"), "daemon", "workers", "inodes")


def restart():
    under_load(lambda: run("systemctl", "restart", "listend"), "workers", "inodes")


def kill():
    under_load(lambda: (run("systemctl", "kill", "--kill-whom=main", "-s", "SIGKILL", "listend"), time.sleep(1)), "workers", "inodes")


def upgrade():
    under_load(lambda: run("listenctl", "upgrade"), "daemon", "workers", "inodes")


def newer_package():
    newer = sorted(glob.glob("/bench/listend_*.deb"), key=len)[1]
    under_load(lambda: run("dpkg", "-i", newer), "workers", "inodes")
    assert "+next" in run("dpkg-query", "-W", "-f", "${Version}", "listend")


def conffiles():
    """A configuration that was changed stays as it is through an upgrade of the package."""
    with open("/etc/listend/listend.toml", "a") as file:
        file.write("# mine\n")
    run("dpkg", "--force-confold", "-i", sorted(glob.glob("/bench/listend_*.deb"), key=len)[0])
    with open("/etc/listend/listend.toml") as file:
        assert file.read().endswith("# mine\n")
    ready()


def stop():
    workers = State().workers
    run("systemctl", "stop", "listend", timeout=90)
    left = [pid for pid in workers if os.path.exists(f"/proc/{pid}")]
    assert not left, f"workers {left} are still there"
    try:
        socket.create_connection(("127.0.0.1", 8080), timeout=5).close()
    except ConnectionRefusedError:
        return
    raise AssertionError("somebody still listens")


def remove():
    run("systemctl", "start", "listend")
    ready()
    said = run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--remove", "listend")
    assert "closes 2 listener(s)" in said, said
    assert not os.path.exists("/usr/bin/listend")
    assert os.path.exists("/etc/listend/listend.toml"), "a conffile went with remove"
    run("dpkg", "--purge", "listend")
    assert not os.path.exists("/etc/listend/listend.toml")


SCENARIOS = [install, start, roll_out, reload, restart, kill, upgrade, newer_package, conffiles, stop, remove]
# Without these nothing further can be tried.
NEEDED = {"install", "start"}


def main():
    with open("/bench/wanted") as file:
        wanted = set(file.read().split())
    for scenario in SCENARIOS:
        name = scenario.__name__
        if wanted and name not in wanted | NEEDED:
            continue
        began = time.monotonic()
        try:
            scenario()
            line = f"ok {name} ({time.monotonic() - began:.1f} s)" + (": it holds now, take it out of OPEN" if name in OPEN else "")
        except Exception as error:
            line = f"open {name}: {OPEN[name]}: {error}" if name in OPEN else f"not ok {name}: {error}"
        print(line, flush=True)
        if line.startswith("not ok") and name in NEEDED:
            break
        # The next one begins from a daemon that serves, whatever this one left.
        if name not in ("install", "stop", "remove") and scenario is not SCENARIOS[-1]:
            try:
                ready(5)
            except AssertionError:
                run("systemctl", "stop", "listend", check=False)
                run("systemctl", "kill", "-s", "SIGKILL", "listend", check=False)
                run("pkill", "-KILL", "-x", "hello", check=False)
                run("systemctl", "reset-failed", "listend", check=False)
                run("systemctl", "start", "listend", check=False)
                try:
                    ready()
                except AssertionError as error:
                    print(f"not ok after {name}: {error}", flush=True)
    run("sh", "-c", "journalctl -u listend --no-pager > /bench/journal 2>&1", check=False)
    print("done", flush=True)


main()
