/* lmistake.c - warnings of mistakes, for what is built on the public API */
#include "base/location.h"
#include "base/mistake.h"

const char *aw_lua_where(lua_State *L) {
  return awl_where(L, awl_open(L), 1);
}

void aw_lua_mistake(lua_State *L, const char *where, const char *kind) {
  awl_mistake(L, where, kind);
}
