/* A coroutine whose function raises; a handler of Lua is called with the
 * error. N times. */
#include "floor.h"

int main(int argc, char **argv) {
  lua_State *L = floor_open();
  floor_run(L, "return function() error 'failed' end");
  floor_run(L, "return function(e) end"); /* [body, handler] */
  for (lua_Integer left = floor_count(argc, argv); left > 0; left--) {
    int results;
    lua_State *co = lua_newthread(L); /* [body, handler, co] */
    lua_pushvalue(L, -3);
    lua_xmove(L, co, 1);
    lua_resume(co, L, 0, &results);
    lua_pushvalue(L, -2);
    lua_xmove(co, L, 1);
    lua_pcall(L, 1, 0, 0);
    lua_pop(L, 1);
  }
  lua_close(L);
  return 0;
}
