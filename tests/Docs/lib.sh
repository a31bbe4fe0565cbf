# What the case of a page may use, beside tests/Field/lib.sh. A case begins with "page PATH", runs each shell block and applies each
# TOML block of the page, as they stand there. A block that it forgets fails it.

# page PATH: reads the blocks of a page: .blocks/sh.1, .blocks/toml.1 and so on, numbered for each language.
page() {
    PAGE=$1
    mkdir .blocks .code .done
    awk '/^```/ { if (open) { open = 0; close(file) } else { open = 1; language = substr($0, 4); file = ".blocks/" language "." ++count[language] } next }
        open { print > file }' "$SOURCES/$PAGE"
    rm -f .blocks/.[0-9]* 2> /dev/null || true
    find .blocks -type f ! -name 'sh.*' ! -name 'toml.*' -exec mv -t .code {} +
    trap complete EXIT
}

complete() {
    local status=$? block
    [ "$status" = 0 ] || exit "$status"
    for block in "$DIR"/.blocks/*; do
        [ -e "$DIR/.done/${block##*/}" ] || fail "$PAGE: nothing runs block ${block##*/}: $(head -n 1 "$block")"
    done
}

# block LANGUAGE.N: the file of a block, which now counts as run.
block() {
    [ -e "$DIR/.blocks/$1" ] || fail "$PAGE has no block $1"
    touch "$DIR/.done/$1"
    BLOCK=$DIR/.blocks/$1
}

# code LANGUAGE.N PATH: writes a block of another language to a file, as the page has it.
code() {
    mkdir -p "$(dirname "$2")"
    cp "$DIR/.code/$1" "$2" || fail "$PAGE has no block $1"
}

# step N: runs shell block N in this shell. Each command has to succeed.
step() {
    block "sh.$1"
    . "$BLOCK" > "$DIR/.out" 2> "$DIR/.err" < /dev/null || fail "$PAGE, block sh.$1: $(tail -n 5 "$DIR/.err")"
}

# failing_step N: runs shell block N, whose commands may fail, and keeps its output.
failing_step() {
    block "sh.$1"
    set +e
    . "$BLOCK" > "$DIR/.out" 2> "$DIR/.err" < /dev/null
    set -e
}

# terminal N: runs shell block N in another terminal, which stays open. $TERMINAL is its pid.
terminal() {
    block "sh.$1"
    ( . "$BLOCK" ) >> "$DIR/terminal.out" 2>> "$DIR/daemon.log" < /dev/null &
    TERMINAL=$!
}

# lines N FIRST [LAST]: runs some lines of shell block N in this shell, each on its own.
lines() {
    block "sh.$1"
    sed -n "$2,${3:-$2}p" "$BLOCK" > "$DIR/.lines"
    . "$DIR/.lines" > "$DIR/.out" 2> "$DIR/.err" < /dev/null || fail "$PAGE, block sh.$1, lines $2 to ${3:-$2}: $(tail -n 5 "$DIR/.err")"
}

# follow N LINE REGEX: runs one line of shell block N that does not end by itself until its output matches, then interrupts it.
follow() {
    block "sh.$1"
    sed -n "$2p" "$BLOCK" > "$DIR/.follow"
    setsid bash "$DIR/.follow" > "$DIR/.followed" 2>&1 < /dev/null &
    local pid=$!
    eventually grep -qE -- "$3" "$DIR/.followed"
    kill -INT -- "-$pid" 2> /dev/null || true
    kill -TERM -- "-$pid" 2> /dev/null || true
    wait "$pid" || true
}

# elsewhere BLOCK REASON: another test runs this block.
elsewhere() {
    block "$1"
}

# apply N: merges TOML block N into the host's configuration, which has to be valid.
apply() {
    block "toml.$1"
    python3 "$SOURCES/tests/Docs/merge.py" /etc/listend/listend.toml "$BLOCK"
    run listend check
    expect_status 0
}

# configure N: TOML block N becomes the host's configuration, which has to be valid.
configure() {
    block "toml.$1"
    cp "$BLOCK" /etc/listend/listend.toml
    run listend check
    expect_status 0
}

