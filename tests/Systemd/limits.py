"""Limits of workers' cgroups under a real systemd: enforced, and alive after a crash, a restart and an upgrade of the daemon."""
import glob
import json
import os
import signal
import socket
import subprocess
import time

CONTROL = "/run/listend/control.sock"
OUT_OF_MEMORY = "cf1d321afbf44870822b2255d76c416c"
SCOPE = "listend-workers-run-listend.scope"
CONFIG = """
[listener.limited]
address = "tcp://127.0.0.1:8090"

[service.limited]
command = ["/usr/bin/python3", "/bench/health.py"]
listeners = ["limited"]
workers = 3
limits = { memory_max = "@MAX@", memory_high = "400MiB", cpu = "80%", tasks = 50 }
rollout = { settle = "0s" }
"""


def missing():
    """Why the scenario cannot run here; None if it can."""
    with open("/proc/1/cgroup") as file:
        own = next(line for line in file if line.startswith("0::"))[3:].strip()
    base = "/sys/fs/cgroup" + ("" if own in ("/", "/init.scope") else os.path.dirname(own))
    with open(base + "/cgroup.controllers") as file:
        offered = set(file.read().split())
    lacking = {"memory", "cpu", "pids"} - offered
    return f"cgroups of version 2 have no {' and no '.join(sorted(lacking))} controller here" if lacking else None


def service():
    said = subprocess.run(["listenctl", "--socket", CONTROL, "--json", "status", "limited"], stdout=subprocess.PIPE, check=True, timeout=60)
    return json.loads(said.stdout)["services"][0]


def workers():
    return {worker["slot"]: worker["pid"] for worker in service()["workers"] if worker["state"] == "ready"}


def eventually(condition, what, deadline=90):
    end = time.monotonic() + deadline
    last = None
    while time.monotonic() < end:
        try:
            last = condition()
            if last:
                return last
        except (subprocess.SubprocessError, OSError, ValueError, StopIteration) as error:
            last = error
        time.sleep(0.2)
    raise AssertionError(f"{what}: {last}")


def cgroup_of(pid):
    with open(f"/proc/{pid}/cgroup") as file:
        return "/sys/fs/cgroup" + next(line for line in file if line.startswith("0::"))[3:].strip()


def value(pid, name):
    with open(f"{cgroup_of(pid)}/{name}") as file:
        return file.read().strip()


def enforced(pids, memory):
    for pid in pids:
        found = [value(pid, name) for name in ("memory.max", "memory.high", "cpu.max", "pids.max")]
        assert found == [str(memory << 20), str(400 << 20), "80000 100000", "50"], f"worker {pid}: {found} in {cgroup_of(pid)}"


def get(path):
    with socket.create_connection(("127.0.0.1", 8090), timeout=60) as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def leak_until_killed(run):
    """Lets one worker leak until the kernel kills it. Only that worker goes; its replacement has the limits again."""
    before = workers()
    for _ in range(400):
        try:
            answer = get("/leak")
        except OSError:
            answer = b""
        now = workers() if not answer else before
        if not answer or now != before:
            break
    eventually(lambda: len(workers()) == 3 and workers() != before, "no worker was killed")
    after = workers()
    gone = [slot for slot in before if before[slot] != after[slot]]
    assert len(gone) == 1, f"before {before}, after {after}"
    killed = before[gone[0]]
    run("journalctl", "--sync")
    said = run("journalctl", "-o", "cat", "--no-pager", f"MESSAGE_ID={OUT_OF_MEMORY}")
    assert f"pid {killed}" in said and "out of memory" in said and "limits.memory_max is" in said, said
    return killed


def change(maximum):
    with open("/etc/listend/conf.d/limited.toml", "w") as file:
        file.write(CONFIG.replace("@MAX@", maximum))


def scenario(run):
    why = missing()
    if why:
        return why
    others = json.loads(subprocess.run(["listenctl", "--json", "status", "hello"], stdout=subprocess.PIPE, check=True).stdout)
    others = [worker["pid"] for worker in others["services"][0]["workers"]]
    files = ["/bench/health.py", "/bench/notify.py"]
    assert all(os.path.exists(file) for file in files)
    change("100MiB")
    run("listenctl", "reload", "--wait")
    eventually(lambda: len(workers()) == 3, "the service did not become ready")
    first = workers()
    enforced(first.values(), 100)
    told = service()
    assert told["limits"]["refused"] == [], told["limits"]
    limits = told["workers"][0]["limits"]
    assert limits["memory_max"] == 100 << 20 and limits["cpu"] == "80%" and limits["tasks"] == 50, limits
    assert told["workers"][0]["memory_bytes"] > 0 and told["workers"][0]["cpu_usec"] > 0, told["workers"][0]

    leak_until_killed(run)
    enforced(workers().values(), 100)
    live = workers()

    run("systemctl", "kill", "--kill-whom=main", "-s", "SIGKILL", "listend")
    time.sleep(1)
    eventually(lambda: workers() == live, "workers after SIGKILL of the daemon")
    enforced(live.values(), 100)
    run("systemctl", "restart", "listend")
    eventually(lambda: workers() == live, "workers after a restart")
    enforced(live.values(), 100)
    run("dpkg", "-i", sorted(glob.glob("/bench/listend_*.deb"), key=len)[1])
    eventually(lambda: workers() == live, "workers after an upgrade of the package")
    enforced(live.values(), 100)

    # Other limits reach running workers.
    change("110MiB")
    run("listenctl", "reload", "--wait")
    eventually(lambda: all(value(pid, "memory.max") == str(110 << 20) for pid in live.values()), "the new limit")
    assert workers() == live, "workers were replaced"
    leak_until_killed(run)
    # What the kernel did while no daemon ran is reported by the next one.
    os.kill(next(iter(workers().values())), signal.SIGTERM)
    eventually(lambda: len(workers()) == 3, "the service did not become ready again")
    now = json.loads(subprocess.run(["listenctl", "--json", "status", "hello"], stdout=subprocess.PIPE, check=True).stdout)
    assert [worker["pid"] for worker in now["services"][0]["workers"]] == others, "workers of another service were replaced"

    left = workers()
    run("systemctl", "stop", "listend", timeout=120)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in left.values()), "workers still run"
    eventually(lambda: run("systemctl", "is-active", SCOPE, check=False).strip() in ("inactive", "unknown"), "the scope still exists")
    run("systemctl", "start", "listend")
    eventually(lambda: len(workers()) == 3, "the service did not start again")
    enforced(workers().values(), 110)
    os.remove("/etc/listend/conf.d/limited.toml")
    run("listenctl", "reload", "--wait")
    return None
