"""identity.py FILE [ARGUMENT...]: writes what this process was given by the program that started it to FILE, as JSON, and waits.

Left out: variables that only one of the compared supervisors sets, for its own protocol; descriptors 1 and 2, which are the
supervisor's log; descriptor 0 unless it is a socket; what bash and Python set."""
import json
import os
import resource
import signal
import socket
import stat
import sys

OWN = ("LISTEN", "NOTIFY_SOCKET", "WATCHDOG_", "SUPERVISOR_", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID",
       "MEMORY_PRESSURE_", "LC_CTYPE", "_")


def descriptors():
    found = {}
    for fd in range(256):
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            continue
        if stat.S_ISSOCK(mode):
            with socket.socket(fileno=os.dup(fd)) as one:
                listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                found[fd] = f"{one.type.name} {one.getsockname()} listens={listens}"
        elif fd > 2:
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
    return found


def status(name):
    with open("/proc/self/status") as lines:
        return next(line.split()[1] for line in lines if line.startswith(name + ":"))


def without_python(mask):
    """Python itself ignores SIGPIPE and SIGXFSZ. 32 and 33 belong to the C library; what started the tests may ignore them."""
    return f"{int(mask, 16) & ~(1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1 | 1 << 31 | 1 << 32):x}"


umask = os.umask(0)
os.umask(umask)
facts = {
    "arguments": sys.argv[2:],
    "environment": {name: value for name, value in sorted(os.environ.items()) if not name.startswith(OWN)},
    "ids": [os.getresuid(), os.getresgid(), sorted(os.getgroups())],
    "limits": {name: resource.getrlimit(getattr(resource, name)) for name in sorted(dir(resource)) if name.startswith("RLIMIT_")},
    "umask": f"{umask:04o}",
    "directory": os.getcwd(),
    "descriptors": descriptors(),
    "ignored": without_python(status("SigIgn")),
    "blocked": status("SigBlk"),
    "no_new_privileges": status("NoNewPrivs"),
}
with open(sys.argv[1] + ".new", "w") as file:
    json.dump(facts, file, indent=1)
os.rename(sys.argv[1] + ".new", sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    signal.pause()
