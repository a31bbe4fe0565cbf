# What a case of a fleet may use, next to tests/Field/lib.sh: three hosts, each with a network, file system, process numbers and sshd
# of its own, and this case's network in front of them, as 10.77.0.1.

FLEET=$CORPUS
# A minute: ssh and Ansible are slow on a busy machine.
PATIENCE=1200
HOSTS="web1 web2 web3"
FRONT=10.77.0.1

# address HOST: its address.
address() {
    echo "10.77.0.1${1#web}"
}

# fleet: boots the hosts.
fleet() {
    local host
    unset LISTEND_CONTROL
    mount -t tmpfs run /run
    mkdir -p /run/netns
    ip link add bridge type bridge
    ip address add "$FRONT/24" dev bridge
    ip link set bridge up
    ssh-keygen -q -t ed25519 -N '' -f "$DIR/key"
    ssh-keygen -q -t ed25519 -N '' -f "$DIR/host-key"
    for host in $HOSTS; do
        boot "$host"
        echo "$host,$(address "$host") $(cut -d ' ' -f 1,2 host-key.pub)" >> known_hosts
        printf 'Host %s\n  HostName %s\n' "$host" "$(address "$host")" >> ssh_config
    done
    printf 'Host *\n  User root\n  IdentityFile %s\n  UserKnownHostsFile %s\n  StrictHostKeyChecking yes\n' "$DIR/key" "$DIR/known_hosts" >> ssh_config
    # Programs that run ssh find this one first.
    mkdir bin
    printf '#!/bin/sh\nexec /usr/bin/ssh -F %s "$@"\n' "$DIR/ssh_config" > bin/ssh
    chmod 755 bin/ssh
    PATH=$DIR/bin:$PATH
    for host in $HOSTS; do eventually ssh "$host" true; done
}

# boot HOST: starts a host as a copy of this one's file system.
boot() {
    local host=$1 root=$DIR/hosts/$1/root
    mkdir -p "$DIR/hosts/$host"
    mount -t tmpfs "$host" "$DIR/hosts/$host"
    mkdir "$DIR/hosts/$host/upper" "$DIR/hosts/$host/work" "$root"
    mount -t overlay "$host" -o "lowerdir=/,upperdir=$DIR/hosts/$host/upper,workdir=$DIR/hosts/$host/work" "$root"
    mount -t tmpfs run "$root/run"
    mount -t tmpfs tmp "$root/tmp"
    mount --rbind /dev "$root/dev"
    rm -rf "$root/var/lib/man-db/auto-update" "$root/etc/listend" "$root/root/.ssh" "$root/root/.ansible"
    mkdir -p "$root/run/sshd" "$root/etc/listend" "$root/etc/fleet" "$root/srv"
    install -m 600 "$DIR/host-key" "$root/etc/fleet/host-key"
    install -m 644 "$DIR/key.pub" "$root/etc/fleet/authorized_keys"
    cp "$FLEET/listend.init" "$root/etc/init.d/listend"
    cat > "$root/etc/fleet/sshd_config" <<END
HostKey /etc/fleet/host-key
AuthorizedKeysFile /etc/fleet/authorized_keys
Subsystem sftp internal-sftp
PermitRootLogin prohibit-password
StrictModes no
PidFile none
UsePAM no
END
    ip netns add "$host"
    ip link add "$host" type veth peer name eth0 netns "$host"
    ip link set "$host" master bridge up
    ip -n "$host" address add "$(address "$host")/24" dev eth0
    ip -n "$host" link set eth0 up
    ip -n "$host" link set lo up
    ip netns exec "$host" unshare --mount --pid --uts --ipc --fork --kill-child chroot "$root" /bin/sh -c '
        mount -t proc proc /proc
        hostname "$0"
        exec /usr/sbin/sshd -D -e -f /etc/fleet/sshd_config' "$host" > "$DIR/hosts/$host.log" 2>&1 &
    echo "$!" > "$DIR/hosts/$host.pid"
}

# end HOST NAME SIGNAL: sends a signal to the process of /run/NAME.pid and waits until it has exited.
end() {
    ssh "$1" "kill -$3 \$(cat /run/$2.pid); while kill -0 \$(cat /run/$2.pid) 2> /dev/null; do sleep 0.05; done"
}

