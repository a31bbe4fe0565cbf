# needs PROGRAM PACKAGE: ends with the command that installs it where a program is missing.
needs() {
    command -v "$1" >/dev/null || { echo "$1 is not installed; run: apt-get install -y --no-install-recommends $2" >&2; exit 1; }
}
