/* A Lua state and an empty loop of libuv. */
#include "floor.h"

#include <uv.h>

int main(void) {
  lua_State *L = floor_open();
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  lua_close(L);
  return 0;
}
