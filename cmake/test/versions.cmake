# Which Lua is found, of several on a machine, and what is said if none fits.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
begin(versions)

fake_lua(${work}/four 5.4.4)
fake_lua(${work}/eight 5.4.8)
fake_lua(${work}/both 5.4.8 liblua5.4.a)
fake_lua(${work}/old 5.3.6)
fake_lua(${work}/new 5.5.0)
fake_lua(${work}/mixed 5.4.8)
file(WRITE ${work}/mixed/lib/liblua.a "$LuaVersion: Lua 5.4.4  Copyright")

# ── the search alone ────────────────────────────────────────────────────────

file(WRITE ${work}/find/CMakeLists.txt "cmake_minimum_required(VERSION 3.21)
project(find NONE)
find_package(PkgConfig QUIET)
include(${SOURCE}/cmake/lua.cmake)
string(REPLACE : \";\" CMAKE_PREFIX_PATH \"\${PLACES}\")
aiowire_find_lua(5.4 \${NEEDS})
foreach(name FOUND RELEASE INCLUDE_DIR LIBRARY PACKAGE ARCHIVE ERROR OTHERS)
  string(REPLACE ${work}/ \"\" \${name} \"\${aiowire_lua_\${name}}\")
endforeach()
message(\"\${RELEASE} \${INCLUDE_DIR} \${LIBRARY} \${ARCHIVE} \${PACKAGE}|\")
message(\"\${FOUND}: \${ERROR} \${OTHERS}\")
if(TARGET aiowire::lua)
  get_target_property(include aiowire::lua INTERFACE_INCLUDE_DIRECTORIES)
  if(NOT include STREQUAL aiowire_lua_INCLUDE_DIR)
    message(\"\${include} differs\")
  endif()
endif()
")
set(ENV{PKG_CONFIG_LIBDIR} ${work}/pc)
set(ENV{PKG_CONFIG_PATH} "")

# finds(text options…): the configuration prints that.
function(finds text)
  file(REMOVE_RECURSE ${work}/build)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${work}/find -B ${work}/build
    -DNEEDS=LIBRARY ${ARGN} OUTPUT_VARIABLE out ERROR_VARIABLE out)
  string(FIND "${out}" "${text}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${ARGN}: not ${text}\n${out}")
  endif()
endfunction()

set(archive "lib/liblua.a")
set(eight "5.4.8 eight/include eight/${archive} eight/${archive} |\nTRUE:")
finds("${eight}" -DLUA_DIR=${work}/eight)
finds("${eight}" -DLUA_INCDIR=${work}/eight/include)
finds("${eight}" -DLUA_INCLUDE_DIR=${work}/eight/include
  -DLUA_LIBRARY=${work}/eight/${archive})
finds("${eight}" -DLUA_LIBDIR=${work}/eight/lib)
finds("${eight}" -DLUA_INCDIR=${work}/eight/include -DLUA_LIBDIR=
  -DLUA_DIR=LUA_DIR-NOTFOUND)
finds("${eight}" -DPLACES=${work}/old:${work}/eight)
finds("${eight}" -DPLACES=${work}/mixed:${work}/eight)
finds("5.4.8 both/include both/lib/liblua5.4.a" -DLUA_DIR=${work}/both)

# A module needs headers only, whatever LuaRocks says of the library.
finds("5.4.8 eight/include   |\nTRUE:" -DNEEDS= -DLUA_LIBDIR=${work}/none
  -DLUA_INCDIR=${work}/eight/include)

# Two Luas are not mixed.
finds("FALSE: no lua.h and library of one Lua 5.4 in eight/include, four/lib \
four/${archive} is of Lua 5.4.4" -DLUA_INCDIR=${work}/eight/include
  -DLUA_LIBDIR=${work}/four/lib)
finds("FALSE: no lua.h and library of one" -DLUA_DIR=${work}/mixed)
finds("FALSE: no lua.h and library of one" -DLUA_DIR=${work}/none)
finds("old/include/lua.h is of Lua 5.3.6" -DLUA_DIR=${work}/old)

# pkg-config says where it is; the archive is the one beside it.
lua_pc(lua 5.4.8 ${work}/eight)
finds("5.4.8 eight/include eight/${archive} eight/${archive} lua|\nTRUE:")
finds("5.4.4 four/include four/${archive} four/${archive} |\nTRUE:"
  -DLUA_DIR=${work}/four)
lua_pc(lua5.4 5.4.8 ${work}/mixed)
finds("FALSE: lua5.4.pc mixes two: mixed/include/lua.h is of Lua 5.4.8, and\
 mixed/${archive} of Lua 5.4.4")
lua_pc(lua 5.3.6 ${work}/old)
finds("${eight}" -DPLACES=${work}/eight)

# ── the configuration ───────────────────────────────────────────────────────

# configure(options…): sets `output`, in one line, and `status`.
function(configure)
  file(REMOVE_RECURSE ${work}/build)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${work}/build
    -G ${GENERATOR} -DCMAKE_C_COMPILER=${CC} -DAIOWIRE_TESTS=OFF
    -DAIOWIRE_TLS=${TLS} ${ARGN}
    RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
  string(REGEX REPLACE "[ \n]+" " " text "${text}")
  set(output "${text}" PARENT_SCOPE)
  set(status ${status} PARENT_SCOPE)
endfunction()

# Where there is a newer Lua only, it says so, and what to do.
configure(-DLUA_DIR=${work}/new)
if(status EQUAL 0 OR NOT output MATCHES "Lua 5\\.5\\.0 is not supported yet"
    OR NOT output MATCHES "-DAIOWIRE_LUA_VERSION=5\\.5"
    OR NOT output MATCHES "-DAIOWIRE_LUA=OFF")
  message(FATAL_ERROR "${output}")
endif()
configure(-DLUA_DIR=${work}/new -DAIOWIRE_LUA_VERSION=5.5)
if(NOT status EQUAL 0 OR NOT output MATCHES "Lua 5\\.5\\.0 is a trial")
  message(FATAL_ERROR "${output}")
endif()

# The program and its archive are linked to what the headers belong to.
configure(-DLUA_DIR=${work}/eight)
file(GLOB_RECURSE rules ${work}/build/build.ninja ${work}/build/*.make
  ${work}/build/*/link.txt)
set(linked FALSE)
foreach(file IN LISTS rules)
  file(STRINGS ${file} lines REGEX "liblua[^_ ]*\\.(a|so)")
  if(lines MATCHES "liblua5" OR output MATCHES "lua5\\.4")
    message(FATAL_ERROR "another Lua: ${lines}")
  elseif(lines MATCHES "eight/lib/liblua\\.a")
    set(linked TRUE)
  endif()
endforeach()
if(NOT status EQUAL 0 OR NOT linked)
  message(FATAL_ERROR "not linked: ${output}")
endif()

file(READ ${work}/build/aiowire-lua.pc pc)
if(NOT pc MATCHES "-laiowire_lua ${work}/eight/lib/liblua\\.a -lm"
    OR NOT pc MATCHES "Cflags: [^\n]* -I${work}/eight/include\n"
    OR pc MATCHES "Requires:[^\n]*lua")
  message(FATAL_ERROR "${pc}")
endif()

# A flag that brings other headers is noticed, and an older Lua is none.
configure(-DLUA_DIR=${work}/eight -DCMAKE_C_FLAGS=-I${work}/four/include)
if(status EQUAL 0 OR NOT output MATCHES "does not see .*of Lua 5\\.4\\.8")
  message(FATAL_ERROR "${output}")
endif()
configure(-DLUA_DIR=${work}/old)
if(status EQUAL 0 OR NOT output MATCHES "missing build dependencies: Lua 5\\.4"
    OR NOT output MATCHES "old/include/lua.h is of Lua 5\\.3\\.6")
  message(FATAL_ERROR "${output}")
endif()
