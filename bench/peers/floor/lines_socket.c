/* lines_socket.c N PORT - reads N lines from a connection, by Lua's own files,
 * which block */
#define _GNU_SOURCE

#include "accept.h"
#include "floor.h"

static const char body[] = "local left, file = ...\n"
                           "for _ in file:lines() do\n"
                           "  left = left - 1\n"
                           "  if left < 0 then\n"
                           "    break\n"
                           "  end\n"
                           "end\n";

static int close_file(lua_State *L) {
  luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  return luaL_fileresult(L, fclose(stream->f) == 0, NULL);
}

static void push_file(lua_State *L, int fd) {
  luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
  stream->closef = NULL;
  luaL_setmetatable(L, LUA_FILEHANDLE);
  stream->f = fdopen(fd, "r");
  stream->closef = close_file;
}

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  lua_State *L = floor_open();
  floor_load(L, body);
  lua_pushinteger(L, floor_count(argc, argv));
  push_file(L, accept_one(listen_at(argv[2])));
  floor_need(lua_pcall(L, 2, 0, 0) == LUA_OK, L);
  lua_close(L);
  return 0;
}
