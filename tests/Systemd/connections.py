"""A process for each connection, by systemd with Accept=yes and by listend: what the process learns of its peer, and the time it takes."""
import json
import os
import socket
import subprocess
import time

UNITS = "/run/systemd/system"
FILE = "/etc/listend/conf.d/connections.toml"
SYSTEMD, LISTEND = (7100, "/run/by-systemd"), (7200, "/run/by-listend")
KNOWN = ("REMOTE_ADDR", "REMOTE_PORT", "SO_COOKIE", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET")
# What the process writes to its connection: descriptor 0 and 1, or 3.
SAYS = {"stdin": "echo PID=$$; /usr/bin/env", "listen-fds": "{ echo PID=$$; /usr/bin/env; } >&3"}


def place(whose, handoff):
    """A port and a path of their own for each hand-off."""
    return whose[0] + 10 * list(SAYS).index(handoff), f"{whose[1]}-{handoff}"


def listeners(port, path):
    return {"any": f"[::]:{port}", "four": f"127.0.0.1:{port + 1}", "path": path, "name": f"@{path}", "packet": f"{path}.packet"}


def unit(name, where, command, more=""):
    directive = "ListenSequentialPacket" if where.endswith(".packet") else "ListenStream"
    with open(f"{UNITS}/{name}.socket", "w") as file:
        file.write(f"[Socket]\n{directive}={where}\nAccept=yes\nMaxConnections=1000\nTriggerLimitBurst=0\nBacklog=4096\n")
    with open(f"{UNITS}/{name}@.service", "w") as file:
        file.write(f"[Unit]\nCollectMode=inactive-or-failed\n[Service]\nExecStart={command}\n{more}")


def address(where):
    if where.startswith(("/", "@")):
        kind = "unix-seqpacket" if where.endswith(".packet") else "unix"
        return f"{kind}://{where}"
    return f"tcp://{where}"


def service(name, where, command, handoff):
    return f"""
[listener.{name}]
address = "{address(where)}"

[service.{name}]
command = {command}
listeners = ["{name}"]
start = "per-connection"
handoff = "{handoff}"
max_connections = 1000
"""


def ask(family, where, bound=None):
    """What the process says about its peer, and what the peer's port is."""
    kind = socket.SOCK_SEQPACKET if isinstance(where, str) and where.endswith(".packet") else socket.SOCK_STREAM
    with socket.socket(family, kind) as peer:
        peer.settimeout(20)
        if bound:
            peer.bind(bound)
        peer.connect(where)
        port = str(peer.getsockname()[1]) if family != socket.AF_UNIX else None
        said = b""
        while part := peer.recv(65536):
            said += part
    if bound and bound.startswith("/"):
        os.remove(bound)
    values = dict(line.split("=", 1) for line in said.decode().splitlines() if "=" in line)
    assert "PID" in values, f"{where}: no answer: {said!r}"
    facts = {name: values[name] for name in KNOWN if name in values}
    facts["LISTEN_PID"] = "its own" if values.get("LISTEN_PID") == values["PID"] else values.get("LISTEN_PID")
    if "REMOTE_PORT" in facts:
        facts["REMOTE_PORT"] = "its own" if facts["REMOTE_PORT"] == port else facts["REMOTE_PORT"]
    if "SO_COOKIE" in facts:
        assert facts["SO_COOKIE"].isdigit() and facts["SO_COOKIE"] != "0", facts
    return facts


def peers(port, path):
    tcp, tcp6, unix = socket.AF_INET, socket.AF_INET6, socket.AF_UNIX
    return {
        "IPv4 on [::]": (tcp, ("127.0.0.1", port)), "IPv6": (tcp6, ("::1", port)), "IPv4": (tcp, ("127.0.0.1", port + 1)),
        "unix": (unix, path), "unix with a path": (unix, path, "/run/peer.sock"), "unix with a name": (unix, path, "\0peer"),
        "abstract": (unix, "\0" + path), "packets": (unix, path + ".packet"),
    }


def environment(run):
    """Both give the process of a connection the same variables about it."""
    sockets = [f"{handoff}-{name}.socket" for handoff in SAYS for name in listeners(0, "")]
    try:
        text = ""
        for handoff, says in SAYS.items():
            for name, where in listeners(*place(SYSTEMD, handoff)).items():
                unit(f"{handoff}-{name}", where, f"/bin/sh -c '{says.replace('$', '$$')}'",
                     "StandardInput=socket\n" if handoff == "stdin" else "")
            for name, where in listeners(*place(LISTEND, handoff)).items():
                text += service(f"{handoff}-{name}", where, f"""["/bin/sh", "-c", '{says}']""", handoff)
        with open(FILE, "w") as file:
            file.write(text)
        run("systemctl", "daemon-reload")
        run("systemctl", "start", *sockets)
        run("listenctl", "reload")
        for handoff in SAYS:
            asked = [peers(*place(whose, handoff)) for whose in (SYSTEMD, LISTEND)]
            for what in asked[0]:
                theirs, ours = (ask(*one[what]) for one in asked)
                # Versions of systemd before 258 do not set the cookie, and early ones no address of a UNIX peer.
                if "SO_COOKIE" not in theirs:
                    assert ours.pop("SO_COOKIE").isdigit()
                if what.startswith("unix with") and "REMOTE_ADDR" not in theirs:
                    assert ours.pop("REMOTE_ADDR") in ("/run/peer.sock", "@peer")
                assert theirs == ours, f"{what}, {handoff}: systemd gives {theirs}, listend {ours}"
    finally:
        os.remove(FILE)
        run("listenctl", "reload")
        run("systemctl", "stop", *sockets, check=False)


def burst(port, count, at_once):
    return int(subprocess.run(["/bench/burst", str(port), str(count), str(at_once)], stdout=subprocess.PIPE, check=True, timeout=120).stdout)


def measure(run, count=200, at_once=100):
    """The time of connections with a process each, by turns. systemd is slow, so there are few of them."""
    with open("/bench/rounds") as file:
        rounds = int(file.read())
    unit("burst", "127.0.0.1:7301", "/bin/echo x", "StandardInput=socket\n")
    with open(FILE, "w") as file:
        file.write(service("burst", "127.0.0.1:7302", '["/bin/echo", "x"]', "stdin"))
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "burst.socket")
    run("listenctl", "reload")
    plain = subprocess.Popen(["/bench/inetd", "7303", "/bin/echo", "x"], stdin=subprocess.PIPE)
    others = {"systemd, Accept=yes": 7301, "listend": 7302, "C: accept, fork, execve": 7303}
    if os.path.exists("/bench/tcpserver"):
        tcpserver = subprocess.Popen(
            ["/bench/tcpserver", "-H", "-R", "-l", "0", "-c", "1000", "-b", "4096", "127.0.0.1", "7304", "/bin/echo", "x"],
            stdin=subprocess.PIPE)
        others["tcpserver"] = 7304
    try:
        time.sleep(1)
        for port in others.values():
            burst(port, at_once, at_once)
        took = {name: [] for name in others}
        for _ in range(rounds):
            for name, port in others.items():
                took[name].append(burst(port, count, at_once))
                time.sleep(0.3)
    finally:
        plain.kill()
        plain.wait()
        if "tcpserver" in others:
            tcpserver.kill()
            tcpserver.wait()
        os.remove(FILE)
        run("listenctl", "reload")
        run("systemctl", "stop", "burst.socket")
    print("# series " + json.dumps(took), flush=True)
    middle = {name: sorted(values)[len(values) // 2] / 1e6 for name, values in took.items()}
    for name, value in middle.items():
        print(f"# {count} connections, a process for each, {at_once} at once: {name} {value:.0f} ms"
              + ("" if name == "listend" else f", listend's ratio to it {middle['listend'] / value:.2f}"), flush=True)
