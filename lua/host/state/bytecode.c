/* bytecode.c - refuses bytecode; see bytecode.h
 *
 * Our `load` and `loadfile` fill in a missing mode and call Lua's functions.
 * They call the C pointer in the same frame, so that messages still blame the
 * caller's line. Lua's `dofile` and its searcher have no parameter for a mode,
 * so both are written anew.
 */

#include "state/bytecode.h"

#include <lauxlib.h>

/* Call Lua's function, which is upvalue 1, with the mode "t" if the caller has
 * named none.
 *
 *   mode  index of the parameter
 */
static int with_mode(lua_State *L, int mode) {
  if (lua_isnoneornil(L, mode)) {
    if (lua_gettop(L) < mode)
      lua_settop(L, mode);
    lua_pushliteral(L, "t");
    lua_replace(L, mode);
  }
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int base_load(lua_State *L) {
  return with_mode(L, 3);
}

static int base_loadfile(lua_State *L) {
  return with_mode(L, 2);
}

static int dofile_done(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  return lua_gettop(L) - 1;
}

static int base_dofile(lua_State *L) {
  const char *name = luaL_optstring(L, 1, NULL);
  lua_settop(L, 1);
  if (luaL_loadfilex(L, name, "t") != LUA_OK)
    return lua_error(L);
  lua_callk(L, 0, LUA_MULTRET, 0, dofile_done);
  return dofile_done(L, LUA_OK, 0);
}

/* The searcher of Lua modules. Upvalues: package, package.searchpath. */
static int search_text(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushvalue(L, 1);
  if (lua_getfield(L, lua_upvalueindex(1), "path") != LUA_TSTRING)
    return luaL_error(L, "'package.path' must be a string");
  lua_call(L, 2, 2); /* [file, nil] or [nil, what was tried] */
  if (lua_isnil(L, -2))
    return 1;
  lua_pop(L, 1);
  const char *file = lua_tostring(L, -1);
  if (luaL_loadfilex(L, file, "t") != LUA_OK)
    return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s",
                      name, file, lua_tostring(L, -1));
  lua_insert(L, -2);
  return 2;
}

static void wrap(lua_State *L, const char *name, lua_CFunction wrapper) {
  lua_getglobal(L, name);
  lua_pushcclosure(L, wrapper, 1);
  lua_setglobal(L, name);
}

void host_text_only(lua_State *L) {
  wrap(L, "load", base_load);
  wrap(L, "loadfile", base_loadfile);
  lua_pushcfunction(L, base_dofile);
  lua_setglobal(L, "dofile");

  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  lua_pushvalue(L, -2);
  lua_getfield(L, -3, "searchpath");
  lua_pushcclosure(L, search_text, 2);
  lua_rawseti(L, -2, 2); /* 1 is package.preload, 2 the Lua files */
  lua_pop(L, 2);
}
