/* start_ready.c - start_ready(): starts a task, and waits until the task calls
 * aw.ready
 *
 *   s:start_ready(w)   starts a task and waits for its end
 *                        the task calls aw.ready(...): the wait ends with these
 *                        values
 *                        the task fails before: its error is raised here
 *                        the wait is cancelled: so is the task; it is joined
 *
 * The handler of the task is a Ready, a userdata. It has the waiter, and
 * whether aw.ready was called; its user values are the handler of the user (1)
 * and the values of aw.ready (2). The waiter raises a failure before aw.ready.
 * A later failure goes to the handler of the user, or without one to the scope,
 * as for any other task.
 */
#include "objects/start_ready.h"

#include "base/classes.h"
#include "base/location.h"
#include "base/loops.h"
#include "base/resources.h"
#include "base/tasks.h"
#include "base/values.h"
#include "errors/core_error.h"
#include "errors/errors.h"
#include "objects/task.h"
#include "open.h"
#include "run/await.h"
#include "wire/build.h"
#include "wire/task_text.h"

enum { HANDLER = 1, RESULTS = 2 }; /* user values of a Ready */

typedef struct ready {
  aw_task *waiter;   /* kept until its wait ends; or NULL */
  uint32_t resource; /* number of its entry, see resources.h */
  bool told;         /* aw.ready was called */
} ready;

/* ---- waiting ---- */

/* Places on the stack of the waiting task. */
enum { OWNER = 1, TASK, READY };

static void stop_waiting(awl_state *s, ready *r) {
  awl_set_resource(s, AWL_RESOURCE_TASK, r->resource, NULL);
  aw_task_release(r->waiter);
  r->waiter = NULL;
}

/* The task has ended without calling aw.ready: raise. */
static int ended_before(lua_State *L, awl_state *s) {
  lua_remove(L, OWNER);
  aw_task *task = awl_check_task(L, s, 1);
  if (aw_task_state_of(task) != AW_TASK_DONE)
    return awl_end_as(L, s, task);
  awl_push_task_name(L, s, task);
  return awl_error(L, "%s ended without calling aw.ready", lua_tostring(L, -1));
}

/* The waiter was cancelled, and has cancelled the task. A failure of the task's
 * clean-up comes first [E3]; else raise Cancelled. */
static int after_ready_join(lua_State *L, awl_worker *w) {
  awl_state *s = w->state;
  const ready *r = lua_touserdata(L, READY);
  const aw_task *task = awl_check_task(L, s, TASK);
  awl_joined(L, w);
  if (!r->told && aw_task_state_of(task) == AW_TASK_FAILED)
    return awl_raise(L, w, aw_error_keep(aw_task_error(task)));
  awl_push_cancelled(L, s, w->task);
  return lua_error(L);
}

static int after_ready_wait(lua_State *L, awl_worker *w) {
  awl_state *s = w->state;
  ready *r = lua_touserdata(L, READY);
  aw_task *task = awl_check_task(L, s, TASK);
  stop_waiting(s, r);
  if (w->result == AW_ECANCELED) {
    aw_task_cancel(task, 0, AW_DEFAULT);
    aw_task_park(w->task, w);
    return awl_join(L, w, task, after_ready_join);
  }
  awl_check_result(L, w);
  if (!r->told)
    return ended_before(L, s);
  lua_getiuservalue(L, READY, RESULTS);
  int count = (int)lua_rawlen(L, -1);
  if (lua_getfield(L, -1, "n") == LUA_TNUMBER)
    count = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  luaL_checkstack(L, count, "too many results");
  for (int i = 1; i <= count; i++)
    lua_rawgeti(L, READY + 1, i);
  return count;
}

/* Push a Ready with the handler at `handler`. */
static void push_ready(lua_State *L, awl_state *s, int handler) {
  ready *r = lua_newuserdatauv(L, sizeof *r, 2);
  r->waiter = NULL;
  r->told = false;
  r->resource = awl_enter_object(L, s, AWL_RESOURCE_TASK);
  awl_push_class(L, s, AWL_READY);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, handler);
  lua_setiuservalue(L, -2, HANDLER);
}

