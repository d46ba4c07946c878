/* An empty function of Lua, called N times by lua_pcall. */
#include "floor.h"

int main(int argc, char **argv) {
  lua_State *L = floor_open();
  floor_run(L, "return function() end");
  for (lua_Integer left = floor_count(argc, argv); left > 0; left--) {
    lua_pushvalue(L, -1);
    lua_pcall(L, 0, 0, 0);
  }
  lua_close(L);
  return 0;
}
