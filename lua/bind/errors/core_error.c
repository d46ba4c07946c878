/* core_error.c - converts errors of Lua to errors of the core, and back
 *
 * A core error carries a value: the info of a Lua error. The field `err` of the
 * info is the Lua error itself. An error that the core itself made gets an info
 * when it is first shown to Lua. Values belong to an EventLoop, so an error
 * that goes to a task of another loop is made anew there.
 *
 * Neighbours: info.c makes infos, raised.c keeps the infos of errors on their
 * way; errors.c makes the error objects of the library.
 */
#include "errors/core_error.h"

#include "base/loops.h"
#include "base/tasks.h"
#include "base/values.h"
#include "errors/error_object.h"
#include "errors/errors.h"
#include "errors/info.h"
#include "errors/raised.h"
#include "wire/leaf.h"

/* ---- from Lua to the core ---- */

/* Make a core error with the info on top (popped). */
static aw_error *error_of_info(lua_State *L, awl_loop *loop) {
  aw_value value = awl_hold(L, loop);
  return aw_error_new(loop->engine->core, AW_EHOST, value);
}

/* The info at `info` may have replaced the infos of other errors. Suppress
 * those errors in `error`, the oldest first. */
static void suppress_replaced(lua_State *L, awl_state *s, awl_loop *loop,
                              aw_error *error, int info) {
  luaL_checkstack(L, 4, NULL);
  if (awl_push_fact(L, info, AWL_FACT_REPLACED) != LUA_TNIL) {
    lua_pushnil(L);
    awl_set_fact(L, info, AWL_FACT_REPLACED);
    suppress_replaced(L, s, loop, error, lua_gettop(L));
    aw_error_suppress(error, error_of_info(L, loop));
  } else {
    lua_pop(L, 1);
  }
}

/* (info, light loop, light error): suppress_replaced() under pcall. */
static int protected_suppress(lua_State *L) {
  awl_loop *loop = lua_touserdata(L, 2);
  suppress_replaced(L, loop->state, loop, lua_touserdata(L, 3), 1);
  return 0;
}

/* As suppress_replaced(), but raises nothing, so that `error` does not leak.
 * Out of memory loses some of the replaced errors. */
static void try_suppress(lua_State *L, awl_loop *loop, aw_error *error,
                         int info) {
  lua_pushcfunction(L, protected_suppress);
  lua_pushvalue(L, info);
  lua_pushlightuserdata(L, loop);
  lua_pushlightuserdata(L, error);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK)
    lua_pop(L, 1);
}

static aw_error *rehome_error(lua_State *L, awl_state *s, awl_loop *loop,
                              aw_error *error);

/* (light error, light copy, light loop): give the copy the suppressed errors of
 * `error`. */
static int protected_rehome(lua_State *L) {
  aw_error *error = lua_touserdata(L, 1), *copy = lua_touserdata(L, 2), *later;
  awl_loop *loop = lua_touserdata(L, 3);
  const void *at = NULL;
  while ((later = aw_error_next_suppressed(error, &at)) != NULL)
    aw_error_suppress(copy, rehome_error(L, loop->state, loop, later));
  return 0;
}

/* Return `error` for a task of `loop`. If its info is in the table of another
 * loop, return a new error of `loop` with the same info, since the other loop
 * may become garbage earlier. Out of memory may lose some suppressed errors.
 * Gives. */
static aw_error *rehome_error(lua_State *L, awl_state *s, awl_loop *loop,
                              aw_error *error) {
  if (awl_belongs(s, aw_error_value(error), loop))
    return aw_error_keep(error);
  luaL_checkstack(L, 8, NULL);
  awl_push_value(L, s, aw_error_value(error));
  if (!awl_is_info(L, -1)) {
    lua_pop(L, 1);
    return aw_error_keep(error);
  }
  aw_error *copy = error_of_info(L, loop);
  lua_pushcfunction(L, protected_rehome);
  lua_pushlightuserdata(L, error);
  lua_pushlightuserdata(L, copy);
  lua_pushlightuserdata(L, loop);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK)
    lua_pop(L, 1);
  return copy;
}

/* Does the info at `info` describe the task that has failed? */
static bool has_task(lua_State *L, int info) {
  awl_record task;
  return awl_failed_task(L, info, &task);
}

