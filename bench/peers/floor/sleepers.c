/* N coroutines that sleep, each resumed by a timer of libuv. */
#include "tasks.h"

static const char body[] = "local sleep, seed = sleep, 1\n"
                           "return function()\n"
                           "  seed = seed * 1103515245 + 12345 & 0x7fffffff\n"
                           "  sleep(500 + seed % 500)\n"
                           "end\n";

int main(int argc, char **argv) {
  lua_State *L = task_open();
  floor_run(L, body);
  for (lua_Integer left = floor_count(argc, argv); left > 0; left--) {
    lua_pushvalue(L, -1);
    task_start(L);
  }
  task_loop(L);
  return 0;
}
