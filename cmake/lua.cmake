# Finds Lua for developers; the build and the installed package use it.
#
#   LUA_INCDIR, LUA_INCLUDE_DIR   the folder that has lua.h
#   LUA_LIBDIR                    the folder that has the library
#   LUA_LIBRARY                   the library itself, shared or an archive
#   LUA_DIR                       a prefix, or the sources, with both
#
# If one of these is set, no other place is searched than those that it names.
# Otherwise pkg-config is asked, and then the usual prefixes are searched, since
# Lua's own makefile installs no .pc file.
#
# Headers and library have the same release, 5.4.4 say. Several Luas on one
# machine are common, and a mixture of two crashes at run time.

set(aiowire_lua_places
  LUA_INCDIR LUA_INCLUDE_DIR LUA_LIBDIR LUA_LIBRARY LUA_DIR)

# aiowire_lua_release(out file): the release that lua.h, a shared library or an
# archive says it is, or "".
function(aiowire_lua_release out file)
  set(release "")
  if(file MATCHES "\\.h$")
    file(STRINGS "${file}" lines REGEX "define[ \t]+LUA_(VERSION|RELEASE)")
    foreach(part MAJOR MINOR RELEASE)
      if(lines MATCHES "LUA_VERSION_${part}(_N)?[ \t]+\"?([0-9]+)")
        list(APPEND release ${CMAKE_MATCH_2})
      endif()
    endforeach()
    list(JOIN release . release)
    if(NOT release AND lines MATCHES "\"Lua ([0-9.]+)\"") # before Lua 5.2
      set(release ${CMAKE_MATCH_1})
    endif()
  else()
    set(text "LuaVersion: Lua ([0-9]+[.0-9]*)")
    file(STRINGS "${file}" lines REGEX "${text}" LIMIT_COUNT 1)
    if(lines MATCHES "${text}")
      set(release ${CMAKE_MATCH_1})
    endif()
  endif()
  set(${out} "${release}" PARENT_SCOPE)
endfunction()

# aiowire_lua_library(out release dirs names…): the first library in `dirs` of
# that release, or of an unknown one. Adds others to the variable `others`.
function(aiowire_lua_library out release dirs)
  set(${out} "" PARENT_SCOPE)
  foreach(dir IN LISTS dirs)
    foreach(name IN LISTS ARGN)
      unset(file)
      find_library(file NAMES ${name} PATHS "${dir}" NO_DEFAULT_PATH NO_CACHE)
      if(NOT file)
        continue()
      endif()
      aiowire_lua_release(its "${file}")
      if(its STREQUAL release OR NOT its)
        set(${out} "${file}" PARENT_SCOPE)
        return()
      endif()
      list(APPEND others "${file} is of Lua ${its}")
      set(others "${others}" PARENT_SCOPE)
    endforeach()
  endforeach()
endfunction()

# The macros share the variables of the function below.

# Looks in `include_dirs` and `lib_dirs`. Sets `include_dir`, `release` and, if
# there is one, `library`.
macro(aiowire_lua_search)
  foreach(dir IN LISTS include_dirs)
    unset(header)
    find_file(header NAMES lua.h PATHS "${dir}" NO_DEFAULT_PATH NO_CACHE)
    if(header AND NOT library)
      aiowire_lua_release(its "${header}")
      if(NOT its MATCHES "^${escaped}\\.")
        list(APPEND others "${header} is of Lua ${its}")
        continue()
      endif()
      aiowire_lua_library(found "${its}" "${lib_dirs}" ${shared_names}
        ${archive_names})
      if(found OR NOT include_dir)
        get_filename_component(include_dir "${header}" DIRECTORY)
        set(release ${its})
        set(library "${found}")
      endif()
    endif()
  endforeach()
endmacro()

# aiowire_lua_places(prefix…): sets `include_dirs` and `lib_dirs`.
macro(aiowire_lua_places)
  set(include_dirs "")
  set(lib_dirs "")
  foreach(place IN ITEMS ${ARGN})
    foreach(name lua${version} lua/${version} lua-${version} lua${digits} lua .)
      list(APPEND include_dirs "${place}/include/${name}")
    endforeach()
    list(APPEND include_dirs "${place}" "${place}/src")
    if(CMAKE_LIBRARY_ARCHITECTURE)
      list(APPEND lib_dirs "${place}/lib/${CMAKE_LIBRARY_ARCHITECTURE}")
    endif()
    list(APPEND lib_dirs "${place}/lib" "${place}/lib64" "${place}"
      "${place}/src")
  endforeach()
endmacro()

# The places that the variables name, in `given`.
macro(aiowire_lua_given)
  set(prefixes "")
  if(LUA_DIR)
    list(APPEND prefixes "${LUA_DIR}")
  else()
    # What is not given is near to what is: include/lua5.4, lib/x86_64-….
    foreach(dir IN LISTS given)
      foreach(count 1 2 3)
        list(APPEND prefixes "${dir}")
        get_filename_component(dir "${dir}" DIRECTORY)
      endforeach()
    endforeach()
  endif()
  aiowire_lua_places(${prefixes})
  foreach(name LUA_INCDIR LUA_INCLUDE_DIR)
    if(${name})
      set(include_dirs "${${name}}")
    endif()
  endforeach()
  if(LUA_LIBDIR)
    set(lib_dirs "${LUA_LIBDIR}")
  endif()
  if(LUA_LIBRARY)
    get_filename_component(lib_dirs "${LUA_LIBRARY}" DIRECTORY)
    get_filename_component(shared_names "${LUA_LIBRARY}" NAME)
    set(archive_names ${shared_names})
  endif()
  aiowire_lua_search()
