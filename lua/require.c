/* require.c - a `require` whose modules may await [R16..R22]
 *
 * It does what Lua's `require` does, step by step, in the same C frame, so that
 * levels of the stack, texts of errors and tracebacks are those of Lua:
 *
 *     package.loaded[name] ─► searchers, one after the other ─► the loader
 *                                   └────── may await ─────────────┘
 *
 * In a task that may await, the searchers and the loader are called with a
 * continuation, and the module counts as being loaded (loads.c): other tasks
 * that require it wait for the end of the load. Everywhere else Lua's rules
 * hold: an await inside is refused.
 *
 * aw.install() and the program put it in the place of Lua's own function. A
 * `require` that somebody has replaced before stays as it is.
 */
#include "require.h"

#include "loads.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

/* Stack indices. LOAD has the load, or nil where nothing may await. TRIED is
 * the text of what the searchers have tried. */
enum { NAME = 1, LOADED, LOAD, SEARCHERS, TRIED, DATA = TRIED };

/* Upvalues: the state, see awl_of(), and the table `package`. */
enum { PACKAGE = 2 };

/* Call with a continuation if the module may await. */
static void call_yieldable(lua_State *L, int nargs, int nresults,
                           lua_KContext context, lua_KFunction k) {
  lua_callk(L, nargs, nresults, context, lua_isnil(L, LOAD) ? NULL : k);
}

/* ---- the loader ---- */

/* [name, loaded, load, searchers, data, result] */
static int after_loader(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  const char *name = lua_tostring(L, NAME);
  if (lua_isnil(L, -1))
    lua_pop(L, 1);
  else
    lua_setfield(L, LOADED, name);
  if (lua_getfield(L, LOADED, name) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushboolean(L, true);
    lua_pushvalue(L, -1);
    lua_setfield(L, LOADED, name);
  }
  if (!lua_isnil(L, LOAD))
    awl_load_end(lua_touserdata(L, LOAD));
  lua_insert(L, DATA);
  return 2;
}

/* [name, loaded, load, searchers, tried, loader, data] */
static int call_loader(lua_State *L) {
  lua_replace(L, DATA);
  lua_pushvalue(L, NAME);
  lua_pushvalue(L, DATA);
  call_yieldable(L, 2, 1, 0, after_loader);
  return after_loader(L, LUA_OK, 0);
}

/* ---- the searchers ---- */

/* [.., tried, what a searcher returned, data]: true if that is a loader. Else
 * add its message and pop both. */
static bool take_loader(lua_State *L) {
  if (lua_isfunction(L, -2))
    return true;
  lua_pop(L, 1);
  if (!lua_isstring(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  lua_pushliteral(L, "\n\t");
  lua_insert(L, -2);
  lua_concat(L, 3);
  return false;
}

static int after_searcher(lua_State *L, int status, lua_KContext last);

/* Ask the searchers from number `i` on. [name, loaded, load, searchers,
 * tried] */
static int search(lua_State *L, lua_Integer i) {
  for (;; i++) {
    if (lua_rawgeti(L, SEARCHERS, i) == LUA_TNIL)
      return luaL_error(L, "module '%s' not found:%s", lua_tostring(L, NAME),
                        lua_tostring(L, TRIED));
    lua_pushstring(L, lua_tostring(L, NAME));
    call_yieldable(L, 1, 2, (lua_KContext)i, after_searcher);
    if (take_loader(L))
      return call_loader(L);
  }
}

static int after_searcher(lua_State *L, int status, lua_KContext last) {
  (void)status;
  return take_loader(L) ? call_loader(L) : search(L, (lua_Integer)last + 1);
}

/* ---- require ---- */

/* [name, ...] */
static int require_module(lua_State *L) {
  const char *name = lua_tostring(L, NAME);
  lua_settop(L, NAME);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, LOADED, name);
  if (lua_toboolean(L, -1))
    return 1;
  lua_pop(L, 1);
  awl_state *s = awl_of(L);
  awl_load *other = s->loads ? awl_load_elsewhere(s, name) : NULL;
  if (other)
    return awl_load_wait(L, other, require_module);
  if (aw_lua_may_await(L))
    awl_load_begin(L, s, NAME);
  else
    lua_pushnil(L);
  if (lua_getfield(L, lua_upvalueindex(PACKAGE), "searchers") != LUA_TTABLE)
    return luaL_error(L, "'package.searchers' must be a table");
  lua_pushliteral(L, "");
  return search(L, 1);
}

/* require(name) */
static int m_require(lua_State *L) {
  luaL_checkstring(L, NAME);
  return require_module(L);
}

/* ---- installing ---- */

/* See awl_upcalls: replace Lua's own `require`, which has `package` as its
 * upvalue. */
static void install_require(lua_State *L, awl_state *s) {
  int top = lua_gettop(L);
  lua_getglobal(L, "require");
  if (lua_iscfunction(L, -1) && lua_getupvalue(L, -1, 1) &&
      lua_istable(L, -1)) {
    lua_pushlightuserdata(L, s);
    lua_insert(L, -2);
    lua_pushcclosure(L, m_require, 2);
    lua_setglobal(L, "require");
  }
  lua_settop(L, top);
}

void awl_open_require(awl_state *s) {
  s->upcalls.require = m_require;
  s->upcalls.install_require = install_require;
  awl_open_loads(s);
}
