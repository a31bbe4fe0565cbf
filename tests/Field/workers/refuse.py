"""refuse.py ERRNO CALL... -- COMMAND...: executes a command for which seccomp(2) refuses these system calls, as the filter of an older
container runtime does; CALL:N only with this number as the first argument. For x86-64 and arm64."""
import ctypes
import errno
import os
import platform
import struct
import sys

CALLS = {
    "x86_64": {"bpf": 321, "execveat": 322, "pidfd_send_signal": 424, "pidfd_open": 434, "clone3": 435, "close_range": 436,
               "openat2": 437, "pidfd_getfd": 438},
    "aarch64": {"bpf": 280, "execveat": 281, "pidfd_send_signal": 424, "pidfd_open": 434, "clone3": 435, "close_range": 436,
                "openat2": 437, "pidfd_getfd": 438},
}[platform.machine()]
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
PR_SET_SECCOMP, FILTER = 22, 2

end = sys.argv.index("--")
number = getattr(errno, sys.argv[1])
program = []
for call in sys.argv[2:end]:
    name, _, argument = call.partition(":")
    refuse = (RETURN, 0, 0, REFUSE | number)
    # struct seccomp_data: the number of the call at 0, its first argument at 16.
    first = [(LOAD, 0, 0, 16), (EQUAL, 0, 1, int(argument))] if argument else []
    program += [(LOAD, 0, 0, 0), (EQUAL, 0, len(first) + 1, CALLS[name]), *first, refuse]
program.append((RETURN, 0, 0, ALLOW))
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
fprog = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
# Root needs no PR_SET_NO_NEW_PRIVS for it, which would change what the daemon may do.
if libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.c_char_p(fprog), 0, 0) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[end + 1], sys.argv[end + 1:])
