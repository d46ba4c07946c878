/* background.c - background work of the state: functions that run beside the
 * user's tasks whenever a loop runs
 *
 *     inner.background(f, name) ─► AWL_BACKGROUND: f, options, f, options, …
 *       └─► a task in each loop that runs now ◄─┘ and in each that runs later
 *
 * A part of the library that serves something outside, such as an
 * authenticator, has no loop of its own. So each run that drives an engine
 * starts the work as a background task [T2], which ends with the run. With runs
 * inside runs, the innermost one serves; the others go on after it.
 *
 * The work must wait by operations that tasks of several engines can wait for.
 * A function that returns is started again by the next run, unless it was given
 * up.
 */
#include "base/classes.h"
#include "base/loops.h"
#include "objects/task.h"
#include "open.h"

/* Start the function and with the options on top, [f, options] → []. */
static void start_work(lua_State *L, awl_state *s, awl_loop *loop) {
  enum { OF_LIBRARY = 2 };
  int f = lua_gettop(L) - 1;
  lua_pushnil(L); /* no handler */
  lua_insert(L, f + 1);
  awl_start(L, s, loop, NULL, f, OF_LIBRARY);
  lua_settop(L, f - 1);
}

/* See awl_upcalls. A finalizer may change the list meanwhile. */
static void start_background(lua_State *L, awl_state *s, awl_loop *loop) {
  luaL_checkstack(L, 8, NULL);
  awl_push_slot(L, s, AWL_BACKGROUND);
  int list = lua_gettop(L);
  for (lua_Integer i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i += 2) {
    lua_rawgeti(L, list, i + 1);
    start_work(L, s, loop);
  }
  lua_settop(L, list - 1);
}

/* background(f, name) */
static int inner_background(lua_State *L) {
  awl_state *s = awl_of(L);
  lua_settop(L, 2);
  lua_createtable(L, 0, 2);
  lua_insert(L, 2);
  lua_setfield(L, 2, "name");
  lua_pushboolean(L, true);
  lua_setfield(L, 2, "background");
  awl_push_slot(L, s, AWL_BACKGROUND);
  lua_Integer last = (lua_Integer)lua_rawlen(L, 3);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 3, last + 1);
  lua_pushvalue(L, 2);
  lua_rawseti(L, 3, last + 2);
  s->background++;
  for (const awl_run *r = &s->run; r && r->engine; r = r->outer) {
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    start_work(L, s, awl_loop_of(s, r->loop));
  }
  return 0;
}

/* no_background(f): give the work up; its tasks end by themselves */
static int inner_no_background(lua_State *L) {
  awl_state *s = awl_of(L);
  lua_settop(L, 1);
  awl_push_slot(L, s, AWL_BACKGROUND);
  lua_Integer count = (lua_Integer)lua_rawlen(L, 2), left = 0;
  for (lua_Integer i = 1; i <= count; i += 2) {
    lua_rawgeti(L, 2, i);
    lua_rawgeti(L, 2, i + 1);
    if (lua_rawequal(L, 1, 3)) {
      s->background--;
    } else {
      lua_rawseti(L, 2, left + 2);
      lua_rawseti(L, 2, left + 1);
      left += 2;
    }
    lua_settop(L, 2);
  }
  for (lua_Integer i = left + 1; i <= count; i++) {
    lua_pushnil(L);
    lua_rawseti(L, 2, i);
  }
  return 0;
}

/* Register in the table of inner functions, below the module's table on top. */
void awl_open_background(lua_State *L, awl_state *s) {
  static const luaL_Reg functions[] = {{"background", inner_background},
                                       {"no_background", inner_no_background},
                                       {NULL, NULL}};
  s->upcalls.start_background = start_background;
  lua_pushvalue(L, -2);
  awl_register(L, s, functions);
  lua_pop(L, 1);
}
