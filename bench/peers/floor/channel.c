/* A coroutine yields N values; each is passed to another one, which waits for
 * it. */
#include "floor.h"

static const char sender[] = "local count = ...\n"
                             "for i = 1, count do coroutine.yield(i) end\n";
static const char receiver[] = "while true do coroutine.yield() end\n";

int main(int argc, char **argv) {
  lua_State *L = floor_open();
  lua_State *from = lua_newthread(L);
  lua_State *to = lua_newthread(L);
  floor_load(from, sender);
  lua_pushinteger(from, floor_count(argc, argv));
  floor_load(to, receiver);
  int results, arguments = 1;
  lua_resume(to, L, 0, &results);
  while (lua_resume(from, L, arguments, &results) == LUA_YIELD) {
    arguments = 0;
    lua_xmove(from, to, 1);
    lua_resume(to, L, 1, &results);
  }
  lua_close(L);
  return 0;
}
