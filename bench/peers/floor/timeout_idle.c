/* A coroutine starts a timer of libuv, yields, and stops the timer. */
#include "floor.h"

#include <uv.h>

static uv_timer_t timer;

static void fired(uv_timer_t *handle) {
  (void)handle;
}

static int start(lua_State *L) {
  (void)L;
  uv_timer_start(&timer, fired, 10000, 0);
  return 0;
}

static int stop(lua_State *L) {
  (void)L;
  uv_timer_stop(&timer);
  return 0;
}

static const char body[] = "local count = ...\n"
                           "local yield = coroutine.yield\n"
                           "local function limited(f)\n"
                           "  start()\n"
                           "  f()\n"
                           "  stop()\n"
                           "end\n"
                           "for _ = 1, count do limited(yield) end\n";

int main(int argc, char **argv) {
  lua_State *L = floor_open();
  lua_register(L, "start", start);
  lua_register(L, "stop", stop);
  uv_timer_init(uv_default_loop(), &timer);
  lua_State *co = lua_newthread(L);
  floor_load(co, body);
  lua_pushinteger(co, floor_count(argc, argv));
  int results, arguments = 1;
  while (lua_resume(co, L, arguments, &results) == LUA_YIELD)
    arguments = 0;
  lua_close(L);
  return 0;
}