endmacro()

# What pkg-config says. Its folders of headers come first, but the compiler's
# own are not moved by a flag.
macro(aiowire_lua_asked)
  set(names lua${version} lua-${version} lua${digits}
    "lua>=${version} lua<${next}")
  foreach(name IN LISTS names)
    string(REPLACE " " ";" name "${name}")
    pkg_check_modules(aiowire_lua_pc QUIET IMPORTED_TARGET ${global} ${name})
    if(aiowire_lua_pc_FOUND)
      string(REGEX REPLACE "[>=;].*" "" package "${name}")
      break()
    endif()
  endforeach()
  if(aiowire_lua_pc_FOUND)
    set(own ${aiowire_lua_pc_INCLUDE_DIRS})
    list(REMOVE_ITEM own "" ${CMAKE_C_IMPLICIT_INCLUDE_DIRECTORIES})
    unset(header)
    find_file(header NAMES lua.h NO_DEFAULT_PATH NO_CACHE
      PATHS ${own} ${CMAKE_C_IMPLICIT_INCLUDE_DIRECTORIES})
    if(header)
      get_filename_component(include_dir "${header}" DIRECTORY)
      aiowire_lua_release(release "${header}")
    endif()
    foreach(file IN LISTS aiowire_lua_pc_LINK_LIBRARIES)
      if(file MATCHES "lua[^/]*$" AND EXISTS "${file}")
        set(library "${file}")
      endif()
    endforeach()
    if(library)
      aiowire_lua_release(its "${library}")
    endif()
    if(NOT release MATCHES "^${escaped}\\." OR NOT library)
      set(error "pkg-config finds ${package}, but no lua.h of Lua ${version}, \
or no library")
    elseif(its AND NOT its STREQUAL release)
      set(error "${package}.pc mixes two: ${header} is of Lua ${release}, and \
${library} of Lua ${its}")
    endif()
  endif()
endmacro()

# aiowire_find_lua(version [LIBRARY] [GLOBAL]): with LIBRARY, headers alone are
# not enough. Makes the target aiowire::lua and sets, each with the prefix
# aiowire_lua_:
#
#   FOUND         whether the target was made
#   RELEASE       5.4.4, say
#   INCLUDE_DIR   the folder with lua.h
#   LIBRARY       what programs link, or ""
#   ARCHIVE       the archive of the same release, or ""
#   PACKAGE       its name for pkg-config, or ""
#   ERROR         what is wrong, or ""
#   OTHERS        a list of what was found and does not fit
function(aiowire_find_lua version)
  cmake_parse_arguments(PARSE_ARGV 1 arg "LIBRARY;GLOBAL" "" "")
  set(global "")
  if(arg_GLOBAL)
    set(global GLOBAL)
  endif()
  string(REPLACE . "" digits ${version})
  string(REPLACE . "\\." escaped ${version})
  string(REGEX REPLACE ".*\\." "" next ${version})
  math(EXPR next "${next} + 1")
  string(REGEX REPLACE "[0-9]+$" ${next} next ${version})
  set(shared_names lua${version} lua-${version} lua${digits} lua)
  list(TRANSFORM shared_names REPLACE "(.+)" "lib\\1.a"
    OUTPUT_VARIABLE archive_names)
  foreach(name include_dir release library package error others archive)
    set(${name} "")
  endforeach()

  set(given "")
  foreach(name IN LISTS aiowire_lua_places)
    if(${name})
      list(APPEND given "${${name}}")
    endif()
  endforeach()
  if(given)
    aiowire_lua_given()
    if(NOT include_dir OR (arg_LIBRARY AND NOT library))
      list(JOIN given ", " given)
      set(error "no lua.h and library of one Lua ${version} in ${given}")
    endif()
  else()
    if(PkgConfig_FOUND)
      aiowire_lua_asked()
    endif()
    if(NOT package)
      string(REPLACE : ";" prefixes "$ENV{LUA_DIR}:$ENV{CMAKE_PREFIX_PATH}")
      set(prefixes ${CMAKE_PREFIX_PATH} ${prefixes} /usr/local /usr
        ${CMAKE_SYSTEM_PREFIX_PATH})
      list(REMOVE_DUPLICATES prefixes)
      foreach(prefix IN LISTS prefixes)
        if(NOT library)
          aiowire_lua_places("${prefix}")
          aiowire_lua_search()
        endif()
      endforeach()
    endif()
  endif()

  # Beside a library there may be an archive of it.
  if(library MATCHES "\\.a$")
    set(archive "${library}")
  elseif(library AND NOT LUA_LIBRARY)
    get_filename_component(lib_dir "${library}" DIRECTORY)
    aiowire_lua_library(archive "${release}" "${lib_dir}" ${archive_names})
  endif()
  set(found FALSE)
  if(include_dir AND NOT error AND (library OR NOT arg_LIBRARY))
    set(found TRUE)
    add_library(aiowire::lua INTERFACE IMPORTED ${global})
    target_include_directories(aiowire::lua INTERFACE "${include_dir}")
    if(package)
      target_link_libraries(aiowire::lua INTERFACE PkgConfig::aiowire_lua_pc)
    elseif(library)
      target_link_libraries(aiowire::lua INTERFACE "${library}")
      if(library STREQUAL archive)
        target_link_libraries(aiowire::lua INTERFACE m ${CMAKE_DL_LIBS})
      endif()
    endif()
  endif()
  list(REMOVE_DUPLICATES others)
  foreach(name found include_dir release library package error others archive)
    string(TOUPPER ${name} upper)
    set(aiowire_lua_${upper} "${${name}}" PARENT_SCOPE)
  endforeach()
endfunction()
