# libaiowire_lua for a program that embeds Lua: shared and static, by pkg-config
# and by CMake.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
begin(lua)

# The engine that the program makes and the one of Lua are of one core, so
# aw_strerror() of both libraries is the same function.
file(WRITE ${work}/use.c "#include <aiowire_lua.h>
#include <lualib.h>

#include <string.h>

static const char script[] = \"local aw = require 'aiowire' \"
    \"return aw.run(aw.Sleep(0.001) >> aw.Value(_VERSION))\";

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_aiowire);
  lua_setfield(L, -2, \"aiowire\");
  lua_pop(L, 1);
  int failed = luaL_dostring(L, script);
  const char *text = lua_tostring(L, -1);
  lua_writestring(text, strlen(text));
  failed = failed || strcmp(text, LUA_VERSION) != 0;
  failed = failed || aw_engine_now(aw_lua_engine(L)) == 0;
  lua_close(L);
  return failed;
}
")

# ── pkg-config ──────────────────────────────────────────────────────────────

run(sh -c "cc use.c $(pkg-config --cflags --libs aiowire-lua) -o shared")
run(./shared)

# One core, and no second Lua for hosts that link Lua's archive. OpenSSL is
# opened at run time, so programs do not link it, and need no .pc file of it.
links(${lib_dir}/libaiowire_lua.so libaiowire libuv)
links_no(${lib_dir}/libaiowire_lua.so liblua libssl libcrypto)
links_no(${prefix}/lib/lua/5.4/aiowire.so libssl libcrypto)
run(pkg-config --static --print-requires --print-requires-private --cflags
  --libs aiowire-lua)
if(output MATCHES "ssl|crypto")
  message(FATAL_ERROR "${output}")
endif()

run(sh -c "pkg-config --variable=libdir lua5.4 lua-5.4 lua54 lua 2>/dev/null\
 | head -n 1")
string(STRIP "${output}" lua_dir)
file(GLOB archive ${lua_dir}/liblua5.4.a)
if(archive)
  run(sh -c "cc use.c $(pkg-config --cflags aiowire-lua) -L${lib_dir}\
    -laiowire_lua -laiowire ${archive} -lm -ldl -o own_lua")
  run(./own_lua)
  links_no(own_lua liblua)
endif()

execute_process(COMMAND pkg-config --exists libuv-static RESULT_VARIABLE none)
if(none EQUAL 0 AND archive)
  run(sh -c "cc -static use.c\
    $(pkg-config --static --cflags --libs aiowire-lua) -o static")
  run(./static)
endif()

# ── CMake ───────────────────────────────────────────────────────────────────

build("find_package(aiowire 0.1 CONFIG REQUIRED COMPONENTS lua static)
add_executable(shared use.c)
target_link_libraries(shared aiowire::aiowire_lua)
add_executable(static use.c)
target_link_libraries(static aiowire::aiowire_lua_static)
")
run(build/shared)
run(build/static)
links(build/shared libaiowire libaiowire_lua)
file(GLOB library ${lua_dir}/liblua5.4.so)
if(library) # Lua's own makefile installs an archive only
  links(build/shared liblua)
endif()
links_no(build/static libaiowire libaiowire_lua)

# A Lua that pkg-config does not know, as Lua's own makefile installs it.
run(sh -c "pkg-config --cflags-only-I lua5.4 lua-5.4 lua54 lua 2>/dev/null |\
  tr ' ' '\n' | sed -n 's/^-I//p' | head -n 1")
string(STRIP "${output}" lua_include)
if(archive AND lua_include)
  file(GLOB headers ${lua_include}/l*.h)
  file(COPY ${headers} DESTINATION ${work}/own/include)
  configure_file(${archive} ${work}/own/lib/liblua.a COPYONLY)
  file(COPY ${uv_dir}/libuv.pc DESTINATION ${work}/pc)
  set(ENV{PKG_CONFIG_LIBDIR} ${work}/pc)
  set(ENV{PKG_CONFIG_PATH} "")
  build("set(LUA_DIR ${work}/own)
find_package(aiowire CONFIG REQUIRED COMPONENTS lua)
add_executable(own use.c)
target_link_libraries(own aiowire::aiowire_lua)
add_library(ticker MODULE ${SOURCE}/examples/module/ticker.c)
target_link_libraries(ticker aiowire::aiowire_module)
")
  run(build/own)
  links(build/own libaiowire libaiowire_lua)
  links_no(build/own liblua)
endif()

# Without Lua for developers the package has the core, and says what it lacks.
set(ENV{PKG_CONFIG_LIBDIR} ${work}/none)
set(ENV{PKG_CONFIG_PATH} "")
file(WRITE ${work}/no/CMakeLists.txt "cmake_minimum_required(VERSION 3.21)
project(no C)
find_package(aiowire CONFIG REQUIRED)
find_package(aiowire CONFIG REQUIRED COMPONENTS lua)
")
execute_process(COMMAND ${CMAKE_COMMAND} -S ${work}/no -B ${work}/no/build
  -DCMAKE_C_COMPILER=${CC} -DCMAKE_PREFIX_PATH=${prefix} -DLUA_DIR=${work}/no
  OUTPUT_QUIET ERROR_VARIABLE why RESULT_VARIABLE status)
if(status EQUAL 0 OR NOT why MATCHES "CMakeLists.txt:4.*no Lua 5.4 for dev")
  message(FATAL_ERROR "no error for Lua that is not installed\n${why}")
endif()
