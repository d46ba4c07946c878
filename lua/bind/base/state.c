/* state.c - makes and ends the state of the binding, one for each Lua state
 *
 * The state is a userdata in the registry. Finalizers run in reverse order, so
 * the state is finalized after all objects of the binding. The tables of the
 * state are on the stack of the thread `util`, which runs nothing: C code that
 * must not raise can read the tables there, and set fields to nil.
 *
 * Neighbours: lua/module.c lists what is freed when the state ends.
 */
#include "base/state.h"

#include <stdlib.h>
#include <string.h>

/* the address of STATE_KEY is its registry key */
static const char STATE_KEY = 's';
static const char UTIL_KEY = 'u';

const char awl_hidden[] = "?";

/* ---- the tables of util ---- */

static int move_from_util(lua_State *L, awl_state *s) {
  lua_xmove(s->util, L, 1);
  return 1;
}

void awl_push_slot(lua_State *L, awl_state *s, awl_slot slot) {
  lua_pushvalue(s->util, (int)slot);
  move_from_util(L, s);
}

void awl_get(lua_State *L, awl_state *s, awl_slot slot, lua_Integer key) {
  lua_rawgeti(s->util, (int)slot, key);
  move_from_util(L, s);
}

void awl_set(lua_State *L, awl_state *s, awl_slot slot, lua_Integer key) {
  awl_push_slot(L, s, slot);
  lua_insert(L, -2);
  lua_rawseti(L, -2, key);
  lua_pop(L, 1);
}

void awl_unset(awl_state *s, awl_slot slot, lua_Integer key) {
  if (s->closing)
    return;
  lua_pushnil(s->util);
  lua_rawseti(s->util, (int)slot, key); /* nil for a key allocates nothing */
}

static void push_weak_table(lua_State *L, const char *mode) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, mode);
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
}

static void make_util(lua_State *L, awl_state *s) {
  lua_State *util = lua_newthread(L);
  luaL_checkstack(util, LUA_MINSTACK + AWL_LAST_SLOT, NULL);
  for (int slot = 1; slot <= AWL_OWNED; slot++) {
    if (slot <= AWL_OBJECTS)
      push_weak_table(L, "v");
    else if (slot >= AWL_KEPT)
      push_weak_table(L, "k");
    else
      lua_newtable(L);
    lua_xmove(L, util, 1);
  }
  lua_settop(util, AWL_LAST_SLOT);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &UTIL_KEY);
  s->util = util;
}

/* ---- life ---- */

static void end_life(awl_life *life) {
  if (!life)
    return;
  life->state = NULL;
  if (life->leaves == 0)
    aw_free(life);
}

static int state_gc(lua_State *L) {
  awl_state *s = lua_touserdata(L, 1);
  s->closing = true;
  for (const awl_ending *end = awl_endings; *end; end++)
    (*end)(s);
  end_life(s->life);
  memset(s, 0, sizeof *s);
  s->closing = true;
  return 0;
}

static awl_state *check_state_open(lua_State *L, awl_state *s) {
  if (s->closing)
    luaL_error(L, "aiowire has ended, with the Lua state");
  return s;
}

awl_state *awl_of(lua_State *L) {
  return check_state_open(L, lua_touserdata(L, lua_upvalueindex(1)));
}

awl_state *awl_find_state(lua_State *L) {
  if (!lua_checkstack(L, 1))
    return NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &STATE_KEY);
  awl_state *s = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return s && !s->closing ? s : NULL;
}

awl_state *awl_open(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &STATE_KEY) == LUA_TUSERDATA) {
    awl_state *s = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return check_state_open(L, s);
  }
  lua_pop(L, 1);
  awl_state *s = lua_newuserdatauv(L, sizeof *s, 0);
  memset(s, 0, sizeof *s);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  s->life = aw_allocate(sizeof *s->life);
  if (!s->life)
    luaL_error(L, "not enough memory");
  s->life->state = s;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  s->main = lua_tothread(L, -1);
  s->gone_loop.state = s;
  lua_pop(L, 1);
  make_util(L, s);
  const char *stress = getenv("AIOWIRE_GCSTRESS");
  s->gc_stress = s->careful = stress && *stress == '1';
  lua_rawsetp(L, LUA_REGISTRYINDEX, &STATE_KEY);
  return s;
}

bool awl_is_switched_on(lua_State *L, const char *name) {
  const char *value = getenv(name);
  if (!value || strcmp(value, "1") != 0)
    return false;
  lua_getfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  bool ignored = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return !ignored;
}

/* ---- finalizers ---- */

/* Since Lua 5.4.4, lua_gc() returns -1 for every option while a finalizer runs.
 * Older versions give no sign: there the result is false. */
bool awl_in_finalizer(lua_State *L) {
  return lua_gc(L, LUA_GCISRUNNING, 0) < 0;
}

/* ---- classes ---- */

void awl_push_class(lua_State *L, awl_state *s, awl_class class) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->classes[class]);
}

bool awl_is(lua_State *L, awl_state *s, int index, awl_class class) {
  if (!lua_getmetatable(L, index))
    return false;
  bool is = lua_topointer(L, -1) == s->metatables[class];
  lua_pop(L, 1);
  return is;
}
