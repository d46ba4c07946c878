/* locals.c - aw.locals: a table of the running task; tasks that it starts
 * inherit the table
 *
 * The core carries the table as a value of the task. Many tasks may share a
 * table, so nobody changes it: a task that sets a field replaces its table by a
 * copy (aiowire/locals.lua). So a start costs nothing in a task without locals,
 * and one reference in other tasks.
 *
 * A handler has the locals of the task that has failed. Code outside of tasks
 * uses AWL_LOCALS; tasks that are started there inherit it.
 */
#include "objects/locals.h"

#include "base/classes.h"
#include "base/location.h"
#include "base/loops.h"
#include "base/values.h"
#include "open.h"

static aw_task *locals_owner(awl_state *s) {
  return s->in_handler ? s->handler_task : awl_running_task(s);
}

static void push_locals(lua_State *L, awl_state *s, const aw_task *task) {
  if (task)
    awl_push_value(L, s, aw_task_locals(task));
  else
    awl_push_slot(L, s, AWL_LOCALS);
}

aw_value awl_hold_locals(lua_State *L, awl_state *s, awl_loop *loop) {
  const aw_task *owner = locals_owner(s);
  if (!owner && !lua_istable(s->util, AWL_LOCALS))
    return 0; /* the usual case is fast */
  push_locals(L, s, owner);
  if (lua_istable(L, -1))
    return awl_hold(L, loop);
  lua_pop(L, 1);
  return 0;
}

/* locals(): the table, or nil; the caller must not change the table */
static int inner_locals(lua_State *L) {
  awl_state *s = awl_of(L);
  push_locals(L, s, locals_owner(s));
  return 1;
}

/* set_locals(table or nil): replace the table */
static int inner_set_locals(lua_State *L) {
  awl_state *s = awl_of(L);
  lua_settop(L, 1);
  aw_task *task = locals_owner(s);
  if (!task) {
    lua_xmove(L, s->util, 1);
    lua_replace(s->util, AWL_LOCALS);
    return 0;
  }
  aw_value value = 0;
  if (!lua_isnil(L, 1))
    value = awl_hold(L, awl_loop_of(s, aw_task_loop(task)));
  if (aw_task_set_locals(task, value) < 0)
    return awl_error(L, "not enough memory");
  return 0;
}

/* Register in the table of inner functions, below the module's table on top. */
void awl_open_locals(lua_State *L, awl_state *s) {
  static const luaL_Reg inner[] = {
      {"locals", inner_locals}, {"set_locals", inner_set_locals}, {NULL, NULL}};
  lua_pushvalue(L, -2);
  awl_register(L, s, inner);
  lua_pop(L, 1);
}