int awl_start_ready(lua_State *L, awl_state *s, awl_loop *loop,
                    const awl_scope *scope, const char *what) {
  enum { WIRE = 2, USERS = 3, TOP = 4 };
  lua_settop(L, TOP);
  if (!awl_is_wire(L, s, WIRE))
    aw_lua_type_error(L, WIRE, "wire");
  awl_check_handler(L, USERS);
  awl_worker *w = awl_awaiter(L, s, what);
  if (!loop->core)
    return awl_ended(L, loop);
  if (loop->engine != s->run.engine)
    return awl_foreign(L, "this EventLoop");
  if (aw_task_cancelled(w->task)) /* a cancelled task starts nothing [C2] */
    return awl_wait(L, w, aw_await_yield(w->task), awl_after_wait);
  push_ready(L, s, USERS);
  lua_replace(L, USERS);
  awl_start(L, s, loop, scope, WIRE, 1);
  lua_replace(L, TASK);
  lua_settop(L, READY);
  ready *r = lua_touserdata(L, READY);
  r->waiter = aw_task_keep(w->task);
  awl_set_resource(s, AWL_RESOURCE_TASK, r->resource, r->waiter);
  int rc = aw_await_task(w->task, awl_check_task(L, s, TASK));
  return awl_wait(L, w, rc, after_ready_wait);
}

/* ---- being ready ---- */

/* aw.ready(...): does nothing in a task that start_ready() has not started. */
static int m_ready(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_task *task = s->in_handler ? NULL : awl_running_task(s);
  if (!task)
    return awl_error(L, "aw.ready needs a running task");
  int count = lua_gettop(L);
  awl_push_value(L, s, aw_task_handler(aw_task_whole(task)));
  if (!awl_is(L, s, -1, AWL_READY))
    return 0;
  lua_insert(L, 1);
  ready *r = lua_touserdata(L, 1);
  if (r->told)
    return awl_error(L, "aw.ready was called already");
  lua_createtable(L, count, 1);
  lua_insert(L, 2);
  for (int i = count; i >= 1; i--)
    lua_rawseti(L, 2, i);
  lua_pushinteger(L, count);
  lua_setfield(L, 2, "n");
  lua_setiuservalue(L, 1, RESULTS);
  r->told = true;
  if (r->waiter)
    aw_wait_interrupt(r->waiter, 0);
  return 0;
}

/* See awl_upcalls. */
static bool settle_ready(lua_State *L, awl_state *s, aw_task *task) {
  if (!awl_is(L, s, -1, AWL_READY))
    return false;
  const ready *r = lua_touserdata(L, -1);
  if (!r->told)
    return true; /* the waiter raises the failure */
  lua_getiuservalue(L, -1, HANDLER);
  lua_remove(L, -2);
  if (!lua_isnil(L, -1))
    return false;
  aw_task_set_handler(task, 0);
  return aw_task_parent(task) != NULL; /* true: the scope fails */
}

/* ---- class ---- */

static int ready_gc(lua_State *L) {
  awl_state *s = lua_touserdata(L, lua_upvalueindex(1));
  ready *r = lua_touserdata(L, 1);
  stop_waiting(s, r);
  awl_strike_object(s, AWL_RESOURCE_TASK, r->resource);
  return 0;
}

/* Register the functions in the module's table, on top. */
void awl_open_ready(lua_State *L, awl_state *s) {
  static const luaL_Reg meta[] = {{"__gc", ready_gc}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"ready", m_ready}, {NULL, NULL}};
  s->upcalls.settle_ready = settle_ready;
  awl_new_class(L, s, AWL_READY, "aiowire.Ready", NULL, meta);
  /* start() accepts only callable values as handlers; nobody calls a Ready */
  lua_pushboolean(L, true);
  lua_setfield(L, -2, "__call");
  lua_pop(L, 1);
  awl_register(L, s, functions);
}
