# What is installed for C programs: libraries, headers, the package for CMake
# and the files for pkg-config.

install(TARGETS aiowire_shared aiowire_static EXPORT aiowire
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES core/include/aiowire.h core/include/aiowire_zmq.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(AIOWIRE_LUA)
  # An export set of its own, so that the core can be used without Lua.
  install(TARGETS aiowire_lua_shared aiowire_lua_static aiowire_headers
    EXPORT aiowire_lua
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES lua/include/aiowire_lua.h lua/include/aiowire_module.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()

# ── the package for CMake ───────────────────────────────────────────────────

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/aiowire)
install(EXPORT aiowire NAMESPACE aiowire:: DESTINATION ${config_dir}
  FILE aiowireTargets.cmake)
# Not with a Lua of the project around, which is nobody else's.
if(AIOWIRE_LUA AND aiowire_lua_FOUND)
  install(EXPORT aiowire_lua NAMESPACE aiowire:: DESTINATION ${config_dir}
    FILE aiowireLuaTargets.cmake)
endif()

# For programs that link the archives: libuv as an archive, too, if there is
# one, so that `cc -static` works.
pkg_check_modules(UV_ARCHIVE QUIET libuv-static>=1.42)
set(uv_package ${UV_PACKAGE}>=1.42)
if(UV_ARCHIVE_FOUND)
  set(uv_package libuv-static>=1.42)
endif()
configure_package_config_file(
  cmake/aiowireConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/aiowireConfig.cmake
  INSTALL_DESTINATION ${config_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/aiowireConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/aiowireConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/aiowireConfigVersion.cmake
  DESTINATION ${config_dir})
if(AIOWIRE_LUA)
  install(FILES cmake/lua.cmake DESTINATION ${config_dir}
    RENAME aiowireLua.cmake)
endif()

# ── pkg-config ──────────────────────────────────────────────────────────────

# What only static programs link is in Requires.private and Libs.private. The
# first moves with libuv, and brings what libuv needs in turn.
string(REGEX REPLACE "([^>=]+)(>=)(.*)" "\\1 \\2 \\3" pc_uv ${uv_package})
set(pc_private ${CMAKE_THREAD_LIBS_INIT})
foreach(name IN LISTS CMAKE_DL_LIBS)
  string(APPEND pc_private " -l${name}")
endforeach()

# Lua is another package, or a library that has none.
set(pc_lua_package "")
set(pc_lua_flags "")
set(pc_lua_libs "")
if(aiowire_lua_PACKAGE)
  set(name ${aiowire_lua_PACKAGE})
  string(REGEX REPLACE ".*\\." "" lua_next ${AIOWIRE_LUA_VERSION})
  math(EXPR lua_next "${lua_next} + 1")
  set(pc_lua_package
    ", ${name} >= ${AIOWIRE_LUA_VERSION}, ${name} < 5.${lua_next}")
elseif(AIOWIRE_LUA AND aiowire_lua_FOUND)
  set(pc_lua_flags " -I${aiowire_lua_INCLUDE_DIR}")
  set(pc_lua_libs " ${aiowire_lua_LIBRARY}")
  if(aiowire_lua_LIBRARY STREQUAL aiowire_lua_ARCHIVE)
    string(APPEND pc_lua_libs " -lm ${pc_private}")
  endif()
endif()

# A .pc file finds the prefix from its own place, so that the prefix can move. A
# folder outside of the prefix is where it is.
set(pc_libdir ${CMAKE_INSTALL_FULL_LIBDIR})
set(pc_includedir ${CMAKE_INSTALL_FULL_INCLUDEDIR})
set(pc_prefix ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  file(RELATIVE_PATH pc_prefix /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
  string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${pc_prefix}")
  set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
  endif()
endif()
set(pc_files aiowire)
if(AIOWIRE_LUA AND aiowire_lua_FOUND)
  list(APPEND pc_files aiowire-lua)
endif()
foreach(name IN LISTS pc_files)
  configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
