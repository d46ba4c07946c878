/* lmistake.c - warnings of mistakes, for what is built on the public API */
#include "mistake.h"
#include "site.h"

const char *aw_lua_where(lua_State *L) {
  awl_state *s = awl_open(L);
  const char *where = "?";
  lua_Debug ar;
  for (int level = 1; *where == '?' && lua_getstack(L, level, &ar); level++)
    where = awl_where(L, s, level);
  return where;
}

void aw_lua_mistake(lua_State *L, const char *where, const char *kind) {
  awl_mistake(L, where, kind);
}
