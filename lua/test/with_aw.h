/* with_aw.h - a Lua state whose global `aw` is the library */
#ifndef WITH_AW_H
#define WITH_AW_H

#include "check.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lualib.h>

static lua_State *new_state_with_aw(void) {
  lua_State *L = luaL_newstate();
  CHECK(L);
  luaL_openlibs(L);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  lua_setglobal(L, "aw");
  lua_settop(L, 0);
  return L;
}

#endif
