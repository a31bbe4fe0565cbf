"""Limits of workers' cgroups under a real systemd: enforced, and alive after a crash, a restart and an upgrade of the daemon."""
import contextlib
import glob
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

CONTROL = "/run/listend/control.sock"
OUT_OF_MEMORY = "cf1d321afbf44870822b2255d76c416c"
MEMORY_HIGH = "411b6a4aa8a54e3cbe853deb0ffcab1e"
SCOPE = "listend-workers-run-listend.scope"
FILE = "/etc/listend/conf.d/limited.toml"
DROP_IN = "/etc/systemd/system/listend.service.d/10-unprivileged.conf"
LATE = "/run/systemd/system/listend.service.d/late.conf"
CONFIG = """
[listener.limited]
address = "tcp://127.0.0.1:8090"

[listener.slowed]
address = "tcp://127.0.0.1:8091"

[service.limited]
command = ["/usr/bin/python3", "/bench/health.py"]
listeners = ["limited"]
workers = 3
limits = { memory_max = "@MAX@", memory_high = "400MiB", cpu = "80%", tasks = 50, io_weight = 300 }
rollout = { settle = "0s" }

[service.slowed]
command = ["/usr/bin/python3", "/bench/health.py"]
listeners = ["slowed"]
limits = { memory_max = "400MiB", memory_high = "40MiB", cpu = "50%", tasks = 20 }
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


def service(name="limited", control=CONTROL):
    said = subprocess.run(["listenctl", "--socket", control, "--json", "status", name], stdout=subprocess.PIPE, check=True, timeout=60)
    return json.loads(said.stdout)["services"][0]


def workers(name="limited", control=CONTROL):
    return {worker["slot"]: worker["pid"] for worker in service(name, control)["workers"] if worker["state"] == "ready"}


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


def counter(pid, name, key):
    return int(next(line.split()[1] for line in value(pid, name).splitlines() if line.startswith(key + " ")))


def enforced(pids, memory):
    for pid in pids:
        found = [value(pid, name) for name in ("memory.max", "memory.high", "cpu.max", "pids.max")]
        assert found == [str(memory << 20), str(400 << 20), "80000 100000", "50"], f"worker {pid}: {found} in {cgroup_of(pid)}"
        # The manager of a user has no controller of disks.
        if os.path.exists(f"{cgroup_of(pid)}/io.weight"):
            assert value(pid, "io.weight").split()[:2] == ["default", "300"], value(pid, "io.weight")


def get(path, port=8090, timeout=60):
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def is_dead(pid):
    """Whether the process has exited. Its parent may not have reaped it."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def leak(before):
    """Lets workers leak until the kernel has killed one. Returns its process id."""
    for _ in range(100):
        try:
            answer = get("/leak")
        except OSError:
            answer = b""
        if not answer:
            dead = eventually(lambda: [pid for pid in before.values() if is_dead(pid)], "a worker gave no answer and lives")
            assert len(dead) == 1, f"{dead} of {before} were killed"
            return dead[0]
    raise AssertionError("no worker was killed")


def told(run, message, pid, *texts):
    """The journal has the message about that worker, with these texts, which are regular expressions."""
    def said():
        run("journalctl", "--sync")
        return run("journalctl", "-o", "cat", "--no-pager", f"MESSAGE_ID={message}", f"LISTEND_WORKER_PID={pid}", check=False)

    found = eventually(said, f"no message about worker {pid}", 30)
    assert all(re.search(text, found) for text in texts), found


def leak_until_killed(run, memory):
    """Only the worker that exceeds its limit goes, with an event. Its replacement has the limits again."""
    before = workers()
    killed = leak(before)
    slot = next(slot for slot, pid in before.items() if pid == killed)
    after = eventually(lambda: len(now := workers()) == 3 and now[slot] != killed and now, "the worker was not replaced")
    assert {**after, slot: killed} == before, f"before {before}, after {after}"
    told(run, OUT_OF_MEMORY, killed, rf"limited: worker {slot}\b", "out of memory: the kernel killed it; its peak was [0-9.]+ MiB",
         f"limits.memory_max is {memory}.0 MiB")
    enforced(after.values(), memory)


