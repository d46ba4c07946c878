/* classes.c - see classes.h */
#include "context/classes.h"

#include <aiowire_lua.h>

void awz_push_class(lua_State *L, const char *name, const luaL_Reg *meta,
                    const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  aw_lua_set_functions(L, meta, 0);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable"); /* locked */
  if (methods) {
    lua_newtable(L);
    aw_lua_set_functions(L, methods, 0);
    lua_setfield(L, -2, "__index");
  }
}
