# Worker of listeners that are not sockets of clients: writes the names and kinds of its descriptors to ./got, then everything that it
# reads from the first of them, a line each. With --idle it reads nothing.
import ctypes, os, socket, stat, sys

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 243, "aarch64": 183}[os.uname().machine]  # mq_timedreceive


def receive(fd):
    data = ctypes.create_string_buffer(65536)
    length = libc.syscall(number, fd, data, ctypes.c_size_t(65536), None, None)
    return data.raw[:length] if length >= 0 else os.read(fd, 65536)


def kind(fd):
    link, mode = os.readlink(f"/proc/self/fd/{fd}"), os.fstat(fd).st_mode
    if stat.S_ISSOCK(mode):
        with socket.socket(fileno=os.dup(fd)) as one:
            return f"{one.family.name}:{one.type.name}:{one.proto}"
    return {stat.S_IFIFO: "fifo", stat.S_IFCHR: "character", stat.S_IFREG: "file"}[stat.S_IFMT(mode)] + ":" + link


def say(text):
    with open("got", "a") as out:
        out.write(text + "\n")


assert os.environ["LISTEN_PID"] == str(os.getpid())
count = int(os.environ["LISTEN_FDS"])
for at, name in enumerate(os.environ["LISTEN_FDNAMES"].split(":")):
    say(f"{name} {kind(3 + at)}")
if "--idle" in sys.argv:
    import time
    time.sleep(1000)
while True:
    say("read " + repr(receive(3)[:40]))
