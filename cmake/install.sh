#!/bin/sh
# What ./dev install and ./dev uninstall do to a prefix:
#
#   sh cmake/install.sh install STAGE PREFIX   copy the files of STAGE/PREFIX
#   sh cmake/install.sh uninstall PREFIX       remove them
#   sh cmake/install.sh hints PREFIX           tell how to use them from there
#
# PREFIX/share/aiowire/manifest lists what was installed, relative to the
# prefix. A line that ends in a slash is a folder that was not there before. So
# a later install removes the files of an older version that it does not have,
# and uninstalling needs neither the build nor the sources.
set -eu
umask 022
export LC_ALL=C

die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

command=$1
shift
stage=
if [ "$command" = install ]; then
  stage=$1
  shift
fi
prefix=${1%/}
manifest=$prefix/share/aiowire/manifest

# removable: the lines of standard input that name something in the prefix.
removable() { grep -vE '^/|(^|/)\.\.(/|$)' || true; }

# remove: the files, and the folders if they are empty, that standard input
# lists. In reverse order, a folder follows what is in it.
remove() {
  removable | sort -r | while IFS= read -r path; do
    case $path in
    ./) rmdir "${prefix:-/}" 2>/dev/null || true ;;
    */) rmdir "$prefix/$path" 2>/dev/null || true ;;
    *) rm -f "$prefix/$path" ;;
    esac
  done
}

# folders: those folders of the files in standard input that this install or an
# earlier one has made.
folders() {
  while IFS= read -r path; do
    echo ./
    while [ "$path" != "${path%/*}" ]; do
      path=${path%/*}
      printf '%s/\n' "$path"
    done
  done | sort -u | while IFS= read -r folder; do
    if [ ! -d "$prefix/$folder" ] || grep -qxF "$folder" "$lists/old"; then
      printf '%s\n' "$folder"
    fi
  done
}

# put FILE: a copy takes its place at once, so that a program which uses the old
# one goes on.
put() {
  [ ! -d "$prefix/$1" ] || die "a folder is in the way: $prefix/$1"
  mkdir -p "$prefix/$(dirname "$1")"
  rm -f "$prefix/$1.new"
  cp -P "$stage$prefix/$1" "$prefix/$1.new"
  mv -f "$prefix/$1.new" "$prefix/$1"
}

install() {
  lists=$(mktemp -d)
  trap 'rm -rf "$lists"' EXIT
  trap 'exit 1' HUP INT TERM
  (cd "$stage$prefix" && find . ! -type d | sed 's|^\./||') >"$lists/files"
  echo share/aiowire/manifest >>"$lists/files"
  touch "$lists/old"
  [ ! -f "$manifest" ] || cp "$manifest" "$lists/old"
  { cat "$lists/files"; folders <"$lists/files"; } | sort -u >"$lists/new"

  # Until all is done, the manifest lists what was there before, too.
  mkdir -p "$prefix/share/aiowire"
  sort -u "$lists/old" "$lists/new" >"$manifest"
  sed '$d' "$lists/files" | while IFS= read -r file; do
    put "$file"
  done
  sort "$lists/old" | comm -23 - "$lists/new" | remove
  cp "$lists/new" "$manifest"
  find_libraries
}

uninstall() {
  [ -f "$manifest" ] ||
    die "'./dev install' has installed nothing in ${prefix:-/}:" \
      "there is no $manifest"
  lists=$(mktemp -d)
  trap 'rm -rf "$lists"' EXIT
  cp "$manifest" "$lists/old"
  remove <"$lists/old"
  find_libraries
}

# Where programs look for shared libraries by themselves, a cache lists them.
find_libraries() {
  case $prefix in
  /usr | /usr/local) [ "$(id -u)" -ne 0 ] || ldconfig 2>/dev/null || true ;;
  esac
}

# folder_of PATTERN: the folder of the first installed file like this.
folder_of() {
  file=$(grep -m 1 "$1" "$manifest") || return 1
  printf '%s/%s\n' "$prefix" "$(dirname "$file")"
}

# extend NAME FOLDER: the line that puts a folder in front of a search path.
extend() {
  echo "export $1=\"$2\${$1:+:\$$1}\""
}

# lua_finds MODULE: does lua5.4 look there by itself? Where there is none yet,
# it will look in the usual prefixes.
lua_finds() {
  if command -v lua5.4 >/dev/null; then
    echo 'os.exit(package.searchpath("aiowire", package.cpath) == ...)' |
      lua5.4 - "$1" 2>/dev/null
  else
    usual
  fi
}

# usual: is this a prefix in which all look by themselves?
usual() { [ "$prefix" = /usr ] || [ "$prefix" = /usr/local ]; }

variables() {
  bin=$(folder_of '^bin/aiowire$')
  modules=$(folder_of '/lua/.*/aiowire\.so$')
  packages=$(folder_of '/aiowire\.pc$')
  case :$PATH: in
  *:"$bin":*) ;;
  *) extend PATH "$bin" ;;
  esac
  lua_finds "$modules/aiowire.so" ||
    echo "export LUA_CPATH_5_4=\"$modules/?.so;;\""
  if ! usual; then
    extend PKG_CONFIG_PATH "$packages"
    extend LD_LIBRARY_PATH "${packages%/pkgconfig}"
  fi
}

hints() {
  echo "installed in $prefix; to remove it: ./dev uninstall \"$prefix\""
  lines=$(variables)
  [ -z "$lines" ] || printf 'to use it from there:\n%s\n' "$lines"
}

"$command"