# kill_host HOST: every process of the host ends at once.
kill_host() {
    kill -KILL "$(cat "$DIR/hosts/$1.pid")"
}

# with_listend: installs listend's executables on each host, without the package.
with_listend() {
    local host
    for host in $HOSTS; do cp -r "$PROGRAMS/." "$DIR/hosts/$host/root/usr/bin"; done
}

# configuration: /etc/listend/listend.toml of a host.
configuration() {
    cat <<'END'
[daemon]
metrics = "0.0.0.0:9469"

[listener.web]
address = "tcp://*:8080"

[service.api]
command = ["/srv/api/current/api"]
listeners = ["web"]
workers = 2
stop_timeout = "10s"
rollout = { settle = "200ms" }
END
}

# release NAME [good|bad]: makes the archive api-NAME.tar.gz of a release.
release() {
    local folder=releases/$1
    mkdir -p "$folder"
    if [ "${2:-good}" = good ]; then
        printf '#!/bin/sh\nRELEASE=%s exec hello\n' "$1" > "$folder/api"
    else
        printf '#!/bin/sh\necho "this release is broken" >&2\nexit 1\n' > "$folder/api"
    fi
    chmod 755 "$folder/api"
    tar -C "$folder" -czf "api-$1.tar.gz" api
}

# etcd_cluster: a member of etcd on each host. ETCDCTL_ENDPOINTS has them all.
etcd_cluster() {
    local host members= endpoints=
    for host in $HOSTS; do
        members=$members,$host=http://$(address "$host"):2380
        endpoints=$endpoints,$(address "$host"):2379
    done
    export ETCDCTL_ENDPOINTS=${endpoints#,}
    for host in $HOSTS; do
        ssh "$host" "setsid etcd --name $host --data-dir /var/lib/etcd --heartbeat-interval 200 --election-timeout 2000 \
            --listen-peer-urls http://$(address "$host"):2380 --initial-advertise-peer-urls http://$(address "$host"):2380 \
            --listen-client-urls http://0.0.0.0:2379 --advertise-client-urls http://$(address "$host"):2379 \
            --initial-cluster ${members#,} > /var/log/etcd.log 2>&1 < /dev/null & echo \$! > /run/etcd.pid"
    done
    eventually sh -c 'etcdctl put ready yes > /dev/null 2>&1'
}

# balancer: HAProxy with the example's configuration and this fleet's addresses, on port 8000.
balancer() {
    local host
    sed -e 's/192\.0\.2\.1\([1-3]\)/10.77.0.1\1/' -e 's/inter 1s/inter 200ms/' "$SOURCES/packaging/fleet/haproxy.cfg" > haproxy.cfg
    haproxy -db -f haproxy.cfg > haproxy.log 2>&1 &
    for host in $HOSTS; do eventually sh -c "curl -sf http://$(address "$host"):9469/readyz > .answer"; done
    eventually sh -c "curl -sf http://$FRONT:8000/ > .answer"
}

# load: 1,000 requests a second on the balancer, each on a new connection, until unload.
load() {
    dotnet "$SOURCES/tests/Load.Tool/bin/Release/net10.0/listend-load.dll" --target 127.0.0.1:8000 --rate 1000 --seconds 280 --json > load.json &
    LOAD=$!
}

# unload: ends the load. No request may have failed.
unload() {
    kill -TERM "$LOAD"
    wait "$LOAD" || fail "requests were lost: $(head -c 1500 load.json)"
    out=$(python3 -c 'import json; print(json.load(open("load.json"))["requests"])')
    [ "$out" -gt 1000 ] || fail "only $out requests"
}

# serving HOST: the releases of the host's workers.
serving() {
    ssh "$1" 'for pid in $(listenctl status --json | python3 -c "import json, sys
for service in json.load(sys.stdin)[\"services\"]:
    for worker in service[\"workers\"]: print(worker[\"pid\"])"); do tr "\0" "\n" < /proc/$pid/environ | sed -n s/^RELEASE=//p; done | sort -u'
}
