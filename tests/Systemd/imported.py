"""What a worker is given by systemd, and by listend after "listenctl import": both as facts, read from /proc."""
import contextlib
import ctypes
import json
import os
import shutil
import socket
import stat
import subprocess
import time

UNITS = "/etc/systemd/system"
STUB = "/bench/stub"
CONTROL = "/run/imported/control.sock"
SYS_PIDFD_GETFD = 438

# listend as a unit that withholds nothing from its workers. The packaged unit restricts them.
PLAIN = """
[Service]
Type=notify
ExecStart=/usr/bin/listend run --config /bench/imported.toml --runtime-directory /run/imported
RuntimeDirectory=imported
Delegate=yes
"""

# Variables of the supervisor's own protocols; LISTEN_FDS and LISTEN_FDNAMES are compared.
OWN = ("LISTEND_", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "MEMORY_PRESSURE_")


def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, text=True)
    assert result.returncode == 0, f"{' '.join(command)}: exit {result.returncode}: {result.stdout.strip()[-600:]}"
    return result.stdout


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def read(pid, name):
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read().decode(errors="surrogateescape")


def descriptor(pidfd, pid, fd):
    """A descriptor without its identity: the file, or the socket's type, address, and whether it listens or blocks."""
    path = f"/proc/{pid}/fd/{fd}"
    if not stat.S_ISSOCK(os.stat(path).st_mode):
        return os.readlink(path)
    own = ctypes.CDLL(None, use_errno=True).syscall(SYS_PIDFD_GETFD, pidfd, int(fd), 0)
    assert own >= 0, f"pidfd_getfd: {os.strerror(ctypes.get_errno())}"
    with socket.socket(fileno=own) as one:
        listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        blocks = os.get_blocking(own)
        return f"{one.type.name} {one.getsockname()} listens={listens} blocks={blocks}"


def facts(pid):
    """What the stub with this process id was given. 1 and 2 are the supervisor's log."""
    end = time.monotonic() + 10
    while os.readlink(f"/proc/{pid}/exe") != STUB:
        assert time.monotonic() < end, f"{os.readlink(f'/proc/{pid}/exe')} still runs"
        time.sleep(0.02)
    status = dict(line.split(":\t", 1) for line in read(pid, "status").splitlines() if ":\t" in line)
    found = {f"argv[{index}]": word for index, word in enumerate(read(pid, "cmdline").split("\0")[:-1])}
    for variable in read(pid, "environ").split("\0")[:-1]:
        if not variable.startswith(OWN):
            found["$" + variable.partition("=")[0]] = variable.partition("=")[2]
    for line in read(pid, "limits").splitlines()[1:]:
        found["limit: " + line[:25].strip()] = line[26:68].split()
    for name in ("Uid", "Gid", "Umask", "SigIgn", "SigBlk", "NoNewPrivs", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        found[name] = status[name].strip()
    # 32 and 33 belong to the C library; systemd passes on what the program that started the container ignores of them.
    found["SigIgn"] = f"{int(found['SigIgn'], 16) & ~(1 << 31 | 1 << 32):016x}"
    if found["NoNewPrivs"] == "1":
        # listend drops the bounding set, which no program can make use of any more.
        del found["CapBnd"]
    found["Groups"] = sorted(map(int, status["Groups"].split()))
    found["nice"] = read(pid, "stat").rpartition(")")[2].split()[16]
    found["directory"] = os.readlink(f"/proc/{pid}/cwd")
    pidfd = os.pidfd_open(pid)
    try:
        for fd in {*os.listdir(f"/proc/{pid}/fd")} - {"1", "2"}:
            found[f"descriptor {fd}"] = descriptor(pidfd, pid, fd)
    finally:
        os.close(pidfd)
    return found


def owners(paths):
    status = {path: os.stat(path) for path in paths}
    return {path: (oct(one.st_mode), one.st_uid, one.st_gid) for path, one in status.items()}


def prepare(one):
    """Writes the files and units of a set."""
    for path, (user, mode) in one.folders.items():
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        shutil.chown(path, user)
    for path, text in one.files.items():
        write(path, text)
    for unit, text in one.units.items():
        write(f"{UNITS}/{unit}", text)


def of_each(sets, pid_of):
    """The facts of each set by its name; a text where they cannot be had."""
    found = {}
    for name, one in sets.items():
        try:
            found[name] = {**facts(pid_of(name, one)), **owners(one.paths)}
        except Exception as error:
            found[name] = str(error) or repr(error)
    return found


def by_systemd(sets):
    started = [unit for one in sets.values() for unit in one.started]
    sockets = [unit for unit in started if unit.endswith(".socket")]
    services = [unit for unit in started if unit not in sockets]
    run("systemctl", "daemon-reload")
    try:
        run("systemctl", "start", *sockets)
        run("systemctl", "start", *services)
        return of_each(sets, lambda _, one: int(run("systemctl", "show", "--value", "-p", "MainPID", one.service)))
    finally:
        run("systemctl", "stop", *sockets, *services)


def by_listend(sets):
    """The facts, and the text of the import."""
    files = [f"{UNITS}/{unit}" for one in sets.values() for unit in one.started]
    imported = subprocess.run(["listenctl", "import", *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, text=True)
    assert imported.returncode == 0, imported.stderr
    write("/bench/imported.toml", imported.stdout)
    write(f"{UNITS}/imported.service", PLAIN)
    run("systemctl", "daemon-reload")
    try:
        run("systemctl", "start", "imported")
        return of_each(sets, worker), imported.stdout
    finally:
        run("systemctl", "stop", "imported")


def worker(_, one):
    """The process id of the service's worker, once it was started."""
    end = time.monotonic() + 20
    while True:
        services = json.loads(run("listenctl", "--socket", CONTROL, "--json", "status"))["services"]
        service = next(service for service in services if service["name"] == one.name)
        running = [worker["pid"] for worker in service["workers"] if worker["pid"]]
        if running:
            return running[0]
        assert service["state"] != "failed" and time.monotonic() < end, service["reason"]
        time.sleep(0.05)


def differences(sets):
    """By set: each fact that differs, except those that the import names as "one.named" says."""
    for one in sets.values():
        prepare(one)
    try:
        theirs = by_systemd(sets)
        ours, text = by_listend(sets)
    finally:
        for unit in {unit for one in sets.values() for unit in one.units} | {"imported.service"}:
            with contextlib.suppress(FileNotFoundError):
                os.remove(f"{UNITS}/{unit}")
    comments = " ".join(line.lstrip("# ") for line in text.splitlines())
    return {name: compared(one, theirs[name], ours[name], comments) for name, one in sets.items()}


def sort_descriptors(found):
    sockets = [found.get(f"descriptor {fd}") for fd in range(3, 20)]
    return {**{fact: value for fact, value in found.items() if value not in sockets}, "sockets": sorted(filter(None, sockets))}


def compared(one, theirs, ours, comments):
    if isinstance(theirs, str) or isinstance(ours, str):
        return [f"under {name}: {error}" for name, error in (("systemd", theirs), ("listend", ours)) if isinstance(error, str)]
    found = [f"the import does not say \"{said}\"" for said in one.named.values() if said not in comments]
    if one.sorts:
        theirs, ours = (sort_descriptors(found) for found in (theirs, ours))
    for fact in sorted({*theirs, *ours}):
        if (theirs.get(fact) != ours.get(fact)) != (fact in one.named):
            found.append(f"{fact} is the same" if fact in one.named
                         else f"{fact}: {theirs.get(fact)!r} under systemd, {ours.get(fact)!r} under listend")
    return found
