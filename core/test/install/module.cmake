# A C module for Lua, built by both lines of its head comment: under lua5.4, in
# the program, and in a host with libaiowire_lua.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/head.cmake)
begin(module)
file(COPY ${SOURCE}/examples/module/ticker.c ${SOURCE}/examples/module/ticking.lua
  DESTINATION ${work})
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
    string(FIND "${output}" "tick\t1\ntwo more\ntick\t3\nfalse\t" at)
    if(NOT at EQUAL 0)
      message(FATAL_ERROR "${host}: ${output}")
    endif()
  endforeach()
endfunction()
use(${work})

build("find_package(aiowire CONFIG REQUIRED COMPONENTS lua)
${head_cmake}set_target_properties(ticker PROPERTIES PREFIX \"\")
")
use(${work}/build)
