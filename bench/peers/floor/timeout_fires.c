/* N coroutines that wait; each is closed after 0.1 s by a timer of libuv, and a
 * function of Lua is called. */
#include "tasks.h"

static void handle(uv_timer_t *timer) {
  task *t = timer->data;
  lua_resetthread(t->co);
  lua_pushvalue(t->L, -1);
  lua_pcall(t->L, 0, 0, 0);
  task_end(t);
}

int main(int argc, char **argv) {
  lua_State *L = task_open();
  floor_run(L, "return function() sleep(3600000) end");
  floor_run(L, "return function() end"); /* [body, handler] */
  for (lua_Integer left = floor_count(argc, argv); left > 0; left--) {
    lua_pushvalue(L, -2);
    uv_timer_start(&task_start(L)->timer, handle, 100, 0);
  }
  task_loop(L);
  return 0;
}
