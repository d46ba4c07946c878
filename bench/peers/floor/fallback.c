/* lua_pcall of a function that raises, then of another one. N times. */
#include "floor.h"

int main(int argc, char **argv) {
  lua_State *L = floor_open();
  floor_run(L, "return function() error 'failed' end");
  floor_run(L, "return function() end"); /* [fails, alternative] */
  for (lua_Integer left = floor_count(argc, argv); left > 0; left--) {
    lua_pushvalue(L, -2);
    if (lua_pcall(L, 0, 0, 0) == LUA_OK)
      continue;
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pcall(L, 0, 0, 0);
  }
  lua_close(L);
  return 0;
}
