#!/bin/sh
# Installs listend from the folder of this script, or removes it:
#   ./install.sh [--prefix DIR] [--destdir DIR]
#   ./install.sh --uninstall [--prefix DIR] [--destdir DIR]
# The default prefix is /usr/local. With /usr and /usr/local, the configuration is in /etc and the units are in /etc/systemd. With
# another prefix, both are below the prefix. --destdir installs into an image of another root. An existing configuration stays.
# A daemon that runs continues: "listenctl upgrade" then replaces it and loses no connection.
set -eu
umask 022
source=$(cd "$(dirname "$0")" && pwd)
prefix=/usr/local
destdir=
action=install

while [ $# -gt 0 ]; do
    case $1 in
        --prefix | --destdir)
            [ $# -gt 1 ] || { echo "install.sh: $1 needs a folder" >&2; exit 2; }
            case $1 in --prefix) prefix=${2%/} ;; *) destdir=${2%/} ;; esac
            shift
            ;;
        --uninstall) action=uninstall ;;
        --help | -h) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) echo "install.sh: unknown argument \"$1\"; see install.sh --help" >&2; exit 2 ;;
    esac
    shift
done
case $prefix in
    /*) ;;
    *) echo "install.sh: --prefix $prefix: not an absolute path" >&2; exit 2 ;;
esac
case $prefix in
    /usr | /usr/local) etc=/etc units=/etc/systemd ;;
    *) etc=$prefix/etc units=$prefix/lib/systemd ;;
esac
list=$destdir$prefix/share/listend/installed

# Where a file of the tarball is installed.
target() {
    case $1 in
        etc/*) echo "$etc/${1#etc/}" ;;
        lib/systemd/system/* | lib/systemd/user/*) echo "$units/${1#lib/systemd/}" ;;
        *) echo "$prefix/$1" ;;
    esac
}

uninstall() {
    [ -e "$list" ] || { echo "install.sh: listend is not installed in $destdir$prefix" >&2; exit 1; }
    while IFS= read -r file; do rm -f "$destdir$file"; done < "$list"
    rm -f "$list"
    for folder in share/doc/listend share/listend; do
        [ ! -d "$destdir$prefix/$folder" ] || find "$destdir$prefix/$folder" -depth -type d -empty -delete
    done
    echo "removed listend from $destdir$prefix; $destdir$etc/listend stays"
}

install_all() {
    mkdir -p "$(dirname "$list")"
    : > "$list.new"
    (cd "$source" && find bin etc lib share ! -type d) | LC_ALL=C sort | while IFS= read -r file; do
        to=$(target "$file")
        if [ "$file" = etc/listend/listend.toml ]; then
            [ ! -e "$destdir$to" ] || continue
        else
            echo "$to" >> "$list.new"
        fi
        mkdir -p "$(dirname "$destdir$to")"
        # A new file, renamed: the program of a running daemon cannot be written.
        case $file in
            bin/* | share/man/* | share/doc/*) cp -P "$source/$file" "$destdir$to.new" ;;
            *)
                if [ -L "$source/$file" ]; then
                    cp -P "$source/$file" "$destdir$to.new"
                else
                    sed -e "s#/usr/local#$prefix#g" -e "s# /etc/listend/# $etc/listend/#g" "$source/$file" > "$destdir$to.new"
                fi
                ;;
        esac
        mv -f "$destdir$to.new" "$destdir$to"
    done
    mv "$list.new" "$list"
    echo "installed listend in $destdir$prefix; its configuration is $destdir$etc/listend/listend.toml"
}

case $action in install) install_all ;; *) uninstall ;; esac
