# What aiowire is built on: libuv, Lua, and the headers of OpenSSL. All that is
# missing is reported together.

set(missing "")
set(missing_packages "")

# Sets <prefix>_FOUND and makes PkgConfig::<prefix> from the first of the given
# pkg-config names that is installed.
function(aiowire_find prefix label package)
  if(PkgConfig_FOUND)
    foreach(spec IN LISTS ARGN)
      pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL ${spec})
      if(${prefix}_FOUND)
        # CMake does not find -l:libuv.a itself.
        set_target_properties(PkgConfig::${prefix} PROPERTIES
          INTERFACE_LINK_DIRECTORIES "${${prefix}_LIBRARY_DIRS}")
        set(${prefix}_VERSION "${${prefix}_VERSION}" PARENT_SCOPE)
        set(${prefix}_INCLUDE_DIRS "${${prefix}_INCLUDE_DIRS}" PARENT_SCOPE)
        set(${prefix}_LIBRARY_DIRS "${${prefix}_LIBRARY_DIRS}" PARENT_SCOPE)
        set(${prefix}_STATIC_LDFLAGS "${${prefix}_STATIC_LDFLAGS}" PARENT_SCOPE)
        string(REGEX REPLACE "[>=].*" "" package_name ${spec})
        set(${prefix}_PACKAGE ${package_name} PARENT_SCOPE)
        return()
      endif()
    endforeach()
  endif()
  set(missing ${missing} ${label} PARENT_SCOPE)
  set(missing_packages ${missing_packages} ${package} PARENT_SCOPE)
endfunction()

find_package(PkgConfig QUIET)
if(NOT PkgConfig_FOUND)
  list(APPEND missing "pkg-config")
  list(APPEND missing_packages "pkg-config")
endif()
if(AIOWIRE_STATIC_UV)
  set(uv_names "libuv-static>=1.42")
else()
  set(uv_names "libuv>=1.42")
endif()
aiowire_find(UV "libuv >= 1.42" libuv1-dev ${uv_names})

# ── Lua ─────────────────────────────────────────────────────────────────────

