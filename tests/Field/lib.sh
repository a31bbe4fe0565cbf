# What a case may use. tests/Field/run sources this file and then the case, in an empty folder, as root of its own network, mount
# and PID namespaces. A case fails with the first command that fails.

DIR=$PWD
RUN=$DIR/run
WORKERS=$FIELD/workers
DAEMON=
out= err= status=0
export LISTEND_CONTROL=$RUN/control.sock
# How often "eventually" tries, 20 times a second.
PATIENCE=${PATIENCE:-400}

# Ends the case with a reason.
fail() {
    echo "failed: $*" >&2
    exit 1
}

# file PATH: writes standard input to a file; makes its folder.
file() {
    mkdir -p "$(dirname "$1")"
    cat > "$1"
}

# config: writes listend.toml. Its [daemon] section comes first; a line "[daemon]" of standard input is not allowed.
config() {
    { printf '[daemon]\nruntime_directory = "%s"\n\n' "$RUN"; cat; } > listend.toml
}

# daemon [ARGUMENT...]: starts listend and waits until it is ready.
daemon() {
    begin "$@"
    eventually_ready
}

# begin [ARGUMENT...]: starts listend and does not wait. A daemon that got SIGKILL may take a moment to die (SIGKILL is 9: 0x100).
begin() {
    while [ -n "$DAEMON" ] && [ $(("0x$(awk '/^ShdPnd/ { print $2 }' "/proc/$DAEMON/status" 2>/dev/null || echo 0)" & 0x100)) != 0 ]; do
        sleep 0.01
    done
    touch daemon.log
    MARK=$(wc -l < daemon.log)
    listend run --config "$DIR/listend.toml" --log-format json --log-level debug "$@" >> daemon.out 2>> daemon.log &
    DAEMON=$!
}

eventually_ready() {
    local try=0
    until tail -n "+$((MARK + 1))" daemon.log | grep -q "$(message DaemonReady)"; do
        kill -0 "$DAEMON" 2>/dev/null || fail "the daemon has ended: $(tail -n 5 daemon.log)"
        [ $((try += 1)) -lt "$PATIENCE" ] || fail "the daemon is not ready: $(tail -n 5 daemon.log)"
        sleep 0.05
    done
}

# message NAME: the MESSAGE_ID of this name in src/Supervisor.Core/MessageIds.cs.
message() {
    local id
    id=$(sed -n "s/.*const string $1 = \"\([0-9a-f]*\)\".*/\1/p" "$SOURCES/src/Supervisor.Core/MessageIds.cs")
    [ -n "$id" ] || fail "MessageIds.cs has no message $1"
    echo "$id"
}

# logged NAME|REGEX: succeeds if the daemon has logged a message of this kind, or a line that matches.
logged() {
    case $1 in
        *[!A-Za-z]*) grep -qE -- "$1" daemon.log ;;
        *) grep -q "$(message "$1")" daemon.log ;;
    esac
}

# eventually COMMAND...: repeats the command until it succeeds. A "$(...)" among its words is not repeated: write a function.
eventually() {
    local try=0
    until "$@" 2> .eventually; do
        [ $((try += 1)) -lt "$PATIENCE" ] || fail "did not come true: $*: $(tail -n 3 .eventually)"
        sleep 0.05
    done
}

# run COMMAND...: keeps its standard output in $out, its standard error in $err and its exit status in $status.
run() {
    status=0
    "$@" > .out 2> .err < /dev/null || status=$?
    out=$(tr -d '\0' < .out)
    err=$(tr -d '\0' < .err)
}

expect_status() {
    [ "$status" = "$1" ] || fail "exit status $status instead of $1; output: $out; errors: $err"
}

expect_out() {
    grep -qE -- "$1" .out || fail "no \"$1\" in the output: $(head -c 2000 .out)"
}

expect_err() {
    grep -qE -- "$1" .err || fail "no \"$1\" in the errors: $err"
}

refuse_out() {
    ! grep -qE -- "$1" .out || fail "\"$1\" is in the output: $out"
}

refuse_err() {
    ! grep -qE -- "$1" .err || fail "\"$1\" is in the errors: $err"
}

# metrics_at ADDRESS: sets daemon.metrics in listend.toml.
metrics_at() {
    sed -i "/^runtime_directory/a metrics = \"$1\"" listend.toml
}

# browser: runs a script (standard input) against the web page at 127.0.0.1:9469 in chromium; see tests/Browser/page.mjs.
browser() {
    { echo "export default async ({ open, see, check, run, sleep, address, axeSource }) => {"; cat; echo "};"; } > script.mjs
    node "$SOURCES/tests/Browser/page.mjs" script.mjs
}

# same A B [WHAT]: fails unless the texts are equal.
same() {
    [ "$1" = "$2" ] || fail "${3:-value}: \"$1\" instead of \"$2\""
}

# json EXPRESSION: prints a Python expression of d, the last output parsed as JSON.
json() {
    python3 -c 'import json, sys
d = json.load(open(".out"))
value = eval(sys.argv[1])
print(json.dumps(value) if isinstance(value, (dict, list, bool)) or value is None else value)' "$1"
}

# status_of SERVICE EXPRESSION: prints a Python expression of s, the service in "listenctl status --json".
status_of() {
    run listenctl --json status
    expect_status 0
    json "[$2 for s in d['services'] if s['name'] == '$1'][0]"
}

# listener_of NAME EXPRESSION: prints a Python expression of l, the listener in "listenctl listeners --json".
listener_of() {
    run listenctl --json listeners
    expect_status 0
    json "[$2 for l in d if l['name'] == '$1'][0]"
}

# Conditions for "eventually".
state_is() {
    [ "$(status_of "$1" "s['state']")" = "$2" ]
}

ready_is() {
    [ "$(status_of "$1" "s['ready']")" = "$2" ]
}

ended() {
    ! kill -0 "$1" 2>/dev/null
}

known() {
    grep -vE -- "${DIFFERS:-^$}" "$1" | sed 's/,$//'
}

# beside_supervisord NAME...: runs supervisord.conf under supervisord, then what "listenctl import" makes of it under listend, both
# from the same environment. Its programs write their facts (workers/identity.py) to "$DIR/facts/NAME"; they have to be the same,
# except for lines that match the regular expression $DIFFERS.
beside_supervisord() {
    local name theirs
    mkdir -m 1777 facts
    supervisord -n -l "$DIR/supervisord.log" -j "$DIR/supervisord.pid" -c "$DIR/supervisord.conf" > supervisord.out 2>&1 < /dev/null &
    theirs=$!
    for name in "$@"; do eventually test -e "facts/$name"; done
    kill "$theirs"
    wait "$theirs" || true
    for name in "$@"; do mv "facts/$name" "theirs.$name"; done
    run listenctl import supervisord.conf
    expect_status 0
    mv .out imported.toml
    config < imported.toml
    daemon
    for name in "$@"; do
        eventually test -e "facts/$name"
        diff -u <(known "theirs.$name") <(known "facts/$name") > difference || fail "$name differs: $(grep "^[-+]" difference)"
    done
}

# translates FILE...: the import of the files must be standard input, valid for "listend check --offline", without a long comment.
translates() {
    cat > .wanted
    run listenctl import "$@"
    expect_status 0
    diff .wanted .out || fail "the import is not as expected"
    [ -z "$(grep '^#' .out | awk 'length > 140')" ] || fail "a comment has more than 140 characters"
    listend check --offline --config .out > .checked 2>&1 || fail "the import is not valid: $(cat .checked)"
}
