/* file.c N PATH whole|pieces|lines - reads a file N times by Lua's own files,
 * which block */
#include "floor.h"

static const char body[] = "local count, path, how = ...\n"
                           "for _ = 1, count do\n"
                           "  local file <close> = io.open(path)\n"
                           "  if how == \"whole\" then\n"
                           "    file:read(\"a\")\n"
                           "  elseif how == \"lines\" then\n"
                           "    for _ in file:lines() do end\n"
                           "  else\n"
                           "    while file:read(65536) do end\n"
                           "  end\n"
                           "end\n";

int main(int argc, char **argv) {
  if (argc < 4)
    return 2;
  lua_State *L = floor_open();
  floor_load(L, body);
  lua_pushinteger(L, floor_count(argc, argv));
  lua_pushstring(L, argv[2]);
  lua_pushstring(L, argv[3]);
  floor_need(lua_pcall(L, 3, 0, 0) == LUA_OK, L);
  lua_close(L);
  return 0;
}
