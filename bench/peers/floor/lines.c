/* lines.c N - reads N lines from the standard output of a program, by Lua's own
 * files, which block */
#include "floor.h"

static const char body[] =
    "local left = ...\n"
    "for _ in io.popen(\"yes \" .. (\"x\"):rep(50)):lines() do\n"
    "  left = left - 1\n"
    "  if left < 0 then\n"
    "    break\n"
    "  end\n"
    "end\n";

int main(int argc, char **argv) {
  lua_State *L = floor_open();
  floor_load(L, body);
  lua_pushinteger(L, floor_count(argc, argv));
  floor_need(lua_pcall(L, 1, 0, 0) == LUA_OK, L);
  lua_close(L);
  return 0;
}
