# The sources as a part of another project, by add_subdirectory, and without
# Lua: nothing looks for it, although nothing of it is installed.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
begin(subproject)

# pkg-config finds libuv alone.
file(MAKE_DIRECTORY ${work}/pc)
file(COPY ${uv_dir}/libuv.pc DESTINATION ${work}/pc)
set(ENV{PKG_CONFIG_LIBDIR} ${work}/pc)
set(ENV{PKG_CONFIG_PATH} "")

file(WRITE ${work}/use.c "#include <aiowire.h>
int main(void) { return aw_version() ? 0 : 1; }
")
file(WRITE ${work}/CMakeLists.txt "cmake_minimum_required(VERSION 3.21)
project(use C)
add_custom_target(bench) # a name of aiowire, too
if(NOT WITH_LUA)
  set(AIOWIRE_LUA OFF)
endif()
add_subdirectory(${SOURCE} aiowire)
add_executable(shared use.c)
target_link_libraries(shared aiowire::aiowire)
add_executable(static use.c)
target_link_libraries(static aiowire::aiowire_static)
if(WITH_LUA)
  target_link_libraries(shared aiowire::aiowire_lua)
  target_link_libraries(static aiowire::aiowire_lua_static)
endif()
")
function(configure folder)
  run(${CMAKE_COMMAND} -S ${work} -B ${work}/${folder} -G ${GENERATOR}
    -DCMAKE_C_COMPILER=${CC} -DCMAKE_C_FLAGS=-O0 ${ARGN})
endfunction()
configure(build)
file(STRINGS ${work}/build/CMakeCache.txt found REGEX "lua5|LUA_INCLUDE")
if(found)
  message(FATAL_ERROR "Lua was found: ${found}")
endif()
run(${CMAKE_COMMAND} --build ${work}/build --parallel 2)
run(build/shared)
run(build/static)
run(${CMAKE_COMMAND} --install ${work}/build --prefix ${work}/prefix)
file(GLOB_RECURSE installed ${work}/prefix/*lua*)
if(installed)
  message(FATAL_ERROR "installed without Lua: ${installed}")
endif()

# All that is missing is in one message. The compiler finds the headers of an
# OpenSSL that is too old first.
file(READ ${work}/pc/libuv.pc uv_pc)
file(REMOVE ${work}/pc/libuv.pc)
file(WRITE ${work}/old/openssl/ssl.h "#define OPENSSL_VERSION_MAJOR 1\n")
file(WRITE ${work}/old/openssl/x509v3.h "")
function(lacks)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${work}/none
    -DCMAKE_C_COMPILER=${CC} -DLUA_DIR=${work}/none
    -DCMAKE_C_FLAGS=-I${work}/old ${ARGN} OUTPUT_QUIET ERROR_VARIABLE why)
  string(REGEX REPLACE "[ \n]+" " " why "${why}")
  set(why "${why}" PARENT_SCOPE)
endfunction()
lacks()
foreach(text "libuv >= 1.42, Lua 5.4 headers, OpenSSL 3 headers"
    "libuv1-dev liblua5.4-dev libssl-dev"
    "-DAIOWIRE_LUA=OFF builds the library"
    "-DAIOWIRE_TLS=OFF builds all but aw.tls")
  if(NOT why MATCHES "${text}")
    message(FATAL_ERROR "not said: ${text}\n${why}")
  endif()
endforeach()
foreach(option -DAIOWIRE_TLS=OFF -DAIOWIRE_LUA=OFF)
  lacks(${option})
  if(NOT why MATCHES "libuv >= 1.42" OR why MATCHES "OpenSSL")
    message(FATAL_ERROR "${option}: ${why}")
  endif()
endforeach()

# A project with a Lua of its own makes a target of it first. It is enough to
# see that the headers are its own, and that none is searched.
if(LUA)
  fake_lua(${work}/mine 5.4.8)
  file(WRITE ${work}/mine.c "int mine(void);\nint mine(void) { return 0; }\n")
  file(WRITE ${work}/own/CMakeLists.txt "cmake_minimum_required(VERSION 3.21)
project(own C)
add_library(mine STATIC ${work}/mine.c)
target_include_directories(mine PUBLIC ${work}/mine/include)
add_library(aiowire::lua ALIAS mine)
add_subdirectory(${SOURCE} aiowire)
add_executable(use ${work}/use.c)
target_link_libraries(use aiowire::aiowire_lua_static)
")
  file(WRITE ${work}/pc/libuv.pc "${uv_pc}")
  run(${CMAKE_COMMAND} -S ${work}/own -B ${work}/own/build -G ${GENERATOR}
    -DCMAKE_C_COMPILER=${CC} -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
    -DAIOWIRE_TLS=${TLS})
  file(READ ${work}/own/build/compile_commands.json commands)
  if(NOT commands MATCHES "${work}/mine/include"
      OR commands MATCHES "include/lua5")
    message(FATAL_ERROR "not the Lua of the project")
  endif()
endif()

# With Lua: the targets are there. Building all of it takes too long.
if(LUA)
  unset(ENV{PKG_CONFIG_LIBDIR})
  configure(with_lua -DWITH_LUA=ON -DAIOWIRE_TLS=${TLS})
endif()
