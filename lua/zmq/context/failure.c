/* failure.c - see failure.h */
#include "context/failure.h"

void awz_check_memory(lua_State *L, int code) {
  if (code == AW_ENOMEM)
    luaL_error(L, "not enough memory");
}

int awz_raise(lua_State *L, int code, const char *verb, const char *about) {
  awz_check_memory(L, code);
  return aw_lua_system_error(L, code, verb, about);
}
