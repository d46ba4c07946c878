# What aiowire is built on: libuv, and Lua. All that is missing is reported
# together.

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
if(AIOWIRE_LUA)
  set(lua lua${AIOWIRE_LUA_VERSION})
  string(REPLACE "." "" lua_digits ${lua})
  string(REGEX REPLACE ".*\\." "" lua_next ${AIOWIRE_LUA_VERSION})
  math(EXPR lua_next "${lua_next} + 1")
  set(lua_next 5.${lua_next})
  aiowire_find(LUA "Lua ${AIOWIRE_LUA_VERSION} headers" lib${lua}-dev ${lua}
    lua-${AIOWIRE_LUA_VERSION} ${lua_digits}
    "lua>=${AIOWIRE_LUA_VERSION} lua<${lua_next}")
  if(PkgConfig_FOUND AND NOT LUA_FOUND)
    pkg_search_module(LUA_NEWER QUIET lua5.5 lua-5.5 lua55 "lua>=5.5")
  endif()
endif()
if(LUA_NEWER_FOUND)
  message(FATAL_ERROR "aiowire: Lua ${LUA_NEWER_VERSION} is not supported yet, "
    "and Lua ${AIOWIRE_LUA_VERSION} is not found.
    Debian/Ubuntu:  sudo apt-get install ${missing_packages}
    Without Lua:    cmake -DAIOWIRE_LUA=OFF builds the library for C programs
    To try it:      cmake -DAIOWIRE_LUA_VERSION=5.5, see docs/embedding.md")
endif()
if(missing)
  list(JOIN missing ", " missing)
  list(JOIN missing_packages " " missing_packages)
  message(FATAL_ERROR "aiowire: missing build dependencies: ${missing}
    Debian/Ubuntu:  sudo apt-get install ${missing_packages}
    or run:         ./dev run")
endif()
if(AIOWIRE_LUA)
  message(STATUS "libuv ${UV_VERSION}, Lua ${LUA_VERSION}")
  if(NOT AIOWIRE_LUA_VERSION STREQUAL "5.4")
    message(WARNING "aiowire supports Lua 5.4; Lua ${LUA_VERSION} is a trial")
  endif()
else()
  message(STATUS "libuv ${UV_VERSION}, without Lua")
endif()