def effective(run):
    """The kernel applies the limits of processor time, tasks and memory.high."""
    pid = workers("slowed")[0]
    used, began = counter(pid, "cpu.stat", "usage_usec"), time.monotonic()
    get("/burn", 8091)
    took = (time.monotonic() - began) * 1e6
    used = counter(pid, "cpu.stat", "usage_usec") - used
    assert used < took * 0.6 and counter(pid, "cpu.stat", "nr_throttled") > 0, f"{used} of {took} microseconds, {value(pid, 'cpu.stat')}"
    answer = get("/fork", 8091).split()[-2:]
    assert answer == [b"19", b"EAGAIN"] and counter(pid, "pids.events", "max") > 0, answer
    while counter(pid, "memory.events", "high") == 0:
        # Without swap, the kernel stops the worker for up to two seconds after each 256 KiB.
        with contextlib.suppress(TimeoutError):
            get("/leak", 8091, timeout=5)
    told(run, MEMORY_HIGH, pid, r"slowed: worker 0", r"limits.memory_high \(40.0 MiB\): the kernel slowed it down [0-9]+ times")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: workers("slowed").get(0) not in (None, pid), "the worker was not replaced")
    print(f"# limits: with cpu = 50% a worker had {100 * used / took:.0f} %; with tasks = 20 it could start {answer[0].decode()} processes",
          flush=True)


def at_rest():
    """No thread of the daemon runs while nothing happens, but for the ping of systemd's watchdog."""
    said = subprocess.run(["listenctl", "--socket", CONTROL, "--json", "status"], stdout=subprocess.PIPE, check=True, timeout=60)
    daemon = json.loads(said.stdout)["daemon"]["pid"]

    def switches():
        count = 0
        for task in glob.glob(f"/proc/{daemon}/task/*/status"):
            with open(task) as file:
                count += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
        return count

    def quiet():
        before = switches()
        time.sleep(5)
        return switches() - before < 5

    # The runtime's threads that have answered the client end after some seconds.
    eventually(quiet, "the daemon is not at rest")


def without_anchor(run):
    """A scope whose process was killed is used as long as workers are in it."""
    live = workers()
    anchor = f"/sys/fs/cgroup/listend.slice/{SCOPE}/anchor/cgroup.procs"
    if not os.path.exists(anchor):
        return
    with open(anchor) as file:
        for pid in file.read().split():
            os.kill(int(pid), signal.SIGKILL)
    run("systemctl", "restart", "listend")
    eventually(lambda: workers() == live, f"workers without an anchor, and not {live}")
    leak_until_killed(run, 64)
    assert service()["limits"]["refused"] == [], service()["limits"]


def while_no_daemon_runs(run):
    """The kernel enforces the limits without a daemon. The next daemon reports the kill."""
    before = workers()
    os.makedirs(os.path.dirname(LATE), exist_ok=True)
    with open(LATE, "w") as file:
        file.write("[Service]\nRestartSec=1h\n")
    run("systemctl", "daemon-reload")
    try:
        run("systemctl", "kill", "--kill-whom=main", "-s", "SIGKILL", "listend")
        killed = leak(before)
    finally:
        os.remove(LATE)
        run("systemctl", "daemon-reload")
    run("systemctl", "start", "listend")
    eventually(lambda: len(workers()) == 3, "the worker was not replaced")
    told(run, OUT_OF_MEMORY, killed, "limits.memory_max is 64.0 MiB")


def change(maximum):
    with open(FILE, "w") as file:
        file.write(CONFIG.replace("@MAX@", maximum))


def scenario(run):
    why = missing()
    if why:
        return why
    others = workers("hello")
    change("64MiB")
    run("listenctl", "reload", "--wait")
    eventually(lambda: len(workers()) == 3 and workers("slowed"), "the services did not become ready")
    enforced(workers().values(), 64)
    told_ = service()
    print(f"# limits: in {cgroup_of(workers()[0])}; refused: {told_['limits']['refused']}", flush=True)
    limits = told_["workers"][0]["limits"]
    assert limits["memory_max"] == 64 << 20 and limits["cpu"] == "80%" and limits["tasks"] == 50, limits
    assert told_["workers"][0]["memory_bytes"] > 0 and told_["workers"][0]["cpu_usec"] > 0, told_["workers"][0]
    effective(run)
    at_rest()
    leak_until_killed(run, 64)

    newer = sorted(glob.glob("/bench/listend_*.deb"), key=len)[1]
    for what, act in {
        "SIGKILL of the daemon": lambda: (run("systemctl", "kill", "--kill-whom=main", "-s", "SIGKILL", "listend"), time.sleep(1)),
        "a restart": lambda: run("systemctl", "restart", "listend"),
        "an upgrade": lambda: run("listenctl", "upgrade"),
        "an upgrade of the package": lambda: run("dpkg", "-i", newer),
    }.items():
        live = workers()
        where = [cgroup_of(pid) for pid in live.values()]
        act()
        eventually(lambda: workers() == live, f"workers after {what}, and not {live}")
        assert [cgroup_of(pid) for pid in live.values()] == where, f"cgroups after {what}"
        enforced(live.values(), 64)
        leak_until_killed(run, 64)
    while_no_daemon_runs(run)
    without_anchor(run)

    # Other limits reach running workers.
    live = workers()
    change("70MiB")
    run("listenctl", "reload", "--wait")
    eventually(lambda: all(value(pid, "memory.max") == str(70 << 20) for pid in live.values()), "the new limit")
    assert workers() == live, "workers were replaced"
    leak_until_killed(run, 70)
    assert workers("hello") == others, "workers of another service were replaced"

    left = workers()
    run("systemctl", "stop", "listend", timeout=120)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in left.values()), "workers still run"
    eventually(lambda: run("systemctl", "is-active", SCOPE, check=False).strip() in ("inactive", "unknown"), "the scope still exists")
    run("systemctl", "start", "listend")
    eventually(lambda: len(workers()) == 3, "the service did not start again")
    enforced(workers().values(), 70)
    os.remove(FILE)
    run("listenctl", "reload", "--wait")
    return None


