# needs PROGRAM PACKAGE: if the program is missing, prints the command that installs it and exits.
needs() {
    command -v "$1" >/dev/null || { echo "$1 is not installed; run: apt-get install -y --no-install-recommends $2" >&2; exit 1; }
}
