"""What listend-lock and listend-register share: etcdctl, which reads the ETCDCTL_* variables (endpoints, certificates, user)."""
import ctypes
import os
import shutil
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
NOT_REACHED = 3  # as in listenctl


class EtcdError(Exception):
    """etcd cannot be reached, or refused: the message of etcdctl."""


def endpoints():
    """The endpoints as etcdctl reads them."""
    return os.environ.get("ETCDCTL_ENDPOINTS") or "127.0.0.1:2379"


def die_with_parent():
    """In a child: SIGKILL when the parent has exited (prctl(2)), so nothing keeps a lease alive for a killed program."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def require(program, package):
    """Ends the program with the remedy if another program is missing."""
    if shutil.which(program) is None:
        fail(f"{program} is not in PATH: apt-get install {package}", NOT_REACHED)


def fail(message, status):
    """Ends the program with a message."""
    print(f"{os.path.basename(sys.argv[0])}: {message}", file=sys.stderr)
    sys.exit(status)


def start(*arguments):
    """Starts an etcdctl that runs on, and ends with this program. Its standard output is a pipe."""
    return subprocess.Popen(
        ["etcdctl", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=die_with_parent)


def etcdctl(*arguments, text=""):
    """Runs one command with a value as its standard input and returns its output."""
    done = subprocess.run(
        ["etcdctl", *arguments], input=text, capture_output=True, text=True, check=False, preexec_fn=die_with_parent)
    if done.returncode != 0:
        raise EtcdError(reason(done.stderr))
    return done.stdout


def reason(errors):
    """The last line of etcdctl's errors that is not its log."""
    lines = [line for line in errors.splitlines() if line.strip() and not line.startswith("{")]
    return lines[-1].removeprefix("Error: ") if lines else "etcdctl failed"