aw_error *awl_make_error(lua_State *L, awl_state *s, awl_worker *worker) {
  aw_task *task = worker->task;
  awl_loop *loop = awl_loop_of(s, aw_task_loop(task));
  awl_raised *raised = awl_raised_in(worker);
  int err = lua_gettop(L), info = err + 1;
  bool caught = awl_push_caught(L, s, worker);
  aw_error *error = caught ? raised->error : NULL;
  bool replaced = awl_push_fact(L, info, AWL_FACT_REPLACED) != LUA_TNIL;
  lua_pop(L, 1);
  if (!error || !has_task(L, info))
    awl_describe_failed(L, s, task);
  if (error) { /* the core made the error */
    error = rehome_error(L, s, loop, error);
  } else if (caught) {
    aw_value value = awl_keep(s, raised->info);
    error = aw_error_new(loop->engine->core, AW_EHOST, value);
  } else {
    lua_pushvalue(L, info);
    error = error_of_info(L, loop);
  }
  if (replaced)
    try_suppress(L, loop, error, info);
  awl_drop_raised(worker, raised);
  lua_settop(L, err - 1);
  return error;
}

aw_error *awl_make_plain_error(lua_State *L, awl_state *s, aw_task *task) {
  awl_push_record(L, -1);
  awl_describe_failed(L, s, task);
  lua_remove(L, -2);
  return error_of_info(L, awl_loop_of(s, aw_task_loop(task)));
}

aw_error *awl_make_derived_error(lua_State *L, awl_loop *loop, int info) {
  if (info != 0) {
    awl_push_info_over(L, loop->state, info);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "err");
  } else {
    awl_push_record(L, -1);
  }
  lua_remove(L, -2);
  return error_of_info(L, loop);
}

/* ---- from the core to Lua ---- */

/* Push the object of a core error. The place of the error is the line of the
 * await that raises it. On the stack of the driver the error gets no place, see
 * awl_place_error(). */
static void push_core_object(lua_State *L, const awl_state *s,
                             const aw_error *error) {
  awl_push_error_object(L, error);
  bool awaited = s->run.running && L == s->run.co;
  if (awaited || !lua_istable(L, -1))
    return;
  lua_pushnil(L);
  lua_setfield(L, -2, "where");
}

/* Give an info to a core error that has none; push the info's `err` if there is
 * no loop. */
static void complete_error(lua_State *L, awl_state *s, awl_loop *loop,
                           aw_error *error) {
  push_core_object(L, s, error);
  awl_push_record(L, -1);
  lua_remove(L, -2);
  if (loop)
    aw_error_set_value(error, awl_hold(L, loop));
  else
    lua_pop(L, 1);
}

void awl_push_error(lua_State *L, awl_state *s, awl_loop *loop,
                    aw_error *error) {
  if (!aw_error_value(error))
    complete_error(L, s, loop, error);
  awl_push_value(L, s, aw_error_value(error));
  if (!awl_is_info(L, -1)) { /* the engine's own "out of memory" */
    lua_pop(L, 1);
    awl_push_error_object(L, error);
    return;
  }
  awl_push_fact(L, -1, AWL_FACT_ERR);
  lua_replace(L, -2);
}

/* Set the field `suppressed` of the Info on top. */
static void set_suppressed(lua_State *L, awl_state *s, aw_error *error) {
  if (!aw_error_suppressed(error, 0))
    return; /* info_index() makes the empty list */
  aw_error *later;
  const void *at = NULL;
  lua_newtable(L);
  for (lua_Integer i = 1; (later = aw_error_next_suppressed(error, &at)); i++) {
    luaL_checkstack(L, 8, NULL);
    lua_createtable(L, 0, 2);
    awl_push_error(L, s, NULL, later);
    lua_setfield(L, -2, "err");
    awl_push_info(L, s, later, NULL);
    lua_setfield(L, -2, "info");
    lua_rawseti(L, -2, i);
  }
  lua_setfield(L, -2, "suppressed");
}

/* Push what is kept of `error`; a new record, if nothing is. */
static void push_kept(lua_State *L, awl_state *s, aw_error *error) {
  awl_push_value(L, s, aw_error_value(error));
  if (awl_is_info(L, -1))
    return;
  lua_pop(L, 1);
  push_core_object(L, s, error);
  awl_push_record(L, -1);
  lua_remove(L, -2);
}

/* Set the field `task` of the Info on top; the kept info is below it. */
static void set_failed_task(lua_State *L, awl_state *s, const awl_record *of,
                            aw_task *task) {
  awl_push_known_task(L, s, of->engine, of->id);
  if (lua_isnil(L, -1) && task) { /* the failed task has no Task */
    lua_pop(L, 1);
    awl_push_task(L, s, task);
  }
  lua_setfield(L, -2, "task");
}

