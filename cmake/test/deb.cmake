# The packages for Debian: what they say, what they have, and that they work
# where they are unpacked. `./dev package --check` installs them.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
begin(deb)

run(sh ${SOURCE}/cmake/deb.sh ${BUILD})
string(REGEX MATCHALL "[^\n]+" packages "${output}")
list(GET packages 0 main)
list(GET packages 1 dev)

# has(field regex) and has_no(field regex): in the control file of `package`.
function(has field regex)
  run(dpkg-deb --field ${package} ${field})
  if(NOT output MATCHES "${regex}")
    message(FATAL_ERROR "${package}: ${field}: ${output}, not ${regex}")
  endif()
endfunction()
function(has_no field regex)
  run(dpkg-deb --field ${package} ${field})
  if(output MATCHES "${regex}")
    message(FATAL_ERROR "${package}: ${field}: ${output}, with ${regex}")
  endif()
endfunction()

# files(folder regexes…): each regex matches a file that `package` has, and no
# file is left that none of them matches.
function(files folder)
  file(GLOB_RECURSE found RELATIVE ${work}/${folder} ${work}/${folder}/*)
  foreach(regex IN LISTS ARGN)
    set(before ${found})
    list(FILTER found EXCLUDE REGEX "^usr/${regex}$")
    if(before STREQUAL found)
      message(FATAL_ERROR "${package} has no ${regex}")
    endif()
  endforeach()
  if(found)
    message(FATAL_ERROR "${package} has ${found}, too")
  endif()
endfunction()

# ── aiowire ─────────────────────────────────────────────────────────────────

set(package ${main})
has(Package "^aiowire\n")
has(Version "^[0-9.]+-1\n")
has(Depends "libc6 \\(>=")
has(Depends "libuv1 \\(>=")
# aw.tls opens it at run time.
has_no(Depends "libssl")
# Lua is inside the program, and the module gets it from lua5.4.
has_no(Depends "lua")
has_no(Depends "aiowire")
if(TLS)
  has(Recommends "libedit2, libssl3, libzmq5\n")
else()
  has(Recommends "libedit2, libzmq5\n")
endif()
run(dpkg-deb --extract ${main} main)
files(main bin/aiowire "lib/libaiowire\\.so\\.[0-9.]+"
  "lib/libaiowire_lua\\.so\\.[0-9.]+" lib/lua/5\\.4/aiowire\\.so
  share/aiowire/lls/aiowire/config\\.json share/aiowire/lls/aiowire/.*\\.lua
  share/man/man1/aiowire\\.1\\.gz share/lintian/overrides/aiowire
  share/doc/aiowire/copyright share/doc/aiowire/changelog\\.gz
  share/doc/aiowire/changelog\\.Debian\\.gz share/doc/aiowire/README\\.md
  share/doc/aiowire/docs/.*\\.md share/doc/aiowire/docs/.*\\.svg
  share/doc/aiowire/examples/.*\\.lua share/doc/aiowire/examples/.*\\.c
  share/doc/aiowire/examples/.*\\.cpp)
run(dpkg-deb --control ${main} control)
file(READ ${work}/control/shlibs shlibs)
if(NOT shlibs MATCHES "^libaiowire [0-9.]+ aiowire \\(>= [0-9.]+\\)\n")
  message(FATAL_ERROR "shlibs: ${shlibs}")
endif()
file(READ ${work}/control/triggers triggers)
if(NOT triggers STREQUAL "activate-noawait ldconfig\n")
  message(FATAL_ERROR "triggers: ${triggers}")
endif()
file(READ ${work}/main/usr/share/doc/aiowire/copyright copyright)
if(NOT copyright MATCHES "\nCopyright: [^\n]*The aiowire authors\n"
    OR NOT copyright MATCHES "Lua\\.org, PUC-Rio"
    OR NOT copyright MATCHES "THE SOFTWARE IS PROVIDED")
  message(FATAL_ERROR "copyright: ${copyright}")
endif()

# ── libaiowire-dev ──────────────────────────────────────────────────────────

set(package ${dev})
has(Package "^libaiowire-dev\n")
has(Depends "^aiowire \\(= [0-9.]+-1\\), libuv1-dev\n")
run(dpkg-deb --extract ${dev} dev)
file(READ_SYMLINK ${work}/dev/usr/share/doc/libaiowire-dev documents)
if(NOT documents STREQUAL "aiowire")
  message(FATAL_ERROR "libaiowire-dev has documents: ${documents}")
endif()
file(REMOVE ${work}/dev/usr/share/doc/libaiowire-dev)
files(dev include/aiowire[a-z_]*\\.h "lib/libaiowire[a-z_]*\\.(a|so)"
  lib/cmake/aiowire/aiowire[A-Za-z-]*\\.cmake
  lib/pkgconfig/aiowire[a-z-]*\\.pc)

# ── they work ───────────────────────────────────────────────────────────────

run(main/usr/bin/aiowire -e "require('aiowire').sleep(0)")
find_program(lua lua5.4)
if(lua)
  set(ENV{LUA_CPATH_5_4} ${work}/main/usr/lib/lua/5.4/?.so)
  run(${lua} -e "assert(require('aiowire').run)")
endif()
find_program(openssl openssl)
if(TLS AND openssl)
  run(main/usr/bin/aiowire main/usr/share/doc/aiowire/examples/37_tls.lua)
  if(NOT output MATCHES "TLSv1")
    message(FATAL_ERROR "no TLS: ${output}")
  endif()
endif()
file(COPY ${work}/main/ DESTINATION ${work}/both)
file(COPY ${work}/dev/ DESTINATION ${work}/both)
set(ENV{PKG_CONFIG_PATH} ${work}/both/usr/lib/pkgconfig)
set(ENV{LD_LIBRARY_PATH} ${work}/both/usr/lib)
run(sh -c "cc ${SOURCE}/examples/embed/countdown.c\
 $(pkg-config --cflags --libs aiowire) -o countdown")
run(./countdown)

# ── the layout of Debian ────────────────────────────────────────────────────

# This build has the layout of /usr/local, so only ask where it would install.
run(${CMAKE_COMMAND} --preset package -S ${SOURCE} -B ${work}/layout
  -G ${GENERATOR} -DCMAKE_C_COMPILER=${CC} -DAIOWIRE_TLS=${TLS})
execute_process(COMMAND dpkg-architecture -qDEB_HOST_MULTIARCH
  OUTPUT_VARIABLE triplet OUTPUT_STRIP_TRAILING_WHITESPACE)
file(READ ${work}/layout/cmake_install.cmake rules)
foreach(folder lib/${triplet} lib/${triplet}/lua/5.4 lib/${triplet}/pkgconfig)
  if(NOT rules MATCHES "/${folder}\"")
    message(FATAL_ERROR "nothing is installed in ${folder}")
  endif()
endforeach()
