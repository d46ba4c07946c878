#!/bin/sh
# versions.sh - the tests with other versions of what aiowire is built on
#
# Called by ./dev versions, by hand only. It builds the given sources, each into
# a prefix of its own below build/versions/, then aiowire with them, and runs
# the tests. Nothing is fetched and nothing outside build/ is changed.
set -eu
root=$(cd "$(dirname -- "$0")/../.." && pwd)

help() {
  cat <<'END'
usage: ./dev versions [NAME=VALUE …] [-- ctest args]

  lua=DIR      sources of Lua: the folder with lua.h
  uv=DIR       sources of libuv
  zmq=DIR      sources of libzmq
  cc=COMPILER  such as clang, or musl-gcc (default cc)
  flags=FLAGS  of the compiler and the linker, such as -m32
  core=1       libaiowire and its tests in C only, without Lua

What is not given is that of the system; musl-gcc and -m32 need uv=DIR and
core=1. Another version than Lua 5.4 needs busted, with its modules in C, for
that version in LUA_PATH and LUA_CPATH. Examples:

  ./dev versions lua=../lua-5.4.8 uv=../libuv-1.52.1
  ./dev versions uv=../libuv-1.52.1 cc=musl-gcc core=1
  ./dev versions uv=../libuv-1.52.1 flags=-m32 core=1
END
}

say() { printf '%s\n' "$*" >&2; }
die() { say "versions: $*"; exit 1; }
cpus() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

lua='' uv='' zmq='' cc=cc flags='' core=''
while [ $# -gt 0 ]; do
  case $1 in
  lua=* | uv=* | zmq=*)
    # shellcheck disable=SC2034 # eval
    folder=$(cd "${1#*=}" && pwd) || die "no folder: ${1#*=}"
    eval "${1%%=*}=\$folder"
    ;;
  cc=*) cc=${1#*=} ;;
  flags=*) flags=${1#*=} ;;
  core=*) core=${1#*=} ;;
  --) shift && break ;;
  *) help >&2 && exit 2 ;;
  esac
  shift
done
[ -n "$lua$uv$zmq$flags$core" ] || [ "$cc" != cc ] || { help; exit 0; }
cd "$root"

# The folder of all that these compilers and flags make.
tools=$(printf '%s' "$cc$flags" | tr -c 'A-Za-z0-9.+-' _)
made=$root/build/versions/$tools
mkdir -p "$made"
log=$made/log

quiet() {
  if ! "$@" >"$log" 2>&1; then
    tail -50 "$log" >&2
    die "failed: $*"
  fi
}

# musl-gcc has no headers of the kernel, which libuv needs.
if [ "$cc" = musl-gcc ]; then
  kernel=$made/kernel
  mkdir -p "$kernel"
  for name in linux asm-generic; do ln -sfn "/usr/include/$name" "$kernel/"; done
  ln -sfn "/usr/include/$(gcc -print-multiarch)/asm" "$kernel/asm"
  flags="$flags -idirafter $kernel"
fi

# The compiler of C++ beside the one of C. The test in C++ is not built if there
# is none: the one of the system has another C library than musl-gcc.
case $cc in
*musl*) cxx='' ;;
*clang*) cxx=$(printf '%s' "$cc" | sed 's/clang/clang++/') ;;
*gcc*) cxx=$(printf '%s' "$cc" | sed 's/gcc/g++/') ;;
*) cxx=c++ ;;
esac

# with_cmake DIR PREFIX OPTION…: build and install, once.
with_cmake() {
  source=$1 prefix=$2
  shift 2
  [ ! -f "$prefix/done" ] || return 0
  say "building $source"
  quiet cmake -S "$source" -B "$prefix/build" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib "$@"
  quiet cmake --build "$prefix/build" --parallel "$(cpus)"
  quiet cmake --install "$prefix/build"
  touch "$prefix/done"
}

