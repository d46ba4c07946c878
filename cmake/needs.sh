# shellcheck shell=sh
# The packages that commands of ./dev need, and how the missing ones are
# installed. ./dev reads this file; it has say(), die() and on_off().

have() { command -v "$1" >/dev/null 2>&1; }
have_pc() { have pkg-config && pkg-config --exists "$1"; }
have_lua_headers() {
  have_pc lua5.4 || have_pc lua-5.4 || have_pc lua54 ||
    have_pc 'lua >= 5.4 lua < 5.5'
}
have_openssl_headers() {
  [ "$(on_off "${AIOWIRE_TLS:-ON}")" = OFF ] || have_pc 'openssl >= 3.0'
}
have_busted() {
  have lua5.4 && lua5.4 -e \
    'os.exit(package.searchpath("busted.runner", package.path) ~= nil)'
}

# libzmq for sockets at run time, and pyzmq as the peer of their specs; the
# program openssl makes certificates for the specs of TLS, and is their peer.
# Without them those specs are skipped. Only their names in Debian are known
# here.
have_libzmq() { ldconfig -p 2>/dev/null | grep -q 'libzmq\.so\.5'; }
have_pyzmq() { /usr/bin/python3 -c 'import zmq' 2>/dev/null; }
# The program opens it at run time, to edit lines at the prompt.
have_libedit() { ldconfig -p 2>/dev/null | grep -q 'libedit\.so\.2'; }

missing=
miss() { missing="$missing $1"; }

# Clients for servers of ours, libraries of Lua with event loops of their own,
# and libedit. Specs are skipped without them.
wanted=
want() { wanted="$wanted $1"; }
have_rock() { have lua5.4 && lua5.4 -l "$1" -e '' 2>/dev/null; }
want_loops() {
  have_rock luv || want lua-luv
  have_rock cqueues || want lua-cqueues
  [ -e /usr/share/lua/5.3/http/server.lua ] || want lua-http
  have_rock socket || want lua-socket
  [ -e /usr/share/lua/5.3/redis.lua ] || want lua-redis
  have redis-server || want redis-server
}
have_nc() { nc -h 2>&1 | grep -q 'OpenBSD netcat'; }
want_clients() {
  have curl || want curl
  have nc.openbsd || have_nc || want netcat-openbsd
  have socat || want socat
  have wrk || want wrk
  have redis-cli || want redis-tools
  have ip || want iproute2
}

# need GROUP…: install the missing packages of the groups.
need() {
  for group; do
    case $group in
    build)
      { have cc && { have make || have ninja; }; } || miss build-essential
      have cmake || miss cmake
      have pkg-config || miss pkg-config
      have_pc 'libuv >= 1.42' || miss libuv1-dev
      have_lua_headers || miss liblua5.4-dev
      have_openssl_headers || miss libssl-dev
      ;;
    lua) have lua5.4 || miss lua5.4 ;;
    specs)
      have_busted || miss lua-busted
      ! have apt-get || have_libzmq || miss libzmq5
      ! have apt-get || have_pyzmq || miss python3-zmq
      ! have apt-get || have openssl || miss openssl
      ! have apt-get || want_clients
      ! have apt-get || want_loops
      ! have apt-get || have_libedit || want libedit2
      ;;
    lint)
      have luacheck || miss lua-check
      have clang-format || miss clang-format
      have clang || miss clang
      have clang-tidy || miss clang-tidy
      have gcc || miss gcc
      have cppcheck || miss cppcheck
      ! have apt-get || have shellcheck || want shellcheck
      ;;
    format) have clang-format || miss clang-format ;;
    package) have dpkg-shlibdeps || miss dpkg-dev ;;
    debian) PATH=$PATH:/usr/sbin have debootstrap || miss debootstrap ;;
    valgrind) have valgrind || miss valgrind ;;
    coverage)
      have gcovr || miss gcovr
      have luac5.4 || ! have lua5.4 || miss lua5.4 # group lua names it, too
      ;;
    # As for sockets: the test `count` is skipped without it.
    count) ! have apt-get || have valgrind || miss valgrind ;;
    esac
  done
  [ -z "$missing" ] || install_missing
  [ -z "$wanted" ] || install_wanted
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "as root: $*"
  fi
}

# apt PACKAGE…: install packages of Debian. It prints hundreds of lines, which
# are shown if it fails.
apt() {
  said=$(mktemp)
  if ! (
    as_root apt-get update -qq &&
      as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@"
  ) </dev/null >"$said" 2>&1; then
    cat "$said" >&2
    rm -f "$said"
    return 1
  fi
  rm -f "$said"
}

install_missing() {
  say "missing:$missing"
  if ! have apt-get; then
    say "Install these; names elsewhere:
  Fedora:   dnf install gcc make cmake pkgconf libuv-devel lua-devel lua \
            openssl-devel
  Arch:     pacman -S base-devel cmake libuv lua openssl
  Homebrew: brew install cmake pkg-config libuv lua@5.4 openssl@3
  and busted for Lua 5.4: luarocks --lua-version 5.4 install busted"
    exit 1
  fi
  [ "$(id -u)" -eq 0 ] || have sudo ||
    die "run this as root: apt-get install$missing"
  say "installing them by apt-get"
  # shellcheck disable=SC2086 # lists of words
  apt $missing || die "could not install:$missing"
  missing=
  hash -r
}

# In a subshell: what is only wanted stops nobody.
install_wanted() {
  say "installing:$wanted"
  # shellcheck disable=SC2086
  (apt $wanted) || say "could not install:$wanted"
  wanted=
  hash -r
}
