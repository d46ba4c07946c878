/* A coroutine that yields N times, resumed at once. */
#include "floor.h"

static const char body[] = "local count = ...\n"
                           "for _ = 1, count do coroutine.yield() end";

int main(int argc, char **argv) {
  lua_State *L = floor_open();
  lua_State *co = lua_newthread(L);
  floor_load(co, body);
  lua_pushinteger(co, floor_count(argc, argv));
  int results, arguments = 1;
  while (lua_resume(co, L, arguments, &results) == LUA_YIELD)
    arguments = 0;
  lua_close(L);
  return 0;
}