# Lua's own makefile installs no .pc file and no name with a version.
build_lua() {
  prefix=$1
  # An expression from Lua 5.5 on.
  number=$(printf '#include "lua.h"\nLUA_VERSION_NUM\n' |
    $cc -E -P -I"$lua" - | tail -1)
  # shellcheck disable=SC2004 # without the $, some shells read no 0x
  number=$(($number))
  version=$((number / 100)).$((number % 100))
  [ ! -f "$prefix/done" ] || return 0
  say "building $lua"
  mkdir -p "$prefix/build" "$prefix/bin" "$prefix/include" \
    "$prefix/lib/pkgconfig"
  # Its path leads to another place than that of the system's modules. The
  # tests set LUA_PATH_5_4, so that LUA_PATH is not read.
  path=${LUA_PATH:-$(lua5.4 -e 'print(package.path)')}
  cpath=${LUA_CPATH:-$(lua5.4 -e 'print(package.cpath)')}
  for file in "$lua"/l*.c; do
    name=$(basename "$file" .c)
    case $name in luac | ltests) continue ;; esac
    # shellcheck disable=SC2086 # a list of flags
    quiet $cc $flags -O2 -fPIC -DLUA_USE_LINUX -DLUA_COMPAT_5_3 \
      -DLUA_PATH_DEFAULT="\"$path\"" -DLUA_CPATH_DEFAULT="\"$cpath\"" \
      -c "$file" -o "$prefix/build/$name.o"
  done
  mv "$prefix/build/lua.o" "$prefix/main.o"
  quiet ar rcs "$prefix/lib/liblua$version.a" "$prefix"/build/*.o
  # shellcheck disable=SC2086
  quiet $cc $flags -Wl,-E -o "$prefix/bin/lua$version" "$prefix/main.o" \
    "$prefix"/build/*.o -lm -ldl
  for name in lua luaconf lualib lauxlib; do
    cp "$lua/$name.h" "$prefix/include"
  done
  cat >"$prefix/lib/pkgconfig/lua$version.pc" <<END
libdir=$prefix/lib
Name: Lua
Description: Lua
Version: $version
Libs: -L$prefix/lib -llua$version -lm -ldl
Cflags: -I$prefix/include
END
  touch "$prefix/done"
}

# CMake itself runs with libuv, so a path of libraries in the environment would
# let it run with that one. The path of our programs says where theirs is;
# libzmq is opened by its name.
names='' paths='' rpath='' set_lua=''
use() {
  names="$names-$(basename "$1")"
  paths="$paths:$2/lib/pkgconfig"
}
if [ -n "$uv" ]; then
  prefix=$made/$(basename "$uv")
  with_cmake "$uv" "$prefix" -DLIBUV_BUILD_TESTS=OFF \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_C_FLAGS="$flags"
  use "$uv" "$prefix"
  rpath=$prefix/lib
fi
if [ -n "$zmq" ]; then
  prefix=$made/$(basename "$zmq")
  with_cmake "$zmq" "$prefix" -DBUILD_TESTS=OFF -DBUILD_STATIC=OFF \
    -DWITH_PERF_TOOL=OFF -DWITH_DOCS=OFF -DENABLE_CPACK=OFF -DENABLE_CURVE=ON \
    -DWITH_LIBSODIUM=ON -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags"
  use "$zmq" "$prefix"
  export LD_LIBRARY_PATH="$prefix/lib"
fi
if [ -n "$lua" ]; then
  prefix=$made/$(basename "$lua")
  build_lua "$prefix"
  use "$lua" "$prefix"
  # Tests call it by this name.
  [ "$version" = 5.4 ] || ln -sf "lua$version" "$prefix/bin/lua5.4"
  PATH=$prefix/bin:$PATH
  export PATH
  set_lua="-DAIOWIRE_LUA_VERSION=$version \
    -DAIOWIRE_LUA_PROGRAM=$prefix/bin/lua$version"
fi

build=$made/aiowire$names${core:+-core}
export PKG_CONFIG_PATH="${paths#:}"
[ -z "$core" ] || set_lua=-DAIOWIRE_LUA=OFF
say "building $build"
# shellcheck disable=SC2086
quiet cmake -S . -B "$build" -DCMAKE_C_COMPILER="$cc" \
  -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_C_FLAGS="$flags" \
  -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O2 -g" -DCMAKE_BUILD_RPATH="$rpath" $set_lua
quiet cmake --build "$build" --parallel "$(cpus)"
grep -A 6 'warning:' "$log" >&2 || true
# The tests of an installed prefix compile without these flags, and for Lua 5.4.
# shellcheck disable=SC2015 # the last command is meant for both
[ -z "$flags" ] && [ "${version:-5.4}" = 5.4 ] || set -- -E '^install' "$@"
[ -z "${NOTEST:-}" ] || exit 0
status=0
ctest --test-dir "$build" --output-on-failure --parallel "$(($(cpus) + 1))" \
  "$@" || status=$?
say "versions: $($cc --version | head -1)${flags:+, $flags}$names: status $status"
exit $status
