/* first_await.c - a chunk that is drawn, not run (`aiowire --graph`) [D36]
 *
 *   main     calls the chunk, with s->drawing set. The first call that awaits,
 *            or runs a loop, parks the task for ever (await.c, loop_run.c)
 *   painter  the task behind it in the queue: clears s->drawing, draws what the
 *            chunk has started, and ends the run by leave()
 *
 * So no task that the chunk started begins. After leave() the loop is paused
 * with its tasks, as if the host program had left it half way. They end with
 * the state (awl_end_left() of embed/step.c), and none of their code runs.
 *
 * Neighbours: aiowire/main.lua starts both tasks, aiowire/graph_main.lua draws.
 */
#include "run/first_await.h"

#include "base/classes.h"
#include "base/loops.h"
#include "base/tasks.h"
#include "errors/core_error.h"
#include "errors/error_object.h"
#include "errors/errors.h"
#include "errors/info.h"
#include "open.h"
#include "wire/build.h"

#include <string.h>

/* Its address is the registry key of the wire that the chunk would await. */
static const char AWAITED_KEY = 'a';

void awl_note_first_await(lua_State *L, awl_state *s, const char *what) {
  if (strcmp(what, "EventLoop:run") == 0 || lua_isnone(L, 1) ||
      !awl_is_wire(L, s, 1))
    return;
  lua_pushvalue(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &AWAITED_KEY);
}

/* hold_awaits(on): from now on, awaits park for ever */
static int inner_hold_awaits(lua_State *L) {
  awl_state *s = awl_of(L);
  s->drawing = lua_toboolean(L, 1);
  s->careful = s->gc_stress || s->drawing;
  return 0;
}

/* awaited(): the wire that the chunk would await, or nil */
static int inner_awaited(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &AWAITED_KEY);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &AWAITED_KEY);
  return 1;
}

/* leave(): end the run under way behind this step, and leave its tasks */
static int inner_leave(lua_State *L) {
  awl_state *s = awl_of(L);
  s->run.over = s->left = true;
  return 0;
}

/* failure(task): the error of a failed task, and its info */
static int inner_failure(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_task *task = awl_check_task(L, s, 1);
  aw_error *error = aw_task_error(task);
  lua_settop(L, 1);
  awl_push_error(L, s, awl_loop_of(s, aw_task_loop(task)), error);
  awl_place_error(L, s, task);
  awl_push_info(L, s, error, task);
  return 2;
}

void awl_open_first_await(lua_State *L, awl_state *s) {
  static const luaL_Reg inner[] = {{"hold_awaits", inner_hold_awaits},
                                   {"awaited", inner_awaited},
                                   {"leave", inner_leave},
                                   {"failure", inner_failure},
                                   {NULL, NULL}};
  lua_pushvalue(L, -2);
  awl_register_inner(L, s, inner);
  lua_pop(L, 1);
}
