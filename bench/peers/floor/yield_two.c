/* Two coroutines that yield N/2 times each, resumed in turn. */
#include "floor.h"

static const char body[] = "local count = ...\n"
                           "for _ = 1, count do coroutine.yield() end";

int main(int argc, char **argv) {
  lua_State *L = floor_open();
  lua_State *co[2];
  int arguments[2] = {1, 1}, alive = 2, results;
  for (int i = 0; i < 2; i++) {
    co[i] = lua_newthread(L);
    floor_load(co[i], body);
    lua_pushinteger(co[i], floor_count(argc, argv) / 2);
  }
  for (int i = 0; alive > 0; i = 1 - i) {
    if (lua_resume(co[i], L, arguments[i], &results) != LUA_YIELD)
      alive--;
    arguments[i] = 0;
  }
  lua_close(L);
  return 0;
}
