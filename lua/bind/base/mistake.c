/* mistake.c - warnings of mistakes: what is surely wrong, and yet no error [D4]
 *
 * A mistake goes out through Lua's warnings, so that `warn "@off"` silences it.
 * The control message "@mistake" comes before it: the program's own sink prints
 * the warning that follows even without -W. Lua's sink ignores a control
 * message that it does not know, and prints warnings only when they are on.
 *
 * Each kind is told once for each place: a mistake in a loop floods nobody. The
 * places are those of location.c, whose number is bounded.
 *
 * Neighbours: lua/host/warning.c is the program's sink; the warnings of
 * conditions, such as slow clean-up, are in driver.c.
 */
#include "base/mistake.h"

#include "base/location.h"

/* Has this kind been told of this place? It is from now on. */
static bool note_told(lua_State *L, const char *where, const char *kind) {
  awl_push_slot(L, awl_open(L), AWL_TOLD);
  lua_pushfstring(L, "%s %s", kind, where);
  lua_pushvalue(L, -1);
  bool known = lua_rawget(L, -3) != LUA_TNIL;
  lua_pop(L, 1);
  lua_pushboolean(L, true);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return known;
}

void awl_mistake(lua_State *L, const char *where, const char *kind) {
  luaL_checkstack(L, 6, NULL);
  if (!note_told(L, where, kind)) {
    lua_warning(L, "@mistake", 0);
    lua_warning(L, "aiowire: ", 1);
    if (*where != '?') {
      lua_warning(L, where, 1);
      lua_warning(L, ": ", 1);
    }
    lua_warning(L, lua_tostring(L, -1), 0);
  }
  lua_pop(L, 1);
}

void awl_try_telling(lua_State *L, lua_CFunction f, const void *data) {
  if (!lua_checkstack(L, 2))
    return;
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, (void *)(uintptr_t)data);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    lua_pop(L, 1);
}

/* ---- for what is built on the public API ---- */

const char *aw_lua_where(lua_State *L) {
  return awl_where(L, awl_open(L), 1);
}

void aw_lua_mistake(lua_State *L, const char *where, const char *kind) {
  awl_mistake(L, where, kind);
}
