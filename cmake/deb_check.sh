#!/bin/sh
# Try the packages of a build in a new Debian, in a folder that is removed
# again: sh cmake/deb_check.sh BUILD
#
# They are installed and used, and when they are removed, no file is left.
set -eu
build=$(cd "$1" && pwd)

die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}
[ "$(id -u)" -eq 0 ] || die "as root: a new Debian cannot be made otherwise"
command -v debootstrap >/dev/null ||
  die "debootstrap is missing: apt-get install debootstrap"

if command -v lintian >/dev/null; then
  # Who builds a package for himself needs no address that gets mail.
  lintian --allow-root --fail-on error,warning --suppress-tags \
    bogus-mail-host,bogus-mail-host-in-debian-changelog,root-in-contact \
    "$build"/*.deb
fi

# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $suite" \
  'Created-By: Packages' 'Component: main' | sed -n 1p)
debian=$(mktemp -d)
chmod 755 "$debian"
trap 'umount "$debian/proc" 2>/dev/null || true; rm -rf "$debian"' EXIT
trap 'exit 1' HUP INT TERM
echo "a new $suite from $mirror, in $debian"
debootstrap --variant=minbase "$suite" "$debian" "$mirror" \
  >"$build/debootstrap.log" 2>&1 || {
  tail "$build/debootstrap.log" >&2
  exit 1
}
mount -t proc proc "$debian/proc" 2>/dev/null || true

cp "$build"/*.deb "$debian/tmp/"
cat >"$debian/tmp/check" <<'END'
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
cd /tmp
get() { apt-get install -y -qq --no-install-recommends "$@" >log 2>&1; }
snapshot() {
  find / -xdev \( -path /proc -o -path /tmp -o -path /var/cache \
    -o -path /var/log -o -path /var/lib/apt -o -path /var/lib/dpkg \
    -o -path /etc/ld.so.cache \) -prune -o -print | sort
}
failed() { cat log; echo "FAILED: $*"; exit 1; }

# What the packages recommend or suggest, and a compiler.
get lua5.4 libzmq5 libssl3 openssl libedit2 gcc libc6-dev pkg-config \
  libuv1-dev liblua5.4-dev man-db || failed "packages of Debian"
snapshot >before

get ./aiowire_*.deb || failed "installing aiowire"
aiowire -e 'aw = require "aiowire" aw.sleep(0.01) print(aw._VERSION)'
lua5.4 -e 'local aw = require "aiowire" aw.run(aw.Call(print, "a module"))'
aiowire -e 'print("libzmq " .. require "aiowire".zmq.version())'
man aiowire | grep -q 'run Lua scripts that may await' || failed "man page"
cd /usr/share/doc/aiowire/examples
aiowire 01_alarm.lua >/dev/null
lua5.4 01_alarm.lua >/dev/null
# Not in a package that was built without it.
if dpkg -s aiowire | grep -q '^Recommends:.*libssl'; then
  aiowire 37_tls.lua | grep -q TLSv1 || failed "a handshake of TLS"
fi
cd /tmp

get ./libaiowire-dev_*.deb || failed "installing libaiowire-dev"
for program in countdown lua_robots; do
  source=/usr/share/doc/aiowire/examples/embed/$program.c
  packages=aiowire
  ! grep -q aiowire_lua.h "$source" || packages=aiowire-lua
  cc "$source" $(pkg-config --cflags --libs "$packages") -o "$program"
  "./$program" >/dev/null
done
cc /usr/share/doc/aiowire/examples/embed/countdown.c \
  $(pkg-config --variable=libdir aiowire)/libaiowire.a -luv -lpthread -ldl \
  -o static
./static >/dev/null

apt-get purge -y -qq aiowire libaiowire-dev >log 2>&1 || failed "removing"
ldconfig -p | grep aiowire && failed "the cache of libraries has some"
snapshot >after
diff before after || failed "these files are left"
echo "installed, used and removed: no file is left"
END
chroot "$debian" sh /tmp/check
