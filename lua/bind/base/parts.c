/* parts.c - parts of the library that are written in Lua
 *
 * The module contains the sources of lua/aiowire/ (embedded.c, made by
 * lua/embed.cmake), except meta.lua, which is for editors. A part runs once,
 * when it is first needed, so `require "aiowire"` parses no part. The call is
 * chunk(aw, inner): `aw` is the module's table, `inner` has the C functions
 * that only parts may call.
 *
 * Neighbours: lua/part_calls.c makes functions of the module out of parts.
 */
#include "base/parts.h"

#include <lauxlib.h>
#include <string.h>

/* The address of PARTS_KEY is the registry key of a table. The table has
 * "module", "inner", and the result of each part by the part's name. */
static const char PARTS_KEY = 'p';

static void load_part(lua_State *L, const char *name) {
  const struct awl_embedded *part = awl_embedded;
  while (part->name && strcmp(part->name, name) != 0)
    part++;
  if (!part->name)
    luaL_error(L, "no part '%s' in this library", name);
  /* location.c recognizes parts by "=[" */
  const char *chunk = lua_pushfstring(L, "=[%s]", name);
  if (luaL_loadbufferx(L, part->source, part->size, chunk, "t") != LUA_OK)
    lua_error(L);
  lua_remove(L, -2);
}

void awl_push_embedded(lua_State *L, const char *name) {
  luaL_checkstack(L, 8, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &PARTS_KEY);
  if (lua_getfield(L, -1, name) == LUA_TNIL) {
    lua_pop(L, 1);
    load_part(L, name);
    lua_getfield(L, -2, "module");
    lua_getfield(L, -3, "inner");
    lua_call(L, 2, 1); /* chunk(aw, inner) → function */
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
  }
  lua_remove(L, -2);
}

void awl_push_opening(lua_State *L) {
  luaL_checkstack(L, 8, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &PARTS_KEY);
  lua_getfield(L, -1, "inner");
  lua_getfield(L, -2, "module");
  lua_remove(L, -3);
}

void awl_set_parts(lua_State *L) {
  lua_createtable(L, 0, 8);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "inner");
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "module");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &PARTS_KEY);
}