# A project that has aiowire as a part may bring a Lua of its own, as the target
# aiowire::lua. Then nothing is searched.
set(notes "")
if(AIOWIRE_LUA)
  include(${CMAKE_CURRENT_LIST_DIR}/lua.cmake)
  set(aiowire_lua_RELEASE "of this project")
  if(NOT TARGET aiowire::lua)
    # The module and the libraries alone need its headers only.
    set(needs "")
    if(AIOWIRE_HOST OR AIOWIRE_TESTS)
      set(needs LIBRARY)
    endif()
    aiowire_find_lua(${AIOWIRE_LUA_VERSION} GLOBAL ${needs})
    if(NOT aiowire_lua_FOUND)
      list(APPEND missing "Lua ${AIOWIRE_LUA_VERSION} headers")
      list(APPEND missing_packages liblua${AIOWIRE_LUA_VERSION}-dev)
      foreach(note IN LISTS aiowire_lua_ERROR aiowire_lua_OTHERS)
        string(APPEND notes "\n    Lua: ${note}")
      endforeach()
      string(APPEND notes "
    Lua elsewhere:  cmake -DLUA_DIR=PREFIX, see docs/embedding.md
    Without Lua:    cmake -DAIOWIRE_LUA=OFF builds the library for C programs")
      set(LUA_NEWER_VERSION "")
      if(PkgConfig_FOUND)
        pkg_search_module(LUA_NEWER QUIET lua5.5 lua-5.5 lua55 "lua>=5.5")
      endif()
      if(NOT LUA_NEWER_VERSION
          AND aiowire_lua_OTHERS MATCHES "Lua (5\\.5\\.[0-9]+)")
        set(LUA_NEWER_VERSION ${CMAKE_MATCH_1})
      endif()
      if(LUA_NEWER_VERSION AND AIOWIRE_LUA_VERSION STREQUAL "5.4")
        string(APPEND notes "
    Lua ${LUA_NEWER_VERSION} is not supported yet; to try it:
                    cmake -DAIOWIRE_LUA_VERSION=5.5, see docs/embedding.md")
      endif()
    endif()
  endif()
endif()

string(JOIN "," lua_include_dirs
  "$<TARGET_PROPERTY:aiowire::lua" "INTERFACE_INCLUDE_DIRECTORIES>")

# ── OpenSSL ─────────────────────────────────────────────────────────────────

# Its headers only: aw.tls opens the library at run time. pkg-config may know
# another folder than those that the compiler searches; the compiler decides.
add_library(aiowire_openssl_headers INTERFACE)
if(AIOWIRE_TLS)
  if(PkgConfig_FOUND)
    pkg_check_modules(AIOWIRE_OPENSSL QUIET openssl>=3.0)
  endif()
  target_include_directories(aiowire_openssl_headers SYSTEM INTERFACE
    ${AIOWIRE_OPENSSL_INCLUDE_DIRS})
  set(CMAKE_REQUIRED_INCLUDES ${AIOWIRE_OPENSSL_INCLUDE_DIRS})
  check_c_source_compiles("#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#if OPENSSL_VERSION_MAJOR != 3
#error
#endif
int main(void) { return 0; }" AIOWIRE_SEES_OPENSSL)
  unset(CMAKE_REQUIRED_INCLUDES)
  if(NOT AIOWIRE_SEES_OPENSSL)
    # They may have been installed before the next run.
    unset(AIOWIRE_SEES_OPENSSL CACHE)
    list(APPEND missing "OpenSSL 3 headers")
    list(APPEND missing_packages libssl-dev)
    string(APPEND notes "
    Without TLS:    cmake -DAIOWIRE_TLS=OFF builds all but aw.tls")
  endif()
endif()

if(missing)
  list(JOIN missing ", " missing)
  list(JOIN missing_packages " " missing_packages)
  message(FATAL_ERROR "aiowire: missing build dependencies: ${missing}
    Debian/Ubuntu:  sudo apt-get install ${missing_packages}
    or run:         ./dev run${notes}")
endif()

# A flag of the compiler, or a folder that it searches by itself, may bring the
# header of another Lua than the one that was found.
if(aiowire_lua_FOUND)
  string(REGEX REPLACE "^([0-9]+)\\.([0-9]+)\\.([0-9]+)$"
    "\\1*10000+\\2*100+\\3" lua_number ${aiowire_lua_RELEASE})
  set(lua_test "#include <lua.h>
#if LUA_VERSION_RELEASE_NUM != (${lua_number})
#error
#endif
int main(void) { return 0; }")
  string(MD5 lua_key
    "${aiowire_lua_INCLUDE_DIR} ${lua_number} ${CMAKE_C_FLAGS}")
  set(CMAKE_REQUIRED_FLAGS "-isystem \"${aiowire_lua_INCLUDE_DIR}\"")
  check_c_source_compiles("${lua_test}" AIOWIRE_SEES_LUA_${lua_key})
  unset(CMAKE_REQUIRED_FLAGS)
  if(NOT AIOWIRE_SEES_LUA_${lua_key})
    message(FATAL_ERROR "aiowire: the compiler does not see \
${aiowire_lua_INCLUDE_DIR}/lua.h, of Lua ${aiowire_lua_RELEASE}, but another \
lua.h: by CFLAGS, by CPATH, or in a folder such as /usr/local/include")
  endif()
endif()

if(AIOWIRE_LUA)
  message(STATUS "libuv ${UV_VERSION}, Lua ${aiowire_lua_RELEASE}: \
${aiowire_lua_INCLUDE_DIR} ${aiowire_lua_ARCHIVE} ${aiowire_lua_LIBRARY}")
  if(NOT AIOWIRE_LUA_VERSION STREQUAL "5.4")
    message(WARNING
      "aiowire supports Lua 5.4; Lua ${aiowire_lua_RELEASE} is a trial")
  endif()
else()
  message(STATUS "libuv ${UV_VERSION}, without Lua")
endif()
