/* N coroutines that wait for a timer of libuv each; when all wait, they are
 * closed, one after the other. */
#include "tasks.h"

int main(int argc, char **argv) {
  lua_State *L = task_open();
  lua_Integer count = floor_count(argc, argv);
  task **all = malloc(((size_t)count + 1) * sizeof *all);
  floor_run(L, "return function() sleep(3600000) end");
  for (lua_Integer i = 0; i < count; i++) {
    lua_pushvalue(L, -1);
    all[i] = task_start(L);
  }
  for (lua_Integer i = 0; i < count; i++) {
    lua_resetthread(all[i]->co);
    task_end(all[i]);
  }
  free(all);
  task_loop(L);
  return 0;
}
