# For tests/Field/steering/refused-*.case: listeners with steering, affinity and shards where bpf(2) is refused.
W=$SOURCES/tests/EndToEnd/workers/steered.py
sharded() {
    config <<CONF
[listener.web]
address = "tcp://127.0.0.1:8080"
steering = "generation"

[listener.udp]
address = "udp://127.0.0.1:9000"
affinity = { by = "flow" }

[listener.many]
address = "tcp://127.0.0.1:8081"
shards = $1

[service.w]
command = ["python3", "$W", "tcp"]
environment = { STUBBORN_SECONDS = "0" }
listeners = ["web"]
workers = 2
rollout = { settle = "0s" }

[service.u]
command = ["python3", "$W", "udp"]
listeners = ["udp"]
rollout = { settle = "0s" }

[service.m]
command = ["python3", "$W", "tcp"]
environment = { STUBBORN_SECONDS = "0" }
listeners = ["many"]
workers = $1
rollout = { settle = "0s" }
CONF
}

# lacks REASON WRAPPER...: the daemon under the wrapper does all that it does elsewhere, and says why it does not steer.
lacks() {
    local reason=$1
    shift
    sharded 2
    MARK=0
    "$@" listend run --config "$DIR/listend.toml" --log-format json --log-level debug > daemon.out 2> daemon.log &
    DAEMON=$!
    eventually_ready
    eventually ready_is w 2
    eventually ready_is u 1
    eventually ready_is m 2
    same "$(listener_of web "(l['steering']['mode'], l['selection']['by'], len(l['sockets']))")" "('none', 'none', 1)"
    for listener in web udp; do
        listener_of "$listener" "l['steering']['reason']" | grep -q -- "$reason" || fail "$(listener_of "$listener" "l['steering']")"
    done
    run listenctl listeners web
    expect_out "$reason"
    run listenctl --json history web
    json "[e['verdict'] for e in d if e['phase'] == 'steer' and 'all workers share the socket' in (e['note'] or '')]" | grep -q refused
    run "$@" listend check --config "$DIR/listend.toml"
    expect_err "listener.web.steering: the kernel cannot steer here: .*$reason"
    expect_err "listener.udp.affinity.by: the kernel cannot steer here: .*$reason"
    expect_err "listener.many.shards: the kernel selects shards by classic BPF here: .*$reason"
    expect_out "listener many: selection of sockets: classic-bpf: .*$reason"
    run "$@" listenctl --json explain tcp://127.0.0.1:8085
    expect_status 0
    same "$(json "d['selection']['by']")" classic-bpf
    expect_out "$reason"

    cc -O2 -o connections "$WORKERS/connections.c"
    ./connections 8081 100 stop result > load.out 2>&1 &
    load=$!
    run listenctl restart w --wait --timeout 60s
    expect_status 0
    sharded 4
    run listenctl reload --wait
    expect_status 0
    eventually ready_is m 4
    run listenctl --json history many
    json "[e['option'] for e in d if e['option'] == 'SO_ATTACH_REUSEPORT_CBPF' and not e['errno']]" | grep -q CBPF
    same "$(listener_of many "(l['selection']['by'], [s['state'] for s in l['sockets']])")" "('classic-bpf', ['serving', 'serving', 'serving', 'serving'])"
    touch stop
    wait "$load" || fail "$(cat load.out)"
    rm stop
    python3 -c 'import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.settimeout(20)
one.sendto(b"7", ("127.0.0.1", 9000))
sys.exit(not one.recv(99).startswith(b"7 "))' || fail "no answer by UDP"
}
