# A C module for Lua, built by both lines of its head comment: under lua5.4, in
# the program, and in a host with libaiowire_lua.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/head.cmake)
begin(module)
file(COPY ${SOURCE}/examples/module/ticker.c
  ${SOURCE}/examples/module/ticking.lua DESTINATION ${work})
read_head(${work}/ticker.c)

# The host of the third kind registers the library and runs a script.
file(WRITE ${work}/host.c "#include <aiowire_lua.h>
#include <lualib.h>

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, \"aiowire\", luaopen_aiowire, 0);
  int failed = luaL_dofile(L, \"ticking.lua\");
  if (failed)
    lua_writestring(lua_tostring(L, -1), lua_rawlen(L, -1));
  lua_close(L);
  return failed;
}
")
run(sh -c "${head_cc}")
run(sh -c "cc host.c $(pkg-config --cflags --libs aiowire-lua) -o host")

links_no(ticker.so libaiowire libaiowire_lua liblua)

# use(folder): runs ticking.lua in each way with the ticker.so of that folder.
function(use folder)
  set(ENV{LUA_CPATH_5_4} "${folder}/?.so;${prefix}/lib/lua/5.4/?.so")
  find_program(lua lua5.4)
  set(hosts "./host")
  if(lua)
    list(APPEND hosts ${lua})
  endif()
  if(HOST)
    list(APPEND hosts ${prefix}/bin/aiowire)
  endif()
  foreach(host IN LISTS hosts)
    run(${host} ticking.lua)
    if(NOT output MATCHES "^tick\t1\ntwo more\ntick\t3\nfalse\t[^\n]*timeout\
[^\n]*\nno tick\nfalse\t[^\n]*cannot await ")
      message(FATAL_ERROR "${host}: ${output}")
    endif()
  endforeach()
endfunction()
use(${work})

build("find_package(aiowire CONFIG REQUIRED COMPONENTS lua)
${head_cmake}set_target_properties(ticker PROPERTIES PREFIX \"\")
")
use(${work}/build)

# ── a table that does not fit is an error that says so ──────────────────────

set(ENV{LUA_CPATH_5_4} "${work}/?.so")
run(sh -c "cc ${SOURCE}/cmake/test/fake.c\
 $(pkg-config --cflags --libs aiowire-lua) -o fake")
function(refused how text)
  run(./fake ${how})
  if(NOT output MATCHES "${text}")
    message(FATAL_ERROR "${how}: ${output}")
  endif()
endfunction()
refused(old "needs aiowire [0-9.]+ or later: the loaded one is 0\\.0\\.9")
refused(new "compiled for aiowire [0-9.]+: compile it again for aiowire 9\\.0")
refused(second "^loaded\n.*two copies of aiowire")

# ── several source files, C++ among them; and linked into the host ──────────

file(WRITE ${work}/more.c "#include <aiowire_module.h>
aw_wire *nap(void);
aw_wire *nap(void) { return aw_sleep(1); }
")
file(WRITE ${work}/plus.cpp "#include <aiowire_module.h>
extern \"C\" aw_wire *nap(void);
extern aw_wire *(*const nap_of_c)(void);
aw_wire *(*const nap_of_c)(void) = nap;
")
set(flags "$(pkg-config --cflags aiowire-lua) -Wall -Wextra -Wpedantic -Werror")
run(sh -c "cc -std=c99 -shared -fPIC ticker.c more.c ${flags} -o two.so")
if(CXX)
  run(sh -c "c++ -std=c++11 -c -fPIC plus.cpp ${flags} -o plus.o")
endif()

# A module in C++ whose step throws links no library, either.
file(WRITE ${work}/thrower.cpp "#include <aiowire_module.h>
#include <stdexcept>
AW_MODULE_DEFINE

static aw_turn fail(aw_task *, void *) {
  throw std::runtime_error(\"no such thing\");
}

static int wire(lua_State *L) {
  aw_lua_push_wire(L, aw_call(aw_guard<fail>, nullptr), 0);
  return 1;
}

extern \"C\" {
LUAMOD_API int luaopen_thrower(lua_State *L) {
  aw_module_load(L);
  aw_lua_push_function(L, wire, 0, \"wire\");
  return 1;
}
}
")
file(WRITE ${work}/throwing.lua "local aw = require 'aiowire'
print(pcall(aw.run, require 'thrower'()))
")
find_program(lua lua5.4)
if(CXX AND lua)
  run(sh -c "c++ -std=c++11 -shared -fPIC thrower.cpp ${flags} -o thrower.so")
  set(ENV{LUA_CPATH_5_4} "${work}/?.so;${prefix}/lib/lua/5.4/?.so")
  run(${lua} throwing.lua)
  if(NOT output MATCHES "^false\tno such thing\n")
    message(FATAL_ERROR "throwing.lua: ${output}")
  endif()
endif()
file(WRITE ${work}/linked.c "#define AW_MODULE_LINKED
#include \"ticker.c\"
#include <lualib.h>

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, \"aiowire\", luaopen_aiowire, 0);
  luaL_requiref(L, \"ticker\", luaopen_ticker, 0);
  int failed = luaL_dofile(L, \"ticking.lua\");
  lua_close(L);
  return failed;
}
")
run(sh -c "cc linked.c $(pkg-config --cflags --libs aiowire-lua) -o linked")
run(./linked)