# valid N: TOML block N is a valid configuration by itself.
valid() {
    block "toml.$1"
    run listend check --config "$BLOCK"
    expect_status 0
}

# host: a fresh host. /etc, /usr, /srv, /var and /root may be changed and are as before when the case ends. listend is installed as
# the package does it, and users of the pages exist. The working directory is the test's folder.
host() {
    local folder
    mkdir .overlay
    mount -t tmpfs overlay .overlay
    for folder in etc usr srv var root home; do
        mkdir -p ".overlay/$folder/upper" ".overlay/$folder/work"
        mount -t overlay overlay -o "lowerdir=/$folder,upperdir=.overlay/$folder/upper,workdir=.overlay/$folder/work" "/$folder"
    done
    mount -t tmpfs run /run
    export HOME=/root
    unset LISTEND_CONTROL
    RUN=/run/listend
    mkdir -p /etc/listend /srv
    cp -r "$PROGRAMS/." /usr/bin
    PATH=/usr/bin:/bin:/usr/sbin:/sbin
    useradd --system --no-create-home api
    useradd --system --create-home deploy
    useradd --system --no-create-home www-data 2> /dev/null || true
}

# api [WORKERS]: the host serves release 41 as service api on listener web.
api() {
    local release
    for release in 41 42; do
        mkdir -p "/srv/api/releases/$release"
        cat > "/srv/api/releases/$release/api" <<END
#!/bin/sh
exec python3 $WORKERS/notify.py --text $release --ignore HUP "\$@"
END
        chmod 755 "/srv/api/releases/$release/api"
    done
    ln -sfn /srv/api/releases/41 /srv/api/current
    cat > /etc/listend/listend.toml <<END
[listener.web]
address = "tcp://127.0.0.1:8080"

[service.api]
command = ["/srv/api/current/api"]
listeners = ["web"]
workers = ${1:-2}
stop_timeout = "2s"
rollout = { settle = "0s" }
END
    serve
}

# serve: starts the daemon with /etc/listend/listend.toml and waits until it is ready.
serve() {
    touch "$DIR/daemon.log"
    MARK=$(wc -l < "$DIR/daemon.log")
    listend run --log-format json >> "$DIR/daemon.out" 2>> "$DIR/daemon.log" < /dev/null &
    DAEMON=$!
    (cd "$DIR" && eventually_ready)
}

# stand_in [PROGRAM...]: a systemctl that starts the daemon where it would start listend.service, and programs that do nothing:
# what the pages use and this host has not.
stand_in() {
    local program
    for program in "$@"; do printf '#!/bin/sh\n' > "/usr/bin/$program"; done
    cat > /usr/bin/systemctl <<EOF
#!/bin/bash
case "\$*" in *"enable --now listend" | "restart listend") ;; *) exit 0 ;; esac
listend run --log-format json > /dev/null 2>> $DIR/daemon.log < /dev/null &
until [ -S /run/listend/control.sock ]; do sleep 0.05; done
EOF
    for program in systemctl "$@"; do chmod 755 "/usr/bin/$program"; done
}

# through_restart SERVICE COMMAND...: restarts a service while a client repeats the command without pause. The command must always
# succeed. "curl -sf URL" is a client with a connection for each request.
through_restart() {
    local service=$1 client
    shift
    eventually "$@" > "$DIR/.answer"
    (while "$@" > "$DIR/.answer" 2>&1; do :; done; cp "$DIR/.answer" "$DIR/.failed") &
    client=$!
    run listenctl restart "$service" --wait
    expect_status 0
    kill "$client" 2> /dev/null || true
    wait "$client" || true
    [ ! -e "$DIR/.failed" ] || fail "a request failed during the restart of $service: $(tail -n 3 "$DIR/.failed")"
}

# clone: a fresh clone of the project in ~/listend with its executables built. The working directory is the clone.
clone() {
    git clone -q "file://$SOURCES" ~/listend
    mkdir -p ~/listend/artifacts
    cp -r "$PROGRAMS" ~/listend/artifacts/publish
    find ~/listend/artifacts -type f -exec touch {} +
    cd ~/listend
}
