/* parts.c - parts of the program that are written in Lua
 *
 * The program contains the text of lua/host/ROOM/NAME.lua (embedded_host.c,
 * made by lua/embed.cmake). The chunk of a part runs once, when the part is
 * first needed, with the module table `aw` and a function as arguments; the
 * function gives another part by its name. The library hides such chunks in
 * tracebacks, as its own parts.
 */
#include "state/parts.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <string.h>

/* Its address is the registry key of a table: name of a part → its result. */
static const char PARTS_KEY = 'p';

static void load_host_part(lua_State *L, const char *name) {
  const struct host_embedded *part = host_embedded;
  while (part->name && strcmp(part->name, name) != 0)
    part++;
  if (!part->name)
    luaL_error(L, "no part '%s' in this program", name);
  const char *chunk = lua_pushfstring(L, "=[aiowire.%s]", name);
  if (luaL_loadbufferx(L, part->source, part->size, chunk, "t") != LUA_OK)
    lua_error(L);
  lua_remove(L, -2);
}

static int other_part(lua_State *L) {
  host_push_part(L, luaL_checkstring(L, 1));
  return 1;
}

void host_push_part(lua_State *L, const char *name) {
  luaL_checkstack(L, 8, NULL);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &PARTS_KEY) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &PARTS_KEY);
  }
  if (lua_getfield(L, -1, name) == LUA_TNIL) {
    lua_pop(L, 1);
    load_host_part(L, name);
    luaopen_aiowire(L);
    lua_pushcfunction(L, other_part);
    lua_call(L, 2, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
  }
  lua_remove(L, -2);
}
