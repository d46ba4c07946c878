/* A timer of libuv is started, a function of Lua is called, the timer is
 * stopped. */
#include "floor.h"

#include <uv.h>

static void fired(uv_timer_t *timer) {
  (void)timer;
}

int main(int argc, char **argv) {
  lua_State *L = floor_open();
  floor_run(L, "return function() end");
  uv_timer_t timer;
  uv_timer_init(uv_default_loop(), &timer);
  for (lua_Integer left = floor_count(argc, argv); left > 0; left--) {
    uv_timer_start(&timer, fired, 10000, 0);
    lua_pushvalue(L, -1);
    lua_pcall(L, 0, 0, 0);
    uv_timer_stop(&timer);
  }
  lua_close(L);
  return 0;
}