def without_root(run):
    """The daemon of a user: its limits are enforced and survive it, or the service names the errno."""
    why = missing()
    if why:
        return why
    version = int(run("systemctl", "--version").split()[1])
    os.rename("/etc/listend/conf.d/hello.toml", "/etc/listend/hello.kept")
    change("64MiB")
    os.makedirs(os.path.dirname(DROP_IN), exist_ok=True)
    shutil.copy("/usr/share/doc/listend/examples/unprivileged.conf", DROP_IN)
    run("systemctl", "daemon-reload")
    try:
        run("systemctl", "start", "listend")
        eventually(lambda: len(workers()) == 3, "the service of the user listend did not become ready")
        if version < 254:
            refused = {one["setting"]: one["errno"] for one in service()["limits"]["refused"]}
            assert refused.get("limits.memory_max") == "EACCES", service()["limits"]
        else:
            lasting(run, CONTROL, ["systemctl"])
    finally:
        run("systemctl", "stop", "listend", timeout=120)
        os.remove(DROP_IN)
        os.remove(FILE)
        os.rename("/etc/listend/hello.kept", "/etc/listend/conf.d/hello.toml")
        run("systemctl", "daemon-reload")

    run("useradd", "--create-home", "limited")
    uid = pwd.getpwnam("limited").pw_uid
    runtime = f"/run/user/{uid}"
    os.makedirs("/home/limited/.config/listend")
    with open("/home/limited/.config/listend/listend.toml", "w") as file:
        file.write(CONFIG.replace("@MAX@", "64MiB").replace(", io_weight = 300", ""))
    run("chown", "-R", "limited", "/home/limited/.config")
    run("systemctl", "start", "systemd-logind")
    run("loginctl", "enable-linger", "limited")
    eventually(lambda: os.path.exists(f"{runtime}/systemd/private"), "the manager of the user did not start")
    systemctl = ["runuser", "-u", "limited", "--", "env", f"XDG_RUNTIME_DIR={runtime}", "systemctl", "--user"]
    run(*systemctl, "start", "listend")
    try:
        control = f"{runtime}/listend/control.sock"
        eventually(lambda: len(workers(control=control)) == 3, "the service of the user did not become ready")
        lasting(run, control, systemctl)
    finally:
        run(*systemctl, "stop", "listend", timeout=120)
        run("loginctl", "disable-linger", "limited")
    return None


def lasting(run, control, systemctl):
    """The limits are in force, and survive SIGKILL of the daemon and a restart."""
    live = workers(control=control)
    print(f"# limits: in {cgroup_of(live[0])}; refused: {service(control=control)['limits']['refused']}", flush=True)
    enforced(live.values(), 64)
    for act in (["kill", "--kill-whom=main", "-s", "SIGKILL", "listend"], ["restart", "listend"]):
        run(*systemctl, *act)
        time.sleep(1)
        eventually(lambda: workers(control=control) == live, f"workers after {act[0]}")
        enforced(live.values(), 64)
    killed = leak(live)
    slot = next(slot for slot, pid in live.items() if pid == killed)
    eventually(lambda: workers(control=control).get(slot) not in (None, killed), "the worker was not replaced")
    enforced(workers(control=control).values(), 64)
