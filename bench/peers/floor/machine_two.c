/* N steps of a machine of two states: a coroutine calls a state, which returns
 * the other one, and yields what it returned. */
#include "floor.h"

static const char worker[] = "local yield = coroutine.yield\n"
                             "return function(state)\n"
                             "  while true do state = yield(state()) end\n"
                             "end\n";

static const char machine[] = "local left, pong\n"
                              "local function ping()\n"
                              "  left = left - 1\n"
                              "  if left > 0 then return pong end\n"
                              "end\n"
                              "function pong()\n"
                              "  left = left - 1\n"
                              "  if left > 0 then return ping end\n"
                              "end\n"
                              "return function(count)\n"
                              "  left = count\n"
                              "  return ping\n"
                              "end\n";

int main(int argc, char **argv) {
  lua_State *L = floor_open();
  lua_State *co = lua_newthread(L);
  floor_run(co, worker);
  floor_run(co, machine);
  lua_pushinteger(co, floor_count(argc, argv));
  lua_call(co, 1, 1);
  int results;
  do
    floor_need(lua_resume(co, L, 1, &results) == LUA_YIELD, co);
  while (results == 1);
  lua_close(L);
  return 0;
}
