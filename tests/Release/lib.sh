# What a case may use, beside tests/Field/lib.sh.

RELEASE=$SOURCES/artifacts/release
case $(uname -m) in x86_64) ARCH=amd64 RID=x64 IMAGE='listend-*-oci.tar' ;; aarch64) ARCH=arm64 RID=arm64 IMAGE='listend-*-oci-arm64.tar' ;; esac

# artifact PATTERN: the file of the release that matches.
artifact() {
    local found
    found=$(cd "$RELEASE" && ls -d $1 2> /dev/null) || fail "$RELEASE has no $1: make release"
    [ "$(echo "$found" | wc -l)" = 1 ] || fail "$RELEASE has several files $1: $found"
    echo "$RELEASE/$found"
}

# The version of the release.
version() {
    local file
    file=$(basename "$(artifact "listend-*-linux-$RID.tar.gz")" "-linux-$RID.tar.gz")
    echo "${file#listend-}"
}

# load ADDRESS: makes requests until "unload".
load() {
    python3 "$SOURCES/tests/Release/load.py" "$1" "$DIR/load.json" > load.out 2>&1 &
    LOAD=$!
    eventually test -e load.json.begun
}

# unload: ends the load. No request may be lost.
unload() {
    kill -TERM "$LOAD"
    wait "$LOAD" || fail "requests were lost: $(cat load.json load.out)"
    rm -f load.json.begun
}

# containers: podman for this case: storage of its own, and one tree of cgroups, which podman wants. Limits that this case may not raise
# stay as they are.
containers() {
    mount --make-rprivate /
    if [ -d /sys/fs/cgroup/unified ]; then mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; fi
    # crun gives the standard input of a container, which is /dev/null, to the container's user: this case has a node of its own.
    mkdir storage podman-run device
    mount -t tmpfs -o size=64k device device
    mknod -m 0666 device/null c 1 3
    mount --bind device/null /dev/null
    trap 'end_containers $?' EXIT
}

end_containers() {
    [ "$1" = 0 ] || { pod ps -a; pod logs c | tail -n 8; }
    pod rm -f -a -t 1 > /dev/null 2>&1 || true
}

pod() {
    podman --root "$DIR/storage" --runroot "$DIR/podman-run" --storage-driver vfs --cgroup-manager cgroupfs --events-backend file "$@"
}

# in_container ARGUMENT...: podman run without cgroups, in the network of this case.
in_container() {
    pod run --cgroups disabled --network host --ulimit "nofile=$(ulimit -n):$(ulimit -n)" --ulimit "nproc=$(ulimit -u):$(ulimit -u)" "$@"
}

# image [NAME] < listend.toml: an image of the release with the worker "hello", busybox and this configuration.
image() {
    local name=${1:-service}
    mkdir -p "$name"
    cat > "$name/listend.toml"
    cp "$PROGRAMS/hello" "$(command -v busybox)" "$name"
    pod load -q -i "$(artifact "$IMAGE")" > /dev/null
    printf 'FROM localhost/listend:%s\nCOPY hello busybox /srv/\nCOPY listend.toml /etc/listend/listend.toml\n' "$(version)" > "$name/Containerfile"
    buildah --root "$DIR/storage" --runroot "$DIR/podman-run" --storage-driver vfs build -q -t "$name" "$name" > /dev/null
}

# ctl CONTAINER ARGUMENT...: listenctl in a container.
ctl() {
    local container=$1
    shift
    pod exec "$container" /usr/bin/listenctl "$@"
}

answers() {
    curl -fsS --max-time 5 "$1" > .answer
}

# base NAME PROGRAM FILE...: an image with files of this machine and the libraries that the program needs: the images of the examples are
# not to be had here.
base() {
    local name=$1 program=$2 file
    shift 2
    mkdir "$name"
    for file in "$program" "$@" $({ ldd "$program"; find "$@" -name '*.so' -exec ldd {} + 2> /dev/null; } | grep -o '/[^ ]*' | grep -v ':$' | sort -u); do
        [ ! -e "$file" ] || cp -rL --parents "$file" "$name" 2> /dev/null || fail "cannot copy $file"
    done
    mkdir -p "$name/tmp" "$name/etc"
    chmod 1777 "$name/tmp"
    mkdir -p "$name/bin"
    cp -L "$(command -v busybox)" "$name/bin/busybox"
    for file in sh chmod chown; do ln -s busybox "$name/bin/$file"; done
    printf 'FROM scratch\nCOPY . /\nENV PATH=/usr/bin:/bin:/usr/share/dotnet DOTNET_ROOT=/usr/share/dotnet DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 HOME=/tmp\n' \
        > "$name.Containerfile"
    build "$name" "$name" -f "$name.Containerfile"
}

# build NAME FOLDER [ARGUMENT...]
build() {
    local name=$1 folder=$2
    shift 2
    buildah --root "$DIR/storage" --runroot "$DIR/podman-run" --storage-driver vfs build -q --pull-never -t "$name" "$@" "$folder" > build.log 2>&1 \
        || fail "$(tail -n 5 build.log)"
}

# example NAME FOLDER BASE: an image of packaging/examples, on the image of the release.
example() {
    pod load -q -i "$(artifact "$IMAGE")" > /dev/null
    build "$1" "$2" --build-arg "LISTEND=localhost/listend:$(version)" --build-arg "BASE=localhost/$3"
}
