/* mistake.c - warnings of mistakes: probable errors in the user's program [D4]
 *
 * A mistake is reported as a Lua warning, so `warn "@off"` silences it. The
 * control message "@mistake" comes first: then the sink of the program aiowire
 * prints the next warning even without -W. Lua's own sink ignores control
 * messages that it does not know, and prints warnings only when they are on.
 *
 * Each kind is reported once for each place, so a mistake in a loop does not
 * flood the terminal. The number of places is bounded by location.c.
 *
 * Neighbours: lua/host/report/warning.c is the sink of the program;
 * run/driver.c warns of conditions, such as slow clean-up.
 */
#include "errors/mistake.h"

#include "base/location.h"

/* Has this kind been reported for this place? Note that it is reported now. */
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
