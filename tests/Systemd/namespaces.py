"""Listeners in another network namespace: the drop-in gives the daemon what setns(2) needs, and the workers nothing."""
import json
import os
import pwd
import re
import subprocess
import time

CONTROL = "/run/listend/control.sock"
DROP_IN = "/etc/systemd/system/listend.service.d/network-namespace.conf"
UNPRIVILEGED = "/etc/systemd/system/listend.service.d/10-unprivileged.conf"
EXAMPLES = "/usr/share/doc/listend/examples"
KILL = ("systemctl", "kill", "--kill-whom=main", "-s", "SIGKILL", "listend")
FILE = "/etc/listend/conf.d/blue.toml"
# Without any listener the daemon would not start.
PLAIN = """
[listener.plain]
address = "tcp://127.0.0.1:8086"

[service.plain]
command = ["/bench/hello"]
listeners = ["plain"]
environment = { HOME = "/" }
"""
LISTENER = """
[listener.@NAME@]
address = "tcp://127.0.0.1:8085"
network_namespace = "/run/netns/@NAME@"

[service.@NAME@]
command = ["/bench/hello"]
listeners = ["@NAME@"]
environment = { HOME = "/" }
@USER@"""
UP = """
import fcntl, socket, struct
with socket.socket() as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sH14x", b"lo", 1))
"""
ASK = 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:8085/", timeout=10).status)'


def make(run, name):
    """As "ip netns add" does, which the container does not have."""
    os.makedirs("/run/netns", exist_ok=True)
    open(f"/run/netns/{name}", "w").close()
    run("unshare", f"--net=/run/netns/{name}", "true")
    run("nsenter", f"--net=/run/netns/{name}", "python3", "-c", UP)


def configure(*names, user=""):
    with open(FILE, "w") as file:
        file.write(PLAIN + "".join(LISTENER.replace("@NAME@", name).replace("@USER@", user) for name in names))


def listener(name):
    said = subprocess.run(["listenctl", "--socket", CONTROL, "--json", "listeners"], stdout=subprocess.PIPE, check=True, timeout=30)
    return next(one for one in json.loads(said.stdout) if one["name"] == name)


def answers(run, name):
    end = time.monotonic() + 30
    while "200" not in (said := run("nsenter", f"--net=/run/netns/{name}", "python3", "-c", ASK, check=False)):
        assert time.monotonic() < end, f"no answer in {name}: {said}, {listener(name)}"
        time.sleep(0.2)


def capabilities(pid):
    with open(f"/proc/{pid}/status") as file:
        return {line.split()[0]: int(line.split()[1], 16) for line in file if line.startswith(("CapPrm", "CapEff", "CapAmb"))}


def without_administrator(name):
    """No worker has CAP_SYS_ADMIN."""
    said = subprocess.run(["listenctl", "--socket", CONTROL, "--json", "status", name], stdout=subprocess.PIPE, check=True, timeout=30)
    for worker in json.loads(said.stdout)["services"][0]["workers"]:
        found = capabilities(worker["pid"])
        assert not any(held >> 21 & 1 for held in found.values()), f"worker {worker['pid']} has CAP_SYS_ADMIN: {found}"


def inodes(*names):
    """Waits until a daemon serves."""
    end = time.monotonic() + 30
    while True:
        try:
            return [listener(name)["inode"] for name in names]
        except subprocess.CalledProcessError:
            assert time.monotonic() < end, "no daemon serves"
            time.sleep(0.1)


def survive(run, names, *acts):
    before = inodes(*names)
    for act in acts:
        run(*act)
        after = inodes(*names)
        assert after == before, f"sockets {after} after {act}, and not {before}"
        for name in names:
            answers(run, name)
            without_administrator(name)


def scenario(run, install):
    """install: the commands of the documentation, which install the drop-in."""
    os.rename("/etc/listend/conf.d/hello.toml", "/etc/listend/hello.kept")
    make(run, "blue")
    configure("blue", user='user = "nobody"')
    try:
        run("systemctl", "start", "listend")
        failure = listener("blue")["failure"]
        assert failure["cause"] == "option-not-permitted" and "CAP_SYS_ADMIN" in json.dumps(failure), failure
        assert "network-namespace.conf" in json.dumps(failure), failure
        for line in install:
            run("bash", "-c", line)
        answers(run, "blue")
        survive(run, ["blue"], ("systemctl", "restart", "listend"), KILL, ("listenctl", "upgrade"))
        # A namespace that is made while the daemon runs.
        make(run, "green")
        configure("blue", "green", user='user = "nobody"')
        run("listenctl", "reload", "--wait")
        answers(run, "green")
        run("systemctl", "stop", "listend", timeout=90)

        configure("blue", "green")
        run("cp", f"{EXAMPLES}/unprivileged.conf", UNPRIVILEGED)
        with open(DROP_IN) as file:
            text = re.sub("^#   ", "", file.read(), flags=re.M)
        with open(DROP_IN, "w") as file:
            file.write(text)
        run("systemctl", "daemon-reload")
        run("systemctl", "start", "listend")
        answers(run, "green")
        daemon = int(run("systemctl", "show", "listend", "-P", "MainPID"))
        assert os.stat(f"/proc/{daemon}").st_uid == pwd.getpwnam("listend").pw_uid, "the daemon runs as root"
        survive(run, ["blue", "green"], KILL)
    finally:
        run("systemctl", "stop", "listend", timeout=90)
        for path in (DROP_IN, UNPRIVILEGED, FILE):
            if os.path.exists(path):
                os.remove(path)
        os.rename("/etc/listend/hello.kept", "/etc/listend/conf.d/hello.toml")
        run("systemctl", "daemon-reload")
