#!/bin/sh
# Make packages for Debian and its kin from a build with the prefix /usr:
#
#   sh cmake/deb.sh BUILD    BUILD/*.deb
#
# aiowire has the program, the Lua module, both shared libraries and what is to
# be read. libaiowire-dev has what a C program is compiled with. So whoever
# writes Lua installs one file and no headers of libuv.
#
# DEBEMAIL and DEBFULLNAME name the maintainer, as for other tools of Debian.
set -eu
umask 022
export LC_ALL=C

root=$(cd "$(dirname -- "$0")/.." && pwd)
build=$(cd "$1" && pwd)
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:.*=//p' "$build/CMakeCache.txt")
abi=${version%.*}
release=$version-1
arch=$(dpkg --print-architecture)
main=$build/deb/aiowire
dev=$build/deb/libaiowire-dev
: "${SOURCE_DATE_EPOCH:=$(date -r "$root/CHANGELOG.md" +%s)}"
export SOURCE_DATE_EPOCH
maintainer="${DEBFULLNAME:-The aiowire authors} "
maintainer="$maintainer<${DEBEMAIL:-${EMAIL:-$(id -un)@$(uname -n)}}>"

# ── the files ───────────────────────────────────────────────────────────────

# Moves files and folders of the package aiowire into libaiowire-dev.
to_dev() {
  for path; do
    path=${path#"$main/"}
    mkdir -p "$dev/$(dirname "$path")"
    mv "$main/$path" "$dev/$path"
  done
}

stage() {
  rm -rf "$build/deb"
  DESTDIR=$main cmake --install "$build" --prefix /usr >"$build/deb.log"
  lib=$(dirname "$(find "$main" -name pkgconfig)")
  to_dev "$main/usr/include" "$lib/cmake" "$lib/pkgconfig" "$lib"/*.a \
    "$lib/libaiowire.so" "$lib/libaiowire_lua.so"
  # Names of compilers are of no use, and fill archives.
  strip --strip-debug --remove-section=.comment \
    --enable-deterministic-archives "$dev${lib#"$main"}"/*.a
  find "$main/usr/bin" "$lib" -type f \
    -exec strip --strip-unneeded --remove-section=.comment {} +
  find "$main" -name '*.so*' -type f -exec chmod 644 {} +
  gzip -9n "$main"/usr/share/man/man1/*.1
  documents "$main/usr/share/doc/aiowire"
  mkdir -p "$dev/usr/share/doc" "$main/usr/share/lintian/overrides"
  ln -s aiowire "$dev/usr/share/doc/libaiowire-dev"
  cat >"$main/usr/share/lintian/overrides/aiowire" <<END
# The libraries come with the program, which is of the same version.
aiowire: package-name-doesnt-match-sonames
# No upload to Debian.
aiowire: initial-upload-closes-no-bugs
END
}

# The documents that a package of Debian has, in a folder.
documents() {
  {
    cat <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: aiowire
Comment: /usr/bin/aiowire has Lua in it, which is under the same licence,
 Copyright 1994-2022 Lua.org, PUC-Rio.

Files: *
$(sed -n 's/^Copyright (c) /Copyright: /p' "$root/LICENSE")
License: Expat

License: Expat
END
    sed -n '/^Permission/,$ { s/^$/./; s/^/ /; p; }' "$root/LICENSE"
  } >"$1/copyright"
  rm "$1/LICENSE"
  mv "$1/CHANGELOG.md" "$1/changelog"
  cat >"$1/changelog.Debian" <<END
aiowire ($release) unstable; urgency=medium

  * Made by ./dev package. See changelog.gz for what is new.

 -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
  gzip -9n "$1/changelog" "$1/changelog.Debian"
}

# ── control files ───────────────────────────────────────────────────────────

# The packages that have the libraries which are linked.
dependencies() {
  mkdir -p "$build/deb/debian"
  printf 'Source: aiowire\n\nPackage: aiowire\nArchitecture: any\n' \
    >"$build/deb/debian/control"
  (cd "$build/deb" && find aiowire \( -name '*.so' -o -name '*.so.*' -o \
    -path '*/bin/*' \) -type f -exec dpkg-shlibdeps -O --warnings=0 \
    -Laiowire/DEBIAN/shlibs -xaiowire "-l$lib" {} +) |
    sed -n 's/^shlibs:Depends=//p'
}

# pack FOLDER: its package; standard input has more fields for the control file.
pack() {
  size=$(du -sk --apparent-size "$1" | cut -f 1)
  name=$(basename "$1")
  mkdir -p "$1/DEBIAN"
  {
    printf '%s: %s\n' Package "$name" Source aiowire Version "$release" \
      Architecture "$arch" Maintainer "$maintainer" Installed-Size "$size" \
      Priority optional
    cat
  } >"$1/DEBIAN/control"
  (cd "$1" && find usr -type f | sort | xargs -d '\n' md5sum) \
    >"$1/DEBIAN/md5sums"
  file=$build/${name}_${release}_$arch.deb
  dpkg-deb --root-owner-group --build "$1" "$file" >/dev/null
  printf '%s\n' "$file"
}

# ── both packages ───────────────────────────────────────────────────────────

rm -f "$build"/*.deb
stage
mkdir "$main/DEBIAN"
echo "activate-noawait ldconfig" >"$main/DEBIAN/triggers"
for library in libaiowire libaiowire_lua; do
  echo "$library $abi aiowire (>= $version)"
done >"$main/DEBIAN/shlibs"
depends=$(dependencies)
tls=$(sed -n 's/^AIOWIRE_TLS:BOOL=ON$/ON/p' "$build/CMakeCache.txt")
lua=$(dpkg-query -W -f '${source:Package} (= ${source:Version})' \
  liblua5.4-dev 2>/dev/null) || lua=

pack "$main" <<END
${lua:+Built-Using: $lua
}Section: interpreters
Depends: $depends
Recommends: libedit2${tls:+, libssl3}, libzmq5
Suggests: libaiowire-dev, lua5.4
Description: concurrent Lua programs made of wires
 Wires are small immutable values that say what happens next: timers,
 channels, sockets, TLS, processes, files, threads and ZeroMQ, with
 time-outs, cancelling and clean-up.
 .
 This package has the program aiowire, which runs Lua 5.4 scripts that may
 await, the module for lua5.4, and the shared libraries for C programs.
END
pack "$dev" <<END
Section: libdevel
Depends: aiowire (= $release), libuv1-dev
Recommends: liblua5.4-dev, pkg-config
Description: concurrent programs made of wires, for C programs
 Headers, static libraries, and files for pkg-config and CMake. The library
 libaiowire needs libuv alone; libaiowire_lua brings the Lua module to C
 programs that embed Lua 5.4.
END