void awl_push_info(lua_State *L, awl_state *s, aw_error *error, aw_task *task) {
  awl_record of;
  push_kept(L, s, error);
  bool described = awl_failed_task(L, -1, &of);
  awl_push_info_over(L, s, -1);
  lua_remove(L, -2);
  set_failed_task(L, s, &of, task);
  if (task && !described) {
    awl_describe_failed(L, s, task);
    lua_pushnil(L);
    lua_setfield(L, -2, "engine");
  }
  set_suppressed(L, s, error);
  if (aw_error_attempts(error) > 0) {
    lua_pushinteger(L, aw_error_attempts(error));
    lua_setfield(L, -2, "attempts");
  }
}

int awl_raise(lua_State *L, awl_worker *worker, aw_error *error) {
  awl_state *s = worker->state;
  if (worker->passing)
    aw_error_release(worker->passing);
  worker->passing = error;
  worker->raising = true; /* hooks and finalizers may run */
  awl_push_error(L, s, awl_loop_of(s, aw_task_loop(worker->task)), error);
  worker->raising = false;
  return lua_error(L);
}

int aw_lua_raise_with(lua_State *L, const char *traceback) {
  awl_state *s = awl_open(L);
  awl_worker *w = s->run.running;
  if (!w || L != s->run.co)
    return lua_error(L);
  awl_push_record(L, -1);
  lua_pushstring(L, traceback);
  awl_set_fact(L, -2, AWL_FACT_TRACEBACK);
  return awl_raise(L, w,
                   error_of_info(L, awl_loop_of(s, aw_task_loop(w->task))));
}

/* ---- errors of handlers [E8] ---- */

/* The error that a handler raised, and the error that the handler was called
 * for. */
typedef struct handler_failure {
  awl_worker *worker;
  aw_error *error, *handled;
} handler_failure;

/* Replace f->error by a copy, and push the info of the copy: an error that an
 * await raised is shared with other tasks. False: the error has no info. */
static bool push_own_info(lua_State *L, handler_failure *f, awl_loop *loop) {
  awl_push_value(L, loop->state, aw_error_value(f->error));
  if (!awl_is_info(L, -1))
    return false;
  awl_push_info_over(L, loop->state, -1);
  lua_pushvalue(L, -1);
  aw_error *own = error_of_info(L, loop), *later;
  const void *at = NULL;
  while ((later = aw_error_next_suppressed(f->error, &at)) != NULL)
    aw_error_suppress(own, aw_error_keep(later));
  aw_error_release(f->error);
  f->error = own;
  return true;
}

/* (light handler_failure): awl_add_handled() under pcall. */
static int protected_add_handled(lua_State *L) {
  handler_failure *f = lua_touserdata(L, 1);
  awl_loop *loop = awl_loop_of(f->worker->state, aw_task_loop(f->worker->task));
  awl_push_error(L, loop->state, loop, f->handled);
  awl_push_error(L, loop->state, loop, f->error);
  if (lua_rawequal(L, 2, 3)) /* the handler raised the same error again */
    return 0;
  if (!push_own_info(L, f, loop))
    return 0;
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "cause");
  awl_leaf_kind kind = f->worker->leaf->kind;
  if (kind == AWL_LEAF_CATCH || kind == AWL_LEAF_SUPERVISE)
    aw_error_suppress(f->error, aw_error_keep(f->handled));
  return 0; /* for other leaves the core suppresses `handled` */
}

aw_error *awl_add_handled(lua_State *L, awl_worker *worker, aw_error *error,
                          aw_error *handled) {
  handler_failure f = {worker, error, handled};
  if (error == handled)
    return error;
  lua_pushcfunction(L, protected_add_handled);
  lua_pushlightuserdata(L, &f);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    lua_pop(L, 1); /* out of memory: the error is reported without its cause */
  return f.error;
}

aw_error *awl_make_handler_error(lua_State *L, awl_loop *loop, int info,
                                 aw_error *handled) {
  int raised = lua_gettop(L);
  awl_push_info_over(L, loop->state, info);
  static const char *const fields[] = {"err", "traceback"};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    lua_getfield(L, raised, fields[i]);
    lua_setfield(L, -2, fields[i]);
  }
  lua_getfield(L, info, "err");
  lua_setfield(L, -2, "cause");
  lua_remove(L, raised);
  aw_error *error = error_of_info(L, loop);
  aw_error_suppress(error, aw_error_keep(handled));
  return error;
}
